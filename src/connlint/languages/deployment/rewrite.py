"""Edits of deployment files: text for text, in the form that the file already has.

Every function takes the source and places, and returns a `Fix`, or None where the edit cannot be written beyond doubt.
What else stands on the lines that are touched stays, comments too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from connlint.languages.deployment.yaml_nodes import Malformed, Yaml, documents
from connlint.languages.edits import insertion, line_end, line_start, line_stop
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_ITEM = regex(r"[ ]*-[ ]+")
_PART_OF_WORD = r"[\w.:/@$-]"
_PLAIN = regex(r"(?:[\w./:=,@%+-]|\$\w+|\$\{\w+(?::-[\w./:@-]*)?\})+")
"""A word that means the same in a JSON array and to a shell, but for its variables."""
_VALUE = regex(r"[\w:/.@,?&=%+*-]+")
_VALUE_OF_OTHERS = regex(r"(?:[A-Za-z]|\$\{\w+\})(?:[\w./@,?&=%+*~-]|:(?=\S)|\$\{\w+(?::?-[\w./@-]*)?\})*")
"""An address that means the same with quotes and without, behind ``NAME:`` and behind ``NAME=``."""
_ITSELF = regex(r"localhost|\b127\.|\b0\.0\.0\.0\b|::1")
_HEALTHY, _STARTED = "service_healthy", "service_started"


# -- variables --------------------------------------------------------------------------------------------------------


def with_variable(source: Source, name: str, value: str) -> Edit | None:
    """Name a variable in a file of variables: behind the last one that begins alike, or at the end.

    None where it is named already, the value would have to be quoted, or the file is one for a shell.
    """
    if not _VALUE.fullmatch(value) or re.search(rf"\b{re.escape(name)}\b|(?m:^export )", source.text):
        return None
    family, end = f"{name.partition('_')[0]}_", line_end(source)
    numbers = range(1, len(source.line_starts()) + 1)
    alike = [number for number in numbers if source.line_text(number).startswith(family)]
    text = f"{name}={value}"
    if alike:
        stop = line_stop(source, source.line_starts()[alike[-1] - 1])
        return insertion(source, stop, f"{end}{text}")
    above = re.split(r"(?:\r?\n){2,}", source.text.rstrip())[-1]
    apart = end if above.lstrip().startswith("#") and source.text.endswith("\n") else ""  # a group with its heading
    last = source.text[-1:]
    return insertion(source, len(source.data), f"{apart}{text}{end}" if last in ("\n", "") else f"{end}{text}")


def with_variables_of_others(source: Source, name: str, variables: Sequence[str], title: str) -> Fix | None:
    """Give the compose service ``name`` each of ``variables`` as the other services of the file have it.

    None unless all of them are there, none is said in two ways or names the machine itself.
    """
    services = _services(source, name)
    if services is None:
        return None
    given = [dict(_environment(other)) for key, other in _pairs(services) if key.text != name]
    found = {variable: {one[variable] for one in given if variable in one} for variable in variables}
    known = {variable: next(iter(values)) for variable, values in found.items() if len(values) == 1}
    return with_variables(source, name, known, title) if len(known) == len(variables) else None


def _services(source: Source, name: str) -> Yaml | None:
    """The services of a compose file, of which one is called ``name``."""
    try:
        found = [_own(document, "services") for document in documents(source)]
    except Malformed:
        return None
    return next((one[1] for one in found if one is not None and _own(one[1], name) is not None), None)


def with_variables(source: Source, name: str, variables: Mapping[str, str], title: str) -> Fix | None:
    """Give the compose service ``name`` each of ``variables`` with its value.

    None unless they are plain, none names the machine itself, and the service has an environment of its own, one entry
    below the other.
    """
    services = _services(source, name)
    own = _own(services, name) if services is not None else None
    mine = _own(own[1], "environment") if own is not None else None
    if mine is None or mine[1].node.id == "scalar" or mine[1].node.flow_style:
        return None
    entries = mine[1].node.value
    last = _last_leaf(mine[1])
    if not entries or last is None:
        return None
    first = entries[0][0] if mine[1].node.id == "mapping" else entries[0]
    head = source.slice((line_start(source, Yaml(first, source).span[0]), Yaml(first, source).span[0]))
    text = ""
    for variable, value in variables.items():
        if not re.fullmatch(r"\s*(?:-[ ]+[\"']?)?", head):
            return None
        if not _VALUE_OF_OTHERS.fullmatch(value) or _ITSELF.search(value) or '"' in head or "'" in head:
            return None
        text += f"{line_end(source)}{head}{variable}{'=' if '-' in head else ': '}{value}"
    return Fix(title, (insertion(source, line_stop(source, last.span[1]), text),))


def _environment(service: Yaml) -> Iterator[tuple[str, str]]:
    """The variables that a compose service is given by itself, with their values as they are written."""
    own = _own(service, "environment")
    if own is not None and own[1].node.id == "mapping":
        for key, value in _pairs(own[1]):
            if key.text and value.text:
                yield key.text, value.text
    elif own is not None and own[1].node.id == "sequence":
        for item in own[1].list():
            name, mark, written = (item.text or "").partition("=")
            if mark:
                yield name, written


# -- words ------------------------------------------------------------------------------------------------------------


def reworded(source: Source, at: Span, old: str, new: str, title: str) -> Fix | None:
    """Write ``new`` for ``old``, which has to stand once, as a whole word, in the text at ``at``."""
    found = list(re.finditer(_whole(old), source.slice(at)))
    if len(found) != 1 or not new.isascii() or "\n" in new:
        return None
    start = at[0] + len(source.slice(at)[: found[0].start()].encode(source.encoding))
    return Fix(title, (Edit(Place(source.path, (start, start + len(old.encode(source.encoding)))), new),))


def _whole(word: str) -> str:
    return rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)"


def with_option(source: Source, at: Span, behind: str, option: tuple[str, str], title: str) -> Fix | None:
    """Give a command ``option`` (a flag and its value) behind the word ``behind``, which stands once at ``at``.

    The command may be a line for a shell, a JSON array or a YAML list, in which every word has a place of its own.
    """
    found = list(re.finditer(rf"(?<!{_PART_OF_WORD}){re.escape(behind)}(?!{_PART_OF_WORD})", source.slice(at)))
    if len(found) != 1:
        return None
    start = at[0] + len(source.slice(at)[: found[0].start()].encode(source.encoding))
    end = start + len(behind.encode(source.encoding))
    line = source.line(end)
    text, after = source.line_text(line), source.column(end) - 1
    begun, rest = text[: source.column(start) - 1], text[after:]
    quote = begun[-1:] if begun[-1:] in ("'", '"') and rest[:1] == begun[-1:] else ""
    item = _ITEM.match(begun)
    if item and begun in (item[0], item[0] + quote) and not rest.removeprefix(quote).split("#")[0].strip():
        new = "".join(f"{line_end(source)}{item[0]}{quote}{word}{quote}" for word in option)
        return Fix(title, (insertion(source, line_stop(source, end), new),))
    within_list = re.match(r"\s*[,\]]", rest.removeprefix(quote)) and re.search(r"[\[,]\s*$", begun.removesuffix(quote))
    if within_list:
        if not quote:
            return None
        new = "".join(f", {quote}{word}{quote}" for word in option)
        return Fix(title, (insertion(source, end + len(quote), new),))
    if quote and re.search(r"[\[,]\s*$", begun[:-1]):
        return None  # an array over several lines
    if quote and begun.strip() != quote and not begun[:-1].rstrip().endswith(":"):
        return None  # a word in quotes of the shell's
    return Fix(title, (insertion(source, end, f" {option[0]} {option[1]}"),))


def through_shell(source: Source, at: Span, title: str) -> Fix | None:
    """Have a shell start the command that stands as a JSON array at ``at``, and give its place to it, so that variables
    in it are expanded. None unless every word is one for a shell as well."""
    text = source.slice(at)
    found = re.search(r"\[[^\[\]]*\]", text)
    try:
        words = json.loads(found[0]) if found is not None else None
    except ValueError:
        return None
    if found is None or not words or not all(type(word) is str and _PLAIN.fullmatch(word) for word in words):
        return None
    start = at[0] + len(text[: found.start()].encode(source.encoding))
    place = Place(source.path, (start, start + len(found[0].encode(source.encoding))))
    return Fix(title, (Edit(place, f'["sh", "-c", "exec {" ".join(words)}"]'),))


# -- waiting for others -----------------------------------------------------------------------------------------------


def wait_until_healthy(source: Source, at: Span, title: str) -> Fix | None:
    """Let a compose service wait until the one that it names at ``at``, under its own ``depends_on``, is healthy.

    ``at`` is the name in a list, or the condition where there is one. A list becomes a mapping, in which the others
    keep what they had.
    """
    try:
        found = next(_waits_at(documents(source), at), None)
    except Malformed:
        return None
    if found is None:
        return None
    key, node, unit = found
    if node.node.id == "mapping":
        written = source.slice(at)
        if written.strip("'\"") != _STARTED:
            return None
        return Fix(title, (Edit(Place(source.path, at), written.replace(_STARTED, _HEALTHY)),))
    between = source.slice((key.span[1], node.span[0]))
    if re.fullmatch(r"[ ]*:[ ]*", between) is not None and not node.node.flow_style:
        return None
    if not re.fullmatch(r"[ ]*:\s*(?:#[^\n]*\s*)*", between):
        return None  # an anchor, an alias or a tag
    return _from_flow(source, key, node, at, unit, title) if node.node.flow_style else _from_list(
        source, key, node, at, unit, title)


def with_healthcheck(source: Source, name: str, test: Sequence[str]) -> Edit | None:
    """Give the compose service ``name`` a health check with this ``test``, behind all else that it has.

    None where its entries are not one below the other, or end in a text over lines.
    """
    try:
        found = [_own(document, "services") for document in documents(source)]
    except Malformed:
        return None
    service = next((own[1] for one in found if one is not None and (own := _own(one[1], name)) is not None), None)
    if service is None or service.node.id != "mapping" or service.node.flow_style or _own(service, "healthcheck"):
        return None
    pairs = list(_pairs(service))
    last = _last_leaf(pairs[-1][1])
    if last is None or pairs[-1][0].node.start_mark.column == 0:
        return None
    indent = " " * pairs[-1][0].node.start_mark.column
    unit = " " * max(2, pairs[-1][0].node.start_mark.column // 2)
    written = ", ".join(json.dumps(word) for word in test)
    settings = (f"test: [{written}]", "interval: 5s", "timeout: 5s", "retries: 10")
    rows = ["healthcheck:", *(f"{unit}{row}" for row in settings)]
    text = "".join(f"{line_end(source)}{indent}{row}" for row in rows)
    return insertion(source, line_stop(source, last.span[1]), text)


def _last_leaf(node: Yaml) -> Yaml | None:
    """What stands last in a value; None where that is a text over lines, or nothing."""
    kind = node.node.id
    if kind == "scalar" or node.node.flow_style:
        return node if getattr(node.node, "style", None) not in ("|", ">") and node.span[0] < node.span[1] else None
    below = node.node.value[-1] if node.node.value else None
    if below is None:
        return None
    return _last_leaf(Yaml(below[1] if kind == "mapping" else below, node.source))


def _waits_at(found: list[Yaml], at: Span) -> Iterator[tuple[Yaml, Yaml, str]]:
    """The ``depends_on`` of a service that ``at`` stands in: its key, its value, and one level of indentation.

    What a service takes over from elsewhere, by a merge or an alias, is not its own.
    """
    for document in found:
        services = _own(document, "services")
        for name, service in _pairs(services[1]) if services is not None else ():
            waits = _own(service, "depends_on")
            if waits is None:
                continue
            key, node = waits
            if key.span[1] <= node.span[0] <= at[0] and at[1] <= node.span[1]:
                column = key.node.start_mark.column - name.node.start_mark.column
                yield key, node, " " * (column if 0 < column <= 8 else 2)


def _pairs(node: Yaml) -> Iterator[tuple[Yaml, Yaml]]:
    """Keys and values that stand in a mapping itself."""
    if node.node.id == "mapping":
        for key, value in node.node.value:
            yield Yaml(key, node.source), Yaml(value, node.source)


def _own(node: Yaml, name: str) -> tuple[Yaml, Yaml] | None:
    return next(((key, value) for key, value in _pairs(node) if key.text == name), None)


def _from_list(source: Source, key: Yaml, node: Yaml, at: Span, unit: str, title: str) -> Fix | None:
    """Each ``- name`` becomes ``name:`` with its condition below, on the lines where they stood."""
    edits: list[Edit] = []
    outer = key.node.start_mark.column
    for item in node.list():
        start, end = item.span
        line = source.line(start)
        head = source.slice((line_start(source, start), start))
        rest = source.line_text(line)[source.column(end) - 1:]
        if item.text is None or not _ITEM.fullmatch(head) or (rest.split("#")[0].strip()) or source.line(end) != line:
            return None
        indent = head[: head.index("-")] if head.index("-") > outer else " " * outer + unit
        condition = _HEALTHY if (start, end) == at else _STARTED
        place = Place(source.path, (line_start(source, start), end))
        edits.append(Edit(place, f"{indent}{source.slice((start, end))}:"))
        below = f"{line_end(source)}{indent}{unit}condition: {condition}"
        edits.append(insertion(source, line_stop(source, end), below))
    return Fix(title, tuple(edits)) if edits else None


def _from_flow(source: Source, key: Yaml, node: Yaml, at: Span, unit: str, title: str) -> Fix | None:
    """``[a, b]`` behind the key becomes a mapping below it."""
    line = source.line(node.span[1])
    rest = source.line_text(line)[source.column(node.span[1]) - 1:]
    if source.line(key.span[0]) != line or rest.split("#")[0].strip():
        return None
    if source.slice((line_start(source, key.span[0]), key.span[0])).strip():
        return None  # a mapping in braces
    outer, end = " " * key.node.start_mark.column, line_end(source)
    text = ""
    for item in node.list():
        if item.text is None:
            return None
        condition = _HEALTHY if item.span == at else _STARTED
        text += f"{end}{outer}{unit}{source.slice(item.span)}:{end}{outer}{unit}{unit}condition: {condition}"
    colon = source.slice((key.span[1], node.span[0])).index(":")
    gone = Edit(Place(source.path, (key.span[1] + colon + 1, node.span[1])), "")
    return Fix(title, (gone, insertion(source, line_stop(source, node.span[1]), text)))
