"""What a test says about the environment: which reads must have given nothing where it came out as it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connlint.model import program as p
from connlint.project.conditions import Condition, conditions, ends
from connlint.project.module import Module
from connlint.project.possible import HOLE, Frame, Possible, Read, Site, merged
from connlint.project.rounds import asked_of_each

if TYPE_CHECKING:
    from connlint.project.values import Values


class Absence:
    """Judges tests for ``values``. ``predicates`` are the tables of functions that ask whether something is there."""

    def __init__(self, values: Values, predicates: list[dict[str, Any]]) -> None:
        self.values = values
        self.predicates = {(e["language"], name): e["says"] for e in predicates for name in e["names"]}

    def of(self, module: Module, test: Any, truth: bool, frame: Frame | None = None) -> tuple[Read, ...]:
        """The reads that must have given nothing where ``test`` came out as ``truth``."""
        return self.values.kept(module, (id(test), truth, Absence), frame,
                                lambda: self._of(module, test, truth, frame))

    def _of(self, module: Module, test: Any, truth: bool, frame: Frame | None) -> tuple[Read, ...]:
        while type(test) is p.Await:
            test = test.value
        kind = type(test)
        if kind is p.Not:
            return self.of(module, test.value, not truth, frame)
        if kind is p.Logical and (test.op == "and" or (test.op == "or" and (truth or type(test.right) is not p.Text))):
            left = self.of(module, test.left, truth, frame)
            right = self.of(module, test.right, truth, frame)
            return merged((left, right))
        if asked_of_items := asked_of_each(self.values, module, test, truth):
            return merged(self.of(s.module, s.node, t, frame) for s, t in asked_of_items)
        if kind is p.Compare:
            return self._compared(module, test, truth, frame)
        if kind is p.Call and (asked_of := _each(test)):
            return merged(self.of(module, item, truth, frame) for item in asked_of)
        if kind is p.Call and (says := self._says(module, test)) is not None:
            return self._missing(module, test.args[0].value, frame) if truth == (says == "absent") else ()
        if kind in (p.Call, p.Name) and (asked := self._question(module, test)) is not None:
            return self.of(asked.module, asked.node, truth)
        if kind is p.Call and (answering := self._answering(module, test)) is not None:
            return self._answered(answering, truth)
        if truth:
            return ()
        if kind is p.Name and (chosen := self._list_if(module, test)) is not None:
            return self.of(chosen.module, chosen.node, False)
        if kind is p.Call and type(test.callee) is p.Member and test.args:
            environment = self.values.environment
            if environment.mapping(module, test.callee.of) and environment.access(module, test) is None:
                return self._variable(module, test.args[0].value, test, frame)
        if (asked_for := _asked_for(test)) is not None:
            return self._missing(module, asked_for, frame)
        return self._missing(module, test, frame)

    def excludes(self, module: Module, test: Any, truth: bool, unset: frozenset[str]) -> bool:
        """Whether ``test`` surely does not come out as ``truth`` where none of the variables ``unset`` has a value."""
        kind = type(test)
        if kind is p.Not:
            return self.excludes(module, test.value, not truth, unset)
        if kind is p.Logical and test.op != "nullish":
            sides = (self.excludes(module, side, truth, unset) for side in (test.left, test.right))
            return all(sides) if truth == (test.op == "or") else any(sides)
        if kind is p.Compare:
            return self._compares_unset(module, test, truth, unset)
        if kind is p.Call and (says := self._says(module, test)) is not None:
            return truth == (says == "present") and self._all_falsy(module, test.args[0].value, unset)
        if kind in (p.Call, p.Name) and (asked := self._question(module, test)) is not None:
            return self.excludes(asked.module, asked.node, truth, unset)
        return truth and self._all_falsy(module, test, unset)

    def _compares_unset(self, module: Module, test: p.Compare, truth: bool, unset: frozenset[str]) -> bool:
        if test.op in ("in", "not in"):
            named = self.of(module, test, test.op == "not in")
            return truth == (test.op == "in") and bool(named) and unset.issuperset(
                v for read in named for v in read.variables)
        if test.op not in ("==", "!=") or truth != (test.op == "!="):
            return False
        for side, other in ((test.left, test.right), (test.right, test.left)):
            if type(other) is p.Constant and other.value in ("null", "undefined"):
                left = self._left(module, side, unset)
                return bool(left) and all(q.nothing for q in left)
        return False

    def _all_falsy(self, module: Module, expression: Any, unset: frozenset[str]) -> bool:
        left = self._left(module, expression, unset)
        return bool(left) and all(q.falsy for q in left)

    def _left(self, module: Module, expression: Any, unset: frozenset[str]) -> list[Possible]:
        """The values of ``expression`` that need none of the variables ``unset``, where it may be one of these."""
        rows = self.values.possible(module, expression)
        left = [q for q in rows if not any(unset.intersection(read.variables) for read in q.reads)]
        return left if len(left) < len(rows) else []

    def _question(self, module: Module, test: Any) -> Site | None:
        """The test that a name or a call stands for: ``enabled = !!env.A && !!env.B``, ``isEnabled()``."""
        memo = module.memo.setdefault(Absence._question, {})
        key = id(test)
        if key not in memo:
            memo[key] = None  # a test that asks for itself says nothing
            site = None
            if type(test) is p.Name:
                where, found = self.values.environment.definitions(module, test)
                if len(found) == 1 and found[0].kind == "value" and found[0].value is not None and not found[0].path:
                    site = Site(where, found[0].value)
            elif (made := self.values.results.callee(module, test)) is not None and type(made.node) is p.Function:
                own = self.values.results.returns(made.module, made.node)
                if len(own) == 1 and own[0].value is not None:
                    site = Site(made.module, own[0].value)
            if site is not None and not self.asks(site.module, site.node):
                site = None
            memo[key] = site
        found_site: Site | None = memo[key]
        return found_site

    def _list_if(self, module: Module, name: p.Name) -> Site | None:
        """The test without which the list ``name`` is empty: ``hosts = text.split(",") if text else []``."""
        where, found = self.values.environment.definitions(module, name)
        value = found[0].value if len(found) == 1 and found[0].kind == "value" and not found[0].path else None
        if type(value) is not p.Conditional or type(value.otherwise) is not p.Sequence or value.otherwise.items:
            return None
        return Site(where, value.test)

    def asks(self, module: Module, node: Any) -> bool:
        """Whether an expression asks something, instead of being a value itself."""
        if type(node) is p.Logical:
            return self.asks(module, node.left) and self.asks(module, node.right)
        if type(node) is p.Await:
            return self.asks(module, node.value)
        return type(node) in (p.Not, p.Compare) or (type(node) is p.Call and (
            self._says(module, node) is not None or self._answering(module, node) is not None))

    def _answering(self, module: Module, call: p.Call) -> Site | None:
        """The function of the project that ``call`` asks and that says yes or no on each of several ways."""
        memo = module.memo.setdefault(Absence._answering, {})
        key = id(call)
        if key not in memo:
            memo[key] = None  # a function that asks itself says nothing
            made = self.values.results.callee(module, call)
            if made is not None and type(made.node) is p.Function and not made.node.is_generator:
                own = self.values.results.returns(made.module, made.node)
                if len(own) > 1 and all(_answer(statement) is not None or self.asks(made.module, statement.value)
                                        for statement in own):
                    memo[key] = made
        found: Site | None = memo[key]
        return found

    def _answered(self, made: Site, truth: bool) -> tuple[Read, ...]:
        """The reads that must have given nothing where the function ``made`` has said ``truth``."""
        memo = made.module.memo.setdefault(Absence._answered, {})
        key = (id(made.node), truth)
        if key not in memo:
            memo[key] = ()
            ways = []
            for statement in self.values.results.returns(made.module, made.node):
                said = _answer(statement)
                if said is None or said == truth:
                    on_the_way = conditions(made.module, statement, made.node, self.values.leaves)
                    reads = [self.of(c.module, c.test, c.truth) for c in on_the_way]
                    if said is None:
                        reads.append(self.of(made.module, statement.value, truth))
                    ways.append(merged(reads))
            memo[key] = tuple(read for read in (ways[0] if ways else ()) if all(
                any(set(read.variables) & set(other.variables) for other in way) for way in ways))
        found: tuple[Read, ...] = memo[key]
        return found

    def _says(self, module: Module, call: p.Call) -> str | None:
        """"absent" or "present": what a call that asks about its one argument has found out where it is true."""
        if len(call.args) != 1 or call.args[0].spread:
            return None
        callee = call.callee
        last = callee.name if type(callee) is p.Member else callee.id if type(callee) is p.Name else ""
        return self.predicates.get(("python" if module.program.language == "python" else "javascript", last))

    def _missing(self, module: Module, expression: Any, frame: Frame | None) -> tuple[Read, ...]:
        return merged(q.absent for q in self.values.possible(module, expression, frame) if q.falsy and q.absent)

    def _compared(self, module: Module, test: p.Compare, truth: bool, frame: Frame | None) -> tuple[Read, ...]:
        if test.op in ("in", "not in"):
            if truth == (test.op == "not in") and self.values.environment.mapping(module, _keys_of(test.right)):
                return self._variable(module, test.left, test, frame)
            return ()
        if test.op not in ("==", "!="):
            return ()
        if truth != (test.op == "=="):
            if type(test.right) is p.Text and test.right.value == "string" and type(test.left) is p.Opaque:
                # typeof x === 'string' is how some ask whether it is there
                return self._missing(module, test.left.parts[0], frame) if len(test.left.parts) == 1 else ()
            return ()
        for side, other in ((test.left, test.right), (test.right, test.left)):
            if type(other) is p.Constant and other.value in ("null", "undefined"):
                return self._missing(module, side, frame)
            if type(other) is p.Text and other.value in ("", "undefined"):
                if type(side) is p.Opaque and len(side.parts) == 1:
                    side = side.parts[0]
                return self._missing(module, side, frame)
        return ()

    def _variable(self, module: Module, name: Any, node: Any, frame: Frame | None) -> tuple[Read, ...]:
        names = tuple(q.text for q in self.values.possible(module, name, frame) if q.text and q.text.strip(HOLE))
        return (Read(names, Site(module, node), "nothing", "presence"),) if names else ()

    def refuted(self, condition: Condition, frame: Frame) -> bool:
        """Whether what the caller gave, or left out, makes the condition impossible."""
        test: p.Expression = condition.test
        truth = condition.truth
        while type(test) is p.Not:
            test, truth = test.value, not truth
        if type(test) is p.Compare and test.op in ("==", "!="):
            compared = test
            for side, other in ((compared.left, compared.right), (compared.right, compared.left)):
                if type(other) is p.Constant and other.value in ("null", "undefined"):
                    test, truth = side, truth == (compared.op == "!=")
                    break
        if type(test) is not p.Name:
            return False
        self.values.bound = True
        if not any(name == test.id for _, name in frame.bound):
            return False
        given = self.values.possible(condition.module, test, frame)
        if truth:
            return bool(given) and all((q.nothing and not q.absent) or _is_no(q) for q in given)
        return bool(given) and all(not q.falsy and not _is_no(q) and (q.text != HOLE or q.reads) for q in given)

    def caught(self, module: Module, node: Any, values: list[tuple[Any, list[Possible]]]) -> tuple[Read, ...]:
        """Reads that raise where they find nothing, in the ``try`` whose handler holds ``node``."""
        handler = None
        for above in module.parents(node):
            if type(above) is p.Handler:
                handler = above
            elif type(above) is p.Try and handler is not None:
                found = []
                for other, row in values:
                    if other is not node and any(above.body[0].at[0] <= other.at[0] < s.at[1] for s in above.body):
                        found += [r for q in row for r in q.reads if r.absent == "raises"]
                return tuple(found)
            elif type(above) in (p.Function, p.Class):
                return ()
        return ()


    def passed_over(self, module: Module, node: Any, row: list[Possible],
                    values: list[tuple[Any, list[Possible]]]) -> tuple[Read, ...]:
        """Reads of ``row`` that raise where they find nothing, where a ``try`` around ``node`` goes on without giving
        another value: what the variable was before it stays."""
        raising = tuple(r for q in row for r in q.reads if r.absent == "raises")
        below = node
        for above in module.parents(node) if raising else ():
            if type(above) is p.Try and any(below is s for s in above.body):
                other = [at for at, _ in values if at is not node]
                goes_on = [h for h in above.handlers if not ends(module, h.body)]
                if goes_on and not any(h.at[0] <= at.at[0] < h.at[1] for h in above.handlers for at in other):
                    return raising
                return ()
            if type(above) in (p.Function, p.Class):
                return ()
            below = above
        return ()


def _answer(statement: p.Return) -> bool | None:
    """The ``true`` or ``false`` that a function gives back; None for anything else."""
    value = statement.value
    return value.value == "true" if type(value) is p.Constant and value.value in ("true", "false") else None


def _is_no(q: Possible) -> bool:
    """Whether a value is ``false`` itself, and not the text."""
    return q.text == "false" and q.origin is not None and type(q.origin.node) is p.Constant


def _asked_for(test: Any) -> Any:
    """What has nothing where it is asked about itself and the answer is no: ``url?.startsWith("redis")``,
    ``/^redis/.test(url ?? "")``. None for any other question."""
    callee = test.callee if type(test) is p.Call and len(test.args) == 1 else None
    if type(callee) is p.Member and callee.name == "test" and (
            type(callee.of) is p.Name or (type(callee.of) is p.Opaque and callee.of.why == "regex")):
        given = test.args[0].value
        return given.left if type(given) is p.Logical and given.op in ("or", "nullish") else given
    at: Any = test
    while type(at) in (p.Call, p.Member):
        called = type(at) is p.Call
        below: Any = getattr(at, "callee" if called else "of")
        if not called and at.maybe:
            return below
        at = below
    return None


def _each(e: p.Call) -> tuple[Any, ...]:
    """The values that a question is about which asks the same of each: ``all([a, b])``, ``[a, b].every(Boolean)``."""
    callee: Any = e.callee
    of: Any
    if type(callee) is p.Name and callee.id in ("all", "any") and len(e.args) == 1:
        of = e.args[0].value
    elif type(callee) is p.Member and callee.name == "every" and len(e.args) == 1:
        of = callee.of if type(e.args[0].value) is p.Name and e.args[0].value.id == "Boolean" else None
    else:
        return ()
    return of.items if type(of) is p.Sequence else ()


def _keys_of(e: Any) -> Any:
    """``env`` of ``env.keys()``."""
    if type(e) is p.Call and type(e.callee) is p.Member and not e.args:
        return e.callee.of
    return e
