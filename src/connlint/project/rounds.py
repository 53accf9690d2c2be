"""What is done once for each item of a list: the values of loop variables, and questions asked of every item.

``for name in REQUIRED``, ``[name for name in REQUIRED if …]``, ``required.filter((name) => …)``, ``any(… for …)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connlint.model import program as p
from connlint.project.module import Definition, Module

if TYPE_CHECKING:
    from connlint.project.values import Possible, Site, Values

_METHODS = ("forEach", "filter", "map", "some", "every", "find", "reduce", "flatMap")
"""Methods of arrays that call a function with each item."""
MOST = 24


def item_of(values: Values, module: Module, d: Definition) -> list[Possible] | None:
    """What a variable may be that stands for one item after the other; None where the items are not seen."""
    node = d.node
    if d.kind == "loop" and type(node) is p.Case:
        switch = module.parent(node)
        return values.possible(module, switch.subject) if type(switch) is p.Switch and not d.path else None
    iterable = iterable_of(module, d)
    if iterable is None:
        return None
    rows: list[Possible] = []
    for home, item in items(values, module, iterable):
        for part in d.path:
            parts = item.items if type(item) is p.Sequence else item if type(item) is tuple else ()
            item = parts[part] if isinstance(part, int) and part < len(parts) else None
        if item is None or type(item) is tuple:
            return None
        rows += values.possible(home, item)
    return rows or None


def iterable_of(module: Module, d: Definition) -> Any:
    """The expression whose items the definition's variable stands for; None where it is no such variable."""
    node = d.node
    if d.kind == "loop" and type(node) is p.Loop:
        return node.iterable
    if d.kind != "param":
        return None
    function = module.parent(node)
    above = module.parent(function)
    if type(function) is not p.Function:
        return None
    if function.kind == "inline" and type(above) is p.Opaque:
        return above.parts[0]
    if type(above) is p.Argument and function.params[0] is node:
        call = module.parent(above)
        callee = getattr(call, "callee", None)
        if type(callee) is p.Member and callee.name in _METHODS and call.args[0] is above:
            return callee.of
    return None


def items(values: Values, module: Module, iterable: Any) -> Iterator[tuple[Module, Any]]:
    """The items of a list, the keys of a dict that are spelled out, each with the module in which it stands. A key with
    its value is a tuple of Python's own."""
    pairs = False
    if type(iterable) is p.Call:
        callee: Any = iterable.callee
        name = _last(callee)
        pairs = name in ("items", "entries")
        if pairs or name in ("keys", "sorted", "set", "list", "tuple"):
            # ``Object.keys(x)`` and ``sorted(x)``, ``x.keys()``
            inside = iterable.args[0].value if iterable.args else getattr(callee, "of", None)
            iterable = inside if inside is not None else iterable
    for site in values.objects(module, iterable):
        if type(site.node) is p.Sequence:
            yield from ((site.module, item) for item in site.node.items[:MOST])
        elif type(site.node) is p.Record:
            for entry in site.node.entries[:MOST]:
                if entry.key is not None and type(entry.key) is p.Text:
                    yield site.module, (entry.key, entry.value) if pairs else entry.key


def asked_of_each(values: Values, module: Module, test: Any, truth: bool) -> list[tuple[Site, bool]]:
    """The tests of single items, and how they came out for one of them at least, where ``test`` is ``truth``.

    ``test`` asks whether a list is empty that was chosen by them, or whether they hold for any or for every item.
    """
    from connlint.project.values import Site

    test, truth = _emptiness(test, truth)
    if type(test) is p.Name:
        where, found = values.environment.definitions(module, test)
        if len(found) != 1 or found[0].kind != "value" or found[0].path:
            return []
        module, test = where, found[0].value
    while type(test) is p.Call and len(test.args) == 1 and _last(test.callee) in ("list", "sorted", "tuple", "set"):
        test = test.args[0].value
    if type(test) is p.Opaque and truth:
        return [(Site(module, asked.test), True) for part in test.parts if type(part) is p.Function
                for asked in part.body if type(asked) is p.If]
    if type(test) is not p.Call or len(test.args) != 1:
        return []
    name, given = _last(test.callee), test.args[0].value
    if name in ("any", "all") and type(given) is p.Opaque and truth == (name == "any"):
        return [(Site(module, asked.value), truth) for part in given.parts if type(part) is p.Function
                for asked in part.body if type(asked) is p.Return]
    if name in ("filter", "some", "every", "find") and type(given) is p.Function and truth == (name != "every"):
        return [(Site(module, asked.value), truth) for asked in given.body if type(asked) is p.Return]
    return []


def _emptiness(test: Any, truth: bool) -> tuple[Any, bool]:
    """A list, and whether it holds something, where that is what ``test`` asks: ``missing.length > 0``, ``len(x)``."""
    if type(test) is p.Compare and type(test.right) is p.Number:
        asks = (test.op, test.right.value)
        if asks in ((">", 0), ("!=", 0), (">=", 1)):
            test = test.left
        elif asks in (("==", 0), ("<", 1)):
            test, truth = test.left, not truth
    if type(test) is p.Member and test.name == "length":
        return test.of, truth
    if type(test) is p.Call and _last(test.callee) in ("len", "bool") and len(test.args) == 1:
        return test.args[0].value, truth
    return test, truth


def _last(callee: Any) -> str:
    return callee.name if type(callee) is p.Member else str(getattr(callee, "id", ""))
