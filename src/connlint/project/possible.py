"""What evaluation answers with: values that an expression may have, and the reads of the environment in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.model import program as p
from connlint.project.address import HOLE
from connlint.project.conditions import Condition
from connlint.project.module import Module


class Site(Struct, frozen=True, eq=False):
    """A node and the module in which it stands."""

    module: Module
    node: Any


class Read(Struct, frozen=True, eq=False):
    """A read of the environment. ``variables`` are names in order of preference, with `HOLE` for unknown parts.

    ``site`` is the read, or, where a function of the project reads what its caller names, the caller's call.
    ``absent`` tells what a missing variable does without a default, as in `Access`.
    """

    variables: tuple[str, ...]
    site: Site
    absent: str
    form: str
    named_by_argument: bool = False


class Possible(Struct, frozen=True, eq=False):
    """One value that an expression may have.

    ``text`` is None for what is no text at all (``nothing`` tells null and undefined from objects). ``reads`` are in
    the value; ``absent`` gave nothing, so that this value is taken; ``joint`` is where that was decided: the fallback.
    ``origin`` is the literal. ``conditions`` held on the way. ``from_argument`` is set inside of functions only.
    """

    text: str | None = HOLE
    nothing: bool = False
    reads: tuple[Read, ...] = ()
    absent: tuple[Read, ...] = ()
    joint: Site | None = None
    origin: Site | None = None
    conditions: tuple[Condition, ...] = ()
    from_argument: bool = False

    @property
    def falsy(self) -> bool:
        """Whether ``or`` passes it over."""
        return self.nothing or self.text == ""


UNKNOWN = Possible()


class Frame(Struct, eq=False):
    """The call that is being evaluated: what its parameters are bound to."""

    function: p.Function
    bound: dict[tuple[int, str], list[Possible]]
    known: dict[Any, Any] = field(default_factory=dict)
    """Answers that hold for this call alone, as `Values.kept` has them."""


def joined(q: Possible, absent: tuple[Read, ...], joint: Site, held: tuple[Condition, ...]) -> Possible:
    """``q`` as it is where the reads ``absent`` gave nothing, under the conditions ``held``; ``joint`` decided it."""
    if not absent and not held:
        return q
    return replace(q, absent=merged((absent, q.absent)), conditions=(*q.conditions, *held),
                   joint=q.joint or (joint if absent else None))


def merged(groups: Iterable[tuple[Read, ...]]) -> tuple[Read, ...]:
    """All reads of the groups once, by where they stand."""
    found: dict[tuple[int, tuple[str, ...]], Read] = {}
    for group in groups:
        for read in group:
            found.setdefault((id(read.site.node), read.variables), read)
    return tuple(found.values())
