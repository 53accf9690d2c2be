"""Findings of the rules, given to the services that they are about, by where they stand."""

from __future__ import annotations

from collections.abc import Iterable

from connlint.map.places import Lines
from connlint.model.finding import Finding, Place
from connlint.model.map import Trouble
from connlint.project.deployments import Group
from connlint.project.services import Running
from connlint.project.start import Start

RULES = ("deployment", "entrypoint-not-found", "entrypoint-wrong-interface", "env-localhost-fallback",
         "implicit-localhost-default", "hardcoded-loopback")
"""Families and rules that speak of services and of what they connect to."""


class Troubles:
    """The findings of one run, asked for service by service."""

    def __init__(self, findings: Iterable[Finding], lines: Lines) -> None:
        self.lines = lines
        self.by_path: dict[str, list[Finding]] = {}
        for finding in findings:
            self.by_path.setdefault(finding.place.path, []).append(finding)

    def of(self, one: Running, group: Group, files: Iterable[str], starts: Iterable[Start]) -> tuple[Trouble, ...]:
        """What is wrong with ``one`` of ``group``, whose code are ``files``; by place."""
        found: list[Finding] = []
        for path in group.files:
            found += [finding for finding in self.by_path.get(path, ()) if self._stands_in(finding, one, group)]
        if one.image is not None:
            found += [f for f in self.by_path.get(one.image.path, ()) if f not in found]
        for path in files:
            found += self.by_path.get(path, ())
        for start in starts:
            # a tool may be told the rest in a file of its own
            told = (word.place for words in start.options.values.values() for word in words)
            for place in (start.command.place, *told):
                found += [f for f in self.by_path.get(place.path, ()) if _inside(f.place, place) and f not in found]
        found = [f for f in found if not _settled(f, one)]
        found.sort(key=Finding.key)
        return tuple(dict.fromkeys(self._trouble(finding, one) for finding in found))

    def _trouble(self, finding: Finding, one: Running) -> Trouble:
        about = finding.symbol.removeprefix(f"{one.name}:")
        return Trouble(finding.rule, finding.level, finding.message, self.lines.spot(finding.place), about)

    @staticmethod
    def _stands_in(finding: Finding, one: Running, group: Group) -> bool:
        """Whether a finding in a deployment file is about ``one``: it says so, or stands behind its name."""
        said = [o for o in group.members if finding.symbol.startswith((f"{o.name}:", f"{o.name} "))]
        if said:
            longest = max(len(o.name) for o in said)
            return any(o is one and len(o.name) == longest for o in said)
        begun = [o for o in group.members if o.service.place.path == finding.place.path
                 and o.service.place.at[0] <= finding.place.at[0]]
        return bool(begun) and max(begun, key=lambda o: o.service.place.at[0]) is one


def _settled(finding: Finding, one: Running) -> bool:
    """Whether a finding about a variable says nothing of this deployment: it gives the variable another value."""
    known = one.environment.get(finding.symbol.removeprefix(f"{one.name}:"))
    if known is None:
        return False
    return finding.place.path != known.place.path or not (
        finding.place.at[0] < known.place.at[1] and known.place.at[0] < finding.place.at[1])


def _inside(inner: Place, outer: Place) -> bool:
    return outer.at[0] <= inner.at[0] and inner.at[1] <= outer.at[1]
