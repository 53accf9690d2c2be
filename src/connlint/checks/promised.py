"""Variables that an application's own configuration promises: its schema demands them, or gives them a value, before
anything can ask for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from connlint.checks.demands import demands_of, required_variables
from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.abandoned import Abandoned
from connlint.project.callees import last_name, thing
from connlint.project.conditions import Condition
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.stage import Stages
from connlint.project.values import Read, Site, Values

_VALIDATED = regex(rb"\b(?:validate|validationSchema)\b")
_SCHEMA = regex(r"(?:^|[/._-])(?:env|environment|config|configuration|schema|settings)\b[^/]*$")
"""A file whose name says that it is about settings."""
_MOST_OF_PROGRAM = 60
"""Files of a program, one importing the other, that lie between a fallback and where the program begins."""
_MOST = 200
"""Importers, one behind the other, that are followed from a library to the applications which load it."""


def is_promised(values: Values, stages: Stages, module: Module, reads: tuple[Read, ...], at: Any = None) -> bool:
    """Whether what ``reads`` ask always has one of the variables.

    They ask a configuration object whose application validates what it holds, by a schema or class that demands the
    variable or gives it a default (a library is given the configuration of the applications that load it), or what a
    schema made of the environment; or they ask the environment itself where the application has refused to start
    without the variable, or ask anything when its server has done so. ``at`` is where the outcome is taken, if that is
    another place of ``module``.
    """
    if not reads:
        return False
    names = {v for read in reads for v in read.variables}
    if all(read.form == "receiver" for read in reads):
        return any(names & _promised(values, stages, root)[0] for root in _applications(values.project, module))
    if module.program.language != "python" and importers(values.project).mentions("ConfigModule", "a.ts"):
        # whoever asks the environment itself when the application has started, or behind the schema in its file: what
        # is imported before has asked before the settings were loaded
        early = [read for read in reads if read.site.module.function(read.site.node) is None]
        demanded = {v for d in values.environment.declarations(module) if d.required
                    and all(d.node.at < read.site.node.at for read in early) for v in d.variables} if early else names
        if any(names & demanded & _promised(values, stages, root)[1] for root in _applications(values.project, module)):
            return True
    if all(_is_parsed(values, stages, read) for read in reads) or _is_demanded_at_start(
            values, stages, [Site(module, at)] if at is not None else [read.site for read in reads], names):
        return True
    return _is_demanded_by_programs(values, stages, reads[0].site.module.path, names)


def _is_demanded_by_programs(values: Values, stages: Stages, path: str, names: set[str]) -> bool:
    """Whether every program that loads the file at ``path`` ends where one of ``names`` is missing: whatever was built
    before, nothing goes on with it."""
    index = importers(values.project)
    asking = {other for name in names if name.isidentifier() for other in index.mentions(name, path)} - {path}
    if not asking:
        return False
    seen: dict[str, Any] = {path: None}
    waiting = deque(seen)
    first = []
    while waiting:
        here = waiting.popleft()
        above = [other for other in index.of(here) if stages.of_path(other) == "production"]
        if not above:
            if here in asking or not asking.isdisjoint(target for _, target, _ in index.targets(here)):
                first.append(here)
            elif here == path or not Abandoned.of(values.project, stages).has(here):
                return False
        fresh = [other for other in above if other not in seen]
        seen.update(dict.fromkeys(fresh))
        waiting.extend(fresh)
        if len(seen) > _MOST_OF_PROGRAM:
            return False
    homes = [values.project.module(here) for here in first]
    return bool(first) and all(home is not None and _asks_at_once(values, stages, home, names) for home in homes)


def _asks_at_once(values: Values, stages: Stages, home: Module, names: set[str]) -> bool:
    """Whether the program that starts with the module ``home`` demands one of ``names`` at once, by itself or by a
    function of another module that it calls."""
    called = list(_called_at_once(stages, home))
    places = [(home, {name.id for name in called})]
    for name in called:
        found = thing(home, name, values.project)
        if found is not None and found.module is not home and type(found.node) is p.Function and found.node.name:
            places.append((found.module, {found.node.name}))
    return any(names & demand.variables and demand.node is not None and _is_at_once(stages, where, demand.node, those)
               for where, those in places for demand in demands_of(values, stages, where))


def _is_at_once(stages: Stages, module: Module, node: Any, called: set[str]) -> bool:
    """Whether the program comes to ``node`` when it is started, wherever it is deployed: at its top level, or in one of
    the functions ``called`` there."""
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function:
            holder = module.parent(above)
            name = above.name or (holder.name if type(holder) is p.Define else None)
            return name is not None and name in called
        if kind is p.If and below is not above.test:
            held = any(below is statement for statement in above.then)
            if not stages.development_only(Condition(module, above.test, not held)):
                return False
        elif kind in (p.Loop, p.Class, p.Conditional, p.Logical, p.Handler, p.Case):
            return False
        below = above
    return True


def _called_at_once(stages: Stages, module: Module) -> Iterator[p.Name]:
    """The functions that statements at the top level of ``module`` call, by name; also where the program ends if they
    fail: ``try { check(); } catch { process.exit(1); }``."""
    waiting: list[Any] = list(module.program.body)
    while waiting:
        statement = waiting.pop()
        if type(statement) is p.Try and statement.handlers and all(
                any(type(s) is p.Raise or stages.leaves(module, s) for s in handler.body)
                for handler in statement.handlers):
            waiting += statement.body
        value: Any = statement.value if type(statement) is p.Evaluate else None
        while type(value) in (p.Await, p.Member, p.Call):
            if type(value) is p.Call and type(value.callee) is p.Name:
                yield value.callee
            value = value.value if type(value) is p.Await else value.of if type(value) is p.Member else value.callee


def _is_demanded_at_start(values: Values, stages: Stages, sites: list[Site], names: set[str]) -> bool:
    """Whether the server of the same package refuses to start without one of the variables ``names``, and all ``sites``
    ask later: in functions."""
    if any(site.module.function(site.node) is None for site in sites):
        return False
    first = sites[0].module
    root = own_root(values.project, first.path)
    index = importers(values.project)
    for name in sorted(filter(str.isidentifier, names)):
        for path in index.mentions(name, first.path):
            if not any(word.encode() in index.data(path) for word in (*stages.starters, *stages.start_decorators)):
                continue
            if own_root(values.project, path) != root or stages.of_path(path) != "production":
                continue
            home = values.project.module(path)
            if home is not None and any(name in demand.variables and demand.node is not None and _is_at_start(
                    stages, home, demand.node) for demand in demands_of(values, stages, home)):
                return True
    return False


def _is_at_start(stages: Stages, module: Module, node: Any) -> bool:
    """Whether a function that runs when the server starts comes to ``node`` wherever it is deployed."""
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function:
            return above.name in stages.starters or any(_announces(stages, one) for one in above.decorators)
        if kind is p.If and below is not above.test:
            held = any(below is statement for statement in above.then)
            if not stages.development_only(Condition(module, above.test, not held)):
                return False
        elif kind in (p.Try, p.Loop, p.Class, p.Conditional, p.Logical, p.Handler, p.Case):
            return False
        below = above
    return False


def _announces(stages: Stages, decorator: Any) -> bool:
    call = decorator if type(decorator) is p.Call else None
    if last_name(call.callee if call is not None else decorator) not in stages.start_decorators:
        return False
    texts = [a.value.value for a in call.args if type(a.value) is p.Text] if call is not None else []
    return not texts or not stages.start_moments.isdisjoint(texts)


def _is_parsed(values: Values, stages: Stages, read: Read) -> bool:
    """Whether ``read`` asks the outcome of a schema that gives the variable, in the file where that is made."""
    node, home = read.site.node, read.site.module
    of: Any = node.of if type(node) is p.Member else None
    if type(node) is p.Entry and type(let := home.parent(home.parent(node))) is p.Let:
        of = let.value  # ``const { URL } = env``
    if type(of) is not p.Name:
        return False
    entry = values.environment.mapping(home, of)
    if entry is None or entry["form"] != "parsed":
        return False
    where, _ = values.environment.definitions(home, of)
    return not _given(values, stages, where).isdisjoint(read.variables)


def _promised(values: Values, stages: Stages, root: str) -> tuple[set[str], set[str]]:
    """The variables that the files of the package at ``root`` promise, and those among them that a schema demands; none
    where nothing validates them."""
    project = values.project
    memo = project.memo.setdefault(is_promised, {})
    if root not in memo:
        found: set[str] = set()
        demanded: set[str] = set()
        memo[root] = found, demanded
        index = importers(project)
        paths = [path for path in index.mentions("validat", "a.ts") if own_root(project, path) == root]
        # asked of the bytes first: a large package mentions it in hundreds of files
        validating = [path for path in paths if b"ConfigModule" in (data := index.data(path))
                      and _VALIDATED.search(data) is not None and stages.of_path(path) == "production"]
        # the schema may stand in a file of its own, which says nothing of what it is for
        beside = [target for path in validating for _, target, _ in index.targets(path)
                  if own_root(project, target) == root and _SCHEMA.search(target)]
        for path in dict.fromkeys((*paths, *beside)) if validating else ():
            module = project.module(path) if stages.of_path(path) == "production" else None
            if module is not None:
                found |= _given(values, stages, module)
                demanded.update(v for d in values.environment.declarations(module) if d.required for v in d.variables)
    promised: tuple[set[str], set[str]] = memo[root]
    return promised


def _given(values: Values, stages: Stages, module: Module) -> set[str]:
    given = set(required_variables(values, stages, module))
    for declaration in values.environment.declarations(module):
        default: Any = declaration.default
        missing = type(default) is p.Constant and default.value in ("null", "undefined")
        if declaration.required or (default is not None and not missing):
            given.update(declaration.variables)
    return given


def _applications(project: Project, module: Module) -> list[str]:
    """The roots of the packages that hold ``module`` or load it, its own first."""
    memo: dict[str, list[str]] = project.memo.setdefault(_applications, {})
    if module.path not in memo:
        index = importers(project)
        seen: dict[str, Any] = {module.path: None}
        waiting = deque(seen)
        while waiting and len(seen) < _MOST:
            for other in index.of(waiting.popleft()):
                if other not in seen:
                    seen[other] = None
                    waiting.append(other)
        memo[module.path] = list(dict.fromkeys(own_root(project, path) for path in seen))
    return memo[module.path]
