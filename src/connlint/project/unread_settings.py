"""``package.json`` and ``tsconfig.json`` that cannot be read: what they say of a package is then not known."""

from __future__ import annotations

import json
from collections.abc import Iterator

from connlint.model.problem import Problem
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.project import Project
from connlint.project.stage import Stages

_SETTINGS = regex(r"(?:^|/)(?:package|[tj]sconfig(?:\.[\w.-]+)?)\.json$")
_TEMPLATE = regex(rb"\{\{|<%|\{%|\$\{|__[A-Z]")
"""What is filled in before it is JSON."""
_OF_OTHERS = ("node_modules/", "vendor/", "/templates/", "/template/")


def unread_settings(project: Project, stages: Stages) -> Iterator[Problem]:
    """The settings of the program's own packages that hold something and are no object of JSON."""
    found: list[Problem] | None = project.memo.get(unread_settings)
    if found is None:
        found = project.memo[unread_settings] = list(_unread(project, stages))
    yield from found


def _unread(project: Project, stages: Stages) -> Iterator[Problem]:
    for path in sorted(filter(_SETTINGS.search, project.tree.paths)):
        if any(part in f"/{path}" for part in _OF_OTHERS) or stages.of_path(path) != "production":
            continue
        data = project.tree.read(path)
        if data is None or not data.strip() or jsonc.loads(data) is not None or _TEMPLATE.search(data):
            continue
        yield Problem("config", _fault(data), path)


def _fault(data: bytes) -> str:
    try:
        json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "is no UTF-8, so nothing of it counts"
    except ValueError as error:
        return f"is no JSON ({error}), so nothing of it counts"
    return "holds no object, so nothing of it counts"
