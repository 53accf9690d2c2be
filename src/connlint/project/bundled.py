"""Variables that bundlers know at build time: from the files beside the package, and from what their configuration puts
in the place of a read.

What is written there goes into every bundle, so that whoever deploys it has nothing to set.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable
from typing import Any

from connlint.languages.deployment.dotenv import read_dotenv
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.address import loopback
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.tree import Tree

_FILES = (".env.production", ".env")
"""Files that bundlers read for every bundle that is shipped, the one that counts more first."""
_CONFIGURATION = regex(r"(?:^|/)(?:webpack|rspack|rsbuild|rollup|vite|vue)[\w.-]*\.[cm]?[jt]s$")
_LARGEST = 100_000


def is_bundled(project: Project, path: str, variables: Iterable[str], prefixes: Collection[str]) -> bool:
    """Whether one of ``variables``, read in the file ``path``, gets another value than loopback from its build.

    ``prefixes`` begin the variables that bundlers take from their files of variables.
    """
    if path.endswith(".py"):
        return False
    root = own_root(project, path)
    for name in variables:
        if name.startswith(tuple(prefixes)) and _written(project.tree, root, name):
            return True
        if _replaced(project, root, name):
            return True
    return False


def is_inlined(project: Project, path: str, variable: str, table: Collection[dict[str, Any]]) -> bool:
    """Whether a bundler may put the value in the place of a read in ``path``, so that only a read that names the
    variable gets it.

    ``table`` are the entries of what makes code for browsers: packages, and prefixes of variables.
    """
    if any(variable.startswith(tuple(entry["prefixes"])) for entry in table):
        return True
    root = own_root(project, path)
    known: dict[str, bool] = project.memo.setdefault(is_inlined, {})
    if root not in known:
        listed = package_names(project, root)
        known[root] = any(not listed.isdisjoint(entry["packages"]) for entry in table)
    return known[root]


def is_for_pages(project: Project, path: str, variable: str, table: Collection[dict[str, Any]]) -> bool:
    """Whether ``variable`` is known to pages alone, so that nobody but their visitors would see what is thrown without
    it: builds that load what they make would see it too.

    ``table`` are the entries of what makes code for browsers; ``loading`` names those whose builds load it.
    """
    if path.endswith(".py") or not any(variable.startswith(tuple(entry["prefixes"])) for entry in table):
        return False
    names = package_names(project, own_root(project, path))
    return not any(not names.isdisjoint(entry.get("loading", ())) for entry in table)


def package_names(project: Project, root: str) -> frozenset[str]:
    """The names of the packages that the one in the folder ``root`` depends on, for its work or for its making."""
    package = jsonc.loads(project.tree.read(posixpath.join(root, "package.json"))) or {}
    return frozenset(name for key in ("dependencies", "devDependencies") for name in jsonc.mapping(package.get(key)))


def _written(tree: Tree, root: str, name: str) -> bool:
    for file in _FILES:
        path = posixpath.join(root, file)
        data = tree.read(path) if path in tree.paths else None
        known = read_dotenv(path, data).get(name) if data is not None else None
        if known is not None:
            return bool(known.written) and loopback(known.written) is None
    return False


def _replaced(project: Project, root: str, name: str) -> bool:
    """Whether a bundler is told a literal that it shall put in the place of ``process.env.NAME``."""
    memo = project.memo.setdefault(_replaced, {})
    if root not in memo:
        prefix = f"{root}/" if root else ""
        found = [path for path in project.tree.paths if path.startswith(prefix) and _CONFIGURATION.search(path)
                 and path.count("/") <= prefix.count("/") + 1]
        texts = [data for path in sorted(found) if (data := project.tree.read(path)) is not None]
        memo[root] = [data for data in texts if len(data) < _LARGEST and b"process.env" in data]
    written = rb"""['"]process\.env(?:\.|['"]\s*:\s*\{[^}]*?\b)%s['"]?\s*:\s*""" % re.escape(name.encode())
    literal = re.compile(written + rb"""(?:JSON\.stringify\(\s*)?['"`]+([^'"`\n$]+)""")
    values = [match[1].decode("utf-8", "replace") for data in memo[root] for match in literal.finditer(data)]
    return any(loopback(value) is None for value in values)
