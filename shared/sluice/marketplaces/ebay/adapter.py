"""eBay's Browse API: what is asked for new goods at fixed prices.

eBay has no catalog of styles: the product of a SKU is the search for it, one size a call. There are asks only; what is
sold is another API. An application token is enough, so an account is an application: its client id and secret.
"""

import re
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.ebay.access import sign
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http.errors import BadAnswer, BadRequest
from sluice.marketplaces.http.exchange import Request
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.products import MarketData, Product, Variant
from sluice.marketplaces.sizes import ONE_SIZE
from sluice.platform.clock import Clock

SEARCH_PATH = "/buy/browse/v1/item_summary/search"
MOST_ITEMS = 200


@dataclass(frozen=True)
class Site:
    """One of eBay's marketplaces. aspect: what it calls a shoe size in a system (`US`, `UK`, `EU`)."""

    marketplace_id: str
    aspect: str = "{} Shoe Size"


# One for each currency.
SITES: Mapping[str, Site] = {
    "USD": Site("EBAY_US"),
    "GBP": Site("EBAY_GB"),
    "EUR": Site("EBAY_DE", "{}-Schuhgröße"),
    "CAD": Site("EBAY_CA"),
    "AUD": Site("EBAY_AU"),
}
# Sluice's size systems: the category of shoes in which eBay has them (15709 men's, 95672 women's), and eBay's name.
SYSTEMS = {"us": ("15709", "US"), "us-w": ("95672", "US"), "uk": ("15709", "UK"), "eu": ("15709", "EU")}
_SHOE_SIZE = re.compile(r"\d+(\.\d+)?( \d/\d)?")


class EBay:
    """Prices. Every method raises the errors of `Session.call`."""

    def __init__(self, session: Session, quota: Quota, calls: Calls) -> None:
        self._session = session
        self._quota = quota
        self._calls = calls

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """eBay as the application of `account_id` sees it. Opening calls nobody; there is nothing to close."""
        api = ebay_access.transport(clock, wire)
        tokens = ebay_access.application(account_id, api, clock)
        return cls(Session(api, tokens, sign, calls), Quota.open(tokens, clock, wire), calls)

    def search(self, sku: str) -> Product:
        """The product of a SKU is the search for it, so there always is one. Calls nobody."""
        return Product(product_id=sku, sku=sku, title=sku, product_type=None, variants=())

    def variants(self, product_id: str) -> list[Variant]:  # noqa: ARG002 - as every adapter has it
        """None: any size may be asked for (`catalog.uncharted`). Calls nobody."""
        return []

    def quotes(self, product_id: str, variant_id: str, currency: str) -> list[MarketData]:
        """The asks for one size of a SKU, as they are on the site of `currency`. Postage is not in them."""
        request = _request(product_id, variant_id, currency)
        with self._quota.closing(self._calls, "buy", "browse"):
            body = self._session.call(request)
        return [_market_data(body, product_id, variant_id, currency)]


def _request(sku: str, variant_id: str, currency: str) -> Request:
    system, _, size = variant_id.partition(":")
    query: dict[str, str | int] = {
        "q": sku,
        "filter": "conditions:{NEW},buyingOptions:{FIXED_PRICE}",
        "sort": "price",
        "limit": MOST_ITEMS,
    }
    site = SITES[currency]
    if _SHOE_SIZE.fullmatch(size):
        category, name = SYSTEMS[system]
        aspect = f"categoryId:{category},{site.aspect.format(name)}:{{{size}}}"
        query |= {"category_ids": category, "aspect_filter": aspect}
    elif size != ONE_SIZE:
        query["q"] = f"{sku} {size}"  # `5Y`, `XL`: no category is known for it, but sellers write it in the title
    return Request("GET", SEARCH_PATH, query=query, headers={"x-ebay-c-marketplace-id": site.marketplace_id})


def _market_data(body: Value, sku: str, variant_id: str, currency: str) -> MarketData:
    """Raises BadRequest when eBay has left out a filter: its 200 has a warning, and the asks are of other goods."""
    for warning in body["warnings"].optional_rows():
        code, said = warning["errorId"].optional_text(), warning["message"].optional_text() or "no reason given"
        raise BadRequest(f"{body.where} is no answer to what was asked: {said}", status=200, code=code)
    count = body["total"].whole()
    asks = sorted(_asks(body["itemSummaries"].rows(), currency)) if count else []
    return MarketData(
        product_id=sku,
        variant_id=variant_id,
        currency=currency,
        lowest_ask=asks[0] if asks else None,
        highest_bid=None,
        # The cheapest of more than one page say nothing about the middle.
        median_ask=statistics.median_low(asks) if asks and count <= MOST_ITEMS else None,
        asks=count,
    )


def _asks(items: list[Value], currency: str) -> Iterator[Decimal]:
    """The asks of the items that show one; some sellers may not show theirs before a purchase.

    Raises BadAnswer for an item that was not asked for: used, sold by auction only, or priced in another currency.
    """
    for item in items:
        offered, condition = item["buyingOptions"], item["conditionId"].optional_text() or ""
        if all(option.raw != "FIXED_PRICE" for option in offered.rows()):
            raise BadAnswer(f"{offered.where} has no fixed price, which was asked for")
        if not condition.startswith("1"):  # 1000 new, 1500 new without box, 1750 new with defects
            raise BadAnswer(f"{item.where}.conditionId is not of something new, which was asked for")
        price = item["price"]
        if price.raw is None:
            continue
        if price["currency"].text() != currency:
            raise BadAnswer(f"{price.where}.currency is not the one asked for")
        yield price["value"].money()
