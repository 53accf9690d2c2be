"""Texts with places that an operator or a method of Python fills: ``"%s/%s" % (base, path)``, ``"{}".format(base)``."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

from connlint.model import program as p
from connlint.patterns import regex

_PLACE = regex(r"%(?:%|(?:\((?P<name>\w+)\))?[#0\- +]*\d*(?:\.\d+)?[sdirf])")


def template(expression: Any) -> tuple[p.Text, list[Any]] | None:
    """The text with the places, and what it is made of in order: strings, and the expressions that fill the places.

    None for anything else, and where a place is filled with something that cannot be told from the call.
    """
    kind = type(expression)
    if kind is p.Opaque and expression.why == "binary %" and len(expression.parts) == 2 and (
            type(expression.parts[0]) is p.Text):
        text, given = expression.parts
        parts = _percent(text.value, given)
    elif kind is p.Call and type(expression.callee) is p.Member and expression.callee.name == "format" and (
            type(expression.callee.of) is p.Text):
        text = expression.callee.of
        parts = _braces(text.value, expression.args)
    else:
        return None
    return (text, parts) if parts is not None else None


def _percent(text: str, given: Any) -> list[Any] | None:
    """``text`` filled as the operator ``%`` does it."""
    values = list(given.items) if type(given) is p.Sequence and given.kind == "tuple" else [given]
    if any(type(value) is p.Spread for value in values):
        return None
    parts: list[Any] = []
    end = 0
    for place in _PLACE.finditer(text):
        parts.append(text[end:place.start()])
        end = place.end()
        if place[0] == "%%":
            parts.append("%")
        elif place["name"] is not None or not values:
            return None
        else:
            parts.append(values.pop(0))
    return [*parts, text[end:]]


def _braces(text: str, args: tuple[p.Argument, ...]) -> list[Any] | None:
    """``text`` filled as ``str.format`` does it, by number or by name."""
    if any(item.spread for item in args):
        return None
    placed = [item.value for item in args if item.name is None]
    named = {item.name: item.value for item in args if item.name is not None}
    parts: list[Any] = []
    count = 0
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        return None
    for literal, field, _, _ in fields:
        parts.append(literal)
        if field is None:
            continue
        if field == "":
            field, count = str(count), count + 1
        if not re.fullmatch(r"\w+", field):
            return None
        value = named.get(field) if not field.isdecimal() else placed[int(field)] if int(field) < len(placed) else None
        if value is None:
            return None
        parts.append(value)
    return parts
