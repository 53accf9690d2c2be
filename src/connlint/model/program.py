"""One small language for every language: what a file says, without its syntax.

A reader lowers Python, JavaScript or TypeScript to these nodes; a check sees nothing else, so a rule is written once.
Nodes observe, they do not judge: no rule and no library is known here. What a reader has no node for becomes
`Opaque`, which keeps its evaluated parts in order, so that nothing inside it is lost.

``at`` is always a `Span` of byte offsets in the file as read. Type annotations, casts, non-null assertions and
parentheses are dropped; statements keep their order of evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from connlint.model.problem import Problem as Problem
from connlint.model.source import Span
from connlint.patterns import regex


class Node(Struct, eq=False, gc=False):
    """Everything that a file is made of; compared by identity.

    Nodes hold nodes and texts, and nothing that holds them, so the collector of circles need not look at them.
    """

    if TYPE_CHECKING:
        @property
        def at(self) -> Span:
            """Where the node stands."""


class Expression(Node):
    """Something that is evaluated."""


class Statement(Node):
    """Something that is executed."""


# -- expressions ------------------------------------------------------------------------------------------------------


class Text(Expression):
    """A string (or bytes) literal without holes; ``value`` is what it means, not how it is written."""

    value: str
    at: Span


class Number(Expression):
    value: float
    at: Span


class Constant(Expression):
    """``null`` (also ``None``), ``undefined``, ``true`` or ``false``."""

    value: Literal["null", "undefined", "true", "false"]
    at: Span


class Name(Expression):
    """An identifier that is read, or, in a pattern, bound. ``this`` and ``super`` are names too."""

    id: str
    at: Span


class Member(Expression):
    """``of.name``; ``at`` covers the whole, ``name_at`` the name. ``maybe`` is ``?.``."""

    of: Expression
    name: str
    at: Span
    name_at: Span
    maybe: bool = False


class Index(Expression):
    """``of[key]``; a constant text key stays a key (`Member` is only what was written with a dot)."""

    of: Expression
    key: Expression
    at: Span
    maybe: bool = False


class Argument(Node):
    """One argument: ``name`` of a Python keyword, ``spread`` for ``*x``, ``**x`` and ``...x``."""

    value: Expression
    name: str | None = None
    spread: bool = False


class Call(Expression):
    """``callee(args)``; ``new`` where JavaScript says so; ``maybe`` is ``?.()``. A tagged template is a call too."""

    callee: Expression
    args: tuple[Argument, ...]
    at: Span
    new: bool = False
    maybe: bool = False


class Await(Expression):
    value: Expression
    at: Span


class Yield(Expression):
    value: Expression | None
    at: Span
    delegate: bool = False


class Logical(Expression):
    """``a or b`` / ``a || b`` is "or", ``a and b`` / ``a && b`` is "and", ``a ?? b`` is "nullish"."""

    op: Literal["or", "and", "nullish"]
    left: Expression
    right: Expression
    at: Span


class Conditional(Expression):
    test: Expression
    then: Expression
    otherwise: Expression
    at: Span


class Not(Expression):
    value: Expression
    at: Span


class Compare(Expression):
    """``==`` (also ``===``, ``is``), ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in``, ``not in``, ``instanceof``."""

    op: str
    left: Expression
    right: Expression
    at: Span


class Concat(Expression):
    """Text made of parts: template literals, f-strings, ``+`` with a text in it, adjacent literals with a hole."""

    parts: tuple[Expression, ...]
    at: Span


class Sequence(Expression):
    """A list, tuple, set or array. In a pattern: destructuring by position."""

    kind: Literal["list", "tuple", "set"]
    items: tuple[Expression, ...]
    at: Span


class Spread(Expression):
    """``*x`` or ``...x`` inside a `Sequence`; in a pattern: the rest."""

    value: Expression
    at: Span


class Entry(Node):
    """``key: value`` of a `Record`; ``key`` is `Text` where it is constant, None for ``**x`` and ``...x``."""

    key: Expression | None
    value: Expression
    at: Span
    kind: Literal["value", "method", "get", "set"] = "value"


class Record(Expression):
    """A dict or object literal. In a pattern: destructuring by key."""

    entries: tuple[Entry, ...]
    at: Span


class Default(Expression):
    """Only in patterns: ``target = value`` where the value is used if there is none (or it is undefined)."""

    target: Expression
    value: Expression
    at: Span


class Param(Node):
    """``target`` is a pattern; ``kind`` "rest" is ``*args`` / ``...args``, "keywords" is ``**kwargs``."""

    target: Expression
    default: Expression | None = None
    kind: Literal["positional", "either", "keyword", "rest", "keywords"] = "either"
    annotation: Expression | None = None


class Function(Expression):
    """Any function: declaration, method, lambda, arrow. An expression body is one `Return`.

    ``body`` is None where it was not read. ``arrow`` functions take ``this`` from outside. ``kind`` says how a class
    or object holds it; "inline" is the element of a comprehension, evaluated at once:
    ``[f(x) for x in xs if c]`` is ``Opaque("comprehension", (xs, Function(inline, x, [If c: Return f(x)])))``.
    """

    name: str | None
    params: tuple[Param, ...]
    body: tuple[Statement, ...]
    at: Span
    is_async: bool = False
    is_generator: bool = False
    arrow: bool = False
    decorators: tuple[Expression, ...] = ()
    kind: Literal["function", "method", "get", "set", "constructor", "static", "inline"] = "function"
    name_at: Span | None = None


class Class(Expression):
    """``bases`` as arguments, so that Python's class keywords keep their names."""

    name: str | None
    bases: tuple[Argument, ...]
    body: tuple[Statement, ...]
    at: Span
    decorators: tuple[Expression, ...] = ()
    name_at: Span | None = None


class Assign(Expression):
    """``target = value`` wherever it stands; ``op`` "or", "and", "nullish" for ``||=``, ``&&=``, ``??=``.

    Any other operator is given as it is written without the ``=`` ("+", "-", …).
    """

    target: Expression
    value: Expression
    at: Span
    op: str = ""


class Opaque(Expression):
    """Anything else; ``parts`` are evaluated in order."""

    why: str
    parts: tuple[Expression, ...]
    at: Span


# -- statements -------------------------------------------------------------------------------------------------------


class Evaluate(Statement):
    """An expression as a statement; its value is thrown away."""

    value: Expression
    at: Span


class Let(Statement):
    """A binding: Python's ``a = v`` and ``a: T = v``, JavaScript's declarations.

    ``how`` is "const", "let", "var", "using", "await using"; "" for Python; "field" or "static" in a JavaScript class.
    ``value`` is None for a declaration alone. Chained ``a = b = v`` is one `Let` a target, with one shared value node.
    Augmented assignment is `Evaluate` of `Assign`.
    """

    target: Expression
    value: Expression | None
    at: Span
    how: str = ""
    annotation: Expression | None = None


class Define(Statement):
    """A named function or class: ``def``, ``class``, function and class declarations, methods in a class body."""

    name: str
    value: Function | Class
    at: Span


class If(Statement):
    test: Expression
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    at: Span


class Loop(Statement):
    """``for … in/of`` has ``target`` and ``iterable``; ``while`` and ``for(;;)`` a ``test`` (None is for ever).

    ``otherwise`` is Python's loop else. ``update`` is what ``for(;;)`` does after each round; its start stands before
    the loop. ``checked_after`` is ``do … while``.
    """

    body: tuple[Statement, ...]
    at: Span
    target: Expression | None = None
    iterable: Expression | None = None
    test: Expression | None = None
    update: Expression | None = None
    otherwise: tuple[Statement, ...] = ()
    is_async: bool = False
    checked_after: bool = False


class Handler(Node):
    """``types`` is None where everything is caught. ``target`` is a pattern."""

    types: Expression | None
    target: Expression | None
    body: tuple[Statement, ...]
    at: Span


class Try(Statement):
    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...]
    otherwise: tuple[Statement, ...]
    always: tuple[Statement, ...]
    at: Span


class WithItem(Node):
    value: Expression
    target: Expression | None
    at: Span


class With(Statement):
    items: tuple[WithItem, ...]
    body: tuple[Statement, ...]
    at: Span
    is_async: bool = False


class Case(Node):
    """``test`` is None for the default; Python patterns that bind put their names into ``target``."""

    test: Expression | None
    body: tuple[Statement, ...]
    at: Span
    target: Expression | None = None


class Switch(Statement):
    """``switch`` (``falls_through``) and ``match`` (does not)."""

    subject: Expression
    cases: tuple[Case, ...]
    at: Span
    falls_through: bool = True


class Return(Statement):
    value: Expression | None
    at: Span


class Raise(Statement):
    """``raise`` and ``throw``; without a value, Python's re-raise."""

    value: Expression | None
    at: Span


class Break(Statement):
    label: str | None
    at: Span


class Continue(Statement):
    label: str | None
    at: Span


class Block(Statement):
    """Statements in braces of their own, or under a ``label``. A JavaScript static block has the label "static"."""

    body: tuple[Statement, ...]
    at: Span
    label: str | None = None


class Delete(Statement):
    targets: tuple[Expression, ...]
    at: Span


class Outer(Statement):
    """Python's ``global`` (``module`` true) and ``nonlocal``."""

    names: tuple[str, ...]
    module: bool
    at: Span


class ImportedName(Node):
    """``name`` as the other module calls it: "*" is the whole module (namespace), "default" JavaScript's default.

    ``local`` is None where nothing is bound. ``star`` is Python's ``from x import *``, binding unseen names.
    """

    name: str
    local: str | None
    at: Span
    type_only: bool = False
    star: bool = False


class Import(Statement):
    """``module`` is written as in the source, with Python's leading dots.

    Python's ``import a.b`` has one name "*" with local "a" (``top_only``); ``import a.b as c`` has local "c".
    JavaScript's side-effect import has no names. ``require`` and dynamic ``import()`` are calls, not this:
    `Call(Name("require"), …)` and `Call(Name("import"), …)`; TypeScript's ``import x = require()`` is a `Let`.
    """

    module: str
    names: tuple[ImportedName, ...]
    at: Span
    module_at: Span
    type_only: bool = False
    top_only: bool = False
    lazy: bool = False


class ExportedName(Node):
    """``local`` (or, with a source module, its name there) known outside as ``name``; "*" as in `ImportedName`."""

    local: str
    name: str
    at: Span
    type_only: bool = False


class Export(Statement):
    """JavaScript's exports. ``source`` is the module of a re-export.

    ``export * from`` is the name "*" → "*"; ``export * as ns from`` is "*" → "ns". ``export const a = 1`` is a
    `Let` followed by an `Export` of its names; ``export default expr`` is `Export` with ``value``, exported "default".
    ``export = x`` has the name "=".
    """

    names: tuple[ExportedName, ...]
    at: Span
    source: str | None = None
    value: Expression | None = None
    type_only: bool = False


class Types(Statement):
    """Names that exist for the type checker only (``interface``, ``type``, ``declare``), or for both (``enum``)."""

    names: tuple[str, ...]
    at: Span
    at_run_time: bool = False


class Unread(Statement):
    """A stretch of the file that was not parsed since it holds no word that matters; it binds ``names``."""

    names: tuple[str, ...]
    at: Span


# -- a file -----------------------------------------------------------------------------------------------------------


class Comment(Node):
    """``text`` without its marks. ``alone`` says that nothing but the comment stands on its first line."""

    text: str
    at: Span
    alone: bool


class Program(Node):
    """One file (or one script block of it), lowered.

    ``module_kind`` is "esm", "commonjs", "script" or "unknown" as far as syntax alone says; "python" for Python.
    """

    language: Literal["python", "javascript", "typescript"]
    body: tuple[Statement, ...]
    module_kind: str = "python"
    comments: tuple[Comment, ...] = ()
    problems: tuple[Problem, ...] = ()
    reader: str = ""
    at: Span = (0, 0)
    directives: tuple[str, ...] = ()


def children(thing: Any) -> Iterator[Any]:
    """The nodes directly below ``thing``, in order of evaluation as the fields stand."""
    for name in fields_of(type(thing)):
        value = getattr(thing, name)
        if value is None:
            continue
        if isinstance(value, tuple):
            for item in value:
                if type(item) in NODES:
                    yield item
        elif type(value) in NODES:
            yield value


def within(thing: Any) -> Iterator[Any]:
    """``thing`` and every node below it, in order of evaluation as the fields stand, each before what is below it."""
    waiting = [thing]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(list(children(here))))


_FIELDS: dict[type, tuple[str, ...]] = {}
_NAME = regex(r"\w+")


def fields_of(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a node type that hold nodes, in order of evaluation; empty for a leaf."""
    found = _FIELDS.get(kind)
    if found is None:
        # the annotations are texts, and resolving them takes longer than looking for the names of nodes in them
        nodes = {node.__name__ for node in NODES}
        found = tuple(field for field in kind.__struct_fields__
                      if not nodes.isdisjoint(_NAME.findall(kind.__annotations__[field])))
        _FIELDS[kind] = found
    return found


NODES: frozenset[type] = frozenset(
    value for value in list(globals().values()) if isinstance(value, type) and issubclass(value, Node)
)
