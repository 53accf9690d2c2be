"""What JavaScript literals mean: escapes in strings and templates, numbers, character references in JSX."""

from __future__ import annotations

import html
import re

from connlint.patterns import regex

_ESCAPE = regex(r"\\(?:u\{([0-9a-fA-F]{1,8})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|[\s\S]))")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_GONE = {"\n", "\r", "\r\n", "\u2028", "\u2029"}
_SURROGATES = regex("([\ud800-\udbff])([\udc00-\udfff])")


def cooked(raw: str) -> str:
    """The text that the inside of a string or template literal stands for.

    Escapes as in ECMA-262 with its annex B (octal). Two escaped surrogates that belong together become one character.
    """
    if "\\" not in raw:
        return raw
    text = _ESCAPE.sub(_unescape, raw)
    if "\\u" in raw:
        text = _SURROGATES.sub(lambda m: chr(0x10000 + (ord(m[1]) - 0xD800) * 0x400 + ord(m[2]) - 0xDC00), text)
    return text


def _unescape(match: re.Match[str]) -> str:
    braces, four, two, octal, other = match.groups()
    digits = braces or four or two
    if digits is not None:
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else match[0]
    if octal is not None:
        if int(octal, 8) > 255:  # "\400" is "\40" and "0"
            return chr(int(octal[:2], 8)) + octal[2:]
        return chr(int(octal, 8))
    if other in _GONE:
        return ""
    return _PLAIN.get(other, other)


def number(raw: str) -> float:
    """The value of a number as it is written: decimal, hexadecimal, octal, binary, with separators, big integers."""
    text = raw.replace("_", "").rstrip("n").lower()
    try:
        if text[:2] in ("0x", "0o", "0b"):
            return float(int(text, 0))
        if len(text) > 1 and text[0] == "0" and text.isdigit():
            return float(int(text, 8 if "8" not in text and "9" not in text else 10))
        return float(text)
    except OverflowError:
        return float("inf")
    except ValueError:
        return float("nan")


def referenced(text: str) -> str:
    """JSX text and attribute values with their character references (``&amp;``) replaced."""
    return html.unescape(text) if "&" in text else text
