"""Which names of a file are functions and classes, as its bytes show: it need not be read for who looks for values."""

from __future__ import annotations

from connlint.patterns import regex

_PART_OF_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")
_END = regex(rb"(?![\w$])")
_BUILDS = regex(rb"(?:export[ \t]+)?(?:(?:default|abstract|async)[ \t]+)*(?:class|function[ \t]*\*?)[ \t]+")
_HOLDS = regex(rb"(?:export[ \t]+)?const[ \t]+")
_FUNCTION = regex(rb"[ \t]*(?::[^=\n]*)?=[ \t]*(?:async\b[ \t]*)?(?:function\b|\w+[ \t]*=>|"
                  rb"\([^()]*\)(?:[ \t]*:[^=\n]*)?[ \t]*=>)")
_BINDS = regex(rb"\b(?:const|let|var|as|class|function)[ \t]+$")
_BY_DEFAULT = regex(rb"export[ \t]+default[ \t]+(?:(?:abstract|async)[ \t]+)*(?:class|function)\b")
_BUILDS_IN_PYTHON = regex(rb"(?:class|def|async[ \t]+def)[ \t]+")
_BINDS_IN_PYTHON = regex(rb"\b(?:as|class|def)[ \t]+$|\bimport\b.*[ ,(\t]$")
_ASSIGNED = regex(rb"[ \t]*=(?!=)")
_ASSIGNED_IN_PYTHON = regex(rb"[^\n=]*=")


def builds(path: str, data: bytes, name: str) -> bool:
    """Whether ``name``, as others import it from the file ``path``, is surely a function or class, and nothing else."""
    if not name.isidentifier() or not name.isascii():
        return False
    python = path.endswith(".py")
    if name == "default" and not python:
        return any(_BY_DEFAULT.match(data, at) for at in _lines(data, b"export"))
    word, found, at = name.encode(), 0, -1
    while (at := data.find(word, at + 1)) >= 0:
        end = at + len(word)
        if _END.match(data, end) is None or (at and data[at - 1] in _PART_OF_NAME):
            continue
        before = data[data.rfind(b"\n", 0, at) + 1 : at]
        if (_BUILDS_IN_PYTHON if python else _BUILDS).fullmatch(before):
            found += 1
        elif not python and _HOLDS.fullmatch(before) and _FUNCTION.match(data, end):
            found += 1
        elif (_BINDS_IN_PYTHON if python else _BINDS).search(before):
            return False
        elif not before.strip(b" \t") and (_ASSIGNED_IN_PYTHON if python else _ASSIGNED).match(data, end):
            return False
    return found == 1


def _lines(data: bytes, word: bytes) -> list[int]:
    """Where the lines begin that begin with ``word``."""
    found = [0] if data.startswith(word) else []
    at = data.find(b"\n" + word)
    while at >= 0:
        found.append(at + 1)
        at = data.find(b"\n" + word, at + 1)
    return found
