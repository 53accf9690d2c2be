"""JavaScript, TypeScript, Vue and Svelte → programs: golden dumps, two parsers with one answer, positions, robustness.

``CONNLINT_ACCEPT=1`` writes the golden dumps anew; ``CONNLINT_REAL=folder`` has both parsers read real JavaScript.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connlint.languages.dump import dump
from connlint.languages.javascript.read import COMPONENTS, JAVASCRIPT, SUFFIXES, Parser, read
from connlint.model import program as p
from connlint.model.source import Source, Undecodable
from connlint.project.module import Module

FIXTURES = Path(__file__).parent / "fixtures" / "readers" / "javascript"
FILES = sorted(path for path in FIXTURES.iterdir() if path.suffix in SUFFIXES)
SCRIPTS = [path for path in FILES if path.suffix in JAVASCRIPT]


def source(text: str | bytes, name: str = "x.js") -> Source:
    return Source.decode(name, text.encode() if isinstance(text, str) else text)


def program(text: str | bytes, name: str = "x.js", parser: Parser = "both") -> p.Program:
    return read(source(text, name), parser=parser)


def dumped(text: str, name: str = "x.ts") -> list[str]:
    return dump(program(text, name)).splitlines()


def walk(thing: object) -> Iterator[object]:
    for child in p.children(thing):
        yield child
        yield from walk(child)


# -- golden dumps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_golden(path: Path) -> None:
    found = source(path.read_bytes(), path.name)
    made = read(found)
    text = f"{made.language} {made.module_kind} {made.reader}\n{dump(made, found)}"
    golden = path.with_name(path.name + ".dump")
    if os.environ.get("CONNLINT_ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_has_its_file() -> None:
    dumps = {path.name.removesuffix(".dump") for path in FIXTURES.glob("*.dump")}
    assert dumps == {path.name for path in FILES}


# -- two parsers, one program -----------------------------------------------------------------------------------------


def both(found: Source) -> tuple[str, str] | None:
    """What each parser makes of a file; None where esprima refuses it."""
    one, other = read(found, parser="esprima"), read(found, parser="tree-sitter")
    if one.reader != "esprima":
        return None
    assert other.reader == "tree-sitter"
    return dump(one, found) + one.module_kind, dump(other, found) + other.module_kind


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_parity(path: Path) -> None:
    """Statement by statement, so that one that esprima refuses does not take the others with it."""
    whole = source(path.read_bytes(), path.name)
    compared = 0
    for statement in read(whole, parser="tree-sitter").body:
        alone = both(source(whole.data[slice(*statement.at)], path.name))
        if alone is not None:
            assert alone[0] == alone[1]
            compared += 1
    assert compared >= 1


REFUSED = [
    "class A { async *items() {} }",
    "class A { async #hidden() { await (x) } }",
    "x = <></>",
    "const value: string = 1",
    "class A { @dec method() {} }",
    "x = import('./y.json', { with: { type: 'json' } })",
]


@pytest.mark.parametrize("text", REFUSED)
def test_esprima_refuses_what_it_would_get_wrong(text: str) -> None:
    made = program(text, parser="esprima")
    assert made.reader == "tree-sitter"
    assert not made.problems


def test_an_error_is_one_that_both_see() -> None:
    """What esprima reads is right; what it refuses is told as tree-sitter sees it."""
    text = "var await = 1; f(await)"
    assert program(text, parser="tree-sitter").problems
    made = program(text)
    assert (made.reader, made.problems) == ("esprima", ())
    wrong = program(text + "\nfunction (")
    assert wrong.reader == "tree-sitter" and wrong.problems


def test_parity_on_real_code() -> None:
    folder = os.environ.get("CONNLINT_REAL")
    if not folder:
        pytest.skip("CONNLINT_REAL names no folder")
    different, compared = [], 0
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix in (*JAVASCRIPT, *COMPONENTS) and path.is_file() and path.stat().st_size < 300_000:
            try:
                pair = both(source(path.read_bytes(), path.name))
            except Undecodable:
                continue
            if pair is not None:
                compared += 1
                if pair[0] != pair[1]:
                    different.append(str(path))
    assert compared
    assert not different


# -- positions --------------------------------------------------------------------------------------------------------

SPELLINGS = {
    "as it is": lambda text: text.encode(),
    "byte-order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "carriage returns": lambda text: text.replace("\n", "\r\n").encode(),
    "astral characters before": lambda text: _after_first_line(text, "/* é 𝒳 \u2028 */").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
}


def _after_first_line(text: str, comment: str) -> str:
    """``comment`` at the start of every line on which it can stand alone; a hashbang and markup stay."""
    if text.startswith("#!"):
        return text.replace("\n", f"\n{comment}", 1)
    return text.replace("<script setup", f"{comment}<script setup") if text.startswith("<") else comment + text


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("parser", ["esprima", "tree-sitter"])
def test_positions(path: Path, spelling: str, parser: Parser) -> None:
    found = source(SPELLINGS[spelling](path.read_text(encoding="utf-8")), path.name)
    names = 0
    for node in walk(read(found, parser=parser)):
        if type(node) is p.Name and node.id not in ("import", "new", "this"):
            assert found.slice(node.at).strip("'\"") == node.id
            names += 1
        elif type(node) is p.Member and "import." not in found.slice(node.at):
            assert found.slice(node.name_at) == node.name
        elif type(node) is p.Call:
            assert found.slice(node.at)[-1] in ")`" or node.new
        elif type(node) is p.Import:
            assert found.slice(node.module_at)[1:-1] == node.module
        elif type(node) in (p.Function, p.Class) and node.name and node.name_at:
            assert found.slice(node.name_at).strip("'\"[]") == node.name.strip("[]")
    assert names


def test_statements_end_where_they_end() -> None:
    for text in ("a() // c", "if (x) { y } // c", "const f = () => { z }\n/* c */ // d\n", "export default q /* c */"):
        for parser in ("esprima", "tree-sitter"):
            found = source(text)
            end = read(found, parser=parser).body[-1].at[1]
            assert found.data[:end].decode() == re.split(r"\s*/[/*]", text)[0]


# -- what kind of file ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.js", "import 'x'", "esm"),
        ("a.js", "export {}", "esm"),
        ("a.js", "import.meta.url", "esm"),
        ("a.js", "await x()", "esm"),
        ("a.js", "for await (const x of y) {}", "esm"),
        ("a.js", "const x = require('x')", "commonjs"),
        ("a.js", "exports.a = 1", "commonjs"),
        ("a.js", "module.exports = {}", "commonjs"),
        ("a.js", "import('x')", "script"),
        ("a.js", "function f() { return require('x') }", "script"),
        ("a.js", "async function f() { await x }", "script"),
        ("a.mjs", "a()", "esm"),
        ("a.cjs", "a()", "commonjs"),
        ("a.ts", "import x = require('x')", "commonjs"),
        ("a.ts", "const x = require('x'); export { x }", "esm"),
        ("a.ts", "namespace A { export const b = 1 }", "script"),
        ("a.vue", "<script>a()</script>", "esm"),
        ("a.vue", "<template/>", "esm"),
    ],
)
def test_module_kind(name: str, text: str, kind: str) -> None:
    assert program(text, name).module_kind == kind


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [
        ("<script>a</script>", "javascript", ["a"]),
        ("<script lang='ts'>a as b</script>", "typescript", ["a"]),
        ('<script generic="A extends B<C>" lang="ts">a</script>', "typescript", ["a"]),
        ("<SCRIPT>a</SCRIPT>", "javascript", ["a"]),
        ("<script>a</script><script setup>b</script>", "javascript", ["a", "b"]),
        ("<script>a", "javascript", ["a"]),
        ("<!-- <script>a</script> --><script>b</script>", "javascript", ["b"]),
        ("<template><template/><script>a</script></template><script>b</script>", "javascript", ["b"]),
        ("<script src='x.js'>a</script>", "javascript", []),
        ("<script type='application/ld+json'>{}</script>", "javascript", []),
        ("<script lang='coffee'>a -> b</script>", "javascript", []),
        ("<scripted>a</scripted>", "javascript", []),
    ],
)
def test_components(text: str, language: str, names: list[str]) -> None:
    made = program(text, "x.vue")
    assert made.language == language
    assert [node.id for node in walk(made) if type(node) is p.Name] == names


# -- reading by stretches ---------------------------------------------------------------------------------------------


PASSED_OVER = """
"use strict";
const { b } = require("b")
function small() { a() }
function one(FILL) { unrelated() }
export function two() { setInterval(a, FILL); three() }
export default class three { FILL() { four() } }
const four = async () => { const FILL = 1 }
export const five = function () { return FILL }, six = 1
export const seven = FILL => five
class Eight { FILL() {} }
setup(Eight, FILL)
"""


@pytest.mark.parametrize("filler", ["x" * 200, "é" * 200 + "/* \U0001d4b3 */"])
def test_passed_over(filler: str) -> None:
    """What holds a word is read, and what that mentions; small things are always read."""
    made = read(source(PASSED_OVER.replace("FILL", filler), "x.ts"), [b"setInterval"])
    unread = [statement.names for statement in made.body if type(statement) is p.Unread]
    exported = [name.name for statement in made.body if type(statement) is p.Export for name in statement.names]
    assert unread == [("one",), ("seven",), ("Eight",)]
    assert exported == ["two", "default", "five", "six", "seven"]
    assert made.directives == ("use strict",)
    assert not made.problems


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a()\nb((\nc()", ["do (call a)"]),
        ("a()\nconst = 1\nb()", ["do (call a)"]),
        ("function f() { a(); let 1x = 2; b() }", ["define function f()", "  do (call a)", "  do (call b)"]),
    ],
)
def test_syntax_errors_cost_a_statement(text: str, lines: list[str]) -> None:
    found = dumped(text)
    assert [line for line in found if not line.startswith("problem")][: len(lines)] == lines
    assert any(line.startswith("problem syntax") for line in found)


@pytest.mark.parametrize(
    "text",
    [
        "export type * from './x'",
        "export type * as x from './x'",
        "class A { accessor x = 1; static accessor y }",
        "export default abstract class {}",
        "interface A<in out T> { a: T }",
        "import defer * as x from 'y'",
        "let x: import('y').Z<string>",
        "f<typeof import('y')>()",
        "const a = await db.$queryRaw<Row[]>`SELECT ${b}`",
        "type A = { broken: ?() => void }",
    ],
)
def test_no_problem_with(text: str) -> None:
    assert not program(text, "x.ts").problems


@pytest.mark.parametrize("text", ["x = <p>a & b &amp; c</p>", "x = <a href='?a=b&c=d&e'>f</a>"])
def test_lone_ampersands_are_text(text: str) -> None:
    made = program(text, "x.tsx")
    assert not made.problems
    assert len(made.body) == 1


def test_type_arguments_of_a_tag_do_not_move_the_await() -> None:
    assert dumped("x = await db.sql<Row[]>`a ${b}`") == ['do (set x (await (call db.sql ["a " ""] b)))']


NESTED = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "brackets": lambda n: "x = " + "[" * n + "]" * n,
    "braces": lambda n: "{" * n + "}" * n,
    "calls": lambda n: "f(" * n + ")" * n,
    "callbacks": lambda n: "f(() => {" * n + "})" * n,
    "chain": lambda n: "a" + ".b()" * n,
    "sum": lambda n: "a" + " + b" * n,
    "alternatives": lambda n: "a" + " || b" * n,
    "else if": lambda n: "if (a) {}" + " else if (b) {}" * n,
    "objects": lambda n: "x = " + "{ a: " * n + "1" + "}" * n,
    "elements": lambda n: "x = " + "<a>{" * n + "1" + "}</a>" * n,
    "templates": lambda n: "`${" * n + "1" + "}`" * n,
    "patterns": lambda n: "let " + "[a = " * n + "a" + "]" * n + " = b",
    "unclosed": lambda n: "(" * n,
    "unopened": lambda n: "}" * n,
}


@pytest.mark.parametrize("shape", NESTED)
@pytest.mark.parametrize("suffix", [".js", ".tsx"])
def test_depth(shape: str, suffix: str) -> None:
    """Whatever is read can be walked by who recurses, and what is not read is told."""
    for levels in (20, 80, 149, 300, 10_000):
        found = source(NESTED[shape](levels), "x" + suffix)
        made = read(found)
        assert {problem.kind for problem in made.problems} <= {"syntax", "too-deep"}
        assert made.body or made.problems
        dump(made, found)
        Module("x", found, made)
        if levels == 20 and not shape.startswith("un"):
            assert made.body
            assert not made.problems


ODD = [
    "", "\0", "a\0b", "#!", "#!/usr/bin/env node", "\ufeff", "\u2028a\u2029", "<!-- a\nb\n--> c", "'", "`", "`${",
    "/", "/*", "//", "@", "#", "\\", "\\u{}", "'\\u{110000}'", "0x", "1e", "1_", ".", "...", "=>", "?.", "export",
    "import", "import {", "export default", "class", "class {", "class A { constructor", "for", "for (", "for (;;",
    "if (", "switch (a) {", "try {", "try {} catch", "let", "const a", "new", "new.", "async", "async (", "await",
    "yield", "a ? b", "({", "[", "{ get", "<", "<a", "<a>", "</a>", "<>", "x = <a b=", "type", "interface", "enum",
    "declare", "namespace", "abstract", "let x:", "function", "function (", "label:", "break", "case 1:", "using x",
    "import x =", "export =", "export * as", "\r", "a\rb",
]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("suffix", [".js", ".ts", ".tsx", ".vue"])
def test_odd_text(text: str, suffix: str) -> None:
    check_robust(text, suffix)


def check_robust(text: str, suffix: str) -> None:
    if suffix in COMPONENTS:
        text = f"<script>{text}"
    found = source(text.encode("utf-8", "surrogatepass"), "x" + suffix)
    made = read(found)
    assert "unreadable" not in {problem.kind for problem in made.problems}
    for node in walk(made):
        if hasattr(node, "at"):
            assert 0 <= node.at[0] <= node.at[1] <= len(found.data)


PIECES = st.sampled_from(
    "a b () [] {} ( ) [ ] { } ; , . ... => = == === ? : ?. ?? || && + - * ** / % ! ~ < > <a> </a> <a/> ` ${ } ' \" "
    "\\ # @ \n if else for while do switch case default try catch finally function class extends new return throw "
    "await async yield "
    "let const var import export from as of in instanceof typeof delete void this super null true 1 0x1 1n /a/g 'text' "
    "`t` // /* */ type interface enum declare namespace abstract readonly public get set static constructor using "
    "satisfies keyof é 𝒳 \u2028".split(" ")
)


@settings(max_examples=250, deadline=None)
@given(st.lists(PIECES, max_size=25), st.sampled_from([".js", ".ts", ".tsx", ".vue"]))
def test_any_words(pieces: list[str], suffix: str) -> None:
    check_robust(" ".join(pieces), suffix)


TEXTS = [(path.suffix, path.read_text(encoding="utf-8")) for path in FILES]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 3000), st.integers(0, 60), st.text(max_size=3))
def test_any_damage(file: tuple[str, str], start: int, length: int, text: str) -> None:
    suffix, whole = file
    found = source((whole[:start] + text + whole[start + length :]).encode("utf-8", "replace"), "x" + suffix)
    assert "unreadable" not in {problem.kind for problem in read(found).problems}
