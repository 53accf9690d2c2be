"""Text edits of JavaScript and TypeScript files, each proved before it is offered.

Every function takes the source, its program (read whole) and places, and returns a `Fix`, or None where the edit
cannot be written or does not hold: the edited file is read again, it must have no new problem, and every top-level
statement that the edit does not touch must say what it said before. Edits carry the line ends of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from connlint.languages.dump import dump_expression
from connlint.languages.edits import (
    block_of,
    everything,
    indented,
    insertion,
    kept_for_the_last,
    line_end,
    moved_before,
    next_line,
    own_comments,
    proved,
    whole_line,
    with_blank_line,
    without_lines,
)
from connlint.languages.javascript.read import read
from connlint.languages.javascript.style import has_semicolons, indent_unit, quote_at
from connlint.languages.renaming import renamed_uses
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_COMMENT = r"//.*|/\*(?:(?!\*/).)*\*/"
_NAME = regex(r"[A-Za-z_$][\w$]*")
_MODULE = (p.Import, p.Export)
_BLANK = regex(r"\A(?:[ \t]*(?:\r\n|\n|\r))+")
_SHORT = 4
"""So many lines behind a release go into the ``try`` as well; more than that, and a name is declared before it."""


# -- releasing on every way out ---------------------------------------------------------------------------------------


def release_in_finally(
    source: Source, program: p.Program, acquire: Span, release: Span | str, title: str, caught: str = ""
) -> Fix | None:
    """Put what follows the statement at ``acquire`` into ``try``, and the release into ``finally``.

    ``caught`` is the text of a statement that an error leads to first, without its semicolon.

    ``release`` is the place of a later statement of the same block, which moves into the ``finally``, or, where there
    is none, the text of one without its semicolon. What uses a declaration from between the two after the release goes
    into the ``try`` as well, where it is short and awaits nothing; else the one name that is used is declared before
    it. Never safe: the release then also runs where it did not.
    """
    block = block_of(program.body, acquire)
    if block is None:
        return None
    place = next(i for i, statement in enumerate(block) if statement.at == acquire)
    following = [statement for statement in block[place + 1 :] if statement.at != acquire]
    inside, after = following, []
    if not isinstance(release, str):
        at = next((i for i, statement in enumerate(following) if statement.at == release), 0)
        inside, after = following[:at], following[at + 1 :]
    if not inside or any(type(statement) in _MODULE for statement in inside):
        return None
    if _releases(block, release) > (not isinstance(release, str)):
        return None  # it is released on some way already, and would be twice
    before = block[: place + 1]
    handed = None
    if shared := _declared(inside) & _used((*before, *after)):
        if _declared(inside) & _used(before):
            return None
        handed = _handed(source, inside, after, shared)
        waits = any(type(node) is p.Await for node in everything(after))
        if not waits and (handed is None or _rows(source, after) <= _SHORT):
            inside, after, handed = [*inside, *after], [], None
        elif handed is None:
            return None
        if any(type(statement) in _MODULE for statement in inside) or _declared(inside) & _used(before):
            return None
    lines = _Lines(source, program, acquire)
    text = lines.guarded(inside, release, handed, caught)
    if text is None or lines.place is None:
        return None
    return proved(source, Fix(title, (Edit(Place(source.path, lines.place), text),)), read)


def _releases(block: Sequence[p.Statement], release: Span | str) -> int:
    """How many calls in the block call the same method of the same thing as the release does."""
    calls = [node for node in everything(block) if type(node) is p.Call]
    if isinstance(release, str):
        wanted = release.removeprefix("await ").partition("(")[0].strip()
    else:
        inner = [call for call in calls if _covers(release, call.at)]
        if not inner:
            return 1
        wanted = dump_expression(max(inner, key=lambda call: call.at[1] - call.at[0]).callee)
    return sum(dump_expression(call.callee) == wanted for call in calls)


def _texts(source: Source, program: p.Program) -> list[Span]:
    """Where texts stand that may go over lines; in files that cannot be parsed, whatever may be one."""
    from connlint.languages.javascript.syntax import parse

    root = parse(source.path, source.data)
    if root is None:
        return [at for at in _maybe_texts(program) if source.data[at[0] : at[0] + 1] in b"`'\""]
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        if node.type in ("template_string", "string"):
            found.append((node.start_byte, node.end_byte))
        else:
            stack += node.children
    return found


@kept_for_the_last
def _maybe_texts(program: p.Program) -> list[Span]:
    """Where texts stand, and what may be one."""
    return [node.at for node in everything(program.body) if type(node) in (p.Text, p.Concat, p.Sequence)]


class _Lines:
    """The lines that a ``try`` is put around."""

    def __init__(self, source: Source, program: p.Program, acquire: Span) -> None:
        self.source, self.program, self.acquire = source, program, acquire
        self.place: Span | None = None
        self.fixed = _texts(source, program)

    def guarded(self, inside: Sequence[p.Statement], release: Span | str, handed: p.Let | None,
                caught: str) -> str | None:
        """The text of ``try`` and ``finally``; sets ``place`` to the lines that it replaces.

        What ``handed`` declares is declared before the ``try``, and gets its value in it.
        """
        source, end = self.source, line_end(self.source)
        head, begin = whole_line(source, self.acquire), next_line(source, self.acquire[1], _COMMENT)
        stop = next_line(source, inside[-1].at[1], _COMMENT)
        if head is None or begin is None or stop is None or begin > inside[0].at[0]:
            return None
        indent = head[1]
        unit = indent_unit(source, *head)
        if isinstance(release, str):
            mark = ";" if source.data[self.acquire[1] - 1 : self.acquire[1]] == b";" else ""
            body, moved = indented(source, (begin, stop), unit, self.fixed), f"{indent}{unit}{release}{mark}{end}"
        else:
            line, after = whole_line(source, release), next_line(source, release[1], _COMMENT)
            if line is None or after is None:
                return None
            last = max((s.at[1] for s in inside if s.at[1] <= release[0]), default=begin)
            start = next_line(source, last, _COMMENT)
            if start is None or start > line[0]:
                return None
            moved = indented(source, (start, after), unit, self.fixed).lstrip("\r\n")
            body = indented(source, (begin, start), unit, self.fixed)
            if stop > after:  # statements behind the release come before it now
                body += indented(source, (after, stop), unit, self.fixed)
            stop = max(stop, after)
        declared = ""
        if handed is not None:
            body, declared = self._split(handed, body, indent)
        body = _BLANK.sub("", body)
        if caught:
            mark = ";" if has_semicolons(source, self.program) else ""
            caught = caught.replace("'", quote_at(source, self.acquire))
            rows = (f"{indent}}} catch (error) {{", f"{indent}{unit}{caught}{mark}", f"{indent}{unit}throw error{mark}")
            body = f"{body}{'' if body.endswith(end) else end}{end.join(rows)}"
        parts = [*[declared] * bool(declared), f"{indent}try {{", body, f"{indent}}} finally {{", moved, f"{indent}}}"]
        text = "".join(part if part.endswith(("\n", "\r")) else part + end for part in parts)
        self.place = begin, stop
        ends = source.data[:stop].endswith((b"\n", b"\r")) or source.slice((begin, stop)).endswith(("\n", "\r"))
        return text if ends else text.removesuffix(end)


    def _split(self, handed: p.Let, body: str, indent: str) -> tuple[str, str]:
        """``body`` with an assignment in the place of a declaration, and the declaration without a value."""
        assert handed.value is not None
        assert type(handed.target) is p.Name
        source, name = self.source, handed.target.id
        head = source.slice((handed.at[0], handed.value.at[0]))
        mark = ";" if source.data[handed.at[1] - 1 : handed.at[1]] == b";" else ""
        typed = head[head.index(name) + len(name) :].rstrip("= \t")
        own = re.compile(rf"^([ \t]*){re.escape(head)}", re.M)
        return own.sub(rf"\1{name} = ", body, count=1), f"{indent}let {name}{typed}{mark}"


def _handed(source: Source, inside: Sequence[p.Statement], after: Sequence[p.Statement],
            shared: set[str]) -> p.Let | None:
    """The declaration of the one name that is used behind a release too, where it can be taken from its value.

    Where types are inferred, functions would not see that of a name which is declared without a value.
    """
    found = [s for s in inside if type(s) is p.Let and type(s.target) is p.Name and {s.target.id} == shared]
    if len(shared) != 1 or len(found) != 1 or found[0].value is None or whole_line(source, found[0].at) is None:
        return None
    let, (name,) = found[0], shared
    head = source.slice((let.at[0], found[0].value.at[0]))
    if not re.match(rf"(?:const|let)\s+{re.escape(name)}\b[^\r\n]*=\s*$", head):
        return None
    functions = [node for node in everything((*inside, *after)) if type(node) is p.Function]
    inferred = ":" not in head
    return None if inferred and name in _used(functions) else let


def _rows(source: Source, statements: Sequence[p.Statement]) -> int:
    """How many lines some statements in a row take."""
    return source.line(statements[-1].at[1]) - source.line(statements[0].at[0]) + 1 if statements else 0


def _declared(statements: Iterable[p.Statement]) -> set[str]:
    """The names that statements of one block bind in that block alone."""
    names: set[str] = set()
    for statement in statements:
        if type(statement) is p.Let and statement.how != "var":
            names |= {node.id for node in everything((statement.target,)) if type(node) is p.Name}
        elif type(statement) is p.Define:
            names.add(statement.name)
        elif type(statement) is p.Types:
            names |= set(statement.names)
    return names


def _used(statements: Iterable[Any]) -> set[str]:
    names = set()
    for node in everything(statements):
        if type(node) is p.Name:
            names.add(node.id)
        elif type(node) is p.ExportedName:
            names.add(node.local)
    return names


# -- names and imports ------------------------------------------------------------------------------------------------


def respell(source: Source, program: p.Program, at: Span, name: str) -> Fix | None:
    """Take ``name`` from another module where the name at ``at`` is taken, and use it wherever the file uses that.

    Where not all uses are seen, the file goes on to call it what it did.

    ``at`` is a name inside the braces of an import, a re-export or a destructured ``require``, or a member's name.
    """
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(source.slice(at)):
        return None
    text, more = None, None
    for node in everything(program.body):
        kind = type(node)
        if kind is p.ImportedName and _covers(node.at, at) and node.name not in ("*", "default"):
            text = _renamed(source, node.at, at, name, " as ")
            if text not in (name, None):
                more = renamed_uses(source, program, source.slice(at), name)
                text = name if more is not None else text
        elif kind is p.Export and node.source is not None:
            for one in node.names:
                if _covers(one.at, at) and one.local != "*":
                    text = _renamed(source, one.at, at, name, " as ")
        elif kind is p.Entry and type(node.key) is p.Text and node.key.at == at:
            text = name if node.value.at[0] > at[1] else f"{name}: {source.slice(at)}"
        elif kind is p.Member and node.name_at == at:
            text = name
    if text is None:
        return None
    edits = (Edit(Place(source.path, at), text), *(more or ()))
    return proved(source, Fix(f"Use {name}", edits), read, keeps=False)


def from_module(
    source: Source, program: p.Program, statement: p.Import, name: p.ImportedName, module: str
) -> Fix | None:
    """Import ``name`` from ``module`` instead; the other names of the ``statement`` stay where they are."""
    text = source.slice(statement.at)
    named = [one for one in statement.names if one.name not in ("*", "default") or " as " in source.slice(one.at)]
    if name not in named or not re.search(r"\{[^{}]*\}\s*from\s*[\"']", text) or '"' in module or "'" in module:
        return None
    title = f"Import {name.name} from {module}"
    quote = source.slice(statement.module_at)[:1]
    specifier = statement.module_at[0] + 1, statement.module_at[1] - 1
    if quote not in ("'", '"') or source.slice(specifier) != statement.module:
        return None
    if len(statement.names) == 1:
        return proved(source, Fix(title, (Edit(Place(source.path, specifier), module),)), read, keeps=False)
    place = named.index(name)
    stop = next_line(source, statement.at[1], _COMMENT)
    line = whole_line(source, statement.at)
    if len(named) < 2 or stop is None or line is None:
        return None
    if place + 1 < len(named):
        gone = (name.at[0], named[place + 1].at[0])
    else:
        gone = (named[place - 1].at[1], name.at[1])
    between = source.slice(gone).replace(source.slice(name.at), "", 1)
    if between.strip(", \t\r\n"):
        return None
    mark = ";" if text.endswith(";") else ""
    kind = "import type" if statement.type_only else "import"
    new = f"{line[1]}{kind} {{ {source.slice(name.at)} }} from {quote}{module}{quote}{mark}{line_end(source)}"
    edits = (Edit(Place(source.path, gone), ""), insertion(source, stop, new))
    return proved(source, Fix(title, edits), read, keeps=False)


def _covers(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _renamed(source: Source, specifier: Span, at: Span, name: str, joint: str) -> str | None:
    """The name inside ``x``, ``type x``, ``x as y``; None where ``at`` is what the file calls it."""
    if re.search(r"\bas\s*$", source.slice((specifier[0], at[0]))):
        return None
    alone = not re.match(r"\s+as\b", source.slice((at[1], specifier[1])))
    return f"{name}{joint}{source.slice(at)}" if alone and name != source.slice(at) else name


def import_first(
    source: Source, program: p.Program, module: str, title: str, gone: Sequence[Span] = (), *, required: bool = False
) -> Fix | None:
    """Import ``module`` for its effect, before everything else that the file imports, in place of what is ``gone``.

    ``gone`` are whole statements. One that shares its lines with anything else, or has a comment, stays. ``required``
    is for CommonJS.
    """
    body = program.body
    number = next((i for i, statement in enumerate(body) if not _is_directive(program, i, statement)), None)
    if number is None or '"' in module or "\\" in module:
        return None
    head = whole_line(source, body[number].at)
    if head is None:
        return None
    quote = quote_at(source, body[number].at)
    stop = ";" if has_semicolons(source, program) else ""
    specifier = f"{quote}{module}{quote}"
    text = f"{head[1]}require({specifier})" if required else f"{head[1]}import {specifier}"
    text += f"{stop}{line_end(source)}"
    away = {edit.place.at[0]: edit for at in gone if (edit := without_lines(source, at, _COMMENT)) is not None}
    replaced = away.pop(head[0], None)  # what goes from the very place
    rest = []
    for edit in away.values():  # what is said of it alone comes along
        start = own_comments(source, *edit.place.at, r"//.*")
        text = source.slice((start, edit.place.at[0])) + text
        place = edit.place.at if start == edit.place.at[0] else with_blank_line(source, start, edit.place.at[1])
        rest.append(Edit(Place(source.path, place), ""))
    first = insertion(source, head[0], text) if replaced is None else Edit(replaced.place, text)
    return proved(source, Fix(title, (first, *rest)), read, keeps=not gone)


def move_before(source: Source, program: p.Program, moved: Sequence[Span], before: Span, title: str) -> Fix | None:
    """Move top-level statements, with the comments on their lines, before the top-level statement at ``before``.

    Never safe: it changes the order in which the file is executed.
    """
    places = {statement.at for statement in program.body}
    if before not in places or not all(at in places for at in moved):
        return None
    edits = moved_before(source, moved, before, _COMMENT)
    return None if edits is None else proved(source, Fix(title, tuple(edits)), read)


def _is_directive(program: p.Program, place: int, statement: p.Statement) -> bool:
    return place < len(program.directives) and type(statement) is p.Evaluate and type(statement.value) is p.Text
