"""JavaScript and TypeScript with tree-sitter: bytes → ESTree with byte positions.

The one home of `tree_sitter` and `tree_sitter_typescript`. Parentheses, casts and types are left out here, so that
what comes out is what esprima would have made of the same program without its types. tree-sitter reads on after a
syntax error: the innermost statement around it is dropped and told as a `Problem`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal

from connlint.languages.javascript.estree import Node, Refused
from connlint.languages.javascript.literals import cooked, referenced
from connlint.languages.javascript.repairs import TYPES_OF_CALLS, errors, repaired

Dialect = Literal["typescript", "tsx"]
"""``tsx`` knows JSX and reads JavaScript as well; ``typescript`` knows the old cast ``<T>x``."""

_FIELDS = (
    "alias", "alternative", "argument", "arguments", "body", "condition", "consequence", "constructor", "declaration",
    "finalizer", "function", "handler", "increment", "index", "initializer", "key", "kind", "label", "left", "module",
    "name", "object", "open_tag", "operator", "parameter", "parameters", "pattern", "property", "right", "source",
    "type", "value",
)
_SKIP = {"comment", "html_comment", "ERROR", "type_annotation", "decorator"}
_LISTS = {"program", "statement_block", "class_body", "switch_case", "switch_default"}
_TYPES = {
    "interface_body", "object_type", "type_alias_declaration", "type_annotation", "type_arguments", "type_parameters",
}
"""Nothing is evaluated in these: an error in one costs nothing."""
_MOST_PROBLEMS = 20
_MOST_REPAIRS = 3


@cache
def _dialect(name: Dialect) -> tuple[Any, SimpleNamespace, Any]:
    """A parser, the numbers of its fields, and a query for what has to be known before a tree is walked."""
    import tree_sitter
    import tree_sitter_typescript

    raw = tree_sitter_typescript.language_tsx() if name == "tsx" else tree_sitter_typescript.language_typescript()
    language = tree_sitter.Language(raw)
    fields = {field: language.field_id_for_name(field) for field in _FIELDS}
    query = tree_sitter.Query(language, "[(comment) (html_comment)] @comment" + TYPES_OF_CALLS)
    return tree_sitter.Parser(language), SimpleNamespace(**fields), tree_sitter.QueryCursor(query)


def tree(data: bytes, dialect: Dialect) -> Any:
    """tree-sitter's own tree of UTF-8 ``data``, for who needs the words and not their meaning."""
    return _dialect(dialect)[0].parse(data)


def parse(
    data: bytes,
    dialect: Dialect,
    *,
    base: int = 0,
    table: Sequence[int] | None = None,
    words: Sequence[bytes] | None = None,
    ambient: bool = False,
) -> tuple[Node, list[tuple[str, tuple[int, int]]]]:
    """Parse UTF-8 ``data`` to a ``Program`` and the places that could not be read, each with its reason.

    ``data`` starts at byte ``base`` of the file, or ``table`` gives the byte of the file for every byte of ``data``.
    With ``words``, functions and classes at the top level that hold none of them become ``Unread``. ``ambient`` is
    for ``.d.ts`` files, where a signature declares a name. Raises `Refused` where the nesting is too deep.
    """
    parser, fields, query = _dialect(dialect)
    root = parser.parse(data).root_node
    captures = query.captures(root)
    comments, text = captures.get("comment", ()), data
    for _ in range(_MOST_REPAIRS):
        patched = repaired(text, root, captures)
        if patched is None:
            break
        again = parser.parse(patched).root_node
        if errors(again) > errors(root):
            break
        root, text = again, patched
        captures = query.captures(root)
    adapter = _Adapter(data, fields, base, table, words, ambient)
    adapter.ends = _ends_before_comments(data, comments)
    if root.has_error:
        adapter.mark_broken(root)
    return adapter.program(root), adapter.problems


def _ends_before_comments(data: bytes, comments: Any) -> dict[int, int]:
    """Where that what ends with a comment really ends.

    While the grammar looks for a semicolon, it takes the comments after a statement or block for a part of it.
    """
    ends: dict[int, int] = {}
    for comment in comments:
        before = comment.start_byte
        while before and data[before - 1] in b" \t\r\n":
            before -= 1
        ends[comment.end_byte] = ends.get(before, before)
    return ends


class _Adapter:
    """Turns tree-sitter's nodes into ESTree's, one method a kind."""

    def __init__(self, data: bytes, fields: SimpleNamespace, base: int, table: Sequence[int] | None,
                 words: Sequence[bytes] | None, ambient: bool) -> None:
        self.data, self.f, self.base, self.table = data, fields, base, table
        self.words, self.ambient = words, ambient
        self.ends: dict[int, int] = {}
        self.broken: set[int] = set()
        self.problems: list[tuple[str, tuple[int, int]]] = []
        self.kinds: dict[str, Callable[[Any], Any]] = {
            kind: getattr(self, method) for kind, method in _METHODS.items()
        }

    # -- places and texts -----------------------------------------------------------------------------------------

    def at(self, n: Any) -> tuple[int, int]:
        end = n.end_byte
        end = self.ends.get(end, end)
        if self.table is not None:
            return self.table[n.start_byte], self.table[end]
        return n.start_byte + self.base, end + self.base

    def span(self, start: int, end: int) -> tuple[int, int]:
        end = self.ends.get(end, end)
        if self.table is not None:
            return self.table[start], self.table[end]
        return start + self.base, end + self.base

    def text(self, n: Any) -> str:
        return self.data[n.start_byte : n.end_byte].decode("utf-8", "replace")

    def first(self, n: Any) -> Any:
        """The first child that is no comment, type or error; None if there is none."""
        for child in n.named_children:
            if child.type not in _SKIP:
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

    # -- statements -----------------------------------------------------------------------------------------------

    def program(self, n: Any) -> Node:
        body: list[Node] = []
        words = self.words
        for child in n.named_children:
            kind = child.type
            if kind in _SKIP or kind == "hash_bang_line" or child.id in self.broken:
                continue
            if words is not None and kind in _PASSED_OVER and not self.holds(child, words):
                name = child.child_by_field_id(self.f.name)
                if name is not None:
                    body.append(Node(type="Unread", range=self.at(child), names=(self.text(name),)))
                    continue
            try:
                made = self.kinds.get(kind, self.unknown)(child)
            except RecursionError:
                self.problems.append(("nested too deeply", self.at(child)))
                continue
            if made is not None:
                body.append(made)
        return Node(type="Program", range=self.at(n), body=body)

    def holds(self, n: Any, words: Sequence[bytes]) -> bool:
        data, start, end = self.data, n.start_byte, n.end_byte
        return any(data.find(word, start, end) >= 0 for word in words)

    def statements(self, children: Any) -> list[Node]:
        body = []
        kinds, broken = self.kinds, self.broken
        for child in children:
            kind = child.type
            if kind in _SKIP or (broken and child.id in broken):
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
        parts = [self.convert(child) for child in n.named_children if child.type not in _SKIP]
        return Node(type=n.type, range=self.at(n), parts=[part for part in parts if part is not None])

    def nothing(self, n: Any) -> None:
        return None

    def block(self, n: Any) -> Node:
        return Node(type="BlockStatement", range=self.at(n), body=self.statements(n.named_children))

    def expression_statement(self, n: Any) -> Any:
        inner = self.first(n)
        if inner is None:
            return None
        if inner.type in ("internal_module", "module"):
            return self.namespace(inner)
        using = self.using(inner)
        if using is not None:
            using.range = self.at(n)
            return using
        made = Node(type="ExpressionStatement", range=self.at(n), expression=self.convert(inner))
        if inner.type == "string":
            made.directive = self.text(inner)[1:-1]
        return made

    def using(self, n: Any) -> Node | None:
        """``using x = f()``, which the grammar takes for an assignment."""
        kind = "using"
        if n.type == "await_expression":
            inner = self.first(n)
            if inner is None:
                return None
            kind, n = "await using", inner
        if n.type != "assignment_expression" or not n.children or n.children[0].type != "using":
            return None
        declarator = Node(type="VariableDeclarator", range=self.span(n.children[1].start_byte, n.end_byte),
                          id=self.field(n, self.f.left), init=self.field(n, self.f.right))
        return Node(type="VariableDeclaration", range=self.at(n), kind=kind, declarations=[declarator])

    def declaration(self, n: Any) -> Node:
        kind = "var" if n.type == "variable_declaration" else n.children[0].type
        declarations = []
        for child in n.named_children:
            if child.type == "variable_declarator":
                target = self.annotated(self.field(child, self.f.name), child)
                declarations.append(Node(type="VariableDeclarator", range=self.at(child), id=target,
                                         init=self.field(child, self.f.value)))
        return Node(type="VariableDeclaration", range=self.at(n), kind=kind, declarations=declarations)

    def if_statement(self, n: Any) -> Node:
        alternate = n.child_by_field_id(self.f.alternative)
        inner = self.first(alternate) if alternate is not None else None
        return Node(type="IfStatement", range=self.at(n), test=self.field(n, self.f.condition),
                    consequent=self.body(n, self.f.consequence), alternate=self.lone(inner))

    def body(self, n: Any, field: int) -> Any:
        return self.lone(n.child_by_field_id(field))

    def lone(self, child: Any) -> Any:
        """A statement that stands where a block may stand; None where it is broken, empty or nothing."""
        if child is None or child.id in self.broken:
            return None
        return self.convert(child)

    def for_in(self, n: Any) -> Node:
        target = self.field(n, self.f.left)
        kind = n.child_by_field_id(self.f.kind)
        if kind is not None:
            declarator = Node(type="VariableDeclarator", range=target.range, id=target, init=None)
            target = Node(type="VariableDeclaration", range=target.range, kind=kind.type, declarations=[declarator])
        operator = n.child_by_field_id(self.f.operator)
        if self.has(n, "await"):
            made = "ForAwaitStatement"
        else:
            made = "ForInStatement" if operator is not None and operator.type == "in" else "ForOfStatement"
        return Node(type=made, range=self.at(n), left=target, right=self.field(n, self.f.right),
                    body=self.body(n, self.f.body))

    def for_statement(self, n: Any) -> Node:
        return Node(type="ForStatement", range=self.at(n), init=self.clause(n, self.f.initializer),
                    test=self.clause(n, self.f.condition), update=self.clause(n, self.f.increment),
                    body=self.body(n, self.f.body))

    def clause(self, n: Any, field: int) -> Any:
        made = self.field(n, field)
        return made.expression if made is not None and made.type == "ExpressionStatement" else made

    def while_statement(self, n: Any) -> Node:
        return Node(type="WhileStatement", range=self.at(n), test=self.field(n, self.f.condition),
                    body=self.body(n, self.f.body))

    def do_statement(self, n: Any) -> Node:
        return Node(type="DoWhileStatement", range=self.at(n), test=self.field(n, self.f.condition),
                    body=self.body(n, self.f.body))

    def with_statement(self, n: Any) -> Node:
        return Node(type="WithStatement", range=self.at(n), object=self.field(n, self.f.object),
                    body=self.body(n, self.f.body))

    def labeled_statement(self, n: Any) -> Node:
        return Node(type="LabeledStatement", range=self.at(n), label=self.field(n, self.f.label),
                    body=self.body(n, self.f.body))

    def switch_statement(self, n: Any) -> Node:
        cases = []
        body = n.child_by_field_id(self.f.body)
        for case in body.named_children if body is not None else ():
            if case.type in ("switch_case", "switch_default") and case.id not in self.broken:
                test = case.child_by_field_id(self.f.value)
                consequent = self.statements(case.children_by_field_name("body"))
                cases.append(Node(type="SwitchCase", range=self.at(case), consequent=consequent,
                                  test=None if test is None else self.convert(test)))
        return Node(type="SwitchStatement", range=self.at(n), discriminant=self.field(n, self.f.value), cases=cases)

    def try_statement(self, n: Any) -> Node:
        handler, clause = None, n.child_by_field_id(self.f.handler)
        if clause is not None:
            handler = Node(type="CatchClause", range=self.at(clause), param=self.field(clause, self.f.parameter),
                           body=self.field(clause, self.f.body))
        finalizer = n.child_by_field_id(self.f.finalizer)
        return Node(type="TryStatement", range=self.at(n), block=self.field(n, self.f.body), handler=handler,
                    finalizer=None if finalizer is None else self.field(finalizer, self.f.body))

    def leave(self, n: Any) -> Node:
        inner = self.first(n)
        return Node(type="ReturnStatement" if n.type == "return_statement" else "ThrowStatement", range=self.at(n),
                    argument=None if inner is None else self.convert(inner))

    def jump(self, n: Any) -> Node:
        return Node(type="BreakStatement" if n.type == "break_statement" else "ContinueStatement", range=self.at(n),
                    label=self.field(n, self.f.label))

    # -- modules --------------------------------------------------------------------------------------------------

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
        named = [c for c in n.named_children if c.type not in _SKIP]
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
        return None if name is None else self.names(n, (self.text(name),), at_run_time=n.type == "enum_declaration")

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
            if inner is not None and inner.type in ("type_identifier", "nested_type_identifier"):
                target.annotation = self.convert(inner)
        return target

    def nested_type(self, n: Any) -> Node:
        return Node(type="MemberExpression", range=self.at(n), computed=False, object=self.field(n, self.f.module),
                    property=self.field(n, self.f.name), optional=False)

    def nested_identifier(self, n: Any) -> Node:
        return Node(type="MemberExpression", range=self.at(n), computed=False, object=self.field(n, self.f.object),
                    property=self.field(n, self.f.property), optional=False)

    # -- functions and classes ------------------------------------------------------------------------------------

    def function(self, n: Any) -> Node:
        declared = n.type in ("function_declaration", "generator_function_declaration")
        return Node(type="FunctionDeclaration" if declared else "FunctionExpression", range=self.at(n),
                    id=self.field(n, self.f.name), params=self.params(n), body=self.field(n, self.f.body),
                    isAsync=n.children[0].type == "async", generator="generator" in n.type)

    def arrow(self, n: Any) -> Node:
        single = n.child_by_field_id(self.f.parameter)
        body = n.child_by_field_id(self.f.body)
        return Node(type="ArrowFunctionExpression", range=self.at(n), isAsync=n.children[0].type == "async",
                    params=self.params(n) if single is None else [self.convert(single)], generator=False,
                    body=self.convert(body))

    def params(self, n: Any) -> list[Any]:
        found = []
        parameters = n.child_by_field_id(self.f.parameters)
        for param in parameters.named_children if parameters is not None else ():
            kind = param.type
            if kind == "required_parameter" or kind == "optional_parameter":
                pattern = param.child_by_field_id(self.f.pattern)
                if pattern is None or pattern.type == "this":
                    continue
                target = self.annotated(self.convert(pattern), param)
                value = param.child_by_field_id(self.f.value)
                if value is not None:
                    target = Node(type="AssignmentPattern", range=(target.range[0], self.at(value)[1]), left=target,
                                  right=self.convert(value))
                first = param.children[0]
                if first.type != pattern.type and self.has(param, "accessibility_modifier", "readonly",
                                                           "override_modifier"):
                    target = Node(type="TSParameterProperty", range=self.at(param), parameter=target)
                found.append(target)
            elif kind not in _SKIP:
                found.append(self.convert(param))
        return found

    def class_(self, n: Any) -> Node:
        heritage = next((c for c in n.named_children if c.type == "class_heritage"), None)
        base = None
        for clause in heritage.named_children if heritage is not None else ():
            if clause.type == "extends_clause":
                base = self.field(clause, self.f.value)
        return Node(type="ClassExpression" if n.type == "class" else "ClassDeclaration", range=self.at(n),
                    id=self.field(n, self.f.name), superClass=base, body=self.field(n, self.f.body),
                    decorators=[self.convert(c) for c in n.named_children if c.type == "decorator"])

    def class_body(self, n: Any) -> Node:
        body: list[Node] = []
        decorators: list[Node] = []
        for child in n.named_children:
            kind = child.type
            if kind == "decorator":
                decorators.append(self.convert(child))
                continue
            if kind in _SKIP:
                continue
            made = None if child.id in self.broken else self.convert(child)
            if made is not None:
                if decorators:
                    made.decorators = [*decorators, *(made.decorators or ())]
                body.append(made)
            decorators = []
        return Node(type="ClassBody", range=self.at(n), body=body)

    def decorator(self, n: Any) -> Any:
        inner = self.first(n)
        return None if inner is None else self.convert(inner)

    def method(self, n: Any) -> Node:
        """A method of a class (``MethodDefinition``) or of an object (``Property``)."""
        words = {child.type for child in n.children if not child.is_named}
        key, name = self.key(n.child_by_field_id(self.f.name))
        kind = "get" if "get" in words else "set" if "set" in words else "method"
        value = Node(type="FunctionExpression", range=self.at(n), id=None, params=self.params(n),
                     body=self.field(n, self.f.body), isAsync="async" in words, generator="*" in words)
        if n.parent.type == "object":
            return Node(type="Property", range=self.at(n), kind="init" if kind == "method" else kind, key=key,
                        computed=name, value=value, method=kind == "method", shorthand=False)
        static = "static" in words
        if not static and kind == "method" and not name and (key.name or key.value) == "constructor":
            kind = "constructor"
        return Node(type="MethodDefinition", range=self.at(n), key=key, computed=name, value=value, kind=kind,
                    static=static)

    def key(self, n: Any) -> tuple[Any, bool]:
        """The key of a property and whether it is computed."""
        if n.type == "computed_property_name":
            inner = self.first(n)
            return (self.unknown(n) if inner is None else self.convert(inner)), True
        return self.convert(n), False

    def class_field(self, n: Any) -> Node | None:
        words = {child.type for child in n.children if not child.is_named}
        name = n.child_by_field_id(self.f.name)
        if name is None or "declare" in words or "abstract" in words:
            return None
        key, computed = self.key(name)
        if computed and n.child_by_field_id(self.f.value) is None and n.child_by_field_id(self.f.type) is not None:
            return None  # "[key: string]: T" says nothing at run time
        self.annotated(key, n)
        return Node(type="FieldDefinition", range=self.at(n), key=key, computed=computed, static="static" in words,
                    value=self.field(n, self.f.value),
                    decorators=[self.convert(c) for c in n.named_children if c.type == "decorator"])

    def static_block(self, n: Any) -> Node:
        return Node(type="StaticBlock", range=self.at(n), body=self.field(n, self.f.body))

    # -- expressions ----------------------------------------------------------------------------------------------

    def inner(self, n: Any) -> Any:
        """Parentheses, casts and assertions: what they stand around."""
        child = self.first(n)
        return self.unknown(n) if child is None else self.convert(child)

    def assertion(self, n: Any) -> Any:
        """The old cast ``<T>x``: the value stands last."""
        return self.convert(n.named_children[-1])

    def identifier(self, n: Any) -> Node:
        return Node(type="Identifier", range=self.at(n), name=self.text(n))

    def private(self, n: Any) -> Node:
        return Node(type="PrivateIdentifier", range=self.at(n), name=self.text(n))

    def this(self, n: Any) -> Node:
        return Node(type="ThisExpression", range=self.at(n))

    def super_(self, n: Any) -> Node:
        return Node(type="Super", range=self.at(n))

    def import_(self, n: Any) -> Node:
        return Node(type="Import", range=self.at(n))

    def meta(self, n: Any) -> Node:
        word, _, name = self.text(n).partition(".")
        start, end = n.start_byte, n.end_byte
        return Node(type="MetaProperty", range=self.at(n),
                    meta=Node(type="Identifier", range=self.at(n.children[0]), name=word.strip()),
                    property=Node(type="Identifier", range=self.span(end - len(name.strip()), end),
                                  name=name.strip())) if start < end else self.unknown(n)

    def literal(self, n: Any) -> Node:
        raw = self.text(n)
        return Node(type="Literal", range=self.at(n), raw=raw, value=None)

    def string(self, n: Any) -> Node:
        raw = self.text(n)
        return Node(type="Literal", range=self.at(n), raw=raw, value=cooked(raw[1:-1]))

    def regex(self, n: Any) -> Node:
        return Node(type="Literal", range=self.at(n), raw=self.text(n), value=None, regex=True)

    def template(self, n: Any) -> Node:
        """A template literal. Its texts are all between two substitutions, escapes included."""
        quasis: list[Node] = []
        expressions: list[Node] = []
        start = n.start_byte + 1
        for child in n.named_children:
            if child.type == "template_substitution":
                quasis.append(self.quasi(start, child.start_byte, tail=False))
                expressions.append(self.inner(child))
                start = child.end_byte
        quasis.append(self.quasi(start, n.end_byte - 1, tail=True))
        return Node(type="TemplateLiteral", range=self.at(n), quasis=quasis, expressions=expressions)

    def quasi(self, start: int, end: int, *, tail: bool) -> Node:
        raw = self.data[start:end].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        return Node(type="TemplateElement", range=self.span(start, end), tail=tail,
                    value=SimpleNamespace(raw=raw, cooked=cooked(raw)))

    def call(self, n: Any) -> Node:
        arguments = n.child_by_field_id(self.f.arguments)
        callee = self.field(n, self.f.function)
        if arguments is not None and arguments.type == "template_string":
            return Node(type="TaggedTemplateExpression", range=self.at(n), tag=callee, quasi=self.template(arguments))
        return Node(type="CallExpression", range=self.at(n), callee=callee, arguments=self.items(arguments),
                    optional=n.children[1].type == "?.")

    def new(self, n: Any) -> Node:
        return Node(type="NewExpression", range=self.at(n), callee=self.field(n, self.f.constructor),
                    arguments=self.items(n.child_by_field_id(self.f.arguments)))

    def items(self, n: Any) -> list[Any]:
        if n is None:
            return []
        kinds = self.kinds
        return [kinds.get(c.type, self.unknown)(c) for c in n.named_children if c.type not in _SKIP]

    def member(self, n: Any) -> Node:
        children = n.children
        return Node(type="MemberExpression", range=self.at(n), computed=False, object=self.convert(children[0]),
                    property=self.field(n, self.f.property), optional=children[1].type == "optional_chain")

    def subscript(self, n: Any) -> Node:
        return Node(type="MemberExpression", range=self.at(n), computed=True, object=self.field(n, self.f.object),
                    property=self.field(n, self.f.index), optional=n.children[1].type == "optional_chain")

    def binary(self, n: Any) -> Node:
        """Chains like ``a + b + c + …`` lean to the left and can be long: they are walked, not descended."""
        pending = []
        while n.type == "binary_expression":
            pending.append(n)
            n = n.child_by_field_id(self.f.left)
        left = self.convert(n)
        for one in reversed(pending):
            operator = one.child_by_field_id(self.f.operator).type
            kind = "LogicalExpression" if operator in ("||", "&&", "??") else "BinaryExpression"
            right = self.field(one, self.f.right)
            left = Node(type=kind, range=self.at(one), operator=operator, left=left, right=right)
        return left

    def unary(self, n: Any) -> Node:
        return Node(type="UnaryExpression", range=self.at(n), operator=n.child_by_field_id(self.f.operator).type,
                    argument=self.field(n, self.f.argument))

    def update(self, n: Any) -> Node:
        return Node(type="UpdateExpression", range=self.at(n), operator=n.child_by_field_id(self.f.operator).type,
                    argument=self.field(n, self.f.argument))

    def assignment(self, n: Any) -> Node:
        operator = n.child_by_field_id(self.f.operator)
        return Node(type="AssignmentExpression", range=self.at(n), left=self.field(n, self.f.left),
                    right=self.field(n, self.f.right), operator="=" if operator is None else operator.type)

    def ternary(self, n: Any) -> Node:
        return Node(type="ConditionalExpression", range=self.at(n), test=self.field(n, self.f.condition),
                    consequent=self.field(n, self.f.consequence), alternate=self.field(n, self.f.alternative))

    def await_(self, n: Any) -> Node:
        return Node(type="AwaitExpression", range=self.at(n), argument=self.inner(n))

    def yield_(self, n: Any) -> Node:
        inner = self.first(n)
        return Node(type="YieldExpression", range=self.at(n), argument=None if inner is None else self.convert(inner),
                    delegate=self.has(n, "*"))

    def sequence(self, n: Any) -> Node:
        """``a, b, c``; the grammar may nest it to the right."""
        parts: list[Any] = []
        stack = [n]
        while stack:
            one = stack.pop()
            if one.type == "sequence_expression":
                stack.extend(c for c in reversed(one.named_children) if c.type not in _SKIP)
            else:
                parts.append(self.convert(one))
        return Node(type="SequenceExpression", range=self.at(n), expressions=parts)

    def array(self, n: Any) -> Node:
        elements: list[Any] = []
        filled = False
        for child in n.children:
            kind = child.type
            if kind == ",":
                if not filled:
                    elements.append(None)
                filled = False
            elif child.is_named and kind not in _SKIP:
                elements.append(self.convert(child))
                filled = True
        return Node(type="ArrayExpression" if n.type == "array" else "ArrayPattern", range=self.at(n),
                    elements=elements)

    def object(self, n: Any) -> Node:
        return Node(type="ObjectExpression" if n.type == "object" else "ObjectPattern", range=self.at(n),
                    properties=self.items(n))

    def pair(self, n: Any) -> Node:
        key, computed = self.key(n.child_by_field_id(self.f.key))
        return Node(type="Property", range=self.at(n), kind="init", key=key, computed=computed,
                    value=self.field(n, self.f.value), method=False, shorthand=False)

    def shorthand(self, n: Any) -> Node:
        name = self.identifier(n)
        return Node(type="Property", range=self.at(n), kind="init", key=name, computed=False, value=name, method=False,
                    shorthand=True)

    def shorthand_default(self, n: Any) -> Node:
        """``{ a = 1 }`` in a pattern; its left side may be a pattern after a colon in some grammars."""
        left = n.child_by_field_id(self.f.left)
        name = self.identifier(left) if "identifier" in left.type else self.convert(left)
        value = Node(type="AssignmentPattern", range=self.at(n), left=name, right=self.field(n, self.f.right))
        return Node(type="Property", range=self.at(n), kind="init", key=name, computed=False, value=value,
                    method=False, shorthand=True)

    def default(self, n: Any) -> Node:
        return Node(type="AssignmentPattern", range=self.at(n), left=self.field(n, self.f.left),
                    right=self.field(n, self.f.right))

    def spread(self, n: Any) -> Node:
        return Node(type="SpreadElement", range=self.at(n), argument=self.inner(n))

    def rest(self, n: Any) -> Node:
        return Node(type="RestElement", range=self.at(n), argument=self.inner(n))

    # -- JSX ------------------------------------------------------------------------------------------------------

    def jsx_element(self, n: Any) -> Node:
        opening = n.child_by_field_id(self.f.open_tag)
        children = [self.convert(c) for c in n.named_children
                    if c.type not in ("jsx_opening_element", "jsx_closing_element", "jsx_text") and c.type not in _SKIP]
        return Node(type="JSXElement", range=self.at(n), openingElement=self.jsx_opening(opening),
                    children=[c for c in children if c is not None])

    def jsx_lone(self, n: Any) -> Node:
        return Node(type="JSXElement", range=self.at(n), openingElement=self.jsx_opening(n), children=[])

    def jsx_opening(self, n: Any) -> Node:
        name = n.child_by_field_id(self.f.name)
        attributes = [self.jsx_attribute(c) if c.type == "jsx_attribute" else self.convert(c)
                      for c in n.named_children if c.type in ("jsx_attribute", "jsx_expression")]
        return Node(type="JSXOpeningElement", range=self.at(n), name=None if name is None else self.jsx_name(name),
                    attributes=[a for a in attributes if a is not None])

    def jsx_name(self, n: Any) -> Node:
        if n.type == "identifier":
            return Node(type="JSXIdentifier", range=self.at(n), name=self.text(n))
        if n.type in ("member_expression", "nested_identifier"):
            return Node(type="JSXMemberExpression", range=self.at(n),
                        object=self.jsx_name(n.child_by_field_id(self.f.object)),
                        property=Node(type="JSXIdentifier", range=self.at(n.child_by_field_id(self.f.property)),
                                      name=self.text(n.child_by_field_id(self.f.property))))
        return Node(type="JSXNamespacedName", range=self.at(n))

    def jsx_attribute(self, n: Any) -> Node:
        named = [c for c in n.named_children if c.type not in _SKIP]
        value = None
        if len(named) > 1:
            if named[1].type == "string":
                raw = self.text(named[1])
                value = Node(type="Literal", range=self.at(named[1]), raw=raw, value=referenced(raw[1:-1]))
            else:
                value = self.convert(named[1])
        return Node(type="JSXAttribute", range=self.at(n), name=None, value=value)

    def jsx_expression(self, n: Any) -> Any:
        inner = self.first(n)
        if inner is None:
            return None
        if inner.type == "spread_element":
            return Node(type="JSXSpreadAttribute", range=self.at(n), argument=self.inner(inner))
        return Node(type="JSXExpressionContainer", range=self.at(n), expression=self.convert(inner))


def _alive(statement: Node) -> bool:
    """Whether a statement does something at run time."""
    if statement.type == "ExportNamedDeclaration" and statement.declaration is not None:
        statement = statement.declaration
    return bool(statement.type != "TSNames" or statement.at_run_time)


_PASSED_OVER = {
    "function_declaration", "generator_function_declaration", "class_declaration", "abstract_class_declaration",
}

_METHODS = {
    "statement_block": "block", "expression_statement": "expression_statement", "empty_statement": "nothing",
    "debugger_statement": "nothing", "lexical_declaration": "declaration", "variable_declaration": "declaration",
    "if_statement": "if_statement", "for_in_statement": "for_in", "for_statement": "for_statement",
    "while_statement": "while_statement", "do_statement": "do_statement", "with_statement": "with_statement",
    "labeled_statement": "labeled_statement", "switch_statement": "switch_statement", "try_statement": "try_statement",
    "return_statement": "leave", "throw_statement": "leave", "break_statement": "jump", "continue_statement": "jump",
    "import_statement": "import_statement", "import_alias": "import_alias", "export_statement": "export_statement",
    "interface_declaration": "type_declaration", "type_alias_declaration": "type_declaration",
    "enum_declaration": "type_declaration", "ambient_declaration": "ambient_declaration",
    "function_signature": "signature", "internal_module": "namespace", "module": "namespace",
    "function_declaration": "function", "generator_function_declaration": "function",
    "function_expression": "function", "generator_function": "function", "arrow_function": "arrow",
    "class_declaration": "class_", "abstract_class_declaration": "class_", "class": "class_",
    "class_body": "class_body", "decorator": "decorator", "method_definition": "method",
    "public_field_definition": "class_field", "class_static_block": "static_block",
    "method_signature": "nothing", "abstract_method_signature": "nothing", "index_signature": "nothing",
    "parenthesized_expression": "inner", "as_expression": "inner", "satisfies_expression": "inner",
    "non_null_expression": "inner", "instantiation_expression": "inner", "type_assertion": "assertion",
    "identifier": "identifier", "undefined": "identifier", "property_identifier": "identifier",
    "statement_identifier": "identifier", "type_identifier": "identifier",
    "shorthand_property_identifier": "shorthand", "shorthand_property_identifier_pattern": "shorthand",
    "private_property_identifier": "private", "this": "this", "super": "super_", "import": "import_",
    "meta_property": "meta", "number": "literal", "null": "literal", "true": "literal", "false": "literal",
    "string": "string", "regex": "regex", "template_string": "template", "call_expression": "call",
    "new_expression": "new", "member_expression": "member", "subscript_expression": "subscript",
    "binary_expression": "binary", "unary_expression": "unary", "update_expression": "update",
    "assignment_expression": "assignment", "augmented_assignment_expression": "assignment",
    "ternary_expression": "ternary", "await_expression": "await_", "yield_expression": "yield_",
    "sequence_expression": "sequence", "array": "array", "array_pattern": "array", "object": "object",
    "object_pattern": "object", "pair": "pair", "pair_pattern": "pair", "assignment_pattern": "default",
    "object_assignment_pattern": "shorthand_default", "spread_element": "spread", "rest_pattern": "rest",
    "nested_type_identifier": "nested_type", "nested_identifier": "nested_identifier",
    "jsx_element": "jsx_element", "jsx_self_closing_element": "jsx_lone", "jsx_expression": "jsx_expression",
    "html_character_reference": "nothing", "type_annotation": "nothing", "jsx_text": "nothing",
}

__all__ = ["Dialect", "Refused", "parse", "tree"]
