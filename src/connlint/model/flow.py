"""What one function does with one handle: six shapes, and nothing of the language it was written in.

A handle is something that must be given back: a timer, a task, a checked-out connection, an open file. A flow is made
for one handle of one function, so its steps say what they mean for that handle. Whatever is not said is taken to have
nothing to do with it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from connlint.model.source import Span

StepKind = Literal["call", "await", "yield", "stop", "raise", "return", "break", "continue", "assign", "reject", "end"]
ExitKind = Literal["return", "raise", "break", "continue"]
Literal_ = tuple[str, bool]
"""A condition in its own words, and whether it holds."""

HELD = "\0held"
"""The condition "the variable still holds the handle": `if (id)`, `id !== null`, `if task and not task.done()`."""

ASLEEP = "\0asleep"
"""The condition "the handle has not been used yet, and holds nothing before": then nothing is lost with it."""


class Step(Struct, frozen=True):
    """A place in the source and what happens there; ``at`` covers the expression or statement.

    ``telling``: where anything fails, it is mostly a step like this one.
    """

    kind: StepKind
    at: Span
    telling: bool = False


class Do(Struct, frozen=True):
    """Something is evaluated. If it ``raises``, it may also end in an exception, before it takes effect.

    ``effect``: "gain" takes the handle, "more" takes another beside those that are held, "end" gives it back,
    "drop" forgets the variable that holds it. ``learns`` are conditions that hold from here on, ``forgets``
    names whose conditions hold no longer.
    """

    step: Step
    raises: bool = False
    effect: Literal["gain", "more", "end", "drop"] | None = None
    learns: tuple[Literal_, ...] = ()
    forgets: tuple[str, ...] = ()


class Escape(Struct, frozen=True):
    """Somebody else owns the handle from here on. Stands before the call that receives it: that one may raise."""

    step: Step


class Leave(Struct, frozen=True):
    """``label`` names the loop or block that a break or continue means; None is the innermost loop."""

    kind: ExitKind
    step: Step
    label: str | None = None


class Test(Struct, frozen=True):
    """A condition as literals that must all hold. ``exact`` says that they are the whole of it.

    ``hopeful``: while the handle is held, what is not known to fail is taken to hold. So it is where the condition is
    there to give the handle back: ``finally: if (client && !client.released) client.release()``.
    """

    literals: tuple[Literal_, ...] = ()
    exact: bool = False
    hopeful: bool = False
    __test__ = False  # not a test case, whatever pytest thinks


class Choose(Struct, frozen=True):
    """One of ``arms`` is taken. With a ``test`` there are two: the first where it holds, the second where not."""

    arms: tuple[Block, ...]
    test: Test | None = None


class Repeat(Struct, frozen=True):
    """A loop, or (``rounds`` "once") a block that can be broken out of, but not continued: a ``switch``, a label.

    ``rounds``: "any" number, "some" (at least one), "endless" (left by a jump only), "once". ``labels`` are its names;
    an unlabelled break or continue means it unless ``named_only``. ``otherwise`` runs where no break left the loop.
    ``swallows_returns`` makes it the body of a function that is run on the spot.
    """

    body: Block
    rounds: Literal["any", "some", "endless", "once"] = "any"
    labels: tuple[str, ...] = ()
    named_only: bool = False
    otherwise: Block = ()
    swallows_returns: bool = False


class Handler(Struct, frozen=True):
    """``everything`` says that no exception passes it by."""

    body: Block
    everything: bool = True


class Guard(Struct, frozen=True):
    """``try``: ``handlers`` for exceptions of ``body``, ``otherwise`` after it, ``always`` on every way out."""

    body: Block
    handlers: tuple[Handler, ...] = ()
    otherwise: Block = ()
    always: Block = ()


Shape = Do | Escape | Leave | Choose | Repeat | Guard
Block = tuple[Shape, ...]


class Loss(Struct, frozen=True):
    """A way on which the handle is still held when nobody can give it back any more.

    ``lost`` is a normal way out, ``lost_on_error`` one that only an exception takes. ``cause`` is the step that raises
    (None on a normal way), ``exit`` the step that leaves the function or forgets the variable. ``again`` says that a
    handler had another exception when the cause raised.
    """

    verdict: Literal["lost", "lost_on_error"]
    exit: Step
    cause: Step | None = None
    facts: tuple[Literal_, ...] = ()
    again: bool = False
