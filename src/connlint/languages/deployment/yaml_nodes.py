"""YAML with positions, by PyYAML's own composer; safe against bombs, loops and whatever is no mapping.

Aliases stay shared nodes and are never copied, so that a bomb costs no more than its text. A walk that could go round
is cut by depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.patterns import regex

MAX_SIZE = 2_000_000
"""Bytes. Manifests of this size are generated; they are said to be left out."""
_DEPTH = 60
_DEEPEST = 400
_COMPACT = regex(r"(?:[-?:][ \t]+){100}")


class Malformed(ValueError):
    """The text is no YAML; the message says what and the line."""


class Yaml(Struct, frozen=True):
    """A node with its place. Every question has an answer for every kind of node: nothing is there, or it is not."""

    node: Any
    source: Source
    depth: int = 0

    @property
    def place(self) -> Place:
        """Where the node stands, without the blank lines and comments that PyYAML counts to the end of a block."""
        return Place(self.source.path, self.span)

    @property
    def span(self) -> tuple[int, int]:
        start, end = self.node.start_mark.index, self.node.end_mark.index
        text = self.source.text
        while end > start and end <= len(text) and text[end - 1] in " \t\r\n":
            end -= 1
        return self.source.char_to_byte(start), self.source.char_to_byte(end)

    @property
    def text(self) -> str | None:
        """The text of a scalar, as written without quotes; None for everything else and for null."""
        node = self.node
        if node.id != "scalar" or (node.tag == "tag:yaml.org,2002:null" and not node.style):
            return None
        return node.value

    @property
    def is_plain(self) -> bool:
        """Whether a scalar stands on one line just as its value reads: offsets into it are offsets in the file."""
        start, end = self.node.start_mark.index, self.node.end_mark.index
        return self.node.id == "scalar" and self.node.value in self.source.text[start:end]

    def inner_offset(self) -> int:
        """Byte offset at which the value of a plain or quoted scalar starts in the file."""
        start, end = self.node.start_mark.index, self.node.end_mark.index
        at = self.source.text.find(self.node.value, start, end)
        return self.source.char_to_byte(at if at >= 0 else start)

    def items(self) -> Iterator[tuple[Yaml, Yaml]]:
        """Key and value of a mapping, merge keys (``<<``) taken in, a later key before a merged one.

        A mapping that is merged in twice adds nothing the second time, and is not looked at again: merges of merges
        would else take time without end.
        """
        yield from self._items(set())

    def _items(self, merged: set[int]) -> Iterator[tuple[Yaml, Yaml]]:
        if self.node.id != "mapping" or self.depth > _DEPTH or id(self.node) in merged:
            return
        merged.add(id(self.node))
        seen: set[str] = set()
        sources: list[Yaml] = []
        for key, value in self.node.value:
            if key.id == "scalar" and key.value == "<<":
                below = Yaml(value, self.source, self.depth + 1)
                sources += list(below.list()) if value.id == "sequence" else [below]
                continue
            if key.id == "scalar":
                seen.add(key.value)
            yield Yaml(key, self.source, self.depth + 1), Yaml(value, self.source, self.depth + 1)
        for source in sources:
            for key, value in source._items(merged):
                if key.text is not None and key.text not in seen:
                    seen.add(key.text)
                    yield key, value

    def get(self, *path: str) -> Yaml | None:
        """The value under a chain of keys, the last of duplicates; None where one is missing."""
        here: Yaml = self
        for name in path:
            found = None
            for key, value in here.items():
                if key.node.id == "scalar" and key.node.value == name:
                    found = value
            if found is None:
                return None
            here = found
        return here

    def key(self, name: str) -> Yaml | None:
        """The key ``name`` itself, for its place."""
        return next((key for key, _ in self.items() if key.node.id == "scalar" and key.node.value == name), None)

    def list(self) -> Iterator[Yaml]:
        """The items of a sequence."""
        if self.node.id == "sequence" and self.depth <= _DEPTH:
            for item in self.node.value:
                yield Yaml(item, self.source, self.depth + 1)

    def texts(self) -> tuple[str, ...]:
        """The scalars of a sequence, or a single scalar, as texts."""
        if self.node.id == "sequence":
            return tuple(item.text for item in self.list() if item.text is not None)
        return (self.text,) if self.text is not None else ()


def twice(found: Iterable[Yaml]) -> str | None:
    """The first key that stands twice in one mapping, with its line: other readers refuse such a file, or take the
    first value where this one takes the last. None where there is none."""
    waiting = [document.node for document in found]
    seen: set[int] = set()
    worst: tuple[int, str] | None = None
    while waiting:
        node = waiting.pop()
        if id(node) in seen or node.id == "scalar":
            continue
        seen.add(id(node))
        if node.id == "sequence":
            waiting += node.value
            continue
        names: set[str] = set()
        for key, value in node.value:
            waiting.append(value)
            if key.id == "scalar" and key.value != "<<":
                line = key.start_mark.line + 1
                if key.value in names and (worst is None or line < worst[0]):
                    worst = line, key.value
                names.add(key.value)
    return None if worst is None else f"line {worst[0]}: the key '{worst[1]}' stands twice; the last one was taken"


def _is_suspicious(text: str) -> bool:
    """Whether a text may be nested deeper than by its indentation, which costs a byte more for every step."""
    return text.count("[") + text.count("{") > _DEEPEST or _COMPACT.search(text) is not None


def _depth(text: str, loader: Any) -> int:
    """How deep collections lie in each other, counted no further than needed. The composer itself recurses, and on a
    deep text brings the process down."""
    import yaml

    depth = 0
    for event in yaml.parse(text, loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                break
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return depth


def documents(source: Source) -> list[Yaml]:
    """The documents of a YAML file. Raises `Malformed`."""
    import yaml

    if len(source.data) > MAX_SIZE:
        raise Malformed(f"larger than {MAX_SIZE // 1_000_000} MB")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if _is_suspicious(source.text) and _depth(source.text, loader) > _DEEPEST:
            raise Malformed("nested too deeply")
        found = [Yaml(node, source) for node in yaml.compose_all(source.text, loader) if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise Malformed(f"{where}{error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Malformed(str(error).split("\n")[0] or "nested too deeply") from None
    return found
