"""How many calls the looks at an account's listings may take now, within a share of eBay's quota. Pure.

```
 the share of an application's day ─► each of its accounts: calls a day (`rates`)
 an account's calls, saved up evenly through the day:
     paid_until ├──────── room ────────┤ now        a run takes of it what it needs, and moves `paid_until` on
```
So no run takes more than time has brought, the share is used whole whatever its size, and nothing is written for it but
the one number that a run writes anyway.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sluice.listings.ebay.sellers import SellerPart
from sluice.marketplaces.publishing import MOST_PRICES
from sluice.platform.clock import DAY, MINUTE

# Listings that are looked at with one write of how far the look is.
SLICE: Final = 100
# Calls that one run has time for.
MOST_CALLS: Final = 520
# Nobody looks at a listing more often than this.
LEAST_ROUND_MS: Final = 30_000
# So long, room that nobody has used is saved up; at least until it suffices for a slice.
SAVED_MS: Final = 30 * MINUTE


def calls_for(listings: int) -> int:
    """The calls that a look at so many listings takes: one for the items of 25, one for the offers of each."""
    return listings + -(-listings // MOST_PRICES)


def listings_for(calls: int) -> int:
    """The most listings that so many calls can look at."""
    return max(0, calls) * MOST_PRICES // (MOST_PRICES + 1)


SLICE_CALLS: Final = calls_for(SLICE)
# Items on a page of a sweep, of eBay's most; sweeps take so much of the calls, and are not made more often than this.
PAGE: Final = 200
SWEEPS: Final = 5
LEAST_SWEEP_MS: Final = 10 * MINUTE


def rates(watched: Sequence[SellerPart], applications: Mapping[str, str], per_day: int) -> dict[str, int]:
    """The calls a day of each account. Those of an application share `per_day`; what one has no use for, others get.

    applications: of each account; those of which it is not known share one.
    """
    together: dict[str, list[SellerPart]] = defaultdict(list)
    for one in watched:
        together[applications.get(one.part, "")].append(one)
    found: dict[str, int] = {}
    for some in together.values():
        left = per_day
        for behind, one in zip(range(len(some), 0, -1), sorted(some, key=_useful), strict=True):
            found[one.part] = min(left // behind, _useful(one))
            left -= found[one.part]
    return found


def room(look: SellerPart, rate: int, now: int) -> int:
    """The calls that an account's looks may take now. rate: calls a day."""
    return max(0, now - _paid(look, rate, now)) * rate // DAY


def is_due(look: SellerPart, rate: int, now: int) -> bool:
    """Whether there is room for as much as is worth a run: a slice; or suspects, or pages, with half of the room."""
    there = room(look, rate, now)
    hinted = 2 * calls_for(min(look.suspects or 0, SLICE // 2))
    return is_slice(look, there) or 0 < hinted <= there or is_sweep_due(look, rate, there, now)


def is_slice(look: SellerPart, calls: int) -> bool:
    """Whether so many calls are enough for a slice, or for all of the account's listings."""
    return calls >= calls_for(SLICE if look.listings is None else max(1, min(SLICE, look.listings)))


def sweep_every_ms(look: SellerPart, rate: int) -> int | None:
    """How often an account's items are gone through by pages; None where rounds of looks are quick enough alone."""
    if not rate:
        return None
    every = max(LEAST_SWEEP_MS, _pages(look) * SWEEPS * DAY // rate)
    return every if round_ms(look, rate) >= 3 * every else None


def is_sweep_due(look: SellerPart, rate: int, calls: int, now: int) -> bool:
    """Whether a sweep of items begins now, or goes on, with half of so many calls."""
    every = sweep_every_ms(look, rate)
    if every is None or calls < 2 * min(_pages(look), SLICE // 2):
        return False
    return look.page is not None or now - (look.swept_at or 0) >= every


def is_report_due(look: SellerPart, rate: int, every_ms: int, now: int) -> bool:
    """Whether eBay's report is asked for now. every_ms: how often, where rounds of looks take longer; 0 for never."""
    return bool(every_ms and rate) and (look.report_due_at or 0) <= now and round_ms(look, rate) > every_ms


def round_ms(look: SellerPart, rate: int) -> int:
    """How long a round of looks takes with these calls, as far as it is known how many listings there are."""
    return calls_for(_known(look)) * DAY // rate


def paid(look: SellerPart, rate: int, calls: int, now: int) -> int:
    """`paid_until` when so many calls are taken: rounded up, so that none comes early."""
    return _paid(look, rate, now) - (-calls * DAY // rate)


def mean_age_ms(look: SellerPart) -> int | None:
    """How old what is known of a listing is on the average; None before the first round is complete.

    Each listing is looked at once in a round, so at a random time it was half a round ago.
    """
    return look.round_ms // 2 if look.round_ms else None


def allowed_age_ms(look: SellerPart) -> int | None:
    """The mean age that the account's calls allow, for as many listings as it has; None before that is known."""
    if not look.rate or not look.listings:
        return None
    left = look.rate * (SWEEPS - 1) // SWEEPS if sweep_every_ms(look, look.rate) else look.rate
    return max(LEAST_ROUND_MS, round_ms(look, left)) // 2 if left else None


def items_age_ms(look: SellerPart) -> int | None:
    """How old what is known of quantities, titles and pictures is on the average; None without sweeps of items."""
    return look.sweep_ms // 2 if look.sweep_ms else None


def report_age_ms(report: SellerPart | None) -> int | None:
    """How old what is known by reports (prices, what is there) is on the average; None before the second of them."""
    if report is None or not report.report_ms or not report.report_at or not report.read_at:
        return None
    return report.report_ms // 2 + max(0, report.read_at - report.report_at)


def _pages(look: SellerPart) -> int:
    return max(1, look.pages or -(-_known(look) // PAGE))


def _known(look: SellerPart) -> int:
    return max(look.listings or 0, look.seen or 0)


def _useful(look: SellerPart) -> int:
    """The most calls a day for which an account has a use; without end before it is known how many listings it has."""
    if look.listings is None:
        return 2**62
    return calls_for(max(1, look.listings)) * DAY // LEAST_ROUND_MS


def _paid(look: SellerPart, rate: int, now: int) -> int:
    saved = max(SAVED_MS, -(-SLICE_CALLS * DAY // rate)) if rate else 0
    return max(look.paid_until or look.looked_at or now, now - saved)
