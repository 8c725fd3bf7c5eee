"""What a worker holds while it calls: reserved calls of one window, and slots taken in short blocks.

```
 scheduler reserves calls      worker takes slots       each call waits for its own start
 ──────────┬──────────────     ───┬────────────────     ───┬───────────────────────────────
  window h │ 25 calls             │ 3 slots, 1.1 s apart    │ start … start + tolerance, else the slot is given up
```
A grant is for a time. A call that would start too late takes a new slot; one whose slot lies in the next hour gives its
call back to this hour and reserves it in the next.
"""

import threading

from sluice.jobs.budgets import ledger, refusals
from sluice.jobs.budgets.pace import UNSLOWED
from sluice.jobs.budgets.windows import Slots, Window, outside_margin
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty, Failure, OutOfTime
from sluice.platform.clock import DAY, SECOND, Clock, iso
from sluice.platform.config.limits import Limits

# Slots are taken for about this long ahead: long enough that a block serves several calls, short enough that a manual
# request, whose worker queues up behind the block, waits no longer than this.
BLOCK_MS = SECOND // 2
# Each block is one write, so a call costs at most a third of one.
LEAST_BLOCK = 3

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
        block: int | None = None,
    ) -> None:
        """`calls` are already reserved in `window`. No call starts after `deadline` (epoch ms)."""
        self.budget = budget
        self.made = 0
        # Until when the marketplace takes no calls, as far as this worker has learnt by being refused; else 0.
        self.refused_until = 0
        self._limits = limits
        self._window = window
        self._left = calls
        self._clock = clock
        self._deadline = deadline
        self._block = block or max(LEAST_BLOCK, BLOCK_MS // limits.pace if limits.pace else calls)
        self._slots: Slots | None = None
        self._used = 0
        self._slowed = UNSLOWED
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
                start = self._next()
            woken = self._clock.wait_until(start, self._stopped)
            with self._lock:
                if not woken and self._clock.now() - start <= self._limits.tolerance_ms:
                    self.made += 1
                    return
                self._left += 1  # charged, and not made
                if woken and self._stop:
                    raise self._stop

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
        call = refusals.RefusedCall(until, reason, named, answered, meanwhile=self._closed_until)
        try:
            until = refusals.refuse(self.budget, self._limits, call, now)
        finally:
            self._halt_until(until, reason)
        return until

    def answered(self) -> None:
        """See `Calls.answered`."""
        with self._lock:
            self._answered += 1

    def _halt_until(self, until: int, reason: str) -> None:
        self.refused_until = until
        self._halt(
            BudgetClosed(f"{keys.spoken(self.budget)} takes no calls until {iso(until)}: {reason}", retry_at=until)
        )

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
        return self._stop

    def give_back(self) -> None:
        """Return what was not used. Called once, when the batch is done."""
        with self._lock:
            left, self._left = self._left, 0
            slots, self._slots = self._slots, None
            answered, self._answered = self._answered, 0
        refusals.recover(self.budget, self._limits, self._slowed, answered)
        ledger.give_back(self.budget, self._limits, self._window, left)
        if slots:
            ledger.return_slots(self.budget, slots, slots.count - self._used)

    def _halt(self, reason: Failure) -> None:
        with self._lock:
            self._stop = self._stop or reason
        self._stopped.set()

    def _next(self) -> int:
        """The start of the next call, charged to the window that it falls into."""
        if self._stop:
            raise self._stop
        start = self._slot()
        if start > self._deadline:
            self._used -= 1  # the slot is still there for somebody else
            stop = OutOfTime(f"the next call could start at {iso(start)}, after this worker's time", retry_at=None)
            self._stop = stop
            raise stop
        window = Window.of(self.budget, start)
        if window != self._window:
            self._move_to(window)
        if self._left == 0:
            self._reserve(1)
        self._left -= 1
        return start

    def _slot(self) -> int:
        """The next slot that is outside the margins of an hour's boundary."""
        margin = self._limits.margin_ms if self._limits.per_hour or self._limits.per_day else 0
        while True:
            now = self._clock.now()
            if not self._limits.pace:
                return outside_margin(now, margin)
            slots = self._slots
            if slots is None or self._used == slots.count:
                slots = self._take_block(max(1, min(self._block, self._left)), now)
            start = slots.starts[self._used]
            self._used += 1
            if start + self._limits.tolerance_ms < now:
                continue  # passed while other calls were made
            if outside_margin(start, margin) != start:
                continue
            return start

    def _take_block(self, count: int, now: int) -> Slots:
        answered, self._answered = self._answered, 0
        slots = ledger.reserve_slots(self.budget, self._limits, count, now, self._slowed, answered)
        self._slots, self._slowed, self._used = slots, slots.slowed, 0
        return slots

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
        stop = BudgetEmpty(f"{keys.spoken(self.budget)} has no calls left until {iso(until)}", retry_at=until)
        self._stop = stop
        raise stop
