"""Answers as Alias gives them, to be changed at will, and adapters that get them."""

from typing import Any

import httpx

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.alias.adapter import Alias
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, WatchedClock, answer

ACCOUNT, TOKEN = "alias:acme", "pat-of-acme-0123456789"
CATALOG_ID = "dunk-low-black-white-dd1391-100"
Json = dict[str, Any]


def item(**changes: Any) -> Json:
    row = {
        "catalog_id": CATALOG_ID,
        "name": "Dunk Low 'Black White'",
        "sku": "DD1391 100",
        "brand": "Nike",
        "gender": "men",
        "release_date": "2021-03-10",
        "product_category_v2": "shoes",
        "product_type": "sneakers",
        "size_unit": "SIZE_UNIT_US",
        "allowed_sizes": [size(10), size(10.5)],
        "minimum_listing_price_cents": "2500",
        "main_picture_url": "https://image.example/a.png",
        "retail_price_cents": "11500",
        "colorway": "White/Black/White",
        "requires_listing_pictures": False,
    }
    return row | changes


def size(value: Any, us: Any = None, label: Any = None) -> Json:
    return {"display_name": label or str(value), "value": value, "us_size_equivalent": value if us is None else us}


def page(*rows: Json, following: str = "") -> httpx.Response:
    return answer(200, {"catalog_items": list(rows), "next_pagination_token": following, "has_more": bool(following)})


def row(size: Any = 10, ask: Any = "23900", bid: Any = "23600", **changes: Any) -> Json:
    return {
        "size": size,
        "product_condition": "PRODUCT_CONDITION_NEW",
        "packaging_condition": "PACKAGING_CONDITION_GOOD_CONDITION",
        "availability": {
            "lowest_listing_price_cents": ask,
            "highest_offer_price_cents": bid,
            "last_sold_listing_price_cents": "24000",
            "global_indicator_price_cents": "0",
        },
    } | changes


def prices(*rows: Any) -> httpx.Response:
    return answer(200, {"variants": list(rows)})


def error(status: int, code: int | None = None, message: str = "said no") -> httpx.Response:
    """An error as Alias's gateway words it."""
    return answer(status, {"code": code, "message": message, "details": []} if code is not None else "no")


def connect(token: str = TOKEN) -> None:
    accounts.connect("alias", "acme", {"personal_access_token": token}, NOON)


def open_alias(network: Network, calls: BudgetLog | None = None) -> Alias:
    return Alias.open(ACCOUNT, calls or BudgetLog(), WatchedClock(), wire=network)


def alias_with(*answers: Any) -> Alias:
    return open_alias(Network(*answers))
