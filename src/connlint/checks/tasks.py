"""What a task runs: whether that ends by itself and sees to its own errors, and whether there is a loop to run it."""

from __future__ import annotations

from typing import Any

from connlint.checks.flows import catches, is_for_ever
from connlint.checks.lifecycles import last_word
from connlint.checks.origins import class_of, origins
from connlint.checks.patience import Patience
from connlint.checks.repeats import unread
from connlint.checks.threads import loops
from connlint.model import program as p
from connlint.project.callees import Thing, thing
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.stage import words_of
from connlint.project.timeline import at_import
from connlint.project.uses import references

_DEPTH = 3
_PARTIAL = "partial"
_WAITING = frozenset("wait recv receive receives get run serve listen consume start join watch poll subscribe forever "
                     "sleep stream read loop main process gather iterate".split())
"""Words in the names of what may go on for long."""
_PROCESSES = frozenset(("create_subprocess_exec", "create_subprocess_shell", "Popen"))
_ENDS_OF_PROCESSES = frozenset(("wait", "communicate"))
_ASKING = "CancelledError"
"""The exception with which others end a loop."""


class Tasks:
    """Answers about the tasks that the module of ``patience`` makes."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.module = patience.module
        self.project = patience.project

    def clause(self, call: p.Call) -> str:
        """What comes of it that nobody keeps the task of ``call``, for the end of a sentence.

        The event loop holds a task weakly in any case; whether an error is seen depends on what the task runs.
        """
        found = self._runs(call)
        if found is None or not self._waits(found):
            return "its exception is lost"
        own = found.module is self.module
        there = self.patience if own else Patience(found.module, self.project, self.patience.table)
        if _goes_on(found.node) and not _waits_openly(found.node.body, there):
            return "nothing ends its loop when the program shuts down"
        return "its exception is lost" if _waits_openly(found.node.body) else "it may be collected before it is done"

    def ends_by_itself(self, call: p.Call) -> bool:
        """Whether a task runs a function that waits in no loop."""
        found = self._runs(call)
        return found is not None and found.module is self.module and not loops(found.node)

    def is_brief(self, call: p.Call) -> bool:
        """Whether a task does a few things one after the other, none of which waits for somebody else: it is over soon
        though nobody cancels it."""
        found = self._runs(call) or self._runs_by_factory(call)
        if found is None or loops(found.node):
            return False
        awaited = [it.value for it in found.module.nodes_of(found.node, p.Await)]
        return bool(awaited) and all(
            type(it) is p.Call and _WAITING.isdisjoint(words_of(last_word(it.callee) or "wait"))
            and thing(found.module, it.callee, self.project) is None for it in awaited)

    def _runs_by_factory(self, call: p.Call) -> Thing | None:
        """The function whose coroutine a task runs that a function of the project makes and gives back."""
        made = thing(self.module, call.callee, self.project)
        if made is None or type(made.node) is not p.Function:
            return None
        given = made.node.body[-1] if made.node.body else None
        task = given.value if type(given) is p.Return else None
        inner = next((it.value for it in task.args if type(it.value) is p.Call), None) if type(task) is p.Call else None
        found = thing(made.module, inner.callee, self.project) if inner is not None else None
        return found if found is not None and type(found.node) is p.Function else None

    def awaits_process(self, call: p.Call) -> bool:
        """Whether a task waits for the end of another process, with which it is over."""
        inner: Any = next((it.value for it in call.args if type(it.value) is p.Call), None)
        if inner is None or type(inner.callee) is not p.Member or inner.callee.name not in _ENDS_OF_PROCESSES:
            return False
        process = self.module.source.slice(inner.callee.of.at)
        stores: list[Any] = [*self.module.nodes(p.Let), *self.module.nodes(p.Assign)]
        values = ((store.target, store.value.value if type(store.value) is p.Await else store.value)
                  for store in stores)
        return any(type(value) is p.Call and last_word(value.callee) in _PROCESSES
                   and self.module.source.slice(target.at) == process for target, value in values)

    def polls(self, call: p.Call) -> bool:
        """Whether a task runs a function that does something from time to time, and that nothing else ends."""
        found = self._runs(call)
        return found is not None and polling(found)

    def at_the_end(self, call: p.Call) -> bool:
        """Whether a task is made because a signal told the program to end, and so is one of the last that run."""
        function = self.module.function(call)
        return function is not None and self._is_signalled(self.module, function, _DEPTH)

    def _is_signalled(self, module: Module, function: p.Function, depth: int) -> bool:
        """Whether the program runs ``function`` when it is told to end, and at no other time that is seen."""
        above = module.parent(function)
        if type(above) is p.Argument:
            return self._is_handler(module, above)
        if depth <= 0 or type(above) is not p.Define or type(module.parent(above)) is p.Class:
            return False
        if unread(module, above.name):
            whole = self.project.module(module.path)
            bound = whole.scope.names.get(above.name, ()) if whole is not None and whole is not module else ()
            if whole is None or len(bound) != 1 or type(bound[0].node) is not p.Define:
                return False
            module, above = whole, bound[0].node
        uses = references(module, above.name, above)
        return bool(uses) and all(self._leads_to_signal(module, use, depth) for use in uses)

    def _leads_to_signal(self, module: Module, use: Any, depth: int) -> bool:
        """Whether a function's name is handed to what runs it at the end, or called there."""
        above = module.parent(use)
        if type(above) is p.Argument:
            return self._is_handler(module, above)
        if type(above) is not p.Call or above.callee is not use:
            return False
        outer = module.function(above)
        return outer is not None and self._is_signalled(module, outer, depth - 1)

    def _is_handler(self, module: Module, given: p.Argument) -> bool:
        """Whether an argument is what shall be run when a signal comes, perhaps with arguments of its own."""
        call = module.parent(given)
        if type(call) is p.Call and last_word(call.callee) == _PARTIAL and call.args[0] is given:
            given = module.parent(call)
            call = module.parent(given) if type(given) is p.Argument else None
        return type(call) is p.Call and (call, origins(module, self.project)) in self.patience.table.signalled

    def has_no_loop(self, call: p.Call) -> bool:
        """Whether ``call`` asks for the running event loop where there is none, so that no task is made: in a function
        that only the start of the program calls."""
        module = self.module
        function = module.function(call)
        define = module.parent(function) if function is not None else None
        if function is None or function.is_async or function.decorators or module.qualified(call.callee) is None:
            return False
        if type(define) is not p.Define or type(module.parent(define)) is not p.Program or unread(module, define.name):
            return False
        if any(self._is_named_in(path, define.name) for path in importers(self.project).near(module.path)):
            return False
        uses = [module.parent(use) for use in references(module, define.name, define)]
        return bool(uses) and all(
            type(it) is p.Call and last_word(it) == define.name and at_import(module, it, main=True) for it in uses)

    def _is_named_in(self, path: str, name: str) -> bool:
        """Whether a file uses a name, other than for a method of its own."""
        other = self.project.module(path)
        return other is None or any(it.id == name for it in other.nodes(p.Name)) or any(
            it.name == name and last_word(it.of) != "self" for it in other.nodes(p.Member))

    def _runs(self, call: p.Call) -> Thing | None:
        """The function of the project whose coroutine a task runs."""
        inner = next((it.value for it in call.args if type(it.value) is p.Call), None)
        if inner is None:
            return None
        found = thing(self.module, inner.callee, self.project)
        if found is None and type(inner.callee) is p.Member and last_word(inner.callee.of) == "self":
            owner = class_of(self.module, call)
            for statement in owner.body if owner is not None else ():
                if type(statement) is p.Define and statement.name == inner.callee.name:
                    found = Thing(self.module, statement.value)
        return found if found is not None and type(found.node) is p.Function else None

    def _waits(self, found: Thing) -> bool:
        return any(found.module.function(it) is found.node for it in found.module.nodes(p.Await))


def polling(found: Thing) -> bool:
    """Whether a function sleeps in a loop that nothing leaves."""
    return _goes_on(found.node) and any(
        found.module.function(it) is found.node and last_word(it.callee) == "sleep"
        for it in found.module.nodes(p.Call))


def _goes_on(function: p.Function) -> bool:
    """Whether a function has a loop that nothing leaves, unless somebody else ends it."""
    return any(type(it) is p.Loop and it.iterable is None and is_for_ever(it.test) and not _is_left(it.body)
               for it in _statements(function.body))


def _statements(body: tuple[Any, ...]) -> list[Any]:
    """The statements of ``body``, with those of blocks in it."""
    found: list[Any] = []
    for it in body:
        found.append(it)
        if type(it) is p.Try:
            found += _statements((*it.body, *it.otherwise, *it.always))
        elif type(it) is p.With:
            found += _statements(it.body)
    return found


def _is_left(things: Any) -> bool:
    """Whether something in a loop's body leaves it, or may do so, beside what is told to."""
    for it in things:
        if type(it) in (p.Break, p.Return, p.Raise):
            return True
        if type(it) is p.Handler and _is_asked(it.types):
            continue
        if type(it) is not p.Function and _is_left(p.children(it)):
            return True
    return False


def _is_asked(types: Any) -> bool:
    """Whether a handler takes only what others raise to end the loop."""
    named = types.items if type(types) is p.Sequence else (types,)
    return all(last_word(it) == _ASKING for it in named)


def _waits_openly(things: Any, patience: Patience | None = None) -> bool:
    """Whether something is awaited where no handler catches everything that it raises; with ``patience``, what does
    not raise in practice does not count."""
    waiting: list[Any] = list(things)
    while waiting:
        here = waiting.pop()
        if type(here) is p.Await and not (patience is not None and patience.settles(here.value)):
            return True
        if type(here) in (p.Loop, p.With) and here.is_async:
            return True
        if type(here) is p.Try and any(catches(h.types) for h in here.handlers):
            waiting += [s for h in here.handlers for s in h.body] + [*here.always]
        elif type(here) is not p.Function:
            waiting.extend(p.children(here))
    return False
