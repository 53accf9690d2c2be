"""What is said of code that does not run as it stands: in folders that were put aside, in files that nothing loads, and
what a type checker alone would notice."""

from __future__ import annotations

import json

import pytest

from projects import report

PACKAGE = {"name": "shop", "private": True, "scripts": {"start": "node src/index.js"}}
SHOP = {
    "package.json": json.dumps(PACKAGE),
    "src/index.ts": "import { a } from './a';\nimport { b } from './b';\nimport { c } from './c';\na(b(c()));\n",
    "src/a.ts": "export const a = (x) => x;\n", "src/b.ts": "export const b = (x) => x;\n",
    "src/c.ts": "export const c = () => 1;\n",
}
COUNT = "import { total } from './totals';\nexport const count = () => total() + 1;\n"
UNUSED = "import { gone } from './a';\nexport const count = () => 1;\n"
COMPILED = {"tsconfig.json": '{"include": ["src"]}', "package.json": json.dumps(
    {**PACKAGE, "scripts": {"build": "rimraf dist && tsc -p .", "start": "node dist/index.js"}})}
PAGES = {"package.json": json.dumps({**PACKAGE, "scripts": {"build": "next build"}, "dependencies": {"next": "15"}}),
         "tsconfig.json": '{"include": ["**/*.ts"]}'}
RUN = "def run():\n    return 1\n"
PROGRAM = {
    "main.py": "from shop import first, second, third\n\nfirst.run(), second.run(), third.run()\n",
    "shop/__init__.py": "", "shop/first.py": RUN, "shop/second.py": RUN, "shop/third.py": RUN,
}
STALE = "from shop.first import walk\n\n\ndef go():\n    return walk()\n"
DIALS = "import httpx\n\n\ndef ask():\n    return httpx.get('http://localhost:9000/count')\n"
LEADS = "from legacy.worker import go\n\n\ndef run():\n    return go()\n"


def told(files: dict[str, str], path: str) -> list[tuple[str, str]]:
    return [(f.rule, f.level) for f in report(files).findings if f.place.path == path]


@pytest.mark.parametrize(("more", "level"), [
    pytest.param({}, "note", id="nothing loads it"),
    pytest.param({"src/c.ts": "import { count } from './count';\nexport const c = () => count();\n"}, "error",
                 id="loaded"),
    pytest.param(COMPILED, "error", id="the build compiles it all the same"),
    pytest.param({**COMPILED, "tsconfig.json": '{"files": ["src/index.ts"]}'}, "note",
                 id="the build compiles what is loaded"),
    pytest.param(PAGES, "error", id="the build checks its types"),
    pytest.param({**PAGES, "next.config.js": "module.exports = { typescript: { ignoreBuildErrors: true } };\n"},
                 "note", id="the build is told not to check types"),
])
def test_a_missing_module_of_a_file(more, level):
    assert told({**SHOP, "src/count.ts": COUNT, **more}, "src/count.ts") == [("missing-module", level)]


@pytest.mark.parametrize(("more", "level"), [
    pytest.param({}, "note", id="no configuration"),
    pytest.param({"tsconfig.json": '{"include": ["src"]}'}, "note", id="covered"),
    pytest.param({"tsconfig.json": '{"include": ["src"], "exclude": ["**/count.ts"]}'}, "note", id="left out"),
    pytest.param({"tsconfig.json": '{"files": ["src/index.ts"]}',
                  "src/c.ts": "import { count } from './count';\nexport const c = () => count();\n"}, "warning",
                 id="covered through what imports it"),
])
def test_a_name_that_types_alone_would_miss(more, level):
    assert told({**SHOP, "src/count.ts": UNUSED, **more}, "src/count.ts") == [("missing-symbol", level)]


@pytest.mark.parametrize(("package", "level"), [
    pytest.param({"devDependencies": {"webpack": "5"}}, "note", id="webpack looks for what is used"),
    pytest.param({"devDependencies": {"webpack": "5"}, "type": "module"}, "error", id="node may load it"),
    pytest.param({"devDependencies": {"rollup": "4"}}, "error", id="another bundler"),
])
def test_a_name_that_javascript_imports_and_does_not_use(package, level):
    files = {path.replace(".ts", ".js"): text for path, text in SHOP.items()}
    files |= {"package.json": json.dumps({**PACKAGE, **package}), "src/count.js": UNUSED,
              "src/c.js": "import { count } from './count';\nexport const c = () => count();\n"}
    assert told(files, "src/count.js") == [("missing-symbol", level)]


@pytest.mark.parametrize(("name", "library", "level"), [
    ("src/count.old.ts", {}, "note"), ("src/count.ignore.ts", {}, "note"), ("src/count.module.ts", {}, "note"),
    ("src/count.old.ts", {"exports": "./dist/index.js"}, "note"), ("src/count.ts", {"exports": "./x.js"}, "error"),
])
def test_a_second_name_says_what_was_put_aside(name, library, level):
    package = {**PACKAGE, "private": not library, **library}
    files = {**SHOP, "package.json": json.dumps(package), name: COUNT}
    assert told(files, name) == [("missing-module", level)]


@pytest.mark.parametrize(("more", "levels"), [
    pytest.param({}, {"note"}, id="put aside"),
    pytest.param({"shop/third.py": LEADS}, {"warning", "error"}, id="imported"),
    pytest.param({"legacy/requirements.txt": "httpx\n"}, {"warning"}, id="a package of its own"),
    pytest.param({"Dockerfile": "FROM python:3.12\nCOPY legacy/ ./legacy\n"}, {"warning", "error"}, id="copied"),
    pytest.param({"shop/third.py": "import importlib\n\n\ndef run(name):\n"
                                   "    return importlib.import_module('legacy.' + name)\n"}, {"warning", "error"},
                 id="named"),
    pytest.param({"main.py": "print(1)\n"}, {"warning", "error"}, id="nothing imports anything"),
    pytest.param({"shop/third.py": RUN + "\n\ndef shown():\n    return './legacy/shop.png'\n"}, {"note"},
                 id="a picture of it is shown"),
    pytest.param({"Dockerfile": "FROM python:3.12\nRUN rm -rf /legacy/cache\n"}, {"note"}, id="another of that name"),
])
def test_what_stands_in_a_folder_of_the_past(more, levels):
    found = told({**PROGRAM, "legacy/__init__.py": "", "legacy/worker.py": STALE + DIALS + "\n\ngo(ask())\n", **more},
                 "legacy/worker.py")
    assert {level for _, level in found} == levels


@pytest.mark.parametrize(("text", "level"), [
    ("'/tmp/shop/rows'", "note"), ("'tmp'", "note"), ("'shop.tmp.rows'", "note"),
    ("'tmp/worker'", "error"), ("'tmp.worker'", "error"), ("'../tmp/worker'", "error"),
])
def test_what_leads_into_a_scratch_folder(text, level):
    files = {**PROGRAM, "tmp/worker.py": STALE, "shop/third.py": f"{RUN}\n\nPLACE = {text}\n"}
    assert told(files, "tmp/worker.py") == [("missing-symbol", level)]


@pytest.mark.parametrize(("more", "level"), [
    pytest.param({}, "note", id="kept to be read"),
    pytest.param({"mkdocs.yml": "hooks: [docs/worker.py]\n"}, "error", id="told to run"),
])
def test_what_stands_in_the_documentation(more, level):
    assert told({**PROGRAM, "docs/worker.py": STALE, **more}, "docs/worker.py") == [("missing-symbol", level)]


def test_an_import_that_fails_in_a_file_that_nothing_loads():
    assert told({**PROGRAM, "shop/count.py": STALE}, "shop/count.py") == [("missing-symbol", "note")]
    loaded = {"shop/third.py": "from shop.count import go\n\n\ndef run():\n    return go()\n"}
    assert told({**PROGRAM, **loaded, "shop/count.py": STALE}, "shop/count.py") == [("missing-symbol", "error")]


@pytest.mark.parametrize(("include", "level"), [
    ('{"files": ["src/index.ts"]}', "note"), ('{"include": ["src"]}', "error"),
])
def test_a_build_checks_what_its_own_configuration_covers(include, level):
    files = {f"shop/{path}": text for path, text in {**SHOP, **COMPILED, "src/count.ts": COUNT}.items()}
    assert told({**files, "shop/tsconfig.json": include, "tsconfig.json": "{}"}, "shop/src/count.ts") == [
        ("missing-module", level)]


@pytest.mark.parametrize(("base", "found"), [("unittest.TestResult", False), ("reports.Result", True)])
def test_what_runs_tests_is_test_code_wherever_it_lies(base, found):
    code = (f"import unittest\n\n\nclass Told({base}):\n    def stopTestRun(self):\n"
            "        file = open('told.txt', 'w')\n        file.write('told')\n        file.close()\n")
    assert bool(told({"sandbox/runner.py": code}, "sandbox/runner.py")) is found


WORKSPACE = {
    "package.json": '{"name": "shop", "private": true, "workspaces": ["site"], "scripts": {"build": "tsc -b site"}}',
    "tsconfig.json": '{"files": [], "references": [{"path": "./site"}]}',
    "site/package.json": '{"name": "site", "private": true}', "site/tsconfig.json": "{}",
    "site/index.ts": "import './a';\nimport './b';\nimport './c';\n",
    **{f"site/{name}.ts": "export const run = () => 1;\n" for name in "abc"},
    "sketch/page.html": "<script src='load.js' data-files='bell.tsx'></script>\n",
    "sketch/bell.tsx": "import './bell.css';\nexport const Bell = () => null;\n",
}


@pytest.mark.parametrize(("more", "level"), [
    ({}, "note"),
    ({"sketch/package.json": '{"name": "sketch"}'}, "error"),
    ({"tsconfig.json": '{"include": ["sketch"]}'}, "error"),
    ({"package.json": WORKSPACE["package.json"].replace("-b site", "-b site sketch")}, "error"),
    ({"package.json": WORKSPACE["package.json"].replace('"workspaces": ["site"], ', "")}, "error"),
    ({"site/a.ts": "export * from '../sketch/bell';\n"}, "error"),
])
def test_what_stands_in_no_package_of_a_workspace(more, level):
    assert told({**WORKSPACE, **more}, "sketch/bell.tsx") == [("missing-module", level)]


@pytest.mark.parametrize(("files", "level"), [
    ({"package.json": '{"name": "shop", "private": true}'}, "note"),
    ({"package.json": '{"name": "shop", "private": true}',
      "examples/count.test.ts": "import { count } from './count';\ncount();\n"}, "note"),
    ({"package.json": '{"name": "shop", "exports": "./src/index.ts"}'}, "note"),
    ({"README.md": "# Shop", "examples/start.ts": "import { count } from './count';\ncount();\n"}, "note"),
    ({"package.json": '{"name": "shop", "scripts": {"start": "tsx examples/count.ts"}}'}, "error"),
])
def test_an_example_that_nothing_loads(files, level):
    loaded = {f"src/{path}": text for path, text in SHOP.items() if path.endswith(".ts") and "/" not in path}
    count = "import { gone } from './gone';\nexport const count = () => gone();\n"
    files = {**SHOP, **loaded, **files, "examples/count.ts": count}
    assert told(files, "examples/count.ts") == [("missing-module", level)]


STORED = "import redis\n\nfrom shop.first import walk\n\n\ndef keep():\n    return walk(redis)\n"


@pytest.mark.parametrize(("more", "level"), [
    pytest.param({}, "note", id="nothing names it"),
    pytest.param({"static/app.js": "define(['./cache'], function (cache) { return cache; });\n"}, "note",
                 id="a text of another language"),
    pytest.param({"shop/cache_rows.py": "cache = 1\n", "shop/first.py": f"from shop.cache_rows import cache\n{RUN}"},
                 "note", id="a name of another file"),
    pytest.param({"shop/first.py": f"# once: load('shop.cache')\n{RUN}"}, "note", id="a comment"),
    pytest.param({"shop/first.py": f"LOADED = 'shop.cache'\n{RUN}"}, "error", id="a text"),
    pytest.param({"shop/first.py": f"import sys\nsys.path.append('shop')\nfrom cache import keep\n{RUN}"}, "error",
                 id="an import that leads nowhere"),
    pytest.param({"jobs.yaml": "run: python shop/cache.py\n"}, "error", id="a command"),
])
def test_what_the_name_of_a_file_of_python_is(more, level):
    assert told({**PROGRAM, "shop/cache.py": STORED, **more}, "shop/cache.py") == [("missing-symbol", level)]


@pytest.mark.parametrize(("name", "more", "level"), [
    ("src/user/user.rows.ts", {}, "error"),
    ("src/user/user.rows.ts", {"src/a.ts": "import './one.rows';\nimport './two.rows';\nexport const a = (x) => x;\n",
                               "src/one.rows.ts": "export {};\n", "src/two.rows.ts": "export {};\n"}, "note"),
    ("src/user/user.schema.ts", {}, "note"),
    ("src/user/user.schema.ts", {"src/b.ts": "export const b = (x) => x.endsWith('.schema.ts');\n"}, "error"),
    ("src/user/user.schema.ts", {"scripts/feature.ts": "import fs from 'fs';\nconst name = process.argv[2];\n"
                                 "fs.writeFileSync(`${name}.schema.ts`, 'export const x = 1;');\n"}, "note"),
    ("src/user/user.schema.ts", {"src/b.ts": "export const b = (x) => x('user/user.routes');\n"}, "note"),
    ("src/user/user.schema.ts", {"src/b.ts": "export const b = (x) => x('user/user.schema');\n"}, "error"),
])
def test_what_the_second_name_of_a_file_is(name, more, level):
    missing = "import { total } from './totals';\nexport const count = () => total() + 1;\n"
    assert told({**SHOP, name: missing, **more}, name) == [("missing-module", level)]


@pytest.mark.parametrize(("loader", "level"), [
    ("import os\nimport importlib\n\nfor name in os.listdir('jobs'):\n    importlib.import_module('jobs.' + name)\n",
     "error"),
    ("import importlib\n\nimport jobs\n\nfor name in jobs.__path__:\n    importlib.import_module(name)\n", "error"),
    ("import os\n\nfor name in os.listdir('jobs'):\n    bot.load_extension(name)\n", "error"),
    ("import importlib\n\ndef jobs(name):\n    return importlib.import_module(name)\n", "note"),
    ("import importlib\n\n# not the jobs\nimportlib.import_module(input())\n", "note"),
    ("from celery import Celery\n\nqueue = Celery()\nqueue.autodiscover_tasks(['jobs'])\n", "note"),
])
def test_what_is_gathered_from_a_folder_of_python(loader, level):
    files = {**PROGRAM, "jobs/rows.py": STALE, "shop/third.py": loader + RUN}
    assert told(files, "jobs/rows.py") == [("missing-symbol", level)]


@pytest.mark.parametrize(("path", "loader", "level"), [
    ("src/load.js", "import fs from 'fs';\nfor (const f of fs.readdirSync('./jobs')) await import(f);\n", "error"),
    ("src/load.js", "import { jobs } from './a';\nexport const load = (f) => import(jobs(f));\n", "note"),
    ("tools/doctor.js", "import fs from 'fs';\nfor (const f of fs.readdirSync('./jobs')) await import(f);\n", "note"),
    ("tools/build.js", "import esbuild from 'esbuild';\nimport fs from 'fs';\n"
     "for (const f of fs.readdirSync('./jobs')) await import(f);\n", "error"),
    ("node_modules/x/load.js", "for (const f of require('fs').readdirSync('./jobs')) require(f);\n", "note"),
])
def test_what_is_gathered_from_a_folder_of_javascript(path, loader, level):
    assert told({**SHOP, "jobs/deep/rows.ts": COUNT, path: loader}, "jobs/deep/rows.ts") == [("missing-module", level)]


def test_signals_that_nothing_imports():
    files = {"manage.py": "import django\n", "shop/__init__.py": "", "shop/models.py": RUN, "shop/views.py": RUN,
             "shop/urls.py": "from shop import views, forms, models\n", "shop/forms.py": RUN,
             "shop/signals.py": "from shop.models import Gone\n"}
    assert told(files, "shop/signals.py") == [("missing-symbol", "note")]
    files["shop/apps.py"] = "class Shop:\n    def ready(self):\n        import shop.signals\n"
    assert told(files, "shop/signals.py") == [("missing-symbol", "error")]


VITEST = {"package.json": json.dumps({"name": "shop", "devDependencies": {"vitest": "3"}})}
JEST = {"package.json": '{"scripts": {"test": "jest"}}'}
ONLY_UNITS = "module.exports = { testMatch: ['**/unit/**/*.test.(ts|js)'] };\n"
ONLY_TS = "export default { test: { include: ['src/**/*.test.{ts,tsx}'], exclude: ['src/slow/**'] } };\n"


@pytest.mark.parametrize(("path", "files", "level"), [
    ("src/count.test.js", VITEST, "error"),
    ("src/count.check.js", VITEST, "error"),
    ("src/count.test.js", {**VITEST, "vitest.config.ts": ONLY_TS}, "note"),
    ("src/count.test.tsx", {**VITEST, "vitest.config.ts": ONLY_TS}, "error"),
    ("src/slow/count.test.ts", {**VITEST, "vitest.config.ts": ONLY_TS}, "note"),
    ("src/count.test.js", {**VITEST, "vitest.config.ts": ONLY_TS, "vite.config.ts": "export default {};\n"}, "note"),
    ("src/count.test.js", {**VITEST, "vite.config.ts": "export default {};\n"}, "error"),
    ("src/count.test.js", {**VITEST, "vitest.config.ts": ONLY_TS.replace("{ test", "{ root: 'src', test")}, "error"),
    ("src/count.test.js", {**VITEST, "vitest.config.ts": ONLY_TS, "vitest.workspace.ts": ""}, "error"),
    ("src/deep/count.test.ts", {"package.json": '{"scripts": {"test": "node --test src/*.test.ts"}}'}, "note"),
    ("src/count.test.ts", {"package.json": '{"scripts": {"test": "node --test src/*.test.ts"}}'}, "error"),
    ("src/count.test.ts", {"package.json": '{"scripts": {"test": "node --test"}}'}, "error"),
    ("src/count.test.ts", {"package.json": '{"name": "shop"}'}, "error"),
    ("test/count.test.ts", {**JEST, "jest.config.js": ONLY_UNITS}, "note"),
    ("unit/count.test.ts", {**JEST, "jest.config.js": ONLY_UNITS}, "error"),
    ("test/count.test.ts", {**JEST, "jest.config.js": "module.exports = { preset: '../base.js' };\n"}, "error"),
    ("test/count.test.ts", {"package.json": '{"scripts": {"test": "mocha"}}'}, "error"),
])
def test_a_test_that_no_runner_takes(path, files, level):
    assert told({**files, path: COUNT}, path) == [("missing-module", level)]


def test_what_a_test_does_where_it_is_started_as_a_program():
    files = {"engine.py": RUN, "test_engine.py": "import engine\n\n\ndef test_it():\n    assert engine.run() == 1\n\n\n"
             "if __name__ == '__main__':\n    engine.main()\n"}
    assert told(files, "test_engine.py") == [("missing-symbol", "note")]
    assert told({**files, "check.sh": "python test_engine.py\n"}, "test_engine.py") == [("missing-symbol", "warning")]
    files["test_engine.py"] += "else:\n    engine.main()\n"
    assert ("missing-symbol", "warning") in told(files, "test_engine.py")


OPENS = ("import sys\n\n\nclass Update:\n    def write(self, text):\n        out = open('list.txt', 'w')\n"
         "        out.write(text)\n        out.close()\n\n\ndef main():\n    Update().write(sys.argv[1])\n\n\n"
         "if __name__ == '__main__':\n    main()\n")
INSTALLED = {"pyproject.toml": '[project.scripts]\ndiag = "deploy.run_diagnostics:main"\n'}


@pytest.mark.parametrize(("path", "more", "level"), [
    ("deploy/update.py", {"Dockerfile": "FROM python:3\nRUN apt-get update\nCMD python main.py\n"}, "note"),
    ("deploy/update.py", {"bitbucket-pipelines.yml": "script:\n  - python deploy/update.py -e prod\n"}, "note"),
    ("deploy/update.py", {"Dockerfile": "FROM python:3\nCMD python deploy/update.py\n"}, "warning"),
    ("deploy/sender.py", {"bitbucket-pipelines.yml": "script:\n  - python deploy/sender.py -e prod\n"}, "note"),
    ("deploy/sender.py", {"Procfile": "worker: python deploy/sender.py\n"}, "warning"),
    ("deploy/run_diagnostics.py", INSTALLED, "note"),
    ("deploy/run_diagnostics.py", {**INSTALLED, "Procfile": "worker: diag\n"}, "warning"),
])
def test_what_a_program_holds_that_ends_at_once(path, more, level):
    assert told({path: OPENS, **more}, path) == [("handle-not-closed", level)]


@pytest.mark.parametrize(("more", "level"), [
    ({}, "note"),
    ({"main.py": PROGRAM["main.py"] + "from shop import seed_rows\n"}, "warning"),
    ({"jobs.sh": "python -m shop.seed_rows\n"}, "warning"),
    ({"shop/seed_rows.py": "from shop.first import walk\n\nif __name__ == '__main__':\n    walk()\n"}, "error"),
])
def test_what_fills_a_database_and_nobody_loads(more, level):
    seed = "def seed(rows):\n    from shop.first import walk\n    return walk(rows)\n"
    found = told({**PROGRAM, "shop/seed_rows.py": seed, **more}, "shop/seed_rows.py")
    assert found == [("missing-symbol", level)]


@pytest.mark.parametrize(("inputs", "level"), [
    ("one two three four", "note"), ("one two three four count", "error"), ("one two", "error"),
])
def test_what_a_bundler_is_not_told(inputs, level):
    config = "".join(f"  {name}: resolve(__dirname, 'assets/{name}.js'),\n" for name in inputs.split())
    page = "import './rows';\n"
    files = {**{f"assets/{name}.js": "import { a } from '../src/a';\na();\n" for name in inputs.split()},
             **SHOP, "assets/count.js": page,
             "vite.config.js": f"export default {{ build: {{ rollupOptions: {{ input: {{\n{config}}} }} }} }};\n"}
    assert told(files, "assets/count.js") == [("missing-module", level)]


@pytest.mark.parametrize(("text", "level"), [
    ('[tool.coverage.run]\nomit = ["shop/cache.py"]\n', "note"),
    ('[tool.ruff]\nextend-exclude = [\n  "docs",\n  "shop/cache.py",  # old\n]\n', "note"),
    ('[tool.ruff]\nexclude = ["docs"]\n\n[tool.jobs]\nfiles = ["shop/cache.py"]\n', "error"),
    ('[tool.ruff]\nexclude = ["docs"]\n[tool.jobs]\ncache = "shop.cache:keep"\n', "error"),
])
def test_what_a_tool_is_told_to_leave_out(text, level):
    found = told({**PROGRAM, "shop/cache.py": STORED, "pyproject.toml": text}, "shop/cache.py")
    assert found == [("missing-symbol", level)]
    yaml = "check:\n  run: lint --exclude shop/cache.py\n"
    assert told({**PROGRAM, "shop/cache.py": STORED, "jobs.yaml": yaml}, "shop/cache.py")[0][1] == "note"
