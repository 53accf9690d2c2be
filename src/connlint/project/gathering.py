"""Files that a program loads without naming them: it goes through a folder, or puts their names together.

Which files of the folder it then loads is unknown, and so all of them are gathered.
"""

from __future__ import annotations

import re
from functools import cached_property

from connlint.patterns import Led, lines_with, regex
from connlint.project.importers import Importers
from connlint.project.packages import package_root
from connlint.project.project import Project
from connlint.project.stage import Stages

_IMPORTED = regex(rb"\b(?:from|import|require\()\s*['\"][^'\"\n]+['\"]")
_LOADS_PYTHON = Led(
    (b"pkgutil", b"import_module", b"__import__", b"autodiscover", b"import_string", b"spec_from_file_location",
     b"runpy", b"exec(", b".glob(", b".iglob(", b"iterdir(", b"listdir(", b"scandir(", b"walk_packages"),
    rb"\bpkgutil\b|\bimport_module\s*\(\s*(?![\s\"'])|\b__import__\s*\(\s*(?![\s\"'])|\bimport_string\b|"
    rb"autodiscover(?!_(?:tasks|modules)\b)|"
    rb"\bspec_from_file_location\b|\brunpy\b|\bexec\(|\.i?glob\(|\biterdir\(|\blistdir\(|\bscandir\(|\bwalk_packages\b"
)
_PUT_TOGETHER = (rb"import\.meta\.glob|require\.context|"
                 rb"\b(?:require|import)\(\s*(?:[\w$][\w$.]*(?![\w$.])(?!\s*\??\s*:|\s*\)\s*[:{])|`[^`]*\$\{|"
                 rb"['\"][^'\"]*['\"]\s*\+)")
"""Not methods of such a name, nor prose: ``import(rows) {``, ``require(spec: Entry)``, ``import (parse the head)``."""
_CALLS_FOR = Led((b"import", b"require"), _PUT_TOGETHER)
"""What loads a file whose name is put together."""
_LOADS_JAVASCRIPT = Led(
    (b"import", b"require", b"readdir", b"glob", b"fast-glob", b"autoload", b"autoLoad"),
    _PUT_TOGETHER + rb"|\breaddir|globSync|\bglob\s*\(|fast-glob|autoload|autoLoad"
)
"""What loads files that are not written out."""
_LOADS_DATA = regex(
    rb"import\.meta\.glob\s*(?:<[^()]*>)?\(\s*['\"`][^'\"`\n]*\.(?:json|svg|png|jpe?g|webp|mdx?|css|ya?ml)['\"`]")
_RUNS_PYTHON = regex(
    rb"\bpkgutil\b|\bimport_module\b|\b__import__\b|\bautodiscover|\bimport_string\b|\bimportlib\b|\brunpy\b|\bexec\(|"
    rb"\bexecfile\b|\bwalk_packages\b|\bsubprocess\b|\bPopen\b|\bos\.(?:system|exec\w+|spawn\w+|popen)\b|"
    rb"\bload_(?:extension|plugin|module|cog)s?\(")
_RUNS_JAVASCRIPT = regex(
    _PUT_TOGETHER + rb"|\b(?:tiny)?glob(?:by|Sync)?\b|autoload|autoLoad|"
    rb"\b(?:fork|spawn|spawnSync|exec|execSync|execFile|execFileSync|addFile)\s*\(|"
    rb"\b(?:child_process|worker_threads|vm)\b|\bWorker\(")
"""What a file holds that runs the files whose names it has listed: who does not has listed data."""
_BUNDLES = regex(
    rb"\b(?:esbuild|rollup|rolldown|webpack|rspack|vite|tsup|tsdown|parcel|swc|babel|browserify|entryPoints|gulp)\b")
"""What a script is about that builds what is deployed."""
_COMMENTS_OF_PYTHON = regex(rb"^[ \t]*#[^\n]*", re.M)
_COMMENTS = regex(rb"^[ \t]*(?://|\*|/\*)[^\n]*", re.M)
GIVES = regex(rb"^\s*export\b|\bexports\b", re.M)
"""What a file of JavaScript holds that has something for others."""


class Gathering:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages, index: Importers) -> None:
        self.project = project
        self.stages = stages
        self.index = index

    def has(self, path: str) -> bool:
        """Whether a file of the same package loads others without naming them, from the folder of ``path`` or one that
        it names."""
        folders = path.split("/")[:-1]
        python, root = path.endswith(".py"), package_root(self.project, path)
        loaders = [other for other in self._by_language[python] if other != path and (
            package_root(self.project, other) == root or path.startswith(other.rpartition("/")[0] + "/"))]
        if any(_is_beside(other.rpartition("/")[0].split("/"), folders) for other in loaders):
            return True
        names = _names(folders)
        told = {other for name, _ in names for other in self.index.mentions(name, path)}.intersection(loaders)
        return bool(told) and self._is_spoken_of(folders, sorted(told), python=python)

    def _is_spoken_of(self, folders: list[str], loaders: list[str], *, python: bool) -> bool:
        """Whether one of ``loaders``, which hold the name of one of the last of ``folders``, may mean files there."""
        spoken = _speaks_of(folders, python=python)
        words = [re.compile(re.escape(name.encode())) for name, _ in _names(folders)]  # one by one: that is quicker
        return any(spoken.search(line) for other in loaders for text in (self._said_in(other),)
                   for word in words for line in lines_with(word, text))

    def _said_in(self, path: str) -> bytes:
        """The text of a loader without its comments and without what it imports by name."""
        data = self.index.data(path)
        if path.endswith(".py"):
            return _COMMENTS_OF_PYTHON.sub(b"", data)
        return _IMPORTED.sub(b"", _COMMENTS.sub(b"", data))

    @cached_property
    def _by_language(self) -> dict[bool, list[str]]:
        return {python: [path for path in self.loaders if path.endswith(".py") == python] for python in (True, False)}

    @cached_property
    def loaders(self) -> list[str]:
        """The files that load others without naming them."""
        return [path for path in self.index.paths if self.stages.of_path(path) not in ("test", "example")
                and self.is_own(path)
                and (_LOADS_PYTHON if path.endswith(".py") else _LOADS_JAVASCRIPT).search(self._loading(path))
                and (_RUNS_PYTHON if path.endswith(".py") else _RUNS_JAVASCRIPT).search(self._loading(path))
                and not self._only_rewrites(path)]

    def is_own(self, path: str) -> bool:
        """Whether the program has to do with the file: an installed package looks for what is its own, and a tool that
        builds nothing loads for itself."""
        folders = path.split("/")[:-1]
        if "node_modules" in folders or "site-packages" in folders:
            return False
        return self.stages.of_path(path) != "tool" or self.stages.is_named(path, "tool") or (
            not path.endswith(".py") and _BUNDLES.search(self.index.data(path)) is not None)

    def _loading(self, path: str) -> bytes:
        """The text of a file without the patterns that load data alone."""
        data = self.index.data(path)
        return _LOADS_DATA.sub(b"", data) if b"import.meta.glob" in data else data

    def _only_rewrites(self, path: str) -> bool:
        """Whether a script of JavaScript goes through files to write them anew, and loads none of them."""
        data = self.index.data(path)
        return (not path.endswith(".py") and b"writeFile" in data and GIVES.search(data) is None
                and _CALLS_FOR.search(data) is None)


def _is_beside(near: list[str], folders: list[str]) -> bool:
    """Whether a file in ``folders`` stands beside one in ``near``, or in a folder beside it."""
    return folders[: len(near)] == near and len(folders) - len(near) <= 1


def _names(folders: list[str]) -> list[tuple[str, str]]:
    """The last of ``folders`` by which a loader may mean a file there, each with the one below it."""
    return [(folder, "".join(folders[at + 1 : at + 2])) for at, folder in enumerate(folders)
            if at >= len(folders) - 3 and folder not in ("src", "lib")]


def _speaks_of(folders: list[str], *, python: bool) -> re.Pattern[bytes]:
    """What a line of a loader holds that may mean a file in the last of ``folders``, of which one has a name: a text
    with its name, or with that of one above from which it leads to no other folder. A package of Python may be walked
    through by its name."""
    names = [(re.escape(name.encode()), re.escape(below.encode())) for name, below in _names(folders)]
    mark = rb"[/.]" if python else rb"/"  # behind which the way goes on
    before = rb"(?<=['\"`/.])" if python else rb"(?<=['\"`/])"
    ways = [before + rb"%s(?=['\"`]|%s['\"`$*{%%]|%s%s(?![\w-]))" % (name, mark, mark, below) for name, below in names]
    if folders[-1] not in ("src", "lib"):
        ways[-1] = before + rb"%s(?=['\"`]|%s)" % (names[-1][0], mark)
    if python:
        ways += [rb"(?<![\w.])(?:\w+\.)*%s\.__(?:path|file|name|package)__|"
                 rb"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+)?import\b[^\n]*(?<![\w-])%s(?![\w.])" % (name, name)
                 for name, _ in names]
    return re.compile(b"|".join(ways), re.M)
