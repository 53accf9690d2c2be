"""How a file of JavaScript or TypeScript is written: its quotes, its semicolons, its indentation."""

from __future__ import annotations

import re
from typing import Any

from connlint.languages.edits import deeper, everything, kept_for_the_last
from connlint.model import program as p
from connlint.model.source import Source, Span


def quote_at(source: Source, at: Span) -> str:
    """The quotes of the default, or those that the file uses most."""
    written = re.search(r"[\"']", source.slice(at))
    if written is not None:
        return written[0]
    return "'" if source.text.count("'") > source.text.count('"') else '"'


def has_semicolons(source: Source, program: p.Program) -> bool:
    """Whether simple statements end with a semicolon here: most of them do, or there is none to tell."""
    # what an arrow returns without a block has none
    marks = [source.data[node.at[1] - 1 : node.at[1]] == b";" for node in _simple(program)
             if type(node) is not p.Return or source.data.startswith(b"return", node.at[0])]
    return sum(marks) * 2 >= len(marks)


@kept_for_the_last
def _simple(program: p.Program) -> list[Any]:
    """Simple statements."""
    return [node for node in everything(program.body) if type(node) in (p.Evaluate, p.Let, p.Return, p.Import)
            and getattr(node, "how", "") not in ("field", "static")]


def indent_unit(source: Source, start: int, indent: str) -> str:
    """One more level of indentation, as the lines above do it, or the first block of the file."""
    if (unit := deeper(source, start, indent)) is not None:
        return unit
    found = re.search(r"(?m)^([ \t]*)\S.*[{(\[][ \t]*[\r\n]+\1([ \t]+)\S", source.text)
    return found[2] if found else "  "
