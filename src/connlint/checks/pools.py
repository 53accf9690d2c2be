"""Clients and pools: built while a module is imported, too large, or kept with a loopback address."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from connlint.checks.constructions import Facts, Judge, given_back, judge, lacking, place_of, said, variable
from connlint.checks.kept import cached_in, kept_for_reloads
from connlint.checks.optional_clients import OFF, declared_default
from connlint.checks.unset_address import dialled, is_checked
from connlint.checks.wording import listed, shown_variable
from connlint.model import program as p
from connlint.model.finding import Draft, Fix, Step
from connlint.model.rule import Card, Rules
from connlint.project.address import shown
from connlint.project.callees import bindings, last_name
from connlint.project.clients import Construction, construction
from connlint.project.conditions import ends
from connlint.project.deferring import behind_function, kept_on_global
from connlint.project.edits import require
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.timeline import at_import

_ON = ("true", "1", "yes", "on")
_FALLEN_BACK = ("loopback", "eased")
"""What is said of a client whose address is loopback where a variable is not set."""


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Constructions that happen while ``module`` is imported."""
    court = judge(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    script: bool | None = None
    for built in court.constructions(module):
        if not at_import(module, built.call) or kept_for_reloads(module, built.call):
            continue
        if court.stages.only_in_development(module, built.call) or _is_asked_for(court, built):
            continue
        if script is None:
            script = court.programs.only_for_tests(module.path) or court.programs.by_hand(module) or (
                court.programs.is_script(module, card.options["applications"], card.options["listens"]))
        if script:
            return
        told = built.entry.get("tool_reads", False) or given_back(court, built)
        if told and court.programs.imported_by(module.path) is None:
            continue
        entry = module.program.language != "python" and court.programs.is_entry(module)
        facts = court.facts(built, module, entry=entry)
        if entry and facts.outcome not in card.options["entries"]:
            continue
        if recommended(module, facts.outcome, card.options):
            continue
        if facts.outcome == "plain":
            if built.entry["kind"] not in card.options["kinds"] or _only_makes_clients(built):
                continue
            facts = _quiet(court, built) or facts
        elif built.entry["kind"] not in card.options["kinds"]:
            if facts.outcome not in card.options["facts"]:
                continue
        what = said(built)
        steps = [Step(place_of(module, built.call), f"{what} runs while {module.path} is imported"), *facts.steps]
        yield Draft(
            facts.outcome, place_of(module, built.call), {"what": what, **facts.slots},
            variable(module, built.call) or built.name, tuple(steps),
            fix=_deferred(court, built, facts.outcome),
            level=card.options["entries"][facts.outcome] if entry and not importers(project).of(module.path) else None,
        )


def _only_makes_clients(built: Construction) -> bool:
    """Whether what is built holds nothing by itself: all that is given back is given back by what it makes."""
    release = built.entry.get("release", ())
    explicit = built.entry.get("connects") == "explicit"
    return explicit and bool(release) and all(it.get("on", "").endswith("()") for it in release)


def _deferred(court: Judge, built: Construction, outcome: str) -> Fix | None:
    """Build the client when it is first needed; where its address falls back to loopback, that needs its variable.

    What a framework evaluates again and again is kept on the global object: a function of the module would be made
    again as well. None for a single connection: the function would go on to give it when it is lost.
    """
    if built.entry.get("single"):
        return None
    if outcome == "reloaded":
        return kept_on_global(court.project, built.module.path, built.call)
    required = None
    if outcome in _FALLEN_BACK:
        found = court.fallback(built)
        joint = found[0].joint if found is not None else None
        if found is None or joint is None:
            return None
        inside = joint.module.path == built.module.path and built.call.at[0] < joint.node.at[0] < built.call.at[1]
        called = any(type(node) is p.Call for one in built.call.args for node in p.within(one.value))
        if not inside and (joint.module.function(joint.node) is None or not called):
            return None  # the import would go on to read it, and to fail
        required = require(court.values, found[0].absent, joint)
        if required is None:
            return None
    return behind_function(court.project, built.module.path, built.call, required, alone=outcome == "plain")


def _is_asked_for(court: Judge, built: Construction) -> bool:
    """Whether the client is built only where a variable that has no part in its address switches it on: who imports the
    module without asking for it opens nothing."""
    values = court.values
    address = {v for _, value in built.addresses() for q in values.possible(built.module, value)
               for read in (*q.reads, *q.absent) for v in read.variables}
    below: Any = built.call
    for above in built.module.parents(built.call):
        if type(above) is p.If and any(below is statement for statement in above.then):
            switches = _switches(court, built.module, above.test)
            if switches and not switches & address:
                return True
        below = above
    return False


def _switches(court: Judge, module: Module, test: Any) -> set[str]:
    """The variables without which ``test`` does not hold."""
    kind = type(test)
    if kind is p.Logical and test.op == "and":
        return _switches(court, module, test.left) | _switches(court, module, test.right)
    found = {v for read in court.values.absent(module, test, False) for v in read.variables}
    if kind is p.Compare and test.op == "==" and type(test.right) is p.Text and test.right.value.lower() in _ON:
        test = test.left
    if type(test) in (p.Name, p.Member, p.Index, p.Call):
        for q in court.values.possible(module, test):
            if q.nothing or (q.text or "?").lower() in OFF:
                found.update(v for read in q.absent for v in read.variables)
    if type(test) is p.Member and type(test.of) is p.Name:
        declared = declared_default(court.values, module, test.of, test.name)
        if declared is not None and declared[1].lower() in OFF:
            found.add(declared[0])
    return found


def _quiet(court: Judge, built: Construction) -> Facts | None:
    """That the client goes to its own machine without a word, where the variable is not set when it is built."""
    found = court.unset(built, ("localhost",))
    if found is None or built.wrapped is not None or built.subclass is not None:
        return None
    q, value = found
    if is_checked(court.values, court.stages, built.module, built.call, q.absent, court.project, court.rules):
        return None
    if court.provided(q) is not None:
        return None
    name = next(v for r in q.absent for v in r.variables)
    target = dialled(court.values, built)
    step = Step(place_of(built.module, value), f"{name} is read without a default or a check")
    return Facts("quiet", [step], {"variable": name, "address": target})


def recommended(module: Module, outcome: str, options: dict[str, Any]) -> bool:
    """Whether a construction at the module scope of a serverless function is as its platform advises.

    A connection that is opened there serves many calls. What raises or never sees its variable is no such thing.
    """
    if outcome == "plain":
        return serves_calls(module, options)
    return outcome in options["kept_by_serverless"] and serves_calls(module, options, surely=True)


def serves_calls(module: Module, options: dict[str, Any], *, surely: bool = False) -> bool:
    """Whether the module is a serverless function, which is told to build clients outside of its handler.

    ``surely``: its handler takes an event, or it imports what such platforms provide; the name alone does not do.
    """
    if any(_package(name) in options["serverless"] for name in _imported(module)):
        return True
    for name in options["handlers"]:
        for definition in module.scope.names.get(name, ()):
            if definition.kind != "import" and (not surely or _takes_event(definition.value, options)):
                return True
    for assign in module.nodes(p.Assign):
        if type(assign.target) is p.Member and assign.target.name in options["handlers"]:
            if (module.qualified(assign.target) or "").startswith(("exports.", "module.exports.")):
                if not surely or _takes_event(assign.value, options):
                    return True
    return False


def _imported(module: Module) -> Iterator[str]:
    """What the file imports or requires, as written."""
    for statement in module.nodes(p.Import):
        yield statement.module
    for call in module.nodes(p.Call):
        if type(call.callee) is p.Name and call.callee.id == "require" and call.args:
            if type(call.args[0].value) is p.Text:
                yield call.args[0].value.value


def _package(name: str) -> str:
    """The package of an import: ``@a/b`` of ``@a/b/c``, ``a`` of ``a.b``."""
    return "/".join(name.split("/")[:2]) if name.startswith("@") else re.split(r"[./]", name, maxsplit=1)[0]


def _takes_event(value: Any, options: dict[str, Any]) -> bool:
    """Whether ``value`` is a function whose first parameter is an event."""
    if type(value) is not p.Function or not value.params:
        return False
    target = value.params[0].target
    if type(target) is p.Default:
        target = target.target
    return type(target) is p.Name and target.id.lstrip("_") in options["events"]


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
        # the first of the keys that is written is the one that counts; some options come on top of it
        said_most = [value for key in built.entry["limit"] if (value := built.option(key)) is not None][:1]
        more = [value for key in built.entry.get("limit_more", ()) if (value := built.option(key)) is not None]
        found = [(number, value) for value in said_most + more
                 if (number := _literal(court, module, value)) is not None]
        total = sum(number for number, _ in found)
        most = built.entry.get("limit_most", card.options["most"])
        if not found or total <= most or court.stages.only_in_development(module, call):
            continue
        worst = max(found, key=lambda pair: pair[0])[1]
        waits = built.entry.get("timeout", ())
        endless = bool(waits) and not built.opaque and not built.entry.get("bounded") and all(
            built.option(key) is None for key in waits)
        what = said(built)
        yield Draft(
            "endless" if endless else "over", place_of(module, worst),
            {"what": what, "limit": str(total), "most": str(most)}, variable(module, call) or built.name,
            (Step(place_of(module, call), f"{what} may open {total} connections in each process"),),
        )


def _literal(court: Judge, module: Module, value: Any) -> int | None:
    """The number that ``value`` is for sure, none of it read from the environment."""
    if type(value) is p.Opaque and value.why == "binary *" and len(value.parts) == 2:
        factors = [_literal(court, module, part) for part in value.parts]
        return None if None in factors else math.prod(factors)  # type: ignore[arg-type]
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
    lends = {name for entry in rules.apis.get("lends", ()) for name in entry["names"]}
    for built in court.constructions(module):
        if at_import(module, built.call) or court.stages.only_in_development(module, built.call):
            continue
        cache = cached_in(module, built.call, lends)
        if cache is None or _is_entered(module, built.call) or (found := court.fallback(built)) is None:
            continue
        q, _ = found
        if q.from_argument:
            continue
        assert q.joint is not None and q.text is not None
        name = listed([shown_variable(name) for name in lacking(q)])
        what = said(built)
        holder, node = cache
        if _is_tried(module, built.call, node, card.options["tries"]) or _is_let_go(module, project, node):
            continue
        given = court.provided(q)
        yield Draft(
            "kept" if given is None else "provided", place_of(module, built.call),
            {"what": what, "variable": name, "address": shown(q.text), "holder": holder}, holder,
            (
                Step(place_of(q.joint.module, q.joint.node), f"{name} falls back to {shown(q.text)}"),
                Step(place_of(module, built.call), f"{what} takes that address at its first use"),
                Step(place_of(module, node), f"`{holder}` keeps it, so a value set later is never seen"),
                *([given] if given is not None else ()),
            ),
            fix=require(court.values, q.absent, q.joint),
        )


def _is_let_go(module: Module, project: Project, kept: Any) -> bool:
    """Whether what keeps a client is an attribute of an object that is made where it is needed, and that forgets the
    client when it is stopped: whoever starts it again gets another."""
    target = getattr(kept, "target", None)
    owner = next((above for above in module.parents(kept) if type(above) is p.Class), None)
    if type(target) is not p.Member or type(target.of) is not p.Name or target.of.id not in ("self", "this"):
        return False
    if owner is None or not owner.name:
        return False
    inside = (it for it in bindings(module) if owner.at[0] <= it.at[0] < owner.at[1])
    nothing = [it for it in inside if type(it.value) is p.Constant and it.value.value in ("null", "undefined")
               and type(it.target) is p.Member and it.target.name == target.name]
    places = [module.function(it) for it in nothing]
    forgets = any(by is not None and by.name not in ("__init__", "constructor") and by is not module.function(kept)
                  for by in places)
    # one object for the whole program is stopped with it
    shared = re.compile(rb"^[\w \t.:\[\]|]*=[ \t]*(?:new )?%s\(" % owner.name.encode(), re.M)
    index = importers(project)
    return forgets and not any(shared.search(line) and line[:1] not in (b" ", b"\t")
                               for path in (module.path, *index.mentions(owner.name, module.path))
                               for line in index.data(path).split(b"\n") if owner.name.encode() in line)


def _is_tried(module: Module, call: p.Call, kept: Any, tries: list[str]) -> bool:
    """Whether a client is kept only after it has answered: where nobody does at the address, it is built anew."""
    let = next((above for above in module.parents(call) if type(above) in (p.Let, p.Assign)), None)
    if let is None or type(let.target) is not p.Name:
        return False
    for asked in module.nodes_of(module.function(call), p.Call):
        callee = asked.callee
        if type(callee) is p.Member and callee.name in tries and last_name(callee.of) == let.target.id and (
                call.at[1] <= asked.at[0] < asked.at[1] <= kept.at[0]):
            return not any(type(above) is p.Try and above.handlers and not above.at[0] <= kept.at[0] < above.at[1]
                           and not all(ends(module, handler.body) for handler in above.handlers)
                           for above in module.parents(asked))
    return False


def _is_entered(module: Module, call: p.Call) -> bool:
    """Whether the object that keeps the client is a context manager: it lives as long as the block that it opens."""
    owner = next((above for above in module.parents(call) if type(above) is p.Class), None)
    return owner is not None and any(
        type(s) is p.Define and s.name in ("__exit__", "__aexit__") for s in owner.body)
