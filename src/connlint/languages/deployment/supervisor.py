"""supervisord's configuration: a service a ``[program:x]``, and the files that it takes in.

Facts (its manual): ``environment`` is a list of ``KEY="value"`` of a program, or of all where the supervisor's own
section has it; ``%(ENV_X)s`` is what the supervisor has been told; a semicolon behind a blank begins a comment.
``[include]`` takes in the files that its patterns name, from the folder of the file on.
"""

from __future__ import annotations

import posixpath
import re

from connlint.languages.deployment.shell import read_commands
from connlint.model.deployment import Deployment, Known, Service
from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.patterns import regex

_SECTION = regex(rb"^\[([^\]\n]+)\][^\n]*\n((?:(?!\[)[^\n]*(?:\n|\Z))*)", re.MULTILINE)
_KEY = regex(rb"^(command|directory|environment|files)[ \t]*=[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
_PAIR = regex(rb"([A-Za-z_]\w*)[ \t]*=[ \t]*(\"[^\"]*\"|'[^']*'|[^,\s]*)")
_COMMENT = regex(rb"\"[^\"\n]*\"|'[^'\n]*'|[ \t]+;[^\n]*")
"""A comment, or what stands in quotes, where a semicolon begins none."""
_HERE = "%(here)s"
"""How a file names the folder that it stands in."""


def read_supervisor(source: Source) -> Deployment:
    """The programs that are started as processes of one machine, as those of units are, each in its ``directory``."""
    services: list[Service] = []
    shared: dict[str, Known] = {}
    sections = [(found[1].decode("utf-8", "replace").strip(), found.start(2),
                 {row[1].decode(): row for row in _KEY.finditer(found[2])}, found.span(1))
                for found in _SECTION.finditer(source.data)]
    for name, start, rows, _ in sections:
        if name == "supervisord" and (told := rows.get("environment")) is not None:
            shared = _told(told, start, source)
    for name, start, rows, at in sections:
        command, folder, told = rows.get("command"), rows.get("directory"), rows.get("environment")
        # ``%(ENV_HOME)s`` is put in when the program starts
        if not name.startswith("program:") or command is None or b"%(" in command[2] or not command[2].strip():
            continue
        where = _bare(folder[2]).decode("utf-8", "replace").strip() if folder is not None else None
        text = _bare(command[2]).replace(b"\n", b" ").replace(b"%%", b"% ")
        commands = read_commands(text, source.path, start + command.start(2), folder=where, shell=False)
        if commands:
            environment = {**shared, **(_told(told, start, source) if told is not None else {})}
            services.append(Service(name.removeprefix("program:").strip(), "supervisor", commands[0].place,
                                    environment, Place(source.path, at), ("what the supervisor is started with",),
                                    commands=commands, folder=where))
    return Deployment(source.path, tuple(services))


def taken_in(data: bytes, folder: str) -> tuple[str, ...]:
    """The patterns of the files that a configuration in ``folder`` of a machine takes in, as absolute paths."""
    found: list[str] = []
    for section in _SECTION.finditer(data):
        if section[1].strip() == b"include" and (rows := [row for row in _KEY.finditer(section[2])
                                                          if row[1] == b"files"]):
            for word in _bare(rows[-1][2]).decode("utf-8", "replace").split():
                found.append(posixpath.normpath(posixpath.join(folder, word.replace(_HERE, folder))))
    return tuple(found)


def _told(row: re.Match[bytes], start: int, source: Source) -> dict[str, Known]:
    """The variables of a list, each where it stands."""
    found: dict[str, Known] = {}
    text = _bare(row[2])
    for pair in _PAIR.finditer(text):
        written = pair[2].decode("utf-8", "replace")
        plain = written[1:-1] if written[:1] in ("'", '"') and len(written) > 1 else written
        if plain == f"%(ENV_{pair[1].decode()})s":
            continue  # what the supervisor has is handed on
        value = None if "%(" in plain else plain.replace("%%", "%")
        first = start + row.start(2)
        found[pair[1].decode()] = Known(value, Place(source.path, (first + pair.start(), first + pair.end())), written)
    return found


def _bare(text: bytes) -> bytes:
    """``text`` with blanks for its comments, so that all else stays where it stands."""
    return _COMMENT.sub(lambda found: found[0] if found[0][:1] in b"\"'" else b" " * len(found[0]), text)
