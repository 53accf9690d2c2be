"""Lowering of Python's expressions. Each method steps over exactly the tokens of its node, see `Cursor`.

Positions leave the parentheses around an expression out, except those of a tuple or a generator, which belong to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.python.cursor import Cursor
from connlint.languages.python.literals import cooked, number_value, string_value
from connlint.model import program as p

MAX_DEPTH = 200
"""Nodes that may stand inside one another; beyond, what walks over programs would exceed Python's recursion limit."""

_CONSTANTS = {"None": "null", "True": "true", "False": "false"}
_COMPARISONS = {
    "LessThan": ("<", "<"),
    "GreaterThan": (">", ">"),
    "Equal": ("==", "=="),
    "LessThanEqual": ("<=", "<="),
    "GreaterThanEqual": (">=", ">="),
    "NotEqual": ("!=", "!="),
    "In": ("in", "in"),
    "NotIn": ("not in", "not in"),
    "Is": ("is", "=="),
    "IsNot": ("is not", "!="),
}
_BINARY = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulo": "%",
    "Power": "**",
    "LeftShift": "<<",
    "RightShift": ">>",
    "BitOr": "|",
    "BitAnd": "&",
    "BitXor": "^",
    "MatrixMultiply": "@",
}
_UNARY = {"Plus": "+", "Minus": "-", "BitInvert": "~", "Not": "not"}


class TooDeep(Exception):
    """More nodes inside one another than `MAX_DEPTH`."""


class Expressions(Cursor):
    """Turns libcst's expressions into connlint's, while it walks over their text."""

    __slots__ = ("depth", "table", "yields")

    def __init__(self, text: str, table: dict[type, Callable[[Any, Any], Any]], is_view: bool = False) -> None:
        super().__init__(text, is_view)
        self.table = table
        self.depth = 0
        self.yields = False

    def expression(self, node: Any) -> Any:
        """Lower one expression with the parentheses around it."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        if node.lpar:
            result = self._in_parentheses(node)
        else:
            result = self.table[type(node)](self, node)
        self.depth -= 1
        return result

    def _in_parentheses(self, node: Any) -> Any:
        start = 0
        for _ in node.lpar:
            start = self.take("(")
        result = self.table[type(node)](self, node)
        self.take(")")
        if type(node).__name__ in ("Tuple", "GeneratorExp"):
            result.at = (start, self.pos)
        for _ in node.lpar[1:]:
            self.take(")")
        return result

    # -- atoms ----------------------------------------------------------------------------------------------------

    def name(self, node: Any) -> Any:
        value = node.value
        at = (self.take(value), self.pos)
        if value in _CONSTANTS:
            return p.Constant(_CONSTANTS[value], at)  # type: ignore[arg-type]
        return p.Name(value, at)

    def number(self, node: Any) -> Any:
        start = self.take(node.value)
        value = number_value(node.value)
        at = (start, self.pos)
        return p.Opaque("number", (), at) if value is None else p.Number(value, at)

    def ellipsis(self, node: Any) -> Any:
        return p.Opaque("ellipsis", (), (self.take("..."), self.pos))

    # -- strings --------------------------------------------------------------------------------------------------

    def string(self, node: Any) -> Any:
        start = self.take(node.value)
        return p.Text(string_value(node.value), (start, self.pos))

    def formatted(self, node: Any) -> Any:
        start = self.peek()
        return _joined(self._formatted_parts(node), (start, self.pos))

    def _formatted_parts(self, node: Any) -> list[Any]:
        self.take(node.start)
        prefix = node.start.rstrip("\"'").lower()
        parts = self._pieces(node.parts, prefix)
        self.exactly(node.end)
        return parts

    def _pieces(self, pieces: Any, prefix: str) -> list[Any]:
        parts: list[Any] = []
        for piece in pieces:
            start = self.pos
            if type(piece).__name__.endswith("Text"):
                self.exactly(piece.value)
                text = cooked(piece.value, prefix).replace("{{", "{").replace("}}", "}")
                parts.append(p.Text(text, (start, self.pos)))
                continue
            self.exactly("{")
            value = self.expression(piece.expression)
            if piece.equal is not None:
                self.take("=")
                self.peek()
                parts.append(p.Text(self.written(start + 1, self.pos), (start + 1, self.pos)))
            more: list[Any] = []
            changed = piece.equal is not None and piece.format_spec is None
            if piece.conversion is not None:
                self.take("!")
                self.take(piece.conversion)
                changed = piece.conversion != "s"
            if piece.format_spec is not None:
                self.take(":")
                more = [part for part in self._pieces(piece.format_spec, prefix) if type(part) is not p.Text]
                changed = changed or bool(piece.format_spec)
                self.exactly("}")
            else:
                self.take("}")
            parts.append(p.Opaque("format", (value, *more), (start, self.pos)) if changed else value)
        return parts

    def concatenated(self, node: Any) -> Any:
        start = self.peek()
        parts: list[Any] = []
        todo = [node]
        opaque = False
        while todo:
            piece = todo.pop()
            kind = type(piece).__name__
            if kind == "ConcatenatedString" and (piece is node or not piece.lpar):
                todo += (piece.right, piece.left)
            elif kind == "SimpleString":
                parts.append(self.string(piece))
            elif kind == "FormattedString":
                parts += self._formatted_parts(piece)
            else:
                opaque = True
                parts.append(self.expression(piece))
        at = (start, self.pos)
        return p.Opaque("template string", tuple(parts), at) if opaque else _joined(parts, at)

    def template(self, node: Any) -> Any:
        start = self.peek()
        holes = [part for part in self._formatted_parts(node) if type(part) is not p.Text]
        return p.Opaque("template string", tuple(holes), (start, self.pos))

    # -- access and calls -----------------------------------------------------------------------------------------

    def attribute(self, node: Any) -> Any:
        start = self.peek()
        of = self.expression(node.value)
        self.take(".")
        name = node.attr.value
        at = self.take(name)
        return p.Member(of, name, (start, self.pos), (at, self.pos))

    def subscript(self, node: Any) -> Any:
        start = self.peek()
        of = self.expression(node.value)
        self.take("[")
        inside = self.peek()
        keys = []
        comma = False
        for element in node.slice:
            keys.append(self._slice(element.slice))
            end = self.pos
            comma = self.maybe(",")
        self.take("]")
        key = keys[0] if len(keys) == 1 and not comma else p.Sequence("tuple", tuple(keys), (inside, end))
        return p.Index(of, key, (start, self.pos))

    def call(self, node: Any) -> Any:
        start = self.peek()
        callee = self.expression(node.func)
        self.take("(")
        args = self.arguments(node.args)
        self.take(")")
        return p.Call(callee, args, (start, self.pos))

    def arguments(self, nodes: Any) -> tuple[p.Argument, ...]:
        """Arguments of a call or a class, with the commas between them."""
        args = []
        for node in nodes:
            name = None
            star = node.star
            if star:
                self.take(star)
            elif node.keyword is not None:
                name = node.keyword.value
                self.take(name)
                self.take("=")
            args.append(p.Argument(self.expression(node.value), name, bool(star)))
            self.maybe(",")
        return tuple(args)

    def starred(self, node: Any) -> Any:
        start = self.take("*")
        value = self.expression(node.value)
        return p.Spread(value, (start, self.pos))

    # -- operators ------------------------------------------------------------------------------------------------

    def unary(self, node: Any) -> Any:
        operator = _UNARY[type(node.operator).__name__]
        start = self.take(operator)
        value = self.expression(node.expression)
        at = (start, self.pos)
        if operator == "not":
            return p.Not(value, at)
        if type(value) is p.Number and operator != "~":
            return p.Number(-value.value if operator == "-" else value.value, at)
        return p.Opaque(f"unary {operator}", (value,), at)

    def binary(self, node: Any) -> Any:
        start = self.peek()
        spine, first = _spine(node)
        left = self.expression(first)
        height = 0
        for step in spine:
            operator = _BINARY[type(step.operator).__name__]
            self.take(operator)
            right = self.expression(step.right)
            left = _sum_or_opaque(operator, left, right, (start, self.pos))
            # A text of many parts is flat, everything else nests.
            height += type(left) is p.Opaque
            if height > MAX_DEPTH:
                raise TooDeep
        return left

    def boolean(self, node: Any) -> Any:
        start = self.peek()
        spine, first = _spine(node)
        left = self.expression(first)
        if len(spine) > MAX_DEPTH:
            raise TooDeep
        for step in spine:
            op = "or" if type(step.operator).__name__ == "Or" else "and"
            self.take(op)
            right = self.expression(step.right)
            left = p.Logical(op, left, right, (start, self.pos))  # type: ignore[arg-type]
        return left

    def comparison(self, node: Any) -> Any:
        start = self.peek()
        left = self.expression(node.left)
        result: Any = None
        if len(node.comparisons) > MAX_DEPTH:
            raise TooDeep
        for target in node.comparisons:
            written, op = _COMPARISONS[type(target.operator).__name__]
            if written == "!=":
                self._not_equal()
            else:
                for word in written.split():
                    self.take(word)
            right = self.expression(target.comparator)
            at = (start, self.pos)
            one = p.Compare(op, left, right, at if result is None else (left.at[0], self.pos))
            result = one if result is None else p.Logical("and", result, one, at)
            left = right
        return result

    def _not_equal(self) -> None:
        if not self.maybe("<>"):
            self.take("!=")

    def conditional(self, node: Any) -> Any:
        start = self.peek()
        then = self.expression(node.body)
        self.take("if")
        test = self.expression(node.test)
        self.take("else")
        otherwise = self.expression(node.orelse)
        return p.Conditional(test, then, otherwise, (start, self.pos))

    def walrus(self, node: Any) -> Any:
        start = self.peek()
        target = self.expression(node.target)
        self.take(":=")
        value = self.expression(node.value)
        return p.Assign(target, value, (start, self.pos))

    def await_(self, node: Any) -> Any:
        start = self.take("await")
        value = self.expression(node.expression)
        return p.Await(value, (start, self.pos))

    def yield_(self, node: Any) -> Any:
        self.yields = True
        start = self.take("yield")
        value = node.value
        if value is None:
            return p.Yield(None, (start, self.pos))
        delegate = type(value).__name__ == "From"
        if delegate:
            self.take("from")
            value = value.item
        lowered = self.expression(value)
        return p.Yield(lowered, (start, self.pos), delegate)

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

    # -- collections ----------------------------------------------------------------------------------------------

    def tuple_(self, node: Any) -> Any:
        start = self.peek()
        items = self._elements(node.elements)
        return p.Sequence("tuple", items, (start, self.pos))

    def list_(self, node: Any) -> Any:
        start = self.take("[")
        items = self._elements(node.elements)
        self.take("]")
        return p.Sequence("list", items, (start, self.pos))

    def set_(self, node: Any) -> Any:
        start = self.take("{")
        items = self._elements(node.elements)
        self.take("}")
        return p.Sequence("set", items, (start, self.pos))

    def _elements(self, nodes: Any) -> tuple[Any, ...]:
        items = []
        for node in nodes:
            items.append(self.expression(node if type(node).__name__ == "StarredElement" else node.value))
            self.maybe(",")
        return tuple(items)

    def dict_(self, node: Any) -> Any:
        start = self.take("{")
        entries = []
        for element in node.elements:
            at = self.peek()
            key = None
            if type(element).__name__ == "StarredDictElement":
                self.take("**")
            else:
                key = self.expression(element.key)
                self.take(":")
            value = self.expression(element.value)
            entries.append(p.Entry(key, value, (at, self.pos)))
            self.maybe(",")
        self.take("}")
        return p.Record(tuple(entries), (start, self.pos))

    def slice_(self, node: Any) -> Any:
        start = self.peek()
        parts = []
        if node.lower is not None:
            parts.append(self.expression(node.lower))
        self.take(":")
        if node.upper is not None:
            parts.append(self.expression(node.upper))
        if self.maybe(":") and node.step is not None:
            parts.append(self.expression(node.step))
        return p.Opaque("slice", tuple(parts), (start, self.pos))

    def _slice(self, node: Any) -> Any:
        if type(node).__name__ == "Slice":
            return self.slice_(node)
        if getattr(node, "star", None):
            start = self.take("*")
            value = self.expression(node.value)
            return p.Spread(value, (start, self.pos))
        return self.expression(node.value)

    # -- comprehensions -------------------------------------------------------------------------------------------

    def list_comprehension(self, node: Any) -> Any:
        return self._comprehension(node, "[", "]")

    def set_comprehension(self, node: Any) -> Any:
        return self._comprehension(node, "{", "}")

    def generator(self, node: Any) -> Any:
        return self._comprehension(node, "", "", "generator")

    def dict_comprehension(self, node: Any) -> Any:
        return self._comprehension(node, "{", "}")

    def _comprehension(self, node: Any, opening: str, closing: str, why: str = "comprehension") -> Any:
        start = self.take(opening) if opening else self.peek()
        if type(node).__name__ != "DictComp":
            element = self.expression(node.elt)
        else:
            first = self.peek()
            key = self.expression(node.key)
            self.take(":")
            value = self.expression(node.value)
            pair = (first, self.pos)
            element = p.Record((p.Entry(key, value, pair),), pair)
        clauses = []
        clause = node.for_in
        while clause is not None:
            if clause.asynchronous is not None:
                self.take("async")
            self.take("for")
            target = self.expression(clause.target)
            self.take("in")
            iterable = self.expression(clause.iter)
            tests = []
            for condition in clause.ifs:
                self.take("if")
                tests.append(self.expression(condition.test))
            clauses.append((target, iterable, tests, clause.asynchronous is not None))
            clause = clause.inner_for_in
        if closing:
            self.take(closing)
        at = (start, self.pos)
        body: Any = p.Return(element, element.at)
        for target, iterable, tests, is_async in reversed(clauses):
            for test in reversed(tests):
                body = p.If(test, (body,), (), (test.at[0], self.pos))
            function = p.Function(None, (p.Param(target),), (body,), at, is_async, kind="inline")
            result = p.Opaque(why, (iterable, function), at)
            body = p.Return(result, at)
        return result

    # -- parameters -----------------------------------------------------------------------------------------------

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


def _spine(node: Any) -> tuple[list[Any], Any]:
    """The operations of ``a + b + c`` from the left, and ``a``."""
    kind = type(node)
    spine = [node]
    below = node.left
    while type(below) is kind and not below.lpar:
        spine.append(below)
        below = below.left
    spine.reverse()
    return spine, below


def _sum_or_opaque(operator: str, left: Any, right: Any, at: tuple[int, int]) -> Any:
    if operator == "+":
        a, b = type(left), type(right)
        if a is p.Text or a is p.Concat or b is p.Text or b is p.Concat:
            parts = left.parts if a is p.Concat else (left,)
            return p.Concat((*parts, *(right.parts if b is p.Concat else (right,))), at)
    return p.Opaque(f"binary {operator}", (left, right), at)


def _joined(parts: list[Any], at: tuple[int, int]) -> Any:
    """One text, or a `Concat` in which no two texts stand side by side."""
    merged: list[Any] = []
    for part in parts:
        if type(part) is p.Text and merged and type(merged[-1]) is p.Text:
            merged[-1] = p.Text(merged[-1].value + part.value, (merged[-1].at[0], part.at[1]))
        else:
            merged.append(part)
    if not merged:
        return p.Text("", at)
    if len(merged) == 1 and type(merged[0]) is p.Text:
        return p.Text(merged[0].value, at)
    return p.Concat(tuple(merged), at)
