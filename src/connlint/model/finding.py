"""What a check says (`Draft`) and what is reported (`Finding`)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from connlint.model.source import Span

Level = Literal["note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("note", "warning", "error")
"""From the mildest to the gravest."""

State = Literal["new", "unchanged", "updated"]
"""What a baseline says of a finding: not in it, in it as it stands, or in it with another line or another path."""


class Place(Struct, frozen=True):
    """A byte range of a file of the project; ``path`` is relative to the project's root, with forward slashes."""

    path: str
    at: Span


class Step(Struct, frozen=True):
    """One step of the evidence: what happens at ``place``, as a clause that can stand alone."""

    place: Place
    message: str


class Edit(Struct, frozen=True):
    """Replace the bytes ``place.at`` by ``text`` (in the encoding and with the line ends of the file)."""

    place: Place
    text: str


class Fix(Struct, frozen=True):
    """All edits or none. ``safe`` says that behaviour stays the same except for the fault."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


class Draft(Struct, frozen=True):
    """What a check observed, before a card gives it a rule's id, level and words.

    ``outcome`` chooses the card's message; ``slots`` fill its braces. ``level`` overrides the level that the card gives
    to the outcome. ``steps`` are the evidence in order (a code flow), ``related`` places worth a look. ``symbol`` names
    what the finding is about (variable, handle, import) without lines, for fingerprints and baselines.
    """

    outcome: str
    place: Place
    slots: dict[str, str]
    symbol: str
    steps: tuple[Step, ...] = ()
    related: tuple[Step, ...] = ()
    fix: Fix | None = None
    level: Level | None = None


class Suppression(Struct, frozen=True):
    """A comment that takes findings away.

    ``rules`` empty means all; ``names`` says where each of them stands. ``place`` is the directive with its reason,
    without the marks of the comment. ``covers`` is a 1-based line of ``place.path``, 0 the whole file. A comment with a
    ``fault`` was meant to be one, but is malformed as told there, and takes nothing away.
    """

    rules: tuple[str, ...]
    reason: str
    place: Place
    covers: int
    names: tuple[Span, ...] = ()
    fault: str | None = None


class Finding(Struct, frozen=True):
    """One thing to report. ``ordinal`` tells apart findings of one rule and symbol in one file, in order of place.

    ``state`` is None where there is no baseline to compare with.
    """

    rule: str
    level: Level
    message: str
    place: Place
    symbol: str
    steps: tuple[Step, ...] = ()
    related: tuple[Step, ...] = ()
    fix: Fix | None = None
    suppression: Suppression | None = None
    ordinal: int = 0
    notes: tuple[str, ...] = ()
    state: State | None = None

    @property
    def known(self) -> bool:
        """Whether the baseline holds it."""
        return self.state in ("unchanged", "updated")

    def key(self) -> tuple[str, int, int, str, str]:
        """Sort key: by file, position, rule and message."""
        return (self.place.path, self.place.at[0], self.place.at[1], self.rule, self.message)
