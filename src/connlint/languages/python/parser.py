"""libcst's parser, with plain nodes instead of libcst's classes where that can be had.

libcst parses in native code, which looks up the name of each node in the module ``libcst`` and calls what it finds.
Those classes validate what the parser has just made, print it again and rewrite it; defining their 250 dataclasses
takes 0.3 s of every process. A linter only looks at the tree. So the extension is loaded without the package around it,
and while it parses, ``libcst`` is a namespace of plain classes: the same trees, the same attribute names.

If the installed libcst does not work that way, or not as expected, libcst is imported as usual; readers cannot tell.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any

# Punctuation and white space, which nobody asks for: built fast, and never looked at.
_PUNCTUATION = (
    "SimpleWhitespace",
    "ParenthesizedWhitespace",
    "TrailingWhitespace",
    "EmptyLine",
    "Newline",
    "Comment",
    "Comma",
    "Semicolon",
    "Colon",
    "AssignEqual",
    "RightParen",
    "LeftSquareBracket",
    "RightSquareBracket",
    "LeftCurlyBrace",
    "RightCurlyBrace",
)
_lock = threading.Lock()


class SyntaxProblem(Exception):
    """What the parser raises for text that is not Python; ``message`` is its reason."""

    def __init__(self, message: str = "", **_place: Any) -> None:
        super().__init__(message)
        self.message = message


class Node(SimpleNamespace):
    """A node with the fields that the parser has set; any other field is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


class _Nodes(ModuleType):
    """Stands in for ``libcst``: has a class for every name that the parser asks for."""

    def __init__(self) -> None:
        super().__init__("libcst")
        self.__path__: list[str] = []
        self.ParserSyntaxError = SyntaxProblem
        self.MaybeSentinel = SimpleNamespace(DEFAULT=None)
        for name in _PUNCTUATION:
            setattr(self, name, dict)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = type(name, (Node,), {"__slots__": ()})
        setattr(self, name, found)
        return found


class Parser:
    """``nodes`` has the classes of the trees as attributes; `parse` raises whatever the parser raises."""

    def __init__(self, nodes: Any, parse: Callable[[str], Any]) -> None:
        self.nodes = nodes
        self.parse = parse


@lru_cache(maxsize=1)
def parser() -> Parser:
    """The parser of this process, loaded at the first call."""
    try:
        return plain_parser()
    except Exception:
        return full_parser()


def full_parser() -> Parser:
    """libcst as it is imported by everybody."""
    import libcst
    from libcst import native  # type: ignore[attr-defined]

    return Parser(libcst, native.parse_module)


def plain_parser() -> Parser:
    """libcst's extension alone, building plain nodes. Raises where that does not work as expected."""
    nodes = _Nodes()
    native = _extension(nodes)

    def parse(text: str) -> Any:
        with _standing_in(nodes):
            return native.parse_module(text)

    _examine(parse)
    return Parser(nodes, parse)


def _extension(nodes: _Nodes) -> Any:
    """The module ``libcst.native``. A process can initialise it once: whoever imports libcst later shares it."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec, module_from_spec

    loaded = sys.modules.get("libcst.native")
    if loaded is not None:
        return loaded
    package = find_spec("libcst")
    if package is None:
        raise ImportError("libcst is not installed")
    spec = PathFinder.find_spec("libcst.native", package.submodule_search_locations)
    if spec is None or spec.loader is None:
        raise ImportError("libcst has no native parser")
    with _standing_in(nodes):
        native = module_from_spec(spec)
        spec.loader.exec_module(native)
    sys.modules["libcst.native"] = native
    return native


@contextmanager
def _standing_in(nodes: _Nodes) -> Iterator[None]:
    """Let the parser find ``nodes`` where it looks for ``libcst``."""
    with _lock:
        package = sys.modules.get("libcst")
        sys.modules["libcst"] = nodes
        try:
            yield
        finally:
            if package is None:
                del sys.modules["libcst"]
            else:
                sys.modules["libcst"] = package


def _examine(parse: Callable[[str], Any]) -> None:
    """Raise if trees are not what they should be."""
    statement = parse("with (a as b): f(c, *d)\n").body[0]
    call = statement.body.body[0].value
    kinds = [type(node).__name__ for node in (statement, statement.lpar, call, call.args[1])]
    if kinds != ["With", "LeftParen", "Call", "Arg"] or call.func.value != "f" or call.args[1].star != "*":
        raise TypeError("the parser builds other trees")
    try:
        parse("x = (\n")
    except SyntaxProblem:
        return
    raise TypeError("the parser raises something else")
