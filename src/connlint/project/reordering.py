"""Edits of the order in which a file does things: variables are loaded before anything reads them."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.patterns import regex
from connlint.project.module import Module
from connlint.project.uses import references

_TITLE = "Load the variables first"
_LOADING = regex(r"(?i)env|conf|setting|load|init|boot|setup|prepare|secret|variables")
"""Words in the import of what is there to load."""
_MOST_MOVED = 5
"""Statements: with more of them, the file is better put in order by hand."""


def load_first(module: Module, load: Any, reader: int, preload: str | None) -> Fix | None:
    """Do what ``load`` does (a call, or an import) before the top-level statement at byte ``reader`` is evaluated.

    ``preload`` is a module whose import does the same as the call, where there is one; ES modules need it, since their
    imports run before all else. None where the load is no statement of the top level, or rests on what comes later.
    """
    statement = module.statement(load)
    body = module.program.body
    before = next((s for s in body if s.at[0] <= reader < s.at[1]), None)
    if before is None or not any(s is statement for s in body) or type(statement) not in (p.Evaluate, p.Import):
        return None
    if type(statement) is p.Evaluate and statement.value is not load:
        return None
    if module.program.language == "python":
        from connlint.languages.python.rewrite import move_before as move
    else:
        if any(type(s) is p.Import for s in body):
            return _imported(module, statement, load, preload)
        from connlint.languages.javascript.rewrite import move_before as move
    moved = _needed(module, statement, before)
    return None if moved is None else move(module.source, module.program, [s.at for s in moved], before.at, _TITLE)


def load_in_front(module: Module, preload: str, reader: int) -> Fix | None:
    """Load the variables where ``module`` begins, with ``preload``, though another file of its program does so as well.

    In JavaScript that is a module, imported before all else; in Python a function, called above the statement at byte
    ``reader``. None where the file names it already, or the edit cannot be written.
    """
    if module.program.language == "python":
        from connlint.languages.python.rewrite import call_before

        before = next((s for s in module.program.body if s.at[0] <= reader < s.at[1]), None)
        if before is None:
            return None
        return call_before(module.source, module.program, before.at, *preload.rpartition(".")[::2], _TITLE)
    from connlint.languages.javascript.rewrite import import_first

    required = not any(type(s) in (p.Import, p.Export) for s in module.program.body)
    return import_first(module.source, module.program, preload, _TITLE, required=required)


def import_first_of(module: Module, loader: int, reader: int, *, directly: bool) -> Fix | None:
    """Import what stands at byte ``loader``, which loads the variables, above what stands at byte ``reader``.

    It does so ``directly``, or its name has to say that it is there for that.
    """
    body = module.program.body
    statement, before = (next((s for s in body if s.at[0] <= at < s.at[1]), None) for at in (loader, reader))
    if statement is None or before is None or statement is before:
        return None
    if type(statement) is not p.Import and not _is_required(statement):
        return None
    if not directly and not _LOADING.search(module.source.slice(statement.at)):
        return None  # what loads by the way is not put first: nobody would know why
    if module.program.language == "python":
        from connlint.languages.python.rewrite import move_before as move
    else:
        if type(statement) is p.Import and type(before) not in (p.Import, p.Export):
            return None  # imports run first, wherever they stand
        from connlint.languages.javascript.rewrite import move_before as move
    moved = _needed(module, statement, before)
    return None if moved is None else move(module.source, module.program, [s.at for s in moved], before.at, _TITLE)


def _is_required(statement: p.Statement) -> bool:
    """Whether the statement is a ``require`` of CommonJS and nothing else."""
    call: Any = statement.value if isinstance(statement, p.Let | p.Evaluate) else None
    return type(call) is p.Call and type(call.callee) is p.Name and call.callee.id == "require"


def _imported(module: Module, statement: p.Statement, load: Any, preload: str | None) -> Fix | None:
    """The load as the first import; what it was goes, and the import that it alone needed."""
    from connlint.languages.javascript.rewrite import import_first

    gone = [statement]
    if type(statement) is p.Import:
        if statement.names:
            return None
        preload = statement.module
    else:
        if preload is None or type(load) is not p.Call or load.args:
            return None
        gone += [s for s in module.program.body if type(s) is p.Import and _serves_only(module, s, load)]
    return import_first(module.source, module.program, preload, _TITLE, [s.at for s in gone])


def _serves_only(module: Module, statement: p.Import, load: p.Call) -> bool:
    """Whether everything that an import binds is used by ``load`` and nowhere else."""
    names = [name.local for name in statement.names if name.local is not None]
    found = [reader for name in names for reader in references(module, name, statement)]
    return bool(found) and all(load.at[0] <= reader.at[0] < load.at[1] for reader in found)


def _needed(module: Module, statement: p.Statement, before: p.Statement) -> list[p.Statement] | None:
    """``statement`` and those it rests on that do not stand above ``before`` already; None where that is too much."""
    body = module.program.body
    needed: list[p.Statement] = []
    waiting = [statement]
    while waiting:
        here = waiting.pop()
        if any(here is one for one in needed):
            continue
        if type(here) not in (p.Evaluate, p.Import, p.Let) or len(needed) == _MOST_MOVED:
            return None
        needed.append(here)
        for name in _names(here):
            for definition in module.lookup(name.id, name):
                at = getattr(definition.node, "at", None) or name.at
                home = next((s for s in body if s.at[0] <= at[0] < s.at[1]), None)
                if home is not None and home.at[0] >= before.at[0] and home is not here:
                    if home is before:
                        return None
                    waiting.append(home)
    return needed


def _names(statement: p.Statement) -> list[p.Name]:
    found, waiting = [], [statement]
    while waiting:
        here: Any = waiting.pop()
        if type(here) is p.Name:
            found.append(here)
        waiting.extend(p.children(here))
    return found
