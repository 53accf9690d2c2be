"""Tasks that are waited for until the first of them is done, and that nobody cancels then.

``done, pending = await asyncio.wait({a, b}, return_when=FIRST_COMPLETED)``: what is in ``pending`` goes on. Every use
of the tasks has to be seen, and be one that only looks at them.
"""

from __future__ import annotations

from typing import Any

from connlint.checks import gathered
from connlint.checks.endings import Endings
from connlint.checks.homes import Homes
from connlint.checks.lifecycles import Api, argument, last_word
from connlint.checks.tasks import Tasks
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Draft, Place
from connlint.model.finding import Step as Evidence
from connlint.project.uses import references


class Racing:
    """Judges the tasks of one module that are raced."""

    def __init__(self, homes: Homes, tasks: Tasks, telling: Telling, endings: Endings) -> None:
        self.module = homes.module
        self.table = homes.table
        self.tasks = tasks
        self.telling = telling
        self.endings = endings

    def judge(self, call: p.Call, api: Api) -> Draft | None:
        """What is to be said about the task of ``call``, if it is raced and left."""
        function = self.module.function(call)
        if not api.awaiting or not self.table.racing or function is None or self._is_a_clock(call):
            return None
        wait = self._raced(call, api)
        if wait is None or not self._is_left(wait) or self.endings.after(self._around(function)):
            return None
        step = Evidence(Place(self.module.path, wait.at), "whoever is not done by then is left behind here")
        minor = self.tasks.ends_by_itself(call) or self.endings.of(self._around(function))
        return self.telling.draft("outrun", call, api, "", where=self.telling.names.text(wait.callee), steps=(step,),
                                  level="note" if minor else None)

    def _around(self, function: p.Function) -> p.Function:
        """The function in which a comprehension stands."""
        while function.kind == "inline" and (above := self.module.function(function)) is not None:
            function = above
        return function

    def _is_a_clock(self, call: p.Call) -> bool:
        """Whether the task only sleeps: it ends when its time is over."""
        inner = call.args[0].value if call.args else None
        return type(inner) is p.Call and last_word(inner.callee) == "sleep"

    # -- who waits ------------------------------------------------------------------------------------------------

    def _raced(self, call: p.Call, api: Api) -> p.Call | None:
        """The call that waits for the task of ``call``, where that alone and who only looks at it get it."""
        let: Any = self.module.parent(call)
        if type(let) is p.Let and let.value is call and type(let.target) is p.Name:
            return self._of_name(let.target, call, api, inside=True)
        if type(let) is p.Return and (listed := gathered.listed(self.module, let)) is not None:
            return self._of_name(listed, call, api) if type(listed) is p.Name else None
        if type(let) is p.Return and type(inline := self.module.parent(let)) is p.Function and inline.kind == "inline":
            return self._takes(self.module.parent(inline))  # a comprehension that is handed over as it is
        if type(let) is p.Sequence:
            bound: Any = self.module.parent(let)
            if type(bound) is p.Let and bound.value is let and type(bound.target) is p.Name:
                return self._of_name(bound.target, call, api)
            return self._takes(let)
        return None

    def _of_name(self, name: p.Name, call: p.Call, api: Api, *, inside: bool = False) -> p.Call | None:
        """The one call that waits for what is bound to ``name``: a task, or a list of tasks."""
        if len(self.module.lookup(name.id, name)) != 1:
            return None
        waits = []
        for use in references(self.module, name.id, name):
            wait = self._takes(self.module.parent(use) if inside and type(
                self.module.parent(use)) is p.Sequence else use)
            if wait is not None:
                waits.append(wait)
            elif not self._only_looks(use, api):
                return None
        one = waits[0] if len(waits) == 1 else None
        # what was made before a loop may be waited for again
        return one if one is not None and self._loop(one) is self._loop(call) else None

    def _only_looks(self, use: p.Name, api: Api) -> bool:
        above: Any = self.module.parent(use)
        if type(above) in (p.Compare, p.Not, p.If):
            return True
        if type(above) is p.Argument:
            return last_word(self.module.parent(above)) in self.table.measures
        if type(above) is not p.Member or above.of is not use:
            return False
        return above.name in api.done or above.name in ("result", "exception", "get_name", "set_name")

    def _takes(self, value: Any) -> p.Call | None:
        """The call that is given the tasks ``value`` and returns before all of them are done."""
        given = self.module.parent(value)
        wait = self.module.parent(given) if type(given) is p.Argument else None
        if type(wait) is p.Call and last_word(wait.callee) in self.table.makers and len(wait.args) == 1:
            return self._takes(wait)  # ``set(tasks)``
        if type(wait) is not p.Call or wait.args[0] is not given or (
                name := self.module.qualified(wait.callee)) is None:
            return None
        for entry in self.table.racing:
            if name in entry["names"]:
                until = argument(wait, entry["until"])
                if (until.value if type(until) is p.Text else last_word(until)) in entry["early"]:
                    return wait
        return None

    def _loop(self, thing: Any) -> Any:
        """The loop around ``thing`` in its function."""
        for above in self.module.parents(thing):
            if type(above) is p.Loop or (type(above) is p.Function and above.kind != "inline"):
                return above
        return None

    # -- who looks at the rest ------------------------------------------------------------------------------------

    def _is_left(self, wait: p.Call) -> bool:
        """Whether nobody looks at the tasks that were not done."""
        given = self.module.parent(wait)
        above: Any = self.module.parent(given) if type(given) is p.Await else None
        if type(above) is p.Evaluate:
            return True
        if type(above) is p.Index and above.of is given:
            return type(above.key) is p.Number and above.key.value == 0
        if type(above) is not p.Let or above.value is not given or type(above.target) is not p.Sequence:
            return False
        items = above.target.items
        rest = items[1] if len(items) == 2 else None
        return type(rest) is p.Name and not references(self.module, rest.id, rest)
