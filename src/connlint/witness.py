"""What a run asked of the project's files, so that a later one can tell whether it would be answered the same.

A file is remembered by its stamp (what the disk says about it) and by a digest of its bytes. A stamp that has changed
proves nothing, so the digest decides then. A stamp that has not changed proves much, except where the file was changed
so shortly before it was read that another change might bear the same time: there, too, the digest decides.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct, field

Stamp = tuple[int, int, int, int, int]
"""Mode, size, time of the last write, time of the last change of any kind (both in nanoseconds), and inode."""
GRANULARITY = 2_000_000_000
"""Nanoseconds: no file system in use rounds times to more than two seconds (FAT does)."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp in what ``stat`` says."""
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def digest_of(data: bytes) -> bytes:
    """Sixteen bytes that stand for ``data``."""
    return blake2b(data, digest_size=16).digest()


class Disk(Protocol):
    """What can be asked again: the disk below a folder, as `connlint.discover.DiskTree` sees it."""

    def look(self, path: str) -> tuple[bytes | None, Stamp | None]:
        """The bytes of a file, None where it cannot be read; and its stamp, None where nothing is there."""

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of whatever is at ``path``; None where nothing is."""

    def is_there(self, path: str) -> bool:
        """Whether anything is at ``path``."""

    def is_ignored(self, path: str) -> bool:
        """Whether the ignore rules cover ``path``."""


class Seen(Struct, array_like=True):
    """One file as it was read; ``digest`` is None where it could not be, ``stamp`` where nothing was there."""

    stamp: Stamp | None
    digest: bytes | None

    def is_fresh(self, since: int) -> bool:
        """Whether the file was changed so late that its stamp may hide another change; ``since`` is in nanoseconds."""
        return self.stamp is not None and max(self.stamp[2], self.stamp[3]) >= since - GRANULARITY


class Witness(Struct):
    """All that was asked, and what the answers were.

    ``began`` is the time in nanoseconds, by the clock that writes the stamps, before anything was asked.
    """

    began: int = 0
    reads: dict[str, Seen] = field(default_factory=dict)
    there: dict[str, bool] = field(default_factory=dict)
    ignored: dict[str, bool] = field(default_factory=dict)
    is_torn: bool = False
    """Whether one question had two answers: something changed meanwhile, so this is the record of nothing."""
    was_checked_by_digest: bool = False
    """Whether the stamps alone did not tell."""

    def was_read(self, path: str, stamp: Stamp | None, data: bytes | None) -> None:
        """Remember that ``path`` was read."""
        known = self.reads.get(path)
        if known is not None and known.stamp == stamp and not known.is_fresh(self.began):
            return
        seen = Seen(stamp, None if data is None else digest_of(data))
        if known is not None and known.digest != seen.digest:
            self.is_torn = True
        self.reads[path] = seen

    def take(self, other: Witness) -> None:
        """Add what another process asked."""
        for path, seen in other.reads.items():
            known = self.reads.setdefault(path, seen)
            self.is_torn |= known.digest != seen.digest
        for mine, more in ((self.there, other.there), (self.ignored, other.ignored)):
            for path, answer in more.items():
                self.is_torn |= mine.setdefault(path, answer) != answer
        self.is_torn |= other.is_torn

    def since(self, other: Witness) -> Witness:
        """What was asked and is not in ``other``, an earlier copy."""
        return Witness(
            self.began,
            {path: seen for path, seen in self.reads.items() if other.reads.get(path) is not seen},
            {path: answer for path, answer in self.there.items() if path not in other.there},
            {path: answer for path, answer in self.ignored.items() if path not in other.ignored},
            self.is_torn,
        )

    def copy(self) -> Witness:
        """The same, which does not grow with this one."""
        return Witness(self.began, dict(self.reads), dict(self.there), dict(self.ignored), self.is_torn)

    def still_holds(self, disk: Disk) -> bool:
        """Whether every question would be answered the same now.

        Where a file had to be read to know, its new stamp is kept, and `was_checked_by_digest` says so afterwards.
        """
        for path, seen in self.reads.items():
            stamp = disk.stamp(path)
            if stamp == seen.stamp and not seen.is_fresh(self.began):
                continue
            data, stamp = disk.look(path)
            if data is None or seen.digest is None:
                # why a file cannot be read is part of the answer, and the stamp alone tells
                if data is None and seen.digest is None and stamp == seen.stamp:
                    continue
                return False
            if digest_of(data) != seen.digest:
                return False
            seen.stamp = stamp
            self.was_checked_by_digest = True
        return all(disk.is_there(path) == answer for path, answer in self.there.items()) and all(
            disk.is_ignored(path) == answer for path, answer in self.ignored.items())
