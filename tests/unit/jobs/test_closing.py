"""What a closed budget says of itself, and what no late word takes back."""

import pytest

from sluice.jobs.budgets import handed_out, ledger, refusals
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.pace import UNSLOWED
from sluice.jobs.budgets.refusals import Refusals, RefusedCall, refuse
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.outcomes import BudgetClosed
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.limits import Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
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


@pytest.mark.parametrize("limits", [Limits(by_clock(100)), Limits()], ids=["counted", "free"])
def test_where_calls_need_no_slots_other_processes_learn_of_a_closing_within_half_a_second(
    limits: Limits, store: Store
) -> None:
    """A batch that has not called yet does not begin; one that is calling looks each half second."""
    clock, asked = VirtualClock(NOON + MINUTE), list[str]()

    def watched(request: Request, send: Send) -> Answer:
        asked.append(request.operation)
        return send()

    one, other, fresh = (Grant(BUDGET, limits, Window.at(NOON), 9, clock, NOON + HOUR) for _ in range(3))
    store.around = watched
    for step in (0, 100, 399):
        clock.time += step
        other.take()
    store.around = None
    assert asked == ["BatchGetItem"], "it looks, and not before each call"
    one.close(clock.time + MINUTE, "429")
    until = clock.time + MINUTE
    other.take()
    clock.time += 1
    for batch in (other, other, fresh):
        with pytest.raises(BudgetClosed, match="429") as closed:
            batch.take()
        assert closed.value.retry_at == until
    clock.time = until
    fresh.take()
    assert (one.made, other.made, fresh.made) == (0, 4, 1)


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


CLOSED = NOON + MINUTE


@pytest.mark.parametrize(
    ("call", "until", "reason", "refusals"),
    [
        # While it is closed a refusal is the same one, of a call that was under way.
        (RefusedCall(NOON + SECOND, "late"), CLOSED, "first", 0),
        (RefusedCall(CLOSED + SECOND, "late"), CLOSED, "first", 0),
        (RefusedCall(CLOSED, "late", named=True), CLOSED, "first", 0),
        (RefusedCall(NOON + SECOND, "late", named=True), CLOSED, "first", 0),
        (RefusedCall(CLOSED + SECOND, "late", named=True), CLOSED + SECOND, "late", 0),
        # It was the caller who closed it, to find out what the refusal means.
        (RefusedCall(NOON + SECOND, "late", meanwhile=CLOSED), NOON + SECOND, "late", 1),
        (RefusedCall(NOON + SECOND, "late", meanwhile=CLOSED - 1), CLOSED, "first", 0),
    ],
)
def test_a_refusal_while_the_budget_is_closed_counts_where_the_caller_has_closed_it(
    call: RefusedCall, until: int, reason: str, refusals: int
) -> None:
    ledger.close(BUDGET, CLOSED, "first", since=NOON - SECOND)
    assert refuse(BUDGET, LIMITS, call, NOON) == until
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_until, usage.closed_reason, usage.slowed.refusals) == (until, reason, refusals)
    assert usage.closed_at == (NOON if refusals else NOON - SECOND)


def test_a_refusal_that_comes_as_another_worker_closes_the_budget_is_the_same_one(store: Store) -> None:
    """It was open when this worker looked."""

    def around(request: Request, send: Send) -> Answer:
        answer = send()
        if request.operation == "BatchGetItem":
            store.around = None
            ledger.close(BUDGET, CLOSED, "first")
        return answer

    store.around = around
    assert refuse(BUDGET, LIMITS, RefusedCall(NOON + SECOND, "late"), NOON) == CLOSED
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_until, usage.closed_reason, usage.slowed) == (CLOSED, "first", UNSLOWED)


def test_a_refusal_when_the_pause_is_over_is_another_one() -> None:
    for number in (1, 2, 3):
        now = NOON + number * HOUR
        assert refuse(BUDGET, LIMITS, RefusedCall(now + MINUTE, "429"), now) == now + MINUTE * 2 ** (number - 1)
        ledger.close(BUDGET, now + HOUR, "429")
        assert ledger.read(BUDGET, NOON).slowed.refusals == number


@pytest.mark.parametrize(
    ("pause", "named", "slower"),
    [(10 * MINUTE, True, True), (10 * MINUTE + 1, True, False), (10 * MINUTE + 1, False, True)],
)
def test_who_asks_for_a_long_pause_does_not_mean_our_pace(pause: int, named: bool, slower: bool) -> None:
    """But a window that is used up."""
    assert refuse(BUDGET, LIMITS, RefusedCall(NOON + pause, "429", named), NOON) == NOON + pause
    slowed = ledger.read(BUDGET, NOON).slowed
    assert (slowed.pace > LIMITS.pace, slowed.refusals) == (slower, 1)


@pytest.mark.parametrize(
    ("limits", "before", "named", "pause"),
    [
        (LIMITS, 5 * SECOND, False, 5 * SECOND + LIMITS.margin_ms),
        (LIMITS, HOUR, False, MINUTE),
        (LIMITS, 5 * SECOND, True, MINUTE),
        (LIMITS, 1, False, SECOND),
        (Limits(by_clock(hour=100)), 5 * SECOND, False, MINUTE),
    ],
)
def test_a_pause_that_nobody_named_ends_with_the_day_whose_calls_may_be_used_up(
    limits: Limits, before: int, named: bool, pause: int
) -> None:
    """It is a second at least."""
    now = Window.of(BUDGET, NOON).day_end - before
    assert refuse(BUDGET, limits, RefusedCall(now + MINUTE, "429", named), now) == now + pause


def test_whoever_always_loses_to_others_closes_the_budget_all_the_same(store: Store) -> None:
    tries, others = list[int](), list[int]()

    def first(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem":
            tries.append(1)
            store.around = None
            others.append(len(others) + LIMITS.pace + 1)
            ledger.Budget(BUDGET, ledger.SLOTS).update([ledger.Budget.pace.set(others[-1])])
            store.around = first
        return send()

    store.around = first
    assert refuse(BUDGET, LIMITS, RefusedCall(CLOSED, "429"), NOON) == CLOSED
    store.around = None
    usage = ledger.read(BUDGET, NOON)
    assert (usage.closed_at, usage.closed_until, usage.closed_reason) == (NOON, CLOSED, "429")
    assert (len(tries), usage.slowed.pace) == (refusals.TRIES + 1, others[-1])


def test_of_what_a_process_has_met_the_longest_stands_until_it_is_over() -> None:
    known = Refusals()
    assert known.standing(BUDGET, NOON) is None
    first, longer, shorter = (BudgetClosed("429", retry_at=NOON + minutes * MINUTE) for minutes in (3, 5, 4))
    for closed, stands in ((first, first), (longer, longer), (shorter, longer)):
        known.note(BUDGET, closed)
        assert known.standing(BUDGET, NOON) is stands
    assert known.standing("stockx:globex", NOON) is None
    assert known.standing(BUDGET, NOON + 5 * MINUTE - 1) is longer
    assert known.standing(BUDGET, NOON + 5 * MINUTE) is None


@pytest.mark.parametrize(("unused", "moved"), [(2, 2), (0, 0), (-1, 0)])
def test_only_calls_that_were_not_made_move_the_clock_of_manual_work_back(unused: int, moved: int) -> None:
    """A batch may have made more calls than it was handed out with."""
    handed_out.admit(BUDGET, LIMITS, 5, NOON, manual=True)
    handed_out.retract(BUDGET, unused, LIMITS.pace)
    assert ledger.read(BUDGET, NOON).manual_until == NOON + (5 - moved) * LIMITS.pace
