"""Shell text as the list of programs it starts: scripts, recipes, ``RUN``, ``CMD`` and start commands.

The grammar is tree-sitter's for bash. Variables are followed as far as one script shows them: assignments, exports,
``${X:-default}``. ``cd`` is followed too. What runs under a condition is kept, since it does run somewhere.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.model.deployment import Command, Known, Word
from connlint.model.finding import Place
from connlint.patterns import regex

_NO_WORDS = ("file_redirect", "herestring_redirect", "heredoc_redirect", "comment")
_WRAPPERS: dict[str, int] = {
    # program → how many of its own words stand before the program that it starts; options are skipped besides
    "exec": 0, "command": 0, "nohup": 0, "sudo": 0, "time": 0, "nice": 0, "tini": 0, "dumb-init": 0, "gosu": 1,
    "su-exec": 1, "setpriv": 0, "catchsegv": 0, "stdbuf": 0, "env": 0, "xvfb-run": 0, "ddtrace-run": 0,
    "opentelemetry-instrument": 0, "newrelic-admin": 1, "dotenvx": 1, "poetry": 1, "pipenv": 1, "pdm": 1, "uv": 1,
    "rye": 1, "hatch": 1, "conda": 1, "doppler": 1, "infisical": 1, "op": 1, "chamber": 2, "dotenv": 0, "env-cmd": 0,
    "cross-env": 0, "npx": 0, "bunx": 0, "concurrently": -1, "timeout": 1, "wait-for-it.sh": -1, "watchmedo": -1,
}
_RUNNERS = {"poetry", "pipenv", "pdm", "uv", "rye", "hatch", "conda", "doppler", "infisical", "op", "dotenvx"}
_EXECUTORS = {"npm": ("exec", "x"), "pnpm": ("exec", "dlx"), "yarn": ("exec", "dlx"), "bun": ("x",)}
"""Package managers, and the words behind which a program stands."""
_WATCHERS = ("nodemon",)
_EXECUTES = ("--exec", "-x")
"""Programs that start another one again and again, and the options behind which it stands."""
_RESTARTER = "watchmedo"
"""One that starts what stands behind two dashes, if these are there."""
_PYTHON = regex(r"(?:python|pypy)[\d.]*$")
_RUN_PYTHON: dict[str, tuple[str, ...]] = {
    # program → its options that take a value; the module or file that it runs stands behind them
    "debugpy": ("--listen", "--connect", "--log-to"), "cProfile": ("-o", "-s"), "profile": ("-o", "-s"), "pdb": ("-c",),
    "coverage": ("--rcfile", "--source", "--include", "--omit", "--data-file", "--context", "--concurrency"),
    "memray": ("-o", "--output", "--live-port"), "viztracer": ("-o", "--output_file", "--tracer_entries"),
}
"""Debuggers and profilers that run a program of Python, as ``python -m NAME`` or by their own name."""
_LONGEST = 10_000
"""Characters past which a value is not followed: one that is made of itself grows without end."""
_VALUED = {"-f", "--env-file", "-e", "-u", "--user", "--group", "-g", "-n", "--with", "--extra", "-p", "--project",
           "--directory", "-s", "--signal", "-k", "--python", "--package", "--only-group"}


_SHELLS = ("sh", "bash", "ash", "dash", "zsh")
_READ_BY_A_SHELL = regex(rb"#![ \t]*\S*/(?:env[ \t]+)?(?:ba|da|a|z)?sh\b")
_OWN_FOLDER = regex(r"""\$\(\s*(?P<cd>cd\s+(?:--\s+)?"?\$\(\s*)?dirname\s+(?:--\s+)?"?"""
                    r"""\$(?:0|\{0\}|\{?BASH_SOURCE(?:\[0\])?\}?)"?\s*\)(?(cd)(?P<below>/[\w./-]*)?"?\s*(?:[12&]?>+\s*/dev/null\s*(?:2>&1\s*)?)?(?:&&|;)\s*pwd(?:\s+-P)?\s*\))$""")
"""``$(dirname "$0")``, ``$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)``."""
_PROJECT = "\0/"
"""Stands for the project's folder in front of a path that the script builds from its own place."""


class _State(Struct):
    folder: str | None
    variables: dict[str, Known]
    exported: dict[str, Known] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)
    own: str | None = None
    """The folder of the script itself; None where the text is no script of its own."""


_OTHERWISE = ("elif_clause", "else_clause")
_LOOKED_FOR = regex(rb"-[efrsx]\s+[\"']?([\w./-]+\.[A-Za-z]\w*)")
"""A file that a test asks for."""
_CHANGES_FOLDER = regex(rb"(?m)^[ \t]*(?:cd|pushd)[ \t]")
_NEGATED = regex(rb"(?:el)?if\s+!")


@cache
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def read_commands(text: bytes, path: str, offset: int = 0, *, folder: str | None = "", shell: bool = True,
                  variables: Mapping[str, Known] | None = None) -> tuple[Command, ...]:
    """Every program that ``text`` starts, in order.

    ``text`` stands at byte ``offset`` of the file ``path``; it may have been unfolded from YAML only if its bytes still
    are those of the file (else give an offset that makes every place the whole scalar's start). ``folder`` is where it
    runs, relative to the project, None where that is not known.
    """
    state = _State(folder, dict(variables or {}), own=posixpath.dirname(path) if _is_script(path) else None)
    found: list[Command] = []
    _visit(_parser().parse(text).root_node, text, path, offset, shell, state, found)
    return tuple(found)


def _visit(node: Any, text: bytes, path: str, offset: int, shell: bool, state: _State, found: list[Command]) -> None:
    kind = node.type
    if kind == "command":
        _command(node, text, path, offset, shell, state, found)
    elif kind in ("variable_assignment", "declaration_command"):
        exported = kind == "declaration_command" and text[node.start_byte:].startswith(b"export")
        for part in node.named_children if kind == "declaration_command" else [node]:
            if part.type == "variable_assignment":
                name, value = _assignment(part, text, path, offset, state)
                state.variables[name] = value
                if exported:
                    state.exported[name] = value
            elif part.type == "variable_name" and exported:
                name = text[part.start_byte:part.end_byte].decode("utf-8", "replace")
                if name in state.variables:
                    state.exported[name] = state.variables[name]
    elif kind in ("subshell", "function_definition", "case_item"):
        # a function runs where it is called, which is further down
        moved = kind == "function_definition" and _CHANGES_FOLDER.search(text, node.end_byte) is not None
        folder = None if moved else state.folder
        inner = _State(folder, dict(state.variables), dict(state.exported), list(state.loaded), state.own)
        for child in node.named_children:
            _visit(child, text, path, offset, shell, inner, found)
    elif kind in ("if_statement", "elif_clause"):
        _branch(node, text, path, offset, shell, state, found)
    elif kind == "list" and any(child.type == "||" for child in node.children):
        _alternatives(node, text, path, offset, shell, state, found)
    elif kind not in ("heredoc_redirect", "comment", "string", "raw_string"):
        for child in node.named_children:
            _visit(child, text, path, offset, shell, state, found)


def _branch(node: Any, text: bytes, path: str, offset: int, shell: bool, state: _State, found: list[Command]) -> None:
    """``if a; then b; fi``: a is allowed to fail, and b may start what a has looked for."""
    asked: list[Command] = []
    then: list[Command] = []
    otherwise: list[Command] = []
    condition = b""
    into = asked
    before = dict(state.variables)
    ways: list[dict[str, Known]] = []
    for child in node.children:
        if child.type == "then":
            condition = text[node.start_byte:child.start_byte]
            into = then
            before = dict(state.variables)
        elif child.is_named:
            if child.type in _OTHERWISE:
                ways.append(state.variables)
                state.variables = dict(before)
            _visit(child, text, path, offset, shell, state, otherwise if child.type in _OTHERWISE else into)
    state.variables = _either(before, [*ways, state.variables])
    demanded = then and _gives_up(then[0]) and _NEGATED.match(condition)
    looked_for = [name.decode("utf-8", "replace") for name in _LOOKED_FOR.findall(condition)]
    for command in asked:
        found.append(command if demanded else replace(command, open=command.open or "it may fail"))
    for command in then:
        if any(_names(command, name) for name in looked_for):
            command = replace(command, open=command.open or "it is looked for before")
        found.append(command)
    found += otherwise


def _either(before: dict[str, Known], ways: list[dict[str, Known]]) -> dict[str, Known]:
    """The variables after one of several ways was gone, or none: what two of them tell apart has a value that is not
    known."""
    found: dict[str, Known] = {}
    for name in dict.fromkeys(name for way in (before, *ways) for name in way):
        rows = [way[name] for way in (before, *ways) if name in way]
        last = rows[-1]
        found[name] = last if all(row.value == last.value for row in rows) else replace(last, value=None)
    return found


def _gives_up(command: Command) -> bool:
    return command.words[0].value in ("exit", "return", "false", "die", "kill")


def _names(command: Command, path: str) -> bool:
    """Whether a command starts the file ``path``, be it by the name of its module."""
    stem = path.removeprefix("./").rpartition(".")[0]
    return bool(stem) and any(stem in word.written or stem.replace("/", ".") in word.written for word in command.words)


def _alternatives(node: Any, text: bytes, path: str, offset: int, shell: bool, state: _State,
                  found: list[Command]) -> None:
    """``a || b``: where b is no way to give up, a is allowed to fail, and nothing may be said about it."""
    first: list[Command] = []
    second: list[Command] = []
    _visit(node.named_children[0], text, path, offset, shell, state, first)
    for child in node.named_children[1:]:
        _visit(child, text, path, offset, shell, state, second)
    if not second or not _gives_up(second[0]):
        first = [replace(command, open=command.open or "it may fail") for command in first]
    found += [*first, *second]


def _assignment(node: Any, text: bytes, path: str, offset: int, state: _State) -> tuple[str, Known]:
    name = node.named_children[0]
    value = node.named_children[1] if len(node.named_children) > 1 else None
    key = text[name.start_byte:name.end_byte].decode("utf-8", "replace")
    place = Place(path, (offset + node.start_byte, offset + node.end_byte))
    if value is None:
        return key, Known("", place)
    written = text[value.start_byte:value.end_byte].decode("utf-8", "replace")
    return key, Known(_value(value, text, state), place, written)


def _command(node: Any, text: bytes, path: str, offset: int, shell: bool, state: _State, found: list[Command]) -> None:
    words: list[Word] = []
    assigned: dict[str, Known] = dict(state.exported)
    for child in node.children:
        if child.type == "variable_assignment":
            name, value = _assignment(child, text, path, offset, state)
            assigned[name] = value
        elif child.is_named and child.type not in _NO_WORDS:
            inner = child.named_children[0] if child.type == "command_name" and child.named_children else child
            at = Place(path, (offset + child.start_byte, offset + child.end_byte))
            written = text[child.start_byte:child.end_byte].decode("utf-8", "replace")
            words.append(Word(_value(inner, text, state), at, written))
    if not words:
        return
    program = words[0].value
    if program != "cd":
        words = [replace(word, value=_from(state.folder, word.value)) for word in words]
        assigned = {name: replace(known, value=_from(state.folder, known.value)) for name, known in assigned.items()}
    if program == "cd":
        state.folder = _join(state.folder, words[1].value if len(words) > 1 else None)
        return
    if program in (".", "source"):
        # that of an environment of Python says where programs are, and nothing of what they are told
        if len(words) < 2 or not words[1].written.strip("\"'").endswith("/bin/activate"):
            state.loaded.append(words[1].written if len(words) > 1 else "?")
        return
    if program == "git" and len(words) > 1 and words[1].value in ("checkout", "switch"):
        state.loaded.append("another branch")  # what stands here says nothing of its files
    place = Place(path, (offset + node.start_byte, offset + node.end_byte))
    nested = _shell_argument(words)
    if nested is not None:
        found += _nested(nested, text, path, offset, state, assigned)
        return
    for quoted in _quoted_commands(words):
        found += _nested(quoted, text, path, offset, state, assigned)
    command = unwrap(Command(tuple(words), place, shell, assigned, state.folder,
                             open=f"{state.loaded[-1]} may set more" if state.loaded else None))
    found.append(command)


def _nested(word: Word, text: bytes, path: str, offset: int, state: _State,
            assigned: dict[str, Known]) -> tuple[Command, ...]:
    """The commands of ``sh -c "…"``: read where they stand, so that their places are right."""
    start, end = word.place.at[0] - offset, word.place.at[1] - offset
    body = text[start:end]
    if body[:1] in (b'"', b"'"):
        start, body = start + 1, body[1:-1]
    inner = read_commands(body, path, offset + start, folder=state.folder, variables={**state.variables, **assigned})
    return tuple(replace(c, shell=True, assignments={**assigned, **c.assignments}) for c in inner)


def script_name(command: Command) -> str | None:
    """What ``command`` runs where that may be a script: its program, or the file that it hands to a shell."""
    names = [word.value for word in command.words]
    if len(names) > 1 and posixpath.basename(names[0] or "") in _SHELLS:
        names = [name for name in names[1:] if not (name or "").startswith("-")]
    return names[0] if names else None


def is_script(command: Command) -> bool:
    """Whether ``command`` runs a shell script by its name."""
    return (script_name(command) or "").endswith((".sh", ".bash"))


def is_shell_script(data: bytes) -> bool:
    """Whether the first line says that a shell reads the file."""
    return _READ_BY_A_SHELL.match(data) is not None


def listed(words: tuple[Word, ...], place: Place, data: bytes, folder: str | None = None) -> tuple[Command, ...]:
    """The commands that a list of words starts, without a shell: those of SCRIPT where it is ``sh -c SCRIPT``.

    ``data`` are the bytes of the file. The words of a script stand where they are found in it, one after the other; the
    place of the whole script stands for those that an escape has changed.
    """
    script = _shell_argument(words) if words else None
    if script is None or script.value is None:
        return (unwrap(Command(words, place, False, {}, folder)),) if words else ()
    path, (first, last) = script.place.path, script.place.at
    at = first

    def placed(word: Word) -> Word:
        nonlocal at
        written = word.written.encode()
        found = data.find(written, at, last)
        if found < 0:
            return replace(word, place=script.place)
        at = found + len(written)
        return replace(word, place=Place(path, (found, at)))

    rows = []
    for command in read_commands(script.value.encode(), path, 0, folder=folder):
        moved = tuple(placed(word) for word in command.words)
        rows.append(replace(command, place=moved[0].place, words=moved))
    return tuple(rows)


def _shell_argument(words: list[Word] | tuple[Word, ...]) -> Word | None:
    """The script of ``sh -c SCRIPT`` (also ``bash -lc``, ``/bin/sh -ec``), or None."""
    program = posixpath.basename(words[0].value or "")
    if program not in _SHELLS:
        return None
    for at, word in enumerate(words[1:], 1):
        flag = word.value or ""
        if flag.startswith("-") and not flag.startswith("--") and flag.endswith("c"):
            return words[at + 1] if at + 1 < len(words) else None
        if not flag.startswith("-"):
            return None
    return None


def _quoted_commands(words: list[Word]) -> list[Word]:
    """The words that hold whole commands: those of a program that runs several, or one behind an option."""
    program = posixpath.basename(words[0].value or "")
    if program == "npx" and len(words) > 1:
        words, program = words[1:], words[1].value or ""
    if program == "concurrently":
        return [word for word in words[1:] if word.value is not None and " " in word.value.strip()]
    if program in _WATCHERS:
        return [word for before, word in pairwise(words)
                if before.value in _EXECUTES and word.value is not None and " " in word.value.strip()]
    return []


def unwrap(command: Command) -> Command:
    """Take off the programs that only start another one, keeping their names in ``wrapped``."""
    words, wrapped, assigned = list(command.words), list(command.wrapped), dict(command.assignments)
    while words:
        program = posixpath.basename(words[0].value or "")
        if (looked_at := _looked_at(words)) is not None:
            wrapped.append(looked_at[0])
            words = looked_at[1]
            continue
        if program in _WATCHERS:
            at = next((at for at, word in enumerate(words[:-1]) if word.value in _EXECUTES), None)
            if at is None or " " in (words[at + 1].value or " "):
                break
            wrapped.append(program)
            words = words[at + 1:]
            continue
        dashes = next((at for at, word in enumerate(words) if word.value == "--"), None)
        if program == _RESTARTER and dashes is not None and words[dashes + 1:]:
            wrapped.append(program)
            words = words[dashes + 1:]
            continue
        executes = len(words) > 1 and words[1].value in _EXECUTORS.get(program, ())
        if not executes and (program not in _WRAPPERS or _WRAPPERS[program] < 0):
            break
        if program in _RUNNERS and (len(words) < 2 or words[1].value not in ("run", "exec")):
            break
        if program == "command" and len(words) > 1 and (words[1].value or "").lower() == "-v":
            break  # it only asks where a program is
        if program == "cross-env" or program == "env":
            rest = words[1:]
        else:
            rest = words[2:] if executes else words[1 + _WRAPPERS[program]:]
        while rest and (rest[0].value or "").startswith("-"):
            flag = rest.pop(0).value
            if flag == "--":
                break
            if flag in _VALUED and rest:
                rest.pop(0)
        while rest and rest[0].value and _is_assignment(rest[0].value):
            name, _, value = rest[0].value.partition("=")
            assigned[name] = Known(value, rest[0].place, value)
            rest.pop(0)
        if not rest:
            break
        wrapped.append(program)
        words = rest
    if len(words) == len(command.words):
        return command
    return Command(tuple(words), command.place, command.shell, assigned, command.folder, tuple(wrapped), command.open)


def _looked_at(words: list[Word]) -> tuple[str, list[Word]] | None:
    """The debugger or profiler that ``words`` start, and the start of the program that it looks at."""
    texts = [word.value or "" for word in words]
    at = 0
    if _PYTHON.match(posixpath.basename(texts[0])):
        # ``python -Xfrozen_modules=off -m debugpy``, ``python /tmp/debugpy``
        at = next((i for i, text in enumerate(texts[1:], 1) if text == "-m" or not text.startswith("-")), len(texts))
        at += texts[at:at + 1] == ["-m"]
    name = posixpath.basename(texts[at]) if at < len(texts) else ""
    if name not in _RUN_PYTHON:
        return None
    at += 2 if texts[at + 1:at + 2] == ["run"] else 1
    while at < len(texts) and texts[at].startswith("-") and texts[at] != "-m":
        at += 2 if texts[at] in _RUN_PYTHON[name] else 1
    if not texts[at:] or (texts[at] != "-m" and not texts[at].endswith(".py")):
        return None
    python = words[0] if _PYTHON.match(posixpath.basename(texts[0])) else replace(words[0], value="python")
    return name, [python, *words[at:]]


def _is_assignment(text: str) -> bool:
    name, equals, _ = text.partition("=")
    return bool(equals) and name.isidentifier()


def _join(folder: str | None, step: str | None) -> str | None:
    if step is None or step.startswith(("~", "-")):
        return None
    if step.startswith(_PROJECT):
        return posixpath.normpath(step.removeprefix(_PROJECT) or ".").removeprefix("./")
    if step.startswith("/"):
        return step
    return None if folder is None else posixpath.normpath(posixpath.join(folder, step)).removeprefix("./")


def _is_script(path: str) -> bool:
    name = posixpath.basename(path)
    return name.endswith((".sh", ".bash"))


def _from(folder: str | None, value: str | None) -> str | None:
    """A word as a program in ``folder`` has to read it, where the script builds it from its own place."""
    if value is None or _PROJECT not in value:
        return value
    if folder is None or folder.startswith("/") or not value.startswith(_PROJECT):
        return None
    return posixpath.relpath(value.removeprefix(_PROJECT).lstrip("/") or ".", folder or ".")


def _value(node: Any, text: bytes, state: _State) -> str | None:
    """What a word means, None where it holds something that this script does not show."""
    kind = node.type
    raw = text[node.start_byte:node.end_byte].decode("utf-8", "replace")
    if kind in ("word", "number", "test_operator", "special_variable_name"):
        return raw.replace("\\\n", "").replace("\\", "") if "\\" in raw else raw
    if kind == "raw_string":
        return raw[1:-1]
    if kind == "string":
        return _joined(node, text, state, quoted=True)
    if kind == "concatenation":
        return _joined(node, text, state, quoted=False)
    if kind in ("simple_expansion", "expansion"):
        return _expansion(node, raw, text, state)
    if kind == "command_substitution" and state.own is not None and (own := _OWN_FOLDER.match(raw)):
        return _PROJECT + state.own + (own["below"] or "")
    return None


def _joined(node: Any, text: bytes, state: _State, *, quoted: bool) -> str | None:
    parts: list[str] = []
    at = node.start_byte + (1 if quoted else 0)
    end = node.end_byte - (1 if quoted else 0)
    for child in node.named_children:
        parts.append(text[at:child.start_byte].decode("utf-8", "replace"))
        if child.type == "string_content":
            parts.append(text[child.start_byte:child.end_byte].decode("utf-8", "replace").replace('\\"', '"'))
        else:
            value = _value(child, text, state)
            if value is None:
                return None
            parts.append(value)
        at = child.end_byte
    parts.append(text[at:end].decode("utf-8", "replace"))
    return "".join(parts) if sum(map(len, parts)) < _LONGEST else None


def _expansion(node: Any, raw: str, text: bytes, state: _State) -> str | None:
    name = next((c for c in node.named_children if c.type in ("variable_name", "special_variable_name")), None)
    if name is None:
        return None
    key = text[name.start_byte:name.end_byte].decode("utf-8", "replace")
    if (known := state.variables.get(key)) is not None and known.value:
        return known.value if raw in (f"${key}", f"${{{key}}}") or ":-" in raw or "-" in raw else None
    for mark in (":-", "-", ":="):
        if raw.startswith("${" + key + mark):
            default = raw[len(key) + 2 + len(mark):-1]
            return None if "$" in default else default.strip("\"'")
    return None
