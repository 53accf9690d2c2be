"""Lowering of the statements in Python's own trees."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from connlint.languages.python.abstract.expressions import BINARY
from connlint.languages.python.abstract.patterns import Patterns
from connlint.languages.python.descent import MAX_DEPTH, TooDeep
from connlint.languages.python.shapes import defined, raised
from connlint.model import program as p
from connlint.model.source import Span

Body = tuple[p.Statement, ...]


class Statements(Patterns):
    """Turns Python's statements into connlint's. ``in_class`` says that what is defined next is a member of a class."""

    __slots__ = ("in_class",)

    def __init__(self, text: str, starts: list[int]) -> None:
        super().__init__(text, starts)
        self.in_class = False

    def statements(self, nodes: Sequence[Any]) -> list[p.Statement]:
        """Statements in a row; raises where one is unknown here."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep
        out: list[p.Statement] = []
        for node in nodes:
            _LOWERINGS[type(node)](self, node, out)
        self.depth -= 1
        return out

    def suite(self, nodes: Sequence[Any]) -> Body:
        """A block."""
        return tuple(self.statements(nodes)) if nodes else ()

    # -- small statements -----------------------------------------------------------------------------------------

    def expr(self, node: Any, out: list[p.Statement]) -> None:
        value = self.expression(node.value)
        out.append(p.Evaluate(value, value.at))

    def pass_(self, node: Any, out: list[p.Statement]) -> None:
        pass

    def assign(self, node: Any, out: list[p.Statement]) -> None:
        targets = [self.expression(target) for target in node.targets]
        value = self.expression(node.value)
        at = self.at(node)
        out += [p.Let(target, value, at) for target in targets]

    def annotated(self, node: Any, out: list[p.Statement]) -> None:
        target, annotation = self.expression(node.target), self.expression(node.annotation)
        value = None if node.value is None else self.expression(node.value)
        out.append(p.Let(target, value, self.at(node), annotation=annotation))

    def augmented(self, node: Any, out: list[p.Statement]) -> None:
        at = self.at(node)
        target, value = self.expression(node.target), self.expression(node.value)
        out.append(p.Evaluate(p.Assign(target, value, at, BINARY[type(node.op)]), at))

    def return_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Return(None if node.value is None else self.expression(node.value), self.at(node)))

    def raise_(self, node: Any, out: list[p.Statement]) -> None:
        at = self.at(node)
        value = None if node.exc is None else self.expression(node.exc)
        if node.cause is not None:
            value = raised(value, self.expression(node.cause), at[1])
        out.append(p.Raise(value, at))

    def assert_(self, node: Any, out: list[p.Statement]) -> None:
        at = self.at(node)
        test = self.expression(node.test)
        message = None if node.msg is None else self.expression(node.msg)
        out.append(p.If(p.Not(test, test.at), (p.Raise(message, at),), (), at))

    def break_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Break(None, self.at(node)))

    def continue_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Continue(None, self.at(node)))

    def delete(self, node: Any, out: list[p.Statement]) -> None:
        targets = [self.expression(target) for target in node.targets]
        if len(targets) == 1 and type(targets[0]) is p.Sequence:
            targets = list(targets[0].items)
        out.append(p.Delete(tuple(targets), self.at(node)))

    def outer(self, node: Any, out: list[p.Statement]) -> None:
        pos = self.start(node) + len(type(node).__name__)
        for name in node.names:
            pos = self.name_at(name, pos)[1]
            pos = self.token(pos)
            pos += self.text[pos] == ","
        out.append(p.Outer(tuple(node.names), type(node) is ast.Global, self.at(node)))

    # -- imports --------------------------------------------------------------------------------------------------

    def import_(self, node: Any, out: list[p.Statement]) -> None:
        self.behind("import", self.start(node))
        for alias in node.names:
            module = alias.name
            at, module_at = self._alias(alias)
            local, top_only = alias.asname, False
            if local is None:
                local, top_only = module.split(".", 1)[0], "." in module
            whole = self.at(node) if len(node.names) == 1 else at
            name = p.ImportedName("*", local, at)
            out.append(p.Import(module, (name,), whole, module_at, top_only=top_only))

    def _alias(self, node: Any) -> tuple[Span, Span]:
        """The spans of ``x as y`` and of its ``x``."""
        at = self.at(node)
        name_at = self.name_at(node.name, at[0])
        if node.asname is not None:
            self.name_at(node.asname, self.behind("as", name_at[1]))
        return at, name_at

    def import_from(self, node: Any, out: list[p.Statement]) -> None:
        at = self.at(node)
        module = "." * node.level + (node.module or "")
        module_at = self.name_at(module, self.behind("from", at[0]))
        names = tuple([
            p.ImportedName("*", None, self.at(alias), star=True) if alias.name == "*"
            else p.ImportedName(alias.name, alias.asname or alias.name, self._alias(alias)[0])
            for alias in node.names
        ])
        out.append(p.Import(module, names, at, module_at))

    # -- definitions ----------------------------------------------------------------------------------------------

    def _from_decorators(self, node: Any) -> int:
        """Where a definition starts, with its decorators."""
        if node.decorator_list:
            return self.text.rindex("@", 0, self.start(node.decorator_list[0]))
        return self.start(node)

    def function_(self, node: Any, out: list[p.Statement]) -> None:
        start, end = self.at(node)
        decorators = tuple([self.expression(decorator) for decorator in node.decorator_list])
        is_async = type(node) is ast.AsyncFunctionDef
        name = node.name
        name_at = self.name_at(name, self.behind("def", self.behind("async", start) if is_async else start))
        params = self.parameters(node.args)
        at = (self._from_decorators(node), end)
        out.append(defined(self, name, params, node.body, decorators, name_at, is_async, lambda: at))

    def class_(self, node: Any, out: list[p.Statement]) -> None:
        start, end = self.at(node)
        decorators = tuple([self.expression(decorator) for decorator in node.decorator_list])
        name_at = self.name_at(node.name, self.behind("class", start))
        bases = self.arguments((*node.bases, *node.keywords))
        outside, self.in_class = self.in_class, True
        body = self.suite(node.body)
        self.in_class = outside
        at = (self._from_decorators(node), end)
        out.append(p.Define(node.name, p.Class(node.name, bases, body, at, decorators, name_at), at))

    # -- control flow ---------------------------------------------------------------------------------------------

    def if_(self, node: Any, out: list[p.Statement]) -> None:
        end = self.end(node)
        arms = []
        while True:
            start = self.start(node)
            arms.append((start, self.expression(node.test), self.suite(node.body)))
            below = node.orelse[0] if len(node.orelse) == 1 else None
            if type(below) is not ast.If or not self.text.startswith("elif", self.start(below)):
                break
            node = below
        otherwise = self.suite(node.orelse)
        if len(arms) > MAX_DEPTH:
            raise TooDeep
        for start, test, body in reversed(arms):
            otherwise = (p.If(test, body, otherwise, (start, end)),)
        out += otherwise

    def while_(self, node: Any, out: list[p.Statement]) -> None:
        test = self.expression(node.test)
        body = self.suite(node.body)
        out.append(p.Loop(body, self.at(node), test=test, otherwise=self.suite(node.orelse)))

    def for_(self, node: Any, out: list[p.Statement]) -> None:
        target, iterable = self.expression(node.target), self.expression(node.iter)
        body = self.suite(node.body)
        otherwise = self.suite(node.orelse)
        is_async = type(node) is ast.AsyncFor
        at = self.at(node)
        out.append(p.Loop(body, at, target=target, iterable=iterable, otherwise=otherwise, is_async=is_async))

    def try_(self, node: Any, out: list[p.Statement]) -> None:
        body = self.suite(node.body)
        handlers = tuple([self._handler(handler) for handler in node.handlers])
        otherwise = self.suite(node.orelse)
        out.append(p.Try(body, handlers, otherwise, self.suite(node.finalbody), self.at(node)))

    def _handler(self, node: Any) -> p.Handler:
        types = target = None
        if node.type is not None:
            types = self.expression(node.type)
        if node.name is not None:
            named = self.name_at(node.name, self.behind("as", self.all_closed(self.end(node.type))))
            target = p.Name(node.name, named)
        return p.Handler(types, target, self.suite(node.body), self.at(node))

    def with_(self, node: Any, out: list[p.Statement]) -> None:
        start, end = self.at(node)
        is_async = type(node) is ast.AsyncWith
        pos = self.behind("with", self.behind("async", start) if is_async else start)
        if self._has_parentheses(node.items, pos):
            pos = self.behind("(", pos)
        items = []
        for item in node.items:
            at, pos = self.around(item.context_expr, pos)
            value = self.expression(item.context_expr)
            target = None
            if item.optional_vars is not None:
                _, pos = self.around(item.optional_vars, self.behind("as", pos))
                target = self.expression(item.optional_vars)
            items.append(p.WithItem(value, target, (at, pos)))
            pos = self.token(pos)
            pos += self.text[pos] == ","
        out.append(p.With(tuple(items), self.suite(node.body), (start, end), is_async))

    def _has_parentheses(self, items: list[Any], at: int) -> bool:
        """Whether all ``items`` stand in parentheses of the statement, which start behind ``at``."""
        first = items[0].context_expr
        opened = self.opened(at, self.start(first))
        if not opened:
            return False
        end = self.closed(self.end(first), opened)
        if end is None:
            return True
        # those of a single item belong to the statement, if it may stand in them without its own
        return self.text[self.token(end)] == ":" and type(first) not in (ast.NamedExpr, ast.Yield, ast.YieldFrom)

    def match(self, node: Any, out: list[p.Statement]) -> None:
        subject = self.expression(node.subject)
        cases = tuple([self._case(case) for case in node.cases])
        out.append(p.Switch(subject, cases, self.at(node), falls_through=False))

    def _case(self, node: Any) -> p.Case:
        start = self.text.rindex("case", 0, self.start(node.pattern))
        outside, self.bound = self.bound, []
        test = self.pattern(node.pattern)
        bound, self.bound = self.bound, outside
        if node.guard is not None:
            guard = self.expression(node.guard)
            parts = (guard,) if test is None else (test, guard)
            test = p.Opaque("guard", parts, (parts[0].at[0], self.all_closed(self.end(node.guard))))
        body = self.suite(node.body)
        end = self.end(node.body[-1])
        if self.text.startswith(";", last := self.token(end)):
            end = last + 1
        target: p.Expression | None = None
        if len(bound) == 1:
            target = bound[0]
        elif bound:
            target = p.Sequence("tuple", tuple(bound), (bound[0].at[0], bound[-1].at[1]))
        return p.Case(test, body, (start, end), target)


_LOWERINGS: dict[type, Callable[[Any, Any, list[p.Statement]], None]] = {
    ast.Expr: Statements.expr,
    ast.Pass: Statements.pass_,
    ast.Assign: Statements.assign,
    ast.AnnAssign: Statements.annotated,
    ast.AugAssign: Statements.augmented,
    ast.Return: Statements.return_,
    ast.Raise: Statements.raise_,
    ast.Assert: Statements.assert_,
    ast.Break: Statements.break_,
    ast.Continue: Statements.continue_,
    ast.Delete: Statements.delete,
    ast.Global: Statements.outer,
    ast.Nonlocal: Statements.outer,
    ast.Import: Statements.import_,
    ast.ImportFrom: Statements.import_from,
    ast.FunctionDef: Statements.function_,
    ast.AsyncFunctionDef: Statements.function_,
    ast.ClassDef: Statements.class_,
    ast.If: Statements.if_,
    ast.While: Statements.while_,
    ast.For: Statements.for_,
    ast.AsyncFor: Statements.for_,
    ast.Try: Statements.try_,
    ast.TryStar: Statements.try_,
    ast.With: Statements.with_,
    ast.AsyncWith: Statements.with_,
    ast.Match: Statements.match,
}
