"""Handles that are lost: thrown away, given back on some ways out of a function only, or never.

One check for all lifecycles: the card's option ``roles`` says which entries of the tables `acquire` and `pair` it
reports.

Outcomes: ``discarded`` (nobody keeps the handle), ``unreleased`` (kept in a variable that is never used to give it
back), ``lost`` (a normal way out of the function still holds it), ``lost_on_error`` (an exception's way does),
``forgotten`` (an object keeps it, and none of its methods gives it back), ``component`` (a component's hook acquires
it, and nothing gives it back), ``mismatched`` (what is removed was never added). Slots: ``call``, ``handle``, ``what``,
``undo``, ``why``, ``where``.
"""

from __future__ import annotations

from collections.abc import Iterator

from connlint.cards import Card, Rules
from connlint.checks.cases import Cases
from connlint.checks.lifecycles import lifecycles
from connlint.checks.listeners import Listening, pairs, registrations
from connlint.checks.origins import origins
from connlint.model import program as p
from connlint.model.finding import Draft
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
    known = origins(module, project)
    cases: Cases | None = None
    for call in module.nodes(p.Call):
        api = table.acquired(call, known, roles)
        if api is not None:
            cases = cases or Cases(module, project, rules, table)
            yield cases.judge(call, api)
    if paired := pairs(rules, module.program.language, roles):
        for registration in registrations(module, paired, table.closing.says):
            cases = cases or Cases(module, project, rules, table)
            yield Listening(cases).judge(registration)
