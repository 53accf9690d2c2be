"""The ground of the adapter: places, texts, lists of statements, and what a syntax error costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from connlint.languages.javascript.estree import Node

SKIP = {"comment", "html_comment", "ERROR", "type_annotation", "decorator"}
_LISTS = {"program", "statement_block", "class_body", "switch_case", "switch_default"}
_TYPES = {
    "interface_body", "object_type", "type_alias_declaration", "type_annotation", "type_arguments", "type_parameters",
}
"""Nothing is evaluated in these: an error in one costs nothing."""
_MOST_PROBLEMS = 20

class Walk:
    """One file's walk. The classes on top of it give the methods, one a kind of node, that ``KINDS`` names."""

    KINDS: ClassVar[dict[str, str]] = dict.fromkeys((
        "empty_statement", "debugger_statement", "method_signature", "abstract_method_signature", "index_signature",
        "html_character_reference", "type_annotation", "jsx_text",
    ), "nothing")

    if TYPE_CHECKING:  # what the classes give each other

        def annotated(self, target: Any, n: Any) -> Any: ...
        def namespace(self, n: Any) -> Node | None: ...
        def identifier(self, n: Any) -> Node: ...
        def string(self, n: Any) -> Node: ...
        def params(self, n: Any) -> list[Any]: ...
        def inner(self, n: Any) -> Any: ...
        def key(self, n: Any) -> tuple[Any, bool]: ...

    def __init__(self, data: bytes, fields: SimpleNamespace, base: int, table: Sequence[int] | None,
                 ambient: bool) -> None:
        self.data, self.f, self.base, self.table, self.ambient = data, fields, base, table, ambient
        self.is_whole = table is None and base == 0
        self.ends: dict[int, int] = {}
        self.broken: set[int] = set()
        self.problems: list[tuple[str, tuple[int, int]]] = []
        self.kinds: dict[str, Callable[[Any], Any]] = {
            kind: getattr(self, method) for kind, method in self.KINDS.items()
        }

    # -- places and texts -----------------------------------------------------------------------------------------

    def at(self, n: Any) -> tuple[int, int]:
        place: tuple[int, int] = n.byte_range
        return place if self.is_whole and place[1] not in self.ends else self.span(*place)

    def span(self, start: int, end: int) -> tuple[int, int]:
        before_comment = self.ends.get(end)
        if before_comment is not None and before_comment >= start:
            end = before_comment
        if self.table is not None:
            return self.table[start], self.table[end]
        return start + self.base, end + self.base

    def text(self, n: Any) -> str:
        start, end = n.byte_range
        return self.data[start:end].decode("utf-8", "replace")

    def first(self, n: Any) -> Any:
        """The first child that is no comment, type or error; None if there is none."""
        for child in n.named_children:
            if child.type not in SKIP:
                return child
        return None

    def has(self, n: Any, *words: str) -> bool:
        return any(child.type in words for child in n.children)

    # -- errors ---------------------------------------------------------------------------------------------------

    def mark_broken(self, root: Any) -> None:
        """Find the innermost statements that hold a syntax error, and tell each once."""
        stack: list[tuple[Any, Any]] = [(root, None)]
        told: set[int] = set()
        while stack:
            n, owner = stack.pop()
            if n.type == "ERROR" or n.is_missing:
                victim = owner if owner is not None else n
                self.broken.add(victim.id)
                if victim.id not in told and len(told) < _MOST_PROBLEMS:
                    told.add(victim.id)
                    what = f"{n.type!r} expected" if n.is_missing else "unexpected text"
                    self.problems.append((what, self.at(n)))
                continue
            inside = n.type in _LISTS
            for child in reversed(n.children):
                if (child.has_error or child.is_missing) and child.type not in _TYPES:
                    stack.append((child, child if inside and child.is_named else owner))
        self.problems.sort(key=lambda problem: problem[1])

    # -- the way in -----------------------------------------------------------------------------------------------

    def program(self, n: Any, passed_over: dict[int, Node]) -> Node:
        """The whole file; ``passed_over`` has the nodes that stand for statements that are not read."""
        body: list[Node] = []
        for child in n.named_children:
            kind = child.type
            if kind in SKIP or kind == "hash_bang_line" or child.id in self.broken:
                continue
            made = passed_over.get(child.id)
            if made is None:
                try:
                    made = self.kinds.get(kind, self.unknown)(child)
                except RecursionError:
                    self.problems.append(("nested too deeply", self.at(child)))
            if made is not None:
                body.append(made)
        return Node(type="Program", range=self.at(n), body=body)

    def statements(self, children: Any) -> list[Node]:
        body = []
        kinds, broken = self.kinds, self.broken
        for child in children:
            kind = child.type
            if kind in SKIP or (broken and child.id in broken):
                continue
            made = kinds.get(kind, self.unknown)(child)
            if made is not None:
                body.append(made)
        return body

    def convert(self, n: Any) -> Any:
        return self.kinds.get(n.type, self.unknown)(n)

    def field(self, n: Any, field: int) -> Any:
        """The converted child of that field, or None."""
        child = n.child_by_field_id(field)
        return None if child is None else self.kinds.get(child.type, self.unknown)(child)

    def unknown(self, n: Any) -> Node:
        """Something the grammar has and this module does not: its parts are kept."""
        parts = [self.convert(child) for child in n.named_children if child.type not in SKIP]
        return Node(type=n.type, range=self.at(n), parts=[part for part in parts if part is not None])

    def nothing(self, n: Any) -> None:
        return None
