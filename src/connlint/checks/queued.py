"""Code that only the workers of a queue run: others import its functions to ask for them."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.model.rule import Rules
from connlint.project.callees import last_name
from connlint.project.module import Module
from connlint.project.services import Running
from connlint.project.starts import Starts
from connlint.project.uses import references

_SERVING = ("wsgi", "asgi")
"""What servers speak that answer requests, and run nothing of a queue."""


def only_serves(one: Running, starts: Starts) -> bool:
    """Whether all that ``one`` is seen to start are servers of requests."""
    rows = list(starts.ran(one))
    return bool(rows) and all(row.start is not None and row.start.entry.get("protocol") in _SERVING for row in rows)


def of_workers(module: Module, node: Any, rules: Rules) -> set[str] | None:
    """The constants of its module that the value of ``node`` goes to, if only functions there use it which a worker
    runs, as their decorators say; None where others do."""
    marks = {name for entry in rules.apis.get("queued", ()) for name in entry["decorators"]}
    seen: set[str] = set()
    waiting, used = [node], False
    while waiting:
        here = waiting.pop()
        function = module.function(here)
        if function is not None:
            given = (mark.callee if type(mark) is p.Call else mark for mark in function.decorators)
            if not any(last_name(mark) in marks for mark in given):
                return None
            used = True
            continue
        statement = module.statement(here)
        if type(statement) is not p.Let or type(statement.target) is not p.Name:
            return None
        name = statement.target.id
        if name not in seen:
            seen.add(name)
            waiting += references(module, name, statement.target)
    return seen if used else None
