"""JavaScript, TypeScript, and the scripts of Vue and Svelte files → `Program`.

esprima reads JavaScript; tree-sitter reads TypeScript, long files, and what esprima refuses. Which one it was cannot be
told from the program, except by ``reader``. Reading never fails: what cannot be read becomes a `Problem`.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from connlint.languages.javascript import blocks, comments, parse_esprima, parse_tree_sitter
from connlint.languages.javascript.estree import Refused
from connlint.languages.javascript.lower import Lowered, lower
from connlint.languages.javascript.parse_tree_sitter import Dialect
from connlint.model import program as p
from connlint.model.source import Source, Span
from connlint.patterns import regex

JAVASCRIPT = (".js", ".mjs", ".cjs", ".jsx")
TYPESCRIPT = (".ts", ".mts", ".cts", ".tsx")
COMPONENTS = (".vue", ".svelte")
SUFFIXES = JAVASCRIPT + TYPESCRIPT + COMPONENTS
"""The files that `read` knows."""

_ES_MODULE = regex(r"(?:^|[;})/])[ \t]*(?:import\b\s*[^(.\s]|export\b\s*[^=:.,)\s])", re.MULTILINE)
_REFUSED = regex(r"@flow\b|<>|\basync\s*[*#]|\(\s*\w+\s*:\s*(?:any|string)\b|\bimport type\b")
"""What esprima surely refuses, as far as it shows at a glance. A wrong guess costs nothing: the program is the same."""
_LONG = 2_000
"""Characters from which on tree-sitter reads JavaScript as well. esprima takes three times as long for the same
program, and more where words say what may be passed over."""
Parser = Literal["both", "esprima", "tree-sitter"]
_AMBIENT = regex(r"\.d\.([^./]+\.)?[mc]?ts$")


def read(source: Source, words: Sequence[bytes] | None = None, *, parser: Parser = "both") -> p.Program:
    """Lower one file; never raises.

    With ``words``, functions and classes at the top level that hold none of them, and are not mentioned by what does,
    may become `Unread`: tree-sitter has cut them out before they cost much, esprima reads everything. ``parser`` names
    one of the two, so that they can be compared; what esprima does not know is read by tree-sitter all the same.
    """
    with _no_collection():
        return _Reader(source, words, parser).read()


@contextmanager
def _no_collection() -> Iterator[None]:
    """A parse makes many objects and no garbage: the collector would walk them all again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Reader:
    def __init__(self, source: Source, words: Sequence[bytes] | None, parser: Parser) -> None:
        self.source, self.words, self.parser = source, words, parser
        self.suffix = source.path[source.path.rfind(".") :].lower()
        self.body: list[p.Statement] = []
        self.directives: list[str] = []
        self.problems: list[p.Problem] = []
        self.comments: list[p.Comment] = []
        self.readers: list[str] = []
        self.esm = self.commonjs = False
        self.speaks = comments.MARK in source.data or (
            source.encoding != "utf-8" and comments.MARK.decode() in source.text
        )

    def read(self) -> p.Program:
        text = self.source.text
        typescript = self.suffix in TYPESCRIPT
        if self.suffix in COMPONENTS:
            scripts = blocks.scripts(text, vue=self.suffix == ".vue")
            typescript = any(script.typescript for script in scripts)
            for script in scripts:
                self.stretch(script.at, "tsx" if self.suffix == ".vue" else "typescript", script.typescript)
            if self.speaks:
                self.markup([script.at for script in scripts])
        else:
            dialect: Dialect = "typescript" if self.suffix in (".ts", ".mts", ".cts") else "tsx"
            self.stretch((0, len(text)), dialect, typescript)
        at = self.source.char_to_byte(0), len(self.source.data)
        return p.Program(
            "typescript" if typescript else "javascript", tuple(self.body), self.module_kind(), tuple(self.comments),
            tuple(self.problems), "+".join(dict.fromkeys(self.readers)), at, tuple(self.directives),
        )

    def module_kind(self) -> str:
        """What the syntax says; the endings ``.mjs`` and ``.cjs`` are as good."""
        if self.suffix in (".mjs", ".mts", *COMPONENTS):
            return "esm"
        if self.suffix in (".cjs", ".cts"):
            return "commonjs"
        return "esm" if self.esm else "commonjs" if self.commonjs else "script"

    def stretch(self, at: Span, dialect: Dialect, typescript: bool) -> None:
        """Read one script; ``at`` is in characters of the text."""
        whole = at == (0, len(self.source.text))
        text = self.source.text if whole else self.source.text[at[0] : at[1]]
        tree = self.esprima(text, at) if not typescript and self.asks_esprima(text) else None
        self.readers.append("tree-sitter" if tree is None else "esprima")
        self.add(lower(self.tree_sitter(text, at, dialect) if tree is None else tree))
        if self.speaks:
            self.comments += comments.in_script(self.source, text, dialect, self.places(text, at).__getitem__)

    def asks_esprima(self, text: str) -> bool:
        """Whether a script of JavaScript is one for esprima."""
        if self.parser == "both":
            return len(text) < _LONG and not _REFUSED.search(text)
        return self.parser == "esprima"

    def esprima(self, text: str, at: Span) -> Any:
        """esprima's tree of a script; None where it refuses it."""
        module = self.suffix in (".mjs", *COMPONENTS) or _ES_MODULE.search(text) is not None
        start = self.source.char_to_byte(at[0])
        try:
            if self.source.char_to_byte(at[1]) - start == len(text):
                return parse_esprima.parse(text, module=module, base=start)
            return parse_esprima.parse(text, module=module, byte_of=self.bytes_of(at))
        except Refused:
            return None

    def bytes_of(self, at: Span) -> Sequence[int]:
        """For every character from ``at[0]`` to ``at[1]``, the end included, its byte in the file."""
        source = self.source
        start, end = source.char_to_byte(at[0]), source.char_to_byte(at[1])
        if source.encoding == "utf-8":
            found = [place for place, byte in enumerate(source.data[start:end], start) if byte & 0xC0 != 0x80]
            return [*found, end]
        return [source.char_to_byte(place) for place in range(at[0], at[1] + 1)]

    def places(self, text: str, at: Span) -> Sequence[int]:
        """For every byte of ``text`` as UTF-8, the end included, its byte in the file."""
        if self.source.encoding in ("utf-8", "ascii"):
            start = self.source.char_to_byte(at[0])
            return range(start, self.source.char_to_byte(at[1]) + 1)
        found: list[int] = []
        for character, place in zip(text, self.bytes_of(at)):
            found += [place] * len(character.encode("utf-8", "surrogatepass"))
        return [*found, self.source.char_to_byte(at[1])]

    def tree_sitter(self, text: str, at: Span, dialect: Dialect) -> Any:
        """tree-sitter's tree of a script; the errors in it are noted."""
        data = text.encode("utf-8", "surrogatepass")
        places = self.places(text, at)
        direct = isinstance(places, range)
        tree, problems = parse_tree_sitter.parse(
            data, dialect, base=places[0] if direct else 0, table=None if direct else places,
            words=self.words, ambient=_AMBIENT.search(self.source.path) is not None,
        )
        self.problems += [p.Problem("too-deep" if message == "nested too deeply" else "syntax", message,
                                    self.source.path, where) for message, where in problems]
        return tree

    def add(self, lowered: Lowered) -> None:
        self.body += lowered.body
        self.directives += lowered.directives
        self.esm = self.esm or lowered.esm
        self.commonjs = self.commonjs or lowered.commonjs
        for kind, message, where in lowered.dropped:
            self.problems.append(p.Problem(kind, message, self.source.path, where))

    def markup(self, scripts: list[Span]) -> None:
        """Comments outside the scripts, and all in the order of the file."""
        outside, place = [], 0
        for start, end in scripts:
            outside.append((place, start))
            place = end
        outside.append((place, len(self.source.text)))
        self.comments += comments.in_markup(self.source, outside)
        self.comments.sort(key=lambda comment: comment.at)
