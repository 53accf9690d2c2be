"""Services that are deployed without a variable that their code then does without: it takes a loopback address."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from connlint.checks.deployed import Code, for_development, tells
from connlint.checks.optional_clients import is_idle
from connlint.checks.provided import provided
from connlint.checks.self_set import is_set_inside
from connlint.checks.switches import is_switched_off
from connlint.checks.wording import BrowserNames, wording_of
from connlint.model.finding import Step
from connlint.model.rule import Rules
from connlint.project.elsewhere import Elsewhere
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.stage import stages_of
from connlint.project.uses import uses
from connlint.project.values import Read, values_of

if TYPE_CHECKING:
    from connlint.checks.fallbacks import Fallback

_OF_BROWSERS = ("http", "https", "ws", "wss")


class Lacking:
    """Asks the services of one project whether they lack what a fallback stands in for; for the fallback and for the
    service alike, so that both are told the same."""

    def __init__(self, project: Project, rules: Rules) -> None:
        self.project = project
        self.code = Code.of(project, rules)
        self.values = values_of(project, rules.apis)
        self.stages = stages_of(project, rules.apis, self.values)
        self.wording = wording_of(project, rules.apis)
        self.browser_names = BrowserNames(rules.apis.get("browser", []))
        self.elsewhere = Elsewhere(self.values, lambda path: self.stages.of_path(path) == "production")

    @classmethod
    def of(cls, project: Project, rules: Rules) -> Lacking:
        """The one `Lacking` of a project."""
        return project.single(cls, project, rules)

    def evidence(self, module: Module, found: Fallback, reads: tuple[Read, ...]) -> Step | None:
        """A service that lacks the variables of ``reads``. None where no deployment is known to run the code, where
        some deployment that runs it does set one of them, or where more may be set than the deployment shows."""
        lacking = None
        path = reads[0].site.module.path
        for one in self.code.running:
            if any(self.code.gives(one, name) for name in _names(reads)) and self.code.runs(one, path):
                return None
            if self._is_silent(one, module, found, reads):
                if self._sets_itself(one, reads):
                    return None
                if self._takes(one, module, found, reads):
                    lacking = one
        if lacking is None or self._is_last_resort(module, found):
            return None
        assert lacking.service.environment_at is not None
        return Step(lacking.service.environment_at, f"`{lacking.name}` is deployed with other variables, but without "
                                                    f"{' or '.join(_names(reads))}")

    def provided(self, module: Module, found: Fallback, reads: tuple[Read, ...]) -> Step | None:
        """Where a deployment sets one of the variables of ``reads``, if all that are known to take the address do."""
        return provided(self.code, self.stages, reads[0].site.module.path, _names(reads),
                        lambda one: self._takes(one, module, found, reads),
                        lambda one: self._instead(one, module, found, reads))

    def by(self, one: Running, module: Module, found: Fallback, reads: tuple[Read, ...]) -> bool:
        """Whether ``one`` lacks the variables of ``reads``, and so connects to itself."""
        return (self._is_silent(one, module, found, reads) and not self._sets_itself(one, reads)
                and self._takes(one, module, found, reads) and not self._is_last_resort(module, found))

    def _is_silent(self, one: Running, module: Module, found: Fallback, reads: tuple[Read, ...]) -> bool:
        """Whether the deployment of ``one`` tells where to connect, and of the variables nothing, and the code runs
        there; in order of what the questions cost."""
        path = reads[0].site.module.path
        # on the host's own network, loopback reaches the host
        if one.service.environment_at is None or one.service.host_network or not tells(one, found.host):
            return False
        # where developers look at it, their own machine is where a browser finds the rest
        if found.host.scheme in _OF_BROWSERS and for_development(one, self.stages):
            return False
        # and so is what the deployment publishes, for whoever looks at it there
        outside = any(self.wording.says(kind, name) for name in _names(reads) for kind in ("public", "pages")) or any(
            self.browser_names.say(name) for name in _names(reads))
        if (outside or self.stages.is_for_browsers(path)) and self.code.publishes(one, found.host):
            return False
        if any(self.code.gives(one, name) or is_switched_off(name, one.environment) for name in _names(reads)):
            return False
        if any(self.wording.says("own model", name) for name in _names(reads)) and not self._wants_models(one):
            return False
        return self.code.runs(one, path)

    def _wants_models(self, one: Running) -> bool:
        """Whether a server of models is deployed with ``one``, or what ``one`` is told names it."""
        beside = (other.name for other in self.code.running if other.deployment.path == one.deployment.path)
        told = (known.value or "" for known in one.environment.values())
        return any(self.wording.says("own model", text) for text in (*beside, *told))

    def _sets_itself(self, one: Running, reads: tuple[Read, ...]) -> bool:
        """Whether the container sets one of the variables by itself."""
        files = self.code.files(one)
        return any(is_set_inside(self.project, one, files, name) for name in _names(reads))

    def _takes(self, one: Running, module: Module, found: Fallback, reads: tuple[Read, ...]) -> bool:
        """Whether ``one``, without the variables, comes to use the address."""
        if self.code.is_apart(one, reads[0].site.module.path):
            return False
        field = next((d.field for d in self.values.environment.declarations(module) if d.node is found.node), "")
        if (field and not self.code.uses(one, field)) or not self.code.needs(one, module, found.node):
            return False
        given = partial(self.code.told, one)
        return not all(is_idle(self.values, self.stages, module, found.node, name, given) for name in _names(reads))

    def _instead(self, one: Running, module: Module, found: Fallback, reads: tuple[Read, ...]) -> list[str]:
        """The variables that ``one`` is given and takes instead of those of ``reads``."""
        instead: set[str] = set()
        given = partial(self.code.told, one)
        idle = all(is_idle(self.values, self.stages, module, found.node, v, given, instead) for v in _names(reads))
        return sorted(instead) if idle else []

    def _is_last_resort(self, module: Module, found: Fallback) -> bool:
        """Whether what is known only at run time comes before the address."""
        return self.elsewhere.is_last_resort(module, found.node, uses(self.values, module, found.node))


def _names(reads: tuple[Read, ...]) -> list[str]:
    return [name for read in reads for name in read.variables]
