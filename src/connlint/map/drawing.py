"""The whole map: services with what they are made of, where they listen, what they connect to and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from connlint.checks.containers import Tables
from connlint.checks.wording import wording_of
from connlint.map.addresses import Addresses, discreet, shown
from connlint.map.code import MOST_FILES, Code, Codes, Reading
from connlint.map.listening import Listening
from connlint.map.neighbours import Neighbours
from connlint.map.places import Lines
from connlint.map.troubles import Troubles
from connlint.model.finding import Finding
from connlint.model.map import Connection, Deployment, Listen, Map, Service, Spot, Wait
from connlint.model.rule import Rules
from connlint.project.address import hosts
from connlint.project.deployments import PIPELINE, Group, groups
from connlint.project.project import Project
from connlint.project.services import Running, Services


def draw(project: Project, rules: Rules, name: str, findings: Iterable[Finding], code: Collection[str],
         wanted: Callable[[str], bool], version: str = "") -> Map:
    """The map of ``project``, called ``name``.

    ``findings`` are what the rules reported, ``code`` the source files that are the project's own; ``wanted`` chooses
    deployments by the files that they are read from, and by the Dockerfiles that they build.
    """
    drawing = _Drawing(project, rules, findings, code)
    services = Services.of(project)
    deployments = tuple(drawing.deployment(group) for group in groups(services)
                        if group.kind != PIPELINE and any(wanted(file) for file in _files(group)))
    unread = tuple((d.path, problem) for d in services.deployments() for problem in d.problems if wanted(d.path))
    return Map(name, deployments, unread, version)


def _files(group: Group) -> Iterator[str]:
    """The files that a deployment is read from; of compose files the one that is laid over the others."""
    yield from group.files[-1:] if group.kind == "compose" else group.files
    yield from (one.image.path for one in group.members if one.image is not None)


class _Drawing:
    def __init__(self, project: Project, rules: Rules, findings: Iterable[Finding], code: Collection[str]) -> None:
        self.lines = Lines(project)
        self.tables = Tables(rules)
        self.wording = wording_of(project, rules.apis)
        self.listening = Listening(project, rules, self.tables, self.lines)
        self.addresses = Addresses(self.tables, self.wording, self.lines)
        self.codes = Codes(project, rules, code, self.lines)
        self.troubles = Troubles(findings, self.lines)

    def deployment(self, group: Group) -> Deployment:
        names = _unique(group)
        listens = {names[id(one)]: self.listening.of(one) for one in group.members}
        ports = {name: frozenset(row.port for row in rows if row.port) for name, rows in listens.items()}
        neighbours = Neighbours(group, names, ports)
        codes = {names[id(one)]: self.codes.of(one) for one in group.members}
        services = []
        for one in group.members:
            own = names[id(one)]
            code = codes[own]
            shared = {other: frozenset(theirs.files) & frozenset(code.files) for other, theirs in codes.items()
                      if other != own}
            services.append(self._service(one, group, names, neighbours, replace(code, files=code.files[:MOST_FILES]),
                                          {other: files for other, files in shared.items() if files}, listens[own]))
        return Deployment(group.name, group.kind, group.files, tuple(services), group.notes)

    def _service(self, one: Running, group: Group, names: dict[int, str], neighbours: Neighbours, code: Code,
                 shared: Mapping[str, frozenset[str]], listens: tuple[Listen, ...]) -> Service:
        service = one.service
        own = names[id(one)]
        # what several services run that are built in several ways may be of no use to one of them
        recipes = {names[id(other)]: _recipe(other) for other in group.members}
        foreign = {file for other, files in shared.items() if recipes[other] != recipes[own] for file in files}
        reported = [file for file in code.files if file not in foreign]
        troubles = self.troubles.of(one, group, reported, self.listening.coded.starts_of(one))
        troubled = {name for trouble in troubles for name in trouble.about.split(", ")}
        connects = list(self._connects(one, neighbours, code, shared, troubled))
        image = service.image.value or service.image.written if service.image is not None else ""
        started = [discreet([word.written if word.value is None else word.value for word in command.words])
                   for command in one.commands]
        by_name = {other.name: names[id(other)] for other in group.members}
        waits = tuple(Wait(by_name.get(w.on, w.on), w.condition or "", self.lines.spot(w.place))
                      for w in service.dependencies)
        healthy = service.healthcheck is not None or (one.stage is not None and one.stage.healthcheck is not None)
        return Service(
            name=own, kind=service.kind, spot=self.lines.spot(service.place),
            image=image, build=service.build or "",
            dockerfile=one.image.path if one.image is not None else "",
            stage=one.stage.name or "" if one.stage is not None and service.target else "",
            code=code.roots, shared=tuple(shared), command=tuple(started),
            command_spot=self.lines.spot(one.commands[0].place) if one.commands else None,
            listens=listens, connects=tuple(connects), waits=waits, troubles=troubles, open=one.open,
            profiles=service.profiles, names=tuple(h for h in dict.fromkeys(service.hosts) if h != own),
            tied=any(s.place == service.place and s.build is None for s in one.deployment.services)
            and service.build is not None,
            store=bool(self.tables.ports_of(self.listening.image_of(one))), job=service.one_shot, health=healthy,
        )

    def _connects(self, one: Running, neighbours: Neighbours, code: Code, shared: Mapping[str, frozenset[str]],
                  troubled: set[str]) -> Iterator[Connection]:
        read: dict[str, list[Reading]] = {}
        known: set[tuple[str, Spot | None]] = set()
        common = frozenset[str]().union(*shared.values())
        for path in code.files:
            for reading in self.codes.readings(path):
                read.setdefault(reading.variable, []).append(reading)
        for connection in self.addresses.of(one, neighbours):
            places = tuple(dict.fromkeys(self.lines.spot(r.place) for r in read.get(connection.variable, ())))
            yield replace(connection, read=places)
        for variable, readings in read.items():
            # of code that several services run, nobody can say which of them needs what it reads
            own = [reading for reading in readings if reading.place.path not in common]
            if own and variable not in one.environment:
                for connection in self._unset(variable, own, one, neighbours, variable in troubled):
                    known.update((connection.service, place) for place in connection.read)
                    yield connection
        seen = set()
        for host, spot in self.codes.named(code, neighbours):
            lead = neighbours.lead(host, one)
            if (lead.service, spot) in known or lead.service == neighbours.names[id(one)] or (host, lead) in seen:
                continue
            seen.add((host, lead))
            yield Connection("", shown(host, host.port), lead.target, "code", spot, lead.service, host.port)

    def _unset(self, variable: str, readings: list[Reading], one: Running, neighbours: Neighbours,
               troubled: bool) -> Iterator[Connection]:
        """What the code does about a variable that the deployment does not set."""
        places = tuple(dict.fromkeys(self.lines.spot(r.place) for r in readings))
        every = dict.fromkeys(row for reading in readings for row in reading.defaults)
        defaults = dict.fromkeys(text for text, absent in every if not any(v in one.environment for v in absent))
        found = False
        for default in defaults:
            for row in self.addresses.told(variable, default, one, neighbours) if hosts(default) else ():
                found = True
                yield Connection(variable, shown(row.host, row.host.port), row.lead.target, "default", places[0],
                                 row.lead.service, row.lead.port or row.host.port, row.browser, places, row.lead.why)
        required = any(r.required for r in readings)
        if not found and not every and ((required and self.addresses.says_where(variable)) or troubled):
            why = "not seen to be set" if one.open else "not set"
            yield Connection(variable, "", "unknown", "unset", places[0], read=places, why=why)


def _recipe(one: Running) -> tuple[str | None, str | None]:
    return one.service.build, one.image.path if one.image is not None else None


def _unique(group: Group) -> dict[int, str]:
    """A name for every service of a deployment, by identity: its own, numbered where several have it."""
    counted = Counter(one.name for one in group.members)
    seen: Counter[str] = Counter()
    names: dict[int, str] = {}
    for one in group.members:
        seen[one.name] += 1
        names[id(one)] = one.name if counted[one.name] == 1 else f"{one.name} #{seen[one.name]}"
    return names
