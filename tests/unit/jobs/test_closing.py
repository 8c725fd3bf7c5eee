"""What a closed budget says of itself, and what no late word takes back."""

import pytest

from sluice.jobs.budgets import ledger, refusals
from sluice.jobs.budgets.refusals import RefusedCall
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.limits import Limits, by_clock
from tests.unit.jobs.conftest import NOON

BUDGET = "stockx:acme"
LIMITS = Limits(by_clock(100, 1_000), interval_ms=1_000, tolerance_ms=0)

pytestmark = pytest.mark.usefixtures("store")


def test_a_closed_budget_tells_since_when_until_when_and_why() -> None:
    """By a refusal, and by an outage; a later end that comes without a beginning leaves the first one."""
    until = refusals.refuse(BUDGET, LIMITS, RefusedCall(NOON + MINUTE, "429 of a call"), NOON)
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_at, usage.closed_until, usage.closed_reason) == (NOON, until, "429 of a call")
    ledger.close(BUDGET, until + MINUTE, "it is down")
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_at, usage.closed_until, usage.closed_reason) == (NOON, until + MINUTE, "it is down")
    ledger.close(BUDGET, until + 2 * MINUTE, "still down", since=NOON + SECOND)
    assert ledger.read(BUDGET, NOON).closed_at == NOON + SECOND


def test_answers_of_before_a_refusal_do_not_bring_the_pace_back_from_it() -> None:
    """A worker tells of its answered calls late: meanwhile another one was refused again."""
    until = refusals.refuse(BUDGET, LIMITS, RefusedCall(NOON + MINUTE, "429"), NOON)
    known = ledger.read(BUDGET, NOON).slowed
    refusals.refuse(BUDGET, LIMITS, RefusedCall(until + 1 + MINUTE, "429"), until + 1)
    twice = ledger.read(BUDGET, NOON).slowed
    assert twice.pace == 2 * known.pace
    refusals.recover(BUDGET, LIMITS, known, 3)
    assert ledger.read(BUDGET, NOON).slowed == twice
    refusals.recover(BUDGET, LIMITS, twice, 3)
    assert ledger.read(BUDGET, NOON).slowed == twice.answered(3, LIMITS.pace)


@pytest.mark.parametrize(("unused", "moved"), [(2, 2), (0, 0), (-1, 0)])
def test_only_calls_that_were_not_made_move_the_clock_of_manual_work_back(unused: int, moved: int) -> None:
    """A batch may have made more calls than it was handed out with."""
    ledger.admit(BUDGET, LIMITS, 5, NOON, manual=True)
    ledger.retract(BUDGET, unused, LIMITS.pace)
    assert ledger.read(BUDGET, NOON).manual_until == NOON + (5 - moved) * LIMITS.pace
