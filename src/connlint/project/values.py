"""What an expression may evaluate to: followed through constants, assignments, imports and the project's functions.

The answer is a list of `Possible` values. Each says which reads of the environment are part of it, which reads must
have given nothing for it to be taken, and under which tests. What cannot be known is a `HOLE` in a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.model import program as p
from connlint.project.address import HOLE
from connlint.project.conditions import Condition, conditions
from connlint.project.environment import Access, Declaration, Environment, argument
from connlint.project.module import Definition, Module
from connlint.project.project import Project
from connlint.project.rounds import asked_of_each, item_of
from connlint.project.validators import computed, overruled

MOST = 24
"""No more possible values are followed than this; the rest is unknown."""
DEPTH = 40
STEPS = 4000
"""Evaluations for one question: functions that choose among the results of others multiply. Past it, all is unknown."""


class Site(Struct, frozen=True, eq=False):
    """A node and the module in which it stands."""

    module: Module
    node: Any


class Read(Struct, frozen=True, eq=False):
    """A read of the environment. ``variables`` are names in order of preference, with `HOLE` for unknown parts.

    ``site`` is the read, or, where a function of the project reads what its caller names, the caller's call.
    ``absent`` tells what a missing variable does without a default, as in `Access`.
    """

    variables: tuple[str, ...]
    site: Site
    absent: str
    form: str
    named_by_argument: bool = False


class Possible(Struct, frozen=True, eq=False):
    """One value that an expression may have.

    ``text`` is None for what is no text at all (``nothing`` tells null and undefined from objects). ``reads`` are in
    the value; ``absent`` gave nothing, so that this value is taken; ``joint`` is where that was decided: the fallback.
    ``origin`` is the literal. ``conditions`` held on the way. ``from_argument`` is set inside of functions only.
    """

    text: str | None = HOLE
    nothing: bool = False
    reads: tuple[Read, ...] = ()
    absent: tuple[Read, ...] = ()
    joint: Site | None = None
    origin: Site | None = None
    conditions: tuple[Condition, ...] = ()
    from_argument: bool = False

    @property
    def falsy(self) -> bool:
        """Whether ``or`` passes it over."""
        return self.nothing or self.text == ""


UNKNOWN = Possible()


class Frame(Struct, eq=False):
    """The call that is being evaluated: what its parameters are bound to."""

    function: p.Function
    bound: dict[tuple[int, str], list[Possible]]
    above: int = 0
    """How many evaluations were under way when the call was met."""
    known: dict[int, list[Possible]] = field(default_factory=dict)


class Values:
    """Evaluates expressions of one project. Answers are kept with the modules they are about."""

    def __init__(self, project: Project, entries: list[dict[str, Any]], wrappers: list[dict[str, Any]],
                 predicates: list[dict[str, Any]]) -> None:
        self.project = project
        self.environment = Environment(project, entries)
        self.predicates = {(e["language"], name): e["says"] for e in predicates for name in e["names"]}
        self.wrappers = {language: _Wrappers([w for w in wrappers if w["language"] == language])
                         for language in ("python", "javascript")}
        self._active: set[int] = set()
        self._raw: dict[int, list[Possible]] = {}
        self._depth = 0
        self._steps = 0

    # -- expressions ----------------------------------------------------------------------------------------------

    def possible(self, module: Module, expression: Any, frame: Frame | None = None) -> list[Possible]:
        """Every value that ``expression`` may have; never empty, except where it is part of what is being asked."""
        memo = module.memo.setdefault(Values.possible, {}) if frame is None else frame.known
        key = id(expression)
        found = memo.get(key)
        if found is not None:
            return found
        if key in self._active or self._depth > DEPTH:
            return []
        if not self._active:
            self._steps = 0
        self._steps += 1
        if self._steps > STEPS:
            return [UNKNOWN]
        self._active.add(key)
        self._depth += 1
        try:
            found = self._evaluate(module, expression, frame)
        finally:
            self._active.discard(key)
            self._depth -= 1
        found = found[:MOST]
        if not self._active or (frame is not None and len(self._active) == frame.above):
            memo[key] = found
        return found

    def _evaluate(self, module: Module, e: Any, frame: Frame | None) -> list[Possible]:
        kind = type(e)
        if kind is p.Text:
            return [Possible(e.value, origin=Site(module, e))]
        if kind is p.Name:
            return self._name(module, e, frame)
        if kind is p.Member or kind is p.Index:
            return self._member(module, e, frame)
        if kind is p.Call:
            return self._call(module, e, frame)
        if kind is p.Logical:
            return self._logical(module, e, frame)
        if kind is p.Conditional:
            return self._conditional(module, e, frame)
        if kind is p.Concat:
            return self._concat(module, e, frame)
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
                return self._fallback(e.op, left, module, e, e.value, frame)
            return self.possible(module, e.value, frame) if e.op == "" else [UNKNOWN]
        if kind is p.Sequence:
            rows: list[Possible] = []
            for item in islice(e.items, 8):
                rows += self.possible(module, item.value if type(item) is p.Spread else item, frame)
            return rows or [Possible(None)]
        if kind in (p.Record, p.Function, p.Class):
            return [Possible(None)]
        return [UNKNOWN]

    def _logical(self, module: Module, e: p.Logical, frame: Frame | None) -> list[Possible]:
        left = self.possible(module, e.left, frame)
        if e.op == "and":
            condition = Condition(module, e.left, True)
            right = [replace(q, conditions=(*q.conditions, condition)) for q in self.possible(module, e.right, frame)]
            return right + [q for q in left if q.falsy]
        return self._fallback(e.op, left, module, e, e.right, frame)

    def _fallback(self, op: str, left: list[Possible], module: Module, joint: Any, right: Any,
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
                row = _joined(other, q.absent, Site(module, joint), q.conditions)
                rows.append(row if row.joint else replace(row, joint=Site(module, joint)))
        return rows

    def _conditional(self, module: Module, e: p.Conditional, frame: Frame | None) -> list[Possible]:
        rows = []
        for arm, truth in ((e.then, True), (e.otherwise, False)):
            absent = self.absent(module, e.test, truth, frame)
            condition = (Condition(module, e.test, truth),)
            present = {v for r in self.absent(module, e.test, not truth, frame) for v in r.variables}
            for q in self.possible(module, arm, frame):
                if q.nothing and present.intersection(v for r in q.absent for v in r.variables):
                    continue
                rows.append(_joined(q, absent, Site(module, e), condition))
        return rows

    def _concat(self, module: Module, e: p.Concat, frame: Frame | None) -> list[Possible]:
        parts = []
        for part in e.parts[:24]:
            values = self.possible(module, part, frame) or [UNKNOWN]
            parts.append(values[:6])
        rows = []
        for combination in islice(product(*parts), MOST):
            text = "".join(HOLE if q.text is None else q.text for q in combination)
            # the part that names a host says most, then the longest
            origin = max((q for q in combination if q.origin),
                         key=lambda q: ("://" in (q.text or ""), len(q.text or "")), default=None)
            rows.append(Possible(
                text, False,
                _merged(q.reads for q in combination), _merged(q.absent for q in combination),
                next((q.joint for q in combination if q.joint), None),
                origin.origin if origin else None,
                tuple(c for q in combination for c in q.conditions),
                any(q.from_argument for q in combination),
            ))
        return rows

    # -- reads ----------------------------------------------------------------------------------------------------

    def _read(self, module: Module, access: Access, frame: Frame | None) -> list[Possible]:
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
                rows.append(_joined(q, (read,), Site(module, access.node), ()))
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
                rows.append(_joined(q, (read,), Site(module, declaration.node), ()))
        elif declaration.optional:
            filled = computed(declaration.owner, declaration.field)
            rows.append(UNKNOWN if filled else Possible(None, nothing=True, absent=(read,)))
        return rows

    def absent(self, module: Module, test: Any, truth: bool, frame: Frame | None = None) -> tuple[Read, ...]:
        """The reads that must have given nothing where ``test`` came out as ``truth``."""
        kind = type(test)
        if kind is p.Not:
            return self.absent(module, test.value, not truth, frame)
        if kind is p.Logical and (test.op == "and" or (test.op == "or" and (truth or type(test.right) is not p.Text))):
            left = self.absent(module, test.left, truth, frame)
            right = self.absent(module, test.right, truth, frame)
            return _merged((left, right))
        if asked_of_items := asked_of_each(self, module, test, truth):
            return _merged(self.absent(s.module, s.node, t, frame) for s, t in asked_of_items)
        if kind is p.Compare:
            return self._absent_compared(module, test, truth, frame)
        if kind is p.Call and (asked_of := _each(test)):
            return _merged(self.absent(module, item, truth, frame) for item in asked_of)
        if kind is p.Call and (says := self._says(module, test)) is not None:
            return self._missing(module, test.args[0].value, frame) if truth == (says == "absent") else ()
        if kind in (p.Call, p.Name) and (asked := self._question(module, test)) is not None:
            return self.absent(asked.module, asked.node, truth)
        if truth:
            return ()
        if kind is p.Call and type(test.callee) is p.Member and test.args:
            if self.environment.mapping(module, test.callee.of) and self.environment.access(module, test) is None:
                return self._variable(module, test.args[0].value, test, frame)
        return self._missing(module, test, frame)

    def _question(self, module: Module, test: Any) -> Site | None:
        """The test that a name or a call stands for: ``enabled = !!env.A && !!env.B``, ``isEnabled()``."""
        memo = module.memo.setdefault(Values._question, {})
        key = id(test)
        if key not in memo:
            memo[key] = None  # a test that asks for itself says nothing
            site = None
            if type(test) is p.Name:
                where, found = self.environment.definitions(module, test)
                if len(found) == 1 and found[0].kind == "value" and found[0].value is not None and not found[0].path:
                    site = Site(where, found[0].value)
            elif (made := self.callee(module, test)) is not None and type(made.node) is p.Function:
                own = self.returns(made.module, made.node)
                if len(own) == 1 and own[0].value is not None:
                    site = Site(made.module, own[0].value)
            if site is not None and not self.asks(site.module, site.node):
                site = None
            memo[key] = site
        found_site: Site | None = memo[key]
        return found_site

    def asks(self, module: Module, node: Any) -> bool:
        """Whether an expression asks something, instead of being a value itself."""
        if type(node) is p.Logical:
            return self.asks(module, node.left) and self.asks(module, node.right)
        return type(node) in (p.Not, p.Compare) or (type(node) is p.Call and self._says(module, node) is not None)

    def _says(self, module: Module, call: p.Call) -> str | None:
        """"absent" or "present": what a call that asks about its one argument has found out where it is true."""
        if len(call.args) != 1 or call.args[0].spread:
            return None
        callee = call.callee
        last = callee.name if type(callee) is p.Member else callee.id if type(callee) is p.Name else ""
        return self.predicates.get(("python" if module.program.language == "python" else "javascript", last))

    def _missing(self, module: Module, expression: Any, frame: Frame | None) -> tuple[Read, ...]:
        return _merged(q.absent for q in self.possible(module, expression, frame) if q.falsy and q.absent)

    def _absent_compared(self, module: Module, test: p.Compare, truth: bool, frame: Frame | None) -> tuple[Read, ...]:
        if test.op in ("in", "not in"):
            if truth == (test.op == "not in") and self.environment.mapping(module, _keys_of(test.right)):
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
        names = tuple(q.text for q in self.possible(module, name, frame) if q.text and q.text.strip(HOLE))
        return (Read(names, Site(module, node), "nothing", "presence"),) if names else ()

    # -- names and members ----------------------------------------------------------------------------------------

    def _name(self, module: Module, e: p.Name, frame: Frame | None) -> list[Possible]:
        where, found = self.environment.definitions(module, e)
        if not found:
            return [UNKNOWN]
        if where is not module:
            frame = None
        return self._bindings(where, found, frame)

    def _bindings(self, module: Module, found: list[Definition], frame: Frame | None) -> list[Possible]:
        key = id(found[0])
        if key in self._raw:
            return self._raw[key]
        if len(found) == 1:
            return self._definition(module, found[0], frame)
        values = []
        for definition in found[:8]:
            node = definition.node if isinstance(definition.node, p.Statement) else definition.node.target \
                if type(definition.node) in (p.Param, p.WithItem) else definition.node
            values.append((node, self._definition(module, definition, frame)))
        self._raw[key] = [q for _, row in values for q in row]
        try:
            return self._join(module, values, frame)
        finally:
            del self._raw[key]

    def _definition(self, module: Module, d: Definition, frame: Frame | None) -> list[Possible]:
        if d.kind == "param":
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
            if variable := self.environment.imported(module, d):
                read = Read((variable,), Site(module, d.node), "nothing", "import")
                return [Possible(HOLE, reads=(read,)), Possible(None, nothing=True, absent=(read,))]
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
            return self._read(module, Access(node, (key,), d.default, "nothing", form="mapping"), frame)
        rows = self._part_of_call(module, value, key, frame) if len(d.path) == 1 else None
        if rows is None:
            rows = self._property_path(module, value, d.path, frame)
        if rows is None:
            rows = self.possible(module, value, frame) if type(value) in (p.Call, p.Await) else [UNKNOWN]
        if d.default is not None:
            rows = self._fallback("nullish", rows, module, d.node, d.default, frame)
        return rows

    def _entry_of(self, d: Definition) -> Any:
        """The entry of a destructuring pattern that binds ``d``: that is where the variable is named."""
        target = d.node.target if hasattr(d.node, "target") else None
        if type(target) is p.Record:
            for entry in target.entries:
                if entry.at[0] <= d.at[0] and d.at[1] <= entry.at[1]:
                    return entry
        return None

    def _property_path(self, module: Module, value: Any, path: tuple[str | int, ...],
                       frame: Frame | None) -> list[Possible] | None:
        sites = self.objects(module, value)
        for part in path[:-1]:
            sites = [s for site in sites for s in self._property_sites(site, part)]
        rows: list[Possible] = []
        for site in sites:
            if (found := self._property(site, path[-1], frame)) is not None:
                rows += found
        return rows or None

    def _property_sites(self, site: Site, part: str | int) -> list[Site]:
        node = site.node
        if type(node) is p.Record and isinstance(part, str):
            for entry in node.entries:
                if type(entry.key) is p.Text and entry.key.value == part:
                    return self._read_objects(site.module, entry.value)
        if type(node) is p.Class and isinstance(part, str):
            return [s for module, value in self._class_values(site.module, node, part)
                    for s in self._read_objects(module, value)]
        if type(node) is p.Sequence and isinstance(part, int) and -len(node.items) <= part < len(node.items):
            return self.objects(site.module, node.items[part])
        return []

    def _read_objects(self, module: Module, value: Any) -> list[Site]:
        """The objects that reading a property gives whose value is ``value``; a getter gives what it returns."""
        if type(value) is p.Function and (value.kind == "get" or value.decorators):
            return [s for statement in self.returns(module, value)[:3] if statement.value is not None
                    for s in self.objects(module, statement.value)]
        return self.objects(module, value)

    def _member(self, module: Module, e: Any, frame: Frame | None) -> list[Possible]:
        access = self.environment.access(module, e)
        if access is not None:
            return self._read(module, access, frame)
        if type(e) is p.Member:
            part: Any = e.name
        elif type(e.key) is p.Text:
            part = e.key.value
        elif type(e.key) is p.Number:
            part = int(e.key.value)
        else:
            return [UNKNOWN]
        rows: list[Possible] = []
        for site in self.objects(module, e.of):
            if (found := self._property(site, part, frame)) is not None:
                rows += found
        if not rows and isinstance(part, str):
            rows = self._namespace(module, e, part) or []
        if rows:
            return rows
        if isinstance(part, int):
            values = self.possible(module, e.of, frame)
            return [replace(q, text=(q.text or "").split(",")[0] if q.text else q.text) for q in values]
        return [UNKNOWN]

    def _namespace(self, module: Module, e: Any, part: str) -> list[Possible] | None:
        """``module.name`` where the module is one of this project."""
        if type(e.of) is not p.Name:
            return None
        found = module.only(e.of.id, e.of)
        if found is None or found.kind != "import" or found.statement is None:
            return None
        from connlint.project.answer import Found

        specifier = found.statement.module
        if found.node.name != "*":
            if module.program.language != "python":
                return None
            specifier = specifier + ("" if specifier.endswith(".") else ".") + found.node.name
        if not self.environment.matters(module, specifier, part):
            return None
        answer = self.project.resolve(module, specifier)
        target = self.project.module(answer.path) if isinstance(answer, Found) else None
        exported = self.project.exported(target, part) if target is not None else None
        return self._bindings(*exported, None) if exported else None

    def _property(self, site: Site, part: str | int, frame: Frame | None) -> list[Possible] | None:
        """The values of one property of an object; None where the object does not say."""
        node, module = site.node, site.module
        if type(node) is p.Record:
            later: list[Possible] = []
            for entry in reversed(node.entries):
                if entry.key is None:
                    # what is spread after the property may hold it too
                    inner = self.objects(module, entry.value)
                    given = [q for s in inner for q in self._property(s, part, frame) or ()]
                    later += given or ([] if inner else [UNKNOWN])
                if type(entry.key) is p.Text and entry.key.value == part:
                    if entry.kind in ("get", "method"):
                        getter = entry.value
                        if entry.kind == "get" and type(getter) is p.Function:
                            return self._returned(module, getter, None)
                        return [Possible(None)]
                    return [*later, *self.possible(module, entry.value, frame)]
            return [q for q in later if q is not UNKNOWN] or None
        if type(node) is p.Sequence and isinstance(part, int):
            inside = -len(node.items) <= part < len(node.items)
            return self.possible(module, node.items[part], frame) if inside else None
        if type(node) is p.Class and isinstance(part, str):
            for declaration in self.environment.declarations(module):
                if declaration.owner is node and declaration.field == part:
                    return self.declared(module, declaration)
            values = []
            for where, value in self._class_values(module, node, part):
                if type(value) is p.Function:
                    values.append((value, self._returned(where, value, None)))
                else:
                    values.append((where.parent(value), self.possible(where, value, None)))
            if len(values) > 1:
                return self._join(module, values, None)
            if values:
                return values[0][1]
            for base in node.bases:
                for parent in self.objects(module, base.value) if base.name is None else ():
                    if type(parent.node) is p.Class and parent.node is not node:
                        if (found := self._property(parent, part, frame)) is not None:
                            return found
        return None

    def _class_values(self, module: Module, node: p.Class, name: str) -> list[tuple[Module, Any]]:
        """What a class gives its attribute ``name``: in its body, in its methods, by a property."""
        table = module.memo.get((Values.attributes, id(node)))
        if table is None:
            table = {}
            for statement in node.body:
                if type(statement) is p.Let and type(statement.target) is p.Name and statement.value is not None:
                    table.setdefault(statement.target.id, []).append(statement.value)
                elif type(statement) is p.Define and type(statement.value) is p.Function:
                    if statement.value.kind == "get" or any(
                            type(d) is p.Name and d.id.endswith("property") for d in statement.value.decorators):
                        table.setdefault(statement.name, []).append(statement.value)
            for target, value in self._assigned_members(module):
                if type(target.of) is p.Name and target.of.id in ("self", "this", "cls"):
                    if self._enclosing_class(module, target) is node:
                        table.setdefault(target.name, []).append(value)
            module.memo[(Values.attributes, id(node))] = table
        return [(module, value) for value in table.get(name, ())][:6]

    def _assigned_members(self, module: Module) -> list[tuple[p.Member, Any]]:
        found = module.memo.get(Values._assigned_members)
        if found is None:
            found = [(s.target, s.value) for s in module.nodes(p.Let)
                     if type(s.target) is p.Member and s.value is not None]
            found += [(a.target, a.value) for a in module.nodes(p.Assign)
                      if type(a.target) is p.Member and a.op in ("", "or", "nullish")]
            module.memo[Values._assigned_members] = found
        return found

    def _enclosing_class(self, module: Module, node: Any) -> p.Class | None:
        for above in module.parents(node):
            if type(above) is p.Class:
                return above
        return None

    def objects(self, module: Module, e: Any, depth: int = 0) -> list[Site]:
        """The records, sequences, classes (also for their instances) that ``e`` may be, as far as that is known."""
        memo = module.memo.setdefault(Values.objects, {})
        key = id(e)
        if key not in memo:
            memo[key] = []
            memo[key] = self._objects(module, e, depth) if depth <= 8 else []
        return memo[key]

    def _objects(self, module: Module, e: Any, depth: int) -> list[Site]:
        kind = type(e)
        if kind in (p.Record, p.Class, p.Sequence):
            return [Site(module, e)]
        if kind is p.Name:
            if e.id in ("self", "this", "cls"):
                owner = self._enclosing_class(module, e)
                return [Site(module, owner)] if owner else []
            where, found = self.environment.definitions(module, e)
            rows = []
            for d in found[:4]:
                if d.value is not None and d.kind in ("value", "class", "with") and not d.path:
                    if d.value is not e:
                        rows += self.objects(where, d.value, depth + 1)
            return rows
        if kind is p.Await:
            return self.objects(module, e.value, depth + 1)
        if kind is p.Call:
            name = self.environment.spelled(module, e.callee)
            if name in ("Object.freeze", "Object.seal") and e.args:
                return self.objects(module, e.args[0].value, depth + 1)
            made = self.callee(module, e)
            if made is not None and type(made.node) is p.Class:
                return [made]
            if made is not None:
                rows = []
                for statement in self.returns(made.module, made.node)[:3]:
                    if statement.value is not None:
                        rows += self.objects(made.module, statement.value, depth + 1)
                return rows
            return []
        if kind is p.Logical:
            return self.objects(module, e.left, depth + 1) + self.objects(module, e.right, depth + 1)
        if kind is p.Assign:
            return self.objects(module, e.value, depth + 1)
        if kind is p.Member and self.environment.access(module, e) is None:
            return [s for site in self.objects(module, e.of, depth + 1) for s in self._property_sites(site, e.name)]
        return []

    # -- calls ----------------------------------------------------------------------------------------------------

    def _call(self, module: Module, e: p.Call, frame: Frame | None) -> list[Possible]:
        access = self.environment.access(module, e)
        if access is not None:
            return self._read(module, access, frame)
        wrapped = self.wrapped(module, e)
        if wrapped is not None:
            return self.possible(module, wrapped, frame)
        made = self.callee(module, e)
        if made is not None and type(made.node) is p.Function:
            return self._applied(module, e, made, frame)
        if made is not None:
            return [Possible(None)]
        named = self._named(module, e)
        if named is not None:
            return self._read(module, named, frame)
        given = _merged(q.reads for a in e.args[:6] for q in self.possible(module, a.value, frame))
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
        memo = module.memo.setdefault(Values.callee, {})
        key = id(e)
        if key not in memo:
            memo[key] = None
            memo[key] = self._callee(module, target)
        return memo[key]

    def _callee(self, module: Module, target: Any) -> Site | None:
        if type(target) is p.Function:
            return Site(module, target)
        if type(target) is p.Name:
            where, found = self.environment.definitions(module, target)
            if len(found) == 1 and found[0].kind in ("function", "class", "value") and not found[0].path:
                return self._callable(where, found[0].value)
            return None
        if type(target) is not p.Member:
            return None
        for site in self.objects(module, target.of)[:2]:
            found_method = self._method(site, target.name)
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
        from connlint.project.answer import Found

        statement = definition.statement
        assert statement is not None
        specifier = statement.module
        if definition.node.name != "*":
            if module.program.language != "python":
                return None
            specifier += ("" if specifier.endswith(".") else ".") + definition.node.name
        if not self.environment.matters(module, specifier):
            return None
        answer = self.project.resolve(module, specifier)
        target = self.project.module(answer.path) if isinstance(answer, Found) else None
        exported = self.project.exported(target, name) if target is not None else None
        if exported and len(exported[1]) == 1:
            return self._callable(exported[0], exported[1][0].value)
        return None

    def _method(self, site: Site, name: str, depth: int = 0) -> Site | None:
        node = site.node
        if type(node) is p.Record:
            for entry in node.entries:
                if type(entry.key) is p.Text and entry.key.value == name and type(entry.value) is p.Function:
                    return Site(site.module, entry.value)
        if type(node) is p.Class:
            for statement in node.body:
                if type(statement) is p.Define and statement.name == name and type(statement.value) is p.Function:
                    return Site(site.module, statement.value)
                if type(statement) is p.Let and type(statement.target) is p.Name and statement.target.id == name:
                    if type(statement.value) is p.Function:
                        return Site(site.module, statement.value)
            found: Site | None
            for base in node.bases if depth < 4 else ():
                for parent in self.objects(site.module, base.value) if base.name is None else ():
                    if type(parent.node) is p.Class and parent.node is not node:
                        if (found := self._method(parent, name, depth + 1)) is not None:
                            return found
        return None

    def _named(self, module: Module, e: p.Call) -> Access | None:
        """A call that cannot be followed, but whose name says that it reads a variable."""
        callee = e.callee
        last = callee.name if type(callee) is p.Member else callee.id if type(callee) is p.Name else ""
        entry = self.environment.readers(module).named.get(last.lower().replace("_", ""))
        if entry is None:
            return None
        from connlint.project.environment import VARIABLE

        name = argument(e, entry["name"])
        if type(name) is not p.Text or not VARIABLE.match(name.value):
            return None
        return Access(e, (name,), argument(e, entry["default"]), entry["absent"], form="named")

    def returns(self, module: Module, function: p.Function) -> list[p.Return]:
        """The function's own ``return`` statements."""
        key = (Values.returns, id(function))
        found = module.memo.get(key)
        if found is None:
            found = module.memo[key] = list(_own_returns(function.body))
        return found

    def _part_of_call(self, module: Module, value: Any, part: str | int, frame: Frame | None) -> list[Possible] | None:
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
        if id(function) in self._active:
            return [UNKNOWN]
        bound = self._bind(module, call, made, frame)
        rows = self._returned(made.module, function, Frame(function, bound), part)
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
            return self.possible(made.module, param.default)
        rows = []
        for q in self.possible(module, given, frame) or [UNKNOWN]:
            if q.nothing and param.default is not None and made.module.program.language != "python":
                rows += [replace(_joined(d, q.absent, Site(module, call), q.conditions), from_argument=True)
                         for d in self.possible(made.module, param.default)]
            else:
                rows.append(replace(q, from_argument=True))
        return rows

    def _returned(self, module: Module, function: p.Function, frame: Frame | None,
                  part: str | int | None = None) -> list[Possible]:
        key = id(function)
        if key in self._active:
            return [UNKNOWN]
        self._active.add(key)
        try:
            values = []
            for statement in self.returns(module, function)[:10]:
                value = statement.value if part is None else _part(statement.value, part)
                if value is not None:
                    values.append((statement, self.possible(module, value, frame)))
            if not values:
                return [Possible(None)]
            return self._join(module, values, frame, function)
        finally:
            self._active.discard(key)

    # -- several values at once -----------------------------------------------------------------------------------

    def returned(self, module: Module, function: p.Function) -> list[Possible]:
        """What a call of ``function`` may give, nothing being known about its arguments."""
        return self._returned(module, function, None)

    def bindings(self, module: Module, found: list[Definition]) -> list[Possible]:
        """What a name with these definitions may be."""
        return self._bindings(module, found, None)

    def held(self, module: Module, node: Any) -> list[Condition]:
        """The conditions under which ``node`` is evaluated."""
        return conditions(module, node)

    def attributes(self, module: Module, owner: p.Class) -> list[str]:
        """The attributes that are given more than one value in their class."""
        self._class_values(module, owner, "")
        table: dict[str, list[Any]] = module.memo[(Values.attributes, id(owner))]
        return [name for name, rows in table.items() if len(rows) > 1]

    def attribute(self, module: Module, owner: p.Class, name: str) -> list[Possible]:
        """What the attribute ``name`` of a class may be."""
        return self._property(Site(module, owner), name, None) or []

    def _join(self, module: Module, values: list[tuple[Any, list[Possible]]], frame: Frame | None,
              inside: Any = None) -> list[Possible]:
        """One variable (or result) with several values: each with the reads that must be absent for it to be taken."""
        rows: list[Possible] = []
        overriding: list[tuple[int, tuple[Read, ...], Any]] = []
        tested = []
        for node, row in values:
            held = self._conditions(module, node, inside)
            if frame is not None and any(self._refuted(c, frame) for c in held):
                continue
            absent = _merged(self.absent(c.module, c.test, c.truth, frame) for c in held)
            absent = _merged((absent, self._caught(module, node, values)))
            present = _merged(self.absent(c.module, c.test, not c.truth, frame) for c in held)
            own = {v for q in row for r in q.reads for v in r.variables}
            present = tuple(r for r in present if own & set(r.variables))
            tested.append((node, row, absent, tuple(held), {v for r in present for v in r.variables}))
            if present:
                overriding.append((node.at[0], present, node))
        for node, row, absent, held_by, own_present in tested:
            if not absent and not held_by:
                for at, present, other in overriding:
                    if other is not node and node.at[0] < at:
                        absent = _merged((absent, present))
            for q in row:
                if not (q.nothing and own_present.intersection(v for r in q.absent for v in r.variables)):
                    rows.append(_joined(q, absent, Site(module, node), held_by))
        return rows

    def _conditions(self, module: Module, node: Any, inside: Any) -> list[Condition]:
        memo = module.memo.setdefault(Values._conditions, {})
        key = (id(node), id(inside))
        if key not in memo:
            memo[key] = conditions(module, node, inside)[:6]
        return memo[key]

    def _refuted(self, condition: Condition, frame: Frame) -> bool:
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
        if type(test) is not p.Name or not any(name == test.id for _, name in frame.bound):
            return False
        given = self.possible(condition.module, test, frame)
        if truth:
            return bool(given) and all(q.nothing and not q.absent for q in given)
        return bool(given) and all(not q.falsy and (q.text != HOLE or q.reads) for q in given)

    def _caught(self, module: Module, node: Any, values: list[tuple[Any, list[Possible]]]) -> tuple[Read, ...]:
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


class _Wrappers:
    """The ``[[wrapper]]`` tables of one language: calls and methods that keep a text's meaning."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.methods = {name for entry in entries for name in entry.get("methods", ())}
        self.calls = {name: entry["value"] for entry in entries for name in entry.get("names", ())}


def values_of(project: Project, apis: dict[str, list[dict[str, Any]]]) -> Values:
    """The one `Values` of a project, made with the tables of its first asker."""
    found = project.memo.get(Values)
    if found is None:
        found = project.memo[Values] = Values(project, apis.get("reader", []), apis.get("wrapper", []),
                                              apis.get("predicate", []))
    return found


def _joined(q: Possible, absent: tuple[Read, ...], joint: Site, held: tuple[Condition, ...]) -> Possible:
    if not absent and not held:
        return q
    return replace(q, absent=_merged((absent, q.absent)), conditions=(*q.conditions, *held),
                   joint=q.joint or (joint if absent else None))


def _merged(groups: Iterable[tuple[Read, ...]]) -> tuple[Read, ...]:
    """All reads of the groups once, by where they stand."""
    found: dict[tuple[int, tuple[str, ...]], Read] = {}
    for group in groups:
        for read in group:
            found.setdefault((id(read.site.node), read.variables), read)
    return tuple(found.values())


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
