"""Letting go of circles, while the collector that looks for them is off because parsing makes millions of objects.

Most of what a run lets go of is freed at once, since nothing leads back to it. The rest is looked for now and then,
among what has been made since the last time. What is still there then is there to stay, and is looked at again only
when there is twice as much of it.
"""

from __future__ import annotations

import gc

from msgspec import Struct

FEW = 100_000
"""Objects that have come to be since the last sweep, and are still there, below which nobody looks for circles."""


class Sweeper(Struct):
    """Sweeps one project; ``kept`` is the number of objects that were there to stay when all of them were looked at."""

    kept: int = 0

    def sweep(self) -> None:
        """Free the circles among new objects, where there are enough of these, and set what is left aside."""
        if gc.get_count()[0] < FEW:
            return
        gc.collect()
        gc.freeze()
        count = gc.get_freeze_count()
        if count > 2 * self.kept > 0:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            count = gc.get_freeze_count()
        elif self.kept:
            return
        self.kept = count
