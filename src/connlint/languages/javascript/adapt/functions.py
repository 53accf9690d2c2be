"""Functions, parameters, classes."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.adapt.walk import SKIP, Walk
from connlint.languages.javascript.estree import Node


class Functions(Walk):
    """What can be called."""

    KINDS: ClassVar[dict[str, str]] = {
        "function_declaration": "function", "generator_function_declaration": "function",
        "function_expression": "function", "generator_function": "function", "arrow_function": "arrow",
        "class_declaration": "class_", "abstract_class_declaration": "class_", "class": "class_",
        "class_body": "class_body", "decorator": "decorator", "method_definition": "method",
        "public_field_definition": "class_field", "class_static_block": "static_block",
    }

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
            elif kind not in SKIP:
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
            if kind in SKIP:
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
