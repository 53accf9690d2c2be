"""Lowering of the expressions in Python's own trees."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from connlint.languages.python import shapes
from connlint.languages.python.abstract.strings import Strings
from connlint.languages.python.descent import MAX_DEPTH, TooDeep
from connlint.model import program as p
from connlint.model.source import Span

BINARY: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.MatMult: "@",
}
_UNARY: dict[type, str] = {ast.UAdd: "+", ast.USub: "-", ast.Invert: "~", ast.Not: "not"}
_COMPARISONS: dict[type, Any] = {
    ast.Lt: "<",
    ast.Gt: ">",
    ast.Eq: "==",
    ast.LtE: "<=",
    ast.GtE: ">=",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "==",
    ast.IsNot: "!=",
}


class Expressions(Strings):
    """Turns Python's expressions into connlint's."""

    __slots__ = ()

    def expression(self, node: Any) -> Any:
        """Lower one expression; raises for one that is unknown here."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        result = _LOWERINGS[type(node)](self, node)
        self.depth -= 1
        return result

    def _all(self, nodes: Any) -> tuple[Any, ...]:
        return tuple([self.expression(node) for node in nodes])

    # -- atoms ----------------------------------------------------------------------------------------------------

    def name(self, node: Any) -> Any:
        name = node.id
        at = self.at(node)
        if not self.text.startswith(name, at[0]):
            self.name_at(name, at[0])
        return p.Name(name, at)

    def constant(self, node: Any) -> Any:
        value, at = node.value, self.at(node)
        kind = type(value)
        if kind is str:
            return p.Text(value, at)
        if kind is bytes:
            return p.Text(value.decode("latin-1"), at)
        if kind is int or kind is float:
            return p.Number(value, at)
        if value is None:
            return p.Constant("null", at)
        if kind is bool:
            return p.Constant("true" if value else "false", at)
        return p.Opaque("ellipsis" if value is ... else "number", (), at)

    # -- access and calls -----------------------------------------------------------------------------------------

    def attribute(self, node: Any) -> Any:
        of = self.expression(node.value)
        name, at = node.attr, self.at(node)
        name_at = at[1] - len(name), at[1]
        if not self.text.startswith(name, name_at[0]):
            name_at = self.name_at(name, at[1] - len(name.encode()))
        return p.Member(of, name, at, name_at)

    def subscript(self, node: Any) -> Any:
        of = self.expression(node.value)
        key = node.slice
        if type(key) is not ast.Tuple or self._is_in_parentheses(key):
            return p.Index(of, self.expression(key), self.at(node))
        start, end = self.at(key)
        keys = self._all(key.elts)
        if self.text[end - 1] == ",":
            # a comma at the end belongs to the tuple, but not to what is said of it
            last = key.elts[-1]
            end = self.all_closed(self.end(last))
        return p.Index(of, p.Sequence("tuple", keys, (start, end)), self.at(node))

    def _is_in_parentheses(self, node: Any) -> bool:
        """Whether a tuple has parentheses of its own; they may be those of its first element."""
        start, end = self.at(node)
        if self.text[start] != "(" or self.text[end - 1] != ")" or not node.elts:
            return self.text[start] == "(" and not node.elts
        first = node.elts[0]
        opened = self.opened(start, self.start(first))
        return opened > 0 and self.closed(self.end(first), opened) is None

    def slice_(self, node: Any) -> Any:
        parts = [self.expression(part) for part in (node.lower, node.upper, node.step) if part is not None]
        return p.Opaque("slice", tuple(parts), self.at(node))

    def call(self, node: Any) -> Any:
        callee = self.expression(node.func)
        given = node.args
        if node.keywords:
            given = [*given, *node.keywords]
            if type(node.args[-1] if node.args else None) is ast.Starred:
                # which may stand behind keywords
                given.sort(key=self.start)
        args, at = self.arguments(given), self.at(node)
        if len(given) == 1 and type(given[0]) is ast.GeneratorExp and self.end(given[0]) == at[1]:
            # the parentheses are those of the call
            generator: Any = args[0].value
            generator.at = generator.parts[-1].at
        return p.Call(callee, args, at)

    def arguments(self, nodes: Any) -> tuple[p.Argument, ...]:
        """Arguments of a call or a class."""
        args = []
        for node in nodes:
            kind = type(node)
            if kind is ast.keyword:
                if node.arg is not None:
                    self.name_at(node.arg, self.start(node))
                args.append(p.Argument(self.expression(node.value), node.arg, node.arg is None))
            elif kind is ast.Starred:
                args.append(p.Argument(self.expression(node.value), None, True))
            else:
                args.append(p.Argument(self.expression(node), None, False))
        return tuple(args)

    def starred(self, node: Any) -> Any:
        return p.Spread(self.expression(node.value), self.at(node))

    # -- operators ------------------------------------------------------------------------------------------------

    def unary(self, node: Any) -> Any:
        return shapes.unary(_UNARY[type(node.op)], self.expression(node.operand), self.at(node))

    def binary(self, node: Any) -> Any:
        spine = [node]
        while type(spine[-1].left) is ast.BinOp:
            spine.append(spine[-1].left)
        left = self.expression(spine[-1].left)
        height = 0
        for step in reversed(spine):
            left = shapes.binary(BINARY[type(step.op)], left, self.expression(step.right), self.at(step))
            height += type(left) is p.Opaque
            if height > MAX_DEPTH:
                raise TooDeep
        return left

    def boolean(self, node: Any) -> Any:
        at = self.at(node)
        op: Any = "or" if type(node.op) is ast.Or else "and"
        if len(node.values) > MAX_DEPTH:
            raise TooDeep
        left = self.expression(node.values[0])
        last = node.values[-1]
        for value in node.values[1:]:
            right = self.expression(value)
            left = p.Logical(op, left, right, at if value is last else (at[0], self.all_closed(self.end(value))))
        return left

    def comparison(self, node: Any) -> Any:
        at = self.at(node)
        left = self.expression(node.left)
        result: Any = None
        last = node.comparators[-1]
        if len(node.comparators) > MAX_DEPTH:
            raise TooDeep
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expression(comparator)
            end = at[1] if comparator is last else self.all_closed(self.end(comparator))
            op = _COMPARISONS[type(operator)]
            if result is None:
                result = p.Compare(op, left, right, (at[0], end))
            else:
                one = p.Compare(op, left, right, (left.at[0], end))
                result = p.Logical("and", result, one, (at[0], end))
            left = right
        return result

    def conditional(self, node: Any) -> Any:
        then, test = self.expression(node.body), self.expression(node.test)
        return p.Conditional(test, then, self.expression(node.orelse), self.at(node))

    def walrus(self, node: Any) -> Any:
        return p.Assign(self.expression(node.target), self.expression(node.value), self.at(node))

    def await_(self, node: Any) -> Any:
        return p.Await(self.expression(node.value), self.at(node))

    def yield_(self, node: Any) -> Any:
        self.yields = True
        return p.Yield(None if node.value is None else self.expression(node.value), self.at(node))

    def yield_from(self, node: Any) -> Any:
        self.yields = True
        return p.Yield(self.expression(node.value), self.at(node), True)

    def lambda_(self, node: Any) -> Any:
        outside = self.yields
        params = self.parameters(node.args)
        self.yields = False
        value = self.expression(node.body)
        generator, self.yields = self.yields, outside
        return p.Function(None, params, (p.Return(value, value.at),), self.at(node), is_generator=generator)

    def parameters(self, node: Any) -> tuple[p.Param, ...]:
        """Parameters of a function or lambda."""
        params: list[p.Param] = []
        plain = [*node.posonlyargs, *node.args]
        defaults = [*[None] * (len(plain) - len(node.defaults)), *node.defaults]
        first_plain = len(node.posonlyargs)
        for place, (param, default) in enumerate(zip(plain, defaults, strict=True)):
            params.append(self._param(param, "positional" if place < first_plain else "either", default))
        if node.vararg is not None:
            params.append(self._param(node.vararg, "rest"))
        for param, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            params.append(self._param(param, "keyword", default))
        if node.kwarg is not None:
            params.append(self._param(node.kwarg, "keywords"))
        return tuple(params)

    def _param(self, node: Any, kind: Any, default: Any = None) -> p.Param:
        name = node.arg
        at = self.name_at(name, self.start(node))
        annotation = None if node.annotation is None else self.expression(node.annotation)
        value = None if default is None else self.expression(default)
        return p.Param(p.Name(name, at), value, kind, annotation)

    # -- collections ----------------------------------------------------------------------------------------------

    def tuple_(self, node: Any) -> Any:
        return p.Sequence("tuple", self._all(node.elts), self.at(node))

    def list_(self, node: Any) -> Any:
        return p.Sequence("list", self._all(node.elts), self.at(node))

    def set_(self, node: Any) -> Any:
        return p.Sequence("set", self._all(node.elts), self.at(node))

    def dict_(self, node: Any) -> Any:
        at = self.at(node)
        pos = at[0] + 1
        entries = []
        for key, value in zip(node.keys, node.values, strict=True):
            start = self.token(pos)
            lowered = None if key is None else self.expression(key)
            element = self.expression(value)
            end = self.all_closed(self.end(value))
            entries.append(p.Entry(lowered, element, (start, end)))
            pos = self.token(end)
            pos += self.text[pos] == ","
        return p.Record(tuple(entries), at)

    # -- comprehensions -------------------------------------------------------------------------------------------

    def list_comprehension(self, node: Any) -> Any:
        at = self.at(node)
        return shapes.comprehension("comprehension", self.expression(node.elt), self._clauses(node), at, at[1])

    def dict_comprehension(self, node: Any) -> Any:
        at = self.at(node)
        pair = self.token(at[0] + 1), self.all_closed(self.end(node.value))
        element = p.Record((p.Entry(self.expression(node.key), self.expression(node.value), pair),), pair)
        return shapes.comprehension("comprehension", element, self._clauses(node), at, at[1])

    def generator(self, node: Any) -> Any:
        whole = self.at(node)
        inside = self._inside(node, whole)
        result = shapes.comprehension("generator", self.expression(node.elt), self._clauses(node), inside, inside[1])
        result.at = whole
        return result

    def _inside(self, node: Any, whole: Span) -> Span:
        """What stands in the parentheses of a generator, which may be those of a call."""
        clause = node.generators[-1]
        end = self.end(clause.ifs[-1] if clause.ifs else clause.iter)
        while (further := self.behind(")", end)) < whole[1]:
            end = further
        return self.token(whole[0] + 1), end

    def _clauses(self, node: Any) -> list[tuple[Any, Any, list[Any], bool]]:
        return [
            (self.expression(clause.target), self.expression(clause.iter),
             [self.expression(test) for test in clause.ifs], bool(clause.is_async))
            for clause in node.generators
        ]


_LOWERINGS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Name: Expressions.name,
    ast.Constant: Expressions.constant,
    ast.JoinedStr: Expressions.formatted,
    ast.Attribute: Expressions.attribute,
    ast.Subscript: Expressions.subscript,
    ast.Slice: Expressions.slice_,
    ast.Call: Expressions.call,
    ast.Starred: Expressions.starred,
    ast.UnaryOp: Expressions.unary,
    ast.BinOp: Expressions.binary,
    ast.BoolOp: Expressions.boolean,
    ast.Compare: Expressions.comparison,
    ast.IfExp: Expressions.conditional,
    ast.NamedExpr: Expressions.walrus,
    ast.Await: Expressions.await_,
    ast.Yield: Expressions.yield_,
    ast.YieldFrom: Expressions.yield_from,
    ast.Lambda: Expressions.lambda_,
    ast.Tuple: Expressions.tuple_,
    ast.List: Expressions.list_,
    ast.Set: Expressions.set_,
    ast.Dict: Expressions.dict_,
    ast.ListComp: Expressions.list_comprehension,
    ast.SetComp: Expressions.list_comprehension,
    ast.GeneratorExp: Expressions.generator,
    ast.DictComp: Expressions.dict_comprehension,
}
