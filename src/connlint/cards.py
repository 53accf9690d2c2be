"""Rules as cards and libraries as tables: everything that names a rule, a message, a level or an API.

A card is ``rules/<id>.md``: a fenced ``toml`` block, then its manual. A table is ``rules/apis/*.toml``: arrays of
entries by role (``[[client]]``, ``[[reader]]``, …), each with the fields that the checks of that role document.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from connlint.model.rule import Card, Outcome, Rules

HEADINGS = (
    "What it reports", "Why it matters", "Reported", "Fixed", "Quiet", "Where it stays silent", "Fix safety",
    "When to switch it off",
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
    _, fence, rest = text.partition("```toml\n")
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


def _folder(folder: Path, roles: Collection[str] = ()) -> tuple[dict[str, Card], dict[str, list[dict[str, Any]]]]:
    """Parse the cards and tables of one folder. A table's name ends in its language, which an entry may overrule.

    Where ``roles`` are given, no other is understood.
    """
    cards: dict[str, Card] = {}
    apis: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.md")):
        if path.stem != "README":
            cards[path.stem] = read_card(path.stem, _text(path))
    for path in sorted((folder / "apis").glob("*.toml")):
        try:
            data = tomllib.loads(_text(path))
        except tomllib.TOMLDecodeError as error:
            raise CardError(f"apis/{path.name}: {error}") from None
        language = path.stem.rpartition("-")[2]
        for role, entries in data.items():
            if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
                raise CardError(f"apis/{path.name}: {role} is not an array of tables ([[{role}]])")
            if roles and role not in roles:
                import difflib

                near = difflib.get_close_matches(role, sorted(roles), 1)
                hint = f"did you mean [[{near[0]}]]?" if near else f"known are {', '.join(sorted(roles))}"
                raise CardError(f"apis/{path.name}: no check looks at [[{role}]]; {hint}")
            apis.setdefault(role, []).extend({"language": language, **entry} for entry in entries)
    return cards, apis


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CardError(f"{path.name}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise CardError(f"{path}: {error.strerror}") from None


def load(folders: tuple[Path, ...] = ()) -> Rules:
    """Read the built-in rules and those in ``folders``, later ones replacing earlier ones of the same id.

    Raises `CardError`.
    """
    cards, apis = _compiled(built_in())
    for folder in folders:
        if not folder.is_dir():
            raise CardError(f"{folder}: no such folder of rules")
        more_cards, more_apis = _folder(folder, apis.keys())
        cards |= more_cards
        for role, entries in more_apis.items():
            apis.setdefault(role, []).extend(entries)
    return Rules(cards, apis)


def _compiled(folder: Path) -> tuple[dict[str, Card], dict[str, list[dict[str, Any]]]]:
    """The rules of ``folder``, kept beside Python's own compiled modules.

    Parsing the tables takes as long as starting Python; a commit hook would feel it at every commit. The kept form is
    used only for the very files it was made from, by name, size and time of change, and where it cannot be written,
    nothing is lost but that time.
    """
    files = sorted((*folder.glob("*.md"), *(folder / "apis").glob("*.toml")))
    stamp = [(p.name, s.st_size, s.st_mtime_ns) for p in files for s in (p.stat(),)]
    kept = Path(__file__).parent / "__pycache__" / f"rules.{sys.implementation.cache_tag}.marshal"
    try:
        known, plain, apis = marshal.loads(kept.read_bytes())
        if known == stamp:
            return {name: _thaw(row) for name, row in plain.items()}, apis
    except (OSError, ValueError, EOFError, TypeError, KeyError):
        pass
    cards, apis = _folder(folder)
    if not sys.dont_write_bytecode:
        with contextlib.suppress(OSError, ValueError):
            scratch = kept.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(marshal.dumps((stamp, {name: _freeze(card) for name, card in cards.items()}, apis)))
            scratch.replace(kept)
    return cards, apis


def _freeze(card: Card) -> tuple[Any, ...]:
    outcomes = {name: (outcome.message, outcome.level) for name, outcome in card.outcomes.items()}
    return (card.id, card.name, card.family, card.check, card.level, card.precision, outcomes, card.options, card.sieve,
            card.manual, card.summary)


def _thaw(row: tuple[Any, ...]) -> Card:
    outcomes = {name: Outcome(*pair) for name, pair in row[6].items()}
    return Card(*(*row[:6], outcomes, *row[7:]))
