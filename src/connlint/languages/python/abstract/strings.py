"""F-strings: where their fields stand, which `ast` tells wrong before Python 3.12."""

from __future__ import annotations

import ast
from typing import Any

from connlint.languages.python.abstract.places import Places, line_starts, tree_of
from connlint.languages.python.cursor import OutOfStep
from connlint.languages.python.literals import cooked, string_value
from connlint.languages.python.shapes import joined
from connlint.languages.python.stretches import end_of_string
from connlint.model import program as p
from connlint.model.source import Span
from connlint.patterns import regex

_OPENING = regex(r"([A-Za-z]*)('''|\"\"\"|'|\")")
_IN_TEXT = regex(r"[\\{}'\"]")
_IN_FIELD = regex(r"[\\{}\[\]()'\"#!:=<>]")
_DOTTED = regex(r"[ \t]*([A-Za-z_][A-Za-z_0-9]*)((?:\.[A-Za-z_][A-Za-z_0-9]*)*)[ \t]*")
_NO_NAMES = ("None", "True", "False", "yield")


class Strings(Places):
    """``depth`` counts the nodes around the one at hand; ``yields`` is set by a ``yield`` of the function at hand."""

    __slots__ = ("depth", "yields")

    def __init__(self, text: str, starts: list[int]) -> None:
        super().__init__(text, starts)
        self.depth = 0
        self.yields = False

    def expression(self, node: Any) -> Any:
        """Lower one expression."""
        raise NotImplementedError

    def formatted(self, node: Any) -> Any:
        """A text with fields, perhaps of several literals side by side."""
        at = pos, end = self.at(node)
        parts: list[Any] = []
        while pos < end:
            pos = self.token(self._literal(pos, parts))
        return joined(parts, at)

    def _literal(self, at: int, parts: list[Any]) -> int:
        """Add the parts of the literal at ``at``; gives where it ends."""
        opening = _OPENING.match(self.text, at)
        if opening is None or "t" in opening[1].lower():
            raise OutOfStep(f"a string at {at}")
        prefix = opening[1].lower()
        if "f" in prefix:
            return self._pieces(opening.end(), prefix, opening[2], parts) + len(opening[2])
        end = self._end_of_string(opening.start(2))
        parts.append(p.Text(string_value(self.written(at, end)), (at, end)))
        return end

    def _end_of_string(self, at: int) -> int:
        end = end_of_string(self.text, at)
        if end < 0:
            raise OutOfStep(f"no end of the string at {at}")
        return end

    def _pieces(self, at: int, prefix: str, quote: str, parts: list[Any]) -> int:
        """Add texts and fields from ``at`` on; gives where the quote stands, or without one the bracket that closes
        a format."""
        text, pos = self.text, at
        while found := _IN_TEXT.search(text, pos):
            pos, c = found.start(), found[0]
            if c == "\\":
                if "r" not in prefix and text.startswith("N{", pos + 1):
                    pos = text.index("}", pos) + 1
                else:
                    pos += 1 if text.startswith("{", pos + 1) else 2
            elif c == "{":
                if quote and text.startswith("{", pos + 1):
                    pos += 2
                else:
                    self._text(at, pos, prefix, parts)
                    at = pos = self._field(pos, prefix, parts)
            elif c == "}":
                if not quote:
                    break
                pos += 2
            elif quote and text.startswith(quote, pos):
                break
            else:
                pos += 1
        else:
            raise OutOfStep(f"no end of the string at {at}")
        self._text(at, pos, prefix, parts)
        return pos

    def _text(self, start: int, end: int, prefix: str, parts: list[Any]) -> None:
        if start < end:
            text = cooked(self.written(start, end), prefix).replace("{{", "{").replace("}}", "}")
            parts.append(p.Text(text, (start, end)))

    def _field(self, start: int, prefix: str, parts: list[Any]) -> int:
        """Add what stands in the brackets at ``start``; gives where they end."""
        text = self.text
        pos = self._end_of_value(start + 1)
        value = self._value(start + 1, pos)
        shows_itself = text[pos] == "="
        conversion = ""
        if shows_itself:
            pos = self.token(pos + 1)
            parts.append(p.Text(self.written(start + 1, pos), (start + 1, pos)))
        if text[pos] == "!":
            pos = self.token(pos + 1)
            conversion = text[pos]
            pos = self.token(pos + 1)
        changed = conversion not in ("", "s")
        more: list[Any] = []
        if text[pos] == ":":
            spec: list[Any] = []
            pos = self._pieces(pos + 1, prefix, "", spec)
            more = [part for part in spec if type(part) is not p.Text]
            changed = changed or bool(spec)
        elif shows_itself and not conversion:
            changed = True
        end = self.behind("}", pos)
        parts.append(p.Opaque("format", (value, *more), (start, end)) if changed else value)
        return end

    def _end_of_value(self, at: int) -> int:
        """Where the expression of a field ends."""
        text, pos, depth = self.text, at, 0
        while found := _IN_FIELD.search(text, pos):
            pos, c = found.start(), found[0]
            if c in "\"'":
                pos = self._end_of_string(pos)
            elif c == "#":
                pos = self.token(pos)
            elif c in "([{":
                depth += 1
                pos += 1
            elif depth or c in "\\":
                depth -= c in ")]}"
                pos += 1
            elif c in "<>!=" and text[pos + 1] == "=":
                pos += 2
            elif c in "<>":
                pos += 1
            else:
                return pos
        raise OutOfStep(f"no end of the field at {at}")

    def _value(self, start: int, end: int) -> Any:
        """The expression between two places."""
        plain = _DOTTED.fullmatch(self.text, start, end)
        if plain is not None and plain[1] not in _NO_NAMES:
            value: Any = p.Name(plain[1], plain.span(1))
            first, pos = plain.span(1)
            for name in plain[2].split(".")[1:]:
                at, pos = pos + 1, pos + 1 + len(name)
                value = p.Member(value, name, (first, pos), (at, pos))
            return value
        tree = tree_of(f"({self.written(start, end)}\n)", "eval").body
        # the parenthesis before it, and a line of the other behind it
        lines = line_starts(self.text, [(start, end)])
        inner = type(self)(self.text, [0, start - 1, *lines[2:], end])
        inner.depth = self.depth
        value = inner.expression(tree)
        self.yields = self.yields or inner.yields
        if type(tree) is ast.Tuple and value.at[0] == start - 1:
            value.at = self._without_space(start, end)
        return value

    def _without_space(self, start: int, end: int) -> Span:
        return self.token(start), start + len(self.text[start:end].rstrip())
