"""Which compose files the project itself lays over which others: ``docker compose -f a.yml -f b.yml`` in its scripts,
recipes, workflows and manuals, and ``COMPOSE_FILE=a.yml:b.yml``."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator

from connlint.patterns import regex
from connlint.project.tree import Tree

_RUN = regex(rb"(?:(?:-f|--file)(?:[ \t]+|=|[\"'],[ \t]*[\"'])[\"']?[\w./-]+\.ya?ml"
             rb"(?:[\"']?,?[ \t]*[\"']?(?:\\\r?\n[ \t]*(?:#[ \t]*)?)?))+")
_FILE = regex(rb"[\w./-]+\.ya?ml")
_VARIABLE = regex(rb"\bCOMPOSE_FILE[ \t]*[=:][ \t]*[\"']?([\w./:;-]+\.ya?ml)")
_NAMES = ("Makefile", "makefile", "justfile", "Justfile", "package.json")
_ENDINGS = (".sh", ".bash", ".md", ".mk", ".ps1", ".bat", ".yml", ".yaml", ".env", ".txt", ".rst")
_FOLDERS = ("", "scripts", "script", "bin", "docs", "doc", "deploy", "deployment", "docker", "ops", "infra",
            ".github/workflows", ".devcontainer")
_LARGEST = 300_000
"""Bytes past which a file is no text that somebody wrote."""


class Chains:
    """What the texts around the compose files ``paths`` say."""

    def __init__(self, tree: Tree, paths: Collection[str]) -> None:
        self.paths = frozenset(paths)
        self._bases: dict[str, list[str]] = {}
        self._alone: set[str] = set()
        folders = {posixpath.dirname(path) for path in paths}
        crowded = {folder for folder in folders if sum(posixpath.dirname(path) == folder for path in paths) > 1}
        for file in sorted(tree.paths) if crowded else ():
            if not _may_tell(file, crowded):
                continue
            data = tree.read(file) or b""
            if len(data) < _LARGEST and b"compose" in data:
                for names in _listed(data):
                    self._note(names, posixpath.dirname(file), crowded)

    def base(self, path: str) -> str | None:
        """The first file of the only chain that ``path`` is laid over; None where it is also used alone."""
        bases = set(self._bases.get(path, ()))
        return bases.pop() if len(bases) == 1 and path not in self._alone else None

    def _note(self, names: list[str], folder: str, crowded: Collection[str]) -> None:
        for place in {folder, *crowded}:
            rows = [posixpath.normpath(posixpath.join(place, name)).removeprefix("./") for name in names]
            if not all(row in self.paths for row in rows):
                continue
            if len(rows) == 1:
                self._alone.add(rows[0])
            for row in rows[1:]:
                if row != rows[0]:
                    self._bases.setdefault(row, []).append(rows[0])


def _listed(data: bytes) -> Iterator[list[str]]:
    """The compose files of each command, in the order in which they are laid over each other."""
    for run in _RUN.finditer(data):
        yield [name.decode("utf-8", "replace") for name in _FILE.findall(run[0])]
    for value in _VARIABLE.finditer(data):
        yield [name for name in value[1].decode("utf-8", "replace").replace(";", ":").split(":") if name]


def _may_tell(file: str, crowded: Collection[str]) -> bool:
    folder, _, name = file.rpartition("/")
    if folder not in _FOLDERS and folder not in crowded:
        return False
    return name in _NAMES or name.startswith(".env") or name.endswith(_ENDINGS)
