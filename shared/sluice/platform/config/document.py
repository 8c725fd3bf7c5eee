"""How Sluice behaves, as one validated document: the defaults, and what an operator overrides.

An operator overrides by JSON of the same shape (`live` says where it stands), for example
`{"limits": {"stockx": {"interval_ms": 600}}, "engine": {"batch": 10}, "prices": {"freshness_ms": 300000}}`.
Each section has a module of its own beside this one, which says what its numbers mean and may be.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.platform.config import section, services, tenants
from sluice.platform.config.ebay import Ebay
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits
from sluice.platform.config.listings import Listings
from sluice.platform.config.pages import Pages
from sluice.platform.config.pauses import NONE, Pauses
from sluice.platform.config.prices import Prices
from sluice.platform.config.promotions import Promotions
from sluice.platform.config.services import LIMITS
from sluice.platform.config.tenants import Tenants

# What stood at the top of the document before it had sections, and where it stands now.
MOVED: Mapping[str, str] = {
    "marketplaces": "limits",
    **dict.fromkeys(("lease_ms", "timetables", "age_limit_ms", "reserve_percent", "horizon_ms"), "engine."),
    **dict.fromkeys(("batch", "poll_batch", "retention_ms", "dead_letter_retention_ms", "broken_ms"), "engine."),
    **dict.fromkeys(("freshness_ms", "stale_ms", "catalog_age_ms"), "prices."),
    **dict.fromkeys(("lost_create_ms", "unconfirmed_ms"), "listings."),
    "promotion_stagger_ms": "promotions.stagger_ms",
    "allowances": "tenants.",
}
# Pauses have an end and somebody who made them, so they are no part of the document.
PAUSED = "is no part of the configuration: operators pause and resume with /v1/operator/pauses (docs/operator.md)"


class ConfigError(Exception):
    """The configuration document is not valid; the message names the place."""


@dataclass(frozen=True)
class Config:
    """Every number that an operator may change, by section.

    engine: how jobs are chosen, run, given up and kept.
    limits: the limits of each marketplace, and of each service that counts apart, by name.
    prices: how old prices and products may be.
    listings: how long a marketplace is asked what became of a change.
    promotions: how ads are placed.
    pages: how product pages are watched.
    ebay: how eBay listings are kept equal to their records.
    tenants: what tenants may ask for and keep.
    pauses: what operators have paused. It stands not in the document, but beside it (`pause_table`).
    """

    engine: Engine = field(default_factory=Engine)
    limits: Mapping[str, Limits] = field(default_factory=lambda: dict(LIMITS))
    prices: Prices = field(default_factory=Prices)
    listings: Listings = field(default_factory=Listings)
    promotions: Promotions = field(default_factory=Promotions)
    pages: Pages = field(default_factory=Pages)
    ebay: Ebay = field(default_factory=Ebay)
    tenants: Tenants = field(default_factory=Tenants)
    pauses: Pauses = NONE


# The sections of the document, in order.
SECTIONS = tuple(name for name in Config.__dataclass_fields__ if name != "pauses")


def parse(text: str, *, stored: bool = False) -> Config:
    """The configuration that the JSON document `text` gives on top of the defaults.

    stored: an earlier version may have written it: limits that are windows now are read as what they meant.

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
    try:
        return Config(**{name: _section(name, value, stored=stored) for name, value in document.items()})
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _section(name: str, value: object, *, stored: bool) -> Any:
    if name == "limits":
        return services.parse(name, value, stored=stored)
    if name == "tenants":
        return tenants.parse(name, value)
    if name in MOVED:
        there = MOVED[name] + (name if MOVED[name].endswith(".") else "")
        raise ValueError(f"{name!r} is called {there!r} now: write {_nested(there)}")
    if name in ("paused", "pauses") or (name == "engine" and isinstance(value, dict) and "paused" in value):
        raise ValueError(f"{'engine.paused' if name == 'engine' else name!r} {PAUSED}")
    if name not in SECTIONS:
        raise ValueError(f"unknown name {name!r}; known are {', '.join(SECTIONS)}")
    return section.parse(name, value, getattr(Config(), name))


def _nested(place: str) -> str:
    """How the document spells a place: `{"engine": {"batch": …}}`."""
    outer, _, inner = place.partition(".")
    return f'{{"{outer}": {{"{inner}": …}}}}' if inner else f'{{"{outer}": …}}'


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{twice!r} is given twice; the configuration must name it once")
    return result
