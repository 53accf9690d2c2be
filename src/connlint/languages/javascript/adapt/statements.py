"""Statements: blocks, branches, loops, exits."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.adapt.walk import Walk
from connlint.languages.javascript.estree import Node


class Statements(Walk):
    """What is executed."""

    KINDS: ClassVar[dict[str, str]] = {
        "statement_block": "block", "expression_statement": "expression_statement",
        "lexical_declaration": "declaration", "variable_declaration": "declaration", "if_statement": "if_statement",
        "for_in_statement": "for_in", "for_statement": "for_statement", "while_statement": "while_statement",
        "do_statement": "do_statement", "with_statement": "with_statement", "labeled_statement": "labeled_statement",
        "switch_statement": "switch_statement", "try_statement": "try_statement", "return_statement": "leave",
        "throw_statement": "leave", "break_statement": "jump", "continue_statement": "jump",
    }

    def block(self, n: Any) -> Node:
        return Node(type="BlockStatement", range=self.at(n), body=self.statements(n.named_children))

    def expression_statement(self, n: Any) -> Any:
        inner = self.first(n)
        if inner is None:
            return None
        if inner.type in ("internal_module", "module"):
            return self.namespace(inner)
        using = self.using(inner)
        if using is not None:
            using.range = self.at(n)
            return using
        made = Node(type="ExpressionStatement", range=self.at(n), expression=self.convert(inner))
        if inner.type == "string":
            made.directive = self.text(inner)[1:-1]
        return made

    def using(self, n: Any) -> Node | None:
        """``using x = f()``, which the grammar takes for an assignment."""
        kind = "using"
        if n.type == "await_expression":
            inner = self.first(n)
            if inner is None:
                return None
            kind, n = "await using", inner
        if n.type != "assignment_expression" or not n.children or n.children[0].type != "using":
            return None
        declarator = Node(type="VariableDeclarator", range=self.span(n.children[1].start_byte, n.end_byte),
                          id=self.field(n, self.f.left), init=self.field(n, self.f.right))
        return Node(type="VariableDeclaration", range=self.at(n), kind=kind, declarations=[declarator])

    def declaration(self, n: Any) -> Node:
        kind = "var" if n.type == "variable_declaration" else n.children[0].type
        declarations = []
        for child in n.named_children:
            if child.type == "variable_declarator":
                target = self.annotated(self.field(child, self.f.name), child)
                declarations.append(Node(type="VariableDeclarator", range=self.at(child), id=target,
                                         init=self.field(child, self.f.value)))
        return Node(type="VariableDeclaration", range=self.at(n), kind=kind, declarations=declarations)

    def if_statement(self, n: Any) -> Node:
        alternate = n.child_by_field_id(self.f.alternative)
        inner = self.first(alternate) if alternate is not None else None
        return Node(type="IfStatement", range=self.at(n), test=self.field(n, self.f.condition),
                    consequent=self.body(n, self.f.consequence), alternate=self.lone(inner))

    def body(self, n: Any, field: int) -> Any:
        return self.lone(n.child_by_field_id(field))

    def lone(self, child: Any) -> Any:
        """A statement that stands where a block may stand; None where it is broken, empty or nothing."""
        if child is None or child.id in self.broken:
            return None
        return self.convert(child)

    def for_in(self, n: Any) -> Node:
        target = self.field(n, self.f.left)
        kind = n.child_by_field_id(self.f.kind)
        if kind is not None:
            declarator = Node(type="VariableDeclarator", range=target.range, id=target, init=None)
            target = Node(type="VariableDeclaration", range=target.range, kind=kind.type, declarations=[declarator])
        operator = n.child_by_field_id(self.f.operator)
        if self.has(n, "await"):
            made = "ForAwaitStatement"
        else:
            made = "ForInStatement" if operator is not None and operator.type == "in" else "ForOfStatement"
        return Node(type=made, range=self.at(n), left=target, right=self.field(n, self.f.right),
                    body=self.body(n, self.f.body))

    def for_statement(self, n: Any) -> Node:
        return Node(type="ForStatement", range=self.at(n), init=self.clause(n, self.f.initializer),
                    test=self.clause(n, self.f.condition), update=self.clause(n, self.f.increment),
                    body=self.body(n, self.f.body))

    def clause(self, n: Any, field: int) -> Any:
        made = self.field(n, field)
        return made.expression if made is not None and made.type == "ExpressionStatement" else made

    def while_statement(self, n: Any) -> Node:
        return Node(type="WhileStatement", range=self.at(n), test=self.field(n, self.f.condition),
                    body=self.body(n, self.f.body))

    def do_statement(self, n: Any) -> Node:
        return Node(type="DoWhileStatement", range=self.at(n), test=self.field(n, self.f.condition),
                    body=self.body(n, self.f.body))

    def with_statement(self, n: Any) -> Node:
        return Node(type="WithStatement", range=self.at(n), object=self.field(n, self.f.object),
                    body=self.body(n, self.f.body))

    def labeled_statement(self, n: Any) -> Node:
        return Node(type="LabeledStatement", range=self.at(n), label=self.field(n, self.f.label),
                    body=self.body(n, self.f.body))

    def switch_statement(self, n: Any) -> Node:
        cases = []
        body = n.child_by_field_id(self.f.body)
        for case in body.named_children if body is not None else ():
            if case.type in ("switch_case", "switch_default") and case.id not in self.broken:
                test = case.child_by_field_id(self.f.value)
                consequent = self.statements(case.children_by_field_name("body"))
                cases.append(Node(type="SwitchCase", range=self.at(case), consequent=consequent,
                                  test=None if test is None else self.convert(test)))
        return Node(type="SwitchStatement", range=self.at(n), discriminant=self.field(n, self.f.value), cases=cases)

    def try_statement(self, n: Any) -> Node:
        handler, clause = None, n.child_by_field_id(self.f.handler)
        if clause is not None:
            handler = Node(type="CatchClause", range=self.at(clause), param=self.field(clause, self.f.parameter),
                           body=self.field(clause, self.f.body))
        finalizer = n.child_by_field_id(self.f.finalizer)
        return Node(type="TryStatement", range=self.at(n), block=self.field(n, self.f.body), handler=handler,
                    finalizer=None if finalizer is None else self.field(finalizer, self.f.body))

    def leave(self, n: Any) -> Node:
        inner = self.first(n)
        return Node(type="ReturnStatement" if n.type == "return_statement" else "ThrowStatement", range=self.at(n),
                    argument=None if inner is None else self.convert(inner))

    def jump(self, n: Any) -> Node:
        return Node(type="BreakStatement" if n.type == "break_statement" else "ContinueStatement", range=self.at(n),
                    label=self.field(n, self.f.label))
