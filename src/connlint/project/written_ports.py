"""Where a number stands that may be a port of a service: in the files that it is built from, and in texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from connlint.languages.deployment.files import kind_of
from connlint.model.finding import Place
from connlint.patterns import regex
from connlint.project.services import Running
from connlint.project.tree import Tree

_TEXT = regex(r"\.(?:py|[cm]?[jt]sx?|go|rs|java|kt|rb|php|cs|ya?ml|json|toml|ini|cfg|conf|sh|env|properties)$|"
              r"(?:^|/)(?:\.env[^/]*|[^./]+)$")
_CODE = regex(r"\.(?:py|[cm]?[jt]sx?)$")
_LARGEST = 500_000
_ALONE = rb"(?<![\d.])%d(?!\d)"
"""A number that is no part of another."""
_ASKED = regex(rb"\bhttps?://(?!0\.0\.0\.0)[\w.-]+:$")
"""What stands before the port of an address that somebody asks."""
_EXPOSED = regex(rb"(?:^|\n)[ \t]*(?i:EXPOSE)[ \t][^\n]*$")
_DECLARING = ("compose", "yaml", "workflow", "kustomization")
"""Kinds of files that say where others ask."""


def is_written(number: int, one: Running, tree: Tree) -> bool:
    """Whether the number stands anywhere in what the service is built from, but for other services' addresses."""
    mentioned = re.compile(_ALONE % number)
    return any(mentioned.search(data) for path, data in _own_texts(one, tree))


def is_said(number: int, one: Running, places: Collection[Place], tree: Tree, given: str) -> bool:
    """Whether the number stands where it may be a port that the service listens on: anywhere in what it is built from,
    but for addresses that somebody else asks, what an image or manifest declares, and what is overruled: what stands at
    ``places``, and the variable ``given`` in a file of variables."""
    mentioned = re.compile(_ALONE % number)
    usual = re.compile(rb"(?:^|\n)[ \t]*(?:export[ \t]+)?" + given.encode() + rb"[ \t]*=[ \t\"']*$")
    for path, data in _own_texts(one, tree):
        kind = kind_of(path)
        if kind in _DECLARING:
            continue
        for match in mentioned.finditer(data):
            before = data[max(0, match.start() - 120) : match.start()]
            overruled = any(path == at.path and at.at[0] <= match.start() < at.at[1] for at in places)
            declared = kind == "dockerfile" and _EXPOSED.search(before)
            set_there = path.rpartition("/")[2].startswith(".env") and usual.search(before)
            if not (overruled or declared or set_there or _ASKED.search(before)):
                return True
    return False


def spoken_of(number: int, text: str) -> bool:
    """Whether a text names the port, but for an address with it that somebody else asks."""
    data = text.encode()
    return any(not _ASKED.search(data[: match.start()]) for match in re.finditer(_ALONE % number, data))


def asks_for(variable: str, one: Running, tree: Tree) -> bool:
    """Whether something that the service is built from may take the variable from its environment."""
    name = re.escape(variable.encode())
    in_code = re.compile(rb"(?:\benv\??\.|[\"'`])" + name + rb"\b|"
                         rb"\bprocess\.env\s*[;,)\n]|\bos\.environ\s*[,)\n]|\bBaseSettings\b")
    elsewhere = re.compile(rb"\b" + name + rb"\b")
    return any((in_code if _CODE.search(path) else elsewhere).search(data)
               for path, data in _own_texts(one, tree) if kind_of(path) not in _DECLARING)


def _own_texts(one: Running, tree: Tree) -> Iterator[tuple[str, bytes]]:
    """The files of text that a service is built from."""
    folder = one.service.build or "."
    prefix = "" if folder == "." else folder + "/"
    for path in tree.paths:
        own = path.startswith(prefix) and "node_modules/" not in path and path != one.deployment.path
        if own and _TEXT.search(path):
            data = tree.read(path)
            if data is not None and len(data) < _LARGEST:
                yield path, data
