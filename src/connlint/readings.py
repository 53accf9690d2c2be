"""What readers made of files, kept by what the files hold, for programs that check a project again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from connlint.model.source import Source
from connlint.witness import digest_of

if TYPE_CHECKING:
    from connlint.model.program import Program
    from connlint.project.project import Reader

MOST = 2_000_000
"""Bytes of source; in memory, what was read of a file is up to a hundred times as large."""
_Key = tuple[str, bytes, frozenset[bytes] | None]


class Readings:
    """Programs by path, digest of the bytes, and words that they were read for; the oldest are let go."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[_Key, tuple[int, Program]] = OrderedDict()

    def through(self, reader: Reader) -> Reader:
        """``reader``, which is only asked where the same has not been read before."""
        def read(source: Source, words: Iterable[bytes] | None) -> Program:
            key = source.path, digest_of(source.data), None if words is None else frozenset(words)
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][1]
            program = reader(source, key[2])
            self._kept[key] = len(source.data), program
            self._size += len(source.data)
            while self._size > self._most and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1][0]
            return program

        return read
