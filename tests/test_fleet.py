"""Many repositories in one go: whatever one of them does, or its worker, the others have their reports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connlint.fleet import crew
from connlint.fleet.listed import ListError, Repository, read_list
from connlint.fleet.summary import as_json, table
from connlint.fleet.visit import Plan, Visit, ended_early, visit
from test_cli import FAULT, connlint, write


def repositories(at: Path, number: int) -> list[Repository]:
    """Folders with one finding each."""
    for name in range(number):
        write(at, {f"r{name}/a.py": FAULT})
    return [Repository(f"r{name}", str(at / f"r{name}"), False) for name in range(number)]


@pytest.fixture
def silent() -> Iterator[str]:
    """A URL of a server of git that takes every call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"git://127.0.0.1:{server.getsockname()[1]}/x"


@pytest.mark.parametrize(("text", "wanted"), [
    ("one\n", {"one": "/base/one"}),
    ("# all of ours\none  # the first\n\n./one\n", {"one": "/base/one"}),
    ("a/api\nb/api/\n/api\n", {"a+api": "/base/a/api", "b+api": "/base/b/api", "api": "/api"}),
    ("https://host/o/x.git\nssh://git@host/p/x\n", {"o+x": "https://host/o/x.git", "p+x": "ssh://git@host/p/x"}),
    ("git@host:o/x.git\n", {"x": "git@host:o/x.git"}),
    ("with space/x y\n", {"x_y": "/base/with space/x y"}),
    ("a/b\na+b\n", {"b": "/base/a/b", "a+b": "/base/a+b"}),
    ("a/X\nb/x\n", {"a+X": "/base/a/X", "b+x": "/base/b/x"}),
    (".\n", {"base": "/base"}),
    ("..\n/\n", {"repository.0": None, "repository.1": None}),
])
def test_lists(text, wanted) -> None:
    found = read_list(text, Path("/base"))
    if None in wanted.values():
        assert len(found) == 1 and found[0].name == "repository"
    else:
        assert {repository.name: repository.source for repository in found} == wanted


@pytest.mark.parametrize(("text", "says"), [("", "no repository"), ("a\n--upload-pack=x\n", "line 2")])
def test_lists_that_are_none(text, says) -> None:
    with pytest.raises(ListError, match=says):
        read_list(text, Path("/"))


def test_one_that_fails_takes_nothing_from_the_others(tmp_path, silent) -> None:
    write(tmp_path, {
        "good/a.py": FAULT, "clean/a.py": "x = 1\n", "wrong/a.py": FAULT, "wrong/connlint.toml": "selekt = 1\n",
        # modules of these names must not be taken for Python's or for ours
        "trap/json.py": "raise SystemExit(3)\n", "trap/click.py": "raise SystemExit(3)\n", "trap/connlint/cli.py": "",
    })
    for arguments in (("init", "-q"), ("add", "."), ("-c", "user.name=t", "-c", "user.email=t@example.org", "commit",
                                                      "-qm", "all")):
        subprocess.run(["git", *arguments], cwd=tmp_path / "good", check=True)
    (tmp_path / "list.txt").write_text(
        f"good\nclean\nwrong\ntrap\nmissing\n{(tmp_path / 'good').as_uri()}\n{silent}\n", encoding="utf-8")
    done = connlint("fleet", "list.txt", "-o", "out", "--timeout", "25", "--tries", "1", "-j", "7", at=tmp_path)
    assert done.returncode == 2, done.stderr
    told = {row["name"]: row for row in json.loads((tmp_path / "out/summary.json").read_text("utf-8"))["repositories"]}
    scanned = {name: row["levels"] for name, row in told.items() if "levels" in row}
    failed = {Path(row["source"]).name: row["failure"] for row in told.values() if "failure" in row}
    assert sorted(map(str, scanned.values())) == ["{'warning': 1}", "{'warning': 1}", "{}", "{}"]
    assert failed["missing"] == "no such folder" and failed["wrong"].startswith("connlint.toml:1: unknown key")
    assert failed["x"] == "not finished within 25 s" and len(failed) == 3
    for name in scanned:
        [run] = json.loads((tmp_path / "out" / told[name]["sarif"]).read_text("utf-8"))["runs"]
        assert run["automationDetails"]["id"] == f"connlint/{name}/"
    lines = done.stdout.splitlines()
    assert len(lines) == 10 and lines[-1].split()[:6] == ["7", "in", "all", "0", "2", "0"]
    assert len(done.stderr.splitlines()) == 7 and not (tmp_path / "good/.connlint_cache").exists()


@pytest.mark.parametrize(("arguments", "status"), [
    ([], 1), (["--fail-on", "error"], 0), (["--ignore", "configuration"], 0),
])
def test_exit_status(tmp_path, arguments, status) -> None:
    repositories(tmp_path, 1)
    write(tmp_path, {"list": "r0\n"})
    done = connlint("fleet", "list", "--quiet", *arguments, at=tmp_path)
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize(("arguments", "says"), [
    (["nowhere"], "nowhere: no such file"),
    (["empty"], "no repository is listed"),
    (["list", "-o", "list"], "list"),
    (["list", "--scheduler", "tcp://127.0.0.1:9"], "no scheduler at tcp://127.0.0.1:9"),
    (["list", "--scheduler", "what"], "'what' is no address"),
])
def test_what_cannot_be_done(tmp_path, arguments, says) -> None:
    write(tmp_path, {"empty": "# nothing\n", "list": "r0\n"})
    done = connlint("fleet", *arguments, at=tmp_path, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="1s")
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


def test_a_crash_is_tried_again(tmp_path, monkeypatch) -> None:
    """The first scan is ended by the system, as when memory is short; the second succeeds."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nmkdir "{tmp_path}/tried" 2>/dev/null && kill -9 $$\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    [repository] = repositories(tmp_path, 1)
    once = visit(repository, Plan(tries=1))
    assert (once.failure, once.sarif) == ("ended by SIGKILL", b"")
    (tmp_path / "tried").rmdir()
    twice = visit(repository, Plan(tries=2))
    assert (twice.failure, twice.tries, twice.levels) == ("", 2, {"warning": 1})


def test_an_interrupt_waits_for_nobody(silent) -> None:
    # a shell that starts the tests in the background lets them ignore it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt), crew.local(1) as visits:
            threading.Timer(1, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
            list(visits([Repository("x", silent, True)], Plan(timeout=60, tries=3)))
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 30


def test_summary() -> None:
    visits = [Visit(Repository("b", "/b", False), b"{}", levels={"error": 2, "note": 1}, seconds=1.25),
              Visit(Repository("A", "/a", False), failure="no such folder")]
    assert table(visits).splitlines() == [
        "repository  errors  warnings  notes  seconds",
        "A           failed                       0.0",
        "b                2         0      1      1.2",
        "--------------------------------------------",
        "2 in all         2         0      1      1.2",
    ]
    assert [row["name"] for row in json.loads(as_json(visits))["repositories"]] == ["A", "b"]


# -- with a scheduler -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="THE SCHEDULER IS NOT TRIED")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                                  host="127.0.0.1") as started:
        yield started


def test_a_scheduler(tmp_path, cluster) -> None:
    names = "".join(f"{repository.source}\n" for repository in repositories(tmp_path, 2))
    write(tmp_path, {"list": names + "missing\n"})
    done = connlint("fleet", "list", "--scheduler", cluster.scheduler_address, at=tmp_path)
    assert done.returncode == 2, done.stderr
    told = json.loads((tmp_path / "connlint-fleet/summary.json").read_text("utf-8"))["repositories"]
    assert [(row["name"], row.get("levels"), row.get("failure")) for row in told] == [
        ("missing", None, "no such folder"), ("r0", {"warning": 1}, None), ("r1", {"warning": 1}, None)]
    assert (tmp_path / "connlint-fleet/r0.sarif").is_file()


def test_a_worker_is_lost_and_no_result(tmp_path, cluster) -> None:
    listed = repositories(tmp_path, 8)
    seen: list[Visit] = []
    with crew.dask(cluster.scheduler_address) as visits:
        for one in visits(listed, Plan()):
            if not seen:
                # both workers are at it; one is ended as a machine is that loses its power
                os.kill(cluster.workers[0].pid, signal.SIGKILL)
            seen.append(one)
    assert sorted(one.repository.name for one in seen) == [repository.name for repository in listed]
    assert [one.failure for one in seen] == [""] * 8


def test_scan_by_workers_of_dask(tmp_path, cluster) -> None:
    """The function takes Dask's executor as it takes any other."""
    from distributed import Client

    from connlint import scan

    repositories(tmp_path, 3)
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        report = scan(root=tmp_path, executor=client.get_executor())
    assert report.findings == scan(root=tmp_path).findings != ()


def test_the_scheduler_is_lost(tmp_path) -> None:
    """What has ended by then is told, and the rest is said to be lost."""
    distributed = pytest.importorskip("distributed", reason="THE SCHEDULER IS NOT TRIED")
    listed = repositories(tmp_path, 6)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None,
                                  host="127.0.0.1") as own, crew.dask(own.scheduler_address) as visits:
        seen = []
        for one in visits(listed, Plan()):
            if not seen:
                threading.Thread(target=own.close, daemon=True).start()
            seen.append(one)
    assert sorted(one.repository.name for one in seen) == [repository.name for repository in listed]
    assert seen[0].failure == "" and any(one.failure == "the scheduler was lost" for one in seen)


def test_without_the_extra(tmp_path) -> None:
    write(tmp_path, {"list": "x\n"})
    script = ("import sys; sys.modules['distributed'] = None\n"
              "sys.argv = ['connlint', 'fleet', 'list', '--scheduler', 'x:1']\n"
              "from connlint.cli import main; main()")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "pip install 'connlint[fleet]'" in done.stderr
    with ended_early():
        pass
