"""The tree that both parsers agree on: ESTree, the shape that JavaScript's tools share.

esprima makes these nodes by itself, with its own classes. `parse_tree_sitter` makes `Node`, and uses the same type
names and fields as esprima, so that `lower` sees one tree. Every node's ``range`` is in bytes of the file as read.

What TypeScript adds has names of its own:

- ``TSNames`` (names, at_run_time, body): interfaces, type aliases, ambient declarations, enums, namespaces;
- ``TSImportEquals`` (id, value, importKind) and ``TSExportAssignment`` (expression);
- ``TSParameterProperty`` (parameter): a constructor's parameter that is a field as well;
- ``annotation`` of a binding: the ``Identifier`` or ``MemberExpression`` that its type is, without arguments, where it
  is that simple.

``Unread`` (names) is a declaration that was passed over.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class Node(SimpleNamespace):
    """One node: ``type``, ``range`` and its fields. A field that is not there reads as None, as esprima has it."""

    type: str
    range: tuple[int, int]

    def __getattr__(self, name: str) -> Any:
        return None


class Refused(Exception):
    """A parser could not read the text; the message says why, ``offset`` is a byte of the file where known."""

    def __init__(self, message: str, offset: int | None = None, kind: str = "syntax") -> None:
        super().__init__(message)
        self.offset = offset
        self.kind = kind
