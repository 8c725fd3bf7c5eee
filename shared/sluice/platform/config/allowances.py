"""What one tenant may ask for and keep, as configuration: the one shape for every allowance. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

MOST: Final = 1_000_000_000
TENANT: Final = r"[a-z0-9-]{1,64}"


@dataclass(frozen=True)
class Allowances:
    """The allowances of one tenant. What goes beyond one is answered with 429, and costs nobody else anything.

    requests_per_minute: requests to the API, whatever they ask.
    items_per_hour: what is asked for: prices, look-ups of the catalog, rows of imports, changes of listings,
        promotions, replays and resends. They are counted by request, before it is known which were wanted already.
    unfinished_jobs: jobs that wait or run for the tenant; with so many no more are taken.
    inventory_items: what the inventory may hold.
    promotions: promotions that are not settled yet.
    pages: product pages that are watched.
    webhooks: addresses that get events.
    """

    requests_per_minute: int = 1_200
    items_per_hour: int = 20_000
    unfinished_jobs: int = 20_000
    inventory_items: int = 50_000
    promotions: int = 5_000
    pages: int = 2_000
    webhooks: int = 10

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= MOST:
                raise ValueError(f"{name} must be a whole number from 0 to {MOST}, not {value!r}")
        if not self.requests_per_minute:
            raise ValueError("requests_per_minute must be at least 1")

    def override(self, changes: Mapping[str, object]) -> "Allowances":
        """These allowances with `changes`.

        Raises:
            ValueError: a name or a value that allowances do not have, in words.
        """
        unknown = sorted(set(changes) - set(self.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown allowance {unknown[0]!r}; allowances are {', '.join(self.__dataclass_fields__)}")
        return replace(self, **changes)  # type: ignore[arg-type]


def parse(place: str, value: object, others: Allowances) -> Allowances:
    """The allowances that the JSON `value`, which stands at `place` of the document, gives on top of `others`.

    Raises:
        ValueError: it gives none, in words.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object of allowances")
    try:
        return others.override(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def parse_tenants(value: object, all_: Allowances) -> Mapping[str, Allowances]:
    """Those of single tenants, where they differ from those of all. Raises as `parse`."""
    if not isinstance(value, dict):
        raise ValueError("tenants must be an object of allowances by tenant")
    for tenant in value:
        if not re.fullmatch(TENANT, tenant):
            raise ValueError(f"tenants: {tenant!r} can be no tenant; names are 1 to 64 of a-z, 0-9 and -")
    return {tenant: parse(f"tenants.{tenant}", changes, all_) for tenant, changes in value.items()}
