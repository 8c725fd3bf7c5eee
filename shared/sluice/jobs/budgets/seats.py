"""Seats: at most so many jobs of a service run at once, whatever the number of workers.

```
 budget            window   attributes
 ebay-marketing    seats    s0=1795348890000  s3=1795348892500  …     until when each is taken, epoch ms
                            s0_by=ebay:acme                           for whose job
                            s0_token=Xy3_                             of whoever took it first of some (see `tables`)
```
A seat is taken until the end of its worker's own time. When that is over the worker is gone, whatever became of it, so
a seat is never lost and never taken by two. Taking several is one conditional write.

A quarter of them is kept for accounts that have none: one with very much to do takes the others as they come free, and
who has one job finds a seat at once.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from sluice.jobs.budgets.ledger import Budget
from sluice.platform import tables

SEATS = "seats"
# One part in so many of the seats is for accounts that have none.
KEPT_PART = 4
_BY = "_by"
# How often a worker that keeps losing to others looks again, without a pause: each round they have taken a seat, and
# soon there is none. Who goes without one comes again.
TRIES = 12


class _Seat(NamedTuple):
    until: int
    account: str


class TakenSeats:
    """Who sits where, as far as a run knows it from its own writes. Safe to share between threads.

    It spares a run that goes on the write that would only tell it so. It is no reason to refuse a seat: whoever sits
    somewhere for another run may have left.
    """

    def __init__(self) -> None:
        self._seats: Mapping[str, _Seat] = {}
        self._lock = Lock()

    def now(self) -> Mapping[str, _Seat]:
        """By the name of each seat that is taken."""
        return self._seats

    def found(self, seats: Mapping[str, _Seat]) -> None:
        """These are taken, and no others."""
        with self._lock:
            self._seats = seats

    def came(self, seats: Mapping[str, _Seat]) -> None:
        """These are taken too."""
        with self._lock:
            self._seats = {**self._seats, **seats}

    def left(self, names: Collection[str]) -> None:
        """These are free again."""
        with self._lock:
            self._seats = {name: seat for name, seat in self._seats.items() if name not in names}


def take(
    service: str, at_once: int, wanted: Sequence[str], now: int, until: int, known: TakenSeats | None = None
) -> dict[int, str]:
    """Seats of the `at_once` of `service` until `until` (epoch ms), by the place in `wanted` of who has each.

    wanted: the accounts that need one, in their order; one that needs several stands there as often.
    known: what the run knows; it is kept up to date.
    """
    known = known or TakenSeats()
    is_new = not known.now()
    for _ in range(TRIES):
        seen = known.now()
        free = [name for name in _names(at_once) if name not in seen or seen[name].until <= now]
        had = Counter(seat.account for name, seat in seen.items() if name not in free)
        chosen = dict(_choose(wanted, list(free), had, at_once // KEPT_PART))
        if len(chosen) < len(wanted) and not is_new:
            known.found({})
            is_new = True
            continue
        if not chosen:
            break
        try:
            actions = [
                action
                for place, name in chosen.items()
                for action in (Path(name).set(until), Path(name + _BY).set(wanted[place]))
            ]
            # Nobody has taken one since, of whatever account.
            condition = _as_seen(free, {name: seat for name, seat in seen.items() if name not in free}, now)
            tables.update(Budget, (service, SEATS), actions, condition, token=Path(f"{free[0]}_token"))
        except tables.ConditionFailed as failed:
            known.found(_seen(failed.item or {}))
            is_new = True
        else:
            known.came({name: _Seat(until, wanted[place]) for place, name in chosen.items()})
            return chosen
    return {}


def _choose(wanted: Sequence[str], free: list[str], had: Counter[str], kept: int) -> Iterator[tuple[int, str]]:
    """Who has which of the `free` seats. had: seats that accounts have already. kept: for those that have none."""
    for place, account in enumerate(wanted):
        if free and not (had[account] and len(free) <= kept):
            had[account] += 1
            yield place, free.pop(0)


def leave(service: str, seats: list[str], until: int, known: TakenSeats | None = None) -> None:
    """Give `seats` back that were taken until `until`. One that is not given back is free then. known: as `take`."""
    if not seats:
        return
    own: Condition | None = None
    for name in seats:
        mine = Path(name) == until
        own = mine if own is None else own & mine
    with suppress(tables.ConditionFailed):
        tables.update(
            Budget, (service, SEATS), [Path(name + part).remove() for name in seats for part in ("", _BY)], own
        )
    if known:
        known.left(seats)


def _names(at_once: int) -> list[str]:
    return [f"s{number}" for number in range(at_once)]


def _as_seen(free: Sequence[str], taken: Mapping[str, _Seat], now: int) -> Condition | None:
    """All of `free` are, and no other account has come to those that are `taken`: at the most somebody has left."""
    seen: Condition | None = None
    for name in free:
        one = Path(name).does_not_exist() | (Path(name) <= now)
        seen = one if seen is None else seen & one
    for name, seat in taken.items():
        one = Path(name).does_not_exist() | (Path(name + _BY) == seat.account)
        seen = one if seen is None else seen & one
    return seen


def _seen(item: dict[str, Any]) -> dict[str, _Seat]:
    return {
        name: _Seat(int(value["N"]), item.get(name + _BY, {}).get("S", ""))
        for name, value in item.items()
        if "N" in value
    }
