"""A folder of things that can be made again: safe to delete, to share between runs, and to find broken.

A file appears whole or not at all, and one whose bytes are not those that were written is not there. Whatever goes
wrong with the disk costs time and nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

_SIGNED = 16
_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This folder holds what connlint can make again. Backups may leave it out, and anybody may delete it.
"""
"""The signature by which archivers know a folder of this kind (Cache Directory Tagging Specification)."""


def own_folder() -> Path | None:
    """The folder ``connlint`` where the user's programs keep such things; None where the user has no home.

    It serves all projects: checking one adds nothing to it. The places are those of the XDG Base Directory
    Specification, and what macOS and Windows have in its stead.
    """
    if sys.platform == "win32":
        place = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        place = os.path.expanduser("~/Library/Caches")  # noqa: PTH111 - a home that is not known is no error here
    else:
        place = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(place, "connlint") if Path(place).is_absolute() else None


class Cache:
    """The files below ``folder``, by kind and name. Nothing is made before something is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, kind: str, name: str) -> bytes | None:
        """What was last written under ``name``; None where that is nothing, or not whole any more."""
        try:
            data = (self.folder / kind / name).read_bytes()
        except OSError:
            return None
        return data[_SIGNED:] if _signature(data[_SIGNED:]) == data[:_SIGNED] else None

    def write(self, kind: str, name: str, data: bytes, most: int) -> None:
        """Keep ``data``, in place of what had the name before; of its kind no more than the ``most`` newest stay."""
        with suppress(OSError):
            folder = self._made(kind)
            scratch = folder / f"{name}.{os.getpid()}.{os.urandom(4).hex()}"
            try:
                scratch.write_bytes(_signature(data) + data)
                scratch.replace(folder / name)
            finally:
                scratch.unlink(missing_ok=True)
            self._thin_out(folder, most)

    def now(self) -> int | None:
        """The time in nanoseconds as the disk stamps it on files; None where nothing can be written."""
        try:
            scratch = self._made("") / f"now.{os.getpid()}.{os.urandom(4).hex()}"
            try:
                scratch.write_bytes(b"")
                return scratch.stat().st_mtime_ns
            finally:
                scratch.unlink(missing_ok=True)
        except OSError:
            return None

    def clear(self) -> int:
        """Delete the folder; the number of bytes that were in it. Raises `OSError`."""
        if not self.folder.is_dir():
            return 0
        if not (self.folder / "CACHEDIR.TAG").is_file():
            raise OSError(f"{self.folder} is no cache: it has no CACHEDIR.TAG")
        size = sum(path.lstat().st_size for path in self.folder.rglob("*") if path.is_file())
        shutil.rmtree(self.folder)
        return size

    def _made(self, kind: str) -> Path:
        """The folder of a kind. A link is not followed: a project could let it lead anywhere."""
        folder = self.folder / kind
        if not folder.is_dir() or self.folder.is_symlink():
            if self.folder.is_symlink():
                raise OSError(f"{self.folder} is a link")
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
                if not (self.folder / name).exists():
                    (self.folder / name).write_text(text, encoding="utf-8")
        return folder

    @staticmethod
    def _thin_out(folder: Path, most: int) -> None:
        files = sorted((path.stat().st_mtime_ns, path) for path in folder.iterdir())
        for _, path in files[: max(0, len(files) - most)]:
            path.unlink(missing_ok=True)


def _signature(data: bytes) -> bytes:
    return blake2b(data, digest_size=_SIGNED).digest()
