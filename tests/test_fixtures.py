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



@pytest.mark.parametrize("folder", [f for f in PROJECTS if RULES.cards[f.parent.name].check in PROJECT_CHECKS],
                         ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_file_that_is_named_alone_has_the_same_findings(folder):
    """Checks of the whole project run on less where single files are asked about, and must not lose anything by it."""
    whole = sites(report(folder))
    for path in sorted({path for path, _, _ in whole})[:12]:
        assert sites(report(folder, named=path)) == {site for site in whole if site[0] == path}
