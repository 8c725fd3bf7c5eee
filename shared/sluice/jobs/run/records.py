"""What each run of a function did: table `runs`. Audit records, hourly counters and the snapshot for /health.

```
 scope                     at                         attributes
 run#worker#2026-11-22     2026-11-22T05:00:03.120Z#… stats (JSON)
 hours#worker              2026-11-22T05              one counter for each word
 health                    snapshot                   stats (JSON)
 batch#3xV9…               start                      taken_by: who has taken a batch (see `starts`)
```
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl
from sluice.platform.config.document import Config

HEALTH = ("health", "snapshot")


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
    """Write the audit record of one run and add its `counters` to the hour's."""
    day, moment, expires_at = iso(now)[:10], iso(now), ttl(now + config.engine.retention_ms)
    RunRecord(
        scope=f"run#{function}#{day}", at=f"{moment}#{uuid4().hex[:8]}", stats=dict(stats), expires_at=expires_at
    ).save()
    adds = [Path(f"n_{name}").add(value) for name, value in sorted(counters.items()) if value]
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
