"""A card is documentation that runs: its examples are small projects, checked like any other."""

from __future__ import annotations

import re

import pytest

from connlint.cards import HEADINGS, Card
from projects import RULES, report

_BLOCK = re.compile(r"```(\w+)(?: title=(\S+))?\n(.*?)\n```", re.S)
_SUFFIX = {"python": "py", "ts": "ts", "tsx": "tsx", "js": "js", "jsx": "jsx", "vue": "vue", "svelte": "svelte"}


def examples(card: Card, heading: str) -> list[dict[str, str]]:
    """The projects under a heading: a block whose title was seen before, or that has none, starts the next one."""
    found: list[dict[str, str]] = []
    for language, title, text in _BLOCK.findall(card.section(heading)):
        if language not in _SUFFIX and not title:
            continue
        name = title or f"example.{_SUFFIX[language]}"
        if not found or name in found[-1] or not title:
            found.append({})
        found[-1][name] = text + "\n"
    return found


CASES = [(card, heading) for card in RULES.cards.values() for heading in ("Reported", "Fixed", "Quiet")]


@pytest.mark.parametrize(("card", "heading"), CASES, ids=lambda c: getattr(c, "id", c))
def test_examples_are_what_the_card_says(card, heading):
    for project in examples(card, heading):
        rules = {finding.rule for finding in report(project).findings}
        text = "\n".join(f"--- {name}\n{body}" for name, body in project.items())
        assert (card.id in rules) == (heading == "Reported"), f"{heading} of {card.id}: {sorted(rules)}\n{text}"


@pytest.mark.parametrize("card", RULES.cards.values(), ids=lambda c: c.id)
def test_card_has_every_heading_in_order(card):
    headings = re.findall(r"^## (.+)$", card.manual, re.M)
    assert headings == [h for h in HEADINGS if h != "Fixed" or "Fixed" in headings]
    assert examples(card, "Reported") and examples(card, "Quiet"), "both need an example that runs"
