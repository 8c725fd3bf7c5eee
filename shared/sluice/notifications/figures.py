"""What a tenant's day came to: how its jobs ended, which prices changed, what waits and why, which quotas are used."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sluice.inventory import portfolio
from sluice.inventory import table as inventory
from sluice.jobs.model.states import CANCELLED, DEAD, QUEUED, SUCCEEDED
from sluice.notifications.changes import Change, PriceKey, changed_most
from sluice.operator import budgets, counts, measures, queues
from sluice.operator.budgets import Budget
from sluice.platform.clock import DAY, HOUR, iso, iso_or_none
from sluice.platform.config.document import Config

# Prices that are told, and rows of each other part: a mail is read, not searched.
MOST_PRICES, MOST_ROWS = 10, 25
# Items of an inventory that are compared, and read at once.
MOST_ITEMS, PAGE = 10_000, 100
READY = "it runs as soon as the scheduler reaches it"

Json = dict[str, Any]


def of_day(
    tenant: str, day: date, at: int, before: Mapping[PriceKey, str] | None, now: int, config: Config
) -> tuple[Json, dict[PriceKey, str]]:
    """The figures of the 24 hours before `at`, and the prices to compare those of the next day with.

    before: the prices of the summary before; None if there was none.
    """
    end = at - 1 - (at - 1) % HOUR + HOUR
    prices = asks(tenant, now, config)
    figures = {
        "day": day.isoformat(),
        "from": iso(end - DAY),
        "to": iso(end),
        "jobs": _jobs(counts.summed(counts.hours(tenant, end - 1, DAY // HOUR).values())),
        "prices": None if before is None else [_price(one) for one in changed_most(before, prices, MOST_PRICES)],
        **_present(tenant, now, config),
    }
    return figures, prices


def asks(tenant: str, now: int, config: Config) -> dict[PriceKey, str]:
    """What is asked for what the tenant owns, as it is stored; of 10,000 items at most."""
    found, after, left = dict[PriceKey, str](), None, MOST_ITEMS
    while left > 0:
        page = inventory.page(tenant, PAGE, after)
        for holding in portfolio.load(list(page), now, config.prices.catalog_age_ms):
            for marketplace, price in holding.prices.items():
                if price is not None and price.ask is not None:
                    key = PriceKey(holding.item.sku, holding.size.text, marketplace, price.currency)
                    found[key] = price.ask
        after, left = page.next, left - PAGE
        if after is None:
            break
    return found


def _present(tenant: str, now: int, config: Config) -> Json:
    """What waits now and why, and how far the quotas are used."""
    own = budgets.of_tenant(tenant, now, config)
    return {
        "waiting": _waiting(tenant, own, counts.now(tenant), now, config),
        "quotas": [row for one in own for row in _quota(one, now)][:MOST_ROWS],
    }


def _jobs(counted: Mapping[str, int]) -> list[Json]:
    rows = [
        {"kind": kind, "marketplace": marketplace, **{state: ends[state] for state in (SUCCEEDED, DEAD, CANCELLED)}}
        for (kind, marketplace), ends in sorted(
            measures.ends(counted).items(), key=lambda one: (-one[1].total(), one[0])
        )
    ]
    return rows[:MOST_ROWS]


def _price(one: Change) -> Json:
    return {**one.key._asdict(), "before": str(one.before), "after": str(one.after), "percent": one.percent}


def _waiting(tenant: str, own: list[Budget], counted: Mapping[str, int], now: int, config: Config) -> list[Json]:
    holds = {one.service: one.hold for one in own if one.hold}
    rows = list[Json]()
    for queue, states in sorted(queues.by_queue(counted).items(), key=lambda one: (-one[1][QUEUED], one[0])):
        if not states[QUEUED]:
            continue
        kind, _, marketplace = queue.partition(":")
        hold = holds.get(queues.service(kind, marketplace))
        paused = queues.is_paused(kind, marketplace, tenant, config, now)
        reason = hold.message if hold else "somebody has paused it" if paused else READY
        until = iso_or_none(hold.until) if hold else None
        rows.append(
            {"kind": kind, "marketplace": marketplace, "queued": states[QUEUED], "reason": reason, "until": until}
        )
    return rows[:MOST_ROWS]


def _quota(one: Budget, now: int) -> list[Json]:
    return [
        {
            "service": one.service,
            "window": window.name,
            "used": window.used,
            "limit": window.limit,
            "opensAt": iso(window.opens_at),
        }
        for window in budgets.windows(one, now)
    ]
