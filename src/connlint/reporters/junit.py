"""The report as JUnit XML, which nearly every build server shows: a suite a file, a case a finding.

A case fails where its finding makes the run fail; what is milder, known or ignored by a comment is a case that was
skipped. The elements and attributes are those that Jenkins' schema (junit-10.xsd) allows. A case is called by what does
not move with the lines, so that a server knows it again in the next run, and no two are called the same: GitLab, for
one, drops a second case of the same name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from connlint.model.finding import LEVELS, Finding
from connlint.model.problem import Problem
from connlint.model.report import Report
from connlint.reporters import Options
from connlint.reporters.terminal import visible
from connlint.reporters.text import concise, story

_CLEAN = "connlint"
_NOT_READ = "files that were not read"


def write(report: Report, stream: TextIO, options: Options) -> None:
    """A suite for every file with a finding, one for what could not be read; a case that passed where there is none."""
    suites = [_suite(path, [_case(finding, report) for finding in found])
              for path, found in groupby(report.findings, key=lambda finding: finding.place.path)]
    if report.problems:
        suites.append(_suite(_NOT_READ, _unread(report.problems)))
    if not suites:
        suites = [_suite(_CLEAN, [_Case(_CLEAN, "no findings")])]
    total = sum((suite.counts for suite in suites), Counter())
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n'
                 f'<testsuites name="connlint" {_counted(total)}>\n')
    for suite in suites:
        stream.writelines(suite.lines())
    stream.write("</testsuites>\n")


class _Case:
    """One case; ``kind`` is the element that says how it ended, None where it passed."""

    def __init__(self, suite: str, name: str, kind: str | None = None, message: str = "", type_: str = "",
                 body: str = "") -> None:
        self.suite, self.name, self.kind, self.message, self.type, self.body = suite, name, kind, message, type_, body

    def lines(self) -> Iterator[str]:
        head = f"    <testcase classname={quoteattr(self.suite)} name={quoteattr(self.name)}"
        if self.kind is None:
            yield f"{head}/>\n"
            return
        yield f"{head}>\n"
        yield (f"      <{self.kind} type={quoteattr(self.type)} message={quoteattr(self.message)}>"
               f"{escape(self.body)}</{self.kind}>\n    </testcase>\n")


class _Suite:
    def __init__(self, name: str, cases: list[_Case]) -> None:
        self.name, self.cases = name, cases
        self.counts = Counter(case.kind or "passed" for case in cases)

    def lines(self) -> Iterator[str]:
        yield (f'  <testsuite name={quoteattr(self.name)} {_counted(self.counts)} '
               f'skipped="{self.counts["skipped"]}">\n')
        for case in self.cases:
            yield from case.lines()
        yield "  </testsuite>\n"


def _suite(path: str, cases: list[_Case]) -> _Suite:
    """A suite whose cases have names of their own."""
    seen: Counter[str] = Counter()
    for case in cases:
        seen[case.name] += 1
        if seen[case.name] > 1:
            case.name += f" ({seen[case.name]})"
    return _Suite(visible(path), cases)


def _counted(counts: Counter[str]) -> str:
    return f'tests="{counts.total()}" failures="{counts["failure"]}" errors="{counts["error"]}"'


def _case(finding: Finding, report: Report) -> _Case:
    suite, name = visible(finding.place.path), visible(f"{finding.rule}: {finding.symbol}")
    body = "\n".join([concise(finding, report.sources), *story(finding, report.sources)])
    if finding.suppression is not None:
        why = f"ignored by a comment: {finding.suppression.reason or 'no reason given'}"
        return _Case(suite, name, "skipped", visible(why), finding.level, body)
    if finding.known:
        return _Case(suite, name, "skipped", "in the baseline", finding.level, body)
    fails = report.fail_on in LEVELS and LEVELS.index(finding.level) >= LEVELS.index(report.fail_on)
    return _Case(suite, name, "failure" if fails else "skipped", visible(finding.message), finding.level, body)


def _unread(problems: tuple[Problem, ...]) -> list[_Case]:
    """What connlint failed on is an error; a file that it cannot read leaves the run as it is."""
    return [_Case(_NOT_READ, visible(problem.path), "error" if problem.kind == "internal" else "skipped",
                  visible(problem.message), problem.kind, visible(f"{problem.path}: {problem.message}"))
            for problem in problems]
