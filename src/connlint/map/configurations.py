"""Configuration files that a service is given, by a mount or in its image: which services they name, and which ports a
web server is told there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from connlint.map.neighbours import Neighbours
from connlint.map.places import Lines
from connlint.model.finding import Place
from connlint.model.map import Connection
from connlint.patterns import regex
from connlint.project.given_files import GivenFiles
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.starts import Starts

_LOWEST = 80
_LISTEN = regex(rb"^[ \t]*listen[ \t]+(?:[\w.*]+:|\[[^\]\n]*\]:)?(\d{1,5})\b", re.M)
_SERVER = regex(rb"\bserver[ \t\r\n]*\{")


class Told(Struct, frozen=True):
    """A port that a file tells a web server to listen on."""

    port: int
    place: Place


class Configurations:
    """Answers which configuration services are given; made once per map."""

    def __init__(self, project: Project, starts: Starts, lines: Lines) -> None:
        self.given = GivenFiles.of(project, starts)
        self.lines = lines

    def connections(self, one: Running, neighbours: Neighbours) -> Iterator[Connection]:
        """The services that the files of ``one`` name with a port, or in a URL."""
        own = neighbours.names[id(one)]
        names = "|".join(re.escape(name) for name in sorted(neighbours.hosts, key=len, reverse=True))
        if not names:
            return
        written = re.compile(rf"(?P<url>[a-z][\w+.-]*://(?:[^\s/@'\"]*@)?)?(?<![\w.-])(?P<host>{names})(?![\w.-])"
                             r"(?::(?P<port>\d{2,5})(?![\w.-]))?".encode(), re.I)
        seen: set[tuple[str, int | None]] = set()
        for path in self.given.files(one):
            data = self.given.plain(path)
            found: list[tuple[str, int | None, re.Match[bytes]]] = []
            for hit in written.finditer(data):
                service = neighbours.named(hit["host"].decode())
                port = int(hit["port"]) if hit["port"] else None
                if service is None or service == own or not (hit["url"] or port):
                    continue
                if port is not None and port < _LOWEST:
                    continue  # ``postgres:16`` is an image
                if port is None and re.search(rb"\bupstream[ \t]+" + re.escape(hit["host"]) + rb"\b", data):
                    continue  # a name of the file itself
                found.append((service, port, hit))
            for service, port, hit in found:
                if (service, port) in seen:
                    continue
                seen.add((service, port))
                scheme = (hit["url"] or b"").partition(b"://")[0].decode()
                host = hit["host"].decode() + ("" if port is None else f":{port}")
                spot = self.lines.spot(Place(path, hit.span()))
                yield Connection("", f"{scheme}://{host}" if scheme else host, "service", "file", spot, service, port)

    def ports(self, one: Running) -> Iterator[Told]:
        """The ports of the web servers that the files of ``one`` describe."""
        for path in self.given.files(one):
            data = self.given.plain(path)
            if _SERVER.search(data):
                for hit in _LISTEN.finditer(data):
                    yield Told(int(hit[1]), Place(path, hit.span(1)))
