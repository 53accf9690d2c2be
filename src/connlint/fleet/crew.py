"""Who visits the repositories: threads here, each with a process of its own, or the workers of a Dask scheduler."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from connlint.fleet.listed import Repository
from connlint.fleet.visit import Plan, Visit, ended_early, visit

Crew = Callable[[list[Repository], Plan], Iterator[Visit]]
"""Gives the visits of repositories in the order in which they end; one for each, whatever happens to the workers."""


_ADDRESS = re.compile(r"(?:\w+://)?\S+:\d+\Z")


class NoCrew(Exception):
    """Nobody is there to do the work; the message says why."""


@contextmanager
def local(jobs: int = 0) -> Iterator[Crew]:
    """Visit ``jobs`` repositories at a time on this machine; 0 is one a core."""
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1, "visit") as threads, ended_early():
        yield lambda repositories, plan: _visits(threads, repositories, plan)


def _visits(executor: Executor, repositories: list[Repository], plan: Plan) -> Iterator[Visit]:
    waiting = {executor.submit(visit, repository, plan): repository for repository in repositories}
    try:
        for future in as_completed(waiting):
            yield future.result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def dask(address: str, patience: float = 30.0) -> Iterator[Crew]:
    """Have the workers of the scheduler at ``address`` do it; they need this connlint, and must see the folders.

    A scheduler, and its first worker, are waited for ``patience`` seconds. Raises `NoCrew`.
    """
    if _ADDRESS.match(address) is None:
        raise NoCrew(f"{address!r} is no address of a scheduler; one looks like tcp://host:8786")
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise NoCrew(f"a scheduler needs {error.name}: pip install 'connlint[fleet]'") from None
    try:
        client = Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = (str(error).splitlines() or ["it is silent"])[0]
        raise NoCrew(f"no scheduler at {address}: {reason}") from None
    try:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            raise NoCrew(f"the scheduler at {address} has no workers") from None
        yield lambda repositories, plan: _submitted(client, repositories, plan)
    finally:
        client.close()


def _submitted(client: Any, repositories: list[Repository], plan: Plan) -> Iterator[Visit]:
    """The visits that workers make. Dask hands the work of a lost worker to another, three times by itself."""
    from distributed import as_completed as in_order

    waiting = {client.submit(visit, repository, plan, pure=False, retries=plan.tries - 1): repository
               for repository in repositories}
    left = {future.key: repository for future, repository in waiting.items()}
    try:
        for future in in_order(list(waiting), loop=client.loop):
            repository = left.pop(future.key)
            try:
                yield future.result()
            except (Exception, CancelledError) as error:
                yield Visit(repository, failure=_lost(error))
            future.release()
    except GeneratorExit:
        raise
    except Exception as error:
        # the scheduler itself has gone: what is left has nobody to do it
        for repository in left.values():
            yield Visit(repository, failure=_lost(error))


def _lost(error: BaseException) -> str:
    name = type(error).__name__
    if name == "KilledWorker":
        return "every worker that took it was lost"
    if name in ("CancelledError", "FutureCancelledError", "CommClosedError"):
        return "the scheduler was lost"
    return f"{name}: {error}".splitlines()[0]
