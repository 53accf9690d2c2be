"""Text edits of Python files, each proved before it is offered.

Every function takes the source, its program and places, and returns a `Fix`, or None where the edit cannot be written
or does not hold (in a notebook, whose text is JSON, none does): the edited file is read again with libcst, it must have
no new problem, and every top-level statement that the edit does not touch must say what it said before. Edits carry the
line ends of the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from connlint.languages.edits import (
    argument_at,
    block_of,
    everything,
    insertion,
    line_end,
    moved_before,
    without_argument,
)
from connlint.languages.python.imported import bound_names, new_import, one_more_name, spelling
from connlint.languages.python.layout import indent_unit, indented_lines, line_of, next_line, proved_edit
from connlint.languages.renaming import renamed_uses
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span

# -- requiring a variable ---------------------------------------------------------------------------------------------


def require(source: Source, program: p.Program, read_at: Span, variable: str) -> Fix | None:
    """Replace the environment read at ``read_at`` (with its default) by ``os.environ["VARIABLE"]``, which raises.

    ``os`` is spelled as the file imports it, and imported where it is not; what the file calls the environment, or has
    handed to it, stays what is asked. Never safe: without the variable the
    program stops where it went on.
    """
    quote = _quote(source, program, read_at)
    if quote is None or not re.fullmatch(r"[\w.-]+", variable):
        return None
    if re.search(r"#[^\n]*\n", source.slice(read_at)):
        return None  # a comment between the lines would go with them
    handed = _handed(source, program, read_at)
    found = (handed, ()) if handed is not None else _environment(source, program)
    if found is None:
        return None
    read = Edit(Place(source.path, _with_parentheses(source, read_at)), f"{found[0]}[{quote}{variable}{quote}]")
    return proved_edit(source, Fix(f"Require {variable}", (*found[1], read)), keeps=False)


def _with_parentheses(source: Source, at: Span) -> Span:
    """The span with the parentheses right around it, unless they are those of a call, or a comment stands in them."""
    before = re.search(r"([\w)\]]*)\s*(\(\s*)$", source.slice((max(source.bom, at[0] - 200), at[0])))
    after = re.match(r"\s*\)", source.slice((at[1], min(len(source.data), at[1] + 200))))
    if before is None or after is None or before[1] not in ("", "return", "and", "or", "not", "in", "if", "else"):
        return at
    opened, closed = (len(one.encode(source.encoding)) for one in (before[2], after[0]))
    return at[0] - opened, at[1] + closed


def taken(source: Source, program: p.Program, call: p.Call, default: p.Argument, name_at: Span, name: str,
          variable: str) -> Fix | None:
    """Call the function ``name`` instead, and give it the variable of the environment for its first argument, in the
    place of the ``default`` that ``call`` has. Never safe, as `require`."""
    quote, at = _quote(source, program, call.at), argument_at(source, default)
    found = _environment(source, program)
    if quote is None or at is None or found is None:
        return None
    read = f"{found[0]}[{quote}{variable}{quote}]"
    edits = [*found[1], Edit(Place(source.path, name_at), name)]
    if call.args[0] is default:
        edits.append(Edit(Place(source.path, at), read))
    else:
        first, gone = argument_at(source, call.args[0]), without_argument(source, call, default)
        if first is None or gone is None or call.args[0].name is None:
            return None
        edits += [insertion(source, first[0], f"{read}, "), gone]
    return proved_edit(source, Fix(f"Require {variable}", tuple(edits)), keeps=False)


def _environment(source: Source, program: p.Program) -> tuple[str, tuple[Edit, ...]] | None:
    """How the file names the environment, and what has to be imported for that; None where it cannot."""
    environ = spelling(program, "os", "environ")
    if environ is not None:
        return environ, ()
    names = bound_names(program.body)
    more = one_more_name(source, program, "os", "environ") if "environ" not in names else None
    if more is not None:
        return "environ", (more,)
    return None if "os" in names else ("os.environ", (new_import(source, program, "os"),))


def _handed(source: Source, program: p.Program, read_at: Span) -> str | None:
    """The name that the file gives the environment, by an assignment or as the default of a parameter, where the read
    at ``read_at`` asks that one."""
    asked = re.match(r"([A-Za-z_]\w*)(?:\.get\(|\[)", source.slice(read_at))
    if asked is None:
        return None
    named = (node for node in everything(program.body) if type(node) in (p.Let, p.Param))
    given = [node.value if type(node) is p.Let else node.default for node in named
             if type(node.target) is p.Name and node.target.id == asked[1]]
    return asked[1] if any(type(value) in (p.Member, p.Name) and getattr(value, "name", getattr(value, "id", None))
                           == "environ" for value in given) else None


def _quote(source: Source, program: p.Program, at: Span) -> str | None:
    """The quotes for a string at ``at``; None inside an f-string that leaves no choice."""
    written = re.search(r"[\"']", source.slice(at))
    if written is not None:
        return written[0]
    for node in everything(program.body):
        if type(node) is p.Concat and node.at[0] < at[0] and at[1] < node.at[1]:
            return None
    return '"'


# -- releasing on every way out ---------------------------------------------------------------------------------------


def release_in_finally(
    source: Source, program: p.Program, acquire: Span, release: Span | str, title: str
) -> Fix | None:
    """Put what follows the statement at ``acquire`` into ``try``, and the release into ``finally``.

    ``release`` is the place of a later statement of the same block, which moves into the ``finally``, or, where there
    is none, the text of one, which is added behind the end of the block. Never safe: the release then also runs
    where it did not.
    """
    block = block_of(program.body, acquire)
    if block is None:
        return None
    place = next(i for i, statement in enumerate(block) if statement.at == acquire)
    following = [statement for statement in block[place + 1 :] if statement.at != acquire]
    if isinstance(release, str):
        last = following[-1:]
    else:
        at = next((i for i, statement in enumerate(following) if statement.at == release), 0)
        last = following[at - 1 : at] if at else []
    if not last:
        return None
    start, indent = line_of(source, acquire)
    unit = indent_unit(source, start, indent)
    begin, stop = next_line(source, acquire[1]), next_line(source, last[0].at[1])
    if start is None or begin is None or stop is None or begin > following[0].at[0]:
        return None
    end = line_end(source)
    text = f"{indent}try:{end}" + indented_lines(source, (begin, stop), unit)
    if not text.endswith(("\n", "\r")):
        text += end
    text += f"{indent}finally:{end}"
    if isinstance(release, str):
        text += f"{indent}{unit}{release}{end}"
    else:
        moved, _ = line_of(source, release)
        after = next_line(source, release[1])
        if moved is None or after is None:
            return None
        text += indented_lines(source, (stop, after), unit)
        stop = after
    return proved_edit(source, Fix(title, (Edit(Place(source.path, (begin, stop)), text),)))


# -- names and order --------------------------------------------------------------------------------------------------


def respell(source: Source, program: p.Program, imported: p.ImportedName, name: str) -> Fix | None:
    """Import ``name`` where ``imported`` stands, and use it wherever the file used that.

    The file goes on to call it what it called it where not all uses are seen, or others import it from there.
    """
    if not name.isidentifier() or imported.local is None or imported.star or imported.name == "*":
        return None
    at = (imported.at[0], imported.at[0] + len(imported.name.encode(source.encoding)))
    alone = source.slice(imported.at) == imported.name
    more = renamed_uses(source, program, imported.local, name) if alone else None
    text = name if not alone or more else f"{name} as {imported.local}"
    if imported.local == name:
        at, text = imported.at, name
    edits = (Edit(Place(source.path, at), text), *(more or ()))
    return proved_edit(source, Fix(f"Import {name}", edits), keeps=not more)


def move_before(source: Source, program: p.Program, moved: Sequence[Span], before: Span, title: str) -> Fix | None:
    """Move top-level statements, with the comments on their lines, before the top-level statement at ``before``.

    Never safe: it changes the order in which the file is executed.
    """
    places = {statement.at for statement in program.body}
    if before not in places or not moved or not all(at in places and at[0] > before[0] for at in moved):
        return None
    imports = {statement.at for statement in program.body if type(statement) is p.Import}
    edits = moved_before(source, moved, before, "#.*", imports, apart=True)
    if edits is None:
        return None
    return proved_edit(source, Fix(title, tuple(edits)))


def call_before(source: Source, program: p.Program, before: Span, module: str, name: str, title: str) -> Fix | None:
    """Import the function ``name`` from ``module`` and call it above the top-level statement at ``before``.

    None where the file has that name already. Never safe, as `move_before`.
    """
    start, indent = line_of(source, before)
    if start is None or indent or re.search(rf"\b{re.escape(name)}\b", source.text):
        return None
    line = source.line(start)
    while line > 1 and source.line_text(line - 1).startswith("#"):
        line -= 1
    if line > 1:  # a comment at the top is about the file
        start = source.line_starts()[line - 1]
    end = line_end(source)
    text = f"from {module} import {name}{end}{end}{name}(){end}{end}"
    return proved_edit(source, Fix(title, (Edit(Place(source.path, (start, start)), text),)))
