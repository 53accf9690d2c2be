"""The report as SARIF 2.1.0, in the form that GitHub's code scanning and Microsoft's validator ask for.

Lines and columns count from 1, columns in UTF-16 code units. The region of a result stays on one line, since an alert
is shown on a change only where every line of its region was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, TextIO
from urllib.parse import quote

import sarif_om as sarif

from connlint.model.finding import LEVELS, Finding, Fix, Place, Step
from connlint.model.program import Problem
from connlint.model.report import Report
from connlint.model.rule import Card
from connlint.model.source import Source
from connlint.reporters import Options
from connlint.reporters.fingerprints import fingerprint
from connlint.reporters.json import write_object

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
FINGERPRINT = "connlint/v1"
"""Our own key: ``primaryLocationLineHash`` is left to the upload, which computes it from the checked-out file."""
MOST_RESULTS = 25_000
MOST_PLACES = 1_000
MOST_TEXT = 1_000
"""Limits of code scanning: results a run, locations a result, characters of a rule's description."""

_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}
_UNREAD, _LEFT_OUT = "unread-file", "findings-left-out"
_NOTICES = {
    _UNREAD: "A file could not be read in full, so that findings in it may be missing.",
    _LEFT_OUT: "There are more findings than one run may hold; the mildest were left out.",
}


def write(report: Report, stream: TextIO, options: Options) -> None:
    """One run with every rule, every finding (suppressed ones marked so), and what could not be read."""
    found = report.reported if options.omit_suppressed else report.findings
    findings = found
    if len(findings) > MOST_RESULTS:
        gravest = sorted(findings, key=lambda f: -LEVELS.index(f.level))[:MOST_RESULTS]
        findings = tuple(sorted(gravest, key=Finding.key))
    cards = list(report.rules.cards.values())
    indexes = {card.id: index for index, card in enumerate(cards)}
    run = sarif.Run(
        tool=sarif.Tool(driver=_driver(cards, report.version)),
        automation_details=(
            sarif.RunAutomationDetails(id=f"connlint/{options.category}/") if options.category else None
        ),
        invocations=[_invocation(report, len(found) - len(findings))],
        original_uri_base_ids={ROOT: _folder(report.root)},
        column_kind="utf16CodeUnits",
        results=[_result(finding, indexes, report.sources) for finding in findings],
    )
    stream.write(f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [\n')
    write_object(plain(run), stream, spread=("results",))
    stream.write("]}\n")


def plain(thing: Any) -> Any:
    """An object of ``sarif_om`` as JSON values: its properties under the names of the schema, without the defaults.

    ``level`` always stays: left out of a result, it would mean the level of the rule.
    """
    kind = type(thing)
    if kind is list:
        return [plain(item) for item in thing]
    if kind is dict:
        return {key: plain(value) for key, value in thing.items()}
    if kind in (str, int, bool):
        return thing
    row = {}
    values = vars(thing)
    for name, key, default in _properties(kind):
        value = values[name]
        if value is not None and (value != default or key == "level"):
            row[key] = plain(value)
    return row


_known: dict[type, tuple[tuple[str, str, Any], ...]] = {}


def _properties(kind: type) -> tuple[tuple[str, str, Any], ...]:
    """Attribute, property of the schema, and default, for a class of ``sarif_om``."""
    if kind not in _known:
        _known[kind] = tuple(
            (
                field.name, field.metadata["schema_property_name"],
                field.default.factory() if hasattr(field.default, "factory") else field.default,
            )
            for field in kind.__attrs_attrs__  # type: ignore[attr-defined]
        )
    return _known[kind]


# -- the tool ---------------------------------------------------------------------------------------------------------


def _driver(cards: Iterable[Card], version: str) -> sarif.ToolComponent:
    return sarif.ToolComponent(
        name="connlint",
        full_name=f"connlint {version}",
        version=version,
        semantic_version=version,
        short_description=_text("Finds connectivity faults in code and deployment files."),
        rules=[_rule(card) for card in cards],
        notifications=[_notice(name, text) for name, text in _NOTICES.items()],
    )


def _notice(name: str, text: str) -> sarif.ReportingDescriptor:
    return sarif.ReportingDescriptor(
        id=name, name=_pascal(name), short_description=_text(text), full_description=_text(text), help=_text(text),
        default_configuration=sarif.ReportingConfiguration(level="warning"),
    )


def _text(text: str) -> sarif.MultiformatMessageString:
    return sarif.MultiformatMessageString(text=text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT - 1]}…")


def _pascal(rule: str) -> str:
    return "".join(part.capitalize() for part in rule.split("-"))


def _rule(card: Card) -> sarif.ReportingDescriptor:
    return sarif.ReportingDescriptor(
        id=card.id,
        name=_pascal(card.id),
        short_description=_text(_sentence(card.name)),
        full_description=_text(_sentence(card.summary)),
        help=sarif.MultiformatMessageString(text=_without_marks(card.manual), markdown=card.manual),
        default_configuration=sarif.ReportingConfiguration(level=card.level),
        properties={
            "tags": ["connectivity", card.family],
            "precision": card.precision,
            "problem.severity": _SEVERITY[card.level],
        },
    )


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?" else f"{text}."


def _without_marks(manual: str) -> str:
    """Markdown as plain text: headings without their marks, code without its fences."""
    lines = (line.lstrip("# ") if line.startswith("#") else line for line in manual.splitlines())
    return "\n".join(line for line in lines if not line.startswith("```"))


def _invocation(report: Report, left_out: int) -> sarif.Invocation:
    notifications = [_unread(problem) for problem in report.problems]
    if left_out:
        notifications.append(sarif.Notification(
            message=sarif.Message(text=f"{left_out} findings were left out: a run holds at most {MOST_RESULTS}."),
            descriptor=sarif.ReportingDescriptorReference(id=_LEFT_OUT, index=1),
        ))
    return sarif.Invocation(
        execution_successful=report.complete, exit_code=report.status, tool_execution_notifications=notifications,
    )


def _unread(problem: Problem) -> sarif.Notification:
    return sarif.Notification(
        level="error" if problem.kind == "internal" else "warning",
        message=sarif.Message(text=_sentence(f"{problem.path}: {problem.message}")),
        descriptor=sarif.ReportingDescriptorReference(id=_UNREAD, index=0),
        locations=[sarif.Location(physical_location=sarif.PhysicalLocation(artifact_location=_file(problem.path)))],
    )


# -- places -----------------------------------------------------------------------------------------------------------


def _folder(root: str) -> sarif.ArtifactLocation:
    uri = PurePath(root).as_uri() if root else "file:///"
    return sarif.ArtifactLocation(uri=uri if uri.endswith("/") else f"{uri}/",
                                  description=sarif.Message(text="The folder that was checked."))


def _file(path: str) -> sarif.ArtifactLocation:
    return sarif.ArtifactLocation(uri=quote(path.encode("utf-8", "surrogateescape"), safe="/-._~"), uri_base_id=ROOT)


def _region(place: Place, sources: Mapping[str, Source]) -> sarif.Region:
    """All four ends of a region, the end behind its last character."""
    source = sources.get(place.path)
    if source is None:
        return sarif.Region(start_line=1, start_column=1, end_line=1, end_column=1)
    start, end = place.at
    return sarif.Region(start_line=source.line(start), start_column=source.column(start, utf16=True),
                        end_line=source.line(end), end_column=source.column(end, utf16=True))


def _alert(place: Place, sources: Mapping[str, Source]) -> sarif.Location:
    """The location of a result: the part of ``place`` on its first line, with its text."""
    source = sources.get(place.path)
    if source is None:
        return _location(place, sources)
    start, end = place.at
    first = source.line(start)
    if source.line(end) > first:
        end = start + len(source.slice(place.at).splitlines()[0].encode(source.encoding)) if end > start else start
    location = _location(Place(place.path, (start, end)), sources)
    text = source.slice((start, end))
    if text and len(text) <= MOST_TEXT:
        location.physical_location.region.snippet = sarif.ArtifactContent(text=text)
    return location


def _location(place: Place, sources: Mapping[str, Source], message: str | None = None,
              number: int = -1) -> sarif.Location:
    return sarif.Location(
        id=number,
        physical_location=sarif.PhysicalLocation(artifact_location=_file(place.path), region=_region(place, sources)),
        message=None if message is None else sarif.Message(text=message),
    )


# -- one finding ------------------------------------------------------------------------------------------------------


def _result(finding: Finding, indexes: Mapping[str, int], sources: Mapping[str, Source]) -> sarif.Result:
    related = finding.related[:MOST_PLACES]
    return sarif.Result(
        rule_id=finding.rule,
        rule_index=indexes.get(finding.rule, -1),
        level=finding.level,
        message=sarif.Message(text=_message(finding, related)),
        locations=[_alert(finding.place, sources)],
        code_flows=[_flow(finding.steps[:MOST_PLACES], sources)] if finding.steps else None,
        related_locations=[
            _location(step.place, sources, step.message, number) for number, step in enumerate(related, 1)
        ] or None,
        fixes=[_fix(finding.fix, sources)] if finding.fix else None,
        partial_fingerprints={FINGERPRINT: fingerprint(finding)},
        suppressions=_suppressions(finding, sources),
        baseline_state=finding.state,
    )


def _message(finding: Finding, related: tuple[Step, ...]) -> str:
    """The message, its notes, and a link to every related place: only linked ones are shown."""
    text = " ".join(_sentence(part) for part in (finding.message, *finding.notes))
    if related:
        links = (f"[{_link_text(step.message)}]({number})" for number, step in enumerate(related, 1))
        text += f" See: {'; '.join(links)}."
    return text


def _link_text(text: str) -> str:
    for mark in "\\[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def _flow(steps: tuple[Step, ...], sources: Mapping[str, Source]) -> sarif.CodeFlow:
    locations = [
        sarif.ThreadFlowLocation(location=_location(step.place, sources, step.message), execution_order=number)
        for number, step in enumerate(steps, 1)
    ]
    return sarif.CodeFlow(thread_flows=[sarif.ThreadFlow(locations=locations)])


def _fix(fix: Fix, sources: Mapping[str, Source]) -> sarif.Fix:
    changes: dict[str, list[sarif.Replacement]] = {}
    for edit in sorted(fix.edits, key=lambda e: (e.place.path, e.place.at)):
        changes.setdefault(edit.place.path, []).append(sarif.Replacement(
            deleted_region=_region(edit.place, sources),
            inserted_content=sarif.ArtifactContent(text=edit.text) if edit.text else None,
        ))
    return sarif.Fix(
        description=sarif.Message(text=_sentence(fix.title)),
        artifact_changes=[
            sarif.ArtifactChange(artifact_location=_file(path), replacements=rows) for path, rows in changes.items()
        ],
    )


def _suppressions(finding: Finding, sources: Mapping[str, Source]) -> list[sarif.Suppression] | None:
    if finding.suppression is None:
        return None
    return [sarif.Suppression(
        kind="inSource", justification=finding.suppression.reason or None,
        location=_location(finding.suppression.place, sources),
    )]
