"""Passes of edits over a project, in memory, until nothing is offered any more that holds.

Nothing is written here. A pass makes all edits that can be made at once, and checks the project again as it would then
be: the report that proves one pass offers the edits of the next. Where the report shows a fault, the edits that are to
blame are sought by halves, with runs that look at the files concerned alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from connlint.discover import Selection
from connlint.fixing.offers import Identity, Offer, compatible, edited, offers
from connlint.fixing.proof import Fault, fault_of_text, faults, key_of
from connlint.model.finding import Finding
from connlint.model.report import Report
from connlint.project.tree import OverlayTree

PASSES = 12
"""So often edits are looked for; those of one line, such as imports that several edits need, take one each."""
_CONFIRMATIONS = 3
"""Runs over everything for one pass; each that shows something new adds files to look at."""


class Treated(Struct, frozen=True):
    """A finding whose edit was made; ``together`` are all files of that edit."""

    finding: Finding
    together: tuple[str, ...]


class Outcome(Struct):
    """What the passes came to. ``before`` and ``after`` are the contents of the files that differ, by path.

    ``report`` is that of the project as it is then, ``first`` that of the project as it was. ``left`` are findings
    whose edit does not hold, and why.
    """

    first: Report
    report: Report
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    treated: list[Treated] = field(default_factory=list)
    left: list[tuple[Finding, str]] = field(default_factory=list)


def mend(selection: Selection, check: Callable[[Selection], Report], unsafe: bool,
         narrowed: Callable[[Report], Report] = lambda report: report) -> Outcome:
    """Make the edits that ``check`` offers for ``selection`` and that hold; ``unsafe`` takes those that are not safe.

    ``check`` reports on a selection, whatever tree it has. ``narrowed`` is the part of the first report whose findings
    are to be mended.
    """
    return _Mending(selection, check, unsafe, narrowed).run()


class _Mending:
    def __init__(self, selection: Selection, check: Callable[[Selection], Report], unsafe: bool,
                 narrowed: Callable[[Report], Report] = lambda report: report) -> None:
        self.selection = selection
        self.check = check
        self.unsafe = unsafe
        self.refused: set[Identity] = set()
        first = check(selection)
        self.outcome = Outcome(first, first)
        self.wanted = {key_of(finding) for finding in narrowed(first).reported}

    def _offered(self) -> list[Offer]:
        return [offer for offer in offers(self.outcome.report, self.unsafe) if offer.identity not in self.refused
                and any(key_of(finding) in self.wanted for finding in offer.findings)]

    def run(self) -> Outcome:
        outcome = self.outcome
        for _ in range(PASSES):
            offered = self._offered()
            if not offered:
                return outcome
            chosen = compatible(offered)
            made, report = self._pass(self._sound(chosen))
            if report is None:
                continue  # nothing of it holds; what was in its way may
            sources = outcome.report.sources
            for path, data in edited(made, sources).items():
                outcome.before.setdefault(path, sources[path].data)
                outcome.after[path] = data
            outcome.treated += [Treated(finding, offer.paths) for offer in made for finding in offer.findings]
            outcome.report = report
        for offer in self._offered():
            self._refuse(offer, f"it is still offered after {PASSES} passes")
        return outcome

    def _refuse(self, offer: Offer, reason: str) -> None:
        if offer.identity not in self.refused:
            self.refused.add(offer.identity)
            self.outcome.left += [(finding, reason) for finding in offer.findings]

    # -- one pass -------------------------------------------------------------------------------------------------

    def _pass(self, chosen: list[Offer]) -> tuple[list[Offer], Report | None]:
        """Those of ``chosen`` that hold, and the report with them; None where none does."""
        watched: set[str] = set()
        for _ in range(_CONFIRMATIONS):
            if not chosen:
                return [], None
            report = self.check(self._with(chosen, self.selection.code, self.selection.other))
            found = faults(self.outcome.report, report, chosen)
            if not found:
                return chosen, report
            watched |= {path for offer in chosen for path in offer.paths}
            watched |= {path for fault in found for path in fault.paths}
            chosen = self._holding(chosen, [], watched)
        for offer in chosen:
            self._refuse(offer, found[0].reason)
        return [], None

    def _holding(self, some: list[Offer], held: list[Offer], watched: set[str]) -> list[Offer]:
        """``held`` and those of ``some`` that hold beside them; the others are refused."""
        if not some:
            return held
        together = [*held, *some]
        code = [path for path in self.selection.code if path in watched]
        other = [path for path in self.selection.other if path in watched]
        found = faults(self.outcome.report, self.check(self._with(together, code, other)), together, watched)
        if not found:
            return together
        if len(some) == 1:
            self._refuse(some[0], found[0].reason)
            return held
        guilty = {id(offer) for fault in found for offer in fault.suspects}
        doubtful = [offer for offer in some if id(offer) in guilty]
        if not doubtful or len(doubtful) == len(some):
            doubtful = some[len(some) // 2:]
        sure = [offer for offer in some if not any(offer is one for one in doubtful)]
        held = self._holding(sure, held, watched)
        return self._holding(doubtful, held, watched)

    def _with(self, made: list[Offer], code: list[str], other: list[str]) -> Selection:
        contents = {**self.outcome.after, **edited(made, self.outcome.report.sources)}
        return Selection(OverlayTree(self.selection.tree, contents), code, other)

    # -- the text -------------------------------------------------------------------------------------------------

    def _sound(self, chosen: list[Offer]) -> list[Offer]:
        """Those of ``chosen`` that leave every file readable, and every comment in its place."""
        by_paths: dict[tuple[str, ...], list[Offer]] = {}
        for offer in chosen:
            by_paths.setdefault(offer.paths, []).append(offer)
        kept: list[Offer] = []
        for group in by_paths.values():
            if self._fault(group) is None:
                kept += group
                continue
            for offer in group:
                fault = self._fault([offer])
                if fault is None:
                    kept.append(offer)
                else:
                    self._refuse(offer, fault.reason)
        order = {id(offer): place for place, offer in enumerate(chosen)}
        return sorted(kept, key=lambda offer: order[id(offer)])

    def _fault(self, some: Iterable[Offer]) -> Fault | None:
        sources = self.outcome.report.sources
        try:
            contents = edited(list(some), sources)
        except UnicodeEncodeError:
            return Fault("the file's encoding does not have a character of it")
        for path, data in contents.items():
            if reason := fault_of_text(path, sources[path].data, data):
                return Fault(reason)
        return None
