"""One repository is fetched, if need be, and scanned; whatever happens there ends here.

The scan is a process of its own: what crashes, eats all memory or does not end takes nothing else with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from connlint import __version__
from connlint.fleet.listed import Repository
from connlint.model.finding import LEVELS


class Plan(Struct, frozen=True):
    """How every repository is visited. ``arguments`` are those of ``connlint check``; ``timeout`` counts seconds."""

    arguments: tuple[str, ...] = ()
    timeout: float = 600.0
    tries: int = 2


class Visit(Struct):
    """What came of it: the SARIF of a scan, or why there is none."""

    repository: Repository
    sarif: bytes = b""
    failure: str = ""
    levels: dict[str, int] = field(default_factory=dict)
    """Level → number of findings that nothing suppresses."""
    seconds: float = 0.0
    tries: int = 1
    version: str = __version__


_running: set[subprocess.Popen[bytes]] = set()
_over = threading.Event()


@contextlib.contextmanager
def ended_early() -> Iterator[None]:
    """What is left unfinished in this context by an interrupt ends with it: nobody waits for what nobody wants."""
    _over.clear()
    try:
        yield
    except BaseException:
        _over.set()
        for process in list(_running):
            _kill(process)
        raise


class _Failure(Exception):
    """Why a try came to nothing; ``is_final`` says that another would, too."""

    def __init__(self, reason: str, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


def visit(repository: Repository, plan: Plan) -> Visit:
    """Scan one repository. Raises nothing: a failure is a visit, too."""
    started = time.monotonic()
    result = Visit(repository)
    for result.tries in range(1, plan.tries + 1):
        try:
            result.sarif = _try(repository, plan)
            result.levels = _levels(result.sarif)
            result.failure = ""
            break
        except _Failure as error:
            result.failure = str(error)
            if error.is_final or _over.is_set():
                break
        except Exception as error:
            result.failure = f"{type(error).__name__}: {error}"
    result.seconds = time.monotonic() - started
    return result


def _try(repository: Repository, plan: Plan) -> bytes:
    deadline = time.monotonic() + plan.timeout
    with tempfile.TemporaryDirectory(prefix="connlint-", ignore_cleanup_errors=True) as scratch:
        root = Path(repository.source)
        if repository.is_remote:
            root = Path(scratch, "clone")
            command = ["git", "clone", "--quiet", "--depth", "1", "--no-tags", "--", repository.source, str(root)]
            status, said = _run(command, Path(scratch), deadline, plan)
            if status:
                raise _Failure(f"git clone: {said}")
        elif not root.is_dir():
            raise _Failure("no such folder", is_final=True)
        report = Path(scratch, "report.sarif")
        # -P: what lies in the repository must not be taken for a module of Python
        command = [sys.executable, "-P", "-m", "connlint.cli", "check", *plan.arguments, "--quiet", "--no-cache",
                   "--jobs", "1", "--category", repository.name, "--format", "sarif", "--output", str(report)]
        status, said = _run(command, root, deadline, plan)
        if status < 0:
            raise _Failure(f"ended by {signal.Signals(-status).name}")
        if not report.is_file():
            raise _Failure(said.removeprefix("connlint: ") or f"exit status {status}", is_final=status == 2)
        return report.read_bytes()


def _run(command: list[str], at: Path, deadline: float, plan: Plan) -> tuple[int, str]:
    """Exit status and last words of a process, which is ended with all that it has started if it takes too long."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_ASKPASS": "true", "NO_COLOR": "1"}
    try:
        process = subprocess.Popen(command, cwd=at, env={**os.environ, **quiet}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    except OSError as error:
        raise _Failure(f"{command[0]}: {error.strerror}") from None
    _running.add(process)
    try:
        _, said = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _Failure(f"not finished within {plan.timeout:g} s") from None
    finally:
        if process.poll() is None:
            _kill(process)
            process.communicate()
        _running.discard(process)
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return process.returncode, lines[-1].strip() if lines else ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _levels(sarif: bytes) -> dict[str, int]:
    try:
        results = [result for run in json.loads(sarif)["runs"] for result in run.get("results", ())]
    except (ValueError, KeyError, TypeError):
        raise _Failure("the report is no SARIF") from None
    counted = Counter(result.get("level", "warning") for result in results if not result.get("suppressions"))
    return {level: counted[level] for level in LEVELS if counted[level]}
