"""Programs that one container or pod runs side by side: what they say to each other at loopback arrives.

A supervisor's configuration, a folder of ``run`` scripts, a script that leaves programs running behind it, a Procfile
or a list of pm2 that an image runs: each counts where an image of the project speaks of it. A pod's containers count as
they are.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from connlint.languages.deployment.shell import read_commands
from connlint.patterns import regex
from connlint.project.address import Host
from connlint.project.command_ports import told_ports
from connlint.project.project import Project
from connlint.project.services import Services
from connlint.project.stage import words_of
from connlint.project.tree import Tree

_SECTION = regex(rb"^\[program:([^\]\r\n]+)\]([^\[]*(?:\[(?!\w+:|\w+\])[^\[]*)*)", re.M)
_COMMAND = regex(rb"^[ \t]*command[ \t]*=[ \t]*([^\r\n;]+)", re.M)
_PROCESS = regex(rb"^([\w-]+):[ \t]*([^\r\n]+)", re.M)
_HERE = rb"(?:\w+://)?(?:[^\s@\"'/]*@)?(?:localhost|127\.0\.0\.1|\[::1\])(?=[\s:/\"',]|$)"
_TOLD = regex(rb"(?:^|[\s,=\"'])([A-Z_][A-Z0-9_]*)=[\"']?" + _HERE, re.M)
_SOURCED = regex(rb"^[ \t]*(?:\.|source)[ \t]+([^\s;&|]+)", re.M)
_BACKGROUND = regex(rb"[^&>|]&[ \t]*(?:$|[)#\n\w])|--daemonize|\b(?:service|systemctl)[ \t]+\w|pg_ctl|/init\.d/", re.M)
_SUPERVISES = regex(rb"supervis|\bpm2\b|pm2-runtime|/etc/service|s6-overlay|\b(?:honcho|foreman|hivemind|overmind)\b")
_ECOSYSTEM = regex(r"(?:ecosystem|pm2|processes?)(?:[.-][\w.-]+)?\.(?:[cm]?js|json)$")
_NAMED = regex(rb"[\"']?\bname[\"']?[ \t]*:[ \t]*[\"'`]([\w. -]+)")
_RUNNERS = regex(rb"\b(?:honcho|foreman|forego|hivemind|overmind|goreman)\b")
_FOLDERS = frozenset(("runit", "service", "services.d", "s6-rc.d", "sv", "s6"))
_HOSTS = frozenset(("host", "hostname", "url", "uri", "addr", "address", "endpoint", "server"))
_LARGEST = 200_000
"""Bytes past which a file is no script that somebody wrote."""


class Program(Struct, frozen=True):
    """One of several programs in a container: the words of its name, and the words of its command."""

    name: frozenset[str]
    words: tuple[str | None, ...]


class Companions:
    """What runs beside a program of the project in its container; made once per project."""

    def __init__(self, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> None:
        self.services = Services.of(project)
        self.tree: Tree = project.tree
        self.told: set[str] = set()
        """Variables that are set to loopback where the programs are started."""
        self.ports: set[int] = set()
        self.names: list[frozenset[str]] = []
        self.called: set[str] = set()
        """The words by which the servers among the programs go."""
        images = apis.get("image", ())
        servers = {program: entry for entry in images for program in entry.get("programs", ())}
        programs = list(self._programs())
        if programs:
            self.ports |= self._exposed()
        for program in programs:
            self.names.append(program.name)
            self.ports |= told_ports(program.words)
            for word in program.words[:5]:
                if (entry := servers.get(posixpath.basename(word or ""))) is not None:
                    self._serves(entry)
        by_image = {name: entry for entry in images for name in entry["names"]}
        for image, ports in self._containers():
            self.ports |= ports
            if (entry := by_image.get(image)) is not None:
                self._serves(entry)

    @classmethod
    def of(cls, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> Companions:
        """The one `Companions` of a project."""
        found = project.memo.get(cls)
        if found is None:
            found = project.memo[cls] = cls(project, apis)
        return found

    def beside(self, variables: Iterable[str], host: Host) -> bool:
        """Whether loopback, at the port of ``host`` or under a name in ``variables``, is where a companion listens."""
        if host.port is not None and host.port in self.ports:
            return True
        if host.port is None and host.scheme.partition("+")[0] in self.called:
            return True
        for name in variables:
            words = words_of(name)
            if name in self.told or (host.port is None and self.called.intersection(words)):
                return True
            meant = frozenset(words[:-1]) if len(words) > 1 and words[-1] in _HOSTS else frozenset()
            if meant and any(meant <= program for program in self.names):
                return True
        return False

    def _serves(self, entry: Mapping[str, Any]) -> None:
        self.ports |= set(entry["ports"])
        self.called |= set(entry.get("called", ()))

    # -- what is started together -------------------------------------------------------------------------------------

    def _programs(self) -> Iterator[Program]:
        texts = [data for path in sorted(self.services.images()) if (data := self.tree.read(path)) is not None]
        if not texts:
            return
        joined = b"\n".join(texts)
        scripts: dict[str, list[str]] = {}
        for path in sorted(self.tree.paths):
            name = posixpath.basename(path)
            if name.endswith((".conf", ".ini")) and (name.encode() in joined or b"supervis" in joined):
                yield from self._supervised(path)
            elif name == "run":
                scripts.setdefault(posixpath.dirname(posixpath.dirname(path)), []).append(path)
            elif name.endswith((".sh", ".bash")) and name.encode() in joined:
                data = self._read(path)
                if _BACKGROUND.search(data):
                    yield from self._script(path, data, frozenset())
            elif _ECOSYSTEM.match(name) and b"pm2" in joined:
                names = _NAMED.findall(self._read(path))
                if len(names) > 1:
                    yield from (Program(frozenset(words_of(own.decode("utf-8", "replace"))), ()) for own in names)
            elif name.startswith("Procfile") and _RUNNERS.search(joined):
                for row in _PROCESS.finditer(self._read(path)):
                    yield self._started(row[1], row[2], path)
        for folder, paths in scripts.items():
            if len(paths) > 1 and _FOLDERS.intersection(folder.split("/")):
                for path in paths:
                    name = posixpath.basename(posixpath.dirname(path))
                    yield from self._script(path, self._read(path), frozenset(words_of(name)))
        for one in self.services.running():
            if one.image is not None and len(one.commands) > 1:
                for command in one.commands:
                    yield Program(frozenset(), tuple(word.value for word in command.words))

    def _exposed(self) -> set[int]:
        """The ports of the images that speak of a program which runs several."""
        return {port.container for path, image in self.services.images().items() if _SUPERVISES.search(self._read(path))
                for stage in image.stages for port in stage.exposed if port.container is not None}

    def _supervised(self, path: str) -> Iterator[Program]:
        data = self._read(path)
        for section in _SECTION.finditer(data):
            self._tell(section[2])
            if command := _COMMAND.search(section[2]):
                yield self._started(section[1], command[1], path)

    def _script(self, path: str, data: bytes, name: frozenset[str]) -> Iterator[Program]:
        """The programs that a script starts; what it says of variables, or a file that it reads, holds for all."""
        self._tell(data)
        for word in _SOURCED.findall(data):
            file = posixpath.basename(word.decode("utf-8", "replace"))
            for other in self.tree.paths:
                if posixpath.basename(other) == file:
                    self._tell(self._read(other))
        for command in read_commands(data, path):
            yield Program(name, tuple(word.value for word in command.words))

    def _started(self, name: bytes, text: bytes, path: str) -> Program:
        commands = read_commands(text, path)
        words = tuple(word.value for command in commands for word in command.words)
        return Program(frozenset(words_of(name.decode("utf-8", "replace"))), words)

    def _tell(self, data: bytes) -> None:
        self.told |= {name.decode() for name in _TOLD.findall(data)}

    def _read(self, path: str) -> bytes:
        data = self.tree.read(path)
        return data if data is not None and len(data) < _LARGEST else b""

    def _containers(self) -> Iterator[tuple[str, set[int]]]:
        """Image and ports of the containers that share a pod with another one."""
        for one in self.services.running():
            service = one.service
            if service.mates and service.kind != "compose":
                image = (service.image.value or "") if service.image is not None else ""
                found = {port.container for port in service.ports if port.container is not None}
                yield image.partition("@")[0].rpartition(":")[0] or image, found

