"""Which names of a CommonJS file an ES ``import`` sees in Node.

Node does not run the file to learn them: it looks for a few forms in its text. A name given in another way is there for
``require`` and a SyntaxError for ``import { name }``. The forms were measured with Node 20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connlint.languages.javascript.syntax import assigned, occurrences, parse, required, text
from connlint.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_SIMPLE_GETTER = regex(rb"\breturn\s+[\w$.]+\s*;?\s*\}|=>\s*[\w$.]+\s*[,}]|\bvalue\s*:")


def seen_by_import(path: str, data: bytes) -> tuple[set[str], list[str]] | None:
    """The names seen, and the modules whose names are seen as well; None where the file does not parse."""
    root = parse(path, data)
    if root is None or root.has_error:
        return None
    names: set[str] = {"default", "module.exports"}
    passed_on: list[str] = []
    for node in occurrences(root, data, b"exports"):
        _use(node, names, passed_on)
    for node in occurrences(root, data, b"exports", ("property_identifier",)):
        member = node.parent
        owner = member.child_by_field_name("object") if member is not None else None
        if member is not None and owner is not None and owner.text == b"module":
            _use(member, names, passed_on)
    return names, passed_on


def _use(node: Node, names: set[str], passed_on: list[str]) -> None:
    """``node`` is ``exports`` or ``module.exports``."""
    parent = node.parent
    if parent is None:
        return
    if parent.type == "member_expression" and parent.child_by_field_name("object") == node and assigned(parent):
        names.add(text(parent.child_by_field_name("property")))
    elif parent.type == "subscript_expression" and parent.child_by_field_name("object") == node and assigned(parent):
        index = parent.child_by_field_name("index")
        if index is not None and index.type == "string":
            names.add(text(index))
    elif parent.type == "assignment_expression" and node.type == "member_expression":
        value = parent.child_by_field_name("right")
        while value is not None and value.type == "assignment_expression":
            value = value.child_by_field_name("right")
        if (specifier := required(value)) is not None:
            passed_on.append(specifier)
        elif value is not None and value.type == "object":
            _literal(value, names, passed_on)
    elif parent.type == "arguments" and parent.parent is not None:
        called = text(parent.parent.child_by_field_name("function"))
        given = parent.named_children
        if called == "Object.defineProperty" and len(given) == 3 and given[1].type == "string":
            if _SIMPLE_GETTER.search(given[2].text or b""):
                names.add(text(given[1]))
        elif called.endswith("__exportStar") and (specifier := required(given[0])) is not None:
            passed_on.append(specifier)


def _literal(value: Node, names: set[str], passed_on: list[str]) -> None:
    """The keys of an object as far as Node reads: up to the first value that is more than an identifier."""
    for entry in value.named_children:
        if entry.type == "comment":
            continue
        if entry.type == "shorthand_property_identifier":
            names.add(text(entry))
        elif entry.type == "spread_element" and (specifier := required(entry.named_children[0])) is not None:
            passed_on.append(specifier)
        elif entry.type == "method_definition":
            names.add(text(entry.child_by_field_name("name")))
            return
        elif entry.type == "pair":
            first = entry.child_by_field_name("value")
            while first is not None and first.type in ("call_expression", "member_expression", "binary_expression"):
                first = first.children[0]
            if first is None or first.type != "identifier":
                return
            names.add(text(entry.child_by_field_name("key")))
            if entry.child_by_field_name("value") != first:
                return
        else:
            return
