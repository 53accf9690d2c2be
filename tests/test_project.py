"""What a project keeps of its files, and what it reads again."""

from __future__ import annotations

import pytest

from connlint.model import program as p
from connlint.project import project as kept
from connlint.project.project import Project
from connlint.project.tree import HeldTree, MemoryTree
from connlint.session import Linkers, reader_for

FILES = {
    "user.py": "from settings import one, two\nfrom rare import other\n",
    "settings.py": "def one(): return 1\ndef two(): return 2\ndef three(): return 3\n",
    "rare.py": "def other(): return 1\n",
}


@pytest.fixture
def opened():
    """The project, and the paths that were read, in order."""
    tree = MemoryTree(FILES, ())
    project = Project(tree, {".py": reader_for(".py")}, Linkers(tree))
    read: list[str] = []
    once = project._read
    project._read = lambda path, words: read.append(path) or once(path, words)
    return project, read


def follow(project, *names):
    user = project.module("user.py")
    for name in names:
        assert project.definitions(user, p.Name(name, (0, 0)))[1][0].kind == "function"


def test_a_module_that_is_asked_for_several_names_is_read_twice_at_most(opened):
    project, read = opened
    follow(project, "one")
    assert [type(s) for s in project.module("settings.py", (b"one",)).program.body] == [p.Define, p.Unread, p.Unread]
    follow(project, "two", "one", "two")
    assert read == ["user.py", "settings.py", "settings.py"]
    assert not project.module("settings.py").nodes(p.Unread)
    assert len(read) == 3


def test_of_a_module_nothing_more_is_read_than_there_is(opened):
    project, read = opened
    project.module("rare.py", (b"other",))
    assert project.module("rare.py", (b"nothing",)) is project.module("rare.py")
    assert read == ["rare.py"]


@pytest.mark.parametrize(("third", "again"), [(0, []), (-1, ["settings.py"])])
def test_the_modules_that_are_followed_to_most_stay_in_a_third_of_the_room(opened, monkeypatch, third, again):
    project, read = opened
    follow(project, "other", "one", "two", "one")
    settings = project.module("settings.py")
    assert not project.trim()
    monkeypatch.setattr(kept, "MOST_KEPT", 3 * (len(FILES["settings.py"]) + third))
    monkeypatch.setattr(Project, "is_full", True)
    assert project.trim()
    read.clear()
    assert (project.module("settings.py") is settings) == (not again)
    project.module("user.py")
    assert read == [*again, "user.py"]


def test_a_barrel_is_asked_for_a_name_where_it_may_be(opened):
    project, read = opened
    project.tree = MemoryTree({
        **FILES,
        "user.py": "from barrel import deep, gone\n",
        "barrel.py": "from plain import *\nfrom passing import *\n",
        "plain.py": "def other(): return 1\n",
        "passing.py": "from below import *\n",
        "below.py": "def deep(): return 1\n",
    })
    project.linkers = Linkers(project.tree)
    follow(project, "deep")
    assert read == ["user.py", "barrel.py", "passing.py", "below.py"]
    project.definitions(project.module("user.py"), p.Name("gone", (0, 0)))
    assert "plain.py" not in read


def test_a_held_tree_asks_for_a_file_once_as_far_as_there_is_room(monkeypatch):
    asked: list[str] = []
    base = MemoryTree({"a": "12345", "b": "123"})
    once = base.read
    base.read = lambda path: asked.append(path) or once(path)
    monkeypatch.setattr(HeldTree, "ROOM", 7)
    held = HeldTree(base)
    for path in ("a", "b", "c", "a", "b", "c"):
        assert held.read(path) == once(path)
    assert asked == ["a", "b", "c", "b"]
