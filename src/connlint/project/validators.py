"""What a settings class does about its own fields when an object of it is made: fill, replace, or refuse them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.project.address import loopback
from connlint.project.conditions import Condition, conditions
from connlint.project.module import Module

_MADE = ("__init__", "__post_init__", "__attrs_post_init__", "model_post_init")
"""Methods that run whenever an object is made."""
_STAGES = ("prod", "production", "staging", "live")

_BEGINNINGS = ("localhost", "127.0.0.1", "127.", "127.0.0.", "::1")


def computed(owner: Any, field: str) -> bool:
    """Whether a settings class fills ``field`` itself where it was given nothing: in a method, or in a validator."""
    if type(owner) is not p.Class:
        return False
    for method in _methods(owner):
        validates = _validates(method)
        for node in (*_all(method.decorators), *_all(method.body)):
            if type(node) is p.Text and node.value == field and validates:
                return True
            if type(node) in (p.Assign, p.Let) and type(node.target) is p.Member and node.target.name == field:
                return True
    return False


def validated(owner: p.Class, field: str) -> int:
    """How many validators of a settings class name ``field``, which is no use of it."""
    return sum(type(node) is p.Text and node.value == field for method in _methods(owner) if _validates(method)
               for node in _all(method.decorators))


def validating_uses(module: Module, node: Any, field: str) -> Iterator[Any]:
    """Where a validator of the class that declares ``field`` at ``node`` asks for it among those that came before:
    ``values.get("host")``, ``info.data["host"]``."""
    owner = next((above for above in module.parents(node) if type(above) is p.Class), None)
    for method in _methods(owner) if owner is not None else ():
        if _validates(method):
            yield from (use for use in _all(method.body) if type(use) is not p.Member and _is_field(use, field))


def filled_only_where_empty(module: Module, node: Any) -> tuple[str, ...] | None:
    """The fields of a settings class for which ``node`` in a validator is evaluated only where nothing was given to
    them: ``if isinstance(v, str): return v`` stands before it. None where it is not so."""
    method = next((above for above in module.parents(node) if type(above) is p.Function), None)
    if method is None or not _validates(method):
        return None
    names = [a.target.id for a in method.params if type(a.target) is p.Name and a.target.id not in ("self", "cls")]
    fields = tuple(inside.value for d in method.decorators if type(d) is p.Call for a in d.args if a.name is None
                   for inside in (a.value,) if type(inside) is p.Text)
    if not names or not fields:
        return None
    answers = ((_of_text(c.test, names[0]), c.truth) for c in conditions(module, node, method))
    return fields if any(answer is not None and answer != truth for answer, truth in answers) else None


def _of_text(test: Any, name: str) -> bool | None:
    """How ``test`` comes out where ``name`` is a text, and no empty one; None where that is not known."""
    kind = type(test)
    if kind is p.Name:
        return True if test.id == name else None
    if kind is p.Not:
        answer = _of_text(test.value, name)
        return None if answer is None else not answer
    if kind is p.Logical and test.op in ("and", "or"):
        sides = {_of_text(test.left, name), _of_text(test.right, name)}
        decisive = test.op == "or"
        return decisive if decisive in sides else None if None in sides else not decisive
    if kind is p.Compare and test.op in ("==", "!=") and type(test.left) is p.Name and test.left.id == name:
        empty = (type(test.right) is p.Constant and test.right.value == "null") or (
            type(test.right) is p.Text and test.right.value == "")
        return test.op == "!=" if empty else None
    if kind is p.Call and _last(test) == "isinstance" and len(test.args) == 2 and type(test.args[0].value) is p.Name:
        kinds = {inside.id for inside in p.within(test.args[1].value) if type(inside) is p.Name}
        return True if test.args[0].value.id == name and "str" in kinds else None
    return None


def overruled(module: Module, owner: Any, field: str) -> bool:
    """Whether the default of ``field`` never leaves the class: it puts another value in its place while an object is
    made, or refuses loopback, or the default in production."""
    if type(owner) is not p.Class:
        return False
    methods: dict[int, list[p.Function]] = module.memo.setdefault(overruled, {})
    if id(owner) not in methods:
        methods[id(owner)] = [m for m in _methods(owner) if _validates(m) or m.name in _MADE]
    word = field.encode()
    # most methods never name the field
    return any(_replaces(module, method, field) or _refuses(module, method, field) for method in methods[id(owner)]
               if word in module.source.data[method.at[0] : method.at[1]] or method.decorators)


def has_default_method(module: Module, node: Any) -> bool:
    """Whether ``node`` stands in a field of a class of which a method gives the default, whatever the field says:
    ``@default("url")``."""
    let = next((above for above in module.parents(node) if isinstance(above, p.Statement)), None)
    owner = module.parent(let) if type(let) is p.Let and type(let.target) is p.Name else None
    if type(owner) is not p.Class:
        return False
    return any(type(d) is p.Call and _last(d) == "default" and _names(d, let.target.id)  # type: ignore[union-attr]
               for method in _methods(owner) for d in method.decorators)


def _replaces(module: Module, method: p.Function, field: str) -> bool:
    for node in _all(method.body):
        if type(node) in (p.Assign, p.Let) and node.value is not None and _is_field(node.target, field):
            kept = any(_is_field(inside, field) for inside in p.within(node.value))
            if not kept and not any(_asks_for_emptiness(c, field) for c in conditions(module, node, method)):
                return True
        elif type(node) is p.Call and _last(node) in ("setdefault", "__setattr__", "setattr"):
            if any(type(a.value) is p.Text and a.value.value == field for a in node.args[:2]):
                return True
    return False


def _refuses(module: Module, method: p.Function, field: str) -> bool:
    """Whether the method raises where the field is loopback, or where it was left as it is in production."""
    nodes = list(_all(method.body))
    own = any(_names(d, field) for d in method.decorators)
    if not own and not any(_is_field(n, field) or (type(n) is p.Text and n.value == field) for n in nodes):
        return False
    given = {param.target.id for param in method.params if type(param.target) is p.Name} if own else set()
    for node in nodes:
        if type(node) is p.Raise:
            tests = [inside for test in _tests(module, node, method) for inside in p.within(test)]
            about = any(_is_field(t, field) or (type(t) is p.Name and t.id not in ("self", "cls")) for t in tests)
            if about and any(_says_loopback(t) for t in tests):
                return True
            named = any(_is_field(t, field) or (type(t) is p.Name and t.id in given) for t in tests)
            staged = any(type(t) is p.Text and t.value.lower() in _STAGES for t in tests)
            if named and staged and not any(_asks_for_emptiness(c, field) for c in conditions(module, node, method)):
                return True
    return False


def _tests(module: Module, node: Any, method: p.Function) -> Iterator[Any]:
    """The tests of the branches around ``node``."""
    for above in module.parents(node):
        if above is method:
            return
        if type(above) is p.If:
            yield above.test


def _says_loopback(node: Any) -> bool:
    """A text that is loopback, or the beginning of it, or a name that speaks of it."""
    if type(node) is p.Text:
        return loopback(node.value) is not None or node.value.strip(":/@") in _BEGINNINGS
    name = getattr(node, "id", None) if type(node) is p.Name else getattr(node, "name", None)
    return isinstance(name, str) and any(word in name.lower() for word in ("loopback", "localhost", "is_local"))


def _asks_for_emptiness(condition: Condition, field: str) -> bool:
    """Whether a condition holds only where the field is empty: a default that is there is not meant."""
    test: Any = condition.test
    truth = condition.truth
    while type(test) is p.Not:
        test, truth = test.value, not truth
    if type(test) is p.Logical and test.op == ("and" if truth else "or"):
        return any(_asks_for_emptiness(Condition(condition.module, side, truth), field)
                   for side in (test.left, test.right))
    if type(test) is p.Compare and test.op in ("==", "!="):
        for side, other in ((test.left, test.right), (test.right, test.left)):
            empty = (type(other) is p.Constant and other.value == "null") or (
                type(other) is p.Text and other.value == "")
            if empty and _is_field(side, field):
                return truth == (test.op == "==")
    return not truth and _is_field(test, field)


def _is_field(node: Any, field: str) -> bool:
    """``self.field``, ``values["field"]`` or ``values.get("field")``."""
    kind = type(node)
    if kind is p.Member:
        return bool(node.name == field)
    if kind is p.Index:
        return type(node.key) is p.Text and node.key.value == field
    if kind is p.Call and _last(node) in ("get", "pop") and node.args:
        return type(node.args[0].value) is p.Text and node.args[0].value.value == field
    return False


def _methods(owner: p.Class) -> Iterator[p.Function]:
    for statement in owner.body:
        if type(statement) is p.Define and type(statement.value) is p.Function:
            yield statement.value


def _validates(method: p.Function) -> bool:
    return any("validator" in _last(d) for d in method.decorators)


def _names(decorator: Any, field: str) -> bool:
    return any(type(node) is p.Text and node.value in (field, "*") for node in p.within(decorator))


def _last(expression: Any) -> str:
    callee = expression.callee if type(expression) is p.Call else expression
    return str(getattr(callee, "name", getattr(callee, "id", "")))


def _all(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield from p.within(node)
