"""Edits that give what a file imports another name in all of its places, in whatever language it is written."""

from __future__ import annotations

import re

from connlint.languages.edits import everything
from connlint.model import program as p
from connlint.model.finding import Edit, Place
from connlint.model.source import Source

_MOST_RENAMED = 10
"""Uses of a name: with more of them, an edit that renames it is longer than what it is about."""


def renamed_uses(source: Source, program: p.Program, name: str, new: str) -> list[Edit] | None:
    """Edits that write ``new`` wherever the file uses the imported ``name``.

    None where not every mention of it but that of the import is a plain use, where they are many, or where ``new`` is a
    word of the file already.
    """
    def mentions(word: str) -> int:
        return len(re.findall(rf"(?<![\w$]){re.escape(word)}(?![\w$])", source.text))

    nodes = list(everything(program.body))
    uses = {node.at for node in nodes if type(node) is p.Name and node.id == name}
    bound = [inner for node in nodes if (target := getattr(node, "target", None)) is not None
             for inner in everything((target,)) if type(inner) is p.Name and inner.id == name]
    if bound or len(uses) > _MOST_RENAMED or mentions(name) != len(uses) + 1 or mentions(new):
        return None
    if any(source.slice(at) != name for at in uses):
        return None
    keys = {node.key.at for node in nodes if type(node) is p.Entry and type(node.key) is p.Text}
    return [Edit(Place(source.path, at), f"{name}: {new}" if at in keys else new) for at in sorted(uses)]
