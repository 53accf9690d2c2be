"""Rules as cards and libraries as tables: everything that names a rule, a message, a level or an API.

A card is ``rules/<id>.md``: a fenced ``toml`` block, then its manual. A table is ``rules/apis/*.toml``: arrays of
entries by role (``[[client]]``, ``[[reader]]``, …), each with the fields that the checks of that role document.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from connlint.model.rule import Card, Outcome, Rules

HEADINGS = (
    "What it reports", "Why it matters", "Reported", "Fixed", "Quiet", "Where it stays silent", "When to switch it off",
)
"""The sections of every card, in this order. "Fixed" may be missing where no edit can be written."""


class CardError(ValueError):
    """A card or table is not of the right form; the message names the file and the fault."""


def built_in() -> Path:
    """The folder of the rules that come with connlint: inside the wheel, or the checkout's own."""
    inside = Path(__file__).parent / "rules"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "rules"


def read_card(name: str, text: str) -> Card:
    """Parse one card; ``name`` is the rule's id. Raises `CardError`."""
    head, fence, rest = text.partition("```toml\n")
    block, end, manual = rest.partition("\n```\n")
    if not fence or not end:
        raise CardError(f"{name}.md: a card starts with a fenced toml block")
    try:
        data = tomllib.loads(block)
        outcomes = {k: Outcome(v["message"], v.get("level", data["level"])) for k, v in data["outcomes"].items()}
        sieve = tuple(tuple(tuple(g) for g in alternative) for alternative in data.get("sieve", []))
        what = manual.partition("## What it reports\n")[2].split("\n## ", 1)[0].strip()
        return Card(name, data["name"], data["family"], data["check"], data["level"], data.get("precision", "high"),
                    outcomes, data.get("options", {}), sieve, manual.strip(), what.split("\n\n")[0].replace("\n", " "))
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{name}.md: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise CardError(f"{name}.md: missing or malformed {error}") from None


def load(folders: tuple[Path, ...] = ()) -> Rules:
    """Read the built-in rules and those in ``folders``, later ones replacing earlier ones of the same id."""
    cards: dict[str, Card] = {}
    apis: dict[str, list[dict[str, Any]]] = {}
    for folder in (built_in(), *folders):
        for path in sorted(folder.glob("*.md")):
            if path.stem != "README":
                cards[path.stem] = read_card(path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((folder / "apis").glob("*.toml")):
            try:
                data = tomllib.loads(path.read_text(encoding="utf-8"))
            except tomllib.TOMLDecodeError as error:
                raise CardError(f"apis/{path.name}: {error}") from None
            for role, entries in data.items():
                apis.setdefault(role, []).extend({"language": path.stem.rpartition("-")[2], **entry} for entry in entries)
    return Rules(cards, apis)
