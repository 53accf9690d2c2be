"""What ARCHITECTURE.md says holds, held: who may import whom, where a dependency lives, what a check may know."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

import pytest

from connlint import cards

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "connlint"
RULES = cards.load()

HOMES = {
    "ahocorasick_rs": {"patterns"},
    "click": {"cli"},
    "distributed": {"fleet.crew"},
    "esprima": {"languages.javascript.parse_esprima"},
    "libcst": {"languages.python"},
    "lsprotocol": {"editor.server", "editor.wording"},
    "pathspec": {"ignore_files"},
    "pygls": {"editor.server"},
    "rich": {"reporters.cards"},
    "sarif_om": {"reporters.sarif"},
    "tree_sitter": {"languages.javascript", "languages.deployment.shell"},
    "tree_sitter_bash": {"languages.deployment.shell"},
    "tree_sitter_typescript": {"languages.javascript.parse_tree_sitter"},
    "yaml": {"languages.deployment.yaml_nodes"},
}
"""The module or package that alone imports a dependency; the runtime of tree-sitter has one home a grammar."""

DISTRIBUTIONS = {"ahocorasick-rs": "ahocorasick_rs", "esprima2": "esprima", "pyyaml": "yaml", "sarif-om": "sarif_om",
                 "tree-sitter": "tree_sitter", "tree-sitter-bash": "tree_sitter_bash",
                 "tree-sitter-typescript": "tree_sitter_typescript"}
"""Distributions whose import name is another."""

RECORDS = "msgspec"
"""Stands for the standard library's dataclasses everywhere; it defines a class forty times as fast."""

LOADERS = {"languages.python.parser"}
"""Loads a parser's native part by hand, under a lock; it reads nothing else."""
OUTSIDE = {"os", "time", "subprocess", "socket", "ssl", "shutil", "tempfile", "io", "random", "secrets", "threading",
           "multiprocessing", "asyncio", "importlib", "runpy", "urllib.request", "http.client", "logging", "datetime",
           "getpass", "platform", "pathlib"}
"""Modules of the standard library that look at the world outside, or start something in it."""
CORE = ("model", "languages", "project", "checks")

SPELLED = re.compile(r"languages\.\w+\.rewrite:\d+ spells '(os\.environ|process\.env)'")
"""A rewriter writes the language, also how it reads the environment."""
LANGUAGE = {"Promise", "Object.assign", "Object.freeze", "sys.exit", "os._exit"}
"""Entries of the tables that are the languages themselves: how a program goes on, or ends."""


@cache
def modules() -> dict[str, ast.Module]:
    """Name below ``connlint`` → syntax tree, for every module."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text("utf-8"), str(path))
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported at run time, with its line; what only type checkers see is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
        yield from imports(node)


def texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every string constant that is no docstring, with its line."""
    documentation = {
        id(node.value) for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value, node.lineno


def in_core(name: str) -> bool:
    return name.split(".")[0] in CORE


def test_imports_point_down() -> None:
    """The contracts stand in pyproject.toml; this prints what import-linter says of a broken one."""
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[done.stdout.find("Contracts\n"):] + done.stderr


def test_a_dependency_has_one_home() -> None:
    strays = []
    seen: dict[str, set[str]] = defaultdict(set)
    for name, tree in modules().items():
        for module, line in imports(tree):
            package = module.split(".")[0]
            if package in ("connlint", RECORDS) or package in sys.stdlib_module_names:
                continue
            homes = [h for h in HOMES.get(package, ()) if name == h or name.startswith(h + ".")]
            seen[package].update(homes)
            if not homes:
                where = " or ".join(sorted(HOMES.get(package, {"no home yet: name one in HOMES"})))
                strays.append(f"{name}:{line} imports {package}, whose home is {where}")
    assert strays == []
    assert dict(seen) == HOMES, "a home that is no longer lived in"


def test_what_is_imported_is_what_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    rows = [*project["dependencies"], *extras["lsp"], *extras["fleet"]]
    declared = {re.split(r"[<>=!~\[; ]", row)[0].lower() for row in rows}
    assert {DISTRIBUTIONS.get(name, name) for name in declared} == {*HOMES, RECORDS}


@pytest.mark.parametrize(("code", "allowed"), [
    ("import connlint.cli", {"click"}),
    ("import connlint.config, connlint.reporters.text, connlint.suppressions", set()),
    ("import connlint.engine, connlint.discover, connlint.sieve, connlint.cards", set()),
    ("import sys; sys.argv = ['connlint', '--version']\nfrom connlint.cli import main\n"
     "try: main()\nexcept SystemExit: pass", {"click"}),
])
def test_dependencies_are_imported_when_needed(code: str, allowed: set[str]) -> None:
    script = f"{code}\nimport sys; print(sorted(set(sys.modules) & {set(HOMES)!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(done.stdout.splitlines()[-1])) == allowed


def test_the_core_does_not_look_outside() -> None:
    """No clock, no environment, no disk, no process, and nothing of the project under analysis is imported or run."""
    found = []
    for name, tree in modules().items():
        if not in_core(name) or name in LOADERS:
            continue
        found += [f"{name}:{line} imports {module}" for module, line in imports(tree)
                  if module in OUTSIDE or module.split(".")[0] in OUTSIDE]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in ("open", "print", "input", "eval", "exec", "__import__", "compile"):
                    found.append(f"{name}:{node.lineno} calls {node.func.id}()")
    assert found == []


@cache
def api_names() -> frozenset[str]:
    """What the tables name that can be nothing else: a bare lower-case word may be meant in another sense."""
    names = {name for entries in RULES.apis.values() for entry in entries for name in entry.get("names", ())}
    return frozenset(name for name in names if re.search(r"[./@A-Z]", name)) - LANGUAGE


def test_checks_know_no_rule_and_no_library() -> None:
    """Ids stand in the cards, APIs in the tables; a check that needs one of them gets it from there."""
    assert found_texts("checks", set(RULES.cards)) == []
    assert found_texts("checks", api_names()) == []


def test_readers_know_no_rule_and_no_library() -> None:
    assert found_texts("languages", set(RULES.cards)) == []
    apis = {name for name in api_names() if re.search(r"[./@]", name)}
    assert [row for row in found_texts("languages", apis) if not SPELLED.fullmatch(row)] == []


def found_texts(package: str, names: Set[str]) -> list[str]:
    """Where the modules of ``package`` spell one of ``names``."""
    return [f"{name}:{line} spells {text!r}" for name, tree in modules().items() if name.split(".")[0] == package
            for text, line in texts(tree) if text in names]


def test_modules_have_names_that_say_something() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    assert [name for name in modules() if vague & set(name.split("."))] == []


def test_public_things_are_documented() -> None:
    found = []
    for name, tree in modules().items():
        if not ast.get_docstring(tree):
            found.append(f"{name}: the module")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                if not ast.get_docstring(node) and not _is_node(node):
                    found.append(f"{name}:{node.lineno} {node.name}")
    assert found == []


def _is_node(definition: ast.stmt) -> bool:
    """A node of the lowered language says by its fields what it is."""
    return isinstance(definition, ast.ClassDef) and any(
        ast.unparse(base) in ("Node", "Expression", "Statement") for base in definition.bases)


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    packages = {name.split(".")[0] for name in modules() if name} - {"__init__"}
    assert sorted(name for name in packages if not re.search(rf"`{name}[`/]|\b{name}\b", text)) == []
