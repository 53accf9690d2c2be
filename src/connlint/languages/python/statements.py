"""Lowering of Python's statements.

``assert x, y`` is ``if not x: raise y``. Methods that are properties, setters, static or ``__init__`` are told apart by
the decorators of the language itself. ``match`` is a `Switch` whose tests are the patterns: a value stands for itself,
anything more is `Opaque`; a pattern that takes everything is the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.python.expressions import MAX_DEPTH, Expressions, TooDeep
from connlint.model import program as p

_AUGMENTED = {
    "AddAssign": "+",
    "SubtractAssign": "-",
    "MultiplyAssign": "*",
    "MatrixMultiplyAssign": "@",
    "DivideAssign": "/",
    "ModuloAssign": "%",
    "BitAndAssign": "&",
    "BitOrAssign": "|",
    "BitXorAssign": "^",
    "LeftShiftAssign": "<<",
    "RightShiftAssign": ">>",
    "PowerAssign": "**",
    "FloorDivideAssign": "//",
}
_METHOD_KINDS: dict[str, Any] = {
    "property": "get",
    "cached_property": "get",
    "staticmethod": "static",
    "setter": "set",
}

Body = tuple[p.Statement, ...]


class Lowering(Expressions):
    """Turns libcst's statements into connlint's, while it walks over their text."""

    __slots__ = ("bound", "in_class")

    def __init__(self, text: str, table: dict[type, Callable[..., Any]], is_view: bool = False) -> None:
        super().__init__(text, table, is_view)
        self.in_class = False
        self.bound: list[p.Name] = []

    def statements(self, nodes: Any) -> list[p.Statement]:
        """Statements in a row, from wherever the cursor stands."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        out: list[p.Statement] = []
        table, text = self.table, self.text
        for node in nodes:
            small = getattr(node, "body", None) if type(node).__name__ == "SimpleStatementLine" else None
            if small is None:
                table[type(node)](self, node, out)  # type: ignore[call-arg]
                continue
            for part in small:
                table[type(part)](self, part, out)  # type: ignore[call-arg]
                if text[self.pos] not in "\r\n":
                    self.maybe(";")
        self.depth -= 1
        return out

    def suite(self, node: Any) -> Body:
        """The block behind a colon."""
        self.take(":")
        if type(node).__name__ == "IndentedBlock":
            return tuple(self.statements(node.body))
        out: list[p.Statement] = []
        for part in node.body:
            self.table[type(part)](self, part, out)  # type: ignore[call-arg]
            self.maybe(";")
        return tuple(out)

    # -- small statements -----------------------------------------------------------------------------------------

    def expr(self, node: Any, out: list[p.Statement]) -> None:
        value = self.expression(node.value)
        out.append(p.Evaluate(value, value.at))

    def pass_(self, node: Any, out: list[p.Statement]) -> None:
        self.take("pass")

    def assign(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        targets = []
        for target in node.targets:
            targets.append(self.expression(target.target))
            self.take("=")
        value = self.expression(node.value)
        at = (start, self.pos)
        out += [p.Let(target, value, at) for target in targets]

    def annotated(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        target = self.expression(node.target)
        self.take(":")
        annotation = self.expression(node.annotation.annotation)
        value = None
        if node.value is not None:
            self.take("=")
            value = self.expression(node.value)
        out.append(p.Let(target, value, (start, self.pos), annotation=annotation))

    def augmented(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        target = self.expression(node.target)
        operator = _AUGMENTED[type(node.operator).__name__]
        self.take(operator + "=")
        value = self.expression(node.value)
        at = (start, self.pos)
        out.append(p.Evaluate(p.Assign(target, value, at, operator), at))

    def return_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("return")
        value = None if node.value is None else self.expression(node.value)
        out.append(p.Return(value, (start, self.pos)))

    def raise_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("raise")
        value = None if node.exc is None else self.expression(node.exc)
        if node.cause is not None:
            self.take("from")
            cause = self.expression(node.cause.item)
            if type(cause) not in (p.Name, p.Constant):
                value = p.Opaque("raise from", (value, cause), (value.at[0], self.pos))  # type: ignore[union-attr, arg-type]
        out.append(p.Raise(value, (start, self.pos)))

    def assert_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("assert")
        test = self.expression(node.test)
        message = None
        if node.msg is not None:
            self.take(",")
            message = self.expression(node.msg)
        at = (start, self.pos)
        out.append(p.If(p.Not(test, test.at), (p.Raise(message, at),), (), at))

    def break_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Break(None, (self.take("break"), self.pos)))

    def continue_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Continue(None, (self.take("continue"), self.pos)))

    def delete(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("del")
        target = self.expression(node.target)
        targets = target.items if type(target) is p.Sequence else (target,)
        out.append(p.Delete(targets, (start, self.pos)))

    def global_(self, node: Any, out: list[p.Statement]) -> None:
        self._outer("global", node, out)

    def nonlocal_(self, node: Any, out: list[p.Statement]) -> None:
        self._outer("nonlocal", node, out)

    def _outer(self, word: str, node: Any, out: list[p.Statement]) -> None:
        start = self.take(word)
        names = []
        for item in node.names:
            names.append(item.name.value)
            self.take(item.name.value)
            end = self.pos
            self.maybe(",")
        out.append(p.Outer(tuple(names), word == "global", (start, end)))

    def type_alias(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("type")
        self.take(node.name.value)
        self.type_parameters(node.type_parameters)
        self.take("=")
        self.expression(node.value)
        out.append(p.Types((node.name.value,), (start, self.pos), at_run_time=True))

    # -- imports --------------------------------------------------------------------------------------------------

    def import_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        lazy = self.maybe("lazy")
        self.take("import")
        for alias in node.names:
            at = self.peek()
            module = self._dotted(alias.name)
            module_at = (at, self.pos)
            local, top_only = module.split(".", 1)[0], "." in module
            if alias.asname is not None:
                self.take("as")
                local, top_only = alias.asname.name.value, False
                self.take(local)
            alias_at = (at, self.pos)
            whole = (start, self.pos) if len(node.names) == 1 else alias_at
            name = p.ImportedName("*", local, alias_at)
            out.append(p.Import(module, (name,), whole, module_at, top_only=top_only, lazy=lazy))
            self.maybe(",")

    def import_from(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        lazy = self.maybe("lazy")
        self.take("from")
        at = self.peek()
        for _ in node.relative:
            self.take(".")
        module = "." * len(node.relative)
        if node.module is not None:
            module += self._dotted(node.module)
        module_at = (at, self.pos)
        self.take("import")
        if node.lpar is not None:
            self.take("(")
        names = []
        if not isinstance(node.names, (list, tuple)):
            names.append(p.ImportedName("*", None, (self.take("*"), self.pos), star=True))
        else:
            for alias in node.names:
                name = alias.name.value
                at = self.take(name)
                local = name
                if alias.asname is not None:
                    self.take("as")
                    local = alias.asname.name.value
                    self.take(local)
                names.append(p.ImportedName(name, local, (at, self.pos)))
                self.maybe(",")
        if node.rpar is not None:
            self.take(")")
        out.append(p.Import(module, tuple(names), (start, self.pos), module_at, lazy=lazy))

    def _dotted(self, node: Any) -> str:
        """Step over a dotted name; return it without white space."""
        parts = []
        below = node
        while type(below).__name__ == "Attribute":
            parts.append(below.attr.value)
            below = below.value
        parts.append(below.value)
        parts.reverse()
        self.take(parts[0])
        for part in parts[1:]:
            self.take(".")
            self.take(part)
        return ".".join(parts)

    # -- definitions ----------------------------------------------------------------------------------------------

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
        kind: Any = _method_kind(name, decorators) if self.in_class else "function"
        outside = (self.in_class, self.yields)
        self.in_class = self.yields = False
        body = self.suite(node.body)
        generator = self.yields
        self.in_class, self.yields = outside
        at = (start, self.pos)
        function = p.Function(
            name,
            params,
            body,
            at,
            is_async=is_async,
            is_generator=generator,
            decorators=decorators,
            kind=kind,
            name_at=name_at,
        )
        out.append(p.Define(name, function, at))

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

    # -- control flow ---------------------------------------------------------------------------------------------

    def if_(self, node: Any, out: list[p.Statement]) -> None:
        arms = []
        otherwise: Body = ()
        start = self.take("if")
        while True:
            test = self.expression(node.test)
            arms.append((start, test, self.suite(node.body)))
            below = node.orelse
            if below is None:
                break
            if type(below).__name__ == "Else":
                otherwise = self._else(below)
                break
            node = below
            start = self.take("elif")
        if len(arms) > MAX_DEPTH:
            raise TooDeep
        end = self.pos
        for start, test, body in reversed(arms):
            statement = p.If(test, body, otherwise, (start, end))
            otherwise = (statement,)
        out.append(statement)

    def _else(self, node: Any) -> Body:
        if node is None:
            return ()
        self.take("else")
        return self.suite(node.body)

    def while_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("while")
        test = self.expression(node.test)
        body = self.suite(node.body)
        otherwise = self._else(node.orelse)
        out.append(p.Loop(body, (start, self.pos), test=test, otherwise=otherwise))

    def for_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        is_async = node.asynchronous is not None
        if is_async:
            self.take("async")
        self.take("for")
        target = self.expression(node.target)
        self.take("in")
        iterable = self.expression(node.iter)
        body = self.suite(node.body)
        otherwise = self._else(node.orelse)
        at = (start, self.pos)
        out.append(p.Loop(body, at, target=target, iterable=iterable, otherwise=otherwise, is_async=is_async))

    def try_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("try")
        body = self.suite(node.body)
        handlers = tuple(self._handler(handler) for handler in node.handlers)
        otherwise = self._else(node.orelse)
        always: Body = ()
        if node.finalbody is not None:
            self.take("finally")
            always = self.suite(node.finalbody.body)
        out.append(p.Try(body, handlers, otherwise, always, (start, self.pos)))

    def _handler(self, node: Any) -> p.Handler:
        start = self.take("except")
        self.maybe("*")
        types = target = None
        if node.type is not None:
            types = self.expression(node.type)
        if node.name is not None:
            self.take("as")
            target = self.expression(node.name.name)
        body = self.suite(node.body)
        return p.Handler(types, target, body, (start, self.pos))

    def with_(self, node: Any, out: list[p.Statement]) -> None:
        start = self.peek()
        is_async = node.asynchronous is not None
        if is_async:
            self.take("async")
        self.take("with")
        in_parentheses = type(node.lpar).__name__ == "LeftParen"
        if in_parentheses:
            self.take("(")
        items = []
        for item in node.items:
            at = self.peek()
            value = self.expression(item.item)
            target = None
            if item.asname is not None:
                self.take("as")
                target = self.expression(item.asname.name)
            items.append(p.WithItem(value, target, (at, self.pos)))
            self.maybe(",")
        if in_parentheses:
            self.take(")")
        body = self.suite(node.body)
        out.append(p.With(tuple(items), body, (start, self.pos), is_async))

    # -- match ----------------------------------------------------------------------------------------------------

    def match(self, node: Any, out: list[p.Statement]) -> None:
        start = self.take("match")
        subject = self.expression(node.subject)
        self.take(":")
        cases = []
        for case in node.cases:
            at = self.take("case")
            outside, self.bound = self.bound, []
            test = self.pattern(case.pattern)
            if case.guard is not None:
                self.take("if")
                guard = self.expression(case.guard)
                parts = (guard,) if test is None else (test, guard)
                test = p.Opaque("guard", parts, (parts[0].at[0], self.pos))
            bound, self.bound = self.bound, outside
            body = self.suite(case.body)
            target: p.Expression | None = None
            if len(bound) == 1:
                target = bound[0]
            elif bound:
                target = p.Sequence("tuple", tuple(bound), (bound[0].at[0], bound[-1].at[1]))
            cases.append(p.Case(test, body, (at, self.pos), target))
        out.append(p.Switch(subject, tuple(cases), (start, self.pos), falls_through=False))

    def pattern(self, node: Any) -> Any:
        """Lower a pattern; None if it takes everything. Names that it binds go to ``bound``."""
        kind = type(node).__name__
        if kind in ("MatchValue", "MatchSingleton"):
            return self.expression(node.value)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        own = kind in ("MatchTuple",)
        opened = self.peek()
        for _ in node.lpar:
            opened = self.take("(")
        result = _PATTERNS[kind](self, node)
        for place, _ in enumerate(node.lpar):
            self.take(")")
            if own and place == 0:
                result.at = (opened, self.pos)
        self.depth -= 1
        return result

    def _bind(self, node: Any) -> None:
        if node is None:
            self.take("_")
        else:
            self.bound.append(self.name(node))

    def as_pattern(self, node: Any) -> Any:
        if node.pattern is None:
            self._bind(node.name)
            return None
        test = self.pattern(node.pattern)
        self.take("as")
        self._bind(node.name)
        return test

    def or_pattern(self, node: Any) -> Any:
        start = self.peek()
        tests = []
        for place, element in enumerate(node.patterns):
            if place:
                self.take("|")
            tests.append(self.pattern(element.pattern))
        if None in tests:
            return None
        return p.Opaque("alternatives", tuple(tests), (start, self.pos))

    def list_pattern(self, node: Any) -> Any:
        start = self.peek()
        brackets = node.lbracket is not None
        if brackets:
            self.take("[")
        parts = self._subpatterns(node.patterns)
        if brackets:
            self.take("]")
        return p.Opaque("sequence pattern", parts, (start, self.pos))

    def tuple_pattern(self, node: Any) -> Any:
        start = self.peek()
        parts = self._subpatterns(node.patterns)
        return p.Opaque("sequence pattern", parts, (start, self.pos))

    def _subpatterns(self, elements: Any) -> tuple[Any, ...]:
        parts = []
        for element in elements:
            if type(element).__name__ == "MatchStar":
                self.take("*")
                self._bind(element.name)
            else:
                parts.append(self.pattern(element.value))
            self.maybe(",")
        return tuple(part for part in parts if part is not None)

    def mapping_pattern(self, node: Any) -> Any:
        start = self.take("{")
        parts: list[Any] = []
        for element in node.elements:
            lower = self.pattern if type(element.key).__name__.startswith("Match") else self.expression
            parts.append(lower(element.key))
            self.take(":")
            parts.append(self.pattern(element.pattern))
            self.maybe(",")
        if node.rest is not None:
            self.take("**")
            self._bind(node.rest)
            self.maybe(",")
        self.take("}")
        return p.Opaque("mapping pattern", tuple(part for part in parts if part is not None), (start, self.pos))

    def class_pattern(self, node: Any) -> Any:
        start = self.peek()
        parts: list[Any] = [self.expression(node.cls)]
        self.take("(")
        parts += self._subpatterns(node.patterns)
        for element in node.kwds:
            self.take(element.key.value)
            self.take("=")
            parts.append(self.pattern(element.pattern))
            self.maybe(",")
        self.take(")")
        return p.Opaque("class pattern", tuple(part for part in parts if part is not None), (start, self.pos))


def _method_kind(name: str, decorators: tuple[p.Expression, ...]) -> str:
    for decorator in decorators:
        word = decorator.id if type(decorator) is p.Name else decorator.name if type(decorator) is p.Member else ""
        if word in _METHOD_KINDS:
            return str(_METHOD_KINDS[word])
    return "constructor" if name == "__init__" else "method"


_PATTERNS: dict[str, Callable[[Lowering, Any], Any]] = {
    "MatchAs": Lowering.as_pattern,
    "MatchOr": Lowering.or_pattern,
    "MatchList": Lowering.list_pattern,
    "MatchTuple": Lowering.tuple_pattern,
    "MatchMapping": Lowering.mapping_pattern,
    "MatchClass": Lowering.class_pattern,
}

_LOWERINGS: dict[str, Callable[..., Any]] = {
    # expressions
    "Name": Expressions.name,
    "Integer": Expressions.number,
    "Float": Expressions.number,
    "Imaginary": Expressions.number,
    "Ellipsis": Expressions.ellipsis,
    "SimpleString": Expressions.string,
    "FormattedString": Expressions.formatted,
    "ConcatenatedString": Expressions.concatenated,
    "TemplatedString": Expressions.template,
    "Attribute": Expressions.attribute,
    "Subscript": Expressions.subscript,
    "Call": Expressions.call,
    "StarredElement": Expressions.starred,
    "UnaryOperation": Expressions.unary,
    "BinaryOperation": Expressions.binary,
    "BooleanOperation": Expressions.boolean,
    "Comparison": Expressions.comparison,
    "IfExp": Expressions.conditional,
    "NamedExpr": Expressions.walrus,
    "Await": Expressions.await_,
    "Yield": Expressions.yield_,
    "Lambda": Expressions.lambda_,
    "Tuple": Expressions.tuple_,
    "List": Expressions.list_,
    "Set": Expressions.set_,
    "Dict": Expressions.dict_,
    "ListComp": Expressions.list_comprehension,
    "SetComp": Expressions.set_comprehension,
    "GeneratorExp": Expressions.generator,
    "DictComp": Expressions.dict_comprehension,
    # statements
    "Expr": Lowering.expr,
    "Pass": Lowering.pass_,
    "Assign": Lowering.assign,
    "AnnAssign": Lowering.annotated,
    "AugAssign": Lowering.augmented,
    "Return": Lowering.return_,
    "Raise": Lowering.raise_,
    "Assert": Lowering.assert_,
    "Break": Lowering.break_,
    "Continue": Lowering.continue_,
    "Del": Lowering.delete,
    "Global": Lowering.global_,
    "Nonlocal": Lowering.nonlocal_,
    "TypeAlias": Lowering.type_alias,
    "Import": Lowering.import_,
    "LazyImport": Lowering.import_,
    "ImportFrom": Lowering.import_from,
    "LazyImportFrom": Lowering.import_from,
    "FunctionDef": Lowering.function_,
    "ClassDef": Lowering.class_,
    "If": Lowering.if_,
    "While": Lowering.while_,
    "For": Lowering.for_,
    "Try": Lowering.try_,
    "TryStar": Lowering.try_,
    "With": Lowering.with_,
    "Match": Lowering.match,
}


def lowerings(nodes: Any) -> dict[type, Callable[..., Any]]:
    """How each type of node in the namespace ``nodes`` is lowered; libcst has more of them with each version."""
    return {getattr(nodes, name): how for name, how in _LOWERINGS.items() if hasattr(nodes, name)}
