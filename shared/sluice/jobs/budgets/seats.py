"""Seats: at most so many jobs of a service run at once, whatever the number of workers.

```
 budget            window   attributes
 ebay-marketing    seats    s0=1795348890000  s3=1795348892500  …     until when each is taken, epoch ms
                            s0_token=Xy3_                             of whoever took it first of some (see `tables`)
```
A seat is taken until the end of its worker's own time. When that is over the worker is gone, whatever became of it, so
a seat is never lost and never taken by two. Taking several is one conditional write.
"""

from contextlib import suppress
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from sluice.jobs.budgets.ledger import Budget
from sluice.platform import tables

SEATS = "seats"
# How often a worker that keeps losing to others looks again. Each round somebody else's write succeeded.
TRIES = 12


def take(service: str, at_once: int, wanted: int, now: int, until: int) -> list[str]:
    """Up to `wanted` of the `at_once` seats of `service`, until `until` (epoch ms); none when all are taken."""
    taken: dict[str, int] = {}
    for _ in range(TRIES):
        free = [name for name in _names(at_once) if taken.get(name, 0) <= now][:wanted]
        if not free:
            break
        try:
            actions, token = [Path(name).set(until) for name in free], Path(f"{free[0]}_token")
            tables.update(Budget, (service, SEATS), actions, _all_free(free, now), token=token)
        except tables.ConditionFailed as failed:
            taken = _taken(failed.item or {})
        else:
            return free
    return []


def leave(service: str, seats: list[str], until: int) -> None:
    """Give `seats` back that were taken until `until`. One that is not given back is free then."""
    if not seats:
        return
    own: Condition | None = None
    for name in seats:
        mine = Path(name) == until
        own = mine if own is None else own & mine
    with suppress(tables.ConditionFailed):
        tables.update(Budget, (service, SEATS), [Path(name).remove() for name in seats], own)


def _names(at_once: int) -> list[str]:
    return [f"s{number}" for number in range(at_once)]


def _all_free(seats: list[str], now: int) -> Condition | None:
    free: Condition | None = None
    for name in seats:
        one = Path(name).does_not_exist() | (Path(name) <= now)
        free = one if free is None else free & one
    return free


def _taken(item: dict[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value}
