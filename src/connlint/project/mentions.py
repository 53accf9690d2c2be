"""Fields and entries whose name the program does not hold a second time, although it holds those of others beside them.

This is settled on bytes, comments left out; tests and errands that somebody runs by hand count as readers of what
stands beside, and not of the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.by_hand import ByHand
from connlint.project.elsewhere import Field
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.stage import Stages, words_of
from connlint.project.validators import validated

_WHOLE = regex(rb"\b([\w.]+)(?:\(\))?\.(?:model_dump|dict|items|__dict__|json|model_fields)\b"
               rb"|(?:\basdict|\bvars)\(\s*([\w.]+)|\*\*([\w.]+)"
               rb"|\bgetattr\(\s*([\w.]+)\s*,\s*(?!\s|['\"])")
"""Ways to use all fields of an object without naming one."""
_PAGES = (".html", ".htm", ".j2", ".jinja", ".jinja2", ".ejs", ".hbs", ".pug", ".njk", ".mako")
"""Files that may show what a program gives them."""
_QUOTED = regex(rb"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\\n])*`")
_CAPITALS = regex(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
_LOGS = regex(rb"\b(?:log(?:ger)?|console|winston|pino)\.\w+\(|\bprint\(", re.I)
_TAKES = regex(rb"\s*(?:(?:const|let|var)\s*\{[\w\s,]*)?$")
"""In front of a name that is taken out of an object."""
_TYPES = rb"(?:string|number|boolean|any|unknown|true|false|null|undefined|None|True|False)\b"


class Mentions:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages
        self.index = importers(project)

    @classmethod
    def of(cls, project: Project, stages: Stages) -> Mentions:
        """The one `Mentions` of a project."""
        return project.single(cls, project, stages)

    def is_unread(self, field: Field, least: int) -> bool:
        """Whether nothing reads ``field``, although the program reads ``least`` other fields of the same class, and
        never the object as a whole."""
        others = [name for name in _declared(field.owner) if name != field.name and not name.startswith("_")]
        if len(others) < least or self._is_read(field.module, field.owner, field.name):
            return False
        read = 0
        for name in others:
            read += self._is_read(field.module, field.owner, name)
            if read >= least:
                return not self._is_used_whole(field)
        return False

    def is_unread_entry(self, home: Module, entry: p.Entry, least: int) -> bool:
        """Whether nothing reads what stands in ``entry`` of a schema or object, although ``least`` others of its
        entries are read."""
        schema = home.parent(entry)
        if type(entry.key) is not p.Text or type(schema) is not p.Record or self._is_named(home, entry.key.value):
            return False
        others = [e.key.value for e in schema.entries if type(e.key) is p.Text and e is not entry]
        read = 0
        for name in others:
            read += self._is_named(home, name, tests=True)
            if read >= least:
                return True
        return False

    def is_only_logged(self, home: Module, entry: p.Entry) -> bool:
        """Whether what stands in ``entry`` under a name like those of variables is taken by that name and written to a
        log, everywhere in the program, and nothing else."""
        if type(entry.key) is not p.Text or not _CAPITALS.match(entry.key.value):
            return False
        word = re.compile(rb"(?<![\w$])(?<!process\.env\.)%s(?![\w$])" % re.escape(entry.key.value.encode()))
        logged = 0
        for path in self.index.mentions(entry.key.value, home.path):
            data = self.index.data(path)
            for match in word.finditer(data) if self._counts(path) else ():
                if path == home.path and entry.at[0] <= match.start() < entry.at[1]:
                    continue
                lines = data[: match.start()].rsplit(b"\n", 2)[-2:]
                if any(_LOGS.search(line) for line in lines):
                    logged += 1
                elif not _TAKES.match(lines[-1]) or data[match.end() : match.end() + 1] not in (b",", b"\n", b" "):
                    return False
        return logged > 0

    def _counts(self, path: str) -> bool:
        return self.stages.of_path(path) != "test" and not ByHand.of(self.project, self.stages).is_errand(path)

    def _is_named(self, home: Module, variable: str, *, tests: bool = False) -> bool:
        """Whether any file of the program (or, with ``tests``, of what surrounds it) names ``variable`` other than
        as the key of something, or where it asks the process itself. Another package that has an entry of this name
        means its own."""
        project, name = self.project, re.escape(variable.encode())
        word = re.compile(rb"(?<![\w$])(?<!process\.env\.)(?<!import\.meta\.env\.)%s(?![\w$])"
                          rb"(?:(?!['\"]?\s*\??:)|(?=\s*:\s*(?!%s)[a-z_$][\w$]*\s*[,}=]))" % (name, _TYPES))
        entry = re.compile(rb"(?<![\w$])%s['\"]?\s*:" % name)
        root = own_root(project, home.path)
        holding = [path for path in self.index.mentions(variable, home.path)
                   if tests or path == home.path or self._counts(path)]
        others = {own_root(project, path) for path in holding if entry.search(self.index.data(path))} - {root}
        return any(self._holds(path, word) for path in holding if own_root(project, path) not in others)

    def _holds(self, path: str, word: re.Pattern[bytes]) -> bool:
        return any(True for _ in outside_comments(word, self.index.data(path), python=path.endswith(".py")))

    def _is_used_whole(self, field: Field) -> bool:
        words = {*words_of(field.owner.name or ""), "self", "this"}
        near = [path for path in self.index.near(field.module.path) if self._counts(path)]
        return any(words.intersection(words_of(b"".join(found).decode()))
                   for path in (field.module.path, *near) for found in _WHOLE.findall(self.index.data(path)))

    @cached_property
    def _pages(self) -> list[str]:
        return [path for path in sorted(self.project.tree.paths) if path.endswith(_PAGES)]

    def _is_read(self, home: Module, owner: p.Class, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether any file of the program holds the name in another place than its declaration, and not only to make
        another field of it that nobody reads. Another package whose class has a field of this name means its own."""
        if name in seen:
            return False
        text = re.escape(name.encode())
        assigned = _declared(owner).get(name)
        python = home.path.endswith(".py")
        # a variable of the environment may have the name of the field
        quoted = rb"(?<!getenv\()(?<!environ\[)(?<!environ\.get\()[\"']%s[\"']" if python else rb"[\"']%s[\"']"
        own = re.compile(rb"\.%s\b|" % text + quoted % text)
        asked = sum(1 for _ in outside_comments(own, home.source.data, python=python))
        if _goes_on(owner, name):
            return True
        if assigned is None or asked > validated(owner, name) + assigned:
            inside = [m for m in home.nodes(p.Member) if m.name == name and owner.at[0] <= m.at[0] < owner.at[1]]
            made = {made_of(home, member) for member in inside}
            if asked != validated(owner, name) + len(inside) or None in made or any(
                    self._is_read(home, owner, other, seen | {name}) for other in made if other and other != name):
                return True
        shown = re.compile(rb"(?<![\w])%s(?![\w])" % text)
        word = own if python else shown
        others = self._having(home, name) if python else set()
        return any(path != home.path and self._counts(path) and own_root(self.project, path) not in others
                   and self._holds(path, word) for path in self.index.mentions(name, home.path)) or any(
            shown.search(self.index.data(path)) for path in self._pages)

    def _having(self, home: Module, name: str) -> set[str]:
        """The roots of other packages, below which a class has a field of its own that is called ``name``."""
        declared = re.compile(rb"^[ \t]+%s[ \t]*(?::[^\n=]+)?=" % re.escape(name.encode()), re.M)
        here = ("", own_root(self.project, home.path))
        return {root for path in self.index.mentions(name, home.path)
                if (root := own_root(self.project, path)) not in here and declared.search(self.index.data(path))}


def made_of(module: Module, member: p.Member) -> str | None:
    """The attribute that is made of what ``member`` reads: assigned, or given back by a property; "" where it is only
    tested or written; None where anything else happens to it."""
    for above in module.parents(member):
        kind = type(above)
        if kind in (p.Let, p.Assign):
            if above.target is member:
                return ""
            target = above.target
            own = type(target) is p.Member and type(target.of) is p.Name and target.of.id in ("self", "cls")
            return target.name if own else None
        if kind in (p.If, p.Not):
            return ""
        if kind is p.Function:
            named = {getattr(d.callee if type(d) is p.Call else d, "id", "") for d in above.decorators}
            return above.name if named & {"property", "cached_property", "computed_field"} else None
        if kind not in (p.Concat, p.Logical, p.Conditional, p.Return, p.Argument, p.Call, p.Opaque, p.Evaluate, p.Entry,
                        p.Record):
            return None
    return None


def _goes_on(owner: p.Class, name: str) -> bool:
    """Whether another field of the class is made of the field ``name``: ``FULL = BASE + "/api"``."""
    waiting: list[Any] = [s.value for s in owner.body if type(s) is p.Let and s.value is not None]
    while waiting:
        node = waiting.pop()
        if type(node) is p.Name and node.id == name:
            return True
        waiting += p.children(node)
    return False


def _declared(owner: p.Class) -> dict[str, int]:
    """The fields of a class, each with how often a method assigns it."""
    found = {s.target.id: 0 for s in owner.body if type(s) is p.Let and type(s.target) is p.Name}
    waiting: list[Any] = list(owner.body)
    while waiting:
        node = waiting.pop()
        waiting += p.children(node)
        if type(node) in (p.Let, p.Assign) and type(node.target) is p.Member and type(node.target.of) is p.Name:
            if node.target.of.id in ("self", "this"):
                found[node.target.name] = found.get(node.target.name, 0) + 1
    return found


def outside_comments(pattern: re.Pattern[bytes], data: bytes, *, python: bool) -> Iterator[re.Match[bytes]]:
    """The matches of ``pattern`` in code, as far as the line of each tells: what follows on the mark of a comment is
    left out, and so are the lines of a block of JavaScript that begin with a star."""
    for match in pattern.finditer(data):
        before = data[data.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if python:
            if b"#" in before and b"#" in _QUOTED.sub(b"", before):
                continue
        elif before.lstrip().startswith((b"*", b"/*")) and b"*/" not in before:
            continue
        elif b"//" in before and b"//" in _QUOTED.sub(b"", before):
            continue
        yield match
