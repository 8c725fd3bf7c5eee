"""Counters of how the work goes: table `counts`, which a reader of its own keeps from the stream of table `jobs`.

```
 owner      period          counters (see `measures`)
 #tenants   acme            how many of the tenant's jobs there are now
 acme       2026-11-22T05   what became of the tenant's jobs in this hour
 #all       now             the same of the whole deployment
 #all       2026-11-22T05
```
The engine writes none of them. The reader gets up to 1,000 changes at once, and writes each item once for all of them.
It may get the same changes twice, and counts them once: an item remembers the last batches that it has counted.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update

from sluice.operator import measures
from sluice.platform import counted, tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, HOUR, iso, ttl

ALL, NOW, TENANTS = "#all", "now", "#tenants"
KEEP_MS = 35 * DAY
# Counters that one write moves: an expression may have 300 operators.
MOST_ADDS = 120

# A record of a DynamoDB stream, as Lambda hands it over.
Record = Mapping[str, Any]


class Counts(tables.Table):
    """One owner's counters, each an attribute of its own. seen: the batches that were counted last.

    sweep: of the item that says whose jobs are counted next, and by how much the last count was off (`recounts`).
    """

    class Meta:
        table_name = tables.name("counts")

    owner = UnicodeAttribute(hash_key=True)
    period = UnicodeAttribute(range_key=True)
    seen = UnicodeSetAttribute(null=True)
    sweep = JSONAttribute(null=True)
    expires_at = IntAttribute(null=True)


def follow(records: Sequence[Record]) -> int:
    """Count what `records` say; how many items of counters have moved.

    If it fails, it is to be done again with the same records: what was counted then is not counted again.
    """
    batch = hashlib.sha256(" ".join(record["eventID"] for record in records).encode()).hexdigest()[:12]
    changes = [(one["dynamodb"].get("OldImage"), one["dynamodb"].get("NewImage")) for one in records]
    found = [step for old, new in changes for step in measures.steps(old, new)]
    of_all = [step._replace(tenant=ALL) for step in found]
    moved = measures.total([*found, *of_all])
    for (tenant, hour), names in moved.items():
        for number, part in enumerate(_parts(sorted(names.items()))):
            _add_once(_item(tenant, hour), part, f"{batch}{number}", hour)
    return len(moved)


def now(owner: str) -> dict[str, int]:
    """How many jobs `owner`, a tenant or `ALL`, has now: counters by name, none below 0. One read."""
    return {name: max(0, number) for name, number in raw(owner).items()}


def raw(owner: str) -> dict[str, int]:
    """The counters of `now` as they stand, which may be below 0 where the stream has lost a record."""
    answer = Counts._get_connection().get_item(*_item(owner, None))
    return _counters(answer.get("Item") or {})


def jobs(
    counters: Mapping[str, int],
    kind: str | None = None,
    marketplace: str | None = None,
    state: str | None = None,
    code: str | None = None,
) -> dict[tuple[str, ...], int]:
    """How many jobs match by the counters of `now`, by kind, marketplace, state and, where one is asked for, code."""
    wanted, found = (kind, marketplace, state, code), dict[tuple[str, ...], int]()
    for name, number in counters.items():
        letter, *parts = name.split(":")
        place = (*parts, "") if letter == "n" else tuple(parts)
        asked = letter == ("x" if code else "n") and len(place) == len(wanted)
        if asked and all(one in (None, there) for one, there in zip(wanted, place, strict=True)):
            found[place] = number
    return found


def hours(owner: str, at: int, number: int) -> dict[int, dict[str, int]]:
    """What became of jobs of `owner` in the last `number` hours (100 at most): counters by the hour's beginning.

    The hour of `at` is the last one. An hour in which nothing happened has none.
    """
    last = at - at % HOUR
    names = {_hour(start): start for start in (last - back * HOUR for back in range(number))}
    wanted: list[Any] = [{"owner": owner, "period": name} for name in names]
    found: list[Any] = []
    while wanted:
        answer = Counts._get_connection().batch_get_item(wanted)
        found += answer["Responses"][Counts.Meta.table_name]
        unread = answer.get("UnprocessedKeys", {}).get(Counts.Meta.table_name, {}).get("Keys", [])
        wanted = [{name: value["S"] for name, value in key.items()} for key in unread]
    return {names[item["period"]["S"]]: _counters(item) for item in sorted(found, key=lambda one: one["period"]["S"])}


def summed(of_hours: Iterable[Mapping[str, int]]) -> Counter[str]:
    """The counters of several hours together."""
    together = Counter[str]()
    for one in of_hours:
        together.update(one)
    return together


def tenants(after: str, limit: int) -> list[tuple[str, dict[str, int]]]:
    """Up to `limit` tenants that have or had jobs, by name, those that come after `after`; each with its `now`."""
    answer = Counts._get_connection().query(
        TENANTS, Counts.period > after if after else None, limit=limit, consistent_read=False
    )
    return [(item["period"]["S"], _counters(item)) for item in answer["Items"]]


def _item(owner: str, hour: int | None) -> tuple[str, str]:
    if hour is not None:
        return owner, _hour(hour)
    return (ALL, NOW) if owner == ALL else (TENANTS, owner)


def _hour(at: int) -> str:
    return iso(at)[:13]


def _counters(item: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value and ":" in name}


def _parts(moves: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    rest = iter(moves)
    while part := list(islice(rest, MOST_ADDS)):
        yield part


def _add_once(item: tuple[str, str], moves: Iterable[tuple[str, int]], batch: str, hour: int | None) -> None:
    """Move the counters of `item`, unless it has counted `batch`."""
    adds: list[Update] = [Path([name]).add(by) for name, by in moves]
    if hour is not None:
        adds.append(Counts.expires_at.set(ttl(hour + KEEP_MS)))
    counted.move(Counts, item, Counts.seen, adds, batch)
