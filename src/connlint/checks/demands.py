"""What a program demands of its environment: variables without which it stops, or refuses to go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.checks.demanding import demanded_by_name
from connlint.model import program as p
from connlint.model.source import Span
from connlint.patterns import Words
from connlint.project.address import loopback
from connlint.project.callees import last_name, thing
from connlint.project.conditions import Condition
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.readers import VARIABLE
from connlint.project.stage import Stages
from connlint.project.values import Read, Values


class Demand(Struct, frozen=True):
    """``variables`` are demanded at ``node``, None where a schema does; ``way`` is the only part of the file for which
    that counts, None for all of it."""

    variables: frozenset[str]
    way: Span | None
    node: Any = None


def required_variables(values: Values, stages: Stages, module: Module, node: Any = None) -> set[str]:
    """Variables without which the module stops, or refuses to go on, outside of development.

    A demand that is made on one of several ways (``if kind == "smtp": if not HOST: raise``) counts for what stands on
    that way alone, where ``node`` says what is asked about.
    """
    return {name for demand in demands_of(values, stages, module) for name in demand.variables
            if node is None or demand.way is None or demand.way[0] <= node.at[0] < demand.way[1]}


def demands_of(values: Values, stages: Stages, module: Module) -> list[Demand]:
    """What the module demands, each with its place."""
    demands: list[Demand] | None = module.memo.get(Demand)
    if demands is None:
        demands = module.memo[Demand] = _demands(values, stages, module)
    return demands


def demanded(values: Values, stages: Stages, module: Module) -> Iterator[tuple[Any, tuple[Read, ...]]]:
    """The places of the module at which it stops where the reads beside each have given nothing."""
    for statement in module.nodes(p.If):
        for block, truth in ((statement.then, True), (statement.otherwise, False)):
            if any(type(s) is p.Raise or stages.leaves(module, s) for s in block):
                reads = values.absent(module, statement.test, truth)
                loop = module.parent(statement)
                if type(loop) is p.Loop and loop.iterable is not None:
                    # ``for (const name of NAMES) if (!process.env[name]) …`` demands each of them
                    reads = tuple(replace(read, variables=(name,)) for read in reads for name in read.variables)
                    reads += _of_own_attributes(values, module, statement.test, truth, loop.iterable)
                yield statement, reads
    for call in module.nodes(p.Call):
        if call.args and module.qualified(call.callee) in stages.assertions:
            yield call, values.absent(module, call.args[0].value, False)


def _of_own_attributes(values: Values, module: Module, test: Any, truth: bool, iterable: Any) -> tuple[Read, ...]:
    """The reads without which an attribute of an object is empty, where the object stops for any that is: ``for (const
    [key, value] of Object.entries(this)) if (value === undefined) throw …``, ``for value in vars(self).values()``."""
    if type(iterable) is not p.Call or last_name(iterable.callee) not in ("entries", "values", "items"):
        return ()
    whole = iterable.args[0].value if iterable.args else getattr(iterable.callee, "of", None)
    if type(whole) is p.Call and last_name(whole.callee) == "vars" and whole.args:
        whole = whole.args[0].value
    elif type(whole) is p.Member and whole.name == "__dict__":
        whole = whole.of
    owner = next((above for above in module.parents(iterable) if type(above) is p.Class), None)
    while type(test) is p.Not:
        test, truth = test.value, not truth
    empty = (p.Constant, p.Text)
    asks = not truth if type(test) is p.Name else type(test) is p.Compare and truth == (test.op == "==") and (
        type(test.right) in empty or type(test.left) in empty)
    if owner is None or not asks or type(whole) is not p.Name or whole.id not in ("this", "self"):
        return ()
    return tuple(read for name in values.attributes(module, owner, 1) for q in values.attribute(module, owner, name)
                 if q.nothing for read in q.absent)


def _demands(values: Values, stages: Stages, module: Module) -> list[Demand]:
    found = list(demanded(values, stages, module))
    for statement in module.nodes(p.If):
        if any(type(s) is p.Raise or stages.leaves(module, s) for s in statement.then):
            found.append((statement, _refused(values, module, statement.test)))
    demands = [Demand(frozenset(v for r in reads for v in r.variables), _way(stages, module, node), node)
               for node, reads in found if reads]
    demands += [Demand(names, _way(stages, module, call), call)
                for call, names in demanded_by_name(values, stages, module)]
    declared = [*_declared(values.project, stages, module), *_refined(stages, module)]
    return demands + [Demand(frozenset((name,)), None) for name in declared]


def declared_in_package(values: Values, stages: Stages, path: str) -> set[str]:
    """Variables that a class of the package of ``path`` declares and that validation does not let be empty, in a module
    which stops the program where they are."""
    project = values.project
    root = own_root(project, path)
    memo = project.memo.setdefault(declared_in_package, {})
    if root not in memo:
        words = Words(word.encode() for word in stages.declared["names"])
        found: set[str] = set()
        memo[root] = found
        for other in sorted(project.tree.paths):
            if not other.startswith(f"{root}/" if root else "") or not other.endswith((".ts", ".js")):
                continue
            data = project.tree.read(other)
            # the rarest is asked first: what a path says is the dearest of the three
            if data is None or not words.stand_in(data) or b"env" not in data.lower():
                continue
            if stages.of_path(other) != "production":
                continue
            if own_root(project, other) == root and (module := project.module(other)) is not None:
                found.update(_declared(values.project, stages, module))
    declared: set[str] = memo[root]
    return declared


def _declared(project: Project, stages: Stages, module: Module) -> Iterator[str]:
    """Variables that are fields of a class whose decorators do not let them be missing, where the module has an object
    of it validated and stops the program otherwise, by itself or by a function of the project that it gives the class.
    """
    needed, optional = (set(stages.declared.get(key, ())) for key in ("names", "optional"))
    if not needed:
        return
    here = _stops_where_invalid(stages, module)
    for owner in module.nodes(p.Class):
        fields = list(_needed_fields(owner, needed, optional))
        if fields and (here or _is_validated_elsewhere(project, stages, module, owner)):
            yield from fields


def _needed_fields(owner: p.Class, needed: set[str], optional: set[str]) -> Iterator[str]:
    decorators: set[str | None] = set()
    for statement in owner.body:
        if type(statement) is p.Evaluate and type(statement.value) is p.Call:
            decorators.add(last_name(statement.value.callee))
            continue
        target = statement.target if type(statement) is p.Let else None
        if type(target) is p.Name and VARIABLE.match(target.id) and decorators & needed:
            if not decorators & optional:
                yield target.id
        decorators = set()


def _stops_where_invalid(stages: Stages, module: Module) -> bool:
    """Whether the module has objects validated, with what is missing in them, and raises or leaves somewhere."""
    asks = set(stages.declared.get("validates", ()))
    calls = [call for call in module.nodes(p.Call) if last_name(call.callee) in asks]
    if not calls or all(_skips_what_is_missing(call) for call in calls):
        return False
    return bool(module.nodes(p.Raise)) or any(stages.leaves(module, s) for s in module.nodes(p.Evaluate))


def _skips_what_is_missing(call: p.Call) -> bool:
    return any(type(entry.key) is p.Text and entry.key.value == "skipMissingProperties"
               and type(entry.value) is p.Constant and entry.value.value == "true"
               for argument in call.args if type(argument.value) is p.Record for entry in argument.value.entries)


def _is_validated_elsewhere(project: Project, stages: Stages, module: Module, owner: p.Class) -> bool:
    """Whether the module gives the class ``owner`` to a function that validates: one of the project, or, by its name,
    one that is not seen."""
    for call in module.nodes(p.Call):
        if any(type(a.value) is p.Name and a.value.id == owner.name for a in call.args):
            found = thing(module, call.callee, project)
            if found is None:
                if "validate" in (last_name(call.callee) or "").lower():
                    return True
            elif type(found.node) is p.Function and _stops_where_invalid(stages, found.module):
                return True
    return False


def _refused(values: Values, module: Module, test: Any) -> tuple[Read, ...]:
    """The reads of what a test compares with loopback: a program that stops there never uses such a default."""
    parts = list(p.within(test))
    if not any(type(part) is p.Text and loopback(part.value) is not None for part in parts):
        return ()
    return tuple(r for part in parts if type(part) in (p.Name, p.Member) for q in values.possible(module, part)
                 for r in (*q.reads, *q.absent))


def _refined(stages: Stages, module: Module) -> Iterator[str]:
    """Variables that a schema compares with loopback in a function of its own that refuses values."""
    refining = stages.declared.get("refines", ())
    for call in module.nodes(p.Call) if refining else ():
        if type(call.callee) is not p.Member or call.callee.name not in refining:
            continue
        for node in (inner for argument in call.args for inner in p.within(argument.value)):
            if type(node) is p.Compare:
                sides = (node.left, node.right)
                if any(type(side) is p.Text and loopback(side.value) is not None for side in sides):
                    yield from (side.name for side in sides if type(side) is p.Member and VARIABLE.match(side.name))


def _way(stages: Stages, module: Module, node: Any) -> Span | None:
    """The innermost branch around ``node`` to which a choice among texts leads; None where there is none.

    Production is no choice: what it demands is demanded.
    """
    below = node
    for above in module.parents(node):
        kind = type(above)
        if kind is p.Function:
            return None
        if kind is p.Case:
            return above.at
        if kind is p.If and below is not above.test:
            then = any(below is statement for statement in above.then)
            test = above.test
            chosen = type(test) is p.Compare and p.Text in (type(test.left), type(test.right))
            if chosen and not stages.development_only(Condition(module, test, not then)):
                block = above.then if then else above.otherwise
                return block[0].at[0], block[-1].at[1]
        below = above
    return None
