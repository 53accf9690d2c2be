"""``connlint check --fix`` and ``--diff``: what is done with the edits, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connlint.cli.given import fail

if TYPE_CHECKING:
    from connlint.discover import Selection
    from connlint.fixing.passes import Outcome
    from connlint.model.finding import Finding
    from connlint.model.report import Report

Check = Callable[["Selection"], "Report"]
Narrowed = Callable[["Report"], "Report"]
_MOST_LEFT = 20
"""Edits that do not hold are listed up to this number."""


def refuse_bad_combinations(context: click.Context, given: dict[str, Any]) -> None:
    """End with one line where what is asked for does not go together."""

    def said(name: str) -> bool:
        source = context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    if given["fix"] and given["diff"]:
        fail("--fix writes files and --diff changes nothing: give one of them")
    if given["unsafe_fixes"] and not (given["fix"] or given["diff"]):
        fail("--unsafe-fixes says which edits to make: give it with --fix, or with --diff to see them first")
    if given["diff"]:
        for name, flag in (("format_", "--format"), ("statistics", "--statistics")):
            if said(name):
                fail(f"--diff prints a patch: {flag} has no place beside it")


def fix(selection: Selection, check: Check, narrowed: Narrowed, given: dict[str, Any]) -> Report:
    """Make the edits that hold, say on standard error what was done, and return the report of what remains.

    Mended is what the report would show, and that is what ``narrowed`` leaves of it; what it takes away remains.
    """
    from connlint.fixing.files import write
    from connlint.fixing.passes import mend

    outcome = mend(selection, check, given["unsafe_fixes"], narrowed)
    skipped = write(selection.root, outcome.before, outcome.after, [one.together for one in outcome.treated])
    for one in outcome.treated:
        if why := next((skipped[path] for path in one.together if path in skipped), None):
            outcome.left.append((one.finding, why))
    outcome.treated = [one for one in outcome.treated if not any(path in skipped for path in one.together)]
    if not given["quiet"]:
        _say("Fixed", outcome, len(set(outcome.after) - set(skipped)), given)
    return check(selection) if skipped else outcome.report


def diff(selection: Selection, check: Check, narrowed: Narrowed, output: Path | None, given: dict[str, Any]) -> int:
    """Print the patch of the edits that hold, or write it to ``output``; the exit status: 1 where there is one."""
    from connlint.fixing.passes import mend
    from connlint.fixing.patch import patch
    from connlint.reporters import OutputError, print_bytes, replace_file

    outcome = mend(selection, check, given["unsafe_fixes"], narrowed)
    data = patch(outcome.before, outcome.after)
    try:
        if output is not None:
            replace_file(output, data)
        else:
            print_bytes(data)
    except OutputError as error:
        fail(str(error))
    if not given["quiet"]:
        _say("Would fix", outcome, len(outcome.after), given)
        if data and selection.root != Path.cwd():
            click.echo(f"The paths of the patch start in {selection.root}.", err=True)
    return (1 if data else 0) if outcome.first.complete else 2


def _say(done: str, outcome: Outcome, files: int, given: dict[str, Any]) -> None:
    """One line of what was done, one a finding whose edit does not hold, and how to have more."""
    from connlint.fixing.offers import offers

    lines = [f"{done} {_count(len(outcome.treated), 'finding')} in {_count(files, 'file')}."]
    if outcome.left:
        lines.append(f"Left {_count(len(outcome.left), 'edit')} unmade:")
        lines += [f"  {_place(finding, outcome.first)} {finding.rule}: {why}"
                  for finding, why in outcome.left[:_MOST_LEFT]]
        if len(outcome.left) > _MOST_LEFT:
            lines.append(f"  … and {len(outcome.left) - _MOST_LEFT} more")
    if given["diff"] and not given["unsafe_fixes"]:
        more = sum(len(offer.findings) for offer in offers(outcome.report, True) if not offer.fix.safe)
        if more:
            lines.append(f"{_count(more, 'more finding')} can be mended by edits that are not safe: --unsafe-fixes.")
    click.echo("\n".join(lines), err=True)


def _place(finding: Finding, report: Report) -> str:
    from connlint.reporters.text import position

    line, column = position(finding.place, report.sources)
    return f"{finding.place.path}:{line}:{column}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
