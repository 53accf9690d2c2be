"""Whether a file runs from another place than where it stands, so that its relative imports mean something else."""

from __future__ import annotations

import posixpath
import re
from functools import cached_property

from connlint.patterns import regex
from connlint.project.tree import Tree

_PLACING = regex(
    r"(?:^|/)(?:[^/]*Dockerfile[^/]*|[^/]*\.dockerfile|Containerfile|[^/]*compose[^/]*\.ya?ml|Makefile|justfile|[^/]*\.sh"
    r"|package\.json)$|^\.github/workflows/"
)
"""Files that say where others are copied or mounted."""
_WORKDIR = regex(rb"^[ \t]*WORKDIR[ \t]+(\S+)", re.MULTILINE)


class Placement:
    """What the files of one project say about where others of it are put; they are read once, for many questions."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    @cached_property
    def _telling(self) -> list[tuple[str, bytes]]:
        """Path and bytes of every file that may say where others go."""
        return [(path, data) for path in sorted(self.tree.paths) if _PLACING.search(path)
                and (data := self.tree.read(path)) is not None]

    @cached_property
    def _of_python(self) -> frozenset[str]:
        """The folders that hold modules of Python."""
        return frozenset(posixpath.dirname(path) for path in self.tree.paths if path.endswith(".py"))

    def runs_elsewhere(self, path: str) -> bool:
        """Whether ``path`` is copied or mounted to a folder of another name, or is served to browsers as it is.

        A script that no package file governs is loaded by its URL, and where that lies, the server alone knows.
        """
        if path.endswith((".js", ".mjs")) and self._is_served(path):
            return True
        name = posixpath.basename(path)
        quoted = re.escape(name.encode())
        told = re.compile(rb"(?:COPY|ADD|\bcp|\bmv|\binstall|\bln)[ \t]+(?:-\S+[ \t]+)*((?:\S*/)?" + quoted
                          + rb")[ \t]+(\S+)|-[ \t]*[\"']?(\S*/" + quoted + rb"):([^:\s\"']+)")
        for other, data in self._telling:
            if name.encode() not in data:
                continue
            for found in told.finditer(data):
                source = (found[1] or found[3]).decode("utf-8", "replace").lstrip("./")
                target = (found[2] or found[4]).decode("utf-8", "replace").strip("\"'")
                folder = posixpath.dirname(source)
                into = posixpath.dirname(target) if "." in posixpath.basename(target) else target
                if not folder and posixpath.dirname(other) == posixpath.dirname(path):
                    homes = (b".", b"./", *_WORKDIR.findall(data))
                    if into.startswith("/") and into.rstrip("/").encode() not in (h.rstrip(b"/") for h in homes):
                        return True
                elif folder and ("/" + path).endswith("/" + source) and not into.rstrip("/").endswith(folder):
                    return True
        return False

    def _is_served(self, path: str) -> bool:
        """Whether no package file governs a script, or it lies among the modules of a Python package."""
        folder = posixpath.dirname(path)
        if posixpath.join(folder, "package.json") in self.tree.paths:
            return False
        if folder in self._of_python:
            return True
        return not any(posixpath.join(above, "package.json") in self.tree.paths for above in _above(path))


def _above(path: str) -> list[str]:
    """The folders above ``path``, the root included."""
    folders = [""]
    for part in path.split("/")[:-1]:
        folders.append(posixpath.join(folders[-1], part))
    return folders
