"""Where the values of JSON and TOML files stand. The parsers of the standard library give values without places.

Both scans go over a text that has been parsed already, and so may take for granted that it is well formed.
"""

from __future__ import annotations

from msgspec import Struct, field

from connlint.patterns import regex

_JSON = regex(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_HEADER = regex(r"[ \t]*\[\[?[ \t]*([^\]\r\n]+?)[ \t]*\]\]?[ \t]*(?:#[^\r\n]*)?$")
_PAIR = regex(r"[ \t]*((?:[\w-]+|\"[^\"\r\n]*\"|'[^'\r\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|\"[^\"\r\n]*\"|'[^'\r\n]*'))*)"
              r"[ \t]*=[ \t]*")
_VALUE = regex(r"\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|\"(?:[^\"\\\r\n]|\\.)*\"|'[^'\r\n]*'|[^#\r\n]+")
_NAME = regex(r"[\w-]+|\"[^\"]*\"|'[^']*'")

Path = tuple[str, ...]
Span = tuple[int, int]
"""Characters of the text, the quotes of a value among them."""


class Spans(Struct, frozen=True):
    """The spans of keys and of plain values, by the path of keys that leads to them; items of lists by their number."""

    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)


def json_spans(text: str) -> Spans:
    """The spans of a JSON text; of duplicate keys the last one counts, as it does for the parser."""
    import json

    spans = Spans()
    path: list[str] = []
    counts: list[int | None] = []
    word: Span = (0, 0)
    for token in _JSON.finditer(text):
        mark = token[0]
        if mark in "{[":
            counts.append(0 if mark == "[" else None)
            path.append("0" if mark == "[" else "")
        elif mark in "}]":
            counts.pop()
            path.pop()
        elif mark == ",":
            if (count := counts[-1]) is not None:
                counts[-1] = count + 1
                path[-1] = str(count + 1)
            else:
                path[-1] = ""
        elif mark == ":":
            # the word before is a key, and no value
            del spans.values[tuple(path)]
            path[-1] = json.loads(text[word[0]:word[1]])
            spans.keys[tuple(path)] = word
        else:
            word = token.span()
            spans.values[tuple(path)] = word
    return spans


def toml_spans(text: str) -> Spans:
    """The spans of a TOML text as far as its tables go; what stands in inline tables and arrays has none."""
    spans = Spans()
    table: Path = ()
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if header := _HEADER.match(text, at, end):
            table = _names(header[1])
            spans.keys[table] = (header.start(1) - 1, header.end(1) + 1)
        elif (pair := _PAIR.match(text, at, end)) and (value := _VALUE.match(text, pair.end())):
            path = (*table, *_names(pair[1]))
            spans.keys[path] = pair.span(1)
            spans.values[path] = value.start(), value.start() + len(value[0].rstrip())
            end = max(end, value.end())
        at = end + 1
    return spans


def _names(text: str) -> Path:
    return tuple(name.strip("\"'") for name in _NAME.findall(text))
