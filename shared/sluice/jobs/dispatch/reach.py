"""How far a round reads the lanes of one priority: as far as it can hand out what stands there. Pure.

```
 manual        what the slots can start, for it goes before all other work; where other work has no room, a batch
 hot           what that leaves of the slots
 background    the same; where hot work fills it, or the rest of the calls is kept for it, the first job of each lane
```
Whatever waits behind that is neither read nor paid for. Age moves work up: where only work that age has raised can be
handed out, the first job of a lane, which has waited longest, says whether there is any.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sluice.jobs.dispatch.admission import Room
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL, POLL


class Reach(NamedTuple):
    """What is read of the lanes of one priority.

    most: jobs; None where nothing limits them. raised_to: a lane is read on behind its first job only where age has
    raised that one to this priority; None: anyway.
    """

    most: int | None
    raised_to: int | None = None


def reach(priority: str, room: Room, found: Sequence[Candidate], batch: int) -> Reach:
    """How far the lanes of `priority` are read, when those of higher ones were, and `found` is what stood there.

    room: the budget's. batch: most jobs that one worker is handed.
    """
    if priority == POLL:
        return Reach(_least(room.calls, room.checks))
    # One more than can be handed out: whether any is left behind.
    few = None if room.soon is None else max(room.soon, batch) + 1
    if priority == str(MANUAL):
        paced = (room.paced or 0) if room.opens(0) else 0
        return Reach(_least(room.calls, few and max(few, paced)))
    # Where tenants share an application, who may have how much of what was found is known only when it is picked.
    waits = 0 if room.shares else sum(job.calls for job in found if job.manual)
    if not room.opens(waits):
        return Reach(_least(room.calls, few), MANUAL)
    left = None if room.paced is None or room.shares else room.paced - waits
    full = room.spare == 0 or (left is not None and sum(job.calls for job in found) - waits >= left)
    return Reach(_least(room.calls, left), HOT if full and priority == str(BACKGROUND) else None)


def _least(*numbers: int | None) -> int | None:
    return min((number for number in numbers if number is not None), default=None)
