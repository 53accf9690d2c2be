"""``--diff-base``: which lines git says were changed, and what is then reported."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from connlint.revisions import Changes, RevisionError, changes
from test_cli import connlint, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")

LINES = "".join(f"line {i}\n" for i in range(1, 21))
FAULT = 'import os\n\nOLD = os.getenv("OLD_URL", "http://localhost:9000")\n'
NEW = 'NEW = os.getenv("NEW_URL", "http://localhost:9000")\n'


def git(at: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *arguments], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout


def commit(at: Path) -> None:
    git(at, "add", "-A")
    git(at, "commit", "-m", "x")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two files on a branch of its own, while main has gone on with one of them."""
    git(tmp_path, "init")
    write(tmp_path, {"a.txt": LINES, "sub/b.txt": LINES, ".gitignore": "ignored.txt\n"})
    commit(tmp_path)
    git(tmp_path, "branch", "topic")
    write(tmp_path, {"a.txt": LINES.replace("line 20\n", "of main\n")})
    commit(tmp_path)
    git(tmp_path, "checkout", "topic")
    return tmp_path


def edit(path: str, *changed: tuple[str, str]) -> Callable[[Path], None]:
    def change(at: Path) -> None:
        text = LINES
        for old, new in changed:
            text = text.replace(old, new)
        write(at, {path: text})

    return change


def done(*steps: Callable[[Path], object]) -> Callable[[Path], None]:
    def all_of_them(at: Path) -> None:
        for step in steps:
            step(at)

    return all_of_them


def move(old: str, new: str) -> Callable[[Path], None]:
    return lambda at: (at / old).rename(at / new) and None


ODD = 'tab\t"q" ü\\.txt'


@pytest.mark.parametrize(("change", "lines"), [
    pytest.param(lambda at: None, {}, id="nothing, and what main did is none of ours"),
    pytest.param(edit("a.txt", ("line 3\n", "3\n"), ("line 9\nline 10\n", "9\n10\n")), {"a.txt": ((3, 3), (9, 10))},
                 id="not committed"),
    pytest.param(done(edit("a.txt", ("line 3\n", "3\n")), lambda at: git(at, "add", "-A")), {"a.txt": ((3, 3),)},
                 id="staged"),
    pytest.param(done(edit("a.txt", ("line 3\n", "3\n")), commit,
                      edit("a.txt", ("line 3\n", "3\n"), ("line 7\n", "7\n"))), {"a.txt": ((3, 3), (7, 7))},
                 id="partly committed"),
    pytest.param(edit("a.txt", ("line 3\n", "")), {"a.txt": ()}, id="a line less"),
    pytest.param(edit("a.txt", ("line 3\n", "line 3\n++ b/c\n-- a/c\n")), {"a.txt": ((4, 5),)},
                 id="lines that look like a patch"),
    pytest.param(edit("a.txt", ("line 20\n", "end")), {"a.txt": ((20, 20),)}, id="no line end"),
    pytest.param(lambda at: write(at, {"n.txt": LINES, "ignored.txt": LINES}), {"n.txt": None}, id="not known to git"),
    pytest.param(done(lambda at: write(at, {"n.txt": "a\nb\n"}), commit), {"n.txt": ((1, 2),)}, id="a new file"),
    pytest.param(lambda at: write(at, {"a.txt": LINES.replace("line 3", "3").encode("utf-16")}), {"a.txt": ((1, 21),)},
                 id="what git takes for binary"),
    pytest.param(done(lambda at: write(at, {ODD: LINES}), commit,
                      lambda at: git(at, "tag", "base"), edit(ODD, ("line 3\n", "3\n"))), {ODD: ((1, 20),)},
                 id="a path that is quoted"),
    pytest.param(done(lambda at: git(at, "mv", "a.txt", "c.txt"), edit("c.txt", ("line 3\n", "3\n"))),
                 {"c.txt": ((3, 3),)}, id="moved by git"),
    pytest.param(done(move("a.txt", "c.txt"), edit("c.txt", ("line 3\n", "3\n"))), {"c.txt": ((3, 3),)},
                 id="moved behind git's back"),
    pytest.param(done(move("a.txt", "c.txt"), lambda at: write(at, {"n.txt": "new\n"})), {"n.txt": ((1, 1),)},
                 id="moved as it was, beside a new one"),
    pytest.param(lambda at: (at / "a.txt").unlink(), {}, id="deleted"),
])
def test_changed_lines(repository: Path, change: Callable[[Path], None], lines: dict[str, object]) -> None:
    change(repository)
    before = {path: path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()}
    assert changes(repository, "main").lines == lines
    after = {path: path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()}
    assert before == after, "asking changes nothing, the index least of all"


def test_whatever_git_is_configured_to_print(repository: Path) -> None:
    for setting in ("diff.noprefix=true", "diff.mnemonicPrefix=true", "color.ui=always", "diff.context=7",
                    "diff.interHunkContext=9", "core.quotePath=true", "diff.renames=false", "diff.relative=false"):
        git(repository, "config", *setting.split("="))
    git(repository, "mv", "sub/b.txt", "sub/ü.txt")
    edit("sub/ü.txt", ("line 3\n", "3\n"), ("line 9\n", "9\n"))(repository)
    assert changes(repository, "main").lines == {"sub/ü.txt": ((3, 3), (9, 9))}
    assert changes(repository / "sub", "main").lines == {"ü.txt": ((3, 3), (9, 9))}, "paths are those of the folder"


@pytest.mark.parametrize(("at", "touched"), [
    ((0, 1), False), ((2, 3), True), ((0, 3), True), ((0, 2), False), ((2, 5), True), ((4, 5), False), ((4, 9), True),
    ((8, 8), True), ((10, 11), False),
])
def test_a_finding_stands_on_all_lines_of_its_place(at: tuple[int, int], touched: bool) -> None:
    data = b"1\n2\n3\n4\n5\n6\n"
    assert Changes({"a": ((2, 2), (5, 5))}).touch("a", at, data) is touched
    assert Changes({"a": None}).touch("a", at, data)
    assert not Changes({"b": None}).touch("a", at, data)


def test_only_what_was_changed_is_reported(repository: Path) -> None:
    write(repository, {"old.py": FAULT, "other.py": FAULT})
    commit(repository)
    git(repository, "branch", "base")
    write(repository, {"old.py": FAULT + NEW, "new.py": FAULT})
    done = connlint("check", "--diff-base", "base", "--format", "concise", at=repository)
    assert done.returncode == 1
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()[:-1]] == ["new.py:3:7:", "old.py:4:7:"]
    assert done.stdout.splitlines()[-1].startswith("2 warnings in 2 files (1 on other lines); checked 2 files")
    done = connlint("check", "--diff-base", "HEAD", "other.py", at=repository)
    assert done.returncode == 0 and done.stdout.startswith("No findings on lines changed since HEAD;"), done.stdout
    assert connlint("baseline", "--quiet", at=repository).returncode == 0
    write(repository, {"new.py": FAULT + NEW.replace("NEW", "NEWER")})
    check = ("check", "--baseline", ".connlint-baseline.json", "--diff-base", "base", "--format", "concise")
    done = connlint(*check, at=repository)
    assert done.stdout.startswith("new.py:4:9: warning") and "\n1 warning in 1 file (2 in the baseline);" in done.stdout


@pytest.mark.parametrize(("arguments", "message"), [
    (("--diff-base", "nowhere"), "git knows no revision 'nowhere'"),
    (("--diff-base", "--help"), "git knows no revision '--help'"),
    (("--diff-base", "main:a.txt"), "git knows no revision 'main:a.txt'"),
    (("--diff-base", "alone"), "'alone' and HEAD have no commit in common"),
    (("--baseline", "b.json", "--no-baseline"), "--baseline and --no-baseline: give one of them"),
])
def test_what_cannot_be_done(repository: Path, arguments: tuple[str, ...], message: str) -> None:
    git(repository, "checkout", "--orphan", "alone")
    git(repository, "commit", "-m", "alone")
    git(repository, "checkout", "topic")
    done = connlint("check", *arguments, at=repository)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"connlint: {message}\n")


def test_a_repository_of_somebody_else(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with pytest.raises(RevisionError, match="git says: detected dubious ownership in repository at"):
        changes(repository, "main")


def test_where_there_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RevisionError, match="no git repository, so that nothing tells what has changed"):
        changes(tmp_path, "HEAD")
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(RevisionError, match="there is no git here"):
        changes(tmp_path, "HEAD")


def test_a_shallow_clone_is_told_apart(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = tmp_path_factory.mktemp("clone") / "c"
    git(repository, "clone", "--depth=1", "--branch=topic", repository.as_uri(), os.fspath(clone))
    with pytest.raises(RevisionError, match=r"git knows no revision 'origin/main'; this clone is shallow"):
        changes(clone, "origin/main")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init")
    with pytest.raises(RevisionError, match="git knows no revision 'HEAD'"):
        changes(tmp_path, "HEAD")
