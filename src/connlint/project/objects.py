"""The objects that an expression may be, and what their properties are: records, lists, classes and their instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connlint.model import program as p
from connlint.project.answer import Found
from connlint.project.callees import last_name
from connlint.project.module import Module
from connlint.project.possible import UNKNOWN, Frame, Possible, Site
from connlint.project.project import Bound, required
from connlint.project.readers import Declaration

if TYPE_CHECKING:
    from connlint.project.values import Values


class Objects:
    """Follows attributes, keys and positions for the evaluation of ``values``."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self._spreading: dict[tuple[int, str | int], int] = {}

    def property_path(self, module: Module, value: Any, path: tuple[str | int, ...],
                       frame: Frame | None) -> list[Possible] | None:
        sites = self.of(module, value)
        for part in path[:-1]:
            sites = [s for site in sites for s in self._sites(site, part)]
        rows: list[Possible] = []
        for site in sites:
            if (found := self.property(site, path[-1], frame)) is not None:
                rows += found
        return rows or None

    def _sites(self, site: Site, part: str | int) -> list[Site]:
        node = site.node
        if type(node) is p.Record and isinstance(part, str):
            for entry in node.entries:
                if type(entry.key) is p.Text and entry.key.value == part:
                    return self._read_objects(site.module, entry.value)
        if type(node) is p.Program and isinstance(part, str):
            where, found = self.values.project.exported(site.module, part) or (site.module, [])
            return [s for d in found[:4] if d.value is not None and not d.path
                    for s in self._read_objects(where, d.value)]
        if type(node) is p.Class and isinstance(part, str):
            return [s for module, value in self.class_values(site.module, node, part)
                    for s in self._read_objects(module, value)]
        if type(node) is p.Sequence and isinstance(part, int) and -len(node.items) <= part < len(node.items):
            return self.of(site.module, node.items[part])
        return []

    def _read_objects(self, module: Module, value: Any) -> list[Site]:
        """The objects that reading a property gives whose value is ``value``; a getter gives what it returns."""
        if type(value) is p.Function and (value.kind == "get" or value.decorators):
            return [s for statement in self.values.results.returns(module, value)[:3] if statement.value is not None
                    for s in self.of(module, statement.value)]
        return self.of(module, value)

    def namespace(self, module: Module, e: Any, part: str) -> list[Possible] | None:
        """``module.name`` where the module is one of this project."""
        exported = self._member_of_module(module, e, part)
        return self.values.bindings(*exported, None) if exported else None

    def _member_of_module(self, module: Module, e: Any, part: str) -> Bound | None:
        """What binds ``part`` where ``e`` is a member of a module of this project."""
        if type(e.of) is not p.Name:
            return None
        found = module.only(e.of.id, e.of)
        if found is None:
            return None
        specifier = None
        if found.kind == "value" and found.value is not None and not found.path:
            specifier = required(found.value)
        elif found.kind == "import" and found.statement is not None:
            specifier = found.statement.module
            if found.node.name != "*":
                if module.program.language != "python":
                    return None
                specifier = specifier + ("" if specifier.endswith(".") else ".") + found.node.name
        if specifier is None or not self.values.environment.matters(module, specifier, part):
            return None
        answer = self.values.project.resolve(module, specifier)
        target = self.values.project.module(answer.path) if isinstance(answer, Found) else None
        return self.values.project.exported(target, part) if target is not None else None

    def _required(self, module: Module, specifier: str, depth: int) -> list[Site]:
        """What ``require`` gives of a CommonJS module of this project: the object that it exports as a whole, or the
        module itself where it names what it exports one by one."""
        if not self.values.environment.matters(module, specifier):
            return []
        answer = self.values.project.resolve(module, specifier)
        target = self.values.project.module(answer.path) if isinstance(answer, Found) else None
        if target is None or target.nodes(p.Export):
            return []
        where, found = self.values.project.exported(target, "default") or (target, [])
        if not found:
            return [Site(target, target.program)]  # ``exports.read = …``, and nothing that is exported as a whole
        return [site for d in found[:4] if d.value is not None and d.kind in ("value", "class") and not d.path
                for site in self.of(where, d.value, depth + 1)]

    def property(self, site: Site, part: str | int, frame: Frame | None) -> list[Possible] | None:
        """The values of one property of an object; None where the object does not say."""
        node, module = site.node, site.module
        if type(node) is p.Name:
            return [UNKNOWN]
        if type(node) is p.Program:
            exported = self.values.project.exported(module, part) if isinstance(part, str) else None
            return self.values.bindings(*exported, None) if exported else None
        if type(node) is p.Record:
            later: list[Possible] = []
            for entry in reversed(node.entries):
                if entry.key is None:
                    # what is spread after the property may hold it too
                    key = (id(entry), part)
                    if key in self._spreading:
                        self.values.cut(self._spreading[key])
                        continue  # an object that is spread into itself
                    self._spreading[key] = len(self.values.active) - 1
                    try:
                        inner = self.of(module, entry.value)
                        given = [q for s in inner for q in self.property(s, part, frame) or ()]
                    finally:
                        del self._spreading[key]
                    later += given or ([] if inner else [UNKNOWN])
                if type(entry.key) is p.Text and entry.key.value == part:
                    if entry.kind in ("get", "method"):
                        getter = entry.value
                        if entry.kind == "get" and type(getter) is p.Function:
                            return self.values.results.returned(module, getter, None)
                        return [Possible(None)]
                    return [*later, *self.values.possible(module, entry.value, frame)]
            while later and later[-1] is UNKNOWN:
                later.pop()  # what is spread first is overridden by what is known
            return later or None
        if type(node) is p.Sequence and isinstance(part, int):
            inside = -len(node.items) <= part < len(node.items)
            return self.values.possible(module, node.items[part], frame) if inside else None
        if type(node) is p.Class and isinstance(part, str):
            for declaration in self.values.environment.declarations(module):
                if declaration.owner is node and declaration.field == part:
                    return self.values.declared(module, declaration)
            values = []
            for where, value in self.class_values(module, node, part):
                if type(value) is p.Function:
                    values.append((value, self.values.results.returned(where, value, None)))
                else:
                    values.append((where.parent(value), self.values.possible(where, value, None)))
            if len(values) > 1:
                return self.values.join(module, values, None)
            if values:
                return values[0][1]
            for base in node.bases:
                for parent in self.of(module, base.value) if base.name is None else ():
                    if type(parent.node) is p.Class and parent.node is not node:
                        if (found := self.property(parent, part, frame)) is not None:
                            return found
        return None

    def class_values(self, module: Module, node: p.Class, name: str) -> list[tuple[Module, Any]]:
        """What a class gives its attribute ``name``: in its body, in its methods, by a property."""
        table = module.memo.get((Objects.class_values, id(node)))
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
            module.memo[(Objects.class_values, id(node))] = table
        return [(module, value) for value in table.get(name, ())][:6]

    def _assigned_members(self, module: Module) -> list[tuple[p.Member, Any]]:
        found = module.memo.get(Objects._assigned_members)
        if found is None:
            found = [(s.target, s.value) for s in module.nodes(p.Let)
                     if type(s.target) is p.Member and s.value is not None]
            found += [(a.target, a.value) for a in module.nodes(p.Assign)
                      if type(a.target) is p.Member and a.op in ("", "or", "nullish")]
            module.memo[Objects._assigned_members] = found
        return found

    def _enclosing_class(self, module: Module, node: Any) -> p.Class | None:
        for above in module.parents(node):
            if type(above) is p.Class:
                return above
        return None

    def of(self, module: Module, e: Any, depth: int = 0) -> list[Site]:
        """The records, sequences, classes (also for their instances) that ``e`` may be, as far as that is known; a name
        stands for an object that callers may give instead."""
        memo = module.memo.setdefault(Objects.of, {})
        key = id(e)
        if key not in memo:
            memo[key] = []
            memo[key] = self._of(module, e, depth) if depth <= 8 else []
        return memo[key]

    def _of(self, module: Module, e: Any, depth: int) -> list[Site]:
        kind = type(e)
        if kind in (p.Record, p.Class, p.Sequence):
            return [Site(module, e)]
        if kind is p.Name:
            if e.id in ("self", "this", "cls"):
                owner = self._enclosing_class(module, e)
                return [Site(module, owner)] if owner else []
            where, found = self.values.environment.definitions(module, e)
            rows = []
            for d in found[:4]:
                if d.value is not None and d.kind in ("value", "class", "with") and not d.path:
                    if d.value is not e:
                        rows += self.of(where, d.value, depth + 1)
            return rows
        if kind is p.Await:
            return self.of(module, e.value, depth + 1)
        if kind is p.Call:
            if (specifier := required(e)) is not None:
                return self._required(module, specifier, depth)
            name = self.values.environment.spelled(module, e.callee)
            if name in ("Object.freeze", "Object.seal") and e.args:
                return self.of(module, e.args[0].value, depth + 1)
            made = self.values.results.callee(module, e)
            if made is not None and type(made.node) is p.Class:
                return [made]
            if made is not None:
                rows = []
                for statement in self.values.results.returns(made.module, made.node)[:3]:
                    if statement.value is not None:
                        rows += self.of(made.module, statement.value, depth + 1)
                return rows
            return []
        if kind is p.Logical:
            left, right = self.of(module, e.left, depth + 1), self.of(module, e.right, depth + 1)
            if right and not left and type(e.left) is p.Name and self._is_given(module, e.left):
                left = [Site(module, e.left)]  # whatever the caller gives comes first
            return left + right
        if kind is p.Assign:
            return self.of(module, e.value, depth + 1)
        if kind is p.Member and self.values.environment.access(module, e) is None:
            rows = [s for site in self.of(module, e.of, depth + 1) for s in self._sites(site, e.name)]
            if not rows and (exported := self._member_of_module(module, e, e.name)) is not None:
                where, found = exported
                rows = [s for d in found[:4] if d.value is not None and d.kind == "value" and not d.path
                        for s in self.of(where, d.value, depth + 1)]
            return rows
        return []

    def validated(self, module: Module, e: Any, name: str) -> list[Possible] | None:
        """The values of the variable ``name`` of an environment ``e`` that a schema validated, which fills in defaults;
        None where ``e`` is none, or the schema does not see to the variable."""
        rows: list[Possible] = []
        for site in self._entries(module, e, 0):
            for entry in site.node.entries:
                if type(entry.key) is p.Text and entry.key.value == name:
                    declaration = self._declaration(site.module, entry)
                    if declaration is None or declaration.optional:
                        return None  # what may be missing is read where it is taken
                    rows += self.values.declared(site.module, declaration)
        return rows or None

    def _entries(self, module: Module, e: Any, depth: int) -> list[Site]:
        """The schema by which the environment ``e`` was validated: ``schema.parse(process.env)``, the ``data`` of
        ``schema.safeParse(…)``, ``cleanEnv(process.env, { … })``, ``createEnv({ server: { … } })``."""
        if depth > 8 or module.program.language == "python":
            return []
        if type(e) is p.Await:
            return self._entries(module, e.value, depth + 1)
        if type(e) is p.Member:
            return self._entries(module, e.of, depth + 1) if e.name in ("data", "value") else []
        if type(e) is p.Name:
            where, found = self.values.environment.definitions(module, e)
            return [site for d in found[:2] if d.kind == "value" and d.value is not None and len(d.path) < 2
                    for site in self._entries(where, d.value, depth + 1)]
        if type(e) is not p.Call or last_name(e.callee) not in self.values.validating:
            return []
        given = [a.value for a in e.args if type(a.value) is p.Record]
        inner = [entry.value for record in given for entry in record.entries if type(entry.value) is p.Record]
        own = self._schema(module, e.callee.of, depth) if type(e.callee) is p.Member else []
        return [site for site in (*own, *(Site(module, record) for record in (*given, *inner)))
                if any(self._declaration(site.module, entry) is not None for entry in site.node.entries)]

    def _schema(self, module: Module, e: Any, depth: int) -> list[Site]:
        """The record of entries that a schema is made of: what the first call of ``z.object({ … }).strict()`` takes."""
        if depth > 8:
            return []
        if type(e) is p.Call:
            if type(e.callee) is p.Member and type(e.callee.of) is p.Call:
                return self._schema(module, e.callee.of, depth + 1)
            return [Site(module, a.value) for a in e.args[:1] if type(a.value) is p.Record]
        if type(e) is not p.Name:
            return []
        where, found = self.values.environment.definitions(module, e)
        return [s for d in found[:2] if d.kind == "value" and d.value is not None and not d.path
                for s in self._schema(where, d.value, depth + 1)]

    def _declaration(self, module: Module, entry: p.Entry) -> Declaration | None:
        """The variable that an entry of a schema declares."""
        table = module.memo.get(Objects._declaration)
        if table is None:
            table = module.memo[Objects._declaration] = {
                id(d.node): d for d in self.values.environment.declarations(module)}
        found: Declaration | None = table.get(id(entry))
        return found

    def _is_given(self, module: Module, e: p.Name) -> bool:
        """Whether a name is a parameter, which callers may leave out."""
        return any(d.kind == "param" for d in self.values.environment.definitions(module, e)[1])

    def _function(self, module: Module, value: Any) -> Site | None:
        """The function that ``value`` is, or is the name of."""
        if type(value) is p.Name:
            module, found = self.values.environment.definitions(module, value)
            value = found[0].value if len(found) == 1 and not found[0].path else None
        return Site(module, value) if type(value) is p.Function else None

    def method(self, site: Site, name: str, depth: int = 0) -> Site | None:
        node = site.node
        if type(node) is p.Record:
            for entry in node.entries:
                if type(entry.key) is p.Text and entry.key.value == name:
                    return self._function(site.module, entry.value)
        if type(node) is p.Program:
            where, bound = self.values.project.exported(site.module, name) or (site.module, [])
            return self._function(where, bound[0].value) if len(bound) == 1 and not bound[0].path else None
        if type(node) is p.Class:
            for statement in node.body:
                if type(statement) is p.Define and statement.name == name and type(statement.value) is p.Function:
                    return Site(site.module, statement.value)
                if type(statement) is p.Let and type(statement.target) is p.Name and statement.target.id == name:
                    if type(statement.value) is p.Function:
                        return Site(site.module, statement.value)
            found: Site | None
            for base in node.bases if depth < 4 else ():
                for parent in self.of(site.module, base.value) if base.name is None else ():
                    if type(parent.node) is p.Class and parent.node is not node:
                        if (found := self.method(parent, name, depth + 1)) is not None:
                            return found
        return None
