"""The proof of edits: what they leave is read and checked again, and must be what was promised.

`fault_of_text` looks at one file: it parses as well as before, and every comment is there. `faults` compares two
reports: what was treated is gone, and nothing else has come.
"""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections import Counter
from collections.abc import Collection, Iterable

from msgspec import Struct

from connlint.discover import CODE, JAVASCRIPT, PYTHON
from connlint.fixing.offers import Offer
from connlint.model.finding import LEVELS, Finding
from connlint.model.report import Report
from connlint.model.source import Source, Undecodable
from connlint.patterns import regex
from connlint.session import reader_for

_HASH = regex(r"(?:^|(?<=\s))#.*$", re.M)
_SLASHES = regex(r"^\s*//.*$", re.M)
_DIRECTIVE = "connlint:"
"""A comment of ours may go: taking it out is what some edits are for."""


# -- the text of a file -----------------------------------------------------------------------------------------------


def fault_of_text(path: str, before: bytes, after: bytes) -> str | None:
    """Why the file ``path`` cannot go from ``before`` to ``after``, as a clause; None where it can."""
    python = path.endswith(PYTHON)
    try:
        old = Source.decode(path, before, cookie=python)
        new = Source.decode(path, after, cookie=python)
    except Undecodable:
        return "the file could not be decoded"
    if old.encoding != new.encoding or old.bom != new.bom:
        return "the file would change its encoding"
    if path.endswith(CODE):
        read = reader_for(path[path.rindex("."):])
        parses = len(read(new, None).problems) <= len(read(old, None).problems)
    else:
        parses = True
    if not parses or (_is_well_formed(old) and not _is_well_formed(new)):
        return "the file would not parse"
    comments = Counter(map(_plain, _comments(old))) - Counter(map(_plain, _comments(new)))
    if any(_DIRECTIVE not in comment for comment in comments):
        return "a comment would be lost"
    return None


def _plain(comment: str) -> str:
    """A comment, however it is indented."""
    return " ".join(comment.split())


def _comments(source: Source) -> list[str]:
    """Every comment of a file, with its mark."""
    if source.path.endswith(PYTHON):
        from connlint.languages.python.stretches import split

        return [source.text[start:end] for start, end in split(source.text).comments]
    if source.path.endswith(JAVASCRIPT):
        from connlint.languages.javascript.comments import every
        from connlint.languages.javascript.syntax import parse

        root = parse(source.path, source.data)
        return [] if root is None else every(root)
    return (_SLASHES if source.path.endswith((".json", ".jsonc", ".json5")) else _HASH).findall(source.text)


def _is_well_formed(source: Source) -> bool:
    """Whether another reader than ours takes a file, as far as its kind has a form and there is one."""
    path = source.path
    try:
        if path.endswith(PYTHON):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(source.data, path, "exec", dont_inherit=True)
        elif path.endswith(JAVASCRIPT):
            from connlint.languages.javascript.syntax import parse

            root = parse(path, source.data)
            return root is not None and not root.has_error
        elif path.endswith((".yml", ".yaml")):
            from connlint.languages.deployment.yaml_nodes import documents

            documents(source)
        elif path.endswith(".toml"):
            tomllib.loads(source.text)
        elif path.endswith(".json"):
            json.loads(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


# -- what is found in it ----------------------------------------------------------------------------------------------


class Fault(Struct, frozen=True):
    """Why some edits do not hold, as a clause; ``suspects`` are the offers that it most likely comes from."""

    reason: str
    suspects: tuple[Offer, ...] = ()
    paths: frozenset[str] = frozenset()
    """Where it shows."""


_Key = tuple[str, str, str]


def key_of(finding: Finding) -> _Key:
    """What a finding is called wherever its line has gone."""
    return finding.rule, finding.place.path, finding.symbol


def faults(before: Report, after: Report, made: Collection[Offer],
           watched: Collection[str] | None = None) -> list[Fault]:
    """What is wrong with the edits ``made`` on the way from one report to the other.

    ``watched`` are the files that both reports are asked about, None where they cover the same ones.
    """
    found: list[Fault] = []
    known = [f for f in before.reported if watched is None or f.place.path in watched]
    allowed, levels = Counter(map(key_of, known)), _levels(known)
    treated: dict[_Key, list[Offer]] = {}
    for offer in made:
        for finding in offer.findings:
            if watched is None or finding.place.path in watched:
                treated.setdefault(key_of(finding), []).append(offer)
                allowed[key_of(finding)] -= 1
    edited = {path for offer in made for path in offer.paths}
    # in a file that is not edited, a place that was reported for this rule may be so in other words
    places = {(f.rule, f.place) for f in known if f.place.path not in edited}
    now = Counter(key_of(f) for f in after.reported if (f.rule, f.place) not in places)
    for key, number in now.items():
        if number > max(allowed[key], 0):
            path = frozenset((key[1],))
            if key in treated:
                found.append(Fault("the finding would stay", tuple(treated[key]), path))
            else:
                found.append(Fault(f"{key[0]} would be reported in {key[1]}", _editors(made, key[1]), path))
    for key, level in _levels(after.reported).items():
        if key in levels and level > levels[key] and key not in treated:
            text = f"{key[0]} in {key[1]} would become worse"
            found.append(Fault(text, _editors(made, key[1]), frozenset((key[1],))))
    unread = {(problem.path, problem.kind) for problem in before.problems}
    for problem in after.problems:
        if (problem.path, problem.kind) not in unread:
            text = f"{problem.path} could not be read any more"
            found.append(Fault(text, _editors(made, problem.path), frozenset((problem.path,))))
    return found


def _levels(findings: Iterable[Finding]) -> dict[_Key, int]:
    """How grave each finding is; the worst of those with the same name."""
    found: dict[_Key, int] = {}
    for finding in findings:
        key, level = key_of(finding), LEVELS.index(finding.level)
        found[key] = max(level, found.get(key, level))
    return found


def _editors(made: Iterable[Offer], path: str) -> tuple[Offer, ...]:
    return tuple(offer for offer in made if path in offer.paths)
