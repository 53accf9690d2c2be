"""Edits of addresses that lead to the wrong place: to the service that is meant, and to the port where it listens."""

from __future__ import annotations

import re

from connlint.checks.neighbours import Neighbours, listens
from connlint.model.deployment import Known, Port
from connlint.model.finding import Fix, Place
from connlint.project.address import Host
from connlint.project.project import Project
from connlint.project.rewording import reworded
from connlint.project.services import Running

_NAMED = ("compose", "kubernetes")
"""Kinds of services that reach each other by name."""

def to_the_service(known: Known, host: Host, port: int | None, one: Running, beside: Neighbours,
                   project: Project) -> Fix | None:
    """Write the name of the service that listens on ``port`` for the loopback name of ``host``, which ``known`` holds.

    ``port`` may stand in a variable beside it. Where it is the one that the machine publishes, the container's own port
    takes its place. None unless just one service can be meant, and the value stands in the file that deploys it.
    """
    if one.service.kind not in _NAMED or known.place.path not in beside.group.files or port is None:
        return None
    meant = [other for other in beside.members if other is not one and (
        port in listens(other, beside.tables) or _published(other, port) is not None)]
    if len({other.name for other in meant}) != 1:
        return None
    target = meant[0]
    hosts = target.service.hosts
    name = target.name if target.name in hosts else next(iter(hosts), None)
    if name is None:
        return None
    old, new = host.name, name
    if port not in listens(target, beside.tables):
        published = _published(target, port)
        if published is None or published.container is None or host.port is None:
            return None
        old, new = f"{host.name}:{port}", f"{name}:{published.container}"
    return reworded(project.tree, known.place, old, new, f"Connect to {new}")


def to_the_port(place: Place, host: Host, meant: int | None, project: Project) -> Fix | None:
    """Write the port ``meant``, on which a container listens, for another one."""
    if host.port is None or meant is None:
        return None
    known = project.tree.read(place.path) or b""
    written = known[place.at[0]:place.at[1]].decode("utf-8", "replace")
    if re.fullmatch(rf"['\"]?(?:\w+=)?['\"]?{host.port}['\"]?", written):  # a variable that holds the port alone
        old, new = str(host.port), str(meant)
    else:
        old, new = f"{host.name}:{host.port}", f"{host.name}:{meant}"
    return reworded(project.tree, place, old, new, f"Connect to port {meant}")


def _published(one: Running, port: int) -> Port | None:
    return next((known for known in one.service.ports if known.host == port), None)
