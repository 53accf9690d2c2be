"""Configuration files that a service is given, by a mount or in its image: which services they name, and which ports a
web server is told there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from connlint.map.neighbours import Neighbours
from connlint.map.places import Lines
from connlint.model.finding import Place
from connlint.model.map import Connection
from connlint.patterns import regex
from connlint.project.grounds import contexts_of
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.starts import Starts

_ENDINGS = (".conf", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".cnf", ".json", ".properties", ".template", ".hcl",
            ".alloy", ".river", ".xml", ".tmpl")
_NAMES = ("Caddyfile", "Corefile")
_PLACES = regex(r"^/etc/|/(?:conf|config|conf\.d|provisioning)(?:/|$)|\.conf$")
"""Where containers keep configuration."""
_OF_THE_SYSTEM = regex(r"^/etc/")
"""The same where a container runs a program of the project, which has a configuration of its own elsewhere."""
_ANYWHERE = regex("")
_LOWEST = 80
_MOST_BYTES = 200_000
_MOST_FILES = 40
_COMMENT = regex(rb"(?:^|(?<=\s))(?:#|//(?=\s)|;(?=\s))[^\n]*", re.M)
_LISTEN = regex(rb"^[ \t]*listen[ \t]+(?:[\w.*]+:|\[[^\]\n]*\]:)?(\d{1,5})\b", re.M)
_SERVER = regex(rb"\bserver[ \t\r\n]*\{")


class Told(Struct, frozen=True):
    """A port that a file tells a web server to listen on."""

    port: int
    place: Place


class Configurations:
    """Answers which configuration services are given; made once per map."""

    def __init__(self, project: Project, starts: Starts, lines: Lines) -> None:
        self.tree = project.tree
        self.starts = starts
        self.services = Services.of(project)
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
        for path in self.files(one):
            data = self._plain(path)
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
        for path in self.files(one):
            data = self._plain(path)
            if _SERVER.search(data):
                for hit in _LISTEN.finditer(data):
                    yield Told(int(hit[1]), Place(path, hit.span(1)))

    def files(self, one: Running) -> list[str]:
        """The configuration files of the project that ``one`` is given."""
        found: dict[str, None] = {}
        own = bool(self.starts.of_service(one))
        places = _OF_THE_SYSTEM if own else _PLACES
        for host, target in one.service.mounts:
            single = not own and host in self.tree.paths
            found |= dict.fromkeys(self._below(host, target, _ANYWHERE if single else places))
        if one.image is not None and one.stage is not None:
            contexts = contexts_of(one.service, one.image, self.tree)
            for layer in self.services.layers(one.image, one.stage) if contexts else ():
                for source, target, origin in layer.copies:
                    if origin is None and "$" not in source and "*" not in source:
                        place = posixpath.normpath(posixpath.join(contexts[0], source.lstrip("/"))).removeprefix("./")
                        if target.endswith("/"):
                            target = posixpath.join(target, posixpath.basename(place))
                        found |= dict.fromkeys(self._below(place, target, places))
        return list(found)

    def _below(self, path: str, target: str, places: re.Pattern[str]) -> list[str]:
        """The configuration files at ``path`` of the project, which stands at ``target`` in the container."""
        if path in self.tree.paths:
            named = path.endswith(_ENDINGS) or posixpath.basename(path) in _NAMES
            return [path] if named and places.search(target) else []
        if path in ("", ".") or path not in self.tree.folders or not places.search(target):
            return []
        rows = [file for file in sorted(self.tree.paths) if file.startswith(path + "/")
                and (file.endswith(_ENDINGS) or posixpath.basename(file) in _NAMES)]
        return rows[:_MOST_FILES]

    def _plain(self, path: str) -> bytes:
        """The text without comments, of which every byte stays where it is."""
        data = (self.tree.read(path) or b"")[:_MOST_BYTES]
        return _COMMENT.sub(lambda hit: b" " * len(hit[0]), data)
