"""The slots item of a budget: calls are taken by what it says just then, once, and only if it is open."""

from collections.abc import Callable

import pytest

from sluice.jobs.budgets import ledger, slots
from sluice.jobs.budgets.blocks import WORTH_WAITING_MS, Hand, Rhythm
from sluice.jobs.budgets.pace import UNSLOWED, Slowed
from sluice.jobs.budgets.refusals import RefusedCall, refuse
from sluice.jobs.budgets.slots import BACKGROUND, Asked, Seen, reserve_slots, return_slots, rhythm, see, take
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.limits import CallWindow, Limits
from tests.support.store import Answer, Request, Send, Store
from tests.unit.jobs.conftest import NOON, sent_twice

BUDGET = "stockx:acme"
PACED = Limits(interval_ms=1_000, tolerance_ms=0)
ROLLING = Limits((CallWindow(6, seconds=60),), tolerance_ms=0)
BOTH = Limits((CallWindow(6, seconds=60),), interval_ms=1_000, tolerance_ms=0)
EACH = pytest.mark.parametrize("limits", [PACED, ROLLING, BOTH], ids=["pace", "rolling", "both"])

pytestmark = pytest.mark.usefixtures("store")


def taken(
    limits: Limits, count: int, now: int = NOON, asked: Asked = BACKGROUND, seen: Seen | None = None
) -> list[int]:
    """When the calls that somebody takes who has none may start, in ms from noon."""
    if not limits.rolling:
        return [start - NOON for start in reserve_slots(BUDGET, limits, count, now, asked=asked).starts]
    seen = seen or see(BUDGET, limits, now)
    _, tickets = take(BUDGET, limits, Hand(), count, now, seen, NOON + HOUR, 0, asked)
    return [ticket.start - NOON for ticket in tickets]


@EACH
def test_a_write_whose_answer_is_lost_takes_calls_once(limits: Limits, store: Store) -> None:
    store.around = sent_twice
    first, second = taken(limits, 2), taken(limits, 2)
    store.around = None
    assert first + second == ([0, 1_000, 2_000, 3_000] if limits.pace else [0] * 4)
    assert ledger.read(BUDGET, NOON).rings.taken == (4 if limits.rolling else 0)


@EACH
def test_a_closed_budget_says_until_when_and_why_and_is_open_from_then_on(limits: Limits) -> None:
    ledger.close(BUDGET, NOON + MINUTE, "it is down")
    for asked in (BACKGROUND, Asked(manual=True), Asked(patient=True)):
        with pytest.raises(BudgetClosed, match="it is down") as closed:
            taken(limits, 1, NOON + MINUTE - 1, asked)
        assert closed.value.retry_at == NOON + MINUTE
    assert taken(limits, 1, NOON + MINUTE) == [MINUTE]


def _takes(limits: Limits) -> Callable[[], object]:
    return lambda: taken(limits, 2)


@pytest.mark.parametrize(
    ("meanwhile", "starts"),
    [
        (_takes(BOTH), [2_000, 3_000]),
        # An earlier version knows no rings: it moves the clock alone.
        (_takes(PACED), [2_000, 3_000]),
        (lambda: refuse(BUDGET, BOTH, RefusedCall(NOON, "429"), NOON - 1), [0]),
        (lambda: ledger.Budget(BUDGET, ledger.SLOTS).delete(), [0, 1_000]),
    ],
)
def test_who_knows_the_item_as_it_was_takes_calls_as_it_is(meanwhile: Callable[[], object], starts: list[int]) -> None:
    known = see(BUDGET, BOTH, NOON)
    meanwhile()
    after, tickets = take(BUDGET, BOTH, Hand(), 2, NOON, known, NOON + HOUR, 0, BACKGROUND)
    assert [ticket.start - NOON for ticket in tickets] == starts
    assert after == see(BUDGET, BOTH, NOON), "and knows what its own write has left there"


def test_what_a_worker_knows_after_its_write_is_what_stands_there() -> None:
    """Of a window of a day the item keeps times less exactly."""
    limits = Limits((CallWindow(9, seconds=86_400),), tolerance_ms=0)
    seen = see(BUDGET, limits, NOON)
    for turn in (1, 2, 3):
        seen, _ = take(BUDGET, limits, Hand(), 2, NOON + 7 * turn, seen, NOON + HOUR, 0, BACKGROUND)
        assert seen == see(BUDGET, limits, NOON)
        assert seen.turn == turn


def test_what_was_answered_comes_back_with_the_write_that_takes_calls() -> None:
    """One call at a time: who waits behind a block of slow ones would wait for long."""
    refuse(BUDGET, BOTH, RefusedCall(NOON, "429"), NOON - 1)
    slowed = see(BUDGET, BOTH, NOON).slowed
    assert slowed == Slowed(20_000, 1), "twice as far apart as they come evenly"
    after, tickets = take(BUDGET, BOTH, Hand(), 3, NOON, see(BUDGET, BOTH, NOON), NOON + HOUR, 4, BACKGROUND)
    assert len(tickets) == 1
    assert after.slowed == see(BUDGET, BOTH, NOON).slowed == slowed.answered(4, 1_000)


@pytest.mark.parametrize(
    ("seconds", "last_start", "outcome"),
    [
        (60, NOON + HOUR, 60),
        (61, NOON + HOUR, "empty"),
        (60, NOON + 59 * SECOND, "empty"),
        (60, NOON + 60 * SECOND, 60),
    ],
)
def test_who_would_wait_for_a_window_longer_than_it_may_is_told_when_it_opens(
    seconds: int, last_start: int, outcome: int | str
) -> None:
    assert WORTH_WAITING_MS == MINUTE
    limits = Limits((CallWindow(1, seconds=seconds),), interval_ms=1, tolerance_ms=0)
    taken(limits, 1)
    seen = see(BUDGET, limits, NOON)
    if outcome == "empty":
        with pytest.raises(BudgetEmpty) as empty:
            take(BUDGET, limits, Hand(), 1, NOON, seen, last_start, 0, BACKGROUND)
        assert empty.value.retry_at == NOON + seconds * SECOND
        assert see(BUDGET, limits, NOON) == seen, "nothing is written for it"
    else:
        _, [ticket] = take(BUDGET, limits, Hand(), 1, NOON, seen, last_start, 0, BACKGROUND)
        assert ticket.start == NOON + seconds * SECOND


def test_who_has_no_time_for_the_next_slot_leaves_it_to_others() -> None:
    """The window has room: it is the pace that is too slow for this worker."""
    taken(BOTH, 3)
    seen = see(BUDGET, BOTH, NOON)
    for last_start, written in ((NOON + 2_999, 0), (NOON + 3_000, 1)):
        after, [ticket, *_] = take(BUDGET, BOTH, Hand(), 2, NOON, seen, last_start, 0, BACKGROUND)
        assert (ticket.start, after.turn) == (NOON + 3_000, seen.turn + written)


@pytest.mark.parametrize(
    ("limits", "slowed", "expected"),
    [
        (Limits(interval_ms=1_000, burst=4, tolerance_ms=30), UNSLOWED, Rhythm(1_000, 3, 30, 30)),
        (Limits(interval_ms=1_000, burst=4, tolerance_ms=30), Slowed(1_001, 1), Rhythm(1_001, 1, 30, 30)),
        (Limits(interval_ms=1_000, tolerance_ms=30, jitter_ms=5), UNSLOWED, Rhythm(1_035, 1, 30, 35)),
        (Limits((CallWindow(9, seconds=4),), tolerance_ms=30), UNSLOWED, Rhythm(0, 1, 200, 30)),
        (Limits((CallWindow(9, seconds=4),), tolerance_ms=30), Slowed(900, 1), Rhythm(900, 1, 30, 30)),
        (Limits((CallWindow(9, seconds=1),), tolerance_ms=70), UNSLOWED, Rhythm(0, 1, 70, 70)),
        (Limits((CallWindow(9, seconds=99), CallWindow(9, seconds=1))), UNSLOWED, Rhythm(0, 1, 50, 25)),
        (Limits((CallWindow(9, seconds=99),)), UNSLOWED, Rhythm(0, 1, 500, 25)),
    ],
)
def test_the_rhythm_of_calls_is_that_of_the_limits_as_refusals_have_slowed_it(
    limits: Limits, slowed: Slowed, expected: Rhythm
) -> None:
    assert rhythm(limits, slowed) == expected


@pytest.mark.parametrize("by", ["pace", "rolling"])
def test_what_is_given_back_is_sent_once(by: str, store: Store) -> None:
    """Meanwhile somebody else may have taken the same calls."""
    sent = list[tuple[str, bool]]()

    def watched(request: Request, send: Send) -> Answer:
        sent.append((request.operation, request.once))
        return send()

    if by == "pace":
        block = reserve_slots(BUDGET, PACED, 3, NOON)
        store.around = watched
        return_slots(BUDGET, block, 0)
        return_slots(BUDGET, block, 1)
        assert ledger.read(BUDGET, NOON).next_at == NOON + 2_000
    else:
        hand = Hand()
        seen, tickets = take(BUDGET, ROLLING, hand, 3, NOON, see(BUDGET, ROLLING, NOON), NOON + HOUR, 0, BACKGROUND)
        hand.take(tickets)
        hand.drop()
        store.around = watched
        slots.leave(BUDGET, ROLLING, hand, seen, NOON)
        assert ledger.read(BUDGET, NOON).rings.taken == 0
    store.around = None
    assert [one for one in sent if one[0] == "UpdateItem"] == [("UpdateItem", True)]


@pytest.mark.parametrize(("others", "told"), [(0, True), (slots.TRIES - 1, True), (slots.TRIES, False)])
def test_who_is_done_tells_so_unless_others_are_always_first(others: int, told: bool, store: Store) -> None:
    """It goes by what they have written, and its own calls end when they were made."""
    hand, tries = Hand(), list[int]()
    seen, tickets = take(BUDGET, ROLLING, hand, 2, NOON, see(BUDGET, ROLLING, NOON), NOON + HOUR, 0, BACKGROUND)
    hand.take(tickets)
    hand.made(NOON + 1)
    hand.made(NOON + 2)
    hand.unmade = [tickets[1]._replace(number=99)]  # there is something to tell, for it is worth a write

    def first(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem":
            tries.append(1)
            if len(tries) <= others:
                store.around = None
                taken(ROLLING, 1)
                store.around = first
        return send()

    store.around = first
    slots.leave(BUDGET, ROLLING, hand, seen, NOON)
    store.around = None
    assert len(tries) == min(others + 1, slots.TRIES)
    after = ledger.read(BUDGET, NOON).rings
    assert after.taken == 2 + others
    ends = [end - NOON for end in after.rings[0].ends[:2]]
    assert (ends == [1, 2]) is told


def test_who_takes_slots_of_an_idle_budget_writes_once_each_time_but_the_first(store: Store) -> None:
    """As of a busy one: a process knows by its last write where the clock stood, and guesses that it does so again."""
    writes = list[int]()

    def around(request: Request, send: Send) -> Answer:
        writes[-1] += 1
        return send()

    store.around = around
    for now in (0, 10, 20, 20, 21, 50, 60):
        writes.append(0)
        reserve_slots(BUDGET, PACED, 1, NOON + now * SECOND)
    assert writes == [2, 1, 1, 1, 1, 2, 1]


def test_who_has_put_slots_off_knows_where_the_clock_stands_now(store: Store) -> None:
    writes = list[str]()

    def around(request: Request, send: Send) -> Answer:
        writes.append(request.operation)
        return send()

    reserve_slots(BUDGET, PACED, 1, NOON - MINUTE)
    first = reserve_slots(BUDGET, PACED, 2, NOON)
    store.around = around
    assert slots.put_off(BUDGET, first, 2, NOON + 1_900, NOON + 1_900)
    assert reserve_slots(BUDGET, PACED, 1, NOON + 3_000).starts == (NOON + 3_900,)
    assert len(writes) == 2
