"""JavaScript with esprima: text → ESTree with byte positions.

The one home of `esprima` (the package ``esprima2``). Its scanner goes character by character; the two ways on which
it spends most of its time, blanks and names, are taken with regular expressions here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from connlint.languages.javascript.estree import Refused
from connlint.patterns import regex

_BLANK = "\t\n\v\f\r \xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SKIPPED = regex(rf"(?:[{_BLANK}]+|//[^\n\r\u2028\u2029]*|/\*[\s\S]*?\*/)*")
_LINE_END = regex("\r\n|[\n\r\u2028\u2029]")
_NAME = regex(r"[A-Za-z_$][\w$]*", re.ASCII)

_LOST_ASYNC = regex(r"(?:static\s+)?async\s*[*#]")


@cache
def _parser() -> tuple[type, type]:
    """esprima's parser and scanner with our changes, made when first needed since importing esprima costs 100 ms."""
    from esprima.jsx_parser import JSXParser
    from esprima.parser import Marker
    from esprima.scanner import RawToken, Scanner
    from esprima.token import Token

    eof, punctuator, identifier = Token.EOF, Token.Punctuator, Token.Identifier
    words = dict.fromkeys(Scanner.isKeyword.set, Token.Keyword)
    words |= {"null": Token.NullLiteral, "true": Token.BooleanLiteral, "false": Token.BooleanLiteral}

    class FastScanner(Scanner):  # type: ignore[misc]
        index: int

        def scanComments(self) -> Any:
            source, start = self.source, self.index
            end = _SKIPPED.match(source, start).end()  # type: ignore[union-attr]
            # "<!--" and "-->" are comments too; what else is left for a slash is an unfinished comment or a division.
            if source[end] in "<-/" and source[end : end + 2] in ("<!", "--", "/*"):
                return super().scanComments()
            if end != start:
                self.index = end
                skipped = source[start:end]
                if not skipped.isascii() or "\r" in skipped:
                    breaks = [match.end() for match in _LINE_END.finditer(source, start, end)]
                    if breaks:
                        self.lineNumber += len(breaks)
                        self.lineStart = breaks[-1]
                elif lines := skipped.count("\n"):
                    self.lineNumber += lines
                    self.lineStart = start + skipped.rindex("\n") + 1
            return ()

        def lex(self) -> Any:
            match = _NAME.match(self.source, self.index)
            if match is not None:
                end, name = match.end(), match[0]
                after = self.source[end]
                if after < "\x80" and after != "\\":
                    start, self.index = self.index, end
                    kind = words.get(name, identifier)
                    return RawToken(type=kind, value=name, lineNumber=self.lineNumber, lineStart=self.lineStart,
                                    start=start, end=end)
            return super().lex()

        def testRegExp(self, pattern: str, flags: str) -> None:
            """esprima tries the pattern with Python's engine, which is slow and knows other patterns."""

    class Parser(JSXParser):  # type: ignore[misc]
        byte_of: Sequence[int] | None = None
        base = 0
        lookahead: Any

        def nextToken(self) -> Any:
            # As esprima has it, without the lists of comments and tokens, which nobody asks for here.
            token, scanner, marker = self.lookahead, self.scanner, self.startMarker
            self.lastMarker.index = scanner.index
            scanner.scanComments()
            if scanner.index != marker.index:
                marker.index, marker.line = scanner.index, scanner.lineNumber
                marker.column = scanner.index - scanner.lineStart
            following = scanner.lex()
            self.hasLineTerminator = token.lineNumber != following.lineNumber
            if self.context.strict and following.type is identifier:
                if scanner.isStrictModeReservedWord(following.value):
                    following.type = Token.Keyword
            self.lookahead = following
            return token

        def createNode(self) -> Any:
            return Marker(self.startMarker.index)

        def startNode(self, token: Any, lastLineStart: int = 0) -> Any:
            return Marker(token.start)

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
            # esprima takes "async *m() {}" for a field and a generator, and forgets the "async" of "async #m() {}".
            if _LOST_ASYNC.match(self.scanner.source, self.startMarker.index):
                self.throwUnexpectedToken(self.lookahead)
            return super().parseClassElement(hasConstructor)

        def binaryPrecedence(self, token: Any) -> Any:
            # esprima gives "instanceof" and "in" the rank of "==" instead of that of "<".
            found = super().binaryPrecedence(token)
            return 8 if found and token.type is Token.Keyword else found

    return Parser, FastScanner


def parse(text: str, *, module: bool, byte_of: Sequence[int] | None = None, base: int = 0) -> Any:
    """Parse ``text``; raises `Refused` for whatever reason esprima has.

    ``byte_of`` gives the byte of the file for every character of ``text`` (its end included); without it a character
    is a byte and the text starts at ``base``.
    """
    from esprima.error_handler import Error

    if text.startswith("#!"):
        text = "//" + text[2:]
    make, scanner = _parser()
    try:
        parser = make(text, options={"range": True, "jsx": True, "classProperties": True}, delegate=None)
        # The parser makes its scanner itself and reads the first token with it: from here on it is ours.
        parser.scanner.__class__ = scanner
        parser.byte_of, parser.base = byte_of, base
        read: Callable[[], Any] = parser.parseModule if module else parser.parseScript
        return read()
    except Error as error:
        raise Refused(str(error.message or error)) from None
    except RecursionError:
        raise Refused("nested too deeply", kind="too-deep") from None
    except Exception as error:  # esprima's own faults (IndexError, AttributeError, …) on text it does not expect
        raise Refused(f"{type(error).__name__}: {error}") from None
