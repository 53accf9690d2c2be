"""``--baseline`` and ``--diff-base``: which of the findings of a run are reported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from connlint.cli.given import fail

if TYPE_CHECKING:
    from connlint.baseline import Entry, Scope
    from connlint.cards import Rules
    from connlint.config import Config
    from connlint.discover import Selection
    from connlint.model.report import Report
    from connlint.revisions import Changes


class Narrowing(Struct):
    """What is reported of a run: what no baseline holds, and what stands on a changed line."""

    baseline: tuple[Entry, ...] | None = None
    folder: Path = Path()
    shown: str = ""
    scope: Scope | None = None
    changed: Changes | None = None
    since: str = ""

    def __call__(self, report: Report) -> Report:
        """The part of ``report`` that is wanted."""
        if self.baseline is not None and self.scope is not None:
            from connlint import baseline

            seen = baseline.without(self.scope, report)
            report = baseline.narrowed(report, baseline.compare(report, self.baseline, self.folder, seen), self.shown)
        if self.changed is not None:
            from connlint import revisions

            report = revisions.narrowed(report, self.changed, self.since)
        return report


def refuse_bad_combinations(given: dict[str, Any]) -> None:
    """End with one line where what is asked for does not go together."""
    if given["baseline"] and given["no_baseline"]:
        fail("--baseline and --no-baseline: give one of them")


def narrowing(selection: Selection, rules: Rules, config: Config, given: dict[str, Any]) -> Narrowing:
    """What the command line and the configuration ask for; ``selection`` is cut down to the files that it concerns.

    Ends the program with one line where a baseline or a revision cannot be used.
    """
    found = Narrowing()
    path = None if given["no_baseline"] else given["baseline"] or config.baseline
    if path is not None:
        from connlint import baseline

        found.shown = shown_as(path)
        try:
            found.baseline = baseline.load(Path(path), found.shown)
        except baseline.BaselineError as error:
            fail(str(error))
        found.folder = Path(os.path.abspath(path)).parent
        found.scope = scope(selection, rules, config, given)
    if given["diff_base"]:
        from connlint import revisions

        found.since = given["diff_base"]
        try:
            found.changed = revisions.changes(selection.root, found.since)
        except revisions.RevisionError as error:
            fail(str(error))
        selection.limit_to(found.changed.lines)
        if found.scope is not None:
            found.scope = scope(selection, rules, config, given)
    return found


def scope(selection: Selection, rules: Rules, config: Config, given: dict[str, Any]) -> Scope:
    """What a run of ``selection`` looks at."""
    from connlint.baseline import Scope
    from connlint.discover import NOTEBOOK

    seen = {*selection.code, *selection.other, *(item.path for item in selection.set_aside)}
    chosen = {card.id for card in rules.cards.values() if config.selects(card)}
    return Scope(
        root=selection.root,
        paths=None if seen >= selection.tree.paths else frozenset(seen),
        rules=frozenset(chosen) if given["select"] or given["ignore"] else None,
        unread=frozenset(path for path in seen if path.endswith(NOTEBOOK)
                         and not (given["notebooks"] or config.notebooks)),
    )


def shown_as(path: str | Path) -> str:
    """How messages call a file: by its path from the current folder, if it lies there."""
    near = os.path.relpath(path)
    return os.fspath(path) if near.startswith("..") else near
