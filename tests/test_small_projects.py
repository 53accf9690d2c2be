"""Every project of ``small_projects.txt`` is reported exactly as its marks say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from projects import Site, report, sites

_MARK = re.compile(r" ~~(todo )?([a-z][a-z -]*)$")


def projects() -> dict[str, dict[str, list[str]]]:
    """The lines of every file of every project, with their marks."""
    found: dict[str, dict[str, list[str]]] = {}
    files: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / "small_projects.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("=== "):
            files = found[line[4:]] = {}
        elif line.startswith("--- "):
            rows = files[line[4:]] = []
        elif files:
            rows.append(line)
    return found


PROJECTS = projects()


@pytest.mark.parametrize("name", PROJECTS)
def test_small_project(name: str) -> None:
    want: set[Site] = set()
    todo: set[Site] = set()
    texts: dict[str, str] = {}
    for path, lines in PROJECTS[name].items():
        for number, line in enumerate(lines, 1):
            if mark := _MARK.search(line):
                (todo if mark[1] else want).update((path, number, rule) for rule in mark[2].split())
        texts[path] = "".join(_MARK.sub("", line) + "\n" for line in lines)
    got = sites(report(texts))
    assert got == want, "missed or reported besides"
    assert not got & todo, "a known mistake has gone: take the word todo away"
