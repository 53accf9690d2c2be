"""How many start commands of real projects are understood: a table for the projects given.

    python benchmarks/start_commands.py [--list COLUMN] PROJECT...

``--list`` prints the commands of one column instead of counting them, for those who want to read them.
``met`` are the commands that deployment files, scripts and programs hold and whose tool is known; ``resolved`` those
whose target is a file of the project or needs none, ``installed`` those that run a module which is not the project's,
``unknown`` those about which nothing can be said, ``missing`` those whose target does not exist. The last column counts
the commands of services whose program is no known tool.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from connlint import cards
from connlint.checks.entrypoints import understood
from connlint.config import Config
from connlint.discover import DiskTree, list_files
from connlint.engine import Options, Session
from connlint.model.deployment import Command
from connlint.project.applications import Applications
from connlint.project.services import Services
from connlint.project.starts import Starts

COLUMNS = ("met", "resolved", "installed", "unknown", "missing", "other programs")


def sorted_out(root: Path) -> Iterator[tuple[str, Command]]:
    """Every start command of a project with its column; one that several services run, once."""
    paths, _ = list_files(root)
    rules = cards.load()
    project = Session(DiskTree(root, paths, git=True), rules, Config(), Options(jobs=1)).project
    starts = Starts.of(project, rules.apis)
    applications = Applications.of(project, rules.apis)
    seen: set[tuple[str, tuple[int, int]]] = set()
    for start in starts.standing_in(None):
        place = start.command.place.path, start.command.place.at
        if place not in seen:
            seen.add(place)
            yield understood(start, applications), start.command
    for running in Services.of(project).running():
        for command in running.commands:
            place = command.place.path, command.place.at
            if place not in seen:
                seen.add(place)
                yield "other programs", command


def counted(root: Path) -> Counter[str]:
    """The row of one project, by column."""
    row = Counter(column for column, _ in sorted_out(root))
    row["met"] = row.total() - row["other programs"]
    return row


def listed(root: Path, column: str) -> Iterator[str]:
    """The commands of one column, with the line of the file they stand in."""
    for found, command in sorted_out(root):
        if found == column:
            path, (first, _) = command.place.path, command.place.at
            line = (root / path).read_bytes()[:first].count(b"\n") + 1
            words = " ".join(word.value if word.value is not None else word.written for word in command.words)
            yield f"{root.name}/{path}:{line}: {' '.join(words.split())}"


def main(arguments: list[str]) -> None:
    """Print the table, a line a project, and the sum; or the commands of one column."""
    if arguments[:1] == ["--list"]:
        for root in arguments[2:]:
            print(*listed(Path(root).resolve(), arguments[1]), sep="\n", flush=True)
        return
    roots = arguments
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
