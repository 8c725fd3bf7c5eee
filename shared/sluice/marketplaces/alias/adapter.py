"""Alias API v1: the catalog, and what is asked, offered and paid for each size.

Its gateway speaks gRPC in JSON: 64-bit numbers as text, enums by name, errors by gRPC's codes. Prices are US cents in
every region, `"0"` where there is none. One call answers every size and condition of a product.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces import sizes
from sluice.marketplaces.accounts.oauth import Fresh
from sluice.marketplaces.accounts.offered import Offer, OfferedTokens, prove
from sluice.marketplaces.accounts.personal_tokens import CREDENTIAL, PersonalTokens
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.accounts.token_cache import Access
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.http.mapping import Rules
from sluice.marketplaces.http.transport import Transport
from sluice.marketplaces.products import FoundProduct, FoundVariant, MarketData
from sluice.marketplaces.sizes import LETTERS
from sluice.marketplaces.skus import StyleSearch
from sluice.platform.clock import MINUTE, Clock
from sluice.platform.settings import settings

NAME = "alias"
CURRENCY = "USD"

# What the numbers of google.rpc.Code mean to us. ABORTED is what Alias says when something else changes the same thing.
CODES: Mapping[str, type[MarketplaceFailure]] = {
    "1": errors.Unavailable,  # CANCELLED
    "2": errors.Unavailable,  # UNKNOWN
    "3": errors.BadRequest,  # INVALID_ARGUMENT
    "4": errors.Unavailable,  # DEADLINE_EXCEEDED
    "5": errors.NotFound,  # NOT_FOUND
    "6": errors.Rejected,  # ALREADY_EXISTS
    "7": errors.Forbidden,  # PERMISSION_DENIED: the token lacks the scope
    "8": errors.RateLimited,  # RESOURCE_EXHAUSTED
    "9": errors.Rejected,  # FAILED_PRECONDITION
    "10": errors.Unavailable,  # ABORTED
    "11": errors.BadRequest,  # OUT_OF_RANGE
    "12": errors.BadRequest,  # UNIMPLEMENTED
    "13": errors.Unavailable,  # INTERNAL
    "14": errors.Unavailable,  # UNAVAILABLE
    "15": errors.Unavailable,  # DATA_LOSS
    "16": errors.Unauthorized,  # UNAUTHENTICATED
}
# Alias publishes no limit and names no header.
RULES = Rules(pause_ms=MINUTE, codes=CODES, statuses={409: errors.Unavailable})

# A search that has not shown the style among this many products has found others.
PAGE_SIZE = 50
MOST_PAGES = 3

# Alias's units of sizes, and Sluice's names. A Japanese size is the foot's length.
SIZE_UNITS = {
    "SIZE_UNIT_US": "us",
    "SIZE_UNIT_UK": "uk",
    "SIZE_UNIT_EU": "eu",
    "SIZE_UNIT_IT": "it",
    "SIZE_UNIT_FR": "fr",
    "SIZE_UNIT_JP": "cm",
}
# Whose US sizes a product has; men's where it is not said.
GENDERS = {"women": "us-w", "youth": "us-y", "infant": "us-c", "toddler": "us-c"}
NEW, GOOD_BOX = "PRODUCT_CONDITION_NEW", "PACKAGING_CONDITION_GOOD_CONDITION"


def session(account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Session:
    """Alias for `account_id`. `wire` stands in for the network, for tests."""
    api = Transport(NAME, settings().require("alias_api_url"), clock, RULES, wire=wire)
    return Session(api, PersonalTokens(account_id, clock), sign, calls)


def try_out(
    credentials: Mapping[str, str], calls: Calls, clock: Clock, timeout_ms: int, wire: httpx.BaseTransport | None = None
) -> Offer:
    """Whether Alias accepts `credentials`: it has a call for just that. timeout_ms: for it.

    Raises:
        CredentialsRefused: it does not.
    """
    api = Transport(NAME, settings().require("alias_api_url"), clock, RULES, wire=wire, timeout_ms=timeout_ms)
    tokens = OfferedTokens(credentials, lambda given: Fresh(given[CREDENTIAL], 0), clock)
    call = partial(Session(api, tokens, sign, calls).exchange, Call("GET", "/test"))
    return Offer(credentials, (prove(tokens, call, (), (CREDENTIAL,), keep=False),))


def sign(access: Access) -> dict[str, str]:
    """The header of every call."""
    return {"authorization": f"Bearer {access.token}"}


class Alias:
    """Products, sizes and prices. Every method raises the errors of `Session.call`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """Alias as `account_id` sees it. Opening calls nobody; there is nothing to close."""
        return cls(session(account_id, calls, clock, wire))

    def search(self, sku: str) -> FoundProduct | None:
        """The product whose style is `sku`, with its sizes; None if there is none.

        Alias writes a style with a blank, `DD1391 100`, and its search finds neighbours too, so each style is compared.
        Of a shoe that was released twice it may have one style only, so each is searched for. Raises AmbiguousStyle
        where several products may be it.
        """
        wanted = StyleSearch[Value](sku)
        for query in wanted.queries():
            if (row := self._search(query.replace("-", " "), wanted) or wanted.end()) is not None:
                found = _product(row)
                return found._replace(rivals=wanted.rivals(found.product_id))
        return None

    def _search(self, text: str, wanted: StyleSearch[Value]) -> Value | None:
        query: dict[str, str | int] = {"query": text, "limit": PAGE_SIZE}
        for _ in range(MOST_PAGES):
            body = self._session.call(Call("GET", "/catalog", query=query))
            rows = body["catalog_items"].rows()
            found = wanted.found(
                (row["catalog_id"].optional_text() or "", row["sku"].optional_text(), row) for row in rows
            )
            if found is not None:
                return found
            following = body["next_pagination_token"].optional_text()
            if not body["has_more"].flag() or not following:
                return None
            query["pagination_token"] = following
        return None

    def product(self, product_id: str) -> FoundProduct:
        """One product by its id, with its sizes."""
        return _product(self._session.call(Call("GET", "/catalog/{id}", {"id": product_id}))["catalog_item"])

    def variants(self, product_id: str) -> list[FoundVariant]:
        """The sizes of a product."""
        return list(self.product(product_id).variants or ())

    def quotes(self, product_id: str, variant_id: str, currency: str) -> list[MarketData]:
        """The market of every size, new and in a good box. A size that Alias leaves out has neither ask nor bid."""
        if currency != CURRENCY:
            raise errors.BadRequest(f"{NAME} gives prices in {CURRENCY} only, not in {currency}")
        found = self.availabilities(product_id)
        if all(data.variant_id != variant_id for data in found):
            found.append(MarketData(product_id, variant_id, CURRENCY, None, None))
        return found

    def availabilities(self, product_id: str, *, consigned: bool | None = None) -> list[MarketData]:
        """The market of each size, new and in a good box. consigned: goods in its warehouses only, or none of them."""
        query: dict[str, str | int] = {} if consigned is None else {"consigned": str(consigned).lower()}
        path = "/pricing_insights/availabilities/{catalog_id}"
        body = self._session.call(Call("GET", path, {"catalog_id": product_id}, query))
        found: dict[str, MarketData] = {}
        for row in body["variants"].rows():
            size = row["size"].decimal()
            condition = (row["product_condition"].text(), row["packaging_condition"].text())
            if not size or condition != (NEW, GOOD_BOX):
                continue
            data = _market_data(row["availability"], product_id, _plain(size))
            known = found.get(data.variant_id)
            found[data.variant_id] = _best(known, data) if known else data
        return list(found.values())


def _product(row: Value) -> FoundProduct:
    sku = row["sku"].optional_text()
    return FoundProduct(
        product_id=row["catalog_id"].text(),
        sku=sku,
        title=row["name"].optional_text() or sku or "",
        product_type=row["product_type"].optional_text(),
        brand=row["brand"].optional_text(),
        gender=row["gender"].optional_text(),
        colorway=row["colorway"].optional_text(),
        release_date=row["release_date"].optional_text(),
        retail_price=_cents(row["retail_price_cents"]),
        image=_address(row["main_picture_url"]),
        variants=tuple(_variants(row)),
    )


def _variants(row: Value) -> Iterator[FoundVariant]:
    """The sizes of a product. Prices are by US size, so that is a size's id; whose US size it is goes by the gender."""
    american = GENDERS.get((row["gender"].optional_text() or "").lower(), "us")
    unit = SIZE_UNITS.get(row["size_unit"].optional_text() or "", "us")
    for size in row["allowed_sizes"].rows():
        equivalent = size["us_size_equivalent"].decimal()
        if not equivalent:
            continue  # a placeholder
        label = size["display_name"].optional_text() or _plain(size["value"].decimal())
        # A letter at the label says more exactly whose size it is: a preschool chart goes from 10.5C to 3Y.
        lettered = next(iter(sizes.names([("us", label)])), "")
        whose = lettered if lettered in LETTERS else american
        named = {whose: _plain(equivalent)}
        if whose == "us-y":
            whose, named = "us", {"us": _plain(equivalent), **named}
        if unit != "us":
            named |= sizes.names([(unit, label)])
        yield FoundVariant(_plain(equivalent), label, whose if unit == "us" else unit, named)


def _market_data(row: Value, product_id: str, variant_id: str) -> MarketData:
    return MarketData(
        product_id=product_id,
        variant_id=variant_id,
        currency=CURRENCY,
        # Alias writes "0" where there is none, so a price that is missing says nothing.
        lowest_ask=row["lowest_listing_price_cents"].cents() or None,
        highest_bid=row["highest_offer_price_cents"].cents() or None,
        last_sale=_cents(row["last_sold_listing_price_cents"]),
        global_indicator=_cents(row["global_indicator_price_cents"]),
    )


def _best(one: MarketData, other: MarketData) -> MarketData:
    """One size in two rows, consigned and not: the lower ask and the higher bid."""
    asks = [ask for ask in (one.lowest_ask, other.lowest_ask) if ask]
    bids = [bid for bid in (one.highest_bid, other.highest_bid) if bid]
    return one._replace(lowest_ask=min(asks, default=None), highest_bid=max(bids, default=None))


def _cents(value: Value) -> Decimal | None:
    """A price that may be missing. Alias writes "0" for none."""
    return None if value.raw is None or value.raw == "" else value.cents() or None


def _address(value: Value) -> str | None:
    address = value.optional_text()
    return address if address and address.startswith("https://") else None


def _plain(size: Decimal) -> str:
    """`10`, `10.5`: without an exponent and without zeros behind the point."""
    return f"{size.normalize():f}"
