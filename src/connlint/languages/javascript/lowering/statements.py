"""Statements: declarations, branches, loops, exits."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.lowering.walk import Walk
from connlint.model import program as p


class Statements(Walk):
    """What is executed."""

    STATEMENTS: ClassVar[dict[str, str]] = {
        "ExpressionStatement": "evaluate", "EmptyStatement": "skip", "DebuggerStatement": "skip",
        "BlockStatement": "block", "VariableDeclaration": "let", "FunctionDeclaration": "define",
        "ClassDeclaration": "define", "IfStatement": "if_", "ForStatement": "for_", "ForInStatement": "for_each",
        "ForOfStatement": "for_each", "ForAwaitStatement": "for_each", "WhileStatement": "while_",
        "DoWhileStatement": "while_", "LabeledStatement": "label", "SwitchStatement": "switch",
        "TryStatement": "try_", "ReturnStatement": "return_", "ThrowStatement": "throw", "BreakStatement": "break_",
        "ContinueStatement": "continue_", "WithStatement": "with_",
    }

    def evaluate(self, node: Any, out: list[p.Statement]) -> None:
        expression = node.expression
        if expression.type == "UnaryExpression" and expression.operator == "delete":
            out.append(p.Delete((self.expression(expression.argument),), node.range))
        else:
            out.append(p.Evaluate(self.expression(expression), node.range))

    def skip(self, node: Any, out: list[p.Statement]) -> None:
        pass

    def block(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Block(self.body(node), node.range))

    def let(self, node: Any, out: list[p.Statement]) -> None:
        alone = len(node.declarations) == 1
        for one in node.declarations:
            at = node.range if alone else one.range
            annotation = one.id.annotation
            target = self.pattern(one.id)
            out.append(p.Let(target, self.maybe(one.init), at, node.kind, self.maybe(annotation)))

    def define(self, node: Any, out: list[p.Statement]) -> None:
        value = self.function(node) if node.type == "FunctionDeclaration" else self.class_(node)
        out.append(p.Define(value.name or "", value, node.range))

    def if_(self, node: Any, out: list[p.Statement]) -> None:
        test = self.expression(node.test)
        out.append(p.If(test, self.body(node.consequent), self.body(node.alternate), node.range))

    def for_(self, node: Any, out: list[p.Statement]) -> None:
        inner: list[p.Statement] = []
        if node.init is not None:
            if node.init.type == "VariableDeclaration":
                init = node.init
                init.range = init.range[0], init.declarations[-1].range[1]  # the semicolon is the loop's
                self.let(init, inner)
            else:
                inner.append(p.Evaluate(self.expression(node.init), node.init.range))
        loop = p.Loop(self.body(node.body), node.range, test=self.maybe(node.test), update=self.maybe(node.update))
        out.append(p.Block((*inner, loop), node.range) if inner else loop)

    def for_each(self, node: Any, out: list[p.Statement]) -> None:
        left = node.left
        target = self.pattern(left.declarations[0].id if left.type == "VariableDeclaration" else left)
        iterable = self.expression(node.right)
        if node.type == "ForInStatement":
            iterable = p.Opaque("keys", (iterable,), iterable.at)
        awaits = node.type == "ForAwaitStatement"
        if awaits and not self.functions:
            self.esm = True
        out.append(p.Loop(self.body(node.body), node.range, target, iterable, is_async=awaits))

    def while_(self, node: Any, out: list[p.Statement]) -> None:
        after = node.type == "DoWhileStatement"
        out.append(p.Loop(self.body(node.body), node.range, test=self.expression(node.test), checked_after=after))

    def label(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Block(self.body(node.body), node.range, node.label.name))

    def switch(self, node: Any, out: list[p.Statement]) -> None:
        subject = self.expression(node.discriminant)
        cases = []
        for case in node.cases:
            body: list[p.Statement] = []
            test = self.maybe(case.test)
            for one in case.consequent:
                self.statement(one, body)
            cases.append(p.Case(test, tuple(body), case.range))
        out.append(p.Switch(subject, tuple(cases), node.range))

    def try_(self, node: Any, out: list[p.Statement]) -> None:
        body = self.body(node.block)
        handlers: tuple[p.Handler, ...] = ()
        if node.handler is not None:
            target = None if node.handler.param is None else self.pattern(node.handler.param)
            handlers = (p.Handler(None, target, self.body(node.handler.body), node.handler.range),)
        out.append(p.Try(body, handlers, (), self.body(node.finalizer), node.range))

    def return_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Return(self.maybe(node.argument), node.range))

    def throw(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Raise(self.maybe(node.argument), node.range))

    def break_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Break(None if node.label is None else node.label.name, node.range))

    def continue_(self, node: Any, out: list[p.Statement]) -> None:
        out.append(p.Continue(None if node.label is None else node.label.name, node.range))

    def with_(self, node: Any, out: list[p.Statement]) -> None:
        """``with (x) …`` of old JavaScript: only the order of evaluation is kept."""
        subject = self.expression(node.object)
        out.append(p.Block((p.Evaluate(subject, subject.at), *self.body(node.body)), node.range))
