"""Commands as starts: what is started, where it is looked for, and where it listens."""

from __future__ import annotations

import pytest

from connlint.checks.binding import _host
from connlint.languages.deployment.dockerfile import read_dockerfile
from connlint.languages.deployment.shell import read_commands
from connlint.model.source import Source
from connlint.project.grounds import Folder, Inside
from connlint.project.project import Project
from connlint.project.start import Start
from connlint.project.starts import Starts
from connlint.project.tree import MemoryTree
from projects import RULES


def start(text: str) -> Start | None:
    """The start that one command line is."""
    tree = MemoryTree({})
    starts = Starts(Project(tree, {}, {}), RULES.apis)
    command = read_commands(text.encode(), "run.sh")[-1]
    return starts.read(command, "run.sh", None, (Folder(tree, ""),), command.assignments, False)


@pytest.mark.parametrize(("command", "module", "attribute"), [
    ("uvicorn --reload --workers 4 shop.main:app --port 80", "shop.main", "app"),
    ("python -m uvicorn shop.main:app", "shop.main", "app"),
    ("poetry run gunicorn -w 4 -k gevent shop.wsgi", "shop.wsgi", None),
    ("gunicorn 'shop:create_app()'", "shop", "create_app"),
    ("hypercorn wsgi:shop:app", "shop", "app"),
    ("celery --app=shop.tasks worker -l info", "shop.tasks", None),
    ("celery -Ashop worker", "shop", None),
    ("FLASK_APP=shop/web.py flask run", "shop/web.py", None),
    ("flask --app shop:make run", "shop", "make"),
    ("arq shop.worker.Settings", "shop.worker", "Settings"),
    ("nodemon --watch src src/index.js --port 3", "src/index.js", None),
    ("npm run -s build -- --prefix x", "build", None),
    ("uvicorn $MODULE:app", None, None),
    ("uvicorn $OPTIONS", None, None),
    ("npm run build --prefix web", "build", None),
    ("npm run build --workspaces", None, None),
    ("pnpm --filter web build", "build", None),
    ("pnpm -r run build", None, None),
    ("pnpm exec tsx watch src/main.ts", "src/main.ts", None),
    ("yarn workspace web run build", "build", None),
    ("bun x tsx src/main.ts", "src/main.ts", None),
    ("uv run --frozen tools/load.py --all", "tools/load.py", None),
    ("node -e 'main.js'", None, None),
])
def test_target(command, module, attribute):
    target = start(command).target
    assert (getattr(target, "module", None), getattr(target, "attribute", None)) == (module, attribute)


@pytest.mark.parametrize(("command", "host"), [
    ("uvicorn m:a", "127.0.0.1"),
    ("uvicorn m:a --host=0.0.0.0", "0.0.0.0"),
    ("uvicorn m:a --host $HOST", None),
    ("uvicorn m:a --fd 3", None),
    ("UVICORN_HOST=:: uvicorn m:a", "::"),
    ("gunicorn -b127.0.0.1:80 m", "127.0.0.1"),
    ("gunicorn -b unix:/run/s m", None),
    ("gunicorn -b :80 -b 127.0.0.1:81 m", None),
    ("gunicorn -c conf.py m", None),
    ("PORT=80 gunicorn m", None),
    ("waitress-serve --listen=*:80 m:a", "*"),
    ("python manage.py runserver", "127.0.0.1"),
    ("python manage.py runserver [::]:80", "[::]"),
    ("fastapi run", "0.0.0.0"),
    ("vite", "localhost"),
])
def test_host(command, host):
    found = _host(start(command))
    assert (found and found[0]) == host


@pytest.mark.parametrize(("text", "words", "open_"), [
    ('HERE=$(cd "$(dirname "$0")" && pwd)\nnode "$HERE/tools/load.mjs"', ["node", "tools/load.mjs"], None),
    ("source .venv/bin/activate\npython load.py", ["python", "load.py"], None),
    ("source settings.sh\npython load.py", ["python", "load.py"], "settings.sh may set more"),
    ("command -v node", ["command", "-v", "node"], None),
    ("git checkout data || git switch -c data\npython load.py", ["python", "load.py"], "another branch may set more"),
    ("git pull\npython load.py", ["python", "load.py"], None),
])
def test_line_of_a_script(text, words, open_, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where connlint runs is none of the script's business
    command = read_commands(text.encode(), "setup.sh")[-1]
    assert ([word.value for word in command.words], command.open) == (words, open_)


DOCKERFILE = """FROM node:22 AS web
WORKDIR /web
COPY web/ .
FROM python:3.12 AS plain
WORKDIR /srv
COPY requirements.txt .
COPY api ./api
COPY *.py conf/*.toml /srv/conf/
COPY --from=web /web/static /srv/static
COPY --from=example/tools /bin/tool /srv/bin/
COPY --from=web /web/dist /web/server.js /srv/out/
COPY --from=web /web/main.js /web/lost.js /srv/
FROM example/base
WORKDIR /srv
COPY api ./api
"""


@pytest.mark.parametrize(("path", "stage", "answer"), [
    ("api/main.py", 1, "api/main.py"),
    ("/srv/api", 1, "api/"),
    ("requirements.txt", 1, "requirements.txt"),
    ("conf/top.py", 1, "top.py"),
    ("static/site.css", 1, "web/static/site.css"),
    ("api/gone.py", 1, "Missing"),
    ("static/gone.css", 1, "Missing"),
    ("bin/tool/x", 1, "Unknown"),
    ("out/main.js", 1, "Unknown"),
    ("main.js", 1, "web/main.js"),
    ("lost.js", 1, "Unknown"),
    ("/elsewhere/x", 1, "Unknown"),
    ("gone/main.py", 1, "Missing"),
    ("gone/main.py", 2, "Unknown"),
    ("api/main.py", 2, "api/main.py"),
    ("api/gone.py", 2, "Unknown"),
])
def test_path_in_an_image(path, stage, answer):
    files = ("Dockerfile", "requirements.txt", "api/main.py", "top.py", "conf/a.toml", "web/static/site.css",
             "web/main.js")
    tree = MemoryTree(dict.fromkeys(files, ""))
    image = read_dockerfile(Source.decode("Dockerfile", DOCKERFILE.encode()))
    ground = Inside(tree, "/srv", image, image.stages[stage], ".", (), frozenset({"python", "node"}))
    found = ground.find(path)
    assert getattr(found, "path", type(found).__name__) == answer
