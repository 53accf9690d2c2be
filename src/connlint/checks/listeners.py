"""What is to be said about a listener that was added: nothing, or a draft with its evidence."""

from __future__ import annotations

from typing import Any

from connlint.checks.cases import Cases
from connlint.checks.components import Hook
from connlint.checks.homes import Home, Use
from connlint.checks.lifecycles import Api, argument, last_word
from connlint.checks.origins import attribute_values, class_of
from connlint.checks.registrations import Registration, agreement, loop_over, text_of
from connlint.checks.reruns import run_again
from connlint.model import program as p
from connlint.model.finding import Draft, Fix, Place
from connlint.model.finding import Step as Evidence
from connlint.project.conditions import apart

_FETCHING = ("get", "use")
"""How functions are named that hand out what is there already."""


class Listening:
    """Judges the registrations of one module."""

    def __init__(self, cases: Cases) -> None:
        self.cases = cases
        self.module = cases.module
        self.components = cases.components
        self.telling = cases.telling

    def judge(self, one: Registration) -> Draft | None:
        """What is to be said about a listener that was added."""
        call, pair = one.call, one.pair
        function = self.module.function(call)
        if (again := self._added_again(one)) is not None:
            return again
        if one.swept or (pair.callable and not self._is_function(call.args[pair.keys[-1]].value)):
            return None
        event = call.args[pair.keys[0]].value
        if not one.removals and type(event) is p.Text and event.value in pair.seldom:
            return None
        undo = f"{one.target}.{pair.remove[0]}(…)" if one.target else f"{pair.remove[0]}(…)"
        api = Api(pair.role, pair.language, what="listener", release=pair.remove, wary=pair.language == "python")
        name = self.telling.short(call.args[0].value)
        if one.removals:
            return self._removed(one, api, function, name) if function is not None else None
        if one.fresh and pair.fresh and self._is_listener(call.args[pair.keys[-1]].value):
            other = one.fresh[0]
            step = Evidence(Place(self.module.path, other.at), "this removes a function that was never added")
            line = self.module.source.line(other.at[0])
            fix = self.cases.mends.of_one_name(call, other, one.pair.keys[-1]) if len(one.fresh) == 1 else None
            return self.telling.draft("mismatched", call, api, name, why=f"line {line}",
                                      undo=self.telling.short(other), steps=(step,), fix=fix)
        if one.contrary and not one.fresh:
            other = one.contrary[0]
            step = Evidence(Place(self.module.path, other.at), f"this says otherwise about `{pair.flag}`")
            words = agreement(one)
            fix = None if words is None else self.cases.mends.agreeing(other, pair.keys[-1], words)
            return self.telling.draft("contrary", call, api, name, why=f"line {self.module.source.line(other.at[0])}",
                                      undo=self.telling.short(other), where=pair.flag, steps=(step,), fix=fix)
        if (forgotten := self._forgotten(one, api, name)) is not None:
            return forgotten
        hook = self.components.hook(call)
        if hook is None and (piling := self._piling(one, api, name)) is not None:
            return piling
        if hook is not None and self.cases.repeats.of(call).answer == "once":
            return None  # the first of all components adds it for all of them
        if hook is None or one.others or one.aliased or not self._is_dropped(call):
            return None
        if not self._is_lasting(call, one) and not self._is_left_out(one, hook):
            return None
        return self.telling.draft("component", call, api, name, why=hook.cleanup, where=hook.name, undo=undo,
                                  fix=self._cleaned_up(one, hook))

    def _added_again(self, one: Registration) -> Draft | None:
        """A component adds its listener to a socket that it was given, every time it is rendered."""
        call = one.call
        if one.removals or one.fresh or one.contrary or not self._is_dropped(call):
            return None
        hook = self.components.hook(call) if self.module.program.language != "python" else None
        why = run_again(self.module, self.cases.names, one, hook)
        if why is None:
            return None
        api = Api(one.pair.role, one.pair.language, what="listener", release=one.pair.remove)
        name = self.telling.short(call.args[0].value)
        return self.telling.draft("rerun", call, api, name, why=why, where=one.target, fix=self._cleaned_up(one, hook))

    def _cleaned_up(self, one: Registration, hook: Hook | None) -> Fix | None:
        """The effect that adds a listener returns what removes it."""
        if hook is None or len(one.pair.keys) < 2:
            return None
        callback = one.call.args[one.pair.keys[-1]].value
        return self.cases.mends.removed_by_effect(one.call, hook, one.target, one.pair.remove[0], callback)

    def _piling(self, one: Registration, api: Api, name: str) -> Draft | None:
        """Code that is seen to run again adds a function of its own to an emitter of the whole program, each time."""
        call, module = one.call, self.module
        of = call.callee.of if type(call.callee) is p.Member else None
        function, callback = module.function(call), call.args[one.pair.keys[-1]].value
        if type(of) is not p.Name or function is None:
            return None
        if type(callback) is p.Name and (named := self._named_here(callback, function, one)) is not None:
            callback = named
        if type(callback) is not p.Function:
            return None
        # no removal that names a function means this one, which nobody else can name
        beside = [it for it in one.beside if argument(it, str(one.pair.keys[-1])) is None]
        if one.others or beside or one.fresh or not self._is_dropped(call):
            return None
        event = call.args[one.pair.keys[0]].value
        if type(event) is not p.Text or event.value in one.pair.ignored:
            return None
        if self.cases.homes.origins.of(of) not in one.pair.shared or not self._is_of_the_program(of):
            return None
        if not any(module.function(d.node) is function for it in module.nodes(p.Name)
                   if module.function(it) is callback for d in module.lookup(it.id, it)):
            return None  # the same function, as far as that matters
        why = self.cases.repeats.of(call)
        if why.answer != "again" or why.guessed:
            return None
        return self.telling.draft("piling", call, api, name, why=why.clause, where=one.target,
                                  steps=self.telling.because(call, why))

    def _named_here(self, name: p.Name, function: p.Function, one: Registration) -> p.Function | None:
        """The function that ``function`` makes under a name, where it does nothing with that but to add it."""
        bound = self.module.only(name.id, name)
        if bound is None or type(bound.value) is not p.Function or bound.path:
            return None
        if self.module.function(bound.node) is not function:
            return None
        for use in self.cases.names.names().get(name.id, ()):
            if self.module.only(name.id, use) is bound and use is not getattr(bound.node, "target", None):
                above = self.module.parent(use)
                call = self.module.parent(above) if type(above) is p.Argument else None
                if type(call) is not p.Call or last_word(call.callee) not in one.pair.add:
                    return None
        return bound.value

    def _is_of_the_program(self, name: p.Name) -> bool:
        """Whether a variable is one of a file, this one or another."""
        home, found = self.cases.project.definitions(self.module, name)
        return len(found) == 1 and found[0].kind == "value" and home.function(found[0].node) is None

    def _forgotten(self, one: Registration, api: Api, name: str) -> Draft | None:
        """A method that closes the object removes others of its listeners, or none of those on what outlives it."""
        owner = class_of(self.module, one.call)
        event = one.call.args[one.pair.keys[0]].value
        if owner is None or not one.pair.owned or type(event) is not p.Text or event.value in one.pair.ignored:
            return None
        if self.components.is_root(one.call) or any(type(argument(other, "0")) is not p.Text for other in one.beside):
            return None  # it lives as long as the page, or what it removes cannot be seen
        if one.others or not self._is_dropped(one.call) or not self._is_given(one, owner):
            return None
        for statement in owner.body:
            if type(statement) is not p.Define or not self.cases.closes(statement):
                continue
            beside = any(above is statement for other in one.beside for above in self.module.parents(other))
            outlived = one.pair.outliving and one.target in one.pair.lasting and self._is_lasting(one.call, one)
            if beside or outlived:
                if self.cases.repeats.built(owner).answer == "once":
                    return None
                place = Place(self.module.path, statement.value.name_at or statement.at)
                step = Evidence(place, f"`{statement.name}` does not remove this one")
                return self.telling.draft("forgotten", one.call, api, name, where=statement.name, steps=(step,))
        return None

    def _is_given(self, one: Registration, owner: p.Class) -> bool:
        """Whether the target is none that the object made itself: its listeners would go with it."""
        if one.target in one.pair.lasting:
            return True
        of = one.call.callee.of if type(one.call.callee) is p.Member else None
        if type(of) is p.Name:
            return all(d.kind in ("param", "import") for d in self.module.lookup(of.id, of))
        if type(of) is not p.Member or type(of.of) is not p.Name or of.of.id not in ("this", "self"):
            return False
        values = attribute_values(self.module, owner).get(of.name, ())
        return bool(values) and all(value is None or type(value) is p.Name for value, _ in values)

    def _removed(self, one: Registration, api: Api, function: p.Function, name: str) -> Draft | None:
        """A listener that is removed somewhere in the file: on every way out of the function that adds it?"""
        if self._is_made_here(one, function):
            return None
        call = one.call
        value = self.module.parent(call) if type(self.module.parent(call)) is p.Await else call
        loop = loop_over(self.module, call)
        home = Home("local", name, value, gathered=loop is not None)
        home.uses = [Use(r, "end", self._removing(r, loop), self.module.function(r)) for r in one.removals]
        here = [r for r in one.removals if self.module.function(r) is function]
        if here and not any(r.at[0] > call.at[0] and not apart(self.module, call, r) for r in here):
            return None
        return self.cases.lost(call, api, home, function)

    def _removing(self, removal: p.Call, loop: p.Loop | None) -> Any:
        """Where a removal takes effect: that of every round of ``loop`` is a loop over the same things."""
        theirs = loop_over(self.module, removal) if loop is not None else None
        if loop is None or theirs is None or theirs is loop:
            return removal
        return theirs if text_of(self.module, theirs.iterable) == text_of(self.module, loop.iterable) else removal

    def _is_dropped(self, call: p.Call) -> bool:
        """Whether nobody keeps what adding the listener returned."""
        above = self.module.parent(call)
        while type(above) in (p.Await, p.Member, p.Call):
            above = self.module.parent(above)
        if type(above) is p.Let and type(above.target) is p.Name:
            bound = self.module.lookup(above.target.id, above.target)
            uses = self.cases.names.names().get(above.target.id, ())
            return all(use is above.target or self.module.lookup(use.id, use) is not bound for use in uses)
        if type(above) is p.Return and above.value is call and last_word(call.callee) == "addEventListener":
            # it returns nothing: a hook has nothing to call
            hook = self.components.hook(call)
            return hook is not None and hook.function is not None and hook.function is self.module.function(call)
        return type(above) is p.Evaluate

    def _is_listener(self, callback: p.Expression) -> bool:
        return type(callback) in (p.Function, p.Name, p.Member, p.Call)

    def _is_function(self, value: p.Expression) -> bool:
        """Whether an argument is a function of this file."""
        if type(value) is p.Function:
            return True
        if type(value) is p.Name:
            found = self.module.lookup(value.id, value)
            return len(found) == 1 and found[0].kind == "function"
        if type(value) is p.Member and type(value.of) is p.Name and value.of.id in ("self", "this"):
            owner = class_of(self.module, value)
            return owner is not None and any(type(s) is p.Define and s.name == value.name for s in owner.body)
        return False

    def _is_lasting(self, call: p.Call, one: Registration) -> bool:
        """Whether the target of a listener outlives the component that adds it."""
        if one.target in one.pair.lasting or (not one.target and one.pair.lasting):
            return not one.target or not self.module.lookup(one.target.split(".")[0], call)
        if type(call.callee) is not p.Member:
            return False
        if self.cases.homes.origins.of(call.callee.of) in one.pair.lasting:
            return True
        if "import" not in one.pair.lasting:
            return False
        of = call.callee.of
        found = self.module.lookup(of.id, of) if type(of) is p.Name else []
        if len(found) != 1:
            return False
        # what the file itself makes at its top level lives as long as what it imports
        made = found[0].kind == "value" and not found[0].path and type(found[0].value) is p.Call
        return found[0].kind == "import" or (made and (
            self.components.is_beside(found[0].node) or self._is_fetched(found[0].value)))

    def _is_fetched(self, call: Any) -> bool:
        """Whether a function of the project hands out what a variable of its file keeps: ``getSocket()``."""
        called = self.cases.homes.origins.function_called(call)
        if called is None:
            return False
        home, function = called
        returned = [s.value for s in home.nodes(p.Return) if home.function(s) is function]
        kept = [home.lookup(v.id, v) if type(v) is p.Name else [] for v in map(_assigned, returned)]
        return bool(kept) and all(
            bool(found) and all(d.kind in ("value", "declared") and home.function(d.node) is None for d in found[:1])
            for found in kept)

    def _is_left_out(self, one: Registration, hook: Hook) -> bool:
        """Whether the function that a hook returns removes other listeners from the same target, which the hook has
        not made: then the target goes on without the component, and so does this one."""
        of = one.call.callee.of if type(one.call.callee) is p.Member else None
        event = one.call.args[one.pair.keys[0]].value
        if hook.function is None or not hook.returns or type(of) is not p.Name or type(event) is not p.Text:
            return False
        bound = self.module.lookup(of.id, of)
        if any(type(it.value) is p.Call and self.module.qualified(it.value.callee) in one.pair.ending for it in bound):
            return False
        fetched = all((last_word(it.value) or "").startswith(_FETCHING) for it in bound)
        if event.value in one.pair.ignored or (self._is_made_here(one, hook.function) and not fetched):
            return False
        for other in one.beside:
            theirs = other.callee.of if type(other.callee) is p.Member else None
            inside = any(above is hook.function for above in self.module.parents(other))
            if inside and type(theirs) is p.Name and self.module.lookup(theirs.id, theirs) is bound:
                returned: Any = self.module.parent(self.module.function(other))
                if type(returned) is p.Return and self.module.function(returned) is hook.function:
                    return True
        return False

    def _is_made_here(self, one: Registration, function: p.Function) -> bool:
        """Whether the target is an object that the function made itself, so that its listeners go with it."""
        of = one.call.callee.of if type(one.call.callee) is p.Member else None
        if type(of) is not p.Name:
            return False
        found = self.module.lookup(of.id, of)
        return any(
            d.kind in ("value", "with") and type(d.value) in (p.Call, p.Await)
            and self.module.function(d.node) is function
            for d in found
        )


def _assigned(value: Any) -> Any:
    """The variable of ``socket ??= io(url)``; any other expression as it is."""
    return value.target if type(value) is p.Assign else value
