"""A baseline: the findings that a project had when it began to use connlint, so that only new ones are reported.

It is a JSON file with an entry a line, sorted, so that it can be reviewed and git merges it by lines. An entry holds no
line number and no message: it is met by the finding of its rule and symbol in its file, wherever that stands now, or in
another file, if its own is gone or does not have it any more and the line reads the same. An entry is met once.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from os.path import relpath
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.model.finding import Finding, State
from connlint.model.report import Report

NAME = ".connlint-baseline.json"
"""Where a baseline is written if nothing else is said."""
VERSION = 1
_VERSION = "connlint-baseline"
_FIELDS = ("path", "rule", "symbol", "line")


class BaselineError(Exception):
    """The baseline cannot be used; the message names the file and what is wrong with it."""


class Entry(Struct, frozen=True, order=True):
    """One finding to be passed over.

    ``path`` is relative to the baseline's folder, with forward slashes. ``line`` is a hash of the line that the finding
    begins on, without its white space: it says that a line reads the same, and not what it says.
    """

    path: str
    rule: str
    symbol: str
    line: str


class Comparison(Struct, frozen=True):
    """What became of a baseline: the state of every finding, and the entries that were met, and that were not.

    ``findings`` stand in the order of the report; suppressed ones have no state. ``met`` are the entries as they read
    today. ``gone`` were not met although the run would have seen their finding; ``unjudged`` may still hold, since the
    run did not look there.
    """

    findings: tuple[Finding, ...]
    met: tuple[Entry, ...]
    gone: tuple[Entry, ...]
    unjudged: tuple[Entry, ...]

    @property
    def new(self) -> tuple[Finding, ...]:
        """The findings that no entry meets."""
        return tuple(finding for finding in self.findings if finding.state == "new")


class Scope(Struct, frozen=True):
    """What a run looked at: all of the project below ``root`` or, where ``paths`` is not None, only these files.

    ``rules`` are the rules that ran, None for all that the configuration has. ``unread`` are files about which nothing
    can be said. All paths are relative to ``root``.
    """

    root: Path
    paths: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    unread: frozenset[str] = frozenset()


def without(scope: Scope, report: Report) -> Scope:
    """``scope`` without the files that ``report`` could not read."""
    return replace(scope, unread=scope.unread | {problem.path for problem in report.problems})


def parse(data: bytes, shown: str) -> tuple[Entry, ...]:
    """The entries of a baseline; ``shown`` is how messages call the file. Raises `BaselineError`."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.startswith((b"<<<<<<< ", b">>>>>>> ")):
            raise BaselineError(f"{shown}:{number}: a merge conflict is not resolved")
    try:
        held: Any = json.loads(data)
    except json.JSONDecodeError as error:
        raise BaselineError(f"{shown}:{error.lineno}:{error.colno}: no JSON: {_lower(error.msg)}") from None
    except ValueError:
        raise BaselineError(f"{shown}: not UTF-8") from None
    version = held.get(_VERSION) if isinstance(held, dict) else None
    if version is None:
        raise BaselineError(f"{shown}: no baseline of connlint")
    if version != VERSION:
        raise BaselineError(f"{shown}: a baseline of version {version!r}, and this connlint knows version {VERSION}; "
                            "`connlint baseline` writes it anew")
    rows = held.get("findings")
    if not isinstance(rows, list):
        raise BaselineError(f"{shown}: 'findings' must be a list")
    return tuple(_entry(row, f"{shown}: entry {number}") for number, row in enumerate(rows, 1) if row is not None)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _entry(row: object, where: str) -> Entry:
    if not isinstance(row, dict):
        raise BaselineError(f"{where} is no object")
    for name in _FIELDS:
        if not isinstance(row.get(name), str):
            raise BaselineError(f"{where} has no text {name!r}")
    return Entry(*(row[name] for name in _FIELDS))


def load(path: Path, shown: str | None = None) -> tuple[Entry, ...]:
    """The entries of the file ``path``, which messages call ``shown``. Raises `BaselineError`."""
    shown = shown or str(path)
    try:
        return parse(path.read_bytes(), shown)
    except FileNotFoundError:
        raise BaselineError(f"{shown}: no such baseline; `connlint baseline` writes one") from None
    except OSError as error:
        raise BaselineError(f"{shown}: cannot be read: {_lower(error.strerror or str(error))}") from None


def render(entries: Iterable[Entry]) -> bytes:
    """The file that holds ``entries``.

    The list ends with null, so that the lines of all entries end alike and git sees no change in a neighbour.
    """
    rows = [f" {_row(entry)},\n" for entry in sorted(entries)]
    return f'{{"{_VERSION}": {VERSION}, "findings": [\n{"".join(rows)} null\n]}}\n'.encode()


def _row(entry: Entry) -> str:
    held = {name: getattr(entry, name) for name in _FIELDS}
    text = json.dumps(held, ensure_ascii=False)
    # a path may hold bytes that are no UTF-8, which only an escape can write down
    return text if text.isprintable() else json.dumps(held)


def compare(report: Report, entries: Iterable[Entry], folder: Path, scope: Scope) -> Comparison:
    """Meet the findings of ``report`` with ``entries``, whose paths are relative to ``folder``.

    An entry is first met by what reads exactly like it, then by a finding of its rule and symbol in its file, then by
    one in another file whose line reads the same, if the entry's own file is not there or was seen to be without it;
    last, where its symbol lists several things, by what is left of these in its file.
    """
    today = [entry_of(finding, report, folder) for finding in report.findings]
    left = dict(enumerate(sorted(entries)))
    states: dict[int, State] = {}
    stages: tuple[tuple[State, Callable[[Entry], Hashable], Callable[[Entry], bool]], ...] = (
        ("unchanged", lambda entry: entry, lambda entry: True),
        ("updated", lambda entry: (entry.path, entry.rule, entry.symbol), lambda entry: True),
        ("updated", lambda entry: (entry.rule, entry.symbol, entry.line),
         lambda entry: _may_have_moved(entry, folder, scope)),
    )
    for state, key, takes_part in stages:
        waiting: dict[Hashable, deque[int]] = {}
        for number, entry in left.items():
            if takes_part(entry):
                waiting.setdefault(key(entry), deque()).append(number)
        for number, finding in enumerate(report.findings):
            if finding.suppression is None and number not in states and (same := waiting.get(key(today[number]))):
                del left[same.popleft()]
                states[number] = state
    several: dict[tuple[str, str], list[int]] = {}
    for number, entry in left.items():
        if ", " in entry.symbol:
            several.setdefault((entry.path, entry.rule), []).append(number)
    for number, finding in enumerate(report.findings if several else ()):
        if finding.suppression is None and number not in states:
            of = today[number]
            rest = next((n for n in several.get((of.path, of.rule), ()) if n in left and _is_rest(of, left[n])), None)
            if rest is not None:
                del left[rest]
                states[number] = "updated"
    findings = tuple(
        replace(finding, state=None if finding.suppression else states.get(number, "new"))
        for number, finding in enumerate(report.findings)
    )
    gone: list[Entry] = []
    unjudged: list[Entry] = []
    for entry in left.values():
        (gone if _was_looked_for(entry, folder, scope) else unjudged).append(entry)
    return Comparison(findings, tuple(today[number] for number in sorted(states)), tuple(gone), tuple(unjudged))


def _is_rest(today: Entry, entry: Entry) -> bool:
    """Whether ``today`` is about some of the things that ``entry`` lists, as ``worker:QUEUE_URL, ROWS_URL`` does."""
    (of, _, now), (of_then, _, then) = (symbol.rpartition(":") for symbol in (today.symbol, entry.symbol))
    return of == of_then and set(now.split(", ")) < set(then.split(", "))


def entry_of(finding: Finding, report: Report, folder: Path) -> Entry:
    """The entry that stands for ``finding`` in a baseline that lies in ``folder``."""
    return Entry(_moved(finding.place.path, Path(report.root), folder), finding.rule, finding.symbol,
                 _hash_of_line(finding, report))


def _hash_of_line(finding: Finding, report: Report) -> str:
    from hashlib import sha256

    source = report.sources.get(finding.place.path)
    text = "" if source is None else source.line_text(source.line(finding.place.at[0]))
    return sha256("".join(text.split()).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _moved(path: str, base: Path, target: Path) -> str:
    """``path``, which is relative to ``base``, relative to ``target``."""
    if base == target:
        return path
    return relpath(base / path, target).replace("\\", "/")


def _was_looked_for(entry: Entry, folder: Path, scope: Scope) -> bool:
    """Whether the run would have reported the finding of ``entry`` if it were still there."""
    path = _moved(entry.path, folder, scope.root)
    if path.startswith("../") or path in scope.unread or (scope.rules is not None and entry.rule not in scope.rules):
        return False
    return scope.paths is None or path in scope.paths


def _may_have_moved(entry: Entry, folder: Path, scope: Scope) -> bool:
    return _was_looked_for(entry, folder, scope) or not (folder / entry.path).exists()


def narrowed(report: Report, comparison: Comparison, shown: str) -> Report:
    """``report`` with what the comparison with the baseline ``shown`` says of its findings."""
    return replace(report, findings=comparison.findings, baseline=shown, gone=len(comparison.gone))
