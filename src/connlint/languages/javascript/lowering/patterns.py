"""Patterns: what is bound or assigned."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.lowering.names import hole
from connlint.languages.javascript.lowering.walk import DEEPEST, TooDeep, Walk
from connlint.model import program as p


class Patterns(Walk):
    """Targets."""

    EXPRESSIONS: ClassVar[dict[str, str]] = {
        "ArrayPattern": "pattern", "ObjectPattern": "pattern", "AssignmentPattern": "pattern",
        "RestElement": "pattern",
    }

    def pattern(self, node: Any) -> p.Expression:
        """What is bound or assigned: names, members, destructuring."""
        kind = node.type
        if kind == "Identifier":
            if not self.functions and node.name == "exports":
                self.commonjs = True
            return p.Name(node.name, node.range)
        self.level += 1
        if self.level > DEEPEST:
            raise TooDeep
        if kind == "AssignmentPattern":
            made: p.Expression = p.Default(self.pattern(node.left), self.expression(node.right), node.range)
        elif kind in ("ArrayPattern", "ArrayExpression"):
            items: list[p.Expression] = []
            for element in node.elements:
                items.append(hole(node) if element is None else self.pattern(element))
            made = p.Sequence("list", tuple(items), node.range)
        elif kind in ("RestElement", "SpreadElement"):
            made = p.Spread(self.pattern(node.argument), node.range)
        elif kind in ("ObjectPattern", "ObjectExpression"):
            entries = []
            for one in node.properties:
                if one.type == "Property":
                    entries.append(p.Entry(self.key(one), self.pattern(one.value), one.range))
                else:
                    entries.append(p.Entry(None, self.pattern(one.argument or one), one.range))
            made = p.Record(tuple(entries), node.range)
        else:
            made = self.expressions.get(kind, self.other)(node)
        self.level -= 1
        return made
