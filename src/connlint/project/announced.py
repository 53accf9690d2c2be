"""Whether those who run a project are told of a variable, and its tests have it: to require it stops all others.

What they are told stands in files of variables, in workflows, and in whatever else of a project sets or names them. A
project that has no file of variables and no workflow tells nobody anything, and they read the code.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from typing import Any

from connlint.model.finding import Edit
from connlint.model.source import Source, Undecodable
from connlint.patterns import regex
from connlint.project.bundled import package_names
from connlint.project.importers import importers
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.tree import Tree

_TELLING = regex(r"(?:^|/)(?:\.env[\w.-]*|[\w.-]*\.env|[\w-]*env[.-](?:example|sample|template|dist)[\w.]*"
                 r"|\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.circleci/config\.yml|\.devcontainer/[^/]+)$")
_EXAMPLE = regex(r"(?:^|/)(?:\.?env[._-](?:example|sample|template|dist)|(?:example|sample|template)\.env)$")
_NAMING = regex(r"(?:^|/)(?:[^/]*Dockerfile[^/]*|[^/]+\.(?:ya?ml|toml|tf|sh|cfg|ini|conf|service)|Makefile"
                r"|Procfile|package\.json|app\.json"
                r"|[^/]*(?i:readme|install|setup|config|env|deploy|develop|contributing)[^/]*\.(?:md|rst|txt|adoc))$")
_WORKFLOW = regex(r"(?:^|/)(?:\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.circleci/config\.yml)$")
_TESTS = regex(rb"\b(?:pytest|jest|vitest|mocha|unittest|tox|nox"
               rb"|(?:manage\.py|npm|yarn|pnpm|bun|make|nx)[ \t](?:run[ \t])?test)")
_BRINGS_ITS_OWN = regex(rb"\.env\b|\benv_file\b|\bdocker[ -]compose\b|\bsecrets: inherit\b")
_BUILDING = regex(r"(?:^|/)(?:[^/]*Dockerfile[^/]*|\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml"
                  r"|\.circleci/config\.yml)$")
_BUILD = regex(rb"(?:npm|yarn|pnpm|bun|next|turbo|nx)[ \t](?:run[ \t])?(?:[\w:-]+[ \t])?build\b")
_IMAGE = regex(r"(?:^|/)(?:[^/]*Dockerfile[^/]*|Containerfile)$")
_DJANGO = regex(rb"(?m)^\s*RUN\b(?:[^\n]|\\\n)*\bmanage\.py\b")
"""Commands of Django load its settings, and with them all applications."""
_FOR_BUILDS = regex(r"(?:^|/)\.env(?:\.production)?$")
_FOR_TESTS = regex(r"(?:^|/)(?:conftest\.py|pytest\.ini|tox\.ini|noxfile\.py|setup\.cfg|pyproject\.toml|Makefile"
                   r"|package\.json"
                   r"|(?:jest|vitest|playwright|cypress)[\w.-]*\.[cm]?[jt]s|[\w.-]*[Ss]etup[\w.-]*\.(?:[cm]?[jt]s|py)"
                   r"|\.env(?:\.(?:test|ci|development)[\w.]*)?)$")
_TEST = regex(r"(?:^|/)(?:tests?|__tests__|specs?|e2e)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|tests?)\.py$"
              r"|[.-](?:test|spec|cy)\.[cm]?[jt]sx?$")
_SETTINGS = regex(r"(?:^|/)settings(?:\.py$|/)")
_MOST = 300
"""Files, one importing the other, that are looked at for a test among them."""
_WRITTEN = regex(rb">>?[ \t]*[\"']?[\w./-]*\.env\b")
"""What a workflow writes into a file of variables, it names."""
_TAKEN = regex(rb"\$\{\{[^}]*\}\}")
_WORD = regex(rb"[A-Z][A-Z0-9_]{2,}")
_LARGEST = 300_000
"""Bytes; longer files are written by machines."""


def is_announced(project: Project, variable: str) -> bool:
    """Whether ``variable`` is named in a file that is no code; True as well where no such file is there to tell."""
    memo = project.memo.setdefault(is_announced, {})
    if "told" not in memo:
        paths = sorted(path for path in project.tree.paths if _TELLING.search(path))
        memo["told"] = _words(project.tree, paths) if paths else None
    if memo["told"] is None or not _WORD.fullmatch(variable.encode()) or variable.encode() in memo["told"]:
        return True
    return named(project, variable)


def named(project: Project, variable: str) -> bool:
    """Whether ``variable`` is named in a file of variables, in one of a deployment, or in a manual."""
    memo = project.memo.setdefault(named, {})
    if "" not in memo:
        paths = (path for path in project.tree.paths if _NAMING.search(path) or _TELLING.search(path))
        memo[""] = _words(project.tree, paths)
    return variable.encode() in memo[""]


def announcement(project: Project, path: str, variable: str, value: str) -> Edit | None:
    """An edit that names ``variable`` with ``value`` in the example of a file of variables that the file ``path`` has
    beside it or above; None where it has none, or several in one folder."""
    from connlint.languages.deployment.rewrite import with_variable

    memo: dict[str, list[str]] = project.memo.setdefault(announcement, {})
    if not memo:
        for one in sorted(project.tree.paths):
            if _EXAMPLE.search(one):
                memo.setdefault(posixpath.dirname(one), []).append(one)
    folder = posixpath.dirname(path)
    while folder not in memo and folder:
        folder = posixpath.dirname(folder)
    found = memo.get(folder, [])
    data = project.tree.read(found[0]) if len(found) == 1 else None
    try:
        return with_variable(Source.decode(found[0], data), variable, value) if data else None
    except Undecodable:
        return None


def tests_know(project: Project, path: str, variable: str) -> bool:
    """Whether the tests have ``variable``, so that the file ``path`` may need it while it is imported; True as well
    where a workflow brings the variables in a way that does not show, and where no test imports the file."""
    memo = project.memo.setdefault(tests_know, {})
    if "words" not in memo:
        tree = project.tree
        flows = {path: tree.read(path) or b"" for path in tree.paths if _WORKFLOW.search(path)}
        running = [path for path, data in flows.items() if _TESTS.search(data)]
        settled = any(_BRINGS_ITS_OWN.search(_WRITTEN.sub(b"", flows[path])) for path in running)
        memo["flows"] = bool(running)
        paths = (path for path in tree.paths if _FOR_TESTS.search(path))
        # what a workflow takes from elsewhere it does not give to anything by that
        own = frozenset(word for path in running for word in _WORD.findall(_TAKEN.sub(b"", flows[path])))
        # who runs them by hand has what a file of variables names
        given = () if running else (path for path in tree.paths if _TELLING.search(path))
        memo["words"] = None if settled else own | _words(tree, sorted({*paths, *given}))
    if memo["words"] is None or variable.encode() in memo["words"]:
        return True
    if memo["flows"] and _SETTINGS.search(path) and any(posixpath.basename(one) == "manage.py"
                                                        for one in project.tree.paths):
        return False  # Django loads its settings for every test
    return not _tests_import(project, path)


def _tests_import(project: Project, path: str) -> bool:
    """Whether a test imports the file ``path``, or one that does."""
    index = importers(project)
    found = {path}
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if _TEST.search(here) or len(found) > _MOST:
            return True
        fresh = [other for other in index.of(here) if other not in found]
        found.update(fresh)
        waiting += fresh
    return False


def builds_know(project: Project, path: str, variable: str, table: Collection[dict[str, Any]]) -> bool:
    """Whether the builds of the package of ``path`` have ``variable``, so that a file may need it while it is loaded;
    True as well where no build loads the package's files, or none is written down.

    ``table`` are the entries of what makes code for browsers: ``loading`` names those whose builds load what the server
    runs.
    """
    if path.endswith(".py"):
        return not any(_DJANGO.search(data) and variable.encode() not in data for data in _images(project))
    memo = project.memo.setdefault(builds_know, {})
    if (root := own_root(project, path)) not in memo:
        names = package_names(project, root)
        memo[root] = any(not names.isdisjoint(entry.get("loading", ())) for entry in table)
    if not memo[root]:
        return True
    if None not in memo:
        tree = project.tree
        building = [one for one in sorted(tree.paths) if _BUILDING.search(one) and _BUILD.search(tree.read(one) or b"")]
        written = [one for one in sorted(tree.paths) if _FOR_BUILDS.search(one)]
        memo[None] = _words(tree, [*building, *written]) if building else None
    return memo[None] is None or variable.encode() in memo[None]


def _images(project: Project) -> list[bytes]:
    """What the images of a project are built by."""
    memo: dict[str, list[bytes]] = project.memo.setdefault(_images, {})
    if "" not in memo:
        tree = project.tree
        memo[""] = [tree.read(one) or b"" for one in sorted(tree.paths) if _IMAGE.search(one)]
    return memo[""]


def _words(tree: Tree, paths: Iterable[str]) -> frozenset[bytes]:
    """The words in capital letters of some files."""
    found: set[bytes] = set()
    for path in paths:
        data = tree.read(path)
        if data is not None and len(data) <= _LARGEST:
            found.update(_WORD.findall(data))
    return frozenset(found)
