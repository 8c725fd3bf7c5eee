"""What each marketplace allows, and each service that it counts apart: the section `limits` of the configuration. Pure.

The shape of a limit is `Limits`.
"""

from collections.abc import Mapping
from typing import Final

from sluice.platform import days
from sluice.platform.config.limits import Limits, by_clock, migrated

# Sources: StockX developer portal (25,000 requests a day, reset 00:00 UTC; one request a second). 100 an hour is what
# sellers' accounts have been seen to hold without a refusal; so were 600 ms, which an operator may configure. Alias
# publishes no limit: clients make 60 a minute, and 200 an hour is what Sluice keeps to. eBay gives an application 5,000
# Browse calls a day, of which price look-ups are to leave some; it publishes no pace, and four a second is ours.
MARKETPLACES: Mapping[str, Limits] = {
    "stockx": Limits(by_clock(hour=100, day=25_000), interval_ms=1_000, jitter_ms=100, by_account=True),
    "alias": Limits(by_clock(hour=200), interval_ms=1_000, jitter_ms=100, by_account=True),
    "ebay": Limits(by_clock(hour=150, day=5_000, zone=days.PACIFIC), interval_ms=250),
}

# APIs that their marketplace counts apart: each has a budget of its own. eBay gives an application 10,000 calls a day
# for ads (Marketing API), and publishes no pace; four a second is ours.
EBAY_MARKETING: Final = "ebay-marketing"
# 2,000,000 a day for listings (Inventory API), without a pace of eBay's: ten a second are ours. 25,000 for a seller's
# policies (Account API), 5,000 for what categories ask for (Taxonomy and Metadata APIs, of which the smaller counts).
EBAY_INVENTORY: Final = "ebay-inventory"
EBAY_ACCOUNT: Final = "ebay-account"
EBAY_TAXONOMY: Final = "ebay-taxonomy"
# 100,000 a day for reports (Feed API), of which a seller may ask for 25 a day.
EBAY_FEED: Final = "ebay-feed"
# Shops: each host has a budget of its own, with two seconds between two requests where its robots.txt does not ask for
# more.
PAGES: Final = "pages"
# What operators do to many jobs: no marketplace counts it, and a few go on side by side.
OPERATOR: Final = "operator"
# Their work needs nobody's account at a marketplace.
WITHOUT_ACCOUNTS: Final = frozenset({PAGES, OPERATOR})
SERVICES: Mapping[str, Limits] = {
    EBAY_MARKETING: Limits(by_clock(day=10_000, zone=days.PACIFIC), interval_ms=250, at_once=10),
    EBAY_INVENTORY: Limits(by_clock(day=2_000_000, zone=days.PACIFIC), interval_ms=100),
    EBAY_ACCOUNT: Limits(by_clock(day=25_000, zone=days.PACIFIC), interval_ms=250),
    EBAY_TAXONOMY: Limits(by_clock(day=5_000, zone=days.PACIFIC), interval_ms=250),
    EBAY_FEED: Limits(by_clock(day=100_000, zone=days.PACIFIC), interval_ms=250),
    PAGES: Limits(interval_ms=2_000, by_account=True, at_once=8),
    OPERATOR: Limits(by_account=True, at_once=4),
}

LIMITS: Mapping[str, Limits] = {**MARKETPLACES, **SERVICES}

# In which each counts its days. A fact about a marketplace, not a number that an operator may change.
ZONES: Mapping[str, str] = {name: limits.zone for name, limits in LIMITS.items()}


def zone_of(service: str) -> str:
    """The zone in which the marketplace of `service` counts days."""
    return ZONES.get(service, days.WORLD)


# No thread wakes to the millisecond: with less, calls would miss their slots again and again.
LEAST_TOLERANCE_MS = 5


def parse(place: str, value: object, *, stored: bool = False) -> Mapping[str, Limits]:
    """The limits that the JSON `value` at `place` gives on top of the defaults.

    stored: the document was written before; it may name limits as they were called before they were windows.

    Raises:
        ValueError: a service that is unknown, or a limit that cannot be, in words.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object of limits by marketplace")
    result = dict(LIMITS)
    for service, limits in value.items():
        if service not in LIMITS:
            raise ValueError(f"{place}: unknown marketplace {service!r}; known are {', '.join(LIMITS)}")
        if not isinstance(limits, dict):
            raise ValueError(f"{place}.{service} must be an object")
        try:
            given = migrated(limits, LIMITS[service]) if stored else limits
            result[service] = LIMITS[service].override(**given)
        except ValueError as error:
            raise ValueError(f"{place}.{service}: {error}") from error
        zone = zone_of(service)
        for number, window in enumerate(result[service].windows):
            if window.per and window.zone != zone:
                where = f"{place}.{service}: windows[{number}]"
                raise ValueError(f'{where}: {service} counts its hours and days in {zone}: write "zone": "{zone}"')
        if result[service].tolerance_ms < LEAST_TOLERANCE_MS:
            raise ValueError(f"{place}.{service}: tolerance_ms must be at least {LEAST_TOLERANCE_MS}")
        if bool(result[service].at_once) != bool(LIMITS[service].at_once):
            raise ValueError(
                f"{place}.{service}: at_once decides which worker there is; it must stay "
                + ("above 0" if LIMITS[service].at_once else "0")
            )
    return result
