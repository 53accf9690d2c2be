"""What a call gives back: a read of the environment, a text that is handed through, what a function returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from connlint.model import program as p
from connlint.project.address import HOLE
from connlint.project.answer import Found
from connlint.project.calls import argument
from connlint.project.module import Definition, Module
from connlint.project.possible import UNKNOWN, Frame, Possible, Site, joined, merged
from connlint.project.readers import VARIABLE, Access

if TYPE_CHECKING:
    from connlint.project.values import Values


class Results:
    """Evaluates calls for ``values``. ``wrappers`` are the tables of calls and methods that keep a text's meaning."""

    def __init__(self, values: Values, wrappers: list[dict[str, Any]]) -> None:
        self.values = values
        self.wrappers = {language: _Wrappers([w for w in wrappers if w["language"] == language])
                         for language in ("python", "javascript")}

    def of(self, module: Module, e: p.Call, frame: Frame | None) -> list[Possible]:
        access = self.values.environment.access(module, e)
        if access is not None:
            return self.values.read(module, access, frame)
        wrapped = self.wrapped(module, e)
        if wrapped is not None:
            return self.values.possible(module, wrapped, frame)
        if choices := first_of(e):
            rows = self.values.possible(module, choices[0], frame)
            for choice in choices[1:]:
                rows = self.values.or_else("or", rows, module, e, choice, frame)
            return rows
        made = self.callee(module, e)
        if made is not None and type(made.node) is p.Function:
            return self._applied(module, e, made, frame)
        if made is not None:
            return [Possible(None)]
        named = self._named(module, e)
        if named is not None:
            return self.values.read(module, named, frame)
        given = merged(q.reads for a in e.args[:6] for q in self.values.possible(module, a.value, frame))
        return [Possible(HOLE, reads=given)] if given else [UNKNOWN]

    def wrapped(self, module: Module, e: p.Call) -> Any:
        """The argument or receiver whose text the call gives back more or less as it is; None where it does not."""
        wrappers = self.wrappers["python" if module.program.language == "python" else "javascript"]
        callee = e.callee
        if type(callee) is p.Member and callee.name in wrappers.methods:
            return callee.of
        name = module.qualified(callee) if type(callee) in (p.Name, p.Member) else None
        places = wrappers.calls.get(name) if name else None
        if places is None:
            return None
        return next((v for place in places if (v := argument(e, [place])) is not None), None)

    def callee(self, module: Module, e: p.Call) -> Site | None:
        """The function or class of this project that a call calls; None where it is another's or not known."""
        target = e.callee
        memo = module.memo.setdefault(Results.callee, {})
        key = id(e)
        if key not in memo:
            memo[key] = None
            memo[key] = self._callee(module, target)
        return memo[key]

    def _callee(self, module: Module, target: Any) -> Site | None:
        if type(target) is p.Function:
            return Site(module, target)
        if type(target) is p.Name:
            where, found = self.values.environment.definitions(module, target)
            if len(found) == 1 and found[0].kind in ("function", "class", "value") and not found[0].path:
                return self._callable(where, found[0].value)
            return None
        if type(target) is not p.Member:
            return None
        for site in self.values.things.of(module, target.of)[:2]:
            found_method = self.values.things.method(site, target.name)
            if found_method is not None:
                return found_method
        if type(target.of) is p.Name:
            definition = module.only(target.of.id, target.of)
            if definition is not None and definition.kind == "import" and definition.statement is not None:
                return self._callable_of_module(module, definition, target.name)
        return None

    def _callable(self, module: Module, value: Any) -> Site | None:
        if type(value) in (p.Function, p.Class):
            return Site(module, value)
        if type(value) is p.Call and len(value.args) == 1:
            # a function that is decorated by hand: cache(function), memoize(() => …)
            inner = value.args[0].value
            if type(inner) is p.Function and not inner.params:
                return Site(module, inner)
        return None

    def _callable_of_module(self, module: Module, definition: Definition, name: str) -> Site | None:

        statement = definition.statement
        assert statement is not None
        specifier = statement.module
        if definition.node.name != "*":
            if module.program.language != "python":
                return None
            specifier += ("" if specifier.endswith(".") else ".") + definition.node.name
        if not self.values.environment.matters(module, specifier):
            return None
        answer = self.values.project.resolve(module, specifier)
        target = self.values.project.module(answer.path) if isinstance(answer, Found) else None
        exported = self.values.project.exported(target, name) if target is not None else None
        if exported and len(exported[1]) == 1:
            return self._callable(exported[0], exported[1][0].value)
        return None

    def _named(self, module: Module, e: p.Call) -> Access | None:
        """A call that cannot be followed, but whose name says that it reads a variable."""
        callee = e.callee
        last = callee.name if type(callee) is p.Member else callee.id if type(callee) is p.Name else ""
        entry = self.values.environment.readers(module).named.get(last.lower().replace("_", ""))
        if entry is None:
            return None

        name = argument(e, entry["name"])
        if type(name) is not p.Text or not VARIABLE.match(name.value):
            return None
        return Access(e, (name,), argument(e, entry["default"]), entry["absent"], form="named")

    def returns(self, module: Module, function: p.Function) -> list[p.Return]:
        """The function's own ``return`` statements."""
        key = (Results.returns, id(function))
        found = module.memo.get(key)
        if found is None:
            found = module.memo[key] = list(_own_returns(function.body))
        return found

    def part_of_call(self, module: Module, value: Any, part: str | int, frame: Frame | None) -> list[Possible] | None:
        """One part of the tuple or object that a call returns; None where some ``return`` does not spell it out."""
        while type(value) is p.Await:
            value = value.value
        made = self.callee(module, value) if type(value) is p.Call else None
        if made is None or type(made.node) is not p.Function:
            return None
        own = self.returns(made.module, made.node)
        if not own or any(_part(statement.value, part) is None for statement in own):
            return None
        return self._applied(module, value, made, frame, part)

    def _applied(self, module: Module, call: p.Call, made: Site, frame: Frame | None,
                 part: str | int | None = None) -> list[Possible]:
        function = made.node
        if (place := self.values.active.get(id(function))) is not None:
            self.values.cut(place)
            return [UNKNOWN]
        bound = self._bind(module, call, made, frame)
        own = self.values.bound
        rows = self.returned(made.module, function, Frame(function, bound), part)
        self.values.bound = own  # what the callee took from its frame is seen to in what was bound
        if not bound:
            return rows
        here = Site(module, call)
        given = {id(r) for values in bound.values() for q in values for r in q.absent}
        given |= {id(q.origin.node) for values in bound.values() for q in values if q.origin is not None}
        return [self._resited(q, here, given) for q in rows]

    def _resited(self, q: Possible, here: Site, given: set[int]) -> Possible:
        """``q`` as the caller sees it: reads that the caller names stand at the call, and so do decisions about them.

        ``given`` are the identities of the reads and literals that the caller hands in.
        """
        named = any(r.named_by_argument for r in (*q.absent, *q.reads))
        ours = any(id(r) in given for r in q.absent) or (q.origin is not None and id(q.origin.node) in given)
        if not named and not ours:
            return replace(q, from_argument=False) if q.from_argument else q
        move = {id(r): replace(r, site=here, named_by_argument=False)
                for r in (*q.absent, *q.reads) if r.named_by_argument}
        return replace(
            q, reads=tuple(move.get(id(r), r) for r in q.reads), absent=tuple(move.get(id(r), r) for r in q.absent),
            joint=here if q.absent else q.joint, from_argument=False,
        )

    def _bind(self, module: Module, call: p.Call, made: Site,
              frame: Frame | None) -> dict[tuple[int, str], list[Possible]]:
        """Parameters and what the call gives them; texts from the caller are marked."""
        function = made.node
        params = list(function.params)
        if params and made.module.program.language == "python" and function.kind in ("method", "get", "constructor"):
            params = params[1:]
        elif params and type(params[0].target) is p.Name and params[0].target.id in ("self", "cls"):
            params = params[1:]
        bound: dict[tuple[int, str], list[Possible]] = {}
        positional = [a for a in call.args if a.name is None]
        if any(a.spread for a in positional):
            return bound
        keywords = {a.name: a.value for a in call.args if a.name is not None}
        index = 0
        for param in params:
            given = None
            if param.kind in ("positional", "either") and index < len(positional):
                given = positional[index].value
                index += 1
            elif type(param.target) is p.Name and param.target.id in keywords:
                given = keywords[param.target.id]
            if type(param.target) is p.Name and param.kind not in ("rest", "keywords"):
                bound[(id(param), param.target.id)] = self._argument(module, given, made, param, frame, call)
            elif type(param.target) is p.Record and type(given) is p.Record:
                self._bind_record(module, given, made, param, frame, call, bound)
        return bound

    def _bind_record(self, module: Module, given: p.Record, made: Site, param: p.Param, frame: Frame | None,
                     call: p.Call, bound: dict[tuple[int, str], list[Possible]]) -> None:
        values = {e.key.value: e.value for e in given.entries if type(e.key) is p.Text}
        assert type(param.target) is p.Record
        for entry in param.target.entries:
            target: Any = entry.value
            default = None
            if type(target) is p.Default:
                target, default = target.target, target.value
            if type(entry.key) is p.Text and type(target) is p.Name:
                stand_in = p.Param(target, default)
                rows = self._argument(module, values.get(entry.key.value), made, stand_in, frame, call)
                bound[(id(param), target.id)] = rows

    def _argument(self, module: Module, given: Any, made: Site, param: p.Param, frame: Frame | None,
                  call: p.Call) -> list[Possible]:
        if given is None:
            if param.default is None:
                return [Possible(None, nothing=True)]
            return self.values.possible(made.module, param.default)
        rows = []
        for q in self.values.possible(module, given, frame) or [UNKNOWN]:
            if q.nothing and param.default is not None and made.module.program.language != "python":
                rows += [replace(joined(d, q.absent, Site(module, call), q.conditions), from_argument=True)
                         for d in self.values.possible(made.module, param.default)]
            else:
                rows.append(replace(q, from_argument=True))
        return rows

    def returned(self, module: Module, function: p.Function, frame: Frame | None,
                  part: str | int | None = None) -> list[Possible]:
        key = id(function)
        if (place := self.values.active.get(key)) is not None:
            self.values.cut(place)
            return [UNKNOWN]
        self.values.entered(key)
        try:
            values = []
            for statement in self.returns(module, function)[:10]:
                value = statement.value if part is None else _part(statement.value, part)
                if value is not None:
                    values.append((statement, self.values.possible(module, value, frame)))
            if not values:
                return [Possible(None)]
            return self.values.join(module, values, frame, function)
        finally:
            del self.values.active[key]


class _Wrappers:
    """The ``[[wrapper]]`` tables of one language: calls and methods that keep a text's meaning."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.methods = {name for entry in entries for name in entry.get("methods", ())}
        self.calls = {name: entry["value"] for entry in entries for name in entry.get("names", ())}


def first_of(e: p.Call) -> tuple[Any, ...]:
    """The items of which a call gives the first that is not empty: ``[a, b].find(Boolean)``."""
    callee: Any = e.callee
    if type(callee) is not p.Member or callee.name != "find" or len(e.args) != 1:
        return ()
    asked: Any = e.args[0].value
    items: Any = callee.of
    plain = type(items) is p.Sequence and not any(type(item) is p.Spread for item in items.items)
    return tuple(items.items) if plain and type(asked) is p.Name and asked.id == "Boolean" else ()


def _part(value: Any, part: str | int) -> Any:
    """The item or entry ``part`` of a tuple or an object that is spelled out; None where it is not."""
    if type(value) is p.Sequence and isinstance(part, int):
        plain = not any(type(item) is p.Spread for item in value.items)
        return value.items[part] if plain and 0 <= part < len(value.items) else None
    if type(value) is p.Record:
        for entry in reversed(value.entries):
            if entry.kind in ("get", "method") or type(entry.key) is not p.Text:
                return None
            if entry.key.value == part:
                return entry.value
    return None


def _own_returns(body: tuple[Any, ...]) -> Iterator[p.Return]:
    for node in body:
        kind = type(node)
        if kind is p.Return:
            yield node
        elif kind not in (p.Define, p.Function, p.Class):
            for child in p.children(node):
                if isinstance(child, p.Statement):
                    yield from _own_returns((child,))
                elif type(child) in (p.Handler, p.Case):
                    yield from _own_returns(child.body)
