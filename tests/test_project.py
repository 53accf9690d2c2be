"""What a project keeps of its files, and what it reads again."""

from __future__ import annotations

import pytest

from connlint.model import program as p
from connlint.project import project as kept
from connlint.project.project import Project
from connlint.project.tree import MemoryTree
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
