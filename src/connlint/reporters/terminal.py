"""Lines of text for people: safe characters, colours, and an excerpt of a source line with a stretch marked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cache

_STYLES = {
    "path": "1;4", "error": "1;31", "warning": "1;33", "note": "1;36", "rule": "2", "gutter": "34", "place": "36",
    "old": "31", "new": "32", "strong": "1", "faint": "2", "good": "1;32",
}
TAB = 4
"""Columns from one tab stop to the next, in excerpts."""


def paint(text: str, style: str, color: bool) -> str:
    """``text`` in one of the styles, or as it is."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color and text else text


def visible(text: str) -> str:
    """``text`` with every character spelled that would move the cursor, change colours or the direction of writing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u00a0" else _spelled(c) for c in text)


@cache
def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a path that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _cell(character: str, column: int) -> tuple[str, int]:
    """How a character is shown at ``column``, and how many columns it takes."""
    if character == "\t":
        size = TAB - column % TAB
        return " " * size, size
    if not character.isprintable() and character != "\u00a0":
        shown = _spelled(character)
        return shown, len(shown)
    if character.isascii():
        return character, 1
    from unicodedata import combining, east_asian_width

    if combining(character) or character in "\u200b\u200d\ufe0f":
        return character, 0
    return character, 2 if east_asian_width(character) in "WF" else 1


def excerpt(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """``line`` as it is shown in at most ``room`` columns, and the columns from and to which it is to be marked.

    ``start`` and ``end`` are characters of ``line``. Of a longer line the surroundings of ``start`` are shown, between
    ellipses.
    """
    if len(line) > 6 * room:  # a minified line: only what is around the stretch is measured
        cut = max(0, start - 3 * room)
        line, start, end = line[cut : start + 3 * room], start - cut, end - cut
    end = max(start, min(end, len(line)))
    if line.isascii() and line.isprintable():
        shown, at, size = list(line), list(range(len(line) + 1)), len(line)
    else:
        shown, at, size = [], [0], 0
        for character in line:
            text, columns = _cell(character, size)
            size += columns
            shown.append(text)
            at.append(size)
    if size <= room:
        return "".join(shown), at[start], max(at[end], at[start] + 1)
    context = max(4, min(room // 4, room - (at[end] - at[start]) - 8))
    # where the end is near, more is shown of what stands before it
    first = bisect_left(at, max(0, min(at[start] - context, size - room + 1)))
    lead = "…" if first else ""
    last = len(shown)
    if at[last] - at[first] > room - len(lead):
        last = bisect_right(at, at[first] + room - len(lead) - 1) - 1
    text = lead + "".join(shown[first:last]) + ("…" if last < len(shown) else "")
    base = len(lead) - at[first]
    return text, at[start] + base, max(min(at[end], at[last]) + base, at[start] + base + 1)


def wrap(text: str, room: int | None) -> list[str]:
    """``text`` in lines of at most ``room`` characters, cut at spaces; in one line where ``room`` is None."""
    if room is None or len(text) <= room:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > max(room, 20):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
