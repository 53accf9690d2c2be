"""What an expression stands for in the project: a function, a class, an instance of one, an object literal, a module.

Followed through variables, imports, members, object literals and what functions return; None where there is doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.project.answer import Found
from connlint.project.importers import importers
from connlint.project.module import Definition, Module
from connlint.project.project import Project

_DEPTH = 10
_SELF = ("this", "self", "cls", "super")
_EMPTY = ("null", "undefined", "false")
_READ_LIKE_A_FIELD = ("property", "cached_property")
_STORING = ("cache", "memoize", "memo", "once", "lazy", "singleton", "lru_cache", "memoizeOne", "unstable_cache")
"""Functions that take a function and give one back that runs it at most once."""


class Thing(Struct, frozen=True, eq=False):
    """``node`` in ``module``: a function, class or record; a `Program` is a module; ``instance`` of a class."""

    module: Module
    node: Any
    instance: bool = False

    def is_at(self, other: Thing) -> bool:
        """Whether both are the same piece of the project, even if its file was read twice."""
        return self.node.at == other.node.at and self.module.path == other.module.path and (
            type(self.node) is type(other.node))


def thing(module: Module, expression: Any, project: Project, depth: int = 0) -> Thing | None:
    """What ``expression``, evaluated in ``module``, stands for."""
    if depth > _DEPTH:
        return None
    kind = type(expression)
    if kind in (p.Function, p.Class, p.Record):
        return Thing(module, expression)
    if kind is p.Name:
        return _named(module, expression, project, depth)
    if kind is p.Member or (kind is p.Index and type(expression.key) is p.Text):
        name = expression.name if kind is p.Member else expression.key.value
        base = thing(module, expression.of, project, depth + 1)
        if base is not None and (found := member(base, name, project, depth + 1)) is not None:
            return found
        return _dotted(module, expression, project, depth)
    if kind is p.Call:
        if (home := _required(module, expression, project)) is not None:
            return Thing(home, home.program)
        base = thing(module, expression.callee, project, depth + 1)
        if base is None:
            if expression.args and type(expression.args[0].value) in (p.Function, p.Name):
                if last_name(expression.callee) in _STORING:
                    return thing(module, expression.args[0].value, project, depth + 1)
            return None
        if type(base.node) is p.Class and not base.instance:
            return Thing(base.module, base.node, True)
        if type(base.node) is p.Function:
            for value in returned(base.node):
                found = thing(base.module, value, project, depth + 2)
                if found is not None:
                    return found
        return None
    if kind is p.Await:
        return thing(module, expression.value, project, depth + 1)
    if kind is p.Logical:
        return (thing(module, expression.right, project, depth + 1)
                or thing(module, expression.left, project, depth + 1))
    if kind is p.Conditional:
        return (thing(module, expression.then, project, depth + 1)
                or thing(module, expression.otherwise, project, depth + 1))
    if kind is p.Assign:
        return thing(module, expression.value, project, depth + 1)
    return None


def _named(module: Module, name: p.Name, project: Project, depth: int) -> Thing | None:
    if name.id in _SELF and (name.id in ("this", "super") or _is_first_param(module, name)):
        owner = class_around(module, name)
        if owner is not None:
            return Thing(module, owner, name.id != "cls")
        record = record_around(module, name)
        return Thing(module, record) if record is not None else None
    home, found = project.definitions(module, name)
    for definition in found:
        answer = _defined(home, definition, project, depth)
        if answer is not None:
            return answer
    return None


def _defined(home: Module, definition: Definition, project: Project, depth: int) -> Thing | None:
    if definition.kind in ("function", "class"):
        return Thing(home, definition.value)
    if definition.kind == "import":
        return _module_imported(home, definition, project)
    if definition.kind in ("value", "with") and definition.value is not None:
        value = definition.value
        if type(value) is p.Constant and value.value in _EMPTY:
            return None
        answer = thing(home, value, project, depth + 1)
        for part in definition.path:
            if answer is None or not isinstance(part, str):
                return None
            answer = member(answer, part, project, depth + 1)
        return answer
    return None


def _module_imported(home: Module, definition: Definition, project: Project) -> Thing | None:
    """The module that an import binds to a name: a namespace, or a submodule taken from its package."""
    statement, name = definition.statement, definition.node
    if statement is None:
        return None
    module = statement.module
    if name.name != "*":
        if home.program.language != "python":
            return None
        if name.name not in importers(project).stems:
            return None
        module += ("" if module.endswith(".") else ".") + name.name
    elif statement.top_only:
        module = module.split(".")[0]
    answer = project.resolve(home, module)
    target = project.module(answer.path) if type(answer) is Found else None
    return Thing(target, target.program) if target is not None else None


def _required(module: Module, call: p.Call, project: Project) -> Module | None:
    if type(call.callee) is p.Name and call.callee.id in ("require", "import") and call.args:
        if type(call.args[0].value) is p.Text:
            answer = project.resolve(module, call.args[0].value.value)
            return project.module(answer.path) if type(answer) is Found else None
    return None


def _dotted(module: Module, expression: p.Expression, project: Project, depth: int) -> Thing | None:
    """``a.b.c`` where ``a.b`` is a Python module that was imported by that name."""
    if module.program.language != "python":
        return None
    name = module.qualified(expression)
    if name is None or "." not in name.lstrip("."):
        return None
    head, _, last = name.rpartition(".")
    if head.rpartition(".")[2] not in importers(project).stems:
        return None
    answer = project.resolve(module, head)
    if type(answer) is Found:
        target = project.module(answer.path)
        if target is not None:
            return member(Thing(target, target.program), last, project, depth + 1)
    return None


def member(base: Thing, name: str, project: Project, depth: int = 0) -> Thing | None:
    """What ``name`` of ``base`` stands for."""
    if depth > _DEPTH:
        return None
    node = base.node
    if type(node) is p.Program:
        answer = project.exported(base.module, name)
        if answer is None:
            return None
        home, definitions = answer
        for definition in definitions:
            if (result := _defined(home, definition, project, depth + 1)) is not None:
                return result
        return None
    if type(node) is p.Record:
        for entry in node.entries:
            if type(entry.key) is p.Text and entry.key.value == name:
                return thing(base.module, entry.value, project, depth + 1)
        return None
    if type(node) is p.Class:
        for home, owner in lineage(base.module, node, project):
            for statement in owner.body:
                if type(statement) is p.Define and statement.name == name:
                    return Thing(home, statement.value)
                if type(statement) is p.Let and type(statement.target) is p.Name and statement.target.id == name:
                    if statement.value is not None:
                        return thing(home, statement.value, project, depth + 1)
            for value in attribute_values(home, owner, name):
                if (found := thing(home, value, project, depth + 1)) is not None:
                    return found
    return None


def bindings(module: Module) -> list[Any]:
    """Every declaration and assignment of the module; both have a ``target`` and a ``value``."""
    return [*module.nodes(p.Let), *module.nodes(p.Assign)]


def attribute_values(module: Module, owner: p.Class, name: str) -> Iterator[p.Expression]:
    """What methods of ``owner`` assign to ``this.name`` or ``self.name``."""
    for node in bindings(module):
        target = node.target
        if type(target) is p.Member and target.name == name and type(target.of) is p.Name and node.value is not None:
            if target.of.id in _SELF and class_around(module, target) is owner:
                yield node.value


def lineage(module: Module, owner: p.Class, project: Project) -> Iterator[tuple[Module, p.Class]]:
    """``owner`` and the classes of the project that it extends, nearest first."""
    seen = 0
    waiting = [(module, owner)]
    while waiting and seen < 8:
        home, here = waiting.pop(0)
        yield home, here
        seen += 1
        for base in here.bases:
            if base.name is None and not base.spread:
                found = thing(home, base.value, project, 3)
                if found is not None and type(found.node) is p.Class and not found.instance:
                    waiting.append((found.module, found.node))


def constructed(owner: Thing, project: Project) -> Iterator[Thing]:
    """What runs when the class ``owner`` is called: its constructor, or the nearest one that it inherits, and fields;
    what a constructor calls of those that it inherits, too.

    The class itself stands for the values of its fields.
    """
    for home, here in lineage(owner.module, owner.node, project):
        yield Thing(home, here)
        found = False
        for statement in here.body:
            if type(statement) is p.Define and type(statement.value) is p.Function:
                if statement.value.kind == "constructor" or statement.name in ("__init__", "__new__", "__post_init__"):
                    yield Thing(home, statement.value)
                    found = found or not calls_inherited(home, statement.value)
        if found:
            return


def calls_inherited(module: Module, constructor: p.Function) -> bool:
    """Whether a constructor runs the one that its class inherits: JavaScript wants it so, Python has to be told."""
    if module.program.language != "python":
        return True
    return any(type(call.callee) is p.Member and call.callee.name == constructor.name
               for call in module.nodes_of(constructor, p.Call))


def run_by(module: Module, node: Any, project: Project) -> Iterator[Thing]:
    """The functions and classes of the project whose code runs when ``node``, a call or a member, is evaluated."""
    if type(node) is p.Call:
        found = thing(module, node.callee, project)
        if found is None:
            return
        if type(found.node) is p.Function:
            yield found
        elif type(found.node) is p.Class and not found.instance:
            yield from constructed(found, project)
        elif type(found.node) is p.Class:
            called = member(found, "__call__", project)
            if called is not None:
                yield called
    elif type(node) is p.Member:
        found = thing(module, node, project)
        if found is not None and type(found.node) is p.Function and is_getter(found.node):
            yield found


def is_getter(function: p.Function) -> bool:
    """Whether reading a member runs ``function``."""
    return function.kind == "get" or any(last_name(d) in _READ_LIKE_A_FIELD for d in function.decorators)


def last_name(expression: Any) -> str | None:
    """``c`` of ``a.b.c``, of ``c`` and of ``a.c()``."""
    if type(expression) is p.Call:
        expression = expression.callee
    if type(expression) is p.Name:
        return expression.id
    return expression.name if type(expression) is p.Member else None


def class_around(module: Module, node: Any) -> p.Class | None:
    """The class whose body holds ``node``; None where an object literal or a plain function comes first."""
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Class:
            return above
        if kind is p.Entry and above.kind != "value":
            return None
        if kind is p.Function and above.kind == "function" and not above.arrow and module.program.language != "python":
            return None
    return None


def record_around(module: Module, node: Any) -> p.Record | None:
    """The object literal whose method holds ``node``."""
    below = node
    for above in module.parents(node):
        if type(above) is p.Entry and type(below) is p.Function and not below.arrow:
            return module.parent(above)
        if type(above) is p.Class:
            return None
        below = above
    return None


def _is_first_param(module: Module, name: p.Name) -> bool:
    found = module.lookup(name.id, name)
    if len(found) != 1 or found[0].kind != "param":
        return False
    for above in module.parents(name):
        if type(above) is p.Function and above.params and above.params[0] is found[0].node:
            return type(module.parent(module.parent(above))) is p.Class
    return False


def returned(function: p.Function) -> Iterator[p.Expression]:
    """What ``function`` returns, in order, without what functions inside it return."""
    waiting: list[Any] = list(reversed(function.body))
    while waiting:
        here = waiting.pop()
        if type(here) is p.Return:
            if here.value is not None:
                yield here.value
        elif isinstance(here, p.Statement) or type(here) in (p.Handler, p.Case):
            if type(here) not in (p.Define, p.Evaluate, p.Let):
                waiting.extend(reversed([c for c in p.children(here) if not isinstance(c, p.Expression)]))
