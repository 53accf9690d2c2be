"""Variables without which a migration stops that the deployed program runs before it starts itself:
``npx prisma migrate deploy && node main.js``."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from connlint.model.rule import Rules
from connlint.patterns import alone, regex
from connlint.project import jsonc
from connlint.project.project import Project

_STARTING = regex(r"(?:^|/)(?:[^/]*Dockerfile[^/]*|Procfile|[^/]*compose[^/]*\.ya?ml|[^/]+\.(?:sh|bash)"
                  r"|package\.json)$")
_STOPS = regex(rb"^[ \t]*set[ \t]+-\w*e|^#!.*sh[ \t]+-\w*e|^[ \t]*set[ \t]+-o[ \t]+errexit", re.M)
"""A script that ends with the first command which fails."""
_LARGEST = 200_000


def demanded_by_migration(project: Project, rules: Rules, names: set[str]) -> bool:
    """Whether what the project runs before the program starts needs one of the variables ``names``.

    The ``[[migration]]`` tables say which commands these are, and where it is written what they need.
    """
    return any(_is_declared(project, entry["declared_in"], name) and _is_run_first(project, entry["commands"])
               for entry in rules.apis.get("migration", ()) for name in sorted(names))


def _is_declared(project: Project, pattern: str, name: str) -> bool:
    known: dict[tuple[str, str], bool] = project.memo.setdefault(_is_declared, {})
    if (pattern, name) not in known:
        files = re.compile(pattern)
        word = alone(name.encode())
        known[pattern, name] = any(word.search(project.tree.read(path) or b"")
                                   for path in project.tree.paths if files.search(path))
    return known[pattern, name]


def _is_run_first(project: Project, commands: list[str]) -> bool:
    """Whether a start of the project runs one of ``commands``, and goes no further where that fails."""
    key = tuple(commands)
    known: dict[tuple[str, ...], bool] = project.memo.setdefault(_is_run_first, {})
    if key not in known:
        run = re.compile(rb"\b(?:%s)\b" % b"|".join(re.escape(command.encode()) for command in commands))
        known[key] = any(_goes_on(path, text, found) for path, text in _starts(project) for found in run.finditer(text))
    return known[key]


def _starts(project: Project) -> Iterator[tuple[str, bytes]]:
    """The texts with which programs are started; of a package, the scripts that say so by their names."""
    for path in sorted(project.tree.paths):
        data = project.tree.read(path) if _STARTING.search(path) else None
        if data is None or len(data) > _LARGEST:
            continue
        if posixpath.basename(path) != "package.json":
            yield path, data
            continue
        for name, script in jsonc.mapping(jsonc.mapping(jsonc.loads(data)).get("scripts")).items():
            if name.startswith("start") and "dev" not in name and isinstance(script, str):
                yield path, script.encode()


def _goes_on(path: str, text: bytes, found: re.Match[bytes]) -> bool:
    """Whether something is started where the command ``found`` has succeeded, and only there."""
    line = text[found.end() : text.find(b"\n", found.end()) if b"\n" in text[found.end():] else len(text)]
    if b"||" in line or text[: found.start()].rpartition(b"\n")[2].lstrip().startswith((b"#", b"RUN")):
        return False
    if b"&&" in line:
        return True
    return path.endswith((".sh", ".bash")) and _STOPS.search(text, 0, found.start()) is not None
