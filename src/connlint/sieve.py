"""Which rules a file can concern, seen from its bytes alone, so that few files are parsed.

The words come from the cards (``sieve``) and from the API tables. ``py:`` and ``js:`` in front of a word say that it
matters in that language only; ``@client`` stands for "imports a package of some
``[[client]]`` entry and holds the last part of its name", ``@client:pool,orm`` for entries of these kinds. What a sieve
lets through is a superset of what the rules can report on; a switch of the command line turns it off, and a test
compares the findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from connlint.cards import Card, Rules

IMPORTED = "@imported"
"""The group that asks for files which import one that passed; see `connlint.engine`."""

# Patterns with a literal start are searched at memory speed; those with a class in front are ten times slower.
_PYTHON_IMPORTS = tuple(re.compile(p) for p in (
    rb"\nfrom[ \t]+([\w.]+)", rb"\nimport[ \t]+([\w., \t]+)", rb"[ ]from[ \t]+([\w.]+)[ \t]+import",
    rb" import[ \t]+([\w., \t]+)", rb"\tfrom[ \t]+([\w.]+)[ \t]+import", rb"\timport[ \t]+([\w., \t]+)",
))
_PYTHON_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?(?:from|import)[ \t]+([\w.]+)")
_JAVASCRIPT_IMPORTS = tuple(re.compile(p) for p in (
    rb"from\s*['\"]([^'\"\n]+)", rb"require\(\s*['\"`]([^'\"`\n]+)", rb"import\s*\(?\s*['\"`]([^'\"`\n]+)",
))


def imported_modules(data: bytes, *, python: bool) -> frozenset[str]:
    """Every module that the bytes may import, and for Python also the imported names; never too few."""
    found: set[bytes] = set()
    if python:
        if first := _PYTHON_FIRST.match(data):
            found.add(first[1])
        for pattern in _PYTHON_IMPORTS:
            for text in pattern.findall(data):
                if b"," in text or b" " in text:
                    found.update(part.split(None, 1)[0] for part in text.split(b",") if part.strip())
                else:
                    found.add(text)
    else:
        for pattern in _JAVASCRIPT_IMPORTS:
            found.update(pattern.findall(data))
    return frozenset(text.decode("utf-8", "replace") for text in found)


def package_of(name: str, language: str) -> str:
    """The package that a qualified API name is imported from: "mysql2" of "mysql2/promise.createPool"."""
    name = name.replace("()", "")
    if language == "python":
        return name.split(".", 1)[0]
    parts = name.split("/")
    return "/".join(parts[:2]).split(".", 1)[0] if name.startswith("@") else parts[0].split(".", 1)[0]


@cache
def _plain(word: str) -> bytes:
    """A word of a sieve without the mark of its language."""
    return word.removeprefix("py:").removeprefix("js:").encode()


def _top(module: str, python: bool) -> str:
    """The package that a module specifier belongs to."""
    return module.split(".", 1)[0] if python else package_of(module.removeprefix("node:"), "javascript")


@dataclass(slots=True)
class Sieve:
    """Ready-made tests for a set of cards. Build once per process, use on every file."""

    cards: tuple[Card, ...]
    packages: dict[str, dict[str, tuple[bytes, ...]]] = field(default_factory=dict)
    """"@role" → packages that its entries are imported from, each with words of which one must stand in the file too;
    none where the import alone is enough. "*" at the end of a package matches its start."""
    builders: dict[str, dict[str, tuple[bytes, ...]]] = field(default_factory=dict)
    """"@role" → packages → the last parts of the names that its entries have."""
    globals: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """"@role" → words of its entries that need no import."""
    off: bool = False

    @classmethod
    def build(cls, cards: Iterable[Card], rules: Rules, *, off: bool = False) -> Sieve:
        """Expand the roles that the cards' sieves mention from the tables."""
        cards = tuple(cards)
        sieve = cls(cards, off=off)
        roles = {word for card in cards for alternative in card.sieve for group in alternative for word in group
                 if word.startswith("@") and word != IMPORTED}
        for role in roles:
            packages: dict[str, set[bytes]] = {}
            alone: set[str] = set()
            words: set[bytes] = set()
            table, _, kinds = role[1:].partition(":")
            for entry in rules.apis.get(table, ()):
                if kinds and entry.get("kind") not in kinds.split(","):
                    continue
                for name in entry.get("names", ()):
                    package = package_of(name, entry["language"])
                    name = name.replace("()", "")
                    if package == "*":
                        # imported from anywhere, a generated file for one: only its own name tells
                        words.add(name.rpartition(".")[2].encode())
                        continue
                    if package == name:
                        if name in entry.get("globals", (name,)):
                            words.add(name.encode())
                    if package != name or entry["language"] == "javascript":
                        last = name.replace("()", "").rpartition(".")[2] if package != name else ""
                        packages.setdefault(package, set()).add(last.encode())
                        # a default export has any name, and only clients are found by how they are called
                        if table != "client" or not last.isidentifier():
                            alone.add(package)
            sieve.packages[role] = {k: () if k in alone else tuple(sorted(v)) for k, v in packages.items()}
            sieve.builders[role] = {k: tuple(sorted(word for word in v if word)) for k, v in packages.items()}
            sieve.globals[role] = tuple(sorted(words))
        return sieve

    def passing(self, data: bytes, *, python: bool, modules: frozenset[str] | None = None) -> tuple[str, ...]:
        """The ids of the cards that ``data`` can concern."""
        if self.off:
            return tuple(card.id for card in self.cards)
        test = self._test(data, python, modules)
        return tuple(
            card.id for card in self.cards
            if not card.sieve or any(
                all(any(map(test, group)) for group in alternative)
                for alternative in card.sieve if alternative[:1] != ((IMPORTED,),)
            )
        )

    def words(self, ids: Iterable[str], modules: Iterable[str], *, python: bool) -> frozenset[bytes]:
        """Every word that can matter to the cards ``ids`` in a file that imports ``modules``."""
        wanted = set(ids)
        tops = {_top(module, python) for module in modules}
        found: set[bytes] = set()
        for card in self.cards:
            if card.id not in wanted:
                continue
            for word in {word for alternative in card.sieve for group in alternative for word in group}:
                if not word.startswith("@"):
                    if not word.startswith("js:" if python else "py:"):
                        found.add(_plain(word))
                elif word != IMPORTED:
                    found.update(self.globals[word])
                    for package, last in self.builders[word].items():
                        if package in tops or (package.endswith("*") and any(t.startswith(package[:-1]) for t in tops)):
                            found.update(last)
        return frozenset(found)

    def meets(self, groups: tuple[tuple[str, ...], ...], data: bytes, *, python: bool, modules: frozenset[str]) -> bool:
        """Whether ``data`` holds a word of every group."""
        test = self._test(data, python, modules)
        return all(any(map(test, group)) for group in groups)

    def _test(self, data: bytes, python: bool, modules: frozenset[str] | None) -> Callable[[str], bool]:
        """A test of one word on ``data`` that remembers its answers."""
        seen: dict[str, bool] = {}
        tops: set[str] = set()
        other = "js:" if python else "py:"

        def met(word: str) -> bool:
            answer = seen.get(word)
            if answer is None:
                if word.startswith("@"):
                    answer = role(word)
                elif word.startswith(other):
                    answer = False
                else:
                    answer = _plain(word) in data
                seen[word] = answer
            return answer

        def role(word: str) -> bool:
            if not tops:
                names = modules if modules is not None else imported_modules(data, python=python)
                tops.update(_top(name, python) for name in names)
                tops.add("")
            packages = self.packages[word]
            for top in tops:
                needed = packages.get(top)
                if needed is not None and (not needed or any(w in data for w in needed)):
                    return True
            if any(w in data for w in self.globals[word]):
                return True
            starts = tuple(package[:-1] for package in packages if package.endswith("*"))
            return bool(starts) and any(top.startswith(starts) for top in tops)

        return met
