"""The code and its deployment together: how grave a finding is, whether a fix holds, and files that mean no good."""

from __future__ import annotations

import pytest

from connlint.languages.edits import applied
from connlint.project.grounds import above
from projects import report

READ = "import os\n\nSTORE_URL = os.getenv('STORE_URL', '{}')\n"
IMAGE = "FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD [\"python\", \"main.py\"]\n"
COMPOSE = "services:\n  api:\n    build: ./api\n    environment:\n      LOG_LEVEL: info\n"
POD = """apiVersion: v1
kind: Pod
metadata: {{name: api}}
spec:
  containers:
    - name: api
      image: {}
      env: [{{name: LOG_LEVEL, value: info}}]
"""
FLY = "app = 'shop'\n[env]\nLOG_LEVEL = 'info'\n"
RENDER = "services:\n  - {type: web, name: api, envVars: [{key: LOG_LEVEL, value: info}]}\n"


@pytest.mark.parametrize(("files", "level"), [
    ({}, "warning"),
    ({"compose.yaml": COMPOSE}, "error"),
    ({"compose.yaml": COMPOSE.replace("LOG_LEVEL", "STORE_URL")}, "warning"),
    ({"compose.yaml": COMPOSE + "    env_file: nowhere.env\n"}, "warning"),
    ({"compose.dev.yaml": COMPOSE}, "warning"),
    ({"pod.yaml": POD.format("registry.example.com/api:1")}, "error"),
    ({"pod.yaml": POD.format("registry.example.com/other")}, "warning"),
    ({"pod.yaml": POD.format("example/other"), "build.sh": "docker build -t example/other:$TAG api\n"}, "error"),
    ({"deploy.sh": "gcloud run deploy api --source api --set-env-vars LOG_LEVEL=info\n"}, "error"),
    ({"deploy.sh": "gcloud run deploy api --source api --update-env-vars LOG_LEVEL=info\n"}, "warning"),
    ({"api/Procfile": "web: python main.py\n", "api/.env": "LOG_LEVEL=info\n"}, "error"),
    ({"api/Procfile": "web: python main.py\n"}, "warning"),
    ({"api/Procfile": "web: python main.py\njobs: python jobs.py\n", "api/.env": "A=b\n", "api/jobs.py": ""}, "error"),
    ({"api/app.yaml": "runtime: python312\nenv_variables:\n  LOG_LEVEL: info\n"}, "error"),
    ({"api/fly.toml": FLY}, "error"),
    ({"api/fly.toml": FLY, "api/main.py": READ.format("redis://localhost")}, "warning"),
    ({"render.yaml": RENDER.replace("name: api", "name: api, rootDir: api")}, "error"),
    ({"render.yaml": RENDER.replace("name: api", "name: api, rootDir: api").replace("}]", "}, {fromGroup: all}]")},
     "warning"),
])
def test_fallback_is_an_error_where_the_deployment_is_seen_to_lack_the_variable(files, level):
    project = {"api/main.py": READ.format("http://localhost:9000"), "api/Dockerfile": IMAGE} | files
    found = [f for f in report(project).findings if f.rule == "env-localhost-fallback"]
    assert [f.level for f in found] == [level]
    assert any(not step.place.path.endswith(".py") for step in found[0].steps) == (level == "error")


EXPOSED = "FROM python:3.12\nCOPY . .\nEXPOSE 80\nCMD "
LISTENING = [
    ("Dockerfile", EXPOSED + '["uvicorn", "m:a", "--host", "127.0.0.1", "--port=80"]\n'),
    ("Dockerfile", EXPOSED + "uvicorn m:a --host=localhost --port 80\n"),
    ("Dockerfile", EXPOSED + "gunicorn -b [::1]:80 m:a\n"),
    ("compose.yaml", "services:\n  a:\n    build: .\n    ports: [80]\n"
     "    command: [gunicorn, '-b', '127.0.0.1:80', m]\n"),
]


@pytest.mark.parametrize(("path", "text"), LISTENING)
def test_fix_makes_a_server_listen_everywhere_and_changes_nothing_else(path, text):
    project = {path: text} if path == "Dockerfile" else {path: text, "Dockerfile": "FROM python:3.12\nCOPY . .\n"}
    before = report(project)
    found = [f for f in before.findings if f.rule == "bind-loopback-in-container"]
    assert len(found) == 1 and found[0].fix is not None
    mended = applied(before.sources[path], found[0].fix.edits).decode()
    after = report(project | {path: mended})
    assert [f for f in after.findings if f.rule == "bind-loopback-in-container"] == []
    assert len(mended.split()) == len(text.split()) and len(after.findings) == len(before.findings) - 1


@pytest.mark.parametrize(("folder", "rows"), [
    ("", [""]), (".", [""]), ("a/b", ["a/b", "a", ""]), ("./a", ["./a", ""]), ("/", [""]), ("/a/b", ["/a/b", "/a", ""]),
    ("..", [""]), ("../x", ["../x", ""]), ("//", [""]), ("a/..", ["a/..", "a", ""]),
])
def test_every_folder_has_an_end_of_folders_above_it(folder, rows):
    assert list(above(folder)) == rows
