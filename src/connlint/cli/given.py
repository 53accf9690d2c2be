"""What is given to several commands: the options that they share, the configuration, and the end where it is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from connlint.cache import Cache
    from connlint.cards import Rules
    from connlint.config import Config

NOTHING: Mapping[str, Any] = {"select": (), "ignore": (), "exclude": (), "fail_on": None, "config_path": None}
"""What `configured` takes from the command line, where it says nothing."""

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def fail(message: str) -> NoReturn:
    """Say one line on standard error and end with status 2."""
    click.echo(f"connlint: {message}", err=True)
    sys.exit(2)


def current_folder() -> Path:
    """The folder that connlint was started in; ends the program where it is there no more."""
    try:
        return Path.cwd()
    except OSError:
        fail("the current folder is not there any more")


def comma(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of every given text that stand between commas."""
    return tuple(part.strip() for text in value for part in text.split(",") if part.strip())


def complete_rules(_context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Names of rules that begin as ``typed`` does, for a shell; of families too, and behind commas, in an option."""
    from connlint import cards

    rules = cards.load()
    if isinstance(parameter, click.Argument):
        return [rule for rule in rules.cards if rule.startswith(typed)]
    before, comma, last = typed.rpartition(",")
    return [f"{before}{comma}{name}" for name in (*rules.cards, *rules.families()) if name.startswith(last)]


def output(what: str) -> Option:
    """``--output``, where ``what`` is written."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), help=f"Write the {what} to a file.")


config: Option = click.option("--config", "config_path", type=click.Path(path_type=Path),
                              help="Use this configuration file.")
exclude: Option = click.option("--exclude", multiple=True, metavar="GLOB",
                               help="Set files aside, as a .gitignore line would.")
select: Option = click.option("--select", multiple=True, callback=comma, metavar="RULES", shell_complete=complete_rules,
                              help="Only these rules or families.")
ignore: Option = click.option("--ignore", multiple=True, callback=comma, metavar="RULES", shell_complete=complete_rules,
                              help="Not these rules or families.")
notebooks: Option = click.option("--notebooks", is_flag=True, help="Read Jupyter notebooks too.")
jobs: Option = click.option("--jobs", "-j", type=click.IntRange(0), default=0, metavar="N",
                            help="Processes to use.  [default: one a core]")
cache_dir: Option = click.option("--cache-dir", type=click.Path(path_type=Path),
                                 help="Where to keep what is known from earlier runs.  [default: the user's caches]")
no_cache: Option = click.option("--no-cache", is_flag=True, help="Use nothing of earlier runs, and keep nothing.")
color: Option = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto",
                             show_default=True)


def kept(given: Mapping[str, Any]) -> Cache | None:
    """What is kept from earlier runs, unless the command line will have none of it."""
    if given.get("no_cache", True):
        return None
    from connlint.cache import Cache, own_folder

    folder = given["cache_dir"] or own_folder()
    return None if folder is None else Cache(folder)


def configured(here: Path, given: Mapping[str, Any]) -> tuple[Rules, Config]:
    """The rules and the configuration for a run in ``here``, under what the command line has ``given``.

    What is wrong with either ends the program with one line.
    """
    from connlint import cards, config

    try:
        settings = config.load(here, given["config_path"])
        rules = cards.load(tuple(settings.rules), kept(given))
        settings = settings.with_command_line(select=given["select"], ignore=given["ignore"], fail_on=given["fail_on"],
                                              exclude=given["exclude"])
        config.validate(settings, rules)
    except (config.ConfigError, cards.CardError) as error:
        fail(str(error))
    return rules, settings


class Progress:
    """One line on standard error that is overwritten; nothing stays."""

    def __init__(self) -> None:
        import time

        self._clock = time.monotonic
        self._started = self._last = self._clock()
        self._shown = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Say how far a phase has come, unless it was said just now."""
        now = self._clock()
        if now - self._started > 0.7 and now - self._last > 0.1:
            self._last, self._shown = now, True
            sys.stderr.write(f"\r\x1b[2K{phase} {done}/{total}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
