"""Functions whose failure is the end of the program: what they hold is given back by the operating system.

Such a function is called by the program's own start alone, in this file or in one that imports it, and nothing on the
way there catches what it raises. A command of a program is its start, and what nothing calls in a file that is a
program by itself runs nowhere else.
"""

from __future__ import annotations

from typing import Any

from connlint.checks.flows import is_for_ever
from connlint.checks.lifecycles import last_word
from connlint.checks.origins import class_of, origins
from connlint.checks.repeats import Repeats, repeats, unread
from connlint.model import program as p
from connlint.project.importers import importers
from connlint.project.programs import Programs, programs_of
from connlint.project.serving import servings
from connlint.project.stage import stages_of, words_of
from connlint.project.timeline import at_import, is_main_test
from connlint.project.values import values_of

_DEPTH = 5
_MOST_USERS = 8
"""Files that are read to see who calls one function."""
_FEW = 4
"""Calls of one function that make a short program of it still."""
_LIFESPAN = "lifespan"
"""What frameworks call the context manager that is open for as long as an application."""
_PROMISE = ("then", "catch", "finally")
_GOING_ON = frozenset(
    "setInterval on addListener addEventListener listen subscribe consume schedule watch serve login process".split())
"""Calls after which a program of JavaScript may go on by itself."""
_MANAGING = ("contextmanager", "asynccontextmanager")
"""Decorators of what ``with`` runs, a first time and a second."""
_LASTING = frozenset("main app server bot worker daemon service run start index wsgi asgi consumer scheduler agent "
                     "monitor watcher listener gateway proxy poller".split())
"""Words in the names of programs that go on for as long as they can."""


class Endings:
    """Answers for the functions of the module of ``repeats``."""

    def __init__(self, repeats: Repeats) -> None:
        self.repeats = repeats
        self.module = repeats.module
        self.stops = {name for entry in repeats.rules.apis.get("exit", ()) for name in entry["names"]}
        self.commands = repeats.rules.apis.get("command", ())
        self._by_hand: bool | None = None

    def of(self, function: p.Function, depth: int = _DEPTH) -> bool:
        """Whether an exception that leaves ``function`` ends the program."""
        above = self.module.parent(function)
        if depth <= 0 or function.is_generator:
            return False
        if function.decorators or (function.kind == "method" and not function.arrow):
            return self._is_command(function) or self._is_of_command(function, depth)
        if type(above) is p.Call and above.callee is function:
            return self._leads_out(above, function, depth)
        at: Any
        if type(above) is p.Define:
            name, at = above.name, above
        elif type(above) is p.Let and type(above.target) is p.Name and above.how == "const":
            name, at = above.target.id, above.target
        else:
            return False
        if type(self.module.parent(above)) is p.Class or self.module.function(above) is not None:
            return False
        if unread(self.module, name):
            return self._whole(name, depth)
        calls = [self.module.parent(use) for use in self._uses(name, at)
                 if not self._is_marked(use) and not self._is_within(use, function)]
        if any(type(call) is not p.Call or not self._leads_out(call, function, depth) for call in calls):
            return False
        elsewhere = self._called_elsewhere(name, function, depth)
        return elsewhere if elsewhere is not None else bool(calls) or self._is_program()

    def _is_within(self, use: Any, function: p.Function) -> bool:
        """Whether a function itself uses its name: to run once more, from where it was run."""
        return any(above is function for above in self.module.parents(use))

    def _is_marked(self, use: p.Name) -> bool:
        """Whether a use of a function's name reads or writes an attribute of it: ``hasattr(main, "told")``."""
        above: Any = self.module.parent(use)
        if type(above) is p.Argument:
            return last_word(self.module.parent(above)) in ("hasattr", "getattr", "setattr")
        return type(above) is p.Member

    def after(self, function: p.Function) -> bool:
        """Whether the program ends where ``function`` returns: it is called where the program starts, once."""
        define = self.module.parent(function)
        uses = self._uses(define.name, define) if type(define) is p.Define else []
        again = any(type(above) is p.Loop for use in uses for above in self.module.parents(use))
        return self.of(function, 1) and not again

    def lasts_with_application(self, function: p.Function) -> bool:
        """Whether ``function`` is open for as long as an application: what it raises before its ``yield`` keeps that
        from starting, and behind it the process ends in any case."""
        define = self.module.parent(function)
        if len(self.module.nodes_of(function, p.Yield)) != 1 or not function.decorators or type(define) is not p.Define:
            return False
        return _LIFESPAN in words_of(define.name) or any(
            type(given := self.module.parent(use)) is p.Argument and given.name == _LIFESPAN
            for use in self._uses(define.name, define))

    def _called_elsewhere(self, name: str, function: p.Function, depth: int) -> bool | None:
        """Whether all calls of the function in files that import it lead out of the program; None where no file that
        imports it names it. Tests say nothing about it."""
        project, rules = self.repeats.project, self.repeats.rules
        index, word = importers(project), name.encode()
        users = [path for path in index.of(self.module.path) if word in index.data(path)]
        if users:
            stages = stages_of(project, rules.apis, values_of(project, rules.apis))
            users = [path for path in users if stages.of_path(path) != "test"]
        if len(users) > _MOST_USERS:
            return False
        found = None
        for path in users:
            module = project.module(path)
            if module is None or any(it.name == name for it in module.nodes(p.Member)):
                return False
            there = Endings(repeats(module, project, rules))
            for use in there.repeats.names().get(name, ()):
                home, definitions = project.definitions(module, use)
                if home.path == self.module.path and any(d.name == name for d in definitions):
                    if module.program.language == "python" and not there._is_program():
                        return False
                    call = module.parent(use)
                    if type(call) is not p.Call or not there._leads_out(call, function, depth - 1):
                        return False
                    found = True
        return found

    def _is_program(self) -> bool:
        """Whether the file is a program by itself: its last lines are for the case that it is started, or all it does
        is to start another."""
        return any(type(it) is p.If and is_main_test(self.module, it.test) for it in self.module.program.body) or (
            self._programs().is_starter(self.module))

    def _is_script(self) -> bool:
        """Whether a file of JavaScript is a tool that gives nothing to others and waits for nothing."""
        if self.module.program.language == "python":
            return False
        programs = self._programs()
        if programs.exports(self.module) or not (
                programs.stages.of_path(self.module.path) == "tool" or programs.by_hand(self.module)):
            return False
        return not any((last_word(call.callee) or "") in _GOING_ON for call in self.module.nodes(p.Call))

    def _is_command(self, function: p.Function) -> bool:
        """Whether a console program runs the function and ends: it is registered as a command, by what decorates it or
        by the method that its class has to define."""
        for entry in self.commands:
            if function.kind == "method" and function.name in entry.get("methods", ()):
                owner = self.module.parent(self.module.parent(function))
                bases = owner.bases if type(owner) is p.Class else ()
                if any(last_word(base.value) in entry["bases"] for base in bases):
                    return True
            for decorator in function.decorators:
                callee = decorator.callee if type(decorator) is p.Call else decorator
                if origins(self.module, self.repeats.project).of(callee) in entry.get("names", ()):
                    return True
                if type(callee) is p.Member and callee.name in entry.get("of_commands", ()) and self._is_group(callee):
                    return True
        return False

    def _is_of_command(self, method: p.Function, depth: int) -> bool:
        """Whether the methods of a command alone call ``method``, and catch nothing of what it raises."""
        define: Any = self.module.parent(method)
        owner = self.module.parent(define)
        methods = [it.value for it in owner.body if type(it) is p.Define] if type(owner) is p.Class else []
        if method.decorators or not any(type(it) is p.Function and self._is_command(it) for it in methods):
            return False
        uses = [it for it in self.module.nodes(p.Member) if it.name == define.name]
        calls = [call for it in uses if type(call := self.module.parent(it)) is p.Call and call.callee is it]
        return bool(uses) and len(calls) == len(uses) and all(
            class_of(self.module, it) is owner and self._leads_out(it, method, depth) for it in calls)

    def _is_group(self, member: p.Member) -> bool:
        """Whether a command holds others: ``@cli.command()``, where `cli` is one itself."""
        if type(member.of) is not p.Name:
            return False
        home, found = self.repeats.project.definitions(self.module, member.of)
        group = found[0].value if len(found) == 1 else None
        if type(group) is not p.Function or not group.decorators:
            return False
        return Endings(repeats(home, self.repeats.project, self.repeats.rules))._is_command(group)

    def soon(self, call: p.Call) -> bool:
        """Whether ``call`` runs a few times at most, in a program that somebody starts by hand, and that ends.

        What it keeps is given back soon, whoever catches what. The same holds for a command that goes on for no time.
        """
        if self.module.nodes(p.Unread):
            whole = self.repeats.project.module(self.module.path)
            same = [it for it in whole.nodes(p.Call) if it.at == call.at] if whole is not None else []
            if whole is None or whole is self.module or not same:
                return False
            return Endings(repeats(whole, self.repeats.project, self.repeats.rules)).soon(same[0])
        if self._is_of_commands(call):
            return True
        if self._by_hand is None:
            self._by_hand = self._is_started_by_hand()
        return self._by_hand and (self.by_hand() or self._is_reached_seldom(call, _DEPTH))

    def _is_of_commands(self, call: p.Call) -> bool:
        """Whether nothing but commands leads to ``call``, none of which goes on."""
        starts: list[p.Function] = []
        if not self.commands or not self._is_reached_seldom(call, _DEPTH, starts) or not starts:
            return False
        return not any(it.iterable is None for it in self.module.nodes(p.Loop) if self.module.function(it) in starts)

    def by_hand(self) -> bool:
        """Whether the file is a program whose name says that somebody starts it to see what happens."""
        return self._programs().by_hand(self.module)

    def is_watched(self) -> bool:
        """Whether somebody starts the file by hand and ends it when he has seen enough: no worker, and no server."""
        return not _LASTING & self._words() and self.by_hand()

    def _words(self) -> set[str]:
        """The words in the name of the file."""
        return set(words_of(self.module.path.rpartition("/")[2].rpartition(".")[0]))

    def _programs(self) -> Programs:
        project, rules = self.repeats.project, self.repeats.rules
        return programs_of(project, stages_of(project, rules.apis, values_of(project, rules.apis)))

    def _is_started_by_hand(self) -> bool:
        """Whether the file is a program that nothing imports and nothing is told to start, and waits for nobody."""
        words = self._words()
        programs = self._programs()
        lasting = _LASTING & words
        if lasting <= {"app", "agent"} and not programs.stages.by_hand.isdisjoint(words):
            lasting = frozenset()  # ``init_app.py`` does something to an application
        if lasting <= {"run", "start"} and words > lasting:
            lasting = frozenset()  # ``run_checks.py`` runs them
        if not (self._is_program() or self._is_script()) or lasting:
            return False
        path = self.module.path
        if programs.imported_by(path) is not None or (programs.is_commanded(path) and not (
                programs.is_installed_command(path) and not programs.stages.by_hand.isdisjoint(words))):
            return False
        if any(it.iterable is None and is_for_ever(it.test) for it in self.module.nodes(p.Loop)):
            return False
        return next(servings(self.module, self.repeats.rules.apis.get("serving_call", [])), None) is None

    def _is_reached_seldom(self, thing: Any, depth: int, starts: list[p.Function] | None = None) -> bool:
        """Whether the way from the program's start to ``thing`` is gone a few times at most: nothing repeats it but
        loops over what the file itself writes out. With ``starts``, only commands count as one; they are put there."""
        function = None
        for above in self.module.parents(thing):
            if type(above) is p.Loop and not self._is_short(above):
                return False
            if type(above) is p.Function and above.kind != "inline":
                function = above
                break
        if function is None:
            return starts is None
        if self._is_command(function):
            if starts is not None:
                starts.append(function)
            return True
        define = self.module.parent(function)
        managing = bool(function.decorators) and all(last_word(it) in _MANAGING for it in function.decorators)
        if type(define) is not p.Define or depth <= 0:
            return False
        if (function.decorators or function.is_generator) and not managing:
            return False
        owner = self.module.parent(define)
        users: list[Any] = self._uses(define.name, define)
        if type(owner) is p.Class:
            users = [it for it in self.module.nodes(p.Member)
                     if it.name == define.name and self.module.qualified(it) is None]
            if define.name == "__init__" and owner.name is not None:
                users = [it for it in self.module.nodes(p.Name) if it.id == owner.name]
        ways = [self._run_by(it) for it in users if not self._is_within(it, function)]
        return len(ways) <= _FEW and all(
            it is not None and self._is_reached_seldom(it, depth - 1, starts) for it in ways)

    def _run_by(self, use: Any) -> Any:
        """What runs a function where its name stands: the call, or the list of steps in which it is written; None where
        somebody else may run it."""
        above = self.module.parent(use)
        if type(above) is p.Call and above.callee is use:
            return above
        if type(above) is p.Argument and last_word(self.module.parent(above)) == "set_defaults":
            return self.module.parent(above)  # of a parser of arguments: ``args.func(args)`` runs it
        listed = above
        while type(above) is p.Sequence:
            listed, above = above, self.module.parent(above)
        return listed if type(listed) is p.Sequence and type(above) in (p.Let, p.Loop) else None

    def _is_short(self, loop: p.Loop) -> bool:
        """Whether a loop goes through a list that is written out in this file, or put together from such parts."""
        over: Any = loop.iterable
        if type(over) is p.Name and (found := self.module.only(over.id, over)) is not None:
            over = found.value
        return type(over) is p.Sequence

    def _whole(self, name: str, depth: int) -> bool:
        """The answer for a function of that name, with the whole of the file read."""
        whole = self.repeats.project.module(self.module.path)
        if whole is None or whole is self.module:
            return False
        found = [s.value for s in whole.program.body if type(s) is p.Define and s.name == name]
        there = Endings(repeats(whole, self.repeats.project, self.repeats.rules))
        return len(found) == 1 and type(found[0]) is p.Function and there.of(found[0], depth - 1)

    def _uses(self, name: str, at: Any) -> list[p.Name]:
        """Every use of a function's name, without the place that defines it."""
        wanted = self.module.lookup(name, at)
        found = self.repeats.names().get(name, ())
        return [use for use in found if use is not at and self.module.lookup(name, use) is wanted]

    def _leads_out(self, call: p.Call, function: p.Function, depth: int) -> bool:
        """Whether ``call`` runs ``function`` where what it raises is caught by nobody."""
        if type(call.callee) is p.Function and call.callee is not function:
            return False
        below: Any = call
        for above in self.module.parents(call):
            kind = type(above)
            if kind is p.Function and above.kind != "inline":
                return self.of(above, depth - 1)
            if kind is p.Try and any(below is s for s in above.body):
                if not all(self._only_stops(h) or self._gives_up(h) for h in above.handlers):
                    return False
            if kind is p.Member and above.name in _PROMISE and not self._stops_at(above, below, call):
                return False
            if kind is p.Argument and function.is_async and not self._runs(self.module.parent(above)):
                task = self._task_of(self.module.parent(above))
                return task is not None and self._leads_out(task, function, depth)
            below = above
        return at_import(self.module, call, main=True)

    def _stops_at(self, member: p.Member, below: Any, call: p.Call) -> bool:
        """Whether the promise of ``call`` is caught to end the program: ``main().catch(error => process.exit(1))``."""
        caught = self.module.parent(member)
        if below is not call or member.name != "catch" or type(caught) is not p.Call or not caught.args:
            return False
        handler = caught.args[0].value
        last = handler.body[-1] if type(handler) is p.Function and handler.body else None
        value = getattr(last, "value", None)
        return type(value) is p.Call and self.module.qualified(value.callee) in self.stops

    def _only_stops(self, handler: p.Handler) -> bool:
        """Whether a handler takes nothing but what ends the program on purpose: no error is caught by it."""
        types = handler.types
        named = types.items if type(types) is p.Sequence else (types,)
        return all(last_word(one) in self.stops or last_word(one) == "CancelledError" for one in named)

    def _task_of(self, call: Any) -> Any:
        """The call that runs the task to its end that ``call`` makes of a coroutine, and that a variable keeps."""
        let = self.module.parent(call)
        if last_word(call) not in ("create_task", "ensure_future") or type(let) is not p.Let or let.value is not call:
            return None
        for name in self.repeats.names().get(last_word(let.target) or "", ()):
            given = self.module.parent(name)
            run = self.module.parent(given) if type(given) is p.Argument else None
            if run is not None and self._runs(run) and self.module.function(name) is self.module.function(let):
                return run
        return None

    def _gives_up(self, handler: p.Handler) -> bool:
        """Whether a handler ends the program, or lets what it got go on, whatever it does before."""
        last = handler.body[-1] if handler.body else None
        if type(last) is p.Raise:
            return True
        value = last.value if type(last) is p.Evaluate else None
        return type(value) is p.Call and self.module.qualified(value.callee) in self.stops

    def _runs(self, call: Any) -> bool:
        """Whether a coroutine that is handed to ``call`` is run to its end there."""
        callee = call.callee if type(call) is p.Call else None
        return type(callee) is p.Member and callee.name in ("run", "run_until_complete")
