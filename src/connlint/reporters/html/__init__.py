"""The report as one page: every finding with its lines, its evidence and its edit, and a filter above them.

The page holds all that it shows: no font, no image, no request, and a policy of its own that forbids any. Its script
filters and moves between findings; without it everything is there, and can be opened and closed. Light and dark follow
the reader's settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

from connlint.model.finding import LEVELS, Finding, Step
from connlint.model.report import Report
from connlint.reporters import Options
from connlint.reporters.changes import hunks
from connlint.reporters.fingerprints import fingerprint
from connlint.reporters.html.lines import changed, prose, quoted, text
from connlint.reporters.html.script import SCRIPT
from connlint.reporters.html.style import STYLE
from connlint.reporters.text import counts, gone, position

_OPENED = 20
"""Up to so many findings are open at once."""
_ALL_OPEN = ' open="open"'
_KEYS = (("/", "filter"), ("j", "next"), ("k", "previous"), ("Enter", "open or close"), ("o", "open or close all"),
         ("Esc", "take the filter away"))


def write(report: Report, stream: TextIO, options: Options) -> None:
    """The page."""
    stream.writelines(_page(report))


def _page(report: Report) -> Iterator[str]:
    name = report.root.replace("\\", "/").rstrip("/").rpartition("/")[2] or "project"
    title = f"{name}: {counts(report)}"
    yield ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
           f'<meta http-equiv="Content-Security-Policy" content="{_policy()}"/>\n'
           '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
           f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n"
           f"<h1>{text(name)}</h1>\n<p>{text(counts(report))}; {report.files_checked} files checked.</p>\n</header>\n")
    found = report.reported
    if found:
        yield from _filter(report)
    yield "<main>\n"
    seen: Counter[str] = Counter()
    for path, rows in groupby(found, key=lambda finding: finding.place.path):
        yield from _file(path, list(rows), report, len(found) <= _OPENED, seen)
    if found:
        yield '<p id="none" hidden="hidden">Nothing meets the filter.</p>\n'
        yield from _rules(report)
    else:
        yield '<p class="clean">Nothing to report.</p>\n'
    yield from _not_checked(report)
    keys = "".join(f"<span><kbd>{key}</kbd> {what}</span>" for key, what in _KEYS)
    yield (f'</main>\n<footer><div class="keys">{keys}</div>'
           f"<div>Written by connlint {text(report.version)}.</div></footer>\n"
           f"<script>{SCRIPT}</script>\n</body>\n</html>\n")


def _policy() -> str:
    """What the page may load: nothing but the style and the script that stand in it, named by their hashes."""
    from base64 import b64encode
    from hashlib import sha256

    def named(content: str) -> str:
        return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"

    return f"default-src 'none'; style-src {named(STYLE)}; script-src {named(SCRIPT)}; base-uri 'none'"


# -- the filter -------------------------------------------------------------------------------------------------------


def _filter(report: Report) -> Iterator[str]:
    levels = report.levels()
    yield ('<form class="filter" role="search" aria-label="Filter findings" hidden="hidden">\n'
           '<label class="words"><span class="unseen">Path, rule or words</span>'
           '<input id="words" type="search" placeholder="Path, rule or words" autocomplete="off" spellcheck="false"/>'
           "</label>\n<fieldset><legend class=\"unseen\">Levels</legend>\n")
    for level in reversed(LEVELS):
        if levels[level]:
            yield (f'<label class="level"><input type="checkbox" name="level" value="{level}" checked="checked"/>'
                   f'<span class="tag {level}">{levels[level]} {level}{"" if levels[level] == 1 else "s"}</span>'
                   "</label>\n")
    yield ('</fieldset>\n<label><span class="unseen">Rule</span><select id="rule">\n'
           '<option value="">all rules</option>\n')
    by_rule = Counter(finding.rule for finding in report.reported)
    for family, ids in sorted(report.rules.families().items()):
        if some := [rule for rule in ids if by_rule[rule]]:
            yield f'<optgroup label="{text(family)}">\n'
            for rule in some:
                yield f'<option value="{text(rule)}">{text(rule)} ({by_rule[rule]})</option>\n'
            yield "</optgroup>\n"
    yield ('</select></label>\n<button type="button" id="all" aria-pressed="false">Open all</button>\n'
           '<output id="shown" aria-live="polite"></output>\n</form>\n')


# -- findings ---------------------------------------------------------------------------------------------------------


def _file(path: str, findings: list[Finding], report: Report, opened: bool, seen: Counter[str]) -> Iterator[str]:
    yield f'<section class="file">\n<h2>{text(path)}</h2>\n'
    for finding in findings:
        yield from _finding(finding, report, opened, seen)
    yield "</section>\n"


def _finding(finding: Finding, report: Report, opened: bool, seen: Counter[str]) -> Iterator[str]:
    line, column = position(finding.place, report.sources)
    anchor = f"f-{fingerprint(finding)[:12]}"
    seen[anchor] += 1
    if seen[anchor] > 1:
        anchor += f"-{seen[anchor]}"
    words = f"{finding.place.path} {finding.rule} {finding.message} {finding.symbol}".lower()
    yield (f'<details class="finding" id="{anchor}" data-level="{finding.level}" data-rule="{text(finding.rule)}" '
           f'data-words="{text(words)}"{_ALL_OPEN if opened else ""}>\n'
           f'<summary><span class="tag {finding.level}">{finding.level}</span>'
           f'<span class="message">{prose(finding.message)}</span>'
           f'<span class="where"><code>{text(finding.rule)}</code> <span class="at">{line}:{column}</span></span>'
           "</summary>\n")
    yield f'<div class="body">\n{quoted(finding.place, report.sources.get(finding.place.path))}'
    if finding.steps:
        yield "<h3>Evidence</h3>\n<ol>\n"
        for step in finding.steps:
            yield _step(step, finding, report)
        yield "</ol>\n"
    if finding.related:
        yield "<h3>See also</h3>\n<ul>\n"
        for step in finding.related:
            yield _step(step, finding, report)
        yield "</ul>\n"
    for note in finding.notes:
        yield f'<p class="aside">{prose(note)}</p>\n'
    if finding.fix is not None:
        kind = "" if finding.fix.safe else '<span class="tag warning">unsafe</span>'
        yield f"<h3>Fix{kind}</h3>\n<p>{prose(finding.fix.title)}</p>\n"
        path = finding.place.path
        for hunk in hunks(finding.fix, report.sources):
            named = f'<p class="aside"><code>{text(hunk.path)}</code></p>\n' if hunk.path != path else ""
            path = hunk.path
            yield named + changed(hunk, report.sources.get(hunk.path))
    about = f'<a href="#r-{text(finding.rule)}">About this rule</a>' if finding.rule in report.rules.cards else ""
    yield f'<p class="more">{about}<a href="#{anchor}">Link to this finding</a></p>\n</div>\n</details>\n'


def _step(step: Step, finding: Finding, report: Report) -> str:
    line, column = position(step.place, report.sources)
    path = "" if step.place.path == finding.place.path else f"{text(step.place.path)}:"
    return (f'<li><span class="at">{path}{line}:{column}</span> {prose(step.message)}\n'
            f"{quoted(step.place, report.sources.get(step.place.path), around=0)}</li>\n")


# -- the rest ---------------------------------------------------------------------------------------------------------


def _rules(report: Report) -> Iterator[str]:
    """What the rules that reported something look for."""
    used = {finding.rule for finding in report.reported}
    cards = [card for card in report.rules.cards.values() if card.id in used]
    if not cards:
        return
    yield '<section class="rules">\n<h2>Rules</h2>\n<dl>\n'
    for card in cards:
        yield (f'<dt id="r-{text(card.id)}" tabindex="-1"><code>{text(card.id)}</code></dt>'
               f"<dd>{prose(card.summary)}</dd>\n")
    yield "</dl>\n<p><code>connlint explain RULE</code> shows all of a rule's card.</p>\n</section>\n"


def _not_checked(report: Report) -> Iterator[str]:
    """What the run does not know, which is part of what it says."""
    rows = [f"{number} files set aside: {text(reason)}" for reason, number in report.reasons()]
    if report.unknown_imports:
        rows.append(f"{report.unknown_imports} imports of which it is not known where they lead")
    if report.gone:
        rows.append(text(gone(report)))
    rows += [f"<code>{text(problem.path)}</code> {text(problem.message)}" for problem in report.problems]
    if rows:
        listed = "".join(f"<li>{row}</li>\n" for row in rows)
        yield f'<section class="rest">\n<h2>Not checked</h2>\n<ul>\n{listed}</ul>\n</section>\n'
