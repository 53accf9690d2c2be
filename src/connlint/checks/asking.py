"""Functions that ask a client which was built while a module was imported, and connects when it is first asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from connlint.checks.constructions import Judge
from connlint.model import program as p
from connlint.project.callees import last_name
from connlint.project.clients import Construction, instance
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.timeline import at_import

_MOST = 40
"""Files that import one client and are looked into."""
_WORDS = ("await", "with")
"""Among the ways in which a client is told to connect: those that are no method."""


def asking(court: Judge, built: Construction, within: Collection[str] | None) -> Iterator[tuple[Module, p.Call]]:
    """The calls in functions that make ``built`` connect, in its own file and in those that import it; ``within`` has
    the files that matter, where they are known.

    In Python alone, where such a call waits for the server. One whose failure is caught is none.
    """
    names = _methods(built)
    if built.module.program.language != "python" or not names or not at_import(built.module, built.call):
        return
    told = re.compile(rb"\.(?:%s)\(" % b"|".join(re.escape(name.encode()) for name in sorted(names)))
    home, index = built.module.path, importers(court.project)
    near = [path for path in sorted(index.near(home)) if path != home and court.in_production(path)]
    for path in (home, *near[:_MOST]):
        if (within is not None and path not in within) or told.search(index.data(path)) is None:
            continue
        module = built.module if path == home else court.project.module(path)
        for call in module.nodes(p.Call) if module is not None else ():
            assert module is not None
            callee = call.callee
            if type(callee) is p.Member and callee.name in names and not at_import(module, call) and (
                    _is_client(court, module, callee.of, built)) and not _is_caught(module, call):
                yield module, call


def _methods(built: Construction) -> set[str]:
    """The methods with which the client connects."""
    names = {name for name in built.entry.get("explicit", ()) if name not in _WORDS}
    if built.entry.get("checkout", {}).get("by") == "handle":
        names.add(built.entry["checkout"]["method"])
    return names


def _is_client(court: Judge, module: Module, node: Any, built: Construction) -> bool:
    """Whether ``node`` is the client that ``built`` makes: by its name here, or where it is imported from."""
    if type(node) is not p.Name:
        return False
    if module is built.module:
        return instance(module, node, court.project, court.rules) is built
    home, found = court.project.definitions(module, node)
    if home.path != built.module.path or len(found) != 1 or found[0].value is None:
        return False
    made = instance(home, found[0].value, court.project, court.rules)
    return made is not None and made.call.at == built.call.at


def _is_caught(module: Module, node: Any) -> bool:
    """Whether a handler around ``node`` in its function takes what it raises."""
    below = node
    for above in module.parents(node):
        if type(above) is p.Function:
            return False
        if type(above) is p.Try and above.handlers and any(below is one for one in above.body):
            return True
        below = above
    return False


def shown_call(module: Module, call: p.Call) -> str:
    """The call as the source writes it, without arguments."""
    text = " ".join(module.source.slice(call.callee.at).split())
    return f"{text}()" if len(text) <= 60 else f"{last_name(call.callee)}()"
