"""Which calls build a client, a pool or a connection, and where they say what to connect to.

The facts stand in the ``[[client]]`` tables; their fields are explained at the top of ``clients-javascript.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct, field

from connlint.model import program as p
from connlint.model.rule import Rules
from connlint.project.answer import Found
from connlint.project.importers import importers
from connlint.project.module import Definition, Module, without_default
from connlint.project.project import Project

_DEPTH = 8


class Construction(Struct, eq=False):
    """A call that builds what ``entry`` describes. ``name`` is the qualified name that was found in the table.

    ``subclass`` is a class of the project between the two, where the call builds that one.
    """

    entry: dict[str, Any]
    name: str
    call: p.Call
    module: Module
    project: Project
    subclass: p.Class | None = None
    _options: dict[str, p.Expression | None] = field(default_factory=dict)

    def option(self, place: str) -> p.Expression | None:
        """What stands at ``place``, a path as in the tables ("0", "host", "socket.host"), or None.

        A position gives no answer where an options object stands there; those are looked into by key.
        """
        if place not in self._options:
            self._options[place] = self._find(place)
        return self._options[place]

    def _find(self, place: str) -> p.Expression | None:
        head, _, rest = place.partition(".")
        if head.isdigit():
            value = self._positional(int(head))
            if value is None or len(self.call.args) > self.entry.get("most_arguments", 99):
                return None
            record = record_of(self.module, value, self.project)
            if rest:
                return within(self.module, value, rest, self.project)
            return None if record is not None else value
        for argument in self.call.args:
            if argument.name == place:
                return argument.value
            if argument.name == head and rest:
                return within(self.module, argument.value, rest, self.project)
        for argument in self.call.args:
            if argument.name is None and (self.entry["language"] == "javascript" or argument.spread):
                found = within(self.module, argument.value, place, self.project)
                if found is not None:
                    return found
        return None

    def _positional(self, number: int) -> p.Expression | None:
        plain = []
        for argument in self.call.args:
            if argument.spread:
                break
            if argument.name is None:
                plain.append(argument.value)
        return plain[number] if number < len(plain) else None

    def addresses(self) -> Iterator[tuple[str, p.Expression]]:
        """The places that say where to connect and are given, with their values; items of lists one by one."""
        for place in self.entry["address"]:
            value = self.option(place)
            if value is None:
                continue
            if type(value) is p.Sequence:
                for item in value.items:
                    yield place, item
            elif type(value) is not p.Record:
                yield place, value

    def may_be_replaced(self, place: str) -> bool:
        """Whether something unseen is spread over the option at ``place``, which the caller may thus give otherwise."""
        return any(
            (argument.spread or argument.name is None) and hidden(self.module, argument.value, place, self.project)
            for argument in self.call.args
        )

    @property
    def opaque(self) -> bool:
        """Whether some argument may hold options that cannot be seen (``**settings``, ``...options``, a variable)."""
        for argument in self.call.args:
            if argument.spread and record_of(self.module, argument.value, self.project) is None:
                return True
            if argument.name is None and self.entry["language"] == "javascript":
                record = record_of(self.module, argument.value, self.project)
                if record is None:
                    if type(argument.value) not in (p.Text, p.Concat, p.Number):
                        return True
                elif any(entry.key is None for entry in record.entries):
                    return True
        return False

    def given(self, options: dict[str, Any]) -> bool:
        """Whether one of ``options`` (place → value of the table) is written out as said; "*" is any value."""
        return any(self._is(self.option(place), wanted) for place, wanted in options.items())

    def _is(self, value: p.Expression | None, wanted: Any) -> bool:
        if value is None:
            return False
        if isinstance(wanted, list):
            return any(self._is(value, one) for one in wanted)
        value = constant_of(self.module, value, self.project)
        if wanted == "*":
            return not (type(value) is p.Constant and value.value in ("null", "undefined"))
        if isinstance(wanted, bool):
            return type(value) is p.Constant and value.value == ("true" if wanted else "false")
        if isinstance(wanted, str):
            return type(value) is p.Text and value.value == wanted
        return type(value) is p.Number and value.value == wanted

    @property
    def dials(self) -> bool:
        """Whether building it opens a connection, as far as its options say."""
        entry = self.entry
        if entry["connects"] not in ("construct", "blocking", "background"):
            return False
        if self.given(entry.get("connects_unless", {})):
            return False
        needed = entry.get("connects_if")
        return not needed or any(self.option(place) is not None for place in needed)

    @property
    def wrapped(self) -> p.Expression | None:
        """The other client that this one works through, where one is handed in."""
        for place in self.entry.get("wraps", ()):
            value = self.option(place)
            if value is None:
                continue
            if place.isdigit():
                # a position may also be the address itself: only what is seen to be a client counts
                if self.project is not None and instance(self.module, value, self.project, None) is not None:
                    return value
            elif type(value) not in (p.Text, p.Concat, p.Record, p.Constant):
                if record_of(self.module, value, self.project) is None:
                    return value
        for place in self.entry.get("wraps_inside", ()):
            value = self.option(place)
            inner = instance(self.module, value, self.project, None) if value is not None else None
            if inner is not None and inner.wrapped is not None:
                return inner.wrapped
        return None


def record_of(module: Module, value: p.Expression, project: Project) -> p.Record | None:
    """The object or dict that ``value`` is, written here or behind a name that is bound once."""
    value = constant_of(module, value, project)
    return value if type(value) is p.Record else None


def constant_of(module: Module, value: p.Expression, project: Project) -> p.Expression:
    """``value``, or what the name that it is was bound to once, in this file."""
    for _ in range(_DEPTH):
        if type(value) is not p.Name:
            break
        found = module.only(value.id, value)
        if found is None or found.kind != "value" or found.path or found.value is None:
            break
        value = found.value
    return value


def within(module: Module, value: p.Expression, path: str, project: Project) -> p.Expression | None:
    """What stands at a dotted path of keys inside ``value``; a key may hold dots itself, a list means its items."""
    record = record_of(module, value, project)
    if record is None:
        plain = constant_of(module, value, project)
        if type(plain) is p.Sequence:
            for item in plain.items:
                if (found := within(module, item, path, project)) is not None:
                    return found
        if type(plain) is p.Call and type(plain.callee) is p.Name and plain.callee.id == "dict":
            for argument in plain.args:
                if argument.name == path:
                    return argument.value
        return None
    head, _, rest = path.partition(".")
    for entry in reversed(record.entries):
        if entry.key is None:
            if (found := within(module, entry.value, path, project)) is not None:
                return found
        elif type(entry.key) is p.Text:
            if entry.key.value == path:
                return entry.value
            if rest and entry.key.value == head:
                return within(module, entry.value, rest, project)
    return None


def hidden(module: Module, value: p.Expression, path: str, project: Project) -> bool:
    """Whether an object that is not seen is spread over what stands at ``path`` inside ``value``."""
    record = record_of(module, value, project)
    if record is None:
        return False
    head = path.partition(".")[0]
    for entry in reversed(record.entries):
        if entry.key is None:
            inner = record_of(module, entry.value, project)
            if inner is None or hidden(module, inner, path, project):
                return True
            if within(module, inner, path, project) is not None:
                return False
        elif type(entry.key) is p.Text and entry.key.value in (path, head):
            return False
    return False


# -- names ------------------------------------------------------------------------------------------------------------


class Table(Struct):
    """The entries of one language by name, those with wildcards as patterns."""

    exact: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], dict[str, Any]]] = field(default_factory=list)
    tails: frozenset[str] = frozenset()
    """Last parts of all names: what may be imported from a file of the project that passes it on."""

    @classmethod
    def build(cls, rules: Rules, language: str, role: str = "client") -> Table:
        table = cls()
        tails = set()
        for entry in rules.apis.get(role, ()):
            if entry["language"] != language:
                continue
            for name in entry["names"]:
                tails.add(name.rpartition(".")[2])
                if "*" in name:
                    text = ".*".join(re.escape(part) for part in name.split("*"))
                    table.patterns.append((re.compile(text + r"\Z"), entry))
                else:
                    table.exact.setdefault(name, []).append(entry)
        table.tails = frozenset(tails)
        return table

    def entry(self, name: str, *, new: bool) -> dict[str, Any] | None:
        """The entry of a qualified name, called with or without ``new``."""
        for entry in self.exact.get(name, ()):
            if (entry["form"] == "new") == new:
                return entry
        for pattern, entry in self.patterns:
            if (entry["form"] == "new") == new and pattern.match(name):
                return entry
        return None


def table(rules: Rules, project: Project, language: str) -> Table:
    """The clients of ``language``: "python", or "javascript" for JavaScript and TypeScript."""
    key = (Table, language)
    found = project.memo.get(key)
    if found is None:
        found = project.memo[key] = Table.build(rules, language)
        project.memo[Rules] = rules
    return found


def construction(module: Module, call: p.Call, project: Project, rules: Rules | None) -> Construction | None:
    """What ``call`` builds, if the tables know it. ``rules`` may be None where they were asked before."""
    rules = rules or project.memo.get(Rules)
    if rules is None:
        return None
    key = (construction, id(call))
    if key not in module.memo:
        module.memo[key] = None
        module.memo[key] = _construction(module, call, project, rules)
    return module.memo[key]


def _construction(module: Module, call: p.Call, project: Project, rules: Rules) -> Construction | None:
    language = "python" if module.program.language == "python" else "javascript"
    known = table(rules, project, language)
    for name in _names(module, call.callee, project, known, 0):
        entry = known.entry(name, new=call.new)
        if entry is not None:
            return Construction(entry, name, call, module, project)
    if (call.new or language == "python") and type(call.callee) is p.Name:
        owner = module.only(call.callee.id, call.callee)
        if owner is not None and owner.kind == "class":
            return _subclassed(module, owner.value, call, module, project, known)
    return None


def inherited(module: Module, call: p.Call, project: Project, rules: Rules) -> Construction | None:
    """The client that a class of the project builds of itself, where ``call`` is how it hands its base the options:
    ``super().__init__(base_url=…)``, ``super({ host })``."""
    python = module.program.language == "python"
    callee: Any = call.callee
    if python:
        if type(callee) is not p.Member or callee.name != "__init__" or type(callee.of) is not p.Call:
            return None
        callee = callee.of.callee
    if type(callee) is not p.Name or callee.id != "super":
        return None
    owner = next((above for above in module.parents(call) if type(above) is p.Class), None)
    known = table(rules, project, "python" if python else "javascript")
    for name in _names(module, owner.bases[0].value, project, known, 0) if owner is not None and owner.bases else ():
        for new in (False, True):
            if (entry := known.entry(name, new=new)) is not None and entry["form"] in ("class", "new"):
                return Construction(entry, name, call, module, project)
    return None


def _subclassed(home: Module, owner: Any, call: p.Call, module: Module, project: Project,
                known: Table) -> Construction | None:
    first = owner
    for _ in range(4):
        if not owner.bases:
            return None
        base = owner.bases[0].value
        for name in _names(home, base, project, known, 0):
            entry = known.entry(name, new=call.new)
            if entry is not None:
                return Construction(entry, name, call, module, project, first)
        if type(base) is not p.Name:
            return None
        found = home.only(base.id, base)
        if found is None or found.kind != "class":
            return None
        owner = found.value
    return None


def _names(module: Module, callee: p.Expression, project: Project, known: Table, depth: int) -> Iterator[str]:
    """Qualified names that ``callee`` may have in the tables, the surest first."""
    if depth > _DEPTH:
        return
    name = module.qualified(callee)
    if name is not None:
        if _bound(module, callee):
            yield name
        elif "." not in name and "/" not in name:
            # a global of the language, or a name that a star import brought
            if known.entry(name, new=True) and name[:1].isupper():
                yield name
            for star in module.scope.stars:
                yield f"{star.module}.{name}"
    kind = type(callee)
    if kind is p.Name:
        definition = module.only(callee.id, callee)  # type: ignore[attr-defined]
        if definition is None or definition.path:
            return
        if definition.kind == "import" and definition.node.name in known.tails and _ours(definition):
            yield from _passed_on(module, definition, project)
        elif definition.kind == "value" and type(definition.value) is p.Call:
            for inner in _names(module, definition.value.callee, project, known, depth + 1):
                yield f"{inner}()"
    elif kind is p.Call:
        for inner in _names(module, callee.callee, project, known, depth + 1):  # type: ignore[attr-defined]
            yield f"{inner}()"
    elif kind is p.Member and name is None:
        for inner in _names(module, callee.of, project, known, depth + 1):  # type: ignore[attr-defined]
            yield f"{inner}.{callee.name}"  # type: ignore[attr-defined]


def _bound(module: Module, expression: p.Expression) -> bool:
    """Whether the name at the root of ``expression`` is bound by this file, an import above all."""
    while True:
        kind = type(expression)
        if kind in (p.Member, p.Index):
            expression = expression.of  # type: ignore[attr-defined]
        elif kind is p.Await:
            expression = expression.value  # type: ignore[attr-defined]
        elif kind is p.Call:
            return True
        else:
            return kind is p.Name and bool(module.lookup(expression.id, expression))  # type: ignore[attr-defined]


def _ours(definition: Definition) -> bool:
    """Whether an import may lead to a file of the project: relative ones, aliases, dotted Python modules."""
    statement = definition.statement
    return statement is not None and bool(statement.module)


def _passed_on(module: Module, definition: Definition, project: Project) -> Iterator[str]:
    """The qualified name in the file of the project that passes an import on, perhaps through further files."""
    answer = project.imported(module, definition)
    if answer is None:
        assert definition.statement is not None
        yield from _reexported(module, definition.statement.module, definition.node.name, project, 0)
        return
    home, found = answer
    for one in found:
        if one.kind == "import" and home is not module:
            name = home._qualified_definition(one, 0, alone=True)
            if name is not None:
                yield name
        elif one.kind == "value" and one.value is not None and not one.path:
            name = home.qualified(one.value)
            if name is not None:
                yield name


def _reexported(module: Module, specifier: str, name: str, project: Project, depth: int) -> Iterator[str]:
    """What JavaScript's ``export … from`` of a package makes of ``name``, imported from ``specifier``."""
    answer = project.resolve(module, specifier)
    home = project.module(answer.path) if type(answer) is Found and depth < 4 else None
    if home is None:
        return
    for export in home.nodes(p.Export):
        if export.source is None:
            continue
        for exported in export.names:
            if exported.name in (name, "*"):
                local = name if exported.local == "*" else exported.local
                if type(project.resolve(home, export.source)) is Found:
                    yield from _reexported(home, export.source, local, project, depth + 1)
                else:
                    yield without_default(f"{export.source}.{local}")


# -- files ------------------------------------------------------------------------------------------------------------


def files_with(project: Project, rules: Rules, kinds: frozenset[str],
               among: Collection[str] | None = None) -> list[str]:
    """The files (``among`` some, or all) that may build a client of one of ``kinds``, as their bytes say.

    In order, and none too few.
    """
    wanted: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    anywhere: dict[bool, set[str]] = {True: set(), False: set()}
    for entry in rules.apis.get("client", ()):
        python = entry["language"] == "python"
        if entry["kind"] in kinds:
            for name in entry["names"]:
                plain = name.replace("()", "")
                package = _package(plain, python=python)
                last = plain[len(package) :].rpartition(".")[2]
                if package == "*":
                    anywhere[python].add(last)
                else:
                    wanted[python].setdefault(package, set()).add(last)
    index = importers(project)
    found = []
    for path in index.paths if among is None else sorted(among):
        python = path.endswith(".py")
        data = index.data(path)
        if any(word.encode() in data for word in anywhere[python]):
            found.append(path)
            continue
        for package in index.packages(path) & wanted[python].keys():
            # what is the package itself has any name, and what holds a wildcard too
            if any(not word.isidentifier() or word.encode() in data for word in wanted[python][package]):
                found.append(path)
                break
    return found


def _package(name: str, *, python: bool) -> str:
    """The package that a qualified name is imported from: "@scope/name", "mysql2" of "mysql2/promise.createPool"."""
    scope, slash, rest = name.partition("/") if name.startswith("@") and not python else ("", "", name)
    return f"{scope}{slash}" + rest.partition("/")[0].partition(".")[0]


# -- instances --------------------------------------------------------------------------------------------------------


def instance(module: Module, expression: p.Expression, project: Project, rules: Rules | None,
             depth: int = 0) -> Construction | None:
    """The construction whose result ``expression`` is, followed through variables and ``await`` of this file."""
    if depth > _DEPTH:
        return None
    kind = type(expression)
    if kind is p.Await:
        return instance(module, expression.value, project, rules, depth + 1)  # type: ignore[attr-defined]
    if kind is p.Call:
        return construction(module, expression, project, rules)  # type: ignore[arg-type]
    if kind is p.Assign:
        return instance(module, expression.value, project, rules, depth + 1)  # type: ignore[attr-defined]
    if kind is p.Logical:
        return instance(module, expression.right, project, rules, depth + 1)  # type: ignore[attr-defined]
    if kind is p.Name:
        for definition in module.lookup(expression.id, expression):  # type: ignore[attr-defined]
            if definition.kind in ("value", "with") and definition.value is not None and not definition.path:
                found = instance(module, definition.value, project, rules, depth + 1)
                if found is not None:
                    return found
    return None
