"""Rules as cards and libraries as tables: everything that names a rule, a message, a level or an API.

A card is ``rules/<id>.md``: a fenced ``toml`` block, then its manual. A table is ``rules/apis/*.toml``: arrays of
entries by role (``[[client]]``, ``[[reader]]``, …), each with the fields that the checks of that role document.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from connlint.model.rule import Card, Outcome, Rules

HEADINGS = (
    "What it reports", "Why it matters", "Reported", "Fixed", "Quiet", "Where it stays silent", "Fix safety",
    "When to switch it off",
)
"""The sections of every card, in this order. "Fixed" may be missing where no edit can be written."""


_LANGUAGES = frozenset(("python", "javascript"))
_REMARKS = {"language", "source"}
"""What an entry may leave out: the language is that of its file, and no check asks where a fact was found."""


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
    import tomllib

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


def _folder(folder: Path, known: Mapping[str, list[dict[str, Any]]] | None = None
            ) -> tuple[dict[str, Card], dict[str, list[dict[str, Any]]]]:
    """Parse the cards and tables of one folder. A table's name ends in its language, which an entry may overrule.

    Where the tables ``known`` are given, no other role is understood, and an entry has to have what all of these have.
    """
    import tomllib

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
            if known:
                _expect_known(f"apis/{path.name}", language, role, entries, known)
            apis.setdefault(role, []).extend({"language": language, **entry} for entry in entries)
    return cards, apis


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CardError(f"{path.name}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise CardError(f"{path.name}: {error.strerror}") from None


class Store(Protocol):
    """Where bytes are kept by kind and name, as `connlint.cache.Cache` does it."""

    def read(self, kind: str, name: str) -> bytes | None:
        """What was last written under ``name``; None where that is nothing."""

    def write(self, kind: str, name: str, data: bytes, most: int) -> None:
        """Keep ``data``; of its kind no more than the ``most`` newest stay."""


def load(folders: tuple[Path, ...] = (), store: Store | None = None) -> Rules:
    """Read the built-in rules and those in ``folders``, later ones replacing earlier ones of the same id.

    Raises `CardError`. In ``store``, what was made of the built-in ones is kept where Python may keep nothing.
    """
    cards, apis = _compiled(built_in(), store)
    for folder in folders:
        if not folder.is_dir():
            raise CardError(f"{folder}: no such folder of rules")
        try:
            more_cards, more_apis = _folder(folder, apis)
        except CardError as error:
            raise CardError(f"{folder.name}/{error}") from None
        cards |= more_cards
        for role, entries in more_apis.items():
            apis.setdefault(role, []).extend(entries)
    return Rules(cards, apis)


def _expect_known(table: str, language: str, role: str, entries: list[dict[str, Any]],
                  known: Mapping[str, list[dict[str, Any]]]) -> None:
    """Raise `CardError` where the checks would not understand an entry: they ask for what every built-in one says."""
    import difflib

    if role not in known:
        near = difflib.get_close_matches(role, sorted(known), 1)
        hint = f"did you mean [[{near[0]}]]?" if near else f"known are {', '.join(sorted(known))}"
        raise CardError(f"{table}: no check looks at [[{role}]]; {hint}")
    needed = set.intersection(*(set(entry) for entry in known[role])) - _REMARKS
    languages = _LANGUAGES.intersection(entry["language"] for entry in known[role])
    for entry in entries:
        name = ", ".join(map(str, entry["names"])) if isinstance(entry.get("names"), list) else "an entry"
        if missing := sorted(needed - set(entry)):
            raise CardError(f"{table}: [[{role}]] {name} does not say {' and '.join(f'`{key}`' for key in missing)}")
        if languages and entry.get("language", language) not in languages:
            raise CardError(f"{table}: [[{role}]] {name} is for no language: a name of the table that ends in "
                            f"{' or '.join(sorted(languages))} says it, or `language`")


Stamp = list[tuple[str, int, int]]
"""Name, size and time of the last change (nanoseconds) of every file of a folder of rules."""


class _Kept(Struct, array_like=True):
    """What was made of the files with this stamp."""

    stamp: Stamp
    body: Raw


def _compiled(folder: Path, store: Store | None) -> tuple[dict[str, Card], dict[str, list[dict[str, Any]]]]:
    """The rules of ``folder``, kept beside Python's own compiled modules, or else in ``store``.

    Parsing the tables takes many times as long as starting Python; a commit hook would feel it at every commit. The
    kept form is used only for the very files it was made from, by name, size and time of change, and where it cannot be
    written, nothing is lost but that time.
    """
    files = sorted((*folder.glob("*.md"), *(folder / "apis").glob("*.toml")))
    stamp = [(p.name, s.st_size, s.st_mtime_ns) for p in files for s in (p.stat(),)]
    beside = Path(__file__).parent / "__pycache__" / "rules.msgpack"
    name = blake2b(os.fsencode(folder), digest_size=16).hexdigest()
    with contextlib.suppress(OSError):
        if (known := _decoded(beside.read_bytes(), stamp)) is not None:
            return known
    if store is not None and (data := store.read(_KIND, name)) is not None:
        if (known := _decoded(data, stamp)) is not None:
            return known
    cards, apis = _folder(folder)
    with contextlib.suppress(ValueError, TypeError):
        data = msgspec.msgpack.encode(_Kept(stamp, Raw(msgspec.msgpack.encode((cards, apis)))))
        if not _is_written(beside, data) and store is not None:
            store.write(_KIND, name, data, _MOST)
    return cards, apis


_KIND = "rules"
_MOST = 4
"""So many installations of connlint share a store of one user."""


def _decoded(data: bytes, stamp: Stamp) -> tuple[dict[str, Card], dict[str, list[dict[str, Any]]]] | None:
    """The cards and tables in ``data``, where they were made of files with this ``stamp``."""
    try:
        kept = msgspec.msgpack.decode(data, type=_Kept)
        if kept.stamp != stamp:
            return None
        return msgspec.msgpack.decode(kept.body, type=tuple[dict[str, Card], dict[str, list[dict[str, Any]]]])
    except (msgspec.MsgspecError, RecursionError):
        return None


def _is_written(path: Path, data: bytes) -> bool:
    """Whether ``data`` could be put beside the compiled modules, in one step."""
    if sys.dont_write_bytecode:
        return False
    scratch = path.with_suffix(f".{os.getpid()}")
    try:
        scratch.write_bytes(data)
        scratch.replace(path)
    except OSError:
        return False
    return True
