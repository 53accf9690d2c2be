"""Functions of the project that stop the program where a variable has no value which their caller names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.project.conditions import conditions
from connlint.project.module import Module
from connlint.project.readers import VARIABLE
from connlint.project.rounds import items, iterable_of
from connlint.project.stage import Stages
from connlint.project.values import Values


def demanded_by_name(values: Values, stages: Stages, module: Module) -> Iterator[tuple[p.Call, frozenset[str]]]:
    """Calls by which the module has variables demanded: ``require_all("A", "B")``, ``checkEnv(["A", "B"])``."""
    for call in module.nodes(p.Call):
        if not any(_may_name_variables(argument.value) for argument in call.args):
            continue
        made = values.callee(module, call)
        if made is None or type(made.node) is not p.Function or not (asked := _asked(values, stages, made.module,
                                                                                     made.node)):
            continue
        names: set[str] = set()
        for number, argument in enumerate(call.args):
            param = _param(made.node, argument, number)
            if param is None or id(param) not in asked or (argument.spread and param.kind != "rest"):
                continue
            given = argument.value
            texts = [given] if type(given) is p.Text else [item for _, item in items(values, module, given)]
            names |= {text.value for text in texts if type(text) is p.Text and VARIABLE.match(text.value)}
        if names:
            yield call, frozenset(names)


def _may_name_variables(value: Any) -> bool:
    if type(value) is p.Sequence:
        return bool(value.items) and _may_name_variables(value.items[0])
    return type(value) is p.Name or (type(value) is p.Text and VARIABLE.match(value.value) is not None)


def _param(function: p.Function, argument: p.Argument, number: int) -> p.Param | None:
    """The parameter of ``function`` that takes an argument of a call."""
    params = [param for param in function.params
              if not (type(param.target) is p.Name and param.target.id in ("self", "cls"))]
    if argument.name is not None:
        return next((it for it in params if type(it.target) is p.Name and it.target.id == argument.name), None)
    for position, param in enumerate(params):
        if param.kind == "rest" or position == number:
            return param if param.kind in ("rest", "either", "positional") else None
    return None


def _asked(values: Values, stages: Stages, module: Module, function: p.Function) -> frozenset[int]:
    """The parameters of ``function`` that name variables, or are lists of them, without which it stops the program,
    whatever its other parameters are."""
    memo: dict[int, frozenset[int]] = module.memo.setdefault(_asked, {})
    if id(function) not in memo:
        memo[id(function)] = frozenset()
        nodes = list(p.within(function))
        keys = [key for node in nodes if (key := _key(values, module, node)) is not None]
        found = {id(param) for key in keys if (param := _of_param(module, key, function)) is not None}
        own = {inner.id: id(param) for param in function.params for inner in p.within(param.target)
               if type(inner) is p.Name}
        if found:
            stops = [node for node in nodes if type(node) is p.Raise or (
                isinstance(node, p.Statement) and stages.leaves(module, node))]
            asked = [{own[inner.id] for c in conditions(module, stop, function) for inner in p.within(c.test)
                      if type(inner) is p.Name and inner.id in own} for stop in stops]
            memo[id(function)] = frozenset(found) if any(params <= found for params in asked) else frozenset()
    return memo[id(function)]


def _key(values: Values, module: Module, node: Any) -> p.Name | None:
    """The name by which ``node`` asks the environment for a variable."""
    key: Any = None
    if type(node) is p.Compare and node.op in ("in", "not in"):
        right = node.right
        if type(right) is p.Call and type(right.callee) is p.Member and not right.args:
            right = right.callee.of
        key = node.left if values.environment.mapping(module, right) else None
    elif type(node) in (p.Call, p.Index) and (access := values.environment.access(module, node)) is not None:
        told = access.default is not None and not (type(access.default) is p.Text and access.default.value == "")
        key = None if told or len(access.names) != 1 else access.names[0]
    return key if type(key) is p.Name else None


def _of_param(module: Module, name: p.Name, function: p.Function) -> p.Param | None:
    """The parameter of ``function`` that ``name`` is, or of which it is one item."""
    found = module.lookup(name.id, name)
    if len(found) != 1 or found[0].path:
        return None
    own = {id(param): param for param in function.params}
    if id(found[0].node) in own:
        return own[id(found[0].node)]
    iterable = iterable_of(module, found[0])
    listed = module.lookup(iterable.id, iterable) if type(iterable) is p.Name else []
    return own.get(id(listed[0].node)) if len(listed) == 1 and not listed[0].path else None
