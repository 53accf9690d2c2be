"""What a Python file imports, as edits need it: how it spells a name, and where a new import goes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from connlint.languages.edits import everything, insertion, kept_for_the_last, line_end, line_start
from connlint.model import program as p
from connlint.model.finding import Edit, Place
from connlint.model.source import Source
from connlint.patterns import regex

_FROM = regex(r"from\s+\S+\s+import\s+\w+(?: as \w+)?(?:, \w+(?: as \w+)?)*")
_DOCSTRING = (p.Text, p.Concat)


def spelling(program: p.Program, module: str, name: str) -> str | None:
    """How the file can name ``module.name`` everywhere, by an import at its top level; None where it cannot."""
    names = bound_names(program.body)
    for statement in program.body:
        if type(statement) is p.Import and statement.module == module:
            for imported in statement.names:
                if imported.local is not None and names.count(imported.local) == 1:
                    if imported.name == "*" and not imported.star:
                        return f"{imported.local}.{name}"
                    if imported.name == name:
                        return imported.local
    return None


@kept_for_the_last
def bound_names(body: Iterable[Any]) -> list[str]:
    """Every name that is bound anywhere in ``body``, as often as it is."""
    names: list[str] = []
    for node in everything(body):
        kind = type(node)
        if kind is p.Import:
            names += [name.local for name in node.names if name.local is not None]
        elif kind in (p.Define, p.Unread, p.Types):
            names += [node.name] if kind is p.Define else node.names
        elif kind in (p.Let, p.Assign, p.Param, p.Loop, p.WithItem, p.Handler, p.Case) and node.target is not None:
            names += [part.id for part in everything((node.target,)) if type(part) is p.Name]
    return names


def new_import(source: Source, program: p.Program, module: str) -> Edit:
    """``import module`` among the imports at the top of the file, in their order, or behind the docstring."""
    end = line_end(source)
    body = [statement for statement in program.body if not _is_future(statement)]
    if body and type(body[0]) is p.Evaluate and type(body[0].value) in _DOCSTRING:
        body = body[1:]
    first = next(iter(body), None)
    if first is None:
        at = len(source.data)
        return insertion(source, at, ("" if source.data.endswith((b"\n", b"\r")) else end) + f"import {module}{end}")
    if type(first) is not p.Import:
        return insertion(source, line_start(source, first.at[0]), f"import {module}{end}{end}")
    place: p.Statement | None = first
    line = source.line(first.at[0])
    for statement in body:
        if type(statement) is not p.Import or source.line(statement.at[0]) > line + 1:
            break
        if not _is_plain(source, statement) or statement.module > module:
            place = statement
            break
        line = source.line(statement.at[1])
        place = None
    if place is None:
        starts = source.line_starts()
        return insertion(source, starts[line] if line < len(starts) else len(source.data), f"import {module}{end}")
    apart = end * (place is first and place.module.partition(".")[0] not in sys.stdlib_module_names)
    return insertion(source, line_start(source, place.at[0]), f"import {module}{end}{apart}")


def one_more_name(source: Source, program: p.Program, module: str, name: str) -> Edit | None:
    """``name`` among those that a line ``from module import …`` at the top takes, in their order; None where there is
    no such line."""
    for statement in program.body:
        written = source.slice(statement.at)
        if type(statement) is p.Import and statement.module == module and _FROM.fullmatch(written):
            behind = next((one for one in statement.names if one.name > name), None)
            if behind is not None:
                return insertion(source, behind.at[0], f"{name}, ")
            last = statement.names[-1].at
            return Edit(Place(source.path, last), f"{source.slice(last)}, {name}")
    return None


def _is_future(statement: p.Statement) -> bool:
    return type(statement) is p.Import and statement.module == "__future__"


def _is_plain(source: Source, statement: p.Import) -> bool:
    return source.slice(statement.at).startswith("import")
