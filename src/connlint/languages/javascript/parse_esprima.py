"""JavaScript with esprima: text → ESTree with byte positions.

The one home of `esprima` (the package ``esprima2``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from connlint.languages.javascript.estree import Refused


@cache
def _parser() -> type:
    """esprima's parser with our positions, made when first needed since importing esprima costs 100 ms."""
    from esprima.jsx_parser import JSXParser
    from esprima.token import Token

    eof, punctuator = Token.EOF, Token.Punctuator

    class Parser(JSXParser):  # type: ignore[misc]
        byte_of: Sequence[int] | None = None
        base = 0

        def finalize(self, marker: Any, node: Any) -> Any:
            start, end = marker.index, self.lastMarker.index
            if node.type == "TemplateElement":  # the text alone, without "`", "${" and "}"
                start, end = start + 1, end - (1 if node.tail else 2)
            table = self.byte_of
            node.range = (start + self.base, end + self.base) if table is None else (table[start], table[end])
            return node

        def consumeSemicolon(self) -> None:
            # As esprima has it, but a statement without a semicolon ends with its last token, not at the next one.
            token = self.lookahead
            if token.type is punctuator and token.value == ";":
                self.nextToken()
            elif not self.hasLineTerminator and token.type is not eof and not self.match("}"):
                self.throwUnexpectedToken(token)

        def parseClassElement(self, hasConstructor: Any) -> Any:
            # "async *m() {}" would be read as a field "async" and a method "*m".
            node = super().parseClassElement(hasConstructor)
            if node.type == "FieldDefinition" and node.value is None and self.match("*"):
                self.throwUnexpectedToken(self.lookahead)
            return node

    return Parser


def parse(text: str, *, module: bool, byte_of: Sequence[int] | None = None, base: int = 0) -> Any:
    """Parse ``text``; raises `Refused` for whatever reason esprima has.

    ``byte_of`` gives the byte of the file for every character of ``text`` (its end included); without it a character
    is a byte and the text starts at ``base``.
    """
    from esprima.error_handler import Error

    if text.startswith("#!"):
        text = "//" + text[2:]
    try:
        parser = _parser()(text, options={"range": True, "jsx": True, "classProperties": True}, delegate=None)
        parser.byte_of, parser.base = byte_of, base
        read: Callable[[], Any] = parser.parseModule if module else parser.parseScript
        return read()
    except Error as error:
        raise Refused(str(error.message or error)) from None
    except RecursionError:
        raise Refused("nested too deeply", kind="too-deep") from None
    except Exception as error:  # esprima's own faults (IndexError, AttributeError, …) on text it does not expect
        raise Refused(f"{type(error).__name__}: {error}") from None
