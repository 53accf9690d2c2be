"""The command line. Whatever goes wrong ends in one line that says what and where, and in the right exit status.

0: clean, or nothing at or above ``--fail-on``. 1: findings. 2: bad usage, bad configuration, or a fault of connlint.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from connlint import __version__

if TYPE_CHECKING:
    from connlint.cards import Rules
    from connlint.config import Config
    from connlint.model.report import Report

FORMATS = ("text", "concise", "sarif", "json", "github", "gitlab")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_NOTHING_GIVEN: dict[str, Any] = {"select": (), "ignore": (), "exclude": (), "fail_on": None, "config_path": None}


def fail(message: str) -> NoReturn:
    """Say one line on standard error and end with status 2."""
    click.echo(f"connlint: {message}", err=True)
    sys.exit(2)


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="connlint")
def cli() -> None:
    """Find connectivity faults: code that runs on a laptop and is refused in deployment."""


def _comma(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for text in value for part in text.split(",") if part.strip())


@cli.command(short_help="Check files and folders.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How to report.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report to a file.")
@click.option("--select", multiple=True, callback=_comma, metavar="RULES", help="Only these rules or families.")
@click.option("--ignore", multiple=True, callback=_comma, metavar="RULES", help="Not these rules or families.")
@click.option("--fail-on", type=click.Choice(["note", "warning", "error", "never"]),
              help="The mildest level that makes the exit status 1.  [default: warning]")
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Use this configuration file.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Set files aside, as a .gitignore line would.")
@click.option("--notebooks", is_flag=True, help="Read Jupyter notebooks too.")
@click.option("--statistics", is_flag=True, help="Count the findings of every rule.")
@click.option("--verbose", "-v", is_flag=True, help="List the files that were not checked, and why.")
@click.option("--quiet", "-q", is_flag=True, help="Print findings only, no summary.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Processes to use.  [default: one a core]")
@click.option("--no-sieve", is_flag=True, help="Parse every file, also those without a word that matters.")
@click.option("--omit-suppressed", is_flag=True,
              help="Leave findings that a comment ignores out of SARIF; code scanning would show them as open.")
@click.option("--category", default="", help="Name of this run in code scanning, for several runs a repository.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def check(paths: tuple[Path, ...], format_: str, output: Path | None, **given: Any) -> None:
    """Check PATHS (default: the current folder) and report what would break once deployed.

    Files named here limit what is reported, not what is read: imports and deployment files of the whole project are
    followed.
    """
    from connlint.discover import DiscoveryError, select
    from connlint.engine import Options, run

    here = Path.cwd()
    rules, config = _configured(here, given)
    try:
        selection = select(paths, here)
    except DiscoveryError as error:
        fail(str(error))
    config = config.at(selection.tree.root)
    selection.leave_out(config.excluded)
    options = Options(given["jobs"], not given["no_sieve"], given["notebooks"] or config.notebooks, given["category"])
    progress = _Progress() if sys.stderr.isatty() and not given["quiet"] else None
    report = run(selection, rules, config, options, progress)
    if progress:
        progress.clear()
    _write(report, format_, output, given)
    if report.status:
        sys.exit(report.status)


def _configured(here: Path, given: dict[str, Any]) -> tuple[Rules, Config]:
    from connlint import cards, config

    try:
        settings = config.load(here, given["config_path"])
        rules = cards.load(tuple(settings.rules))
        settings = settings.with_command_line(select=given["select"], ignore=given["ignore"], fail_on=given["fail_on"],
                                              exclude=given["exclude"])
        config.validate(settings, rules)
    except (config.ConfigError, cards.CardError) as error:
        fail(str(error))
    return rules, settings


def _write(report: Report, format_: str, output: Path | None, given: dict[str, Any]) -> None:
    from connlint.reporters import OutputError, write

    try:
        write(report, format_, output, color=given["color"], statistics=given["statistics"], verbose=given["verbose"],
              quiet=given["quiet"], category=given["category"], omit_suppressed=given["omit_suppressed"])
    except OutputError as error:
        fail(str(error))


class _Progress:
    """One line on standard error that is overwritten; nothing stays."""

    def __init__(self) -> None:
        import time

        self._clock = time.monotonic
        self._started = self._last = self._clock()
        self._shown = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = self._clock()
        if now - self._started > 0.7 and now - self._last > 0.1:
            self._last, self._shown = now, True
            sys.stderr.write(f"\r\x1b[2K{phase} {done}/{total}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


@cli.command("map", short_help="Draw what is deployed.")
@click.argument("path", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--format", "format_", type=click.Choice(["text", "mermaid", "json", "html"]), default="text",
              show_default=True, help="How to draw it.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the map to a file.")
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Use this configuration file.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Set files aside, as a .gitignore line would.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Processes to use.  [default: one a core]")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def map_(path: Path | None, format_: str, output: Path | None, **given: Any) -> None:
    """Draw what is deployed: services, where they listen, what they connect to, and what is missing.

    PATH is a project, or a folder or file of the project around the current folder, to draw its deployments only.
    What could not be known is drawn as unknown.
    """
    from connlint.charting import Unchartable, chart
    from connlint.reporters import OutputError, write_map

    here = Path.cwd()
    rules, config = _configured(here if path is None or not path.is_dir() else path.absolute(),
                                {**_NOTHING_GIVEN, **given})
    try:
        drawn = chart(path, here, rules, config, given["jobs"])
        write_map(drawn, format_, output, color=given["color"])
    except (Unchartable, OutputError) as error:
        fail(str(error))


@cli.command(short_help="List the rules.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(format_: str) -> None:
    """List the rules, those of the project's own among them."""
    from connlint.reporters.cards import rules_json, rules_table

    loaded, _ = _configured(Path.cwd(), _NOTHING_GIVEN)
    click.echo(rules_json(loaded) if format_ == "json" else rules_table(loaded))


@cli.command(short_help="Show the card of a rule.")
@click.argument("rule")
def explain(rule: str) -> None:
    """Show the card of RULE: what it reports, why, how to mend it, where it stays silent."""
    from difflib import get_close_matches

    from connlint.reporters.cards import render

    loaded, _ = _configured(Path.cwd(), _NOTHING_GIVEN)
    card = loaded.cards.get(rule)
    if card is None:
        near = get_close_matches(rule, loaded.cards, 1)
        fail(f"no rule {rule!r}" + (f"; did you mean {near[0]!r}?" if near else "; see `connlint rules`"))
    render(card)


@cli.command(short_help="Print what the reader saw in a file.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
def facts(file: Path) -> None:
    """Print what the reader saw in FILE: the lowered program, with positions."""
    from connlint.discover import CODE
    from connlint.engine import reader_for
    from connlint.languages.dump import dump
    from connlint.model.source import Source, Undecodable

    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    if file.suffix not in CODE:
        fail(f"{file}: not a kind of file that is read ({', '.join(CODE)})")
    try:
        source = Source.decode(file.as_posix(), data, cookie=file.suffix == ".py")
    except Undecodable as error:
        fail(f"{file}: {error}")
    program = reader_for(file.suffix)(source, None)
    click.echo(dump(program, source))
    for problem in program.problems:
        click.echo(f"problem: {problem.kind}: {problem.message}", err=True)


def main() -> None:
    """Entry point of the console script."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output has gone; leave without Python's own complaint about it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CONNLINT_TRACEBACK"):
            raise
        fail(f"internal error: {type(error).__name__}: {error} (set CONNLINT_TRACEBACK=1 to see where)")


if __name__ == "__main__":
    main()
