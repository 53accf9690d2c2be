"""Which files belong to the project, which of them are set aside, and the reading of their bytes."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
from collections.abc import Callable, Container, Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from connlint.copies import is_dated, mirrors
from connlint.ignore_files import IgnoreFiles, rules_of
from connlint.patterns import regex
from connlint.project.tree import Tree, folders_of
from connlint.witness import Stamp, Witness, stamp_of

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

PYTHON = (".py", ".pyi")
JAVASCRIPT = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
NOTEBOOK = ".ipynb"
"""Jupyter notebooks, which are read on request only."""
CODE = PYTHON + JAVASCRIPT
MAX_SIZE = 10_000_000
"""Bytes. A larger file is set aside and said so: nobody wrote it by hand."""
MAX_TREE = 2_000_000
"""Bytes of a JavaScript or TypeScript file, which is read as one tree of three hundred times its length; of Python
only the statements that matter are."""


def max_size(path: str) -> int:
    """The bytes up to which the file ``path`` is read."""
    return MAX_TREE if path.endswith(JAVASCRIPT) else MAX_SIZE


_INSTALLED = frozenset(
    "node_modules bower_components jspm_packages site-packages .venv venv virtualenv .tox .nox __pypackages__ "
    ".yarn .pnpm-store .eggs".split()
)
_VENDORED = frozenset("vendor vendors vendored _vendor third_party third-party thirdparty 3rdparty extern".split())
_BUILT = frozenset(
    "dist .vite .next .nuxt .output .svelte-kit .angular .turbo .parcel-cache .vercel .serverless __pycache__ "
    ".mypy_cache .ruff_cache .pytest_cache htmlcov storybook-static".split()
)
_KEPT = frozenset(".history .lh .localhistory .worktrees .trash .ipynb_checkpoints .tmp .temp .cache".split())
"""What an editor or another tool keeps of files as they once were: nobody imports or starts them there."""
_FOLDERS = {name: reason for names, reason in
            ((_INSTALLED, "installed packages"), (_VENDORED, "vendored"), (_BUILT, "build output"),
             (_KEPT, "kept by a tool")) for name in names}
_FOLDER = regex(r"(?:^|/)(" + "|".join(re.escape(name) for name in sorted(_FOLDERS)) + r"|"
                r"\.(?:tmp|temp|patch|patched|backup|bak|old|scratch|next|nuxt|output|svelte-kit|vite)[-_.][^/]+)/")
"""These, and hidden folders that say by their first word for how long they are there, or of which of these they are a
copy: ``.tmp-patched``, ``.next_old``."""
_GENERATED_NAME = regex(
    r"(?:_pb2(?:_grpc)?\.pyi?|\.pb\.(?:js|ts)|_pb\.(?:js|ts)|\.g\.(?:js|ts)|\.generated\.\w+|\.gen\.\w+|_generated\.\w+"
    r"|(?:^|/)__generated__/.*|(?:^|/)_version\.py)$"
)
_MINIFIED_NAME = regex(r"[.-](?:min|bundle|packed|iife|umd)\.[cm]?js$")
_HASHED_BUILD = regex(r"(?:^|/)(?:static|public|assets|dist)/(?:.*/)?[^/]+[.-]"
                      r"(?:(?=[0-9a-f]*\d)[0-9a-f]{8,32}|(?=[\w-]*[a-z])(?=[\w-]*[A-Z][\w-]*[A-Z])"
                      r"(?=[\w-]*\d|(?:[\w-]*[A-Z]){3})[\w-]{8})\.[cm]?js$")
"""A bundler's output that a site serves: it puts a hash of the content into the name."""
_GENERATED_TEXT = regex(
    rb"@generated|This file (?:is|was) (?:automatically |auto-?)generated"
    rb"|[Dd][Oo] [Nn][Oo][Tt] (?:[Ee][Dd][Ii][Tt]|[Mm][Oo][Dd][Ii][Ff][Yy])[^\n]{0,40}(?:auto|gener|manual|hand|file)"
    rb"|(?:[Aa]uto-?\s?[Gg]enerated|[Gg]enerated automatically|GENERATED CODE|[Cc]ode generated)"
    rb" (?:by|file|from|with|code|using)"
)


_BROKEN_NAME = regex("[\udc80-\udcff]")
"""What stands in a path for a byte that is no UTF-8. No text of the project can name such a file, nor can a report."""


class DiscoveryError(Exception):
    """A path given by the user cannot be checked; the message names it."""


class SetAside(Struct, frozen=True):
    """A file that was not checked, and why."""

    path: str
    reason: str


class Selection(Struct):
    """What one run looks at. All paths are relative to ``root``.

    ``code`` and ``other`` are the files to report on: sources and everything else (for deployment readers).
    """

    tree: Tree
    code: list[str]
    other: list[str]
    set_aside: list[SetAside] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The project's folder; the current one for a tree that is not on the disk."""
        return getattr(self.tree, "root", None) or Path()

    def leave_out(self, excluded: Callable[[str], bool]) -> None:
        """Set aside every file that ``excluded`` names."""
        for paths in (self.code, self.other):
            left_out = [path for path in paths if excluded(path)]
            if left_out:
                self.set_aside += [SetAside(path, "excluded by configuration") for path in left_out]
                gone = set(left_out)
                paths[:] = [path for path in paths if path not in gone]

    def limit_to(self, wanted: Container[str]) -> None:
        """Take away every path that is not ``wanted``, without a word."""
        for paths in (self.code, self.other):
            paths[:] = [path for path in paths if path in wanted]
        self.set_aside[:] = [item for item in self.set_aside if item.path in wanted]


class DiskTree:
    """The project on disk, as `connlint.project.tree.Tree` wants it. Nothing is read before it is asked for.

    With a ``witness``, everything that is asked is written down there.
    """

    def __init__(self, root: Path, paths: frozenset[str], *, git: bool) -> None:
        self.root = root
        self.paths = paths
        self.witness: Witness | None = None
        self._base = os.fspath(root) + os.sep
        self._git = git
        self._ignored: dict[str, bool] = {}
        self._checker: _IgnoreChecker | None = None
        self._rules: IgnoreFiles | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: no process of git, and a witness of its own."""
        witness = None if self.witness is None else Witness(self.witness.began)
        own = ("folders", "_checker", "_rules", "_ignored")
        kept = {key: value for key, value in self.__dict__.items() if key not in own}
        return {**kept, "witness": witness, "_checker": None, "_rules": None, "_ignored": {}}

    def read(self, path: str) -> bytes | None:
        if self.witness is not None:
            data, stamp = self.look(path)
            self.witness.was_read(path, stamp, data)
            return data
        try:
            return read_bytes(self._base + path)
        except (OSError, ValueError):
            return None

    def exists(self, path: str) -> bool:
        if path in self.paths:
            return True
        answer = self.is_there(path)
        if self.witness is not None:
            self.witness.there[path] = answer
        return answer

    def ignored(self, path: str) -> bool:
        if path not in self._ignored:
            self._ignored[path] = self.is_ignored(path)
        if self.witness is not None:
            self.witness.ignored[path] = self._ignored[path]
        return self._ignored[path]

    # -- the disk as it is now, whatever was asked before --------------------------------------------------------------

    def look(self, path: str) -> tuple[bytes | None, Stamp | None]:
        """The bytes of a file, None where it cannot be read; and its stamp, None where nothing is there."""
        try:
            return stamped_bytes(self._base + path)
        except (OSError, ValueError):
            return None, self.stamp(path)

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of whatever is at ``path``; None where nothing is."""
        try:
            return stamp_of(os.lstat(self._base + path))
        except (OSError, ValueError):
            return None

    def is_there(self, path: str) -> bool:
        """Whether anything is at ``path``."""
        return os.path.lexists(self._base + path)

    def is_ignored(self, path: str) -> bool:
        """Whether ignore rules cover ``path``: git's answer where it gave the list of files."""
        if self._git:
            return self._git_ignores(path)
        if self._rules is None:
            self._rules = IgnoreFiles(self.root)
        return self._rules.covers(path)

    def _git_ignores(self, path: str) -> bool:
        if self._checker is None or self._checker.process_id != os.getpid():
            self._checker = _IgnoreChecker(self.root)
        answer = self._checker.ignores(path)
        if answer is None:  # git gives up at paths that it does not want to know, as behind a link
            self._checker = None
        return bool(answer)

    @cached_property
    def folders(self) -> frozenset[str]:
        return folders_of(self.paths)


def read_bytes(path: str) -> bytes:
    """The bytes of a regular file. Raises `OSError` for anything else, links included, and never blocks on a pipe."""
    return stamped_bytes(path)[0]


def stamped_bytes(path: str) -> tuple[bytes, Stamp]:
    """The bytes of a regular file, and its stamp from before they were read. Raises as `read_bytes` does."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "not a regular file", path)
        data = os.read(handle, status.st_size + 1)
        while len(data) < status.st_size:
            more = os.read(handle, status.st_size - len(data))
            if not more:
                break
            data += more
        return data, stamp_of(status)
    finally:
        os.close(handle)


def _git(root: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", "-C", os.fspath(root), *arguments],
            capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


class _IgnoreChecker:
    """``git check-ignore``, kept running for one question after the other: starting it takes longer than asking."""

    def __init__(self, root: Path) -> None:
        self.process_id = os.getpid()
        command = ["git", "-C", os.fspath(root), "check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"]
        self._git: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):
            self._git = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL)

    def ignores(self, path: str) -> bool | None:
        """Whether a rule covers ``path``; None where git does not answer."""
        if self._git is None or self._git.stdin is None or self._git.stdout is None or "\0" in path:
            return None
        try:
            self._git.stdin.write(os.fsencode(path) + b"\0")
            self._git.stdin.flush()
            fields = [self._field() for _ in range(4)]
        except (OSError, EOFError):
            return None
        return bool(fields[2]) and not fields[2].startswith(b"!")

    def _field(self) -> bytes:
        """One of source, line, pattern and path, all empty but the last where no rule matches."""
        assert self._git is not None and self._git.stdout is not None
        found = bytearray()
        while (byte := self._git.stdout.read(1)) != b"\0":
            if not byte:
                raise EOFError
            found += byte
        return bytes(found)

    def __del__(self) -> None:
        if self._git is not None and self.process_id == os.getpid():
            for pipe in (self._git.stdin, self._git.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            # a process forked meanwhile holds the pipe open as well, so git might never hear that it was closed
            self._git.kill()
            self._git.wait()


def list_files(root: Path, closed: list[str] | None = None) -> tuple[frozenset[str], bool]:
    """All files under ``root`` that its ignore rules let through, and whether git gave the list.

    Folders that cannot be looked into are added to ``closed``; git says nothing of them.

    Git's own answer where there is one (an ignored folder that the user names is walked all the same); else a walk
    that honours ``.gitignore`` files.
    """
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    if listed:
        paths = listed.decode("utf-8", "surrogateescape").split("\0")
        return frozenset(p for p in paths if p and not p.startswith("../")), True
    return frozenset(_walk(root, closed)), False


def _walk(root: Path, closed: list[str] | None = None) -> list[str]:
    found: list[str] = []
    rules = IgnoreFiles(root)
    pending: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [("", ())]
    while pending:
        folder, specs = pending.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda e: e.name)
        except OSError:
            if closed is not None:
                closed.append(folder)
            continue
        if any(e.name == ".gitignore" for e in entries) and (own := rules.rules(folder)) is not None:
            specs = (*specs, (folder, own))
        for entry in entries:
            path = folder + entry.name
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                is_file = entry.is_file(follow_symlinks=False)
            except OSError:
                continue
            shown = path + "/" if is_folder else path
            if any(spec.match_file(shown[len(base):]) for base, spec in specs):
                continue
            if is_folder and entry.name not in _INSTALLED and entry.name not in (".git", ".hg", ".svn", "__pycache__"):
                pending.append((path + "/", specs))
            elif is_file:
                found.append(path)
    return found


def repository_of(path: Path, here: Path) -> Path | None:
    """The git repository below ``here`` in which ``path`` lies; None where none is, or where ``here`` is in one itself.

    Whoever keeps many repositories in a folder and names one of them means that one.
    """
    if any((folder / ".git").exists() for folder in (here, *here.parents)):
        return None
    between = (folder for folder in (path, *path.parents) if here in folder.parents)
    return next((folder for folder in between if (folder / ".git").exists()), None)


def _listed(root: Path, wanted: list[Path], closed: list[str]) -> tuple[frozenset[str], bool]:
    """What `list_files` gives for ``root``; only the repositories that ``wanted`` lie in, where each lies in one."""
    repositories = {repository_of(path, root) for path in wanted}
    found: set[str] = set()
    for repository in repositories:
        if repository is None:
            return list_files(root, closed)
        prefix = repository.relative_to(root).as_posix()
        below: list[str] = []
        found.update(f"{prefix}/{path}" for path in list_files(repository, below)[0])
        closed += [f"{prefix}/{folder}" for folder in below]
    return frozenset(found), False


def select(paths: tuple[Path, ...], here: Path) -> Selection:
    """Find the project around ``paths`` and what of it to check.

    The root is ``here`` if every path lies under it, else the deepest folder that holds them all. Of a root that holds
    repositories without being in one, only those belong to the project that are named.
    Raises `DiscoveryError` for a path that is not there.
    """
    wanted: list[Path] = []
    for path in paths or (here,):
        full = Path(os.path.abspath(here / path))
        if not os.path.lexists(full):
            raise DiscoveryError(f"{path}: no such file or folder")
        if not os.access(full, os.R_OK):
            raise DiscoveryError(f"{path}: cannot be read (permission denied)")
        wanted.append(full)
    here = Path(os.path.abspath(here))
    root = here
    if not all(path == here or here in path.parents for path in wanted):
        parents = [path if path.is_dir() else path.parent for path in wanted]
        root = Path(os.path.commonpath(parents))
    closed: list[str] = []
    listed, git = _listed(root, wanted, closed)
    chosen: set[str] = set()
    explicit: set[str] = set()
    for path in wanted:
        inside = path.relative_to(root).as_posix() if path != root else ""
        if path.is_dir():
            prefix = inside + "/" if inside else ""
            below = {p for p in listed if p.startswith(prefix)} if prefix else listed
            if not below and prefix:
                below = {prefix + p for p in _walk(path)}
                listed |= below
            chosen |= below
        else:
            chosen.add(inside)
            explicit.add(inside)
    odd = frozenset(path for path in listed | explicit if not path.isascii() and _BROKEN_NAME.search(path))
    tree = DiskTree(root, (listed | frozenset(explicit)) - odd, git=git)
    selection = Selection(tree, [], [], [SetAside(folder, "cannot be read") for folder in closed])
    selection.set_aside += [SetAside(path, "name is not UTF-8") for path in sorted(chosen & odd)]
    chosen -= odd
    targets = _install_targets(listed)
    copies = mirrors((name for name in chosen if name.endswith(CODE)), listed)
    for name in sorted(chosen):
        if name.endswith(CODE):
            reason = None if name in explicit else set_aside_by_name(name)
            if not reason and targets and name.startswith(targets) and name not in explicit:
                reason = "installed packages"
            if not reason and copies and name.startswith(copies) and name not in explicit:
                reason = "copy"
            if reason:
                selection.set_aside.append(SetAside(name, reason))
            else:
                selection.code.append(name)
        else:
            selection.other.append(name)
    return selection


def _install_targets(paths: Iterable[str]) -> tuple[str, ...]:
    """The folders below the root that ``pip install --target`` has filled: metadata lies in them, beside packages."""
    found = {path[: path.rfind("/", 0, at) + 1] for path in paths if (at := path.find(".dist-info/")) >= 0}
    return tuple(sorted(found - {""}))


@cache
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Tells of a path whether ``patterns``, which mean what they mean in ``.gitignore``, cover it.

    Raises `ValueError` for a pattern that means nothing.
    """
    return rules_of(patterns).match_file


def set_aside_by_name(path: str) -> str | None:
    """Why a file with this path is not the project's own source, or None."""
    if found := _FOLDER.search(path):
        return _FOLDERS.get(found[1], "kept by a tool")
    name = path[path.rfind("/") + 1 :]
    if name.endswith((".pyi", ".d.ts", ".d.mts", ".d.cts")):
        return "declarations only"
    if is_dated(path):
        return "copy"
    if _MINIFIED_NAME.search(name) or _HASHED_BUILD.search(path):
        return "minified"
    if _GENERATED_NAME.search(path):
        return "generated"
    return None


_RELEASE = regex(rb"(?:\xef\xbb\xbf)?\s*/\*!(?:[^\n*]*\n){0,2}[ \t*]*[\w.@/ -]{2,60}?[ \t,]v?\d+\.\d+\.\d+\b")
"""The banner, kept by minifiers, with which the build of a library names itself and its version."""

_BUNDLED = regex(rb"(?m)^// (?:\.\.?/)*node_modules/[\w@./+-]+\.[cm]?[jt]sx?$")
"""What a bundler writes above the code of a package that it has taken in."""

_JOINED = regex(rb"(?m)^// (?:[\w@.+\[\]-]+/)*[\w@.+\[\]-]+\.[cm]?tsx?\n(?![ \t]*(?://|/\*|\r?\n))")
"""What a bundler writes above the code of a module that it has put into one file with others."""
_RELATIVE = regex(rb"""(?:\bfrom|\brequire\(|\bimport)\s*['"]\.{1,2}/""")
_PARTS = 5
"""Modules in one file, none of which is imported from another one, that nobody wrote there by hand."""


_MAPPED = regex(rb"^//[#@] sourceMappingURL=(?!data:)[^\n]+\s*\Z", re.M)
"""What a compiler writes below its output: where the map to the sources lies."""


def set_aside_by_content(data: bytes) -> str | None:
    """Why bytes are not hand-written source of the project: generated, minified or a library's; None for the rest."""
    if _RELEASE.match(data):
        return "vendored"
    head = data[:1500].lower()
    if (b"generated" in head or b"do not" in head) and _GENERATED_TEXT.search(data, 0, 1500):
        return "generated"
    if b"__defprop = object.defineproperty" in head or (
            b"node_modules/" in data and len(_BUNDLED.findall(data)) > 1):
        return "build output"
    if (b"\n// " in data and b"ts\n" in data and len(_JOINED.findall(data)) >= _PARTS
            and not _RELATIVE.search(data)):
        return "build output"
    if b"webpackbootstrap" in head or b"webpackjsonp" in head or b"[\"webpackchunk" in head:
        return "build output"
    if _MAPPED.search(data, max(0, len(data) - 300)):
        return "build output"
    if len(data) > 5000:
        lines = data.count(b"\n", 0, 50_000) + 1
        if min(len(data), 50_000) / lines > 300:
            return "minified"
    return None
