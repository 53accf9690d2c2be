"""Import and export statements found in bytes alone, without a parse.

A regular expression cannot tell a statement from a comment or a string, so what is found here may settle that a name
*is* there, and never that it is missing: that takes `connlint.languages.javascript.outline`. The expressions start
with a literal word, which lets the engine skip to the next candidate at memory speed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from connlint.model.source import Span
from connlint.patterns import regex

SUFFIXES = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
"""Files whose imports and exports can be read."""

_WORD = rb"[\w$\x80-\xff]+"
_BRACED = rb"[^{}]*(?:\{[^{}\n]*\}[^{}]*)*"
"""What stands between braces; a comment may hold braces of its own."""
_IMPORT = regex(
    rb"""import(?:
        \s*["']([^"'\n]+)["']
      | (\s+type\b(?!\s*,|\s+from\b))?
        (?:\s*+(%b)\s*+,?)??
        (?:\s*+\{(%b)\}|\s*+\*\s*+as\s+(%b))?
        \s*+\bfrom\s*+["']([^"'\n]+)["']
      | \s*+\((?>\s+|/\*.*?\*/|//[^\n]*\n)*+["'`]([^"'`\n]+)["'`]
    )"""
    % (_WORD, _BRACED, _WORD),
    re.VERBOSE | re.DOTALL,
)
_REEXPORT = regex(
    rb"""export\s*(type\b\s*)?(?:\{(%b)\}|\*\s*(?:as\s+(%b|"[^"\n]*"|'[^'\n]*'))?)\s*from\s*["']([^"'\n]+)["']"""
    % (_BRACED, _WORD)
)
_REQUIRE = regex(rb"""require\s*\(\s*["'`]([^"'`\n]+)["'`]""")
_MEMBER = regex(rb"\s*\)(?:\s*\))?\s*\.\s*(%b)" % _WORD)
_COMMENTED = regex(rb"\s*(?://|\*|/\*)|[^\n]*/\*\*?\s*@")
"""The line of an ``import("x")`` that is a type in a comment."""
_READ = regex(rb"\s*\??\.\s*(%b)" % _WORD)
_REQUIRED_INTO = regex(rb"(?:(%b)|\{([^{}]*)\})\s*=\s*(?:await\s+)?$" % _WORD)
_NAMED = regex(
    rb"""//[^\n]*|/\*.*?\*/|(?:(type)\s+(?!as\b|,))?(%b|"[^"\n]*"|'[^'\n]*')(?:\s+as\s+(%b|"[^"\n]*"|'[^'\n]*'))?"""
    % (_WORD, _WORD),
    re.DOTALL,
)
_PICKED = regex(rb"//[^\n]*|/\*.*?\*/|(\.\.\.)?\s*(%b)\s*(?::[^,]*)?(?:=[^,]*)?(?:,|$)" % _WORD, re.DOTALL)
_EXPORT = regex(
    rb"""export\s*(?:
        (default)\b
      | (?:declare\s+|abstract\s+|async\s+|const\s+(?=enum\b))*
        (?:const|let|var|function|class|interface|type|enum|namespace|module|import|using)\b(?:\s+|\s*\*\s*)(%b)
      | (?:declare\s+)?(?:const|let|var)\s*[{\[]([^=]*)[}\]]\s*=
      | (?:type\b\s*)?\{(%b)\}(?:\s*from\s*["']([^"'\n]+)["'])?
      | (?:type\b\s*)?\*\s*(?:as\s+(%b|"[^"\n]*"|'[^'\n]*')\s*)?from\s*["']([^"'\n]+)["']
    )"""
    % (_WORD, _BRACED, _WORD),
    re.VERBOSE,
)
_ASSIGNED = regex(rb"exports\.(%b)\s*=[^=]" % _WORD)
_ASSIGNED_WHOLE = regex(rb"module\.exports\s*=\s*")
_ENTRY = regex(
    rb"(?>\s+|//[^\n]*|/\*.*?\*/)*+(?:(%b)\s*(?:,|(?=\})|:\s*[\w$.]+\s*(?:,|(?=\}))))" % _WORD, re.DOTALL
)
_PART_OF_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.")


class Statement(NamedTuple):
    """One candidate. ``kind`` is "import", "export", "require" or "dynamic"; ``at`` is the specifier without quotes.

    ``clause`` is the text between braces; ``default`` and ``namespace`` are the spans of the bindings of that kind
    (of ``require``, ``namespace`` is the variable that takes the whole, and ``member`` what is read of it at once).
    """

    kind: str
    specifier: str
    at: Span
    clause: Span | None = None
    default: Span | None = None
    namespace: Span | None = None
    types: bool = False
    member: Span | None = None


class Exports(NamedTuple):
    """Names that a file seems to export. ``moved`` has those that come from elsewhere: name → (specifier, name there),
    "*" for a whole namespace."""

    names: frozenset[str] | set[str]
    moved: dict[str, tuple[str, str]]
    stars: tuple[str, ...]


def text(data: bytes) -> str:
    """A name or specifier as text, without the quotes of a string."""
    if data[:1] in b"\"'" and data:
        data = data[1:-1]
    return data.decode("utf-8", "replace")


def statements(data: bytes) -> list[Statement]:
    """Every candidate for an import, re-export, ``require`` or ``import()`` with a literal specifier."""
    found: list[Statement] = []
    add = found.append
    for m in _IMPORT.finditer(data):
        start = m.start()
        if start and data[start - 1] in _PART_OF_WORD:
            continue
        which = m.lastindex
        if which == 6:
            types, default, clause, namespace = m[2], m.span(3), m.span(4), m.span(5)
            add(Statement(
                "import", m[6].decode("utf-8", "replace"), m.span(6),
                clause if clause[0] >= 0 else None,
                default if default[0] >= 0 else None,
                namespace if namespace[0] >= 0 else None,
                types is not None,
            ))
        elif which == 1:
            add(Statement("import", m[1].decode("utf-8", "replace"), m.span(1)))
        else:
            line = max(data.rfind(b"\n", 0, start) + 1, start - 300)
            if not _COMMENTED.match(data, line, start):
                add(_loaded("dynamic", m[7], m.span(7), data, start))
    if b"export" in data:
        for m in _REEXPORT.finditer(data):
            clause = m.span(2)
            add(Statement("export", m[4].decode("utf-8", "replace"), m.span(4),
                          clause if clause[0] >= 0 else None, types=m[1] is not None))
    if b"require" in data:
        for m in _REQUIRE.finditer(data):
            start = m.start()
            if not start or data[start - 1] not in _PART_OF_WORD:
                add(_loaded("require", m[1], m.span(1), data, start))
    return found


def _loaded(kind: str, specifier: bytes, at: Span, data: bytes, start: int) -> Statement:
    if (member := _MEMBER.match(data, at[1] + 1)) is not None:
        return Statement(kind, text(specifier), at, member=member.span(1))
    head = data[max(0, start - 400) : start]
    into = None
    if (sign := head.rfind(b"=", -12)) >= 0:
        # Searched from the brace, or from near the end: a name is short
        brace = head.rfind(b"{") if head[:sign].rstrip().endswith(b"}") else -1
        into = _REQUIRED_INTO.search(head, brace if brace >= 0 else max(0, sign - 80))
    if into is None:
        return Statement(kind, text(specifier), at)
    shift = start - len(head)
    name, clause = into.span(1), into.span(2)
    return Statement(
        kind, text(specifier), at,
        (clause[0] + shift, clause[1] + shift) if clause[0] >= 0 else None,
        namespace=(name[0] + shift, name[1] + shift) if name[0] >= 0 else None,
    )


def named(data: bytes, clause: Span) -> list[tuple[str, Span, bool]]:
    """The names in the braces of an import or export: name in the other module, its span, whether marked ``type``."""
    return [
        (text(m[2]), m.span(2), m[1] is not None)
        for m in _NAMED.finditer(data, clause[0], clause[1])
        if m[2] is not None
    ]


def picked(data: bytes, clause: Span) -> list[tuple[str, Span]]:
    """The keys in the braces of ``const { a, b: c } = require(…)``; nested patterns come out as words of no meaning."""
    return [
        (m[2].decode("utf-8", "replace"), m.span(2))
        for m in _PICKED.finditer(data, clause[0], clause[1])
        if m[2] is not None and m[1] is None
    ]


def members(data: bytes, name: bytes) -> set[str]:
    """What seems to be read as a member of the variable ``name``."""
    found: set[str] = set()
    at = data.find(name)
    while at >= 0:
        end = at + len(name)
        if (m := _READ.match(data, end)) is not None and (not at or data[at - 1] not in _PART_OF_WORD):
            found.add(m[1].decode("utf-8", "replace"))
        at = data.find(name, end)
    return found


def exports(data: bytes) -> Exports:
    """Everything that looks like an export, ES or CommonJS; more than there is rather than less."""
    names: set[str] = set()
    moved: dict[str, tuple[str, str]] = {}
    stars: list[str] = []
    for m in _EXPORT.finditer(data):
        which = m.lastindex
        if which == 2:
            names.add(m[2].decode("utf-8", "replace"))
        elif which == 1:
            names.add("default")
        elif which == 3:
            names.update(w.decode("utf-8", "replace") for w in re.findall(_WORD, m[3]))
        elif which == 4 or which == 5:
            source = text(m[5]) if m[5] is not None else None
            for part in _NAMED.finditer(data, m.start(4), m.end(4)):
                if part[2] is not None:
                    name = text(part[3] or part[2])
                    names.add(name)
                    if source is not None:
                        moved[name] = (source, text(part[2]))
        elif m[6] is not None:
            names.add(text(m[6]))
            moved[text(m[6])] = (text(m[7]), "*")
        else:
            stars.append(text(m[7]))
    if b"exports" in data:
        names.update(m.decode("utf-8", "replace") for m in _ASSIGNED.findall(data))
        for m in _ASSIGNED_WHOLE.finditer(data):
            names.add("default")
            at = m.end()
            if data[at : at + 1] == b"{":
                at += 1
                while entry := _ENTRY.match(data, at):
                    names.add(entry[1].decode("utf-8", "replace"))
                    at = entry.end()
            elif required := _REQUIRE.match(data, at):
                stars.append(text(required[1]))
    return Exports(names, moved, tuple(stars))
