"""What Python's string and number literals mean."""

from __future__ import annotations

import re

from connlint.patterns import regex

_STRING = regex(r"([A-Za-z]*)('''|\"\"\"|'|\")", re.ASCII)
_ESCAPE = regex(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<x>[0-9A-Fa-f]{2})|u(?P<u>[0-9A-Fa-f]{4})|U(?P<U>[0-9A-Fa-f]{8})"
    r"|N\{(?P<name>[^}]*)\}|(?P<one>\r\n|[\s\S]))"
)
_ONE = {
    "\n": "",
    "\r": "",
    "\r\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
# In bytes these four are no escapes.
_TEXT_ONLY = ("u", "U", "name")


def string_value(literal: str) -> str:
    """The value of a literal with its prefix and quotes; bytes as latin-1 text, line ends as line feeds."""
    match = _STRING.match(literal)
    if match is None:
        return literal
    quote = match[2]
    return cooked(literal[match.end() : -len(quote)], match[1].lower())


def cooked(raw: str, prefix: str) -> str:
    """The text between the quotes of a literal with ``prefix`` (lower case), escapes resolved."""
    if "\r" in raw:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" not in raw or "r" in prefix:
        return raw
    return _ESCAPE.sub(_resolve_in_bytes if "b" in prefix else _resolve, raw)


def _resolve(match: re.Match[str]) -> str:
    kind = match.lastgroup
    assert kind is not None
    text = match[kind]
    if kind == "one":
        return _ONE.get(text, match[0])
    if kind == "octal":
        return chr(int(text, 8))
    if kind == "name":
        import unicodedata

        try:
            return unicodedata.lookup(text)
        except KeyError:
            return match[0]
    code = int(text, 16)
    return chr(code) if code < 0x110000 else match[0]


def _resolve_in_bytes(match: re.Match[str]) -> str:
    if match.lastgroup in _TEXT_ONLY:
        return match[0]
    if match.lastgroup == "octal":
        return chr(int(match["octal"], 8) & 0xFF)
    return _resolve(match)


def number_value(literal: str) -> float | None:
    """The value of an integer or float literal (``10_000``, ``0x1F``, ``1e3``); None if it has none here."""
    digits = literal.replace("_", "")
    try:
        return int(digits, 0)
    except ValueError:
        pass
    try:
        return float(digits)
    except ValueError:
        return None
