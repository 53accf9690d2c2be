"""What git says of changes: the lines of the work tree that were changed since a revision.

Counted from where the branch left the revision (their merge base), with everything that is not committed and every
file that git does not know yet. Git itself finds the changes, and which file is another one under a new name.
"""

from __future__ import annotations

import os
import re
import subprocess
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from connlint.discover import MAX_SIZE
from connlint.model.report import Report
from connlint.model.source import Span
from connlint.patterns import regex

_HUNK = regex(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_QUOTED = regex(rb'\\([abtnvfr"\\]|[0-7]{3})')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
SECONDS = 120
"""A git that takes longer is given up."""


Runs = tuple[tuple[int, int], ...]
"""Runs of lines, by the first and the last, in order."""


class RevisionError(Exception):
    """Git does not say what has changed; the message tells why."""


class Changes(Struct, frozen=True):
    """The changed lines by path; None where all of a file is new.

    Lines are counted as git counts them: a line feed ends one.
    """

    lines: Mapping[str, Runs | None]

    def touch(self, path: str, at: Span, data: bytes) -> bool:
        """Whether one of the lines that ``at`` stands on, in the file ``path`` with the bytes ``data``, was changed."""
        if path not in self.lines:
            return False
        runs = self.lines[path]
        if runs is None:
            return True
        first = data.count(b"\n", 0, at[0]) + 1
        last = first + data.count(b"\n", at[0], max(at[0], at[1] - 1))
        after = bisect_left(runs, first, key=lambda run: run[1])
        return after < len(runs) and runs[after][0] <= last


def changes(root: Path, revision: str) -> Changes:
    """The lines of files below ``root`` that were changed since ``revision``. Raises `RevisionError`."""
    fork = _fork(root, revision)
    untracked = [path for path in _git(root, "ls-files", "-z", "--others", "--exclude-standard").split(b"\0") if path]
    found = _Diff(_diff(root, fork))
    whole: dict[str, Runs | None] = {os.fsdecode(path): None for path in untracked}
    if whole and found.deletes:
        # a file that was moved without telling git is recognized by one who is told of both ends
        small = [path for path in untracked if _size(root, path) <= MAX_SIZE]
        found = _Diff(_diff_with(root, fork, small))
        whole = dict.fromkeys(whole.keys() - map(os.fsdecode, small))
    return Changes(whole | found.lines)


def narrowed(report: Report, changed: Changes, revision: str) -> Report:
    """``report`` without the findings that do not stand on a changed line."""
    kept, elsewhere = [], 0
    for finding in report.findings:
        source = report.sources.get(finding.place.path)
        if changed.touch(finding.place.path, finding.place.at, source.data if source else b""):
            kept.append(finding)
        elif finding.suppression is None and not finding.known:
            elsewhere += 1
    return replace(report, findings=tuple(kept), since=revision, elsewhere=elsewhere)


def _fork(root: Path, revision: str) -> str:
    """The commit at which the work tree's branch left ``revision``."""
    try:
        _git(root, "rev-parse", "--show-toplevel")
    except _Refused as refused:
        # git may also refuse a repository that is there, as one that belongs to somebody else
        none = "not a git repository" in str(refused)
        raise RevisionError(f"{root}: no git repository, so that nothing tells what has changed" if none
                            else str(refused)) from None
    # what looks like an option is none, and older versions of git do not let one say so
    named = "" if revision.startswith("-") else f"{revision}^{{commit}}"
    commit = named and _asked(root, "rev-parse", "--verify", "--quiet", named)
    if not commit:
        raise RevisionError(f"git knows no revision {revision!r}{_shallow(root)}")
    head = _asked(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    base = _asked(root, "merge-base", commit, head) if head else commit
    if not base:
        raise RevisionError(f"{revision!r} and HEAD have no commit in common{_shallow(root)}")
    return base


def _shallow(root: Path) -> str:
    if _asked(root, "rev-parse", "--is-shallow-repository") == "true":
        return "; this clone is shallow, so fetch more of its history (`fetch-depth: 0` of actions/checkout)"
    return ""


# -- the difference ---------------------------------------------------------------------------------------------------


class _Diff:
    """What a patch without context says: the changed lines by path, and whether it ``deletes`` a file."""

    def __init__(self, patch: bytes) -> None:
        self.lines: dict[str, Runs | None] = {}
        self.deletes = False
        path: str | None = None
        left = 0
        for line in patch.split(b"\n"):
            if left and line[:1] in (b"+", b"-"):
                left -= 1  # a line of a file, whatever it looks like
            elif line.startswith(b"+++ "):
                path = _path(line[4:])
                self.deletes = self.deletes or path is None
            elif hunk := _HUNK.match(line):
                first, size = int(hunk[2]), int(hunk[3] or 1)
                left = int(hunk[1] or 1) + size
                if path is not None:
                    runs = self.lines.get(path) or ()
                    self.lines[path] = (*runs, (first, first + size - 1)) if size else runs


def _path(written: bytes) -> str | None:
    """The path that a line of a patch names behind ``+++``; None for that of a deleted file."""
    written = written.rstrip(b"\t\r")
    if written == b"/dev/null":
        return None
    if written.startswith(b'"'):
        written = _QUOTED.sub(_unquoted, written[1:-1])
    return os.fsdecode(written.removeprefix(b"b/"))


def _unquoted(found: re.Match[bytes]) -> bytes:
    letter = found[1]
    return bytes([int(letter, 8)]) if len(letter) == 3 else _LETTERS.get(letter, letter)


def _diff(root: Path, fork: str, index: str | None = None) -> bytes:
    """The patch from the commit ``fork`` to the files on disk, whatever git is configured to make of one."""
    return _git(
        root, "diff", "--unified=0", "--inter-hunk-context=0", "--find-renames", "--relative", "--text", "--no-color",
        "--no-ext-diff", "--no-textconv", "--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/", fork, "--",
        index=index,
    )


def _size(root: Path, path: bytes) -> int:
    try:
        return (root / os.fsdecode(path)).lstat().st_size
    except OSError:
        return 0


def _diff_with(root: Path, fork: str, untracked: list[bytes]) -> bytes:
    """The same patch with the files that git does not know, by means of a second index."""
    import shutil
    import tempfile

    empty = _git(root, "hash-object", "--stdin").strip()
    here = _git(root, "rev-parse", "--show-prefix").rstrip(b"\n")
    with tempfile.TemporaryDirectory() as folder:
        index = f"{folder}/index"
        shutil.copyfile(root / os.fsdecode(_git(root, "rev-parse", "--git-path", "index").rstrip(b"\n")), index)
        rows = b"".join(b"100644 " + empty + b" 0\t" + here + path + b"\0" for path in untracked)
        _git(root, "update-index", "-z", "--index-info", given=rows, index=index)
        return _diff(root, fork, index)


# -- asking git -------------------------------------------------------------------------------------------------------


def _asked(root: Path, *arguments: str) -> str:
    """What git answers, or "" where it refuses."""
    try:
        return os.fsdecode(_git(root, *arguments)).strip()
    except _Refused:
        return ""


class _Refused(RevisionError):
    """Git ran and said no."""


def _git(root: Path, *arguments: str, given: bytes = b"", index: str | None = None) -> bytes:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = index
    try:
        done = subprocess.run(["git", "-c", "core.quotepath=off", "-C", os.fspath(root), *arguments], input=given,
                              capture_output=True, check=False, timeout=SECONDS, env=environment)
    except FileNotFoundError:
        raise RevisionError("there is no git here, so that nothing tells what has changed") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RevisionError(f"git does not answer: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = next((line for line in said if line.startswith("fatal: ")), said[-1] if said else "")
        raise _Refused(f"git says: {why.removeprefix('fatal: ') or f'status {done.returncode}'}")
    return done.stdout
