"""Clients and pools: built while a module is imported, too large, or kept with an address of the developer's machine.

A card's options name what the code here must not: kinds of clients, frameworks that evaluate modules again, objects
that are applications. Outcomes are the second facts about a construction at module scope, the gravest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.address import loopback, shown
from connlint.project.callees import last_name
from connlint.project.clients import Construction, construction, instance
from connlint.project.conditions import conditions
from connlint.project.module import Module
from connlint.project.programs import Programs, programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages, stages_of
from connlint.project.timeline import at_import
from connlint.project.values import Possible, Values, values_of

_GLOBALS = ("globalThis", "global", "window", "self")
_KEEPING = ("lru_cache", "cache", "cached", "cached_property", "once", "memoize", "singleton",
            "memo", "lazy", "run_once")
"""Last names of decorators and functions that run a function without arguments at most once."""


@dataclass(slots=True)
class Facts:
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
        return not (built.entry.get("scope_is_documented") or self._mocked(built.module))

    def _mocked(self, module: Module) -> bool:
        return self.stages.of_path(module.path) != "production"

    def embedded(self, built: Construction) -> bool:
        """Whether it works on a file or in memory, or does so unless it is told otherwise."""
        entry = built.entry
        if entry["kind"] == "file" or built.given(entry.get("embedded_when", {})):
            return True
        if "schema_files" in entry and self.programs.declares(
                built.module.path, _text(entry["schema_files"]), _bytes(entry["schema_embedded"])):
            return True
        starts = tuple(entry.get("embedded", ()))
        if not starts:
            return False
        return any(q.text is not None and q.text.startswith(starts)
                   for _, value in built.addresses() for q in self.values.possible(built.module, value))

    # -- facts --------------------------------------------------------------------------------------------------------

    def fallback(self, built: Construction) -> tuple[Possible, Any] | None:
        """A loopback address that is taken where a variable is not set, and the expression that gives it."""
        for _, value in built.addresses():
            for q in self.values.possible(built.module, value):
                if q.absent and q.text and loopback(q.text) and q.joint is not None:
                    if not any(self.stages.development_only(c) for c in q.conditions):
                        if not self.stages.only_in_development(q.joint.module, q.joint.node):
                            return q, value
        return None

    def unset(self, built: Construction, effects: tuple[str, ...]) -> tuple[Possible, Any] | None:
        """An address that is a read of the environment without default or check, where that has one of ``effects``."""
        entry = built.entry
        for place, value in built.addresses():
            effect = entry.get("missing_at", {}).get(place, entry["missing"])
            if effect not in effects:
                continue
            for q in self.values.possible(built.module, value):
                if q.nothing and q.absent and not self._checked(built, q):
                    return q, value
        return None

    def _checked(self, built: Construction, q: Possible) -> bool:
        """Whether a test around or before the construction holds only where the variable is set."""
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

    def facts(self, built: Construction, imported: Module, *, entry: bool = False, sure: bool = True) -> Facts:
        """The gravest fact about a construction that happens while ``imported`` is imported, with its evidence.

        ``entry``: that module is started and not imported, so that connecting is its job. Not ``sure``: the
        construction is one of several that the code chooses from, so that nothing is said about what it does then.
        """
        module, options = built.module, self.options
        if (found := self.fallback(built)) is not None:
            q, value = found
            variable = next((v for r in q.absent for v in r.variables), "")
            assert q.joint is not None and q.text is not None
            step = Step(_place(q.joint.module, q.joint.node), f"{variable} falls back to {shown(q.text)}")
            return Facts("loopback", [step], {"variable": variable, "address": shown(q.text)})
        if (late := self._late(built)) is not None:
            return late
        if built.entry.get("loop") and not built.given(built.entry.get("loop_unless", {})) and not _in_async(built):
            return Facts("no-loop")
        if (found := self.unset(built, ("throws",))) is not None:
            q, value = found
            variable = next((v for r in q.absent for v in r.variables), "")
            step = Step(_place(module, value), f"{variable} is read without a default or a check")
            return Facts("unset", [step], {"variable": variable})
        if not sure:
            return Facts("plain")
        if not entry:
            if built.dials:
                waits = built.entry["connects"] == "blocking"
                return Facts("blocks" if waits else "connects")
            if (call := self.opened(built)) is not None:
                return Facts("opened", [Step(_place(module, call), "it connects here, while the module is imported")])
        framework = self.programs.framework(imported, options["reloads"]) if options.get("reloads") else None
        if framework is not None and self._pools(built):
            title, path = framework
            step = Step(Place(path, (0, 0)), f"this package is served by {title}")
            return Facts("reloaded", [step], {"framework": title})
        if options.get("preload") and module.program.language == "python":
            told = self.programs.told(_bytes(options["preload"]), _text(options["deployment"]), imported.path)
            if told is not None:
                path, at = told
                step = Step(Place(path, at), "workers are forked after the application was imported")
                return Facts("forked", [step])
        return Facts("plain")

    def _pools(self, built: Construction) -> bool:
        """Whether it holds connections of its own, as far as what it works through says."""
        for place in built.entry.get("wraps_inside", ()):
            value = built.option(place)
            if value is not None:
                return instance(built.module, value, self.project, self.rules) is not None
        return True

    def _late(self, built: Construction) -> Facts | None:
        return None


def _in_async(built: Construction) -> bool:
    """Whether an event loop runs where the call is evaluated: inside of an async function called at once."""
    return any(type(above) is p.Function and above.is_async for above in built.module.parents(built.call))


def _bytes(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _place(module: Module, node: Any) -> Place:
    return Place(module.path, node.at)


def judge(project: Project, card: Card, rules: Rules) -> Judge:
    """The one `Judge` of a card and project."""
    key = ("judge", card.id)
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


# -- size and stickiness ----------------------------------------------------------------------------------------------


def limits(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Pool limits that are written out and far past what one process may take from a server."""
    court = judge(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    for call in module.nodes(p.Call):
        built = construction(module, call, project, rules)
        if built is None or not built.entry.get("limit") or court.embedded(built):
            continue
        found = [(number, value) for key in built.entry["limit"]
                 if (value := built.option(key)) is not None and (number := _literal(court, module, value)) is not None]
        total = sum(number for number, _ in found)
        most = built.entry.get("limit_most", card.options["most"])
        if not found or total <= most or court.stages.only_in_development(module, call):
            continue
        worst = max(found, key=lambda pair: pair[0])[1]
        waits = built.entry.get("timeout", ())
        endless = bool(waits) and not built.opaque and all(built.option(key) is None for key in waits)
        what = said(built)
        yield Draft(
            "endless" if endless else "over", _place(module, worst),
            {"what": what, "limit": str(total), "most": str(most)}, variable(module, call) or built.name,
            (Step(_place(module, call), f"{what} may open {total} connections in each process"),),
        )


def _literal(court: Judge, module: Module, value: Any) -> int | None:
    """The number that ``value`` is for sure, none of it read from the environment."""
    found = court.values.possible(module, value)
    if len(found) != 1 or found[0].reads or found[0].absent or not found[0].text:
        return None
    text = found[0].text
    return int(text) if text.isdigit() else None


def sticky(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Clients that are built at first use and kept, with an address that fell back to loopback."""
    court = judge(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    for built in court.constructions(module):
        if at_import(module, built.call) or court.stages.only_in_development(module, built.call):
            continue
        cache = cached_in(module, built.call)
        if cache is None or (found := court.fallback(built)) is None:
            continue
        q, _ = found
        if q.from_argument:
            continue
        assert q.joint is not None and q.text is not None
        name = next((v for r in q.absent for v in r.variables), "")
        what = said(built)
        holder, node = cache
        yield Draft(
            "kept", _place(module, built.call),
            {"what": what, "variable": name, "address": shown(q.text), "holder": holder}, holder,
            (
                Step(_place(q.joint.module, q.joint.node), f"{name} falls back to {shown(q.text)}"),
                Step(_place(module, built.call), f"{what} takes that address at its first use"),
                Step(_place(module, node), f"`{holder}` keeps it, so a value set later is never seen"),
            ),
        )


def cached_in(module: Module, call: p.Call) -> tuple[str, Any] | None:
    """What keeps the value that a function builds at its first call, and where: a variable, attribute or decorator."""
    function = module.function(call)
    if function is None:
        return None
    for decorator in function.decorators:
        if last_name(decorator) in _KEEPING and not [x for x in function.params if not _is_receiver(x)]:
            return function.name or "cache", decorator
    if last_name(_taker(module, function)) in _KEEPING:
        return variable(module, function) or "cache", function
    names = {_target_of(module, call)}
    for let in module.nodes(p.Let):
        # client = make(); cache = client
        if type(let.value) is p.Name and let.value.id in names and module.function(let) is function:
            names.add(_target_name(let.target))
    for node in (*module.nodes(p.Let), *module.nodes(p.Assign)):
        if node.value is None or module.function(node) is not function:
            continue
        holds = _holds(module, node.value, call) or (type(node.value) is p.Name and node.value.id in names)
        if holds and _outlives(module, node, function) and _lazily(module, node):
            return _target_name(node.target) or "cache", node
    return None


def _is_receiver(param: p.Param) -> bool:
    return type(param.target) is p.Name and param.target.id in ("self", "cls")


def _taker(module: Module, function: p.Function) -> Any:
    """The callee of the call that ``function`` is handed to."""
    above = module.parent(function)
    above = module.parent(above) if type(above) is p.Argument else None
    return above.callee if type(above) is p.Call and above.callee is not function else None


def _target_of(module: Module, call: p.Call) -> str | None:
    for above in module.parents(call):
        if type(above) in (p.Let, p.Assign):
            return _target_name(above.target)
        if isinstance(above, p.Statement) or type(above) is p.Function:
            return None
    return None


def _target_name(target: Any) -> str | None:
    return target.id if type(target) is p.Name else target.name if type(target) is p.Member else None


def _holds(module: Module, value: Any, call: p.Call) -> bool:
    """Whether ``value`` is the result of ``call``, perhaps awaited or as one arm of a condition."""
    kind = type(value)
    if kind is p.Await:
        return _holds(module, value.value, call)
    if kind is p.Logical:
        return _holds(module, value.right, call)
    if kind is p.Assign:
        return _holds(module, value.value, call)
    if kind is p.Call and value is not call and type(value.callee) is p.Member:
        # new Client(…).connect()
        return _holds(module, value.callee.of, call)
    return value is call


def _outlives(module: Module, node: Any, function: p.Function) -> bool:
    """Whether what is assigned lives on when ``function`` has returned: an attribute, or a variable from outside."""
    target = node.target
    if type(target) is p.Member:
        return type(target.of) is p.Name
    if type(target) is not p.Name:
        return False
    if type(node) is p.Let and node.how:
        return False
    scope = module.scope_of(node)
    while scope is not None and scope.node is not function:
        if target.id in scope.names and target.id not in scope.outer:
            return False
        scope = scope.parent
    return scope is not None and (target.id not in scope.names or target.id in scope.outer)


def _lazily(module: Module, node: Any) -> bool:
    """Whether the assignment happens only where nothing is there yet."""
    target = node.target
    name = _target_name(target)
    if type(node) is p.Assign and node.op in ("or", "nullish"):
        return True
    if type(node.value) is p.Logical and last_name(node.value.left) == name:
        return True
    for held in conditions(module, node):
        test, truth = held.test, held.truth
        while type(test) is p.Not:
            test, truth = test.value, not truth
        if type(test) is p.Logical:
            test = test.left
        if type(test) is p.Compare and type(test.right) is p.Constant:
            if last_name(test.left) == name and truth == (test.op == "=="):
                return True
        elif type(test) in (p.Name, p.Member) and last_name(test) == name and not truth:
            return True
    return False


# -- caches -----------------------------------------------------------------------------------------------------------


def kept_for_reloads(module: Module, node: Any) -> bool:
    """Whether a value made at module scope is made once only: kept on the global object, or built where it is missing.

    ``globalThis.x ?? new X()``, ``x ??= new X()``, ``if (!x) x = new X()``, and the two statements ``const x =
    makeX(); if (…) globalThis.x = x``.
    """
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Logical and below is above.right and above.op in ("nullish", "or"):
            if _global_member(module, above.left):
                return True
        elif kind is p.Conditional and below is not above.test and _mentions_global(module, above.test):
            return True
        elif kind is p.Assign:
            if above.op in ("nullish", "or") or _global_member(module, above.target):
                return True
        elif kind is p.Let and _global_member(module, above.target):
            return True
        elif kind is p.If and below is not above.test and asks_for_missing(module, above.test, node):
            return True
        elif kind in (p.Function, p.Class):
            break
        below = above
    name = variable(module, node)
    return name is not None and name in _kept_names(module)


def _kept_names(module: Module) -> set[str]:
    """Variables whose value is also stored on the global object."""
    found = module.memo.get("kept on the global object")
    if found is None:
        found = set()
        for assign in (*module.nodes(p.Assign), *module.nodes(p.Let)):
            if assign.value is not None and _global_member(module, assign.target):
                value = assign.value
                if type(value) is p.Name:
                    found.add(value.id)
                found.add(last_name(assign.target))
        for let in module.nodes(p.Let):
            # const cached = global.mongoose; the client becomes cached.conn
            if type(let.target) is p.Name and let.value is not None and _mentions_global(module, let.value):
                found.add(let.target.id)
        module.memo["kept on the global object"] = found
    return found


def _global_member(module: Module, expression: Any) -> bool:
    """Whether ``expression`` is a member of the global object, or of a name for it."""
    if type(expression) not in (p.Member, p.Index):
        return False
    of = expression.of
    while type(of) in (p.Member, p.Index):
        of = of.of
    return type(of) is p.Name and _is_global(module, of)


def _is_global(module: Module, name: p.Name, depth: int = 0) -> bool:
    found = module.lookup(name.id, name)
    if not found:
        return name.id in _GLOBALS
    value = found[0].value
    if len(found) == 1 and depth < 4:
        if type(value) is p.Name:
            return _is_global(module, value, depth + 1)
        return _global_member(module, value)
    return False


def _mentions_global(module: Module, expression: Any) -> bool:
    waiting = [expression]
    while waiting:
        here = waiting.pop()
        if type(here) is p.Name and _is_global(module, here):
            return True
        waiting.extend(c for c in p.children(here))
    return False


def asks_for_missing(module: Module, test: Any, node: Any) -> bool:
    """Whether ``test`` asks for the absence of what is built: of the variable it goes to, or of a global."""
    if _mentions_global(module, test):
        return True
    name = variable(module, node)
    if name is None:
        return False
    if type(test) is p.Not:
        return last_name(test.value) == name
    if type(test) is p.Compare:
        if test.op == "not in" and type(test.left) is p.Text:
            return test.left.value == name
        return type(test.right) is p.Constant and test.op == "==" and last_name(test.left) == name
    return False


# -- the checks -------------------------------------------------------------------------------------------------------


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Constructions that happen while ``module`` is imported."""
    court = judge(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    script: bool | None = None
    for built in court.constructions(module):
        if not at_import(module, built.call) or kept_for_reloads(module, built.call):
            continue
        if court.stages.only_in_development(module, built.call):
            continue
        if script is None:
            script = court.programs.only_for_tests(module.path) or court.programs.is_script(
                module, card.options["applications"], card.options["listens"])
        if script:
            return
        if _given_back(court, built) and court.programs.imported_by(module.path) is None:
            continue
        entry = court.programs.is_entry(module)
        if entry and built.entry["form"] == "await":
            continue
        facts = court.facts(built, module, entry=entry)
        if facts.outcome == "plain":
            if built.entry["kind"] not in card.options["kinds"] or serves_calls(module, card.options["handlers"]):
                continue
        elif built.entry["kind"] not in card.options["kinds"]:
            if facts.outcome not in card.options["facts"]:
                continue
        what = said(built)
        steps = [Step(_place(module, built.call), f"{what} runs while {module.path} is imported"), *facts.steps]
        yield Draft(
            facts.outcome, _place(module, built.call), {"what": what, **facts.slots},
            variable(module, built.call) or built.name, tuple(steps),
        )


def _given_back(court: Judge, built: Construction) -> bool:
    """Whether the module itself closes the client at its top level: then it does its work and ends."""
    module = built.module
    for above in module.parents(built.call):
        if type(above) is p.With:
            return False
    names = {release["call"] for release in built.entry["release"]}
    for call in module.nodes(p.Call):
        callee = call.callee
        if type(callee) is p.Member and callee.name in names and at_import(module, call):
            if instance(module, callee.of, court.project, court.rules) is built:
                return True
    return False


def serves_calls(module: Module, names: list[str]) -> bool:
    """Whether the module is a serverless function, which is told to build clients outside of its handler."""
    for name in names:
        if any(d.kind in ("function", "value") for d in module.scope.names.get(name, ())):
            return True
    return any(
        type(a.target) is p.Member and a.target.name in names and (module.qualified(a.target) or "").startswith(
            ("exports.", "module.exports."))
        for a in module.nodes(p.Assign)
    )
