"""The project as others use it: as a hook of pre-commit, and as an action of a GitHub workflow."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from connlint.discover import CODE
from connlint.reporters import FORMATS

ROOT = Path(__file__).parents[1]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

FAULT = 'import os\n\nURL = os.getenv("ORDERS_URL", "http://localhost:9000")\n'
"""What every version of connlint reports: an address variable with a loopback default."""
RULE = "env-localhost-fallback"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the same fault in two files, and a file without one."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in {"named.py": FAULT, "other.py": FAULT, "clean.py": "import os\n"}.items():
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "init")
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "all")
    return folder


# -- hooks ------------------------------------------------------------------------------------------------------------


def test_the_manifest() -> None:
    from pre_commit.clientlib import load_manifest

    assert [hook["id"] for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))] == ["connlint", "connlint-all"]
    for hook in HOOKS.values():
        assert hook["require_serial"] and hook["minimum_pre_commit_version"] == "3.2.0"
        assert "pre-commit" in hook["stages"] and "pre-push" in hook["stages"]
    assert HOOKS["connlint-all"]["pass_filenames"] is False and "pass_filenames" not in HOOKS["connlint"]


@pytest.mark.parametrize(("path", "wanted"), [
    *((f"src/a{suffix}", True) for suffix in CODE if suffix != ".pyi"),
    ("Dockerfile", True), ("api/Dockerfile.prod", True), ("api/prod.Dockerfile", True), ("Containerfile", True),
    ("docker-compose.yml", True), ("deploy/k8s/api.yaml", True), ("Procfile", True), ("Procfile.dev", True),
    (".env", True), (".env.production", True), ("web/.env.local", True), ("fly.toml", True), ("package.json", True),
    ("start.sh", True), ("api.service", True), (".github/workflows/ci.yml", True), ("tsconfig.json", True),
    ("README.md", False), ("logo.png", False), ("types/a.d.ts", False), ("web/app.min.js", False),
    ("package-lock.json", False), ("web/node_modules/x/i.js", False), ("environment.py", True), ("notdocker", False),
])
def test_files_of_the_hooks(path: str, wanted: bool) -> None:
    for hook in HOOKS.values():
        found = re.search(hook["files"], path) is not None and re.search(hook["exclude"], path) is None
        assert found is wanted, hook["id"]


@pytest.mark.slow
def test_pre_commit_runs_the_hooks(project: Path, tmp_path: Path) -> None:
    """Really installed from this checkout: the first hook reports on the files it gets, the second on all."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git repository: THE HOOKS ARE NOT TRIED")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "--verbose", "--color", "never",
         "--files", "named.py", "clean.py"],
        cwd=project, capture_output=True, text=True, check=False, timeout=540,
        env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "NO_COLOR": "1"},
    )
    first, second, all_of_it = done.stdout.partition("connlint (whole project)")
    assert done.returncode == 1, done.stdout + done.stderr
    assert second, done.stdout
    hook = first[first.rindex("connlint."):]
    assert "Failed" in hook and RULE in hook and "named.py" in hook, first
    assert "other.py" not in hook, "only the files that were named are reported on"
    assert "Failed" in all_of_it and all_of_it.count(RULE) == 2 and "other.py" in all_of_it, all_of_it


# -- action -----------------------------------------------------------------------------------------------------------


def step(name: str) -> dict[str, Any]:
    [only] = [s for s in ACTION["runs"]["steps"] if s.get("id") == name]
    return only


def run_step(name: str, folder: Path, values: dict[str, str]) -> tuple[subprocess.CompletedProcess[str],
                                                                      dict[str, str]]:
    """Run a shell step as the runner does: expressions of its ``env`` filled in, ``bash -e -o pipefail`` on a file.

    Gives the finished process and the step's outputs.
    """
    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: values[found[1]], text)

    for variable in step(name)["env"].values():
        assert re.fullmatch(r"\$\{\{ [\w.-]+ \}\}", variable), "inputs reach the shell as variables, never as text"
    assert "${{" not in step(name)["run"]
    output, script = folder / f"{name}.out", folder / f"{name}.sh"
    output.write_text("")
    script.write_text(step(name)["run"], encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
        **{key: filled(value) for key, value in step(name)["env"].items()},
        "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder / "temp"),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=folder / "project", env=environment, capture_output=True, text=True, check=False, timeout=540,
    )
    rows = (line.partition("=") for line in output.read_text("utf-8").splitlines())
    return done, {key: value for key, _, value in rows}


def inputs(**given: str) -> dict[str, str]:
    values = {f"inputs.{key}": spec.get("default", "") for key, spec in ACTION["inputs"].items()}
    command = shutil.which("connlint", path=str(Path(sys.executable).parent))
    assert command, "connlint is not installed beside this Python"
    given = {f"inputs.{key.replace('_', '-')}": value for key, value in given.items()}
    return {**values, "steps.install.outputs.command": command, **given}


@pytest.mark.parametrize(("given", "status", "outputs"), [
    ({}, 1, {"status": "1", "sarif": "connlint.sarif"}),
    ({"fail_on": "never"}, 0, {"status": "0", "sarif": "connlint.sarif"}),
    ({"paths": "clean.py"}, 0, {"status": "0", "sarif": "connlint.sarif"}),
    ({"paths": "clean.py\nwith space.py\n"}, 1, {"status": "1", "sarif": "connlint.sarif"}),
    ({"args": f"--ignore\n{RULE}\n"}, 0, {"status": "0", "sarif": "connlint.sarif"}),
    ({"format": "concise", "output": ""}, 1, {"status": "1"}),
    ({"output": "no/such/folder.sarif"}, 2, {"status": "2"}),
    ({"paths": "$(touch pwned)"}, 2, {"status": "2"}),
])
def test_the_action_checks(project: Path, tmp_path: Path, given: dict[str, str], status: int,
                           outputs: dict[str, str]) -> None:
    (project / "with space.py").write_text(FAULT, encoding="utf-8")
    done, said = run_step("check", tmp_path, inputs(**given))
    assert (done.returncode, said) == (status, outputs), done.stdout + done.stderr
    assert not (project / "pwned").exists()
    if "sarif" in outputs:
        results = json.loads((project / outputs["sarif"]).read_text("utf-8"))["runs"][0]["results"]
        assert bool(results) is (given.get("paths") != "clean.py" and "args" not in given)
    if given.get("format") == "concise":
        assert f"named.py:3:7: warning {RULE}" in done.stdout


@pytest.mark.slow
def test_the_action_installs(project: Path, tmp_path: Path) -> None:
    (tmp_path / "temp").mkdir()
    done, said = run_step("install", tmp_path, {"steps.python.outputs.python-path": sys.executable})
    assert done.returncode == 0, done.stdout + done.stderr
    version = subprocess.run([said["command"], "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("connlint")
    assert Path(said["command"]).is_relative_to(tmp_path / "temp"), "the project's own Python is not touched"


def test_the_action_says_what_it_gives() -> None:
    assert set(FORMATS) <= set(re.findall(r"\w+", ACTION["inputs"]["format"]["description"]))
    assert ACTION["runs"]["using"] == "composite"
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.check.outputs.{name} }}}}"
        assert f'"{name}=' in step("check")["run"] or f"{name}=" in step("check")["run"]
    assert all(spec.get("description") for spec in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))
