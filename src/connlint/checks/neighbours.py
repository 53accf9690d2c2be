"""Services that are deployed together: by which names they reach each other, and on which ports each listens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from connlint.model.deployment import Port, Service
from connlint.model.finding import Draft, Place
from connlint.patterns import regex
from connlint.project.command_ports import mentioned_ports, told_ports
from connlint.project.deployments import Group, groups, is_override
from connlint.project.services import Running, Services
from connlint.project.tree import Tree
from connlint.project.written_ports import is_written

_ADDRESSED = regex(r"(?:^|//|[,=@\s])([^\s/,=@:]*|\[::\]):(\d{2,5})(?!\d)")
_EVERYWHERE = ("0.0.0.0", "localhost", "127.0.0.1", "[::]")
_IN_CLUSTER = regex(r"([\w-]+)\.(?:default|[\w-]+\.svc(?:\.cluster\.local)?)\.?")

if TYPE_CHECKING:
    from connlint.checks.containers import Tables


class Groups:
    """The deployments of a project, each with its services."""

    def __init__(self, services: Services, tables: Tables) -> None:
        self.tables = tables
        self.all = [Neighbours(group, tables) for group in groups(services)]
        self._of: dict[tuple[str, str], Neighbours] = {}
        self._variants: dict[tuple[str, str], list[Running]] = {}
        self._overridden: dict[tuple[str, str], list[Running]] = {}
        for neighbours in self.all:
            # the last of the files that are laid over each other is the one that the group is for
            kind, files = neighbours.group.kind, neighbours.group.files
            for path in files[-1:] if kind == "compose" else files:
                self._of.setdefault((kind, path), neighbours)
            for one in neighbours.members:
                self._variants.setdefault((one.deployment.path, one.name), []).append(one)
                if files[0] == one.deployment.path and is_override(files[-1]):
                    self._overridden.setdefault((one.deployment.path, one.name), []).append(one)

    def of(self, one: Running) -> Neighbours | None:
        """The services beside ``one``, itself among them; None where its file is no deployment of its own."""
        return self._of.get((one.service.kind, one.deployment.path))

    def variants(self, one: Running) -> list[Running]:
        """What comes of ``one`` with the files that are laid over its own."""
        return self._variants.get((one.deployment.path, one.name), [])

    def is_set(self, name: str, one: Running) -> bool:
        """Whether a variable of ``one`` is set, also by a file that is laid over its own."""
        rows = (one, *self._variants.get((one.deployment.path, one.name), ()))
        return any(variant.gives(name) for variant in rows)

    def is_told_otherwise(self, name: str, place: Place, one: Running, *, override: bool = False) -> bool:
        """Whether a file that is laid over that of ``one`` gives the variable another value than that at ``place``;
        with ``override``, one that compose lays over it by itself."""
        rows = (self._overridden if override else self._variants).get((one.deployment.path, one.name), ())
        return any(name in variant.environment and variant.environment[name].place != place for variant in rows)


class Neighbours:
    """The services of one deployment, ready to be asked; each question costs the same in one of thousands."""

    def __init__(self, group: Group, tables: Tables) -> None:
        self.group = group
        self.tables = tables

    @property
    def members(self) -> tuple[Running, ...]:
        return self.group.members

    @cached_property
    def hosts(self) -> dict[str, list[Running]]:
        """The services by the names by which they are reached; behind one name may be the containers of a pod."""
        found: dict[str, list[Running]] = {}
        for other in self.members:
            for host in other.service.hosts:
                found.setdefault(host, []).append(other)
        return found

    def reached(self, host: str) -> list[Running]:
        """The services that are reached as ``host``, which may be a name of the whole cluster: a manifest that says no
        namespace goes into the one that it is applied to."""
        if host in self.hosts or not (match := _IN_CLUSTER.fullmatch(host)):
            return self.hosts.get(host) or [self.unmanned[it] for it in (host,) if it in self.unmanned]
        elsewhere = any(other.startswith(match[1] + ".") for other in self.hosts)
        return [] if elsewhere else [one for one in self.hosts.get(match[1], []) if one.service.kind == "kubernetes"]

    @cached_property
    def unmanned(self) -> dict[str, Running]:
        """The Services of the manifests behind which no workload of the project stands, by the names by which they are
        reached; what has no port of its own lets any through, and is none of them."""
        found: dict[str, Running] = {}
        for deployment in {one.deployment.path: one.deployment for one in self.members}.values():
            for front in deployment.fronts:
                known = bool(front.ports) and all(number is not None for number, _, _ in front.ports)
                if not known or front.headless or not front.selector or any(host in self.hosts for host in front.hosts):
                    continue
                service = Service(front.name, "kubernetes", front.place, ports=front.opened(()), hosts=front.hosts)
                found.update(dict.fromkeys(front.hosts, Running(service, deployment, None, None, {}, (), (), None)))
        return found

    @cached_property
    def names(self) -> dict[str, Running]:
        """The services by their own names."""
        return {other.name: other for other in self.members}

    def server_on(self, port: int | None, one: Running) -> Running | None:
        """Another service than ``one`` that listens on ``port``, or is published there."""
        if port is None:
            return None
        return next((other for other in self._by_port.get(port, ()) if other is not one), None)

    def called(self, words: Sequence[str], one: Running) -> list[Running]:
        """The other services with a well-known image that go by one of ``words``."""
        return [other for word in words for other in self._by_word.get(word, ()) if other is not one]

    @cached_property
    def _by_port(self) -> dict[int, list[Running]]:
        found: dict[int, list[Running]] = {}
        for other in self.members:
            published = {port.host for port in other.service.ports if port.host is not None}
            for number in listens(other, self.tables) | published:
                found.setdefault(number, []).append(other)
        return found

    @cached_property
    def _by_word(self) -> dict[str, list[Running]]:
        found: dict[str, list[Running]] = {}
        for other in self.members:
            if self.tables.ports_of(other.service.image):
                for word in self.tables.names_of(other):
                    found.setdefault(word, []).append(other)
        return found


def once(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Each place once: what a file says holds in every deployment that it is part of."""
    seen: set[tuple[str, Place]] = set()
    for draft in drafts:
        if (key := (draft.outcome, draft.place)) not in seen:
            seen.add(key)
            yield draft


# -- where a service listens -------------------------------------------------------------------------------------------


def listens(one: Running, tables: Tables) -> set[int]:
    """Every port that a service is known to listen on, or to be told to."""
    if id(one) not in tables.listening:
        tables.listening[id(one)] = one, _listening(one, tables)
    return tables.listening[id(one)][1]


def _listening(one: Running, tables: Tables) -> set[int]:
    if is_fronted(one):
        return {port.host for port in one.service.ports if port.host}
    found = {port.container for port in one.service.ports if port.container}
    if one.stage is not None:
        found |= {port.container for port in one.stage.exposed if port.container}
    return found | _told(one) | tables.ports_of(one.service.image)


def _told(one: Running) -> set[int]:
    return {port for command in one.commands for port in told_ports([word.value for word in command.words])}


def may_listen(one: Running, tables: Tables) -> set[int]:
    """The ports that it listens on, or for all that is known may: numbers in its commands and variables among them."""
    mentioned = {port for command in one.commands for port in mentioned_ports([word.value for word in command.words])}
    return listens(one, tables) | mentioned | named_ports(one, tables)


def named_ports(one: Running, tables: Tables) -> set[int]:
    """Ports that its variables name: it may listen on them, or connect to them."""
    return {int(known.value) for name, known in one.environment.items()
            if name.endswith(tables.port_names) and known.value and known.value.isdigit()}


def _called_its_own(one: Running) -> set[int]:
    """Ports behind its own name, or behind no name, in its own variables."""
    own = {"", *_EVERYWHERE, *one.service.hosts}
    return {int(port) for known in one.environment.values()
            for host, port in _ADDRESSED.findall(known.value or known.written) if host in own}


def is_fronted(one: Running) -> bool:
    """Whether others reach it through a Service of Kubernetes, which lets its own ports through and nothing else."""
    return one.service.kind == "kubernetes" and any(port.host for port in one.service.ports)


def unheard(number: int, target: Running, tables: Tables, tree: Tree,
            coded: Callable[[Running], int | None]) -> tuple[set[int], Port | None] | None:
    """Where ``target`` listens, if that is known and ``number`` is none of it, with the port of it that the machine
    publishes under ``number``. ``coded`` tells which port the code of a service opens."""
    whole_ports = tables.whole_ports_of(target)
    evidence = listens(target, tables) | whole_ports
    if is_fronted(target):
        return None if number in evidence else (evidence, None)
    own = _called_its_own(target)
    if number in may_listen(target, tables) | whole_ports or number in own or _is_checked(number, target, tree):
        return None
    published = next((port for port in target.service.ports if port.host == number
                      and port.container not in (None, number)), None)
    # what is published or exposed need not be all
    listed = bool(own) and any("LISTEN" in name for name in target.environment)
    known = bool(_told(target) or tables.ports_of(target.service.image) or whole_ports)
    whole = known or listed
    if not whole and published is None and not is_written(number, target, tree):
        given = _given(target, tables) or coded(target)
        if given == number:
            return None
        if given is not None:
            evidence, whole = evidence | {given}, True
    return (evidence, published) if evidence and (whole or published is not None) else None


def _is_checked(number: int, one: Running, tree: Tree) -> bool:
    """Whether the service's own check of health goes to the port."""
    place = one.service.healthcheck
    data = tree.read(place.path) if place is not None else None
    return data is not None and place is not None and bool(
        re.search(rb":" + str(number).encode() + rb"(?!\d)", data[place.at[0]:place.at[1]]))


def _given(one: Running, tables: Tables) -> int | None:
    """The port that code of the project is given to listen on, by the name that is usual for it."""
    known = one.environment.get(tables.given_port) if one.service.build is not None else None
    return int(known.value) if known is not None and known.value and known.value.isdigit() else None
