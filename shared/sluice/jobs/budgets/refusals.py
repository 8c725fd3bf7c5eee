"""What a refusal, and the answers after it, change of a budget as stored: the closing, the pace, and how pauses grow.

The rule is `pace`. Each is one write, conditional on what was read; whoever loses looks again. `Refusals` are what a
process knows of them by itself.
"""

from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.ledger import Budget
from sluice.jobs.budgets.pace import PACE_PAUSE_MS, Slowed
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.outcomes import BudgetClosed
from sluice.platform import tables
from sluice.platform.clock import SECOND
from sluice.platform.config.limits import Limits

# How often a refusal that keeps losing to others looks again, without a pause, for calls go out until it is written.
# Then the budget is closed whatever they wrote.
TRIES = 5


class RefusedCall(NamedTuple):
    """A call that the marketplace has refused because of a limit.

    until: the end of the pause if it is the first in a row; a later one makes it longer, unless the marketplace has
        named it.
    reason: for whoever waits.
    named: the marketplace has named the end.
    answered: calls of the caller's that were answered before.
    meanwhile: until when the caller has closed the budget itself, while it found out what the refusal means.
    """

    until: int
    reason: str
    named: bool = False
    answered: int = 0
    meanwhile: int = 0


class Refusals:
    """On which budgets a process has been refused: all its batches know, from the answer on.

    The table says so too, once it is written, and unless that is lost; and nobody looks there before each call.
    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._last = dict[str, BudgetClosed]()
        self._lock = Lock()

    def note(self, budget: str, closed: BudgetClosed) -> None:
        """The marketplace takes no calls on `budget` until `closed.retry_at`. Of several the longest stands."""
        with self._lock:
            last = self._last.get(budget)
            if last is None or _end(closed) > _end(last):
                self._last[budget] = closed

    def standing(self, budget: str, now: int) -> BudgetClosed | None:
        """Why `budget` takes no calls now, if so."""
        last = self._last.get(budget)
        return last if last and _end(last) > now else None


def _end(closed: BudgetClosed) -> int:
    return closed.retry_at or 0


def refuse(budget: str, limits: Limits, call: RefusedCall, now: int) -> int:
    """The marketplace has refused `call`: close the budget for a pause, slow its pace; the end of the pause.

    A refusal while somebody else has closed it is the same one: of a call that was under way.
    """
    until, reason, named, answered, meanwhile = call
    for _ in range(TRIES):
        usage = ledger.read(budget, now)
        if usage.closed_until > now and usage.closed_until != meanwhile:
            if named and until > usage.closed_until:
                ledger.close(budget, until, reason)
                return until
            return usage.closed_until
        meant = not named or until - now <= PACE_PAUSE_MS
        after = usage.slowed.answered(answered, limits.pace).refused(
            limits.pace, pace_is_meant=meant, spacing=limits.spacing
        )
        end = until if named else _pause_end(budget, limits, now, after.pause(until - now))
        same = ledger.as_slow(usage.slowed) & ledger.as_read(Budget.closed_until, usage.closed_until)
        closed = [Budget.closed_at.set(now), Budget.closed_until.set(end), Budget.closed_reason.set(reason)]
        with suppress(tables.ConditionFailed):
            tables.update(Budget, (budget, ledger.SLOTS), [*closed, *ledger.slow_writes(after)], same)
            return end
    ledger.close(budget, until, reason, since=now)
    return until


def recover(budget: str, limits: Limits, slowed: Slowed, answered: int) -> None:
    """Calls were answered: a slowed budget comes back a little. Written only where the budget is slowed.

    One that is lost, or refused because somebody else was first, only leaves the budget slow for longer.
    """
    after = slowed.answered(answered, limits.pace)
    if after != slowed:
        with suppress(tables.ConditionFailed, PynamoDBException, BotoCoreError, tables.Contention):
            tables.update(Budget, (budget, ledger.SLOTS), ledger.slow_writes(after), ledger.as_slow(slowed))


def _pause_end(budget: str, limits: Limits, now: int, pause: int) -> int:
    """When a pause ends: with the marketplace's day at the latest, where days are limited, for that may be its end."""
    end = now + pause
    return min(end, max(Window.of(budget, now).day_end + limits.margin_ms, now + SECOND)) if limits.per_day else end
