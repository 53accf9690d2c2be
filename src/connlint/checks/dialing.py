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
from connlint.project.conditions import conditions
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.stage import stages_of
from connlint.project.timeline import is_main_test
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
        self._known: dict[str, dict[tuple[str, bool], Place]] = {}

    @classmethod
    def of(cls, project: Project, rules: Rules) -> Dialing:
        """The one `Dialing` of a project."""
        return project.single(cls, project, rules)

    def dials(self, one: Running, variable: str, *, surely: bool = False) -> Place | None:
        """Where server code of ``one`` connects to the address in ``variable``; None where it is not seen to, or, with
        ``surely``, only where some test has come out so."""
        files = self.code.files(one)
        if not 0 < len(files) <= _MOST or self._is_front(one):
            return None
        key = variable, surely
        return next((self._dialed(path)[key] for path in files if key in self._dialed(path)), None)

    def _dialed(self, path: str) -> dict[tuple[str, bool], Place]:
        """The variables whose values the calls of a file connect to, also under a test or surely, with one such
        call for each."""
        if path not in self._known:
            self._known[path] = dict(self._variables(path))
        return self._known[path]

    def _variables(self, path: str) -> Iterator[tuple[tuple[str, bool], Place]]:
        module = self.project.module(path) if self.stages.of_path(path) == "production" else None
        for call in module.nodes(p.Call) if module is not None else ():
            assert module is not None
            sure = all(is_main_test(module, c.test) for c in conditions(module, call, leaves=self.stages.leaves)
                       if self.values.absent(module, c.test, not c.truth) == ())
            for _, _, value in addresses(module, call, self.project, self.rules):
                for possible in self.values.possible(module, value):
                    for read in possible.reads:
                        for variable in read.variables:
                            yield (variable, False), Place(path, call.at)
                            if sure:
                                yield (variable, True), Place(path, call.at)

    def _is_front(self, one: Running) -> bool:
        """Whether the service's package has code for browsers."""
        folder = one.service.build or ""
        package = posixpath.normpath(posixpath.join("" if folder == "." else folder, "package.json"))
        table = jsonc.loads(self.project.tree.read(package)) or {}
        named = {*jsonc.mapping(table.get("dependencies")), *jsonc.mapping(table.get("devDependencies"))}
        return not named.isdisjoint(self.packages)
