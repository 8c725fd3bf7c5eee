"""Every request of the adapters for listings, and the sandbox's answer, checked against eBay's documents.

Two things differ on purpose. Publish and withdraw have no body in the document, but a POST without one is answered
411, so `{}` is sent. Aspects of groups are typed as text there, and are an object.
"""

import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing, WarnListing
from local.sandbox.faults import Fault, ServerError, Throttle
from sluice.marketplaces.ebay.account import SellerAccount
from sluice.marketplaces.ebay.inventory import Inventory
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.publishing import POLICY_KINDS, PriceRow, Written
from tests.contract.documents import Document, document
from tests.support.ebay_shop import SKU, EbayShop, item_body, offer_body

GROUP = {
    "title": "Air Jordan 1 in several sizes",
    "description": "New in box.",
    "imageUrls": ["https://shop.example/a.jpg"],
    "variantSKUs": ["one", "two"],
    "variesBy": {"specifications": [{"name": "US Shoe Size", "values": ["10"]}]},
}


@pytest.fixture(scope="module")
def ebay() -> Document:
    return document("ebay")


@pytest.fixture
def shop() -> EbayShop:
    return EbayShop()


def grouped(shop: EbayShop) -> Written:
    for sku in ("one", "two"):
        shop.inventory.put_item(sku, item_body())
        shop.inventory.create_offer(offer_body(sku))
    return shop.inventory.put_group("shoes", GROUP)


def deleted(shop: EbayShop, offer_id: str) -> str:
    shop.inventory.delete_item(SKU)
    return offer_id


def without_group(shop: EbayShop) -> None:
    grouped(shop)
    for key in ("shoes", "none"):
        shop.inventory.delete_group(key)


def listed(shop: EbayShop) -> str:
    return shop.publish()[0]


CALLS: dict[str, Callable[[EbayShop], object]] = {
    "item": lambda shop: (listed(shop), shop.inventory.item(SKU)),
    "items": lambda shop: (listed(shop), shop.inventory.items(0)),
    "items_of": lambda shop: (listed(shop), shop.inventory.items_of([SKU, "none"])),
    "put_item": lambda shop: shop.inventory.put_item(SKU, item_body()),
    "delete_item": lambda shop: [deleted(shop, listed(shop))],
    "offers": lambda shop: (listed(shop), shop.inventory.offers(SKU)),
    "offers of none": lambda shop: shop.inventory.offers(SKU),
    "create_offer": lambda shop: (listed(shop), shop.inventory.create_offer(offer_body())),
    "update_offer": lambda shop: shop.inventory.update_offer(listed(shop), offer_body(price="240.00")),
    "publish": lambda shop: shop.inventory.publish(listed(shop)),
    "withdraw": lambda shop: [shop.inventory.withdraw(listed(shop)) for _ in range(1)],
    "withdraw again": lambda shop: [shop.inventory.withdraw(one) for one in [listed(shop)] * 2],
    "group": lambda shop: (grouped(shop), shop.inventory.group("shoes")),
    "put_group": grouped,
    "delete_group": without_group,
    "publish_group": lambda shop: (grouped(shop), shop.inventory.publish_group("shoes", "EBAY_US")),
    "withdraw_group": lambda shop: [
        (grouped(shop), shop.inventory.publish_group("shoes", "EBAY_US")),
        shop.inventory.withdraw_group("shoes", "EBAY_US"),
    ],
    "set_prices": lambda shop: shop.inventory.set_prices(
        [PriceRow(SKU, listed(shop), "240.00", "USD", 2), PriceRow("none", "1", "240.00", "USD", 2)]
    ),
    "locations": lambda shop: shop.inventory.locations(),
    "speaking": lambda shop: shop.inventory.speaking("de-DE").item(SKU),
}


def problems(ebay: Document, request: httpx.Request, response: httpx.Response) -> list[str]:
    path, method = request.url.raw_path.decode().partition("?")[0], request.method
    body, given = _sent(request.content), response.json() if response.content else None
    found = ebay.check_request(method, path, query=dict(request.url.params), headers=dict(request.headers), body=body)
    status = response.status_code
    if method == "PUT" and status == 200 and given and given.keys() == {"warnings"}:
        return found  # sellers get it where there are warnings; this document lists 204 alone
    return [*found, *ebay.check_response(method, path, status, _shown(given))]


def _sent(body: bytes) -> bytes:
    """What of a body the document can speak of: none where it is `{}`; aspects of a group as text."""
    document: Any = json.loads(body) if body else {}
    return json.dumps(_shown(document)).encode() if document else b""


def _shown(body: Any) -> Any:
    if isinstance(body, dict) and "variantSKUs" in body and "aspects" in body:
        return body | {"aspects": json.dumps(body["aspects"])}
    return body


def test_every_public_method_is_looked_at() -> None:
    methods = {name for name, _ in inspect.getmembers(Inventory, inspect.isfunction) if not name.startswith("_")}
    assert methods == {name.partition(" ")[0] for name in CALLS}
    assert [name for name, _ in inspect.getmembers(SellerAccount, inspect.isfunction) if name[0] != "_"] == ["policies"]


@pytest.mark.parametrize("name", CALLS)
def test_every_request_and_its_answer_is_as_documented(name: str, shop: EbayShop, ebay: Document) -> None:
    with suppress(MarketplaceFailure):
        CALLS[name](shop)
    assert shop.sent
    assert [wrong for request, response in shop.sent for wrong in problems(ebay, request, response)] == []


def test_policies_are_read_as_documented(shop: EbayShop, ebay: Document) -> None:
    found = [policy for kind in POLICY_KINDS for policy in shop.account.policies(kind, "EBAY_US")]
    assert [policy.name for policy in found] == ["Usual fulfillment", "Usual payment", "Usual return"]
    assert [wrong for request, response in shop.sent for wrong in problems(ebay, request, response)] == []


def test_every_write_has_a_body_and_both_languages(shop: EbayShop) -> None:
    german = shop.inventory.speaking("de-DE")
    german.put_item(SKU, item_body())
    offer_id = german.create_offer(offer_body(marketplaceId="EBAY_DE", pricingSummary={})).made
    for act in (german.publish, german.withdraw):
        with suppress(MarketplaceFailure):
            act(offer_id)
    for request, _ in shop.sent:
        assert request.headers["content-language"] == request.headers["accept-language"] == "de-DE"
        assert request.headers["content-type"] == "application/json"
        assert int(request.headers["content-length"]) >= len("{}")


@pytest.mark.parametrize(
    "fault",
    [
        *(RefuseListing(error_id=error) for error in (25001, 25002, 25003, 25007, 25019, 25026, 25702, 25713)),
        WarnListing(warning_id=25127, value="Red"),
        ServerError(status=500),
        Throttle(),
    ],
)
def test_each_fault_is_as_documented(fault: Fault, shop: EbayShop, ebay: Document) -> None:
    offer_id = listed(shop)
    shop.world.faults.set(fault)
    shop.sent.clear()
    for act in (
        lambda: shop.inventory.put_item(SKU, item_body()),
        lambda: shop.inventory.update_offer(offer_id, offer_body()),
        lambda: shop.inventory.publish(offer_id),
        lambda: shop.inventory.set_prices([PriceRow(SKU, offer_id, "240.00", "USD", 2)]),
    ):
        with suppress(MarketplaceFailure):
            act()
    api = [(request, response) for request, response in shop.sent if request.url.path.startswith("/sell/")]
    assert len(api) == 4
    assert [wrong for request, response in api for wrong in problems(ebay, request, response)] == []
