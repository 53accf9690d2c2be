"""``connlint init`` and ``connlint completion``: what they write, and that it is of use."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from connlint import cards, config, starter
from test_cli import connlint, write

SETTINGS = starter.configuration(starter.inventory([]), "tool.connlint")


def test_what_is_there() -> None:
    found = starter.inventory([
        "a.py", "b.pyi", "c.py", "web/x.ts", "web/x.d.ts", "web/y.vue", "node_modules/z/i.js", "dist/i.js", "n.ipynb",
        "compose.yaml", "api/Dockerfile", "Procfile", "README.md", "ci.yml", "run.sh",
    ])
    assert str(found) == (
        "2 Python files, 1 TypeScript file, 1 Vue file, 1 Procfile, 1 Dockerfile, 1 compose file")
    assert found.notebooks == 1 and str(starter.inventory(["a.txt"])) == "nothing that connlint reads"


@pytest.mark.parametrize("header", ["", "tool.connlint"])
def test_the_settings_can_be_read_and_so_can_what_is_left_out_of_them(tmp_path: Path, header: str) -> None:
    text = starter.configuration(starter.inventory(["n.ipynb"]), header, "known.json")
    bare = "\n".join(line.removeprefix("# ") for line in text.splitlines() if line != "# Settings of connlint")
    path = tmp_path / ("pyproject.toml" if header else "connlint.toml")
    for written in (text, bare):
        path.write_text(written)
        read = config.load(tmp_path)
        config.validate(read, cards.load())
        assert read.origin == path and read.baseline == tmp_path / "known.json"
    assert read.exclude and read.ignore and read.require_reason and read.notebooks and read.per_file_ignores


@pytest.mark.parametrize("old", [
    "", "\n", "[project]\nname = 'x'\n", "[project]\nname = 'x'", "[project]\r\nname = 'x'\r\n",
    "[tool.ruff]\nline-length = 9\n[tool.connlintish]\na = 1\n",
    "[tool.connlint]\nignore = []\n[project]\nname = 'x'\n",
    "# ours\n[tool.connlint]\n[tool.connlint.levels]\nimports = 'off'\n\n[tool.ruff]\nselect = [\n['E'],\n]\n",
    '[ "tool" . ruff ]\na = 1\n[ tool . "connlint" ]\nignore = []\n',
])
def test_the_rest_of_a_pyproject_stays(old: str) -> None:
    new = starter.in_pyproject(old, SETTINGS)
    assert tomllib.loads(new)["tool"]["connlint"] == {"fail-on": "warning"}
    before, after = tomllib.loads(old), tomllib.loads(new)
    for table in (before, after):
        table.setdefault("tool", {}).pop("connlint", None)
    assert before == after
    assert ("\r\n" in old) is ("\r\n" in new) and not new.startswith("\n")
    assert starter.in_pyproject(new, SETTINGS) == new, "a second time changes nothing"
    assert starter.has_settings(new)


@pytest.mark.parametrize("old", ["tool = {}\n", "[project\n", "[tool]\nconnlint = 3\n"])
def test_a_pyproject_that_cannot_take_them_is_left_alone(tmp_path: Path, old: str) -> None:
    write(tmp_path, {"pyproject.toml": old})
    done = connlint("init", "--force", at=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("connlint: pyproject.toml: "), done.stderr
    assert done.stderr.count("\n") == 1 and (tmp_path / "pyproject.toml").read_text() == old
    assert connlint("init", "--force", "--toml", at=tmp_path).returncode == 0


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    write(tmp_path, {"connlint.toml": "ignore = []\n", "pyproject.toml": "[project]\n", "sub/a.py": "x = 1\n"})
    for arguments, at, says in (
        ((), tmp_path, "connlint.toml holds the settings for this folder"),
        (("--toml",), tmp_path, "connlint.toml has settings already"),
        ((), tmp_path / "sub", f"{tmp_path / 'connlint.toml'} holds the settings for this folder"),
    ):
        done = connlint("init", *arguments, at=at)
        assert done.returncode == 2 and done.stderr.startswith(f"connlint: {says}"), done.stderr
        shown = connlint("init", "--dry-run", *arguments, at=at)
        assert shown.returncode == 0 and "would hold" in shown.stdout
    assert (tmp_path / "connlint.toml").read_text() == "ignore = []\n"
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\n" and not (tmp_path / "sub/connlint.toml").exists()


def test_a_project_with_findings_begins_clean(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": 'import os\nURL = os.getenv("API_URL", "http://localhost:8000")\n',
                     "pyproject.toml": "[project]\nname = 'x'\n", ".gitlab-ci.yml": ""})
    done = connlint("init", "--baseline", at=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith(
        "Found 1 Python file.\nWrote the findings of today to .connlint-baseline.json; commit it.\n"
        "Wrote [tool.connlint] to pyproject.toml.\n")
    assert "codequality:" in done.stdout
    done = connlint("check", at=tmp_path)
    assert done.returncode == 0 and "1 in the baseline" in done.stdout


ORIGINS = [starter.Origin("1.2.3"), starter.Origin("1.2.3", is_checkout=True),
           starter.Origin("1.2.3", "https://git.example.org/c.git", "v1.2.3")]


@pytest.mark.parametrize("origin", ORIGINS, ids=["installed", "from a folder", "from a repository"])
def test_what_is_to_be_pasted_can_be_read(tmp_path: Path, origin: starter.Origin) -> None:
    from pre_commit.clientlib import load_config

    path = tmp_path / ".pre-commit-config.yaml"
    path.write_text("repos:\n" + starter.hook(origin))
    [repository] = load_config(path)["repos"]
    assert (repository["repo"], repository.get("rev")) == (
        (origin.repository, origin.revision) if origin.repository else ("local", None))
    steps = yaml.safe_load(starter.github_workflow(origin))["jobs"]["connlint"]["steps"]
    scripts = [[step["run"] for step in steps if "run" in step],
               yaml.safe_load(starter.gitlab_job(origin))["connlint"]["script"]]
    for install, check in scripts:
        assert install == f'pip install "{origin.requirement}"'
        done = connlint(*check.split()[1:], at=tmp_path)
        assert done.returncode == 0 and not done.stderr.startswith(("connlint:", "Usage")), done.stderr


def test_where_it_was_installed_from(monkeypatch: pytest.MonkeyPatch) -> None:
    from connlint.cli.init import _origin

    class Distribution:
        text: str | None = None

        def read_text(self, name: str) -> str | None:
            return self.text

    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution)
    monkeypatch.setattr(Distribution, "read_text", lambda name: Distribution.text)
    for held, repository in ((None, ""), ({"url": "file:///c", "dir_info": {}}, ""), (
            {"url": "https://git.example.org/c", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "https://git.example.org/c")):
        Distribution.text = held and json.dumps(held)
        assert _origin().repository == repository
    assert _origin().revision == "abc"


# -- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_the_script(tmp_path: Path, shell: str) -> None:
    script = connlint("completion", shell, at=tmp_path).stdout
    assert "_CONNLINT_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, capture_output=True)


@pytest.mark.parametrize(("words", "offered"), [
    ("connlint ch", "check"), ("connlint check --for", "--format"), ("connlint check --format g", "github"),
    ("connlint explain missing-s", "missing-symbol"), ("connlint check --select life", "lifecycle"),
    ("connlint check --ignore missing-symbol,env-d", "missing-symbol,env-default-drift"),
])
def test_what_is_completed(tmp_path: Path, words: str, offered: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("connlint")], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"_CONNLINT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))},
    )
    assert f"plain,{offered}" in done.stdout.splitlines(), done.stdout + done.stderr
