"""What a budget has room for in one look: by its windows, its slots, and what was handed out before."""

import pytest

from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.rings import Rings
from sluice.jobs.budgets.shares import Shares
from sluice.jobs.budgets.windows import Usage, spans
from sluice.jobs.dispatch.admission import Room, pick
from sluice.jobs.dispatch.find_ready import Ready, _charged, _room
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from tests.unit.jobs.conftest import NOON

BUDGET, APPLICATION = "stockx:acme", "ebay:app.3f9c"
HORIZON = 20 * SECOND
PACED = Limits(interval_ms=1_000, tolerance_ms=0)
MINUTES = Limits((CallWindow(6, seconds=60),), tolerance_ms=0)
TENS = Limits((CallWindow(6, seconds=10),), tolerance_ms=0)
BOTH = Limits((CallWindow(6, seconds=60),), interval_ms=4_000, tolerance_ms=0)


def room(limits: Limits, usage: Usage, budget: str = BUDGET) -> Room:
    config = Config(engine=Engine(reserve_percent=20))
    return _room(budget, limits, usage._replace(at=NOON), Snapshot(NOON, config, Accounts(lambda *_: {})), HORIZON)


def called(limits: Limits, calls: int) -> Usage:
    """After so many calls at noon."""
    rings = Rings().fitting(spans(limits), 0)
    for _ in range(calls):
        rings, _ticket = rings.take(NOON, NOON, 0)
    return Usage(rings=rings)


@pytest.mark.parametrize(
    ("limits", "usage", "paced", "least"),
    [
        (Limits(by_clock(100)), Usage(admitted_until=NOON + MINUTE), None, 0),
        # By the pace: the horizon less what is spoken for, and an eighth of the whole is worth a look.
        (PACED, Usage(), 20, 2),
        (Limits(interval_ms=500, tolerance_ms=0), Usage(), 40, 5),
        (PACED, Usage(admitted_until=NOON + 5_001), 15, 2),
        (PACED, Usage(next_at=NOON + 19_001), 1, 2),
        (PACED, Usage(manual_until=NOON + HORIZON), 0, 2),
        (PACED, Usage(manual_until=NOON + MINUTE), 0, 2),
        (PACED, Usage(slowed=Slowed(3_000, 1)), 7, 0),
        (Limits(interval_ms=1_001, tolerance_ms=0), Usage(), 20, 2),
        # By windows that roll: what comes free within the horizon, less what was handed out and has not started.
        (MINUTES, Usage(), 6, 0),
        (TENS, Usage(), 18, 2),
        (MINUTES, called(MINUTES, 4), 2, 0),
        (TENS, called(TENS, 4), 14, 1),
        (MINUTES, called(MINUTES, 4)._replace(admitted_until=NOON + 20), 1, 0),
        (MINUTES, called(MINUTES, 4)._replace(admitted_until=NOON + MINUTE - 1), 0, 0),
        (MINUTES, called(MINUTES, 6), 0, 0),
        (MINUTES, called(MINUTES, 4)._replace(admitted_until=NOON + 2 * MINUTE), 0, 0),
        # By both: the less of the two.
        (Limits((CallWindow(24, seconds=60),), interval_ms=1_000, tolerance_ms=0), Usage(), 20, 2),
        (Limits((CallWindow(16, seconds=60),), interval_ms=500, tolerance_ms=0), Usage(), 16, 2),
        (BOTH, Usage(), 5, 0),
        (BOTH, called(BOTH, 4), 2, 0),
        (BOTH, Usage(next_at=NOON + 12_000), 2, 0),
    ],
)
def test_the_slots_have_room_for_what_can_start_within_the_horizon(
    limits: Limits, usage: Usage, paced: int | None, least: int
) -> None:
    assert (room(limits, usage).paced, room(limits, usage).least) == (paced, least)


def test_the_room_is_what_windows_have_left_and_what_of_it_is_not_kept() -> None:
    shared = room(Limits(by_clock(100)), Usage(hour=30, had={"acme": 9}), APPLICATION)
    assert shared == Room(70, 50, None, Shares(100, 30, 0, {"acme": 9}))
    assert room(PACED, Usage(manual_until=NOON + 2_000)) == Room(None, None, 18, None, 4, 3, 2)
    assert room(Limits(by_clock(100)), Usage(hour=30)).shares is None


def candidate(calls: int, priority: int = keys.BACKGROUND) -> Candidate:
    lane = keys.lane(BUDGET, BUDGET, priority, "", 1)
    return Candidate("test.work:1", lane, "test.work", "queued", NOON, priority, calls, "acme", BUDGET, NOON)


@pytest.mark.parametrize(
    ("left", "spare", "priority", "charged"),
    [
        (70, 50, keys.BACKGROUND, 9),
        (70, 5, keys.BACKGROUND, 5),
        (70, 0, keys.BACKGROUND, 9),  # there is nothing that it could take: it is not admitted
        (70, 5, keys.HOT, 9),
        (7, 5, keys.HOT, 7),
        (7, 5, keys.MANUAL, 7),
        (None, None, keys.BACKGROUND, 9),
    ],
)
def test_a_job_reserves_what_it_expects_or_what_there_is(
    left: int | None, spare: int | None, priority: int, charged: int
) -> None:
    """It takes the rest as it goes. At most a whole window, or it could never begin."""
    limits = Limits(by_clock(100))
    assert _charged(candidate(9, priority), limits, Room(left, spare, None)).calls == charged
    assert _charged(candidate(900, keys.HOT), limits, Room(None, None, None)).calls == 100


@pytest.mark.parametrize(
    ("priority", "calls", "room", "picked"),
    [
        (keys.BACKGROUND, [1, 1, 1], Room(9, 2, None), 2),
        (keys.BACKGROUND, [2, 1], Room(9, 2, None), 1),
        (keys.BACKGROUND, [3, 1], Room(9, 2, None), 0),  # no smaller one is let past it
        (keys.HOT, [1, 1, 1], Room(9, 0, None), 3),
        (keys.MANUAL, [1, 1, 1], Room(9, 0, 0), 3),
        (keys.HOT, [1, 1, 1], Room(2, 9, None), 2),
        (keys.HOT, [3, 1], Room(2, 9, None), 0),
        (keys.HOT, [1, 1, 1], Room(9, 9, 2), 2),
        (keys.HOT, [3, 1], Room(9, 9, 2), 1),  # its first call starts within the horizon
        (keys.HOT, [1, 1], Room(9, 9, 2, least=2), 2),
        (keys.HOT, [1, 1], Room(9, 9, 2, least=3), 0),
        (keys.HOT, [1], Room(9, 9, 0), 0),
    ],
)
def test_jobs_are_picked_in_their_order_until_one_does_not_fit(
    priority: int, calls: list[int], room: Room, picked: int
) -> None:
    jobs = [
        candidate(many, priority)._replace(job_id=f"test.work:stockx:{number}") for number, many in enumerate(calls)
    ]
    assert pick(jobs, room, NOON, HOUR) == jobs[:picked]


def test_only_a_pace_that_refusals_have_made_slower_is_told() -> None:
    assert Ready(BUDGET, PACED, Room(None, None, None)).pace == 0
    assert Ready(BUDGET, PACED, Room(None, None, None), usage=Usage(slowed=Slowed(3_000, 1))).pace == 3_000
