"""eBay's Browse API (search) and Developer Analytics API (rate limits): the checks of every call."""

from collections.abc import Mapping
from hashlib import sha256

from local.sandbox import oauth
from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.catalog.catalog import Catalog
from local.sandbox.ebay import tokens
from local.sandbox.ebay.items import SITES, for_sale
from local.sandbox.ebay.search import keywords, read
from local.sandbox.limits import Limits, Quotas
from local.sandbox.times import iso

SEARCH = "/buy/browse/v1/item_summary/search"
RATE_LIMITS = "/developer/analytics/v1_beta/rate_limit/"
DEFAULT_LIMIT, MOST = 50, 200
# What is counted for itself, and how rate limits call it. The casing is eBay's.
QUOTAS = {
    "ebay": ("buy", "Browse"),
    "ebay-marketing": ("sell", "marketing"),
    "ebay-inventory": ("sell", "inventory"),
    "ebay-account": ("sell", "account"),
    "ebay-taxonomy": ("commerce", "taxonomy"),
    "ebay-feed": ("sell", "feed"),
}
# HTTP statuses, and eBay's id and domain of the error that usually has them.
ERRORS = {401: (1001, "OAuth"), 403: (1100, "ACCESS"), 404: (11001, "API_BROWSE"), 429: (2001, "ACCESS")}


class RefusedError(Exception):
    """The call is answered with an error of this id."""

    def __init__(self, status: int, error_id: int, message: str) -> None:
        super().__init__(message)
        self.status, self.error_id, self.message = status, error_id, message


class EBay:
    """An eBay with things for sale. It knows applications; the quota of each is one for all who use it."""

    name = "ebay"
    prefixes: tuple[str, ...] = ("/buy/", "/developer/", "/identity/")
    # What Sluice keeps to in an hour, and eBay's own day. A 429 says nothing of when to come back.
    limits = Limits(per_hour=150, per_day=5_000, zone="America/Los_Angeles", retry_after=False)

    def __init__(self, seed: int, catalog: Catalog, accounts: Accounts, quotas: Quotas) -> None:
        self._seed, self._catalog, self._accounts, self._quotas = seed, catalog, accounts, quotas
        self._routes = Routes(("GET", SEARCH, self._search), ("GET", RATE_LIMITS, self._rate_limits))

    def account(self, call: Call) -> str:
        token, client_id = call.bearer(), tokens.client(call)[0]
        known = self._accounts.of_client(client_id) or self._accounts.of_token(token, call.at_ms, self.name)
        who = token or client_id
        return known or (f"unknown-{sha256(who.encode()).hexdigest()[:8]}" if who else "anonymous")

    def payer(self, call: Call) -> str:
        return self._accounts.application_of(self.account(call))

    def counted(self, path: str) -> bool:
        """Browse is; tokens and rate limits have quotas of their own."""
        return path.startswith("/buy/")

    def cacheable(self, _: Call) -> bool:
        return False

    def route(self, call: Call) -> str:
        return self._routes.template(call.path) or call.path

    def answer(self, call: Call) -> Answer:
        if call.path == tokens.PATH:
            return oauth.answer(self._accounts, call, tokens.grant)
        try:
            if self._accounts.of_token(call.bearer(), call.at_ms, self.name) is None:
                raise RefusedError(401, 1001, "Invalid access token")
            if (found := self._routes.find(call)) is None:
                raise RefusedError(404, 2002, "Resource not found")
            handler, parameters = found
            return handler(call, **parameters)
        except RefusedError as refused:
            return _error(refused.status, refused.error_id, "API_BROWSE", refused.message)

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        error_id, domain = ERRORS.get(status, (12000, "API_BROWSE"))
        return _error(status, error_id, domain, message, headers)

    def expire_token(self, call: Call, *, for_good: bool) -> Answer:
        if for_good:
            self._accounts.expire_token(call.bearer(), self.name)
        return self.error(401, "Invalid access token")

    def refuse_refresh(self, call: Call) -> Answer | None:
        if call.path != tokens.PATH:
            return None
        if call.form().get("grant_type") == "refresh_token":
            return oauth.refusal(GrantRefusedError("invalid_grant", "the refresh token is invalid", 400))
        return oauth.refusal(GrantRefusedError("invalid_client", "client authentication failed", 401))

    def _search(self, call: Call) -> Answer:
        either, rest = keywords(call.query.get("q", ""))
        words = [*either, *rest]
        if not words and not call.query.get("category_ids"):
            raise RefusedError(400, 12001, "The call must have a valid 'q', 'category_ids', 'epid' or 'gtin' query.")
        limit = _whole(call, "limit", DEFAULT_LIMIT, 12007)
        offset = _whole(call, "offset", 0, 12005)
        if not 1 <= limit <= MOST:
            raise RefusedError(400, 12006, "The 'limit' value should be between 1 and 200 (inclusive).")
        if offset % limit:
            raise RefusedError(400, 12515, "The 'offset' value must be either zero or a multiple of the 'limit' value.")
        site = call.headers.get("x-ebay-c-marketplace-id", "EBAY_US")
        if site not in SITES:
            raise RefusedError(409, 12019, f"Currently, the {site} marketplace is not supported.")
        currency, aspect = SITES[site]
        search = read(call.query, aspect)
        styles = either or words[:1]
        products = {product.number: product for style in styles for product in self._catalog.search(style)}.values()
        offers = [item for product in products for item in for_sale(self._seed, product, call.at_ms, currency)]
        found = search.find(offers)
        if call.query.get("sort") in ("price", "-price"):
            found.sort(key=lambda item: float(item.price or 0), reverse=call.query["sort"] == "-price")
        page = found[offset : offset + limit]
        body: dict[str, object] = {
            "href": f"{call.base_url}{SEARCH}",
            "total": len(found),
            "limit": limit,
            "offset": offset,
        }
        if page:  # eBay leaves the list out when it is empty
            body["itemSummaries"] = [item.summary() for item in page]
        if search.left_out:
            body["warnings"] = [
                _said(12002, "API_BROWSE", f"The '{name}' filter is invalid.") for name in search.left_out
            ]
        return Answer(200, body)

    def _rate_limits(self, call: Call) -> Answer:
        found = [(api, self._quotas.day(quota, self.payer(call), call.at_ms)) for quota, api in QUOTAS.items()]
        apis = [_api(*api, day.limit, day.remaining, day.reset_ms) for api, day in found if day]
        if not apis:
            return Answer(204, None)
        return Answer(200, {"rateLimits": apis})


def _api(context: str, name: str, limit: int, remaining: int, reset_ms: int) -> dict[str, object]:
    rate = {
        "count": limit - remaining,
        "limit": limit,
        "remaining": remaining,
        "reset": iso(reset_ms),
        "timeWindow": 86_400,
    }
    resources = [{"name": f"{context}.{name.lower()}", "rates": [rate]}]
    return {"apiContext": context, "apiName": name, "apiVersion": "v1", "resources": resources}


def _whole(call: Call, name: str, otherwise: int, error_id: int) -> int:
    text = call.query.get(name, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise RefusedError(400, error_id, f"The '{name}' value must be an integer value.")
    return int(text) if text else otherwise


def _error(status: int, error_id: int, domain: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"errors": [_said(error_id, domain, message)]}, headers or {})


def _said(error_id: int, domain: str, message: str) -> dict[str, object]:
    category = "APPLICATION" if error_id == 12000 else "REQUEST"
    return {"errorId": error_id, "domain": domain, "category": category, "message": message, "longMessage": message}
