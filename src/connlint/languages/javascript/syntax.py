"""tree-sitter's tree of a JavaScript or TypeScript file, for questions about names rather than about meaning.

Positions are bytes of the file as read, also for the scripts of components and for what had to be repaired.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connlint.languages.javascript import blocks
from connlint.model.source import Source, Undecodable
from connlint.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

    from connlint.languages.javascript.parse_tree_sitter import Dialect

COMPONENTS = (".vue", ".svelte")
FUNCTIONS = frozenset({
    "function_declaration", "function_expression", "generator_function", "generator_function_declaration", "module",
    "method_definition", "class_static_block", "public_field_definition", "field_definition", "internal_module",
})
"""What gives ``this`` another meaning; arrow functions do not."""


_PART_OF_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")
_PARTS_OF_WORD = frozenset(bytes([byte]) for byte in _PART_OF_WORD)
_TYPE_STAR = regex(rb"\bexport(\s+)type(\s*\*)")
"""`export type * from`, which the grammar does not know."""


def parse(path: str, data: bytes) -> Node | None:
    """The root of the tree; None for what is not UTF-8 or not JavaScript or TypeScript."""
    from connlint.languages.javascript.parse_tree_sitter import tree

    try:
        source = Source.decode(path, data)
    except Undecodable:
        return None
    if source.encoding != "utf-8":
        return None
    code, dialect = _code(source)
    return tree(_TYPE_STAR.sub(lambda m: b"export" + m[1] + b"    " + m[2], code), dialect).root_node


def _code(source: Source) -> tuple[bytes, Dialect]:
    """What is to be parsed, everything else blanked, and the dialect for it."""
    path, data = source.path, source.data
    if not path.endswith(COMPONENTS):
        code = b" " * source.bom + data[source.bom :] if source.bom else data
        return code, "typescript" if path.endswith((".ts", ".mts", ".cts")) else "tsx"
    parts: list[bytes] = []
    at = 0
    vue = path.endswith(".vue")
    scripts = blocks.scripts(source.text, vue=vue)
    for script in scripts:
        start, end = source.char_to_byte(script.at[0]), source.char_to_byte(script.at[1])
        parts += [b" " * (start - at), data[start:end]]
        at = end
    # The end of a block ends its last statement.
    parts.append(b"\n")
    return b"".join(parts), "typescript" if not vue and any(s.typescript for s in scripts) else "tsx"


def text(node: Node | None) -> str:
    """The name that an identifier or property is; of a string, what is between its quotes."""
    if node is None or node.text is None:
        return ""
    raw = node.text[1:-1] if node.type == "string" else node.text
    return raw.decode("utf-8", "replace")


def occurrences(root: Node, data: bytes, word: bytes, kinds: tuple[str, ...] = ("identifier",)) -> Iterator[Node]:
    """The nodes of some kinds that are the word itself; what stands in comments and strings is none."""
    at = data.find(word) if word else -1
    while at >= 0:
        end = at + len(word)
        if not (at and data[at - 1] in _PART_OF_WORD) and data[end : end + 1] not in _PARTS_OF_WORD:
            node = root.descendant_for_byte_range(at, end)
            if node is not None and node.type in kinds and (node.start_byte, node.end_byte) == (at, end):
                yield node
        at = data.find(word, end)


def required(node: Node | None) -> str | None:
    """The specifier of ``require("x")``; None for any other expression."""
    if node is None or node.type != "call_expression":
        return None
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or function.text != b"require" or arguments is None or len(arguments.named_children) != 1:
        return None
    return text(arguments.named_children[0]) if arguments.named_children[0].type == "string" else None


def assigned(member: Node) -> bool:
    """Whether a member is the target of an assignment."""
    parent = member.parent
    return (
        parent is not None
        and parent.type in ("assignment_expression", "augmented_assignment_expression")
        and parent.child_by_field_name("left") == member
    )


def bound(pattern: Node) -> Iterator[Node]:
    """The identifiers that a pattern binds."""
    kind = pattern.type
    if kind in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern
    elif kind == "pair_pattern":
        if (value := pattern.child_by_field_name("value")) is not None:
            yield from bound(value)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        if (left := pattern.child_by_field_name("left")) is not None:
            yield from bound(left)
    elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
        for child in pattern.named_children:
            yield from bound(child)


def binds(node: Node) -> bool:
    """Whether an identifier is the target of a declaration, a parameter or an assignment."""
    parent = node.parent
    if parent is None:
        return False
    if node.type == "shorthand_property_identifier_pattern":
        return True
    kind = parent.type
    if kind in ("variable_declarator", "function_declaration", "function_expression", "class_declaration", "class",
                "abstract_class_declaration", "generator_function_declaration", "enum_declaration", "internal_module"):
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


def constant(root: Node, name: Node) -> Node | None:
    """What a ``const`` of this name at the top level holds."""
    for child in root.named_children:
        if child.type == "lexical_declaration" and child.children[0].type == "const":
            for declarator in child.named_children:
                left = declarator.child_by_field_name("name")
                if left is not None and left.text == name.text:
                    return declarator.child_by_field_name("value")
    return None


def at_top(node: Node) -> bool:
    """Whether ``this`` at ``node`` is the module's."""
    above = node.parent
    while above is not None:
        if above.type in FUNCTIONS:
            return False
        above = above.parent
    return True
