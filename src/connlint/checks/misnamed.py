"""Containers that take variables from a map which no manifest defines, where one is called almost so beside them.

A map may come from elsewhere: from somebody's hands, a script, an operator. So the name may stand nowhere in the
project but where containers ask for it, and must be a slip of the pen for the one of a map in the folder.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from connlint.model.finding import Draft, Place, Step
from connlint.patterns import regex
from connlint.project.project import Project
from connlint.project.rewording import reworded
from connlint.project.services import Services
from connlint.project.slips import is_slip

_NUMBER = regex(r"[-.]?\d+")
_TEXT = regex(r"\.(?:ya?ml|json|sh|bash|ps1|md|tf|tpl|py|[cm]?[jt]s|toml|env|txt)$|(?:^|/)[^./]+$")


def misnamed(project: Project) -> Iterator[Draft]:
    """Outcome "misnamed"; slots: ``service``, ``variables``, ``map`` and ``near``, the map that is there."""
    services = Services.of(project)
    defined: dict[str, dict[str, str]] = {}
    for deployment in services.deployments():
        for name in deployment.maps:
            defined.setdefault(posixpath.dirname(deployment.path), {})[name] = deployment.path
    known = {name for rows in defined.values() for name in rows}
    asked: dict[str, list[tuple[str, str, Place]]] = {}
    for one in services.running() if known else ():
        for borrowed in one.service.borrowed:
            if borrowed.map and borrowed.place is not None and borrowed.map not in known:
                asked.setdefault(borrowed.map, []).append((one.name, borrowed.variable, borrowed.place))
    for name, rows in asked.items():
        beside = defined.get(posixpath.dirname(rows[0][2].path), {})
        near = [other for other in beside if is_slip(name, other) and _NUMBER.sub("", name) != _NUMBER.sub("", other)]
        if len(near) != 1 or not _stands_only_at(name, {place for *_, place in rows}, project):
            continue
        for service, variable, place in rows:
            slots = {"service": service, "variables": variable or "its variables", "map": name, "near": near[0]}
            step = Step(Place(beside[near[0]], (0, 0)), f"{near[0]} is defined here")
            fix = reworded(project.tree, place, name, near[0], f"Take it from {near[0]}")
            yield Draft("misnamed", place, slots, f"{service}:{name}", related=(step,), fix=fix)


def _stands_only_at(name: str, places: set[Place], project: Project) -> bool:
    """Whether the project speaks of ``name`` at these places alone."""
    word = re.compile(rb"(?<![\w.-])" + re.escape(name.encode()) + rb"(?![\w-])")
    count = 0
    for path in project.tree.paths:
        if _TEXT.search(path) and "node_modules/" not in path:
            count += len(word.findall(project.tree.read(path) or b""))
    return count == len(places)
