"""What loads the variables before a program runs its first line: its command, its framework, or who forks it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any

from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.evaluation import Orders
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.programs import Programs
from connlint.project.project import Project
from connlint.project.tree import above

_SCRIPT = regex(r"\.(?:sh|bash|service)$")
_WORD = regex(r"(?<![\w@./-])(?:[\w@.-]+/)*[\w@.-]+\.(?:[cm]?[jt]sx?|py)\b(?![\w/-])")
"""A file of a program as a command names it."""
_ASSIGNED = regex(rb"(?m)^\s*(?:export\s+|readonly\s+)?([A-Za-z_]\w*)=[\"']?([\w./-]+)")
_VARIABLE = regex(rb"\$\{?([A-Za-z_]\w*)\}?")
_PRELOADED = regex(r"(?:-r|--require|--import|--preload)[ =](\.{1,2}/[\w./-]+)")


def _with_values(line: bytes, given: dict[bytes, bytes]) -> bytes:
    """``line`` of a script with the values of the variables that the script gives itself."""
    return _VARIABLE.sub(lambda match: given.get(match[1], match[0]), line)


def _without_suffix(path: str) -> str:
    return re.sub(r"\.(?:[cm]?[jt]sx?|py)$", "", path)


class Preloads:
    """Answers about one project. ``options`` are the card's; ``may_load`` says which files may load variables."""

    def __init__(self, project: Project, options: dict[str, Any], rules: Rules, programs: Programs, orders: Orders,
                 may_load: Callable[[str], bool]) -> None:
        self.project = project
        self.options = options
        self.programs = programs
        self.stages = programs.stages
        self.orders = orders
        self.may_load = may_load
        self.patterns = {
            language: [re.compile(pattern) for entry in rules.apis.get("preload", ()) if entry["language"] == language
                       for pattern in entry["patterns"]]
            for language in ("python", "javascript")}
        self.forks = re.compile(options["forks"].encode())

    def before(self, module: Module, entry: str) -> bool:
        """Whether the command that starts ``entry`` has loaded the variables before."""
        python = module.program.language == "python"
        if not python and (self._framework_loads(module) or self._own(entry)):
            return True
        if not python and any(name in self.project.tree.paths for name in self.options["loading_runners"]):
            return True
        patterns = self.patterns["python" if python else "javascript"]
        scripts = () if python else self.orders.deployed_commands(entry)
        if any(pattern.search(text) for pattern in patterns for text in scripts):
            return True
        if self._forked_by_loader(entry):
            return True
        if not patterns:
            return False
        joined = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in patterns).encode())
        return (self.programs.told(joined, re.compile(self.options["commands"]), entry) is not None
                or self._scripted(entry, joined))

    def _scripted(self, entry: str, loading: re.Pattern[bytes]) -> bool:
        """Whether a script in a folder of its own, which is run from further up, starts ``entry`` in a line that loads
        variables: ``env-cmd -f .env node ./src/index.js`` in ``bin/start.sh``."""
        wanted = _without_suffix(entry)
        tree = self.project.tree
        for path in sorted(path for path in tree.paths if _SCRIPT.search(path)):
            data = tree.read(path) or b""
            given = dict(_ASSIGNED.findall(data))
            for line in data.replace(b"\\\n", b" ").splitlines() if loading.search(data) else ():
                if line.lstrip().startswith(b"#") or not loading.search(line):
                    continue
                line = _with_values(line, given)
                for word in _WORD.findall(line.decode("utf-8", "replace")):
                    if any(_without_suffix(place) in (wanted, wanted.removesuffix("/index"))
                           for folder in above(path.rpartition("/")[0])
                           for place in [posixpath.normpath(posixpath.join(folder, word))]):
                        return True
        return False

    def _forked_by_loader(self, entry: str) -> bool:
        """Whether a program that loads variables itself starts ``entry`` as a process, which inherits them."""
        name = entry.rpartition("/")[2]
        stem = re.escape(name.rpartition(".")[0].encode())
        literal = re.compile(rb"['\"`/]%s(?:\.\w{2,3})?['\"`]" % stem)
        index = importers(self.project)
        return any(
            other != entry and self.may_load(other) and self.stages.of_path(other) == "production"
            and literal.search(index.data(other)) and self.forks.search(index.data(other))
            for other in index.mentions(name.rpartition(".")[0], entry))

    def _framework_loads(self, module: Module) -> bool:
        """Whether a web framework imports the file by its place, and loads the variables before it does."""
        names = dict.fromkeys(self.options["loading_frameworks"], "")
        return self.programs.by_convention(module) and self.programs.framework(module, names) is not None

    def _own(self, entry: str) -> bool:
        """Whether a file of the project that loads variables is put before ``entry``: ``node --import ./env.js``."""
        for text in self.orders.deployed_commands(entry):
            for name in _PRELOADED.findall(text):
                folder = entry.rpartition("/")[0]
                while True:
                    path = posixpath.normpath(posixpath.join(folder, name))
                    stem = re.sub(r"\.[cm]?js$", "", path)
                    for other in (path, *(f"{stem}{end}" for end in (".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"))):
                        if other in self.project.tree.paths and self.may_load(other):
                            return True
                    if not folder:
                        break
                    folder = folder.rpartition("/")[0]
        return False
