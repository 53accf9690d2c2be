"""What one import statement takes, from a real parse of the file that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from connlint.languages.javascript.scan import Statement
from connlint.languages.javascript.syntax import COMPONENTS, assigned, binds, occurrences, parse, text
from connlint.model.source import Span
from connlint.patterns import alone, regex

if TYPE_CHECKING:
    from tree_sitter import Node

_CONDITION = regex(rb"process\.(?:env|versions|browser)|existsSync|typeof|__\w+__|import\.meta|NODE_ENV")
_RULE = rb"[^\n]*(?:import|\bnode/|\bn/|require|unresolved)"
_SILENCED = regex(
    rb"@ts-(?:ignore|expect-error)|webpackIgnore|@vite-ignore|(?:eslint-disable|oxlint-disable|biome-ignore)" + _RULE
)
_SILENCED_RANGE = regex(rb"(?:/\*|//)\s*(?:eslint|oxlint)-(disable|enable)\s" + _RULE)
_TYPES = frozenset({
    "nested_type_identifier", "type_query", "generic_type", "type_annotation", "type_arguments", "lookup_type",
    "type_alias_declaration", "interface_declaration", "interface_body", "implements_clause", "extends_type_clause",
    "index_type_query", "type_predicate", "union_type", "intersection_type",
})
_AT_ONCE = frozenset({
    "expression_statement", "variable_declarator", "lexical_declaration", "variable_declaration", "export_statement",
    "assignment_expression", "member_expression", "call_expression", "new_expression", "arguments", "object", "pair",
    "array", "spread_element", "parenthesized_expression", "as_expression", "non_null_expression",
})
"""What is evaluated with all of its parts."""
_TEST = regex(r"(?:^|/)(?:tests?|__tests__|e2e|specs?)/|[.-](?:test|spec|e2e)\.\w+$")
_UNUSED = regex(rb"(?:eslint|oxlint)-disable\s[^\n]*no-unused-vars")
_MADE = regex(
    rb"(?i)(?://|\*)[^\n]*\b(?:generated|emitted|(?:built|created|copied|written) (?:during|while|at|when))\b"
)
_DECORATOR = regex(
    rb"(?m)^\s*@(?!(?:media|keyframes|supports|font-face|import|container|layer|page|charset|property|apply|tailwind|include"
    rb"|mixin|extend|use|starting-style|scope)\b(?!\())[\w$]+")
"""A decorator at the beginning of a line, and no rule of the styles that a template holds."""


class Taken(Struct):
    """What one statement takes from a module. ``members`` are read from the namespace or the required value; ``idle``
    are names that nothing in the file uses, so that its compiler drops them, its bundler never looks for them, or a
    call of ``require`` leaves them undefined;
    ``later`` says that a function awaits it, so that only whoever calls that function loads the module; ``at_once``
    that a call loads the module whenever this file is loaded."""

    names: list[tuple[str, Span]] = field(default_factory=list)
    members: list[tuple[str, Span]] = field(default_factory=list)
    idle: list[tuple[str, Span]] = field(default_factory=list)
    excused: str | None = None
    breaks: str = "import"
    later: bool = False
    at_once: bool = False


class Imports:
    """The imports of one file, looked at where the scan found candidates."""

    def __init__(self, path: str, data: bytes, *, verbatim: bool = False, bundled: bool = False) -> None:
        """``verbatim``: the compiler is told to keep imports that nothing uses; ``bundled``: a bundler looks for a name
        where it is used."""
        self.data = data
        self.root = parse(path, data)
        # A compiler of TypeScript drops imports that only types use, except for what decorators write down.
        typed = path.endswith((".ts", ".mts", ".cts", ".tsx")) or (path.endswith(COMPONENTS) and b"lang=" in data)
        code = (self.root.text if self.root is not None else None) or b""
        self._drops_types = typed and not _DECORATOR.search(code)
        self._drops_unused = typed and not verbatim
        self.only_skips = bundled and not typed
        """Whether a name that nothing uses is left where it stands, and its module is loaded all the same."""
        self._component = path.endswith(COMPONENTS)
        self._test = _TEST.search(path) is not None
        self._unused_on_purpose = _UNUSED.search(data) is not None

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
                if function.text == b"require" and self._own_require:
                    return None
                return self._call(parent.parent, function.text == b"import")
        return None

    @cached_property
    def _own_require(self) -> bool:
        """Whether ``require`` is something else here than Node's."""
        if self.root is None:
            return False
        for node in occurrences(self.root, self.data, b"require"):
            if binds(node) and node.parent is not None and b"createRequire" not in (node.parent.text or b""):
                return True
        return False

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
        dropped = 0
        for name, local in _imported(clause):
            if local is None or self._only_typed(local):
                dropped += 1
            elif name is None:
                taken.members = self._members(local)
            else:
                names = taken.idle if self._unused(local) else taken.names
                names.append(("default" if name.parent == clause else text(name), _span(name)))
        if dropped and dropped == sum(1 for _ in _imported(clause)):
            taken.excused = taken.excused or "types only"

    def _only_typed(self, name: Node) -> bool:
        """Whether an imported name of a TypeScript file is used, and in types alone, so that the compiler drops it."""
        if not self._drops_types or self.root is None:
            return False
        used = False
        if self._in_markup(name.text or b""):
            return False
        kinds = ("identifier", "type_identifier", "shorthand_property_identifier")
        for node in occurrences(self.root, self.data, name.text or b"", kinds):
            if node.start_byte != name.start_byte:
                if node.type != "type_identifier" and not _in_types(node):
                    return False
                used = True
        return used or self._unused_on_purpose

    def _unused(self, name: Node) -> bool:
        """Whether the compiler drops an imported name, or the bundler skips it: the file never mentions it again."""
        word = name.text or b""
        if not (self._drops_unused or self.only_skips) or word == b"React" or self._in_markup(word):
            return False
        statement = name
        while statement.parent is not None and statement.type != "import_statement":
            statement = statement.parent
        # the path of the module often ends in the same word
        return all(statement.start_byte <= found.start() < statement.end_byte
                   for found in alone(word).finditer(self.data))

    def _in_markup(self, word: bytes) -> bool:
        """Whether the word stands outside of a component's scripts, which are all that the tree was made of."""
        if not self._component or self.root is None:
            return False
        scripts, start = self.root.text or b"", self.root.start_byte
        return any(
            scripts[m.start() - start : m.end() - start] != word
            for m in alone(word).finditer(self.data)
        )

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, call: Node, dynamic: bool) -> Taken:
        """``require("x")`` or ``import("x")``, and what becomes of its value."""
        taken = Taken(breaks="use", excused=self._silenced(call) or _guarded(call))
        if _in_types(call):
            taken.excused = "types only"
            return taken
        value = call
        if dynamic:
            taken.later = _awaited_in_function(call)
            while value.parent is not None and value.parent.type in ("parenthesized_expression", "await_expression"):
                value = value.parent
            if value is call:
                return taken
        else:
            taken.at_once = _is_loaded_at_once(call)
        parent = value.parent
        if parent is None:
            return taken
        if parent.type == "member_expression" and parent.child_by_field_name("object") == value:
            name = parent.child_by_field_name("property")
            if name is not None and not (assigned(parent) or _tested(parent) or (self._test and not _called(parent))):
                taken.members.append((text(name), _span(name)))
        elif parent.type == "variable_declarator" and parent.child_by_field_name("value") == value:
            target = parent.child_by_field_name("name")
            if target is not None and target.type == "object_pattern":
                for part in target.named_children:
                    key = part.child_by_field_name("key") if part.type == "pair_pattern" else part
                    if key is not None and key.type in ("shorthand_property_identifier_pattern", "property_identifier"):
                        names = taken.idle if self._is_left(part) else taken.names
                        names.append((text(key), _span(key)))
            elif target is not None and target.type == "identifier":
                taken.members = self._members(target)
        return taken

    def _is_left(self, part: Node) -> bool:
        """Whether nothing in the file uses the name that one part of a destructuring pattern binds."""
        local = part.child_by_field_name("value") if part.type == "pair_pattern" else part
        kinds = ("identifier", "shorthand_property_identifier", "type_identifier")
        if local is None or self.root is None or self._in_markup(local.text or b""):
            return False
        return local.type in ("identifier", "shorthand_property_identifier_pattern") and all(
            node.start_byte == local.start_byte
            for node in occurrences(self.root, self.data, local.text or b"", kinds))

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
            if (asked := _asked_for(node, parent)) is not None:
                unsure.add(asked)
            if parent.type == "member_expression" and parent.child_by_field_name("object") == node:
                member = parent.child_by_field_name("property")
                if member is None or member.type != "property_identifier":
                    continue
                if assigned(parent) or _tested(parent) or (self._test and not _called(parent)):
                    unsure.add(text(member))
                elif not _in_types(parent):
                    found.setdefault(text(member), _span(member))
        return [(member, at) for member, at in found.items() if member not in unsure]

    def _silenced(self, node: Node) -> str | None:
        """A comment above, inside or at the end of the line that takes the fault on purpose."""
        ranges = [m[1] for m in _SILENCED_RANGE.finditer(self.data, 0, node.start_byte)]
        if ranges and ranges[-1] == b"disable":
            return "silenced by a comment"
        line = self.data.rfind(b"\n", 0, node.start_byte)
        start = self.data.rfind(b"\n", 0, line) + 1 if line > 0 else 0
        end = self.data.find(b"\n", node.end_byte)
        if _SILENCED.search(self.data, start, end if end >= 0 else len(self.data)):
            return "silenced by a comment"
        start = self.data.rfind(b"\n", 0, max(0, start - 1)) + 1
        return "made by a build, as a comment says" if _MADE.search(self.data, start, node.start_byte) else None


def _imported(clause: Node) -> Iterator[tuple[Node | None, Node | None]]:
    """The names of an import: (name there, name here), the same node twice for the default, (None, name here) for a
    namespace, (name there, None) where the name is marked as a type."""
    for child in clause.named_children:
        if child.type == "identifier":
            yield child, child
        elif child.type == "namespace_import":
            yield None, child.named_children[-1]
        elif child.type == "named_imports":
            for part in child.named_children:
                name = part.child_by_field_name("name") if part.type == "import_specifier" else None
                if name is not None:
                    yield name, None if _marked(part) else part.child_by_field_name("alias") or name


def _asked_for(node: Node, parent: Node) -> str | None:
    """The member that somebody asks whether ``node`` has: ``'x' in node``, ``Object.hasOwn(node, 'x')``."""
    key: Node | None = None
    if parent.type == "binary_expression" and parent.child_by_field_name("right") == node:
        operator = parent.child_by_field_name("operator")
        key = parent.child_by_field_name("left") if operator is not None and operator.type == "in" else None
    elif parent.type == "arguments" and parent.named_child_count == 2 and parent.named_children[0] == node:
        key = parent.named_children[1]
    return text(key).strip("'\"") if key is not None and key.type == "string" else None


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


def _awaited_in_function(call: Node) -> bool:
    node = call.parent
    if node is None or node.type != "await_expression":
        return False
    while node is not None and "function" not in node.type and node.type != "method_definition":
        node = node.parent
    return node is not None


def _is_loaded_at_once(call: Node) -> bool:
    """Whether ``call`` stands where nothing decides if, or when, it is made: in no function, class or condition."""
    node = call.parent
    while node is not None and node.type in _AT_ONCE:
        node = node.parent
    return node is not None and node.type == "program"


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


def _called(member: Node) -> bool:
    """Whether a member is called. A test may well ask for what is not there, but not call it."""
    parent = member.parent
    return parent is not None and parent.type in ("call_expression", "new_expression") and (
        parent.child_by_field_name("function" if parent.type == "call_expression" else "constructor") == member
    )


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
