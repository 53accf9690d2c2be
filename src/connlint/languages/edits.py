"""What edits of every language share: applying them, the lines of a file, and the proof that nothing else changed."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from msgspec import Struct

from connlint.languages.dump import dump
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span, Undecodable


def applied(source: Source, edits: Iterable[Edit]) -> bytes:
    """The bytes of the file with ``edits``, which must not overlap; raises UnicodeEncodeError outside its encoding."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.place.at):
        start, end = edit.place.at
        parts += [source.data[at:start], edit.text.encode(source.encoding)]
        at = end
    return b"".join((*parts, source.data[at:]))


def insertion(source: Source, at: int, text: str) -> Edit:
    """``text`` before byte ``at``."""
    return Edit(Place(source.path, (at, at)), text)


_V = TypeVar("_V")
_A = TypeVar("_A")


def kept_for_the_last(function: Callable[[_V], _A]) -> Callable[[_V], _A]:
    """``function``, which keeps what it made of the last object: where one edit of a file is asked for, others are."""
    known: list[tuple[Any, Any]] = [(object(), None)]

    def ask(value: _V) -> _A:
        before, answer = known[0]
        if before is not value:
            answer = function(value)
            known[0] = value, answer
        return cast("_A", answer)

    return ask


_MANY = 8
"""Statements at the top of a program that is worth keeping as a list of its nodes."""


def everything(nodes: Iterable[Any]) -> Iterator[Any]:
    """``nodes`` and all nodes below them, in no order that means anything."""
    if type(nodes) is tuple and len(nodes) > _MANY:
        return iter(_all_below(nodes))
    return iter(_walked(nodes))


def _walked(nodes: Iterable[Any]) -> list[Any]:
    found, todo = [], list(nodes)
    while todo:
        node = todo.pop()
        found.append(node)
        todo.extend(p.children(node))
    return found


_all_below = kept_for_the_last(_walked)


# -- lines ------------------------------------------------------------------------------------------------------------


def line_end(source: Source) -> str:
    """What ends the lines of the file."""
    found = re.search(r"\r\n|\n|\r", source.text)
    return found[0] if found else "\n"


def line_start(source: Source, offset: int) -> int:
    """The first byte of the line of byte ``offset``; a byte-order mark is no part of a line."""
    return max(source.line_starts()[source.line(offset) - 1], source.bom)


def line_stop(source: Source, offset: int) -> int:
    """The byte behind the text of the line of ``offset``, where its line end begins."""
    return line_start(source, offset) + len(source.line_text(source.line(offset)).encode(source.encoding))


def next_line(source: Source, offset: int, comment: str) -> int | None:
    """The start of the line after that of ``offset``; None where more than a ``comment`` (a pattern) comes before."""
    starts = source.line_starts()
    line = source.line(offset)
    stop = starts[line] if line < len(starts) else len(source.data)
    rest = source.slice((offset, stop)).strip(" \t\f\r\n")
    return stop if not rest or re.fullmatch(comment, rest) else None


def whole_line(source: Source, at: Span) -> tuple[int, str] | None:
    """The start and the indentation of the line on which the statement at ``at`` is the first; None where it is not."""
    start = line_start(source, at[0])
    indent = source.slice((start, at[0]))
    return None if indent.strip(" \t\f") else (start, indent)


def deeper(source: Source, start: int, indent: str) -> str | None:
    """What the lines above byte ``start`` add to their indentation where it becomes ``indent``; None where none do."""
    for line in reversed(source.text[: source.byte_to_char(start)].splitlines()):
        above = line[: len(line) - len(line.lstrip(" \t"))]
        if line.strip() and len(above) < len(indent) and indent.startswith(above):
            return indent[len(above) :]
    return None


def indented(source: Source, at: Span, unit: str, fixed: Sequence[Span]) -> str:
    """The lines at ``at``, one level deeper; empty lines and lines that start inside a span of ``fixed`` stay."""
    fixed = [span for span in fixed if span[0] < at[1] and at[0] < span[1]]
    lines, position = [], at[0]
    for line in re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", source.slice(at)):
        inside = any(start < position < end for start, end in fixed)
        lines.append(line if inside or not line.strip() else unit + line)
        position += len(line.encode(source.encoding))
    return "".join(lines)


def without_lines(source: Source, at: Span, comment: str) -> Edit | None:
    """Take the statement at ``at`` away with its line; None where it shares its lines with anything else."""
    line, stop = whole_line(source, at), next_line(source, at[1], comment)
    if line is None or stop is None:
        return None
    rest = source.slice((at[1], stop)).strip(" \t\f\r\n;")
    return None if rest else Edit(Place(source.path, with_blank_line(source, line[0], stop)), "")


def with_blank_line(source: Source, start: int, stop: int) -> Span:
    """The lines from ``start`` to ``stop``, and the empty one behind them where one stands before them already."""
    line = source.line(start)
    is_blank = line == 1 or not source.line_text(line - 1).strip()
    starts = source.line_starts()
    behind = source.line(stop)
    if is_blank and stop < len(source.data) and not source.line_text(behind).strip() and behind < len(starts):
        return start, starts[behind]
    return start, stop


def moved_before(source: Source, moved: Iterable[Span], before: Span, comment: str, imports: Collection[Span] = (), *,
                 apart: bool = False) -> list[Edit] | None:
    """The edits that put whole statements, with the comments on their lines and above, before the one at ``before``.

    All stand at the margin, and those that move stand behind it. With ``apart``, empty lines part the ``imports`` from
    what is none. None where one shares its lines with another.
    """
    moved = sorted(set(moved))
    end, text, gone = line_end(source), "", list[Span]()
    was_import: bool | None = None
    for at in moved:
        line, stop = whole_line(source, at), next_line(source, at[1], comment)
        if line is None or line[1] or stop is None or at[0] <= before[0]:
            return None
        start = own_comments(source, line[0], stop, comment)
        is_import = at in imports
        text += end * (apart and was_import is not None and is_import is not was_import)
        text += source.slice((start, stop))
        was_import = is_import
        start = gone.pop()[0] if gone and gone[-1][1] == start else start
        gone.append((start, stop))
    edits = [Edit(Place(source.path, with_blank_line(source, *lines)), "") for lines in gone]
    head = whole_line(source, before)
    if head is None or head[1] or not edits:
        return None
    if not text.endswith(("\n", "\r")):
        text += end
    heading = _heading(source, head[0], comment)
    if heading is not None and not apart:
        return [insertion(source, heading, text + end), *edits]
    if apart and was_import is False and before in imports:
        above = source.line_text(source.line(head[0]) - 1).strip() if source.line(head[0]) > 1 else ""
        text = f"{end * (bool(above) and min(moved) not in imports)}{text}{end}"
    return [insertion(source, head[0], text), *edits]


def _heading(source: Source, start: int, comment: str) -> int | None:
    """The start of the comment lines right above, which a blank line parts from what stands before them."""
    first = line = source.line(start)
    while line > 1 and re.fullmatch(comment, source.line_text(line - 1).strip()):
        line -= 1
    parted = 1 < line < first and not source.line_text(line - 1).strip()
    return source.line_starts()[line - 1] if parted else None


def own_comments(source: Source, start: int, stop: int, comment: str) -> int:
    """The start of the comment lines right above, where they are about these lines alone: nothing follows at once."""
    if stop < len(source.data) and source.line_text(source.line(stop)).strip():
        return start
    line = source.line(start)
    while line > 1 and re.fullmatch(comment, source.line_text(line - 1).rstrip()):
        line -= 1
    return source.line_starts()[line - 1] if line > 1 else start


# -- calls ------------------------------------------------------------------------------------------------------------


def without_argument(source: Source, call: p.Call, argument: p.Argument) -> Edit | None:
    """Take ``argument`` out of ``call``, with the comma that goes with it; None where more stands between."""
    place = next(i for i, one in enumerate(call.args) if one is argument)
    spans = [argument_at(source, one) for one in call.args]
    own = spans[place]
    before, after = spans[place - 1] if place else None, spans[place + 1] if place + 1 < len(spans) else None
    if own is None or (place and before is None):
        return None
    start, end = own
    if before is not None:
        start = before[1]
    elif after is not None:
        end = after[0]
    gone = source.slice((start, own[0])) + source.slice((own[1], end))
    return Edit(Place(source.path, (start, end)), "") if not gone.strip(", \t\r\n") else None


def argument_at(source: Source, argument: p.Argument) -> Span | None:
    """The span of an argument with its keyword; None where it is written in a way that cannot be told."""
    start, end = argument.value.at
    if argument.spread:
        return None
    if argument.name is not None:
        written = re.search(rf"\b{re.escape(argument.name)}\s*=\s*$", source.slice((max(0, start - 200), start)))
        if written is None:
            return None
        start -= len(written[0].encode(source.encoding))
    return start, end


# -- blocks -----------------------------------------------------------------------------------------------------------


def block_of(body: Sequence[p.Statement], at: Span) -> Sequence[p.Statement] | None:
    """The statements in a row among which one stands exactly at ``at``, wherever they are in ``body``."""
    return _blocks(body).get(at)


@kept_for_the_last
def _blocks(body: Sequence[p.Statement]) -> dict[Span, Sequence[p.Statement]]:
    found: dict[Span, Sequence[p.Statement]] = {}
    for block in _all_blocks(body):
        for statement in block:
            found.setdefault(statement.at, block)
    return found


def _all_blocks(body: Sequence[p.Statement]) -> Iterator[Sequence[p.Statement]]:
    yield body
    for node in everything(body):
        for name in ("body", "then", "otherwise", "always"):
            inner = getattr(node, name, None)
            if inner and isinstance(inner, tuple) and isinstance(inner[0], p.Statement):
                yield inner


# -- proof ------------------------------------------------------------------------------------------------------------


Parts = Callable[[Source, Source, Fix], tuple[Source, Source, int]]
"""What has to be read of a file before and after a fix, and the byte at which it starts."""
Read = Callable[[Source], p.Program]


def proved(source: Source, fix: Fix, read: Read, *, keeps: bool = True, cookie: bool = False,
           parts: Parts | None = None) -> Fix | None:
    """``fix``, if the file still reads well with it and says the same wherever it was not touched.

    ``read`` reads the edited file, or the ``parts`` of it that matter; without them, the statements at the top level
    that are touched and their neighbours, where they read the same alone. With ``keeps``, nothing that the file said
    may be gone, touched or not. ``cookie`` as in `Source.decode`.
    """
    try:
        after = Source.decode(source.path, applied(source, fix.edits), cookie=cookie)
    except (UnicodeEncodeError, Undecodable):
        return None
    if source.encoding != after.encoding:
        return None
    if parts is not None:
        before, edited, offset = parts(source, after, fix)
        if _Reading.of(before, read).program.problems:
            return None
        return fix if _says_the_same(_Reading.of(before, read), read(edited), fix, keeps, offset) else None
    old = _Reading.of(source, read)
    if old.program.problems:
        return None  # what was not read may hold what the fix would write a second time
    pairs = _touched(old, after, fix, read)
    if pairs is None:
        return fix if _says_the_same(old, read(after), fix, keeps, 0) else None
    if all(_says_the_same(part, read(edited), fix, keeps, offset) for part, edited, offset in pairs):
        return fix
    # what has moved from one place to another is missed at the first
    return fix if keeps and len(pairs) > 1 and _says_the_same(old, read(after), fix, keeps, 0) else None


class _Reading(Struct):
    """What was read of a file, or a part of it, before a fix."""

    source: Source
    program: p.Program
    said: list[str]
    leaves: Counter[tuple[str, Any]]

    @classmethod
    def of(cls, source: Source, read: Read) -> _Reading:
        """The reading of ``source``: many fixes are asked for of one file, so the last one is kept."""
        global _last  # noqa: PLW0603 - saves work and changes nothing
        found = _last
        if found is None or found.source is not source:
            program = read(source)
            said = [_said(program, statement) for statement in program.body]
            found = _last = cls(source, program, said, _leaves(program))
        return found

    def part(self, at: Span, read: Read) -> _Reading | None:
        """The reading of the bytes ``at`` alone; None where it is not what the whole file says there."""
        source = Source.decode(self.source.path, self.source.data[slice(*at)])
        program = read(source)
        said = [_said(program, statement) for statement in program.body]
        whole = [text for statement, text in zip(self.program.body, self.said, strict=True)
                 if at[0] <= _extent(statement)[0] < at[1]]
        return None if program.problems or said != whole else _Reading(source, program, said, _leaves(program))


_last: _Reading | None = None


def _says_the_same(old: _Reading, new: p.Program, fix: Fix, keeps: bool, offset: int) -> bool:
    """Whether ``new`` reads as well as ``old``, which starts at ``offset``, and says what ``fix`` does not touch."""
    if new.problems:
        return False
    said = {_said(new, statement) for statement in new.body}
    for statement, text in zip(old.program.body, old.said, strict=True):
        start, end = (place + offset for place in _extent(statement))
        touched = any(edit.place.at[0] < end and start < edit.place.at[1] for edit in fix.edits)
        inside = any(start < edit.place.at[0] < end for edit in fix.edits)
        if not touched and not inside and text not in said:
            return False
    return not (keeps and old.leaves - _leaves(new))


_COMPONENTS = (".vue", ".svelte", ".ipynb")
"""Files whose statements lie in something else."""


def _touched(old: _Reading, after: Source, fix: Fix, read: Read) -> list[tuple[_Reading, Source, int]] | None:
    """The parts of a file that the edits touch: each as it was read before, as it is now, and where it started.

    A part is made of statements at the top level, with one that is not touched on either side. None where the parts are
    most of the file, or do not read alone as they do in it.
    """
    before = old.source
    if before.encoding != "utf-8" or before.bom or before.path.endswith(_COMPONENTS):
        return None
    regions: list[Span] = []
    spans = _merged(_extent(statement) for statement in old.program.body)
    for edit in sorted(fix.edits, key=lambda edit: edit.place.at):
        start, end = _around(spans, edit.place.at, len(before.data))
        if regions and start <= regions[-1][1]:
            start, end = regions[-1][0], max(end, regions.pop()[1])
        regions.append((start, end))
    if sum(end - start for start, end in regions) * 2 > len(before.data):
        return None
    found, grown = [], 0
    for start, end in regions:
        part = old.part((start, end), read)
        if part is None:
            return None
        longer = sum(len(edit.text.encode()) - edit.place.at[1] + edit.place.at[0] for edit in fix.edits
                     if start <= edit.place.at[0] < end)
        found.append((part, Source.decode(after.path, after.data[start + grown : end + grown + longer]), start))
        grown += longer
    return found


def _extent(statement: p.Statement) -> Span:
    """What belongs to a statement: decorators may stand in front of the word ``export``, and it behind that."""
    start, end = statement.at
    if type(statement) is p.Define and type(statement.value) in (p.Class, p.Function):
        start = min([start, *(decorator.at[0] for decorator in statement.value.decorators)])
    return start, end


def _merged(spans: Iterable[Span]) -> list[Span]:
    """``spans`` in order, with those that overlap made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            start, end = found[-1][0], max(end, found.pop()[1])
        found.append((start, end))
    return found


def _around(spans: list[Span], at: Span, size: int) -> Span:
    """The bytes around ``at`` that hold one whole span before it and one behind it, where there are any."""
    before = bisect_left(spans, at[0], key=lambda span: span[1])
    behind = bisect_right(spans, at[1], key=lambda span: span[0])
    return (spans[before - 2][1] if before > 1 else 0, spans[behind + 1][0] if behind + 1 < len(spans) else size)


def _leaves(program: p.Program) -> Counter[tuple[str, Any]]:
    """The names and values of a program, each as often as it stands there."""
    leaves: Counter[tuple[str, Any]] = Counter()
    for node in everything(program.body):
        kind = type(node)
        if kind is p.Name:
            leaves["name", node.id] += 1
        elif kind is p.Member:
            leaves["member", node.name] += 1
        elif kind in (p.Text, p.Number, p.Constant):
            leaves["value", node.value] += 1
    return leaves


def _said(program: p.Program, statement: p.Statement) -> str:
    return dump(p.Program(program.language, (statement,)))
