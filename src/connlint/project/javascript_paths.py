"""What a specifier means: a file of the project, nothing at all, or something that cannot be known here.

Relative paths, aliases of TypeScript and of bundlers, subpath imports, workspaces, and the conventions of frameworks.
Installed packages are never looked at: a bare name that is none of the project's own is `Unknown`.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from functools import cached_property

from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.bundler_aliases import BundlerAliases
from connlint.project.javascript_files import Files, folder_of, join
from connlint.project.package_json import Package, Packages
from connlint.project.tree import Tree
from connlint.project.tsconfig import TsConfig, TsConfigs

OPAQUE = Unknown("not a path of this project")
_INSTALLED = Unknown("an installed package")
_FOREIGN = re.compile(r"^/|^\w[\w+.-]*:|[?!\\\s|]|\$\{|//")
"""Other schemes, queries, loaders and templates."""
_PLACEHOLDER = re.compile(r"[{}<>%*\\|\s\"'`?!]|__\w+__|\$\$|\[\[")
_GENERATED = re.compile(
    r"(?:^|[./_-])(?:generated|gen|autogen|pb|g|auto-imports?|codegen|prisma-client|graphql-types)(?:[./_-]|$)"
    r"|_pb$|_pb\.|\+types|\$types|\$houdini|routeTree|\.node$|\.wasm$|\.d$|\.d\.[cm]?ts$|(?:^|/)auto-|\.marko|\.properties$"
)
_SCENERY = re.compile(
    r"(?:^|/)(?:__?fixtures?__?|fixtures?|__testfixtures__|__mocks__/fixtures|test-?data|test-?fixtures|templates?|\w+-templates?|"
    r"templates?-\w+|codemods?|stubs?|blueprints?|scaffold(?:s|ing)?|boilerplates?|snippets?|__snippets__|generators?|"
    r"node_modules|vendor|third_party|dist|goldens?|skeletons?|schematics|test-projects?|cookiecutter|corpus|baselines|"
    r"tests?/(?:[^/]+/)*(?:\w*[cC]ases|samples|inputs?|outputs?|_?expected)|"
    r"(?:tests?|__tests__|e2e|specs?|playgrounds?|examples?)/(?:[^/]+/)*[^/]*(?:missing|invalid|broken|nonexist|err)[^/]*)/"
)
"""Folders whose files are material for a tool and no program: they are copied elsewhere, or broken on purpose."""
_CONVENTIONS = {"@": ("src", "app", "", "resources/js"), "~": ("src", "app", "", "resources/js"), "$lib": ("src/lib",)}
_BUILTIN = frozenset(
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns "
    "domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring "
    "readline repl stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads "
    "zlib".split()
)
_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__|e2e|specs?)/")
_ASSET = re.compile(r"\.(?:svg|png|jpe?g|gif|webp|avif|ico|txt|md|html?|wasm|css)$")
_EXTENSION = re.compile(
    r"\.(?:[cm]?tsx?|json|css|s[ac]ss|less|styl|vue|svelte|svg|png|jpe?g|gif|webp|ico|md|html?|txt)$"
)
_AMBIENT = re.compile(rb"""declare\s+module\s+["']([^"'\n]+)["']""")


class Scope:
    """What the files of one package under one TypeScript configuration have in common."""

    __slots__ = ("answers", "config", "folder", "near", "package")

    def __init__(self, folder: str, package: Package | None, config: TsConfig | None, near: list[TsConfig]) -> None:
        self.folder = folder
        self.package = package
        self.config = config
        self.near = near
        self.answers: dict[str, Answer] = {}


class Resolver:
    """Answers for one project; everything is remembered."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.files = Files(tree)
        self.packages = Packages(self.files)
        self.configs = TsConfigs(self.files, self._locate)
        self.aliases = BundlerAliases(self.files)
        self._relative: dict[str, dict[str, Answer]] = {}
        self._scopes: dict[tuple[str, str], Scope] = {}
        self._last: tuple[str, Scope] | None = None
        self._found: dict[str, Found] = {}

    def resolve(self, path: str, specifier: str) -> Answer:
        """The file that ``specifier`` means in the file ``path``."""
        if specifier.startswith("."):
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
            if type(answer) is Missing and _SCENERY.search(path):
                return Unknown("material for a tool")
        return answer

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
        from connlint.project.package_json import exported_targets

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
        if _SCENERY.search(path) or (_TEST.search(path) and _ASSET.search(base)):
            return Unknown("material for a tool")
        name = base.rpartition("/")[2]
        if {name, name.removesuffix(".js")} & self.packages.dependencies(folder):
            return Unknown("perhaps a copy of an installed package")
        config, _ = self.configs.governing(path)
        if config is not None and config.root_dirs:
            return Unknown("several root folders")
        answer = self._absent(base)
        if type(answer) is Missing and answer.near is not None:
            near = posixpath.relpath(answer.near, folder or ".")
            if "." not in specifier.rpartition("/")[2]:
                near = re.sub(r"(?:/index)?\.[cm]?[jt]sx?$", "", near)
            near = near if near.startswith("../") else "./" + near
            answer = Missing(answer.reason, answer.tried, near if near != specifier else None)
        return answer

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
        if aliased is not None:
            bundled = self._bundled(scope, specifier)
            return bundled if type(bundled) is Found else aliased
        package, inside = self._package(folder, specifier)
        if package is not None:
            answer = self._settled(self.packages.entry(package, inside))
            if type(answer) is Missing and not self._declared(folder, specifier) and not specifier.startswith("@"):
                return Unknown("a name that an installed package may have as well")
            return answer
        if self._declared(folder, specifier):
            return _INSTALLED
        return self._bundled(scope, specifier) or self._based(scope, specifier) or OPAQUE

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
            return self._absent(answer.tried[0])
        return answer

    def _aliased(self, scope: Scope, specifier: str, folder: str) -> Answer | None:
        """Through ``paths``: of the governing configuration, else of any that lies near."""
        matches: list[tuple[TsConfig, str, list[str]]] = []
        for config in (scope.config, *scope.near) if scope.config is not None else scope.near:
            match = config.targets(specifier)
            if match is not None and (config is scope.config or not self._declared(folder, specifier)):
                matches.append((config, *match))
                for target in match[1]:
                    if (found := self.files.find(target)) is not None:
                        return self.found(found)
        matches = [m for m in matches if not m[1].startswith("*") and not any("node_modules" in t for t in m[2])]
        if not matches or self._declared(folder, specifier) or self._package(folder, specifier)[0] is not None:
            return None
        nearest = folder_of(scope.near[0].path)
        if matches[0][0] is not scope.config or folder_of(matches[0][0].path) != nearest:
            return Unknown("an alias of a configuration that may not cover the file")
        absent: Answer | None = None
        for target in matches[0][2]:
            absent = self._absent(target)
            if type(absent) is not Missing:
                return absent
        return absent

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
            return self._absent(places[0])
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
        return self.found(hits[0]) if len(hits) == 1 else Unknown("a framework's alias")

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
            return self._absent(base)
        return None

    # -- nothing there ------------------------------------------------------------------------------------------------

    def _absent(self, base: str) -> Answer:
        """What to say of a path at which there is nothing: missing, unless something may put a file there."""
        parent, _, name = base.rpartition("/")
        if _PLACEHOLDER.search(base) or name in ("", "package.json"):
            return Unknown("not a plain path")
        if self.files.is_built(base) or _GENERATED.search(base):
            return Unknown("made by a build")
        if any(base == s or base.startswith(s + "/") for s in self.files.submodules):
            return Unknown("in a submodule")
        names = self.files.listing.get(parent, [])
        scaled = name[: name.rfind(".")] + "@" if "." in name else name + "@"
        if any(n.startswith((name + ".", scaled)) for n in names):
            return Unknown("a file of another kind")
        inside = self.files.listing[base] if base in self.tree.folders else []
        if any(n.startswith("index.") or n == "package.json" for n in inside):
            return Unknown("a folder with an entry of another kind")
        if name.endswith((".js", ".mjs", ".cjs")) and any(n.startswith(name[: name.rfind(".") + 1]) for n in names):
            return Unknown("a file of another kind")
        candidates = _places(base)
        if base not in self.tree.folders and any(self.tree.exists(c) for c in candidates):
            return Unknown("not among the project's files")
        if self._ignored(base, candidates):
            return Unknown("ignored, so it may be made by a build")
        if any(re.fullmatch(pattern, base.rpartition("/")[2]) for pattern in self._ambient):
            return Unknown("declared as an ambient module")
        return Missing("no such file", tuple(dict.fromkeys((base, *candidates))), self._meant(base))

    def _ignored(self, base: str, candidates: list[str]) -> bool:
        """Whether ignore rules cover the file, or the topmost folder above it that is not there."""
        folder = folder_of(base)
        missing = None
        while folder and folder not in self.tree.folders:
            missing = folder
            folder = folder_of(folder)
        if missing is not None and self.tree.ignored(missing + "/x.ts"):
            return True
        return any(self.tree.ignored(c) for c in candidates)

    @cached_property
    def _ambient(self) -> list[str]:
        """Patterns with a star in ``declare module "…"`` as expressions."""
        found: list[str] = []
        for path in sorted(self.tree.paths):
            if path.endswith(".d.ts"):
                for m in _AMBIENT.findall(self.tree.read(path) or b""):
                    pattern = m.decode("utf-8", "replace")
                    if pattern.count("*") == 1 and pattern not in ("*", "*.ts", "*.js"):
                        found.append(re.escape(pattern.rpartition("/")[2]).replace(r"\*", ".*"))
        return found

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        """Name without extension → the files that have it."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.tree.paths):
            found.setdefault(_stem(path[path.rfind("/") + 1 :]), []).append(path)
        return found

    def _meant(self, base: str) -> str | None:
        """The path of the file that was probably meant."""
        parent, _, name = base.rpartition("/")
        names = self.files.listing.get(parent)
        if names is None:
            folded = base.lower()
            same = (p for p in sorted(self.tree.paths) if p.lower() == folded or p.lower().startswith(folded + "."))
            elsewhere = list(same)[:1] or self._stems.get(_stem(name), [])
            return elsewhere[0] if len(elsewhere) == 1 else None
        stems = {_stem(n): n for n in names}
        wanted = _stem(name)
        for stem, full in stems.items():
            if stem.lower() == wanted.lower():
                return f"{parent}/{full}" if parent else full
        if (elsewhere := self._stems.get(wanted)) is not None and len(elsewhere) == 1:
            return elsewhere[0]
        close = difflib.get_close_matches(wanted, sorted(stems), 1, 0.75)
        return (f"{parent}/{stems[close[0]]}" if parent else stems[close[0]]) if close else None


def _places(base: str) -> list[str]:
    """The files that ``base`` would most likely be."""
    if compiled := re.search(r"\.([cm]?)js(x?)$", base):
        return [base, f"{base[: compiled.start()]}.{compiled[1]}ts{compiled[2]}"]
    if _EXTENSION.search(base):
        return [base]
    return [base + extension for extension in (".ts", ".tsx", ".js", "/index.ts", ".json")]


def _stem(name: str) -> str:
    return re.sub(r"(?:\.d)?\.[cm]?[jt]sx?$|\.vue$|\.svelte$", "", name)
