"""Threads that wait in a loop: what they run, and what tells them to end.

A thread cannot be cancelled. It ends when its function does, so what gives it back is whatever its loop looks at: an
event that somebody sets, an attribute that somebody changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.checks.homes import Use
from connlint.checks.lifecycles import Api, argument, last_word
from connlint.checks.origins import origins
from connlint.model import program as p
from connlint.project.callees import Thing, thing
from connlint.project.module import Module
from connlint.project.project import Project

_DEPTH = 3
_TAKING = ("pop", "popleft", "popitem", "shift")
"""Methods that take an element out of a collection."""


class Threads:
    """Answers about the threads of one module."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project

    def runs(self, call: p.Call, api: Api) -> Thing | None:
        """The function that a thread runs, where it is seen to wait in a loop."""
        for key in api.runs:
            given = argument(call, key)
            found = thing(self.module, given, self.project) if given is not None else None
            if found is not None and type(found.node) is p.Function and loops(found.node):
                return found
        return None

    def signals(self, call: p.Call, running: Thing, api: Api) -> Iterator[Use]:
        """Where events that the thread looks at are set: those that it is given, or that its function names."""
        module = self.module
        function = module.function(call)
        names = {name.id for name in _inside(call, p.Name)} | (
            {name.id for name in _inside(running.node, p.Name)} if running.module is module else set())
        for other in module.nodes(p.Call):
            callee = other.callee
            if not any(above is function for above in module.parents(other)):
                continue
            if type(callee) is p.Member and callee.name == "set" and not other.args and type(callee.of) is p.Name:
                if callee.of.id in names and origins(module, self.project).of(callee.of) in api.signals:
                    yield Use(callee.of, "end", other, module.function(other))

    def is_told(self, method: p.Function, owner: p.Class, running: Thing) -> bool:
        """Whether a method of the object touches anything of it that the thread looks at."""
        theirs = {m.name for m in _inside(running.node, p.Member) if _is_own(m)}
        methods = {s.name for s in owner.body if type(s) is p.Define}
        return not (theirs - methods).isdisjoint(_touched(method, owner, _DEPTH))

    def is_daemon(self, call: p.Call, uses: list[Use]) -> bool:
        """Whether the thread does not keep the program alive."""
        given = argument(call, "daemon")
        if type(given) is p.Constant and given.value == "true":
            return True
        return any(type(above := self.module.parent(use.node)) is p.Member and above.name in ("daemon", "setDaemon")
                   for use in uses)


def loops(function: p.Function) -> bool:
    """Whether a function waits in a loop."""
    waiting: list[Any] = list(function.body)
    while waiting:
        here = waiting.pop()
        if type(here) is p.Loop and (here.iterable is None or here.is_async) and not _empties(here):
            return True
        if type(here) is not p.Function:
            waiting.extend(p.children(here))
    return False


def _empties(loop: p.Loop) -> bool:
    """Whether a loop goes on for as long as there is something in a collection out of which it takes: it works that off
    and ends. ``while self.queue: self.queue.popleft()``"""
    tests: list[Any] = [loop.test]
    while type(tests[-1]) is p.Logical and tests[-1].op == "and":
        both = tests.pop()
        tests += [both.right, both.left]
    names = {last_word(it) for it in tests if type(it) in (p.Name, p.Member)}
    return any(type(call.callee) is p.Member and call.callee.name in _TAKING and last_word(call.callee.of) in names
               for statement in loop.body for call in _inside(statement, p.Call))


def _inside(node: Any, kind: type) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if type(here) is kind:
            yield here
        waiting.extend(p.children(here))


def _is_own(member: p.Member) -> bool:
    return type(member.of) is p.Name and member.of.id in ("this", "self")


def _touched(method: p.Function, owner: p.Class, depth: int) -> set[str]:
    """The attributes of the object that a method names, also through other methods that it calls."""
    found = {member.name for member in _inside(method, p.Member) if _is_own(member)}
    if depth > 0:
        for statement in owner.body:
            if type(statement) is p.Define and statement.name in found and type(statement.value) is p.Function:
                found |= _touched(statement.value, owner, depth - 1)
    return found
