"""What the text of a file shows of its functions, before anybody parses it in full."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from msgspec import Struct


class Region(Struct, frozen=True):
    """The body of a function that does not run where it stands, from byte ``start`` to ``end``.

    ``names`` are those by which somebody may call it: its own, the variable or key it is given to, the class whose
    constructor it is. ``owner`` is the class whose method it is. ``inner`` functions are called in their own file only;
    a ``default`` one is, or may be, what the file exports, and importers name it as they like. A
    ``getter`` runs where its name is read.
    """

    start: int
    end: int
    names: tuple[str, ...]
    owner: str = ""
    inner: bool = False
    default: bool = False
    getter: bool = False


def outside(regions: Iterable[Region]) -> Callable[[int], bool]:
    """Tells of a byte whether it stands in none of ``regions``."""
    starts: list[int] = []
    ends: list[int] = []
    for region in sorted(regions, key=lambda r: r.start):
        if ends and region.start <= ends[-1]:
            ends[-1] = max(ends[-1], region.end)
        else:
            starts.append(region.start)
            ends.append(region.end)

    def test(at: int) -> bool:
        place = bisect_right(starts, at) - 1
        return place < 0 or at >= ends[place]

    return test
