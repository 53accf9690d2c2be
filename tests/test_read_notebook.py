"""Notebooks: which cells are read, and that places are places in the JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connlint.languages.dump import dump
from connlint.languages.python.notebook import read_notebook
from connlint.languages.python.rewrite import require
from connlint.model import program as p
from connlint.model.source import Source


def notebook(*cells, language="python", **json_options):
    """A notebook of code cells, as Jupyter writes one."""
    rows = [{"cell_type": "markdown", "metadata": {}, "source": ["# not(code)\n"]}]
    for cell in cells:
        lines = cell.splitlines(keepends=True) if isinstance(cell, str) else cell
        output = {"data": {"application/json": {"cells": [{"cell_type": "code", "source": ["no(1)"]}]}}}
        rows.append({"cell_type": "code", "metadata": {}, "outputs": [output], "source": lines})
    content = {"cells": rows, "metadata": {"kernelspec": {"language": language}}, "nbformat": 4, "nbformat_minor": 5}
    text = json.dumps(content, **{"indent": 1, "ensure_ascii": False, **json_options})
    return Source.decode("file.ipynb", text.encode())


def calls(nodes):
    for node in nodes:
        if type(node) is p.Call:
            yield node
        yield from calls(p.children(node))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x = f(1)\ny = x", "z"], "bind x = (call f 1)\nbind y = x\ndo z"),
        (["%pip install a\nx\n!ls\n?x\nx.y??"], "do x"),
        (["%%bash\nx = 1\n"], ""),
        (["%%time\n%%capture\nx\n"], "do x"),
        (["if x:\n    !ls\n"], 'if x\n  do (opaque "ellipsis")'),
        (["x = !ls\ny, z = %who\n"], 'bind x = (opaque "ellipsis")\nbind (tuple y z) = (opaque "ellipsis")'),
        (['s = """\n%time\n!ls\n"""\n'], 'bind s = "\\n%time\\n!ls\\n"'),
        (["x = a %b\nz = a != b"], 'bind x = (opaque "binary %" a b)\nbind z = (!= a b)'),
        (["await x"], "do (await x)"),
        (["x = (", "y = 1"], "bind y = 1"),
        (["x = '''", "y = 1"], "bind y = 1"),
        (["", [], "x"], "do x"),
        (["def f():\n    return '''a\n'''\n"], 'define function f()\n  return "a\\n"'),
    ],
)
def test_cells(cells, expected):
    text = dump(read_notebook(notebook(*cells)))
    assert text.partition("problem")[0].rstrip("\n") == expected


@pytest.mark.parametrize("options", [{}, {"ensure_ascii": True}, {"indent": None}], ids=str)
def test_places_are_places_in_the_json(options):
    source = notebook('é = "\\t𝒳"; f("é𝒳")\n', "x\n\tf('a\\\\b')", "if y:\n  # c\n  f(é)", **options)
    program = read_notebook(source)
    assert program.problems != () and [problem.kind for problem in program.problems] == ["syntax"]
    found = [json.loads(f'"{source.slice(call.at)}"') for call in calls(program.body)]
    assert found == ['f("é𝒳")', "f(é)"]
    assert source.line(program.body[0].at[0]) == source.line(source.data.index(b"f("))


def test_a_cell_in_one_string_and_the_third_format():
    cell = {"cell_type": "code", "language": "python", "input": "f(1)\ng(2)"}
    other = {**cell, "language": "ruby"}
    text = json.dumps({"worksheets": [{"cells": [other, cell]}], "metadata": {}, "nbformat": 3})
    source = Source.decode("file.ipynb", text.encode())
    assert [source.slice(call.at) for call in calls(read_notebook(source).body)] == ["f(1)", "g(2)"]


def test_another_language_is_an_empty_program():
    assert dump(read_notebook(notebook("x = 1", language="julia"))) == ""


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"cells": [', '{"cells": [}', '{"a": 1}}', '{"cells": [{"cell_type": "code", "source": "\\x"}]}', "x"],
)
def test_what_is_no_notebook_is_a_problem(text):
    program = read_notebook(Source.decode("file.ipynb", text.encode()))
    assert [problem.message for problem in program.problems] == ["not understood as a notebook"]


@given(st.text(max_size=40), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_never_raises(noise, at):
    text = notebook("x = f('é')\n%time\n", "def g(): return 1").text
    source = Source.decode("file.ipynb", (text[:at] + noise + text[at:]).encode("utf-8", "replace"))
    for call in calls(read_notebook(source).body):
        assert 0 <= call.at[0] < call.at[1] <= len(source.data)


def test_suppressions_and_edits():
    source = notebook("# connlint: ignore[a] é\nimport os\nx = os.getenv('A', 'b')")
    program = read_notebook(source)
    (comment,) = program.comments
    assert (comment.text, comment.alone) == ("connlint: ignore[a] é", True)
    (call,) = calls(program.body)
    assert source.slice(call.at) == "os.getenv('A', 'b')"
    assert require(source, program, call.at, "A") is None
