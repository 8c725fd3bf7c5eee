"""A tenant's budgets: what is used of each, what holds it, who set its limits, and when its work will be done.

One read finds the tenant's accounts, and one more each budget of theirs: whatever the number of jobs.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.dispatch.explain import MISSING, Gate, Wait, held
from sluice.jobs.model import keys
from sluice.marketplaces import registry
from sluice.marketplaces.accounts.table import Account, Status, place_of
from sluice.platform.clock import DAY, iso
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from sluice.platform.config.services import LIMITS, zone_of
from sluice.platform.days import Day


class Budget(NamedTuple):
    """One budget of a tenant as it is now. stored: what its jobs are stored with. hold: what keeps its work waiting."""

    id: str
    stored: str
    service: str
    account: str
    status: str
    limits: Limits
    usage: Usage
    hold: Wait | None


class WindowNow(NamedTuple):
    """One window of a budget's limits as it is now.

    name: `hour` or `day` of the marketplace's clock, or the length of one that rolls: `10 s`.
    limit: calls that it allows.
    used: calls reserved and not given back; of a window that rolls, those that are in it.
    opens_at: when it begins anew; of a window that rolls, when the next call may start. Epoch ms.
    """

    name: str
    limit: int
    used: int
    opens_at: int


def services_of(marketplace: str) -> list[str]:
    """What is counted apart at a marketplace: itself, and those of its services that it counts by themselves."""
    grants = registry.get(marketplace).grants
    return [marketplace, *sorted({service for grant in grants for service in grant.services} & LIMITS.keys())]


def of_tenant(tenant: str, now: int, config: Config) -> list[Budget]:
    """The budgets of the accounts that the tenant has connected."""
    names = [keys.account(marketplace, tenant) for marketplace in registry.MARKETPLACES]
    shown = ["account", "status", "user_status", "application"]
    accounts = {one.account: one for one in Account.batch_get(names, attributes_to_get=shown)}
    found = list[Budget]()
    for name in names:
        account = accounts.get(name)
        if account is None or account.status == Status.DISCONNECTED:
            continue
        for service in services_of(keys.marketplace_of(name)):
            limits, status = config.limits[service], place_of(name, service).status_of(account)
            own = "" if service == keys.marketplace_of(name) else service
            stored = keys.budget(name, by_account=limits.by_account, service=own)
            budget = keys.charged_to(stored, account.application)
            usage = ledger.read(budget, now)
            hold = held(Gate(name, status or MISSING, budget, usage), "", config, now)
            found.append(Budget(budget, stored, service, name, status or MISSING, limits, usage, hold))
    return found


def windows(one: Budget, now: int) -> list[WindowNow]:
    """Every window of the budget's limits, of the clock or rolling, in their order. Pure."""
    used, clock, rings = one.usage, Window.of(one.id, now), one.usage.rings_of(one.limits)
    margin, rolling = one.limits.arrival_ms, iter(rings.rings)
    found: list[WindowNow] = []
    for window in one.limits.windows:
        if window.per:
            calls, opens = (used.hour, clock.end) if window.per == "hour" else (used.day, clock.day_end)
        else:
            ring = next(rolling)
            calls, opens = ring.used(rings.taken, now), max(now, ring.opening(rings.taken, margin))
        found.append(WindowNow(window.name, window.calls, calls, opens))
    return found


def sources(service: str, limits: Limits, usage: Usage) -> dict[str, str]:
    """Who set each limit: `default`, `configuration`, or `marketplace`, whose refusals have made it slower. Pure."""
    names = ("interval_ms", "windows")
    found = {
        name: "default" if getattr(limits, name) == getattr(LIMITS[service], name) else "configuration"
        for name in names
        if getattr(limits, name)
    }
    if usage.slowed.pace > limits.pace:
        found["interval_ms"] = "marketplace"
    return found


def history(budget: str, days: int, now: int) -> dict[str, dict[str, int]]:
    """Calls of each of the last `days` days (35 at most) by hour, `h00` on, and `day`: what was reserved and not given
    back. A day of which nothing is known is left out.
    """
    zone = zone_of(keys.service_of(budget))
    names = [Day.at(now - back * DAY, zone).name for back in range(days)]
    wanted: list[Any] = [{"budget": budget, "window": name} for name in dict.fromkeys(names)]
    answer = ledger.Budget._get_connection().batch_get_item(wanted)
    items = answer["Responses"][ledger.Budget.Meta.table_name]
    return {item["window"]["S"]: _hours(item) for item in sorted(items, key=lambda one: one["window"]["S"])}


def _hours(item: Mapping[str, Any]) -> dict[str, int]:
    names = (name for name in sorted(item) if name == "day" or (name[0] == "h" and name[1:].isdigit()))
    return {name: int(item[name]["N"]) for name in names}


def closed(usage: Usage, now: int) -> dict[str, Any] | None:
    """Since when and until when a marketplace takes no calls, and why; None if it does."""
    if usage.closed_until <= now:
        return None
    since = iso(usage.closed_at) if usage.closed_at else None
    return {"since": since, "until": iso(usage.closed_until), "reason": usage.closed_reason}
