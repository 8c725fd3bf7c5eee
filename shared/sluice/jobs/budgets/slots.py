"""Taking calls from the slots item of a budget: one conditional write for each block, which says when each may start.

```
 pace alone     next_at += n · pace                      whoever comes queues up behind; nothing need be known before
 with rings     turn 41 → 42, next_at, rings             on condition that the turn is the one that was known
 a manual       … and first_until                       it waits, and has calls to take still: others give way
 the last       … and first_until is removed            it has its calls
```
Who loses a write has the item as it is, and tries again with it. Each time somebody else has succeeded.

`first_until` is until when the manual batch takes its next block at the latest. A batch that dies writes it no more,
and it passes.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update

from sluice.jobs.budgets import blocks, last_clock, ledger
from sluice.jobs.budgets.blocks import Hand, Rhythm, Times
from sluice.jobs.budgets.ledger import SLOTS, Budget, number
from sluice.jobs.budgets.pace import UNSLOWED, Slowed
from sluice.jobs.budgets.rings import Ticket, decode, encode
from sluice.jobs.budgets.windows import Slots, spans, take_slots
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty
from sluice.platform import tables
from sluice.platform.clock import SECOND, iso
from sluice.platform.config.limits import Limits

# A call that needs no slot may start up to so long after its place in the rings is free: a worker's next call follows
# when an answer has come.
HOLD_MS = SECOND // 2
# And no longer than this part of the shortest window: so much of it is lost where a worker dies.
HOLD_PART = 20
# A manual batch has this long, after the last call that it has taken could start, to come for its next.
NEXT_BLOCK_MS = 2 * SECOND
# How often a worker that is done tells what it did with its calls, when others are always first. Few: it may go untold.
TRIES = 3


class Asked(NamedTuple):
    """Who takes calls.

    manual: a person waits for them.
    more: calls that the batch needs beside this block.
    said: it has said before that it needs more.
    patient: it is background work that has given way for as long as it has to.
    """

    manual: bool = False
    more: int = 0
    said: bool = False
    patient: bool = False

    @property
    def gives_way(self) -> bool:
        """Whether manual batches go first."""
        return not (self.manual or self.patient)


class Seen(NamedTuple):
    """What a worker knows of the slots item. turn: the number of the writes of its rings."""

    turn: int
    times: Times
    slowed: Slowed


class GiveWay(Exception):  # noqa: N818 - no error: somebody else goes first
    """A manual batch waits for calls, until `until` (epoch ms) at the latest."""

    def __init__(self, until: int) -> None:
        super().__init__(f"a manual batch goes first until {iso(until)}")
        self.until = until


BACKGROUND = Asked()


def reserve_slots(
    budget: str,
    limits: Limits,
    count: int,
    now: int,
    slowed: Slowed = UNSLOWED,
    answered: int = 0,
    asked: Asked = BACKGROUND,
) -> Slots:
    """The next slots of a budget that has a pace alone.

    `count` of them; one, where the budget is slowed: who waits behind a block would wait for long.

    slowed: what the caller knows of it; guessed wrong, the write is made again. answered: calls of the caller's that
    were answered since; a slowed budget comes back with them, in this same write.

    Raises:
        BudgetClosed: the marketplace has closed the budget, for everybody.
        GiveWay: a manual batch is to have its calls first.
    """
    if not limits.pace:
        return Slots(base=now, count=count, pace=0, burst=1, now=now)
    ahead = last_clock.lies_ahead(budget, now)
    while True:
        after = slowed.answered(answered, limits.pace)
        taken, pace = 1 if after.pace else count, after.of(limits.pace)
        # The clock lies ahead: queue up behind it. Else it is stale: start from now. One of the two must hold.
        clock = Budget.next_at > now if ahead else ledger.over(Budget.next_at, now)
        moved = Budget.next_at.set((Budget.next_at if ahead else now) + taken * pace)
        actions = [moved, *(ledger.slow_writes(after) if after != slowed else ())]
        # Where its slots lie is known after the write; that the last of them is there, and then it comes again, before.
        actions += _manual(asked, count - taken, (Budget.next_at if ahead else now) + (taken * pace + NEXT_BLOCK_MS))
        condition = _may_take(asked, now) & clock & ledger.as_slow(slowed)
        try:
            # With one place for tokens, an item that has ours was moved on by nobody since: what it says is our slots.
            item = tables.update(Budget, (budget, SLOTS), actions, condition, token=Budget.slots_token)
        except tables.ConditionFailed as failed:
            found = failed.item or {}
            _raise_if_held(found, budget, asked, now)
            slowed, ahead = ledger.slowed_of(found), number(found, "next_at") > now
        else:
            next_at = item.next_at or 0
            last_clock.note(budget, next_at, was_ahead=ahead)
            base = next_at - taken * pace
            return take_slots(base, now, taken, limits, after)


def put_off(budget: str, slots: Slots, left: int, start: int, now: int, asked: Asked = BACKGROUND) -> Slots | None:
    """The last `left` of `slots`, of which the first was missed, anew from `start` on; None where they cannot be had.

    They can where nobody has queued up behind them. Else whoever misses a slot by a moment would wait for the next.
    """
    missed = slots.base + (slots.count - left) * slots.pace
    if not slots.pace or start <= missed:
        return None
    later = replace(slots, base=start, count=left, now=start)
    same = (Budget.next_at == slots.next_at) & ledger.as_slow(slots.slowed) & _may_take(asked, now)
    try:
        tables.update(Budget, (budget, SLOTS), [Budget.next_at.set(later.next_at)], same, token=Budget.slots_token)
    except tables.ConditionFailed:
        return None
    last_clock.note(budget, later.next_at, was_ahead=False)
    return later


def return_slots(budget: str, slots: Slots, unused: int) -> None:
    """Hand back the last `unused` of `slots`, if nobody has queued up behind them; else they pass unused.

    Sent once: meanwhile somebody else may have taken the same slots, and the clock stands there again.
    """
    if not (unused and slots.pace):
        return
    earlier = [Budget.next_at.set(slots.next_at - unused * slots.pace)]
    with suppress(tables.ConditionFailed, PynamoDBException, BotoCoreError, tables.Contention):
        tables.update(Budget, (budget, SLOTS), earlier, Budget.next_at == slots.next_at, once=True)


def rhythm(limits: Limits, slowed: Slowed) -> Rhythm:
    """What bounds the starts of calls under `limits`, slowed by refusals."""
    pace = slowed.of(limits.pace)
    shortest = min((window.ms for window in limits.rolling), default=0)
    hold = limits.tolerance_ms if pace else max(limits.tolerance_ms, min(HOLD_MS, shortest // HOLD_PART))
    return Rhythm(pace, limits.kept_burst if pace == limits.pace else 1, hold, limits.arrival_ms)


def see(budget: str, limits: Limits, now: int) -> Seen:
    """What the slots item says now."""
    return _seen(_read(budget), limits, now)


def ensure_open(budget: str, now: int) -> None:
    """For calls that need no slots: whoever takes some is told by the same write.

    Raises:
        BudgetClosed: the marketplace has closed the budget, for everybody.
    """
    _raise_if_held(_read(budget), budget, Asked(manual=True), now)


def take(
    budget: str,
    limits: Limits,
    hand: Hand,
    count: int,
    now: int,
    seen: Seen,
    last_start: int,
    answered: int,
    asked: Asked,
) -> tuple[Seen, Sequence[Ticket]]:
    """The next calls of a budget with windows that roll: `count`, or fewer where more would have to wait for long.

    hand: what the worker has taken before; the write tells when those calls were made. seen: as `see`, or as returned.
    last_start: no call that starts later is of use to the worker: if the first does, nothing is written for it.

    Raises:
        BudgetClosed: the marketplace has closed the budget, for everybody.
        BudgetEmpty: the windows are used up for longer than is worth waiting for. Nothing is written.
        GiveWay: a manual batch is to have its calls first.
    """
    while True:
        slowed = seen.slowed.answered(answered, limits.pace)
        times, tickets = blocks.take(seen.times, hand, 1 if slowed.pace else count, now, rhythm(limits, slowed))
        first, opening = tickets[0].start, seen.times.rings.opening(limits.arrival_ms)
        if opening >= first > min(last_start, now + blocks.WORTH_WAITING_MS):
            raise BudgetEmpty(f"{keys.spoken(budget)} has no calls left until {iso(opening)}", retry_at=opening)
        if first > last_start:
            return seen, tickets
        after = Seen(seen.turn + 1, times._replace(rings=decode(encode(times.rings))), slowed)
        actions = _written(after)
        actions += ledger.slow_writes(slowed) if slowed != seen.slowed else []
        actions += _manual(asked, count - len(tickets), tickets[-1].start + NEXT_BLOCK_MS)
        condition = _may_take(asked, now) & _as_seen(seen) & ledger.as_slow(seen.slowed)
        try:
            tables.update(Budget, (budget, SLOTS), actions, condition, token=Budget.slots_token)
        except tables.ConditionFailed as failed:
            found = failed.item or {}
            _raise_if_held(found, budget, asked, now)
            seen = _seen(found, limits, now)
        else:
            return after, tickets


def leave(budget: str, limits: Limits, hand: Hand, seen: Seen, now: int) -> None:
    """Give back what was not used, and tell when the last calls were made, where that is worth a write.

    Sent once, as `return_slots`. What is not told leaves the latest times, which is safe.
    """
    shortest = min(window.ms for window in limits.rolling)
    if not (hand.unmade or (hand.own and rhythm(limits, seen.slowed).hold * 100 >= shortest)):
        return
    with suppress(PynamoDBException, BotoCoreError, tables.Contention):
        for _ in range(TRIES):
            times = blocks.leave(seen.times, hand, rhythm(limits, seen.slowed))
            if times == seen.times:
                return
            try:
                written = _written(Seen(seen.turn + 1, times, seen.slowed))
                tables.update(Budget, (budget, SLOTS), written, _as_seen(seen), once=True)
            except tables.ConditionFailed as failed:
                seen = _seen(failed.item or {}, limits, now)
            else:
                return


def _read(budget: str) -> dict[str, Any]:
    wanted: list[Any] = [{"budget": budget, "window": SLOTS}]
    answer = Budget._get_connection().batch_get_item(wanted, consistent_read=True)
    items: list[dict[str, Any]] = answer["Responses"][Budget.Meta.table_name]
    return items[0] if items else {}


def _seen(item: dict[str, Any], limits: Limits, now: int) -> Seen:
    rings = ledger.rings_of(item, now).fitting(spans(limits), limits.arrival_ms)
    return Seen(number(item, "turn"), Times(number(item, "next_at"), rings), ledger.slowed_of(item))


def _written(after: Seen) -> list[Update]:
    times = after.times
    return [Budget.turn.set(after.turn), Budget.next_at.set(times.next_at), Budget.rings.set(encode(times.rings))]


def _as_seen(seen: Seen) -> Condition:
    """Nobody has taken calls since: by the rings, or by the pace alone, as an earlier version does."""
    turn, clock = ledger.as_read(Budget.turn, seen.turn), ledger.as_read(Budget.next_at, seen.times.next_at)
    same: Condition = turn & clock
    return same


def _may_take(asked: Asked, now: int) -> Condition:
    """The budget is open, and nobody goes first. `_raise_if_held` tells which of the two it was."""
    is_open = ledger.over(Budget.closed_until, now)
    return is_open & ledger.over(Budget.first_until, now) if asked.gives_way else is_open


def _manual(asked: Asked, not_taken: int, until: Any) -> list[Update]:
    """What a manual batch writes of itself: that it comes again, or that it has its calls after all."""
    if asked.manual and asked.more + not_taken > 0:
        return [Budget.first_until.set(until)]
    return [Budget.first_until.remove()] if asked.manual and asked.said else []


def _raise_if_held(item: dict[str, Any], budget: str, asked: Asked, now: int) -> None:
    until, first_until = number(item, "closed_until"), number(item, "first_until")
    if until > now:
        reason = item.get("closed_reason", {}).get("S", "")
        raise BudgetClosed(f"{keys.spoken(budget)} takes no calls until {iso(until)}: {reason}", retry_at=until)
    if first_until > now and asked.gives_way:
        raise GiveWay(first_until)
