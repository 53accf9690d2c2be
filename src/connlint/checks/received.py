"""Handles that a function is handed by the call that acquires them: a promise's callback, or one of the call itself."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.project.module import Module

_ERRORS = ("err", "error", "e", "_", "_err", "_error")


class Received(Struct, frozen=True):
    """``function`` gets the handle as its parameter ``name``.

    ``settled``: as the value of a promise, so that what goes wrong in it goes on as a rejection. ``beside`` are its
    other parameters, with one of which it may give the handle back.
    """

    function: p.Function
    name: p.Name
    settled: bool
    beside: tuple[p.Name, ...] = ()


def received(module: Module, call: p.Call) -> Received | None:
    """Who receives what ``call`` acquires: ``connect().then((client) => …)``, ``connect((error, client) => …)``."""
    above = module.parent(call)
    if type(above) is p.Member and above.name == "then":
        chained = module.parent(above)
        given: Any = chained.args[0].value if type(chained) is p.Call and chained.args else None
        names = _names(given)
        return Received(given, names[0], True) if len(names) == 1 else None
    given = call.args[-1].value if call.args else None
    names = _names(given)
    if len(names) < 2 or names[0].id not in _ERRORS or type(above) is not p.Evaluate:
        return None
    return Received(given, names[1], False, tuple(names[2:]))


def is_used(module: Module, name: p.Name) -> bool:
    """Whether the function of a parameter uses it."""
    bound = module.lookup(name.id, name)
    return any(other is not name and other.id == name.id and module.lookup(other.id, other) is bound
               for other in module.nodes(p.Name))


def _names(given: Any) -> list[p.Name]:
    """The parameters of a function that is written where it is handed over, if all of them are plain names."""
    if type(given) is not p.Function or given.is_generator:
        return []
    names = [param.target for param in given.params if type(param.target) is p.Name]
    return names if len(names) == len(given.params) else []
