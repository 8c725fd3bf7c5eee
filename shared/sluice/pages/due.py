"""Which tracked pages are due: what one run of the scheduler looks through, of however many there are.

```
 index `due`   longest due ──────────────────────────────────────────────────────────────► now
 each run      [the first 2,000]          [2,000 more, from where the last run stopped]─►
                                          at the end, the next run goes on behind the first 2,000 again
```
This for each shard of the index. So a run reads a bounded number of pages, and nobody's stay unread behind those of a
tenant that has more of them than that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sluice.pages import table
from sluice.pages.table import Product

# Pages in each of the two parts of a shard.
MOST_READ = 2_000

# Where the second part of each shard ended that has more behind it: `check_at` and id of the last page, as JSON.
Stops = Mapping[str, Sequence[Any]]


class Due(NamedTuple):
    """products: some of those that are due, the longest due first. stops: for the next run."""

    products: list[Product]
    stops: Stops


def read(now: int, stops: Stops) -> Due:
    """What a run looks through. stops: of the last run.

    At most 2 * MOST_READ pages for each shard are read.
    """
    found, ends = dict[str, Product](), dict[str, Sequence[Any]]()
    for shard in table.watch_keys():
        part = _part(shard, now, None)
        found.update((one.product, one) for one in part)
        if len(part) < MOST_READ:
            continue
        behind, stopped = _place(part[-1]), stops.get(shard)
        part = _part(shard, now, stopped if stopped and stopped[0] >= behind[0] else behind)
        found.update((one.product, one) for one in part)
        if len(part) == MOST_READ:
            ends[shard] = _place(part[-1])
    return Due(sorted(found.values(), key=_place), ends)


def _part(shard: str, now: int, after: Sequence[Any] | None) -> list[Product]:
    start = None
    if after:
        check_at, product = after
        start = {"watch": {"S": shard}, "check_at": {"N": str(check_at)}, "product": {"S": product}}
    return list(Product.due.query(shard, Product.check_at <= now, limit=MOST_READ, last_evaluated_key=start))


def _place(one: Product) -> list[Any]:
    return [one.check_at, one.product]
