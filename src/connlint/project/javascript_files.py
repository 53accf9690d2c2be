"""From a path without its extension to a file of the project, as compilers and bundlers look for it."""

from __future__ import annotations

import re
from functools import cached_property

from connlint.project.tree import Tree

EXTENSIONS = (
    ".ts", ".tsx", ".js", ".jsx", ".vue", ".svelte", ".mjs", ".cjs", ".mts", ".cts", ".json",
    ".d.ts", ".d.mts", ".d.cts",
)
"""Tried in this order. Where two exist, the linker looks into both before it calls a name missing."""
_COMPILED = {
    ".js": (".ts", ".tsx", ".d.ts", ".jsx"),
    ".jsx": (".tsx", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}
"""What the extension of the compiled file, written in an import, may stand for in the sources."""
_BUILT = frozenset(
    "dist .output .next .nuxt .svelte-kit .astro .react-router .vercel .turbo .contentlayer .velite .wrangler "
    ".docusaurus .cache .temp .tmp .source node_modules bower_components generated __generated__ _generated".split()
)
"""Folders that a build or a code generator makes."""
_PERHAPS_BUILT = frozenset(
    "build out output lib-dist esm cjs es umd tmp target coverage gen codegen compiled transpiled pkg wasm prebuilds "
    "Release Debug".split()
)
"""The same, where the project has no files in them."""


def join(folder: str, relative: str) -> str | None:
    """``relative`` seen from ``folder``, normalised; None where it leaves the project. "" is the root."""
    parts = folder.split("/") if folder else []
    for part in relative.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part and part != ".":
            parts.append(part)
    return "/".join(parts)


def folder_of(path: str) -> str:
    """The folder that holds ``path``; "" is the root."""
    return path[: path.rfind("/")] if "/" in path else ""


def in_output(path: str) -> bool:
    """Whether a folder above ``path``, or ``path``, has a name that builds give to what they make."""
    return any(part in _BUILT or part in _PERHAPS_BUILT for part in path.split("/"))


class Files:
    """Look-ups in the files of a project, remembered."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.paths = tree.paths
        self._found: dict[str, str | None] = {}

    def find(self, base: str) -> str | None:
        """The file that ``base`` means: itself, with an extension, its TypeScript source, or the index of a folder."""
        try:
            return self._found[base]
        except KeyError:
            found = self._found[base] = self._find(base)
            return found

    def _find(self, base: str) -> str | None:
        paths = self.paths
        if base in paths:
            return base
        for extension in EXTENSIONS:
            if base + extension in paths:
                return base + extension
        dot = base.rfind(".")
        if dot > 0:
            for extension in _COMPILED.get(base[dot:], ()):
                if base[:dot] + extension in paths:
                    return base[:dot] + extension
        if base in self.tree.folders:
            prefix = base + "/" if base else ""
            for extension in EXTENSIONS:
                if f"{prefix}index{extension}" in paths:
                    return f"{prefix}index{extension}"
        return None

    def twins(self, path: str) -> list[str]:
        """Other files that an import of ``path`` may mean as well: same name, another extension."""
        stem = re.sub(r"(?:\.d)?\.[cm]?[jt]sx?$", "", path)
        found = [stem + e for e in EXTENSIONS if stem + e != path and stem + e in self.paths]
        if stem != path:
            found += [f"{stem}/index{e}" for e in EXTENSIONS[:4] if f"{stem}/index{e}" in self.paths]
        return found

    def is_built(self, path: str) -> bool:
        """Whether a build may put a file at ``path``."""
        parts = path.split("/")
        for count, part in enumerate(parts, 1):
            if part in _BUILT or (part in _PERHAPS_BUILT and "/".join(parts[:count]) not in self.tree.folders):
                return True
        return False

    @cached_property
    def listing(self) -> dict[str, list[str]]:
        """The names of the files and folders directly in each folder."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            folder, _, name = path.rpartition("/")
            found.setdefault(folder, []).append(name)
        for path in sorted(self.tree.folders):
            if path:
                folder, _, name = path.rpartition("/")
                found.setdefault(folder, []).append(name)
        return found

    @cached_property
    def submodules(self) -> tuple[str, ...]:
        """Folders that git fills from other repositories."""
        data = self.tree.read(".gitmodules") if ".gitmodules" in self.paths else None
        return tuple(m.decode("utf-8", "replace") for m in re.findall(rb"(?m)^\s*path\s*=\s*(.+?)\s*$", data or b""))
