"""What is kept from earlier runs: it saves work, and changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from connlint import cards, discover, engine, scan
from connlint.answers import MOST
from connlint.cache import Cache, own_folder
from connlint.model.report import Report
from test_cli import connlint, write

FILES: dict[str, str | bytes] = {
    ".gitignore": "generated/\n",
    "api/__init__.py": "",
    "api/settings.py": 'import os\n\nURL = os.getenv("ORDERS_URL", "http://localhost:9000")\n',
    "api/quiet.py": 'import os\n\nURL = os.getenv("PRICES_URL", "http://elsewhere:9000")\n',
    "api/main.py": "from api.settings import URL, TIMEOUT\nfrom api.built import schema\nfrom api.told import NAME\n",
    "api/told.py": "import asyncio\n\nNAME = 1  # connlint: ignore[env-localhost-fallback] nothing is here\n",
    "web/package.json": '{"name": "web", "scripts": {"start": "node missing.js"}}',
    "web/poll.js": "export function Poll() {\n  useEffect(() => { setInterval(load, 1000); }, []);\n}\n",
    "web/latin.py": b"x = '\xe9'\n",
    "docker-compose.yml": "services:\n  api:\n    build: api\n    environment:\n      DB: localhost\n",
    "logo.svg": "<!-- nobody reads this -->\n",
}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which runs keep what they know."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home/caches"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "home/caches"))
    (tmp_path / "home/caches").mkdir(parents=True)
    folder = own_folder()
    assert folder is not None
    return folder


@pytest.fixture
def project(tmp_path: Path, kept: Path) -> Path:
    """A project with findings of several kinds, an import of what may be generated, and a file that is no text."""
    write(tmp_path / "project", FILES)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "project", check=True)
    return tmp_path / "project"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every run that was not answered from what was kept."""
    done: list[int] = []
    run = engine._run
    monkeypatch.setattr(engine, "_run", lambda *given: done.append(1) or run(*given))
    return done


def said(report: Report) -> tuple:
    """All that a report says but the time it took."""
    sources = {path: (source.data, source.text, source.encoding) for path, source in report.sources.items()}
    return (report.findings, sources, report.problems, report.set_aside, report.unknown_imports, report.files_checked,
            report.fail_on, report.root)


def age(project: Path) -> None:
    """Let every file look as if it was written a while ago, as far as the disk allows to say so."""
    for path in project.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (1_700_000_000, 1_700_000_000))


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        text = (project / path).read_text("utf-8")
        assert old in text
        (project / path).write_text(text.replace(old, new), encoding="utf-8")
    return change


def add(path: str, text: str) -> Callable[[Path], None]:
    return lambda project: write(project, {path: text})


def edit_and_hide(project: Path) -> None:
    """Another text of the same size, written back with the old time."""
    path = project / "api/quiet.py"
    before = path.stat()
    edit("api/quiet.py", "elsewhere", "localhost")(project)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(("change", "is_known"), [
    (lambda project: None, True),
    (age, True),
    (edit("logo.svg", "nobody", "somebody"), True),
    (lambda project: shutil.copy(project / "api/told.py", project / "x") and (project / "x").replace(
        project / "api/told.py"), True),
    (edit("api/settings.py", "localhost", "example.org"), False),
    (edit("api/quiet.py", "elsewhere", "localhost"), False),
    (edit_and_hide, False),
    (lambda project: (project / "api/told.py").unlink(), False),
    (lambda project: (project / "api/told.py").rename(project / "api/tale.py"), False),
    (add("api/built.py", "schema = 1\n"), False),
    (add("api/generated/x.py", ""), True),
    (add("new.txt", ""), False),
    (add(".gitignore", "generated/\nbuilt.py\n"), False),
    (add(".git/info/exclude", "built.py\n"), False),
    (add("connlint.toml", 'ignore = ["lifecycle"]\n'), False),
    (lambda project: (project / "web/poll.js").chmod(0o644), True),
    (lambda project: (project / "web/poll.js").unlink() or (project / "web/poll.js").symlink_to("package.json"), False),
])
def test_a_report_is_known_only_while_it_is_right(project, runs, change, is_known) -> None:
    cold = scan(root=project, cache=True)
    assert {finding.rule for finding in cold.findings} >= {"env-localhost-fallback", "missing-symbol", "missing-module",
                                                           "interval-not-cleared", "unused-suppression"}
    change(project)
    runs.clear()
    warm = scan(root=project, cache=True)
    assert bool(runs) is not is_known
    assert said(warm) == said(scan(root=project))
    again = scan(root=project, cache=True)
    assert said(again) == said(warm)


def test_a_change_within_the_same_tick_of_the_clock(project, runs, monkeypatch) -> None:
    """On a disk that tells hardly anything of a file: two seconds fine, no other time, no numbers of files."""
    def coarse(status: os.stat_result) -> tuple[int, int, int, int, int]:
        at = status.st_mtime_ns // 2_000_000_000 * 2_000_000_000
        return status.st_mode, status.st_size, at, at, 0

    monkeypatch.setattr(discover, "stamp_of", coarse)
    while time.time() % 2 > 0.5:
        time.sleep(0.05)
    edit("api/quiet.py", "PRICES", "BASKET")(project)
    first = scan(root=project, cache=True)
    edit("api/quiet.py", "elsewhere", "localhost")(project)
    runs.clear()
    assert said(scan(root=project, cache=True)) != said(first)
    assert runs


@pytest.mark.parametrize("harm", [
    lambda file: file.write_bytes(b""),
    lambda file: file.write_bytes(file.read_bytes()[:-1]),
    lambda file: file.write_bytes(file.read_bytes().replace(b"ORDERS_URL", b"BASKET_URL")),
    lambda file: file.write_bytes(b"\x00" * 4000),
    lambda file: file.unlink(),
    lambda file: shutil.rmtree(file.parent),
    lambda file: shutil.rmtree(file.parent.parent),
    lambda file: file.unlink() or file.mkdir(),
])
def test_what_is_broken_is_not_there(project, kept, runs, harm) -> None:
    cold = scan(root=project, cache=True)
    [answer] = (kept / "answers").iterdir()
    harm(answer)
    runs.clear()
    assert said(scan(root=project, cache=True)) == said(cold)
    assert runs
    scan(root=project, cache=True)
    assert len(runs) == (2 if answer.is_dir() else 1)


def test_what_has_another_form_is_not_there(project, kept, runs) -> None:
    cold = scan(root=project, cache=True)
    [answer] = (kept / "answers").iterdir()
    Cache(kept).write("answers", answer.name, b"\x93\x01\x02\x03", 9)
    runs.clear()
    assert said(scan(root=project, cache=True)) == said(cold)
    assert runs


@pytest.mark.parametrize("place", [
    lambda at: at.write_text("a file", encoding="utf-8"),
    lambda at: at.symlink_to(at.parent.parent),
    lambda at: at.symlink_to("nowhere"),
])
def test_where_nothing_can_be_kept(project, kept, place) -> None:
    place(kept)
    beside = sorted(kept.parent.rglob("*"))
    assert said(scan(root=project, cache=True)) == said(scan(root=project)) == said(scan(root=project, cache=True))
    assert sorted(kept.parent.rglob("*")) == beside


def test_a_user_without_a_home_keeps_nothing(project, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.chdir(project)
    assert said(scan(root=project, cache=True)) == said(scan(root=project))
    assert not (project / "~").exists()


def test_other_questions_have_other_answers(project, kept, runs) -> None:
    """Rules, paths and rules of one's own are part of the question, and many of them do not fill the disk."""
    add("ci/my-rule.md", (Path(__file__).parents[1] / "rules/env-localhost-fallback.md").read_text("utf-8"))(project)
    asked = [{}, {"select": ["lifecycle"]}, {"ignore": ["lifecycle"]}, {"fail_on": "never"}, {"exclude": ["web/"]},
             {"notebooks": True}]
    for _ in range(2):
        for given in asked:
            assert said(scan(root=project, cache=True, **given)) == said(scan(root=project, **given))
    for path in ("api/settings.py", "api/main.py", "web", "docker-compose.yml"):
        assert said(scan(path, root=project, cache=True)) == said(scan(path, root=project))
    write(project, {"connlint.toml": 'rules = ["ci"]\n'})
    with_rule = scan(root=project, cache=True)
    assert "my-rule" in {finding.rule for finding in with_rule.findings}
    edit("ci/my-rule.md", "Without", "In want of")(project)
    assert said(scan(root=project, cache=True)) == said(scan(root=project)) != said(with_rule)
    for number in range(MOST + 6):
        scan("api/main.py", root=project, cache=True, exclude=[f"{number}"])
    assert len(list((kept / "answers").iterdir())) <= MOST


def test_another_program_has_other_answers(project, runs, monkeypatch) -> None:
    from connlint import answers

    scan(root=project, cache=True)
    monkeypatch.setattr(answers, "_program", lambda: "another")
    runs.clear()
    scan(root=project, cache=True)
    assert runs


def test_a_run_that_the_disk_contradicts_is_not_kept(project, runs, monkeypatch) -> None:
    """A file that changes while it is looked at leaves nothing behind."""
    read, changed = discover.DiskTree.read, []

    def changing(tree: discover.DiskTree, path: str) -> bytes | None:
        data = read(tree, path)
        if path == "api/quiet.py" and not changed:
            changed.append(path)
            edit("api/quiet.py", "elsewhere", "localhost")(project)
        return data

    monkeypatch.setattr(discover.DiskTree, "read", changing)
    scan(root=project, cache=True, jobs=1)
    monkeypatch.setattr(discover.DiskTree, "read", read)
    runs.clear()
    assert said(scan(root=project, cache=True)) == said(scan(root=project))
    assert len(runs) == 2


def test_several_runs_at_once(project, kept) -> None:
    right = said(scan(root=project))
    with ThreadPoolExecutor(4) as threads:
        reports = list(threads.map(lambda _: scan(root=project, cache=True), range(12)))
    assert all(said(report) == right for report in reports)
    assert said(scan(root=project, cache=True)) == right
    assert sorted(path.name for path in kept.iterdir()) == [".gitignore", "CACHEDIR.TAG", "answers"]


@pytest.mark.parametrize("executor", [lambda: ThreadPoolExecutor(3), lambda: ProcessPoolExecutor(2)])
def test_any_executor(project, runs, executor) -> None:
    """Whoever does the work, the report is the same, and what they asked of the disk is known."""
    right = said(scan(root=project, jobs=1))
    with executor() as workers:
        assert said(scan(root=project, executor=workers, cache=True)) == right
        runs.clear()
        assert said(scan(root=project, executor=workers, cache=True)) == right
        assert not runs
        edit("api/quiet.py", "elsewhere", "localhost")(project)
        assert said(scan(root=project, executor=workers, cache=True)) == said(scan(root=project)) != right


def test_the_project_stays_as_it_is_and_archivers_leave_the_cache_alone(project, kept) -> None:
    before = sorted(project.rglob("*"))
    scan(root=project, cache=True)
    assert sorted(project.rglob("*")) == before
    tag = (kept / "CACHEDIR.TAG").read_text("utf-8")
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_the_command(project, kept) -> None:
    """Kept by default, elsewhere on request, not at all on request, and cleared."""
    plain = connlint("check", "--format", "json", "--no-cache", at=project).stdout
    assert not kept.exists()
    for _ in range(2):
        assert connlint("check", "--format", "json", at=project).stdout == plain
    assert connlint("check", "--format", "json", "--cache-dir", "else/where", at=project).stdout == plain
    assert (project / "else/where/answers").is_dir()
    for arguments in ((), ("--cache-dir", "else/where")):
        assert connlint("cache", "clear", *arguments, at=project).returncode == 0
    assert not kept.exists() and not (project / "else/where").exists()
    refused = connlint("cache", "clear", "--cache-dir", "api", at=project)
    assert refused.returncode == 2 and (project / "api/main.py").exists()
    assert "CACHEDIR.TAG" in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_rules_are_parsed_once_where_python_keeps_nothing(tmp_path, monkeypatch) -> None:
    """As under PYTHONDONTWRITEBYTECODE, or where the package may not be written; a changed card is parsed anew."""
    shutil.copytree(cards.built_in(), tmp_path / "rules")
    os.utime(tmp_path / "rules/missing-symbol.md", ns=(2, 2))  # else what Python has kept of the rules would do
    monkeypatch.setattr(cards, "built_in", lambda: tmp_path / "rules")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    parsed: list[str] = []
    read_card = cards.read_card
    monkeypatch.setattr(cards, "read_card", lambda name, text: parsed.append(name) or read_card(name, text))
    store = Cache(tmp_path / "kept")
    first = cards.load((), store)
    assert set(parsed) == set(first.cards)
    parsed.clear()
    assert cards.load((), store) == first and not parsed
    os.utime(tmp_path / "rules/missing-symbol.md", ns=(1, 1))
    assert cards.load((), store) == first and parsed
