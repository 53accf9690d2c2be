"""What the configuration of a server says, where that is a file of Python."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.model.deployment import Word
from connlint.model.finding import Place
from connlint.project.answer import Found, Missing
from connlint.project.project import Project
from connlint.project.start import Start


def in_configuration(start: Start, names: list[str], project: Project) -> Word | None:
    """What the tool's configuration binds one of ``names`` to, as a word of that file: its value is None where that
    cannot be known, and "" where it says nothing of it. None where there is no configuration that can be read.
    """
    if not names or not start.configured:
        return None
    unknown, nothing = Word(None, start.command.place), Word("", start.command.place)
    flag = start.options.first(start.listed("config_flags"))
    paths = [flag.value] if flag is not None else start.listed("config_files")
    lost = start.options.has(start.listed("config_flags")) and flag is None
    if lost or start.variable("config_env") is not None:
        return unknown
    found = {answer.path for path in paths if path for ground in start.grounds
             if isinstance(answer := ground.find(path.removeprefix("file:")), Found)}
    module = project.module(path) if len(found) == 1 and (path := found.pop()).endswith(".py") else None
    if module is None:
        return unknown
    bound = [definition for name in names for definition in module.scope.names.get(name, ())]
    if not bound:
        linker: Any = project.linkers.get("python")
        sure = linker is not None and all(isinstance(linker.binds(module.path, name), Missing) for name in names)
        return nothing if sure else unknown
    value = bound[0].value
    if len(bound) > 1 or bound[0].path or type(value) is not p.Text:
        return unknown
    place = Place(module.path, value.at)
    return Word(value.value, place, value.value)
