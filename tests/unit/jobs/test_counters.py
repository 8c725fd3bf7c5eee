"""What is counted of a budget bounds what it is there to bound, and is kept as long as it counts."""

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.shares import Shares
from sluice.jobs.budgets.slots import reserve_slots, return_slots
from sluice.jobs.budgets.windows import Window
from sluice.platform.clock import DAY, HOUR, SECOND
from sluice.platform.config.limits import Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.unit.jobs.conftest import NOON

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
    ledger.admit(BUDGET, limits, 3, NOON, manual=True)
    before = ledger.read(BUDGET, NOON).manual_until

    def watched(request: Request, send: Send) -> Answer:
        sent.append(request)
        return send()

    store.around = watched
    for unused, pace in ((1, 100), (2, 0), (0, 100)):
        ledger.retract(BUDGET, unused, pace)
    store.around = None
    assert ledger.read(BUDGET, NOON).manual_until == before - 100
    assert [request.once for request in sent] == [True]


def test_where_there_is_no_pace_slots_cost_no_write(store: Store) -> None:
    store.around = lambda request, _: pytest.fail(f"{request.operation}, for nothing")
    free = reserve_slots(BUDGET, Limits(by_clock(100)), 3, NOON)
    assert free.starts == (NOON,) * 3
    return_slots(BUDGET, free, 2)


def test_that_manual_work_was_left_behind_is_remembered_until_a_tick_knows_better() -> None:
    limits = Limits(by_clock(100), interval_ms=100)
    known = list[int]()
    for leaves in (True, None, False):
        ledger.admit(BUDGET, limits, 1, NOON, manual=True, leaves=leaves)
        known.append(ledger.read(BUDGET, NOON).left_at)
    assert known == [NOON, NOON, 0]
