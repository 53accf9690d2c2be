"""Variables that a program of the project hands to another that it starts, so that no default of theirs is ever taken.

``spawn("python", ["run.py"], { env: { ...process.env, BROKER_URL: broker } })`` sets ``BROKER_URL`` for ``run.py`` and
for everything that it imports; so does ``env`` in a list of programs that pm2 starts.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

from connlint.model import program as p
from connlint.project.callees import last_name
from connlint.project.coded_commands import is_list, listed_commands
from connlint.project.importers import CODE, importers
from connlint.project.module import Module
from connlint.project.project import Project

_STARTING = frozenset(
    "spawn spawnSync fork exec execFile execFileSync execSync execa Popen run call check_call check_output "
    "create_subprocess_exec create_subprocess_shell Process".split()
)
"""Last names of calls that may start a program."""
_WORDS = (b"spawn", b"Popen", b"execFile", b"fork(", b"execa", b"subprocess")
_DESCRIBING = (b"command", b"args", b"env")
"""Keys with which a program that something else shall start is described, as in the settings of MCP clients."""
_MOST = 60
"""Files that are read to see what they start."""


class Launched:
    """Answers about one project."""

    def __init__(self, project: Project, counts: Any) -> None:
        self.project = project
        self.index = importers(project)
        self._given: dict[str, set[str]] | None = None
        self._counts = counts

    @classmethod
    def of(cls, project: Project, counts: Any) -> Launched:
        """The one `Launched` of a project; ``counts`` tells which paths belong to the program."""
        return project.single(cls, project, counts)

    def gives(self, path: str, variables: Iterable[str]) -> bool:
        """Whether the file at ``path`` runs in a program that another one starts with all of ``variables`` set."""
        names = set(variables)
        if names and all(self._is_described(path, name) for name in names):
            return True
        if not any(self._starts(other) or is_list(other) for name in names for like in ("a.py", "a.js")
                   for other in self.index.mentions(name, like)):
            return False
        return names <= self._of.get(path, set())

    def _is_described(self, path: str, name: str) -> bool:
        """Whether another file tells how a program is to be started, by its command and with the variable ``name``, and
        nothing but that file and the one at ``path`` knows the variable: then it is this program's."""
        others = [other for other in self.index.mentions(name, path) if other != path and self._counts(other)]
        if len(others) != 1 or any(word not in self.index.data(others[0]) for word in _DESCRIBING):
            return False
        module = self.project.module(others[0])
        return module is not None and any(name in names for names in _descriptions(module))

    @property
    def _of(self) -> dict[str, set[str]]:
        if self._given is None:
            self._given = {}
            for other in self._starting[:_MOST]:
                module = self.project.module(other)
                for names, started in _launches(module, self.index.paths) if module is not None else ():
                    for path in self._loaded(started):
                        self._given.setdefault(path, set()).update(names)
            for command in listed_commands(self.project, list(filter(is_list, self.index.paths))):
                started = posixpath.normpath(posixpath.join(command.folder or "", command.words[-1].value or ""))
                for path in self._loaded(started) if command.assignments and started in self.project.tree.paths else ():
                    self._given.setdefault(path, set()).update(command.assignments)
        return self._given

    def _loaded(self, started: str) -> set[str]:
        """The file ``started`` and all that it imports; for Python its folder is where imports begin, whatever the
        layout of the project."""
        folder = started.rpartition("/")[0]
        paths = self.project.tree.paths
        found = {started}
        waiting = [started]
        while waiting:
            here = waiting.pop()
            targets = {target for _, target, _ in self.index.targets(here)}
            if here.endswith(".py"):
                modules = [module.replace(".", "/") for _, module, _ in self.index.imports(here)]
                names = [f"{folder}/{module}".lstrip("/") for module in modules]
                files = [path for name in names for path in (f"{name}.py", f"{name}/__init__.py")]
                targets.update(path for path in files if path in paths)
            waiting += targets - found
            found |= targets
        return found

    @property
    def _starting(self) -> list[str]:
        key = (Launched, Launched._starting)
        if key not in self.project.memo:
            self.project.memo[key] = [path for path in self.index.paths if self._starts(path)]
        return self.project.memo[key]

    def _starts(self, path: str) -> bool:
        """Whether the file at ``path`` seems to start programs, and to say something of their environment."""
        known: dict[str, bool] = self.project.memo.setdefault(Launched._starts, {})
        if path not in known:
            data = self.index.data(path)
            known[path] = b"env" in data and any(word in data for word in _WORDS) and bool(self._counts(path))
        return known[path]


def _launches(module: Module, paths: list[str]) -> Iterator[tuple[set[str], str]]:
    """The variables that a call sets for a program, and the file of the project with which that program starts."""
    for call in module.nodes(p.Call):
        if last_name(call.callee) not in _STARTING:
            continue
        names = {name for item in call.args for name in _environment(module, item)}
        if names:
            started = _file(list(_texts(call)), paths)
            if started is not None:
                yield names, started


def _descriptions(module: Module) -> Iterator[set[str]]:
    """The variables that objects set for a program which they describe by its command."""
    for record in module.nodes(p.Record):
        entries = {entry.key.value: entry.value for entry in record.entries if type(entry.key) is p.Text}
        if "command" in entries and "args" in entries and type(given := entries.get("env")) is p.Record:
            yield {entry.key.value for entry in given.entries if type(entry.key) is p.Text}


def _environment(module: Module, item: p.Argument) -> Iterator[str]:
    """The variables that an argument sets whatever happens."""
    value = item.value if item.name == "env" else None
    if item.name is None and type(item.value) is p.Record:
        value = next((e.value for e in item.value.entries if type(e.key) is p.Text and e.key.value == "env"), None)
    if type(value) is p.Name:
        found = module.lookup(value.id, value)
        value = found[0].value if len(found) == 1 and not found[0].path else None
    if type(value) is p.Record:
        yield from (entry.key.value for entry in value.entries if type(entry.key) is p.Text)
    elif type(value) is p.Call and last_name(value.callee) == "dict":
        yield from (inner.name for inner in value.args if inner.name is not None)


def _texts(node: Any) -> Iterator[str]:
    for child in p.children(node):
        if type(child) is p.Text:
            yield child.value
        yield from _texts(child)


def _file(texts: list[str], paths: list[str]) -> str | None:
    """The one file of the project that ``texts`` of a command name; of several, the one whose folder they name too."""
    words = [word.removeprefix("./") for text in texts for word in text.split()]
    for word in words:
        if word.endswith(CODE):
            found = [path for path in paths if path == word or path.endswith("/" + word)]
            near = [path for path in found if path.rpartition("/")[0].rpartition("/")[2] in words]
            if len(found) == 1 or len(near) == 1:
                return (near or found)[0]
    return None
