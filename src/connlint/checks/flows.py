"""From a program to the flow of one function, as it matters for one handle.

Expressions are walked in order of evaluation. What each use of the handle means was decided before (`Plan`); here it is
put in its place among the calls, awaits and jumps around it.
"""

from __future__ import annotations

from typing import Any, Protocol

from connlint.checks.conditions import Conditions, Plan, truth
from connlint.checks.lifecycles import last_word
from connlint.model import program as p
from connlint.model.flow import (
    ASLEEP,
    HELD,
    Block,
    Choose,
    Do,
    Escape,
    Guard,
    Handler,
    Leave,
    Literal_,
    Repeat,
    Shape,
    Step,
    StepKind,
)
from connlint.project.module import Module

_CATCHES_ALL = ("Exception", "BaseException")
_TIMEOUTS = frozenset({"TimeoutError"})
_PROMISE_METHODS = ("then", "catch", "finally")


class Nerves(Protocol):
    """What is expected to raise."""

    def calm(self, step: p.Expression, *, wary: bool) -> bool:
        """Whether a call, an await or something awaited does not raise in practice."""

    def rounds(self, iterable: p.Expression) -> bool:
        """Whether the rounds of an async loop over ``iterable`` do not raise in practice."""

    def telling(self, step: p.Expression) -> bool:
        """Whether a call is of the kind that mostly fails where anything does."""

    def settles(self, value: p.Expression) -> bool:
        """Whether an awaited value never fails in practice."""

    def only_times_out(self, step: p.Expression) -> bool:
        """Whether all that goes wrong with an awaited step is that its time is up."""

    def closes(self, step: p.Expression) -> bool:
        """Whether a step cleans up itself."""

    def exits(self, step: p.Expression) -> bool:
        """Whether a call, or an exception that is raised, ends the program."""

    def suppresses(self, manager: p.Expression) -> bool:
        """Whether exceptions do not pass a context manager."""

    def waits(self, manager: p.Expression) -> bool:
        """Whether all that entering a context manager does is to wait."""


def lower(module: Module, body: tuple[p.Statement, ...], plan: Plan, nerves: Nerves, *, wary: bool) -> Block:
    """The flow of ``body``. Where one is ``wary``, a call that nobody knows may raise."""
    return _Lowering(module, plan, nerves, wary).block(body)


class _Lowering:
    def __init__(self, module: Module, plan: Plan, nerves: Nerves, wary: bool) -> None:
        self.module = module
        self.plan = plan
        self.nerves = nerves
        self.wary = wary
        self.depth = 0
        self.timed = 0
        """How many ``try`` statements around what is being lowered have a handler for what takes too long."""
        self.conditions = Conditions(module, plan)
        self.asleep: tuple[Literal_, ...] = ((ASLEEP, True),) if plan.wakes else ()

    def calm(self, step: p.Expression, *, awaited: bool = False) -> bool:
        """Whether a step does not raise in practice; each round of an async loop awaits what it goes through."""
        if self.timed > 0 and self.nerves.only_times_out(step):
            return True
        # what cleans up is not suspected of raising by itself
        if self.conditions.finishing > 0:
            return self.nerves.closes(step) or self.nerves.calm(step, wary=False)
        return self.nerves.calm(step, wary=self.wary or awaited)

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, statements: tuple[p.Statement, ...]) -> Block:
        out: list[Shape] = []
        for place, statement in enumerate(statements):
            if type(statement) is p.If and not statement.otherwise and self._guards(statement.test):
                then = self.block(statement.then)
                if then and type(then[-1]) is Leave:
                    # ``if handle is None or …: return``: what follows is the other branch
                    self.expression(statement.test, out)
                    out.append(self.conditions.choice(statement.test, then, self.block(statements[place + 1 :])))
                    return tuple(out)
            self.statement(statement, out)
        return tuple(out)

    def _guards(self, test: p.Expression) -> bool:
        """Whether a test holds where there is no handle, or for another reason."""
        return type(test) is p.Logical and test.op == "or" and (HELD, True) in self.conditions.literals(test, False)[0]

    def statement(self, it: p.Statement, out: list[Shape]) -> None:
        kind = type(it)
        lowering = _STATEMENTS.get(kind)
        if lowering is not None:
            lowering(self, it, out)
        elif kind is not p.Define:
            for child in p.children(it):
                if isinstance(child, p.Expression):
                    self.expression(child, out)

    def let(self, it: p.Let, out: list[Shape]) -> None:
        if it.value is None:
            return
        self.expression(it.value, out)
        self.defaults(it.target, out)
        self.bound(it, it.target, it.value, "", out)

    def bound(self, it: Any, target: p.Expression, value: p.Expression, op: str, out: list[Shape]) -> None:
        """What an assignment does beside evaluating its value."""
        if id(it) in self.plan.escapes:
            out.append(Escape(Step("assign", it.at)))
        effect = "drop" if id(it) in self.plan.drops and not op else None
        learns: tuple[Literal_, ...] = ()
        forgets = tuple(self.conditions.words(name) for name in targets(target))
        if type(target) is p.Name and not op and (known := truth(value)) is not None and self.conditions.steady(target):
            learns = ((target.id, known),)
        if effect or learns or forgets:
            out.append(Do(Step("assign", it.at), False, effect, learns, forgets))  # type: ignore[arg-type]

    def defaults(self, target: p.Expression, out: list[Shape]) -> None:
        """Defaults of a pattern may be evaluated."""
        for child in p.children(target):
            if type(target) is p.Default and child is target.value:
                part: list[Shape] = []
                self.expression(child, part)
                if part:
                    out.append(Choose((tuple(part), ())))
            elif type(child) is not p.Text:
                self.defaults(child, out)

    def if_(self, it: p.If, out: list[Shape]) -> None:
        self.expression(it.test, out)
        out.append(self.conditions.choice(it.test, self.block(it.then), self.block(it.otherwise)))

    def loop(self, it: p.Loop, out: list[Shape], labels: tuple[str, ...] = ()) -> None:
        head: list[Shape] = []
        tail: list[Shape] = []
        if it.update is not None:
            self.expression(it.update, tail)
        otherwise = self.block(it.otherwise)
        if it.iterable is not None:
            self.expression(it.iterable, out)
            if id(it) in self.plan.ends:
                out.append(Do(Step("call", it.iterable.at), False, "end"))
            if it.target is not None:
                self.bound(it, it.target, it.iterable, "in", head)
            if it.is_async:
                quiet = self.calm(it.iterable, awaited=True) and self.nerves.rounds(it.iterable)
                head.insert(0, Do(Step("await", it.iterable.at), not quiet))
            out.append(Repeat((*head, *self.block(it.body), *tail), "any", labels, otherwise=otherwise))
        elif is_for_ever(it.test):
            out.append(Repeat((*self.block(it.body), *tail), "endless", labels, otherwise=otherwise))
        elif it.checked_after:
            self.expression(it.test, tail)
            out.append(Repeat((*self.block(it.body), *tail), "some", labels, otherwise=otherwise))
        elif it.test is not None:
            # while (test) body: leave at the head where the test does not hold
            self.expression(it.test, head)
            done = (*otherwise, Leave("break", Step("break", it.test.at)))
            head.append(self.conditions.choice(it.test, (), done, lasting=False))
            out.append(Repeat((*head, *self.block(it.body), *tail), "endless", labels))

    def try_(self, it: p.Try, out: list[Shape]) -> None:
        python = self.module.program.language == "python"
        handlers = tuple(
            Handler(self.block(h.body), not python or catches(h.types, self.plan.catching))
            for h in it.handlers
        )
        timed = any(catches(h.types, _TIMEOUTS) for h in it.handlers)
        self.timed += timed
        body = self.block(it.body)
        self.timed -= timed
        otherwise = self.block(it.otherwise)
        if handlers and not self.wary and not _raises(body):
            # whoever catches expects something to be raised, though nothing is known to do so
            self.wary = True
            body = self.block(it.body)
            self.wary = False
            handlers = tuple(Handler(h.body) for h in handlers)
        self.conditions.finishing += 1
        out.append(Guard(body, handlers, otherwise, self.block(it.always)))
        self.conditions.finishing -= 1

    def with_(self, it: p.With, out: list[Shape]) -> None:
        handlers: tuple[Handler, ...] = ()
        for item in it.items:
            self.expression(item.value, out)
            if id(item) in self.plan.ends:
                out.append(Do(Step("call", item.at), False, "end"))
            elif it.is_async and not self.enters(item.value):
                # a client of its own is hardly more than made there: what is awaited in the block tells better
                made = type(item.value) is p.Call and (last_word(item.value.callee) or "")[:1].isupper()
                out.append(Do(Step("call" if made else "await", item.value.at, True), True))
            if self.nerves.suppresses(item.value):
                handlers = (Handler(()),)
        body = self.block(it.body)
        if handlers:
            out.append(Guard(body, handlers))
        else:
            out.extend(body)

    def enters(self, manager: p.Expression) -> bool:
        """Whether entering an asynchronous context manager does not raise in practice: it is awaited."""
        if self.nerves.waits(manager):
            return True
        awaited = type(manager) is p.Call and self.conditions.finishing == 0
        return self.nerves.settles(manager) if awaited else self.calm(manager)

    def switch(self, it: p.Switch, out: list[Shape]) -> None:
        self.expression(it.subject, out)
        bodies = [self.block(case.body) for case in it.cases]
        arms: list[Block] = []
        complete = False
        for place, case in enumerate(it.cases):
            complete = complete or (case.test is None and case.target is None)
            if it.falls_through:
                arm: list[Shape] = []
                for body in bodies[place:]:
                    arm.extend(body)
                    if body and isinstance(body[-1], Leave):
                        break
                arms.append(tuple(arm))
            else:
                arms.append(bodies[place])
        if not complete:
            arms.append(())
        choose = Choose(tuple(arms))
        out.append(Repeat((choose,), "once") if it.falls_through else choose)

    def return_(self, it: p.Return, out: list[Shape]) -> None:
        if it.value is not None:
            self.expression(it.value, out)
        if id(it) in self.plan.escapes:
            out.append(Escape(Step("return", it.at)))
        out.append(Leave("return", Step("return", it.at)))

    def raise_(self, it: p.Raise, out: list[Shape]) -> None:
        if it.value is not None:
            self.expression(it.value, out)
        if self.module.source.data.startswith(b"assert", it.at[0]):
            return  # an assertion says what always holds
        if it.value is not None and self.nerves.exits(it.value):
            out.append(Escape(Step("raise", it.at)))
        out.append(Leave("raise", Step("raise", it.at)))

    def break_(self, it: p.Break, out: list[Shape]) -> None:
        out.append(Leave("break", Step("break", it.at), it.label))

    def continue_(self, it: p.Continue, out: list[Shape]) -> None:
        out.append(Leave("continue", Step("continue", it.at), it.label))

    def braces(self, it: p.Block, out: list[Shape]) -> None:
        if it.label is None or it.label == "static":
            out.extend(self.block(it.body))
        elif len(it.body) == 1 and type(it.body[0]) is p.Loop:
            self.loop(it.body[0], out, (it.label,))
        else:
            out.append(Repeat(self.block(it.body), "once", (it.label,), named_only=True))

    # -- expressions ----------------------------------------------------------------------------------------------

    def expression(self, it: Any, out: list[Shape]) -> None:
        kind = type(it)
        lowering = _EXPRESSIONS.get(kind)
        if lowering is not None:
            lowering(self, it, out)
        elif kind is p.Function:
            if it.kind == "inline":
                out.append(Repeat(self.block(it.body), "any", named_only=True, swallows_returns=True))
        elif kind is not p.Class:
            for child in p.children(it):
                self.expression(child, out)
        if id(it) == self.plan.gain and kind not in (p.Call, p.Await):
            out.append(Do(Step("call", it.at), False, "gain", self.asleep))
        if id(it) in self.plan.wakes:
            out.append(Do(Step("call", it.at), False, None, (), (ASLEEP,)))

    def call(self, it: p.Call, out: list[Shape]) -> None:
        self.called(it, out, "call", it)

    def called(self, it: p.Call, out: list[Shape], kind: StepKind, whole: p.Expression) -> None:
        """A call; ``whole`` is the call or the await around it, whichever tells better what may raise."""
        chain = self.plan.chains.get(id(it))
        if chain is not None:
            self.promise(it, out, kind == "await")
            return
        self.expression(it.callee, out)
        for argument in it.args:
            self.expression(argument.value, out)
        if self.nerves.exits(it):
            out.append(Escape(Step("call", it.at)))
            return
        if id(it) in self.plan.escapes:
            out.append(Escape(Step("call", it.at)))
        function = self.plan.runs.get(id(it))
        if function is not None and self.depth < 4:
            self.depth += 1
            out.append(Repeat(self.block(function.body), "once", named_only=True, swallows_returns=True))
            self.depth -= 1
            if kind == "call":
                return
        if id(it) in self.plan.ends:
            out.append(Do(Step(kind, whole.at), False, "end"))
        elif id(whole) == self.plan.gain or id(it) == self.plan.gain:
            more = self.plan.gathered
            out.append(Do(Step(kind, whole.at), not more, "more" if more else "gain", self.asleep))
        elif id(it) not in self.plan.starts and (
                id(it) in self.plan.fails or not (self.calm(whole) or self.conditions.answers_again(it))):
            out.append(Do(Step(kind, whole.at, self.nerves.telling(it)), True))

    def await_(self, it: p.Await, out: list[Shape]) -> None:
        if id(it) in self.plan.ends:
            self.expression(it.value, out)
            out.append(Do(Step("await", it.at), True, "end"))
        elif type(it.value) is p.Call:
            self.called(it.value, out, "await", it)
        else:
            self.expression(it.value, out)
            if not self.calm(it):
                out.append(Do(Step("await", it.at), True))

    def promise(self, it: p.Call, out: list[Shape], awaited: bool) -> None:
        """``p.then(f, g)``, ``p.catch(g)``, ``p.finally(h)`` as the ``try`` that they mean."""
        part: list[Shape] = []
        self.link(it, part)
        above = self.module.parent(it)
        if awaited or type(above) in (p.Await, p.Return):
            out.extend(part)
        else:
            out.append(Guard(tuple(part), (Handler(()),)))

    def link(self, it: Any, out: list[Shape]) -> None:
        """One link of a chain of promise methods, and those before it."""
        if not _is_promise_method(it):
            self.expression(it, out)
            out.append(Do(Step("reject", it.at), not self.nerves.settles(it)))
            return
        before: list[Shape] = []
        self.link(it.callee.of, before)
        callbacks = self.plan.chains.get(id(it), {})

        def callback(place: int) -> Block:
            function = callbacks.get(place)
            if function is not None:
                return (Repeat(self.block(function.body), "once", named_only=True, swallows_returns=True),)
            return ()

        name, count = it.callee.name, len(it.args)
        if name == "finally":
            out.append(Guard(tuple(before), always=callback(0)))
        elif name == "catch":
            handled = bool(count) and not (callbacks.get(0) is None and throws_again(it.args[0].value))
            out.append(Guard(tuple(before), (Handler(callback(0)),) if handled else ()))
        else:
            then = callback(0)
            if not then and count and type(it.args[0].value) is not p.Constant:
                then = (Do(Step("reject", it.at), True),)
            out.append(Guard(tuple(before), (Handler(callback(1)),) if count > 1 else (), then))

    def yield_(self, it: p.Yield, out: list[Shape]) -> None:
        if it.value is not None:
            self.expression(it.value, out)
        if id(it) in self.plan.escapes:
            out.append(Escape(Step("yield", it.at)))
        elif self.plan.lent:
            out.append(Do(Step("yield", it.at), True))
        elif id(it) in self.plan.streams:
            out.append(Do(Step("stop", it.at), True))

    def assign(self, it: p.Assign, out: list[Shape]) -> None:
        if it.op in ("or", "and", "nullish"):
            part: list[Shape] = []
            self.expression(it.value, part)
            self.bound(it, it.target, it.value, it.op, part)
            out.append(Choose((tuple(part), ())))
            return
        if type(it.target) in (p.Member, p.Index):
            for child in p.children(it.target):
                self.expression(child, out)
        self.expression(it.value, out)
        self.bound(it, it.target, it.value, it.op, out)

    def logical(self, it: p.Logical, out: list[Shape]) -> None:
        self.expression(it.left, out)
        right: list[Shape] = []
        self.expression(it.right, right)
        if not right:
            return
        if it.op == "and":
            out.append(self.conditions.choice(it.left, tuple(right), ()))
        elif it.op == "or":
            out.append(self.conditions.choice(it.left, (), tuple(right)))
        else:
            out.append(Choose((tuple(right), ())))

    def conditional(self, it: p.Conditional, out: list[Shape]) -> None:
        self.expression(it.test, out)
        arms: list[Block] = []
        for value in (it.then, it.otherwise):
            part: list[Shape] = []
            self.expression(value, part)
            arms.append(tuple(part))
        if arms[0] or arms[1]:
            out.append(self.conditions.choice(it.test, arms[0], arms[1]))


def _raises(block: Block) -> bool:
    """Whether a step of a flow ends in an exception that leaves it, as far as that is known."""
    for shape in block:
        if type(shape) is Do and shape.raises:
            return True
        if type(shape) is Leave and shape.kind == "raise":
            return True
        if type(shape) is Choose and any(_raises(arm) for arm in shape.arms):
            return True
        if type(shape) is Repeat and (_raises(shape.body) or _raises(shape.otherwise)):
            return True
        if type(shape) is Guard:
            inner = [shape.otherwise, shape.always, *(h.body for h in shape.handlers)]
            if any(map(_raises, inner)) or (_raises(shape.body) and not any(h.everything for h in shape.handlers)):
                return True
    return False


def targets(target: Any) -> list[Any]:
    """The names and attributes that a pattern assigns."""
    kind = type(target)
    if kind in (p.Name, p.Member):
        return [target]
    if kind is p.Default:
        return targets(target.target)
    if kind is p.Spread:
        return targets(target.value)
    if kind is p.Sequence:
        return [name for item in target.items for name in targets(item)]
    if kind is p.Record:
        return [name for entry in target.entries for name in targets(entry.value)]
    return []


def is_for_ever(test: p.Expression | None) -> bool:
    """Whether a loop's test always holds: none at all, ``true``, ``1``."""
    if test is None:
        return True
    if type(test) is p.Number:
        return bool(test.value)
    return type(test) is p.Constant and test.value == "true"


def throws_again(callback: Any) -> bool:
    """Whether a function that is handed an error throws in any case."""
    return type(callback) is p.Function and any(type(it) is p.Raise for it in callback.body)


def _is_promise_method(it: Any) -> bool:
    return type(it) is p.Call and type(it.callee) is p.Member and it.callee.name in _PROMISE_METHODS


def catches(types: p.Expression | None, known: frozenset[str] = frozenset()) -> bool:
    """Whether a handler of ``types`` lets nothing pass, as far as that matters: everything, or what is ``known``."""
    if types is None:
        return True
    if type(types) is p.Sequence:
        return any(catches(item, known) for item in types.items)
    name = types.id if type(types) is p.Name else types.name if type(types) is p.Member else None
    return name in _CATCHES_ALL or name in known


_STATEMENTS: dict[type, Any] = {
    p.Let: _Lowering.let, p.If: _Lowering.if_, p.Loop: _Lowering.loop, p.Try: _Lowering.try_, p.With: _Lowering.with_,
    p.Switch: _Lowering.switch, p.Return: _Lowering.return_, p.Raise: _Lowering.raise_, p.Break: _Lowering.break_,
    p.Continue: _Lowering.continue_, p.Block: _Lowering.braces,
}
_EXPRESSIONS: dict[type, Any] = {
    p.Call: _Lowering.call, p.Await: _Lowering.await_, p.Yield: _Lowering.yield_, p.Assign: _Lowering.assign,
    p.Logical: _Lowering.logical, p.Conditional: _Lowering.conditional,
}
