"""Who imports a file, and which files hold a word: questions that go against the direction of imports.

They are settled on bytes: a file is read once, searched for a name, and only then are its imports resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from connlint.patterns import Words, regex
from connlint.project.project import Project
from connlint.project.vocabulary import Vocabulary

CODE = (".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_MARK = b"\xef\xbb\xbf"
_LARGEST = 1_000_000
"""Bytes. Nobody looks for a caller in a larger file."""
_FEW = 24
"""Files whose importers are looked for one by one; after that the imports of all files are followed at once."""
_MANY = 20
"""Words that are searched for in all files of a language; whoever asks for more looks them up, for as much again."""
_BARRELS = 4
"""Files, one behind the other, through which a name may be passed on."""
_INDEX = ("index", "__init__", "main")

_STATIC = regex(
    rb"""(?:import|export)(?P<type>[ \t]+type\b(?![ \t]*,|[ \t]+from\b))?"""
    rb"""(?:[ \t]+[\w$*{},\s]*?[}\w$*][ \t\r\n]*from[ \t]*|[ \t]*)['"](?P<static>[^'"\n]+)['"]"""
)
_IMPORTED = regex(rb"""^import\b[\w$*{},\s]*?\bfrom[ \t]*['"][^'"\n]+['"]""", re.MULTILINE)
_CALLED = regex(
    rb"""(?<!\w)(?:require\([ \t]*['"`](?P<required>[^'"`\n]+)['"`][ \t]*\)"""
    rb"""|import\([ \t\r\n]*['"`](?P<dynamic>[^'"`\n]+)['"`])"""
)
_PYTHON = regex(
    rb"""^(?P<indent>[ \t]*)(?:from[ \t]+(?P<module>[.\w]+)[ \t]+import[ \t]*"""
    rb"""(?P<names>\([^)]*\)|(?:[^\n\\#;]|\\\r?\n)*)|import[ \t]+(?P<plain>[\w., \t]+))""",
    re.MULTILINE,
)
_IMPORT = regex(rb"import")
# With a literal in front, which is searched at memory speed.
_JAVASCRIPT_PACKAGES = tuple(regex(pattern) for pattern in (
    rb"from\s*['\"]([^'\"\n]+)", rb"require\(\s*['\"`]([^'\"`\n]+)", rb"import\s*\(?\s*['\"`]([^'\"`\n]+)",
))
_PYTHON_PACKAGES = tuple(regex(pattern, re.MULTILINE) for pattern in (
    rb"from[ \t]+([\w.]+)[ \t]+import\b", rb"import[ \t]+(\w[\w., \t]*)",
))
_WORD = regex(rb"[A-Za-z_]\w*")
_COMPILED = regex(r"(?:^|/)[tj]sconfig(?:\.[\w.-]+)?\.json$")
_ALIAS = regex(rb"\"([\w@~#./-]+)\"\s*:\s*\[\s*\"([^\"*\n]+)\"")


class Importers:
    """Answers for one project; files are read when somebody asks."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._mentions: dict[tuple[bytes, bool], tuple[str, ...]] = {}
        self._importers: dict[str, tuple[str, ...]] = {}
        self._imports: dict[str, tuple[tuple[int, str, str], ...]] = {}
        self._near: dict[str, frozenset[str]] = {}
        self._ends: dict[str, dict[str, list[str]]] = {}
        self._asked = {True: 0, False: 0}
        self._vocabularies: dict[bool, Vocabulary] = {}
        self.paths = sorted(path for path in project.tree.paths if path.endswith(CODE))
        self._by_language = {python: [path for path in self.paths if path.endswith(".py") == python]
                             for python in (True, False)}

    def data(self, path: str) -> bytes:
        """The bytes of ``path``; empty where it cannot be read or is too large to be looked into."""
        found = self.project.tree.read(path) or b""
        return found if len(found) <= _LARGEST else b""

    def mentions(self, word: str, like: str) -> tuple[str, ...]:
        """The files in the language of the file ``like`` that hold ``word``, in order."""
        key = (word.encode(), like.endswith(".py"))
        if key not in self._mentions:
            self._mentions[key] = self._holding(*key)
        return self._mentions[key]

    def _holding(self, word: bytes, python: bool) -> tuple[str, ...]:
        if not word:
            return tuple(self._by_language[python])
        self._asked[python] += 1
        if self._asked[python] > _MANY and Vocabulary.knows(word):
            if python not in self._vocabularies:
                self._vocabularies[python] = Vocabulary(self._texts[python])
            return self._vocabularies[python].holding(word)
        return tuple(Words([word]).held_by(self._texts[python] if self._asked[python] > _FEW else self._read(python)))

    def _read(self, python: bool) -> Iterator[tuple[str, bytes]]:
        """The files of a language, each with its bytes."""
        return ((path, self.data(path)) for path in self._by_language[python])

    @cached_property
    def _texts(self) -> dict[bool, list[tuple[str, bytes]]]:
        """`_read` once and for all: searching a file takes less time than asking for its bytes."""
        return {python: list(self._read(python)) for python in (True, False)}

    def imports(self, path: str) -> tuple[tuple[int, str, str], ...]:
        """The imports of ``path`` as its bytes show them: offset, module and way, in order.

        The way is "static", "required" (CommonJS, where it stands), "inner" (indented: in a function or block) or
        "dynamic". Python's imported names, which may be submodules, follow as further rows. Imports of types are left
        out.
        """
        if path not in self._imports:
            data = self.data(path)
            if data.startswith(_MARK):
                data = data.replace(_MARK, b"\n" * len(_MARK), 1)  # it is in front of the first line
            rows = _python_imports(data) if path.endswith(".py") else _javascript_imports(data)
            self._imports[path] = tuple(rows)
        return self._imports[path]

    def written(self, path: str) -> set[bytes]:
        """Everything that the bytes of a file of JavaScript may import, as it is written there: never too little."""
        data = self.data(path)
        return {name for pattern in _JAVASCRIPT_PACKAGES for name in pattern.findall(data)}

    def packages(self, path: str) -> frozenset[str]:
        """The first parts of everything that the bytes of ``path`` may import: never too few packages."""
        if path.endswith(".py"):
            data = self.data(path)
            found: set[bytes] = set()
            for pattern in _PYTHON_PACKAGES:
                for text in pattern.findall(data):
                    found.update(part.split(None, 1)[0] for part in text.split(b",") if part.strip())
            return frozenset(name.partition(b".")[0].decode("utf-8", "replace") for name in found)
        names = (name.decode("utf-8", "replace").removeprefix("node:").split("/") for name in self.written(path))
        return frozenset("/".join(parts[:2]) if parts[0][:1] == "@" else parts[0] for parts in names)

    def targets(self, path: str) -> list[tuple[int, str, str]]:
        """The files of the project that ``path`` imports: offset, file and way, in order, each once."""
        found: dict[str, tuple[int, str, str]] = {}
        for at, module, way in self.imports(path):
            target = self.resolved(path, module)
            if target is not None and target != path:
                kept = found.get(target)
                if kept is None or (kept[2] in ("dynamic", "inner") and way not in ("dynamic", "inner")):
                    found[target] = (at, target, way)
        return sorted(found.values())

    def resolved(self, path: str, module: str) -> str | None:
        """The file that ``module`` means in ``path``; nothing is asked about names that no file of the project has."""
        python = path.endswith(".py")
        if python and module.strip(".") and module.rpartition(".")[2] not in self.stems:
            return None
        linker = self.project.linkers.get("python" if python else "javascript")
        target = linker.target(path, module) if linker is not None else None
        return target if target is not None and not target.endswith("/") else None

    @cached_property
    def stems(self) -> frozenset[str]:
        """The last parts of the names of all files and folders, without suffixes."""
        names = {path.rpartition("/")[2].partition(".")[0] for path in self.paths}
        names.update(folder.rpartition("/")[2] for folder in self.project.tree.folders)
        return frozenset(names)

    def of(self, path: str, *, dynamic: bool = True) -> tuple[str, ...]:
        """The files that import ``path`` itself; without ``dynamic``, not those that do so with ``import()`` alone."""
        if not dynamic:
            return tuple(other for other in self.of(path)
                         if any(way != "dynamic" for _, target, way in self.targets(other) if target == path))
        if path not in self._importers and len(self._importers) >= _FEW:
            self._importers[path] = tuple(sorted(self._reversed.get(path, ())))
        if path not in self._importers:
            words = self._words(path)
            found = set()
            for word in words:
                for other in self.mentions(word, path):
                    if other != path and other not in found:
                        ends = self._ends_of(other)
                        modules = [m for w in words for m in ends.get(w, ())] + ends.get("", [])
                        if any(self.resolved(other, module) == path for module in modules):
                            found.add(other)
            self._importers[path] = tuple(sorted(found))
        return self._importers[path]

    @cached_property
    def _reversed(self) -> dict[str, set[str]]:
        """Every file that is imported, with those that do: worth its price when many files have been asked about."""
        found: dict[str, set[str]] = {}
        for path in self.paths:
            for _, target, _ in self.targets(path):
                found.setdefault(target, set()).add(path)
        return found

    def _ends_of(self, path: str) -> dict[str, list[str]]:
        """The imports of ``path`` by their last part; "" has those that end in dots, a package's name has its own."""
        found = self._ends.get(path)
        if found is None:
            found = self._ends[path] = {}
            for _, module, _ in self.imports(path):
                if module.startswith("@") and "/" in module:
                    found.setdefault("/".join(module.split("/")[:2]), []).append(module)
                elif "/" in module and not module.startswith("."):
                    found.setdefault(module.partition("/")[0], []).append(module)
                last = module.rstrip("/").rpartition("/")[2]
                if path.endswith(".py"):
                    last = module.rpartition(".")[2]
                    found.setdefault(last, []).append(module)
                else:
                    found.setdefault(last.partition(".")[0], []).append(module)
        return found

    def reachable(self, paths: Iterable[str]) -> frozenset[str]:
        """``paths`` and every file that they import, directly or through others."""
        found = set(paths)
        waiting = list(found)
        while waiting:
            fresh = {target for _, target, _ in self.targets(waiting.pop())} - found
            found |= fresh
            waiting += fresh
        return frozenset(found)

    def behind(self, path: str) -> frozenset[str]:
        """The files that ``path`` imports, directly or through index files and others that pass on what they import."""
        found: set[str] = set()
        waiting = [path]
        for _ in range(_BARRELS):
            waiting = [target for one in waiting for _, target, _ in self.targets(one) if target not in found]
            found.update(waiting)
            waiting = [target for target in set(waiting) if self._passes_on(target)]
        return frozenset(found)

    def near(self, path: str) -> frozenset[str]:
        """The files that import ``path``, directly or through index files and others that pass on what they import."""
        if path not in self._near:
            found: set[str] = set()
            waiting = [path]
            for _ in range(_BARRELS):
                waiting = [other for one in waiting for other in self.of(one) if other not in found]
                found.update(waiting)
                waiting = [other for other in set(waiting) if self._passes_on(other)]
            self._near[path] = frozenset(found)
        return self._near[path]

    def _passes_on(self, path: str) -> bool:
        if path.rpartition("/")[2].partition(".")[0] in ("index", "__init__"):
            return True
        data = self.data(path)
        return b"export *" in data or b"} from" in data or b"import *" in data or b"exports = require(" in data

    def _words(self, path: str) -> list[str]:
        """What an import of ``path`` must hold: its name, or for an index file its folder's or package's name."""
        folder, _, name = path.rpartition("/")
        stem = name.partition(".")[0]
        aliases = [] if path.endswith(".py") else [word for end, word in self._aliases if _ends_with(path, end)]
        if stem not in _INDEX:
            return [stem, *(word for word in aliases if word != stem)]
        words = [stem, *aliases] if stem == "main" else aliases
        above = folder.rpartition("/")[2]
        if above:
            words.append(above)
        if above in ("src", "lib", "source", ""):
            words += [self._package(folder)] if self._package(folder) else []
        if not path.endswith(".py"):
            words += ["index", "'.'", '"."', "'./'", '"./"', "'..", '"..']
        return words

    @cached_property
    def _aliases(self) -> list[tuple[str, str]]:
        """The names that compilers' configurations give to files: the end of the file's path, and what an import of it
        holds."""
        found = []
        for path in sorted(self.project.tree.paths):
            if _COMPILED.search(path):
                for match in _ALIAS.finditer(self.project.tree.read(path) or b""):
                    name, target = (part.decode("utf-8", "replace") for part in match.groups())
                    parts = name.split("/")
                    scoped = name.startswith("@") and len(parts) > 1
                    word = "/".join(parts[:2]) if scoped else parts[-1].partition(".")[0]
                    end = re.sub(r"^(?:\.{1,2}/)+|(?:/index)?(?:\.d)?(?:\.[cm]?[jt]sx?)?$", "", target)
                    if end and word:
                        found.append((end, word))
        return found

    def _package(self, folder: str) -> str:
        """The name of the npm package that ``folder`` belongs to, or ""."""
        while True:
            data = self.project.tree.read(f"{folder}/package.json" if folder else "package.json")
            if data is not None:
                match = re.search(rb'"name"\s*:\s*"([^"]+)"', data)
                return match[1].decode("utf-8", "replace") if match else ""
            if not folder:
                return ""
            folder = folder.rpartition("/")[0]


def _ends_with(path: str, end: str) -> bool:
    """Whether ``end``, without its suffix, is the file ``path`` or the folder whose index it is."""
    here = path.rpartition("/")
    stem = here[2].partition(".")[0]
    way = f"{here[0]}/{stem}" if here[0] else stem
    return f"/{way}".endswith(f"/{end}") or (stem == "index" and f"/{here[0]}".endswith(f"/{end}"))


def importers(project: Project) -> Importers:
    """The answers about ``project``, kept."""
    found: Importers | None = project.memo.get(Importers)
    if found is None:
        found = project.memo[Importers] = Importers(project)
    return found


def imports(*, python: bool) -> re.Pattern[bytes]:
    """What matches the statements of a file that import: a name that stands there alone is not used."""
    return _PYTHON if python else _IMPORTED


def _javascript_imports(data: bytes) -> list[tuple[int, str, str]]:
    rows: list[tuple[int, str, str]] = []
    end = 0
    for at in _first().places(data):
        if at < end:
            continue
        start = data.rfind(b"\n", 0, at) + 1
        indent = data[start:at]
        if not indent.strip(b" \t") and (match := _STATIC.match(data, at)) is not None:
            if match["type"] is None:
                rows.append((start, match["static"].decode("utf-8", "replace"), "static"))
        elif (match := _CALLED.match(data, at)) is None:
            continue
        elif match["required"] is not None:
            way = "inner" if indent[:1].isspace() else "required"
            rows.append((at, match["required"].decode("utf-8", "replace"), way))
        else:
            rows.append((at, match["dynamic"].decode("utf-8", "replace"), "dynamic"))
        end = match.end()
    return rows


@cache
def _first() -> Words:
    """What every import of JavaScript begins with."""
    return Words((b"import", b"export", b"require("))


def _python_imports(data: bytes) -> list[tuple[int, str, str]]:
    rows = []
    end = 0
    for word in _IMPORT.finditer(data):
        # every statement that imports has this word on its first line: looking at each line takes ten times as long
        start = data.rfind(b"\n", 0, word.start()) + 1
        if start < end or (match := _PYTHON.match(data, start)) is None:
            continue
        end = match.end()
        way = "inner" if match["indent"] else "static"
        at = match.end("indent")
        if match["plain"] is not None:
            for part in match["plain"].decode("utf-8", "replace").split(","):
                if words := part.split():
                    rows.append((at, words[0], way))
        else:
            module = match["module"].decode("utf-8", "replace")
            rows.append((at, module, way))
            text = re.sub(rb"#[^\n]*", b"", match["names"])
            skip = False
            for word in _WORD.findall(text):
                if word == b"as":
                    skip = True
                elif skip:
                    skip = False
                else:
                    dot = "" if module.endswith(".") else "."
                    rows.append((at, f"{module}{dot}{word.decode()}", way))
    return rows
