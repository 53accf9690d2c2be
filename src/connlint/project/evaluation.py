"""The order in which importing one file evaluates the modules of a project.

Depth first: the imports of a module are evaluated before what follows them, each module once. Where the imports of a
JavaScript file stand before everything else in it ("hoisted") and where they run as written, is `Orders`' question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from msgspec import Struct

from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.importers import importers
from connlint.project.programs import Programs
from connlint.project.project import Project

Order = Literal["hoisted", "written", "unknown"]
_DEEPEST = 200
_STARTS = regex(r"^(?:start|dev|develop|serve|watch|debug)\b")
_DEVELOPING = regex(r"(?:^|[:_.-])(?:dev|develop|development|local|watch|debug|test|tests)(?:$|[:_.-])")
"""Names of scripts that are for the machine of whoever writes the program."""
_DEPLOYED = regex(r"^(?:start|serve|prod|production)\b")


class Import(Struct, frozen=True):
    """The file ``importer`` imports ``target`` at byte ``at``."""

    importer: str
    at: int
    target: str


class Event(Struct, frozen=True):
    """Something that happens while ``path`` is evaluated; ``trail`` are the imports that lead there from the start."""

    path: str
    at: int
    what: Any
    trail: tuple[Import, ...]


def evaluate(project: Project, entry: str, order: Callable[[str], Order],
             events: Callable[[str], list[tuple[int, Any]]]) -> Iterator[Event]:
    """Everything that ``events`` tells about the modules (byte and anything), in the order in which it happens.

    A module itself gives an event with ``what`` None when its evaluation begins. Lazy: as far as it is asked.
    """
    seen = {entry}
    index = importers(project)

    def run(path: str, trail: tuple[Import, ...]) -> Iterator[Event]:
        yield Event(path, 0, None, trail)
        hoisted = order(path) == "hoisted"
        rows: list[tuple[int, int, str | None, Any]] = []
        for at, target, way in index.targets(path):
            if way in ("static", "required") and target.endswith(_CODE):
                rows.append((0 if hoisted and way == "static" else 1, at, target, None))
        for at, what in events(path):
            rows.append((0 if hoisted and getattr(what, "hoisted", False) else 1, at, None, what))
        for _, at, imported, what in sorted(rows, key=lambda row: row[:2]):
            if imported is None:
                yield Event(path, at, what, trail)
                continue
            for one in _with_packages(project, imported):
                if one not in seen and len(trail) < _DEEPEST:
                    seen.add(one)
                    yield from run(one, (*trail, Import(path, at, one)))

    yield from run(entry, ())


_CODE = (".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")


def _with_packages(project: Project, path: str) -> Iterator[str]:
    """``path``, and before it the packages of Python that its import runs."""
    if path.endswith(".py"):
        folder = path.rpartition("/")[0]
        packages = []
        while folder and f"{folder}/__init__.py" in project.tree.paths:
            packages.append(f"{folder}/__init__.py")
            folder = folder.rpartition("/")[0]
        for package in reversed(packages):
            if package != path:
                yield package
    yield path


class Orders:
    """Which order holds for a file, as its suffix, package and the commands that start it say."""

    def __init__(self, project: Project, programs: Programs, entries: list[dict[str, Any]]) -> None:
        self.project = project
        self.programs = programs
        self.patterns = {entry["order"]: [re.compile(pattern) for pattern in entry["commands"]] for entry in entries}
        self._known: dict[tuple[str, str], Order] = {}

    def of(self, path: str, entry: str) -> Order:
        """The order of ``path`` in the program that starts with the file ``entry``."""
        if path.endswith((".py", ".cjs", ".cts")):
            return "written"
        if not path.endswith((".ts", ".tsx")):
            return "hoisted"
        key = (path.rpartition("/")[0], entry)
        if key not in self._known:
            self._known[key] = self._typescript(path, entry)
        return self._known[key]

    def _typescript(self, path: str, entry: str) -> Order:
        if self.programs.package(path).get("type") == "module":
            return "hoisted"
        commands = " ; ".join(self.commands(entry))
        if any(pattern.search(commands) for pattern in self.patterns.get("hoisted", ())):
            return "hoisted"
        modules = self._modules(path.rpartition("/")[0])
        if modules is not None and modules not in ("commonjs", "node16", "node18", "nodenext"):
            return "hoisted"
        if modules == "commonjs" or any(pattern.search(commands) for pattern in self.patterns.get("written", ())):
            return "written"
        return "unknown"

    def commands(self, entry: str) -> list[str]:
        """The scripts of the packages around ``entry`` that name it; where none does, those that start anything."""
        return [text for _, text in self._scripts(entry)]

    def deployed_commands(self, entry: str) -> list[str]:
        """`commands` without those for development, where another one starts ``entry`` as it is deployed."""
        scripts = self._scripts(entry)
        lasting = [(key, text) for key, text in scripts if not _DEVELOPING.search(key)]
        started = any(_DEPLOYED.match(key) for key, _ in lasting)
        return [text for _, text in (lasting if started else scripts)]

    def _scripts(self, entry: str) -> list[tuple[str, str]]:
        """`commands` with the name of each."""
        name = entry.rpartition("/")[2].rpartition(".")[0]
        named, starting = [], []
        folder = entry.rpartition("/")[0]
        while True:
            package = self.programs.package(f"{folder}/package.json" if folder else "package.json")
            for key, text in jsonc.mapping(package.get("scripts")).items():
                if isinstance(text, str):
                    if re.search(rf"(?:^|[\s/]){re.escape(name)}(?:\.[cm]?[jt]sx?)?(?:\s|$)", text):
                        named.append((key, text))
                    if _STARTS.match(key):
                        starting.append((key, text))
            if not folder:
                return named or starting
            folder = folder.rpartition("/")[0]

    def _modules(self, folder: str) -> str | None:
        """``compilerOptions.module`` of the nearest configuration and what it extends by a relative path."""
        while True:
            path = f"{folder}/tsconfig.json" if folder else "tsconfig.json"
            if path in self.project.tree.paths:
                return self._module_of(path)
            if not folder:
                return None
            folder = folder.rpartition("/")[0]

    def _module_of(self, path: str) -> str | None:
        for _ in range(5):
            data = jsonc.loads(self.project.tree.read(path)) or {}
            value = jsonc.mapping(data.get("compilerOptions")).get("module")
            if isinstance(value, str):
                return value.lower()
            base = data.get("extends")
            if not isinstance(base, str) or not base.startswith("."):
                return None
            from connlint.project.javascript_files import join

            found = join(path.rpartition("/")[0], base)
            if found is None:
                return None
            path = found if found.endswith(".json") else f"{found}.json"
        return None
