"""Files of variables of a project, and what is known of those that are kept out of it.

A file with secrets is mostly ignored, and an example of it stands in the project; the example says which variables the
file has.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from connlint.languages.deployment.dotenv import read_dotenv
from connlint.model.deployment import Known
from connlint.project.tree import Tree

_OF_PRODUCTION = (".env.production", ".env.prod")
_ENDINGS = (".example", ".sample", ".template", ".dist", ".tpl", ".tmpl", ".defaults", ".default",
            "-example", "-sample", "_example", "_sample")


def variables_of(tree: Tree, path: str) -> dict[str, Known] | None:
    """The variables of the file at ``path``, or of its examples; None where neither is there."""
    if (data := tree.read(path)) is not None:
        return read_dotenv(path, data)
    found: dict[str, Known] | None = None
    for example in _examples(path):
        if (data := tree.read(example)) is not None:
            found = read_dotenv(example, data) | (found or {})
    return found


def _examples(path: str) -> Iterator[str]:
    folder, name = posixpath.split(path)
    bare = name.lstrip(".")
    for ending in _ENDINGS:
        yield posixpath.join(folder, name + ending)
        yield posixpath.join(folder, f"{ending[1:]}.{bare}")
        if not name.startswith("."):
            yield posixpath.join(folder, f".{name}{ending}")
        else:
            yield posixpath.join(folder, bare + ending)


def in_production(tree: Tree, path: str, names: Iterable[str]) -> Known | None:
    """What a file of variables for production, beside the code at ``path`` or above it, says of the first of ``names``
    that it knows."""
    folder = path
    while folder:
        folder = posixpath.dirname(folder)
        for name in _OF_PRODUCTION:
            file = posixpath.join(folder, name)
            if file in tree.paths and (data := tree.read(file)) is not None:
                told = read_dotenv(file, data)
                if known := next((told[variable] for variable in names if variable in told), None):
                    return known
    return None


def may_be_there(tree: Tree, path: str) -> bool:
    """Whether a file that nothing is known of may stand at ``path`` on the machines that run the project."""
    return variables_of(tree, path) is None and tree.ignored(path)
