"""Addresses that a function of the project hands on to the client it makes: what its callers give for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.project.callees import Thing, class_around, last_name, thing
from connlint.project.calls import argument
from connlint.project.clients import Construction
from connlint.project.module import Module
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages
from connlint.project.suspects import suspects
from connlint.project.uses import references

_MOST = 20
"""Files that are read to see how they call the function."""


def handed(stages: Stages, project: Project, built: Construction) -> Iterator[tuple[Module, Any, str]]:
    """What callers give for the one address of ``built``, where that is a parameter of the function or constructor
    around it which is used for nothing else: the module of the call, the argument, and the place of the address in the
    tables."""
    addresses = list(built.addresses())
    place, name = addresses[0] if len(addresses) == 1 else ("", None)
    module = built.module
    if type(name) is not p.Name:
        return
    found = module.lookup(name.id, name)
    if len(found) != 1 or found[0].kind != "param" or found[0].path or type(found[0].node) is not p.Param:
        return
    param, function = found[0].node, module.parent(found[0].node)
    if type(function) is not p.Function or module.function(built.call) is not function or param.default is not None or (
            param.kind in ("rest", "keywords")):
        return
    owner = class_around(module, function) if function.kind == "constructor" or function.name == "__init__" else None
    called = owner.name if owner is not None else _called(module, function)
    if called is None or any(one is not param.target for one in references(module, name.id, name)):
        return  # it may be looked at before
    at = next(number for number, one in enumerate(function.params) if one is param)
    if module.program.language == "python" and (function.kind in ("method", "constructor") or owner is not None):
        at -= 1
    programs = programs_of(project, stages)
    wanted = Thing(module, owner or function)
    search = suspects(project)
    names = {called, *search.renamed(module.path, called)}
    others = {path for it in names for path in search.candidates(module.path, it)}
    for path in (module.path, *sorted(others)[:_MOST]):
        home = project.module(path) if stages.of_path(path) == "production" else None
        if home is None or programs.by_hand(home):
            continue
        local = names | {it.local for one in home.nodes(p.Import) for it in one.names if it.name in names and it.local}
        for call in home.nodes(p.Call):
            if last_name(call.callee) not in local or not (
                    made := thing(home, call.callee, project, 3)) or not made.is_at(wanted):
                continue
            given = argument(call, (str(at), name.id))
            if given is not None and not any(one.spread for one in call.args):
                yield home, given, place


def _called(module: Module, function: p.Function) -> str | None:
    """The name by which others call a function; None where it has none of its own."""
    above = module.parent(function)
    if type(above) is p.Let and type(above.target) is p.Name:
        return above.target.id
    return function.name or getattr(above, "name", None)
