"""Variables without which the code of a service stops, or asks nobody: where they are read, and when that happens.

What is read while a module is loaded stands in `deployed.required`. Here are the reads inside functions: they count
where it can be shown that the function runs, at the start or with the first request that comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from connlint.checks.answering import Answering
from connlint.checks.demands import demanded
from connlint.checks.framework_settings import left_unset
from connlint.checks.hardcoded import addresses
from connlint.model import program as p
from connlint.model.finding import Place, Step
from connlint.model.rule import Rules
from connlint.project.callees import last_name
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.timeline import chains
from connlint.project.values import values_of

if TYPE_CHECKING:
    from connlint.checks.starting import Starting


class Need(Struct, frozen=True):
    """``variable`` is needed at ``step``; ``at_start`` where the program does not come further without it, else a
    request does not. ``dialed`` where it is the address of a client."""

    variable: str
    step: Step
    at_start: bool
    dialed: bool


class Needs:
    """Asks the code of services what it needs."""

    def __init__(self, project: Project, rules: Rules, starting: Starting) -> None:
        self.project, self.rules, self.starting = project, rules, starting
        self.values = values_of(project, rules.apis)
        self.answering = Answering(project, rules, starting)
        tables = rules.apis.get("applies_schema", ())
        self._schemas = {key: frozenset(name for row in tables for name in row.get(key, ()))
                         for key in ("stops", "tells", "options", "unless")}
        self._reads: dict[str, list[tuple[str, Any, str, bool]]] = {}

    def of(self, one: Running) -> Iterator[Need]:
        """What the code that ``one`` loads surely needs when it starts, or to answer."""
        entries, mains = self.starting.entries(one)
        loaded = self.starting.loaded(entries)
        later = self.starting.loaded(entries | self.answering.files(one))
        for path in sorted(later):
            for variable, node, why, dialed in self._of_file(path):
                module = self.project.module(path)
                assert module is not None
                when = self._when(module, node, loaded, later, mains)
                if when is not None:
                    yield Need(variable, Step(Place(path, node.at), why), when == "start", dialed)

    def _of_file(self, path: str) -> list[tuple[str, Any, str, bool]]:
        if path not in self._reads:
            module = self.project.module(path) if self.values.environment.mentioned(path) else None
            self._reads[path] = list(self._needed(module)) if module is not None else []
        return self._reads[path]

    def _needed(self, module: Module) -> Iterator[tuple[str, Any, str, bool]]:
        """Variable, the place that needs it, what happens there, and whether a client connects to its value."""
        for kind in (p.Index, p.Call, p.Member):
            for node in module.nodes(kind):
                access = self.values.environment.access(module, node)
                if access is not None and access.absent == "raises" and access.default is None and not access.writes:
                    for name in access.names:
                        text = name if isinstance(name, str) else (name.value if type(name) is p.Text else None)
                        if text:
                            yield access.prefix + text, node, f"{access.prefix + text} is required here", False
        yield from self._declared(module)
        yield from self._applied(module)
        for node, reads in demanded(self.values, self.starting.stages, module):
            for read in reads:
                if len(read.variables) == 1 and not self._excuses_itself(module, node):
                    yield read.variables[0], node, f"{read.variables[0]} is required here", False
        for call in module.nodes(p.Call):
            for _, _, value in addresses(module, call, self.project, self.rules):
                possible = self.values.possible(module, value)
                names = {v for q in possible for r in q.reads for v in r.variables}
                if len(names) == 1 and all(q.reads or q.nothing or (q.absent and q.joint is None) for q in possible):
                    name = next(iter(names))
                    yield name, call, f"{name} is the address here, and there is no other", True
        for _, _, value, target in left_unset(module, self.values, self.starting.stages, self.rules):
            possible = self.values.possible(module, value)
            names = {v for q in possible for r in q.reads for v in r.variables}
            if len(names) == 1 and all(q.reads or q.nothing for q in possible):
                name = next(iter(names))
                yield name, value, f"without {name} the address is {target}", True

    def _declared(self, module: Module) -> Iterator[tuple[str, Any, str, bool]]:
        """The variables that a class of settings requires, where an object of it is made."""
        rows = [d for d in self.values.environment.declarations(module) if d.required and d.owner is not None]
        for call in module.nodes(p.Call) if rows and module.program.language == "python" else ():
            made = module.only(call.callee.id, call.callee) if type(call.callee) is p.Name else None
            for declaration in rows:
                if made is not None and made.value is declaration.owner and len(declaration.variables) == 1:
                    name = declaration.variables[0]
                    yield name, call, f"{name} is required by what is made here", False

    def _applied(self, module: Module) -> Iterator[tuple[str, Any, str, bool]]:
        """The variables that a schema requires which the module applies to the environment while it is loaded."""
        rows = [d for d in self.values.environment.declarations(module)
                if d.required and d.owner is None and len(d.variables) == 1 and module.function(d.node) is None]
        if not rows or not self._stops_without(module):
            return
        for row in rows:
            yield row.variables[0], row.node, f"{row.variables[0]} is required by a schema here", False

    def _stops_without(self, module: Module) -> bool:
        """Whether a schema is applied at the top level of the module, and the program stops where it does not hold."""
        mapping = self.values.environment.mapping
        names = set()
        for call in module.nodes(p.Call):
            if module.function(call) is None:
                entries = [e for a in call.args if type(a.value) is p.Record for e in a.value.entries]
                keys = {e.key.value for e in entries if type(e.key) is p.Text}
                given = [*(a.value for a in call.args), *(e.value for e in entries)]
                if self._schemas["unless"].isdisjoint(keys) and (
                        keys & self._schemas["options"] or any(mapping(module, value) is not None for value in given)):
                    names.add(last_name(call.callee))
        if names & self._schemas["stops"]:
            return True
        if not names & self._schemas["tells"]:
            return False
        return bool(module.nodes(p.Raise)) or any(
            self.starting.stages.leaves(module, s) for s in module.nodes(p.Evaluate))

    def _excuses_itself(self, module: Module, node: Any) -> bool:
        """Whether what is raised is an answer to whoever asked: the service does without what is not there."""
        if type(node) is not p.If:
            return False
        raised = [s.value for s in (*node.then, *node.otherwise) if type(s) is p.Raise and s.value is not None]
        names = [last_name(v.callee if type(v) is p.Call else v) or "" for v in raised]
        return any("http" in name.lower() for name in names)

    def _when(self, module: Module, node: Any, loaded: set[str], later: set[str], mains: set[str]) -> str | None:
        """"start" or "request"; ``later`` are the files of ``loaded`` and those that the framework loads to answer."""
        if module.path in loaded and self.starting.at_start(module, node, loaded, mains) is not None:
            return "start"
        # a framework loads what lies where it looks with the first request for it
        if self.starting.at_start(module, node, later, mains) is not None:
            return "request"
        if not self.starting.surely(module, node):
            return None

        def begins(home: Module, place: Any) -> bool:
            return home.path in later and self.answering.answers(home, place, later, mains)

        if begins(module, node):
            return "request"
        ways = chains(self.project, module, node, within=later, begins=begins)
        sure = any(all(self.starting.surely(link.module, link.node) for link in way.links) for way in ways)
        return "request" if sure else None
