"""Edits of imports, in whatever language they are written: another name, another module.

None is safe: the name that is there may not do what the missing one did.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span, Undecodable
from connlint.patterns import regex
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.tree import Tree

_BRACES = regex(r"import\s*(\{[^{}]*\})\s*from\s*$", re.S)
_SAID_OF_IT = regex(r"(?i)(?:#|//).*\b(?:import|from)")
_ONE_LINE = regex(r"from\s+\S+\s+import\s+[\w ,]+")
_WIDTH = 88
_DEFAULT = regex(r"import\s+([\w$]+)\s*(?:(,\s*\{)[^{}]*\}\s*)?from\s*$", re.S)


def respelled(path: str, data: bytes, at: Span, name: str) -> Fix | None:
    """Take ``name`` where the name at ``at`` is taken: in an import, or as a member of a module."""
    if (opened := _open(path, data)) is None:
        return None
    source, program, read = opened
    if path.endswith(".py"):
        from connlint.languages.python.rewrite import respell as respell_python

        imported = _imported(program, at)
        if imported is not None:
            return respell_python(source, program, imported[1], name)
        return _proved(source, Fix(f"Use {name}", (Edit(Place(path, at), name),)), read)
    from connlint.languages.javascript.rewrite import respell

    return respell(source, program, at, name)


def from_module(path: str, data: bytes, at: Span, module: str) -> Fix | None:
    """Import the name at ``at`` from ``module`` instead, and leave the other names of the statement where they are."""
    if (opened := _open(path, data)) is None:
        return None
    source, program, read = opened
    if (imported := _imported(program, at)) is None:
        return None
    statement, name = imported
    if _SAID_OF_IT.search(source.line_text(source.line(statement.at[1]))):
        return None  # a comment that would say what is not so any more
    if not path.endswith(".py"):
        from connlint.languages.javascript.rewrite import from_module as rewrite

        return rewrite(source, program, statement, name, module)
    title = f"Import {name.name} from {module}"
    if len(statement.names) == 1:
        return _proved(source, Fix(title, (Edit(Place(path, statement.module_at), module),)), read)
    from connlint.languages.edits import insertion, line_end, whole_line

    line = whole_line(source, statement.at)
    gone = without_name(source, statement, name)
    if line is None or gone is None:
        return None
    alias = "" if name.local in (name.name, None) else f" as {name.local}"
    # what keeps a linter quiet about the place of an import does so for both
    quiet = re.search(r"[ \t]+# noqa\b[^\r\n]*", source.line_text(source.line(statement.at[0])))
    text = f"from {module} import {name.name}{alias}{quiet[0] if quiet else ''}{line_end(source)}{line[1]}"
    added = insertion(source, statement.at[0], text)
    for other in program.body:
        if type(other) is p.Import and other.module == module and other.at[0] < statement.at[0] and other.names:
            written = source.slice(other.at)
            if _ONE_LINE.fullmatch(written) and len(written) + len(name.name) + len(alias) < _WIDTH:
                last = other.names[-1].at
                added = Edit(Place(path, last), f"{source.slice(last)}, {name.name}{alias}")
    edits = (added, Edit(Place(path, gone), ""))
    return _proved(source, Fix(title, edits), read)


def takes_what_it_is_given(path: str, data: bytes, at: Span, tree: Tree, home: str, name: str) -> bool:
    """Whether the function ``name`` of the file ``home`` can be called with the arguments that ``path`` gives what it
    imports at ``at``; True for what is no function, or cannot be told."""
    here = _open(path, data)
    imported = _imported(here[1], at) if here is not None else None
    there = _open(home, text) if (text := tree.read(home)) is not None else None
    if here is None or there is None or imported is None:
        return True
    from connlint.languages.edits import everything

    made: list[Any] = [s.value for s in there[1].body if type(s) is p.Define and s.name == name] + [
        s.value for s in there[1].body if type(s) is p.Let and type(s.target) is p.Name and s.target.id == name]
    if len(made) != 1 or type(made[0]) is not p.Function or made[0].decorators:
        return True
    return all(_takes(made[0], call, path.endswith(".py")) for call in everything(here[1].body) if type(call) is p.Call
               and type(call.callee) is p.Name and call.callee.id == imported[1].local)


def _takes(function: p.Function, call: p.Call, python: bool) -> bool:
    """Whether a call gives a function no more arguments than it has parameters, and in Python no fewer."""
    given = [one for one in call.args if one.name is None]
    if any(one.spread for one in call.args):
        return True
    kinds = {param.kind for param in function.params}
    places = [param for param in function.params if param.kind in ("positional", "either")]
    if len(given) > len(places) and "rest" not in kinds:
        return False
    if not python:
        return True
    named = {one.name for one in call.args if one.name is not None}
    known = {param.target.id for param in function.params if type(param.target) is p.Name}
    missing = [param for param in places[len(given) :] if param.default is None
               and not (type(param.target) is p.Name and param.target.id in named)]
    return not missing and ("keywords" in kinds or named <= known)


def as_default(path: str, data: bytes, at: Span) -> Fix | None:
    """Import the name at ``at``, which stands in braces, as the default of its module; JavaScript only."""
    opened = None if path.endswith(".py") else _open(path, data)
    imported = _imported(opened[1], at) if opened is not None else None
    if opened is None or imported is None:
        return None
    source, (statement, name) = opened[0], imported
    named = [one for one in statement.names if one.name not in ("*", "default")]
    braces = _BRACES.match(source.slice((statement.at[0], statement.module_at[0])))
    if braces is None or len(named) != len(statement.names) or name not in named or name.type_only or not name.local:
        return None
    begin, end = (statement.at[0] + len(braces[0][: braces.start(1)].encode(source.encoding)),
                  statement.at[0] + len(braces[0][: braces.end(1)].encode(source.encoding)))
    if len(named) == 1:
        edits: tuple[Edit, ...] = (Edit(Place(path, (begin, end)), name.local),)
        if re.search(r"/[/*]", braces[1]):
            return None  # a comment that would go
    else:
        from connlint.languages.edits import insertion

        gone = without_name(source, statement, name)
        if gone is None:
            return None
        edits = (insertion(source, begin, f"{name.local}, "), Edit(Place(path, gone), ""))
    return _proved(source, Fix(f"Import {name.local} as the default", edits), opened[2])


def as_named(path: str, data: bytes, at: Span, name: str) -> Fix | None:
    """Import the export ``name`` where the default is imported at ``at`` under the same name; JavaScript only."""
    opened = None if path.endswith(".py") else _open(path, data)
    imported = _imported(opened[1], at) if opened is not None else None
    if opened is None or imported is None or imported[1].name != "default" or imported[1].local != name:
        return None
    source, statement = opened[0], imported[0]
    written = _DEFAULT.match(source.slice((statement.at[0], statement.module_at[0])))
    if written is None or written[1] != name:
        return None
    start = statement.at[0] + len(written[0][: written.start(1)].encode(source.encoding))
    stop = start + len(name.encode(source.encoding))
    if written[2] is None:
        edits: tuple[Edit, ...] = (Edit(Place(path, (start, stop)), f"{{ {name} }}"),)
    else:
        behind = statement.at[0] + len(written[0][: written.end(2)].encode(source.encoding))
        edits = (Edit(Place(path, (start, behind)), f"{{ {name},"),)
    return _proved(source, Fix(f"Import {name} by its name", edits), opened[2])


def without_idle_imports(project: Project, module: Module, fix: Fix | None) -> Fix | None:
    """``fix``, and without the imports and plain constants of which it has taken the last use; as it is where they
    cannot go."""
    if fix is None:
        return None
    from connlint.languages.edits import without_lines

    source, more = module.source, _idle_constants(project, module, fix)
    replaced = [source.slice(edit.place.at) for edit in fix.edits]
    statement: Any
    for statement in module.program.body:
        for name in statement.names if type(statement) is p.Import else ():
            if not any((name.local or "") in text for text in replaced):
                continue
            word = re.compile(rf"(?<![\w$]){re.escape(name.local or '')}(?![\w$])")
            if not name.local or name.star or name.name == "*" or len(word.findall(source.text)) != 2:
                continue  # where it is imported, and where it is used
            if not any(word.search(source.slice(edit.place.at)) for edit in fix.edits) or any(
                    word.search(edit.text) for edit in fix.edits):
                continue
            added = next((edit for edit in fix.edits if _is_within(edit, statement)), None)
            if len(statement.names) == 1 and added is not None:  # another name of the module takes its place
                kept = tuple(edit for edit in fix.edits if edit is not added)
                fix = Fix(fix.title, (*kept, Edit(Place(module.path, name.at), added.text.strip(", "))))
                break
            if len(statement.names) == 1:
                gone = without_lines(source, statement.at, r"(?!)")
                more += [gone] if gone is not None else []
            elif (span := without_name(source, statement, name)) is not None:
                more.append(Edit(Place(module.path, span), ""))
    if not more or (opened := _open(module.path, source.data)) is None:
        return fix
    return _proved(source, Fix(fix.title, (*fix.edits, *more)), opened[2]) or fix


def _is_within(edit: Edit, statement: p.Statement) -> bool:
    """Whether an edit adds something to a statement."""
    return edit.place.at[0] == edit.place.at[1] and statement.at[0] < edit.place.at[0] <= statement.at[1]


def _idle_constants(project: Project, module: Module, fix: Fix) -> list[Edit]:
    """Edits that take away the constants that hold a text, are not exported, and were used in ``fix`` alone; in Python,
    where every name is, those that no file which imports this one mentions."""
    from connlint.languages.edits import without_lines

    source, found = module.source, []
    replaced = [source.slice(edit.place.at) for edit in fix.edits]
    python = module.program.language == "python"
    for let in module.program.body if python else module.nodes(p.Let):
        if type(let) is not p.Let or type(let.target) is not p.Name or type(let.value) is not p.Text:
            continue
        if (not python and let.how != "const") or not any(let.target.id in text for text in replaced):
            continue
        # a name behind a dot, or before a colon, is that of something else
        word = re.compile(rf"(?<![\w$.'\"]){re.escape(let.target.id)}(?![\w$'\"])(?!\s*:)")
        used = [node for node in module.nodes(p.Name) if node.id == let.target.id and node is not let.target]
        alone = len(word.findall(source.text)) == 2 and len(used) == 1
        if alone and any(word.search(source.slice(e.place.at)) for e in fix.edits):
            gone = without_lines(source, let.at, r"(?!)")
            if gone is not None and not any(word.search(edit.text) for edit in fix.edits) and not (
                    python and _is_taken(project, module.path, let.target.id)):
                found.append(gone)
    return found


def _is_taken(project: Project, path: str, name: str) -> bool:
    """Whether a file that imports ``path`` mentions ``name``, or may take all of its names."""
    index = importers(project)
    module = re.escape(path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2])
    wanted = re.compile(rf"\b{re.escape(name)}\b|(?m:^\s*from\s+(?:\.+|[\w.]*\b{module})\s+import\s+\*)".encode())
    return any(wanted.search(index.data(other)) for other in index.near(path))


def without_name(source: Source, statement: p.Import, name: p.ImportedName) -> Span | None:
    """What to take out so that ``statement`` imports ``name`` no more: its line, or the name and a comma."""
    line = source.line(name.at[0])
    text = source.line_text(line)
    written = source.slice(name.at)
    if re.fullmatch(rf"\s*{re.escape(written)}\s*,\s*(?:#.*)?", text) and line < len(source.line_starts()):
        return source.line_starts()[line - 1], source.line_starts()[line]
    place = statement.names.index(name)
    follows = place + 1 < len(statement.names)
    # the last name of a line goes with the comma before it: what follows would come up into the line
    breaks = follows and place > 0 and source.line(statement.names[place + 1].at[0]) > line
    if follows and not (breaks and source.line(statement.names[place - 1].at[0]) == line):
        gone = (name.at[0], statement.names[place + 1].at[0])
    else:
        gone = (statement.names[place - 1].at[1], name.at[1])
    return None if "#" in source.slice(gone) else gone


def other_module(path: str, data: bytes, at: Span, module: str, other: str) -> Fix | None:
    """Write ``other`` for the specifier ``module`` at ``at``; None where the file writes it another way."""
    if data[at[0] : at[0] + 1] in (b"'", b'"'):
        at = at[0] + 1, at[1] - 1
    if data[at[0] : at[1]] != module.encode() or (opened := _open(path, data)) is None:
        return None
    source, _, read = opened
    return _proved(source, Fix(f"Import from {other}", (Edit(Place(path, at), other),)), read)


def _open(path: str, data: bytes) -> tuple[Source, p.Program, Callable[[Source], p.Program]] | None:
    python = path.endswith(".py")
    try:
        source = Source.decode(path, data, cookie=python)
    except Undecodable:
        return None
    if python:
        from connlint.languages.python.read import read
    else:
        from connlint.languages.javascript.read import read
    return source, read(source), read


def _proved(source: Source, fix: Fix, read: Callable[[Source], p.Program]) -> Fix | None:
    from connlint.languages.edits import proved

    return proved(source, fix, partial(read), keeps=False)


def _imported(program: p.Program, at: Span) -> tuple[p.Import, p.ImportedName] | None:
    """The import statement, and the name in it, that stands at ``at``."""
    from connlint.languages.edits import everything

    for node in everything(program.body):
        if type(node) is p.Import:
            for name in node.names:
                if name.at[0] == at[0]:
                    return node, name
    return None
