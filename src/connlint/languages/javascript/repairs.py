"""TypeScript that the grammar refuses or misreads, made harmless.

The parse is repeated with the places blanked that are known to be sound and not in the grammar: all of them are types,
modifiers and text without meaning at run time. Replacements keep every offset, and texts are always taken from the
bytes as they were, so that nothing else can change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from connlint.patterns import regex

_TEXT = rb"""(?:"[^"\n]*"|'[^'\n]*')"""
_MODIFIERS = rb"(?:(?:static|public|private|protected|readonly|override|declare)\s+)*"
_BLANKED = tuple(regex(pattern, re.MULTILINE) for pattern in (
    rb"\bexport\s+(type)\s*\*",  # export type * from "x"
    rb"\bimport\s+(defer|source)\s+[*\w]",  # import defer * as x from "y"
    rb"\bexport\s+default\s+(abstract)\s+class\b",
    rb"(?:^|[;{}])\s*" + _MODIFIERS + rb"(accessor)\s+[\w#$\['\"]",
    rb"[<,]\s*((?:in\s+out|in|out)\s+)[A-Z]\w*\s*(?:[,>=]|extends\b)",  # variance of type parameters
))
_NAMED = tuple(regex(pattern) for pattern in (
    rb"\btypeof\s+(import\s*\(\s*" + _TEXT + rb"\s*\))",  # f<typeof import("x")>()
    rb"(\bimport\s*\(\s*" + _TEXT + rb"\s*\))\s*\.\s*[A-Z]",  # import("x").Type
))
_AMPERSAND = regex(rb"(?<!&)&(?!&)")
_MOST_ERRORS = 200

TYPES_OF_CALLS = """
(call_expression
  function: [
    (await_expression) (unary_expression) (binary_expression) (update_expression) (ternary_expression)
    (arrow_function) (assignment_expression) (augmented_assignment_expression) (yield_expression)
    (as_expression) (satisfies_expression) (sequence_expression)
  ]
  type_arguments: (type_arguments)) @misread
(call_expression type_arguments: (type_arguments) @types)
(instantiation_expression (type_arguments) @instantiated)
"""
"""What `repaired` has to know of a tree: ``await f<T>(x)`` is read as ``(await f)<T>(x)``, and so is ``!f<T>(x)``."""
MAY_GIVE_TYPES = regex(rb">(?<!=>)[ \t\r\n]*(?:[(`]|\?\.|/[/*])")
"""What stands in a text in which a call, or a text that is tagged, is given types."""


def repaired(data: bytes, root: Any, captures: dict[str, list[Any]]) -> bytes | None:
    """``data`` with what the grammar gets wrong blanked; None where there is nothing to do.

    ``captures`` is what the query `TYPES_OF_CALLS` found in the tree ``root`` of ``data``.
    """
    patches: list[tuple[int, int, bytes]] = []
    for types in captures.get("instantiated", ()):
        if data[types.end_byte : types.end_byte + 1] == b"`":  # tag<Type>`…`
            patches.append((types.start_byte, types.end_byte, b" "))
    if patches or "misread" in captures:  # all of them: a chain that is put right may show the next one wrong
        patches += [(types.start_byte, types.end_byte, b" ") for types in captures.get("types", ())]
    if root.has_error:
        patches += [(*m.span(1), b" ") for pattern in _BLANKED for m in pattern.finditer(data)]
        patches += [(*m.span(1), b"$") for pattern in _NAMED for m in pattern.finditer(data)]
        patches += _ampersands(data, root)
    if not patches:
        return None
    work = bytearray(data)
    for start, end, filler in patches:
        work[start:end] = filler * (end - start)
    return bytes(work)


def errors(root: Any) -> int:
    """How many places of a tree could not be read."""
    return sum(1 for _ in _errors(root)) if root.has_error else 0


def _errors(root: Any) -> Iterator[Any]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            yield node
        elif node.has_error:
            stack.extend(node.children)


def _ampersands(data: bytes, root: Any) -> list[tuple[int, int, bytes]]:
    """``&`` in JSX text or an attribute that starts no character reference, as far as it stands in an error."""
    patches = []
    for node in islice(_errors(root), _MOST_ERRORS):
        if b"&" in data[node.start_byte : node.end_byte]:
            patches += [(*m.span(), b" ") for m in _AMPERSAND.finditer(data, node.start_byte, node.end_byte)]
    return patches
