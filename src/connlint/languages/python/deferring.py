"""A text edit of Python files: what is built while a module is imported is built behind a function, when it is needed.

Never safe: what fails then fails later, and in another place.
"""

from __future__ import annotations

from connlint.languages.edits import insertion, line_end
from connlint.languages.python.imported import new_import, one_more_name, spelling
from connlint.languages.python.layout import indent_unit, indented_lines, line_of, next_line
from connlint.model import program as p
from connlint.model.finding import Edit, Place
from connlint.model.source import Source
from connlint.patterns import regex

_WORD = regex(r"[A-Za-z_]\w*")


def behind_function(source: Source, program: p.Program, let: p.Let, name: str, value: str) -> list[Edit] | None:
    """Build what ``let``, a statement at the top level, binds in a cached function ``name``, which is to be called.

    ``value`` is the text of what is built. The edits are not proved.
    """
    if type(let.target) is not p.Name or let.value is None:
        return None
    start, indent = line_of(source, let.at)
    stop = next_line(source, let.at[1])
    if start is None or indent or stop is None or name in _WORD.findall(source.text):
        return None
    end = line_end(source)
    cache, edits = spelling(program, "functools", "lru_cache"), []
    if cache is None:
        if (more := one_more_name(source, program, "functools", "lru_cache")) is not None:
            cache = "lru_cache"
        elif "functools" in _WORD.findall(source.text):
            return None
        else:
            cache = "functools.lru_cache"
        edits.append(more or new_import(source, program, "functools"))
    returns = f" -> {source.slice(let.annotation.at)}" if let.annotation is not None else ""
    unit = indent_unit(source, None, "")
    lines = indented_lines(source, (let.value.at[0], stop), unit).removeprefix(unit)
    lines = _aligned(lines, let.value.at[0] - start + len(unit), len(unit) + len("return "))
    written = source.slice(let.value.at)
    if value != written:
        if lines.count("\n") != 1 or not lines.startswith(written):
            return None
        lines = value + lines.removeprefix(written)
    text = f"@{cache}{end}def {name}(){returns}:{end}{unit}return {lines}"
    if not text.endswith(("\n", "\r")):
        text += end
    first, last = source.line(start), source.line(stop) if stop < len(source.data) else 0
    above = first
    while above > 1 and source.line_text(above - 1).lstrip().startswith("#"):
        above -= 1
    gap = end * _missing(source, above - 1, -1)
    if gap and above < first:
        edits.append(insertion(source, source.line_starts()[above - 1], gap))
        gap = ""
    text = gap + text + (end * _missing(source, last, 1) if last else "")
    return [*edits, Edit(Place(source.path, (start, stop)), text)]


def _aligned(text: str, column: int, now: int) -> str:
    """``text`` whose lines stand below ``column``, all but the first, as far below the column where it starts ``now``.
    """
    first, *rest = text.splitlines(keepends=True)
    if not rest or not all(line[:column].isspace() and len(line.strip()) for line in rest):
        return text
    return first + "".join(" " * (now - column + len(line) - len(line.lstrip())) + line.lstrip() for line in rest)


def _missing(source: Source, line: int, step: int) -> int:
    """How many more empty lines there have to be, so that two stand on this side of a function."""
    number = 0
    while number < 2 and 1 <= line <= len(source.line_starts()) and not source.line_text(line).strip():
        number += 1
        line += step
    if line < 1 or line > len(source.line_starts()):
        return 0
    return 2 - number
