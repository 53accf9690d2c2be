"""Functions whose every call is seen: their name stands in one file of the project, and there where it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.model import program as p
from connlint.patterns import alone
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

_ASKED_FOR = frozenset(("main", "handler", "constructor", "default", "setup", "load", "render", "run", "start"))
"""Names by which others call a function without being seen to."""


def is_called_only_where(project: Project, module: Module, node: Any, holds: Callable[[Module, p.Call], bool]) -> bool:
    """Whether all calls of a function around ``node`` are seen, there is one, and ``holds`` is true of each."""
    return any(_is_called_only_where(project, module, above, holds)
               for above in module.parents(node) if type(above) is p.Function)


def _is_called_only_where(project: Project, module: Module, function: p.Function,
                          holds: Callable[[Module, p.Call], bool]) -> bool:
    name = _name_of(module, function)
    if not name or name.startswith("__") or name in _ASKED_FOR:
        return False
    if function.decorators or function.kind in ("get", "set"):
        return False
    calls = _calls(module, name)
    if not calls or not all(holds(module, call) for call in calls):
        return False
    mentions = importers(project).mentions(name, module.path)
    if not all(_has_its_own(project, path, name, module.path) for path in mentions):
        return False
    # functions that no rule asks about may not have been read, and may be those that call
    whole = project.module(module.path) or module
    calls = _calls(whole, name)
    written = len(alone(name.encode()).findall(whole.source.data))
    inside = any(function.at[0] <= call.at[0] < function.at[1] for call in calls)
    return written == len(calls) + 1 and not inside and all(holds(whole, call) for call in calls)


def _has_its_own(project: Project, path: str, name: str, home: str) -> bool:
    """Whether the file at ``path`` is ``home`` itself, or has a function of that name and nothing of ``home``."""
    if path == home:
        return True
    module = project.module(path)
    bound = module.scope.names.get(name, []) if module is not None else []
    own = bool(bound) and all(definition.kind == "function" for definition in bound)
    return own and path not in importers(project).of(home)


def _calls(module: Module, name: str) -> list[p.Call]:
    """The calls of whatever has the ``name``, itself or as a member of something."""
    table: dict[str | None, list[p.Call]] | None = module.memo.get(_calls)
    if table is None:
        table = module.memo[_calls] = {}
        for call in module.nodes(p.Call):
            called = getattr(call.callee, "name", None) or getattr(call.callee, "id", None)
            table.setdefault(called, []).append(call)
    return table.get(name, [])


def _name_of(module: Module, function: p.Function) -> str:
    """The name by which a function is called that is declared, or the value of a constant; "" for others."""
    above = module.parent(function)
    if type(above) is p.Define:
        return above.name
    target = above.target if type(above) is p.Let else None
    return target.id if type(target) is p.Name else ""
