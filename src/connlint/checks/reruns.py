"""Listeners that one component adds again and again to the same socket, which it was given and has not made.

An effect of React runs after every render, or whenever one of its dependencies has changed; the body of a component
runs at every render. What they add to a socket that stays is there once more each time, and every event is handled
twice.
"""

from __future__ import annotations

from typing import Any

from connlint.checks.components import Hook
from connlint.checks.lifecycles import argument
from connlint.checks.meanings import Names
from connlint.checks.registrations import Registration
from connlint.model import program as p
from connlint.project.callees import last_name
from connlint.project.conditions import conditions
from connlint.project.module import Module

_EFFECTS = ("useEffect", "useLayoutEffect")
_STATE = ("useState", "useReducer")


def run_again(module: Module, names: Names, one: Registration, hook: Hook | None) -> str | None:
    """Why the code of a component that adds ``one`` to a socket surely runs again for the same socket; None where
    nobody can tell, or where something may remove it."""
    of = one.call.callee.of if type(one.call.callee) is p.Member else None
    function = module.function(one.call)
    if type(of) is not p.Name or function is None or one.others or one.aliased:
        return None
    event = argument(one.call, str(one.pair.keys[0]))
    if any(not _is_another(argument(it, "0"), event) for it in one.beside):
        return None
    if type(one.call.args[one.pair.keys[-1]].value) is not p.Function or not _is_given(module, of, function, hook):
        return None
    if any(".current" in names.text(held.test) or not _mentions(module, held.test, of.id)
           for held in conditions(module, one.call)):
        return None
    if hook is None:
        return "its component runs at every render"
    if hook.function is not function or any(it.value is not None for it in module.nodes_of(function, p.Return)):
        return None
    given = module.parent(function)
    effect: Any = module.parent(given) if type(given) is p.Argument else None
    if type(effect) is not p.Call or last_name(effect.callee) not in _EFFECTS:
        return None
    if len(effect.args) == 1:
        return f"`{hook.name}` has no list of dependencies and runs after every render"
    listed = effect.args[1].value
    for it in listed.items if type(listed) is p.Sequence else ():
        if type(it) is p.Name and it.id != of.id and _is_state(module, it):
            return f"`{hook.name}` runs again whenever `{it.id}` changes"
    return None


def _is_given(module: Module, name: p.Name, function: p.Function, hook: Hook | None) -> bool:
    """Whether a component takes the socket from above it, or from one of its hooks: that stays from render to render.
    """
    found = module.lookup(name.id, name)
    if len(found) != 1 or "socket" not in name.id.lower():
        return False
    home = module.function(found[0].node)
    if home is None or (home is function) is (hook is not None):
        return False
    if not _renders(module, home):
        return False
    if found[0].kind == "param":
        return hook is not None
    value = found[0].value
    return type(value) is p.Call and _is_hook(value) and last_name(value.callee) not in ("useRef", "useMemo")


def _renders(module: Module, function: p.Function) -> bool:
    """Whether ``function`` is a component or a hook: it calls hooks itself."""
    return any(_is_hook(call) for call in module.nodes_of(function, p.Call))


def _is_hook(call: p.Call) -> bool:
    word = last_name(call.callee) or ""
    return word.startswith("use") and word[3:4].isupper()


def _is_state(module: Module, name: p.Name) -> bool:
    """Whether ``name`` is a state of its component, or what it selects from that of all."""
    found = module.lookup(name.id, name)
    value = found[0].value if len(found) == 1 and found[0].kind == "value" else None
    if type(value) is not p.Call:
        return False
    word = last_name(value.callee) or ""
    if word in _STATE:
        return found[0].path[:1] in ((0,), ("0",))
    return word.startswith("use") and word.endswith("Selector")


def _is_another(removed: Any, event: Any) -> bool:
    """Whether what is removed is surely another event."""
    return type(removed) is p.Text and type(event) is p.Text and removed.value != event.value


def _mentions(module: Module, test: Any, name: str) -> bool:
    """Whether a condition asks for nothing but the socket itself."""
    return (type(test) is p.Name and test.id == name) or (
        type(test) is p.Not and _mentions(module, test.value, name))
