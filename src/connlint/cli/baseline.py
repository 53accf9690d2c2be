"""``connlint baseline``: the findings that are known already, written down."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from connlint.cli import given as shared
from connlint.cli.given import fail


@click.command(short_help="Write down the findings there are, to be told of new ones only.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="The file to write.  [default: `baseline` of the configuration, or .connlint-baseline.json]")
@click.option("--prune", is_flag=True, help="Take out what is gone, and add nothing.")
@shared.select
@shared.ignore
@shared.config
@shared.exclude
@shared.notebooks
@shared.jobs
@click.option("--quiet", "-q", is_flag=True, help="Say nothing.")
def baseline(paths: tuple[Path, ...], output: Path | None, prune: bool, **given: Any) -> None:
    """Write the findings in PATHS (default: the current folder) to a file, so that `check` can pass over them.

    A project that has findings can then begin today: `connlint check --baseline FILE` reports, and fails on, what is
    new. The file has a line for each finding, without line numbers, and is meant to be committed. A finding is known
    again when its line has moved, or its file has another name.

    Run it again to accept what has come since; entries of files and rules that are not asked for stay.

    \b
    Examples:
      connlint baseline                   # .connlint-baseline.json
      connlint check --baseline .connlint-baseline.json
      connlint baseline --prune           # after mending something
    """
    from connlint import baseline as baselines
    from connlint.cli.narrowing import scope, shown_as
    from connlint.cli.running import prepared
    from connlint.reporters import OutputError, replace_file

    run = prepared(paths, {**given, "fail_on": None})
    path = output or run.config.baseline or Path(baselines.NAME)
    folder, shown = Path(os.path.abspath(path)).parent, shown_as(path)
    try:
        old = baselines.load(path, shown) if prune or path.is_file() else ()
    except baselines.BaselineError as error:
        # what cannot be read was not written here, and may be another file
        fail(str(error))
    report = run()
    seen = baselines.without(scope(run.selection, run.rules, run.config, given), report)
    found = baselines.compare(report, old, folder, seen)
    new = [] if prune else [baselines.entry_of(finding, report, folder) for finding in found.new]
    entries = [*found.met, *found.unjudged, *new]
    try:
        replace_file(path, baselines.render(entries))
    except OutputError as error:
        fail(str(error))
    if not given["quiet"]:
        _say(shown, len(entries), len(new), len(found.gone), bool(old), path == run.config.baseline)
    if not report.complete:
        for problem in report.problems:
            if problem.kind == "internal":
                click.echo(f"connlint: {problem.path}: {problem.message}", err=True)
        sys.exit(2)


def _say(shown: str, entries: int, new: int, gone: int, rewritten: bool, configured: bool) -> None:
    changed = f" ({new} new, {gone} gone)" if rewritten else ""
    click.echo(f"{shown}: {entries} known finding{'' if entries == 1 else 's'}{changed}.")
    if not configured and not rewritten:
        click.echo(f"Use it with `connlint check --baseline {shown}`, or put `baseline = \"{shown}\"` into the "
                   "configuration. Commit the file.")
