"""What Python's constructs become, wherever their tree comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.model import program as p
from connlint.model.source import Span

_METHOD_KINDS: dict[str, Any] = {
    "property": "get",
    "cached_property": "get",
    "staticmethod": "static",
    "setter": "set",
}


def joined(parts: list[Any], at: Span) -> Any:
    """One text, or a `Concat` in which no two texts stand side by side."""
    merged: list[Any] = []
    for part in parts:
        if type(part) is p.Text and merged and type(merged[-1]) is p.Text:
            merged[-1] = p.Text(merged[-1].value + part.value, (merged[-1].at[0], part.at[1]))
        else:
            merged.append(part)
    if not merged:
        return p.Text("", at)
    if len(merged) == 1 and type(merged[0]) is p.Text:
        return p.Text(merged[0].value, at)
    return p.Concat(tuple(merged), at)


def binary(operator: str, left: Any, right: Any, at: Span) -> Any:
    """``left operator right``: a `Concat` where texts are added."""
    if operator == "+":
        a, b = type(left), type(right)
        if a is p.Text or a is p.Concat or b is p.Text or b is p.Concat:
            parts = left.parts if a is p.Concat else (left,)
            return p.Concat((*parts, *(right.parts if b is p.Concat else (right,))), at)
    return p.Opaque(f"binary {operator}", (left, right), at)


def unary(operator: str, value: Any, at: Span) -> Any:
    """``operator value``: a number keeps its sign."""
    if operator == "not":
        return p.Not(value, at)
    if type(value) is p.Number and operator != "~":
        return p.Number(-value.value if operator == "-" else value.value, at)
    return p.Opaque(f"unary {operator}", (value,), at)


def comprehension(why: str, element: Any, clauses: list[tuple[Any, Any, list[Any], bool]], at: Span, end: int) -> Any:
    """``[element for target in iterable if test]``: functions that are evaluated at once, one in another.

    ``clauses`` are targets, iterables, tests and whether they are asynchronous, the outermost first.
    """
    body: Any = p.Return(element, element.at)
    for target, iterable, tests, is_async in reversed(clauses):
        for test in reversed(tests):
            body = p.If(test, (body,), (), (test.at[0], end))
        function = p.Function(None, (p.Param(target),), (body,), at, is_async, kind="inline")
        result = p.Opaque(why, (iterable, function), at)
        body = p.Return(result, at)
    return result


def raised(value: Any, cause: Any, end: int) -> Any:
    """``raise value from cause``, of which a cause that is a name is left out."""
    if type(cause) in (p.Name, p.Constant):
        return value
    return p.Opaque("raise from", (value, cause), (value.at[0], end))


def defined(lowering: Any, name: str, params: tuple[p.Param, ...], suite: Any, decorators: tuple[p.Expression, ...],
            name_at: Span, is_async: bool, end: Callable[[], Span]) -> p.Define:
    """A function. ``lowering`` (its `suite`, `in_class`, `yields`) lowers the body ``suite``, after which ``end`` says
    where all of it stands."""
    kind: Any = method_kind(name, decorators) if lowering.in_class else "function"
    outside = (lowering.in_class, lowering.yields)
    lowering.in_class = lowering.yields = False
    body = lowering.suite(suite)
    generator = lowering.yields
    lowering.in_class, lowering.yields = outside
    at = end()
    return p.Define(name, p.Function(name, params, body, at, is_async=is_async, is_generator=generator,
                                     decorators=decorators, kind=kind, name_at=name_at), at)


def method_kind(name: str, decorators: tuple[p.Expression, ...]) -> Any:
    """What a function is in its class."""
    for decorator in decorators:
        word = decorator.id if type(decorator) is p.Name else decorator.name if type(decorator) is p.Member else ""
        if word in _METHOD_KINDS:
            return _METHOD_KINDS[word]
    return "constructor" if name == "__init__" else "method"
