"""What the Python reader makes of files: of correct ones, checked by CPython's own parser, and of everything else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
import tokenize
import warnings
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from connlint.languages.dump import dump
from connlint.languages.python import parser
from connlint.languages.python import read as reader
from connlint.languages.python.literals import number_value, string_value
from connlint.languages.python.lowering import lowerings
from connlint.languages.python.parser import full_parser
from connlint.languages.python.read import read
from connlint.languages.python.stretches import split
from connlint.model import program as p
from connlint.model.source import Source
from cpython import disagreements

GOLDEN = sorted((Path(__file__).parent / "fixtures" / "readers" / "python").glob("*.py"))
STDLIB = Path(os.__file__).parent
# Old and new style, every statement, other encodings, generated tables.
REAL = [
    STDLIB / name
    for name in (
        "asyncio/base_events.py",
        "contextlib.py",
        "dataclasses.py",
        "email/header.py",
        "encodings/cp1252.py",
        "http/client.py",
        "socket.py",
        "ssl.py",
        "statistics.py",
        "typing.py",
        "unittest/mock.py",
    )
]


def source_of(code: str | bytes) -> Source:
    return Source.decode("file.py", code.encode() if isinstance(code, str) else code, cookie=True)


def lowered(code: str | bytes, words: list[bytes] | None = None) -> str:
    return dump(read(source_of(code), words)).rstrip("\n")


# -- what correct files mean ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", GOLDEN, ids=lambda f: f.stem)
def test_golden(file):
    source = Source.decode(file.name, file.read_bytes(), cookie=True)
    expected = file.with_suffix(".dump")
    found = dump(read(source), source)
    if os.environ.get("CONNLINT_WRITE_GOLDEN"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", REAL, ids=lambda f: f.stem)
def test_same_nodes_and_places_as_cpython(file):
    source = Source.decode(file.name, file.read_bytes(), cookie=True)
    program = read(source)
    assert program.problems == ()
    assert disagreements(source, program) == []


def test_second_opinion_disagrees_with_a_wrong_program():
    source, other = source_of("f(1)\n"), source_of("f( 1)\n")
    assert len(disagreements(source, read(other))) == 4


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = f(é)", "bind x = (call@1:5-1:9 f é) @1:1-1:9"),
        ("'𝒳é'; f(1)", 'do "𝒳é" @1:1-1:5\ndo (call@1:7-1:11 f 1) @1:7-1:11'),
        ("𝒳 = '''\n𝒳''', f(1)", 'bind 𝒳 = (tuple "\\n𝒳" (call@2:7-2:11 f 1)) @1:1-2:11'),
        ("\tx", "do x @1:2-1:3"),
        ("\x0cx = 1\n\x0c\nf(1)", "bind x = 1 @1:2-1:7\ndo (call@3:1-3:5 f 1) @3:1-3:5"),
        ("x = 1\ry = 2", "bind x = 1 @1:1-1:6\nbind y = 2 @2:1-2:6"),
        ("x = \\\r\n  f(1)\r\n", "bind x = (call@2:3-2:7 f 1) @1:1-2:7"),
        (b"# coding: latin-1\nx = '\xe9', f(1)", 'bind x = (tuple "é" (call@2:10-2:14 f 1)) @2:1-2:14'),
        (b"\xef\xbb\xbff(1)", "do (call@1:1-1:5 f 1) @1:1-1:5"),
        ("\ufeffé = f('\u0085')".encode(), 'bind é = (call@1:5-1:11 f "\x85") @1:1-1:11'),
        ("x = '𝒳', f(1)".encode("utf-16"), 'bind x = (tuple "𝒳" (call@1:10-1:14 f 1)) @1:1-1:14'),
        ("", ""),
        ("  # only a comment", ""),
    ],
)
def test_places_in_any_encoding(code, expected):
    source = source_of(code)
    program = read(source)
    assert dump(program, source).rstrip("\n") == expected
    for call in calls(program.body):
        assert source.slice(call.at).startswith("f(") and source.slice(call.at).endswith(")")


def calls(nodes):
    for node in nodes:
        if type(node) is p.Call:
            yield node
        yield from calls(p.children(node))


def test_places_of_everything_else():
    source = source_of("@d\nasync def fé(): pass\nfrom ..a.b import (c as d)\nx.y\nwith a as b, c: pass\n")
    program = read(source)
    define, imported, member, with_ = program.body
    assert [source.slice(at) for at in (define.value.at, define.value.name_at)] == ["@d\nasync def fé(): pass", "fé"]
    assert [source.slice(at) for at in (imported.module_at, imported.names[0].at)] == ["..a.b", "c as d"]
    assert source.slice(member.value.name_at) == "y"
    assert [source.slice(item.at) for item in with_.items] == ["a as b", "c"]


@given(st.text(alphabet="ab\\'\"{}nxuN0179\n é", max_size=12), st.sampled_from(["", "r", "b", "u", "Rb"]))
@settings(max_examples=300, deadline=None)
def test_strings_mean_what_they_mean_in_python(inside, prefix):
    for quote in ("'", '"', "'''", '"""'):
        literal = f"{prefix}{quote}{inside}{quote}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = ast.literal_eval(literal)
        except (SyntaxError, ValueError):
            continue
        if sum(token.type == tokenize.STRING for token in tokenize.generate_tokens(StringIO(literal).readline)) > 1:
            continue
        assert string_value(literal) == (value.decode("latin-1") if isinstance(value, bytes) else value)


@pytest.mark.parametrize("literal", ["0", "10_000", "0xFF", "0o17", "0b1_0", "1e3", "1_0.5E-2", ".5", "5."])
def test_numbers_mean_what_they_mean_in_python(literal):
    assert number_value(literal) == ast.literal_eval(literal)


# -- reading by stretches ---------------------------------------------------------------------------------------------

STRETCHES = '''\
"""Text with def nothing(): in it
def no_function(): pass
"""
import os  # words: needle
TABLE = {
    "needle": [
1, 2],
}
@decorated("""
def g(): pass
""")
def first():
    return 'needle'
# between

def second(): return f"{x["}"]}"
class Third(
    Base
):
    def method(self): pass
if os:
    def fourth(): pass
elif x:
    pass
else: y = \\
1
async def fifth(): needle; x = 3
x = 1; y = 2
async with z: pass
'''


def unread_names(program):
    return [name for statement in program.body if type(statement) is p.Unread for name in statement.names]


def test_only_definitions_without_the_words_stay_unread():
    source = source_of(STRETCHES)
    program = read(source, [b"needle"])
    assert unread_names(program) == ["second", "Third"]
    spans = [source.slice(s.at) for s in program.body if type(s) is p.Unread]
    assert [(span[:5], span[-4:]) for span in spans] == [("def s", '"]}"'), ("class", "pass")]
    assert read(source, []).problems == () == program.problems
    assert unread_names(read(source, [])) == ["first", "second", "Third", "fifth"]
    assert unread_names(read(source)) == []


@pytest.mark.parametrize("file", [*REAL, *GOLDEN], ids=lambda f: f.stem)
@pytest.mark.parametrize("words", [[b"self"], [b"raise", b"socket"], [b"lambda"]], ids=str)
def test_stretches_read_as_if_the_whole_file_were(file, words):
    source = Source.decode(file.name, file.read_bytes(), cookie=True)
    by_place, whole = by_at(read(source, words).body), by_at(read(source).body)
    unread = [s for statements in by_place.values() for s in statements if type(s) is p.Unread]
    assert not any(word in source.data[s.at[0] : s.at[1]] for s in unread for word in words)
    names = [name for s in unread for name in s.names]
    for at, statements in whole.items():
        found = by_place.get(at, unread[:1])
        if type(found[0]) is p.Unread:
            names.remove(getattr(statements[0], "name", "") or statements[0].target.id)
        else:
            assert of_statements(found, source) == of_statements(statements, source)
    assert names == []


def by_at(body):
    groups = {}
    for statement in body:
        groups.setdefault(statement.at, []).append(statement)
    return groups


def of_statements(statements, source):
    return dump(p.Program("python", tuple(statements)), source)


def test_names_that_are_not_ascii():
    code = "# é\ndef hé(): needle; gé()\n@x\nclass Ü: 'à'  # connlint: ü\n    à\ndef gé(): return f'{é=}', 'é', lé.é\n"
    source = source_of(code)
    program = read(source, [b"needle"])
    assert unread_names(program) == ["Ü"]
    assert [comment.text for comment in program.comments] == ["é", "connlint: ü"]
    assert 'return (tuple (concat "é=" (opaque "format" é)) "é" lé.é)\n' in dump(program)
    assert [source.slice(s.at)[-3:] for s in program.body] == ["é()", "  à", "é.é"]


def test_what_a_read_definition_mentions_is_read():
    code = "def a(): b()\ndef b(): return C\nclass C: pass\ndef d(): needle; a()\ndef e(): d()\n"
    assert unread_names(read(source_of(code), [b"needle"])) == ["e"]


def test_a_large_table_without_the_words_stays_unread():
    table = "TABLE = {\n" + "".join(f"    {n}: 'value',\n" for n in range(400)) + "}\n"
    assert lowered(table + "x = 1\n", [b"needle"]) == "unread TABLE\nbind x = 1"
    assert "unread" not in lowered(table.replace("'value'", "'needle'"), [b"needle"])


@pytest.mark.parametrize(
    "string",
    ['f"{a["b"]}"', "f'{'{'}'", 'f"{f"{x}"}"', "f'''{\n'''x'''}'''", 'rf"\\{x!r:{"}"}}"', "f'{{' '}'", "f'{x:{'a'}}'",
     "f'\\N{LEFT CURLY BRACKET}'", "f'{x # }\n}'", "if'{'"],
)  # fmt: skip
def test_strings_in_fields_of_strings(string):
    code = f"x = {string}\ndef f(): pass\n"
    assert [s.start for s in split(code).items] == [0, code.index("def")]


# -- files that are not correct ---------------------------------------------------------------------------------------

N = 10_000


@pytest.mark.parametrize(
    ("name", "broken", "kind"),
    [
        ("a NUL byte", "a\0b = 1", "syntax"),
        ("Python 2", "print 'x'", "syntax"),
        ("no end of string", "x = 'abc", "syntax"),
        ("no end of bracket", "x = (1,", "syntax"),
        ("a stray bracket", "x = 1)", "syntax"),
        ("no block", "def f():\n", "syntax"),
        ("tabs and spaces", "if x:\n\tif y:\n        z", "syntax"),
        ("merge conflict", "<<<<<<< HEAD", "syntax"),
        ("brackets", "x = " + "(" * N + "1" + ")" * N, "too-deep"),
        ("open brackets", "x = " + "[" * N, "too-deep"),
        ("blocks", "".join(" " * n + "if x:\n" for n in range(1000)) + " " * 1000 + "pass", "too-deep"),
        ("signs", "x = " + "-" * N + "1", "too-deep"),
        ("sums", "x = " + "+".join("1" * N), "too-deep"),
        ("sums on lines", "x = " + "+\\\n".join("1" * N), "too-deep"),
        ("sums in brackets", "x = (" + "+\n".join("1" * N) + "\n)", "too-deep"),
        ("members", "x" + ".a" * N, "too-deep"),
        ("calls on lines", "x = (a\n" + ".b(1)\n" * N + ")", "too-deep"),
        ("calls", "x" + "()" * N, "too-deep"),
        ("a shorter chain", "x" + ".a" * 300, "too-deep"),
        ("arms", "if x: pass\n" + "elif y: pass\n" * N, "too-deep"),
        ("fewer arms", "if x: pass\n" + "elif y: pass\n" * 300, "too-deep"),
        ("lambdas", "x = " + "lambda: " * N + "1", "too-deep"),
        ("conditions", "x = " + "1 if a else " * N + "1", "too-deep"),
        ("formatted", "x = " + "f'{" * N + "1" + "}'" * N, "too-deep"),
    ],
)
def test_what_stands_around_something_broken_is_read(name, broken, kind):
    source = source_of(f"import os\ndef before(): return 1\n{broken}\ndef after(): return 2\nend = 3\n")
    for program in (read(source), read(source, [b"return", broken[-4:].encode()])):
        text = dump(program)
        assert [problem.kind for problem in program.problems] == [kind]
        assert text.startswith('import "os" * as os\ndefine function before()\n  return 1\nunread')
        assert text.rpartition("problem")[0].endswith("define function after()\n  return 2\nbind end = 3\n")
        start, end = program.problems[0].at
        assert source.data[start:end].decode() == broken.strip()


def test_many_texts_side_by_side_are_one_for_python_and_too_many_for_libcst(monkeypatch):
    source = source_of("x = " + "'a' " * N)
    assert lowered("x = " + "'a' " * N) == f'bind x = "{"a" * N}"'
    with_libcst_alone(monkeypatch)
    assert [problem.kind for problem in read(source).problems] == ["too-deep"]


def test_another_dialect_is_one_problem():
    text = lowered("print 1\nx = 2\nprint 3\nimport os\ndef f():\n    print 4\n")
    assert text == 'unread\nbind x = 2\nunread\nimport "os" * as os\nunread f\nproblem syntax: not understood as Python'


def test_an_open_text_takes_the_rest_of_the_file():
    assert lowered("x = 1\ny = '''\nz = 2\n") == (
        "bind x = 1\nunread\nproblem syntax: unterminated triple-quoted string literal"
    )


def test_a_parser_without_lazy_imports(monkeypatch):
    parse = reader._parse

    def older(text):
        if "lazy import" in text or "lazy from" in text:
            raise ValueError("no such statement")
        return parse(text)

    code = "x = 1\nlazy import a.b\nlazy from c import (d as e)\nlazy = 2\n"
    expected = lowered(code)
    monkeypatch.setattr(reader, "_parse", older)
    assert lowered(code) == expected
    assert 'import lazy top "a.b"' in expected or 'import top lazy "a.b"' in expected


def test_a_long_file_takes_time_in_proportion():
    def seconds(lines):
        code = source_of("x = f(1)\ndef g():\n    return 1\n" * (lines // 3))
        start = time.process_time()
        program = read(code, [b"x"])
        assert len(program.body) == lines // 3 * 2
        return time.process_time() - start

    small = seconds(1_500)
    assert seconds(15_000) < 30 * small


def test_two_hundred_thousand_lines():
    source = source_of("def g():\n    return 1\n" * 100_000)
    assert len(read(source, [b"needle"]).body) == 100_000


SAMPLE = "".join(file.read_text(encoding="utf-8") for file in GOLDEN)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_never_raises(data):
    start = data.draw(st.integers(0, len(SAMPLE)))
    piece = SAMPLE[start : start + data.draw(st.integers(0, 200))]
    noise = data.draw(st.text(max_size=5))
    at = data.draw(st.integers(0, len(piece)))
    source = source_of(piece[:at] + noise + piece[at:])
    for words in (None, [b"a"]):
        program = read(source, words)
        dump(program, source)
        for call in calls(program.body):
            assert 0 <= call.at[0] < call.at[1] <= len(source.data)


# -- comments ---------------------------------------------------------------------------------------------------------


def test_comments_are_collected_where_one_may_be_for_connlint():
    code = "# connlint: é alone\nx = '# connlint: text'  # connlint: beside\nf(  \n  # in brackets\n)\n'''\n# no\n'''\n"
    source = source_of(code)
    comments = read(source, [b"none"]).comments
    assert [(c.text, c.alone, source.slice(c.at)) for c in comments] == [
        ("connlint: é alone", True, "# connlint: é alone"),
        ("connlint: beside", False, "# connlint: beside"),
        ("in brackets", True, "# in brackets"),
    ]
    assert read(source_of("x = 1  # nothing for us\n")).comments == ()


# -- the parser -------------------------------------------------------------------------------------------------------


def with_libcst_alone(monkeypatch):
    monkeypatch.setattr(reader._Reading, "_by_python", lambda *_: None)


@pytest.mark.parametrize("words", [None, [b"self"]], ids=str)
@pytest.mark.parametrize("file", [*REAL, *GOLDEN], ids=lambda f: f.stem)
def test_which_parser_it_was_cannot_be_told(file, words, monkeypatch):
    source = Source.decode(file.name, file.read_bytes(), cookie=True)
    program = read(source, words)
    if file.stem in ("parentheses", "client"):
        assert program.reader == "ast"
    with_libcst_alone(monkeypatch)
    other = read(source, words)
    assert other.reader == "libcst"
    assert dump(program, source) == dump(other, source)
    assert to_builtins(program.body) == to_builtins(other.body)


@pytest.mark.parametrize("code", [
    "ℌ = x.ℌ\n", "def f(ℌ): f(ℌ=1)\n", "import ℌ, a . b\n", "from a . b import ℌ\n", "global ℌ\n",
    "try: x\nexcept A as ℌ: x\n",
])
def test_names_are_those_of_the_text(code, monkeypatch):
    found = lowered(code)
    with_libcst_alone(monkeypatch)
    assert lowered(code) == found


@pytest.mark.parametrize("file", [*REAL[:4], *GOLDEN], ids=lambda f: f.stem)
def test_plain_nodes_say_what_the_nodes_of_libcst_say(file, monkeypatch):
    source = Source.decode(file.name, file.read_bytes(), cookie=True)
    with_libcst_alone(monkeypatch)
    plain = dump(read(source), source)
    full = full_parser()
    monkeypatch.setattr(reader, "parser", lambda: full)
    monkeypatch.setattr(reader, "_table", lambda: lowerings(full.nodes))
    assert dump(read(source), source) == plain


def test_another_libcst_is_imported_as_usual(monkeypatch):
    def refuse(parse):
        raise TypeError

    monkeypatch.setattr(parser, "_examine", refuse)
    assert parser.parser.__wrapped__().nodes.__name__ == "libcst"


FRESH = """
import sys
from connlint.languages.python.read import read
from connlint.model.source import Source
assert not read(Source.decode("a.py", b"f(x)")).problems
assert not [name for name in sys.modules if name.startswith("libcst")], sys.modules
assert read(Source.decode("a.py", b"f(x)\\nprint 1")).problems
assert [name for name in sys.modules if name.startswith("libcst")] == ["libcst.native"], sys.modules
import libcst
assert libcst.parse_module("x = 1  # c\\n").code == "x = 1  # c\\n"
try:
    libcst.parse_module("x = (")
except libcst.ParserSyntaxError:
    print("as usual")
assert len(read(Source.decode("a.py", b"f(x)\\ny = 1")).body) == 2
"""


def test_only_the_parser_of_libcst_is_imported_and_libcst_works_when_it_is():
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("as usual\n", "")
