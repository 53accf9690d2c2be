"""How a program reads its environment: which expressions are reads, of which variable, with which default.

All knowledge about libraries comes from the ``[[reader]]`` tables; this module knows their forms.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import product
from typing import Any

from connlint.model import program as p
from connlint.patterns import Words
from connlint.project.answer import Found
from connlint.project.built import builds
from connlint.project.calls import argument, chain_above
from connlint.project.module import Definition, Module, without_default
from connlint.project.project import Project
from connlint.project.readers import VARIABLE, Access, Declaration, Readers, declared_type

MENTIONS = ("localhost", "127.0.", "0.0.0.0", "::1", "docker.internal")
"""What a file holds if it names a loopback address."""
_HANDED = ("picker", "schema", "parsed")
"""Forms of readers that are handed the environment, which has to be named beside them."""
_MAKING = (b"=>", b"function", b"class ", b"process")
"""What a file of CommonJS holds that does more than to hand on what it requires."""


class Environment:
    """Answers about reads of the environment in the modules of one project."""

    def __init__(self, project: Project, entries: list[dict[str, Any]]) -> None:
        self.project = project
        self.words = tuple({word.encode() for entry in entries for word in entry.get("words", ()) if len(word) > 5}
                           | {word.encode() for word in MENTIONS})
        """What a file holds if it may say something about the environment or about loopback."""
        self._entries = entries
        self._tables = {
            "python": Readers([e for e in entries if e["language"] == "python"]),
            "javascript": Readers([e for e in entries if e["language"] == "javascript"]),
        }

    @cached_property
    def _reading(self) -> Words:
        """What a file holds if it may read the environment: a word of the tables, a module that has to be imported
        where that word is too short to tell, or "env" in whatever letters."""
        env = {bytes(letters) for letters in product(b"eE", b"nN", b"vV")}
        told = (entry for entry in self._entries if entry["form"] not in _HANDED)
        words = (word for entry in told for word in (*entry.get("words", ()), *entry.get("imports", ())))
        return Words(env | {word.encode() for word in words if len(word) > 5})

    def readers(self, module: Module) -> Readers:
        """The tables of the language in which ``module`` is written."""
        return self._tables["python" if module.program.language == "python" else "javascript"]

    def mentioned(self, path: str) -> bool:
        """Whether the file at ``path`` may read the environment."""
        memo: dict[str, bool] = self.project.memo.setdefault(Environment.mentioned, {})
        if path not in memo:
            data = self.project.tree.read(path) or b""
            memo[path] = self._reading.stand_in(data)
        return memo[path]

    # -- names ----------------------------------------------------------------------------------------------------

    def definitions(self, module: Module, name: p.Name) -> tuple[Module, list[Definition]]:
        """Like `Project.definitions`, but an import is followed only where that can matter: into a file that mentions
        the environment or loopback, to a constant, or through a file that only passes names on."""
        found = module.lookup(name.id, name)
        if len(found) == 1 and (specifier := _specifier(found[0])) is not None:
            if not self.matters(module, specifier, name.id):
                return module, found
        return self.project.definitions(module, name)

    def matters(self, module: Module, specifier: str, name: str = "") -> bool:
        """Whether the file that ``specifier`` means mentions the environment or loopback, passes names on, or gives
        ``name`` a plain text or number."""
        answer = self.project.resolve(module, specifier)
        if not isinstance(answer, Found):
            return False
        memo = self.project.memo.setdefault(Environment.matters, {})
        if answer.path not in memo:
            data = self.project.tree.read(answer.path) or b""
            memo[answer.path] = any(word in data for word in self.words) or _passes_on(answer.path, data)
        if memo[answer.path] or not name.isupper():
            return memo[answer.path]
        key = (answer.path, name)
        if key not in memo:
            literal = rb"\b" + re.escape(name).encode() + rb"\b[^=\n]{0,40}=\s*['\"\d]"
            memo[key] = re.search(literal, self.project.tree.read(answer.path) or b"") is not None
        return memo[key]

    def _values(self, module: Module, name: p.Name) -> tuple[Module, list[Definition]]:
        """Like `definitions` for who asks for values alone: an import is not followed to a function or class."""
        found = module.lookup(name.id, name)
        if len(found) == 1 and found[0].kind == "import" and self._is_built(module, found[0]):
            return module, found
        return self.definitions(module, name)

    def _is_built(self, module: Module, definition: Definition) -> bool:
        """Whether an imported name is a function or class of the project, as the bytes of the file that has it show."""
        statement, name = definition.statement, definition.node.name
        answer = self.project.resolve(module, statement.module) if statement is not None and name != "*" else None
        if not isinstance(answer, Found):
            return False
        memo: dict[tuple[str, str], bool] = self.project.memo.setdefault(Environment._is_built, {})
        key = (answer.path, name)
        if key not in memo:
            linker = self.project.linkers["python" if module.program.language == "python" else "javascript"]
            home = linker.home(answer.path, name)
            memo[key] = home is not None and builds(home, self.project.tree.read(home) or b"", name)
        return memo[key]

    # -- what things are ------------------------------------------------------------------------------------------

    def spelled(self, module: Module, expression: Any, depth: int = 0) -> str | None:
        """The qualified name of ``expression``, followed through this project's imports; "()" for what a call gives.

        ``env`` of ``env = environs.Env()`` in another file is "environs.Env()".
        """
        memo = module.memo.setdefault(Environment.spelled, {})
        key = id(expression)
        if key not in memo:
            memo[key] = None
            memo[key] = self._spelled(module, expression, depth)
        return memo[key]

    def _spelled(self, module: Module, expression: Any, depth: int) -> str | None:
        if depth > 8:
            return None
        kind = type(expression)
        if kind is p.Name:
            if name := module.qualified(expression):
                first = module.lookup(expression.id, expression)
                if not first or (not name.startswith((".", "@/", "~")) and first[0].kind != "value"):
                    if not (len(first) == 1 and first[0].kind == "import" and self._ours(module, expression)):
                        return name
                elif first[0].kind == "value":
                    return name
            where, found = self._values(module, expression)
            if len(found) != 1:
                return module.qualified(expression) if not found else None
            return self._spelled_definition(where, found[0], depth) or module.qualified(expression)
        if kind is p.Member or (kind is p.Index and type(expression.key) is p.Text):
            base = self.spelled(module, expression.of, depth + 1)
            if base is None or base in ("this", "self"):
                return module.qualified(expression)
            name = expression.name if kind is p.Member else expression.key.value
            qualified = module.qualified(expression)
            # what the project's own import led to says more than the name of the import
            if qualified is not None and base == module.qualified(expression.of):
                return qualified
            return without_default(f"{base}.{name}")
        if kind is p.Await:
            return self.spelled(module, expression.value, depth + 1)
        if kind is p.Call:
            if name := module.qualified(expression):
                return name
            base = self.spelled(module, expression.callee, depth + 1)
            return None if base is None else f"{base}()"
        if kind is p.Logical and expression.op in ("or", "nullish"):
            return self.spelled(module, expression.left, depth + 1)
        return None

    def _ours(self, module: Module, name: p.Name) -> bool:
        where, found = self._values(module, name)
        return where is not module and bool(found)

    def _spelled_definition(self, module: Module, definition: Definition, depth: int) -> str | None:
        if definition.kind not in ("value", "with") or definition.value is None:
            return None
        base = self.spelled(module, definition.value, depth + 1)
        for part in definition.path:
            if base is None or not isinstance(part, str) or part == "*":
                return None
            base = f"{base}.{part}"
        return base

    def mapping(self, module: Module, expression: Any, depth: int = 0) -> dict[str, Any] | None:
        """The table entry of the mapping of variables that ``expression`` is; None where it is none."""
        memo = module.memo.setdefault(Environment.mapping, {})
        key = id(expression)
        if key not in memo:
            memo[key] = None
            memo[key] = self._mapping(module, expression, depth)
        return memo[key]

    def _mapping(self, module: Module, expression: Any, depth: int) -> dict[str, Any] | None:
        if depth > 6:
            return None
        tables = self.readers(module)
        kind = type(expression)
        if kind in (p.Name, p.Member, p.Index):
            name = self.spelled(module, expression)
            if name is not None:
                if name in tables.mappings:
                    return tables.mappings[name]
                if name.endswith("()") and name[:-2] in tables.loaded:
                    return tables.loaded[name[:-2]]
                if (entry := tables.loaded.get(name.split("()", 1)[0])) and entry.get("nested"):
                    return entry
            if kind is p.Name:
                where, found = self._values(module, expression)
                for definition in found:
                    if definition.kind == "value" and definition.value is not None and not definition.path:
                        if type(definition.value) is not p.Name or len(found) == 1:
                            if entry := self.mapping(where, definition.value, depth + 1):
                                return entry
                    if definition.kind == "param" and type(definition.node) is p.Param and not definition.path:
                        # ``def load(env=os.environ)``: who calls it in the program gives it nothing else
                        if (given := definition.node.default) is not None:
                            if entry := self.mapping(where, given, depth + 1):
                                return entry
                    if definition.kind == "import" and definition.statement is not None:
                        name_ = without_default(f"{definition.statement.module}.{definition.node.name}")
                        if name_ in tables.mappings:
                            return tables.mappings[name_]
            return None
        if kind is p.Call:
            name = self.spelled(module, expression.callee)
            if name is not None and name in tables.loaded:
                return tables.loaded[name]
            if type(expression.callee) is p.Member:
                entry = self.mapping(module, expression.callee.of, depth + 1)
                if entry and expression.callee.name in entry.get("copies", ()):
                    return entry
            if any(self._given(module, argument.value, depth + 1) for argument in expression.args[:3]):
                if type(expression.callee) is p.Name and expression.callee.id == "dict":
                    return self.mapping(module, expression.args[0].value, depth + 1)
                return self._parsed(module, expression, name)
            if any(type(a.value) is p.Record for a in expression.args[:2]):
                return self._parsed(module, expression, name, exact=True)
            return None
        if kind is p.Record:
            for entry_ in expression.entries:
                if entry_.key is None and (entry := self.mapping(module, entry_.value, depth + 1)):
                    return entry
            return None
        if kind is p.Logical:
            return self.mapping(module, expression.left, depth + 1)
        if kind is p.Await:
            return self.mapping(module, expression.value, depth + 1)
        return None

    def _given(self, module: Module, expression: Any, depth: int) -> bool:
        """Whether an argument is the environment, perhaps cleaned by a function on the way."""
        if type(expression) is p.Call and len(expression.args) == 1:
            return self.mapping(module, expression.args[0].value, depth + 1) is not None
        return self.mapping(module, expression, depth) is not None

    def _parsed(self, module: Module, call: p.Call, name: str | None, *, exact: bool = False) -> dict[str, Any] | None:
        tables = self.readers(module)
        if name is not None and (entry := tables.parsed.get(name)) is not None:
            return None if exact and entry.get("given") else entry
        if not exact and type(call.callee) is p.Member:
            return tables.parsed.get(f"*.{call.callee.name}")
        return None

    # -- reads ----------------------------------------------------------------------------------------------------

    def access(self, module: Module, node: Any) -> Access | None:
        """The read of the environment that ``node`` (a member, subscript or call) is; None where it is none."""
        kind = type(node)
        if kind is not p.Member and kind is not p.Index and kind is not p.Call:
            return None
        memo = module.memo.setdefault(Environment.access, {})
        key = id(node)
        if key not in memo:
            memo[key] = None
            memo[key] = self._call(module, node) if kind is p.Call else self._item(module, node)
        return memo[key]

    def _item(self, module: Module, node: Any) -> Access | None:
        if type(node) is p.Member and module.program.language == "python":
            return None
        entry = self.mapping(module, node.of)
        if entry is None:
            return None
        parent = module.parent(node)
        if type(node) is p.Member:
            if type(parent) is p.Call and parent.callee is node and node.name in ("get", "hasOwnProperty", "toObject"):
                return None
            if entry.get("nested"):
                if type(parent) is p.Member or node.name in ("public", "app"):
                    return None
                return Access(node, (p.Text(node.name, node.name_at),), None, "nothing", form="mapping")
            if node.name in entry.get("always", ()):
                return None
            return Access(node, (node.name,), None, entry.get("absent", "nothing"), form="mapping", plain=_plain(entry))
        absent = entry.get("absent_item", entry.get("absent", "nothing"))
        return Access(node, (node.key,), None, absent, form="mapping", plain=_plain(entry))

    def _call(self, module: Module, node: p.Call) -> Access | None:
        tables = self.readers(module)
        name = self.spelled(module, node.callee)
        if name is not None:
            if entry := tables.calls.get(name):
                return self._described(module, node, entry)
            if (entry := tables.pickers.get(name)) and node.args and self.mapping(module, node.args[0].value):
                return self._described(module, node, entry)
            if (entry := tables.chains.get(name)) and (access := self._chain(module, node, entry)):
                return access
            if access := self._object(module, node, name, tables):
                return access
        callee = node.callee
        if type(callee) is p.Member:
            if entry := self.mapping(module, callee.of):
                if callee.name in entry.get("get", ()):
                    absent = "raises" if callee.name == "pop" else entry.get("absent", "nothing")
                    return self._described(module, node, {
                        "name": ["0"], "default": ["1", "default"], "absent": absent, "form": "mapping",
                        "writes": callee.name in ("setdefault", "pop"), "plain": _plain(entry),
                    })
                return None
            return self._received(module, node, callee, tables)
        return None

    def _described(self, module: Module, node: p.Call, entry: dict[str, Any]) -> Access | None:
        name = argument(node, entry["name"])
        default = argument(node, entry["default"])
        if name is None:
            if "variable" not in entry:
                return None
            return Access(node, (entry["variable"],), default, entry["absent"], takes=entry.get("takes", ""))
        if default is None and entry.get("annotates"):
            default = self._annotated_default(module, node)
        names: tuple[p.Expression | str, ...] = name.items if type(name) is p.Sequence else (name,)
        if (constant := entry.get("constants", {}).get(module.qualified(name))) is not None:
            names = (constant,)
        return Access(node, names, default, entry["absent"], form=entry.get("form", "call"),
                      writes=entry.get("writes", False), plain=entry.get("plain", False))

    def _annotated_default(self, module: Module, node: p.Call) -> p.Expression | None:
        for above in module.parents(node):
            if type(above) is p.Param:
                return above.default
            if type(above) is p.Let:
                return above.value
            if isinstance(above, p.Statement):
                break
        return None

    def _object(self, module: Module, node: p.Call, name: str, tables: Readers) -> Access | None:
        method = ""
        entry = None
        if name.endswith("()") and name[:-2] in tables.objects:
            entry = tables.objects[name[:-2]]
        elif name in tables.objects and _lower_end(name):
            entry = tables.objects[name]
        else:
            base, _, method = name.rpartition(".")
            if base.endswith("()") and base[:-2] in tables.objects:
                entry = tables.objects[base[:-2]]
            elif base in tables.objects and _lower_end(base):
                entry = tables.objects[base]
        if entry is None:
            return None
        methods = entry["methods"]
        if not (method in methods or (("*" in methods) and method not in entry.get("except", ()))):
            return None
        prefix = self._prefix(module, node, entry)
        variable = argument(node, entry["name"])
        default = argument(node, entry.get("defaults", {}).get(method, entry["default"]))
        if variable is None:
            fixed = entry.get("fixed", {}).get(method)
            return Access(node, (fixed,), default, entry["absent"]) if fixed else None
        if default is None and entry.get("scheme") and type(variable) is p.Text:
            default = self._scheme_default(module, node, variable.value)
        return Access(node, (variable,), default, entry["absent"], prefix)

    def _maker(self, module: Module, node: p.Call) -> p.Call | None:
        """The call that made the object whose method ``node`` calls."""
        of = node.callee.of if type(node.callee) is p.Member else node.callee
        if type(of) is p.Call:
            return of
        if type(of) is p.Name:
            _, found = self.definitions(module, of)
            for definition in found:
                if type(definition.value) is p.Call:
                    return definition.value
        return None

    def _scheme_default(self, module: Module, node: p.Call, variable: str) -> p.Expression | None:
        maker = self._maker(module, node)
        if maker is not None:
            for item in maker.args:
                if item.name == variable and type(item.value) is p.Sequence and len(item.value.items) == 2:
                    return item.value.items[1]
        return None

    def _prefix(self, module: Module, node: p.Call, entry: dict[str, Any]) -> str:
        if method := entry.get("prefixed"):
            prefix = ""
            for above in module.parents(node):
                if type(above) is p.With:
                    for item in above.items:
                        value = item.value
                        if type(value) is p.Call and type(value.callee) is p.Member and value.callee.name == method:
                            if value.args and type(value.args[0].value) is p.Text:
                                prefix = value.args[0].value.value + prefix
            return prefix
        if keyword := entry.get("prefix_argument"):
            maker = self._maker(module, node)
            if maker is not None:
                given = argument(maker, [keyword])
                if type(given) is p.Text:
                    return given.value + entry.get("prefix_joint", "")
            if default := entry.get("prefix_default"):
                return default + entry.get("prefix_joint", "")
        return ""

    def _chain(self, module: Module, node: p.Call, entry: dict[str, Any]) -> Access | None:
        name = argument(node, entry["name"])
        if name is None:
            return None
        default = None
        for method, call in chain_above(module, node):
            if method == entry["chained"] and call.args:
                default = call.args[0].value
        return Access(node, (name,), default, entry["absent"], form="chain")

    def _received(self, module: Module, node: p.Call, callee: p.Member, tables: Readers) -> Access | None:
        of = callee.of
        last = of.name if type(of) is p.Member else of.id if type(of) is p.Name else None
        if last is None:
            return None
        if (fluent := tables.fluent.get(last.lower().lstrip("_"))) and callee.name in fluent["methods"]:
            return self._fluent(module, node, fluent)
        entry = tables.receivers.get(last.lower().lstrip("_"))
        if not node.args:
            return None
        if entry is None and (declared := declared_type(module, of)) is not None:
            entry = tables.classes.get(module.qualified(declared) or "")
        if entry is None:
            return None
        required = callee.name in entry.get("requires", ())
        if (not required and callee.name not in entry["methods"]) or self._is_own(module, node, entry):
            return None
        name = argument(node, entry["name"])
        if type(name) is not p.Text:
            return None
        if not VARIABLE.match(name.value):
            if not any(i.module in entry["imports"] for i in module.nodes(p.Import)):
                return None
        default = argument(node, entry["default"])
        if type(default) in (p.Record, p.Constant):
            default = None
        strict = next(iter(entry.get("requires", ())), "")
        return Access(node, (name,), default, "raises" if required else entry["absent"], form="receiver", strict=strict)

    def _fluent(self, module: Module, node: p.Call, entry: dict[str, Any]) -> Access | None:
        """A read whose default is given by a method of what it gives: ``env.url("X").optional("http://…")``."""
        name = argument(node, entry["name"])
        if type(name) is not p.Text or not VARIABLE.match(name.value):
            return None
        for method, call in chain_above(module, node):
            if method in entry["chained"] and len(call.args) == 1:
                return Access(node, (name,), call.args[0].value, entry["absent"], form="chain")
        return None

    def _is_own(self, module: Module, node: p.Call, entry: dict[str, Any]) -> bool:
        """Whether the receiver is made by a class of this project that is none of the library's: what its method does
        without a variable, and whether it reads one at all, stands there."""
        maker = self._maker(module, node)
        if maker is None or type(maker.callee) is not p.Name:
            return False
        where, found = self.definitions(module, maker.callee)
        if len(found) != 1 or type(found[0].value) is not p.Class:
            return False
        bases = [where.qualified(base.value) or "" for base in found[0].value.bases]
        return not any(name.startswith(f"{library}.") for name in bases for library in entry["imports"])

    def imported(self, module: Module, definition: Definition) -> tuple[str, str] | None:
        """The variable that an imported name is, of a module whose exports are variables, and what is without it, as
        in `Access`."""
        if definition.kind != "import" or definition.statement is None or definition.node.name == "*":
            return None
        entry = self.readers(module).modules.get(definition.statement.module)
        name = definition.node.name
        return (name, entry["absent"]) if entry and VARIABLE.match(name) else None

    # -- declarations ---------------------------------------------------------------------------------------------

    def declarations(self, module: Module) -> list[Declaration]:
        """Every variable that the module declares in a settings class, a schema, a record or a tree of defaults."""
        found = module.memo.get(Environment.declarations)
        if found is None:
            from connlint.project.settings import declarations

            found = module.memo[Environment.declarations] = list(declarations(self, module))
        return found


def _specifier(definition: Definition) -> str | None:
    """The module that a name is imported from, by an import or by ``require`` with destructuring."""
    if definition.kind == "import" and definition.statement is not None:
        return definition.statement.module
    value = definition.value
    if definition.kind == "value" and type(value) is p.Call and type(value.callee) is p.Name:
        if value.callee.id == "require" and value.args and type(value.args[0].value) is p.Text:
            return value.args[0].value.value
    return None


def _passes_on(path: str, data: bytes) -> bool:
    """Whether a file is small and mostly hands on the names of others."""
    if len(data) > 20_000:
        return False
    if path.endswith("__init__.py") or b"export *" in data or b"} from" in data:
        return True
    return b"module.exports" in data and b"require(" in data and not any(it in data for it in _MAKING)


def _plain(entry: dict[str, Any]) -> bool:
    return entry["form"] == "mapping"


def _lower_end(name: str) -> bool:
    """Whether a qualified name means an object rather than a class: its last part does not start with a capital."""
    return not name.rpartition(".")[2][:1].isupper()
