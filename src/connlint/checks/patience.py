"""Which steps do not raise in practice: sleeping, logging, arithmetic on collections, promises that only resolve."""

from __future__ import annotations

import sys
from typing import Any

from connlint.checks.flows import catches, throws_again
from connlint.checks.lifecycles import Lifecycles, last_word, parts
from connlint.checks.origins import origins, returned
from connlint.model import program as p
from connlint.project.callees import thing
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.uses import references

_DEPTH = 3
_NUMBERS = ("int", "float", "round")
_MAKING = ("__init__", "__new__", "__post_init__", "constructor")
"""The methods of a class that run when an object of it is made."""


class Patience:
    """Answers for the calls and awaits of one module."""

    def __init__(self, module: Module, project: Project, table: Lifecycles) -> None:
        self.module = module
        self.project = project
        self.table = table
        self.origins = origins(module, project)

    def calm(self, step: p.Expression, *, wary: bool) -> bool:
        """Whether ``step`` (a call, an await, something awaited) does not raise in practice.

        Where one is ``wary``, any call that is not known may raise; else only what waits for something outside, and
        calls that are known to raise.
        """
        if not wary and type(step) is p.Call and not self._throws(step):
            return True
        return self._calm(step, _DEPTH)

    def _throws(self, call: p.Call) -> bool:
        """Whether a call is known to raise: by the table, or since it runs a function that says so."""
        if (call, self.origins) in self.table.raising:
            return True
        found = self.origins.function_called(call)
        if found is None or found[1].is_async or found[1].is_generator:
            return False
        return _raises(found[1].body)

    def telling(self, step: p.Expression) -> bool:
        """Whether a call is of the kind that mostly fails where anything does."""
        if type(step) is not p.Call:
            return False
        callee = step.callee
        if type(callee) is p.Name and callee.id in self.table.converting:
            return False
        return (type(callee) is p.Member and callee.name in self.table.telling.methods) or (
            (step, self.origins) in self.table.raising)

    def exits(self, step: p.Expression) -> bool:
        """Whether a call, or an exception that is raised, ends the program."""
        callee = step.callee if type(step) is p.Call else step
        return self.table.exits.names_it(callee, self.origins)

    def suppresses(self, manager: p.Expression) -> bool:
        """Whether a context manager stops exceptions."""
        return type(manager) is p.Call and (manager, self.origins) in self.table.suppressing

    def waits(self, manager: p.Expression) -> bool:
        """Whether a context manager is a lock that is kept under a name; one that a call makes may be far away."""
        return type(manager) in (p.Name, p.Member) and self.table.locks.says(last_word(manager) or "")

    def _calm(self, step: Any, depth: int) -> bool:
        kind = type(step)
        if kind is p.Await:
            return self._settles(step.value, depth)
        if kind is not p.Call or self._asks_others(step):
            return False
        if (step, self.origins) in self.table.calm or self.table.calm.knows(self.origins.of(step.callee)):
            return True
        if self._converts_number(step) or self._closes_untouched(step):
            return True
        return self._only_makes(step) or self._sleeps(step, depth) or self._copes(step) or self._is_quiet(step, depth)

    def _asks_others(self, call: p.Call) -> bool:
        """Whether a call asks a server or the disk, although it is named like a method of Python's own collections."""
        callee: Any = call.callee
        if type(callee) is not p.Member or self.module.program.language != "python":
            return False
        asking = self.table.asking
        if asking.named(call, self.origins) or asking.knows(self.origins.of(callee)):
            return True
        given = [argument.value for argument in call.args if argument.name is None and not argument.spread]
        if callee.name not in asking.methods:
            return False
        if not given:
            return not call.args and callee.name == "count" and not self.table.calm.named(call, self.origins)
        words = parts(last_word(callee.of) or "")
        if words and any(words[-len(it.split()):] == it.split() for it in asking.receivers):
            return True
        if type(callee.of) is p.Member and callee.of.name == "query":
            return _is_class(callee.of.of)
        if not words or words[-1] not in asking.words:
            return False
        return _is_address(given[0]) or (len(given) > 1 and _is_class(given[0]))

    def _converts_number(self, call: p.Call) -> bool:
        """``int(time.time() * 1000)``"""
        name = call.callee.id if type(call.callee) is p.Name else ""
        return name in _NUMBERS and len(call.args) == 1 and self._is_number(call.args[0].value, _DEPTH)

    def _is_number(self, value: Any, depth: int) -> bool:
        """Whether a value of Python is seen to be a number."""
        kind = type(value)
        if kind is p.Number:
            return True
        if depth <= 0:
            return False
        if kind is p.Opaque and value.why.startswith(("binary ", "unary ")):
            return bool(value.parts) and all(self._is_number(part, depth - 1) for part in value.parts)
        if kind is p.Call:
            name = self.module.qualified(value.callee) or ""
            if name == "len" or self.table.clocks.knows(name):
                return True
            return name in ("max", "min", "abs", *_NUMBERS) and all(
                self._is_number(given.value, depth - 1) for given in value.args)
        only = self.module.only(value.id, value) if kind is p.Name else None
        if only is None:
            return False
        if type(only.node) is p.Param:
            return last_word(only.node.annotation) in _NUMBERS
        return only.kind == "value" and not only.path and self._is_number(only.value, depth - 1)

    def _closes_untouched(self, call: p.Call) -> bool:
        """Whether a file is closed with which nothing has been done so far: there is nothing left to be written."""
        callee: Any = call.callee
        if type(callee) is not p.Member or callee.name not in self.table.untouched.methods:
            return False
        of: Any = callee.of
        only = self.module.only(of.id, of) if type(of) is p.Name else None
        made: Any = only.value if only is not None and only.kind == "value" and not only.path else None
        if type(made) is not p.Call or not self.table.untouched.named(made, self.origins):
            return False
        before = [name for name in references(self.module, of.id, of)
                  if made.at[1] <= name.at[0] < call.at[0]]
        # ``file.name`` is read at most
        return all(type(above := self.module.parent(name)) is p.Member and type(self.module.parent(above)) is p.Argument
                   for name in before) and self.module.function(made) is self.module.function(call)

    def _copes(self, call: p.Call) -> bool:
        """Whether a call runs a function of the project that tries all it does, and stops what it expects to fail."""
        found = self.origins.function_called(call)
        if found is None or found[1].is_generator:
            return False
        steps = [s for s in found[1].body if not (type(s) is p.Evaluate and type(s.value) is p.Text)]
        return bool(steps) and all(type(s) is p.Try and s.handlers for s in steps) and not _raises(tuple(steps))

    def _is_quiet(self, call: p.Call, depth: int) -> bool:
        """Whether a call runs a function of the project, or makes an object of it, in which nothing raises in practice.
        """
        found = thing(self.module, call.callee, self.project) if depth > 0 else None
        if found is None:
            return False
        there = self if found.module is self.module else Patience(found.module, self.project, self.table)
        if type(found.node) is p.Class and not found.instance:
            return there._is_plainly_made(found.node, depth - 1)
        return type(found.node) is p.Function and there._is_quiet_function(found.node, depth - 1)

    def _is_quiet_function(self, function: p.Function, depth: int) -> bool:
        if function.is_generator or function.decorators:
            return False
        known: dict[tuple[int, int], bool] = self.module.memo.setdefault(Patience, {})
        key = (function.at[0], depth)
        if key not in known:
            known[key] = self._are_quiet(function.body, depth)
        return known[key]

    def rounds(self, iterable: p.Expression) -> bool:
        """Whether the rounds of an async loop over ``iterable`` do not raise in practice: they run the body of a
        generator, of which the call has run nothing."""
        found = thing(self.module, iterable.callee, self.project) if type(iterable) is p.Call else None
        node = found.node if found is not None else None
        if found is None or type(node) is not p.Function or not node.is_generator:
            return self.calm(iterable, wary=True)
        there = self if found.module is self.module else Patience(found.module, self.project, self.table)
        return there._are_quiet(node.body, _DEPTH - 1, yielding=True)

    def _are_quiet(self, statements: tuple[p.Statement, ...], depth: int, *, yielding: bool = False) -> bool:
        """Whether nothing in ``statements`` raises in practice, or a handler takes it; a generator is ``yielding``."""
        waiting: list[Any] = list(statements)
        while waiting:
            here = waiting.pop()
            kind = type(here)
            if kind in (p.Function, p.Class):
                continue  # nothing of it runs here
            if kind is p.Yield and yielding and not here.delegate:
                waiting.extend(p.children(here))
                continue
            if kind in (p.Raise, p.Yield, p.Unread) or (kind is p.Loop and here.is_async):
                return False
            if kind is p.Import and here.module.split(".")[0] not in sys.stdlib_module_names:
                return False
            if kind is p.Call and not self._calm(here, depth):
                return False
            if kind is p.Await and type(here.value) is not p.Call and not self._settles(here.value, depth):
                return False
            if kind is p.Await and type(here.value) is p.Call:
                if not self._settles(here.value, depth):
                    return False
                waiting += [given.value for given in here.value.args]
            elif kind is p.Try and any(catches(it.types) for it in here.handlers):
                waiting += [s for it in here.handlers for s in it.body] + [*here.otherwise, *here.always]
            else:
                waiting.extend(p.children(here))
        return True

    def _is_plainly_made(self, owner: p.Class, depth: int) -> bool:
        """Whether making an object of a class of this file keeps what it is given, and does nothing else."""
        plain = self.table.plain
        if depth < 0 or any(last_word(it) not in plain.methods for it in owner.decorators):
            return False
        for base in owner.bases:
            value: Any = base.value
            value = value.of if type(value) is p.Index else value
            if (last_word(value) or "").lower() in plain.words:
                continue
            found = thing(self.module, value, self.project)
            if found is None or type(found.node) is not p.Class or found.instance:
                return False
            there = self if found.module is self.module else Patience(found.module, self.project, self.table)
            if not there._is_plainly_made(found.node, depth - 1):
                return False
        return all(
            type(it.value) is p.Function and self._is_quiet_function(it.value, depth)
            for it in owner.body if type(it) is p.Define and it.name in _MAKING)

    def _only_makes(self, call: p.Call) -> bool:
        """Whether a call makes a coroutine or generator of the project, of which nothing has been run then."""
        if self.module.program.language != "python":
            return False
        found = thing(self.module, call.callee, self.project)
        node = found.node if found is not None else None
        return type(node) is p.Function and (node.is_async or node.is_generator)

    def settles(self, value: p.Expression) -> bool:
        """Whether an awaited value never fails in practice."""
        return self._settles(value, _DEPTH)

    def only_times_out(self, step: Any) -> bool:
        """Whether ``step`` awaits something that never fails, for some time: ``await wait_for(event.wait(), 5)``."""
        call = step.value if type(step) is p.Await else None
        if type(call) is not p.Call or not call.args or not self.table.timed.named(call, self.origins):
            return False
        inner = call.args[0].value
        return type(inner) is p.Call and (
            self.table.calm.knows(self.origins.of(inner.callee)) or self._settles(inner, _DEPTH))

    def closes(self, step: Any) -> bool:
        """Whether ``step`` itself gives something back: what cleans up is not suspected of raising."""
        call = step.value if type(step) is p.Await else step
        return type(call) is p.Call and (call, self.origins) in self.table.closing

    def _settles(self, value: Any, depth: int) -> bool:
        """Whether an awaited value never fails."""
        if type(value) is p.Call:
            if type(value.callee) is p.Member and value.callee.name == "catch" and value.args:
                return not throws_again(value.args[0].value)
            if any(type(a.value) is p.Constant and a.value.value == "true" and a.name in self.table.collecting
                   for a in value.args):
                return True
            if value.new and last_word(value.callee) == "Promise":
                return self._only_resolves(value)
            # `get` of a dictionary does not raise; a `get` that is awaited asks somebody else
            return (self.table.calm.named(value, self.origins) or self._sleeps(value, depth) or self._copes(value)
                    or self._is_quiet(value, depth))
        return False

    def _only_resolves(self, promise: p.Call) -> bool:
        """``new Promise(resolve => setTimeout(resolve, ms))``: there is no way to reject."""
        executor = promise.args[0].value if promise.args else None
        return type(executor) is p.Function and len(executor.params) <= 1

    def _sleeps(self, call: p.Call, depth: int) -> bool:
        """A function of the project that does nothing but wait."""
        if depth <= 0:
            return False
        found = self.origins.function_called(call)
        if found is None:
            return False
        home, function = found
        there = self if home is self.module else Patience(home, self.project, self.table)
        values = returned(function)
        if len(function.body) == 1 and len(values) == 1:
            return there._settles(values[0], depth - 1) or (
                type(values[0]) is p.Await and there._settles(values[0].value, depth - 1))
        return False


def _is_class(value: Any) -> bool:
    """Whether an expression is the name of a class, as names are written in Python."""
    name = last_word(value) if type(value) in (p.Name, p.Member) else None
    return name is not None and name[:1].isupper() and not name.isupper()


def _is_address(value: Any) -> bool:
    """Whether an expression is an address of the web, or has the name of one."""
    if type(value) is p.Concat and value.parts:
        return _is_address(value.parts[0])
    if type(value) is p.Text:
        return value.value.startswith(("http://", "https://"))
    words = parts(last_word(value) or "") if type(value) in (p.Name, p.Member) else []
    return bool(words) and words[-1] in ("url", "uri")


def _raises(body: tuple[p.Statement, ...]) -> bool:
    """Whether a function's statements raise, outside ``try`` and functions of their own."""
    waiting: list[Any] = list(body)
    while waiting:
        thing = waiting.pop()
        kind = type(thing)
        if kind is p.Raise:
            return True
        if kind is p.Try:
            waiting.extend(s for h in thing.handlers for s in h.body)
            if not thing.handlers:
                waiting.extend(thing.body)
        elif isinstance(thing, p.Statement) and kind is not p.Define:
            waiting.extend(c for c in p.children(thing) if isinstance(c, p.Statement) or type(c) is p.Case)
        elif kind is p.Case:
            waiting.extend(thing.body)
    return False
