"""supervisord's configuration: a service a ``[program:x]``."""

from __future__ import annotations

import re

from connlint.languages.deployment.shell import read_commands
from connlint.model.deployment import Deployment, Service
from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.patterns import regex

_PROGRAM = regex(rb"^\[program:([^\]\n]+)\][^\n]*\n((?:(?!\[)[^\n]*(?:\n|\Z))*)", re.MULTILINE)
_KEY = regex(rb"^(command|directory)[ \t]*=[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
_COMMENT = regex(rb"\"[^\"\n]*\"|'[^'\n]*'|[ \t]+;[^\n]*")
"""A comment, or what stands in quotes, where a semicolon begins none."""


def read_supervisor(source: Source) -> Deployment:
    """The programs that are started as processes of one machine, as those of units are, each in its ``directory``."""
    services: list[Service] = []
    for program in _PROGRAM.finditer(source.data):
        rows = {row[1].decode(): row for row in _KEY.finditer(program[2])}
        command, folder = rows.get("command"), rows.get("directory")
        # ``%(ENV_HOME)s`` is put in when the program starts
        if command is None or b"%(" in command[2] or not command[2].strip():
            continue
        where = _bare(folder[2]).decode("utf-8", "replace").strip() if folder is not None else None
        start = program.start(2) + command.start(2)
        text = _bare(command[2]).replace(b"\n", b" ").replace(b"%%", b"% ")
        commands = read_commands(text, source.path, start, folder=where, shell=False)
        if commands:
            services.append(Service(program[1].decode("utf-8", "replace").strip(), "supervisor", commands[0].place,
                                    {}, Place(source.path, program.span(1)), ("what the supervisor is started with",),
                                    commands=commands, folder=where))
    return Deployment(source.path, tuple(services))


def _bare(text: bytes) -> bytes:
    """``text`` with blanks for its comments, so that all else stays where it stands."""
    return _COMMENT.sub(lambda found: found[0] if found[0][:1] in b"\"'" else b" " * len(found[0]), text)
