"""Edits that take a default away where a library then stops the program by itself: readers, classes, schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.edits import without_argument
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source
from connlint.patterns import regex
from connlint.project.module import Module
from connlint.project.readers import Access, Declaration

_WIDTH = 80
_COMMENT = regex(r"//|/\*|#")
_OPTIONAL = regex(r"\bOptional\b|\bNone\b|\bAny\b")


def without_default(module: Module, access: Access, variable: str) -> Fix | None:
    """Read without the default that the call was given; None where the reader does not raise then."""
    call = access.node
    given = [one for one in call.args if one.value is access.default] if type(call) is p.Call else []
    if len(given) != 1 or access.writes or (given[0].name is None and call.args[-1] is not given[0]):
        return None
    if len(access.names) != 1 or not (access.absent == "raises" or access.strict or access.takes):
        return None
    if access.takes:
        return _taken(module, access, call, given[0], variable)
    edit = without_argument(module.source, call, given[0])
    if edit is None:
        return None
    edits = [_on_one_line(module, call, given[0], access.strict) or edit]
    if access.absent != "raises":
        callee = call.callee
        if type(callee) is not p.Member or callee.name_at is None:
            return None
        edits.append(Edit(Place(module.path, callee.name_at), access.strict))
    return _proved(module, variable, edits)


def _on_one_line(module: Module, call: p.Call, gone: p.Argument, name: str) -> Edit | None:
    """The one argument that a call over lines keeps, right in its parentheses, where it fits into the line."""
    source = module.source
    kept = [one for one in call.args if one is not gone]
    text = source.slice((call.callee.at[1], call.at[1]))
    opening = text.find("(")
    if len(kept) != 1 or kept[0].name is not None or kept[0].spread or "\n" not in text:
        return None
    if _COMMENT.search(text.replace(source.slice(gone.value.at), "").replace(source.slice(kept[0].value.at), "")):
        return None
    written = source.slice(kept[0].value.at)
    head = source.line_text(source.line(call.callee.at[1]))
    if "\n" in written or opening < 0 or len(head) + len(written) + len(name) + 2 > _WIDTH:
        return None
    start = call.callee.at[1] + len(text[:opening].encode(source.encoding))
    return Edit(Place(module.path, (start, call.at[1])), f"({written})")


def _taken(module: Module, access: Access, call: p.Call, gone: p.Argument, variable: str) -> Fix | None:
    """The function beside the one that is called, which takes the value itself: the environment raises without it."""
    callee, name = call.callee, access.names[0]
    if type(callee) is not p.Member or callee.name_at is None or type(name) is not str or name != variable:
        return None
    if "#" in module.source.slice(call.at):
        return None  # a comment may tell of the default
    from connlint.languages.python.rewrite import taken

    return taken(module.source, module.program, call, gone, callee.name_at, access.takes, variable)


def strict_read(module: Module, access: Access, joint: p.Logical, variable: str) -> Fix | None:
    """Read by the method that raises, in place of a read that gives nothing and the default behind it in ``joint``."""
    call = access.node
    if joint.op == "and" or joint.left is not call or type(call) is not p.Call or access.default is not None:
        return None
    callee = call.callee
    if type(callee) is not p.Member or callee.name_at is None or callee.maybe or module.program.language == "python":
        return None
    if not access.strict or len(access.names) != 1:
        return None
    from connlint.languages.javascript.requiring import joined, with_parentheses

    source = module.source
    begin, end = with_parentheses(source, joint.at)
    behind = source.slice((call.at[1], joint.right.at[0]))
    if behind.strip() not in ("||", "??"):
        return None  # a comment that would go
    edits = [Edit(Place(module.path, callee.name_at), access.strict), Edit(Place(module.path, (call.at[1], end)), "")]
    if begin < joint.at[0]:
        edits.insert(0, Edit(Place(module.path, (begin, joint.at[0])), ""))
    else:
        edits = [*joined(source, module.statement(joint), joint.at[0], call.at[1] - joint.at[0] + 7), *edits]
    return _proved(module, variable, edits)


def without_declared_default(module: Module, declaration: Declaration, variable: str, link: str = "") -> Fix | None:
    """Declare a variable without the default that it has, so that it is required: by ``link`` where the schema asks for
    that."""
    default, node = declaration.default, declaration.node
    if default is None or (declaration.optional and not link):
        return None
    if type(node) is p.Let:
        edit = _field(module, node, default)
    elif type(node) is p.Entry and type(node.value) is p.Call:
        edit = _chained(module, node.value, default, link if declaration.optional else "")
    else:
        edit = None
    return _proved(module, variable, [edit]) if edit is not None else None


def _field(module: Module, field: p.Let, default: Any) -> Edit | None:
    """The field of a class with its type alone, or with a description that has no default."""
    source, annotation = module.source, field.annotation
    if annotation is None or field.value is None or _OPTIONAL.search(source.slice(annotation.at)):
        return None
    if field.value is default:
        gone = (annotation.at[1], default.at[1])
        if source.slice((annotation.at[1], default.at[0])).strip() != "=":
            return None
        return Edit(Place(module.path, gone), "")
    call: Any = field.value
    given = [one for one in call.args if one.value is default] if type(call) is p.Call else []
    if len(given) != 1:
        return None
    if len(call.args) == 1 and source.slice((annotation.at[1], call.at[0])).strip() == "=":
        return Edit(Place(module.path, (annotation.at[1], call.at[1])), "")  # the description says nothing else
    if given[0].name is None:
        return Edit(Place(module.path, default.at), "...") if call.args[0] is given[0] else None
    return without_argument(source, call, given[0]) if type(default) is p.Text else None


def _chained(module: Module, chain: Any, default: Any, required: str) -> Edit | None:
    """A chain of calls that describes a value, with the link ``required`` or none in place of that which gives it a
    default."""
    link = chain
    while type(link) is p.Call and type(link.callee) is p.Member:
        if len(link.args) == 1 and link.args[0].value is default:
            inner = link.callee.of
            between = module.source.slice((inner.at[1], link.callee.name_at[0])) if link.callee.name_at else "?"
            if required and link.callee.name_at and between.strip() == ".":
                return Edit(Place(module.path, (link.callee.name_at[0], link.at[1])), f"{required}()")
            return Edit(Place(module.path, (inner.at[1], link.at[1])), "") if between.strip() in (".", "?.") else None
        link = link.callee.of
    return None


def _proved(module: Module, variable: str, edits: list[Edit]) -> Fix | None:
    from connlint.languages.edits import proved

    fix = Fix(f"Require {variable}", tuple(edits))
    return proved(module.source, fix, _reader(module), keeps=False, cookie=module.program.language == "python")


def _reader(module: Module) -> Callable[[Source], p.Program]:
    if module.program.language == "python":
        from connlint.languages.python.read import read
    else:
        from connlint.languages.javascript.read import read
    return read
