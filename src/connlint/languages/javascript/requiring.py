"""Text edits that require a variable of the environment in JavaScript and TypeScript, each proved before it is offered.

In this order: by a function that the project has for it; by a test below a plain declaration; by a function of the
file's own, where several variables need it; by a test above the statement; by that function for one variable alone.
Where none of these can be written there is no edit: a function that is called where it stands to throw is nothing that
people write.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from connlint.languages.edits import (
    block_of,
    everything,
    insertion,
    kept_for_the_last,
    line_end,
    line_start,
    line_stop,
    next_line,
    proved,
    whole_line,
)
from connlint.languages.javascript.placing import (
    LOCAL,
    above_comments,
    beginning,
    below_the_imports,
    evaluating,
    is_export,
    is_import,
    stands_in_a_block,
)
from connlint.languages.javascript.read import read
from connlint.languages.javascript.style import has_semicolons, indent_unit, quote_at
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source, Span
from connlint.patterns import regex

_TYPED = (".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_WIDTH = 78
_NEW_HELPER = "requireEnv"
_ANY_READ = regex(r"(?:import\.meta|[A-Za-z_$][\w$]*)(?:\.[A-Za-z_$][\w$]*)*"
                  r"(?:\.[A-Za-z_$][\w$]*|\[[\"'][\w.-]+[\"']\])$")
"""Members of what has a name, which may be asked twice."""
_HELPED = regex(r"(?:process\.env(?:\.(?P<a>[A-Za-z_$][\w$]*)|\[[\"'](?P<b>[\w.-]+)[\"']\])"
                r"|(?P<deno>Deno\.env\.get)\([\"'](?P<c>[\w.-]+)[\"']\))$")
"""Reads for which a function of the file's own may ask."""
_SEVERAL_READS = regex(rf"{_ANY_READ.pattern[:-1]}(?:\s*(?:\|\||\?\?)\s*{_ANY_READ.pattern[:-1]})*$")
_BETWEEN_READS = regex(r"\s*(?:\|\||\?\?)\s*")
_LOCAL_ADDRESS = regex(r"localhost|\b127\.|::1")


def require(
    source: Source, program: p.Program, read_at: Span, variable: str, helper: str | None = None, *,
    inlined: bool = False, imported: str = "", at_start: bool = False,
) -> Fix | None:
    """Stop where the environment read at ``read_at`` finds nothing: the program throws instead.

    ``read_at`` is the whole of read and default: ``env.X || "…"``, ``env.X ?? "…"``, ``env.X ? env.X : "…"``, an
    assignment with ``||=`` or ``??=``, a pattern's ``X = "…"``, or a read alone, without a default. Never safe: without
    the variable the program stops where it went on. Where several are tried, ``variable`` names them: "A or B".
    ``helper`` is a function that the file can call with the name of a variable, and that returns its value or throws;
    where ``imported`` is given, it has to be imported from there. ``inlined`` says that a bundler may put the value in
    the place of the read, which then has to stay as it is. ``at_start`` has the module ask when it is loaded: nobody
    hears of what is thrown around the read.
    """
    if not re.fullmatch(r"[\w.-]+(?: or [\w.-]+)*", variable):
        return None
    nodes = _by_place(program).get(read_at, ())
    title = f"Require {variable}"
    if len(nodes) == 1 and type(nodes[0]) is p.Member and _ANY_READ.match(source.slice(read_at)):
        return _test_alone(source, program, nodes[0], variable, title, at_start=at_start)
    defaults = {at: node for node in nodes if (at := _default(node, variable)) is not None}
    if len(defaults) != 1:
        return None
    (at, node), = defaults.items()
    writer = _Writer(source, program, variable, at)
    fixes: list[tuple[Edit, ...]] = []
    read_alone, rest = _chain(source, node)
    plain = _HELPED.match(read_alone) is not None
    around = with_parentheses(source, read_at)
    if at_start:
        test = writer.test_at_start(read_alone) if plain else None
        kept = Edit(Place(source.path, around), f"{read_alone}{rest}")
        return proved(source, Fix(title, (test, kept)), read, keeps=False) if test is not None else None
    if plain and helper is not None and not read_alone.startswith("Deno."):
        call = Edit(Place(source.path, around), f"{writer.call(helper)}{rest}")
        fixes.append((call,) if not imported else writer.importing(helper, imported, call))
    elif _read(source, node) is not None:
        last = None if plain or inlined else _last_choice(source, node)
        helped = [writer.with_helper(around, read_alone, rest)] if plain and not inlined else []
        several = _several(program, source)
        above = writer.guarded_above(node, around)
        fixes += [writer.guarded(node), *(helped if several else ()), above, *(() if several else helped)]
        if last is not None:
            fixes.append(writer.with_last(last, (last.at[0], node.at[1]), helper, imported))
    elif type(node) is p.Default:
        fixes.append(writer.guarded_pattern(node))
    elif type(node) is p.Assign:
        fixes.append(writer.guarded_assignment(node))
    return next((fix for edits in fixes if edits
                 and (fix := proved(source, Fix(title, tuple(edits)), read, keeps=False)) is not None), None)


def _test_alone(source: Source, program: p.Program, node: p.Member, variable: str, title: str, *,
                at_start: bool) -> Fix | None:
    """A test of a read that has no default: below the declaration that it is the value of, or above its statement; or
    where the module is loaded."""
    writer = _Writer(source, program, variable, node.at)
    if at_start:
        early = writer.test_at_start(source.slice(node.at))
        return proved(source, Fix(title, (early,)), read, keeps=False) if early is not None else None
    lets = [s for s in everything(program.body) if type(s) is p.Let and s.value is node and type(s.target) is p.Name]
    test = writer.test_below(lets[0], node.at[1]) if len(lets) == 1 else None
    statement = evaluating(program, node)
    if test is None and statement is not None:
        test = writer.test_above(statement, source.slice(node.at))
    return proved(source, Fix(title, (test,)), read, keeps=False) if test is not None else None


@kept_for_the_last
def _by_place(program: p.Program) -> dict[Span, list[Any]]:
    """All nodes by where they stand."""
    found: dict[Span, list[Any]] = {}
    for node in everything(program.body):
        if (at := getattr(node, "at", None)) is not None:
            found.setdefault(at, []).append(node)
    return found


@kept_for_the_last
def _choices(program: p.Program) -> list[p.Logical]:
    """What has an address of the machine itself for a default."""
    return [node for node in everything(program.body) if type(node) is p.Logical and node.op in ("or", "nullish")
            and type(node.right) is p.Text and _LOCAL_ADDRESS.search(node.right.value) is not None]


class _Writer:
    """The ways to write it in one file."""

    def __init__(self, source: Source, program: p.Program, variable: str, at: Span) -> None:
        self.source, self.program, self.variable = source, program, variable
        self.quote = quote_at(source, at)
        self.stop = ";" if has_semicolons(source, program) else ""

    def call(self, helper: str, variable: str = "") -> str:
        return f"{helper}({self.quote}{variable or self.variable}{self.quote})"

    def importing(self, helper: str, module: str, call: Edit) -> tuple[Edit, ...]:
        """``call``, and the import of what it calls, behind the last import at the top."""
        source, body = self.source, self.program.body
        imports = [s for n, s in enumerate(body) if type(s) is p.Import and all(
            is_import(source, self.program, k, one) for k, one in enumerate(body[:n]))]
        quote = source.slice(imports[-1].module_at)[:1] if imports else self.quote
        text = f"import {{ {helper} }} from {quote}{module}{quote}{self.stop}{line_end(source)}"
        if imports:
            stop = next_line(source, imports[-1].at[1], r"//.*|/\*(?:(?!\*/).)*\*/")
            return (insertion(source, stop, text), call) if stop is not None else ()
        line = whole_line(source, body[0].at) if body and not self.program.directives else None
        start = line[0] if line is not None else line_start(source, body[0].at[0]) if (
            body and is_export(source, body[0])) else None
        return (insertion(source, start, text + line_end(source)), call) if start is not None else ()

    def guarded(self, node: p.Logical | p.Conditional) -> tuple[Edit, ...]:
        """The declaration without the default, and a test below it, where a compiler sees it from every use."""
        source = self.source
        lets = [s for s in everything(self.program.body) if type(s) is p.Let and s.value is node]
        name = lets[0].target if len(lets) == 1 else None
        if type(name) is not p.Name:
            return ()
        let = lets[0]
        if source.path.endswith(_TYPED) and (is_export(source, let) or not self._is_narrowed(let, name.id)):
            return ()
        test = self.test_below(let, node.at[1])
        if test is None:
            return ()
        rest = (_read(source, node).at[1], node.at[1])
        gone = (Edit(Place(source.path, node.at), source.slice(node.test.at)),) if type(node) is p.Conditional else (
            Edit(Place(source.path, rest), ""),)
        return (*self._joined(let, node), *gone, test)

    def test_below(self, let: p.Let, stop: int) -> Edit | None:
        """A test of the name that ``let``, whose value ends at ``stop``, declares, on a line of its own below it."""
        source = self.source
        head = re.match(r"(\s*)(?:export\s+)?(?:const|let|var)\s", source.line_text(source.line(let.at[0])))
        rest = source.slice((stop, line_stop(source, stop)))
        if not head or not re.fullmatch(r"\s*;?\s*(?://.*)?", rest) or not (
                is_export(source, let) or whole_line(source, let.at)) or type(let.target) is not p.Name:
            return None
        user = self._used_after_leaving(let, let.target.id)
        if user is not None and (test := self.test_above(user, let.target.id)) is not None:
            return test
        return insertion(source, line_stop(source, stop), f"{line_end(source)}{head[1]}{self._test(let.target.id)}")

    def _joined(self, statement: p.Statement, node: p.Logical | p.Conditional) -> list[Edit]:
        """What puts a value that stood on a line of its own behind the name that it is given, where it fits now."""
        read = _read(self.source, node).at
        return joined(self.source, statement, node.at[0], read[1] - read[0])

    def _used_after_leaving(self, let: p.Let, name: str) -> p.Statement | None:
        """The statement that uses a name first, where the function may have been left before: it is not needed there.
        """
        left = False
        for statement in block_of(self.program.body, let.at) or ():
            if statement.at[0] < let.at[1]:
                continue
            inner = list(everything((statement,)))
            if any(type(node) is p.Name and node.id == name for node in inner):
                return statement if left else None
            left = left or (type(statement) is p.If and any(type(node) is p.Return for node in inner))
        return None

    def guarded_pattern(self, node: p.Default) -> tuple[Edit, ...]:
        """The name in a pattern without its default, and a test of it below the declaration."""
        source = self.source
        lets = [s for s in everything(self.program.body) if type(s) is p.Let and s.how in LOCAL
                and any(one is node for one in everything((s.target,)))]
        if len(lets) != 1 or type(node.target) is not p.Name or is_export(source, lets[0]):
            return ()
        let, line = lets[0], whole_line(source, lets[0].at)
        rest = source.slice((let.at[1], line_stop(source, let.at[1])))
        typed = source.path.endswith(_TYPED)
        if line is None or not re.fullmatch(r"\s*;?\s*(?://.*)?", rest) or (
                typed and not self._is_narrowed(let, node.target.id)):
            return ()
        test = f"{line_end(source)}{line[1]}{self._test(node.target.id)}"
        return (Edit(Place(source.path, (node.target.at[1], node.at[1])), ""),
                insertion(source, line_stop(source, let.at[1]), test))

    def guarded_above(self, node: p.Logical | p.Conditional, around: Span) -> tuple[Edit, ...]:
        """The read alone, and the test of it above the statement that always evaluates it; ``around`` is the read with
        its default and the parentheses of both. Where several are tried, a compiler does not see what their test says,
        which is no matter in a template."""
        source = self.source
        read, rest = _chain(source, node)
        statement = evaluating(self.program, node)
        several = not source.path.endswith(_TYPED) or _is_inserted(source, node.at)
        if statement is None or not (_SEVERAL_READS if several else _ANY_READ).match(read):
            return ()
        test = self.test_above(statement, " && !".join(_BETWEEN_READS.split(read)))
        return (test, *self._joined(statement, node), Edit(Place(source.path, around), read + rest)) if test else ()

    def test_above(self, statement: p.Statement, read: str) -> Edit | None:
        """A test of ``read`` on a line of its own above ``statement`` and what is said of it."""
        source = self.source
        line, exported = whole_line(source, statement.at), is_export(source, statement)
        first = self._first_change(statement)
        start = line_start(source, first.at[0])
        if (line is None and not exported) or not stands_in_a_block(source, self.program, first):
            return None
        indent = line[1] if line is not None else ""
        start, below = above_comments(source, start), start
        number = source.line(start)
        apart = start != below or (exported and (number == 1 or not source.line_text(number - 1).strip()))
        return insertion(source, start, f"{indent}{self._test(read)}{line_end(source) * (1 + apart)}")

    def test_at_start(self, read: str) -> Edit | None:
        """A test of ``read`` below the imports of the module."""
        source = self.source
        first = below_the_imports(source, self.program)
        start = beginning(source, first) if first is not None else None
        if start is None or source.path.endswith((".vue", ".svelte")):
            return None
        start = above_comments(source, start)
        end, number = line_end(source), source.line(start)
        apart = end * (number > 1 and bool(source.line_text(number - 1).strip()))
        return insertion(source, start, f"{apart}{self._test(read)}{end}{end}")

    def _first_change(self, statement: p.Statement) -> p.Statement:
        """``statement``, or the first of the assignments right above it: what throws between them leaves them half
        done."""
        block = block_of(self.program.body, statement.at) or (statement,)
        place = next(n for n, one in enumerate(block) if one.at == statement.at)
        while place and type(above := block[place - 1]) is p.Evaluate and type(above.value) is p.Assign and (
                whole_line(self.source, above.at) is not None):
            place -= 1
        return block[place]

    def _test(self, value: str) -> str:
        return (f"if (!{value}) throw new Error({self.quote}{self.variable} is not set{self.quote}){self.stop}")

    def _is_narrowed(self, let: p.Let, name: str) -> bool:
        """Whether a compiler knows the test below a constant wherever the constant is used: it does not in functions
        and classes that are declared, which may be called before."""
        assert let.value is not None
        written = self.source.slice((let.target.at[1], let.value.at[0]))
        if let.how != "const" or written.strip() != "=":
            return False  # a type that is written down is not narrowed
        around = [node for node in everything(self.program.body) if type(node) is p.Function
                  and node.at[0] < let.at[0] and let.at[1] <= node.at[1]]
        scope = min(around, key=lambda node: node.at[1] - node.at[0], default=self.program)
        for node in everything(scope.body):
            if type(node) is p.ExportedName and node.local == name:
                return False
            if type(node) is p.Define and not (node.at[0] <= let.at[0] and let.at[1] <= node.at[1]):
                if any(type(inner) is p.Name and inner.id == name for inner in everything((node.value,))):
                    return False
        return True

    def guarded_assignment(self, node: p.Assign) -> tuple[Edit, ...]:
        """A test in the place of a statement that sets the variable where it is not set."""
        source = self.source
        read = source.slice(node.target.at)
        alone = [s for s in everything(self.program.body) if type(s) is p.Evaluate and s.value is node]
        if len(alone) != 1 or not _ANY_READ.match(read):
            return ()
        return (Edit(Place(source.path, node.at), self._test(read).removesuffix(";")),)

    def with_last(self, last: Any, at: Span, helper: str | None, imported: str) -> tuple[Edit, ...]:
        """The ``last`` of several values, a read, has to be there where the others are not; ``at`` is that read with
        its default."""
        read = self.source.slice(last.at)
        if helper is None:
            return self.with_helper(at, read, "")
        call = Edit(Place(self.source.path, at), self.call(helper, _named(read)))
        return (call,) if not imported else self.importing(helper, imported, call)

    def with_helper(self, read_at: Span, read: str, rest: str) -> tuple[Edit, ...]:
        """A function of the file's own for this ``read`` and the others, below its imports; ``rest`` stands behind its
        call."""
        source, program = self.source, self.program
        asked = _HELPED.match(read)
        if source.path.endswith((".vue", ".svelte")) or asked is None:
            return ()
        source_of_it = "Deno.env.get(name)" if asked["deno"] else "process.env[name]"
        written = f"{self.call(_NEW_HELPER, _named(read))}{rest}"
        call = Edit(Place(source.path, read_at), written)
        up = self._brought_up(read_at, len(written))
        if _NEW_HELPER in source.text:
            is_mine = f"function {_NEW_HELPER}(name" in source.text and f"const value = {source_of_it}" in source.text
            return (*up, call) if is_mine else ()
        first = below_the_imports(source, program)
        start = beginning(source, first) if first is not None else None
        if start is None:
            return ()
        start = above_comments(source, start)
        typed = source.path.endswith(_TYPED)
        unit, end = indent_unit(source, start, ""), line_end(source)
        stop = self.stop
        rows = [
            f"function {_NEW_HELPER}(name{': string' * typed}){': string' * typed} {{",
            f"{unit}const value = {source_of_it}{stop}",
            f"{unit}if (!value) throw new Error(`${{name}} is not set`){stop}",
            f"{unit}return value{stop}",
            "}", "", "",
        ]
        number = source.line(start)
        rows[:0] = [""] * (number > 1 and bool(source.line_text(number - 1).strip()))
        return (insertion(source, start, end.join(rows)), *up, call)

    def _brought_up(self, at: Span, size: int) -> tuple[Edit, ...]:
        """What puts a value of an object that stood on a line of its own behind its key, where it fits now."""
        source = self.source
        above = source.line_text(source.line(at[0]) - 1) if source.line(at[0]) > 1 else ""
        before = source.slice((line_start(source, at[0]), at[0]))
        if before.strip() or not re.search(r"[\w$'\"]\s*:\s*$", above) or len(above.rstrip()) + size + 2 > _WIDTH:
            return ()
        gap = re.search(r"\s*$", source.slice((max(0, at[0] - 300), at[0])))
        assert gap is not None
        return (Edit(Place(source.path, (at[0] - len(gap[0].encode(source.encoding)), at[0])), " "),)


def _is_inserted(source: Source, at: Span) -> bool:
    """Whether an expression is all that stands in a place of a template."""
    before, after = source.data[max(0, at[0] - 20) : at[0]].rstrip(), source.data[at[1] : at[1] + 20].lstrip()
    return before.endswith(b"${") and after.startswith(b"}")


def _several(program: p.Program, source: Source) -> bool:
    """Whether more than one read of the file has an address of the machine itself for a default."""
    return len(list(islice((node for node in _choices(program) if _reads_plainly(source, node)), 2))) > 1


def with_parentheses(source: Source, at: Span) -> Span:
    """The span with the parentheses right around it, unless they are those of a call or a statement."""
    before, after = source.data[at[0] - 1 : at[0]], source.data[at[1] : at[1] + 1]
    if before != b"(" or after != b")" or re.search(r"[\w$)\]]\s*$", source.slice((max(0, at[0] - 40), at[0] - 1))):
        return at
    return at[0] - 1, at[1] + 1


def joined(source: Source, statement: p.Statement, start: int, size: int) -> list[Edit]:
    """What puts the value of a statement, which starts at ``start`` on a line of its own, behind what it is given to,
    where the ``size`` bytes that are left of it fit there."""
    gap = re.search(r"=(\s*[\r\n]\s*)$", source.slice((statement.at[0], start)))
    first = source.line_text(source.line(statement.at[0]))
    if gap is None or len(first) + size > _WIDTH or "\n" in source.slice((start, start + size)):
        return []
    return [Edit(Place(source.path, (start - len(gap[1].encode(source.encoding)), start)), " ")]


def _reads_plainly(source: Source, node: Any) -> bool:
    """Whether an expression is one read of the environment and a default behind it."""
    return _HELPED.match(_chain(source, node)[0]) is not None


def _named(read: str) -> str:
    """The variable of a read that a function may ask for."""
    asked = _HELPED.match(read)
    return next(filter(None, (asked["a"], asked["b"], asked["c"])), "") if asked is not None else ""


def _last_choice(source: Source, node: Any) -> Any:
    """The read right before the default of ``a || read || "…"``."""
    before = node.left if type(node) is p.Logical else None
    if type(before) is not p.Logical or before.op not in ("or", "nullish"):
        return None
    return before.right if _HELPED.match(source.slice(before.right.at)) else None


def _chain(source: Source, node: Any) -> tuple[str, str]:
    """The texts of a read in front of its default, and of what is asked of the value where there is one:
    ``process.env.X`` and ``.split(",")`` of ``process.env.X?.split(",") || []``."""
    read = _read(source, node)
    text = source.slice(read.at) if read is not None else ""
    head, doubt, rest = text.partition("?.")
    plain = (doubt and _ANY_READ.match(head) and not head.endswith(".env") and "?." not in rest
             and not rest.startswith("["))
    return (head, f".{rest}") if plain else (text, "")


def _read(source: Source, node: Any) -> Any:
    """What is taken where it is there: ``X`` of ``X || "…"``, and of ``X ? X : "…"``."""
    if type(node) is p.Conditional:
        return node.test if source.slice(node.test.at) == source.slice(node.then.at) else None
    return node.left if type(node) is p.Logical and node.op in ("or", "nullish") else None


def _default(node: Any, variable: str) -> Span | None:
    """The place of what stands in for the variable in one expression."""
    kind = type(node)
    if kind is p.Logical and node.op in ("or", "nullish"):
        return node.right.at
    if kind is p.Assign and node.op in ("or", "nullish"):
        return node.value.at
    if kind is p.Default:
        return node.value.at
    if kind is p.Conditional:
        arms = [arm for arm in (node.then, node.otherwise) if not _mentions(arm, variable)]
        return arms[0].at if len(arms) == 1 else None
    return None


def _mentions(expression: p.Expression, variable: str) -> bool:
    return any(
        (type(node) is p.Member and node.name == variable) or (type(node) is p.Text and node.value == variable)
        for node in everything((expression,))
    )
