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


THROWS = "(() => { throw new Error(\"A is not set\"); })()"
BARE = "(() => { throw new Error('A is not set') })()"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('const x = ‹process.env.A || "b"›;\n', f"const x = process.env.A || {THROWS};\n"),
        ("const x = ‹process.env.A ?? 'b'›\n", f"const x = process.env.A ?? {BARE}\n"),
        ('f(‹process.env["A"] ?? "b"›);', f'f(process.env["A"] ?? {THROWS});'),
        ("const x = ‹process.env.A || process.env.B || 'b'›\n", f"const x = process.env.A || process.env.B || {BARE}\n"),
        ('let x: string = (‹process.env.A || "b"›)!;', f"let x: string = (process.env.A || {THROWS})!;"),
        ('x = ‹process.env.A ? process.env.A : "b"›;', f"x = process.env.A ? process.env.A : {THROWS};"),
        ('x = ‹!process.env.A ? "b" : process.env.A›;', f"x = !process.env.A ? {THROWS} : process.env.A;"),
        ('‹process.env.A ||= "b"›;', f"process.env.A ||= {THROWS};"),
        ('const { ‹A = "b"› } = process.env;', f"const {{ A = {THROWS} }} = process.env;"),
        ('const é = ‹process.env.A || "b"›;\r\n', f"const é = process.env.A || {THROWS};\r\n"),
        ('x = `${‹process.env.A || "b"›}/c`;', f"x = `${{process.env.A || {THROWS}}}/c`;"),
        ('x = ‹process.env.A›;', None),
        ('x = ‹get("A", "b")›;', None),
        ('x = ‹process.env.A ? 1 : 2›;', None),
        ('x = ‹process.env.A && "b"›;', None),
    ],
)  # fmt: skip
def test_require(before, after):
    source, program, (at,) = marked(before)
    assert outcome(source, require(source, program, at, "A")) == after


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
        # … unless that waits for something else
        ("async function f() {\n  ‹const c = await get();›\n  const r = await c.query();\n  ‹c.release();›\n  await send(r);\n}\n", None),
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
        ("import { ‹wrong› } from './a'", "import { right as wrong } from './a'"),
        ("import { ‹wrong› as b } from './a'", "import { right as b } from './a'"),
        ("import { type ‹wrong›, c } from './a'", "import { type right as wrong, c } from './a'"),
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
