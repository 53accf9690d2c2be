"""Where a value goes within its file: arguments, keys of objects, comparisons, results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.module import Module
from connlint.project.options import option_reads, parameter_reads
from connlint.project.values import Values

MOST = 60
_NOT_THE_HOST = frozenset(("pathname", "search", "searchParams", "hash", "protocol", "port", "username", "password"))
"""Parts of an address that say nothing of where it leads."""

_DIRECTIVE = regex(r"(?:^|[\s;\x22'])(?:(?:default|connect|script|style|img|font|media|frame|worker|child|manifest"
                   r"|object)-src(?:-elem|-attr)?|form-action|frame-ancestors)\s")
"""One of the lists in a ``Content-Security-Policy``."""
_COMPARING = frozenset(("includes", "startsWith", "endsWith", "indexOf", "lastIndexOf", "localeCompare", "startswith",
                        "endswith", "removeprefix", "removesuffix"))
_REPLACING = frozenset(("replace", "replaceAll"))
_LINK = regex(r"<(?:a|img|iframe|form|link|script|source|video)\b[^<>]*\b(?:href|src|action)=[\x22']?$", re.IGNORECASE)
"""What stands before the address of a link, or of what is shown, in the text of a page or a mail."""
_PROSE = regex(r"(?:^|[\s>])(?:[A-Za-z][a-z']* ){3,}(?:[A-Za-z][a-z']*)?:? ?[\x22'(<`]?$")
"""What stands before an address in a sentence that somebody reads."""


class Use(Struct, frozen=True, eq=False):
    """One thing that happens to a value.

    ``kind``: "argument" (``call``, ``place`` a position or keyword), "named" (bound to ``place``), "key" (an entry
    ``place`` of an object), "attribute" (assigned to ``place``), "part" (that part of a URL), "compared", "returned",
    "tested", "shown" (text of a page), "element" (given to an element of one). ``keys`` are the
    keys of objects around the value on the way, the outermost first. ``last`` says that nothing is seen to follow.
    ``module`` is where it happens. ``through`` are the names that the value, or what it became part of, had on the way.
    """

    kind: str
    module: Module
    node: Any
    place: str = ""
    call: p.Call | None = None
    keys: tuple[str, ...] = ()
    last: bool = False
    through: tuple[str, ...] = ()


def uses(values: Values, module: Module, node: Any) -> list[Use]:
    """Everything that the value of ``node`` is seen to be used for in this module, through names and attributes."""
    return follow(values, module, node)


def follow(values: Values, module: Module, node: Any, keys: tuple[str, ...] = ()) -> list[Use]:
    """`uses` of a value that stands under ``keys`` of the object that ``node`` is."""
    return list(islice(_follow(values, module, node, keys, set(), 0), MOST))


def references(module: Module, name: str, at: Any) -> list[p.Name]:
    """Every place that reads ``name`` as it is bound at ``at``."""
    index = module.memo.get(references)
    if index is None:
        index = {}
        for item in module.nodes(p.Name):
            index.setdefault(item.id, []).append(item)
        module.memo[references] = index
    meant = module.lookup(name, at)
    return [item for item in index.get(name, ()) if item is not at and module.lookup(name, item) is meant]


def _follow(values: Values, module: Module, node: Any, keys: tuple[str, ...], seen: set[int],
            depth: int) -> Iterator[Use]:
    if depth > 12 or id(node) in seen:
        return
    seen.add(id(node))
    above = module.parent(node)
    kind = type(above)
    if depth == 0 and type(node) is p.Call and _is_url(node) and (parts := _parts_of(module, node, above)):
        yield from _followed_parts(values, module, parts, keys, seen, depth)
    elif kind is p.Argument:
        call = module.parent(above)
        if type(call) is not p.Call:
            return
        place = above.name or str(next((i for i, a in enumerate(call.args) if a is above), 0))
        if _is_url(call) and (parts := _parts_of(module, call, module.parent(call))):
            yield from _followed_parts(values, module, parts, keys, seen, depth)
            return
        if type(call.callee) is p.Member and place == "0" and _only_compares(call):
            yield Use("compared", module, call, "", None, keys)
            return
        yield Use("argument", module, node, place, call, keys)
        if values.wrapped(module, call) is node or values.environment.access(module, call) is not None:
            yield from _follow(values, module, call, keys, seen, depth + 1)
        elif place == "default" or type(module.parent(call)) is p.Param:
            for reader in option_reads(module, call):
                yield from _follow(values, module, reader, keys, seen, depth + 1)
    elif kind is p.Entry:
        name = above.key.value if type(above.key) is p.Text else "*"
        yield Use("key", module, node, name, None, keys)
        record = module.parent(above)
        yield from _follow(values, module, record, (name, *keys), seen, depth + 1)
    elif kind in (p.Let, p.Assign, p.WithItem) and getattr(above, "target", None) is not node:
        yield from _bound(values, module, above.target, keys, seen, depth)
        if kind is p.Assign:
            yield from _follow(values, module, above, keys, seen, depth + 1)
    elif kind is p.Return:
        yield Use("returned", module, above, "", None, keys)
        function = module.function(above)
        if function is not None and function.name:
            for reader in references(module, function.name, function):
                call = module.parent(reader)
                if type(call) is p.Call and call.callee is reader:
                    yield from _follow(values, module, call, keys, seen, depth + 1)
    elif kind is p.Param:
        function = module.parent(above)
        if type(above.target) is p.Name and type(function) is p.Function:
            for reader in parameter_reads(module, function, above.target.id):
                yield from _follow(values, module, reader, keys, seen, depth + 1)
    elif kind is p.Compare:
        yield Use("compared", module, above, "", None, keys)
    elif kind in (p.If, p.Loop, p.Not) or (kind is p.Conditional and above.test is node):
        yield Use("tested", module, above, "", None, keys)
    elif kind is p.Member:
        call = module.parent(above)
        if keys and (keys[0] == above.name or keys[0] == "*"):
            yield from _follow(values, module, above, keys[1:], seen, depth + 1)
        elif type(call) is p.Call and call.callee is above and values.wrapped(module, call) is node:
            yield from _follow(values, module, call, keys, seen, depth + 1)
    elif kind is p.Index:
        if above.of is node:
            key = above.key.value if type(above.key) is p.Text else None
            if key is not None and keys and keys[0] == key:
                yield from _follow(values, module, above, keys[1:], seen, depth + 1)
            elif key is None:
                yield from _follow(values, module, above, keys, seen, depth + 1)
        elif type(module.parent(above)) is p.Param:
            # ``Annotated[str, Option(envvar=…)]``
            yield from _follow(values, module, above, keys, seen, depth + 1)
    elif kind is p.Concat and any(type(part) is p.Text and _DIRECTIVE.search(part.value) for part in above.parts):
        # a browser's list of who may be connected to
        yield Use("key", module, above, "csp", None, keys, last=True)
    elif kind is p.Concat and _is_linked(above, node):
        # a link, whatever takes the text that it stands in: it may be sent away
        taking = next((use for use in _follow(values, module, above, keys, seen, depth + 1) if use.call), None)
        call, around = (taking.call, taking.keys) if taking is not None else (None, keys)
        yield Use("key", module, above, "href", call, around, last=True)
    elif kind is p.Concat and _is_told(above, node):
        yield Use("shown", module, above, "", None, keys, last=True)
    elif kind is p.Opaque and above.why == "jsx link":
        yield Use("key", module, above, "href", None, keys, last=True)
    elif kind is p.Opaque and above.why in ("jsx", "jsx text", "jsx source"):
        said = "shown" if above.why == "jsx text" and not keys else "element"
        yield Use(said, module, above, "", None, keys, last=True)
    elif kind in (p.Logical, p.Conditional, p.Concat, p.Await, p.Sequence, p.Record, p.Spread, p.Default, p.Opaque):
        yield from _follow(values, module, above, keys, seen, depth + 1)
    elif type(node) is p.Call and kind in (p.Evaluate, p.Function):
        for reader in option_reads(module, node):
            yield from _follow(values, module, reader, keys, seen, depth + 1)
    elif kind is p.Export:
        yield Use("exported", module, above, "default", None, keys)


def _only_compares(call: p.Call) -> bool:
    """Whether a method of a text looks for its first argument, or takes it out."""
    name = call.callee.name  # type: ignore[attr-defined]
    return name in _COMPARING or (name in _REPLACING and len(call.args) > 1)


def _is_linked(whole: p.Concat, node: Any) -> bool:
    """Whether ``node`` begins the address of a link in the text of a page."""
    place = next((i for i, part in enumerate(whole.parts) if part is node), 0)
    before = whole.parts[place - 1] if place else None
    return type(before) is p.Text and _LINK.search(before.value) is not None


def _is_told(whole: p.Concat, node: Any) -> bool:
    """Whether ``node`` ends a sentence that somebody reads: a text that goes on with the address is no address."""
    place = next((i for i, part in enumerate(whole.parts) if part is node), 0)
    before = whole.parts[place - 1] if place else None
    return type(before) is p.Text and _PROSE.search(before.value) is not None


def _is_url(call: p.Call) -> bool:
    """Whether a call makes a URL of one address."""
    return type(call.callee) is p.Name and call.callee.id == "URL" and len(call.args) == 1


def _followed_parts(values: Values, module: Module, parts: list[p.Member], keys: tuple[str, ...], seen: set[int],
                    depth: int) -> Iterator[Use]:
    """What becomes of the ``parts`` of a URL that say where it leads; the others are told as such."""
    for part in parts:
        if part.name in _NOT_THE_HOST:
            yield Use("part", module, part, part.name, None, keys, last=True)
        else:
            yield from _follow(values, module, part, keys, seen, depth + 1)


def _parts_of(module: Module, url: p.Call, above: Any) -> list[p.Member]:
    """The parts of a URL that are taken of it, where nothing else happens to it: at once, by the name it gets, or by
    the callers of the function that makes it."""
    if type(above) is p.Member:
        return [above] if above.of is url else []
    if type(above) is p.Return and (function := module.function(above)) is not None and function.name:
        calls = [call for reader in references(module, function.name, function)
                 if type(call := module.parent(reader)) is p.Call and call.callee is reader]
        taken = [_parts_of(module, call, module.parent(call)) for call in calls]
        return [part for parts in taken for part in parts] if all(taken) else []
    if type(above) is not p.Let or type(above.target) is not p.Name:
        return []
    readers = [(reader, module.parent(reader)) for reader in references(module, above.target.id, above.target)
               if not _is_base_alone(module, reader)]
    parts = [part for reader, part in readers if type(part) is p.Member and part.of is reader]
    return parts if len(parts) == len(readers) else []


def _is_base_alone(module: Module, node: Any) -> bool:
    """Whether ``node`` only completes a path to a URL of which no host is asked: ``new URL(path, node).pathname``."""
    argument = module.parent(node)
    call = module.parent(argument) if type(argument) is p.Argument else None
    if type(call) is not p.Call or type(call.callee) is not p.Name or call.callee.id != "URL":
        return False
    if len(call.args) != 2 or call.args[1] is not argument:
        return False
    parts = _parts_of(module, call, module.parent(call))
    return bool(parts) and all(part.name in _NOT_THE_HOST for part in parts)


def _bound(values: Values, module: Module, target: Any, keys: tuple[str, ...], seen: set[int],
           depth: int) -> Iterator[Use]:
    kind = type(target)
    if kind is p.Name:
        following = [replace(use, through=(target.id, *use.through)) for name in references(module, target.id, target)
                     for use in _follow(values, module, name, keys, seen, depth + 1)]
        yield Use("named", module, target, target.id, None, keys, not following)
        yield from following
    elif kind is p.Member:
        following = [use for other in module.nodes(p.Member)
                     if other is not target and other.name == target.name and type(other.of) is p.Name
                     and type(target.of) is p.Name and other.of.id == target.of.id
                     for use in _follow(values, module, other, keys, seen, depth + 1)]
        yield Use("attribute", module, target, target.name, None, keys, not following)
        yield from following
    elif kind is p.Index:
        if type(target.key) is p.Text:
            yield Use("attribute", module, target, target.key.value, None, keys)
    elif kind is p.Record:
        for entry in target.entries:
            if type(entry.key) is p.Text and type(entry.value) is p.Name and keys and keys[0] == entry.key.value:
                yield from _bound(values, module, entry.value, keys[1:], seen, depth + 1)
