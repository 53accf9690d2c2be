"""Which of libcst's nodes is lowered by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connlint.languages.python.statements import Statements as Lowering

_LOWERINGS: dict[str, Callable[..., Any]] = {
    # expressions
    "Name": Lowering.name,
    "Integer": Lowering.number,
    "Float": Lowering.number,
    "Imaginary": Lowering.number,
    "Ellipsis": Lowering.ellipsis,
    "SimpleString": Lowering.string,
    "FormattedString": Lowering.formatted,
    "ConcatenatedString": Lowering.concatenated,
    "TemplatedString": Lowering.template,
    "Attribute": Lowering.attribute,
    "Subscript": Lowering.subscript,
    "Call": Lowering.call,
    "StarredElement": Lowering.starred,
    "UnaryOperation": Lowering.unary,
    "BinaryOperation": Lowering.binary,
    "BooleanOperation": Lowering.boolean,
    "Comparison": Lowering.comparison,
    "IfExp": Lowering.conditional,
    "NamedExpr": Lowering.walrus,
    "Await": Lowering.await_,
    "Yield": Lowering.yield_,
    "Lambda": Lowering.lambda_,
    "Tuple": Lowering.tuple_,
    "List": Lowering.list_,
    "Set": Lowering.set_,
    "Dict": Lowering.dict_,
    "ListComp": Lowering.list_comprehension,
    "SetComp": Lowering.set_comprehension,
    "GeneratorExp": Lowering.generator,
    "DictComp": Lowering.dict_comprehension,
    # statements
    "Expr": Lowering.expr,
    "Pass": Lowering.pass_,
    "Assign": Lowering.assign,
    "AnnAssign": Lowering.annotated,
    "AugAssign": Lowering.augmented,
    "Return": Lowering.return_,
    "Raise": Lowering.raise_,
    "Assert": Lowering.assert_,
    "Break": Lowering.break_,
    "Continue": Lowering.continue_,
    "Del": Lowering.delete,
    "Global": Lowering.global_,
    "Nonlocal": Lowering.nonlocal_,
    "TypeAlias": Lowering.type_alias,
    "Import": Lowering.import_,
    "LazyImport": Lowering.import_,
    "ImportFrom": Lowering.import_from,
    "LazyImportFrom": Lowering.import_from,
    "FunctionDef": Lowering.function_,
    "ClassDef": Lowering.class_,
    "If": Lowering.if_,
    "While": Lowering.while_,
    "For": Lowering.for_,
    "Try": Lowering.try_,
    "TryStar": Lowering.try_,
    "With": Lowering.with_,
    "Match": Lowering.match,
}


def lowerings(nodes: Any) -> dict[type, Callable[..., Any]]:
    """How each type of node in the namespace ``nodes`` is lowered; libcst has more of them with each version."""
    return {getattr(nodes, name): how for name, how in _LOWERINGS.items() if hasattr(nodes, name)}


__all__ = ["Lowering", "lowerings"]
