"""Edits as intents: what shall be changed, written by the language of the file that is concerned."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.project.module import Module
from connlint.project.values import Read, Site, Values


def require(values: Values, read: Read, joint: Site) -> Fix | None:
    """Make the program stop where ``read`` finds nothing, in place of the fallback at ``joint``.

    None where the two do not stand together, where the reader is not the language's own, or where the edit cannot be
    written.
    """
    module = read.site.module
    if joint.module is not module or len(read.variables) != 1:
        return None
    python = module.program.language == "python"
    node = _replaceable(values, module, read.site.node, joint.node, python)
    if node is None:
        return None
    if python:
        from connlint.languages.python.rewrite import require as rewrite
    else:
        from connlint.languages.javascript.rewrite import require as rewrite
    return rewrite(module.source, module.program, node.at, read.variables[0])


def _replaceable(values: Values, module: Module, read: Any, joint: Any, python: bool) -> Any:
    """The node that holds the read and its fallback and nothing else; None where there is no such node."""
    if type(read) is p.Entry:
        return read.value if type(read.value) is p.Default else None
    access = values.environment.access(module, read)
    if access is None or not access.plain:
        return None
    kind = type(joint)
    if joint is read:
        return joint if python and not access.writes else None
    if kind is p.Logical and joint.op != "and":
        return joint if joint.left is read else None
    if kind is p.Assign and joint.op in ("or", "nullish"):
        return joint if joint.target is read else None
    if kind is p.Conditional and not python:
        return joint if any(_same(module, arm, read) for arm in (joint.then, joint.otherwise)) else None
    return None


def _same(module: Module, arm: Any, read: Any) -> bool:
    """Whether two expressions are written alike."""
    return module.source.slice(arm.at) == module.source.slice(read.at)
