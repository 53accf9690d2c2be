"""What a specifier means: a file of the project, nothing at all, or something that cannot be known here.

Relative paths, aliases of TypeScript and of bundlers, subpath imports, workspaces, and the conventions of frameworks.
Installed packages are never looked at: a bare name that is none of the project's own is `Unknown`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from connlint.patterns import regex
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.bundler_aliases import BundlerAliases
from connlint.project.javascript_absence import Absence, is_asset_of_test, is_material
from connlint.project.javascript_files import Files, folder_of, join
from connlint.project.package_json import Package, Packages, exported_targets
from connlint.project.tree import Tree
from connlint.project.tsconfig import TsConfig, TsConfigs

OPAQUE = Unknown("not a path of this project", foreign=True)
_NOWHERE = Unknown("an alias of the governing configuration that leads nowhere, and that of another to a file")
INSTALLED = Unknown("an installed package", foreign=True)
_FOREIGN = regex(r"^/|^\w[\w+.-]*:|[?!\\\s|]|\$\{|//")
"""Other schemes, queries, loaders and templates."""
_CONVENTIONS = {"@": ("src", "app", "", "resources/js"), "~": ("src", "app", "", "resources/js"), "$lib": ("src/lib",)}
_FRAMEWORKS = {"@": "nuxt.config", "~": "nuxt.config", "$lib": "svelte.config"}
"""Whose aliases these are: the configuration, which always stands at the top of the package."""
_OTHERWISE = (b"alias", b"srcDir", b"extends", b"layers", b"rootDir", b"files:", b"theme:")
_BUILTIN = frozenset(
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns "
    "domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring "
    "readline repl stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads "
    "zlib".split()
)
_SETTINGS = regex(r"(?:package|project|tsconfig[\w.]*)\.json")
_WITH_SUFFIX = regex(r"\.(?:[cm]?[jt]sx?|json|vue|svelte|css|scss|sass|less)$")
"""A specifier that spells the suffix of its file; ``./bar.component`` leaves it out."""


class Scope:
    """What the files of one package under one TypeScript configuration have in common."""

    __slots__ = ("answers", "config", "folder", "near", "package")

    def __init__(self, folder: str, package: Package | None, config: TsConfig | None, near: list[TsConfig]) -> None:
        self.folder = folder
        self.package = package
        self.config = config
        self.near = near
        self.answers: dict[str, Answer] = {}

_EVALUATES = regex(rb"\b(?:runIn(?:New|This)?Context|compileFunction)\(")
_OWN_REQUIRE = regex(rb"[{,\s]require\s*:|[{,]\s*require\s*[,}]")


class Resolver:
    """Answers for one project; everything is remembered."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.files = Files(tree)
        self.packages = Packages(self.files)
        self.configs = TsConfigs(self.files, self._locate)
        self.aliases = BundlerAliases(self.files)
        self.absence = Absence(self.files)
        self._relative: dict[str, dict[str, Answer]] = {}
        self._beside: dict[str, dict[str, str | None]] = {}
        """What `target` has found behind relative paths, by folder."""
        self._scopes: dict[tuple[str, str], Scope] = {}
        self._last: tuple[str, Scope] | None = None
        self._found: dict[str, Found] = {}

    def resolve(self, path: str, specifier: str) -> Answer:
        """The file that ``specifier`` means in the file ``path``."""
        # ".prisma/client" is a package of that name
        if specifier.startswith(("./", "../")) or specifier in (".", ".."):
            folder = folder_of(path)
            near = self._relative.setdefault(folder, {})
            answer = near.get(specifier)
            if answer is None:
                answer = near[specifier] = self._relatively(path, folder, specifier)
        else:
            scope = self._scope(path)
            answer = scope.answers.get(specifier)
            if answer is None:
                answer = scope.answers[specifier] = self._named(path, scope, specifier)
            if type(answer) is Missing and is_material(path):
                return Unknown("material for a tool")
        return answer

    def target(self, path: str, specifier: str) -> str | None:
        """The path of what `resolve` finds. Why there is nothing is asked of nobody, which takes most of its time."""
        if specifier.startswith(("./", "../")):
            folder = folder_of(path)
            answer = self._relative.setdefault(folder, {}).get(specifier)
            if answer is None:
                near = self._beside.setdefault(folder, {})
                if specifier not in near:
                    base = join(folder, specifier)
                    near[specifier] = None if base is None else self.files.find(base)
                return near[specifier]
        else:
            answer = self.resolve(path, specifier)
        return answer.path if type(answer) is Found else None

    def known(self, path: str) -> tuple[dict[str, Answer], dict[str, Answer]]:
        """What has been answered for files like ``path``: relative paths, and everything else."""
        return self._relative.setdefault(folder_of(path), {}), self._scope(path).answers

    def found(self, path: str) -> Found:
        """The one answer for a file."""
        try:
            return self._found[path]
        except KeyError:
            return self._found.setdefault(path, Found(path))

    def _locate(self, folder: str, specifier: str) -> str | None:
        """The configuration file that ``extends`` names by a package of this workspace."""
        package, inside = self._package(folder, specifier)
        if package is None:
            return None
        bases = [join(package.folder, inside)] if inside else []
        if package.data.get("exports") is not None:
            targets = exported_targets(package.data["exports"], "./" + inside if inside else ".") or []
            bases += [join(package.folder, t) for t in targets]
        if not inside:
            bases += [join(package.folder, "tsconfig.json")]
        for base in bases:
            if base is not None:
                for place in (base, base + ".json", base + "/tsconfig.json"):
                    if place in self.tree.paths:
                        return place
        return None

    def _package(self, folder: str, specifier: str) -> tuple[Package | None, str]:
        """The package of this project that ``specifier`` starts with, and the path in it."""
        parts = specifier.split("/")
        count = 2 if specifier.startswith("@") else 1
        name = "/".join(parts[:count])
        package = self.packages.visible(folder).get(name)
        if package is not None and not self.packages.is_meant(package, name, folder):
            package = None
        return package, "/".join(parts[count:])

    def _scope(self, path: str) -> Scope:
        if self._last is not None and self._last[0] == path:
            return self._last[1]
        config, near = self.configs.governing(path)
        package = self.packages.nearest(folder_of(path))
        folder = package.folder if package is not None else ""
        key = (folder, config.path if config is not None else folder_of(path))
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(folder, package, config, near)
        self._last = (path, scope)
        return scope

    # -- relative paths -----------------------------------------------------------------------------------------------

    def _relatively(self, path: str, folder: str, specifier: str) -> Answer:
        base = join(folder, specifier)
        if base is None:
            return Unknown("outside the project")
        found = self.files.find(base)
        if found is not None:
            return self.found(found)
        if is_material(path) or is_asset_of_test(path, base):
            return Unknown("material for a tool")
        name = base.rpartition("/")[2]
        if {name, name.removesuffix(".js")} & self.packages.dependencies(folder):
            return Unknown("perhaps a copy of an installed package")
        package = self.packages.nearest(folder)
        if package is not None and package.replaces(base):
            return Unknown("replaced by a field of the package")
        config, _ = self.configs.governing(path)
        if config is not None and config.root_dirs:
            return Unknown("several root folders")
        for place in config.compiled(path) if config is not None else ():
            moved = join(place, specifier)
            if moved is not None and self.files.find(moved) is not None:
                return Unknown("there where it is compiled to")
        answer = self.absence.judge(base)
        if type(answer) is Missing and self._is_evaluated(folder, specifier):
            return Unknown("there where the program that evaluates the file looks")
        if type(answer) is Missing and answer.near is not None:
            near = posixpath.relpath(answer.near, folder or ".")
            if not _WITH_SUFFIX.search(specifier):
                near = re.sub(r"(?:/index)?\.[cm]?[jt]sx?$", "", near)
            else:  # TypeScript's ``./a.js`` for ``./a.ts``
                written = posixpath.splitext(near)[0] + posixpath.splitext(specifier)[1]
                near = written if self.files.find(join(folder, written) or "") == answer.near else near
            near = near if near.startswith("../") else "./" + near
            # a file of another package, or of another part of a workspace, is not what a relative path means
            other = near == specifier or self._project_of(folder_of(answer.near)) != self._project_of(folder)
            answer = Missing(answer.reason, answer.tried, None if other else near)
        return answer

    def _project_of(self, folder: str) -> str:
        """The nearest folder, ``folder`` or above, with settings of its own: a package, a part of a workspace."""
        while folder and not any(_SETTINGS.fullmatch(name) for name in self.files.listing.get(folder, ())):
            folder = folder_of(folder)
        return folder

    def _is_evaluated(self, folder: str, specifier: str) -> bool:
        """Whether a program further up finds ``specifier`` beside itself, and evaluates files with a ``require`` of its
        own, as those do that load plugins."""
        while folder:
            folder = folder_of(folder)
            moved = join(folder, specifier)
            if moved is None or self.files.find(moved) is None:
                continue
            beside = (posixpath.join(folder, name) for name in self.files.listing.get(folder, ())
                      if name.endswith((".js", ".cjs", ".mjs", ".ts")))
            texts = (self.files.tree.read(path) or b"" for path in beside)
            if any(_EVALUATES.search(text) and _OWN_REQUIRE.search(text) for text in texts):
                return True
        return False

    # -- everything else ----------------------------------------------------------------------------------------------

    def _named(self, path: str, scope: Scope, specifier: str) -> Answer:
        first = specifier.partition("/")[0]
        if first in _BUILTIN or _FOREIGN.search(specifier):
            return OPAQUE
        folder = folder_of(path)
        if specifier.startswith("#"):
            answer = self._subpath(folder, specifier)
            if answer is not None:
                return self._settled(answer)
        aliased = self._aliased(scope, specifier, folder)
        if type(aliased) is Found:
            return aliased
        if aliased is _NOWHERE:
            return aliased
        if type(aliased) is Missing and self.aliases.is_unsure(scope.folder, specifier):
            return Unknown("a bundler's alias")
        if aliased is not None:
            bundled = self._bundled(scope, specifier) if not _is_written_out(scope, specifier) else None
            return bundled if type(bundled) is Found else aliased
        package, inside = self._package(folder, specifier)
        if package is not None:
            answer = self._settled(self.packages.entry(package, inside))
            if type(answer) is Missing and not self._declared(folder, specifier) and not specifier.startswith("@"):
                return Unknown("a name that an installed package may have as well")
            if type(answer) is Missing and self._is_mapped_above(folder, specifier):
                return Unknown("an alias of a configuration that a test runner may take over")
            return answer
        if self._declared(folder, specifier):
            return INSTALLED
        return self._bundled(scope, specifier) or self._based(scope, specifier) or OPAQUE

    def is_guessed(self, path: str, specifier: str, target: str) -> bool:
        """Whether only the custom of frameworks says that ``specifier`` means ``target``, and the file at ``path``
        stands outside of the folder for which it would hold."""
        prefix = specifier.partition("/")[0]
        roots = _CONVENTIONS.get(prefix)
        scope = self._scope(path)
        if roots is None or (len(roots) == 1 and self._is_framework_of(prefix, scope.folder)):
            return False  # the framework itself says so
        if self._aliased(scope, specifier, folder_of(path)) is not None or any(
                self.aliases.at(at) for at in (scope.folder, *_above(scope.folder))):
            return False
        tops = [top for root in roots if root and (top := join(scope.folder, root)) and target.startswith(f"{top}/")]
        return bool(tops) and not any(path.startswith(f"{top}/") for top in tops)

    def _subpath(self, folder: str, specifier: str) -> Answer | None:
        for package in self.packages.above(folder):
            answer = self.packages.imported(package, specifier)
            if answer is not None:
                return answer
            if "imports" in package.data:
                return None
        return None

    def _settled(self, answer: Answer) -> Answer:
        if type(answer) is Found:
            return self.found(answer.path)
        if type(answer) is Missing:
            return self.absence.judge(answer.tried[0])
        return answer

    def _aliased(self, scope: Scope, specifier: str, folder: str) -> Answer | None:
        """Through ``paths``: of the governing configuration, else of any that lies near."""
        matches: list[tuple[TsConfig, str, list[str]]] = []
        for config in (scope.config, *scope.near) if scope.config is not None else scope.near:
            match = config.targets(specifier)
            if match is not None and (config is scope.config or not self._declared(folder, specifier)):
                matches.append((config, *match))
                for target in match[1]:
                    if (found := self.files.find(target)) is None:
                        continue
                    if config is not scope.config and matches[0][0] is scope.config:
                        # of a program inside of another, whose own folder of that name may be kept out of the project
                        return _NOWHERE
                    return self.found(found)
        matches = [m for m in matches if not m[1].startswith("*") and not any("node_modules" in t for t in m[2])]
        if not matches or self._declared(folder, specifier) or self._package(folder, specifier)[0] is not None:
            return None
        nearest = folder_of(scope.near[0].path)
        if matches[0][0] is not scope.config or folder_of(matches[0][0].path) != nearest:
            return Unknown("an alias of a configuration that may not cover the file")
        absent: Answer | None = None
        for target in matches[0][2]:
            absent = self.absence.judge(target)
            if type(absent) is not Missing:
                return absent
        return absent

    def _is_mapped_above(self, folder: str, specifier: str) -> bool:
        """Whether the paths of some configuration of TypeScript in a folder above lead to a file: the ones that cover
        it do not, but runners of tests are given such paths by programs (``pathsToModuleNameMapper``)."""
        while True:
            for name in sorted(self.files.listing.get(folder, ())):
                if name.startswith("tsconfig") and name.endswith(".json"):
                    config = self.configs.load(f"{folder}/{name}" if folder else name)
                    match = config.targets(specifier) if config is not None else None
                    if match is not None and any(self.files.find(target) is not None for target in match[1]):
                        return True
            if not folder:
                return False
            folder = folder_of(folder)

    def _declared(self, folder: str, specifier: str) -> bool:
        """Whether a package above lists the specifier's package among its dependencies."""
        parts = specifier.split("/")
        name = "/".join(parts[: 2 if specifier.startswith("@") else 1])
        return name in self.packages.dependencies(folder)

    def _bundled(self, scope: Scope, specifier: str) -> Answer | None:
        """Through the alias of a bundler's configuration, or by the convention of a framework."""
        places: list[str] = []
        at = scope.folder
        known = self.aliases.at(at)
        while not known and at:
            at = folder_of(at)
            known = self.aliases.at(at)
        best = max((k for k in known if specifier == k or specifier.startswith(k + "/")), key=len, default=None)
        if best is not None:
            rest = specifier[len(best) + 1 :]
            targets = known[best]
            places = [p for p in (join(t, rest) for t in targets) if p is not None]
            hits = [f for f in map(self.files.find, places) if f is not None]
            if len(hits) == 1:
                return self.found(hits[0])
            if hits or len(targets) != 1 or not places or targets[0] not in self.tree.folders:
                return Unknown("a bundler's alias")
            return self.absence.judge(places[0])
        prefix, _, rest = specifier.partition("/")
        roots = _CONVENTIONS.get(prefix)
        if roots is None or not rest:
            return None
        hits = []
        for root in roots:
            base = join(scope.folder, f"{root}/{rest}")
            found = self.files.find(base) if base is not None else None
            if found is not None and found not in hits:
                hits.append(found)
        if not hits and self._is_framework_of(prefix, scope.folder):
            # a folder of the first part says which of the roots it is
            first = rest.partition("/")[0] if "/" in rest else ""
            tops = [base for root in roots if (base := join(scope.folder, f"{root}/{first}")) in self.tree.folders]
            if len(tops) == 1 and (place := join(tops[0], rest[len(first):].strip("/"))) is not None:
                return self.absence.judge(place)
        return self.found(hits[0]) if len(hits) == 1 else Unknown("a framework's alias")

    def _is_framework_of(self, prefix: str, folder: str) -> bool:
        """Whether the package at ``folder`` is built by the framework to which the alias ``prefix`` belongs, as that is
        when nobody has told it otherwise."""
        for ending in ("ts", "js", "mjs"):
            data = self.tree.read(join(folder, f"{_FRAMEWORKS[prefix]}.{ending}") or "")
            if data is not None:
                return not any(word in data for word in _OTHERWISE)
        return False

    def _based(self, scope: Scope, specifier: str) -> Answer | None:
        """Through ``baseUrl``, for folders that lie there."""
        config = scope.config
        if config is None or config.base_url is None or specifier.startswith(("@", "~", "#", "$")):
            return None
        base = join(config.base_url, specifier)
        if base is None:
            return None
        if (found := self.files.find(base)) is not None:
            return self.found(found)
        first, slash, _ = specifier.partition("/")
        if slash and join(config.base_url, first) in self.tree.folders:
            return self.absence.judge(base)
        return None


def _is_written_out(scope: Scope, specifier: str) -> bool:
    """Whether the paths of a configuration of TypeScript hold the specifier as it is: what it says goes before customs.
    """
    return any((match := config.targets(specifier)) is not None and match[0] == specifier
               for config in (scope.config, *scope.near) if config is not None)


def _above(folder: str) -> Iterator[str]:
    while folder:
        folder = folder_of(folder)
        yield folder
