"""Asking for a scheduler run now, instead of at the next minute. Many requests at once start a few runs at most.

The item (`nudge`, `scheduler`) of table `lanes` says who asks and who answers:

```
 seen_at          somebody asks for a run, and none has begun since
 run_0 … run_2    until when each of the runs that are going on may last, epoch ms

 asker   sets seen_at ── fewer than three runs? starts one ── three? one of them sees it before it leaves
 run     takes a place and clears seen_at ── tick ── seen_at is clear? leaves ── else clears it, and ticks once more
```
The run clears the flag before it reads the lanes, so whatever was written before that is seen.
"""

from typing import Any, NamedTuple

from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update

from sluice.jobs.queue.lanes import Lane
from sluice.platform import aws, tables
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.settings import settings

RUNS = 3
# A run lasts no longer than this: its function is ended before.
RUN_MS = MINUTE
# A flag that nobody cleared within this time belongs to a run that never came.
LOST_AFTER_MS = 5 * SECOND
TRIES = 12
_ITEM = ("nudge", "scheduler")


class Place(NamedTuple):
    """One of the places of runs, and until when it is taken."""

    number: int
    until: int

    @property
    def path(self) -> Path:
        """Its attribute."""
        return Path(f"run_{self.number}")


def nudge(now: int) -> None:
    """Start the scheduler, unless a run that will see everything written so far is on its way."""
    if ask(now):
        aws.invoke_later(settings().require("scheduler_function"), {"source": "nudge"})


def ask(now: int) -> bool:
    """Ask for a run. True when the caller must start it."""
    free = Lane.seen_at.does_not_exist() | (Lane.seen_at < now - LOST_AFTER_MS)
    try:
        after = tables.update(Lane, _ITEM, [Lane.seen_at.set(now)], free, token=Lane.nudge_token)
    except tables.ConditionFailed:
        return False
    return sum((until or 0) > now for until in (after.run_0, after.run_1, after.run_2)) < RUNS


def begin(now: int) -> Place | None:
    """A run begins: take a place, and answer whoever has asked. None when all are taken, by runs that will answer."""
    taken: dict[int, int] = {}
    for _ in range(TRIES):
        free = [Place(number, now + RUN_MS) for number in range(RUNS) if taken.get(number, 0) <= now]
        if not free:
            return None
        place = free[0]
        unused = place.path.does_not_exist() | (place.path <= now)
        actions: list[Update] = [place.path.set(place.until), Lane.seen_at.remove()]
        try:
            tables.update(Lane, _ITEM, actions, unused, token=Path(f"run_{place.number}_token"))
        except tables.ConditionFailed as failed:
            taken = {number: _until(failed, number) for number in range(RUNS)}
        else:
            return place
    return None


def leave(place: Place) -> bool:
    """The run has read everything. False when somebody has asked since: they are answered by one more reading."""
    ours = place.path == place.until
    try:
        tables.update(Lane, _ITEM, [place.path.remove()], ours & Lane.seen_at.does_not_exist())
    except tables.ConditionFailed as failed:
        if _until(failed, place.number) != place.until:
            return True
        tables.update(Lane, _ITEM, [Lane.seen_at.remove()])
        return False
    return True


def give_up(place: Place) -> None:
    """The run ends, whoever asks: the next minute's answers."""
    try:
        tables.update(Lane, _ITEM, [place.path.remove()], place.path == place.until)
    except tables.ConditionFailed:
        return


def _until(failed: tables.ConditionFailed, number: int) -> int:
    value: dict[str, Any] = (failed.item or {}).get(f"run_{number}", {})
    return int(value.get("N", 0))
