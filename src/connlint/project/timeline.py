"""What runs while a module is imported, and through which calls a place inside a function is reached then.

The search goes outwards, from the place to its callers: files are searched for the name of the function, and only
those that hold it are read. So the work grows with the chain, not with the project.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connlint.model import program as p
from connlint.model.source import Span
from connlint.project.answer import Found
from connlint.project.callees import Thing, class_around, is_getter, last_name, run_by
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project

_LONGEST = 8
"""Calls from the module's top level to the place."""
_MOST_MODULES = 300
_COMMON = 40
"""A name that more files hold is looked for only in files that import the one that defines it."""
_AT_ONCE = ("map", "forEach", "filter", "reduce", "some", "every", "flatMap", "find", "from")
"""Methods that call the function handed to them before they return."""
_RUNNERS = ("run", "run_until_complete", "run_sync", "async_to_sync")
_CONSTRUCTORS = ("__init__", "__new__", "__post_init__")


def at_import(module: Module, node: Any) -> bool:
    """Whether ``node`` is evaluated while ``module`` is imported.

    That is the top level with its blocks, class bodies, static fields, decorators, defaults of Python parameters, and
    functions that are called where they stand. Code under a test for the main program is not, nor is what only the
    type checker sees.
    """
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function and above.kind != "inline" and not module._evaluated_outside(above, below, node):
            if called_at_once(module, above) is None:
                return False
        elif kind is p.If:
            if any(below is s for s in above.then) and _only_elsewhere(module, above.test):
                return False
        elif kind is p.Logical:
            if below is above.right and above.op == "and" and _only_elsewhere(module, above.left):
                return False
        elif kind is p.Let and above.how == "field":
            return False
        below = above
    return True


def called_at_once(module: Module, function: p.Function) -> p.Call | None:
    """The call that runs ``function`` where it stands: ``(() => …)()``, a promise's executor, a loop over a list."""
    call = module.parent(function)
    if type(call) is p.Argument:
        call = module.parent(call)
    elif type(call) is p.Await:
        call = module.parent(call)
    if type(call) is not p.Call:
        return None
    if call.callee is function:
        return None if function.is_generator or (function.is_async and module.program.language == "python") else call
    if type(call.callee) is p.Member:
        if call.callee.of is function and call.callee.name in ("call", "apply"):
            return call
        return call if call.callee.name in _AT_ONCE and not function.is_async else None
    return call if call.new and type(call.callee) is p.Name and call.callee.id == "Promise" else None


def is_main_test(module: Module, test: Any) -> bool:
    """Whether ``test`` holds only in the program that was started (``__name__ == "__main__"`` and its like)."""
    return any(_tells_main(module, here) for here in _affirmed(test))


def _only_elsewhere(module: Module, test: Any) -> bool:
    """Whether ``test`` holds only in the program that was started, or only for the type checker."""
    return any(_tells_main(module, here) or last_name(here) == "TYPE_CHECKING" for here in _affirmed(test)
               if type(here) in (p.Name, p.Member))


def _affirmed(test: Any) -> Iterator[Any]:
    """The expressions inside ``test`` except those that are negated."""
    waiting = [test]
    while waiting:
        here = waiting.pop()
        yield here
        if type(here) is not p.Not:
            waiting.extend(c for c in p.children(here))


def _tells_main(module: Module, here: Any) -> bool:
    if type(here) is p.Name:
        return here.id == "__name__"
    if type(here) is not p.Member:
        return False
    root = _root(here)
    if here.name == "main":
        return root in ("require", "import")
    if here.name == "meta":
        above = module.parent(here)
        return root == "import" and type(above) is p.Member and above.name in ("url", "filename")
    return here.name == "argv" and root == "process"


def _root(expression: Any) -> str | None:
    while type(expression) in (p.Member, p.Index):
        expression = expression.of
    return expression.id if type(expression) is p.Name else None


# -- chains -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One call on the way: ``node`` in ``module`` runs ``what``, the function or class that holds the next one."""

    module: Module
    node: Any
    what: Thing


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Calls from a module's top level (first) to the function that holds the place."""

    links: tuple[Link, ...]

    @property
    def start(self) -> Link:
        """The call at module scope."""
        return self.links[0]


def holder(module: Module, node: Any) -> Thing | None:
    """The function or class whose call evaluates ``node``; None at module scope, and where nobody can call it."""
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function and above.kind != "inline" and not module._evaluated_outside(above, below, node):
            if called_at_once(module, above) is None:
                return Thing(module, above)
        elif kind is p.Let and above.how == "field" and type(module.parent(above)) is p.Class:
            return Thing(module, module.parent(above))
        below = above
    return None


def chains(project: Project, module: Module, node: Any,
           among: Callable[[str], bool] = lambda path: True,
           uses: dict[tuple[str, Span], list[tuple[Module, Any]]] | None = None) -> Iterator[Chain]:
    """The shortest ways in which importing some module evaluates ``node``, which stands in a function of ``module``.

    One chain for every call at module scope that leads there. ``among`` says which files to look into; ``uses`` keeps
    what was found in them for the next question with the same ``among``.
    """
    first = holder(module, node)
    if first is None:
        return
    waiting: deque[tuple[Thing, tuple[Link, ...]]] = deque([(first, ())])
    seen = {(module.path, first.node.at)}
    read = {module.path}
    while waiting:
        what, behind = waiting.popleft()
        key = (what.module.path, what.node.at)
        if uses is None or key not in uses:
            found = list(_uses(project, what, among, read))
            if uses is not None:
                uses[key] = found
        else:
            found = uses[key]
        for home, use in found:
            link = Link(home, use, what)
            if at_import(home, use):
                yield Chain((link, *behind))
                continue
            around = holder(home, use)
            if around is None or len(behind) + 2 > _LONGEST:
                continue
            key = (home.path, around.node.at)
            if key not in seen:
                seen.add(key)
                waiting.append((around, (link, *behind)))


def _uses(project: Project, what: Thing, among: Callable[[str], bool], read: set[str]) -> Iterator[tuple[Module, Any]]:
    """Every call or read of a member that runs ``what``."""
    names, anywhere = _names(what)
    if type(what.node) is p.Function and what.node.is_generator:
        return
    for path in [what.module.path, *_candidates(project, what, names, anywhere)]:
        if path != what.module.path:
            if not among(path):
                continue
            read.add(path)
            if len(read) > _MOST_MODULES:
                return
        home = what.module if path == what.module.path else project.module(path)
        if home is not None:
            yield from _uses_in(project, what, home, names)


def _uses_in(project: Project, what: Thing, home: Module, names: set[str]) -> Iterator[tuple[Module, Any]]:
    local = names | _aliases(project, what, home, names)
    function = what.node if type(what.node) is p.Function else None
    if function is not None and is_getter(function):
        nodes: list[Any] = [m for m in home.nodes(p.Member) if m.name in local]
    else:
        nodes = [c for c in home.nodes(p.Call) if last_name(c.callee) in local]
    asynchronous = function is not None and function.is_async and home.program.language == "python"
    for node in nodes:
        if any(found.is_at(what) for found in run_by(home, node, project)):
            if not asynchronous or _awaited(home, node):
                yield home, node


def _awaited(module: Module, call: p.Call) -> bool:
    """Whether a call of a Python coroutine runs it: awaited, or handed to what runs it to its end."""
    above = module.parent(call)
    if type(above) is p.Await:
        return True
    if type(above) is p.Argument and type(module.parent(above)) is p.Call:
        return last_name(module.parent(above).callee) in _RUNNERS
    return False


def _names(what: Thing) -> tuple[set[str], bool]:
    """Names by which ``what`` may be called, and whether other files may do that."""
    module, node = what.module, what.node
    if type(node) is p.Class:
        return ({node.name} if node.name else _bound_names(module, node)), True
    owner = class_around(module, node)
    if owner is not None and (node.kind == "constructor" or node.name in _CONSTRUCTORS):
        return ({owner.name} if owner.name else _bound_names(module, owner)), True
    names = _bound_names(module, node)
    if node.name:
        names.add(node.name)
    return names, module.function(node) is None or owner is not None


def _bound_names(module: Module, node: Any) -> set[str]:
    """The variable or key that a function expression is given to, also through a call that keeps its result."""
    above = module.parent(node)
    for _ in range(3):
        if type(above) in (p.Argument, p.Call, p.Await):
            above = module.parent(above)
    if type(above) in (p.Let, p.Assign):
        target = above.target
        if type(target) is p.Name:
            return {target.id}
        if type(target) is p.Member:
            return {target.name}
    if type(above) is p.Entry and type(above.key) is p.Text:
        return {above.key.value}
    return set()


def _candidates(project: Project, what: Thing, names: set[str], anywhere: bool) -> list[str]:
    """Other files of the same language that may call ``what``."""
    if not anywhere:
        return []
    index = importers(project)
    home = what.module.path
    owner = _method_of(what)
    holding = _holding(project, owner, home) if owner is not None and owner.name else None
    found: set[str] = set()
    for name in names:
        paths = [x for x in index.mentions(name, home)
                 if x != home and (holding is None or x in holding) and _may_call(index.data(x), name)]
        if len(paths) > _COMMON:
            near = index.near(home)
            paths = [path for path in paths if path in near]
        found.update(paths)
    if _is_default(what):
        found.update(index.of(home))
    return sorted(found)


def _method_of(what: Thing) -> p.Class | None:
    """The class on whose instances ``what`` is called; None for functions and constructors."""
    node = what.node
    if type(node) is not p.Function or node.kind == "constructor" or node.name in _CONSTRUCTORS:
        return None
    owner = what.module.parent(what.module.parent(node))
    return owner if type(owner) is p.Class else None


def _holding(project: Project, owner: p.Class, home: str) -> frozenset[str]:
    """The files that name the class, or a variable of another file that holds an instance of it."""
    index = importers(project)
    key = (_holding, home, owner.at)
    if key not in project.memo:
        assert owner.name is not None
        made = re.compile(rb"(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:await[ \t]+|new[ \t]+)*" + owner.name.encode() + rb"\(")
        found = set(index.mentions(owner.name, home))
        names = {name for path in found for name in made.findall(index.data(path))}
        for name in sorted(names)[:8]:
            found.update(index.mentions(name.decode(), home))
        project.memo[key] = frozenset(found)
    return project.memo[key]


def _may_call(data: bytes, name: str) -> bool:
    """Whether the bytes hold a call of ``name``, another name for it, or a member that may be a getter."""
    key = name.encode()
    return any(form in data for form in (key + b"(", key + b"<", key + b" as ", key + b" (", b"." + key, key + b":",
                                         key + b"?.", b"default as"))


def _is_default(what: Thing) -> bool:
    """Whether the file's default export, which others name as they like, is or may hold ``what``."""
    module = what.module
    if module.program.language == "python":
        return False
    if any(e.value is not None or any(n.name == "default" for n in e.names) for e in module.nodes(p.Export)):
        return True
    return any(type(a.target) is p.Member and module.qualified(a.target) == "module.exports"
               for a in module.nodes(p.Assign))


def _aliases(project: Project, what: Thing, home: Module, names: set[str]) -> set[str]:
    """Other names that ``home`` gives to one of ``names`` when it imports it."""
    found = set()
    for statement in home.nodes(p.Import):
        for name in statement.names:
            if name.local is None or name.local in names:
                continue
            if name.name in names:
                found.add(name.local)
            elif name.name == "default":
                answer = project.resolve(home, statement.module)
                if type(answer) is Found and answer.path == what.module.path:
                    found.add(name.local)
    if home.program.language != "python":
        for let in home.nodes(p.Let):
            if type(let.target) is p.Name and type(let.value) is p.Call and last_name(let.value.callee) == "require":
                found.add(let.target.id)
            elif type(let.target) is p.Record:
                for entry in let.target.entries:
                    if type(entry.key) is p.Text and entry.key.value in names and type(entry.value) is p.Name:
                        found.add(entry.value.id)
    return found
