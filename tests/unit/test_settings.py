"""What a process assumes that is told nothing."""

import pytest

from sluice.platform import settings


def test_a_stage_that_nobody_names_is_the_strictest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_STAGE")
    found = settings.read()
    assert (found.stage, found.on_a_laptop) == ("prod", False)
