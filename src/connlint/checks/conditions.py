"""Conditions of a program as what the solver can compare: literals that must hold together."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from connlint.model import program as p
from connlint.model.flow import HELD, Block, Choose, Do, Escape, Guard, Literal_, Repeat, Test
from connlint.project.module import Module
from connlint.project.uses import references


class Plan(Struct):
    """What the nodes of a function mean for one handle; everything is keyed by ``id(node)``.

    ``gain`` is the expression that yields the handle. ``ends`` are calls, awaits and ``with`` items that give it back,
    ``escapes`` nodes before which it changes owner, ``drops`` assignments that overwrite its variable, ``held`` reads
    of the variable, ``done`` calls that tell whether it has ended by itself, ``starts`` calls before which it does
    nothing yet, ``fails`` calls that raise, whatever others of their name do. ``runs`` are calls that run a function of
    the same file on the spot (`Function`), ``chains`` promise methods whose callbacks matter. ``lent`` says that the
    function only lends what it yields: it goes on when its user is done, and gets what went wrong there. ``gathered``:
    the handle is one of several in a collection.
    ``streams`` are the places where a generator hands out one value of many, and may be left for good.
    ``wakes`` are uses of a handle that holds nothing before the first of them.
    ``catching`` are exceptions with which all is caught that using the handle raises.
    """

    gain: int
    ends: set[int] = field(default_factory=set)
    escapes: set[int] = field(default_factory=set)
    drops: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    starts: set[int] = field(default_factory=set)
    fails: set[int] = field(default_factory=set)
    runs: dict[int, p.Function] = field(default_factory=dict)
    chains: dict[int, dict[int, p.Function]] = field(default_factory=dict)
    wakes: set[int] = field(default_factory=set)
    streams: set[int] = field(default_factory=set)
    lent: bool = False
    gathered: bool = False
    catching: frozenset[str] = frozenset()


class Conditions:
    """Answers about the conditions of one function, as they matter for one handle."""

    def __init__(self, module: Module, plan: Plan) -> None:
        self.module = module
        self.plan = plan
        self.finishing = 0
        """How many ``finally`` blocks are around what is being lowered."""
        self._keys: frozenset[str] | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The variables that both the acquisition and what gives back are called with: where one of them is empty,
        there was nothing to acquire."""
        if self._keys is None:
            gained: set[str] = set()
            ended: set[str] = set()
            for call in self.module.nodes(p.Call):
                at = {id(call), id(self.module.parent(call))}  # or the ``await`` around it
                if not at.isdisjoint(self.plan.ends):
                    ended.update(arg.value.id for arg in call.args if type(arg.value) is p.Name)
                elif self.plan.gain in at:
                    gained.update(arg.value.id for arg in call.args if type(arg.value) is p.Name)
            self._keys = frozenset(gained & ended)
        return self._keys

    def answers_again(self, call: p.Call) -> bool:
        """Whether a call only finds what gives back, and the acquisition was found by the same call: ``owner().off(x)``
        after ``owner().on(x)``."""
        if not any(id(above) in self.plan.ends for above in self.module.parents(call)):
            return False
        words = self.words(call)
        return any(self.plan.gain in (id(whole), id(self.module.parent(whole)))
                   and self.words(whole.callee).startswith(f"{words}.") for whole in self.module.nodes(p.Call))

    def choice(self, test: p.Expression, then: Block, otherwise: Block, *, lasting: bool = True) -> Choose:
        """A decision. Where it is asked again and again (not ``lasting``), attributes may have changed meanwhile."""
        literals, exact = self.literals(test, True)
        if not lasting and any("." in words for words, _ in literals or self.literals(test, False)[0]):
            return Choose((then, otherwise))
        if not exact:
            contrary, exact_contrary = self.literals(test, False)
            if exact_contrary or (contrary and not literals):
                return Choose((otherwise, then), Test(contrary, exact_contrary, self.is_hopeful(contrary, otherwise)))
        hopeful = self.is_hopeful(literals, then)
        if not literals and not hopeful:
            return Choose((then, otherwise))
        return Choose((then, otherwise), Test(literals, exact, hopeful))

    def is_hopeful(self, literals: tuple[Literal_, ...], arm: Block) -> bool:
        """Whether a condition is there to give the handle back, so that it will hold where there is something to."""
        return (self.finishing > 0 or (HELD, True) in literals) and _ends(arm)

    def literals(self, test: Any, wanted: bool) -> tuple[tuple[Literal_, ...], bool]:
        """What must hold for ``test`` to be ``wanted``, and whether that is all."""
        kind = type(test)
        if kind is p.Not:
            return self.literals(test.value, not wanted)
        if kind is p.Logical and test.op == ("and" if wanted else "or"):
            left, left_exact = self.literals(test.left, wanted)
            right, right_exact = self.literals(test.right, wanted)
            return (*left, *right), left_exact and right_exact
        if id(test) in self.plan.done:
            return ((HELD, not wanted),), True
        if kind is p.Compare and test.op in ("==", "!="):
            for one, other in ((test.left, test.right), (test.right, test.left)):
                if type(other) is p.Constant:
                    # ``x == null``, ``x !== undefined``, ``x is False``
                    return self.literals(one, wanted == ((test.op == "==") == (other.value == "true")))
            if type(test.left) is p.Opaque and id(test.left) in self.plan.held:
                # a timer is an object, and a number in browsers
                absent = type(test.right) is not p.Text or test.right.value in ("undefined", "number")
                return ((HELD, wanted == ((test.op == "!=") == absent)),), True
        if kind is p.Compare and test.op == "in" and type(test.left) is p.Text and id(test.right) in self.plan.held:
            return ((HELD, wanted),), True
        if kind is p.Compare and id(test.left) in self.plan.held and (sign := _of_descriptor(test)) is not None:
            return ((HELD, wanted == sign),), True
        if kind is p.Compare and id(test.left) in self.plan.held and test.op in ("in", "not in"):
            # ``if fd not in (0, 1, 2): os.close(fd)``: it is one of those that stay
            return ((HELD, wanted == (test.op == "not in")),), False
        if id(test) in self.plan.held:
            return ((HELD, wanted),), True
        if kind is p.Name and test.id in self.keys:
            return ((HELD, wanted),), False
        if kind is p.Name and (meant := self.flagged(test)) is not None:
            return self.literals(meant, wanted)
        if kind in (p.Name, p.Member) and self.steady(test):
            return ((self.words(test), wanted),), True
        if kind is p.Compare and self.steady(test):
            return ((self.words(test, op=test.op.replace("!=", "==")), wanted == (test.op != "!=")),), True
        return (), False

    def flagged(self, name: p.Name) -> Any:
        """The condition that a variable has kept: ``const own = !given``; None where it is none, or one of what this
        function changes."""
        found = self.module.lookup(name.id, name)
        value: Any = found[0].value if len(found) == 1 and found[0].kind == "value" and not found[0].path else None
        if type(value) not in (p.Not, p.Compare) or self.module.function(value) is not self.module.function(name):
            return None
        parts = [value.value] if type(value) is p.Not else [value.left, value.right]
        return value if all(self._is_told_once(part) for part in parts) else None

    def _is_told_once(self, part: Any) -> bool:
        if type(part) is not p.Name:
            return type(part) in (p.Text, p.Number, p.Constant)
        return id(part) not in self.plan.held and len(self.module.lookup(part.id, part)) == 1

    def words(self, it: Any, op: str = "") -> str:
        if op:
            return f"{self.words(it.left)} {op} {self.words(it.right)}"
        return " ".join(self.module.source.slice(it.at).split())

    def steady(self, test: Any) -> bool:
        """Whether a condition means the same every time it is asked, unless this function itself changes it."""
        kind = type(test)
        if kind is p.Name:
            found = self.module.lookup(test.id, test)
            places = {id(one): one for d in found if d.kind != "import" for one in (self.module.function(d.node),)}
            return len(places) - sum(map(self._is_followed, places.values())) <= 1
        if kind is p.Member:
            # what the handle says about itself changes with what is done to it
            return id(test.of) not in self.plan.held and self.steady(test.of)
        if kind is p.Compare:
            return self.steady(test.left) and self.steady(test.right)
        return kind in (p.Text, p.Number, p.Constant)

    def _is_followed(self, function: p.Function | None) -> bool:
        """Whether every call of a function is followed where it stands, so that what it changes is seen there."""
        if function is None or not function.name or all(function is not run for run in self.plan.runs.values()):
            return False
        calls = [self.module.parent(use) for use in references(self.module, function.name, function)]
        return bool(calls) and all(type(call) is p.Call and id(call) in self.plan.runs for call in calls)


def _of_descriptor(test: p.Compare) -> bool | None:
    """Whether a comparison with a number holds for every descriptor, or for none; none is negative, and no file of the
    program's own is below three."""
    if type(test.right) is not p.Number:
        return None
    number = test.right.value
    if (test.op, number) in ((">=", 0), (">", -1), ("!=", -1), (">", 0), (">", 2), (">=", 3)):
        return True
    return False if (test.op, number) in (("<", 0), ("<=", -1), ("==", -1), ("<=", 0)) else None


def truth(value: Any) -> bool | None:
    """Whether a value is true or false as a condition, where that is seen at once."""
    kind = type(value)
    if kind is p.Constant:
        return bool(value.value == "true")
    if kind is p.Await:
        return truth(value.value)
    if kind is p.Call:
        # an object: ``new X()``, or a call of something that is named like a class
        name = str(getattr(value.callee, "id", getattr(value.callee, "name", "")))
        return True if value.new or name[:1].isupper() else None
    return True if kind is p.Function else None


def _ends(block: Block) -> bool:
    """Whether a block gives the handle back somewhere."""
    for shape in block:
        if type(shape) is Escape or (type(shape) is Do and shape.effect == "end"):
            return True
        if type(shape) is Choose and any(map(_ends, shape.arms)):
            return True
        if type(shape) is Repeat and _ends(shape.body):
            return True
        if type(shape) is Guard and (_ends(shape.body) or _ends(shape.always)):
            return True
    return False
