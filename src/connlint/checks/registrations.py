"""Registrations of listeners, which have no handle of their own, and what undoes them by saying the same things again.

``target.on(event, callback)`` is undone by ``target.off(event, callback)``: same target, same event, same callback. So
the registration itself is the handle, and every matching removal gives it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from connlint.cards import Rules
from connlint.checks.lifecycles import argument
from connlint.checks.origins import class_of
from connlint.model import program as p
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
    ending: tuple[str, ...] = ()


class Registration(Struct):
    """One call that adds a listener, and the calls of the file that remove it.

    ``fresh`` are removals of a function that was never added, ``contrary`` removals that say otherwise about the flag
    of the pair, ``others`` removals of other callbacks of the same event, ``beside`` removals of anything else from the
    same target, ``aliased`` one that may be the same: of the callback from a target of another name, or of events that
    both are given. ``swept`` says that the target itself is closed somewhere.
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
    aliased: bool = False


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
        elif type(callee) is p.Member and sweeps(name) and not _opens_again(module, callee):
            swept.add(_held(module, callee.of))
    for call, pair in adds:
        if _ends_by_itself(call, pair):
            continue
        target = _target(module, call)
        matching: list[p.Call] = []
        fresh: list[p.Call] = []
        contrary: list[p.Call] = []
        beside: list[p.Call] = []
        others = renamed = aliased = False
        for word in pair.remove:
            for other in removes.get(word, ()):
                alike = _same_events(module, call, other, pair)
                if _target(module, other) != target or not alike:
                    ours = class_of(module, other) is class_of(module, call)
                    told_apart = {target, _target(module, other)} <= set(pair.lasting)  # window, document
                    aliased = aliased or (alike and ours and not told_apart
                                          and _same_callback(module, call, other, pair))
                    if ours and _target(module, other) == target and _are_given(call, other, pair):
                        aliased = True
                    if ours and _own(_target(module, other)) == _own(target):
                        beside.append(other)
                        renamed = renamed or alike  # ``bus.on(…)`` in a constructor, ``this.bus.off(…)`` elsewhere
                    continue
                if target and not _same_name(module, call.callee, other.callee):
                    continue
                last = str(pair.keys[-1])
                theirs = argument(other, last)
                if theirs is not None and _is_fresh(theirs):
                    fresh.append(other)
                elif len(pair.keys) == 1 or theirs is None:
                    matching.append(other)
                elif _same_callback(module, call, other, pair):
                    (matching if _agree(call, other, pair) else contrary).append(other)
                elif _is_fresh(argument(call, last)):
                    beside.append(other)  # a function that is written out where it is added cannot be meant
                elif _outermost(module, other) is _outermost(module, call):
                    others = True
        of = call.callee.of if type(call.callee) is p.Member else None
        # ``window.clearTimeout(…)``: nothing closes what outlives everything
        closed = target not in pair.lasting and (target in swept or _held(module, of) in swept or any(
            _own(it) == _own(target) for it in swept if it.startswith("this.")))
        yield Registration(call, pair, target, matching, fresh, closed or renamed, others, contrary, beside, aliased)


def _opens_again(module: Module, closing: p.Member) -> bool:
    """Whether a target that outlives the function is connected again after ``closing``, with the listeners that it had:
    ``socket.connect()`` in an effect, and ``socket.disconnect()`` in what it returns."""
    of = closing.of
    if closing.name != "disconnect" or type(of) is not p.Name:
        return False
    bound = module.lookup(of.id, of)
    if any(module.function(it.node) is not None for it in bound):
        return False
    return any(type(it.callee) is p.Member and it.callee.name == "connect" and type(it.callee.of) is p.Name
               and it.callee.of.id == of.id and module.lookup(of.id, it.callee.of) is bound
               and module.function(it) is not None for it in module.nodes(p.Call))


def _target(module: Module, call: p.Call) -> str:
    return text_of(module, call.callee.of) if type(call.callee) is p.Member else ""


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


def agreement(one: Registration) -> str | None:
    """What the one removal that says otherwise about the flag has to say behind the callback: the argument in its
    words, empty where nothing needs to be said; None where that would take more."""
    if len(one.contrary) != 1 or any(it.spread or it.name for it in one.contrary[0].args):
        return None
    mine, theirs = (argument(call, str(one.pair.keys[-1] + 1)) for call in (one.call, one.contrary[0]))
    if type(theirs) not in (p.Constant, type(None)) or len(one.contrary[0].args) > one.pair.keys[-1] + 2:
        return None
    if not _flag(one.call, one.pair):
        return ""
    return "true" if type(mine) is p.Constant else f"{{ {one.pair.flag}: true }}"


def _held(module: Module, of: Any) -> str:
    """What `text_of` says of a target; of a variable of a function also what call gave it, so that two of one name,
    which different functions hand out, are told apart."""
    text = text_of(module, of)
    found = module.lookup(of.id, of) if type(of) is p.Name else []
    if len(found) == 1 and found[0].kind == "value" and type(found[0].value) is p.Call and not found[0].path:
        if module.function(found[0].node) is not None:
            return f"{text}={text_of(module, found[0].value.callee)}"
    return text


def text_of(module: Module, it: Any) -> str:
    """The source of an expression without spaces and signs of doubt: ``a?.b!`` is ``a.b``."""
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


def _same_callback(module: Module, add: p.Call, remove: p.Call, pair: Pair) -> bool:
    """Whether a removal names the callback that was added; one without arguments names none."""
    last = str(pair.keys[-1])
    mine, theirs = argument(add, last), argument(remove, last)
    return mine is not None and theirs is not None and text_of(module, mine) == text_of(module, theirs) and (
        _same_name(module, theirs, mine))


def _same_events(module: Module, add: p.Call, remove: p.Call, pair: Pair) -> bool:
    """Whether both name the same event; a removal without arguments removes everything."""
    for place in pair.keys[:-1] if len(pair.keys) > 1 else pair.keys:
        theirs = argument(remove, str(place))
        if theirs is None:
            return not remove.args
        if _event(module, theirs) != _event(module, argument(add, str(place))):
            return False
    return True


def _are_given(add: p.Call, remove: p.Call, pair: Pair) -> bool:
    """Whether both calls get their event under a name, so that it may be the same."""
    events = (argument(it, str(pair.keys[0])) for it in (add, remove))
    return len(pair.keys) > 1 and all(type(it) is p.Name for it in events)


def _event(module: Module, given: Any) -> str:
    """An event as text; one that a loop goes through is named by what is looped over."""
    if type(given) is p.Name and (found := module.only(given.id, given)) is not None:
        if type(found.node) is p.Loop and found.node.iterable is not None:
            return f"each of {text_of(module, found.node.iterable)}"
    return text_of(module, given).strip("\"'`")


def loop_over(module: Module, call: p.Call) -> p.Loop | None:
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


def _is_fresh(callback: p.Expression | None) -> bool:
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
