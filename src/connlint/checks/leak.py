"""Handles that are lost: thrown away, given back on some ways out of a function only, or never.

One check for all lifecycles: the card's option ``roles`` says which entries of the tables `acquire` and `pair` it
reports.

Outcomes: ``discarded`` (nobody keeps the handle), ``unreleased`` (kept in a variable that is never used to give it
back), ``lost`` (a normal way out of the function still holds it), ``lost_on_error`` (an exception's way does),
``forgotten`` (an object keeps it, and none of its methods gives it back), ``component`` (a component's hook acquires
it, and nothing gives it back), ``by_itself`` (its own events alone do), ``replaced`` (the next run of the hook alone
does), ``dropped`` (a collection alone knows it, and forgets it), ``piling`` (code that runs again adds to what the
whole program shares), ``mismatched`` (what is removed was never added). Slots: ``call``, ``handle``, ``what``,
``undo``, ``why``, ``where``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from connlint.cards import Card, Rules
from connlint.checks.cases import Cases
from connlint.checks.factories import Factories, Made
from connlint.checks.injected import Injected
from connlint.checks.lifecycles import Api, Lifecycles, lifecycles
from connlint.checks.listeners import Listening
from connlint.checks.origins import origins
from connlint.checks.registrations import pairs, registrations
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.project.module import Module
from connlint.project.project import Project


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Report the handles of the card's roles that ``module`` acquires and does not give back."""
    roles = frozenset(card.options["roles"])
    for draft in _drafts(module, project, roles, rules):
        if draft is not None and draft.outcome in card.outcomes:
            yield draft


def _drafts(module: Module, project: Project, roles: frozenset[str], rules: Rules) -> Iterator[Draft | None]:
    table = lifecycles(project, rules, module.program.language)
    factories = Factories(module, project, rules, table, roles)
    acquired, others = _acquired(module, project, table, factories)
    if factories.called_unread():
        # what was not read holds none of the words that matter, but calls a function that does
        whole = project.module(module.path)
        if whole is not None and whole is not module:
            module = whole
            factories = Factories(module, project, rules, table, roles)
            acquired, others = _acquired(module, project, table, factories)
    cases: Cases | None = None
    for call, api in acquired:
        cases = cases or Cases(module, project, rules, table)
        yield cases.judge(call, api)
    for call in others:
        made = factories.made(call)
        if made is not None:
            cases = cases or Cases(module, project, rules, table)
            draft = cases.judge(call, made.api)
            yield draft and _with_origin(draft, made)
    if paired := pairs(rules, module.program.language, roles):
        for registration in registrations(module, paired, table.closing.says):
            cases = cases or Cases(module, project, rules, table)
            yield Listening(cases).judge(registration)


def _acquired(module: Module, project: Project, table: Lifecycles,
              factories: Factories) -> tuple[list[tuple[p.Call, Api]], list[p.Call]]:
    """The calls of ``module`` that acquire something, and all others; what may hand a handle out is noted."""
    known = origins(module, project)
    injected = Injected(module, project, table, factories.roles)
    acquired, others = [], []
    for call in module.nodes(p.Call):
        api = (table.acquired(call, known, factories.roles) or table.handed(call, known, factories.roles)
               or injected.acquired(call))
        if api is None:
            others.append(call)
        else:
            acquired.append((call, api))
            factories.note(call)
    return acquired, others


def _with_origin(draft: Draft, made: Made) -> Draft:
    """The draft, and where the function that was called gets what it hands out."""
    step = Step(Place(made.module.path, made.call.at), "what it hands out is made here")
    return replace(draft, steps=(*draft.steps[:1], step, *draft.steps[1:]))
