"""Who gives a handle back: which steps of a function do, and which of the functions that it hands on.

A handle that is handed on (returned, stored, passed to a call that may keep it, captured by a function that outlives
this one) is somebody else's to give back, and nothing is said about it.
"""

from __future__ import annotations

from typing import Any

from connlint.checks.components import Components
from connlint.checks.conditions import Plan
from connlint.checks.homes import Home, Use
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.meanings import Meaning, names_of
from connlint.checks.origins import Origins
from connlint.model import program as p
from connlint.project.module import Module

_PROMISE_METHODS = ("then", "catch", "finally")

_SERVING = frozenset({"connection", "handle", "executor"})
"""What is used time and again for as long as something has it."""


class Ownership:
    """Plans for the handles of one module."""

    def __init__(self, module: Module, table: Lifecycles, origins: Origins, components: Components) -> None:
        self.module = module
        self.components = components
        self.table = table
        self.origins = origins
        self.names = names_of(module)

    def plan(self, home: Home, api: Api, function: p.Function) -> Plan | None:
        """How ``function`` treats the handle that it acquires; None where somebody else may give it back."""
        plan = Plan(id(home.gain or home.value), lent=self._lends(function, home), gathered=home.gathered,
                    catching=self.table.catching.get(api.role, frozenset()))
        # a generator of JavaScript that is not async is mostly a coroutine of some library, which goes on with it
        streaming = function.is_generator and (function.is_async or self.module.program.language == "python")
        if streaming and not function.decorators and not plan.lent:
            plan.streams.update(id(it) for it in self.module.nodes_of(function, p.Yield)
                                if not it.delegate and self._in_loop(it, function))
        for store in home.stores:
            value = getattr(store, "value", None)
            goes_on = type(value) is p.Call and self.table.takes_place(value, self.module)
            if self.module.function(store) is function and not goes_on and not self._holds(store, home.value):
                plan.drops.add(id(store))
        if api.asleep and home.kind == "local":
            plan.wakes.update(id(use.node) for use in home.uses)
        if api.idle and home.kind == "local":
            plan.wakes.update(id(use.node) for use in home.uses if self._starts(use.node, api))
        for use in home.uses:
            if use.meaning == "read":
                self._tested(use.node, api, plan)
                continue
            if use.function is function:
                if not (plan.lent and type(use.where) is p.Yield):
                    self._mean(use.meaning, use.where, plan)
            elif not self._within(use.function, function):
                return None
            else:
                inner = self._directly_inside(use.function, function)
                if not self._carry(inner, function, use.where, plan, api, set()):
                    return None
        return plan

    def _starts(self, node: Any, api: Api) -> bool:
        """Whether a handle that does nothing at first is started where ``node`` stands."""
        above = self.module.parent(node)
        return type(above) is p.Member and above.name in api.starts

    def _holds(self, store: Any, value: p.Expression) -> bool:
        held = getattr(store, "value", None)
        if held is value:
            return True
        return value is not None and any(above is store for above in self.module.parents(value))

    def _lends(self, function: p.Function, home: Home) -> bool:
        """Whether ``function`` lends what it yields: a context manager, or a dependency that yields the handle once.

        What runs for as long as the whole program is left at its end only, and does not count.
        """
        if not function.is_generator or self.module.program.language != "python":
            return False
        yields = [it for it in self.module.nodes(p.Yield) if self.module.function(it) is function]
        if len(yields) != 1 or yields[0].delegate or self._stays(function):
            return False
        if function.decorators:
            return len(function.decorators) == 1 and self.table.managers.names_it(function.decorators[0], self.origins)
        value = yields[0].value
        return type(value) is p.Name and value.id == home.name and not self._in_loop(yields[0], function)

    def manages(self, function: p.Function) -> bool:
        """Whether ``function`` is a context manager, of a part of the program or of all of it."""
        return function.is_generator and len(function.decorators) == 1 and (
            self.table.managers.names_it(function.decorators[0], self.origins))

    def serves_on(self, use: Use, api: Api, function: p.Function) -> bool:
        """Whether a function that outlives ``function`` works with the handle, and so for as long as it is there: one
        that is returned, that a decorator registers, that an attribute keeps."""
        above = self.module.parent(use.node)
        if api.role not in _SERVING or type(above) is not p.Member or above.of is not use.node or not self._within(
                use.function, function):
            return False
        inner = self._directly_inside(use.function, function)
        around = self.module.parent(inner)
        if type(around) in (p.Let, p.Assign):
            return type(around.target) is p.Member
        if type(around) is not p.Define:
            return type(around) is p.Return
        return bool(inner.decorators) or any(
            type(it) is p.Return and self.module.function(it) is function for name in self.names.names().get(
                around.name, ()) for it in self.module.parents(name))

    def _in_loop(self, thing: Any, function: p.Function) -> bool:
        for above in self.module.parents(thing):
            if above is function:
                break
            if type(above) is p.Loop:
                return True
        return False

    def _stays(self, function: p.Function) -> bool:
        """Whether a context manager is one of a whole program, by its name or by what it is given."""
        words = {function.name or ""}
        for param in function.params:
            if type(param.target) is p.Name:
                words.add(param.target.id)
            if param.annotation is not None:
                words.add(last_word(param.annotation) or "")
        return any(self.table.managers.says(word) for word in words)

    def _mean(self, meaning: Meaning, where: Any, plan: Plan) -> None:
        (plan.ends if meaning == "end" else plan.escapes).add(id(where))

    def _tested(self, node: Any, api: Api, plan: Plan) -> None:
        plan.held.add(id(node))
        above = self.module.parent(node)
        if type(above) is p.Opaque and above.why == "typeof":
            plan.held.add(id(above))
        if type(above) is p.Member and above.name in api.ends:
            # ``if (timer.unref) timer.unref()``: other machines' timers are numbers
            asked = self.module.parent(above)
            if type(asked) is not p.Call:
                plan.held |= {id(above), id(asked)} if type(asked) is p.Opaque else {id(above)}
        if type(above) is p.Argument:
            call = self.module.parent(above)
            if type(call) is p.Call and (call, self.origins) in self.table.shows:
                plan.held.add(id(call))
            if type(call) is p.Call and (call, self.origins) in self.table.wrapping:
                plan.held.update(self._of_wrapper(call))
        if type(above) is p.Member and (above.name in api.done or above.name in self.table.ended):
            call = self.module.parent(above)
            plan.done.add(id(call) if type(call) is p.Call else id(above))
        if type(above) is p.Member and (above.name in api.starts or above.name in self.table.begins):
            plan.starts.add(id(self.module.parent(above)))
        if type(above) is p.Member and above.name in api.fails:
            plan.fails.add(id(self.module.parent(above)))

    def _of_wrapper(self, call: p.Call) -> set[int]:
        """The places that name what ``call`` makes of the handle: there is one as long as there is the other."""
        kept = self.module.parent(call)
        if type(kept) not in (p.Let, p.Assign) or kept.value is not call or type(kept.target) is not p.Name:
            return set()
        name = kept.target
        wanted = self.module.lookup(name.id, name)
        return {id(n) for n in self.names.names().get(name.id, ()) if self.module.lookup(n.id, n) == wanted}

    def _within(self, inner: p.Function | None, outer: p.Function) -> bool:
        return inner is not None and any(above is outer for above in self.module.parents(inner))

    def _directly_inside(self, inner: p.Function | None, outer: p.Function) -> p.Function:
        """The function directly inside ``outer`` that is ``inner`` or holds it."""
        found = inner
        for above in self.module.parents(inner):
            if above is outer:
                break
            if type(above) is p.Function and above.kind != "inline":
                found = above
        assert found is not None
        return found

    def _carry(self, closure: p.Function, function: p.Function, where: Any, plan: Plan, api: Api,
               seen: set[int]) -> bool:
        """A function inside ``function`` gives the handle back: when does it run? False where that cannot be seen."""
        if id(closure) in seen:
            return True
        seen.add(id(closure))
        if self.module.function(where) is closure:
            # Inlined where the closure runs: then these count as steps of the function itself.
            plan.ends.add(id(where))
            plan.escapes.add(id(where))
        else:
            return False
        module = self.module
        above = module.parent(closure)
        kind = type(above)
        if kind is p.Call and above.callee is closure:
            plan.runs[id(above)] = closure
            return True
        if kind is p.Return and module.function(above) is function:
            if not self._is_unheard(function):
                plan.escapes.add(id(above))
            return True
        if kind is p.Argument:
            return self._passed(closure, above, plan)
        if kind is p.Define or (kind is p.Let and type(above.target) is p.Name):
            if closure.decorators or type(module.parent(above)) is p.Class:
                return False  # whoever has the object runs it
            name = above.name if kind is p.Define else above.target.id
            return self._named(name, above, closure, function, plan)
        return False

    def _is_unheard(self, function: p.Function) -> bool:
        """Whether nobody takes what ``function`` returns: an async effect returns a promise, and no cleanup."""
        if not function.is_async:
            return False
        hook = self.components.hook_of(function)
        return hook is not None and hook.gets_promise_of(function)

    def _passed(self, closure: Any, argument: p.Argument, plan: Plan) -> bool:
        """A function given to a promise method runs when the promise settles, an executor at once."""
        call = self.module.parent(argument)
        if type(call) is not p.Call:
            return False
        if type(call.callee) is p.Member and call.callee.name in _PROMISE_METHODS:
            place = next(i for i, a in enumerate(call.args) if a is argument)
            function = closure if type(closure) is p.Function else None
            if function is None:
                return False
            self._chain(call, place, function, plan)
            return True
        if call.new and type(call.callee) is p.Name and call.callee.id == "Promise":
            plan.runs[id(call)] = closure
            return True
        return False

    def _chain(self, call: p.Call, place: int, function: p.Function, plan: Plan) -> None:
        plan.chains.setdefault(id(call), {})[place] = function
        above: Any = self.module.parent(call)
        while type(above) is p.Member and above.name in _PROMISE_METHODS:
            call = self.module.parent(above)
            if type(call) is not p.Call or call.callee is not above:
                break
            plan.chains.setdefault(id(call), {})
            above = self.module.parent(call)

    def _is_coroutine(self, function: p.Function) -> bool:
        """Whether calling a function only makes something that has still to be run."""
        return function.is_async and self.module.program.language == "python"

    def _named(self, name: str, definition: Any, closure: p.Function, function: p.Function, plan: Plan) -> bool:
        """A named inner function: it runs where it is called, and is handed on where its name is used otherwise."""
        module = self.module
        at = definition if type(definition) is p.Define else definition.target
        wanted = module.lookup(name, at)
        if len(wanted) != 1:
            return False
        for use in self.names.names().get(name, ()):
            if module.lookup(name, use) is not wanted or use is getattr(definition, "target", None):
                continue
            user = module.function(use)
            if user is not function:
                if user is closure or self._within(user, closure):
                    continue
                return False
            above = module.parent(use)
            if type(above) is p.Call and above.callee is use:
                if self._is_coroutine(closure) and type(module.parent(above)) is not p.Await:
                    return False  # somebody else runs it
                plan.runs[id(above)] = closure
            elif type(above) is p.Return:
                plan.escapes.add(id(above))
            elif type(above) is p.Argument:
                call = module.parent(above)
                promised = (type(call) is p.Call and type(call.callee) is p.Member
                            and call.callee.name in _PROMISE_METHODS)
                if not promised:
                    return False
                self._chain(call, next(i for i, a in enumerate(call.args) if a is above), closure, plan)
            else:
                return False
        return True
