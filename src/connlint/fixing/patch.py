"""A patch that ``git apply`` and ``patch -p1`` take, of files in whatever encoding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_CONTEXT = 3
_ESCAPES = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\", "\r": "\\r"}


def patch(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """The differences of all files of ``after``, by path; lines are what ends with a line feed, as git counts them."""
    return b"".join(b"".join(_file(path, before[path], after[path])) for path in sorted(after))


def _file(path: str, before: bytes, after: bytes) -> Iterator[bytes]:
    from difflib import unified_diff

    # a byte is a character here, so that no encoding matters and nothing is lost
    old, new = _lines(before.decode("latin-1")), _lines(after.decode("latin-1"))
    for number, line in enumerate(unified_diff(old, new, n=_CONTEXT)):
        if number == 0:
            yield b"--- " + _name("a/" + path)
        elif number == 1:
            yield b"+++ " + _name("b/" + path)
        else:
            yield line.encode("latin-1")
            if not line.endswith("\n"):
                yield b"\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    rows = text.split("\n")
    return [row + "\n" for row in rows[:-1]] + rows[-1:] * bool(rows[-1])


def _name(path: str) -> bytes:
    """A path as git writes it: in quotes where it has to be, and with a tab behind it where it holds a space."""
    data = path.encode("utf-8", "surrogateescape")
    if any(c in _ESCAPES or c < " " for c in path):
        quoted = "".join(_ESCAPES.get(c) or (f"\\{ord(c):03o}" if c < " " else c) for c in path)
        return b'"' + quoted.encode("utf-8", "surrogateescape") + b'"\n'
    return data + (b"\t\n" if b" " in data else b"\n")
