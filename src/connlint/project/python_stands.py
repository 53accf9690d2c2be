"""Whose a top-level name is: the project's, at some root that holds for the importing file, or an installed package's.

What is installed is never asked. A name is the project's where a file can reach a root that offers it, and either the
project's configuration or its other imports show that this root is meant.
"""

from __future__ import annotations

import sys
from functools import cached_property

from connlint.languages.python.outline import ImportLine
from connlint.project.python_files import INIT, PythonFiles, Stand, is_below, join
from connlint.project.python_roots import Roots, read_roots

_STANDARD = frozenset(sys.stdlib_module_names) | {"asyncore", "distutils", "imp", "telnetlib", "tomllib", "compression"}
_SHADOWED = {"test"}
"""Parts of the standard library that projects use as names of their own, and that nobody imports from it."""
_SURELY = 20
"""Imports of a top-level name found at a root after which nobody doubts any more whose it is."""


def is_standard(top: str) -> bool:
    """Whether ``top`` belongs to the standard library."""
    return top in _STANDARD and top not in _SHADOWED


class Stands:
    """Where top-level names stand, and for which files."""

    def __init__(self, files: PythonFiles) -> None:
        self.files = files
        self._trusted: dict[tuple[str, str], bool] = {}

    @cached_property
    def roots(self) -> Roots:
        """The roots that the project's configuration declares."""
        return read_roots(self.files.tree)

    def reachable(self, folder: str, top: str) -> list[Stand]:
        """Where a file in ``folder`` may find ``top``: in the folders above it, the nearest first, then elsewhere.

        A folder inside a package comes last, since only scripts that lie in it are run from there; a folder that the
        project itself names as a package, and that no configuration calls a root, does not count.
        """
        stands = self.files.tops.get(top, [])
        above = {folder: 0, "": folder.count("/") + 2}
        at, depth = folder, 0
        while at:
            at, depth = at.rpartition("/")[0], depth + 1
            above[at] = depth
        near = [s for s in stands if s.root in above]
        if len(near) == len(stands) == 1 and not near[0].root:
            return near
        known = self.roots.folders
        near = [s for s in near if s.root in known or self.files.is_package(s.root) or not self._is_used(s.root)]
        near.sort(key=lambda s: (self.files.is_package(s.root), above[s.root]))
        return near + [s for s in stands if s.root not in above and s.root in known]

    def holds_for(self, stand: Stand, folder: str) -> bool:
        """Whether a root is above ``folder``, or declared by configuration above it: others belong to other projects
        of the same repository."""
        return is_below(folder, stand.root) or any(
            is_below(folder, owner) for owner in self.roots.declared.get(stand.root, ())
        )

    def is_ours(self, path: str, stand: Stand, top: str) -> bool:
        """Whether ``top``, imported by ``path``, is surely what stands there and not an installed package."""
        folder = path.rpartition("/")[0]
        roots = self.roots
        if not self.holds_for(stand, folder):
            return False
        # subfolders without an __init__.py are part of the package around them
        own = stand.regular and is_below(folder, join(stand.root, top))
        if not own and self._is_apart(folder, stand.root):
            return False
        if top in roots.installed:
            return own and stand.root in roots.folders and self._is_trusted(stand.root, top)
        if stand.regular:
            if stand.root in roots.declared:
                return True
            if stand.root in roots.folders and (own or roots.installed or top in roots.own):
                return True
            if stand.root == folder and not self.files.is_package(folder) and not self._is_used(folder):
                return True
        return self._is_trusted(stand.root, top)

    def _is_apart(self, folder: str, root: str) -> bool:
        """Whether ``folder`` belongs to a project of its own, below ``root``."""
        while folder and folder != root:
            if folder in self.roots.projects:
                return is_below(folder, root)
            folder = folder.rpartition("/")[0]
        return False

    # -- how the project imports ----------------------------------------------------------------------------------

    def _is_used(self, folder: str) -> bool:
        """Whether a folder is used as a package: by its name, or by relative imports in it."""
        parts = folder.split("/")
        if any(".".join(parts[i:]) in self._imported_packages for i in range(len(parts))):
            return True
        beside = self.files.beside(folder)
        return any(line.module.startswith(".") for path in beside for line in self.files.imports(path))

    @cached_property
    def _absolute_imports(self) -> dict[str, list[tuple[str, ImportLine]]]:
        """Every absolute import of something that could be the project's own, by its top-level name."""
        found: dict[str, list[tuple[str, ImportLine]]] = {}
        for path in self.files.paths:
            for line in self.files.imports(path):
                top = line.module.partition(".")[0]
                if top in self.files.tops:
                    found.setdefault(top, []).append((path, line))
        return found

    @cached_property
    def _imported_packages(self) -> frozenset[str]:
        """Every dotted name below which something is imported."""
        found: set[str] = set()
        for lines in self._absolute_imports.values():
            for module in {line.module for _, line in lines}:
                while "." in module:
                    module = module.rpartition(".")[0]
                    found.add(module)
        return frozenset(found)

    def _is_trusted(self, root: str, top: str) -> bool:
        """Whether imports of ``top`` below ``root``, most of all or one in ``top`` itself, are answered there."""
        key = (root, top)
        if key not in self._trusted:
            self._trusted[key] = self._is_answered(root, top)
        return self._trusted[key]

    def _is_answered(self, root: str, top: str) -> bool:
        found = missing = 0
        others = [stand.root for stand in self.files.tops[top] if stand.root != root]
        for path, line in self._absolute_imports.get(top, ()):
            if not is_below(path, root):
                continue
            target = self.files.walk(root, line.module)
            if target == path:
                missing += 1
            elif target is None:
                missing += not line.indented and all(self.files.walk(other, line.module) is None for other in others)
            elif "." in line.module and is_below(path, join(root, top)):
                return True
            elif line.names:
                known = sum(self._shows(target, name) for name, _, _ in line.names)
                # that the whole dotted name leads to a file is no accident
                found += known + ("." in line.module and not target.endswith("/"))
                missing += len(line.names) - known
            elif "." in line.module:
                found += 1
            if found >= _SURELY and found > 4 * missing:
                return True
        return found > 0 and found >= missing

    def _shows(self, target: str, name: str) -> bool:
        """Whether ``target`` seems to have ``name``; with star imports, it does."""
        if self.files.walk(target.rpartition("/")[0], name) is not None and target.endswith((INIT, "/")):
            return True
        lines = None if target.endswith("/") else self.files.scan(target)
        return lines is not None and (name in lines.names or bool(lines.stars))
