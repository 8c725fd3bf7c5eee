"""What is counted of a budget bounds what it is there to bound, and is kept as long as it counts."""

from typing import NamedTuple

import pytest

from sluice.jobs.budgets import handed_out, ledger
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.pace import UNSLOWED, Slowed
from sluice.jobs.budgets.shares import Shares
from sluice.jobs.budgets.slots import reserve_slots, return_slots
from sluice.jobs.budgets.windows import Usage, Window
from sluice.platform import tables
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.limits import Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.unit.jobs.conftest import NOON, sent_twice

BUDGET = "stockx:acme"
APPLICATION = "ebay:app.3f9c"
WINDOW = Window.at(NOON)

pytestmark = pytest.mark.usefixtures("store")


class Impatient(VirtualClock):
    """Whoever asks for the time again and again, and never waits, will find no other call: it is told so."""

    asked = 0

    def now(self) -> int:
        self.asked += 1
        assert self.asked < 1_000, "the same call is looked at for ever"
        return super().now()


def expires_ms(store: Store, budget: str, window: str) -> int:
    item = store.item("budgets", budget=budget, window=window)
    assert item
    return int(item["expires_at"]["N"]) * SECOND


@pytest.mark.parametrize(
    ("limits", "left_in_the_next_hour"),
    [
        (Limits(by_clock(hour=5)), 5),
        (Limits(by_clock(day=5)), 0),
        (Limits(by_clock(hour=5, day=8)), 3),
        (Limits(by_clock(hour=8, day=5)), 0),
    ],
)
def test_the_hour_and_the_day_bound_what_is_reserved_each_by_itself(limits: Limits, left_in_the_next_hour: int) -> None:
    """eBay's Marketing API counts days alone."""
    assert ledger.reserve_calls(BUDGET, limits, WINDOW, 3)
    assert not ledger.reserve_calls(BUDGET, limits, WINDOW, 3)
    assert ledger.reserve_calls(BUDGET, limits, WINDOW, 2)
    assert not ledger.reserve_calls(BUDGET, limits, WINDOW, 1)
    following = Window.at(NOON + HOUR)
    if left_in_the_next_hour:
        assert ledger.reserve_calls(BUDGET, limits, following, left_in_the_next_hour)
    assert not ledger.reserve_calls(BUDGET, limits, following, 1)
    assert ledger.reserve_calls(BUDGET, limits, Window.at(NOON + DAY), 5)


@pytest.mark.parametrize("limits", [Limits(by_clock(hour=5)), Limits(by_clock(day=5)), Limits(by_clock(9, 5))])
def test_a_window_from_which_nothing_was_taken_grants_no_more_than_its_limit(limits: Limits, store: Store) -> None:
    assert not ledger.reserve_calls(BUDGET, limits, WINDOW, 6)
    assert store.item("budgets", budget=BUDGET, window=WINDOW.day) is None
    assert ledger.reserve_calls(BUDGET, limits, WINDOW, 5)


def test_counters_are_kept_for_the_whole_of_their_day_and_for_who_looks_back(store: Store) -> None:
    ledger.reserve_calls(BUDGET, Limits(by_clock(5)), WINDOW, 1)
    kept = WINDOW.day_end + ledger.KEEP_DAYS * DAY
    assert expires_ms(store, BUDGET, WINDOW.day) == kept
    ledger.correct("stockx:told", Limits(by_clock(5)), WINDOW, 3)
    assert expires_ms(store, "stockx:told", WINDOW.day) == kept


def test_shares_are_kept_for_the_whole_of_their_hour(store: Store) -> None:
    ledger.note_share(APPLICATION, WINDOW, "acme", 2)
    [name] = [item["window"]["S"] for item in store.items("budgets")]
    assert expires_ms(store, APPLICATION, name) == WINDOW.end + DAY


@pytest.mark.parametrize("pace", [0, 100])
@pytest.mark.parametrize("windows", [by_clock(hour=50), by_clock(day=50), by_clock(50, 50)])
@pytest.mark.parametrize("late", [-200, 0, 200])
def test_no_call_starts_close_to_the_boundary_of_a_window_whichever_it_is(
    late: int, windows: tuple[object, ...], pace: int
) -> None:
    """Our clock and the marketplace's differ: there it may be the other window's call."""
    limits = Limits(windows, interval_ms=pace, margin_ms=500)  # type: ignore[arg-type]
    clock = Impatient(WINDOW.day_end + late)
    grant = Grant(BUDGET, limits, Window.at(clock.time), 0, clock, clock.time + HOUR)
    for _ in range(3):
        grant.take()
        assert Window.at(clock.time).holds(clock.time, limits.margin_ms)
    assert clock.time < WINDOW.day_end + SECOND


def test_what_a_tenant_has_had_of_an_applications_hour_is_told_by_tenant() -> None:
    """It orders whose turn it is."""
    for tenant, calls in (("acme", 2), ("bolt", 1), ("acme", 3)):
        ledger.note_share(APPLICATION, WINDOW, tenant, calls)
    assert ledger.read(APPLICATION, NOON).had == {"acme": 5, "bolt": 1}
    assert ledger.read(APPLICATION, NOON + HOUR).had == {}


@pytest.mark.parametrize(("remaining", "used"), [(5, 0), (3, 2), (0, 5), (9, 0)])
def test_what_the_marketplace_says_is_left_is_never_more_than_there_is(remaining: int, used: int) -> None:
    """A limit that was lowered may leave more at the marketplace than we allow."""
    limits = Limits(by_clock(hour=5))
    ledger.correct(BUDGET, limits, WINDOW, remaining)
    assert ledger.read(BUDGET, NOON).hour == used


def test_of_what_tenants_share_each_may_have_a_part_and_of_what_is_ones_own_there_are_no_parts() -> None:
    hourly = Limits(by_clock(hour=100))
    window = Window.of(APPLICATION, NOON)
    ledger.note_share(APPLICATION, window, "acme", 2)
    assert ledger.reserve_calls(APPLICATION, hourly, window, 2)
    usage = ledger.read(APPLICATION, NOON)
    assert usage.shares(APPLICATION, hourly, NOON + 7) == Shares(100, 2, 7, {"acme": 2})
    assert usage.shares(BUDGET, hourly, NOON) is None
    assert usage.shares(APPLICATION, Limits(interval_ms=100), NOON) is None


def test_calls_that_manual_work_has_not_needed_move_its_clock_back_once(store: Store) -> None:
    """Even a single one. Were it sent again after a lost answer, it would move by as much twice."""
    limits, sent = Limits(by_clock(100), interval_ms=100), list[Request]()
    handed_out.admit(BUDGET, limits, 3, NOON, manual=True)
    before = ledger.read(BUDGET, NOON).manual_until

    def watched(request: Request, send: Send) -> Answer:
        sent.append(request)
        return send()

    store.around = watched
    for unused, pace in ((1, 100), (2, 0), (0, 100)):
        handed_out.retract(BUDGET, unused, pace)
    store.around = None
    assert ledger.read(BUDGET, NOON).manual_until == before - 100
    assert [request.once for request in sent] == [True]


def test_what_nothing_bounds_is_counted_nowhere_and_costs_no_request(store: Store) -> None:
    """No pace: no slots, and no clock of what was handed out. No windows: no counters."""
    store.around = lambda request, _: pytest.fail(f"{request.operation}, for nothing")
    hourly, unbound = Limits(by_clock(100)), Limits()
    free = reserve_slots(BUDGET, hourly, 3, NOON)
    assert free.starts == (NOON,) * 3
    return_slots(BUDGET, free, 2)
    assert handed_out.admit(BUDGET, hourly, 3, NOON, pace=100, manual=True, leaves=True) == 0
    assert ledger.reserve_calls(BUDGET, unbound, WINDOW, 3)
    ledger.give_back(BUDGET, unbound, WINDOW, 3)
    ledger.give_back(BUDGET, hourly, WINDOW, 0)
    for limits in (unbound, Limits(by_clock(day=100))):
        ledger.correct(BUDGET, limits, WINDOW, 0)
    ledger.note_share(BUDGET, WINDOW, "acme", 2)


def test_nothing_is_known_of_a_budget_that_nobody_has_called_on() -> None:
    assert ledger.read(BUDGET, NOON) == Usage(had={}, at=NOON)


def test_one_request_reads_a_budget_and_only_an_applications_has_shares_to_read(store: Store) -> None:
    asked = list[int]()

    def watched(request: Request, send: Send) -> Answer:
        [table] = request.parameters["RequestItems"].values()
        asked.append(len(table["Keys"]))
        return send()

    store.around = watched
    for budget in (BUDGET, APPLICATION):
        ledger.read(budget, NOON)
    assert asked == [2, 3]


@pytest.mark.parametrize("manual", [True, False])
def test_a_write_whose_answer_is_lost_counts_once(store: Store, manual: bool) -> None:
    """What can be told by its token is sent again; the rest is not."""
    limits, sent = Limits(by_clock(100), interval_ms=100, tolerance_ms=0), list[bool]()
    handed_out.admit(BUDGET, limits, 1, NOON, manual=manual)  # the clock lies ahead

    def watched(request: Request, send: Send) -> Answer:
        sent.append(request.once)
        return send() if request.once else sent_twice(request, send)

    store.around = watched
    assert ledger.reserve_calls(BUDGET, limits, WINDOW, 3)
    ledger.give_back(BUDGET, limits, WINDOW, 1)
    ledger.note_share(APPLICATION, WINDOW, "acme", 2)
    assert handed_out.admit(BUDGET, limits, 3, NOON, manual=manual) == 100
    store.around = None
    usage = ledger.read(BUDGET, NOON)
    assert (usage.hour, usage.admitted_until - NOON) == (2, 400)
    assert sent == [False, True, True, False]


class Handed(NamedTuple):
    """What is handed out at noon at a pace of 100 ms. pace: slower, by refusals. since: before it slots are others'.

    waits: how long what was handed out before keeps the slots. whole, manual: by when all, or all manual work, can
    have started, in ms from noon.
    """

    calls: int
    waits: int
    whole: int
    manual: int
    by_hand: bool = True
    pace: int = 0
    since: int = 0


@pytest.mark.parametrize(
    "handed",
    [
        [Handed(3, 0, 300, 300), Handed(2, 300, 500, 500)],
        # Background work keeps no slots from manual work, which keeps them from it.
        [Handed(3, 0, 300, -NOON, by_hand=False), Handed(2, 0, 500, 200), Handed(1, 500, 600, 200, by_hand=False)],
        # Manual work waits for none but manual work.
        [Handed(9, 0, 900, -NOON, by_hand=False), Handed(1, 0, 1000, 100), Handed(1, 100, 1100, 200)],
        [Handed(2, 0, 500, 500, pace=250), Handed(1, 500, 600, 600, pace=50)],
        # What was taken already is spoken for until then; a clock that lies ahead says so itself.
        [Handed(2, 0, 200, 950, since=750), Handed(1, 950, 300, 1050, since=750)],
        [Handed(2, 0, 200, 200, since=-750)],
    ],
)
def test_what_is_handed_out_keeps_the_slots_for_as_long_as_its_calls_take(handed: list[Handed]) -> None:
    limits = Limits(by_clock(100), interval_ms=100, tolerance_ms=0)
    for one in handed:
        waits = handed_out.admit(
            BUDGET, limits, one.calls, NOON, one.pace, manual=one.by_hand, since=NOON + one.since if one.since else 0
        )
        usage = ledger.read(BUDGET, NOON)
        assert (waits, usage.admitted_until - NOON, usage.manual_until - NOON) == (one.waits, one.whole, one.manual)


def test_what_was_handed_out_and_has_started_keeps_no_slots() -> None:
    limits = Limits(by_clock(100), interval_ms=100, tolerance_ms=0)
    for manual in (True, False):
        handed_out.admit(BUDGET, limits, 3, NOON, manual=manual)
    later = NOON + MINUTE
    assert handed_out.admit(BUDGET, limits, 1, later, manual=True) == 0
    assert ledger.read(BUDGET, later).manual_until == later + 100
    over = later + 100  # just now: what others have taken counts again
    assert handed_out.admit(BUDGET, limits, 1, over, manual=True, since=over + 750) == 0
    assert ledger.read(BUDGET, over).manual_until == over + 850


def test_where_windows_roll_the_latest_end_of_what_was_handed_out_stays() -> None:
    for until in (300, 500, 400):
        handed_out.admit_until(BUDGET, NOON + until)
    assert ledger.read(BUDGET, NOON).admitted_until == NOON + 500


@pytest.mark.parametrize("slowed", [Slowed(2_000, 1), Slowed(2_000, 2), Slowed(4_000, 2), Slowed(0, 2), UNSLOWED])
def test_who_takes_slots_by_another_pace_than_the_budgets_is_told_it_and_takes_them_by_that(slowed: Slowed) -> None:
    """Both numbers of it count: the next refusal goes on from them."""
    limits = Limits(by_clock(100), interval_ms=1_000)
    tables.update(ledger.Budget, (BUDGET, ledger.SLOTS), [ledger.Budget.next_at.set(1), *ledger.slow_writes(slowed)])
    for known in (Slowed(2_000, 1), Slowed(4_000, 1), UNSLOWED):
        assert reserve_slots(BUDGET, limits, 1, NOON, known).slowed == slowed


def test_that_manual_work_was_left_behind_is_remembered_until_a_tick_knows_better() -> None:
    limits = Limits(by_clock(100), interval_ms=100, tolerance_ms=0)
    known = list[int]()
    for leaves in (True, None, False):
        handed_out.admit(BUDGET, limits, 1, NOON, manual=True, leaves=leaves)
        known.append(ledger.read(BUDGET, NOON).left_at)
    assert known == [NOON, NOON, 0]


@pytest.mark.parametrize("manual", [True, False])
@pytest.mark.parametrize(("lies_ahead", "writes"), [(True, [2, 1, 1]), (False, [1, 2, 2])])
def test_who_guesses_where_the_clock_stands_writes_once_and_who_is_wrong_once_more(
    store: Store, *, manual: bool, lies_ahead: bool, writes: list[int]
) -> None:
    limits, made = Limits(by_clock(100), interval_ms=100, tolerance_ms=0), list[int]()

    def around(request: Request, send: Send) -> Answer:
        made[-1] += 1
        return send()

    store.around = around
    for waits in (0, 300, 600):
        made.append(0)
        assert handed_out.admit(BUDGET, limits, 3, NOON, manual=manual, lies_ahead=lies_ahead) == waits
    store.around = None
    assert made == writes


def test_a_clock_that_another_has_moved_meanwhile_is_not_set_back(store: Store) -> None:
    """Between the two writes of one who thought that it lay ahead."""
    limits, others = Limits(by_clock(100), interval_ms=100, tolerance_ms=0), [5]

    def around(request: Request, send: Send) -> Answer:
        try:
            return send()
        finally:
            if others:
                handed_out.admit(BUDGET, limits, others.pop(), NOON, lies_ahead=False)

    store.around = around
    assert handed_out.admit(BUDGET, limits, 3, NOON) == 500
    assert ledger.read(BUDGET, NOON).admitted_until == NOON + 800
