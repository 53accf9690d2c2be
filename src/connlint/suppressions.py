"""Comments that take findings away: reading them, applying them, and saying which of them do nothing.

``connlint: ignore[rule, other-rule] reason`` after ``#``, ``//``, in ``/* */`` or ``<!-- -->``. Behind code it covers
its own line; alone on a line, the next line that is not a comment. A finding is on a line if it starts or ends there.
Without brackets it covers every rule. ``ignore-file`` covers the file, and stands above its first statement. The reason
may be set off by ``--``. In a string it is no comment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from connlint.model.finding import Draft, Edit, Finding, Fix, Place, Suppression
from connlint.model.program import Comment, Evaluate, Text
from connlint.model.rule import Rules
from connlint.model.source import Source
from connlint.patterns import regex

if TYPE_CHECKING:
    from connlint.config import Config
    from connlint.project.module import Module

CHECK = "suppressions"
"""The check that the cards about suppressions name; its drafts are made by `apply`."""

_DIRECTIVE = regex(
    r"(?:^[\s*#/!<;-]*|[#/;]\s*|--\s+)(?P<all>connlint:[ \t]*(?P<verb>[a-z][a-z_-]*)(?P<rest>[^\n\r]*))", re.M | re.I
)
_END = regex(r"\s*(?:\*/|-->|\s(?:#|//)\s).*|\s+$")
_LIST = regex(r"\s*\[(?P<names>[^\]]*)\]")
_SEPARATOR = regex(r"\s*(?:--|[-:—–])?\s*")
_NAME = regex(r"[^\s,]+")
_VERBS = ("ignore", "ignore-file")
_FOREIGN = frozenset((
    "disable disable-line disable-next-line disable-file ignore-line ignore-next-line ignore-next ignore-all noqa "
    "nolint nosec off skip skip-file suppress allow"
).split())
"""What other linters call it; anything else after ``connlint:`` is taken for prose."""


# -- reading ----------------------------------------------------------------------------------------------------------


def collect(module: Module) -> list[Suppression]:
    """Every suppression in the comments of a module, malformed ones included, in the order in which they stand."""
    start = len(module.source.data)
    for statement in module.program.body:
        if not (type(statement) is Evaluate and type(statement.value) is Text):
            start = statement.at[0]
            break
    return list(_read(module.source, module.program.comments, start))


def collect_text(source: Source) -> list[Suppression]:
    """Every suppression in a file that is no code (YAML, Dockerfile, shell, TOML, ``.env``, JSON with comments)."""
    comments: list[Comment] = []
    first_statement = len(source.data)
    mark = "//" if source.path.endswith((".json", ".jsonc", ".json5")) else "#"
    for number, start in enumerate(source.line_starts(), 1):
        text = source.line_text(number)
        column = _comment_column(text, mark)
        if column is not None:
            start = max(start, source.bom)
            at = tuple(start + len(part.encode(source.encoding)) for part in (text[:column], text.rstrip()))
            comments.append(Comment(text[column:], (at[0], at[1]), not text[:column].strip()))
        if text.strip() and (column is None or text[:column].strip()):
            first_statement = min(first_statement, start)
    return list(_read(source, comments, first_statement))


def _comment_column(line: str, mark: str) -> int | None:
    """Where the comment of a line starts, if it has one that can concern us: alone, or with a directive in it."""
    marks = ("//", "/*") if mark == "//" else (mark,)
    stripped = line.lstrip()
    if stripped.startswith(marks):
        return len(line) - len(stripped)
    for found in re.finditer(rf"\s(?:{'|'.join(map(re.escape, marks))})\s*connlint:", line, re.I):
        before, after = line[:found.start()], line[found.end():]
        # a quote that opens before and closes behind makes it part of a string; an apostrophe alone does not
        if not any(before.count(quote) % 2 and quote in after for quote in "\"'"):
            return found.start() + 1
    return None


def _read(source: Source, comments: Iterable[Comment], first_statement: int) -> Iterator[Suppression]:
    comments = list(comments)
    texts = [(comment, source.slice(comment.at)) for comment in comments]
    if not any("connlint:" in text.lower() for _, text in texts):
        return
    alone: set[int] = set()
    for comment in comments:
        first, last = source.line(comment.at[0]), source.line(max(comment.at[0], comment.at[1] - 1))
        if _stands_alone(source, comment, first, last):
            alone.update(range(first, last + 1))
    for comment, text in texts:
        for found in _DIRECTIVE.finditer(text):
            suppression = _parse(source, comment, text, found, alone, first_statement)
            if suppression is not None:
                yield suppression


def _around(source: Source, comment: Comment, first: int, last: int) -> tuple[str, str]:
    """What stands before a comment on its first line and after it on its last, stripped."""
    starts = source.line_starts()
    end = starts[last] if last < len(starts) else len(source.data)
    return source.slice((max(starts[first - 1], source.bom), comment.at[0])).strip(), \
        source.slice((comment.at[1], end)).strip()


def _stands_alone(source: Source, comment: Comment, first: int, last: int) -> bool:
    return _around(source, comment, first, last) in (("", ""), ("{", "}"))


def _parse(source: Source, comment: Comment, text: str, found: re.Match[str], alone: set[int],
           first_statement: int) -> Suppression | None:
    verb = found["verb"].lower().replace("_", "-")
    fault = None
    if verb not in _VERBS:
        near = _near(verb)
        if near is None:
            return None
        fault = f"`connlint: {verb}` is not known; write `connlint: {near}[…]`"
    rest = found["rest"]
    if end := _END.search(rest):
        rest = rest[:end.start()]

    def byte(character: int) -> int:
        return comment.at[0] + len(text[:character].encode(source.encoding))

    names: list[tuple[str, tuple[int, int]]] = []
    after = 0
    if listed := _LIST.match(rest):
        after = listed.end()
        base = found.start("rest") + listed.start("names")
        names = [(name[0], (byte(base + name.start()), byte(base + name.end()))) for name in
                 _NAME.finditer(listed["names"])]
        if not names:
            fault = fault or "no rule stands in the brackets"
    elif rest.lstrip().startswith("["):
        fault = fault or "the list of rules has no closing bracket"
    elif rest.startswith(("(", "=")):
        fault = fault or f"rules stand in square brackets: `connlint: {verb}[…]`"
    separator = _SEPARATOR.match(rest, after)
    reason = rest[separator.end() if separator else after:].strip()
    first, last = source.line(comment.at[0]), source.line(max(comment.at[0], comment.at[1] - 1))
    covers = first
    if verb == "ignore-file":
        covers = 0
        if comment.at[0] > first_statement:
            fault = fault or "`ignore-file` stands above the first statement of a file"
    elif first in alone:
        covers = last + 1
        while covers in alone:
            covers += 1
    elif not _around(source, comment, first, last)[0]:
        covers = last
    at = (byte(found.start("all")), byte(found.start("rest") + len(rest)))
    return Suppression(tuple(name for name, _ in names), reason, Place(source.path, at), covers,
                       tuple(span for _, span in names), fault)


def _near(verb: str) -> str | None:
    """The directive that was meant by an unknown word after ``connlint:``; None where it is prose."""
    if verb in _FOREIGN:
        return "ignore-file" if verb.endswith("-file") else "ignore"
    from difflib import get_close_matches

    return next(iter(get_close_matches(verb, _VERBS, 1, 0.8)), None)


# -- applying ---------------------------------------------------------------------------------------------------------


def apply(findings: Iterable[Finding], suppressions: Iterable[Suppression], sources: Mapping[str, Source], rules: Rules,
          config: Config, unsure: Collection[str] = ()) -> tuple[list[Finding], list[Draft]]:
    """The findings, those that a comment covers with their suppression, and what is to be said of the comments.

    ``sources`` holds the file of every finding and suppression. A comment is unused only if its rule was run on its
    file; ``unsure`` are paths of files that were not read to the end, of which nothing is said. Outcomes of the drafts:
    "malformed", "unknown-rule", "no-reason", "unused" (some rules of a list, or all of them), "unused-all".
    """
    rows = [_judged(suppression, rules) for suppression in suppressions]
    placed: dict[str, dict[int, list[int]]] = {}
    for number, suppression in enumerate(rows):
        if suppression.fault is None:
            placed.setdefault(suppression.place.path, {}).setdefault(suppression.covers, []).append(number)
    used: list[set[str]] = [set() for _ in rows]
    result: list[Finding] = []
    for finding in findings:
        covering = placed.get(finding.place.path)
        if covering:
            lines = _lines(finding, sources[finding.place.path])
            chosen = _covering(finding, (n for line in lines for n in covering.get(line, ())), rows, rules)
            if chosen is not None:
                number, name = chosen
                used[number].add(name)
                finding = replace(finding, suppression=rows[number])
        result.append(finding)
    drafts: list[Draft] = []
    for suppression, names in zip(rows, used):
        path = suppression.place.path
        if suppression.fault is not None:
            drafts.append(_draft("malformed", suppression, suppression.place, "fault", suppression.fault))
            continue
        drafts += _unknown(suppression, rules)
        if config.require_reason and not suppression.reason:
            drafts.append(_draft("no-reason", suppression, suppression.place))
        if path not in unsure:
            drafts += _unused(suppression, names, sources[path], rules, config)
    return result, drafts


def _lines(finding: Finding, source: Source) -> tuple[int, ...]:
    """The lines on which a comment covers ``finding``: where it starts, where it ends, and 0 for the whole file."""
    start, end = finding.place.at
    first, last = source.line(start), source.line(max(start, end - 1))
    return (first, 0) if first == last else (first, last, 0)


def _covering(finding: Finding, numbers: Iterable[int], rows: list[Suppression],
              rules: Rules) -> tuple[int, str] | None:
    """The first suppression that covers ``finding``, and the name by which it does ("" for one without a list)."""
    card = rules.cards.get(finding.rule)
    for number in numbers:
        names = rows[number].rules
        for name in (finding.rule, card.family if card else finding.rule):
            if name in names:
                return number, name
        if not names:
            return number, ""
    return None


def _judged(suppression: Suppression, rules: Rules) -> Suppression:
    """``suppression`` with the fault that only the names of the rules can tell: a rule outside of brackets."""
    if suppression.fault is None and not suppression.rules:
        first = suppression.reason.split(maxsplit=1)[:1]
        if first and first[0].rstrip(",:;") in rules.cards:
            return replace(suppression, fault=f"`{first[0].rstrip(',:;')}` stands in brackets: `connlint: ignore[…]`")
    return suppression


def _draft(outcome: str, suppression: Suppression, place: Place, slot: str = "", text: str = "",
           fix: Fix | None = None) -> Draft:
    return Draft(outcome, place, {slot: text} if slot else {}, ",".join(suppression.rules), fix=fix)


def _unknown(suppression: Suppression, rules: Rules) -> Iterator[Draft]:
    families = rules.families()
    for name, at in zip(suppression.rules, suppression.names):
        if name not in rules.cards and name not in families:
            from connlint.config import did_you_mean

            near = did_you_mean(name, [*rules.cards, *families]).replace("'", "`")
            yield _draft("unknown-rule", suppression, Place(suppression.place.path, at), "rule", f"`{name}`{near}")


def _unused(suppression: Suppression, used: set[str], source: Source, rules: Rules, config: Config) -> Iterator[Draft]:
    """Say which rules of a list cover nothing, as far as they were run on the file; offer to take them out."""

    def ran(name: str) -> bool:
        cards = [card for card in rules.cards.values() if name in (card.id, card.family, "") and card.check != CHECK]
        return bool(cards) and all(
            config.selects(card) and not config.ignored_in(card, suppression.place.path) for card in cards
        )

    names = suppression.rules or ("",)
    idle = [name for name in names if name not in used and ran(name)]
    if not idle:
        return
    whole = len(idle) == len(names)
    edit = _removal(source, suppression) if whole else _shortened(suppression, idle)
    fix = Fix("Remove the comment" if whole else "Take it out of the list", (edit,), safe=True) if edit else None
    if names == ("",):
        yield _draft("unused-all", suppression, suppression.place, fix=fix)
    else:
        text = ", ".join(f"`{name}`" for name in idle)
        yield _draft("unused", suppression, suppression.place, "rules", text, fix)


def _shortened(suppression: Suppression, idle: list[str]) -> Edit:
    """Leave only the names in the list that cover something."""
    at = (suppression.names[0][0], suppression.names[-1][1])
    return Edit(Place(suppression.place.path, at), ", ".join(name for name in suppression.rules if name not in idle))


_OPENER = regex(r"(?:\{\s*)?(?P<mark>/\*+|//+|#+|<!--)\s*$")
_CLOSER = regex(r"\s*(?:\*/(?:\s*\})?|-->)")
_NEXT_COMMENT = regex(r"\s+(?=#|//)")


def _removal(source: Source, suppression: Suppression) -> Edit | None:
    """Take the comment away, with its line if nothing else stands there; None inside a longer comment."""
    start, end = suppression.place.at
    number = source.line(start)
    line_start = max(source.line_starts()[number - 1], source.bom)
    line = source.line_text(number)
    first, last = len(source.slice((line_start, start))), len(source.slice((line_start, end)))
    opener = _OPENER.search(line, 0, first)
    if opener is None:
        return None
    if opener["mark"][0] == "#" or opener["mark"].startswith("//"):
        following = _NEXT_COMMENT.match(line, last)
        if not following and line[last:].strip():
            return None
        begin, stop = opener.start("mark"), following.end() if following else len(line)
    else:
        closer = _CLOSER.match(line, last)
        if closer is None:
            return None
        begin, stop = opener.start(), closer.end()
        if opener[0].startswith("{") != closer[0].endswith("}"):
            begin, stop = opener.start("mark"), line.index("*/", last) + 2
    if not line[stop:].strip():
        begin, stop = len(line[:begin].rstrip()), len(line)
    at = tuple(line_start + len(line[:column].encode(source.encoding)) for column in (begin, stop))
    if begin == 0 and stop == len(line):
        starts = source.line_starts()
        at = (line_start, starts[number] if number < len(starts) else len(source.data))
    return Edit(Place(suppression.place.path, (at[0], at[1])), "")
