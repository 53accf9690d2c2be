"""The files of the project as the rest of the program sees them; the rim gives the one that reads the disk."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Protocol


class Tree(Protocol):
    """Paths are relative to the project's root, with forward slashes, and without a leading ``./``."""

    paths: frozenset[str]
    """Every file that belongs to the project (ignored ones are not among them, vendored and generated ones are)."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, also of one that is not in ``paths``; None where it cannot be read."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there on the disk, listed or ignored."""

    def ignored(self, path: str) -> bool:
        """Whether the project's ignore rules cover ``path``, so that it may be there after a build."""

    @property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a listed file at any depth; "" is the root."""


def folders_of(paths: frozenset[str]) -> frozenset[str]:
    """All folders above ``paths``."""
    found = {""}
    for path in paths:
        at = path.rfind("/")
        while at > 0:
            folder = path[:at]
            if folder in found:
                break
            found.add(folder)
            at = folder.rfind("/")
    return frozenset(found)


class HeldTree:
    """A tree whose files are read once: their bytes are held for whoever asks next, as far as there is room.

    Searches ask for the same files again and again, and opening a file takes longer than most of them. One of these
    serves one run, so nothing that is held is older than that.
    """

    ROOM = 80_000_000
    """Bytes. What comes after that is read whenever it is asked for."""

    def __init__(self, base: Tree) -> None:
        self.base = base
        self.paths = base.paths
        self.root = getattr(base, "root", None)
        self._held: dict[str, bytes | None] = {}
        self._room = self.ROOM

    def read(self, path: str) -> bytes | None:
        try:
            return self._held[path]
        except KeyError:
            data = self.base.read(path)
            size = 0 if data is None else len(data)
            if size <= self._room:
                self._held[path] = data
                self._room -= size
            return data

    def let_go(self, path: str) -> None:
        """Hold the bytes of ``path`` no longer: nobody is expected to ask again."""
        data = self._held.pop(path, None)
        self._room += 0 if data is None else len(data)

    def exists(self, path: str) -> bool:
        return self.base.exists(path)

    def ignored(self, path: str) -> bool:
        return self.base.ignored(path)

    @property
    def folders(self) -> frozenset[str]:
        return self.base.folders


class MemoryTree:
    """A tree of given contents, for tests and for proving fixes."""

    def __init__(self, files: Mapping[str, bytes | str], ignored: tuple[str, ...] = ()) -> None:
        self._files = {k: v.encode() if isinstance(v, str) else v for k, v in files.items()}
        self.paths = frozenset(self._files)
        self._ignored = ignored

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def exists(self, path: str) -> bool:
        return path in self._files or path.rstrip("/") in self.folders

    def ignored(self, path: str) -> bool:
        return any(path == i or path.startswith(i.rstrip("/") + "/") for i in self._ignored)

    @cached_property
    def folders(self) -> frozenset[str]:
        return folders_of(self.paths)


class OverlayTree:
    """A tree in which some files hold something else, as they would after an edit; those it lacks are added."""

    def __init__(self, base: Tree, contents: Mapping[str, bytes]) -> None:
        self.base = base
        self.contents = dict(contents)
        self.paths = base.paths if base.paths.issuperset(self.contents) else base.paths | self.contents.keys()
        self.root = getattr(base, "root", None)

    def read(self, path: str) -> bytes | None:
        found = self.contents.get(path)
        return self.base.read(path) if found is None else found

    def exists(self, path: str) -> bool:
        return path in self.paths or self.base.exists(path)

    def ignored(self, path: str) -> bool:
        return self.base.ignored(path)

    @cached_property
    def folders(self) -> frozenset[str]:
        return self.base.folders if self.paths is self.base.paths else folders_of(self.paths)


def above(folder: str) -> Iterator[str]:
    """``folder`` and every folder around it, the root last."""
    while folder.strip("/."):
        yield folder
        folder = posixpath.dirname(folder)
    yield ""
