"""Whether an address on loopback means the very program that reads it: then there is nothing else to connect to."""

from __future__ import annotations

from typing import Any

from connlint.checks.hardcoded import at_place, requested
from connlint.checks.own_ports import ports_of, running_with
from connlint.checks.wording import wording_of
from connlint.model import program as p
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.address import Host
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import package_root
from connlint.project.programs import Programs
from connlint.project.project import Project
from connlint.project.stage import words_of
from connlint.project.uses import Use, references, uses
from connlint.project.values import Possible, Values

_LISTENS = regex(rb"\.listen\(\s*(?:\w+\.)*(?:PORT|port)\b|\.listen\(\s*process\.env\.PORT\b")
"""A server of Node that listens on what its variable says."""


_ROUTE = regex(r"^https?://[^/]+/(api/[\w-]+)(?![\w-])")
_OF_NEXT = ("app", "src/app", "pages", "src/pages")
_STARTS_NEXT = regex(r"\bnext start\b.*?(?:-p|--port)[ =](\d+)")


def means_itself(project: Project, rules: Rules, path: str, value: Possible, names: list[str], host: Host) -> bool:
    """Whether the default ``value`` of the variables ``names``, read in the file ``path``, is the program's own port,
    under a name that speaks of the program itself: as something internal, or by the name of its service.

    The port is its own where the default holds the variable of that port, or a deployment of the file listens on it.
    """
    wording = wording_of(project, rules.apis)
    if any(name in wording.names["self"] for name in names):
        return True
    if any(wording.says("public", name) for name in names):
        return False
    says_self = any(wording.says("self", name) for name in names)
    own = any(wording.says("own port", v) for r in (*value.reads, *value.absent) for v in r.variables)
    if own and says_self:
        return True
    folder = package_root(project, path).rpartition("/")[2]
    for one in running_with(project, rules, path) if own or host.port is not None else ():
        if own or host.port in ports_of(project, rules, one):
            called = [words for text in (one.name, folder) if (words := set(words_of(text)))]
            if says_self or any(words <= set(words_of(name)) for name in names for words in called):
                return True
    return False


def asks_itself(values: Values, programs: Programs, rules: Rules, module: Module, node: Any, value: Possible) -> bool:
    """Whether the default ``value`` of ``node`` is asked for something by the very server that listens on its port.

    The default holds the variable of the program's own port, all that is seen of it are requests, and the file belongs
    to the server: a framework loads it, or the file that listens does.
    """
    wording = wording_of(values.project, rules.apis)
    if module.program.language == "python" or not any(
            wording.says("own port", v) for r in (*value.reads, *value.absent) for v in r.variables):
        return False
    if not _is_only_requested(values, rules, module, node):
        return False
    if programs.framework(module, None) is not None:
        return True
    index = importers(values.project)
    return any(_LISTENS.search(index.data(other)) and programs.stages.of_path(other) == "production"
               and module.path in index.reachable([other]) for other in index.mentions("listen", module.path))


def _is_only_requested(values: Values, rules: Rules, module: Module, node: Any, depth: int = 2) -> bool:
    """Whether all that is seen of a value is that calls send requests there, or to what is built of it."""
    ends = [use for use in uses(values, module, node) if use.kind != "named" or use.last]
    for use in ends:
        if use.kind != "argument" or use.call is None:
            return False
        if use.call.new:
            if depth <= 0 or not _is_only_requested(values, rules, use.module, use.call, depth - 1):
                return False
        elif requested(use.module, use.call, values.project, rules) is None:
            return False
    return bool(ends)


def asks_own_routes(values: Values, programs: Programs, rules: Rules, module: Module, node: Any, host: Host) -> bool:
    """Whether the default at ``node`` is asked for routes of the very application of Next.js that the file belongs to,
    on the port on which its server listens where nothing else is said."""
    framework = programs.framework(module, {"next": "next"})
    root = framework[1].rpartition("/")[0] if framework is not None else ""
    if framework is None or root != package_root(values.project, module.path) or host.port != _port_of_next(
            programs, module.path) or module.source.data.lstrip().startswith((b"'use client'", b'"use client"')):
        return False
    name = node.name if type(node) is p.Function else None
    asked: list[Any] = [call for it in references(module, name, node)
                        if type(call := module.parent(it)) is p.Call] if name else [node]
    ends = [use for one in asked for use in uses(values, module, one) if use.kind != "named" or use.last]
    return bool(ends) and all(_asks_route(values, rules, use, root) for use in ends)


def _asks_route(values: Values, rules: Rules, use: Use, root: str) -> bool:
    """Whether a use sends a request to a route that stands in the application at ``root``."""
    if use.kind != "argument" or use.call is None or (
            found := requested(use.module, use.call, values.project, rules)) is None:
        return False
    told = next((value for place in found[1] if (value := at_place(
        use.module, use.call, place, values.project)) is not None), None)
    routes = {match[1] for q in values.possible(use.module, told) if (match := _ROUTE.search(q.text or ""))}
    folders = [f"{root}/{top}/{route}".lstrip("/") for top in _OF_NEXT for route in routes]
    return bool(routes) and any(path.startswith(tuple(f"{folder}{end}" for folder in folders for end in "/."))
                                for path in values.project.tree.paths)


def _port_of_next(programs: Programs, path: str) -> int:
    scripts = jsonc.mapping(programs.package(path).get("scripts"))
    told = _STARTS_NEXT.search(str(scripts.get("start", "")))
    return int(told[1]) if told is not None else 3000
