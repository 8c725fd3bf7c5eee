"""One pace on the slots item, shared by all workers: slower after a refusal, back with answers, and at no cost else."""

import pytest

from sluice.jobs.budgets import ledger, refusals
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.pace import UNSLOWED, Slowed
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.outcomes import BudgetClosed
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store

BUDGET = "stockx:acme"
NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
LIMITS = Limits(by_clock(100, 1_000), interval_ms=1_000, tolerance_ms=0)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON + MINUTE)


def grant(clock: VirtualClock, calls: int = 0) -> Grant:
    return Grant(BUDGET, LIMITS, Window.at(clock.time), calls, clock, clock.time + HOUR)


def slowed() -> Slowed:
    return ledger.read(BUDGET, NOON).slowed


def refuse(now: int, *, named: bool = False, pause: int = MINUTE) -> int:
    return refusals.refuse(BUDGET, LIMITS, refusals.RefusedCall(now + pause, "refused", named), now)


def test_a_refusal_doubles_the_pace_of_every_worker(store: Store, clock: VirtualClock) -> None:
    one, other = grant(clock), grant(clock)
    one.take()
    until = one.refused(clock.time + MINUTE, "refused", named=False)
    assert (until, slowed()) == (clock.time + MINUTE, Slowed(2_000, 1))
    with pytest.raises(BudgetClosed):
        one.take()
    clock.time = until
    # The other worker took its block before, and knows of no refusal.
    began = clock.time
    for _ in range(3):
        other.take()
        other.answered()
    assert clock.time - began >= 2 * 1_875, "half of what three answers bring back is less than an eighth"


def test_answered_calls_bring_it_back_by_writes_that_are_made_anyway(store: Store, clock: VirtualClock) -> None:
    refuse(clock.time)
    clock.time += MINUTE
    worker, paces = grant(clock), []
    for _ in range(40):
        worker.take()
        worker.answered()
        paces.append(slowed().of(1_000))
    assert paces == sorted(paces, reverse=True)
    assert (paces[0], paces[-1]) == (2_000, 1_000)
    assert slowed() == UNSLOWED
    item = store.item("budgets", budget=BUDGET, window="slots")
    assert item
    assert not {"pace", "refusals"} & item.keys()


def test_the_last_answers_of_a_batch_count_too(store: Store, clock: VirtualClock) -> None:
    refuse(clock.time)
    clock.time += MINUTE
    worker = grant(clock)
    worker.take()
    worker.answered()
    worker.give_back()
    assert slowed() == Slowed(2_000, 1).answered(1, 1_000)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("limits", [LIMITS, Limits((CallWindow(10, seconds=10),), interval_ms=1_000, tolerance_ms=0)])
def test_each_answer_counts_once_and_is_told_at_the_end_at_the_latest(limits: Limits, clock: VirtualClock) -> None:
    """With the next block of slots, or when the batch is done."""
    for _ in range(2):
        refusals.refuse(BUDGET, limits, refusals.RefusedCall(clock.time + MINUTE, "refused"), clock.time)
        clock.time += HOUR // 4
    before = slowed()
    assert before == Slowed(4_000, 2)
    worker = Grant(BUDGET, limits, Window.at(clock.time), 9, clock, clock.time + HOUR)
    for answers in (0, 2, 3):
        worker.take()
        assert slowed() == before.answered(answers, limits.pace)
        for _ in range(2 if answers == 0 else 1):
            worker.answered()
    worker.give_back()
    assert slowed() == before.answered(4, limits.pace)


def test_a_budget_that_is_never_refused_writes_nothing_for_it(store: Store, clock: VirtualClock) -> None:
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(clock.time), 9)
    sent: list[str] = []

    def watched(request: Request, send: Send) -> Answer:
        sent.append(request.operation)
        return send()

    store.around = watched
    worker = grant(clock, 9)
    for _ in range(9):
        worker.take()
        worker.answered()
    worker.give_back()
    assert sent == ["UpdateItem"] * 4, "three blocks of slots, the first of which finds a clock that stands"


def test_refusals_of_calls_that_were_under_way_are_one(store: Store, clock: VirtualClock) -> None:
    ends = [refuse(clock.time + late) for late in (0, 100, 20 * SECOND)]
    assert (set(ends), slowed()) == ({clock.time + MINUTE}, Slowed(2_000, 1))


def test_pauses_grow_and_end_with_the_day_at_the_latest(store: Store) -> None:
    now, pauses = NOON, []
    while now < NOON + 11 * HOUR + 40 * MINUTE:
        end = refuse(now)
        pauses.append((end - now) // MINUTE)
        now = end
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert now == NOON + 12 * HOUR + LIMITS.margin_ms, "the marketplace's day may have been what was used up"
    assert slowed().pace == 16_000
    assert (NOON + 12 * HOUR) % DAY == 0


def test_a_time_that_the_marketplace_names_is_kept_as_it_is(store: Store) -> None:
    assert refuse(NOON, named=True, pause=7 * SECOND) == NOON + 7 * SECOND
    assert refuse(NOON + 8 * SECOND, named=True, pause=7 * SECOND) == NOON + 15 * SECOND
    assert slowed() == Slowed(4_000, 2)
    # Who asks for hours does not mean the pace.
    assert refuse(NOON + 20 * SECOND, named=True, pause=2 * HOUR) == NOON + 20 * SECOND + 2 * HOUR
    assert slowed() == Slowed(4_000, 3)


def test_a_refusal_that_was_looked_into_first_counts_once(store: Store, clock: VirtualClock) -> None:
    worker = grant(clock)
    worker.take()
    worker.close(clock.time + MINUTE, "not known yet")
    assert slowed() == UNSLOWED
    worker.refused(clock.time + MINUTE, "refused", named=False)
    assert slowed() == Slowed(2_000, 1)


def test_where_calls_need_no_slots_there_is_no_pace_to_slow(store: Store) -> None:
    refusals.refuse(BUDGET, Limits(), refusals.RefusedCall(NOON + MINUTE, "refused"), NOON)
    usage = ledger.read(BUDGET, NOON)
    assert (usage.slowed, usage.closed_until) == (Slowed(0, 1), NOON + MINUTE)
