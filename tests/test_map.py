"""The map: what is deployed, said alike as text, JSON, Mermaid and as a page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import warnings
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from connlint import cards
from connlint.charting import Unchartable, chart
from connlint.config import Config
from connlint.model.map import Connection, Deployment, Map, Service
from connlint.reporters import Options
from connlint.reporters.map import FORMATS, render
from connlint.reporters.map import json as shape
from connlint.reporters.map.graph import graph
from connlint.reporters.map.layout import Box, Link, arrange

SHOP = {
    "compose.yaml": """\
services:
  web:
    build: ./web
    ports: ["8080:3000"]
    environment:
      API_URL: http://api:9000
      VITE_API_URL: http://localhost:8000
  api:
    build: ./api
    command: uvicorn main:app --host 0.0.0.0 --port 8000
    ports: ["8000:8000"]
    depends_on: [db]
    environment:
      DATABASE_URL: postgresql://shop:${DB_PASSWORD}@db:5432/shop
      CACHE_HOST: cache
      CACHE_PORT: 6380
      QUEUE_URL: ${QUEUE_URL}
  db:
    image: postgres:16
""",
    "web/Dockerfile": 'FROM node:22\nWORKDIR /app\nCOPY . .\nEXPOSE 3000\nCMD ["node", "server.js"]\n',
    "web/server.js": "const app = require('express')();\napp.listen(process.env.PORT || 3000);\n",
    "api/Dockerfile": "FROM python:3.12\nWORKDIR /srv\nCOPY . .\n",
    "api/main.py": (
        "import os\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        'DATABASE = os.environ["DATABASE_URL"]\nPRICES = os.environ.get("PRICES_URL", "http://localhost:9100")\n'
    ),
}

TEXT = """\
compose.yaml  compose, 3 services

  web  compose.yaml:2
    made from    built from web (web/Dockerfile)
    starts       node server.js  → web/server.js
    listens on   3000  published as 8080  [ports, EXPOSE, the code]
    connects to  ! api:9000  (http://api:9000)        API_URL  compose.yaml:6
                   api:8000  (http://localhost:8000)  VITE_API_URL, through the port that it publishes, from a browser  compose.yaml:7
    ! error port-mismatch  API_URL names port 9000 of `api`, which listens on 8000 (compose.yaml:6)

  api  compose.yaml:8
    made from    built from api (api/Dockerfile)
    starts       uvicorn main:app --host 0.0.0.0 --port 8000  → api/main.py
    listens on   8000  published as 8000  [ports, uvicorn]
    connects to    db:5432  (postgresql://db:5432)  DATABASE_URL  compose.yaml:14; read in api/main.py:5
                   cache:6380                       CACHE_HOST, no service here is called cache  compose.yaml:15
                   ?                                QUEUE_URL, from QUEUE_URL, set where it is deployed  compose.yaml:17
                 ! http://localhost:9100            PRICES_URL is not set, so the code takes its default, the container itself  api/main.py:6
    waits for    db (started)
"""  # noqa: E501


def drawn(files: dict[str, str], root: Path, path: str | None = None) -> Map:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return chart(Path(path) if path else None, root, cards.load(), Config(), jobs=1)


def service(map_: Map, name: str, deployment: int = 0) -> Service:
    found = map_.deployments[deployment].service(name)
    assert found is not None, [s.name for s in map_.services()]
    return found


def leads(one: Service) -> dict[str, str]:
    """Variable (or how it was learnt) → where it leads."""
    def end(c: Connection) -> str:
        return f"{c.service}:{c.port}" if c.target == "service" and c.port else c.service or c.target
    return {c.variable or c.source: end(c) for c in one.connects}


def test_text_says_what_was_understood(tmp_path: Path) -> None:
    text = render(drawn(SHOP, tmp_path), "text", Options())
    assert text.startswith(TEXT), text


def test_json_has_the_documented_shape(tmp_path: Path) -> None:
    data = json.loads(render(drawn(SHOP, tmp_path), "json", Options()))
    assert [*data] == ["version", "tool", "name", "deployments", "unread"]
    [deployment] = data["deployments"]
    web, api, db = deployment["services"]
    documented = set(re.findall(r"\w+", shape.__doc__ or ""))
    for row in (data, deployment, web, api["connects"][0], web["listens"][0], api["waits"][0], web["troubles"][0]):
        assert set(row) <= documented, set(row) - documented
    assert web["listens"][0] | {"learnt": ""} == {"port": 3000, "published": [8080], "somewhere": False,
                                                  "protocol": "tcp", "learnt": ""}
    assert (api["connects"][0]["service"], api["connects"][0]["port"]) == ("db", 5432)
    assert web["connects"][0]["troubled"] and not api["connects"][0]["troubled"]
    assert db["store"] and db["image"] == "postgres:16"


def test_no_format_tells_a_password(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  a:\n    image: x/a\n"
                             "    command: --requirepass hunter2 --url redis://u:hunter2@b:1\n"
                             "    environment:\n      DB_URL: postgres://me:hunter2@b:5432/x\n"
                             "  b:\n    image: postgres\n"}
    map_ = drawn(files, tmp_path)
    assert leads(service(map_, "a")) == {"DB_URL": "b:5432", "command": "b:1"}
    assert not [f for f in FORMATS if "hunter2" in render(map_, f, Options())]


@pytest.mark.parametrize(("variable", "value", "lead"), [
    ("DATABASE_URL", "postgres://b:5432/x", "b:5432"),
    ("BROKERS", "b:9092,b:9093", "b:9093"),
    ("DB_HOST", "b", "b"),
    ("DB_NAME", "b", None),
    ("DB_USER", "b", None),
    ("NODE_ENV", "production", None),
    ("SERVER_NAME", "production", None),
    ("BIND_ADDRESS", "0.0.0.0", None),
    ("ALLOWED_HOSTS", "localhost,b", None),
    ("API_URL", "http://localhost:7000", "itself"),
    ("CACHE_HOST", "127.0.0.1", "itself"),
    ("AGENT_URL", "http://host.docker.internal:7000", "machine"),
    ("API_URL", "https://api.example.com", "external"),
    ("REDIS_HOST", "elsewhere", "unknown"),
    ("DATABASE_URL", "${DATABASE_URL}", "unknown"),
    ("DATABASE_URL", "postgres://${U:-x}:${P}@b/x", "b"),
    ("LOG_LEVEL", "${LOG_LEVEL}", None),
])
def test_a_variable_leads(variable: str, value: str, lead: str | None, tmp_path: Path) -> None:
    text = f"services:\n  a:\n    image: x/a\n    environment:\n      {variable}: '{value}'\n  b:\n    image: x/b\n"
    assert leads(service(drawn({"compose.yaml": text}, tmp_path), "a")).get(variable) == lead


BASE = ("services:\n  a:\n    image: x/a\n    environment:\n      DB_HOST: localhost\n      X: '1'\n"
        "  db:\n    image: postgres\n")


def test_compose_files_side_by_side_are_deployments_of_their_own(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yaml": BASE,
        "compose.override.yaml": "services:\n  a:\n    environment:\n      DB_HOST: db\n    ports: ['80:8080']\n",
        "compose.dev.yaml": "services:\n  a:\n    command: run --dev\n  mail:\n    image: mail\n",
        "compose.alone.yaml": "services:\n  a:\n    image: x/other\n",
        "compose.lost.yaml": "services:\n  nowhere:\n    ports: ['1:1']\n",
    }, tmp_path)
    rows = {d.name: (d.files, sorted(s.name for s in d.services)) for d in map_.deployments}
    assert rows == {
        "compose.yaml": (("compose.yaml",), ["a", "db"]),
        "compose.alone.yaml": (("compose.alone.yaml",), ["a"]),
        "compose.dev.yaml": (("compose.yaml", "compose.dev.yaml"), ["a", "db", "mail"]),
        "compose.lost.yaml": (("compose.lost.yaml",), ["nowhere"]),
        "compose.override.yaml": (("compose.yaml", "compose.override.yaml"), ["a", "db"]),
    }
    assert next(iter(rows)) == "compose.yaml"
    by_name = {d.name: d for d in map_.deployments}
    plain, over, lost = (by_name[f"compose.{name}"] for name in ("yaml", "override.yaml", "lost.yaml"))
    assert leads(plain.services[0]) == {"DB_HOST": "itself"} and leads(over.services[0]) == {"DB_HOST": "db"}
    assert not plain.services[0].troubles + over.services[0].troubles, "the other value is the one that counts"
    assert lost.notes == ("nowhere must come from another file, which is not known",)


def test_extends_env_file_and_profiles_are_heeded(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yaml": "services:\n  a:\n    extends: {file: common.yaml, service: app}\n    env_file: a.env\n"
                        "    profiles: [full]\n  db:\n    image: postgres\n"
                        "  b:\n    image: x/b\n    env_file: missing.env\n",
        "common.yaml": "services:\n  app:\n    image: x/app\n    environment:\n      CACHE_URL: redis://db:1\n",
        "a.env": "DB_HOST=db\n",
    }, tmp_path)
    a = service(map_, "a")
    assert (a.image, a.profiles, leads(a)) == ("x/app", ("full",), {"CACHE_URL": "db:1", "DB_HOST": "db"})
    assert service(map_, "b").open == ("env_file missing.env is not in the project",)


@pytest.mark.parametrize(("volumes", "accused"), [
    ("['./data:/data']", True), ("['./.env:/x/.env']", False), ("['./.env.local:/x/.env:ro', './data:/data']", False),
])
def test_what_is_mounted_as_variables_may_set_them(volumes: str, accused: bool, tmp_path: Path) -> None:
    code = "import os, psycopg2\ndb = psycopg2.connect(os.environ['DATABASE_URL'])\n"
    text = f"services:\n  a:\n    build: .\n    environment: {{X: '1'}}\n    volumes: {volumes}\n"
    a = service(drawn({"compose.yaml": text, "Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD python main.py\n",
                       "main.py": code}, tmp_path), "a")
    assert [t.rule for t in a.troubles if t.rule == "env-not-provided"] == ["env-not-provided"] * accused
    assert bool(a.open) is not accused


def test_a_service_of_kubernetes_stands_before_the_pods_of_another_file(tmp_path: Path) -> None:
    def workload(name: str, env: str = "") -> str:
        return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n"
                f"    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: main\n"
                f"        image: x/{name}\n        ports: [{{containerPort: 8080}}]\n{env}")

    def front(name: str, app: str) -> str:
        return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  selector: {{app: {app}}}\n"
                "  ports: [{port: 80, targetPort: 8080}]\n")

    env = "        env:\n        - {name: API_URL, value: 'http://api.shop.svc.cluster.local'}\n"
    map_ = drawn({"k8s/web.yaml": workload("web", env), "k8s/api.yaml": workload("api"),
                  "k8s/svc.yaml": front("api", "api")}, tmp_path)
    [deployment] = map_.deployments
    assert deployment.name == "k8s/" and leads(service(map_, "web")) == {"API_URL": "api"}
    assert [(row.port, row.published) for row in service(map_, "api").listens] == [(8080, (80,))]
    assert [row.published for row in service(map_, "web").listens] == [()]


def test_a_service_that_another_folder_of_manifests_deploys_is_named_with_it(tmp_path: Path) -> None:
    def manifest(name: str, env: str = "") -> str:
        return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n"
                f"    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: main\n"
                f"        image: x/{name}\n{env}---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
                f"spec:\n  selector: {{app: {name}}}\n  ports: [{{port: 80}}]\n")

    env = "        env:\n" + "".join(f"        - {{name: {name}_URL, value: 'http://{name.lower()}'}}\n"
                                    for name in ("STORE", "PLACE"))
    env += "        - {name: API_URL, value: 'https://store.example.com'}\n"
    map_ = drawn({"k8s/apps/web/web.yaml": manifest("web", env), "k8s/base/store.yaml": manifest("store")}, tmp_path)
    web = next(one for one in map_.services() if one.name == "web")
    assert [(c.target, c.why) for c in web.connects] == [
        ("unknown", "it is deployed by k8s/base/store.yaml"), ("unknown", "no service here is called place"),
        ("external", "")]


def test_the_code_of_several_services_accuses_none_of_them(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  a:\n    build: .\n    environment: {X: '1'}\n",
             "Dockerfile": "FROM python\nCOPY . /x\n", "main.py": 'import os\nURL = os.environ["PRICES_URL"]\n'}
    one = drawn(files, tmp_path / "one")
    assert leads(service(one, "a")) == {"PRICES_URL": "unknown"}
    two = drawn({**files, "compose.yaml": files["compose.yaml"] + "  b:\n    build: .\n"}, tmp_path / "two")
    assert leads(service(two, "a")) == {} and service(two, "a").shared == ("b",)


def test_a_default_that_another_variable_puts_out_of_use_is_not_drawn(tmp_path: Path) -> None:
    code = 'import os\nURL = os.environ.get("A_URL", os.environ.get("B_URL", "redis://localhost:6379"))\n'
    map_ = drawn({"compose.yaml": "services:\n  a:\n    build: .\n    environment: {A_URL: 'redis://db:1'}\n"
                                  "  db:\n    image: redis\n",
                  "Dockerfile": "FROM python\nCOPY . /x\n", "main.py": code}, tmp_path)
    assert leads(service(map_, "a")) == {"A_URL": "db:1"}


def test_names_and_ports_of_the_code(tmp_path: Path) -> None:
    code = "const redis = require('redis');\nconst r = redis.createClient({ url: 'redis://cache:6379' });\n"
    map_ = drawn({"compose.yaml": "services:\n  a:\n    build: .\n  cache:\n    build: ./cache\n", "main.js": code,
                  "Dockerfile": "FROM node\nWORKDIR /x\nCOPY *.js ./\nCMD node main.js\n",
                  "cache/Dockerfile": "FROM redis:7\n"}, tmp_path)
    a = service(map_, "a")
    assert leads(a) == {"code": "cache:6379"} and a.code == ("main.js",)
    assert [(row.port, row.learnt[0].how) for row in service(map_, "cache").listens] == [(6379, "the image")]


def test_a_path_chooses_deployments_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    files = {"one/compose.yaml": BASE, "two/compose.yaml": BASE}
    assert [d.name for d in drawn(files, tmp_path, "one").deployments] == ["one/compose.yaml"]
    with pytest.raises(Unchartable, match="three"):
        drawn(files, tmp_path, "three")
    built = {"compose.yaml": "services:\n  a:\n    build: ./api\n", "api/Dockerfile": "FROM python\n", "web/a.py": ""}
    assert [d.name for d in drawn(built, tmp_path / "built", "api").deployments] == ["compose.yaml"]
    assert drawn(built, tmp_path / "built", "web").deployments == ()
    assert "No services" in render(drawn({"main.py": ""}, tmp_path / "empty"), "text", Options())


# -- what is started --------------------------------------------------------------------------------------------------

APP = {"main.py": "app = 1\n"}
STARTED = {
    "a script where programs are": (
        {"Dockerfile": "FROM python\nCOPY run.sh /usr/local/bin/\nWORKDIR /x\nCOPY main.py .\nCMD [\"run.sh\"]\n",
         "run.sh": "#!/bin/sh\nset -e\necho hello\nalembic upgrade head\nexec uvicorn main:app\n", **APP},
        ["run.sh", "  alembic upgrade head", "  uvicorn main:app → main.py"]),
    "a script that starts what it is given": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nENTRYPOINT [\"./run.sh\"]\nCMD [\"python\", \"main.py\"]\n",
         "run.sh": "#!/bin/sh\nalembic upgrade head\nexec \"$@\"\n", **APP},
        ["./run.sh", "  alembic upgrade head", "python main.py → main.py"]),
    "a script that the image brings": (
        {"Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nENTRYPOINT [\"docker-entrypoint.sh\"]\n"
                       "CMD [\"node\", \"main.js\"]\n", "main.js": ""},
        ["node main.js → main.js"]),
    "a script of the project's own that starts something else": (
        {"Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nENTRYPOINT [\"./run.sh\"]\nCMD [\"node\", \"main.js\"]\n",
         "run.sh": "#!/bin/sh\nnode other.js\n", "main.js": "", "other.js": ""},
        ["./run.sh node main.js", "  node other.js → other.js"]),
    "what a build makes of a package": (
        {"Dockerfile": "FROM node AS build\nWORKDIR /src\nCOPY . .\nFROM node\nWORKDIR /x\n"
                       "COPY --from=build /src/apps/api/dist ./dist\nCMD node dist/main.js\n",
         "apps/api/src/main.ts": "", "apps/web/src/main.ts": ""},
        ["node dist/main.js → apps/api/src/main.ts"]),
    "what the tool looks for": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD fastapi run\n", "app/main.py": ""},
        ["fastapi run → app/main.py"]),
    "a program that the project installs": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nRUN pip install .\nCMD shop serve --port 80\n",
         "pyproject.toml": "[project.scripts]\nshop = 'shop.cli:main'\n", "src/shop/cli.py": ""},
        ["shop serve --port 80 → src/shop/cli.py"]),
    "a program that others install": (
        {"Dockerfile": "FROM python\nCMD shop serve\n", "pyproject.toml": "[project.scripts]\nshops = 'shop:main'\n",
         "shop.py": ""},
        ["shop serve"]),
    "what is installed": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD uvicorn shop.web:app\n", "src/shop/web.py": ""},
        ["uvicorn shop.web:app → src/shop/web.py"]),
    "a search path that goes on": (
        {"Dockerfile": "FROM python\nENV PYTHONPATH=\"/x:$PYTHONPATH\"\nWORKDIR /x\nCOPY . .\nCMD python main.py\n",
         **APP},
        ["python main.py → main.py"]),
    "what waits for others first": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\n"
                       "CMD dockerize -wait tcp://db:5432 -timeout=60s -no-overwrite python main.py\n", **APP},
        ["dockerize -wait tcp://db:5432 -timeout=60s -no-overwrite python main.py → main.py"]),
    "what waits for others first, by a script": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD sh ./wait-for-it.sh db:5432 -t 3 -- python main.py\n",
         **APP},
        ["sh ./wait-for-it.sh db:5432 -t 3 -- python main.py → main.py"]),
    "a script that a pattern copies": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY bin/* /bin/own/\nCOPY main.py .\n"
                       "ENTRYPOINT [\"/bin/own/run.sh\"]\nCMD [\"python\", \"main.py\"]\n",
         "bin/run.sh": "#!/bin/sh\nexec \"$@\"\n", **APP},
        ["/bin/own/run.sh", "python main.py → main.py"]),
    "an attribute of a module": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD celery -A jobs.queue worker\n", "jobs.py": ""},
        ["celery -A jobs.queue worker → jobs.py"]),
    "a module, not what it stands in": (
        {"Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD celery -A jobs.queue worker\n", "jobs/__init__.py": "",
         "jobs/queue.py": ""},
        ["celery -A jobs.queue worker → jobs/queue.py"]),
    "a project of several that a script is handed": (
        {"Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nCMD npm run dev orders\n",
         "package.json": '{"scripts": {"dev": "nest start --watch"}}', "apps/orders/src/main.ts": "",
         "nest-cli.json": '{"sourceRoot": "apps/shop/src", "projects": {"orders": {"sourceRoot": "apps/orders/src"}}}'},
        ["npm run dev orders", "  nest start --watch orders → apps/orders/src/main.ts"]),
    "a project that is not in the list": (
        {"Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nCMD nest start orders\n", "apps/orders/src/main.ts": "",
         "src/main.ts": "", "nest-cli.json": "{}"},
        ["nest start orders"]),
    "what is made of a project of several": (
        {"Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nCMD node dist/apps/orders/main\n",
         "apps/orders/src/main.ts": ""},
        ["node dist/apps/orders/main → apps/orders/src/main.ts"]),
    "a recipe in small letters": (
        {"dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD python main.py\n", **APP},
        ["python main.py → main.py"]),
}


def test_an_image_that_nothing_builds_runs_the_one_file_that_may_be_meant(tmp_path: Path) -> None:
    recipe = "FROM python\nWORKDIR /x\nCOPY . .\nCMD python main.py\n"
    files = {"read/Dockerfile": recipe, "read/main.py": "", "write/Dockerfile": recipe, "write/main.py": ""}
    for more, runs in (({}, ["read/main.py", "write/main.py"]), ({"main.py": ""}, ["", ""])):
        rows = drawn({**files, **more}, tmp_path).deployments[0].services
        assert [row.runs[0].file for row in rows] == runs


@pytest.mark.parametrize(("files", "runs"), STARTED.values(), ids=STARTED)
def test_a_service_runs(files: dict[str, str], runs: list[str], tmp_path: Path) -> None:
    a = service(drawn({"compose.yaml": "services:\n  a:\n    build: .\n", **files}, tmp_path), "a")
    assert ["  " * r.depth + r.command + (f" → {r.file}" if r.file else "") for r in a.runs] == runs


def test_a_program_of_the_machine_is_found_by_the_end_of_its_path(tmp_path: Path) -> None:
    map_ = drawn({
        "bin/api.service": "[Service]\nWorkingDirectory=/srv/shop\n"
                           "ExecStart=/srv/shop/.venv/bin/python /srv/shop/api/main.py\n",
        "bin/old.service": "[Service]\nExecStart=/usr/bin/python3 /srv/shop/old/main.py\n",
        "api/main.py": "import os\nimport redis\n\nr = redis.Redis(host=os.environ['STORE_HOST'])\n",
    }, tmp_path)
    api, old = (service(map_, name, at) for at, name in enumerate(("api", "old")))
    assert [r.file for r in api.runs] == ["api/main.py"] and leads(api) == {"STORE_HOST": "unknown"}
    assert [r.file for r in old.runs] == [""] and not old.connects


def test_a_container_is_drawn_with_what_its_supervisor_starts(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yml": "services:\n  both:\n    build: .\n  cache:\n    image: redis:7\n",
        "Dockerfile": "FROM python:3.12\nRUN pip install supervisor\nWORKDIR /srv\nCOPY . .\n"
                      "CMD [\"supervisord\", \"-c\", \"both.conf\"]\n",
        "both.conf": "[program:front]\ncommand=nginx\n[program:back]\ncommand=uvicorn --port 8100 back:app\n"
                     "environment=ROWS_URL=\"redis://cache:6379\"\n",
        "supervisord.conf": "[program:lone]\ncommand=python lone.py\n",
        "back.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    }, tmp_path)
    both = service(map_, "both")
    assert [(run.command, run.file, run.depth) for run in both.runs] == [
        ("supervisord -c both.conf", "", 0), ("nginx", "", 1), ("uvicorn --port 8100 back:app", "back.py", 1)]
    assert [row.port for row in both.listens] == [8100] and leads(both) == {"ROWS_URL": "cache:6379"}
    assert {deployment.name for deployment in map_.deployments} == {"compose.yml", "supervisord.conf"}


def test_settings_that_a_variable_names_are_loaded(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yml": "services:\n  web:\n    build: .\n    environment: {WEB_SETTINGS: shelf.settings.Shipped}\n"
                       "  jobs:\n    build: .\n    command: python jobs.py\n  cache:\n    image: redis:7\n",
        "Dockerfile": "FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD [\"uwsgi\", \"--ini\", \"web.ini\"]\n",
        "web.ini": "[uwsgi]\nmodule = web:app\nhttp-socket = :8100\nsocket = 0.0.0.0:8101\n",
        "web.py": "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
                  "app.config.from_object(os.environ['WEB_SETTINGS'])\n",
        "jobs.py": "print(1)\n",
        "shelf/__init__.py": "",
        "shelf/settings.py": "class Shipped:\n    CACHE = 'redis://cache:6379/0'\n",
    }, tmp_path)
    web = service(map_, "web")
    assert [run.file for run in web.runs] == ["web.py"] and [row.port for row in web.listens] == [8100, 8101]
    assert leads(web) == {"code": "cache:6379"} and not leads(service(map_, "jobs"))


def test_what_is_no_connection_and_no_port_is_not_drawn(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yml": "services:\n"
                       "  web:\n    build: {context: web, args: {PORT: 9000}}\n    env_file: [all.env]\n"
                       "    environment:\n      CHAIN_ADDRESS: '0x52908400098527886E0F7030069857D2E4169EE7'\n"
                       "      ROWS_URL:\n      DB_URL: postgres://db/rows\n"
                       "  old:\n    build: old\n"
                       "  ask:\n    image: redis:7\n    command: redis-cli -h cache ping\n"
                       "  cache:\n    image: redis:7\n    command: redis-server --port 6380\n"
                       "  db:\n    image: postgres:16\n    env_file: [all.env]\n",
        "all.env": "PAY_URL=https://pay.shelf.io\nMAIL_URL=https://mail.shelf.io\n",
        "web/Dockerfile": "FROM python:3.12\nARG PORT=8000\nENV PORT=$PORT\nEXPOSE $PORT\nCOPY . .\n"
                          "CMD uvicorn --host 0.0.0.0 --port $PORT main:app\n",
        "web/main.py": "import os\nimport requests\nfrom fastapi import FastAPI\napp = FastAPI()\n"
                       "requests.get(os.environ['PAY_URL'], timeout=2)\n",
        "old/Dockerfile": "FROM python:3.12\nEXPOSE 7000\nCOPY . .\nCMD uvicorn --host 0.0.0.0 --port 7100 main:app\n",
        "old/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    }, tmp_path)
    ports = {name: [row.port for row in service(map_, name).listens] for name in ("web", "old", "ask", "cache", "db")}
    assert ports == {"web": [9000], "old": [7100], "ask": [], "cache": [6380], "db": [5432]}
    assert leads(service(map_, "web")) == {"PAY_URL": "external", "ROWS_URL": "unknown", "DB_URL": "db"}
    assert not leads(service(map_, "db"))


def test_a_semicolon_within_quotes_begins_no_comment(tmp_path: Path) -> None:
    conf = "[program:front]\ncommand=nginx -g \"daemon off;\" ; the front\n[program:b]\ncommand=sh -c 'a;b'\n"
    map_ = drawn({"supervisord.conf": conf}, tmp_path)
    assert service(map_, "front").command == ("nginx -g daemon off;",)
    assert "a program that supervisord starts" in render(map_, "text", Options())


# -- ports ------------------------------------------------------------------------------------------------------------


def test_what_takes_a_build_away_leaves_what_was_built(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  a:\n    build: api\n    ports: ['80:80']\n",
             "compose.prod.yaml": "services:\n  a:\n    image: ${IMAGE}\n    build: !reset null\n",
             "api/Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\nCMD python main.py\n", "api/main.py": "",
             "run.sh": "docker compose -f compose.yaml -f compose.prod.yaml up\n"}
    assert {row.dockerfile for deployment in drawn(files, tmp_path).deployments for row in deployment.services
            } == {"api/Dockerfile"}


@pytest.mark.parametrize(("text", "ports"), [
    ("image: adminer", [8080]),
    ("image: docker.io/library/adminer:4", [8080]),
    ("image: example/adminer", []),
    ("image: adminer\n    ports: ['81:9999']", [9999]),
    ("image: neo4j", [7474, 7687]),
    ("image: traefik\n    command: --entrypoints.web.address=:8000 --api", [8000]),
    ("image: x/a\n    command: serve --http-port 8081 --db-port 5432 --redis-address cache:6379", [8081]),
    ("image: x/a\n    command: start --kafka-addr a://0.0.0.0:9092,b://0.0.0.0:9093 --peer-addr b:33145", [9092, 9093]),
    ("image: x/a\n    command: ['start', '--rpc-addr 0.0.0.0:33145', '--advertise-rpc-addr a:33146']", [33145]),
    ("image: x/a\n    ports: ['${PORT:?none}:8080']", [8080]),
    ("image: x/a\n    ports: ['${A:-${B:-81}}:8080']", [8080]),
    ("image: apache/kafka\n    environment: {KAFKA_LISTENERS: 'A://:9092,B://0.0.0.0:9093'}", [9092, 9093]),
    ("image: nginx\n    volumes: ['./front.conf:/etc/nginx/conf.d/default.conf']", [8443]),
    ("image: nginx\n    volumes: ['./pages:/usr/share/nginx/html']", [80]),
])
def test_a_service_listens(text: str, ports: list[int], tmp_path: Path) -> None:
    files = {"compose.yaml": f"services:\n  a:\n    {text}\n",
             "front.conf": "server {\n  # listen 80;\n  listen [::]:8443 ssl;\n  location / { return 200; }\n}\n"}
    assert [row.port for row in service(drawn(files, tmp_path), "a").listens] == ports


def test_a_port_of_the_machine_that_is_not_known_is_said_to_be_there(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: x\n    ports: ['${P}:80', '${A:-${B:-81}}:82']\n"
    map_ = drawn({"compose.yaml": text}, tmp_path)
    rows = [(row.port, row.published, row.somewhere) for row in service(map_, "a").listens]
    assert rows == [(80, (), True), (82, (81,), False)]
    assert "published, at a port that is not known" in render(map_, "text", Options())


# -- files and builds -------------------------------------------------------------------------------------------------

NGINX = ("upstream backend { server api:8000; }\nserver {\n  location / { proxy_pass http://backend; }\n"
         "  # proxy_pass http://db:5432;\n  location /x { proxy_pass http://web; }\n}\n")
GIVEN = {
    "a mount": ("image: nginx\n    volumes: ['./f:/etc/nginx/conf.d/f.conf']", {"f": "", "f.conf": NGINX}, {}),
    "a file": ("image: nginx\n    volumes: ['./f.conf:/x/f.conf']", {"f.conf": NGINX}, {"api:8000", "web"}),
    "a folder": ("image: nginx\n    volumes: ['./f:/etc/nginx']", {"f/f.conf": NGINX}, {"api:8000", "web"}),
    "a copy": ("build: ./f", {"f/f.conf": NGINX, "f/Dockerfile": "FROM nginx\nCOPY f.conf /etc/nginx/conf.d/\n"},
               {"api:8000", "web"}),
    "targets": ("image: prom/prometheus\n    volumes: ['./p.yml:/etc/prometheus/prometheus.yml']",
                {"p.yml": "scrape_configs:\n- static_configs:\n  - targets: ['api:8000', \"db:5432\"]\n"},
                {"api:8000", "db:5432"}),
    "an image": ("image: x\n    volumes: ['./c.yml:/etc/c.yml']", {"c.yml": "image: db:16\ndb: 5432\n"}, {}),
    "what a program of the project keeps for itself": (
        "build: .", {"Dockerfile": "FROM python\nCOPY . /x\nWORKDIR /x\nCMD python main.py\n", "main.py": "",
                     "config/p.yml": "targets: ['api:8000']\n"}, {}),
}


@pytest.mark.parametrize(("text", "files", "leads_to"), GIVEN.values(), ids=GIVEN)
def test_a_file_that_a_service_is_given_names_others(text: str, files: dict[str, str], leads_to: set[str],
                                                     tmp_path: Path) -> None:
    rest = "".join(f"  {name}:\n    image: x/{name}\n" for name in ("api", "web", "db", "backend"))
    a = service(drawn({"compose.yaml": f"services:\n  a:\n    {text}\n{rest}", **files}, tmp_path), "a")
    found = {f"{c.service}:{c.port}" if c.port else c.service for c in a.connects if c.source == "file"}
    assert found == set(leads_to)


def test_what_a_build_tells_browsers_is_drawn(tmp_path: Path) -> None:
    text = ("services:\n  a:\n    build:\n      context: .\n      args:\n"
            "        VITE_API_URL: ${API:-${HOST:-http://localhost:8000}}\n        VITE_SAME: http://b:1\n"
            "        OTHER_URL: http://b:2\n"
            "    environment: {VITE_SAME: 'http://b:1'}\n  b:\n    image: x\n    ports: ['8000:80']\n")
    recipe = "FROM node AS build\nENV VITE_DOCS_URL=https://docs.example.com\nRUN npm run build\nFROM nginx\n"
    a = service(drawn({"compose.yaml": text, "Dockerfile": recipe}, tmp_path), "a")
    assert {(c.variable, c.source, c.service or c.target, c.browser) for c in a.connects} == {
        ("VITE_API_URL", "build", "b", True), ("VITE_DOCS_URL", "build", "external", True),
        ("VITE_SAME", "deployment", "b", False)}


@pytest.mark.parametrize(("image", "variable", "value", "lead"), [
    ("x/commander", "REDIS_HOSTS", "local:b:6379", "b:6379"),
    ("x/a", "DB_HOST", "${A:-${B:-b}}", "b"),
    ("x/a", "DB_HOST", "${A:-${B}}", "unknown"),
    ("x/a", "CONNECTIONS_PER_HOST", "20", None),
    ("x/a", "VIRTUAL_HOST", "localhost", None),
    ("n8nio/n8n", "N8N_HOST", "localhost", None),
    ("x/a", "N8N_HOST", "localhost", "itself"),
    ("searxng/searxng", "SEARXNG_BASE_URL", "https://search.example.com", None),
    ("apache/kafka", "KAFKA_LISTENERS", "A://:9092,B://:9093", None),
    ("x/kafka", "KAFKA_ADVERTISED_HOST_NAME", "192.168.0.20", None),
    ("x/kafka", "KAFKA_ADVERTISED_HOST_NAME", "${A}", None),
    ("apache/kafka", "KAFKA_ZOOKEEPER_CONNECT", "b:2181", "b:2181"),
])
def test_a_variable_of_an_image_leads(image: str, variable: str, value: str, lead: str | None, tmp_path: Path) -> None:
    text = f"services:\n  a:\n    image: {image}\n    environment:\n      {variable}: '{value}'\n  b:\n    image: x/b\n"
    assert leads(service(drawn({"compose.yaml": text}, tmp_path), "a")).get(variable) == lead


def test_a_way_in_the_settings_is_no_variable(tmp_path: Path) -> None:
    code = ("import { ConfigService } from '@nestjs/config';\nimport Redis from 'ioredis';\n"
            "export const make = (config: ConfigService) =>\n"
            "  new Redis({ host: config.get<string>('{}', 'localhost'), port: 6379 });\n")
    for name, drawn_ in (("cache.host", set()), ("CACHE_HOST", {"CACHE_HOST"})):
        files = {"compose.yaml": "services:\n  a:\n    build: .\n",
                 "Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nCMD ts-node main.ts\n",
                 "package.json": "{}", "main.ts": code.replace("'{}'", f"'{name}'")}
        a = service(drawn(files, tmp_path / name), "a")
        assert {c.variable for c in a.connects} == drawn_


@pytest.mark.parametrize(("variable", "browser"), [
    ("PRICES_BASE_URL", False), ("APP_BASE_URL", True), ("API_BASE_URL", True),
])
def test_who_asks_at_an_address_is_told_by_more_than_its_base(variable: str, browser: bool, tmp_path: Path) -> None:
    code = f'import os\nURL = os.environ.get("{variable}", "https://example.com")\n'
    a = service(drawn({"compose.yaml": "services:\n  a:\n    build: .\n", "Dockerfile": "FROM python\nCOPY . /x\n",
                       "main.py": code}, tmp_path), "a")
    assert [c.browser for c in a.connects] == [browser]


# -- whose code -------------------------------------------------------------------------------------------------------


def test_of_shared_code_each_service_has_what_it_loads(tmp_path: Path) -> None:
    read = 'import os\nURL = os.environ["{}"]\n'
    map_ = drawn({
        "compose.yaml": "services:\n  a:\n    build: .\n    command: python a.py\n    environment: {X_URL: 'http://c:1'}\n"
                        "  b:\n    build: .\n    command: python b.py\n    environment: {X_URL: 'http://c:1'}\n"
                        "  c:\n    image: x/c\n",
        "Dockerfile": "FROM python\nWORKDIR /x\nCOPY . .\n",
        "a.py": "import own_a\n", "own_a.py": read.format("A_URL") + 'X = os.environ["X_URL"]\n',
        "b.py": "import own_b\n", "own_b.py": read.format("B_URL"), "nobody.py": read.format("C_URL"),
    }, tmp_path)
    a, b = service(map_, "a"), service(map_, "b")
    assert leads(a) == {"X_URL": "c:1", "A_URL": "unknown"} and leads(b) == {"X_URL": "c:1", "B_URL": "unknown"}
    assert [spot.path for spot in a.connects[0].read] == ["own_a.py"] and b.connects[0].read == ()


def test_an_image_that_holds_a_whole_workspace_runs_one_of_its_packages(tmp_path: Path) -> None:
    read = "export const url = process.env.{} || 'http://c:1';\n"
    a = service(drawn({
        "compose.yaml": "services:\n  a:\n    build: {context: ., dockerfile: one/Dockerfile}\n  c:\n    image: x/c\n",
        "one/Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nWORKDIR /x/one\nCMD node main.js\n", "package.json": "{}",
        "one/package.json": "{}", "one/main.js": "import '../lib/url.js';\n", "one/more.js": read.format("ONE_URL"),
        "lib/package.json": "{}", "lib/url.js": read.format("LIB_URL"),
        "two/package.json": "{}", "two/main.js": read.format("TWO_URL"),
    }, tmp_path), "a")
    assert leads(a) == {"ONE_URL": "c:1", "LIB_URL": "c:1"}


def test_what_is_copied_from_a_build_is_the_package_that_it_is_made_from(tmp_path: Path) -> None:
    recipe = ("FROM node AS build\nWORKDIR /src\nCOPY . .\nRUN npm run build\nFROM node\nWORKDIR /x\n"
              "COPY --from=build /src/node_modules ./node_modules\nCOPY --from=build /src/web/.next/standalone ./\n")
    a = service(drawn({"compose.yaml": "services:\n  a:\n    build: .\n", "Dockerfile": recipe, "web/a.ts": "",
                       "api/b.ts": ""}, tmp_path), "a")
    assert a.code == ("web",)
    parts = recipe.replace("COPY . .", "COPY web ./web\nCOPY api ./api").replace("/web/.next/standalone", "/out")
    whole = service(drawn({"compose.yaml": "services:\n  a:\n    build: .\n", "Dockerfile": parts, "web/a.ts": "",
                           "api/b.ts": ""}, tmp_path / "whole"), "a")
    assert whole.code == ("web", "api"), "what none of the copies brings may be made from all of them"


# -- several files ----------------------------------------------------------------------------------------------------

PAIR = {"compose.yaml": BASE, "compose.dev.yaml": "services:\n  a:\n    image: x/dev\n"}


@pytest.mark.parametrize(("path", "text", "files"), [
    ("Makefile", "up:\n\tdocker compose -f compose.yaml -f compose.dev.yaml up\n", 2),
    ("README.md", "Run `docker compose --file=compose.yaml --file=compose.dev.yaml up`.\n", 2),
    (".env.example", "# for docker compose\nCOMPOSE_FILE=compose.yaml:compose.dev.yaml\n", 2),
    ("Makefile", "up:\n\tdocker compose -f compose.yaml -f compose.dev.yaml up\n"
                 "dev:\n\tdocker compose -f compose.dev.yaml up\n", 1),
    ("Makefile", "up:\n\tdocker compose -f compose.yaml -f other.yaml up\n", 1),
])
def test_a_file_that_is_always_named_behind_another_is_laid_over_it(path: str, text: str, files: int,
                                                                    tmp_path: Path) -> None:
    by_name = {d.name: d for d in drawn({**PAIR, path: text}, tmp_path).deployments}
    over = by_name["compose.dev.yaml"]
    assert len(over.files) == files and len(over.services) == files
    assert over.service("a").image == "x/dev"  # type: ignore[union-attr]


def test_a_file_that_others_extend_is_no_deployment(tmp_path: Path) -> None:
    map_ = drawn({"compose.yaml": "services:\n  a:\n    extends: {file: compose.common.yaml, service: app}\n"
                                  "    image: x/a\n",
                  "compose.common.yaml": "services:\n  app:\n    environment: {X: '1'}\n"}, tmp_path)
    assert [d.name for d in map_.deployments] == ["compose.yaml"]
    alone = drawn({"compose.common.yaml": "services:\n  app:\n    environment: {X: '1'}\n"}, tmp_path / "alone")
    assert [d.name for d in alone.deployments] == ["compose.common.yaml"]


def test_a_recipe_that_a_variable_chooses_is_said_to_be_open(tmp_path: Path) -> None:
    map_ = drawn({"compose.yaml": "services:\n  a:\n    build: {context: ., dockerfile: 'Dockerfile.${STAGE}'}\n"
                                  "  b:\n    build: {context: ., dockerfile: 'Dockerfile.${KIND:-prod}',\n"
                                  "            target: '${T:-run}'}\n"
                                  "  c:\n    build: {context: ., dockerfile: Dockerfile.prod, target: gone}\n",
                  "Dockerfile.dev": "FROM python AS run\n",
                  "Dockerfile.prod": "FROM python AS run\nFROM python AS more\n"}, tmp_path)
    [deployment] = map_.deployments
    a, b, _ = deployment.services
    assert a.recipes == ("Dockerfile.dev", "Dockerfile.prod") and not a.dockerfile
    assert (b.dockerfile, b.stage, b.recipes) == ("Dockerfile.prod", "run", ())
    assert deployment.notes == ("c is built to the stage gone, which Dockerfile.prod does not have",)


def test_skaffold_says_how_an_image_is_built(tmp_path: Path) -> None:
    manifest = ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
                "      containers:\n      - {name: web, image: shop/front}\n")
    listed = "build:\n  artifacts:\n  - image: shop/front\n    context: .\n    docker: {dockerfile: web/Dockerfile}\n"
    files = {"k8s/web.yaml": manifest, "web/Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\nCMD node web/main.js\n",
             "web/main.js": ""}
    told = service(drawn({**files, "skaffold.yaml": listed}, tmp_path / "told"), "web")
    assert (told.build, told.dockerfile, told.runs[0].file) == (".", "web/Dockerfile", "web/main.js")
    assert service(drawn(files, tmp_path / "untold"), "web").dockerfile == ""


def test_a_container_is_reached_by_the_name_that_a_variable_gives_it(tmp_path: Path) -> None:
    map_ = drawn({"compose.yaml": "services:\n  store:\n    image: redis\n    container_name: ${STORE}\n"
                                  "  web:\n    image: x/web\n    environment: {STORE_HOST: '${STORE}', DB_HOST: no}\n",
                  ".env": "STORE=store-c\n"}, tmp_path)
    assert leads(service(map_, "web")) == {"STORE_HOST": "store", "DB_HOST": "unknown"}


@pytest.mark.parametrize(("named", "build"), [("api/Dockerfile", "."), ("Dockerfile", "api")])
def test_the_recipe_of_a_platform_says_what_its_root_is(named: str, build: str, tmp_path: Path) -> None:
    written = json.dumps({"build": {"builder": "DOCKERFILE", "dockerfilePath": named},
                          "deploy": {"startCommand": "node a.js"}})
    map_ = drawn({"api/railway.json": written, "api/Dockerfile": "FROM node\nWORKDIR /x\nCOPY . .\n",
                  "api/a.js": ""}, tmp_path)
    one = service(map_, "railway")
    assert (one.build, one.dockerfile) == (build, "api/Dockerfile")


@pytest.mark.parametrize(("image", "built"), [
    ("prices:v1", "prices/Dockerfile"),
    ("registry.example/shop/orders:v1", "docker/Dockerfile.orders"),
    ("registry.example/prices-repo", "prices/Dockerfile"),
    ("registry.example/stock-repo", "stock/Dockerfile"),
    ("memcached:1", ""),
    ("orders-repo", ""),
    ("registry.example/prices-tools", ""),
    ("registry.example/shop/unbuilt", ""),
])
def test_the_name_of_an_image_says_where_it_is_built(image: str, built: str, tmp_path: Path) -> None:
    def manifest(name: str, image: str) -> str:
        return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n"
                f"      containers:\n      - {{name: {name}, image: {image}}}\n")
    recipe = "FROM python\nWORKDIR /x\nCOPY . .\nCMD python main.py\n"
    names = (image, "registry.example/stock-repo", "registry.example/prices-repo")
    map_ = drawn({
        "k8s/all.yaml": "---\n".join(manifest(f"n{at}", name) for at, name in enumerate(names)),
        "compose.yaml": "services:\n  o:\n    build: {context: ., dockerfile: docker/Dockerfile.orders}\n",
        "docker/Dockerfile.orders": recipe, "docker/Dockerfile.unbuilt": recipe, "main.py": "",
        **{f"{folder}/{file}": text for folder in ("prices", "stock", "memcached")
           for file, text in (("Dockerfile", recipe), ("main.py", ""))},
    }, tmp_path)
    assert service(map_, "n0", 1).dockerfile == built


def test_an_image_is_the_stage_that_compose_builds_under_its_name(tmp_path: Path) -> None:
    manifest = ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: relay}\nspec:\n  template:\n    spec:\n"
                "      containers:\n      - {name: relay, image: 'shop/relay:2'}\n")
    map_ = drawn({
        "k8s/relay.yaml": manifest, "relay/main.py": "", "web/index.html": "",
        "compose.yaml": "services:\n  x:\n    image: shop/relay\n    build: {context: ., target: relay}\n",
        "Dockerfile": "FROM python AS relay\nCOPY relay .\nCMD python main.py\nFROM nginx\nCOPY web /web\n",
    }, tmp_path)
    relay = service(map_, "relay", 1)
    assert (relay.stage, relay.code, [run.file for run in relay.runs]) == ("relay", ("relay",), ["relay/main.py"])


def test_rows_go_on_below_where_the_line_ends(tmp_path: Path) -> None:
    text = render(drawn(SHOP, tmp_path), "text", Options(width=80))
    assert max(map(len, text.splitlines())) <= 80
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_mermaid_names_every_service_once(tmp_path: Path) -> None:
    text = render(drawn(SHOP, tmp_path), "mermaid", Options())
    assert text.startswith("flowchart LR\n")
    for name in ("web", "api", "db"):
        assert text.count(f"<b>{name}</b>") == 1
    ids = re.findall(r"^\s+(d\d+n\d+)[\[({]", text, re.M)
    links = re.findall(r'^\s+(\w+) (?:-->|-\.->|-\.-)(?:\|"[^"|]*"\|)? (\w+)$', text, re.M)
    assert len(ids) == len(set(ids)) and {end for link in links for end in link} <= set(ids)
    known = re.compile(r'\s+(?:d\d+n\d+[\[({]+"[^"]*"[\])}]+(?::::\w+)?$|d\d+n\d+ -|classDef|linkStyle)')
    assert [line for line in text.splitlines()[1:] if not known.match(line)] == []


def test_a_picture_of_many_services_says_in_words_where_most_lead(tmp_path: Path) -> None:
    def crowd(count: int) -> Deployment:
        text = ("services:\n  cache:\n    image: redis\n"
                "  watch:\n    image: x/watch\n    volumes: ['./w.yml:/etc/w.yml']\n")
        for at in range(count):
            other = "localhost" if at == 3 else "cache"
            text += (f"  s{at}:\n    image: x/s\n"
                     f"    environment: {{REDIS_URL: 'redis://{other}:6379', B_URL: 'http://s0:1'}}\n")
        files = {"compose.yaml": text, "w.yml": " ".join(f"s{at}:80" for at in range(count))}
        return drawn(files, tmp_path / str(count)).deployments[0]

    few, many = graph(crowd(5)), graph(crowd(14))
    assert not any(node.beside for node in few.nodes) and len(few.edges) == 4 + 1 + 4 + 5
    named = {node.title: node.beside for node in many.nodes if node.beside}
    assert named["s1"] == ["cache", "s0"] and named["s3"] == ["s0"] and len(named["watch"]) == 14
    assert [(edge.source, edge.target) for edge in many.edges] == [("service s3", "loopback s3 redis://localhost:6379")]
    for format_ in ("mermaid", "html"):
        text = render(Map("crowd", (crowd(14),)), format_, Options())
        assert "→ cache, s0" in text


def test_the_readme_shows_the_map_of_the_example() -> None:
    root = Path(__file__).parent.parent
    text = render(chart(None, root / "shop", cards.load(), Config(), jobs=1), "mermaid", Options())
    assert f"```mermaid\n{text}```" in (root / "README.md").read_text()


class _Page(HTMLParser):
    """Counts open elements, and keeps every address and anchor of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = {**SHOP, "compose.yaml": SHOP["compose.yaml"].replace("api:9000", "api:9000/<script>&\\\"")}


@pytest.mark.parametrize("files", [SHOP, HOSTILE], ids=["plain", "hostile"])
def test_the_page_is_whole_and_asks_for_nothing(files: dict[str, str], tmp_path: Path) -> None:
    text = render(drawn(files, tmp_path), "html", Options())
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(page.tags)
    assert page.links and all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"@import|url\((?!#)", text)
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        ElementTree.fromstring(svg)


def _browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.mark.slow
def test_a_browser_shows_the_page(tmp_path: Path) -> None:
    browser = _browser()
    if browser is None:
        warnings.warn("no Chromium here: nobody looked at the page of the map", stacklevel=1)
        pytest.skip("no Chromium on this machine")
    page, shot = tmp_path / "map.html", tmp_path / "map.png"
    page.write_text(render(drawn(SHOP, tmp_path / "shop"), "html", Options()))
    common = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*common, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120,
                          check=True)
    assert done.stdout.count("<details") == 3 and "</svg>" in done.stdout
    subprocess.run([*common, f"--screenshot={shot}", "--window-size=1200,900", page.as_uri()], capture_output=True,
                   timeout=120, check=True)
    assert shot.read_bytes().startswith(b"\x89PNG") and shot.stat().st_size > 20_000, "a blank page is smaller"


LAYOUTS = {
    "chain": ["ab", "bc", "cd", "ad"],
    "cycle": ["ab", "bc", "ca"],
    "two ways": ["ab", "ba"],
    "itself": ["aa", "ab"],
    "star": ["ab", "ac", "ad", "ae", "be"],
    "none": [],
}


@pytest.mark.parametrize("edges", LAYOUTS.values(), ids=LAYOUTS)
def test_no_box_lies_on_another(edges: list[str]) -> None:
    boxes = [Box(key, 100, 40) for key in "abcdef"]
    links = [Link(edge[0], edge[1], 60) for edge in edges]
    width, height = arrange(boxes, links)
    for one in boxes:
        assert one.x >= -0.01 and one.x + one.width <= width + 0.01
        assert one.y >= -0.01 and one.y + one.height <= height + 0.01
        for other in boxes:
            assert one is other or one.x + one.width <= other.x or other.x + other.width <= one.x or \
                one.y + one.height <= other.y or other.y + other.height <= one.y
    by_key = {box.key: box for box in boxes}
    for link in links:
        start, end = (by_key[k] for k in ((link.target, link.source) if link.turned else (link.source, link.target)))
        points = link.points[::-1] if link.turned else link.points
        assert points[0][0] == start.x + start.width and points[-1][0] == end.x
        assert start.y <= points[0][1] <= start.y + start.height and end.y <= points[-1][1] <= end.y + end.height


def test_stores_of_a_blueprint_and_the_programs_of_an_image(tmp_path: Path) -> None:
    blueprint = {
        "render.yaml": (
            "databases:\n  - name: books\nservices:\n  - type: web\n    name: shop\n    runtime: python\n"
            "    startCommand: uvicorn main:app --port $PORT\n    envVars:\n      - key: DATABASE_URL\n"
            "        fromDatabase: {name: books, property: connectionString}\n      - key: CACHE_URL\n"
            "        fromService: {type: keyvalue, name: cache, property: connectionString}\n"
            "  - type: keyvalue\n    name: cache\n"
        ),
        "main.py": "import os\n\nDATABASE = os.environ['DATABASE_URL']\n",
    }
    (deployment,) = drawn(blueprint, tmp_path / "blueprint").deployments
    shop = next(s for s in deployment.services if s.name == "shop")
    assert {(c.service, c.port) for c in shop.connects} == {("books", 5432), ("cache", 6379)}
    assert {s.name for s in deployment.services if s.store} == {"books", "cache"}

    programs = {
        "compose.yaml": (
            "services:\n  web:\n    build: .\n    command: uvicorn main:app --host 0.0.0.0 --port 8000\n"
            "  worker:\n    build: .\n    command: celery -A jobs worker\n  plain:\n    build: .\n"
        ),
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nEXPOSE 5000\nCMD ["flask", "run", "--host=0.0.0.0"]\n',
        "main.py": "app = 1\n", "jobs.py": "app = 1\n",
    }
    (deployment,) = drawn(programs, tmp_path / "programs").deployments
    assert {s.name: [row.port for row in s.listens] for s in deployment.services} == {
        "web": [8000], "worker": [], "plain": [5000]}


def test_a_service_that_stands_there_twice_and_one_of_the_usual_namespace(tmp_path: Path) -> None:
    def workload(name: str, more: str) -> str:
        return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n"
                f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n"
                f"    metadata: {{labels: {{app: {name}}}}}\n"
                f"    spec:\n      containers:\n        - name: {name}\n{more}")

    def front(name: str, kind: str, port: str) -> str:
        return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  type: {kind}\n"
                f"  selector: {{app: {name}}}\n  ports: [{port}]\n")

    files = {
        "k8s/web.yaml": workload("web", "          image: acme/web\n          env:\n            - name: DB_HOST\n"
                                        "              value: db.default\n"),
        "k8s/db.yaml": workload("db", "          image: postgres:16\n") + "---\n" + front(
            "db", "ClusterIP", "{port: 5432}"),
        "k8s/web-near.yaml": front("web", "NodePort", "{port: 80, targetPort: 8000}"),
        "k8s/web-far.yaml": front("web", "LoadBalancer", "{port: 80, targetPort: 8000}"),
    }
    (deployment,) = drawn(files, tmp_path).deployments
    web = next(s for s in deployment.services if s.name == "web")
    assert [row.port for row in web.listens] == [8000]
    assert [c.service for c in web.connects] == ["db"]


def test_what_may_be_set_is_not_said_to_be_missing(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  web:\n    build: .\n    env_file: [secret.env]\n"
                        "    environment:\n      LOGIN_REDIRECT_URL: http://page:3000/login\n"
                        "  page:\n    image: nginx\n",
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["python", "main.py"]\n',
        "main.py": "import os\n\nSTORE = os.environ.get('STORE_URL', 'redis://localhost:6379')\n",
    }
    map_ = drawn(files, tmp_path)
    assert "STORE_URL is not seen to be set; without it the code takes its default" in render(map_, "text", Options())
    assert [c.variable for c in service(map_, "web").connects] == ["STORE_URL"]
