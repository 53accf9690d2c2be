"""Which imports are left when types are taken away: a compiler drops what is imported for its types alone."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.patterns import alone
from connlint.project.module import Module

_TYPED = (".ts", ".tsx", ".mts", ".cts")


def stays(module: Module, statement: p.Import) -> bool:
    """Whether an import is one at run time: something that it brings is used otherwise than as a type."""
    if statement.type_only:
        return False
    return not statement.names or not module.path.endswith(_TYPED) or any(
        not name.type_only and is_used(module, name.local) for name in statement.names)


def is_used(module: Module, local: str | None) -> bool:
    """Whether a name of the file stands where a value is meant; what was not read may hold it so."""
    if local is None:
        return False
    table = module.memo.get(is_used)
    if table is None:
        typed: list[Any] = [*module.nodes(p.Let), *module.nodes(p.Param)]
        types = {id(name) for node in typed if node.annotation is not None for name in p.within(node.annotation)}
        table = module.memo[is_used] = {name.id for name in module.nodes(p.Name) if id(name) not in types} | {
            e.local for export in module.nodes(p.Export) for e in export.names}
    return local in table or any(alone(local.encode()).search(module.source.data, it.at[0], it.at[1])
                                 for it in module.nodes(p.Unread))
