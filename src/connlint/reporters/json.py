"""The report as JSON for programs: everything that is known, positions as bytes and as lines and columns.

The form is kept: keys are added, never renamed. Nothing in it depends on the clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from connlint.model.finding import Finding, Place, Step
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.reporters import Options
from connlint.reporters.fingerprints import fingerprint

VERSION = 1


def write(report: Report, stream: TextIO, options: Options) -> None:
    """One object: ``version``, ``tool``, ``findings``, ``problems``, ``set_aside``, ``summary``."""
    data = {
        "version": VERSION,
        "tool": {"name": "connlint", "version": report.version},
        "findings": [_finding(finding, report.sources) for finding in report.findings],
        "problems": [{"path": p.path, "kind": p.kind, "message": p.message} for p in report.problems],
        "set_aside": [{"path": path, "reason": reason} for path, reason in report.set_aside],
        "summary": {
            **{level: report.levels()[level] for level in ("error", "warning", "note")},
            "suppressed": report.suppressed,
            "known": report.known,
            "gone": report.gone,
            "elsewhere": report.elsewhere,
            "files_checked": report.files_checked,
            "unknown_imports": report.unknown_imports,
            "failed": report.failed,
        },
    }
    write_object(data, stream, spread=("findings", "problems", "set_aside"))


def write_object(data: Mapping[str, Any], stream: TextIO, spread: tuple[str, ...]) -> None:
    """Write ``data`` as JSON, a key a line; the lists under the keys in ``spread`` get a line for every entry.

    This can be read and compared line by line, and is written by the fast encoder, which does not indent.
    """
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for number, (key, value) in enumerate(data.items()):
        stream.write(f"{',' if number else '{'}\n{encode(key)}: ")
        if key in spread and value:
            stream.write("[\n" + ",\n".join(map(encode, value)) + "\n]")
        else:
            stream.write(encode(value))
    stream.write("\n}\n")


def _finding(finding: Finding, sources: Mapping[str, Source]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rule": finding.rule,
        "level": finding.level,
        "message": finding.message,
        **_place(finding.place, sources),
        "symbol": finding.symbol,
        "fingerprint": fingerprint(finding),
        "steps": [_step(step, sources) for step in finding.steps],
        "related": [_step(step, sources) for step in finding.related],
        "notes": list(finding.notes),
        "state": finding.state,
        "fix": None,
        "suppression": None,
    }
    if finding.fix is not None:
        edits = [{**_place(edit.place, sources), "text": edit.text} for edit in finding.fix.edits]
        row["fix"] = {"title": finding.fix.title, "safe": finding.fix.safe, "edits": edits}
    if finding.suppression is not None:
        row["suppression"] = {"reason": finding.suppression.reason, **_place(finding.suppression.place, sources)}
    return row


def _step(step: Step, sources: Mapping[str, Source]) -> dict[str, Any]:
    return {"message": step.message, **_place(step.place, sources)}


def _place(place: Place, sources: Mapping[str, Source]) -> dict[str, Any]:
    """``start`` and ``end`` (behind the last character): 1-based line and column in characters, 0-based byte."""
    source = sources.get(place.path)

    def point(offset: int) -> dict[str, int]:
        if source is None:
            return {"line": 1, "column": 1, "byte": offset}
        return {"line": source.line(offset), "column": source.column(offset), "byte": offset}

    return {"path": place.path, "start": point(place.at[0]), "end": point(place.at[1])}
