"""Which variables hold addresses to which the code of a service itself connects, and hands to no browser."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from connlint.checks.deployed import Code
from connlint.checks.hardcoded import addresses
from connlint.model import program as p
from connlint.model.finding import Place
from connlint.model.rule import Rules
from connlint.project import jsonc
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.stage import stages_of
from connlint.project.values import values_of

_MOST = 400
"""Files of a service past which nothing is proved."""


class Dialing:
    """Asks the code of services what they connect to; made once per project."""

    def __init__(self, project: Project, rules: Rules) -> None:
        self.project, self.rules = project, rules
        self.values = values_of(project, rules.apis)
        self.stages = stages_of(project, rules.apis, self.values)
        self.code = Code.of(project, rules)
        self.packages = {name for entry in rules.apis.get("browser", ()) for name in entry.get("packages", ())}
        self._known: dict[str, dict[str, Place]] = {}

    @classmethod
    def of(cls, project: Project, rules: Rules) -> Dialing:
        """The one `Dialing` of a project."""
        found = project.memo.get(cls)
        if found is None:
            found = project.memo[cls] = cls(project, rules)
        return found

    def dials(self, one: Running, variable: str) -> Place | None:
        """Where server code of ``one`` connects to the address in ``variable``; None where it is not seen to."""
        files = self.code.files(one)
        if not 0 < len(files) <= _MOST or self._is_front(one):
            return None
        return next((self._dialed(path)[variable] for path in files if variable in self._dialed(path)), None)

    def _dialed(self, path: str) -> dict[str, Place]:
        """The variables whose values the calls of a file connect to, with one such call for each."""
        if path not in self._known:
            self._known[path] = dict(self._variables(path))
        return self._known[path]

    def _variables(self, path: str) -> Iterator[tuple[str, Place]]:
        module = self.project.module(path) if self.stages.of_path(path) == "production" else None
        for call in module.nodes(p.Call) if module is not None else ():
            assert module is not None
            for _, _, value in addresses(module, call, self.project, self.rules):
                for possible in self.values.possible(module, value):
                    for read in possible.reads:
                        for variable in read.variables:
                            yield variable, Place(path, call.at)

    def _is_front(self, one: Running) -> bool:
        """Whether the service's package has code for browsers."""
        folder = one.service.build or ""
        package = posixpath.normpath(posixpath.join("" if folder == "." else folder, "package.json"))
        table = jsonc.loads(self.project.tree.read(package)) or {}
        named = {*jsonc.mapping(table.get("dependencies")), *jsonc.mapping(table.get("devDependencies"))}
        return not named.isdisjoint(self.packages)
