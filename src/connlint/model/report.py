"""All that one run has to say: what the engine hands to the reporters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from connlint.model.finding import LEVELS, Finding
from connlint.model.problem import Problem
from connlint.model.rule import Rules
from connlint.model.source import Source


class Report(Struct, frozen=True):
    """The outcome of one run; values only, so that every reporter says the same.

    ``findings`` are sorted by `Finding.key` and include the suppressed ones. ``sources`` holds every file that a place
    of a finding points into, by its path. ``problems`` are files that could not be read, ``set_aside`` pairs of path
    and reason of those that were left out on purpose. ``files_checked`` counts the files looked at, and
    ``unknown_imports`` the imports about which nothing could be said. ``seconds`` is the only thing that differs
    between two runs. ``root`` is the absolute path of the project's folder, or "".

    ``baseline`` is how messages call the baseline that the findings were compared with, "" where there was none, and
    ``gone`` counts its entries that nothing meets any more. ``since`` is the revision of which only changed lines are
    reported, "" for all lines, and ``elsewhere`` counts the findings that stand on other lines of changed files.
    """

    findings: tuple[Finding, ...]
    sources: Mapping[str, Source]
    rules: Rules
    problems: tuple[Problem, ...] = ()
    set_aside: tuple[tuple[str, str], ...] = ()
    unknown_imports: int = 0
    files_checked: int = 0
    seconds: float = 0.0
    fail_on: str = "warning"
    version: str = ""
    root: str = ""
    baseline: str = ""
    gone: int = 0
    since: str = ""
    elsewhere: int = 0

    @property
    def reported(self) -> tuple[Finding, ...]:
        """The findings that neither a comment nor the baseline takes away."""
        return tuple(finding for finding in self.findings if finding.suppression is None and not finding.known)

    @property
    def suppressed(self) -> int:
        """How many findings a comment takes away."""
        return sum(finding.suppression is not None for finding in self.findings)

    @property
    def known(self) -> int:
        """How many findings the baseline takes away."""
        return sum(finding.known for finding in self.findings)

    def levels(self) -> Counter[str]:
        """Level → number of reported findings."""
        return Counter(finding.level for finding in self.reported)

    def reasons(self) -> list[tuple[str, int]]:
        """Why files were set aside, and how many for each reason; the commonest first."""
        counted = Counter(reason for _, reason in self.set_aside)
        return sorted(counted.items(), key=lambda row: (-row[1], row[0]))

    @property
    def failed(self) -> bool:
        """Whether something is reported at or above ``fail_on`` ("never" is above everything)."""
        if self.fail_on not in LEVELS:
            return False
        bar = LEVELS.index(self.fail_on)
        return any(LEVELS.index(finding.level) >= bar for finding in self.reported)

    @property
    def complete(self) -> bool:
        """Whether connlint itself did its work: nothing in it broke on a file."""
        return all(problem.kind != "internal" for problem in self.problems)

    @property
    def status(self) -> int:
        """The exit status: 2 where connlint broke, 1 where the run failed, else 0."""
        return int(self.failed) if self.complete else 2
