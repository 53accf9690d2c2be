"""The report as GitLab's code quality widget reads it."""

from __future__ import annotations

import json
from typing import TextIO

from connlint.model.report import Report
from connlint.reporters import Options
from connlint.reporters.fingerprints import fingerprint
from connlint.reporters.text import position

_SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def write(report: Report, stream: TextIO, options: Options) -> None:
    """A list of objects with description, check_name, fingerprint, severity and location."""
    rows = [
        {
            "description": finding.message,
            "check_name": finding.rule,
            "fingerprint": fingerprint(finding),
            "severity": _SEVERITIES[finding.level],
            "location": {"path": finding.place.path, "lines": {"begin": position(finding.place, report.sources)[0]}},
        }
        for finding in report.reported
    ]
    json.dump(rows, stream, ensure_ascii=False, indent=2)
    stream.write("\n")
