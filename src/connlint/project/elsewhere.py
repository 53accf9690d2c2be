"""Where a value goes beyond its own file: the fields of settings that other files read, and the names they import.

Files are found by their bytes, and read only where they hold the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.patterns import alone
from connlint.project.answer import Found
from connlint.project.callees import thing
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.options import parameter_reads
from connlint.project.packages import own_root
from connlint.project.project import required
from connlint.project.stage import words_of
from connlint.project.uses import Use, follow, references
from connlint.project.values import Site, Values

_MOST = 40
"""Files that are read to see what becomes of one value."""
_FEW = 12
"""Files whose own imports are followed to see whether they import another; for more, the importers of that are."""
_LONGEST_NAME = 200
_MAKERS = ("constructor", "__init__")
_BEFORE = re.compile(rb"([\w$]+)(?:\(\))?[?!]?\Z")
"""Whatever an attribute is asked of, where it is a name or a call of one without arguments."""
_DJANGO = "django.conf.settings"
_IMPORT = re.compile(rb"\s*(?:import|from|export|const \{[^=]*\} = require)\b")


class Field(Struct, frozen=True, eq=False):
    """The attribute ``name`` of the class ``owner``, which stands in ``module``."""

    module: Module
    owner: p.Class
    name: str


def field_of(values: Values, module: Module, node: Any, found: list[Use]) -> Field | None:
    """The field of a class that holds the value of ``node``: declared there, or assigned in a method."""
    for declaration in values.environment.declarations(module):
        if declaration.node is node:
            if type(declaration.owner) is p.Class and declaration.field:
                return Field(module, declaration.owner, declaration.field)
            return None
    for use in found:
        if use.keys:
            continue
        above = module.parent(use.node)
        if use.kind == "named" and type(above) is p.Let and type(owner := module.parent(above)) is p.Class:
            return Field(module, owner, use.place)
        if use.kind == "argument" and use.call is not None and use.place in ("default", "default_factory"):
            # ``url: str = field(default_factory=…)``
            above = module.parent(use.call)
            if type(above) is p.Let and type(above.target) is p.Name and type(owner := module.parent(above)) is p.Class:
                return Field(module, owner, above.target.id)
        if use.kind == "attribute" and type(use.node) is p.Member and type(use.node.of) is p.Name:
            if use.node.of.id in ("self", "this", "cls"):
                owner = next((a for a in module.parents(use.node) if type(a) is p.Class), None)
                if owner is not None:
                    return Field(module, owner, use.place)
    return None


class Elsewhere:
    """Answers for one project. ``counts`` tells which paths matter: those of the program, and no tests."""

    def __init__(self, values: Values, counts: Callable[[str], bool]) -> None:
        self.values = values
        self.index = importers(values.project)
        self.counts = counts

    # -- fields -------------------------------------------------------------------------------------------------------

    def is_only_compared(self, home: Module, keys: tuple[str, ...]) -> bool:
        """Whether every other file of the program that names the last two of ``keys`` compares what stands there."""
        above, last = (re.escape(key.encode()) for key in keys[-2:])
        word = alone(keys[-2].encode())
        compared = re.compile(rb"[!=]==?\s*[\w$.?]*(?<![\w$])%s\??\.%s(?![\w$]|\??[.(\[])"
                              rb"|(?<![\w$])%s\??\.%s\s*[!=]==?" % (above, last, above, last))
        asking = 0
        for path in self.index.mentions(keys[-2], home.path):
            if path != home.path and self.counts(path):
                data = self.index.data(path)
                found = len(word.findall(data))
                if found != len(compared.findall(data)):
                    return False
                asking += found
        return asking > 0

    def ends_in(self, field: Field, harmless: Callable[[Use], bool]) -> bool:
        """Whether the program reads ``field``, and all that it does with what stands there is ``harmless``."""
        asked = re.compile(rb"\.%s\b" % re.escape(field.name.encode()))
        written = sum(len(asked.findall(self.index.data(path)))
                      for path in self.index.mentions(field.name, field.module.path) if self.counts(path))
        found = list(self.reads(field)) if written else []
        if not found or len(found) != written:
            return False
        return all((uses := follow(self.values, home, member)) and all(harmless(use) for use in uses)
                   for home, member in found)

    def reads(self, field: Field) -> Iterator[tuple[Module, p.Member]]:
        """Every place of the program that is seen to read ``field`` of an object of its class."""
        asked = re.compile(rb"\.%s\b" % re.escape(field.name.encode()))
        words = set(words_of(field.owner.name or ""))
        seen = 0
        for path in (field.module.path, *self.index.mentions(field.name, field.module.path)):
            if not self.counts(path) or (seen and path == field.module.path):
                continue
            data = self.index.data(path)
            bases = [base[1].decode() for dot in asked.finditer(data)
                     if (base := _BEFORE.search(data, max(0, dot.start() - _LONGEST_NAME), dot.start()))]
            if not any(base in ("self", "this", "cls") or words.intersection(words_of(base)) for base in bases):
                continue
            seen += 1
            module = self.values.project.module(path) if seen <= _MOST else None
            if module is None:
                continue
            for member in module.nodes(p.Member):
                if member.name == field.name and self._is_object(module, member.of, field, words):
                    yield module, member

    def _is_object(self, module: Module, of: Any, field: Field, words: set[str]) -> bool:
        """Whether an expression is an object of the field's class: it is seen to be, or named like one."""
        if type(of) is p.Name and of.id in ("self", "this", "cls"):
            return any(_is_owner(Site(module, above), field) for above in module.parents(of))
        if sites := self.values.objects(module, of):
            return any(self._is_kind(site, field) for site in sites)
        last = of.callee if type(of) is p.Call else of
        return bool(words.intersection(words_of(str(getattr(last, "name", getattr(last, "id", ""))))))

    def _is_kind(self, site: Site, field: Field, depth: int = 0) -> bool:
        if _is_owner(site, field):
            return True
        if type(site.node) is not p.Class or depth > 4:
            return False
        return any(self._is_kind(parent, field, depth + 1) for base in site.node.bases if base.name is None
                   for parent in self.values.objects(site.module, base.value))

    def is_last_resort(self, module: Module, node: Any, found: list[Use]) -> bool:
        """Whether the program is seen to take the field that holds the value of ``node`` only where something else,
        which is not known before it runs, gives nothing: ``row.url or settings.url``."""
        field = field_of(self.values, module, node, found)
        if field is None:
            return False
        after = [self._comes_after(home, member) for home, member in self.reads(field)]
        return any(after) and None not in after

    def _comes_after(self, module: Module, member: p.Member) -> bool | None:
        """Whether a read stands in for what comes first in an "or"; False where it only asks; None elsewhere."""
        below: Any = member
        while type(above := module.parent(below)) in (p.Logical, p.Await):
            if type(above) is p.Logical:
                if above.op == "and":
                    return False
                if above.right is below and not any(q.reads for q in self.values.possible(module, above.left)):
                    return True
            below = above
        if type(above) in (p.If, p.Not, p.Compare):
            return False
        # ``if not row.url: row.url = settings.url``
        if type(above) in (p.Let, p.Assign) and type(above.target) is p.Member:
            target = module.source.slice(above.target.at)
            if any(type(c.test) in (p.Not, p.Logical) and target in module.source.slice(c.test.at)
                   for c in self.values.held(module, above)):
                return True
        return None

    # -- uses ---------------------------------------------------------------------------------------------------------

    def lines(self, module: Module, node: Any, found: list[Use]) -> list[bytes] | None:
        """The lines of other files of the program that seem to use the value of ``node``, each with the two above it;
        None where too many do."""
        field = field_of(self.values, module, node, found)
        names = {use.keys[-1] if use.keys else use.place for use in found if use.kind in ("named", "exported")
                 and module.function(use.node) is None}
        if field is not None:
            names = {field.name}
        rows: list[bytes] = []
        for name in names:
            text = re.escape(name.encode())
            for path in self._own(module, name):
                data = self.index.data(path)
                used, line = rb"%s\b(?!\s*[:(])" % text, rb"(?m)^.*[.\s({\[,]%s\b(?!\s*[:(]).*$" % text
                for match in re.finditer(line, data) if re.search(used, data) else ():
                    if not _IMPORT.match(match[0]):
                        above = data[: match.start()].rsplit(b"\n", 3)
                        rows.append(b"\n".join((*above[1:], match[0])))
                if len(rows) > _MOST:
                    return None
        return rows

    def _own(self, module: Module, name: str) -> Iterator[str]:
        """The other files of the program that hold ``name``, but for packages that have a ``name`` of their own."""
        project = self.values.project
        home = {own_root(project, module.path), ""}
        defining: set[str] | None = None
        for path in self.index.mentions(name, module.path):
            if path == module.path or not self.counts(path):
                continue
            if (root := own_root(project, path)) not in home:
                if defining is None:
                    defining = self._defining(module, name)
                if root in defining:
                    continue
            yield path

    def _defining(self, module: Module, name: str) -> set[str]:
        """The other packages that have a ``name`` of their own in some class, at one of its first indents."""
        declared = re.compile(rb"^[ \t]+%s[ \t]*:[^\n]*=" % re.escape(name.encode()), re.M)
        roots = {own_root(self.values.project, path) for path in self.index.mentions(name, module.path)
                 if declared.search(self.index.data(path))}
        return roots - {own_root(self.values.project, module.path), ""}

    def uses(self, module: Module, node: Any, found: list[Use]) -> list[Use]:
        """What other files, or other methods, are seen to do with the value of ``node``; ``found`` are the uses that
        its own file shows."""
        field = field_of(self.values, module, node, found)
        if field is not None:
            return [use for home, member in self.reads(field) for use in follow(self.values, home, member)]
        rows: list[Use] = []
        for use in found:
            if use.kind == "named" and module.scope.names.get(use.place) and module.function(use.node) is None:
                rows += self._imported(module, use)
                rows += self._set(module, use)
            elif use.keys and (use.kind == "exported" or _is_exports(module, use)):
                rows += self._imported_whole(module, use.keys)
            elif use.keys and use.kind == "returned":
                rows += self._called_for(module, use)
        return rows

    def _called_for(self, module: Module, use: Use) -> Iterator[Use]:
        """Uses of a part of what a function gives back, in the files that call it by its name."""
        function = module.function(use.node)
        if function is None or not function.name or module.function(function) is not None:
            return
        holding = [path for path in self.index.mentions(function.name, module.path) if path != module.path
                   and self.counts(path)]
        for path in self._importing(module, holding)[:_MOST]:
            other = self.values.project.module(path)
            if other is None:
                continue
            for name in self._names(module, other, function.name):
                call = other.parent(name)
                if type(call) is p.Call and call.callee is name:
                    yield from follow(self.values, other, call, use.keys)

    def received(self, use: Use, depth: int = 3) -> Iterator[Use]:
        """What a function or class of the project does with the value that it is handed, and those that hands it on."""
        if use.kind != "argument" or use.call is None or depth <= 0:
            return
        made = thing(use.module, use.call.callee, self.values.project)
        if made is None or made.instance:
            return
        function: Any = made.node
        if type(function) is p.Class:
            function = next((s.value for s in function.body if type(s) is p.Define and s.name in _MAKERS), None)
        if type(function) is not p.Function:
            return
        for name, keys in _parameter(function, use):
            for reader in parameter_reads(made.module, function, name):
                for found in follow(self.values, made.module, reader, keys):
                    yield found
                    yield from self.received(found, depth - 1)

    def _imported(self, module: Module, use: Use) -> Iterator[Use]:
        named = [path for path in self.index.mentions(use.place, module.path)
                 if path != module.path and self.counts(path)]
        word = alone(use.place.encode()) if named else None
        holding = [path for path in named if word is not None and word.search(self.index.data(path)) is not None]
        for path in self._importing(module, holding)[:_MOST]:
            other = self.values.project.module(path)
            if other is None:
                continue
            for name in self._names(module, other, use.place):
                yield from follow(self.values, other, name, use.keys)

    def _set(self, module: Module, use: Use) -> Iterator[Use]:
        """Uses of a setting of Django's, which other files ask of one object for all settings. What asks for it in
        another way may do anything with it: such a use is an argument of no call."""
        name = use.place
        if module.program.language != "python" or not name.isupper() or "settings" not in module.path:
            return
        asked = rb"\bsettings\s*\.\s*%s\b|\bgetattr\(\s*settings\s*,\s*[\"']%s[\"']" % (name.encode(), name.encode())
        paths = [path for path in self.index.mentions(name, module.path) if path != module.path and self.counts(path)
                 and re.search(asked, self.index.data(path)) is not None]
        for path in paths[:_MOST]:
            other = self.values.project.module(path)
            if other is None:
                continue
            members = [node for node in other.nodes(p.Member) if node.name == name]
            found = [member for member in members if other.qualified(member.of) == _DJANGO]
            # ``getattr(settings, "SITE_URL", None)``
            calls = [call for call in other.nodes(p.Call) if len(call.args) > 1 and type(
                text := call.args[1].value) is p.Text and text.value == name]
            for node in (*found, *(call for call in calls if other.qualified(call.args[0].value) == _DJANGO)):
                ends = follow(self.values, other, node, use.keys)
                yield from ends or [Use("argument", other, node, "", None, use.keys)]

    def _importing(self, module: Module, paths: list[str]) -> list[str]:
        """Those of ``paths`` that import ``module``, directly or through files that pass on what they import."""
        if len(paths) > _FEW:
            near = self.index.near(module.path)
            return [path for path in paths if path in near]
        return [path for path in paths if module.path in self.index.behind(path)]

    def _imported_whole(self, module: Module, keys: tuple[str, ...]) -> Iterator[Use]:
        """Uses of what stands under ``keys`` of the object that ``module`` exports as a whole."""
        holding = [path for path in self.index.mentions(keys[-1], module.path) if self.counts(path)]
        for path in self._importing(module, holding)[:_MOST]:
            other = self.values.project.module(path)
            if other is None:
                continue
            for name, where, rest in self._wholes(module, other, keys):
                for reader in references(other, name, where):
                    yield from follow(self.values, other, reader, rest)

    def _wholes(self, home: Module, other: Module,
                keys: tuple[str, ...]) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
        """The names that ``other`` binds to what ``home`` exports as a whole, or to what stands there under the first
        of ``keys``: each with a node at which it is bound so, and the keys that are left."""
        for statement in other.nodes(p.Import):
            for imported in statement.names:
                if imported.name in ("default", "*") and imported.local and self._means(other, statement.module, home):
                    yield imported.local, statement, keys
        for let in other.nodes(p.Let):
            value = let.value
            if value is not None and (specifier := required(value)) is not None:
                if not self._means(other, specifier, home):
                    continue
                if type(let.target) is p.Name:
                    yield let.target.id, let.target, keys
                for entry in let.target.entries if type(let.target) is p.Record else ():
                    if type(entry.key) is p.Text and entry.key.value == keys[0] and type(entry.value) is p.Name:
                        yield entry.value.id, entry.value, keys[1:]

    def _means(self, other: Module, specifier: str, home: Module) -> bool:
        answer = self.values.project.resolve(other, specifier)
        return type(answer) is Found and answer.path == home.path

    def _names(self, home: Module, other: Module, exported: str) -> Iterator[Any]:
        """The expressions in ``other`` that are the name ``exported`` of ``home``."""
        for statement in other.nodes(p.Import):
            for imported in statement.names:
                if imported.local is None:
                    continue
                if imported.name == exported:
                    bound = self.values.project.exported(home, exported)
                    there = self.values.project.imported(other, other.lookup(imported.local, statement)[0])
                    if bound is not None and there is not None and bound[1][0].at == there[1][0].at:
                        yield from references(other, imported.local, statement)
                else:
                    for name in references(other, imported.local, statement):
                        member = other.parent(name)
                        if type(member) is p.Member and member.of is name and member.name == exported:
                            yield member


def _parameter(function: p.Function, use: Use) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names under which ``function`` has what is handed to it in ``use``, each with the keys that are left."""
    params = [param for param in function.params if type(param.target) is not p.Name
              or param.target.id not in ("self", "cls")]
    if use.place.isdigit():
        params = params[int(use.place): int(use.place) + 1]
    else:
        params = [param for param in params if type(param.target) is p.Name and param.target.id == use.place]
    for param in params:
        if type(param.target) is p.Name:
            yield param.target.id, use.keys
        for entry in param.target.entries if type(param.target) is p.Record and use.keys else ():
            value = entry.value.target if type(entry.value) is p.Default else entry.value
            if type(entry.key) is p.Text and entry.key.value == use.keys[0] and type(value) is p.Name:
                yield value.id, use.keys[1:]


def _is_exports(module: Module, use: Use) -> bool:
    """Whether a value becomes all that a CommonJS module exports."""
    return use.kind == "attribute" and use.place == "exports" and module.qualified(use.node) == "module.exports"


def _is_owner(site: Site, field: Field) -> bool:
    """Whether a class is the field's; a file may have been read twice, the second time in full."""
    return type(site.node) is p.Class and site.module.path == field.module.path and site.node.at == field.owner.at
