"""The command as a user runs it: exit statuses, and one clear line for whatever is wrong with the input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import projects

FAULT = 'import os\nURL = os.getenv("API_URL", "http://localhost:8000")\n'


def connlint(*arguments: str, at: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the console script in ``at``; output is decoded as UTF-8."""
    return subprocess.run(
        [sys.executable, "-m", "connlint.cli", *arguments], cwd=at, capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "NO_COLOR": "1", **environment}, timeout=120,
    )


def write(at: Path, files: dict[str, str | bytes]) -> None:
    for name, text in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(("arguments", "files", "status", "says"), [
    (["check"], {"a.py": "x = 1\n"}, 0, ""),
    (["check"], {"a.py": FAULT}, 1, "env-localhost-fallback"),
    (["check", "--fail-on", "error"], {"a.py": FAULT}, 0, "env-localhost-fallback"),
    (["check", "--fail-on", "never"], {"a.py": FAULT}, 0, "env-localhost-fallback"),
    (["check", "--exit-zero", "--fail-on", "note"], {"a.py": FAULT}, 0, "env-localhost-fallback"),
    (["chekc"], {}, 2, "Did you mean 'check'?"),
    (["explain", "imports"], {}, 0, "missing-symbol"),
    (["explain", "import"], {}, 2, "did you mean 'imports'?"),
    (["check", "--ignore", "configuration"], {"a.py": FAULT}, 0, ""),
    (["check", "--select", "lifecycle"], {"a.py": FAULT}, 0, ""),
    (["check", "nowhere"], {}, 2, "nowhere: no such file or folder"),
    (["check", "--select", "env-localhost-fallbak"], {}, 2, "env-localhost-fallback"),
    (["check", "--colour"], {}, 2, "--colour"),
    (["check"], {"connlint.toml": "selekt = []\n"}, 2, "select"),
    (["check"], {"connlint.toml": "select = [\n"}, 2, "connlint.toml"),
    (["check"], {"connlint.toml": b"\xff\xfe\x00"}, 2, "connlint.toml"),
    (["check"], {"pyproject.toml": "[tool.connlint]\nfail-on = 3\n"}, 2, "fail-on"),
    (["explain", "missing-symbl"], {}, 2, "missing-symbol"),
    (["facts", "nowhere.py"], {}, 2, "nowhere.py"),
    (["check", "--output", "no/such/folder/out.sarif", "--format", "sarif"], {"a.py": FAULT}, 2, "no/such/folder"),
])
def test_exit_status_and_words(tmp_path, arguments, files, status, says):
    write(tmp_path, files)
    done = connlint(*arguments, at=tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if status == 2:
        assert len(done.stderr.strip().splitlines()) <= 4


BAD_INPUT: dict[str, bytes] = {
    "latin.py": '# -*- coding: latin-1 -*-\nNAME = "é"\n'.encode("latin-1") + FAULT.encode(),
    "crlf.py": FAULT.replace("\n", "\r\n").encode(),
    "bom.py": b"\xef\xbb\xbf" + FAULT.encode(),
    "nul.py": b"x = 1\n\0\n" + FAULT.encode(),
    "invalid.py": b"x = '\xff\xfe'\n" + FAULT.encode(),
    "broken.py": b"def f(:\n    pass\n\n" + FAULT.encode(),
    "deep.py": b"x = " + b"(" * 20_000 + b")" * 20_000 + b"\n" + FAULT.encode(),
    "nested.py": b"".join(b" " * n + b"if localhost:\n" for n in range(900)) + b" " * 900 + b"pass\n",
    "unknown.py": b"# coding: no-such-thing\n" + FAULT.encode(),
    "empty.py": b"",
    "broken.ts": b"const x: = localhost;\nconst url = process.env.A_URL || 'http://localhost:81';\n",
    "deep.js": b"const localhost = " + b"[" * 20_000 + b"]" * 20_000 + b";\n",
    "nul.js": b"\0\0const localhost = process.env.X_URL || 'http://localhost:81';\n",
    "invalid.js": b"\xff\xfeconst localhost = 1;\n",
    "binary.ts": bytes(range(256)) * 40 + b"localhost process.env setInterval",
    "half.vue": b"<script setup lang='ts'>\nconst u = import.meta.env.VITE_API_URL || 'http://localhost:3000'\n",
}


# Nothing to say about these: one is empty, one holds no fault, and two are one long line, as minified code is.
SET_ASIDE = ("empty.py", "nested.py", "deep.py", "deep.js")


def test_the_help_of_every_command_has_an_example(tmp_path):
    from connlint.cli import COMMANDS

    for name in COMMANDS:
        out = connlint(name, "--help", at=tmp_path).stdout
        assert "Example" in out and f"  connlint {name}" in out, name


@pytest.mark.parametrize("name", BAD_INPUT)
def test_odd_bytes_end_in_a_report(tmp_path, name):
    write(tmp_path, {name: BAD_INPUT[name], "sound.py": FAULT})
    done = connlint("check", "--format", "sarif", at=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    log = json.loads(done.stdout)
    flagged = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in log["runs"][0]["results"]}
    noted = {n["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
             for n in log["runs"][0]["invocations"][0].get("toolExecutionNotifications", ())}
    assert "sound.py" in flagged, "one bad file never stops the others"
    assert name in flagged | noted or name in SET_ASIDE, "a file is checked, or the report says it was not"


def test_files_that_cannot_be_opened(tmp_path):
    write(tmp_path, {"sound.py": FAULT})
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "gone.py").symlink_to("nothing.py")
    os.mkfifo(tmp_path / "pipe.py")
    done = connlint("check", at=tmp_path)
    assert done.returncode == 1 and "sound.py" in done.stdout, done.stderr


def test_a_vanished_file_is_no_fault(tmp_path):
    write(tmp_path, {"a.py": FAULT, "b.py": FAULT})
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "b.py").unlink()
    done = connlint("check", "--verbose", at=tmp_path)
    assert done.returncode == 1 and "b.py" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("name", "row"), [
    ("long.py", "x = 1; y = 2; z = 3\n"), ("long.js", "x = 1\n"), ("long.ts", "x = 1;\n"),
])
def test_long_files_are_read(tmp_path, name, row):
    fault = FAULT if name.endswith("py") else "export const url = process.env.API_URL || 'http://localhost:81';\n"
    write(tmp_path, {name: row * 200_000 + fault, "huge.js": b"localhost;" * 2_000_000})
    done = connlint("check", "--verbose", at=tmp_path)
    assert "env-localhost-fallback" in done.stdout and "huge.js" in done.stdout, done.stdout + done.stderr


def test_named_files_limit_what_is_reported_not_what_is_read(tmp_path):
    write(tmp_path, {"a.py": "from b import gone\n", "b.py": FAULT})
    done = connlint("check", "a.py", "--format", "concise", at=tmp_path)
    assert "a.py:1" in done.stdout and "b.py:2" not in done.stdout


@pytest.mark.slow
def test_two_runs_and_any_number_of_workers_say_the_same(tmp_path):
    write(tmp_path, {f"pkg{n}/m{i}.py": FAULT + "from m1 import zzz\n" for n in range(8) for i in range(50)})
    runs = {connlint("check", "--format", "concise", "-j", jobs, "-q", at=tmp_path).stdout for jobs in "1232"}
    assert len(runs) == 1 and len(runs.pop().splitlines()) >= 400


@pytest.mark.parametrize(("text", "runs"), [
    ("import logging\nlog = logging.getLogger()\ndef f():\n    make()\n", False),
    ("from ours import make\ndef f():\n    make()\n", False),
    ("from ours import make\npool = make()\n", True),
    ("import ours\nif True:\n    pool = ours.make()\n", True),
    ("from ours import make as m\nclass A:\n    pool = m()\n", True),
    ("from ours import task\n@task\ndef f():\n    pass\n", True),
    ("def make():\n    pass\nmake()\n", True),
    ("from pkg import part\npart.run()\n", True),
])
def test_loading_a_file_runs_code_of_the_project(tmp_path, text, runs):
    from connlint.discover import select
    from connlint.project.loading import runs_ours
    from connlint.session import Linkers

    (tmp_path / "pkg").mkdir()
    for name in ("ours.py", "pkg/__init__.py", "pkg/part.py"):
        (tmp_path / name).write_text("def make(): ...\n")
    (tmp_path / "one.py").write_text(text)
    linker = Linkers(select((tmp_path,), tmp_path).tree)["python"]
    assert runs_ours(linker, "one.py", text.encode()) is runs


def test_notebooks_are_read_on_request(tmp_path):
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": [
        "import os\n", "url = os.environ.get('DATABASE_URL', 'postgres://localhost:5432/x')\n"]}]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "book.ipynb").write_text(json.dumps(book, indent=1))
    quiet = connlint("check", ".", at=tmp_path)
    assert (quiet.returncode, "env-localhost-fallback" in quiet.stdout) == (0, False)
    asked = connlint("check", ".", "--notebooks", "--format", "concise", at=tmp_path)
    line = next(i for i, row in enumerate((tmp_path / "book.ipynb").read_text().splitlines(), 1) if "environ" in row)
    assert asked.returncode == 1
    assert asked.stdout.startswith(f"book.ipynb:{line}:")


def test_rules_of_the_projects_own_are_listed_and_explained(tmp_path):
    card = (Path(__file__).parents[1] / "rules" / "handle-not-closed.md").read_text(encoding="utf-8")
    write(tmp_path, {"connlint.toml": 'rules = ["own"]\n', "own/my-rule.md": card})
    assert "my-rule" in connlint("rules", at=tmp_path).stdout
    assert connlint("explain", "my-rule", at=tmp_path).stdout.startswith("# my-rule")


def test_output_that_is_no_plain_file(tmp_path):
    write(tmp_path, {"a.py": FAULT})
    inside_a_file = connlint("check", "-o", "a.py/report", at=tmp_path)
    assert inside_a_file.returncode == 2 and inside_a_file.stderr == (
        "connlint: a.py/report: cannot be written: not a directory\n")
    if Path("/dev/stdout").exists():
        piped = connlint("check", "-q", "-o", "/dev/stdout", "--format", "concise", at=tmp_path)
        assert piped.returncode == 1 and piped.stdout.startswith("a.py:2:7: warning"), piped.stderr
    if Path("/dev/full").exists():
        for command in (["check"], ["rules"], ["explain", "imports"], ["completion", "bash"]):
            with Path("/dev/full").open("wb") as full:
                done = subprocess.run([sys.executable, "-m", "connlint.cli", *command], cwd=tmp_path, stdout=full,
                                      stderr=subprocess.PIPE, encoding="utf-8", check=False, timeout=120)
            assert done.returncode == 2
            assert done.stderr == "connlint: standard output: cannot be written: no space left on device\n"
        done = connlint("baseline", "-o", "/dev/full", at=tmp_path)
        assert done.returncode == 2
        assert done.stderr == "connlint: /dev/full: cannot be written: no space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="no shell that closes a stream, and no folder that goes under our feet")
def test_started_without_an_output_or_a_folder(tmp_path):
    write(tmp_path, {"a.py": FAULT, "gone/b.py": FAULT})

    def shell(script: str) -> tuple[int, str]:
        run = f'"{sys.executable}" -m connlint.cli'
        done = subprocess.run(["sh", "-c", script.replace("connlint", run)], cwd=tmp_path, stderr=subprocess.PIPE,
                              encoding="utf-8", check=False, timeout=120)
        return done.returncode, done.stderr

    assert shell("connlint check >&-") == (1, "")
    assert shell("connlint check >&- 2>&-") == (1, "")
    assert shell('cd gone; rm -r "$PWD"; connlint check') == (
        2, "connlint: the current folder is not there any more\n")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read and write everything")
def test_what_the_user_may_not_read_or_write(tmp_path):
    write(tmp_path, {"a.py": FAULT, "closed.py": FAULT, "report.txt": "kept"})
    (tmp_path / "closed.py").chmod(0)
    (tmp_path / "report.txt").chmod(0o444)
    done = connlint("check", "a.py", at=tmp_path)
    assert done.returncode == 1 and "closed.py" not in done.stdout
    done = connlint("check", at=tmp_path)
    assert done.returncode == 1 and "a.py" in done.stdout and "closed.py: permission denied" in done.stdout
    done = connlint("check", "a.py", "closed.py", at=tmp_path)
    assert done.returncode == 2 and done.stderr == "connlint: closed.py: cannot be read (permission denied)\n"
    done = connlint("check", "-o", "report.txt", at=tmp_path)
    assert done.returncode == 2 and "report.txt: cannot be written: permission denied" in done.stderr
    assert (tmp_path / "report.txt").read_text() == "kept"


def test_every_format_says_what_could_not_be_read_and_where(tmp_path):
    write(tmp_path, {"a.py": FAULT, "b.ts": 'const a = process.env.A_URL || "http://localhost:81";\nclass { < > \n'})
    assert "b.ts: line 2: unexpected text" in connlint("check", at=tmp_path).stdout
    for format_ in ("concise", "github"):
        assert "1 file not read in full" in connlint("check", "--format", format_, at=tmp_path).stdout
    done = connlint("check", "--format", "gitlab", "-o", "out.json", at=tmp_path)
    assert "1 file not read in full; written to out.json" in done.stderr


@pytest.mark.parametrize(("name", "text"), [
    ("a.py", FAULT), ("a.js", "const url = process.env.API_URL || 'http://localhost:8000';\nfetch(url);\n")])
def test_wide_characters_pass_the_sieve(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode("utf-16"))
    ran = connlint("check", "--format", "concise", at=tmp_path)
    assert ran.stdout.startswith(f"{name}:{2 if name == 'a.py' else 1}:") and ran.returncode == 1


@pytest.mark.parametrize(("check", "other"), [
    ("connlint.checks.fallback.check", "missing-symbol"), ("connlint.checks.containers.check", "missing-symbol"),
    ("connlint.checks.symbols.faults", "env-localhost-fallback")])
def test_a_check_that_fails_takes_nothing_from_the_others(monkeypatch, check, other):
    """It is said, the run counts as failed, and what the other checks found stands."""
    def broken(*_arguments):
        raise KeyError("no such thing")

    monkeypatch.setattr(check, broken)
    files = {"app.py": "import os\nfrom tables import missing\nURL = os.getenv('API_URL', 'http://localhost:8000')\n",
             "tables.py": "present = 1\n", "compose.yaml": "services:\n  a:\n    image: b\n"}
    found = projects.report(files)
    assert other in {f.rule for f in found.findings} and not found.complete and found.status == 2
    assert sorted({problem.kind for problem in found.problems}) == ["internal"]


def test_the_readme_shows_what_the_demo_prints():
    root = Path(__file__).parent.parent
    block = (root / "README.md").read_text("utf-8").partition("$ make demo\n")[2].partition("```")[0]
    printed = " ".join(connlint("check", "shop", "--no-cache", at=root).stdout.split())
    for part in block.split("  …\n"):
        assert " ".join(part.split()) in printed
