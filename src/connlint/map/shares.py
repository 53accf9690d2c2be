"""Which of the code of a service is its own, where several services run some of the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from connlint.map.code import MOST_FILES, Code, Codes
from connlint.model.map import Program
from connlint.project.deployments import Group
from connlint.project.services import Running


class Share(Struct, frozen=True):
    """The code of one service beside others that run some of it, too.

    ``others`` are these services; ``loaded`` is what the files that it starts import, as far as these are known;
    ``common`` what others run in another way, or what belongs to other packages; ``foreign`` what is rather theirs,
    ``elsewhere`` what of it one of them is known to load.
    """

    code: Code
    others: tuple[str, ...]
    loaded: frozenset[str]
    common: frozenset[str]
    foreign: frozenset[str]
    elsewhere: frozenset[str]

    def runs(self, path: str) -> bool:
        """Whether the service is known to run the file."""
        return path not in self.common or path in self.loaded

    def may_run(self, path: str) -> bool:
        """Whether the service may run the file, as far as is known."""
        return path not in self.elsewhere and (not self.loaded or self.runs(path))

    def holds(self, path: str) -> bool:
        """Whether the service is known to load the file, or nothing is known of what it loads."""
        return path not in self.elsewhere and (not self.loaded or path in self.loaded)


def shares_of(group: Group, names: Mapping[int, str], runs: Mapping[str, tuple[Program, ...]],
              codes: Codes) -> dict[str, Share]:
    """The code of each service of ``group``, by name; ``names`` are those by the identity of `Running`, ``runs`` what
    each starts."""
    held = {names[id(one)]: codes.of(one) for one in group.members}
    loaded = {names[id(one)]: codes.loaded((program.file for program in runs[names[id(one)]]), one.environment)
              for one in group.members}
    recipes = {names[id(one)]: _recipe(one) for one in group.members}
    commands = {name: tuple(program.command for program in rows) for name, rows in runs.items()}
    found = {}
    for name, code in held.items():
        files = frozenset(code.files)
        beside = {other: both for other, theirs in held.items()
                  if other != name and (both := files.intersection(theirs.files))}
        # what runs the same in the same way needs the same
        common = _joined(both for other, both in beside.items()
                         if not commands[name] or (recipes[other], commands[other]) != (recipes[name], commands[name]))
        foreign = _joined(both for other, both in beside.items() if recipes[other] != recipes[name])
        elsewhere = common & _joined(loaded[other] for other in beside)
        common |= codes.beyond(program.file for program in runs[name]) & files
        found[name] = Share(replace(code, files=code.files[:MOST_FILES]), tuple(beside), loaded[name], common,
                            (foreign | elsewhere) - loaded[name], elsewhere - loaded[name])
    return found


def _joined(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _recipe(one: Running) -> tuple[str | None, str | None]:
    return one.service.build, one.image.path if one.image is not None else None
