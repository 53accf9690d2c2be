"""Which rules a file can concern, seen from its bytes alone, so that few files are parsed.

The words come from the cards (``sieve``) and from the API tables. ``py:`` and ``js:`` in front of a word say that it
matters in that language only; ``@client`` stands for "imports a package of some
``[[client]]`` entry and holds the last part of its name", ``@client:pool,orm`` for entries of these kinds. What a sieve
lets through is a superset of what the rules can report on; a switch of the command line turns it off, and a test
compares the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from msgspec import Struct, field

from connlint.cards import Card, Rules
from connlint.patterns import Words, regex

IMPORTED = "@imported"
"""The group that asks for files which import one that passed; see `connlint.borrowing`."""

# Patterns with a literal start are searched at memory speed; those with a class in front are ten times slower. So what
# stands before a word is looked at behind it.
_PYTHON_IMPORTS = (
    regex(rb"from(?:(?<=\nfrom)|(?<=[ \t]from)(?=[ \t]+[\w.]+[ \t]+import))[ \t]+([\w.]+)"),
    regex(rb"import(?<=[\n \t]import)(?=[ \t]+([\w., \t]+))"),
)
_PYTHON_FIRST = regex(rb"(?:\xef\xbb\xbf)?(?:from|import)[ \t]+([\w.]+)")
_JAVASCRIPT_IMPORTS = tuple(regex(p) for p in (
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


def last_of(name: str) -> str:
    """The last part of a qualified API name: "createPool" of "mysql2/promise.createPool"."""
    return name.replace("()", "").rpartition(".")[2]


@cache
def _plain(word: str) -> bytes:
    """A word of a sieve without the mark of its language."""
    return word.removeprefix("py:").removeprefix("js:").encode()


@cache
def _top(module: str, python: bool) -> str:
    """The package that a module specifier belongs to."""
    return module.split(".", 1)[0] if python else package_of(module.removeprefix("node:"), "javascript")


class _Language:
    """What can pass the sieve in one language: its words in one automaton, its packages in one index."""

    def __init__(self, sieve: Sieve, python: bool) -> None:
        other = "js:" if python else "py:"
        plain = {_plain(word) for card in sieve.cards for alternative in card.sieve for group in alternative
                 for word in group if not word.startswith(("@", other))}
        plain.update(word for words in sieve.globals.values() for word in words)
        plain.update(word for packages in sieve.packages.values() for words in packages.values() for word in words)
        self.words = Words(plain)
        self.packages: dict[str, list[tuple[str, tuple[bytes, ...]]]] = {}
        self.starts: list[tuple[str, str]] = []
        for role, packages in sieve.packages.items():
            for package, words in packages.items():
                if package.endswith("*"):
                    self.starts.append((package[:-1], role))
                self.packages.setdefault(package, []).append((role, words))
        self.any_start = tuple(start for start, _ in self.starts)
        self.answers: dict[tuple[frozenset[int], frozenset[str]], tuple[str, ...]] = {}
        self._groups: dict[tuple[str, ...], tuple[frozenset[bytes], frozenset[str]]] = {}
        self._other = other

    def group(self, words: tuple[str, ...]) -> tuple[frozenset[bytes], frozenset[str]]:
        """A group of a sieve as far as it concerns this language: its plain words and its roles."""
        found = self._groups.get(words)
        if found is None:
            found = self._groups[words] = (
                frozenset(_plain(word) for word in words if not word.startswith(("@", self._other))),
                frozenset(word for word in words if word.startswith("@")))
        return found

    def tops(self, modules: Iterable[str], python: bool) -> frozenset[str]:
        """The packages of ``modules`` that some role knows; "" stands for what needs no import."""
        tops = {_top(module, python) for module in modules}
        return frozenset(top for top in tops if top in self.packages or top.startswith(self.any_start or "\0"))

    def roles(self, words: set[bytes], tops: frozenset[str], sieve: Sieve) -> set[str]:
        """The roles that a file with these words and packages meets."""
        met = {role for role, alone in sieve.globals.items() if not words.isdisjoint(alone)}
        for top in (*tops, ""):
            rows = self.packages.get(top, ())
            met.update(role for role, needed in rows if not needed or not words.isdisjoint(needed))
        met.update(role for start, role in self.starts for top in tops if top.startswith(start))
        return met


class Sieve(Struct):
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
    _languages: dict[bool, _Language] = field(default_factory=dict)

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
                        last = last_of(name) if package != name else ""
                        packages.setdefault(package, set()).add(last.encode())
                        # a default export has any name, and only clients are found by how they are called
                        if table != "client" or not last.isidentifier():
                            alone.add(package)
            sieve.packages[role] = {k: () if k in alone else tuple(sorted(v)) for k, v in packages.items()}
            # a default export mostly has the name of its package
            sieve.builders[role] = {k: tuple(sorted(word or k.encode() for word in v)) for k, v in packages.items()}
            sieve.globals[role] = tuple(sorted(words))
        return sieve

    def passing(self, data: bytes, *, python: bool, modules: Iterable[str] | None = None) -> tuple[str, ...]:
        """The ids of the cards that ``data`` can concern; ``modules`` are its imports where they are known already."""
        if self.off:
            return tuple(card.id for card in self.cards)
        language = self._language(python)
        names = modules if modules is not None else imported_modules(data, python=python)
        key = (language.words.numbers(data), language.tops(names, python))
        answer = language.answers.get(key)
        if answer is None:
            # few words and packages matter, so most files of a project ask what another one asked
            test = self._test(*key, python)
            answer = language.answers[key] = tuple(
                card.id for card in self.cards
                if not card.sieve or any(
                    all(map(test, alternative))
                    for alternative in card.sieve if alternative[:1] != ((IMPORTED,),)
                )
            )
        return answer

    def meets(self, groups: tuple[tuple[str, ...], ...], data: bytes, *, python: bool, modules: Iterable[str]) -> bool:
        """Whether ``data`` holds a word of every group."""
        language = self._language(python)
        test = self._test(language.words.numbers(data), language.tops(modules, python), python)
        return all(map(test, groups))

    def _language(self, python: bool) -> _Language:
        if python not in self._languages:
            self._languages[python] = _Language(self, python)
        return self._languages[python]

    def _test(self, hits: frozenset[int], tops: frozenset[str], python: bool) -> Callable[[tuple[str, ...]], bool]:
        """A test of one group on a file with these hits and packages."""
        language = self._languages[python]
        words = {language.words.known[hit] for hit in hits}
        roles = language.roles(words, tops, self)

        def met(group: tuple[str, ...]) -> bool:
            plain, named = language.group(group)
            return not words.isdisjoint(plain) or not roles.isdisjoint(named)

        return met

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


_NAME_BESIDE = regex(rb"([A-Za-z_$][\w$]*)['\"]?\]?\s*[:=](?!=)")


def names_beside(words: list[bytes], data: bytes, counts: Callable[[int], bool] = lambda at: True) -> set[bytes]:
    """Names that are given a value on a line which holds one of ``words``, or on the line before it.

    ``counts`` says of the place of a word whether other files may see what stands there.
    """
    found: set[bytes] = set()
    for word in words:
        at = data.find(word)
        while at >= 0:
            if counts(at):
                start = data.rfind(b"\n", 0, max(0, data.rfind(b"\n", 0, at))) + 1
                found.update(_NAME_BESIDE.findall(data, start, at))
            at = data.find(word, at + len(word))
    return {name for name in found if len(name) > 2 and name not in (b"http", b"https", b"default", b"type")}
