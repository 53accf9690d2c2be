"""CPython's own parser as a second opinion on what the Python reader reads."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.model.source import Source

Fact = tuple[str, Any, Any]
"""Kind of node, where it stands in bytes, and what it says (a name or a value)."""

# Nodes of both trees that must stand at the same places.
_SAME = {
    "Call": "Call", "Await": "Await", "Yield": "Yield", "YieldFrom": "Yield", "IfExp": "Conditional",
    "NamedExpr": "Assign", "AugAssign": "Assign", "List": "list", "Set": "set", "Dict": "Record", "Subscript": "Index",
    "If": "If", "For": "Loop", "AsyncFor": "Loop", "While": "Loop", "With": "With", "AsyncWith": "With", "Try": "Try",
    "TryStar": "Try", "ExceptHandler": "Handler", "Return": "Return", "Raise": "Raise", "Match": "Switch",
    "ImportFrom": "Import", "Delete": "Delete", "Lambda": "Lambda", "AnnAssign": "Let",
}  # fmt: skip
_CONSTANTS = {None: "null", True: "true", False: "false"}
# What the lowered language leaves out.
_LEFT_OUT = ("returns", "type_params", "cause")


def disagreements(source: Source, program: p.Program) -> list[str]:
    """What CPython sees and the program does not hold at the same place, and the other way round.

    The inside of f-strings is passed over: CPython tells its places only since 3.12.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source.text)
    theirs = _Theirs(source)
    theirs.walk(tree)
    ours = Counter(_ours(program.body, theirs.hidden, set()))
    return sorted(f"missing {fact}" for fact in theirs.facts - ours) + sorted(
        f"not there {fact}" for fact in ours - theirs.facts
    )


class _Theirs:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.utf8 = source.text.encode()
        self.starts = [0] + [m.end() for m in re.finditer(rb"\r\n|\n|\r", self.utf8)]
        self.facts: Counter[Fact] = Counter()
        self.hidden: list[p.Span] = []

    def span(self, node: Any) -> p.Span:
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        if len(self.utf8) + self.source.bom == len(self.source.data):
            return start + self.source.bom, end + self.source.bom
        return tuple(self.source.char_to_byte(len(self.utf8[:at].decode())) for at in (start, end))  # type: ignore[return-value]

    def add(self, kind: str, at: Any, value: Any = None) -> None:
        self.facts[kind, at, value] += 1

    def walk(self, node: ast.AST) -> None:
        name = type(node).__name__
        if name == "JoinedStr":
            self.hidden.append(self.span(node))
            return
        if name in _SAME:
            self.add(_SAME[name], self.span(node))
        elif name == "Name":
            self.add("Name", self.span(node), node.id)
        elif name == "arg":
            start = self.span(node)[0]
            self.add("Name", (start, start + len(node.arg.encode())), node.arg)
        elif name == "Attribute":
            self.add("Member", self.span(node), node.attr)
        elif name in ("Constant", "MatchSingleton"):
            self.constant(node, node.value)
        elif name in ("FunctionDef", "AsyncFunctionDef", "ClassDef"):
            self.add("Define", self.span(node)[1], node.name)
        elif name == "Assign":
            for _ in node.targets:
                self.add("Let", self.span(node))
        elif name == "Import":
            for alias in node.names if len(node.names) > 1 else [node]:
                self.add("Import", self.span(alias))
        elif name == "Assert":
            self.add("If", self.span(node))
            self.add("Raise", self.span(node))
        elif name == "UnaryOp" and type(getattr(node.operand, "value", None)) in (int, float):
            if isinstance(node.op, (ast.USub, ast.UAdd)):
                value = node.operand.value
                self.add("Number", self.span(node), -value if isinstance(node.op, ast.USub) else value)
                return
        if name == "Raise" and node.cause is not None:
            self.hidden.append(self.span(node.cause))
        for field, value in ast.iter_fields(node):
            if field not in _LEFT_OUT:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.walk(child)

    def constant(self, node: ast.AST, value: Any) -> None:
        at = self.span(node)
        if isinstance(value, bytes):
            self.add("Text", at, value.decode("latin-1"))
        elif isinstance(value, str):
            self.add("Text", at, value)
        elif value is None or isinstance(value, bool):
            self.add("Constant", at, _CONSTANTS[value])
        elif isinstance(value, (int, float)):
            self.add("Number", at, value)


def _ours(nodes: Any, hidden: list[p.Span], seen: set[int]) -> Iterator[Fact]:
    for node in nodes:
        if id(node) in seen:
            continue
        seen.add(id(node))
        kind, at = type(node).__name__, getattr(node, "at", None)
        children = list(p.children(node))
        if at is not None and any(start <= at[0] and at[1] <= end for start, end in hidden):
            continue
        if kind == "Name":
            yield kind, at, node.id
        elif kind == "Member":
            yield kind, at, node.name
        elif kind in ("Text", "Number", "Constant"):
            yield kind, at, node.value
        elif kind == "Define":
            yield kind, at[1], node.name
        elif kind == "Function" and node.kind == "inline":
            children = [*node.params, *_inside(node.body)]
        elif kind == "Function" and node.name is None:
            yield "Lambda", at, None
            children = [*node.params, node.body[0].value]
        elif kind in ("Handler", "Case"):
            # CPython keeps these names as text, without a place.
            children = [child for child in children if child is not node.target]
            if kind == "Handler":
                yield kind, at, None
        elif kind == "Sequence" and node.kind != "tuple":
            yield node.kind, at, None
        elif kind in _SAME.values():
            yield kind, at, None
        yield from _ours(children, hidden, seen)


def _inside(body: Any) -> Iterator[Any]:
    """The expressions of a comprehension, whose statements and key-value pair stand in no file."""
    for statement in body:
        if type(statement) is p.If:
            yield statement.test
            yield from _inside(statement.then)
        elif type(statement.value) is p.Record and statement.value.entries[0].at == statement.value.at:
            yield from statement.value.entries
        else:
            yield statement.value
