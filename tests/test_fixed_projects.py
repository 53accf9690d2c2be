"""What fixing makes of small projects; they stand in `fixed_projects.txt`, whose head explains the form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from test_fixing import mended

_TEXT = (Path(__file__).parent / "fixed_projects.txt").read_text()


def projects() -> list[tuple[str, str, dict[str, str], dict[str, str]]]:
    """Rule, title, the files before, and those that are others afterwards."""
    found = []
    for part in re.split(r"(?m)^### ", _TEXT)[1:]:
        head, _, rest = part.partition("\n")
        rule, _, title = head.partition(": ")
        files: dict[str, dict[str, str]] = {"---": {}, "+++": {}}
        for mark, path, text in re.findall(r"(?ms)^(---|\+\+\+) (\S+)\n(.*?)(?=^(?:---|\+\+\+) \S|\Z)", rest):
            files[mark][path] = text.rstrip("\n") + "\n"
        found.append((rule, title, files["---"], files["+++"]))
    return found


def _text(files: dict[str, str]) -> str:
    return "".join(f"+++ {path}\n{text}" for path, text in sorted(files.items()))


@pytest.mark.parametrize("case", projects(), ids=lambda case: f"{case[0]}: {case[1]}")
def test_fixed_project(case):
    rule, _, before, after = case
    outcome = mended(before, select=(rule,))
    assert outcome.first.reported, "the rule reports nothing, so that nothing is shown"
    assert _text({path: text.decode() for path, text in outcome.after.items()}) == _text(after)
    assert outcome.left == []
