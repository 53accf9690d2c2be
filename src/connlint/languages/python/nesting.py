"""Whether a text nests so deeply that a recursive parser would overflow its stack, or take minutes.

libcst's parser recurses in native code: ten thousand brackets, operators or ``elif`` end the process, not the parse.
So what it is given is measured first, without parsing.
"""

from __future__ import annotations

import re

from connlint.patterns import regex

MAX_BRACKETS = 100
"""Half of what CPython allows ("too many nested parentheses"); parsing takes the square of their number."""
MAX_CHAIN = 1000
"""Operators, calls and keywords that may depend on one another; reading takes the square of their number."""
SHORT = 3000
"""No text of fewer characters is looked at: a chain in it is parsed in a second at worst."""
SUSPECT = 100
"""Only where this many characters that could be operators stand between two commas is a text looked at closely."""

_LINKS = regex(
    r"""
      (?:\"{3}(?:[^"\\]|\\.|"(?!""))*+\"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*+'{3})(?P<text>)
    | (?:"(?:[^"\\\n]|\\.)*+" | '(?:[^'\\\n]|\\.)*+')(?P<text_>)
    | \#[^\n]*+
    | [(\[{](?P<open>)
    | [)\]}](?P<close>)
    | [,;](?P<end>)
    | \\\r?\n
    | \n(?P<newline>)
    | (?:[.~!<>&|^@+\-*/%] | \b(?:and|or|not|if|else|elif|lambda|await|in|is)\b)(?P<link>)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = _LINKS.groupindex["open"], _LINKS.groupindex["close"]
_END, _NEWLINE = _LINKS.groupindex["end"], _LINKS.groupindex["newline"]


def too_long(text: str) -> bool:
    """Whether ``text`` may hold more than `MAX_CHAIN` operators that nest in one another, or a like ladder of arms.

    It counts generously: what stands between two commas of one bracket is taken as one chain.
    """
    if len(text) < SHORT:
        return False
    if text.count("elif") > MAX_CHAIN:
        return True
    if not any(len(part) > SUSPECT and _links(part) > SUSPECT for part in text.split(",")):
        return False
    chains = [0]
    total = 0
    for match in _LINKS.finditer(text):
        group = match.lastindex
        if group is None:
            continue
        if group == _OPEN:
            chains[-1] += 1
            total += 1
            if total > MAX_CHAIN:
                return True
            chains.append(0)
        elif group == _CLOSE:
            if len(chains) > 1:
                total -= chains.pop()
        elif group == _END or (group == _NEWLINE and len(chains) == 1):
            total -= chains[-1]
            chains[-1] = 0
        elif group != _NEWLINE:
            chains[-1] += 1
            total += 1
            if total > MAX_CHAIN:
                return True
    return False


def _links(part: str) -> int:
    """No fewer than the operators in ``part``, without looking at what is a string or a comment."""
    found = sum(map(part.count, ".+-~*/%|&^<>@(\"'"))
    return found + sum(map(part.count, ("or ", "and ", "not ", "if ", "await ", "lambda", "in ", "is ")))
