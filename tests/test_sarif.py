"""SARIF: what stands in it, and what the programs say that will read it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from connlint import cards
from connlint.model.finding import Edit, Finding, Fix, Place
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.reporters import sarif
from reports import FILES, FINDINGS, RULES, SOURCES, report
from test_reporters import said

VALIDATOR = "@microsoft/sarif-multitool-linux@5"
UNANSWERED = {"SARIF2005"}
"""Warnings that are known: the tool has no home page that it could name."""


def log(of: Report | None = None, **options: Any) -> dict[str, Any]:
    return json.loads(said("sarif", of, **options))


def run(of: Report | None = None, **options: Any) -> dict[str, Any]:
    [only] = log(of, **options)["runs"]
    return only


def result(finding: Finding) -> dict[str, Any]:
    [only] = run(report(finding))["results"]
    return only


def covered(location: dict[str, Any]) -> str:
    """The text that a region covers, found the way a reader of the file finds it: lines, then UTF-16 code units."""
    physical = location["physicalLocation"]
    path = unquote(physical["artifactLocation"]["uri"])
    region = physical["region"]
    lines = FILES[path].removeprefix("\ufeff").splitlines(keepends=True)
    ends = []
    for line, column in ((region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])):
        before = "".join(lines[:line - 1])
        ends.append(len(before.encode("utf-16-le")) + 2 * (column - 1))
    return "".join(lines).encode("utf-16-le")[ends[0]:ends[1]].decode("utf-16-le")


def test_regions_are_counted_as_they_are_read() -> None:
    results = run()["results"]
    assert [covered(r["locations"][0]) for r in results] == [
        "first", "REDIS_URL", 'os.getenv("DATABASE_URL", "postgresql://localhost/app")', "set_timer(",
        "setInterval(f,1e3)",
    ], "of a finding on several lines, the part on the first"
    assert [covered(r["locations"][0]) for r in results] == [
        r["locations"][0]["physicalLocation"]["region"]["snippet"]["text"] for r in results
    ]
    flow = results[2]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [covered(step["location"]) for step in flow] == ['"postgresql://localhost/app"', "environment"]
    assert covered(results[0]["suppressions"][0]["location"]) == "connlint: ignore[open-door] the sidecar"


def test_what_a_result_says() -> None:
    found = result(FINDINGS[0])
    assert (found["ruleId"], found["ruleIndex"], found["level"]) == ("open-door", 0, "error")
    assert found["message"]["text"] == "DATABASE_URL falls back to localhost."
    assert set(found["partialFingerprints"]) == {"connlint/v1"}, "the upload computes primaryLocationLineHash itself"
    flow = found["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in flow] == [step.message for step in FINDINGS[0].steps]
    assert [step["executionOrder"] for step in flow] == [1, 2]


def test_related_places_are_linked_from_the_message() -> None:
    found = result(FINDINGS[1])
    assert found["message"]["text"] == (
        "The timer is thrown away. it is [documented]. See: [so is \\[this\\] one](1)."
    )
    assert [(row["id"], row["message"]["text"]) for row in found["relatedLocations"]] == [(1, "so is [this] one")]


def test_the_level_stays_where_it_is_the_default() -> None:
    """A result without a level has that of its rule, which may be another."""
    assert [r["level"] for r in run()["results"]] == ["warning", "note", "error", "warning", "warning"]
    levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in run()["tool"]["driver"]["rules"]}
    assert levels == {"open-door": "error", "shut-door": "note", "dim-lamp": "warning"}


def test_suppressed_findings_stay() -> None:
    found = result(FINDINGS[4])
    assert [(s["kind"], s["justification"]) for s in found["suppressions"]] == [("inSource", "the sidecar")]
    assert "suppressions" not in result(FINDINGS[0])
    kept = run(omit_suppressed=True)["results"]
    assert len(kept) == 4 and not any("suppressions" in row for row in kept)


def test_paths_are_uris() -> None:
    odd = {"a b/ü#1%.py": "a%20b/%C3%BC%231%25.py", "c:d.py": "c%3Ad.py", "x\udcff.py": "x%FF.py"}
    for path, uri in odd.items():
        finding = replace(FINDINGS[2], place=Place(path, (0, 1)))
        of = replace(report(finding), sources={path: Source.decode(path, b"x = 1")})
        location = run(of)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert location == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert run()["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///srv/pro%20ject/"


def test_fixes_give_the_text_that_the_edits_give() -> None:
    for finding in FINDINGS:
        if finding.fix is None:
            continue
        for change in result(finding)["fixes"][0]["artifactChanges"]:
            path = unquote(change["artifactLocation"]["uri"])
            text = FILES[path].removeprefix("\ufeff")
            lines = [0]
            for line in text.splitlines(keepends=True):
                lines.append(lines[-1] + len(line))
            data = SOURCES[path].data
            for edit in sorted((e for e in finding.fix.edits if e.place.path == path), key=lambda e: -e.place.at[0]):
                data = data[:edit.place.at[0]] + edit.text.encode() + data[edit.place.at[1]:]
            for replacement in reversed(change["replacements"]):
                region = replacement["deletedRegion"]
                start = lines[region["startLine"] - 1] + region["startColumn"] - 1
                end = lines[region["endLine"] - 1] + region["endColumn"] - 1
                text = text[:start] + replacement.get("insertedContent", {"text": ""})["text"] + text[end:]
            assert text == data.decode("utf-8-sig")


def test_rules_are_described() -> None:
    rules = run()["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES.cards)
    door = rules[0]
    assert door["name"] == "OpenDoor"
    assert door["shortDescription"]["text"] == "The open-door."
    assert door["help"]["markdown"] == RULES.cards["open-door"].manual
    assert door["help"]["text"] == "What it reports\n\nA open-door.\n\nReported\n\nx = 1"
    assert door["properties"] == {"tags": ["connectivity", "doors"], "precision": "high", "problem.severity": "error"}
    assert [rule["properties"]["problem.severity"] for rule in rules[1:]] == ["recommendation", "warning"]


def test_the_invocation() -> None:
    [invocation] = run()["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    [notice] = invocation["toolExecutionNotifications"]
    assert notice["message"]["text"] == "src/broken.ts: line 3: unexpected `}`."
    assert notice["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/broken.ts"
    assert run(report(FINDINGS[3]))["invocations"][0]["exitCode"] == 0
    broken = replace(report(), problems=(replace(report().problems[0], kind="internal"),))
    [invocation] = run(broken)["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


def test_the_run() -> None:
    assert run()["columnKind"] == "utf16CodeUnits"
    assert "automationDetails" not in run()
    assert run(category="api")["automationDetails"] == {"id": "connlint/api/"}
    assert run()["tool"]["driver"]["semanticVersion"] == "1.2.3"
    assert said("sarif") == said("sarif", replace(report(), seconds=9.0)), "the clock is not in it"
    assert json.loads(said("sarif", replace(report(), findings=()))) ["runs"][0]["results"] == []


def test_no_more_results_than_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    cut = run()
    assert sorted(r["level"] for r in cut["results"]) == ["error", "warning", "warning"], "the gravest are kept"
    assert cut["results"] == [r for r in run()["results"] if r in cut["results"]], "in their order"
    texts = [n["message"]["text"] for n in cut["invocations"][0]["toolExecutionNotifications"]]
    assert texts[-1] == "2 findings were left out: a run holds at most 3."


def test_a_finding_in_a_file_that_is_gone() -> None:
    found = result(replace(FINDINGS[2], place=Place("gone.py", (5, 9))))
    assert found["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1,
    }


# -- real readers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def multitool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Microsoft's validator, installed from its npm package."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: SARIF IS NOT VALIDATED by Microsoft's multitool")
    home = tmp_path_factory.mktemp("multitool")
    done = subprocess.run(
        [npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(home), VALIDATOR],
        capture_output=True, text=True, check=False, timeout=300,
    )
    if done.returncode:
        pytest.skip(f"npm cannot install {VALIDATOR}: SARIF IS NOT VALIDATED ({done.stderr.strip()[:200]})")
    package = home / "node_modules" / "@microsoft" / "sarif-multitool-linux"
    (package / "Sarif.Multitool").chmod(0o755)
    return package


def complaints(multitool: Path, text: str, folder: Path) -> list[tuple[str, str, str]]:
    """Level, rule and message of each error and warning that the validator has for a log."""
    (folder / "log.sarif").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(multitool / "Sarif.Multitool"), "validate", "log.sarif", "--rule-kind", "Sarif;Ghas",
         "--level", "Error;Warning", "--output", "said.sarif", "--log", "ForceOverwrite"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    assert "1 files scanned" in done.stdout, done.stdout + done.stderr
    [answer] = json.loads((folder / "said.sarif").read_text("utf-8-sig"))["runs"]
    rules = answer["tool"]["driver"].get("rules", [])
    rows = []
    for row in answer.get("results", []):
        message = row["message"]
        text = message.get("text") or rules[row["ruleIndex"]]["messageStrings"][message["id"]]["text"]
        for number, argument in enumerate(message.get("arguments", [])):
            text = text.replace(f"{{{number}}}", argument)
        rows.append((row.get("level", "warning"), row["ruleId"], text))
    return rows


def real_report() -> Report:
    """The hand-made findings under the names of real rules, so that the real cards are validated."""
    rules = cards.load()
    names = list(rules.cards)
    renamed = {name: names[i % len(names)] for i, name in enumerate(RULES.cards)}
    findings = tuple(replace(finding, rule=renamed[finding.rule]) for finding in report().findings)
    return replace(report(), findings=findings, rules=rules)


REPORTS = {
    "hand-made": report(), "real cards": real_report(), "empty": replace(report(), findings=(), problems=()),
    "beside a baseline": report(*(replace(finding, state=state) for finding, state in zip(
        FINDINGS[:3], ("new", "unchanged", "updated")))),
}


@pytest.mark.parametrize("name", REPORTS)
def test_microsofts_validator_accepts_it(multitool: Path, tmp_path: Path, name: str) -> None:
    said_of_it = complaints(multitool, said("sarif", REPORTS[name], category="tests"), tmp_path)
    assert [row for row in said_of_it if row[1] not in UNANSWERED] == []


def test_the_validator_would_complain(multitool: Path, tmp_path: Path) -> None:
    broken = log()
    del broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
    del broken["runs"][0]["tool"]["driver"]["rules"][0]["help"]
    rules = {rule for _, rule, _ in complaints(multitool, json.dumps(broken), tmp_path)}
    assert {"GH2012", "SARIF2017"} <= rules


@pytest.mark.parametrize("name", REPORTS)
def test_the_schema_accepts_it(multitool: Path, name: str) -> None:
    import jsonschema

    schema = json.loads((multitool / "sarif-2.1.0.json").read_text("utf-8-sig"))
    checker = jsonschema.validators.validator_for(schema)(schema)
    assert [e.message for e in checker.iter_errors(log(REPORTS[name], category="tests"))] == []
    assert list(checker.iter_errors({**log(), "version": "2.0.0"})), "it would complain"


def test_edits_at_the_end_of_a_file_without_a_line_end() -> None:
    finding = replace(FINDINGS[2], fix=Fix("Cut", (Edit(Place("web/min.js", (240, len(FILES["web/min.js"]))), ""),)))
    region = result(finding)["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]
    assert region == {"startLine": 1, "startColumn": 241, "endLine": 1, "endColumn": len(FILES["web/min.js"]) + 1}
