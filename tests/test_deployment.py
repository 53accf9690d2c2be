"""The code and its deployment together: how grave a finding is, whether a fix holds, and files that mean no good."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from connlint.languages.deployment.files import read_deployment
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
    ({"compose.yaml": COMPOSE.replace("LOG_LEVEL", "STORE_URL")}, "note"),
    ({"compose.yaml": COMPOSE + "    env_file: nowhere.env\n"}, "warning"),
    ({"compose.dev.yaml": COMPOSE}, "warning"),
    # a program of its own in the same folder, which the service does not start
    ({"compose.yaml": COMPOSE, "api/main.py": "#!/usr/bin/env python\n" + READ.format("http://localhost:9000"),
      "api/Dockerfile": IMAGE.replace("main.py", "server.py"), "api/server.py": ""}, "warning"),
    ({"compose.yaml": COMPOSE, "api/main.py": "#!/usr/bin/env python\n" + READ.format("http://localhost:9000")},
     "error"),
    ({"pod.yaml": POD.format("registry.example.com/api:1")}, "error"),
    ({"pod.yaml": POD.format("registry.example.com/other")}, "warning"),
    ({"pod.yaml": POD.format("example/other"), "build.sh": "docker build -t example/other:$TAG api\n"}, "error"),
    ({"deploy.sh": "gcloud run deploy api --source api --set-env-vars LOG_LEVEL=info\n"}, "error"),
    ({"deploy.sh": "gcloud run deploy api --source api --update-env-vars LOG_LEVEL=info\n"}, "warning"),
    ({"api/Procfile": "web: python main.py\n", "api/.env": "LOG_LEVEL=info\n"}, "error"),
    ({"api/Procfile": "web: python main.py\n"}, "warning"),
    ({"api/Procfile": "web: python main.py\njobs: python jobs.py\n", "api/.env": "A=b\n", "api/jobs.py": ""}, "error"),
    ({"api/app.yaml": "runtime: python312\nenv_variables:\n  LOG_LEVEL: info\n"}, "error"),
    ({"api/fly.toml": FLY + "MAIL_URL = 'https://mail.example.com'\n"}, "error"),
    ({"api/fly.toml": FLY}, "warning"),
    ({"api/fly.toml": FLY + "MAIL_URL = 'https://mail.example.com'\n",
      "api/main.py": READ.format("redis://localhost")}, "warning"),
    ({"render.yaml": RENDER.replace("name: api", "name: api, rootDir: api")}, "error"),
    ({"render.yaml": RENDER.replace("name: api", "name: api, rootDir: api").replace("}]", "}, {fromGroup: all}]")},
     "warning"),
])
def test_fallback_is_an_error_where_the_deployment_is_seen_to_lack_the_variable(files, level):
    project = {"api/main.py": READ.format("http://localhost:9000"), "api/Dockerfile": IMAGE} | files
    found = [f for f in report(project).findings if f.rule == "env-localhost-fallback"]
    assert [f.level for f in found] == [level]
    assert any(not step.place.path.endswith(".py") for step in found[0].steps) == (level != "warning")


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


@pytest.mark.parametrize(("command", "mended"), [
    ('["flask", "--app", "app", "run"]', '["flask", "--app", "app", "run", "--host", "0.0.0.0"]'),
    ("flask --app app run -p 5000", "flask --app app run --host 0.0.0.0 -p 5000"),
    ('["gunicorn", "app:app"]', '["gunicorn", "app:app", "--bind", "0.0.0.0:8000"]'),
])
def test_fix_tells_a_server_where_it_reads_the_option(command, mended):
    text = EXPOSED.replace("80", "8000" if "gunicorn" in command else "5000") + command + "\n"
    before = report({"Dockerfile": text, "app.py": "app = object()\n"})
    found = [f for f in before.findings if f.rule == "bind-loopback-in-container"]
    assert len(found) == 1 and found[0].fix is not None
    assert applied(before.sources["Dockerfile"], found[0].fix.edits).decode() == text.replace(command, mended)


# -- files that mean no good -------------------------------------------------------------------------------------------


def growing(names: str, row: str, first: str) -> str:
    """Anchors of which each holds ten of the one before."""
    rows = [f"{names}0: &{names}0 {first}"]
    rows += [f"{names}{i}: &{names}{i} " + row.replace("*", f"*{names}{i - 1}") for i in range(1, 12)]
    return "\n".join(rows) + "\n"


STEPS = ", ".join(["*"] * 10)
HOSTILE: dict[str, tuple[str | bytes, str | None]] = {
    "laughs/compose.yaml": (growing("a", f"[{STEPS}]", "[x]") + "services: {a: {environment: *a11, command: *a11}}\n",
                            None),
    "maps/compose.yaml": (growing("b", "{a: *, b: *, c: *, d: *, e: *, f: *}", "{A: x}") + "services: *b11\n", None),
    "merges/compose.yaml": (growing("c", f"{{<<: [{STEPS}]}}", "{A: x}") + "services: {a: {environment: {<<: *c11}}}\n",
                            None),
    "itself/compose.yaml": ("services: &s\n  a: &a\n    environment: &e {X: y, <<: *e}\n    self: *a\n  b: *s\n", None),
    "listed/compose.yaml": ("services: {a: {command: &c [a, *c], env_file: &f [x, *f], environment: &l [A=b, *l]}}\n",
                            None),
    "round/compose.yaml": ("services: {a: {extends: {service: b}}, b: {extends: {service: a}}}\n", None),
    "deep/compose.yaml": ("services: " + "[" * 600_000, "nested too deeply"),
    "compact/compose.yaml": ("services:\n" + "- " * 400_000 + "a\n", "nested too deeply"),
    "large/deploy.yaml": ("apiVersion: v1\nkind: List\nitems:\n" + "- {kind: Pod, metadata: {name: a}}\n" * 310_000,
                          "larger than 2 MB"),
    "tabs/compose.yaml": ("services:\n\ta:\n\t\timage: x\n", "line 2: found character"),
    "twice/compose.yaml": ("services:\n  a:\n    image: x\n    image: y\n", "line 4: the key 'image' stands twice"),
    "twice/pod.yaml": ("apiVersion: v1\nkind: Pod\nkind: Job\n", "line 3: the key 'kind' stands twice"),
    "zero/compose.yaml": (b"services:\n  a\x00: b\n", ""),
    "texts/compose.yaml": ("- 1\n---\ntext\n---\n4\n---\nservices: 7\n---\nservices: [a]\n---\nservices: {3: [x]}\n",
                           None),
    "texts/pod.yaml": ("apiVersion: v1\nkind: [Pod]\nspec: {containers: {a: b}}\n---\napiVersion: v1\nkind: Pod\n"
                       "spec: {containers: [1, {env: x, ports: y, command: z, envFrom: 3}]}\n", None),
    "texts/render.yaml": ("services: text\n---\nservices: [1, {envVars: 3, name: [x]}]\n", None),
    "texts/fly.toml": ("app = [1]\nenv = 3\nprocesses = 'x'\n", None),
    "texts/railway.json": ("[1, 2]", None),
    "texts/vercel.json": ('{"env": [1], "name": {}}', None),
    "texts/serverless.yml": ("provider: 1\nfunctions: x\nservice: [a]\n---\nprovider: {environment: [1]}\n"
                             "functions: [1]\n", None),
    "texts/apprunner.yaml": ("runtime: [1]\nrun: {env: x, network: 3, command: [a]}\n", None),
    "texts/taskdef.json": ('{"containerDefinitions": [1, {"name": []}, {"name": "a", "environment": 3, '
                           '"dependsOn": 4}]}', None),
    "deep/taskdef.json": ("[" * 600_000, "nested too deeply"),
    "growth/Dockerfile": ("FROM a\nENV A=xxxxxxxxxx\n" + "ENV A=$A$A$A$A$A$A$A$A$A$A\n" * 12 + "CMD $A\n", None),
    "growth/deploy.sh": ("A=xxxxxxxxxx\n" + "A=$A$A$A$A$A$A$A$A$A$A\n" * 12 + "uvicorn $A\n", None),
    "long/Dockerfile": ("FROM a\nRUN a \\\n" + "b \\\n" * 100_000, None),
    "nested/deploy.sh": ("$(" * 20_000, None),
}


@pytest.mark.parametrize("path", HOSTILE)
def test_what_is_no_good_deployment_file_is_said_in_a_line(path):
    text, line = HOSTILE[path]
    data = text.encode() if isinstance(text, str) else text
    found = read_deployment(path, data, lambda other: data if other == path else None)
    assert found is not None and (found.problems == () if line is None else found.problems[0].startswith(line)), found
    assert all("\n" not in problem and len(problem) < 200 for problem in found.problems)


def test_files_that_mean_no_good_neither_hang_nor_fill_the_memory(tmp_path: Path):
    for path, (text, _) in HOSTILE.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(text.encode() if isinstance(text, str) else text)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))

    command = [sys.executable, "-c", "from connlint.cli import main; main()", "check", "--jobs", "1", "."]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, preexec_fn=limited,
                         check=False)
    said = [path for path, (_, line) in HOSTILE.items() if line]
    assert f"Could not read {len(said) + 1} files in full:" in ran.stdout + ran.stderr
    assert ran.returncode in (0, 1) and "checked 0 files" in ran.stdout + ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr and "connlint itself failed" not in ran.stdout + ran.stderr, ran.stderr


def test_a_comment_in_a_deployment_file_that_covers_nothing_is_said():
    compose = "services:\n  a:\n    image: x  # connlint: ignore[port-mismatch]\n"
    found = report({"compose.yaml": compose, "notes.yaml": "a: b  # connlint: ignore[port-mismatch]\n"}).findings
    assert [(f.rule, f.place.path) for f in found] == [("unused-suppression", "compose.yaml"),
                                                       ("unused-suppression", "notes.yaml")]


def test_a_deployment_file_that_cannot_be_read_is_a_problem_of_the_report():
    found = report({"compose.yaml": "services:\n\ta: b\n"}).problems
    said = "line 2: found character that cannot start any token"
    assert [(p.path, p.message) for p in found] == [("compose.yaml", said)]
