"""One variable that is read with different defaults in one package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connlint.checks.fallback import candidates
from connlint.checks.wording import Wording, wording_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.model.source import Span
from connlint.project.address import HOLE, hosts, is_loopback, loopback, shown
from connlint.project.module import Module
from connlint.project.packages import package_root
from connlint.project.project import Project
from connlint.project.stage import Stages, stages_of
from connlint.project.values import Possible, Values, values_of


@dataclass(frozen=True, slots=True)
class Default:
    """One read of ``variable`` with a constant default; ``meaning`` is the same for texts that mean the same."""

    variable: str
    text: str
    meaning: str
    place: Place


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Drafts of outcome "address" and "value", one for every read that differs from another."""
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    if stages.of_path(module.path) in card.options.get("silent_stages", ()):
        return
    wording = wording_of(project, rules.apis)
    own = defaults(values, stages, wording, module)
    for default in own:
        others = [d for d in _everywhere(values, stages, wording, project, module, default.variable, card)
                  if d.meaning != default.meaning]
        if not others:
            continue
        nearest = min(others, key=lambda d: (d.place.path != module.path, d.place.path, d.place.at))
        address = any(_is_address(d.text) for d in (default, *others))
        slots = {"variable": default.variable, "default": shown(default.text), "other": shown(nearest.text),
                 "place": nearest.place.path}
        related = tuple(Step(d.place, f"{d.variable} defaults to {shown(d.text)} here") for d in others[:5])
        yield Draft("address" if address else "value", default.place, slots, default.variable, related=related)


def defaults(values: Values, stages: Stages, wording: Wording, module: Module) -> list[Default]:
    """Every read in ``module`` of one variable with one constant default, outside of development."""
    key = "defaults"
    found: list[Default] | None = module.memo.get(key)
    if found is None:
        rows: dict[tuple[str, Place], Default] = {}
        for node, possible, within in candidates(values, module):
            for variable, q, place in _decided(module, possible, within):
                if variable in stages.variables or variable in stages.flags or _is_own(wording, variable):
                    continue
                if wording.listens(variable, loopback(q.text or ""), q.text or ""):
                    continue
                if stages.only_in_development(module, node, q.conditions):
                    continue
                rows.setdefault((variable, place), Default(variable, q.text or "", meaning(q.text or ""), place))
        found = module.memo[key] = _chosen(module, list(rows.values()))
    return found


def _chosen(module: Module, rows: list[Default]) -> list[Default]:
    """``rows`` without the variables whose default depends on a choice: one per branch of the same statement."""
    choices = [node for kind in (p.Switch, p.If, p.Conditional) for node in module.nodes(kind)]
    left = []
    for row in rows:
        others = [r for r in rows if r.variable == row.variable and r.meaning != row.meaning]
        if not any(_apart(choice, row.place.at, other.place.at) for choice in choices for other in others):
            left.append(row)
    return left


def _apart(choice: Any, one: Span, other: Span) -> bool:
    """Whether two places stand in different branches of ``choice``."""
    if type(choice) is p.Switch:
        branches = [case.body for case in choice.cases]
    elif type(choice) is p.If:
        branches = [choice.then, choice.otherwise]
    else:
        branches = [(choice.then,), (choice.otherwise,)]
    places = (_branch(branches, one), _branch(branches, other))
    return None not in places and places[0] != places[1]


def _branch(branches: list[Any], at: Span) -> int | None:
    return next((number for number, body in enumerate(branches, 1)
                 if body and body[0].at[0] <= at[0] and at[1] <= body[-1].at[1]), None)


def _is_own(wording: Wording, variable: str) -> bool:
    """Variables that every process of a package has for itself: where it listens, what the platform sets."""
    return wording.says("platform", variable) or wording.says("bind", variable) or wording.says("test", variable)


def _decided(module: Module, possible: list[Possible], within: list) -> Iterator[tuple[str, Possible, Place]]:
    for q in possible:
        if len(q.absent) != 1 or q.reads or q.joint is None or q.joint.module is not module or not q.text:
            continue
        if HOLE in q.text or q.nothing or q.origin is None:
            continue
        if not any(n.at[0] <= q.joint.node.at[0] and q.joint.node.at[1] <= n.at[1] for n in within):
            continue
        read = q.absent[0]
        if len(read.variables) != 1 or HOLE in read.variables[0] or read.site.module is not module:
            continue
        if not _direct(q.joint.node, read.site.node):
            continue
        if any(read.variables[0] in r.variables and len(other.absent) == 0 for other in possible for r in other.reads):
            yield read.variables[0], q, Place(module.path, read.site.node.at)


def _direct(joint: Any, read: Any) -> bool:
    """Whether a default stands beside its read, rather than in a branch or a handler somewhere near."""
    inside = joint.at[0] <= read.at[0] and read.at[1] <= joint.at[1]
    return not isinstance(joint, p.Statement) or (type(joint) is p.Let and inside)


def _everywhere(values: Values, stages: Stages, wording: Wording, project: Project, module: Module, variable: str,
                card: Card) -> list[Default]:
    """The same variable's defaults in the package of ``module``."""
    root = package_root(project, module.path)
    memo = project.memo.setdefault("drift", {})
    if (root, variable) not in memo:
        rows = []
        words = [word.encode() for alternative in card.sieve for group in alternative for word in group]
        for path in _naming(project, root).get(variable.encode(), ()):
            if stages.of_path(path) in card.options.get("silent_stages", ()):
                continue
            other = module if path == module.path else project.module(path, words)
            if other is not None:
                rows += [d for d in defaults(values, stages, wording, other) if d.variable == variable]
        memo[root, variable] = rows
    return memo[root, variable]


_NAMED = re.compile(
    rb"(?:env|Env|ENV|getenv|environ|onfig|get|default)\w*(?:\.\w+)?\s*[\[(.]\s*['\"]?([A-Z][A-Z0-9_]{2,})"
)
_TAKEN = re.compile(rb"[{,]\s*([A-Z][A-Z0-9_]{2,})\s*[=:,}]")
_TAKES = re.compile(rb"\}\s*=\s*[\w.]*env\b")
_ANY = re.compile(rb"\b([A-Z][A-Z0-9_]{2,})\b")
_FIELD = re.compile(rb"\n[ \t]+([A-Za-z][A-Za-z0-9_]{2,})[ \t]*:[^\n=]*=")


def _naming(project: Project, root: str) -> dict[bytes, list[str]]:
    """Variable → the files of a package whose bytes look like a read of it; found in one pass over the package."""
    memo = project.memo.setdefault("drift files", {})
    if root not in memo:
        found: dict[bytes, list[str]] = {}
        for path in _files(project, root):
            data = project.tree.read(path) or b""
            if b"env" not in data and b"Env" not in data and b"Settings" not in data and b"onfig" not in data:
                continue
            names = set((_ANY if b"} = process.env" in data else _NAMED).findall(data))
            if _TAKES.search(data):
                names.update(_TAKEN.findall(data))
            if b"Settings" in data:
                names.update(name.upper() for name in _FIELD.findall(data))
            for name in names:
                found.setdefault(name, []).append(path)
        memo[root] = found
    return memo[root]


def _files(project: Project, root: str) -> list[str]:
    memo = project.memo.setdefault("package files", {})
    if not memo:
        suffixes = tuple(project.readers)
        for path in sorted(project.tree.paths):
            if path.endswith(suffixes):
                memo.setdefault(package_root(project, path), []).append(path)
    return memo.get(root, [])


def meaning(text: str) -> str:
    """The same text for defaults that mean the same: case of scheme and host, a trailing slash, names of loopback."""
    text = text.strip()
    if found := re.match(r"([A-Za-z][A-Za-z0-9+.\-]*)://", text):
        scheme = found[1].lower()
        scheme = {"postgres": "postgresql"}.get(scheme, scheme)
        rest = text[found.end() :]
        authority, slash, path = rest.partition("/")
        user, at, host = authority.rpartition("@")
        return f"{scheme}://{user}{at}{_host(host)}{slash}{path}".rstrip("/")
    if any(h.port or h.loopback or "." in h.name for h in hosts(text)):
        return _host(text).rstrip("/")
    if text.lower() in ("true", "false"):
        return text.lower()
    return text.rstrip("/") or text


def _host(text: str) -> str:
    name, colon, port = text.lower().partition(":")
    return f"{'localhost' if is_loopback(name) and name != '0.0.0.0' else name}{colon}{port}"


def _is_address(text: str) -> bool:
    return any(h.scheme or h.port or h.loopback for h in hosts(text))
