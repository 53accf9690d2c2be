"""``.env`` files: one ``NAME=value`` a line, as Docker and the dotenv libraries agree on it."""

from __future__ import annotations

import re

from connlint.model.deployment import Known
from connlint.model.finding import Place
from connlint.patterns import regex

_LINE = regex(
    rb"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*"
    rb"(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\r\n]*?))[ \t]*(?:[ \t]#[^\r\n]*)?\r?$", re.M,
)


def read_dotenv(path: str, data: bytes) -> dict[str, Known]:
    """The variables of a ``.env`` file. A value with a reference (``${OTHER}``) is None; a bare name sets nothing."""
    found: dict[str, Known] = {}
    for line in _LINE.finditer(data):
        raw = next((part for part in line.groups()[1:] if part is not None), b"")
        text = raw.decode("utf-8", "replace")
        literal = line[3] is not None
        value = None if "$" in text and not literal else text
        found[line[1].decode("utf-8", "replace")] = Known(value, Place(path, line.span(1)), text)
    return found
