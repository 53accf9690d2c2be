"""Servers that a program starts by itself, and the address that its code gives them.

Which calls serve, and where the host stands in them, says the table `serving_call`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.model.finding import Place
from connlint.project.answer import Found
from connlint.project.callees import last_name, returned
from connlint.project.module import Module
from connlint.project.project import Project, required

_DEEPEST = 5
"""Names, imports and functions that are followed from a server to the call that made it."""


class Serving(Struct, frozen=True):
    """One call that serves. ``host`` is None where it cannot be known; ``told`` is where it is written, if it is, and
    ``value`` the expression there; ``number`` is the port beside it, in a pair of both."""

    entry: Mapping[str, Any]
    name: str
    host: str | None
    told: Place | None
    place: Place
    call: p.Call
    value: p.Expression | None = None
    number: p.Expression | None = None

    def port(self) -> p.Expression | None:
        """What tells the call its port: in an address, where the table says so."""
        if self.entry.get("with_port"):
            return self.value
        if self.number is not None:
            return self.number
        return _port_argument(self.call, self.entry.get("port_at"), self.entry.get("port_key", "port"))

    @property
    def by_itself(self) -> int | None:
        """The port that the call serves on where it is told none; None where it is told one, or may be."""
        plain = [a for a in self.call.args if a.name is None and type(a.value) is not p.Record]
        told = any(a.spread for a in self.call.args) or len(plain) > self.entry.get("port_at", len(plain))
        keyed = any(type(a.value) is p.Record and any(e.key is None for e in a.value.entries) for a in self.call.args)
        return None if told or keyed or self.port() is not None else self.entry.get("port")


def servings(module: Module, table: list[dict[str, Any]], project: Project | None = None) -> Iterator[Serving]:
    """Every call of ``module`` that serves, as far as its name shows; with ``project``, also of what another module or
    a function of the project makes."""
    entries = {name: entry for entry in table for name in entry["names"]}
    last = {name.rpartition(".")[2] for name in entries}
    for call in module.nodes(p.Call):
        if last_name(call.callee) not in last:
            continue
        name = _of_chain(method(module, call))
        if name not in entries and project is not None and type(call.callee) is p.Member:
            made = _made(module, call.callee.of, project)
            name = _of_chain(f"{made}().{call.callee.name}") if made is not None else None
        if name is not None and name in entries:
            host, at = _host(module, call, entries[name])
            if host and entries[name].get("with_port"):
                host = host.rpartition(":")[0]
            told = Place(module.path, at.at) if at is not None else None
            pair = _pair(module, call, entries[name])
            yield Serving(entries[name], name, host, told, Place(module.path, call.callee.at), call, at,
                          pair[1] if pair is not None else None)


def _of_chain(name: str | None) -> str | None:
    """A method of what the first call of a chain made: a server hands itself on, ``x().get().listen`` is its own."""
    first, made, rest = (name or "").partition("()")
    return f"{first}{made}.{rest.rpartition('.')[2]}" if made else name


def _port_argument(call: p.Call, at: int | None, key: str) -> p.Expression | None:
    """What a call is given as its port: by the name ``key``, or as the plain argument ``at``."""
    for argument in call.args:
        if argument.name == key:
            return argument.value
        if type(argument.value) is p.Record:
            for entry in argument.value.entries:
                if type(entry.key) is p.Text and entry.key.value == key:
                    return entry.value
    given = call.args[at] if at is not None and len(call.args) > at else None
    if given is None or any(a.spread or a.name is not None for a in call.args[: at + 1 if at is not None else 0]):
        return None
    return None if type(given.value) in (p.Function, p.Record) else given.value


def method(module: Module, call: p.Call, depth: int = 0) -> str | None:
    """The qualified name of what ``call`` calls; ``x().run`` for a method of what ``x()`` made under one name."""
    callee = call.callee
    if type(callee) is not p.Member:
        return module.qualified(callee)
    of: p.Expression | None = callee.of
    if type(of) is p.Name and (own := module.only(of.id, of)) is not None and own.kind == "value" and not own.path:
        of = own.value.value if type(own.value) is p.Await else own.value
    if type(of) is p.Call and required(of) is None and depth < _DEEPEST:
        made = method(module, of, depth + 1)
        if made is not None:
            return f"{made}().{callee.name}"
    return module.qualified(callee)


def _made(module: Module, value: Any, project: Project, depth: int = 0) -> str | None:
    """The qualified name of what is called, of another's, to make ``value``: through names, imports and the functions
    of the project, where these agree."""
    if type(value) is p.Await:
        return _made(module, value.value, project, depth)
    if depth > _DEEPEST or type(value) not in (p.Name, p.Call):
        return None
    if type(value) is p.Name:
        where, found = project.definitions(module, value)
        if len(found) != 1 or found[0].kind not in ("value", "with") or found[0].path:
            return None
        return _made(where, found[0].value, project, depth + 1)
    if (specifier := required(value)) is not None:
        answer = project.resolve(module, specifier)
        target = project.module(answer.path) if isinstance(answer, Found) else None
        exported = project.exported(target, "default") if target is not None else None
        if exported is None or len(exported[1]) != 1 or exported[1][0].path or exported[1][0].kind != "value":
            return None
        return _made(exported[0], exported[1][0].value, project, depth + 1)
    if type(value.callee) is p.Name:
        where, found = project.definitions(module, value.callee)
        function = found[0].value if len(found) == 1 and not found[0].path else None
        if type(function) is p.Function:
            made = {_made(where, given, project, depth + 1) for given in returned(function)}
            return made.pop() if len(made) == 1 and not function.decorators else None
    return method(module, value)


def _pair(module: Module, call: p.Call, entry: Mapping[str, Any]) -> tuple[p.Expression, ...] | None:
    """The pair of host and port that ``call`` is given, where the table says so: ``HTTPServer(("", 80), Handler)``."""
    at = entry.get("pair_at", len(call.args))
    given: Any = call.args[at].value if at < len(call.args) and call.args[at].name is None else None
    if type(given) is p.Name and (own := module.only(given.id, given)) is not None and not own.path:
        given = own.value
    return given.items if type(given) is p.Sequence and len(given.items) == 2 else None


def _host(module: Module, call: p.Call, entry: Mapping[str, Any]) -> tuple[str | None, p.Expression | None]:
    """The host that ``call`` is given, and where; the table's where it is given none."""
    plain = [argument for argument in call.args if argument.name is None]
    if any(argument.spread for argument in call.args):
        return None, None
    if "pair_at" in entry:
        pair = _pair(module, call, entry)
        return _text(module, pair[0]) if pair is not None else (None, None)
    for argument in call.args:
        if argument.name in entry.get("socket_keys", ()):
            return None, None
        if argument.name in entry["keys"]:
            return _text(module, argument.value)
    if "object_at" in entry and len(plain) > entry["object_at"]:
        given = plain[entry["object_at"]].value
        if type(given) is p.Record:
            return _in_record(module, given, entry)
        if type(given) is not p.Number and len(plain) <= entry.get("at", len(plain)):
            # a variable may be the port or all options
            return None, None
    if "at" in entry and len(plain) > entry["at"]:
        value = plain[entry["at"]].value
        return (entry["host"], None) if type(value) is p.Function else _text(module, value)
    return entry["host"], None


def _in_record(module: Module, given: p.Record, entry: Mapping[str, Any]) -> tuple[str | None, p.Expression | None]:
    for item in given.entries:
        if type(item.key) is not p.Text or item.key.value == "path":
            return None, None
    values = {item.key.value: item.value for item in given.entries if type(item.key) is p.Text}
    told = next((values[key] for key in entry["keys"] if key in values), None)
    return _text(module, told) if told is not None else (entry["host"], None)


def _text(module: Module, value: p.Expression) -> tuple[str | None, p.Expression | None]:
    if type(value) is p.Name:
        own = module.only(value.id, value)
        if own is not None and own.kind == "value" and not own.path and type(own.value) is p.Text:
            value = own.value
    return (value.value, value) if type(value) is p.Text else (None, value)
