"""Suppression comments: what they cover, what is said of them, and what is left when they go."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis.strategies import lists, sampled_from
from msgspec.structs import replace

from connlint.config import Config
from connlint.model import program as p
from connlint.model.finding import Draft, Finding, Place, Suppression
from connlint.model.rule import Card, Rules
from connlint.model.source import Source
from connlint.project.module import Module
from connlint.suppressions import CHECK, apply, collect, collect_text


def card(rule: str, family: str, check: str = "check") -> Card:
    return Card(rule, rule, family, check, "warning", "high", {}, {}, (), "", "")


RULES = Rules({c.id: c for c in (
    card("open-door", "doors"), card("shut-door", "doors"), card("dim-lamp", "lamps"),
    card("unused-suppression", "suppressions", CHECK),
)}, {})

_COMMENTS = {"py": r"#[^\n]*", "ts": r"//[^\n]*|/\*.*?\*/", "vue": r"<!--.*?-->|//[^\n]*"}


def source(text: str, suffix: str = "py") -> Source:
    return Source.decode(f"a.{suffix}", text.encode())


def suppressions(text: str, suffix: str = "py") -> list[Suppression]:
    """What is read from ``text``: the comments of code, or the lines of any other file."""
    file = source(text, suffix)
    if suffix not in _COMMENTS:
        return collect_text(file)
    comments = []
    for found in re.finditer(_COMMENTS[suffix], text, re.S):
        at = (file.char_to_byte(found.start()), file.char_to_byte(found.end()))
        comments.append(p.Comment(found[0], at, True))
    body = []
    at = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not any(c.at[0] <= at + len(line) - len(line.lstrip()) < c.at[1] for c in comments):
            value = p.Text("", (at, at + 1)) if line.startswith('"') else p.Name("x", (at, at + 1))
            body.append(p.Evaluate(value, (at, at + len(line))))
        at += len(line.encode())
    return collect(Module(file.path, file, p.Program("python", tuple(body), comments=tuple(comments))))


def on(text: str, word: str, rule: str = "open-door", suffix: str = "py") -> Finding:
    """A finding of ``rule`` on the first place of ``word``."""
    file = source(text, suffix)
    at = file.char_to_byte(text.index(word))
    return Finding(rule, "warning", "m", Place(file.path, (at, at + len(word.encode()))), word)


_PIECES = ["# ", "// ", "/* ", " */", "<!-- ", " -->", "{", "}", "\n", "\r\n", " ", "CODE", "'", '"', "é𝒳", " why",
           "connlint: ignore", "connlint: ignore-file", "[open-door]", "[open-door, dim-lamp]", "[", "]", "-- "]


def settled(text: str, *findings: Finding, suffix: str = "py", config: Config | None = None,
            unsure: tuple[str, ...] = ()) -> tuple[list[str], list[Draft]]:
    """The symbols that are still reported, and what is said of the comments."""
    found, drafts = apply(findings, suppressions(text, suffix), {f"a.{suffix}": source(text, suffix)}, RULES,
                          config or Config(), unsure)
    return [f.symbol for f in found if f.suppression is None], drafts


def said(drafts: list[Draft]) -> list[str]:
    return [" ".join((d.outcome, *d.slots.values())) for d in drafts]


@pytest.mark.parametrize(("text", "suffix"), [
    ("x = 1  # connlint: ignore[open-door] why", "py"),
    ("x = 1  # noqa: E1  # connlint: ignore[open-door] why", "py"),
    ("x = 1  # connlint: ignore[open-door] why  # noqa: E1", "py"),
    ("x = 1  # CONNLINT:ignore [ open-door ]", "py"),
    ("# connlint: ignore[open-door] why\nx = 1", "py"),
    ("# connlint: ignore[open-door] why\n# which is explained\n# at length\nx = 1", "py"),
    ("# connlint: ignore[dim-lamp]\n# connlint: ignore[open-door]\nx = 1", "py"),
    ("def f():\n    # connlint: ignore[open-door]\n    x = 1", "py"),
    ("é = '𝒳'; x = 1  # connlint: ignore[dim-lamp, open-door]", "py"),
    ("x = 1  # connlint: ignore[doors] the whole family", "py"),
    ("x = 1  # connlint: ignore", "py"),
    ("x = 1  # connlint: ignore -- a demo", "py"),
    ("# a licence\n# connlint: ignore-file[open-door] generated\n\ny = 2\nx = 1", "py"),
    ('"""Docs."""\n# connlint: ignore-file generated\ny = 2\nx = 1', "py"),
    ("x = 1; // connlint: ignore[open-door] -- why", "ts"),
    ("x = 1; /* connlint: ignore[open-door] why */", "ts"),
    ("/* connlint: ignore[open-door] why */ x = 1;", "ts"),
    ("/* connlint: ignore[open-door]\n   why */\nx = 1;", "ts"),
    ("/*\n * connlint: ignore[open-door] why\n */\nx = 1;", "ts"),
    ("{/* connlint: ignore[open-door] why */}\nx = 1", "ts"),
    ("<!-- connlint: ignore[open-door] why -->\nx = 1", "vue"),
    ("a: x  # connlint: ignore[open-door] why", "yml"),
    ("a:\n  # connlint: ignore[open-door]\n  b: x", "yml"),
    ("a: don't x # connlint: ignore[open-door]", "yml"),
    ("# connlint: ignore-file[open-door]\na:\n  b: x", "yml"),
    ("X=1 # connlint: ignore[open-door]", "sh"),
    ('{\n  "x": 1 // connlint: ignore[open-door]\n}', "json"),
    ('{\n  /* connlint: ignore[open-door] */\n  "x": 1 }', "jsonc"),
])
def test_covers(text: str, suffix: str) -> None:
    place = [m.start() for m in re.finditer(r"(?<![\w-])x(?![\w-])", text, re.I)][-1]
    at = source(text, suffix).char_to_byte(place)
    finding = replace(on(text, text[place], suffix=suffix), place=Place(f"a.{suffix}", (at, at + 1)))
    assert settled(text, finding, suffix=suffix)[0] == []


@pytest.mark.parametrize(("text", "suffix"), [
    ("x = 1  # connlint: ignore[dim-lamp]", "py"),
    ("x = 1\n# connlint: ignore[open-door]", "py"),
    ("# connlint: ignore[open-door]\n\nx = 1", "py"),
    ("y = 2  # connlint: ignore[open-door]\nx = 1", "py"),
    ("y = 2\n# connlint: ignore-file[open-door]\nx = 1", "py"),
    ("x = 1  # connlint: ignore[open-door", "py"),
    ("x = 1  # connlint: ignore open-door", "py"),
    ("x = 1  # connlint: disable", "py"),
    ("x = 1  # see connlint: ignore[open-door]", "py"),
    ("a: x; echo ' # connlint: ignore[open-door]'", "yml"),
    ("x = 1 // connlint: ignore[open-door]", "toml"),
])
def test_does_not_cover(text: str, suffix: str) -> None:
    assert settled(text, on(text, "x", suffix=suffix), suffix=suffix)[0] == ["x"]


def test_a_finding_is_on_its_first_and_last_line() -> None:
    call = "start(\n    1,  # connlint: ignore[open-door]\n    2,\n)  # connlint: ignore[dim-lamp]"
    code = call.partition("  # connlint: ignore[dim")[0]
    assert settled(call, on(call, code, "dim-lamp"))[0] == [], "behind the closing bracket, where formatters move it"
    assert settled(call, on(call, code, "open-door"))[0] == [code], "but not on a line between"


def test_what_is_kept_of_it() -> None:
    text = "x = 1  # connlint: ignore[open-door] -- the sidecar listens here"
    [found], _ = apply([on(text, "x")], suppressions(text), {"a.py": source(text)}, RULES, Config())
    assert found.suppression is not None
    assert found.suppression.reason == "the sidecar listens here"
    assert source(text).slice(found.suppression.place.at) == text[9:]


@pytest.mark.parametrize(("text", "expected"), [
    ("x = 1  # connlint: ignore[open-door]", []),
    ("y = 1  # connlint: ignore[open-door]", ["unused `open-door`"]),
    ("x = 1  # connlint: ignore[open-door, dim-lamp]", ["unused `dim-lamp`"]),
    ("y = 1  # connlint: ignore[open-door, dim-lamp]", ["unused `open-door`, `dim-lamp`"]),
    ("x = 1  # connlint: ignore[doors]", []),
    ("y = 1  # connlint: ignore", ["unused-all"]),
    ("x = 1  # connlint: ignore", []),
    ("x = 1  # connlint: ignore[open-door, open-dor]", ["unknown-rule `open-dor`; did you mean `open-door`?"]),
    ("x = 1  # connlint: ignore[zebra]", ["unknown-rule `zebra`"]),
    ("x = 1  # connlint: ignore[]", ["malformed no rule stands in the brackets"]),
    ("x = 1  # connlint: ignore[open-door", ["malformed the list of rules has no closing bracket"]),
    ("x = 1  # connlint: ignore(open-door)", ["malformed rules stand in square brackets: `connlint: ignore[…]`"]),
    ("x = 1  # connlint: ignore open-door: why",
     ["malformed `open-door` stands in brackets: `connlint: ignore[…]`"]),
    ("x = 1  # connlint: disable-file",
     ["malformed `connlint: disable-file` is not known; write `connlint: ignore-file[…]`"]),
    ("x = 1  # connlint: ingore[open-door]",
     ["malformed `connlint: ingore` is not known; write `connlint: ignore[…]`"]),
    ("x = 1  # connlint: ignore-file", ["malformed `ignore-file` stands above the first statement of a file"]),
    ("x = 1  # connlint: the doors are open", []),
    ("x = 1  # connlint: ignore[unused-suppression]", []),
])
def test_what_is_said(text: str, expected: list[str]) -> None:
    findings = [on(text, "x")] if text.startswith("x") else []
    assert said(settled(text, *findings)[1]) == expected


@pytest.mark.parametrize(("comment", "config", "expected"), [
    ("ignore[open-door]", Config(ignore=("open-door",)), []),
    ("ignore[open-door]", Config(select=("lamps",)), []),
    ("ignore[open-door, dim-lamp]", Config(select=("lamps",)), ["unused `dim-lamp`"]),
    ("ignore[doors]", Config(ignore=("shut-door",)), []),
    ("ignore", Config(ignore=("shut-door",)), []),
    ("ignore[open-door]", Config(per_file_ignores={"a.*": ("doors",)}), []),
    ("ignore[open-door]", Config(per_file_ignores={"b.*": ("doors",)}), ["unused `open-door`"]),
    ("ignore[open-door]", Config(require_reason=True), ["no-reason", "unused `open-door`"]),
    ("ignore[open-door] why", Config(require_reason=True), ["unused `open-door`"]),
])
def test_only_rules_that_were_run_are_missed(comment: str, config: Config, expected: list[str]) -> None:
    assert said(settled(f"y = 1  # connlint: {comment}", config=config)[1]) == expected


def test_nothing_is_missed_in_a_file_that_was_half_read() -> None:
    text = "y = 1  # connlint: ignore[open-door, zebra]"
    assert said(settled(text, unsure=("a.py",))[1]) == ["unknown-rule `zebra`"]


@pytest.mark.parametrize(("before", "after", "suffix"), [
    ("y = 1  # connlint: ignore[open-door] why\nz", "y = 1\nz", "py"),
    ("y = 1  # connlint: ignore[open-door] why", "y = 1", "py"),
    ("a\n    # connlint: ignore[open-door] why\ny = 1", "a\ny = 1", "py"),
    ("y = 1  # noqa  # connlint: ignore[open-door]", "y = 1  # noqa", "py"),
    ("y = 1  # connlint: ignore[open-door] why  # noqa", "y = 1  # noqa", "py"),
    ("é = '𝒳'  # connlint: ignore[dim-lamp, x, open-door] é\r\n", "é = '𝒳'  # connlint: ignore[x] é\r\n", "py"),
    ("y; /* connlint: ignore[open-door] why */ z", "y;  z", "ts"),
    ("y; /* connlint: ignore[open-door] why */\n", "y;\n", "ts"),
    ("  {/* connlint: ignore[open-door] */}\n  <y />\n", "  <y />\n", "ts"),
    ("<!-- connlint: ignore[open-door] -->\ny", "y", "vue"),
    ("a: y # connlint: ignore[open-door]\n", "a: y\n", "yml"),
    ("/*\n * connlint: ignore[open-door] why\n */\ny;", None, "ts"),
])
def test_removing_it(before: str, after: str | None, suffix: str) -> None:
    drafts = [d for d in settled(before, suffix=suffix)[1] if d.outcome == "unused"]
    assert len(drafts) == 1
    if after is None:
        assert drafts[0].fix is None, "a part of a longer comment is left to its author"
        return
    fix = drafts[0].fix
    assert fix is not None and fix.safe
    data = source(before, suffix).data
    for edit in fix.edits:
        data = data[:edit.place.at[0]] + edit.text.encode() + data[edit.place.at[1]:]
    assert data.decode() == after
    again = [d for d in settled(after, suffix=suffix)[1] if d.outcome == "unused"]
    assert again == [], "a second run changes nothing"


def is_comment(text: str, at: int, suffix: str) -> bool:
    """Whether a comment may have been opened before ``at`` that does not end before it."""
    line = text[max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 : at]
    blocks = [] if suffix in ("py", "yml") else [("/*", "*/"), ("<!--", "-->")]
    return ("//" if blocks else "#") in line or any(
        text.rfind(start, 0, at) > text.rfind(end, 0, at) for start, end in blocks)


@example("py", ["# ", "connlint: ignore", " ", "CODE"])  # there it is the reason
@given(sampled_from(["py", "ts", "vue", "yml", "json"]), lists(sampled_from(_PIECES), max_size=25))
def test_any_text_is_read(suffix: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    file = source(text, suffix)
    for found in suppressions(text, suffix):
        assert file.slice(found.place.at).lower().startswith("connlint:")
        assert [file.slice(at) for at in found.names] == list(found.rules)
    _, drafts = settled(text, suffix=suffix)
    for draft in drafts:
        for edit in draft.fix.edits if draft.fix else ():
            start, end = (file.byte_to_char(at) for at in edit.place.at)
            gone = [found.start() for found in re.compile("CODE").finditer(text, start, end)]
            assert all(is_comment(text, at, suffix) for at in gone), "code is never removed"


def test_findings_elsewhere_stay_as_they_are() -> None:
    text = "x = 1  # connlint: ignore[open-door]"
    other = replace(on(text, "x"), place=Place("b.py", (0, 1)))
    assert settled(text, other)[0] == ["x"]
