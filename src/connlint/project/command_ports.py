"""The ports that a command's own words tell a program to listen on, whatever the program."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from connlint.patterns import regex

_FLAGS = frozenset((
    "--port", "-p", "-P", "--bind", "-b", "--listen", "-l", "--http-port", "--addr", "--address", "-addr", "-address",
    "-listen", "-port", "--server.port", "--server-port", "--bind-address", "--listen-address", "--http",
    "--http-address", "--web.listen-address", "-S",
))
_BEFORE_A_NUMBER = frozenset(("runserver", "http.server", "SimpleHTTPServer", "runserver_plus"))
"""Words behind which a plain number is the port."""
_CLIENTS = regex(r"wait|^(?:pg_isready|psql|pg_dump|pg_restore|redis-cli|valkey-cli|mysql|mysqladmin|mysqldump|mongo|"
                 r"mongosh|nc|ncat|netcat|curl|wget|ssh|scp|rsync|dockerize|telnet|grpcurl|sleep|chown|chmod|mkdir|"
                 r"cp|tail|kafka-[\w-]+|kubectl|docker)(?:\.sh)?$")
"""Programs whose ports are those of others."""
_BEHIND = regex(r"(?:^|[=:\]])(\d{2,5})$")
_EVERYWHERE = regex(r"(?:0\.0\.0\.0|0|\*|\[::\]|::)?:(\d{2,5})$")
_ITSELF = regex(r"(?:localhost|127\.0\.0\.1|\[::1\]):(\d{2,5})$")
_NUMBER = regex(r"(?<!\d)\d{2,5}(?!\d)")


def told_ports(words: Sequence[str | None]) -> set[int]:
    """The ports that ``words`` tell the program to listen on, for certain. None stands for a word that is not known."""
    found: set[int] = set()
    if not words or _CLIENTS.search(posixpath.basename(words[0] or "")):
        return found
    for at, word in enumerate(words):
        if word is None:
            continue
        before = (words[at - 1] or "") if at else ""
        flag, equals, value = word.partition("=")
        if flag in _FLAGS:
            text = value if equals else (words[at + 1] if at + 1 < len(words) else None)
            if text and (number := _BEHIND.search(text)):
                found.add(int(number[1]))
        elif (number := _EVERYWHERE.match(word) or _ITSELF.match(word)) and not before.startswith("-"):
            found.add(int(number[1]))
        elif before in _BEFORE_A_NUMBER and word.isdigit():
            found.add(int(word))
    return found


def mentioned_ports(words: Sequence[str | None]) -> set[int]:
    """Every number in ``words`` that may be a port on which the program listens after all."""
    return {int(number) for word in words for number in _NUMBER.findall(word or "")}
