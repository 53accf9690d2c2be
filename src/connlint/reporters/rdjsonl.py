"""The report as reviewdog reads it: a JSON object a line, one a finding, with the edit as a suggestion.

Columns count bytes of the text in UTF-8, whatever the file's encoding, and the end of a range is the first position
behind it: so says the definition of the format, reviewdog's ``proto/rdf/reviewdog.proto``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from connlint.model.finding import Finding, Fix, Place
from connlint.model.report import Report
from connlint.model.source import Source, Span
from connlint.reporters import Options
from connlint.reporters.text import story

MAX_BETWEEN = 20
"""Lines between two edits of one suggestion that nobody would mind to see again. Where there are more, the message
alone says that there is an edit: it would be offered as one of most of the file."""
_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "note": "INFO"}


def write(report: Report, stream: TextIO, options: Options) -> None:
    """A line for each finding."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    stream.writelines(encode(_diagnostic(finding, report.sources)) + "\n" for finding in report.reported)


def _diagnostic(finding: Finding, sources: Mapping[str, Source]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "message": "\n".join([finding.message, *story(finding, sources)]),
        "location": {"path": finding.place.path},
        "severity": _SEVERITIES[finding.level],
        "source": {"name": "connlint"},
        "code": {"value": finding.rule},
    }
    source = sources.get(finding.place.path)
    if source is not None:
        row["location"]["range"] = _range(finding.place.at, source)
        if finding.fix is not None and (suggestion := _suggestion(finding.fix, finding.place, source)):
            row["suggestions"] = [suggestion]
    return row


def _suggestion(fix: Fix, place: Place, source: Source) -> dict[str, Any] | None:
    """The edit as one text in place of another; None where it concerns other files too, or places far apart.

    Several suggestions would be ways to choose from, so the edits are joined with what stands between them.
    """
    edits = sorted(fix.edits, key=lambda edit: edit.place.at)
    if not edits or any(edit.place.path != place.path for edit in edits):
        return None
    text, at = "", edits[0].place.at[0]
    for edit in edits:
        between = source.slice((at, edit.place.at[0]))
        if between.count("\n") > MAX_BETWEEN:
            return None
        text += between + edit.text
        at = edit.place.at[1]
    return {"range": _range((edits[0].place.at[0], at), source), "text": text}


def _range(at: Span, source: Source) -> dict[str, Any]:
    return {"start": _position(at[0], source), "end": _position(at[1], source)}


def _position(offset: int, source: Source) -> dict[str, int]:
    line = source.line(offset)
    start = max(source.line_starts()[line - 1], source.bom)
    return {"line": line, "column": 1 + len(source.slice((start, offset)).encode("utf-8", "replace"))}
