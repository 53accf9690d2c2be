"""Handles that stand in a collection alone, from which somebody takes them out without giving them back.

``timers.set(id, setInterval(…))`` and, elsewhere, ``timers.delete(id)``: from then on nobody knows the timer, and it
goes on. Every use of the collection has to be seen, and be one that puts something in, looks, or takes something out;
whoever gets an element or the collection may give it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from connlint.checks import gathered
from connlint.checks.homes import Homes
from connlint.checks.lifecycles import Api, last_word
from connlint.checks.origins import class_of
from connlint.checks.repeats import Repeats, unread
from connlint.checks.tasks import Tasks
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Draft, Place
from connlint.model.finding import Step as Evidence
from connlint.project.importers import importers

_Use = Literal["put", "look", "drop", "escape"]


class Dropping:
    """Judges the handles of one module that collections keep."""

    def __init__(self, homes: Homes, repeats: Repeats, tasks: Tasks, telling: Telling) -> None:
        self.module = homes.module
        self.homes = homes
        self.table = homes.table
        self.names = homes.names
        self.repeats = repeats
        self.tasks = tasks
        self.telling = telling

    def judge(self, call: p.Call, api: Api) -> Draft | None:
        """What is to be said about the handle of ``call``, if a collection keeps it and loses it."""
        if not api.gathered or api.role not in ("interval", "task") or self.module.function(call) is None:
            return None
        if api.role == "task" and not self.tasks.polls(call):
            return None  # it ends, and takes itself out
        kept = self._collection(call, api)
        if kept is None:
            return None
        project = self.homes.origins.project
        whole = project.module(self.module.path) if unread(self.module, last_word(kept) or "") else None
        if whole is None or whole is self.module:
            return self._judge(call, api, kept)
        # what was not read for want of a word that matters may take it out
        there = Dropping(Homes(whole, project, self.table), self.repeats, self.tasks, Telling(whole))
        again = next((it for it in whole.nodes(p.Call) if it.at == call.at), None)
        kept = there._collection(again, api) if again is not None else None
        return there._judge(again, api, kept) if again is not None and kept is not None else None

    def _judge(self, call: p.Call, api: Api, kept: Any) -> Draft | None:
        if self._is_known_elsewhere(kept):
            return None
        drops = []
        for node in self._uses(kept):
            use = self._use(node, api) if node is not None else "escape"
            if use == "escape":
                return None
            if use == "drop" and self.module.function(node) is not None and not self._is_own(node, call):
                drops.append(node)
        return self._draft(call, api, kept, drops[0]) if drops else None

    def _draft(self, call: p.Call, api: Api, kept: Any, drop: Any) -> Draft:
        function = self.module.function(drop)
        statement = next(it for it in (drop, *self.module.parents(drop)) if isinstance(it, p.Statement))
        name = self.names.text(kept)
        where = (function.name if function is not None else None) or f"line {self.module.source.line(drop.at[0])}"
        step = Evidence(Place(self.module.path, statement.at), f"`{name}` forgets it here, and nothing gives it back")
        undo = f"{api.release[0]}()" if api.release else f"{api.ends[0]}()"
        return self.telling.draft("dropped", call, api, name, where=where, undo=undo, steps=(step,))

    def _is_own(self, node: Any, call: p.Call) -> bool:
        """Whether ``node`` stands in what the handle itself runs."""
        return any(above is call for above in self.module.parents(node))

    # -- the collection -------------------------------------------------------------------------------------------

    def _collection(self, call: p.Call, api: Api) -> Any:
        """The name or attribute of the collection that ``call``, or the one variable that holds it, is put into."""
        found = self._puts(call)
        if found is not None:
            return found
        let = self.module.parent(call)
        if type(let) is not p.Let or let.value is not call or type(let.target) is not p.Name:
            return None
        bound = self.module.lookup(let.target.id, let.target)
        for use in self.names.names().get(let.target.id, ()):
            if use is let.target or self.module.lookup(use.id, use) is not bound:
                continue
            put = self._puts(use)
            if put is None:
                if self.homes.meanings.of(use, api)[0] != "read":
                    return None
            elif found is not None:
                return None
            else:
                found = put
        return found

    def _puts(self, value: Any) -> Any:
        """The collection that ``value`` is put into, alone or as a part of a record that is written there."""
        module = self.module
        above = module.parent(value)
        while type(above) in (p.Entry, p.Record):
            if type(above) is p.Entry and above.value is not value:
                return None
            value, above = above, module.parent(above)
        if type(above) is p.Argument:
            kept = gathered.collection(module, above, self.table)
            return kept if kept is not None and self._is_ours(kept) else None
        if type(above) in (p.Assign, p.Let) and above.value is value and type(above.target) is p.Index:
            kept = above.target.of
            return kept if self._is_ours(kept) else None
        return None

    def _is_ours(self, kept: Any) -> bool:
        """Whether ``kept`` is a collection that this file makes empty: a variable, or an attribute of a class."""
        if type(kept) is p.Member:
            of = kept.of
            return type(of) is p.Name and of.id in ("this", "self") and class_of(self.module, kept) is not None
        if type(kept) is not p.Name:
            return False
        found = self.module.lookup(kept.id, kept)
        return bool(found) and all(
            it.kind == "value" and it.value is not None and gathered.is_new(it.value, self.table) for it in found)

    def _is_known_elsewhere(self, kept: Any) -> bool:
        """Whether other code may have the collection: another file names it, or something here was not read."""
        name = kept.name if type(kept) is p.Member else kept.id
        if unread(self.module, name):
            return True
        if name.startswith("#"):
            return False
        if type(kept) is p.Member:
            owner = class_of(self.module, kept)
            if owner is not None and owner.bases:
                return True
            said = (owner.name or name, name) if owner is not None else (name,)
            others = [set(self.repeats.holding(it)) for it in said]
            return bool(set.intersection(*others) - {self.module.path})
        if any(it.local == name for export in self.module.nodes(p.Export) for it in export.names):
            return True
        if self.module.program.language != "python":
            return False
        users = importers(self.homes.origins.project).of(self.module.path)
        return not set(users).isdisjoint(self.repeats.holding(name))

    def _uses(self, kept: Any) -> Iterator[Any]:
        """Every place that names the collection; None for one that cannot be told."""
        module = self.module
        if type(kept) is p.Name:
            bound = module.lookup(kept.id, kept)
            yield from (it for it in self.names.names().get(kept.id, ()) if module.lookup(it.id, it) is bound)
            return
        owner = class_of(module, kept)
        for it in self.names.members().get(kept.name, ()):
            if type(it) is p.Text:
                yield None
            elif type(it.of) is not p.Name or it.of.id not in ("this", "self"):
                yield None
            elif class_of(module, it) is owner:
                yield it

    # -- its uses -------------------------------------------------------------------------------------------------

    def _use(self, node: Any, api: Api) -> _Use:
        module, table = self.module, self.table
        above = module.parent(node)
        kind: Any = type(above)
        if type(above) is p.Member and above.of is node:
            call = module.parent(above)
            if type(call) is not p.Call or call.callee is not above:
                return "look" if above.name in table.looks else "escape"
            if above.name in table.drops and type(module.parent(call)) is p.Evaluate:
                return "drop"
            if above.name in table.puts:
                return "put"
            if above.name in table.looks:
                return "look"
            return self._fetched(call, api) if above.name == "get" else "escape"
        if kind is p.Index and above.of is node:
            user = module.parent(above)
            if type(user) in (p.Assign, p.Let) and user.target is above:
                return "put"
            if type(user) is p.Delete or (type(user) is p.Opaque and user.why == "delete"):
                return "drop"
            return self._fetched(above, api)
        if kind in (p.Let, p.Assign) and above.target is node:
            if above.value is None or not gathered.is_new(above.value, table):
                return "escape"
            function = module.function(above)
            made = function is None or function.kind == "constructor" or function.name == "__init__"
            return "put" if made else "drop"
        if kind is p.Argument and type(call := module.parent(above)) is p.Call:
            return "look" if last_word(call.callee) in table.measures else "escape"
        if kind is p.Loop and above.iterable is node and module.program.language == "python":
            return "look"  # at the keys, where they are kept by one
        return "look" if kind in (p.If, p.Not, p.Compare, p.Evaluate) else "escape"

    def _fetched(self, value: Any, api: Api) -> _Use:
        """What becomes of an element that is asked for: only whether there is one may be asked."""
        module = self.module
        if self._is_tested(value, api):
            return "look"
        let = module.parent(value)
        if type(let) is not p.Let or let.value is not value or type(let.target) is not p.Name:
            return "escape"
        bound = module.lookup(let.target.id, let.target)
        uses = [it for it in self.names.names().get(let.target.id, ())
                if it is not let.target and module.lookup(it.id, it) is bound]
        return "look" if all(self._is_tested(it, api) for it in uses) else "escape"

    def _is_tested(self, value: Any, api: Api) -> bool:
        above = self.module.parent(value)
        return type(above) in (p.If, p.Not, p.Compare, p.Logical) and self.homes.meanings.of(value, api)[0] == "read"
