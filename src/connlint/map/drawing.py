"""The whole map: services with what they are made of, where they listen, what they connect to and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from connlint.checks.containers import Tables
from connlint.checks.wording import wording_of
from connlint.map.addresses import Addresses, shown
from connlint.map.code import Codes, Reading
from connlint.map.configurations import Configurations
from connlint.map.listening import Listening
from connlint.map.neighbours import Neighbours
from connlint.map.places import Lines
from connlint.map.programs import Programs, written
from connlint.map.shares import Share, shares_of
from connlint.map.troubles import Troubles
from connlint.model.finding import Finding
from connlint.model.map import Connection, Deployment, Listen, Map, Program, Service, Spot, Wait
from connlint.model.rule import Rules
from connlint.project.address import hosts
from connlint.project.deployments import PIPELINE, Group, groups
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.starts import Starts


def draw(project: Project, rules: Rules, name: str, findings: Iterable[Finding], code: Collection[str],
         wanted: Callable[[str], bool], version: str = "") -> Map:
    """The map of ``project``, called ``name``.

    ``findings`` are what the rules reported, ``code`` the source files that are the project's own; ``wanted`` chooses
    deployments by the files that they are read from, and by the Dockerfiles that they build.
    """
    services = Services.of(project)
    together = [group for group in groups(services) if not all(_is_drawn(project, rules, one) for one in group.members)]
    drawing = _Drawing(project, rules, findings, code, together)
    deployments = tuple(drawing.deployment(group) for group in together
                        if group.kind != PIPELINE and any(wanted(file) for file in _files(group)))
    unread = tuple((d.path, problem) for d in services.deployments() for problem in d.problems if wanted(d.path))
    return Map(name, deployments, unread, version)


def _is_drawn(project: Project, rules: Rules, one: Running) -> bool:
    """Whether ``one`` is drawn as what another service runs: a program of the supervisor that this starts."""
    starts = Starts.of(project, rules.apis)
    return bool(starts.in_services) and starts.is_followed(one)


def _files(group: Group) -> Iterator[str]:
    """The files that a deployment is read from; of compose files the one that is laid over the others."""
    yield from group.files[-1:] if group.kind == "compose" else group.files
    yield from (one.image.path for one in group.members if one.image is not None)


class _Drawing:
    def __init__(self, project: Project, rules: Rules, findings: Iterable[Finding], code: Collection[str],
                 together: Iterable[Group]) -> None:
        self.lines = Lines(project)
        self.services = Services.of(project)
        self.clusters = {host.lower().partition(".")[0]: group.name for group in together if group.kind == "kubernetes"
                         for one in group.members for host in one.service.hosts}
        self.tables = Tables(rules)
        self.wording = wording_of(project, rules.apis)
        self.starts = Starts.of(project, rules.apis)
        self.configurations = Configurations(project, self.starts, self.lines)
        self.listening = Listening(project, rules, self.tables, self.lines, self.configurations)
        self.addresses = Addresses(self.tables, self.wording, self.lines)
        self.codes = Codes(project, rules, code, self.lines)
        self.programs = Programs(project, rules, self.lines)
        self.troubles = Troubles(findings, self.lines)

    def deployment(self, group: Group) -> Deployment:
        names = _unique(group)
        listens = {names[id(one)]: self.listening.of(one) for one in group.members}
        ports = {name: frozenset(row.port for row in rows if row.port) for name, rows in listens.items()}
        elsewhere = {host: place for host, place in self.clusters.items() if place != group.name}
        neighbours = Neighbours(group, names, ports, elsewhere)
        runs = {names[id(one)]: self.programs.of(one) for one in group.members}
        shares = shares_of(group, names, runs, self.codes)
        services = tuple(self._service(one, names, neighbours, group, shares[names[id(one)]], listens, runs)
                         for one in group.members)
        notes = (*group.notes, *(text for one in group.members if (text := self._without_stage(one))))
        return Deployment(group.name, group.kind, group.files, services, notes)

    @staticmethod
    def _without_stage(one: Running) -> str:
        """What is to be said where a service is built to a stage that its Dockerfile does not have; else ""."""
        target = one.service.target
        if not target or "$" in target or one.image is None or one.image.open:
            return ""
        if any(stage.name == target.lower() for stage in one.image.stages) or target.isdigit():
            return ""
        return f"{one.name} is built to the stage {target}, which {one.image.path} does not have"

    def _service(self, one: Running, names: dict[int, str], neighbours: Neighbours, group: Group, share: Share,
                 listens: Mapping[str, tuple[Listen, ...]], runs: Mapping[str, tuple[Program, ...]]) -> Service:
        service = one.service
        own = names[id(one)]
        reported = [file for file in share.code.files if file not in share.foreign]
        troubles = self.troubles.of(one, group, reported, self.listening.coded.starts_of(one))
        troubled = {name for trouble in troubles for name in trouble.about.split(", ")}
        connects = list(self._connects(one, neighbours, share, troubled))
        image = service.image.value or service.image.written if service.image is not None else ""
        by_name = {other.name: names[id(other)] for other in group.members}
        waits = tuple(Wait(by_name.get(w.on, w.on), w.condition or "", self.lines.spot(w.place))
                      for w in service.dependencies)
        healthy = service.healthcheck is not None or (one.stage is not None and one.stage.healthcheck is not None)
        return Service(
            name=own, kind=service.kind, spot=self.lines.spot(service.place),
            image=image, build=service.build or "",
            dockerfile=one.image.path if one.image is not None else "",
            stage=one.stage.name or "" if one.stage is not None and service.target else "",
            code=share.code.roots, shared=share.others, command=tuple(written(command) for command in one.commands),
            command_spot=self.lines.spot(one.commands[0].place) if one.commands else None,
            listens=listens[own], connects=tuple(dict.fromkeys(connects)), waits=waits, troubles=troubles,
            open=one.open, profiles=service.profiles, names=tuple(h for h in dict.fromkeys(service.hosts) if h != own),
            tied=any(s.place == service.place and s.build is None for s in one.deployment.services)
            and service.build is not None,
            store=bool(self.tables.ports_of(self.listening.image_of(one))), job=service.one_shot, health=healthy,
            runs=runs[own], recipes=self.services.recipes_of(service),
        )

    def _connects(self, one: Running, neighbours: Neighbours, share: Share,
                  troubled: set[str]) -> Iterator[Connection]:
        read: dict[str, list[Reading]] = {}
        known: set[tuple[str, Spot | None]] = set()
        overruled: set[Spot] = set()
        for path in share.code.files:
            for reading in self.codes.readings(path):
                read.setdefault(reading.variable, []).append(reading)
        for connection in self.addresses.of(one, neighbours, self.starts.supervised(one)):
            readings = [reading for reading in read.get(connection.variable, ()) if share.may_run(reading.place.path)]
            if not readings and self._is_handed_on(connection.variable, one, share):
                continue
            places = tuple(dict.fromkeys(self.lines.spot(reading.place) for reading in readings))
            overruled.update(spot for reading in readings for spot in self.lines.of(reading.place))
            yield replace(connection, read=places)
        yield from self.addresses.built_with(one, neighbours)
        yield from self.configurations.connections(one, neighbours)
        for variable, readings in read.items():
            # of code that several services run, nobody can say which of them needs what it reads
            own = [reading for reading in readings if share.runs(reading.place.path)]
            if own and not one.gives(variable) and variable not in self.starts.supervised(one):
                for connection in self._unset(variable, own, one, neighbours, variable in troubled):
                    known.update((connection.service, place) for place in connection.read)
                    yield connection
        defaults = {(reading.place.path, host.name, host.port) for readings in read.values() for reading in readings
                    for text, _ in reading.defaults for host in hosts(text)}
        seen = set()
        for host, spot in self.codes.named(share.code, neighbours):
            lead = neighbours.lead(host, one)
            if (lead.service, spot) in known or lead.service == neighbours.names[id(one)] or (host, lead) in seen:
                continue
            if spot in overruled or not share.holds(spot.path) or (spot.path, host.name, host.port) in defaults:
                continue
            seen.add((host, lead))
            yield Connection("", shown(host, host.port), lead.target, "code", spot, lead.service, host.port)

    def _is_handed_on(self, variable: str, one: Running, share: Share) -> bool:
        """Whether a variable comes with all others of a file that several share, and is nothing of what ``one`` is seen
        to be made of: a well-known server, or code that does not ask for it."""
        known = one.environment.get(variable)
        if known is None or known.place.path not in one.service.env_files:
            return False
        return bool(share.loaded) or bool(self.tables.ports_of(self.listening.image_of(one)) and not one.image)

    def _unset(self, variable: str, readings: list[Reading], one: Running, neighbours: Neighbours,
               troubled: bool) -> Iterator[Connection]:
        """What the code does about a variable that the deployment does not set."""
        places = tuple(dict.fromkeys(self.lines.spot(r.place) for r in readings))
        every = dict.fromkeys(row for reading in readings for row in reading.defaults)
        defaults = dict.fromkeys(text for text, absent in every if not any(v in one.environment for v in absent))
        found = False
        for default in defaults:
            for row in (self.addresses.told(variable, default, one, neighbours, by_server=troubled)
                        if hosts(default) else ()):
                found = True
                yield Connection(variable, shown(row.host, row.host.port), row.lead.target, "default", places[0],
                                 row.lead.service, row.lead.port or row.host.port, row.browser, places, row.lead.why,
                                 bool(one.open))
        required = any(r.required for r in readings)
        if not found and not every and ((required and self.addresses.says_where(variable)) or troubled):
            why = "not seen to be set" if one.open else "not set"
            yield Connection(variable, "", "unknown", "unset", places[0], read=places, why=why)


def _unique(group: Group) -> dict[int, str]:
    """A name for every service of a deployment, by identity: its own, with its Dockerfile or a number where several
    have it."""
    counted = Counter(one.name for one in group.members)
    recipes = Counter((one.name, one.image.path if one.image is not None else "") for one in group.members)
    seen: Counter[str] = Counter()
    names: dict[int, str] = {}
    for one in group.members:
        seen[one.name] += 1
        recipe = one.image.path if one.image is not None and one.service.kind == "dockerfile" else ""
        if counted[one.name] == 1:
            names[id(one)] = one.name
        elif recipe and recipes[one.name, recipe] == 1:
            names[id(one)] = f"{one.name} ({recipe.rpartition('/')[2]})"
        else:
            names[id(one)] = f"{one.name} #{seen[one.name]}"
    if len(set(names.values())) < len(names):  # folders of one name, with Dockerfiles of one name
        names = {id(one): f"{one.name} #{at}" if counted[one.name] > 1 else one.name
                 for at, one in enumerate(group.members, 1)}
    return names
