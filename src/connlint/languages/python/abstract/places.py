"""Where the nodes of Python's own trees stand in the text of the file."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from typing import Any

from connlint.languages.python.cursor import TRIVIA, OutOfStep
from connlint.model.source import Span
from connlint.patterns import regex

_LINE_END = regex(r"\r\n|\n|\r")


def tree_of(text: str, mode: str = "exec") -> Any:
    """Python's tree of ``text``; raises what the compiler raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode=mode)


def line_starts(text: str, parts: Iterable[Span]) -> list[int]:
    """Where the lines of a tree start in ``text`` if ``parts`` of it were parsed as one text; lines count from 1."""
    starts = [0]
    for start, end in parts:
        starts.append(start)
        if text.find("\r", start, end) < 0:
            at = text.find("\n", start, end) + 1
            while 0 < at < end:
                starts.append(at)
                at = text.find("\n", at, end) + 1
        else:
            starts += [found.end() for found in _LINE_END.finditer(text, start, end) if found.end() < end]
    return starts


class Places:
    """A text whose characters are the bytes of the file (see `Cursor`), and where the lines of the tree start in it."""

    __slots__ = ("starts", "text")

    def __init__(self, text: str, starts: list[int]) -> None:
        self.text = text
        self.starts = starts

    def at(self, node: Any) -> Span:
        """The span of a node, without parentheses around it, except those of a tuple or a generator."""
        starts = self.starts
        return starts[node.lineno] + node.col_offset, starts[node.end_lineno] + node.end_col_offset

    def start(self, node: Any) -> int:
        """Where a node starts."""
        return self.starts[node.lineno] + int(node.col_offset)

    def end(self, node: Any) -> int:
        """Where a node ends."""
        return self.starts[node.end_lineno] + int(node.end_col_offset)

    def token(self, at: int) -> int:
        """Where the first token at or behind ``at`` starts."""
        return TRIVIA.match(self.text, at).end()  # type: ignore[union-attr]

    def behind(self, token: str, at: int) -> int:
        """Where ``token`` ends, which must be the next one at or behind ``at``."""
        start = self.token(at)
        if not self.text.startswith(token, start):
            raise OutOfStep(f"{token!r} at {start}")
        return start + len(token)

    def opened(self, at: int, end: int) -> int:
        """How many parentheses are opened from ``at`` to ``end``, between which nothing else stands."""
        count, at = 0, self.token(at)
        while at < end:
            at = self.token(self.behind("(", at))
            count += 1
        return count

    def closed(self, at: int, count: int) -> int | None:
        """The end of ``count`` closing parentheses that follow ``at``; None where there are fewer."""
        for _ in range(count):
            at = self.token(at)
            if not self.text.startswith(")", at):
                return None
            at += 1
        return at

    def all_closed(self, at: int) -> int:
        """The end of all closing parentheses that follow ``at``."""
        while self.text.startswith(")", place := self.token(at)):
            at = place + 1
        return at

    def around(self, node: Any, at: int) -> Span:
        """Where a node starts and ends with the parentheses around it, of which the first starts at or behind
        ``at``."""
        start = self.token(at)
        end = self.closed(self.end(node), self.opened(start, self.start(node)))
        if end is None:
            raise OutOfStep(f"parentheses at {start}")
        return start, end

    def written(self, start: int, end: int) -> str:
        """The text between two places, as it is meant."""
        text = self.text[start:end]
        return text if text.isascii() else text.encode("latin-1").decode()

    def name_at(self, name: str, at: int) -> Span:
        """The span of a name, which must be the next token at or behind ``at``."""
        text = self.text
        start = at if text.startswith(name, at) else self.token(at)
        if text.startswith(name, start):
            return start, start + len(name)
        end = start + len(name.encode())
        if self.written(start, end) != name:
            # the tree has it normalized
            raise OutOfStep(f"{name!r} at {start}")
        return start, end
