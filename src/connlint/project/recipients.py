"""Who takes a name from a module, and where they use it: what has to be edited where the name becomes a function.

An answer holds every place or is none: a re-export, another name for it, a stand-in of a test, a use that is evaluated
while its file is imported, all make it none.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.model.finding import Edit, Place
from connlint.model.source import Span
from connlint.project.importers import Importers, importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.uses import references

_MOST_FILES = 8
_MOST_USES = 40
"""With more of them, an edit is longer than anybody would read."""
_COMPONENTS = (".vue", ".svelte", ".ipynb", ".d.ts")
_STAND_IN = re.compile(rb"\bmock\(|\.doMock\(|\bproxyquire\b|\brewire\(")


class Recipients(Struct):
    """``own`` are the edits of the places where the module gives the name away, at ``sites``; ``inline``: its
    declaration does. ``others`` are those of other files, by path."""

    own: list[Edit]
    sites: list[Span]
    inline: bool
    others: dict[str, list[Edit]]


def getter_of(name: str, *, python: bool) -> str:
    """What to call the function that gives what ``name`` held."""
    if python:
        return "get_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("_")).lower()
    return f"get{name[0].upper()}{name[1:]}"


def is_written(module: Module, user: p.Name) -> bool:
    """Whether a use of a name is no reading of its value."""
    above = module.parent(user)
    return (type(above) in (p.Assign, p.Let) and above.target is user) or type(above) is p.Default


def is_shorthand(module: Module, user: p.Name) -> bool:
    """Whether a name is both key and value of an entry."""
    above = module.parent(user)
    return type(above) is p.Entry and type(above.key) is p.Text and above.key.at == user.at


def called(module: Module, user: p.Name, getter: str) -> Edit:
    """The edit that calls ``getter`` where a name stands."""
    key = f"{user.id}: " if is_shorthand(module, user) else ""
    return Edit(Place(module.path, user.at), f"{key}{getter}()")


def recipients(project: Project, module: Module, let: p.Let, users: list[p.Name]) -> Recipients | None:
    """Everything that takes the name which ``let``, a statement at the top level, binds, if all of it can be edited.

    ``users`` are the places of the name in the module.
    """
    assert type(let.target) is p.Name
    name, python = let.target.id, module.program.language == "python"
    found = Recipients([], [], False, {})
    ways = {"name"} if python else _given(module, let, users, found)
    same = [text for text in module.nodes(p.Text) if text.value == name]
    if ways is None or any(type(module.parent(text)) in (p.Sequence, p.Argument) for text in same):
        return None  # as in ``__all__``, or where it is looked for by its name
    index = importers(project)
    if ways and _has_stand_ins(index, module, name):
        return None
    number = 0
    for path in index.of(module.path):
        if python and name.encode() not in index.data(path):
            continue
        taker = _Taker(index, project, path, module, name)
        edits = taker.edits(ways)
        number += len(edits or ())
        if edits is None or len(found.others) > _MOST_FILES or number > _MOST_USES:
            return None
        if edits:
            found.others[path] = edits
    # what is given away and taken by nobody here may be taken by somebody elsewhere
    return found if found.others or not (found.own or found.inline) else None


def _given(module: Module, let: p.Let, users: list[p.Name], found: Recipients) -> set[str] | None:
    """How a module of JavaScript gives a name away: by its name, as the default, as a whole."""
    assert type(let.target) is p.Name
    name, ways = let.target.id, set[str]()
    getter = getter_of(name, python=False)
    for export in module.nodes(p.Export):
        for one in export.names if export.source is None and export.value is None else ():
            if one.local != name:
                continue
            if one.at == export.at and export.at[0] <= let.at[0] and let.at[1] <= export.at[1]:
                found.inline = True
            elif one.at != export.at and module.source.slice(one.at) == name:
                found.own.append(Edit(Place(module.path, one.at), getter))
            else:
                return None
            ways.add("name")
    for user in users:
        above = module.parent(user)
        if type(above) is p.Export and above.value is user:
            way, edits = "default", [Edit(Place(module.path, user.at), getter)]
        elif type(above) is p.Assign and above.value is user and type(above.target) is p.Member:
            target = module.qualified(above.target)
            way, edits = "whole", [Edit(Place(module.path, user.at), getter)]
            if target in (f"exports.{name}", f"module.exports.{name}"):
                way, edits = "name", [*edits, Edit(Place(module.path, above.target.name_at), getter)]
            elif target != "module.exports":
                continue
        elif type(above) is p.Entry and _is_exported(module, module.parent(above)) and type(above.key) is p.Text:
            if above.key.value != name:
                continue
            way, edits = "name", [Edit(Place(module.path, above.at), getter)]
        else:
            continue
        found.own += edits
        found.sites.append(user.at)
        ways.add(way)
    more = any(type(s.target) is p.Member and (module.qualified(s.target) or "").startswith("module.exports.")
               for s in module.nodes(p.Assign))
    return None if "whole" in ways and (more or len(ways) > 1) else ways


def _is_exported(module: Module, record: Any) -> bool:
    assign = module.parent(record)
    return type(record) is p.Record and type(assign) is p.Assign and assign.value is record and (
        module.qualified(assign.target) == "module.exports")


def _has_stand_ins(index: Importers, module: Module, name: str) -> bool:
    """Whether a test puts something else in the place of the name, or of the module."""
    stem = module.path.rpartition("/")[2].partition(".")[0]
    if module.program.language == "python":
        if stem == "__init__":
            stem = module.path.split("/")[-2] if "/" in module.path else ""
        put = re.compile(rb"[\"'.]%s\.%s[\"']" % (re.escape(stem.encode()), re.escape(name.encode())))
        return any(put.search(index.data(path)) for path in index.mentions(f"{stem}.{name}", module.path))
    if stem == "index" and "/" in module.path:
        stem = module.path.split("/")[-2]
    named = re.compile(rb"[\"'][^\"'\s]*(?<![\w-])%s(?:\.\w+)?[\"']" % re.escape(stem.encode()))
    return any(_STAND_IN.search(data) and named.search(data)
               for data in map(index.data, index.mentions(stem, module.path)))


class _Taker:
    """One file that imports the module."""

    def __init__(self, index: Importers, project: Project, path: str, giver: Module, name: str) -> None:
        self.index = index
        self.module = project.module(path)
        self.path = path
        self.giver = giver
        self.name = name
        self.python = path.endswith(".py")
        self.found: list[Edit] = []

    def edits(self, ways: set[str]) -> list[Edit] | None:
        """The edits of the file; None where it does with the name what cannot be edited."""
        if self.module is None or not ways:
            return [] if not ways else None
        if self.path.endswith(_COMPONENTS) and self.name.encode() in self.index.data(self.path):
            return None
        if any(self._means(export.source) for export in self.module.nodes(p.Export) if export.source is not None):
            return None
        taken = [self._imported(statement, ways) for statement in self.module.nodes(p.Import)]
        if not self.python:
            taken += [self._required(call, ways) for call in self.module.nodes(p.Call)]
        return self.found if all(taken) else None

    def _means(self, specifier: str | None) -> bool:
        return bool(specifier) and self.index.resolved(self.path, specifier or "") == self.giver.path

    def _text(self, at: Span) -> str:
        assert self.module is not None
        return self.module.source.slice(at)

    def _imported(self, statement: p.Import, ways: set[str]) -> bool:
        if self.python:
            for one in statement.names:
                dot = "" if statement.module.endswith(".") else "."
                if one.name != "*" and self._means(f"{statement.module}{dot}{one.name}"):
                    if one.local is None or not self._members(one.local, statement):
                        return False
        if not self._means(statement.module):
            return True
        for one in statement.names:
            wanted = {"default"} & ways if one.name == "default" else {"name"} & ways if one.name == self.name else ()
            if one.name == "default" and "whole" in ways:
                wanted = {"whole"}
            if one.name == "*" and self.name.encode() in self.index.data(self.path):
                dotted = self.python and "." in statement.module and " as " not in self._text(one.at)
                if one.star or one.local is None or dotted or "whole" in ways:
                    return False
                if not self._members(one.local, statement):
                    return False
            if wanted and not self._bound(one.local, statement, one.at, whole=one.name == "default"):
                return False
            if wanted and (one.type_only or statement.type_only):
                return False
        return True

    def _required(self, call: p.Call, ways: set[str]) -> bool:
        """What a call of ``require``, or ``import()``, gives."""
        assert self.module is not None
        named = type(call.callee) is p.Name and call.callee.id in ("require", "import") and call.args
        specifier = call.args[0].value if named else None
        if type(specifier) is not p.Text or not self._means(specifier.value):
            return True
        let = self.module.parent(call)
        if type(let) is p.Let and let.value is call:
            if type(let.target) is p.Name:
                if "whole" in ways:
                    return self._bound(let.target.id, let.target, let.target.at, whole=True)
                return self._members(let.target.id, let.target)
            if type(let.target) is p.Record and "whole" not in ways:
                mine = [e for e in let.target.entries if type(e.key) is p.Text and e.key.value == self.name]
                return all(type(e.value) is p.Name and self._bound(e.value.id, e.value, e.at, whole=False)
                           for e in mine)
        if type(self.module.parent(let)) is p.Program and type(let) is p.Evaluate:
            return True  # for its effect
        return self.name.encode() not in self.index.data(self.path)

    def _bound(self, local: str | None, where: Any, at: Span, *, whole: bool) -> bool:
        """The name is taken at ``at`` and called ``local``: that, and all of its uses."""
        module = self.module
        assert module is not None
        if local is None or module.source.slice(at) != local or (not whole and local != self.name):
            return False
        getter, text = getter_of(local, python=self.python), module.source.text
        users = references(module, local, where)
        others = [node for node in module.nodes(p.Name) if node.id == local and node is not where]
        if not users or len(users) != len(others) or re.search(rf"(?<![\w$]){re.escape(getter)}(?![\w$])", text):
            return False
        if re.search(rf"\btypeof\s+{re.escape(local)}\b", text) and not self.python:
            return False
        if any(is_written(module, user) or module.function(user) is None for user in users):
            return False
        if any(type(module.parent(user)) in (p.Export, p.Delete) for user in users):
            return False
        self.found.append(Edit(Place(self.path, at), getter))
        self.found += [called(module, user, getter) for user in users]
        return True

    def _members(self, local: str, where: Any) -> bool:
        """The module is called ``local``: every use of the name as its member."""
        module = self.module
        assert module is not None
        for user in references(module, local, where):
            member = module.parent(user)
            if type(member) is not p.Member or member.of is not user:
                if self.name.encode() in self.index.data(self.path):
                    return False
                continue
            if member.name != self.name:
                continue
            above = module.parent(member)
            if module.function(user) is None or (type(above) in (p.Assign, p.Let) and above.target is member):
                return False
            getter = getter_of(self.name, python=self.python)
            self.found.append(Edit(Place(self.path, member.name_at), f"{getter}()"))
        return True
