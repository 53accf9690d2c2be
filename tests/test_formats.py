"""The formats of other tools, held to what their definitions say: reviewdog, JUnit, GitLab, GitHub."""

from __future__ import annotations

import json
from collections import Counter
from xml.etree import ElementTree

import jsonschema
import pytest
from msgspec.structs import replace

from connlint.model.finding import Edit, Finding, Fix, Place
from connlint.model.source import Source
from reports import FILES, FINDINGS, place, report
from test_reporters import said

# -- rdjsonl ----------------------------------------------------------------------------------------------------------

_POSITION = {"type": "object", "additionalProperties": False, "required": ["line", "column"],
             "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}}}
_RANGE = {"type": "object", "additionalProperties": False, "required": ["start", "end"],
          "properties": {"start": _POSITION, "end": _POSITION}}
DIAGNOSTIC = {
    "type": "object", "additionalProperties": False, "required": ["message", "location", "severity"],
    "properties": {
        "message": {"type": "string"},
        "location": {"type": "object", "additionalProperties": False, "required": ["path"],
                     "properties": {"path": {"type": "string"}, "range": _RANGE}},
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "source": {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}},
        "code": {"type": "object", "additionalProperties": False, "properties": {"value": {"type": "string"}}},
        "suggestions": {"type": "array", "items": {
            "type": "object", "additionalProperties": False, "required": ["range", "text"],
            "properties": {"range": _RANGE, "text": {"type": "string"}}}},
    },
}
"""The messages of reviewdog's definition, as far as they are used."""


def diagnostics(*findings: Finding) -> list[dict]:
    rows = [json.loads(line) for line in said("rdjsonl", report(*findings)).splitlines()]
    for row in rows:
        jsonschema.validate(row, DIAGNOSTIC)
    return rows


def span(path: str, range_: dict) -> tuple[int, int]:
    """The bytes of the UTF-8 text that a range covers, found as reviewdog finds them."""
    lines = FILES[path].removeprefix("\ufeff").encode().splitlines(keepends=True)
    start, end = (sum(map(len, lines[:at["line"] - 1])) + at["column"] - 1 for at in (range_["start"], range_["end"]))
    return start, end


def test_reviewdog_is_told_of_everything_that_is_reported() -> None:
    rows = diagnostics()
    assert [(row["code"]["value"], row["severity"]) for row in rows] == [
        ("shut-door", "INFO"), ("open-door", "ERROR"), ("dim-lamp", "WARNING"), ("dim-lamp", "WARNING")]
    assert rows[1]["message"].splitlines() == [
        "DATABASE_URL falls back to localhost", "1. src/db.py:4:33: the default names this machine",
        "2. deploy/compose.yml:3:5: `api` sets [other] variables", "unsafe fix: Require the variable"]
    for row, finding in zip(rows, sorted(FINDINGS, key=Finding.key)[1:]):
        path = row["location"]["path"]
        start, end = span(path, row["location"]["range"])
        text = FILES[path].encode()[start:end].decode()
        assert (path, (start, end)) == (finding.place.path, finding.place.at), text


def test_a_suggestion_is_what_the_edits_would_leave() -> None:
    rows = {row["location"]["path"]: row for row in diagnostics(FINDINGS[0], FINDINGS[3])}
    for finding in (FINDINGS[0], FINDINGS[3]):
        assert finding.fix is not None
        path = finding.place.path
        [suggestion] = rows[path]["suggestions"]
        start, end = span(path, suggestion["range"])
        data = FILES[path].encode()
        wanted = data
        for edit in sorted(finding.fix.edits, key=lambda e: -e.place.at[0]):
            wanted = wanted[:edit.place.at[0]] + edit.text.encode() + wanted[edit.place.at[1]:]
        assert data[:start] + suggestion["text"].encode() + data[end:] == wanted


def test_half_an_edit_is_no_suggestion() -> None:
    fix = Fix("Both", (Edit(place("src/db.py", "url"), "u"), Edit(place("web/min.js", "x=1"), "y")))
    assert "suggestions" not in diagnostics(replace(FINDINGS[0], fix=fix))[0]


@pytest.mark.parametrize(("between", "offered"), [(5, True), (500, False)])
def test_edits_far_apart_are_no_suggestion(between: int, offered: bool) -> None:
    source = Source.decode("far.py", b"a = 1\n" + b"x = 2\n" * between + b"b = 3\n")
    at, size = (0, 1), len(source.data)
    fix = Fix("Both", (Edit(Place("far.py", at), "c"), Edit(Place("far.py", (size - 6, size - 5)), "d")))
    of = replace(report(Finding("open-door", "error", "m", Place("far.py", at), "s", fix=fix)),
                 sources={"far.py": source})
    row = json.loads(said("rdjsonl", of))
    assert ("suggestions" in row) == offered
    assert "unsafe fix: Both" in row["message"]


def test_columns_are_bytes_of_utf_8_whatever_the_file_is_in() -> None:
    source = Source.decode("w.js", "é𝒳 = 'localhost'".encode("utf-16"))
    start = source.char_to_byte(5)
    of = replace(report(Finding("open-door", "error", "m", Place("w.js", (start, start + 2)), "s")),
                 sources={"w.js": source})
    row = json.loads(said("rdjsonl", of))
    assert row["location"]["range"] == {"start": {"line": 1, "column": 10}, "end": {"line": 1, "column": 11}}


# -- JUnit ------------------------------------------------------------------------------------------------------------

ELEMENTS = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}),
    "testsuite": ({"testcase"}, {"name", "tests", "failures", "errors", "skipped"}),
    "testcase": ({"failure", "skipped", "error"}, {"name", "classname", "time"}),
    **dict.fromkeys(("failure", "skipped", "error"), (set(), {"type", "message"})),
}
"""Element → the elements and attributes in it that Jenkins' schema has, as far as they are used."""


def suites(*findings: Finding, **given) -> ElementTree.Element:
    root = ElementTree.fromstring(said("junit", report(*findings, **given)))
    assert root.tag == "testsuites"
    for element in root.iter():
        inside, attributes = ELEMENTS[element.tag]
        assert {child.tag for child in element} <= inside and set(element.attrib) <= attributes
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(cases)) == len(cases), "GitLab drops the second of a name"
    for suite in [root, *root]:
        counted = Counter(element.tag for element in suite.iter())
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == tuple(
            str(counted[tag]) for tag in ("testcase", "failure", "error"))
    return root


def ends(root: ElementTree.Element) -> list[tuple[str, str]]:
    return [(case.get("name", ""), case[0].tag if len(case) else "passed") for case in root.iter("testcase")]


@pytest.mark.parametrize(("fail_on", "outcome"), [
    ("warning", ["skipped", "skipped", "failure", "failure", "failure", "skipped"]),
    ("note", ["skipped", "failure", "failure", "failure", "failure", "skipped"]),
    ("never", ["skipped"] * 6),
])
def test_a_case_fails_where_the_run_does(fail_on: str, outcome: list[str]) -> None:
    found = ends(suites(fail_on=fail_on))
    assert [end for _, end in found] == outcome
    assert [name for name, _ in found] == [
        "open-door: first", "shut-door: REDIS_URL", "open-door: DATABASE_URL", "dim-lamp: timer", "dim-lamp: interval",
        "src/broken.ts"]


def test_what_a_case_says() -> None:
    root = suites(FINDINGS[0], FINDINGS[4], replace(FINDINGS[2], state="unchanged"), problems=())
    ignored, failed, known = (case[0] for case in root.iter("testcase"))
    assert ignored.get("message") == "ignored by a comment: the sidecar"
    assert known.get("message") == "in the baseline"
    assert (failed.get("type"), failed.get("message")) == ("error", "DATABASE_URL falls back to localhost")
    assert (failed.text or "").splitlines()[:2] == [
        "src/db.py:4:7: error open-door: DATABASE_URL falls back to localhost",
        "1. src/db.py:4:33: the default names this machine"]


def test_cases_of_one_name_are_told_apart() -> None:
    twice = [replace(FINDINGS[2], ordinal=n, place=replace(FINDINGS[2].place, at=(n, n + 1))) for n in range(2)]
    assert [name for name, _ in ends(suites(*twice, problems=()))] == ["dim-lamp: interval", "dim-lamp: interval (2)"]


def test_a_clean_run_has_a_case_that_passed() -> None:
    nothing = replace(report(), findings=(), problems=())
    assert ends(ElementTree.fromstring(said("junit", nothing))) == [("no findings", "passed")]
    broken = replace(report().problems[0], kind="internal")
    assert ends(suites(problems=(broken,)))[-1] == ("src/broken.ts", "error")


def test_nothing_can_break_out_of_the_xml() -> None:
    path = 'a"<&>\x00\x1b\ufffe\udcff.py'
    evil = Finding("open-door", "error", ']]><x a="1">&amp;\x08', Place(path, (0, 1)), "</testcase>")
    of = replace(report(evil), sources={path: Source.decode(path, b"x = 1")})
    [case] = [case for case in ElementTree.fromstring(said("junit", of)).iter("testcase")
              if case.get("name", "").startswith("open-door")]
    assert case.get("name") == "open-door: </testcase>"
    assert case[0].get("message") == ']]><x a="1">&amp;\\x08'


# -- GitLab and GitHub ------------------------------------------------------------------------------------------------

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object", "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1}, "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object", "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./|/)"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}
"""What GitLab's documentation asks of a report of code quality."""


def test_code_quality_is_what_gitlab_asks_for() -> None:
    jsonschema.validate(json.loads(said("gitlab")), CODE_QUALITY)
    same = [replace(FINDINGS[2], ordinal=n) for n in range(3)]
    assert len({row["fingerprint"] for row in json.loads(said("gitlab", report(*same)))}) == 3


def test_annotations_stay_within_what_github_shows() -> None:
    many = [replace(finding, ordinal=n, message=f"{n}: 50%\r\nless") for n in range(15) for finding in FINDINGS[:4]]
    lines = said("github", report(*many)).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert Counter(line[2:].split(" ")[0] for line in commands) == {"error": 10, "warning": 10, "notice": 10}
    assert all("%25%0D%0Aless" in line for line in commands)
    odd = replace(FINDINGS[2], place=Place("a,b:c%.js", (0, 1)))
    [line] = [line for line in said("github", replace(report(odd), sources={})).splitlines() if line.startswith("::")]
    assert line.startswith("::warning file=a%2Cb%3Ac%25.js,title=")
