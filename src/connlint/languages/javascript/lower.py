"""ESTree → `connlint.model.program`: what JavaScript and TypeScript mean, whichever parser read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from connlint.languages.javascript.lowering import Lowering, TooDeep
from connlint.model import program as p
from connlint.model.source import Span


class Lowered(Struct):
    """What became of one ESTree ``Program``. ``esm`` and ``commonjs`` say which module syntax was met."""

    body: list[p.Statement]
    directives: list[str]
    dropped: list[tuple[str, str, Span]]
    esm: bool
    commonjs: bool


def lower(program: Any) -> Lowered:
    """Lower a ``Program`` of ESTree. What is left out is told in ``dropped``: kind, message, place."""
    work = Lowering()
    out: list[p.Statement] = []
    dropped: list[tuple[str, str, Span]] = []
    for node in program.body:
        work.level = work.functions = 0
        before = len(out)
        try:
            work.statement(node, out)
            continue
        except (TooDeep, RecursionError):
            dropped.append(("too-deep", "this statement is nested too deeply to be read", node.range))
        except Exception as error:  # reading never fails: a fault of ours costs a statement and is told
            dropped.append(("unreadable", f"this statement could not be read ({type(error).__name__})", node.range))
        del out[before:]
    return Lowered(out, _directives(program.body), dropped, work.esm, work.commonjs)


def _directives(body: Iterable[Any]) -> list[str]:
    found = []
    for node in body:
        if node.type != "ExpressionStatement" or not isinstance(node.directive, str):
            break
        found.append(node.directive)
    return found
