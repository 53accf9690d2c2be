"""Variables that say where to connect, which the code of a service needs and its deployment does not set."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connlint.checks.deployed import Code, closed, required
from connlint.checks.dialing import Dialing
from connlint.checks.fallback import meant, own_outcome
from connlint.checks.lacking import Lacking
from connlint.checks.needs import Needs
from connlint.checks.neighbours import Groups
from connlint.checks.self_set import is_set_inside
from connlint.checks.starting import Starting
from connlint.checks.switches import is_switched_off
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Rules
from connlint.patterns import Words, regex
from connlint.project.environment import MENTIONS
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.rewording import given, given_as_to_others
from connlint.project.services import Running
from connlint.project.stage import stages_of, words_of
from connlint.project.values import values_of

if TYPE_CHECKING:
    from connlint.checks.containers import Tables

_BARREL = regex(r"(?:^|/)(?:index|__init__)\.\w+$")
_HOSTS = ("host", "hostname")
_ENVIRONMENT = (b"env", b"Env", b"ENV")


def unset(running: list[Running], groups: Groups, tables: Tables, project: Project, rules: Rules) -> Iterator[Draft]:
    """Outcomes "unset": the service stops at once, or connects to itself; "unset-later": a request stops."""
    needs = Needs(project, rules, Starting(project, rules, tables))
    code = Code.of(project, rules)
    for one in running:
        at = one.service.environment_at
        if at is None or not closed(one) or not (paths := code.files(one)):
            continue
        wanted = _fallen_back(one, paths, tables, project, rules)
        later: dict[str, Step] = {}
        for name, step in _required(paths, tables, project, rules):
            wanted.setdefault(name, step)
        for need in needs.of(one):
            asked = need.dialed and tables.may_say_where(need.variable)
            if asked or tables.says_where(need.variable):
                (wanted if need.at_start else later).setdefault(need.variable, need.step)
        for outcome, rows in (("unset", wanted), ("unset-later", later)):
            missing = {name: step for name, step in rows.items()
                       if not groups.is_set(name, one) and not is_switched_off(name, one.environment)
                       and not code.gives(one, name) and not is_set_inside(project, one, paths, name)}
            if missing:
                names = sorted(missing)
                slots = {"service": one.name, "variables": ", ".join(names), "verb": "are" if len(names) > 1 else "is",
                         "effect": missing[names[0]].message}
                last = Step(at, f"what `{one.name}` is given, without {', '.join(names)}")
                steps = (*(missing[name] for name in names), last)
                yield Draft(outcome, at, slots, f"{one.name}:{', '.join(names)}", steps=steps,
                            fix=given_as_to_others(project.tree, at, one.name, names)
                            or given(project.tree, at, one.name, _hosts_beside(one, names, groups, tables)))
                break


def _hosts_beside(one: Running, names: list[str], groups: Groups, tables: Tables) -> dict[str, str]:
    """The services beside a compose service ``one`` that the variables ``names``, all of them hosts, can only mean."""
    beside = groups.of(one) if one.service.kind == "compose" else None
    found: dict[str, str] = {}
    for name in names if beside is not None else ():
        *words, last = words_of(name)
        meant = [other.name for other in beside.members if other is not one and tables.ports_of(other.service.image)
                 and not tables.names_of(other).isdisjoint(words)] if beside is not None else []
        if last not in _HOSTS or len(meant) != 1:
            return {}
        found[name] = meant[0]
    return found


def _fallen_back(one: Running, paths: list[str], tables: Tables, project: Project, rules: Rules) -> dict[str, Step]:
    """The variables without which code of ``one`` takes a loopback address, with the first read of each."""
    lacking = Lacking.of(project, rules)
    dialing = Dialing.of(project, rules)
    wanted: dict[str, Step] = {}
    for path, module in _reading(_near_loopback(paths, project), project, rules):
        for found, reads in meant(module, project, rules):
            names = [v for read in reads for v in read.variables]
            graded = own_outcome(module, project, rules, found, reads) is not None
            if graded or names[0].startswith(tables.browser_prefixes):
                continue
            # people may be told it, unless the code is seen to connect there
            if tables.for_browsers(names[0]) and dialing.dials(one, names[0], surely=True) is None:
                continue
            if lacking.by(one, module, found, reads):
                read_at = Place(path, reads[0].site.node.at)
                wanted.setdefault(names[0], Step(read_at, f"{' or '.join(names)} falls back to {found.host}"))
    return wanted


def _required(paths: list[str], tables: Tables, project: Project, rules: Rules) -> Iterator[tuple[str, Step]]:
    """What the code at ``paths`` cannot be loaded without, as far as it says where to connect."""
    values = values_of(project, rules.apis)
    for path, module in _reading(paths, project, rules):
        for name, node in required(values, module):
            if tables.says_where(name):
                yield name, Step(Place(path, node.at), f"{name} is required here")


def _near_loopback(paths: list[str], project: Project) -> list[str]:
    """Those of ``paths`` that name a loopback address, or hold the name of one of the files that do, as an import of it
    would."""
    naming = {path for path in paths if _names_loopback(path, project)}
    called = {posixpath.basename(posixpath.dirname(path)) if _BARREL.search(path) else
              posixpath.basename(path).partition(".")[0] for path in naming}
    words, index = Words(word.encode() for word in called if word), importers(project)

    def may_import(path: str) -> bool:
        if path.endswith(".py"):
            return words.stand_in(project.tree.read(path) or b"")
        return any(words.stand_in(name) for name in index.written(path))

    return [path for path in paths if path in naming or may_import(path)]


def _names_loopback(path: str, project: Project) -> bool:
    """Whether a file names a loopback address."""
    memo: dict[str, bool] = project.memo.setdefault(_names_loopback, {})
    if path not in memo:
        data = project.tree.read(path) or b""
        memo[path] = any(word.encode() in data for word in MENTIONS)
    return memo[path]


def _reading(paths: list[str], project: Project, rules: Rules) -> Iterator[tuple[str, Module]]:
    """The production code among ``paths`` that may read the environment, as far as it has to do with that."""
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    words = (*values.environment.words, *_ENVIRONMENT)
    for path in paths:
        if not values.environment.mentioned(path) or stages.of_path(path) != "production":
            continue
        if (module := project.module(path, words)) is not None:
            yield path, module
