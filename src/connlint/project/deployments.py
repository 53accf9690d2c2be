"""Which services are deployed together: those of one compose file and what completes it, of one folder of manifests.

Compose files that lie side by side are variants of each other, not one deployment. One that cannot stand alone (it is
the override that compose reads by itself, or it has services without image and build, or names services that it does
not have) is laid over the file that completes it, and so is one that the project's own commands always name behind
another.
"""

from __future__ import annotations

import posixpath

from msgspec import Struct

from connlint.model import deployment as d
from connlint.project.compose_chains import Chains
from connlint.project.services import Running, Services

_DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""What compose looks for by itself, in this order."""
_OVERRIDES = tuple(name.replace(".y", ".override.y") for name in _DEFAULTS)
PIPELINE = "workflow"
"""The kind of a job with the containers beside it: they are there for the job alone, and nothing is deployed."""
LOOSE = "Dockerfiles that no deployment file builds"


class Group(Struct, frozen=True):
    """Services that are deployed together; ``files`` in the order in which they were laid over each other."""

    name: str
    kind: str
    files: tuple[str, ...]
    members: tuple[Running, ...]
    notes: tuple[str, ...] = ()


def groups(services: Services) -> list[Group]:
    """Every deployment of the project, in order of path; Dockerfiles that nothing builds come last."""
    found: list[Group] = []
    by_file: dict[str, list[Running]] = {}
    for one in services.running():
        by_file.setdefault(one.deployment.path, []).append(one)
    extended = {path for deployment in services.deployments() for path in deployment.extended}
    chains = Chains(services.tree, [path for path, rows in by_file.items() if rows[0].service.kind == "compose"])
    manifests: dict[str, list[Running]] = {}
    loose: list[Running] = []
    jobs: dict[str, list[Running]] = {}
    for path, rows in by_file.items():
        for one in rows:
            if one.service.kind == PIPELINE:
                jobs.setdefault(one.service.group, []).append(one)
        members = [one for one in rows if one.service.kind != PIPELINE]
        if not members:
            continue
        kinds = {one.service.kind for one in members}
        if kinds == {"compose"} and path in extended and _lacking(members):
            continue  # it is there for others to build on
        if kinds == {"compose"}:
            found.append(_compose(path, members, by_file, services, chains))
        elif kinds == {"kubernetes"}:
            manifests.setdefault(members[0].service.group, []).extend(members)
        elif kinds == {"dockerfile"}:
            loose += members
        else:
            found.append(Group(path, _kind(members), (path,), tuple(members)))
    for rows in jobs.values():
        found.append(Group(rows[0].deployment.path, PIPELINE, (rows[0].deployment.path,), tuple(rows)))
    for name, members in manifests.items():
        files = tuple(dict.fromkeys(one.deployment.path for one in members))
        found.append(Group(name if len(files) > 1 and name != "/" else files[0], _kind(members), files, tuple(members)))
    found.sort(key=lambda group: (group.name.rstrip("/").count("/"), posixpath.dirname(group.name),
                                  posixpath.basename(group.name) not in _DEFAULTS, group.name))
    if loose:
        found.append(Group(LOOSE, "dockerfile", tuple(one.deployment.path for one in loose), tuple(loose)))
    return found


def _kind(members: list[Running]) -> str:
    kinds = sorted({one.service.kind for one in members})
    return kinds[0] if len(kinds) == 1 else " and ".join(kinds)


# -- compose files that complete each other ----------------------------------------------------------------------------


def _compose(path: str, members: list[Running], by_file: dict[str, list[Running]], services: Services,
             chains: Chains) -> Group:
    members = [*members, *_included(path, members, by_file)]
    base = _base(path, members, by_file) or chains.base(path)
    lacking = _lacking(members)
    if base is None:
        notes = (f"{_listed(sorted(lacking))} must come from another file, which is not known",) if lacking else ()
        return Group(path, "compose", (path,), tuple(members), notes)
    over = {one.name: one for one in members}
    rows: list[Running] = []
    for one in (*by_file[base], *_included(base, by_file[base], by_file)):
        upper = over.pop(one.name, None)
        rows.append(one if upper is None else services.join(d.laid_over(one.service, upper.service), one.deployment))
    rows += over.values()
    return Group(path, "compose", (base, path), tuple(rows))


def _included(path: str, members: list[Running], by_file: dict[str, list[Running]]) -> list[Running]:
    """The services of the files that a compose file includes, and of those that these include."""
    known = {path}
    waiting = list(members[0].deployment.includes) if members else []
    found: list[Running] = []
    while waiting:
        file = waiting.pop(0)
        if file not in known and file in by_file:
            known.add(file)
            found += by_file[file]
            waiting += by_file[file][0].deployment.includes
    return found


def _lacking(members: list[Running]) -> set[str]:
    """Services that the file needs and does not give: without image and build, or named by others only."""
    names = {one.name for one in members}
    bare = {one.name for one in members if one.service.image is None and one.service.build is None
            and "built from elsewhere" not in one.service.open}
    named = {dependency.on for one in members for dependency in one.service.dependencies}
    return bare | (named - names)


def _base(path: str, members: list[Running], by_file: dict[str, list[Running]]) -> str | None:
    """The file that ``path`` is laid over; None where it stands alone, or where that is not known."""
    folder = posixpath.dirname(path)
    beside = [posixpath.join(folder, default) for default in _DEFAULTS]
    lacking = _lacking(members)
    if not is_override(path) and not lacking:
        return None
    for candidate in beside:
        if candidate in by_file and candidate != path:
            return candidate if lacking <= {one.name for one in by_file[candidate]} else None
    completing = [other for other, rows in by_file.items() if posixpath.dirname(other) == folder and other != path
                  and lacking and lacking <= {one.name for one in rows} and not _lacking(rows)
                  and all(one.service.kind == "compose" for one in rows)]
    return completing[0] if len(completing) == 1 else None


def is_override(path: str) -> bool:
    """Whether compose reads the file by itself after the one that it lies beside."""
    return posixpath.basename(path) in _OVERRIDES


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
