"""Comments: those that speak to connlint, looked for only in files whose bytes hold its name, and all of a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from connlint.languages.javascript.parse_tree_sitter import Dialect, tree
from connlint.model.program import Comment
from connlint.model.source import Source, Span
from connlint.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

MARK = b"connlint:"
_HTML = regex(r"<!--([\s\S]*?)-->")


def every(root: Node) -> list[str]:
    """The text of every comment below ``root``."""
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        if node.type in ("comment", "html_comment"):
            found.append((node.text or b"").decode("utf-8", "replace"))
        else:
            stack.extend(node.children)
    return found


def in_script(source: Source, text: str, dialect: Dialect, place: Callable[[int], int]) -> list[Comment]:
    """Comments with the mark in one script; ``place`` gives the byte of the file for a byte of ``text`` as UTF-8."""
    data = text.encode("utf-8", "surrogatepass")
    found = []
    stack = [tree(data, dialect).root_node]
    while stack:
        node = stack.pop()
        if MARK not in data[node.start_byte : node.end_byte]:
            continue
        if node.type in ("comment", "html_comment"):
            at = place(node.start_byte), place(node.end_byte)
            found.append(_comment(source, data[node.start_byte : node.end_byte].decode("utf-8", "replace"), at))
        else:
            stack.extend(reversed(node.children))
    return found


def in_markup(source: Source, outside: list[Span]) -> list[Comment]:
    """``<!-- … -->`` with the mark, in the stretches of text (in characters) around the scripts."""
    found = []
    for start, end in outside:
        for match in _HTML.finditer(source.text, start, end):
            if MARK.decode() in match[0]:
                at = source.char_to_byte(match.start()), source.char_to_byte(match.end())
                found.append(_comment(source, match[0], at))
    return found


def _comment(source: Source, raw: str, at: Span) -> Comment:
    for opening, closing in (("//", ""), ("/*", "*/"), ("<!--", "-->")):
        if raw.startswith(opening):
            raw = raw[len(opening) :].removesuffix(closing)
            break
    first = source.line(at[0])
    line = source.line_text(first)
    before = line[: source.column(at[0]) - 1]
    last = source.line(max(at[0], at[1] - 1))
    after = source.line_text(last)[source.column(at[1]) - 1 :] if source.line(at[1]) == last else ""
    # The braces of "{/* … */}" in JSX belong to the comment.
    alone = not before.strip().removesuffix("{").strip() and not after.strip().removeprefix("}").strip()
    return Comment(raw.strip().lstrip("*").strip(), at, alone)
