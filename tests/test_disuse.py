"""Addresses that nobody reads: where the project is large enough to show its readers, they are no findings."""

from __future__ import annotations

import pytest

from projects import report

PARTS = 10
PYTHON = {
    "app/__init__.py": "",
    "app/main.py": "".join(f"from app.part{n} import run{n}\n" for n in range(PARTS))
                   + "from app.config import *\n".replace("*", "NAME")
                   + "\nif __name__ == '__main__':\n    print(NAME)\n",
    **{f"app/part{n}.py": f"def run{n}():\n    return {n}\n" for n in range(PARTS)},
}
TYPESCRIPT = {
    "package.json": '{"name": "shop", "private": true, "scripts": {"start": "node src/index.js"}}',
    "src/index.ts": "".join(f"import {{ run{n} }} from './part{n}';\n" for n in range(PARTS))
                    + "import { NAME } from './config';\n"
                    + "console.log(NAME, " + ", ".join(f"run{n}()" for n in range(PARTS)) + ");\n",
    **{f"src/part{n}.ts": f"export const run{n} = () => {n};\n" for n in range(PARTS)},
}
SMALL = {
    "package.json": TYPESCRIPT["package.json"],
    "src/index.ts": "import { NAME } from './config';\nconsole.log(NAME);\n",
}
URL = "process.env.API_URL || 'http://localhost:4000'"
NAMED = f"export const NAME = 'shop';\nexport const API_URL = {URL};\n"
WHOLE = f"export const NAME = 'shop';\nexport default {{ env: {{ name: NAME, api: {URL} }} }};\n"
MADE = f"export const NAME = 'shop';\nexport const getConfig = () => ({{ name: NAME, api: {URL} }});\n"
COMMON = f"const NAME = 'shop';\nmodule.exports = {{ NAME, api: {URL} }};\n"


def found(files: dict[str, str]) -> bool:
    return any(f.rule == "env-localhost-fallback" for f in report(files).findings)


@pytest.mark.parametrize(("config", "more", "reported"), [
    pytest.param(NAMED, {}, False, id="a constant that nobody imports"),
    pytest.param(NAMED, {"src/part1.ts": "// uses API_URL from './config'\nexport const run1 = () => 1;\n"}, False,
                 id="named in a comment"),
    pytest.param(NAMED, {"src/part1.ts": "const API_URL = 'x';\nexport const run1 = () => fetch(API_URL);\n"}, False,
                 id="another of that name"),
    pytest.param(NAMED, {"src/part1.test.ts": "import { API_URL } from './config';\ntest(API_URL);\n"}, False,
                 id="a test alone"),
    pytest.param(NAMED, {"src/part1.ts": "import { API_URL } from './config';\n"
                                         "export const run1 = () => fetch(API_URL);\n"}, True, id="imported"),
    pytest.param(NAMED, {"src/docs/openapi.ts": "import { API_URL } from '../config';\n"
                                                "export const servers = [{ url: API_URL }];\n"}, True, id="in docs"),
    pytest.param(NAMED, {"src/part1.ts": "import * as config from './config';\n"
                                         "export const run1 = () => fetch(config.API_URL);\n"}, True, id="a namespace"),
    pytest.param(NAMED, {"src/part1.ts": "import * as config from './config';\n"
                                         "export const run1 = () => start({ ...config });\n"}, True,
                 id="given away whole"),
    pytest.param(NAMED, {"src/barrel.ts": "export * from './config';\n",
                         "src/part1.ts": "import { API_URL } from './barrel';\n"
                                         "export const run1 = () => fetch(API_URL);\n"}, True, id="through a barrel"),
    pytest.param(NAMED, {"src/barrel.ts": "export { NAME as title } from './config';\n",
                         "src/part1.ts": "import { title } from './barrel';\nexport const run1 = () => title;\n"},
                 False, id="a barrel of something else"),
    pytest.param(NAMED, {"src/part1.ts": "import { API_URL } from '#lost/config';\n"
                                         "export const run1 = () => fetch(API_URL);\n"}, True, id="through an alias"),
    pytest.param(NAMED, {"package.json": '{"name": "shop", "exports": "./src/index.js"}'}, True, id="of a library"),
    pytest.param(NAMED + "function ask() {\n  return fetch(API_URL);\n}\nexport { ask };\n", {}, True,
                 id="used in its own file"),
    pytest.param(NAMED.replace("export const API", "const API"), {}, False, id="a name of its own"),
    pytest.param(WHOLE, {"src/part1.ts": "import config from './config';\n"
                                         "export const run1 = () => config.env.name;\n"},
                 False, id="another part of an object"),
    pytest.param(WHOLE, {"src/part1.ts": "import config from './config';\n"
                                         "export const run1 = () => fetch(config.env.api);\n"}, True,
                 id="this part of an object"),
    pytest.param(WHOLE, {"src/part1.ts": "import config from './config';\nconst { env } = config;\n"
                                         "export const run1 = () => fetch(env.api);\n"}, True, id="taken out of it"),
    pytest.param(WHOLE, {"src/part1.ts": "import config from './config';\nconst { env: { name } } = config;\n"
                                         "export const run1 = () => name;\n"}, False, id="another part taken out"),
    pytest.param(WHOLE, {"src/part1.ts": "import config from './config';\n"
                                         "export const run1 = () => start(config.env);\n"}, True,
                 id="what is around it"),
    pytest.param(MADE, {"src/part1.ts": "import { getConfig } from './config';\n"
                                        "export const run1 = () => getConfig().name;\n"}, False,
                 id="another part made"),
    pytest.param(MADE, {"src/part1.ts": "import { getConfig } from './config';\n"
                                        "export const run1 = () => fetch(getConfig().api);\n"}, True,
                 id="this part made"),
    pytest.param(MADE, {"src/part1.ts": "import { getConfig } from './config';\n"
                                        "export const run1 = () => inject(getConfig);\n"}, True,
                 id="given the function"),
    pytest.param(COMMON, {"src/part1.ts": "const { NAME } = require('./config');\nexport const run1 = () => NAME;\n"},
                 False, id="another part required"),
    pytest.param(COMMON, {"src/part1.ts": "const { api: url } = require('./config');\n"
                                          "export const run1 = () => fetch(url);\n"}, True, id="this part required"),
])
def test_modules_of_javascript(config, more, reported):
    assert found({**TYPESCRIPT, "src/config.ts": config, **more}) == reported


def test_a_project_of_a_few_files_need_not_show_its_readers():
    assert found({**SMALL, "src/config.ts": NAMED})


CONSTANT = "import os\n\nNAME = 'shop'\nAPI_URL = os.getenv('API_URL', 'http://localhost:4000')\n"
GIVEN = ("import os\n\nNAME = 'shop'\n\ndef settings():\n"
         "    return {'name': NAME, 'api': os.getenv('API_URL', 'http://localhost:4000')}\n")
FIELDS = ("from pydantic_settings import BaseSettings\n\nNAME = 'shop'\n\nclass Settings(BaseSettings):\n"
          "    title: str = 'shop'\n    api_url: str = 'http://localhost:4000'\n\nsettings = Settings()\n")
ATTRIBUTES = ("import os\n\nNAME = 'shop'\n\nclass Settings:\n    def __init__(self):\n        self.title = 'shop'\n"
              "        self.api_url = os.getenv('API_URL', 'http://localhost:4000')\n")
PUT = ("import os\n\nNAME = 'shop'\n\ndef settings():\n    found = {'name': NAME}\n"
       "    found['api'] = {'url': os.getenv('API_URL', 'http://localhost:4000')}\n    return found\n")
TITLE = "from app.config import Settings\n\ndef run1(settings):\n    return settings.title\n"


@pytest.mark.parametrize(("config", "more", "reported"), [
    pytest.param(CONSTANT, {}, False, id="a constant that nobody imports"),
    pytest.param(CONSTANT, {"app/part1.py": "import requests\nfrom app.config import API_URL\n\ndef run1():\n"
                                            "    return requests.get(API_URL)\n"}, True, id="imported"),
    pytest.param(CONSTANT, {"app/part1.py": "import requests\nfrom app import config\n\ndef run1():\n"
                                            "    return requests.get(config.API_URL)\n"}, True, id="an attribute"),
    pytest.param(CONSTANT, {"app/part1.py": "from app import config\n\ndef run1():\n    return vars(config)\n"}, True,
                 id="given away whole"),
    pytest.param(CONSTANT, {"app/part1.py": "from app.config import *\n\ndef run1():\n    return 1\n"}, True,
                 id="everything imported"),
    pytest.param(CONSTANT, {"app/part1.py": "def run1(app):\n    app.config.from_object('app.config')\n"}, True,
                 id="loaded by its name"),
    pytest.param(CONSTANT, {"tests/test_config.py": "from app.config import API_URL\n\ndef test():\n"
                                                    "    assert API_URL\n"}, False, id="a test alone"),
    pytest.param(GIVEN, {"app/part1.py": "from app.config import settings\n\ndef run1():\n"
                                         "    return settings()['name']\n"}, False, id="another part made"),
    pytest.param(GIVEN, {"app/part1.py": "from app.config import settings\n\ndef run1():\n"
                                         "    return settings().items()\n"}, True, id="all parts made"),
    pytest.param(PUT, {"app/part1.py": "from app.config import settings\n\ndef run1():\n"
                                       "    return settings()['name']\n"}, False, id="another part put"),
    pytest.param(PUT, {"app/part1.py": "import requests\nfrom app.config import settings\n\ndef run1():\n"
                                       "    return requests.get(settings()['api']['url'])\n"}, True,
                 id="this part put"),
    pytest.param(ATTRIBUTES, {"app/part1.py": TITLE}, False, id="another attribute"),
    pytest.param(ATTRIBUTES, {"app/part1.py": TITLE.replace("title", "api_url")}, True,
                 id="this attribute"),
    pytest.param(ATTRIBUTES, {"app/part1.py": TITLE, "app/page.html": "{{ settings.api_url }}"}, True,
                 id="on a page"),
    pytest.param(ATTRIBUTES + "    def all(self):\n        return vars(self)\n", {"app/part1.py": TITLE}, True,
                 id="all attributes"),
    pytest.param(FIELDS, {"app/part1.py": TITLE}, False, id="another field"),
    pytest.param(FIELDS, {"app/part1.py": TITLE + "    # not settings.api_url\n"}, False, id="named in a comment"),
    pytest.param(FIELDS, {"app/part1.py": TITLE, "migrations/env.py": "from app.config import settings\n"
                          "import requests\nrequests.get(settings.api_url)\n"}, True, id="read by a migration"),
    pytest.param(FIELDS, {"app/part1.py": TITLE + "\ndef run():\n    return settings.model_dump()\n"}, True,
                 id="all fields"),
])
def test_modules_of_python(config, more, reported):
    assert found({**PYTHON, "app/config.py": config, **more}) == reported


SERVICE = """
import axios from 'axios';
export class Service {
  ask() {
    return axios.get((process.env.API_URL || 'http://localhost:4000') + '/things');
  }
  size() {
    return 1;
  }
}
"""
ASK = """
import axios from 'axios';
export const NAME = 'shop';
export const ask = () => axios.get((process.env.API_URL || 'http://localhost:4000') + '/things');
"""
ASKED = "import os\nimport requests\n\nNAME = 'shop'\n\ndef ask():\n" \
        "    return requests.get(os.getenv('API_URL', 'http://localhost:4000'))\n"
USED = "import { Service } from './service';\nexport const run1 = () => new Service().size();\n"
TESTED = "import { Service } from './service';\ntest('it', () => new Service().ask());\n"


@pytest.mark.parametrize(("files", "level"), [
    pytest.param({"src/config.ts": ASK}, "note", id="a function"),
    pytest.param({"src/config.ts": ASK, "src/barrel.ts": "export { ask } from './config';\n"}, "note", id="passed on"),
    pytest.param({"src/config.ts": ASK, "src/part1.ts": "import { ask } from './config';\nexport const run1 = ask;\n"},
                 "warning", id="a function that is used"),
    pytest.param({"src/config.ts": ASK, "serverless.yml": "functions:\n  ask: {handler: src/config.ask}\n"}, "warning",
                 id="a function that a platform calls"),
    pytest.param({"src/config.ts": ASK, "package.json": '{"name": "shop", "exports": "./src/index.js"}'}, "warning",
                 id="a function of a library"),
    pytest.param({"src/config.ts": "export const NAME = 1;\n", "src/service.ts": SERVICE, "src/part1.ts": USED,
                  "src/service.spec.ts": TESTED}, "note", id="a method that a test alone calls"),
    pytest.param({"src/config.ts": "export const NAME = 1;\n", "src/service.ts": SERVICE, "src/part1.ts": USED},
                 "warning", id="a method that nobody calls by its name"),
    pytest.param({"src/config.ts": "export const NAME = 1;\n", "src/part1.ts": USED, "src/service.spec.ts": TESTED,
                  "src/service.ts": SERVICE.replace("class Service {", "class Service implements Asking {")},
                 "warning", id="a method that others are promised"),
])
def test_functions_of_javascript_that_nobody_calls(files, level):
    found = report({**TYPESCRIPT, **files}).findings
    assert {f.level for f in found if f.rule == "env-localhost-fallback"} == {level}


@pytest.mark.parametrize(("more", "level"), [
    ({}, "note"),
    ({"tests/test_config.py": "from app.config import ask\n\ndef test():\n    assert ask()\n"}, "note"),
    ({"app/part1.py": "from app import config\n\ndef run1():\n    return config.ask()\n\nrun1()\n"}, "warning"),
    ({"app/part1.py": "def run1():\n    return call('app.config.ask')\n\nrun1()\n"}, "warning"),
    ({"app/part1.py": "def run1(page):\n    return page.ask()\n\nrun1()\n"}, "note"),
])
def test_functions_of_python_that_nobody_calls(more, level):
    found = report({**PYTHON, "app/config.py": ASKED, **more}).findings
    assert {f.level for f in found if f.rule == "env-localhost-fallback"} == {level}
