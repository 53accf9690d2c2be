"""The ports of a service, and how each is known."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from connlint.checks.binding import bound_ports, port_of
from connlint.checks.coded_ports import CodedPorts
from connlint.checks.containers import Tables
from connlint.map.configurations import Configurations
from connlint.map.places import Lines
from connlint.model.deployment import Known
from connlint.model.map import Learnt, Listen
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import words_of
from connlint.project.start import Start

_OPENED = regex(r"(?:0\.0\.0\.0:|\[::\]:|\*:|:)?(\d{2,5})$")
_EVERYWHERE = regex(r"(?:\w+://)?(?:0\.0\.0\.0|\[::\]|\*):(\d{2,5})$")
"""An address that nobody connects to, whatever the option is called: ``--kafka-addr inside://0.0.0.0:9092``."""
_LISTENER = regex(r"\w://(?:0\.0\.0\.0|\[::\]|[\w.-]*):(\d{2,5})(?=,|$)")
_OPENING = ("port", "address", "addr", "listen", "bind")
_OF_ITSELF = (*_OPENING, "http", "https", "server", "web", "console", "grpc", "metrics", "admin", "entrypoint",
              "websecure", "api", "host", "ui", "client", "url", "management")
"""Words of options that say where a program itself listens; others name what it connects to."""

_CODE = ("run", "file", "script")
"""How a tool starts a program of the project, which may do whatever it is written to do."""


def _says_where_to_listen(option: str) -> bool:
    words = [word for part in option.strip("-").split(".") for word in words_of(part)]
    return bool(set(words) & set(_OPENING)) and (set(words) <= set(_OF_ITSELF) or words[0] == "entrypoints")


def _name_of(image: Known | None) -> str:
    """The name of an image without tag, and without the usual registry; "" where it is not known."""
    head, slash, last = ((image.value or "") if image is not None else "").partition("@")[0].rpartition("/")
    name = head + slash + last.partition(":")[0]
    return name.removeprefix("index.").removeprefix("docker.io/").removeprefix("library/")


_SHELLS = ("sh", "bash", "ash", "dash", "env", "exec", "gosu", "su-exec", "su", "tini")


class _Heard(Struct, frozen=True):
    """One thing that tells of a port."""

    port: int | None
    published: int | None
    learnt: Learnt
    protocol: str = "tcp"
    somewhere: bool = False


class Listening:
    """Answers where services listen; made once per map."""

    def __init__(self, project: Project, rules: Rules, tables: Tables, lines: Lines,
                 configurations: Configurations) -> None:
        self.rules = rules
        self.tables = tables
        self.lines = lines
        self.configurations = configurations
        self.opens = {name: tuple(e["ports"]) for e in rules.apis.get("opens", ()) for name in e["names"]}
        self.programs = {name: frozenset(e["programs"]) for e in rules.apis.get("image", ()) if e.get("programs")
                         for name in e["names"]}
        self.services = Services.of(project)
        self.coded = CodedPorts(project, rules, tables)

    def of(self, one: Running) -> tuple[Listen, ...]:
        """The ports of ``one``, lowest first; those whose number is not known come last."""
        rows: dict[tuple[int | None, str], list[_Heard]] = {}
        for heard in self._heard(one):
            rows.setdefault((heard.port, heard.protocol), []).append(heard)
        found = []
        for port, protocol in sorted(rows, key=lambda key: (key[0] is None, key[0] or 0, key[1])):
            those = rows[port, protocol]
            published = sorted({h.published for h in those if h.published is not None})
            learnt = tuple(dict.fromkeys(h.learnt for h in those))
            found.append(Listen(port, tuple(published), learnt, protocol, any(h.somewhere for h in those)))
        return tuple(found)

    def _heard(self, one: Running) -> Iterator[_Heard]:
        front = "the Service" if one.service.kind == "kubernetes" else "ports"
        for port in one.service.ports:
            how = front if port.host is not None or port.somewhere else "declared"
            yield _Heard(port.container, port.host, Learnt(how, self.lines.spot(port.place)), port.protocol,
                         port.somewhere)
        started = [heard for start in self.coded.starts_of(one) for heard in self._told(start)]
        own = self._runs_its_image(one)
        exposed = one.stage.exposed if one.stage is not None else ()
        # one port that is not the one on which the program is seen to listen has been forgotten
        stale = len(exposed) == 1 and len(started) == 1 and len(one.commands) == 1
        for port in exposed:
            if port.container is not None and ((own and not stale) or any(
                    heard.port == port.container for heard in started)):
                yield _Heard(port.container, None, Learnt("EXPOSE", self.lines.spot(port.place)), port.protocol)
        yield from started
        image = self.image_of(one)
        commanded = list(self._in_arguments(one))
        known = self.tables.ports_of(image) if not commanded and self._runs_server(one, image) else frozenset()
        declared = {port.container for port in one.service.ports}
        if known and image is not None and (not declared or declared & known):
            # of the ports of a well-known image the first of its table is the one that clients use
            first = next(e["ports"][0] for e in self.rules.apis["image"] if known == frozenset(e["ports"]))
            yield _Heard(first, None, Learnt("the image", self.lines.spot(image.place)))
        told = [*commanded, *self._in_files(one), *self._in_variables(one)]
        yield from told
        opened = self.opens.get(_name_of(image), ()) if self._runs_server(one, image) else ()
        if image is not None and not told and (not declared or declared.intersection(opened)):
            for number in opened:
                yield _Heard(number, None, Learnt("the image", self.lines.spot(image.place)))

    def _runs_its_image(self, one: Running) -> bool:
        """Whether what an image declares speaks of what ``one`` runs of it: not where it is told to run another
        program, which ends by itself, listens elsewhere, or is a tool that listens nowhere."""
        if not one.service.commands and one.service.entrypoint is None:
            return True
        starts = self.coded.starts_of(one)
        if one.service.one_shot or any(next(self._told(start), None) is not None for start in starts):
            return False
        return not starts or any(start.entry["form"] in _CODE or start.entry.get("host") is not None
                                 for start in starts)

    def _runs_server(self, one: Running, image: Known | None) -> bool:
        """Whether a service may run the server of a well-known ``image``: not where it is told to start a program that
        is neither that nor a script, nor is given to it as options."""
        programs = self.programs.get(_name_of(image))
        if one.service.build is not None or not programs or not one.commands:
            return True
        first = posixpath.basename(one.commands[-1].words[0].value or "") if one.commands[-1].words else ""
        words = {posixpath.basename(word.value or "") for command in one.commands for word in command.words}
        return not first or first.startswith("-") or first in _SHELLS or "." in first or bool(words & programs)

    def _in_variables(self, one: Running) -> Iterator[_Heard]:
        """The ports of a broker's listeners: ``PLAINTEXT://:9092,CONTROLLER://:9093``."""
        for name, known in one.environment.items() if one.service.build is None else ():
            if name.endswith("_LISTENERS") and "ADVERTISED" not in name:
                for number in _LISTENER.findall(known.value or ""):
                    yield _Heard(int(number), None, Learnt(name, self.lines.spot(known.place)))

    def _in_files(self, one: Running) -> Iterator[_Heard]:
        for told in self.configurations.ports(one):
            yield _Heard(told.port, None, Learnt("its configuration", self.lines.spot(told.place)))

    def _in_arguments(self, one: Running) -> Iterator[_Heard]:
        """Ports that options of a program from elsewhere name: ``--http-port 8080``, ``--entrypoint.address=:80``."""
        if self.coded.starts_of(one):
            return
        for command in one.commands:
            # an item of a list may hold an option with its value, which the image takes apart
            words = [part for word in command.words for part in (word.value or "").split(" ", 1)]
            for word, behind in zip(words, [*words[1:], ""]):
                name, equals, value = word.partition("=")
                told = value if equals else behind
                numbers = [_OPENED.match(told)] if _says_where_to_listen(name) else []
                if "advertise" not in name:  # others are told the addresses of those that are open to all
                    numbers += [_EVERYWHERE.match(part) for part in told.split(",")]
                for number in {int(one[1]) for one in numbers if one is not None} if name.startswith("-") else ():
                    yield _Heard(number, None, Learnt("arguments", self.lines.spot(command.place)))

    def image_of(self, one: Running) -> Known | None:
        """The image that is pulled for a service, or the one that its own is built on."""
        if one.image is None or one.stage is None:
            return one.service.image if one.service.build is None else None
        base = self.services.layers(one.image, one.stage)[0]
        return Known(base.base, base.place, base.base)

    def _told(self, start: Start) -> Iterator[_Heard]:
        if start.entry.get("host") is not None and not start.options.has(start.listed("socket_flags")):
            several = bound_ports(start, start.listed("bind_flags"))
            for port in several if len(several) > 1 else (port_of(start),):
                if port is not None and (not start.configured or "config_port" in start.entry):
                    yield _Heard(port, None, Learnt(f"{start.tool}", self.lines.spot(start.command.place)))
            return
        if (opened := self.coded.opened(start)) is not None:
            yield _Heard(opened.port, None, Learnt("the code", self.lines.spot(opened.place)))
