"""What a JavaScript or TypeScript file exports, and what one of its imports takes, from a real parse.

Only asked where `connlint.languages.javascript.scan` finds a name missing, so a run parses few files for it. The parser
is tree-sitter: it never fails, it is fast, and it keeps the bytes' positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from connlint.languages.javascript.scan import Statement
from connlint.model.source import Span

if TYPE_CHECKING:
    from tree_sitter import Language, Node

_BLOCK = re.compile(
    rb"""<!--.*?-->|<script((?:"[^"]*"|'[^']*'|[^>"'])*)>(.*?)</script\s*>""", re.DOTALL | re.IGNORECASE
)
_LANGUAGE = re.compile(rb"""\blang\s*=\s*["']?(\w+)""")
_TYPE_STAR = re.compile(rb"\bexport(\s+)type(\s*\*)")
_AT_FILE_START = re.compile(
    rb"@generated|\b[Aa]uto-?\s?generated|GENERATED|[Dd][Oo] [Nn][Oo][Tt] (?:[Ee][Dd][Ii][Tt]|[Mm][Oo][Dd][Ii][Ff][Yy])"
)
_CONDITION = re.compile(rb"process\.env|existsSync|typeof|__\w+__|import\.meta|NODE_ENV|process\.versions|process\.browser")
_SILENCED = re.compile(
    rb"@ts-(?:ignore|expect-error)|eslint-disable(?:-next-line|-line)?\b[^\n]*(?:import|node/|\bn/|require|unresolved)"
    rb"|webpackIgnore|@vite-ignore|oxlint-disable|biome-ignore"
)
_FUNCTIONS = frozenset({"function_declaration", "generator_function_declaration", "function_signature"})
_NAMED_DECLARATIONS = _FUNCTIONS | {
    "class_declaration", "abstract_class_declaration", "interface_declaration", "type_alias_declaration",
    "enum_declaration", "internal_module", "module", "import_alias",
}
_TYPE_CONTEXTS = frozenset({
    "nested_type_identifier", "type_query", "generic_type", "type_annotation", "type_arguments", "type_alias_declaration",
    "interface_declaration", "interface_body", "implements_clause", "extends_type_clause", "lookup_type",
    "index_type_query", "type_predicate", "union_type", "intersection_type",
})
_MODULE_MEMBERS = frozenset(
    "hot id filename parent children paths require loaded path constructor isPreloading".split()
)


@dataclass(slots=True)
class Outline:
    """The exports of one file. ``form`` is "module" (ES), "commonjs" or "script" (neither).

    ``moved`` leads from names that are passed on to (specifier, name there), "*" for a namespace. ``stars`` are the
    modules of which everything is passed on. ``opened`` says why there may be names that are not listed, None where
    the list is complete. ``blank``: nothing of the file looks like the wrapper of some other module system.
    """

    names: set[str] = field(default_factory=set)
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    form: str = "script"
    opened: str | None = None


@dataclass(slots=True)
class Taken:
    """What one statement takes from a module. ``members`` are read from the namespace or the required value."""

    names: list[tuple[str, Span]] = field(default_factory=list)
    members: list[tuple[str, Span]] = field(default_factory=list)
    excused: str | None = None
    breaks: str = "import"


@cache
def _language(name: str) -> Language:
    import tree_sitter_typescript
    from tree_sitter import Language

    return Language(tree_sitter_typescript.language_tsx() if name == "tsx" else tree_sitter_typescript.language_typescript())


def script(path: str, data: bytes) -> tuple[bytes, str]:
    """The code of a file at its own positions, and the grammar for it ("tsx", "typescript", or "" for none).

    Everything around the script blocks of a component becomes blanks.
    """
    if path.endswith((".vue", ".svelte")):
        grammar, parts, at = "tsx", [], 0
        for m in _BLOCK.finditer(data):
            if m[2] is None:
                continue
            if named := _LANGUAGE.search(m[1]):
                kind = named[1].lower()
                if kind in (b"ts", b"typescript"):
                    grammar = "typescript"
                elif kind not in (b"js", b"jsx", b"tsx", b"javascript"):
                    return b"", ""
            parts += [b" " * (m.start(2) - at), m[2]]
            at = m.end(2)
        data = b"".join(parts)
        # The end of one block must end its last statement.
        data = data if at == 0 else data + b"\n"
    else:
        grammar = "typescript" if path.endswith((".ts", ".mts", ".cts")) else "tsx"
    # The grammar does not know `export type * from`.
    return _TYPE_STAR.sub(lambda m: b"export" + m[1] + b"    " + m[2], data), grammar


def parse(path: str, data: bytes) -> Node | None:
    """The syntax tree of a file, None where there is no grammar for it."""
    from tree_sitter import Parser

    code, grammar = script(path, data)
    return Parser(_language(grammar)).parse(code).root_node if grammar else None


def outline(path: str, data: bytes) -> Outline:
    """What the file exports."""
    found = Outline()
    root = parse(path, data)
    if root is None:
        found.opened = "a language that cannot be read"
        return found
    if _AT_FILE_START.search(data, 0, 1200):
        found.opened = "generated"
    elif len(data) > 5000 and len(data) / (data.count(b"\n") + 1) > 400:
        found.opened = "minified"
    declarations = path.endswith((".d.ts", ".d.mts", ".d.cts"))
    for child in root.children:
        _top_level(child, found, declarations)
    if path.endswith((".vue", ".svelte")):
        found.form = "module"
        found.names.add("default")
    if root.has_error and found.opened is None and (found.form != "module" or _broken(root, data)):
        found.opened = "does not parse"
    if b"module" in data or b"exports" in data:
        _CommonJS(root, data, found).read()
    if found.form == "script" and found.opened is None and re.search(rb"\bdefine\s*\(|\bSystem\.register\b|^\s*\(function", data):
        found.opened = "another module system"
    return found


def _broken(root: Node, data: bytes) -> bool:
    """Whether an export may be hidden in what the parser could not read."""
    statements = sum(1 for child in root.children if child.type == "export_statement")
    return any(child.type == "ERROR" for child in root.children) or statements < len(re.findall(rb"(?m)^export\b", data))


def _top_level(node: Node, found: Outline, declarations: bool) -> None:
    kind = node.type
    if kind == "import_statement":
        found.form = "module"
    elif kind == "export_statement":
        found.form = "module"
        _export(node, found)
    elif declarations and kind == "ambient_declaration":
        for child in node.named_children:
            found.names.update(_declared(child))
    elif declarations:
        found.names.update(_declared(node))


def _export(node: Node, found: Outline) -> None:
    words = {child.type for child in node.children if not child.is_named}
    source = node.child_by_field_name("source")
    specifier = _string(source) if source is not None else None
    if "=" in words:
        found.opened = found.opened or "export ="
        return
    if "as" in words and source is None:
        return
    if declaration := node.child_by_field_name("declaration"):
        if "default" in words:
            found.names.add("default")
        elif declaration.type == "ambient_declaration":
            for child in declaration.named_children:
                found.names.update(_declared(child))
        else:
            found.names.update(_declared(declaration))
        return
    if "default" in words:
        found.names.add("default")
        return
    for child in node.named_children:
        if child.type == "export_clause":
            for part in child.named_children:
                if part.type != "export_specifier":
                    continue
                local, alias = part.child_by_field_name("name"), part.child_by_field_name("alias")
                name = _name(alias or local)
                found.names.add(name)
                if specifier is not None:
                    found.moved[name] = (specifier, _name(local))
        elif child.type == "namespace_export":
            name = _name(child.named_children[-1])
            found.names.add(name)
            if specifier is not None:
                found.moved[name] = (specifier, "*")
    if "*" in words and specifier is not None:
        found.stars.append(specifier)
    if any(child.type == "ERROR" for child in node.children):
        found.opened = found.opened or "does not parse"


def _name(node: Node | None) -> str:
    if node is None:
        return ""
    return _string(node) if node.type == "string" else (node.text or b"").decode("utf-8", "replace")


def _string(node: Node) -> str:
    return (node.text or b"")[1:-1].decode("utf-8", "replace")


def _declared(node: Node) -> Iterator[str]:
    """The names that a declaration binds."""
    if node.type in _NAMED_DECLARATIONS:
        name = node.child_by_field_name("name")
        if name is None and node.type == "import_alias":
            name = next((c for c in node.named_children if c.type == "identifier"), None)
        while name is not None and name.type == "nested_identifier":
            name = name.child_by_field_name("object")
        if name is not None and name.type != "string":
            yield _name(name)
    elif node.type in ("lexical_declaration", "variable_declaration"):
        for declarator in node.named_children:
            if declarator.type == "variable_declarator" and (name := declarator.child_by_field_name("name")) is not None:
                yield from (_name(n) for n in _bound(name))
    elif node.type == "expression_statement":
        for child in node.named_children:
            if child.type == "internal_module":
                yield from _declared(child)


def _bound(pattern: Node) -> Iterator[Node]:
    """The identifiers that a pattern binds."""
    kind = pattern.type
    if kind in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern
    elif kind == "pair_pattern":
        if (value := pattern.child_by_field_name("value")) is not None:
            yield from _bound(value)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        if (left := pattern.child_by_field_name("left")) is not None:
            yield from _bound(left)
    elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
        for child in pattern.named_children:
            yield from _bound(child)


def _occurrences(root: Node, data: bytes, word: bytes, kinds: tuple[str, ...] = ("identifier",)) -> Iterator[Node]:
    """The nodes of some kinds that are the word itself; comments, strings and properties are none."""
    for m in re.finditer(rb"(?<![\w$])%b(?![\w$])" % re.escape(word), data):
        node = root.descendant_for_byte_range(m.start(), m.end())
        if node is not None and node.type in kinds and node.start_byte == m.start() and node.end_byte == m.end():
            yield node


def _required(node: Node | None) -> str | None:
    """The specifier of ``require("x")``."""
    if node is None or node.type != "call_expression":
        return None
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or function.text != b"require" or arguments is None or len(arguments.named_children) != 1:
        return None
    argument = arguments.named_children[0]
    return _string(argument) if argument.type == "string" else None


class _CommonJS:
    """Reads what ``exports`` and ``module.exports`` are given. Whatever is not understood opens the list."""

    def __init__(self, root: Node, data: bytes, found: Outline) -> None:
        self.root = root
        self.data = data
        self.found = found
        self.seen = False

    def read(self) -> None:
        """Add to the outline."""
        for node in _occurrences(self.root, self.data, b"exports"):
            self.seen = True
            self._use(node)
        for node in _occurrences(self.root, self.data, b"module"):
            parent = node.parent
            if parent is None or parent.type != "member_expression" or parent.child_by_field_name("object") != node:
                if parent is not None and parent.type == "binary_expression" and b"require.main" in (parent.text or b""):
                    continue
                self.seen = True
                self._open("module is passed on")
                continue
            member = _name(parent.child_by_field_name("property"))
            if member == "exports":
                self.seen = True
                self._use(parent)
            elif member not in _MODULE_MEMBERS:
                self._open("module is changed")
        if self.seen:
            if self.found.form == "module":
                self._open("both module systems")
            else:
                self.found.form = "commonjs"
            if re.search(rb"\beval\s*\(|(?<![\w$.])this\s*\.\s*[\w$]+\s*=[^=]", self.data):
                self._open("may be changed in ways that cannot be followed")

    def _open(self, why: str) -> None:
        self.found.opened = self.found.opened or why

    def _use(self, node: Node) -> None:
        """``node`` is ``exports`` or ``module.exports``."""
        parent = node.parent
        if parent is None:
            return
        if parent.type == "member_expression" and parent.child_by_field_name("object") == node:
            if _assigned(parent):
                self._add(_name(parent.child_by_field_name("property")), parent)
        elif parent.type == "subscript_expression" and parent.child_by_field_name("object") == node:
            index = parent.child_by_field_name("index")
            if index is not None and index.type == "string":
                if _assigned(parent):
                    self._add(_string(index), parent)
            else:
                self._open("a computed name")
        elif parent.type == "assignment_expression" and parent.child_by_field_name("left") == node:
            value = parent.child_by_field_name("right")
            while value is not None and value.type == "assignment_expression":
                value = value.child_by_field_name("right")
            if node.type == "identifier" and not self._chained(parent):
                # `exports = …` alone exports nothing at all.
                if len(list(_occurrences(self.root, self.data, b"exports"))) > 1:
                    self._open("exports is another object")
                return
            self.found.names.add("default")
            self._whole(value)
        elif parent.type == "assignment_expression" and self._chained(parent):
            return
        elif parent.type == "arguments":
            self._passed(node, parent)
        elif parent.type in ("expression_statement", "binary_expression") and parent.type != "unary_expression":
            self._open("a module wrapper") if parent.type == "binary_expression" else None
        else:
            self._open("exports is passed on")

    def _chained(self, assignment: Node) -> bool:
        """Whether ``module.exports`` is a target of the same chain of assignments."""
        top = assignment
        while top.parent is not None and top.parent.type == "assignment_expression":
            top = top.parent
        node: Node | None = top
        while node is not None and node.type == "assignment_expression":
            left = node.child_by_field_name("left")
            if left is not None and left.type == "member_expression" and (left.text or b"").replace(b" ", b"") == b"module.exports":
                return True
            node = node.child_by_field_name("right")
        return False

    def _add(self, name: str, member: Node) -> None:
        self.found.names.add(name)
        assignment = member.parent
        value = assignment.child_by_field_name("right") if assignment is not None else None
        if (specifier := _required(value)) is not None:
            self.found.moved.setdefault(name, (specifier, "*"))

    def _passed(self, node: Node, arguments: Node) -> None:
        call = arguments.parent
        function = call.child_by_field_name("function") if call is not None else None
        called = (function.text or b"").decode("utf-8", "replace") if function is not None else ""
        given = arguments.named_children
        if called == "Object.defineProperty" and len(given) == 3 and given[0] == node and given[1].type == "string":
            self.found.names.add(_string(given[1]))
        elif called.endswith("__exportStar") and len(given) == 2 and (specifier := _required(given[0])) is not None:
            self.found.stars.append(specifier)
        elif called == "Object.assign" and given[0] == node:
            for value in given[1:]:
                self._whole(value)
        else:
            self._open("exports is passed on")

    def _whole(self, value: Node | None) -> None:
        """All exports are ``value``."""
        while value is not None and value.type in ("parenthesized_expression", "as_expression", "satisfies_expression"):
            value = value.named_children[0]
        if value is None:
            self._open("an unknown value")
        elif value.type == "object":
            self._entries(value)
        elif (specifier := _required(value)) is not None:
            self.found.stars.append(specifier)
        elif value.type == "identifier":
            self._variable(value)
        else:
            self._open("the whole is a value of another kind")

    def _entries(self, value: Node) -> None:
        for entry in value.named_children:
            if entry.type == "shorthand_property_identifier":
                self.found.names.add(_name(entry))
            elif entry.type in ("pair", "method_definition"):
                key = entry.child_by_field_name("key" if entry.type == "pair" else "name")
                if key is None or key.type == "computed_property_name":
                    self._open("a computed name")
                    continue
                name = _name(key)
                self.found.names.add(name)
            elif entry.type == "spread_element":
                inner = entry.named_children[0]
                if (specifier := _required(inner)) is not None:
                    self.found.stars.append(specifier)
                elif inner.type == "identifier" and (specifier := _required(_constant(self.root, inner))) is not None:
                    self.found.stars.append(specifier)
                elif inner.type == "object":
                    self._entries(inner)
                else:
                    self._open("spreads a value")
            elif entry.type != "comment":
                self._open("an unknown entry")

    def _variable(self, name: Node) -> None:
        """All exports are a variable: its object literal, and what is assigned to its members."""
        value = _constant(self.root, name)
        if (specifier := _required(value)) is not None:
            self.found.stars.append(specifier)
            return
        if value is None or value.type != "object":
            self._open("the whole is a value of another kind")
            return
        self._entries(value)
        for node in _occurrences(self.root, self.data, name.text or b"", ("identifier", "shorthand_property_identifier")):
            parent = node.parent
            if parent is None or node == name or parent.child_by_field_name("name") == node:
                continue
            if parent.type == "member_expression" and parent.child_by_field_name("object") == node:
                if _assigned(parent):
                    self.found.names.add(_name(parent.child_by_field_name("property")))
            elif parent.type == "assignment_expression" and self._chained(parent):
                continue
            else:
                self._open("the exported object is passed on")


def _assigned(member: Node) -> bool:
    parent = member.parent
    return parent is not None and parent.type in ("assignment_expression", "augmented_assignment_expression") and (
        parent.child_by_field_name("left") == member
    )


def _constant(root: Node, name: Node) -> Node | None:
    """What a top-level ``const`` of this name holds."""
    for child in root.named_children:
        if child.type == "lexical_declaration" and child.children[0].type == "const":
            for declarator in child.named_children:
                left = declarator.child_by_field_name("name")
                if left is not None and left.text == name.text:
                    return declarator.child_by_field_name("value")
    return None


# -- imports ------------------------------------------------------------------------------------------------------------


class Imports:
    """The imports of one file, looked at where the scan found candidates."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.root = parse(path, data)
        self._keeps_types = re.search(rb"(?m)^\s*@[\w$]+", data) is not None
        self._typed = path.endswith((".ts", ".mts", ".cts", ".tsx"))

    def taken(self, statement: Statement) -> Taken | None:
        """What the candidate takes; None where it is no statement but, say, a part of a comment."""
        start, end = statement.at
        node = self.root.descendant_for_byte_range(start, end) if self.root is not None else None
        if node is not None and node.type == "string_fragment":
            node = node.parent
        if node is None or node.type not in ("string", "template_string") or node.start_byte != start - 1 or node.parent is None:
            return None
        if node.end_byte != end + 1:
            return None
        parent = node.parent
        if parent.type in ("import_statement", "export_statement", "import_require_clause"):
            return self._static(parent)
        if parent.type == "arguments" and parent.parent is not None and parent.parent.type == "call_expression":
            function = parent.parent.child_by_field_name("function")
            if function is not None and function.text in (b"require", b"import") and parent.named_child_count >= 1:
                return self._call(parent.parent, function.text == b"import")
        return None

    def _static(self, node: Node) -> Taken | None:
        if node.has_error:
            return None
        statement = node.parent if node.type == "import_require_clause" else node
        assert statement is not None
        taken = Taken(excused=self._silenced(statement))
        if any(child.type in ("type", "typeof") for child in statement.children):
            taken.excused = taken.excused or "types only"
            return taken
        if statement.parent is not None and statement.parent.type != "program":
            taken.excused = taken.excused or "a declaration"
        if node.type == "import_require_clause":
            taken.breaks = "use"
            if name := next((c for c in node.named_children if c.type == "identifier"), None):
                taken.members = self._members(name)
            return taken
        for child in statement.named_children:
            if child.type == "export_clause":
                for part in child.named_children:
                    if part.type == "export_specifier" and not _marked_type(part):
                        name = part.child_by_field_name("name")
                        if name is not None:
                            taken.names.append((_name(name), (name.start_byte, name.end_byte)))
            elif child.type == "import_clause":
                self._clause(child, taken)
        return taken

    def _clause(self, clause: Node, taken: Taken) -> None:
        for child in clause.named_children:
            if child.type == "identifier":
                if not self._type_only(child):
                    taken.names.append(("default", (child.start_byte, child.end_byte)))
            elif child.type == "namespace_import":
                taken.members = self._members(child.named_children[-1])
            elif child.type == "named_imports":
                for part in child.named_children:
                    if part.type != "import_specifier" or _marked_type(part):
                        continue
                    name, alias = part.child_by_field_name("name"), part.child_by_field_name("alias")
                    if name is not None and not self._type_only(alias or name):
                        taken.names.append((_name(name), (name.start_byte, name.end_byte)))

    def _call(self, call: Node, dynamic: bool) -> Taken | None:
        taken = Taken(breaks="use", excused=self._silenced(call) or self._guarded(call))
        if _in_types(call):
            taken.excused = "types only"
            return taken
        value = call
        if dynamic:
            while value.parent is not None and value.parent.type in ("parenthesized_expression", "await_expression"):
                value = value.parent
            if value.type == "call_expression":
                return taken
        elif value.parent is not None and value.parent.type in ("as_expression", "parenthesized_expression"):
            return taken
        parent = value.parent
        if parent is None:
            return taken
        if parent.type == "member_expression" and parent.child_by_field_name("object") == value:
            name = parent.child_by_field_name("property")
            if name is not None and not _assigned(parent) and not _tested(parent):
                taken.members.append((_name(name), (name.start_byte, name.end_byte)))
        elif parent.type == "variable_declarator" and parent.child_by_field_name("value") == value:
            target = parent.child_by_field_name("name")
            if target is not None and target.type == "object_pattern":
                for part in target.named_children:
                    key: Node | None = None
                    if part.type == "shorthand_property_identifier_pattern":
                        key = part
                    elif part.type == "pair_pattern":
                        key = part.child_by_field_name("key")
                    if key is not None and key.type in ("shorthand_property_identifier_pattern", "property_identifier"):
                        taken.names.append((_name(key), (key.start_byte, key.end_byte)))
            elif target is not None and target.type == "identifier":
                taken.members = self._members(target)
        return taken

    def _silenced(self, node: Node) -> str | None:
        """A comment on the line above, at the end of the line or inside that takes the fault on purpose."""
        start = self.data.rfind(b"\n", 0, self.data.rfind(b"\n", 0, node.start_byte) if node.start_byte else 0) + 1
        end = self.data.find(b"\n", node.end_byte)
        text = self.data[start : end if end >= 0 else len(self.data)]
        return "silenced by a comment" if _SILENCED.search(text) else None

    def _guarded(self, call: Node) -> str | None:
        """Why the program goes on where this load fails."""
        node = call
        while (parent := node.parent) is not None:
            if parent.type == "try_statement" and parent.child_by_field_name("body") == node:
                if parent.child_by_field_name("handler") is not None:
                    return "in try"
            elif parent.type == "if_statement" or parent.type == "ternary_expression":
                condition = parent.child_by_field_name("condition")
                if condition is not None and condition != node and _CONDITION.search(condition.text or b""):
                    return "under a condition"
            elif parent.type == "binary_expression" and parent.child_by_field_name("right") == node:
                if _CONDITION.search(parent.text or b""):
                    return "under a condition"
            elif parent.type == "member_expression" and (parent.text or b"").endswith(b"catch"):
                return "its failure is caught"
            node = parent
        return None

    def _type_only(self, name: Node) -> bool:
        """Whether an imported name of a TypeScript file is used, and in types alone, so that the compiler drops it."""
        if not self._typed or self._keeps_types or self.root is None:
            return False
        used = False
        kinds = ("identifier", "type_identifier", "shorthand_property_identifier")
        for node in _occurrences(self.root, self.data, name.text or b"", kinds):
            if node.start_byte == name.start_byte:
                continue
            if node.type != "type_identifier" and not _in_types(node):
                return False
            used = True
        return used

    def _members(self, name: Node) -> list[tuple[str, Span]]:
        """What is read as a member of the variable that ``name`` binds; nothing where that cannot be told for sure."""
        assert self.root is not None
        found: dict[str, Span] = {}
        unsure: set[str] = set()
        kinds = ("identifier", "shorthand_property_identifier_pattern", "type_identifier")
        for node in _occurrences(self.root, self.data, name.text or b"", kinds):
            if node.start_byte == name.start_byte:
                continue
            parent = node.parent
            if parent is None or (node.type == "type_identifier" and not _binds(node)):
                continue
            if parent.type == "member_expression" and parent.child_by_field_name("object") == node:
                member = parent.child_by_field_name("property")
                if member is None or member.type != "property_identifier":
                    continue
                text = _name(member)
                if _assigned(parent) or _tested(parent):
                    unsure.add(text)
                elif not _in_types(parent):
                    found.setdefault(text, (member.start_byte, member.end_byte))
            elif _binds(node):
                return []
        return [(text, at) for text, at in found.items() if text not in unsure]


def _marked_type(part: Node) -> bool:
    return any(child.type in ("type", "typeof") for child in part.children)


def _in_types(node: Node) -> bool:
    """Whether a node stands in a type rather than in code."""
    above: Node | None = node.parent
    while above is not None and above.type in ("member_expression", "call_expression", "arguments", "nested_identifier"):
        above = above.parent
    return above is not None and above.type in _TYPE_CONTEXTS


def _tested(member: Node) -> bool:
    """Whether the code asks if the member is there, as in ``ns.x && ns.x()`` or ``ns.x?.()``."""
    parent = member.parent
    if parent is None:
        return False
    kind = parent.type
    if kind == "parenthesized_expression":
        outer = parent.parent
        return outer is not None and outer.type in ("if_statement", "while_statement") or _tested(parent)
    if kind == "binary_expression":
        operator = parent.child_by_field_name("operator")
        return operator is not None and operator.type in ("&&", "||", "??", "==", "!=", "===", "!==", "in")
    if kind in ("ternary_expression", "if_statement"):
        return parent.child_by_field_name("condition") == member
    if kind in ("unary_expression", "delete_expression", "update_expression"):
        return True
    if kind in ("member_expression", "call_expression", "subscript_expression"):
        return any(child.type in ("optional_chain", "?.") for child in parent.children)
    return False


def _binds(node: Node) -> bool:
    """Whether an identifier is the target of a declaration, parameter or assignment."""
    parent = node.parent
    if parent is None:
        return False
    if node.type == "shorthand_property_identifier_pattern":
        return True
    kind = parent.type
    if kind in ("variable_declarator", "function_declaration", "function_expression", "class_declaration", "class",
                "generator_function_declaration", "enum_declaration", "internal_module"):
        return parent.child_by_field_name("name") == node
    if kind in ("required_parameter", "optional_parameter", "rest_pattern", "array_pattern", "object_pattern",
                "formal_parameters", "catch_clause", "import_specifier", "import_clause", "namespace_import"):
        return True
    if kind == "arrow_function":
        return parent.child_by_field_name("parameter") == node
    if kind in ("assignment_expression", "augmented_assignment_expression", "assignment_pattern", "for_in_statement",
                "object_assignment_pattern"):
        return parent.child_by_field_name("left") == node
    if kind == "pair_pattern":
        return parent.child_by_field_name("value") == node
    return kind == "update_expression"
