"""Whose a top-level name is: the project's, at some root that holds for the importing file, or an installed package's.

What is installed is never asked. A name is the project's where a file can reach a root that offers it, and either the
project's configuration or its other imports show that this root is meant.

Folders without an ``__init__.py`` are portions of a namespace: Python unites those of all roots, and passes them over
where any root holds a package that has one. Which roots are on the path is not always known; so a portion is believed
at a root that is, and else as long as nothing else answers to the same name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property

from connlint.languages.python.outline import ImportLine
from connlint.patterns import regex
from connlint.project.python_files import INIT, PythonFiles, Stand, is_below, join
from connlint.project.python_roots import Roots, read_roots

_STANDARD = frozenset(sys.stdlib_module_names) | {"asyncore", "distutils", "imp", "telnetlib", "tomllib", "compression"}
_SHADOWED = {"test"}
"""Parts of the standard library that projects use as names of their own, and that nobody imports from it."""
_TESTS = regex(r"(?:^|/)(?:tests?|testing|unittests?)(?:/|$)")
"""Folders that often mirror the packages they test."""
_SURELY = 20
"""Imports of a top-level name found at a root after which nobody doubts any more whose it is."""


def is_standard(top: str) -> bool:
    """Whether ``top`` belongs to the standard library."""
    return top in _STANDARD and top not in _SHADOWED


def is_for_tests(root: str) -> bool:
    """Whether what lies below ``root`` seems to be there for tests alone."""
    return _TESTS.search(root) is not None


def is_mirror(stand: Stand) -> bool:
    """Whether ``stand`` is a folder that is called like a package and seems to hold the tests of it."""
    return not stand.regular and is_for_tests(stand.root)


class Stands:
    """Where top-level names stand, and for which files."""

    def __init__(self, files: PythonFiles) -> None:
        self.files = files
        self._trusted: dict[tuple[str, str], bool] = {}
        self._reachable: dict[tuple[str, str], list[Stand]] = {}

    @cached_property
    def roots(self) -> Roots:
        """The roots that the project's configuration declares."""
        return read_roots(self.files.tree)

    def reachable(self, folder: str, top: str) -> list[Stand]:
        """Where a file in ``folder`` may find ``top``: in the folders above it, the nearest first, then elsewhere.

        A folder inside a package comes last, since only scripts that lie in it are run from there; a folder that the
        project itself names as a package, and that no configuration calls a root, does not count.
        """
        key = (folder, top)
        if key not in self._reachable:
            self._reachable[key] = self._within_reach(folder, top)
        return self._reachable[key]

    def _within_reach(self, folder: str, top: str) -> list[Stand]:
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

    # -- which of several -----------------------------------------------------------------------------------------

    def meant(self, folder: str, module: str, reachable: list[Stand]) -> tuple[Stand, str] | None:
        """The stand at which files in ``folder`` find the dotted ``module``, and the file it is there."""
        places = [(s, place) for s in reachable if (place := self.files.walk(s.root, module)) is not None]
        if len(places) < 2:
            return places[0] if places else None
        places = [one for one in places if not self.files.is_project(one[1])] or places
        first = places[0][0]
        better: list[tuple[Stand, str]] = []
        if is_mirror(first):
            better = [one for one in places if self.holds_for(one[0], folder) and not is_for_tests(one[0].root)]
        elif not first.regular:
            better = [one for one in places if one[0].regular and self._is_closely_declared(one[0], folder)]
        return min(better, key=lambda one: not one[0].regular, default=places[0])

    def is_doubtful(self, stand: Stand, module: str) -> bool:
        """Whether ``module`` also stands elsewhere than at ``stand``, and is probably meant there: this is inside a
        package, where only scripts look, or a copy of the package's folders that holds its tests."""
        in_package = self.files.is_package(stand.root)
        if not in_package and not is_mirror(stand):
            return False
        return any(
            other.root != stand.root and self.files.walk(other.root, module) is not None
            and (in_package or (other.regular and not is_for_tests(other.root)))
            for other in self.files.tops[module.partition(".")[0]]
        )

    def rivals(self, module: str, target: str) -> Iterator[str]:
        """What else the dotted ``module`` may be than ``target``: folders of tests that are called so, and everything
        unless ``target`` is a package's or at a known root."""
        stands = self.files.tops[module.partition(".")[0]]
        at = next((stand for stand in stands if self.files.walk(stand.root, module) == target), None)
        sure = at is not None and (at.regular or at.root in self.roots.folders) and not is_for_tests(at.root)
        sure = sure and not target.endswith("/")
        for stand in stands:
            place = None if sure and not is_mirror(stand) else self.files.walk(stand.root, module)
            if place is not None and place != target:
                yield place

    def may_be_in_portion(self, folder: str, name: str) -> bool:
        """Whether a folder that Python unites with the namespace package ``folder``, where all projects of the
        repository are installed, may bring the module ``name``."""
        return any(self.files.is_package(at) or self.files.walk(at, name) is not None for at in self._portions(folder))

    def _portions(self, folder: str) -> Iterator[str]:
        for root in self._distributed:
            inner = folder[len(root) :].strip("/")
            if inner and is_below(folder, root) and not self._is_in_package(root, inner):
                yield from (join(other, inner) for other in self._distributed if other != root)

    def _is_in_package(self, root: str, inner: str) -> bool:
        parts = inner.split("/")
        return any(self.files.is_package(join(root, "/".join(parts[: i + 1]))) for i in range(len(parts)))

    @cached_property
    def _distributed(self) -> list[str]:
        """The roots from which distributions are built."""
        roots, is_project = self.roots, self.files.is_project
        return [r for r in roots.folders if any(is_project(f"{o}/") for o in (r, *roots.declared.get(r, ())))]

    def _is_closely_declared(self, stand: Stand, folder: str) -> bool:
        """Whether the root is declared by the very project to which ``folder`` belongs."""
        project = folder
        while project and project not in self.roots.projects:
            project = project.rpartition("/")[0]
        owners = self.roots.declared.get(stand.root, ())
        return any(is_below(folder, owner) and is_below(owner, project) for owner in owners)

    # -- whose ----------------------------------------------------------------------------------------------------

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

    def is_surely(self, path: str, module: str, target: str) -> bool:
        """Whether ``module``, imported by ``path``, is ``target`` and nothing at another root that holds for it, and
        is not installed. Folders of tests and of projects that are called so hide nothing."""
        if module.startswith("."):
            return True
        folder, top = path.rpartition("/")[0], module.partition(".")[0]
        ours = False
        for stand in self.reachable(folder, top):
            if self.holds_for(stand, folder):
                place = self.files.walk(stand.root, module)
                if place is None or place == target:
                    ours = ours or self.is_ours(path, stand, top)
                elif not (is_mirror(stand) or self.files.is_project(place)):
                    return False
        return ours

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
