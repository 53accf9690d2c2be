"""Which files write the name of another as one writes files and modules, other than to import another of that name.

A name alone says little: ``client`` is a role, ``/client`` a route, ``react-dom/client`` a package. What counts is a
path that may lead to the file, or the dotted name of a module of Python.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from functools import cached_property

from connlint.patterns import lines_with, regex
from connlint.project.importers import Importers
from connlint.project.javascript_files import join
from connlint.project.javascript_paths import INSTALLED
from connlint.project.mentions import outside_comments
from connlint.project.project import Project
from connlint.project.stage import Stages
from connlint.project.tree import above

_TELLING = regex(
    r"(?:^|/)(?:[^/]*Dockerfile[^/]*|Procfile[^/]*|Makefile|justfile|crontab|[^/]+\.(?:ya?ml|toml|cfg|ini|json|jsonc|html?|"
    r"sh|bash|service|conf|cron|xml|hcl|tf|nix|bat|ps1|cmd|env|mk|pug|ejs|hbs|jinja2?|txt|astro|mdx|marko|php|erb))$"
)
"""Files that may name a file to load or to start."""
_LOCKS = regex(
    r"\.egg-info/|(?:^|/)\.VSCodeCounter/|"
    r"(?:^|/)(?:package-lock\.json|pnpm-lock\.yaml|poetry\.lock|[^/]*\.lock|[^/]*lock\.json)$")
"""Lists that tools write down of what is there."""
_STARTING = regex(
    rb"^[ \t]*(?:\S+|(?:[$>*\d] ?)*(?:exec |web: ?|worker: ?)?"
    rb"(?:python|node|npx|npm|yarn|pnpm|bun|deno|tsx?|ts-node|pm2|gunicorn|"
    rb"uvicorn|hypercorn|daphne|celery|flask|streamlit|poetry|uv|sh|bash)[\w.-]*[ \t].*)$")
"""A line of plain text that is a list of files or a command; another is prose, or a report."""
_LARGEST = 400_000
"""Bytes. A larger file is data."""
_LONGEST = 200
"""Bytes of a way in front of the name of a file."""
_IN_WAYS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@.~/:${}\\-")
_REST = regex(
    r"(\.(?:pyc?|[cm]?[jt]sx?|vue|svelte)(?![\w.]))?"
    r"(?:[.:](?!(?:ya?ml|jsonc?|toml|md|css|s[ac]ss|less|html?|txt|sh|env|ini|cfg|lock|svg|png|sql|csv|log|conf|xml|"
    r"config|d|test|spec)\b)\w+)?$")
"""What may follow on the name of a file in its path: an ending, and the name of something in it."""
_NEAR = 2000
"""Bytes in front of a name in which the key of its list is looked for."""
_KEY = regex(rb"(?:^|[\s{,])[\"']?([\w.-]+)[\"']?[ \t]*[:=](?!=)(?=[ \t]*(?:[\[\"'|>]|\r?\n|$|[\w*./-]+))", re.M)
_LEAVES_OUT = regex(rb"exclu|ignore|omit|norecurse", re.I)
_OPTION = regex(rb"--(?:exclude|ignore|omit)[\w-]*[= \t][\w./* \t-]*$")
_STATEMENT = regex(rb"\][ \t]*,?[ \t]*(?:\r?\n|$)|^\[", re.M)
"""What ends a list."""
_CODE = regex(r"\.(?:py|[cm]?[jt]sx?|vue|svelte)$")
_INSIDE = frozenset(("index", "__init__", "__main__"))
_ELSEWHERE = frozenset(
    "src lib app apps code dist build out output workspace usr opt srv home var task function".split())
"""Folders of images and of compilers: what is below them stands in another folder of the project."""


_FEW = 6
"""Names that are searched for in all files that tell what to load."""
_LETTERS = frozenset(f"{string.ascii_letters}{string.digits}_".encode())
_APART = bytes(byte if byte in _LETTERS else ord(" ") for byte in range(0x100))
"""A table for `bytes.translate` that leaves what regular expressions take for words."""


class Naming:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages, index: Importers) -> None:
        self.project = project
        self.stages = stages
        self.index = index
        self._asked = 0

    def has(self, path: str) -> bool:
        """Whether a file of the program, or one that tells what to load and to start, names the file ``path``."""
        stem = stem_of(path)
        in_package = f"{path.rpartition('/')[0]}/__init__.py" in self.project.tree.paths or (
            path.endswith(".py") and any(module.startswith(".") for _, module, _ in self.index.imports(path)))
        return any(self._is_named_in(other, path, stem, in_package=in_package) for python in (".py", ".js")
                   for other in self.index.mentions(stem, python)
                   if other != path and self.stages.of_path(other) not in ("test", "example")) or any(
            self._is_told_in(other, path, stem) for other in self._telling_of(stem))

    def _is_told_in(self, other: str, path: str, stem: str) -> bool:
        """Whether ``other``, a file that tells what to load and to start, names the file ``path``."""
        if stem.encode() not in (data := self._text(other)):
            return False
        word = re.compile(rb"(?<![\w-])%s(?![\w-])[\w.:/*-]*" % re.escape(stem.encode()))
        for match in word.finditer(data):
            if other.endswith(".txt") and not _starts_a_line(data, match.start()):
                continue
            start = _start_of(data, match.start())
            started = data[max(0, start - 3) : start] == b"-m "
            text = data[start : match.end()].decode("utf-8", "replace")
            if text[0] == "." and text[1:2] not in ("/", "."):
                continue  # the end of a name
            if not self._means_another(text, other, path) and _may_lead(
                    text, path, stem, alone=started) and not is_left_out(data, start):
                return True
        return False

    def _telling_of(self, stem: str) -> list[str]:
        """The files that tell what to load, of which others cannot hold the name ``stem``: all of them for the first
        few, as it takes longer to look at their words than to search them."""
        self._asked += 1
        word = _longest_word(stem)
        return self._telling if self._asked <= _FEW or not word else self._holders.get(word, [])

    @cached_property
    def _holders(self) -> dict[bytes, list[str]]:
        """The files that tell what to load, by the words in them that are part of the names of files of code."""
        wanted = {_longest_word(stem_of(path)) for path in self.index.paths}
        found: dict[bytes, list[str]] = {}
        for other in self._telling:
            for word in wanted.intersection(self._text(other).translate(_APART).split()):
                found.setdefault(word, []).append(other)
        return found

    def _is_named_in(self, other: str, path: str, stem: str, *, in_package: bool) -> bool:
        """Whether a text in the code of ``other`` names ``path``, or an import there that cannot be followed may mean
        it."""
        python = path.endswith(".py")
        imported = {module for _, module, _ in self.index.imports(other)}
        foreign = python != other.endswith(".py")  # of another language, in which a file has its ending
        for text in self._quoted(other, stem):
            if text in imported and (text.startswith(".") or self.index.resolved(other, text)
                                     or self._is_foreign(other, text)):
                continue  # to that file, or to none
            if text.startswith(".") and (target := self.index.resolved(other, text)) and target != path:
                continue
            if foreign and "*" not in text and _CODE.search(text) is None:
                continue
            if _may_lead(text, path, stem, alone=python and not in_package) and not self._is_another(
                    text, other, path):
                return True
        return python and not foreign and any(
            module.rpartition(".")[2] == stem and self._may_mean(other, module, path, stem) for module in imported)

    def _may_mean(self, other: str, module: str, path: str, stem: str) -> bool:
        """Whether an import of ``module`` in a file of Python leads nowhere, and so may mean ``path``. A name that is
        taken from a file of the project means something in that file, and dots lead where they lead."""
        parent = module.rpartition(".")[0]
        if module.startswith(".") or self.index.resolved(other, module) is not None or self._is_foreign(other, module):
            return False
        if parent and self.index.resolved(other, parent) is not None:
            return False
        return module == stem or _may_lead(module, path, stem, alone=True)

    def _quoted(self, other: str, stem: str) -> Iterator[str]:
        word = re.escape(stem.encode())
        quoted = re.compile(rb"['\"`]((?:[\w@*~${}-]*[./:])*%s(?:[./:][\w*/.:-]*)?)['\"`]" % word)
        standing = re.compile(rb"%s(?<=['\"`./:]%s)(?=['\"`./:])" % (word, word))
        for line in lines_with(standing, self.index.data(other)):
            for match in outside_comments(quoted, line, python=other.endswith(".py")):
                yield match[1].decode("utf-8", "replace")

    def _means_another(self, text: str, other: str, path: str) -> bool:
        """Whether ``text`` in the file ``other`` of a package is the name of an installed package, or a path of a
        package of which ``path`` is no part, or to another of its files."""
        folder, _, name = other.rpartition("/")
        if name != "package.json":
            return False
        scoped = text.startswith("@") and not text.startswith("@/")
        elsewhere = text.startswith("./") and not f"{path}/".startswith(f"{folder}/" if folder else "")
        return scoped or elsewhere or self._is_another(text, other, path)

    def _is_another(self, text: str, other: str, path: str) -> bool:
        """Whether ``text``, a way through folders, leads to another file than ``path`` from the folder of the file
        ``other``, or from the nearest one above it from which it leads to any."""
        if "/" not in text or any(mark in text for mark in "*${}@~:"):
            return False
        places = (join(folder, text) for folder in above(other.rpartition("/")[0]))
        found = next((place for place in places if place in self.project.tree.paths), path)
        return found != path

    def _is_foreign(self, path: str, module: str) -> bool:
        """Whether an import that leads to no file of the project names a package that is none of it."""
        if path.endswith(".py"):
            return not module.startswith(".") and module.partition(".")[0] not in self.index.stems
        return self.project.linkers["javascript"].resolve(path, module) == INSTALLED

    @cached_property
    def _telling(self) -> list[str]:
        return [path for path in sorted(self.project.tree.paths) if _TELLING.search(path) and not _LOCKS.search(path)]

    def _text(self, path: str) -> bytes:
        data = self.index.data(path)
        return data if len(data) <= _LARGEST else b""


def _longest_word(stem: str) -> bytes:
    """A word that stands between others wherever a name does; empty where the name has no letters."""
    return max(stem.encode().translate(_APART).split(), key=len, default=b"")


def is_left_out(data: bytes, at: int) -> bool:
    """Whether what stands at ``at`` of a file other than code belongs to a list of what a tool leaves out: ``exclude``,
    ``omit = [``, ``--ignore``."""
    before = data[max(0, at - _NEAR) : at]
    if _OPTION.search(before) is not None:
        return True
    key = max(_KEY.finditer(before), key=lambda one: one.start(), default=None)
    return key is not None and _LEAVES_OUT.search(key[1]) is not None and _STATEMENT.search(before, key.end()) is None


def _starts_a_line(data: bytes, at: int) -> bool:
    """Whether the line around ``at`` in a plain text is one that tools read."""
    end = data.find(b"\n", at)
    line = data[data.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(data)]
    return _STARTING.match(line.rstrip()) is not None


def _start_of(data: bytes, end: int) -> int:
    """Where the way begins that goes on at ``end``."""
    start = end
    while start > 0 and end - start < _LONGEST and data[start - 1] in _IN_WAYS:
        start -= 1
    return start


def stem_of(path: str) -> str:
    """The name by which the file at ``path`` is imported: its own, or that of its folder."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem in ("__init__", "index") else stem


def _may_lead(text: str, path: str, stem: str, *, alone: bool) -> bool:
    """Whether ``text``, in which ``stem`` stands, is a way to the file ``path``: of folders, or of packages of Python.

    ``alone``: where the stem is all of it, it is such a way too.
    """
    if "://" in text:
        return False
    text = text.replace("\\", "/")
    folders = path.split("/")[:-1]
    if folders and folders[-1] == stem and path.rpartition("/")[2].partition(".")[0] in _INSIDE:
        folders.pop()
    *above, last = text.split("/")
    if last.partition(".")[0] in _INSIDE and above:
        last = above.pop()
    if last.startswith(stem) and (rest := _REST.match(last, len(stem))) is not None:
        if rest[1] is None and _has_another_second_name(last, path, stem):
            return False
        if rest[1] is not None and (rest[1][:3] == ".py") != path.endswith(".py"):
            return False
        ways = [part for part in above if part not in ("", ".", "..")]
        if ways:
            return _ends(folders, ways)
        if rest[1] is not None or text.startswith(("./", "../")):
            return True
        if not above and (alone or (path.endswith(".py") and ":" in last)):
            return True
    if not path.endswith(".py"):
        return False
    packages = last.partition(":")[0].split(".")
    if stem not in packages[1:] or any(mark in last for mark in "${}"):
        return False
    return _ends(folders, [*above, *packages[: packages.index(stem, 1)]])


def _has_another_second_name(last: str, path: str, stem: str) -> bool:
    """Whether ``last`` is the name of another file of JavaScript than ``path``, by what follows on the first dot:
    ``user.routes``, and not ``user.schema.ts``."""
    said = last[len(stem) :].partition(".")[2]
    second = path.rpartition("/")[2].split(".")[1:-1]
    return bool(said and second) and not path.endswith(".py") and ":" not in last and said.split(".")[0] != second[0]


def _ends(folders: Sequence[str], ways: list[str]) -> bool:
    """Whether a way through ``ways`` may come out in ``folders``."""
    ways = [way for way in ways if way not in ("", ".", "..")]
    if any(list(folders[-len(tail) :]) == tail for start in range(len(ways)) if (tail := ways[start:])):
        return True
    return all(way not in folders and (way in _ELSEWHERE or way[:1] in "@~$") for way in ways)
