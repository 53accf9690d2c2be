"""A program as text: compact, stable, the same for every language.

One line a statement, indentation for blocks, expressions with the operator first: ``(call os.getenv "HOST")``. Two
files that say the same thing in two languages have the same dump, up to names. With a `Source`, each statement and
each call is followed by where it stands, as 1-based ``@line:column-line:column``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from connlint.model import program as p
from connlint.model.source import Source, Span

INDENT = "  "


def dump(program: p.Program, source: Source | None = None) -> str:
    """``program`` as text that ends with a line feed (empty text for an empty program)."""
    return _Dump(source).program(program)


def dump_expression(expression: p.Expression, source: Source | None = None) -> str:
    """One expression as text; function bodies in it stand on lines of their own."""
    return _Dump(source).expression(expression, 0)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    whole = int(value) if value == value and abs(value) < 1e16 else None
    return str(whole) if whole is not None and whole == value else repr(value)


class _Dump:
    def __init__(self, source: Source | None) -> None:
        self.source = source

    def where(self, at: Span) -> str:
        if self.source is None:
            return ""
        spots = (f"{self.source.line(offset)}:{self.source.column(offset)}" for offset in at)
        return "@" + "-".join(spots)

    def program(self, program: p.Program) -> str:
        lines = [f"directive {_quoted(text)}" for text in program.directives]
        lines += self.block(program.body, 0)
        for comment in program.comments:
            alone = " alone" if comment.alone else ""
            lines.append(f"comment{alone} {_quoted(comment.text)}{self._tail(comment.at)}")
        for problem in program.problems:
            lines.append(f"problem {problem.kind}: {problem.message}{self._tail(problem.at)}")
        return "".join(line + "\n" for line in lines)

    def _tail(self, at: Span | None) -> str:
        return f" {self.where(at)}" if at is not None and self.source is not None else ""

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, body: Iterable[p.Statement], depth: int) -> list[str]:
        lines: list[str] = []
        for statement in body:
            writer = _STATEMENTS[type(statement)]
            head, *rest = writer(self, statement, depth)
            lines.append(INDENT * depth + head + self._tail(statement.at))
            lines += rest
        return lines

    def part(self, head: str, body: Iterable[p.Statement], depth: int) -> list[str]:
        """``head`` as a line of its own with ``body`` below it; nothing where the body is empty."""
        lines = self.block(body, depth + 1)
        return [INDENT * depth + head, *lines] if lines else []

    def evaluate(self, s: p.Evaluate, depth: int) -> list[str]:
        return ["do " + self.expression(s.value, depth)]

    def let(self, s: p.Let, depth: int) -> list[str]:
        text = f"{s.how or 'bind'} {self.expression(s.target, depth)}"
        if s.annotation is not None:
            text += f": {self.expression(s.annotation, depth)}"
        if s.value is not None:
            text += f" = {self.expression(s.value, depth)}"
        return [text]

    def define(self, s: p.Define, depth: int) -> list[str]:
        value = s.value
        alias = "" if value.name == s.name else f"{s.name} = "
        lines = [f"define {alias}{self.signature(value, depth)}"]
        return lines + self.block(value.body, depth + 1)

    def if_(self, s: p.If, depth: int) -> list[str]:
        return [
            f"if {self.expression(s.test, depth)}",
            *self.block(s.then, depth + 1),
            *self.part("else", s.otherwise, depth),
        ]

    def loop(self, s: p.Loop, depth: int) -> list[str]:
        text = "async loop" if s.is_async else "loop"
        if s.iterable is not None:
            target = "_" if s.target is None else self.expression(s.target, depth)
            text += f" {target} in {self.expression(s.iterable, depth)}"
        if s.test is not None:
            text += f" while {self.expression(s.test, depth)}"
        if s.update is not None:
            text += f" then {self.expression(s.update, depth)}"
        if s.checked_after:
            text += " checked-after"
        return [text, *self.block(s.body, depth + 1), *self.part("else", s.otherwise, depth)]

    def try_(self, s: p.Try, depth: int) -> list[str]:
        lines = ["try", *self.block(s.body, depth + 1)]
        for handler in s.handlers:
            head = "except" + self.optional(handler.types, depth)
            if handler.target is not None:
                head += f" as {self.expression(handler.target, depth)}"
            lines += [INDENT * depth + head, *self.block(handler.body, depth + 1)]
        return [*lines, *self.part("else", s.otherwise, depth), *self.part("finally", s.always, depth)]

    def with_(self, s: p.With, depth: int) -> list[str]:
        items = []
        for item in s.items:
            text = self.expression(item.value, depth)
            items.append(text if item.target is None else f"{text} as {self.expression(item.target, depth)}")
        head = "async with " if s.is_async else "with "
        return [head + ", ".join(items), *self.block(s.body, depth + 1)]

    def switch(self, s: p.Switch, depth: int) -> list[str]:
        kind = "switch" if s.falls_through else "match"
        lines = [f"{kind} {self.expression(s.subject, depth)}"]
        for case in s.cases:
            head = "default" if case.test is None else f"case {self.expression(case.test, depth + 1)}"
            if case.target is not None:
                head += f" as {self.expression(case.target, depth + 1)}"
            lines += [INDENT * (depth + 1) + head, *self.block(case.body, depth + 2)]
        return lines

    def return_(self, s: p.Return, depth: int) -> list[str]:
        return ["return" + self.optional(s.value, depth)]

    def raise_(self, s: p.Raise, depth: int) -> list[str]:
        return ["raise" + self.optional(s.value, depth)]

    def jump(self, s: p.Break | p.Continue, depth: int) -> list[str]:
        word = "break" if type(s) is p.Break else "continue"
        return [word if s.label is None else f"{word} {s.label}"]

    def braces(self, s: p.Block, depth: int) -> list[str]:
        return ["block" if s.label is None else f"block {s.label}", *self.block(s.body, depth + 1)]

    def delete(self, s: p.Delete, depth: int) -> list[str]:
        return ["delete " + ", ".join(self.expression(target, depth) for target in s.targets)]

    def outer(self, s: p.Outer, depth: int) -> list[str]:
        return [("global " if s.module else "nonlocal ") + ", ".join(s.names)]

    def import_(self, s: p.Import, depth: int) -> list[str]:
        flags = [("type", s.type_only), ("top", s.top_only), ("lazy", s.lazy)]
        head = " ".join(["import", *(word for word, on in flags if on), _quoted(s.module)])
        names = []
        for name in s.names:
            text = "type " * name.type_only + name.name
            if name.star:
                text += " as *"
            elif name.local != name.name:
                text += f" as {name.local}"
            names.append(text)
        return [f"{head} {', '.join(names)}" if names else head]

    def export(self, s: p.Export, depth: int) -> list[str]:
        text = "export type" if s.type_only else "export"
        names = []
        for name in s.names:
            local = "type " * name.type_only + name.local
            names.append(local if name.local == name.name else f"{local} as {name.name}")
        if names:
            text += " " + ", ".join(names)
        if s.source is not None:
            text += f" from {_quoted(s.source)}"
        if s.value is not None:
            text += f" = {self.expression(s.value, depth)}"
        return [text]

    def types(self, s: p.Types, depth: int) -> list[str]:
        return [("types at-run-time " if s.at_run_time else "types ") + ", ".join(s.names)]

    def unread(self, s: p.Unread, depth: int) -> list[str]:
        return [" ".join(["unread", *s.names])]

    # -- expressions ----------------------------------------------------------------------------------------------

    def optional(self, expression: p.Expression | None, depth: int) -> str:
        return "" if expression is None else " " + self.expression(expression, depth)

    def expression(self, e: Any, depth: int) -> str:
        return _EXPRESSIONS[type(e)](self, e, depth)

    def form(self, operator: str, *parts: Any, depth: int) -> str:
        return "(" + " ".join([operator, *(self.expression(part, depth) for part in parts)]) + ")"

    def call(self, e: p.Call, depth: int) -> str:
        head = ("new" if e.new else "call") + "?" * e.maybe + self.where(e.at)
        return "(" + " ".join([head, self.expression(e.callee, depth), *self.arguments(e.args, depth)]) + ")"

    def arguments(self, args: Iterable[p.Argument], depth: int) -> list[str]:
        texts = []
        for arg in args:
            text = self.expression(arg.value, depth)
            if arg.spread:
                text = "..." + text
            texts.append(text if arg.name is None else f"{arg.name}={text}")
        return texts

    def record(self, e: p.Record, depth: int) -> str:
        texts = []
        for entry in e.entries:
            value = self.expression(entry.value, depth)
            kind = "" if entry.kind == "value" else entry.kind + " "
            texts.append(f"...{value}" if entry.key is None else f"{kind}{self.expression(entry.key, depth)}: {value}")
        return "{" + ", ".join(texts) + "}"

    def sequence(self, e: p.Sequence, depth: int) -> str:
        items = [self.expression(item, depth) for item in e.items]
        return "[" + " ".join(items) + "]" if e.kind == "list" else "(" + " ".join([e.kind, *items]) + ")"

    def signature(self, value: p.Function | p.Class, depth: int) -> str:
        """Decorators, kind, name and parameters or bases."""
        words = [f"@{self.expression(decorator, depth)}" for decorator in value.decorators]
        if type(value) is p.Class:
            return " ".join([*words, "class", value.name or "", *self.arguments(value.bases, depth)]).rstrip()
        assert type(value) is p.Function
        words += ["async"] * value.is_async + ["generator"] * value.is_generator
        words.append("arrow" if value.arrow else value.kind)
        params = ", ".join(self.param(param, depth) for param in value.params)
        return " ".join([*words, f"{value.name or ''}({params})"])

    def param(self, param: p.Param, depth: int) -> str:
        marks = {"positional": "/", "either": "", "keyword": "=", "rest": "*", "keywords": "**"}
        text = marks[param.kind] + self.expression(param.target, depth)
        if param.annotation is not None:
            text += f": {self.expression(param.annotation, depth)}"
        if param.default is not None:
            text += f" = {self.expression(param.default, depth)}"
        return text

    def definition(self, e: p.Function | p.Class, depth: int) -> str:
        head = self.signature(e, depth)
        if len(e.body) == 1 and type(e.body[0]) is p.Return and e.body[0].value is not None:
            return f"({head} => {self.expression(e.body[0].value, depth)})"
        if not e.body:
            return f"({head} {{}})"
        return "\n".join([f"({head} {{", *self.block(e.body, depth + 1), INDENT * depth + "})"])

    def assign(self, e: p.Assign, depth: int) -> str:
        return self.form(f"set{e.op and ' ' + e.op}", e.target, e.value, depth=depth)

    def yield_(self, e: p.Yield, depth: int) -> str:
        return f"({'yield*' if e.delegate else 'yield'}{self.optional(e.value, depth)})"

    def member(self, e: p.Member, depth: int) -> str:
        return f"{self.expression(e.of, depth)}{'?.' if e.maybe else '.'}{e.name}"

    def index(self, e: p.Index, depth: int) -> str:
        return f"{self.expression(e.of, depth)}{'?.' * e.maybe}[{self.expression(e.key, depth)}]"


_STATEMENTS: dict[type, Callable[[_Dump, Any, int], list[str]]] = {
    p.Evaluate: _Dump.evaluate,
    p.Let: _Dump.let,
    p.Define: _Dump.define,
    p.If: _Dump.if_,
    p.Loop: _Dump.loop,
    p.Try: _Dump.try_,
    p.With: _Dump.with_,
    p.Switch: _Dump.switch,
    p.Return: _Dump.return_,
    p.Raise: _Dump.raise_,
    p.Break: _Dump.jump,
    p.Continue: _Dump.jump,
    p.Block: _Dump.braces,
    p.Delete: _Dump.delete,
    p.Outer: _Dump.outer,
    p.Import: _Dump.import_,
    p.Export: _Dump.export,
    p.Types: _Dump.types,
    p.Unread: _Dump.unread,
}

_EXPRESSIONS: dict[type, Callable[[_Dump, Any, int], str]] = {
    p.Text: lambda d, e, n: _quoted(e.value),
    p.Number: lambda d, e, n: _number(e.value),
    p.Constant: lambda d, e, n: f"<{e.value}>",
    p.Name: lambda d, e, n: e.id,
    p.Member: _Dump.member,
    p.Index: _Dump.index,
    p.Call: _Dump.call,
    p.Await: lambda d, e, n: d.form("await", e.value, depth=n),
    p.Yield: _Dump.yield_,
    p.Logical: lambda d, e, n: d.form(e.op, e.left, e.right, depth=n),
    p.Conditional: lambda d, e, n: d.form("if", e.test, e.then, e.otherwise, depth=n),
    p.Not: lambda d, e, n: d.form("not", e.value, depth=n),
    p.Compare: lambda d, e, n: d.form(e.op, e.left, e.right, depth=n),
    p.Concat: lambda d, e, n: d.form("concat", *e.parts, depth=n),
    p.Sequence: _Dump.sequence,
    p.Spread: lambda d, e, n: f"...{d.expression(e.value, n)}",
    p.Record: _Dump.record,
    p.Default: lambda d, e, n: d.form("default", e.target, e.value, depth=n),
    p.Function: _Dump.definition,
    p.Class: _Dump.definition,
    p.Assign: _Dump.assign,
    p.Opaque: lambda d, e, n: d.form(f"opaque {_quoted(e.why)}", *e.parts, depth=n),
}
