"""Every small project under ``fixtures/<rule>/`` is reported exactly as its marks say."""

from __future__ import annotations

import pytest

from connlint.checks import PROJECT_CHECKS
from projects import FIXTURES, RULES, disagreements, report, sites

PROJECTS = sorted(
    folder for rule in RULES.cards for folder in (FIXTURES / rule).glob("*/") if folder.is_dir()
)


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_project_is_reported_as_marked(folder):
    assert disagreements(folder) == []



FAR = {*PROJECT_CHECKS, "fallback", "hardcoded", "unset-address", "env-load", "symbols"}
"""The checks that look at more than one file."""


TODO = {("clients-javascript", "settings.ts")}
"""Known mistakes: a read whose client stands in another file is found from the client's file only."""


@pytest.mark.parametrize("folder", [f for f in PROJECTS if RULES.cards[f.parent.name].check in FAR],
                         ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_file_that_is_named_alone_has_the_same_findings(folder):
    """Less is looked at where single files are asked about, and nothing may be lost by it."""
    whole = sites(report(folder))
    for path in sorted({path for path, _, _ in whole})[:12]:
        same = sites(report(folder, named=path)) == {site for site in whole if site[0] == path}
        assert same != ((folder.name, path) in TODO)
