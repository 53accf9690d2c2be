"""Values that are a loopback address only because reads of the environment found nothing: where the code has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.model import program as p
from connlint.project.address import HOLE, Host, hosts, loopback
from connlint.project.module import Definition, Module
from connlint.project.readers import VARIABLE
from connlint.project.results import first_of
from connlint.project.values import Possible, Read, Site, Values


class Fallback(Struct, frozen=True, eq=False):
    """A value that is a loopback address because ``reads`` found nothing; ``node`` is the expression it belongs to.

    Not ``sure``: something else chooses another address instead, such as a look at whether this is a container.
    ``left``: other ways to find an address are tried before. ``sent``: nothing connects to it but who is sent there.
    ``mailed``: the same, in a letter. ``unread``: nothing is seen to ask for it.
    ``own``: a server asks routes of its own.
    ``platform``: the variable of a platform that is asked for before it is taken.
    ``made``: a call makes something else of it, which counts where a further variable gives nothing.
    """

    node: Any
    value: Possible
    reads: tuple[Read, ...]
    host: Host
    sure: bool = True
    left: bool = False
    sent: bool = False
    mailed: bool = False
    platform: str = ""
    own: bool = False
    unread: bool = False
    made: bool = False


def fallbacks(values: Values, module: Module) -> Iterator[Fallback]:
    """Every fallback to loopback whose deciding place stands in ``module``, the outermost expression first."""
    memo = module.memo.get(fallbacks)
    if memo is None:
        memo = module.memo[fallbacks] = list(_fallbacks(values, module))
    yield from memo


def _fallbacks(values: Values, module: Module) -> Iterator[Fallback]:
    reported: set[tuple[int, int]] = set()
    for node, possible, within in candidates(values, module, to_loopback=True):
        for value, reads in decided(module, possible, within):
            host = loopback(value.text or "")
            assert host is not None and value.joint is not None
            if _is_after_failure(values, value):
                continue
            key = (id(value.joint.node), id(reads[0].site.node))
            if key in reported:
                continue
            reported.add(key)
            known = {id(read.site.node) for read in reads}
            before = tuple(read for read in _asked_before(values, module, value.joint.node)
                           if id(read.site.node) not in known)
            yield Fallback(node, value, (*before, *reads), host, not _chosen(value, possible),
                           _is_left(node, value, possible), made=bool(before))


def _is_after_failure(values: Values, value: Possible) -> bool:
    """Whether a handler takes the loopback address, because something else than a read of the environment has failed
    that would have told the address: the machine's own in its network, say."""
    if value.origin is None:
        return False
    module, node = value.origin.module, value.origin.node
    whole = module.parent(node)
    parts = whole.parts if type(whole) is p.Concat and type(node) is p.Text and loopback(node.value) is None else ()
    made = [values.callee(module, part) for part in parts if type(part) is p.Call]
    texts = [(found.module, text) for found in made if found is not None for text in p.within(found.node)
             if type(text) is p.Text and loopback(text.value) is not None] if made else [(module, node)]
    return bool(texts) and all(_is_handled(values, *text) for text in texts)


def _is_handled(values: Values, module: Module, node: Any) -> bool:
    """Whether ``node`` stands in the handler of what calls something, and reads no variable."""
    for above in module.parents(node):
        if type(above) is p.Function:
            return False
        if type(above) is p.Handler:
            tried = module.parent(above)
            inside = [it for statement in tried.body for it in p.within(statement)]
            return any(type(it) is p.Call for it in inside) and not any(
                values.environment.access(module, it) is not None or (
                    type(it) is p.Call and _may_read(values, module, it)) for it in inside)
    return False


def _asked_before(values: Values, module: Module, node: Any) -> tuple[Read, ...]:
    """The reads that have given nothing where a call is made with ``node``: ``ADDRESS || made_of(URL || fallback)``."""
    below, given = node, False
    for above in module.parents(node):
        if type(above) is p.Logical:
            if not given or below is not above.right or above.op == "and":
                return ()
            return tuple(read for read in values.absent(module, above.left, False) if read.site.module is module)
        if type(above) not in (p.Argument, p.Call, p.Await) or (type(above) is p.Call and below is above.callee):
            return ()
        given = given or type(above) is p.Call
        below = above
    return ()


def _chosen(value: Possible, possible: list[Possible]) -> bool:
    """Whether another address than ``value`` may be taken where the same variables give nothing."""
    names = {v for read in value.absent for v in read.variables}
    return any(other.absent and not other.reads and other.text and loopback(other.text) is None and hosts(other.text)
               and names == {v for read in other.absent for v in read.variables} for other in possible)


def _is_left(node: Any, value: Possible, possible: list[Possible]) -> bool:
    """Whether a function that finds no variable tries other ways before it gives back ``value`` in the end."""
    return type(node) is p.Function and any(
        not other.reads and not other.nothing and (other.text is None or HOLE in other.text) and other is not value
        for other in possible)


def decided(module: Module, possible: list[Possible],
            within: list[Any]) -> Iterator[tuple[Possible, tuple[Read, ...]]]:
    """The values among ``possible`` that are loopback only because reads found nothing, as decided in ``within``."""
    rows = [q for q in possible if q.absent and q.joint is not None and q.joint.module is module and q.text
            and loopback(q.text) is not None
            and any(n.at[0] <= q.joint.node.at[0] and q.joint.node.at[1] <= n.at[1] for n in within)]
    rows.sort(key=lambda q: len(q.absent))
    taken: list[set[int]] = []
    for q in rows:
        reads = tuple(r for r in q.absent if _known(r))
        names = {v for r in reads for v in r.variables}
        nodes = {id(r.site.node) for r in reads}
        if not reads or any(t <= nodes for t in taken):
            continue
        setting = [other for other in possible if _set(other, names)]
        if not setting or any(_stays(other, names) for other in possible):
            continue
        taken.append(nodes)
        yield q, tuple(_proper(r, setting) for r in reads)


def _proper(read: Read, setting: list[Possible]) -> Read:
    """The read of the variable itself where ``read`` only tests whether it is there."""
    if read.form != "presence":
        return read
    return next((r for q in setting for r in q.reads if set(r.variables) & set(read.variables)), read)


def _known(read: Read) -> bool:
    return any(v.strip(HOLE + "_") for v in read.variables)


def _set(q: Possible, names: set[str]) -> bool:
    """Whether one of the variables gives this value, which is another than loopback."""
    return any(v in names for r in q.reads for v in r.variables) and loopback(q.text or "") is None


def _stays(q: Possible, names: set[str]) -> bool:
    """Whether a value is loopback even where the variable is set: what it holds is a port, or a path."""
    return any(v in names for r in q.reads for v in r.variables) and loopback(q.text or "") is not None


Candidate = tuple[Any, list[Possible], list[Any]]
"""An expression, name or result, its values, and the nodes in which a fallback of its own is decided."""


def candidates(values: Values, module: Module, *, to_loopback: bool = False) -> list[Candidate]:
    """Everything in ``module`` that may be a fallback of one read to something else; with ``to_loopback``, those are
    left out that surely fall back to no loopback address."""
    key = (candidates, to_loopback)
    found: list[Candidate] | None = module.memo.get(key)
    if found is None:
        found = module.memo[key] = list(_candidates(values, module, to_loopback))
    return found


def _candidates(values: Values, module: Module, to_loopback: bool) -> Iterator[Candidate]:
    roots: dict[int, Any] = {}
    for node in _starts(values, module):
        if to_loopback and type(node) in (p.Logical, p.Conditional) and not _may_fall_back(node):
            continue
        root = top(values, module, node)
        roots[id(root)] = root
    for root in sorted(roots.values(), key=lambda n: (n.at[0], -n.at[1])):
        inner = root
        while type(inner) is p.Call and (wrapped := values.wrapped(module, inner)) is not None:
            inner = wrapped
        if to_loopback and not _may_fall_back(inner):
            continue
        within = [root]
        if type(root) is p.Name:
            within += [d.node for d in module.lookup(root.id, root) if isinstance(d.node, p.Statement)]
            within += [d.node.target for d in module.lookup(root.id, root) if type(d.node) is p.Param]
        yield root, values.possible(module, root), within
    for declaration in values.environment.declarations(module):
        yield declaration.node, values.declared(module, declaration), [declaration.node]
    yield from _written(values, module)
    yield from _several(values, module)


_NO_ADDRESS = (p.Constant, p.Number, p.Record, p.Sequence, p.Function, p.Class, p.Compare, p.Not)


def _may_fall_back(root: Any) -> bool:
    """Whether a choice may come out as a loopback address, as far as its alternatives tell without being followed."""
    if type(root) is p.Logical and root.op != "and":
        return _may_be(root.right, loop=True) or (
            type(root.left) in (p.Logical, p.Conditional) and _may_fall_back(root.left))
    if type(root) is p.Conditional:
        return _may_be(root.then) and _may_be(root.otherwise)
    return type(root) not in _NO_ADDRESS and (type(root) is not p.Text or loopback(root.value) is not None)


def _may_be(side: Any, *, loop: bool = False) -> bool:
    """Whether an alternative may be an address; with ``loop``, a literal has to be loopback."""
    if type(side) in (p.Logical, p.Conditional):
        return _may_fall_back(side)
    if type(side) is p.Text:
        return loopback(side.value) is not None if loop else side.value != ""
    if type(side) is p.Sequence:
        return any(_may_be(item, loop=loop) for item in side.items)
    return type(side) not in _NO_ADDRESS


def _starts(values: Values, module: Module) -> list[Any]:
    """The nodes of ``module`` that are reads, or choices and calls that may hold one."""
    found: list[Any] | None = module.memo.get(_starts)
    if found is None:
        found = module.memo[_starts] = list(_all_starts(values, module))
    return found


def _all_starts(values: Values, module: Module) -> Iterator[Any]:
    for kind in (p.Member, p.Index):
        for node in module.nodes(kind):
            if values.environment.access(module, node) is not None:
                yield node
    for node in module.nodes(p.Logical):
        if node.op != "and":
            yield node
    yield from module.nodes(p.Conditional)
    for node in module.nodes(p.Assign):
        if node.op in ("or", "nullish"):
            yield node
    for call in module.nodes(p.Call):
        if values.environment.access(module, call) is not None:
            yield call
        elif first_of(call) or (_may_read(values, module, call) and values.wrapped(module, call) is None):
            yield call
    for default in module.nodes(p.Default):
        target = default.target
        if type(target) is p.Name:
            yield target


def _may_read(values: Values, module: Module, call: p.Call) -> bool:
    """Whether a call may go to a function that reads the variable which the call names, or is handed a read."""
    named = loop = False
    for item in call.args:
        value = item.value
        inside = [e.value for e in value.entries] if type(value) is p.Record else [value]
        for one in inside:
            if type(one) is p.Text:
                if VARIABLE.match(one.value):
                    return True
                named = named or one.value.isidentifier()
                loop = loop or loopback(one.value) is not None
            elif values.environment.access(module, one) is not None:
                return True
    return named and loop


def top(values: Values, module: Module, node: Any) -> Any:
    """The widest expression around ``node`` whose value is that of ``node`` or of a fallback of it."""
    while True:
        above = module.parent(node)
        kind = type(above)
        if kind is p.Logical or kind is p.Await:
            node = above
        elif kind is p.Conditional and above.test is not node:
            node = above
        elif kind is p.Assign and above.value is node and above.op in ("or", "nullish"):
            node = above
        elif kind is p.Argument:
            call = module.parent(above)
            if type(call) is not p.Call:
                return node
            access = values.environment.access(module, call)
            if access is not None and access.default is node:
                node = call
            elif access is None and values.wrapped(module, call) is node:
                node = call
            else:
                return node
        elif kind is p.Member and above.of is node:
            call = module.parent(above)
            if type(call) is p.Call and call.callee is above and values.wrapped(module, call) is node:
                node = call
            elif values.environment.access(module, above) is not None:
                node = above
            else:
                return node
        else:
            return node


def _written(values: Values, module: Module) -> Iterator[Candidate]:
    """``if (!process.env.X) process.env.X = …``: a default that is stored in the environment."""
    targets: list[tuple[Any, Any, Any]] = [(a, a.target, a.value) for a in module.nodes(p.Assign) if a.op == ""]
    targets += [(s, s.target, s.value) for s in module.nodes(p.Let) if s.value is not None]
    for node, target, value in targets:
        access = values.environment.access(module, target)
        if access is None:
            continue
        written = [v for q in values.possible(module, target) for r in q.reads for v in r.variables]
        for condition in values.held(module, node):
            absent = tuple(r for r in values.absent(module, condition.test, condition.truth)
                           if set(r.variables) & set(written))
            if absent:
                read = [Possible(reads=absent)]
                written_values = [replace(q, absent=absent, joint=Site(module, node))
                                  for q in values.possible(module, value)]
                yield node, read + written_values, [node]
                break


def _several(values: Values, module: Module) -> Iterator[Candidate]:
    """Names, attributes and results with more than one value, one of which may be the fallback of another."""
    done: set[int] = set()
    reading = _reading(values, module)
    if not reading:
        return
    for name in module.nodes(p.Name):
        found = module.lookup(name.id, name)
        if len(found) > 1 and id(found) not in done:
            done.add(id(found))
            if _mixed(found) and any(id(_captured(module, d.value)) in reading for d in found):
                yield name, values.bindings(module, found), [d.node for d in found if hasattr(d.node, "at")]
    for function in module.nodes(p.Function):
        if id(function) in reading and len(values.returns(module, function)) > 1:
            yield function, values.returned(module, function), [function]
    for owner in module.nodes(p.Class):
        if id(owner) not in reading:
            continue
        for attribute in values.attributes(module, owner, 2):
            yield owner, values.attribute(module, owner, attribute), [owner]


def _captured(module: Module, value: Any) -> Any:
    """What ``match`` looks at where ``value`` is the name that a case gives it; ``value`` itself elsewhere."""
    only = module.only(value.id, value) if type(value) is p.Name else None
    return only.value if only is not None and type(only.node) is p.Case else value


def _reading(values: Values, module: Module) -> set[int]:
    """Identities of the nodes that hold a read, or a call that may be one."""
    found: set[int] = set()
    for start in _starts(values, module):
        if type(start) in (p.Member, p.Index, p.Call, p.Name):
            node = start
            while node is not None and id(node) not in found:
                found.add(id(node))
                node = module.parent(node)
    return found


def _mixed(found: list[Definition]) -> bool:
    return sum(1 for d in found if d.kind == "value" and d.value is not None) > 1
