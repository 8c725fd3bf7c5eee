"""Until when the slots of a budget are spoken for by work that was handed out and has not started: clocks on its item.

```
 slots    admitted_until   of all such work          manual_until   of manual work alone, which waits for no other
```
"""

from contextlib import suppress

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.ledger import SLOTS, Budget
from sluice.platform import tables
from sluice.platform.config.limits import Limits


def admit(
    budget: str,
    limits: Limits,
    count: int,
    now: int,
    pace: int = 0,
    *,
    manual: bool = False,
    leaves: bool | None = None,
    since: int = 0,
    lies_ahead: bool = True,
) -> int:
    """Move the admission clock by `count` calls: the slots' rule, for work handed out and not yet started.

    pace: ms between two calls, where refusals have made it slower than the limits say.
    manual: manual work has a clock of its own besides, because it waits for no other.
    leaves: whether other manual work is left behind, if that is known.
    since: before this the slots are others', so that a clock which is stale starts from there (epoch ms).
    lies_ahead: whether the clock does, as far as is known; guessed wrong, the write is made again.

    Returns:
        For how long, in ms, what was handed out before keeps the slots: the first of these calls starts then.
    """
    if not limits.pace:
        return 0
    advance = count * max(limits.pace, pace)
    whole = Budget.admitted_until
    clock, others = (Budget.manual_until, [whole.set((whole | now) + advance)]) if manual else (whole, [])
    if leaves is not None:
        others.append(Budget.left_at.set(now) if leaves else Budget.left_at.remove())
    for ahead in (lies_ahead, not lies_ahead, lies_ahead):
        # The clock lies ahead, or it is stale and starts from now. Whoever is first moves it between two tries.
        moved = clock + advance if ahead else max(now, since) + advance
        as_seen = clock > now if ahead else ledger.over(clock, now)
        with suppress(tables.ConditionFailed):
            item = tables.update(
                Budget, (budget, SLOTS), [clock.set(moved), *others], as_seen, token=Budget.admit_token
            )
            until = (item.manual_until if manual else item.admitted_until) or 0
            return until - advance - now if ahead else 0
    return 0


def retract(budget: str, unused: int, pace: int) -> None:
    """Move the clock of manual work back by `unused` calls, each of which has moved it by `pace` ms.

    Sent once, as `give_back`: a loss leaves manual work waiting for a few slots that nobody uses.
    """
    if unused > 0 and pace:
        earlier = [Budget.manual_until.set(Budget.manual_until - unused * pace)]
        with suppress(PynamoDBException, BotoCoreError, tables.Contention):
            tables.update(Budget, (budget, SLOTS), earlier, once=True)


def admit_until(budget: str, until: int) -> None:
    """Note that the work handed out can all have started by `until` (epoch ms): the same, where windows roll."""
    earlier = Budget.admitted_until.does_not_exist() | (Budget.admitted_until < until)
    with suppress(tables.ConditionFailed):
        tables.update(Budget, (budget, SLOTS), [Budget.admitted_until.set(until)], earlier)
