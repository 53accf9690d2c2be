"""Containers whose configuration files lead to loopback, where another container listens on that port: a proxy's
upstream, what a collector scrapes, a data source. And what such files say of other containers.

What leads to loopback counts only in containers that run nothing but the program of an image from elsewhere: else the
program that is meant may run in the same one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connlint.checks.neighbours import Groups, Neighbours, listens, may_listen
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.address import Host
from connlint.project.given_files import GivenFiles
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.starts import Starts

_LED = regex(rb"^[^\n]*?(?:\b(?:proxy|fastcgi|uwsgi|scgi|grpc)_pass[ \t]|(?:^|[{;])[ \t]*server[ \t]|"
             rb"\breverse_proxy[ \t]|"
             rb"\btargets[\"']?[ \t]*:|^[ \t]*-[ \t]+[\"']?(?=[\w.]+:\d)|"
             rb"^[ \t]*-?[ \t]*[\"']?url[\"']?[ \t]*[:=])[^\n]*", re.M)
"""Lines of configuration that say where a server sends requests itself."""
_LOOPBACK = regex(rb"(?<![\w.-])(localhost|127\.0\.0\.1):(\d{2,5})(?![\w.])")
_LISTENS = regex(rb"\blisten[ \t]+(?:[\w.*]+:|\[[^\]\n]*\]:)?(\d{2,5})\b")
_BY_BROWSERS = regex(rb"\baccess[\"']?[ \t]*:[ \t]*[\"']?(?:direct|browser)\b")


def configured(groups: Groups, project: Project, rules: Rules) -> Iterator[Draft]:
    """Outcome "loopback"."""
    given = GivenFiles.of(project, Starts.of(project, rules.apis))
    for beside in groups.all:
        for one in beside.members:
            if not _is_of_others(one):
                continue
            for path in given.files(one):
                data = given.plain(path)
                if not _LOOPBACK.search(data) or _BY_BROWSERS.search(data):
                    continue
                own = may_listen(one, groups.tables) | {int(hit[1]) for hit in _LISTENS.finditer(data)}
                for line in _LED.finditer(data):
                    for hit in _LOOPBACK.finditer(data, line.start(), line.end()):
                        port = int(hit[2])
                        target = beside.server_on(port, one)
                        if port in own or target is None or port not in listens(target, groups.tables):
                            continue
                        place = Place(path, hit.span())
                        address = Host(hit[1].decode(), port)
                        slots = {"service": one.name, "variable": "a file that it is given", "address": str(address),
                                 "hint": f"; `{target.name}` listens on {port}"}
                        yield Draft("loopback", place, slots, f"{one.name}:{address}", related=(
                            Step(target.service.place, f"`{target.name}` is a container of its own"),))


def led_to(groups: Groups, project: Project, rules: Rules) -> Iterator[tuple[Neighbours, Running, Host, Place]]:
    """The services of a compose file that are named with a port in what another of its services is given, where that
    says where requests go."""
    given = GivenFiles.of(project, Starts.of(project, rules.apis))
    for beside in groups.all:
        names = b"|".join(re.escape(name.encode()) for name in sorted(beside.hosts, key=len, reverse=True) if name)
        if beside.group.kind != "compose" or not names:
            continue
        named = re.compile(rb"(?<![\w.-])(%s):(\d{2,5})(?![\w.])" % names)
        for one in beside.members:
            for path in given.files(one):
                data = given.plain(path)
                for line in _LED.finditer(data) if named.search(data) else ():
                    for hit in named.finditer(data, line.start(), line.end()):
                        yield beside, one, Host(hit[1].decode(), int(hit[2])), Place(path, hit.span())


def _is_of_others(one: Running) -> bool:
    """Whether a container of its own runs the program of an image from elsewhere, and nothing else."""
    service = one.service
    if service.kind != "compose" or service.host_network or service.mates or service.entrypoint is not None:
        return False
    if one.image is None or one.stage is None:
        return service.build is None and service.image is not None and not service.commands
    return not one.commands and not service.commands
