"""Edits for handles that are lost: which of them fits, and where none does beyond doubt.

What a table does not say of a handle is taken for the worst: whatever is opened by an ``await`` may have to be closed
by one, and a function that hands a promise of its result on is not done when it returns.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connlint.checks.components import Hook
from connlint.checks.homes import Home
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.origins import Origins, class_of
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.model.source import Span
from connlint.patterns import regex
from connlint.project.module import Module
from connlint.project.releases import (
    around,
    ended_in,
    in_with,
    keep_task,
    named_callback,
    new_entry,
    new_method,
    release_in_finally,
    released_at_the_end,
    returned_by_effect,
    undone_beside,
    undone_in,
    until_destroyed,
    wants_every_return,
    with_last_argument,
)

_SIMPLE = (p.Member, p.Call, p.Argument)
_PLAIN = regex(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*|")
_EVERYWHERE = regex(r"(?:(?:window|document|globalThis|this)(?:\.[A-Za-z_$][\w$]*)*)?")
_BOUND = regex(r"this(?:\.[A-Za-z_$][\w$]*)+")
"""What all methods of an object see."""
_WORDS = regex(r"[A-Za-z0-9]+")
_THREADED = regex(r"^class \w+\([^)]*\bThread\b|\bcall_soon_threadsafe\b|\brun_coroutine_threadsafe\b"
                  r"|\brun_forever\b|\bThread\(")
_SAYING_GOODBYE = frozenset({"quit"})
"""Methods that tell the server, and fail where nothing is connected: their error would hide the first one."""
_LIVING = frozenset({"connect", "cursor", "session", "client", "channel", "db", "database", "collection", "open",
                     "begin", "transaction", "pipeline", "stream", "execute", "get_database", "get_channel"})
"""Methods that give what lives on the handle."""
_DRAINS = frozenset({"join", "drain", "flush"})
"""Methods that wait until somebody has done what is left."""


def _listener(call: p.Call) -> str:
    """What to call the callback of an event: ``onKeyDown`` for ``"key-down"``, ``listener`` where it has no plain name.
    """
    event = call.args[0].value
    words = _WORDS.findall(event.value) if type(event) is p.Text else []
    words = [word.lower() if word.isupper() else word for word in words]
    return "on" + "".join(word[0].upper() + word[1:] for word in words) if words else "listener"


def _says(call: Any, words: Collection[str]) -> bool:
    """Whether the first argument of a call begins with one of ``words``, if there are any."""
    text = call.args[0].value if call.args else None
    return not words or (type(text) is p.Text and text.value.strip().upper().startswith(tuple(words)))


def _whole(value: Any) -> list[Any]:
    """What an expression gives as it is: itself, or the parts of a row of values."""
    if type(value) is p.Sequence:
        return [part for one in p.children(value) for part in _whole(one)]
    if type(value) is p.Record:
        return [part for one in value.entries for part in _whole(one.value)]
    return [value]


class Mends:
    """The edits of one module."""

    def __init__(self, module: Module, table: Lifecycles, known: Origins) -> None:
        self.module = module
        self.table = table
        self.origins = known
        self.telling = Telling(module)
        self.python = module.program.language == "python"

    def moved(self, call: p.Call, api: Api, home: Home, release: Any, risk: Span) -> Fix | None:
        """The one release of a handle moves to where every way comes past it: into ``finally``, or ``with`` does it.

        ``risk`` is the first place where it may be lost.
        """
        acquire, given_back = self.module.statement(call), self.module.statement(release)
        if type(acquire) not in (p.Let, p.Evaluate) or type(given_back) is not p.Evaluate:
            return None
        if given_back.at[0] <= acquire.at[0] or self._confirms(release, api):
            return None
        if api.awaiting and (type(release) is not p.Call or last_word(release.callee) not in api.ends):
            return None  # after an error, what is only waited for may never end
        if self._is_manager(call, api, home) and self.module.parent(acquire) is self.module.parent(given_back):
            if (fix := in_with(self.module, acquire, given_back, self._with(call))) is not None:
                return fix
        title = f"Move `{self.telling.short(release)}` into `finally`"
        opened = self._opened(acquire, home, api, risk)
        if any(opened.at[1] <= one.at[0] < given_back.at[0] and self._leaves_without(one, home)
               for one in self.module.nodes(p.If)):
            return None  # there may be nothing to give back
        if not self.python:
            opened = self._declared_first(opened, given_back, risk)
        ending = last_word(getattr(release.value if type(release) is p.Await else release, "callee", None)) or ""
        if ending in _SAYING_GOODBYE and opened is acquire and self._is_connected(call, home):
            return None
        return release_in_finally(self.module, opened, given_back, title, self._rolled_back(call, home, ending))

    def _is_connected(self, call: p.Call, home: Home) -> bool:
        """Whether the function that makes a handle connects it in a step of its own, which may fail."""
        asked: list[Any] = self.module.nodes_of(self.module.function(call), p.Call)
        return any(type(one.callee) is p.Member and one.callee.name == "connect"
                   and self.module.source.slice(one.callee.of.at) == home.name for one in asked)

    def _rolled_back(self, call: p.Call, home: Home, release: str) -> str:
        """What ends a transaction after an error, where one is begun on the handle, nothing ends it, and what is
        released would go on with it; "" for nothing."""
        function = self.module.function(call)
        asked: list[Any] = [one for one in self.module.nodes_of(function, p.Call) if type(one.callee) is p.Member
                            and self.module.source.slice(one.callee.of.at) == home.name]
        for entry in self.table.transactions:
            begun = [one for one in asked if one.callee.name == entry["begun"] and _says(one, entry.get("words", ()))]
            name, _, rest = entry["undone"].partition("(")
            words = [word for word in rest.strip("')").split() if word]
            if begun and release == entry["release"] and not any(
                    one.callee.name == name and _says(one, words) for one in asked):
                return f"await {home.name}.{entry['undone']}"
        return ""

    def _opened(self, acquire: Any, home: Home, api: Api, risk: Span) -> Any:
        """The statement after which a handle is open: it may be one that connects or starts it, which stands right
        behind and need not be made good where it fails, since nothing is lost before ``risk``."""
        block = [s for s in p.children(self.module.parent(acquire)) if isinstance(s, p.Statement)]
        place = next((i for i, statement in enumerate(block) if statement is acquire), len(block))
        for following in block[place + 1 :]:
            if self._leaves_without(following, home) and following.at[1] <= risk[0]:
                acquire = following
                continue
            value = following.value if type(following) is p.Evaluate else None
            called = value.value if type(value) is p.Await else value if api.starts else None
            if type(called) is not p.Call or type(called.callee) is not p.Member or following.at[1] > risk[0]:
                break
            if self.module.source.slice(called.callee.of.at) != home.name or (
                    called.callee.name not in ("connect", *api.starts)):
                break
            acquire = following
        return acquire

    def _leaves_without(self, statement: Any, home: Home) -> bool:
        """Whether a statement leaves where there is no handle: ``if not producer: return``."""
        if type(statement) is not p.If or statement.otherwise or not statement.then:
            return False
        asked = statement.test.value if type(statement.test) is p.Not else (
            statement.test.left if type(statement.test) is p.Compare and statement.test.op == "=="
            and type(statement.test.right) is p.Constant else None)
        return asked is not None and self.module.source.slice(asked.at) == home.name and (
            type(statement.then[-1]) in (p.Return, p.Raise, p.Continue, p.Break))

    def _declared_first(self, opened: Any, release: Any, risk: Span) -> Any:
        """The last of the declarations right behind ``opened`` that the statements behind ``release`` use too: nothing
        is lost before ``risk``, and what they declare need not be declared outside of the ``try`` then."""
        block = [s for s in p.children(self.module.parent(opened)) if isinstance(s, p.Statement)]
        used = {name.id for name in self.module.nodes(p.Name) if release.at[1] < name.at[0] < block[-1].at[1]}
        place = next((i for i, statement in enumerate(block) if statement is opened), len(block))
        for following in block[place + 1 :]:
            if type(following) is not p.Let or following.at[1] > risk[0] or following.at[1] > release.at[0]:
                break
            if self._bound(following) & used:
                opened = following
        return opened

    def added(self, call: p.Call, api: Api, home: Home) -> Fix | None:
        """A handle of a variable that nobody gives back is given back where the function is done with it."""
        acquire = self.module.statement(call)
        if home.kind != "local" or type(acquire) is not p.Let or any(u.meaning == "escape" for u in home.uses):
            return None
        if type(acquire.target) is not p.Name or acquire.target.id != home.name or not api.ends or api.confirms:
            return None
        if self._is_manager(call, api, home):
            return in_with(self.module, acquire, None, self._with(call))
        if self._owner_stays_open(call, api):
            return None
        function = self.module.function(call)
        if function is None or api.role != "connection" or not self._is_done_at_the_end(function, home):
            return None
        if self._is_handed_out(acquire, function) or self._lives_on(home, function):
            return None
        undo = api.undo(home.name)
        if self.python:
            return None if function.is_async else self._finally(acquire, undo)
        if acquire.value is call or not function.is_async or self._rolled_back(call, home, api.ends[0]):
            return None
        # what a pool has lent is given back at once; closing what was opened takes time
        return self._finally(acquire, undo if api.owner else f"await {undo}")

    def opened_inside(self, call: p.Call, api: Api) -> Fix | None:
        """A handle that a part of an expression uses up: ``load(open(path))``, ``open(path).read()``."""
        if not self._is_synchronous(call, api) or not self._is_used_up(call):
            return None
        return around(self.module, call, self._with(call))

    def kept(self, call: p.Call) -> Fix | None:
        """A task that is thrown away is kept until it is done."""
        return keep_task(self.module, call, "Keep the task until it is done") if self.python else None

    def by_effect(self, call: p.Call, api: Api, hook: Hook, home: Home | None) -> Fix | None:
        """The hook of a component returns a function that gives the handle back."""
        if self.python or api.calling:
            return None  # what it returns may be an object or a function
        if home is None and not api.what.isidentifier():
            return None
        if hook.undone_by:
            return self._beside(call, api, hook, home)
        owner = class_of(self.module, call)
        if owner is not None and "unsubscribe" in api.ends:
            return until_destroyed(self.module, owner, call, "End it with the component")
        if not hook.returns or hook.function is None:
            return None
        if home is None:
            return self._returned(hook.function, call, api.undo(api.what), handle=api.what)
        value = self._value(call)
        if value is call or (type(value) is p.Assign and value.value is call):
            return self._returned(hook.function, call, api.undo(home.name))
        return None

    def removed_by_effect(self, call: p.Call, hook: Hook, target: str, remove: str, callback: Any) -> Fix | None:
        """The hook of a component returns a function that removes the listener that ``call`` adds."""
        statement = self.module.statement(call)
        if type(statement) is not p.Evaluate or statement.value is not call:
            return None
        if not hook.undone_by and (not hook.returns or hook.function is None):
            texts = [self.module.source.slice(it.value.at) for it in call.args]
            seen = _EVERYWHERE.fullmatch(target) and _BOUND.fullmatch(self.module.source.slice(callback.at))
            undo = f"{target}.{remove}({', '.join(texts)})".removeprefix(".")
            return self._by_option(call, undo, hook) if seen and not any("\n" in text for text in texts) else None
        named = type(callback) is p.Name
        name = _listener(call)
        texts = [name if it.value is callback and not named else self.module.source.slice(it.value.at)
                 for it in call.args]
        if not (named or type(callback) is p.Function) or any("\n" in text for text in texts):
            return None
        undo = f"{target}.{remove}({', '.join(texts)})" if target else f"{remove}({', '.join(texts)})"
        given = None if named else callback
        if hook.undone_by:
            if not _PLAIN.fullmatch(target) or self.module.function(call) is not hook.function:
                return None
            return undone_beside(self.module, hook.function, call, hook.undone_by, undo, f"Undo it in {hook.cleanup}",
                                 callback=given, listener=name)
        assert hook.function is not None
        return self._returned(hook.function, call, undo, callback=given, listener=name)

    def of_one_name(self, call: p.Call, removal: p.Call, place: int) -> Fix | None:
        """A listener that is written out where it is added, and again where it is removed, gets a name for both."""
        statement = self.module.statement(call)
        added, removed = (one.args[place].value for one in (call, removal))
        around = self.module.function(call)
        if self.python or type(statement) is not p.Evaluate or statement.value is not call:
            return None
        if type(added) is not p.Function or type(removed) is not p.Function or around is None:
            return None
        if self.module.parent(statement) is not around or not call.at[1] <= removal.at[0] < around.at[1]:
            return None  # where it is removed, nobody would know the name
        name = _listener(call)
        return named_callback(self.module, call, (added, removed), name, f"Remove the {name} that was added")

    def agreeing(self, removal: p.Call, place: int, words: str) -> Fix | None:
        """The call that removes a listener says the same as the one that adds it: ``words`` behind argument ``place``.
        """
        title = f"Remove it with `{words}`" if words else "Remove it as it was added"
        return None if self.python else with_last_argument(self.module, removal, place, words, title)

    def _beside(self, call: p.Call, api: Api, hook: Hook, home: Home | None) -> Fix | None:
        """The hook that cleans up gives the handle back; it stands beside the one that acquires it."""
        if self.module.function(call) is not hook.function or any(
                one.at[0] < call.at[0] and self.module.function(one) is hook.function
                for one in (self.module.nodes(p.Await) if hook.function is not None else ())):
            return None  # the component may be gone when what is awaited has settled
        name, value = (api.what, call) if home is None else (home.name, self._value(call))
        assigned = type(value) is p.Assign and value.value is call
        if not name.isidentifier() or not (value is call or assigned):
            return None
        declared = home is not None and hook.function is None and type(self.module.statement(call)) is p.Let
        undo = api.undo(name)
        if assigned and undo.startswith(f"{name}."):
            undo = undo.replace(".", "?.", 1)  # the component may go before it is there
        title = f"Call `{undo}` in {hook.cleanup}"
        return undone_beside(self.module, hook.function, call, hook.undone_by, undo, title,
                             handle=None if assigned or declared else name)

    def _returned(self, effect: p.Function, call: p.Call, undo: str, *, handle: str | None = None,
                  callback: Any = None, listener: str = "") -> Fix | None:
        title = f"Return a function that calls `{undo}`" if len(undo) < 60 else "Return a function that undoes it"
        return returned_by_effect(self.module, effect, call, undo, title, handle=handle, callback=callback,
                                  listener=listener, told=wants_every_return(self.origins.project))

    def in_method(self, call: p.Call, api: Api, home: Home, method: p.Function) -> Fix | None:
        """The method that closes an object gives back this handle too."""
        value = self._value(call)
        stored = value.value if type(value) is p.Assign else value
        if stored is not call or home.kind != "attribute" or home.gathered:
            return None
        if self.python:
            written = self._is_initial(call, home)
            if written is None or not home.name.startswith("self.") or not api.ends or api.role == "connection":
                return None
            if any(last_word(one.callee) in _DRAINS for one in self.module.nodes_of(method, p.Call)):
                return None  # what it waits for may be what the task does
            if api.awaiting and self._is_of_other_threads(call):
                return None  # a task is no thing to be cancelled from another thread
            title = f"Call `{home.name}.{api.ends[0]}()` in `{method.name}`"
            return ended_in(self.module, method, home.name, api.ends[0], tested=not written, title=title)
        undo = api.undo(home.name) if api.release else f"{home.name}?.{api.ends[0]}()" if api.ends else ""
        return undone_in(self.module, method, undo, f"Call `{undo}` in `{method.name}`") if undo else None

    def _is_of_other_threads(self, call: p.Call) -> bool:
        """Whether the class that makes a handle is a thread itself, or talks with its loop as other threads do."""
        owner = class_of(self.module, call)
        text = self.module.source.slice(owner.at) if owner is not None else ""
        return _THREADED.search(text) is not None

    def by_component(self, call: p.Call, api: Api, home: Home, hook: Hook) -> Fix | None:
        """The method in which a component of a class cleans up gives the handle back; where there is none, it gets one.
        """
        name = hook.cleanup.strip("`")
        owner = class_of(self.module, call)
        if self.python or not name.isidentifier() or home.kind != "attribute":
            return None
        if owner is None:
            value = self._value(call)
            assigned = type(value) is p.Assign and value.value is call and _BOUND.fullmatch(home.name)
            return self._by_option(call, api.undo(home.name), hook) if assigned and api.release else None
        defined = {s.name: s for s in owner.body if type(s) is p.Define}
        if name in defined:
            method = defined[name].value
            return self.in_method(call, api, home, method) if type(method) is p.Function else None
        value = self._value(call)
        if type(value) is not p.Assign or value.value is not call or hook.name not in defined:
            return None
        undo = api.undo(home.name) if api.release else f"{home.name}?.{api.ends[0]}()"
        return new_method(self.module, defined[hook.name], name, undo, f"Call `{undo}` in `{name}`")

    def _by_option(self, call: p.Call, undo: str, hook: Hook) -> Fix | None:
        """The hook of an object of options that cleans up does ``undo``; where there is none, the object gets one."""
        module, name = self.module, hook.cleanup.strip("`")
        function = module.function(call)
        entry = module.parent(function) if function is not None else None
        record = module.parent(entry) if type(entry) is p.Entry else None
        if self.python or function is None or type(entry) is not p.Entry or type(record) is not p.Record:
            return None
        if type(entry.key) is not p.Text or entry.key.value != hook.name or not name.isidentifier() or any(
                one.at[0] < call.at[0] and module.function(one) is function for one in module.nodes(p.Await)):
            return None
        title = f"Call `{undo}` in `{name}`"
        given = [one.value for one in record.entries if type(one.key) is p.Text and one.key.value == name]
        if given:
            return undone_in(module, given[0], undo, title) if type(given[0]) is p.Function else None
        return new_entry(module, entry, name, undo, title)

    def _value(self, call: p.Call) -> Any:
        """What the statement around a call evaluates or binds; None for other statements."""
        statement: Any = self.module.statement(call)
        return statement.value if type(statement) in (p.Let, p.Evaluate) else None

    def _is_initial(self, call: p.Call, home: Home) -> bool | None:
        """Whether the constructor itself puts the handle into the attribute, so that it is always there; None where the
        constructor does not even name the attribute."""
        owner = class_of(self.module, call)
        for define in owner.body if owner is not None else ():
            if type(define) is p.Define and define.name == "__init__" and type(define.value) is p.Function:
                if any(statement is self.module.statement(call) for statement in define.value.body):
                    return True
                for statement in define.value.body:
                    if type(statement) is p.Let and self.module.source.slice(statement.target.at) == home.name:
                        return False
        return None

    def _confirms(self, release: Any, api: Api) -> bool:
        """Whether a release is meant for success alone."""
        call = release.value if type(release) is p.Await else release
        return type(call) is p.Call and last_word(call.callee) in api.confirms

    def _owner_stays_open(self, call: p.Call, api: Api) -> bool:
        """Whether a variable of the same function lends the handle, and is not given back either: a channel of a
        connection, which is what has to be closed."""
        owner = call.callee.of if type(call.callee) is p.Member else None
        if type(owner) is not p.Name:
            return False
        lets = [one.node for one in self.module.lookup(owner.id, owner) if type(one.node) is p.Let]
        made = [let.value.value if type(let.value) is p.Await else let.value for let in lets
                if self.module.function(let) is self.module.function(call)]
        if not any(type(one) is p.Call and self.table.acquired(one, self.origins, (api.role,)) for one in made):
            return False
        ends = [one.callee.of for one in self.module.nodes(p.Call)
                if type(one.callee) is p.Member and one.callee.name in api.ends and type(one.callee.of) is p.Name]
        found = [one.node for end in ends if end.id == owner.id for one in self.module.lookup(end.id, end)]
        return not any(node is let for node in found for let in lets)

    def _finally(self, acquire: p.Statement, undo: str) -> Fix | None:
        return released_at_the_end(self.module, acquire, undo, f"Call `{undo}` in `finally`")

    def _with(self, call: p.Call) -> str:
        return f"Hold `{self.telling.short(call)}` in a `with` block"

    def _is_manager(self, call: p.Call, api: Api, home: Home) -> bool:
        """Whether the handle itself can be managed by ``with``."""
        acquire = self.module.statement(call)
        if any(type(it.value) is p.Call and self.table.takes_place(it.value, self.module)
               for it in home.stores if type(it) in (p.Let, p.Assign)):
            return False  # the variable does not hold to the end what ``with`` would close
        return self._is_synchronous(call, api) and type(acquire) is p.Let and acquire.value is call and (
            home.kind == "local")

    def _is_synchronous(self, call: p.Call, api: Api) -> bool:
        function = self.module.function(call)
        known = self.python and not api.release and (api.closes or (api.managed and api.role == "handle"))
        return known and (function is None or not function.is_async)

    def _is_used_up(self, call: p.Call) -> bool:
        """Whether what uses the handle is done with it when the statement ends."""
        above = self.module.parent(call)
        if type(above) is p.Member:
            used = self.module.parent(above)
            if type(used) is not p.Call or above.name not in self.table.consuming.methods:
                return False
        elif type(above) is p.Argument:
            used = self.module.parent(above)
            name = self.origins.of(used.callee) if type(used) is p.Call else None
            if name is None or name not in self.table.consuming.names:
                return False
        else:
            return False
        statement = self.module.statement(call)
        # nothing may come between: an operand that is not always evaluated, a loop, a function
        for outer in self.module.parents(used):
            if outer is statement:
                return True
            if type(outer) not in _SIMPLE:
                return False
        return False

    def _bound(self, let: p.Let) -> set[str]:
        """The names that a declaration binds."""
        at = let.target.at
        return {name.id for name in self.module.nodes(p.Name) if at[0] <= name.at[0] < at[1]}

    def _is_handed_out(self, acquire: Any, function: p.Function) -> bool:
        """Whether something that is made of a handle in its block is used behind that."""
        block = [s for s in p.children(self.module.parent(acquire)) if isinstance(s, p.Statement)]
        made: set[str] = set()
        for one in block:
            if one.at[0] > acquire.at[0] and type(one) is p.Let:
                made |= self._bound(one)
        end = max((one.at[1] for one in block), default=acquire.at[1])
        return any(name.id in made and end < name.at[0] < function.at[1] for name in self.module.nodes(p.Name))

    def _lives_on(self, home: Home, function: p.Function) -> bool:
        """Whether something that lives on a handle, as a session of a cluster, is what the function returns."""
        lives: set[str] = set()
        for let in self.module.nodes_of(function, p.Let):
            value = let.value.value if type(let.value) is p.Await else let.value
            if type(value) is p.Call and type(value.callee) is p.Member and value.callee.name in _LIVING:
                if self.module.source.slice(value.callee.of.at) == home.name:
                    lives |= self._bound(let)
        given: list[Any] = [*self.module.nodes_of(function, p.Return), *self.module.nodes_of(function, p.Yield)]
        return any(type(one) is p.Name and one.id in lives
                   for node in given if node.value is not None for one in _whole(node.value))

    def _is_done_at_the_end(self, function: p.Function, home: Home) -> bool:
        """Whether everything that uses the handle is done when the function is: nothing is left running."""
        for use in home.uses:
            if self.module.function(use.node) is not function:
                return False
            if self.python:
                continue
            waited = next((above for above in self.module.parents(use.node)
                           if type(above) is p.Await or isinstance(above, p.Statement)), None)
            if type(waited) is not p.Await:
                return False
        return True
