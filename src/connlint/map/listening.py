"""The ports of a service, and how each is known."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from connlint.checks.binding import port_of
from connlint.checks.coded_ports import CodedPorts
from connlint.checks.containers import Tables
from connlint.map.places import Lines
from connlint.model.deployment import Known
from connlint.model.map import Learnt, Listen
from connlint.model.rule import Rules
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.starts import Start


class _Heard(Struct, frozen=True):
    """One thing that tells of a port."""

    port: int | None
    published: int | None
    learnt: Learnt
    protocol: str = "tcp"


class Listening:
    """Answers where services listen; made once per map."""

    def __init__(self, project: Project, rules: Rules, tables: Tables, lines: Lines) -> None:
        self.rules = rules
        self.tables = tables
        self.lines = lines
        self.services = Services.of(project)
        self.coded = CodedPorts(project, rules)

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
        for start in self.coded.starts_of(one):
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
        if (opened := self.coded.opened(start)) is not None:
            yield _Heard(opened.port, None, Learnt("the code", self.lines.spot(opened.place)))
