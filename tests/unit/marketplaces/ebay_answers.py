"""Answers as eBay gives them, to be changed at will, and adapters that get them."""

from typing import Any

import httpx

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.ebay.adapter import EBay
from tests.contract.documents import document
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, WatchedClock, answer, token

ACCOUNT = "ebay:acme"
CREDENTIALS = {"client_id": "app-of-acme-0123456789", "client_secret": "secret-of-acme-0123456789"}
SKU = "DD1391-100"
Json = dict[str, Any]


def item(value: Any = "249.00", currency: Any = "USD", **changes: Any) -> Json:
    row = {
        "itemId": "v1|110551234567|0",
        "legacyItemId": "110551234567",
        "title": "Nike Dunk Low DD1391-100 US 10",
        "price": {"value": value, "currency": currency},
        "condition": "New",
        "conditionId": "1000",
        "buyingOptions": ["FIXED_PRICE", "BEST_OFFER"],
        "seller": {"username": "s", "feedbackPercentage": "99.8", "feedbackScore": 10},
        "shippingOptions": [{"shippingCostType": "FIXED", "shippingCost": {"value": "9.00", "currency": "USD"}}],
    }
    return row | changes


def found(*items: Any, total: Any = None, **more: Any) -> httpx.Response:
    body = {"href": "h", "total": len(items) if total is None else total, "limit": 200, "offset": 0, **more}
    return answer(200, body | ({"itemSummaries": list(items)} if items else {}))


def warning(error_id: int = 12002, message: str = "The 'conditions' filter is invalid.") -> Json:
    return {"errorId": error_id, "domain": "API_BROWSE", "category": "REQUEST", "message": message}


def error(status: int, error_id: int, message: str = "said no", **headers: str) -> httpx.Response:
    """An error as eBay words it."""
    body = {"errorId": error_id, "domain": "ACCESS", "category": "REQUEST", "message": message, "longMessage": "long"}
    return answer(status, {"errors": [body]}, **headers)


def used_up() -> httpx.Response:
    """The daily quota is used up. eBay does not say until when."""
    return error(429, 2001, "Too many requests.")


def limits(*apis: Json) -> httpx.Response:
    return answer(200, {"rateLimits": list(apis)})


def api(context: Any, name: Any, *rates: Any) -> Json:
    resources = [{"name": f"{context}.{name}", "rates": list(rates)}]
    return {"apiContext": context, "apiName": name, "apiVersion": "v1", "resources": resources}


def rate(reset: Any = "2026-11-23T08:00:00.000Z", remaining: Any = 0) -> Json:
    return {"limit": 5000, "remaining": remaining, "reset": reset, "timeWindow": 86400}


def connect() -> None:
    accounts.connect("ebay", "acme", CREDENTIALS, NOON)


def open_ebay(network: Network, calls: BudgetLog | None = None, clock: WatchedClock | None = None) -> EBay:
    return EBay.open(ACCOUNT, calls or BudgetLog(), clock or WatchedClock(), wire=network)


def network_of(*answers: Any, tokens: tuple[Any, ...] = ()) -> Network:
    return Network(*answers, tokens=tokens or (token(expires_in=7_200),))


def ebay_with(*answers: Any) -> EBay:
    return open_ebay(network_of(*answers))


def documented_ids(method: str, path: str) -> list[str]:
    """The ids of the errors that the contract lists for a call."""
    operation = document("ebay").operation(method, path)
    assert operation is not None
    answers: dict[str, Any] = operation.spec["responses"]
    return [
        code
        for status, one in answers.items()
        if status in ("400", "409", "500")
        for content in one.get("content", {}).values()
        for code in content.get("examples", {})
        if code.isdecimal()
    ]
