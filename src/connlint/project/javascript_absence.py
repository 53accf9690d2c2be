"""What to say of a path at which there is no file: it is missing, or something may still put a file there.

A build, a code generator, ignore rules, a submodule, a loader for another kind of file: all of these make an import
right that leads nowhere in the checkout.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from functools import cached_property
from itertools import islice, takewhile

from connlint.patterns import regex
from connlint.project.answer import Answer, Missing, Unknown
from connlint.project.generators import Generators
from connlint.project.javascript_files import Files, folder_of, join

_PLACEHOLDER = regex(r"[{}<>%*\\|\s\"'`?!]|__\w+__|\$\$|\[\[")
_GENERATED = regex(
    r"(?:^|[./_-])(?:generated|autogen|auto-imports?|codegen|prisma-client|graphql-types|routeTree)(?:[./_-]|$)"
    r"|\.(?:g|gen|pb)(?:\.|$)|_(?:pb|gen|generated)(?:\.|$)|(?:^|/)(?:\+types|\$types|\$houdini|auto-)"
    r"|\.(?:node|wasm|marko|properties)$|\.d(?:\.[cm]?ts)?$"
)
"""What code generators make, and what is no source of this language."""
_MATERIAL = regex(
    r"(?:^|/)(?:"
    r"__?fixtures?__?|fixtures?|__testfixtures__|test-?data|test-?fixtures|test-projects?|goldens?|baselines|corpus|"
    r"templates?|[\w-]+-templates?|templates?-\w+|cookiecutter|blueprints?|scaffold(?:s|ing)?|boilerplates?|skeletons?|"
    r"schematics|codemods?|stubs?|snippets?|__snippets__|node_modules|vendor|third_party|dist|"
    r"tests?/(?:[^/]+/)*(?:\w*[cC]ases|samples|inputs?|outputs?|_?expected)|"
    r"(?:tests?|__tests__|e2e|specs?|playgrounds?|examples?)/(?:[^/]+/)*[^/]*(?:missing|invalid|broken|nonexist|err)[^/]*"
    r")/"
)
"""Folders whose files are material for a tool and no program: they are copied elsewhere, or broken on purpose."""
_TEST = regex(r"(?:^|/)(?:tests?|__tests__|e2e|specs?)/")
_ASSET = regex(r"\.(?:svg|png|jpe?g|gif|webp|avif|ico|txt|md|html?|wasm|css)$")
_EXTENSION = regex(
    r"\.(?:[cm]?tsx?|json|css|s[ac]ss|less|styl|vue|svelte|svg|png|jpe?g|gif|webp|ico|md|html?|txt)$"
)
_CODE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_RELATIVE = regex(rb"""(?:\bfrom|\bimport|\brequire\()\s*\(?\s*["'](\.{1,2}/[^"'\n]+)["']""")
_CROWD = 10
"""Modules of one folder that is not there; fewer may have been forgotten when it was moved or deleted."""
_FEW = 8
"""Folders that are not there, each of which is looked for in all files; after that all imports are laid out once."""
_AMBIENT = regex(rb"""declare\s+module\s+["']([^"'\n]+)["']""")


def is_material(path: str) -> bool:
    """Whether a file is material for a tool (a fixture, a template, …) and no part of the program."""
    return _MATERIAL.search(path) is not None


def is_asset_of_test(path: str, base: str) -> bool:
    """Whether a test in ``path`` names a picture or a text, which tests of loaders like to make up."""
    return _TEST.search(path) is not None and _ASSET.search(base) is not None


class Absence:
    """Judges paths that lead to no file."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.generators = Generators(files)
        self._put_there: dict[str, bool] = {}
        self._led_to: dict[str, tuple[str, ...]] = {}
        self._asked = 0

    def judge(self, base: str) -> Answer:
        """What to say of a path at which there is nothing: missing, unless something may put a file there."""
        parent, _, name = base.rpartition("/")
        if _PLACEHOLDER.search(base) or name in ("", "package.json"):
            return Unknown("not a plain path")
        if self.files.is_built(base) or _GENERATED.search(base) or self.generators.makes(base):
            return Unknown("made by a build")
        if any(base == s or base.startswith(s + "/") for s in self.files.submodules):
            return Unknown("in a submodule")
        names = self.files.listing.get(parent, [])
        scaled = name[: name.rfind(".")] + "@" if "." in name else name + "@"
        if any(n.startswith((name + ".", scaled)) for n in names):
            return Unknown("a file of another kind")
        inside = self.files.listing[base] if base in self.files.tree.folders else []
        if any(n.startswith("index.") or n == "package.json" for n in inside):
            return Unknown("a folder with an entry of another kind")
        if name.endswith((".js", ".mjs", ".cjs")) and any(n.startswith(name[: name.rfind(".") + 1]) for n in names):
            return Unknown("a file of another kind")
        candidates = _places(base)
        if base not in self.files.tree.folders and any(self.files.tree.exists(c) for c in candidates):
            return Unknown("not among the project's files")
        if self._ignored(base, candidates):
            return Unknown("ignored, so it may be made by a build")
        if any(re.fullmatch(pattern, base.rpartition("/")[2]) for pattern in self._ambient):
            return Unknown("declared as an ambient module")
        meant = self._meant(base)
        if self._is_put_there(base, meant):
            return Unknown("in a folder that is not there, with much that the project imports")
        return Missing("no such file", tuple(dict.fromkeys((base, *candidates))), meant)

    def _is_put_there(self, base: str, meant: str | None) -> bool:
        """Whether ``base`` is, or stands in, a folder that is not there, and of which the project imports so many
        modules that nobody can have forgotten it: something puts it there. Not where it has only been moved."""
        folder, missing = folder_of(base), None
        while folder and folder not in self.files.tree.folders:
            missing = folder
            folder = folder_of(folder)
        if missing is None:
            if meant is not None or "." in base.rpartition("/")[2]:
                return False
            missing = base
        if missing not in self._put_there:
            wanted = self._wanted(missing)
            moved = sum(1 for path in wanted if _stem(path.rpartition("/")[2]) in self._stems)
            self._put_there[missing] = len(wanted) >= _CROWD and moved * 2 <= len(wanted)
        return self._put_there[missing]

    def _wanted(self, folder: str) -> set[str]:
        """The paths below ``folder`` that relative imports anywhere in the project lead to."""
        name, below = folder.rpartition("/")[2].encode() + b"/", folder + "/"
        if folder not in self.files.tree.folders:
            # nobody stands in it, so that whoever leads there names it after another part of the path
            name = b"/" + name
            self._asked += 1
            if self._asked > _FEW:
                start = bisect_left(self._all_targets, below)
                return set(takewhile(lambda path: path.startswith(below), islice(self._all_targets, start, None)))
        return {target for path in self._code if name in (self.files.tree.read(path) or b"")
                for target in self._targets(path) if target.startswith(below)}

    @cached_property
    def _code(self) -> tuple[str, ...]:
        return tuple(path for path in self.files.tree.paths if path.endswith(_CODE))

    @cached_property
    def _all_targets(self) -> list[str]:
        """Where the relative imports in all files lead, in order."""
        return sorted({target for path in self._code for target in self._targets(path)})

    def _targets(self, path: str) -> tuple[str, ...]:
        """Where the relative imports in a file lead. Remembered, as each folder that is not there asks for those of
        every file that names it: a third of a scan went into that, where a build makes thirty folders."""
        if path not in self._led_to:
            folder = folder_of(path)
            joined = {join(folder, specifier.decode("utf-8", "replace"))
                      for specifier in _RELATIVE.findall(self.files.tree.read(path) or b"")}
            self._led_to[path] = tuple(target for target in joined if target is not None)
        return self._led_to[path]

    def _ignored(self, base: str, candidates: list[str]) -> bool:
        """Whether ignore rules cover the file, or the topmost folder above it that is not there."""
        folder = folder_of(base)
        missing = None
        while folder and folder not in self.files.tree.folders:
            missing = folder
            folder = folder_of(folder)
        if missing is not None and self.files.tree.ignored(missing + "/x.ts"):
            return True
        return any(self.files.tree.ignored(c) for c in candidates)

    @cached_property
    def _ambient(self) -> list[str]:
        """Patterns with a star in ``declare module "…"`` as expressions."""
        found: list[str] = []
        for path in sorted(self.files.tree.paths):
            if path.endswith(".d.ts"):
                for m in _AMBIENT.findall(self.files.tree.read(path) or b""):
                    pattern = m.decode("utf-8", "replace")
                    if pattern.count("*") == 1 and pattern not in ("*", "*.ts", "*.js"):
                        found.append(re.escape(pattern.rpartition("/")[2]).replace(r"\*", ".*"))
        return found

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        """Name without extension → the files that have it."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.files.tree.paths):
            found.setdefault(_stem(path[path.rfind("/") + 1 :]), []).append(path)
        return found

    @cached_property
    def _folded(self) -> list[tuple[str, str]]:
        """Every path, after its letters made small, in the order of those."""
        return sorted((path.lower(), path) for path in self.files.tree.paths)

    def _spelled(self, folded: str) -> list[str]:
        """The paths that, their letters made small, are ``folded``, or that and an extension."""
        found: list[str] = []
        for start in (folded, folded + "."):
            for place in range(bisect_left(self._folded, (start,)), len(self._folded)):
                small, path = self._folded[place]
                if not (small == folded or small.startswith(folded + ".")):
                    break
                found.append(path)
        return sorted(set(found))

    def _meant(self, base: str) -> str | None:
        """The path of the file that was probably meant."""
        parent, _, name = base.rpartition("/")
        names = self.files.listing.get(parent)
        if names is None:
            folded = base.lower()
            same = self._spelled(folded)
            # beside a component stand its styles and its test
            same = [p for p in same if _stem(p).lower() == _stem(folded)] or same
            elsewhere = same[:1] or self._stems.get(_stem(name), [])
            return elsewhere[0] if len(elsewhere) == 1 else None
        stems = {_stem(n): n for n in names}
        wanted = _stem(name)
        for stem, full in stems.items():
            if stem.lower() == wanted.lower():
                return f"{parent}/{full}" if parent else full
        namesakes = self._stems.get(wanted, [])
        if len(namesakes) == 1:
            return namesakes[0]
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
