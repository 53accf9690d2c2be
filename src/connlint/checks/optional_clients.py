"""Addresses that matter only to a client which the program builds on demand, and which nobody has demanded.

``if (env.CACHE_ENABLED)`` around the client, where that is off unless it is set; ``client: env.DB_KIND`` beside the
host, where the kind is SQLite unless it is set; ``enabled: bool = False`` beside the host; ``if provider == "ollama"``
around ``OLLAMA_URL``, or a table of functions by such names, where nothing says that this name is chosen.
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
from connlint.project.stage import Stages, words_of
from connlint.project.uses import references
from connlint.project.validators import filled_only_where_empty, validating_uses
from connlint.project.values import Values

Given = Callable[[str], str | bool]
"""Tells what a deployment sets a variable to: True where that is not known, False where it does not set it."""

OFF = frozenset(("", "0", "false", "no", "none", "off", "disabled"))
_KINDS = frozenset(("client", "dialect", "type", "engine", "provider"))
"""Keys beside an address that say which kind of database it belongs to."""
_MOST_FILES = 12
"""Files that use one variable, past which nothing is said about it."""
_DEEPEST = 3
"""Functions and classes, one behind the other, whose users are asked under which name they choose them."""


def is_idle(values: Values, stages: Stages, module: Module, node: Any, variable: str, given: Given,
            instead: set[str] | None = None) -> bool:
    """Whether every use of ``variable``, which ``node`` in ``module`` reads or declares, stands where the program does
    not come with what ``given`` says is set, or belongs to a database that has no host then. Variables that are set and
    taken instead are added to ``instead``."""
    if _is_switched_off(values, module, node, given):
        return True
    asker = _Uses(values, stages, frozenset(words_of(variable)), given, set() if instead is None else instead)
    symbol = _symbol(values, module, node, variable)
    if symbol is None:
        return asker.is_idle_at(module, node)
    let = module.parent(node)
    if type(let) is p.Let and module.function(let) is not None:
        # what a function calls so is its own
        readers = references(module, symbol, let.target)
        return bool(readers) and all(asker.is_idle_at(module, reader) for reader in readers)
    return asker.are_idle(module, node, symbol)


def is_embedded(values: Values, module: Module, node: Any) -> bool:
    """Whether ``node``, or each use of what is called so, stands in a record beside a kind of database that is one in
    a file, unless a variable says otherwise."""
    let = module.parent(node)
    named = let.target if type(let) is p.Let and type(let.target) is p.Name else None
    places = references(module, named.id, named) if named is not None else [node]
    places = [place for place in places if not _is_checked(module, place)]
    return bool(places) and all(any(type(above) is p.Record and _is_embedded(values, module, above, lambda _: False)
                                    for above in module.parents(place)) for place in places)


def _is_checked(module: Module, place: Any) -> bool:
    """Whether a value is handed to a call of which nothing is taken, as one is that looks whether settings hold."""
    given = module.parent(place)
    call = module.parent(given) if type(given) is p.Argument else None
    return type(call) is p.Call and type(call.callee) is p.Name and type(module.parent(call)) is p.Evaluate


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


class _Uses:
    """Judges the places that use one variable; ``words`` are those of its name. ``instead`` are the variables for which
    it is not asked."""

    def __init__(self, values: Values, stages: Stages, words: frozenset[str], given: Given, instead: set[str]) -> None:
        self.values, self.stages, self.words, self.given, self.instead = values, stages, words, given, instead

    def are_idle(self, module: Module, node: Any, symbol: str, depth: int = 0) -> bool:
        """Whether ``symbol``, which ``node`` in ``module`` is or defines, is used, and idly wherever that is."""
        found = False
        for other, use in self._of(module, node, symbol):
            if other is None:
                return False
            if not _is_only_asked(other, use):
                if not self.is_idle_at(other, use, depth):
                    return False
                found = True
        return found

    def _of(self, module: Module, node: Any, symbol: str) -> Iterator[tuple[Module | None, Any]]:
        """What reads ``symbol`` in the package, each with its module; None for one that cannot be read."""
        project = self.values.project
        root = package_root(project, module.path)
        prefix = f"{root}/" if root else ""
        word = re.compile(rb"\b" + re.escape(symbol.encode()) + rb"\b")
        paths = [path for path in sorted(project.tree.paths) if path.startswith(prefix) and path.endswith(CODE)
                 and self.stages.of_path(path) == "production" and word.search(project.tree.read(path) or b"")]
        if len(paths) > _MOST_FILES:
            yield None, None
            return
        for path in paths:
            other = project.module(path)
            if other is None:
                yield None, None
                continue
            # the same file may have been read twice, the second time whole
            parts = (node, module.parent(node)) if other.path == module.path else ()
            inside = [part.at for part in parts if type(part) not in (type(None), p.Program, p.Record, p.Class)]
            for member in other.nodes(p.Member):
                if member.name == symbol and not _within(member, inside):
                    yield other, member
            for name in other.nodes(p.Name):
                if name.id == symbol and not _within(name, inside):
                    yield other, name
            for call in other.nodes(p.Call):
                if type(call.callee) is p.Name and call.callee.id == "getattr" and len(call.args) > 1:
                    asked = call.args[1].value
                    if type(asked) is p.Text and asked.value == symbol:
                        yield other, call
            if other.path == module.path:
                yield from ((other, use) for use in validating_uses(other, node, symbol))

    def is_idle_at(self, module: Module, node: Any, depth: int = 0) -> bool:
        """Whether the program does not come to ``node``."""
        for c in conditions(module, node, leaves=self.stages.leaves):
            if _fails(self.values, c.module, c.test, c.truth, self.given) or self._chooses(c.module, c.test, c.truth):
                return True
            # it stands where another variable is not set, which is: ``if (process.env.DB_HOST) return …``
            if self._are_given(v for read in self.values.absent(c.module, c.test, c.truth) for v in read.variables):
                return True
        if (fields := filled_only_where_empty(module, node)) is not None:
            declared = self.values.environment.declarations(module)
            if all(self._are_given(v for d in declared if d.field == field for v in d.variables) for field in fields):
                return True
        holder = None
        for above in module.parents(node):
            kind = type(above)
            if kind is p.Record and _is_embedded(self.values, module, above, self.given):
                return True
            if kind is p.Entry and self._is_under_a_name(module, above):
                return True
            if kind is p.Let and depth < 2 and type(above.target) is p.Name and holder is None:
                name = above.target
                readers = [n for n in module.nodes(p.Name) if n.id == name.id and n is not name]
                return bool(readers) and module.function(above) is None and type(above.value) is p.Record and all(
                    self.is_idle_at(module, reader, depth + 1) for reader in readers)
            if kind is p.Define:
                holder = above
        return holder is not None and depth < _DEEPEST and self.are_idle(module, holder, holder.name, depth + 1)

    def _are_given(self, variables: Iterator[str]) -> bool:
        """Whether one of ``variables`` is set, which is then taken."""
        found = next(filter(self.given, variables), None)
        if found is not None:
            self.instead.add(found)
        return found is not None

    def _chooses(self, module: Module, test: Any, truth: bool) -> bool:
        """Whether a test asks for a name that the variable speaks of, and nothing tells that it is the one."""
        if not truth or type(test) is not p.Compare or test.op != "==":
            return False
        for side, other in ((test.left, test.right), (test.right, test.left)):
            if (name := _name_of_choice(other)) is not None and name <= self.words:
                return self._is_open(module, side, name)
        return False

    def _is_open(self, module: Module, chosen: Any, name: frozenset[str]) -> bool:
        """Whether ``chosen`` is not seen to be ``name``, and no variable that is set decides it."""
        rows = self.values.possible(module, chosen)
        if any(self.given(v) for q in rows for read in (*q.reads, *q.absent) for v in read.variables):
            return False
        if type(chosen) is p.Member and type(chosen.of) is p.Name:
            declared = declared_default(self.values, module, chosen.of, chosen.name)
            if declared is not None and (self.given(declared[0]) or frozenset(words_of(declared[1])) == name):
                return False
        return not any(q.text and frozenset(words_of(q.text)) == name for q in rows)

    def _is_under_a_name(self, module: Module, entry: p.Entry) -> bool:
        """Whether an entry of a table, from which one is chosen, stands under a name that the variable speaks of."""
        name = _name_of_choice(entry.key)
        record = module.parent(entry)
        let = module.parent(record)
        if name is None or not name <= self.words or type(let) is not p.Let or type(let.target) is not p.Name:
            return False
        table = let.target
        readers: list[Any] = [m for m in module.nodes(p.Member) if m.name == table.id] if type(
            module.parent(let)) is p.Class else list(references(module, table.id, table))
        chosen = [key for reader in readers if (key := _key_asked_for(module, reader)) is not None]
        return bool(chosen) and all(self._is_open(module, key, name) for key in chosen)


def _name_of_choice(node: Any) -> frozenset[str] | None:
    """The words of a name by which one of several is chosen: ``"ollama"``, ``Provider.OLLAMA``."""
    if type(node) is p.Member and node.name == "value":
        node = node.of
    text = node.value if type(node) is p.Text else node.name if type(node) is p.Member else ""
    return frozenset(words_of(text)) or None


def _key_asked_for(module: Module, table: Any) -> Any:
    """What stands for the key in ``table[key]`` and ``table.get(key)``."""
    above = module.parent(table)
    if type(above) is p.Index and above.of is table:
        return above.key
    call = module.parent(above) if type(above) is p.Member and above.of is table and above.name == "get" else None
    return call.args[0].value if type(call) is p.Call and call.callee is above and call.args else None


def _is_only_asked(module: Module, node: Any) -> bool:
    """Whether it is only asked whether there is something at ``node``: in a test, or in ``any([…])``; or it stands for
    a type."""
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind in (p.If, p.Conditional, p.Loop):
            return below is above.test
        if kind in (p.Param, p.Let):
            return below is above.annotation
        if kind is p.Call:
            return type(above.callee) is p.Name and above.callee.id in ("any", "all", "isinstance")
        if kind not in (p.Not, p.Logical, p.Sequence, p.Argument, p.Index):
            return kind is p.Opaque and above.why == "type"
        if kind is p.Index and below is node and above.of is node:
            return False
        below = above
    return False


def _within(node: Any, spans: list[tuple[int, int]]) -> bool:
    return any(first <= node.at[0] and node.at[1] <= last for first, last in spans)


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
    """What ``node`` is, in small letters, with what is ``given``: where the one variable that decides it is not set,
    "" for nothing. Empty where no variable decides it, or where it is set to what is not known."""
    if type(node) is p.Member and type(node.of) is p.Name:
        declared = declared_default(values, module, node.of, node.name)
        if declared is not None:
            told = given(declared[0])
            return {told.lower()} if isinstance(told, str) else set() if told else {declared[1].lower()}
    if type(node) not in (p.Name, p.Member, p.Index, p.Call, p.Logical, p.Conditional):
        return set()
    found: set[str] = set()
    for q in values.possible(module, node):
        names = {v for read in q.absent for v in read.variables}
        if names and not any(given(name) for name in names):
            found.add("" if q.nothing else (q.text or "?").lower())
        elif not names and len(q.reads) == 1 and q.text is None:
            told = given(q.reads[0].variables[0]) if len(q.reads[0].variables) == 1 else False
            found |= {told.lower()} if isinstance(told, str) else {"?"} if told else set()
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
