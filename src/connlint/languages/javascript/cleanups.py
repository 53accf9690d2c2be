"""Text edits of JavaScript and TypeScript that give something back where a component or an object ends.

Each is proved before it is offered, as in `rewrite`. Never safe: what is undone now was not undone before.
"""

from __future__ import annotations

import re
from typing import Any

from connlint.languages.edits import everything, insertion, line_end, line_start, next_line, proved, whole_line
from connlint.languages.javascript.read import read
from connlint.languages.javascript.style import has_semicolons, indent_unit
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_TYPED = (".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_UNTIL = regex(r"\btakeUntil\(this\.([\w$]+)\)|\btakeUntilDestroyed\(this\.[\w$]+\)")
_GATHERING = regex(r"(?m)^\s*(?:(?:private|protected|public|readonly)\s+)*([\w$]+)(?:\s*:\s*Subscription)?\s*="
                   r"\s*new\s+Subscription\(\)")
_NEXT_ARGUMENT = regex(r",\s*(?:true|false)")
_COMMENT = r"//.*|/\*(?:(?!\*/).)*\*/"


def return_cleanup(
    source: Source, program: p.Program, effect: p.Function, call: Span, undo: str, title: str, *,
    handle: str | None = None, callback: Span | None = None, listener: str = "listener", told: bool = False,
) -> Fix | None:
    """Let ``effect`` return a function that undoes ``call``, one of its own statements; the one that it returns at its
    end already undoes this too.

    ``handle`` is the name to keep the result by, where ``undo`` needs one and nothing keeps it; ``callback`` an
    argument of the call that has to be named ``listener``, since ``undo`` says it again. ``told`` says that a compiler
    or a linter wants every way out to have a value, as soon as one has.
    """
    block = braced(source, effect)
    if block is None or effect.is_async:
        return None
    statement = next((s for s in block if s.at[0] <= call[0] and call[1] <= s.at[1]), None)
    returns = _returns(effect)
    final = block[-1] if type(block[-1]) is p.Return and type(block[-1].value) is p.Function else None
    others = [one for one in returns if one is not final]
    if statement is None or any(one.value is not None or one.at[0] > statement.at[0] for one in others):
        return None  # some way out has a value, or leaves what was begun behind
    first, last = whole_line(source, statement.at), whole_line(source, block[-1].at)
    stop = next_line(source, block[-1].at[1], _COMMENT)
    if first is None or last is None or stop is None:
        return None
    stop_mark = ";" if has_semicolons(source, program) else ""
    end, edits = line_end(source), []
    if final is not None:
        more = _undone_too(source, program, final, f"{undo}{stop_mark}")
        if more is None:
            return None
        edits.append(more)
    if source.path.endswith(_TYPED) and told:
        edits += [insertion(source, one.at[0] + len("return"), " undefined") for one in others if final is None]
    if handle is not None:
        if statement.at[0] != call[0]:
            return None
        edits.append(insertion(source, call[0], f"const {handle} = "))
    if callback is not None:
        text = callback_at(source, callback, first[1])
        if text is None or (source.path.endswith(_TYPED) and has_untyped_parameters(program, callback)):
            return None  # their types are told by the place where they stand
        edits += [insertion(source, statement.at[0], f"const {listener} = {text}{stop_mark}{end}{first[1]}"),
                  Edit(Place(source.path, with_gap(source, callback)), listener)]
    if final is None:
        edits.append(insertion(source, stop, f"{last[1]}return () => {undo}{stop_mark}{end}"))
    bound = {node.id for node in everything(program.body) if type(node) is p.Name}
    if (handle in bound) or (callback is not None and listener in bound):
        return None
    return proved(source, Fix(title, tuple(edits)), read)


def _undone_too(source: Source, program: p.Program, returned: p.Return, undo: str) -> Edit | None:
    """Let the function that ``returned`` hands out end with the statement ``undo``; None where it waits, or is written
    in a way that another statement does not fit into."""
    function: Any = returned.value
    line = whole_line(source, returned.at)
    if line is None or function.params or function.is_async or not function.body:
        return None
    if (block := braced(source, function)) is not None:
        own, stop = whole_line(source, block[-1].at), next_line(source, block[-1].at[1], _COMMENT)
        if own is None or stop is None or _returns(function):
            return None
        return insertion(source, stop, f"{own[1]}{undo}{line_end(source)}")
    head = re.match(r"\(\s*\)\s*=>\s*", source.slice(function.at))
    if head is None:
        return None
    start = function.at[0] + len(head[0])
    written = source.slice((start, function.at[1]))
    if "\n" in written or written.startswith(("(", "{")):
        return None
    unit, end, mark = indent_unit(source, *line), line_end(source), ";" if undo.endswith(";") else ""
    rows = ["{", f"{line[1]}{unit}{written}{mark}", f"{line[1]}{unit}{undo}", f"{line[1]}}}"]
    return Edit(Place(source.path, (start, function.at[1])), end.join(rows))


def name_callback(source: Source, program: p.Program, call: Span, callbacks: tuple[Span, Span], name: str,
                  title: str) -> Fix | None:
    """Give the function that ``call``, a statement of its own, takes as the first of ``callbacks`` a ``name`` above
    it, and have both places say that; the second one says the same function once more."""
    added, removed = callbacks
    line = whole_line(source, call)
    text = callback_at(source, added, line[1]) if line is not None else None
    bound = {node.id for node in everything(program.body) if type(node) is p.Name}
    if line is None or text is None or name in bound or source.slice(added) != source.slice(removed):
        return None
    if source.path.endswith(_TYPED) and has_untyped_parameters(program, added):
        return None  # their types are told by the place where they stand
    stop = ";" if has_semicolons(source, program) else ""
    edits = (insertion(source, call[0], f"const {name} = {text}{stop}{line_end(source)}{line[1]}"),
             Edit(Place(source.path, added), name), Edit(Place(source.path, removed), name))
    return proved(source, Fix(title, edits), read, keeps=False)  # one of the two is gone


def undo_in_method(source: Source, program: p.Program, method: p.Function, undo: str, title: str) -> Fix | None:
    """Let ``method`` begin with ``undo``."""
    block = braced(source, method)
    line = whole_line(source, block[0].at) if block else None
    if line is None:
        return None
    stop = ";" if has_semicolons(source, program) else ""
    start = first_comment(source, line[0], method.at[0])
    return proved(source, Fix(title, (insertion(source, start, f"{line[1]}{undo}{stop}{line_end(source)}"),)), read)


def new_method(source: Source, program: p.Program, behind: Span, name: str, undo: str, title: str) -> Fix | None:
    """Give a class the method ``name`` that does ``undo``, behind its method at ``behind``."""
    line, stop = whole_line(source, behind), next_line(source, behind[1], _COMMENT)
    if line is None or stop is None:
        return None
    mark = ";" if has_semicolons(source, program) else ""
    end, unit = line_end(source), indent_unit(source, *line)
    text = f"{end}{line[1]}{name}() {{{end}{line[1]}{unit}{undo}{mark}{end}{line[1]}}}{end}"
    edits = (insertion(source, stop, text), *_implemented(source, program, behind, name))
    return proved(source, Fix(title, edits), read)


def new_entry(source: Source, program: p.Program, behind: Span, name: str, undo: str, title: str) -> Fix | None:
    """Give an object the method ``name`` that does ``undo``, behind its entry at ``behind``."""
    start = line_start(source, behind[0])
    indent = source.slice((start, behind[0]))
    rest = re.match(r"(,?)[ \t]*(?://[^\r\n]*)?(?=\r?\n)", source.slice((behind[1], len(source.data))))
    if indent.strip() or rest is None:
        return None
    above, below = (source.line_text(source.line(behind[0]) - 1), source.line_text(source.line(behind[1]) + 1))
    end, unit = line_end(source), indent_unit(source, start, indent)
    mark = ";" if has_semicolons(source, program) else ""
    apart = end if not (below if rest[1] else above).strip() else ""
    text = f"{end}{apart}{indent}{name}() {{{end}{indent}{unit}{undo}{mark}{end}{indent}}}{rest[1]}"
    edits = [insertion(source, behind[1] + len(rest[0].encode(source.encoding)), text)]
    if not rest[1]:
        edits.insert(0, insertion(source, behind[1], ","))
    return proved(source, Fix(title, tuple(edits)), read)


def _implemented(source: Source, program: p.Program, inside: Span, method: str) -> list[Edit]:
    """What says that the class around ``inside`` has the interface of ``method`` too, where it says so of others:
    ``OnDestroy`` of ``ngOnDestroy`` behind ``OnInit``."""
    owners = [node for node in everything(program.body) if type(node) is p.Class
              and node.at[0] < inside[0] and inside[1] <= node.at[1] and node.body]
    owner = min(owners, key=lambda node: node.at[1] - node.at[0], default=None)
    if owner is None or not method.startswith("ng"):
        return []
    said = re.search(r"\bimplements\s+([\w.,\s]+?)\s*\{", source.slice((owner.at[0], owner.body[0].at[0])))
    listed = re.findall(r"\w+", said[1]) if said is not None else []
    named = [one for s in program.body if type(s) is p.Import for one in s.names
             if one.local in listed and f"ng{one.name}" in source.text]
    if said is None or not named or method[2:] in listed:
        return []
    start = source.byte_to_char(owner.at[0]) + said.end(1)
    edits = [insertion(source, source.char_to_byte(start), f", {method[2:]}")]
    if all(other.local != method[2:] for s in program.body if type(s) is p.Import for other in s.names):
        edits.append(insertion(source, named[-1].at[1], f", {method[2:]}"))
    return edits


def until_destroyed(source: Source, program: p.Program, owner: Span, call: p.Call, title: str) -> Fix | None:
    """Let a subscription in the class at ``owner`` end as others of the class do: by ``takeUntil`` on a subject that
    ``ngOnDestroy`` tells, by ``takeUntilDestroyed``, or in a subscription of the class that it ends with all that was
    added to it."""
    text, stream = source.slice(owner), call.callee.of if type(call.callee) is p.Member else None
    known = {match[0]: match[1] for match in _UNTIL.finditer(text)}
    if not known and any(type(node) is p.Evaluate and node.value is call for node in everything(program.body)):
        return _gathered(source, text, call, title)
    if stream is None or len(known) != 1:
        return None
    (operator, subject), = known.items()
    told = rf"\bngOnDestroy\s*\([^)]*\)[^{{]*\{{[^}}]*\bthis\.{re.escape(subject or '')}\.next\("
    if subject is not None and re.search(told, text) is None:
        return None
    edit = insertion(source, stream.at[1], f".pipe({operator})")
    if type(stream) is p.Call and type(stream.callee) is p.Member and stream.callee.name == "pipe":
        inside = source.slice((stream.callee.at[1], stream.at[1] - 1)).rstrip()
        if not stream.args or inside.endswith(",") or stream.args[-1].spread:
            return None
        last = stream.args[-1].value.at
        line = whole_line(source, last)
        edit = insertion(source, last[1], f",{f'{line_end(source)}{line[1]}' if line is not None else ' '}{operator}")
    return proved(source, Fix(title, (edit,)), read)


def _gathered(source: Source, text: str, call: p.Call, title: str) -> Fix | None:
    """Add a subscription to the one field of its class, whose text is ``text``, that gathers them until
    ``ngOnDestroy``."""
    fields = [match[1] for match in _GATHERING.finditer(text)]
    ended = rf"\bngOnDestroy\s*\([^)]*\)[^{{]*\{{[^}}]*\bthis\.{re.escape(fields[0])}\.unsubscribe\(" if fields else ""
    if len(fields) != 1 or re.search(ended, text) is None or not re.search(
            rf"\bthis\.{re.escape(fields[0])}\.add\(", text):
        return None
    edits = (insertion(source, call.at[0], f"this.{fields[0]}.add("), insertion(source, call.at[1], ")"))
    return proved(source, Fix(title, edits), read)


def with_last_argument(source: Source, call: p.Call, place: int, words: str, title: str) -> Fix | None:
    """Let ``words`` be the argument behind the one at ``place``, and the last one; none is, where they are empty."""
    given = [one.value.at for one in call.args]
    text = f", {words}" if words else ""
    behind = (given[place][1], given[place + 1][1] if len(given) > place + 1 else given[place][1])
    if source.slice(behind).strip() and not _NEXT_ARGUMENT.fullmatch(source.slice(behind)):
        return None  # a comment that would go
    return proved(source, Fix(title, (Edit(Place(source.path, behind), text),)), read, keeps=False)


def callback_at(source: Source, callback: Span, indent: str) -> str | None:
    """The text of a callback as it stands on lines that are indented by ``indent``; None where a text of several lines
    would change with them."""
    text = source.slice(callback)
    line = source.line_text(source.line(callback[0]))
    own = line[: len(line) - len(line.lstrip(" \t"))]
    if "\n" not in text or own == indent:
        return text
    return None if "`" in text or not own.startswith(indent) else re.sub(rf"(?m)^{re.escape(own)}", indent, text)


def with_gap(source: Source, argument: Span) -> Span:
    """The last argument of a call with the line that ends behind it, if it takes several lines; else the argument."""
    gap = re.match(r",?[ \t]*\r?\n\s*(?=\))", source.slice((argument[1], min(argument[1] + 200, len(source.data)))))
    is_long = "\n" in source.slice(argument)
    return (argument[0], argument[1] + len(gap[0].encode(source.encoding))) if gap and is_long else argument


def has_untyped_parameters(program: p.Program, at: Span) -> bool:
    """Whether the function at ``at`` has a parameter of which only its place tells the type, as a callback has."""
    return any(type(node) is p.Function and node.at == at and any(param.annotation is None for param in node.params)
               for node in everything(program.body))


def braced(source: Source, function: p.Function) -> tuple[p.Statement, ...] | None:
    """The statements of a function that is written with braces; None for any other, and for one that has none."""
    if not function.body or source.data[function.at[1] - 1 : function.at[1]] != b"}":
        return None
    head = source.slice((function.at[0], function.body[0].at[0]))
    head = re.sub(r"//[^\n]*|/\*.*?\*/", "", head, flags=re.S)
    return function.body if head.rstrip().endswith("{") else None


def _returns(function: p.Function) -> list[p.Return]:
    """The statements that return from a function itself."""
    found: list[p.Return] = []
    waiting: list[Any] = list(function.body)
    while waiting:
        here = waiting.pop()
        if type(here) is p.Return:
            found.append(here)
        if type(here) is not p.Function:
            waiting.extend(p.children(here))
    return found


def first_comment(source: Source, start: int, least: int) -> int:
    """The start of the comment lines above a line, which belong to it."""
    line, top = source.line(start), source.line(least) + 1
    while line > top and re.match(r"\s*//", source.line_text(line - 1)):
        line -= 1
    if line > top and re.fullmatch(r"\s*(?:\*/|(?:\*|/\*).*\*/)\s*", source.line_text(line - 1)):
        first = line - 1
        while first > top and not re.match(r"\s*/\*", source.line_text(first)):
            first -= 1
        line = first if re.match(r"\s*/\*", source.line_text(first)) else line
    return line_start(source, source.line_starts()[line - 1])
