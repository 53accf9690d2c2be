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
from connlint.languages.javascript.repairs import TYPES_OF_CALLS, errors, repaired

Dialect = Literal["typescript", "tsx"]
"""``tsx`` knows JSX and reads JavaScript as well; ``typescript`` knows the old cast ``<T>x``."""

_FIELDS = (
    "alias", "alternative", "argument", "arguments", "body", "condition", "consequence", "constructor", "declaration",
    "finalizer", "function", "handler", "increment", "index", "initializer", "key", "kind", "label", "left", "module",
    "name", "object", "open_tag", "operator", "parameter", "parameters", "pattern", "property", "right", "source",
    "type", "value",
)
_MOST_REPAIRS = 3


@cache
def _dialect(name: Dialect) -> tuple[Any, SimpleNamespace, Any]:
    """A parser, the numbers of its fields, and a query for what has to be known before a tree is walked."""
    import tree_sitter
    import tree_sitter_typescript

    raw = tree_sitter_typescript.language_tsx() if name == "tsx" else tree_sitter_typescript.language_typescript()
    language = tree_sitter.Language(raw)
    fields = {field: language.field_id_for_name(field) for field in _FIELDS}
    query = tree_sitter.Query(language, "[(comment) (html_comment)] @comment" + TYPES_OF_CALLS)
    return tree_sitter.Parser(language), SimpleNamespace(**fields), tree_sitter.QueryCursor(query)


def language(dialect: Dialect) -> Any:
    """tree-sitter's grammar of a dialect, to make queries with."""
    return _dialect(dialect)[0].language


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
    parser, fields, query = _dialect(dialect)
    root = parser.parse(data).root_node
    captures = query.captures(root)
    comments, text = captures.get("comment", ()), data
    for _ in range(_MOST_REPAIRS):
        patched = repaired(text, root, captures)
        if patched is None:
            break
        again = parser.parse(patched).root_node
        if errors(again) > errors(root):
            break
        root, text = again, patched
        captures = query.captures(root)
    adapter = Adapter(data, fields, base, table, ambient)
    adapter.ends = _ends_before_comments(data, comments)
    if root.has_error:
        adapter.mark_broken(root)
    passed_over = {} if words is None else adapter.passed_over(root, words)
    return adapter.program(root, passed_over), adapter.problems


def _ends_before_comments(data: bytes, comments: Any) -> dict[int, int]:
    """Where that what ends with a comment really ends.

    While the grammar looks for a semicolon, it takes the comments after a statement or block for a part of it.
    """
    ends: dict[int, int] = {}
    for comment in comments:
        before = comment.start_byte
        while before and data[before - 1] in b" \t\r\n":
            before -= 1
        ends[comment.end_byte] = ends.get(before, before)
    return ends
