"""By when what was handed out can have started: from now on, or behind what was handed out before."""

import pytest

from sluice.jobs.budgets.blocks import UNPACED_MS, Times, hand_out, handed_out
from tests.unit.jobs.conftest import NOON


@pytest.mark.parametrize("pace", [0, 600])
@pytest.mark.parametrize(("before", "since"), [(0, NOON), (NOON - 5_000, NOON), (NOON, NOON), (NOON + 700, NOON + 700)])
def test_what_is_handed_out_starts_behind_what_was_and_never_before_now(before: int, since: int, pace: int) -> None:
    """Without slots, calls are counted as if one was made each 20 ms."""
    handed = handed_out(Times(), NOON, before, pace, 0)
    assert hand_out(Times(), NOON, before, handed, 10, pace, 0) == since + 10 * (pace or UNPACED_MS)
