"""An edit that builds something behind a function, when it is first needed, and not while its module is imported."""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.uses import references

_ENDS = frozenset({"end", "close", "quit", "disconnect", "$disconnect", "destroy"})
"""Methods that end a client."""


def behind_function(project: Project, path: str, call: p.Call) -> Fix | None:
    """Put the construction ``call``, whose value a name at the top level of ``path`` gets, behind a function.

    None unless everything that uses the name is seen, and runs later than the import: in functions of the same file.
    """
    module = project.module(path)  # the whole of it: every use has to be seen
    let: Any = next((s for s in module.program.body if type(s) is p.Let and s.value is not None
                     and s.value.at == call.at), None) if module is not None else None
    if module is None or let is None or type(let.target) is not p.Name or let.at[1] < call.at[1]:
        return None
    name = let.target.id
    if sum(type(s) is p.Let and s.at == let.at for s in module.program.body) > 1:
        return None  # one statement binds several names
    if module.only(name, let.target) is None or _leaves(project, module, name):
        return None
    users = references(module, name, let.target)
    seen = sum(node.id == name for node in module.nodes(p.Name))
    if not users or seen != len(users) + 1 or any(module.function(user) is None for user in users):
        return None
    if any(_is_written(module, user) for user in users):
        return None
    title = f"Build {name} when it is first needed"
    if module.program.language == "python":
        from connlint.languages.python.deferring import behind_function as rewrite_python

        return rewrite_python(module.source, module.program, let, [user.at for user in users], title)
    from connlint.languages.javascript.deferring import behind_function as rewrite_javascript

    ending = [user for user in users if _ends(module, user)]
    rows = [(user.at, f"{name}: " if _is_shorthand(module, user) else "") for user in users
            if not any(user is one for one in ending)]
    return rewrite_javascript(module.source, module.program, let, rows, title, ending=[user.at for user in ending])


def _leaves(project: Project, module: Module, name: str) -> bool:
    """Whether others may take the name from the module."""
    if any(exported.local == name for export in module.nodes(p.Export) for exported in export.names):
        return True
    same = [text for text in module.nodes(p.Text) if text.value == name]
    if any(type(module.parent(text)) in (p.Sequence, p.Argument) for text in same):
        return True  # as in ``__all__``, or where it is looked for by its name
    word = name.encode()
    index = importers(project)
    return any(word in index.data(path) for path in index.of(module.path))


def _ends(module: Module, user: p.Name) -> bool:
    """Whether a statement closes what the name holds, and nothing else: what was never built has not to be closed."""
    member = module.parent(user)
    call = module.parent(member) if type(member) is p.Member and member.name in _ENDS and not member.maybe else None
    if type(call) is not p.Call or call.callee is not member or call.args:
        return False
    above = module.parent(call)
    return type(module.parent(above) if type(above) is p.Await else above) is p.Evaluate


def _is_written(module: Module, user: p.Name) -> bool:
    """Whether a use of the name is no reading of its value."""
    above = module.parent(user)
    return (type(above) in (p.Assign, p.Let) and above.target is user) or type(above) is p.Default


def _is_shorthand(module: Module, user: p.Name) -> bool:
    above = module.parent(user)
    return type(above) is p.Entry and type(above.key) is p.Text and above.key.at == user.at
