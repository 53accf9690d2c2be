"""Servers that a program starts by itself and whose application it names in a text: ``uvicorn.run("shop.main:app")``;
and the lists of programs that pm2 starts.

Such a call is a command line by another name; which calls these are, and what their options mean, says the table
`server`. Where a program changes its folder or its search path, nothing is known of it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connlint.model import program as p
from connlint.model.deployment import Command, Known, Word
from connlint.model.finding import Place
from connlint.patterns import regex
from connlint.project.project import Project

_TARGET = regex(rb"[\"'][\w./]+:[\w.]+(?:\(\))?[\"']")
_LISTED = regex(r"(?:^|/)(?:ecosystem|pm2|process(?:es)?)(?:[.-][\w.-]+)?\.[cm]?js$")
_PROGRAM = regex(r"[\w@./-]+\.(?:[cm]?js|[cm]?ts|py)$")
_MOVES = (b"sys.path", b"chdir", b"runpy", b"PYTHONPATH")


def commands_in_code(project: Project, entries: Mapping[str, Mapping[str, Any]],
                     paths: Collection[str]) -> Iterator[Command]:
    """The command lines that calls in those of ``paths`` stand for that are Python; ``entries`` are rows of the table
    by the call's name."""
    words = tuple({(name.partition(".")[0].encode(), f"{name.rpartition('.')[2]}(".encode()) for name in entries})
    for path in sorted(paths):
        data = project.tree.read(path) if entries and path.endswith(".py") else None
        if data is None or not any(package in data and word in data for package, word in words):
            continue
        if _TARGET.search(data) is None or any(word in data for word in _MOVES):
            continue
        module = project.module(path)
        for call in module.nodes(p.Call) if module is not None else ():
            entry = entries.get(module.qualified(call.callee) or "") if module is not None else None
            if entry is not None and (command := _as_command(call, path, entry)) is not None:
                yield command


def _as_command(call: p.Call, path: str, entry: Mapping[str, Any]) -> Command | None:
    """``call`` as a command line; None where the application is no text, or where it is looked for is not known."""
    target = call.args[0].value if call.args else None
    if type(target) is not p.Text or call.args[0].name is not None:
        return None
    words = [Word(entry["programs"][0], Place(path, call.callee.at)),
             Word(target.value, Place(path, target.at), target.value)]
    protocols, switches = entry.get("protocol_flags", ()), entry.get("factory_flags", ())
    for argument in call.args[1:]:
        flag = "--" + (argument.name or "").replace("_", "-")
        if argument.spread or flag in entry.get("folder_flags", ()):
            return None
        value = argument.value
        if flag in protocols or flag in switches:
            words.append(Word(flag, Place(path, value.at), flag))
        if flag in protocols:
            text = value.value if type(value) is p.Text else None
            words.append(Word(text, Place(path, value.at), text or "?"))
    return Command(tuple(words), Place(path, call.at), False, {}, posixpath.dirname(path))


def listed_commands(project: Project, paths: Collection[str]) -> Iterator[Command]:
    """The programs in those of ``paths`` that pm2 reads: ``apps: [{ script: "server.js", cwd: "api" }]``."""
    for path in sorted(paths):
        data = project.tree.read(path) if _LISTED.search(path) else None
        module = project.module(path) if data is not None and b"apps" in data and b"script" in data else None
        for record in module.nodes(p.Record) if module is not None else ():
            if (command := _as_program(record, path)) is not None:
                yield command


def _as_program(record: p.Record, path: str) -> Command | None:
    """An entry of such a list as a command line; None where a part of it is no text, or it is no file of a program."""
    if any(type(entry.key) is not p.Text for entry in record.entries):
        return None
    given = {entry.key.value: entry.value for entry in record.entries if type(entry.key) is p.Text}
    script, cwd, interpreter = given.get("script"), given.get("cwd"), given.get("interpreter")
    if type(script) is not p.Text or _PROGRAM.match(script.value) is None or "exec_interpreter" in given:
        return None
    if not all(value is None or type(value) is p.Text for value in (cwd, interpreter)):
        return None
    usual = "python3" if script.value.endswith(".py") else "node"
    program = interpreter.value if type(interpreter) is p.Text else usual
    folder = posixpath.dirname(path)
    if type(cwd) is p.Text:
        folder = posixpath.normpath(posixpath.join(folder, cwd.value)).removeprefix("./")
        folder = "" if folder == "." else folder
    if folder.startswith(("/", "..")):
        return None
    words = (Word(program, Place(path, script.at)), Word(script.value, Place(path, script.at), script.value))
    return Command(words, Place(path, record.at), False, _environment(given.get("env"), path), folder)


def _environment(given: Any, path: str) -> dict[str, Known]:
    """The variables of ``env``; a value that is no text is not known."""
    found: dict[str, Known] = {}
    for entry in given.entries if type(given) is p.Record else ():
        if type(entry.key) is p.Text:
            text = entry.value.value if type(entry.value) is p.Text else None
            found[entry.key.value] = Known(text, Place(path, entry.value.at), text or "")
    return found


def is_list(path: str) -> bool:
    """Whether pm2 reads the file at ``path``."""
    return _LISTED.search(path) is not None
