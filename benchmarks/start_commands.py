"""How many start commands of real projects are understood: a table for the projects given.

    python benchmarks/start_commands.py PROJECT...

``met`` are the commands that deployment files, scripts and programs hold and whose tool is known; ``resolved`` those
whose target is a file of the project or needs none, ``installed`` those that run a module which is not the project's,
``unknown`` those about which nothing can be said, ``missing`` those whose target does not exist. The last column counts
the commands of services whose program is no known tool.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from connlint import cards
from connlint.checks.entrypoints import understood
from connlint.config import Config
from connlint.discover import DiskTree, list_files
from connlint.engine import Options, Session
from connlint.project.applications import Applications
from connlint.project.services import Services
from connlint.project.starts import Starts

COLUMNS = ("met", "resolved", "installed", "unknown", "missing", "other programs")


def counted(root: Path) -> Counter[str]:
    """The row of one project, by column."""
    paths, _ = list_files(root)
    rules = cards.load()
    project = Session(DiskTree(root, paths, git=True), rules, Config(), Options(jobs=1)).project
    starts = Starts.of(project, rules.apis)
    applications = Applications.of(project, rules.apis)
    row: Counter[str] = Counter()
    seen: set[tuple[str, tuple[int, int]]] = set()
    for start in starts.all:
        place = start.command.place.path, start.command.place.at
        if place not in seen:
            seen.add(place)
            row["met"] += 1
            row[understood(start, applications)] += 1
    for running in Services.of(project).running():
        for command in running.commands:
            place = command.place.path, command.place.at
            if place not in seen:
                seen.add(place)
                row["other programs"] += 1
    return row


def main(roots: list[str]) -> None:
    """Print the table, a line a project, and the sum."""
    total: Counter[str] = Counter()
    wide = max((len(Path(root).name) for root in roots), default=8)
    print(f"{'project':<{wide}}", *(f"{name:>{len(name) + 2}}" for name in COLUMNS))
    for root in roots:
        row = counted(Path(root).resolve())
        total += row
        print(f"{Path(root).name:<{wide}}", *(f"{row[name]:>{len(name) + 2}}" for name in COLUMNS), flush=True)
    print(f"{'all':<{wide}}", *(f"{total[name]:>{len(name) + 2}}" for name in COLUMNS))


if __name__ == "__main__":
    main(sys.argv[1:])
