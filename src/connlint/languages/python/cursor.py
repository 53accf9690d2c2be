"""Where the tokens of a parsed tree stand, found by walking the text beside the tree.

libcst's own positions come from printing the whole tree again, which takes longer than parsing it. A lowering visits
every node in the order of the text anyway, so it is enough to step over each token as it comes: what stands between
two tokens is white space, comments and continued lines.
"""

from __future__ import annotations

import re

TRIVIA = re.compile(r"(?:[ \t\f\r\n]+|\\\r?\n|\\\r|#[^\r\n]*)*+")
_TRIVIAL = frozenset(" \t\f\r\n\\#")


class OutOfStep(Exception):
    """The text does not hold the token that the tree says stands next."""


class Cursor:
    """A place in a text, in characters."""

    __slots__ = ("pos", "text")

    def __init__(self, text: str) -> None:
        # One character more than the text, so that looking at the next one never runs over the end.
        self.text = text + "\0"
        self.pos = 0

    def peek(self) -> int:
        """Go to the next token; say where it starts."""
        pos = self.pos
        c = self.text[pos]
        if c == " ":
            pos += 1
            c = self.text[pos]
        if c in _TRIVIAL:
            pos = TRIVIA.match(self.text, pos).end()  # type: ignore[union-attr]
        self.pos = pos
        return pos

    def take(self, token: str) -> int:
        """Step over ``token``, which must come next; say where it starts."""
        start = self.peek()
        if not self.text.startswith(token, start):
            raise OutOfStep(f"{token!r} at character {start}")
        self.pos = start + len(token)
        return start

    def maybe(self, token: str) -> bool:
        """Step over ``token`` if it comes next; otherwise stay."""
        before = self.pos
        start = self.peek()
        if self.text.startswith(token, start):
            self.pos = start + len(token)
            return True
        self.pos = before
        return False
