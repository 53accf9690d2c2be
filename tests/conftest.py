"""What holds for every test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_caches(tmp_path_factory: pytest.TempPathFactory):
    """What a run keeps for the next one is kept apart from that of the user who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(tmp_path_factory.mktemp("caches")))
        yield
