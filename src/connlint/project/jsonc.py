"""JSON as configuration files write it: with comments, trailing commas and a byte-order mark."""

from __future__ import annotations

import json
import re
from typing import Any

from connlint.patterns import regex

_COMMENT = regex(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = regex(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.DOTALL)
# Two passes: one expression for both would try every way to cut a row of comments.


def loads(data: bytes | None) -> dict[str, Any] | None:
    """The object in ``data``; None where there is none or it cannot be read."""
    if data is None:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        try:
            for pattern in (_COMMENT, _LAST_COMMA):
                text = pattern.sub(lambda m: m[0] if m[0].startswith('"') else "", text)
            value = json.loads(text)
        except ValueError:
            return None
    except RecursionError:
        return None
    return value if isinstance(value, dict) else None


def texts(value: Any) -> list[str]:
    """The texts of a list, or a single text as a list of one; everything else is left out."""
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def mapping(value: Any) -> dict[str, Any]:
    """``value`` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
