"""Each minute: which accounts' listings are looked at, within a share of eBay's quota. Their looks are jobs.

```
 an application's calls of a day ─► shared by its accounts (`shares`) ─► who has saved up enough for a slice: a job
```
An account goes through its listings by sku, slice by slice, and begins again at the end: the listing that comes next is
the one that was confirmed longest ago. So nothing is written for a listing that is as it was; the age of what is known
is half the time of a round.
"""

from collections.abc import Collection
from typing import Final, TypedDict

from sluice.jobs import ask
from sluice.jobs.budgets import ledger
from sluice.jobs.model import keys
from sluice.jobs.run import records
from sluice.listings.ebay import metrics, sellers, shares, wishes
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.services import EBAY_INVENTORY
from sluice.platform.context import Context
from sluice.platform.observe import count, gauge

# Applications whose budgets are told of in one run.
MOST_TOLD: Final = 20


class ReconcileAnswer(TypedDict):
    """What one run did. asked: accounts whose listings are looked at. calls: that it may take.

    reports: that eBay is asked for.
    """

    success: bool
    accounts: int
    asked: int
    calls: int
    reports: int
    durationMs: int


def run(context: Context) -> ReconcileAnswer:
    """Ask for the looks of this minute."""
    began, config = context.now(), context.config
    watched = sellers.watched()
    applications = accounts.applications([one.part for one in watched])
    rates = shares.rates(watched, applications, per_day(config))
    every, allotted, reports = config.ebay.report_minutes * MINUTE, dict[str, int](), 0
    for look in watched:
        rate = rates[look.part]
        if shares.is_due(look, rate, began):
            calls = allotted[look.part] = min(shares.MOST_CALLS, shares.room(look, rate, began))
            ask.want(wishes.compare(keys.tenant_of(look.part), calls, rate), began, config)
        if shares.is_report_due(look, rate, every, began):
            ask.want(wishes.report(keys.tenant_of(look.part)), began, config)
            reports += 1
    duration = context.now() - began
    total = sum(allotted.values())
    counters = {"asked": len(allotted), "calls": total, "reports": reports}
    records.record(
        "reconciler", {**counters, "accounts": len(watched), "ms": duration}, counters, context.now(), config
    )
    count("LooksAsked", len(allotted))
    _tell({applications.get(account) for account in allotted}, began, config)
    return {
        "success": True,
        "accounts": len(watched),
        "asked": len(allotted),
        "calls": total,
        "reports": reports,
        "durationMs": duration,
    }


def _tell(applications: Collection[str | None], now: int, config: Config) -> None:
    """Tell what is left of the day's calls where listings are looked at now, and when the last of each sort was."""
    budgets = [keys.charged_to(EBAY_INVENTORY, one) for one in sorted(applications, key=str)[:MOST_TOLD]]
    limits = config.limits[EBAY_INVENTORY]
    left = [one for one in (ledger.read(budget, now).left(limits) for budget in budgets) if one is not None]
    known = records.notes()
    note = {name: known.get(metrics.RECONCILE, {}).get(name) for name in ("remaining", "limit")}
    if left:
        gauge("adapter.remaining_calls", min(left), {"service": EBAY_INVENTORY})
        note = {"remaining": min(left), "limit": limits.most_in(DAY)}
    records.note(metrics.RECONCILE, {"at": now, **{name: value for name, value in note.items() if value is not None}})
    metrics.tell_last({**known, metrics.RECONCILE: {"at": now}})


def per_day(config: Config) -> int:
    """The calls of an application that looks may take in a day."""
    return config.limits[EBAY_INVENTORY].most_in(DAY) * config.ebay.look_percent // 100
