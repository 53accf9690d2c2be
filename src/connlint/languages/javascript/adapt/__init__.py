"""tree-sitter's nodes → ESTree's: parentheses, casts and types are left out on the way."""

from __future__ import annotations

from typing import ClassVar

from connlint.languages.javascript.adapt.expressions import Expressions
from connlint.languages.javascript.adapt.functions import Functions
from connlint.languages.javascript.adapt.markup import Markup
from connlint.languages.javascript.adapt.modules import Modules
from connlint.languages.javascript.adapt.passing import Passing
from connlint.languages.javascript.adapt.statements import Statements
from connlint.languages.javascript.adapt.walk import Walk


class Adapter(Statements, Modules, Functions, Expressions, Markup, Passing):
    """Turns the tree of one file into a ``Program`` of ESTree."""

    KINDS: ClassVar[dict[str, str]] = {
        **Walk.KINDS, **Statements.KINDS, **Modules.KINDS, **Functions.KINDS, **Expressions.KINDS, **Markup.KINDS,
    }
