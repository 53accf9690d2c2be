"""What is to be said about one acquisition: nothing, or a draft with its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from connlint.cards import Rules
from connlint.checks.components import Components
from connlint.checks.dropping import Dropping
from connlint.checks.endings import Endings
from connlint.checks.endless import Endless
from connlint.checks.flows import is_for_ever, lower
from connlint.checks.homes import Home, Homes, Use
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.meanings import names_of
from connlint.checks.mends import Mends
from connlint.checks.origins import class_of
from connlint.checks.outliving import Outliving
from connlint.checks.ownership import Ownership
from connlint.checks.patience import Patience
from connlint.checks.piping import Piping
from connlint.checks.racing import Racing
from connlint.checks.received import Received, is_used, received
from connlint.checks.repeats import Why, repeats
from connlint.checks.settling import Settling
from connlint.checks.solver import solve
from connlint.checks.stored import Stored
from connlint.checks.tasks import Tasks
from connlint.checks.telling import Telling
from connlint.checks.threads import Threads
from connlint.model import program as p
from connlint.model.finding import Draft, Fix, Place
from connlint.model.finding import Step as Evidence
from connlint.model.flow import Do, Loss, Step
from connlint.model.source import Span
from connlint.project.callees import lineage, thing
from connlint.project.conditions import apart
from connlint.project.module import Module
from connlint.project.project import Project

_LOOKING_AROUND = (b"vars(", b"__dict__", b"getattr", b"getmembers", b"dir(", b"Object.", b"this[", b"Reflect.",
                   b" in this")
"""What goes through whatever an object has."""

_WHY = frozenset(("code", "close_code", "closeCode", "status", "reason", "exc", "error", "signal"))
"""Parameters of a closing method that tell why, and not what, is closed."""


class Cases:
    """Judges the acquisitions of one module."""

    def __init__(self, module: Module, project: Project, rules: Rules, table: Lifecycles) -> None:
        self.module = module
        self.project = project
        self.table = table
        self.names = names_of(module)
        self.homes = Homes(module, project, table)
        self.telling = Telling(module)
        self.repeats = repeats(module, project, rules)
        self.components: Components = self.repeats.components
        self.outliving = Outliving(module, self.components, self.telling)
        self.ownership = Ownership(module, table, self.homes.origins, self.components)
        self.patience = Patience(module, project, table)
        self.threads = Threads(module, project)
        self.tasks = Tasks(self.patience)
        self.piping = Piping(module, self.telling, self.patience)
        self.endings = Endings(self.repeats)
        self.dropping = Dropping(self.homes, self.repeats, self.tasks, self.telling)
        self.racing = Racing(self.homes, self.tasks, self.telling, self.endings)
        self.stored = Stored(self.repeats, self.tasks, self.telling)
        self.settling = Settling(module, table, self.telling, self.endings)
        self.endless = Endless(self.threads, self.repeats, self.endings, self.telling, self._can_be_stopped)
        self.mends = Mends(module, table, self.homes.origins)
        self.reopening = {closing: opening for entry in rules.apis.get("closing", ())
                          for closing, opening in entry.get("reopened", {}).items()}
        self.unaware = {name for entry in rules.apis.get("closing", ()) for name in entry.get("unaware", ())}
        self.closing = {
            name for entry in rules.apis.get("closing", ()) for name in entry["methods"]
            if (entry["language"] == "python") == (module.program.language == "python")
        }

    def judge(self, call: p.Call, api: Api) -> Draft | None:
        """What is to be said about one acquisition."""
        running = self.threads.runs(call, api) if api.runs else None
        if api.runs and running is None:
            return None
        home = self.homes.home(call, api)
        if (taken := received(self.module, call)) is not None:
            return self.handed(call, api, taken)
        if api.piped and (draft := self._piped(call, api)) is not None:
            return draft
        if home.kind == "away" and self._is_ignored(call, api):
            return self.discarded(call, api)
        if (dropped := self.dropping.judge(call, api)) is not None:
            return dropped
        if (left := self.racing.judge(call, api) or self.stored.judge(call, api)) is not None:
            return left
        if home.kind == "away" or self.homes.kept_by_owner(call, home, api):
            return None
        function = self.module.function(call)
        if home.kind == "nothing":
            return self.endless.judge(call, api, home, running) if running is not None else self.discarded(call, api)
        if function is None and home.kind not in ("module", "attribute"):
            return None
        self.homes.find_uses(home, api)
        if home.kind == "attribute" and not self._is_ours(home):
            return None
        if running is not None and home.kind == "local":
            signals = list(self.threads.signals(call, running, api))
            if not signals and all(it.meaning == "read" for it in home.uses):
                return self.endless.judge(call, api, home, running)
            if not signals:
                return None  # its loop ends by itself
            home.uses += signals
        home = self.homes.passed_on(call, home, api) or home
        after = [u for u in home.uses if u.meaning != "read"]
        if not after:
            return self.never(call, api, home)
        if function is None:
            return None
        if not any(u.meaning == "end" for u in after) and home.kind != "local":
            return None
        if (polling := self._polling(call, api, home, function)) is not None:
            return polling
        return (self.outliving.unheard(call, api, home, function) or self.lost(call, api, home, function)
                or self.outliving.judge(call, api, home, function)
                or self.settling.judge(call, api, home, function))

    def _polling(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """A hook of a component starts a timer that asks somebody, and nothing but its answer stops it."""
        hook = self.components.hook(call) if api.role == "interval" and home.kind == "local" and call.args else None
        if hook is None or hook.function is not function:
            return None
        callback = call.args[0].value
        if type(callback) is not p.Function or not self.module.nodes_of(callback, p.Await):
            return None
        if any(it.value is not None for it in self.module.nodes_of(function, p.Return)):
            return None
        for use in home.uses:
            if use.meaning == "read":
                continue
            if use.meaning != "end" or use.function is not callback:
                return None
            decided = any(type(above) in (p.If, p.Switch, p.Conditional, p.Logical, p.Handler)
                          for above in self._up_to(use.node, callback))
            if not decided:
                return None  # it runs once
        return self.telling.draft("polling", call, api, home.name, why=hook.cleanup, where=hook.name,
                                  fix=self.mends.by_effect(call, api, hook, home))

    def _up_to(self, node: Any, function: p.Function) -> Iterator[Any]:
        """What stands around ``node`` inside ``function``."""
        for above in self.module.parents(node):
            if above is function:
                return
            yield above

    def _is_ignored(self, call: p.Call, api: Api) -> bool:
        """Whether a hook of a component is given back a number, with which it does nothing: ``onMounted(() =>
        setInterval(beat))``."""
        if api.role != "interval" or type(self.module.parent(call)) is not p.Return:
            return False
        hook = self.components.hook(call)
        return hook is not None and hook.function is not None and hook.function is self.module.function(call)

    def _piped(self, call: p.Call, api: Api) -> Draft | None:
        home = self.homes.home(call, api)
        if home.kind == "local":
            self.homes.find_uses(home, api)
        draft = self.piping.judge(call, api, home)
        return replace(draft, level="note") if draft is not None and self.endings.soon(call) else draft

    # -- nobody can give it back ----------------------------------------------------------------------------------

    def discarded(self, call: p.Call, api: Api) -> Draft | None:
        why = self._worth(call, api.discarded)
        if why is None or (api.calling and self._is_undone(call)) or self._is_tried(call, api):
            return None
        hook = self.components.hook(call)
        if hook is not None:
            stands = type(self.module.parent(call)) is not p.Return
            return self.telling.draft("component", call, api, "", why=hook.cleanup, where=hook.name,
                                      fix=self.mends.by_effect(call, api, hook, None) if stands else None)
        clause = why.clause
        if api.awaiting:
            if self.tasks.has_no_loop(call):
                return None  # no task is made: another fault
            clause = self.tasks.clause(call)
        alone = type(self.module.parent(call)) is p.Evaluate and self.table.acquired(
            call, self.homes.origins, (api.role,)) is not None
        fix = (self.mends.kept(call) if alone else None) if api.awaiting else self.mends.opened_inside(call, api)
        steps = self.telling.because(call, why)
        minor = (self.endings.by_hand() or self.tasks.at_the_end(call)) if api.awaiting else self.endings.is_watched()
        return self.telling.draft("discarded", call, api, "", why=clause, steps=steps, fix=fix,
                                  level="note" if minor else None)

    def _is_tried(self, call: p.Call, api: Api) -> bool:
        """Whether all that is asked is whether a pool connects, as programs do when they start; that is one connection
        of many, unless it is done again."""
        if not api.chained or "release" not in api.ends:
            return False
        above = self.module.parent(call)
        alone = type(above) is p.Await and type(self.module.parent(above)) is p.Evaluate
        return bool(call.args) or (alone and self.repeats.of(call).answer != "again")

    def _is_undone(self, call: p.Call) -> bool:
        """Whether the file removes something from the same target in another way."""
        if type(call.callee) is not p.Member:
            return False
        target = self.names.text(call.callee.of)
        return any(
            member.name.startswith(("remove", "off", "un")) and self.names.text(member.of) == target
            for member in self.module.nodes(p.Member)
        )

    def never(self, call: p.Call, api: Api, home: Home) -> Draft | None:
        """A variable or attribute holds the handle, and nothing ever gives it back."""
        if home.kind == "attribute":
            return self.forgotten(call, api, home)
        if home.kind == "module" and (self.components.hook(call) is None or self.repeats.of(call).answer == "once"):
            return None
        why = self._worth(call, api.unreleased)
        if why is None:
            return None
        hook = self.components.hook(call)
        if hook is not None:
            return self.telling.draft("component", call, api, home.name, why=hook.cleanup, where=hook.name,
                                      fix=self.mends.by_effect(call, api, hook, home))
        if not api.managed and (any(type(s) is p.WithItem for s in home.stores) or any(
                type(self.module.parent(use.node)) is p.WithItem for use in home.uses)):
            return self.telling.draft("transaction", call, api, home.name)
        function = self.module.function(call)
        if home.kind == "local" and function is not None and (self._lasts(call, home, api, function) or any(
                self.ownership.serves_on(use, api, function) for use in home.uses)):
            return None
        # while the function goes on its variable keeps a task alive: a weaker fault than one that is thrown away
        minor = api.awaiting or api.unreleased == "lent" or (
            function is not None and (self.endings.of(function) or self.endings.soon(call)))
        undo = f"{api.ends[0]}()" if home.gathered and api.ends else ""  # of each, not of the collection
        return self.telling.draft("unreleased", call, api, home.name, why=why.clause, undo=undo,
                                  steps=self.telling.because(call, why), level="note" if minor else None,
                                  fix=self.mends.added(call, api, home))

    def _lasts(self, call: p.Call, home: Home, api: Api, function: p.Function) -> bool:
        """Whether ``function`` goes on with the handle until an error ends it: a server's socket, a consumer."""
        if any(type(above := self.module.parent(use.node)) is p.Member and above.name in self.table.lasting
               for use in home.uses):
            return True
        loops = [it for it in self.module.nodes(p.Loop) if it.iterable is None and it.at[0] > call.at[0]
                 and is_for_ever(it.test) and self.module.function(it) is function]
        plan = self.ownership.plan(home, api, function) if loops else None
        if plan is None:
            return False
        flow = lower(self.module, function.body, plan, self.patience, wary=False)
        losses = solve(flow, Step("end", (function.at[1], function.at[1])))
        return all(loss.verdict != "lost" for loss in losses)

    def _worth(self, call: p.Call, policy: str) -> Why | None:
        """Whether code that can run again is at work, as far as the table asks for that; None where it is not."""
        if policy in ("never", "owned"):
            return None
        if policy == "lent":
            function = self.module.function(call)
            return Why("unknown") if function is not None and self.ownership.manages(function) else None
        if policy in ("always", "chained", "written"):
            return Why("unknown") if self.module.function(call) is not None else None
        if policy == "component":
            return Why("again") if self.components.hook(call) is not None else None
        why = self.repeats.of(call)
        if why.answer == "unknown" and (hook := self.components.hook(call)) is not None:
            why = Why("again", call, f"`{hook.name}` runs for every instance")
        if policy == "maybe":
            return None if why.answer == "once" else why
        if why.answer == "again":
            return None if why.guessed and policy == "repeated" else why
        return self._can_be_stopped(call) if why.answer == "unknown" and policy == "again" else None

    def _can_be_stopped(self, call: p.Call) -> Why | None:
        """A class that has a method to stop it means its objects to end; what it starts ends with them.

        So does an object that is written out.
        """
        owner = class_of(self.module, call)
        for above in self.module.parents(call) if owner is None else ():
            if type(above) is p.Record:
                named = [(it.key.value, it.value) for it in above.entries
                         if type(it.key) is p.Text and type(it.value) is p.Function]
                for name, method in named:
                    if name in self.closing and not any(it is method for it in self.module.parents(call)):
                        return Why("again", method, f"`{name}` cannot stop it")
                break
        # what it runs itself each time closes nothing
        run = {inner.name for given in call.args for inner in p.within(given.value) if type(inner) is p.Member}
        for statement in owner.body if owner is not None else ():
            if type(statement) is p.Define and statement.name not in run and self.closes(statement):
                if type(statement.value) is p.Function and statement.value.kind == "method":
                    return Why("again", statement.value, f"`{statement.name}` cannot stop it")
        return None

    def _is_ours(self, home: Home) -> bool:
        """An attribute is judged where its object is seen: ``this``, or a component's reference."""
        of = home.target.of
        if type(of) is not p.Name:
            return False
        if of.id in ("this", "self"):
            return True
        origin = self.homes.origins.of(of)
        return origin is not None and origin.rsplit(".", 1)[-1] in ("useRef()",)

    def forgotten(self, call: p.Call, api: Api, home: Home) -> Draft | None:
        """An attribute holds the handle, and no method gives it back."""
        module = self.module
        owner = home.owner
        name = home.target.name
        hook = self.components.class_hook(call) or self.components.hook(call)
        if self._mentioned_elsewhere(name, owner, home) or self._is_handed_over(call, home, api):
            return None
        if api.what in ("thread", "timer") and self.threads.is_daemon(call, home.uses):
            return None
        if api.role == "task" and self.tasks.awaits_process(call):
            return None
        keyed: Any = module.parent(call)
        if api.awaiting and type(keyed) in (p.Let, p.Assign) and type(keyed.target) is p.Index and not (
                self.tasks.polls(call)):
            return None  # one of many that are over when their work is
        running = self.threads.runs(call, api) if api.runs else None
        if hook is not None and api.unreleased != "never":
            fix = self.mends.by_effect(call, api, hook, home) or self.mends.by_component(call, api, home, hook)
            return self.telling.draft("component", call, api, home.name, why=hook.cleanup, where=hook.name, fix=fix)
        if owner is None or api.unreleased == "never":
            return None
        closing = [s for s in owner.body if type(s) is p.Define and self.closes(s)]
        if not closing:
            return self.kept(call, api, home, owner)
        for statement in closing:
            method = statement.value
            if type(method) is not p.Function or module.function(call) is method:
                continue
            if self._sweeps(method, owner, name, ends_by_itself=api.role == "task" and not self.tasks.polls(call)):
                continue
            if running is not None and self.threads.is_told(method, owner, running):
                return None
            if self._is_reopened(statement.name, owner, call):
                continue
            place = Place(module.path, method.name_at or statement.at)
            step = Evidence(place, f"`{statement.name}` does not give `{home.name}` back")
            return self.telling.draft("forgotten", call, api, home.name, where=statement.name, steps=(step,),
                                      fix=self.mends.in_method(call, api, home, method))
        return None

    def _is_reopened(self, closing: str, owner: p.Class, call: p.Call) -> bool:
        """Whether another method undoes what a closing one does, so that what the constructor made has to stay."""
        function = self.module.function(call)
        if function is not None and function.kind != "constructor" and function.name != "__init__":
            return False
        return any(type(it) is p.Define and it.name == self.reopening.get(closing) for it in owner.body)

    def kept(self, call: p.Call, api: Api, home: Home, owner: p.Class) -> Draft | None:
        """An attribute holds the handle of a class that has no method to give anything back."""
        if owner.name is None or any(
                last_word(base.value) not in ("object", "ABC", "Protocol") for base in owner.bases):
            return None  # what it is derived from may close it
        if owner.decorators and not (home.gathered and self.repeats.of(call).answer == "again"):
            return None  # a framework makes one of it, and keeps that
        policy = api.unreleased
        if policy in ("owned", "lent", "component") or (policy != "always" and self._worth(call, policy) is None):
            return None
        if "once" in (self.repeats.of(call).answer, self.repeats.built(owner).answer):
            return None
        return self.telling.draft("kept", call, api, home.name, where=owner.name)

    def closes(self, define: p.Define) -> bool:
        """Whether a method closes its object: one that is told whom to disconnect closes something else."""
        if define.name not in self.closing or type(define.value) is not p.Function:
            return False
        if define.name.startswith(("__", "on")):
            return True
        python = self.module.program.language == "python" and define.value.kind != "static"
        given = [it for it in define.value.params[python:] if it.kind not in ("rest", "keywords")]
        return all(it.default is not None or type(it.target) is p.Default or last_word(it.target) in _WHY
                   for it in given)

    def _is_handed_over(self, call: p.Call, home: Home, api: Api) -> bool:
        """Whether what was started ends by itself: its attribute is emptied, or what it runs never loops."""
        for store in home.stores:
            value = getattr(store, "value", None)
            function = self.module.function(store)
            if type(value) is p.Constant and function is not None and function.name not in ("__init__", "constructor"):
                if not (api.awaiting and self._only_forgets(function) and self.tasks.polls(call)):
                    return True
        return api.awaiting and self.tasks.ends_by_itself(call)

    def _only_forgets(self, function: p.Function) -> bool:
        """Whether a method that closes its object empties an attribute: what was in it goes on, unless that is told."""
        define: Any = self.module.parent(function)
        return type(define) is p.Define and self.closes(define)

    def _sweeps(self, function: p.Function, owner: p.Class, attribute: str, *, ends_by_itself: bool) -> bool:
        """Whether a closing method may give back more than it names: it calls one that its class inherits.

        What ``ends_by_itself`` may do so where that takes away what it works on.
        """
        waiting: list[Any] = list(function.body)
        while waiting:
            part = waiting.pop()
            if type(part) is p.Call and type(part.callee) is p.Member and type(part.callee.of) is p.Name:
                if part.callee.of.id in ("super",):
                    return ends_by_itself or self._may_know(owner, attribute)
            if type(part) is p.Call and last_word(part.callee) == "super":
                return ends_by_itself or self._may_know(owner, attribute)
            waiting.extend(p.children(part))
        return False

    def _may_know(self, owner: p.Class, attribute: str) -> bool:
        """Whether what ``owner`` inherits may know an attribute that it sets itself: some of that is not seen, names
        the attribute, or goes through whatever the object has."""
        word = attribute.encode()
        for home, here in lineage(self.module, owner, self.project):
            for base in here.bases:
                found = thing(home, base.value, self.project, 3) if base.name is None else None
                seen = found is not None and type(found.node) is p.Class
                if base.name is None and not seen and home.qualified(base.value) not in self.unaware:
                    return True
            text = home.source.data[here.at[0] : here.at[1]]
            if here is not owner and (word in text or any(it in text for it in _LOOKING_AROUND)):
                return True
        return False

    def _mentioned_elsewhere(self, name: str, owner: p.Class | None, home: Home) -> bool:
        """Whether another file names the attribute of something that may be this object: it may give it back."""
        if type(home.target.of) is p.Name and home.target.of.id not in ("this", "self"):
            return False
        if name.startswith("#") or (name.startswith("__") and self.module.program.language == "python"):
            return False
        others = [path for path in self.repeats.holding(name) if path != self.module.path]
        theirs = re.compile(rb"(?<!\bthis)(?<!\bself)[?!]?\.%s\b" % re.escape(name.encode()))
        relative = re.escape(owner.name.encode()) if owner is not None and owner.name else None
        for path in others:
            data = self.project.tree.read(path) or b""
            if theirs.search(data):
                return True
            # a file with a class of its own by that name means this one only where it says whose it is
            if relative is not None:
                own = re.search(rb"\bclass %s\b" % relative, data)
                if re.search(rb"(?:\.|\bimport )%s\b|\b%s as\b" % (relative, relative) if own else relative, data):
                    return True
        return False

    # -- lost on the way ------------------------------------------------------------------------------------------

    def handed(self, call: p.Call, api: Api, taken: Received) -> Draft | None:
        """A function gets the handle as a parameter, and has to give it back."""
        home = Home("local", taken.name.id, call, target=taken.name)
        if self.homes.kept_by_owner(call, home, api):
            return None
        self.homes.find_uses(home, api)
        if all(use.meaning == "read" for use in home.uses):
            if api.unreleased != "always" or not home.uses or any(is_used(self.module, it) for it in taken.beside):
                return None
            return self.telling.draft("unreleased", call, api, home.name)
        # what a callback of the call itself gives back later, in callbacks of its own, is not followed
        draft = self.lost(call, api, home, taken.function, received=True) if taken.settled else None
        return draft and replace(draft, fix=None)

    def lost(self, call: p.Call, api: Api, home: Home, function: p.Function, *, received: bool = False) -> Draft | None:
        if not any(u.meaning == "end" or self._is_given_up(u) for u in home.uses):
            return None  # it was never this function's to give back
        plan = self.ownership.plan(home, api, function)
        if plan is None:
            return None
        flow = lower(self.module, function.body, plan, self.patience, wary=api.wary)
        if received:
            flow = (Do(Step("call", call.at), False, "gain"), *flow)
        losses = solve(flow, Step("end", (function.at[1], function.at[1])))
        if api.harmless and self.components.hook(call) is not None:
            losses = [loss for loss in losses if loss.verdict == "lost"]
        if not losses:
            return None
        if home.kind != "local":
            # Whoever keeps it longer than the function may well leave it held; an error on the way is another thing.
            ends = [u.where.at[0] for u in home.uses if u.meaning == "end"]
            if losses[0].verdict == "lost" or not any(at > call.at[0] for at in ends):
                return None
        return self._lost(call, api, home, losses[0])

    def _is_given_up(self, use: Use) -> bool:
        """Whether a call takes the handle in order to give it back: ``cancel_and_wait(task)``."""
        return use.meaning == "escape" and type(use.where) is p.Call and self.patience.closes(use.where)

    def _lost(self, call: p.Call, api: Api, home: Home, loss: Loss) -> Draft | None:
        step = loss.cause or loss.exit
        clause = self.telling.clause(step, loss)
        given = (u.where for u in home.uses if u.meaning == "end" or self._is_given_up(u))
        ends = sorted(given, key=lambda where: where.at[0])
        named = [w for w in ends if last_word(getattr(w, "callee", None)) not in api.keeps]
        missed = [w for w in named if w.at[0] > step.at[0]] or named
        missed = [w for w in missed if not apart(self.module, call, w)] or missed
        evidence = [Evidence(Place(self.module.path, call.at), f"`{self.telling.short(call)}` starts here")]
        evidence.append(Evidence(Place(self.module.path, step.at), clause))
        undo = api.undo(home.name)
        why = clause
        if missed:
            undo = self.telling.short(missed[0])
            line = self.module.source.line(missed[0].at[0])
            why = f"{clause}, and `{undo}` on line {line} is not reached"
            evidence.append(Evidence(Place(self.module.path, missed[0].at), "this is not reached"))
        only_awaited = bool(ends) and all(type(w) is p.Await for w in ends) and loss.cause is not None
        # where the program ends with the function, the system gives back what it holds
        function = self.module.function(call)
        raised = loss.cause is not None and loss.exit is loss.cause
        ending = function is not None and (loss.cause is None or raised) and (
            self.endings.of(function) or self.endings.lasts_with_application(function) if raised
            else self.endings.after(function))
        brief = api.role == "task" and self.tasks.is_brief(call)
        minor = only_awaited or ending or brief or self.endings.soon(call)
        return self.telling.draft(loss.verdict, call, api, home.name, why=why, undo=undo, steps=tuple(evidence),
                          level="note" if minor else None,
                          fix=self._in_finally(call, api, home, ends, step.at))

    def _in_finally(self, call: p.Call, api: Api, home: Home, ends: list[Any], risk: Span) -> Fix | None:
        """An edit that moves the one release to where it is reached on every way from ``risk`` on."""
        escapes = [u.where for u in home.uses if u.meaning == "escape"]
        if home.kind != "local" or len(ends) != 1 or any(type(where) is not p.Yield for where in escapes):
            return None  # given back elsewhere too: it would be done twice
        return self.mends.moved(call, api, home, ends[0], risk)
