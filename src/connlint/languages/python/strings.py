"""Lowering of Python's strings: plain, formatted, side by side, and templates."""

from __future__ import annotations

from typing import Any

from connlint.languages.python.descent import Descent
from connlint.languages.python.literals import cooked, string_value
from connlint.languages.python.shapes import joined
from connlint.model import program as p


class Strings(Descent):
    """Strings without holes are `Text`, those with holes `Concat`; a hole that is formatted is `Opaque`."""

    __slots__ = ()

    def string(self, node: Any) -> Any:
        start = self.take(node.value)
        return p.Text(string_value(node.value), (start, self.pos))

    def formatted(self, node: Any) -> Any:
        start = self.peek()
        return joined(self._formatted_parts(node), (start, self.pos))

    def _formatted_parts(self, node: Any) -> list[Any]:
        self.take(node.start)
        prefix = node.start.rstrip("\"'").lower()
        parts = self._pieces(node.parts, prefix)
        self.exactly(node.end)
        return parts

    def _pieces(self, pieces: Any, prefix: str) -> list[Any]:
        parts: list[Any] = []
        for piece in pieces:
            start = self.pos
            if type(piece).__name__.endswith("Text"):
                self.exactly(piece.value)
                text = cooked(piece.value, prefix).replace("{{", "{").replace("}}", "}")
                parts.append(p.Text(text, (start, self.pos)))
                continue
            self.exactly("{")
            value = self.expression(piece.expression)
            if piece.equal is not None:
                self.take("=")
                self.peek()
                parts.append(p.Text(self.written(start + 1, self.pos), (start + 1, self.pos)))
            more: list[Any] = []
            changed = piece.equal is not None and piece.format_spec is None
            if piece.conversion is not None:
                self.take("!")
                self.take(piece.conversion)
                changed = piece.conversion != "s"
            if piece.format_spec is not None:
                self.take(":")
                more = [part for part in self._pieces(piece.format_spec, prefix) if type(part) is not p.Text]
                changed = changed or bool(piece.format_spec)
                self.exactly("}")
            else:
                self.take("}")
            parts.append(p.Opaque("format", (value, *more), (start, self.pos)) if changed else value)
        return parts

    def concatenated(self, node: Any) -> Any:
        start = self.peek()
        parts: list[Any] = []
        todo = [node]
        opaque = False
        while todo:
            piece = todo.pop()
            kind = type(piece).__name__
            if kind == "ConcatenatedString" and (piece is node or not piece.lpar):
                todo += (piece.right, piece.left)
            elif kind == "SimpleString":
                parts.append(self.string(piece))
            elif kind == "FormattedString":
                parts += self._formatted_parts(piece)
            else:
                opaque = True
                parts.append(self.expression(piece))
        at = (start, self.pos)
        return p.Opaque("template string", tuple(parts), at) if opaque else joined(parts, at)

    def template(self, node: Any) -> Any:
        start = self.peek()
        holes = [part for part in self._formatted_parts(node) if type(part) is not p.Text]
        return p.Opaque("template string", tuple(holes), (start, self.pos))
