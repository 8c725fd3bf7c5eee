"""Windows that roll, as workers keep them on the slots item: exact for any number of them, a write for each block."""

import threading
from itertools import pairwise
from random import Random

import pytest

from bench.virtual import VirtualClock as SharedClock
from sluice.jobs.budgets import ledger, slots
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.pace import UNSLOWED
from sluice.jobs.budgets.refusals import RefusedCall, refuse
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty, Failure, OutOfTime
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store

BUDGET = "stockx:acme"
NOON = 1_795_348_800_000
TEN = CallWindow(20, seconds=10)
LIMITS = Limits((TEN,))
MARGIN = LIMITS.arrival_ms

pytestmark = pytest.mark.usefixtures("store")


def grant(clock: VirtualClock | SharedClock, limits: Limits = LIMITS, calls: int = 0, *, manual: bool = False) -> Grant:
    return Grant(BUDGET, limits, Window.at(clock.now()), calls, clock, NOON + HOUR, manual=manual)


def make(worker: Grant, clock: VirtualClock, calls: int, answer: int = 0) -> list[int]:
    """When the next calls started."""
    starts = []
    for _ in range(calls):
        worker.take()
        starts.append(clock.time)
        clock.time += answer
    return starts


def fits(starts: list[int], window: CallWindow) -> bool:
    made = sorted(starts)
    return all(after - before >= window.ms for before, after in zip(made, made[window.calls :], strict=False))


def counted(store: Store) -> list[str]:
    sent: list[str] = []

    def watched(request: Request, send: Send) -> Answer:
        sent.append(request.operation)
        return send()

    store.around = watched
    return sent


def test_the_whole_window_is_used_at_once_and_then_each_place_as_it_is_free() -> None:
    clock = VirtualClock(NOON)
    starts = make(grant(clock, calls=40), clock, 40)
    assert starts == [NOON] * 20 + [NOON + 10 * SECOND + MARGIN] * 20


def test_a_block_costs_one_write_and_a_worker_one_read(store: Store) -> None:
    clock, sent = VirtualClock(NOON), counted(store)
    # Ten seconds for twenty calls: a block is what would come in half a second, and three calls at least.
    worker = grant(clock, calls=18)
    make(worker, clock, 18, answer=5)
    assert sent == ["BatchGetItem"] + ["UpdateItem"] * 6
    worker.give_back()
    assert sent[7:] == ["UpdateItem"], "when the last calls were made, for half a second is much of this window"


def test_when_calls_were_made_is_told_by_the_next_write() -> None:
    clock = VirtualClock(NOON)
    starts = make(grant(clock, calls=21), clock, 21, answer=100)
    assert starts[20] == starts[0] + 10 * SECOND + MARGIN, "not half a second later, when it might have started"


def test_a_worker_that_dies_leaves_the_latest_times() -> None:
    clock = VirtualClock(NOON)
    limits = Limits((CallWindow(3, seconds=10),))
    make(grant(clock, limits, calls=3), clock, 1)
    hold = slots.rhythm(limits, UNSLOWED).hold
    assert hold == 500
    assert make(grant(clock, limits, calls=3), clock, 3) == [NOON + hold + 10 * SECOND + MARGIN] * 3


@pytest.mark.parametrize(
    ("seconds", "pace", "hold"),
    [(10, 0, 500), (3_600, 0, 500), (4, 0, 200), (1, 0, 50), (10, 400, 30), (3_600, 400, 30)],
)
def test_a_call_may_start_late_by_half_a_second_or_a_twentieth_of_its_window(
    seconds: int, pace: int, hold: int
) -> None:
    """What has a pace comes slot by slot: there it is the tolerance of the slots."""
    limits = Limits((CallWindow(20, seconds=seconds), CallWindow(900, seconds=86_400)), pace, tolerance_ms=30)
    assert slots.rhythm(limits, UNSLOWED).hold == hold


@pytest.mark.parametrize(("seconds", "told"), [(10, 1), (50, 1), (51, 0), (3_600, 0)])
def test_when_the_last_calls_were_made_is_told_where_that_is_worth_a_write(
    seconds: int, told: int, store: Store
) -> None:
    clock = VirtualClock(NOON)
    worker = grant(clock, Limits((CallWindow(20, seconds=seconds),)), calls=1)
    make(worker, clock, 1)
    sent = counted(store)
    worker.give_back()
    assert sent == ["UpdateItem"] * told


def test_calls_that_were_not_needed_go_back() -> None:
    clock = VirtualClock(NOON)
    worker = grant(clock, calls=3)
    make(worker, clock, 1)
    worker.give_back()
    assert make(grant(clock, calls=20), clock, 19) == [NOON] * 19


def test_places_of_calls_that_were_late_are_the_workers_still() -> None:
    clock = VirtualClock(NOON)
    worker = grant(clock, calls=20)
    make(worker, clock, 1)
    clock.time += 5 * SECOND  # its first call was answered after so long: the others of the block have passed
    assert make(worker, clock, 19) == [NOON + 5 * SECOND] * 19
    assert make(grant(clock, calls=1), clock, 1) == [NOON + 10 * SECOND + MARGIN]


def test_a_window_that_is_used_up_for_long_is_said_and_nobody_waits_for_it(store: Store) -> None:
    clock = VirtualClock(NOON)
    limits = Limits((CallWindow(2, seconds=3_600),))
    make(grant(clock, limits, calls=2), clock, 2)
    sent = counted(store)
    opens = NOON + slots.rhythm(limits, UNSLOWED).hold + HOUR + MARGIN
    with pytest.raises(BudgetEmpty) as full:
        grant(clock, limits).take()
    assert full.value.retry_at is not None
    assert NOON + HOUR < full.value.retry_at <= opens
    assert sent[-1] == "BatchGetItem", "nothing is written for it"
    usage = ledger.read(BUDGET, clock.time)
    assert usage.left(limits) == 0
    assert usage.empty_until(limits, Window.at(NOON)) == full.value.retry_at
    later = ledger.read(BUDGET, full.value.retry_at - MINUTE)
    assert later.left(limits), "a minute before it opens it is worth waiting for"


def test_a_worker_whose_time_ends_before_takes_nothing() -> None:
    clock = VirtualClock(NOON)
    make(grant(clock, calls=20), clock, 20)
    short = Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + 5 * SECOND)
    with pytest.raises(BudgetEmpty):
        short.take()
    paced = Limits((CallWindow(20, seconds=10),), interval_ms=1_000)
    slow = Grant("stockx:slow", paced, Window.at(NOON), 9, clock, NOON + SECOND // 2)
    slow.take()
    with pytest.raises(OutOfTime):
        make(slow, clock, 8)


def test_a_refusal_slows_a_budget_that_has_no_pace() -> None:
    clock = VirtualClock(NOON)
    limits = Limits((CallWindow(100, seconds=10),))
    until = refuse(BUDGET, limits, RefusedCall(NOON + 5 * SECOND, "429"), NOON)
    with pytest.raises(BudgetClosed):
        grant(clock, limits).take()
    clock.time = until
    worker = grant(clock, limits, calls=2)
    one, other = make(worker, clock, 2)
    assert other - one == 200, "twice the distance at which they would come evenly"


def test_a_pace_and_several_windows_hold_together() -> None:
    clock = VirtualClock(NOON)
    limits = Limits(
        (CallWindow(5, seconds=10), CallWindow(8, seconds=60), *by_clock(hour=11)), interval_ms=100, tolerance_ms=5
    )
    starts = make(grant(clock, limits, calls=0), clock, 11)
    assert starts[0] >= NOON + limits.margin_ms
    assert all(after - before >= limits.pace for before, after in pairwise(starts))
    assert fits(starts, limits.rolling[0])
    assert fits(starts, limits.rolling[1])
    with pytest.raises(BudgetEmpty):
        make(grant(clock, limits), clock, 1)


@pytest.mark.parametrize("seed", range(6))
def test_workers_that_wait_die_and_come_again_keep_the_window_and_use_it(seed: int) -> None:
    """Sixteen threads on one virtual clock, real conditional writes, ways of up to the margin; some die on the way."""
    limits, turns = Limits((CallWindow(40, seconds=10),), tolerance_ms=30), 6
    clock, arrivals, lock = SharedClock(NOON), list[int](), threading.Lock()

    def work(number: int) -> None:
        chance, never = Random(100 * seed + number), threading.Event()
        while clock.now() < NOON + turns * 10 * SECOND:
            worker = grant(clock, limits, calls=chance.randint(1, 12))
            try:
                for _ in range(chance.randint(1, 12)):
                    worker.take()
                    clock.wait_until(clock.now() + chance.randint(0, 30), never)
                    with lock:
                        arrivals.append(clock.now())
            except Failure as stop:
                clock.wait_until(stop.retry_at or clock.now() + SECOND, never)
            if chance.random() < 0.9:
                worker.give_back()
            clock.wait_until(clock.now() + chance.randint(0, 50), never)

    clock.run([lambda number=number: work(number) for number in range(16)])  # type: ignore[misc]
    assert fits(arrivals, CallWindow(40, seconds=10))
    in_time = sum(at < NOON + turns * 10 * SECOND for at in arrivals)
    assert in_time >= 0.9 * turns * 40, "though some died with calls in hand"


def test_the_rings_stay_within_a_write_unit(store: Store) -> None:
    clock = VirtualClock(NOON)
    windows = (CallWindow(200, seconds=10), CallWindow(25_000, seconds=86_400), CallWindow(900, seconds=3_600))
    make(grant(clock, Limits(windows, interval_ms=50), calls=30), clock, 30)
    item = store.item("budgets", budget=BUDGET, window="slots")
    assert item
    size = sum(len(name) + len(str(next(iter(value.values())))) for name, value in item.items() if name != "rings")
    assert size + len(item["rings"]["B"]) < 1_000


def test_rings_that_cannot_be_read_count_as_full() -> None:
    clock = VirtualClock(NOON)
    ledger.Budget(BUDGET, "slots", rings=b"\x09 of a later version").save()
    assert make(grant(clock, calls=1), clock, 1) == [NOON + 10 * SECOND + MARGIN]


@pytest.mark.parametrize("lost", ["the item", "its rings"])
def test_a_worker_goes_on_where_the_rings_that_it_knew_are_lost(lost: str) -> None:
    clock = VirtualClock(NOON)
    worker = grant(clock, calls=60)
    make(worker, clock, 20)
    item = ledger.Budget.get(BUDGET, "slots")
    if lost == "the item":
        item.delete()
    else:
        item.update(actions=[ledger.Budget.rings.set(b"\x09 of a later version"), ledger.Budget.turn.set(99)])
    assert len(make(worker, clock, 20)) == 20


def test_a_slots_item_of_before_goes_on() -> None:
    """One that knows no rings begins with an empty window; its pace, and what closed it, hold."""
    clock = VirtualClock(NOON)
    limits = Limits((TEN,), interval_ms=600)
    ledger.Budget(BUDGET, "slots", next_at=NOON + 7 * SECOND).save()
    assert make(grant(clock, limits, calls=1), clock, 1) == [NOON + 7 * SECOND]
