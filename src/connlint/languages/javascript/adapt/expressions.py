"""Expressions, literals and patterns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

from connlint.languages.javascript.adapt.walk import SKIP, Walk
from connlint.languages.javascript.estree import Node
from connlint.languages.javascript.literals import cooked


class Expressions(Walk):
    """What is evaluated."""

    KINDS: ClassVar[dict[str, str]] = {
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
    }

    def inner(self, n: Any) -> Any:
        """Parentheses, casts and assertions: what they stand around."""
        child = self.first(n)
        return self.unknown(n) if child is None else self.convert(child)

    def assertion(self, n: Any) -> Any:
        """The old cast ``<T>x``: the value stands last."""
        return self.convert(n.named_children[-1])

    def identifier(self, n: Any) -> Node:
        start, end = n.byte_range
        return Node(type="Identifier", range=self.at(n), name=self.data[start:end].decode("utf-8", "replace"))

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
        return [kinds.get(c.type, self.unknown)(c) for c in n.named_children if c.type not in SKIP]

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
                stack.extend(c for c in reversed(one.named_children) if c.type not in SKIP)
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
            elif child.is_named and kind not in SKIP:
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
