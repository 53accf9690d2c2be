"""The walk that lowers ESTree, a module for each kind of syntax."""

from __future__ import annotations

from typing import ClassVar

from connlint.languages.javascript.lowering.expressions import Expressions
from connlint.languages.javascript.lowering.functions import Functions
from connlint.languages.javascript.lowering.markup import Markup
from connlint.languages.javascript.lowering.modules import Modules
from connlint.languages.javascript.lowering.patterns import Patterns
from connlint.languages.javascript.lowering.statements import Statements
from connlint.languages.javascript.lowering.walk import TooDeep


class Lowering(Expressions, Patterns, Functions, Markup, Statements, Modules):
    """Lowers the statements of one file, and remembers which module syntax it met."""

    EXPRESSIONS: ClassVar[dict[str, str]] = {
        **Expressions.EXPRESSIONS, **Patterns.EXPRESSIONS, **Functions.EXPRESSIONS, **Markup.EXPRESSIONS,
    }
    STATEMENTS: ClassVar[dict[str, str]] = {**Functions.STATEMENTS, **Statements.STATEMENTS, **Modules.STATEMENTS}


__all__ = ["Lowering", "TooDeep"]
