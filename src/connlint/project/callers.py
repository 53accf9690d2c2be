"""Functions whose every call is seen: their name stands in one file of the project, and there where it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

_ASKED_FOR = frozenset(("main", "handler", "constructor", "default", "setup", "load", "render", "run", "start"))
"""Names by which others call a function without being seen to."""


def calls_around(project: Project, module: Module, node: Any) -> Iterator[tuple[Module, list[p.Call]]]:
    """For each function around ``node``, the innermost first: its calls, and the module they stand in, where all of
    them are seen and there is one."""
    for above in module.parents(node):
        if type(above) is p.Function:
            found = _calls(project, module, above)
            if found is not None:
                yield found


def _calls(project: Project, module: Module, function: p.Function) -> tuple[Module, list[p.Call]] | None:
    memo = module.memo.setdefault(_calls, {})
    key = id(function)
    if key not in memo:
        memo[key] = _seen(project, module, function)
    found: tuple[Module, list[p.Call]] | None = memo[key]
    return found


def _seen(project: Project, module: Module, function: p.Function) -> tuple[Module, list[p.Call]] | None:
    name = _name_of(module, function)
    if not name or name.startswith("__") or name in _ASKED_FOR:
        return None
    if function.decorators or function.kind in ("get", "set"):
        return None
    index = importers(project)
    if index.mentions(name, module.path) != (module.path,):
        return None
    # functions that no rule asks about may not have been read, and may be those that call
    whole = project.module(module.path) or module
    calls = [call for call in whole.nodes(p.Call)
             if name == getattr(call.callee, "name", getattr(call.callee, "id", None))]
    written = len(re.findall(rb"(?<![\w$])%s(?![\w$])" % re.escape(name.encode()), whole.source.data))
    inside = [call for call in calls if function.at[0] <= call.at[0] < function.at[1]]
    return (whole, calls) if calls and not inside and written == len(calls) + 1 else None


def _name_of(module: Module, function: p.Function) -> str:
    """The name by which a function is called that is declared, or the value of a constant; "" for others."""
    above = module.parent(function)
    if type(above) is p.Define:
        return above.name
    target = above.target if type(above) is p.Let else None
    return target.id if type(target) is p.Name else ""
