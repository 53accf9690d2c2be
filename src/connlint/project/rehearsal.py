"""Whether a small JavaScript function requires a variable: told by what it does, step by step, in place of its name.

It is called with a name, in thought: once where the variable is not set, once where it is empty, and once where it
holds a text. Only what leaves no choice is followed; whatever is not understood ends the rehearsal, and nothing is
claimed.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from typing import Any, Final

from connlint.languages.edits import everything
from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.environment import Environment
from connlint.project.module import Module

_DEEPEST = 4
"""Functions that call one another."""
_NAME: Final = object()
"""The text that names the variable."""
_HELD: Final = object()
"""The text that the variable holds; it is neither empty nor blank."""
_NULL: Final = object()
_UNDEFINED: Final = object()
_UNKNOWN: Final = object()
"""Something of which nothing is known."""

_ENVIRONMENT = ("process.env", "node:process.env", "node:process.default.env", "process.default.env")
_EXITS = ("process.exit", "process.abort", "node:process.exit", "node:process.default.exit")
_KEEPING = ("trim", "trimStart", "trimEnd", "toString", "valueOf")
"""Methods of a text that give it back, but for blanks at its ends."""
_NAMED = regex(r"\s*\??\s*(?::\s*(?:string|keyof\s+NodeJS\.ProcessEnv)\s*)?(?:[,)=]|$)")
"""What stands behind a parameter that takes any name."""
_OPTIONAL = regex(r"\s*\?\s*:")
_RESULT = regex(r"\)\s*(?::\s*string\s*)?(?:\{|=>)")
"""What stands behind the parameters of a function whose result is a text, as far as it says what it is."""


class _Stops(Exception):
    """The program is stopped: an error is thrown, or the process exits."""


class _Doubt(Exception):
    """What happens cannot be told."""


class _Returns(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


def requires(environment: Environment, home: Module, function: Any) -> bool:
    """Whether ``function`` of the file ``home``, called with a name alone, returns what that variable of the process's
    environment holds, blanks at the ends aside, and stops the program where it is not set or empty."""
    if type(function) is not p.Function or function.kind != "function" or not _takes_a_name(home, function):
        return False
    return all(_outcome(environment, home, function, given) is wanted
               for given, wanted in ((_UNDEFINED, _Stops), ("", _Stops), (_HELD, _HELD)))


def _takes_a_name(home: Module, function: p.Function) -> bool:
    """Whether one argument is enough, any text will do for it, and nothing but a text is said to come back."""
    if not function.params or not function.body:
        return False
    for place, param in enumerate(function.params):
        if type(param.target) is not p.Name:
            return False
        start = param.target.at[1]
        behind = home.source.slice((start, min(start + 80, function.body[0].at[0])))
        if place == 0:
            if param.kind == "rest" or not _NAMED.match(behind):
                return False
        elif param.default is None and param.kind != "rest" and not _OPTIONAL.match(behind):
            return False
    last = function.params[-1]
    start = (last.default or last.target).at[1]
    head = home.source.slice((start, function.body[0].at[0]))
    is_bare = function.params[0].target.at[0] == function.at[0]  # ``name => …``
    return is_bare or _RESULT.search(head) is not None


def _outcome(environment: Environment, home: Module, function: p.Function, given: Any) -> Any:
    """What a call with a name gives where the variable is ``given``: a value, `_Stops`, or None where nobody knows."""
    try:
        return _Rehearsal(environment, given).called(home, function, [_NAME])
    except _Stops:
        return _Stops
    except _Doubt:
        return None


class _Rehearsal:
    """One call, with everything that it does."""

    def __init__(self, environment: Environment, given: Any) -> None:
        self.environment, self.given = environment, given
        self.depth = 0

    def called(self, home: Module, function: p.Function, args: Sequence[Any],
               outside: ChainMap[str, Any] | None = None) -> Any:
        """What ``function`` returns. Raises `_Stops` or `_Doubt`."""
        if function.is_async or function.is_generator or function.decorators or self.depth >= _DEEPEST:
            raise _Doubt
        names: ChainMap[str, Any] = ChainMap({}) if outside is None else outside.new_child()
        for place, param in enumerate(function.params):
            if type(param.target) is not p.Name:
                raise _Doubt
            value = args[place] if place < len(args) else _UNDEFINED
            if value is _UNDEFINED and param.default is not None:
                value = self.value(home, param.default, names)
            names[param.target.id] = _UNKNOWN if param.kind == "rest" else value
        self.depth += 1
        try:
            self.run(home, function.body, names)
        except _Returns as returned:
            return returned.value
        finally:
            self.depth -= 1
        return _UNDEFINED

    # -- statements -----------------------------------------------------------------------------------------------

    def run(self, home: Module, body: Sequence[p.Statement], names: ChainMap[str, Any]) -> None:
        """Execute statements in a row."""
        statement: Any
        for statement in body:
            kind = type(statement)
            if kind is p.Let and type(statement.target) is p.Name:
                value = statement.value
                names.maps[0][statement.target.id] = (
                    _UNDEFINED if value is None else self.value(home, value, names))
            elif kind is p.Evaluate:
                self.value(home, statement.value, names)
            elif kind is p.If:
                taken = statement.then if self.holds(home, statement.test, names) else statement.otherwise
                self.run(home, taken, names.new_child())
            elif kind is p.Block:
                self.run(home, statement.body, names.new_child())
            elif kind is p.Return:
                raise _Returns(_UNDEFINED if statement.value is None else self.value(home, statement.value, names))
            elif kind is p.Raise:
                raise _Stops
            elif kind is not p.Types:
                raise _Doubt

    # -- expressions ----------------------------------------------------------------------------------------------

    def holds(self, home: Module, test: Any, names: ChainMap[str, Any]) -> bool:
        """Whether ``test`` is true, or counts as true."""
        value = self.value(home, test, names)
        if value is _UNKNOWN:
            raise _Doubt
        return value is _NAME or value is _HELD or (value is not _NULL and value is not _UNDEFINED and bool(value))

    def value(self, home: Module, e: Any, names: ChainMap[str, Any]) -> Any:
        """What an expression gives: one of the objects above, or a constant of its own."""
        kind = type(e)
        if kind is p.Text or kind is p.Number:
            return e.value
        if kind is p.Constant:
            return {"true": True, "false": False, "null": _NULL}.get(e.value, _UNDEFINED)
        if kind is p.Name:
            return names.get(e.id, _UNKNOWN)
        if kind is p.Index:
            return self.item(home, e, names)
        if kind is p.Call:
            return self.call(home, e, names)
        if kind is p.Not:
            return not self.holds(home, e.value, names)
        if kind is p.Logical:
            return self.logical(home, e.op, e.left, e.right, names)
        if kind is p.Conditional:
            return self.value(home, e.then if self.holds(home, e.test, names) else e.otherwise, names)
        if kind is p.Compare:
            return self.compared(home, e, names)
        if kind is p.Assign and type(e.target) is p.Name and e.op in ("", "or", "and", "nullish"):
            value = self.logical(home, e.op, e.target, e.value, names) if e.op else self.value(home, e.value, names)
            for scope in names.maps:
                if e.target.id in scope:
                    scope[e.target.id] = value
                    return value
        if kind is p.Concat:
            parts = [self.value(home, part, names) for part in e.parts]
            if all(type(part) is str for part in parts):
                return "".join(parts)
            return parts[0] if len(parts) == 1 and parts[0] in (_NAME, _HELD) else _UNKNOWN
        if kind is p.Opaque and e.why == "typeof" and len(e.parts) == 1:
            value = self.value(home, e.parts[0], names)
            if value in (_NAME, _HELD) or type(value) is str:
                return "string"
            return "undefined" if value is _UNDEFINED else _UNKNOWN
        if kind in (p.Record, p.Sequence, p.Function):
            return _UNKNOWN
        if kind is p.Member and self.environment.spelled(home, e) is not None and not self.told(e, names):
            return _UNKNOWN
        raise _Doubt

    def item(self, home: Module, e: p.Index, names: ChainMap[str, Any]) -> Any:
        """``process.env[name]``, or the item of something else."""
        is_shadowed = any(type(node) is p.Name and node.id in names for node in everything((e.of,)))
        if is_shadowed or self.environment.spelled(home, e.of) not in _ENVIRONMENT:
            raise _Doubt
        return self.given if self.value(home, e.key, names) is _NAME else _UNKNOWN

    def logical(self, home: Module, op: str, left: Any, right: Any, names: ChainMap[str, Any]) -> Any:
        """``left`` or ``right``, as JavaScript chooses between them."""
        value = self.value(home, left, names)
        if value is _UNKNOWN:
            raise _Doubt
        is_nothing = value is _NULL or value is _UNDEFINED
        keeps = not is_nothing if op == "nullish" else self.holds(home, left, names) is (op == "or")
        return value if keeps else self.value(home, right, names)

    def compared(self, home: Module, e: p.Compare, names: ChainMap[str, Any]) -> bool:
        """Whether a comparison for equality holds."""
        left, right = self.value(home, e.left, names), self.value(home, e.right, names)
        if e.op not in ("==", "!=") or _UNKNOWN in (left, right):
            raise _Doubt
        empty = (_NULL, _UNDEFINED)
        if left in empty and right in empty:
            strict = "=" in home.source.slice((e.left.at[1], e.right.at[0])).replace(e.op, "", 1)
            equal = left is right or not strict
        elif left in empty or right in empty:
            equal = False
        elif left is right and left is not _NAME:
            equal = True
        elif type(left) is type(right) and type(left) in (str, bool):
            equal = left == right
        elif _HELD in (left, right) and "" in (left, right):
            equal = False
        else:
            raise _Doubt
        return equal is (e.op == "==")

    def call(self, home: Module, e: p.Call, names: ChainMap[str, Any]) -> Any:
        """What a call gives; one that is not known may do anything but touch the name and what the variable holds."""
        callee: Any = e.callee
        if type(callee) is p.Member and callee.name in _KEEPING and not e.args:
            value = self.value(home, callee.of, names)
            if value is _HELD or value is _NAME or type(value) is str:
                return value.strip() if type(value) is str else value
            if value is _UNDEFINED and callee.maybe:
                return _UNDEFINED
            raise _Doubt
        if e.new:
            function = None
        elif type(callee) is p.Function:
            return self.called(home, callee, [self.value(home, one.value, names) for one in e.args], names)
        else:
            if self.environment.spelled(home, callee) in _EXITS:
                raise _Stops
            function = self.followed(home, callee, names)
        if function is not None and not any(one.spread for one in e.args):
            where, body = function
            return self.called(where, body, [self.value(home, one.value, names) for one in e.args])
        is_said = (self.environment.spelled(home, callee) or "").startswith("console.")
        if self.given is _HELD and not is_said and self.told(e, names):
            raise _Doubt
        return _UNKNOWN

    def followed(self, home: Module, callee: Any, names: ChainMap[str, Any]) -> tuple[Module, p.Function] | None:
        """The function of the project that is called by its name, and surely there by then."""
        if type(callee) is not p.Name or callee.id in names:
            return None
        where, found = self.environment.definitions(home, callee)
        if len(found) != 1 or type(found[0].value) is not p.Function or found[0].path:
            return None
        is_there = where is not home or type(found[0].node) is p.Define
        return (where, found[0].value) if is_there else None

    def told(self, e: Any, names: ChainMap[str, Any]) -> bool:
        """Whether an expression mentions the name, or what the variable holds."""
        return any(type(node) is p.Name and names.get(node.id) in (_NAME, _HELD) for node in everything((e,)))
