"""Text edits of Python files that give something an end: a ``with`` block, a task that is kept until it is done.

Each is proved before it is offered, as in `rewrite`. Never safe: what is given back earlier than before may still have
been used by something that nobody sees here.
"""

from __future__ import annotations

from typing import Any

from connlint.languages.edits import block_of, everything, insertion, line_end, line_start
from connlint.languages.python.layout import indent_unit, indented_lines, line_of, next_line, proved_edit
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span

_TASKS = "_background_tasks"


def in_with(source: Source, program: p.Program, acquire: Span, release: Span | None, title: str) -> Fix | None:
    """Hold what the statement at ``acquire`` (``name = call``) gets in a ``with`` block.

    The block goes on to the statement at ``release``, which goes, or, where there is none, to the last one that uses
    the name. Both stand in one row of statements.
    """
    block = block_of(program.body, acquire)
    if block is None:
        return None
    let = next(statement for statement in block if statement.at == acquire)
    if type(let) is not p.Let or type(let.target) is not p.Name or let.annotation is not None or let.value is None:
        return None
    name = let.target.id
    following = [statement for statement in block if statement.at[0] > acquire[0]]
    using = [place for place, statement in enumerate(following) if _mentions(statement, name)]
    if not using:
        return None
    if release is None:
        inside, end = following[: using[-1] + 1], None
    else:
        end = next((place for place, statement in enumerate(following) if statement.at == release), None)
        if end is None or using[-1] != end:
            return None  # it is looked at once more
        inside = following[:end]
    if not inside or any(_outlives(statement, name) for statement in inside):
        return None
    head, indent = line_of(source, acquire)
    begin, stop = next_line(source, acquire[1]), next_line(source, inside[-1].at[1])
    if head is None or begin is None or stop is None or begin > inside[0].at[0]:
        return None
    if release is not None:
        own, _ = line_of(source, release)
        after = next_line(source, release[1])
        if own is None or after is None:
            return None
        if (source.slice((stop, own)) + source.slice((release[1], after))).strip(" \t\r\n;"):
            return None  # a comment that would be lost
    else:
        after = stop
    held = f"with {source.slice(let.value.at)} as {name}:"
    text = indented_lines(source, (begin, stop), indent_unit(source, head, indent))
    edits = (Edit(Place(source.path, acquire), held), Edit(Place(source.path, (begin, after)), text))
    return proved_edit(source, Fix(title, edits), keeps=False)


def around(source: Source, program: p.Program, statement: Span, call: Span, name: str, title: str) -> Fix | None:
    """Put the simple statement around ``call`` into a ``with`` block, in which ``name`` is what the call opens."""
    bound = {node.id for node in everything(program.body) if type(node) is p.Name}
    start, indent = line_of(source, statement)
    stop = next_line(source, statement[1])
    if name in bound or start is None or stop is None or block_of(program.body, statement) is None:
        return None
    end, unit = line_end(source), indent_unit(source, start, indent)
    opened = source.slice(call)
    rest = source.slice((call[1], stop))
    if "\n" in opened.strip() or "\n" in source.slice((statement[0], call[0])):
        return None  # lines inside of brackets would hang in the air
    text = f"{indent}with {opened} as {name}:{end}{indent}{unit}{source.slice((statement[0], call[0]))}{name}{rest}"
    return proved_edit(source, Fix(title, (Edit(Place(source.path, (start, stop)), text),)), keeps=False)


def keep_task(source: Source, program: p.Program, statement: Span, call: Span, title: str) -> Fix | None:
    """Keep the task that the statement at ``statement`` starts and throws away in a set until it is done."""
    start, indent = line_of(source, statement)
    stop = next_line(source, statement[1])
    if start is None or stop is None or not indent or statement != call:
        return None
    names = {node.id for node in everything(program.body) if type(node) is p.Name}
    around = [node for node in everything(program.body) if type(node) is p.Function
              and node.at[0] < statement[0] and statement[1] <= node.at[1]]
    function = min(around, key=lambda node: node.at[1] - node.at[0], default=None)
    taken = {node.id for node in everything((function,)) if type(node) is p.Name} if function is not None else names
    name = next((name for name in ("task", "background_task") if name not in taken), None)
    if name is None:
        return None
    kept = _own_set(program)
    edits = []
    if kept is None:
        if _TASKS in names or (made := _below_the_imports(source, program)) is None:
            return None
        kept = _TASKS
        edits.append(made)
    end = line_end(source)
    edits.append(insertion(source, statement[0], f"{name} = "))
    added = f"{indent}{kept}.add({name}){end}{indent}{name}.add_done_callback({kept}.discard){end}"
    missing = "" if source.data[:stop].endswith((b"\n", b"\r")) else end
    edits.append(insertion(source, stop, missing + added))
    return proved_edit(source, Fix(title, tuple(edits)))


def end_in_method(source: Source, program: p.Program, method: p.Function, attribute: str, end: str, *, tested: bool,
                  title: str) -> Fix | None:
    """Let ``method`` begin with ``attribute.end()``, where ``tested`` unless the attribute is None."""
    body = method.body
    if body and type(body[0]) is p.Evaluate and type(body[0].value) in (p.Text, p.Concat):
        body = body[1:]
    start, indent = line_of(source, body[0].at) if body else (None, "")
    if start is None or source.line(body[0].at[0]) == source.line(method.at[0]):
        return None
    line = source.line(start)
    while line > source.line(method.at[0]) + 1 and source.line_text(line - 1).strip().startswith("#"):
        line -= 1
    start = line_start(source, source.line_starts()[line - 1])
    new = line_end(source)
    text = f"{indent}{attribute}.{end}(){new}"
    if tested:
        text = f"{indent}if {attribute} is not None:{new}{indent_unit(source, start, indent)}{text}"
    return proved_edit(source, Fix(title, (insertion(source, start, text),)))


def _own_set(program: p.Program) -> str | None:
    """A set of tasks that the module keeps already: one to which something is added that then discards itself."""
    for node in everything(program.body):
        if type(node) is p.Call and type(node.callee) is p.Member and node.callee.name == "add_done_callback":
            value = node.args[0].value if len(node.args) == 1 else None
            if type(value) is p.Member and value.name == "discard" and type(value.of) is p.Name:
                targets = [statement.target for statement in program.body if type(statement) is p.Let]
                if any(type(target) is p.Name and target.id == value.of.id for target in targets):
                    return value.of.id
    return None


def _below_the_imports(source: Source, program: p.Program) -> Edit | None:
    """The set, behind the last import that stands with others at the top; calls may stand between them, which prepare
    those that follow."""
    last: Any = None
    for statement in program.body:
        if type(statement) is p.Import or (last is not None and _imports_alone(statement)):
            last = statement
        elif type(statement) is not p.Evaluate:
            break
    stop = next_line(source, last.at[1]) if last is not None else None
    if stop is None or line_start(source, last.at[0]) != last.at[0]:
        return None
    imported = any(type(s) is p.Import and any(n.local == "asyncio" for n in s.names) for s in program.body)
    end = line_end(source)
    following = source.line_text(source.line(stop)) if stop < len(source.data) else ""
    apart = end * bool(following.strip())
    told = any(type(node) is p.Let and node.annotation is not None for node in everything(program.body)) or any(
        type(node) is p.Param and node.annotation is not None for node in everything(program.body))
    typed = ": set[asyncio.Task] = set()" if imported else ": set[object] = set()" if told else " = set()"
    return insertion(source, stop, f"{end}{_TASKS}{typed}{end}{apart}")


def _imports_alone(statement: Any) -> bool:
    """Whether a statement only chooses between imports, as ``if TYPE_CHECKING:`` and ``try:`` do, and may say which
    it got."""
    if type(statement) is p.If:
        inner = (*statement.then, *statement.otherwise)
    elif type(statement) is p.Try:
        handled = (one for handler in statement.handlers for one in handler.body)
        inner = (*statement.body, *handled, *statement.otherwise, *statement.always)
    else:
        return False
    return any(type(one) is p.Import for one in everything((statement,))) and all(
        type(one) in (p.Import, p.Let, p.Evaluate) or _imports_alone(one) for one in inner)


def _mentions(statement: Any, name: str) -> bool:
    return any(type(node) is p.Name and node.id == name for node in everything((statement,)))


def _outlives(statement: Any, name: str) -> bool:
    """Whether a function written here uses the name, and may be called when the block has ended."""
    return any(type(node) is p.Function and any(_mentions(inner, name) for inner in node.body)
               for node in everything((statement,)))
