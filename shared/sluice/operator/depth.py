"""How many publishes of eBay listings wait, run or have died: a gauge, told as the counters move."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sluice.jobs.model.states import DEAD, FINAL
from sluice.operator import counts
from sluice.platform.observe import gauge

# The queue of publishes, as its counters are called (see `measures`).
PUBLISHES: Final = "n:listing.publish:ebay:"


class Depth(NamedTuple):
    """pending: publishes that are not over. dead: those that died and were not asked for again."""

    pending: int
    dead: int


def depth(counted: Mapping[str, int]) -> Depth:
    """What the counters of now say of publishes (`counts.now`). Pure."""
    states = {name.removeprefix(PUBLISHES): number for name, number in counted.items() if name.startswith(PUBLISHES)}
    return Depth(sum(number for state, number in states.items() if state not in FINAL), states.get(DEAD, 0))


def follow(records: Sequence[counts.Record]) -> int:
    """Count what `records` of the stream say (`counts.follow`), and tell the gauge where something has moved."""
    moved = counts.follow(records)
    if moved:
        gauge("queue.pending_depth", depth(counts.now(counts.ALL)).pending)
    return moved
