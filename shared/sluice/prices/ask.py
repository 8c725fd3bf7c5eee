"""Asking for fresh prices: each item is checked on its own, then all that are well-formed are enqueued."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sluice.catalog import meaning
from sluice.catalog.charts import NoVariant
from sluice.catalog.meaning import Known, WantedSize
from sluice.jobs.ask import Wish, ask_many
from sluice.jobs.model import keys
from sluice.jobs.queue.enqueue import Enqueued
from sluice.marketplaces import registry, sizes
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.held import account_held
from sluice.marketplaces.sizes import OWN, Size
from sluice.marketplaces.skus import in_order, normal_sku
from sluice.platform.clock import iso
from sluice.platform.config.document import Config
from sluice.platform.refused import Refused
from sluice.prices.kinds import REFRESH

T = TypeVar("T")

# Calls to a price of a size that is known. One that is not has to be looked up before.
CALLS_KNOWN = 1


def calls_unknown(marketplace: str) -> int:
    """Calls to a price of a product that is not in the catalog yet."""
    return CALLS_KNOWN + registry.get(marketplace).lookup_calls


@dataclass(frozen=True)
class RefreshItem:
    """One price that somebody wants fresh.

    size_system: None where the size itself says it, or means the product's own.
    priority: one of `keys.PRIORITIES`. force: fetch even a fresh price; only a manual request may.
    """

    sku: str
    size: str
    marketplace: str = "stockx"
    size_system: str | None = None
    currency: str = "USD"
    priority: str = "background"
    force: bool = False


def refresh(items: Sequence[RefreshItem], tenant: str, now: int, config: Config) -> list[Enqueued | Refused]:
    """Enqueue a refresh for each of `items`; the answers are in their order. A refused item stops no other."""
    checked = [_checked(item) for item in items]
    good = [item for item in checked if isinstance(item, RefreshItem)]
    known = meaning.known([WantedSize(item.marketplace, item.sku, _size(item)) for item in good])
    statuses = accounts.statuses({keys.account(item.marketplace, tenant) for item in good})
    prepared = [
        _wish(item, tenant, known, statuses, now, config) if isinstance(item, RefreshItem) else item for item in checked
    ]
    wishes = _counted([wish for wish in prepared if isinstance(wish, Wish)])
    done = iter(ask_many(wishes, now, config, account_held(now, config)))
    return [next(done) if isinstance(one, Wish) else one for one in prepared]


def size_asked(job_id: str) -> Size | None:
    """The size that the job of a refresh is for. None while only the marketplace can tell what system it is in."""
    part = keys.job_parts(job_id)[3]
    system = next((name for name in sizes.SYSTEMS if re.match(f"{name}-[^wyc]", part)), None)
    return Size(part.removeprefix(f"{system}-"), system) if system else None


def _checked(item: RefreshItem) -> RefreshItem | Refused:
    """`item` in its one spelling, or why it is refused."""
    try:
        marketplace = registry.MARKETPLACES.get(item.marketplace)
        if marketplace is None or item.marketplace not in REFRESH.marketplaces:
            known = ", ".join(sorted(REFRESH.marketplaces))
            raise Refused("marketplace", f"unknown marketplace {item.marketplace!r}; prices come from {known}")
        if item.priority not in keys.PRIORITIES:
            raise Refused("priority", f"unknown priority {item.priority!r}; known are {', '.join(keys.PRIORITIES)}")
        if item.force and keys.PRIORITIES[item.priority] != keys.MANUAL:
            raise Refused("force", "is for priority manual only; without it a fresh price is not fetched again")
        if item.currency not in marketplace.currencies:
            raise Refused("currency", f"{item.marketplace} gives no prices in {item.currency!r}")
        if item.size_system is not None and item.size_system not in marketplace.size_systems:
            systems = ", ".join(marketplace.size_systems)
            raise Refused("sizeSystem", f"unknown size system {item.size_system!r}; known are {systems}")
        size = _read("size", lambda: sizes.read(item.size, item.size_system))
        return replace(item, sku=_read("sku", lambda: normal_sku(item.sku)), size=size.name, size_system=size.system)
    except Refused as refused:
        return refused


def _read(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise Refused(field, str(error)) from None


def _wish(
    item: RefreshItem,
    tenant: str,
    known: Known,
    statuses: Mapping[str, str],
    now: int,
    config: Config,
) -> Wish | Refused:
    account = keys.account(item.marketplace, tenant)
    if account not in statuses:
        message = f"no {item.marketplace} account is connected; connect one with PUT /v1/accounts/{item.marketplace}"
        return Refused("marketplace", message)
    payload: dict[str, Any] = {
        "sku": item.sku,
        "size": item.size,
        "size_system": item.size_system,
        "currency": item.currency,
    }
    size, style = _size(item), meaning.style(item.marketplace, item.sku, known)
    try:
        variant = meaning.variant(item.marketplace, item.sku, size, known, now, config.prices.catalog_age_ms)
    except NoVariant as none:
        return Refused(none.field, none.message)
    if variant:
        size = Size(variant.size, variant.size_system)
        own = known.get((item.marketplace, item.sku))
        product_id = own.product_id if own and own.is_found else style
        payload |= {"size": variant.size, "size_system": variant.size_system, "sizes": variant.sizes}
        payload |= {"product_id": product_id, "variant_id": variant.variant_id, "style": style}
        if not registry.get(item.marketplace).lookup_calls:
            payload["apart"] = meaning.apart(item.marketplace, item.sku, known)
    if item.force:
        # A price that is observed after this moment is good enough: a run that was forced once is not forced again.
        payload |= {"force": iso(now), "forced_by": tenant}
    return Wish(
        REFRESH,
        keys.job_id(REFRESH.name, item.marketplace, in_order(style), f"{size.system}-{size.name}", item.currency),
        tenant,
        account,
        payload,
        priority=keys.PRIORITIES[item.priority],
        shared=True,
    )


def _size(item: RefreshItem) -> Size:
    """The size of an item in its one spelling."""
    return Size(item.size, item.size_system or OWN)


def _counted(wishes: Sequence[Wish]) -> list[Wish]:
    """`wishes` with the calls that each is expected to make: of the sizes of an unknown product, one looks it up."""
    counted, looked_up = [], set()
    for wish in wishes:
        product = keys.subject(wish.job_id)
        unknown = "variant_id" not in wish.payload and product not in looked_up
        looked_up.add(product)
        calls = calls_unknown(keys.marketplace_of(wish.account)) if unknown else CALLS_KNOWN
        counted.append(replace(wish, calls=calls))
    return counted
