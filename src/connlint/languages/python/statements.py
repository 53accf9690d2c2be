"""Lowering of Python's statements.

``assert x, y`` is ``if not x: raise y``. ``match`` is a `Switch` whose tests are the patterns. The cause of ``raise x
from y`` is left out where it is a name.
"""

from __future__ import annotations

from typing import Any

from connlint.languages.python.definitions import Body
from connlint.languages.python.descent import MAX_DEPTH, TooDeep
from connlint.languages.python.patterns import Patterns
from connlint.languages.python.shapes import raised
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


class Statements(Patterns):
    """Turns libcst's statements into connlint's, while it walks over their text."""

    __slots__ = ()

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
            value = raised(value, cause, self.pos)
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
