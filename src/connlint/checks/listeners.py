"""Listeners: registrations that have no handle of their own, and are undone by saying the same things again.

``target.on(event, callback)`` is undone by ``target.off(event, callback)``: same target, same event, same callback. So
the registration itself is the handle, and every matching removal gives it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from connlint.cards import Rules
from connlint.checks.cases import Cases
from connlint.checks.homes import Home, Use
from connlint.checks.lifecycles import Api, argument
from connlint.checks.origins import attribute_values, class_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place
from connlint.model.finding import Step as Evidence
from connlint.project.module import Module


class Pair(Struct, frozen=True):
    """How something is added and removed. The fields are those of ``[[pair]]``."""

    role: str
    language: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    keys: tuple[int, ...]
    unless: tuple[str, ...] = ()
    fresh: bool = False
    lasting: tuple[str, ...] = ()
    callable: bool = False
    final: tuple[str, ...] = ()
    seldom: tuple[str, ...] = ()
    flag: str = ""
    ignored: tuple[str, ...] = ()
    owned: bool = False
    outliving: bool = False
    shared: tuple[str, ...] = ()


class Registration(Struct):
    """One call that adds a listener, and the calls of the file that remove it.

    ``fresh`` are removals of a function that was never added, ``contrary`` removals that say otherwise about the flag
    of the pair, ``others`` removals of other callbacks of the same event, ``beside`` removals of anything else from the
    same target. ``swept`` says that the target itself is closed somewhere.
    """

    call: p.Call
    pair: Pair
    target: str
    removals: list[p.Call]
    fresh: list[p.Call]
    swept: bool
    others: bool = False
    contrary: list[p.Call] = []
    beside: list[p.Call] = []


def pairs(rules: Rules, language: str, roles: frozenset[str]) -> list[Pair]:
    """The pairs of a language that belong to one of ``roles``."""
    wanted = "python" if language == "python" else "javascript"
    found = []
    for entry in rules.apis.get("pair", ()):
        if entry["language"] == wanted and entry["role"] in roles:
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
            found.append(Pair(**fields))
    return found


def registrations(module: Module, known: list[Pair], sweeps: Callable[[str], bool]) -> Iterator[Registration]:
    """Every call that adds a listener, with what removes it.

    ``sweeps`` says of a method's name that a target has no listeners left after it.
    """
    adding: dict[str, list[Pair]] = {}
    removing: set[str] = set()
    for pair in known:
        for word in pair.add:
            adding.setdefault(word, []).append(pair)
        removing.update(pair.remove)
    adds: list[tuple[p.Call, Pair]] = []
    removes: dict[str, list[p.Call]] = {}
    swept: set[str] = set()
    for call in module.nodes(p.Call):
        callee = call.callee
        name = callee.name if type(callee) is p.Member else callee.id if type(callee) is p.Name else None
        if name is None:
            continue
        for pair in adding.get(name, ()):
            if len(call.args) > max(pair.keys) and not any(a.spread for a in call.args) and _listens(call, pair):
                adds.append((call, pair))
        if name in removing:
            removes.setdefault(name, []).append(call)
        elif type(callee) is p.Member and sweeps(name):
            swept.add(_text(module, callee.of))
    for call, pair in adds:
        if _ends_by_itself(call, pair):
            continue
        target = _target(module, call)
        matching: list[p.Call] = []
        fresh: list[p.Call] = []
        contrary: list[p.Call] = []
        beside: list[p.Call] = []
        others = renamed = False
        for word in pair.remove:
            for other in removes.get(word, ()):
                alike = _same_events(module, call, other, pair)
                if _target(module, other) != target or not alike:
                    ours = class_of(module, other) is class_of(module, call)
                    if ours and _own(_target(module, other)) == _own(target):
                        beside.append(other)
                        renamed = renamed or alike  # ``bus.on(…)`` in a constructor, ``this.bus.off(…)`` elsewhere
                    continue
                if not _same_name(module, call.callee, other.callee):
                    continue
                last = str(pair.keys[-1])
                callback, theirs = argument(call, last), argument(other, last)
                if theirs is not None and _is_fresh(theirs):
                    fresh.append(other)
                elif len(pair.keys) == 1 or theirs is None:
                    matching.append(other)
                elif _text(module, theirs) == _text(module, callback) and _same_name(module, theirs, callback):
                    (matching if _agree(call, other, pair) else contrary).append(other)
                elif _outermost(module, other) is _outermost(module, call):
                    others = True
        closed = target in swept or any(_own(it) == _own(target) for it in swept if it.startswith("this."))
        yield Registration(call, pair, target, matching, fresh, closed or renamed, others, contrary, beside)


def _target(module: Module, call: p.Call) -> str:
    return _text(module, call.callee.of) if type(call.callee) is p.Member else ""


def _own(target: str) -> str:
    """A target without ``this``: what a constructor is given is mostly kept under the same name."""
    return target.removeprefix("this.").lstrip("_#")


def _agree(one: p.Call, other: p.Call, pair: Pair) -> bool:
    """Whether two calls do not contradict each other about the flag of the pair."""
    flags = {_flag(one, pair), _flag(other, pair)} if pair.flag else set()
    return len(flags) < 2 or None in flags


def _flag(call: p.Call, pair: Pair) -> bool | None:
    """What a call says about the flag of the pair, behind the callback: as it is, or as an option; None where that
    cannot be seen."""
    given = argument(call, str(pair.keys[-1] + 1))
    if type(given) is p.Record:
        entries = [entry for entry in given.entries if entry.key is None or (
            type(entry.key) is p.Text and entry.key.value == pair.flag)]
        if not entries:
            return False
        given = entries[-1].value if entries[-1].key is not None else None
    elif given is None:
        return False
    return given.value == "true" if type(given) is p.Constant and given.value in ("true", "false") else None


def _text(module: Module, it: Any) -> str:
    if it is None:
        return ""
    return "".join(module.source.slice(it.at).split()).replace("?.", ".").replace("!", "")


def _same_name(module: Module, one: Any, other: Any) -> bool:
    """Whether two expressions of the same text start with the same variable."""
    while type(one) is p.Member and type(other) is p.Member:
        one, other = one.of, other.of
    if type(one) is not p.Name or type(other) is not p.Name:
        return True
    if one.id in ("this", "self"):
        return class_of(module, one) is class_of(module, other)
    return module.lookup(one.id, one) is module.lookup(other.id, other) or not module.lookup(one.id, one)


def _same_events(module: Module, add: p.Call, remove: p.Call, pair: Pair) -> bool:
    """Whether both name the same event; a removal without arguments removes everything."""
    for place in pair.keys[:-1] if len(pair.keys) > 1 else pair.keys:
        theirs = argument(remove, str(place))
        if theirs is None:
            return not remove.args
        if _event(module, theirs) != _event(module, argument(add, str(place))):
            return False
    return True


def _event(module: Module, given: Any) -> str:
    """An event as text; one that a loop goes through is named by what is looped over."""
    if type(given) is p.Name and (found := module.only(given.id, given)) is not None:
        if type(found.node) is p.Loop and found.node.iterable is not None:
            return f"each of {_text(module, found.node.iterable)}"
    return _text(module, given).strip("\"'`")


def _loop(module: Module, call: p.Call) -> p.Loop | None:
    """The outermost loop over something around ``call``, in its function."""
    found = None
    for above in module.parents(call):
        if type(above) is p.Function:
            break
        if type(above) is p.Loop and above.iterable is not None:
            found = above
    return found


def _outermost(module: Module, thing: Any) -> Any:
    """The outermost function, class or object literal around ``thing``."""
    found = None
    for above in module.parents(thing):
        if type(above) in (p.Function, p.Class, p.Record):
            found = above
    return found


def _is_fresh(callback: p.Expression) -> bool:
    """Whether a callback is made anew where it stands, so that it is no other."""
    if type(callback) is p.Function:
        return True
    return type(callback) is p.Call and type(callback.callee) is p.Member and callback.callee.name == "bind"


def _listens(call: p.Call, pair: Pair) -> bool:
    """Whether the arguments are an event and a function, as far as can be seen."""
    if len(pair.keys) < 2:
        return True
    event, callback = call.args[pair.keys[0]].value, call.args[pair.keys[-1]].value
    if type(event) is p.Text and event.value in pair.final:
        return False
    return type(event) is not p.Function and type(callback) in (p.Function, p.Name, p.Member, p.Call)


def _ends_by_itself(call: p.Call, pair: Pair) -> bool:
    """Whether an option ends the listener, or there is an option that cannot be seen."""
    if not pair.unless:
        return False
    for given in call.args[max(pair.keys) + 1 :]:
        value = given.value
        if type(value) is p.Record:
            for entry in value.entries:
                if entry.key is None or (type(entry.key) is p.Text and entry.key.value in pair.unless):
                    return True
        elif type(value) is not p.Constant:
            return True
    return False


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
            return self.telling.draft("mismatched", call, api, name, why=f"line {line}",
                                      undo=self.telling.short(other), steps=(step,))
        if one.contrary and not one.fresh:
            other = one.contrary[0]
            step = Evidence(Place(self.module.path, other.at), f"this says otherwise about `{pair.flag}`")
            return self.telling.draft("contrary", call, api, name, why=f"line {self.module.source.line(other.at[0])}",
                                      undo=self.telling.short(other), where=pair.flag, steps=(step,))
        if (forgotten := self._forgotten(one, api, name)) is not None:
            return forgotten
        hook = self.components.hook(call)
        if hook is None and (piling := self._piling(one, api, name)) is not None:
            return piling
        if hook is None or one.others or not self._is_lasting(call, one) or not self._is_dropped(call):
            return None
        fix = self.cases.mends.removed_by_effect(call, hook, one.target, pair.remove[0],
                                                 call.args[pair.keys[-1]].value) if len(pair.keys) > 1 else None
        return self.telling.draft("component", call, api, name, why=hook.cleanup, where=hook.name, undo=undo, fix=fix)

    def _piling(self, one: Registration, api: Api, name: str) -> Draft | None:
        """Code that is seen to run again adds a function of its own to an emitter of the whole program, each time."""
        call, module = one.call, self.module
        of = call.callee.of if type(call.callee) is p.Member else None
        function, callback = module.function(call), call.args[one.pair.keys[-1]].value
        if type(of) is not p.Name or function is None or type(callback) is not p.Function:
            return None
        if one.others or one.beside or one.fresh or not self._is_dropped(call):
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
        loop = _loop(self.module, call)
        home = Home("local", name, value, gathered=loop is not None)
        home.uses = [Use(r, "end", self._removing(r, loop), self.module.function(r)) for r in one.removals]
        here = [r for r in one.removals if self.module.function(r) is function]
        if here and not any(r.at[0] > call.at[0] and not self._apart(call, r) for r in here):
            return None
        return self.cases.lost(call, api, home, function)

    def _removing(self, removal: p.Call, loop: p.Loop | None) -> Any:
        """Where a removal takes effect: that of every round of ``loop`` is a loop over the same things."""
        theirs = _loop(self.module, removal) if loop is not None else None
        if loop is None or theirs is None or theirs is loop:
            return removal
        return theirs if _text(self.module, theirs.iterable) == _text(self.module, loop.iterable) else removal

    def _is_dropped(self, call: p.Call) -> bool:
        """Whether nobody keeps what adding the listener returned."""
        above = self.module.parent(call)
        while type(above) in (p.Await, p.Member, p.Call):
            above = self.module.parent(above)
        if type(above) is p.Let and type(above.target) is p.Name:
            bound = self.module.lookup(above.target.id, above.target)
            uses = self.cases.names.names().get(above.target.id, ())
            return all(use is above.target or self.module.lookup(use.id, use) is not bound for use in uses)
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
        return found[0].kind == "import" or (made and self.components.is_beside(found[0].node))

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

    def _apart(self, one: Any, other: Any) -> bool:
        """Whether two nodes stand in different arms of one decision."""
        chain = {id(above): below for below, above in self._climb(one)}
        for below, above in self._climb(other):
            if id(above) in chain and type(above) in (p.If, p.Conditional, p.Switch):
                mine = chain[id(above)]
                if mine is not below and type(above) is not p.If:
                    return True
                if type(above) is p.If:
                    return any(mine is s for s in above.then) != any(below is s for s in above.then)
        return False

    def _climb(self, thing: Any) -> list[tuple[Any, Any]]:
        pairs, below = [], thing
        for above in self.module.parents(thing):
            pairs.append((below, above))
            below = above
        return pairs
