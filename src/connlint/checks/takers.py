"""What a function of the project does with a handle that it is given: look at it, give it back, or keep it.

Only what is seen whole counts: a plain function or method without decorators, whose parameter is used in its own body.
Everything else (a generator, a coroutine that is not awaited, a constructor, a closure around the parameter) may keep
what it gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.model import program as p
from connlint.project.callees import Thing, thing
from connlint.project.module import Module
from connlint.project.project import Project

if TYPE_CHECKING:
    from connlint.checks.meanings import Meaning, Meanings


class Takers:
    """Answers about the functions that ``meanings`` asks about; kept for the whole project."""

    def __init__(self, meanings: Meanings, project: Project) -> None:
        self.meanings = meanings
        self.module = meanings.module
        self.project = project
        self._known: dict[tuple[str, int, int, int], Meaning] = project.memo.setdefault(Takers, {})

    def meaning(self, call: p.Call, argument: p.Argument, api: Api) -> Meaning | None:
        """What ``call`` does with the handle in ``argument``; None where that is not known."""
        if argument.spread or call.new or any(given.spread for given in call.args):
            return None
        found = thing(self.module, call.callee, self.project)
        if found is None or not _is_plain(found):
            return None
        if _is_coroutine(found) and type(self.module.parent(call)) is not p.Await:
            return None
        place = _place(found, call, argument)
        return None if place is None else self._taken(found, place, api)

    def only_looks_later(self, call: p.Call, argument: p.Argument, api: Api) -> bool:
        """Whether ``call`` makes a coroutine, for somebody else to run, that only looks at the handle in
        ``argument``."""
        if argument.spread or any(given.spread for given in call.args):
            return False
        found = thing(self.module, call.callee, self.project)
        if found is None or not _is_plain(found) or not _is_coroutine(found):
            return False
        place = _place(found, call, argument)
        return place is not None and self._taken(found, place, api) == "read"

    def closes(self, call: p.Call, table: Lifecycles) -> bool:
        """Whether the function that ``call`` runs closes something, by the names of what it calls."""
        found = thing(self.module, call.callee, self.project)
        waiting: list[Any] = list(found.node.body) if found is not None and type(found.node) is p.Function else []
        while waiting:
            here = waiting.pop()
            if type(here) is p.Call and table.closing.says(last_word(here.callee) or ""):
                return True
            waiting.extend(p.children(here))
        return False

    def _taken(self, found: Thing, place: int, api: Api) -> Meaning:
        key = (found.module.path, found.node.at[0], place, id(api))
        if key not in self._known:
            self._known[key] = "escape"  # cuts cycles
            self._known[key] = self._uses(found.module, found.node, found.node.params[place], api)
        return self._known[key]

    def _uses(self, home: Module, function: p.Function, param: p.Param, api: Api) -> Meaning:
        if type(param.target) is not p.Name:
            return "escape"
        there = self.meanings.elsewhere(home)
        answer: Meaning = "read"
        for name in there.names.names().get(param.target.id, ()):
            if name is param.target:
                continue
            bound = home.lookup(name.id, name)
            if not any(definition.node is param for definition in bound):
                continue
            if len(bound) > 1 or home.function(name) is not function:
                return "escape"
            meaning, _ = there.of(name, api)
            if meaning == "escape":
                return "escape"
            if meaning == "end":
                answer = "end"
        return answer


def _is_plain(found: Thing) -> bool:
    function = found.node
    if type(function) is not p.Function or function.is_generator or function.decorators:
        return False
    return any(type(s) is not p.Raise and not _is_bare(s) for s in function.body)


def _is_coroutine(found: Thing) -> bool:
    """Whether calling a function only makes something that has still to be run."""
    return found.node.is_async and found.module.program.language == "python"


def _is_bare(statement: p.Statement) -> bool:
    """Whether a statement does nothing: a docstring, ``…``."""
    return type(statement) is p.Evaluate and type(statement.value) in (p.Text, p.Constant, p.Opaque)


def _place(found: Thing, call: p.Call, argument: p.Argument) -> int | None:
    """The position of the parameter that gets ``argument``."""
    params: tuple[p.Param, ...] = found.node.params
    if argument.name is not None:
        named = (i for i, it in enumerate(params) if type(it.target) is p.Name and it.target.id == argument.name)
        return next(named, None)
    place = [id(given) for given in call.args if given.name is None].index(id(argument))
    if found.module.program.language == "python" and _is_method(found.module, found.node):
        if type(call.callee) is not p.Member:
            return None
        place += 1
    positional = [i for i, it in enumerate(params) if it.kind in ("positional", "either")]
    return positional[place] if place < len(positional) else None


def _is_method(module: Module, function: p.Function) -> bool:
    define: Any = module.parent(function)
    return type(module.parent(define)) is p.Class
