"""The Python files of a project: what their lines and trees say, and what a dotted name means below a folder.

Everything is read when it is first asked for, and kept. Lines come first: a file is parsed for its `outline` only.
"""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from connlint.languages.python.outline import ImportLine, Outline, Scan, outline, scan, scan_imports
from connlint.languages.python.syntax import parse
from connlint.patterns import regex
from connlint.project.tree import Tree

INIT = "__init__.py"
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_INSTALLED = regex(r"(?:^|/)(?:site-packages|dist-packages|node_modules|\.venv|\.tox|\.nox)/")


class Stand(Struct, frozen=True):
    """Where a top-level name stands: below ``root``. ``regular`` is a module or a package with ``__init__.py``."""

    root: str
    regular: bool


class PythonFiles:
    """The files of ``tree`` that Python imports. Paths of namespace packages are folders with a slash behind."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._walked: dict[tuple[str, str], str | None] = {}
        self._imports: dict[str, list[ImportLine]] = {}
        self._scans: dict[str, Scan | None] = {}
        self._outlines: dict[str, Outline] = {}

    @cached_property
    def paths(self) -> list[str]:
        """Every module's file, in order; not those of packages that were installed into a folder of the project."""
        return sorted(path for path in self.tree.paths if path.endswith(".py") and not _INSTALLED.search(path))

    @cached_property
    def tops(self) -> dict[str, list[Stand]]:
        """Every name that some folder of the project would offer as a top-level module."""
        found: dict[str, dict[str, bool]] = {}
        folders: set[str] = set()
        for path in self.paths:
            folder, _, name = path.rpartition("/")
            folders.add(folder)
            if name != INIT:
                found.setdefault(name[:-3], {})[folder] = True
            elif folder:
                root, _, top = folder.rpartition("/")
                found.setdefault(top, {})[root] = True
        for folder in folders:
            while folder:
                root, _, top = folder.rpartition("/")
                found.setdefault(top, {}).setdefault(root, False)
                folder = root
        return {top: [Stand(root, found[top][root]) for root in sorted(found[top])] for top in found}

    # -- one file -------------------------------------------------------------------------------------------------

    def read(self, path: str) -> bytes:
        """The bytes of ``path``; none where it cannot be read."""
        return self.tree.read(path) or b""

    def imports(self, path: str, data: bytes | None = None) -> list[ImportLine]:
        """The lines of ``path`` that look like imports."""
        found = self._imports.get(path)
        if found is None:
            found = self._imports[path] = scan_imports(self.read(path) if data is None else data)
        return found

    def scan(self, path: str) -> Scan | None:
        """What the lines of ``path`` say that it binds; None where it cannot be read."""
        if path not in self._scans:
            data = self.tree.read(path)
            package = path.endswith(INIT)
            self._scans[path] = None if data is None else scan(data, self.imports(path, data), package=package)
        return self._scans[path]

    def outline(self, path: str) -> Outline:
        """What ``path`` binds; open where it cannot be read or parsed."""
        found = self._outlines.get(path)
        if found is None:
            found = self._outlines[path] = self._read_outline(path)
        return found

    def _read_outline(self, path: str) -> Outline:
        data = self.tree.read(path)
        tree = None if data is None else parse(data)
        if tree is None:
            return Outline(open="cannot be read")
        try:
            return outline(tree, package=path.endswith(INIT))
        except RecursionError:
            return Outline(open="nested too deeply")

    # -- folders --------------------------------------------------------------------------------------------------

    def walk(self, base: str, module: str) -> str | None:
        """The file of the dotted ``module`` below the folder ``base``; None where there is none."""
        key = (base, module)
        if key not in self._walked:
            self._walked[key] = self._step(join(base, module.replace(".", "/")))
        return self._walked[key]

    def _step(self, stem: str) -> str | None:
        paths = self.tree.paths
        if f"{stem}/{INIT}" in paths:
            return f"{stem}/{INIT}"
        if f"{stem}.py" in paths:
            return f"{stem}.py"
        return f"{stem}/" if stem in self.tree.folders else None

    def package_file(self, folder: str) -> str:
        """The file that a relative import of ``folder`` itself means: its ``__init__.py``, or the bare folder."""
        init = join(folder, INIT)
        return init if init in self.tree.paths else f"{folder}/"

    def is_package(self, folder: str) -> bool:
        """Whether ``folder`` holds an ``__init__.py``; the project's own folder is never called a package."""
        return bool(folder) and f"{folder}/{INIT}" in self.tree.paths

    def is_project(self, place: str) -> bool:
        """Whether ``place``, a folder with a slash behind, is no package but a project that is built by itself."""
        if not place.endswith("/"):
            return False
        inside = "" if place == "/" else place
        return any(inside + name in self.tree.paths for name in _BUILD_FILES)

    def beside(self, folder: str) -> list[str]:
        """The modules' files directly in ``folder``."""
        start = f"{folder}/" if folder else ""
        return [p for p in self.paths if p.startswith(start) and "/" not in p[len(start) :]]

    def submodules(self, folder: str) -> set[str]:
        """The names of everything importable directly below ``folder``."""
        return set(self._below.get(folder, ()))

    def holding(self, name: str, top: str) -> list[str]:
        """The folders in ``top``, and below it, in which something is importable as ``name``."""
        return sorted(folder for folder, names in self._below.items()
                      if name in names and (folder == top or folder.startswith(f"{top}/" if top else "")))

    @cached_property
    def _below(self) -> dict[str, set[str]]:
        """The names of everything importable directly below each folder."""
        found: dict[str, set[str]] = {}
        for path in self.paths:
            folder, _, name = path.rpartition("/")
            names = found.setdefault(folder, set())
            if name != INIT:
                names.add(name.removesuffix(".py"))
            while folder:
                folder, _, name = folder.rpartition("/")
                names = found.setdefault(folder, set())
                if name in names:
                    break
                names.add(name)
        return found


def join(folder: str, name: str) -> str:
    """``name`` below ``folder``, which may be the root."""
    return f"{folder}/{name}" if folder else name


def is_below(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or in it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
