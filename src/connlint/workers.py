"""Where the tasks of one run are done: in this process, in forked ones, or by any executor that the caller brings.

Every process that works on a run holds a `Session`. Forked processes are born with it. Whoever else gets a task gets a
`Ticket` with it, from which the session is built once, in each thread, and kept for the tasks that follow.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from connlint.session import Session

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from connlint.witness import Witness

R = TypeVar("R")
FILES_PER_WORKER = 120
"""Below this many files a second process costs more than it saves."""
_RECURSION = 6000


class Ticket(Struct, frozen=True):
    """All that a session is made from; ``key`` tells two of them apart."""

    key: bytes
    recipe: bytes

    @classmethod
    def of(cls, session: Session) -> Ticket:
        """The ticket from which another process builds a session like ``session``."""
        # a hook on one file has no tickets to give, and would wait for this import
        import pickle
        import zlib

        parts = (session.tree.base, session.rules, session.config, session.options, session.reported)
        recipe = zlib.compress(pickle.dumps(parts, pickle.HIGHEST_PROTOCOL), 1)
        return cls(blake2b(recipe, digest_size=16).digest() + os.urandom(8), recipe)

    def session(self) -> Session:
        """The session of this thread for this ticket, built at the first call; the one before it is let go."""
        if getattr(_held, "key", None) != self.key:
            import pickle
            import zlib

            _held.session = Session(*pickle.loads(zlib.decompress(self.recipe)))
            _held.key = self.key
        return _held.session


_held = threading.local()
_born_with: Session | None = None


def _be_born(origin: Session | Ticket) -> None:
    """Start a worker process: the collector stays off since parsing makes millions of small objects."""
    global _born_with  # noqa: PLW0603 - a forked worker has nothing else to find it by
    _born_with = origin if isinstance(origin, Session) else origin.session()
    gc.disable()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))


def _do(ticket: Ticket | None, task: Callable[[Session, Any], R], item: Any) -> tuple[R, Witness | None]:
    """One task, where there may be others beside it; its result, and what it asked of the tree."""
    with ExitStack() as held:
        if ticket is None:
            assert _born_with is not None
            session = _born_with
        else:
            held.enter_context(collector_off())
            session = ticket.session()
        witness: Witness | None = getattr(session.tree.base, "witness", None)
        before = witness.copy() if witness is not None else None
        result = task(session, item)
        return result, witness.since(before) if witness is not None and before is not None else None


class Workers:
    """The workers of one run; a context that ends those that it has started itself."""

    def __init__(self, session: Session, executor: Executor | None, files: int) -> None:
        self.session = session
        self._ticket = Ticket.of(session) if executor is not None else None
        self._executor = executor
        self._jobs = _jobs(session.options.jobs, files)
        self._held = ExitStack()

    def __enter__(self) -> Workers:
        if self._executor is None:
            self._held.enter_context(collector_off())
            if self._jobs > 1:
                self._executor = self._held.enter_context(_pool(self.session, self._jobs))
        return self

    def __exit__(self, *_error: object) -> None:
        self._held.close()

    def map(self, task: Callable[[Session, Any], R], items: Iterable[Any]) -> Iterator[R]:
        """What ``task`` makes of every one of ``items``, in their order; all of them are handed out at once.

        ``task`` is a function at the top of a module, called with a session and an item.
        """
        if self._executor is None:
            return map(partial(task, self.session), items)
        return self._heard(self._executor.map(partial(_do, self._ticket, task), items))

    def _heard(self, rows: Iterable[tuple[R, Witness | None]]) -> Iterator[R]:
        for result, told in rows:
            if told is not None:
                self.session.tree.base.witness.take(told)  # type: ignore[attr-defined]
            yield result


def _jobs(wanted: int, files: int) -> int:
    """How many processes to use for ``files``; a program with threads gets others only if it wants them."""
    jobs = wanted or (min(os.cpu_count() or 1, 8) if threading.active_count() == 1 else 1)
    return min(jobs, max(1, files // FILES_PER_WORKER + (files % FILES_PER_WORKER > 40)))


def _pool(session: Session, jobs: int) -> AbstractContextManager[Executor]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # what other threads hold at that moment would stay held in a forked process
    if "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin" and threading.active_count() == 1:
        session.load()
        return ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _be_born, (session,))
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _be_born, (Ticket.of(session),))


_lock = threading.Lock()
_depth = 0
_before: tuple[bool, int] = (True, 0)


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the collector of circles off, and the limit of recursion high, until the last who asked has finished.

    Afterwards both are as they were.
    """
    global _depth, _before  # noqa: PLW0603 - both are one for the whole process, like what they stand for
    with _lock:
        if _depth == 0:
            _before = gc.isenabled(), sys.getrecursionlimit()
            gc.disable()
            sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                gc.unfreeze()
                if _before[0]:
                    gc.enable()
                with suppress(RecursionError):
                    sys.setrecursionlimit(_before[1])
