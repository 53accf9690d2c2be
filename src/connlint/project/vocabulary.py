"""The words of many files, and which files hold each: for searches that are more than reading every file is worth."""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Iterable

_LETTERS = frozenset(f"{string.ascii_letters}{string.digits}_$".encode()) | frozenset(range(0x80, 0x100))
_APART = bytes(byte if byte in _LETTERS else ord(" ") for byte in range(0x100))
"""A table for `bytes.translate` that leaves nothing but words."""
_SHORTEST = 3
"""Bytes. What is shorter is in too many words for a look-up to be quicker than a search."""


class Vocabulary:
    """The words of ``texts``, which are names of files with their bytes, in order."""

    def __init__(self, texts: Iterable[tuple[str, bytes]]) -> None:
        self._names: list[str] = []
        holders: defaultdict[bytes, list[int]] = defaultdict(list)
        for number, (name, data) in enumerate(texts):
            self._names.append(name)
            for word in set(data.translate(_APART).split()):
                holders[word].append(number)
        self._holders = dict(holders)
        self._all = b"\n".join((b"", *self._holders, b""))

    @staticmethod
    def knows(text: bytes) -> bool:
        """Whether `holding` can tell of ``text``: it must be part of a word, and not too short."""
        return len(text) >= _SHORTEST and _LETTERS.issuperset(text)

    def holding(self, text: bytes) -> tuple[str, ...]:
        """The names of the files that hold ``text``, which may be part of a longer word, in the order they came in."""
        words, numbers = self._all, set()
        at = words.find(text)
        while at >= 0:
            end = words.index(b"\n", at)
            numbers.update(self._holders[words[words.rindex(b"\n", 0, at) + 1 : end]])
            at = words.find(text, end)
        return tuple(map(self._names.__getitem__, sorted(numbers)))
