"""What a worker holds while it calls: reserved calls of one window, and slots taken in short blocks.

```
 scheduler reserves calls      worker takes slots       each call waits for its own start
 ──────────┬──────────────     ───┬────────────────     ───┬───────────────────────────────
  window h │ 25 calls             │ 3 slots, 1.1 s apart    │ start … start + tolerance, else the slot is given up
```
A grant is for a time. A call that would start too late takes a new slot; one whose slot lies in the next hour gives its
call back to this hour and reserves it in the next. Background work gives way while a manual batch waits for its calls.
"""

import threading
from collections.abc import Sequence

from sluice.jobs.budgets import ledger, refusals, slots
from sluice.jobs.budgets.blocks import Hand
from sluice.jobs.budgets.pace import UNSLOWED
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.budgets.rings import Ticket
from sluice.jobs.budgets.slots import Asked, GiveWay, Seen
from sluice.jobs.budgets.windows import BLOCK_MS, LEAST_BLOCK, Slots, Window, outside_margin
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty, Failure, OutOfTime
from sluice.platform.clock import DAY, SECOND, Clock, iso
from sluice.platform.config.limits import Limits

# Background work that has given way to manual batches for so long takes one block all the same.
LONGEST_WAY_MS = 15 * SECOND
# How often it asks whether they have their calls, once they should.
ASK_MS = SECOND // 2
# How often slots of a block are put off when one was missed, before it is given up.
MOST_PUT_OFF = 3
# A marketplace's longest window is a day. An answer that asks for a longer rest is a fault, and is cut to that.
LONGEST_CLOSING_MS = DAY


class Grant:
    """The calls of one batch on one budget. Safe to share between the threads of one worker."""

    def __init__(
        self,
        budget: str,
        limits: Limits,
        window: Window,
        calls: int,
        clock: Clock,
        deadline: int,
        *,
        manual: bool = False,
        refusals: Refusals | None = None,
    ) -> None:
        """`calls` are already reserved in `window`. No call starts after `deadline` (epoch ms).

        manual: a person waits for them. refusals: what the process's other batches have met, which holds here too.
        """
        self.budget = budget
        self.made = 0
        self._limits = limits
        # No call starts so close to the boundary of an hour of the clock, where those are counted.
        self._margin = limits.margin_ms if limits.per_hour or limits.per_day else 0
        self._window = window
        self._left = calls
        self._clock = clock
        self._deadline = deadline
        self._block = max(LEAST_BLOCK, BLOCK_MS // (limits.spacing or 1))
        self._manual = manual
        self._refusals = refusals or Refusals()
        self._hand = Hand()
        # The last block, of a budget that has a pace alone; what is known of the slots item, of one with rings.
        self._slots: Slots | None = None
        self._seen: Seen | None = None
        # How often it was put off, and how long its last write took, ms.
        self._times_put_off, self._took = 0, 0
        self._slowed = UNSLOWED
        # Whether this batch, if it is manual, has said that it needs more calls than it has.
        self._said = False
        # Since when this background batch gives way to manual ones.
        self._giving_way: int | None = None
        # When the budget was last known to be open, where calls need no slots: whoever takes some is told.
        self._known_open_at = 0
        # Answered calls that the budget, which is slowed, was not told of yet.
        self._answered = 0
        self._closed_until = 0
        self._stop: Failure | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        # One call waits for its start at a time. Were every thread to take a slot and wait, a worker would hold as many
        # as it has threads: slots that are lost when it dies, and that a manual request has to wait behind.
        self._turn = threading.Lock()

    def take(self) -> None:
        """See `Calls.take`."""
        with self._turn:
            self._wait_for_slot()

    def _wait_for_slot(self) -> None:
        while True:
            with self._lock:
                ticket, until = self._next()
            self._clock.wait_until(until, self._stopped)
            with self._lock:
                if ticket is None:
                    continue
                now = self._clock.now()
                if now <= ticket.latest and not self.stopped:
                    self._hand.made(now)
                    self.made += 1
                    return
                self._left += 1  # charged, and not made: there is another, or a reason why not

    def close(self, until: int, reason: str) -> None:
        """See `Calls.close`. Calls of this worker that wait for their slot are woken and refused."""
        now = self._clock.now()
        until = min(until, now + LONGEST_CLOSING_MS)
        # First: this worker has learnt of it, whether or not it can tell the others.
        self._halt_until(until, reason)
        ledger.close(self.budget, until, reason, since=now)
        self._closed_until = until

    def refused(self, until: int, reason: str, *, named: bool) -> int:
        """See `Calls.refused`."""
        now = self._clock.now()
        until = min(until, now + LONGEST_CLOSING_MS)
        with self._lock:
            answered, self._answered = self._answered, 0
        # First, as in `close`. How long the pause is in the end, the table says.
        self._halt_until(until, reason)
        call = refusals.RefusedCall(until, reason, named, answered, meanwhile=self._closed_until)
        until = refusals.refuse(self.budget, self._limits, call, now)
        self._halt_until(until, reason)
        return until

    def answered(self) -> None:
        """See `Calls.answered`."""
        with self._lock:
            self._answered += 1

    def _halt_until(self, until: int, reason: str) -> None:
        closed = BudgetClosed(f"{keys.spoken(self.budget)} takes no calls until {iso(until)}: {reason}", retry_at=until)
        self._refusals.note(self.budget, closed)
        self._halt(closed)

    def remaining(self, calls: int) -> None:
        """See `Calls.remaining`."""
        window = Window.of(self.budget, self._clock.now())
        with self._lock:
            unmade = self._left if window == self._window else 0
        # What this worker has reserved and not made comes out of what the marketplace says is left.
        ledger.correct(self.budget, self._limits, window, calls - unmade)

    def halt(self, reason: Failure) -> None:
        """No further call of this batch starts; those that wait fail with `reason`."""
        self._halt(reason)

    @property
    def stopped(self) -> Failure | None:
        """Why no further call may start, if so."""
        return self._stop or self._refusals.standing(self.budget, self._clock.now())

    def give_back(self) -> None:
        """Return what was not used. Called once, when the batch is done."""
        with self._lock:
            left, self._left = self._left, 0
            answered = self._answered
            unused = len(self._hand.tickets)
            self._hand.drop()
        refusals.recover(self.budget, self._limits, self._slowed, answered)
        ledger.give_back(self.budget, self._limits, self._window, left)
        if self._slots:
            slots.return_slots(self.budget, self._slots, unused)
        if self._seen:
            slots.leave(self.budget, self._limits, self._hand, self._seen, self._clock.now())

    def _halt(self, reason: Failure) -> None:
        with self._lock:
            # Of closings the last one stands: it says when the pause ends in the end.
            if self._stop is None or (isinstance(self._stop, BudgetClosed) and isinstance(reason, BudgetClosed)):
                self._stop = reason
        self._stopped.set()

    def _no_more(self, reason: Failure) -> Failure:
        """`reason`, for which no further call of this batch starts. For whoever holds the lock."""
        self._stop = reason
        return reason

    def _next(self) -> tuple[Ticket | None, int]:
        """The next call, charged to the window that it falls into, and its start; or when to ask for it again."""
        if stopped := self.stopped:
            raise stopped
        try:
            ticket = self._slot()
        except GiveWay as first:
            return None, self._ask_again(first)
        except BudgetEmpty as empty:
            self._no_more(empty)
            raise
        start = ticket.start
        if start > self._deadline:  # its slot is still there for somebody else
            raise self._no_more(OutOfTime(f"the next call could start at {iso(start)}, after this worker's time"))
        window = Window.of(self.budget, start)
        if window != self._window:
            self._move_to(window)
        if self._left == 0:
            self._reserve(1)
        self._left -= 1
        return ticket, start

    def _ask_again(self, first: GiveWay) -> int:
        """When to ask again for a block that manual batches go before: as soon as they should have their calls."""
        now = self._clock.now()
        if now > self._deadline:
            raise self._no_more(OutOfTime("manual work went first, until the end of this worker's time"))
        self._giving_way = now if self._giving_way is None else self._giving_way
        patience = self._giving_way + LONGEST_WAY_MS
        return min(patience, max(now + ASK_MS, first.until - slots.NEXT_BLOCK_MS), self._deadline + 1)

    def _slot(self) -> Ticket:
        """The next call that can still be made, and lies outside the margins of an hour's boundary."""
        hand = self._hand
        while True:
            now = self._clock.now()
            if not hand.tickets:
                hand.take(self._take_block(now))
                self._giving_way = None
            ticket = hand.tickets[0]
            if ticket.latest < now and self._put_off(now):
                continue  # it was missed while other calls were made, or its write, or while the machine was busy
            if ticket.latest >= now and outside_margin(ticket.start, self._margin) == ticket.start:
                return ticket
            hand.passed()

    def _put_off(self, now: int) -> bool:
        """Have the slots that are left, the first of which has passed, from now on; False where they cannot be had.

        Where all would have passed by now, a new block can begin at once as well.
        """
        hand, taken = self._hand, self._slots
        if not taken or taken.next_at <= now or self._times_put_off >= MOST_PUT_OFF:
            return False
        self._times_put_off += 1
        start = outside_margin(now + self._took, self._margin)
        later = slots.put_off(self.budget, taken, len(hand.tickets), start, now, Asked(self._manual))
        self._took = self._clock.now() - now
        if later:
            self._slots = later
            hand.take(self._tickets(later))
        else:
            self._times_put_off = MOST_PUT_OFF  # somebody stands behind them
        return later is not None

    def _tickets(self, taken: Slots) -> list[Ticket]:
        return [Ticket(start, start + self._limits.tolerance_ms) for start in taken.starts]

    def _take_block(self, now: int) -> Sequence[Ticket]:
        limits = self._limits
        if not (limits.pace or limits.rolling):
            if now - self._known_open_at >= BLOCK_MS:
                slots.ensure_open(self.budget, now)
                self._known_open_at = now
            start = outside_margin(now, self._margin)
            return [Ticket(start, start + limits.tolerance_ms)]
        count = max(1, min(self._block, self._left))
        patient = self._giving_way is not None and now - self._giving_way >= LONGEST_WAY_MS
        asked = Asked(self._manual, self._left - count, self._said, patient)
        answered = self._answered
        if limits.rolling:
            seen = self._seen or slots.see(self.budget, limits, now)
            self._seen, tickets = slots.take(
                self.budget, limits, self._hand, count, now, seen, self._deadline, answered, asked
            )
            self._slowed = self._seen.slowed
        else:
            taken = slots.reserve_slots(self.budget, limits, count, now, self._slowed, answered, asked)
            self._slots, self._slowed, tickets = taken, taken.slowed, self._tickets(taken)
            self._times_put_off, self._took = 0, self._clock.now() - now
        self._answered -= answered
        self._said = asked.more > 0 or len(tickets) < count
        return tickets

    def _move_to(self, window: Window) -> None:
        left, old = self._left, self._window
        self._left, self._window = 0, window
        if left:
            ledger.give_back(self.budget, self._limits, old, left)
            self._reserve(left)

    def _reserve(self, calls: int) -> None:
        """Reserve `calls`, or at least one, in the current window."""
        for count in {calls: None, 1: None}:
            if ledger.reserve_calls(self.budget, self._limits, self._window, count):
                self._left += count
                return
        usage = ledger.read(self.budget, self._window.hour_start)
        until = usage.empty_until(self._limits, self._window) or self._window.end
        raise self._no_more(
            BudgetEmpty(f"{keys.spoken(self.budget)} has no calls left until {iso(until)}", retry_at=until)
        )
