"""Code that does not run as it stands, for which a rule may lower its level.

A card says which level it then has: ``shelved`` (a folder that was put aside), ``skipped`` (a test that is left out),
``abandoned`` (a file that nothing loads any more), ``uncalled`` (a function that nobody calls). What a type checker
refuses (``type_checked``) breaks the build that asks it, whoever loads the file; where it looks at no such file, what
it alone would notice (``types_alone``, a list of outcomes) has the level ``unchecked``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.model.finding import LEVELS, Level, Place
from connlint.project.abandoned import Abandoned
from connlint.project.importers import CODE
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.shelved import Shelved
from connlint.project.skipped import is_of_program, is_skipped
from connlint.project.stage import Stages
from connlint.project.type_checked import TypeChecked
from connlint.project.uncalled import Uncalled

_LEVELS = ("shelved", "skipped", "abandoned", "uncalled", "unchecked")


class Idle:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages

    @classmethod
    def of(cls, project: Project, stages: Stages) -> Idle:
        """The one `Idle` of a project."""
        return project.single(cls, project, stages)

    def weighed(self, options: dict[str, Any], outcome: str, place: Place, level: Level) -> Level:
        """The level of what a rule with ``options`` found at ``place``, no higher than ``level``."""
        for option in self._that_may_lower(options, place.path, level):
            if LEVELS.index(options[option]) < LEVELS.index(level) and self._holds(option, options, outcome, place):
                level = options[option]
        return level

    def is_left(self, path: str) -> bool:
        """Whether the file at ``path`` was put aside, or nothing loads it any more."""
        return Shelved.of(self.project, self.stages).has(path) or Abandoned.of(self.project, self.stages).has(path)

    def _that_may_lower(self, options: dict[str, Any], path: str, level: Level) -> Iterator[str]:
        if path.endswith(CODE) and level != LEVELS[0]:
            yield from (option for option in _LEVELS if option in options)

    def _holds(self, option: str, options: dict[str, Any], outcome: str, place: Place) -> bool:
        path = place.path
        if option == "shelved":
            return Shelved.of(self.project, self.stages).has(path)
        if option == "skipped":
            return is_skipped(self.project, path, place.at[0]) or (
                self.stages.of_path(path) == "test" and is_of_program(self.project, path, place.at[0])
                and not programs_of(self.project, self.stages).is_told(path))
        if option == "uncalled":
            return Uncalled.of(self.project, self.stages).has(path, place.at[0])
        types = TypeChecked.of(self.project, programs_of(self.project, self.stages))
        if option == "unchecked":
            return outcome in options["types_alone"] and not types.sees(path)
        return Abandoned.of(self.project, self.stages).has(path) and not (
            options.get("type_checked") and types.builds(path))
