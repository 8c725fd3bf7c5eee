"""Each minute: which accounts' listings are looked at, within a share of eBay's quota. Their looks are jobs.

```
 an application's calls of a day, by share and minute ─► its accounts in turns, longest ago first,
                                                          each a whole number of slices
```
An account goes through its listings by sku, slice by slice, and begins again at the end: the listing that comes next is
the one that was confirmed longest ago. So nothing is written for a listing that is as it was; the age of what is known
is half the time of a round.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypedDict

from sluice.jobs import ask
from sluice.jobs.budgets import ledger
from sluice.jobs.model import keys
from sluice.jobs.run import records
from sluice.listings.ebay import metrics, sellers, wishes
from sluice.listings.ebay.sellers import SellerPart
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.services import EBAY_INVENTORY
from sluice.platform.context import Context
from sluice.platform.observe import count, gauge

# Listings of a slice: four calls for their items, one for the offers of each.
SLICE: Final = 100
SLICE_CALLS: Final = 104
# Applications whose budgets are told of in one run.
MOST_TOLD: Final = 20
# One job takes no more slices than its worker has time for.
MOST_SLICES: Final = 5


class ReconcileAnswer(TypedDict):
    """What one run did. asked: accounts whose listings are looked at. calls: that it may take."""

    success: bool
    accounts: int
    asked: int
    calls: int
    durationMs: int


def run(context: Context) -> ReconcileAnswer:
    """Ask for the looks of this minute."""
    began, config = context.now(), context.config
    watched = sellers.watched()
    applications = accounts.applications([one.part for one in watched])
    shares = allot(watched, applications, per_minute(config), began)
    for account, calls in shares.items():
        ask.want(wishes.compare(keys.tenant_of(account), calls), began, config)
    duration = context.now() - began
    total = sum(shares.values())
    counters = {"asked": len(shares), "calls": total}
    records.record(
        "reconciler", {**counters, "accounts": len(watched), "ms": duration}, counters, context.now(), config
    )
    count("LooksAsked", len(shares))
    _tell({applications.get(account) for account in shares}, began, config)
    return {
        "success": True,
        "accounts": len(watched),
        "asked": len(shares),
        "calls": total,
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
        note = {"remaining": min(left), "limit": limits.per_day}
    records.note(metrics.RECONCILE, {"at": now, **{name: value for name, value in note.items() if value is not None}})
    metrics.tell_last({**known, metrics.RECONCILE: {"at": now}})


def per_minute(config: Config) -> int:
    """The calls of an application that looks may take in a minute."""
    return config.limits[EBAY_INVENTORY].per_day * config.ebay.look_percent * MINUTE // (100 * DAY)


def allot(watched: Sequence[SellerPart], applications: Mapping[str, str], calls: int, now: int) -> dict[str, int]:
    """How many calls each account has now; those without a whole slice have their turn in another minute.

    watched: longest ago first. applications: of each account; those of which it is not known share one.
    """
    shares: dict[str, int] = {}
    left: dict[str, int] = {}
    for one in watched:
        name = applications.get(one.part, "")
        # What an application has saved up while it was nobody's turn.
        minutes = max(1, min(30, (now - (one.looked_at or now)) // MINUTE))
        room = left.setdefault(name, max(calls, min(calls * minutes, SLICE_CALLS)))
        slices = min(MOST_SLICES, room // SLICE_CALLS)
        if slices:
            shares[one.part] = slices * SLICE_CALLS
            left[name] = room - shares[one.part]
    return shares


def mean_age_ms(look: SellerPart) -> int | None:
    """How old what is known of a listing is on the average; None before the first round is complete."""
    return look.round_ms // 2 if look.round_ms else None
