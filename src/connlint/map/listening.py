"""The ports of a service, and how each is known."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from connlint.checks.binding import port_of
from connlint.checks.containers import Tables
from connlint.map.places import Lines
from connlint.model import program as p
from connlint.model.deployment import Known
from connlint.model.finding import Place
from connlint.model.map import Learnt, Listen
from connlint.model.rule import Rules
from connlint.project.answer import Found
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.serving import Serving, servings
from connlint.project.starts import Start, Starts
from connlint.project.values import Values, values_of


class _Heard(Struct, frozen=True):
    """One thing that tells of a port."""

    port: int | None
    published: int | None
    learnt: Learnt
    protocol: str = "tcp"


class Listening:
    """Answers where services listen; made once per map."""

    def __init__(self, project: Project, rules: Rules, tables: Tables, lines: Lines) -> None:
        self.project = project
        self.rules = rules
        self.tables = tables
        self.lines = lines
        self.values: Values = values_of(project, rules.apis)
        self.services = Services.of(project)
        self.starts: dict[tuple[str, str], list[Start]] = {}
        for start in Starts.of(project, rules.apis).in_services:
            if start.running is not None:
                self.starts.setdefault(_key(start.running), []).append(start)

    def starts_of(self, one: Running) -> list[Start]:
        """What the service starts, as far as its tools are known."""
        return self.starts.get(_key(one), [])

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
            found.append(Listen(port, tuple(published), learnt, protocol))
        return tuple(found)

    def _heard(self, one: Running) -> Iterator[_Heard]:
        front = "the Service" if one.service.kind == "kubernetes" else "ports"
        for port in one.service.ports:
            how = front if port.host is not None else "declared"
            yield _Heard(port.container, port.host, Learnt(how, self.lines.spot(port.place)), port.protocol)
        if one.stage is not None:
            for port in one.stage.exposed:
                if port.container is not None:
                    yield _Heard(port.container, None, Learnt("EXPOSE", self.lines.spot(port.place)), port.protocol)
        for start in self.starts_of(one):
            yield from self._told(start)
        image = self.image_of(one)
        known = self.tables.ports_of(image)
        declared = {port.container for port in one.service.ports}
        if known and image is not None and (not declared or declared & known):
            # of the ports of a well-known image the first of its table is the one that clients use
            first = next(e["ports"][0] for e in self.rules.apis["image"] if known == frozenset(e["ports"]))
            yield _Heard(first, None, Learnt("the image", self.lines.spot(image.place)))

    def image_of(self, one: Running) -> Known | None:
        """The image that is pulled for a service, or the one that its own is built on."""
        if one.image is None or one.stage is None:
            return one.service.image if one.service.build is None else None
        base = self.services.layers(one.image, one.stage)[0]
        return Known(base.base, base.place, base.base)

    def _told(self, start: Start) -> Iterator[_Heard]:
        if start.entry.get("host") is not None and not start.options.has(start.listed("socket_flags")):
            if (port := port_of(start)) is not None and not start.configured:
                yield _Heard(port, None, Learnt(f"{start.tool}", self.lines.spot(start.command.place)))
            return
        for module in self.run_by(start):
            found = list(servings(module, self.rules.apis.get("serving_call", [])))
            if len(found) == 1 and (known := self._number(module, found[0], start)) is not None:
                yield _Heard(known[0], None, Learnt("the code", self.lines.spot(known[1])))

    def run_by(self, start: Start) -> Iterator[Module]:
        """The file of the project that an interpreter is told to run, if it is one for certain."""
        target = start.module_target or start.target
        if target is None or start.entry["form"] not in ("run", "file"):
            return
        path = target.module if target.is_path else target.module.replace(".", "/") + ".py"
        files = {answer.path for ground in start.grounds if isinstance(answer := ground.find(path), Found)}
        if len(files) == 1 and not (file := files.pop()).endswith("/"):
            if (module := self.project.module(file)) is not None:
                yield module

    def _number(self, module: Module, serving: Serving, start: Start) -> tuple[int, Place] | None:
        """The port that a call serves on, with its place; None where it cannot be known."""
        call = next((c for c in module.nodes(p.Call) if c.callee.at == serving.place.at), None)
        value = _port_argument(call, "object_at" in serving.entry) if call is not None else None
        if value is None:
            return None
        if type(value) is p.Number:
            return int(value.value), Place(module.path, value.at)
        texts: set[str] = set()
        for possible in self.values.possible(module, value):
            told = [start.environment[v].value for read in possible.reads for v in read.variables
                    if v in start.environment]
            if told:
                texts = {told[0] or ""}
                break
            if possible.reads and not possible.absent:
                continue
            texts.add(possible.text or "")
        if len(texts) == 1 and (text := texts.pop()).isdigit():
            return int(text), Place(module.path, value.at)
        return None


def _port_argument(call: p.Call, positional: bool) -> p.Expression | None:
    for argument in call.args:
        if argument.name == "port":
            return argument.value
        if type(argument.value) is p.Record:
            for entry in argument.value.entries:
                if type(entry.key) is p.Text and entry.key.value == "port":
                    return entry.value
    first = call.args[0] if call.args else None
    if positional and first is not None and first.name is None and not first.spread:
        return None if type(first.value) in (p.Function, p.Record) else first.value
    return None


def _key(one: Running) -> tuple[str, str]:
    return one.deployment.path, one.name
