"""What a CommonJS file gives to ``exports`` and ``module.exports``.

Only forms whose names stand in the source are understood; every other use of the two opens the list of names. An
assignment under a condition or in a function counts: the name may be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connlint.languages.javascript.syntax import assigned, at_top, constant, occurrences, required, text
from connlint.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

    from connlint.languages.javascript.outline import Outline

_MODULE_MEMBERS = frozenset({
    "hot", "id", "filename", "parent", "children", "paths", "require", "loaded", "path", "constructor", "isPreloading",
})
_THIS = regex(rb"(?<![\w$.])this\s*[.\[]")
_EVAL = regex(rb"(?<![\w$.])eval\s*\(")


def read(root: Node, data: bytes, found: Outline) -> None:
    """Add to ``found`` what the file assigns, if it is CommonJS at all."""
    reader = _Reader(root, data, found)
    reader.read()


class _Reader:
    def __init__(self, root: Node, data: bytes, found: Outline) -> None:
        self.root = root
        self.data = data
        self.found = found
        self.gives = False
        self.doubt: str | None = None

    def read(self) -> None:
        for node in occurrences(self.root, self.data, b"exports"):
            self.use(node)
        for node in occurrences(self.root, self.data, b"module"):
            parent = node.parent
            if parent is None:
                continue
            if parent.type != "member_expression" or parent.child_by_field_name("object") != node:
                if parent.type != "binary_expression" or b"require.main" not in (parent.text or b""):
                    self.open("module is passed on")
            elif (member := text(parent.child_by_field_name("property"))) == "exports":
                self.use(parent)
            elif member not in _MODULE_MEMBERS:
                self.open("module is changed")
        if self.found.form == "module" and not self.gives:
            # In an ES module the two are ordinary names.
            return
        if self.gives:
            self.found.form = "commonjs"
            self.extras()
        if self.doubt is not None:
            self.found.open(self.doubt)

    def open(self, why: str) -> None:
        self.doubt = self.doubt or why

    def extras(self) -> None:
        """Ways to add names without naming ``exports``."""
        if _EVAL.search(self.data):
            self.open("evaluates text")
        for m in _THIS.finditer(self.data):
            node = self.root.descendant_for_byte_range(m.start(), m.start() + 4)
            if node is not None and node.type == "this" and at_top(node):
                self.open("this is exports too")

    # -- uses of the object -------------------------------------------------------------------------------------------

    def use(self, node: Node) -> None:
        """``node`` is ``exports`` or ``module.exports``."""
        parent = node.parent
        if parent is None:
            return
        kind = parent.type
        if kind == "member_expression" and parent.child_by_field_name("object") == node:
            if assigned(parent):
                self.add(text(parent.child_by_field_name("property")))
        elif kind == "subscript_expression" and parent.child_by_field_name("object") == node:
            index = parent.child_by_field_name("index")
            if index is None or index.type != "string":
                self.open("a computed name")
            elif assigned(parent):
                self.add(text(index))
        elif kind == "assignment_expression" and parent.child_by_field_name("left") == node:
            self.replaced(node, parent)
        elif kind == "assignment_expression" and self.chained(parent):
            pass
        elif kind == "variable_declarator" and (name := parent.child_by_field_name("name")) is not None:
            if name.type == "identifier":
                self.named(name)
            elif name.type != "object_pattern":
                self.open("exports has another name")
        elif kind == "arguments":
            self.passed(node, parent)
        elif kind != "expression_statement":
            self.open("exports is passed on")

    def add(self, name: str) -> None:
        self.gives = True
        self.found.names.add(name)

    def replaced(self, node: Node, assignment: Node) -> None:
        """``exports = …`` or ``module.exports = …``."""
        self.gives = True
        if node.type == "identifier" and not self.chained(assignment):
            # Alone it changes a local name and exports nothing.
            if sum(1 for _ in occurrences(self.root, self.data, b"exports")) > 1:
                self.open("exports is another object")
            return
        self.found.names.add("default")
        top = assignment
        while top.parent is not None and top.parent.type in ("assignment_expression", "parenthesized_expression"):
            left = top.parent.child_by_field_name("left")
            if left is not None and left.type == "identifier" and left.text != b"exports":
                self.named(left)
            top = top.parent
        if top.parent is not None and top.parent.type == "variable_declarator":
            if (name := top.parent.child_by_field_name("name")) is not None:
                self.named(name)
        value = assignment.child_by_field_name("right")
        while value is not None and value.type == "assignment_expression":
            left = value.child_by_field_name("left")
            if left is not None and left.type == "identifier" and left.text != b"exports":
                self.named(left)
            value = value.child_by_field_name("right")
        self.whole(value)

    def chained(self, assignment: Node) -> bool:
        """Whether ``module.exports`` is a target of the same chain of assignments."""
        node: Node | None = assignment
        while node is not None and node.parent is not None and node.parent.type == "assignment_expression":
            node = node.parent
        while node is not None and node.type == "assignment_expression":
            left = node.child_by_field_name("left")
            if left is not None and b"".join((left.text or b"").split()) == b"module.exports":
                return True
            node = node.child_by_field_name("right")
        return False

    def passed(self, node: Node, arguments: Node) -> None:
        """The calls that compilers emit, and ``Object.assign``."""
        call = arguments.parent
        called = text(call.child_by_field_name("function")) if call is not None else ""
        given = arguments.named_children
        if called == "Object.defineProperty" and len(given) == 3 and given[0] == node and given[1].type == "string":
            self.add(text(given[1]))
        elif called.endswith("__exportStar") and len(given) == 2 and (specifier := required(given[0])) is not None:
            self.gives = True
            self.found.stars.append(specifier)
        elif called == "Object.assign" and given[0] == node:
            self.gives = True
            for value in given[1:]:
                self.whole(value)
        else:
            self.open("exports is passed on")

    # -- values -------------------------------------------------------------------------------------------------------

    def whole(self, value: Node | None) -> None:
        """Everything that is exported is in ``value``."""
        while value is not None and value.type in ("parenthesized_expression", "as_expression", "satisfies_expression"):
            value = value.named_children[0]
        if value is not None and value.type == "object":
            self.entries(value)
        elif (specifier := required(value)) is not None:
            self.found.stars.append(specifier)
        elif value is not None and value.type == "identifier":
            self.variable(value)
        else:
            self.open("a value of another kind")

    def entries(self, value: Node) -> None:
        for entry in value.named_children:
            if entry.type == "shorthand_property_identifier":
                self.found.names.add(text(entry))
            elif entry.type in ("pair", "method_definition"):
                key = entry.child_by_field_name("key" if entry.type == "pair" else "name")
                if key is None or key.type == "computed_property_name":
                    self.open("a computed name")
                else:
                    self.found.names.add(text(key))
            elif entry.type == "spread_element":
                self.spread(entry.named_children[0])
            elif entry.type != "comment":
                self.open("an unknown entry")

    def spread(self, value: Node) -> None:
        if value.type == "object":
            self.entries(value)
            return
        specifier = required(value)
        if specifier is None and value.type == "identifier":
            specifier = required(constant(self.root, value))
        if specifier is None:
            self.open("spreads a value")
        else:
            self.found.stars.append(specifier)

    def variable(self, name: Node) -> None:
        """Everything is in a variable: its object literal, and what is assigned to its members."""
        value = constant(self.root, name)
        if (specifier := required(value)) is not None:
            self.found.stars.append(specifier)
            return
        if value is None or value.type != "object":
            self.open("a value of another kind")
            return
        self.entries(value)
        self.named(name)

    def named(self, name: Node) -> None:
        """The object has a name of its own: what is assigned to its members is exported too."""
        kinds = ("identifier", "shorthand_property_identifier")
        for node in occurrences(self.root, self.data, name.text or b"", kinds):
            parent = node.parent
            if parent is None or node == name or parent.child_by_field_name("name") == node:
                continue
            if parent.type == "member_expression" and parent.child_by_field_name("object") == node:
                if assigned(parent):
                    self.found.names.add(text(parent.child_by_field_name("property")))
            elif parent.type != "assignment_expression" or not self.chained(parent):
                self.open("the exported object is passed on")
