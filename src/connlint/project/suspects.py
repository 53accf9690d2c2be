"""Which files a chain of calls from some module's top level to a function may go through, as far as the text tells.

A search from a function to its callers spreads through half a project, since names like ``init`` are everywhere, and
most of what it reads leads to no module's top level. Here the same search is done on names alone: which function
surrounds a mention, and who mentions that one. It finds too much and never too little; only what it finds is read.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable

from connlint.languages.python.regions import regions as python_regions
from connlint.model.region import Region, outside
from connlint.patterns import regex
from connlint.project.importers import CODE, Importers, importers
from connlint.project.project import Project

_COMMON = 40
"""A name that more files hold is looked for only in files that import the one that defines it."""
_MOST = 1000
"""Steps after which the search is content with what it has found."""
_WORD = regex(rb"[A-Za-z_$][\w$]*")
_NOT_NAMES = {b"import", b"from", b"as", b"type", b"const", b"let", b"var", b"require", b"await", b"default", b"export"}

Step = tuple[str, str, str, bool, bool]
"""A file, a name that is bound there, the class that it is a method of, whether only that file can call it, and whether
it runs where it is read."""


class Suspects:
    """The search in one project; the functions of a file are looked for once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.index: Importers = importers(project)
        self._regions: dict[str, list[Region]] = {}
        self._around: dict[tuple[str, bytes], set[tuple[Region | None, bytes, bool]]] = {}
        self._based: dict[tuple[str, str], frozenset[bytes]] = {}
        self._aliases: dict[tuple[str, bytes], frozenset[bytes]] = {}
        self._places: dict[tuple[str, bytes], list[tuple[int, int]]] = {}
        self._near: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def files(self, first: list[Step], default: bool, among: Callable[[str], bool],
              longest: int) -> frozenset[str]:
        """The files on every way of at most ``longest`` calls from a module's top level to one of ``first``.

        ``default`` says that the file of the first step may export it under no name.
        """
        came: dict[Step, set[Step]] = {step: set() for step in first}
        depth = dict.fromkeys(first, 1)
        waiting = deque((step, default) for step in first)
        reached: set[Step] = set()
        tops: set[tuple[str, Step]] = set()
        while waiting:
            step, is_default = waiting.popleft()
            for path, names in self._mentioning(step, is_default):
                if not among(path):
                    continue
                for region in self._regions_around(path, names, step):
                    if region is None:
                        tops.add((path, step))
                        reached.add(step)
                        continue
                    if depth[step] >= longest:
                        continue
                    for name in region.names:
                        after: Step = (path, name, region.owner, region.inner, region.getter)
                        if after not in depth:
                            depth[after] = depth[step] + 1
                            came[after] = set()
                            waiting.append((after, region.default))
                        if after != step:
                            came[after].add(step)
            if len(depth) > _MOST:
                break
        files = {path for path, _ in tops}
        seen: set[Step] = set()
        pending = list(reached)
        while pending:
            step = pending.pop()
            if step not in seen:
                seen.add(step)
                files.add(step[0])
                pending += came[step]
        return frozenset(files)

    def outside(self, path: str) -> Callable[[int], bool]:
        """Whether a byte of ``path`` stands in no function, so that other files may see what is defined there."""
        return outside(self._regions_of(path))

    def calling_ours(self, paths: Iterable[str]) -> list[str]:
        """Those of ``paths`` that a chain of calls may start in."""
        return sorted(path for path in paths if path.endswith(CODE) and self._calls_ours(path))

    def _calls_ours(self, path: str) -> bool:
        """Whether the top level of ``path`` calls something that it defines, or imports from this project."""
        names = {name.encode() for region in self._regions_of(path) for name in region.names}
        names |= self._names_for(path, {target for _, target, _ in self.index.targets(path)})
        data, at_top = self.index.data(path), self.outside(path)
        return any(_LEADS.match(data, end) is not None and at_top(at)
                   and not _DEFINING.search(data, max(0, at - 40), at)
                   for name in names for at, end in self._mentions(path, name))

    def _mentioning(self, step: Step, is_default: bool) -> list[tuple[str, set[bytes]]]:
        """The files that may call ``step``, with the names by which they do."""
        home, name, owner, inner, _ = step
        rows = {home: {name.encode()}}
        if not inner:
            for path in self.candidates(home, name, owner):
                rows.setdefault(path, set()).add(name.encode())
        if is_default:
            for path in self.index.of(home):
                rows.setdefault(path, set()).update(self._names_for(path, (home,)))
        return [(path, self._with_aliases(path, names)) for path, names in rows.items()]

    def candidates(self, home: str, name: str, owner: str = "") -> tuple[str, ...]:
        """Other files of the language of ``home`` that may call ``name``, a method of ``owner`` or no method."""
        key = (home, name, owner)
        if key not in self._near:
            holding = self.holding(home, owner) if owner else None
            paths = [path for path in self.index.mentions(name, home)
                     if path != home and (holding is None or path in holding)]
            if len(paths) > _COMMON:
                near = self.index.near(home)
                paths = [path for path in paths if path in near]
            paths = [path for path in paths if _may_call(self.index.data(path), name)]
            self._near[key] = tuple(paths)
        return self._near[key]

    def renamed(self, home: str, name: str) -> frozenset[str]:
        """The names under which files that pass ``name`` on give it to others: ``export { name as other } from``."""
        memo: dict[tuple[str, str], frozenset[str]] = self.project.memo.setdefault(Suspects.renamed, {})
        key = (home, name)
        if key not in memo:
            word = re.escape(name.encode())
            passed = re.compile(rb"\bexport[ \t]*\{[^{}]*?(?<![\w$])%s\s+as\s+([\w$]+)|"
                                rb"^from[ \t][^\n]*?\b%s\s+as\s+(\w+)" % (word, word), re.M)
            paths = self.index.mentions(name, home)
            found = {(match[1] or match[2]).decode() for path in paths if len(paths) <= _COMMON
                     for match in passed.finditer(self.index.data(path)) if match[1] or path.endswith("__init__.py")}
            memo[key] = frozenset(found - {"default"})
        return memo[key]

    def holding(self, home: str, owner: str) -> frozenset[str]:
        """The files that name a class, or a variable of another file that holds an instance of it."""
        memo: dict[tuple[str, str], frozenset[str]] = self.project.memo.setdefault(Suspects.holding, {})
        key = (home, owner)
        if key not in memo:
            made = re.compile(re.escape(owner.encode()) + rb"\(")
            found = set(self.index.mentions(owner, home))
            names = set()
            for path in found:
                data = self.index.data(path)
                for match in made.finditer(data):
                    line = data[max(data.rfind(b"\n", 0, match.start()), match.start() - 120) + 1 : match.start()]
                    if held := _HOLDER.match(line):
                        names.add(held[1])
            for name in sorted(names)[:8]:
                found.update(self.index.mentions(name.decode(), home))
            memo[key] = frozenset(found)
        return memo[key]

    def _names_for(self, path: str, homes: Collection[str]) -> frozenset[bytes]:
        """The words in the statements with which ``path`` imports ``homes``, names of what it imports among them."""
        data = self.index.data(path)
        found: set[bytes] = set()
        for at, target, _ in self.index.targets(path):
            if target in homes:
                start = data.rfind(b"\n", 0, at) + 1
                end = data.find(b"\n", data.find(b"}", at, at + 2000) if b"{" in data[at : at + 12] else at)
                if b"(" in data[at : at + 80] and path.endswith(".py"):
                    end = data.find(b")", at)
                if data[start:at].lstrip().startswith(b"}"):
                    start = max(0, data.rfind(b"{", 0, at))
                found.update(_WORD.findall(_TEXT.sub(b"", data[start : end if end > 0 else len(data)])))
        return frozenset(found - _NOT_NAMES)

    def _with_aliases(self, path: str, names: set[bytes]) -> set[bytes]:
        """``names``, and others that the file gives to the same things: ``a as b``, ``{ a: b }``, ``b = x.a``."""
        return names.union(*(self._aliases_of(path, name) for name in names))

    def _aliases_of(self, path: str, name: bytes) -> frozenset[bytes]:
        key = (path, name)
        if key not in self._aliases:
            data = self.index.data(path)
            found: set[bytes] = set()
            for start, end in self._mentions(path, name):
                if match := _RENAMED.match(data, end):
                    found.add(match[1] or match[2])
                elif _ENDS.match(data, end) and (match := _GIVEN.search(data[max(0, start - 80) : start])):
                    found.add(match[1])
            self._aliases[key] = frozenset(found - _NOT_NAMES)
        return self._aliases[key]

    def _mentions(self, path: str, name: bytes) -> list[tuple[int, int]]:
        """Where ``name`` stands as a word of its own."""
        key = (path, name)
        if key not in self._places:
            whole = re.compile(re.escape(name) + rb"(?![\w$])")
            data = self.index.data(path)
            self._places[key] = [match.span() for match in whole.finditer(data)
                                 if not (match.start() and _PART.match(data, match.start() - 1))]
        return self._places[key]

    def _regions_around(self, path: str, names: set[bytes], step: Step) -> set[Region | None]:
        """The innermost functions around every mention, None for the top level of the module."""
        home, _, owner, _, getter = step
        # what is no method is called by the name that was imported, or through the name of a module
        bases = None if path == home or owner else self._bases(path, home)
        found: set[Region | None] = set()
        for name in names:
            for region, base, called in self._surroundings(path, name):
                if (called or getter) and (bases is None or base in bases):
                    found.add(region)
        return found

    def _bases(self, path: str, home: str) -> frozenset[bytes]:
        key = (path, home)
        if key not in self._based:
            self._based[key] = self._names_for(path, self.index.near(home) | {home})
        return self._based[key]

    def _surroundings(self, path: str, name: bytes) -> set[tuple[Region | None, bytes, bool]]:
        """For every mention of ``name``: the function around it, the first of the dotted names before it, and whether
        it is called there."""
        key = (path, name)
        if key in self._around:
            return self._around[key]
        data = self.index.data(path)
        regions = self._regions_of(path)
        found: set[tuple[Region | None, bytes, bool]] = set()
        place, around = 0, []
        for at, end in self._mentions(path, name):
            while place < len(regions) and regions[place].start <= at:
                around.append(regions[place])
                place += 1
            around = [region for region in around if region.end > at]
            before = data[max(0, at - 60) : at]
            if not around and _DEFINING.search(before) and _is_head(data, end):
                continue
            dotted = _DOTTED.search(before) if before.endswith(b".") else None
            base = dotted[1] if dotted is not None else b"" if before.endswith(b".") else name
            called = _CALLED.match(data, end) is not None or _RUN.search(before) is not None
            found.add((around[-1] if around else None, base, called))
        self._around[key] = found
        return found

    def _regions_of(self, path: str) -> list[Region]:
        found = self._regions.get(path)
        if found is None:
            data = self.index.data(path)
            if path.endswith(".py"):
                found = python_regions(data)
            elif path.endswith((".vue", ".svelte")):
                found = []  # all of it counts as the top level
            else:
                from connlint.languages.javascript.regions import regions

                found = regions(data, "typescript" if path.endswith((".ts", ".mts", ".cts")) else "tsx")
            self._regions[path] = found
        return found


_TEXT = regex(rb"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`")
_CALLS = (b"(", b"<", b" as ", b" (", b":", b"?.")
"""What follows a name that is called, given types, renamed, or that is a key."""
_PART = regex(rb"[\w$]")
_RENAMED = regex(rb"[ \t]+as[ \t]+([\w$]+)|[ \t]*:[ \t]*([A-Za-z_$][\w$]*)[ \t]*[,}\n]")
_ENDS = regex(rb"[ \t]*[;,)\r\n]")
_HOLDER = regex(rb".*?(\w+)[ \t]*(?::[^=]+)?=[ \t]*(?:await[ \t]+|new[ \t]+)*\Z")
_CALLED = regex(rb"\s*(?:\?\.|!)?\s*(?:[(<`]|as\b|satisfies\b|\)\s*\()")
_RUN = regex(rb"(?:(?:\A|[\s(])@|\bnew[ \t]+)(?:[\w$]+\.)*\Z")
"""What stands before a decorator, or a constructor without arguments."""
_LEADS = regex(rb"(?:[ \t]*\??\.\s*[\w$]+)+|[ \t]*(?:\?\.|!)?[(<`]")
"""What follows a name that is called, or whose member is called or read."""
_DOTTED = regex(rb"([\w$]+)(?:\??\.[\w$]+)*\??\.\Z")
_GIVEN = regex(rb"([\w$]+)[ \t]*=[ \t]*(?:[\w$]+\.)*\Z")
_DEFINING = regex(rb"(?:\bdef|\bfunction|\bclass|\bfunction[ \t]*\*)[ \t]+\Z")


def _is_head(data: bytes, at: int) -> bool:
    """Whether a definition's brackets or braces follow its name."""
    return data[at : at + 1] in (b"(", b" ", b":", b"<", b"[", b"{")


def _may_call(data: bytes, name: str) -> bool:
    """Whether the bytes hold a call of ``name``, another name for it, or a member that may be a getter."""
    key = name.encode()
    at, size = data.find(key), len(key)
    while at >= 0:
        end = at + size
        if data.startswith(_CALLS, end) or data[at - 1 : at] == b".":
            return True
        at = data.find(key, at + 1)
    return b"default as" in data


def suspects(project: Project) -> Suspects:
    """The search in ``project``, kept."""
    found: Suspects | None = project.memo.get(Suspects)
    if found is None:
        found = project.memo[Suspects] = Suspects(project)
    return found
