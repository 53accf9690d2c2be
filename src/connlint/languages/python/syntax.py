"""Python's own syntax tree of a file, also where the file is written in a newer Python than the one that runs.

`ast` is ten times faster than a concrete tree, and enough where only names are wanted, but it refuses syntax that its
interpreter does not know. Such syntax binds no module-level name in a way that older syntax cannot say, so it is
blanked, byte by byte, before a second try: every offset stays that of the file.
"""

from __future__ import annotations

import ast
import codecs
import re
import warnings

from connlint.model.source import Span
from connlint.patterns import regex

_TYPE_PARAMETERS = regex(rb"^[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]+[\w\x80-\xff]+[ \t]*(?=\[)", re.M)
_TYPE_ALIAS = regex(rb"^([ \t]*)(type[ \t]+)([\w\x80-\xff]+)([ \t]*)(?=[=\[])", re.M)
_LAZY = regex(rb"^([ \t]*)lazy[ \t](?=[ \t]*(?:from|import)\b)", re.M)
_TEMPLATE = regex(rb"\b(?:[tT]([rR]?)|([rR])[tT])(?=[\"'])")
_FORMATTED = rb"f\1\2"
_BRACKET = regex(rb"[\[\]]|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*")
_LONGEST = 10_000
"""Bytes after which a bracket that is still open is taken for no list of type parameters."""
_LINE_END = regex(rb"\r\n|\n|\r")
_MARK = codecs.BOM_UTF8


def parse(data: bytes) -> ast.Module | None:
    """The tree of ``data``; None where no parser accepts it. Places are those in ``data`` without a byte-order mark."""
    data = data.removeprefix(_MARK)
    tree = _parse(data)
    if tree is not None:
        return tree
    older = _without_lazy_imports(_without_type_parameters(data))
    if older != data and (tree := _parse(older)) is not None:
        return tree
    oldest = _without_new_strings(older)
    return None if oldest is None else _parse(oldest)


def _parse(data: bytes) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
            return None


class Positions:
    """From the lines and columns of a tree to byte offsets in the file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = [0, *(m.end() for m in _LINE_END.finditer(data))]
        self._mark = len(_MARK) if data.startswith(_MARK) else 0

    def offset(self, line: int, column: int) -> int:
        """Byte offset of a 1-based ``line`` and a 0-based ``column`` in bytes."""
        start = self._starts[min(line, len(self._starts)) - 1]
        return start + column + (self._mark if line == 1 else 0)

    def of(self, node: ast.AST) -> Span:
        """The span of a node."""
        start = self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        end = self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return start, end

    def word(self, text: str, start: int, end: int) -> Span:
        """Where ``text`` stands between ``start`` and ``end``; an empty span at ``start`` where it does not."""
        word = text.encode("utf-8", "surrogateescape")
        at = self._data.find(word, start, end)
        return (at, at + len(word)) if at >= 0 else (start, start)

    def line(self, number: int) -> bytes:
        """The bytes of a 1-based line."""
        end = self._starts[number] if number < len(self._starts) else len(self._data)
        return self._data[self._starts[number - 1] : end]


# -- blanking ---------------------------------------------------------------------------------------------------------


def _blank(data: bytes) -> bytes:
    """As many spaces, with the line ends where they were."""
    return re.sub(rb"[^\r\n]", b" ", data)


def _brackets(data: bytes, at: int) -> int:
    """The offset behind the bracket that closes the one at ``at``, or ``at`` where none does."""
    depth = 0
    for found in _BRACKET.finditer(data, at, at + _LONGEST):
        depth += {b"[": 1, b"]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return at


def _without_type_parameters(data: bytes) -> bytes:
    """PEP 695 taken out: ``class A[T]:`` becomes ``class A   :``, ``type X[T] = int`` becomes ``X         = int``."""
    parts, done = [], 0
    for found in _TYPE_PARAMETERS.finditer(data):
        end = _brackets(data, found.end())
        if found.start() >= done:
            parts += [data[done : found.end()], _folded(data[found.end() : end])]
            done = end
    data = b"".join([*parts, data[done:]])
    parts, done = [], 0
    for found in _TYPE_ALIAS.finditer(data):
        end = _brackets(data, found.end()) if data[found.end() : found.end() + 1] == b"[" else found.end()
        if found.start() >= done:
            parts += [data[done : found.start()], found[1], found[3], b" " * len(found[2]), found[4],
                      _folded(data[found.end() : end])]
            done = end
    return b"".join([*parts, data[done:]])


def _folded(data: bytes) -> bytes:
    """Blank one or several lines so that they stay one logical line: every line end gets a backslash before it."""
    return re.sub(rb" (?=\r?\n)", b"\\\\", _blank(re.sub(rb"[^\r\n](?=\r?\n)", b"\0", data)).replace(b"\0", b" "))


def _without_lazy_imports(data: bytes) -> bytes:
    """PEP 810 taken out: ``lazy from x import y`` becomes ``lazy;from x import y``, which is as long."""
    return _LAZY.sub(rb"\1lazy;", data)


def _without_new_strings(data: bytes) -> bytes | None:
    """What else is new, found by libcst: f-strings with quotes of their own inside, t-strings, bare ``except A, B``.

    None where libcst does not read the file either.
    """
    import libcst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

    # libcst reads a t-string but none beside another string, so it is shown the f-string of the same length
    shown = _TEMPLATE.sub(_FORMATTED, data)
    try:
        wrapper = MetadataWrapper(libcst.parse_module(shown), unsafe_skip_copy=True)
        spans = wrapper.resolve(ByteSpanPositionProvider)
    except (libcst.ParserSyntaxError, libcst.CSTValidationError, SyntaxError, RecursionError, ValueError, LookupError):
        return None
    if wrapper.module.encoding.lower() not in ("utf-8", "utf8", "ascii"):
        return None
    found: list[tuple[int, int, bytes]] = []
    for node, span in spans.items():
        start, end = span.start, span.start + span.length
        if isinstance(node, libcst.FormattedString):
            found.append((start, end, _plain(data[start:end])))
        elif isinstance(node, libcst.ExceptHandler) and isinstance(node.type, libcst.Tuple) and not node.type.lpar:
            types = spans[node.type]
            start, end = types.start, types.start + types.length
            first = data.find(b",", start, end)
            found.append((first, end, b" " * (end - first)))
    parts, done = [], 0
    for start, end, text in sorted(found):
        if start >= done:
            parts += [data[done:start], text]
            done = end
    return b"".join([*parts, data[done:]])


def _plain(text: bytes) -> bytes:
    """A string literal without holes, as long as the literal ``text`` and with its line ends."""
    quotes = 3 if text[-3:] in (b'"""', b"'''") else 1
    inner = _blank(text[quotes : len(text) - quotes])
    if quotes == 1 and re.search(rb"[\r\n]", inner):
        # A hole of a one-quoted string may span lines; three quotes may too, and there is room for them
        return b"'''" + _blank(text[3:-3]) + b"'''"
    return text[-quotes:] + inner + text[-quotes:]
