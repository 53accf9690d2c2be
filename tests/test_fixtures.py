"""Every small project under ``fixtures/<rule>/`` is reported exactly as its marks say."""

from __future__ import annotations

import pytest

from projects import FIXTURES, RULES, disagreements

PROJECTS = sorted(
    folder for rule in RULES.cards for folder in (FIXTURES / rule).glob("*/") if folder.is_dir()
)


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_project_is_reported_as_marked(folder):
    assert disagreements(folder) == []

