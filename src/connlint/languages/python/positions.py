"""Character offsets of a lowered program as byte offsets of the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from connlint.model import program as p
from connlint.model.source import Source
from connlint.patterns import regex

_SPANS = ("at", "name_at", "module_at")
_WIDE = regex(r"[^\x00-\x7f]")


def byte_offsets(source: Source) -> Callable[[int], int]:
    """A function from character offsets of ``source.text`` to byte offsets of ``source.data``."""
    if source.one_byte_characters:
        return source.bom.__add__
    if source.encoding != "utf-8":
        return source.char_to_byte
    starts, shifts = [0], [source.bom]
    shift = source.bom
    for match in _WIDE.finditer(source.text):
        shift += 1 if match[0] < "\u0800" else 2 if match[0] < "\U00010000" else 3
        starts.append(match.end())
        shifts.append(shift)
    return lambda offset: offset + shifts[bisect_right(starts, offset) - 1]


def in_bytes(program: p.Program, to_byte: Callable[[int], int]) -> None:
    """Turn all positions of ``program`` from characters into bytes, in place."""
    _convert([*program.body, *program.comments, *program.problems], to_byte)


def _convert(nodes: Iterable[Any], to_byte: Callable[[int], int]) -> None:
    done: set[int] = set()
    spans: dict[type, tuple[str, ...]] = {}
    todo = list(nodes)
    while todo:
        node = todo.pop()
        # A value that several targets share is converted once.
        if id(node) in done:
            continue
        done.add(id(node))
        kind = type(node)
        names = spans.get(kind)
        if names is None:
            names = spans[kind] = tuple(name for name in _SPANS if name in kind.__struct_fields__)
        for name in names:
            at = getattr(node, name)
            if at is not None:
                setattr(node, name, (to_byte(at[0]), to_byte(at[1])))
        todo.extend(p.children(node))
