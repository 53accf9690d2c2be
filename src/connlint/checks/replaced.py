"""Values of a record at the top of a module that a later statement there replaces, before anybody reads them."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.project.module import Module
from connlint.project.values import Values

_UPDATES = "update"
"""The method of a dictionary that takes what it is given over what it holds."""


def is_replaced(values: Values, module: Module, node: Any) -> bool:
    """Whether ``node`` is part of a record that is named at the top of ``module``, and a statement below puts something
    else there on every way: a value of its own, or all that a variable says which has a default, too."""
    if module.program.language != "python":
        return False
    keys: list[str] = []
    below: Any = node
    let: Any = None
    for above in module.parents(node):
        if type(above) is p.Entry and above.value is below and type(above.key) is p.Text:
            keys.append(above.key.value)
        elif type(above) is p.Let:
            let = above
            break
        elif type(above) is not p.Record:
            return False
        below = above
    if not keys or let is None or type(let.target) is not p.Name or type(module.parent(let)) is not p.Program:
        return False
    path = [let.target.id, *reversed(keys)]
    later = [statement for statement in module.program.body if statement.at[0] >= let.at[1]]
    return any(_replaces(values, module, statement, path) for statement in later)


def _replaces(values: Values, module: Module, statement: Any, path: list[str]) -> bool:
    if type(statement) is p.Let and type(statement.target) is p.Index:
        return _leads_to(statement.target, path)
    call = statement.value if type(statement) is p.Evaluate else None
    if type(call) is not p.Call or type(call.callee) is not p.Member or call.callee.name != _UPDATES:
        return False
    if not _leads_to(call.callee.of, path) or len(call.args) != 1:
        return False
    given: Any = call.args[0].value
    only = module.only(given.id, given) if type(given) is p.Name else None
    given = only.value if only is not None and only.kind == "value" and not only.path else given
    access = values.environment.access(module, given) if type(given) is p.Call else None
    return access is not None and access.default is not None


def _leads_to(place: Any, path: list[str]) -> bool:
    """Whether ``place`` is a part of the record in which what stands at ``path`` lies."""
    keys: list[str] = []
    while type(place) is p.Index and type(place.key) is p.Text:
        keys.append(place.key.value)
        place = place.of
    return bool(keys) and type(place) is p.Name and [place.id, *reversed(keys)] == path[:len(keys) + 1]
