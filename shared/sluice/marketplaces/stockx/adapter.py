"""StockX public API v2: the catalog and its market data.

`session` opens an account; whatever else StockX offers (listings, orders) is another class on the same session.
Amounts are decimal strings in major units; `retailPrice` alone is a number. There is no last sale in this API.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces import sizes
from sluice.marketplaces.accounts import oauth
from sluice.marketplaces.accounts.access_tokens import Refresh, Tokens
from sluice.marketplaces.accounts.oauth import Fresh
from sluice.marketplaces.accounts.offered import Offer, OfferedTokens, prove
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.accounts.token_cache import Access
from sluice.marketplaces.http.errors import BadAnswer
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.http.mapping import Rules
from sluice.marketplaces.http.transport import TOTAL_MS, Transport
from sluice.marketplaces.products import FoundProduct, FoundVariant, MarketData
from sluice.marketplaces.sizes import LETTERS
from sluice.marketplaces.skus import StyleSearch
from sluice.platform.clock import MINUTE, Clock
from sluice.platform.settings import settings

__all__ = ["FoundProduct", "FoundVariant", "MarketData", "StockX", "session", "sign"]

NAME = "stockx"
# StockX documents neither Retry-After nor any other header of its limits.
RULES = Rules(pause_ms=MINUTE)
AUDIENCE = "gateway.stockx.com"

# A search that has not shown the style among this many products has found others.
PAGE_SIZE = 50
MOST_PAGES = 3

# StockX's names of size systems, and Sluice's.
SIZE_SYSTEMS = {"us m": "us", "us w": "us-w", "uk": "uk", "cm": "cm", "kr": "kr", "eu": "eu"}
MAIN_SYSTEM = "us"


def session(account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Session:
    """StockX for `account_id`. `wire` stands in for the network, for tests."""
    api = Transport(NAME, settings().require("stockx_api_url"), clock, RULES, wire=wire)
    return Session(api, Tokens(account_id, _refreshing(clock, wire), clock), sign, calls)


def try_out(
    credentials: Mapping[str, str], calls: Calls, clock: Clock, timeout_ms: int, wire: httpx.BaseTransport | None = None
) -> Offer:
    """Whether StockX accepts `credentials`: a token, and one search, which tells of the API key. timeout_ms: for each.

    Raises:
        CredentialsRefused: it does not.
    """
    api = Transport(NAME, settings().require("stockx_api_url"), clock, RULES, wire=wire, timeout_ms=timeout_ms)
    tokens = OfferedTokens(credentials, _refreshing(clock, wire, timeout_ms), clock)
    search = Call("GET", "/catalog/search", query={"query": "nike", "pageNumber": 1, "pageSize": 1})
    call = partial(Session(api, tokens, sign, calls).call, search)
    proof = prove(tokens, call, ("client_id", "client_secret", "refresh_token"), ("api_key",))
    return Offer(tokens.credentials, (proof,))


def _refreshing(clock: Clock, wire: httpx.BaseTransport | None, timeout_ms: int = TOTAL_MS) -> Refresh:
    """How a new token is got."""
    auth = Transport(NAME, settings().require("stockx_auth_url"), clock, RULES, wire=wire, timeout_ms=timeout_ms)

    def refresh(credentials: Mapping[str, str]) -> Fresh:
        names = ("client_id", "client_secret", "refresh_token")
        return oauth.refresh(
            auth, "/oauth/token", {"audience": AUDIENCE, **{name: credentials[name] for name in names}}
        )

    return refresh


def sign(access: Access) -> dict[str, str]:
    """The headers of every call."""
    return {"x-api-key": access.credentials["api_key"], "authorization": f"Bearer {access.token}"}


class StockX:
    """Products, sizes and prices. Every method raises the errors of `Session.call`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """StockX as `account_id` sees it. Opening calls nobody; there is nothing to close."""
        return cls(session(account_id, calls, clock, wire))

    def search(self, sku: str) -> FoundProduct | None:
        """The product whose style is `sku`; None if there is none. Its search is fuzzy, so each style is compared.

        Raises AmbiguousStyle where several may be it.
        """
        wanted = StyleSearch[Value](sku)
        for query in wanted.queries():
            if (row := self._search(query, wanted) or wanted.end()) is not None:
                found = _product(row)
                return found._replace(rivals=wanted.rivals(found.product_id))
        return None

    def _search(self, text: str, wanted: StyleSearch[Value]) -> Value | None:
        for page in range(1, MOST_PAGES + 1):
            query: dict[str, str | int] = {"query": text, "pageNumber": page, "pageSize": PAGE_SIZE}
            body = self._session.call(Call("GET", "/catalog/search", query=query))
            rows = body["products"].rows()
            found = wanted.found(
                (row["productId"].optional_text() or "", row["styleId"].optional_text(), row) for row in rows
            )
            if found is not None:
                return found
            if not body["hasNextPage"].flag():
                return None
        return None

    def product(self, product_id: str) -> FoundProduct:
        """One product by its id."""
        ids = {"product_id": product_id}
        return _product(self._session.call(Call("GET", "/catalog/products/{product_id}", ids)))

    def variants(self, product_id: str) -> list[FoundVariant]:
        """The sizes of a product."""
        ids = {"product_id": product_id}
        body = self._session.call(Call("GET", "/catalog/products/{product_id}/variants", ids))
        return [_variant(row) for row in body.rows()]

    def market_data(self, product_id: str, variant_id: str, currency: str) -> MarketData:
        """The market of one size. Its suggestions take this account's own asks into account."""
        path = "/catalog/products/{product_id}/variants/{variant_id}/market-data"
        ids = {"product_id": product_id, "variant_id": variant_id}
        # Never `country`, which the document still has: StockX refuses it.
        body = self._session.call(Call("GET", path, ids, {"currencyCode": currency}))
        data = _market_data(body, product_id, currency)
        if data.variant_id != variant_id:
            raise BadAnswer(f"{body.where}.variantId is of another variant than the one asked for")
        return data

    def quotes(self, product_id: str, variant_id: str, currency: str) -> list[MarketData]:
        """The market of every size, in one call; of one that StockX leaves out there, in a second.

        Its suggestions leave this account's own asks out, so they are true for every seller. A size that cannot be read
        is left out, unless it is the one that was asked for.
        """
        path = "/catalog/products/{product_id}/market-data"
        body = self._session.call(Call("GET", path, {"product_id": product_id}, {"currencyCode": currency}))
        found, unread = list[MarketData](), None
        for row in body.rows():
            try:
                found.append(_market_data(row, product_id, currency))
            except BadAnswer as error:
                unread = unread or error
        if all(data.variant_id != variant_id for data in found):
            if unread:
                raise unread
            found.append(self.market_data(product_id, variant_id, currency))
        return found


def _product(row: Value) -> FoundProduct:
    attributes, style = row["productAttributes"], row["styleId"].optional_text()
    return FoundProduct(
        product_id=row["productId"].text(),
        sku=style,
        title=row["title"].optional_text() or row["urlKey"].optional_text() or style or "",
        product_type=row["productType"].optional_text(),
        brand=row["brand"].optional_text(),
        url_key=row["urlKey"].optional_text(),
        gender=attributes["gender"].optional_text(),
        colorway=attributes["colorway"].optional_text(),
        release_date=attributes["releaseDate"].optional_text(),
        retail_price=attributes["retailPrice"].optional_money(),
    )


def _variant(row: Value) -> FoundVariant:
    chart, value = row["sizeChart"], row["variantValue"].optional_text() or ""
    own = chart["defaultConversion"]
    main = SIZE_SYSTEMS.get((own["type"].optional_text() or "").lower(), "")
    conversions = sizes.names(_labels([own, *chart["availableConversions"].optional_rows()]))
    named = _lettered(value, conversions) or conversions
    if not named and value:
        named = sizes.names([(MAIN_SYSTEM, value)])  # clothes have a name for a size and no systems
    if main not in named:
        main = next(iter(named), MAIN_SYSTEM)
    return FoundVariant(
        variant_id=row["variantId"].text(),
        value=value,
        size_system=main,
        sizes=named,
        gtins=tuple(filter(None, (each["identifier"].optional_text() for each in row["gtins"].optional_rows()))),
    )


def _lettered(value: str, conversions: Mapping[str, str]) -> dict[str, str] | None:
    """The names of a size whose own name on the page has a letter, `5Y`, that its conversions (`US M 5`) leave out."""
    own = sizes.names([("us", value)])
    system = next(iter(own), "")
    if system in conversions or system not in LETTERS or own[system] != conversions.get("us"):
        return None
    return {system: own[system], **conversions}


def _labels(conversions: list[Value]) -> Iterator[tuple[str, str]]:
    """The size in each system, without the system's name before it (`US M 10` → `10`).

    A label such as `UK 6 (EU 39)` is left out: two sizes of that chart are `UK 6`, so it names neither.
    """
    for conversion in conversions:
        name = " ".join((conversion["type"].optional_text() or "").lower().split())
        label = " ".join((conversion["size"].optional_text() or "").split())
        size = label[len(name) :].strip() if label.lower().startswith(name) else label
        if name in SIZE_SYSTEMS and size and "(" not in size:
            yield SIZE_SYSTEMS[name], size


def _market_data(row: Value, product_id: str, currency: str) -> MarketData:
    """Raises BadAnswer when the market is another one than was asked for: its price would be stored as this one's."""
    for name, asked in (("productId", product_id), ("currencyCode", currency)):
        if row[name].text() != asked:
            raise BadAnswer(f"{row.where}.{name} is not the one asked for")
    standard, flex = row["standardMarketData"], row["flexMarketData"]
    return MarketData(
        product_id=product_id,
        variant_id=row["variantId"].text(),
        currency=currency,
        lowest_ask=_amount(row, "lowestAskAmount", standard, "lowestAsk"),
        highest_bid=_amount(row, "highestBidAmount", standard, "highestBidAmount"),
        sell_faster=_amount(row, "sellFasterAmount", standard, "sellFaster"),
        earn_more=_amount(row, "earnMoreAmount", standard, "earnMore"),
        flex_lowest_ask=_amount(row, "flexLowestAskAmount", flex, "lowestAsk"),
    )


def _amount(row: Value, name: str, part: Value, part_name: str) -> Decimal | None:
    """An amount; StockX repeats each in a part of the answer, which is asked when the field itself is missing."""
    return row[name].optional_money() if row.has(name) else part[part_name].optional_money()
