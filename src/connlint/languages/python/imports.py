"""Exactly what a Python file imports, where that stands, what excuses it, and which members of modules it uses."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.languages.python.outline import PUT, PUTS_MODULES, is_type_checking
from connlint.languages.python.syntax import Positions
from connlint.model.source import Span
from connlint.patterns import regex

_CATCHES_IMPORT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_CATCHES_ATTRIBUTE = {"AttributeError", "Exception", "BaseException"}
_GUARDING_CALLS = {"suppress", "raises", "assertRaises", "assertRaisesRegex"}
_LISTINGS = ("locals", "globals", "dir", "vars")
_PROBES = {"hasattr", "setattr", "getattr", "delattr", "object", "vars", "dir", "reload"}
_PLATFORM = {
    "sys.version_info", "sys.platform", "os.name", "platform.system", "platform.python_implementation",
    "platform.machine", "sys.implementation", "six.PY2", "six.PY3", "version_info", "PY2", "PY3", "PY_3",
}
_TOLD_TO_BE_QUIET = regex(
    rb"#.*?(?:type:\s*ignore|pyright:\s*ignore|ty:\s*ignore|pyre-ignore|pyrefly:\s*ignore|mypy:\s*ignore"
    rb"|no-name-in-module|import-error|relative-beyond-top-level|no-member|E0611|E0401|E0402|E1101)", re.I
)

_QUIET_FILE = regex(
    rb"^#[ \t]*(?:pylint:[ \t]*(?:disable=[^\n]*(?:no-name-in-module|import-error|no-member|E0611|E0401|E1101|\ball\b)"
    rb"|skip-file)|mypy:[ \t]*ignore-errors|pyright:[ \t]*ignore|type:[ \t]*ignore)", re.M
)
"""Comments on a line of their own by which another checker leaves the whole file alone."""


class Circumstance(Struct, frozen=True):
    """What surrounds a statement. ``excused`` says why a failing import is on purpose; ``later`` that it runs only
    when something is called or a condition holds; ``attribute`` why a missing member is on purpose."""

    excused: str | None = None
    later: bool = False
    attribute: str | None = None


class Imported(Struct):
    """One module of one import statement. ``names`` are (name, local, span); empty for ``import a.b``."""

    module: str
    module_at: Span
    names: list[tuple[str, str, Span]]
    local: str | None
    around: Circumstance
    at: Span


class MemberUse(Struct):
    """``base.name`` that is read; ``base`` is dotted and starts with a name."""

    base: str
    name: str
    at: Span
    excused: str | None


class FileImports(Struct):
    """All imports of a file. ``bound`` counts the places that bind a name, in whatever scope."""

    imports: list[Imported] = field(default_factory=list)
    bound: Counter[str] = field(default_factory=Counter)
    members: list[MemberUse] = field(default_factory=list)
    probed: set[str] = field(default_factory=set)
    """Names that ``hasattr``, ``setattr``, ``getattr``, ``patch.object`` and the like look into."""

    def means_one_thing(self, one: Imported, name: str) -> bool:
        """Whether ``one`` alone binds ``name``, or several ``import name.…`` do, which all mean one package."""
        plain = (i for i in self.imports if i.local is not None and i.local.partition(".")[0] == name)
        alike = sum(1 for i in plain if i.module.partition(".")[0] == name)
        return self.bound[name] in (1, alike if one.local is not None else 1)


def read_imports(tree: ast.Module, data: bytes) -> FileImports:
    """The imports of ``tree``, which was parsed from ``data``."""
    futures = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
               for alias in node.names}
    reader = _Reader(data, postponed="annotations" in futures)
    why = "a comment says so" if _QUIET_FILE.search(data) else None
    reader.block(tree.body, Circumstance(excused=why, attribute=why))
    return reader.found


class _Reader:
    def __init__(self, data: bytes, *, postponed: bool) -> None:
        self.positions = Positions(data)
        self.postponed = postponed
        self.found = FileImports()
        puts = PUTS_MODULES.search(data) if PUT in data else None
        self.end = len(data)
        self.puts_modules = self.end if puts is None else puts.start()

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt], around: Circumstance) -> None:
        for statement in body:
            self.statement(statement, around)
            if _ends(statement):
                around = replace(around, excused="not reached")

    def statement(self, node: ast.stmt, around: Circumstance) -> None:
        bound = self.found.bound
        match node:
            case ast.Import() | ast.ImportFrom():
                self.imported(node, around)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                bound[node.name] += 1
                for decorator in node.decorator_list:
                    self.expression(decorator, around)
                self.parameters(node.args, around)
                self.annotation(node.returns, around)
                self.block(node.body, replace(around, later=True))
            case ast.ClassDef():
                bound[node.name] += 1
                for expression in (*node.decorator_list, *node.bases, *node.keywords):
                    self.expression(expression, around)
                self.block(node.body, around)
            case ast.If():
                self.expression(node.test, around)
                then, otherwise = self._branches(node.test, around)
                self.block(node.body, then)
                self.block(node.orelse, otherwise)
            case ast.Try() | ast.TryStar():
                caught = _caught(node.handlers)
                inside = around
                if caught & _CATCHES_IMPORT:
                    inside = replace(inside, excused="in a try that catches the failure")
                if caught & _CATCHES_ATTRIBUTE:
                    inside = replace(inside, attribute="in a try that catches the failure")
                self.block(node.body, inside)
                for handler in node.handlers:
                    if handler.name:
                        bound[handler.name] += 1
                    if handler.type is not None:
                        self.expression(handler.type, around)
                    after = replace(around, later=True)
                    if _caught([handler]) & _CATCHES_IMPORT:
                        after = replace(after, excused="an alternative to another import")
                    self.block(handler.body, after)
                self.block(node.orelse, around)
                self.block(node.finalbody, around)
            case ast.With() | ast.AsyncWith():
                inside = around
                for item in node.items:
                    self.expression(item.context_expr, around)
                    if item.optional_vars is not None:
                        self.expression(item.optional_vars, around)
                    if why := _guard(item.context_expr):
                        inside = replace(inside, excused=why, attribute=why)
                self.block(node.body, inside)
            case ast.For() | ast.AsyncFor() | ast.While():
                for expression in (node.test,) if isinstance(node, ast.While) else (node.target, node.iter):
                    self.expression(expression, around)
                self.block(node.body, replace(around, later=True))
                self.block(node.orelse, around)
            case ast.Match():
                self.expression(node.subject, around)
                for case in node.cases:
                    for pattern in ast.walk(case.pattern):
                        name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                        if isinstance(name, str):
                            bound[name] += 1
                    self.expression(case.pattern, around)
                    if case.guard is not None:
                        self.expression(case.guard, around)
                    self.block(case.body, replace(around, later=True))
            case ast.Global() | ast.Nonlocal():
                bound.update(node.names)
            case ast.AnnAssign():
                self.expression(node.target, around)
                self.annotation(node.annotation, around)
                if node.value is not None:
                    self.expression(node.value, around)
            case _:
                self.expression(node, around)

    def _branches(self, test: ast.expr, around: Circumstance) -> tuple[Circumstance, Circumstance]:
        later = replace(around, later=True)
        if is_type_checking(test):
            why = "never executed"
            return replace(later, excused=why, attribute=why), around
        negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and is_type_checking(test.operand)
        if negated:
            return around, replace(later, excused="never executed", attribute="never executed")
        for node in ast.walk(test):
            if (dotted := _dotted(node) or "") in _PLATFORM or dotted.endswith((".version_info", ".__version__")):
                why = "depends on the platform"
                return replace(later, excused=why, attribute=why), replace(later, excused=why, attribute=why)
            if isinstance(node, ast.Call) and (name := _dotted(node.func)):
                looked_for = name in _LISTINGS and isinstance(test, ast.Compare)  # ``"NAME" in locals()``
                if looked_for or name.endswith(("find_spec", "hasattr", "find_loader", "is_available")):
                    why = "looked for before"
                    return replace(later, excused=why, attribute=why), replace(later, excused=why, attribute=why)
        return later, later

    # -- imports --------------------------------------------------------------------------------------------------

    def imported(self, node: ast.Import | ast.ImportFrom, around: Circumstance) -> None:
        at = self.positions.of(node)
        if around.excused is None and (self.puts_modules < at[0] or (around.later and self.puts_modules < self.end)):
            around = replace(around, excused="the file puts modules into sys.modules")
        if around.excused is None and _TOLD_TO_BE_QUIET.search(self.positions.line(node.lineno)):
            around = replace(around, excused="a comment says so")
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.split(".")[0]
                self.found.bound[local] += 1
                where = self.positions.of(alias)
                module_at = self.positions.word(alias.name, *where)
                self.found.imports.append(
                    Imported(alias.name, module_at, [], alias.asname or alias.name, self._quiet(alias, around), at)
                )
            return
        module = "." * node.level + (node.module or "")
        names: dict[Circumstance, list[tuple[str, str, Span]]] = {}
        for alias in node.names:
            local = alias.asname or alias.name
            if alias.name != "*":
                self.found.bound[local] += 1
            where = self.positions.of(alias)
            names.setdefault(self._quiet(alias, around), []).append(
                (alias.name, local, self.positions.word(alias.name, *where))
            )
        module_at = self.positions.word(module, *at)
        for circumstance, some in names.items():
            self.found.imports.append(Imported(module, module_at, some, None, circumstance, at))

    def _quiet(self, alias: ast.alias, around: Circumstance) -> Circumstance:
        if around.excused is None and _TOLD_TO_BE_QUIET.search(self.positions.line(alias.lineno)):
            return replace(around, excused="a comment says so")
        return around

    # -- expressions ----------------------------------------------------------------------------------------------

    def parameters(self, node: ast.arguments, around: Circumstance) -> None:
        for one in filter(None, (*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg)):
            self.found.bound[one.arg] += 1
            self.annotation(one.annotation, around)
        for default in filter(None, (*node.defaults, *node.kw_defaults)):
            self.expression(default, around)

    def annotation(self, node: ast.expr | None, around: Circumstance) -> None:
        """A type, which ``from __future__ import annotations`` keeps from being evaluated."""
        if node is not None:
            self.expression(node, replace(around, attribute="never executed") if self.postponed else around)

    def expression(self, top: ast.AST, around: Circumstance) -> None:
        bound = self.found.bound
        for node in _below(top):
            kind = type(node)
            if kind is ast.Name:
                if type(node.ctx) is not ast.Load:  # type: ignore[attr-defined]
                    bound[node.id] += 1  # type: ignore[attr-defined]
            elif kind is ast.arg:
                bound[node.arg] += 1  # type: ignore[attr-defined]
            elif kind is ast.Attribute:
                self.member(node, around)  # type: ignore[arg-type]
            elif kind is ast.Call:
                callee = node.func  # type: ignore[attr-defined]
                if (callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")) in _PROBES:
                    self.found.probed.update(filter(None, map(_dotted, node.args)))  # type: ignore[attr-defined]

    def member(self, node: ast.Attribute, around: Circumstance) -> None:
        base = _dotted(node.value)
        if base is None:
            return
        if type(node.ctx) is not ast.Load:
            self.found.probed.add(base)
            return
        excused = around.attribute
        if excused is None and _TOLD_TO_BE_QUIET.search(self.positions.line(node.end_lineno or 1)):
            excused = "a comment says so"
        end = self.positions.offset(node.end_lineno or 1, node.end_col_offset or 0)
        self.found.members.append(MemberUse(base, node.attr, (end - len(node.attr.encode()), end), excused))


_LEAVES = frozenset(kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(
    kind, (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.Constant)))
"""What nothing is below, and nothing is asked about."""


def _below(top: ast.AST) -> list[ast.AST]:
    """``top`` and all below it but leaves that say nothing, in the order of `ast.walk`, in a fourth of its time."""
    found = [top]
    for node in found:
        for name in node._fields:
            value: Any = getattr(node, name, None)
            kind = type(value)
            if kind is list:
                found += [one for one in value if isinstance(one, ast.AST) and type(one) not in _LEAVES]
            elif kind not in _LEAVES and isinstance(value, ast.AST):
                found.append(value)
    return found


def _dotted(node: ast.AST) -> str | None:
    """``a.b.c`` as text; None for anything that is not a chain of names."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))


def _caught(handlers: list[ast.ExceptHandler]) -> set[str]:
    """The last names of the exceptions that ``handlers`` catch; a bare one is ``BaseException``."""
    names: set[str] = set()
    for handler in handlers:
        if handler.type is None:
            names.add("BaseException")
        else:
            names.update(_last_names(handler.type))
    return names


def _last_names(node: ast.expr) -> Iterator[str]:
    for part in node.elts if isinstance(node, ast.Tuple) else (node,):
        if (name := _dotted(part)) is not None:
            yield name.rsplit(".", 1)[-1]
        else:
            yield "Exception"


def _guard(context: ast.expr) -> str | None:
    """Why a ``with`` block may fail to import on purpose: ``suppress(ImportError)``, ``pytest.raises(...)``."""
    if isinstance(context, ast.Call) and (name := _dotted(context.func)):
        if name.rsplit(".", 1)[-1] in _GUARDING_CALLS:
            caught = {last for argument in context.args for last in _last_names(argument)}
            if caught & (_CATCHES_IMPORT | _CATCHES_ATTRIBUTE):
                return "in a with that catches the failure"
        if name.rsplit(".", 1)[-1] in ("dict", "modules", "fake_modules", "mock_modules") and "patch" in name:
            return "modules are replaced around it"
    return None


def _ends(statement: ast.stmt) -> bool:
    """Whether nothing after ``statement`` in its block is executed."""
    if isinstance(statement, (ast.Raise, ast.Return, ast.Continue, ast.Break)):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        name = _dotted(statement.value.func) or ""
        return name in ("sys.exit", "exit", "quit", "os._exit", "pytest.exit", "pytest.fail", "pytest.skip")
    return False
