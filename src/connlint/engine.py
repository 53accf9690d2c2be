"""One run: scan every file's bytes, parse the few that matter, check them, and collect what is to be reported.

Work is cut into tasks that any `concurrent.futures.Executor` can run (`workers`); results are sorted, so that the
number of workers changes nothing. Every worker keeps one `Session`, whose files are read when somebody asks.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from connlint import __version__
from connlint.borrowing import with_borrowers
from connlint.cards import Rules
from connlint.checks import PROJECT_CHECKS
from connlint.config import Config
from connlint.discover import CODE, NOTEBOOK, PYTHON, Selection, SetAside
from connlint.model.finding import Draft, Finding, Suppression
from connlint.model.problem import Problem
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.project.tree import Tree
from connlint.session import SUPPRESSION, Checked, Options, Scanned, Session
from connlint.workers import Workers

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from connlint.answers import Answers
    from connlint.readings import Readings

Wanted = tuple[str, tuple[str, ...]]
"""A file that is to be parsed, and the ids of the cards that look at it."""
Progress = Callable[[str, int, int], None]
"""Hears of a phase, of the files done in it, and of the files in all."""


def scan_files(session: Session, paths: list[str]) -> list[Scanned]:
    """A task: look at the bytes of files."""
    return [session.scan(path) for path in paths]


def check_files(session: Session, rows: list[Wanted]) -> list[Checked]:
    """A task: parse files, and run the checks of the cards that stand beside each."""
    return [session.check(path, ids) for path, ids in rows]


def tell_imports(session: Session, drafts: list[tuple[str, Draft]]) -> list[Finding]:
    """A task: put what was seen of imports into words, which asks the whole project how much they weigh."""
    return [finding for rule, draft in drafts if (finding := session.finding(session.cards[rule], draft))]


def check_project(session: Session, check: str) -> tuple[list[Finding], list[Problem]]:
    """A task: run a check that looks at the whole project at once; gives findings, and what it could not read."""
    cards = [card for card in session.cards.values() if card.check == check]
    function = session.check_named(check)
    project = session.project
    findings: list[Finding] = []
    problems: list[Problem] = []
    for card in cards:
        try:
            drafts: list[Draft] = list(function(project, card, session.rules))
        except Exception as error:
            # as for one file: what fails is said, and takes nothing from the others
            if os.environ.get("CONNLINT_TRACEBACK"):
                raise
            problems.append(Problem("internal", f"{card.id} failed: {type(error).__name__}: {error}", "."))
            continue
        findings += [finding for draft in drafts if (finding := session.finding(card, draft))]
    project.trim()
    return findings, problems + list(session.problems_of_others())


def _cut(items: list[Any], parts: int) -> list[list[Any]]:
    """``items`` in about ``parts`` runs of neighbours, so that files of one folder share a worker's look-ups."""
    size = max(1, -(-len(items) // max(1, parts)))
    return [items[i : i + size] for i in range(0, len(items), size)]


def run(selection: Selection, rules: Rules, config: Config, options: Options, progress: Progress | None = None, *,
        executor: Executor | None = None, answers: Answers | None = None, readings: Readings | None = None) -> Report:
    """Check ``selection`` and return the report.

    The work is done by ``executor``, else by as many processes as ``options`` allow. ``answers`` of earlier runs are
    used where nothing has changed that they rest on; ``readings`` are those of files that this process has read before.
    The report is the same without either.
    """
    started = time.perf_counter()
    if answers is not None:
        with answers.about(selection, rules, config, options) as question:
            report = question.known()
            if report is None:
                report = _run(selection, rules, config, options, progress or _nobody, executor, readings)
                question.answered(report)
    else:
        report = _run(selection, rules, config, options, progress or _nobody, executor, readings)
    return replace(report, seconds=time.perf_counter() - started)


def _nobody(phase: str, done: int, total: int) -> None:
    """Hears of progress, and says nothing."""


def _run(selection: Selection, rules: Rules, config: Config, options: Options, tell: Progress,
         executor: Executor | None, readings: Readings | None) -> Report:
    code = list(selection.code)
    if options.notebooks:
        code = sorted((*code, *(path for path in selection.other if path.endswith(NOTEBOOK))))
    reported = frozenset((*selection.code, *selection.other))
    session = Session(selection.tree, rules, config, options,
                      None if len(reported) * 2 > len(selection.tree.paths) else reported, readings)
    set_aside = list(selection.set_aside)
    problems: dict[str, Problem] = {}
    failed: list[Problem] = []
    findings: list[Finding] = []
    suppressions: list[Suppression] = []
    unknown = 0
    with Workers(session, executor, len(code)) as workers:
        scanned: list[Scanned] = []
        for rows in workers.map(scan_files, _cut(code, 24)):
            scanned += rows
            tell("scanning", len(scanned), len(code))
        # The checks of the whole project take longest, so they are begun first
        of_project = workers.map(check_project, [name for name in PROJECT_CHECKS if session.concerns(name)])
        of_imports = workers.map(tell_imports, _cut([draft for row in scanned for draft in row.drafts], 8))
        wanted: list[Wanted] = []
        for row in scanned:
            unknown += row.unknown_imports
            if row.set_aside:
                set_aside.append(SetAside(row.path, row.set_aside))
            if row.problem:
                problems[row.path] = row.problem
            if row.cards or row.drafts:
                wanted.append((row.path, row.cards))
        wanted = with_borrowers(scanned, wanted, session)
        checked = 0
        of_files = workers.map(check_files, _cut(wanted, 32))
        marked = _marked(selection)  # while others work
        for results in of_files:
            for result in results:
                findings += [finding for finding in result.findings if finding.place.path in reported]
                suppressions += result.suppressions
                if result.problem:
                    problems[result.path] = result.problem
            checked += len(results)
            tell("checking", checked, len(wanted))
        for told, unread in of_project:
            problems |= {problem.path: problem for problem in unread if problem.path in reported}
            failed += (problem for problem in unread if problem.kind == "internal")
            findings += [finding for finding in told if finding.place.path in reported]
        for told in of_imports:
            findings += told
    sources = _sources(findings, suppressions, session.tree, marked)
    findings = _ordered(_suppressed(findings, suppressions, sources, session, problems))
    return Report(
        findings=tuple(findings),
        sources=sources,
        rules=rules,
        problems=(*(problems[path] for path in sorted(problems)), *failed),
        set_aside=tuple((item.path, item.reason) for item in sorted(set_aside, key=lambda s: s.path)),
        unknown_imports=unknown,
        files_checked=len(code) - sum(1 for row in scanned if row.set_aside or row.problem),
        fail_on=config.fail_on,
        version=__version__,
        root=str(getattr(selection.tree, "root", None) or ""),
    )


def _suppressed(findings: list[Finding], suppressions: list[Suppression], sources: dict[str, Source],
                session: Session, unsure: Collection[str]) -> list[Finding]:
    """The findings, with the comments that cover them, and those about the comments; ``unsure`` files are half read."""
    elsewhere = [s for path, s in sources.items() if not path.endswith(CODE) and SUPPRESSION in s.data]
    if not suppressions and not elsewhere:
        return findings
    from connlint.suppressions import CHECK, apply, collect_text

    suppressions = [*suppressions, *(s for source in elsewhere for s in collect_text(source))]
    findings, drafts = apply(findings, suppressions, sources, session.rules, session.config, unsure)
    cards = [card for card in session.cards.values() if card.check == CHECK]
    return findings + [f for card in cards for draft in drafts if (f := session.finding(card, draft))]


def _marked(selection: Selection) -> list[str]:
    """The deployment files to report on that hold what may be a suppression."""
    if not selection.other:
        return []
    from connlint.languages.deployment.files import kind_of

    return [path for path in selection.other if kind_of(path) and SUPPRESSION in (selection.tree.read(path) or b"")]


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by place, without twins, and numbered where rule, symbol and file are the same."""
    seen: Counter[tuple[str, str, str]] = Counter()
    rows: list[Finding] = []
    last: tuple | None = None
    for finding in sorted(findings, key=Finding.key):
        if (key := finding.key()) == last:
            continue
        last = key
        same = (finding.rule, finding.symbol, finding.place.path)
        rows.append(replace(finding, ordinal=seen[same]))
        seen[same] += 1
    return rows


def _sources(findings: list[Finding], suppressions: list[Suppression], tree: Tree,
             marked: Iterable[str]) -> dict[str, Source]:
    """The sources of every file that a finding points at or a suppression stands in, the ``marked`` among them."""
    paths = {suppression.place.path for suppression in suppressions} | set(marked)
    for finding in findings:
        paths.add(finding.place.path)
        paths.update(step.place.path for step in (*finding.steps, *finding.related))
        if finding.fix:
            paths.update(edit.place.path for edit in finding.fix.edits)
    return {path: Source.of(path, tree.read(path) or b"", cookie=path.endswith(PYTHON)) for path in sorted(paths)}
