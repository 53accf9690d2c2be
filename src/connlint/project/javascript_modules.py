"""The linker of JavaScript and TypeScript: which names an import takes, and whether its module defines them.

Everything is decided twice. A scan over bytes settles what is there; only a name that it does not see is looked for in
a real parse of the module, and only then is the importing file parsed too, to know that its import is one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container
from functools import cached_property

from connlint.languages.javascript import scan
from connlint.languages.javascript.imports import Imports
from connlint.languages.javascript.lexed import seen_by_import
from connlint.languages.javascript.outline import DECLARATIONS, Outline, outline
from connlint.languages.javascript.scan import Exports, Statement
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.javascript_files import folder_of
from connlint.project.javascript_paths import Resolver
from connlint.project.linker import ImportUse, UsedName
from connlint.project.tree import Tree

_VENDORED = re.compile(r"(?:^|/)(?:node_modules|vendors?|vendored|third[_-]party|bower_components)/")
_BUNDLED = re.compile(r"(?:^|/)dist(?:[-_]\w+)*/|[.-](?:min|bundle|umd|packed)\.[cm]?js$")
_SCENERY = re.compile(
    r"(?:^|/)(?:__?fixtures?__?|fixtures?|__testfixtures__|test-?data|codemods?|stubs?|snippets?|corpus|"
    r"tests?/(?:[^/]+/)*(?:\w*[cC]ases|samples|inputs?|outputs?|_?expected))/"
)
_OBJECT = frozenset({
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
    "then", "__esModule", "__proto__", "prototype", "default",
})
"""Names that any object answers to, or that are asked of any module."""
_OPEN = ""
"""In answers about a name: it may be there."""
_CODE = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte)$")
_AUGMENTED = re.compile(rb"""declare\s+module\s+["'](\.[^"'\n]*|[@~#$][^"'\n]*)["']""")


_TRANSLATOR = re.compile(
    r"(?:webpack|rollup|vite|vitest|esbuild|parcel|parcel-bundler|tsx|ts-node|jest|next|nuxt|react-scripts|tsup|rolldown"
    r"|typescript|browserify|snowpack|gatsby|astro|bun|bun-types|esm|sucrase|esbuild-.*|rollup-.*|@babel/.*|babel-.*"
    r"|@swc/.*|@rspack/.*|@parcel/.*|@vue/cli.*|@angular/.*|@sveltejs/.*)$"
)
"""Packages that load modules in their own way, in which a name is looked up when the program runs."""


class JavaScriptLinker:
    """`connlint.project.linker.Linker` for ``.js .mjs .cjs .jsx .ts .mts .cts .tsx .vue .svelte``."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.resolver = Resolver(tree)
        self._scans: dict[str, Exports | None] = {}
        self._outlines: dict[str, Outline | None] = {}
        self._seen: dict[str, dict[str, str | None]] = {}
        self._lexed_names: dict[str, Container[str]] = {}

    def resolve(self, path: str, module: str) -> Answer:
        """The file that ``module`` means in ``path``; see `connlint.project.javascript_paths`."""
        return self.resolver.resolve(path, module)

    def imports(self, path: str, data: bytes) -> list[ImportUse]:
        """Every import, re-export, ``require`` and ``import()`` with a literal specifier.

        Names are listed for modules of this project. Names that only types can be are left out. Where nothing is
        missing the uses are read from bytes and may include what stands in a comment; as soon as something seems to be
        missing, the file is parsed and every use is a real one.
        """
        statements = scan.statements(data)
        uses: list[ImportUse] = []
        missing = False
        relative, named = self.resolver.known(path)
        for statement in statements:
            specifier = statement.specifier
            answer = (relative if specifier[0] == "." else named).get(specifier)
            if answer is None:
                answer = self.resolver.resolve(path, specifier)
            kind = type(answer)
            if kind is Found:
                use, complete = self._cheap(answer.path, statement, data)
                uses.append(use)
                missing = missing or not complete or self._unseen(path, answer.path, use)
            else:
                missing = missing or kind is Missing
                uses.append(ImportUse(specifier, statement.at, ()))
        return self._checked(path, data, statements) if missing else uses

    def lookup(self, path: str, use: ImportUse, name: str) -> Answer:
        """Whether the module of ``use`` defines ``name``; "default" is the default export."""
        answer = self.resolver.resolve(path, use.module)
        if type(answer) is not Found:
            return answer if type(answer) is Unknown else Unknown("the module is missing")
        target = answer.path
        found = self._defined(target, name)
        if found is None and name == "default" and self._interoperates(path, target):
            found = _OPEN
        if found is None and use.breaks == "use" and self._given_elsewhere(target, name):
            found = _OPEN
        unseen = bool(found) and use.breaks == "import" and not self._linkable(path, target, name)
        if (found is None or unseen) and _SCENERY.search(path):
            return Unknown("material for a tool")
        if unseen:
            return Missing(f"{target} exports it in a way that import does not see", (), "default")
        if found is None:
            return Missing(f"{target} does not export it", self._definers(name, target), self._near(target, name))
        return self.resolver.found(found) if found else Unknown("the exports of the module cannot be known")

    # -- the importing file -------------------------------------------------------------------------------------------

    def _cheap(self, target: str, statement: Statement, data: bytes) -> tuple[ImportUse, bool]:
        """The use as bytes show it, and whether every name it takes is there."""
        names: list[UsedName] = []
        if not statement.types:
            if statement.default is not None:
                names.append(UsedName("default", statement.default))
            if statement.clause is not None:
                if statement.kind in ("import", "export"):
                    names += [UsedName(n, at) for n, at, typed in scan.named(data, statement.clause) if not typed]
                else:
                    names += [UsedName(n, at) for n, at in scan.picked(data, statement.clause)]
            if statement.member is not None:
                member = data[slice(*statement.member)].decode("utf-8", "replace")
                names.append(UsedName(member, statement.member, False))
        known = self._seen.setdefault(target, {})
        complete = True
        for used in names:
            if known.get(used.name) is None and self._defined(target, used.name) is None:
                complete = False
        if complete and statement.namespace is not None and not statement.types and _CODE.search(target):
            start, end = statement.namespace
            complete = all(
                self._defined(target, n) is not None for n in scan.members(data, data[start:end]) if n not in _OBJECT
            )
        breaks = "import" if statement.kind in ("import", "export") else "use"
        return ImportUse(statement.specifier, statement.at, tuple(names), "types only" if statement.types else None,
                         breaks), complete

    def _checked(self, path: str, data: bytes, statements: list[Statement]) -> list[ImportUse]:
        """The uses as a parse shows them."""
        imports = Imports(path, data)
        uses: list[ImportUse] = []
        for statement in statements:
            taken = imports.taken(statement)
            if taken is None:
                continue
            excused = taken.excused
            if path.endswith(DECLARATIONS):
                excused = excused or "declarations only"
            if excused is None and _mocked(data, statement.specifier):
                excused = "mocked"
            answer = self.resolver.resolve(path, statement.specifier)
            names = members = ()
            if type(answer) is Found:
                names = tuple(UsedName(n, at) for n, at in taken.names)
                members = tuple(UsedName(n, at, False) for n, at in taken.members if n not in _OBJECT)
            if names or not members:
                uses.append(ImportUse(statement.specifier, statement.at, names, excused, taken.breaks))
            if members:
                uses.append(ImportUse(statement.specifier, statement.at, members, excused, "use"))
        return uses

    # -- CommonJS seen from ES modules --------------------------------------------------------------------------------

    def _unseen(self, path: str, target: str, use: ImportUse) -> bool:
        return use.breaks == "import" and not all(self._linkable(path, target, used.name) for used in use.names)

    def _linkable(self, path: str, target: str, name: str) -> bool:
        """Whether Node finds ``name`` in ``target`` before it runs; True wherever Node alone is not at work."""
        if name == "default" or not target.endswith((".js", ".cjs")) or not path.endswith((".js", ".mjs")):
            return True
        if not self._by_node(path, ".mjs", True) or not self._by_node(target, ".cjs", False):
            return True
        return name in self._lexed(target)

    def _interoperates(self, path: str, target: str) -> bool:
        """Whether ``target`` becomes CommonJS and ``path`` stays an ES module, so that the default is the whole."""
        if not path.endswith((".mts", ".mjs")) or target.endswith((".mts", ".mjs")):
            return False
        package = self.resolver.packages.nearest(folder_of(target))
        return package is None or not package.is_module

    def _by_node(self, path: str, extension: str, module: bool) -> bool:
        """Whether Node itself loads the file, as an ES module or not, and nothing translates it before."""
        package = self.resolver.packages.nearest(folder_of(path))
        if not path.endswith(extension) and (package is None or package.is_module is not module):
            return False
        return not any(_TRANSLATOR.match(name) for name in self.resolver.packages.dependencies(folder_of(path)))

    def _lexed(self, target: str) -> Container[str]:
        """The names that Node sees in a CommonJS file; everything where that cannot be told."""
        if target not in self._lexed_names:
            self._lexed_names[target] = _Everything()
            data = self.tree.read(target)
            seen = seen_by_import(target, data) if data is not None else None
            read = self._outline(target)
            if seen is not None and read is not None and read.form == "commonjs":
                answers = [self.resolver.resolve(target, specifier) for specifier in seen[1]]
                below = [self._lexed(answer.path) for answer in answers if type(answer) is Found]
                if len(below) == len(answers) and not any(isinstance(names, _Everything) for names in below):
                    self._lexed_names[target] = seen[0].union(*below)
        return self._lexed_names[target]

    # -- the module ---------------------------------------------------------------------------------------------------

    def _defined(self, target: str, name: str) -> str | None:
        """The file that defines ``name`` for whoever imports ``target``; `_OPEN` where it may; None where none does."""
        known = self._seen.setdefault(target, {})
        if name not in known:
            found = self._look(target, name, frozenset())
            known[name] = found if found is not None else self._settle(target, name, frozenset())
        return known[name]

    def _scan(self, target: str) -> Exports | None:
        """The exports as bytes show them; None for what is no code."""
        if target not in self._scans:
            data = self.tree.read(target) if _CODE.search(target) else None
            self._scans[target] = scan.exports(data) if data is not None else None
        return self._scans[target]

    def _look(self, target: str, name: str, seen: frozenset[str]) -> str | None:
        """`_defined` by scans: an answer or None for "not seen"."""
        exports = self._scan(target)
        if exports is None:
            return _OPEN
        if name in exports.names:
            return self._passed_on(target, exports.moved.get(name), seen) or target
        if name == "default" and target.endswith((".vue", ".svelte")):
            return target
        if exports.stars and target not in seen:
            seen |= {target}
            for star in exports.stars:
                answer = self.resolver.resolve(target, star)
                if type(answer) is Found and name != "default" and (found := self._look(answer.path, name, seen)):
                    return found
        return None

    def _passed_on(self, target: str, moved: tuple[str, str] | None, seen: frozenset[str]) -> str | None:
        """Where a re-exported name is defined. A fault there is the re-export's own, not that of its importers."""
        if moved is None or moved[1] == "*" or target in seen:
            return None
        answer = self.resolver.resolve(target, moved[0])
        return self._look(answer.path, moved[1], seen | {target}) if type(answer) is Found else None

    def _outline(self, target: str) -> Outline | None:
        if target not in self._outlines:
            data = self.tree.read(target) if _CODE.search(target) else None
            self._outlines[target] = outline(target, data) if data is not None else None
        return self._outlines[target]

    def _settle(self, target: str, name: str, seen: frozenset[str]) -> str | None:
        """`_defined` by parses; None is final."""
        found = self._outline(target) if not _BUNDLED.search(target) else None
        if found is None or found.opened is not None or (found.form != "module" and _VENDORED.search(target)):
            return _OPEN
        if name in found.names:
            return target
        if target.endswith(DECLARATIONS):
            return _OPEN
        if name == "default" and found.form == "commonjs":
            return _OPEN
        if name != "default":
            for star in found.stars:
                answer = self.resolver.resolve(target, star)
                if type(answer) is not Found:
                    return _OPEN
                if answer.path in seen or answer.path == target:
                    continue
                below = self._settle(answer.path, name, seen | {target})
                if below is not None:
                    return below
        if not seen:
            others = (*self.resolver.files.twins(target), *self.resolver.packages.variants.get(target, ()))
            if any(self._look(other, name, frozenset()) is not None for other in others):
                return _OPEN
            if any(re.search(rb"(?<![\w$])%b(?![\w$])" % re.escape(name.encode()), data)
                   for data in self._augmentations.get(target, ())):
                return _OPEN
        return None

    @cached_property
    def _augmentations(self) -> dict[str, list[bytes]]:
        """Files that add declarations to a module of the project, by that module."""
        found: dict[str, list[bytes]] = {}
        for path in sorted(self.tree.paths):
            data = self.tree.read(path) if path.endswith((".ts", ".tsx", ".mts", ".cts")) else None
            if data is not None and b"declare module" in data:
                for m in _AUGMENTED.findall(data):
                    answer = self.resolver.resolve(path, m.decode("utf-8", "replace"))
                    if type(answer) is Found:
                        found.setdefault(answer.path, []).append(data)
        return found

    def _given_elsewhere(self, target: str, name: str) -> bool:
        """Whether a CommonJS module's object is perhaps given ``name`` by another file: objects are open to all."""
        found = self._outline(target)
        if found is None or found.form != "commonjs":
            return False
        pattern = re.compile(rb"(?<!exports)\.%b\s*=[^=]" % re.escape(name.encode()))
        for path in self._code:
            data = self.tree.read(path) if path != target else None
            if data is not None and pattern.search(data):
                for statement in scan.statements(data):
                    answer = self.resolver.resolve(path, statement.specifier)
                    if type(answer) is Found and answer.path == target:
                        return True
        return False

    # -- what was meant -----------------------------------------------------------------------------------------------

    @cached_property
    def _code(self) -> list[str]:
        paths = (p for p in self.tree.paths if p.endswith(scan.SUFFIXES))
        return sorted(p for p in paths if not (_VENDORED.search(p) or _BUNDLED.search(p)))

    @cached_property
    def _exporters(self) -> dict[str, list[str]]:
        """Name → the files that seem to export it, not counting those that pass it on."""
        found: dict[str, list[str]] = {}
        for path in self._code:
            exports = self._scan(path)
            if exports is not None:
                for name in exports.names:
                    if name not in exports.moved:
                        found.setdefault(name, []).append(path)
        return found

    def _definers(self, name: str, target: str) -> tuple[str, ...]:
        if name == "default":
            return ()
        paths = [p for p in self._exporters.get(name, ()) if p != target]
        folder = folder_of(target)
        return tuple(sorted(paths, key=lambda p: (-_shared(p, folder), p))[:5])

    def _near(self, target: str, name: str) -> str | None:
        names = self._all(target, frozenset()) - {"default"}
        if name == "default":
            return next(iter(names)) if len(names) == 1 else None
        folded = {n.lower(): n for n in names}
        if name.lower() in folded:
            return folded[name.lower()]
        close = difflib.get_close_matches(name, sorted(names), 1, 0.7)
        return close[0] if close else None

    def _all(self, target: str, seen: frozenset[str]) -> set[str]:
        exports = self._scan(target)
        if exports is None or target in seen:
            return set()
        names = set(exports.names)
        for star in exports.stars:
            answer = self.resolver.resolve(target, star)
            if type(answer) is Found:
                names |= self._all(answer.path, seen | {target})
        return names


def _shared(path: str, folder: str) -> int:
    """How many leading folders two paths share."""
    count = 0
    for a, b in zip(path.split("/"), folder.split("/")):
        if a != b:
            break
        count += 1
    return count


def _mocked(data: bytes, specifier: str) -> bool:
    """Whether the file replaces the module for its tests."""
    return b"ock" in data and re.search(
        rb"""[mM]ock\w*(?:\.\w+)?(?:<[^>]*>)?\(\s*(?:import\(\s*)?["'`]%b["'`]""" % re.escape(specifier.encode()), data
    ) is not None


class _Everything(Container[str]):
    """Holds every name."""

    def __contains__(self, name: object) -> bool:
        return True
