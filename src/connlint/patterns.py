"""What texts are searched for: regular expressions that are compiled when they are first used, and sets of words.

There are two hundred expressions. A hook that looks at one file needs a few, and would wait for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, AnyStr, cast

_METHODS = ("match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split", "pattern", "flags",
            "groups", "groupindex")


class _Waiting:
    """A pattern that has not been needed yet; the first method asked for compiles it and puts all of them in place."""

    __slots__ = ("_args", *_METHODS)

    def __init__(self, *args: Any) -> None:
        self._args = args

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(*self._args)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def regex(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` returns, or something that behaves like it and has not been compiled yet.

    An error in ``text`` shows at the first use; `tests/test_patterns.py` uses all that stand in modules.
    """
    return cast("re.Pattern[AnyStr]", _Waiting(text, flags))


def alone(word: bytes) -> re.Pattern[bytes]:
    """``word`` where it is no part of a longer name. The look at what stands before it comes after it: an expression
    that begins with its text is searched at memory speed, one that looks back first at a hundredth of that."""
    text = re.escape(word)
    return re.compile(rb"%b(?<![\w$]%b)(?![\w$])" % (text, text))


def lines_with(words: re.Pattern[bytes], data: bytes) -> Iterator[bytes]:
    """The lines of ``data`` that hold one of ``words``: for expressions that take longer, as they begin with a choice
    and so are tried at every byte."""
    end = -1
    for match in words.finditer(data):
        if match.start() > end:
            end = data.find(b"\n", match.end())
            end = len(data) if end < 0 else end
            yield data[data.rfind(b"\n", 0, match.start()) + 1 : end]


_SLICE = 1 << 18
"""Bytes that are searched at once: every hit makes an object, and a file may be made of nothing but hits."""


class Words:
    """Words that are looked for in one pass, however many there are; ``known`` has them in order."""

    def __init__(self, words: Iterable[bytes]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

        self.known = sorted(set(words))
        self._longest = max(map(len, self.known), default=0)
        self._automaton = BytesAhoCorasick(self.known, MatchKind.Standard, Implementation.DFA)

    def numbers(self, data: bytes) -> frozenset[int]:
        """The places in ``known`` of the words that ``data`` holds."""
        find = self._automaton.find_matches_as_indexes
        if len(data) <= _SLICE:
            return frozenset([match[0] for match in find(data, overlapping=True)])
        found: set[int] = set()
        for start in range(0, len(data), _SLICE):
            found.update(match[0] for match in find(data[start : start + _SLICE + self._longest], overlapping=True))
        return frozenset(found)

    def held_by(self, texts: Iterable[tuple[str, bytes]]) -> Iterator[str]:
        """The names of those of ``texts`` that hold one of the words; a search for one takes half as long as ``in``."""
        find = self._automaton.find_matches_as_indexes
        for name, data in texts:
            if find(data) if len(data) <= _SLICE else self.stand_in(data):
                yield name

    def places(self, data: bytes) -> list[int]:
        """Where in ``data`` one of the words begins, in order."""
        find = self._automaton.find_matches_as_indexes
        found = {start + match[1] for start in range(0, len(data), _SLICE)
                 for match in find(data[start : start + _SLICE + self._longest], overlapping=True)}
        return sorted(found)

    def stand_in(self, data: bytes) -> bool:
        """Whether ``data`` holds one of the words."""
        return bool(self.numbers(data))


class Led:
    """A regular expression of which every match begins with one of a few words.

    The words are looked for first, all at once, and the expression is tried where one stands: it takes a tenth of the
    time of an expression that begins with a choice, which is tried at every byte.
    """

    def __init__(self, words: Iterable[bytes], text: bytes, flags: int = 0) -> None:
        self._words = tuple(words)
        self._pattern = regex(text, flags)

    @cached_property
    def _sought(self) -> Words:
        return Words(self._words)

    def finditer(self, data: bytes) -> Iterator[re.Match[bytes]]:
        """The matches in ``data`` that do not overlap, as `re.finditer` gives them."""
        end, match = 0, self._pattern.match
        for at in self._sought.places(data):
            if at >= end and (found := match(data, at)) is not None:
                end = found.end()
                yield found

    def search(self, data: bytes) -> re.Match[bytes] | None:
        """The first match in ``data``."""
        return next(self.finditer(data), None)
