"""Handles that are acquired after an ``await``: who gives them back may have run by then, or start a second one."""

from __future__ import annotations

from typing import Any

from connlint.checks.components import Components, Hook
from connlint.checks.homes import Home
from connlint.model import program as p
from connlint.project.conditions import ends
from connlint.project.module import Module


class Overtaken:
    """Answers about the acquisitions of one module."""

    def __init__(self, module: Module, components: Components) -> None:
        self.module = module
        self.components = components

    def outlived(self, call: p.Call, home: Home, function: p.Function) -> tuple[Hook, p.Await] | None:
        """The hook of a component in which ``call`` comes after an ``await``, so that the component may be gone by then
        and its cleanup, which stands in another function, has found nothing to give back.

        None where the handle is looked at again, given back by what it runs, or where ``function`` starts itself again.
        """
        hook = self.components.hook(call)
        if hook is None:
            return None
        starting, runner = call, function
        waited = self._waited(call, function) if function.is_async else None
        if waited is None and (found := self._called_late(function)) is not None:
            hook, starting, waited = found
            runner = self.module.function(starting) or function
        if waited is None or not self._is_run_by(hook, runner):
            return None
        if any(type(item.value) is p.Name and item.value.id == self._name(function) for item in call.args):
            return None
        given_back = [use for use in home.uses if use.meaning == "end"]
        if not given_back or any(self._is_within(use.node, it) for use in given_back for it in (function, runner)):
            return None
        return hook, waited

    def _called_late(self, function: p.Function) -> tuple[Hook, p.Call, p.Await] | None:
        """The hook, and the call in it after an ``await``, that runs ``function``, where nothing else does."""
        name = self._name(function)
        calls = [it for it in self.module.nodes(p.Call)
                 if name is not None and type(it.callee) is p.Name and it.callee.id == name]
        around = self.module.function(calls[0]) if len(calls) == 1 else None
        hook = self.components.hook(calls[0]) if around is not None else None
        waited = self._waited(calls[0], around) if hook is not None and around is not None and around.is_async else None
        return (hook, calls[0], waited) if hook is not None and waited is not None else None

    def doubled(self, call: p.Call, home: Home, function: p.Function) -> p.Await | None:
        """The ``await`` before ``call`` that lets a second caller pass the test of the handle, which is set after it.

        None where nothing tests it before, where it is tested again, or where another mark is set before.
        """
        waited = self._waited(call, function) if function.is_async else None
        if waited is None or home.kind not in ("attribute", "module", "outer"):
            return None
        text = self._text(home.target) if home.target is not None else home.name
        tests = [it for it in self.module.nodes(p.If) if self.module.function(it) is function
                 and it.at[1] <= waited.at[0] and ends(self.module, it.then) and self._mentions(it.test, text)]
        if not tests:
            return None
        marks = [it.target for it in self.module.nodes(p.Assign)
                 if self.module.function(it) is function and function.at[0] <= it.at[0] < waited.at[0]]
        if any(self._mentions(it.test, self._text(mark)) for it in self.module.nodes(p.If) for mark in marks
               if self.module.function(it) is function and it.at[0] < mark.at[0]):
            return None
        return waited

    def _waited(self, call: p.Call, function: p.Function) -> p.Await | None:
        """The last ``await`` of ``function`` on the way to ``call``, unless something is asked between the two."""
        before = [it for it in self.module.nodes(p.Await) if self.module.function(it) is function
                  and it.at[1] <= call.at[0] and self._goes_on(it, call, function)]
        last = max(before, key=lambda it: it.at[1], default=None)
        if last is None:
            return None
        asked = (p.If, p.Conditional, p.Switch, p.Loop, p.Logical)
        between = any(last.at[1] <= it.at[0] <= call.at[0] for kind in asked for it in self.module.nodes(kind)
                      if self.module.function(it) is function)
        return None if between else last

    def _goes_on(self, waited: p.Await, call: p.Call, function: p.Function) -> bool:
        """Whether the code around ``waited`` comes to ``call`` afterwards."""
        below: Any = waited
        for above in self.module.parents(waited):
            if above is function:
                return True
            at = getattr(above, "at", None)  # arguments and entries stand nowhere of their own
            if at is None:
                below = above
                continue
            if at[0] <= call.at[0] < at[1]:
                if type(above) is p.If and any(below is s for s in above.then):
                    return not any(s.at[0] <= call.at[0] < s.at[1] for s in above.otherwise)
            elif type(above) is p.If:
                branch = above.then if any(below is s for s in above.then) else above.otherwise
                if ends(self.module, branch):
                    return False
            below = above
        return False

    def _is_run_by(self, hook: Hook, function: p.Function) -> bool:
        """Whether the hook runs ``function`` at once: it is its own, or it is called in it."""
        found = self.components.hook_of(function)
        if found is not None:
            return True
        if hook.function is None or self.module.function(function) is not hook.function:
            return False
        above = self.module.parent(function)
        if type(above) is p.Call and above.callee is function:
            return True
        name = self._name(function)
        return name is not None and any(
            type(it.callee) is p.Name and it.callee.id == name and self.module.function(it) is hook.function
            for it in self.module.nodes(p.Call))

    def _name(self, function: p.Function) -> str | None:
        """The name by which a function is called in its scope."""
        above = self.module.parent(function)
        return above.name if type(above) is p.Define else getattr(getattr(above, "target", None), "id", None)

    def _is_within(self, node: Any, function: p.Function) -> bool:
        return any(above is function for above in self.module.parents(node))

    def _mentions(self, test: Any, text: str) -> bool:
        if type(test) in (p.Name, p.Member) and self._text(test) == text:
            return True
        return any(self._mentions(child, text) for child in p.children(test))

    def _text(self, it: Any) -> str:
        return " ".join(self.module.source.slice(it.at).split())
