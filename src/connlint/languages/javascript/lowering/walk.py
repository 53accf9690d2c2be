"""The ground of the lowering: dispatch by type, and how deep it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from connlint.model import program as p

DEEPEST = 150
"""Levels of nesting that are followed. Who walks a program may recurse: Python stops at some 1000 frames."""


class TooDeep(Exception):
    """A statement nests further than `DEEPEST`."""


class Walk:
    """One file's walk. The classes on top of it give the methods that the two tables name, one a type of node."""

    EXPRESSIONS: ClassVar[dict[str, str]] = {}
    STATEMENTS: ClassVar[dict[str, str]] = {}

    if TYPE_CHECKING:  # what the classes give each other

        def pattern(self, node: Any) -> p.Expression: ...
        def key(self, node: Any) -> p.Expression: ...
        def method(self, node: Any, key: p.Expression, kind: Any) -> p.Function: ...
        def function(self, node: Any) -> p.Function: ...
        def class_(self, node: Any) -> p.Class: ...

    def __init__(self) -> None:
        self.level = 0
        self.functions = 0
        self.esm = self.commonjs = False
        self.expressions: dict[str, Callable[[Any], p.Expression]] = {
            kind: getattr(self, name) for kind, name in self.EXPRESSIONS.items()
        }
        self.statements: dict[str, Callable[[Any, list[p.Statement]], None]] = {
            kind: getattr(self, name) for kind, name in self.STATEMENTS.items()
        }

    def statement(self, node: Any, out: list[p.Statement]) -> None:
        """Append what ``node`` becomes: no statement, one, or several."""
        self.level += 1
        if self.level > DEEPEST:
            raise TooDeep
        method = self.statements.get(node.type)
        if method is not None:
            method(node, out)
        else:
            out.append(p.Evaluate(self.expression(node), node.range))
        self.level -= 1

    def body(self, node: Any) -> tuple[p.Statement, ...]:
        """The statements of a block, or of the one statement in its place."""
        if node is None:
            return ()
        out: list[p.Statement] = []
        if node.type == "BlockStatement":
            for child in node.body:
                self.statement(child, out)
        else:
            self.statement(node, out)
        return tuple(out)

    def expression(self, node: Any) -> p.Expression:
        if node is None:
            return p.Opaque("missing", (), (0, 0))
        self.level += 1
        if self.level > DEEPEST:
            raise TooDeep
        made = self.expressions.get(node.type, self.other)(node)
        self.level -= 1
        return made

    def maybe(self, node: Any) -> p.Expression | None:
        return None if node is None else self.expression(node)

    def each(self, nodes: Any) -> list[p.Expression]:
        made = []
        for node in nodes:
            made.append(self.expression(node))
        return made

    def other(self, node: Any) -> p.Expression:
        """A node of an unknown type: what is evaluated in it stays."""
        return p.Opaque(node.type, tuple(self.each(node.parts or ())), node.range)
