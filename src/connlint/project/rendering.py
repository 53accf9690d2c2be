"""Code that a server runs while it renders what browsers run otherwise: ``typeof window === "undefined"``."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.conditions import conditions
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

_MOST = 400
"""Files that come to use a module, past which some may well run on the server."""
_ON_SERVERS = regex(
    rb"\bget(?:ServerSide|Static|Initial)Props\b|\bgenerate(?:Metadata|StaticParams)\b|['\"]use server['\"]|"
    rb"next/(?:headers|server|cache)|['\"]server-only['\"]|\bexport\s+default\s+async\b|\basyncData\b|\buseAsyncData\b|"
    rb"\buseFetch\b|\bexport\s+(?:async\s+function|const)\s+(?:GET|POST|PUT|DELETE|PATCH|HEAD|loader|action|load)\b|"
    rb"\brenderTo\w+\b|\bcreateServer\b|\bexpress\(|\bfastify\(")
"""What pages and routes write that ask for something while a server has them."""


_OF_THE_PAGE = regex(r"(?:(?:window|globalThis|self|document)\.)?location\.(?:origin|href|host|hostname|protocol)$")
"""What every page that a browser shows has."""


def asks_for_browser(node: Any) -> bool:
    """``typeof window`` and the like."""
    return type(node) is p.Opaque and node.why == "typeof" and any(
        type(part) is p.Name and part.id in ("window", "document") for part in node.parts)


def is_without_browser(module: Module, node: Any) -> bool:
    """Whether ``node`` is evaluated only where no browser runs the program."""
    return any(truth_in_browser(c.module, c.test) is (not c.truth) for c in conditions(module, node))


def runs_in_browsers_alone(module: Module) -> bool:
    """Whether a module speaks of its page, and nowhere asks whether there is one."""
    return not any(asks_for_browser(node) for node in module.nodes(p.Opaque))


def truth_in_browser(module: Module, node: Any, depth: int = 0) -> bool | None:
    """How ``node`` comes out as a condition in every browser; None where that differs, or is not known."""
    kind = type(node)
    if depth > 8:
        return None
    if kind is p.Not:
        truth = truth_in_browser(module, node.value, depth + 1)
        return None if truth is None else not truth
    if kind is p.Compare:
        sides = (node.left, node.right)
        told = any(type(side) is p.Text and side.value == "undefined" for side in sides)
        asked = node.op in ("==", "!=") and told and any(asks_for_browser(side) for side in sides)
        return node.op == "!=" if asked else None
    if kind is p.Logical:
        left, right = (truth_in_browser(module, side, depth + 1) for side in (node.left, node.right))
        if node.op == "nullish" or left is None:
            return right if left is None and right is (node.op != "and") else left
        return right if left is (node.op == "and") else left
    if kind is p.Conditional:
        asked_first = truth_in_browser(module, node.test, depth + 1)
        if asked_first is not None:
            return truth_in_browser(module, node.then if asked_first else node.otherwise, depth + 1)
        arms = {truth_in_browser(module, arm, depth + 1) for arm in (node.then, node.otherwise)}
        return arms.pop() if len(arms) == 1 else None
    if kind is p.Concat:
        return True if any(truth_in_browser(module, part, depth + 1) for part in node.parts) else None
    if kind is p.Call:
        # ``String(location.origin).replace(…)``
        callee = node.callee
        inner: Any = callee.of if type(callee) is p.Member else None
        if type(callee) is p.Name and callee.id == "String" and len(node.args) == 1:
            inner = node.args[0].value
        return truth_in_browser(module, inner, depth + 1) if inner is not None else None
    if kind is p.Name:
        only = module.only(node.id, node)
        if only is None:
            return True if node.id in ("window", "document") else None
        plain = only.kind == "value" and only.value is not None and not only.path
        return truth_in_browser(module, only.value, depth + 1) if plain else None
    if kind is p.Member:
        return True if _OF_THE_PAGE.match(module.qualified(node) or "") else None
    return None


def is_for_pages(project: Project, path: str) -> bool:
    """Whether all that comes to use the file ``path`` is seen, and none of it asks for something on a server."""
    index = importers(project)
    found = {path}
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if _ON_SERVERS.search(index.data(here)) is not None:
            return False
        fresh = [other for other in index.of(here) if other not in found]
        found.update(fresh)
        waiting += fresh
        if len(found) > _MOST:
            return False
    return len(found) > 1
