"""Whether a value is made once and kept: on the global object, in a variable that outlives the function, in a cache."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connlint.checks.constructions import variable
from connlint.model import program as p
from connlint.project.callees import bindings, last_name
from connlint.project.conditions import conditions
from connlint.project.module import Module, Scope

_GLOBALS = ("globalThis", "global", "window", "self")
_KEEPING = ("lru_cache", "cache", "cached", "cached_property", "once", "memoize", "singleton",
            "memo", "lazy", "run_once")
"""Last names of decorators and functions that run a function without arguments at most once."""


# -- across reloads ---------------------------------------------------------------------------------------------------


def kept_for_reloads(module: Module, node: Any) -> bool:
    """Whether a value made at module scope is made once only: kept on the global object, or built where it is missing.

    ``globalThis.x ?? new X()``, ``x ??= new X()``, ``if (!x) x = new X()``, and the two statements ``const x =
    makeX(); if (…) globalThis.x = x``.
    """
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Logical and below is above.right and above.op in ("nullish", "or"):
            if _global_member(module, above.left):
                return True
        elif kind is p.Conditional and below is not above.test and _mentions_global(module, above.test):
            return True
        elif kind is p.Assign:
            if above.op in ("nullish", "or") or _global_member(module, above.target):
                return True
        elif kind is p.Let and _global_member(module, above.target):
            return True
        elif kind is p.If and below is not above.test:
            # production builds it, and development keeps it: the other branch is the one that is evaluated again
            other = above.otherwise if any(below is s for s in above.then) else above.then
            if asks_for_missing(module, above.test, node) or any(_mentions_global(module, s) for s in other):
                return True
        elif kind in (p.Function, p.Class):
            break
        below = above
    name = variable(module, node)
    return name is not None and name in _kept_names(module)


def _kept_names(module: Module) -> set[str]:
    """Variables whose value is also stored on the global object."""
    found = module.memo.get(_kept_names)
    if found is None:
        found = set()
        for assign in bindings(module):
            if assign.value is not None and _global_member(module, assign.target):
                value = assign.value
                if type(value) is p.Name:
                    found.add(value.id)
                found.add(last_name(assign.target))
        for let in module.nodes(p.Let):
            # const cached = global.mongoose; the client becomes cached.conn
            if type(let.target) is p.Name and let.value is not None and _mentions_global(module, let.value):
                found.add(let.target.id)
        module.memo[_kept_names] = found
    return found


def _global_member(module: Module, expression: Any) -> bool:
    """Whether ``expression`` is a member of the global object, or of a name for it."""
    if type(expression) not in (p.Member, p.Index):
        return False
    of = expression.of
    while type(of) in (p.Member, p.Index):
        of = of.of
    return type(of) is p.Name and _is_global(module, of)


def _is_global(module: Module, name: p.Name, depth: int = 0) -> bool:
    found = module.lookup(name.id, name)
    if all(definition.kind in ("type", "declared") for definition in found):
        return name.id in _GLOBALS
    value = found[0].value
    if len(found) == 1 and depth < 4:
        if type(value) is p.Name:
            return _is_global(module, value, depth + 1)
        return _global_member(module, value)
    return False


def _mentions_global(module: Module, expression: Any) -> bool:
    waiting = [expression]
    while waiting:
        here = waiting.pop()
        if type(here) is p.Name and _is_global(module, here):
            return True
        waiting.extend(c for c in p.children(here))
    return False


def asks_for_missing(module: Module, test: Any, node: Any) -> bool:
    """Whether ``test`` asks for the absence of what is built: of the variable it goes to, or of a global."""
    if _mentions_global(module, test):
        return True
    name = variable(module, node)
    if name is None:
        return False
    if type(test) is p.Not:
        return last_name(test.value) == name
    if type(test) is p.Compare:
        if test.op == "not in" and type(test.left) is p.Text:
            return test.left.value == name
        return type(test.right) is p.Constant and test.op == "==" and last_name(test.left) == name
    return False


# -- in functions -----------------------------------------------------------------------------------------------------


def cached_in(module: Module, call: p.Call, lends: Collection[str] = (),
              _owners: tuple[p.Class, ...] = ()) -> tuple[str, Any] | None:
    """What keeps the value that a function builds at its first call, and where: a variable, attribute or decorator.

    What a method of ``lends`` gives of it keeps it as well: ``channel = await connection.createChannel()``; so does an
    object that is built around it, or with it: ``Cache.instance = new Cache(client)``.
    """
    function = module.function(call)
    if (owner := _built_with(module, call)) is not None:
        made = (it for it in module.nodes(p.Call) if type(it.callee) is p.Name and it.callee.id == owner.name
                and module.function(it) is not None and not any(owner is one for one in _owners))
        every = (cached_in(module, it, lends, (*_owners, owner)) for it in made)
        if (kept := next((one for one in every if one is not None), None)) is not None:
            return kept
    if function is None:
        return None
    for decorator in function.decorators:
        if last_name(decorator) in _KEEPING and not [x for x in function.params if not _is_receiver(x)]:
            return function.name or "cache", decorator
    if last_name(_taker(module, function)) in _KEEPING:
        return variable(module, function) or "cache", function
    names = {_target_of(module, call)}
    for let in module.nodes_of(function, p.Let):
        # client = make(); cache = client
        if (type(let.value) is p.Name and let.value.id in names) or _is_lent(let.value, names, lends):
            names.add(_target_name(let.target))
    bound: list[Any] = [*module.nodes_of(function, p.Let), *module.nodes_of(function, p.Assign)]
    for node in bound:
        if node.value is None:
            continue
        holds = _holds(module, node.value, call) or (
            type(node.value) is p.Name and node.value.id in names) or _is_lent(node.value, names, lends)
        if holds and _outlives(module, node, function) and _lazily(module, node, _holders(node.target, bound)):
            return _target_name(node.target) or "cache", node
    return None


def _holders(target: Any, bound: list[Any]) -> set[str | None]:
    """What keeps the object of which ``target`` is an attribute, as the only one of its kind: ``_only`` of
    ``cls._only.client``, and of ``made.client`` where ``cls._only = made`` stands in the same function."""
    of = target.of if type(target) is p.Member else None
    if type(of) is p.Member:
        return {of.name} if type(of.of) is p.Name else set()
    if type(of) is not p.Name:
        return set()
    return {it.target.name for it in bound
            if type(it.value) is p.Name and it.value.id == of.id and type(it.target) is p.Member}


def _built_with(module: Module, call: p.Call) -> p.Class | None:
    """The class with whose objects ``call`` is made and kept: in a field, or in an attribute by the constructor."""
    below: Any = call
    for above in module.parents(call):
        kind = type(above)
        if kind is p.Let and above.how == "field" and type(owner := module.parent(above)) is p.Class:
            return owner
        if kind is p.Assign and above.value is below:
            target, function = above.target, module.function(above)
            own = type(target) is p.Member and type(target.of) is p.Name and target.of.id in ("this", "self")
            if not own or function is None or not (function.kind == "constructor" or function.name == "__init__"):
                return None
            define = module.parent(function)
            owner = module.parent(define) if type(define) is p.Define else None
            return owner if type(owner) is p.Class else None
        if kind is not p.Await:
            return None
        below = above
    return None


def _is_lent(value: Any, names: set[str | None], lends: Collection[str]) -> bool:
    """Whether ``value`` is what a method of ``lends`` gives of one of ``names``, or an object built around it."""
    while type(value) is p.Await:
        value = value.value
    if type(value) is p.Call and value.new:
        return any(type(given.value) is p.Name and given.value.id in names for given in value.args)
    callee = value.callee if type(value) is p.Call else None
    return type(callee) is p.Member and callee.name in lends and (
        type(callee.of) is p.Name and callee.of.id in names)


def _is_receiver(param: p.Param) -> bool:
    return type(param.target) is p.Name and param.target.id in ("self", "cls")


def _taker(module: Module, function: p.Function) -> Any:
    """The callee of the call that ``function`` is handed to."""
    above = module.parent(function)
    above = module.parent(above) if type(above) is p.Argument else None
    return above.callee if type(above) is p.Call and above.callee is not function else None


def _target_of(module: Module, call: p.Call) -> str | None:
    for above in module.parents(call):
        if type(above) in (p.Let, p.Assign):
            return _target_name(above.target)
        if isinstance(above, p.Statement) or type(above) is p.Function:
            return None
    return None


def _target_name(target: Any) -> str | None:
    return target.id if type(target) is p.Name else target.name if type(target) is p.Member else None


def _holds(module: Module, value: Any, call: p.Call) -> bool:
    """Whether ``value`` is the result of ``call``, perhaps awaited or as one arm of a condition."""
    kind = type(value)
    if kind is p.Await:
        return _holds(module, value.value, call)
    if kind is p.Logical:
        return _holds(module, value.right, call)
    if kind is p.Assign:
        return _holds(module, value.value, call)
    if kind is p.Call and value is not call and type(value.callee) is p.Member:
        # new Client(…).connect()
        return _holds(module, value.callee.of, call)
    return value is call


def _outlives(module: Module, node: Any, function: p.Function) -> bool:
    """Whether what is assigned lives on when ``function`` has returned: an attribute, or a variable from outside."""
    target = node.target
    if type(target) is p.Member:
        return type(target.of) is p.Name or (type(target.of) is p.Member and type(target.of.of) is p.Name)
    if type(target) is not p.Name:
        return False
    if type(node) is p.Let and node.how:
        return False
    scope: Scope | None = module.scope_of(node)
    while scope is not None and scope.node is not function:
        if target.id in scope.names and target.id not in scope.outer:
            return False
        scope = scope.parent
    return scope is not None and (target.id not in scope.names or target.id in scope.outer)


def _lazily(module: Module, node: Any, holders: Collection[str | None] = ()) -> bool:
    """Whether the assignment happens only where nothing is there yet, or nothing in any of ``holders``."""
    name = _target_name(node.target)
    names = {name, *holders}
    if type(node) is p.Assign and node.op in ("or", "nullish"):
        return True
    if type(node.value) is p.Logical and last_name(node.value.left) == name:
        return True
    for held in conditions(module, node):
        test, truth = held.test, held.truth
        while type(test) is p.Not:
            test, truth = test.value, not truth
        if type(test) is p.Logical:
            test = test.left
        if type(test) is p.Compare and type(test.right) is p.Constant:
            if last_name(test.left) in names and truth == (test.op == "=="):
                return True
        elif type(test) in (p.Name, p.Member) and last_name(test) in names and not truth:
            return True
    return False
