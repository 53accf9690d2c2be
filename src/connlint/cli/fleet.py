"""``connlint fleet``: many repositories in one go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connlint.cli import given as shared
from connlint.cli.given import fail

if TYPE_CHECKING:
    from connlint.fleet.crew import Crew
    from connlint.fleet.listed import Repository
    from connlint.fleet.visit import Plan, Visit


@click.command(short_help="Check many repositories.")
@click.argument("repositories", type=click.Path(path_type=Path, readable=False, allow_dash=True))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default="connlint-fleet",
              show_default=True, help="The folder for NAME.sarif of every repository, and summary.json.")
@click.option("--scheduler", metavar="ADDRESS", help="Have the workers of a Dask scheduler do it: tcp://host:8786.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=600.0, show_default=True,
              help="Seconds for one try of one repository.")
@click.option("--tries", type=click.IntRange(1), default=2, show_default=True,
              help="How often a repository is tried that fails or does not end.")
@shared.select
@shared.ignore
@click.option("--fail-on", type=click.Choice(["note", "warning", "error", "never"]), default="warning",
              show_default=True, help="The mildest level that makes the exit status 1.")
@shared.exclude
@shared.notebooks
@click.option("--quiet", "-q", is_flag=True, help="Print the summary only.")
@shared.jobs
def fleet(repositories: Path, output: Path, **given: Any) -> None:
    """Check every repository that the file REPOSITORIES lists, one a line: a folder or a URL that git can clone.

    Each is checked with its own configuration, in a process of its own: one that fails, hangs or breaks takes nothing
    from the others. Its report is written when it has ended. The exit status is 2 if a repository could not be
    checked, 1 if there are findings at or above --fail-on, else 0.

    \b
    Examples:
      connlint fleet repositories.txt
      connlint fleet repositories.txt --scheduler tcp://10.0.0.5:8786 --output reports
    """
    from connlint.fleet.crew import NoCrew
    from connlint.fleet.listed import ListError, read_list
    from connlint.fleet.summary import as_json, table
    from connlint.model.finding import LEVELS

    try:
        text = sys.stdin.read() if str(repositories) == "-" else repositories.read_text("utf-8")
        listed = read_list(text, Path.cwd() if str(repositories) == "-" else repositories.absolute().parent)
        output.mkdir(parents=True, exist_ok=True)
    except UnicodeDecodeError:
        fail(f"{repositories}: not UTF-8")
    except OSError as error:
        fail(f"{error.filename}: {(error.strerror or str(error)).lower()}")
    except ListError as error:
        fail(f"{repositories}: {error}")
    visits: list[Visit] = []
    try:
        with _crew(given) as crew:
            for visit in _told(crew, listed, _plan(given), given["quiet"]):
                if visit.sarif:
                    (output / f"{visit.repository.name}.sarif").write_bytes(visit.sarif)
                visits.append(visit)
        (output / "summary.json").write_text(as_json(visits), encoding="utf-8")
    except NoCrew as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or output}: {error.strerror or error}")
    click.echo(table(visits))
    if any(visit.failure for visit in visits):
        sys.exit(2)
    bar = LEVELS.index(given["fail_on"]) if given["fail_on"] in LEVELS else len(LEVELS)
    if any(LEVELS.index(level) >= bar for visit in visits for level in visit.levels):
        sys.exit(1)


def _crew(given: dict[str, Any]) -> AbstractContextManager[Crew]:
    from connlint.fleet.crew import dask, local

    return dask(given["scheduler"]) if given["scheduler"] else local(given["jobs"])


def _plan(given: dict[str, Any]) -> Plan:
    from connlint.fleet.visit import Plan

    arguments = [f"--{option}={value}" for option in ("select", "ignore", "exclude") for value in given[option]]
    if given["notebooks"]:
        arguments.append("--notebooks")
    return Plan(tuple(arguments), given["timeout"], given["tries"])


def _told(crew: Crew, listed: list[Repository], plan: Plan, quiet: bool) -> Iterator[Visit]:
    """The visits, each with a line on standard error when it has ended."""
    from connlint.fleet.summary import line

    for number, visit in enumerate(crew(listed, plan), 1):
        if not quiet:
            click.echo(f"{number}/{len(listed)} {line(visit)}", err=True)
        yield visit
