"""uWSGI's configuration files: options as on its command line, a line each.

Facts (its manual): a file may be written as INI, YAML or JSON; its options stand below ``uwsgi``, or below the name
that follows the file behind a colon. An option without a value is written as ``true``. ``%d`` and ``%(name)`` stand for
parts of the file's own path and for values of the file, ``$(NAME)`` for variables of the environment.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

from connlint.languages.deployment.spans import json_spans
from connlint.languages.deployment.yaml_nodes import Malformed, documents
from connlint.model.deployment import Word
from connlint.model.finding import Place
from connlint.model.source import Source, Undecodable
from connlint.patterns import regex

_SECTION = regex(r"^[ \t]*\[([^\]\n]*)\][^\n]*\n((?:(?![ \t]*\[)[^\n]*(?:\n|\Z))*)", re.M)
_OPTION = regex(r"^[ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*([^\n]*?)[ \t]*\r?$", re.M)
_UNSEEN = regex(r"%\S|\$\(|@\(|\$\{")
ENDINGS = (".ini", ".yaml", ".yml", ".json")


def read_uwsgi(path: str, data: bytes, section: str = "") -> list[tuple[str, Word]] | None:
    """The options of the file at ``path`` with their values, each as on the command line; None if it cannot be read."""
    try:
        source = Source.decode(path, data)
        if path.endswith(".ini"):
            rows = list(_in_ini(source, section or "uwsgi"))
        elif path.endswith(".json"):
            rows = list(_in_json(source, section or "uwsgi"))
        else:
            rows = list(_in_yaml(source, section or "uwsgi"))
    except (Undecodable, Malformed, ValueError, RecursionError):
        return None
    return [(f"--{name}", word) for name, word in rows]


def _in_ini(source: Source, section: str) -> Iterator[tuple[str, Word]]:
    for found in _SECTION.finditer(source.text):
        if found[1].strip() != section:
            continue
        for row in _OPTION.finditer(found[2]):
            start = found.start(2) + row.start(2)
            span = (source.char_to_byte(start), source.char_to_byte(start + len(row[2])))
            yield row[1], _word(row[2], Place(source.path, span))


def _in_yaml(source: Source, section: str) -> Iterator[tuple[str, Word]]:
    for document in documents(source):
        table = document.get(section)
        for each in (list(table.list()) or [table]) if table is not None else ():
            for key, value in each.items():
                for item in list(value.list()) or [value]:
                    if key.text and item.text is not None:
                        yield key.text, _word(item.text, item.place)


def _in_json(source: Source, section: str) -> Iterator[tuple[str, Word]]:
    table = json.loads(source.text)
    spans = json_spans(source.text).values
    rows = table.get(section) if isinstance(table, dict) else None
    for key, value in rows.items() if isinstance(rows, dict) else ():
        several = isinstance(value, list)
        for at, item in enumerate(value if several else [value]):
            if isinstance(item, (str, int)):
                first, last = spans[(section, key, str(at)) if several else (section, key)]
                quoted = isinstance(item, str)
                span = (source.char_to_byte(first + quoted), source.char_to_byte(last - quoted))
                yield key, _word(str(item), Place(source.path, span))


def _word(text: str, place: Place) -> Word:
    return Word(None if _UNSEEN.search(text) else text, place, text)


def file_and_section(word: str) -> tuple[str, str]:
    """The path and the section that ``word`` names, "" where it names none."""
    folder, name = posixpath.split(word)
    file, _, section = name.partition(":")
    return posixpath.join(folder, file), section
