"""ESTree → `connlint.model.program`: what JavaScript and TypeScript mean, whichever parser read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from connlint.languages.javascript.literals import number
from connlint.model import program as p
from connlint.model.source import Span

DEEPEST = 150
"""Levels of nesting that are followed. Who walks a program may recurse: Python stops at some 1000 frames."""

_COMPARISONS = {"==": "==", "===": "==", "!=": "!=", "!==": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
                "in": "in", "instanceof": "instanceof"}
_LOGICAL: dict[str, Literal["or", "and", "nullish"]] = {"||": "or", "&&": "and", "??": "nullish"}
_ASSIGNMENTS = {"=": "", "||=": "or", "&&=": "and", "??=": "nullish"}


class TooDeep(Exception):
    """A statement nests further than `DEEPEST`."""


@dataclass(slots=True)
class Lowered:
    """What became of one ESTree ``Program``. ``esm`` and ``commonjs`` say which module syntax was met."""

    body: list[p.Statement]
    directives: list[str]
    dropped: list[tuple[str, str, Span]]
    esm: bool
    commonjs: bool


def lower(program: Any) -> Lowered:
    """Lower a ``Program`` of ESTree. What is left out is told in ``dropped``: kind, message, place."""
    work = _Lowering()
    out: list[p.Statement] = []
    dropped: list[tuple[str, str, Span]] = []
    for node in program.body:
        work.level = work.functions = 0
        before = len(out)
        try:
            work.statement(node, out)
            continue
        except (TooDeep, RecursionError):
            dropped.append(("too-deep", "this statement is nested too deeply to be read", node.range))
        except Exception as error:  # reading never fails: a fault of ours costs a statement and is told
            dropped.append(("unreadable", f"this statement could not be read ({type(error).__name__})", node.range))
        del out[before:]
    return Lowered(out, _directives(program.body), dropped, work.esm, work.commonjs)


def _directives(body: Iterable[Any]) -> list[str]:
    found = []
    for node in body:
        if node.type != "ExpressionStatement" or not isinstance(node.directive, str):
            break
        found.append(node.directive)
    return found


class _Lowering:
    def __init__(self) -> None:
        self.level = 0
        self.functions = 0
        self.esm = self.commonjs = False
        self.expressions: dict[str, Callable[[Any], p.Expression]] = {
            kind: getattr(self, name) for kind, name in _EXPRESSIONS.items()
        }
        self.statements: dict[str, Callable[[Any, list[p.Statement]], None]] = {
            kind: getattr(self, name) for kind, name in _STATEMENTS.items()
        }

    # -- the way in -----------------------------------------------------------------------------------------------

    def statement(self, node: Any, out: list[p.Statement]) -> None:
        """Append what ``node`` becomes: no statement, one, or several."""
        self.level += 1
        if self.level > DEEPEST:
            raise TooDeep
        method = self.statements.get(node.type)
        if method is not None:
            method(node, out)
        else:
            out.append(p.Evaluate(self.expression(node), node.range))
        self.level -= 1

    def body(self, node: Any) -> tuple[p.Statement, ...]:
        """The statements of a block, or of the one statement in its place."""
        if node is None:
            return ()
        out: list[p.Statement] = []
        if node.type == "BlockStatement":
            for child in node.body:
                self.statement(child, out)
        else:
            self.statement(node, out)
        return tuple(out)

    def expression(self, node: Any) -> p.Expression:
        if node is None:
            return p.Opaque("missing", (), (0, 0))
        self.level += 1
        if self.level > DEEPEST:
            raise TooDeep
        made = self.expressions.get(node.type, self.other)(node)
        self.level -= 1
        return made

    def maybe(self, node: Any) -> p.Expression | None:
        return None if node is None else self.expression(node)

    def each(self, nodes: Any) -> list[p.Expression]:
        made = []
        for node in nodes:
            made.append(self.expression(node))
        return made

    def other(self, node: Any) -> p.Expression:
        """A node of an unknown type: what is evaluated in it stays."""
        return p.Opaque(node.type, tuple(self.each(node.parts or ())), node.range)

    # -- names and literals ---------------------------------------------------------------------------------------

    def identifier(self, node: Any) -> p.Expression:
        name = node.name
        if name == "undefined":
            return p.Constant("undefined", node.range)
        if not self.functions and name in ("require", "module", "exports"):
            self.commonjs = True
        return p.Name(name, node.range)

    def private(self, node: Any) -> p.Expression:
        return p.Name(_private(node.name), node.range)

    def this(self, node: Any) -> p.Expression:
        return p.Name("this", node.range)

    def super_(self, node: Any) -> p.Expression:
        return p.Name("super", node.range)

    def import_(self, node: Any) -> p.Expression:
        return p.Name("import", node.range)

    def meta(self, node: Any) -> p.Expression:
        word, name = node.meta.name, node.property
        if word == "import":
            self.esm = True
        start, end = node.range
        return p.Member(p.Name(word, (start, start + len(word))), name.name, (start, end), name.range)

    def literal(self, node: Any) -> p.Expression:
        value, raw, at = node.value, node.raw, node.range
        if node.regex:
            return p.Opaque("regex", (), at)
        if isinstance(value, str) and raw[0] in "\"'":
            return p.Text(value, at)
        if raw in ("true", "false", "null"):
            return p.Constant(raw, at)
        return p.Number(number(raw), at)

    def template(self, node: Any) -> p.Expression:
        if not node.expressions:
            return p.Text(_cooked(node.quasis[0]), node.range)
        parts: list[p.Expression] = []
        for place, quasi in enumerate(node.quasis):
            text = _cooked(quasi)
            if text:
                parts.append(p.Text(text, quasi.range))
            if place < len(node.expressions):
                parts.append(self.expression(node.expressions[place]))
        return p.Concat(tuple(parts), node.range)

    def tagged(self, node: Any) -> p.Expression:
        """A tag is called with the texts between the holes, then with the holes."""
        quasi = node.quasi
        texts = tuple(p.Text(_cooked(one), one.range) for one in quasi.quasis)
        args = [p.Argument(p.Sequence("list", texts, quasi.range))]
        args += [p.Argument(value) for value in self.each(quasi.expressions)]
        return p.Call(self.expression(node.tag), tuple(args), node.range)

    # -- members and calls ----------------------------------------------------------------------------------------

    def member(self, node: Any) -> p.Expression:
        of = self.expression(node.object)
        if node.computed:
            return p.Index(of, self.expression(node.property), node.range, bool(node.optional))
        name = node.property
        text = _private(name.name) if name.type == "PrivateIdentifier" else name.name
        return p.Member(of, text, node.range, name.range, bool(node.optional))

    def call(self, node: Any) -> p.Expression:
        callee = node.callee
        if callee.type == "MemberExpression":  # "a.b().c()…" gets long in honest code: a link counts once
            self.level -= 1
            of = self.expression(callee)
            self.level += 1
        else:
            of = self.expression(callee)
        return p.Call(of, self.arguments(node.arguments), node.range, maybe=bool(node.optional))

    def new(self, node: Any) -> p.Expression:
        return p.Call(self.expression(node.callee), self.arguments(node.arguments), node.range, new=True)

    def arguments(self, nodes: Any) -> tuple[p.Argument, ...]:
        made = []
        for node in nodes:
            if node.type == "SpreadElement":
                made.append(p.Argument(self.expression(node.argument), spread=True))
            else:
                made.append(p.Argument(self.expression(node)))
        return tuple(made)

    def chain(self, node: Any) -> p.Expression:
        return self.expression(node.expression)

    # -- operators ------------------------------------------------------------------------------------------------

    def binary(self, node: Any) -> p.Expression:
        """Chains like ``a + b + c + …`` lean to the left and can be long: they are walked, not descended."""
        pending = []
        while node.type in ("BinaryExpression", "LogicalExpression"):
            pending.append(node)
            node = node.left
        made = self.expression(node)
        depth = self.level
        for one in reversed(pending):
            made = self.operation(one, made, self.expression(one.right))
            if type(made) not in (p.Concat, p.Opaque):  # those two grow in width
                depth += 1
                if depth > DEEPEST:
                    raise TooDeep
        return made

    def operation(self, node: Any, left: p.Expression, right: p.Expression) -> p.Expression:
        operator, at = node.operator, node.range
        logical = _LOGICAL.get(operator)
        if logical is not None:
            return p.Logical(logical, left, right, at)
        comparison = _COMPARISONS.get(operator)
        if comparison is not None:
            return p.Compare(comparison, left, right, at)
        if operator == "+" and (type(left) in (p.Text, p.Concat) or type(right) in (p.Text, p.Concat)):
            return p.Concat((*_parts(left), *_parts(right)), at)
        why = f"binary {operator}"
        if type(left) is p.Opaque and left.why == why:
            return p.Opaque(why, (*left.parts, right), at)
        return p.Opaque(why, (left, right), at)

    def conditional(self, node: Any) -> p.Expression:
        return p.Conditional(self.expression(node.test), self.expression(node.consequent),
                             self.expression(node.alternate), node.range)

    def unary(self, node: Any) -> p.Expression:
        operator, at = node.operator, node.range
        value = self.expression(node.argument)
        if operator == "!":
            return p.Not(value, at)
        if operator == "-" and type(value) is p.Number:
            return p.Number(-value.value, at)
        if operator == "void" and type(value) is p.Number:
            return p.Constant("undefined", at)
        return p.Opaque(operator if operator.isalpha() else f"unary {operator}", (value,), at)

    def update(self, node: Any) -> p.Expression:
        """``i++`` adds one; that an expression may want the old value is not said."""
        one = p.Number(1.0, node.range)
        return p.Assign(self.pattern(node.argument), one, node.range, node.operator[0])

    def assignment(self, node: Any) -> p.Expression:
        operator = node.operator
        op = _ASSIGNMENTS.get(operator, operator[:-1])
        target = self.pattern(node.left)
        return p.Assign(target, self.expression(node.right), node.range, op)

    def await_(self, node: Any) -> p.Expression:
        if not self.functions:
            self.esm = True
        return p.Await(self.expression(node.argument), node.range)

    def yield_(self, node: Any) -> p.Expression:
        return p.Yield(self.maybe(node.argument), node.range, bool(node.delegate))

    def comma(self, node: Any) -> p.Expression:
        return p.Opaque("sequence", tuple(self.each(node.expressions)), node.range)

    # -- arrays and objects ---------------------------------------------------------------------------------------

    def array(self, node: Any) -> p.Expression:
        items: list[p.Expression] = []
        for element in node.elements:
            items.append(_hole(node) if element is None else self.expression(element))
        return p.Sequence("list", tuple(items), node.range)

    def spread(self, node: Any) -> p.Expression:
        return p.Spread(self.expression(node.argument), node.range)

    def object(self, node: Any) -> p.Expression:
        entries = []
        for one in node.properties:
            if one.type == "Property":
                entries.append(self.property(one))
            else:
                value = self.expression(one.argument) if one.type == "SpreadElement" else self.expression(one)
                entries.append(p.Entry(None, value, one.range))
        return p.Record(tuple(entries), node.range)

    def property(self, node: Any) -> p.Entry:
        key = self.key(node)
        kind: Literal["value", "method", "get", "set"] = "value"
        if node.kind in ("get", "set"):
            kind = node.kind
        elif node.method:
            kind = "method"
        if kind != "value":
            how: Any = kind
            return p.Entry(key, self.method(node, key, how), node.range, kind)
        value = self.pattern(node.value) if node.value.type == "AssignmentPattern" else self.expression(node.value)
        return p.Entry(key, value, node.range)

    def key(self, node: Any) -> p.Expression:
        """A property's key: `Text` where it is constant."""
        key = node.key
        if not node.computed:
            if key.type == "Identifier":
                return p.Text(key.name, key.range)
            if key.type == "PrivateIdentifier":
                return p.Text(_private(key.name), key.range)
        made = self.expression(key)
        if type(made) is p.Number:
            return p.Text(f"{made.value:.15g}", made.at)
        return made

    # -- functions and classes ------------------------------------------------------------------------------------

    def function(self, node: Any) -> p.Function:
        return self._function(node, node.id, "function", node.range)

    def arrow(self, node: Any) -> p.Function:
        return self._function(node, None, "function", node.range)

    def method(self, node: Any, key: p.Expression, kind: Any) -> p.Function:
        made = self._function(node.value, None, kind, node.range)
        made.name, made.name_at = _key_name(key), key.at
        return made

    def _function(self, node: Any, name: Any, kind: Any, at: Span) -> p.Function:
        self.functions += 1
        params, fields = self.params(node.params)
        block = node.body
        if block is None:
            body: tuple[p.Statement, ...] = ()
        elif block.type == "BlockStatement":
            body = self.body(block)
        else:
            body = (p.Return(self.expression(block), block.range),)
        self.functions -= 1
        arrow = node.type == "ArrowFunctionExpression"
        return p.Function(
            None if name is None else name.name, params, (*fields, *body), at, bool(node.isAsync),
            bool(node.generator), arrow, (), kind, None if name is None else name.range,
        )

    def params(self, nodes: Any) -> tuple[tuple[p.Param, ...], list[p.Statement]]:
        """Parameters, and the assignments that a constructor's parameter properties stand for."""
        made, fields = [], []
        for node in nodes:
            is_field = node.type == "TSParameterProperty"
            if is_field:
                node = node.parameter
            default, kind = None, "either"
            annotation = node.annotation
            if node.type == "AssignmentPattern":
                annotation = node.left.annotation
                default = self.expression(node.right)
                node = node.left
            elif node.type == "RestElement":
                kind, node = "rest", node.argument
            target = self.pattern(node)
            made.append(p.Param(target, default, kind, self.maybe(annotation)))  # type: ignore[arg-type]
            if is_field and type(target) is p.Name:
                at = target.at
                field = p.Member(p.Name("this", at), target.id, at, at)
                fields.append(p.Evaluate(p.Assign(field, p.Name(target.id, at), at), at))
        return tuple(made), fields

    def class_(self, node: Any) -> p.Class:
        bases = () if node.superClass is None else (p.Argument(self.expression(node.superClass)),)
        decorators = tuple(self.each(node.decorators or ()))
        body: list[p.Statement] = []
        for one in node.body.body if node.body is not None else ():
            self.class_element(one, body)
        name = node.id
        return p.Class(None if name is None else name.name, bases, tuple(body), node.range, decorators,
                       None if name is None else name.range)

    def class_element(self, node: Any, out: list[p.Statement]) -> None:
        kind = node.type
        if kind == "StaticBlock":
            self.functions += 1
            out.append(p.Block(self.body(node.body), node.range, "static"))
            self.functions -= 1
            return
        if kind not in ("FieldDefinition", "MethodDefinition"):
            out.append(p.Evaluate(self.expression(node), node.range))
            return
        key = self.key(node)
        decorators = tuple(self.each(node.decorators or ()))
        if kind == "MethodDefinition":
            how = "static" if node.static else node.kind or "method"
            function = self.method(node, key, how)
            function.decorators = decorators
            out.append(p.Define(function.name or "", function, node.range))
            return
        # A decorator of a field is evaluated with the class; a `Let` has no place for it.
        out.extend(p.Evaluate(decorator, decorator.at) for decorator in decorators)
        constant = type(key) is p.Text
        target = p.Name(key.value, key.at) if constant else p.Opaque("computed", (key,), key.at)
        self.functions += 1
        value = self.maybe(node.value)
        self.functions -= 1
        out.append(p.Let(target, value, node.range, "static" if node.static else "field",
                         self.maybe(node.key.annotation)))

    # -- JSX ------------------------------------------------------------------------------------------------------

    def jsx(self, node: Any) -> p.Expression:
        """An element: its component, the values of its attributes, its children. Text between tags says nothing."""
        parts: list[p.Expression] = []
        opening = node.openingElement
        component = self.component(opening.name)
        if component is not None:
            parts.append(component)
        for attribute in opening.attributes:
            value = attribute.argument if attribute.type == "JSXSpreadAttribute" else attribute.value
            self.jsx_part(value, parts)
        for child in node.children:
            self.jsx_part(child, parts)
        return p.Opaque("jsx", tuple(parts), node.range)

    def jsx_part(self, node: Any, parts: list[p.Expression]) -> None:
        if node is None or node.type in ("JSXText", "JSXEmptyExpression"):
            return
        if node.type == "JSXExpressionContainer":
            if node.expression is not None and node.expression.type != "JSXEmptyExpression":
                parts.append(self.expression(node.expression))
        elif node.type == "JSXSpreadAttribute":
            parts.append(self.expression(node.argument))
        else:
            parts.append(self.expression(node))

    def component(self, name: Any) -> p.Expression | None:
        """The value that a tag names: ``<Pool>`` and ``<pg.Pool>`` do, ``<div>`` does not."""
        if name is None or name.type == "JSXNamespacedName":
            return None
        if name.type == "JSXIdentifier":
            return p.Name(name.name, name.range) if name.name[:1].isupper() else None
        of = name.object
        owner = p.Name(of.name, of.range) if of.type == "JSXIdentifier" else self.component(of)
        if owner is None:
            return None
        return p.Member(owner, name.property.name, name.range, name.property.range)

    # -- patterns -------------------------------------------------------------------------------------------------

    def pattern(self, node: Any) -> p.Expression:
        """What is bound or assigned: names, members, destructuring."""
        kind = node.type
        if kind == "Identifier":
            if not self.functions and node.name == "exports":
                self.commonjs = True
            return p.Name(node.name, node.range)
        self.level += 1
        if self.level > DEEPEST:
            raise TooDeep
        if kind == "AssignmentPattern":
            made: p.Expression = p.Default(self.pattern(node.left), self.expression(node.right), node.range)
        elif kind in ("ArrayPattern", "ArrayExpression"):
            items: list[p.Expression] = []
            for element in node.elements:
                items.append(_hole(node) if element is None else self.pattern(element))
            made = p.Sequence("list", tuple(items), node.range)
        elif kind in ("RestElement", "SpreadElement"):
            made = p.Spread(self.pattern(node.argument), node.range)
        elif kind in ("ObjectPattern", "ObjectExpression"):
            entries = []
            for one in node.properties:
                if one.type == "Property":
                    entries.append(p.Entry(self.key(one), self.pattern(one.value), one.range))
                else:
                    entries.append(p.Entry(None, self.pattern(one.argument or one), one.range))
            made = p.Record(tuple(entries), node.range)
        else:
            made = self.expressions.get(kind, self.other)(node)
        self.level -= 1
        return made

    # -- statements -----------------------------------------------------------------------------------------------

    def evaluate(self, node: Any, out: list[p.Statement]) -> None:
        expression = node.expression
        if expression.type == "UnaryExpression" and expression.operator == "delete":
            out.append(p.Delete((self.expression(expression.argument),), node.range))
        else:
            out.append(p.Evaluate(self.expression(expression), node.range))

    def skip(self, node: Any, out: list[p.Statement]) -> None:
        pass

    def block(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Block(self.body(node), node.range))

    def let(self, node: Any, out: list[p.Statement]) -> None:
        alone = len(node.declarations) == 1
        for one in node.declarations:
            at = node.range if alone else one.range
            annotation = one.id.annotation
            target = self.pattern(one.id)
            out.append(p.Let(target, self.maybe(one.init), at, node.kind, self.maybe(annotation)))

    def define(self, node: Any, out: list[p.Statement]) -> None:
        value = self.function(node) if node.type == "FunctionDeclaration" else self.class_(node)
        out.append(p.Define(value.name or "", value, node.range))

    def if_(self, node: Any, out: list[p.Statement]) -> None:
        test = self.expression(node.test)
        out.append(p.If(test, self.body(node.consequent), self.body(node.alternate), node.range))

    def for_(self, node: Any, out: list[p.Statement]) -> None:
        inner: list[p.Statement] = []
        if node.init is not None:
            if node.init.type == "VariableDeclaration":
                init = node.init
                init.range = init.range[0], init.declarations[-1].range[1]  # the semicolon is the loop's
                self.let(init, inner)
            else:
                inner.append(p.Evaluate(self.expression(node.init), node.init.range))
        loop = p.Loop(self.body(node.body), node.range, test=self.maybe(node.test), update=self.maybe(node.update))
        out.append(p.Block((*inner, loop), node.range) if inner else loop)

    def for_each(self, node: Any, out: list[p.Statement]) -> None:
        left = node.left
        target = self.pattern(left.declarations[0].id if left.type == "VariableDeclaration" else left)
        iterable = self.expression(node.right)
        if node.type == "ForInStatement":
            iterable = p.Opaque("keys", (iterable,), iterable.at)
        awaits = node.type == "ForAwaitStatement"
        if awaits and not self.functions:
            self.esm = True
        out.append(p.Loop(self.body(node.body), node.range, target, iterable, is_async=awaits))

    def while_(self, node: Any, out: list[p.Statement]) -> None:
        after = node.type == "DoWhileStatement"
        out.append(p.Loop(self.body(node.body), node.range, test=self.expression(node.test), checked_after=after))

    def label(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Block(self.body(node.body), node.range, node.label.name))

    def switch(self, node: Any, out: list[p.Statement]) -> None:
        subject = self.expression(node.discriminant)
        cases = []
        for case in node.cases:
            body: list[p.Statement] = []
            test = self.maybe(case.test)
            for one in case.consequent:
                self.statement(one, body)
            cases.append(p.Case(test, tuple(body), case.range))
        out.append(p.Switch(subject, tuple(cases), node.range))

    def try_(self, node: Any, out: list[p.Statement]) -> None:
        body = self.body(node.block)
        handlers: tuple[p.Handler, ...] = ()
        if node.handler is not None:
            target = None if node.handler.param is None else self.pattern(node.handler.param)
            handlers = (p.Handler(None, target, self.body(node.handler.body), node.handler.range),)
        out.append(p.Try(body, handlers, (), self.body(node.finalizer), node.range))

    def return_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Return(self.maybe(node.argument), node.range))

    def throw(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Raise(self.maybe(node.argument), node.range))

    def break_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Break(None if node.label is None else node.label.name, node.range))

    def continue_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Continue(None if node.label is None else node.label.name, node.range))

    def with_(self, node: Any, out: list[p.Statement]) -> None:
        """``with (x) …`` of old JavaScript: only the order of evaluation is kept."""
        subject = self.expression(node.object)
        out.append(p.Block((p.Evaluate(subject, subject.at), *self.body(node.body)), node.range))

    # -- modules --------------------------------------------------------------------------------------------------

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
            names = [(name, types) for made in out[before:] for name, types in _declared(made)]
            exported = tuple(p.ExportedName(name, name, node.range, types) for name, types in names)
            if exported:
                out.append(p.Export(exported, node.range))
            return
        names = []
        for one in node.specifiers:
            local, name = _module_name(one.local), _module_name(one.exported or one.local)
            names.append(p.ExportedName(local, name, one.range, one.exportKind == "type" or node.exportKind == "type"))
        source = node.source
        out.append(p.Export(tuple(names), node.range, None if source is None else source.value,
                            None if source is None else source.range, type_only=node.exportKind == "type"))

    def export_all(self, node: Any, out: list[p.Statement]) -> None:
        self.esm = True
        name = "*" if node.exported is None else _module_name(node.exported)
        types = node.exportKind == "type"
        at = node.range if node.exported is None else node.exported.range
        out.append(p.Export((p.ExportedName("*", name, at, types),), node.range, node.source.value, node.source.range,
                            type_only=types))

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

    # -- TypeScript -----------------------------------------------------------------------------------------------

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


def _private(name: str) -> str:
    return name if name.startswith("#") else "#" + name


def _cooked(quasi: Any) -> str:
    """The text of a template element; a tagged one may hold escapes that mean nothing."""
    value = quasi.value.cooked
    return value if isinstance(value, str) else quasi.value.raw or ""


def _parts(expression: p.Expression) -> tuple[p.Expression, ...]:
    return expression.parts if type(expression) is p.Concat else (expression,)


def _hole(node: Any) -> p.Expression:
    return p.Opaque("hole", (), (node.range[0], node.range[0]))


def _key_name(key: p.Expression) -> str:
    """A method's name: its key, or ``[Symbol.asyncDispose]`` where it is computed."""
    if type(key) is p.Text:
        return key.value
    names = []
    while type(key) is p.Member:
        names.append(key.name)
        key = key.of
    if type(key) is p.Name:
        names.append(key.id)
    return f"[{'.'.join(reversed(names))}]"


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


_EXPRESSIONS = {
    "Identifier": "identifier", "PrivateIdentifier": "private", "ThisExpression": "this", "Super": "super_",
    "Import": "import_", "MetaProperty": "meta", "Literal": "literal", "TemplateLiteral": "template",
    "TaggedTemplateExpression": "tagged", "MemberExpression": "member", "CallExpression": "call",
    "NewExpression": "new", "ChainExpression": "chain", "BinaryExpression": "binary", "LogicalExpression": "binary",
    "ConditionalExpression": "conditional", "UnaryExpression": "unary", "UpdateExpression": "update",
    "AssignmentExpression": "assignment", "AwaitExpression": "await_", "YieldExpression": "yield_",
    "SequenceExpression": "comma", "ArrayExpression": "array", "SpreadElement": "spread",
    "ObjectExpression": "object", "FunctionExpression": "function", "ArrowFunctionExpression": "arrow",
    "ClassExpression": "class_", "JSXElement": "jsx", "ArrayPattern": "pattern", "ObjectPattern": "pattern",
    "AssignmentPattern": "pattern", "RestElement": "pattern",
}

_STATEMENTS = {
    "ExpressionStatement": "evaluate", "EmptyStatement": "skip", "DebuggerStatement": "skip",
    "BlockStatement": "block", "VariableDeclaration": "let", "FunctionDeclaration": "define",
    "ClassDeclaration": "define", "IfStatement": "if_", "ForStatement": "for_", "ForInStatement": "for_each",
    "ForOfStatement": "for_each", "ForAwaitStatement": "for_each", "WhileStatement": "while_",
    "DoWhileStatement": "while_", "LabeledStatement": "label", "SwitchStatement": "switch", "TryStatement": "try_",
    "ReturnStatement": "return_", "ThrowStatement": "throw", "BreakStatement": "break_",
    "ContinueStatement": "continue_", "WithStatement": "with_", "ImportDeclaration": "import_declaration",
    "ExportNamedDeclaration": "export_named", "ExportAllDeclaration": "export_all",
    "ExportDefaultDeclaration": "export_default", "TSNames": "names", "TSImportEquals": "import_equals",
    "TSExportAssignment": "export_assignment", "Unread": "unread",
}
