"""What becomes of a handle after it was acquired: the variable or attribute that holds it, and every use of that."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from msgspec import Struct, field

from connlint.checks import gathered
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.meanings import Meaning, Meanings, names_of
from connlint.checks.origins import class_of, origins
from connlint.checks.repeats import unread
from connlint.model import program as p
from connlint.project.module import Module, Scope
from connlint.project.project import Project
from connlint.project.uses import references


class Use(Struct, frozen=True):
    """One use of a handle's variable. ``where`` is the node at which the meaning takes effect."""

    node: Any
    meaning: Meaning
    where: Any
    function: p.Function | None


class Home(Struct):
    """What holds a handle after it was acquired.

    ``kind``: "nothing" (thrown away), "local" (a variable of the acquiring function), "outer" (a variable of a function
    around it), "module" (a variable of the file), "attribute" (``this.x``, ``ref.current``), "away" (handed on at
    once). ``stores`` are the statements and assignments that write it, ``value`` the expression that yields the handle,
    ``gain`` the part of it that acquires.
    """

    kind: Literal["nothing", "local", "outer", "module", "attribute", "away"]
    name: str
    value: p.Expression
    scope: Scope | None = None
    target: Any = None
    stores: list[Any] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    gain: Any = None
    owner: p.Class | None = None
    """The class whose objects have the attribute."""
    gathered: bool = False
    """Whether the variable or attribute is a collection that holds the handle among others."""


class Homes:
    """Answers about the handles of one module."""

    def __init__(self, module: Module, project: Project, table: Lifecycles) -> None:
        self.module = module
        self.table = table
        self.origins = origins(module, project)
        self.meanings = Meanings(module, table, self.origins)
        self.names = names_of(module)
        self._values: Counter[int] | None = None

    # -- where it goes --------------------------------------------------------------------------------------------

    def home(self, call: p.Call, api: Api) -> Home:
        """What becomes of the value of ``call``."""
        found = self._home(call, api)
        above = self.module.parent(call)
        found.gain = above if type(above) is p.Await else call
        return found

    def _home(self, call: p.Call, api: Api) -> Home:
        module = self.module
        value: p.Expression = call
        while True:
            above = module.parent(value)
            kind = type(above)
            if kind is p.Await or kind is p.Spread:
                if kind is p.Await and api.awaiting:
                    return Home("away", "", value)
                value = above
            elif kind is p.Conditional and value is not above.test:
                value = above
            elif kind is p.Logical:
                if value is above.left and above.op == "and":
                    return Home("away", "", value)
                value = above
            elif kind is p.Opaque and above.why == "void":
                value = above
            elif (number := gathered.as_number(module, value, self.table)) is not None:
                value = number
            elif kind is p.Assign and above.value is value and type(module.parent(above)) is not p.Evaluate:
                # x = y = setInterval(), (id = setInterval()), return this.id = setInterval()
                if type(module.parent(above)) in (p.Return, p.Argument, p.Let, p.Entry, p.Sequence):
                    return Home("away", "", value)
                break
            else:
                break
        if kind is p.Evaluate:
            return Home("nothing", "", value)
        if kind is p.Let or kind is p.Assign:
            if kind is p.Let and (above.how in ("using", "await using") or self._shared(value)):
                return Home("away", "", value)
            if above.value is not value or value is above.target:
                return Home("away", "", value)
            if kind is p.Let and above.how == "field" and type(above.target) is p.Name:
                return self._field(value, above, api)
            return self._assigned(call, value, above.target, api)
        if kind is p.Sequence and (one := self._beside(value, above)) is not None:
            return self._assigned(call, value, one, api)
        if kind is p.Member and above.of is value:
            return self._chained(call, value, above, api)
        if kind is p.Index and above.of is value and api.pick is not None:
            # ``mkstemp()[1]``: the other part alone is taken
            other = type(above.key) is p.Number and above.key.value != api.pick
            return Home("nothing" if other else "away", "", value)
        if kind is p.WithItem:
            return Home("away", "", value) if api.managed else self._managed(call, value, above, api)
        if kind is p.Argument and api.chained and api.writes(call):
            user = module.parent(above)
            if type(user) is p.Call and (user, self.origins) in self.table.reads:
                return Home("nothing", "", value)
        if kind is p.Loop and api.iterated and not _is_left(above):
            return Home("nothing", "", value)
        if kind is p.Argument and api.gathered and (kept := gathered.collection(module, above, self.table)) is not None:
            return self._collected(call, value, kept, api)
        if kind is p.Return and api.gathered and (kept := gathered.listed(module, above)) is not None:
            return self._collected(call, value, kept, api)
        if kind is p.Return and api.awaiting and self._is_dropped(above):
            return Home("nothing", "", value)
        if kind is p.Return and _is_arrow_body(module, above):
            # ``() => setInterval(…)`` returns the handle, whoever wants it
            return Home("away", "", value)
        return Home("away", "", value)

    def _beside(self, value: p.Expression, items: p.Sequence) -> p.Name | None:
        """The variable that gets ``value`` where several are assigned at once: ``a, b = start(), other()``."""
        let = self.module.parent(items)
        if type(let) is not p.Let or let.value is not items or type(let.target) is not p.Sequence:
            return None
        targets = let.target.items
        plain = all(type(it) is not p.Spread for it in (*targets, *items.items))
        place = next((number for number, it in enumerate(items.items) if it is value), 0)
        one = targets[place] if plain and len(targets) == len(items.items) else None
        return one if type(one) is p.Name else None

    def _is_dropped(self, statement: p.Return) -> bool:
        """Whether the function around ``return`` stands in a call that throws away what it returns:
        ``loop.call_soon(lambda: create_task(work()))``."""
        given = self.module.parent(self.module.parent(statement))
        runs = self.module.parent(given) if type(given) is p.Argument else None
        return type(runs) is p.Call and (runs, self.origins) in self.table.dropping

    def _collected(self, call: p.Call, value: p.Expression, kept: Any, api: Api) -> Home:
        """A collection that holds the handle among others."""
        if type(kept) is p.Name:
            home = self._variable(call, value, kept)
            if home.kind != "local":
                return Home("away", "", value)
            home.gathered = True
            return home
        home = Home("attribute", self.names.text(kept), value, target=kept, owner=class_of(self.module, kept),
                    gathered=True)
        self._attribute(home, kept, api)
        return home

    def passed_on(self, call: p.Call, home: Home, api: Api) -> Home | None:
        """The collection of an object into which a variable's handle is put, where that is all that becomes of it:
        ``const t = setInterval(…); this.timers.set(id, t)``."""
        module = self.module
        after = [use.node for use in home.uses if use.meaning != "read"] or [
            number for use in home.uses if (number := gathered.as_number(module, use.node, self.table)) is not None]
        if not api.gathered or home.kind != "local" or home.gathered or len(after) != 1:
            return None
        above = module.parent(after[0])
        kept = gathered.collection(self.module, above, self.table) if type(above) is p.Argument else None
        if type(kept) is not p.Member or class_of(self.module, kept) is None:
            return None
        return self._collected(call, home.value, kept, api)

    def _shared(self, value: p.Expression) -> bool:
        """Whether ``a = b = value`` gives it two names."""
        if self._values is None:
            self._values = Counter(id(let.value) for let in self.module.nodes(p.Let) if let.value is not None)
        return self._values[id(value)] > 1

    def _managed(self, call: p.Call, value: p.Expression, item: p.WithItem, api: Api) -> Home:
        if item.target is None:
            return Home("away", "", value)
        return self._assigned(call, value, item.target, api)

    def _chained(self, call: p.Call, value: p.Expression, member: p.Member, api: Api) -> Home:
        """``open(p).read()``: the handle is used once and gone, unless this very call gives it back or keeps it."""
        above = self.module.parent(member)
        if type(above) is p.Call and above.callee is member:
            name = member.name
            if name in api.ends or name in api.keeps or name in ("then", "catch", "finally"):
                return Home("away", "", value)
            if name in api.starts:
                if type(self.module.parent(above)) is p.Evaluate:
                    return Home("nothing", "", value)
                return Home("away", "", value)
            if api.chained and api.writes(call):
                return Home("nothing", "", value)
        return Home("away", "", value)

    def _assigned(self, call: p.Call, value: p.Expression, target: Any, api: Api) -> Home:
        if api.pick is not None:
            if type(target) is not p.Sequence or len(target.items) <= api.pick:
                return Home("away", "", value)
            target = target.items[api.pick]
        kind = type(target)
        if kind is p.Name:
            unnamed = target.id == "_" and self.module.program.language == "python"
            if unnamed and not references(self.module, target.id, target):
                return Home("nothing", "", value)
            return self._variable(call, value, target)
        if kind is p.Member:
            home = Home("attribute", self.names.text(target), value, target=target,
                        owner=class_of(self.module, target))
            self._attribute(home, target, api)
            return home
        if kind is p.Index and api.gathered and type(target.of) is p.Member:
            of = target.of.of
            if type(of) is p.Name and of.id in ("this", "self"):
                return self._collected(call, value, target.of, api)  # ``self.tasks[key] = create_task(…)``
        return Home("away", "", value)

    def _field(self, value: p.Expression, field: p.Let, api: Api) -> Home:
        """``class A { timer = setInterval(…) }``: the same as ``this.timer = …`` in the constructor."""
        owner = self.module.parent(field)
        if type(owner) is not p.Class or api.pick is not None:
            return Home("away", "", value)
        name: p.Name = field.target  # type: ignore[assignment]
        target = p.Member(p.Name("this", name.at), name.id, name.at, name.at)
        home = Home("attribute", f"this.{name.id}", value, target=target, stores=[field], owner=owner)
        self._attribute(home, target, api)
        return home

    def _variable(self, call: p.Call, value: p.Expression, target: p.Name) -> Home:
        module = self.module
        found = module.lookup(target.id, target)
        if not found:
            return Home("away", "", value)
        if any(d.kind in ("import", "function", "class", "unread") for d in found):
            return Home("away", "", value)
        scope = self._binding_scope(target)
        acquiring = module.function(call)
        owner = scope.function().node if scope is not None else None
        if scope is None or scope.kind == "class" or scope.function().kind in ("module", "class"):
            kind: Any = "module"
        else:
            kind = "local" if owner is acquiring else "outer"
        home = Home(kind, target.id, value, scope=scope, target=target)
        return home

    def _binding_scope(self, name: p.Name) -> Scope | None:
        wanted = self.module.lookup(name.id, name)
        scope: Scope | None = self.module.scope_of(name)
        while scope is not None:
            if scope.names.get(name.id) is wanted:
                return scope
            scope = scope.parent
        return None

    def kept_by_owner(self, call: p.Call, home: Home, api: Api) -> bool:
        """Whether what the handle was asked of ends soon, and takes it along.

        A cursor ends with its connection, wherever that is closed, and so does what an object keeps as long as itself.
        Any other that a pool lends is missed for as long as the pool lives: only a pool that this very function closes,
        or a `with` around it, excuses that. What is a part of a connection that this function opened shares its lot,
        which is judged by itself.
        """
        of = call.callee.of if type(call.callee) is p.Member else None
        if not api.owner or of is None:
            return False
        function = self.module.function(call)
        if api.within and self._is_opened_by(function, of):
            return True
        anywhere = api.unreleased == "never" or home.kind == "attribute"
        if type(of) is not p.Name:
            if api.unreleased == "never" and not api.outlived:
                return True  # its owner lives on, and closes what it lent
            anywhere = anywhere and not api.outlived
            owner = self.names.text(of)
            closing = (m for m in self.module.nodes(p.Member) if m.name in api.owner and self._called(m))
            return any(self.names.text(m.of) == owner and (anywhere or self.module.function(m) is function)
                       for m in closing)
        wanted = self.module.lookup(of.id, of)
        for name in self.names.names().get(of.id, ()):
            if self.module.lookup(name.id, name) is wanted and self._closed(name, api):
                if anywhere or self.module.function(name) is function:
                    return True
        return False

    def _is_opened_by(self, function: p.Function | None, owner: Any) -> bool:
        """Whether ``function`` puts what it made itself into the variable or attribute ``owner``."""
        if function is None:
            return False
        text = self.names.text(owner)
        stores: list[Any] = [*self.module.nodes_of(function, p.Let), *self.module.nodes_of(function, p.Assign)]
        return any(type(it.value) in (p.Call, p.Await) and self.names.text(it.target) == text for it in stores)

    def _closed(self, name: p.Name, api: Api) -> bool:
        """Whether this use of a variable closes what it holds, or lets a `with` close it."""
        above = self.module.parent(name)
        if type(above) is p.WithItem or (type(above) is p.Member and above.name in api.owner):
            return True
        return type(self._stored_by(name)) is p.WithItem

    def _called(self, member: p.Member) -> bool:
        above = self.module.parent(member)
        return type(above) is p.Call and above.callee is member

    # -- uses -----------------------------------------------------------------------------------------------------

    def find_uses(self, home: Home, api: Api) -> None:
        """Fill ``home.stores`` and ``home.uses`` of a variable; attributes have theirs from the start."""
        if home.kind == "attribute":
            return
        wanted = self.module.lookup(home.target.id, home.target)
        for name in self.names.names().get(home.name, ()):
            if self.module.lookup(name.id, name) is not wanted:
                continue
            self._record(home, name, api)
        if home.kind == "module":
            self._unread(home, home.name)

    def _unread(self, home: Home, name: str) -> None:
        """What was not read may give back whatever it names."""
        home.uses += [Use(it, "escape", it, None) for it in unread(self.module, name)]

    def _attribute(self, home: Home, target: p.Member, api: Api) -> None:
        module = self.module
        owner = home.owner
        ours = type(target.of) is p.Name and target.of.id in ("this", "self")
        for node in self.names.members().get(target.name, ()):
            if type(node) is p.Text:
                theirs = class_of(module, node)
                if ours and theirs is not owner and not self._related(owner, theirs):
                    continue
                above = module.parent(node)
                if type(above) is p.Entry and above.key is node and not _in_pattern(module, above):
                    continue  # an object literal's own key
                if type(above) in (p.Entry, p.Index, p.Argument) or (
                        type(above) is p.Sequence and ours and self._picks(theirs)):
                    home.uses.append(Use(node, "escape", node, module.function(node)))
                continue
            if ours and type(node.of) is p.Name and node.of.id in ("this", "self"):
                theirs = class_of(module, node)
                if theirs is not owner and not self._related(owner, theirs):
                    continue
            elif not ours and type(target.of) is p.Name and type(node.of) is p.Name:
                if module.lookup(node.of.id, node.of) is not module.lookup(target.of.id, target.of):
                    continue
            self._record(home, node, api)
        if not ours and type(target.of) is p.Name:
            self._holder(home, target.of)
        self._unread(home, target.name)

    def _picks(self, owner: p.Class | None) -> bool:
        """Whether a class takes attributes of its own by names that it puts together: ``this[name]``."""
        for index in self.module.nodes(p.Index):
            if type(index.of) is p.Name and index.of.id == "this" and class_of(self.module, index) is owner:
                return True
        return any(
            type(call.callee) is p.Name and call.callee.id == "getattr" and bool(call.args)
            and type(call.args[0].value) is p.Name and call.args[0].value.id == "self"
            and class_of(self.module, call) is owner for call in self.module.nodes(p.Call))

    def _holder(self, home: Home, holder: p.Name) -> None:
        """Whoever gets the object gets the handle with it: ``useCleanup(timer)`` where ``timer.current`` holds it."""
        wanted = self.module.lookup(holder.id, holder)
        for name in self.names.names().get(holder.id, ()):
            above = self.module.parent(name)
            if type(above) is p.Member or self.module.lookup(name.id, name) is not wanted:
                continue
            if self._stored_by(name) is None:
                home.uses.append(Use(name, "escape", name, self.module.function(name)))

    def _related(self, one: p.Class | None, other: p.Class | None) -> bool:
        if one is None or other is None:
            return True
        bases = {last_word(b.value) for b in one.bases} | {last_word(b.value) for b in other.bases}
        return one.name in bases or other.name in bases

    def _record(self, home: Home, node: Any, api: Api) -> None:
        store = self._stored_by(node)
        if store is not None:
            home.stores.append(store)
            return
        if home.gathered:
            meaning, where = gathered.meaning(self.meanings, node, api)
        else:
            meaning, where = self.meanings.of(node, api)
        home.uses.append(Use(node, meaning, where, self.module.function(node)))

    def _stored_by(self, node: Any) -> Any:
        """The statement or assignment of which ``node`` is a target, if it is one."""
        below, above = node, self.module.parent(node)
        while type(above) in (p.Sequence, p.Record, p.Spread, p.Default, p.Entry):
            if type(above) is p.Entry and below is not above.value:
                return None
            below, above = above, self.module.parent(above)
        if type(above) in (p.Let, p.Assign, p.Loop, p.WithItem, p.Handler, p.Case, p.Param):
            return above if above.target is below else None
        return None


def _is_left(loop: p.Loop) -> bool:
    """Whether something in a loop's body leaves it, or may do so."""
    waiting: list[Any] = list(loop.body)
    while waiting:
        here = waiting.pop()
        if type(here) in (p.Break, p.Return, p.Raise):
            return True
        if type(here) is not p.Function:
            waiting.extend(p.children(here))
    return False


def _is_arrow_body(module: Module, statement: Any) -> bool:
    function = module.parent(statement)
    return type(function) is p.Function and function.arrow and len(function.body) == 1


def _in_pattern(module: Module, entry: Any) -> bool:
    record = module.parent(entry)
    below, above = record, module.parent(record)
    while type(above) in (p.Sequence, p.Record, p.Default, p.Entry, p.Spread):
        below, above = above, module.parent(above)
    return type(above) in (p.Let, p.Assign, p.Param, p.Loop) and above.target is below
