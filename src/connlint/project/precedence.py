"""Which functions may have run before a place is reached, on one and the same way through the program.

A check that stands in a function guards what runs behind a call of it, and nothing else. So the question goes outwards
from both: whoever calls the check, and whoever names what the place is part of. Where something else than a seen call
may run the check, and where it is called while a module is loaded, it may have run.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.patterns import alone, regex
from connlint.project.callees import last_name
from connlint.project.importers import importers, imports
from connlint.project.mentions import outside_comments
from connlint.project.module import Module
from connlint.project.programs import Programs
from connlint.project.project import Project


class Answering(Struct, frozen=True):
    """The names of decorators of functions that answer requests, and of calls that are handed such functions."""

    decorators: frozenset[str]
    handed: frozenset[str]


_EVERYWHERE = frozenset(("use", "register"))
"""Calls that have a function run ahead of all others."""
_CALLED_BY_OTHERS = frozenset(
    "main handler handle run start setup teardown register default execute init up down app application load "
    "middleware config configure bootstrap create_app createApp ready lifespan startup boot launch serve".split())
"""Names by which frameworks and other programs call a function, perhaps when they start."""
_MOST = 24
"""Functions on the ways to a place past which it is taken to be everywhere."""
_PASSED_ON = regex(rb"\bexport\s*(?:type\s*)?\{[^{}]*\}(?:\s*from\b)?|^__all__\b[^\]]*\]|"
                   rb"\bmodule\.exports\s*=\s*(?:\{[\w\s,$]*\}|[\w$]+(?![\w$(.]))|"
                   rb"\bexports\.[\w$]+\s*=\s*[\w$]+(?![\w$(.])", re.M)
"""Where a module hands on what it has; a name there is not used."""


def may_precede(programs: Programs, apis: dict[str, list[dict[str, Any]]], home: Module, guard: Any, module: Module,
                node: Any) -> bool:
    """Whether ``guard`` in ``home`` may have run before ``node`` in ``module`` is reached.

    The table ``answers`` of ``apis`` names calls and decorators that have a function answer requests: each such
    function begins a way of its own.
    """
    first = _named_around(home, guard)
    if first is None:
        return True
    memo = home.memo.setdefault((may_precede, first), {})
    key = (module.path, node.at)
    if key not in memo:
        answering = Answering(*(frozenset(name for row in apis.get("answers", ()) for name in row[key])
                                for key in ("decorators", "handed")))
        memo[key] = _may_precede(programs, home, first, module, node, answering)
    return bool(memo[key])


def _may_precede(programs: Programs, home: Module, first: p.Function, module: Module, node: Any,
                 answering: Answering) -> bool:
    project = programs.project
    index = importers(project)

    def is_apart(other: Module) -> bool:
        path = other.path
        return not index.of(path) and programs.is_commanded(path) and module.path not in index.reachable([path])

    before = _callers(project, home, first, answering, is_apart)
    if before is None:
        return True
    if module.function(node) is None:
        if type(module.parent(node)) is p.Await:
            return False
        # what is built while a module is loaded may be used behind the check alone
        near = {module.path, *index.near(module.path)}
        return any(path in near for path, _ in before)
    seen: set[tuple[str, int]] = set()
    waiting: deque[tuple[Module, int]] = deque([(module, node.at[0])])
    while waiting:
        where, at = waiting.popleft()
        for around in _around(where, at):
            if (where.path, around.at[0]) in before:
                return True
            if (where.path, around.at[0]) in seen:
                continue
            seen.add((where.path, around.at[0]))
            for name in _names_of(where, around):
                for other, offset, _ in _mentions(project, where, name):
                    if other is None or len(seen) + len(waiting) > _MOST:
                        return True
                    if other is where or not _has_its_own(project, where, other, name):
                        waiting.append((other, offset))
    return False


def _around(module: Module, offset: int) -> Iterator[Any]:
    """The functions around ``offset``, and what was not read there."""
    for kind in (p.Function, p.Unread):
        for node in module.nodes(kind):
            if node.at[0] <= offset < node.at[1]:
                yield node


def _has_its_own(project: Project, home: Module, other: Module, name: str) -> bool:
    """Whether ``other`` means something else by ``name`` than what ``home`` has: it defines that itself, and loads no
    ``home``."""
    return bool(other.scope.names.get(name)) and other.path not in importers(project).near(home.path) and not any(
        definition.kind in ("import", "unread") for definition in other.scope.names[name])


def _callers(project: Project, home: Module, first: p.Function, answering: Answering,
             is_apart: Callable[[Module], bool]) -> set[tuple[str, int]] | None:
    """The functions from which calls lead to ``first``, itself among them; None where others may call it, or a module
    does while it is loaded that is no program apart."""
    near = importers(project).near
    found: set[tuple[str, int]] = set()
    waiting: deque[tuple[Module, p.Function]] = deque([(home, first)])
    while waiting:
        where, function = waiting.popleft()
        if (where.path, function.at[0]) in found:
            continue
        found.add((where.path, function.at[0]))
        if _answers(where, function, answering):
            continue
        name = _name_of(where, function)
        if not name or name.startswith("__") or name in _CALLED_BY_OTHERS or function.decorators:
            return None
        for other, _, place in _mentions(project, where, name):
            if other not in (None, where) and type(place) is p.Member and other.path not in near(where.path):
                continue  # ``library.connect()`` has nothing to do with a ``connect`` of the project
            call = other.parent(place) if other is not None else None
            if other is None or type(call) is not p.Call or call.callee is not place or len(found) > _MOST:
                return None
            around = _named_around(other, call)
            if around is None:
                if not is_apart(other):
                    return None
                continue
            waiting.append((other, around))
    return found


def _named_around(module: Module, node: Any) -> p.Function | None:
    """The outermost function around ``node``: what is inside it runs when it does, or later."""
    found = None
    for above in module.parents(node):
        if type(above) is p.Function and above.kind != "inline":
            found = above
    return found


def _answers(module: Module, function: p.Function, answering: Answering) -> bool:
    """Whether ``function`` is called with each request, by what stands at it: a decorator, or a call with a path or a
    queue."""
    for decorator in function.decorators:
        if type(decorator) is p.Call and last_name(decorator.callee) in answering.decorators:
            return True
    above = module.parent(function)
    call = module.parent(above) if type(above) is p.Argument else None
    if type(call) is not p.Call or type(call.callee) is not p.Member or above is call.args[0]:
        return False
    name, first = call.callee.name, call.args[0].value
    if type(first) is not p.Text:
        return False
    # ``cache.get("key", load)`` calls its function at once
    return (name in answering.decorators and first.value.startswith("/")) or name in answering.handed - _EVERYWHERE - (
        answering.decorators)


def _name_of(module: Module, function: p.Function) -> str:
    """The name of a function at the top level of its module; "" for others, methods among them."""
    above = module.parent(function)
    if type(above) is p.Define:
        name = above.name
    else:
        target = above.target if type(above) is p.Let else None
        name = target.id if type(target) is p.Name else ""
    return name if type(module.parent(above)) is p.Program else ""


def _names_of(module: Module, what: Any) -> Iterator[str]:
    """The names by which others may lead to ``what``: its own, and that of the class around it."""
    if type(what) is p.Unread:
        yield from what.names
    for above in module.parents(what):
        if type(above) in (p.Define, p.Class) and above.name and above.name != "constructor":
            yield above.name
        elif type(above) is p.Let and type(above.target) is p.Name:
            yield above.target.id
        elif type(above) is p.Entry and type(above.key) is p.Text:
            yield above.key.value


def _mentions(project: Project, home: Module, name: str) -> Iterator[tuple[Module | None, int, Any]]:
    """Where ``name`` stands in the project other than where it is defined, imported or passed on, each with its module,
    None where that cannot be read, and with its node, None for what was not read or is no value."""
    index = importers(project)
    word = alone(name.encode())
    for path in index.mentions(name, home.path):
        python = path.endswith(".py")
        data = index.data(path)
        aside = [it.span() for pattern in (imports(python=python), _PASSED_ON) for it in pattern.finditer(data)]
        found = [match.start() for match in outside_comments(word, data, python=python)]
        places = [at for at in found if not any(start <= at < end for start, end in aside)]
        module = project.module(path) if places else None
        named = _named_at(module, name) if module is not None else {}
        for at in places:
            if at not in named or named[at] is not None:
                yield module, at, named.get(at)


def _named_at(module: Module, name: str) -> dict[int, Any]:
    """The nodes that are ``name``, by where the word stands; None for one that only defines it."""
    found: dict[int, Any] = {}
    for node in module.nodes(p.Name):
        if node.id == name:
            found[node.at[0]] = None if _is_bound(module, node) else node
    for member in module.nodes(p.Member):
        if member.name == name:
            found[member.name_at[0]] = member
    definitions: list[p.Function | p.Class] = [*module.nodes(p.Function), *module.nodes(p.Class)]
    found.update((it.name_at[0], None) for it in definitions if it.name == name and it.name_at is not None)
    return found


def _is_bound(module: Module, name: p.Name) -> bool:
    """Whether ``name`` is given its value where it stands: ``const name = …``, ``const { name } = require(…)``."""
    below: Any = name
    for above in module.parents(name):
        if type(above) is p.Let:
            return below is above.target
        if type(above) not in (p.Entry, p.Record, p.Sequence, p.Default):
            return False
        below = above
    return False
