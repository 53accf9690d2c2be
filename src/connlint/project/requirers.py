"""The project's own functions that require a variable: they return what it holds, or throw where it is not set."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.values import Values

_MOST = 20
"""Files that are read in search of such a function."""


class Requirer(Struct, frozen=True):
    """A function by the ``name`` that a file has for it, or by that under which it imports it from ``module``."""

    name: str
    module: str = ""


def requirer(values: Values, module: Module, node: Any) -> Requirer | None:
    """The function that the code at ``node`` can call with the name of a variable; None where there is none, or several
    that would have to be imported."""
    name = _in_the_file(module, node) or _imported(values, module)
    return Requirer(name) if name else _of_the_project(values, module)


def _in_the_file(module: Module, node: Any) -> str | None:
    for name, value, statement in _functions(module):
        if type(statement) is p.Define or statement.at[1] <= node.at[0]:
            within = value.at[0] <= node.at[0] and node.at[1] <= value.at[1]
            if len(module.lookup(name, node)) == 1 and not within:
                return name
    return None


def _imported(values: Values, module: Module) -> str | None:
    """A name that the file imports, and calls already."""
    from connlint.languages.javascript.requiring import is_helper

    seen: set[str] = set()
    for call in module.nodes(p.Call):
        if type(call.callee) is p.Name and call.callee.id not in seen:
            seen.add(call.callee.id)
            home, found = values.environment.definitions(module, call.callee)
            if home is not module and len(found) == 1 and is_helper(found[0].value):
                return call.callee.id
    return None


def _of_the_project(values: Values, module: Module) -> Requirer | None:
    """One that another file of the same package exports, and that the file can import as it imports other files."""
    project = values.project
    if not any(type(s) in (p.Import, p.Export) for s in module.program.body):
        return None
    root = own_root(project, module.path)
    memo: dict[str, tuple[tuple[str, str], ...]] = project.memo.setdefault(requirer, {})
    if root not in memo:
        memo[root] = _exported(values, root, module.path)
    found = [(path, name) for path, name in memo[root] if path != module.path]
    if len(found) != 1 or found[0][1] in module.source.text:
        return None
    path, name = found[0]
    relative = [s.module for s in module.nodes(p.Import) if s.module.startswith(".")]
    specifier = project.linkers["javascript"].spelled(module.path, relative[0] if relative else "./x", path)
    return Requirer(name, specifier) if specifier else None


def _exported(values: Values, root: str, like: str) -> tuple[tuple[str, str], ...]:
    """Pairs of file and name, of files that import no other file of the project themselves."""
    project = values.project
    index = importers(project)
    found: list[tuple[str, str]] = []
    paths = [path for path in index.mentions("process.env[", like)
             if own_root(project, path) == root and b"throw" in index.data(path) and not list(index.targets(path))]
    for path in paths[:_MOST]:
        home = project.module(path)
        if home is None or path.endswith((".vue", ".svelte")):
            continue
        exported = {one.local for export in home.nodes(p.Export) for one in export.names if one.local == one.name}
        found += [(path, name) for name, _, _ in _functions(home) if name in exported]
    return tuple(found)


def _functions(module: Module) -> list[tuple[str, Any, Any]]:
    """Name, function and statement of every function at the top level that requires a variable."""
    from connlint.languages.javascript.requiring import is_helper

    rows: list[tuple[str, Any, Any]] = []
    statement: Any
    for statement in module.program.body:
        if type(statement) is p.Define and is_helper(statement.value):
            rows.append((statement.name, statement.value, statement))
        elif type(statement) is p.Let and type(statement.target) is p.Name and is_helper(statement.value):
            rows.append((statement.target.id, statement.value, statement))
    return rows
