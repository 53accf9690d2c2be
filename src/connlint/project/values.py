"""What an expression may evaluate to: followed through constants, assignments, imports and the project's functions.

The answer is a list of `Possible` values. Each says which reads of the environment are part of it, which reads must
have given nothing for it to be taken, and under which tests. What cannot be known is a `HOLE` in a text. Attributes are
followed by `objects`, calls by `results`; what a test says about a variable is `absence`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice, product
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.absence import Absence
from connlint.project.conditions import Condition, conditions
from connlint.project.environment import Environment
from connlint.project.filling import filled_later
from connlint.project.module import Definition, Module
from connlint.project.objects import Objects
from connlint.project.possible import HOLE, UNKNOWN, Frame, joined, merged
from connlint.project.possible import Possible as Possible
from connlint.project.possible import Read as Read
from connlint.project.possible import Site as Site
from connlint.project.project import Project
from connlint.project.readers import Access, Declaration
from connlint.project.results import Results
from connlint.project.rounds import item_of
from connlint.project.templates import template
from connlint.project.validators import computed, overruled

T = TypeVar("T")

MOST = 24
"""No more possible values are followed than this; the rest is unknown."""
DEPTH = 40
_ADDRESS = regex(r"\w[\w+.-]*://")
_NOTHING_CUT = 1 << 30
STEPS = 1500
"""Evaluations for one question: functions that choose among the results of others multiply. Past it, all is unknown."""


class Values:
    """Evaluates expressions of one project. Answers are kept with the modules they are about."""

    def __init__(self, project: Project, entries: list[dict[str, Any]], wrappers: list[dict[str, Any]],
                 predicates: list[dict[str, Any]], browser: list[dict[str, Any]],
                 schemas: list[dict[str, Any]], exits: Collection[str] = ()) -> None:
        self.project = project
        self.exits = frozenset(exits)
        """Qualified names of calls after which nothing runs."""
        self.validating = frozenset(word for row in schemas for key in ("stops", "tells") for word in row.get(key, ()))
        """Last names of the calls that apply a schema to the environment, and give what it lets through."""
        self.browser = browser
        """What makes code for browsers, as `connlint.project.bundled` reads it."""
        self.environment = Environment(project, entries)
        self.things = Objects(self)
        self.results = Results(self, wrappers)
        self.absence = Absence(self, predicates)
        self.active: dict[int, int] = {}
        """Identities of the expressions and functions that are being evaluated, each with how many were before it."""
        self.lowest = _NOTHING_CUT
        """The lowest place in ``active`` whose unfinished answer the present evaluation has met: below its own place,
        the answer is cut, and none to keep."""
        self.bound = False
        """Whether the present evaluation has met a parameter: another frame may give another answer."""
        self._raw: dict[int, list[Possible]] = {}
        self._depth = 0
        self._steps = 0

    # -- expressions ----------------------------------------------------------------------------------------------

    def possible(self, module: Module, expression: Any, frame: Frame | None = None) -> list[Possible]:
        """Every value that ``expression`` may have; never empty, except where it is part of what is being asked."""
        key = id(expression)
        if (known := self._known(module, key, frame)) is not None:
            return known
        if key in self.active:
            self.cut(self.active[key])
            return []
        if self._depth > DEPTH:
            self.cut(0)
            return []
        place = self.entered(key)
        self._steps += 1
        self._depth += 1
        try:
            if self._steps > STEPS:
                self.cut(0)
                return [UNKNOWN]
            return self.kept(module, key, frame, lambda: self._evaluate(module, expression, frame)[:MOST], place)
        finally:
            del self.active[key]
            self._depth -= 1

    def entered(self, key: int) -> int:
        """Note that ``key`` is being evaluated, until it is deleted from ``active``: its place there."""
        place = self.active[key] = len(self.active)
        if place == 0:
            self._steps = 0
        return place

    def _known(self, module: Module, key: Any, frame: Frame | None) -> Any:
        """The answer that `kept` has under ``key``; None where it has none."""
        if (found := module.memo.setdefault(Values._known, {}).get(key)) is not None:
            return found
        own = frame.known if frame is not None else module.memo.setdefault(Values.kept, {})
        if (found := own.get(key)) is not None:
            self.bound = True
        return found

    def kept(self, module: Module, key: Any, frame: Frame | None, ask: Callable[[], T],
             place: int | None = None) -> T:
        """The answer of ``ask``, kept under ``key`` where nothing cut it short: for every frame where it meets no
        parameter, and for ``frame`` alone (or for none) where it does.

        ``place`` is where the question itself stands in ``active``; as a rule, it stands nowhere.
        """
        if place is None:
            if (known := self._known(module, key, frame)) is not None:
                return cast(T, known)
            place = len(self.active)
        lowest, bound = self.lowest, self.bound
        self.lowest, self.bound = _NOTHING_CUT, False
        try:
            found = ask()
            if self.lowest < place:
                lowest = min(lowest, self.lowest)
            elif frame is None:
                module.memo.setdefault(Values.kept, {})[key] = found
            elif self.bound:
                frame.known[key] = found
            else:
                module.memo.setdefault(Values._known, {})[key] = found
        finally:
            self.lowest = lowest
            self.bound |= bound
        return found

    def cut(self, place: int) -> None:
        """Note that an answer is left unfinished on which what stands at ``place`` of ``active`` is still at work."""
        self.lowest = min(self.lowest, place)

    def _evaluate(self, module: Module, e: Any, frame: Frame | None) -> list[Possible]:
        kind = type(e)
        if kind is p.Text:
            return [Possible(e.value, origin=Site(module, e))]
        if kind is p.Name:
            return self._name(module, e, frame)
        if kind is p.Member or kind is p.Index:
            return self._member(module, e, frame)
        if kind is p.Call:
            return self._formatted(module, e, frame) or self.results.of(module, e, frame)
        if kind is p.Logical:
            return self._logical(module, e, frame)
        if kind is p.Conditional:
            return self._conditional(module, e, frame)
        if kind is p.Concat:
            return self._concat(module, e.parts, frame)
        if kind is p.Await:
            return self.possible(module, e.value, frame)
        if kind is p.Number:
            value = e.value
            text = str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else str(value)
            return [Possible(text, origin=Site(module, e))]
        if kind is p.Constant:
            if e.value in ("null", "undefined"):
                return [Possible(None, nothing=True, origin=Site(module, e))]
            return [Possible(e.value, origin=Site(module, e))]
        if kind is p.Assign:
            if e.op in ("or", "nullish"):
                left = self.possible(module, e.target, frame)
                return self.or_else(e.op, left, module, e, e.value, frame)
            return self.possible(module, e.value, frame) if e.op == "" else [UNKNOWN]
        if kind is p.Sequence:
            rows: list[Possible] = []
            for item in islice(e.items, 8):
                rows += self.possible(module, item.value if type(item) is p.Spread else item, frame)
            return rows or [Possible(None)]
        if kind in (p.Record, p.Function, p.Class):
            return [Possible(None)]
        if kind is p.Opaque:
            return self._operation(module, e, frame)
        return [UNKNOWN]

    def _logical(self, module: Module, e: p.Logical, frame: Frame | None) -> list[Possible]:
        left = self.possible(module, e.left, frame)
        if e.op == "and":
            condition = Condition(module, e.left, True)
            right = [replace(q, conditions=(*q.conditions, condition)) for q in self.possible(module, e.right, frame)]
            return right + [q for q in left if q.falsy]
        return self.or_else(e.op, left, module, e, e.right, frame)

    def or_else(self, op: str, left: list[Possible], module: Module, joint: Any, right: Any,
                frame: Frame | None) -> list[Possible]:
        """``left`` with what is passed over replaced by ``right``."""
        rows = [q for q in left if not (q.falsy if op == "or" else q.nothing)]
        passed = [q for q in left if (q.falsy if op == "or" else q.nothing)]
        if not passed:
            if not left or any(q.text is None or HOLE in q.text for q in left):
                passed = [Possible(None, nothing=True)] if not any(q.reads for q in left) else []
            if not passed:
                return rows
        others = self.possible(module, right, frame)
        for q in passed[:4]:
            for other in others:
                row = joined(other, q.absent, Site(module, joint), q.conditions)
                rows.append(row if row.joint else replace(row, joint=Site(module, joint)))
        return rows

    def _conditional(self, module: Module, e: p.Conditional, frame: Frame | None) -> list[Possible]:
        rows = []
        missing = {truth: self.absence.of(module, e.test, truth, frame) for truth in (True, False)}
        for arm, truth in ((e.then, True), (e.otherwise, False)):
            absent = missing[truth]
            condition = (Condition(module, e.test, truth),)
            present = {v for r in missing[not truth] for v in r.variables}
            for q in self.possible(module, arm, frame):
                if q.nothing and present.intersection(v for r in q.absent for v in r.variables):
                    continue
                rows.append(joined(q, absent, Site(module, e), condition))
        return rows

    def _concat(self, module: Module, pieces: Iterable[Any], frame: Frame | None,
                written: Site | None = None) -> list[Possible]:
        """The texts that ``pieces`` make; those that are no expressions but strings stand in the text ``written``."""
        parts = []
        for part in islice(pieces, 24):
            values = [Possible(part, origin=written)] if type(part) is str else self.possible(module, part, frame)
            parts.append((values or [UNKNOWN])[:6])
        rows = []
        for combination in islice(product(*parts), MOST):
            text = "".join(HOLE if q.text is None else q.text for q in combination)
            # the part that names a host says most, then the longest
            origin = max((q for q in combination if q.origin),
                         key=lambda q: ("://" in (q.text or ""), len(q.text or "")), default=None)
            rows.append(Possible(
                text, False,
                merged(q.reads for q in combination), merged(q.absent for q in combination),
                next((q.joint for q in combination if q.joint), None),
                origin.origin if origin else None,
                tuple(c for q in combination for c in q.conditions),
                any(q.from_argument for q in combination),
            ))
        return rows

    def _operation(self, module: Module, e: p.Opaque, frame: Frame | None) -> list[Possible]:
        """``base + path`` where a part turns out to be an address; what is added else may be numbers."""
        if e.why == "binary +":
            rows = self._concat(module, e.parts, frame)
            return rows if any(_ADDRESS.match(q.text or "") for q in rows) else [UNKNOWN]
        return self._formatted(module, e, frame) or [UNKNOWN]

    def _formatted(self, module: Module, e: Any, frame: Frame | None) -> list[Possible] | None:
        """``"%s/%s" % (base, path)`` and ``"{}/{}".format(base, path)``; None for anything else."""
        found = template(e)
        if found is None:
            return None
        written, parts = found
        return self._concat(module, parts, frame, Site(module, written))

    # -- reads ----------------------------------------------------------------------------------------------------

    def read(self, module: Module, access: Access, frame: Frame | None) -> list[Possible]:
        names: list[str] = []
        named_by_argument = False
        for name in access.names:
            if isinstance(name, str):
                names.append(access.prefix + name)
                continue
            for q in self.possible(module, name, frame):
                if q.text is not None and q.text.strip(HOLE):
                    names.append(access.prefix + q.text)
                    named_by_argument |= q.from_argument
        read = Read(tuple(dict.fromkeys(names)), Site(module, access.node), access.absent, access.form,
                    named_by_argument)
        rows = [Possible(HOLE, reads=(read,))]
        if access.default is not None:
            for q in self.possible(module, access.default, frame):
                rows.append(joined(q, (read,), Site(module, access.node), ()))
        elif access.absent == "nothing":
            rows.append(Possible(None, nothing=True, absent=(read,)))
        return rows

    def declared(self, module: Module, declaration: Declaration) -> list[Possible]:
        """The values of a declared variable: what the environment says, and the default."""
        read = Read(declaration.variables, Site(module, declaration.node), "raises", "declared")
        rows = [Possible(HOLE, reads=(read,))]
        if declaration.default is not None:
            if overruled(module, declaration.owner, declaration.field):
                return [*rows, UNKNOWN]
            for q in self.possible(module, declaration.default):
                rows.append(joined(q, (read,), Site(module, declaration.node), ()))
        elif declaration.optional:
            filled = computed(declaration.owner, declaration.field)
            rows.append(UNKNOWN if filled else Possible(None, nothing=True, absent=(read,)))
        return rows

    # -- names and members ----------------------------------------------------------------------------------------

    def _name(self, module: Module, e: p.Name, frame: Frame | None) -> list[Possible]:
        where, found = self.environment.definitions(module, e)
        if not found:
            return [UNKNOWN]
        if where is not module:
            frame = None
        return self.bindings(where, found, frame)

    def bindings(self, module: Module, found: list[Definition], frame: Frame | None = None) -> list[Possible]:
        """What a name with these definitions may be."""
        if len(found) == 1:
            return self._definition(module, found[0], frame)
        key = id(found[0])
        if key in self._raw:
            self.cut(self.active[key])
            return self._raw[key]
        if key in self.active:
            return self._joined(module, found, frame)
        if (known := self._known(module, (key, len(found)), frame)) is not None:
            return cast(list[Possible], known)
        place = self.entered(key)
        try:
            return self.kept(module, (key, len(found)), frame, lambda: self._joined(module, found, frame), place)
        finally:
            del self.active[key]

    def _joined(self, module: Module, found: list[Definition], frame: Frame | None) -> list[Possible]:
        """What a name may be that is bound more than once."""
        values = []
        for definition in found[:8]:
            node = definition.node if isinstance(definition.node, p.Statement) else definition.node.target \
                if type(definition.node) in (p.Param, p.WithItem) else definition.node
            values.append((node, self._definition(module, definition, frame)))
        key = id(found[0])
        self._raw[key] = [q for _, row in values for q in row]
        try:
            return self.join(module, values, frame)
        finally:
            del self._raw[key]

    def _definition(self, module: Module, d: Definition, frame: Frame | None) -> list[Possible]:
        if d.kind == "param":
            self.bound = True
            if frame is not None:
                for bound, values in frame.bound.items():
                    if bound == (id(d.node), d.name):
                        return values
            default = d.node.default if type(d.node) is p.Param else None
            if default is not None and d.path:
                return self._destructured(module, d, default, frame)
            if d.default is not None:
                return [UNKNOWN, *self.possible(module, d.default)]
            if default is not None:
                return [UNKNOWN, *self.possible(module, default)]
            return item_of(self, module, d) or [UNKNOWN]
        if d.kind == "loop":
            return item_of(self, module, d) or [UNKNOWN]
        if d.kind == "import":
            if imported := self.environment.imported(module, d):
                read = Read((imported[0],), Site(module, d.node), imported[1], "import")
                # what the build demands is there, and empty at most
                without = Possible("", absent=(read,)) if read.absent == "raises" else Possible(
                    None, nothing=True, absent=(read,))
                return [Possible(HOLE, reads=(read,)), without]
            return [UNKNOWN]
        if d.kind not in ("value", "with") or d.value is None:
            return [UNKNOWN] if d.kind != "declared" else []
        if d.path:
            return self._destructured(module, d, d.value, frame)
        return self.possible(module, d.value, frame)

    def _destructured(self, module: Module, d: Definition, value: Any, frame: Frame | None) -> list[Possible]:
        key = d.path[0]
        if len(d.path) == 1 and isinstance(key, str) and key != "*" and self.environment.mapping(module, value):
            node = self._entry_of(d) or d.node
            rows = self.things.validated(module, value, key) if d.default is None else None
            return rows or self.read(module, Access(node, (key,), d.default, "nothing", form="mapping"), frame)
        rows = self.results.part_of_call(module, value, key, frame) if len(d.path) == 1 else None
        if rows is None:
            rows = self.things.property_path(module, value, d.path, frame)
        if rows is None:
            rows = self.possible(module, value, frame) if type(value) in (p.Call, p.Await) else [UNKNOWN]
        if d.default is not None:
            rows = self.or_else("nullish", rows, module, d.node, d.default, frame)
        return rows

    def _entry_of(self, d: Definition) -> Any:
        """The entry of a destructuring pattern that binds ``d``: that is where the variable is named."""
        target = d.node.target if hasattr(d.node, "target") else None
        if type(target) is p.Record:
            for entry in target.entries:
                if entry.at[0] <= d.at[0] and d.at[1] <= entry.at[1]:
                    return entry
        return None

    def _member(self, module: Module, e: Any, frame: Frame | None) -> list[Possible]:
        access = self.environment.access(module, e)
        if access is not None:
            if access.form == "mapping" and type(e) is p.Member and type(e.of) is not p.Member:
                return self.things.validated(module, e.of, e.name) or self.read(module, access, frame)
            return self.read(module, access, frame)
        if type(e) is p.Member:
            part: Any = e.name
        elif type(e.key) is p.Text:
            part = e.key.value
        elif type(e.key) is p.Number:
            part = int(e.key.value)
        else:
            return self._looked_up(module, e, frame)
        rows: list[Possible] = []
        for site in self.things.of(module, e.of):
            if (found := self.things.property(site, part, frame)) is not None:
                rows += found
        if not rows and isinstance(part, str):
            rows = self.things.namespace(module, e, part) or []
        if not rows and isinstance(part, str) and part.isupper():
            rows = self.things.validated(module, e.of, part) or []
        if part == "value" and not rows and type(e.of) is p.Member and module.program.language == "python":
            # ``Defaults.URL.value`` of an enumeration is the text that stands there
            rows = [q for q in self.possible(module, e.of, frame) if q.text is not None and q.origin and not q.reads]
        if rows:
            return rows
        if isinstance(part, int):
            values = self.possible(module, e.of, frame)
            return [replace(q, text=(q.text or "").split(",")[0] if q.text else q.text) for q in values]
        return [UNKNOWN]

    def _looked_up(self, module: Module, e: p.Index, frame: Frame | None) -> list[Possible]:
        """What stands in a table under a key that is the caller's, or a constant's, own text."""
        keys = self.possible(module, e.key, frame)
        if not keys or any(q.reads or q.absent or not q.text or HOLE in q.text for q in keys):
            return [UNKNOWN]
        rows: list[Possible] = []
        for site in self.things.of(module, e.of):
            for q in keys:
                rows += self.things.property(site, q.text or "", frame) or [UNKNOWN]
        return rows or [UNKNOWN]

    # -- what others ask ------------------------------------------------------------------------------------------

    def absent(self, module: Module, test: Any, truth: bool, frame: Frame | None = None) -> tuple[Read, ...]:
        """The reads that must have given nothing where ``test`` came out as ``truth``."""
        return self.absence.of(module, test, truth, frame)

    def excludes(self, condition: Condition, unset: frozenset[str]) -> bool:
        """Whether a condition surely does not hold where none of the variables ``unset`` has a value."""
        return self.absence.excludes(condition.module, condition.test, condition.truth, unset)

    def asks(self, module: Module, node: Any) -> bool:
        """Whether an expression asks something, instead of being a value itself."""
        return self.absence.asks(module, node)

    def objects(self, module: Module, e: Any) -> list[Site]:
        """The records, sequences, classes (also for their instances) that ``e`` may be, as far as that is known."""
        return self.things.of(module, e)

    def part(self, site: Site, path: str) -> list[Possible]:
        """What stands at a dotted path of keys in a record; nothing where it does not say."""
        parts: tuple[str | int, ...] = tuple(path.split("."))
        return self.things.property_path(site.module, site.node, parts, None) or []

    def callee(self, module: Module, e: p.Call) -> Site | None:
        """The function or class of this project that a call calls; None where it is another's or not known."""
        return self.results.callee(module, e)

    def wrapped(self, module: Module, e: p.Call) -> Any:
        """The argument or receiver whose text the call gives back more or less as it is; None where it does not."""
        return self.results.wrapped(module, e)

    def returns(self, module: Module, function: p.Function) -> list[p.Return]:
        """The function's own ``return`` statements."""
        return self.results.returns(module, function)

    def returned(self, module: Module, function: p.Function) -> list[Possible]:
        """What a call of ``function`` may give, nothing being known about its arguments."""
        return self.results.returned(module, function, None)

    def held(self, module: Module, node: Any) -> list[Condition]:
        """The conditions under which ``node`` is evaluated."""
        return conditions(module, node)

    def attributes(self, module: Module, owner: p.Class, least: int) -> list[str]:
        """The attributes that are given ``least`` values, or more, in their class."""
        self.things.class_values(module, owner, "")
        table: dict[str, list[Any]] = module.memo[(Objects.class_values, id(owner))]
        return [name for name, rows in table.items() if len(rows) >= least]

    def attribute(self, module: Module, owner: p.Class, name: str) -> list[Possible]:
        """What the attribute ``name`` of a class may be."""
        return self.things.property(Site(module, owner), name, None) or []

    # -- several values at once -----------------------------------------------------------------------------------

    def join(self, module: Module, values: list[tuple[Any, list[Possible]]], frame: Frame | None,
              inside: Any = None) -> list[Possible]:
        """One variable (or result) with several values: each with the reads that must be absent for it to be taken."""
        rows: list[Possible] = []
        overriding: list[tuple[int, tuple[Read, ...], Any, set[tuple[int, bool]]]] = []
        tested = []
        for node, row in values:
            held = self._conditions(module, node, inside)
            if frame is not None and any(self.absence.refuted(c, frame) for c in held):
                continue
            absent = merged(self.absence.of(c.module, c.test, c.truth, frame) for c in held)
            absent = merged((absent, self.absence.caught(module, node, values)))
            present = merged(self.absence.of(c.module, c.test, not c.truth, frame) for c in held)
            own = {v for q in row for r in q.reads for v in r.variables}
            present = tuple(r for r in present if own & set(r.variables))
            tested.append((node, row, absent, tuple(held), {v for r in present for v in r.variables}))
            present = merged((present, self.absence.passed_over(module, node, row, values)))
            if present:
                overriding.append((node.at[0], present, node, {(id(c.test), c.truth) for c in held}))
        filled = filled_later([(node, row, held_by) for node, row, _, held_by, _ in tested])
        for (node, row, absent, held_by, own_present), (gone, without) in zip(tested, filled, strict=True):
            absent = merged((absent, without))
            if not absent:
                # what both are taken under, as a test above them that stops the program, decides nothing between them
                for at, present, other, also in overriding:
                    if other is not node and node.at[0] < at and all((id(c.test), c.truth) in also for c in held_by):
                        absent = merged((absent, present))
            for q in row:
                overridden = q.nothing and own_present.intersection(v for r in q.absent for v in r.variables)
                if id(q) not in gone and not overridden:
                    rows.append(joined(q, absent, Site(module, node), held_by))
        return rows

    def _conditions(self, module: Module, node: Any, inside: Any) -> list[Condition]:
        memo = module.memo.setdefault(Values._conditions, {})
        key = (id(node), id(inside))
        if key not in memo:
            memo[key] = conditions(module, node, inside, self.leaves)[:6]
        return memo[key]

    def leaves(self, module: Module, statement: p.Statement) -> bool:
        """Whether a statement ends the program or the request."""
        value = getattr(statement, "value", None)
        return type(statement) is p.Evaluate and type(value) is p.Call and module.qualified(value.callee) in self.exits


def values_of(project: Project, apis: dict[str, list[dict[str, Any]]]) -> Values:
    """The one `Values` of a project, made with the tables of its first asker."""
    found = project.memo.get(Values)
    if found is None:
        found = project.memo[Values] = Values(project, apis.get("reader", []), apis.get("wrapper", []),
                                              apis.get("predicate", []), apis.get("browser", []),
                                              apis.get("applies_schema", []),
                                              [name for row in apis.get("stage", ()) if row["kind"] == "exit"
                                               for name in row["names"]])
    return found
