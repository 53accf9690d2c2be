"""Follows a handle through a flow: on which ways out of the function is it still held?

One structural recursion: a block maps the states in which it is entered to the states in which it is left, by kind of
exit. A state is whether the handle is held, and which conditions are known to hold; what comes with it is the
evidence, the first way that led there. Where a function has more states than can be kept, nothing is said about it.
"""

from __future__ import annotations

from msgspec import Struct

from connlint.model.flow import (
    ASLEEP,
    HELD,
    Block,
    Choose,
    Do,
    Escape,
    ExitKind,
    Guard,
    Leave,
    Literal_,
    Loss,
    Repeat,
    Shape,
    Step,
    Test,
)

_MOST_STATES = 128
_MOST_FACTS = 12


class _State(Struct, frozen=True):
    held: bool = False
    facts: frozenset[Literal_] = frozenset()


class _Trail(Struct, frozen=True):
    """How a state was reached since the handle was taken: the step that raised, and the step that left.

    ``caught`` says that a handler has that exception, ``again`` that it raised another one, which is then told of.
    """

    raised: Step | None = None
    left: Step | None = None
    caught: bool = False
    again: bool = False


_States = dict[_State, _Trail]
_Exit = tuple[str, str | None]
_Exits = dict[_Exit, _States]
_NEXT: _Exit = ("next", None)


class _TooMany(Exception):
    pass


def solve(flow: Block, end: Step) -> list[Loss]:
    """All losses in ``flow``, normal ways first, then in order of position; ``end`` is where the function ends.

    Empty where the handle is given back on every way, and where the function has too many ways to be followed.
    """
    solver = _Solver(end)
    try:
        exits = solver.block(flow, {_State(): _Trail()})
    except _TooMany:
        return []
    for (kind, _), states in exits.items():
        for state, trail in states.items():
            if state.held:
                solver.lose(state, trail, trail.left or (trail.raised if kind == "raise" else None) or end)
    return sorted(set(solver.losses), key=lambda loss: (loss.verdict != "lost", _order(loss)))


def _order(loss: Loss) -> tuple[bool, int, int, int]:
    step = loss.cause or loss.exit
    return (loss.again, _doubt(step) if loss.cause is not None else 0, *step.at)


def _doubt(step: Step) -> int:
    """How much a reader doubts that a step raises: it waits for somebody else, mostly does so, or may."""
    return 1 if step.kind in ("await", "reject", "raise") else 2 if step.telling else 3


class _Solver:
    def __init__(self, end: Step) -> None:
        self.end = end
        self.losses: list[Loss] = []

    def lose(self, state: _State, trail: _Trail, exit: Step) -> None:
        if (ASLEEP, True) in state.facts:
            return
        verdict = "lost" if trail.raised is None else "lost_on_error"
        facts = tuple(sorted(state.facts))
        self.losses.append(Loss(verdict, exit, trail.raised, facts, trail.again))  # type: ignore[arg-type]

    def block(self, block: Block, states: _States) -> _Exits:
        exits: _Exits = {}
        for shape in block:
            if not states:
                break
            found = self.shape(shape, states)
            states = found.pop(_NEXT, {})
            for kind, left in found.items():
                _add(exits, kind, left)
        _add(exits, _NEXT, states)
        return exits

    def shape(self, shape: Shape, states: _States) -> _Exits:
        kind = type(shape)
        if kind is Do:
            return self.do(shape, states)  # type: ignore[arg-type]
        if kind is Escape:
            return {_NEXT: _merged((_State(False, s.facts), t) for s, t in states.items())}
        if kind is Leave:
            return self.leave(shape, states)  # type: ignore[arg-type]
        if kind is Choose:
            return self.choose(shape, states)  # type: ignore[arg-type]
        if kind is Repeat:
            return self.repeat(shape, states)  # type: ignore[arg-type]
        return self.guard(shape, states)  # type: ignore[arg-type]

    def do(self, do: Do, states: _States) -> _Exits:
        exits: _Exits = {}
        after: _States = {}
        for state, trail in states.items():
            if do.raises:
                held = state.held and do.effect != "end"
                raised = trail
                if trail.raised is None or trail.caught:
                    raised = _Trail(do.step, again=trail.caught)
                _put(exits.setdefault(("raise", None), {}), _State(held, state.facts), raised)
            facts = _learn(state.facts, do.learns, do.forgets) if do.learns or do.forgets else state.facts
            held = state.held
            if do.effect is not None:
                if held and do.effect not in ("end", "more"):
                    self.lose(state, trail, do.step)
                if do.effect == "gain" or (do.effect == "more" and not held):
                    trail = _Trail()
                held = do.effect in ("gain", "more")
            _put(after, _State(held, facts), trail)
        exits[_NEXT] = after
        return exits

    def leave(self, leave: Leave, states: _States) -> _Exits:
        found: _States = {}
        for state, trail in states.items():
            if leave.kind == "raise":
                trail = trail if trail.raised else _Trail(leave.step, None)
            elif leave.kind == "return":
                trail = _Trail(trail.raised, leave.step, trail.caught)
            _put(found, state, trail)
        return {(leave.kind, leave.label): found}

    def choose(self, choose: Choose, states: _States) -> _Exits:
        exits: _Exits = {}
        for place, arm in enumerate(choose.arms):
            entering = states if choose.test is None else _assume(states, choose.test, place == 0)
            if entering:
                _join(exits, self.block(arm, entering))
        return exits

    def repeat(self, repeat: Repeat, states: _States) -> _Exits:
        exits: _Exits = {}
        seen: _States = {}
        head = dict(states)
        finished: _States = dict(states) if repeat.rounds == "any" else {}
        entering = head
        while entering:
            found = self.block(repeat.body, entering)
            again: _States = {}
            for (kind, label), left in found.items():
                ours = (label is None and not repeat.named_only) or label in repeat.labels
                again_ = kind == "continue" and ours and repeat.rounds != "once"
                if kind == "next" or again_ or (kind == "return" and repeat.swallows_returns):
                    for state, trail in left.items():
                        _put(again, state, trail)
                elif kind == "break" and ours:
                    _add(exits, _NEXT, left)
                else:
                    _add(exits, (kind, label), left)
            if repeat.rounds != "endless":
                for state, trail in again.items():
                    _put(finished, state, trail)
            if repeat.rounds == "once":
                break
            seen.update(entering)
            entering = {state: trail for state, trail in again.items() if state not in seen}
            if len(seen) > _MOST_STATES:
                raise _TooMany
        if finished:
            if repeat.otherwise:
                _join(exits, self.block(repeat.otherwise, finished))
            else:
                _add(exits, _NEXT, finished)
        return exits

    def guard(self, guard: Guard, states: _States) -> _Exits:
        exits = self.block(guard.body, states)
        raised = exits.pop(("raise", None), {})
        if guard.otherwise and (states := exits.pop(_NEXT, {})):
            _join(exits, self.block(guard.otherwise, states))
        passing = raised
        for handler in guard.handlers:
            if raised:
                _join(exits, self.block(handler.body, _caught(raised, True)))
            if handler.everything:
                passing = {}
                break
        if passing:
            _add(exits, ("raise", None), passing)
        if not guard.always:
            return exits
        finally_: _Exits = {}
        for kind, left in exits.items():
            raising = kind[0] == "raise"
            found = self.block(guard.always, _caught(left, True) if raising else left)
            through = found.pop(_NEXT, {})
            _add(finally_, kind, _caught(through, False) if raising else through)
            _join(finally_, found)
        return finally_


def _put(states: _States, state: _State, trail: _Trail) -> None:
    """Keep the better evidence of the two: a normal way before an exceptional one, what mostly raises before what
    hardly does, the first exception before one of its handler."""
    old = states.get(state)
    if old is None:
        if len(states) >= _MOST_STATES:
            raise _TooMany
        states[state] = trail
    elif _worth(trail) < _worth(old):
        states[state] = trail


def _worth(trail: _Trail) -> int:
    if trail.raised is None:
        return 0
    return _doubt(trail.raised) + 3 * trail.again


def _caught(states: _States, caught: bool) -> _States:
    """The states with or without the mark that their exception is in somebody's hands."""
    return {state: _Trail(trail.raised, trail.left, caught, trail.again) for state, trail in states.items()}


def _merged(pairs) -> _States:  # type: ignore[no-untyped-def]
    found: _States = {}
    for state, trail in pairs:
        _put(found, state, trail)
    return found


def _add(exits: _Exits, kind: _Exit, states: _States) -> None:
    if states:
        into = exits.setdefault(kind, {})
        for state, trail in states.items():
            _put(into, state, trail)


def _join(exits: _Exits, more: _Exits) -> None:
    for kind, states in more.items():
        _add(exits, kind, states)


def _learn(facts: frozenset[Literal_], learns: tuple[Literal_, ...], forgets: tuple[str, ...]) -> frozenset[Literal_]:
    kept = {f for f in facts if not any(mentions(f[0], name) for name in forgets)}
    return frozenset(kept | set(learns))


def mentions(condition: str, name: str) -> bool:
    """Whether the words of ``condition`` hold the identifier (or dotted path) ``name``."""
    at = condition.find(name)
    while at >= 0:
        before, after = condition[at - 1 : at], condition[at + len(name) : at + len(name) + 1]
        if not (before.isalnum() or before in ("_", "$", ".")) and not (after.isalnum() or after in ("_", "$")):
            return True
        at = condition.find(name, at + 1)
    return False


def _assume(states: _States, test: Test, holds: bool) -> _States:
    found: _States = {}
    for state, trail in states.items():
        unknown = []
        contradicted = False
        for literal in test.literals:
            known = _known(state, literal)
            if known is None:
                unknown.append(literal)
            elif not known:
                contradicted = True
        if holds:
            if contradicted:
                continue
            facts = _with(state.facts, unknown)
        else:
            if not contradicted and ((test.exact and not unknown) or (test.hopeful and state.held)):
                continue
            facts = state.facts
            if test.exact and not contradicted and len(unknown) == 1:
                name, value = unknown[0]
                facts = _with(facts, [(name, not value)])
        _put(found, _State(state.held, facts), trail)
    return found


def _known(state: _State, literal: Literal_) -> bool | None:
    name, value = literal
    if name == HELD:
        return value if state.held else None
    if (name, value) in state.facts:
        return True
    if (name, not value) in state.facts:
        return False
    return None


def _with(facts: frozenset[Literal_], more: list[Literal_]) -> frozenset[Literal_]:
    new = [f for f in more if f[0] != HELD]
    if not new or len(facts) >= _MOST_FACTS:
        return facts
    return facts | frozenset(new)


__all__ = ["ExitKind", "mentions", "solve"]
