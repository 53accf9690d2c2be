"""What is said of a run, and how: one module a format, each `write(report, stream, options)`.

Here is where it leaves the program: the choice of the format, the terminal's colours and width, the file that is
replaced as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct

from connlint.model.report import Report

if TYPE_CHECKING:
    from connlint.model.map import Map

FORMATS = {
    "text": "connlint.reporters.text:write",
    "concise": "connlint.reporters.text:write_concise",
    "sarif": "connlint.reporters.sarif:write",
    "json": "connlint.reporters.json:write",
    "github": "connlint.reporters.github:write",
    "gitlab": "connlint.reporters.gitlab:write",
    "rdjsonl": "connlint.reporters.rdjsonl:write",
    "junit": "connlint.reporters.junit:write",
    "html": "connlint.reporters.html:write",
}
"""Name of a format → the function that writes it."""

FOR_PEOPLE = ("text", "concise", "github")
"""Formats that are printed in the encoding of the terminal; all others are UTF-8."""


class OutputError(Exception):
    """The report cannot be written; the message names the file and why."""


class Options(Struct, frozen=True):
    """How a report is to look. ``width`` is the number of columns, None where nobody looks at a terminal.

    ``statistics`` counts findings instead of listing them. ``verbose`` names every file that was not checked.
    ``quiet`` leaves the summary out. ``category`` is the name of this run among several of one repository.
    ``omit_suppressed`` leaves suppressed findings out of SARIF, for readers that do not know what suppressed means.
    """

    color: bool = False
    width: int | None = None
    statistics: bool = False
    verbose: bool = False
    quiet: bool = False
    category: str = ""
    omit_suppressed: bool = False


Reporter = Callable[[Report, TextIO, Options], None]


def write(report: Report, format_: str, output: Path | None = None, *, color: str = "auto", statistics: bool = False,
          verbose: bool = False, quiet: bool = False, category: str = "", omit_suppressed: bool = False) -> None:
    """Write ``report`` to standard output, or to the file ``output``, which appears whole or not at all.

    ``color`` is "auto", "always" or "never". Raises `OutputError` where the file cannot be written.
    """
    where, _, name = FORMATS[format_].partition(":")
    reporter: Reporter = getattr(import_module(where), name)
    terminal = output is None and sys.stdout.isatty()
    options = Options(_colored(color, terminal), _columns() if terminal else None, statistics, verbose, quiet, category,
                      omit_suppressed)
    text = StringIO()
    reporter(report, text, options)
    if output is None:
        print_safely(text.getvalue(), utf8=format_ not in FOR_PEOPLE)
        return
    replace_file(output, text.getvalue().encode("utf-8", "replace"))
    if not quiet:
        from connlint.reporters.text import counts, unread

        missed = "" if format_ == "text" else unread(report)
        print(f"{counts(report)}{missed}; written to {output}", file=sys.stderr)


def write_map(map_: Map, format_: str, output: Path | None = None, *, color: str = "auto") -> None:
    """Write the map to standard output, or to the file ``output``. Raises `OutputError` where it cannot be written."""
    from connlint.reporters.map import render

    terminal = output is None and sys.stdout.isatty()
    options = Options(_colored(color, terminal), _columns() if terminal else None)
    text = render(map_, format_, options)
    if output is None:
        print_safely(text, utf8=format_ not in FOR_PEOPLE)
    else:
        replace_file(output, text.encode("utf-8", "replace"))


def _colored(choice: str, terminal: bool) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


def _columns() -> int:
    from shutil import get_terminal_size

    return max(40, get_terminal_size((100, 24)).columns)


def print_safely(text: str, *, utf8: bool = False) -> None:
    """Print ``text`` without failing on a character that standard output does not have; ``utf8`` whatever it has."""
    stream = sys.stdout
    encoding = "utf-8" if utf8 else (stream.encoding or "utf-8")
    if encoding.lower().replace("-", "") not in ("utf8", "utf16", "utf32"):
        text = text.replace("…", "...")
    data = text.encode(encoding, "replace" if utf8 else "backslashreplace")
    if getattr(stream, "buffer", None) is None:
        stream.write(data.decode(encoding))
    else:
        print_bytes(data)


def print_bytes(data: bytes) -> None:
    """Write ``data`` to standard output as it is. Raises `OutputError` where it is refused."""
    stream = sys.stdout
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(data.decode("utf-8", "replace"))
    else:
        try:
            stream.flush()
            buffer.write(data)
            buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            # what is left in the buffer would fail once more when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            raise _refused(Path("standard output"), error) from None


def replace_file(path: Path, data: bytes) -> None:
    """Make ``data`` the content of ``path``: written beside it, then renamed. Raises `OutputError`.

    What is no regular file (a pipe, a terminal) is written to as it stands.
    """
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise OutputError(f"{path}: cannot be written: it is a folder")
        try:
            path.write_bytes(data)  # not the real path: that of /dev/stdout is no name of a file where it is a pipe
        except OSError as error:
            raise _refused(path, error) from None
        return
    target = Path(os.path.realpath(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"{path}: cannot be written: permission denied")  # a rename would not ask
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(data)
        beside.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> OutputError:
    why = error.strerror or str(error)
    if isinstance(error, FileNotFoundError):
        why = f"there is no folder {os.fspath(path.parent)!r}"
    return OutputError(f"{path}: cannot be written: {why[:1].lower()}{why[1:]}")
