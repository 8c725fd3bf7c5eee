"""The poller's looks: tenants have turns, and none of them keeps what others wait for waiting for its slots."""

from collections import Counter

import pytest

from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.windows import LEAST_BLOCK, LOOK_MS, MOST_AT_IT, SOON_MS, Usage
from sluice.jobs.dispatch.admission import Room, longest_unseen
from sluice.jobs.model.candidate import Candidate
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.limits import Limits
from tests.unit.jobs.conftest import NOON

LIMITS = Limits(interval_ms=500, tolerance_ms=0)
OPEN = Room(None, None, None)


def waiting(tenant: str, many: int, due_at: int) -> list[Candidate]:
    account = f"stockx:{tenant}"
    one = Candidate("", f"{account}#poll#0", "test.work", "waiting", due_at, 2, 1, tenant, account, NOON)
    return [one._replace(job_id=f"{tenant}-{number:03d}", due_at=due_at + number) for number in range(many)]


@pytest.mark.parametrize("now", range(NOON, NOON + 5))
def test_a_tenant_with_few_operations_has_them_checked_beside_one_with_many(now: int) -> None:
    """All 200 of `flood` are due for longer."""
    found = {"a": waiting("flood", 200, NOON - MINUTE), "b": waiting("few", 3, NOON - SECOND)}
    picked = longest_unseen(found, {"a": OPEN, "b": OPEN}, 50, now)
    assert picked["b"] == found["b"]
    assert picked["a"] == found["a"][:47], "and its own longest due come first"


def test_a_budget_without_room_gives_its_turn_to_the_others() -> None:
    found = {"a": waiting("flood", 200, NOON - MINUTE), "b": waiting("few", 3, NOON - SECOND)}
    picked = longest_unseen(found, {"a": OPEN._replace(paced=2), "b": OPEN}, 50, NOON)
    assert Counter({budget: len(jobs) for budget, jobs in picked.items()}) == {"a": 2, "b": 3}


# As far ahead as two workers take slots at this pace.
AT_IT_MS = MOST_AT_IT * LEAST_BLOCK * 500


@pytest.mark.parametrize(
    ("next_at", "manual_until", "checks", "soon"),
    [
        (0, 0, LOOK_MS // 500, SOON_MS // 500),
        (NOON + AT_IT_MS, 0, LOOK_MS // 500, SOON_MS // 500),
        (NOON + AT_IT_MS + 1, NOON + 1, 0, 0),
        (0, NOON + SECOND, LOOK_MS // 500, (SOON_MS - SECOND) // 500),
        (0, NOON + MINUTE, LOOK_MS // 500, 0),
    ],
)
def test_where_some_wait_for_the_slots_already_nobody_else_is_sent_to_wait(
    next_at: int, manual_until: int, checks: int, soon: int
) -> None:
    usage = Usage(next_at=next_at, manual_until=manual_until)
    assert (usage.checks(LIMITS, NOON), usage.soon(LIMITS, NOON)) == (checks, soon)
    assert usage.crowded(LIMITS, NOON) == (soon == 0)


def test_one_manual_batch_waits_behind_those_who_have_taken_the_slots() -> None:
    """Nobody else would ask for it when they are done. Work that others want too is better done on their account."""
    usage = Usage(next_at=NOON + AT_IT_MS + 1)
    assert (usage.checks(LIMITS, NOON), usage.soon(LIMITS, NOON)) == (0, 1)
    assert usage.crowded(LIMITS, NOON)


def test_one_block_of_quick_calls_keeps_nobody_away() -> None:
    """Ten slots of 50 ms are half a second, which is one worker's."""
    quick = Limits(interval_ms=50, tolerance_ms=0)
    assert Usage(next_at=NOON + 500).soon(quick, NOON) == SOON_MS // 50
    assert Usage(next_at=NOON + 1_000).soon(quick, NOON) == SOON_MS // 50
    assert Usage(next_at=NOON + 1_001).soon(quick, NOON) == 1


def test_a_slowed_budget_has_fewer_and_one_without_slots_as_many_as_there_are() -> None:
    slowed = Usage(slowed=Slowed(pace=4 * SECOND, refusals=3))
    assert (slowed.checks(LIMITS, NOON), slowed.soon(LIMITS, NOON)) == (1, 2)
    assert (Usage().checks(Limits(), NOON), Usage().soon(Limits(), NOON)) == (None, None)
