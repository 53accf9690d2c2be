"""Byte positions as lines, for every file of a project."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from connlint.model.finding import Place
from connlint.model.map import Spot
from connlint.project.project import Project


class Lines:
    """Lines of the project's files; each file is looked through once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._starts: dict[str, list[int]] = {}

    def spot(self, place: Place) -> Spot:
        """The line on which ``place`` starts."""
        return self._at(place.path, place.at[0])

    def of(self, place: Place) -> Iterator[Spot]:
        """Every line on which some of ``place`` stands."""
        first, last = (self._at(place.path, at).line for at in place.at)
        return (Spot(place.path, line) for line in range(first, last + 1))

    def _at(self, path: str, byte: int) -> Spot:
        starts = self._starts.get(path)
        if starts is None:
            data = self.project.tree.read(path) or b""
            starts = [0, *(at + 1 for at, letter in enumerate(data) if letter == 10)]
            self._starts[path] = starts
        return Spot(path, bisect_right(starts, byte))
