"""Names that several kinds of syntax share."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p


def private(name: str) -> str:
    """A private name with its mark, which not every parser gives."""
    return name if name.startswith("#") else "#" + name


def hole(node: Any) -> p.Expression:
    """The place that ``[a, , b]`` leaves out; it has no width."""
    return p.Opaque("hole", (), (node.range[0], node.range[0]))
