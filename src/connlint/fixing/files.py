"""Writing files that were edited: whole or not at all, and only over what was read."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from connlint.discover import read_bytes


def write(root: Path, before: Mapping[str, bytes], after: Mapping[str, bytes],
          together: Iterable[tuple[str, ...]] = ()) -> dict[str, str]:
    """Make ``after`` the contents of the files, by path below ``root``; returns those left alone, and why.

    A file is written beside itself and renamed, with its mode, owner and attributes. It is left alone where it does not
    hold what stands in ``before`` any more, is a link, or may not be written. ``together`` are the paths of one edit
    each: where one of them is left alone, so are the others.
    """
    left: dict[str, str] = {}
    for group in _joined(after, together):
        new: dict[str, Path] = {}
        try:
            for path in group:
                new[path] = _beside(path, root / path)
                _fill(path, root / path, new[path], after[path])
            for path in group:
                _ensure_unchanged(path, root / path, before[path])  # as late as can be: an editor may have written
            for path in group:
                _rename(path, new[path], root / path)
        except _Refused as refused:
            for path in group:
                why = refused.reason if path == refused.path else f"{refused.path}, of the same edit, was left alone"
                left[path] = why
        finally:
            for temporary in new.values():
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
    return left


class _Refused(Exception):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason


def _joined(paths: Iterable[str], together: Iterable[tuple[str, ...]]) -> list[list[str]]:
    """``paths`` in groups that have to be written as one."""
    groups = {path: {path} for path in paths}
    for some in together:
        whole = set().union(*(groups[path] for path in some if path in groups))
        for path in whole:
            groups[path] = whole
    return [sorted(group) for group in {id(group): group for group in groups.values()}.values()]


def _beside(path: str, target: Path) -> Path:
    """A name for a new file in the folder of ``target``, which must be a file that may be written."""
    try:
        status = target.lstat()
    except OSError as error:
        raise _Refused(path, _why(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise _Refused(path, "it is no regular file any more")
    if status.st_nlink > 1:
        raise _Refused(path, "it has a second name (a hard link), which would keep the old text")
    if not os.access(target, os.W_OK) or not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise _Refused(path, "it is write-protected")  # a rename would not ask
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _fill(path: str, target: Path, temporary: Path, data: bytes) -> None:
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        status = target.stat()
        if hasattr(os, "chown") and (status.st_uid, status.st_gid) != _owner(temporary):
            os.chown(temporary, status.st_uid, status.st_gid)
        _copy_attributes(target, temporary)
        temporary.chmod(stat.S_IMODE(status.st_mode))
    except OSError as error:
        raise _Refused(path, _why(error)) from None


def _rename(path: str, temporary: Path, target: Path) -> None:
    try:
        temporary.replace(target)
    except OSError as error:
        raise _Refused(path, _why(error)) from None


def _owner(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_uid, status.st_gid


def _copy_attributes(target: Path, temporary: Path) -> None:
    """What the system keeps beside the mode, such as access lists, as far as it can be set."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(target):
            with contextlib.suppress(OSError):
                os.setxattr(temporary, name, os.getxattr(target, name))


def _ensure_unchanged(path: str, target: Path, before: bytes) -> None:
    try:
        now = read_bytes(os.fspath(target))
    except OSError as error:
        raise _Refused(path, _why(error)) from None
    if now != before:
        raise _Refused(path, "it has changed meanwhile")


def _why(error: OSError) -> str:
    text = error.strerror or str(error)
    return f"it cannot be written: {text[:1].lower()}{text[1:]}"
