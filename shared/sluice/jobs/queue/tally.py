"""How many jobs each tenant has, by kind and state: counters that follow the stream of table `jobs`.

```
 stream   created ───────► n:market.refresh:unfinished + 1      attributes of the item (tenant, `jobs`) of table `usage`
          has ended ─────► n:…:unfinished - 1, n:…:succeeded + 1
          forgotten (TTL)► n:…:succeeded - 1
```
No code that changes a job can forget to count it, and none pays for it. A batch of records that comes twice is counted
once. What is lost all the same is found by counting jobs one by one where they stand (`recounts`).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pynamodb.expressions.operand import Path

from sluice.jobs.model.states import ALL, FINAL
from sluice.platform import counted, usage
from sluice.platform.clock import MINUTE
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger
from sluice.platform.usage import TenantUsage

PERIOD = "jobs"
UNFINISHED = "unfinished"
# Under this name the tenants are noted whose jobs are to be counted one by one. No tenant's has a `#`.
RECOUNT = "#recount"
# When that was last done. What has happened since then is in the stream: it is not done again for so long.
RECOUNTED = "recounted_at"
RECOUNT_MS = 10 * MINUTE

# A record of a DynamoDB stream, as Lambda hands it over.
Record = Mapping[str, Any]


def follow(records: Iterable[Record]) -> None:
    """Count what `records` say. Never fails: what could not be counted is logged, and found by a recount."""
    moves: dict[str, Counter[str]] = defaultdict(Counter)
    events: dict[str, list[str]] = defaultdict(list)
    for record in records:
        change = record["dynamodb"]
        for image, number in ((change.get("OldImage"), -1), (change.get("NewImage"), 1)):
            if place := _place(image or {}):
                tenant, name = place
                moves[tenant][name] += number
                events[tenant].append(record["eventID"])
    for tenant, moved in moves.items():
        if changes := {name: number for name, number in moved.items() if number}:
            try:
                _add_once(tenant, changes, events[tenant])
            except Exception:  # noqa: BLE001 - the events of these jobs are out; they must not come again for a counter
                logger.exception("jobs could not be counted", extra={"tenant": tenant})
                count_metric("JobsUncounted", sum(map(abs, changes.values())))


def counts(tenant: str) -> Counter[tuple[str, str]]:
    """How many jobs the tenant has, by kind and state, or `unfinished`."""
    found: Counter[tuple[str, str]] = Counter()
    for name, number in usage.counters(tenant, PERIOD).items():
        if name.startswith("n:"):
            _, kind, state = name.split(":")
            found[kind, state] = max(0, number)
    return found


def unfinished(counters: Mapping[str, int], kind: str | None = None) -> int:
    """How many unfinished jobs there are by these counters of a tenant, of `kind` or of all kinds."""
    wanted = name(kind, UNFINISHED) if kind else None
    return sum(
        max(0, number)
        for counter, number in counters.items()
        if counter.endswith(f":{UNFINISHED}") and wanted in (None, counter)
    )


def want_recount(tenant: str, counters: Mapping[str, int], now: int) -> None:
    """Have the tenant's unfinished jobs counted one by one by the minute's run, unless that was done a moment ago."""
    if now - counters.get(RECOUNTED, 0) >= RECOUNT_MS:
        usage.put(RECOUNT, tenant, {"asked_at": now})


def _place(image: Mapping[str, Any]) -> tuple[str, str] | None:
    """Whose count an item is part of, and which; None for what is no job."""
    tenant, kind, state = (image.get(name, {}).get("S") for name in ("tenant", "kind", "state"))
    if not tenant or not kind or state not in ALL:
        return None
    # A job that went over to another tenant's account is counted where it began until it ends.
    tenant = image.get("counted", {}).get("S") or tenant
    return tenant, name(kind, state if state in FINAL else UNFINISHED)


def name(kind: str, state: str) -> str:
    """The counter of the jobs of `kind` in `state`, or `unfinished`."""
    return f"n:{kind}:{state}"


def _add_once(tenant: str, changes: Mapping[str, int], events: list[str]) -> None:
    batch = hashlib.sha256(" ".join(events).encode()).hexdigest()[:12]
    adds = [Path([name]).add(number) for name, number in sorted(changes.items())]
    counted.move(TenantUsage, (tenant, PERIOD), TenantUsage.seen, adds, batch)
