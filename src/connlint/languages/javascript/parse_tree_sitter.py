"""JavaScript and TypeScript with tree-sitter: bytes → ESTree with byte positions.

What comes out is what esprima would have made of the same program without its types. tree-sitter reads on after a
syntax error: the innermost statement around it is dropped, and the place is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal

from connlint.languages.javascript.adapt import Adapter
from connlint.languages.javascript.estree import Node
from connlint.languages.javascript.repairs import MAY_GIVE_TYPES, TYPES_OF_CALLS, errors, repaired
from connlint.patterns import regex

Dialect = Literal["typescript", "tsx"]
"""``tsx`` knows JSX and reads JavaScript as well; ``typescript`` knows the old cast ``<T>x``."""

_FIELDS = (
    "alias", "alternative", "argument", "arguments", "body", "condition", "consequence", "constructor", "declaration",
    "finalizer", "function", "handler", "increment", "index", "initializer", "key", "kind", "label", "left", "module",
    "name", "object", "open_tag", "operator", "parameter", "parameters", "pattern", "property", "right", "source",
    "type", "value",
)
_MOST_REPAIRS = 3
_COMMENT = regex(rb"/[/*]|<!--|-->")


@cache
def _dialect(name: Dialect) -> tuple[Any, SimpleNamespace]:
    """A parser, and the numbers of its fields."""
    import tree_sitter
    import tree_sitter_typescript

    raw = tree_sitter_typescript.language_tsx() if name == "tsx" else tree_sitter_typescript.language_typescript()
    language = tree_sitter.Language(raw)
    fields = {field: language.field_id_for_name(field) for field in _FIELDS}
    return tree_sitter.Parser(language), SimpleNamespace(**fields)


@cache
def query(dialect: Dialect, text: str) -> Any:
    """A cursor for a query, which takes longer to make than it takes to read a few files."""
    import tree_sitter

    return tree_sitter.QueryCursor(tree_sitter.Query(_dialect(dialect)[0].language, text))


def tree(data: bytes, dialect: Dialect) -> Any:
    """tree-sitter's own tree of UTF-8 ``data``, for who needs the words and not their meaning."""
    return _dialect(dialect)[0].parse(data)


def parse(
    data: bytes,
    dialect: Dialect,
    *,
    base: int = 0,
    table: Sequence[int] | None = None,
    words: Sequence[bytes] | None = None,
    ambient: bool = False,
) -> tuple[Node, list[tuple[str, tuple[int, int]]]]:
    """Parse UTF-8 ``data`` to a ``Program`` and the places that could not be read, each with its reason.

    ``data`` starts at byte ``base`` of the file, or ``table`` gives the byte of the file for every byte of ``data``.
    With ``words``, functions and classes at the top level that hold none of them, and are not mentioned by what does,
    become ``Unread``. ``ambient`` is for ``.d.ts`` files, where a signature declares a name.
    """
    parser, fields = _dialect(dialect)
    root = parser.parse(data).root_node
    ends, text = _ends_before_comments(data, root), data
    for _ in range(_MOST_REPAIRS):
        calls = query(dialect, TYPES_OF_CALLS).captures(root) if MAY_GIVE_TYPES.search(text) else {}
        patched = repaired(text, root, calls)
        if patched is None:
            break
        again = parser.parse(patched).root_node
        if errors(again) > errors(root):
            break
        root, text = again, patched
    adapter = Adapter(data, fields, base, table, ambient)
    adapter.ends = ends
    if root.has_error:
        adapter.mark_broken(root)
    passed_over = {} if words is None else adapter.passed_over(root, words)
    return adapter.program(root, passed_over), adapter.problems


def _ends_before_comments(data: bytes, root: Any) -> dict[int, int]:
    """Where that what ends with a comment really ends.

    While the grammar looks for a semicolon, it takes the comments after a statement or block for a part of it.
    """
    ends: dict[int, int] = {}
    at = 0
    while (found := _COMMENT.search(data, at)) is not None:
        start, at = found.span()
        node = root.descendant_for_byte_range(start, at)
        if node.type not in ("comment", "html_comment") or node.start_byte != start:
            continue  # inside of a text
        before, at = start, node.end_byte
        while before and data[before - 1] in b" \t\r\n":
            before -= 1
        ends[at] = ends.get(before, before)
    return ends
