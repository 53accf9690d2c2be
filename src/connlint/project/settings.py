"""Variables that are declared rather than read: fields of settings classes, entries of schemas, records of options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connlint.model import program as p
from connlint.project.callees import last_name
from connlint.project.calls import argument, chain_below
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.readers import VARIABLE, Declaration

if TYPE_CHECKING:
    from connlint.project.environment import Environment


def declarations(environment: Environment, module: Module) -> Iterator[Declaration]:
    """Every declared variable of ``module``, in order of the kinds of declaration."""
    if module.program.language == "python":
        for node in module.nodes(p.Class):
            yield from _class(environment, module, node)
        yield from _sections(environment, module)
        return
    tables = environment.readers(module)
    told = any(name.encode() in module.source.data for entry in tables.properties for name in entry["names"])
    for record in module.nodes(p.Record):
        if told:
            yield from _properties(record)
        for entry in tables.records:
            if found := _record(module, record, entry):
                yield found
        if len(record.entries) and tables.schemas:
            yield from _schema(environment, module, record)
    if tables.trees:
        for call in module.nodes(p.Call):
            name = environment.spelled(module, call.callee)
            if name in tables.trees and call.args and type(call.args[0].value) is p.Record:
                yield from _tree(call.args[0].value, tables.trees[name])


# -- settings classes -------------------------------------------------------------------------------------------------


def settings_base(environment: Environment, module: Module, node: p.Class, depth: int = 0) -> dict[str, Any] | None:
    """The table entry of the settings base that the class inherits from, through classes of this project too."""
    if depth > 5:
        return None
    fields = environment.readers(module).fields
    for base in node.bases:
        if base.name is not None or base.spread:
            continue
        name = environment.spelled(module, base.value) or module.qualified(base.value)
        if name in fields:
            return fields[name]
        if found := _project_class(environment, module, base.value):
            if entry := settings_base(environment, *found, depth + 1):
                return entry
    return None


def _project_class(environment: Environment, module: Module, expression: Any) -> tuple[Module, p.Class] | None:
    if type(expression) is not p.Name:
        return None
    where, found = environment.definitions(module, expression)
    if len(found) == 1 and type(found[0].value) is p.Class:
        return where, found[0].value
    return None


def _statements(body: tuple[p.Statement, ...]) -> Iterator[p.Statement]:
    """The statements of a class body, those of the versions of a library that it asks for among them: ``if V2:``."""
    for statement in body:
        if type(statement) is p.If:
            yield from _statements((*statement.then, *statement.otherwise))
        else:
            yield statement


def _option(environment: Environment, module: Module, node: p.Class, key: str, names: list[str],
            depth: int = 0) -> str | None:
    """A text of the class's own configuration (``model_config`` or an inner class), inherited ones included."""
    for statement in _statements(node.body):
        if type(statement) is p.Let and type(statement.target) is p.Name and statement.target.id in names:
            value = statement.value
            if type(value) is p.Call and type(found := argument(value, [key])) is p.Text:
                return found.value
            if type(value) is p.Record:
                for entry in value.entries:
                    if type(entry.key) is p.Text and entry.key.value == key and type(entry.value) is p.Text:
                        return entry.value.value
        elif type(statement) is p.Define and statement.name in names and type(statement.value) is p.Class:
            for inner in statement.value.body:
                if type(inner) is p.Let and type(inner.target) is p.Name and inner.target.id == key:
                    if type(inner.value) is p.Text:
                        return inner.value.value
    if depth < 4:
        for base in node.bases:
            if base.name == key and type(base.value) is p.Text:
                return base.value.value
            if base.name is None and (found_class := _project_class(environment, module, base.value)):
                if (inherited := _option(environment, *found_class, key, names, depth + 1)) is not None:
                    return inherited
    return None


def _class(environment: Environment, module: Module, node: p.Class) -> Iterator[Declaration]:
    entry = settings_base(environment, module, node)
    if entry is None or _is_configured_elsewhere(module, node, entry):
        return
    prefix = _option(environment, module, node, entry["prefix"], entry["configuration"]) or ""
    delimiter = _option(environment, module, node, entry["delimiter"], entry["configuration"])
    yield from _fields(environment, module, node, entry, prefix, delimiter, node)


def _sections(environment: Environment, module: Module) -> Iterator[Declaration]:
    """The fields of classes that settings of another file have among theirs: ``cache: CacheConfig`` there gives
    ``CACHE__URL`` a default here."""
    index = importers(environment.project)
    entries = {id(entry): entry for entry in environment.readers(module).fields.values() if entry.get("nested")}
    for entry in entries.values():
        nesting = [path for path in index.mentions(entry["delimiter"], module.path) if path != module.path]
        for node in module.nodes(p.Class) if nesting else ():
            if not node.name or not any(
                    environment.spelled(module, base.value) in entry["nested"] for base in node.bases):
                continue
            for path in nesting:
                other = environment.project.module(path) if node.name.encode() in index.data(path) else None
                for outer in other.nodes(p.Class) if other is not None else ():
                    yield from _section(environment, module, node, other, outer)


def _section(environment: Environment, module: Module, node: p.Class, other: Any,
             outer: p.Class) -> Iterator[Declaration]:
    """What the settings class ``outer`` of ``other`` declares by a field of the class ``node``."""
    entry = settings_base(environment, other, outer)
    if entry is None or _is_configured_elsewhere(other, outer, entry):
        return
    prefix = _option(environment, other, outer, entry["prefix"], entry["configuration"]) or ""
    delimiter = _option(environment, other, outer, entry["delimiter"], entry["configuration"])
    for statement in outer.body:
        if delimiter and type(statement) is p.Let and type(statement.target) is p.Name and statement.annotation:
            found = _nested(environment, other, statement.annotation, entry)
            if found is not None and found[0].path == module.path and found[1].name == node.name:
                name = f"{prefix}{statement.target.id}{delimiter}"
                yield from _fields(environment, module, node, entry, name, delimiter, node, 1)


def _is_configured_elsewhere(module: Module, node: p.Class, entry: dict[str, Any]) -> bool:
    """Whether a function of somebody else's says how the class is configured, and so how its variables are called."""
    calls = [s.value for s in node.body if type(s) is p.Let and type(s.target) is p.Name
             and s.target.id in entry["configuration"] and type(s.value) is p.Call]
    return any((last_name(call.callee) or "") not in entry["described_by"] for call in calls)


def _fields(environment: Environment, module: Module, node: p.Class, entry: dict[str, Any], prefix: str,
            delimiter: str | None, owner: p.Class, depth: int = 0) -> Iterator[Declaration]:
    for statement in node.body:
        if type(statement) is not p.Let or type(statement.target) is not p.Name:
            continue
        field = statement.target.id
        if field.startswith("_") or field in entry["configuration"]:
            continue
        annotation = statement.annotation
        if annotation is not None and _root(module, annotation) in entry["constants"]:
            continue
        default, aliases = _field_default(environment, module, statement)
        # an alias stands for the whole name of a variable, but for a field inside another only for its last part
        named = [prefix + alias for alias in (*aliases, field)] if depth else aliases or [prefix + field]
        variables = tuple(name.upper() for name in named)
        if delimiter and depth < 3 and annotation is not None:
            nested = _nested(environment, module, annotation, entry)
            if nested is not None:
                where, inner = nested
                if where is module:
                    yield from _fields(environment, module, inner, entry, f"{prefix}{field}{delimiter}", delimiter,
                                       owner, depth + 1)
                continue
        yield Declaration(variables, statement, default, field, owner, default is None and _is_optional(statement))


def _root(module: Module, annotation: Any) -> str | None:
    while type(annotation) is p.Index:
        annotation = annotation.of
    return module.qualified(annotation)


def _nested(environment: Environment, module: Module, annotation: Any,
            entry: dict[str, Any]) -> tuple[Module, p.Class] | None:
    found = _project_class(environment, module, annotation)
    if found is None:
        return None
    where, inner = found
    for base in inner.bases:
        if base.name is None and environment.spelled(where, base.value) in entry["nested"]:
            return found
    return None


def _field_default(environment: Environment, module: Module, statement: p.Let) -> tuple[p.Expression | None, list[str]]:
    factories = environment.readers(module).factories
    value: Any = statement.value
    calls = []
    if type(value) is p.Call and environment.spelled(module, value.callee) in factories:
        calls.append(value)
        value = None
    if statement.annotation is not None:
        calls += [node for node in p.within(statement.annotation)
                  if type(node) is p.Call and environment.spelled(module, node.callee) in factories]
    aliases: list[str] = []
    for call in calls:
        entry = factories[environment.spelled(module, call.callee)]  # type: ignore[index]
        if value is None:
            value = argument(call, entry["default"])
        if value is None and (factory := argument(call, entry["default_factory"])) is not None:
            value = p.Call(factory, (), factory.at)
        for place in entry["name"]:
            if (alias := argument(call, [place])) is not None:
                aliases = _aliases(environment, module, alias, entry)
                break
    if type(value) is p.Opaque or (type(value) is p.Constant and value.value in ("null", "undefined")):
        value = None
    return value, aliases


def _is_optional(statement: p.Let) -> bool:
    """Whether a field may stay without a value: it is given None, directly or inside of a description."""
    return statement.value is not None and any(
        type(node) is p.Constant and node.value == "null" for node in p.within(statement.value))


def _aliases(environment: Environment, module: Module, alias: Any, entry: dict[str, Any]) -> list[str]:
    if type(alias) is p.Text:
        return [alias.value]
    if type(alias) is p.Sequence:
        return [item.value for item in alias.items if type(item) is p.Text]
    if type(alias) is p.Call and environment.spelled(module, alias.callee) in entry["choices"]:
        return [item.value.value for item in alias.args if type(item.value) is p.Text]
    return []


# -- schemas, records, trees ------------------------------------------------------------------------------------------


def _schema(environment: Environment, module: Module, record: p.Record) -> Iterator[Declaration]:
    for entry in record.entries:
        key = entry.key
        if type(key) is not p.Text or not VARIABLE.match(key.value) or type(entry.value) is not p.Call:
            continue
        chain = _written_out(module, entry.value)
        table, root = _builder(environment, module, chain)
        if table is not None:
            yield Declaration((key.value,), entry, _schema_default(module, chain, table, root),
                              optional=_schema_optional(chain, table, root))


def _written_out(module: Module, call: p.Call) -> p.Call:
    """The chain of calls that a function of the module gives back where ``call`` is no more than a call of it:
    ``URL: required("URL")``. One that makes a default of what it is given is not followed."""
    only = module.only(call.callee.id, call.callee) if type(call.callee) is p.Name else None
    function = only.value if only is not None else None
    if type(function) is not p.Function:
        return call
    returns = [node for node in module.nodes(p.Return) if module.function(node) is function]
    value = returns[0].value if len(returns) == 1 else None
    if type(value) is not p.Call or len(function.body) != 1:
        return call
    given = {param.target.id for param in function.params if type(param.target) is p.Name}
    told = any(type(node) is p.Name and node.id in given for method, link in chain_below(value) if method == "default"
               for item in link.args for node in p.within(item.value))
    return call if told else value


def requiring_link(environment: Environment, module: Module, declaration: Declaration) -> str:
    """The method by which the schema of ``declaration`` requires the variable where it does not by itself, as Joi's
    ``required``, and the program is known to stop then. Empty for any other declaration."""
    chain = getattr(declaration.node, "value", None)
    table = _builder(environment, module, chain)[0] if type(chain) is p.Call else None
    if table is None or not table.get("needs") or not _is_enforced(environment, module, declaration.node, table):
        return ""
    return str(table["needs"][0])


def _is_enforced(environment: Environment, module: Module, entry: Any, table: dict[str, Any]) -> bool:
    """Whether the schema that holds ``entry`` is given, here or in a file that imports this one, under an option by
    which the program stops where it does not hold."""
    options = table.get("enforced", ())
    for above in module.parents(entry):
        if type(above) is p.Entry and type(above.key) is p.Text and above.key.value in options:
            return True
        if type(above) is p.Let and type(above.target) is p.Name and options:
            name = re.escape(above.target.id)
            under = rf"\b(?:{'|'.join(options)})\b"
            given = re.compile(rf"{under}\s*(?::\s*(?:\w+\.)*{name}\b|(?<={name})\s*[,}}])".encode())
            index = importers(environment.project)
            return any(given.search(data) for data in
                       (module.source.data, *(index.data(path) for path in sorted(index.near(module.path)))))
    return False


def _builder(environment: Environment, module: Module, call: Any) -> tuple[dict[str, Any] | None, str]:
    """The table entry of the schema library that a chain of calls starts with, and the first function's own name."""
    schemas = environment.readers(module).schemas
    while type(call) is p.Call:
        name = environment.spelled(module, call.callee)
        if name is not None:
            root = name.split("()", 1)[0]
            base = root
            while base:
                if base in schemas:
                    return schemas[base], root[len(base) + 1 :]
                base = base.rpartition(".")[0]
        call = call.callee.of if type(call.callee) is p.Member else None
    return None, ""


def _schema_default(module: Module, call: p.Call, table: dict[str, Any], root: str) -> p.Expression | None:
    for method, link in chain_below(call):
        place = table["default"].get(method)
        if place is not None and (value := argument(link, [place])) is not None:
            return value
    if (place := table.get("wraps", {}).get(root)) is not None:
        if (value := argument(call, [place])) is not None:
            return value
    for item in call.args:
        if type(item.value) is p.Record:
            for entry in item.value.entries:
                if type(entry.key) is p.Text and entry.key.value in table["option"]:
                    return entry.value
    return None


def _schema_optional(call: p.Call, table: dict[str, Any], root: str) -> bool:
    """Whether the chain of a schema lets the variable be missing."""
    methods = {method for method, _ in chain_below(call)}
    if "needs" in table:
        return not methods.intersection(table["needs"])
    return root in table.get("wraps", {}) or bool(methods.intersection(table.get("optional", ())))


def _record(module: Module, record: p.Record, table: dict[str, Any]) -> Declaration | None:
    variable = default = None
    for entry in record.entries:
        if type(entry.key) is p.Text:
            if entry.key.value in table["variable"] and type(entry.value) is p.Text:
                variable = entry.value.value
            elif entry.key.value in table["default"]:
                default = entry
    if variable is None or default is None or not VARIABLE.match(variable):
        return None
    return Declaration((variable,), default, default.value)


def _properties(record: p.Record) -> Iterator[Declaration]:
    """The variables that a schema of JSON has for its properties; one without a default that is not among ``required``
    may be missing."""
    entries = {entry.key.value: entry.value for entry in record.entries if type(entry.key) is p.Text}
    declared, listed = entries.get("properties"), entries.get("required")
    required = {item.value for item in listed.items if type(item) is p.Text} if type(listed) is p.Sequence else set()
    for entry in declared.entries if type(declared) is p.Record else ():
        if type(entry.key) is p.Text and VARIABLE.match(entry.key.value) and type(entry.value) is p.Record:
            default = next((option.value for option in entry.value.entries
                            if type(option.key) is p.Text and option.key.value == "default"), None)
            yield Declaration((entry.key.value,), entry, default, optional=entry.key.value not in required)


def _tree(record: p.Record, table: dict[str, Any]) -> Iterator[Declaration]:
    if "key" not in table:
        for entry in record.entries:
            if type(entry.key) is p.Text and VARIABLE.match(entry.key.value) and type(entry.value) is not p.Record:
                yield Declaration((table["prefix"] + entry.key.value,), entry, entry.value)
        return
    for entry in record.entries:
        if type(entry.key) is p.Text and entry.key.value == table["key"] and type(entry.value) is p.Record:
            yield from _branch(entry.value, table["prefix"])


def _branch(record: p.Record, prefix: str) -> Iterator[Declaration]:
    for entry in record.entries:
        if type(entry.key) is not p.Text:
            continue
        name = prefix + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", entry.key.value).upper()
        if type(entry.value) is p.Record:
            yield from _branch(entry.value, name + "_")
        else:
            yield Declaration((name,), entry, entry.value)
