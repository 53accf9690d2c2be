"""Edits of JavaScript and TypeScript files: what they make of a file, and where they are refused."""
# ruff: noqa: E501 - a table of files, each on one line

from __future__ import annotations

import pytest

from connlint.languages.edits import applied
from connlint.languages.javascript.parse_tree_sitter import tree
from connlint.languages.javascript.read import read
from connlint.languages.javascript.requiring import require
from connlint.languages.javascript.rewrite import import_first, release_in_finally, respell
from connlint.model.source import Source

# Stands for a place in the tables below: from the first ‹ to the last ›.
OPEN, CLOSE = "‹", "›"


def marked(code, name="file.ts"):
    """The source of ``code`` without its marks, its program, and the places that they enclose."""
    spans, plain, starts = [], "", []
    for c in code:
        if c == OPEN:
            starts.append(len(plain.encode()))
        elif c == CLOSE:
            spans.append((starts.pop(), len(plain.encode())))
        else:
            plain += c
    source = Source.decode(name, plain.encode())
    return source, read(source), spans


def outcome(source, fix):
    """The text after ``fix``, None where there is none; tree-sitter must be as content with it as before."""
    if fix is None:
        return None
    after = Source.decode(source.path, applied(source, fix.edits))
    assert not fix.safe
    assert tree(after.text.encode(), "typescript").root_node.has_error == tree(source.text.encode(), "typescript").root_node.has_error
    return after.text


TEST = 'if (!x) throw new Error("A is not set")'
ABOVE = TEST.replace("x", "process.env.A")
HELPER = """function requireEnv(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}

"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # below a declaration
        ('const x = ‹process.env.A || "b"›;\n', f"const x = process.env.A;\n{TEST};\n"),
        ("  const x =\n    ‹process.env.A ?? 'b'› // c\n", "  const x = process.env.A // c\n  if (!x) throw new Error('A is not set')\n"),
        ('export const x =\r\n  ‹process.env.A || "b"›;\r\n', f"{ABOVE};\r\n\r\nexport const x = process.env.A;\r\n"),
        ('const x = ‹y || process.env.A || "b"›;\n', f"const x = y || process.env.A;\n{TEST};\n"),
        ('function f() {\n  const x = ‹process.env.A || "b"›;\n  return x;\n}\n', f"function f() {{\n  const x = process.env.A;\n  {TEST};\n  return x;\n}}\n"),
        ('const é = ‹process.env.A || "b"›;\r\n', f"const é = process.env.A;\r\n{TEST.replace('x', 'é')};\r\n"),
        ('const { ‹x = "b"›, y } = process.env;', f"const {{ x, y }} = process.env;\n{TEST};"),
        # a compiler knows it in functions that are made there, and not in those that are declared, nor of another type
        ('const x = ‹process.env.A || "b"›;\nconst f = () => x;\n', f"const x = process.env.A;\n{TEST};\nconst f = () => x;\n"),
        ('const x = ‹process.env.A || "b"›;\nfunction f() { g(x); }\n', f"{ABOVE};\nconst x = process.env.A;\nfunction f() {{ g(x); }}\n"),
        ('const x = ‹process.env.A || "b"›;\nclass C { m() { g(x); } }\n', f"{ABOVE};\nconst x = process.env.A;\nclass C {{ m() {{ g(x); }} }}\n"),
        ('function f() {\n  const x = ‹process.env.A || "b"›;\n  g(x);\n}\nfunction h(x) { g(x); }\n', f"function f() {{\n  const x = process.env.A;\n  {TEST};\n  g(x);\n}}\nfunction h(x) {{ g(x); }}\n"),
        ('let x = ‹process.env.A || "b"›;\n', f"{ABOVE};\nlet x = process.env.A;\n"),
        ('const x: string = ‹process.env.A || "b"›;\n', f"{ABOVE};\nconst x: string = process.env.A;\n"),
        # above a statement that always reads it
        ('f();\n\n// c\nexport const x = ‹process.env.A || "b"›;\n', f"f();\n\n{ABOVE};\n\n// c\nexport const x = process.env.A;\n"),
        ('f();\n// c\nexport const x = ‹process.env.A || "b"›;\n', f"f();\n{ABOVE};\n\n// c\nexport const x = process.env.A;\n"),
        ('f(‹process.env["A"] ?? "b"›);', ABOVE.replace(".A", '["A"]') + ';\nf(process.env["A"]);'),
        ('let x: string = (‹process.env.A || "b"›)!;', f"{ABOVE};\nlet x: string = process.env.A!;"),
        ('x = `${‹process.env.A || "b"›}/c`;', f"{ABOVE};\nx = `${{process.env.A}}/c`;"),
        ("function f() {\n  return ‹process.env.A || 'b'›\n}\n", "function f() {\n  if (!process.env.A) throw new Error('A is not set')\n  return process.env.A\n}\n"),
        ("if (y) {\n  g(‹process.env.A || 'b'›)\n}\n", "if (y) {\n  if (!process.env.A) throw new Error('A is not set')\n  g(process.env.A)\n}\n"),
        # … and not above one that may read it, or is a branch by itself
        ("if (y)\n  g(‹process.env.A || 'b'›)\n", f"{HELPER}if (y)\n  g(requireEnv('A'))\n"),
        ("if (y) { z() } else // c\n  g(‹process.env.A || 'b'›)\n", f"{HELPER}if (y) {{ z() }} else // c\n  g(requireEnv('A'))\n"),
        ("const f = () =>\n  ‹process.env.A || 'b'›\n", f"{HELPER}const f = () =>\n  requireEnv('A')\n"),
        ("g(y && (‹process.env.A || 'b'›))\n", f"{HELPER}g(y && requireEnv('A'))\n"),
        ("g(y ? ‹process.env.A || 'b'› : z)\n", f"{HELPER}g(y ? requireEnv('A') : z)\n"),
        ("z()\nclass C {\n  a = ‹process.env.A || 'b'›\n}\n", f"{HELPER}z()\nclass C {{\n  a = requireEnv('A')\n}}\n"),
        # what is left
        ('x = ‹process.env.A ? process.env.A : "b"›;', "if (!process.env.A) throw new Error(\"A is not set\");\nx = process.env.A;"),
        ('x = ‹!process.env.A ? "b" : process.env.A›;', None),
        ('‹process.env.A ||= "b"›;', f"{ABOVE};"),
        ('f(({ ‹A = "b"› } = process.env) => A);', None),
        ("g(y && (‹process.env.A || process.env.B || 'b'›))\n", f"{HELPER}g(y && (process.env.A || requireEnv('B')))\n"),
        ("g({ a: ‹y.a ?? process.env.A ?? 'b'› })\n", f"{HELPER}g({{ a: y.a ?? requireEnv('A') }})\n"),
        ("g(y && (‹Deno.env.get('A') || 'b'›))\n", f"{HELPER.replace('process.env[name]', 'Deno.env.get(name)')}g(y && requireEnv('A'))\n"),
        ("g({ a: ‹env.A || 'b'› })\n", "if (!env.A) throw new Error('A is not set')\ng({ a: env.A })\n"),
        ("g(y && (‹env.A || 'b'›))\n", None),
        # a read alone
        ('const x = ‹process.env.A›; // c\nf(x);', f"const x = process.env.A; // c\n{TEST};\nf(x);"),
        ('g({\n  x: ‹process.env.A›,\n});', f"{ABOVE};\ng({{\n  x: process.env.A,\n}});"),
        ('const f = () => g(‹process.env.A›);', None),
        ('x = ‹get("A", "b")›;', None),
        ('x = ‹process.env.A ? 1 : 2›;', None),
        ('x = ‹process.env.A && "b"›;', None),
    ],
)  # fmt: skip
def test_require(before, after):
    source, program, (at,) = marked(before)
    assert outcome(source, require(source, program, at, "A")) == after


def test_a_bundler_finds_the_read_as_it_was():
    source, program, (at,) = marked("g(y && (‹process.env.A || 'b'›))\n")
    assert outcome(source, require(source, program, at, "A", inlined=True)) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # the release moves, with its comment
        (
            "async function f() {\n  ‹const c = await get();›\n  await c.run(); // runs\n\n  // done\n  ‹c.release();› // back\n  log();\n}\n",
            "async function f() {\n  const c = await get();\n  try {\n    await c.run(); // runs\n  } finally {\n    // done\n    c.release(); // back\n  }\n  log();\n}\n",
        ),
        # what is declared inside and returned after goes inside as well
        (
            "const f = async () => {\n\t‹const c = await get()›\n\tconst r = await c.query()\n\t‹c.release()›\n\treturn r.rows\n}\n",
            "const f = async () => {\n\tconst c = await get()\n\ttry {\n\t\tconst r = await c.query()\n\t\treturn r.rows\n\t} finally {\n\t\tc.release()\n\t}\n}\n",
        ),
        # … unless that waits for something else, or is long: then the name alone goes out
        (
            "async function f() {\n  ‹const c = await get();›\n\n  const r = await c.query();\n\n  ‹c.release();›\n\n  await send(r);\n}\n",
            "async function f() {\n  const c = await get();\n  let r;\n  try {\n    r = await c.query();\n  } finally {\n    c.release();\n  }\n\n  await send(r);\n}\n",
        ),
        (
            "function f() {\n  ‹const c = get()›\n  const a = 1\n  const r: string = c.query(a)\n  ‹c.release()›\n  a1(r)\n  a2(r)\n  a3()\n  a4()\n  a5()\n}\n",
            "function f() {\n  const c = get()\n  let r: string\n  try {\n    const a = 1\n    r = c.query(a)\n  } finally {\n    c.release()\n  }\n  a1(r)\n  a2(r)\n  a3()\n  a4()\n  a5()\n}\n",
        ),
        # … which has no name of its own, is one of several, or is seen by a function that would not know its type
        ("async function f() {\n  ‹const c = await get();›\n  const { r } = await c.query();\n  ‹c.release();›\n  await send(r);\n}\n", None),
        ("async function f() {\n  ‹const c = await get();›\n  const r = await c.query(), s = 1;\n  ‹c.release();›\n  await send(r);\n}\n", None),
        ("async function f() {\n  ‹const c = await get();›\n  const r = await c.query();\n  const s = 1;\n  ‹c.release();›\n  await send(r, s);\n}\n", None),
        ("async function f() {\n  ‹const c = await get();›\n  const r = await c.query();\n  ‹c.release();›\n  await send(() => r);\n}\n", None),
        # … or is used before
        ("function f() {\n  use(() => r);\n  ‹const c = get();›\n  const r = c.query();\n  ‹c.release();›\n}\n", None),
        # a var is the function's
        (
            "function f() {\n  ‹var c = get();›\n  var r = c.query();\n  ‹c.release();›\n  return r;\n}",
            "function f() {\n  var c = get();\n  try {\n    var r = c.query();\n  } finally {\n    c.release();\n  }\n  return r;\n}",
        ),
        # a text over lines keeps its lines
        (
            "{\n    ‹const c = get();›\n    c.run(`\n  a\n    ${b}\n  c`, [\n        1,\n    ]);\n    ‹c.close();›\n}\n",
            "{\n    const c = get();\n    try {\n        c.run(`\n  a\n    ${b}\n  c`, [\n            1,\n        ]);\n    } finally {\n        c.close();\n    }\n}\n",
        ),
        # line ends, and the end of the file
        ("‹let c = get()›\r\nc.run()\r\n‹c.close()›", "let c = get()\r\ntry {\r\n  c.run()\r\n} finally {\r\n  c.close()\r\n}"),
        # cases have statements of their own
        (
            "switch (x) {\n  case 1:\n    ‹const c = get();›\n    c.run();\n    ‹c.close();›\n    break;\n}\n",
            "switch (x) {\n  case 1:\n    const c = get();\n    try {\n      c.run();\n    } finally {\n      c.close();\n    }\n    break;\n}\n",
        ),
        # released on one way already
        ("function f() {\n  ‹const c = get();›\n  if (a) {\n    c.close();\n    return;\n  }\n  ‹c.close();›\n}\n", None),
        # nothing between, not in one block, several on a line, an export inside
        ("‹const c = get();›\n‹c.close();›\n", None),
        ("‹const c = get();›\nif (x) {\n  ‹c.close();›\n}\n", None),
        ("‹const c = get();› c.run();\n‹c.close();›\n", None),
        ("‹const c = get();›\nexport const d = c.run();\n‹c.close();›\n", None),
    ],
)  # fmt: skip
def test_release_moves(before, after):
    source, program, (acquire, release) = marked(before)
    assert outcome(source, release_in_finally(source, program, acquire, release, "Release")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "async function f() {\n  ‹const c = await get();›\n  return c.run();\n}\n",
            "async function f() {\n  const c = await get();\n  try {\n    return c.run();\n  } finally {\n    c.release();\n  }\n}\n",
        ),
        (
            "<script>\n  ‹const c = get()›\n  c.run()\n</script>\n",
            "<script>\n  const c = get()\n  try {\n    c.run()\n  } finally {\n    c.release()\n  }\n</script>\n",
        ),
        ("async function f() {\n  ‹const c = await get();›\n}\n", None),
        ("async function f() { ‹const c = await get();› c.run(); }\n", None),
        ("async function f() {\n  ‹const c = await get();›\n  if (a) c.release();\n}\n", None),
    ],
)  # fmt: skip
def test_release_is_added(before, after):
    source, program, (acquire,) = marked(before, "file.svelte" if before.startswith("<") else "file.ts")
    assert outcome(source, release_in_finally(source, program, acquire, "c.release()", "Release")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import { ‹wrong› } from './a'", "import { right } from './a'"),
        ("import { ‹wrong› } from './a'\nwrong(() => ({ a: wrong }))", "import { right } from './a'\nright(() => ({ a: right }))"),
        ("import { ‹wrong› } from './a'\nf({ wrong })", "import { right } from './a'\nf({ wrong: right })"),
        ("import { ‹wrong› } from './a'\nf((wrong) => wrong)", "import { right as wrong } from './a'\nf((wrong) => wrong)"),
        ("import { ‹wrong› } from './a'\nlet right = wrong", "import { right as wrong } from './a'\nlet right = wrong"),
        ("import { ‹wrong› } from './a'\nexport { wrong }", "import { right as wrong } from './a'\nexport { wrong }"),
        ("import { ‹wrong› as b } from './a'", "import { right as b } from './a'"),
        ("import { type ‹wrong›, c } from './a'", "import { type right, c } from './a'"),
        ("import { type ‹wrong›, c } from './a'\nlet a: wrong", "import { type right, c } from './a'\nlet a: right"),
        ("export { ‹wrong› } from './a'", "export { right as wrong } from './a'"),
        ("export { ‹wrong› as b } from './a'", "export { right as b } from './a'"),
        ("const { ‹wrong› } = require('./a')", "const { right: wrong } = require('./a')"),
        ("const { ‹wrong›: b } = require('./a')", "const { right: b } = require('./a')"),
        ("a.‹wrong›(1)", "a.right(1)"),
        ("import { b as ‹wrong› } from './a'", None),
        ("import ‹wrong› from './a'", None),
        ("import * as ‹wrong› from './a'", None),
        ("export { ‹wrong› }", None),
        ("‹wrong›()", None),
    ],
)  # fmt: skip
def test_respell(before, after):
    source, program, (at,) = marked(before)
    assert outcome(source, respell(source, program, at, "right")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import a from 'a'\n", "import 'x'\nimport a from 'a'\n"),
        ('#!/usr/bin/env node\n"use strict";\n// c\nimport a from "a";\n', '#!/usr/bin/env node\n"use strict";\n// c\nimport "x";\nimport a from "a";\n'),
        ("<script>\n  import a from 'a'\n</script>\n", "<script>\n  import 'x'\n  import a from 'a'\n</script>\n"),
        ("", None),
    ],
)  # fmt: skip
def test_import_first(before, after):
    source, program, _ = marked(before, "file.svelte" if before.startswith("<") else "file.ts")
    assert outcome(source, import_first(source, program, "x", "Load first")) == after
