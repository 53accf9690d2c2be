"""Which declarations at the top level need not be read, since nothing in them can matter."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from connlint.languages.javascript.adapt.walk import Walk
from connlint.languages.javascript.estree import Node
from connlint.patterns import regex

SMALL = 100
"""Bytes up to which passing a declaration over saves nothing."""
_DECLARED = {
    "function_declaration", "generator_function_declaration", "class_declaration", "abstract_class_declaration",
}
_VALUES = {"arrow_function", "function_expression", "generator_function"}
_WORD = regex(rb"[\w$\x80-\xff]+")


class Passing(Walk):
    """Functions and classes without words that matter, alone or exported, become ``Unread``.

    One that is mentioned by something that has such a word is read, and what that one mentions, and so on: what a
    function calls says what it does.
    """

    def passed_over(self, root: Any, words: Sequence[bytes]) -> dict[int, Node]:
        """The nodes that stand for the statements to pass over, by the id of their tree-sitter node."""
        items = root.named_children
        names: dict[int, tuple[Any, bytes]] = {}
        for place, item in enumerate(items):
            name = self.candidate(item)
            if name is not None:
                names[place] = name, self.data[name.start_byte : name.end_byte]
        if not names:
            return {}
        read = self.mentioned(items, names, self.holding(items, words))
        found = {}
        for place, (name, _) in names.items():
            if place not in read:
                found[items[place].id] = self.unread(items[place], self.text(name))
        return found

    def candidate(self, n: Any) -> Any:
        """The name of a declaration that can be passed over; None where it has to be read."""
        if n.end_byte - n.start_byte <= SMALL or n.has_error:
            return None
        if n.type == "export_statement":
            if any(child.type == "decorator" for child in n.named_children):
                return None
            n = n.child_by_field_id(self.f.declaration)
            if n is None:
                return None
        if n.type in ("lexical_declaration", "variable_declaration"):
            declarators = [child for child in n.named_children if child.type == "variable_declarator"]
            value = declarators[0].child_by_field_id(self.f.value) if len(declarators) == 1 else None
            if value is None or value.type not in _VALUES:
                return None
            name = declarators[0].child_by_field_id(self.f.name)
            return name if name is not None and name.type == "identifier" else None
        return n.child_by_field_id(self.f.name) if n.type in _DECLARED else None

    def holding(self, items: Sequence[Any], words: Sequence[bytes]) -> set[int]:
        """The places of the items that hold one of the words."""
        data, found = self.data, set()
        starts = [item.start_byte for item in items]
        for word in words:
            at = data.find(word)
            while at >= 0:
                place = max(0, bisect_right(starts, at) - 1)
                found.add(place)
                at = data.find(word, max(items[place].end_byte, at + 1))  # one hit is enough
        return found

    def mentioned(self, items: Sequence[Any], names: dict[int, tuple[Any, bytes]], hit: set[int]) -> set[int]:
        """``hit`` and every item whose name is mentioned in one of them, directly or through others."""
        places: dict[bytes, list[int]] = {}
        for place, (_, name) in names.items():
            places.setdefault(name, []).append(place)
        seen: set[int] = set()
        pending = list(hit)
        while pending:
            place = pending.pop()
            if place not in seen:
                seen.add(place)
                item = items[place]
                for name in places.keys() & set(_WORD.findall(self.data, item.start_byte, item.end_byte)):
                    pending += places[name]
        return seen

    def unread(self, n: Any, name: str) -> Node:
        made = Node(type="Unread", range=self.at(n), names=(name,))
        if n.type != "export_statement":
            return made
        if self.has(n, "default"):
            return Node(type="ExportDefaultDeclaration", range=self.at(n), declaration=made)
        return Node(type="ExportNamedDeclaration", range=self.at(n), declaration=made, specifiers=[], source=None)
