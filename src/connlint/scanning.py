"""Connlint as a function: what a run needs is gathered from the disk, and the report is given back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from connlint.config import Config
from connlint.discover import DiscoveryError, Selection, select
from connlint.engine import Progress, run
from connlint.model.report import Report
from connlint.model.rule import Rules
from connlint.session import Options

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from connlint.answers import Answers


class ScanError(ValueError):
    """Nothing can be scanned: a path is not there, or the configuration or a rule is not right. One line says what."""


class Scope(Struct, frozen=True):
    """What a run is about, as the disk and the caller say: which files, and under which rules and configuration."""

    selection: Selection
    rules: Rules
    config: Config
    options: Options

    @classmethod
    def of(cls, root: Path, paths: Iterable[str | os.PathLike[str]] = (), *,
           config: str | os.PathLike[str] | None = None, select_rules: Iterable[str] = (),
           ignore_rules: Iterable[str] = (), exclude: Iterable[str] = (), fail_on: str | None = None,
           notebooks: bool = False, jobs: int = 0) -> Self:
        """The scope of a run that is started in the folder ``root``. Raises `ScanError`."""
        from connlint import cards
        from connlint import config as configuration

        try:
            settings = configuration.load(root, None if config is None else Path(config))
            rules = cards.load(tuple(settings.rules))
            settings = settings.with_command_line(select=select_rules, ignore=ignore_rules, exclude=exclude,
                                                  fail_on=fail_on)
            configuration.validate(settings, rules)
            selection = select(tuple(Path(path) for path in paths), root)
        except (configuration.ConfigError, cards.CardError, DiscoveryError) as error:
            raise ScanError(str(error)) from None
        settings = settings.at(selection.root)
        selection.leave_out(settings.excluded)
        return cls(selection, rules, settings, Options(jobs, notebooks=notebooks or settings.notebooks))

    def answers(self, folder: Path | None = None) -> Answers | None:
        """What is known from earlier runs, in ``folder`` or where the command line keeps it, if anywhere."""
        from connlint.answers import Answers
        from connlint.cache import Cache, own_folder

        folder = folder or own_folder()
        return None if folder is None else Answers(Cache(folder))


def scan(*paths: str | os.PathLike[str], root: str | os.PathLike[str] = ".",
         config: str | os.PathLike[str] | None = None, select: Iterable[str] = (), ignore: Iterable[str] = (),
         exclude: Iterable[str] = (), fail_on: str | None = None, notebooks: bool = False, jobs: int = 0,
         executor: Executor | None = None, cache: bool | str | os.PathLike[str] = False,
         progress: Progress | None = None) -> Report:
    """Check a project and return the report, as ``connlint check`` does.

    ``paths`` are the files and folders to report on, everything if none are given. They are relative to ``root``, the
    folder of the project; from there upwards a configuration is looked for, unless ``config`` names the file.
    ``select``, ``ignore``, ``exclude``, ``fail_on`` and ``notebooks`` mean what the options of these names do.

    The work is done by ``executor``, which may be any `concurrent.futures.Executor`: of threads, of processes, or of
    other machines that see the same files and have the same connlint installed. It is not shut down. Without one,
    ``jobs`` processes are started (0: one a core where the project is large enough and this program has no threads).
    The report does not depend on who did the work.

    ``cache`` is True for the folder that the command line uses, or a folder: then the report of an earlier run is given
    where nothing has changed that it rests on. ``progress`` hears of a phase, files done, and files in all.

    Raises `ScanError` where a path is not there or the configuration is not right. A file that cannot be read raises
    nothing: it is among the ``problems`` of the report.
    """
    scope = Scope.of(Path(root).absolute(), paths, config=config, select_rules=select, ignore_rules=ignore,
                     exclude=exclude, fail_on=fail_on, notebooks=notebooks, jobs=jobs)
    answers = None if cache is False else scope.answers(None if cache is True else Path(cache))
    return run(scope.selection, scope.rules, scope.config, scope.options, progress, executor=executor, answers=answers)
