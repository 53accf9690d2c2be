"""What is asked often is answered in another way than what is asked once: the answers have to be the same."""

from types import SimpleNamespace

import pytest

from connlint.languages.javascript.read import read as read_javascript
from connlint.languages.python.read import read as read_python
from connlint.model import program as p
from connlint.model.source import Source
from connlint.project import conditions, dispensable, importers, javascript_absence, python_assignments
from connlint.project.javascript_modules import JavaScriptLinker
from connlint.project.javascript_paths import Resolver
from connlint.project.project import Project
from connlint.project.python_files import PythonFiles
from connlint.project.tree import MemoryTree
from connlint.project.vocabulary import Vocabulary
from projects import report

TEXTS = [
    ("a", b"connect(); re_connect$2 = 1"),
    ("b", "reconnected, größe".encode()),
    ("c", b"con nect con.nect"),
    ("d", b""),
]


@pytest.mark.parametrize("word", ["connect", "reconnect", "nect", "con", "größe", "$2", "_connect", "absent", "e()",
                                  "co"])
def test_a_word_that_is_looked_up_is_held_by_those_that_a_search_finds(word):
    sought = word.encode()
    found = tuple(name for name, data in TEXTS if sought in data)
    if Vocabulary.knows(sought):
        assert Vocabulary(TEXTS).holding(sought) == found
    else:
        assert not word.isidentifier() or len(word) < 3


@pytest.mark.parametrize("word", ["connect", "con", "t(", ""])
def test_how_often_was_asked_changes_no_answer(monkeypatch, word):
    project = Project(MemoryTree({f"{name}.py": data for name, data in TEXTS}), {}, {})
    answers = []
    for many in (48, 0):
        monkeypatch.setattr(importers, "_MANY", many)
        answers.append(importers.Importers(project).mentions(word, "x.py"))
    assert answers[0] == answers[1]


SETTING = MemoryTree({
    "here/conf.py": "",
    "named.py": "from here import conf\nconf.BY_NAME = 1\nif conf.BY_TEST == 2: pass",
    "renamed.py": "from here import conf as c\nimport other as o\nc.RENAMED: int = 1\no.NOT_HERE = 1\nx = y.INSIDE = 1",
    "dotted.py": "import here.conf\nhere.conf.DOTTED = 3\nhere.conf.DOTTED.BELOW = 3",
    "called.py": "setattr(\n    anything,\n    'CALLED', 1)\nsetattr(a or b, 'NOT_CALLED', 1)",
    "patched.py": "@patch('here.conf.PATCHED', create=True)\n@patch('here.conf.THERE', new=1)\ndef f(): ...",
    "own.py": "class A:\n    def f(self):\n        self.OWN = 1",
})


@pytest.mark.parametrize(("name", "made"), [
    ("BY_NAME", True), ("BY_TEST", False), ("RENAMED", True), ("NOT_HERE", False), ("INSIDE", False), ("DOTTED", True),
    ("BELOW", False), ("CALLED", True), ("NOT_CALLED", False), ("PATCHED", True), ("THERE", False), ("OWN", False),
])
def test_what_files_set_on_a_module_is_the_same_noted_or_looked_for(monkeypatch, name, made):
    for few in (1000, 0):
        monkeypatch.setattr(python_assignments, "_FEW", few)
        assert python_assignments.Assignments(PythonFiles(SETTING)).are_made("here/conf.py", name) is made


@pytest.mark.parametrize(("text", "modules"), [
    ("import a\nimport b.c as d, e", ["a", "b.c", "e"]),
    ("from a import (\n    b,  # import no\n    c as d,\n)\nimport f", ["a", "a.b", "a.c", "f"]),
    ("x = 1; import a\nfrom . import b", [".", ".b"]),
    ("def f():\n\timport a", ["a"]),
    ("from a import b, \\\n    c\nimportant = 1\n# import d\nreimport e", ["a", "a.b", "a.c"]),
])
def test_the_imports_of_python_stand_at_the_start_of_lines(text, modules):
    assert [module for _, module, _ in importers._python_imports(text.encode())] == modules


def test_a_folder_that_is_not_there_is_wanted_by_the_same_imports(monkeypatch):
    files = {f"src/{n}.ts": f"import a from './gone/{n}'; import b from './{n}'" for n in range(12)}
    tree = MemoryTree(files | {"src/deep/x.ts": "import a from '../gone/deep/x'; import b from '../gones/y'"})
    wanted = []
    for few in (8, 0):
        monkeypatch.setattr(javascript_absence, "_FEW", few)
        wanted.append(Resolver(tree).absence._wanted("src/gone"))
    assert wanted[0] == wanted[1] == {f"src/gone/{n}" for n in range(12)} | {"src/gone/deep/x"}


def test_a_target_is_what_resolving_finds():
    tree = MemoryTree({"a/index.ts": "", "a/b.tsx": "", "c.js": "", "package.json": "{}"})
    for path in ("a/b.tsx", "c.js"):
        for module in ("./a", ".", "..", "../c", "./b.js", "./none", "../../out", "c", "./c.js", ".hidden/x"):
            answer = JavaScriptLinker(tree).resolve(path, module)
            assert JavaScriptLinker(tree).target(path, module) == getattr(answer, "path", None)


PYTHON = b"""
@d
async def f(a: int = 1, *b, **c) -> None:
    global x
    for x, (y, *z) in g(k=1)[2] or (yield): del x.y
    else: raise E(f"{a}{b!r}") from None
    try: return await (lambda q=1: q if q else not q)
    except (A, B) as e: pass
    finally: pass
    match a:
        case [1, z] if z: x: int = {1: 2, **c}
    with a as b, c: x += 1
class C(D, metaclass=M): y = [i for i in j if i == 1]
from a import b as c, d
"""
JAVASCRIPT = b"""
import a, { b as c } from "d"; export { e as f } from "g"
export default class H extends I { x = 1; get y() { return this.x } }
async function* k({ l = 1, ...m }, [n]) {
  for await (const o of p) { yield* o?.q[r] }
  switch (s) { case 1: break; default: }
}
const t = async (u) => { try { await u`v${w}` } catch (x) { throw new Y(...z) }
  finally { label: while (1) continue label } }
"""


@pytest.mark.parametrize(("read", "name", "text"), [
    (read_python, "a.py", PYTHON),
    (read_javascript, "a.ts", JAVASCRIPT),
])
def test_no_field_that_holds_nodes_is_left_out(read, name, text):
    program = read(Source.decode(name, text))
    waiting, seen = [program], set()
    while waiting:
        node = waiting.pop()
        seen.add(type(node))
        for field in type(node).__struct_fields__:
            value = getattr(node, field)
            below = [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, p.Node)]
            assert not below or field in p.fields_of(type(node)), (type(node), field)
            waiting += below
    assert len(seen) > 25


IMPORTING = "import {{ {name} }} from './things';\nconst port = {name}.port || 1;\nexport {{ port }};\n"
THINGS = "import os from 'os';\nconst here = process.env.HERE;\n"


@pytest.mark.parametrize(("name", "declared", "read"), [
    ("Thing", "export class Thing {}\n", False),
    ("make", "export async function make() { return 1; }\n", False),
    ("make", "export const make = (a, b) => a + b;\n", False),
    ("make", "const make = async (\n  a,\n  b\n) => a + b;\nexport { make };\n", False),
    ("make", "function make() { return 1; }\nfunction other() { return 2; }\nexport { other as make };\n", True),
    ("env", "export const env = process.env;\n", True),
    ("env", "export const env = load();\n", True),
])
def test_a_file_is_not_read_to_see_that_a_function_or_class_is_no_environment(monkeypatch, name, declared, read):
    asked = []
    original = Project.module
    monkeypatch.setattr(Project, "module", lambda self, path, words=None: [asked.append((path, words)),
                                                                           original(self, path, words)][1])
    report({"src/main.ts": IMPORTING.format(name=name) + "fetch(process.env.API_URL || 'http://localhost:3000');\n",
            "src/things.ts": THINGS + declared})
    assert any(path == "src/things.ts" and name.encode() in (words or ()) for path, words in asked) == read


def test_what_is_asked_of_a_file_of_settings_grows_with_its_variables_and_not_with_their_square(monkeypatch):
    asked = []
    ends, going_on = conditions.ends, dispensable._GOING_ON
    monkeypatch.setattr(conditions, "ends", lambda *given: asked.append(1) or ends(*given))
    monkeypatch.setattr(dispensable, "_GOING_ON", SimpleNamespace(
        finditer=lambda text: asked.append(1) or going_on.finditer(text)))

    def questions(number: int) -> int:
        rows = [f"URL_{at} = os.environ.get('SHOP{at}_URL', 'http://localhost:{8000 + at}')\n"
                f"if DEBUG:\n    NAME_{at} = 'a'\nelse:\n    NAME_{at} = 'b'\n" for at in range(number)]
        asked.clear()
        report({"settings.py": "import os\nDEBUG = 'DEBUG' in os.environ\n" + "".join(rows)})
        return len(asked)

    few = questions(8)
    assert 0 < questions(32) < 6 * few
