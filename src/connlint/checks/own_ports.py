"""Which services run a file, and the ports on which they listen: what the file finds there on loopback is itself."""

from __future__ import annotations

import posixpath
import re

from connlint.checks.binding import port_of
from connlint.checks.deployed import Code
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.importers import importers
from connlint.project.packages import package_root
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.starts import Starts

_PATH = regex(r"https?://[^/]+(/[\w./-]+)")


def running_with(project: Project, rules: Rules, path: str) -> list[Running]:
    """The services that run the file: by what is known of their code, or because its package has their image, where
    nothing is known."""
    code = Code.of(project, rules)
    found = list(code.running_at(path))
    root = package_root(project, path)
    known = {id(one) for one in found}
    by_folder = project.memo.get(running_with)
    if by_folder is None:
        by_folder = project.memo[running_with] = {}
        for one in Services.of(project).running():
            if one.image is not None:
                by_folder.setdefault(posixpath.dirname(one.image.path), []).append(one)
    return found + [one for one in by_folder.get(root, ()) if id(one) not in known and not code.files(one)]


def ports_of(project: Project, rules: Rules, one: Running) -> set[int]:
    """The ports on which a service listens, as its files say."""
    ports = {port.container for port in (*one.service.ports, *(one.stage.exposed if one.stage is not None else ()))}
    ports |= {port_of(start) for start in Starts.of(project, rules.apis).of_service(one)}
    return {port for port in ports if port is not None}


def is_own_port(project: Project, rules: Rules, path: str, port: int, address: str) -> bool:
    """Whether all services that are known to run the file listen on ``port``, each in a container of its own. Where
    ``address`` is that of a route of theirs, one is enough, if the others listen as well."""
    listening = [ports_of(project, rules, one) for one in running_with(project, rules, path)]
    if not listening or not all(listening):
        return False
    return all(port in ports for ports in listening) or (
        any(port in ports for ports in listening) and _has_route(project, path, address))


def _has_route(project: Project, path: str, address: str) -> bool:
    """Whether the package of the file declares the path of ``address``, or the end of it, as a route."""
    asked = _PATH.match(address)
    parts = [part for part in (asked[1] if asked is not None else "").split("/") if part]
    index, root = importers(project), package_root(project, path)
    for place in range(len(parts)):
        route = "/" + "/".join(parts[place:])
        declared = re.compile(rb"\.(?:get|post|put|patch|delete|all|route|api_route)\(\s*[\"'`]%s/?[\"'`]"
                              % re.escape(route.encode()))
        if any(declared.search(index.data(other)) for other in index.mentions(parts[-1], path)
               if package_root(project, other) == root):
            return True
    return False
