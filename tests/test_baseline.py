"""Baselines: what is new and what is not, the file, and the commands that write and use it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import projects
from connlint.baseline import BaselineError, Comparison, Entry, Scope, compare, entry_of, parse, render
from test_cli import connlint, write

FAULT = 'import os\n\nURL = os.getenv("ORDERS_URL", "http://localhost:9000")\n'
"""One finding, of the rule `env-localhost-fallback` and the symbol ORDERS_URL."""
MENDED = 'import os\n\nURL = os.environ["ORDERS_URL"]\n'
CLASS = FAULT.replace("URL =", "class Settings:\n    url =")
OTHER = FAULT.replace("ORDERS", "PRICES")
NOWHERE = Path("/nowhere")


def entries(files: dict[str, str]) -> list[Entry]:
    report = projects.report(files)
    return [entry_of(finding, report, Path()) for finding in report.reported]


def compared(before: dict[str, str], after: dict[str, str], *paths: str) -> Comparison:
    """``after`` beside a baseline of ``before``; with ``paths``, of a run that reports on these alone."""
    report = projects.report(after, named=paths[0] if paths else None)
    scope = Scope(Path(), frozenset(paths) if paths else None)
    return compare(report, entries(before), Path(), scope)


@pytest.mark.parametrize(("before", "after", "new", "gone"), [
    pytest.param({"a.py": FAULT}, {"a.py": FAULT}, 0, 0, id="nothing has changed"),
    pytest.param({"a.py": FAULT}, {"a.py": "# one\n# two\n" + FAULT}, 0, 0, id="lines have moved"),
    pytest.param({"a.py": FAULT}, {"src/b.py": FAULT}, 0, 0, id="the file has another name"),
    pytest.param({"a.py": FAULT}, {"src/b.py": "# one\n" + FAULT}, 0, 0, id="another name, and lines have moved"),
    pytest.param({"a.py": CLASS}, {"a.py": CLASS.replace("    ", "  ")}, 0, 0, id="other white space"),
    pytest.param({"a.py": FAULT}, {"a.py": FAULT.replace("9000", "9001")}, 0, 0, id="another line for the symbol"),
    pytest.param({"a.py": FAULT, "b.py": "import os\n"}, {"a.py": "import os\n", "b.py": FAULT}, 0, 0,
                 id="the line stands in another file"),
    pytest.param({"a.py": FAULT}, {"a.py": MENDED}, 0, 1, id="mended"),
    pytest.param({"a.py": FAULT}, {}, 0, 1, id="deleted"),
    pytest.param({"a.py": FAULT}, {"a.py": OTHER}, 1, 1, id="another variable"),
    pytest.param({"a.py": FAULT}, {"a.py": FAULT, "b.py": FAULT}, 1, 0, id="a copy"),
    pytest.param({"a.py": FAULT}, {"b.py": FAULT, "c.py": FAULT}, 1, 0, id="two new names"),
    pytest.param({"a.py": FAULT}, {"b.py": FAULT.replace("9000", "9001")}, 1, 1, id="another name and another line"),
    pytest.param({}, {"a.py": FAULT}, 1, 0, id="an empty baseline"),
    pytest.param({"a.py": FAULT}, {"a.py": FAULT.rstrip() + "  # connlint: ignore[env-localhost-fallback] so\n"}, 0, 1,
                 id="ignored by a comment"),
])
def test_what_is_new(before: dict[str, str], after: dict[str, str], new: int, gone: int) -> None:
    found = compared(before, after)
    assert (len(found.new), len(found.gone)) == (new, gone)
    assert len(found.met) + len(found.gone) + len(found.unjudged) == len(entries(before))


def test_what_is_left_of_several_is_known_and_what_is_added_to_them_is_new() -> None:
    def project(*given: str, read: tuple[str, ...] = ("QUEUE_URL", "ROWS_URL")) -> dict[str, str]:
        reads = "".join(f"{name} = os.environ['{name}']\n" for name in read)
        told = "".join(f"      {name}: redis://rows:6379\n" for name in ("SHOP_URL", *given))
        return {"app/Dockerfile": "FROM python:3.12\nCOPY . .\nCMD python main.py\n",
                "app/main.py": "import os\n" + reads,
                "compose.yaml": f"services:\n  app:\n    build: app\n    environment:\n{told}"}

    known = project()
    assert [entry.symbol for entry in entries(known)] == ["app:QUEUE_URL, ROWS_URL"]
    for name in ("QUEUE_URL", "ROWS_URL"):
        found = compared(known, project(name))
        assert (found.new, found.gone, len(found.met)) == ((), (), 1)
    more = compared(known, project(read=("QUEUE_URL", "ROWS_URL", "SEATS_URL")))
    assert (len(more.new), len(more.gone)) == (1, 1)


def test_of_two_with_one_name_the_one_that_was_there_is_known() -> None:
    twice = FAULT + 'ELSE = os.getenv("ORDERS_URL", "http://localhost:9001")\n'
    later = twice.splitlines(keepends=True)
    found = compared({"a.py": FAULT}, {"a.py": "".join([*later[:2], later[3], later[2]])})
    states = [finding.state for finding in found.findings if finding.rule == "env-localhost-fallback"]
    assert states == ["new", "unchanged"]


def test_a_run_over_some_files_says_nothing_of_the_others() -> None:
    both = {"a.py": FAULT, "b.py": OTHER}
    assert compared(both, {"a.py": MENDED, "b.py": OTHER}, "b.py").gone == ()
    assert len(compared(both, {"a.py": MENDED, "b.py": OTHER}, "a.py").gone) == 1
    # and what stands in a file that it does not look at has not moved out of it
    here = Path(__file__).parent
    entry = Entry("test_baseline.py", "env-localhost-fallback", "ORDERS_URL", entries({"a.py": FAULT})[0].line)
    report = projects.report({"b.py": FAULT})
    for paths, new in ((frozenset({"b.py"}), 1), (None, 0)):
        assert len(compare(report, [entry], here, Scope(here, paths)).new) == new


# -- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_is_read_as_it_was_written() -> None:
    rows = [Entry("ü/連.py", "r", "S\u2028", "0"), Entry("x\udcff.py", "r", "", "1"), Entry("a.py", "r", "s", "2"),
            Entry("a.py", "r", "s", "2")]
    data = render(rows)
    assert parse(data, "b") == tuple(sorted(rows)), "an entry may stand there twice"
    assert data == render(reversed(rows))
    lines = data.decode("utf-8").split("\n")
    assert [json.loads(line.rstrip(","))["path"] for line in lines[1:-3]] == ["a.py", "a.py", "x\udcff.py", "ü/連.py"]
    assert all(line.endswith(",") for line in lines[1:-3])
    assert parse(render([]), "b") == ()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_git_merges_what_two_branches_have_added(tmp_path: Path) -> None:
    old = [Entry(f"{name}.py", "r", "s", "0") for name in "bdfh"]
    sides = {"base": old, "ours": [*old, Entry("a.py", "r", "s", "0")], "theirs": [*old, Entry("z.py", "r", "s", "0")]}
    for name, rows in sides.items():
        (tmp_path / name).write_bytes(render(rows))
    done = merged(tmp_path)
    assert done.returncode == 0
    assert [entry.path[0] for entry in parse(done.stdout, "b")] == list("abdfhz")
    # neighbours are a conflict, unless .gitattributes has merge=union for the file
    for name, path in (("ours", "y.py"), ("theirs", "z.py")):
        (tmp_path / name).write_bytes(render([*old, Entry(path, "r", "s", "0")]))
    assert merged(tmp_path).returncode == 1
    assert [entry.path[0] for entry in parse(merged(tmp_path, "--union").stdout, "b")] == list("bdfhyz")


def merged(at: Path, *how: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "merge-file", "-p", *how, "ours", "base", "theirs"], cwd=at, capture_output=True,
                          check=False)


@pytest.mark.parametrize(("data", "message"), [
    (b"", "b.json:1:1: no JSON: expecting value"),
    (b'{"connlint-baseline": 1, "findings": [\n {"path"\n]}', "b.json:3:1: no JSON: expecting ':' delimiter"),
    (b'{\n<<<<<<< HEAD\n', "b.json:2: a merge conflict is not resolved"),
    (b"\xff\xfe\x00", "b.json: not UTF-8"),
    (b"[]", "b.json: no baseline of connlint"),
    (b'{"version": 1}', "b.json: no baseline of connlint"),
    (b'{"connlint-baseline": 7, "findings": []}', "b.json: a baseline of version 7, and this connlint knows version 1; "
                                                  "`connlint baseline` writes it anew"),
    (b'{"connlint-baseline": 1}', "b.json: 'findings' must be a list"),
    (b'{"connlint-baseline": 1, "findings": [3]}', "b.json: entry 1 is no object"),
    (b'{"connlint-baseline": 1, "findings": [null, {"path": "a"}]}', "b.json: entry 2 has no text 'rule'"),
])
def test_what_is_no_baseline(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(BaselineError) as caught:
        parse(data, "b.json")
    assert str(caught.value) == message
    write(tmp_path, {"b.json": data, "a.py": FAULT})
    for command in (("check", "--baseline", "b.json"), ("baseline", "-o", "b.json")):
        done = connlint(*command, at=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"connlint: {message}\n")
    assert (tmp_path / "b.json").read_bytes() == data


# -- the commands -----------------------------------------------------------------------------------------------------


def test_a_project_begins_with_a_baseline(tmp_path: Path) -> None:
    write(tmp_path, {"src/a.py": FAULT, "connlint.toml": 'baseline = "ci/known.json"\n', "ci/x": ""})
    done = connlint("check", at=tmp_path)
    assert (done.returncode, done.stderr) == (
        2, "connlint: ci/known.json: no such baseline; `connlint baseline` writes one\n")
    assert connlint("baseline", at=tmp_path).stdout == "ci/known.json: 1 known finding.\n"
    assert connlint("check", "--no-baseline", at=tmp_path).returncode == 1
    for folder in (tmp_path, tmp_path / "src"):  # paths are those of the baseline's folder, wherever one stands
        done = connlint("check", at=folder)
        assert done.returncode == 0 and done.stdout.startswith("No new findings (1 in the baseline);"), done.stdout
    write(tmp_path, {"src/b.py": OTHER, "src/a.py": MENDED})
    done = connlint("check", at=tmp_path)
    assert done.returncode == 1 and "PRICES_URL" in done.stdout
    assert "1 entry of the baseline is gone; `connlint baseline --prune` takes it out of ci/known.json." in done.stdout
    assert "; 1 entry of the baseline is gone" in connlint("check", "--format", "concise", at=tmp_path).stdout
    assert connlint("baseline", "--prune", at=tmp_path).stdout == (
        "ci/known.json: 0 known findings (0 new, 1 gone).\n")
    assert connlint("check", at=tmp_path).returncode == 1, "nothing was added"
    assert connlint("baseline", at=tmp_path).stdout == "ci/known.json: 1 known finding.\n"
    assert connlint("check", at=tmp_path).returncode == 0


def test_what_a_run_did_not_look_at_stays_in_the_baseline(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": FAULT, "b.py": OTHER})
    connlint("baseline", at=tmp_path)
    path = tmp_path / ".connlint-baseline.json"
    whole = path.read_bytes()
    for arguments in (("a.py",), ("--select", "lifecycle"), ("--prune", "b.py"), ()):
        done = connlint("baseline", *arguments, at=tmp_path)
        assert done.returncode == 0 and path.read_bytes() == whole, arguments
    write(tmp_path, {"a.py": MENDED, "b.py": MENDED})
    connlint("baseline", "a.py", at=tmp_path)
    assert [entry.path for entry in parse(path.read_bytes(), "b")] == ["b.py"]


def test_what_programs_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": FAULT, "b.py": FAULT})
    connlint("baseline", "-o", "known.json", at=tmp_path)
    write(tmp_path, {"b.py": FAULT.replace("URL =", "url ="), "c.py": OTHER})
    check = ("check", "--baseline", "known.json", "--format")
    results = json.loads(connlint(*check, "sarif", at=tmp_path).stdout)["runs"][0]["results"]
    assert [row["baselineState"] for row in results] == ["unchanged", "updated", "new"]
    kept = json.loads(connlint(*check, "sarif", "--omit-suppressed", at=tmp_path).stdout)["runs"][0]["results"]
    assert [row["baselineState"] for row in kept] == ["new"], "code scanning would show the others as open"
    said = json.loads(connlint(*check, "json", at=tmp_path).stdout)
    assert [row["state"] for row in said["findings"]] == ["unchanged", "updated", "new"]
    assert (said["summary"]["known"], said["summary"]["gone"], said["summary"]["warning"]) == (2, 0, 1)
    for format_ in ("github", "gitlab"):
        out = connlint(*check, format_, at=tmp_path).stdout
        assert "PRICES_URL" in out and "ORDERS_URL" not in out
    plain = json.loads(connlint("check", "--format", "sarif", at=tmp_path).stdout)["runs"][0]["results"]
    assert not any("baselineState" in row for row in plain)


def test_five_thousand_entries_are_quick() -> None:
    import time

    rows = [Entry(f"f{i}.py", "env-localhost-fallback", "ORDERS_URL", "0") for i in range(5000)]
    report = projects.report({"a.py": FAULT})
    many = type(report)(findings=report.findings * 5000, sources=report.sources, rules=report.rules)
    started = time.perf_counter()
    compare(many, rows, NOWHERE, Scope(NOWHERE))
    assert time.perf_counter() - started < 2
