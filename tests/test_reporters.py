"""What each format says of one report; SARIF has a suite of its own."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import integers, text
from msgspec.structs import replace

from connlint import cards as card_files
from connlint.model.finding import Finding, Place
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.reporters import FORMATS, Options, OutputError, write
from connlint.reporters.cards import documents, page, rules_json, rules_table
from connlint.reporters.fingerprints import fingerprint
from connlint.reporters.terminal import excerpt, visible, wrap
from reports import FINDINGS, RULES, SOURCES, place, report


def said(format_: str, of: Report | None = None, **options) -> str:
    """What a format writes, without the terminal's part in it."""
    from importlib import import_module

    where, _, name = FORMATS[format_].partition(":")
    stream = io.StringIO()
    getattr(import_module(where), name)(of or report(), stream, Options(**options))
    return stream.getvalue()


TEXT = """\
deploy/compose.yml
  4:7 note shut-door  This door is shut
    4 |       REDIS_URL: redis://redis
      |       ^^^^^^^^^
      = fix: Open it
    2 -   api:
    3 -     environment:
    4 -       REDIS_URL: redis://redis
    2 +     environment:
    3 +       REDIS_URL: redis://cache

src/db.py
  4:7 error open-door  DATABASE_URL falls back to localhost
    4 | url = os.getenv("DATABASE_URL", "postgresql://localhost/app")
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = 1. 4:33 the default names this machine
      = 2. deploy/compose.yml:3:5 `api` sets [other] variables
      |    environment:
      = unsafe fix: Require the variable
    4 - url = os.getenv("DATABASE_URL", "postgresql://localhost/app")
    4 + url = os.environ["DATABASE_URL"]

  8:20 warning dim-lamp  The timer is thrown away
    8 |     連接 = '𝒳'; timer = set_timer(
      |                         ^^^^^^^^^^
      = see web/min.js:1:241 so is [this] one
      |    …=1;x=1;x=1;x=1;x=1;x=1;x=1;setInterval(f,1e3);y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;…
      = note: it is [documented]

web/min.js
  1:241 warning dim-lamp  The handle is thrown away
    1 | …=1;x=1;x=1;x=1;x=1;x=1;x=1;setInterval(f,1e3);y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2;y=2…
      |                             ^^^^^^^^^^^^^^^^^^

1 error, 2 warnings and 1 note in 3 files (1 ignored by comments); checked 312 files in 0.41 s.
Edits: 1 by --fix and 1 more by --fix --unsafe-fixes (--diff instead of --fix shows them).
Not checked: 3 files (2 vendored, 1 minified).
Not known: where 41 imports lead.
Could not read 1 file in full:
  src/broken.ts: line 3: unexpected `}`
"""

CONCISE = """\
deploy/compose.yml:4:7: note shut-door: This door is shut
src/db.py:4:7: error open-door: DATABASE_URL falls back to localhost
src/db.py:8:20: warning dim-lamp: The timer is thrown away
web/min.js:1:241: warning dim-lamp: The handle is thrown away
1 error, 2 warnings and 1 note in 3 files (1 ignored by comments); checked 312 files in 0.41 s; 1 file not read in full
"""

GITHUB = """\
::error file=src/db.py,line=4,endLine=4,col=7,endColumn=62,title=connlint%3A open-door::DATABASE_URL falls back to \
localhost
::warning file=src/db.py,line=8,endLine=10,title=connlint%3A dim-lamp::The timer is thrown away
::warning file=web/min.js,line=1,endLine=1,col=241,endColumn=259,title=connlint%3A dim-lamp::The handle is thrown away
::notice file=deploy/compose.yml,line=4,endLine=4,col=7,endColumn=16,title=connlint%3A shut-door::This door is shut
1 error, 2 warnings and 1 note in 3 files (1 ignored by comments); checked 312 files in 0.41 s; 1 file not read in full
"""


@pytest.mark.parametrize(("format_", "expected"), [("text", TEXT), ("concise", CONCISE), ("github", GITHUB)])
def test_formats_for_people(format_: str, expected: str) -> None:
    assert said(format_) == expected


def test_options_of_the_text() -> None:
    assert said("text", quiet=True) == TEXT[:TEXT.index("1 error,")]
    assert said("concise", quiet=True) == CONCISE[:CONCISE.index("1 error,")]
    assert "  v/x.js: vendored\n  v/y.js: vendored\n" in said("text", verbose=True)
    statistics = "2  warning  dim-lamp\n1  error    open-door\n1  note     shut-door\n\n"
    assert said("concise", statistics=True).startswith(statistics)
    assert said("text", statistics=True) == statistics + TEXT[TEXT.index("1 error,"):]
    many = report(problems=tuple(replace(report().problems[0], path=f"f{i}.ts") for i in range(20)))
    assert "… and 12 more (--verbose lists them)" in said("text", many)
    assert "f19.ts" in said("text", many, verbose=True)


def test_faults_of_connlint_are_named_as_such() -> None:
    problem = report().problems[0]
    out = said("text", report(problems=(problem, replace(problem, kind="internal", message="leak failed: KeyError"))))
    assert out.endswith("Could not read 1 file in full:\n  src/broken.ts: line 3: unexpected `}`\n"
                        "connlint itself failed on 1 file:\n  src/broken.ts: leak failed: KeyError\n")


def test_nothing_to_report() -> None:
    quiet = replace(report(), findings=(), problems=(), set_aside=(), unknown_imports=0, files_checked=1)
    assert said("text", quiet) == "No findings; checked 1 file in 0.41 s.\n"
    assert not quiet.failed


def test_the_command_line_offers_every_format_and_bar() -> None:
    from connlint.cli.check import check
    from connlint.config import FAIL_ON

    offered = {parameter.name: set(getattr(parameter.type, "choices", ())) for parameter in check.params}
    assert offered["format_"] == set(FORMATS)
    assert offered["fail_on"] == set(FAIL_ON)


def test_colours_change_nothing_else() -> None:
    import re

    for format_ in ("text", "concise"):
        colored = said(format_, color=True)
        assert "\x1b[" in colored and re.sub(r"\x1b\[[0-9;]*m", "", colored) == said(format_)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_of_source_is_wider_than_the_terminal(width: int) -> None:
    wide = [line for line in said("text", width=width).splitlines() if "|" in line and len(line) > width]
    assert wide == []


@pytest.mark.parametrize(("line", "start", "end", "room", "shown", "marked"), [
    ("a = localhost", 4, 13, 40, "a = localhost", "localhost"),
    ("\ta = b", 1, 2, 40, "    a = b", "a"),
    ("ab\tc", 3, 4, 40, "ab  c", "c"),
    ("漢字 = x", 5, 6, 40, "漢字 = x", "x"),
    ("e\u0301 = x", 5, 6, 40, "e\u0301 = x", "x"),
    ("a\x1b[31m\x00 = x", 10, 11, 60, "a\\x1b[31m\\x00 = x", "x"),
    ("safe\u202e = x", 8, 9, 40, "safe\\u202e = x", "x"),
    ("0123456789" * 5, 30, 33, 20, "…567890123456789012…", "012"),
    ("0123456789" * 5, 48, 50, 20, "…1234567890123456789", "89"),
    ("0123456789" * 5, 2, 4, 20, "0123456789012345678…", "23"),
    ("0123456789" * 5, 0, 50, 20, "0123456789012345678…", "0123456789012345678"),
    ("abc", 3, 3, 20, "abc", ""),
])
def test_excerpts(line: str, start: int, end: int, room: int, shown: str, marked: str) -> None:
    from unicodedata import combining, east_asian_width

    text, begin, stop = excerpt(line, start, end, room)
    assert text == shown
    columns = "".join(c * (0 if combining(c) else 2 if east_asian_width(c) == "W" else 1) for c in text)
    assert columns[begin:stop] == marked
    assert stop > begin, "there is always a mark"


@given(text(max_size=200), integers(0, 200), integers(0, 30), integers(20, 120))
def test_excerpts_of_anything_fit(line: str, start: int, size: int, room: int) -> None:
    from rich.cells import cell_len

    line = line.replace("\n", "").replace("\r", "")
    start = min(start, len(line))
    shown, begin, stop = excerpt(line, start, start + size, room)
    assert "\n" not in shown and "\x1b" not in shown and 0 <= begin < stop
    # a table of widths may be newer than another: only plain characters are counted
    if all(ord(c) < 0x300 or 0x4E00 <= ord(c) < 0x9FFF for c in line):
        assert cell_len(shown) <= room and stop <= room + 1


def test_a_line_of_a_megabyte_is_cut_quickly() -> None:
    started = time.perf_counter()
    text, begin, stop = excerpt("x=1;" * 250_000 + "!ü!" + "y" * 250_000, 1_000_000, 1_000_003, 100)
    assert text[begin:stop] == "!ü!" and len(text) == 100
    assert time.perf_counter() - started < 0.05


def test_what_would_move_the_cursor_is_spelled() -> None:
    hostile = "a\x1b]0;owned\x07\r\n\u202e\udc80\u2028é漢"
    assert visible(hostile) == "a\\x1b]0;owned\\x07\\r\\n\\u202e\\x80\\u2028é漢"
    path = "evil\x1b[2J\n.py"
    finding = Finding("open-door", "error", "m\x1b[1m\n", Place(path, (0, 1)), "s")
    of = replace(report(finding), sources={path: Source.decode(path, b"x\x1b[2J = 1\r\n")})
    for format_ in ("text", "concise", "github"):
        out = said(format_, of)
        assert "\x1b" not in out and "\r" not in out and "m\\x1b[1m" in out


def test_words_are_wrapped() -> None:
    assert wrap("one two three four five six", 20) == ["one two three four", "five six"]
    assert wrap("one two three", None) == ["one two three"]
    assert wrap("x" * 50, 20) == ["x" * 50]


def test_github_shows_ten_of_a_level_and_the_log_the_rest() -> None:
    many = [replace(FINDINGS[2], ordinal=i, message=f"number {i:02}: 100%, or\nless") for i in range(13)]
    out = said("github", report(*many, FINDINGS[0])).splitlines()
    assert [line[:9] for line in out[:11]] == ["::error f"] + ["::warning"] * 10, "the gravest come first"
    assert out[1].endswith("::number 00: 100%25, or%0Aless")
    assert [line.partition(": warning")[0] for line in out[11:14]] == ["web/min.js:1:241"] * 3
    assert "3 of them only in this log" in out[14]


def test_json() -> None:
    data = json.loads(said("json"))
    rows = {row["symbol"]: row for row in data["findings"]}
    row = rows["DATABASE_URL"]
    at = place("src/db.py", "os.getenv", "app\")").at
    assert (row["rule"], row["level"], row["path"]) == ("open-door", "error", "src/db.py")
    assert row["start"] == {"line": 4, "column": 7, "byte": at[0]} and row["end"]["byte"] == at[1]
    assert [step["message"] for step in row["steps"]] == [step.message for step in FINDINGS[0].steps]
    assert row["fix"]["edits"][0]["text"] == 'os.environ["DATABASE_URL"]' and row["fix"]["safe"] is False
    assert rows["first"]["suppression"]["reason"] == "the sidecar"
    assert rows["first"]["start"] == {"line": 1, "column": 1, "byte": 3}, "the byte-order mark is no character"
    assert data["summary"] == {"error": 1, "warning": 2, "note": 1, "suppressed": 1, "known": 0, "gone": 0,
                               "elsewhere": 0, "files_checked": 312, "unknown_imports": 41, "failed": True}
    assert data["problems"] == [{"path": "src/broken.ts", "kind": "syntax", "message": "line 3: unexpected `}`"}]
    assert said("json") == said("json", replace(report(), seconds=9.0)), "the clock is not in it"


def test_gitlab() -> None:
    rows = json.loads(said("gitlab"))
    assert [row["severity"] for row in rows] == ["info", "major", "minor", "minor"]
    assert rows[1] == {
        "description": "DATABASE_URL falls back to localhost", "check_name": "open-door",
        "fingerprint": fingerprint(FINDINGS[0]), "severity": "major",
        "location": {"path": "src/db.py", "lines": {"begin": 4}},
    }
    assert len({row["fingerprint"] for row in rows}) == len(rows)


def test_fingerprints_survive_moved_lines_only() -> None:
    finding = FINDINGS[0]
    moved = replace(finding, place=Place("src/db.py", (0, 1)), message="other words", level="note", steps=())
    assert fingerprint(moved) == fingerprint(finding)
    others = [replace(finding, rule="dim-lamp"), replace(finding, symbol="X"), replace(finding, ordinal=1),
              replace(finding, place=Place("src/db2.py", finding.place.at))]
    assert len({fingerprint(f) for f in (finding, *others)}) == 5


@pytest.mark.parametrize(("bar", "levels", "failed"), [
    ("warning", ("note",), False), ("warning", ("note", "warning"), True), ("note", ("note",), True),
    ("error", ("warning",), False), ("error", ("error",), True), ("never", ("error",), False),
])
def test_the_bar(bar: str, levels: tuple[str, ...], failed: bool) -> None:
    assert report(*(replace(FINDINGS[2], level=level) for level in levels), fail_on=bar).failed is failed
    assert not report(FINDINGS[4], fail_on="note").failed, "suppressed findings fail nothing"


# -- where it goes ----------------------------------------------------------------------------------------------------


class Terminal(io.TextIOWrapper):
    """Standard output of one encoding that is, or is not, a terminal."""

    def __init__(self, encoding: str, tty: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    def bytes(self) -> bytes:
        self.flush()
        return self.buffer.getvalue()  # type: ignore[attr-defined]


def printed(monkeypatch: pytest.MonkeyPatch, format_: str, encoding: str = "utf-8", tty: bool = False,
            **given: str) -> bytes:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in given if name.isupper()]:
        monkeypatch.setenv(name, given.pop(name))
    stream = Terminal(encoding, tty)
    monkeypatch.setattr(sys, "stdout", stream)
    write(report(), format_, **given)
    return stream.bytes()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-16", "utf-8"])
def test_any_terminal_can_show_it(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    text = printed(monkeypatch, "text", encoding).decode(encoding)
    assert "REDIS_URL" in text and text.count("\n") == TEXT.count("\n")
    assert "連接" in text if encoding.startswith("utf") else "\\u9023\\u63a5" in text


@pytest.mark.parametrize("format_", ["sarif", "json", "gitlab"])
def test_formats_for_programs_are_utf8_everywhere(monkeypatch: pytest.MonkeyPatch, format_: str) -> None:
    assert json.loads(printed(monkeypatch, format_, "ascii").decode("utf-8"))


@pytest.mark.parametrize(("tty", "given", "colored"), [
    (True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (False, {"FORCE_COLOR": "1"}, True),
    (True, {"TERM": "dumb"}, False), (True, {"color": "never"}, False), (False, {"color": "always"}, True),
    (True, {"NO_COLOR": "1", "color": "always"}, True), (True, {"NO_COLOR": ""}, True),
])
def test_when_there_is_colour(monkeypatch: pytest.MonkeyPatch, tty: bool, given: dict[str, str], colored: bool) -> None:
    assert (b"\x1b[" in printed(monkeypatch, "text", tty=tty, **given)) is colored


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")
    link = tmp_path / "link.json"
    link.symlink_to(target)
    write(report(), "json", link)
    assert json.loads(target.read_text("utf-8")) and link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.json", "out.json"], "nothing is left beside it"
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.endswith(
        f"(1 ignored by comments); 1 file not read in full; written to {link}\n")
    write(report(), "json", target, quiet=True)
    assert capsys.readouterr().err == ""
    write(report(), "json", Path(os.devnull))


def test_a_reporter_that_breaks_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")
    monkeypatch.setattr("connlint.reporters.json._finding", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(report(), "json", target)
    assert target.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_why_a_file_cannot_be_written(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "no" / "o.json", f"there is no folder '{tmp_path / 'no'}'"),
                      (tmp_path, "it is a folder")):
        with pytest.raises(OutputError) as caught:
            write(report(), "json", path)
        assert str(caught.value) == f"{path}: cannot be written: {why}"


def test_a_thousand_findings_are_quick() -> None:
    many = report(*(replace(finding, ordinal=i) for i in range(250) for finding in FINDINGS[:4]))
    for format_ in FORMATS:
        said(format_)  # imports do not count
        started = time.perf_counter()
        said(format_, many)
        assert time.perf_counter() - started < 1.5, format_


# -- cards ------------------------------------------------------------------------------------------------------------


def test_cards() -> None:
    assert rules_table(RULES).splitlines() == [
        "doors", "  open-door  error    The open-door", "  shut-door  note     The shut-door", "",
        "lamps", "  dim-lamp   warning  The dim-lamp",
    ]
    assert [row["id"] for row in json.loads(rules_json(RULES))] == ["open-door", "shut-door", "dim-lamp"]
    assert page(RULES.cards["dim-lamp"]).startswith(
        "# dim-lamp\n\nThe dim-lamp. Family: lamps. Level: warning, on other evidence error.\n\n## What it reports\n"
    )


def test_the_table_in_a_document(tmp_path: Path) -> None:
    from connlint.reporters.cards import _END, _START

    (tmp_path / "README.md").write_text(f"before\n{_START}\nold\n{_END}\nafter\n", encoding="utf-8")
    found = documents(RULES, tmp_path)
    text = found[tmp_path / "README.md"]
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| [`open-door`](rules/open-door.md) | error | A open-door \\| that is open |" in text
    assert "| [`open-door`](open-door.md) | error |" in found[tmp_path / "rules" / "README.md"]
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert documents(RULES, tmp_path)[tmp_path / "README.md"] == text, "a second run changes nothing"


def test_the_documents_are_up_to_date() -> None:
    stale = [str(path) for path, text in documents(card_files.load(), card_files.built_in().parent).items()
             if not path.is_file() or path.read_text("utf-8") != text]
    assert stale == [], "run `python -m connlint.reporters.cards`"


def test_sources_of_the_hand_made_report_are_what_they_seem() -> None:
    assert all(SOURCES[f.place.path].slice(f.place.at) for f in FINDINGS)
