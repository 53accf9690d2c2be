"""Handles that are gathered in a list, set or map, where they have no variable of their own.

``timers.push(setInterval(…))``, ``this.byId.set(id, setInterval(…))``, ``tasks = [create_task(x) for x in xs]``: what
is said about the collection is then said about every handle in it. Only what is seen to look at the collection as a
whole counts; who takes a single element out of it, or gets the collection, may give it back.
"""

from __future__ import annotations

from typing import Any

from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.meanings import Meaning, Meanings
from connlint.model import program as p
from connlint.project.module import Module


def collection(module: Module, argument: p.Argument, table: Lifecycles) -> p.Expression | None:
    """The variable or attribute of the collection that a call puts ``argument`` into."""
    call = module.parent(argument)
    if type(call) is not p.Call or type(call.callee) is not p.Member:
        return None
    place = table.puts.get(call.callee.name)
    if place is None or place >= len(call.args) or call.args[place] is not argument or len(call.args) != place + 1:
        return None
    of = call.callee.of
    if type(of) is p.Member:
        return of if type(of.of) is p.Name and of.of.id in ("this", "self") else None
    if type(of) is not p.Name:
        return None
    found = module.only(of.id, of)
    return of if found is not None and is_new(found.value, table) else None


def as_number(module: Module, value: Any, table: Lifecycles) -> Any:
    """The number that a handle is made: ``Number(timer)``, which stops a timer of Node.js as well as that itself."""
    given = module.parent(value)
    if type(given) is p.Opaque and given.why == "unary +":
        return given
    call = module.parent(given) if type(given) is p.Argument else None
    if type(call) is not p.Call or type(call.callee) is not p.Name or len(call.args) != 1:
        return None
    return call if call.callee.id in table.numbers else None


def listed(module: Module, statement: Any) -> p.Expression | None:
    """The variable or attribute of the list that a comprehension makes, whose element ``statement`` returns."""
    function = module.parent(statement)
    if type(function) is not p.Function or function.kind != "inline":
        return None
    whole = module.parent(function)
    let = module.parent(whole)
    if type(let) not in (p.Let, p.Assign) or let.value is not whole or type(whole) is not p.Opaque:
        return None
    target = let.target
    if type(target) is p.Member and type(target.of) is p.Name and target.of.id in ("this", "self"):
        return target
    return target if type(target) is p.Name and module.only(target.id, target) is not None else None


def is_new(value: Any, table: Lifecycles) -> bool:
    """Whether an expression makes an empty collection: ``[]``, ``{}``, ``new Map()``, ``set()``."""
    if type(value) in (p.Sequence, p.Record):
        return next(iter(p.children(value)), None) is None
    return type(value) is p.Call and not value.args and last_word(value.callee) in table.makers


def meaning(meanings: Meanings, node: Any, api: Api) -> tuple[Meaning, Any]:
    """What it means for the handles in a collection that the collection, ``node``, stands where it stands."""
    module, table = meanings.module, meanings.table
    below, above = node, module.parent(node)
    if type(above) is p.Member:
        call = module.parent(above)
        called = type(call) is p.Call and call.callee is above
        if called and above.name == "forEach" and call.args:
            if _releases(call.args[0].value, api):
                return "end", call
            if _only_names(call.args[0].value, api):
                return "read", call
        if above.name in table.looks:
            return "read", above
        if called and above.name in table.spreads:
            below, above = call, module.parent(call)
    elif type(above) is p.Argument and type(call := module.parent(above)) is p.Call:
        if last_word(call.callee) in table.spreads:
            below, above = call, module.parent(call)
    if type(above) is p.Loop and above.iterable is below:
        if any(_gives_back(s, api) for s in above.body):
            return "end", above
        return ("read" if _only_looks(meanings, above, api) else "escape"), above
    if type(above) in (p.If, p.Not, p.Compare, p.Evaluate):
        return "read", above
    if type(above) is p.Index and above.of is below:
        store = module.parent(above)
        if type(store) in (p.Let, p.Assign) and store.target is above:
            return "read", store  # another is put in
    return "escape", _taker(module, above)


def _only_looks(meanings: Meanings, loop: p.Loop, api: Api) -> bool:
    """Whether a loop does nothing with the handles it goes through but to look at them."""
    target = loop.target
    if api.awaiting or type(target) is not p.Name:
        return False
    module = meanings.module
    bound = module.lookup(target.id, target)
    rounds = [it.node for it in bound if type(it.node) is p.Loop]
    for use in meanings.names.names().get(target.id, ()):
        if module.lookup(use.id, use) is not bound or any(use is it.target for it in rounds):
            continue
        if not any(it.at[0] <= use.at[0] < it.at[1] for it in rounds):
            return False  # the last of them, after the loop
        if loop.at[0] <= use.at[0] < loop.at[1] and (
                meanings.of(use, api)[0] != "read" or module.function(use) is not module.function(target)):
            return False
    return len(rounds) == len(bound)


def _taker(module: Module, above: Any) -> Any:
    """The call, statement or assignment that gets a part of a collection, or all of it."""
    while type(above) in (p.Argument, p.Member, p.Index, p.Spread, p.Sequence, p.Entry, p.Record, p.Conditional):
        above = module.parent(above)
    return above


def _releases(callback: Any, api: Api) -> bool:
    """Whether a function that is run for every element gives it back."""
    if type(callback) is p.Function:
        return any(_gives_back(s, api) for s in callback.body)
    return last_word(callback) in api.release


def _only_names(callback: Any, api: Api) -> bool:
    """Whether a function that is run for every element names what would give it back, and does not call it."""
    last: Any = callback.body[0] if type(callback) is p.Function and len(callback.body) == 1 else None
    return type(last) in (p.Return, p.Evaluate) and type(last.value) is p.Member and last.value.name in api.ends


def _gives_back(thing: Any, api: Api) -> bool:
    """Whether ``thing`` holds a call that gives something back."""
    waiting = [thing]
    while waiting:
        here = waiting.pop()
        if type(here) is p.Call:
            if last_word(here.callee) in api.release:
                return True
            if type(here.callee) is p.Member and here.callee.name in api.ends:
                return True
        waiting.extend(p.children(here))
    return False
