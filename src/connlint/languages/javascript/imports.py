"""What one import statement takes, from a real parse of the file that holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connlint.languages.javascript.scan import Statement
from connlint.languages.javascript.syntax import assigned, binds, occurrences, parse, text
from connlint.model.source import Span

if TYPE_CHECKING:
    from tree_sitter import Node

_CONDITION = re.compile(rb"process\.(?:env|versions|browser)|existsSync|typeof|__\w+__|import\.meta|NODE_ENV")
_RULE = rb"[^\n]*(?:import|\bnode/|\bn/|require|unresolved)"
_SILENCED = re.compile(
    rb"@ts-(?:ignore|expect-error)|webpackIgnore|@vite-ignore|(?:eslint-disable|oxlint-disable|biome-ignore)" + _RULE
)
_SILENCED_ALL = re.compile(rb"/\*\s*(?:eslint|oxlint)-disable\s" + _RULE)
_TYPES = frozenset({
    "nested_type_identifier", "type_query", "generic_type", "type_annotation", "type_arguments", "lookup_type",
    "type_alias_declaration", "interface_declaration", "interface_body", "implements_clause", "extends_type_clause",
    "index_type_query", "type_predicate", "union_type", "intersection_type",
})
_DECORATOR = re.compile(rb"(?m)^\s*@[\w$]+")


@dataclass(slots=True)
class Taken:
    """What one statement takes from a module. ``members`` are read from the namespace or the required value."""

    names: list[tuple[str, Span]] = field(default_factory=list)
    members: list[tuple[str, Span]] = field(default_factory=list)
    excused: str | None = None
    breaks: str = "import"


class Imports:
    """The imports of one file, looked at where the scan found candidates."""

    def __init__(self, path: str, data: bytes) -> None:
        self.data = data
        self.root = parse(path, data)
        # A compiler of TypeScript drops imports that only types use, except for what decorators write down.
        self._drops_types = path.endswith((".ts", ".mts", ".cts", ".tsx")) and not _DECORATOR.search(data)
        self._silenced_all = _SILENCED_ALL.search(data, 0, 3000) is not None

    def taken(self, statement: Statement) -> Taken | None:
        """What the candidate takes; None where it is no statement but, say, a part of a comment."""
        start, end = statement.at
        node = self.root.descendant_for_byte_range(start, end) if self.root is not None else None
        if node is not None and node.type in ("string_fragment", "template_chars"):
            node = node.parent
        if node is None or node.type not in ("string", "template_string") or node.parent is None:
            return None
        if (node.start_byte, node.end_byte) != (start - 1, end + 1):
            return None
        parent = node.parent
        if parent.type in ("import_statement", "export_statement", "import_require_clause"):
            return self._static(parent)
        if parent.type == "arguments" and parent.parent is not None and parent.parent.type == "call_expression":
            function = parent.parent.child_by_field_name("function")
            if function is not None and function.text in (b"require", b"import"):
                return self._call(parent.parent, function.text == b"import")
        return None

    # -- statements ---------------------------------------------------------------------------------------------------

    def _static(self, node: Node) -> Taken | None:
        statement = node.parent if node.type == "import_require_clause" else node
        if statement is None or statement.has_error:
            return None
        taken = Taken(excused=self._silenced(statement))
        if _marked(statement):
            taken.excused = taken.excused or "types only"
            return taken
        if statement.parent is not None and statement.parent.type != "program":
            taken.excused = taken.excused or "a declaration"
        if node.type == "import_require_clause":
            taken.breaks = "use"
            if name := next((child for child in node.named_children if child.type == "identifier"), None):
                taken.members = self._members(name)
            return taken
        for child in statement.named_children:
            if child.type == "export_clause":
                for part in child.named_children:
                    name = part.child_by_field_name("name") if part.type == "export_specifier" else None
                    if name is not None and not _marked(part):
                        taken.names.append((text(name), _span(name)))
            elif child.type == "import_clause":
                self._clause(child, taken)
        return taken

    def _clause(self, clause: Node, taken: Taken) -> None:
        for child in clause.named_children:
            if child.type == "identifier":
                if not self._only_typed(child):
                    taken.names.append(("default", _span(child)))
            elif child.type == "namespace_import":
                taken.members = self._members(child.named_children[-1])
            elif child.type == "named_imports":
                for part in child.named_children:
                    name = part.child_by_field_name("name") if part.type == "import_specifier" else None
                    if name is not None and not _marked(part):
                        if not self._only_typed(part.child_by_field_name("alias") or name):
                            taken.names.append((text(name), _span(name)))

    def _only_typed(self, name: Node) -> bool:
        """Whether an imported name of a TypeScript file is used, and in types alone, so that the compiler drops it."""
        if not self._drops_types or self.root is None:
            return False
        used = False
        kinds = ("identifier", "type_identifier", "shorthand_property_identifier")
        for node in occurrences(self.root, self.data, name.text or b"", kinds):
            if node.start_byte != name.start_byte:
                if node.type != "type_identifier" and not _in_types(node):
                    return False
                used = True
        return used

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, call: Node, dynamic: bool) -> Taken:
        """``require("x")`` or ``import("x")``, and what becomes of its value."""
        taken = Taken(breaks="use", excused=self._silenced(call) or _guarded(call))
        if _in_types(call):
            taken.excused = "types only"
            return taken
        value = call
        if dynamic:
            while value.parent is not None and value.parent.type in ("parenthesized_expression", "await_expression"):
                value = value.parent
            if value is call:
                return taken
        parent = value.parent
        if parent is None:
            return taken
        if parent.type == "member_expression" and parent.child_by_field_name("object") == value:
            name = parent.child_by_field_name("property")
            if name is not None and not assigned(parent) and not _tested(parent):
                taken.members.append((text(name), _span(name)))
        elif parent.type == "variable_declarator" and parent.child_by_field_name("value") == value:
            target = parent.child_by_field_name("name")
            if target is not None and target.type == "object_pattern":
                for part in target.named_children:
                    key = part.child_by_field_name("key") if part.type == "pair_pattern" else part
                    if key is not None and key.type in ("shorthand_property_identifier_pattern", "property_identifier"):
                        taken.names.append((text(key), _span(key)))
            elif target is not None and target.type == "identifier":
                taken.members = self._members(target)
        return taken

    def _members(self, name: Node) -> list[tuple[str, Span]]:
        """What is read as a member of the variable that ``name`` binds; nothing where another binding has its name."""
        assert self.root is not None
        found: dict[str, Span] = {}
        unsure: set[str] = set()
        kinds = ("identifier", "shorthand_property_identifier_pattern", "type_identifier")
        for node in occurrences(self.root, self.data, name.text or b"", kinds):
            parent = node.parent
            if node.start_byte == name.start_byte or parent is None:
                continue
            if binds(node):
                return []
            if parent.type == "member_expression" and parent.child_by_field_name("object") == node:
                member = parent.child_by_field_name("property")
                if member is None or member.type != "property_identifier":
                    continue
                if assigned(parent) or _tested(parent):
                    unsure.add(text(member))
                elif not _in_types(parent):
                    found.setdefault(text(member), _span(member))
        return [(member, at) for member, at in found.items() if member not in unsure]

    def _silenced(self, node: Node) -> str | None:
        """A comment above, inside or at the end of the line that takes the fault on purpose."""
        if self._silenced_all:
            return "silenced by a comment"
        line = self.data.rfind(b"\n", 0, node.start_byte)
        start = self.data.rfind(b"\n", 0, line) + 1 if line > 0 else 0
        end = self.data.find(b"\n", node.end_byte)
        found = _SILENCED.search(self.data, start, end if end >= 0 else len(self.data))
        return "silenced by a comment" if found else None


def _guarded(call: Node) -> str | None:
    """Why the program goes on where this load fails."""
    node = call
    while (parent := node.parent) is not None:
        kind = parent.type
        if kind == "try_statement":
            if parent.child_by_field_name("body") == node and parent.child_by_field_name("handler") is not None:
                return "in try"
        elif kind in ("if_statement", "ternary_expression"):
            condition = parent.child_by_field_name("condition")
            if condition is not None and condition != node and _CONDITION.search(condition.text or b""):
                return "under a condition"
        elif kind == "binary_expression":
            if parent.child_by_field_name("right") == node and _CONDITION.search(parent.text or b""):
                return "under a condition"
        elif kind == "member_expression" and text(parent.child_by_field_name("property")) == "catch":
            return "its failure is caught"
        node = parent
    return None


def _span(node: Node) -> Span:
    return node.start_byte, node.end_byte


def _marked(node: Node) -> bool:
    """Whether an import, export or a part of one has the word ``type``."""
    return any(child.type in ("type", "typeof") for child in node.children)


def _in_types(node: Node) -> bool:
    """Whether a node stands in a type rather than in code."""
    inner = ("member_expression", "call_expression", "arguments", "nested_identifier")
    above = node.parent
    while above is not None and above.type in inner:
        above = above.parent
    return above is not None and above.type in _TYPES


def _tested(member: Node) -> bool:
    """Whether the code asks if the member is there, as in ``ns.x && ns.x()`` or ``ns.x?.()``."""
    parent = member.parent
    if parent is None:
        return False
    kind = parent.type
    if kind == "parenthesized_expression":
        outer = parent.parent
        return (outer is not None and outer.type in ("if_statement", "while_statement")) or _tested(parent)
    if kind == "binary_expression":
        operator = parent.child_by_field_name("operator")
        return operator is not None and operator.type in ("&&", "||", "??", "==", "!=", "===", "!==", "in")
    if kind in ("ternary_expression", "if_statement"):
        return parent.child_by_field_name("condition") == member
    if kind in ("member_expression", "call_expression", "subscript_expression"):
        return any(child.type in ("optional_chain", "?.") for child in parent.children)
    return kind in ("unary_expression", "update_expression")
