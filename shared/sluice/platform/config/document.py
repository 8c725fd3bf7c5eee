"""How Sluice behaves, as one validated document: the defaults, and what an operator overrides.

An operator overrides by JSON of the same shape (`live` says where it stands), for example
`{"marketplaces": {"stockx": {"per_hour": 200}}, "paused": ["stockx"], "freshness_ms": 300000}`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sluice.platform import days
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config import allowances, ebay, pages
from sluice.platform.config.allowances import Allowances
from sluice.platform.config.ebay import Ebay
from sluice.platform.config.limits import Limits
from sluice.platform.config.pages import Pages

# Sources: StockX developer portal (25,000 requests a day, reset 00:00 UTC; one request a second). 100 an hour is what
# sellers' accounts have been seen to hold without a refusal; so were 600 ms, which an operator may configure. Alias
# publishes no limit: clients make 60 a minute, and 200 an hour is what Sluice keeps to. eBay gives an application 5,000
# Browse calls a day, of which price look-ups are to leave some; it publishes no pace, and four a second is ours.
MARKETPLACES: Mapping[str, Limits] = {
    "stockx": Limits(interval_ms=1_000, jitter_ms=100, per_hour=100, per_day=25_000, by_account=True),
    "alias": Limits(interval_ms=1_000, jitter_ms=100, per_hour=200, by_account=True),
    "ebay": Limits(interval_ms=250, per_hour=150, per_day=5_000),
}

# APIs that their marketplace counts apart: each has a budget of its own. eBay gives an application 10,000 calls a day
# for ads (Marketing API), and publishes no pace; four a second is ours.
EBAY_MARKETING: Final = "ebay-marketing"
# 2,000,000 a day for listings (Inventory API), without a pace of eBay's: ten a second are ours. 25,000 for a seller's
# policies (Account API), 5,000 for what categories ask for (Taxonomy and Metadata APIs, of which the smaller counts).
EBAY_INVENTORY: Final = "ebay-inventory"
EBAY_ACCOUNT: Final = "ebay-account"
EBAY_TAXONOMY: Final = "ebay-taxonomy"
# Shops: each host has a budget of its own, with two seconds between two requests where its robots.txt does not ask for
# more.
PAGES: Final = "pages"
SERVICES: Mapping[str, Limits] = {
    EBAY_MARKETING: Limits(interval_ms=250, per_day=10_000, at_once=10),
    EBAY_INVENTORY: Limits(interval_ms=100, per_day=2_000_000),
    EBAY_ACCOUNT: Limits(interval_ms=250, per_day=25_000),
    EBAY_TAXONOMY: Limits(interval_ms=250, per_day=5_000),
    PAGES: Limits(interval_ms=2_000, by_account=True, at_once=8),
}

LIMITS: Mapping[str, Limits] = {**MARKETPLACES, **SERVICES}

# Where days are not UTC's. A fact about a marketplace, not a number that an operator may change.
ZONES: Mapping[str, str] = dict.fromkeys(
    ("ebay", EBAY_MARKETING, EBAY_INVENTORY, EBAY_ACCOUNT, EBAY_TAXONOMY), days.PACIFIC
)


def zone_of(service: str) -> str:
    """The zone in which the marketplace of `service` counts days."""
    return ZONES.get(service, days.WORLD)


# Kinds of job that are tried at set times: how long before the first try, and before each one that follows a failure.
# eBay knows a listing that was just published 1 to 10 minutes later.
TIMETABLES: dict[str, tuple[int, ...]] = {"promotion.create": (MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 10 * MINUTE)}
# A job's timeline has room for so many attempts, and for what else happens to it.
MOST_ATTEMPTS = 20

# No thread wakes to the millisecond: with less, calls would miss their slots again and again.
LEAST_TOLERANCE_MS = 5


# Patterns: a kind of job, everywhere or at one marketplace; an account or its budget.
_KIND = rf"[a-z]+\.[a-z_]+(:({'|'.join(MARKETPLACES)}))?"
_ACCOUNT = rf"({'|'.join(LIMITS)}):{allowances.TENANT}"
# What the document holds besides plain numbers.
_SECTIONS = ("marketplaces", "paused", "timetables", "allowances", "tenants", "pages", "ebay")


# Sections that are read by a module of their own.
_OWN: Mapping[str, Callable[[object], object]] = {"pages": pages.parse, "ebay": ebay.parse}


class ConfigError(Exception):
    """The configuration document is not valid; the message names the place."""


@dataclass(frozen=True)
class Config:
    """Every number that an operator may change. Times are milliseconds.

    marketplaces: the limits of each marketplace, and of each service that counts apart.
    paused: marketplaces (`ebay`), services (`ebay-marketing`), accounts (`stockx:acme`), kinds of job
        (`market.refresh`) and kinds at one marketplace (`market.refresh:ebay`) whose work waits.
    lease_ms: how long a claimed job belongs to its worker before it is rescued.
    timetables: the set times at which jobs of a kind are tried (see `TIMETABLES`).
    promotion_stagger_ms: how long after one another the promotions of a batch are tried first.
    freshness_ms: a price younger than this is not fetched again unless a manual request forces it.
    catalog_age_ms: a product that was looked up longer ago than this is looked up again: by an enrichment, and by a
        refresh of a size that it does not have.
    stale_ms: a price older than this is fetched again when its owner looks at it.
    age_limit_ms: a job that has waited this long is picked as if it had the next higher priority, after twice as
        long as the highest. This bounds the wait of background work.
    reserve_percent: when less than this share of a window is left, only manual and hot jobs are admitted.
    horizon_ms: how far ahead of its slots a budget is given work by the scheduler.
    batch: most jobs in one message to a worker.
    poll_batch: most operations that one run of the poller looks at.
    lost_create_ms: how long a listing whose create was not answered is looked for before it is sent once more, or is
        taken for not made.
    unconfirmed_ms: how long an operation that never ends is checked before what its listing shows is taken for its end.
    retention_ms: how long finished jobs, requests and run records are kept.
    dead_letter_retention_ms: how long dead letters are kept.
    broken_ms: work whose account does not work for this long ends, with that reason.
    allowances: what each tenant may ask for and keep. tenants: those of single tenants, where they differ.
    pages: how product pages are watched (see `Pages`).
    ebay: how eBay listings are kept equal to their records (see `Ebay`).
    """

    marketplaces: Mapping[str, Limits] = field(default_factory=lambda: dict(LIMITS))
    paused: frozenset[str] = frozenset()
    lease_ms: int = 5 * MINUTE
    timetables: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: dict(TIMETABLES))
    promotion_stagger_ms: int = 5 * SECOND
    freshness_ms: int = 10 * MINUTE
    catalog_age_ms: int = 7 * DAY
    stale_ms: int = HOUR
    age_limit_ms: int = HOUR
    reserve_percent: int = 20
    horizon_ms: int = 75 * SECOND
    batch: int = 25
    poll_batch: int = 50
    lost_create_ms: int = 15 * MINUTE
    unconfirmed_ms: int = DAY
    retention_ms: int = 3 * DAY
    dead_letter_retention_ms: int = 30 * DAY
    broken_ms: int = 7 * DAY
    allowances: Allowances = field(default_factory=Allowances)
    tenants: Mapping[str, Allowances] = field(default_factory=dict)
    pages: Pages = field(default_factory=Pages)
    ebay: Ebay = field(default_factory=Ebay)

    def allowed(self, tenant: str) -> Allowances:
        """What `tenant` may ask for and keep."""
        return self.tenants.get(tenant, self.allowances)

    def limits(self, service: str) -> Limits:
        """The limits of a marketplace, or of a service that it counts apart.

        Raises:
            KeyError: there is no such thing. Callers check names where they come in.
        """
        return self.marketplaces[service]

    def paused_kinds(self, marketplace: str) -> frozenset[str]:
        """The kinds of job that are paused at `marketplace`, or everywhere."""
        names = (name.partition(":") for name in self.paused if re.fullmatch(_KIND, name))
        return frozenset(kind for kind, _, where in names if where in ("", marketplace))


# The least and the most of each plain number. A zero batch or lease would stop the engine without an error; so would a
# time that no calendar has, or a batch that is too large for a message.
_YEAR = 365 * DAY
_RANGES = {
    "lease_ms": (30 * SECOND, DAY),
    "promotion_stagger_ms": (0, HOUR),
    "freshness_ms": (0, _YEAR),
    "catalog_age_ms": (HOUR, _YEAR),
    "stale_ms": (MINUTE, _YEAR),
    "age_limit_ms": (MINUTE, _YEAR),
    "reserve_percent": (0, 100),
    "horizon_ms": (SECOND, DAY),
    "batch": (1, 50),
    "poll_batch": (1, 1_000),
    "lost_create_ms": (SECOND, DAY),
    "unconfirmed_ms": (HOUR, 30 * DAY),
    "retention_ms": (HOUR, _YEAR),
    "dead_letter_retention_ms": (DAY, 10 * _YEAR),
    "broken_ms": (HOUR, _YEAR),
}


def parse(text: str) -> Config:
    """The configuration that the JSON document `text` gives on top of the defaults.

    Raises:
        ConfigError: not JSON, a name that is unknown or comes twice, or a value out of range; nothing of the document
            is used then.
    """
    try:
        document = json.loads(text or "{}", object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the configuration is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError("the configuration must be a JSON object")
    config, changes = Config(), dict[str, Any]()
    for name, value in document.items():
        if name == "marketplaces":
            changes[name] = _marketplaces(value)
        elif name == "paused":
            changes[name] = _paused(value)
        elif name == "timetables":
            changes[name] = _timetables(value)
        elif name in _OWN:
            changes[name] = _section(name, value)
        elif name in ("allowances", "tenants"):
            continue  # together, below: a tenant's differ from those of all
        elif name not in _RANGES:
            raise ConfigError(f"unknown name {name!r}; known are {', '.join([*_SECTIONS, *_RANGES])}")
        else:
            least, most = _RANGES[name]
            if type(value) is not int or not least <= value <= most:
                raise ConfigError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
            changes[name] = value
    try:
        said = allowances.parse("allowances", document.get("allowances", {}), config.allowances)
        tenants = allowances.parse_tenants(document.get("tenants", {}), said)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return replace(config, **changes, allowances=said, tenants=tenants)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{twice!r} is there twice; the configuration must name it once")
    return result


def _section(name: str, value: object) -> object:
    try:
        return _OWN[name](value)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _marketplaces(value: object) -> Mapping[str, Limits]:
    if not isinstance(value, dict):
        raise ConfigError("marketplaces must be an object of limits by marketplace")
    result = dict(LIMITS)
    for marketplace, limits in value.items():
        if marketplace not in LIMITS:
            raise ConfigError(f"unknown marketplace {marketplace!r}; known are {', '.join(LIMITS)}")
        if not isinstance(limits, dict):
            raise ConfigError(f"marketplaces.{marketplace} must be an object")
        try:
            result[marketplace] = LIMITS[marketplace].override(**limits)
        except ValueError as error:
            raise ConfigError(f"marketplaces.{marketplace}: {error}") from error
        if result[marketplace].tolerance_ms < LEAST_TOLERANCE_MS:
            raise ConfigError(f"marketplaces.{marketplace}: tolerance_ms must be at least {LEAST_TOLERANCE_MS}")
        if bool(result[marketplace].at_once) != bool(LIMITS[marketplace].at_once):
            raise ConfigError(
                f"marketplaces.{marketplace}: at_once decides which worker there is; it must stay "
                + ("above 0" if LIMITS[marketplace].at_once else "0")
            )
    return result


def _paused(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise ConfigError(f"paused must be a list, not {type(value).__name__}")
    for place, name in enumerate(value):
        known = isinstance(name, str) and (name in LIMITS or re.fullmatch(_ACCOUNT, name) or re.fullmatch(_KIND, name))
        if not known:
            raise ConfigError(
                f"paused[{place}] must be one of {', '.join(LIMITS)}, an account such as 'stockx:acme', a kind of job "
                f"such as 'market.refresh', or one at a marketplace such as 'market.refresh:ebay', not {name!r}"
            )
    return frozenset(value)


def _timetables(value: object) -> Mapping[str, tuple[int, ...]]:
    if not isinstance(value, dict):
        raise ConfigError("timetables must be an object of waits by kind of job")
    for kind, waits in value.items():
        if kind not in TIMETABLES:
            raise ConfigError(f"timetables: unknown kind {kind!r}; known are {', '.join(TIMETABLES)}")
        whole = isinstance(waits, list) and all(type(wait) is int and 0 <= wait <= DAY for wait in waits)
        if not whole or not 1 <= len(waits) <= MOST_ATTEMPTS:
            raise ConfigError(
                f"timetables.{kind} must be 1 to {MOST_ATTEMPTS} waits of 0 to {DAY} milliseconds, one for each attempt"
            )
    return TIMETABLES | {kind: tuple(waits) for kind, waits in value.items()}
