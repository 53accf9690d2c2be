"""Programs of the project that are on one machine as long as nobody says otherwise: loopback is where they meet.

A server that listens on loopback where a variable is not set cannot be reached from another machine, so whoever looks
for it under the same variable finds it at its default. What a list of pm2 starts runs on the machine of that list. And
who finds a port in a file finds there what wrote the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from connlint.checks.destinations import Destinations
from connlint.checks.fallbacks import fallbacks
from connlint.checks.wording import Wording
from connlint.model import program as p
from connlint.project.address import HOLE, loopback
from connlint.project.callees import last_name
from connlint.project.coded_commands import is_list, listed_commands
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import package_root
from connlint.project.project import Project
from connlint.project.stage import Stages, words_of

_ANY_SCRIPT = "a.js"
"""Stands for the files in the language of the lists."""
_HOSTS = frozenset(("host", "hostname", "ip", "addr", "address"))
"""The last word of a variable that holds a host alone."""
_MOST = 20
"""Files that are read to see whether one of them listens under a variable."""


class SameMachine:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages, wording: Wording, destinations: Destinations) -> None:
        self.project = project
        self.stages = stages
        self.wording = wording
        self.destinations = destinations
        self._bound: dict[tuple[str, str], bool] = {}
        self._listed: dict[str, bool] = {}

    @classmethod
    def of(cls, project: Project, stages: Stages, wording: Wording, destinations: Destinations) -> SameMachine:
        """The one `SameMachine` of a project."""
        return project.single(cls, project, stages, wording, destinations)

    def meets(self, path: str, names: Iterable[str]) -> bool:
        """Whether one of the variables ``names`` that the file at ``path`` reads has a server of the project listen on
        loopback where it is not set, or is set to loopback by lists of pm2 that are not for development."""
        return any(self._is_listed(name) or (not _HOSTS.isdisjoint(words_of(name)[-1:]) and self._is_bound(
            name, package_root(self.project, path))) for name in names)

    def _is_listed(self, name: str) -> bool:
        if name not in self._listed:
            paths = [path for path in importers(self.project).mentions(name, _ANY_SCRIPT)
                     if is_list(path) and not self.wording.says("test", path.rpartition("/")[2])]
            told = [known.value for command in listed_commands(self.project, paths)
                    if (known := command.assignments.get(name)) is not None]
            self._listed[name] = bool(told) and all(text is not None and loopback(text) is not None for text in told)
        return self._listed[name]

    def _is_bound(self, name: str, package: str) -> bool:
        if (name, package) not in self._bound:
            self._bound[name, package] = False
            index = importers(self.project)
            paths = [path for like in ("a.py", _ANY_SCRIPT) for path in index.mentions(name, like)
                     if self.stages.of_path(path) == "production"]
            if name in self.wording.names["bind"] or name in self.wording.bare["bind"]:
                paths = [path for path in paths if package_root(self.project, path) == package]
            self._bound[name, package] = len(paths) <= _MOST and any(self._binds(path, name) for path in paths)
        return self._bound[name, package]

    def _binds(self, path: str, name: str) -> bool:
        """Whether a server listens on what the file at ``path`` has where the variable is not set."""
        module, values = self.project.module(path), self.destinations.values
        return module is not None and any(
            self.destinations.serves(module, found.node, found.host) for found in fallbacks(values, module)
            if not found.host.scheme and not found.host.everywhere and all(name in r.variables for r in found.reads))


def has_port_of_file(module: Module, node: Any, wording: Wording) -> bool:
    """Whether the text ``node`` is or begins an address on loopback, and the port behind it was read from a file."""
    whole = node if type(node) is p.Concat else module.parent(node)
    for before, part in pairwise(whole.parts) if type(whole) is p.Concat else ():
        if type(before) is p.Text and type(part) is p.Name and loopback(f"{before.value}{HOLE}") is not None:
            found = module.lookup(part.id, part)
            return bool(found) and all(d.value is not None and _is_of_file(module, d.value, wording) for d in found)
    return False


def _is_of_file(module: Module, value: Any, wording: Wording) -> bool:
    """Whether ``value`` is what a file holds, or what calls without a meaning of their own make of that."""
    while type(value) in (p.Call, p.Member, p.Await):
        if type(value) is not p.Call:
            value = value.of if type(value) is p.Member else value.value
        elif wording.says("file", last_name(value.callee) or ""):
            return True
        else:
            value = value.callee.of if type(value.callee) is p.Member else value.args[0].value if value.args else None
    return False
