"""A text edit of components: what their setup begins is undone by a hook beside it, as in Vue and Svelte.

It is proved before it is offered, as in `rewrite`. Never safe: what is undone now was not undone before.
"""

from __future__ import annotations

import re
from typing import Any

from connlint.languages.edits import everything, insertion, line_end, line_start, next_line, proved, whole_line
from connlint.languages.javascript.cleanups import braced, callback_at, first_comment, has_untyped_parameters, with_gap
from connlint.languages.javascript.read import read
from connlint.languages.javascript.style import has_semicolons, indent_unit
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_COMMENT = r"//.*|/\*(?:(?!\*/).)*\*/"
_TYPED_SCRIPT = regex(r"<script\b[^>]*\blang=[\"']tsx?[\"']")
_CHAIN = regex(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")


def undone_beside(
    source: Source, program: p.Program, hook: p.Function | None, call: Span, by: str, undo: str, title: str, *,
    handle: str | None = None, callback: Span | None = None, listener: str = "listener",
) -> Fix | None:
    """Let ``by``, as ``vue.onUnmounted``, undo ``call``, which stands in the function ``hook`` or beside all hooks.

    ``handle`` is the name to keep the result by, where nothing keeps it where the hook sees it; ``callback`` an
    argument of the call that has to be named ``listener``, since ``undo`` says it again. None behind an ``await`` of
    the hook: the component may be gone by then, and ``by`` has run.
    """
    if hook is not None and any(type(node) is p.Await and node.at[1] <= call[0] for node in everything(hook.body)):
        return None
    writer = _Writer(source, program, hook, call)
    if writer.anchor is None or writer.indent is None:
        return None
    edits: list[Edit] | None = []
    if handle is not None:
        edits = writer.kept(handle)
    elif callback is not None:
        edits = writer.named(callback, listener)
    module, _, name = by.rpartition(".")
    undone = writer.undone(name, undo) if edits is not None else None
    if edits is None or undone is None:
        return None
    added, is_new = undone
    imported = writer.imported(module, name) if is_new else []
    if imported is None:
        return None
    return proved(source, Fix(title, (*edits, *added, *imported)), read)


class _Writer:
    """The parts of the edit; each is None where it cannot be written."""

    def __init__(self, source: Source, program: p.Program, hook: p.Function | None, call: Span) -> None:
        self.source, self.program, self.hook, self.call = source, program, hook, call
        self.end, self.stop = line_end(source), ";" if has_semicolons(source, program) else ""
        script = source.path.endswith((".vue", ".svelte"))
        self.typed = bool(_TYPED_SCRIPT.search(source.text)) if script else source.path.endswith((".ts", ".tsx"))
        around = call if hook is None else hook.at
        self.anchor = self._statement(around)
        self.inner = self._statement(call)
        line = whole_line(source, self.anchor.at) if self.anchor is not None else None
        self.indent = line[1] if line is not None else None
        self.names = {node.id for node in everything(program.body) if type(node) is p.Name}

    def _statement(self, at: Span) -> Any:
        """The innermost statement around ``at`` that is none itself."""
        found = [s for s in everything(self.program.body) if isinstance(s, p.Statement)
                 and s.at[0] <= at[0] and at[1] <= s.at[1]]
        return min(found, key=lambda s: s.at[1] - s.at[0], default=None)

    def _above(self, text: str) -> Edit:
        """``text`` on a line of its own above the anchor; the comments on a hook are about that alone."""
        assert self.anchor is not None
        start, apart = line_start(self.source, self.anchor.at[0]), ""
        if self.hook is not None:
            start, apart = first_comment(self.source, start, 0), self.end
        return insertion(self.source, start, f"{self.indent}{text}{self.stop}{self.end}{apart}")

    def kept(self, handle: str) -> list[Edit] | None:
        """The result of the call in a variable that the hook sees."""
        source, inner = self.source, self.inner
        callee = re.match(r"\s*([\w$.]+)\s*\(", source.slice(self.call))
        if type(inner) is p.Evaluate and inner.at[0] == self.call[0] and handle not in self.names:
            if self.hook is None:
                return [Edit(Place(source.path, self.call), f"const {handle} = {source.slice(self.call)}")]
            gone = (self.call[0], self.call[0])
        elif self.hook is not None and handle in self._hoisted():
            if sum(type(node) is p.Let and type(node.target) is p.Name and node.target.id == handle
                   for node in everything(self.program.body)) > 1 or whole_line(source, inner.at) is None:
                return None
            gone = (inner.at[0], self.call[0])
        else:
            return None
        if callee is None or _CHAIN.fullmatch(callee[1]) is None:
            return None
        typed = f": ReturnType<typeof {callee[1]}> | undefined" if self.typed else ""
        return [self._above(f"let {handle}{typed}"), Edit(Place(source.path, gone), f"{handle} = ")]

    def named(self, callback: Span, listener: str) -> list[Edit] | None:
        """The callback under a name that the hook sees."""
        source, inner = self.source, self.inner
        line = whole_line(source, inner.at)
        if listener in self.names or line is None or self.indent is None:
            return None
        if self.typed and has_untyped_parameters(self.program, callback):
            return None  # their types are told by the place where they stand
        text = callback_at(source, callback, self.indent)
        if text is None:
            return None
        if self.hook is not None and self._bound_inside() & {
                node.id for node in everything(self.program.body) if type(node) is p.Name
                and callback[0] <= node.at[0] and node.at[1] <= callback[1]}:
            return None
        place = Place(source.path, with_gap(source, callback))
        return [self._above(f"const {listener} = {text}"), Edit(place, listener)]

    def _bound_inside(self) -> set[str]:
        """The names that the function of the hook binds for itself, outside of functions written in it."""
        assert self.hook is not None
        found: set[str] = set()
        waiting: list[Any] = [*self.hook.params, *self.hook.body]
        while waiting:
            here = waiting.pop()
            if type(here) in (p.Let, p.Param):
                found |= {node.id for node in everything((here.target,)) if type(node) is p.Name}
            elif type(here) is p.Define:
                found.add(here.name)
            if type(here) is not p.Function:
                waiting.extend(p.children(here))
        return found

    def undone(self, name: str, undo: str) -> tuple[list[Edit], bool] | None:
        """``undo`` in a hook that is there, or in a new one behind the anchor, and whether it is new."""
        source, anchor = self.source, self.anchor
        assert anchor is not None
        words = {node.id for node in everything((self.hook,) if self.hook is not None else ()) if type(node) is p.Name}
        if self.hook is not None and self._bound_inside() & words & set(re.findall(r"[A-Za-z_$][\w$]*", undo)) - (
                self._hoisted()):
            return None
        for node in everything(self.program.body):
            if type(node) is p.Call and type(node.callee) is p.Name and node.callee.id in (name, "onBeforeUnmount"):
                function = node.args[0].value if len(node.args) == 1 else None
                body = braced(source, function) if type(function) is p.Function else None
                line = whole_line(source, body[0].at) if body else None
                if line is not None and type(function) is p.Function:
                    start = first_comment(source, line[0], function.at[0])
                    return [insertion(source, start, f"{line[1]}{undo}{self.stop}{self.end}")], False
        stop = next_line(source, anchor.at[1], _COMMENT)
        if stop is None:
            return None
        apart = self.end * ("\n" in source.slice(anchor.at))
        unit = indent_unit(source, line_start(source, anchor.at[0]), self.indent or "")
        written = f"{name}(() => {undo}){self.stop}"
        if len(written) > 100:
            lines = (f"{name}(() => {{", f"{self.indent}{unit}{undo}{self.stop}", f"{self.indent}}}){self.stop}")
            written = self.end.join(lines)
        return [insertion(source, stop, f"{apart}{self.indent}{written}{self.end}")], True

    def _hoisted(self) -> set[str]:
        """What is declared above the anchor instead of inside."""
        inner = self.inner
        is_let = type(inner) is p.Let and type(inner.target) is p.Name and inner.value is not None and (
            inner.value.at == self.call)
        return {inner.target.id} if is_let else set()

    def imported(self, module: str, name: str) -> list[Edit] | None:
        """What imports ``name``; nothing where it is there already, or where hooks need no import here."""
        source = self.source
        imports = [s for s in self.program.body if type(s) is p.Import]
        if any(one.local == name for s in imports for one in s.names):
            return []
        if name in self.names:
            return []  # it is used as it is: something else provides it
        own = [s for s in imports if s.module == module and not s.type_only and any(
            one.name not in ("*", "default") for one in s.names)]
        if own:
            named = [one for one in own[0].names if one.name not in ("*", "default")]
            words = [one.name for one in named]
            in_order = words == sorted(words, key=str.lower)
            later = next((one for one in named if in_order and one.name.lower() > name.lower()), None)
            if later is not None and source.slice((own[0].at[0], later.at[0])).rstrip().endswith(("{", ",")):
                rest = "\n" in source.slice((own[0].at[0], later.at[0]))
                line = whole_line(source, later.at) if rest else None
                return [insertion(source, later.at[0], f"{name},{self.end + line[1] if line else ' '}")]
            return [insertion(source, named[-1].at[1], f", {name}")]
        if self.hook is not None:
            return []  # the hook beside it needs no import either
        stop = next_line(source, imports[-1].at[1], _COMMENT) if imports else None
        if stop is None:
            return None
        line = whole_line(source, imports[-1].at)
        quote = source.slice(imports[-1].module_at)[:1]
        return [insertion(source, stop, f"{line[1] if line else ''}import {{ {name} }} from {quote}{module}{quote}"
                                        f"{self.stop}{self.end}")]
