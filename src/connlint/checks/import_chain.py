"""Calls at module scope that reach, through functions and constructors of the project, what builds a client.

The search starts at the construction and goes outwards (`connlint.project.timeline`), so a finding may stand in another
file than the one that is checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from connlint.checks.constructions import Facts, Judge, judge, said, variable
from connlint.checks.kept import asks_for_missing, kept_for_reloads
from connlint.checks.pools import serves_calls
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.callees import last_name
from connlint.project.clients import Construction
from connlint.project.conditions import conditions
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.timeline import Chain, at_import, chains, holder


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Every call at module scope, anywhere in the project, that leads to a construction in ``module``."""
    court = judge(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    if not any(_concerns(court, built, card) for built in court.constructions(module)):
        return
    module = project.module(module.path) or module  # the whole of it, callers too
    known: dict[tuple[int, int], list[Chain]] = {}
    found: dict[tuple[str, int], list[tuple[Chain, Construction]]] = {}
    for built in court.constructions(module):
        around = holder(module, built.call)
        if around is None or not _concerns(court, built, card):
            continue
        if around.node.at not in known:
            known[around.node.at] = [
                chain for chain in chains(project, module, built.call,
                                          lambda path: court.stages.of_path(path) == "production")
                if _counts(court, chain)]
        for chain in known[around.node.at]:
            found.setdefault((chain.start.module.path, chain.start.node.at[0]), []).append((chain, built))
    for ways in found.values():
        chain, built = _clearest(ways)
        facts = court.facts(built, chain.start.module, sure=not _depends(chain, built))
        if facts.outcome != "plain" or not serves_calls(chain.start.module, card.options["handlers"]):
            yield _draft(chain, built, facts)


def _concerns(court: Judge, built: Construction, card: Card) -> bool:
    """Whether a construction stands in a function, is of a kind to report, and not for development only."""
    if built.entry["kind"] not in card.options["kinds"] or at_import(built.module, built.call):
        return False
    return not court.stages.only_in_development(built.module, built.call)


def _clearest(ways: list[tuple[Chain, Construction]]) -> tuple[Chain, Construction]:
    """Of several constructions behind one call, the shortest way to one that surely happens, if there is one."""
    return min(ways, key=lambda way: (_depends(*way), len(way[0].links)))


def _depends(chain: Chain, built: Construction) -> bool:
    """Whether the construction, or a call on the way to it, stands under a test other than for its own absence."""
    places = [(link.module, link.node) for link in chain.links[1:]] + [(built.module, built.call)]
    return any(held.truth and not asks_for_missing(module, held.test, node)
               for module, node in places for held in conditions(module, node))


def _counts(court: Judge, chain: Chain) -> bool:
    """Whether the call at module scope is one to report: not cached, not a program's own start, not for development."""
    start = chain.start
    module = start.module
    if kept_for_reloads(module, start.node) or court.stages.only_in_development(module, start.node):
        return False
    if any(court.stages.only_in_development(link.module, link.node) for link in chain.links[1:]):
        return False
    return not court.programs.is_entry(module) and not court.programs.is_script(
        module, court.options["applications"], court.options["listens"])


def _draft(chain: Chain, built: Construction, facts: Facts) -> Draft:
    start = chain.start
    what = said(built)
    steps = []
    for number, link in enumerate(chain.links):
        place = Place(link.module.path, link.node.at)
        text = _call(link.module, link.node)
        message = f"{text} runs while {link.module.path} is imported" if number == 0 else f"which calls {text}"
        steps.append(Step(place, message))
    steps.append(Step(Place(built.module.path, built.call.at), f"which runs {what}"))
    slots = {"call": _call(start.module, start.node), "what": what, "where": built.module.path, **facts.slots}
    symbol = variable(start.module, start.node) or last_name(getattr(start.node, "callee", start.node)) or what
    return Draft(facts.outcome, Place(start.module.path, start.node.at), slots, symbol, (*steps, *facts.steps))


def _call(module: Module, node: object) -> str:
    """A call or member as the source writes it, without arguments, in at most 60 characters."""
    if type(node) is p.Call:
        text = " ".join(module.source.slice(node.callee.at).split())
        text = f"new {text}()" if node.new else f"{text}()"
    else:
        text = " ".join(module.source.slice(node.at).split())  # type: ignore[attr-defined]
    return text if len(text) <= 60 else "…" + text[-59:]
