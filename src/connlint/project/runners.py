"""Which files the runners of tests of JavaScript take by the patterns that they are given, or by those of their own.

Facts: the documentation of Jest (``testMatch``, and what it is by default; ``testRegex`` and ``projects``), of Vitest
(``include``, ``exclude``; ``vitest.config`` goes before ``vite.config``), of Playwright (``testDir``), of Cypress
(``cypress/``) and of Node.js (``--test`` with patterns). Other runners, and what is put together, may take any file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.project import Project
from connlint.project.tree import above

_OTHERS = regex(
    rb'"(?:ava|tap|tape|jasmine|karma|uvu|nightwatch|webdriverio|@wdio/[\w-]+|@web/test-runner|japa|qunit|lab)"\s*:|'
    rb"\bmocha(?:\s|\"(?!\s*:))|\bbun test\b|\bdeno test\b|\b(?:nx|turbo|lerna|ng) (?:run )?test\b|vitest/workspace")
_OF_JEST = ("**/__tests__/**/*.{js,jsx,ts,tsx,mjs,cjs,mts,cts}",
            "**/{test,spec,*.test,*.spec}.{js,jsx,ts,tsx,mjs,cjs,mts,cts}")
_OF_VITEST = ("**/*.{test,spec}.{js,jsx,ts,tsx,mjs,cjs,mts,cts}",)
_ENDING = r"\.(?:[cm]?[jt]s|json)$"
_JEST = regex(r"jest[\w.-]*" + _ENDING)
_VITEST = regex(r"vitest(?:[\w.-]*)\.config[\w.-]*" + _ENDING)
_VITE = regex(r"vite\.config" + _ENDING)
_PLAYWRIGHT = regex(r"playwright[\w.-]*" + _ENDING)
_CYPRESS = regex(r"cypress(?:\.config)?" + _ENDING)
_WORKSPACE = regex(r"vitest\.(?:workspace|projects)" + _ENDING)
_NODE = regex(r"\bnode\b[^&|;]*\s--test(?=\s|$)([^&|;]*)")
_CONFIG = regex(r"\bvitest\b[^&|;]*\s(?:--config|-c)[ =](\S+)")
_ELSEWHERE = ("testRegex", "rootDir")
"""What makes the patterns of Jest others, or others' than of this folder."""
_SIGNS = regex(r"\*\*/?|[*?{},\[\]()!+@|]|[^*?{},\[\]()!+@|]+")


def takes(project: Project, path: str) -> bool | None:
    """Whether a runner takes the file at ``path``; None where there is none, or nobody knows."""
    told = False
    for folder in above(path.rpartition("/")[0]):
        memo = project.memo.setdefault(takes, {})
        if folder not in memo:
            memo[folder] = _patterns(project, folder)
        if memo[folder] is None:
            return None
        inside = path[len(folder) + 1 :] if folder else path
        for taken, left in memo[folder]:
            told = True
            if _fits(taken, inside) is not False and not (left and _fits(left, inside)):
                return True
    return False if told else None


def _patterns(project: Project, folder: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]] | None:
    """The patterns of each run of tests that is started in ``folder``: what it takes, and what of that it leaves.

    None where nobody knows.
    """
    prefix = f"{folder}/" if folder else ""
    names = sorted(name for path in project.tree.paths
                   if path.startswith(prefix) and "/" not in (name := path[len(prefix):]))
    data = project.tree.read(f"{prefix}package.json") if "package.json" in names else None
    if _OTHERS.search(data or b"") or any(_WORKSPACE.match(name) for name in names):
        return None
    package = jsonc.loads(data) or {}
    listed = {name for key in ("dependencies", "devDependencies") for name in jsonc.mapping(package.get(key))}
    scripts = [text for text in jsonc.mapping(package.get("scripts")).values() if isinstance(text, str)]
    found: list[Any] = []
    if any(re.search(r"(?:^|[\s/])(?:jest|react-scripts test)(?=\s|$)", text) for text in scripts) or (
            "jest" in package or not listed.isdisjoint(("jest", "react-scripts"))):
        configs = [name for name in names if _JEST.match(name)]
        found += [_of_jest(project, prefix + name) for name in configs] or [((*_OF_JEST,), ())]
        if "jest" in package:
            found = [_of_jest_in(jsonc.mapping(package["jest"]))]
    if "vitest" in listed or any(_VITEST.match(name) for name in names):
        own = [name for name in names if _VITEST.match(name)] or [name for name in names if _VITE.match(name)]
        own += [told.removeprefix("./") for text in scripts for told in _CONFIG.findall(text)]
        found += [_of_vitest(project, prefix + name) for name in own] or [(_OF_VITEST, ())]
    for text in scripts:
        for words in _NODE.findall(text):
            globs = [word.strip("'\"") for word in words.split() if not word.startswith("-")]
            found.append((tuple(globs), ()) if globs and all("*" in word or "." in word for word in globs) else None)
    found += [_of_playwright(project, prefix + name) for name in names if _PLAYWRIGHT.match(name)]
    found += [(("cypress/**", "**/*.cy.*"), ()) for name in names if _CYPRESS.match(name)]
    return None if None in found else found


def _of_jest(project: Project, path: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    if path.endswith(".json"):
        return _of_jest_in(jsonc.loads(project.tree.read(path)) or {})
    module = project.module(path)
    entries = list(module.nodes(p.Entry)) if module is not None else []
    keys = {entry.key.value for entry in entries if type(entry.key) is p.Text}
    if module is None or not keys.isdisjoint(_ELSEWHERE) or any(entry.key is None for entry in entries):
        return None
    taken: list[str] = []
    for entry in entries:
        if type(entry.key) is p.Text and entry.key.value in ("testMatch", "projects", "preset"):
            texts = _texts(entry.value)
            if entry.key.value == "preset":
                if type(entry.value) is not p.Text or entry.value.value[:1] in ".<":
                    return None
            elif entry.key.value == "projects":
                if type(entry.value) is not p.Sequence or any(type(it) is not p.Record for it in entry.value.items):
                    return None
            elif texts is None:
                return None
            else:
                taken += texts
    return (tuple(taken) or _OF_JEST, ())


def _of_jest_in(table: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    match = table.get("testMatch")
    if not {*_ELSEWHERE, "projects", "preset"}.isdisjoint(table) or not isinstance(match, list | None):
        return None
    return (tuple(str(text) for text in match) if match else _OF_JEST, ())


def _of_vitest(project: Project, path: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    module = project.module(path)
    if module is None:
        return None
    named = [(entry.key.value, entry.value) for entry in module.nodes(p.Entry) if type(entry.key) is p.Text]
    tests = [value for name, value in named if name == "test" and type(value) is p.Record]
    if len(tests) > 1 or any(entry.key is None for record in tests for entry in record.entries):
        return None
    if any(name == "root" or (name == "test" and value not in tests) for name, value in named) or (
            not tests and any(it.module.startswith(".") for it in module.nodes(p.Import))):
        return None
    own = {entry.key.value: entry.value for record in tests for entry in record.entries if type(entry.key) is p.Text}
    if not {"projects", "workspace", "root", "dir", "includeSource", "typecheck"}.isdisjoint(own):
        return None
    taken = _texts(own["include"]) if "include" in own else list(_OF_VITEST)
    left = _texts(own["exclude"]) if "exclude" in own else []
    return (tuple(taken), tuple(left or ())) if taken is not None else None


def _of_playwright(project: Project, path: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    module = project.module(path)
    folders = [entry.value for entry in module.nodes(p.Entry)
               if type(entry.key) is p.Text and entry.key.value == "testDir"] if module is not None else []
    texts = [value.value.removeprefix("./").strip("/") for value in folders if type(value) is p.Text]
    if not folders or len(texts) != len(folders) or not all(texts) or any(".." in text for text in texts):
        return None
    return tuple(f"{text}/**" for text in texts), ()


def _texts(value: Any) -> list[str] | None:
    """The texts of a list; None where it holds anything else."""
    if type(value) is not p.Sequence:
        return None
    texts = [item.value for item in value.items if type(item) is p.Text]
    return texts if len(texts) == len(value.items) else None


def _fits(globs: tuple[str, ...], path: str) -> bool | None:
    """Whether one of ``globs`` takes ``path``; None where one cannot be read."""
    found: bool | None = False
    for glob in globs:
        text = glob.replace("<rootDir>/", "").removeprefix("./")
        pattern = "".join(_as_regex(text))
        try:
            taken = re.fullmatch(pattern, path) is not None
        except re.error:
            return None
        if text.startswith("!") or any(mark in text for mark in ("!(", "+(", "@(", "*(", "?(")):
            return None  # nobody knows
        found = found or taken
    return found


def _as_regex(glob: str) -> Iterator[str]:
    """The parts of the regular expression that matches what ``glob`` does."""
    depth = 0
    for sign in _SIGNS.findall(glob):
        if sign in ("**/", "**"):
            yield "(?:.*/)?" if sign == "**/" else ".*"
        elif sign in "*?":
            yield "[^/]*" if sign == "*" else "[^/]"
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            yield "(?:" if sign == "{" else ")"
        elif sign in "()" or (sign == "|" or (sign == "," and depth)):
            yield {"(": "(?:", ")": ")"}.get(sign, "|")
        elif sign in "[]":
            yield sign
        else:
            yield re.escape(sign)
