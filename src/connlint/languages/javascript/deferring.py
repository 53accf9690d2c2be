"""A text edit of JavaScript and TypeScript: what is built while a module is loaded is built behind a function instead,
when it is needed.

Never safe: what fails then fails later, and in another place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from connlint.languages.edits import everything, insertion, line_end, line_start, next_line
from connlint.languages.javascript.placing import above_comments
from connlint.languages.javascript.style import has_semicolons, indent_unit, quote_at
from connlint.model import program as p
from connlint.model.finding import Edit, Place
from connlint.model.source import Source
from connlint.patterns import regex

_COMMENT = r"//.*|/\*(?:(?!\*/).)*\*/"
_TYPED = (".ts", ".mts", ".cts", ".tsx")
_NAMES = regex(r"[A-Za-z_$][\w$]*")


def behind_function(source: Source, program: p.Program, let: p.Let, getter: str, built: str, asked: Sequence[str],
                    told: Sequence[str], *, exported: bool) -> list[Edit] | None:
    """Build what ``let``, a statement at the top level, binds in a function that keeps it, and that is to be called.

    ``built`` is the text of what is built; ``asked`` are statements before it, ``told`` those that follow.
    ``exported``: the declaration gives the name away, and so does the function. The edits are not proved.
    """
    value: Any = let.value
    if type(let.target) is not p.Name or type(value) is not p.Call or source.path.endswith((".vue", ".svelte")):
        return None
    name = let.target.id
    start, stop = line_start(source, let.at[0]), next_line(source, let.at[1], _COMMENT)
    head = re.fullmatch(r"(export\s+)?(?:const|let|var)\s+[\w$]+\s*(?::[^=]+)?=\s*", source.slice((start, value.at[0])))
    tail = source.slice((value.at[1], let.at[1])).strip()
    if head is None or bool(head[1]) is not exported or stop is None or tail not in ("", ";") or (
            getter in _NAMES.findall(source.text)):
        return None
    if source.path.endswith(_TYPED) and re.search(rf"\btypeof\s+{re.escape(name)}\b", source.text):
        return None
    typed = _type(source, let, value) if source.path.endswith(_TYPED) else ""
    if typed is None or _has_text_over_lines(source, value) or any("`" in text and "\n" in text for text in told):
        return None  # it would be indented
    mark = ";" if has_semicolons(source, program) else ""
    end, unit = line_end(source), indent_unit(source, start, "")
    comment = source.slice((let.at[1], stop)).strip()
    making = [*(_deeper(text, unit) for text in asked), f"{name} ??= {_deeper(built, unit)}{mark}"]
    if told:
        inside = [*asked, f"{name} = {built}{mark}", *(f"{text.rstrip(';')}{mark}" for text in told)]
        making = [f"if (!{name}) {{", *(unit + _deeper(text, unit) for text in inside), "}"]
    rows = [
        f"let {name}{f': {typed} | undefined' if typed else ''}{mark}{' ' + comment if comment else ''}",
        "",
        f"{'export ' if exported else ''}function {getter}(){f': {typed}' if typed else ''} {{",
        *(unit + (_deeper(text, unit) if told else text) for text in making),
        f"{unit}return {name}{mark}",
        "}",
    ]
    behind = source.line_text(source.line(stop)).strip() if stop < len(source.data) else ""
    if behind and not any(text.splitlines()[0].strip() == behind for text in told):
        rows.append("")
    return [Edit(Place(source.path, (start, stop)), end.join(rows) + end)]


def kept_on_global(source: Source, program: p.Program, let: p.Let) -> list[Edit] | None:
    """Take what ``let``, a statement at the top level, binds from the global object where it is there already, and keep
    it there unless the program runs in production. The edits are not proved."""
    value: Any = let.value
    if type(let.target) is not p.Name or type(value) is not p.Call or source.path.endswith((".vue", ".svelte")):
        return None
    name = let.target.id
    kept = f"globalFor{name[0].upper()}{name[1:]}"
    start, stop = line_start(source, let.at[0]), next_line(source, let.at[1], _COMMENT)
    head = re.fullmatch(r"(?:export\s+)?const\s+[\w$]+\s*(?::[^=]+)?=\s*", source.slice((start, value.at[0])))
    tail = source.slice((value.at[1], let.at[1])).strip()
    if head is None or stop is None or tail not in ("", ";") or kept in source.text:
        return None
    typed = _type(source, let, value) if source.path.endswith(_TYPED) else ""
    if typed is None:
        return None
    mark, end, quote = ";" if has_semicolons(source, program) else "", line_end(source), quote_at(source, let.at)
    first = above_comments(source, start)
    edits = []
    if typed:
        text = f"const {kept} = globalThis as unknown as {{ {name}?: {typed} }}{mark}{end}{end}"
        edits.append(insertion(source, first, text))
    else:
        kept = "globalThis"
    edits.append(insertion(source, value.at[0], f"{kept}.{name} ?? "))
    last = f"{end}if (process.env.NODE_ENV !== {quote}production{quote}) {kept}.{name} = {name}{mark}{end}"
    ends = source.data[:stop].endswith((b"\n", b"\r"))
    behind = source.line_text(source.line(stop)).strip() if stop < len(source.data) else ""
    edits.append(insertion(source, stop, f"{'' if ends else end}{last}{end if behind else ''}"))
    return edits


def _has_text_over_lines(source: Source, value: p.Expression) -> bool:
    texts = [source.slice(node.at) for node in everything((value,)) if type(node) in (p.Text, p.Concat)]
    return any(text.startswith("`") and "\n" in text for text in texts)


def _deeper(text: str, unit: str) -> str:
    """A text over lines, all but the first of them one level deeper."""
    return re.sub(r"\n(?=[^\r\n])", "\n" + unit, text)


def _type(source: Source, let: p.Let, value: p.Call) -> str | None:
    """How to write the type of what is built; None where it cannot be told."""
    if let.annotation is not None:
        return source.slice(let.annotation.at)
    callee = source.slice(value.callee.at)
    if re.fullmatch(r"[A-Za-z_$][\w$.]*", callee) is None:
        return None
    if not value.new:
        given = re.match(r"(<[\w$.,\s<>\[\]|'\"]*>)\s*\(", source.slice((value.callee.at[1], value.at[1])))
        return f"ReturnType<typeof {callee}{given[1] if given else ''}>"
    written = re.match(r"new\s+([\w$.]+(?:<[\w$.,\s<>\[\]]*>)?)\s*\(", source.slice(value.at))
    if written is None:
        return None
    return written[1] if "." not in callee else f"InstanceType<typeof {callee}>"
