"""What is known about a construction of a client beside that it happens: where its address comes from, what it does.

A card's options name what the code here must not: kinds of clients, frameworks that evaluate modules again, commands
that fork. Outcomes are facts about a construction while a module is imported, the gravest first.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.checks.demands import demands_of
from connlint.checks.deployed import Code, on_a_developers_machine
from connlint.checks.env_load import loaded_after, loads_of
from connlint.checks.promised import is_promised
from connlint.checks.provided import provided
from connlint.model import program as p
from connlint.model.finding import Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.address import loopback, shown
from connlint.project.callees import last_name
from connlint.project.clients import Construction, construction, instance, record_of
from connlint.project.companions import Companions
from connlint.project.conditions import conditions, ends
from connlint.project.env_files import in_production, variables_of
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.programs import Programs, programs_of
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.stage import Stages, stages_of
from connlint.project.timeline import at_import
from connlint.project.values import Possible, Read, Site, Values, values_of

_MOST_USERS = 12
"""Files from which a client is looked at, upwards."""


class Facts(Struct):
    """What is known about one construction beside that it happens. ``outcome`` is the gravest of what was found."""

    outcome: str
    steps: list[Step] = field(default_factory=list)
    slots: dict[str, str] = field(default_factory=dict)


class Judge:
    """Everything that the checks of this family ask about a construction."""

    def __init__(self, project: Project, card: Card, rules: Rules) -> None:
        self.project = project
        self.card = card
        self.rules = rules
        self.options = card.options
        self.values: Values = values_of(project, rules.apis)
        self.stages: Stages = stages_of(project, rules.apis, self.values)
        self.programs: Programs = programs_of(project, self.stages)

    def in_production(self, path: str) -> bool:
        """Whether a file is part of the program: no test, tool, example or migration."""
        return self.stages.of_path(path) == "production"

    # -- which constructions ------------------------------------------------------------------------------------------

    def constructions(self, module: Module) -> Iterator[Construction]:
        """Every call of the module that builds a client of the kinds that the card is about."""
        for call in module.nodes(p.Call):
            built = construction(module, call, self.project, self.rules)
            if built is not None and self.concerns(built):
                yield built

    def concerns(self, built: Construction) -> bool:
        """Whether the card is about this client, and it is one that can be away."""
        kinds = self.options["kinds"]
        if built.entry["kind"] not in kinds and built.entry["kind"] not in self.options.get("with_fact", ()):
            return False
        if built.wrapped is not None or self.embedded(built):
            return False
        return not (built.entry.get("scope_is_documented") or self._beside(built.module))

    def _beside(self, module: Module) -> bool:
        """Whether the module is no part of the program: a test, a tool, an environment of migrations."""
        if self.stages.of_path(module.path) != "production":
            return True
        tools = self.options.get("migrations", ())
        return any(statement.module.split(".")[0] in tools for statement in module.nodes(p.Import))

    def embedded(self, built: Construction) -> bool:
        """Whether it works on a file or in memory, or does so unless it is told otherwise."""
        entry = built.entry
        if entry["kind"] == "file" or built.given(entry.get("embedded_when", {})):
            return True
        if "schema_files" in entry and self.programs.declares(
                built.module.path, _text(entry["schema_files"]), _bytes(entry["schema_embedded"])):
            return True
        for _, site in self._options_elsewhere(built) if "embedded_when" in entry else ():
            for place, wanted in entry["embedded_when"].items():
                if any(q.text is not None and q.text in wanted for q in self.values.part(site, place)):
                    return True
        starts = tuple(entry.get("embedded", ()))
        if not starts:
            return False
        return any(q.text is not None and q.text.startswith(starts)
                   for _, value in built.addresses() for q in self.values.possible(built.module, value))

    # -- facts --------------------------------------------------------------------------------------------------------

    def fallback(self, built: Construction) -> tuple[Possible, Any] | None:
        """A loopback address that is taken where a variable is not set, and the expression that gives it."""
        for _, value, possible in self._addresses(built):
            for q in possible:
                host = loopback(q.text or "")
                if q.absent and host is not None and q.joint is not None:
                    names = [v for read in q.absent for v in read.variables]
                    if Companions.of(self.project, self.rules.apis).beside(q.joint.module.path, names, host):
                        continue
                    known = in_production(self.project.tree, q.joint.module.path, names)
                    if known is not None and loopback(known.written) is not None:
                        continue  # everything runs on one machine there
                    if not any(self.stages.development_only(c) for c in q.conditions):
                        if not self.stages.only_in_development(q.joint.module, q.joint.node):
                            return q, value
        return None

    def _addresses(self, built: Construction) -> Iterator[tuple[str, Any, list[Possible]]]:
        """The places that say where to connect, the expressions that give them, and what stands there.

        Options that another file holds (``new Pool(config.database)``) are followed there.
        """
        for place, value in built.addresses():
            yield place, value, self.values.possible(built.module, value)
        for value, site in self._options_elsewhere(built):
            if not any(self.values.part(site, place) for place in built.entry.get("address_elsewhere", ())):
                for place in built.entry["address"]:
                    if not place[0].isdigit():
                        yield place, value, self.values.part(site, place)

    def _options_elsewhere(self, built: Construction) -> Iterator[tuple[p.Expression, Site]]:
        """Arguments that are objects of options which are not written in the constructor's file, and where they are."""
        for argument in built.call.args:
            given = argument.spread or (argument.name is None and built.entry["language"] == "javascript")
            if not given or type(argument.value) not in (p.Name, p.Member):
                continue
            if record_of(built.module, argument.value, self.project) is None:
                for site in self.values.objects(built.module, argument.value):
                    if type(site.node) is p.Record:
                        yield argument.value, site

    def unset(self, built: Construction, effects: tuple[str, ...]) -> tuple[Possible, Any] | None:
        """An address that is a read of the environment without default or check, where that has one of ``effects``."""
        entry = built.entry
        for place, value, possible in self._addresses(built):
            effect = entry.get("missing_at", {}).get(place, entry["missing"])
            if effect == "throws" and built.given(entry.get("throws_unless", {})):
                effect = "localhost"
            if effect not in effects:
                continue
            for q in possible:
                # what asks for the stage says which address is taken, and not what it is
                absent = tuple(r for r in q.absent if not self._asks_for_stage(r))
                q = replace(q, absent=absent)
                if q.nothing and any(r.variables for r in absent) and not self._checked(built, q):
                    if not self._is_made_up_for(built.module, value, q):
                        return q, value
        return None

    def _asks_for_stage(self, read: Read) -> bool:
        """Whether a read asks in which stage the program runs."""
        return bool(read.variables) and all(v in self.stages.variables or v in self.stages.flags
                                            for v in read.variables)

    def _is_made_up_for(self, module: Module, value: Any, q: Possible) -> bool:
        """Whether the name ``value`` gets something else before, wherever the variables have given nothing:
        ``if not URL: URL = f"…"``."""
        if type(value) is not p.Name:
            return False
        names = {v for read in q.absent for v in read.variables}
        for definition in module.lookup(value.id, value):
            node = definition.node
            if definition.kind != "value" or not isinstance(node, p.Statement) or node.at >= value.at:
                continue
            if module.function(node) is module.function(value) and any(
                    names.intersection(read.variables) for held in conditions(module, node)
                    for read in self.values.absent(held.module, held.test, held.truth)):
                return not any(other.nothing for other in self.values.possible(module, definition.value))
        return False

    def _checked(self, built: Construction, q: Possible) -> bool:
        """Whether a test around or before the construction holds only where the variable is set, or a schema gives it.
        """
        if is_promised(self.values, self.stages, built.module, q.absent):
            return True
        names = {v for read in q.absent for v in read.variables}
        for held in conditions(built.module, built.call, leaves=self.stages.leaves):
            for read in self.values.absent(held.module, held.test, not held.truth):
                if names.intersection(read.variables):
                    return True
        return False

    def opened(self, built: Construction) -> Any:
        """The call at module scope that makes a client connect which does not do so when it is built."""
        module = built.module
        names = built.entry.get("explicit", ())
        above = module.parent(built.call)
        if "await" in names and type(above) is p.Await:
            return above
        for call in module.nodes(p.Call):
            callee = call.callee
            if type(callee) is p.Member and callee.name in names and at_import(module, call):
                found = instance(module, callee.of, self.project, self.rules)
                if found is built:
                    return call
        return None

    def facts(self, built: Construction, imported: Module, way: tuple[tuple[Module, Any], ...] = (), *,
              entry: bool = False, sure: bool = True) -> Facts:
        """The gravest fact about a construction that happens while ``imported`` is imported, with its evidence.

        ``way`` has the calls that lead to it. ``entry``: that module is started and not imported, so that connecting is
        its job. Not ``sure``: the construction is one of several that the code chooses from, so that nothing is said
        about what it does then.
        """
        module, options = built.module, self.options
        if (found := self.fallback(built)) is not None and not is_promised(
                self.values, self.stages, built.module, found[0].absent) and self.provided(found[0]) is None:
            q, value = found
            variables = ", ".join(dict.fromkeys(v for r in q.absent for v in r.variables))
            assert q.joint is not None and q.text is not None
            steps = [Step(place_of(q.joint.module, q.joint.node), f"without {variables} it is {shown(q.text)}")]
            slots = {"variable": variables, "address": shown(q.text)}
            if (eased := self._eased(built, q, way)) is not None:
                return Facts("eased", [*steps, eased], slots)
            return Facts("loopback", steps, slots)
        if (late := self._late(built, imported)) is not None:
            return late
        if built.entry.get("loop") and not built.given(built.entry.get("loop_unless", {})) and not _in_async(built):
            return Facts("no-loop")
        # a bundler writes what the variable was into what browsers get: nothing of a server fails there
        bundled = self.stages.is_for_browsers(module.path)
        if not (entry or bundled) and (found := self.unset(built, ("throws",))) is not None and (
                self.provided(found[0]) is None):
            q, value = found
            variable = next((v for r in q.absent for v in r.variables), "")
            step = Step(place_of(module, value), f"{variable} is read without a default or a check")
            return Facts("unset", [step], {"variable": variable})
        if not sure:
            return Facts("plain")
        if not entry:
            if built.dials:
                waits = built.entry["connects"] == "blocking" and not _goes_on(module, built.call)
                return Facts("blocks" if waits else "connects")
            if (call := self.opened(built)) is not None:
                step = Step(place_of(module, call), "it connects here, while the module is imported")
                return Facts("connects" if _goes_on(module, call) else "opened", [step])
        framework = self.programs.framework(imported, options["reloads"]) if options.get("reloads") else None
        if framework is not None and self.programs.is_evaluated(
                framework, imported.path, options.get("by_pages", ())) and self._pools(built) and not (
                given_back(self, built)) and not (
                framework[0] in options.get("kept_alone", ()) and not importers(self.project).targets(imported.path)):
            title, path = framework
            step = Step(Place(path, (0, 0)), f"this package is served by {title}")
            return Facts("reloaded", [step], {"framework": title})
        if options.get("preload") and built.entry.get("fork_unsafe"):
            told = self.programs.told(_bytes(options["preload"]), _text(options["deployment"]), imported.path)
            if told is not None and not self._renewed(module, told[0]):
                path, at = told
                step = Step(Place(path, at), "workers are forked after the application was imported")
                return Facts("forked", [step])
        if options.get("prefork") and (forked := self._forked(built, imported)) is not None:
            return forked
        return Facts("plain")

    def provided(self, q: Possible) -> Step | None:
        """Where a deployment sets a variable without which ``q`` is taken, if all that are known to run the code that
        reads it do."""
        names = [name for read in q.absent for name in read.variables]
        return provided(Code.of(self.project, self.rules), self.stages, q.absent[0].site.module.path, names,
                        lambda one: True)

    def _eased(self, built: Construction, q: Possible, way: tuple[tuple[Module, Any], ...]) -> Step | None:
        """Why nothing is proved to fail where ``q`` is taken: a failure is caught on the way, or what is deployed sets
        the variable."""
        for module, node in ((built.module, built.call), *way):
            if (at := _caught(module, node)) is not None:
                return Step(place_of(module, at), "a failure is caught here")
        names = [name for read in q.absent for name in read.variables]
        read_at = q.absent[0].site.module.path
        return self._given((built.module.path, read_at), names) or self._demanded_above(built, frozenset(names))

    def _given(self, paths: tuple[str, ...], names: list[str]) -> Step | None:
        """Where a service that runs the construction, or what reads its variables, is given one of these, be it by a
        file that is not kept in the project, as the example of that says."""
        code = Code.of(self.project, self.rules)
        for one in code.running:
            given = next((name for name in names if one.gives(name)), None)
            handed = self._handed(one, names) if given is None else None
            if (given is None and handed is None) or on_a_developers_machine(one.deployment.path):
                continue
            if any(code.runs(one, path) for path in paths):
                at = one.service.environment_at or Place(one.deployment.path, (0, 0))
                return handed or Step(at, f"`{one.name}` is given {given}")
        return None

    def _handed(self, one: Running, names: list[str]) -> Step | None:
        """Where the example of a file of variables that ``one`` is given sets one of ``names`` to another place."""
        for file in one.service.env_files:
            told = variables_of(self.project.tree, file) or {}
            known = next((told[name] for name in names if name in told), None)
            if known is not None and known.value and loopback(known.value) is None:
                return Step(known.place, f"`{one.name}` is given {posixpath.basename(file)}, as in this example")
        return None

    def _demanded_above(self, built: Construction, names: frozenset[str]) -> Step | None:
        """Where a file that imports the construction's stops the program for want of its variables: it does not live on
        with what it was built with."""
        for path in self._with_users(built.module.path):
            above = self.project.module(path) if path != built.module.path else None
            for demand in demands_of(self.values, self.stages, above) if above is not None else ():
                if above is not None and demand.node is not None and names & demand.variables:
                    name = min(names & demand.variables)
                    return Step(place_of(above, demand.node), f"the program is stopped here where {name} is not set")
        return None

    def _forked(self, built: Construction, imported: Module) -> Facts | None:
        """That a program forks its workers after it has imported the module: by its command, or in its own code."""
        queue, forks = _bytes(self.options["queues"]), _bytes(self.options["forks"])
        command = None
        if built.entry.get("fork_unsafe"):
            files = _text(self.options["deployment"])
            command = self.programs.told(_bytes(self.options["prefork"]), files, imported.path)
        for path in self._with_users(imported.path):
            data = self.project.tree.read(path) or b""
            if command is not None and queue.search(data) and not self._renewed(imported, path):
                return Facts("forked", [Step(Place(*command), "workers are forked after the application was imported")])
            match = forks.search(data) if built.entry["language"] == "javascript" else None
            if match is not None and path != imported.path:
                step = Step(Place(path, match.span("fork")), "every worker imports it for itself")
                return Facts("multiplied", [step])
        return None

    def _with_users(self, path: str) -> list[str]:
        """A file, those of the program that import it, and those that import these, as long as they are few."""
        index = importers(self.project)
        found = [path]
        for number, here in enumerate(found):
            if number < _MOST_USERS:
                users = sorted(index.near(here))  # those that are looked at have to be the same in every run
                found += [above for above in users if above not in found and self.in_production(above)]
        return found[:_MOST_USERS]

    def _renewed(self, module: Module, path: str) -> bool:
        """Whether a hook of the server, or the module itself, does something in every worker after the fork."""
        hooks = _bytes(self.options["after_fork"])
        return any(hooks.search(data) for data in (module.source.data, self.project.tree.read(path) or b""))

    def _pools(self, built: Construction) -> bool:
        """Whether it holds connections of its own, as far as what it works through says."""
        for place in built.entry.get("wraps_inside", ()):
            value = built.option(place)
            if value is not None:
                return instance(built.module, value, self.project, self.rules) is not None
        return True

    def _late(self, built: Construction, imported: Module) -> Facts | None:
        """That the program loads the variable of the address only after ``imported`` was evaluated."""
        card = self.rules.cards.get(self.options.get("loads", ""))
        found = self.unset(built, ("localhost", "throws", "fails")) if card is not None else None
        if card is None or found is None:
            return None
        reads = frozenset((read.site.module.path, read.site.node.at) for read in found[0].absent)
        late = loaded_after(loads_of(self.project, card, self.rules), imported.path, reads)
        if late is None:
            return None
        load, variable = late
        step = Step(place_of(load.module, load.node), f"{variable} is loaded only here")
        if (given := self._given((built.module.path,), [variable])) is not None:
            return Facts("late_eased", [step, given], {"variable": variable})
        return Facts("late", [step], {"variable": variable})


def lacking(q: Possible) -> list[str]:
    """The variables for want of which ``q`` is what it is, but for those that a test on the way there asks for."""
    asked = [r for r in q.absent for c in q.conditions
             if r.site.module is c.module and c.test.at[0] <= r.site.node.at[0] < c.test.at[1]]
    names = [v for r in q.absent if r not in asked for v in r.variables] or [v for r in q.absent for v in r.variables]
    return list(dict.fromkeys(names))


def _caught(module: Module, node: Any) -> Any:
    """What catches a failure of ``node`` in its own function and does not raise: a handler, or a ``catch`` of the
    promise."""
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function:
            return None
        if kind is p.Try and any(below is statement for statement in above.body):
            for handler in above.handlers:
                if not any(type(s) is p.Raise for s in handler.body):
                    return handler
        # ``connect().catch(report)``
        if kind is p.Call and above.callee is below and above.args and last_name(above.callee) == "catch":
            return above
        below = above
    return None


def _in_async(built: Construction) -> bool:
    """Whether an event loop runs where the call is evaluated: inside of an async function called at once."""
    return any(type(above) is p.Function and above.is_async for above in built.module.parents(built.call))


def _bytes(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def place_of(module: Module, node: Any) -> Place:
    """Where ``node`` stands."""
    return Place(module.path, node.at)


def judge(project: Project, card: Card, rules: Rules) -> Judge:
    """The one `Judge` of a card and project."""
    key = (Judge, card.id)
    found = project.memo.get(key)
    if found is None:
        found = project.memo[key] = Judge(project, card, rules)
    return found


def said(built: Construction) -> str:
    """The construction as the source writes it, without arguments: ``new Pool()``, ``redis.from_url()``."""
    text = re.sub(r"\s+", "", built.module.source.slice(built.call.callee.at))
    if len(text) > 60:
        text = last_name(built.call.callee) or text[:60]
    return f"new {text}()" if built.call.new else f"{text}()"


def variable(module: Module, node: Any) -> str | None:
    """The name that the value of ``node`` is bound to, through ``await``, wrappers and attributes."""
    for above in module.parents(node):
        kind = type(above)
        if kind in (p.Let, p.Assign):
            target = above.target
            return target.id if type(target) is p.Name else target.name if type(target) is p.Member else None
        if kind is p.Entry and type(above.key) is p.Text:
            return above.key.value
        if isinstance(above, p.Statement) or kind in (p.Function, p.Class):
            return None
    return None


def given_back(court: Judge, built: Construction) -> bool:
    """Whether the module itself closes the client at its top level, by a ``with`` there too, or in what it hands to a
    promise: then it does its work and ends."""
    module = built.module
    if any(type(above) is p.With for above in module.parents(built.call)):
        return module.function(built.call) is None and _is_managed(module, built.call)
    names = {release["call"] for release in built.entry["release"]}
    for call in module.nodes(p.Call):
        callee = call.callee
        if type(callee) is p.Member and callee.name in names and at_import(module, _handed_over(module, call)):
            if instance(module, callee.of, court.project, court.rules) is built:
                return True
    return False


def _is_managed(module: Module, call: p.Call) -> bool:
    """Whether ``call`` is what a ``with`` enters, perhaps through ``closing``."""
    above = module.parent(call)
    while type(above) in (p.Argument, p.Call, p.Await):
        above = module.parent(above)
    return type(above) is p.WithItem


def _handed_over(module: Module, node: Any) -> Any:
    """The call that runs the function around ``node`` in time: ``query().then(() => pool.end())``; or ``node``."""
    function = module.function(node)
    given = module.parent(function) if function is not None else None
    call = module.parent(given) if type(given) is p.Argument else None
    promise = type(call) is p.Call and type(call.callee) is p.Member and call.callee.name in ("then", "finally")
    return _handed_over(module, call) if promise else node


def _goes_on(module: Module, call: Any) -> bool:
    """Whether the file goes on where ``call`` fails: a handler around it, or behind it, takes what it raises."""
    below = call
    for above in module.parents(call):
        kind = type(above)
        if kind is p.Try and any(below is statement for statement in above.body):
            if above.handlers and not any(ends(module, handler.body) for handler in above.handlers):
                return True
        elif kind is p.Member and above.of is below and above.name == "catch":
            return True
        elif kind in (p.Function, p.Class):
            return False
        below = above
    return False
