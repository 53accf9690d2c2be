"""Annotations of a GitHub workflow, which shows the first ten of a level, and the plain list for the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TextIO

from connlint.model.finding import LEVELS, Finding
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.reporters import Options
from connlint.reporters.terminal import visible
from connlint.reporters.text import checked, concise, counts, unread

MOST = 10
"""Annotations of one level that a step may add; GitHub drops the others without a word."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def write(report: Report, stream: TextIO, options: Options) -> None:
    """Gravest first: an annotation each as far as they are shown, a plain line for the rest, and the counts."""
    written: Counter[str] = Counter()
    for finding in sorted(report.reported, key=lambda f: -LEVELS.index(f.level)):
        written[finding.level] += 1
        if written[finding.level] <= MOST:
            stream.write(_annotation(finding, report.sources) + "\n")
        else:
            stream.write(concise(finding, report.sources) + "\n")
    hidden = sum(max(0, number - MOST) for number in written.values())
    more = f"; {hidden} of them only in this log, since GitHub shows {MOST} of a level" if hidden else ""
    if not options.quiet:
        stream.write(f"{counts(report)}{more}; {checked(report)}{unread(report)}\n")


def _annotation(finding: Finding, sources: Mapping[str, Source]) -> str:
    source = sources.get(finding.place.path)
    properties = {"file": finding.place.path}
    if source is not None:
        start, end = finding.place.at
        first, last = source.line(start), source.line(max(start, end - 1))
        properties |= {"line": str(first), "endLine": str(last)}
        if first == last:
            properties |= {"col": str(source.column(start)), "endColumn": str(source.column(end))}
    properties["title"] = f"connlint: {finding.rule}"
    listed = ",".join(f"{name}={_escaped(text, ':,')}" for name, text in properties.items())
    return f"::{_COMMANDS[finding.level]} {listed}::{_escaped(finding.message)}"


def _escaped(text: str, more: str = "") -> str:
    """As workflow commands want it: percent signs, line ends and, in properties, colons and commas are encoded."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return visible(text)
