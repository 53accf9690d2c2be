"""Files and commands of platforms: which services they describe, what each is given, and where that stands."""

from __future__ import annotations

import pytest

from connlint.languages.deployment.files import read_deployment
from projects import report

SERVERLESS = """service: shop
provider:
  name: aws
  environment:
    STORE_URL: https://store.example.com
    TABLE: ${self:custom.table}
functions:
  list:
    handler: src/list.handler
    environment: {QUEUE_URL: https://queue.example.com}
"""
TASK = """{
\t"family": "shop",
\t"networkMode": "awsvpc",
\t"containerDefinitions": [
\t\t{"name": "api", "image": "example/api:1", "environment": [{"name": "STORE_URL", "value": "http://store:80"}],
\t\t "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:key"}], "portMappings": [{"containerPort": 8000}]},
\t\t{"name": "proxy", "image": "<IMAGE1_NAME>", "command": ["uvicorn", "main:app"],
\t\t "dependsOn": [{"containerName": "api", "condition": "HEALTHY"}]}
\t]
}
"""
RUNNER = """version: 1.0
runtime: python311
run:
  command: uvicorn main:app --host 0.0.0.0
  network: {port: 8000}
  env:
    - name: STORE_URL
      value: http://store
  secrets:
    - {name: KEY, value-from: "arn:aws:secret"}
"""
FILES = {
    "api/serverless.yml": (SERVERLESS, [("shop", "serverless", {
        "STORE_URL": "https://store.example.com", "TABLE": None, "QUEUE_URL": "https://queue.example.com"})]),
    "serverless.yml": ("service: shop\nprovider: {environment: '${file(env.yml)}'}\n", [("shop", "serverless", {})]),
    "other/serverless.yml": ("Transform: AWS::Serverless-2016-10-31\n", []),
    "web/vercel.json": ('{"rewrites": [], "env": {"STORE_URL": "http://store", "KEY": "@key"}}',
                        [("web", "vercel", {"STORE_URL": "http://store", "KEY": None})]),
    "vercel.json": ('{"rewrites": []}', []),
    "deploy/api.task-definition.json": (TASK, [("api", "ecs", {"STORE_URL": "http://store:80", "KEY": None}),
                                               ("proxy", "ecs", {})]),
    "taskdef.json": ('{"taskDefinition": ' + TASK + "}", [
        ("api", "ecs", {"STORE_URL": "http://store:80", "KEY": None}), ("proxy", "ecs", {})]),
    "apprunner.yaml": (RUNNER, [("app", "app-runner", {"STORE_URL": "http://store", "KEY": None})]),
    "heroku.sh": ("heroku config:set STORE_URL=http://store \"KEY=$KEY\" NAME='a b' -a shop\n",
                  [("shop", "heroku", {"STORE_URL": "http://store", "KEY": None, "NAME": "a b"})]),
    "also.sh": ("heroku config:add --app=shop STORE_URL=http://store; heroku config:get STORE_URL\n",
                [("shop", "heroku", {"STORE_URL": "http://store"})]),
    "fly.sh": ("fly secrets set -a shop STORE_URL=http://store --stage\nflyctl secrets list\n",
               [("shop", "fly", {"STORE_URL": "http://store"})]),
    "azure.sh": ("az containerapp update -n shop --set-env-vars STORE_URL=http://store KEY=secretref:key\n",
                 [("shop", "container-apps", {"STORE_URL": "http://store", "KEY": None})]),
}


@pytest.mark.parametrize("path", FILES)
def test_a_platform_says_what_its_services_are_given(path):
    text, wanted = FILES[path]
    data = text.encode()
    found = read_deployment(path, data, lambda other: data if other == path else None)
    assert found is not None and not found.problems
    rows = [(s.name, s.kind, {name: known.value for name, known in s.environment.items()}) for s in found.services]
    assert rows == wanted
    for service in found.services:
        for name, known in service.environment.items():
            start, end = known.place.at
            assert name in data[start:end].decode(), "a variable is shown where it stands"


def test_a_task_definition_says_ports_mates_and_what_starts_first():
    found = read_deployment("taskdef.json", TASK.encode(), lambda other: None)
    assert found is not None
    api, proxy = found.services
    assert [port.container for port in api.ports] == [8000] and api.mates == ("proxy",)
    assert api.image is not None and api.image.value == "example/api:1"
    assert proxy.image is not None and proxy.image.value is None
    assert [(d.on, d.condition) for d in proxy.dependencies] == [("api", "service_healthy")]
    assert [[word.value for word in command.words] for command in proxy.commands] == [["uvicorn", "main:app"]]


ALONE = TASK.replace("http://store:80", "postgresql://localhost/app").replace('"awsvpc"', '"bridge"')


@pytest.mark.parametrize(("files", "found"), [
    ({"deploy.sh": "heroku config:set DATABASE_URL=postgres://u@localhost:5432/app -a shop\n"}, ["deploy.sh"]),
    ({"deploy.sh": "fly secrets set DATABASE_URL=postgres://u@localhost:5432/app\n"}, ["deploy.sh"]),
    ({"deploy.sh": "heroku config:set DATABASE_URL=postgres://u@db.internal/app -a shop\n"}, []),
    ({"taskdef.json": ALONE}, ["taskdef.json"]),
    ({"taskdef.json": ALONE.replace('"bridge"', '"awsvpc"')}, []),
    ({"taskdef.json": ALONE.replace('"bridge"', '"host"')}, []),
])
def test_localhost_is_the_container_itself_on_platforms_too(files, found):
    rows = [f for f in report(files).findings if f.rule == "container-localhost"]
    assert [f.place.path for f in rows] == found


@pytest.mark.parametrize(("files", "level"), [
    ({}, "warning"),
    ({"api/compose.yaml": "services: {api: {build: ., environment: {OTHER: a}}}\n"}, "error"),
    ({"api/compose.yaml": "services: {api: {build: ., environment: {OTHER: a}}}\n", "api/serverless.yml": SERVERLESS},
     "warning"),
])
def test_a_variable_that_a_platform_sets_is_set(files, level):
    code = "import os\n\nSTORE_URL = os.getenv('STORE_URL', 'http://localhost:9000')\n"
    image = "FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD python main.py\n"
    project = {"api/main.py": code, "api/Dockerfile": image} | files
    assert [f.level for f in report(project).findings if f.rule == "env-localhost-fallback"] == [level]


SCRIPTS = """{"keywords": ["start", "node a.js"], "scripts": {
"dev": "node a.js", "start": "node a.js", "say": "echo \\"node a.js\\""}}"""
PLACED = [
    ("package.json", SCRIPTS, ['"dev": "[node a.js]"', '"start": "[node a.js]"', '"say": "[echo \\"node a.js\\"]"']),
    ("railway.json", '{"note": "go a", "deploy": {"startCommand": "go a"}}', ['"startCommand": "[go a]"']),
    ("railway.toml", "# startCommand = 'go a'\n[deploy]\nstartCommand = 'go a'\n", ["startCommand = '[go a]'"]),
    ("fly.toml", "app = 'PORT'\n[env]\nPORT = '1'\n[processes]\nweb = 'node a.js'\nother = \"\"\"\nnode a.js\"\"\"\n",
     ["web = '[node a.js]'", 'other = """\n[node a.js]"""']),
]


@pytest.mark.parametrize(("path", "text", "expected"), PLACED, ids=[row[0] for row in PLACED])
def test_commands_stand_where_they_are_written(path, text, expected):
    """Not where the same words stand first."""
    deployment = read_deployment(path, text.encode(), lambda _: None)
    commands = [*deployment.commands, *(command for service in deployment.services for command in service.commands)]
    marked = [text[: c.place.at[0]] + "[" + text[c.place.at[0]:c.place.at[1]] + "]" + text[c.place.at[1]:]
              for c in commands]
    assert all(part in row for part, row in zip(expected, marked, strict=True))


def test_variables_stand_where_they_are_set():
    text = "app = 'PORT'\n[env]\n  PORT = '1'\n"
    (service,) = read_deployment("fly.toml", text.encode(), lambda _: None).services
    assert text[slice(*service.environment["PORT"].place.at)] == "PORT"
    assert service.environment["PORT"].place.at[0] == text.rindex("PORT")
    assert text[slice(*service.environment_at.at)] == "[env]"
