"""Lowering of Python's expressions. Each method steps over exactly the tokens of its node, see `Cursor`."""

from __future__ import annotations

from typing import Any

from connlint.languages.python import shapes
from connlint.languages.python.descent import MAX_DEPTH, TooDeep
from connlint.languages.python.literals import number_value
from connlint.languages.python.strings import Strings
from connlint.model import program as p

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


class Expressions(Strings):
    """Turns libcst's expressions into connlint's, while it walks over their text."""

    __slots__ = ()

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
        return shapes.unary(operator, value, (start, self.pos))

    def binary(self, node: Any) -> Any:
        start = self.peek()
        spine, first = _spine(node)
        left = self.expression(first)
        height = 0
        for step in spine:
            operator = _BINARY[type(step.operator).__name__]
            self.take(operator)
            right = self.expression(step.right)
            left = shapes.binary(operator, left, right, (start, self.pos))
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
        return shapes.comprehension(why, element, clauses, at, self.pos)


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
