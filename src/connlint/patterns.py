"""What texts are searched for: regular expressions that are compiled when they are first used, and sets of words.

There are two hundred expressions. A hook that looks at one file needs a few, and would wait for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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

    def stand_in(self, data: bytes) -> bool:
        """Whether ``data`` holds one of the words."""
        return bool(self.numbers(data))
