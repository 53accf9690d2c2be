"""What a component gives back, but not at every end of it: too early, or only on another occasion."""

from __future__ import annotations

from typing import Any

from connlint.checks.components import Components
from connlint.checks.homes import Home, Use
from connlint.checks.lifecycles import Api
from connlint.checks.overtaken import Overtaken
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Draft, Place
from connlint.model.finding import Step as Evidence
from connlint.project.module import Module


class Outliving:
    """Judges handles of one module that are given back somewhere."""

    def __init__(self, module: Module, components: Components, telling: Telling) -> None:
        self.module = module
        self.components = components
        self.telling = telling

    def judge(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """What is to be said about what ``function`` acquires by ``call``."""
        return (self._overtaken(call, api, home, function) or self._replaced(call, api, home, function)
                or self._ended_by_itself(call, api, home, function))

    def unheard(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """The function that gives it back is returned by an async hook: the framework gets a promise of it."""
        hook = self.components.hook_of(function) if function.is_async else None
        ends = [use for use in home.uses if use.meaning != "read"]
        if hook is None or not hook.gets_promise_of(function) or not ends:
            return None
        if any(use.meaning == "escape" or use.function is None for use in ends):
            return None
        returned = [self.module.parent(use.function) for use in ends]
        if any(type(it) is not p.Return or self.module.function(it) is not function for it in returned):
            return None
        line = self.module.source.line(ends[0].where.at[0])
        why = f"`{hook.name}` gets a promise of the function on line {line}, and never calls it"
        step = Evidence(Place(self.module.path, ends[0].where.at), "this never runs")
        return self.telling.draft("lost", call, api, home.name, why=why, steps=(step,),
                                  undo=self.telling.short(ends[0].where))

    def _overtaken(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """It is given back elsewhere, but may be acquired after that, or twice, since something is awaited before."""
        late = Overtaken(self.module, self.components)
        if (found := late.outlived(call, home, function)) is not None:
            hook, waited = found
            line = self.module.source.line(waited.at[0])
            step = Evidence(Place(self.module.path, waited.at), "the component may be gone when this has settled")
            return self.telling.draft("outlived", call, api, home.name, where=hook.name, why=f"line {line}",
                                      steps=(step,))
        again = late.doubled(call, home, function)
        if again is None:
            return None
        line = self.module.source.line(again.at[0])
        step = Evidence(Place(self.module.path, again.at), f"another caller passes the test of `{home.name}` meanwhile")
        return self.telling.draft("doubled", call, api, home.name, why=f"line {line}", steps=(step,))

    def _replaced(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """A component's reference holds it, and only the next run of the same hook gives it back: the last stays."""
        hook = self.components.hook_of(function)
        if hook is None or not hook.returns or home.kind != "attribute" or api.unreleased == "never":
            return None
        if any(use.meaning == "escape" or (use.meaning == "end" and (
                use.function is not function or use.where.at[0] > call.at[0])) for use in home.uses):
            return None
        return self.telling.draft("replaced", call, api, home.name, why=hook.cleanup, where=hook.name)

    def _ended_by_itself(self, call: p.Call, api: Api, home: Home, function: p.Function) -> Draft | None:
        """A component's connection is closed by its own events alone: it stays where the component goes before."""
        hook = self.components.hook_of(function)
        if hook is None or not hook.returns or home.kind != "local":
            return None
        if api.unreleased != "component" or api.discarded != "component":
            return None  # what does its work and ends, as a worker does
        ends = [use for use in home.uses if use.meaning != "read"]
        if any(use.meaning == "escape" or not self._is_own_event(use, home, function) for use in ends):
            return None
        return self.telling.draft("by_itself", call, api, home.name, why=hook.cleanup, where=hook.name)

    def _is_own_event(self, use: Use, home: Home, function: p.Function) -> bool:
        """Whether a use stands in what the handle runs itself: ``socket.onclose = …``, ``socket.on("end", …)``."""
        below: Any = use.node
        for above in self.module.parents(use.node):
            if above is function:
                return False
            kind = type(above)
            target = above.target if kind is p.Assign else above.callee if kind is p.Call else None
            if type(target) is p.Member and type(below) in (p.Function, p.Argument) and below is not target:
                if type(target.of) is p.Name and target.of.id == home.name and type(use.function) is p.Function:
                    return True
            below = above
        return False
