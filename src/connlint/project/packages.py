"""Which package or service a file belongs to, told by what stands in the folders above it."""

from __future__ import annotations

from collections import deque

from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

MARKS = ("package.json", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "Dockerfile",
         "Dockerfile.dev", "Dockerfile.prod", "Containerfile", "deno.json", "environment.yml", "manage.py")
"""Files that stand at the root of a package, or of what is built into one image."""


def package_root(project: Project, path: str) -> str:
    """The nearest folder at or above ``path`` that holds one of `MARKS`; "" is the root of the project."""
    memo = project.memo.setdefault(package_root, {})
    folder = path.rpartition("/")[0]
    steps = []
    while folder not in memo:
        steps.append(folder)
        if not folder or any(f"{folder}/{mark}" in project.tree.paths for mark in MARKS):
            memo[folder] = folder
            break
        folder = folder.rpartition("/")[0]
    for step in steps:
        memo[step] = memo[folder]
    return memo[folder]


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
