"""Addresses that a framework takes from settings by itself: Django's ``DATABASES``, Flask's ``app.config``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connlint.model import program as p
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.stage import Stages
from connlint.project.values import Values

_LATER = regex(r"\b(?:locals|globals|exec)\(|\bvars\(\)")
"""How settings are filled by somebody else, further down in the file."""


def settings(module: Module, values: Values, stages: Stages, rules: Rules) -> Iterator[tuple[str, Any, Any]]:
    """The addresses among the settings of ``module`` that nothing else of the project gives: the framework that
    connects to it, the statement, the expression."""
    for entry in rules.apis.get("setting", ()):
        if (entry["language"] == "python") != (module.program.language == "python"):
            continue
        if "files" in entry:
            yield from _told_by(module, entry)
            continue
        if entry.get("beside") and not any(name in module.scope.names for name in entry["beside"]):
            continue
        # a field that is read from the environment is the program's own, whatever a framework calls so
        declared = {id(one.node) for one in values.environment.declarations(module)}
        rows: dict[str, list[tuple[Any, Any]]] = {}
        for name in entry["names"]:
            head, *keys = name.split(".")
            for node, value in _given(module, head, entry):
                if id(node) not in declared:
                    rows.setdefault(head, []).extend((node, found) for found in _inside(value, keys))
        for head, found in rows.items():
            nodes = {id(node) for node, _ in found}
            if len(nodes) == 1 and not _given_later(module, head, found[0][0], values.project, stages):
                for node, value in found:
                    yield entry["by"], node, value


def _told_by(module: Module, entry: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What a function gives that a framework asks for by its name, in a file that it looks for."""
    if re.search(entry["files"], module.path) is None:
        return
    for told in module.nodes(p.Entry):
        if type(told.key) is p.Text and told.key.value == entry["key"] and any(
                type(above) is p.Function and _called(module, above) == entry["function"]
                for above in module.parents(told)):
            yield entry["by"], told, told.value


def _called(module: Module, function: p.Function) -> str | None:
    """The name of a function, or the key under which it stands."""
    above = module.parent(function)
    key: Any = above.key if type(above) is p.Entry else None
    return key.value if type(key) is p.Text else function.name


def left_unset(module: Module, values: Values, stages: Stages, rules: Rules) -> Iterator[tuple[str, Any, Any, str]]:
    """The settings of ``module`` without which the framework dials its own machine: what `settings` says of each, and
    what is dialled. Those of a kind that keeps its data in a file, or may, are left out."""
    cases = {case["name"]: (entry, case) for entry in rules.apis.get("setting", ())
             if entry["language"] == module.program.language for case in entry.get("missing", ())}
    if not any(name.partition(".")[0].encode() in module.source.data for name in cases):
        return
    rows = [(by, node, value) for by, node, value in settings(module, values, stages, rules)]
    for name, (entry, case) in cases.items():
        head, *keys = name.split(".")
        for node, whole in _given(module, head, entry):
            for record in _inside(whole, keys[:-1]):
                value = next(_inside(record, keys[-1:]), None)
                found = next((row for row in rows if row[2] is value), None)
                kind = next(_inside(record, [case["kind"]]), None) if "kind" in case else None
                if found is None or ("kind" in case and not _is_served(module, values, kind, case["embedded"])):
                    continue
                yield found[0], node, value, case["target"]


def _is_served(module: Module, values: Values, kind: Any, embedded: list[str]) -> bool:
    """Whether ``kind`` is known, and nothing that keeps its data in a file."""
    texts = [q.text for q in values.possible(module, kind)] if kind is not None else []
    return bool(texts) and all(text and not any(word in text for word in embedded) for text in texts)


def _given(module: Module, name: str, entry: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The statements that give the setting ``name``, with the value."""
    for let in module.nodes(p.Let):
        target = let.target
        if let.value is None:
            continue
        if type(target) is p.Name and target.id == name:
            owner = module.parent(let)
            if type(owner) is p.Class if entry.get("attribute") else False:
                yield let, let.value
            elif module.function(let) is None and type(owner) is not p.Class:
                yield let, let.value
        elif type(target) is p.Index and type(target.key) is p.Text and target.key.value == name:
            of = target.of
            if type(of) is p.Member and of.name in entry.get("receivers", ()):
                yield let, let.value


def _inside(value: Any, keys: list[str]) -> Iterator[Any]:
    """What stands in a record under ``keys``."""
    if not keys:
        for item in value.items if type(value) is p.Sequence else (value,):
            # a host and its port: ``("cache", 6379)``
            yield item.items[0] if type(item) is p.Sequence and len(item.items) == 2 else item
    elif type(value) is p.Record:
        for entry in value.entries:
            if type(entry.key) is p.Text and keys[0] in ("*", entry.key.value):
                yield from _inside(entry.value, keys[1:])


def _given_later(module: Module, name: str, node: Any, project: Project, stages: Stages) -> bool:
    """Whether something else may give the setting: the same file further down, or another file of the program."""
    data = module.source.data
    later = data[node.at[1]:].decode("utf-8", "replace")
    if _LATER.search(later) or re.search(rf"\b{name}\b", later):
        return True
    if any(star.at[0] > node.at[0] for star in module.scope.stars):
        return True
    sets = re.compile(rb"\b" + name.encode() + rb"\b['\"]?\]?\s*(?:[:=](?!=)|\[)")
    index, own = importers(project), own_root(project, module.path)
    for path in index.mentions(name, module.path):
        other = own_root(project, path)
        if not (_is_within(other, own) or _is_within(own, other)):
            continue  # another program of the same repository
        if path != module.path and stages.of_path(path) != "test" and sets.search(index.data(path)):
            return True
    return False


def _is_within(folder: str, outer: str) -> bool:
    return not outer or f"{folder}/".startswith(f"{outer}/")
