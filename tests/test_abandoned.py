"""What is said of code that nothing loads any more, and of code that only its author starts."""

from __future__ import annotations

import json

import pytest

from connlint.project.gathering import Gathering
from projects import report

MAIN = """
from app import first, second, third

def main():
    first.run(), second.run(), third.run()

if __name__ == "__main__":
    main()
"""
PART = "def run():\n    return 1\n"
POOL = """
import os
from sqlalchemy import create_engine
engine = create_engine(os.getenv("DATABASE_URL", "postgresql://localhost:5432/app"))
"""
PYTHON = {"app/__init__.py": "", "app/main.py": MAIN, "app/first.py": PART, "app/second.py": PART, "app/third.py": PART,
          "app/old_pool.py": POOL}
CLIENT = """
export async function load() {
  return fetch(`${process.env.API_URL || 'http://localhost:4000'}/things`);
}
"""
JAVASCRIPT = {
    "package.json": '{"name": "shop", "private": true, "scripts": {"start": "node src/index.js"}}',
    "src/index.js": "import { a } from './a.js';\nimport { b } from './b.js';\nimport { c } from './c.js';\n"
                    "a(b(c()));\n",
    "src/a.js": "export const a = (x) => x;\n", "src/b.js": "export const b = (x) => x;\n",
    "src/c.js": "export const c = () => 1;\n", "src/useThings.js": CLIENT,
}


def levels(files: dict[str, str], path: str) -> set[str]:
    return {f.level for f in report(files).findings if f.place.path == path}


@pytest.mark.parametrize("more", [
    pytest.param({}, id="nobody names it"),
    pytest.param({"tests/test_pool.py": "from app.old_pool import engine\n\ndef test():\n    assert engine\n"},
                 id="a test alone"),
    pytest.param({"app/older.py": "from app.old_pool import engine\n\ndef ask():\n    return engine.connect()\n"},
                 id="what nobody loads either"),
    pytest.param({"app/old_pool.py": POOL + "\n\n# Usage examples\nif __name__ == '__main__':\n    print(engine)\n"},
                 id="shows itself"),
    pytest.param({"scripts/count.py": "from app.old_pool import engine\nprint(engine)\n"},
                 id="a tool that nobody starts"),
    pytest.param({"config.yml": "image: registry/old_pool\nurl: /old_pool\nrole: other.old_pool\n"},
                 id="others of that name"),
])
def test_what_nothing_loads_is_a_note(more):
    assert levels({**PYTHON, **more}, "app/old_pool.py") == {"note"}


@pytest.mark.parametrize("more", [
    pytest.param({"app/first.py": "from app.old_pool import engine\n\ndef run():\n    return engine\n"}, id="imported"),
    pytest.param({"app/first.py": "import importlib\n\ndef run():\n"
                                  "    return importlib.import_module('app.old_pool')\n"},
                 id="named in a text"),
    pytest.param({"app/first.py": "import pkgutil\nimport app\n\ndef run():\n    return [m.name for m in "
                                  "pkgutil.iter_modules(app.__path__)]\n"}, id="gathered"),
    pytest.param({"Procfile": "web: gunicorn app.old_pool:engine\n"}, id="started by a command"),
    pytest.param({"pyproject.toml": "[project]\nname = 'app'\nclassifiers = ['Topic :: Database']\n"},
                 id="of a library"),
    pytest.param({"app/main.py": PART}, id="nothing imports anything"),
    pytest.param({"scripts/count.py": "from app.old_pool import engine\nprint(engine)\n",
                  "Makefile": "count:\n\tpython scripts/count.py\n"}, id="a tool that is started"),
    pytest.param({"config.yml": "worker: app.old_pool\n"}, id="a dotted name"),
    pytest.param({"config.yml": "worker: /srv/app/old_pool.py\n"}, id="a path"),
])
def test_what_something_may_load_is_told_in_full(more):
    assert "error" in levels({**PYTHON, **more}, "app/old_pool.py")


def test_a_program_is_one_although_nothing_is_seen_to_start_it():
    program = {"app/old_pool.py": POOL + "\nif __name__ == '__main__':\n    print(engine)\n"}
    assert "warning" in levels({**PYTHON, **program}, "app/old_pool.py")


@pytest.mark.parametrize(("more", "level"), [
    ({}, "note"),
    ({"src/a.js": "import axios from 'useThings';\nexport const a = axios;\n"}, "note"),
    ({"src/a.js": "export const a = new Worker('./useThings.js');\n"}, "warning"),
    ({"src/a.js": "export const a = new Worker('/other/useThings.js');\n"}, "note"),
    ({"src/a.js": "export { load as a } from './useThings.js';\n"}, "warning"),
    ({"src/a.js": "export const a = (x) => import(`./${x}.js`);\n"}, "warning"),
    ({"package.json": '{"name": "shop", "private": true, "main": "src/useThings.js"}'}, "warning"),
    ({"package.json": '{"name": "shop", "exports": "./src/index.js"}'}, "warning"),
    ({"src/a.js": "export const a = { import(data) {\n  return data;\n} };\n"}, "note"),
    ({"src/a.js": "export const a = (x) => x; // import (all of them)\n"}, "note"),
    ({"node_modules/lib/index.js": "module.exports = (x) => require('../../src/' + x);\n"}, "note"),
    ({"src/useThings.js": CLIENT + "async function main() {\n  await load();\n}\nmain();\n"}, "warning"),
    ({"src/useThings.js": CLIENT + "if (import.meta.url === `file://${process.argv[1]}`) {\n  load();\n}\n"},
     "warning"),
])
def test_modules_of_javascript_likewise(more, level):
    assert levels({**JAVASCRIPT, **more}, "src/useThings.js") == {level}


def package(*dependencies: str) -> str:
    return json.dumps({"name": "shop", "private": True, "scripts": {"start": "node src/index.js"},
                       "dependencies": dict.fromkeys(dependencies, "*")})


@pytest.mark.parametrize(("path", "more", "level"), [
    ("code/hooks/things.js", {"code/kinds/load.js": "export const a = (x) => import('./code/kinds/' + x);\n"}, "note"),
    ("code/hooks/things.js", {"code/kinds/load.js": "export const a = (x) => import('./code/hooks/' + x);\n"},
     "warning"),
    ("code/hooks/things.js", {"code/kinds/load.js": "export const a = (x) => import(`../${x}/a.js`, 'code');\n"},
     "warning"),
    ("app/utils/things.js", {"package.json": package("expo")}, "note"),
    ("app/utils/things.js", {"package.json": package("expo-router")}, "warning"),
    ("app/api/things/route.js", {"package.json": package("next")}, "warning"),
    ("app/api/things/things.js", {"package.json": package("next")}, "note"),
    ("app/api/things/route.refactored.js", {"package.json": package("next")}, "note"),
    ("pages/api/app/things.js", {"package.json": package("next")}, "warning"),
    ("src/things.other.js", {}, "warning"),
])
def test_modules_of_javascript_by_their_place(path, more, level):
    assert levels({**JAVASCRIPT, path: CLIENT, **more}, path) == {level}


def test_a_module_that_needs_its_package_is_not_loaded_by_its_name_alone():
    files = {"app/main.py": MAIN, "app/first.py": "NAME = 'things'\n" + PART, "app/second.py": PART,
             "app/third.py": PART, "app/inner/things.py": POOL, "shop.egg-info/SOURCES.txt": "app/inner/things.py\n"}
    assert "error" in levels(files, "app/inner/things.py")
    files["app/inner/things.py"] = "from ..first import run\n" + POOL
    assert levels(files, "app/inner/things.py") == {"note"}


TRIAL = """
import os
import requests

class Provider:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self) -> str:
        return requests.get(self.url, timeout=5).text

if __name__ == "__main__":
    print(Provider(os.environ.get("METRICS_URL", "http://localhost:8428")).ask())
"""


@pytest.mark.parametrize(("files", "found"), [
    ({"app/metrics.py": TRIAL, "app/main.py": "from app.metrics import Provider\n"}, False),
    ({"app/metrics.py": TRIAL}, True),
    ({"app/metrics.py": TRIAL, "app/main.py": "from app.metrics import Provider\n",
      "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["python", "-m", "app.metrics"]\n'}, True),
    ({"app/worker.py": TRIAL, "app/main.py": "from app.worker import Provider\n"}, True),
])
def test_trials_of_a_module_that_others_import(files, found):
    rules = {f.rule for f in report({"app/__init__.py": "", **files}).findings}
    assert ("env-localhost-fallback" in rules) == found


BY_HAND = """
import os
import redis

try:
    client = redis.Redis(host=os.getenv("REDIS_HOST", "127.0.0.1"))
    client.delete("stream:jobs")
finally:
    print("done")
"""


LOGIN = """
import os
from selenium import webdriver

driver = webdriver.Chrome()
driver.get(os.environ.get("LOGIN_URL", "http://localhost:8091/login"))
"""
SEEDED = {
    "package.json": '{"name": "shop", "private": true, "scripts": {"start": "node dist/main", '
                    '"seed:run": "typeorm-seeding seed -d src/source.ts"}}',
    "src/source.ts": "import { DataSource } from 'typeorm';\n"
                     "export default new DataSource({ type: 'postgres', host: process.env.DB_HOST || 'localhost' });\n",
}


@pytest.mark.parametrize(("files", "found"), [
    ({"clean_redis.py": BY_HAND}, False),
    ({"clean_redis.py": BY_HAND, "crontab": "0 3 * * * python /app/clean_redis.py\n"}, True),
    ({"consumer.py": BY_HAND}, True),
    ({"clean_redis.py": BY_HAND, "main.py": "import clean_redis\n"}, True),
    ({"consumer.py": "import sys\n" + BY_HAND + "\nif len(sys.argv) < 2:\n    print('Usage: consumer KEY')\n"}, False),
    ({"consumer.py": "import sys\n" + BY_HAND + "\nif len(sys.argv) < 2:\n    print('Memory usage: 1')\n"}, True),
    ({"login.py": LOGIN}, False),
    ({"login.py": LOGIN, "deploy.sh": "docker login registry.example.com\n"}, False),
    ({"login.py": LOGIN, "Procfile": "worker: python login.py\n"}, True),
    ({"login.py": LOGIN.replace("driver = webdriver.Chrome()", "import requests as driver")}, True),
    (SEEDED, False),
    ({**SEEDED, "Dockerfile": "FROM node:22\nCOPY . .\nRUN npm run seed:run\n"}, True),
    ({**SEEDED, "package.json": SEEDED["package.json"].replace("seed:run", "migration:run")}, False),
    ({**SEEDED, "src/main.ts": "import source from './source';\nsource.initialize();\n"}, True),
])
def test_programs_that_somebody_starts_once(files, found):
    rules = {f.rule for f in report(files).findings}
    assert ("env-localhost-fallback" in rules) == found


DOCUMENTED = {
    **{f"src/part{number}.js": f"export const part{number} = {number};\n" for number in range(12)},
    "src/index.js": "".join(f"import {{ part{number} }} from './part{number}.js';\n" for number in range(12))
                    + "import { PORT } from './address.js';\nconsole.log(PORT);\n",
    "src/address.js": "export const PORT = process.env.PORT || 3000;\n"
                      "export const HOST = process.env.API_HOST || 'http://localhost:3000';\n",
    "src/describe.js": "import { HOST } from './address.js';\nimport { write } from 'swagger-autogen';\n"
                       "write({ host: HOST });\n",
}


@pytest.mark.parametrize(("script", "found"), [("swagger", False), ("poll", True)])
def test_a_value_that_an_errand_alone_takes(script, found):
    package = {"name": "shop", "private": True, "type": "module",
               "scripts": {"start": "node src/index.js", script: "node src/describe.js"}}
    rules = {f.rule for f in report({**DOCUMENTED, "package.json": json.dumps(package)}).findings if f.level != "note"}
    assert ("env-localhost-fallback" in rules) == found


LINE = "BROKER_URL: url"
LAUNCHED = {
    "service/run.py": "from settings import URL\nprint(URL)\n",
    "service/settings.py": "import os\nURL = os.getenv('BROKER_URL', 'amqp://localhost')\n",
    "main.ts": "import { spawn } from 'child_process';\n"
               "export const run = (url: string) => spawn('python', ['run.py'], {\n"
               "  cwd: 'service', env: { ...process.env, BROKER_URL: url } });\n",
}


@pytest.mark.parametrize(("files", "found"), [
    (LAUNCHED, False),
    ({**LAUNCHED, "main.ts": LAUNCHED["main.ts"].replace(LINE, "OTHER: url")}, True),
    ({**LAUNCHED, "main.ts": LAUNCHED["main.ts"].replace(LINE, "...(url ? { BROKER_URL: url } : {})")}, True),
    ({**LAUNCHED, "main.ts": LAUNCHED["main.ts"].replace("run.py", "other.py")}, True),
])
def test_what_a_parent_always_passes(files, found):
    rules = {f.rule for f in report(files).findings}
    assert ("env-localhost-fallback" in rules) == found


@pytest.mark.parametrize(("framework", "level"), [("next", "note"), ("moleculer", "warning")])
def test_a_folder_of_services_is_looked_into_by_some_frameworks(framework, level):
    package = f'{{"name": "shop", "private": true, "dependencies": {{"{framework}": "1.0.0"}}}}'
    files = {**JAVASCRIPT, "package.json": package, "src/services/things.js": JAVASCRIPT["src/useThings.js"]}
    assert levels(files, "src/services/things.js") == {level}


@pytest.mark.parametrize(("loader", "level"), [
    ("import { a } from '../things/a.js';\nexport const load = (x) => import(`../plugins/${x}.js`);\n", "note"),
    ("export const load = (x) => import(`../things/${x}.js`);\n", "warning"),
])
def test_a_loader_that_imports_from_a_folder_does_not_gather_it(loader, level):
    files = {**JAVASCRIPT, "src/things/a.js": "export const a = 1;\n",
             "src/things/old.js": JAVASCRIPT["src/useThings.js"], "src/loading/index.js": loader,
             "src/a.js": "import { load } from './loading/index.js';\nexport const a = load;\n"}
    assert levels(files, "src/things/old.js") == {level}


def test_loaders_that_do_not_hold_the_name_of_a_folder_are_not_searched_for_it(monkeypatch):
    searched = []
    said = Gathering._said_in
    monkeypatch.setattr(Gathering, "_said_in", lambda self, path: [searched.append(path), said(self, path)][1])
    loaders = {f"app/kinds/part{number}/load.py": "from importlib import import_module\n\n\ndef load(name):\n"
               f"    return import_module(f'app.kinds.part{number}.{{name}}')\n" for number in range(12)}
    program = {path: text for path, text in PYTHON.items() if path != "app/old_pool.py"}
    files = {**program, **loaders, "app/deep/pools/inner/old_pool.py": POOL}
    assert levels(files, "app/deep/pools/inner/old_pool.py") == {"note"}
    assert searched == []
    told = {"app/first.py": "import importlib\n\n\ndef run(name):\n"
                            "    return importlib.import_module(f'app.deep.pools.inner.{name}')\n"}
    assert "note" not in levels({**files, **told}, "app/deep/pools/inner/old_pool.py")
    assert set(searched) == {"app/first.py"}


@pytest.mark.parametrize(("does", "level"), [
    ("fs.writeFileSync(f, fs.readFileSync(f, 'utf8').replace('a', 'b'))", "note"),
    ("require(`./src/parts/${f}`)", "warning"),
])
def test_a_script_that_rewrites_files_loads_none(does, level):
    script = f"const fs = require('fs');\nfor (const f of fs.readdirSync('src/parts')) {does};\n"
    files = {**JAVASCRIPT, "colors.js": script, "src/parts/things.js": CLIENT}
    assert levels(files, "src/parts/things.js") == {level}


@pytest.mark.parametrize(("does", "found"), [
    ("data.append(path.read_text())", {"note"}),
    ("data.append(importlib.import_module(f'app.{path.stem}'))", {"warning", "error"}),
    ("data.append(subprocess.run(['python', path]))", {"warning", "error"}),
])
def test_who_lists_files_and_reads_them_loads_none(does, found):
    part = ("import importlib\n" if "importlib" in does else "import subprocess\n" if "subprocess" in does else "") + (
        f"import pathlib\n\ndata = []\nfor path in pathlib.Path('app').glob('*'):\n    {does}\n\n" + PART)
    assert levels({**PYTHON, "app/first.py": part}, "app/old_pool.py") == found


@pytest.mark.parametrize(("does", "level"), [
    ("fs.readFileSync(f, 'utf8')", "note"), ("child_process.fork(f)", "warning"),
])
def test_a_module_that_lists_files_and_reads_them_loads_none(does, level):
    part = ("import fs from 'node:fs';\nimport child_process from 'node:child_process';\n"
            if "fork" in does else "import fs from 'node:fs';\n")
    part += f"export const a = () => fs.readdirSync('src/parts').map((f) => {does});\n"
    assert levels({**JAVASCRIPT, "src/a.js": part, "src/parts/things.js": CLIENT}, "src/parts/things.js") == {level}


@pytest.mark.parametrize(("path", "level"), [
    ("src/shop/cache.config.ts", "note"), ("cache.config.ts", "warning"), ("src/shop/cache.plugin.ts", "warning"),
])
def test_the_second_name_of_settings_below_says_how_they_are_called(path, level):
    assert levels({**JAVASCRIPT, path: CLIENT}, path) == {level}


@pytest.mark.parametrize(("framework", "path", "level"), [
    ("next", "app/lib/things.ts", "note"), ("next", "app/shop/page.tsx", "warning"),
    ("next", "app/api/route.ts", "warning"),
    ("@remix-run/react", "app/lib/things.ts", "note"), ("@remix-run/react", "app/routes/things.ts", "warning"),
    ("nuxt", "app/lib/things.ts", "warning"),
])
def test_below_app_frameworks_take_what_they_name(framework, path, level):
    files = {"package.json": f'{{"name": "shop", "private": true, "dependencies": {{"{framework}": "1"}}}}',
             "app/root.tsx": JAVASCRIPT["src/index.js"].replace(".js'", "'"),
             "app/a.ts": JAVASCRIPT["src/a.js"], "app/b.ts": JAVASCRIPT["src/b.js"], "app/c.ts": JAVASCRIPT["src/c.js"],
             path: CLIENT}
    assert levels(files, path) == {level}


LOST = "def told():\n    asyncio.create_task(asyncio.sleep(1))\n"
CLASS = "class Bell:\n    def ring_twice(self):\n        asyncio.create_task(asyncio.sleep(1))\n"
CROWD = {
    **{f"app/part{number}.py": PART for number in range(12)}, "app/__init__.py": "",
    "app/bell.py": "import asyncio\n\n\n" + LOST + "\n\ndef kept():\n    return 1\n",
    "main.py": "import asyncio\nfrom app import " + ", ".join(f"part{number}" for number in range(12))
               + "\nfrom app.bell import kept\nkept()\n",
}
PROJECT = "[project]\nname = 'bell'\nclassifiers = ['Topic :: Communications']\n"
CALLS = "from app.bell import kept, told\n\n\ndef run():\n    told()\n"


KEEPER = """
export class PriceKeeper {
  constructor() {
    setInterval(() => this.count(), 1000);
  }
  count() {}
  close() {
    this.open = false;
  }
}
export const keep = (x) => x;
"""
KEPT = {**JAVASCRIPT, **{f"src/part{number}.js": "export const run = () => 1;\n" for number in range(12)},
        "src/c.js": "".join(f"import './part{number}.js';\n" for number in range(12)) + "export const c = () => 1;\n",
        "src/keeper.js": KEEPER, "src/all.js": "export * from './keeper.js';\n",
        "src/a.js": "import { keep } from './all.js';\nexport const a = (x) => keep(x);\n"}


@pytest.mark.parametrize(("more", "level"), [
    ({}, {"note"}),
    ({"tests/keeper.test.js": "import { PriceKeeper } from '../src/all.js';\nnew PriceKeeper();\n"}, {"note"}),
    ({"src/b.js": "import { PriceKeeper } from './all.js';\nexport const b = (x) => [PriceKeeper, x];\n"}, {"warning"}),
    ({"src/keeper.js": KEEPER.replace("class PriceKeeper", "class PriceKeeper extends Keeper")}, {"warning"}),
    ({"src/keeper.js": KEEPER.replace("PriceKeeper", "Keeper")}, {"warning"}),
    ({"package.json": '{"name": "shop", "exports": "./src/index.js"}'}, {"warning"}),
    ({"package.json": '{"name": "shop", "types": "./x.d.ts", "license": "MIT"}'}, {"warning"}),
    ({"package.json": '{"name": "shop", "types": "./x.d.ts"}'}, {"note"}),
])
def test_classes_of_which_nobody_makes_an_object(more, level):
    assert levels({**KEPT, **more}, "src/keeper.js") == level


@pytest.mark.parametrize(("more", "level"), [
    pytest.param({}, "note", id="nobody calls it"),
    pytest.param({"app/part1.py": CALLS}, "warning", id="somebody calls it"),
    pytest.param({"app/part1.py": CALLS.replace("    told()", "    kept()")}, "note", id="imported, and never called"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"] + "\n\n__all__ = ['kept', 'told']\n"}, "note", id="listed"),
    pytest.param({"backup-20250731-032116/app/part1.py": CALLS}, "note", id="called in a copy of the past"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"].replace(LOST, LOST + "    later(told)\n")}, "note",
                 id="called by itself"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"] + "\n\ndef tell_all():\n    told()\n"}, "note",
                 id="called by one that nobody calls"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"] + "\n\ndef tell_all():\n    told()\n\n\ntell_all()\n"},
                 "warning", id="called by one that somebody calls"),
    pytest.param({"app/part1.py": CALLS.replace("told\n", "told as tell\n").replace("told()", "tell()")}, "warning",
                 id="called by another name"),
    pytest.param({"main.py": CROWD["main.py"].replace("from app.bell import kept\nkept()\n", ""),
                  "app/bell.py": CROWD["app/bell.py"] + "\n\nif __name__ == '__main__':\n    kept()\n"}, "note",
                 id="in a program of its own"),
    pytest.param({"pyproject.toml": PROJECT}, "warning", id="a library"),
    pytest.param({"pyproject.toml": PROJECT, "Dockerfile": 'FROM python:3.12\nCMD ["python", "main.py"]\n'}, "note",
                 id="a program that is described like a library"),
    pytest.param({"pyproject.toml": PROJECT.replace("bell", "app"),
                  "Dockerfile": 'FROM python:3.12\nCMD ["python", "main.py"]\n'}, "warning", id="a library that runs"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"].replace(LOST, CLASS)}, "note", id="a method"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"].replace(LOST, CLASS.replace("ring_twice", "on_ring"))}, "warning",
                 id="a method that others may ask for"),
    pytest.param({"app/bell.py": CROWD["app/bell.py"].replace(LOST, CLASS.replace("Bell", "Bell(Thing)"))}, "warning",
                 id="a method that a base may call"),
])
def test_functions_that_nobody_calls(more, level):
    assert levels({**CROWD, **more}, "app/bell.py") == {level}


@pytest.mark.parametrize(("told", "level"), [
    ('{"name": "other", "dependencies": {"@shop/useThings": "1"}}', "note"),
    ('{"name": "other", "exports": {".": "./useThings"}}', "note"),
    ('{"name": "other", "scripts": {"start": "node ../src/useThings.js"}}', "warning"),
])
def test_what_another_package_names_is_its_own(told, level):
    assert levels({**JAVASCRIPT, "other/package.json": told}, "src/useThings.js") == {level}


SHOWN = "<template><p>{{ rows }}</p></template>\n<script setup>\nimport { rows } from '../rows';\n</script>\n"
PAGES = {
    "package.json": '{"private": true, "scripts": {"build": "vite build"}, "dependencies": {"vue": "3"}}',
    "index.html": '<script type="module" src="/src/main.js"></script>\n',
    "src/main.js": "import App from './App.vue';\nimport { store } from './store';\nApp.mount(store);\n",
    "src/store.js": "export const store = {};\n",
    "src/App.vue": "<template><List /></template>\n<script setup>\nimport List from './views/List.vue';\n</script>\n",
    "src/views/List.vue": SHOWN, "src/views/Login.vue": SHOWN,
}


@pytest.mark.parametrize(("more", "level"), [
    ({}, "note"),
    ({"src/pages.astro": "---\nimport Login from './views/Login.vue';\n---\n<Login />\n"}, "error"),
    ({"package.json": PAGES["package.json"].replace('"3"', '"3", "unplugin-vue-components": "1"')}, "error"),
    ({"other/package.json": "{}", "other/src/a.js": "import { x } from '../Login';\n"}, "note"),
])
def test_a_component_that_nobody_shows_is_no_program(more: dict[str, str], level: str) -> None:
    levels = {f.place.path: f.level for f in report({**PAGES, **more}).findings if f.rule == "missing-module"}
    assert (levels["src/views/List.vue"], levels["src/views/Login.vue"]) == ("error", level)
