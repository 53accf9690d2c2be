"""Twins: one thing said in Python and in TypeScript, lowered to one shape.

Each case of ``fixtures/twins`` is a ``.py`` and a ``.ts`` with one golden dump. `shape` takes away what the languages
cannot say alike; everything else must be the same, word by word. ``CONNLINT_ACCEPT=1`` writes the goldens anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from connlint.languages.dump import dump
from connlint.languages.javascript.read import read as read_javascript
from connlint.languages.python.read import read as read_python
from connlint.model.source import Source

FIXTURES = Path(__file__).parent / "fixtures" / "twins"
CASES = sorted(path.stem for path in FIXTURES.glob("*.py"))

UNLIKE = [
    (r"(?m)^( *)(?:const|let|var|bind|field|static) (?=[^(]*(?:=|$))", r"\1let "),  # ways to declare
    (r"(?m)^( *)do \(set ([\w.\[\]\"]+) (.*)\)$", r"\1let \2 = \3"),  # Python declares by assigning
    (r"\(new ", "(call "),
    (r"\((async )?arrow \(", r"(\1function ("),
    (r"@staticmethod ", ""),
    (r"\b__init__\(", "constructor("),
    (r"\bself(?:, |(?=\)))|(?<=\()self, ", ""),  # Python names its first parameter
    (r"\bself\.", "this."),
    (r"(?m)^( *except) Exception\b", r"\1"),  # JavaScript catches everything
    (r"(?<=[\w)]): [A-Z]\w*", ""),  # annotations
]


def shape(text: str) -> str:
    for pattern, replacement in UNLIKE:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"(?m)^( *)delete (\S+), (\S+)$", r"\1delete \2\n\1delete \3", text)


def shapes(case: str) -> tuple[str, str]:
    python = Source.decode(f"{case}.py", (FIXTURES / f"{case}.py").read_bytes())
    typescript = Source.decode(f"{case}.ts", (FIXTURES / f"{case}.ts").read_bytes())
    return shape(dump(read_python(python))), shape(dump(read_javascript(typescript)))


@pytest.mark.parametrize("case", CASES)
def test_twins(case: str) -> None:
    python, typescript = shapes(case)
    golden = FIXTURES / f"{case}.dump"
    if os.environ.get("CONNLINT_ACCEPT"):
        golden.write_text(python, encoding="utf-8")
    assert python == golden.read_text(encoding="utf-8")
    assert typescript == python


def test_every_case_has_three_files() -> None:
    assert sorted(path.stem for path in FIXTURES.iterdir()) == sorted(CASES * 3)


def test_twins_can_differ() -> None:
    """What `shape` takes away is not what the cases are about."""
    assert len({shapes(case)[0] for case in CASES}) == len(CASES)
