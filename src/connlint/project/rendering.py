"""Code that a server runs while it renders what browsers run otherwise: ``typeof window === "undefined"``."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.conditions import conditions
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

_MOST = 80
"""Files that come to use a module, past which some may well run on the server."""
_ON_SERVERS = regex(
    rb"\bget(?:ServerSide|Static|Initial)Props\b|\bgenerate(?:Metadata|StaticParams)\b|['\"]use server['\"]|"
    rb"next/(?:headers|server|cache)|['\"]server-only['\"]|\bexport\s+default\s+async\b|\basyncData\b|\buseAsyncData\b|"
    rb"\buseFetch\b|\bexport\s+(?:async\s+function|const)\s+(?:GET|POST|PUT|DELETE|PATCH|HEAD|loader|action|load)\b|"
    rb"\brenderTo\w+\b|\bcreateServer\b|\bexpress\(|\bfastify\(")
"""What pages and routes write that ask for something while a server has them."""


def asks_for_browser(node: Any) -> bool:
    """``typeof window`` and the like."""
    return type(node) is p.Opaque and node.why == "typeof" and any(
        type(part) is p.Name and part.id in ("window", "document") for part in node.parts)


def is_without_browser(module: Module, node: Any) -> bool:
    """Whether ``node`` is evaluated only where no browser runs the program."""
    for condition in conditions(module, node):
        test, truth = condition.test, condition.truth
        while type(test) is p.Not:
            test, truth = test.value, not truth
        if type(test) is p.Compare and test.op in ("==", "!="):
            sides = (test.left, test.right)
            told = any(type(side) is p.Text and side.value == "undefined" for side in sides)
            if told and any(asks_for_browser(side) for side in sides) and truth == (test.op == "=="):
                return True
    return False


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
