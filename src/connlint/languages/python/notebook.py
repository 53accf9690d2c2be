"""Jupyter notebooks: the code cells as one Python program whose positions are those of the JSON file."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from connlint.languages.python.positions import byte_offsets, in_bytes
from connlint.languages.python.read import read_text
from connlint.languages.python.stretches import split, texts_over_lines
from connlint.model import program as p
from connlint.model.source import Source
from connlint.patterns import regex

READER = "libcst, notebook"
"""`Program.reader` of a notebook: its text is JSON, so that no edit of Python text fits it."""

_TOKEN = regex(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_ESCAPE = regex(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
# Lines for IPython, not for Python: magics, shell commands, help.
_MAGIC = regex(r"([ \t]*)(?:%{1,2}[A-Za-z]|!|\?|[\w.]+\?{1,2}[ \t]*$)")
_MAGIC_VALUE = regex(r"([ \t]*[\w.,\[\]\"' \t]+=[ \t]*)(?:%[A-Za-z]|!)")
# The rest of such a cell is Python still.
_TIMING = regex(r"%%(?:time|timeit|capture|prun)\b")


def read_notebook(source: Source) -> p.Program:
    """Lower the Python cells of a notebook (nbformat 3 and 4). Never raises.

    Positions are bytes of the JSON file: of the first and behind the last character of what they cover, which for more
    than one line takes the JSON in between along. Magics and shell commands are passed over. A notebook in another
    language is an empty program.
    """
    byte_of = byte_offsets(source)
    joined = _Joined(source.path)
    try:
        for cell in _cells(source.text):
            joined.add(cell)
    except _Broken as error:
        at = (byte_of(error.at), len(source.data))
        problem = p.Problem("syntax", "not understood as a notebook", source.path, at)
        program = p.Program("python", (), problems=(problem,))
    else:
        program = read_text(source.path, joined.text)
        in_bytes(program, joined.to_byte(byte_of))
        broken = p.Program("python", (), problems=tuple(joined.problems[:1]))
        in_bytes(broken, byte_of)
        program.problems = (*broken.problems, *program.problems)[:1]
    program.reader = READER
    program.at = (source.bom, len(source.data))
    return program


# Where cells stand in nbformat 4 and 3.
_CELLS = (["cells"], ["worksheets", "cells"])


class _Broken(Exception):
    """The text is not JSON from character ``at`` on."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class _Frame(Struct):
    """An open object or array, and where in it we are."""

    kind: str
    key: str = ""
    wants_value: bool = False


class _Cell(Struct):
    kind: str = ""
    language: str = "python"
    strings: list[re.Match[str]] = field(default_factory=list)


def _cells(text: str) -> Iterator[_Cell]:
    """The code cells with the tokens of their lines; none where the notebook is in another language."""
    stack: list[_Frame] = []
    cells: list[_Cell] = []
    language = "python"
    if not text.lstrip().startswith("{"):
        raise _Broken(0)
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        top = stack[-1] if stack else None
        if first in "{[":
            if first == "{" and _names(stack) in _CELLS:
                cells.append(_Cell())
            stack.append(_Frame(first))
        elif first in "}]":
            if top is None or top.kind + first not in ("{}", "[]"):
                raise _Broken(token.start())
            stack.pop()
        elif top is None:
            raise _Broken(token.start())
        elif first == ",":
            top.wants_value = False
        elif first == ":":
            top.wants_value = True
        elif top.kind == "{" and not top.wants_value:
            top.key = _decoded(token)
        elif first == '"':
            *path, key = _names(stack)
            if path in _CELLS and cells:
                if key in ("source", "input"):
                    cells[-1].strings.append(token)
                elif key == "cell_type":
                    cells[-1].kind = _decoded(token)
                elif key == "language":
                    cells[-1].language = _decoded(token)
            elif [*path, key] in (["metadata", "kernelspec", "language"], ["metadata", "language_info", "name"]):
                language = _decoded(token)
    if stack:
        raise _Broken(len(text))
    if language.lower().startswith(("python", "ipython")):
        for cell in cells:
            if cell.kind == "code" and cell.language == "python":
                yield cell


def _names(stack: list[_Frame]) -> list[str]:
    """The keys that lead here, without places in arrays."""
    return [frame.key for frame in stack if frame.kind == "{"]


def _decoded(token: re.Match[str]) -> str:
    try:
        return str(json.loads(token[0], strict=False))
    except ValueError:
        raise _Broken(token.start()) from None


class _Joined:
    """The text of all cells, and where its characters stand in the JSON text."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = ""
        self.problems: list[p.Problem] = []
        # Behind each of these characters of the text, counting goes on at that character of the JSON.
        self.starts: list[int] = []
        self.places: list[int] = []

    def add(self, cell: _Cell) -> None:
        """Append the lines of ``cell``, with a line end of our own where the last has none."""
        if not cell.strings:
            return
        lines = []
        at = len(self.text)
        for token in cell.strings:
            lines.append(_decoded(token))
            self._anchor(at, token)
            at += len(lines[-1])
        code = _without_magics("".join(lines))
        if split(code).doubtful:
            # An open bracket or string would swallow the cells behind it.
            span = (cell.strings[0].start(), cell.strings[-1].end())
            self.problems.append(p.Problem("syntax", "not understood as Python", self.path, span))
            code = re.sub(r"[^\n]", " ", code)
        if not code.endswith("\n"):
            self.starts.append(at)
            self.places.append(cell.strings[-1].end() - 1)
            code += "\n"
        self.text += code

    def _anchor(self, at: int, token: re.Match[str]) -> None:
        """Note the places of the string ``token``, whose value starts at character ``at`` of the joined text."""
        first = token.start() + 1
        self.starts.append(at)
        self.places.append(first)
        shorter = 0
        for escape in _ESCAPE.finditer(token[0], 1, len(token[0]) - 1):
            shorter += len(escape[0]) - 1
            self.starts.append(at + escape.end() - 1 - shorter)
            self.places.append(token.start() + escape.end())

    def to_byte(self, byte_of: Callable[[int], int]) -> Callable[[int], int]:
        """A function from characters of the joined text to bytes of the file."""
        starts, places = self.starts, self.places

        def convert(offset: int) -> int:
            row = bisect_right(starts, offset) - 1
            return byte_of(places[row] + offset - starts[row] if row >= 0 else 0)

        return convert


def _without_magics(code: str) -> str:
    """``code`` of the same length with everything for IPython blanked."""
    if code.lstrip().startswith("%%"):
        head, separator, rest = code.partition("\n")
        if not _TIMING.match(head.lstrip()):
            return re.sub(r"[^\n]", " ", code)
        return " " * len(head) + separator + _without_magics(rest)
    if not re.search(r"[%!?]", code):
        return code
    texts = texts_over_lines(code)
    lines, position = [], 0
    for line in code.split("\n"):
        inside = any(start < position < end for start, end in texts)
        if not inside and (magic := _MAGIC.match(line)):
            # An indented one may be the only statement of its block.
            line = _blanked(line, magic[1], "..." if magic[1] else "")
        elif not inside and (magic := _MAGIC_VALUE.match(line)):
            line = _blanked(line, magic[1], "...")
        lines.append(line)
        position += len(line) + 1
    return "\n".join(lines)


def _blanked(line: str, kept: str, instead: str) -> str:
    """``kept``, then ``instead`` if it fits, then spaces up to the length of ``line``."""
    room = len(line) - len(kept)
    return kept + (instead if len(instead) <= room else "0").ljust(room)
