"""Where in a file of JavaScript or TypeScript one more statement may stand."""

from __future__ import annotations

import re
from typing import Any

from connlint.languages.edits import block_of, line_start, whole_line
from connlint.model import program as p
from connlint.model.source import Source
from connlint.patterns import regex

LOCAL = ("const", "let", "var")
_COMMENTS = regex(r"//[^\r\n]*|/\*(?:(?!\*/).)*\*/", re.S)
_COMMENT = regex(r"\s*(?://|/\*|\*)")
_HEADING = regex(r"={4}|-{4}|\*{4}|#{4}|─{4}|═{4}")
_REQUIRES = regex(r"\brequire\s*\(")


def is_import(source: Source, program: p.Program, place: int, statement: p.Statement) -> bool:
    """Whether the statement at ``place`` of the top level takes something in, or is a directive (``"use strict"``)."""
    if type(statement) is p.Import:
        return True
    if place < len(program.directives) and type(statement) is p.Evaluate and type(statement.value) is p.Text:
        return True
    # names that are taken one by one may stand on lines of their own
    apart = type(statement) is p.Let and type(statement.target) is p.Record
    return type(statement) in (p.Let, p.Evaluate) and _REQUIRES.search(source.slice(statement.at)) is not None and (
        apart or "\n" not in source.slice(statement.at))


def is_export(source: Source, statement: p.Statement) -> bool:
    """Whether ``export`` stands in front of a statement, on its line."""
    return source.slice((line_start(source, statement.at[0]), statement.at[0])).strip() in ("export", "export default")


def below_the_imports(source: Source, program: p.Program) -> p.Statement | None:
    """The first statement behind the imports at the top; what makes something of them on one line may stand between."""
    found: p.Statement | None = None
    for place, statement in enumerate(program.body):
        if is_import(source, program, place, statement):
            found = None
            continue
        found = found or statement
        if type(statement) not in (p.Let, p.Evaluate) or "\n" in source.slice(statement.at):
            break
    return found


def beginning(source: Source, statement: p.Statement) -> int | None:
    """The start of the line on which a statement begins, with its decorators or the word ``export``; None where
    something else stands before it."""
    value = statement.value if type(statement) is p.Define else None
    first = min((one.at[0] for one in value.decorators), default=None) if type(value) is p.Class else None
    if first is not None:
        start = line_start(source, first)
        return start if source.slice((start, first)).strip() in ("@", "") else None
    if whole_line(source, statement.at) is None and not is_export(source, statement):
        return None
    return line_start(source, statement.at[0])


def evaluating(program: p.Program, node: p.Expression) -> p.Statement | None:
    """The simple statement that evaluates ``node`` whenever it is reached; None where there is none."""
    waiting: list[tuple[Any, p.Statement | None]] = [(statement, None) for statement in program.body]
    while waiting:
        here, statement = waiting.pop()
        if here is node:
            return statement
        at = getattr(here, "at", None)
        if at is not None and not (at[0] <= node.at[0] and node.at[1] <= at[1]):
            continue
        if isinstance(here, p.Statement):
            simple = type(here) in (p.Evaluate, p.Return, p.Raise) or (type(here) is p.Let and here.how in LOCAL)
            statement = here if simple else None
        kind = type(here)
        for below in p.children(here):
            sometimes = kind in (p.Function, p.Class) or (kind is p.Logical and below is here.right) or (
                kind is p.Conditional and below is not here.test) or (kind is p.Default and below is here.value)
            waiting.append((below, None if sometimes else statement))
    return None


def stands_in_a_block(source: Source, program: p.Program, statement: p.Statement) -> bool:
    """Whether a statement is no branch without braces, so that it may become two."""
    block = block_of(program.body, statement.at)
    if block is program.body or any(one is not statement and whole_line(source, one.at) for one in block or ()):
        return True
    start = line_start(source, statement.at[0])
    above = _COMMENTS.sub("", source.slice((max(0, start - 2000), start)))
    return not above.rstrip().endswith((")", "else", "do", "=>"))


def above_comments(source: Source, start: int) -> int:
    """The start of the comment lines right above, which belong to what they stand on; a heading belongs to more."""
    line = source.line(start)
    while line > 1 and _COMMENT.match(above := source.line_text(line - 1)) and not _HEADING.search(above):
        line -= 1
    # what opens a file may be about all of it
    about_it = line > 1 or source.line_text(1).startswith("/**")
    return line_start(source, source.line_starts()[line - 1]) if about_it else start
