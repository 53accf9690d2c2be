"""Which files the runners of tests take by themselves, as far as that is surely told by names.

A runner that takes whatever lies in its folders, or expressions of the project's own, leave it unknown: then it may
take any file.
"""

from __future__ import annotations

import re

from connlint.patterns import regex
from connlint.project.importers import importers
from connlint.project.project import Project
from connlint.project.runners import takes

_BY_NAME = regex(rb'"(?:jest|ts-jest|react-scripts|vitest|cypress|@playwright/test)"\s*:')
"""Runners that take files by their names."""
_BY_PLACE = regex(
    rb'"(?:ava|tap|tape|jasmine|karma|uvu|nightwatch|webdriverio|@wdio/[\w-]+|@web/test-runner|japa|qunit|lab)"\s*:|'
    rb"\bmocha(?:\s|\"(?!\s*:))|--test\b|\bbun test\b|\bdeno test\b|testRegex|specPattern|testDir")
"""Those that take all that lies in a folder, or what an expression says."""
_CHOSEN = regex(rb"(?:testMatch|\binclude)[\"']?\s*:\s*(\[[^\]]*\]|[\"'][^\"']*[\"'])")
_QUOTED = regex(rb"[\"'`]([^\"'`]+)[\"'`]")
_TELLING = regex(rb"(?:test|spec|cy)\)?\.|\((?:test|spec)|\|(?:test|spec)|\{(?:test|spec)|__tests__")
"""What stands in a glob that takes tests by their names."""
_TEST = regex(
    r"(?:^|[._/])(?:test|spec|cy|e2e-spec|steps|setup|bench|stories)\.[cm]?[jt]sx?$|"
    r"(?:^|/)(?:__tests__|__mocks__|e2e|integration|component|fixtures?|plugins)/")
_LOADED = frozenset(
    "setup teardown globalsetup globalteardown setuptests commands index component e2e environment".split())
"""Names of files that configurations of runners name, and that Cypress looks for."""
_OF_RUNNERS = regex(
    rb"\b(?:jest|vi|cy|Cypress)\.\w|^\s*(?:describe|it|test|beforeEach|afterEach)\(|"
    rb"^\s*export\b|\bexports\b", re.M)
"""What only a runner of tests knows; and what is there for others to import."""
_PROGRAM = regex(rb"^if __name__ == ['\"]__main__['\"]", re.M)
_HAS_TESTS = regex(rb"^[ \t]*(?:async[ \t]+)?def test|^class Test|^class \w+Test", re.M)
_TOLD = regex(r"(?:^|/)(?:[^/]*requirements[^/]*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)|tox\.ini|pytest\.ini|"
              r"Pipfile|Makefile|noxfile\.py|[^/]+\.ya?ml)$")
"""Files that may speak of a runner."""
_CONFIGURATIONS = ("jest.config", "vitest.config", "vite.config", "playwright.config", "cypress.config", ".mocharc")
_ENDINGS = (".js", ".ts", ".mjs", ".cjs", ".mts", ".json", ".yml", ".yaml", "")


def is_left_alone(project: Project, path: str) -> bool:
    """Whether no runner of the package takes the file at ``path``, which stands among its tests, by itself, and nobody
    can start it without one."""
    name = path.rpartition("/")[2]
    if path.endswith(".py"):
        return _is_mere_program(project, path)
    if _TEST.search(path) is not None:
        return takes(project, path) is False
    if not _LOADED.isdisjoint(name.lower().replace("-", "").replace("_", "").replace(".", " ").split()):
        return False
    data = project.tree.read(path) or b""
    if data.startswith(b"#!") or _OF_RUNNERS.search(data) is None:
        return False
    memo = project.memo.setdefault(is_left_alone, {})
    folder = path.rpartition("/")[0]
    if folder not in memo:
        memo[folder] = _takes_by_name(project, folder)
    return bool(memo[folder])


def _is_mere_program(project: Project, path: str) -> bool:
    """Whether a file of Python is a program that has no tests in it, in a project that knows no runner of them."""
    data = project.tree.read(path) or b""
    index = importers(project)
    return (_PROGRAM.search(data) is not None and _HAS_TESTS.search(data) is None
            and not any("site-packages" not in other for word in ("pytest", "unittest", "nose", "TestCase")
                        for other in index.mentions(word, path))
            and not any(b"pytest" in (project.tree.read(other) or b"") for other in project.tree.paths
                        if _TOLD.search(other) and "site-packages" not in other))


def _takes_by_name(project: Project, below: str) -> bool:
    """Whether all that runs tests in the folder ``below``, and in those above, tells them by their names."""
    texts = []
    parts = below.split("/")
    for folder in ("/".join(parts[:count]) for count in range(len(parts), -1, -1)):
        for name in ("package.json", *(base + end for base in _CONFIGURATIONS for end in _ENDINGS)):
            place = f"{folder}/{name}" if folder else name
            if place in project.tree.paths:
                texts.append(project.tree.read(place) or b"")
    if not any(_BY_NAME.search(text) for text in texts) or any(_BY_PLACE.search(text) for text in texts):
        return False
    return all(_TELLING.search(glob) for text in texts for chosen in _CHOSEN.findall(text)
               for glob in _QUOTED.findall(chosen))
