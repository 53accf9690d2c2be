"""How a lowering goes down a tree: by type, with a limit, and with an eye on parentheses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.python.cursor import Cursor

MAX_DEPTH = 200
"""Nodes that may stand inside one another; beyond, what walks over programs would exceed Python's recursion limit."""


class TooDeep(Exception):
    """More nodes inside one another than `MAX_DEPTH`."""


class Descent(Cursor):
    """Hands each node to what ``table`` says for its type.

    Positions leave the parentheses around an expression out, except those of a tuple or a generator, which belong to
    it. ``yields`` is set by a ``yield`` of the function at hand.
    """

    __slots__ = ("depth", "table", "yields")

    def __init__(self, text: str, table: dict[type, Callable[[Any, Any], Any]], is_view: bool = False) -> None:
        super().__init__(text, is_view)
        self.table = table
        self.depth = 0
        self.yields = False

    def expression(self, node: Any) -> Any:
        """Lower one expression with the parentheses around it."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        if node.lpar:
            result = self._in_parentheses(node)
        else:
            result = self.table[type(node)](self, node)
        self.depth -= 1
        return result

    def _in_parentheses(self, node: Any) -> Any:
        start = 0
        for _ in node.lpar:
            start = self.take("(")
        result = self.table[type(node)](self, node)
        self.take(")")
        if type(node).__name__ in ("Tuple", "GeneratorExp"):
            result.at = (start, self.pos)
        for _ in node.lpar[1:]:
            self.take(")")
        return result
