"""The functions of a Python file as its indentation shows them."""

from __future__ import annotations

import re
from functools import cache

from connlint.model.region import Region
from connlint.patterns import regex

CONSTRUCTORS = ("__init__", "__new__", "__post_init__")
_HEAD = regex(rb"(?:\A|\n)([ \t]*)(async[ \t]+def|def|class)[ \t]+([\w\x80-\xff]+)")
_DECORATED = regex(rb"@[^\n]*property\b[^\n]*(?:\n[ \t]*@[^\n]*)*\Z")
_BRACKET = regex(rb"[()]")


@cache
def _end(indent: int) -> re.Pattern[bytes]:
    """A line that stands no further in than ``indent`` and is neither blank, a comment nor a closing bracket."""
    return re.compile(rb"\n[ \t]{0,%d}[^\s#)\]}]" % indent)


def regions(data: bytes) -> list[Region]:
    """The bodies of all functions, in order. Where the text deceives, a region is too short rather than too long."""
    found: list[Region] = []
    open_: list[tuple[int, int, str, bool]] = []  # the definitions around: end, indent, name, whether it is a class
    for head in _HEAD.finditer(data):
        indent, name = len(head[1]), head[3].decode("utf-8", "replace")
        start = _signature(data, head.end())
        ended = _end(indent).search(data, start)
        end = ended.start() if ended is not None else len(data)
        while open_ and (open_[-1][0] <= head.start() or open_[-1][1] >= indent):
            open_.pop()
        is_class = head[2] == b"class"
        around = open_[-1] if open_ else None
        open_.append((end, indent, name, is_class))
        if is_class:
            continue
        if around is not None and around[3]:
            names = (around[2],) if name in CONSTRUCTORS else (name,)
            owner = "" if name in CONSTRUCTORS else around[2]
            getter = _DECORATED.search(data, max(0, head.start() - 200), head.start()) is not None
            found.append(Region(start, end, names, owner, getter=getter))
        else:
            found.append(Region(start, end, (name,), inner=around is not None))
    return found


def _signature(data: bytes, at: int) -> int:
    """Where the brackets of a signature end that starts at ``at``; its defaults belong to who defines the function."""
    depth = 0
    for mark in _BRACKET.finditer(data, at, at + 20_000):
        depth += 1 if mark[0] == b"(" else -1
        if depth <= 0:
            return mark.end()
    return at
