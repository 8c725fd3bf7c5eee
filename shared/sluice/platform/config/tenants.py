"""What tenants may ask for and keep: the section `tenants` of the configuration. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sluice.platform.config import section
from sluice.platform.config.section import number

MOST: Final = 1_000_000_000
TENANT: Final = r"[a-z0-9-]{1,64}"


@dataclass(frozen=True)
class Allowances:
    """The allowances of one tenant. What goes beyond one is answered with 429, and costs nobody else anything.

    requests_per_minute: requests to the API, whatever they ask.
    items_per_hour: what is asked for: prices, look-ups of the catalog, rows of imports, changes of listings, pages,
        promotions, replays and resends. They are counted by request, before it is known which were wanted
        already.
    mails_per_hour: mails that a request sends at once: to a new address, whether it wants mail, and as a test. All
        tenants' mail goes through one account of AWS, which sends a few a second.
    connections_per_hour: sets of credentials that are tried out, each by a real call of a marketplace: who tries many
        is guessing, and a marketplace that is asked too often with wrong ones shuts out all who share its application.
    unfinished_jobs: jobs that wait or run for the tenant; with so many no more are taken.
    inventory_items: what the inventory may hold.
    promotions: promotions that are not settled yet.
    pages: product pages that are watched.
    webhooks: addresses that get events.
    """

    requests_per_minute: int = number(1_200, least=1, most=MOST)
    items_per_hour: int = number(20_000, least=0, most=MOST)
    mails_per_hour: int = number(20, least=0, most=MOST)
    connections_per_hour: int = number(30, least=0, most=MOST)
    unfinished_jobs: int = number(20_000, least=0, most=MOST)
    inventory_items: int = number(50_000, least=0, most=MOST)
    promotions: int = number(5_000, least=0, most=MOST)
    pages: int = number(2_000, least=0, most=MOST)
    webhooks: int = number(10, least=0, most=MOST)


@dataclass(frozen=True)
class Tenants:
    """allowances: those of every tenant. overrides: those of single tenants, where they differ."""

    allowances: Allowances = field(default_factory=Allowances)
    overrides: Mapping[str, Allowances] = field(default_factory=dict)

    def allowed(self, tenant: str) -> Allowances:
        """What `tenant` may ask for and keep."""
        return self.overrides.get(tenant, self.allowances)


def parse(place: str, value: object) -> Tenants:
    """The section that the JSON `value` at `place` gives: a tenant's allowances differ from those of all.

    Raises:
        ValueError: it gives none, in words.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{place} must be an object with allowances and overrides")
    for name in value:
        if name not in ("allowances", "overrides"):
            raise ValueError(
                f"unknown name '{place}.{name}'; known are allowances, overrides. The allowances of one tenant stand "
                f"in {place}.overrides.{name}"
            )
    allowances = section.parse(f"{place}.allowances", value.get("allowances", {}), Allowances())
    overrides = value.get("overrides", {})
    if not isinstance(overrides, Mapping):
        raise ValueError(f"{place}.overrides must be an object of allowances by tenant")
    for tenant in overrides:
        if not re.fullmatch(TENANT, tenant):
            raise ValueError(f"{place}.overrides: {tenant!r} cannot be a tenant; names are 1 to 64 of a-z, 0-9 and -")
    parsed = {one: section.parse(f"{place}.overrides.{one}", given, allowances) for one, given in overrides.items()}
    return Tenants(allowances, parsed)
