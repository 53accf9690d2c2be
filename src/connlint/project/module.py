"""A program with its index: who stands inside whom, which name means what, and what is called how.

All of this is about one file. What lies behind an import is `connlint.project.project`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

from msgspec import Struct, field

from connlint.model import program as p
from connlint.model.source import Source, Span

T = TypeVar("T")
DefinitionKind = Literal[
    "import", "value", "param", "function", "class", "loop", "caught", "with", "declared", "type", "unread", "changed"
]
Key = Callable[..., Any] | tuple[Callable[..., Any], *tuple[Any, ...]]
"""What something is kept under: the function that computes it or the class that it is, perhaps with what it is about.
No two of these are the same by accident, as two texts may be."""
_AMBIENT = frozenset(("process", "window", "globalThis", "self", "global", "require", "module", "Deno", "Bun"))
"""What programs of JavaScript find around them."""
_GLOBAL_OBJECTS = ("window", "globalThis", "self", "global")


class Definition(Struct, eq=False):
    """One place that binds ``name``.

    ``value`` is the expression it is bound to, None where that is not known (a parameter, a loop variable).
    ``path`` leads from ``value`` to the bound part: texts are keys, numbers positions, "*" a rest. ``default`` is the
    value that destructuring or a parameter falls back to. ``node`` is the statement, parameter or imported name.
    "changed" stands for augmented assignment.
    """

    name: str
    kind: DefinitionKind
    node: Any
    at: Span
    value: p.Expression | None = None
    path: tuple[str | int, ...] = ()
    default: p.Expression | None = None
    statement: p.Import | None = None


class Scope(Struct, eq=False):
    """Names bound directly in a module, function, class or block."""

    kind: Literal["module", "function", "class", "block"]
    node: Any
    parent: Scope | None
    names: dict[str, list[Definition]] = field(default_factory=dict)
    outer: dict[str, bool] = field(default_factory=dict)
    stars: list[p.Import] = field(default_factory=list)

    def function(self) -> Scope:
        """The nearest function or module scope, this one included."""
        scope = self
        while scope.kind == "block" and scope.parent is not None:
            scope = scope.parent
        return scope

    def module(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


def without_default(name: str) -> str:
    """A qualified name without JavaScript's ``default`` parts and ``node:`` prefix, so that every way to import one
    thing gives one name: ``import Redis from "ioredis"`` and ``require("ioredis")`` are both ``ioredis``."""
    if name.startswith("node:"):
        name = name[5:]
    if ".default" in name:
        name = ".".join(part for i, part in enumerate(name.split(".")) if i == 0 or part != "default")
    return name


class Module:
    """One file of the project, indexed. Built in one walk over the program."""

    def __init__(self, path: str, source: Source, program: p.Program) -> None:
        self.path = path
        self.source = source
        self.program = program
        self.by_type: dict[type, list[Any]] = {}
        self._parents: dict[int, Any] = {}
        self._scopes: dict[int, Scope] = {}
        self._found: dict[tuple[str, int], list[Definition]] = {}
        self.memo: dict[Key, Any] = {}
        """Room for what is computed about this module and needed again."""
        self.scope = Scope("module", program, None)
        self._scopes[id(program)] = self.scope
        _Indexer(self).run()

    # -- structure ------------------------------------------------------------------------------------------------

    def nodes(self, kind: type[T]) -> list[T]:
        """All nodes of exactly this type, in the order in which they stand."""
        return self.by_type.get(kind, [])

    def nodes_of(self, function: p.Function | None, kind: type[T]) -> list[T]:
        """All nodes of exactly this type that a call of ``function`` evaluates, in the order in which they stand."""
        table: dict[int, list[T]] | None = self.memo.get((Module.nodes_of, kind))
        if table is None:
            table = self.memo[Module.nodes_of, kind] = {}
            for node in self.nodes(kind):
                table.setdefault(id(self.function(node)), []).append(node)
        return table.get(id(function), [])

    def parent(self, thing: Any) -> Any:
        """The node that directly holds ``thing``; None above the program."""
        return self._parents.get(id(thing))

    def parents(self, thing: Any) -> Iterator[Any]:
        """The nodes around ``thing``, from the inside out, the program last."""
        above = self._parents.get(id(thing))
        while above is not None:
            yield above
            above = self._parents.get(id(above))

    def function(self, thing: Any) -> p.Function | None:
        """The function whose call evaluates ``thing``; None where that is done while the module is loaded.

        Decorators, defaults of Python parameters, and comprehensions belong to what is around them.
        """
        below = thing
        for above in self.parents(thing):
            if type(above) is p.Function and above.kind != "inline":
                if not self._evaluated_outside(above, below, thing):
                    return above
            below = above
        return None

    def _evaluated_outside(self, function: p.Function, child: Any, thing: Any) -> bool:
        if any(child is d for d in function.decorators):
            return True
        return self.program.language == "python" and type(child) is p.Param

    def statement(self, thing: Any) -> p.Statement:
        """The innermost statement that ``thing`` is part of (or is)."""
        below = thing
        while not isinstance(below, p.Statement):
            below = self._parents[id(below)]
        return below

    def scope_of(self, thing: Any) -> Scope:
        """The scope in which ``thing`` is evaluated."""
        below = thing
        above = self._parents.get(id(thing))
        while above is not None:
            scope = self._scopes.get(id(above))
            if scope is not None and not (
                type(above) is p.Function and self._evaluated_outside(above, below, thing)
            ) and not (type(above) is p.Class and not isinstance(below, p.Statement)):
                return scope
            below, above = above, self._parents.get(id(above))
        return self.scope

    # -- names ----------------------------------------------------------------------------------------------------

    def lookup(self, name: str, where: Any) -> list[Definition]:
        """All definitions that ``name``, read at ``where``, may mean: those of the nearest scope that binds it.

        Empty for a name that this file does not bind: a global, a builtin, or something that a star import brought.
        """
        key = (name, id(where))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._lookup(name, where)
        return found

    def _lookup(self, name: str, where: Any) -> list[Definition]:
        scope: Scope | None = self.scope_of(where)
        first = True
        while scope is not None:
            if first or scope.kind != "class":  # methods do not see the names of their class
                if scope.outer.get(name):
                    return scope.module().names.get(name, [])
                if name in scope.names and name not in scope.outer:
                    return scope.names[name]
            if scope.kind != "block":
                first = False
            scope = scope.parent
        return []

    def only(self, name: str, where: Any) -> Definition | None:
        """The one definition of ``name``, if there is exactly one."""
        found = self.lookup(name, where)
        return found[0] if len(found) == 1 else None

    def qualified(self, expression: Any, _depth: int = 0) -> str | None:
        """The dotted name of ``expression`` as this file's imports make it, or None where that is not known.

        ``from os import getenv as g`` makes ``g`` "os.getenv"; ``const {Pool} = require("pg")`` makes ``Pool``
        "pg.Pool". JavaScript's ``default`` parts and ``node:`` prefixes are left out, ``window.x`` is "x". A name that
        the file does not bind stands for itself ("setInterval", "process"). Relative modules keep their dots. A name
        with several definitions has the first import among them (``try: import a except ImportError: import b``).
        """
        if _depth > 12:
            return None
        kind = type(expression)
        if kind is p.Name:
            found = self.lookup(expression.id, expression)
            if not found:
                return expression.id
            for definition in found:
                name = self._qualified_definition(definition, _depth, alone=len(found) == 1)
                if name is not None:
                    return name
            return None
        if kind is p.Member or (kind is p.Index and type(expression.key) is p.Text):
            name = expression.name if kind is p.Member else expression.key.value
            of = expression.of
            if type(of) is p.Name and of.id in _GLOBAL_OBJECTS and self.program.language != "python":
                if not self.lookup(of.id, of):
                    return name
            base = self.qualified(of, _depth + 1)
            return None if base is None else without_default(f"{base}.{name}")
        if kind is p.Await:
            return self.qualified(expression.value, _depth + 1)
        if kind is p.Call and type(expression.callee) is p.Name and expression.callee.id in ("require", "import"):
            if len(expression.args) >= 1 and type(expression.args[0].value) is p.Text:
                if not self.lookup(expression.callee.id, expression):
                    return without_default(expression.args[0].value.value)
        return None

    def _qualified_definition(self, definition: Definition, depth: int, *, alone: bool) -> str | None:
        if definition.kind == "import":
            statement, name = definition.statement, definition.node
            assert statement is not None
            if statement.top_only:
                return statement.module.split(".")[0]
            if name.name == "*":
                return without_default(statement.module)
            dot = "" if statement.module.endswith(".") else "."
            return without_default(f"{statement.module}{dot}{name.name}")
        if definition.kind == "value" and alone and definition.value is not None and definition.default is None:
            value = definition.value
            if type(value) in (p.Name, p.Member, p.Call, p.Await, p.Index):
                base = self.qualified(value, depth + 1)
                if base is None or (type(value) is p.Name and not self.lookup(value.id, value) and not definition.path):
                    # ``const x = someGlobal`` is that global; a call is only known where it loads a module
                    return base
                for part in definition.path:
                    if not isinstance(part, str) or part == "*":
                        return None
                    base = f"{base}.{part}"
                return without_default(base)
        return None


_BINDING = frozenset({p.Let, p.Define, p.Import, p.Function, p.Class, p.Assign, p.Loop, p.Handler, p.WithItem, p.Case,
                      p.Block, p.Switch, p.If, p.Try, p.Types, p.Unread})
"""The nodes that bind names or open a scope; see `_Indexer.bind`."""


class _Indexer:
    """Walks a program once and fills a module's tables."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.python = module.program.language == "python"

    def run(self) -> None:
        self.parents = self.module._parents
        self.shapes: dict[type, tuple[Callable[[Any], None], tuple[str, ...], bool]] = {}
        self.visit(self.module.program, ("body",), self.module.scope)

    def visit(self, thing: Any, fields: tuple[str, ...], scope: Scope) -> None:
        """Enter what stands in ``fields`` of ``thing``, and all below it."""
        # As `program.children` goes, written out: this is done for every node of every file that is read
        parents, shapes = self.parents, self.shapes
        for name in fields:
            value = getattr(thing, name)
            if value is None:
                continue
            for child in value if type(value) is tuple else (value,):
                kind = type(child)
                shape = shapes.get(kind)
                if shape is None:
                    if kind not in p.NODES:
                        continue
                    nodes = self.module.by_type[kind] = []
                    shape = shapes[kind] = nodes.append, p.fields_of(kind), kind in _BINDING
                # What two nodes share (the value of ``a = b = f()``) is evaluated once, by the first of them.
                if id(child) not in parents:
                    parents[id(child)] = thing
                    add, below, binds = shape
                    add(child)
                    inner = self.bind(child, kind, scope) if binds else scope
                    if below:
                        self.visit(child, below, inner)

    def new(self, kind: Any, node: Any, parent: Scope) -> Scope:
        scope = Scope(kind, node, parent)
        self.module._scopes[id(node)] = scope
        return scope

    def add(self, scope: Scope, definition: Definition) -> None:
        if definition.name in scope.outer:
            scope = scope.module() if scope.outer[definition.name] else self._enclosing(scope, definition.name)
        scope.names.setdefault(definition.name, []).append(definition)

    def _enclosing(self, scope: Scope, name: str) -> Scope:
        above = scope.parent
        while above is not None and (above.kind != "function" or name not in above.names):
            above = above.parent
        return above or scope.module()

    def bind(self, thing: Any, kind: type, scope: Scope) -> Scope:
        """Enter what ``thing`` binds; return the scope of what is inside it."""
        if kind is p.Let:
            target_scope = scope.function() if thing.how in ("var", "") else scope
            if thing.how in ("field", "static"):
                target_scope = scope
            self.pattern(thing.target, target_scope, "value" if thing.value is not None else "declared", thing,
                         thing.value)
        elif kind is p.Define:
            what: DefinitionKind = "function" if type(thing.value) is p.Function else "class"
            self.add(scope, Definition(thing.name, what, thing, thing.at, thing.value))
        elif kind is p.Import:
            for name in thing.names:
                if name.star:
                    scope.function().stars.append(thing)
                elif name.local is not None:
                    self.add(scope.function(), Definition(name.local, "import", name, name.at, statement=thing))
        elif kind is p.Function:
            inner = self.new("function", thing, scope)
            for param in thing.params:
                self.pattern(param.target, inner, "param", param, None, param.default)
            if self.python:
                self.outers(thing.body, inner)
            return inner
        elif kind is p.Class:
            return self.new("class", thing, scope)
        elif kind is p.Assign:
            target_kind = "value" if thing.op in ("", "or", "nullish", "and") else "changed"
            if type(thing.target) in (p.Name, p.Sequence, p.Record, p.Default):
                self.pattern(thing.target, self.assigned(scope, thing.target), target_kind, thing, thing.value)
        elif kind is p.Loop:
            inner = scope if self.python else self.new("block", thing, scope)
            if thing.target is not None:
                self.pattern(thing.target, inner.function() if self.python else inner, "loop", thing, None)
            return inner
        elif kind is p.Handler:
            inner = scope if self.python else self.new("block", thing, scope)
            if thing.target is not None:
                self.pattern(thing.target, inner, "caught", thing, None)
            return inner
        elif kind is p.WithItem:
            if thing.target is not None:
                self.pattern(thing.target, scope.function(), "with", thing, thing.value)
        elif kind is p.Case:
            if thing.target is not None:
                # ``case other:`` gives the subject another name
                switch: Any = self.parents.get(id(thing))
                whole = type(thing.target) is p.Name and thing.test is None and type(switch) is p.Switch
                self.pattern(thing.target, scope.function(), "value" if whole else "loop", thing,
                             switch.subject if whole else None)
            elif not self.python:
                return self.new("block", thing, scope)
        elif kind in (p.Block, p.Switch, p.If, p.Try) and not self.python:
            return self.new("block", thing, scope)
        elif kind is p.Types:
            for name in thing.names:
                # ``declare const process: …`` tells the checker of what is there anyway
                if thing.at_run_time or name not in _AMBIENT:
                    self.add(scope, Definition(name, "type", thing, thing.at))
        elif kind is p.Unread:
            for name in thing.names:
                self.add(scope, Definition(name, "unread", thing, thing.at))
        return scope

    def assigned(self, scope: Scope, target: Any) -> Scope:
        """Where an assignment that declares nothing binds: in Python its function, in JavaScript its declaration."""
        if self.python:
            return scope.function()
        if type(target) is p.Name:
            at: Scope | None = scope
            while at is not None:
                if target.id in at.names and at.kind != "class":
                    return at
                at = at.parent
        return scope.module()

    def outers(self, body: tuple[p.Statement, ...], scope: Scope) -> None:
        """``global`` and ``nonlocal`` hold for the whole function, wherever they stand in it."""
        for statement in body:
            kind = type(statement)
            if type(statement) is p.Outer:
                for name in statement.names:
                    scope.outer[name] = statement.module
            elif kind not in (p.Define, p.Evaluate, p.Let, p.Return):
                for child in p.children(statement):
                    if isinstance(child, p.Statement):
                        self.outers((child,), scope)
                    elif type(child) in (p.Handler, p.Case):
                        self.outers(child.body, scope)

    def pattern(self, target: Any, scope: Scope, kind: Any, node: Any, value: Any, default: Any = None,
                path: tuple[str | int, ...] = ()) -> None:
        """Enter every name that a target binds, with the way from the value to it."""
        what = type(target)
        if what is p.Name:
            self.add(scope, Definition(target.id, kind, node, target.at, value, path, default))
        elif what is p.Default:
            self.pattern(target.target, scope, kind, node, value, target.value, path)
        elif what is p.Sequence:
            for place, item in enumerate(target.items):
                self.pattern(item, scope, kind, node, value, None, (*path, place))
        elif what is p.Record:
            for entry in target.entries:
                key = entry.key.value if type(entry.key) is p.Text else "*"
                self.pattern(entry.value, scope, kind, node, value, None, (*path, key))
        elif what is p.Spread:
            self.pattern(target.value, scope, kind, node, value, None, (*path, "*"))
