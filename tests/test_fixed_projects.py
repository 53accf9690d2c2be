"""What fixing makes of small projects; they stand in `fixed_projects.txt`, whose head explains the form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from projects import RULES
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
    outcome = mended(before, select=() if rule == "unused-suppression" else (rule,))
    assert outcome.first.reported, "the rule reports nothing, so that nothing is shown"
    assert _text({path: text.decode() for path, text in outcome.after.items()}) == _text(after)
    assert outcome.left == []


@pytest.mark.parametrize("case", [case for case in projects() if case[3]], ids=lambda case: f"{case[0]}: {case[1]}")
def test_line_ends_and_byte_order_marks_are_kept(case):
    rule, _, before, after = case
    code = (".py", ".ts", ".tsx", ".js", ".jsx", ".mjs")

    def written(path: str, text: str) -> bytes:
        return b"\xef\xbb\xbf" * (path in after and path.endswith(code)) + text.replace("\n", "\r\n").encode()

    outcome = mended({path: written(path, text) for path, text in before.items()},
                     select=() if rule == "unused-suppression" else (rule,))
    assert outcome.after == {path: written(path, text) for path, text in after.items()}


def test_cards_say_which_rules_offer_an_edit():
    offering = {rule for rule, _, _, after in projects() if after}
    silent = {card.id for card in RULES.cards.values() if card.section("Fix safety").startswith("No edit is offered: ")}
    assert offering == set(RULES.cards) - silent
