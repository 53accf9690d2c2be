"""Which names a Python module has, through star imports and packages, and which file a name comes from."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cached_property

from connlint.languages.python.outline import IMPLICIT
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.python_doubts import Doubts
from connlint.project.python_files import INIT, PythonFiles

_DEPTH = 6
"""How many star imports or re-exports are followed by their lines; barrels of barrels end somewhere."""
NEAR = 0.75
"""How alike a name must be to be called the one that was meant (`difflib`)."""


class Names:
    """The names of modules. ``resolve(path, module)`` is the linker's."""

    def __init__(self, files: PythonFiles, doubts: Doubts, resolve: Callable[[str, str], Answer]) -> None:
        self.files = files
        self.doubts = doubts
        self._resolve = resolve
        self._answers: dict[tuple[str, str], bool | str] = {}

    def has(self, target: str, name: str, depth: int = 0) -> bool:
        """Whether the lines of ``target`` show ``name``, or a file next to it does. False settles nothing."""
        if target.endswith("/"):
            # a package without an ``__init__`` has no file, and all the rest
            return (name in IMPLICIT and name != "__file__") or self.files.walk(target[:-1], name) is not None
        lines = self.files.scan(target)
        if lines is None or name in lines.names or name in IMPLICIT:
            return True
        if target.endswith(INIT) and self.files.walk(target.rpartition("/")[0], name) is not None:
            return True
        if depth < _DEPTH:
            for star in lines.stars:
                inner = self._file(target, star)
                if inner is not None and self._shows(inner, name, depth + 1):
                    return True
        return False

    def _shows(self, target: str, name: str, depth: int) -> bool:
        """Whether a star import of ``target`` plainly brings ``name``."""
        lines = None if target.endswith("/") else self.files.scan(target)
        if lines is None or lines.public is None:
            return not name.startswith("_") and self.has(target, name, depth)
        return name in lines.public

    def _file(self, target: str, module: str) -> str | None:
        """The file of a module that ``target`` imports, if it is another one of the project."""
        answer = self._resolve(target, module)
        return answer.path if type(answer) is Found and answer.path != target else None

    # -- settled by a parse ---------------------------------------------------------------------------------------

    def defines(self, target: str, name: str) -> bool | str:
        """Whether ``target`` has ``name`` once it has been loaded; a text says why that cannot be known."""
        if self.has(target, name):
            return True
        key = (target, name)
        if key not in self._answers:
            answer = self._defines(target, name, frozenset())
            if answer is False and self.doubts.is_set_from_outside(target, name):
                answer = "set from another module"
            self._answers[key] = answer
        return self._answers[key]

    def _defines(self, target: str, name: str, seen: frozenset[str]) -> bool | str:
        if self.has(target, name):
            return True
        if target.endswith("/"):
            if f"{target}{INIT}i" in self.files.tree.paths:
                return "a stub of something that is compiled"
            if self.files.is_project(target):
                return "the folder of a project, whose package is elsewhere"
            return self.doubts.about_module(target[:-1], name) or False
        found = self.files.outline(target)
        if name in found.names:
            return True
        if why := found.open or self.doubts.about_names(target):
            return why
        for star in found.stars:
            answer = self._resolve(target, star)
            if not isinstance(answer, Found):
                return "a star import that cannot be followed"
            if answer.path in seen or answer.path == target:
                continue
            inner = self._through_star(answer.path, name, seen | {target})
            if inner is not False:
                return inner
        if target.endswith(INIT):
            return self.doubts.about_module(target.rpartition("/")[0], name) or False
        return False

    def may_come_by_star(self, target: str, name: str) -> bool:
        """Whether one of the star imports of ``target`` may bind ``name`` there."""
        for star in self.files.outline(target).stars:
            answer = self._resolve(target, star)
            if not isinstance(answer, Found) or answer.path == target:
                return True
            if self._through_star(answer.path, name, frozenset({target})) is not False:
                return True
        return False

    def _through_star(self, target: str, name: str, seen: frozenset[str]) -> bool | str:
        if target.endswith("/"):
            return False
        found = self.files.outline(target)
        if not found.public_is_static or found.public == set():
            return "__all__ is computed"  # an empty one is there to be filled by others
        if found.public is not None:
            return (name in found.public) or (found.open or False)
        return (found.open or False) if name.startswith("_") else self._defines(target, name, seen)

    def answer(self, target: str, name: str) -> Answer:
        """The same as `Linker.lookup` says it, whoever asks."""
        defined = self.defines(target, name)
        if defined is True:
            return Found(self.source(target, name))
        return Unknown(defined) if isinstance(defined, str) else self._lacks(target, name)

    def _lacks(self, target: str, name: str) -> Missing:
        names = set() if target.endswith("/") else set(self.files.outline(target).names)
        if target.endswith((INIT, "/")):
            names |= self.files.submodules(target.rpartition("/")[0])
        near = difflib.get_close_matches(name, sorted(n for n in names if not n.startswith("__")), 1, NEAR)
        elsewhere = self._defined_in.get(name, ())
        return Missing("not defined", tuple(p for p in elsewhere if p != target)[:40], near[0] if near else None)

    # -- where names come from ------------------------------------------------------------------------------------

    def source(self, target: str, name: str, depth: int = 0) -> str:
        """The file in which ``name``, as ``target`` offers it, is defined, as far as lines show it."""
        if target.endswith("/"):
            return self.files.walk(target[:-1], name) or target
        lines = self.files.scan(target)
        if lines is None or depth > _DEPTH:
            return target
        for line in self.files.imports(target):
            for original, local, _ in line.names:
                if local == name and not line.indented:
                    inner = self._file(target, line.module)
                    return self.source(inner, original, depth + 1) if inner and self.has(inner, original) else target
        if name in lines.names:
            return target
        if target.endswith(INIT) and (found := self.files.walk(target.rpartition("/")[0], name)):
            return found
        for star in lines.stars:
            inner = self._file(target, star)
            if inner is not None and self.has(inner, name):
                return self.source(inner, name, depth + 1)
        return target

    @cached_property
    def _defined_in(self) -> dict[str, list[str]]:
        """Name → the files at whose top level a function, class or variable of this name is defined."""
        found: dict[str, list[str]] = {}
        for path in self.files.paths:
            lines = self.files.scan(path)
            if lines is not None:
                imports = self.files.imports(path)
                bound = {line.local for line in imports} | {local for line in imports for _, local, _ in line.names}
                for name in lines.names - bound:
                    found.setdefault(name, []).append(path)
        return found
