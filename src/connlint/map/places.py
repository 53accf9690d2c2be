"""Byte positions as lines, for every file of a project."""

from __future__ import annotations

from bisect import bisect_right

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
        starts = self._starts.get(place.path)
        if starts is None:
            data = self.project.tree.read(place.path) or b""
            starts = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]
            self._starts[place.path] = starts
        return Spot(place.path, bisect_right(starts, place.at[0]))
