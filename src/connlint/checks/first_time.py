"""Flags that let something happen the first time only: one that is asked for before and set on the same way, a variable
that keeps what is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.checks.lifecycles import last_word
from connlint.model import program as p
from connlint.project.conditions import conditions
from connlint.project.module import Module


def flagged(module: Module, thing: Any, function: p.Function | None) -> bool | None:
    """Whether a flag lets ``thing`` happen once only: one that is asked for before, and set on the same way.

    That may be the variable that keeps what is made.
    True where the flag is the file's own, False where it is an object's or a function's.
    """
    if function is None:
        return None
    if any(_is_of_the_file(module, flag, function) for flag in _filled(module, thing, function)):
        return True
    for held in conditions(module, thing, inside=function):
        for flag in _denied(held.test, held.truth):
            word = last_word(flag)
            assigns: list[Any] = [*module.nodes(p.Assign), *module.nodes(p.Let)]
            for assign in assigns:
                if last_word(assign.target) != word or not _sets(module, assign, thing):
                    continue
                if module.function(assign) is function and type(assign.target) is type(flag):
                    return _is_of_the_file(module, flag, function)
    return None


def _filled(module: Module, thing: Any, function: p.Function) -> Iterator[Any]:
    """What gets the value that ``thing`` makes where it has none: ``kept ??= made()``, ``kept ?? (kept = made())``."""
    for above in module.parents(thing):
        if above is function:
            return
        if type(above) is p.Assign and above.op in ("or", "nullish"):
            yield above.target
        elif type(above) is p.Assign and type(choice := module.parent(above)) is p.Logical:
            if choice.op in ("or", "nullish") and choice.right is above and last_word(choice.left) == last_word(
                    above.target):
                yield above.target


def _is_of_the_file(module: Module, flag: Any, function: p.Function) -> bool:
    """Whether there is one ``flag`` for the whole program: a variable of the file, or an attribute of a class."""
    name = flag.of if type(flag) is p.Member else flag
    if type(name) is not p.Name:
        return False
    if type(flag) is p.Member and name.id in ("this", "cls"):
        return function.kind == "static" or name.id == "cls"
    found = module.lookup(name.id, name)
    if type(flag) is p.Member:
        return len(found) == 1 and type(found[0].node) is p.Define and type(found[0].node.value) is p.Class
    return any(d.node is not None and module.function(d.node) is None for d in found)


def _sets(module: Module, assign: Any, thing: Any) -> bool:
    """Whether an assignment raises a flag: it says ``true``, or keeps what ``thing`` makes."""
    value = assign.value
    return (type(value) is p.Constant and value.value == "true") or any(
        above is assign for above in module.parents(thing))


def _is_nothing(side: Any) -> bool:
    """Whether an expression is ``null``, ``None`` or ``undefined``."""
    return type(side) is p.Constant and side.value in ("null", "undefined")


def _denied(test: Any, truth: bool) -> list[Any]:
    """The names and attributes that are false where ``test`` comes out as ``truth``."""
    kind = type(test)
    if kind is p.Not:
        return _denied(test.value, not truth)
    if kind is p.Logical and test.op == ("and" if truth else "or"):
        return _denied(test.left, truth) + _denied(test.right, truth)
    if kind is p.Compare and test.op == ("==" if truth else "!=") and _is_nothing(test.right):
        return _denied(test.left, False)
    return [test] if kind in (p.Name, p.Member) and not truth else []
