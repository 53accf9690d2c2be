"""Dockerfiles: stages and what each sets. Written out, since kept parsers give no positions inside an instruction."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping

from msgspec.structs import replace

from connlint.languages.deployment.shell import read_commands, unwrap
from connlint.model.deployment import Command, Image, Known, Port, Stage, Word
from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.patterns import regex

_INSTRUCTION = regex(r"[ \t]*([A-Za-z]+)(?=[ \t\r\n]|$)[ \t]*")
_ESCAPE = regex(r"#[ \t]*escape[ \t]*=[ \t]*([\\`])", re.I)
_HEREDOC = regex(r"<<-?[ \t]*([\"']?)(\w+)\1")
_PAIR = regex(r"([A-Za-z_][\w.-]*)=((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])*)")
_LONGEST = 10_000
"""Characters past which a value is not followed: one that is made of itself grows without end."""
_VARIABLE = regex(r"\$(?:\{(\w+)(?:(:?[-+])([^}]*))?\}|(\w+))")


def read_dockerfile(source: Source, given: Mapping[str, Known] | None = None) -> Image:
    """The stages of a Dockerfile, as they are built with the arguments ``given``. Never raises: a line that is no
    instruction is passed over and named in ``open``."""
    given = given or {}
    stages: list[Stage] = []
    global_arguments: dict[str, Known] = {}
    odd: str | None = None
    for keyword, start, end in _instructions(source.text):
        place = Place(source.path, (source.char_to_byte(start), source.char_to_byte(end)))
        body = source.text[start:end]
        if keyword == "FROM":
            stages.append(_from(body, place, global_arguments))
        elif keyword == "ARG" and not stages:
            global_arguments |= _overruled(_arguments(body, source, start, {}), given)
        elif not stages:
            odd = odd or f"{keyword} before FROM"
        else:
            stages[-1] = _apply(stages[-1], keyword, body, start, place, source, stages)
            if keyword == "ARG" and given:
                told = stages[-1].arguments
                stages[-1] = replace(stages[-1], arguments=_overruled(told, given))
    return Image(source.path, tuple(stages), odd)


def _overruled(arguments: dict[str, Known], given: Mapping[str, Known]) -> dict[str, Known]:
    """``arguments`` with the values of those that are ``given``."""
    return {name: replace(known, value=given[name].value) if name in given else known
            for name, known in arguments.items()}


def _instructions(text: str) -> list[tuple[str, int, int]]:
    """Keyword, and character range of the arguments, of every instruction; continued lines and heredocs joined."""
    escape = "\\"
    if found := _ESCAPE.match(text):
        escape = found[1]
    rows: list[tuple[str, int, int]] = []
    at = 0
    while at < len(text):
        line_end = text.find("\n", at)
        line_end = len(text) if line_end < 0 else line_end
        stripped = text[at:line_end].strip()
        if not stripped or stripped.startswith("#"):
            at = line_end + 1
            continue
        found = _INSTRUCTION.match(text, at, line_end)
        end = line_end
        while True:
            line = text[max(at, text.rfind("\n", at, end) + 1):end].rstrip()
            comment = line.lstrip().startswith("#") and end != line_end
            if not (line.endswith(escape) or comment) or end >= len(text):
                break
            following = text.find("\n", end + 1)
            end = len(text) if following < 0 else following
        if found and (here := _HEREDOC.search(text, found.end(), end)) and found[1].upper() in ("RUN", "COPY", "ADD"):
            close = re.compile(rf"^[ \t]*{re.escape(here[2])}[ \t]*\r?$", re.M).search(text, end)
            end = close.end() if close else len(text)
        if found:
            stop = end
            while stop > found.end() and text[stop - 1] in " \t\r\n":
                stop -= 1
            rows.append((found[1].upper(), found.end(), stop))
        at = end + 1
    return rows


def _from(body: str, place: Place, arguments: dict[str, Known]) -> Stage:
    words = [w for w in body.replace("\\\n", " ").split() if not w.startswith("--")]
    base = expand(words[0], {k: v.value for k, v in arguments.items()}) if words else ""
    name = words[2] if len(words) >= 3 and words[1].lower() == "as" else None
    return Stage(name.lower() if name else None, base or (words[0] if words else ""), place)


def expand(text: str, values: dict[str, str | None]) -> str | None:
    """``$A``, ``${A}``, ``${A:-b}`` and ``${A:+b}`` replaced; None where a value is not known."""
    unknown = False

    def put(found: re.Match[str]) -> str:
        nonlocal unknown
        value = values.get(found[1] or found[4])
        mark = (found[2] or "").lstrip(":")
        if mark == "-" and not value:
            return found[3]
        if mark == "+":
            return found[3] if value else ""
        if value is None:
            unknown = True
            return ""
        return value

    result = _VARIABLE.sub(put, text) if "$" in text else text
    return None if unknown or len(result) > _LONGEST else result


def retold(command: Command, told: Mapping[str, Known], environment: Mapping[str, Known]) -> Command:
    """A command of an image, with what its shell puts into it where the image is run with ``told``; ``environment`` is
    all that reaches it, and what the command itself sets comes before both."""
    changed = told.keys() - command.assignments.keys()
    if not command.shell or not changed:
        return command
    values = {name: known.value for name, known in (*environment.items(), *command.assignments.items())}

    def put(word: Word) -> Word:
        names = {found[1] or found[4] for found in _VARIABLE.finditer(word.written)}
        if names.isdisjoint(changed) or "'" in word.written:
            return word
        return replace(word, value=expand(word.written.replace('"', ""), values))

    return replace(command, words=tuple(put(word) if "$" in word.written else word for word in command.words))


def _known(stage: Stage) -> dict[str, str | None]:
    return {k: v.value for k, v in (*stage.arguments.items(), *stage.environment.items())}


def _pairs(body: str, source: Source, start: int, values: dict[str, str | None]) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for pair in _PAIR.finditer(body):
        written = pair[2]
        plain = re.sub(r"\\(.)", r"\1", written[1:-1] if written[:1] in "\"'" and written[:1] else written)
        at = (source.char_to_byte(start + pair.start()), source.char_to_byte(start + pair.end()))
        found[pair[1]] = Known(expand(plain, values), Place(source.path, at), written)
    return found


def _arguments(body: str, source: Source, start: int, values: dict[str, str | None]) -> dict[str, Known]:
    found = _pairs(body, source, start, values)
    for word in re.finditer(r"(?<![\w=\"'])([A-Za-z_]\w*)(?![\w=\"'])", body):
        if word[1] not in found and "=" not in body[: word.start()].rsplit(None, 1)[-1:]:
            at = (source.char_to_byte(start + word.start()), source.char_to_byte(start + word.end()))
            if not any(k.place.at[0] <= at[0] < k.place.at[1] for k in found.values()):
                found[word[1]] = Known(None, Place(source.path, at), "")
    return found


def _apply(stage: Stage, keyword: str, body: str, start: int, place: Place, source: Source,
           stages: list[Stage]) -> Stage:
    values = _known(stage)
    if keyword == "ENV":
        pairs = _pairs(body, source, start, values)
        if not pairs and (old := re.match(r"(\w+)[ \t]+(.*)", body, re.S)):
            text = old[2].strip()
            if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]:
                text = text[1:-1]  # as a shell would
            pairs = {old[1]: Known(expand(text, values), place, text)}
        return replace(stage, environment={**stage.environment, **pairs})
    if keyword == "ARG":
        return replace(stage, arguments={**stage.arguments, **_arguments(body, source, start, values)})
    if keyword == "WORKDIR":
        folder = expand(body.strip().strip("\"'"), values)
        if folder is not None and not folder.startswith("/"):
            folder = posixpath.normpath(posixpath.join(workdir(stage, stages) or "/", folder))
        return replace(stage, folder=folder)
    if keyword in ("COPY", "ADD"):
        return replace(stage, copies=(*stage.copies, *_copies(body, values, workdir(stage, stages))))
    if keyword == "EXPOSE":
        return replace(stage, exposed=(*stage.exposed, *_exposed(body, values, place)))
    if keyword == "HEALTHCHECK":
        return replace(stage, healthcheck=None if body.strip().upper() == "NONE" else place)
    if keyword in ("CMD", "ENTRYPOINT", "RUN"):
        commands = parse_command(body, start, source, workdir(stage, stages), {**stage.arguments, **stage.environment})
        if keyword == "RUN":
            return replace(stage, runs=(*stage.runs, *commands))
        if keyword == "CMD":
            return replace(stage, command=commands)
        return replace(stage, entrypoint=commands, command=())
    return stage


def workdir(stage: Stage, stages: list[Stage]) -> str | None:
    """The working folder of a stage, inherited from the stage it is built on; None where the image decides."""
    seen = 0
    at: Stage | None = stage
    while at is not None and seen < 20:
        if at.folder is not None:
            return at.folder
        at = next((s for s in stages if s.name and s.name == at.base.lower() and s is not at), None)
        seen += 1
    return None


def _copies(body: str, values: dict[str, str | None], folder: str | None) -> list[tuple[str, str, str | None]]:
    """Source, target and the stage copied from, of ``COPY`` in both forms; targets made absolute. A source that is not
    known stays as it is written, with its variables, and so does, in its place, a target that is not."""
    origin = None
    text = body.replace("\\\n", " ").strip()
    while flag := re.match(r"--([\w-]+)(?:=(\S+))?\s+", text):
        if flag[1] == "from":
            origin = flag[2]
        text = text[flag.end():]
    words: list[str]
    if text.startswith("["):
        try:
            words = [str(word) for word in json.loads(text)]
        except ValueError:
            return []
    else:
        words = text.split()
    known = [expand(word, values) for word in words]
    if len(known) < 2:
        return []
    target = known[-1]
    if target is None:
        # something comes below the last folder that is known: under which name, a variable says
        target, words[:-1] = words[-1].partition("$")[0].rpartition("/")[0] + "/", [words[-1]]
        known[:-1] = [None]
    if not target.startswith("/"):
        target = posixpath.join(folder or "/", target)
    return [(written if word is None else word, target, origin) for word, written in zip(known[:-1], words)]


def _exposed(body: str, values: dict[str, str | None], place: Place) -> list[Port]:
    found: list[Port] = []
    for word in body.split():
        number, _, protocol = (expand(word, values) or "").partition("/")
        if number.isdigit():
            found.append(Port(int(number), None, place, protocol=protocol or "tcp"))
    return found


def parse_command(body: str, start: int, source: Source, folder: str | None,
                  variables: dict[str, Known]) -> tuple[Command, ...]:
    """A command in its JSON form (one program, no shell) or its shell form."""
    text = body.lstrip()
    begin = start + len(body) - len(text)
    if text.startswith("["):
        try:
            words = json.loads(text.replace("\\\n", "  ").replace("\\\r\n", "   "))
        except ValueError:
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return _json_form(words, text, begin, source, folder, variables)
    while flag := re.match(r"--[\w-]+(?:=\S+)?\s+", text):
        begin += flag.end()
        text = text[flag.end():]
    at = source.char_to_byte(begin)
    return read_commands(text.encode(), source.path, at, folder=folder, variables=variables)


def _json_form(words: list[str], text: str, begin: int, source: Source, folder: str | None,
               variables: dict[str, Known]) -> tuple[Command, ...]:
    found: list[Word] = []
    at = 0
    for word in words:
        quoted = json.dumps(word, ensure_ascii=False)
        where = text.find(quoted, at)
        where = text.find('"', at) if where < 0 else where
        end = where + len(quoted)
        span = (source.char_to_byte(begin + where), source.char_to_byte(begin + end))
        found.append(Word(word, Place(source.path, span), text[where:end]))
        at = end
    place = Place(source.path, (source.char_to_byte(begin), source.char_to_byte(begin + len(text))))
    command = Command(tuple(found), place, False, {}, folder)
    from connlint.languages.deployment.shell import _nested, _shell_argument, _State

    script = _shell_argument(found) if found else None
    if script is not None:
        data = source.data
        return _nested(script, data, source.path, 0, _State(folder, dict(variables)), {})
    return (unwrap(command),) if found else ()
