"""Which lanes have work: table `lanes`. The scheduler reads this list instead of every lane that could exist.

A lane is marked before a job enters it, and at most once a minute by each process. The scheduler removes a mark only
when the lane is empty and the mark is old:

```
 enqueuer   mark ───── job ─ job ─ … ≤ 60 s … ─ job │ mark again
 scheduler        │──── the mark must be this old: 10 min ────│ empty? remove, if the mark is still that old
```
So a job whose enqueuer relied on its last mark always finds that mark in place.
"""

from contextlib import suppress
from threading import Lock, RLock
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from sluice.jobs.model import keys
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import MINUTE

REGISTRY = "lanes#"
REGISTRY_SHARDS = 4
REMEMBER_MS = MINUTE
REMOVE_AFTER_MS = 10 * MINUTE


class Lane(tables.Table):
    """A lane that has, or lately had, work. Times are epoch ms.

    seen_at: when it was last marked.
    shared_at: when a job that several have asked for was last about to stand in it; None: no job ever was.
    held_since: since when its account has not worked, as far as ticks have seen.
    swept: up to where in the lane the last tick has moved on what waits for that account; None: to its end.
    nudge_token, run_0, run_1, run_2: of the item that asks for runs of the scheduler (see `nudge`).
    """

    class Meta:
        table_name = tables.name("lanes")

    registry = UnicodeAttribute(hash_key=True)
    lane = UnicodeAttribute(range_key=True)
    seen_at = IntAttribute()
    shared_at = IntAttribute(null=True)
    held_since = IntAttribute(null=True)
    swept = JSONAttribute(null=True)
    nudge_token = UnicodeAttribute(null=True)
    run_0 = IntAttribute(null=True)
    run_1 = IntAttribute(null=True)
    run_2 = IntAttribute(null=True)


# When this process last marked a lane, and whether as one with shared jobs.
_marked: dict[tuple[str, bool], int] = {}
# Who marks a lane: the other threads of this process that want to wait, and need not write it again.
_marking: dict[tuple[str, bool], RLock] = {}
_lock = Lock()


def _key(lane: str) -> tuple[str, str]:
    return f"{REGISTRY}{keys.shard(lane, REGISTRY_SHARDS)}", lane


def mark(lane: str, now: int, *, shared: bool = False) -> None:
    """Say that `lane` is about to have work. Must come before the job's own write.

    shared: several have asked for it, so that another's account can run it.
    """
    with _lock:
        if _is_marked(lane, now, shared=shared):
            return
        turn = _marking.setdefault((lane, shared), RLock())
    with turn:
        if not _is_marked(lane, now, shared=shared):
            _mark(lane, now, shared=shared)


def _is_marked(lane: str, now: int, *, shared: bool) -> bool:
    marked = _marked.get((lane, shared))
    return marked is not None and abs(now - marked) < REMEMBER_MS


def _mark(lane: str, now: int, *, shared: bool) -> None:
    said = Lane.shared_at if shared else Lane.seen_at
    with suppress(tables.ConditionFailed):  # marked since, by a process whose clock is ahead
        earlier = said.does_not_exist() | (said < now)
        tables.update(
            Lane, _key(lane), [Lane.seen_at.set(now), *([Lane.shared_at.set(now)] if shared else [])], earlier
        )
    with _lock:
        _marked[lane, shared] = now


def forget() -> None:
    """Drop what this process remembers, as a new process would start."""
    with _lock:
        _marked.clear()
        _marking.clear()


def active() -> list[Lane]:
    """Every marked lane, with those that were marked a moment ago.

    One request for the table, and one more for each further megabyte: but for the item of `nudge` all of it is wanted.
    """
    return list(Lane.scan(Lane.registry.startswith(REGISTRY), consistent_read=True))


def some(most: int) -> list[Lane]:
    """Up to `most` marked lanes."""
    found: list[Lane] = []
    for part in range(REGISTRY_SHARDS):
        left = most - len(found)
        found += Lane.query(f"{REGISTRY}{part}", limit=left) if left else []
    return found


def outdated(lane: Lane, now: int) -> bool:
    """Whether the lane was marked so long ago that it is taken off the list if it is empty."""
    return lane.seen_at <= now - REMOVE_AFTER_MS


def remove(lane: Lane, now: int) -> bool:
    """Take an empty lane off the list, unless it was marked lately. The caller has seen that it is empty."""
    if not outdated(lane, now):
        return False
    try:
        tables.delete(Lane, (lane.registry, lane.lane), Lane.seen_at == lane.seen_at)
    except tables.ConditionFailed:
        return False
    return True


def note(lane: Lane, held_since: int | None, swept: dict[str, Any] | None) -> None:
    """Keep on the lane's mark what a tick has seen of its account, unless the mark is gone."""
    actions = [
        Lane.held_since.remove() if held_since is None else Lane.held_since.set(held_since),
        Lane.swept.remove() if swept is None else Lane.swept.set(swept),
    ]
    with suppress(tables.ConditionFailed):
        tables.update(Lane, (lane.registry, lane.lane), actions, Lane.seen_at.exists())
