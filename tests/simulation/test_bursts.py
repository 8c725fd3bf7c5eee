"""A window that rolls is used whole, in bursts, by several workers: a small form of `bench.bursts`."""

from dataclasses import replace

import pytest

from sluice.jobs.model import keys
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.limits import CallWindow
from tests.simulation.bursts import ANSWER_MS, Case, Seen, least, play

SMALL = Case(CallWindow(40, seconds=10), ((keys.BACKGROUND, 50), (keys.HOT, 40), (keys.MANUAL, 20)))
LEASE_MS = 5 * MINUTE


def together(seen: Seen, window: CallWindow) -> int:
    """Most calls that arrived in any stretch as long as the window."""
    made = sorted(seen.served)
    return max(sum(at - window.ms < one <= at for one in made) for at in made)


def test_all_is_done_in_the_windows_own_time_and_manual_work_first() -> None:
    seen = play(SMALL)
    assert len(seen.done) == len(seen.served) == 110
    assert not seen.refused
    assert together(seen, SMALL.window) <= SMALL.window.calls
    assert seen.took() <= 1.05 * least(SMALL)
    manual, others = seen.waits(keys.MANUAL), seen.waits(keys.HOT) + seen.waits(keys.BACKGROUND)
    assert manual[-1] < 3 * SECOND, "all of the first window's calls are theirs before anybody else's"
    # Whether hot or background work has more of that window depends on which thread came first: what a worker has been
    # handed is not called back (how they are handed out: `tests/property/test_admission.py`).
    assert max(others) > 2 * SMALL.window.ms


def test_what_loses_its_worker_comes_back_when_its_lease_is_over_and_nobody_else_waits() -> None:
    case = replace(SMALL, kills=(10 * SECOND + 100,))
    seen = play(case)
    assert len(seen.done) == 110
    assert not seen.refused
    assert together(seen, case.window) <= case.window.calls
    assert seen.lost
    assert seen.took() <= 1.05 * least(case) + ANSWER_MS, "the others do not wait for it"
    back = seen.returned()
    assert LEASE_MS - 2 * case.window.ms <= back[0]
    assert back[-1] <= LEASE_MS + MINUTE + case.window.ms


@pytest.mark.parametrize("named", [True, False])
def test_in_a_storm_of_refusals_few_calls_are_made_and_then_all_of_it_is_done(named: bool) -> None:
    case = replace(SMALL, storm=(10 * SECOND, 15 * SECOND), named=named)
    seen = play(case)
    assert len(seen.done) == 110
    assert 1 <= len(seen.refused) <= 2 * case.crew.threads * (case.crew.work + case.crew.manual)
    assert together(seen, case.window) <= case.window.calls
