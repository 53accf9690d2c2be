"""Where a value came from, as a dotted name: what was called to make it, seen through variables, attributes, functions
and files of the project.

``pool.connect()`` means something else for every kind of ``pool``. The origin of ``pool`` in ``pool = new Pool()`` is
"pg.Pool()", that of ``pool.connect()`` "pg.Pool().connect()". A parameter with a type has the origin "that type()".
None is the answer wherever there is doubt.
"""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.project.module import Definition, Module, without_default
from connlint.project.project import Project

_DEPTH = 10
_EMPTY = ("null", "undefined", "false")


class Origins:
    """Answers for one module of one project; keeps what it found."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project
        self._known: dict[int, str | None] = {}

    def of(self, expression: p.Expression, depth: int = 0) -> str | None:
        """The origin of ``expression``, or None."""
        key = id(expression)
        if key not in self._known:
            self._known[key] = None  # cuts cycles
            self._known[key] = self._of(expression, depth) if depth < _DEPTH else None
        return self._known[key]

    def elsewhere(self, module: Module) -> Origins:
        """The same question about another file."""
        return origins(module, self.project)

    def _of(self, expression: p.Expression, depth: int) -> str | None:
        kind = type(expression)
        if kind is p.Await:
            return self.of(expression.value, depth + 1)  # type: ignore[attr-defined]
        if kind is p.Call:
            return self._called(expression, depth)  # type: ignore[arg-type]
        if kind is p.Name:
            return self._named(expression, depth)  # type: ignore[arg-type]
        if kind is p.Member:
            return self._member(expression, depth)  # type: ignore[arg-type]
        if kind is p.Logical:
            return self.of(expression.right, depth + 1) or self.of(expression.left, depth + 1)  # type: ignore[attr-defined]
        if kind is p.Conditional:
            return self.of(expression.then, depth + 1) or self.of(expression.otherwise, depth + 1)  # type: ignore[attr-defined]
        if kind is p.Assign and expression.op in ("", "or", "nullish"):  # type: ignore[attr-defined]
            return self.of(expression.value, depth + 1)  # type: ignore[attr-defined]
        return None

    def _called(self, call: p.Call, depth: int) -> str | None:
        if type(call.callee) is p.Name and call.callee.id in ("require", "import"):
            whole = self.project.whole(self.module, call) if call.callee.id == "require" else None
            return self.elsewhere(whole[0]).of(whole[1], depth + 1) if whole else self.module.qualified(call)
        found = self.function_called(call)
        if found is not None:
            home, function = found
            there = self.elsewhere(home)
            for value in returned(function):
                if (origin := there.of(value, depth + 1)) is not None:
                    return origin
            return None
        name = self.of(call.callee, depth + 1)
        return None if name is None else f"{name}()"

    def function_called(self, call: p.Call) -> tuple[Module, p.Function] | None:
        """The function of this project that ``call`` runs, where it is one named by a plain name."""
        if type(call.callee) is not p.Name:
            return None
        home, found = self.project.definitions(self.module, call.callee)
        for definition in found:
            value = definition.value
            if len(found) == 1 and type(value) is p.Function and not definition.path:
                return home, value
        return None

    def _named(self, name: p.Name, depth: int) -> str | None:
        home, found = self.project.definitions(self.module, name)
        if not found:
            return name.id
        there = self if home is self.module else self.elsewhere(home)
        for definition in found:
            origin = there._defined(definition, depth)
            if origin is not None:
                return origin
        return None

    def _defined(self, definition: Definition, depth: int) -> str | None:
        if definition.kind == "import":
            return self.module._qualified_definition(definition, depth, alone=True)
        if definition.kind in ("value", "with") and definition.value is not None:
            value = definition.value
            if type(value) is p.Constant and value.value in _EMPTY:
                return self._annotated(definition.node)
            base = self.of(value, depth + 1)
            for part in definition.path:
                if base is None or not isinstance(part, str) or part == "*":
                    return self._annotated(definition.node) if not definition.path else None
                base = without_default(f"{base}.{part}")
            return base or self._annotated(definition.node)
        if definition.kind in ("param", "declared"):
            return self._annotated(definition.node)
        return None

    def _annotated(self, node: object) -> str | None:
        annotation = getattr(node, "annotation", None)
        if annotation is None:
            return None
        name = self.module.qualified(annotation)
        return None if name is None else f"{name}()"

    def _member(self, member: p.Member, depth: int) -> str | None:
        if type(member.of) is p.Name and member.of.id in ("this", "self"):
            owner = class_of(self.module, member)
            if owner is not None:
                return self._attribute(owner, member.name, depth)
        if type(member.of) is p.Name and not self.module.lookup(member.of.id, member.of):
            return self.module.qualified(member)  # a global, or a member of the global object
        base = self.of(member.of, depth + 1)
        return None if base is None else without_default(f"{base}.{member.name}")

    def _attribute(self, owner: p.Class, name: str, depth: int) -> str | None:
        """What ``this.name`` of a class was made by: a field, an assignment in a method, a typed constructor."""
        for value, annotation in attribute_values(self.module, owner).get(name, ()):
            if value is not None and (origin := self.of(value, depth + 1)) is not None:
                return origin
            if annotation is not None and (typed := self.module.qualified(annotation)) is not None:
                return f"{typed}()"
        return None


def origins(module: Module, project: Project) -> Origins:
    """The answers about ``module``, made once."""
    found: Origins | None = module.memo.get(Origins)
    if found is None:
        found = module.memo[Origins] = Origins(module, project)
    return found


def class_of(module: Module, thing: object) -> p.Class | None:
    """The class whose method evaluates ``thing``: the one that ``this`` or ``self`` means there."""
    for above in module.parents(thing):
        if type(above) is p.Class:
            return above
    return None


def returned(function: p.Function) -> list[p.Expression]:
    """What ``function`` returns, in order, without what functions inside it return."""
    found: list[p.Expression] = []
    waiting: list[object] = list(reversed(function.body))
    while waiting:
        thing = waiting.pop()
        kind = type(thing)
        if kind is p.Return:
            if thing.value is not None:  # type: ignore[attr-defined]
                found.append(thing.value)  # type: ignore[attr-defined]
        elif isinstance(thing, p.Statement) or kind in (p.Handler, p.Case):
            if kind not in (p.Define, p.Evaluate, p.Let):
                waiting.extend(reversed([c for c in p.children(thing) if not isinstance(c, p.Expression)]))
    return found


_Values = list[tuple[p.Expression | None, p.Expression | None]]


def attribute_values(module: Module, owner: p.Class) -> dict[str, _Values]:
    """Attribute → (value, annotation) of every place in the class that sets it, typed parameters included."""
    table: dict[int, dict[str, _Values]] = module.memo.setdefault(attribute_values, {})
    found = table.get(id(owner))
    if found is not None:
        return found
    found = table[id(owner)] = {}
    for statement in owner.body:
        if type(statement) is p.Let and type(statement.target) is p.Name:
            found.setdefault(statement.target.id, []).append((statement.value, statement.annotation))
        elif type(statement) is p.Define and type(statement.value) is p.Function:
            if statement.value.kind == "constructor":
                for param in statement.value.params:
                    if type(param.target) is p.Name and param.annotation is not None:
                        # TypeScript's parameter properties; a plain parameter of that name is a good guess as well
                        found.setdefault(param.target.id, []).append((None, param.annotation))
    for node in _assigned(module).get(id(owner), ()):
        found.setdefault(node.target.name, []).append((node.value, getattr(node, "annotation", None)))
    return found


def _assigned(module: Module) -> dict[int, list[Any]]:
    """The classes of ``module`` by identity, with what sets an attribute in their methods."""
    table: dict[int, list[Any]] | None = module.memo.get(_assigned)
    if table is None:
        table = module.memo[_assigned] = {}
        nodes: list[Any] = [*module.nodes(p.Let), *module.nodes(p.Assign)]
        for node in nodes:
            target = node.target
            if type(target) is p.Member and type(target.of) is p.Name and target.of.id in ("this", "self"):
                table.setdefault(id(class_of(module, target)), []).append(node)
    return table
