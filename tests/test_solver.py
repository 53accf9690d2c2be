"""The solver on flows written by hand: every shape, every way out."""

from __future__ import annotations

import pytest

from connlint.checks.solver import solve
from connlint.model.flow import (
    HELD,
    Block,
    Choose,
    Do,
    Escape,
    Guard,
    Handler,
    Leave,
    Repeat,
    Step,
    Test,
)


def at(name: str) -> tuple[int, int]:
    """Every step gets a position of its own from its name, so that a table can speak of steps by name."""
    number = int.from_bytes(name.encode()[:6].ljust(6, b"\0"), "big")
    return (number, number + 1)


def do(name: str, *, raises: bool = True, **more: object) -> Do:
    return Do(Step("await", at(name)), raises, **more)  # type: ignore[arg-type]


def leave(kind: str, name: str = "", label: str | None = None) -> Leave:
    return Leave(kind, Step(kind, at(name or kind)), label)  # type: ignore[arg-type]


def choose(name: str, then: Block, otherwise: Block = ()) -> Choose:
    return Choose((then, otherwise), Test(((name, True),), True))


gain = do("gain", raises=False, effect="gain")
end = do("end", raises=False, effect="end")
drop = do("drop", raises=False, effect="drop")
work, more, cleanup = do("work"), do("more"), do("cleanup")
quiet = do("quiet", raises=False)
escape = Escape(Step("call", at("escape")))
ret, throw = leave("return"), leave("raise")
END = Step("end", at("zz-end"))

NAMES = {at(n): n for n in ("work", "more", "cleanup", "return", "raise", "gain", "drop", "zz-end", "quiet", "end")}


def lost(flow: Block) -> list[str]:
    """"lost: <exit>" and "error: <cause>" for every different way on which the handle is lost."""
    found = []
    for loss in solve(flow, END):
        word = f"lost: {NAMES[loss.exit.at]}" if loss.verdict == "lost" else f"error: {NAMES[loss.cause.at]}"  # type: ignore[union-attr]
        if word not in found:
            found.append(word)
    return found


CASES: dict[str, tuple[Block, list[str]]] = {
    # straight
    "released": ((gain, end), []),
    "never released": ((gain,), ["lost: zz-end"]),
    "nothing taken": ((work, ret), []),
    "a step between may raise": ((gain, work, end), ["error: work"]),
    "a step between may not raise": ((gain, quiet, end), []),
    "only the first step that raises is told": ((gain, work, more, end), ["error: work"]),
    "taking it may raise, and then it is not held": ((do("gain", effect="gain"), end), []),
    "giving it back may raise, and then it is given back": ((gain, do("end", effect="end")), []),
    "escapes": ((gain, escape, work), []),
    "raises before it escapes": ((gain, work, escape), ["error: work"]),
    "taken twice": ((gain, gain, end), ["lost: gain"]),
    "the variable is forgotten": ((gain, drop), ["lost: drop"]),
    "given back and forgotten": ((gain, end, drop), []),
    # leaving early
    "return before the release": ((gain, choose("x", (ret,)), end), ["lost: return"]),
    "release, then return": ((gain, choose("x", (end, ret)), end), []),
    "throw before the release": ((gain, choose("x", (throw,)), end), ["error: raise"]),
    "return before it is taken": ((choose("x", (ret,)), gain, end), []),
    # conditions
    "released in one arm": ((gain, choose("x", (end,))), ["lost: zz-end"]),
    "the same condition twice": ((choose("x", (gain,)), choose("x", (end,))), []),
    "the same condition twice, work between": ((choose("x", (gain,)), work, choose("x", (end,))), ["error: work"]),
    "the contrary condition": ((choose("x", (gain,)), Choose(((ret,), ()), Test((("x", False),), True)), end), []),
    "another condition": ((choose("x", (gain,)), choose("y", (end,))), ["lost: zz-end"]),
    "the condition was assigned between": (
        (choose("x", (gain,)), do("quiet", raises=False, forgets=("x",)), choose("x", (end,))), ["lost: zz-end"]),
    "a flag set beside it": (
        (do("quiet", raises=False, learns=(("f", False),)),
         choose("x", (gain, do("quiet", raises=False, forgets=("f",), learns=(("f", True),)))),
         choose("f", (end,))), []),
    "if it is held": ((choose("x", (gain,)), choose(HELD, (end,))), []),
    "if it is not held": ((gain, Choose(((ret,), ()), Test(((HELD, False),), True)), end), []),
    "held and something else": (
        (gain, Choose(((end,), ()), Test(((HELD, True), ("y", True)), True))), ["lost: zz-end"]),
    "a condition that is only partly known": (
        (choose("x", (gain,)), Choose(((end,), ()), Test((("x", True),), False))), ["lost: zz-end"]),
    "finally, if held and something else that is not known": (
        (gain, Guard((work,), always=(Choose(((end,), ()), Test(((HELD, True), ("y", True)), True, True)),))), []),
    "hope ends where it is known to fail": (
        (choose("y", (), (gain,)), Choose(((end,), ()), Test((("y", True),), True, hopeful=True))), ["lost: zz-end"]),
    "one of many arms": ((gain, Choose(((end,), (end,), ()))), ["lost: zz-end"]),
    "all arms": ((gain, Choose(((end,), (end, ret), (escape,)))), []),
    # try
    "finally": ((gain, Guard((work,), always=(end,))), []),
    "work before the try": ((gain, work, Guard((more,), always=(end,))), ["error: work"]),
    "taken inside, given back in finally": ((Guard((work, gain, work), always=(end,)),), []),
    "taken inside, given back after": ((Guard((gain, work)), end), ["error: work"]),
    "finally gives it back if held": ((Guard((gain, work), always=(choose(HELD, (end,)),)),), []),
    "a step of finally raises first": ((gain, Guard((quiet,), always=(cleanup, end))), ["error: cleanup"]),
    "finally after finally": ((gain, Guard((Guard((work,), always=(cleanup,)),), always=(end,))), []),
    "return inside finally hides the error": ((gain, Guard((work,), always=(end, ret))), []),
    "return inside finally keeps it": ((gain, Guard((work, end), always=(ret,))), ["error: work"]),
    "return inside try, finally": ((gain, Guard((work, ret), always=(end,))), []),
    "catch everything, then release": ((gain, Guard((work,), (Handler(()),)), end), []),
    "release inside try, catch goes on": ((gain, Guard((work, end), (Handler(()),))), ["error: work"]),
    "release in try and catch": ((gain, Guard((work, end), (Handler((end,)),))), []),
    "release in try, catch rethrows": ((gain, Guard((work, end), (Handler((throw,)),))), ["error: work"]),
    "catch releases and rethrows": ((gain, Guard((work,), (Handler((end, throw)),)), end), []),
    "the handler raises before it releases": ((gain, Guard((work,), (Handler((more, end)),)), end), ["error: more"]),
    "a handler that lets others pass": ((gain, Guard((work,), (Handler((), everything=False),)), end), ["error: work"]),
    "two handlers, the last takes all": (
        (gain, Guard((work,), (Handler((), everything=False), Handler(()))), end), []),
    "else of try": ((gain, Guard((work,), (Handler((end, throw)),), otherwise=(end,))), []),
    "else of try may raise": ((gain, Guard((work,), (Handler((end,)),), otherwise=(more, end))), ["error: more"]),
    # loops
    "taken and released in every round": ((Repeat((gain, end)),), []),
    "taken in every round": ((Repeat((gain,)), end), ["lost: gain"]),
    "released in a loop that may not run": ((gain, Repeat((end,))), ["lost: zz-end"]),
    "released in a loop that runs": ((gain, Repeat((end,), "some")), []),
    "endless, released at the break": ((gain, Repeat((choose("x", (end, leave("break"))),), "endless")), []),
    "endless, lost at the break": (
        (gain, Repeat((choose("x", (leave("break"),)), end, ret), "endless")), ["lost: zz-end"]),
    "endless without a way out": ((gain, Repeat((quiet,), "endless")), []),
    "endless, and a step raises": ((gain, Repeat((work,), "endless")), ["error: work"]),
    "continue skips the release": (
        (Repeat((gain, choose("x", (leave("continue"),)), end)),), ["lost: gain", "lost: zz-end"]),
    "break to an outer loop": (
        (gain, Repeat((Repeat((leave("break", label="outer"),), "endless"),), "endless", ("outer",)), end), []),
    "break to the inner loop only": (
        (gain, Repeat((Repeat((leave("break"),), "endless"), end, leave("break")), "endless")), []),
    "else of a loop": ((gain, Repeat((choose("x", (end, leave("break"))),), "any", otherwise=(end,))), []),
    "break through finally": ((Repeat((gain, Guard((leave("break"),), always=(end,))), "endless"),), []),
    "a labelled block": ((gain, Repeat((leave("break", label="b"), end), "once", ("b",), True)), ["lost: zz-end"]),
    "a break inside a labelled block means the loop": (
        (gain, Repeat((Repeat((leave("break"),), "once", ("b",), True), ret), "endless"), end), []),
    # functions run on the spot
    "return of an inner function is not ours": ((gain, Repeat((ret,), "once", swallows_returns=True), end), []),
    "throw of an inner function is ours": (
        (gain, Repeat((throw,), "once", swallows_returns=True), end), ["error: raise"]),
}


@pytest.mark.parametrize("name", CASES)
def test_losses(name: str) -> None:
    flow, expected = CASES[name]
    assert lost(flow) == expected


def test_the_evidence_of_an_error_is_the_step_that_raised_first() -> None:
    flow = (gain, Guard((work, end), (Handler((more, throw)),)))
    (loss, *_) = solve(flow, END)
    assert (loss.cause and NAMES[loss.cause.at]) == "work"


def test_too_many_ways_say_nothing() -> None:
    maze = tuple(choose(f"c{i}", (do("quiet", raises=False, learns=((f"k{i}", True),)),)) for i in range(12))
    assert solve((gain, *maze), END) == []
