"""A text edit of JavaScript and TypeScript: what is built while a module is loaded is built behind a function instead,
when it is needed.

It is proved before it is offered, as in `rewrite`. Never safe: what fails then fails later, and in another place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from connlint.languages.edits import line_end, line_start, next_line, proved
from connlint.languages.javascript.read import read
from connlint.languages.javascript.style import has_semicolons, indent_unit
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_COMMENT = r"//.*|/\*(?:(?!\*/).)*\*/"
_TYPED = (".ts", ".mts", ".cts", ".tsx")
_NAMES = regex(r"[A-Za-z_$][\w$]*")


def behind_function(source: Source, program: p.Program, let: p.Let, users: Sequence[tuple[Span, str]], title: str, *,
                    ending: Sequence[Span] = ()) -> Fix | None:
    """Build what ``let``, a statement at the top level, binds in a function that keeps it, and that the users call.

    ``users`` are places of the name, each with what has to stand before it there (``"pool: "`` in ``{ pool }``);
    ``ending`` are those where a method ends what was built, if it was.
    """
    value: Any = let.value
    if type(let.target) is not p.Name or type(value) is not p.Call or source.path.endswith((".vue", ".svelte")):
        return None
    name = let.target.id
    getter = f"get{name[0].upper()}{name[1:]}"
    start, stop = line_start(source, let.at[0]), next_line(source, let.at[1], _COMMENT)
    head = re.fullmatch(r"(?:const|let|var)\s+[\w$]+\s*(?::[^=]+)?=\s*", source.slice((start, value.at[0])))
    tail = source.slice((value.at[1], let.at[1])).strip()
    if head is None or stop is None or tail not in ("", ";") or getter in _NAMES.findall(source.text):
        return None
    if source.path.endswith(_TYPED) and re.search(rf"\btypeof\s+{re.escape(name)}\b", source.text):
        return None
    typed = _type(source, let, value) if source.path.endswith(_TYPED) else ""
    if typed is None:
        return None
    mark = ";" if has_semicolons(source, program) else ""
    end, unit = line_end(source), indent_unit(source, start, "")
    built = source.slice((value.at[0], let.at[1])).rstrip("; ").replace("\n", "\n" + unit)
    comment = source.slice((let.at[1], stop)).strip()
    rows = [
        f"let {name}{f': {typed} | undefined' if typed else ''}{mark}{' ' + comment if comment else ''}",
        "",
        f"function {getter}(){f': {typed}' if typed else ''} {{",
        f"{unit}{name} ??= {built}{mark}",
        f"{unit}return {name}{mark}",
        "}",
    ]
    if "`" in built and "\n" in built:
        return None  # a text over lines would be indented
    if stop < len(source.data) and source.line_text(source.line(stop)).strip():
        rows.append("")
    edits = [Edit(Place(source.path, (start, stop)), end.join(rows) + end)]
    edits += [Edit(Place(source.path, at), f"{before}{getter}()") for at, before in users]
    edits += [Edit(Place(source.path, at), f"{name}?") for at in ending]
    return proved(source, Fix(title, tuple(edits)), read, keeps=False)


def _type(source: Source, let: p.Let, value: p.Call) -> str | None:
    """How to write the type of what is built; None where it cannot be told."""
    if let.annotation is not None:
        return source.slice(let.annotation.at)
    callee = source.slice(value.callee.at)
    if re.fullmatch(r"[A-Za-z_$][\w$.]*", callee) is None:
        return None
    if not value.new:
        return f"ReturnType<typeof {callee}>"
    written = re.match(r"new\s+([\w$.]+(?:<[\w$.,\s<>\[\]]*>)?)\s*\(", source.slice(value.at))
    if written is None:
        return None
    return written[1] if "." not in callee else f"InstanceType<typeof {callee}>"
