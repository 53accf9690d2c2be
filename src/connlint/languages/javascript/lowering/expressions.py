"""Expressions: names, literals, members, calls, operators, arrays, objects."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from connlint.languages.javascript.literals import number
from connlint.languages.javascript.lowering.names import hole, private
from connlint.languages.javascript.lowering.walk import DEEPEST, TooDeep, Walk
from connlint.model import program as p

_COMPARISONS = {"==": "==", "===": "==", "!=": "!=", "!==": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
                "in": "in", "instanceof": "instanceof"}
_LOGICAL: dict[str, Literal["or", "and", "nullish"]] = {"||": "or", "&&": "and", "??": "nullish"}
_ASSIGNMENTS = {"=": "", "||=": "or", "&&=": "and", "??=": "nullish"}


class Expressions(Walk):
    """What is evaluated."""

    EXPRESSIONS: ClassVar[dict[str, str]] = {
        "Identifier": "identifier", "PrivateIdentifier": "private", "ThisExpression": "this", "Super": "super_",
        "Import": "import_", "MetaProperty": "meta", "Literal": "literal", "TemplateLiteral": "template",
        "TaggedTemplateExpression": "tagged", "MemberExpression": "member", "CallExpression": "call",
        "NewExpression": "new", "ChainExpression": "chain", "BinaryExpression": "binary",
        "LogicalExpression": "binary", "ConditionalExpression": "conditional", "UnaryExpression": "unary",
        "UpdateExpression": "update", "AssignmentExpression": "assignment", "AwaitExpression": "await_",
        "YieldExpression": "yield_", "SequenceExpression": "comma", "ArrayExpression": "array",
        "SpreadElement": "spread", "ObjectExpression": "object",
    }

    def identifier(self, node: Any) -> p.Expression:
        name = node.name
        if name == "undefined":
            return p.Constant("undefined", node.range)
        if not self.functions and name in ("require", "module", "exports"):
            self.commonjs = True
        return p.Name(name, node.range)

    def private(self, node: Any) -> p.Expression:
        return p.Name(private(node.name), node.range)

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

    # -- members and calls ---------------------------------------------------------------------------------------------

    def member(self, node: Any) -> p.Expression:
        of = self.expression(node.object)
        if node.computed:
            return p.Index(of, self.expression(node.property), node.range, bool(node.optional))
        name = node.property
        text = private(name.name) if name.type == "PrivateIdentifier" else name.name
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

    # -- operators -----------------------------------------------------------------------------------------------------

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

    # -- arrays and objects --------------------------------------------------------------------------------------------

    def array(self, node: Any) -> p.Expression:
        items: list[p.Expression] = []
        for element in node.elements:
            items.append(hole(node) if element is None else self.expression(element))
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
                return p.Text(private(key.name), key.range)
        made = self.expression(key)
        if type(made) is p.Number:
            return p.Text(f"{made.value:.15g}", made.at)
        return made


def _cooked(quasi: Any) -> str:
    """The text of a template element; a tagged one may hold escapes that mean nothing."""
    value = quasi.value.cooked
    return value if isinstance(value, str) else quasi.value.raw or ""


def _parts(expression: p.Expression) -> tuple[p.Expression, ...]:
    return expression.parts if type(expression) is p.Concat else (expression,)
