"""The linker of JavaScript and TypeScript: which names an import takes, and whether its module defines them.

Everything is decided twice. A scan over bytes settles what is there; only a name that it does not see is looked for in
a real parse of the module, and only then is the importing file parsed too, to know that its import is one.
"""

from __future__ import annotations

import posixpath

from connlint.languages.javascript import scan
from connlint.languages.javascript.imports import Imports
from connlint.languages.javascript.lexed import seen_by_import
from connlint.languages.javascript.outline import DECLARATIONS
from connlint.languages.javascript.scan import Statement
from connlint.patterns import regex
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.javascript_absence import is_material
from connlint.project.javascript_exports import CODE, OPEN, Exporters
from connlint.project.javascript_files import folder_of
from connlint.project.javascript_paths import Resolver
from connlint.project.linker import ImportUse, UsedName
from connlint.project.tree import Tree

_OBJECT = frozenset({
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
    "then", "__esModule", "__proto__", "prototype", "default",
})
"""Names that any object answers to, or that are asked of any module."""
_CONFIGURATION = regex(r"(?:^|/)[\w-]+\.config\.[cm]?[jt]s$")
_ADDED = regex(r"(?:rewire(?:\$.+)?|restore|__(?:get|set|with|Rewire|RewireAPI|GetDependency|ResetDependency)__)$")
_ADDING = frozenset(("babel-plugin-rewire", "babel-plugin-rewire-exports", "babel-plugin-rewire-ts"))
"""Plugins of Babel that add exports to every module, and their names as they document them."""
_SKIPPING = frozenset(("webpack", "react-scripts", "@vue/cli-service", "laravel-mix", "@rspack/core"))
"""Bundlers that look for a name in its module where something uses it, as webpack documents it of its imports."""
_STORY = regex(r"\.stories\.[cm]?[jt]sx?$")
_TRANSFORMS = regex(rb"\btransform\s*[(:]")
_TRANSLATOR = regex(
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
        self.exporters = Exporters(tree, self.resolver)
        self.unknown = 0
        self._lexed_names: dict[str, frozenset[str] | None] = {}
        self._translated: dict[str, bool] = {}

    def resolve(self, path: str, module: str) -> Answer:
        """The file that ``module`` means in ``path``; see `connlint.project.javascript_paths`."""
        return self.resolver.resolve(path, module)

    def target(self, path: str, module: str) -> str | None:
        """The path of what `resolve` finds, None where it finds nothing; see `Linker.target`."""
        return self.resolver.target(path, module)

    def home(self, target: str, name: str) -> str | None:
        """The file that seems to define ``name`` for whoever imports ``target``; see `Linker.home`."""
        return self.exporters.seen_in(target, name)

    def imports(self, path: str, data: bytes) -> list[ImportUse]:
        """Every import, re-export, ``require`` and ``import()`` with a literal specifier.

        Names are listed for modules of this project. Names that only types can be are left out. Where nothing is
        missing the uses are read from bytes and may include what stands in a comment; as soon as something seems to be
        missing, the file is parsed and every use is a real one. Uses of which nothing is missing are settled.
        """
        statements = scan.statements(data)
        uses: list[ImportUse] = []
        missing = False
        self.unknown = 0
        relative, named = self.resolver.known(path)
        for statement in statements:
            specifier = statement.specifier
            answer = (relative if specifier[0] == "." else named).get(specifier)
            if answer is None:
                answer = self.resolver.resolve(path, specifier)
            if type(answer) is Found:
                use, complete = self._cheap(answer.path, statement, data)
                uses.append(use)
                missing = missing or not complete or self._unseen(path, answer.path, use)
            else:
                if type(answer) is Missing:
                    missing = True
                elif type(answer) is Unknown and not answer.foreign:
                    self.unknown += 1
                uses.append(ImportUse(specifier, statement.at, (), settled=True))
        return self._checked(path, data, statements) if missing else uses

    def spelled(self, path: str, module: str, target: str) -> str | None:
        """A relative path, written as ``module`` is; whether an alias or a package is wanted is a matter of taste."""
        if not module.startswith("."):
            return None
        near = posixpath.relpath(target, posixpath.dirname(path) or ".")
        near = near if near.startswith(".") else f"./{near}"
        stem, dot, suffix = near.rpartition(".")
        written = posixpath.splitext(module)[1]
        if not written:
            near = stem.removesuffix("/index") if dot else near
        elif written != f".{suffix}":  # TypeScript's ``./a.js`` for ``./a.ts``
            near = stem + written
        return near if self.resolve(path, near) == Found(target) else None

    def lookup(self, path: str, use: ImportUse, name: str) -> Answer:
        """Whether the module of ``use`` defines ``name``; "default" is the default export."""
        answer = self.resolver.resolve(path, use.module)
        if type(answer) is not Found:
            return answer if type(answer) is Unknown else Unknown("the module is missing")
        target = answer.path
        found = self.exporters.defined(target, name)
        if found is None and name == "default" and self._interoperates(path, target):
            found = OPEN
        if found is None and use.breaks == "use" and self.exporters.given_elsewhere(target, name):
            found = OPEN
        unseen = bool(found) and use.breaks == "import" and not self._linkable(path, target, name)
        if (found is None or unseen) and is_material(path):
            return Unknown("material for a tool")
        if found is None and self._is_added(target, name):
            return Unknown("exported by what translates the module")
        if found is None and _CONFIGURATION.search(path) and self.exporters.defined(target, "default"):
            return Unknown("loaded by a tool that may look through the default export")
        if unseen:
            return Missing(f"{target} exports it in a way that import does not see", (), "default")
        if found is None:
            elsewhere, near = self.exporters.definers(name, target), self.exporters.near(target, name)
            return Missing(f"{target} does not export it", elsewhere, near)
        return self.resolver.found(found) if found else Unknown("the exports of the module cannot be known")

    def _is_added(self, target: str, name: str) -> bool:
        """Whether a plugin of Babel gives every module an export of that name, for tests to put something in the place
        of others."""
        return _ADDED.match(name) is not None and not _ADDING.isdisjoint(
            self.resolver.packages.dependencies(folder_of(target)))

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
        known = self.exporters.seen.setdefault(target, {})
        complete = True
        for used in names:
            if known.get(used.name) is None and self.exporters.defined(target, used.name) is None:
                complete = False
        if complete and statement.namespace is not None and not statement.types and CODE.search(target):
            start, end = statement.namespace
            members = scan.members(data, data[start:end]) - _OBJECT
            complete = all(self.exporters.defined(target, name) is not None for name in members)
        breaks = "import" if statement.kind in ("import", "export") else "use"
        return ImportUse(statement.specifier, statement.at, tuple(names), "types only" if statement.types else None,
                         breaks, settled=True), complete

    def _checked(self, path: str, data: bytes, statements: list[Statement]) -> list[ImportUse]:
        """The uses as a parse shows them."""
        config, _ = self.resolver.configs.governing(path)
        imports = Imports(path, data, verbatim=config is not None and config.verbatim, bundled=self._is_skipping(path))
        uses: list[ImportUse] = []
        mocked = _mocked(data)
        for statement in statements:
            taken = imports.taken(statement)
            if taken is None:
                continue
            excused = taken.excused
            if path.endswith(DECLARATIONS):
                excused = excused or "declarations only"
            if excused is None and self._is_rewritten(path):
                excused = "what builds stories writes them anew"
            if excused is None and statement.specifier in mocked:
                excused = "mocked"
            answer = self.resolver.resolve(path, statement.specifier)
            if excused is None and taken.later and type(answer) is Missing and self._folder_is_missing(answer):
                excused = "perhaps a part that this checkout does not have"
            if excused is None and type(answer) is Found and self.resolver.is_guessed(
                    path, statement.specifier, answer.path):
                excused = "an alias that nobody declares"
            names: tuple[UsedName, ...] = ()
            members: tuple[UsedName, ...] = ()
            idle: tuple[UsedName, ...] = ()
            if type(answer) is Found:
                names = tuple(UsedName(n, at) for n, at in taken.names)
                idle = tuple(UsedName(n, at) for n, at in taken.idle)
                members = tuple(UsedName(n, at, False) for n, at in taken.members if n not in _OBJECT)
            elif type(answer) is Missing:
                names = tuple(UsedName(n, at) for n, at in (*taken.names, *taken.idle))
                names += tuple(UsedName(n, at, False) for n, at in taken.members if n not in _OBJECT)
            called = taken.breaks == "use"
            if type(answer) is Missing and taken.idle and not (
                    taken.names or taken.members or imports.only_skips or called):
                idle, names = names, ()
            if idle:
                breaks = "nothing" if imports.only_skips or called else "check"
                uses.append(ImportUse(statement.specifier, statement.at, idle, excused, breaks))
            if names or not (members or idle):
                # a name that is not there is undefined; where the whole module is not, nothing comes behind its load
                breaks = "import" if taken.at_once and type(answer) is Missing else taken.breaks
                uses.append(ImportUse(statement.specifier, statement.at, names, excused, breaks))
            if members:
                uses.append(ImportUse(statement.specifier, statement.at, members, excused, "use"))
        return uses

    def _is_rewritten(self, path: str) -> bool:
        """Whether a plugin beside the configuration of Storybook transforms files of stories, and so their imports."""
        folder = path if _STORY.search(path) else ""
        while folder:
            folder = folder_of(folder)
            beside = f"{folder}/.storybook" if folder else ".storybook"
            if names := self.resolver.files.listing.get(beside, ()):
                texts = (self.tree.read(f"{beside}/{name}") or b"" for name in names if CODE.search(name))
                return any(b".stories" in text and _TRANSFORMS.search(text) is not None for text in texts)
        return False

    def _is_skipping(self, path: str) -> bool:
        """Whether a bundler that looks for a name where it is used makes what runs of the file, and not Node."""
        packages = self.resolver.packages
        package = packages.nearest(folder_of(path))
        return not path.endswith(".mjs") and not (package is not None and package.is_module) and (
            not _SKIPPING.isdisjoint(packages.dependencies(folder_of(path))))

    def _folder_is_missing(self, answer: Missing) -> bool:
        """Whether not only the module is missing, but two folders above it as well."""
        folder = folder_of(answer.tried[0]) if answer.tried else ""
        above = folder_of(folder)
        return bool(above) and folder not in self.tree.folders and above not in self.tree.folders

    # -- CommonJS seen from ES modules --------------------------------------------------------------------------------

    def _unseen(self, path: str, target: str, use: ImportUse) -> bool:
        return use.breaks == "import" and not all(self._linkable(path, target, used.name) for used in use.names)

    def _linkable(self, path: str, target: str, name: str) -> bool:
        """Whether Node finds ``name`` in ``target`` before it runs; True wherever Node alone is not at work."""
        if name == "default" or not target.endswith((".js", ".cjs")) or not path.endswith((".js", ".mjs")):
            return True
        if not self._by_node(path, ".mjs", True) or not self._by_node(target, ".cjs", False):
            return True
        names = self._lexed(target)
        return names is None or name in names

    def _interoperates(self, path: str, target: str) -> bool:
        """Whether ``target`` becomes CommonJS and ``path`` stays an ES module, so that the default is the whole."""
        packages = self.resolver.packages
        package, own = packages.nearest(folder_of(target)), packages.nearest(folder_of(path))
        if target.endswith((".mts", ".mjs")) or (package is not None and package.is_module):
            return False
        # a package that is built to CommonJS gives its importers that, whatever its sources say
        stays = path.endswith(".js") and own is not None and own.is_module and own is not package
        return stays or path.endswith((".mts", ".mjs"))

    def _by_node(self, path: str, extension: str, module: bool) -> bool:
        """Whether Node itself loads the file, as an ES module or not, and nothing translates it before."""
        package = self.resolver.packages.nearest(folder_of(path))
        if not path.endswith(extension) and (package is None or package.is_module is not module):
            return False
        return not self._is_translated(folder_of(path))

    def _is_translated(self, folder: str) -> bool:
        """Whether a package above ``folder`` depends on something that translates modules before Node gets them."""
        if folder not in self._translated:
            self._translated[folder] = any(map(_TRANSLATOR.match, self.resolver.packages.dependencies(folder)))
        return self._translated[folder]

    def _lexed(self, target: str) -> frozenset[str] | None:
        """The names that Node sees in a CommonJS file; None where that cannot be told."""
        if target not in self._lexed_names:
            self._lexed_names[target] = None
            data = self.tree.read(target)
            seen = seen_by_import(target, data) if data is not None else None
            outline = self.exporters.outline(target)
            if seen is not None and outline is not None and outline.form == "commonjs":
                names, passed_on = seen
                answers = [self.resolver.resolve(target, specifier) for specifier in passed_on]
                below = [self._lexed(answer.path) if type(answer) is Found else None for answer in answers]
                if None not in below:
                    self._lexed_names[target] = frozenset(names).union(*(b for b in below if b is not None))
        return self._lexed_names[target]


_MOCKED = regex(rb"""[mM]ock\w*(?:\.\w+)?(?:<[^>]*>)?\(\s*(?:import\(\s*)?["'`]([^"'`\n]+)["'`]""")


def _mocked(data: bytes) -> frozenset[str]:
    """The modules that the file replaces for its tests."""
    return frozenset(m.decode("utf-8", "replace") for m in _MOCKED.findall(data)) if b"ock" in data else frozenset()
