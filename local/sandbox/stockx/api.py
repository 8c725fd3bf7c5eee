"""StockX public API v2: the checks of every call, and the catalog. Listings are in `selling.py` and `batches.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from threading import Lock

from local.sandbox import ids, oauth
from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.catalog.catalog import Catalog
from local.sandbox.catalog.prices import RATES, quote
from local.sandbox.catalog.products import Product, Variant
from local.sandbox.faults import Faults
from local.sandbox.limits import Limits
from local.sandbox.report import Create
from local.sandbox.stockx import bodies, tokens
from local.sandbox.stockx.batches import Batches
from local.sandbox.stockx.book import Book
from local.sandbox.stockx.inputs import RefusedError, integer
from local.sandbox.stockx.listings import Change, Listing, Operation, OperationType, copied
from local.sandbox.stockx.selling import Selling

COUNTRY_GONE = 'The "country" query parameter is not supported anymore. Remove it from the request.'


class StockX:
    """A StockX with a catalog, prices and listings. `seed` moves the prices and how long operations take; ids of
    products are the same under every seed."""

    name = "stockx"
    prefixes: tuple[str, ...] = ("/v2/", "/oauth/")
    # Sluice's defaults for StockX. A tenth of a second is what the way there may cost.
    limits = Limits(interval_ms=1_000, tolerance_ms=100, per_day=25_000)

    def __init__(self, seed: int, catalog: Catalog, accounts: Accounts, faults: Faults) -> None:
        self._seed, self._catalog, self._accounts = seed, catalog, accounts
        self._book = Book(seed, faults)
        self._lock = Lock()
        selling = Selling(self._book, self.account, self._variant_of)
        batches = Batches(self._book, self.account, self._variant_of)
        product = "/v2/catalog/products/{product_id}"
        self._routes = Routes(
            ("GET", "/v2/catalog/search", self._search),
            ("GET", "/v2/catalog/products/variants/gtins/{gtin}", self._variant_by_gtin),
            ("GET", product, self._product),
            ("GET", f"{product}/variants", self._variants),
            ("GET", f"{product}/market-data", self._product_market_data),
            ("GET", f"{product}/variants/{{variant_id}}", self._variant),
            ("GET", f"{product}/variants/{{variant_id}}/market-data", self._variant_market_data),
            *selling.routes,
            *batches.routes,
        )

    def account(self, call: Call) -> str:
        key = call.headers.get("x-api-key") or call.form().get("client_id", "")
        if not key:
            return "anonymous"
        return self._accounts.of_key(key) or f"unknown-{sha256(key.encode()).hexdigest()[:8]}"

    def payer(self, call: Call) -> str:
        return self.account(call)

    def counted(self, path: str) -> bool:
        """The token call goes to another host, which has no quota of the API's."""
        return path != tokens.PATH

    def cacheable(self, call: Call) -> bool:
        """The catalog is; listings, operations and batches are read again because they change."""
        return call.path.startswith("/v2/catalog/")

    def route(self, call: Call) -> str:
        return self._routes.template(call.path) or call.path

    def answer(self, call: Call) -> Answer:
        if call.path == tokens.PATH:
            return oauth.answer(self._accounts, call, tokens.grant)
        try:
            self._check_caller(call)
            if (found := self._routes.find(call)) is None:
                raise RefusedError(404, f"Cannot {call.method} {call.path}")
            handler, parameters = found
            with self._lock:
                return handler(call, **parameters)
        except RefusedError as refused:
            return self.error(refused.status, refused.message)

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        return Answer(status, {"statusCode": status, "message": message}, headers or {})

    def expire_token(self, call: Call, *, for_good: bool) -> Answer:
        if for_good:
            self._accounts.expire_token(call.bearer())
        return self.error(401, "Unauthorized")

    def refuse_refresh(self, call: Call) -> Answer | None:
        if call.path != tokens.PATH:
            return None
        return oauth.refusal(GrantRefusedError("invalid_grant", "Unknown or invalid refresh token."))

    def listings(self, account: str, at_ms: int) -> Sequence[Listing]:
        """What `account` really has here at `at_ms`, deleted listings too. Copies, from any thread."""
        with self._lock:
            return [copied(listing) for listing in self._book.listings(account, at_ms)]

    def sell(self, account: str, listing_id: str, at_ms: int) -> Listing:
        """Sell a listing of `account`. Raises RefusedError when there is none."""
        with self._lock:
            return copied(self._book.sell(account, listing_id, at_ms))

    def by_hand(
        self, account: str, listing_id: str, type_: OperationType, change: Change, at_ms: int, via: str = "WEB"
    ) -> Operation:
        """Do to a listing what its owner does on the site or in the app. Raises RefusedError when there is none."""
        with self._lock:
            return replace(self._book.by_hand(account, listing_id, type_, change, at_ms, via))

    def list_by_hand(self, account: str, variant_id: str, change: Change, at_ms: int, via: str = "WEB") -> str:
        """Offer a unit as its owner does on the site; the listing's id. Raises RefusedError: no such variant."""
        with self._lock:
            return self._book.list_by_hand(account, self._variant_of(variant_id), change, at_ms, via)

    def creates(self, at_ms: int) -> Sequence[Create]:
        """Every creation of a listing that was taken on and has not failed by `at_ms`, of all accounts."""
        with self._lock:
            return [
                Create(
                    account=f"{self.name}/{account}",
                    variant=bodies.variant_id(listing.variant),
                    amount=str(listing.operations[0].change.amount),
                    currency=str(listing.operations[0].change.currency),
                    at_ms=listing.created_at_ms,
                )
                for account in self._book.accounts
                for listing in self._book.listings(account, at_ms)
            ]

    def operations(self, account: str, at_ms: int) -> Sequence[Operation]:
        """Every operation that was taken on for `account`. Copies, from any thread."""
        with self._lock:
            return [replace(operation) for operation in self._book.operations(account, at_ms)]

    def _check_caller(self, call: Call) -> None:
        key = call.headers.get("x-api-key", "")
        if not key:
            raise RefusedError(401, "Unauthorized")
        if self._accounts.of_key(key) is None:
            raise RefusedError(403, "Forbidden")
        if self._accounts.of_token(call.bearer(), call.at_ms) is None:
            raise RefusedError(401, "Unauthorized")

    def _search(self, call: Call) -> Answer:
        query = call.query.get("query", "")
        if not 1 <= len(query) <= 100:
            raise RefusedError(400, "query must be between 1 and 100 characters long")
        page_number = integer(call, "pageNumber", most=None)
        page_size = integer(call, "pageSize", most=50)
        return Answer(200, bodies.search_page(self._catalog.search(query), page_number, page_size))

    def _product(self, _: Call, product_id: str) -> Answer:
        return Answer(200, bodies.product_details(self._find(product_id)))

    def _variants(self, _: Call, product_id: str) -> Answer:
        return Answer(200, [bodies.variant_row(variant) for variant in self._find(product_id).variants])

    def _variant(self, _: Call, product_id: str, variant_id: str) -> Answer:
        return Answer(200, bodies.variant_details(self._find_variant(product_id, variant_id)))

    def _variant_by_gtin(self, _: Call, gtin: str) -> Answer:
        if not gtin.isdigit() or not 8 <= len(gtin) <= 14:
            raise RefusedError(400, "gtin must have 8 to 14 digits")
        if (variant := self._catalog.by_gtin(gtin)) is None:
            raise RefusedError(404, "Variant not found")
        return Answer(200, bodies.variant_details(variant))

    def _variant_market_data(self, call: Call, product_id: str, variant_id: str) -> Answer:
        currency = _currency(call)
        return Answer(200, self._market_data(self._find_variant(product_id, variant_id), currency, call.at_ms))

    def _product_market_data(self, call: Call, product_id: str) -> Answer:
        currency = _currency(call)
        variants = self._find(product_id).variants
        return Answer(200, [self._market_data(variant, currency, call.at_ms) for variant in variants])

    def _market_data(self, variant: Variant, currency: str, at_ms: int) -> bodies.Json:
        return bodies.market_data(variant, quote(self._seed, variant, at_ms, currency), currency)

    def _find(self, product_id: str) -> Product:
        read = ids.read(bodies.PRODUCT, product_id)
        product = self._catalog.product(read[0]) if read else None
        if read is None or product is None or product.moves != read[1]:
            raise RefusedError(404, "Product not found")
        return product

    def _find_variant(self, product_id: str, variant_id: str) -> Variant:
        product, variant = self._find(product_id), self._variant_of(variant_id)
        if variant.product.number != product.number:
            raise RefusedError(400, "Variant does not belong to the product.")
        return variant

    def _variant_of(self, variant_id: str) -> Variant:
        read = ids.read(bodies.VARIANT, variant_id)
        product = self._catalog.product(read[0]) if read else None
        if read is None or product is None or read[1] >= len(product.sizes):
            raise RefusedError(404, "Variant not found")
        return product.variants[read[1]]


def _currency(call: Call) -> str:
    if "country" in call.query:
        raise RefusedError(400, COUNTRY_GONE)
    currency = call.query.get("currencyCode", "USD")
    if currency not in RATES:
        raise RefusedError(400, f"currencyCode must be one of {', '.join(RATES)}")
    return currency
