"""The images that a ``Tiltfile`` builds. Its language, Starlark, is written as Python is.

Facts: Tilt's reference of ``docker_build``: the name of the image, then the folder of the context; ``dockerfile`` is a
file from the Tiltfile on, and ``Dockerfile`` in the context where it is not given. ``docker_build_with_restart`` is
the same with a wrapper around what is started.
"""

from __future__ import annotations

import ast
import posixpath
import warnings
from collections.abc import Iterator

_BUILDS = ("docker_build", "docker_build_with_restart")


def built_by_tilt(path: str, data: bytes) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Each image that the file at ``path`` builds with words of its own: its name, the folder of the context, as paths
    of the project, the Dockerfile as seen from there, and the stage; None where these are not said."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    folder = posixpath.dirname(path)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in _BUILDS:
            continue
        given = {**dict(zip(("ref", "context"), node.args)), **{it.arg: it.value for it in node.keywords if it.arg}}
        told = {name: it.value for name, it in given.items()
                if isinstance(it, ast.Constant) and isinstance(it.value, str)}
        if "ref" not in told or "context" not in told or "dockerfile_contents" in given or any(
                name in given and name not in told for name in ("dockerfile", "target")):
            continue
        context = posixpath.normpath(posixpath.join(folder, told["context"]))
        file = told.get("dockerfile")
        recipe = posixpath.relpath(posixpath.join(folder, file), context) if file is not None else None
        yield told["ref"], context, recipe, told.get("target") or None
