"""What a worker holds while it calls: each reserved call is made, or given back to the window it was charged to."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from sluice.jobs.budgets import ledger, refusals, slots
from sluice.jobs.budgets.grant import LONGEST_CLOSING_MS, Grant
from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.budgets.slots import reserve_slots, return_slots
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty, Failure, OutOfTime
from sluice.platform import tables
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.patience import SECONDS
from tests.support.store import Answer, Request, Send, Store

NOON = 1_795_348_800_000
BUDGET = "stockx:acme"
LIMITS = Limits(by_clock(100, 1_000), interval_ms=600)

pytestmark = pytest.mark.usefixtures("store")


class HeldUp(VirtualClock):
    """A worker that is held up by chance: a wait may end late, and once in a while an hour passes it by."""

    def __init__(self, time: int, chance: Random) -> None:
        super().__init__(time)
        self.chance = chance

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        woken = super().wait_until(at, wake)
        self.time += self.chance.choice((0, 0, 0, 10, 25, 26, 700, 4 * SECOND, 20 * MINUTE))
        return woken


def charged(*windows: Window) -> list[int]:
    return [ledger.read(BUDGET, window.hour_start).hour for window in windows]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("pace", [600, 0])
def test_what_is_reserved_less_what_is_given_back_is_what_was_called(seed: int, pace: int) -> None:
    chance = Random(seed)
    limits = Limits(by_clock(9, 25), interval_ms=pace)
    clock = HeldUp(NOON + 10 * HOUR + chance.randint(0, 2 * HOUR), chance)
    first, reserved = Window.at(clock.time), chance.randint(0, 9)
    assert ledger.reserve_calls(BUDGET, limits, first, reserved)
    grant = Grant(BUDGET, limits, first, reserved, clock, clock.time + 3 * HOUR)
    made: list[int] = []
    try:
        for _ in range(30):
            grant.take()
            made.append(clock.time)
            if chance.randint(0, 15) == 0:
                grant.close(clock.time + MINUTE, "429")
    except (BudgetEmpty, BudgetClosed, OutOfTime):
        pass
    grant.give_back()

    assert grant.made == len(made)
    hours = [Window(first.hour_start + number * HOUR) for number in range(5)]
    assert charged(*hours) == [sum(Window.at(at) == hour for at in made) for hour in hours]
    days = {hour.day: hour for hour in hours}
    assert sum(ledger.read(BUDGET, hour.hour_start).day for hour in days.values()) == len(made)


def test_threads_that_share_a_grant_make_each_call_once() -> None:
    limits = Limits(by_clock(100, 1_000))
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, limits, Window.at(NOON), 40)
    grant = Grant(BUDGET, limits, Window.at(NOON), 40, clock, NOON + HOUR)

    def work(_: int) -> int:
        made = 0
        try:
            for _ in range(20):
                grant.take()
                made += 1
        except BudgetEmpty:
            pass
        return made

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(work, range(8)))
    grant.give_back()
    assert made == grant.made == 100
    assert charged(Window.at(NOON)) == [100]


class Counted(VirtualClock):
    """Counts how many threads wait at once; each that waits lets another go on."""

    def __init__(self, time: int) -> None:
        super().__init__(time)
        self.waiting, self.most, self.count = 0, 0, threading.Lock()

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        with self.count:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        wake.wait(0.001)
        woken = super().wait_until(at, wake)
        with self.count:
            self.waiting -= 1
        return woken


def test_one_call_of_a_worker_waits_for_its_start_at_a_time() -> None:
    """So a worker that dies takes one block of slots with it at most, however many threads it has."""
    clock = Counted(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 40)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 40, clock, NOON + HOUR)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: grant.take(), range(40)))
    assert (clock.most, grant.made) == (1, 40)


class Asleep(VirtualClock):
    """Nobody's time passes: whoever waits says so, and sleeps until it is woken."""

    def __init__(self, time: int) -> None:
        super().__init__(time)
        self.asleep = threading.Event()

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        if at > self.time:
            self.asleep.set()
            wake.wait(SECONDS)  # only so that a fault shows as a failure, and not as a hang
        return wake.is_set()


def test_whoever_waits_is_woken_by_a_429() -> None:
    """The next slot is ten minutes away; nobody sits them out."""
    limits = Limits(by_clock(100), interval_ms=10 * MINUTE)
    clock = Asleep(NOON + MINUTE)
    grant = Grant(BUDGET, limits, Window.at(NOON), 0, clock, NOON + 2 * HOUR)
    assert reserve_slots(BUDGET, limits, 1, clock.time).starts == (clock.time,)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(grant.take)
        clock.asleep.wait()
        grant.close(clock.time + MINUTE, "429")
        with pytest.raises(BudgetClosed):
            taken.result()
    grant.give_back()
    assert charged(Window.at(NOON), Window.at(NOON + HOUR)) == [0, 0]


class Meanwhile(VirtualClock):
    """Something happens while somebody waits."""

    def __init__(self, time: int) -> None:
        super().__init__(time)
        self.meanwhile: Callable[[], None] = lambda: None

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        return super().wait_until(at, wake)


def test_what_one_batch_of_a_process_is_refused_stops_the_calls_of_its_others() -> None:
    """Also one that waits for its slot just then; not those of other budgets, and not when the pause is over."""
    known, clock = Refusals(), Meanwhile(NOON + MINUTE)

    def grant(budget: str = BUDGET) -> Grant:
        assert ledger.reserve_calls(budget, LIMITS, Window.at(NOON), 5)
        return Grant(budget, LIMITS, Window.at(NOON), 5, clock, NOON + HOUR, refusals=known)

    one, other, elsewhere = grant(), grant(), grant("stockx:globex")
    other.take()
    open_again = clock.time + MINUTE
    clock.meanwhile = lambda: one.close(open_again, "429")
    with pytest.raises(BudgetClosed) as closed:
        other.take()
    assert (closed.value.retry_at, other.made) == (open_again, 1)
    other.give_back()
    assert ledger.read(BUDGET, clock.time).next_at == clock.time, "its slot is free for whoever calls then"
    assert isinstance(grant().stopped, BudgetClosed), "nor does one call that begins only now"
    elsewhere.take()
    clock.time = open_again
    grant().take()


CLOSED, LONGER = (BudgetClosed("429", retry_at=NOON + minutes * MINUTE) for minutes in (1, 9))
LATE = OutOfTime("its time is over")


@pytest.mark.parametrize(
    ("reasons", "stands"),
    [
        ([CLOSED, LONGER], LONGER),  # it says when the pause ends in the end
        ([LONGER, CLOSED], CLOSED),
        ([LATE, CLOSED], LATE),
        ([CLOSED, LATE], CLOSED),
        ([LATE, OutOfTime("once more")], LATE),
    ],
)
def test_the_first_reason_to_stop_stands_and_of_closings_the_last(reasons: list[Failure], stands: Failure) -> None:
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 0, VirtualClock(NOON), NOON + HOUR)
    for reason in reasons:
        grant.halt(reason)
    assert grant.stopped is stands
    with pytest.raises(Failure) as stopped:
        grant.take()
    assert stopped.value is stands


def test_no_call_starts_while_a_refusal_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 5)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 5, clock, NOON + HOUR)
    grant.take()
    read, ends = ledger.read, list[int | None]()

    def reading(budget: str, now: int) -> Usage:
        with pytest.raises(BudgetClosed) as closed:
            grant.take()
        ends.append(closed.value.retry_at)
        return read(budget, now)

    for _ in range(3):  # the pause grows with each refusal
        clock.time += MINUTE
        monkeypatch.setattr(ledger, "read", reading)
        until = grant.refused(clock.time + 5 * SECOND, "429", named=False)
        monkeypatch.setattr(ledger, "read", read)
        with pytest.raises(BudgetClosed) as closed:
            grant.take()
        assert closed.value.retry_at == until, "in the end, who waits is told the pause's own end"
    assert ends == [NOON + 2 * MINUTE + 5 * SECOND, NOON + 3 * MINUTE + 5 * SECOND, NOON + 4 * MINUTE + 5 * SECOND]
    assert until > NOON + 4 * MINUTE + 5 * SECOND
    assert grant.made == 1


def test_a_call_that_comes_after_the_workers_time_is_not_made_and_its_slot_stays_free() -> None:
    clock = VirtualClock(NOON + MINUTE)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, clock.time + LIMITS.pace)
    grant.take()
    grant.take()
    with pytest.raises(OutOfTime) as late:
        grant.take()
    assert grant.stopped is late.value
    grant.give_back()
    assert charged(Window.at(NOON)) == [2]
    assert ledger.read(BUDGET, NOON).next_at == NOON + MINUTE + 2 * LIMITS.pace


def test_unused_slots_go_back_unless_somebody_queues_behind_them() -> None:
    slots = reserve_slots(BUDGET, LIMITS, 3, NOON)
    return_slots(BUDGET, slots, 2)
    assert ledger.read(BUDGET, NOON).next_at == NOON + LIMITS.pace

    slots = reserve_slots(BUDGET, LIMITS, 3, NOON)
    behind = reserve_slots(BUDGET, LIMITS, 1, NOON)
    return_slots(BUDGET, slots, 2)
    assert ledger.read(BUDGET, NOON).next_at == behind.next_at


@pytest.mark.parametrize("how", ["closed", "refused"])
def test_a_closing_for_longer_than_any_window_is_a_fault_and_cut(how: str) -> None:
    """What is left stands there since when it was said."""
    clock, reason = VirtualClock(NOON), "Retry-After: 315360000"
    limits = Limits(by_clock(100), interval_ms=600)
    grant = Grant(BUDGET, limits, Window.at(NOON), 0, clock, NOON + HOUR)
    if how == "closed":
        grant.close(NOON + 3_650 * DAY, reason)
    else:
        assert grant.refused(NOON + 3_650 * DAY, reason, named=True) == NOON + LONGEST_CLOSING_MS
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_at, usage.closed_until, usage.closed_reason) == (NOON, NOON + LONGEST_CLOSING_MS, reason)
    assert grant.stopped is not None
    assert grant.stopped.retry_at == NOON + LONGEST_CLOSING_MS


@pytest.mark.parametrize(
    ("limits", "blocks"),
    [
        (Limits(interval_ms=600, tolerance_ms=0), [3, 3, 3, 3, 3, 3, 2]),
        (Limits(interval_ms=100, tolerance_ms=0), [5, 5, 5, 5]),
        (Limits(interval_ms=100, tolerance_ms=25), [4] * 5),
        (Limits((CallWindow(100, seconds=10),)), [5, 5, 5, 5]),
        (Limits((CallWindow(5_000, seconds=1),)), [20]),
    ],
)
def test_a_block_is_what_comes_in_half_a_second_and_three_calls_at_least(
    limits: Limits, blocks: list[int], store: Store
) -> None:
    """Each is one write; who waits for a person's work waits behind one."""
    clock, taken = VirtualClock(NOON), list[int]()
    grant = Grant(BUDGET, limits, Window.at(NOON), 20, clock, NOON + HOUR)

    def watched(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem":
            taken.append(0)
        return send()

    store.around = watched
    for _ in range(20):
        grant.take()
        taken[-1] += 1
    assert [calls for calls in taken if calls] == blocks, "a write that is refused takes none"


def test_a_later_end_of_a_closing_stays() -> None:
    ledger.close(BUDGET, NOON + HOUR, "429")
    for end in (MINUTE, HOUR):
        ledger.close(BUDGET, NOON + end, "503")
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_until, usage.closed_reason) == (NOON + HOUR, "429")


@pytest.mark.parametrize(("said", "hour"), [(20, 80), (97, 10), (-3, 100)])
def test_the_marketplaces_own_count_only_ever_lowers_what_is_left(said: int, hour: int) -> None:
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 10)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + HOUR)
    grant.remaining(said)
    assert min(100, charged(Window.at(NOON))[0]) == hour


def test_a_correction_lasts_when_unused_calls_are_given_back() -> None:
    """30 are left, and 5 of them are this worker's: without them 25, and when it returns them 30."""
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 5)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 5, clock, NOON + HOUR)
    grant.remaining(30)
    assert charged(Window.at(NOON)) == [75]
    grant.give_back()
    assert charged(Window.at(NOON)) == [70]


def test_what_the_marketplace_says_of_a_new_hour_has_nothing_to_do_with_what_is_reserved_in_the_last() -> None:
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 5)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 5, clock, NOON + 2 * HOUR)
    clock.time += HOUR
    grant.remaining(30)
    assert charged(Window.at(NOON), Window.at(NOON + HOUR)) == [5, 70]


def test_a_503_closes_the_budget_for_all_and_leaves_its_pace() -> None:
    clock = VirtualClock(NOON)
    first, second = (Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + HOUR) for _ in range(2))
    first.close(NOON + MINUTE, "shop is not available, and has said until when")
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_until, usage.slowed) == (NOON + MINUTE, Slowed())
    for grant in (first, second):
        with pytest.raises(BudgetClosed, match=r"shop is not available|closed until"):
            grant.take()


def test_a_429_that_says_what_is_left_lowers_the_hour_and_slows_the_pace() -> None:
    clock = VirtualClock(NOON + MINUTE)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + HOUR)
    grant.remaining(40)
    until = grant.refused(clock.time + 5_000, "429", named=False)
    usage = ledger.read(BUDGET, clock.time)
    assert (charged(Window.at(NOON)), usage.closed_until, usage.slowed.refusals) == ([60], until, 1)
    grant.remaining(0)
    grant.give_back()
    assert not ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 1), (
        "the pause ends, and the hour has no calls left"
    )


def test_an_empty_window_says_when_there_are_calls_again() -> None:
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 100)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + HOUR)
    with pytest.raises(BudgetEmpty) as empty:
        grant.take()
    assert empty.value.retry_at == NOON + HOUR
    assert grant.stopped is empty.value, "no other call of the batch asks again"
    grant.give_back()
    assert charged(Window.at(NOON)) == [100]


def test_who_finds_an_empty_window_that_has_calls_again_a_moment_later_comes_back_with_the_next(store: Store) -> None:
    clock = VirtualClock(NOON + MINUTE)
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 100)

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "BatchGetItem":
            store.around = None
            ledger.give_back(BUDGET, LIMITS, Window.at(NOON), 1)
        return send()

    store.around = around
    with pytest.raises(BudgetEmpty) as empty:
        Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + HOUR).take()
    assert empty.value.retry_at == NOON + HOUR


def test_an_empty_day_is_over_at_its_end() -> None:
    clock, limits = VirtualClock(NOON + MINUTE), Limits(by_clock(100, 150))
    for hour, calls in ((NOON - HOUR, 100), (NOON, 50)):
        assert ledger.reserve_calls(BUDGET, limits, Window.at(hour), calls)
    grant = Grant(BUDGET, limits, Window.at(NOON), 0, clock, NOON + DAY)
    with pytest.raises(BudgetEmpty) as empty:
        grant.take()
    assert empty.value.retry_at == Window.at(NOON).day_end


def test_a_call_that_was_not_reserved_before_is_charged_by_itself() -> None:
    clock = VirtualClock(NOON + MINUTE)
    grant = Grant(BUDGET, LIMITS, Window.at(NOON), 0, clock, NOON + HOUR)
    for made in (1, 2):
        grant.take()
        assert charged(Window.at(NOON)) == [made]


def test_what_is_reserved_moves_to_the_next_hour_with_the_call_as_far_as_there_is_room() -> None:
    """At least the one call that is made now."""
    first, second = Window.at(NOON), Window.at(NOON + HOUR)
    limits = Limits(by_clock(10))
    for taken, moved in ((0, 5), (5, 5), (6, 1), (9, 1)):
        clock = VirtualClock(NOON + MINUTE)
        budget = f"stockx:{taken}"
        assert ledger.reserve_calls(budget, limits, first, 5)
        assert ledger.reserve_calls(budget, limits, second, taken)
        grant = Grant(budget, limits, first, 5, clock, NOON + 2 * HOUR)
        clock.time += HOUR
        grant.take()
        assert [ledger.read(budget, hour.hour_start).hour for hour in (first, second)] == [0, taken + moved]


def test_a_manual_batch_waits_behind_one_block_of_slots_for_each_batch_that_is_under_way() -> None:
    """However many calls those have before them: three slots for each, 1.9 s at StockX' pace."""
    clock = VirtualClock(NOON + MINUTE)
    others = [Grant(BUDGET, LIMITS, Window.at(NOON), 25, clock, NOON + HOUR) for _ in range(2)]
    began = clock.time
    for other in others:
        other.take()
    manual = Grant(BUDGET, LIMITS, Window.at(NOON), 3, clock, NOON + HOUR)
    starts = []
    for _ in range(3):
        manual.take()
        starts.append(clock.time - began)
    assert starts == [slot * LIMITS.pace for slot in (6, 7, 8)]


class SlowTable(VirtualClock):
    """Each write of the slots takes its time."""

    def around(self, took: Sequence[int]) -> Callable[[Request, Send], Answer]:
        left = list(took)

        def around(request: Request, send: Send) -> Answer:
            answer = send()
            self.time += left.pop(0) if left else 0
            return answer

        return around


@pytest.mark.parametrize(
    ("took", "starts"),
    [
        ([25], [25, 275, 550]),
        # It was late. The next write is to take as long, so that the slots begin when it has ended.
        ([26], [52, 327, 602]),
        ([90, 90], [180, 455, 730]),
        # It took longer than the last, and once more.
        ([30, 90, 300], [720, 995, 1_270]),
        # So often is enough: the second slot of the block is the first's.
        ([30, 90, 200, 300], [795, 1_070, 1_345]),
    ],
)
def test_a_write_that_takes_longer_than_a_slot_lasts_costs_no_slot(
    took: list[int], starts: list[int], store: Store
) -> None:
    """On a machine, or a table, that is busy for a moment."""
    limits, clock, made = Limits(interval_ms=250), SlowTable(NOON), list[int]()
    slots.reserve_slots(BUDGET, limits, 1, NOON - MINUTE)  # so that it knows that the clock is stale
    grant = Grant(BUDGET, limits, Window.at(NOON), 3, clock, NOON + HOUR)
    store.around = clock.around(took)
    for _ in starts:
        grant.take()
        made.append(clock.time - NOON)
    store.around = None
    assert made == starts


def test_slots_that_may_come_at_once_are_put_off_past_the_write_too(store: Store) -> None:
    """They may start before their places, and not before the write has ended that has put them off."""
    limits, clock, made = Limits(interval_ms=250, burst=4), SlowTable(NOON), list[int]()
    slots.reserve_slots(BUDGET, limits, 1, NOON - MINUTE)  # so that it knows that the clock is stale
    grant = Grant(BUDGET, limits, Window.at(NOON), 3, clock, NOON + HOUR)
    store.around = clock.around([40, 40])
    for _ in range(3):
        grant.take()
        made.append(clock.time - NOON)
    store.around = None
    assert made == [80, 80, 80]


@pytest.mark.parametrize("why", ["closed", "slowed", "a manual batch goes first"])
def test_slots_are_not_put_off_past_what_has_changed_since(why: str, store: Store) -> None:
    limits = Limits(interval_ms=250)
    taken = slots.reserve_slots(BUDGET, limits, 3, NOON)
    match why:
        case "closed":
            ledger.close(BUDGET, NOON + MINUTE, "429")
        case "slowed":
            refusals.refuse(BUDGET, limits, refusals.RefusedCall(NOON - 1, "429"), NOON - SECOND)
        case _:
            tables.update(ledger.Budget, (BUDGET, ledger.SLOTS), [ledger.Budget.first_until.set(NOON + MINUTE)])
    before = store.item("budgets", budget=BUDGET, window=ledger.SLOTS)
    assert slots.put_off(BUDGET, taken, 2, NOON + 301, NOON + 301) is None
    assert store.item("budgets", budget=BUDGET, window=ledger.SLOTS) == before
