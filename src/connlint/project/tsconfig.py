"""``tsconfig.json`` and ``jsconfig.json``: which one governs a file, and what its aliases mean.

Facts: the TypeScript handbook on module resolution, ``paths``, ``extends``, project references and ``include``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct, field

from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.javascript_files import Files, folder_of, join

_CONFIG = regex(r"^(?:tsconfig|jsconfig)(?:[.-][\w.-]+)?\.json$")

_VERBATIM = ("verbatimModuleSyntax", "preserveValueImports")
"""Options with which the compiler drops no import that is not marked as one of types."""


class TsConfig(Struct, eq=False):
    """One configuration with everything it extends. Paths are relative to the project's root.

    ``opened`` says that something it extends could not be read, so that there may be aliases nobody sees. ``out_dir``
    is where the compiler puts its output, as it stands below ``root_dir`` (None where the compiler chooses it).
    ``verbatim``: imports that nothing uses are kept in the output. ``javascript``: files of JavaScript belong to the
    program. ``composite``: the configuration's own folder is the root of what it compiles.
    """

    path: str
    aliases: list[tuple[str, list[str]]] = field(default_factory=list)
    base_url: str | None = None
    root_dirs: list[str] = field(default_factory=list)
    out_dir: str | None = None
    root_dir: str | None = None
    opened: bool = False
    references: list[str] = field(default_factory=list)
    files: frozenset[str] = frozenset()
    include: re.Pattern[str] | None = None
    exclude: re.Pattern[str] | None = None
    verbatim: bool = False
    javascript: bool = False
    composite: bool = False

    def covers(self, path: str) -> bool:
        """Whether the file is part of this configuration's program."""
        if path in self.files:
            return True
        if self.include is None or not self.include.match(path):
            return False
        return self.exclude is None or not self.exclude.match(path)

    def compiled(self, path: str) -> list[str]:
        """The folders to which the compiler may put what it makes of the file ``path``."""
        if self.out_dir is None:
            return []
        here = folder_of(self.path)
        roots = [self.root_dir] if self.root_dir is not None else [here, f"{here}/src" if here else "src"]
        inside = [path[len(root) + 1 :] if root else path for root in roots if not root or path.startswith(root + "/")]
        return [found for rest in inside if (found := join(self.out_dir, folder_of(rest))) is not None]

    def targets(self, specifier: str) -> tuple[str, list[str]] | None:
        """The alias that ``specifier`` matches best, and the paths that it may stand for."""
        best: tuple[int, str, list[str]] | None = None
        for pattern, targets in self.aliases:
            head, star, tail = pattern.partition("*")
            if not star:
                if specifier == pattern:
                    return pattern, targets
            elif len(specifier) >= len(head) + len(tail) and specifier.startswith(head) and specifier.endswith(tail):
                if best is None or len(head) > best[0]:
                    middle = specifier[len(head) : len(specifier) - len(tail)]
                    if middle and not all("*" in target for target in targets):
                        best = (len(head), pattern, [])  # one folder for all: the compiler's affair, not the program's
                        continue
                    places = (join("", t.replace("*", middle)) for t in targets)
                    best = (len(head), pattern, [p for p in places if p is not None])
        return best[1:] if best is not None else None


class TsConfigs:
    """The configurations of a project; ``locate`` finds the file of a package by its specifier, for ``extends``."""

    def __init__(self, files: Files, locate: Callable[[str, str], str | None]) -> None:
        self.files = files
        self._locate = locate
        self._loaded: dict[str, TsConfig | None] = {}
        self._near: dict[str, list[list[TsConfig]]] = {}

    def governing(self, path: str) -> tuple[TsConfig | None, list[TsConfig]]:
        """The nearest configuration that covers ``path``, and all that lie near it, nearest first."""
        levels = self._levels(folder_of(path))
        for level in levels:
            for config in level:
                if config.covers(path):
                    return config, [c for lv in levels for c in lv]
        return None, [c for lv in levels for c in lv]

    def _levels(self, folder: str) -> list[list[TsConfig]]:
        if folder not in self._near:
            above = self._levels(folder_of(folder)) if folder else []
            here = self._here(folder)
            self._near[folder] = [here, *above] if here else above
        return self._near[folder]

    def _here(self, folder: str) -> list[TsConfig]:
        prefix = folder + "/" if folder else ""
        first = [n for n in ("tsconfig.json", "jsconfig.json") if prefix + n in self.files.paths]
        if not first:
            return []
        others = sorted(n for n in self.files.listing.get(folder, ()) if n not in first and _CONFIG.match(n))
        found: list[TsConfig] = []
        for name in (*first, *others):
            self._gather(prefix + name, found, 0)
        return found

    def _gather(self, path: str, found: list[TsConfig], depth: int) -> None:
        config = self.load(path)
        if config is None or config in found:
            return
        found.append(config)
        if depth < 4:
            for reference in config.references:
                self._gather(reference, found, depth + 1)

    def load(self, path: str) -> TsConfig | None:
        """The configuration at ``path``, with what it extends; None where it cannot be read."""
        if path not in self._loaded:
            self._loaded[path] = None
            raw = self._raw(path, frozenset())
            if raw is not None:
                self._loaded[path] = self._config(path, raw)
        return self._loaded[path]

    def _raw(self, path: str, seen: frozenset[str]) -> dict[str, Any] | None:
        """Options of ``path`` and its bases: values with the folder against which they are read."""
        data = jsonc.loads(self.files.tree.read(path))
        if data is None or path in seen:
            return None
        merged: dict[str, Any] = {}
        folder = folder_of(path)
        for base in jsonc.texts(data.get("extends")):
            target = self._extended(path, base)
            inherited = self._raw(target, seen | {path}) if target is not None else None
            if inherited is None:
                merged["opened"] = True
            else:
                merged["opened"] = merged.get("opened", False) or inherited.get("opened", False)
                merged.update((k, v) for k, v in inherited.items() if k not in ("opened", "references"))
        for key in ("files", "include", "exclude"):
            if key in data:
                merged[key] = (folder, jsonc.texts(data[key]))
        options = jsonc.mapping(data.get("compilerOptions"))
        for key in ("paths", "baseUrl", "rootDirs", "outDir", "rootDir", "allowJs", "composite", *_VERBATIM):
            if key in options:
                merged[key] = (folder, options[key])
        if "paths" in options:
            merged["opened"] = False
        merged["references"] = [
            r["path"] for r in data.get("references") or [] if isinstance(r, dict) and isinstance(r.get("path"), str)
        ] if isinstance(data.get("references"), list) else []
        return merged

    def _extended(self, path: str, base: str) -> str | None:
        if base.startswith((".", "/")):
            target = join(folder_of(path), base)
            if target is None:
                return None
            places = (target, target + ".json", target + "/tsconfig.json")
            return next((t for t in places if t in self.files.paths), None)
        return self._locate(folder_of(path), base)

    def _config(self, path: str, raw: dict[str, Any]) -> TsConfig:
        folder = folder_of(path)
        config = TsConfig(path, opened=bool(raw.get("opened")))
        config.javascript = raw.get("allowJs", (None, None))[1] is True
        config.composite = raw.get("composite", (None, None))[1] is True
        config.verbatim = any(raw.get(key, (None, None))[1] is True for key in _VERBATIM)

        def at(origin: str, text: str) -> str | None:
            if text.startswith("${configDir}"):
                return join(folder, text.removeprefix("${configDir}").lstrip("/"))
            return join(origin, text) if not text.startswith("/") else None

        if isinstance(raw.get("baseUrl", (None, None))[1], str):
            config.base_url = at(*raw["baseUrl"])
        if "paths" in raw:
            origin, table = raw["paths"]
            base = config.base_url if config.base_url is not None else origin
            for pattern, targets in jsonc.mapping(table).items():
                places = [p for p in (at(base, t) for t in jsonc.texts(targets)) if p is not None]
                if len(places) == len(jsonc.texts(targets)) and pattern.count("*") <= 1:
                    config.aliases.append((pattern, places))
                else:
                    config.opened = True
        if "rootDirs" in raw:
            origin, dirs = raw["rootDirs"]
            config.root_dirs = [p for p in (at(origin, d) for d in jsonc.texts(dirs)) if p is not None]
        if isinstance(raw.get("outDir", (None, None))[1], str):
            config.out_dir = at(*raw["outDir"])
        if isinstance(raw.get("rootDir", (None, None))[1], str):
            config.root_dir = at(*raw["rootDir"])
        for reference in raw["references"]:
            target = join(folder, reference)
            if target is not None:
                inside = "" if target.endswith(".json") else "/tsconfig.json"
                config.references.append((target + inside).lstrip("/"))
        if "files" in raw:
            origin, names = raw["files"]
            config.files = frozenset(p for p in (at(origin, n) for n in names) if p is not None)
        if "include" in raw:
            config.include = _globs(raw["include"], at)
        elif "files" not in raw:
            config.include = _globs((folder, ["**/*"]), at)
        excluded = raw.get("exclude", (folder, ["node_modules", "bower_components", "jspm_packages"]))
        config.exclude = _globs(excluded, at)
        return config


def _globs(where: tuple[str, list[str]], at: Callable[[str, str], str | None]) -> re.Pattern[str] | None:
    """One expression for a list of TypeScript's globs; a folder means everything in it."""
    found = [_glob(p) for p in (at(where[0], g) for g in where[1]) if p is not None]
    return re.compile("(?:" + "|".join(found) + r")\Z") if found else None


def _glob(pattern: str) -> str:
    parts: list[str] = []
    pieces = pattern.split("/") if pattern else []
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        if piece == "**":
            parts.append(".*" if last else r"(?:[^/]+/)*")
        else:
            parts.append("".join(_wildcards(piece)) + ("" if last else "/"))
    if not pieces:
        return ".*"
    if pieces[-1] != "**" and "." not in pieces[-1].lstrip(".") and "*" not in pieces[-1]:
        parts.append("(?:/.*)?")
    elif pieces[-1] not in ("**", "*") and "*" not in pieces[-1]:
        parts.append("(?:/.*)?")
    return "".join(parts)


def _wildcards(piece: str) -> Iterator[str]:
    for part in re.split(r"(\*|\?)", piece):
        yield "[^/]*" if part == "*" else "[^/]" if part == "?" else re.escape(part)
