"""A run of the checks as the command line asks for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from connlint.cli.given import Progress, configured, current_folder, fail, kept

if TYPE_CHECKING:
    from connlint.answers import Answers
    from connlint.cards import Rules
    from connlint.config import Config
    from connlint.discover import Selection
    from connlint.engine import Options
    from connlint.model.report import Report


class Run(Struct):
    """What is to be checked, and how; called with a selection, it checks that one instead of its own."""

    selection: Selection
    rules: Rules
    config: Config
    options: Options
    quiet: bool = False
    answers: Answers | None = None

    def __call__(self, selection: Selection | None = None) -> Report:
        """The report, with a line of progress on a terminal that has to wait."""
        from connlint.engine import run

        progress = Progress() if sys.stderr.isatty() and not self.quiet else None
        report = run(selection or self.selection, self.rules, self.config, self.options, progress,
                     answers=self.answers)
        if progress:
            progress.clear()
        return report


def prepared(paths: tuple[Path, ...], given: dict[str, Any]) -> Run:
    """The run over ``paths`` under what the command line has ``given``; ends the program where there can be none."""
    from connlint.discover import DiscoveryError, select
    from connlint.engine import Options

    here = current_folder()
    rules, config = configured(here, given)
    try:
        selection = select(paths, here)
    except DiscoveryError as error:
        fail(str(error))
    config = config.at(selection.root)
    selection.leave_out(config.excluded)
    options = Options(given["jobs"], not given.get("no_sieve"), given["notebooks"] or config.notebooks,
                      given.get("category", ""))
    return Run(selection, rules, config, options, given["quiet"], _answers(given))


def _answers(given: dict[str, Any]) -> Answers | None:
    """The reports of earlier runs, unless the command line will have none of them."""
    cache = kept(given)
    if cache is None:
        return None
    from connlint.answers import Answers

    return Answers(cache)
