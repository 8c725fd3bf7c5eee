"""The sweep that puts counters of unfinished jobs right, a tenant at a time: the stream may have lost a record.

```
 each minute   saves up; with enough of that the next tenant's unfinished jobs are counted where they stand: its lanes,
               and those that run
 off           counted once more ─► off in the same direction? the counters move by the smaller of the two
```
Why, and what it costs: `unfinished`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pynamodb.attributes import JSONAttribute
from pynamodb.models import Model

from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes, unfinished
from sluice.jobs.queue.lanes import Lane
from sluice.platform import tables
from sluice.platform.attributes import still
from sluice.platform.observe import logger


class Counters(NamedTuple):
    """Counters of unfinished jobs, by tenant.

    spoken: how messages name them.
    model, place, noted: the table, and the key and the attribute of the item that says whose turn it is.
    following: the tenant whose turn is after that of this one, given the marked lanes; None: nobody's.
    read: what a tenant's counters say, by name.
    counter: the name of the one that counts a job; None: none does.
    is_counted: whether the counter of this name counts unfinished jobs.
    move: moves a tenant's counters by so much, by name.
    """

    spoken: str
    model: type[Model]
    place: tuple[str, str]
    noted: JSONAttribute
    following: Callable[[str, Sequence[Lane]], str | None]
    read: Callable[[str], Mapping[str, int]]
    counter: Callable[[Job], str | None]
    is_counted: Callable[[str], bool]
    move: Callable[[str, dict[str, int]], None]


def sweep(counters: Counters) -> None:
    """Save up for a minute, and count the tenant whose turn it is if that is enough. Never fails."""
    try:
        _sweep(counters, lanes.active())
    except Exception:  # noqa: BLE001 - all else goes on without it; the next minute does it again
        logger.exception(f"{counters.spoken} could not be compared with the jobs")


def _sweep(counters: Counters, marked: Sequence[Lane]) -> None:
    item = next(iter(counters.model.query(counters.place[0], consistent_read=True)), None)
    stored = item.attribute_values.get(counters.noted.attr_name) if item else None
    turn = unfinished.Recount.decode(stored).earn()
    tenant = turn.tenant if turn.open else counters.following(turn.tenant, marked) or counters.following("", marked)
    if tenant is None:
        return
    moves, known = dict[str, int](), counters.read(tenant)
    if turn.enough(known, counters.is_counted):
        found = unfinished.count(tenant, marked, turn.saved, counters.counter)
        turn, moves = turn.after(tenant, found, found.off(known, counters.is_counted))
    if note(counters, turn, stored) and moves:
        counters.move(tenant, moves)


def note(counters: Counters, turn: unfinished.Recount, stored: dict[str, Any] | None) -> bool:
    """Keep whose turn it is; False if another run has done so since, which has read and moved the same.

    Comes before the counters move: whoever dies in between leaves them as they were, to be found again.
    """
    actions, token = [counters.noted.set(turn.encode())], tables.one_of_many("w")
    try:
        tables.update(counters.model, counters.place, actions, still(counters.noted, stored), token=token)
    except tables.ConditionFailed:
        return False
    return True
