"""An edit that builds something behind a function, when it is first needed, and not while its module is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from connlint.languages.edits import without_lines
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.recipients import Recipients, called, getter_of, is_written, recipients
from connlint.project.uses import references

_ENDS = frozenset({"end", "close", "quit", "disconnect", "$disconnect", "destroy"})
"""Methods that end a client."""
_LISTENING = frozenset({"on", "once", "addListener"})
"""Methods that prepare a client and give nothing: they may well be called when it is built."""
_MOST_NOTED, _MOST_USERS = 12, 40
"""Uses in the file: where little speaks against the client, nobody would rewrite more of them."""
_MOST_BUILT = 3
"""Objects that are built one of the other."""


def behind_function(project: Project, path: str, call: p.Call, required: Fix | None = None, *,
                    alone: bool = True) -> Fix | None:
    """Put the construction ``call``, whose value a name at the top level of ``path`` gets, behind a function.

    ``required`` is an edit of what the construction reads, which is made as well. None unless everything that uses the
    name is seen, and runs later than the import: in functions of the same file, and of others unless it is ``alone``.
    What is built of it at the top level goes behind a function too.
    """
    module = project.module(path)  # the whole of it: every use has to be seen
    let: Any = next((s for s in module.program.body if type(s) is p.Let and s.value is not None
                     and s.value.at == call.at), None) if module is not None else None
    if module is None or let is None or let.at[1] < call.at[1]:
        return None
    plan = _Plan(project, module, alone)
    if not plan.defer(let):
        return None
    title = f"Build {let.target.id} when it is first needed"
    return plan.fix(title, required.edits if required is not None else ())


def kept_on_global(project: Project, path: str, call: p.Call) -> Fix | None:
    """Take the construction ``call``, whose value a name at the top level of ``path`` gets, from the global object
    where it is there already, and keep it there while the program is developed."""
    module = project.module(path)
    if module is None or module.program.language == "python":
        return None
    lets = [s for s in module.program.body if type(s) is p.Let and s.value is not None and s.value.at == call.at]
    if len(lets) != 1 or type(lets[0].target) is not p.Name:
        return None
    from connlint.languages.edits import proved
    from connlint.languages.javascript.deferring import kept_on_global as rewrite
    from connlint.languages.javascript.read import read

    edits = rewrite(module.source, module.program, lets[0])
    fix = Fix(f"Keep {lets[0].target.id} on the global object", tuple(edits or ()))
    return proved(module.source, fix, read, keeps=False) if edits else None


class _Plan:
    """What goes behind functions in one module, and every place where that is used."""

    def __init__(self, project: Project, module: Module, alone: bool) -> None:
        self.project = project
        self.module = module
        self.alone = alone
        self.python = module.program.language == "python"
        self.lets: list[tuple[p.Let, Recipients, tuple[p.Evaluate, ...]]] = []
        self.users: list[Edit] = []
        self.others: dict[str, list[Edit]] = {}

    def defer(self, let: p.Let) -> bool:
        """Plan for what ``let``, a statement at the top level, binds; False where that cannot be done."""
        module = self.module
        if type(let.target) is not p.Name or len(self.lets) == _MOST_BUILT:
            return False
        name = let.target.id
        if sum(type(s) is p.Let and s.at == let.at for s in module.program.body) > 1:
            return False  # one statement binds several names
        users = references(module, name, let.target)
        seen = sum(node.id == name for node in module.nodes(p.Name))
        if len(users) > (_MOST_NOTED if self.alone else _MOST_USERS):
            return False
        if module.only(name, let.target) is None or seen != len(users) + 1 or any(is_written(module, u) for u in users):
            return False
        takers = recipients(self.project, module, let, users)
        if takers is None or (self.alone and (takers.own or takers.inline or takers.others)):
            return False
        if not self._is_asked(let, users, takers):
            return False
        if any(self._is_handed_out(user) for user in users):
            return False
        users = [user for user in users if user.at not in takers.sites]
        prepared, built = list[p.Evaluate](), list[p.Let]()
        for user in users:
            if module.function(user) is not None:
                continue
            statement: Any = module.statement(user)
            if self._prepares(statement, user) and statement.at[0] > let.at[1]:
                prepared.append(statement)
            elif self._is_built_of(statement, user):
                built.append(statement)
            else:
                return False
        if not any(module.function(user) is not None for user in users) and not takers.others and not built:
            return False
        getter = getter_of(name, python=self.python)
        self.lets.append((let, takers, tuple(prepared)))
        for user in users:
            if not any(_holds(one.at, user.at) and module.function(user) is None for one in prepared):
                self.users.append(self._used(user, getter))
        self.users += takers.own
        for path, edits in takers.others.items():
            self.others.setdefault(path, []).extend(edits)
        return all(any(one is other for other, _, _ in self.lets) or self.defer(one) for one in built)

    def _is_asked(self, let: p.Let, users: Iterable[p.Name], takers: Recipients) -> bool:
        """Whether something asks what the name holds to do anything but to end: else it works by itself from the moment
        it is built, and nobody would build it."""
        assert type(let.target) is p.Name
        if not takers.others:
            return True
        for user in users:
            member = self.module.parent(user)
            listens = type(member) is p.Member and member.name in _LISTENING
            if user.at not in takers.sites and not listens and not _ends(self.module, user):
                return True
        name, ends = let.target.id, "|".join(re.escape(end) for end in sorted(_ENDS))
        used = re.compile(rf"(?<![\w$/'\"-]){re.escape(name)}\b(?!\??\.(?:{ends})\()")
        texts = [other.source.text for path in takers.others if (other := self.project.module(path)) is not None]
        # an import names it once
        return any(f".{name}" in text or len(used.findall(text)) > 1 for text in texts)

    def _is_handed_out(self, user: p.Name) -> bool:
        """Whether a function does nothing but to return what the name holds: who wants to build it later does so there.
        """
        statement = self.module.statement(user)
        function = self.module.function(user)
        return type(statement) is p.Return and statement.value is user and function is not None and (
            len(function.body) == 1 and not function.params)

    def _used(self, user: p.Name, getter: str) -> Edit:
        if not self.python and _ends(self.module, user):
            return Edit(Place(self.module.path, user.at), f"{user.id}?")
        return called(self.module, user, getter)

    def _prepares(self, statement: Any, user: p.Name) -> bool:
        """Whether a statement at the top level only adds a listener to what the name holds."""
        call = statement.value if type(statement) is p.Evaluate else None
        return not self.python and type(call) is p.Call and type(call.callee) is p.Member and (
            call.callee.of is user and call.callee.name in _LISTENING
            and any(statement is one for one in self.module.program.body))

    def _is_built_of(self, statement: Any, user: p.Name) -> bool:
        """Whether a statement at the top level builds something else of what the name holds."""
        return not self.python and type(statement) is p.Let and type(statement.value) is p.Call and (
            statement.value.at[0] < user.at[0] and any(statement is one for one in self.module.program.body))

    def fix(self, title: str, more: Iterable[Edit]) -> Fix | None:
        """The edit of all files, each of which still reads well."""
        module, source = self.module, self.module.source
        more = tuple(more)
        outside = [edit for edit in more if edit.place.path != module.path]
        asked = [edit for edit in more if edit.place.path == module.path and self._stands_above(edit)]
        rest = [edit for edit in more if edit.place.path == module.path and edit not in asked]
        if any(not self._is_inside(edit) and not edit.text.startswith(("import", "from")) for edit in rest):
            return None
        inner = [*self.users, *rest]
        edits: list[Edit] = []
        for let, takers, prepared in self.lets:
            assert let.value is not None
            taken = [edit for edit in inner if _holds(let.at, edit.place.at)]
            if not all(_holds(let.value.at, edit.place.at) for edit in taken):
                return None
            inner = [edit for edit in inner if edit not in taken]
            told = []
            for statement in prepared:
                at = _with_comment(source, statement.at)
                gone = without_lines(source, at, "//.*")
                if gone is None:
                    return None
                mine = [edit for edit in inner if _holds(at, edit.place.at)]
                inner = [edit for edit in inner if edit not in mine]
                told.append(_text(module, at, mine))
                edits.append(gone)
            first = [edit.text.strip() for edit in asked] if let is self.lets[0][0] else []
            made = self._built(let, takers.inline, _text(module, let.value.at, taken), first, told)
            if made is None:
                return None
            edits += made
        if any(_holds(let.at, edit.place.at) for let, _, _ in self.lets for edit in inner):
            return None
        own = self._proved(module.path, (*edits, *inner), title)
        others = [self._proved(path, tuple(rows), title) for path, rows in sorted(self.others.items())]
        if own is None or any(one is None for one in others):
            return None
        every = (*own.edits, *(edit for one in others if one is not None for edit in one.edits))
        if {edit.place.path for edit in outside} & {edit.place.path for edit in every}:
            return None
        return Fix(title, (*every, *outside))

    def _stands_above(self, edit: Edit) -> bool:
        """Whether an edit puts a statement right above the construction: it is about what that takes."""
        let, at = self.lets[0][0], edit.place.at
        before = max((s.at[1] for s in self.module.program.body if s.at[1] <= let.at[0]), default=0)
        above = at[0] == at[1] and before <= at[0] <= let.at[0] and not self.python
        return above and not edit.text.startswith("import")

    def _is_inside(self, edit: Edit) -> bool:
        function = next((f for f in self.module.nodes(p.Function) if _holds(f.at, edit.place.at)), None)
        return function is not None or _holds(self.lets[0][0].at, edit.place.at)

    def _built(self, let: p.Let, exported: bool, value: str, asked: list[str], told: list[str]) -> list[Edit] | None:
        assert type(let.target) is p.Name
        getter, source, program = getter_of(let.target.id, python=self.python), self.module.source, self.module.program
        if self.python:
            from connlint.languages.python.deferring import behind_function as rewrite_python

            return rewrite_python(source, program, let, getter, value)
        from connlint.languages.javascript.deferring import behind_function as rewrite_javascript

        return rewrite_javascript(source, program, let, getter, value, asked, told, exported=exported)

    def _proved(self, path: str, edits: tuple[Edit, ...], title: str) -> Fix | None:
        module = self.project.module(path)
        if module is None:
            return None
        if self.python:
            from connlint.languages.python.layout import proved_edit

            return proved_edit(module.source, Fix(title, edits), keeps=False)
        from connlint.languages.edits import proved
        from connlint.languages.javascript.read import read

        return proved(module.source, Fix(title, edits), read, keeps=False)


def _holds(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _with_comment(source: Source, at: Span) -> Span:
    """A statement with the lines of comment right above it."""
    line = first = source.line(at[0])
    while first > 1 and source.line_text(first - 1).startswith("//"):
        first -= 1
    return (source.line_starts()[first - 1] if first < line else at[0]), at[1]


def _text(module: Module, at: Span, edits: Iterable[Edit]) -> str:
    """What stands at ``at`` with ``edits``."""
    parts, place = [], at[0]
    for edit in sorted(edits, key=lambda edit: edit.place.at):
        parts += [module.source.slice((place, edit.place.at[0])), edit.text]
        place = edit.place.at[1]
    return "".join((*parts, module.source.slice((place, at[1]))))


def _ends(module: Module, user: p.Name) -> bool:
    """Whether a statement closes what the name holds, and nothing else: what was never built has not to be closed."""
    member = module.parent(user)
    call = module.parent(member) if type(member) is p.Member and member.name in _ENDS and not member.maybe else None
    if type(call) is not p.Call or call.callee is not member or call.args:
        return False
    above = module.parent(call)
    return type(module.parent(above) if type(above) is p.Await else above) is p.Evaluate
