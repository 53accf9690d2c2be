"""Calls at module scope that reach, through functions and constructors of the project, what builds a client.

The search starts at the construction and goes outwards (`connlint.project.timeline`), so a finding may stand in another
file than the one that is checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from connlint.checks.pools import Judge, judge, kept_for_reloads, said, variable
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.callees import last_name
from connlint.project.clients import Construction
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.timeline import Chain, at_import, chains


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Every call at module scope, anywhere in the project, that leads to a construction in ``module``."""
    court = judge(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    seen: set[tuple[str, int]] = set()
    for built in court.constructions(module):
        if at_import(module, built.call) or built.entry["kind"] not in card.options["kinds"]:
            continue
        if court.stages.only_in_development(module, built.call):
            continue
        for chain in chains(project, module, built.call, lambda path: court.stages.of_path(path) == "production"):
            start = chain.start
            key = (start.module.path, start.node.at[0])
            if key not in seen and _counts(court, chain):
                seen.add(key)
                yield _draft(court, chain, built)


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


def _draft(court: Judge, chain: Chain, built: Construction) -> Draft:
    start = chain.start
    facts = court.facts(built)
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
