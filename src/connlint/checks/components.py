"""Components: code that a framework runs once for every instance on the page, and the hook where it cleans up.

What hooks there are stands in the table `component`; here is only how to see that a function is one.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from connlint.cards import Rules
from connlint.checks.lifecycles import argument, last_word
from connlint.checks.meanings import names_of
from connlint.checks.origins import class_of, origins
from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.answer import Found
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

_DEPTH = 2
"""Functions, each calling the next, from a hook to what it runs."""
_SCRIPT = regex(rb"<script\b[^>]*>", re.IGNORECASE)


class Hook(Struct, frozen=True):
    """The place in a component from which a function is run: ``name`` as written, ``cleanup`` what undoes it.

    ``returns`` says that the hook runs a function which its callback returns. ``function`` is what the hook runs, where
    that is seen. ``undone_by`` is what can be called beside the hook with a function that cleans up, "" for nothing.
    """

    name: str
    cleanup: str
    returns: bool = False
    function: p.Function | None = None
    undone_by: str = ""

    def gets_promise_of(self, function: p.Function) -> bool:
        """Whether what an async ``function`` returns is a promise to the hook, out of which it takes no cleanup."""
        return self.returns or (self.function is function and bool(self.undone_by))


class Components:
    """Answers about the components of one module."""

    def __init__(self, module: Module, project: Project, rules: Rules) -> None:
        self.module = module
        self.project = project
        self.origins = origins(module, project)
        self._callers: dict[tuple[int, int], Hook | None] = {}
        self.hooks: dict[str, dict[str, Any]] = {}
        self.methods: dict[str, dict[str, Any]] = {}
        self.suffixes: dict[str, dict[str, Any]] = {}
        self.decorated: dict[str, dict[str, Any]] = {}
        self.roots: set[str] = set()
        self.root_files: set[str] = set()
        self.mounting: set[str] = set()
        self.keeping: set[str] = set()
        self.started: set[str] = set()
        for entry in rules.apis.get("component", ()):
            if (entry["language"] == "python") == (module.program.language == "python"):
                self.roots.update(entry.get("roots", ()))
                self.root_files.update(entry.get("root_files", ()))
                self.mounting.update(entry.get("mounting", ()))
                self.started.update(entry.get("started", ()))
                self.keeping.update(entry.get("keeping", ()))
                self.decorated.update(dict.fromkeys(entry.get("decorators", ()), entry))
                self.hooks.update(dict.fromkeys(entry.get("hooks", ()), entry))
                self.methods.update(dict.fromkeys(entry.get("methods", ()), entry))
                self.suffixes.update(dict.fromkeys(entry.get("suffixes", ()), entry))

    def hook(self, thing: Any, depth: int = _DEPTH) -> Hook | None:
        """The innermost hook of a component that runs ``thing``: directly, through functions written inside it, or
        through functions of the component that it calls.

        None in the component at the root of the page, which lives as long as that.
        """
        if self.is_root(thing):
            return None
        named: list[p.Function] = []
        found: Hook | None = None
        for above in self.module.parents(thing):
            if type(above) is p.Function:
                found = self.hook_of(above)
                if found is not None:
                    return found
                named.append(above)
            elif type(above) is p.Class:
                found = self._class(above)
                break
        if found is None and self.suffixes and self.module.function(thing) is None:
            found = self._script(thing)
        for function in named if found is None and depth > 0 and (self.hooks or self.methods) else ():
            found = found or self._calling(function, depth)
        return found

    def _calling(self, function: p.Function, depth: int) -> Hook | None:
        """The hook of a component that calls ``function``, which is written in the same component."""
        key = (id(function), depth)
        if key not in self._callers:
            self._callers[key] = None  # cuts cycles
            self._callers[key] = self._caller(function, depth)
        return self._callers[key]

    def _caller(self, function: p.Function, depth: int) -> Hook | None:
        define = self.module.parent(function)
        owner = self.module.parent(define)
        if type(define) is p.Argument and type(owner) is p.Call and owner.args[0] is define:
            if self.module.qualified(owner.callee) not in self.keeping:
                return None
            define = self.module.parent(owner)  # ``const start = useCallback(() => …, [])``
            owner = self.module.parent(define)
        if type(owner) in (p.Class, p.Record) and (function.kind == "method" or type(define) is p.Entry):
            return self._calling_method(function, define, owner, depth)
        at: Any
        if type(define) is p.Define:
            name, at = define.name, define
        elif type(define) is p.Let and type(define.target) is p.Name:
            name, at = define.target.id, define.target
        else:
            return None
        if self.is_beside(define):
            return None
        bound = self.module.lookup(name, at)
        for use in names_of(self.module).names().get(name, ()):
            if use is at or self.module.lookup(name, use) is not bound:
                continue
            above = self.module.parent(use)
            if any(outer is function for outer in self.module.parents(use)):
                continue
            hook = None
            if type(above) is p.Call and above.callee is use:
                hook = self.hook(above, depth - 1)
            elif type(above) is p.Argument and type(call := self.module.parent(above)) is p.Call:
                entry = self._takes(self.module, call, above)
                hook = Hook(last_word(call.callee) or "", self._cleanup(entry)) if entry is not None else None
            if hook is not None:
                return Hook(hook.name, hook.cleanup)
        return None

    def _calling_method(self, function: p.Function, define: Any, owner: Any, depth: int) -> Hook | None:
        """The hook of the same object that calls one of its methods: ``mounted() { this.listen(); }``."""
        name = define.name if type(define) is p.Define else getattr(define.key, "value", None)
        for member in names_of(self.module).members().get(name, ()) if name else ():
            call = self.module.parent(member)
            if type(member) is not p.Member or type(call) is not p.Call or call.callee is not member:
                continue
            if type(member.of) is not p.Name or member.of.id != "this" or any(
                    outer is function for outer in self.module.parents(member)):
                continue
            records = [outer for outer in self.module.parents(call) if type(outer) in (p.Class, p.Record)]
            if any(outer is it for it in (owner, self.module.parent(self.module.parent(owner))) for outer in records):
                hook = self.hook(call, depth - 1)
                if hook is not None:
                    return Hook(hook.name, hook.cleanup)
        return None

    def is_beside(self, thing: Any) -> bool:
        """Whether ``thing`` stands at the top level of the file, where no component has one of its own."""
        return self.module.function(thing) is None and self._script(thing) is None

    def is_root(self, thing: Any) -> bool:
        """Whether ``thing`` stands in the root component of an application."""
        if self.module.path.rpartition("/")[2] in self.root_files:
            return True
        if self.module.path.endswith(tuple(self.suffixes)) and self._is_mounted():
            return True
        if self._is_mounted_here(thing) or self._is_mixed_in(thing):
            return True
        owner = class_of(self.module, thing) if self.roots else None
        for decorator in owner.decorators if owner is not None else ():
            if type(decorator) is p.Call and type(selector := argument(decorator, "selector")) is p.Text:
                return any(fnmatchcase(selector.value, pattern) for pattern in self.roots) or self._is_started(owner)
        return False

    def _is_started(self, owner: p.Class | None) -> bool:
        """Whether another file starts the application with the component ``owner``: ``bootstrap: [Shell]`` of a module,
        ``bootstrapApplication(Shell)``."""
        if owner is None or owner.name is None or not self.started:
            return False
        word = owner.name.encode()
        named = re.compile(rb"\b(?:%s)(?::\s*\[[^\]]*|\(\s*)\b%s\b" % (
            b"|".join(re.escape(name.encode()) for name in sorted(self.started)), re.escape(word)))
        index = importers(self.project)
        return any(named.search(index.data(other)) for other in index.of(self.module.path))

    def _is_mounted_here(self, thing: Any) -> bool:
        """Whether ``thing`` stands in the options with which the file makes its application: ``createApp({ … })``."""
        for above in self.module.parents(thing):
            if type(above) is p.Record and type(given := self.module.parent(above)) is p.Argument:
                call = self.module.parent(given)
                if type(call) is p.Call and last_word(call.callee) in self.mounting and call.args[0] is given:
                    return self.module.function(call) is None
        return False

    def _is_mixed_in(self, thing: Any) -> bool:
        """Whether ``thing`` stands in the object that the file gives to others, and these mix it into nothing but the
        component with which they make their application: ``createApp({ mixins: [size], … })``."""
        whole: Any = None
        for above in self.module.parents(thing):
            whole = above if type(above) is p.Record else whole
        if not self.mounting or whole is None or type(self.module.parent(whole)) is not p.Export:
            return False
        users = [self.project.module(path) for path in importers(self.project).of(self.module.path)]
        return bool(users) and all(user is not None and self._mixes_into_root(user) for user in users)

    def _mixes_into_root(self, user: Module) -> bool:
        """Whether all that the module ``user`` does with what it imports of this one is to mix it into its root."""
        named = [name.local for it in user.nodes(p.Import) for name in it.names if name.name == "default" and type(
            found := self.project.resolve(user, it.module)) is Found and found.path == self.module.path]
        uses = [use for use in user.nodes(p.Name) if use.id in named]
        return bool(uses) and all(self._is_mixed_at(user, use) for use in uses)

    def _is_mixed_at(self, user: Module, use: p.Name) -> bool:
        mixed = user.parent(user.parent(use))
        given = user.parent(user.parent(mixed)) if type(mixed) is p.Entry else None
        call = user.parent(given) if type(given) is p.Argument else None
        return (type(mixed.key) is p.Text and mixed.key.value == "mixins" and type(call) is p.Call
                and last_word(call.callee) in self.mounting) if call is not None else False

    def _is_mounted(self) -> bool:
        """Whether the top level of another file puts this component on the page: ``new Root({ target })``."""
        known: dict[str, bool] = self.project.memo.setdefault(Components._is_mounted, {})
        path = self.module.path
        if path not in known:
            known[path] = any(self._mounts(other) for other in importers(self.project).of(path))
        return known[path]

    def _mounts(self, path: str) -> bool:
        """Whether the file at ``path`` does so, at its top level or in a function that is named after it."""
        other = self.project.module(path)
        for call in other.nodes(p.Call) if other is not None else ():
            assert other is not None
            function = other.function(call)
            if function is not None and function.name not in self.mounting:
                continue
            named = call.args[0].value if call.args and last_word(call.callee) in self.mounting else call.callee
            if type(named) is not p.Name or (named is call.callee and argument(call, "target") is None):
                continue
            for definition in other.lookup(named.id, named) if named is not call.callee or call.new else ():
                statement = definition.statement if definition.kind == "import" else None
                answer = self.project.resolve(other, statement.module) if statement is not None else None
                if isinstance(answer, Found) and answer.path == self.module.path:
                    return True
        return False

    def _undone_by(self, entry: dict[str, Any]) -> str:
        """What can be called beside a hook to clean up: what the file imports already, where there are several."""
        usual: str = entry.get("undone_by", "")
        imported = {f"{s.module}.{one.name}" for s in self.module.nodes(p.Import) for one in s.names}
        if usual in imported:
            return usual
        return next((other for other in entry.get("undone_also", ()) if other in imported), usual)

    def hook_of(self, function: p.Function) -> Hook | None:
        """The hook that runs ``function`` itself."""
        if self.is_root(function):
            return None
        above = self.module.parent(function)
        if type(above) is p.Argument:
            call = self.module.parent(above)
            entry = self._takes(self.module, call, above) if type(call) is p.Call else None
            if entry is not None:
                by = self._undone_by(entry)
                if function.is_async and (later := entry.get("awaited")) is not None:
                    return Hook(last_word(call.callee) or "", f"`{later.rpartition('.')[2]}`", False, function, later)
                cleanup = self._cleanup(entry) if by == entry.get("undone_by", "") else f"`{by.rpartition('.')[2]}`"
                return Hook(last_word(call.callee) or "", cleanup, entry.get("returns", False), function, by)
            return None
        if function.kind == "constructor":
            define = self.module.parent(function)
            owner = self.module.parent(define)
            return self._class(owner) if type(owner) is p.Class else None
        name = function.name or ""
        if type(above) is p.Entry and type(above.key) is p.Text:
            name = above.key.value
        entry = self.methods.get(name)
        if entry is None:
            return None
        if type(above) is p.Define and type(self.module.parent(above)) is p.Class:
            return Hook(name, self._cleanup(entry), function=function) if entry.get("of", "class") == "class" else None
        if type(above) is p.Entry and entry.get("of", "class") == "record":
            return Hook(name, self._cleanup(entry))
        return None

    def _takes(self, module: Module, call: p.Call, given: p.Argument) -> dict[str, Any] | None:
        """The entry of the hook that runs the function ``given`` to ``call``, known or written in the project."""
        if given.name is not None or given.spread:
            return None
        place = next(i for i, argument in enumerate(call.args) if argument is given)
        entry = self.hooks.get(module.qualified(call.callee) or "")
        if entry is not None:
            return entry if entry.get("at", 0) == place else None
        if type(call.callee) is not p.Name or not call.callee.id.startswith("use") or not call.callee.id[3:4].isupper():
            return None
        home, found = self.project.definitions(module, call.callee)
        function = found[0].value if len(found) == 1 else None
        if type(function) is not p.Function or place >= len(function.params):
            return None
        return self._handed_on(home, function.params[place].target)

    def _handed_on(self, home: Module, param: p.Expression) -> dict[str, Any] | None:
        """The entry of the hook to which a hook of the project hands its own parameter: ``useEffect(effect, [])``."""
        if type(param) is not p.Name:
            return None
        for call in home.nodes(p.Call):
            for place, given in enumerate(call.args):
                if type(given.value) is p.Name and given.value.id == param.id and given.value is not param:
                    entry = self.hooks.get(home.qualified(call.callee) or "")
                    if entry is not None and entry.get("at", 0) == place:
                        bound = home.lookup(param.id, given.value)
                        return entry if any(getattr(d.node, "target", None) is param for d in bound) else None
        return None

    def _class(self, owner: p.Class) -> Hook | None:
        """Constructor and fields of a class that its decorator makes a component run once an instance."""
        for decorator in owner.decorators if self.decorated else ():
            callee = decorator.callee if type(decorator) is p.Call else decorator
            entry = self.decorated.get(self.module.qualified(callee) or "")
            if entry is not None:
                return Hook(owner.name or entry["what"], self._cleanup(entry))
        return None

    def class_hook(self, thing: Any) -> Hook | None:
        """The mounting hook of the class (or options object) around ``thing``, if that is a component."""
        if self.is_root(thing):
            return None
        owner = class_of(self.module, thing)
        if owner is not None:
            for statement in owner.body:
                if type(statement) is p.Define and (entry := self.methods.get(statement.name)) is not None:
                    if entry.get("of", "class") == "class":
                        return Hook(statement.name, self._cleanup(entry))
            return self._class(owner)
        for above in self.module.parents(thing):
            if type(above) is p.Record:
                for part in above.entries:
                    if type(part.key) is p.Text and (entry := self.methods.get(part.key.value)) is not None:
                        if entry.get("of") == "record" and type(part.value) is p.Function:
                            return Hook(part.key.value, self._cleanup(entry))
        return None

    def _cleanup(self, entry: dict[str, Any]) -> str:
        """What undoes it, by the name that it has in the version of the framework that the package declares."""
        older = entry.get("older")
        linker = self.project.linkers.get("javascript")
        if older is None or linker is None:
            return entry["cleanup"]
        major = linker.resolver.packages.major(self.module.path.rpartition("/")[0], older["package"])
        return older["cleanup"] if major is not None and major < older["below"] else entry["cleanup"]

    def _script(self, thing: Any) -> Hook | None:
        """Code at the top of a component's own script runs once an instance."""
        path = self.module.path
        for suffix, entry in self.suffixes.items():
            if path.endswith(suffix):
                tags = [m for m in _SCRIPT.finditer(self.module.source.data) if m.end() <= thing.at[0]]
                if not tags:
                    return None
                tag = tags[-1][0].lower()
                words = re.findall(rb"[\w:-]+", tag)
                if entry["marked"].encode() in words if entry["marked"] else not {b"module", b"context"} & set(words):
                    return Hook(entry["what"], self._cleanup(entry), undone_by=entry.get("undone_by", ""))
        return None
