"""Alias API v1: the checks of every call, the catalog and the prices."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import count

from local.sandbox.accounts import Accounts
from local.sandbox.alias import bodies
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.catalog.catalog import Catalog
from local.sandbox.catalog.golden import ONE_STYLE
from local.sandbox.catalog.products import Product
from local.sandbox.chance import digest
from local.sandbox.limits import Limits

BASE = "/api/v1"
# HTTP statuses, and the google.rpc.Code that the gateway makes them of.
CODES = {400: 3, 401: 16, 402: 9, 403: 7, 404: 5, 409: 10, 429: 8, 500: 13, 502: 14, 503: 14, 504: 4}
SIZE, CONDITION, BOX = "size", "product_condition", "packaging_condition"


class RefusedError(Exception):
    """The call is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Alias:
    """An Alias with a catalog and prices. Its ids are the same under every seed."""

    name = "alias"
    prefixes: tuple[str, ...] = (f"{BASE}/",)
    # Sluice's defaults for Alias, which publishes none and says nothing of when to come back.
    limits = Limits(interval_ms=1_000, tolerance_ms=100, per_hour=200, retry_after=False)

    def __init__(self, seed: int, catalog: Catalog, accounts: Accounts) -> None:
        self._seed, self._catalog, self._accounts = seed, catalog, accounts
        self._serial = count(1)
        self._routes = Routes(
            ("GET", f"{BASE}/test", lambda _: Answer(200, {"ok": True})),
            ("GET", f"{BASE}/catalog", self._search),
            ("GET", f"{BASE}/catalog/{{catalog_id}}", self._item),
            ("GET", f"{BASE}/pricing_insights/availabilities/{{catalog_id}}", self._availabilities),
            ("GET", f"{BASE}/pricing_insights/availability", self._availability),
        )

    def account(self, call: Call) -> str:
        token = call.bearer()
        if not token:
            return "anonymous"
        return self._accounts.of_personal_token(token) or f"unknown-{sha256(token.encode()).hexdigest()[:8]}"

    def payer(self, call: Call) -> str:
        return self.account(call)

    def counted(self, _: str) -> bool:
        return True

    def cacheable(self, call: Call) -> bool:
        return call.path.startswith(f"{BASE}/catalog")

    def route(self, call: Call) -> str:
        return self._routes.template(call.path) or call.path

    def answer(self, call: Call) -> Answer:
        try:
            if self._accounts.of_personal_token(call.bearer()) is None:
                raise RefusedError(401, "unauthenticated")
            if (found := self._routes.find(call)) is None:
                raise RefusedError(404, "Not Found")
            handler, parameters = found
            answer = handler(call, **parameters)
        except RefusedError as refused:
            return self.error(refused.status, refused.message)
        return Answer(answer.status, answer.body, self._request_id())

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        body = {"code": CODES.get(status, 2), "message": message, "details": []}
        return Answer(status, body, {**self._request_id(), **(headers or {})})

    def expire_token(self, call: Call, *, for_good: bool) -> Answer:
        if for_good:
            self._accounts.expire_token(call.bearer())
        return self.error(401, "unauthenticated")

    def refuse_refresh(self, _: Call) -> Answer | None:
        """Personal access tokens are not refreshed."""
        return None

    def _search(self, call: Call) -> Answer:
        query = call.query.get("query", "")
        if not query:
            raise RefusedError(400, "Missing parameter: query")
        wanted = "-".join(query.split())
        found = self._catalog.search(wanted) or self._catalog.search(query)
        # It knows such a shoe by one of its styles only, and finds it by no other.
        found = tuple(one for one in found if ONE_STYLE.get(one.style_id or "", wanted) == wanted)
        items = [bodies.catalog_item(product) for product in bodies.sold(found)]
        start = _whole(call, "pagination_token", 0)
        return Answer(200, bodies.pages(items, start, _whole(call, "limit", 25)))

    def _item(self, _: Call, catalog_id: str) -> Answer:
        return Answer(200, {"catalog_item": bodies.catalog_item(self._find(catalog_id))})

    def _availabilities(self, call: Call, catalog_id: str) -> Answer:
        product = self._find(catalog_id)
        return Answer(200, bodies.availabilities(self._seed, product, call.at_ms, _consigned(call)))

    def _availability(self, call: Call) -> Answer:
        for name in ("catalog_id", SIZE, CONDITION, BOX):
            if not call.query.get(name):
                raise RefusedError(400, f"Missing parameter: {name}")
        product = self._find(call.query["catalog_id"])
        wanted = (call.query[CONDITION], call.query[BOX])
        share = next((share for *condition, share in bodies.CONDITIONS if tuple(condition) == wanted), None)
        sizes = {str(bodies.us_size(variant)): variant for variant in product.variants}
        variant = sizes.get(call.query[SIZE])
        if share is None or variant is None:
            raise RefusedError(404, "variant not found")
        return Answer(200, bodies.availability(self._seed, variant, call.at_ms, share, _consigned(call)))

    def _find(self, catalog_id: str) -> Product:
        number = bodies.product_number(catalog_id)
        product = None if number is None else self._catalog.product(number)
        if product is None or bodies.catalog_id(product) != catalog_id or not list(bodies.sold((product,))):
            raise RefusedError(404, "catalog item not found")
        return product

    def _request_id(self) -> dict[str, str]:
        return {"x-request-id": digest(self._seed, "alias request", next(self._serial))}


def _whole(call: Call, name: str, otherwise: int) -> int:
    text = call.query.get(name, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise RefusedError(400, f'parsing field "{name}": invalid value {text!r}')
    return int(text) if text else otherwise


def _consigned(call: Call) -> bool | None:
    text = call.query.get("consigned")
    if text not in (None, "true", "false"):
        raise RefusedError(400, f'parsing field "consigned": invalid value {text!r}')
    return None if text is None else text == "true"
