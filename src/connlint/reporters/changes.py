"""What a fix changes, line by line."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from connlint.model.finding import Edit, Fix
from connlint.model.source import Source


class Hunk(Struct, frozen=True):
    """Lines of ``path`` from 1-based ``line`` on, before and after; one of the two may be empty."""

    path: str
    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def hunks(fix: Fix, sources: Mapping[str, Source]) -> list[Hunk]:
    """The lines that ``fix`` changes, by file and line; edits of one line or of neighbouring lines are one hunk."""
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.place.path, []).append(edit)
    found: list[Hunk] = []
    for path in sorted(by_path):
        source = sources.get(path)
        if source is None:
            continue
        edits = sorted(by_path[path], key=lambda e: e.place.at)
        group: list[Edit] = []
        for edit in edits:
            if group and source.line(edit.place.at[0]) > source.line(group[-1].place.at[1]) + 1:
                found.append(_hunk(source, group))
                group = []
            group.append(edit)
        found.append(_hunk(source, group))
    return [hunk for hunk in found if hunk.old != hunk.new]


def _hunk(source: Source, edits: list[Edit]) -> Hunk:
    starts = source.line_starts()
    first = source.line(edits[0].place.at[0])
    last = source.line(edits[-1].place.at[1])
    begin = max(starts[first - 1], source.bom)
    end = starts[last] if last < len(starts) else len(source.data)
    parts, at = [], begin
    for edit in edits:
        parts += [source.slice((at, edit.place.at[0])), edit.text]
        at = edit.place.at[1]
    parts.append(source.slice((at, end)))
    old, new = source.slice((begin, end)).splitlines(), "".join(parts).splitlines()
    while old and new and old[0] == new[0]:
        first += 1
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return Hunk(source.path, first, tuple(old), tuple(new))
