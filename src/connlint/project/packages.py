"""Which package or service a file belongs to, told by what stands in the folders above it."""

from __future__ import annotations

from connlint.model import program as p
from connlint.project.answer import Found
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
    found: dict[str, None] = {}
    waiting = [module]
    while waiting and len(found) < most:
        current = waiting.pop(0)
        for statement in current.nodes(p.Import):
            answer = project.resolve(current, statement.module)
            if isinstance(answer, Found) and answer.path not in found and answer.path != module.path:
                found[answer.path] = None
                target = project.module(answer.path)
                if target is not None:
                    waiting.append(target)
    return list(found)
