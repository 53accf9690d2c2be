"""Lines of files and of prose in HTML: escaped, numbered, with a stretch marked or a change shown."""

from __future__ import annotations

from html import escape

from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.reporters.changes import Hunk
from connlint.reporters.terminal import visible

AROUND = 2
"""Lines shown before and behind a place."""
MOST_LINES = 8
"""Lines shown of a place that has more."""
MOST_CHANGED = 60
MOST_COLUMNS = 240
"""Characters of a line that are shown; of a longer one, those around the place."""


def text(value: str) -> str:
    """``value`` as the text of an element or an attribute; what cannot be seen is spelled."""
    return escape(visible(value), quote=True)


def prose(value: str) -> str:
    """A sentence, with what stands between backticks as code."""
    parts = value.split("`")
    if len(parts) % 2 == 0:
        return text(value)
    return "".join(f"<code>{text(part)}</code>" if number % 2 else text(part) for number, part in enumerate(parts))


def quoted(place: Place, source: Source | None, around: int = AROUND) -> str:
    """The lines of ``place`` with ``around`` lines before and behind, and the place itself marked; "" for no text."""
    if source is None:
        return ""
    start, end = place.at
    first, last = source.line(start), source.line(max(start, end - 1))
    cut = last - first >= MOST_LINES
    last = min(last, first + MOST_LINES - 1)
    rows = []
    for number in range(max(1, first - around), min(last + around * (not cut), len(source.line_starts())) + 1):
        line = source.line_text(number)
        if first <= number <= last:
            from_ = source.column(start) - 1 if number == first else len(line) - len(line.lstrip())
            to = source.column(end) - 1 if source.line(end) == number else len(line)
            if not around and number == first == last:  # alone, a line needs no indentation
                indent = len(line) - len(line.lstrip())
                line, from_, to = line[indent:], max(0, from_ - indent), to - indent
            rows.append(_row(number, _marked(line, from_, to), "hit"))
        else:
            rows.append(_row(number, _code(_shortened(line, 0)[0])))
    while rows and 'class="row"' in rows[-1] and rows[-1].endswith("></span>"):
        rows.pop()
    if cut:
        rows.append('<span class="row">…</span>')
    return f'<pre>{"".join(rows)}</pre>\n' if any(source.line_text(n).strip() for n in range(first, last + 1)) else ""


def changed(hunk: Hunk, source: Source | None) -> str:
    """The lines of a change, one above the other, between the lines that stay."""
    rows = []
    before, after = hunk.line - 1, hunk.line + len(hunk.old)
    if source is not None and before >= 1:
        rows.append(_row(before, _code(_shortened(source.line_text(before), 0)[0])))
    lines = [("old", line, number) for number, line in enumerate(hunk.old, hunk.line)]
    lines += [("new", line, number) for number, line in enumerate(hunk.new, hunk.line)]
    rows += [_row(number, _code(_shortened(line, 0)[0]), kind) for kind, line, number in lines[:MOST_CHANGED]]
    if len(lines) > MOST_CHANGED:
        rows.append(f'<span class="row">… {len(lines) - MOST_CHANGED} more lines</span>')
    elif source is not None and after < len(source.line_starts()):
        rows.append(_row(after + len(hunk.new) - len(hunk.old), _code(_shortened(source.line_text(after), 0)[0])))
    return f'<pre>{"".join(rows)}</pre>\n'


def _row(number: int, content: str, kind: str = "") -> str:
    return f'<span class="row{" " + kind if kind else ""}" data-n="{number}">{content}</span>'


def _marked(line: str, start: int, end: int) -> str:
    start = min(start, len(line))
    end = max(start, min(end, len(line)))
    shown, lead = _shortened(line, start)
    start, end = start - lead, min(end - lead, len(shown))
    if start == end:
        return _code(shown)
    return f"{_code(shown[:start])}<mark>{_code(shown[start:end])}</mark>{_code(shown[end:])}"


def _shortened(line: str, at: int) -> tuple[str, int]:
    """What is shown of ``line`` where the character ``at`` matters, and how many characters it begins with less."""
    if len(line) <= MOST_COLUMNS:
        return line, 0
    first = max(0, min(at - MOST_COLUMNS // 4, len(line) - MOST_COLUMNS))
    lead = "…" if first else ""
    tail = "…" if first + MOST_COLUMNS < len(line) else ""
    return lead + line[first:first + MOST_COLUMNS] + tail, first - len(lead)


def _code(line: str) -> str:
    """A stretch of a line, its tabs kept: the page knows how wide they are."""
    return "\t".join(text(part) for part in line.split("\t"))
