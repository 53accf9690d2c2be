"""Python files as programs. The interpreter's own parser reads most of them, libcst what is newer, or broken, or odd.

Parsing is what a scan waits for, so a file is cut into its top-level statements first (`stretches`), and of its
functions and classes only those are parsed that hold a word that matters. The others become `Unread`.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from connlint.languages.python.descent import TooDeep
from connlint.languages.python.lowering import Lowering, lowerings
from connlint.languages.python.nesting import too_long
from connlint.languages.python.parser import parser
from connlint.languages.python.positions import byte_offsets, in_bytes
from connlint.languages.python.stretches import Stretch, Stretches, split
from connlint.model import program as p
from connlint.model.source import Source
from connlint.patterns import regex

LARGE_TABLE = 4000
"""Characters from which on a literal without words that matter is not worth reading, like a function without any."""

# Where the scanner lost its way it has not counted brackets well.
_MANY_BRACKETS = regex(r"(?:[(\[{][^()\[\]{}]*+){300}")
_SUPPRESSION = "connlint:"
_REPLACED = "\ufffd"
_WORD = regex(r"[^\x00-@\[-^`{-\x7f][\w\x80-\xff]*")
"""A name. Its first character is said by what it is not: a class of all letters beyond ASCII takes long to compile."""
_LAZY = regex(r"^([ \t]*)lazy[ \t]+(?=import\b|from\b)", re.MULTILINE)


def read(source: Source, words: Sequence[bytes] | None = None) -> p.Program:
    """Lower the file. Never raises: what cannot be read is missing from the program and named in its problems.

    With ``words`` (ASCII), a top-level function or class becomes `Unread` that holds none of them and whose name stands
    in no function or class that is read for a word of its own; so does a large table. Comments are collected only where
    one might be for connlint.
    """
    if source.encoding == "utf-8" and not source.one_byte_characters:
        # Places in a view of the bytes are those of the file.
        view = "\n" * source.bom + source.data[source.bom :].decode("latin-1")
        with _without_garbage_collection():
            program = _Reading(source.path, view, words, is_view=True).program()
    else:
        program = read_text(source.path, source.text, words)
        if source.bom or not source.one_byte_characters:
            in_bytes(program, byte_offsets(source))
    program.at = (source.bom, len(source.data))
    return program


def read_text(path: str, text: str, words: Sequence[bytes] | None = None) -> p.Program:
    """Lower Python text; all positions are its characters. ``path`` is for the problems."""
    with _without_garbage_collection():
        return _Reading(path, text, words).program()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Trees hold no cycles while they are built, and looking for some takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Reading:
    """One file on its way to a program; positions are characters of the text, which may be a view (see `Cursor`)."""

    def __init__(self, path: str, text: str, words: Sequence[bytes] | None, *, is_view: bool = False) -> None:
        self.path = path
        self.text = text
        self.is_view = is_view
        self.words = words
        self.problems: list[p.Problem] = []
        self.reader = "libcst"

    def program(self) -> p.Program:
        found = split(self.text)
        unread = self._unread(found)
        body = self._body(found, unread)
        comments: tuple[p.Comment, ...] = ()
        if _SUPPRESSION in self.text:
            comments = tuple(self._comment(start, end) for start, end in found.comments)
        problems = tuple(self.problems)
        return p.Program("python", tuple(body), comments=comments, problems=problems, reader=self.reader)

    def _comment(self, start: int, end: int) -> p.Comment:
        line = max(self.text.rfind("\n", 0, start), self.text.rfind("\r", 0, start)) + 1
        return p.Comment(self._decoded(start + 1, end).strip(), (start, end), not self.text[line:start].strip())

    # -- what to read ---------------------------------------------------------------------------------------------

    def _unread(self, found: Stretches) -> set[int]:
        """The places of the stretches that need not be read."""
        if self.words is None:
            return set()
        hit: set[int] = set()
        starts = [stretch.start for stretch in found.items]
        candidates = {
            place
            for place, stretch in enumerate(found.items)
            if stretch.kind == "definition" or (stretch.kind == "table" and stretch.end - stretch.start > LARGE_TABLE)
        }
        if not candidates:
            return candidates
        text = self.text
        for word in self.words:
            needle = word.decode("ascii", "replace")
            at = text.find(needle)
            while at >= 0:
                place = bisect_right(starts, at) - 1
                if place >= 0:
                    hit.add(place)
                # One hit in a stretch is enough; go on behind it.
                at = text.find(needle, max(found.items[place].end if place >= 0 else starts[0], at + 1))
        return candidates - self._mentioned(found.items, hit)

    def _mentioned(self, items: list[Stretch], hit: set[int]) -> set[int]:
        """``hit`` and every stretch whose name is mentioned in one of them, directly or through others.

        What a function calls says what it does, also where the word that matters stands in neither.
        """
        named: dict[str, list[int]] = {}
        for place, stretch in enumerate(items):
            if stretch.name:
                named.setdefault(stretch.name, []).append(place)
        seen: set[int] = set()
        pending = list(hit)
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            stretch = items[place]
            for name in named.keys() & set(_WORD.findall(self.text, stretch.start, stretch.end)):
                pending += named[name]
        return seen

    # -- reading --------------------------------------------------------------------------------------------------

    def _body(self, found: Stretches, unread: set[int]) -> list[p.Statement]:
        stretches = found.items
        chosen = [stretch for place, stretch in enumerate(stretches) if place not in unread]
        if not found.doubtful and (body := self._by_python(stretches, chosen)) is not None:
            self.reader = "ast"
            return body
        for stretch in chosen:
            stretch.too_deep = stretch.too_deep or too_long(self.text[stretch.start : stretch.end])
        if not any(stretch.too_deep for stretch in chosen):
            body = None
            if unread and not found.doubtful:
                body = self._together(stretches, chosen)
            if body is None and not (found.doubtful and _MANY_BRACKETS.search(self.text)):
                body = self._whole()
            if body is not None:
                return body
        return self._one_by_one(stretches, unread)

    def _by_python(self, stretches: list[Stretch], chosen: list[Stretch]) -> list[p.Statement] | None:
        """The stretches to read as Python itself parses them; None where it refuses one, or does not know it.

        Its trees count in bytes, so that the text must too.
        """
        if any(stretch.too_deep for stretch in chosen) or not (self.is_view or self.text.isascii()):
            return None
        code = "".join([self._decoded(stretch.start, stretch.end) for stretch in chosen])
        if self.is_view and _REPLACED in code:
            return None
        from connlint.languages.python.abstract.places import line_starts, tree_of
        from connlint.languages.python.abstract.statements import Statements

        try:
            nodes = tree_of(code).body
            lowering = Statements(self.text, line_starts(self.text, [(part.start, part.end) for part in chosen]))
            body: list[p.Statement] = []
            wanted = {stretch.start for stretch in chosen}
            place = 0
            for stretch in stretches:
                if stretch.start not in wanted:
                    body.append(self._left_out(stretch))
                    continue
                first = place
                while place < len(nodes) and lowering.start(nodes[place]) < stretch.end:
                    place += 1
                if first == place:
                    return None
                body += lowering.statements(nodes[first:place])
        except Exception:
            return None
        return body if place == len(nodes) else None

    def _together(self, stretches: list[Stretch], chosen: list[Stretch]) -> list[p.Statement] | None:
        """All stretches to read in one go; None if they do not parse, or not into one statement each."""
        try:
            tree = _parse("".join([self._decoded(stretch.start, stretch.end) for stretch in chosen]))
            if len(tree.body) != len(chosen):
                return None
            lowering = self._lowering()
            body: list[p.Statement] = []
            nodes = iter(tree.body)
            to_read = iter(chosen)
            next_read = next(to_read, None)
            for stretch in stretches:
                if stretch is not next_read:
                    body.append(self._left_out(stretch))
                    continue
                lowering.pos = stretch.start
                body += lowering.statements((next(nodes),))
                next_read = next(to_read, None)
        except Exception:
            return None
        return body

    def _whole(self) -> list[p.Statement] | None:
        """The whole text in one go; None if it does not parse."""
        try:
            return self._lowering().statements(_parse(self._decoded(0, len(self.text))).body)
        except Exception:
            return None

    def _one_by_one(self, stretches: list[Stretch], unread: set[int]) -> list[p.Statement]:
        """Each stretch for itself, so that a broken one does not take the others with it."""
        body: list[p.Statement] = []
        for place, stretch in enumerate(stretches):
            if place in unread:
                body.append(self._left_out(stretch))
                continue
            try:
                if stretch.too_deep:
                    raise TooDeep
                lowering = self._lowering()
                lowering.pos = stretch.start
                body += lowering.statements(_parse(self._code(stretch)).body)
            except Exception as error:
                self._report(error, stretch)
                body.append(self._left_out(stretch))
        return body

    def _code(self, stretch: Stretch) -> str:
        """What to parse for ``stretch``: parsers that do not know lazy imports yet get them as usual ones."""
        return _LAZY.sub(r"\1", self._decoded(stretch.start, stretch.end))

    def _report(self, error: Exception, stretch: Stretch) -> None:
        """Name the first problem of each kind; a file in another dialect would have one a line."""
        message = str(getattr(error, "message", ""))
        if isinstance(error, (TooDeep, RecursionError)) or "too many indentation levels" in message:
            kind, message = "too-deep", "nested too deeply to be read"
        else:
            # What the tokenizer says is for people; what the parser says is a list of forty tokens.
            kind, _, message = "syntax", *message.partition("tokenizer error: ")[1:]
            message = message or "not understood as Python"
        if all(problem.kind != kind for problem in self.problems):
            self.problems.append(p.Problem(kind, message, self.path, self._span(stretch)))

    def _span(self, stretch: Stretch) -> tuple[int, int]:
        return (stretch.start, stretch.start + len(self.text[stretch.start : stretch.end].rstrip(" \t\f\r\n")))

    def _left_out(self, stretch: Stretch) -> p.Unread:
        names = (_decoded(stretch.name) if self.is_view else stretch.name,) if stretch.name else ()
        return p.Unread(names, self._span(stretch))

    def _decoded(self, start: int, end: int) -> str:
        text = self.text[start:end]
        return _decoded(text) if self.is_view else text

    def _lowering(self) -> Lowering:
        return Lowering(self.text, _table(), self.is_view)


def _decoded(view: str) -> str:
    """What a piece of a view says."""
    return view if view.isascii() else view.encode("latin-1").decode("utf-8", "replace")


def _parse(text: str) -> Any:
    """libcst's tree of a module."""
    return parser().parse(text)


@lru_cache(maxsize=1)
def _table() -> dict[type, Callable[..., Any]]:
    return lowerings(parser().nodes)
