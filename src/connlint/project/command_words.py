"""The words behind a program: options with their values, and what is no option.

Which options there are stands in the entry of the program in the table `server`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from connlint.model.deployment import Word
from connlint.model.finding import Place
from connlint.patterns import regex

Entry = Mapping[str, Any]
_VALUED = ("host_flags", "bind_flags", "port_flags", "target_flags", "worker_flags", "config_flags", "folder_flags",
           "member_flags")
"""The lists of an entry that hold options with a value."""


_WAITS = regex(r"(?:wait-?for(?:-?it)?|wait_for(?:_it)?|dockerize)(?:\.(?:sh|bash))?$")
"""Programs that wait until others answer, and then start what they were given."""
_ALONE = ("-no-overwrite", "-poll", "-skip-tls-verify", "-validate-cert", "-version")
"""The options of dockerize without a value."""
_SHELLS = ("sh", "bash", "ash", "dash")


def behind_waiting(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """``words`` from the program on that is started when others answer; all where none of them waits."""
    names = [posixpath.basename(word.value or "") for word in words[:2]]
    name = names[-1] if names[:1] and names[0] in _SHELLS else names[0] if names else ""
    if not _WAITS.match(name):
        return words
    dashes = next((at for at, word in enumerate(words) if word.value == "--"), None)
    if dashes is not None or name != "dockerize":
        return words[dashes + 1:] or words if dashes is not None else words
    at = 1
    while at < len(words) and (words[at].value or words[at].written).startswith("-"):
        flag = (words[at].value or words[at].written).replace("--", "-", 1)
        at += 1 if "=" in flag or flag in _ALONE else 2
    return words[at:] or words


class Options(Struct):
    """The words behind a program: values by option, the words that are no option, and whether some word is unknown."""

    values: dict[str, list[Word]] = field(default_factory=dict)
    plain: list[Word] = field(default_factory=list)
    unknown: bool = False

    def first(self, names: list[str]) -> Word | None:
        """The value that counts for one of ``names``: the last that was given."""
        rows = [word for name in names for word in self.values.get(name, ())]
        return max(rows, key=lambda w: w.place.at) if rows else None

    def has(self, names: list[str]) -> bool:
        return any(name in self.values for name in names)


def read_options(words: tuple[Word, ...], entry: Entry) -> Options:
    """Options and plain words; what is not among the entry's switches takes the word behind it as its value.

    Behind the file that an interpreter runs everything is the program's own; a server that is given a file goes on
    reading its options.
    """
    switches = {*entry.get("switches", ()), *entry.get("stops", ())}
    ends = entry["form"] in ("file", "run") and "host_flags" not in entry
    found = Options()
    at = 0
    while at < len(words):
        word = words[at]
        text = word.value if word.value is not None else word.written
        at += 1
        if text == "--":
            found.plain += words[at:] if entry["form"] != "script" else ()
            break
        if not text.startswith("-") or len(text) < 2:
            found.plain.append(word)
            found.unknown = found.unknown or word.value is None
            if ends and word.value is not None:
                break
            continue
        name, equals, value = text.partition("=")
        if text in switches:
            found.values.setdefault(text, [])
        elif equals and text.startswith("--"):
            found.values.setdefault(name, []).append(_behind(word, value))
        elif len(text) > 2 and text[1] != "-" and _attached(text[:2], entry):
            found.values.setdefault(text[:2], []).append(_behind(word, text[2:].removeprefix("=")))
        elif at < len(words) and not (words[at].value or words[at].written).startswith("-"):
            found.values.setdefault(name, []).append(words[at])
            found.unknown = found.unknown or (words[at].value is None and words[at].written.startswith("$@"))
            at += 1
        else:
            found.values.setdefault(name, [])
        if ends and name == "-m":
            break
    return found


def _behind(word: Word, value: str) -> Word:
    """What stands behind an option in the same word, with a place of its own where the file shows it."""
    start, end = word.place.at
    length, written = len(value.encode()), len(word.written.encode())
    place = word.place
    if word.written.endswith(value) and written == end - start:
        place = Place(place.path, (end - length, end))
    elif word.written[:-1].endswith(value) and word.written[-1:] in "\"'" and written == end - start:
        place = Place(place.path, (end - 1 - length, end - 1))
    return Word(None if word.value is None else value, place, value)


def _attached(flag: str, entry: Entry) -> bool:
    """Whether ``flag`` is one of the entry's options that take a value, so that it may stand right behind it."""
    return any(flag in entry.get(key, ()) for key in _VALUED)


def first_plain(words: tuple[Word, ...], entry: Entry) -> str | None:
    """The first word that is no option, nor the value of one that the entry knows; "" where there is none."""
    valued = {flag for key in _VALUED for flag in entry.get(key, ())}
    before = ""
    for word in words:
        text = word.value
        if not (text or "").startswith("-") and before not in valued:
            return text
        before = text or ""
    return ""
