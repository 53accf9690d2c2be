"""The edits that a report offers, and which of them can be made at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import pairwise

from connlint.languages.edits import applied
from connlint.model.finding import Edit, Finding, Fix
from connlint.model.report import Report
from connlint.model.source import Source, Span

Identity = tuple[tuple[str, bytes, str], ...]
"""What is replaced by what, file by file: it stays the same when other edits move the lines."""


class Offer:
    """One edit, and the findings that it treats: several where they offer the same."""

    def __init__(self, fix: Fix, findings: Iterable[Finding], sources: Mapping[str, Source]) -> None:
        self.fix = fix
        self.findings = tuple(findings)
        self._sources = sources

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The files that it changes."""
        return tuple(sorted({edit.place.path for edit in self.fix.edits}))

    @cached_property
    def identity(self) -> Identity:
        """See `Identity`."""
        rows = [(edit.place.path, self._sources[edit.place.path].data[slice(*edit.place.at)], edit.text)
                for edit in self.fix.edits]
        return (*((f.rule, b"", f.symbol) for f in self.findings[:1]), *rows)

    def conflicts(self, taken: Mapping[str, list[Span]]) -> bool:
        """Whether one of its edits touches one of the spans ``taken``."""
        return any(_touch(edit.place.at, other) for edit in self.fix.edits for other in taken.get(edit.place.path, ()))


def _touch(one: Span, other: Span) -> bool:
    """Whether two spans share a byte, or one is an insertion in or beside the other: then their order would matter."""
    if one[0] == one[1] or other[0] == other[1]:
        return one[0] <= other[1] and other[0] <= one[1]
    return one[0] < other[1] and other[0] < one[1]


def offers(report: Report, unsafe: bool) -> list[Offer]:
    """The edits of the findings that no comment covers, in their order; ``unsafe`` takes those that are not safe too.

    An edit that would change nothing, whose parts overlap, or of a file that was not read, is none.
    """
    found: dict[Fix, list[Finding]] = {}
    for finding in report.reported:
        fix = finding.fix
        if fix is not None and (unsafe or fix.safe) and _is_sound(fix, report.sources):
            found.setdefault(Fix("", tuple(sorted(fix.edits, key=_order))), []).append(finding)
    return [Offer(findings[0].fix or fix, findings, report.sources) for fix, findings in found.items()]


def _order(edit: Edit) -> tuple[str, Span]:
    return edit.place.path, edit.place.at


def _is_sound(fix: Fix, sources: Mapping[str, Source]) -> bool:
    edits = sorted(fix.edits, key=_order)
    if any(edit.place.path not in sources or edit.place.path.endswith(".ipynb") for edit in edits):
        return False
    if any(a.place.path == b.place.path and a.place.at[1] > b.place.at[0] for a, b in pairwise(edits)):
        return False
    return any(sources[edit.place.path].slice(edit.place.at) != edit.text for edit in edits)


def compatible(some: Iterable[Offer]) -> list[Offer]:
    """As many of ``some`` as can be made at once, the first ones first; the others are for another pass."""
    taken: dict[str, list[Span]] = {}
    chosen = []
    for offer in some:
        if not offer.conflicts(taken):
            chosen.append(offer)
            for edit in offer.fix.edits:
                taken.setdefault(edit.place.path, []).append(edit.place.at)
    return chosen


def edited(some: Collection[Offer], sources: Mapping[str, Source]) -> dict[str, bytes]:
    """The contents of the files that ``some``, which must be `compatible`, change.

    Raises UnicodeEncodeError where a file's encoding does not have a character of an edit.
    """
    by_path: dict[str, list[Edit]] = {}
    for offer in some:
        for edit in offer.fix.edits:
            by_path.setdefault(edit.place.path, []).append(edit)
    return {path: applied(sources[path], edits) for path, edits in sorted(by_path.items())}
