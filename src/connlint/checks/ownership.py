"""Who owns a handle: where it is kept, and what every use of it means.

A use reads the handle, gives it back, or hands it to somebody else (returned, stored, passed to a call that may keep
it, captured by a function that outlives this one). What is handed on is somebody else's to give back, and is silent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from connlint.checks.flows import Plan, targets
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.origins import class_of, origins
from connlint.checks.repeats import unread
from connlint.model import program as p
from connlint.project.module import Module, Scope
from connlint.project.project import Project

Meaning = Literal["read", "end", "escape"]


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a handle's variable. ``where`` is the node at which the meaning takes effect."""

    node: Any
    meaning: Meaning
    where: Any
    function: p.Function | None


@dataclass(slots=True)
class Home:
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


class Ownership:
    """Answers about the handles of one module."""

    def __init__(self, module: Module, project: Project, table: Lifecycles) -> None:
        self.module = module
        self.project = project
        self.table = table
        self.origins = origins(module, project)
        self._names: dict[str, list[p.Name]] | None = None
        self._members: dict[str, list[Any]] | None = None
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
            return self._assigned(call, value, above.target, api)
        if kind is p.Member and above.of is value:
            return self._chained(call, value, above, api)
        if kind is p.WithItem:
            return Home("away", "", value) if api.managed else self._managed(call, value, above, api)
        if kind is p.Argument and api.chained and api.writes(call):
            user = module.parent(above)
            if type(user) is p.Call and (user, self.origins) in self.table.reads:
                return Home("nothing", "", value)
        if kind is p.Return and _is_arrow_body(module, above):
            # ``() => setInterval(…)`` returns the handle, whoever wants it
            return Home("away", "", value)
        return Home("away", "", value)

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
            if target.id == "_" and self.module.program.language == "python":
                return Home("nothing", "", value)
            return self._variable(call, value, target)
        if kind is p.Member:
            home = Home("attribute", self.text(target), value, target=target)
            self._attribute(home, target, api)
            return home
        return Home("away", "", value)

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

    def kept_by_owner(self, call: p.Call, api: Api) -> bool:
        """Whether what the handle was asked of is itself closed in this function: a cursor ends with its connection."""
        of = call.callee.of if type(call.callee) is p.Member else None
        if not api.owner or of is None:
            return False
        if type(of) is not p.Name:
            # its owner lives on, and closes what it lent
            owner = self.text(of)
            closing = (m for m in self.module.nodes(p.Member) if m.name in api.owner)
            return api.unreleased == "never" or any(self.text(m.of) == owner for m in closing)
        wanted = self.module.lookup(of.id, of)
        for name in self.names().get(of.id, ()):
            if self.module.lookup(name.id, name) is wanted:
                above = self.module.parent(name)
                if type(above) is p.WithItem or (type(above) is p.Member and above.name in api.owner):
                    return True
                if type(self._stored_by(name)) is p.WithItem:
                    return True
        return False

    def text(self, it: Any) -> str:
        """The source of an expression on one line."""
        return " ".join(self.module.source.slice(it.at).split())

    # -- uses -----------------------------------------------------------------------------------------------------

    def find_uses(self, home: Home, api: Api) -> None:
        """Fill ``home.stores`` and ``home.uses`` of a variable; attributes have theirs from the start."""
        if home.kind == "attribute":
            return
        wanted = self.module.lookup(home.target.id, home.target)
        for name in self.names().get(home.name, ()):
            if self.module.lookup(name.id, name) is not wanted:
                continue
            self._record(home, name, api)
        if home.kind == "module":
            self._unread(home, home.name)

    def _unread(self, home: Home, name: str) -> None:
        """What was not read may give back whatever it names."""
        home.uses += [Use(it, "escape", it, None) for it in unread(self.module, name)]

    def names(self) -> dict[str, list[p.Name]]:
        """Every `Name` of the file by its text."""
        if self._names is None:
            self._names = {}
            for name in self.module.nodes(p.Name):
                self._names.setdefault(name.id, []).append(name)
        return self._names

    def members(self) -> dict[str, list[Any]]:
        """Every node that may mean an attribute of that name: members, text keys, patterns, texts given to getattr."""
        if self._members is None:
            self._members = {}
            for member in self.module.nodes(p.Member):
                self._members.setdefault(member.name, []).append(member)
            for text in self.module.nodes(p.Text):
                if text.value.isidentifier():
                    self._members.setdefault(text.value, []).append(text)
        return self._members

    def _attribute(self, home: Home, target: p.Member, api: Api) -> None:
        module = self.module
        owner = class_of(module, target)
        ours = type(target.of) is p.Name and target.of.id in ("this", "self")
        for node in self.members().get(target.name, ()):
            if type(node) is p.Text:
                theirs = class_of(module, node)
                if ours and theirs is not owner and not self._related(owner, theirs):
                    continue
                above = module.parent(node)
                if type(above) is p.Entry and above.key is node and not _in_pattern(module, above):
                    continue  # an object literal's own key
                if type(above) in (p.Entry, p.Index, p.Argument):
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

    def _holder(self, home: Home, holder: p.Name) -> None:
        """Whoever gets the object gets the handle with it: ``useCleanup(timer)`` where ``timer.current`` holds it."""
        wanted = self.module.lookup(holder.id, holder)
        for name in self.names().get(holder.id, ()):
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
        meaning, where = self.meaning(node, api)
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

    def meaning(self, node: Any, api: Api) -> tuple[Meaning, Any]:
        """What it means that ``node``, which yields the handle, stands where it stands."""
        module = self.module
        below = node
        while True:
            above = module.parent(below)
            kind = type(above)
            if kind is p.Argument:
                return self._given(below, above, api)
            if kind is p.Member:
                return self._member(above, api)
            if kind is p.Index:
                call = module.parent(above)
                if below is above.key:
                    # ``running[task] = …`` keeps it in a table
                    kept = type(call) in (p.Assign, p.Let) and call.target is above
                    return ("escape", call) if kept else ("read", above)
                disposes = type(above.key) is p.Member and above.key.name in ("dispose", "asyncDispose")
                return ("end", call) if disposes and type(call) is p.Call else ("read", above)
            if kind is p.Await:
                if api.awaiting:
                    return "end", above
            elif kind is p.Conditional:
                if below is above.test:
                    return "read", above
            elif kind is p.Logical:
                if below is above.left and (above.op == "and" or self._is_tested(above)):
                    return "read", above
                if self._is_tested(above):
                    return "read", above
            elif kind is p.Call:
                return ("end" if api.calling else "read"), above
            elif kind in (p.Not, p.Compare, p.Concat, p.Evaluate, p.If, p.Loop, p.Switch, p.Case, p.Delete):
                if kind is p.Loop and api.awaiting and below is above.iterable:
                    return "escape", above
                return "read", above
            elif kind is p.WithItem:
                return ("end" if api.managed else "read"), above
            elif kind in (p.Let, p.Assign):
                if kind is p.Let and above.how in ("using", "await using"):
                    return "end", above
                return "escape", above
            elif kind is p.Return:
                return "escape", above
            elif kind is p.Opaque and above.why in ("typeof", "void", "delete"):
                return "read", above
            elif kind not in (p.Sequence, p.Record, p.Entry, p.Spread, p.Default):
                return "escape", above
            below = above

    def _is_tested(self, expression: Any) -> bool:
        """Whether only the truth of ``expression`` matters."""
        above = self.module.parent(expression)
        while type(above) in (p.Logical, p.Not):
            expression, above = above, self.module.parent(above)
        return type(above) in (p.If, p.Loop, p.Conditional) and above.test is expression

    def _given(self, value: Any, argument: p.Argument, api: Api) -> tuple[Meaning, Any]:
        call = self.module.parent(argument)
        if type(call) is not p.Call:
            return "escape", call
        word = last_word(call.callee)
        if word in api.release:
            return "end", call
        if not argument.spread and (call, self.origins) in self.table.reads:
            return "read", call
        return "escape", call

    def _member(self, member: p.Member, api: Api) -> tuple[Meaning, Any]:
        above = self.module.parent(member)
        if type(above) is p.Call and above.callee is member:
            if member.name in api.ends or member.name in api.keeps:
                return "end", above
            if member.name in ("call", "apply") and api.calling:
                return "end", above
            if member.name in self.table.lends and (user := self._lent(above)) is not None:
                return "escape", user
            return "read", above
        if type(above) is p.Assign and above.target is member:
            return "read", above
        if member.name in api.ends or member.name in api.keeps:
            # ``task.cancel`` itself is handed to somebody
            return "escape", self.module.parent(above) if type(above) is p.Argument else above
        if type(above) is p.Member:
            # ``channel.close.bind(channel)``, ``response.body.close()``
            call = self.module.parent(above)
            if type(call) is p.Call and (above.name in api.ends or above.name == "bind"):
                return "escape", call
        return "read", above

    def _lent(self, call: p.Call) -> Any:
        """Who gets what a handle lends (``return connection.cursor()``); None where it stays in the function."""
        module = self.module
        below, above = call, module.parent(call)
        while type(above) in (p.Await, p.Sequence, p.Entry, p.Record, p.Member, p.Call) or (
                type(above) is p.Argument and type(module.parent(above)) is p.Call):
            if type(above) is p.Argument:
                return module.parent(above)
            if type(above) is p.Call and above.callee is not below:
                return above
            below, above = above, module.parent(above)
        if type(above) in (p.Return, p.Yield):
            return above
        if type(above) in (p.Let, p.Assign) and type(above.target) is p.Member:
            return above
        if type(above) is p.Let and type(above.target) is p.Name and below is call:
            wanted = module.lookup(above.target.id, above.target)
            for name in self.names().get(above.target.id, ()):
                if type(module.parent(name)) in (p.Return, p.Yield) and module.lookup(name.id, name) is wanted:
                    return module.parent(name)
        return None

    # -- the plan of one function ----------------------------------------------------------------------------------

    def plan(self, home: Home, api: Api, function: p.Function) -> Plan | None:
        """How ``function`` treats the handle that it acquires; None where somebody else may give it back."""
        plan = Plan(id(home.gain or home.value))
        for store in home.stores:
            if self.module.function(store) is function and not self._holds(store, home.value):
                plan.drops.add(id(store))
        for use in home.uses:
            if use.meaning == "read":
                self._tested(use.node, api, plan)
                continue
            if use.function is function:
                self._mean(use.meaning, use.where, plan)
            elif not self._within(use.function, function):
                return None
            else:
                inner = self._directly_inside(use.function, function)
                if not self._carry(inner, function, use.where, plan, api, set()):
                    return None
        return plan

    def _holds(self, store: Any, value: p.Expression) -> bool:
        held = getattr(store, "value", None)
        if held is value:
            return True
        return value is not None and any(above is store for above in self.module.parents(value))

    def _mean(self, meaning: Meaning, where: Any, plan: Plan) -> None:
        (plan.ends if meaning == "end" else plan.escapes).add(id(where))

    def _tested(self, node: Any, api: Api, plan: Plan) -> None:
        plan.held.add(id(node))
        above = self.module.parent(node)
        if type(above) is p.Opaque and above.why == "typeof":
            plan.held.add(id(above))
        if type(above) is p.Argument:
            call = self.module.parent(above)
            if type(call) is p.Call and (call, self.origins) in self.table.shows:
                plan.held.add(id(call))
        if type(above) is p.Member and (above.name in api.done or above.name in self.table.ended):
            call = self.module.parent(above)
            plan.done.add(id(call) if type(call) is p.Call else id(above))
        if type(above) is p.Member and above.name in api.starts:
            plan.starts.add(id(self.module.parent(above)))

    def _within(self, inner: p.Function | None, outer: p.Function) -> bool:
        return inner is not None and any(above is outer for above in self.module.parents(inner))

    def _directly_inside(self, inner: p.Function | None, outer: p.Function) -> p.Function:
        """The function directly inside ``outer`` that is ``inner`` or holds it."""
        found = inner
        for above in self.module.parents(inner):
            if above is outer:
                break
            if type(above) is p.Function and above.kind != "inline":
                found = above
        assert found is not None
        return found

    def _carry(self, closure: p.Function, function: p.Function, where: Any, plan: Plan, api: Api,
               seen: set[int]) -> bool:
        """A function inside ``function`` gives the handle back: when does it run? False where that cannot be seen."""
        if id(closure) in seen:
            return True
        seen.add(id(closure))
        if self.module.function(where) is closure:
            # Inlined where the closure runs: then these count as steps of the function itself.
            plan.ends.add(id(where))
            plan.escapes.add(id(where))
        else:
            return False
        module = self.module
        above = module.parent(closure)
        kind = type(above)
        if kind is p.Call and above.callee is closure:
            plan.runs[id(above)] = closure
            return True
        if kind is p.Return and module.function(above) is function:
            plan.escapes.add(id(above))
            return True
        if kind is p.Argument:
            return self._passed(closure, above, plan)
        if kind is p.Define or (kind is p.Let and type(above.target) is p.Name):
            if closure.decorators:
                return False
            name = above.name if kind is p.Define else above.target.id
            return self._named(name, above, closure, function, plan)
        return False

    def _passed(self, closure: Any, argument: p.Argument, plan: Plan) -> bool:
        """A function given to a promise method runs when the promise settles, an executor at once."""
        call = self.module.parent(argument)
        if type(call) is not p.Call:
            return False
        if type(call.callee) is p.Member and call.callee.name in ("then", "catch", "finally"):
            place = next(i for i, a in enumerate(call.args) if a is argument)
            function = closure if type(closure) is p.Function else None
            if function is None:
                return False
            self._chain(call, place, function, plan)
            return True
        if call.new and type(call.callee) is p.Name and call.callee.id == "Promise":
            plan.runs[id(call)] = closure
            return True
        return False

    def _chain(self, call: p.Call, place: int, function: p.Function, plan: Plan) -> None:
        plan.chains.setdefault(id(call), {})[place] = function
        above: Any = self.module.parent(call)
        while type(above) is p.Member and above.name in ("then", "catch", "finally"):
            call = self.module.parent(above)
            if type(call) is not p.Call or call.callee is not above:
                break
            plan.chains.setdefault(id(call), {})
            above = self.module.parent(call)

    def _is_coroutine(self, function: p.Function) -> bool:
        """Whether calling a function only makes something that has still to be run."""
        return function.is_async and self.module.program.language == "python"

    def _named(self, name: str, definition: Any, closure: p.Function, function: p.Function, plan: Plan) -> bool:
        """A named inner function: it runs where it is called, and is handed on where its name is used otherwise."""
        module = self.module
        at = definition if type(definition) is p.Define else definition.target
        wanted = module.lookup(name, at)
        if len(wanted) != 1:
            return False
        for use in self.names().get(name, ()):
            if module.lookup(name, use) is not wanted or use is getattr(definition, "target", None):
                continue
            user = module.function(use)
            if user is not function:
                if user is closure or self._within(user, closure):
                    continue
                return False
            above = module.parent(use)
            if type(above) is p.Call and above.callee is use:
                if self._is_coroutine(closure) and type(module.parent(above)) is not p.Await:
                    return False  # somebody else runs it
                plan.runs[id(above)] = closure
            elif type(above) is p.Return:
                plan.escapes.add(id(above))
            elif type(above) is p.Argument:
                call = module.parent(above)
                promised = (type(call) is p.Call and type(call.callee) is p.Member
                            and call.callee.name in ("then", "catch", "finally"))
                if not promised:
                    return False
                self._chain(call, next(i for i, a in enumerate(call.args) if a is above), closure, plan)
            else:
                return False
        return True


def _is_arrow_body(module: Module, statement: Any) -> bool:
    function = module.parent(statement)
    return type(function) is p.Function and function.arrow and len(function.body) == 1


def _in_pattern(module: Module, entry: Any) -> bool:
    record = module.parent(entry)
    below, above = record, module.parent(record)
    while type(above) in (p.Sequence, p.Record, p.Default, p.Entry, p.Spread):
        below, above = above, module.parent(above)
    return type(above) in (p.Let, p.Assign, p.Param, p.Loop) and above.target is below


__all__ = ["Home", "Ownership", "Use", "targets"]
