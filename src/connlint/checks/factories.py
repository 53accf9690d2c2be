"""Functions of the project that make a handle and hand it to whoever calls them: whoever calls has to give it back.

Only what is seen whole counts: every value that the function returns is the new handle (or nothing at all), and the
function has given it to nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.cards import Rules
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.meanings import Meanings
from connlint.checks.origins import origins, returned
from connlint.model import program as p
from connlint.project.answer import Found
from connlint.project.callees import thing
from connlint.project.module import Module
from connlint.project.project import Project


class Made(Struct, frozen=True):
    """``call`` of ``module`` acquires what the function around it returns."""

    module: Module
    call: p.Call
    api: Api


_HOLDERS = (p.Define, p.Let, p.Assign, p.Entry)
"""What gives a function a name by which it is called."""


class Factories:
    """Answers about the calls of one module, for some roles."""

    def __init__(self, module: Module, project: Project, rules: Rules, table: Lifecycles, roles: Iterable[str]) -> None:
        self.module = module
        self.project = project
        self.table = table
        self.roles = frozenset(roles)
        self.patterns = [name for entry in rules.apis.get("factory", ()) if entry["role"] in self.roles
                         for name in entry["names"]]
        self.own: set[str] = set()
        self._known: dict[tuple[str, int], Made | None] = {}

    def note(self, call: p.Call) -> None:
        """Remember the function around an acquisition, if it might hand it out: its callers are worth a look."""
        function = self.module.function(call)
        if function is None or function.is_generator or not self._hands_on(self.module, function):
            return
        above = self.module.parent(call)
        if type(above) is p.Await:
            above = self.module.parent(above)
        if type(above) is not p.Return:
            kept = last_word(above.target) if type(above) in (p.Let, p.Assign) else None
            values = [part for value in returned(function) for part in _parts(value)]
            if kept is None or not any(type(v) is p.Name and v.id == kept for v in values):
                return
        holder = self.module.parent(function)
        name = function.name or (last_word(holder.target) if type(holder) is p.Let else None)
        if name:
            self.own.add(name)

    def called_unread(self) -> bool:
        """Whether a stretch of the file that was not read calls a function that may hand something out."""
        stretches = self.module.nodes(p.Unread)
        calling = self.own.union(self._imported()) if stretches else self.own
        if not stretches or not calling:
            return False
        names = b"|".join(re.escape(name.encode()) for name in sorted(calling))
        called = re.compile(rb"(?<![\w$.])(?:%s)\(" % names)
        data = self.module.source.data
        return any(called.search(data, it.at[0], it.at[1]) for it in stretches)

    def _imported(self) -> Iterator[str]:
        """The names of functions that may hand something out, imported from a file of the project."""
        for statement in self.module.nodes(p.Import):
            for name in statement.names:
                if name.local is not None and not name.star and self._is_named_like_one(name.local):
                    if isinstance(self.project.resolve(self.module, statement.module), Found):
                        yield name.local

    def made(self, call: p.Call) -> Made | None:
        """What a call of a function of the project acquires for its caller."""
        callee = call.callee
        word = last_word(callee) if type(callee) in (p.Name, p.Member) else None
        if word is None or call.new or not self._is_promising(word, callee, call):
            return None
        found = thing(self.module, callee, self.project)
        if found is None or type(found.node) is not p.Function:
            return None
        key = (found.module.path, found.node.at[0])
        if key not in self._known:
            self._known[key] = None  # cuts cycles
            self._known[key] = self._handed_out(found.module, found.node)
        if found.node.is_async and type(self.module.parent(call)) is not p.Await:
            return None
        return self._known[key]

    def _is_promising(self, word: str, callee: Any, call: p.Call) -> bool:
        """Whether a look at the function is worth its price: it is one of this file, or another file gives it and it,
        or what becomes of its result, is named like what is sought."""
        if word in self.own:
            return True
        head = callee.of if type(callee) is p.Member else callee
        if type(head) is not p.Name or not self._is_from_elsewhere(head, whole=head is not callee):
            return False
        if self._is_named_like_one(word):
            return True
        above = self.module.parent(call)
        if type(above) is p.Await:
            above = self.module.parent(above)
        kept = last_word(above.target) if type(above) in (p.Let, p.Assign) else None
        return kept is not None and self._is_named_like_one(kept)

    def _is_from_elsewhere(self, name: p.Name, *, whole: bool) -> bool:
        """Whether the file imports or requires what ``name`` is; a ``whole`` module from the project alone."""
        found = self.module.lookup(name.id, name)
        if len(found) != 1:
            return False
        one = found[0]
        if one.kind == "import":
            return not whole or (one.statement is not None and isinstance(
                self.project.resolve(self.module, one.statement.module), Found))
        value: Any = one.value
        return (one.kind == "value" and type(value) is p.Call and last_word(value.callee) == "require"
                and len(value.args) == 1 and type(value.args[0].value) is p.Text
                and value.args[0].value.value.startswith("."))

    def _is_named_like_one(self, word: str) -> bool:
        return any(fnmatchcase(word.lower(), pattern) for pattern in self.patterns)

    def _hands_on(self, home: Module, function: p.Function) -> bool:
        """Whether who calls the function gets what it returns, whatever decorates it."""
        known = origins(home, self.project)
        return all(self.table.through.names_it(it.callee if type(it) is p.Call else it, known)
                   for it in function.decorators)

    def _handed_out(self, home: Module, function: p.Function) -> Made | None:
        if function.is_generator or type(home.parent(function)) not in _HOLDERS or not self._hands_on(home, function):
            return None
        values = [v for v in returned(function) if not (type(v) is p.Constant and v.value in ("null", "undefined"))]
        made: Made | None = None
        for value in values:
            one = self._new(home, function, value) or self._among(home, function, value)
            if one is None or (made is not None and made.api.pick != one.api.pick):
                return None
            made = one
        return made

    def _among(self, home: Module, function: p.Function, value: Any) -> Made | None:
        """The handle that stands among others in ``value``: ``return connection, connection.cursor()``. What another
        of them has lent goes with that."""
        if type(value) is not p.Sequence or any(type(it) is p.Spread for it in value.items):
            return None
        found = [(place, made) for place, it in enumerate(value.items)
                 if (made := self._new(home, function, it)) is not None and not made.api.owner]
        return Made(home, found[0][1].call, replace(found[0][1].api, pick=found[0][0])) if len(found) == 1 else None

    def _new(self, home: Module, function: p.Function, value: Any) -> Made | None:
        """``value``, if it is a handle that the function has just made and nobody else has."""
        if type(value) is p.Await:
            value = value.value
        if type(value) is p.Call:
            known = origins(home, self.project)
            api = self.table.acquired(value, known, self.roles)
            if api is not None and api.pick is None and home.function(value) is function:
                return Made(home, value, api)
            return None
        if type(value) is not p.Name:
            return None
        found = home.lookup(value.id, value)
        if len(found) != 1 or found[0].kind != "value" or found[0].path or home.function(found[0].node) is not function:
            return None
        made = self._new(home, function, found[0].value) if type(found[0].value) is not p.Name else None
        if made is None:
            return None
        there = Meanings(home, self.table, origins(home, self.project))
        for name in there.names.names().get(value.id, ()):
            if home.lookup(name.id, name) is not found or name is getattr(found[0].node, "target", found[0].node):
                continue
            meaning, where = there.of(name, made.api)
            if home.function(name) is not function or (meaning == "escape" and type(where) is not p.Return):
                return None
            if meaning == "end" and not any(type(above) is p.Handler for above in home.parents(name)):
                return None  # detached from whoever made it
        return made


def _parts(value: Any) -> tuple[Any, ...]:
    """What a function hands out with ``value``: several things where that is a tuple."""
    return value.items if type(value) is p.Sequence else (value,)
