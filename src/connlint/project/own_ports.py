"""The port on which a server listens that is told none: the one of its version, or of its own configuration.

Facts: the migration guide of vite from 2 to 3 (3000 became 5173, for previews 5000 became 4173), the upgrade guide of
astro from 2 to 3 (3000 became 4321).
"""

from __future__ import annotations

import posixpath
from typing import Any

from connlint.patterns import regex
from connlint.project.answer import Found
from connlint.project.grounds import Ground
from connlint.project.project import Project
from connlint.project.start import Start

_TOLD = ("cloud-run", "heroku", "app-engine", "app-runner", "procfile", "render", "railway")
"""What sets the variable ``PORT``: platforms, and the programs that run a Procfile elsewhere."""
_SAYS = regex(rb"\bport\b|\.\.\.")
"""What a configuration says a port with, or takes one from elsewhere."""
_ANY = regex(rb"\bport\b\s*[:=]")


def of_version(entry: dict[str, Any], grounds: tuple[Ground, ...], path: str, project: Project) -> dict[str, Any]:
    """``entry`` with the port of the version that the package beside what runs asks for; as it is, where none does."""
    older = entry.get("port_before")
    linker: Any = project.linkers.get("javascript") if older else None
    if not older or linker is None:
        return entry
    answers = [ground.find("package.json") for ground in grounds]
    folders = {posixpath.dirname(answer.path) for answer in answers if isinstance(answer, Found)}
    if posixpath.basename(path) == "package.json":
        folders = {posixpath.dirname(path)}
    majors = {linker.resolver.packages.major(folder, entry["programs"][0]) for folder in folders}
    major = majors.pop() if len(majors) == 1 else None
    ports = [row["port"] for row in older if major is not None and major < row["version"]]
    return {**entry, "port": ports[0]} if ports else entry


def own_port(start: Start) -> int | None:
    """The port of ``start`` where no option and no variable tells it one; None where that is not known."""
    if start.running is not None and start.running.service.kind in _TOLD and "PORT" in start.listed("port_env"):
        return None
    pattern = start.entry.get("config_port")
    if pattern is not None:
        paths = {answer.path for ground in start.grounds for name in start.listed("config_files")
                 if isinstance(answer := ground.find(name), Found)}
        for path in sorted(paths):
            text = start.grounds[0].tree.read(path) or b""
            if _SAYS.search(text):
                said = regex(pattern).search(text.decode("utf-8", "replace"))
                alone = len(paths) == 1 and len(_ANY.findall(text)) == 1
                return int(said[1]) if said is not None and alone else None
        if start.options.has(start.listed("config_flags")):
            return None
    return start.entry.get("port")
