"""A block of calls that a worker takes by one write: when each of them may start. Pure.

```
 taken                  now        the worker's next write
 call 1                 ├─ made          ├ place ends when it was made
 call 2                    ├─ not made   ├ its place is the worker's still: the first call of the next block
 both places end at first     ├ latest
```
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sluice.jobs.budgets.rings import Rings, Ticket
from sluice.platform.clock import MINUTE, SECOND

# A block ends before a call that could start so much later than the one before it would let it.
LONGEST_GAP_MS = SECOND // 2
# Who would wait longer than this for a window gives the call up, and comes again when there is one.
WORTH_WAITING_MS = MINUTE
# Calls that a worker remembers, to correct places with: more than it can have in those that are not full yet.
MOST_OWN = 500
# How fast a worker makes calls that need no slots: so long work that was handed out counts as not yet started.
UNPACED_MS = 20
# Nobody hands out work that would start later than this.
MOST_AHEAD_MS = 10 * MINUTE


class Rhythm(NamedTuple):
    """What bounds the starts of a budget's calls.

    pace: ms between two, 0 where nothing asks for it. burst: how many may come at once. hold: how long after its start
    a call may be made, ms. margin: see `rings`.
    """

    pace: int
    burst: int
    hold: int
    margin: int


class Times(NamedTuple):
    """From when on calls can be had. next_at: the next one, by the pace. rings: by the rolling windows."""

    next_at: int = 0
    rings: Rings = Rings()


@dataclass
class Hand:
    """What one worker has taken. Whoever uses it says what became of each ticket: `made`, or `passed`.

    own: its calls by number: when they started, or may at the latest. unmade: tickets whose time has passed.
    """

    tickets: list[Ticket] = field(default_factory=list)
    own: dict[int, int] = field(default_factory=dict)
    unmade: list[Ticket] = field(default_factory=list)

    def take(self, tickets: Sequence[Ticket]) -> None:
        """The worker has taken `tickets`, which have those in them that were `unmade`."""
        self.tickets, self.unmade = list(tickets), []
        self.own |= {ticket.number: ticket.latest for ticket in tickets}
        while len(self.own) > MOST_OWN:
            del self.own[next(iter(self.own))]

    def made(self, now: int) -> None:
        """The first ticket's call starts now."""
        ticket = self.tickets.pop(0)
        self.own[ticket.number] = now

    def passed(self) -> None:
        """The first ticket's call is not made in its time."""
        self.unmade.append(self.tickets.pop(0))

    def drop(self) -> None:
        """No ticket is used any more."""
        self.unmade += self.tickets
        self.tickets = []


def take(times: Times, hand: Hand, count: int, now: int, rhythm: Rhythm) -> tuple[Times, list[Ticket]]:
    """The next calls of a worker: `count` of them, or fewer where the later ones would have to wait.

    Those that it did not make in their time are among them. The clock and the rings only move forward, whatever the
    callers' own clocks do.
    """
    rings = times.rings.settle(hand.own)
    tat, tickets, earliest = times.next_at, list[Ticket](), now
    early = (rhythm.burst - 1) * rhythm.pace
    for old in _several([one for one in hand.unmade if rings.keep(one)], count):
        paced = max(earliest, tat - early)
        start = max(paced, old.start if old else rings.opening(rhythm.margin))
        if tickets and not old and start - paced > LONGEST_GAP_MS:
            break
        latest = start + rhythm.hold
        if old:
            rings, ticket = rings.take_again(old, start, latest)
        else:
            rings, ticket = rings.take(start, latest, rhythm.margin)
        tickets.append(ticket)
        tat, earliest = max(tat, start) + rhythm.pace, start
    return Times(tat, rings), tickets


def leave(times: Times, hand: Hand, rhythm: Rhythm) -> Times:
    """After a worker that makes no more calls has given back what it can, and has told when its calls were made."""
    rings = times.rings.give_back(hand.unmade, rhythm.margin)
    # Those that are not the last ones pass unused: nobody can have them before the ring comes round.
    own = {number: end for number, end in hand.own.items() if number < rings.taken}
    return times._replace(rings=rings.settle(own))


def free_by(times: Times, now: int, until: int, pace: int, margin: int) -> int | None:
    """Calls that may start from now until `until` at the most; None where nothing limits them."""
    paced = max(0, -(-(until - max(times.next_at, now)) // pace)) if pace else None
    known = [one for one in (paced, times.rings.free_by(now, until, margin)) if one is not None]
    return min(known, default=None)


def handed_out(times: Times, now: int, until: int, pace: int, margin: int) -> int:
    """Calls of work that was handed out, can all have started by `until`, and has not yet."""
    free = times.rings.free_by(now, until, margin)
    estimate = -(-max(0, until - now) // (pace or UNPACED_MS))
    return estimate if free is None else min(free, estimate)


def hand_out(times: Times, now: int, until: int, before: int, count: int, pace: int, margin: int) -> int:
    """By when `count` more calls can have started than the `before` that were handed out already, until `until`.

    before: counted by whoever hands out several batches. By `until` alone (`handed_out`) all calls would count that can
    start with the last of them: a whole window, where it opens at once.
    """
    least = max(until, now) + count * (pace or UNPACED_MS)
    return max(least, started_by(times, before + count, now, now + MOST_AHEAD_MS, pace, margin))


def started_by(times: Times, count: int, now: int, most: int, pace: int, margin: int) -> int:
    """When the next `count` calls can all have started; no later than `most`."""
    low, high = now, max(now, most)
    while low < high:
        middle = (low + high) // 2
        free = free_by(times, now, middle, pace, margin)
        if free is None or free >= count:
            high = middle
        else:
            low = middle + 1
    return low


def _several(unmade: Sequence[Ticket], count: int) -> Iterator[Ticket | None]:
    yield from unmade
    for _ in range(count - len(unmade)):
        yield None
