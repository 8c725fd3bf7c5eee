"""How what eBay shows differs from what it took from us, and what is done about it. Pure.

Drift is observed ≠ accepted echo, over the fields that were sent: never observed ≠ desired, which would tell of eBay's
own picture addresses and defaults for ever.

| class | what is so | done about it |
|---|---|---|
| `internal_only` | the record was changed, eBay was not | its publish job does it |
| `external_only` | eBay shows something else than it took | by field group: heal, ask or ignore |
| `both` | both were changed | the record's change overwrites the other, after it was told |
| `missing` | eBay has proved that there is no such offer | ask |
| `ended` | the listing has ended, and the record says it is for sale | ask: another listing would be a new one |
| `on_hold` | eBay lets nobody change it | told; it passes |
| `by_ebay` | eBay changed it when it took it, and said so | told; sending it again would change nothing |
| `sale` | some were sold | the record's quantity is lowered: no drift |
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.desired import FieldGroup, OnDrift
from sluice.listings.ebay.echo import Echo
from sluice.marketplaces.publishing import Warned


class DriftClass(StrEnum):
    """What kind of difference it is."""

    INTERNAL_ONLY = "internal_only"
    EXTERNAL_ONLY = "external_only"
    BOTH = "both"
    MISSING = "missing"
    ENDED = "ended"
    ON_HOLD = "on_hold"
    BY_EBAY = "by_ebay"
    SALE = "sale"


# Warnings that say that eBay has changed what it took (Inventory API): the return policy, a field that it dropped, a
# value that it put in its own words, options that it took away.
CHANGED_BY_EBAY = {
    "25028": FieldGroup.DETAILS,
    "25030": FieldGroup.DETAILS,
    "25124": FieldGroup.POLICIES,
    "25125": FieldGroup.DETAILS,
    "25127": FieldGroup.DETAILS,
    "25401": FieldGroup.DETAILS,
}


class Drift(NamedTuple):
    """One difference. groups: the field groups that it is in. sold: how many were sold since the last look."""

    kind: DriftClass
    groups: frozenset[FieldGroup] = frozenset()
    sold: int = 0


def classify(accepted: Echo, now: Echo | None, internal: Iterable[FieldGroup] = ()) -> list[Drift]:
    """What differs between what eBay took and what it shows now.

    now: None where eBay has proved that there is no such offer. internal: the field groups in which the record was
    changed since.
    """
    if now is None:
        return [Drift(DriftClass.MISSING)] if accepted.standing == echoes.LIVE else []
    changed = frozenset(internal)
    found: list[Drift] = []
    external = echoes.differs(accepted, now)
    if accepted.standing == echoes.LIVE and now.standing != echoes.LIVE:
        # What an ended listing shows besides is nobody's drift.
        return [*_sales(accepted, now), Drift(DriftClass.ENDED)]
    if sale := _sales(accepted, now):
        found += sale
        if (fewer := fallen(accepted, now)) is not None and 0 <= fewer <= sale[0].sold:
            external -= {FieldGroup.QUANTITY}
    if now.on_hold and not accepted.on_hold:
        found.append(Drift(DriftClass.ON_HOLD))
    if alone := external - changed:
        found.append(Drift(DriftClass.EXTERNAL_ONLY, alone))
    if both := external & changed:
        found.append(Drift(DriftClass.BOTH, both))
    if changed and not external:
        found.append(Drift(DriftClass.INTERNAL_ONLY, changed))
    return found


def by_ebay(warnings: Iterable[Warned]) -> Drift | None:
    """What eBay has changed when it took a listing, as far as its warnings say so."""
    groups = frozenset(CHANGED_BY_EBAY[one.code] for one in warnings if one.code in CHANGED_BY_EBAY)
    return Drift(DriftClass.BY_EBAY, groups) if groups else None


def to_heal(found: Iterable[Drift], wanted: Mapping[FieldGroup, OnDrift]) -> frozenset[FieldGroup]:
    """The field groups that are sent again."""
    return _with(found, wanted, OnDrift.HEAL)


def to_ask(found: Iterable[Drift], wanted: Mapping[FieldGroup, OnDrift]) -> frozenset[FieldGroup]:
    """The field groups that a person decides about."""
    return _with(found, wanted, OnDrift.ASK)


def _with(found: Iterable[Drift], wanted: Mapping[FieldGroup, OnDrift], action: OnDrift) -> frozenset[FieldGroup]:
    external = (one for one in found if one.kind is DriftClass.EXTERNAL_ONLY)
    return frozenset(group for one in external for group in one.groups if wanted[group] is action)


def _sales(accepted: Echo, now: Echo) -> list[Drift]:
    """A sale that was not told before. A new listing counts from nothing."""
    before = accepted.sold if accepted.listing_id == now.listing_id else 0
    return [Drift(DriftClass.SALE, sold=now.sold - before)] if now.sold > before else []


def fallen(accepted: Echo, now: Echo) -> int | None:
    """By how many there are fewer to buy than eBay took; None where it does not tell, or the listing is over.

    Fewer than were sold: the others were sold before the quantity was set, by somebody who knew of them.
    """
    before, after = left(accepted), left(now)
    return None if before is None or after is None or now.standing != echoes.LIVE else before - after


def left(echo: Echo) -> int | None:
    """What buyers can buy: the smaller of what the item and the offer have."""
    shown: Any = echo.groups.get(FieldGroup.QUANTITY) or {}
    item = ((shown.get("item") or {}).get("shipToLocationAvailability") or {}).get("quantity")
    found = [one for one in (item, shown.get("offer")) if isinstance(one, int)]
    return min(found, default=None)
