"""What came of a fleet: a table for people, and the same for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from connlint.fleet.visit import Visit
from connlint.model.finding import LEVELS


def line(visit: Visit) -> str:
    """One visit, when it has ended."""
    if visit.failure:
        tries = f" ({visit.tries} tries)" if visit.tries > 1 else ""
        return f"{visit.repository.name}: failed{tries}: {visit.failure}"
    return f"{visit.repository.name}: {_counted(visit.levels)} in {visit.seconds:.1f} s"


def _counted(levels: dict[str, int]) -> str:
    words = [f"{levels[level]} {level}{'s' if levels[level] != 1 else ''}" for level in reversed(LEVELS)
             if levels.get(level)]
    return ", ".join(words) or "nothing"


def table(visits: Iterable[Visit]) -> str:
    """All visits by name, a line each, then what they come to."""
    rows = sorted(visits, key=lambda visit: visit.repository.name.lower())
    total = sum((Counter(visit.levels) for visit in rows), Counter())
    head = ("repository", *(f"{level}s" for level in reversed(LEVELS)), "seconds")
    cells = [head]
    for visit in rows:
        numbers = ("failed", "", "") if visit.failure else tuple(
            str(visit.levels.get(level, 0)) for level in reversed(LEVELS))
        cells.append((visit.repository.name, *numbers, f"{visit.seconds:.1f}"))
    cells.append((f"{len(rows)} in all", *(str(total[level]) for level in reversed(LEVELS)),
                  f"{sum(visit.seconds for visit in rows):.1f}"))
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) if not column else cell.rjust(width)
                       for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in cells]
    lines.insert(-1, "-" * len(lines[0]))
    return "\n".join(lines)


def as_json(visits: Iterable[Visit]) -> str:
    """All visits by name: ``name``, ``source``, ``levels``, ``seconds``, and ``sarif`` (a file) or ``failure``."""
    rows = []
    for visit in sorted(visits, key=lambda visit: visit.repository.name.lower()):
        outcome = {"failure": visit.failure, "tries": visit.tries} if visit.failure else {
            "sarif": f"{visit.repository.name}.sarif", "levels": visit.levels}
        rows.append({"name": visit.repository.name, "source": visit.repository.source, **outcome,
                     "seconds": round(visit.seconds, 1), "version": visit.version})
    return json.dumps({"repositories": rows}, indent=2, ensure_ascii=False) + "\n"
