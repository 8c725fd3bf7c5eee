"""Rolling windows, kept exactly: any number of them, whatever the number of workers. Pure, in whole milliseconds.

```
 a window W of 8 calls, as a ring of 4 places of 2 calls each
 calls    0 1   2 3   4 5   6 7   8 9           the 9th call is the first of place 0 again:
 places  │ 0 │ │ 1 │ │ 2 │ │ 3 │ │ 0 │ …        it starts W after the last call that place 0 held, or later
```
Calls are numbered as they are taken, and each takes the next number in every ring. When a place is entered again, all
calls that it held have left the window; so from any call on, the window holds those of the other places and the few of
this one, which are never more than it allows.

A place keeps when its last call started. While that is not known it is the latest time at which it may: a worker
writes this when it takes the call, and corrects it by its next write. If it dies, the latest time stays, which is
safe. All times are those at which calls start by the clocks of workers. A marketplace counts arrivals: `margin` is by
how much the way of two calls, and the clocks of two workers, may differ.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

# Places of all rings of a budget. A call waits for its place's last call, so more places use more of a window: with 100
# at least 99 % of it. These make 600 bytes, and the item that has them stays below the kilobyte of one write unit.
PLACES = 200

_FORMAT = 1
_HEAD, _RING = struct.Struct(">BBq"), struct.Struct(">IIHqq")
# Of three bytes: by so many units of time two places of a ring can differ.
_MOST_UNITS = (1 << 24) - 1


class Span(NamedTuple):
    """One rolling window: at most `calls` in any `ms` milliseconds."""

    calls: int
    ms: int

    @property
    def unit(self) -> int:
        """The precision with which a place's end is stored, ms: 1, and more for windows of hours."""
        return -(-2 * self.ms // _MOST_UNITS)


class Ticket(NamedTuple):
    """One call that was taken. start: not before. latest: and not after; epoch ms.

    number: in the rings. opened: when its place in each of them was free.
    """

    start: int
    latest: int
    number: int = 0
    opened: tuple[int, ...] = ()


class Ring(NamedTuple):
    """One rolling window's places. opens: when the place that calls are taken from was free.

    ends: by place, when its last call started, or may at the latest; 0 for one that was never used.
    """

    span: Span
    opens: int
    ends: tuple[int, ...]

    @classmethod
    def empty(cls, span: Span, places: int) -> "Ring":
        """A window from which nothing was taken yet."""
        return cls(span, 0, (0,) * min(span.calls, places))

    def place(self, number: int) -> int:
        """The place of the call `number`."""
        return number % self.span.calls * len(self.ends) // self.span.calls

    def members(self, number: int) -> range:
        """The calls that are in the same place as the call `number`, at the same turn of the ring."""
        place, turn = self.place(number), number - number % self.span.calls
        first, after = (-(-edge * self.span.calls // len(self.ends)) for edge in (place, place + 1))
        return range(turn + first, turn + after)

    def entered_again(self, number: int, taken: int) -> bool:
        """Whether the place of the call `number` has been entered again since, when `taken` calls were taken so far."""
        return taken > self.members(number).start + self.span.calls

    def opening(self, number: int, margin: int) -> int:
        """When the call `number`, which is the next to be taken, may start."""
        if number == self.members(number).start:
            return self.ends[self.place(number)] + self.span.ms + margin
        return self.opens

    def taken(self, number: int, latest: int, margin: int) -> "Ring":
        """After the call `number` was taken, which starts at `latest` at the latest."""
        opening, before = self.opening(number, margin), self.ends[self.place(number)]
        return self._replace(opens=opening).ended(number, max(before, latest))

    def ended(self, number: int, end: int) -> "Ring":
        """With the place of the call `number` ending at `end`."""
        place = self.place(number)
        return self._replace(ends=(*self.ends[:place], end, *self.ends[place + 1 :]))

    def settled(self, own: Mapping[int, int], taken: int) -> "Ring":
        """With the places corrected of which one worker has taken all calls so far.

        own: by number, when each of the worker's calls started, or may at the latest. taken: calls of everybody.
        """
        ring = self
        for number in dict.fromkeys(self.members(number).start for number in own):
            if self.entered_again(number, taken):
                continue
            known = [own.get(each) for each in self.members(number) if each < taken]
            ends = [end for end in known if end is not None]
            # None, where the rings were lost and begin anew: they know less than the worker.
            if known and len(ends) == len(known):
                ring = ring.ended(number, max(ends))
        return ring

    def back(self, ticket: Ticket, opened: int, margin: int) -> "Ring":
        """As it was before `ticket` was taken, which was the last. Its place was free from `opened` on."""
        ring = self._replace(opens=opened)
        if ticket.number == self.members(ticket.number).start:
            return ring.ended(ticket.number, opened - self.span.ms - margin)
        return ring

    def used(self, taken: int, now: int) -> int:
        """Calls that are in the window at `now`, when `taken` calls were taken so far."""
        found = 0
        for place, end in enumerate(self.ends):
            if end and end + self.span.ms > now:
                found += self._size(place)
        current = self.members(taken)
        if taken > current.start and self.ends[self.place(taken)] + self.span.ms > now:
            found -= current.stop - taken
        return found

    def free_by(self, taken: int, now: int, until: int, margin: int) -> int:
        """Calls that may start from now until `until`, if those before them start as soon as they may."""
        current, here = self.members(taken), self.place(taken)
        found, open_at, again = 0, now, self.span.ms + margin
        for step in range(len(self.ends)):
            place = (here + step) % len(self.ends)
            entered = step == 0 and taken > current.start
            open_at = max(open_at, self.opens if entered else self.ends[place] + again)
            if entered and open_at <= until:
                found += current.stop - taken
            # A place that was entered is free again after its last call has left.
            free_at = max(open_at, self.ends[place]) + again if entered else open_at
            if free_at <= until:
                found += self._size(place) * (1 + (until - free_at) // again)
        return found

    def started(self, number: int, taken: int) -> int:
        """When the call `number` started, or a later time; below 0 for one that never was. Of earlier turns too."""
        if number < 0:
            return 0
        turns = max(0, -(-(taken - number) // self.span.calls) - 1)
        return self.ends[self.place(number)] - turns * self.span.ms

    def _size(self, place: int) -> int:
        calls, places = self.span.calls, len(self.ends)
        return -(-(place + 1) * calls // places) + (-place * calls // places)


class Rings(NamedTuple):
    """All rolling windows of a budget. taken: calls that were taken so far, which is the next one's number."""

    taken: int = 0
    rings: tuple[Ring, ...] = ()

    @classmethod
    def unreadable(cls, now: int) -> "Rings":
        """Rings of which nothing is known: windows that are made of them are as full as if all were called just now."""
        return cls(0, (Ring(Span(0, 0), now, ()),))

    def fitting(self, spans: Sequence[Span], margin: int) -> "Rings":
        """These rings, or those of `spans` if they are others: a limit was changed.

        What is known of earlier calls is carried over. A window that is the first of its budget begins empty.
        """
        if [ring.span for ring in self.rings] == list(spans):
            return self
        places = PLACES // max(1, len(spans))
        return self._replace(rings=tuple(self._made(span, places, margin) for span in spans))

    def _made(self, span: Span, places: int, margin: int) -> Ring:
        known = max(self.rings, key=lambda ring: (ring.span.ms == span.ms, ring.span.calls), default=None)
        ring = Ring.empty(span, places)
        if known is None or (known.span == span and len(known.ends) == len(ring.ends)):
            return known or ring
        if not known.span.calls:
            return ring._replace(ends=(known.opens,) * len(ring.ends))
        for number in range(max(0, self.taken - span.calls), self.taken):
            before = ring.ends[ring.place(number)]
            ring = ring.ended(number, max(before, known.started(number, self.taken)))
        current = ring.members(self.taken)
        if self.taken > current.start:
            earlier = [known.started(number - span.calls, self.taken) for number in current]
            ring = ring.ended(
                self.taken, max(known.started(number, self.taken) for number in range(current.start, self.taken))
            )
            ring = ring._replace(opens=max(earlier) + span.ms + margin)
        return ring

    def opening(self, margin: int) -> int:
        """When the next call may start."""
        return max((ring.opening(self.taken, margin) for ring in self.rings), default=0)

    def take(self, start: int, latest: int, margin: int) -> tuple["Rings", Ticket]:
        """After the next call was taken, which starts between `start` and `latest`."""
        opened = tuple(ring.opening(self.taken, margin) for ring in self.rings)
        rings = tuple(ring.taken(self.taken, latest, margin) for ring in self.rings)
        return Rings(self.taken + 1, rings), Ticket(start, latest, self.taken, opened)

    def keep(self, ticket: Ticket) -> bool:
        """Whether the places of `ticket` are still those of its own turn."""
        return not any(ring.entered_again(ticket.number, self.taken) for ring in self.rings)

    def take_again(self, ticket: Ticket, start: int, latest: int) -> tuple["Rings", Ticket]:
        """After `ticket`, whose call was not made in its time, was given another: its places are the worker's still."""
        rings = tuple(
            ring.ended(ticket.number, max(ring.ends[ring.place(ticket.number)], latest)) for ring in self.rings
        )
        return self._replace(rings=rings), ticket._replace(start=start, latest=latest)

    def settle(self, own: Mapping[int, int]) -> "Rings":
        """After a worker has told when its calls started. See `Ring.settled`."""
        return self._replace(rings=tuple(ring.settled(own, self.taken) for ring in self.rings))

    def give_back(self, unmade: Iterable[Ticket], margin: int) -> "Rings":
        """After those of the `unmade` tickets were given back that nobody has taken calls after."""
        rings = self
        for ticket in sorted(unmade, key=lambda each: each.number, reverse=True):
            if ticket.number != rings.taken - 1:
                break
            each = zip(rings.rings, ticket.opened, strict=True)
            rings = Rings(ticket.number, tuple(ring.back(ticket, opened, margin) for ring, opened in each))
        return rings

    def free_by(self, now: int, until: int, margin: int) -> int | None:
        """Calls that may start from now until `until` in all windows; None where there are no windows."""
        return min((ring.free_by(self.taken, now, until, margin) for ring in self.rings), default=None)


def encode(rings: Rings) -> bytes:
    """As it is stored. Places' ends are rounded up to the span's unit: a call is never thought to have left early."""
    parts = [_HEAD.pack(_FORMAT, len(rings.rings), rings.taken)]
    for ring in rings.rings:
        unit = ring.span.unit
        # Two windows before the newest end everything has left.
        base = max(0, max(ring.ends) - _MOST_UNITS * unit)
        parts.append(_RING.pack(*ring.span, len(ring.ends), ring.opens, base))
        parts += [(-(-max(0, end - base) // unit)).to_bytes(3, "big") for end in ring.ends]
    return b"".join(parts)


def decode(stored: bytes | None) -> Rings:
    """What `encode` has stored; no rings where nothing was.

    Raises:
        ValueError: it is damaged, or of another form.
    """
    if not stored:
        return Rings()
    try:
        return _decode(stored)
    except struct.error as error:
        raise ValueError(f"rings that cannot be read: {error}") from error


def _decode(stored: bytes) -> Rings:
    form, count, taken = _HEAD.unpack_from(stored)
    if form != _FORMAT:
        raise ValueError(f"rings of form {form}; this version reads {_FORMAT}")
    at, rings = _HEAD.size, list[Ring]()
    for _ in range(count):
        calls, ms, places, opens, base = _RING.unpack_from(stored, at)
        at += _RING.size
        if not 0 < places <= calls or len(stored) < at + 3 * places:
            raise ValueError("rings are cut off")
        span = Span(calls, ms)
        found = (int.from_bytes(stored[at + 3 * place : at + 3 * place + 3], "big") for place in range(places))
        rings.append(Ring(span, opens, tuple(base + units * span.unit if units else 0 for units in found)))
        at += 3 * places
    return Rings(taken, tuple(rings))
