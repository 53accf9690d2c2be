"""The lines of a Python file as edits need them: comments, indentation, and the proof that an edit holds."""

from __future__ import annotations

import re

from connlint.languages import edits
from connlint.languages.python.read import read
from connlint.languages.python.stretches import Stretches, split, texts_over_lines
from connlint.model.finding import Fix
from connlint.model.source import Source, Span

# -- lines ------------------------------------------------------------------------------------------------------------


def next_line(source: Source, offset: int) -> int | None:
    """The start of the line after that of ``offset``; None where more than a comment follows on the line."""
    return edits.next_line(source, offset, "#.*")


def line_of(source: Source, at: Span) -> tuple[int | None, str]:
    """The start of the line on which the statement at ``at`` is the first, and its indentation."""
    return edits.whole_line(source, at) or (None, "")


def indent_unit(source: Source, start: int | None, indent: str) -> str:
    """One more level of indentation, as the lines above do it, or the first block of the file."""
    if start is not None and (unit := edits.deeper(source, start, indent)) is not None:
        return unit
    found = re.search(r":[ \t]*(?:#.*)?[\r\n]+([ \t]+)[^\s#]", source.text)
    return found[1] if found else "    "


def indented_lines(source: Source, at: Span, unit: str) -> str:
    """The lines at ``at``, one level deeper, as the body of a block: without empty ones before the first.

    The others and the inside of texts stay as they are.
    """
    return re.sub(r"\A(?:[ \t]*(?:\r\n|\n|\r))+", "", edits.indented(source, at, unit, _texts(source)))


@edits.kept_for_the_last
def _texts(source: Source) -> list[Span]:
    """The strings of a file that go over several lines."""
    return [(source.char_to_byte(a), source.char_to_byte(b)) for a, b in texts_over_lines(source.text)]


# -- proof ------------------------------------------------------------------------------------------------------------


def proved_edit(source: Source, fix: Fix, *, keeps: bool = True) -> Fix | None:
    """See `connlint.languages.edits.proved`; nothing is offered for notebooks."""
    if source.path.endswith(".ipynb"):
        return None
    return edits.proved(source, fix, read, keeps=keeps, cookie=True, parts=_touched)


def _touched(before: Source, after: Source, fix: Fix) -> tuple[Source, Source, int]:
    """The statements that the edits touch, before and after, and where they start; both files where the others are not
    plainly the same.

    What stands around them is the same text and, as the scanner sees it, the same statements, since it ends outside of
    everything: parsing a long file of settings once for each of them would take longer than all else.
    """
    old = _stretches(before)
    if before.encoding != "utf-8" or before.bom or old.doubtful:
        return before, after, 0
    first = min(edit.place.at[0] for edit in fix.edits)
    last = max(edit.place.at[1] for edit in fix.edits)
    starts = [stretch.start for stretch in old.items]
    start = max((at for at in starts if at < first), default=0)
    end = min((at for at in starts if at > last), default=len(before.data))
    longer = len(after.data) - len(before.data)
    if split(after.data[start : end + longer].decode("latin-1")).doubtful:
        return before, after, 0
    return _part(before, start, end), _part(after, start, end + longer), start


@edits.kept_for_the_last
def _stretches(source: Source) -> Stretches:
    return split(source.data.decode("latin-1"))


def _part(source: Source, start: int, end: int) -> Source:
    return Source.decode(source.path, source.data[start:end])
