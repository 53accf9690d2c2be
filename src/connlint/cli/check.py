"""``connlint check``: the findings of files and folders."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connlint.cli import fixing, narrowing
from connlint.cli import given as shared
from connlint.cli.given import fail

if TYPE_CHECKING:
    from connlint.model.report import Report

FORMATS = ("text", "concise", "sarif", "json", "github", "gitlab", "rdjsonl", "junit", "html")


@click.command(short_help="Check files and folders.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How to report.")
@shared.output("report")
@shared.select
@shared.ignore
@shared.exclude
@shared.notebooks
@shared.config
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE",
              help="Report what is new since `connlint baseline` wrote FILE.")
@click.option("--no-baseline", is_flag=True, help="Report everything, although the configuration names a baseline.")
@click.option("--diff-base", metavar="REV", help="Report what stands on lines that were changed since REV.")
@click.option("--fail-on", type=click.Choice(["note", "warning", "error", "never"]),
              help="The mildest level that makes the exit status 1.  [default: warning]")
@click.option("--exit-zero", is_flag=True, help="End with status 0 although there are findings.")
@click.option("--fix", is_flag=True, help="Make the edits that are safe, and report what remains.")
@click.option("--unsafe-fixes", is_flag=True,
              help="With --fix or --diff: also the edits after which a program may do something else than before.")
@click.option("--diff", is_flag=True, help="Change nothing; print what --fix would do as a patch for `git apply`.")
@click.option("--statistics", is_flag=True, help="Count the findings of every rule, instead of listing them.")
@click.option("--verbose", "-v", is_flag=True, help="List the files that were not checked, and why.")
@click.option("--quiet", "-q", is_flag=True, help="Print findings only, no summary.")
@shared.color
@click.option("--omit-suppressed", is_flag=True,
              help="Leave out of SARIF what a comment ignores or a baseline holds; code scanning would show it open.")
@click.option("--category", default="", help="Name of this run in code scanning, for several runs a repository.")
@shared.jobs
@shared.cache_dir
@shared.no_cache
@click.option("--no-sieve", is_flag=True, help="Parse every file, also those without a word that matters.")
def check(paths: tuple[Path, ...], format_: str, output: Path | None, **given: Any) -> None:
    """Check PATHS (default: the current folder) and report what would break once deployed.

    Files named here limit what is reported, not what is read: imports and deployment files of the whole project are
    followed.

    \b
    Examples:
      connlint check
      connlint check src api/main.py --select lifecycle,missing-symbol
      connlint check --diff-base origin/main              # what this branch has touched
      connlint check --baseline .connlint-baseline.json   # what is new
      connlint check --diff --unsafe-fixes | git apply
      connlint check --format html --output report.html

    \b
    Formats: text, concise (a line for each finding) and html for people; json for
    programs; sarif for code scanning, github for annotations of a workflow, gitlab
    for its code quality, rdjsonl for reviewdog, junit for build servers.

    \b
    Exit status: 0 where nothing is reported at or above --fail-on, 1 where something
    is, 2 where connlint could not do its work.
    """
    from connlint.cli.running import prepared

    fixing.refuse_bad_combinations(click.get_current_context(), given)
    narrowing.refuse_bad_combinations(given)
    if given["exit_zero"]:
        given["fail_on"] = "never"
    run = prepared(paths, given)
    narrowed = narrowing.narrowing(run.selection, run.rules, run.config, given)
    if given["diff"]:
        sys.exit(fixing.diff(run.selection, run, narrowed, output, given))
    if given["fix"]:
        report = fixing.fix(run.selection, run, narrowed, given)
        # lines have moved since it was asked which of them were changed
        narrowed = narrowing.narrowing(run.selection, run.rules, run.config, given)
    else:
        report = run()
    report = narrowed(report)
    _write(report, format_, output, given)
    if report.status:
        sys.exit(report.status)


def _write(report: Report, format_: str, output: Path | None, given: dict[str, Any]) -> None:
    from connlint.reporters import OutputError, write

    try:
        write(report, format_, output, color=given["color"], statistics=given["statistics"], verbose=given["verbose"],
              quiet=given["quiet"], category=given["category"], omit_suppressed=given["omit_suppressed"])
    except OutputError as error:
        fail(str(error))
