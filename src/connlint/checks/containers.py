"""Faults at the seam between services: an address that leads back into the container, a port where nobody listens, a
start that does not wait, a variable that nobody sets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from connlint.checks.deployed import CODE, CONTAINERS, Code, closed, required
from connlint.checks.dialing import Dialing
from connlint.checks.fallback import meant
from connlint.checks.local_services import unpublished
from connlint.checks.needs import Needs
from connlint.checks.neighbours import Groups, Neighbours, listens, may_listen, once
from connlint.checks.optional_clients import is_idle
from connlint.checks.ports import wrong_ports
from connlint.checks.readiness import unready
from connlint.checks.redirections import to_the_service
from connlint.checks.starting import Starting
from connlint.checks.wording import Wording, wording_of
from connlint.model.deployment import Known
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.address import Host, hosts, is_loopback
from connlint.project.companions import Companions
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import stages_of, words_of
from connlint.project.values import values_of

_ISOLATED = (*CONTAINERS, "fly", "heroku", "render", "app-engine", "app-runner", "vercel")
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
        self.given_port = next((e["given"] for e in rules.apis.get("connects", ()) if "given" in e), "")
        self.port_names = tuple(_joined(rules, "connects", "ports"))
        self.plain_bases = _joined(rules, "base_image", "names")
        self.idle = frozenset(_joined(rules, "waits", "idle"))
        self.waits = tuple(word.encode() for word in _joined(rules, "waits", "words"))
        self.listening: dict[int, tuple[Running, set[int]]] = {}
        """What `listens` has answered, with the service, so that no other one takes its place in memory."""

    def is_waited_for(self, one: Running) -> bool:
        """Whether clients of a service with a well-known image wait for it, try again, or connect when first used."""
        return self._image(one.service.image) in self._patient

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
    """Outcomes: "loopback", "port", "published-port", "unpublished", "unready", "connects", "unset", "unset-later";
    each where a card wants it."""
    tables = Tables(rules)
    running = Services.of(project).running()
    words = wording_of(project, rules.apis)
    groups = Groups(Services.of(project), tables)
    # of all this only addresses in code are reported in code
    whole = not (project.reported and all(path.endswith(CODE) for path in project.reported))
    if "loopback" in card.outcomes and whole:
        yield from once(_loopback(groups, tables, words, project, rules))
    if "port" in card.outcomes:
        yield from once(wrong_ports(groups, tables, project, rules, whole))
    if "unpublished" in card.outcomes:
        yield from unpublished(project, rules)
    if "unready" in card.outcomes and whole:
        yield from unready(running, groups, tables, project, rules)
    if "unset" in card.outcomes and whole:
        yield from _unset(running, groups, tables, project, rules)


# -- an address that leads back into the container ---------------------------------------------------------------------


def _loopback(groups: Groups, tables: Tables, wording: Wording, project: Project, rules: Rules) -> Iterator[Draft]:
    companions = Companions.of(project, rules.apis)
    for beside in groups.all:
        for one in beside.members:
            service = one.service
            if service.kind not in _ISOLATED or service.host_network or service.mates:
                continue
            own = may_listen(one, tables)
            image = one.image.path if one.image is not None else ""
            for name, known in one.environment.items():
                if known.place.path == image and groups.is_told_otherwise(name, known.place, one):
                    continue
                for host in hosts(known.shape) if not name.startswith(tables.browser_prefixes) else ():
                    if not is_loopback(host.name) or host.name in _HOST_NAMES or host.port in own:
                        continue
                    if wording.listens(name, host, known.shape) or wording.allows(name, host):
                        continue
                    if wording.agent(name, host) or (image and companions.inside(image, (name,), host)):
                        continue
                    if host.port is None and (port := _port_beside(name, one)) not in listens(one, tables):
                        host = replace(host, port=port)
                    target = beside.server_on(host.port, one)
                    dialed = None
                    if tables.for_browsers(name) or not _meant_for_the_container(name, host, target, one, beside):
                        asked = host.port is not None and (target is not None or host.scheme in ("http", "https"))
                        dialed = Dialing.of(project, rules).dials(one, name) if asked else None
                        if dialed is None:
                            continue
                    elsewhere = service.kind == "compose" and known.place.path not in (*beside.group.files, image)
                    if elsewhere and not _asks_for(one, name, target, beside):
                        # a file that several services are given says more than each of them needs
                        continue
                    hint = f"; `{target.name}` listens on {host.port}" if target is not None else ""
                    slots = {"service": service.name, "variable": name, "address": str(host), "hint": hint}
                    steps = [Step(target.service.place, f"`{target.name}` is a container of its own")] if target else []
                    steps += [Step(dialed, f"`{service.name}` itself connects to {name} here")] if dialed else []
                    port = host.port if host.port is not None else _port_beside(name, one)
                    yield Draft("loopback", known.place, slots, f"{service.name}:{name}", related=tuple(steps),
                                fix=to_the_service(known, host, port, one, beside, project))
                    break


def _meant_for_the_container(name: str, host: Host, target: Running | None, one: Running, beside: Neighbours) -> bool:
    """Whether the container itself uses the address: a browser on the same machine may be meant by a web address."""
    words = words_of(name)
    on_a_machine = one.service.kind in ("compose", "docker-run")
    if host.scheme in ("http", "https", "ws", "wss"):
        if not on_a_machine:
            return target is not None or beside.tables.says_where(name)
        return target is not None and not any(port.host == host.port for port in target.service.ports)
    if target is not None:
        return True
    if host.scheme and on_a_machine:
        # with no such server among the others, the image may hold one, or nobody may ask for it
        return bool(beside.called((*words, host.scheme.partition("+")[0]), one))
    if host.scheme:
        return True
    # `X_HOST` is the host of X only where there is an X; else it may be the service's own name
    return len(words) > 1 and words[-1] in _HOST_WORDS and bool(beside.called(words[:-1], one))


def _port_beside(name: str, one: Running) -> int | None:
    """The port that belongs to a variable with a host alone: X_PORT of X_HOST."""
    head, _, last = name.rpartition("_")
    known = one.environment.get(f"{head}_PORT") if last.lower() in _HOST_WORDS else None
    return int(known.value) if known is not None and known.value is not None and known.value.isdigit() else None


def _asks_for(one: Running, name: str, target: Running | None, beside: Neighbours) -> bool:
    """Whether a service says that it needs the other service that its variable ``name`` means."""
    needed = {dependency.on for dependency in one.service.dependencies}
    if target is not None:
        return target.name in needed
    return any(other.name in needed for other in beside.called(words_of(name)[:-1], one))


# -- a variable that nobody sets ---------------------------------------------------------------------------------------


def _is_set_inside(project: Project, one: Running, paths: list[str], name: str) -> bool:
    """Whether the container itself sets the variable: a file of variables that the code loads, the code, or a script
    that starts it."""
    return (_is_in_a_file(project, one, paths, name) or _is_set_by(project, paths, name, _SETS_IN_CODE)
            or _is_set_by(project, _scripts(project, one), name, _SETS_IN_SCRIPT))


_SETS_IN_CODE = (rb"environ\s*(?:\.setdefault\(\s*|\[\s*)[\"']%s[\"']\s*(?:,|\]\s*=[^=])|putenv\(\s*[\"']%s[\"']|"
                 rb"process\.env(?:\.%s|\[[\"']%s[\"']\])\s*(?:\|\||\?\?)?=[^=]")
_SETS_IN_SCRIPT = rb"(?:^|[\s;&])%s="


def _is_set_by(project: Project, paths: list[str], name: str, pattern: bytes) -> bool:
    """Whether one of the files holds what ``pattern`` says of the variable."""
    sets = re.compile(pattern.replace(b"%s", re.escape(name.encode())), re.MULTILINE)
    return any(sets.search(project.tree.read(path) or b"") for path in paths)


def _scripts(project: Project, one: Running) -> list[str]:
    """The scripts of the project by whose names ``one`` is started."""
    commands = [*one.commands, *(one.service.entrypoint or ())]
    commands += (*one.stage.entrypoint, *one.stage.command) if one.stage is not None else ()
    names = {posixpath.basename(word.value) for command in commands for word in command.words if word.value}
    return [path for path in project.tree.paths if posixpath.basename(path) in names and not path.endswith(CODE)]


def _is_in_a_file(project: Project, one: Running, paths: list[str], name: str) -> bool:
    """Whether a ``.env`` beside the code sets the variable, goes into the image with the code, and is loaded there."""
    folder = "" if one.service.build in (None, ".", "") else f"{one.service.build}/"
    if b".env" in (project.tree.read(f"{folder}.dockerignore") or b""):
        return False
    if not _is_set_by(project, [f"{folder}.env"], name, rb"^[ \t]*(?:export[ \t]+)?%s[ \t]*=[ \t]*\S"):
        return False
    return any(word in (project.tree.read(path) or b"") for path in paths for word in (b"dotenv", b"env_file"))


def _unset(running: list[Running], groups: Groups, tables: Tables, project: Project, rules: Rules) -> Iterator[Draft]:
    """Outcomes "unset": the service stops at once, or connects to itself; "unset-later": a request stops."""
    needs = Needs(project, rules, Starting(project, rules, tables))
    code = Code.of(project, rules)
    for one in running:
        at = one.service.environment_at
        if at is None or not closed(one) or not (paths := code.files(one)):
            continue
        # on the host's own network, loopback reaches the host
        wanted = {} if one.service.host_network else _fallen_back(one, paths, groups, tables, project, rules)
        later: dict[str, Step] = {}
        for name, step in _required(paths, tables, project, rules):
            wanted.setdefault(name, step)
        for need in needs.of(one):
            asked = need.dialed and not need.variable.startswith(tables.browser_prefixes)
            if asked or tables.says_where(need.variable):
                (wanted if need.at_start else later).setdefault(need.variable, need.step)
        for outcome, rows in (("unset", wanted), ("unset-later", later)):
            missing = {name: step for name, step in rows.items()
                       if not groups.is_set(name, one) and not _is_set_inside(project, one, paths, name)}
            if missing:
                names = sorted(missing)
                slots = {"service": one.name, "variables": ", ".join(names), "verb": "are" if len(names) > 1 else "is",
                         "effect": missing[names[0]].message}
                last = Step(at, f"what `{one.name}` is given, without {', '.join(names)}")
                yield Draft(outcome, at, slots, f"{one.name}:{names[0]}", steps=(*(missing[n] for n in names), last))
                break


def _fallen_back(one: Running, paths: list[str], groups: Groups, tables: Tables, project: Project,
                 rules: Rules) -> dict[str, Step]:
    """The variables without which code of ``one`` takes a loopback address, with the first read of each."""
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    wording = wording_of(project, rules.apis)
    code = Code.of(project, rules)
    wanted: dict[str, Step] = {}
    for path, module in _reading(paths, project, rules):
        fields = {id(d.node): d.field for d in values.environment.declarations(module) if d.field}
        for found, reads in meant(module, project, rules):
            if (field := fields.get(id(found.node))) is not None and not code.uses(one, field):
                continue
            names = [v for read in reads for v in read.variables]
            unknown = len(names) != 1 or tables.for_browsers(names[0]) or wording.agent(names[0], found.host)
            if found.sure and not unknown and code.needs(one, module, found.node) and not is_idle(
                    values, stages, module, found.node, names[0], partial(groups.is_set, one=one)):
                read_at = Place(path, reads[0].site.node.at)
                wanted.setdefault(names[0], Step(read_at, f"{names[0]} falls back to {found.host}"))
    return wanted


def _required(paths: list[str], tables: Tables, project: Project, rules: Rules) -> Iterator[tuple[str, Step]]:
    """What the code at ``paths`` cannot be loaded without, as far as it says where to connect."""
    values = values_of(project, rules.apis)
    for path, module in _reading(paths, project, rules):
        for name, node in required(values, module):
            if tables.says_where(name):
                yield name, Step(Place(path, node.at), f"{name} is required here")


def _reading(paths: list[str], project: Project, rules: Rules) -> Iterator[tuple[str, Module]]:
    """The production code among ``paths`` that may read the environment."""
    stages = stages_of(project, rules.apis, values_of(project, rules.apis))
    for path in paths:
        data = project.tree.read(path)
        if data is None or b"env" not in data.lower() or stages.of_path(path) != "production":
            continue
        if (module := project.module(path)) is not None:
            yield path, module
