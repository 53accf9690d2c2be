"""What a use of a handle means: it looks at it, gives it back, or hands it to somebody else."""

from __future__ import annotations

from typing import Any, Literal

from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.origins import Origins
from connlint.checks.takers import Takers
from connlint.model import program as p
from connlint.project.module import Module

Meaning = Literal["read", "end", "escape"]


class Names:
    """Every name and every attribute of a file by its text."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._names: dict[str, list[p.Name]] | None = None
        self._members: dict[str, list[Any]] | None = None

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

    def text(self, it: Any) -> str:
        """The source of an expression on one line."""
        return " ".join(self.module.source.slice(it.at).split())


def names_of(module: Module) -> Names:
    """The names of ``module``, listed once."""
    found: Names | None = module.memo.get(Names)
    if found is None:
        found = module.memo[Names] = Names(module)
    return found


class Meanings:
    """Answers about the uses of one module."""

    def __init__(self, module: Module, table: Lifecycles, origins: Origins) -> None:
        self.module = module
        self.table = table
        self.origins = origins
        self.names = names_of(module)
        self.takers = Takers(self, origins.project)

    def elsewhere(self, module: Module) -> Meanings:
        """The same questions about another file."""
        if module is self.module:
            return self
        found: Meanings | None = module.memo.get(Meanings)
        if found is None:
            found = module.memo[Meanings] = Meanings(module, self.table, self.origins.elsewhere(module))
        return found

    def of(self, node: Any, api: Api) -> tuple[Meaning, Any]:
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
            elif kind is p.Entry and self._is_option(above, api):
                return "read", above
            elif kind is p.Opaque and above.why in ("typeof", "void", "delete"):
                return "read", above
            elif kind not in (p.Sequence, p.Record, p.Entry, p.Spread, p.Default):
                return "escape", above
            below = above

    def _is_option(self, entry: p.Entry, api: Api) -> bool:
        """Whether an entry hands the handle to a call as one of its options."""
        if type(entry.key) is not p.Text or entry.key.value not in api.options:
            return False
        given = self.module.parent(self.module.parent(entry))
        return type(given) is p.Argument and type(self.module.parent(given)) is p.Call

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
        if (argument.name is not None and argument.name in api.options) or self.table.takes_place(call, self.module):
            return "read", call
        if not argument.spread and (
                (call, self.origins) in self.table.reads or self.table.borrowing.named(call, self.origins)):
            if (call, self.origins) in self.table.wrapping and (user := self._lent(call)) is not None:
                return "escape", user
            return "read", call
        taken = self.takers.meaning(call, argument, api)
        if taken == "end" or (taken == "read" and not (
                self.table.closing.says(word or "") and self.takers.closes(call, self.table))):
            return taken, call
        lent = self._is_given_work(call) or (
            api.role == "connection" and self.takers.only_looks_later(call, argument, api))
        if lent and type(value) is p.Name and self._ends_behind(value, call, api):
            return "read", call
        return "escape", call

    def _is_given_work(self, call: p.Call) -> bool:
        """Whether ``call`` runs a function that its own function was given: ``withClient(work)`` calls ``work``."""
        callee, function = call.callee, self.module.function(call)
        if type(callee) is not p.Name or function is None:
            return False
        bound = self.module.lookup(callee.id, callee)
        return len(bound) == 1 and bound[0].kind == "param" and any(it is bound[0].node for it in function.params)

    def _ends_behind(self, handle: p.Name, call: p.Call, api: Api) -> bool:
        """Whether the function that hands a handle to ``call`` gives it back behind that: it still owns it."""
        module, function = self.module, self.module.function(call)
        wanted = module.lookup(handle.id, handle)
        for name in self.names.names().get(handle.id, ()):
            if name.at[0] < call.at[1] or module.function(name) is not function:
                continue
            above = module.parent(name)
            user = module.parent(above)
            ends = type(above) is p.Member and above.name in api.ends and type(user) is p.Call and user.callee is above
            gives = type(above) is p.Argument and type(user) is p.Call and last_word(user.callee) in api.release
            if (ends or gives) and module.lookup(name.id, name) is wanted:
                return True
        return False

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
        if self._is_tested(member) or (type(above) is p.Opaque and above.why == "typeof"):
            # ``if (timer.unref)``: whether the handle has it
            return "read", above
        if type(above) is p.Evaluate:
            return "read", above  # ``connection.close``, and not called
        if member.name in api.ends or member.name in api.keeps:
            # ``task.cancel`` itself is handed to somebody
            return "escape", self.module.parent(above) if type(above) is p.Argument else above
        if type(above) is p.Member:
            # ``channel.close.bind(channel)``, ``response.body.close()``, ``client.connection_pool.disconnect()``
            call = self.module.parent(above)
            if type(call) is p.Call and (
                    above.name in api.ends or above.name == "bind" or self.table.closing.says(above.name)):
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
            if type(above) is p.Member and above.name in self.table.copies:
                return None
            below, above = above, module.parent(above)
        if type(above) in (p.Return, p.Yield):
            return above
        if type(above) in (p.Let, p.Assign) and type(above.target) is p.Member:
            return above
        if type(above) is p.Let and type(above.target) is p.Name and below is call:
            wanted = module.lookup(above.target.id, above.target)
            for name in self.names.names().get(above.target.id, ()):
                if type(module.parent(name)) in (p.Return, p.Yield) and module.lookup(name.id, name) is wanted:
                    return module.parent(name)
        return None
