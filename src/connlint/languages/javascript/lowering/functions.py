"""Functions, parameters, classes."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.lowering.walk import Walk
from connlint.model import program as p
from connlint.model.source import Span


class Functions(Walk):
    """What can be called."""

    EXPRESSIONS: ClassVar[dict[str, str]] = {
        "FunctionExpression": "function", "ArrowFunctionExpression": "arrow", "ClassExpression": "class_",
    }

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
        made: list[p.Param] = []
        fields: list[p.Statement] = []
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
        target: p.Expression = p.Opaque("computed", (key,), key.at)
        if type(key) is p.Text:
            target = p.Name(key.value, key.at)
        self.functions += 1
        value = self.maybe(node.value)
        self.functions -= 1
        out.append(p.Let(target, value, node.range, "static" if node.static else "field",
                         self.maybe(node.key.annotation)))


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
