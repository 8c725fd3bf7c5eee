"""Every order of events of some small stories: no promise is broken, and what was asked for can always get done.

The stories are small, and told whole: two are at work at once, and each may be stopped before any of its requests.
`SLUICE_MODEL=all` tells the long ones too.
"""

import os
import sys

import pytest

from tests.model.explore import explore
from tests.model.machine import machine
from tests.model.stories import LONG, STORIES

TOLD = STORIES | (LONG if os.environ.get("SLUICE_MODEL") == "all" else {})


@pytest.mark.parametrize("name", TOLD)
def test_every_order_keeps_the_promises(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with machine() as made:
        seen = explore(made.begin(TOLD[name]), most=20_000)
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {seen.states} states, {seen.moves} moves ")
