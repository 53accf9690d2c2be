"""Faults at the seam between services: an address that leads back into the container, a port where nobody listens, a
start that does not wait, a variable that nobody sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from connlint.checks.deployed import CONTAINERS, Code, closed, required
from connlint.checks.fallback import fallbacks
from connlint.checks.local_services import unpublished
from connlint.checks.readiness import unready
from connlint.checks.wording import Wording, wording_of
from connlint.model.deployment import Known
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.patterns import regex
from connlint.project.address import Host, hosts, is_loopback
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import stages_of, words_of
from connlint.project.values import values_of

_ISOLATED = (*CONTAINERS, "fly", "heroku")
_HOST_WORDS = ("host", "hostname", "addr", "address", "server")
_HOST_NAMES = ("host.docker.internal", "gateway.docker.internal", "docker.for.mac.host.internal", "0.0.0.0")


class Tables:
    """The tables of this check, ready to be asked."""

    def __init__(self, rules: Rules) -> None:
        self.images = {name: frozenset(e["ports"]) for e in rules.apis.get("image", ()) for name in e["names"]}
        self._called = {name: e.get("called", ()) for e in rules.apis.get("image", ()) for name in e["names"]}
        self._patient = {name for e in rules.apis.get("image", ()) if e.get("patient") for name in e["names"]}
        self.connect = _joined(rules, "connects", "words")
        self.other = _joined(rules, "connects", "not")
        self.browser_words = _joined(rules, "browser", "words")
        self.browser_prefixes = tuple(_joined(rules, "browser", "prefixes"))
        self.port_names = tuple(_joined(rules, "connects", "ports"))
        self.plain_bases = _joined(rules, "base_image", "names")
        self.idle = frozenset(_joined(rules, "waits", "idle"))
        self.waits = tuple(word.encode() for word in _joined(rules, "waits", "words"))
        self.listening: dict[int, tuple[Running, set[int]]] = {}
        """What `_listens` has answered, with the service, so that no other one takes its place in memory."""

    def is_waited_for(self, one: Running) -> bool:
        """Whether clients of a service with a well-known image wait for it, try again, or connect when first used."""
        return self._image(one.service.image) in self._patient

    def calls(self, words: Sequence[str], one: Running) -> bool:
        """Whether ``words`` of a variable's name are what a service with a well-known image goes by."""
        if not self.ports_of(one.service.image):
            return False
        return bool(self.names_of(one).intersection(words))

    def names_of(self, one: Running) -> set[str]:
        """The words that a service with a well-known image goes by."""
        return {*words_of(one.name), *self._called.get(self._image(one.service.image), ())}

    def says_where(self, name: str) -> bool:
        """Whether a variable of this name says where to connect."""
        words = set(words_of(name))
        return bool(words & self.connect) and not words & self.other and not name.startswith(self.browser_prefixes)

    def for_browsers(self, name: str) -> bool:
        """Whether a browser, and not the container, uses the address."""
        return name.startswith(self.browser_prefixes) or bool(set(words_of(name)) & self.browser_words)

    def ports_of(self, image: Known | None) -> frozenset[int]:
        """The ports of a well-known image; empty for others."""
        return self.images.get(self._image(image), frozenset())

    @staticmethod
    def _image(image: Known | None) -> str:
        """The name of an image without registry and tag; "" where it is not known."""
        name = (image.value or "").partition("@")[0] if image is not None else ""
        head, _, tail = name.rpartition("/")
        name = (head + "/" if head else "") + tail.partition(":")[0]
        return name.removeprefix("docker.io/").removeprefix("library/").removeprefix("index.docker.io/")


def _joined(rules: Rules, role: str, key: str) -> set[str]:
    return {word for entry in rules.apis.get(role, ()) for word in entry.get(key, ())}


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Outcomes: "loopback", "port", "published-port", "unpublished", "unready", "connects", "unset"; each where a card
    wants it."""
    tables = Tables(rules)
    running = Services.of(project).running()
    words = wording_of(project, rules.apis)
    groups = Groups(running)
    if "loopback" in card.outcomes:
        yield from _loopback(running, groups, tables, words)
    if "port" in card.outcomes:
        yield from _ports(running, groups, tables)
    if "unpublished" in card.outcomes:
        yield from unpublished(project, rules)
    if "unready" in card.outcomes:
        yield from unready(running, groups, tables, project, rules)
    if "unset" in card.outcomes:
        yield from _unset(running, tables, project, rules)


class Groups:
    """The services that can reach each other: those of one manifest, or of one compose file.

    Compose files that lie side by side are variants of each other, unless one is laid over another: it is an override,
    or says of a service neither what it is built from nor its image.
    """

    def __init__(self, running: list[Running]) -> None:
        self._together: dict[tuple[str, str], list[Running]] = {}
        self._files: dict[tuple[str, str], list[Running]] = {}
        for one in running:
            self._together.setdefault((one.service.kind, one.service.group), []).append(one)
            self._files.setdefault((one.service.kind, one.deployment.path), []).append(one)
        self._over = {key for key, rows in self._files.items() if key[0] == "compose" and (
            "override" in key[1] or any(r.service.image is None and r.service.build is None for r in rows))}
        self._known: dict[tuple[str, int], dict[str, Running]] = {}

    def of(self, one: Running) -> list[Running]:
        """All services beside ``one``, itself among them."""
        file = (one.service.kind, one.deployment.path)
        if one.service.kind == "compose" and file not in self._over:
            return self._files[file]
        return self._together[one.service.kind, one.service.group]

    def hosts(self, one: Running) -> dict[str, Running]:
        """The services beside ``one`` by the names by which they are reached."""
        key = "hosts", id(rows := self.of(one))
        if key not in self._known:
            self._known[key] = {host: other for other in rows for host in other.service.hosts}
        return self._known[key]

    def names(self, one: Running) -> dict[str, Running]:
        """The services beside ``one`` by their own names."""
        key = "names", id(rows := self.of(one))
        if key not in self._known:
            self._known[key] = {other.name: other for other in rows}
        return self._known[key]


# -- an address that leads back into the container ---------------------------------------------------------------------


def _loopback(running: list[Running], groups: Groups, tables: Tables, wording: Wording) -> Iterator[Draft]:
    for one in running:
        service = one.service
        if service.kind not in _ISOLATED or service.host_network or service.mates:
            continue
        own = _listens(one, tables) | _named_ports(one, tables)
        for name, known in service.environment.items():
            if not known.value or tables.for_browsers(name):
                continue
            for host in hosts(known.value):
                if not is_loopback(host.name) or host.name in _HOST_NAMES or host.port in own:
                    continue
                if wording.listens(name, host, known.value) or wording.allows(name, host) or wording.agent(name, host):
                    continue
                group = groups.of(one)
                if host.port is None and (port := _port_beside(name, one)) not in _listens(one, tables):
                    host = replace(host, port=port)
                target = _server_on(host, one, group, tables)
                if not _meant_for_the_container(name, host, target, one, group, tables):
                    continue
                if known.place.path != one.deployment.path and not _asks_for(one, name, target, group, tables):
                    # a file that several services are given says more than each of them needs
                    continue
                hint = f"; `{target.name}` listens on {host.port}" if target is not None else ""
                slots = {"service": service.name, "variable": name, "address": str(host), "hint": hint}
                related = (Step(target.service.place, f"`{target.name}` is a container of its own"),) if target else ()
                yield Draft("loopback", known.place, slots, f"{service.name}:{name}", related=related)
                break


def _meant_for_the_container(name: str, host: Host, target: Running | None, one: Running, group: list[Running],
                             tables: Tables) -> bool:
    """Whether the container itself uses the address: a browser on the same machine may be meant by a web address."""
    if host.scheme in ("http", "https", "ws", "wss"):
        return target is not None and not any(port.host == host.port for port in target.service.ports)
    if target is not None:
        return True
    words = words_of(name)
    if host.scheme and one.service.kind in ("compose", "docker-run"):
        # with no such server among the others, the image may hold one, or nobody may ask for it
        return any(tables.calls(words, other) or tables.calls([host.scheme.partition("+")[0]], other)
                   for other in group if other is not one)
    if host.scheme:
        return True
    if len(words) > 1 and words[-1] in _HOST_WORDS:
        # `X_HOST` is the host of X only where there is an X; else it may be the service's own name
        return any(tables.calls(words[:-1], other) for other in group if other is not one)
    return False


def _port_beside(name: str, one: Running) -> int | None:
    """The port that belongs to a variable with a host alone: X_PORT of X_HOST."""
    head, _, last = name.rpartition("_")
    known = one.environment.get(f"{head}_PORT") if last.lower() in _HOST_WORDS else None
    return int(known.value) if known is not None and known.value is not None and known.value.isdigit() else None


def _asks_for(one: Running, name: str, target: Running | None, group: list[Running], tables: Tables) -> bool:
    """Whether a service says that it needs the other service that its variable ``name`` means."""
    needed = {dependency.on for dependency in one.service.dependencies}
    if target is not None:
        return target.name in needed
    return any(other.name in needed and tables.calls(words_of(name)[:-1], other) for other in group)


def _server_on(host: Host, one: Running, group: list[Running], tables: Tables) -> Running | None:
    """Another service of the group that listens on the port of ``host``."""
    for other in group:
        if other is not one and host.port is not None and (
            host.port in _listens(other, tables) or any(port.host == host.port for port in other.service.ports)
        ):
            return other
    return None


def _listens(one: Running, tables: Tables) -> set[int]:
    """Every port that a service is known to listen on, or to be told to."""
    if id(one) not in tables.listening:
        tables.listening[id(one)] = one, _listening(one, tables)
    return tables.listening[id(one)][1]


def _listening(one: Running, tables: Tables) -> set[int]:
    if one.service.kind == "kubernetes" and any(port.host for port in one.service.ports):
        # others reach it through a Service, on the Service's port
        return {port.host for port in one.service.ports if port.host}
    found = {port.container for port in one.service.ports if port.container}
    if one.stage is not None:
        found |= {port.container for port in one.stage.exposed if port.container}
    for command in one.commands:
        found |= _command_ports([word.value for word in command.words])
    return found | tables.ports_of(one.service.image)


def _named_ports(one: Running, tables: Tables) -> set[int]:
    """Ports that its variables name: it may listen on them, or connect to them."""
    return {int(known.value) for name, known in one.environment.items()
            if name.endswith(tables.port_names) and known.value and known.value.isdigit()}


def _told_to_listen(one: Running) -> set[int]:
    """Ports behind its own name, or behind no name, in its own variables."""
    everywhere = ("0.0.0.0", "localhost", "127.0.0.1", "[::]")
    names = "|".join(re.escape(host) for host in (*one.service.hosts, *everywhere) if host)
    own = re.compile(rf"(?:^|//|[,=@\s])(?:{names})?:(\d{{2,5}})(?!\d)")
    return {int(port) for known in one.environment.values() for port in own.findall(known.value or known.written)}


_BOUND = regex(r"(?:^|[=:\]])(\d{2,5})$")


def _command_ports(words: list[str | None]) -> set[int]:
    found: set[int] = set()
    for at, word in enumerate(words):
        if word is None:
            continue
        flag, equals, value = word.partition("=")
        if flag in ("--port", "-p", "--bind", "-b", "--listen", "--http-port", "-P", "--addr", "--address"):
            text = value if equals else (words[at + 1] if at + 1 < len(words) else None)
            if text and (number := _BOUND.search(text)):
                found.add(int(number[1]))
        elif re.fullmatch(r"[\w.\[\]]*:\d{2,5}", word) or (
            re.fullmatch(r"\d{4,5}", word) and at and not (words[at - 1] or "-").startswith("-")
        ):
            found.add(int(word.rpartition(":")[2]))
    return found


# -- a port where nobody listens ---------------------------------------------------------------------------------------


def _ports(running: list[Running], groups: Groups, tables: Tables) -> Iterator[Draft]:
    for one in running:
        if one.service.kind not in ("compose", "kubernetes"):
            continue
        by_host = groups.hosts(one)
        for name, known in one.service.environment.items():
            for host in hosts(known.value or ""):
                target = by_host.get(host.name)
                if target is None or target is one or host.port is None:
                    continue
                evidence = _listens(target, tables)
                code = target.service.build is not None and not any(_command_ports([w.value for w in c.words])
                                                                    for c in target.commands)
                published = next((port for port in target.service.ports if port.host == host.port
                                  and port.container not in (None, host.port)), None)
                if host.port in evidence | _named_ports(target, tables) | _told_to_listen(target):
                    continue
                if not evidence or (code and published is None):
                    continue
                listed = ", ".join(str(port) for port in sorted(evidence)[:4])
                slots = {"service": target.name, "port": str(host.port), "ports": listed, "variable": name,
                         "inner": str(published.container) if published else ""}
                outcome = "published-port" if published else "port"
                where = published.place if published else target.service.place
                yield Draft(outcome, known.place, slots, f"{one.name}:{name}",
                            related=(Step(where, f"`{target.name}` listens on {listed}"),))


# -- a variable that nobody sets ---------------------------------------------------------------------------------------


def _unset(running: list[Running], tables: Tables, project: Project, rules: Rules) -> Iterator[Draft]:
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    wording = wording_of(project, rules.apis)
    code = Code.of(project, rules)
    for one in running:
        service, at = one.service, one.service.environment_at
        if at is None or not closed(one):
            continue
        paths = code.files(one)
        if not paths:
            continue
        wanted: dict[str, Step] = {}
        for path in paths:
            data = project.tree.read(path)
            if stages.of_path(path) != "production" or data is None or b"env" not in data.lower():
                continue
            module = project.module(path)
            if module is None:
                continue
            fields = {id(d.node): d.field for d in values.environment.declarations(module) if d.field}
            for found in fallbacks(values, module):
                if (field := fields.get(id(found.node))) is not None and not code.uses(one, field):
                    continue
                names = [v for read in found.reads for v in read.variables]
                if len(names) == 1 and not wording.listens(names[0], found.host, found.value.text or ""):
                    name, host = names[0], found.host
                    if tables.for_browsers(name) or wording.allows(name, host) or wording.agent(name, host):
                        continue
                    if stages.only_in_development(module, found.node):
                        continue
                    read_at = Place(path, found.reads[0].site.node.at)
                    wanted.setdefault(name, Step(read_at, f"{name} falls back to {host}"))
            for name, node in required(values, module):
                if tables.says_where(name):
                    wanted.setdefault(name, Step(Place(path, node.at), f"{name} is required here"))
        missing = {name: step for name, step in wanted.items() if name not in one.environment}
        if missing:
            names = sorted(missing)
            verb = "are" if len(names) > 1 else "is"
            slots = {"service": service.name, "variables": ", ".join(names), "verb": verb,
                     "effect": missing[names[0]].message}
            yield Draft("unset", at, slots, f"{service.name}:{names[0]}",
                        steps=(*(missing[n] for n in names),
                               Step(at, f"what `{service.name}` is given, without {', '.join(names)}")))
