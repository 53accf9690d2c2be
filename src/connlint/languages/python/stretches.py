"""Where the top-level statements of a Python file start, found without parsing it.

A *stretch* is one statement at column zero with everything that belongs to it: its decorators, its block, its
``else``. Stretches can be parsed one by one, so that only those that matter need to be. The scanner knows strings,
comments, brackets and continued lines and nothing else; where it cannot be sure, it says so (`Stretches.doubtful`).
All of these are ASCII, so that the text may also be a view of UTF-8 bytes (see `Cursor`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal

from msgspec import Struct, field

from connlint.languages.python.cursor import TRIVIA
from connlint.languages.python.nesting import MAX_BRACKETS
from connlint.patterns import regex

MAX_FORMATTED = 20
"""f-strings inside one another that are followed; parsing takes a power of their number."""

StretchKind = Literal["definition", "table", "other"]
"""A ``def`` or ``class``; an assignment of something in brackets; anything else."""

# Every alternative starts with a literal, which lets the engine skip to the next of these characters.
_MARKS = regex(
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
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_GROUPS = _MARKS.groupindex
_OPENING = frozenset(_GROUPS[name] for name in ("open", "open_", "open__"))
_CLOSING = frozenset(_GROUPS[name] for name in ("close", "close_", "close__"))
_LINES = frozenset(_GROUPS[name] for name in ("line", "line_"))

_F_PREFIX = regex(r"(?<!\w)(?:[fFtT][rR]?|[rR][fFtT])\Z")
_PLAIN_FIELDS = regex(r"[^{]*(?:\{\{[^{]*|\{[^\"'{}\\#]*\}[^{]*)*\Z", re.DOTALL)
_DEFINITION = regex(r"(?:async[ \t]+)?(?:def|class)[ \t]+([\w\x80-\xff]+)")
_CONTINUES = regex(r"(?:else|elif|except|finally)\b")
_RESTART = regex(
    r"(?:async[ \t]+def|def|class)[ \t]+[\w\x80-\xff]+[ \t]*[(:\[]|import[ \t]+\w|from[ \t]+\S+[ \t]+import\b"
)
_TABLE = regex(r"([\w\x80-\xff]+)[ \t]*(?::[^=\n]+)?=[ \t]*[\[({]")


class Stretch(Struct):
    """``start`` is the first character of the statement, ``end`` where the next one starts (or the text ends)."""

    start: int
    end: int
    kind: StretchKind = "other"
    name: str = ""
    too_deep: bool = False


class Stretches(Struct):
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
    first = TRIVIA.match(text).end()  # type: ignore[union-attr]
    if first < len(text):
        starts.append(first)
    restarted = True
    while restarted:
        restarted = False
        for mark in _MARKS.finditer(text, pos):
            group = mark.lastindex
            if group in _OPENING:
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
                    # No bracket holds such a line: one was never closed.
                    depth = 0
                    found.doubtful = True
                if starts[-1:] != [at]:
                    starts.append(at)
            elif text[mark.start()] == "#":
                found.comments.append(mark.span())
            elif text[mark.start()] != "\\":
                end = _end_of_string(text, mark)
                if end < 0:
                    found.doubtful = True
                elif end != mark.end():
                    pos = end
                    restarted = True
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
    starts = [stretch.start for stretch in items]
    for at in deep:
        items[bisect_right(starts, at) - 1].too_deep = True


def end_of_string(text: str, at: int) -> int:
    """Where the string ends whose first quote stands at ``at``, behind its prefix; -1 if it does not end."""
    mark = _MARKS.match(text, at)
    return -1 if mark is None else _end_of_string(text, mark)


def _end_of_string(text: str, mark: re.Match[str], inside: int = 0) -> int:
    """Where the string ends whose first quote ``mark`` has found; -1 if it does not end.

    ``inside`` counts the f-strings around it.
    """
    at = mark.start()
    if at and text[at - 1] in "fFtTrR" and _F_PREFIX.search(text, max(0, at - 3), at):
        if mark.lastindex is not None or not _PLAIN_FIELDS.match(text, at + 1, mark.end()):
            return _end_of_formatted(text, at, "r" in text[max(0, at - 2) : at].lower(), inside + 1)
    return mark.end() if mark.lastindex is None else -1


def _end_of_formatted(text: str, at: int, raw: bool, inside: int) -> int:
    """Where the f-string ends whose quotes start at ``at``; -1 if it does not end.

    Since Python 3.12 a replacement field may hold any string, even with the same quotes.
    """
    if inside > MAX_FORMATTED:
        return -1
    quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
    pos, size = at + len(quote), len(text)
    # For each open replacement field, innermost last: its depth of brackets, or None in its format specification.
    fields: list[int | None] = []
    while pos < size:
        c = text[pos]
        step = 1
        if fields and fields[-1] is not None:
            depth = fields[-1]
            if c in "\"'#":
                mark = _MARKS.match(text, pos)
                end = -1 if mark is None else mark.end() if c == "#" else _end_of_string(text, mark, inside)
                if end < 0:
                    return -1
                step = end - pos
            elif c in "([{":
                fields[-1] = depth + 1
            elif c in ")]}":
                if depth:
                    fields[-1] = depth - 1
                elif c == "}":
                    fields.pop()
                else:
                    return -1
            elif c == ":" and not depth:
                fields[-1] = None
        elif text.startswith(quote, pos):
            return pos + len(quote) if not fields else -1
        elif c == "\\" and not raw and text.startswith("N{", pos + 1):
            step = max(text.find("}", pos) + 1 - pos, 1)
        elif c == "\\":
            step = 1 if text.startswith("{", pos + 1) else 2
        elif c == "{":
            if not fields and text.startswith("{{", pos):
                step = 2
            elif len(fields) == MAX_BRACKETS:
                return -1
            else:
                fields.append(0)
        elif c == "}" and fields:
            fields.pop()
        elif c in "\r\n" and len(quote) == 1:
            return -1
        pos += step
    return -1


def texts_over_lines(text: str) -> list[tuple[int, int]]:
    """Character spans of the strings that go over several lines, without their prefixes; their lines are content."""
    spans: list[tuple[int, int]] = []
    pos = 0
    while (mark := _MARKS.search(text, pos)) is not None:
        pos = max(mark.end(), mark.start() + 1)
        if text[mark.start()] in "\"'":
            pos = max(pos, _end_of_string(text, mark))
            if "\n" in text[mark.start() : pos] or "\r" in text[mark.start() : pos]:
                spans.append((mark.start(), pos))
    return spans
