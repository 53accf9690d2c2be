"""Edits that give something back on every way: the release moves into a ``finally``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.edits import insertion, line_end, line_start, next_line, proved
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source
from connlint.project.module import Module

_COMMENT = r"(?:#|//).*"


def release_in_finally(module: Module, acquire: p.Statement, release: p.Statement, title: str) -> Fix | None:
    """Move ``release`` into a ``finally`` around what follows ``acquire``.

    Both stand in one block, or the release stands in a ``try`` without a ``finally`` that directly follows. None where
    the edit cannot be written.
    """
    python = module.program.language == "python"
    block, around = module.parent(acquire), module.parent(release)
    if block is around:
        if python:
            from connlint.languages.python.rewrite import release_in_finally as rewrite
        else:
            from connlint.languages.javascript.rewrite import release_in_finally as rewrite
        return rewrite(module.source, module.program, acquire.at, release.at, title)
    if type(around) is p.Try and not around.always and any(release is s for s in around.body):
        if module.parent(around) is block and _follows(block, acquire, around):
            return _at_the_end_of(module, around, release, title, python)
    return None


def _follows(block: Any, acquire: p.Statement, guard: p.Try) -> bool:
    """Whether nothing but plain declarations stands between the two."""
    statements = [s for s in p.children(block) if isinstance(s, p.Statement)]
    between = statements[statements.index(acquire) + 1 : statements.index(guard)]
    return all(type(s) in (p.Let, p.Define) for s in between)


def _at_the_end_of(module: Module, guard: p.Try, release: p.Statement, title: str, python: bool) -> Fix | None:
    """Give ``guard`` a ``finally`` with what was ``release``, which stands on a line of its own."""
    source = module.source
    start, stop = line_start(source, release.at[0]), next_line(source, release.at[1], _COMMENT)
    indent = source.slice((line_start(source, guard.at[0]), guard.at[0]))
    inner = source.slice((start, release.at[0]))
    if stop is None or indent.strip() or inner.strip() or not inner.startswith(indent):
        return None
    end, text = line_end(source), source.slice(release.at)
    if python:
        added = f"{end}{indent}finally:{end}{inner}{text}"
    else:
        added = f" finally {{{end}{inner}{text}{end}{indent}}}"
    edits = (Edit(Place(source.path, (start, stop)), ""), insertion(source, guard.at[1], added))
    return proved(source, Fix(title, edits), _reader(python))


def _reader(python: bool) -> Callable[[Source], p.Program]:
    if python:
        from connlint.languages.python.read import read
    else:
        from connlint.languages.javascript.read import read
    return read
