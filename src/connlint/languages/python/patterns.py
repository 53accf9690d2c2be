"""Lowering of the patterns of ``match``.

A value stands for itself, anything more is `Opaque`, and a pattern that takes everything is None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.python.definitions import Definitions
from connlint.languages.python.descent import MAX_DEPTH, TooDeep
from connlint.model import program as p


class Patterns(Definitions):
    """``bound`` collects the names that the pattern at hand binds."""

    __slots__ = ("bound",)

    def __init__(self, text: str, table: dict[type, Callable[..., Any]], is_view: bool = False) -> None:
        super().__init__(text, table, is_view)
        self.bound: list[p.Name] = []

    def pattern(self, node: Any) -> Any:
        """Lower a pattern; None if it takes everything. Names that it binds go to ``bound``."""
        kind = type(node).__name__
        if kind in ("MatchValue", "MatchSingleton"):
            return self.expression(node.value)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        own = kind in ("MatchTuple",)
        opened = self.peek()
        for _ in node.lpar:
            opened = self.take("(")
        result = _PATTERNS[kind](self, node)
        for place, _ in enumerate(node.lpar):
            self.take(")")
            if own and place == 0:
                result.at = (opened, self.pos)
        self.depth -= 1
        return result

    def _bind(self, node: Any) -> None:
        if node is None:
            self.take("_")
        else:
            self.bound.append(self.name(node))

    def as_pattern(self, node: Any) -> Any:
        if node.pattern is None:
            self._bind(node.name)
            return None
        test = self.pattern(node.pattern)
        self.take("as")
        self._bind(node.name)
        return test

    def or_pattern(self, node: Any) -> Any:
        start = self.peek()
        tests = []
        for place, element in enumerate(node.patterns):
            if place:
                self.take("|")
            tests.append(self.pattern(element.pattern))
        if None in tests:
            return None
        return p.Opaque("alternatives", tuple(tests), (start, self.pos))

    def list_pattern(self, node: Any) -> Any:
        start = self.peek()
        brackets = node.lbracket is not None
        if brackets:
            self.take("[")
        parts = self._subpatterns(node.patterns)
        if brackets:
            self.take("]")
        return p.Opaque("sequence pattern", parts, (start, self.pos))

    def tuple_pattern(self, node: Any) -> Any:
        start = self.peek()
        parts = self._subpatterns(node.patterns)
        return p.Opaque("sequence pattern", parts, (start, self.pos))

    def _subpatterns(self, elements: Any) -> tuple[Any, ...]:
        parts = []
        for element in elements:
            if type(element).__name__ == "MatchStar":
                self.take("*")
                self._bind(element.name)
            else:
                parts.append(self.pattern(element.value))
            self.maybe(",")
        return tuple(part for part in parts if part is not None)

    def mapping_pattern(self, node: Any) -> Any:
        start = self.take("{")
        parts: list[Any] = []
        for element in node.elements:
            lower = self.pattern if type(element.key).__name__.startswith("Match") else self.expression
            parts.append(lower(element.key))
            self.take(":")
            parts.append(self.pattern(element.pattern))
            self.maybe(",")
        if node.rest is not None:
            self.take("**")
            self._bind(node.rest)
            self.maybe(",")
        self.take("}")
        return p.Opaque("mapping pattern", tuple(part for part in parts if part is not None), (start, self.pos))

    def class_pattern(self, node: Any) -> Any:
        start = self.peek()
        parts: list[Any] = [self.expression(node.cls)]
        self.take("(")
        parts += self._subpatterns(node.patterns)
        for element in node.kwds:
            self.take(element.key.value)
            self.take("=")
            parts.append(self.pattern(element.pattern))
            self.maybe(",")
        self.take(")")
        return p.Opaque("class pattern", tuple(part for part in parts if part is not None), (start, self.pos))


_PATTERNS: dict[str, Callable[[Patterns, Any], Any]] = {
    "MatchAs": Patterns.as_pattern,
    "MatchOr": Patterns.or_pattern,
    "MatchList": Patterns.list_pattern,
    "MatchTuple": Patterns.tuple_pattern,
    "MatchMapping": Patterns.mapping_pattern,
    "MatchClass": Patterns.class_pattern,
}
