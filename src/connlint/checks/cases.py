"""What is to be said about one acquisition: nothing, or a draft with its evidence."""

from __future__ import annotations

import re
from typing import Any

from connlint.cards import Rules
from connlint.checks.components import Components
from connlint.checks.flows import lower
from connlint.checks.lifecycles import Api, Lifecycles, last_word
from connlint.checks.listeners import Registration
from connlint.checks.origins import class_of
from connlint.checks.ownership import Home, Ownership, Use
from connlint.checks.patience import Patience
from connlint.checks.repeats import Why, repeats
from connlint.checks.solver import solve
from connlint.model import program as p
from connlint.model.finding import Draft, Fix, Level, Place
from connlint.model.finding import Step as Evidence
from connlint.model.flow import Loss, Step
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.releases import release_in_finally


class Cases:
    """Judges the acquisitions of one module."""

    def __init__(self, module: Module, project: Project, rules: Rules, table: Lifecycles) -> None:
        self.module = module
        self.project = project
        self.table = table
        self.ownership = Ownership(module, project, table)
        self.repeats = repeats(module, project, rules)
        self.components: Components = self.repeats.components
        self.patience = Patience(module, project, table)
        self.closing = {
            name for entry in rules.apis.get("closing", ()) for name in entry["methods"]
            if (entry["language"] == "python") == (module.program.language == "python")
        }

    def judge(self, call: p.Call, api: Api) -> Draft | None:
        """What is to be said about one acquisition."""
        home = self.ownership.home(call, api)
        if home.kind == "away" or self.ownership.kept_by_owner(call, api):
            return None
        function = self.module.function(call)
        if home.kind == "nothing":
            return self.discarded(call, api)
        if function is None and home.kind != "module":
            return None
        self.ownership.find_uses(home, api)
        if home.kind == "attribute" and not self._is_ours(home):
            return None
        after = [u for u in home.uses if u.meaning != "read"]
        if not after:
            return self.never(call, api, home)
        if function is None:
            return None
        if not any(u.meaning == "end" for u in after) and home.kind != "local":
            return None
        return self.lost(call, api, home, function)

    # -- nobody can give it back ----------------------------------------------------------------------------------

    def discarded(self, call: p.Call, api: Api) -> Draft | None:
        why = self._worth(call, api.discarded)
        if why is None or (api.calling and self._is_undone(call)):
            return None
        hook = self.components.hook(call)
        if hook is not None:
            return self.draft("component", call, api, "", why=hook.cleanup, where=hook.name)
        return self.draft("discarded", call, api, "", why=why.clause, steps=self._because(call, why))

    def _is_undone(self, call: p.Call) -> bool:
        """Whether the file removes something from the same target in another way."""
        if type(call.callee) is not p.Member:
            return False
        target = self.ownership.text(call.callee.of)
        return any(
            member.name.startswith(("remove", "off", "un")) and self.ownership.text(member.of) == target
            for member in self.module.nodes(p.Member)
        )

    def never(self, call: p.Call, api: Api, home: Home) -> Draft | None:
        """A variable or attribute holds the handle, and nothing ever gives it back."""
        if home.kind == "attribute":
            return self.forgotten(call, api, home)
        if home.kind == "module" and self.components.hook(call) is None:
            return None
        why = self._worth(call, api.unreleased)
        if why is None:
            return None
        hook = self.components.hook(call)
        if hook is not None:
            return self.draft("component", call, api, home.name, why=hook.cleanup, where=hook.name)
        if not api.managed and any(type(s) is p.WithItem for s in home.stores):
            return self.draft("transaction", call, api, home.name)
        # while the function goes on its variable keeps a task alive: a weaker fault than one that is thrown away
        return self.draft("unreleased", call, api, home.name, why=why.clause, steps=self._because(call, why),
                          level="note" if api.awaiting else None)

    def _worth(self, call: p.Call, policy: str) -> Why | None:
        """Whether code that can run again is at work, as far as the table asks for that; None where it is not."""
        if policy == "never":
            return None
        if policy in ("always", "chained", "written"):
            return Why("unknown") if self.module.function(call) is not None else None
        if policy == "component":
            return Why("again") if self.components.hook(call) is not None else None
        why = self.repeats.of(call)
        if policy == "maybe":
            return None if why.answer == "once" else why
        if why.answer == "again":
            return None if why.guessed and policy == "repeated" else why
        return self._can_be_stopped(call) if why.answer == "unknown" and policy == "again" else None

    def _can_be_stopped(self, call: p.Call) -> Why | None:
        """A class that has a method to stop it means its objects to end; what it starts ends with them."""
        owner = class_of(self.module, call)
        for statement in owner.body if owner is not None else ():
            if type(statement) is p.Define and statement.name in self.closing and statement.value.kind == "method":
                return Why("again", statement.value, f"`{statement.name}` cannot stop it")
        return None

    def _is_ours(self, home: Home) -> bool:
        """An attribute is judged where its object is seen: ``this``, or a component's reference."""
        of = home.target.of
        if type(of) is not p.Name:
            return False
        if of.id in ("this", "self"):
            return True
        origin = self.ownership.origins.of(of)
        return origin is not None and origin.rsplit(".", 1)[-1] in ("useRef()",)

    def forgotten(self, call: p.Call, api: Api, home: Home) -> Draft | None:
        """An attribute holds the handle, and no method gives it back."""
        module = self.module
        owner = class_of(module, home.target)
        name = home.target.name
        hook = self.components.class_hook(call) or self.components.hook(call)
        if self._mentioned_elsewhere(name, owner, home) or self._is_handed_over(call, home, api):
            return None
        if hook is not None and api.unreleased != "never":
            return self.draft("component", call, api, home.name, why=hook.cleanup, where=hook.name)
        if owner is None or api.unreleased == "never":
            return None
        for statement in owner.body:
            if type(statement) is p.Define and statement.name in self.closing:
                if module.function(call) is statement.value or self._sweeps(statement.value):
                    continue
                place = Place(module.path, statement.value.name_at or statement.at)
                step = Evidence(place, f"`{statement.name}` does not give `{home.name}` back")
                return self.draft("forgotten", call, api, home.name, where=statement.name, steps=(step,))
        return None

    def _is_handed_over(self, call: p.Call, home: Home, api: Api) -> bool:
        """Whether what was started ends by itself: its attribute is emptied, or what it runs never loops."""
        for store in home.stores:
            value = getattr(store, "value", None)
            function = self.module.function(store)
            if type(value) is p.Constant and function is not None and function.name not in ("__init__", "constructor"):
                return True
        return api.awaiting and self._ends_by_itself(call)

    def _ends_by_itself(self, call: p.Call) -> bool:
        """Whether a task runs a function of this file that has no loop."""
        inner = call.args[0].value if call.args else None
        if type(inner) is not p.Call:
            return False
        function: p.Function | None = None
        if type(inner.callee) is p.Name:
            found = self.ownership.origins.function_called(inner)
            function = found[1] if found else None
        elif type(inner.callee) is p.Member and type(inner.callee.of) is p.Name and inner.callee.of.id == "self":
            owner = class_of(self.module, call)
            for statement in owner.body if owner is not None else ():
                if type(statement) is p.Define and statement.name == inner.callee.name:
                    function = statement.value if type(statement.value) is p.Function else None
        return function is not None and not _loops(function)

    def _sweeps(self, function: Any) -> bool:
        """Whether a closing method gives back more than it names: it calls another method of the object."""
        waiting = list(function.body)
        while waiting:
            thing = waiting.pop()
            if type(thing) is p.Call and type(thing.callee) is p.Member and type(thing.callee.of) is p.Name:
                if thing.callee.of.id in ("super",):
                    return True
            if type(thing) is p.Call and last_word(thing.callee) == "super":
                return True
            waiting.extend(p.children(thing))
        return False

    def _mentioned_elsewhere(self, name: str, owner: p.Class | None, home: Home) -> bool:
        """Whether another file names the attribute of something that may be this object: it may give it back."""
        if type(home.target.of) is p.Name and home.target.of.id not in ("this", "self"):
            return False
        if name.startswith("#") or (name.startswith("__") and self.module.program.language == "python"):
            return False
        others = [path for path in self.repeats.holding(name) if path != self.module.path]
        theirs = re.compile(rb"(?<!\bthis)(?<!\bself)[?!]?\.%s\b" % re.escape(name.encode()))
        relative = owner.name.encode() if owner is not None and owner.name else None
        for path in others:
            data = self.project.tree.read(path) or b""
            if theirs.search(data) or (relative is not None and relative in data):
                return True
        return False

    # -- listeners ------------------------------------------------------------------------------------------------

    def registered(self, one: Registration) -> Draft | None:
        """What is to be said about a listener that was added."""
        call, pair = one.call, one.pair
        function = self.module.function(call)
        if one.swept or (pair.callable and not self._is_function(call.args[pair.keys[-1]].value)):
            return None
        undo = f"{one.target}.{pair.remove[0]}(…)" if one.target else f"{pair.remove[0]}(…)"
        api = Api(pair.role, pair.language, what="listener", release=pair.remove)
        name = self._short(call.args[0].value)
        if one.removals:
            return self._removed(one, api, function, name) if function is not None else None
        if one.fresh and pair.fresh and self._is_listener(call.args[pair.keys[-1]].value):
            other = one.fresh[0]
            step = Evidence(Place(self.module.path, other.at), "this removes a function that was never added")
            line = self.module.source.line(other.at[0])
            return self.draft("mismatched", call, api, name, why=f"line {line}", undo=self._short(other), steps=(step,))
        hook = self.components.hook(call)
        if hook is None or one.others or not self._is_lasting(call, one) or not self._is_dropped(call):
            return None
        return self.draft("component", call, api, name, why=hook.cleanup, where=hook.name, undo=undo)

    def _removed(self, one: Registration, api: Api, function: p.Function, name: str) -> Draft | None:
        """A listener that is removed somewhere in the file: on every way out of the function that adds it?"""
        if self._is_made_here(one, function):
            return None
        call = one.call
        value = self.module.parent(call) if type(self.module.parent(call)) is p.Await else call
        home = Home("local", name, value)
        home.uses = [Use(r, "end", r, self.module.function(r)) for r in one.removals]
        here = [r for r in one.removals if self.module.function(r) is function]
        if here and not any(r.at[0] > call.at[0] and not self._apart(call, r) for r in here):
            return None
        return self.lost(call, api, home, function)

    def _is_dropped(self, call: p.Call) -> bool:
        """Whether nobody keeps what adding the listener returned."""
        above = self.module.parent(call)
        while type(above) in (p.Await, p.Member, p.Call):
            above = self.module.parent(above)
        return type(above) is p.Evaluate

    def _is_listener(self, callback: p.Expression) -> bool:
        return type(callback) in (p.Function, p.Name, p.Member, p.Call)

    def _is_function(self, value: p.Expression) -> bool:
        """Whether an argument is a function of this file."""
        if type(value) is p.Name:
            found = self.module.lookup(value.id, value)
            return len(found) == 1 and found[0].kind == "function"
        if type(value) is p.Member and type(value.of) is p.Name and value.of.id in ("self", "this"):
            owner = class_of(self.module, value)
            return owner is not None and any(type(s) is p.Define and s.name == value.name for s in owner.body)
        return False

    def _is_lasting(self, call: p.Call, one: Registration) -> bool:
        """Whether the target of a listener outlives the component that adds it."""
        if one.target in one.pair.lasting or (not one.target and one.pair.lasting):
            return not one.target or not self.module.lookup(one.target.split(".")[0], call)
        if "import" not in one.pair.lasting or type(call.callee) is not p.Member:
            return False
        of = call.callee.of
        found = self.module.lookup(of.id, of) if type(of) is p.Name else []
        return len(found) == 1 and found[0].kind == "import"

    def _is_made_here(self, one: Registration, function: p.Function) -> bool:
        """Whether the target is an object that the function made itself, so that its listeners go with it."""
        of = one.call.callee.of if type(one.call.callee) is p.Member else None
        if type(of) is not p.Name:
            return False
        found = self.module.lookup(of.id, of)
        return any(
            d.kind in ("value", "with") and type(d.value) in (p.Call, p.Await)
            and self.module.function(d.node) is function
            for d in found
        )

    def _apart(self, one: Any, other: Any) -> bool:
        """Whether two nodes stand in different arms of one decision."""
        chain = {id(above): below for below, above in self._climb(one)}
        for below, above in self._climb(other):
            if id(above) in chain and type(above) in (p.If, p.Conditional, p.Switch):
                mine = chain[id(above)]
                if mine is not below and type(above) is not p.If:
                    return True
                if type(above) is p.If:
                    return any(mine is s for s in above.then) != any(below is s for s in above.then)
        return False

    def _climb(self, thing: Any) -> list[tuple[Any, Any]]:
        pairs, below = [], thing
        for above in self.module.parents(thing):
            pairs.append((below, above))
            below = above
        return pairs

    # -- lost on the way ------------------------------------------------------------------------------------------

    def lost(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        if not any(u.meaning == "end" or self._is_given_up(u) for u in home.uses):
            return None  # it was never this function's to give back
        plan = self.ownership.plan(home, api, function)
        if plan is None:
            return None
        flow = lower(self.module, function.body, plan, self.patience, wary=api.wary)
        losses = solve(flow, Step("end", (function.at[1], function.at[1])))
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
        clause = self._clause(step, loss)
        given = (u.where for u in home.uses if u.meaning == "end" or self._is_given_up(u))
        ends = sorted(given, key=lambda where: where.at[0])
        missed = [w for w in ends if w.at[0] > step.at[0]] or ends
        evidence = [Evidence(Place(self.module.path, call.at), f"`{self._short(call)}` starts here")]
        evidence.append(Evidence(Place(self.module.path, step.at), clause))
        undo = api.undo(home.name)
        why = clause
        if missed:
            undo = self._short(missed[0])
            line = self.module.source.line(missed[0].at[0])
            why = f"{clause}, and `{undo}` on line {line} is not reached"
            evidence.append(Evidence(Place(self.module.path, missed[0].at), "this is not reached"))
        only_awaited = bool(ends) and all(type(w) is p.Await for w in ends)
        return self.draft(loss.verdict, call, api, home.name, why=why, undo=undo, steps=tuple(evidence),
                          level="note" if only_awaited and loss.cause is not None else None,
                          fix=self._in_finally(call, home, ends))

    def _in_finally(self, call: p.Call, home: Home, ends: list[Any]) -> Fix | None:
        """An edit that moves the one release into ``finally``, where it stands beside what acquires."""
        module = self.module
        if home.kind != "local" or len(ends) != 1 or any(u.meaning == "escape" for u in home.uses):
            return None  # given back elsewhere too: it would be done twice
        acquire, release = module.statement(call), module.statement(ends[0])
        if type(acquire) not in (p.Let, p.Evaluate) or type(release) is not p.Evaluate:
            return None
        if release.at[0] <= acquire.at[0]:
            return None
        return release_in_finally(module, acquire, release, f"Move `{self._short(release)}` into `finally`")

    def _clause(self, step: Step, loss: Loss) -> str:
        line = self.module.source.line(step.at[0])
        python = self.module.program.language == "python"
        text = self._short_at(step.at)
        if step.kind == "end":
            return "the function ends"
        if step.kind == "return":
            return f"line {line} returns"
        if step.kind in ("break", "continue"):
            return f"line {line} leaves the loop"
        if step.kind == "raise":
            return f"line {line} {'raises' if python else 'throws'}"
        if step.kind == "reject":
            return f"`{text}` on line {line} may be rejected"
        if step.kind == "assign" or loss.cause is None:
            return f"line {line} overwrites it"
        return f"`{text}` on line {line} may {'raise' if python else 'throw'}"

    # -- words ----------------------------------------------------------------------------------------------------

    def _because(self, call: p.Call, why: Why) -> tuple[Evidence, ...]:
        if why.answer != "again" or why.node is None or why.node is call:
            return ()
        at = why.node.at
        return (Evidence(Place(self.module.path, (at[0], min(at[1], at[0] + 60))), why.clause),) if at else ()

    def _short(self, it: Any) -> str:
        return self._short_at(it.at)

    def _short_at(self, at: tuple[int, int]) -> str:
        text = " ".join(self.module.source.slice((at[0], min(at[1], at[0] + 400))).split())
        head = text.split("{", 1)[0].rstrip() if "{" in text[:60] and len(text) > 60 else text
        return head if len(head) <= 60 else head[:57] + "…"

    def draft(self, outcome: str, call: p.Call, api: Api, handle: str, *, why: str = "", where: str = "",
              undo: str = "", steps: tuple[Evidence, ...] = (), level: Level | None = None,
              fix: Fix | None = None) -> Draft:
        name = self.ownership.text(call.callee)
        name = name if len(name) <= 60 else last_word(call.callee) or "call"
        slots = {
            "call": name, "handle": handle or f"the {api.what}", "what": api.what,
            "undo": undo or api.undo(handle or api.what), "why": why or "it can run again", "where": where,
        }
        return Draft(outcome, Place(self.module.path, call.at), slots, handle or name, steps, level=level, fix=fix)


def _loops(function: p.Function) -> bool:
    """Whether a function waits in a loop."""
    waiting: list[Any] = list(function.body)
    while waiting:
        thing = waiting.pop()
        if type(thing) is p.Loop and (thing.iterable is None or thing.is_async):
            return True
        if type(thing) is not p.Function:
            waiting.extend(p.children(thing))
    return False
