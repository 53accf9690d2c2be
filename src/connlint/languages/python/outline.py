"""Which names a Python module binds: first by a look at its lines, and exactly from its tree where that is needed.

`scan` may say too much, since a line of a docstring can look like a definition; it never settles that a name is
missing. `outline` does: a name that it lacks is not there when the module has been imported, unless it is `open`.
"""

from __future__ import annotations

import ast

from msgspec import Struct, field

from connlint.patterns import regex

IMPLICIT = frozenset({
    "__name__", "__file__", "__path__", "__spec__", "__loader__", "__package__", "__doc__", "__dict__", "__cached__",
    "__annotations__", "__builtins__", "__class__",
    "__delattr__", "__dir__", "__eq__", "__format__", "__ge__", "__getattribute__", "__getstate__", "__gt__",
    "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__", "__reduce__", "__reduce_ex__",
    "__repr__", "__setattr__", "__sizeof__", "__str__", "__subclasshook__",
})
"""What every module has without saying so (the language reference, "import-related attributes on module objects"), and
what it has as an object."""

PUTS_MODULES = regex(
    rb"sys\.modules(?:\[[^\]\n]*\][ \t]*(?::[^=\n]*)?=(?!=)|\.(?:setdefault|update|pop)\b|[ \t]*=(?!=)|[ \t]*\|=)"
    rb"|(?:setitem|dict)\([ \t\r\n]*[\"']?sys\.modules|\bdel[ \t]+sys\.modules"
    rb"|\bfrom[ \t]+sys[ \t]+import\b[^\n]*\bmodules\b"
)
"""Text that changes ``sys.modules``, so that a module may be there without a file."""
PUT = b"modules"
"""What all such text holds."""

_BESIDE_A_CLASS = {"HistoricalRecords": "Historical{}", "TranslatedFields": "{}Translation", "track": "{}Event"}
"""What libraries of models put beside a class that calls them in its body or has them as its decorator, by the call:
django-simple-history, django-parler and django-pghistory (their documentation)."""

_DEFINITION = regex(
    rb"\n(?:(?:async[ \t]+def|def|class|type)[ \t]+([\w\x80-\xff]+)"
    rb"|([\w\x80-\xff]+)[ \t]*(?:=(?!=)|:[^\n=]*=(?!=)))"
)
_IMPORT = regex(
    rb"(?:\xef\xbb\xbf)?([ \t]*)(?:lazy[ \t]+)?(?:"
    rb"from(?:[ \t]+|(?=\.))([.\w\x80-\xff]+)[ \t]+import\b[ \t]*(\(|(?:[^\n\\#;(]|\\\r?\n)*)"
    rb"|import[ \t]+((?:[^\n\\#;]|\\\r?\n)*))"
)
_LIST = regex(rb"(?:[^)#]|#[^\n]*(?:\n|\Z))*\)")
_ALL = regex(rb"\n__all__[^=\n]*=[ \t]*[\[(]([^\])]*)")
_QUOTED = regex(rb"[\"']([\w\x80-\xff]+)[\"']")
_ITEM = regex(rb"#[^\n]*|([\w\x80-\xff]+)(?:[ \t\r\n\\]+as[ \t\r\n\\]+([\w\x80-\xff]+))?|\*")
_MODULE_ITEM = regex(rb"([\w\x80-\xff]+(?:\.[\w\x80-\xff]+)*)(?:[ \t\r\n\\]+as[ \t\r\n\\]+([\w\x80-\xff]+))?")


class ImportLine(Struct):
    """An import statement as the lines show it. ``names`` are (name, local name, start) triples; ``("*", "*", at)``
    for a star. ``import a.b as c`` is one `ImportLine` a module, without names, with its ``local`` name, which is
    the first part of the module where there is no ``as``."""

    module: str
    start: int
    names: list[tuple[str, str, int]]
    local: str | None
    indented: bool


def _text(word: bytes) -> str:
    return word.decode("utf-8", "replace")


def scan_imports(data: bytes) -> list[ImportLine]:
    """All lines that look like import statements, those in docstrings included."""
    found: list[ImportLine] = []
    at, done, lists = data.find(b"import"), 0, True
    while at >= 0:
        # A statement starts its line, or follows the semicolon that ended the one before
        start = max(data.rfind(b"\n", done, at), data.rfind(b";", done, at), done - 1) + 1
        match = _IMPORT.match(data, start)
        done = at + len(b"import")
        if match is not None and match.end() >= done:
            done = match.end()
            if match[2] is None:
                for item in _MODULE_ITEM.finditer(data, *match.span(4)):
                    local = item[2] or item[1].split(b".", 1)[0]
                    found.append(ImportLine(_text(item[1]), item.start(), [], _text(local), bool(match[1])))
            else:
                end = done
                if match[3] == b"(":
                    # Where one list is not closed, no later one is
                    closed = _LIST.match(data, done) if lists else None
                    lists = closed is not None
                    end = done = closed.end() if closed is not None else done
                names = []
                for item in _ITEM.finditer(data, match.start(3), end):
                    if item[1] is not None:
                        name = item[1].decode("utf-8", "replace")
                        names.append((name, _text(item[2]) if item[2] else name, item.start()))
                    elif item[0] == b"*":
                        names.append(("*", "*", item.start()))
                found.append(ImportLine(_text(match[2]), match.start(2), names, None, bool(match[1])))
        at = data.find(b"import", done)
    return found


class Scan(Struct):
    """What the lines of a module say that it binds at its top level. ``stars`` are the modules of its star imports,
    ``public`` the texts in its ``__all__``, None where it has none."""

    names: set[str]
    stars: list[str]
    public: set[str] | None


def scan(data: bytes, imports: list[ImportLine], *, package: bool = False) -> Scan:
    """A look at the lines of a module; ``imports`` are those of `scan_imports`.

    In an ``__init__.py`` (``package``), ``from . import x`` is a question to itself and brings nothing new.
    """
    names = {_text(a or b) for a, b in _DEFINITION.findall(b"\n" + data)}
    stars = []
    for line in imports:
        if line.indented:
            continue
        if line.local is not None:
            names.add(line.local)
        for name, local, _ in line.names:
            if name == "*":
                stars.append(line.module)
            elif not (package and line.module == "." and name == local):
                names.add(local)
    public = None
    if b"__all__" in data:
        public = {_text(word) for listed in _ALL.findall(data) for word in _QUOTED.findall(listed)}
    return Scan(names, stars, public)


class Outline(Struct):
    """What a module binds. ``stars`` are the modules of its star imports as written; ``public`` is its ``__all__``,
    None where it has none or builds it of parts that are not static. ``open`` says why any name may exist."""

    names: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    public: set[str] | None = None
    public_is_static: bool = True
    open: str | None = None


def outline(tree: ast.Module, *, package: bool = False) -> Outline:
    """The names that are bound once ``tree`` has been executed as a module, on any branch; ``package`` as in `scan`."""
    result = Outline()
    _Binder(result, package).statements(tree.body)
    if result.public is not None and any(_is_name(inner, "__all__") for made in ast.walk(tree)
                                         if isinstance(made, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                                         for inner in ast.walk(made)):
        result.public, result.public_is_static = None, False  # ``def public(it): __all__.append(it.__name__)``
    sets_attributes = False
    looks_up: set[int] = set()
    mentions = 0
    for node in ast.walk(tree):
        match node:
            case ast.Global():
                result.names.update(node.names)
            case ast.Call(func=ast.Name(id="setattr")):
                sets_attributes = True
            case ast.Call():
                if why := _opening_call(node):
                    result.open = result.open or why
                if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
                    looks_up.add(id(node.func.value))
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[right]):
                looks_up.add(id(right))
            case ast.Subscript(ctx=ast.Load(), value=value, slice=key) if not _is_name(key, "__name__"):
                looks_up.add(id(value))
            case ast.Attribute(attr="meta_path" | "modules" as attribute, value=ast.Name(id="sys")):
                # To look another module up does nothing to this one, as long as nothing is set on what is found
                if id(node) not in looks_up:
                    result.open = result.open or f"sys.{attribute}"
                mentions += 1
    if mentions and sets_attributes:
        result.open = result.open or "setattr on a module"
    for name in ("__getattr__", "__class__", "__path__"):
        if name in result.names:
            result.open = result.open or name
    return result


def is_type_checking(test: ast.expr) -> bool:
    """Whether ``test`` is ``TYPE_CHECKING``, with or without its module, or a constant that is never true."""
    if isinstance(test, ast.Constant):
        return not test.value
    return _is_name(test, "TYPE_CHECKING") or (isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING")


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _opening_call(call: ast.Call) -> str | None:
    """Why a call may bind any name at module level."""
    callee = call.func
    if isinstance(callee, ast.Name):
        if callee.id == "globals" or (callee.id in ("vars", "locals", "exec", "execfile") and len(call.args) < 2):
            return None if callee.id == "vars" and call.args else f"{callee.id}()"
        if callee.id in ("import_module", "__import__") and call.args and _is_name(call.args[0], "__name__"):
            return callee.id
    elif isinstance(callee, ast.Attribute):
        if callee.attr in ("attach", "attach_stub") and "lazy" in getattr(callee.value, "id", ""):
            return "lazy_loader"
        if callee.attr in ("import_module", "extend_path", "declare_namespace") and call.args:
            if _is_name(call.args[0], "__name__") or callee.attr != "import_module":
                return callee.attr
    return None


def _beside(made: ast.ClassDef) -> set[str]:
    """The names of the classes that libraries put beside ``made``."""
    values = [*made.decorator_list, *(s.value for s in made.body if isinstance(s, (ast.Assign, ast.AnnAssign)))]
    callees = [value.func for value in values if isinstance(value, ast.Call)]
    names = [getattr(callee, "attr", None) or getattr(callee, "id", "") for callee in callees]
    return {_BESIDE_A_CLASS[name].format(made.name) for name in names if name in _BESIDE_A_CLASS}


class _Binder:
    """Collects what statements bind in the scope in which they stand."""

    def __init__(self, result: Outline, package: bool) -> None:
        self.result = result
        self.package = package
        self.names = result.names

    def statements(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        kind = type(node)
        if kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            self.names.add(node.name)  # type: ignore[attr-defined]
            if isinstance(node, ast.ClassDef):
                self.names.update(_beside(node))
            for decorator in node.decorator_list:  # type: ignore[attr-defined]
                self.walrus(decorator)
            return
        if kind is ast.Import:
            for alias in node.names:  # type: ignore[attr-defined]
                self.names.add(alias.asname or alias.name.split(".")[0])
            return
        if kind is ast.ImportFrom:
            module = "." * node.level + (node.module or "")  # type: ignore[attr-defined]
            for alias in node.names:  # type: ignore[attr-defined]
                if alias.name == "*":
                    self.result.stars.append(module)
                elif not (self.package and module == "." and alias.asname in (None, alias.name)):
                    self.names.add(alias.asname or alias.name)
                    if module == "sys" and alias.name in ("modules", "meta_path"):
                        self.result.open = f"sys.{alias.name}"
            return
        if kind is ast.If and is_type_checking(node.test):  # type: ignore[attr-defined]
            self.statements(node.orelse)  # type: ignore[attr-defined]
            return
        if kind is ast.AnnAssign and node.value is None:  # type: ignore[attr-defined]
            return
        if kind in (ast.Assign, ast.AugAssign, ast.AnnAssign):
            self.public(node)
        for _, value in ast.iter_fields(node):
            for part in value if isinstance(value, list) else (value,):
                if isinstance(part, ast.stmt):
                    self.statement(part)
                elif isinstance(part, ast.expr):
                    self.walrus(part)
                elif isinstance(part, (ast.ExceptHandler, ast.match_case)):
                    self.clause(part)
                elif isinstance(part, ast.withitem):
                    self.walrus(part.context_expr)
                    if part.optional_vars is not None:
                        self.walrus(part.optional_vars)
        if kind is ast.Expr:
            self.extended(node.value)  # type: ignore[attr-defined]

    def clause(self, part: ast.ExceptHandler | ast.match_case) -> None:
        if isinstance(part, ast.ExceptHandler):
            if part.name:
                self.names.add(part.name)
        else:
            for pattern in ast.walk(part.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(name, str):
                    self.names.add(name)
        self.statements(part.body)

    def walrus(self, expression: ast.expr) -> None:
        """Names that an expression or a target binds; the loop variables of comprehensions are their own."""
        own: set[int] = set()
        for node in ast.walk(expression):
            if isinstance(node, ast.comprehension):
                own.update(id(n) for n in ast.walk(node.target))
        for node in ast.walk(expression):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in own:
                self.names.add(node.id)

    # -- __all__ --------------------------------------------------------------------------------------------------

    def public(self, node: ast.stmt) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
        if any(_is_name(target, "__all__") for target in targets):
            self._publish(node.value, again=not isinstance(node, ast.AugAssign))  # type: ignore[attr-defined]

    def extended(self, call: ast.expr) -> None:
        """``__all__.extend([...])`` and the like."""
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_name(call.func.value, "__all__"):
            for argument in call.args:
                self._publish(argument, again=False, single=call.func.attr != "extend")

    def _publish(self, value: ast.expr, *, again: bool, single: bool = False) -> None:
        texts = _texts([value]) if single else _listed(value)
        if texts is None:
            self.result.public, self.result.public_is_static = None, False
        elif self.result.public_is_static:
            self.result.public = texts | (set() if again or self.result.public is None else self.result.public)


def _listed(value: ast.expr) -> set[str] | None:
    """The texts of a list, a tuple or a sum of them; None where it is made of anything else."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left, right = _listed(value.left), _listed(value.right)
        return None if left is None or right is None else left | right
    return _texts(value.elts) if isinstance(value, (ast.List, ast.Tuple)) else None


def _texts(items: list[ast.expr]) -> set[str] | None:
    found = {i.value for i in items if isinstance(i, ast.Constant) and isinstance(i.value, str)}
    return found if all(isinstance(i, ast.Constant) and isinstance(i.value, str) for i in items) else None
