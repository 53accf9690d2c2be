"""One file as it was read: its bytes, its text, and the way between byte offsets, characters and lines.

Everything inside connlint counts positions in **bytes of the file as read**. Lines and columns are made here,
for the reporters alone.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right

from msgspec import Struct

from connlint.patterns import regex

Span = tuple[int, int]
"""Half-open byte range ``(start, end)`` in the file as read."""

_COOKIE = regex(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Only these can be cut at byte offsets without a table of every character.
_BYTEWISE = {"ascii", "utf-8", "iso8859-1", "latin-1", "cp1252", "iso8859-15"}


class Undecodable(ValueError):
    """The bytes are not text in the encoding that the file declares."""


class Source(Struct, eq=False):
    """A file's bytes with everything that is computed from them.

    ``path`` is relative to the project's root, with forward slashes. ``data`` is what was read. ``text`` is the
    decoded content without a byte-order mark; ``char_to_byte`` and ``byte_to_char`` convert offsets between the two.
    """

    path: str
    data: bytes
    encoding: str = "utf-8"
    text: str = ""
    bom: int = 0
    _line_starts: list[int] | None = None
    _char_line_bytes: list[int] | None = None
    _char_line_chars: list[int] | None = None

    @classmethod
    def decode(cls, path: str, data: bytes, *, cookie: bool = False) -> Source:
        """Decode ``data``; with ``cookie``, a PEP 263 comment in the first two lines names the encoding.

        Raises `Undecodable` with a reason fit for a report where the bytes are not text.
        """
        encoding, skip = "utf-8", 0
        for mark, name in _BOMS:
            if data.startswith(mark):
                encoding, skip = name, len(mark)
                break
        else:
            if cookie:
                for line in data.split(b"\n", 2)[:2]:
                    if found := _COOKIE.match(line):
                        encoding = found[1].decode("ascii", "replace")
                        break
                    if line.strip() and not line.lstrip().startswith(b"#"):
                        break
        try:
            encoding = codecs.lookup(encoding).name
            text = data[skip:].decode(encoding) if skip else data.decode(encoding)
        except LookupError:
            raise Undecodable(f"unknown encoding {encoding!r}") from None
        except UnicodeDecodeError as error:
            row = data.count(b"\n", 0, error.start + skip) + 1
            raise Undecodable(f"line {row} is not {encoding.upper()}") from None
        except (ValueError, TypeError) as error:
            raise Undecodable(str(error)) from None
        return cls(path, data, encoding, text, skip)

    @classmethod
    def of(cls, path: str, data: bytes, *, cookie: bool = False) -> Source:
        """As `decode`; bytes that are not text are taken for Latin-1, so that places in them can be shown."""
        try:
            return cls.decode(path, data, cookie=cookie)
        except Undecodable:
            return cls(path, data, "latin-1", data.decode("latin-1"))

    # -- characters and bytes -------------------------------------------------------------------------------------

    @property
    def one_byte_characters(self) -> bool:
        """Whether a character of ``text`` is one byte of ``data`` (after the byte-order mark)."""
        return len(self.text) + self.bom == len(self.data)

    def _tables(self) -> tuple[list[int], list[int]]:
        if self._char_line_bytes is None:
            chars, sizes, c, b = [], [], 0, self.bom
            for line in self.text.split("\n"):
                chars.append(c)
                sizes.append(b)
                c += len(line) + 1
                b += len((line + "\n").encode(self.encoding))
            self._char_line_chars, self._char_line_bytes = chars, sizes
        assert self._char_line_chars is not None
        return self._char_line_chars, self._char_line_bytes

    def char_to_byte(self, offset: int) -> int:
        """Byte offset in ``data`` of character ``offset`` of ``text``."""
        if self.one_byte_characters:
            return offset + self.bom
        chars, sizes = self._tables()
        row = bisect_right(chars, offset) - 1
        return sizes[row] + len(self.text[chars[row] : offset].encode(self.encoding))

    def byte_to_char(self, offset: int) -> int:
        """Character offset in ``text`` of byte ``offset`` of ``data``."""
        if self.one_byte_characters:
            return max(0, offset - self.bom)
        chars, sizes = self._tables()
        row = max(0, bisect_right(sizes, offset) - 1)
        return chars[row] + len(self.data[sizes[row] : offset].decode(self.encoding, "ignore"))

    # -- lines ----------------------------------------------------------------------------------------------------

    def line_starts(self) -> list[int]:
        """Byte offset of the start of every line; ``\\n``, ``\\r\\n`` and a lone ``\\r`` end one."""
        if self._line_starts is None:
            if self.encoding in _BYTEWISE or self.one_byte_characters:
                starts = [0]
                starts += [m.end() for m in re.finditer(rb"\r\n|\n|\r", self.data)]
            else:
                starts = [0]
                starts += [self.char_to_byte(m.end()) for m in re.finditer(r"\r\n|\n|\r", self.text)]
            self._line_starts = starts
        return self._line_starts

    def line(self, offset: int) -> int:
        """1-based line of byte ``offset``."""
        return bisect_right(self.line_starts(), offset)

    def column(self, offset: int, *, utf16: bool = False) -> int:
        """1-based column of byte ``offset``, in characters, or in UTF-16 code units as SARIF counts."""
        start = max(self.line_starts()[self.line(offset) - 1], self.bom)
        prefix = self.data[start:offset].decode(self.encoding, "replace")
        return 1 + (len(prefix.encode("utf-16-le")) // 2 if utf16 else len(prefix))

    def line_text(self, line: int) -> str:
        """The text of 1-based ``line`` without its end."""
        starts = self.line_starts()
        if not 1 <= line <= len(starts):
            return ""
        start = max(starts[line - 1], self.bom)
        end = starts[line] if line < len(starts) else len(self.data)
        return self.data[start:end].decode(self.encoding, "replace").rstrip("\r\n")

    def slice(self, at: Span) -> str:
        """The text that ``at`` covers."""
        return self.data[at[0] : at[1]].decode(self.encoding, "replace")
