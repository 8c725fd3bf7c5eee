"""Calls of a budget go to manual batches first: they say so in the write that takes calls, and others give way."""

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from bench.virtual import VirtualClock as SharedClock
from sluice.jobs.budgets.grant import ASK_MS, LONGEST_WAY_MS, Grant
from sluice.jobs.budgets.ledger import SLOTS, Budget
from sluice.jobs.budgets.refusals import RefusedCall, refuse
from sluice.jobs.budgets.slots import NEXT_BLOCK_MS, Asked, GiveWay, reserve_slots
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.outcomes import BudgetClosed, OutOfTime
from sluice.platform.clock import HOUR, SECOND
from sluice.platform.config.limits import CallWindow, Limits
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store

BUDGET = "stockx:acme"
NOON = 1_795_348_800_000
PACED = Limits(interval_ms=1_000, tolerance_ms=0)
ROLLING = Limits((CallWindow(6, seconds=6),))
EACH = pytest.mark.parametrize("limits", [PACED, ROLLING], ids=["pace", "rolling"])


def grant(clock: VirtualClock | SharedClock, limits: Limits, calls: int, *, manual: bool = False) -> Grant:
    return Grant(BUDGET, limits, Window.at(clock.now()), calls, clock, NOON + HOUR, manual=manual)


def until(store: Store) -> int | None:
    item = store.item("budgets", budget=BUDGET, window="slots")
    return int(item["first_until"]["N"]) if item and "first_until" in item else None


@EACH
def test_a_manual_batch_says_so_in_the_writes_that_it_makes_anyway(store: Store, limits: Limits) -> None:
    clock, sent = VirtualClock(NOON), list[str]()

    def watched(request: Request, send: Send) -> Answer:
        sent.append(request.operation)
        return send()

    def run(*, manual: bool) -> tuple[int, list[int | None]]:
        """The writes of a batch of six calls, and until when the others give way after each of the calls."""
        clock.time += 20 * SECOND
        worker, said = grant(clock, limits, 6, manual=manual), list[int | None]()
        for _ in range(6):
            store.around = watched
            worker.take()
            store.around = None
            said.append(until(store))
        store.around = watched
        worker.give_back()
        store.around = None
        writes = sent.count("UpdateItem")
        sent.clear()
        return writes, said

    run(manual=False)
    background, said = run(manual=False)
    assert said == [None] * 6
    manual, said = run(manual=True)
    assert manual == background, "no write more than background work makes"
    assert all(said[:3]), "it has calls to take still"
    assert said[3:] == [None] * 3, "it has all of its calls"


@EACH
def test_background_work_gives_way_until_the_manual_batch_has_its_calls(store: Store, limits: Limits) -> None:
    """Both want nine calls, and the background batch came first."""
    clock, ends = SharedClock(NOON), dict[str, list[int]](background=[], manual=[])
    never = threading.Event()

    def work(name: str, began: int) -> Callable[[], None]:
        def run() -> None:
            clock.wait_until(began, never)
            worker = grant(clock, limits, 9, manual=name == "manual")
            for _ in range(9):
                worker.take()
                ends[name].append(clock.now())
                clock.wait_until(clock.now() + 10, never)
            worker.give_back()

        return run

    clock.run([work("background", NOON), work("manual", NOON + 5)])
    held_before = 3
    ahead = sum(at < ends["manual"][-1] for at in ends["background"])
    assert ahead == held_before, "what it had taken before; then it waited"
    assert len(ends["background"]) == 9, "and it got its own after"


@EACH
def test_a_manual_batch_that_dies_holds_nobody_up(store: Store, limits: Limits) -> None:
    clock = VirtualClock(NOON)
    manual = grant(clock, limits, 6, manual=True)
    manual.take()  # and is never heard of again
    waits = until(store)
    assert waits is not None
    background = grant(clock, limits, 3)
    background.take()
    assert clock.time <= waits + 1


def test_a_manual_batch_says_that_it_comes_again_too_where_it_has_less_than_it_asked_for(store: Store) -> None:
    """A budget that refusals have slowed gives one call at a time."""
    refuse(BUDGET, PACED, RefusedCall(NOON + SECOND, "429"), NOON)
    clock = VirtualClock(NOON + HOUR // 2)
    worker = grant(clock, PACED, 5, manual=True)
    for _ in range(4):
        worker.take()
        assert until(store)
    worker.take()
    assert until(store) is None, "now it has its calls"


def test_who_says_nothing_of_itself_is_background_work(store: Store) -> None:
    clock = VirtualClock(NOON)
    grant(clock, PACED, 9, manual=True).take()
    said = until(store)
    assert said
    with pytest.raises(GiveWay) as first:
        reserve_slots(BUDGET, PACED, 1, NOON)
    assert first.value.until == said
    reserve_slots(BUDGET, PACED, 1, NOON, asked=Asked(manual=True))
    assert until(store) == said, "and a person's single call takes nothing back"
    reserve_slots(BUDGET, PACED, 1, NOON, asked=Asked(patient=True))


@EACH
@pytest.mark.parametrize("calls", [1, 3, 4, 5, 7])
def test_who_has_its_calls_holds_nobody_up(store: Store, limits: Limits, calls: int) -> None:
    """Whether its last block has one call in it, or three."""
    clock = VirtualClock(NOON)
    worker, said = grant(clock, limits, calls, manual=True), list[int | None]()
    for _ in range(calls):
        worker.take()
        said.append(until(store))
    last = (calls - 1) // 3 * 3
    assert all(said[:last])
    assert said[last:] == [None] * (calls - last)


def test_a_manual_batch_that_needs_no_more_takes_nothing_back_that_another_has_said(store: Store) -> None:
    clock = VirtualClock(NOON)
    grant(clock, PACED, 9, manual=True).take()
    said = until(store)
    grant(clock, PACED, 3, manual=True).take()
    assert until(store) == said, "it has not said anything itself"
    small, large = (Grant(BUDGET, PACED, Window.at(NOON), calls, clock, NOON + HOUR, manual=True) for calls in (3, 9))
    for _ in range(3):
        small.take()
    large.take()
    said = until(store)
    assert said
    small.take()
    assert (until(store) or 0) >= said


def test_who_gives_way_asks_again_when_the_manual_batch_should_have_its_calls_and_not_all_the_time(
    store: Store,
) -> None:
    """Its next block is twelve seconds away. Each time that somebody asks costs a write."""
    clock, asked = VirtualClock(NOON), list[int]()
    slow = Limits(interval_ms=4_000, tolerance_ms=0)
    Grant(BUDGET, slow, Window.at(NOON), 6, clock, NOON + HOUR, manual=True).take()
    waits = until(store)
    assert waits

    def watched(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem":
            asked.append(clock.time)
        return send()

    store.around = watched
    grant(clock, slow, 3).take()
    store.around = None
    [first, *later] = sorted(set(asked))
    assert first == NOON
    assert min(later) == waits - NEXT_BLOCK_MS
    assert len(later) <= NEXT_BLOCK_MS // ASK_MS + 1


@EACH
def test_background_work_that_has_given_way_for_long_has_its_turn(store: Store, limits: Limits) -> None:
    """Manual batches come one after another, each with more calls to take."""

    class Pressed(VirtualClock):
        def wait_until(self, at: int, wake: threading.Event) -> bool:
            Budget(BUDGET, SLOTS).update([Budget.first_until.set(at + HOUR)])
            return super().wait_until(at, wake)

    clock = Pressed(NOON)
    grant(clock, limits, 6, manual=True).take()
    background = grant(clock, limits, 12)
    background.take()
    assert LONGEST_WAY_MS <= clock.time - NOON <= LONGEST_WAY_MS + 8 * SECOND
    starts = [clock.time]
    for _ in range(11):
        background.take()
        starts.append(clock.time)
    assert max(after - before for before, after in pairwise(starts)) >= LONGEST_WAY_MS, "then it gives way once more"


@EACH
def test_who_gives_way_learns_of_a_429_and_of_the_end_of_its_time(store: Store, limits: Limits) -> None:
    clock = VirtualClock(NOON)
    grant(clock, limits, 6, manual=True).take()
    short = Grant(BUDGET, limits, Window.at(NOON), 3, clock, NOON + SECOND)
    with pytest.raises(OutOfTime):
        short.take()
    clock.time = NOON
    manual = grant(clock, limits, 60, manual=True)
    manual.take()
    manual.close(clock.time + HOUR, "429")
    with pytest.raises(BudgetClosed):
        grant(clock, limits, 3).take()
