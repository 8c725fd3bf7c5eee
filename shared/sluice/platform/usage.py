"""What each tenant has asked for and has: table `usage`, one small item for an hour and one for what is kept.

```
 tenant   period           attributes
 acme     2026-11-22T05    items=1200  mails=2  connections=1  m07=31    asked for in this hour; requests by minute
 acme     jobs             n:market.refresh:unfinished=812    jobs there are, by kind and state (see `jobs.queue.tally`)
 acme     kept             inventory_items=4100               what else is counted
 #tenants acme             noted_at=1795323600000             the list of tenants: whoever has made a request
```
A request is counted by one conditional write, whatever it asks for: "this minute and this hour have room for it". The
first of a tenant's hour also puts the tenant into the list, before anything is done for it: so whoever has anything
stands there.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import HOUR, MINUTE, SECOND, iso, ttl
from sluice.platform.config.tenants import Allowances
from sluice.platform.http.errors import TooMany

KEPT = "kept"
# Under this name all tenants stand. No tenant's has a `#`.
TENANTS = "#tenants"


class TenantUsage(tables.Table):
    """One tenant's counts. The others among its attributes are counters, each of which is named where it is counted.

    seen: batches of a stream's records that were counted lately.
    sweep: of the item that says whose jobs are counted next, and by how much the last counts were off.
    noted_at: in the list of tenants, since when the tenant stands in it; of an hour, that it does. Epoch ms.
    """

    class Meta:
        table_name = tables.name("usage")

    tenant = UnicodeAttribute(hash_key=True)
    period = UnicodeAttribute(range_key=True)
    items = IntAttribute(null=True)
    seen = UnicodeSetAttribute(null=True)
    sweep = JSONAttribute(null=True)
    noted_at = IntAttribute(null=True)
    expires_at = IntAttribute(null=True)


def charge(tenant: str, items: int, now: int, allowed: Allowances, *, requests: int = 1) -> None:
    """Count one request that asks for `items` things.

    requests: 0 where the request was counted already, before it was known what it asks for.

    Raises:
        TooMany: the tenant has no room for it in this minute or hour; nothing was counted.
    """
    minute = f"m{iso(now)[14:16]}"
    if items > allowed.items_per_hour:
        raise TooMany("items_per_hour", allowed.items_per_hour, _until(now, HOUR))
    actions = [Path(minute).add(requests), TenantUsage.expires_at.set(ttl(now + 2 * HOUR))]
    room = _below(Path(minute), allowed.requests_per_minute - requests)
    if items:
        actions.append(TenantUsage.items.add(items))
        room &= _below(TenantUsage.items, allowed.items_per_hour - items)
    try:
        hour = tables.update(TenantUsage, (tenant, iso(now)[:13]), actions, room, token=tables.one_of_many("w"))
    except tables.ConditionFailed as failed:
        if _number(failed.item, minute) > allowed.requests_per_minute - requests:
            raise TooMany("requests_per_minute", allowed.requests_per_minute, _until(now, MINUTE)) from None
        raise TooMany("items_per_hour", allowed.items_per_hour, _until(now, HOUR)) from None
    if hour.noted_at is None:
        _note(hour, now)


def charge_mail(tenant: str, now: int, allowed: Allowances) -> None:
    """Count one mail that a request sends at once. Raises as `_charge_one`."""
    _charge_one(tenant, "mails", "mails_per_hour", allowed.mails_per_hour, now)


def charge_connection(tenant: str, now: int, allowed: Allowances) -> None:
    """Count one set of credentials that is tried out. Raises as `_charge_one`."""
    _charge_one(tenant, "connections", "connections_per_hour", allowed.connections_per_hour, now)


def _charge_one(tenant: str, counter: str, allowance: str, most: int, now: int) -> None:
    """Count one more in this hour.

    Raises:
        TooMany: the tenant has no room for it in this hour; nothing was counted.
    """
    actions = [Path(counter).add(1), TenantUsage.expires_at.set(ttl(now + 2 * HOUR))]
    if not most:
        raise TooMany(allowance, most, _until(now, HOUR))
    room = _below(Path(counter), most - 1)
    try:
        tables.update(TenantUsage, (tenant, iso(now)[:13]), actions, room, token=tables.one_of_many("w"))
    except tables.ConditionFailed:
        raise TooMany(allowance, most, _until(now, HOUR)) from None


def _note(hour: TenantUsage, now: int) -> None:
    """Put the tenant into the list of tenants, then write down that it stands there."""
    key = (TENANTS, hour.tenant)
    tables.update(TenantUsage, key, [TenantUsage.noted_at.set(TenantUsage.noted_at | now)])
    tables.update(TenantUsage, (hour.tenant, hour.period), [TenantUsage.noted_at.set(now)])


def tenants(after: str, limit: int) -> list[str]:
    """Up to `limit` tenants that have made a request, by name, those that come after `after`."""
    behind = TenantUsage.period > after if after else None
    return [one.period for one in TenantUsage.query(TENANTS, behind, limit=limit, page_size=limit)]


def counters(tenant: str, period: str) -> dict[str, int]:
    """All counters of an item, by name; what was counted a moment ago may be missing."""
    answer = TenantUsage._get_connection().get_item(tenant, period)
    return {name: int(value["N"]) for name, value in (answer.get("Item") or {}).items() if "N" in value}


def add(tenant: str, period: str, changes: Mapping[str, int]) -> None:
    """Add to counters of an item."""
    if moved := {name: number for name, number in changes.items() if number}:
        adds = [Path([name]).add(number) for name, number in sorted(moved.items())]
        tables.update(TenantUsage, (tenant, period), adds, token=tables.one_of_many("w"))


def put(tenant: str, period: str, values: Mapping[str, int]) -> None:
    """Set counters of an item to what was counted anew."""
    tables.update(TenantUsage, (tenant, period), [Path([name]).set(number) for name, number in sorted(values.items())])


def _below(counter: Any, most: int) -> Condition:
    below: Condition = counter.does_not_exist() | (counter <= most)
    return below


def _number(item: dict[str, Any] | None, name: str) -> int:
    return int((item or {}).get(name, {}).get("N", 0))


def _until(now: int, period: int) -> int:
    """Seconds until the next minute, or hour, begins."""
    return max(1, -(-(period - now % period) // SECOND))
