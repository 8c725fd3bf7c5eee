"""eBay Inventory API v1: items, offers, groups, prices and places. The `Publisher` of eBay.

What is not as one would think (Inventory 1.18, and what sellers have met):
- A POST without a body of its own still needs one: `{}`. Without it eBay answers 411.
- Both locale headers are sent, with a locale of the site. A client's `Accept-Language: *` is refused.
- A sku without an offer is a 404 with 25713, not an empty list.
- PUT answers 204 without a body, and 200 or 201 only where it has warnings.
- `getInventoryItems` counts pages: its `offset` is the number of the page.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from sluice.jobs.model.outcomes import Then
from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay import bulk
from sluice.marketplaces.ebay.listing_errors import ABSENT, meaning
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.ebay.seller_api import SellerApi
from sluice.marketplaces.ebay.sites import DEFAULT_LOCALE
from sluice.marketplaces.ebay.values import digest, plain
from sluice.marketplaces.http import fields, mapping
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure, NotFound, UnknownReason
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.publishing import (
    MOST_PRICES,
    ItemPage,
    Json,
    Location,
    MarketOffer,
    PriceResult,
    PriceRow,
    Warned,
    Written,
)
from sluice.platform.clock import Clock

BASE: Final = "/sell/inventory/v1"
ITEM: Final = f"{BASE}/inventory_item/{{sku}}"
OFFER: Final = f"{BASE}/offer/{{offer_id}}"
GROUP: Final = f"{BASE}/inventory_item_group/{{group}}"
# eBay's most, and as much as so many items with long descriptions take.
PAGE_SIZE: Final = 200
PAGE_BYTES: Final = 4 * 1024 * 1024
MOST_PLACES: Final = 1_000


class Inventory(SellerApi):
    """One seller's listings; see `publishing.Publisher`."""

    api = "inventory"
    _means = staticmethod(meaning)

    def __init__(
        self, session: Session, quota: Quota, calls: Calls, clock: Clock, locale: str = DEFAULT_LOCALE
    ) -> None:
        super().__init__(session, quota, calls, clock)
        self._headers = {"content-language": locale, "accept-language": locale}

    def speaking(self, locale: str) -> Self:
        """See `Publisher`."""
        return type(self)(self._session, self._quota, self._calls, self._clock, locale)

    def item(self, sku: str) -> Json | None:
        """See `Publisher`."""
        found = self._read(Call("GET", ITEM, {"sku": sku}))
        return None if found is None else _object(found)

    def items(self, page: int) -> ItemPage:
        """See `Publisher`."""
        query: dict[str, str | int] = {"limit": PAGE_SIZE, "offset": page}
        found = self._read(Call("GET", f"{BASE}/inventory_item", query=query, most_bytes=PAGE_BYTES))
        if found is None:
            return ItemPage(())
        rows = tuple(_object(row) for row in found["inventoryItems"].optional_rows())
        link = found["next"].optional_text()
        return ItemPage(rows, _page_of(link, page + 1) if link and rows else None)

    def items_of(self, skus: Sequence[str]) -> dict[str, Json | None]:
        """See `Publisher`."""
        body = {"requests": [{"sku": sku} for sku in skus]}
        answer = self._exchange(Call("POST", f"{BASE}/bulk_get_inventory_item", json=body))
        found: dict[str, Json | None] = {}
        for row in fields.read(answer)["responses"].rows():
            sku, failure = row["sku"].optional_text(), bulk.row_failure(row, answer.secrets)
            if sku and failure is None:
                found[sku] = _object(row["inventoryItem"])
            elif sku and failure and failure.status == 404 and failure.code in ABSENT:
                found[sku] = None
        return found

    def put_item(self, sku: str, body: Json) -> Written:
        """See `Publisher`."""
        return self._write("PUT", ITEM, {"sku": sku}, body)

    def delete_item(self, sku: str) -> None:
        """See `Publisher`."""
        self._unless_gone("DELETE", ITEM, {"sku": sku}, None)

    def offers(self, sku: str) -> list[MarketOffer]:
        """See `Publisher`."""
        found = self._read(Call("GET", f"{BASE}/offer", query={"sku": sku}))
        rows = [] if found is None else found["offers"].optional_rows()
        return [_offer(row) for row in rows if row["sku"].optional_text() in (sku, None)]

    def create_offer(self, body: Json) -> Written:
        """See `Publisher`."""
        return self._write("POST", f"{BASE}/offer", {}, body, made="offerId")

    def update_offer(self, offer_id: str, body: Json) -> Written:
        """See `Publisher`."""
        return self._write("PUT", OFFER, {"offer_id": offer_id}, body)

    def publish(self, offer_id: str) -> Written:
        """See `Publisher`."""
        return self._write("POST", f"{OFFER}/publish", {"offer_id": offer_id}, {}, made="listingId")

    def withdraw(self, offer_id: str) -> Written:
        """See `Publisher`."""
        return self._unless_gone("POST", f"{OFFER}/withdraw", {"offer_id": offer_id}, {})

    def group(self, key: str) -> Json | None:
        """See `Publisher`."""
        found = self._read(Call("GET", GROUP, {"group": key}))
        return None if found is None else _object(found)

    def put_group(self, key: str, body: Json) -> Written:
        """See `Publisher`."""
        return self._write("PUT", GROUP, {"group": key}, body)

    def delete_group(self, key: str) -> None:
        """See `Publisher`."""
        self._unless_gone("DELETE", GROUP, {"group": key}, None)

    def publish_group(self, key: str, site: str) -> Written:
        """See `Publisher`."""
        body = {"inventoryItemGroupKey": key, "marketplaceId": site}
        return self._write("POST", f"{BASE}/offer/publish_by_inventory_item_group", {}, body, made="listingId")

    def withdraw_group(self, key: str, site: str) -> Written:
        """See `Publisher`."""
        body = {"inventoryItemGroupKey": key, "marketplaceId": site}
        return self._unless_gone("POST", f"{BASE}/offer/withdraw_by_inventory_item_group", {}, body)

    def set_prices(self, rows: Sequence[PriceRow]) -> list[PriceResult]:
        """See `Publisher`."""
        if not 1 <= len(rows) <= MOST_PRICES:
            raise ValueError(f"from 1 to {MOST_PRICES} prices are set in one call, not {len(rows)}")
        body = {"requests": [_price(row) for row in rows]}
        try:
            answer = self._exchange(Call("POST", f"{BASE}/bulk_update_price_quantity", json=body))
            told = fields.read(answer)["responses"]
            found = self._results(told.rows(), answer.secrets)
        except MarketplaceFailure as failure:
            if failure.action is Then.SNOOZE:
                raise
            return [PriceResult(failure) for _ in rows]
        silent = BadAnswer(f"{told.where} has no row for this offer", uncertain=True)
        return [found.get(row.sku) or found.get(row.offer_id) or PriceResult(silent) for row in rows]

    def locations(self) -> list[Location]:
        """See `Publisher`."""
        found: list[Location] = []
        for offset in range(0, MOST_PLACES, PAGE_SIZE):
            query: dict[str, str | int] = {"limit": PAGE_SIZE, "offset": offset}
            body = self._read(Call("GET", f"{BASE}/location", query=query))
            rows = [] if body is None else body["locations"].optional_rows()
            found += [_location(row) for row in rows]
            if len(rows) < PAGE_SIZE:
                break
        return found

    def _results(self, rows: Iterable[Value], secrets: Iterable[str]) -> dict[str, PriceResult]:
        """Each row by its offer, or where its item failed by its sku. One that is unreadable spoils no other."""
        found: dict[str, PriceResult] = {}
        for row in rows:
            if not isinstance(row.raw, dict):
                continue
            try:
                failure, warnings = bulk.row_failure(row, secrets), _warnings(row, secrets)
            except BadAnswer as odd:
                failure, warnings = odd, ()
            offer_id, sku = row["offerId"].optional_text(), row["sku"].optional_text()
            if offer_id or (failure and sku):
                found[offer_id or sku or ""] = PriceResult(failure and self._understood(failure), warnings)
        return found

    def _write(self, method: str, path: str, ids: Mapping[str, str], body: Json, made: str = "") -> Written:
        """made: the field of the answer that names what was made; empty where the answer may have no body."""
        answer = self._exchange(Call(method, path, ids, json=body))
        if not answer.body and not made:
            return Written()
        told = fields.read(answer)
        return Written(told[made].text() if made else "", _warnings(told, answer.secrets))

    def _unless_gone(self, method: str, path: str, ids: Mapping[str, str], body: Json | None) -> Written:
        """A write that has nothing to do where what it is about is gone."""
        try:
            answer = self._exchange(Call(method, path, ids, json=body))
        except NotFound:
            return Written()
        return Written("", _warnings(fields.read(answer), answer.secrets)) if answer.body else Written()

    def _read(self, request: Call) -> Value | None:
        """What is there; None where eBay says that nothing is. Any other 404 says nothing of the thing itself."""
        try:
            return fields.read(self._exchange(request))
        except NotFound as failure:
            if failure.status == 404 and failure.code in ABSENT:
                return None
            raise UnknownReason(failure.message, status=failure.status, code=failure.code) from None

    def _exchange(self, request: Call) -> Answer:
        return super()._exchange(replace(request, headers=self._headers))


def _page_of(link: str, otherwise: int) -> int:
    """The page that `next` names, whatever eBay counts; it never goes back."""
    named = parse_qs(urlsplit(link).query).get("offset", [""])[0]
    return max(otherwise, int(named)) if re.fullmatch("[0-9]{1,9}", named) else otherwise


def _object(value: Value) -> Json:
    """An object of an answer, as plain values that DynamoDB and hashes take: no float, no Decimal."""
    if not isinstance(value.raw, dict):
        raise BadAnswer(f"{value.where} is not an object", uncertain=True)
    found: Any = plain(value.raw)
    return dict(found)


def _offer(row: Value) -> MarketOffer:
    listing = row["listing"]
    return MarketOffer(
        offer_id=row["offerId"].text(),
        sku=row["sku"].optional_text() or "",
        site=row["marketplaceId"].optional_text() or "",
        status=row["status"].text(),
        listing_id=listing["listingId"].optional_text(),
        listing_status=listing["listingStatus"].optional_text(),
        on_hold=listing["listingOnHold"].raw is True,
        sold=listing["soldQuantity"].whole() if listing.has("soldQuantity") else 0,
        body=_object(row),
    )


def _price(row: PriceRow) -> Json:
    """Item and offer get the same quantity, if one is given: buyers see the smaller of the two."""
    offer: Json = {"offerId": row.offer_id, "price": {"value": row.amount, "currency": row.currency}}
    if row.quantity is None:
        return {"sku": row.sku, "offers": [offer]}
    offer["availableQuantity"] = row.quantity
    return {"sku": row.sku, "shipToLocationAvailability": {"quantity": row.quantity}, "offers": [offer]}


def _location(row: Value) -> Location:
    return Location(
        key=row["merchantLocationKey"].text(),
        name=row["name"].optional_text() or "",
        enabled=row["merchantLocationStatus"].optional_text() != "DISABLED",
        digest=digest(_object(row)),
    )


def _warnings(body: Value, secrets: Iterable[str]) -> tuple[Warned, ...]:
    rows = body["warnings"].optional_rows() if isinstance(body.raw, dict) else []
    said = (mapping.said(row.raw, secrets) for row in rows if isinstance(row.raw, dict))
    return tuple(Warned(one.code or "", one.message, one.parameters) for one in said)
