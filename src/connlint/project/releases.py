"""Edits that give something back on every way: the release moves into a ``finally``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from connlint.languages.edits import insertion, line_end, line_start, next_line, proved
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source
from connlint.patterns import regex
from connlint.project.module import Module
from connlint.project.project import Project

_CHECKS = regex(r"(?:^|/)(?:tsconfig[\w.-]*\.json|\.?eslint[\w.-]*|package\.json)$")
_EVERY_RETURN = regex(rb"noImplicitReturns\"\s*:\s*true|consistent-return|airbnb|tsconfig/strictest")
_COMMENT = r"(?:#|//).*"


def release_in_finally(module: Module, acquire: p.Statement, release: p.Statement, title: str,
                       caught: str = "") -> Fix | None:
    """Move ``release`` into a ``finally`` around what follows ``acquire``.

    Both stand in one block, or the release stands in a ``try`` without a ``finally`` that directly follows, or right
    behind that. After an error, ``caught`` is done first, in JavaScript. None where the edit cannot be written.
    """
    python = module.program.language == "python"
    block, around = module.parent(acquire), module.parent(release)
    if caught and not python:
        from connlint.languages.javascript.rewrite import release_in_finally as rewrite_javascript

        return rewrite_javascript(module.source, module.program, acquire.at, release.at, title, caught) if (
            block is around and _guard_before(block, acquire, release) is None) else None
    if block is around:
        guard = _guard_before(block, acquire, release)
        if guard is not None and (fix := _at_the_end_of(module, guard, release, title, python)) is not None:
            return fix
        if python:
            from connlint.languages.python.rewrite import release_in_finally as rewrite
        else:
            from connlint.languages.javascript.rewrite import release_in_finally as rewrite
        return rewrite(module.source, module.program, acquire.at, release.at, title)
    if type(around) is p.Try and not around.always and any(release is s for s in around.body):
        if module.parent(around) is block and _follows(block, acquire, around):
            return _at_the_end_of(module, around, release, title, python)
    return None


def in_with(module: Module, acquire: p.Statement, release: p.Statement | None, title: str) -> Fix | None:
    """Hold what ``acquire`` gets in a ``with`` block instead, up to ``release`` or to its last use."""
    from connlint.languages.python.managing import in_with as rewrite

    return rewrite(module.source, module.program, acquire.at, None if release is None else release.at, title)


def around(module: Module, call: p.Call, title: str) -> Fix | None:
    """Put the statement around ``call`` into a ``with`` block that holds what the call opens."""
    from connlint.languages.python.managing import around as rewrite

    statement = module.statement(call)
    if type(statement) not in (p.Evaluate, p.Let, p.Return):
        return None
    for name in ("file", "opened"):
        if (fix := rewrite(module.source, module.program, statement.at, call.at, name, title)) is not None:
            return fix
    return None


def keep_task(module: Module, call: p.Call, title: str) -> Fix | None:
    """Keep a task that is thrown away in a set of the module until it is done."""
    from connlint.languages.python.managing import keep_task as rewrite

    return rewrite(module.source, module.program, module.statement(call).at, call.at, title)


def returned_by_effect(module: Module, effect: p.Function, call: p.Call, undo: str, title: str, *,
                       handle: str | None = None, callback: Any = None, listener: str = "",
                       told: bool = False) -> Fix | None:
    """Let an effect return a function that does ``undo``; see the edit of the language."""
    from connlint.languages.javascript.cleanups import return_cleanup

    return return_cleanup(module.source, module.program, effect, call.at, undo, title, handle=handle,
                          callback=None if callback is None else callback.at, listener=listener, told=told)


def named_callback(module: Module, call: p.Call, callbacks: tuple[p.Function, p.Function], name: str,
                   title: str) -> Fix | None:
    """Give a function that is added and removed one name; see the edit of the language."""
    from connlint.languages.javascript.cleanups import name_callback

    places = callbacks[0].at, callbacks[1].at
    return name_callback(module.source, module.program, module.statement(call).at, places, name, title)


def wants_every_return(project: Project) -> bool:
    """Whether what checks the project's scripts refuses a function that returns a value on some ways alone."""
    memo: dict[str, bool] = project.memo.setdefault(wants_every_return, {})
    if "" not in memo:
        memo[""] = any(_CHECKS.search(path) and _EVERY_RETURN.search(project.tree.read(path) or b"")
                       for path in sorted(project.tree.paths))
    return memo[""]


def undone_beside(module: Module, hook: p.Function | None, call: p.Call, by: str, undo: str, title: str, *,
                  handle: str | None = None, callback: Any = None, listener: str = "") -> Fix | None:
    """Let the hook ``by`` do ``undo``; see the edit of the language."""
    from connlint.languages.javascript.hooks import undone_beside as rewrite

    at = None if callback is None else callback.at
    return rewrite(module.source, module.program, hook, call.at, by, undo, title, handle=handle, callback=at,
                   listener=listener)


def until_destroyed(module: Module, owner: p.Class, call: p.Call, title: str) -> Fix | None:
    """Let a subscription end as others of its class do; see the edit of the language."""
    from connlint.languages.javascript.cleanups import until_destroyed as rewrite

    return rewrite(module.source, module.program, owner.at, call, title)


def undone_in(module: Module, method: p.Function, undo: str, title: str) -> Fix | None:
    """Let a method of JavaScript begin with ``undo``."""
    from connlint.languages.javascript.cleanups import undo_in_method

    return undo_in_method(module.source, module.program, method, undo, title)


def with_last_argument(module: Module, call: p.Call, place: int, words: str, title: str) -> Fix | None:
    """Let ``words`` be what a call of JavaScript gives behind its argument ``place``; nothing where they are empty."""
    from connlint.languages.javascript.cleanups import with_last_argument as rewrite

    return rewrite(module.source, call, place, words, title)


def new_method(module: Module, behind: p.Statement, name: str, undo: str, title: str) -> Fix | None:
    """Give a class of JavaScript one more method, which does ``undo``."""
    from connlint.languages.javascript.cleanups import new_method as rewrite

    return rewrite(module.source, module.program, behind.at, name, undo, title)


def new_entry(module: Module, behind: p.Entry, name: str, undo: str, title: str) -> Fix | None:
    """Give an object of JavaScript one more method, which does ``undo``."""
    from connlint.languages.javascript.cleanups import new_entry as rewrite

    return rewrite(module.source, module.program, behind.at, name, undo, title)


def ended_in(module: Module, method: p.Function, attribute: str, end: str, *, tested: bool, title: str) -> Fix | None:
    """Let a method of Python begin with a call of ``end`` on ``attribute``, where ``tested`` unless that is None."""
    from connlint.languages.python.managing import end_in_method

    return end_in_method(module.source, module.program, method, attribute, end, tested=tested, title=title)


def released_at_the_end(module: Module, acquire: p.Statement, release: str, title: str) -> Fix | None:
    """Put what follows ``acquire`` into ``try``, and ``release``, a statement that is not there yet, into ``finally``.
    """
    if module.program.language == "python":
        from connlint.languages.python.rewrite import release_in_finally as rewrite
    else:
        from connlint.languages.javascript.rewrite import release_in_finally as rewrite
    return rewrite(module.source, module.program, acquire.at, release, title)


def _follows(block: Any, acquire: p.Statement, guard: p.Try) -> bool:
    """Whether nothing but plain declarations stands between the two."""
    statements = [s for s in p.children(block) if isinstance(s, p.Statement)]
    between = statements[statements.index(acquire) + 1 : statements.index(guard)]
    return all(type(s) in (p.Let, p.Define) for s in between)


def _guard_before(block: Any, acquire: p.Statement, release: p.Statement) -> p.Try | None:
    """The ``try`` with handlers, but without a ``finally``, that directly follows one and is directly followed by the
    other."""
    statements = [s for s in p.children(block) if isinstance(s, p.Statement)]
    guard = statements[next(i for i, s in enumerate(statements) if s is release) - 1]
    if type(guard) is p.Try and guard.body and guard.handlers and not guard.always and not guard.otherwise:
        return guard if _follows(block, acquire, guard) else None
    return None


def _at_the_end_of(module: Module, guard: p.Try, release: p.Statement, title: str, python: bool) -> Fix | None:
    """Give ``guard`` a ``finally`` with what was ``release``, which stands on a line of its own."""
    source = module.source
    start, stop = line_start(source, release.at[0]), next_line(source, release.at[1], _COMMENT)
    indent = source.slice((line_start(source, guard.at[0]), guard.at[0]))
    inner, said = source.slice((start, release.at[0])), ""
    if stop is None or indent.strip() or inner.strip():
        return None
    end, text = line_end(source), source.slice((release.at[0], stop)).rstrip()
    if guard.at[1] <= start:  # it stands behind the guard, perhaps with comments above it
        between = source.slice((guard.at[1], start))
        inner = source.slice((line_start(source, guard.body[0].at[0]), guard.body[0].at[0]))
        rows = [row.strip() for row in between.splitlines()[1:] if row.strip()]
        if between.partition("\n")[0].strip() or not all(re.fullmatch(_COMMENT, row) for row in rows):
            return None
        said, start = "".join(f"{inner}{row}{end}" for row in rows), guard.at[1]
        text += end if python else f"{end}{indent}}}{end}"
        added = f"{end}{indent}finally:{end}{said}{inner}{text}" if python else f" finally {{{end}{said}{inner}{text}"
        edits: tuple[Edit, ...] = (Edit(Place(source.path, (start, stop)), added),)
    else:
        added = f" finally {{{end}{inner}{text}{end}{indent}}}"
        if python:
            added = f"{end}{indent}finally:{end}{inner}{text}"
        edits = (Edit(Place(source.path, (start, stop)), ""), insertion(source, guard.at[1], added))
    if not inner.startswith(indent) or inner == indent or inner.strip():
        return None
    return proved(source, Fix(title, edits), _reader(python))


def _reader(python: bool) -> Callable[[Source], p.Program]:
    if python:
        from connlint.languages.python.read import read
    else:
        from connlint.languages.javascript.read import read
    return read
