"""Applying fixes: which edits are made, which are not, and what is left of a file that must not be touched."""
# ruff: noqa: E501 - tables of files, each on one line

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

import projects
from connlint.config import Config
from connlint.discover import CODE, Selection
from connlint.engine import Options, run
from connlint.fixing.files import write as write_files
from connlint.fixing.offers import compatible, offers
from connlint.fixing.passes import mend
from connlint.fixing.patch import patch
from connlint.model.finding import Edit, Fix, Place
from connlint.project.tree import MemoryTree
from test_cli import connlint, write


def mended(files, unsafe=True, forge=None, select=()):
    """The outcome of mending a project in memory; ``forge`` may give a finding another fix than it has."""
    tree = MemoryTree(files)
    code = sorted(path for path in tree.paths if path.endswith(CODE))
    selection = Selection(tree, code, sorted(tree.paths - set(code)))

    def check(chosen):
        report = run(chosen, projects.RULES, Config(select=select), Options(jobs=1))
        if forge is None:
            return report
        return replace(report, findings=tuple(replace(f, fix=forge(f, report.sources[f.place.path])) for f in report.findings))

    return mend(selection, check, unsafe)


READ = 'os.getenv("A_URL", "http://localhost:81")'
OTHER = 'os.getenv("B_URL", "http://localhost:2")'


def test_edits_that_touch_each_other_take_several_passes():
    both = f"x = ({READ}, {OTHER})\n"
    outcome = mended({"a.py": both, "b.py": f"import os\n{both}"})
    # where `import os` has to be added, the second edit would add it too, at the same place
    assert outcome.after == {
        "a.py": b'import os\n\nx = (os.environ["A_URL"], os.environ["B_URL"])\n',
        "b.py": b'import os\nx = (os.environ["A_URL"], os.environ["B_URL"])\n',
    }
    assert (len(outcome.treated), outcome.left, outcome.report.reported) == (4, [], ())


def test_edits_that_cannot_be_made_at_once():
    files = {"a.py": f"x = ({READ}, {OTHER})\n"}
    report = projects.report(files)
    offered = offers(report, unsafe=True)
    assert len(offered) == 2 and len(compatible(offered)) == 1


def test_only_safe_edits_are_made_where_nothing_else_is_asked_for():
    files = {"a.py": f"import os\nx = {READ}\ny = 1  # connlint: ignore[missing-module] it is there\n"}
    assert mended(files, unsafe=False).after == {"a.py": f"import os\nx = {READ}\ny = 1\n".encode()}


def test_what_a_comment_covers_is_not_mended():
    assert mended({"a.py": f"import os\nx = {READ}  # connlint: ignore[env-localhost-fallback] a sidecar\n"}).after == {}


def _instead(text, at=None):
    """A forged fix: ``text`` in the place of the finding, or of what ``at`` finds in the file."""

    def forge(finding, source):
        place = finding.place.at
        if at is not None:
            start = source.data.index(at)
            place = start, start + len(at)
        return Fix("Forged", (Edit(Place(finding.place.path, place), text),))

    return forge


SOURCE = f"import os\n# why\nx = {READ}  # keep\n"


@pytest.mark.parametrize(("forge", "files", "why"), [
    (_instead("("), {"a.py": SOURCE}, "would not parse"),
    (_instead("yield 1"), {"a.py": SOURCE}, "would not parse"),
    (_instead('os.getenv("A_URL", "http://localhost:3")'), {"a.py": SOURCE}, "would stay"),
    (_instead("1", b"# keep"), {"a.py": SOURCE}, "would not parse"),
    (_instead("\n", b"# why"), {"a.py": SOURCE}, "comment"),
    (_instead('os.environ["A_URL"]\nfrom b import nothing'), {"a.py": SOURCE, "b.py": "x = 1\n"}, "missing-symbol would be reported"),
    (_instead("é"), {"a.py": b"# coding: ascii\n" + SOURCE.encode()}, "encoding"),
    (_instead("# coding: latin-1", b"# why"), {"a.py": SOURCE.replace("import os\n", "") + "import os\n"}, "encoding"),
])  # fmt: skip
def test_what_does_not_hold_is_not_made(forge, files, why):
    outcome = mended(files, forge=lambda f, s: forge(f, s) if f.rule == "env-localhost-fallback" else None)
    assert outcome.after == {} and outcome.treated == []
    assert [reason for _, reason in outcome.left] and why in outcome.left[0][1]


def test_one_that_does_not_hold_keeps_none_of_the_others_back():
    names = [f"{letter}_URL" for letter in "ABCDEFG"]
    text = "import os\n" + "".join(f'{n} = os.getenv("{n}", "http://localhost:81")\n' for n in names)

    def forge(finding, source):
        if "C_URL" in finding.symbol:
            return _instead("None\nfrom gone import it")(finding, source)
        return finding.fix

    outcome = mended({"a.py": text, "pkg/__init__.py": "", "gone.py": ""}, forge=forge)
    assert outcome.after["a.py"].decode() == "import os\n" + "".join(
        f'{n} = os.environ["{n}"]\n' if n != "C_URL" else f'{n} = os.getenv("{n}", "http://localhost:81")\n' for n in names)
    assert [(f.symbol, why) for f, why in outcome.left] == [("C_URL", "missing-symbol would be reported in a.py")]


def test_the_outcome_is_left_as_it_is():
    files = {"a.py": SOURCE, "b.py": f"y = {OTHER}\n", "c.ts": "export const u = process.env.U_URL || 'http://localhost:81'\n"}
    once = mended(files).after
    assert set(once) == set(files)
    assert mended({**files, **once}).after == {}


def test_every_edit_of_the_example_project_holds():
    """One takes a default away, for which the deployment is then reported in other words."""
    shop = Path(__file__).parents[1] / "shop"
    outcome = mended({path.relative_to(shop).as_posix(): path.read_bytes() for path in shop.rglob("*") if path.is_file()})
    assert outcome.left == [] and len(outcome.treated) >= 6
    assert not [finding for finding in outcome.report.reported if finding.fix is not None]


# -- files ------------------------------------------------------------------------------------------------------------


def test_mode_and_bytes_of_a_file_are_kept(tmp_path):
    write(tmp_path, {"a.py": b"\xef\xbb\xbfimport os\r\nx = os.getenv('A_URL', 'http://localhost:81')  # \xc3\xa9\r\n"})
    (tmp_path / "a.py").chmod(0o750)
    assert connlint("check", "--fix", "--unsafe-fixes", "a.py", at=tmp_path).returncode == 0
    assert (tmp_path / "a.py").read_bytes() == b"\xef\xbb\xbfimport os\r\nx = os.environ['A_URL']  # \xc3\xa9\r\n"
    assert stat.S_IMODE((tmp_path / "a.py").stat().st_mode) == 0o750
    assert not list(tmp_path.glob(".a.py*"))


def _change(at: Path):
    at.write_bytes(b"changed")


def _link(at: Path):
    at.rename(at.with_name("real"))
    at.symlink_to("real")


def _second_name(at: Path):
    os.link(at, at.with_name("second"))


@pytest.mark.parametrize(("meanwhile", "why"), [
    (_change, "changed meanwhile"), (_link, "no regular file"), (Path.unlink, "cannot be written"),
    (_second_name, "second name"),
])  # fmt: skip
def test_a_file_that_is_another_by_now_is_left_alone(tmp_path, meanwhile, why):
    before = dict.fromkeys(("a", "b", "c"), b"old")
    write(tmp_path, before)
    meanwhile(tmp_path / "b")
    left = write_files(tmp_path, before, dict.fromkeys(before, b"new"), [("a", "b")])
    assert why in left["b"] and set(left) == {"a", "b"}, "what belongs to the same edit is left alone too"
    assert (tmp_path / "a").read_bytes() == b"old" and (tmp_path / "c").read_bytes() == b"new"
    assert not list(tmp_path.glob(".*"))


def test_a_write_protected_file_is_left_alone(tmp_path):
    """By root too, to whom nothing is forbidden: somebody has said that it shall stay as it is."""
    write(tmp_path, {"a": "old"})
    (tmp_path / "a").chmod(0o444)
    assert "write-protected" in write_files(tmp_path, {"a": b"old"}, {"a": b"new"})["a"]


# -- patches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "before", "after"), [
    ("a.py", b"a\nb\nc", b"a\nB\nc"),
    ("a.py", b"a\nb", b"a\nB"),
    ("a.py", b"a\nb", b"a\nb\n"),
    ("with space.py", b"a\r\nb\r\n", b"a\r\nB\r\n"),
    ("d/\u00e9\"\t.py", b"\xe9\x0b\x85\n\x0c\n", b"\xe9\x0b\x85x\n\x0c\n"),
    ("long.py", b"".join(b"%d\n" % n for n in range(40)), b"".join(b"%d\n" % (n if n not in (3, 30) else 99) for n in range(40))),
])  # fmt: skip
@pytest.mark.parametrize("below", ["", "sub"])
def test_git_applies_a_patch(tmp_path, name, before, after, below):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    here = tmp_path / below
    write(here, {name: before})
    subprocess.run(["git", "apply", "-"], cwd=here, input=patch({name: before}, {name: after}), check=True)
    assert (here / name).read_bytes() == after


# -- the command ------------------------------------------------------------------------------------------------------

TWO = {"a.py": SOURCE, "b.py": "y = 1  # connlint: ignore[missing-module] it is there\n"}


@pytest.mark.parametrize(("arguments", "status", "says"), [
    (["--fix", "--diff"], 2, "--diff changes nothing"),
    (["--unsafe-fixes"], 2, "--fix"),
    (["--diff", "--format", "json"], 2, "--format"),
    (["--diff", "--statistics"], 2, "--statistics"),
    (["--fix"], 1, "Fixed 1 finding in 1 file."),
    (["--fix"], 1, "Edits: 1 by --fix --unsafe-fixes (--diff instead of --fix shows them)."),
    (["--diff"], 1, "1 more finding can be mended by edits that are not safe: --unsafe-fixes."),
    (["--fix", "--unsafe-fixes"], 0, "Fixed 2 findings in 2 files."),
    (["--fix", "--unsafe-fixes", "b.py"], 0, "Fixed 1 finding in 1 file."),
    (["--fix", "--unsafe-fixes", "--select", "suppressions"], 0, "Fixed 0 findings in 0 files."),
    (["--fix", "--unsafe-fixes", "--select", "configuration"], 0, "Fixed 1 finding in 1 file."),
    (["--fix", "--format", "json"], 1, "env-localhost-fallback"),
    (["--diff"], 1, "+y = 1\n"),
    (["--diff", "--unsafe-fixes"], 1, '+x = os.environ["A_URL"]  # keep\n'),
    (["--diff", "--select", "imports"], 0, "Would fix 0 findings"),
])  # fmt: skip
def test_what_the_command_answers(tmp_path, arguments, status, says):
    write(tmp_path, TWO)
    done = connlint("check", *arguments, at=tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
    assert says in done.stdout + done.stderr
    if "--diff" in arguments or status == 2:
        assert {name: (tmp_path / name).read_text() for name in TWO} == TWO
    if status == 2:
        assert len(done.stderr.splitlines()) == 1


def test_the_patch_says_what_fix_does(tmp_path):
    write(tmp_path, TWO)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    shown = connlint("check", "--diff", "--unsafe-fixes", "-o", "fix.patch", at=tmp_path)
    assert shown.returncode == 1 and shown.stdout == ""
    subprocess.run(["git", "apply", "fix.patch"], cwd=tmp_path, check=True)
    patched = {name: (tmp_path / name).read_text() for name in TWO}
    write(tmp_path, TWO)
    connlint("check", "--fix", "--unsafe-fixes", at=tmp_path)
    assert {name: (tmp_path / name).read_text() for name in TWO} == patched


def test_only_what_would_be_reported_is_mended(tmp_path):
    write(tmp_path, TWO)
    connlint("baseline", at=tmp_path)
    write(tmp_path, {"c.py": TWO["a.py"]})
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init", "-q"), ("add", "a.py", "b.py"), ("commit", "-qm", "one"), ("add", "c.py")):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    (baseline,) = (path.name for path in tmp_path.glob("*baseline*"))
    for limits in (("--baseline", baseline), ("--diff-base", "HEAD")):
        done = connlint("check", "--fix", "--unsafe-fixes", *limits, at=tmp_path)
        assert "Fixed 1 finding in 1 file." in done.stderr and done.returncode == 0, done.stdout + done.stderr
        assert {name: (tmp_path / name).read_text() for name in TWO} == TWO
        write(tmp_path, {"c.py": TWO["a.py"]})
