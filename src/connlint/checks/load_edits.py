"""Edits that load variables before a program reads them, in the file of the load and in those that come before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.reordering import import_first_of, load_first, load_in_front

if TYPE_CHECKING:
    from connlint.checks.env_load import Late, Load, Loads

_MOST_ENTRIES = 3
"""Programs: where more of them run a load, each may read something else before it."""


def loaded_earlier(court: Loads, load: Load, found: Late) -> Fix | None:
    """Load before what leads to the read: where the load stands; else where each program begins that runs it."""
    event, read, _ = found
    if load.written is None:
        here = next((step for step in event.trail if step.importer == load.module.path), None)
        if here is not None or not event.trail:
            reader = here.at if here is not None else _reader(read)
            if (fix := load_first(load.module, load.node, reader, load.entry.get("preload"))) is not None:
                return fix
    entries = [load.module.path] if load.started else court.entries(load.module.path, most=_MOST_ENTRIES + 1)
    known = court.reads.named((load.home or load.module).path)
    late = [(entry, one) for entry in entries if (one := court.late(load, entry, known)) is not None]
    if not late or len(entries) > _MOST_ENTRIES:
        return None
    python = load.module.program.language == "python"
    for way in (_imported_first, _in_front) if python else (_in_front, _imported_first):
        fixes = [way(court, load, entry, one) for entry, one in late]
        made = [fix for fix in fixes if fix is not None]
        edits = tuple(dict.fromkeys(edit for fix in made for edit in fix.edits))
        if len(made) == len(fixes) and (way is _in_front or len({fix.edits for fix in made}) == 1):
            return Fix(made[0].title, edits)
    return None


def _reader(read: Any) -> int:
    """The byte at which a file gets to a read of its own."""
    at: int = (read.node if read.chain is None else read.chain.start.node).at[0]
    return at


def _in_front(court: Loads, load: Load, entry: str, late: Late) -> Fix | None:
    """Load at the top of the file that a program starts with, too."""
    event, read, _ = late
    preload, written = load.entry.get("preload"), load.written or load.node
    module = court.project.module(entry)
    if preload is None or module is None or not _has_loader(court, load, entry, preload):
        return None
    options = written.args if type(written) is p.Call and not _is_required(written) else ()
    if not all(_names_only(one.value, load.entry.get("kept_with", ())) for one in options):
        return None
    return load_in_front(module, preload, event.trail[0].at if event.trail else _reader(read))


def _names_only(value: Any, names: Collection[str]) -> bool:
    """Whether an object holds entries of these names and nothing else."""
    return type(value) is p.Record and all(type(e.key) is p.Text and e.key.value in names for e in value.entries)


def _imported_first(court: Loads, load: Load, entry: str, late: Late) -> Fix | None:
    """Import what loads above what reads, in the file where the ways to the two part."""
    event, read, _ = late
    way = court.way_to(load, entry)
    if way is None or type(load.module.statement(load.node)) not in (p.Evaluate, p.Import, p.Let, p.If, p.Try):
        return None  # in a decorator, it is a part of what something else is made of
    both = zip(way, event.trail, strict=False)
    same = next((i for i, (one, other) in enumerate(both) if one != other), min(len(way), len(event.trail)))
    module = court.project.module(way[same].importer) if same < len(way) else None
    if module is None:
        return None
    reader = event.trail[same].at if same < len(event.trail) else _reader(read)
    return import_first_of(module, way[same].at, reader, directly=same + 1 == len(way))


def _has_loader(court: Loads, load: Load, entry: str, preload: str) -> bool:
    """Whether the file ``entry`` may load with what ``preload`` names, and finds the same file of variables."""
    written = load.home or load.module
    if entry.endswith(".py"):
        return _nearest_file(court.project, written.path) == _nearest_file(court.project, entry)
    package, own = preload.partition("/")[0], court.programs.package(entry)
    used = any(name.partition("/")[0] == package for name in _imports(written))
    return package in (own.get("dependencies") or {}) or (used and court.programs.package(written.path) is own)


def _nearest_file(project: Project, path: str) -> str:
    """The nearest folder above a file that holds files of variables, or templates of them; "" is the project."""
    holding = {name.rpartition("/")[0] for name in project.tree.paths if name.rpartition("/")[2].startswith(".env")}
    folder = path.rpartition("/")[0]
    while folder and folder not in holding:
        folder = folder.rpartition("/")[0]
    return folder


def _imports(module: Module) -> Iterator[str]:
    """What the file imports or requires, as written."""
    yield from (statement.module for statement in module.nodes(p.Import))
    for call in module.nodes(p.Call):
        if _is_required(call) and call.args and type(call.args[0].value) is p.Text:
            yield call.args[0].value.value


def _is_required(call: p.Call) -> bool:
    return type(call.callee) is p.Name and call.callee.id == "require"
