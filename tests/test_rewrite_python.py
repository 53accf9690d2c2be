"""Edits of Python files: what they make of a file, and where they are refused."""
# ruff: noqa: E501 - a table of files, each on one line

from __future__ import annotations

import pytest

from connlint.languages.edits import applied
from connlint.languages.python.read import read
from connlint.languages.python.rewrite import move_before, release_in_finally, require, respell
from connlint.model.source import Source

# Stands for a place in the tables below: from the first ‹ to the last ›.
OPEN, CLOSE = "‹", "›"


def marked(code, encoding="utf-8"):
    """The source of ``code`` without its marks, its program, and the places that they enclose."""
    spans, plain, starts = [], "", []
    for c in code:
        if c == OPEN:
            starts.append(len(plain.encode(encoding)))
        elif c == CLOSE:
            spans.append((starts.pop(), len(plain.encode(encoding))))
        else:
            plain += c
    source = Source.decode("file.py", plain.encode(encoding), cookie=True)
    return source, read(source), spans


def outcome(source, fix):
    """The text after ``fix``, None where there is none; a fix must survive being proved a second time."""
    if fix is None:
        return None
    after = Source.decode(source.path, applied(source, fix.edits), cookie=True)
    assert not fix.safe
    assert read(after).problems == read(source).problems
    return after.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\nx = ‹os.getenv('A', 'b')›\n", "import os\nx = os.environ['A']\n"),
        ("import os as o\nx = ‹o.getenv(\"A\", 'b')›\n", 'import os as o\nx = o.environ["A"]\n'),
        ("from os import environ as e\nx = ‹e.get('A')›\n", "from os import environ as e\nx = e['A']\n"),
        ("from os import getenv\nx = ‹getenv('A')›\n", "from os import environ, getenv\nx = environ['A']\n"),
        ("from os import path as q, abc\nx = ‹getenv('A')›\n", "from os import environ, path as q, abc\nx = environ['A']\n"),
        ("from os import abc\nx = ‹getenv('A')›\n", "from os import abc, environ\nx = environ['A']\n"),
        ("import json\nimport sys\n\nimport x\ny = ‹f('A')›", "import json\nimport os\nimport sys\n\nimport x\ny = os.environ['A']"),
        ("import json\n\nimport x\ny = ‹f('A')›", "import json\nimport os\n\nimport x\ny = os.environ['A']"),
        ("import json\nfrom x import y\nz = ‹f('A')›", "import json\nimport os\nfrom x import y\nz = os.environ['A']"),
        ('"""doc"""\nfrom __future__ import a\n\nx = ‹f("A")›\n', '"""doc"""\nfrom __future__ import a\n\nimport os\n\nx = os.environ["A"]\n'),
        ("#!/bin/python\n# é\nx = ‹f()›\r\n", '#!/bin/python\n# é\nimport os\n\nx = os.environ["A"]\r\n'),
        ("import a\r\nx = ‹f()›\r\n", 'import a\r\nimport os\r\nx = os.environ["A"]\r\n'),
        ("\N{BYTE ORDER MARK}x = ‹f()›\n", '\N{BYTE ORDER MARK}import os\n\nx = os.environ["A"]\n'),
        ("import os\ndef f(env=os.environ):\n    return ‹env.get('A', 'b')›\n", "import os\ndef f(env=os.environ):\n    return env['A']\n"),
        ("import os\ndef f(store):\n    return ‹store.get('A', 'b')›\n", "import os\ndef f(store):\n    return os.environ['A']\n"),
        ("import os\nx = f\"{‹f('A')›}\"\n", "import os\nx = f\"{os.environ['A']}\"\n"),
        ("import os\nx = f\"{‹f(A)›}\"\n", None),
        ("os = 1\nx = ‹f()›\n", None),
        ("import os\ndef f(os): return ‹os.getenv('A')›\n", None),
        ("def f():\n    import os\n    return ‹os.getenv('A')›\n", None),
        ("import os\nx = ‹f(›'A')\n", None),
    ],
)  # fmt: skip
def test_require(before, after):
    source, program, (at,) = marked(before)
    text = outcome(source, require(source, program, at, "A"))
    assert text == (after and after.removeprefix("\N{BYTE ORDER MARK}"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # the release moves
        (
            "def f(pool):\n    ‹c = pool.get()›\n    \n    c.run()  # runs\n\n    # done\n    ‹pool.put(c)›  # back\n    return 1\n",
            "def f(pool):\n    c = pool.get()\n    try:\n        c.run()  # runs\n"
            "    finally:\n        # done\n        pool.put(c)  # back\n    return 1\n",
        ),
        # a text over lines keeps its lines, code over lines moves
        (
            "‹c = get()›\nc.run('''\na\n''', [\n  1,\n])\n‹c.close()›",
            "c = get()\ntry:\n    c.run('''\na\n''', [\n      1,\n    ])\nfinally:\n    c.close()",
        ),
        # tabs, carriage returns, an encoding of its own
        (
            "# coding: latin-1\r\nif é:\r\n\t‹c = get()›\r\n\tc.run('é')\r\n\t‹c.close()›\r\n",
            "# coding: latin-1\r\nif é:\r\n\tc = get()\r\n\ttry:\r\n\t\tc.run('é')\r\n\tfinally:\r\n\t\tc.close()\r\n",
        ),
        ("‹c = get()›\n‹c.close()›\n", None),
        ("‹c = get()›; c.run()\n‹c.close()›\n", None),
        ("if x: ‹c = get()›\nc.run()\n‹c.close()›\n", None),
        ("‹c = get()›\nif x:\n    c.run()\n    ‹c.close()›\n", None),
        ("‹c = get()›\nc.run(); ‹c.close()›\n", None),
        ("‹c = get()›\nc.run()\n‹c.close()›; d()\n", None),
    ],
)
def test_release_moves_into_finally(before, after):
    source, program, (acquire, release) = marked(before, "latin-1" if "latin-1" in before else "utf-8")
    assert outcome(source, release_in_finally(source, program, acquire, release, "Release")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "async def f():\n  ‹c = await get()›\n  c.run()\n  return c.x\n\nprint(f)\n",
            "async def f():\n  c = await get()\n  try:\n    c.run()\n    return c.x\n  finally:\n    await c.close()\n\nprint(f)\n",
        ),
        (
            "class A:\n    async def f(self):\n        with b:\n            ‹c = get()›\n            c.run()",
            "class A:\n    async def f(self):\n        with b:\n            c = get()\n            try:\n                c.run()\n"
            "            finally:\n                await c.close()\n",
        ),
        ("async def f():\n  ‹c = await get()›\n", None),
    ],
)
def test_release_is_added(before, after):
    source, program, (acquire,) = marked(before)
    assert outcome(source, release_in_finally(source, program, acquire, "await c.close()", "Release")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from x import (\n    wrogn,  # a comment\n)\nwrogn()\n", "from x import (\n    wrong,  # a comment\n)\nwrong()\n"),
        ("from x import wrogn\n", "from x import wrong as wrogn\n"),
        ("from x import wrogn\nf(wrogn, '.wrogn')\n", "from x import wrong as wrogn\nf(wrogn, '.wrogn')\n"),
        ("from x import wrogn\ndef f(wrong): return wrogn\n", "from x import wrong as wrogn\ndef f(wrong): return wrogn\n"),
        ("from x import wrogn as y\n", "from x import wrong as y\n"),
        ("from x import wrogn as wrong\n", "from x import wrong\n"),
        ("from x import *\n", None),
        ("import x\n", None),
    ],
)
def test_respell(before, after):
    source, program, _ = marked(before)
    assert outcome(source, respell(source, program, program.body[0].names[0], "wrong")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "import os\n‹from a import b›  # reads\nfrom dotenv import load\n\n‹from dotenv import load›  # two\n‹load()›\n",
            "import os\nfrom dotenv import load  # two\n\nload()\n\nfrom a import b  # reads\nfrom dotenv import load\n\n",
        ),
        ("‹import a›\n# c\n\n# d\n# e\n‹b()›", "# d\n# e\nb()\n\nimport a\n# c\n\n"),
        ("‹import a›; c()\n# d\n‹b()›\nf()", "b()\n\nimport a; c()\n# d\nf()"),
        ("‹import a›\n‹b()›; c()", None),
        ("‹import a›\nif x:\n    ‹b()›\n", None),
    ],
)
def test_move_before(before, after):
    source, program, (place, *moved) = marked(before)
    assert outcome(source, move_before(source, program, moved, place, "Move")) == after


def test_a_name_that_could_close_the_string_is_refused():
    source, program, (at,) = marked("x = ‹f('A')›\n")
    assert require(source, program, at, "A'] + x['") is None
