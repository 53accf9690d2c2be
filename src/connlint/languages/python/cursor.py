"""Where the tokens of a parsed tree stand, found by walking the text beside the tree.

libcst's own positions come from printing the whole tree again, which takes longer than parsing it. A lowering visits
every node in the order of the text anyway, so it is enough to step over each token as it comes: what stands between
two tokens is white space, comments and continued lines.
"""

from __future__ import annotations

from connlint.patterns import regex

TRIVIA = regex(r"(?:[ \t\f\r\n]+|\\\r?\n|\\\r|#[^\r\n]*)*+")
_TRIVIAL = frozenset(" \t\f\r\n\\#")


class OutOfStep(Exception):
    """The text does not hold the token that the tree says stands next."""


class Cursor:
    """A place in a text, in characters.

    The text may be a *view*: UTF-8 read as if each byte were a character, so that places are bytes and need no
    conversion. Trees know nothing of that; what is not ASCII is compared, and cut out, as it is encoded.
    """

    __slots__ = ("is_view", "pos", "text")

    def __init__(self, text: str, is_view: bool = False) -> None:
        # One character more than the text, so that looking at the next one never runs over the end.
        self.text = text + "\0"
        self.is_view = is_view
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
        self.pos = start + (len(token) if self.text.startswith(token, start) else self._wide(token))
        return start

    def exactly(self, token: str) -> None:
        """Step over ``token``, with nothing before it."""
        self.pos += len(token) if self.text.startswith(token, self.pos) else self._wide(token)

    def maybe(self, token: str) -> bool:
        """Step over ``token`` (ASCII) if it comes next; otherwise stay."""
        before = self.pos
        start = self.peek()
        if self.text.startswith(token, start):
            self.pos = start + len(token)
            return True
        self.pos = before
        return False

    def _wide(self, token: str) -> int:
        """The length of ``token``, which must stand here, in the view."""
        if self.is_view and not token.isascii():
            written = token.encode().decode("latin-1")
            if self.text.startswith(written, self.pos):
                return len(written)
        raise OutOfStep(f"{token!r} at character {self.pos}")

    def written(self, start: int, end: int) -> str:
        """The text between two places."""
        text = self.text[start:end]
        return text.encode("latin-1").decode() if self.is_view and not text.isascii() else text
