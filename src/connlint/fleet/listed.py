"""The repositories of a fleet, as a list names them."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from msgspec import Struct

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:)\S+\Z", re.I)
_OUTSIDE = re.compile(r"[^\w.+-]+")


class ListError(ValueError):
    """A list cannot be used; the message names the line."""


class Repository(Struct, frozen=True):
    """One repository. ``source`` is an absolute path or what ``git clone`` takes; ``name`` is that of its files."""

    name: str
    source: str
    is_remote: bool


def read_list(text: str, base: Path) -> list[Repository]:
    """The repositories in ``text``, one a line, a folder (relative to ``base``) or a URL of git; ``#`` is a comment.

    A repository that is listed twice is taken once. Raises `ListError`.
    """
    sources: dict[str, bool] = {}
    for number, line in enumerate(text.splitlines(), 1):
        source = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not source:
            continue
        if source.startswith("-"):
            raise ListError(f"line {number}: {source!r} is neither a folder nor a URL")
        is_remote = _URL.match(source) is not None
        sources.setdefault(source if is_remote else os.path.abspath(base / source), is_remote)
    if not sources:
        raise ListError("no repository is listed")
    names = _names(list(sources))
    return [Repository(names[source], source, is_remote) for source, is_remote in sources.items()]


def _names(sources: list[str]) -> dict[str, str]:
    """A name for the files of each: as many of the last parts of its source as tell it from the others."""
    names: dict[str, str] = {}
    left, parts = sources, 1
    while left:
        tried = {source: _last(source, parts) for source in left}
        counted = Counter(name.lower() for name in [*tried.values(), *names.values()])
        is_longest = all(_last(source, parts + 1) == name for source, name in tried.items())
        for number, (source, name) in enumerate(tried.items()):
            if counted[name.lower()] == 1:
                names[source] = name
            elif is_longest:
                names[source] = f"{name}.{number}"
        left, parts = [source for source in left if source not in names], parts + 1
    return names


def _last(source: str, parts: int) -> str:
    words = [word for word in re.split(r"[/:\\]+", source.removesuffix("/").removesuffix(".git")) if word]
    return _OUTSIDE.sub("_", "+".join(words[-parts:])).lstrip(".-") or "repository"
