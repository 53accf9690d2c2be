"""Functions that nobody calls, but for tests: their name stands nowhere else in the program.

What a framework, a command or another program may call by a name of its own choice is unknown, and so not uncalled;
neither is anything in a project of a few files, whose callers may have been left out.
"""

from __future__ import annotations

import re
from typing import Any

from connlint.model import program as p
from connlint.patterns import alone, regex
from connlint.project.abandoned import Abandoned
from connlint.project.disuse import Disuse
from connlint.project.importers import importers, imports
from connlint.project.mentions import outside_comments
from connlint.project.module import Module
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages, words_of
from connlint.project.timeline import is_main_test

_TELLING = regex(
    r"(?:^|/)(?:[^/]*Dockerfile[^/]*|Procfile[^/]*|Makefile|[^/]+\.(?:ya?ml|toml|cfg|ini|json|html?|sh|tf|conf|service|ejs|hbs|"
    r"pug|jinja2?|j2))$")
"""Files that may name a function to call."""
_ASKED_FOR = frozenset(
    "main handler handle run start setup teardown register default execute init up down app application load loader "
    "action middleware config configure bootstrap create_app createApp get post put patch delete head options".split()
)
"""Names by which frameworks and other programs call the functions of a module."""
_PROTOCOLS = frozenset(
    "on handle do before after pre post visit leave enter exit process connection data message received lost made "
    "component should get can perform render validate clean to from as is has will did ng use call callback hook "
    "handler listener middleware iter next async sync".split()
)
"""Words at the beginning or the end of methods that libraries ask for by a name of their own."""
_DEPTH = 2
"""Functions that call each other, and are called by nobody else."""
_WORDS = 2
"""Words in the name of a class that its project has made up, and that nobody asks for by a name of theirs."""
_PASSED_ON = regex(rb"\bexport\s*(?:type\s*)?\{[^{}]*\}(?:\s*from\b)?|^__all__\b[^\]]*\]", re.M)
_RENAMED = regex(rb"[ \t]+as\b")
_IMPLEMENTING = regex(rb"\bimplements\b")


class Uncalled:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages
        self.index = importers(project)
        self.programs = programs_of(project, stages)

    @classmethod
    def of(cls, project: Project, stages: Stages) -> Uncalled:
        """The one `Uncalled` of a project."""
        return project.single(cls, project, stages)

    def has(self, path: str, offset: int, depth: int = _DEPTH) -> bool:
        """Whether what stands at ``offset`` of the file ``path`` is part of a function that nobody calls, or that tests
        and other such functions alone do."""
        if self.stages.of_path(path) != "production" or not Disuse.of(self.project, self.stages).is_crowded(path):
            return False
        module = self.project.module(path)
        function = next((f for f in module.nodes(p.Function) if f.at[0] <= offset < f.at[1]), None) if module else None
        if module is None or function is None or function.decorators:
            return False
        if self._is_of_unused_class(module, function, depth):
            return True
        name, owner = _name_and_owner(module, function)
        if not name or name.startswith("__") or name in _ASKED_FOR or function.kind in ("get", "set", "constructor"):
            return False
        found_by_place = (not path.endswith(".py") and self.programs.is_by_convention(path)
                          and self.programs.framework(module, None) is not None)
        if found_by_place or Abandoned.of(self.project, self.stages).is_library(path):
            return False
        if not (self._is_reached(path) or _is_started(module)):
            return False
        if self._is_named(path, name, module.parent(function).at, depth, free=owner is None):
            return False
        if owner is None:
            return True
        # what a class promises to others, they may call; a test that calls the method knows it by its name, and nobody
        # asks an object of another package for a name that is put together like that
        head = module.source.data[owner.at[0] : owner.body[0].at[0] if owner.body else owner.at[1]]
        return not owner.bases and _IMPLEMENTING.search(head) is None and (
            self._is_tested(path, name) or _is_own(name))

    def _is_of_unused_class(self, module: Module, function: p.Function, depth: int) -> bool:
        """Whether ``function`` is a method of a class that the program never names: it makes no object of it."""
        owner = module.parent(module.parent(function))
        outer = module.parent(owner) if type(owner) is p.Class else None
        if type(owner) is not p.Class or type(outer) is not p.Define or type(module.parent(outer)) is not p.Program:
            return False
        if owner.bases or owner.decorators or not owner.name or len(words_of(owner.name)) < _WORDS:
            return False
        found_by_place = not module.path.endswith(".py") and self.programs.is_by_convention(module.path)
        if found_by_place or Abandoned.of(self.project, self.stages).is_library(module.path):
            return False
        return (self._is_reached(module.path) or _is_started(module)) and not self._is_named(
            module.path, owner.name, outer.at, depth)

    def _is_reached(self, path: str) -> bool:
        """Whether files of the program import the module, directly or through others that pass on what it gives."""
        return any(self.stages.of_path(other) == "production" for other in self.index.near(path))

    def _is_named(self, path: str, name: str, own: tuple[int, int], depth: int, *, free: bool = False) -> bool:
        """Whether the name of a function, defined at ``own``, stands in the program a second time, other than where
        modules pass it on, and in functions that nobody calls. What is no method (``free``) is no attribute in Python
        but of its module, in files that import that."""
        word = alone(name.encode())
        near = set(self.index.near(path)) if free and path.endswith(".py") else None
        for other in self.index.mentions(name, path):
            if self.stages.of_path(other) == "test" or self._is_copy(other):
                continue
            python = other.endswith(".py")
            data = self.index.data(other)
            aside = [it.span() for pattern in (imports(python=python), _PASSED_ON) for it in pattern.finditer(data)]
            if other == path:
                aside.append(own)
            for match in outside_comments(word, data, python=python):
                at = match.start()
                if near is not None and other.endswith(".py") and other not in near and _is_attribute(data, at):
                    continue
                renamed = _RENAMED.match(data, match.end()) is not None
                named = renamed or not any(start <= at < end for start, end in aside)
                if named and not (depth > 0 and self.has(other, at, depth - 1)):
                    return True
        return any(word.search(self.index.data(other)) for other in self.project.tree.paths if _TELLING.search(other))

    def _is_copy(self, path: str) -> bool:
        """Whether the file is what a file of the program once was: put aside under its own path."""
        parts = path.split("/")
        return self.stages.of_path(path) == "example" and any(
            "/".join(parts[place:]) in self.project.tree.paths for place in range(1, len(parts)))

    def _is_tested(self, path: str, name: str) -> bool:
        called = re.compile(rb"\.%s\s*\(" % re.escape(name.encode()))
        return any(self.stages.of_path(other) == "test" and called.search(self.index.data(other))
                   for other in self.index.mentions(name, path))


def _is_attribute(data: bytes, at: int) -> bool:
    """Whether a name at ``at`` is asked of something: behind a dot, and not within a text."""
    before = data[data.rfind(b"\n", 0, at) + 1 : at]
    return before.endswith(b".") and before.count(b"'") % 2 == 0 and before.count(b'"') % 2 == 0


def _is_started(module: Module) -> bool:
    """Whether the file is a program by itself."""
    return any(type(it) is p.If and is_main_test(module, it.test) for it in module.program.body)


def _is_own(name: str) -> bool:
    """Whether a method's name is one that its project has made up, and that no protocol asks for."""
    words = words_of(name)
    return len(words) > 1 and _PROTOCOLS.isdisjoint((words[0], words[-1]))


def _name_and_owner(module: Module, function: p.Function) -> tuple[str, Any]:
    """The name of a function at the top level of its module, or of a method there and the class that has it; "" for
    others."""
    holder = module.parent(function)
    if type(holder) is p.Let and type(holder.target) is p.Name:
        name = holder.target.id
    elif type(holder) is p.Define:
        name = holder.name
    else:
        return "", None
    above = module.parent(holder)
    if type(above) is p.Class:
        outer = module.parent(above)
        inside = type(outer) is p.Define and type(module.parent(outer)) is p.Program
        return (name, above) if inside or type(outer) is p.Export else ("", None)
    return (name, None) if type(above) is p.Program else ("", None)
