"""Timers of a promise, or of a function with a callback, that go on when it has settled.

``new Promise((resolve, reject) => { const t = setInterval(…); source.once("error", reject); … })``: whoever waits is
told on several ways, and what stops the timer stands on some of them only. A promise settles once, so that every call
of ``resolve`` or ``reject`` is the end of the work; a callback may be told of progress too, so that it counts only
where a call of it leaves before the timer is stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from connlint.checks.endings import Endings
from connlint.checks.homes import Home
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Draft, Place
from connlint.model.finding import Step as Evidence
from connlint.project.conditions import apart, ends
from connlint.project.module import Module


class Told(Struct, frozen=True):
    """A place that tells whoever waits. ``function`` runs there, None where the telling function itself is handed on by
    ``call``."""

    call: p.Call
    function: p.Function | None


class Settling:
    """Judges the timers of one module that their own callbacks stop."""

    def __init__(self, module: Module, table: Lifecycles, telling: Telling, endings: Endings) -> None:
        self.module = module
        self.table = table
        self.telling = telling
        self.endings = endings
        self.names = telling.names

    def judge(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """What is to be said about the timer that ``function`` starts by ``call``."""
        if api.role != "interval" or home.kind != "local" or any(use.meaning == "escape" for use in home.uses):
            return None
        stops = [use.where for use in home.uses if use.meaning == "end"]
        if not stops or any(self.module.function(it) is function for it in stops) or self._counts(call, stops):
            return None
        stops += self._helped(stops, function)
        promised = self._is_executor(function)
        told = list(self._told(function))
        if not any(self.module.function(it) is one.function for it in stops for one in told):
            return None  # it is stopped on another occasion than that somebody is told
        for one in sorted(told, key=lambda it: it.call.at):
            if one.function is function and one.call.at[0] < call.at[0]:
                continue
            if not promised and not self._leaves_before(one, call, stops):
                continue
            if not any(self._covers(stop, one, function) for stop in stops) and not self._follows(one, stops):
                return self._draft(call, api, home, one, stops, promised=promised)
        return None

    def _draft(self, call: p.Call, api: Api, home: Home, one: Told, stops: list[Any], *, promised: bool) -> Draft:
        line = self.module.source.line(one.call.at[0])
        what = "settles the promise" if promised else "tells the caller that it is over"
        clause = f"`{self.telling.short(one.call)}` on line {line} {what}"
        stop = min(stops, key=lambda it: it.at)
        undo = self.telling.short(stop)
        why = f"{clause}, and `{undo}` on line {self.module.source.line(stop.at[0])} is not reached"
        path = self.module.path
        steps = (Evidence(Place(path, call.at), f"`{self.telling.short(call)}` starts here"),
                 Evidence(Place(path, one.call.at), clause), Evidence(Place(path, stop.at), "this is not reached"))
        return self.telling.draft("lost", call, api, home.name, why=why, undo=undo, steps=steps,
                                  level="note" if self.endings.soon(call) else None)

    # -- who is told, and where -----------------------------------------------------------------------------------

    def _is_executor(self, function: p.Function) -> bool:
        given = self.module.parent(function)
        call = self.module.parent(given) if type(given) is p.Argument else None
        return type(call) is p.Call and call.new and type(call.callee) is p.Name and call.callee.id == "Promise"

    def _told(self, function: p.Function) -> Iterator[Told]:
        """The places in ``function`` that call one of its parameters, or hand it on to be called."""
        module = self.module
        for param in function.params:
            if type(param.target) is not p.Name:
                continue
            name = param.target
            bound = module.lookup(name.id, name)
            for use in self.names.names().get(name.id, ()):
                above = module.parent(use)
                if use is name or module.lookup(name.id, use) is not bound:
                    continue
                if type(above) is p.Call and above.callee is use:
                    yield Told(above, module.function(above))
                elif type(above) is p.Argument and type(taker := module.parent(above)) is p.Call and (
                        last_word(taker.callee) in self.table.handing):
                    yield Told(taker, None)

    def _helped(self, stops: list[Any], function: p.Function) -> list[Any]:
        """The calls of functions inside ``function`` that stop the timer."""
        module = self.module
        found: list[Any] = []
        waiting = list(stops)
        seen: set[int] = set()
        while waiting:
            helper = module.function(waiting.pop())
            if helper is None or helper is function or id(helper) in seen:
                continue
            seen.add(id(helper))
            define = module.parent(helper)
            at: Any = define if type(define) is p.Define else getattr(define, "target", None)
            name = define.name if type(define) is p.Define else at.id if type(at) is p.Name else None
            if name is None or type(define) not in (p.Define, p.Let, p.Assign):
                continue
            bound = module.lookup(name, at)
            for use in self.names.names().get(name, ()):
                above = module.parent(use)
                if type(above) is p.Call and above.callee is use and module.lookup(name, use) is bound:
                    found.append(above)
                    waiting.append(above)
        return found

    # -- whether it is stopped there ------------------------------------------------------------------------------

    def _counts(self, call: p.Call, stops: list[Any]) -> bool:
        """Whether the timer counts its own runs, or the time, and stops by itself in the end."""
        callback = call.args[0].value if call.args else None
        for stop in stops:
            for above in self.module.parents(stop) if type(callback) is p.Function else ():
                if above is callback:
                    break
                if type(above) is p.If and any(
                        type(it) is p.Compare and it.op in ("<", "<=", ">", ">=") for it in p.within(above.test)):
                    return True
        return False

    def _covers(self, stop: Any, one: Told, function: p.Function) -> bool:
        """Whether ``stop`` is run, or may be, where whoever waits is told by ``one``."""
        module = self.module
        around = [above for above in module.parents(one.call) if type(above) is p.Function]
        around = around[:around.index(function)] if function in around else around
        where = module.function(stop)
        if one.function is None:
            return any(where is it for it in around) and not self._is_apart(stop, one.call)
        if where is not one.function:
            # in a function around it, or in one that starts there
            return (any(where is it for it in around) and not self._is_apart(stop, one.call)) or (any(
                above is one.function for above in module.parents(stop)) and one.function is not function)
        if self._is_apart(stop, one.call):
            return False
        if stop.at[0] > one.call.at[0]:
            return not self._leaves(one.call, stop)
        return not self._leaves(stop, one.call) and not self._is_only_tried(stop, one.call)

    def _is_apart(self, stop: Any, told: p.Call) -> bool:
        """Whether the two stand in different arms, or ``stop`` in one that tells by itself."""
        if apart(self.module, stop, told):
            return True
        below: Any = stop
        for above in self.module.parents(stop):
            if type(above) is p.Function or _holds(above, told):
                break
            if type(above) is p.If and below is not above.test and self._tells(above, told):
                return True
            below = above
        return False

    def _tells(self, branch: p.If, told: p.Call) -> bool:
        """Whether a branch calls what ``told`` calls, or its sibling."""
        callee = told.callee
        bound = self.module.lookup(callee.id, callee) if type(callee) is p.Name else ()
        owner = {id(self._owner(it)) for it in bound if it.kind == "param"}
        for it in p.within(branch):
            if type(it) is p.Call and type(it.callee) is p.Name:
                for other in self.module.lookup(it.callee.id, it.callee):
                    if other.kind == "param" and id(self._owner(other)) in owner:
                        return True
        return False

    def _owner(self, definition: Any) -> Any:
        """The function whose parameter a definition is."""
        node = definition.node
        return node if type(node) is p.Function else next(
            (above for above in self.module.parents(node) if type(above) is p.Function), None)

    def _leaves(self, inner: Any, other: Any) -> bool:
        """Whether a block around ``inner``, which does not hold ``other``, is left at its end."""
        below: Any = inner
        for above in self.module.parents(inner):
            if type(above) is p.Function or _holds(above, other):
                return type(below) in (p.Return, p.Raise)
            for block in _blocks(above):
                if any(below is it for it in block) and ends(self.module, block):
                    return True
            if type(above) in (p.Return, p.Raise):
                return True
            below = above
        return False

    def _is_only_tried(self, stop: Any, told: p.Call) -> bool:
        """Whether ``told`` stands in a handler of a ``try`` whose body may have failed before ``stop``."""
        for above in self.module.parents(stop):
            if type(above) is p.Function:
                return False
            if type(above) is p.Try and not _holds(above.body, told):
                handled = any(_holds(it, told) for it in above.handlers)
                return handled and not _holds(above.body[0], stop)
        return False

    def _leaves_before(self, one: Told, call: p.Call, stops: list[Any]) -> bool:
        """Whether ``one`` leaves a callback, other than the timer's own, in which a stop stands behind it."""
        callback = call.args[0].value if call.args else None
        return one.function is not None and one.function is not callback and any(
            self.module.function(stop) is one.function and stop.at[0] > one.call.at[0] and self._leaves(one.call, stop)
            for stop in stops)

    def _follows(self, one: Told, stops: list[Any]) -> bool:
        """Whether an event stops the timer that comes after ``one``: `close` of the same source."""
        holder: Any = one.call if one.function is None else one.function
        text = self.names.text(holder)
        if one.function is not None and type(given := self.module.parent(holder)) is p.Argument:
            text = self.names.text(self.module.parent(given))
        for stop in stops:
            for above in self.module.parents(stop):
                call = self.module.parent(above) if type(above) is p.Argument else None
                if type(call) is not p.Call or type(call.callee) is not p.Member:
                    continue
                if call.callee.name not in self.table.handing:
                    continue
                event = call.args[0].value
                source = self.names.text(call.callee.of)
                if type(event) is p.Text and event.value in self.table.over and f"{source}." in text:
                    return True
        return False


def _holds(thing: Any, inner: Any) -> bool:
    """Whether ``inner`` stands in ``thing``, a node or a block."""
    if isinstance(thing, tuple):
        return any(_holds(it, inner) for it in thing)
    return thing.at[0] <= inner.at[0] and inner.at[1] <= thing.at[1]


def _blocks(above: Any) -> Iterator[tuple[Any, ...]]:
    """The blocks of statements directly in ``above``."""
    for name in ("body", "then", "otherwise", "always"):
        block = getattr(above, name, None)
        if isinstance(block, tuple):
            yield block
