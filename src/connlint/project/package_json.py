"""``package.json``: names, workspaces, and what a package offers under which path.

Facts: Node's documentation of packages (``exports``, ``imports``, conditions, patterns, self-reference), the manuals of
npm, Yarn, pnpm and Lerna for workspaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.javascript_files import Files, folder_of, in_output, join

_ENTRY_FIELDS = ("source", "svelte", "module", "main", "types", "typings", "browser")
_BUILT_PREFIX = regex(
    r"(?:\./)?(?:|[\w.@-]+/)(?:dist|build|lib|out|esm|cjs|es|umd|types|output|compiled)(?:[-_]\w+)*/"
)
_SOURCES = ("src/", "source/")
_LATE = ("types", "browser", "react-native", "react-server", "worker", "edge", "workerd", "deno", "bun")
_DEPENDENCIES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")


class Package(Struct, eq=False, dict=True):
    """One ``package.json``; ``folder`` is "" for the root of the project."""

    folder: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The package's name, "" where it has none."""
        name = self.data.get("name")
        return name if isinstance(name, str) else ""

    @property
    def is_module(self) -> bool:
        """Whether its ``.js`` files are ES modules."""
        return self.data.get("type") == "module"

    @cached_property
    def dependencies(self) -> dict[str, str]:
        """Every declared dependency with its version or place."""
        found: dict[str, str] = {}
        for key in _DEPENDENCIES:
            found.update((k, v) for k, v in jsonc.mapping(self.data.get(key)).items() if isinstance(v, str))
        return found


    def replaces(self, base: str) -> bool:
        """Whether the ``browser`` field (or React Native's) puts something in the place of the path ``base``."""
        for key in ("browser", "react-native"):
            for name in jsonc.mapping(self.data.get(key)):
                place = join(self.folder, name) if name.startswith("./") else None
                if place is not None and base in (place, place.removesuffix(".js"), place.removesuffix("/index.js")):
                    return True
        return False


class Packages:
    """All packages of a project; read when asked for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._loaded: dict[str, Package | None] = {}
        self._nearest: dict[str, Package | None] = {}
        self._siblings: dict[str, dict[str, Package]] = {}
        self._declared: dict[str, frozenset[str]] = {}
        self._workspaces: dict[str, list[Package]] = {}
        self.variants: dict[str, set[str]] = {}
        """Of an entry with conditions: its file → the files that other conditions lead to."""

    def at(self, folder: str) -> Package | None:
        """The package whose ``package.json`` lies in ``folder``."""
        if folder not in self._loaded:
            path = f"{folder}/package.json" if folder else "package.json"
            data = jsonc.loads(self.files.tree.read(path)) if path in self.files.paths else None
            self._loaded[folder] = Package(folder, data) if data is not None else None
        return self._loaded[folder]

    def above(self, folder: str) -> Iterator[Package]:
        """The packages in ``folder`` and the folders above it, nearest first."""
        while True:
            if (package := self.at(folder)) is not None:
                yield package
            if not folder:
                return
            folder = folder_of(folder)

    def nearest(self, folder: str) -> Package | None:
        """The package that a file of ``folder`` belongs to."""
        if folder not in self._nearest:
            self._nearest[folder] = next(self.above(folder), None)
        return self._nearest[folder]

    def dependencies(self, folder: str) -> frozenset[str]:
        """The names that the packages in ``folder`` and above declare as dependencies."""
        if folder not in self._declared:
            own = self.at(folder)
            above = self.dependencies(folder_of(folder)) if folder else frozenset()
            self._declared[folder] = above if own is None else above | own.dependencies.keys()
        return self._declared[folder]

    def major(self, folder: str, name: str) -> int | None:
        """The major version of the dependency ``name`` that the nearest package above ``folder`` declares, 2 of
        ``^2.7.14``; None where none says."""
        for package in self.above(folder):
            if (version := package.dependencies.get(name)) is not None:
                number = re.search(r"\d+", version)
                return int(number[0]) if number else None
        return None

    @cached_property
    def _folders(self) -> list[str]:
        return sorted(folder_of(p) for p in self.files.paths if p == "package.json" or p.endswith("/package.json"))

    def visible(self, folder: str) -> dict[str, Package]:
        """The packages of this project that a file of ``folder`` can import by name."""
        owner = self.nearest(folder)
        key = owner.folder if owner is not None else ""
        if key not in self._siblings:
            found: dict[str, Package] = {}
            root = folder
            while True:
                members = self._members(root)
                # A package below the root that is no member of the workspace gets its dependencies from a registry.
                if members and (owner is None or owner.folder == root or owner in members):
                    for member in members:
                        found.setdefault(member.name, member)
                if not root:
                    break
                root = folder_of(root)
            for package in self.above(folder):
                for name, place in package.dependencies.items():
                    protocol, _, target = place.partition(":")
                    if protocol in ("file", "link", "portal") and (at := join(package.folder, target)) is not None:
                        if (linked := self.at(at)) is not None:
                            found.setdefault(name, linked)
            if owner is not None and owner.data.get("exports") is not None:
                found.setdefault(owner.name, owner)
            found.pop("", None)
            self._siblings[key] = found
        return self._siblings[key]

    def is_meant(self, package: Package, name: str, folder: str) -> bool:
        """Whether ``name`` in a file of ``folder`` is ``package`` rather than a published package of the same name."""
        for owner in self.above(folder):
            if (place := owner.dependencies.get(name)) is not None and owner is not package:
                if place.startswith(("workspace:", "file:", "link:", "portal:")) or place in ("", "*", "x", "latest"):
                    return True
                wanted, has = re.search(r"\d+", place), re.search(r"\d+", str(package.data.get("version", "")))
                return ":" not in place and wanted is not None and has is not None and wanted[0] == has[0]
        return True

    def members(self, folder: str) -> dict[str, Package]:
        """The packages of the workspace whose root is ``folder``, by name."""
        return {member.name: member for member in self._members(folder)}

    def _members(self, folder: str) -> list[Package]:
        """The packages of the workspace whose root is ``folder``; none where it is no such root."""
        if folder not in self._workspaces:
            self._workspaces[folder] = list(self._matching(folder, self._patterns(folder)))
        return self._workspaces[folder]

    def _patterns(self, folder: str) -> list[str]:
        root = self.at(folder)
        workspaces = root.data.get("workspaces") if root is not None else None
        if isinstance(workspaces, dict):
            workspaces = workspaces.get("packages")
        patterns = jsonc.texts(workspaces)
        prefix = folder + "/" if folder else ""
        if f"{prefix}pnpm-workspace.yaml" in self.files.paths:
            patterns += _pnpm_packages(self.files.tree.read(f"{prefix}pnpm-workspace.yaml") or b"")
        if f"{prefix}lerna.json" in self.files.paths:
            lerna = jsonc.loads(self.files.tree.read(f"{prefix}lerna.json")) or {}
            patterns += jsonc.texts(lerna.get("packages"))
        return patterns

    def _matching(self, folder: str, patterns: list[str]) -> Iterator[Package]:
        if not patterns:
            return
        prefix = folder + "/" if folder else ""
        wanted = [_workspace_pattern(p) for p in patterns if not p.startswith("!")]
        unwanted = [_workspace_pattern(p[1:]) for p in patterns if p.startswith("!")]
        for below in self._folders:
            if below != folder and below.startswith(prefix):
                inside = below[len(prefix) :]
                if any(p.fullmatch(inside) for p in wanted) and not any(p.fullmatch(inside) for p in unwanted):
                    if (member := self.at(below)) is not None:
                        yield member

    # -- entries ------------------------------------------------------------------------------------------------------

    def entry(self, package: Package, inside: str) -> Answer:
        """The file that ``name/inside`` means, ``inside`` being "" for the package itself."""
        exported = package.data.get("exports")
        if exported is not None:
            targets = exported_targets(exported, "./" + inside if inside else ".")
            if targets is None:
                return Unknown("not among the package's exports")
            return self._one_of(package, targets)
        if inside:
            base = join(package.folder, inside)
            if base is None:
                return Unknown("outside the package")
            if found := self.files.find(base):
                return Found(found)
            if source := self._source(package, inside):
                return Found(source)
            return self._absent(package, base)
        targets = [v for v in (package.data.get(f) for f in _ENTRY_FIELDS) if isinstance(v, str)]
        if not targets:
            found = self.files.find(join(package.folder, "index") or "index")
            return Found(found) if found else Unknown("a package without an entry")
        return self._one_of(package, targets)

    def imported(self, package: Package, specifier: str) -> Answer | None:
        """What ``#specifier`` means in ``package``; None where its ``imports`` do not name it."""
        table = package.data.get("imports")
        targets = exported_targets(table, specifier) if isinstance(table, dict) else None
        if targets is None:
            return None
        local = [t for t in targets if t.startswith("./")]
        return self._one_of(package, local) if len(local) == len(targets) else Unknown("an installed package")

    def _one_of(self, package: Package, targets: list[str]) -> Answer:
        """The source behind the targets of one entry; the first where conditions lead to several."""
        sources: list[str] = []
        for target in targets:
            base = join(package.folder, target)
            found = self.files.find(base) if base is not None else None
            if found is None or in_output(found[len(package.folder) :]):
                found = self._source(package, target) or found
            if found is not None and found not in sources:
                sources.append(found)
        code = [s for s in sources if not s.endswith((".d.ts", ".d.mts", ".d.cts"))]
        if sources:
            first = (code or sources)[0]
            if len(sources) > 1:
                self.variants.setdefault(first, set()).update(s for s in sources if s != first)
            return Found(first)
        for target in targets:
            base = join(package.folder, target)
            if base is None or in_output(target) or _BUILT_PREFIX.match(target):
                return Unknown("not built yet")
        return self._absent(package, join(package.folder, targets[0]) or "") if targets else Unknown("no target")

    def _source(self, package: Package, target: str) -> str | None:
        """The source of a built file, where the layout leaves no doubt."""
        target = target.removeprefix("./")
        out = self._out_folder(package)
        if out and target.startswith(out + "/"):
            rest = target[len(out) + 1 :]
        elif built := _BUILT_PREFIX.match(target):
            rest = target[built.end() :]
        else:
            return None
        rest = re.sub(r"(?:\.d)?\.[cm]?[jt]sx?$", "", rest)
        variant = re.sub(r"^(?:(?:esm|cjs|es|src|module|node|browser|types)/)+", "", rest)
        for inside in dict.fromkeys((rest, variant)):
            for place in (*_SOURCES, "", "lib/"):
                base = join(package.folder, place + inside)
                found = self.files.find(base) if base is not None else None
                # below a folder of sources, `esm` and `types` are names like others
                if found is not None and (place in _SOURCES or not in_output(found[len(package.folder) :])):
                    return found
        return None

    def _out_folder(self, package: Package) -> str | None:
        for name in ("tsconfig.build.json", "tsconfig.json"):
            path = f"{package.folder}/{name}" if package.folder else name
            if path in self.files.paths:
                options = jsonc.mapping((jsonc.loads(self.files.tree.read(path)) or {}).get("compilerOptions"))
                if isinstance(out := options.get("outDir"), str):
                    return out.removeprefix("./").rstrip("/")
        return None

    def _absent(self, package: Package, base: str) -> Answer:
        """A path of a package that leads to nothing: missing if the package is used from its sources."""
        entries = [v for v in (package.data.get(f) for f in _ENTRY_FIELDS) if isinstance(v, str)]
        sources = [join(package.folder, e) for e in entries]
        if entries and not any(s is not None and self.files.find(s) for s in sources):
            return Unknown("a package that is not built")
        if package.data.get("publishConfig"):
            return Unknown("a package that is published from elsewhere")
        return Missing("no such file in the package", (base,))


def exported_targets(table: Any, subpath: str) -> list[str] | None:
    """The targets that ``exports`` or ``imports`` give for ``subpath``, in order; None where it is not among them."""
    if not isinstance(table, dict) or not any(key.startswith((".", "#")) for key in table):
        table = {".": table}
    if subpath in table:
        return [t for t in _leaves(table[subpath]) if "*" not in t]
    best: tuple[int, str, str] | None = None
    for key in table:
        if key.count("*") == 1:
            head, tail = key.split("*")
            if subpath.startswith(head) and subpath.endswith(tail) and len(subpath) >= len(key):
                if best is None or len(head) > best[0]:
                    best = (len(head), key, subpath[len(head) : len(subpath) - len(tail)])
    if best is None:
        return None
    return [t.replace("*", best[2]) for t in _leaves(table[best[1]])]


def _leaves(value: Any) -> list[str]:
    """Every target under all conditions; those that are seldom what runs come last."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [t for v in value for t in _leaves(v)]
    if isinstance(value, dict):
        late = [k for k in value if k.startswith(_LATE)]
        return [t for k in (*(k for k in value if k not in late), *late) for t in _leaves(value[k])]
    return []


def _pnpm_packages(data: bytes) -> list[str]:
    """The patterns under ``packages:`` of a pnpm workspace file, written as a block or in brackets."""
    text = data.decode("utf-8", "replace")
    start = re.search(r"(?m)^packages:[ \t]*(?:\[([^\]]*)\])?", text)
    if start is None:
        return []
    if start[1] is not None:
        return [item.strip(" \t\r\n\"'") for item in start[1].split(",") if item.strip()]
    found: list[str] = []
    for row in text[start.end() :].splitlines()[1:]:
        if item := re.match(r"""[ \t]*-[ \t]*(?:"([^"]+)"|'([^']+)'|([^#\s]+))""", row):
            found.append(item[1] or item[2] or item[3])
        elif row.strip() and not row.lstrip().startswith("#"):
            break
    return found


def _workspace_pattern(pattern: str) -> re.Pattern[str]:
    pattern = pattern.removeprefix("./").rstrip("/")
    parts = []
    for part in re.split(r"(\*\*/?|\*|\?|\{[^{}]*\})", pattern):
        if part.startswith("**"):
            parts.append("(?:.*/)?" if part.endswith("/") else ".*")
        elif part == "*":
            parts.append("[^/]*")
        elif part == "?":
            parts.append("[^/]")
        elif part.startswith("{"):
            parts.append("(?:" + "|".join(re.escape(p) for p in part[1:-1].split(",")) + ")")
        else:
            parts.append(re.escape(part))
    return re.compile("".join(parts))
