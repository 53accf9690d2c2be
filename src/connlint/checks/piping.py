"""Streams that another flows into: ``source.pipe(target)`` ends the target when the source has ended, and leaves it
open where the source fails, or never begins to flow.

What is said rests on what stands in the file: somebody takes the error of the source, or leaves the callback in which
it would have flowed, and nothing there gives the target back. Whoever else has the target may do so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.checks.homes import Home
from connlint.checks.lifecycles import Api
from connlint.checks.patience import Patience
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Draft, Place
from connlint.model.finding import Step as Evidence
from connlint.project.conditions import ends
from connlint.project.module import Module

_LISTENING = ("on", "once", "addListener", "prependListener")


class Piping:
    """Judges the piped streams of one module."""

    def __init__(self, module: Module, telling: Telling, patience: Patience) -> None:
        self.module = module
        self.telling = telling
        self.patience = patience
        self.text = telling.names.text

    def judge(self, call: p.Call, api: Api, home: Home) -> Draft | None:
        """What is to be said about a stream that ``call`` opens; ``home`` is where it goes, with its uses."""
        feeding = self._feeding(call, home)
        if feeding is None or any(not self._is_own(use.where, home) for use in home.uses if self._ends(use.node, api)):
            return None
        said = self._failing(feeding, home) or (self._leaving(call, feeding, home) if home.kind == "local" else None)
        if said is None:
            return None
        outcome, at, why = said
        steps = (Evidence(Place(self.module.path, call.at), f"`{self.telling.short(call)}` opens it"),
                 Evidence(Place(self.module.path, at), why),
                 Evidence(Place(self.module.path, feeding.at), "this ends it when all has come, and only then"))
        return self.telling.draft(outcome, call, api, home.name, why=why, undo=f"{home.name or api.what}.destroy()",
                                  steps=steps)

    def _feeding(self, call: p.Call, home: Home) -> p.Call | None:
        """The one call that lets something flow into the stream; None where anybody else gets the stream."""
        if home.kind == "away":
            return self._pipe_around(call)
        pipes = []
        for use in home.uses if home.kind == "local" else ():
            above = self.module.parent(use.node)
            if type(above) is p.Argument:
                pipes.append(self._pipe_around(use.node))
            elif type(above) is not p.Member:
                return None
        return pipes[0] if len(pipes) == 1 else None

    def _pipe_around(self, node: Any) -> p.Call | None:
        """The ``source.pipe(node)`` around ``node``, where ``node`` is the first argument of one."""
        given: Any = self.module.parent(node)
        piping = self.module.parent(given) if type(given) is p.Argument else None
        if type(piping) is not p.Call or type(piping.callee) is not p.Member or piping.callee.name != "pipe":
            return None
        return piping if piping.args[0] is given and len(piping.args) == 1 else None

    def _ends(self, node: Any, api: Api) -> bool:
        """Whether a use of the stream closes it."""
        above: Any = self.module.parent(node)
        return type(above) is p.Member and above.name in api.ends

    def _is_own(self, where: Any, home: Home) -> bool:
        """Whether something happens in a listener of the stream itself, which hears nothing of its source."""
        for above in self.module.parents(where):
            if type(above) is p.Argument:
                listening = self.module.parent(above)
                callee = listening.callee if type(listening) is p.Call else None
                if type(callee) is p.Member and callee.name in _LISTENING and (
                        self.text(self._root(callee.of)) == home.name):
                    return True
        return False

    def _root(self, receiver: Any) -> Any:
        """What a chain of listeners is hung on: `out` in ``out.on(…).on(…)``, also behind ``source.pipe(out)``."""
        while type(receiver) is p.Call and type(receiver.callee) is p.Member:
            member = receiver.callee
            if member.name == "pipe" and receiver.args:
                receiver = receiver.args[0].value
            elif member.name in _LISTENING:
                receiver = member.of
            else:
                break
        return receiver

    def _is_same(self, one: Any, other: Any) -> bool:
        """Whether two receivers are written alike, and begin with a name of the same binding."""
        if self.text(one) != self.text(other):
            return False
        while type(one) is p.Member and type(other) is p.Member:
            one, other = one.of, other.of
        return type(one) is not p.Name or self.module.lookup(one.id, one) is self.module.lookup(one.id, other)

    def _failing(self, feeding: p.Call, home: Home) -> tuple[str, tuple[int, int], str] | None:
        """Who takes the error of the source and leaves the stream open."""
        source = self._root(feeding.callee.of)  # type: ignore[attr-defined]
        around = self._outermost(feeding)
        for listening in self.module.nodes(p.Call):
            callee: Any = listening.callee
            if type(callee) is not p.Member or callee.name not in _LISTENING or len(listening.args) != 2:
                continue
            event, handler = (given.value for given in listening.args)
            if type(event) is not p.Text or event.value != "error" or not self._is_same(self._root(callee.of), source):
                continue
            if self._outermost(listening) is around and self._leaves_alone(handler, home):
                line = self.module.source.line(handler.at[0])
                return "lost_on_error", handler.at, (
                    f"an error of `{self.text(source)}` goes to line {line}, and `pipe` leaves the stream open then")
        return None

    def _leaving(self, call: p.Call, feeding: p.Call, home: Home) -> tuple[str, tuple[int, int], str] | None:
        """How the callback in which it would flow is left before: ``if (response.statusCode !== 200) return reject()``.
        """
        callback = self.module.function(feeding)
        if callback is None or callback is self.module.function(call):
            return None
        below: Any = feeding
        for above in self.module.parents(feeding):
            if above is callback or type(above) is p.If:
                for arm in self._arms(above, below):
                    if self._leaves_alone_all(arm, home):
                        line = self.module.source.line(arm[-1].at[0])
                        return "lost", arm[-1].at, f"line {line} leaves before anything flows into it"
            if above is callback:
                break
            below = above
        return None

    def _arms(self, above: Any, below: Any) -> Iterator[tuple[p.Statement, ...]]:
        """The branches that are taken instead of what leads to ``below``, and leave."""
        if type(above) is p.If and any(below is s for s in above.then) and above.otherwise:
            yield above.otherwise
        blocks = (above.then, above.otherwise) if type(above) is p.If else (above.body,)
        for block in blocks:
            if any(below is s for s in block):
                for statement in block:
                    if statement is below:
                        break
                    if type(statement) is p.If and ends(self.module, statement.then):
                        yield statement.then

    def _leaves_alone_all(self, block: tuple[p.Statement, ...], home: Home) -> bool:
        """Whether nothing in ``block`` gets hold of the stream, or ends the program."""
        waiting: list[Any] = list(block)
        while waiting:
            here = waiting.pop()
            if type(here) is p.Raise or any(use.node is here for use in home.uses):
                return False
            if type(here) is p.Call and (self.patience.exits(here) or not self._leaves_alone(here.callee, home)):
                return False
            waiting.extend(p.children(here))
        return True

    def _leaves_alone(self, handler: Any, home: Home) -> bool:
        """Whether a function has nothing to do with the stream: it is written here and does not name it, or it comes
        from elsewhere, as what a promise is rejected with."""
        if type(handler) is p.Name:
            found = self.module.lookup(handler.id, handler)
            if len(found) != 1 or found[0].kind in ("param", "import"):
                return len(found) < 2
            handler = found[0].value
        if type(handler) is p.Function:
            return self._leaves_alone_all(handler.body, home)
        return type(handler) is p.Member

    def _outermost(self, thing: Any) -> Any:
        """The outermost function around ``thing``, or the method."""
        found = None
        for above in self.module.parents(thing):
            if type(above) is p.Function:
                found = above
            elif type(above) is p.Class:
                break
        return found
