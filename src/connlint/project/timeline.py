"""What runs while a module is imported, and through which calls a place inside a function is reached then.

The search goes outwards, from the place to its callers: files are searched for the name of the function, and only
those that hold it are read. So the work grows with the chain, not with the project.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from operator import itemgetter
from typing import Any

from msgspec import Struct

from connlint.languages.javascript.regions import AT_ONCE
from connlint.languages.python.regions import CONSTRUCTORS
from connlint.model import program as p
from connlint.model.source import Span
from connlint.project.answer import Found
from connlint.project.callees import Thing, calls_inherited, class_around, is_getter, last_name, run_by, thing
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.suspects import suspects

_LONGEST = 8
"""Calls from the module's top level to the place."""
_MOST_MODULES = 300
_MANY_MODULES = 20
"""Modules that are read before a search by names alone says which further ones are worth it."""
_AT_ONCE = tuple(name.decode() for name in AT_ONCE)
_OWN_CLASS = frozenset({"cls", "this"})
"""What a class is called in its own methods: ``cls()``, ``new this()``."""
_RUNNERS = ("run", "run_until_complete", "run_sync", "async_to_sync")


def at_import(module: Module, node: Any, *, main: bool = False) -> bool:
    """Whether ``node`` is evaluated while ``module`` is imported.

    That is the top level with its blocks, class bodies, static fields, decorators, defaults of Python parameters, and
    functions that are called where they stand. Code under a test for the main program is not, unless the module is
    that (``main``), nor is what only the type checker sees.
    """
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function and above.kind != "inline" and not module._evaluated_outside(above, below, node):
            if called_at_once(module, above) is None:
                return False
        elif kind is p.If:
            if any(below is s for s in above.then) and _only_elsewhere(module, above.test, main=main):
                return False
        elif kind is p.Logical:
            if below is above.right and above.op == "and" and _only_elsewhere(module, above.left, main=main):
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


def _only_elsewhere(module: Module, test: Any, *, main: bool = False) -> bool:
    """Whether ``test`` holds only in the program that was started, or only for the type checker."""
    return any((not main and _tells_main(module, here)) or last_name(here) == "TYPE_CHECKING"
               for here in _affirmed(test) if type(here) in (p.Name, p.Member))


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
        return here.id == "__name__" or _holds_main_test(module, here)
    if type(here) is not p.Member:
        return False
    root = _root(here)
    if here.name == "main":
        return root in ("require", "import")
    if here.name == "meta":
        above = module.parent(here)
        return root == "import" and type(above) is p.Member and above.name in ("url", "filename")
    return here.name == "argv" and root == "process"


def _holds_main_test(module: Module, name: p.Name) -> bool:
    """Whether ``name`` is what a constant of the file's top level was told by such a test: ``const isMain = …``."""
    found = module.lookup(name.id, name)
    value = found[0].value if len(found) == 1 and found[0].kind == "value" and not found[0].path else None
    if value is None or type(value) not in (p.Compare, p.Logical, p.Conditional):
        return False
    return any(type(here) is p.Member and here.name in ("main", "meta") and _tells_main(module, here)
               for here in _affirmed(value))


def _root(expression: Any) -> str | None:
    while type(expression) in (p.Member, p.Index):
        expression = expression.of
    return expression.id if type(expression) is p.Name else None


# -- chains -----------------------------------------------------------------------------------------------------------


class Link(Struct, frozen=True, eq=False):
    """One call on the way: ``node`` in ``module`` runs ``what``, the function or class that holds the next one."""

    module: Module
    node: Any
    what: Thing


class Chain(Struct, frozen=True, eq=False):
    """Calls from a module's top level (first) to the function that holds the place."""

    links: tuple[Link, ...]

    @property
    def start(self) -> Link:
        """The call at module scope."""
        return self.links[0]


Use = tuple[Module, Any]
"""A module, and the call or member in it that runs something."""
Uses = dict[tuple[str, Span, str], list[Use]]
"""By file and place of what is run, and the file that was searched."""


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
           uses: Uses | None = None,
           within: Collection[str] | None = None,
           begins: Callable[[Module, Any], bool] = at_import) -> Iterator[Chain]:
    """The shortest ways in which importing some module evaluates ``node``, which stands in a function of ``module``.

    One chain for every call at module scope that leads there. ``among`` says which files to look into, and
    ``within`` names all that need be, where they are known; ``uses`` keeps what was found in them for the next
    question; ``begins`` says which places are evaluated without a further call.
    """
    first = holder(module, node)
    if first is None:
        return
    limits = _Limits(project, first, among, within)
    waiting: deque[tuple[Thing, tuple[Link, ...]]] = deque([(first, ())])
    seen = {(module.path, first.node.at)}
    while waiting:
        what, behind = waiting.popleft()
        for heir in _heirs(project, what, limits):
            key = (heir.module.path, heir.node.at)
            if key not in seen:
                seen.add(key)
                waiting.append((heir, behind))
        for home, use in _uses(project, what, limits, uses if uses is not None else {}):
            link = Link(home, use, what)
            if begins(home, use):
                yield Chain((link, *behind))
                continue
            around = holder(home, use)
            if around is None or len(behind) + 2 > _LONGEST:
                continue
            key = (home.path, around.node.at)
            if key not in seen:
                seen.add(key)
                waiting.append((around, (link, *behind)))


def run_at_import(project: Project, module: Module, most: int) -> frozenset[str] | None:
    """The files of all functions that importing ``module`` runs, other than through what it imports; None where these
    are more than ``most``.

    Followed from the calls to what they run, as `chains` is from a function to its callers: what begins in ``module``
    needs no other files.
    """
    files = {module.path}
    seen: set[tuple[str, Span]] = set()
    waiting = deque((module, node, 1) for node in _evaluating(module) if at_import(module, node))
    while waiting:
        home, node, depth = waiting.popleft()
        for found in run_by(home, node, project):
            key = (found.module.path, found.node.at)
            if key in seen:
                continue
            seen.add(key)
            files.add(found.module.path)
            if len(files) > most:
                return None
            if depth < _LONGEST:
                waiting += ((found.module, inner, depth + 1) for inner in _evaluating(found.module, found.node.at)
                            if (around := holder(found.module, inner)) is not None and around.node is found.node)
    return frozenset(files)


def _evaluating(module: Module, within: Span | None = None) -> Iterator[Any]:
    """The calls and members of ``module``, or of a part of it, which may run something."""
    for kind in (p.Call, p.Member):
        for node in module.nodes(kind):
            if within is None or within[0] <= node.at[0] < within[1]:
                yield node


class _Limits:
    """Which files one search reads: those that it may, and of many only the ones that a search by names found too."""

    def __init__(self, project: Project, first: Thing, among: Callable[[str], bool],
                 files: Collection[str] | None = None) -> None:
        self.project, self.first, self.among, self.files = project, first, among, files
        self.read = {first.module.path}
        self.suspected: Collection[str] | None = None

    def candidates(self, what: Thing, names: set[str], anywhere: bool) -> list[str]:
        """Other files of the same language that may call ``what``."""
        if self.files is None:
            return _candidates(self.project, what, names, anywhere)
        if not anywhere:
            return []
        index, home = importers(self.project), what.module.path
        sought, default = [name.encode() for name in names], _is_default(what)
        return sorted(
            path for path in self.files
            if path.endswith(".py") == home.endswith(".py")
            and (any(name in index.data(path) for name in sought)
                 or (default and any(target == home for _, target, _ in index.targets(path)))))

    def within(self, paths: Iterable[str]) -> list[str]:
        """The ones of ``paths`` to read."""
        wanted = [path for path in paths if self.among(path)]
        if self.suspected is None and len(self.read.union(wanted)) > _MANY_MODULES:
            self.suspected = self._suspected()
        if self.suspected is not None:
            wanted = [path for path in wanted if path in self.suspected]
        room = _MOST_MODULES - len(self.read)
        wanted = [path for path in wanted if path in self.read or (room := room - 1) >= 0]
        self.read.update(wanted)
        return wanted

    def _suspected(self) -> Collection[str]:
        names, anywhere = _names(self.first)
        owner = _method_of(self.first)
        home, of = self.first.module.path, owner.name or "" if owner is not None else ""
        getter = type(self.first.node) is p.Function and is_getter(self.first.node)
        steps = [(home, name, of, not anywhere, getter) for name in sorted(names)]
        return suspects(self.project).files(steps, _is_default(self.first), self.among, _LONGEST)


def _uses(project: Project, what: Thing, limits: _Limits, known: Uses) -> Iterator[Use]:
    """Every call or read of a member that runs ``what``, in its own file and others that may be read."""
    search = suspects(project)
    names, anywhere = _names(what)
    if type(what.node) is p.Function and what.node.is_generator and not _is_manager(what.node):
        return
    if anywhere:
        names = names.union(*(search.renamed(what.module.path, name) for name in names))
    others = limits.within(path for path in limits.candidates(what, names, anywhere) if path != what.module.path)
    for path in [what.module.path, *others]:
        key = (what.module.path, what.node.at, path)
        if key not in known:
            home = what.module if path == what.module.path else project.module(path)
            known[key] = [] if home is None else list(_uses_in(project, what, home, names))
        yield from known[key]


def _heirs(project: Project, what: Thing, limits: _Limits) -> Iterator[Thing]:
    """The classes built on the one that ``what`` is, or whose constructor it is: whoever makes one of them runs it."""
    owner = what.node if type(what.node) is p.Class else class_around(what.module, what.node)
    if owner is None or not owner.name or _method_of(what) is not None:
        return
    if owner is not what.node and what.module.parent(what.module.parent(what.node)) is not owner:
        return
    base = Thing(what.module, owner)
    index, word = importers(project), owner.name.encode()
    others = limits.within(
        path for path in index.mentions(owner.name, what.module.path)
        if path != what.module.path and (limits.files is None or path in limits.files)
        and word in _built_on(project, path))
    for path in [what.module.path, *others]:
        home = what.module if path == what.module.path else project.module(path)
        for heir in home.nodes(p.Class) if home is not None else ():
            assert home is not None
            bases = (found for it in heir.bases if it.name is None
                     if (found := thing(home, it.value, project, 3)) is not None)
            if heir is not owner and any(found.is_at(base) for found in bases) and _inherits_making(home, heir):
                yield Thing(home, heir)


_HERITAGE = re.compile(rb"\bextends\s+([\w$.]+)|^[ \t]*class\s+\w+\s*\(([^)]*)", re.M)


def _built_on(project: Project, path: str) -> frozenset[bytes]:
    """The words by which the classes of a file name what they are built on, as its text has them."""
    memo: dict[str, frozenset[bytes]] = project.memo.setdefault(_built_on, {})
    if path not in memo:
        memo[path] = frozenset(word for found in _HERITAGE.findall(importers(project).data(path))
                               for word in re.findall(rb"[\w$]+", b" ".join(found)))
    return memo[path]


def _inherits_making(module: Module, heir: p.Class) -> bool:
    """Whether making an object of a class runs the constructor that it inherits."""
    own = [it.value for it in heir.body if type(it) is p.Define and type(it.value) is p.Function
           and (it.value.kind == "constructor" or it.name in CONSTRUCTORS)]
    return not own or any(calls_inherited(module, it) for it in own)


def _calls(home: Module) -> dict[str | None, list[tuple[int, p.Call]]]:
    """The calls of a module by the last part of what they call, each with its number among all of them."""
    table: dict[str | None, list[tuple[int, p.Call]]] | None = home.memo.get(_calls)
    if table is None:
        table = home.memo[_calls] = {}
        for number, call in enumerate(home.nodes(p.Call)):
            table.setdefault(last_name(call.callee), []).append((number, call))
    return table


def _uses_in(project: Project, what: Thing, home: Module, names: set[str]) -> Iterator[Use]:
    local = names | _aliases(project, what, home, names)
    if home is what.module and (type(what.node) is p.Class or _method_of(what) is None):
        local |= _OWN_CLASS
    function = what.node if type(what.node) is p.Function else None
    if function is not None and is_getter(function):
        nodes: list[Any] = [m for m in home.nodes(p.Member) if m.name in local]
    else:
        table = _calls(home)
        nodes = [call for _, call in sorted((row for name in local for row in table.get(name, ())), key=itemgetter(0))]
    asynchronous = function is not None and function.is_async and home.program.language == "python"
    for node in nodes:
        if any(found.is_at(what) for found in run_by(home, node, project)):
            if function is not None and function.is_generator and type(home.parent(node)) is not p.WithItem:
                continue
            if not asynchronous or _awaited(home, node) or (function is not None and function.is_generator):
                yield home, node


def _is_manager(function: p.Function) -> bool:
    """Whether a generator is made a context manager, so that ``with`` runs it up to what it yields."""
    return any((last_name(decorator) or "").endswith("contextmanager") for decorator in function.decorators)


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
    if owner is not None and (node.kind == "constructor" or node.name in CONSTRUCTORS):
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
    search = suspects(project)
    owner = _method_of(what)
    found: set[str] = set()
    for name in names:
        found.update(search.candidates(what.module.path, name, owner.name or "" if owner is not None else ""))
    if _is_default(what):
        found.update(search.index.of(what.module.path))
    return sorted(found)


def _method_of(what: Thing) -> p.Class | None:
    """The class on whose instances ``what`` is called; None for functions and constructors."""
    node = what.node
    if type(node) is not p.Function or node.kind == "constructor" or node.name in CONSTRUCTORS:
        return None
    owner = what.module.parent(what.module.parent(node))
    return owner if type(owner) is p.Class else None


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
