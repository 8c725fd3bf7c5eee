"""What each run of a function did: table `runs`. Audit records, hourly counters and the snapshot for /health.

```
 scope                     at                         attributes
 run#worker#2026-11-22     2026-11-22T05:00:03.120Z#… stats (JSON)
 hours#worker              2026-11-22T05              one counter for each word, and of calls (see `call_counts`)
 health                    snapshot                   stats (JSON)
 health                    ebay.publish               stats (JSON): the last of what a part of Sluice did; see `notes`
 batch#3xV9…               start                      taken_by: who has taken a batch (see `starts`)
```
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path

from sluice.platform import call_counts, tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl
from sluice.platform.config.document import Config
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place
from sluice.platform.observe import tell

HEALTH = ("health", "snapshot")
# Parts that leave notes for /health; there are a handful, so that one read finds all of them.
MOST_NOTES = 20
# What the range key of a run's record looks like.
KEY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f]{8}"


class RunRecord(tables.Table):
    """One run, one hour's counters, the health snapshot, or who has taken a batch.

    taken_by, token: of a batch alone; see `starts` and `tables`.
    """

    class Meta:
        table_name = tables.name("runs")

    scope = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)
    stats = JSONAttribute(null=True)
    taken_by = UnicodeAttribute(null=True)
    token = UnicodeAttribute(null=True)
    expires_at = IntAttribute(null=True)


def record(function: str, stats: Mapping[str, Any], counters: Mapping[str, int], now: int, config: Config) -> None:
    """Write the audit record of one run and add its `counters`, and those of its calls, to the hour's.

    Counters with dimensions that were tallied meanwhile are told as metrics.
    """
    tell()
    day, moment, expires_at = iso(now)[:10], iso(now), ttl(now + config.engine.retention_ms)
    RunRecord(
        scope=f"run#{function}#{day}", at=f"{moment}#{uuid4().hex[:8]}", stats=dict(stats), expires_at=expires_at
    ).save()
    counted = {**counters, **call_counts.take()}
    adds = [Path([f"n_{name}"]).add(value) for name, value in sorted(counted.items()) if value]
    if adds:
        expiry = RunRecord.expires_at.set(expires_at)
        token = tables.one_of_many("w")
        tables.update(RunRecord, (f"hours#{function}", moment[:13]), [*adds, expiry], token=token)


def save_health(stats: Mapping[str, Any]) -> None:
    """Replace the snapshot that /health answers from."""
    RunRecord(scope=HEALTH[0], at=HEALTH[1], stats=dict(stats)).save()


def health() -> dict[str, Any] | None:
    """The last snapshot, if there ever was one."""
    try:
        stats: dict[str, Any] = RunRecord.get(*HEALTH).stats
    except RunRecord.DoesNotExist:
        return None
    return stats


def note(part: str, stats: Mapping[str, Any]) -> None:
    """Replace what /health knows of a part of Sluice: when it did something last, or what it found."""
    RunRecord(scope=HEALTH[0], at=part, stats=dict(stats)).save()


def notes() -> dict[str, dict[str, Any]]:
    """All notes by part, and the scheduler's snapshot under `snapshot`. One read of a few items."""
    found = RunRecord.query(HEALTH[0], limit=MOST_NOTES)
    return {one.at: dict(one.stats) for one in found}


def hours(functions: Sequence[str], names: Sequence[str]) -> dict[tuple[str, str], dict[str, int]]:
    """The counters of these functions in these hours (`2026-11-22T05`), by function and hour; 100 items a request."""
    wanted: list[Any] = [(f"hours#{function}", hour) for function in functions for hour in names]
    found = RunRecord._get_connection()
    items: list[Any] = []
    while wanted:
        keys: list[Any] = [{"scope": scope, "at": at} for scope, at in wanted[:100]]
        answer = found.batch_get_item(keys)
        items += answer["Responses"][RunRecord.Meta.table_name]
        unread = answer.get("UnprocessedKeys", {}).get(RunRecord.Meta.table_name, {}).get("Keys", [])
        wanted = [*wanted[100:], *((key["scope"]["S"], key["at"]["S"]) for key in unread)]
    return {(item["scope"]["S"].partition("#")[2], item["at"]["S"]): _counters(item) for item in items}


def page(function: str, day: str, limit: int, start: Place | None) -> Page[RunRecord]:
    """Up to `limit` records of runs of the function on a day, newest first, behind `start`. One read."""
    return table_pages.read(RunRecord, f"run#{function}#{day}", limit, start, newest_first=True, consistent_read=False)


def _counters(item: Mapping[str, Any]) -> dict[str, int]:
    return {name[2:]: int(value["N"]) for name, value in item.items() if name.startswith("n_")}
