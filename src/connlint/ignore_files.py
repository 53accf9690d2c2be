"""What lines of ``.gitignore`` files cover, where no git is there to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def rules_of(lines: Iterable[str]) -> GitIgnoreSpec:
    """What the lines of one ``.gitignore`` say. Raises `ValueError` for a pattern that means nothing."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


class IgnoreFiles:
    """The rules below ``root``, each file read when a path below it is asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._rules: dict[str, GitIgnoreSpec | None] = {}

    def covers(self, path: str) -> bool:
        """Whether a rule covers the file ``path``, or a folder above it; nothing need be there."""
        names = path.split("/")
        tops = ["/".join(names[:count]) for count in range(1, len(names) + 1)]
        for top in tops:
            shown = top if top == path else top + "/"
            for folder in ("", *(t + "/" for t in tops if top.startswith(t + "/"))):
                rules = self.rules(folder)
                if rules is not None and rules.match_file(shown[len(folder):]):
                    return True
        return False

    def rules(self, folder: str) -> GitIgnoreSpec | None:
        """What the file of ``folder`` ("" or a path that ends in a slash) says; None where there is none."""
        if folder not in self._rules:
            try:
                lines = (self.root / folder / ".gitignore").read_text("utf-8", "replace").splitlines()
                self._rules[folder] = rules_of(lines)
            except (OSError, ValueError):
                self._rules[folder] = None
        return self._rules[folder]
