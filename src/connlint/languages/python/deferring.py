"""A text edit of Python files: what is built while a module is imported is built behind a function, when it is needed.

It is proved before it is offered, as in `rewrite`. Never safe: what fails then fails later, and in another place.
"""

from __future__ import annotations

from collections.abc import Sequence

from connlint.languages.edits import line_end
from connlint.languages.python.imported import new_import, spelling
from connlint.languages.python.layout import indent_unit, indented_lines, line_of, next_line, proved_edit
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_WORD = regex(r"[A-Za-z_]\w*")


def behind_function(source: Source, program: p.Program, let: p.Let, users: Sequence[Span], title: str) -> Fix | None:
    """Build what ``let``, a statement at the top level, binds in a cached function, which the ``users`` then call."""
    if type(let.target) is not p.Name or let.value is None:
        return None
    name = f"get_{let.target.id.strip('_').lower()}"
    start, indent = line_of(source, let.at)
    stop = next_line(source, let.at[1])
    if start is None or indent or stop is None or name in _WORD.findall(source.text):
        return None
    end = line_end(source)
    cache, edits = spelling(program, "functools", "lru_cache"), []
    if cache is None:
        if "functools" in _WORD.findall(source.text):
            return None
        cache = "functools.lru_cache"
        edits.append(new_import(source, program, "functools"))
    returns = f" -> {source.slice(let.annotation.at)}" if let.annotation is not None else ""
    unit = indent_unit(source, None, "")
    value = indented_lines(source, (let.value.at[0], stop), unit).removeprefix(unit)
    text = f"@{cache}{end}def {name}(){returns}:{end}{unit}return {value}"
    if not text.endswith(("\n", "\r")):
        text += end
    first, last = source.line(start), source.line(stop) if stop < len(source.data) else 0
    text = end * _missing(source, first - 1, -1) + text + (end * _missing(source, last, 1) if last else "")
    edits.append(Edit(Place(source.path, (start, stop)), text))
    edits += [Edit(Place(source.path, at), f"{name}()") for at in users]
    return proved_edit(source, Fix(title, tuple(edits)), keeps=False)


def _missing(source: Source, line: int, step: int) -> int:
    """How many more empty lines there have to be, so that two stand on this side of a function; none behind a comment.
    """
    number = 0
    while number < 2 and 1 <= line <= len(source.line_starts()) and not source.line_text(line).strip():
        number += 1
        line += step
    if line < 1 or line > len(source.line_starts()) or (step < 0 and source.line_text(line).lstrip().startswith("#")):
        return 0
    return 2 - number
