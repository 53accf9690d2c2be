"""Findings and edits in the words of the Language Server Protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lsprotocol import types as lsp

from connlint.fixing.offers import Offer
from connlint.model.finding import Finding, Place
from connlint.model.report import Report
from connlint.model.source import Source

SEVERITY = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning,
            "note": lsp.DiagnosticSeverity.Information}
FIX_ALL = "source.fixAll.connlint"


class Wording:
    """Translates for one client.

    ``address`` makes a URI of a path; ``units`` is how the client counts in a line: "utf-8", "utf-16" or "utf-32";
    ``has_places`` says whether it shows other places beside a message.
    """

    def __init__(self, address: Callable[[str], str], units: str, has_places: bool) -> None:
        self.address = address
        self.units = units
        self.has_places = has_places

    def position(self, source: Source, offset: int) -> lsp.Position:
        """Where byte ``offset`` of ``source`` is, for the client."""
        line = source.line(offset)
        start = max(source.line_starts()[line - 1], source.bom)
        text = source.data[start:offset].decode(source.encoding, "replace")
        if self.units == "utf-32":
            return lsp.Position(line - 1, len(text))
        size = len(text.encode("utf-16-le" if self.units == "utf-16" else "utf-8", "surrogatepass"))
        return lsp.Position(line - 1, size // 2 if self.units == "utf-16" else size)

    def range(self, place: Place, sources: Mapping[str, Source]) -> lsp.Range:
        """What ``place`` covers."""
        source = sources[place.path]
        return lsp.Range(self.position(source, place.at[0]), self.position(source, place.at[1]))

    def diagnostic(self, finding: Finding, report: Report) -> lsp.Diagnostic:
        """A finding, with its evidence as related places; in its message, where the client shows no places."""
        steps = [step for step in (*finding.steps, *finding.related) if step.place.path in report.sources]
        message, places = finding.message, None
        if self.has_places:
            places = [lsp.DiagnosticRelatedInformation(
                lsp.Location(self.address(step.place.path), self.range(step.place, report.sources)), step.message)
                for step in steps] or None
        else:
            for step in steps:
                line = report.sources[step.place.path].line(step.place.at[0])
                message += f"\n{step.place.path}:{line}: {step.message}"
        return lsp.Diagnostic(self.range(finding.place, report.sources), message, SEVERITY[finding.level],
                              code=finding.rule, source="connlint", related_information=places)

    def edit(self, some: Iterable[Offer], report: Report, versions: Mapping[str, int | None]) -> lsp.WorkspaceEdit:
        """The edits of offers that can be made at once; ``versions`` are those of the open files by path."""
        by_path: dict[str, list[lsp.TextEdit | lsp.AnnotatedTextEdit | lsp.SnippetTextEdit]] = {}
        for offer in some:
            for edit in offer.fix.edits:
                by_path.setdefault(edit.place.path, []).append(
                    lsp.TextEdit(self.range(edit.place, report.sources), edit.text))
        return lsp.WorkspaceEdit(document_changes=[
            lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(self.address(path), versions.get(path)),
                                 edits) for path, edits in sorted(by_path.items())])

    def action(self, offer: Offer, report: Report, versions: Mapping[str, int | None]) -> lsp.CodeAction:
        """One edit as something to choose; a safe one is what the client may take by itself."""
        return lsp.CodeAction(
            offer.fix.title, lsp.CodeActionKind.QuickFix, is_preferred=offer.fix.safe or None,
            diagnostics=[self.diagnostic(finding, report) for finding in offer.findings],
            edit=self.edit([offer], report, versions))


def touches(one: lsp.Range, other: lsp.Range) -> bool:
    """Whether two ranges have a place in common, their ends included."""
    def at(position: lsp.Position) -> tuple[int, int]:
        return position.line, position.character

    return at(one.start) <= at(other.end) and at(other.start) <= at(one.end)
