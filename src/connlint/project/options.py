"""Options of a command line: where a program reads the value that one of them was declared with.

Told by their shape, whatever the library: a call that is given the option's name (``"--host"``), as the decorator of
the function that takes the value as a parameter, or on a parser whose result has it as an attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.callees import last_name
from connlint.project.module import Module

_PARSED = regex(r"^parse|args$|^options$")
_STANDS_FOR = ("Option", "Argument")
"""Calls that stand in a signature for the value of a parameter."""


def option_reads(module: Module, call: p.Call) -> Iterator[Any]:
    """The expressions of ``module`` that read the option which ``call`` declares; none where it declares none."""
    above = module.parent(call)
    if type(above) is p.Param and type(above.target) is p.Name and type(function := module.parent(above)) is p.Function:
        if last_name(call.callee) in _STANDS_FOR:
            yield from parameter_reads(module, function, above.target.id)
        return
    name = _destination(call)
    if name is None:
        return
    if type(above) is p.Function:
        if any(decorator is call for decorator in above.decorators):
            yield from parameter_reads(module, above, name)
        return
    for member in module.nodes(p.Member):
        if member.name == name and type(member.of) is p.Name and _is_parsed(module, member.of):
            yield member


def parameter_reads(module: Module, function: p.Function, name: str) -> Iterator[p.Name]:
    """Every place that reads the parameter ``name`` of ``function``."""
    for item in module.nodes(p.Name):
        if item.id == name and function.at[0] <= item.at[0] < function.at[1]:
            if any(d.node is not item and _is_parameter(function, d.node) for d in module.lookup(name, item)):
                yield item


def _is_parameter(function: p.Function, node: Any) -> bool:
    return any(param is node or param.target is node for param in function.params)


def _destination(call: p.Call) -> str | None:
    """The name under which the program reads the option, of the options whose names are written with dashes."""
    words = [a.value.value for a in call.args if a.name is None and type(a.value) is p.Text]
    flags = [word for word in words if word.startswith("-")]
    if not flags:
        return None
    told = next((a.value for a in call.args if a.name == "dest"), None)
    if type(told) is p.Text:
        return told.value
    plain = [word for word in words if word.isidentifier()]
    longest = max(flags, key=lambda flag: (flag.startswith("--"), len(flag)))
    # ``--shout/--no-shout`` is one option
    return plain[0] if plain else longest.partition("/")[0].lstrip("-").replace("-", "_")


def _is_parsed(module: Module, name: p.Name) -> bool:
    """Whether ``name`` may be what a parser made of the command line: the result of a call that says so, or handed
    in."""
    definitions = module.lookup(name.id, name)
    if any(type(d.value) is p.Call and _PARSED.search(last_name(d.value.callee) or "") for d in definitions):
        return True
    return bool(definitions) and all(d.value is None for d in definitions)
