"""Where the top-level statements of a Python file start, found without parsing it.

A *stretch* is one statement at column zero with everything that belongs to it: its decorators, its block, its
``else``. Stretches can be parsed one by one, so that only those that matter need to be. The scanner knows strings,
comments, brackets and continued lines and nothing else; where it cannot be sure, it says so (`Stretches.doubtful`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

StretchKind = Literal["definition", "table", "other"]

MAX_BRACKETS = 200
"""CPython's own limit ("too many nested parentheses"); native parsers overflow their stack not far above."""
MAX_CHAIN = 1000
"""Operators, calls and keywords that may nest in one expression; beyond, parsing takes quadratic time and stack."""
MAX_INDENTS = 100
"""CPython's own limit ("too many levels of indentation")."""

# Every alternative starts with a literal, which lets the engine skip to the next of these characters.
_MARKS = re.compile(
    r"""
      "(?:""(?:[^"\\]|\\.|"(?!""))*+(?:\"""|(?P<open1>\Z))|(?:[^"\\\r\n]|\\(?:\r\n|.))*+(?:"|(?P<open2>)))
    | '(?:''(?:[^'\\]|\\.|'(?!''))*+(?:'''|(?P<open3>\Z))|(?:[^'\\\r\n]|\\(?:\r\n|.))*+(?:'|(?P<open4>)))
    | \#[^\r\n]*+
    | \((?P<open>) | \[(?P<open_>) | \{(?P<open__>)
    | \)(?P<close>) | \](?P<close_>) | \}(?P<close__>)
    | \\\r?\n
    | \n(?=[^\s\#)\]}])(?P<line>)
    | \r(?=[^\s\#)\]}])(?P<line_>)
    """,
    re.VERBOSE | re.DOTALL,
)
_GROUPS = _MARKS.groupindex
_OPENING = frozenset(_GROUPS[name] for name in ("open", "open_", "open__"))
_CLOSING = frozenset(_GROUPS[name] for name in ("close", "close_", "close__"))
_LINES = frozenset(_GROUPS[name] for name in ("line", "line_"))

_F_PREFIX = re.compile(r"(?<![^\W_])(?<!_)(?:[fFtT][rR]?|[rR][fFtT])\Z")
_PLAIN_FIELDS = re.compile(r"[^{]*(?:\{\{[^{]*|\{[^\"'{}\\#]*\}[^{]*)*\Z", re.DOTALL)
_DEFINITION = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_CONTINUES = re.compile(r"(?:else|elif|except|finally)\b")
_RESTART = re.compile(
    r"(?:async[ \t]+def|def|class)[ \t]+\w+[ \t]*[(:\[]|import[ \t]+\w|from[ \t]+[.\w]+[ \t]+import\b"
)
_TABLE = re.compile(r"(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*[\[({]")


@dataclass(slots=True)
class Stretch:
    """``start`` is the first character of the statement, ``end`` where the next one starts (or the text ends)."""

    start: int
    end: int
    kind: StretchKind = "other"
    name: str = ""
    too_deep: bool = False


@dataclass(slots=True)
class Stretches:
    """``comments`` are character spans with the ``#``; ``doubtful`` says that the text is broken somewhere."""

    items: list[Stretch] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)
    doubtful: bool = False


def split(text: str) -> Stretches:
    """The stretches of ``text``. Linear in its length; never fails."""
    found = Stretches()
    starts: list[int] = []
    deep: list[int] = []
    depth = pos = 0
    first = re.compile(r"(?:[ \t\f\r\n]+|#[^\r\n]*)*+").match(text)
    assert first is not None
    if first.end() < len(text):
        starts.append(first.end())
        if first.end() and text[first.end() - 1] not in "\r\n":
            found.doubtful = True  # indented, or after a form feed
    size = len(text)
    while True:
        for mark in _MARKS.finditer(text, pos):
            group = mark.lastindex
            if group is None:
                at = mark.start()
                quote = text[at]
                if quote == "#":
                    found.comments.append(mark.span())
                elif quote != "\\" and at and text[at - 1] in "fFtTrR" and _F_PREFIX.search(text, max(0, at - 3), at):
                    if not _PLAIN_FIELDS.match(text, at + 1, mark.end()):
                        pos = _end_of_formatted(text, at)
                        if pos != mark.end():
                            if pos < 0:
                                found.doubtful = True
                                pos = mark.end()
                            break
            elif group in _OPENING:
                depth += 1
                if depth > MAX_BRACKETS:
                    deep.append(mark.start())
            elif group in _CLOSING:
                depth -= 1
                if depth < 0:
                    depth = 0
                    found.doubtful = True
            elif group in _LINES:
                at = mark.end()
                if depth:
                    if not _RESTART.match(text, at):
                        continue
                    depth = 0
                    found.doubtful = True
                starts.append(at)
            else:
                found.doubtful = True
        else:
            break
        if pos >= size:
            break
    if depth:
        found.doubtful = True
    _assemble(text, starts, deep, found)
    return found


def _assemble(text: str, starts: list[int], deep: list[int], found: Stretches) -> None:
    """Turn the starts of logical lines at column zero into stretches."""
    decorated = False
    items = found.items
    for start in starts:
        if decorated or (items and _CONTINUES.match(text, start)):
            stretch = items[-1]
        else:
            stretch = Stretch(start, start)
            if items:
                items[-1].end = start
            items.append(stretch)
        decorated = text[start] == "@"
        if not decorated and (match := _DEFINITION.match(text, start)):
            stretch.kind, stretch.name = "definition", match[1]
        elif stretch.start == start and (match := _TABLE.match(text, start)):
            stretch.kind, stretch.name = "table", match[1]
    if items:
        items[-1].end = len(text)
    if deep:
        for stretch in items:
            stretch.too_deep = any(stretch.start <= at < stretch.end for at in deep[:1000])


def _end_of_formatted(text: str, quote_at: int) -> int:
    """Where the f-string ends whose quotes start at ``quote_at``; -1 if it does not end.

    Since Python 3.12 a replacement field may hold any string, even with the same quotes.
    """
    quote = text[quote_at : quote_at + 3] if text[quote_at : quote_at + 3] in ('"""', "'''") else text[quote_at]
    pos, size = quote_at + len(quote), len(text)
    # Bracket depth in each open replacement field, innermost last; -1 stands for its format specification.
    fields: list[int] = []
    while pos < size:
        c = text[pos]
        if not fields or fields[-1] < 0:
            if text.startswith(quote, pos):
                return pos + len(quote) if not fields else -1
            if c == "\\" and not fields:
                pos += 2
                if text.startswith("{", pos - 1) and text.startswith("{{", pos - 1) is False:
                    pos -= 1
                continue
            if c == "{":
                if text.startswith("{{", pos) and not fields:
                    pos += 2
                    continue
                fields.append(0)
                if len(fields) > MAX_BRACKETS:
                    return -1
            elif c == "}" and fields:
                fields.pop()
            elif c in "\r\n" and len(quote) == 1:
                return -1
        elif c in "\"'":
            mark = _MARKS.match(text, pos)
            if mark is None or mark.lastindex is not None:
                return -1
            nested = pos
            pos = mark.end()
            if text[nested - 1] in "fFtTrR" and _F_PREFIX.search(text, max(0, nested - 3), nested):
                pos = _end_of_formatted(text, nested)
                if pos < 0:
                    return -1
            continue
        elif c == "#":
            pos = mark.end() if (mark := _MARKS.match(text, pos)) else pos + 1
            continue
        elif c in "([{":
            fields[-1] += 1
        elif c in ")]}":
            if fields[-1]:
                fields[-1] -= 1
            elif c == "}":
                fields.pop()
            else:
                return -1
        elif c == ":" and not fields[-1]:
            fields[-1] = -1
        pos += 1
    return -1
