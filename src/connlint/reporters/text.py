"""The report for people: every finding with its line, its evidence and its edit; then what was not checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from connlint.model.finding import LEVELS, Finding, Place, Step
from connlint.model.program import Problem
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.reporters import Options
from connlint.reporters.changes import hunks
from connlint.reporters.terminal import excerpt, paint, visible, wrap

WIDTH = 120
"""Columns of an excerpt where nobody looks at a terminal."""
MOST_CHANGED_LINES = 12
MOST_UNREAD = 8
_MARGIN = 2


def write(report: Report, stream: TextIO, options: Options) -> None:
    """Findings grouped by file, in order, then the summary."""
    if options.statistics:
        stream.writelines(_statistics(report, options))
    else:
        path = None
        for finding in report.reported:
            if finding.place.path != path:
                path = finding.place.path
                stream.write(paint(visible(path), "path", options.color) + "\n")
            stream.writelines(_finding(finding, report.sources, options))
            stream.write("\n")
    if not options.quiet:
        stream.writelines(_summary(report, options))


def write_concise(report: Report, stream: TextIO, options: Options) -> None:
    """One line a finding, ``path:line:column: level rule: message``; then the summary in one line."""
    if options.statistics:
        stream.writelines(_statistics(report, options))
    else:
        stream.writelines(concise(finding, report.sources, options.color) + "\n" for finding in report.reported)
    if not options.quiet:
        stream.write(f"{counts(report)}; {checked(report)}{unread(report)}\n")


def concise(finding: Finding, sources: Mapping[str, Source], color: bool = False) -> str:
    """``path:line:column: level rule: message``."""
    line, column = position(finding.place, sources)
    return (f"{paint(visible(finding.place.path), 'strong', color)}:{line}:{column}: "
            f"{paint(finding.level, finding.level, color)} {paint(finding.rule, 'rule', color)}: "
            f"{visible(finding.message)}")


def story(finding: Finding, sources: Mapping[str, Source]) -> list[str]:
    """The evidence in lines, where there is no room for excerpts: the steps, what is related, the notes, the edit."""
    rows = [(f"{number}. ", step) for number, step in enumerate(finding.steps, 1)]
    rows += [("see ", step) for step in finding.related]
    lines = []
    for label, step in rows:
        line, column = position(step.place, sources)
        lines.append(f"{label}{visible(step.place.path)}:{line}:{column}: {visible(step.message)}")
    lines += [f"note: {visible(note)}" for note in finding.notes]
    if finding.fix is not None:
        lines.append(f"{'fix' if finding.fix.safe else 'unsafe fix'}: {visible(finding.fix.title)}")
    return lines


def position(place: Place, sources: Mapping[str, Source]) -> tuple[int, int]:
    """1-based line and column (in characters) of the start of ``place``; the first ones where it was not read."""
    source = sources.get(place.path)
    return (1, 1) if source is None else (source.line(place.at[0]), source.column(place.at[0]))


# -- one finding ------------------------------------------------------------------------------------------------------


def _finding(finding: Finding, sources: Mapping[str, Source], options: Options) -> Iterator[str]:
    color = options.color
    line, column = position(finding.place, sources)
    head = f"{line}:{column}"
    room = None if options.width is None else options.width - _MARGIN * 2
    plain = f"{head} {finding.level} {finding.rule}  {visible(finding.message)}"
    for number, text in enumerate(wrap(plain, room)):
        if number == 0:
            for word, style in ((head, "place"), (finding.level, finding.level), (finding.rule, "strong")):
                if text.startswith(word):
                    yield ("" if word != head else " " * _MARGIN) + paint(word, style, color) + " "
                    text = text[len(word) + 1:]
            yield f"{text}\n"
        else:
            yield f"{' ' * _MARGIN * 2}{text}\n"
    gutter = len(str(line)) + _MARGIN * 2
    yield from _quoted(finding.place, sources, gutter, finding.level, options)
    shown = {(finding.place.path, line)}
    for number, step in enumerate(finding.steps, 1):
        yield from _evidence(step, f"{number}. ", finding, sources, gutter, shown, options)
    for step in finding.related:
        yield from _evidence(step, "see ", finding, sources, gutter, shown, options)
    for note in finding.notes:
        yield f"{_bullet(gutter, color)}note: {visible(note)}\n"
    if finding.fix is not None:
        yield from _fix(finding, sources, gutter, options)


def _bullet(gutter: int, color: bool) -> str:
    return " " * (gutter + 1) + paint("=", "gutter", color) + " "


def _quoted(place: Place, sources: Mapping[str, Source], gutter: int, style: str, options: Options) -> Iterator[str]:
    """The line of ``place``, and below it the marks under the part that is on this line."""
    source = sources.get(place.path)
    if source is None:
        return
    number = source.line(place.at[0])
    text = source.line_text(number)
    if not text.strip():
        return
    start = source.column(place.at[0]) - 1
    end = source.column(place.at[1]) - 1 if source.line(place.at[1]) == number else len(text)
    room = (options.width or WIDTH) - gutter - 4
    shown, begin, stop = excerpt(text, min(start, len(text)), end, room)
    bar = paint("|", "gutter", options.color)
    yield f"{paint(f'{number:>{gutter}}', 'gutter', options.color)} {bar} {shown}\n"
    yield f"{'':>{gutter}} {bar} {' ' * begin}{paint('^' * (stop - begin), style, options.color)}\n"


def _evidence(step: Step, label: str, finding: Finding, sources: Mapping[str, Source], gutter: int,
              shown: set[tuple[str, int]], options: Options) -> Iterator[str]:
    """One step of the story: its place, what happens there, and its line if that was not shown yet."""
    line, column = position(step.place, sources)
    path = "" if step.place.path == finding.place.path else f"{visible(step.place.path)}:"
    where = paint(f"{path}{line}:{column}", "place", options.color)
    yield f"{_bullet(gutter, options.color)}{label}{where} {visible(step.message)}\n"
    source = sources.get(step.place.path)
    if source is None or (step.place.path, line) in shown:
        return
    shown.add((step.place.path, line))
    text = source.line_text(line)
    stripped = text.lstrip()
    if stripped:
        cut = len(text) - len(stripped)
        start = min(max(0, source.column(step.place.at[0]) - 1 - cut), len(stripped))
        line_text = excerpt(stripped, start, start, (options.width or WIDTH) - gutter - 7)[0]
        bar = paint("|", "gutter", options.color)
        yield f"{'':>{gutter}} {bar}    {paint(line_text, 'faint', options.color)}\n"


def _fix(finding: Finding, sources: Mapping[str, Source], gutter: int, options: Options) -> Iterator[str]:
    assert finding.fix is not None
    color = options.color
    kind = "fix" if finding.fix.safe else "unsafe fix"
    yield f"{_bullet(gutter, color)}{paint(kind, 'strong', color)}: {visible(finding.fix.title)}\n"
    left = MOST_CHANGED_LINES
    hidden = 0
    for hunk in hunks(finding.fix, sources):
        if hunk.path != finding.place.path:
            yield f"{'':>{gutter}}   {visible(hunk.path)}\n"
        for mark, style, lines in (("-", "old", hunk.old), ("+", "new", hunk.new)):
            for number, text in enumerate(lines, hunk.line):
                if left <= 0:
                    hidden += 1
                    continue
                left -= 1
                room = (options.width or WIDTH) - gutter - 4
                row = f"{mark} {excerpt(text, 0, 0, room)[0]}".rstrip()
                yield f"{paint(f'{number:>{gutter}}', 'gutter', color)} {paint(row, style, color)}\n"
    if hidden:
        yield f"{'':>{gutter}} … {_count(hidden, 'more line')}\n"


# -- the whole --------------------------------------------------------------------------------------------------------


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def counts(report: Report) -> str:
    """``3 errors and 1 note in 2 files``, or that there is nothing; and how many are not among them, and why."""
    levels = report.levels()
    what = "new finding" if report.baseline else "finding"
    left_out = [f"{number} {why}" for number, why in ((report.suppressed, "ignored by comments"),
                                                      (report.known, "in the baseline"),
                                                      (report.elsewhere, "on other lines")) if number]
    ignored = f" ({', '.join(left_out)})" if left_out else ""
    if not levels:
        since = f" on lines changed since {report.since}" if report.since else ""
        return f"No {what}s{since}{ignored}"
    parts = [_count(levels[level], level) for level in reversed(LEVELS) if levels[level]]
    files = len({finding.place.path for finding in report.reported})
    return f"{_listed(parts)} in {_count(files, 'file')}{ignored}"


def checked(report: Report) -> str:
    """``checked 312 files in 0.41 s``."""
    return f"checked {_count(report.files_checked, 'file')} in {_seconds(report.seconds)}"


def unread(report: Report) -> str:
    """What cannot be told from the findings, in one line: entries of the baseline that are gone, and files not read.

    ``; 2 files not read in full``, for where there is no room to name them; "" where all were read.
    """
    said = f"; {gone(report)}" if report.gone else ""
    for internal, what in ((False, "not read in full"), (True, "made connlint itself fail")):
        number = sum((problem.kind == "internal") is internal for problem in report.problems)
        if number:
            said += f"; {_count(number, 'file')} {what}"
    if folders := _closed(report):
        said += f"; {_count(folders, 'folder')} not read"
    return said


def _closed(report: Report) -> int:
    """The number of folders that nobody may look into."""
    return sum(path.endswith("/") for path, _ in report.set_aside)


def gone(report: Report) -> str:
    """``3 entries of the baseline are gone``."""
    return "1 entry of the baseline is gone" if report.gone == 1 else f"{report.gone} entries of the baseline are gone"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _summary(report: Report, options: Options) -> Iterator[str]:
    """How many findings, how many files, and all that was not checked."""
    worst = next((level for level in reversed(LEVELS) if report.levels()[level]), None)
    yield f"{paint(counts(report), worst or 'good', options.color)}; {checked(report)}.\n"
    yield from _fixes(report)
    if report.gone:
        them = "it" if report.gone == 1 else "them"
        yield f"{gone(report)}; `connlint baseline --prune` takes {them} out of {visible(report.baseline)}.\n"
    reasons = report.reasons()
    if reasons:
        why = ", ".join(f"{number} {reason}" for reason, number in reasons)
        folders = _closed(report)
        files = len(report.set_aside) - folders
        what = [_count(files, "file")] * bool(files) + [_count(folders, "folder")] * bool(folders)
        yield f"Not checked: {_listed(what)} ({why}).\n"
    if options.verbose:
        for path, reason in report.set_aside:
            yield f"  {visible(path)}: {reason}\n"
    if report.unknown_imports:
        ends = "" if report.unknown_imports > 1 else "s"
        yield f"Not known: where {_count(report.unknown_imports, 'import')} lead{ends}.\n"
    faults = [problem for problem in report.problems if problem.kind == "internal"]
    unread = [problem for problem in report.problems if problem.kind != "internal"]
    yield from _problems(unread, f"Could not read {_count(len(unread), 'file')} in full:", options)
    yield from _problems(faults, f"connlint itself failed on {_count(len(faults), 'file')}:", options)


def _fixes(report: Report) -> Iterator[str]:
    """How many findings come with an edit, and how to have them made."""
    safe = sum(finding.fix is not None and finding.fix.safe for finding in report.reported)
    unsafe = sum(finding.fix is not None and not finding.fix.safe for finding in report.reported)
    ways = [f"{safe} by --fix"] * bool(safe)
    ways += [f"{unsafe}{' more' * bool(safe)} by --fix --unsafe-fixes"] * bool(unsafe)
    if ways:
        yield f"Edits: {_listed(ways)} (--diff instead of --fix shows them).\n"


def _problems(problems: list[Problem], title: str, options: Options) -> Iterator[str]:
    if not problems:
        return
    yield f"{title}\n"
    shown = problems if options.verbose else problems[:MOST_UNREAD]
    for problem in shown:
        yield f"  {visible(problem.path)}: {visible(problem.message)}\n"
    if len(shown) < len(problems):
        yield f"  … and {len(problems) - len(shown)} more (--verbose lists them)\n"


def _statistics(report: Report, options: Options) -> Iterator[str]:
    """How often each rule was reported at each level, the commonest first."""
    rows: dict[tuple[str, str], int] = {}
    for finding in report.reported:
        rows[finding.rule, finding.level] = rows.get((finding.rule, finding.level), 0) + 1
    wide = max((len(str(number)) for number in rows.values()), default=0)
    for (rule, level), number in sorted(rows.items(), key=lambda row: (-row[1], row[0])):
        yield f"{number:>{wide}}  {paint(f'{level:<7}', level, options.color)}  {rule}\n"
    if rows:
        yield "\n"
