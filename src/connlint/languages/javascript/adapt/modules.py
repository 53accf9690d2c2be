"""Imports and exports, and what only the type checker sees."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.adapt.walk import SKIP, Walk
from connlint.languages.javascript.estree import Node


class Modules(Walk):
    """What comes in, what goes out, and names without a value."""

    KINDS: ClassVar[dict[str, str]] = {
        "import_statement": "import_statement", "import_alias": "import_alias",
        "export_statement": "export_statement", "interface_declaration": "type_declaration",
        "type_alias_declaration": "type_declaration", "enum_declaration": "type_declaration",
        "ambient_declaration": "ambient_declaration", "function_signature": "signature",
        "internal_module": "namespace", "module": "namespace", "nested_type_identifier": "nested_type",
        "nested_identifier": "nested_identifier",
    }

    def import_statement(self, n: Any) -> Node | None:
        kind = "type" if self.has(n, "type", "typeof") else None
        clause = next((c for c in n.named_children if c.type in ("import_clause", "import_require_clause")), None)
        if clause is not None and clause.type == "import_require_clause":
            return self.import_require(n, clause, kind)
        source = n.child_by_field_id(self.f.source)
        if source is None:
            return None
        specifiers: list[Node] = []
        for part in clause.named_children if clause is not None else ():
            if part.type == "identifier":
                specifiers.append(Node(type="ImportDefaultSpecifier", range=self.at(part), local=self.identifier(part)))
            elif part.type == "namespace_import":
                name = self.first(part)
                specifiers.append(Node(type="ImportNamespaceSpecifier", range=self.at(part),
                                       local=self.identifier(name)))
            elif part.type == "named_imports":
                for one in part.named_children:
                    if one.type == "import_specifier":
                        specifiers.append(self.import_specifier(one))
        return Node(type="ImportDeclaration", range=self.at(n), source=self.string(source), specifiers=specifiers,
                    importKind=kind)

    def import_specifier(self, n: Any) -> Node:
        imported = self.field(n, self.f.name)
        alias = n.child_by_field_id(self.f.alias)
        # In "{ type as x }" the word is a name: then it stands in the field and not before it.
        kind = "type" if n.children[0].type in ("type", "typeof") else None
        return Node(type="ImportSpecifier", range=self.at(n), imported=imported, importKind=kind,
                    local=imported if alias is None else self.convert(alias))

    def import_require(self, n: Any, clause: Any, kind: str | None) -> Node | None:
        name, source = self.first(clause), clause.child_by_field_id(self.f.source)
        if name is None or source is None:
            return None
        required = next(c for c in clause.children if c.type == "require")
        callee = Node(type="Identifier", range=self.at(required), name="require")
        call = Node(type="CallExpression", range=self.span(required.start_byte, clause.end_byte), callee=callee,
                    arguments=[self.string(source)], optional=False)
        return Node(type="TSImportEquals", range=self.at(n), id=self.identifier(name), value=call, importKind=kind)

    def import_alias(self, n: Any) -> Node | None:
        named = [c for c in n.named_children if c.type not in SKIP]
        if len(named) != 2:
            return None
        return Node(type="TSImportEquals", range=self.at(n), id=self.identifier(named[0]), value=self.convert(named[1]),
                    importKind="type" if self.has(n, "type") else None)

    def export_statement(self, n: Any) -> Node | None:
        words = {child.type for child in n.children if not child.is_named}
        at, type_only = self.at(n), "type" in words or "typeof" in words or self.exports_types(n)
        declaration = n.child_by_field_id(self.f.declaration)
        source = n.child_by_field_id(self.f.source)
        if declaration is not None:
            return self.export_declaration(n, declaration, at, default="default" in words)
        if source is not None or any(c.type in ("export_clause", "namespace_export") for c in n.named_children):
            return self.export_names(n, source, at, type_only)
        if "default" in words:
            value = self.field(n, self.f.value)
            return Node(type="ExportDefaultDeclaration", range=at, declaration=value) if value is not None else None
        if "=" in words:
            inner = self.first(n)
            return None if inner is None else Node(type="TSExportAssignment", range=at, expression=self.convert(inner))
        return None  # "export as namespace X" speaks to the type checker

    def exports_types(self, n: Any) -> bool:
        """Whether ``type`` was blanked in ``export type * from`` since the grammar does not have it."""
        child = n.children[1] if n.child_count > 1 else None
        if child is None or child.type not in ("*", "namespace_export"):
            return False
        return self.data[n.children[0].end_byte : child.start_byte].strip() == b"type"

    def export_declaration(self, n: Any, declaration: Any, at: tuple[int, int], *, default: bool) -> Node | None:
        made = self.convert(declaration)
        if made is None:
            return None
        before = [self.convert(c) for c in n.named_children if c.type == "decorator"]
        if before:
            made.decorators = [*before, *(made.decorators or ())]
        if default:
            return Node(type="ExportDefaultDeclaration", range=at, declaration=made)
        return Node(type="ExportNamedDeclaration", range=at, declaration=made, specifiers=[], source=None)

    def export_names(self, n: Any, source: Any, at: tuple[int, int], type_only: bool) -> Node:
        origin = None if source is None else self.string(source)
        kind = "type" if type_only else None
        clause = next((c for c in n.named_children if c.type in ("export_clause", "namespace_export")), None)
        if clause is None or clause.type == "namespace_export":
            exported = None if clause is None else self.convert(self.first(clause))
            return Node(type="ExportAllDeclaration", range=at, source=origin, exported=exported, exportKind=kind)
        specifiers = []
        for one in clause.named_children:
            if one.type == "export_specifier":
                local, alias = self.field(one, self.f.name), one.child_by_field_id(self.f.alias)
                specifiers.append(Node(type="ExportSpecifier", range=self.at(one), local=local,
                                       exported=local if alias is None else self.convert(alias),
                                       exportKind="type" if one.children[0].type in ("type", "typeof") else None))
        return Node(type="ExportNamedDeclaration", range=at, declaration=None, specifiers=specifiers, source=origin,
                    exportKind=kind)

    # -- what only the type checker sees --------------------------------------------------------------------------

    def names(self, n: Any, names: tuple[str, ...], *, at_run_time: bool = False, body: Any = None) -> Node:
        return Node(type="TSNames", range=self.at(n), names=names, at_run_time=at_run_time, body=body)

    def type_declaration(self, n: Any) -> Node | None:
        name = n.child_by_field_id(self.f.name)
        if name is None:
            return None
        if n.type == "enum_declaration" and (texts := self.enum_of_texts(n)) is not None:
            # it is the object that the compiler makes of it
            declarator = Node(type="VariableDeclarator", range=self.at(n), id=self.identifier(name), init=texts)
            return Node(type="VariableDeclaration", range=self.at(n), kind="const", declarations=[declarator])
        return self.names(n, (self.text(name),), at_run_time=n.type == "enum_declaration")

    def enum_of_texts(self, n: Any) -> Node | None:
        """The members of an enum as an object, where each is a text."""
        body = n.child_by_field_id(self.f.body)
        members = [] if body is None else [c for c in body.named_children if c.type not in SKIP]
        values = [c.child_by_field_id(self.f.value) for c in members]
        if not members or any(value is None or value.type != "string" for value in values):
            return None
        properties = []
        for member in members:
            key, computed = self.key(member.child_by_field_id(self.f.name))
            properties.append(Node(type="Property", range=self.at(member), kind="init", key=key, computed=computed,
                                   value=self.field(member, self.f.value), method=False, shorthand=False))
        return Node(type="ObjectExpression", range=self.at(body), properties=properties)

    def ambient_declaration(self, n: Any) -> Node | None:
        inner = self.first(n)
        found: tuple[str, ...] = ()
        if inner is not None and inner.type in ("lexical_declaration", "variable_declaration"):
            targets = [c.child_by_field_id(self.f.name) for c in inner.named_children]
            found = tuple(self.text(t) for t in targets if t is not None and t.type == "identifier")
        elif inner is not None:
            name = inner.child_by_field_id(self.f.name)
            if name is not None and name.type in ("identifier", "type_identifier"):
                found = (self.text(name),)
        return self.names(n, found)

    def signature(self, n: Any) -> Node | None:
        """A function without a body: an overload, or, in a ``.d.ts``, a declaration."""
        return self.type_declaration(n) if self.ambient else None

    def namespace(self, n: Any) -> Node | None:
        name, body = n.child_by_field_id(self.f.name), n.child_by_field_id(self.f.body)
        if name is None or name.type == "string":
            return self.names(n, ())
        inner = self.statements(body.named_children) if body is not None else []
        alive = any(_alive(statement) for statement in inner)
        return self.names(n, (self.text(name).split(".")[0],), at_run_time=alive, body=inner if alive else None)

    def annotated(self, target: Any, n: Any) -> Any:
        """``target`` with its type, where that is a mere name."""
        annotation = n.child_by_field_id(self.f.type)
        if annotation is not None and target is not None:
            inner = self.first(annotation)
            if inner is not None and inner.type == "generic_type":
                # ``Store<State>`` is a `Store`, but ``Partial<Store>`` is something else
                base = inner.child_by_field_id(self.f.name)
                inner = base if base is not None and self.text(base) not in _UTILITIES else None
            if inner is not None and inner.type in ("type_identifier", "nested_type_identifier"):
                target.annotation = self.convert(inner)
        return target

    def nested_type(self, n: Any) -> Node:
        return Node(type="MemberExpression", range=self.at(n), computed=False, object=self.field(n, self.f.module),
                    property=self.field(n, self.f.name), optional=False)

    def nested_identifier(self, n: Any) -> Node:
        return Node(type="MemberExpression", range=self.at(n), computed=False, object=self.field(n, self.f.object),
                    property=self.field(n, self.f.property), optional=False)


_UTILITIES = frozenset(
    "Partial Required Readonly NonNullable ReturnType InstanceType Awaited Promise PromiseLike Pick Omit Record Array "
    "ReadonlyArray".split())
"""Types of the language that make another type of what they are given, or a literal has."""


def _alive(statement: Node) -> bool:
    """Whether a statement does something at run time."""
    if statement.type == "ExportNamedDeclaration" and statement.declaration is not None:
        statement = statement.declaration
    return bool(statement.type != "TSNames" or statement.at_run_time)
