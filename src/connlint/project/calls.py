"""How calls are written: their arguments, and the chains that method calls make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.project.module import Module


def argument(call: p.Call, places: list[str] | tuple[str, ...]) -> p.Expression | None:
    """The argument of ``call`` at the first of ``places`` that is given: a position or a keyword.

    In JavaScript a keyword is the key of an object literal among the arguments.
    """
    for place in places:
        if place.isdigit():
            index = int(place)
            positional = 0
            for item in call.args:
                if item.spread:
                    break
                if item.name is None:
                    if positional == index:
                        return item.value
                    positional += 1
        else:
            for item in call.args:
                if item.name == place:
                    return item.value
    return None


def chain_above(module: Module, node: p.Expression) -> Iterator[tuple[str, p.Call]]:
    """The method calls that follow on ``node``: ``node.a(…).b(…)`` gives a and b with their calls."""
    below: Any = node
    while True:
        member = module.parent(below)
        if type(member) is not p.Member or member.of is not below:
            return
        call = module.parent(member)
        if type(call) is not p.Call or call.callee is not member:
            return
        yield member.name, call
        below = call


def chain_below(call: Any) -> Iterator[tuple[str, p.Call]]:
    """The method calls of the chain that ends in ``call``, the last first."""
    while type(call) is p.Call and type(call.callee) is p.Member:
        yield call.callee.name, call
        call = call.callee.of
