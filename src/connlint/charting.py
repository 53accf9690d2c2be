"""One run that ends in a map: the project is checked, and what was found is drawn with what was understood."""

from __future__ import annotations

import posixpath
from pathlib import Path

from msgspec.structs import replace

from connlint import __version__
from connlint.config import Config
from connlint.discover import DiscoveryError, repository_of, select
from connlint.engine import Options, Session, run
from connlint.map.drawing import draw
from connlint.map.troubles import RULES
from connlint.model.map import Map
from connlint.model.rule import Rules


class Unchartable(Exception):
    """No map can be drawn; the message says why."""


def chart(path: Path | None, here: Path, rules: Rules, config: Config, jobs: int = 0) -> Map:
    """The map of the project at ``path``, or of the deployments below ``path`` in the project around ``here``.

    Only the rules that are about services are run, and of those the ones that ``config`` selects.
    Raises `Unchartable` for a path that is not there.
    """
    full = here if path is None else Path(posixpath.abspath((here / path).as_posix()))
    inside = here in full.parents
    root = here if full == here or inside else full if full.is_dir() else full.parent
    try:
        selection = select((repository_of(full, root) or root,), root)
        if not full.exists():
            raise DiscoveryError(f"{path}: no such file or folder")
    except DiscoveryError as error:
        raise Unchartable(str(error)) from None
    config = config.at(selection.root)
    chosen = tuple(card.id for card in rules.cards.values()
                   if (card.id in RULES or card.family in RULES) and config.selects(card))
    ours = replace(config, select=chosen)
    selection.leave_out(config.excluded)
    report = run(selection, rules, ours, Options(jobs))
    project = Session(selection.tree, rules, ours, Options(jobs)).project
    below = full.relative_to(root).as_posix() if full != root else "."

    def wanted(file: str) -> bool:
        return not config.excluded(file) and (below == "." or file == below or file.startswith(below + "/"))

    return draw(project, rules, root.name, report.reported, selection.code, wanted, __version__)
