"""Which package or service a file belongs to, told by what stands in the folders above it."""

from __future__ import annotations

from collections import deque

from connlint.patterns import regex
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

IMAGES = ("Dockerfile", "Dockerfile.dev", "Dockerfile.prod", "Containerfile")
_OF_JAVASCRIPT = ("package.json", "deno.json")
_OF_PYTHON = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "environment.yml", "manage.py")
MARKS = (*IMAGES, *_OF_JAVASCRIPT, *_OF_PYTHON)
"""Files that stand at the root of a package, or of what is built into one image."""
_OF_NX = "project.json"
_IS_NX = regex(rb'"(?:targets|projectType|sourceRoot)"\s*:')


def package_root(project: Project, path: str) -> str:
    """The nearest folder at or above ``path`` that holds one of `MARKS`; "" is the root of the project."""
    return _marked(project, path, MARKS)


def own_root(project: Project, path: str) -> str:
    """The `package_root` as far as files of the language of ``path`` make one: what ``package.json`` stands beside is
    no package of Python."""
    return _marked(project, path, (*IMAGES, *(_OF_PYTHON if path.endswith(".py") else _OF_JAVASCRIPT)))


def unit_root(project: Project, path: str) -> str:
    """The `own_root`, or the project of an nx workspace below it: many of them share one ``package.json``, and each is
    built and started for itself."""
    root = own_root(project, path)
    folder = path.rpartition("/")[0]
    memo = project.memo.setdefault(unit_root, {})
    while len(folder) > len(root):
        if folder not in memo:
            file = f"{folder}/{_OF_NX}"
            memo[folder] = file in project.tree.paths and _IS_NX.search(project.tree.read(file) or b"") is not None
        if memo[folder]:
            return folder
        folder = folder.rpartition("/")[0]
    return root


def _marked(project: Project, path: str, marks: tuple[str, ...]) -> str:
    memo = project.memo.setdefault((package_root, marks), {})
    folder = path.rpartition("/")[0]
    steps = []
    while folder not in memo:
        steps.append(folder)
        if not folder or any(f"{folder}/{mark}" in project.tree.paths for mark in marks):
            memo[folder] = folder
            break
        folder = folder.rpartition("/")[0]
    for step in steps:
        memo[step] = memo[folder]
    found: str = memo[folder]
    return found


def reached(project: Project, module: Module, most: int = 60) -> list[str]:
    """Paths of the modules that ``module`` imports, and that these import, nearest first; at most ``most``."""
    index = importers(project)
    found: dict[str, None] = {module.path: None}
    waiting = deque(found)
    while waiting and len(found) <= most:
        for _, target, _ in index.targets(waiting.popleft()):
            if target not in found:
                found[target] = None
                waiting.append(target)
    return list(found)[1:]
