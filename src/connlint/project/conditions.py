"""Under which conditions a place of a program is reached, as far as tests around it and before it say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.project.module import Module


class Condition(Struct, frozen=True, eq=False):
    """``test``, evaluated in ``module``, came out as ``truth``."""

    module: Module
    test: p.Expression
    truth: bool


def conditions(module: Module, node: Any, inside: Any = None,
               leaves: Callable[[Module, p.Statement], bool] | None = None) -> list[Condition]:
    """Every condition that holds where ``node`` is evaluated, the innermost first.

    Tests of the branches around it, and tests of earlier branches of the same block that end in ``return``, ``raise``
    and the like (``leaves`` tells further statements that do not come back). With ``inside``, only what stands within
    that node counts.
    """
    return list(_conditions(module, node, inside, leaves))


def _conditions(module: Module, node: Any, inside: Any,
                leaves: Callable[[Module, p.Statement], bool] | None) -> Iterator[Condition]:
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.If:
            if _among(below, above.then):
                yield Condition(module, above.test, True)
                yield from _before(module, below, above.then, leaves)
            elif _among(below, above.otherwise):
                yield Condition(module, above.test, False)
                yield from _before(module, below, above.otherwise, leaves)
        elif kind is p.Conditional:
            if below is not above.test:
                yield Condition(module, above.test, below is above.then)
        elif kind is p.Logical:
            if below is above.right and above.op != "nullish":
                yield Condition(module, above.left, above.op == "and")
        elif kind is p.Loop:
            if above.test is not None and _among(below, above.body):
                yield Condition(module, above.test, True)
            yield from _before(module, below, above.body, leaves)
        elif kind is p.Case:
            switch = module.parent(above)
            if type(switch) is p.Switch and below is not above.test:
                yield from _case(module, switch, above)
            yield from _before(module, below, above.body, leaves)
        else:
            for block in _blocks(above, kind):
                if _among(below, block):
                    yield from _before(module, below, block, leaves)
                    break
        if above is inside:
            return
        below = above


def _among(node: Any, block: tuple[Any, ...]) -> bool:
    return any(node is item for item in block)


def _blocks(above: Any, kind: type) -> tuple[tuple[Any, ...], ...]:
    if kind in (p.Program, p.Function, p.Class, p.Block, p.With, p.Handler):
        return (above.body,)
    if kind is p.Try:
        return (above.body, above.otherwise, above.always)
    return ()


def _before(module: Module, node: Any, block: tuple[Any, ...],
            leaves: Callable[[Module, p.Statement], bool] | None) -> Iterator[Condition]:
    exits = _exits(module, block, leaves)
    if not exits:
        return
    place = next((at for at, statement in enumerate(block) if statement is node), len(block))
    for at, condition in exits:
        if at >= place:
            return
        yield condition


def _exits(module: Module, block: tuple[Any, ...],
           leaves: Callable[[Module, p.Statement], bool] | None) -> list[tuple[int, Condition]]:
    """The tests in ``block`` of which one branch does not come back, each with its place and what is true behind it."""
    memo: dict[Any, list[tuple[int, Condition]]] = module.memo.setdefault(_exits, {})
    key = (id(block), leaves)
    if key not in memo:
        found = memo[key] = []
        for at, statement in enumerate(block):
            if type(statement) is p.If:
                if ends(module, statement.then, leaves):
                    if not ends(module, statement.otherwise, leaves):
                        found.append((at, Condition(module, statement.test, False)))
                elif statement.otherwise and ends(module, statement.otherwise, leaves):
                    found.append((at, Condition(module, statement.test, True)))
    return memo[key]


def _case(module: Module, switch: p.Switch, case: p.Case) -> Iterator[Condition]:
    if case.test is not None:
        yield Condition(module, p.Compare("==", switch.subject, case.test, case.at), True)
        return
    for other in switch.cases:
        if other.test is not None:
            yield Condition(module, p.Compare("==", switch.subject, other.test, other.at), False)


def apart(module: Module, one: Any, other: Any) -> bool:
    """Whether two nodes stand in different arms of one decision, so that a way comes past one of them at most, unless
    it goes round."""
    chain = {id(above): below for below, above in _climb(module, one)}
    for below, above in _climb(module, other):
        if id(above) in chain and type(above) in (p.If, p.Conditional, p.Switch):
            mine = chain[id(above)]
            if mine is not below and type(above) is not p.If:
                return True
            if type(above) is p.If:
                return _among(mine, above.then) != _among(below, above.then)
    return False


def _climb(module: Module, thing: Any) -> Iterator[tuple[Any, Any]]:
    below = thing
    for above in module.parents(thing):
        yield below, above
        below = above


def ends(module: Module, block: tuple[Any, ...],
         leaves: Callable[[Module, p.Statement], bool] | None = None) -> bool:
    """Whether no path through ``block`` comes out at its end."""
    if not block:
        return False
    last = block[-1]
    kind = type(last)
    if kind in (p.Return, p.Raise, p.Break, p.Continue):
        return True
    if kind is p.If:
        return bool(last.otherwise) and ends(module, last.then, leaves) and ends(module, last.otherwise, leaves)
    if kind is p.Block:
        return ends(module, last.body, leaves)
    return leaves is not None and leaves(module, last)
