"""Servers that a program starts by itself, and the address that its code gives them.

Which calls serve, and where the host stands in them, says the table `serving_call`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.model.finding import Place
from connlint.project.module import Module


class Serving(Struct, frozen=True):
    """One call that serves. ``host`` is None where it cannot be known; ``told`` is where it is written, if it is, and
    ``value`` the expression there."""

    entry: Mapping[str, Any]
    name: str
    host: str | None
    told: Place | None
    place: Place
    value: p.Expression | None = None

    def port(self, module: Module) -> p.Expression | None:
        """What tells the call, which stands in ``module``, its port: in an address, where the table says so."""
        if self.entry.get("with_port"):
            return self.value
        call = next((c for c in module.nodes(p.Call) if c.callee.at == self.place.at), None)
        return _port_argument(call, "object_at" in self.entry) if call is not None else None


def servings(module: Module, table: list[dict[str, Any]]) -> Iterator[Serving]:
    """Every call of ``module`` that serves, as far as its name shows."""
    entries = {name: entry for entry in table for name in entry["names"]}
    for call in module.nodes(p.Call):
        name = method(module, call)
        if name is not None and name in entries:
            host, at = _host(module, call, entries[name])
            if host and entries[name].get("with_port"):
                host = host.rpartition(":")[0]
            told = Place(module.path, at.at) if at is not None else None
            yield Serving(entries[name], name, host, told, Place(module.path, call.callee.at), at)


def _port_argument(call: p.Call, positional: bool) -> p.Expression | None:
    for argument in call.args:
        if argument.name == "port":
            return argument.value
        if type(argument.value) is p.Record:
            for entry in argument.value.entries:
                if type(entry.key) is p.Text and entry.key.value == "port":
                    return entry.value
    first = call.args[0] if call.args else None
    if positional and first is not None and first.name is None and not first.spread:
        return None if type(first.value) in (p.Function, p.Record) else first.value
    return None


def method(module: Module, call: p.Call) -> str | None:
    """The qualified name of what ``call`` calls; ``x().run`` for a method of what ``x()`` made under one name."""
    callee = call.callee
    if type(callee) is not p.Member:
        return module.qualified(callee)
    of: p.Expression | None = callee.of
    if type(of) is p.Name and (own := module.only(of.id, of)) is not None and own.kind == "value" and not own.path:
        of = own.value.value if type(own.value) is p.Await else own.value
    if type(of) is p.Call and (made := module.qualified(of.callee)) is not None:
        return f"{made}().{callee.name}"
    return module.qualified(callee)


def _host(module: Module, call: p.Call, entry: Mapping[str, Any]) -> tuple[str | None, p.Expression | None]:
    """The host that ``call`` is given, and where; the table's where it is given none."""
    plain = [argument for argument in call.args if argument.name is None]
    if any(argument.spread for argument in call.args):
        return None, None
    for argument in call.args:
        if argument.name in entry.get("socket_keys", ()):
            return None, None
        if argument.name in entry["keys"]:
            return _text(module, argument.value)
    if "object_at" in entry and len(plain) > entry["object_at"]:
        given = plain[entry["object_at"]].value
        if type(given) is p.Record:
            return _in_record(module, given, entry)
        if type(given) is not p.Number and len(plain) <= entry["at"]:
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
        if item.key.value in entry["keys"]:
            return _text(module, item.value)
    return entry["host"], None


def _text(module: Module, value: p.Expression) -> tuple[str | None, p.Expression | None]:
    if type(value) is p.Name:
        own = module.only(value.id, value)
        if own is not None and own.kind == "value" and not own.path and type(own.value) is p.Text:
            value = own.value
    return (value.value, value) if type(value) is p.Text else (None, value)
