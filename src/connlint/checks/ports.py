"""Addresses that name a service of the project on a port where it does not listen: in variables, in configuration files
that a service is given, and in code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from connlint.checks.coded_ports import CodedPorts
from connlint.checks.configured import led_to
from connlint.checks.deployed import Code
from connlint.checks.neighbours import Groups, Neighbours, is_fronted, listens, unheard
from connlint.checks.redirections import to_the_port
from connlint.model import program as p
from connlint.model.deployment import Known, Port
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Rules
from connlint.project.address import HOLE, Host, hosts
from connlint.project.importers import CODE
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.stage import glued_port, stages_of
from connlint.project.values import Values, values_of

if TYPE_CHECKING:
    from connlint.checks.containers import Tables

Nobody = Callable[[Host, Running, Neighbours], tuple[Running, set[int], Port | None] | None]
"""Tells of an address that a service dials beside others which service it names, where nobody listens on that port."""

_KINDS = ("compose", "kubernetes")
_PLACES = ("url", "uri", "base_url", "baseURL", "endpoint", "address", "target", "host", "dsn", "connectionString")
_HOST_ENDINGS = ("_HOST", "_HOSTNAME", "_SERVER", "_ADDR", "_ADDRESS")


def wrong_ports(groups: Groups, tables: Tables, project: Project, rules: Rules, whole: bool) -> Iterator[Draft]:
    """Outcomes "port" and "published-port" (the port is the one that the machine publishes); those in code alone, if
    not the ``whole`` is asked for."""
    coded = cache(lambda: CodedPorts(project, rules, tables))

    def nobody(host: Host, one: Running, beside: Neighbours) -> tuple[Running, set[int], Port | None] | None:
        return _nobody(host, one, beside, tables, project, lambda target: coded().surely(target))

    for beside in groups.all if whole else ():
        for one in beside.members:
            if one.service.kind not in _KINDS:
                continue
            for name, known, host in _told(one):
                if (found := nobody(host, one, beside)) is not None:
                    yield _draft(name, host, known.place, f"{one.name}:{name}", *found, project)
    if whole:
        yield from _configured(groups, nobody, project, rules)
    yield from _written(groups, nobody, project, rules)


def _nobody(host: Host, one: Running, beside: Neighbours, tables: Tables, project: Project,
            coded: Callable[[Running], int | None]) -> tuple[Running, set[int], Port | None] | None:
    """The service that ``host`` names, and where it listens, if that is known and is not there."""
    targets = beside.reached(host.name)
    fronted = [target for target in targets if is_fronted(target)]
    if fronted and not any(host.port in listens(target, tables) for target in targets):
        targets = fronted
    if not targets or host.port is None or any(target is one for target in targets):
        return None
    answers = [unheard(host.port, target, tables, project.tree, coded) for target in targets]
    if (found := answers[0]) is None or None in answers:
        return None
    return targets[0], *found


def _draft(name: str, host: Host, place: Place, symbol: str, target: Running, evidence: set[int],
           published: Port | None, project: Project) -> Draft:
    listed = ", ".join(str(port) for port in sorted(evidence)[:4])
    slots = {"service": target.name, "port": str(host.port), "ports": listed, "variable": name,
             "inner": str(published.container) if published else ""}
    where = published.place if published else target.service.place
    meant = published.container if published else next(iter(evidence)) if len(evidence) == 1 else None
    return Draft("published-port" if published else "port", place, slots, symbol,
                 related=(Step(where, f"`{target.name}` listens on {listed}"),),
                 fix=to_the_port(place, host, meant, project) if not place.path.endswith(CODE) else None)


# -- variables ---------------------------------------------------------------------------------------------------------


def _told(one: Running) -> Iterator[tuple[str, Known, Host]]:
    """The addresses that variables hold; a port in a variable of its own stands for the whole."""
    environment = one.service.environment
    for name, known in environment.items():
        for host in hosts(known.shape):
            if host.port is not None:
                yield name, known, host
            elif not host.scheme and (other := _port_beside(name)) is not None:
                port = environment.get(other)
                if port is not None and port.value and port.value.isdigit():
                    yield other, port, Host(host.name, int(port.value))


def _port_beside(name: str) -> str | None:
    """The variable with the port that belongs to the host ``name``."""
    ending = next((e for e in _HOST_ENDINGS if name.endswith(e)), None)
    return f"{name.removesuffix(ending)}_PORT" if ending else glued_port(name)


def _configured(groups: Groups, nobody: Nobody, project: Project, rules: Rules) -> Iterator[Draft]:
    """Addresses in configuration files that are wrong in every deployment that gives them to a service."""
    rows: dict[Place, list[Draft | None]] = {}
    for beside, one, host, place in led_to(groups, project, rules):
        found = nobody(host, one, beside)
        rows.setdefault(place, []).append(
            None if found is None else _draft(str(host), host, place, f"{one.name}:{host}", *found, project))
    yield from (drafts[0] for drafts in rows.values() if drafts[0] is not None and None not in drafts)


# -- code --------------------------------------------------------------------------------------------------------------


def _written(groups: Groups, nobody: Nobody, project: Project, rules: Rules) -> Iterator[Draft]:
    """Addresses that code holds as they are, and not as what is taken where a variable is not set."""
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    code = Code.of(project, rules)
    rows: dict[tuple[str, int], list[Draft | None]] = {}
    for beside in groups.all:
        names = [host for host, targets in beside.hosts.items() if host and targets[0].service.kind in _KINDS]
        if len(beside.members) < 2 or not names or beside.group.kind not in _KINDS:
            continue
        named_as = b"|".join(re.escape(name.encode()) for name in names)
        sought = re.compile(rb"[a-z]://(?:[^\s\"'`/@]*@)?(?:" + named_as + rb"):\d")
        named = [path for path in sorted(project.reported or ()) if sought.search(project.tree.read(path) or b"")]
        for one in beside.members if named or not project.reported else ():
            for path in [path for path in named if code.runs(one, path)] if project.reported else code.files(one):
                data = project.tree.read(path)
                if data is None or stages.of_path(path) != "production" or sought.search(data) is None:
                    continue
                module = project.module(path)
                for text, host, variables in _literals(module, values) if module is not None else ():
                    told = bool(variables) and (bool(one.open) or any(one.gives(v) for v in variables))
                    found = nobody(host, one, beside) if host.name in names and not told else None
                    place = Place(path, text.at)
                    draft = (None if found is None
                             else _draft(str(host), host, place, f"{one.name}:{host}", *found, project))
                    rows.setdefault((path, text.at[0]), []).append(draft)
    for drafts in rows.values():
        # a file that runs in several deployments is wrong only where it is wrong in all
        if drafts[0] is not None and None not in drafts:
            yield drafts[0]


def _literals(module: Module, values: Values) -> Iterator[tuple[p.Text, Host, tuple[str, ...]]]:
    """Texts with one address that a call goes to, or that are all that a name stands for, with the variables that a
    class of settings would take instead."""
    declared = {id(d.node): d.variables for d in values.environment.declarations(module)}
    for text in module.nodes(p.Text):
        if "://" not in text.value or len(named := hosts(_opened(module, text))) != 1 or named[0].port is None:
            continue
        value: Any = text
        above = module.parent(text)
        if type(above) is p.Concat and above.parts[0] is text:
            value, above = above, module.parent(above)
        if type(above) is p.Entry and above.value is value:
            record = module.parent(above)
            key = above.key.value if type(above.key) is p.Text else ""
            if key in _PLACES and type(record) is p.Record and type(module.parent(record)) is p.Argument:
                yield text, named[0], ()
        elif type(above) is p.Argument:
            call = module.parent(above)
            first = type(call) is p.Call and call.args[0] is above and above.name is None
            if (first or above.name in _PLACES) and values.environment.access(module, call) is None:
                yield text, named[0], ()
        elif type(above) is p.Let and type(above.target) is p.Name:
            if module.only(above.target.id, above.target) is not None:
                yield text, named[0], declared.get(id(above), ())


def _opened(module: Module, text: p.Text) -> str:
    """The text, with a mark for what follows where it is only a beginning."""
    above = module.parent(text)
    return text.value + (HOLE if type(above) is p.Concat and above.parts[0] is text and len(above.parts) > 1 else "")
