"""A rule as it is told (`Card`), and all rules with all that is known about libraries (`Rules`)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from connlint.model.finding import Level


class Outcome(Struct, frozen=True):
    """How one thing that a check can observe is reported by a rule."""

    message: str
    level: Level


class Card(Struct, frozen=True):
    """One rule. ``options`` is handed to the check as it stands; ``sieve`` says which files the rule must see.

    ``sieve`` is a list of alternatives; an alternative is a list of groups that must all be met; a group is met where
    any of its words stands in the file's bytes. "@client" and the like stand for words taken from the tables.
    An empty ``sieve`` means every file.
    """

    id: str
    name: str
    family: str
    check: str
    level: Level
    precision: str
    outcomes: dict[str, Outcome]
    options: dict[str, Any]
    sieve: tuple[tuple[tuple[str, ...], ...], ...]
    manual: str
    summary: str

    def section(self, heading: str) -> str:
        """The Markdown under one of the headings of a card's manual, or ""."""
        _, found, rest = self.manual.partition(f"## {heading}\n")
        return rest.split("\n## ", 1)[0].strip() if found else ""


class Rules(Struct, frozen=True):
    """All cards by id, and all tables: role → entries. Every entry knows its ``language`` (the table's name)."""

    cards: dict[str, Card]
    apis: dict[str, list[dict[str, Any]]]

    def families(self) -> dict[str, list[str]]:
        """Family → ids, in order."""
        found: dict[str, list[str]] = {}
        for card in self.cards.values():
            found.setdefault(card.family, []).append(card.id)
        return found
