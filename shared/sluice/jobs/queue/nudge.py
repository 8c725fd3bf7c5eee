"""Asking for a scheduler run now, or at a later second, instead of at the next minute.

Many requests at once start a few runs at most. The item (`nudge`, `scheduler`) of table `lanes` says who asks and who
answers:

```
 seen_at          somebody asks for a run, and none has begun since
 run_0 … run_2    until when each of the runs that are going on answers, epoch ms

 asker   sets seen_at ── fewer than three runs? starts one ── three? one of them sees it before it leaves
 run     takes a place and clears seen_at ── tick ── seen_at is clear? leaves ── else clears it, and ticks once more
         its time is over: it ticks once more for who asked before that; who asks later has started another
```
The run clears the flag before it reads the lanes, so whatever was written before that is seen.

What is due in a while is asked for by a message that SQS holds back until then (`wake`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update

from sluice.jobs.queue.lanes import Lane
from sluice.platform import aws, tables
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.settings import settings

RUNS = 3
# For so long a run answers those who ask; its function is ended a while later. Then its place is another's.
RUN_MS = 30 * SECOND
# A flag that nobody cleared within this time belongs to a run that never came.
LOST_AFTER_MS = 5 * SECOND
# So often a run looks for a place, without a pause. Who took one before it has begun since it was asked for: that run
# answers for this one too.
TRIES = 12
# SQS holds a message back for so long at most. What is due later is found by the minute's run.
LONGEST_WAIT_MS = 15 * MINUTE
_ITEM = ("nudge", "scheduler")
# The seconds for which this process has sent a message.
_woken: set[int] = set()


class RunPlace(NamedTuple):
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


def wake(at: int, now: int) -> None:
    """Start the scheduler at `at` (epoch ms), for what is due then; at once if that is over.

    One message for each second and process is enough: a run hands on all that is due.
    """
    if at <= now:
        nudge(now)
        return
    second = -(-at // SECOND)
    if second in _woken or at > now + LONGEST_WAIT_MS:
        return
    at = second * SECOND
    aws.send_message(settings().require("wake_queue_url"), str(at), (at - now) // SECOND)
    _woken.difference_update([one for one in list(_woken) if one * SECOND < now])
    _woken.add(second)


def forget() -> None:
    """Drop what this process remembers, as a new process would start."""
    _woken.clear()


class Wakeup(NamedTuple):
    """Why the scheduler runs. nudged: somebody asks for it. at: what it is asked for is due then, epoch ms; 0: now."""

    nudged: bool
    at: int = 0


BY_SCHEDULE = Wakeup(nudged=False)


def asked_by(event: Mapping[str, Any]) -> Wakeup:
    """What the event of the scheduler function says: its schedule's, a nudge's, or messages of `wake`."""
    times = [int(message["body"]) for message in event.get("Records", ())]
    return Wakeup(bool(times) or event.get("source") == "nudge", max(times, default=0))


def ask(now: int) -> bool:
    """Ask for a run. True when the caller must start it."""
    free = Lane.seen_at.does_not_exist() | (Lane.seen_at < now - LOST_AFTER_MS)
    try:
        after = tables.update(Lane, _ITEM, [Lane.seen_at.set(now)], free, token=Lane.nudge_token)
    except tables.ConditionFailed:
        return False
    running = [until for until in (after.run_0, after.run_1, after.run_2) if until and until > now]
    return len(running) < RUNS


def begin(now: int) -> RunPlace | None:
    """A run begins: take a place, and answer whoever has asked. None when all are taken, by runs that will answer."""
    taken: dict[int, int] = {}
    for _ in range(TRIES):
        free = [RunPlace(number, now + RUN_MS) for number in range(RUNS) if taken.get(number, now) <= now]
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


def leave(place: RunPlace) -> bool:
    """The run has read everything. False when somebody has asked since: they are answered by one more reading.

    Who has asked after its time has not counted on it.
    """
    ours = place.path == place.until
    mine = ours & (Lane.seen_at.does_not_exist() | (Lane.seen_at >= place.until))
    try:
        tables.update(Lane, _ITEM, [place.path.remove()], mine)
    except tables.ConditionFailed as failed:
        if _until(failed, place.number) != place.until:
            return True
        tables.update(Lane, _ITEM, [Lane.seen_at.remove()])
        return False
    return True


def give_up(place: RunPlace) -> None:
    """The run ends, whoever asks: the next minute's answers."""
    try:
        tables.update(Lane, _ITEM, [place.path.remove()], place.path == place.until)
    except tables.ConditionFailed:
        return


def _until(failed: tables.ConditionFailed, number: int) -> int:
    value: dict[str, Any] = (failed.item or {}).get(f"run_{number}", {})
    return int(value.get("N", 0))
