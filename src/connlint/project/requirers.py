"""The project's own functions that require a variable: they return what it holds, or throw where it is not set."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.rehearsal import requires
from connlint.project.stage import Stages
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
    name = _in_the_file(values, module, node) or _imported(values, module, node)
    return Requirer(name) if name else _of_the_project(values, module)


def _in_the_file(values: Values, module: Module, node: Any) -> str | None:
    for name, value, statement in _functions(values, module):
        if type(statement) is p.Define or statement.at[1] <= node.at[0]:
            within = value.at[0] <= node.at[0] and node.at[1] <= value.at[1]
            if not within and _means(module, name, node, statement):
                return name
    return None


def _means(module: Module, name: str, node: Any, statement: Any) -> bool:
    """Whether ``name``, written at ``node``, is what ``statement`` binds and nothing else."""
    only = module.only(name, node)
    return only is not None and (only.node is statement or only.statement is statement)


def _imported(values: Values, module: Module, node: Any) -> str | None:
    """A name that the file imports at its top, and calls already."""
    seen: set[str] = set()
    for call in module.nodes(p.Call):
        if type(call.callee) is p.Name and call.callee.id not in seen:
            seen.add(call.callee.id)
            home, found = values.environment.definitions(module, call.callee)
            if home is module or len(found) != 1 or found[0].path:
                continue
            statement = next((s for s in module.program.body if _means(module, call.callee.id, node, s)), None)
            is_there = type(statement) is p.Import or (type(statement) is p.Let and statement.at[1] <= node.at[0])
            if is_there and requires(values.environment, home, found[0].value):
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
    """Pairs of file and name, of files of the program itself that do nothing when they are imported: they import
    nothing, so that no circle can close, and none of them asks for more variables than the one that is meant."""
    project = values.project
    index = importers(project)
    stages: Stages | None = project.memo.get(Stages)
    found: list[tuple[str, str]] = []
    paths = [path for path in index.mentions("process.env[", like)
             if own_root(project, path) == root and b"throw" in index.data(path) and not list(index.targets(path))
             and (stages is None or stages.of_path(path) == "production")]
    for path in paths[:_MOST]:
        home = project.module(path)
        if home is None or path.endswith((".vue", ".svelte")) or not _is_quiet(home):
            continue
        exported = {one.local for export in home.nodes(p.Export) if export.source is None and not export.type_only
                    for one in export.names if one.local == one.name and not one.type_only}
        found += [(path, name) for name, _, _ in _functions(values, home) if name in exported]
    return tuple(found)


def _is_quiet(home: Module) -> bool:
    """Whether loading a file does nothing but bind names, for whoever loads it: it calls nothing, and takes
    nothing from a package but types."""
    imports = [s for s in home.nodes(p.Import) if not s.type_only and not s.module.startswith("node:")]
    passed_on = [s for s in home.nodes(p.Export) if not s.type_only and s.source is not None]
    return not imports and not passed_on and not set(home.program.directives) - {"use strict"} and all(
        any(type(above) is p.Function for above in home.parents(call)) for call in home.nodes(p.Call))


def _functions(values: Values, module: Module) -> list[tuple[str, Any, Any]]:
    """Name, function and statement of every function at the top level that requires a variable."""
    rows: list[tuple[str, Any, Any]] = []
    statement: Any
    for statement in module.program.body:
        if type(statement) is p.Define and requires(values.environment, module, statement.value):
            rows.append((statement.name, statement.value, statement))
        elif type(statement) is p.Let and type(statement.target) is p.Name and type(statement.value) is p.Function:
            between = module.source.slice((statement.target.at[1], statement.value.at[0]))
            # a type that is written before the function may say less than the function does
            if between.strip() == "=" and requires(values.environment, module, statement.value):
                rows.append((statement.target.id, statement.value, statement))
    return rows
