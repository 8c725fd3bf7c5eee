"""eBay's Browse API: what is asked for new goods at fixed prices.

eBay has no catalog of styles: the product of a SKU is the search for it, one size a call. There are asks only; what is
sold is another API. An application token is enough, so an account is an application: its client id and secret.
"""

import re
import statistics
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.ebay import titles
from sluice.marketplaces.ebay.access import sign
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http.errors import BadAnswer, BadRequest
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.products import FoundProduct, FoundVariant, MarketData
from sluice.marketplaces.sizes import LETTERS, ONE_SIZE
from sluice.platform.clock import Clock

SEARCH_PATH = "/buy/browse/v1/item_summary/search"
MOST_ITEMS = 200


class Site(NamedTuple):
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
# Sizes in a system that is not here are words of the search: sellers write `5Y` in the title.
SYSTEMS = {"us": ("15709", "US"), "us-w": ("95672", "US"), "uk": ("15709", "UK"), "eu": ("15709", "EU")}
_CATEGORIES = {category: system for system, (category, name) in SYSTEMS.items() if name == "US"}
# So many sellers must show the same system, and of those that show any, so many: what is kept of it is for everybody.
_FEWEST_SELLERS = 3
_AGREEING = Decimal("0.8")
_SHOE_SIZE = r"\d+(\.\d+)?( \d/\d)?"


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

    def search(self, sku: str) -> FoundProduct:
        """The product of a SKU is the search for it, so there always is one. Calls nobody."""
        return FoundProduct(product_id=sku, sku=sku, title=sku, product_type=None, variants=())

    def variants(self, product_id: str) -> list[FoundVariant]:  # noqa: ARG002 - as every adapter has it
        """None: any size may be asked for (`catalog.uncharted`). Calls nobody."""
        return []

    def own_system(self, sku: str, currency: str) -> str | None:
        """The US system of the sizes of `sku`, as its titles and categories show it; None where sellers do not agree.

        Each seller counts once for a system, however many offers they have.
        """
        shown = set[tuple[str, str]]()
        for row in _rows(self._search(_request(sku, ONE_SIZE, "", currency))):
            title = row["title"].optional_text() or ""
            if titles.is_offer(title, sku) and (system := titles.system(title) or _of_category(row)):
                shown.add((system, _seller(row)))
        sellers = Counter(system for system, _ in shown)
        best, agreeing = next(iter(sellers.most_common(1)), (None, 0))
        return best if agreeing >= _FEWEST_SELLERS and agreeing >= _AGREEING * len(shown) else None

    def quotes(self, product_id: str, variant_id: str, currency: str) -> list[MarketData]:
        """The asks for one size of a SKU, as they are on the site of `currency`. Postage is not in them."""
        system, _, size = variant_id.partition(":")
        body = self._search(_request(product_id, size, system, currency))
        return [_market_data(body, product_id, variant_id, currency)]

    def _search(self, request: Call) -> Value:
        with self._quota.closing(self._calls, "buy", "browse"):
            return self._session.call(request)


def _request(sku: str, size: str, system: str, currency: str) -> Call:
    """The search for one size, or with `ONE_SIZE` for all of them."""
    query: dict[str, str | int] = {
        "q": titles.words(sku),
        "filter": "conditions:{NEW},buyingOptions:{FIXED_PRICE}",
        "sort": "price",
        "limit": MOST_ITEMS,
    }
    site = SITES[currency]
    if re.fullmatch(_SHOE_SIZE, size) and system in SYSTEMS:
        category, name = SYSTEMS[system]
        aspect = f"categoryId:{category},{site.aspect.format(name)}:{{{size}}}"
        query |= {"category_ids": category, "aspect_filter": aspect}
    elif size != ONE_SIZE:
        # No category is known for it, but sellers write it in the title: `5Y`, `XL`.
        query["q"] = f"{query['q']} {size}{LETTERS.get(system, '') if re.fullmatch(_SHOE_SIZE, size) else ''}"
    return Call("GET", SEARCH_PATH, query=query, headers={"x-ebay-c-marketplace-id": site.marketplace_id})


def _rows(body: Value) -> list[Value]:
    """The items of an answer. One that does not say how many there are has those that it shows.

    Raises BadRequest when eBay has left out a filter: its 200 has a warning, and the items are of other goods.
    """
    for warning in body["warnings"].optional_rows():
        code, said = warning["errorId"].optional_text(), warning["message"].optional_text() or "no reason given"
        raise BadRequest(f"{body.where} is no answer to what was asked: {said}", status=200, code=code)
    total = body["total"]
    return body["itemSummaries"].rows() if total.raw is None or total.whole() else []


def _market_data(body: Value, sku: str, variant_id: str, currency: str) -> MarketData:
    """What the items that are the product ask. What is none of it, or cannot be read, is left out and counted.

    Raises BadAnswer where no item can be read: then nobody knows what is asked.
    """
    rows = _rows(body)
    total = len(rows) if body["total"].raw is None else max(body["total"].whole(), len(rows))
    asks, left_out, unread = list[Decimal](), 0, None
    sized = not variant_id.endswith(f":{ONE_SIZE}")
    for row in rows:
        try:
            ask = _ask(row, sku, currency, shoe=sized)
        except NotOffered:
            left_out += 1
        except BadAnswer as error:
            left_out, unread = left_out + 1, unread or error
        else:
            asks += [] if ask is None else [ask]
    if unread and left_out == len(rows):
        raise unread
    return MarketData(
        product_id=sku,
        variant_id=variant_id,
        currency=currency,
        lowest_ask=min(asks, default=None),
        highest_bid=None,
        # The cheapest of more than one page say nothing about the middle.
        median_ask=statistics.median_low(asks) if asks and total <= len(rows) else None,
        asks=total - left_out,
        left_out=left_out or None,
    )


class NotOffered(Exception):  # noqa: N818 - an answer
    """The item is not what was asked for."""


def _ask(item: Value, sku: str, currency: str, *, shoe: bool) -> Decimal | None:
    """What an item asks. None: it shows none; some sellers may not show theirs before a purchase.

    Raises:
        NotOffered: it is something else: not the style, an accessory, a replica, used, sold by auction only.
        BadAnswer: it cannot be read.
    """
    if not titles.is_offer(item["title"].text(), sku, shoe=shoe):
        raise NotOffered
    if all(option.raw != "FIXED_PRICE" for option in item["buyingOptions"].rows()):
        raise NotOffered
    if not item["conditionId"].text().startswith("1"):  # 1000 new, 1500 new without box, 1750 new with defects
        raise NotOffered
    price = item["price"]
    if price.raw is None:
        return None
    if price["currency"].text() != currency:
        raise BadAnswer(f"{price.where}.currency is not the one asked for")
    return price["value"].money()


def _seller(item: Value) -> str:
    """Who offers an item; all who are not named are one."""
    seller = item["seller"]
    return (seller["username"].optional_text() if seller.has("username") else None) or ""


def _of_category(item: Value) -> str | None:
    """The system of an item's category, where it is one of shoes."""
    for category in item["categories"].optional_rows():
        if system := _CATEGORIES.get(category["categoryId"].optional_text() or ""):
            return system
    return None
