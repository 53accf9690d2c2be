"""Whether the people who run a project are told of a variable: to require one of which they do not know stops them all.

What they are told stands in files of variables, in workflows, and in whatever else of a project sets or names them. A
project that has no file of variables and no workflow tells nobody anything, and they read the code.
"""

from __future__ import annotations

from collections.abc import Iterable

from connlint.patterns import regex
from connlint.project.project import Project
from connlint.project.tree import Tree

_TELLING = regex(r"(?:^|/)(?:\.env[\w.-]*|[\w.-]*\.env|[\w-]*env[.-](?:example|sample|template|dist)[\w.]*"
                 r"|\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.circleci/config\.yml|\.devcontainer/[^/]+)$")
_NAMING = regex(r"(?:^|/)(?:[^/]*Dockerfile[^/]*|[^/]+\.(?:ya?ml|toml|tf|sh|cfg|ini|conf|service|md|rst|txt)|Makefile"
                r"|Procfile|package\.json|app\.json)$")
_WORD = regex(rb"[A-Z][A-Z0-9_]{2,}")
_LARGEST = 300_000
"""Bytes; longer files are written by machines."""


def is_announced(project: Project, variable: str) -> bool:
    """Whether ``variable`` is named in a file that is no code; True as well where no such file is there to tell."""
    memo = project.memo.setdefault(is_announced, {})
    if "told" not in memo:
        paths = sorted(path for path in project.tree.paths if _TELLING.search(path))
        memo["told"] = _words(project.tree, paths) if paths else None
    if memo["told"] is None or not _WORD.fullmatch(variable.encode()) or variable.encode() in memo["told"]:
        return True
    if "named" not in memo:
        memo["named"] = _words(project.tree, (path for path in project.tree.paths if _NAMING.search(path)))
    return variable.encode() in memo["named"]


def _words(tree: Tree, paths: Iterable[str]) -> frozenset[bytes]:
    """The words in capital letters of some files."""
    found: set[bytes] = set()
    for path in paths:
        data = tree.read(path)
        if data is not None and len(data) <= _LARGEST:
            found.update(_WORD.findall(data))
    return frozenset(found)
