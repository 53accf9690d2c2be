"""Second copies of a project's own code: dated snapshots, and folders set by beside the one that is in use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connlint.patterns import regex

_DAY = r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
_TIME = r"(?:[01]\d|2[0-3])(?:[-_.]?[0-5]\d){1,2}"
_WORD = r"(?:backups?|bak|old|orig|copy|snapshot)"
_DATED = regex(
    rf"(?:^|/)(?:[^/]*(?<![0-9]){_DAY}[-_T]{_TIME}(?![0-9])[^/]*"
    rf"|(?:[^/]*[-_. ])?{_WORD}[-_. ](?:[^/]*[-_. ])?{_DAY}(?![0-9])[^/]*"
    rf"|[^/]*(?<![0-9]){_DAY}[-_. ]{_WORD}(?:[-_. ][^/]*)?"
    rf"|backups?/(?:[^/]+/)*?(?:[^/]*[-_. ])?{_DAY}(?:[-_. ][^/]*)?)/", re.I)
"""A folder whose name holds a day and a time of it, or a day where it or one above says that it is a backup."""
_CHANGES = regex(r"(?:^|/)(?:migrations?|migrate|versions|alembic|seeds?|seeders|prisma|drizzle)/", re.I)
"""Folders whose content is named by the time at which it was written, and is in use."""
_MARKED = regex(rf"(?:^|[-_. ]){_WORD}(?:$|[-_. ])", re.I)
_EVERYWHERE = regex(r"(?:^|/)(?:__init__|__main__|index|main|conftest|setup)\.\w+$")
"""Files that two folders share without being copies of each other."""
_FEWEST = 2
"""Files with a twin, below which a folder is no copy by that."""


def is_dated(path: str) -> bool:
    """Whether a file lies in a folder that is dated as a snapshot is. Migrations are dated, too, and no copy."""
    return _DATED.search(path) is not None and _CHANGES.search(path) is None


def mirrors(code: Iterable[str], listed: frozenset[str]) -> tuple[str, ...]:
    """The folders, each with a slash at its end, that repeat code which stands elsewhere in the project.

    Such a folder says by its name that it is a backup or old, and of its files in ``code`` whose names tell more than
    ``index.js`` does, more than half have a twin in ``listed`` at the same path: below the root or the folder that
    holds the copy, or below the folder whose name it has but for that word. A living feature called ``backup`` has
    none.
    """
    below: dict[str, list[str]] = {}
    marked: dict[str, bool] = {}
    for path in code:
        at = path.find("/")
        start = 0
        while at >= 0:
            name = path[start:at]
            if name not in marked:
                marked[name] = _MARKED.search(name) is not None
            if marked[name]:
                below.setdefault(path[: at + 1], []).append(path)
                break
            start = at + 1
            at = path.find("/", start)
    return tuple(sorted(folder for folder, paths in below.items() if _is_mirror(folder, paths, listed)))


def _is_mirror(folder: str, paths: list[str], listed: frozenset[str]) -> bool:
    telling = [path for path in paths if not _EVERYWHERE.search(path)]
    found = sum(_has_twin(folder, path, listed) for path in telling)
    return found >= _FEWEST and 2 * found > len(telling)


def _has_twin(folder: str, path: str, listed: frozenset[str]) -> bool:
    parent, _, name = folder[:-1].rpartition("/")
    base = parent + "/" if parent else ""
    rest = path[len(folder):]
    plain = _MARKED.sub("", name)
    if plain and f"{base}{plain}/{rest}" in listed:
        return True
    while "/" in rest:
        if rest in listed or base + rest in listed:
            return True
        rest = rest.partition("/")[2]
    return False
