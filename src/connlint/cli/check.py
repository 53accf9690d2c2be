"""``connlint check``: the findings of files and folders."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connlint.cli import given as shared
from connlint.cli.given import Progress, configured, fail

if TYPE_CHECKING:
    from connlint.model.report import Report

FORMATS = ("text", "concise", "sarif", "json", "github", "gitlab")


@click.command(short_help="Check files and folders.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How to report.")
@shared.output("report")
@shared.select
@shared.ignore
@click.option("--fail-on", type=click.Choice(["note", "warning", "error", "never"]),
              help="The mildest level that makes the exit status 1.  [default: warning]")
@shared.config
@shared.exclude
@shared.notebooks
@click.option("--statistics", is_flag=True, help="Count the findings of every rule.")
@click.option("--verbose", "-v", is_flag=True, help="List the files that were not checked, and why.")
@click.option("--quiet", "-q", is_flag=True, help="Print findings only, no summary.")
@shared.jobs
@click.option("--no-sieve", is_flag=True, help="Parse every file, also those without a word that matters.")
@click.option("--omit-suppressed", is_flag=True,
              help="Leave findings that a comment ignores out of SARIF; code scanning would show them as open.")
@click.option("--category", default="", help="Name of this run in code scanning, for several runs a repository.")
@shared.color
def check(paths: tuple[Path, ...], format_: str, output: Path | None, **given: Any) -> None:
    """Check PATHS (default: the current folder) and report what would break once deployed.

    Files named here limit what is reported, not what is read: imports and deployment files of the whole project are
    followed.
    """
    from connlint.discover import DiscoveryError, select
    from connlint.engine import Options, run

    here = Path.cwd()
    rules, config = configured(here, given)
    try:
        selection = select(paths, here)
    except DiscoveryError as error:
        fail(str(error))
    config = config.at(selection.root)
    selection.leave_out(config.excluded)
    options = Options(given["jobs"], not given["no_sieve"], given["notebooks"] or config.notebooks, given["category"])
    progress = Progress() if sys.stderr.isatty() and not given["quiet"] else None
    report = run(selection, rules, config, options, progress)
    if progress:
        progress.clear()
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
