"""Variables that get another value where they have none: ``if not url: url = …``, ``url = url or …``, ``url ??= …``."""

from __future__ import annotations

from typing import Any, Literal

from connlint.model import program as p
from connlint.project.conditions import Condition
from connlint.project.possible import Possible, Read, merged

Filled = Literal["", "nothing", "falsy"]
"""What a later assignment replaces of an earlier value: nothing of it, null and undefined, or an empty text as well."""


def filled_later(values: list[tuple[Any, list[Possible], tuple[Condition, ...]]],
                 ) -> list[tuple[set[int], tuple[Read, ...]]]:
    """Of the values that a variable is given, each with its node, what it may be and the conditions: which of these
    (by `id`) a later one replaces, and the reads that gave nothing where it replaces an earlier one."""
    gone: list[set[int]] = [set() for _ in values]
    without: list[list[Read]] = [[] for _ in values]
    for place, (node, row, held) in enumerate(values):
        over = {(id(c.test), c.truth) for c in held}
        for later, (other, _, conditions) in enumerate(values):
            if other.at[0] <= node.at[0] or not over <= {(id(c.test), c.truth) for c in conditions}:
                continue
            filled = filled_by(other, [c for c in conditions if (id(c.test), c.truth) not in over])
            replaced = [q for q in row if (q.nothing if filled == "nothing" else filled and q.falsy)]
            gone[place].update(id(q) for q in replaced)
            without[later] += [read for q in replaced for read in q.absent]
    return [(gone[at], merged((tuple(without[at]),))) for at in range(len(values))]


def filled_by(node: Any, beyond: list[Condition]) -> Filled:
    """What the assignment ``node`` surely replaces of the values that its target may have had before.

    ``beyond`` are the conditions under which it is made and the earlier assignment was not.
    """
    target = getattr(node, "target", None)
    if type(target) not in (p.Name, p.Member):
        return ""
    if beyond:
        return _asks_for(beyond[0].test, beyond[0].truth, target) if len(beyond) == 1 else ""
    if type(node) is p.Assign and node.op:
        return "falsy" if node.op == "or" else "nothing" if node.op == "nullish" else ""
    value = getattr(node, "value", None)  # a loop gives its variable none that is written out
    if type(value) is p.Conditional:
        for branch, truth in ((value.then, True), (value.otherwise, False)):
            if not _is_same(branch, target):
                return _asks_for(value.test, truth, target)
    while type(value) is p.Logical and value.op in ("or", "nullish"):
        if _is_same(value.left, target):
            return "falsy" if value.op == "or" else "nothing"
        value = value.left
    return ""


def _asks_for(test: Any, truth: bool, target: Any) -> Filled:
    """What ``target`` cannot be where ``test`` does not come out as ``truth``."""
    while type(test) is p.Not:
        test, truth = test.value, not truth
    if type(test) is p.Logical and test.op != "nullish":
        if truth != (test.op == "or"):
            return ""
        sides = [side for side in (_asks_for(test.left, truth, target), _asks_for(test.right, truth, target)) if side]
        return "falsy" if "falsy" in sides else sides[0] if sides else ""
    if type(test) is p.Compare and truth == (test.op == "=="):
        for side, other in ((test.left, test.right), (test.right, test.left)):
            if type(other) is p.Constant and other.value in ("null", "undefined") and _is_same(side, target):
                return "nothing"
            if type(other) is p.Text and other.value == "undefined" and type(side) is p.Opaque and len(
                    side.parts) == 1 and _is_same(side.parts[0], target):
                return "nothing"
            if type(other) is p.Text and other.value == "" and _is_same(side, target):
                return "falsy"  # who asks for the empty text has given one where there is nothing
        return ""
    return "falsy" if not truth and _is_same(test, target) else ""


def _is_same(one: Any, other: Any) -> bool:
    """Whether two expressions name the same variable, or the same attribute of it."""
    if type(one) is not type(other):
        return False
    if type(one) is p.Name:
        return bool(one.id == other.id)
    if type(one) is p.Member:
        return bool(one.name == other.name) and _is_same(one.of, other.of)
    return False
