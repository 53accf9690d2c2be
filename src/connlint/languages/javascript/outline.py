"""What a JavaScript or TypeScript file exports, from a real parse.

Asked only where `connlint.languages.javascript.scan` finds a name missing, so a run parses few files for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from connlint.languages.javascript.syntax import COMPONENTS, bound, parse, text
from connlint.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
"""Files that only declare what exists elsewhere."""

_GENERATED = regex(
    rb"(?im)^[ \t]*(?://|/?\*)[^\n]*?(?:@generated|\bauto-?\s?generated|\bdo not (?:edit|modify)\b"
    rb"|\bgenerated (?:by|file|from|with|code|using|on|at)\b)"
)
_OTHER_SYSTEM = regex(rb"(?<![\w$.])define\s*\(|\bSystem\.register\b")
_FOR_SIDE_EFFECTS = regex(
    rb"\b(?:window|globalThis|global|self|root)\b\s*(?:\.\s*[\w$]+|\[[^\]]*\])\s*=[^=]|\bonmessage\b|\bpostMessage\s*\("
    rb"|\bimportScripts\s*\(|addEventListener\s*\(\s*[\"'](?:message|install|fetch|activate)[\"']"
)
_EXPORT_LINE = regex(rb"(?m)^export\b")
_VARIABLES = ("lexical_declaration", "variable_declaration")
_NAMED_DECLARATIONS = frozenset({
    "function_declaration", "generator_function_declaration", "function_signature", "class_declaration",
    "abstract_class_declaration", "interface_declaration", "type_alias_declaration", "enum_declaration",
    "internal_module", "module", "import_alias",
})
_DECLARATIONS = _NAMED_DECLARATIONS.union(_VARIABLES)


class Outline(Struct):
    """The exports of one file. ``form`` is "module" (ES), "commonjs" or "script" (neither).

    ``moved`` leads from names that are passed on to (specifier, name there), "*" for a namespace. ``stars`` are the
    modules of which everything is passed on. ``opened`` says why there may be names that are not listed, None where
    the list is complete.
    """

    names: set[str] = field(default_factory=set)
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    form: str = "script"
    opened: str | None = None

    def open(self, why: str) -> None:
        """Say that there may be more names; the first reason stays."""
        self.opened = self.opened or why


def outline(path: str, data: bytes) -> Outline:
    """What the file exports; never raises for bytes of any kind."""
    from connlint.languages.javascript.commonjs import read

    found = Outline()
    root = parse(path, data)
    if root is None:
        found.open("cannot be read")
        return found
    if _GENERATED.search(data, 0, 1200):
        found.open("generated")
    elif len(data) > 5000 and len(data) / (data.count(b"\n") + 1) > 400:
        found.open("minified")
    for child in root.children:
        _statement(child, found, path.endswith(DECLARATIONS))
    if path.endswith(COMPONENTS):
        found.form = "module"
        found.names.add("default")
    if b"exports" in data:
        read(root, data, found)
    if root.has_error and (found.form != "module" or _hidden(root, data)):
        found.open("does not parse")
    if found.form == "script" and (
        _OTHER_SYSTEM.search(data) or _FOR_SIDE_EFFECTS.search(data) or "worker" in path[path.rfind("/") :].lower()
    ):
        found.open("made for another way of loading")
    return found


def _hidden(root: Node, data: bytes) -> bool:
    """Whether an export may lie in what the parser could not read."""
    statements = sum(1 for child in root.children if child.type == "export_statement")
    return any(child.type == "ERROR" for child in root.children) or statements < len(_EXPORT_LINE.findall(data))


def _statement(node: Node, found: Outline, declarations: bool) -> None:
    kind = node.type
    if kind == "expression_statement" and node.named_children and node.named_children[0].text == b"export":
        # The grammar ends the statement before a comment of several lines.
        found.form = "module"
        if node.next_named_sibling is not None:
            found.names.update(_declared(node.next_named_sibling))
    if kind == "import_statement":
        found.form = "module"
    elif kind == "export_statement":
        found.form = "module"
        _export(node, found)
    elif declarations:
        for child in node.named_children if kind == "ambient_declaration" else (node,):
            found.names.update(_declared(child))


def _export(node: Node, found: Outline) -> None:
    words = {child.type for child in node.children if not child.is_named}
    source = node.child_by_field_name("source")
    specifier = text(source) if source is not None else None
    declaration = node.child_by_field_name("declaration")
    if declaration is None and node.child_by_field_name("value") is None:
        # A comment behind the word `export` hides the field.
        declaration = next((child for child in node.named_children if child.type in _DECLARATIONS), None)
    if "=" in words:
        found.open("export =")
    elif "default" in words:
        found.names.add("default")
    elif declaration is not None:
        for child in declaration.named_children if declaration.type == "ambient_declaration" else (declaration,):
            found.names.update(_declared(child))
    else:
        for child in node.named_children:
            if child.type == "export_clause":
                for part in child.named_children:
                    if part.type == "export_specifier":
                        _specified(part, specifier, found)
            elif child.type == "namespace_export":
                name = text(child.named_children[-1])
                found.names.add(name)
                if specifier is not None:
                    found.moved[name] = (specifier, "*")
        if "*" in words and specifier is not None:
            found.stars.append(specifier)
    if any(child.type == "ERROR" for child in node.children):
        found.open("does not parse")


def _specified(part: Node, specifier: str | None, found: Outline) -> None:
    local = part.child_by_field_name("name")
    name = text(part.child_by_field_name("alias") or local)
    found.names.add(name)
    if specifier is not None:
        found.moved[name] = (specifier, text(local))


def _declared(node: Node) -> Iterator[str]:
    """The names that a declaration binds."""
    if node.type in _NAMED_DECLARATIONS:
        name = node.child_by_field_name("name")
        if name is None and node.type == "import_alias":
            name = next((child for child in node.named_children if child.type == "identifier"), None)
        while name is not None and name.type == "nested_identifier":
            name = name.child_by_field_name("object")
        if name is not None and name.type != "string":
            yield text(name)
    elif node.type in _VARIABLES:
        for declarator in node.named_children:
            name = declarator.child_by_field_name("name") if declarator.type == "variable_declarator" else None
            if name is not None:
                yield from map(text, bound(name))
    elif node.type == "expression_statement":
        # How the grammar reads `namespace X {}` at the top level.
        for child in node.named_children:
            if child.type == "internal_module":
                yield from _declared(child)
