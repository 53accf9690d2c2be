"""Can a function run more than once in the life of the program?

A timer that is started once and never stopped lives as long as the program, mostly on purpose. The same timer in a
function that can run again piles up.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from connlint.cards import Rules
from connlint.checks.components import Components
from connlint.checks.first_time import flagged
from connlint.checks.lifecycles import argument, last_word
from connlint.checks.origins import class_of
from connlint.model import program as p
from connlint.patterns import alone
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.stage import stages_of
from connlint.project.values import values_of

Answer = Literal["again", "once", "unknown"]
_DEPTH = 8
_BLOCKS = ("body", "then", "otherwise", "always")
_MOST_USERS = 24
"""Files that are read to see how often they call one function."""


class Why(Struct, frozen=True):
    """``answer``, and what was seen that says so: the node, and a clause about it; ``guessed`` from a name alone."""

    answer: Answer
    node: Any = None
    clause: str = ""
    guessed: bool = False


_LISTENING = ("on", "addListener", "addEventListener")
_OF_ELEMENT = "its element calls it for every event"
_BINDING = ("bind", "call", "apply")
_ONCE = Why("once")
_UNKNOWN = Why("unknown")


class Repeats:
    """Answers for one module."""

    def __init__(self, module: Module, project: Project, rules: Rules, components: Components) -> None:
        self.module = module
        self.project = project
        self.rules = rules
        self.components = components
        python = module.program.language == "python"
        self.again: list[dict[str, Any]] = []
        self.params: dict[str, str] = {}
        self.routing: dict[str, str] = {}
        self.startable: list[tuple[str, str]] = []
        self.once_names: set[str] = set()
        self.once_callees: set[str] = set()
        self.through: set[str] = set()
        for entry in rules.apis.get("runs", ()):
            if (entry["language"] == "python") == python:
                if entry["how"] == "again":
                    self.again.append(entry)
                    self.params.update(dict.fromkeys(entry.get("params", ()), entry["clause"]))
                    self.routing.update(dict.fromkeys(entry.get("decorators", ()), entry["clause"]))
                    self.startable += [(name, entry["clause"]) for name in entry.get("functions", ())]
                elif entry["how"] == "once":
                    self.once_names.update(entry.get("functions", ()))
                    self.once_callees.update(entry.get("callees", ()))
                else:
                    self.through.update(entry.get("callees", ()))
        self._names: dict[str, list[p.Name]] | None = None

    def of(self, thing: Any) -> Why:
        """Whether the place where ``thing`` stands is reached again."""
        return self._at(thing, _DEPTH, frozenset())

    def _at(self, thing: Any, depth: int, seen: frozenset[int]) -> Why:
        function = self.module.function(thing)
        if (flag := flagged(self.module, thing, function)) is not None:
            return _ONCE if flag else _UNKNOWN
        for above in self.module.parents(thing):
            if above is function:
                break
            if type(above) is p.Loop and above.iterable is None and not self._leaves(above, thing):
                return Why("again", above, "it runs in a loop")
        if function is None:
            hook = self.components.hook(thing)
            if hook is not None:
                return Why("again", thing, f"`{hook.name}` runs for every instance")
            return _ONCE
        return self.function(function, depth, seen)

    def _leaves(self, loop: p.Loop, thing: Any) -> bool:
        """Whether the way from ``thing`` onwards leaves ``loop``, as where something is tried until it succeeds."""
        below, breaks, raises = thing, True, True
        for above in self.module.parents(thing):
            breaks = breaks and type(above) is not p.Case
            raises = raises and not (type(above) is p.Try and above.handlers)
            blocks = [part for part in _BLOCKS if any(below is s for s in getattr(above, part, None) or ())]
            for part in blocks:
                after = getattr(above, part)
                place = next(i for i, s in enumerate(after) if s is below)
                left = {type(s) for s in after[place:]}
                if p.Return in left or (breaks and p.Break in left) or (raises and p.Raise in left):
                    return True
            if above is loop:
                return False
            breaks = breaks and type(above) is not p.Loop
            below = above
        return False

    def function(self, function: p.Function, depth: int = _DEPTH, seen: frozenset[int] = frozenset()) -> Why:
        """Whether ``function`` is called again."""
        if depth <= 0 or id(function) in seen:
            return _ONCE if id(function) in seen else _UNKNOWN
        seen = seen | {id(function)}
        hook = self.components.hook_of(function)
        if hook is not None:
            return Why("again", function, f"`{hook.name}` runs for every instance")
        above = self.module.parent(function)
        kind = type(above)
        if kind is p.Argument:
            return self._passed(function, above, depth, seen)
        if kind is p.Call and above.callee is function:
            return self._at(above, depth - 1, seen)
        if kind is p.Define and type(self.module.parent(above)) is p.Class:
            return self._method(function, above, depth, seen)
        if kind is p.Define:
            return self._named(above.name, above, depth, seen)
        if kind is p.Let and type(above.target) is p.Name:
            if above.how in ("field", "static"):
                return _UNKNOWN
            return self._named(above.target.id, above.target, depth, seen)
        if kind is p.Opaque and above.why == "jsx":
            return Why("again", function, _OF_ELEMENT)
        if kind is p.Entry and (clause := self._of_source(above)) is not None:
            return Why("again", function, clause)
        if kind is p.Entry and _is_once(self.module.parent(above)):
            return self._at(above, depth - 1, seen)
        if kind is p.Assign and type(above.target) is p.Member:
            word = above.target.name
            return self._at(above, depth - 1, seen) if word in self.once_callees else _UNKNOWN
        return self._by_itself(function, "")

    def _of_source(self, entry: p.Entry) -> str | None:
        """What runs a function that is written out in an object which a function gives to a constructor: ``new
        ReadableStream({ start() { … } })``."""
        argument = self.module.parent(self.module.parent(entry))
        call = self.module.parent(argument) if type(argument) is p.Argument else None
        if type(call) is not p.Call or not call.new or type(entry.key) is not p.Text:
            return None
        if self.module.function(call) is None:
            return None
        return next((it["clause"] for it in self.again if last_word(call.callee) in it.get("sources", ())
                     and entry.key.value in it["keys"]), None)

    def _by_itself(self, function: p.Function, name: str) -> Why:
        """What a function's own name and parameters say where its callers do not."""
        for decorator in function.decorators:
            if type(decorator) is p.Call and (clause := self.routing.get(last_word(decorator) or "")) is not None:
                path = argument(decorator, "0")
                if type(path) is p.Text and path.value.startswith("/"):
                    return Why("again", function, clause)
        for param in function.params:
            if type(param.target) is p.Name and (clause := self._said_by(param.target.id)) is not None:
                return Why("again", function, clause)
        if name in self.once_names and function.kind == "function":
            return _ONCE
        for pattern, clause in self.startable:
            if fnmatchcase(name, pattern):
                return Why("again", function, clause, guessed=True)
        return _UNKNOWN

    def _said_by(self, name: str) -> str | None:
        """What the name of a parameter says."""
        if name in self.params:
            return self.params[name]
        said = (clause for pattern, clause in self.params.items() if "*" in pattern and fnmatchcase(name, pattern))
        return next(said, None)

    def _passed(self, value: Any, given: p.Argument, depth: int, seen: frozenset[int]) -> Why:
        """``value`` is passed to a call: does that one run it again?"""
        call = self.module.parent(given)
        if type(call) is not p.Call:
            return _UNKNOWN
        word = last_word(call.callee)
        place = next((i for i, a in enumerate(call.args) if a is given), 0)
        for entry in self.again:
            if word in entry["callees"] and place >= entry.get("from", 0):
                events = entry.get("events")
                if events is not None:
                    if _event(argument(call, "0")) not in events:
                        continue
                receivers = entry.get("receivers")
                if receivers is not None:
                    receiver = last_word(call.callee.of) if type(call.callee) is p.Member else None
                    if receiver is None or receiver.lower() not in receivers:
                        continue
                return Why("again", call, entry["clause"])
        if word in self.through or word in self.once_callees:
            return self._at(call, depth - 1, seen)  # what it hands over may be called as it likes: `then((res) => …)`
        if type(value) is p.Function and (why := self._by_itself(value, "")).answer == "again":
            return why
        if place and _event(argument(call, "0")) in self.once_callees:
            return self._at(call, depth - 1, seen)
        if place and word in _LISTENING:
            # whatever the event is: what is added for every connection runs for every connection
            why = self._at(call, depth - 1, seen)
            return why if why.answer == "again" and not why.guessed else _UNKNOWN
        return _UNKNOWN

    def _named(self, name: str, at: Any, depth: int, seen: frozenset[int]) -> Why:
        """A function with a name runs as often as its callers do."""
        answers = self._users(name, at, depth, seen)
        if self.module.function(at) is None and self._is_exported(name):
            answers += self._importers(name, depth, seen)
        for why in answers:
            if why.answer == "again":
                return why
        if answers and all(why.answer == "once" for why in answers):
            return _ONCE
        if not answers and (of_object := self._of_object(name, at, depth, seen)):
            if all(why.answer == "once" for why in of_object):
                return _ONCE
        value = at.value if type(at) is p.Define else getattr(self.module.parent(at), "value", None)
        why = self._by_itself(value, name) if type(value) is p.Function else _UNKNOWN
        if why.guessed and not answers:
            answers = self._calls_by_member(name, depth, seen)
        return _ONCE if answers and all(it.answer == "once" for it in answers) else why

    def _calls_by_member(self, name: str, depth: int, seen: frozenset[int]) -> list[Why]:
        """An answer for every call of a member of that name: what a file hands out in an object may be meant."""
        paths = self.holding(name)
        if depth <= 1 or len(paths) > _MOST_USERS:
            return []
        found = []
        stages = stages_of(self.project, self.rules.apis, values_of(self.project, self.rules.apis))
        for path in paths:
            module = self.project.module(path) if stages.of_path(path) != "test" else None
            if module is None:
                continue
            there = repeats(module, self.project, self.rules)
            for member in module.nodes(p.Member):
                if member.name == name and type(call := module.parent(member)) is p.Call and call.callee is member:
                    found.append(there._at(call, depth - 2, seen))
        return found

    def _of_object(self, name: str, at: Any, depth: int, seen: frozenset[int]) -> list[Why]:
        """An answer for every call of a function that is put into an object under its own name: ``{ start }``, of which
        others call ``x.start()``."""
        wanted = self.module.lookup(name, at)
        put = any(type(above := self.module.parent(use)) is p.Entry and above.value is use
                  and type(above.key) is p.Text and above.key.value == name
                  for use in self.names().get(name, ()) if self.module.lookup(name, use) is wanted)
        if not put or depth <= 2:
            return []
        stages = stages_of(self.project, self.rules.apis, values_of(self.project, self.rules.apis))
        paths = [path for path in self.holding(name) if stages.of_path(path) != "test"]
        found = [] if len(paths) <= _MOST_USERS else [_UNKNOWN]
        for path in paths[:_MOST_USERS]:
            module = self.project.module(path)
            if module is None:
                continue
            there = repeats(module, self.project, self.rules)
            found += [there._at(call, depth - 2, seen) for call in module.nodes(p.Call)
                      if type(call.callee) is p.Member and call.callee.name == name]
        return found

    def _users(self, name: str, at: Any, depth: int, seen: frozenset[int]) -> list[Why]:
        """An answer for every use of ``name`` in this file, as far as it runs the function."""
        module = self.module
        if type(at) is p.Define and self.module.function(at) is None and unread(module, name):
            # who calls it is in a part of the file that was not read
            whole = self.project.module(module.path)
            found_there = whole.scope.names.get(name, ()) if whole is not None and whole is not module else ()
            if whole is not None and len(found_there) == 1 and type(found_there[0].node) is p.Define:
                return repeats(whole, self.project, self.rules)._users(name, found_there[0].node, depth, seen)
        wanted = module.lookup(name, at)
        itself = at.value if type(at) is p.Define else getattr(module.parent(at), "value", None)
        found = []
        for use in self.names().get(name, ()):
            if module.lookup(name, use) is not wanted or (
                    not self._in_static(use) and any(above is itself for above in module.parents(use))):
                continue  # that it runs itself again says nothing about who runs it first
            above = module.parent(use)
            if type(above) is p.Call and above.callee is use:
                found.append(self._at(above, depth - 1, seen))
            elif type(above) is p.Argument:
                if not self._is_this(above):
                    found.append(self._passed(use, above, depth, seen))
            elif type(above) is p.Opaque and above.why == "jsx":
                found.append(Why("again", use, _OF_ELEMENT))
        found += [_UNKNOWN for _ in unread(module, name)]
        return found

    def _is_this(self, given: p.Argument) -> bool:
        """Whether an argument is what a function shall find as its ``this``: ``Line.open.bind(Line)``."""
        call = self.module.parent(given)
        return type(call) is p.Call and call.args[0] is given and type(call.callee) is p.Member and (
            call.callee.name in _BINDING)

    def _in_static(self, use: p.Name) -> bool:
        """Whether a name is used in a static method, which needs no object of the class: ``static one() { … }``."""
        function = self.module.function(use)
        return function is not None and function.kind == "static"

    def names(self) -> dict[str, list[p.Name]]:
        """Every `Name` of the file by its text."""
        if self._names is None:
            self._names = {}
            for one in self.module.nodes(p.Name):
                self._names.setdefault(one.id, []).append(one)
        return self._names

    def _is_exported(self, name: str) -> bool:
        if self.module.program.language == "python":
            return True
        for export in self.module.nodes(p.Export):
            if any(e.local == name for e in export.names) and export.source is None:
                return True
            if type(export.value) is p.Name and export.value.id == name:
                return True
        return any(self._is_commonjs_export(use) for use in self.names().get(name, ()))

    def _is_commonjs_export(self, use: p.Name) -> bool:
        above = self.module.parent(use)
        if type(above) is p.Entry:
            record = self.module.parent(above)
            above = self.module.parent(record)
        if type(above) is not p.Assign or type(above.target) is not p.Member:
            return False
        return above.target.name == "exports" or last_word(above.target.of) in ("module", "exports")

    def _importers(self, name: str, depth: int, seen: frozenset[int]) -> list[Why]:
        """An answer for every use in the files that import the function."""
        if depth <= 1:
            return [_UNKNOWN]
        found = []
        index, word = importers(self.project), name.encode()
        near = sorted(path for path in index.near(self.module.path) if word in index.data(path))
        stages = stages_of(self.project, self.rules.apis, values_of(self.project, self.rules.apis))
        # a test calls as often as it likes: that says nothing about the program
        paths = [path for path in near if path != self.module.path and stages.of_path(path) != "test"]
        if len(paths) > _MOST_USERS:
            found.append(_UNKNOWN)
        for path in paths[:_MOST_USERS]:
            module = self.project.module(path)
            if module is None:
                continue
            there = repeats(module, self.project, self.rules)
            for use in there.names().get(name, ()):
                home, definitions = self.project.definitions(module, use)
                if home.path != self.module.path or not any(d.name == name for d in definitions):
                    continue
                above = module.parent(use)
                if type(above) is p.Call and above.callee is use:
                    found.append(there._at(above, depth - 2, seen))
                elif type(above) is p.Argument:
                    found.append(there._passed(use, above, depth - 2, seen))
        return found

    def holding(self, name: str) -> list[str]:
        """The files of this language whose bytes hold ``name``."""
        python = self.module.program.language == "python"
        known: dict[tuple[str, bool], list[str]] = self.project.memo.setdefault(Repeats.holding, {})
        if (name, python) not in known:
            word = name.encode()
            suffixes = tuple(s for s in self.project.readers if (s in (".py", ".pyi")) == python)
            known[name, python] = [
                path for path in sorted(self.project.tree.paths)
                if path.endswith(suffixes) and word in (self.project.tree.read(path) or b"")
            ]
        return known[name, python]

    def _method(self, function: p.Function, define: p.Define, depth: int, seen: frozenset[int]) -> Why:
        """A method runs as often as it is called; a constructor as often as its class is built."""
        owner = self.module.parent(define)
        if function.kind == "static":
            return self._static(function, define, depth, seen)
        built = self._built(owner, depth, seen)
        callers = [self._at(call, depth - 1, seen) for call in self._calls_inside(owner, define.name)
                   if not any(above is function for above in self.module.parents(call))]  # as in `_users`
        if callers:
            return max(callers, key=lambda why: ("once", "unknown", "again").index(why.answer))
        if function.kind == "constructor" or function.name == "__init__" or built.answer == "once":
            return built
        why = self._by_itself(function, define.name)
        if why.guessed:
            if _says_once(owner):
                return _ONCE
            calls = self._calls_by_member(define.name, depth, seen)
            if calls and all(call.answer == "once" for call in calls):
                return _ONCE
        return why if why.answer == "again" else _UNKNOWN

    def _static(self, function: p.Function, define: p.Define, depth: int, seen: frozenset[int]) -> Why:
        """A static method runs as often as anybody calls it, whatever becomes of the objects of its class."""
        calls = self._calls_by_member(define.name, depth, seen)
        again = next((why for why in calls if why.answer == "again"), None)
        if again is not None:
            return again
        return _ONCE if calls and all(why.answer == "once" for why in calls) else self._by_itself(function, define.name)

    def _calls_inside(self, owner: p.Class, name: str) -> list[p.Call]:
        """The calls of a class's own method in that class."""
        return [call for call in self._own_calls.get(name, ()) if class_of(self.module, call) is owner]

    @cached_property
    def _own_calls(self) -> dict[str, list[p.Call]]:
        """The calls of methods of the same object, by the name of the method."""
        found: dict[str, list[p.Call]] = {}
        for call in self.module.nodes(p.Call):
            callee = call.callee
            if type(callee) is p.Member and type(callee.of) is p.Name and callee.of.id in ("this", "self"):
                found.setdefault(callee.name, []).append(call)
        return found

    def built(self, owner: p.Class) -> Why:
        """Whether objects of a class are made again and again."""
        return self._built(owner, _DEPTH, frozenset())

    def _built(self, owner: p.Class, depth: int, seen: frozenset[int]) -> Why:
        if owner.name is None:
            return _UNKNOWN
        return self._named(owner.name, owner, depth, seen)


def _event(given: Any) -> str | None:
    """The event that an argument names: ``"ready"``, or ``Events.ClientReady``, which is called clientReady."""
    if type(given) is p.Member and last_word(given.of) == "Events":
        return given.name[:1].lower() + given.name[1:]
    return given.value if type(given) is p.Text else None


def _is_once(record: Any) -> bool:
    """Whether an object that is written out says that its functions run once: ``{ name: "ready", once: true, … }``."""
    return type(record) is p.Record and any(
        type(it.key) is p.Text and it.key.value == "once" and type(it.value) is p.Constant and it.value.value == "true"
        for it in record.entries)


def _says_once(owner: p.Class) -> bool:
    """Whether a class says that what it runs is run once: in a field, or to the constructor of what it is built on."""
    for statement in owner.body:
        if type(statement) is p.Let and last_word(statement.target) == "once":
            return type(statement.value) is p.Constant and statement.value.value == "true"
        made = statement.value if type(statement) is p.Define else None
        for call in p.within(made) if type(made) is p.Function and made.kind == "constructor" else ():
            if type(call) is p.Call and last_word(call.callee) == "super":
                return any(_is_once(given.value) for given in call.args)
    return False


def unread(module: Module, name: str) -> list[p.Unread]:
    """The stretches of the file that were not read and hold ``name``."""
    word = alone(name.encode())
    return [it for it in module.nodes(p.Unread) if word.search(module.source.data, it.at[0], it.at[1])]


def repeats(module: Module, project: Project, rules: Rules) -> Repeats:
    """The answers about ``module``, made once."""
    found: Repeats | None = module.memo.get(Repeats)
    if found is None:
        found = module.memo[Repeats] = Repeats(module, project, rules, Components(module, project, rules))
    return found
