"""TypeScript that the grammar refuses, made harmless.

A parse that failed is repeated with the places blanked that are known to be sound and not in the grammar: all of them
are types, modifiers and text without meaning at run time. Replacements keep every offset, and texts are always taken
from the bytes as they were, so that nothing else can change.
"""

from __future__ import annotations

import re
from typing import Any

_TEXT = rb"""(?:"[^"\n]*"|'[^'\n]*')"""
_MODIFIERS = rb"(?:(?:static|public|private|protected|readonly|override|declare)\s+)*"
_BLANKED = tuple(re.compile(pattern, re.MULTILINE) for pattern in (
    rb"\bexport\s+(type)\s*\*",  # export type * from "x"
    rb"\bimport\s+(defer|source)\s+[*\w]",  # import defer * as x from "y"
    rb"\bexport\s+default\s+(abstract)\s+class\b",
    rb"^\s*" + _MODIFIERS + rb"(accessor)\s+[\w#$\['\"]",  # decorated accessors
    rb"[<,]\s*((?:in\s+out|in|out)\s+)[A-Z]\w*\s*(?:[,>=]|extends\b)",  # variance of type parameters
))
_NAMED = tuple(re.compile(pattern) for pattern in (
    rb"\btypeof\s+(import\s*\(\s*" + _TEXT + rb"\s*\))",  # f<typeof import("x")>()
    rb"(\bimport\s*\(\s*" + _TEXT + rb"\s*\))\s*\.\s*[A-Z]",  # import("x").Type
))
_AMPERSAND = re.compile(rb"&")
_MOST_ERRORS = 200


def repaired(data: bytes, root: Any) -> bytes | None:
    """``data`` with what the grammar cannot read blanked; None where nothing known was found."""
    patches = [(*m.span(1), b" ") for pattern in _BLANKED for m in pattern.finditer(data)]
    patches += [(*m.span(1), b"$") for pattern in _NAMED for m in pattern.finditer(data)]
    patches += _around_errors(data, root)
    if not patches:
        return None
    work = bytearray(data)
    for start, end, filler in patches:
        work[start:end] = filler * (end - start)
    return bytes(work)


def errors(root: Any) -> int:
    """How many places of a tree could not be read."""
    return sum(1 for _ in _errors(root))


def _errors(root: Any) -> Any:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            yield node
        elif node.has_error:
            stack.extend(node.children)


def _around_errors(data: bytes, root: Any) -> list[tuple[int, int, bytes]]:
    """What only the failed tree can tell."""
    patches: list[tuple[int, int, bytes]] = []
    for count, node in enumerate(_errors(root)):
        parent = node.parent
        if count > _MOST_ERRORS or parent is None:
            break
        if node.is_missing:
            # tag<Type>`…` is read as tag<Type>! with the mark missing
            inner = parent.named_children[0] if parent.named_children else None
            if parent.type == "non_null_expression" and inner is not None and inner.type == "instantiation_expression":
                types = inner.named_children[-1]
                patches.append((types.start_byte, types.end_byte, b" "))
        elif parent.type in ("jsx_element", "string") and data[node.start_byte : node.start_byte + 1] == b"&":
            # "&" in JSX text or an attribute that starts no character reference
            patches += [(m.start(), m.end(), b" ") for m in _AMPERSAND.finditer(data, node.start_byte, node.end_byte)]
    return patches
