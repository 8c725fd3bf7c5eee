"""Answers as StockX gives them, to be changed at will, and adapters that get them."""

from typing import Any

import httpx

from sluice.marketplaces.stockx.adapter import StockX
from tests.unit.marketplaces.fakes import ACCOUNT, BudgetLog, Network, WatchedClock, answer, token

PRODUCT_ID, VARIANT_ID = "5e6a1e57-1c7d-435a-82bd-5666a13560fe", "55da2c50-8c32-4ff2-9c36-b0d1c1b2d1a5"
Json = dict[str, Any]


def product(**changes: Any) -> Json:
    row = {
        "productId": PRODUCT_ID,
        "brand": "Nike",
        "productType": "sneakers",
        "styleId": "DD1391-100",
        "urlKey": "nike-dunk-low-retro-white-black-2021",
        "title": "Nike Dunk Low Retro White Black Panda",
        "productAttributes": {
            "color": None,
            "colorway": "White/Black",
            "gender": "men",
            "releaseDate": "2021-03-10",
            "retailPrice": 115,
            "season": None,
        },
    }
    return row | changes


def page(*rows: Json, number: int = 1, more: bool = False) -> httpx.Response:
    body = {"count": 99, "pageNumber": number, "pageSize": 50, "hasNextPage": more, "products": list(rows)}
    return answer(200, body)


def variant(**changes: Any) -> Json:
    row = {
        "productId": PRODUCT_ID,
        "variantId": VARIANT_ID,
        "variantName": "Nike-Dunk-Low-Retro-White-Black-2021:13",
        "variantValue": "10",
        "sizeChart": {
            "defaultConversion": {"size": "10", "type": "us m"},
            "availableConversions": [
                {"size": "US M 10", "type": "us m"},
                {"size": "US W 11.5", "type": "us w"},
                {"size": "UK 9", "type": "uk"},
                {"size": "CM 28", "type": "cm"},
                {"size": "KR 280", "type": "kr"},
                {"size": "EU 44", "type": "eu"},
            ],
        },
        "gtins": [{"identifier": "194956623113", "type": "UPC"}],
        "isFlexEligible": True,
        "isDirectEligible": True,
    }
    return row | changes


def market(**changes: Any) -> Json:
    row = {
        "productId": PRODUCT_ID,
        "variantId": VARIANT_ID,
        "currencyCode": "USD",
        "lowestAskAmount": "95",
        "highestBidAmount": "27",
        "sellFasterAmount": "59",
        "earnMoreAmount": "100",
        "flexLowestAskAmount": None,
        "standardMarketData": {"lowestAsk": "95", "highestBidAmount": "27", "sellFaster": "59", "earnMore": "100"},
        "flexMarketData": {},
        "directMarketData": {},
    }
    return row | changes


def without(row: Json, *names: str) -> Json:
    return {name: value for name, value in row.items() if name not in names}


def open_stockx(network: Network, calls: BudgetLog | None = None) -> StockX:
    return StockX.open(ACCOUNT, calls or BudgetLog(), WatchedClock(), wire=network)


def network_of(*answers: Any, tokens: tuple[Any, ...] = ()) -> Network:
    return Network(*answers, tokens=tokens or (token(),))


def stockx_with(*answers: Any) -> StockX:
    return open_stockx(network_of(*answers))
