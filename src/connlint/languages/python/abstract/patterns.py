"""Lowering of the patterns of ``match`` in Python's own trees."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from connlint.languages.python.abstract.expressions import Expressions
from connlint.languages.python.descent import MAX_DEPTH, TooDeep
from connlint.model import program as p


class Patterns(Expressions):
    """``bound`` collects the names that the pattern at hand binds."""

    __slots__ = ("bound",)

    def __init__(self, text: str, starts: list[int]) -> None:
        super().__init__(text, starts)
        self.bound: list[p.Name] = []

    def pattern(self, node: Any) -> Any:
        """Lower a pattern; None if it takes everything. Names that it binds go to ``bound``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        result = _PATTERNS[type(node)](self, node)
        self.depth -= 1
        return result

    def _several(self, nodes: Any) -> list[Any]:
        return [part for part in map(self.pattern, nodes) if part is not None]

    def _bind(self, name: str | None, at: int) -> None:
        """Bind ``name``, which stands at ``at``, unless it is ``_``."""
        if name is not None:
            self.bound.append(p.Name(name, self.name_at(name, at)))

    def value_pattern(self, node: Any) -> Any:
        return self.expression(node.value)

    def star_pattern(self, node: Any) -> Any:
        self._bind(node.name, self.start(node) + 1)

    def as_pattern(self, node: Any) -> Any:
        if node.pattern is None:
            self._bind(node.name, self.start(node))
            return None
        test = self.pattern(node.pattern)
        self._bind(node.name, self.behind("as", self.all_closed(self.end(node.pattern))))
        return test

    def or_pattern(self, node: Any) -> Any:
        tests = [self.pattern(part) for part in node.patterns]
        return None if None in tests else p.Opaque("alternatives", tuple(tests), self.at(node))

    def sequence_pattern(self, node: Any) -> Any:
        return p.Opaque("sequence pattern", tuple(self._several(node.patterns)), self.at(node))

    def mapping_pattern(self, node: Any) -> Any:
        start, end = self.at(node)
        parts = []
        for key, below in zip(node.keys, node.patterns, strict=True):
            parts += [self.expression(key), self.pattern(below)]
        if node.rest is not None:
            self._bind(node.rest, self.text.rindex("**", start, end) + 2)
        return p.Opaque("mapping pattern", tuple(part for part in parts if part is not None), (start, end))

    def class_pattern(self, node: Any) -> Any:
        parts = [self.expression(node.cls), *self._several(node.patterns), *self._several(node.kwd_patterns)]
        return p.Opaque("class pattern", tuple(parts), self.at(node))


_PATTERNS: dict[type, Callable[[Any, Any], Any]] = {
    ast.MatchValue: Patterns.value_pattern,
    ast.MatchSingleton: Expressions.constant,
    ast.MatchAs: Patterns.as_pattern,
    ast.MatchOr: Patterns.or_pattern,
    ast.MatchSequence: Patterns.sequence_pattern,
    ast.MatchStar: Patterns.star_pattern,
    ast.MatchMapping: Patterns.mapping_pattern,
    ast.MatchClass: Patterns.class_pattern,
}
