"""The hosts that a text names as an address: in a URL, as host and port, or in a connection string of keywords.

A text that merely mentions a host in a sentence names none.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from connlint.patterns import regex

HOLE = "\x00"
"""Stands in a text for a part that is not known."""
OF_THE_MACHINE = "docker.internal"
"""The machine around a container has this name where Docker gives it one: whether it does, no file needs to say."""

_SCHEME = regex(r"(?:jdbc:|url:)?([a-z][a-z0-9+.\-]*):(?:[a-z0-9]+:@?)?//", re.IGNORECASE)
# Schemes whose authority is no host that something dials.
_LOCAL_SCHEMES = ("file", "sqlite", "unix", "http+unix", "data", "blob", "about", "app", "chrome-extension", "duckdb",
                  "console", "dummy", "dummycache", "locmem", "locmemcache", "memory", "mem", "null", "stdout", "test")
_PAIR = regex(
    r"(?:^|[\s;,])(?:host|hostaddr|hostname|server|data source|address|addr|network address)\s*=\s*"
    r"(?:tcp:)?([^\s;,\\/']+)",
    re.IGNORECASE,
)
_PLAIN = regex(
    rf"(?:[^\s@/:,]*:[^\s@/,]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.\-]*)"
    rf"(?::(\d{{1,5}}|{HOLE}))?(?=$|[/?#,{HOLE}])"
)
_IN_BRACKETS = regex(r"(?:.*@)?tcp[46]?\(([^()/@]+)\)(?:/|$)", re.DOTALL)
"""How drivers of Go write an address: ``user:password@tcp(host:3306)/name``."""
_PORT = regex(r"(.*?)(?::(\d*))?$", re.DOTALL)
_WHOLE = regex(r"[^:]+:\d{4,5}$")
_MENTIONS = regex(r"localhost|127\.\d|::1|0\.0\.0\.0|docker|0:0:1", re.IGNORECASE)
_LOOPBACK_V4 = regex(r"127(?:\.\d{1,3}){3}$")
_LOOPBACK = frozenset((
    "localhost", "localhost.localdomain", "ip6-localhost", "::1", "0:0:0:0:0:0:0:1", "0.0.0.0",
    "host.docker.internal", "gateway.docker.internal", "docker.for.mac.host.internal",
))
_DEAD = (1, 9)
"""Ports of services of old that nobody runs (tcpmux, discard): who writes one with loopback wants a connection that is
refused at once."""


class Host(Struct, frozen=True):
    """One host of an address. ``port`` is None where none is given or it is not known, ``scheme`` "" without one."""

    name: str
    port: int | None = None
    scheme: str = ""

    @property
    def loopback(self) -> bool:
        """Whether the name means the machine (or container) itself, or the developer's own machine."""
        return is_loopback(self.name)

    @property
    def everywhere(self) -> bool:
        """Whether it is the wildcard that servers listen on."""
        return self.name == "0.0.0.0"

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


def is_loopback(name: str) -> bool:
    """Whether a host name or number is loopback, the wildcard as a target, or Docker's name for the host."""
    name = name.strip("[]").rstrip(".").lower()
    return name in _LOOPBACK or name.endswith(".localhost") or _LOOPBACK_V4.match(name) is not None


@lru_cache(maxsize=4096)
def hosts(text: str) -> tuple[Host, ...]:
    """Every host that ``text`` names as an address, in order; `HOLE` marks parts that are not known."""
    text = text.strip()
    if not text or len(text) > 2000 or "\n" in text:
        return ()
    if found := _SCHEME.match(text):
        return _authority(text[found.end() :], found[1].lower())
    if "=" in text and (pairs := _PAIR.findall(text)):
        return tuple(_split(pair) for pair in pairs if HOLE not in pair)
    if text.startswith("//"):
        return _authority(text[2:], "")
    if any(c.isspace() for c in text):
        return ()
    if text in ("::1", "0:0:0:0:0:0:0:1"):
        return (Host(text),)
    if "(" in text and (inside := _IN_BRACKETS.match(text)):
        return (_split(inside[1]),)
    if text.startswith("tcp:"):
        text = text[4:]
    rows = []
    parts = text.split(",")
    for part in parts:
        if len(parts) > 1 and re.search(r"@[^:/]+$", part):
            return ()  # people and their mail: "Ada:ada@localhost,Bob:bob@localhost"
        if part.count(":") > 1 and "@" not in part and not part.startswith("["):
            return ()
        match = _PLAIN.match(part)
        if match is None:
            return ()
        rows.append(Host(match[1].strip("[]").lower(), int(match[2]) if (match[2] or "").isdigit() else None))
    return tuple(rows)


def _authority(rest: str, scheme: str) -> tuple[Host, ...]:
    if scheme.split("+")[0] in _LOCAL_SCHEMES or scheme in _LOCAL_SCHEMES:
        return ()
    authority = re.split(r"[/?#;\s\\]", rest, maxsplit=1)[0]
    authority = authority.rpartition("@")[2]
    rows = []
    for part in authority.split(","):
        part = part.removeprefix("tcp(").rstrip(")")
        if part and part not in ("http:", "https:", "ws:", "wss:"):
            host = _split(part, scheme)
            if host.name and HOLE not in host.name:
                rows.append(host)
    return tuple(rows)


def _split(part: str, scheme: str = "") -> Host:
    """``part`` as host and port; a hole behind the host is a port, a path or nothing, behind a whole port a path."""
    name, hole, _ = part.partition(HOLE)
    if hole and _WHOLE.match(name):
        hole = ""
    if hole and name and name[-1] != ":" and not is_loopback(name):
        return Host(HOLE)
    name = name.rstrip(":") if hole else name
    if name.startswith("["):
        inside, _, port = name[1:].partition("]")
        return Host(inside.lower(), int(port[1:]) if port[1:].isdigit() else None, scheme)
    if name.count(":") > 1:
        return Host(name.lower(), None, scheme)
    match = _PORT.match(name)
    assert match is not None
    port = match[2]
    if port and not hole and int(port) <= 65535:
        return Host(match[1].lower(), int(port), scheme)
    return Host(match[1].lower(), None, scheme)


def loopback(text: str) -> Host | None:
    """The first loopback host of the address ``text``; None where it names none, or one that is meant to be dead."""
    if _MENTIONS.search(text) is None:
        return None
    for host in hosts(text):
        if host.loopback and host.port not in _DEAD:
            return host
    return None


def shown(text: str) -> str:
    """``text`` for a message: unknown parts as an ellipsis, the password of a URL left out, cut at 60 characters."""
    text = re.sub(r"(://[^:/@\s]*):[^@/\s]+@", r"\1:***@", text.replace(HOLE, "…"))
    return text if len(text) <= 60 else text[:59] + "…"
