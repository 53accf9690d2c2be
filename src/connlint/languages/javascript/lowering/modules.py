"""Imports and exports, and the names of TypeScript."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.lowering.walk import Walk
from connlint.model import program as p


class Modules(Walk):
    """What comes in and what goes out."""

    STATEMENTS: ClassVar[dict[str, str]] = {
        "ImportDeclaration": "import_declaration", "ExportNamedDeclaration": "export_named",
        "ExportAllDeclaration": "export_all", "ExportDefaultDeclaration": "export_default", "TSNames": "names",
        "TSImportEquals": "import_equals", "TSExportAssignment": "export_assignment", "Unread": "unread",
    }

    def import_declaration(self, node: Any, out: list[p.Statement]) -> None:
        self.esm = True
        names = []
        for one in node.specifiers:
            if one.type == "ImportDefaultSpecifier":
                name = "default"
            elif one.type == "ImportNamespaceSpecifier":
                name = "*"
            else:
                name = _module_name(one.imported)
            type_only = node.importKind == "type" or one.importKind == "type"
            names.append(p.ImportedName(name, one.local.name, one.range, type_only))
        out.append(p.Import(node.source.value, tuple(names), node.range, node.source.range,
                            type_only=node.importKind == "type"))

    def export_named(self, node: Any, out: list[p.Statement]) -> None:
        self.esm = True
        if node.declaration is not None:
            before = len(out)
            self.statement(node.declaration, out)
            exported = tuple(p.ExportedName(name, name, node.range, types)
                             for made in out[before:] for name, types in _declared(made))
            if exported:
                out.append(p.Export(exported, node.range))
            return
        names = []
        for one in node.specifiers:
            local, name = _module_name(one.local), _module_name(one.exported or one.local)
            names.append(p.ExportedName(local, name, one.range, one.exportKind == "type" or node.exportKind == "type"))
        source = node.source
        out.append(p.Export(tuple(names), node.range, None if source is None else source.value,
                            type_only=node.exportKind == "type"))

    def export_all(self, node: Any, out: list[p.Statement]) -> None:
        self.esm = True
        name = "*" if node.exported is None else _module_name(node.exported)
        types = node.exportKind == "type"
        at = node.range if node.exported is None else node.exported.range
        out.append(p.Export((p.ExportedName("*", name, at, types),), node.range, node.source.value, type_only=types))

    def export_default(self, node: Any, out: list[p.Statement]) -> None:
        self.esm = True
        inner = node.declaration
        if inner.type in ("FunctionDeclaration", "ClassDeclaration", "TSNames") and (inner.id or inner.names):
            before = len(out)
            self.statement(inner, out)
            names = tuple(p.ExportedName(name, "default", node.range, types)
                          for made in out[before:] for name, types in _declared(made))
            out.append(p.Export(names, node.range))
            return
        if inner.type in ("FunctionDeclaration", "ClassDeclaration"):
            value: p.Expression = self.function(inner) if inner.type[0] == "F" else self.class_(inner)
        else:
            value = self.expression(inner)
        out.append(p.Export((p.ExportedName("default", "default", node.range),), node.range, value=value))

    # -- TypeScript ----------------------------------------------------------------------------------------------------

    def names(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Types(tuple(node.names), node.range, bool(node.at_run_time)))
        if node.body:
            inner: list[p.Statement] = []
            esm, commonjs = self.esm, self.commonjs
            for one in node.body:
                self.statement(one, inner)
            self.esm, self.commonjs = esm, commonjs
            # What a namespace exports are its own members, not the module's.
            out.append(p.Block(tuple(one for one in inner if type(one) is not p.Export), node.range))

    def import_equals(self, node: Any, out: list[p.Statement]) -> None:
        target = p.Name(node.id.name, node.id.range)
        if node.importKind == "type":
            out.append(p.Types((target.id,), node.range))
        else:
            out.append(p.Let(target, self.expression(node.value), node.range, "const"))

    def export_assignment(self, node: Any, out: list[p.Statement]) -> None:
        self.commonjs = True
        name = p.ExportedName("=", "=", node.range)
        out.append(p.Export((name,), node.range, value=self.expression(node.expression)))

    def unread(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Unread(tuple(node.names), node.range))


def _module_name(node: Any) -> str:
    """The name in an import or export: an identifier, or a string."""
    return node.name if node.type == "Identifier" else str(node.value)


def _declared(statement: p.Statement) -> list[tuple[str, bool]]:
    """The names that a lowered declaration binds, and whether they are types alone."""
    if type(statement) is p.Let:
        return [(name, False) for name in _bound(statement.target)]
    if type(statement) is p.Define:
        return [(statement.name, False)]
    if type(statement) is p.Types:
        return [(name, not statement.at_run_time) for name in statement.names]
    if type(statement) is p.Unread:
        return [(name, False) for name in statement.names]
    return []


def _bound(target: p.Expression) -> list[str]:
    if type(target) is p.Name:
        return [target.id]
    if type(target) is p.Default:
        return _bound(target.target)
    if type(target) is p.Spread:
        return _bound(target.value)
    if type(target) is p.Sequence:
        return [name for item in target.items for name in _bound(item)]
    if type(target) is p.Record:
        return [name for entry in target.entries for name in _bound(entry.value)]
    return []
