"""Lowering of what Python defines: functions, lambdas, classes, and their parameters.

Methods that are properties, setters, static or ``__init__`` are told apart by the decorators of the language itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.python.expressions import Expressions
from connlint.languages.python.shapes import defined
from connlint.model import program as p

Body = tuple[p.Statement, ...]


class Definitions(Expressions):
    """``in_class`` says that what is defined next is a member of a class."""

    __slots__ = ("in_class",)

    def __init__(self, text: str, table: dict[type, Callable[..., Any]], is_view: bool = False) -> None:
        super().__init__(text, table, is_view)
        self.in_class = False

    def suite(self, node: Any) -> Body:
        """The block behind a colon; statements are lowered elsewhere."""
        raise NotImplementedError

    def _decorators(self, node: Any) -> tuple[p.Expression, ...]:
        decorators = []
        for decorator in node.decorators:
            self.take("@")
            decorators.append(self.expression(decorator.decorator))
        return tuple(decorators)

    def function_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        decorators = self._decorators(node)
        is_async = node.asynchronous is not None
        if is_async:
            self.take("async")
        self.take("def")
        name = node.name.value
        name_at = (self.take(name), self.pos)
        self.type_parameters(node.type_parameters)
        self.take("(")
        params = self.parameters(node.params)
        self.take(")")
        if node.returns is not None:
            self.take("->")
            self.expression(node.returns.annotation)
        out.append(defined(self, name, params, node.body, decorators, name_at, is_async, lambda: (start, self.pos)))

    def class_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        decorators = self._decorators(node)
        self.take("class")
        name = node.name.value
        name_at = (self.take(name), self.pos)
        self.type_parameters(node.type_parameters)
        bases: tuple[p.Argument, ...] = ()
        if self.maybe("("):
            bases = self.arguments((*node.bases, *node.keywords))
            self.take(")")
        outside, self.in_class = self.in_class, True
        body = self.suite(node.body)
        self.in_class = outside
        at = (start, self.pos)
        out.append(p.Define(name, p.Class(name, bases, body, at, decorators, name_at), at))

    def type_parameters(self, node: Any) -> None:
        """Step over ``[T: bound = default, *Ts, **P]``; no name of it exists at run time."""
        if node is None:
            return
        self.take("[")
        for param in node.params:
            inner = param.param
            if not self.maybe("**"):
                self.maybe("*")
            self.take(inner.name.value)
            bound = getattr(inner, "bound", None)
            if bound is not None:
                self.take(":")
                self.expression(bound)
            if param.default is not None:
                self.take("=")
                self.maybe("*")
                self.expression(param.default)
            self.maybe(",")
        self.take("]")

    def lambda_(self, node: Any) -> Any:
        start = self.take("lambda")
        outside = self.yields
        params = self.parameters(node.params)
        self.take(":")
        self.yields = False
        value = self.expression(node.body)
        generator, self.yields = self.yields, outside
        body = (p.Return(value, value.at),)
        return p.Function(None, params, body, (start, self.pos), is_generator=generator)

    def parameters(self, node: Any) -> tuple[p.Param, ...]:
        """Parameters of a function or lambda, without the parentheses."""
        params: list[p.Param] = []
        for param in node.posonly_params:
            params.append(self._param(param, "positional"))
        if node.posonly_params:
            self.take("/")
            self.maybe(",")
        for param in node.params:
            params.append(self._param(param, "either"))
        star = type(node.star_arg).__name__
        if star == "Param":
            self.take("*")
            params.append(self._param(node.star_arg, "rest"))
        elif star == "ParamStar":
            self.take("*")
            self.maybe(",")
        for param in node.kwonly_params:
            params.append(self._param(param, "keyword"))
        if node.star_kwarg is not None:
            self.take("**")
            params.append(self._param(node.star_kwarg, "keywords"))
        return tuple(params)

    def _param(self, node: Any, kind: Any) -> p.Param:
        target = self.name(node.name)
        annotation = default = None
        if node.annotation is not None:
            self.take(":")
            annotation = self.expression(node.annotation.annotation)
        if node.default is not None:
            self.take("=")
            default = self.expression(node.default)
        self.maybe(",")
        return p.Param(target, default, kind, annotation)
