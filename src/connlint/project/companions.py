"""Programs that one container or pod runs side by side: what they say to each other at loopback arrives.

A supervisor's configuration, a folder of ``run`` scripts, a script that leaves programs running behind it, a Procfile
or a list of pm2: each counts for the code of an image that speaks of it. A pod's containers count as they are, and so
do ports that a compose file publishes on the machine for those of its services that use the machine's network.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from connlint.languages.deployment.shell import read_commands
from connlint.model.deployment import Image, Service
from connlint.patterns import regex
from connlint.project.address import Host
from connlint.project.command_ports import told_ports
from connlint.project.grounds import contexts_of
from connlint.project.project import Project
from connlint.project.services import Services
from connlint.project.stage import Stages, stages_of, words_of
from connlint.project.tree import Tree, above
from connlint.project.values import values_of

_SECTION = regex(rb"^\[program:([^\]\r\n]+)\]([^\[]*(?:\[(?!\w+:|\w+\])[^\[]*)*)", re.M)
_COMMAND = regex(rb"^[ \t]*command[ \t]*=[ \t]*([^\r\n;]+)", re.M)
_PROCESS = regex(rb"^([\w-]+):[ \t]*([^\r\n]+)", re.M)
_HERE = rb"(?:\w+://)?(?:[^\s@\"'/]*@)?(?:localhost|127\.0\.0\.1|\[::1\])(?=[\s:/\"',]|$)"
_TOLD = regex(rb"(?:^|[\s,=\"'])([A-Z_][A-Z0-9_]*)=[\"']?" + _HERE, re.M)
_SOURCED = regex(rb"^[ \t]*(?:\.|source)[ \t]+([^\s;&|]+)", re.M)
_BOOTS = regex(rb"/s?bin/init\b|\bsystemd-sysv\b")
"""An image that starts an init system, which starts the services of its units."""
_UNIT = regex(rb"\b([a-z][\w-]*)\.service\b")
_STARTED_BY_UNIT = regex(rb"\bExecStart=-?([^\s'\"]+)")
_DEPLOYED_BESIDE = regex(rb"^\[deployment\][ \t]*\n(?:(?!\[)[^\n]*\n)*?run[ \t]*=[^\n]*(?<!&)&(?!&)", re.M)
"""A deployment of Replit that starts a program, and goes on with the next one."""
_LOCAL_PORT = regex(rb"^localPort[ \t]*=[ \t]*(\d+)", re.M)
_BACKGROUND = regex(rb"[^&>|]&[ \t]*(?:$|[)#\n\w])|--daemonize|\b(?:service|systemctl)[ \t]+\w|pg_ctl|/init\.d/", re.M)
_SUPERVISES = regex(rb"supervis|\bpm2\b|pm2-runtime|/etc/service|s6-overlay|\b(?:honcho|foreman|hivemind|overmind)\b")
_ECOSYSTEM = regex(r"(?:ecosystem|pm2|processes?)(?:[.-][\w.-]+)?\.(?:[cm]?js|json)$")
_NAMED = regex(rb"[\"']?\bname[\"']?[ \t]*:[ \t]*[\"'`]([\w. -]+)")
_RUNNERS = regex(rb"\b(?:honcho|foreman|forego|hivemind|overmind|goreman)\b")
_PATTERN = regex(r"[^/]*[*?\[]")
_FOLDERS = frozenset(("runit", "service", "services.d", "s6-rc.d", "sv", "s6"))
_HOSTS = frozenset(("host", "hostname", "url", "uri", "addr", "address", "endpoint", "server"))
_SAME_PLACE = frozenset(("internal", "local", "private", "inner"))
"""Words of a variable that say of a program that it is near, and not which one it is."""
_LARGEST = 200_000
"""Bytes past which a file is no script that somebody wrote."""


class Program(Struct, frozen=True):
    """One of several programs in a container: the words of its name, the words of its command, and its name as a
    supervisor has it, which mostly is that of the program."""

    name: frozenset[str]
    words: tuple[str | None, ...]
    title: str = ""


class Container(Struct):
    """What is known of the programs that run side by side in one image, in a pod, or on the network of the machine.

    ``folders`` are the folders and files of the project that are put into it, None where that is not known: then
    anything below ``within``. ``told`` are variables that are set to loopback where the programs are started,
    ``called`` the words by which the servers among them go.
    """

    folders: tuple[str, ...] | None
    told: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    names: list[frozenset[str]] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    within: str = ""

    def holds(self, path: str) -> bool:
        """Whether the file at ``path`` may be put into it."""
        if self.within and not path.startswith(self.within + "/"):
            return False
        return self.folders is None or any(
            folder in ("", ".", path) or path.startswith(folder + "/") for folder in self.folders)

    def answers(self, variables: Iterable[str], host: Host) -> bool:
        """Whether loopback, at the port of ``host`` or under a name in ``variables``, is where a companion listens."""
        if host.port is not None and host.port in self.ports:
            return True
        if host.port is None and host.scheme.partition("+")[0] in self.called:
            return True
        for name in variables:
            words = words_of(name)
            if name in self.told or (host.port is None and self.called.intersection(words)):
                return True
            meant = frozenset(words[:-1]) - _SAME_PLACE if len(words) > 1 and words[-1] in _HOSTS else frozenset()
            if meant and any(meant <= program for program in self.names):
                return True
        return False

    def serves(self, entry: Mapping[str, Any]) -> None:
        """Adds a server, as the table ``image`` describes it."""
        self.ports |= set(entry["ports"])
        self.called |= set(entry.get("called", ()))


class Companions:
    """What runs beside a program of the project in its container; made once per project."""

    def __init__(self, project: Project, apis: dict[str, list[dict[str, Any]]]) -> None:
        self.services = Services.of(project)
        self.tree: Tree = project.tree
        stages = stages_of(project, apis, values_of(project, apis))
        images = apis.get("image", ())
        self.servers = {program: entry for entry in (*images, *apis.get("beside", ()))
                        for program in entry.get("programs", ())}
        self.by_image = {name: entry for entry in images for name in entry["names"]}
        self.containers: dict[str, Container] = {}
        """By the path of the Dockerfile; what holds for every file of the project stands under ""."""
        listed = self._listed()
        for path, image in self.services.images().items():
            found = self.containers[path] = Container(self._folders(image), within=_tests_around(path, stages))
            if (data := self.tree.read(path)) is not None and self._runs(found, data + self._commands(image), listed):
                found.ports |= self._exposed(image)
                self._tell(found, data)
        self._several()
        self._pods()
        self._on_replit()
        self._on_the_machine()

    @classmethod
    def of(cls, project: Project, apis: dict[str, list[dict[str, Any]]]) -> Companions:
        """The one `Companions` of a project."""
        return project.single(cls, project, apis)

    def beside(self, path: str, variables: Iterable[str], host: Host) -> bool:
        """Whether what the file at ``path`` finds at loopback, at the port of ``host`` or under a name in
        ``variables``, is a program that runs beside it."""
        return any(one.answers(variables, host) for one in self.containers.values() if one.holds(path))

    def inside(self, image: str, variables: Iterable[str], host: Host) -> bool:
        """`beside` for whatever runs in the image of the Dockerfile ``image``."""
        return any(one.answers(variables, host) for path in (image, "")
                   if (one := self.containers.get(path)) is not None)

    # -- what is put into an image ------------------------------------------------------------------------------------

    def _folders(self, image: Image) -> tuple[str, ...] | None:
        made = [one.service for one in self.services.running() if one.image is image]
        contexts = {context for service in made for context in contexts_of(service, image, self.tree)}
        mounted = {host for service in made for host, _ in service.mounts
                   if host in self.tree.folders or host in self.tree.paths}
        sources = [source for stage in image.stages for source, _, origin in stage.copies if origin is None]
        if not contexts or not sources or any("$" in source for source in sources):
            return None
        return (*(posixpath.normpath(posixpath.join(context, _PATTERN.split(source, maxsplit=1)[0].lstrip("/")))
                  for context in contexts for source in sources), *sorted(mounted))

    def _commands(self, image: Image) -> bytes:
        """The words with which services start the image."""
        return "".join(f" {word.written}" for one in self.services.running() if one.image is image
                       for command in one.commands for word in command.words).encode()

    # -- what is started together -------------------------------------------------------------------------------------

    def _listed(self) -> list[str]:
        """The files that may start several programs."""
        names = (".conf", ".ini", "/run", ".sh", ".bash")
        return [path for path in sorted(self.tree.paths) if path.endswith(names) or path == "run"
                or _ECOSYSTEM.match(posixpath.basename(path)) or posixpath.basename(path).startswith("Procfile")]

    def _runs(self, found: Container, data: bytes, listed: list[str]) -> bool:
        """Whether the image, whose Dockerfile is ``data``, runs several programs: these are added to ``found``."""
        several = False
        for program in self._programs(found, data, listed):
            several = True
            self._adds(found, program)
        return several

    def _adds(self, found: Container, program: Program) -> None:
        found.names.append(program.name)
        # ``zoekt-webserver`` is what `ZOEKT_WEBSERVER_URL` means, whatever the section is called
        found.names += [frozenset(words_of(name)) for word in program.words[:3]
                        if "-" in (name := posixpath.basename(word or "")) and name[:1] != "-" and "." not in name]
        found.ports |= told_ports(program.words)
        for word in (*program.words[:5], program.title):
            if (entry := self.servers.get(posixpath.basename(word or ""))) is not None:
                found.serves(entry)

    def _programs(self, found: Container, data: bytes, listed: list[str]) -> Iterator[Program]:
        scripts: dict[str, list[str]] = {}
        for path in listed:
            if not found.holds(path):
                continue
            name = posixpath.basename(path)
            if name.endswith((".conf", ".ini")) and (name.encode() in data or b"supervis" in data):
                yield from self._supervised(found, path)
            elif name == "run":
                scripts.setdefault(posixpath.dirname(posixpath.dirname(path)), []).append(path)
            elif name.endswith((".sh", ".bash")) and name.encode() in data:
                text = self._read(path)
                if _BACKGROUND.search(text):
                    yield from self._script(found, path, text, "")
            elif _ECOSYSTEM.match(name) and b"pm2" in data:
                names = _NAMED.findall(self._read(path))
                if len(names) > 1:
                    yield from (Program(frozenset(words_of(own.decode("utf-8", "replace"))), ()) for own in names)
            elif name.startswith("Procfile") and _RUNNERS.search(data):
                for row in _PROCESS.finditer(self._read(path)):
                    yield self._started(row[1], row[2], path)
        if _BOOTS.search(data):
            for unit in dict.fromkeys(_UNIT.findall(data)):
                yield Program(frozenset(words_of(unit.decode())), (), unit.decode())
            for command in _STARTED_BY_UNIT.findall(data):
                yield Program(frozenset(), (command.decode("utf-8", "replace"),))
        for folder, paths in scripts.items():
            if len(paths) > 1 and _FOLDERS.intersection(folder.split("/")):
                for path in paths:
                    name = posixpath.basename(posixpath.dirname(path))
                    yield from self._script(found, path, self._read(path), name)

    def _exposed(self, image: Image) -> set[int]:
        """The ports of an image that speaks of a program which runs several: those that it names, and those at which
        services that run it are reached."""
        data = self._read(image.path)
        if _SUPERVISES.search(data) is None and _BOOTS.search(data) is None:
            return set()
        exposed = [port for stage in image.stages for port in stage.exposed]
        exposed += [port for one in self.services.running() if one.image is image for port in one.service.ports]
        return {port.container for port in exposed if port.container is not None}

    def _several(self) -> None:
        """Services that start more than one program by their own commands."""
        for one in self.services.running():
            if one.image is not None and len(one.commands) > 1:
                found = self.containers[one.image.path]
                for command in one.commands:
                    self._adds(found, Program(frozenset(), tuple(word.value for word in command.words)))
                found.ports |= self._exposed(one.image)

    def _supervised(self, found: Container, path: str) -> Iterator[Program]:
        data = self._read(path)
        for section in _SECTION.finditer(data):
            self._tell(found, section[2])
            if command := _COMMAND.search(section[2]):
                yield self._started(section[1], command[1], path)

    def _script(self, found: Container, path: str, data: bytes, name: str) -> Iterator[Program]:
        """The programs that a script starts; what it says of variables, or a file that it reads, holds for all."""
        self._tell(found, data)
        for word in _SOURCED.findall(data):
            for other in self._called.get(posixpath.basename(word.decode("utf-8", "replace")), ()):
                self._tell(found, self._read(other))
        for command in read_commands(data, path):
            yield Program(frozenset(words_of(name)), tuple(word.value for word in command.words), name)

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        """The files of the project by their names without folders."""
        found: dict[str, list[str]] = {}
        for path in self.tree.paths:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def _started(self, name: bytes, text: bytes, path: str) -> Program:
        commands = read_commands(text, path)
        words = tuple(word.value for command in commands for word in command.words)
        return Program(frozenset(words_of(title := name.decode("utf-8", "replace"))), words, title)

    def _tell(self, found: Container, data: bytes) -> None:
        found.told |= {name.decode() for name in _TOLD.findall(data)}

    def _read(self, path: str) -> bytes:
        data = self.tree.read(path)
        return data if data is not None and len(data) < _LARGEST else b""

    # -- what shares a network ----------------------------------------------------------------------------------------

    def _pods(self) -> None:
        """The containers that share a pod with another one, whichever code runs there."""
        everywhere = self.containers.setdefault("", Container(None))
        for one in self.services.running():
            service = one.service
            if service.mates and service.kind != "compose":
                everywhere.ports |= {port.container for port in service.ports if port.container is not None}
                if (entry := self.by_image.get(_name_of(service))) is not None:
                    everywhere.serves(entry)

    def _on_replit(self) -> None:
        """The programs that a deployment of Replit starts side by side, at the ports that its file names."""
        data = self._read(".replit") if ".replit" in self.tree.paths else b""
        if _DEPLOYED_BESIDE.search(data):
            everywhere = self.containers.setdefault("", Container(None))
            everywhere.ports |= {int(port) for port in _LOCAL_PORT.findall(data)}

    def _on_the_machine(self) -> None:
        """What services on the network of the machine find there: the ports that those beside them publish."""
        for one in self.services.running():
            if one.image is None or not one.service.host_network:
                continue
            found = self.containers[one.image.path]
            for other in self.services.running():
                service = other.service
                if other is one or other.deployment.path != one.deployment.path:
                    continue
                ports = {port.container if service.host_network else port.host for port in service.ports}
                entry = self.by_image.get(_name_of(service))
                if entry is not None and (service.host_network or ports.intersection(entry["ports"])):
                    found.serves(entry)
                found.ports |= {port for port in ports if port is not None}


def _tests_around(path: str, stages: Stages) -> str:
    """The folder of tests that a file is in, "" for a file of the program: what tests are run in beside each other, the
    program is not."""
    around = list(above(posixpath.dirname(path)))[-2::-1]
    return next((folder for folder in around if stages.of_path(f"{folder}/Dockerfile") == "test"), "")


def _name_of(service: Service) -> str:
    """The name of a service's image, without its tag."""
    image = (service.image.value or "") if service.image is not None else ""
    plain = image.partition("@")[0]
    return plain.rpartition(":")[0] or plain
