"""Which names some file of Python sets on a module of others: ``settings.name = …``, ``setattr``, a patch.

Where names seem to be missing in one module after the other, looking through all files for each of them takes longer
than noting once what every file sets; where it is one name, that is the other way round. Both give the same answers.
"""

from __future__ import annotations

import re
from functools import cached_property

from connlint.patterns import Words, regex
from connlint.project.python_files import INIT, PythonFiles

_FEW = 24
"""Names that are looked for one by one."""
_SETS_ATTRIBUTE = regex(rb"(?:setattr|object)\([ \t\r\n]*[\w.]+,[ \t\r\n]*\Z")
_SET_ATTRIBUTE = regex(rb"(?:setattr|object)\([ \t\r\n]*[\w.]+,[ \t\r\n]*(?=[\"']([^\"'\n]+)[\"'])")
_LONGEST = 120
"""Bytes before a name in which the call that sets it begins."""
_CREATES = regex(rb"create[ \t]*=[ \t]*True")
_ASSIGNED = regex(rb"\n[ \t]*([\w.]+)\.(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
_OWN = frozenset((b"self", b"cls"))
"""What no module is imported as."""


class Assignments:
    """Answers about the Python files of one project."""

    def __init__(self, files: PythonFiles) -> None:
        self.files = files
        self._answers: dict[tuple[str, str], bool] = {}

    def are_made(self, target: str, name: str) -> bool:
        """Whether some file sets ``name`` on the module ``target``."""
        key = (target, name)
        if key not in self._answers:
            module = target.rstrip("/").removesuffix(f"/{INIT}").rpartition("/")[2].removesuffix(".py")
            noted = len(self._answers) >= _FEW and name.isascii()
            self._answers[key] = self._is_noted(module, name) if noted else self._is_found(module, name)
        return self._answers[key]

    # -- one name -------------------------------------------------------------------------------------------------

    def _is_found(self, module: str, name: str) -> bool:
        texts = ((path, self.files.read(path)) for path in self.files.paths)
        return any(self._sets(path, self.files.read(path), module, name)
                   for path in Words([name.encode()]).held_by(texts))

    def _sets(self, path: str, data: bytes, module: str, name: str) -> bool:
        word = name.encode()
        if _may_call(data):
            for found in re.finditer(rb"[\"']" + re.escape(word) + rb"[\"']", data):
                if _SETS_ATTRIBUTE.search(data, max(0, found.start() - _LONGEST), found.start()):
                    return True
        if _is_patched(data, module, name):
            return True
        if b"." + word not in data:
            return False
        for found in re.finditer(rb"\." + re.escape(word) + rb"[ \t]*(?::[^=\n]*)?=(?!=)", data):
            start = data.rfind(b"\n", 0, found.start()) + 1
            if target := re.fullmatch(rb"[ \t]*([\w.]+)", data[start : found.start()]):
                first, _, last = target[1].rpartition(b".")
                if last == module.encode() or (not first and self._is_name_of(path, last.decode(), module)):
                    return True
        return False

    def _is_name_of(self, path: str, local: str, module: str) -> bool:
        """Whether ``path`` imports something called ``module`` under the name ``local``."""
        for line in self.files.imports(path):
            if line.local == local and line.module.rpartition(".")[2] == module:
                return True
            if any(bound == local and name == module for name, bound, _ in line.names):
                return True
        return False

    # -- many names -----------------------------------------------------------------------------------------------

    def _is_noted(self, module: str, name: str) -> bool:
        word = name.encode()
        return (word in self._called or (word, module.encode()) in self._assigned
                or any(self._is_name_of(path, local.decode(), module)
                       for local, path in self._assigned_by_name.get(word, ()))
                or any(_is_patched(self.files.read(path), module, name) for path in self._creating))

    @cached_property
    def _called(self) -> frozenset[bytes]:
        """The names that are set by a call, on whatever."""
        found: set[bytes] = set()
        for path in self.files.paths:
            data = self.files.read(path)
            if _may_call(data):
                found.update(match[1] for match in _SET_ATTRIBUTE.finditer(data)
                             if match.end() - match.start() <= _LONGEST)
        return frozenset(found)

    @cached_property
    def _creating(self) -> list[str]:
        """The files in which a patch may make a name."""
        return [path for path in self.files.paths for data in (self.files.read(path),)
                if b"create" in data and _CREATES.search(data)]

    @cached_property
    def _all(self) -> tuple[frozenset[tuple[bytes, bytes]], dict[bytes, list[tuple[bytes, str]]]]:
        assigned: set[tuple[bytes, bytes]] = set()
        by_name: dict[bytes, list[tuple[bytes, str]]] = {}
        for path in self.files.paths:
            for on, name in set(_ASSIGNED.findall(b"\n" + self.files.read(path))):
                first, _, last = on.rpartition(b".")
                assigned.add((name, last))
                if not first and on not in _OWN:
                    by_name.setdefault(name, []).append((last, path))
        return frozenset(assigned), by_name

    @property
    def _assigned(self) -> frozenset[tuple[bytes, bytes]]:
        """The names that are assigned to, each with the last part of what stands before it."""
        return self._all[0]

    @property
    def _assigned_by_name(self) -> dict[bytes, list[tuple[bytes, str]]]:
        """By name that is assigned to: the single names before it, with their files."""
        return self._all[1]


def _may_call(data: bytes) -> bool:
    return b"setattr" in data or b".object(" in data


def _is_patched(data: bytes, module: str, name: str) -> bool:
    """Whether a patch makes ``name``, which the module need not have."""
    patched = f".{module}.{name}".encode()
    return patched in data and re.search(re.escape(patched) + rb"[\"'][^\n]*create[ \t]*=[ \t]*True", data) is not None
