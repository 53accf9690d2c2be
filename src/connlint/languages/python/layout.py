"""The lines of a Python file as edits need them: blocks, indentation, and the proof that an edit holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from connlint.languages.edits import line_start, proved
from connlint.languages.python.read import read
from connlint.languages.python.stretches import split, texts_over_lines
from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.model.source import Source, Span

# -- blocks -----------------------------------------------------------------------------------------------------------


def block_of(body: Sequence[p.Statement], at: Span) -> Sequence[p.Statement] | None:
    """The statements in a row among which one stands exactly at ``at``."""
    if any(statement.at == at for statement in body):
        return body
    for statement in body:
        if statement.at[0] <= at[0] and at[1] <= statement.at[1]:
            for inner in _blocks(statement):
                if (found := block_of(inner, at)) is not None:
                    return found
    return None


def _blocks(statement: Any) -> Iterator[Sequence[p.Statement]]:
    if type(statement) is p.Define:
        yield statement.value.body
        return
    for name in ("body", "then", "otherwise", "always"):
        yield getattr(statement, name, ())
    for name in ("handlers", "cases"):
        for part in getattr(statement, name, ()):
            yield part.body


# -- lines ------------------------------------------------------------------------------------------------------------


def next_line(source: Source, offset: int) -> int | None:
    """The start of the line after that of ``offset``; None where more than a comment follows on the line."""
    starts = source.line_starts()
    line = source.line(offset)
    stop = starts[line] if line < len(starts) else len(source.data)
    rest = source.slice((offset, stop)).strip(" \t\f\r\n")
    return stop if not rest or rest.startswith("#") else None


def line_of(source: Source, at: Span) -> tuple[int | None, str]:
    """The start of the line on which the statement at ``at`` is the first, and its indentation."""
    start = line_start(source, at[0])
    indent = source.slice((start, at[0]))
    return (start, indent) if not indent.strip(" \t\f") else (None, "")


def indent_unit(source: Source, start: int | None, indent: str) -> str:
    """One more level of indentation, as the lines above do it, or the first block of the file."""
    if indent and start is not None:
        for line in reversed(source.text[: source.byte_to_char(start)].splitlines()):
            above = line[: len(line) - len(line.lstrip(" \t"))]
            if line.strip() and len(above) < len(indent) and indent.startswith(above):
                return indent[len(above) :]
    found = re.search(r":[ \t]*(?:#.*)?[\r\n]+([ \t]+)[^\s#]", source.text)
    return found[1] if found else "    "


def indented_lines(source: Source, at: Span, unit: str) -> str:
    """The lines at ``at``, one level deeper; empty lines and the inside of texts stay as they are."""
    begin = source.byte_to_char(at[0])
    text = source.slice(at)
    fixed = [(a - begin, b - begin) for a, b in texts_over_lines(source.text) if b > begin]
    lines, position = [], 0
    for line in re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text):
        inside = any(a < position < b for a, b in fixed)
        lines.append(line if inside or not line.strip() else unit + line)
        position += len(line)
    return "".join(lines)


# -- proof ------------------------------------------------------------------------------------------------------------


def proved_edit(source: Source, fix: Fix, *, keeps: bool = True) -> Fix | None:
    """See `connlint.languages.edits.proved`; nothing is offered for notebooks."""
    if source.path.endswith(".ipynb"):
        return None
    return proved(source, fix, read, keeps=keeps, cookie=True, parts=_touched)


def _touched(before: Source, after: Source, fix: Fix) -> tuple[Source, Source, int]:
    """The statements that the edits touch, before and after, and where they start; both files where the others are not
    plainly the same.

    What stands around them is the same text and, as the scanner sees it, the same statements: parsing a long file of
    settings once for each of them would take longer than all else.
    """
    old, new = split(before.data.decode("latin-1")), split(after.data.decode("latin-1"))
    if before.encoding != "utf-8" or before.bom or old.doubtful or new.doubtful:
        return before, after, 0
    first = min(edit.place.at[0] for edit in fix.edits)
    last = max(edit.place.at[1] for edit in fix.edits)
    starts = [stretch.start for stretch in old.items]
    start = max((at for at in starts if at < first), default=0)
    end = min((at for at in starts if at > last), default=len(before.data))
    longer = len(after.data) - len(before.data)
    around = [at if at <= start else at + longer for at in starts if at <= start or at >= end]
    if around != [stretch.start for stretch in new.items if stretch.start <= start or stretch.start >= end + longer]:
        return before, after, 0
    return _part(before, start, end), _part(after, start, end + longer), start


def _part(source: Source, start: int, end: int) -> Source:
    return Source.decode(source.path, source.data[start:end])
