"""Addresses that matter only to a client which the program builds on demand, and which nobody has demanded.

``if (env.CACHE_ENABLED)`` around the client, where that is off unless it is set; ``client: env.DB_KIND`` beside the
host, where the kind is SQLite unless it is set; ``enabled: bool = False`` beside the host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from connlint.checks.deployed import CODE
from connlint.model import program as p
from connlint.project.answer import Found
from connlint.project.conditions import conditions
from connlint.project.module import Definition, Module
from connlint.project.packages import package_root
from connlint.project.project import Project, required
from connlint.project.stage import Stages
from connlint.project.uses import references
from connlint.project.values import Values

Given = Callable[[str], bool]
"""Tells whether a deployment sets a variable."""

OFF = frozenset(("", "0", "false", "no", "none", "off", "disabled"))
_KINDS = frozenset(("client", "dialect", "type", "engine", "provider"))
"""Keys beside an address that say which kind of database it belongs to."""
_MOST_FILES = 12
"""Files that use one variable, past which nothing is said about it."""


def is_idle(values: Values, stages: Stages, module: Module, node: Any, variable: str, given: Given) -> bool:
    """Whether every use of ``variable``, which ``node`` in ``module`` reads or declares, stands where the program does
    not come with what ``given`` says is set, or belongs to a database that has no host then."""
    if _is_switched_off(values, module, node, given):
        return True
    symbol = _symbol(values, module, node, variable)
    if symbol is None:
        return _is_idle_at(values, stages, module, node, given, 0)
    let = module.parent(node)
    if type(let) is p.Let and module.function(let) is not None:
        # what a function calls so is its own
        readers = references(module, symbol, let.target)
        return bool(readers) and all(_is_idle_at(values, stages, module, reader, given, 0) for reader in readers)
    found = False
    for other, use in _uses(values, stages, module, node, symbol):
        if other is None or not _is_idle_at(values, stages, other, use, given, 0):
            return False
        found = True
    return found


def _is_switched_off(values: Values, module: Module, node: Any, given: Given) -> bool:
    """Whether ``node`` is a field of settings of which another field says that they are not used, unless it is set:
    ``enabled: bool = False`` beside ``host``, ``mail_enabled`` beside ``mail_host``."""
    declared = values.environment.declarations(module)
    mine = next((it for it in declared if it.node is node), None)
    if mine is None or mine.owner is None:
        return False
    for other in declared:
        if other.owner is mine.owner and other is not mine and _switches(other.field, mine.field):
            default: Any = other.default
            if type(default) is p.Constant and default.value == "false" and not any(map(given, other.variables)):
                return True
    return False


def _switches(field: str, other: str) -> bool:
    """Whether a field of this name says whether ``other``, or all fields of the class, are used."""
    if field in ("enabled", "enable", "is_enabled"):
        return True
    for what in (field.removesuffix("_enabled"), field.removeprefix("use_"), field.removeprefix("enable_")):
        if what != field and other.startswith(f"{what}_"):
            return True
    return False


def _symbol(values: Values, module: Module, node: Any, variable: str) -> str | None:
    """The name by which the program goes on; None where the value is used where it is read."""
    for declaration in values.environment.declarations(module):
        if declaration.node is node:
            return declaration.field or variable
    let = module.parent(node)
    if type(let) is p.Let and let.value is node and type(let.target) is p.Name:
        return let.target.id
    return None


def _uses(values: Values, stages: Stages, module: Module, node: Any,
          symbol: str) -> Iterator[tuple[Module | None, Any]]:
    """What reads ``symbol`` in the package, each with its module; None for one that cannot be read."""
    project = values.project
    root = package_root(project, module.path)
    prefix = f"{root}/" if root else ""
    word = re.compile(rb"\b" + re.escape(symbol.encode()) + rb"\b")
    paths = [path for path in sorted(project.tree.paths) if path.startswith(prefix) and path.endswith(CODE)
             and stages.of_path(path) == "production" and word.search(project.tree.read(path) or b"")]
    if len(paths) > _MOST_FILES:
        yield None, None
        return
    for path in paths:
        other = project.module(path)
        if other is None:
            yield None, None
            continue
        inside = {id(part) for part in (node, other.parent(node) if other is module else None) if part is not None}
        for member in other.nodes(p.Member):
            if member.name == symbol and not _within(other, member, inside):
                yield other, member
        for name in other.nodes(p.Name):
            if name.id == symbol and not _within(other, name, inside):
                yield other, name


def _within(module: Module, node: Any, inside: set[int]) -> bool:
    return any(id(above) in inside for above in (node, *module.parents(node)) if type(above) is not p.Record)


def _is_idle_at(values: Values, stages: Stages, module: Module, node: Any, given: Given, depth: int) -> bool:
    if any(_fails(values, c.module, c.test, c.truth, given) for c in conditions(module, node, leaves=stages.leaves)):
        return True
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Record and _is_embedded(values, module, above, given):
            return True
        if kind is p.Let and depth < 2 and type(above.target) is p.Name:
            name = above.target
            readers = [n for n in module.nodes(p.Name) if n.id == name.id and n is not name]
            return bool(readers) and module.function(above) is None and type(above.value) is p.Record and all(
                _is_idle_at(values, stages, module, reader, given, depth + 1) for reader in readers)
        if kind is p.Function:
            return False
    return False


def _is_embedded(values: Values, module: Module, record: p.Record, given: Given) -> bool:
    """Whether a record describes a database in a file, unless a variable that is not set says otherwise."""
    for entry in record.entries:
        if type(entry.key) is p.Text and entry.key.value.lower() in _KINDS:
            if any("sqlite" in text for text in _unless_set(values, module, entry.value, given)):
                return True
    return False


def _fails(values: Values, module: Module, test: Any, truth: bool, given: Given) -> bool:
    """Whether ``test`` does not come out as ``truth`` where only what is ``given`` is set."""
    kind = type(test)
    if kind is p.Not:
        return _fails(values, module, test.value, not truth, given)
    if kind is p.Logical and test.op == ("and" if truth else "or"):
        return _fails(values, module, test.left, truth, given) or _fails(values, module, test.right, truth, given)
    if not truth:
        return False
    if kind is p.Compare and test.op == "==" and type(test.right) is p.Text:
        texts = _unless_set(values, module, test.left, given)
        return bool(texts) and test.right.value.lower() not in texts
    texts = _unless_set(values, module, test, given)
    return bool(texts) and texts <= OFF


def _unless_set(values: Values, module: Module, node: Any, given: Given) -> set[str]:
    """What ``node`` is, in small letters, where the one variable that decides it is not set; "" for nothing. Empty
    where no variable decides it, or where it is ``given``."""
    if type(node) is p.Member and type(node.of) is p.Name:
        declared = declared_default(values, module, node.of, node.name)
        if declared is not None:
            return set() if given(declared[0]) else {declared[1].lower()}
    if type(node) not in (p.Name, p.Member, p.Index, p.Call, p.Logical, p.Conditional):
        return set()
    found: set[str] = set()
    for q in values.possible(module, node):
        names = {v for read in q.absent for v in read.variables}
        if names and not any(given(name) for name in names):
            found.add("" if q.nothing else (q.text or "?").lower())
    return found


def declared_default(values: Values, module: Module, settings: p.Name, name: str) -> tuple[str, str] | None:
    """The variable that ``settings.name`` holds and its default, where another module declares both in a schema."""
    project: Project = values.project
    for definition in module.lookup(settings.id, settings):
        specifier = _loaded(definition)
        if specifier is None:
            continue
        answer = project.resolve(module, specifier)
        home = project.module(answer.path) if isinstance(answer, Found) else None
        for declaration in values.environment.declarations(home) if home is not None else ():
            default: Any = getattr(declaration.default, "value", None)
            if isinstance(default, (str, bool, int)) and name in (*declaration.variables, declaration.field):
                return declaration.variables[0], str(default)
    return None


def _loaded(definition: Definition) -> str | None:
    """The module that a name was imported from, or that it is as a whole: ``const env = require("./env")``."""
    if definition.kind == "import" and definition.statement is not None:
        return str(definition.statement.module)
    return required(definition.value) if definition.value is not None and not definition.path else None
