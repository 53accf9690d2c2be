"""Functions that answer: a framework or a library calls them with each request, message or job.

They are marked by a decorator, handed to a call that is surely made while the program starts (by themselves, in an
options object, as a class of views), asked for in the signature of another such function, or exported by a file that
the framework finds by where it lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connlint.model import program as p
from connlint.model.rule import Rules
from connlint.project.callees import Thing, last_name, member, thing
from connlint.project.javascript_files import folder_of
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.timeline import holder

if TYPE_CHECKING:
    from connlint.checks.starting import Starting

_KEYS = ("decorators", "marks", "handed", "alone", "options", "asks", "methods")


class Answering:
    """Asks the code of services what answers. The names stand in the tables ``answers`` and ``answering_file``."""

    def __init__(self, project: Project, rules: Rules, starting: Starting) -> None:
        self.project, self.starting = project, starting
        self._words = {key: frozenset(word for row in rules.apis.get("answers", ()) for word in row.get(key, ()))
                       for key in _KEYS}
        self._files = [(re.compile(row["path"]), row) for row in rules.apis.get("answering_file", ())]
        self._asked: dict[tuple[str, str], list[tuple[Module, p.Call, p.Function]]] = {}
        self._handed: dict[tuple[str, str], list[tuple[Module, p.Call, Any]]] = {}

    def files(self, one: Running) -> set[str]:
        """The files of ``one`` that its framework loads because of where they lie."""
        return {path for path in self.starting.code.files(one) if self._row(path) is not None}

    def answers(self, module: Module, node: Any, loaded: set[str], mains: set[str]) -> bool:
        """Whether ``node`` stands in a function that answers, in a program which loads ``loaded`` and starts with
        ``mains``."""
        around = holder(module, node)
        function = around.node if around is not None else None
        if type(function) is not p.Function:
            return False
        return (any(self._marks(module, decorator) for decorator in function.decorators)
                or self._is_handed(module, function, loaded, mains)
                or self._is_exported(module, function)
                or self._is_asked_for(module, function, loaded, mains))

    def _marks(self, module: Module, decorator: p.Expression) -> bool:
        callee = decorator.callee if type(decorator) is p.Call else decorator
        if type(callee) is p.Member:
            return callee.name in self._words["decorators"]
        if type(callee) is not p.Name or callee.id not in self._words["marks"]:
            return False
        return thing(module, callee, self.project) is None  # the project's own decorator of that name may do anything

    # -- handed to a call ---------------------------------------------------------------------------------------------

    def _is_handed(self, module: Module, function: p.Function, loaded: set[str], mains: set[str]) -> bool:
        """Whether ``function`` itself, its name, or the class that it is a method of, is handed to such a call."""
        given = _given(module, function)
        if type(given) is p.Argument:
            call = module.parent(given)
            return type(call) is p.Call and self._takes(call, given, function) and self.starting.registered(
                module, call, loaded, mains)
        owner = module.parent(given) if type(given) is p.Define else None
        if type(given) is p.Define and type(owner) is p.Class:
            if given.name not in self._words["methods"] or owner.name is None:
                return False
            return any(self._means(home, value, module, owner) and self.starting.registered(home, call, loaded, mains)
                       for home, call, value in self._handing(owner.name, loaded))
        name = function.name or (last_name(given.target) if type(given) in (p.Let, p.Assign) else None)
        return name is not None and any(
            self._means(home, value, module, function) and self.starting.registered(home, call, loaded, mains)
            for home, call, value in self._handing(name, loaded))

    def _takes(self, call: p.Call, argument: p.Argument, value: Any) -> bool:
        """Whether ``call`` takes ``value``, which stands in ``argument``, as what answers."""
        word = last_name(call.callee)
        if type(argument.value) is p.Record:
            keys = {e.key.value for e in argument.value.entries if type(e.key) is p.Text and _holds(e.value, value)}
            return bool(keys & self._words["options"])
        if argument.name is not None:
            return argument.name in self._words["options"]
        if word in self._words["handed"] and argument is not call.args[0]:
            return True
        return word in self._words["alone"]

    def _handing(self, name: str, loaded: set[str]) -> Iterator[tuple[Module, p.Call, Any]]:
        """The calls in loaded files that take something called ``name`` as what answers."""
        for path in sorted(loaded):
            if (path, name) not in self._handed:
                data = self.project.tree.read(path) or b""
                words = (*self._words["handed"], *self._words["alone"], *self._words["options"])
                there = name.encode() in data and any(word.encode() in data for word in words)
                module = self.project.module(path) if there else None
                self._handed[path, name] = list(self._hands(module, name)) if module is not None else []
            yield from self._handed[path, name]

    def _hands(self, module: Module, name: str) -> Iterator[tuple[Module, p.Call, Any]]:
        for call in module.nodes(p.Call):
            for argument in call.args:
                for value in _named(argument.value, name):
                    if self._takes(call, argument, value):
                        yield module, call, value

    def _means(self, home: Module, value: Any, module: Module, node: Any) -> bool:
        meant = thing(home, value, self.project)
        return meant is not None and (meant.module.path, meant.node.at) == (module.path, node.at)

    # -- found by its file --------------------------------------------------------------------------------------------

    def _row(self, path: str) -> dict[str, Any] | None:
        for pattern, row in self._files:
            if pattern.search(path):
                package = row.get("package")
                if package is None or package in self._dependencies(path):
                    return row
        return None

    def _dependencies(self, path: str) -> frozenset[str]:
        linker = self.project.linkers.get("javascript")
        return linker.resolver.packages.dependencies(folder_of(path)) if linker is not None else frozenset()

    def _is_exported(self, module: Module, function: p.Function) -> bool:
        row = self._row(module.path)
        for name in row["exports"] if row is not None else ():
            found = member(Thing(module, module.program), name, self.project)
            if found is not None and (found.module.path, found.node.at) == (module.path, function.at):
                return True
        return False

    # -- asked for ----------------------------------------------------------------------------------------------------

    def _is_asked_for(self, module: Module, function: p.Function, loaded: set[str], mains: set[str]) -> bool:
        """Whether a function that answers, or another that is asked for so, asks in its signature for what ``function``
        gives: ``store=Depends(get_store)``."""
        name = function.name
        if name is None or module.program.language != "python":
            return False
        return any(by is not function and self._means(home, call.args[0].value, module, function)
                   and self.answers(home, by.body[0], loaded, mains)
                   for path in sorted(loaded) for home, call, by in self._asked_in(path, name))

    def _asked_in(self, path: str, name: str) -> list[tuple[Module, p.Call, p.Function]]:
        if (path, name) not in self._asked:
            data = self.project.tree.read(path) or b""
            there = name.encode() in data and any(word.encode() in data for word in self._words["asks"])
            module = self.project.module(path) if there else None
            self._asked[path, name] = list(self._asks(module, name)) if module is not None else []
        return self._asked[path, name]

    def _asks(self, module: Module, name: str) -> Iterator[tuple[Module, p.Call, p.Function]]:
        """The calls in ``module`` that stand in a signature and ask for what a function called ``name`` gives."""
        for call in module.nodes(p.Call):
            if last_name(call.callee) in self._words["asks"] and call.args and last_name(call.args[0].value) == name:
                below: Any = call
                for above in module.parents(call):
                    if type(above) is p.Function:
                        if type(below) is p.Param and above.body:
                            yield module, call, above
                        break
                    below = above


def _given(module: Module, function: p.Function) -> Any:
    """The argument of the outermost call that ``function`` is handed to, also inside a list, an object or a call that
    wraps it (``guarded(handler)``); what else it stands in where it is handed to none."""
    above = module.parent(function)
    found = above
    while type(above) in (p.Entry, p.Record, p.Sequence, p.Argument, p.Call):
        found = above if type(above) is p.Argument else found
        above = module.parent(above)
    return found


def _holds(value: Any, wanted: Any) -> bool:
    """Whether ``value`` is ``wanted``, or a call that is handed it."""
    return value is wanted or (type(value) is p.Call and any(_holds(a.value, wanted) for a in value.args))


def _named(value: Any, name: str) -> Iterator[Any]:
    """The parts of an argument that are called ``name``: itself, an entry, what a call wraps, a class of views."""
    kind = type(value)
    if kind in (p.Name, p.Member):
        if last_name(value) == name:
            yield value
    elif kind is p.Sequence:
        for item in value.items:
            yield from _named(item, name)
    elif kind is p.Record:
        for entry in value.entries:
            yield from _named(entry.value, name)
    elif kind is p.Call:
        if type(value.callee) is p.Member and value.callee.name in ("as_view", "bind"):
            yield from _named(value.callee.of, name)
        for argument in value.args:
            yield from _named(argument.value, name)
