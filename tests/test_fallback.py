"""What addresses, stages and names say, and that the edits of the configuration rules do what they promise."""

from __future__ import annotations

import pytest

from connlint.checks.drift import meaning
from connlint.checks.wording import Wording
from connlint.project.address import HOLE, hosts, loopback, shown
from connlint.project.project import Project
from connlint.project.stage import Stages, words_of
from connlint.project.tree import MemoryTree
from connlint.project.values import values_of
from projects import FIXTURES, RULES, disagreements, report

# -- addresses --------------------------------------------------------------------------------------------------------

LOOPBACK = [
    ("localhost", "localhost"),
    ("LOCALHOST:5432", "localhost:5432"),
    ("127.0.1.1", "127.0.1.1"),
    ("::1", "[::1]"),
    ("[::1]:80", "[::1]:80"),
    ("0.0.0.0:8000", "0.0.0.0:8000"),
    ("host.docker.internal", "host.docker.internal"),
    ("http://api.localhost:80/x?y", "api.localhost:80"),
    ("//localhost:80/x", "localhost:80"),
    ("postgresql://user:p@ss@localhost:5432/app", "localhost:5432"),
    ("mongodb://db1:27017,localhost:27018/app", "localhost:27018"),
    ("jdbc:sqlserver://localhost:1433;databaseName=x", "localhost:1433"),
    ("jdbc:oracle:thin:@//localhost:1521/x", "localhost:1521"),
    ("mysql://user@tcp(localhost:3306)/app", "localhost:3306"),
    ("host=localhost dbname=app", "localhost"),
    ("Server=tcp:localhost,1433;Database=app", "localhost"),
    ("guest:guest@localhost:5672", "localhost:5672"),
    ("localhost:9092,localhost:9093", "localhost:9092"),
    (f"http://localhost:{HOLE}/v1", "localhost"),
    (f"http://{HOLE}:{HOLE}@localhost/app", "localhost"),
]
ELSEWHERE = [
    "", "db:5432", "https://api.example.com", "https://example.com/?next=http://localhost", "localhost.example.com",
    "mylocalhost", "sqlite:///localhost.db", "sqlite+aiosqlite:///localhost", "file://localhost/tmp",
    "127.0.0.1/8 and more", "unix:///var/run/localhost.sock", "noreply@localhost", "listening on localhost", f"http://{HOLE}:3000",
    "1.127.0.0", "0.0.0.0.example.com", "Ada:ada@localhost,Bob:bob@localhost",
    "console://localhost", "locmem://localhost",
]


@pytest.mark.parametrize(("text", "host"), LOOPBACK)
def test_loopback_is_found_in_every_way_to_write_an_address(text, host):
    assert str(loopback(text)) == host


@pytest.mark.parametrize("text", ELSEWHERE)
def test_other_addresses_and_sentences_are_not_loopback(text):
    assert loopback(text) is None, hosts(text)


def test_passwords_and_unknown_parts_are_not_shown():
    assert shown(f"redis://user:secret@localhost:{HOLE}/0") == "redis://user:***@localhost:…/0"
    assert len(shown("x" * 200)) == 60


@pytest.mark.parametrize(("one", "other", "same"), [
    ("https://API.example.com/", "https://api.example.com", True),
    ("postgres://db/app", "postgresql://DB/app", True),
    ("http://localhost:80", "http://127.0.0.1:80", True),
    ("http://localhost:80", "http://localhost", True),
    ("redis://cache:6379/0", "redis://cache", True),
    ("redis://cache:6379/1", "redis://cache:6379", False),
    ("postgres://db:5432/0", "postgresql://db/0", True),
    ("postgres://db:5432/0", "postgres://db:5432", False),
    ("postgresql+asyncpg://db/app", "postgresql://db/app", True),
    ("dbname=scans user=app password=pw host=db port=5432", "postgresql://app:pw@db:5432/scans", True),
    ("dbname=scans user=app host=db", "postgresql://app@db:5432/scans", True),
    ("dbname=scans host=db", "postgresql://db/other", False),
    ("dbname=scans host=db", "postgresql://other/scans", False),
    ("db:5432", "DB:5432", True),
    ("true", "True", True),
    ("http://a/B", "http://a/b", False),
    ("http://a", "https://a", False),
    ("10", "20", False),
    ("Admin", "admin", False),
])
def test_defaults_mean_the_same_or_not(one, other, same):
    assert (meaning(one) == meaning(other)) == same


# -- stages and names -------------------------------------------------------------------------------------------------


def stages() -> Stages:
    project = Project(MemoryTree({}), {}, {})
    return Stages(RULES.apis["stage"], values_of(project, RULES.apis))


@pytest.mark.parametrize(("path", "stage"), [
    ("src/app.py", "production"),
    ("src/agents/tools/search.py", "production"),
    ("app/recipes/models.py", "production"),
    ("lib/request.ts", "production"),
    ("src/latest.ts", "production"),
    ("src/tasks.py", "production"),
    ("knexfile.js", "production"),
    ("next.config.js", "production"),
    ("settings/production.py", "production"),
    ("tests/helpers.py", "test"),
    ("web/src/__e2e__/api.servertest.ts", "test"),
    ("src/app.test.tsx", "test"),
    ("src/app.spec.ts", "test"),
    ("pkg/test_app.py", "test"),
    ("pkg/app_test.py", "test"),
    ("conftest.py", "test"),
    ("cypress/support/login.ts", "test"),
    ("scripts/backfill.py", "tool"),
    ("scripts/conftest.py", "test"),
    ("legacy/deprecated_2025-01-30/consumer.py", "example"),
    ("legacy/consumer.py", "production"),
    ("scripts/test_album.py", "test"),
    ("tools/release.py", "tool"),
    ("vite.config.ts", "tool"),
    ("web/playwright.config.ts", "tool"),
    ("webpack.dev.js", "tool"),
    ("settings/local.py", "tool"),
    ("healthcheck.js", "tool"),
    ("examples/app/main.py", "example"),
    ("docs/conf.py", "example"),
    ("app/migrations/0001_initial.py", "migration"),
    ("tests_smoke/smoke/shared.py", "test"),
    ("shop/tests_browser.py", "test"),
    ("testkit/grid_testkit/config.py", "test"),
    ("tests_registry/client.py", "production"),
    ("app/tools/debug/dbg_jobs.py", "tool"),
])
def test_a_path_tells_the_stage(path, stage):
    assert stages().of_path(path) == stage


@pytest.mark.parametrize(("name", "default", "kind"), [
    ("HOST", "127.0.0.1", "listen"),
    ("HOST", "http://localhost:3000", ""),
    ("BIND_ADDR", "127.0.0.1:80", "listen"),
    ("SERVER_HOST", "0.0.0.0", "listen"),
    ("VITE_HOST", "localhost", "listen"),
    ("REDIS_HOST", "0.0.0.0", ""),
    ("DB_HOST", "localhost", ""),
    ("CORS_ORIGIN", "http://localhost", "allow"),
    ("OAUTH_REDIRECT_URI", "http://localhost", "allow"),
    ("APP_SUBDOMAIN", "localhost", "allow"),
    ("BACKEND_DOMAIN", "http://localhost", ""),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317", "agent"),
    ("COLLECT_URL", "http://localhost:4318", "agent"),
    ("FIRESTORE_EMULATOR_HOST", "localhost:8080", "agent"),
    ("API_URL", "http://localhost:8000", ""),
])
def test_a_name_tells_what_its_address_is_for(name, default, kind):
    wording = Wording(RULES.apis["wording"])
    host = loopback(default)
    said = [("listen", wording.listens(name, host, default)), ("allow", wording.allows(name, host)),
            ("agent", wording.agent(name, host))]
    assert [k for k, holds in said if holds] == ([kind] if kind else [])


def test_words_of_identifiers():
    assert words_of("DevelopmentConfig") == words_of("development_config") == ("development", "config")
    assert words_of("getDBHost2") == ("get", "db", "host", "2")


# -- edits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["shapes-python", "shapes-javascript"])
def test_every_edit_takes_its_finding_away_and_brings_no_other(folder):
    """All edits of a project at once: what had one is gone, what had none is still there, nothing new is said."""
    files = {p.relative_to(FIXTURES / "env-localhost-fallback" / folder).as_posix(): p.read_bytes()
             for p in (FIXTURES / "env-localhost-fallback" / folder).rglob("*") if p.is_file()}
    before = report(files)
    edits = [edit for f in before.findings if f.fix for edit in f.fix.edits]
    assert len(edits) >= 25
    changed = dict(files)
    for edit in sorted(set(edits), key=lambda e: e.place.at, reverse=True):
        data, (start, end) = changed[edit.place.path], edit.place.at
        changed[edit.place.path] = data[:start] + edit.text.encode() + data[end:]
    after = report(changed)
    assert after.problems == ()
    assert {f.symbol for f in after.findings} == {f.symbol for f in before.findings if not f.fix}


@pytest.mark.parametrize(("before", "after"), [
    ('import os\nurl = os.getenv("A_URL", "http://localhost")\n', 'import os\nurl = os.environ["A_URL"]\n'),
    ('from os import environ\nurl = environ.get("A_URL") or "http://localhost"\n',
     'from os import environ\nurl = environ["A_URL"]\n'),
    ('from decouple import config\nurl = config("A_URL", default="http://localhost")\n',
     'from decouple import config\nurl = config("A_URL")\n'),
    ('import os\nurl = os.getenv("A_URL") or os.getenv("B_URL") or "http://localhost"\n',
     'import os\nurl = os.getenv("A_URL") or os.environ["B_URL"]\n'),
    ('import os\nurl = os.getenv("A_URL", os.getenv("B_URL", "http://localhost"))\n', None),
])
def test_python_edits(before, after):
    (finding,) = report({"app.py": before}).findings
    if after is None:
        assert finding.fix is None
    else:
        assert finding.fix is not None and not finding.fix.safe
        (edit,) = finding.fix.edits
        data = before.encode()
        assert (data[: edit.place.at[0]] + edit.text.encode() + data[edit.place.at[1] :]).decode() == after


def test_the_last_of_several_operands_gives_way():
    text = "export const url = options.url ?? process.env.A_URL ?? process.env.B_URL ?? 'http://localhost';\n"
    (finding,) = report({"app.ts": text}).findings
    assert finding.fix is not None and not finding.fix.safe
    helper, edit = finding.fix.edits
    assert text[: edit.place.at[0]].endswith("A_URL ?? ")
    assert edit.text == "requireEnv('B_URL')"
    assert "function requireEnv(name: string)" in helper.text


# -- evidence ---------------------------------------------------------------------------------------------------------


def test_a_finding_names_every_variable_and_shows_where_the_default_stands():
    result = report({
        "app.ts": "import { LOCAL } from './constants';\n"
                  "export const url = process.env.A_URL || process.env.B_URL || LOCAL;\n",
        "constants.ts": "export const LOCAL = 'http://localhost:81';\n",
    })
    (finding,) = result.findings
    assert "A_URL and B_URL" in finding.message and "http://localhost:81" in finding.message
    assert [step.place.path for step in finding.steps] == ["app.ts", "constants.ts"]


def test_who_connects_is_who_reads_the_setting():
    settings = ("INSTALLED_APPS = ['shop']\nCELERY_BROKER_URL = 'redis://localhost:6379/0'\n"
                "CACHES = {'default': {'LOCATION': 'redis://localhost:6379/1'}}\n")
    messages = [f.message.split(" connects")[0] for f in report({"settings.py": settings}).findings]
    assert messages == ["celery", "django"]


@pytest.mark.parametrize("rule", ["env-localhost-fallback", "implicit-localhost-default", "hardcoded-loopback",
                                  "env-default-drift"])
def test_the_sieve_loses_nothing(rule):
    for folder in sorted((FIXTURES / rule).glob("*/")):
        assert disagreements(folder, sieve=False) == []
