"""What a price was on each of the last days: a ring on the price's own item, with one place for each day. Pure.

```
 day (UTC), counted from 1970    20784   20785   20786
 its place, by day modulo 30     d24     d25     d26  =  "20786 180 165": the day, ask and bid; - where there was none
```
The write of a newer price enters it in the place of its day, over what was observed earlier that day, or a month
before. So a history takes no write and no read of its own, workers cannot overwrite each other's days, and the item
stays below the kilobyte that one write unit pays for (ADR 120).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sluice.platform.clock import DAY, iso

# Days that are kept, and places of the ring.
DAYS: Final = 30
PLACES: Final = tuple(f"d{number}" for number in range(DAYS))
_NONE: Final = "-"


class PastPrice(NamedTuple):
    """The last that was observed of a price on one day.

    day: of UTC, `2026-11-27`. ask, bid: decimal strings; None where there was none.
    """

    day: str
    ask: str | None
    bid: str | None


def entry(observed_at: int, ask: str | None, bid: str | None) -> tuple[str, str]:
    """The place of an observation, and what stands there. observed_at: epoch ms."""
    day = observed_at // DAY
    return PLACES[day % DAYS], f"{day} {ask or _NONE} {bid or _NONE}"


def read(places: Mapping[str, str], now: int) -> list[PastPrice]:
    """The last 30 days that were observed, oldest first. places: what stands in each. now: epoch ms."""
    told = [_told(text) for text in places.values()]
    oldest = now // DAY - DAYS
    return [one for day, one in sorted(told) if day > oldest]


def together(older: Mapping[str, str], newer: Mapping[str, str]) -> dict[str, str]:
    """Two rings of one price as one: in each place the later day, and of the same day what `newer` has."""
    later = {place for place, text in newer.items() if place not in older or _told(text)[0] >= _told(older[place])[0]}
    return {**older, **{place: newer[place] for place in later}}


def _told(text: str) -> tuple[int, PastPrice]:
    number, ask, bid = text.split(" ")
    day = int(number)
    return day, PastPrice(iso(day * DAY)[:10], None if ask == _NONE else ask, None if bid == _NONE else bid)
