"""Two tenants that are connected to one eBay account: a sku has one record, whoever asks first."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.sandbox.faults import Forbidden
from sluice.listings.ebay.documents import document as shown
from sluice.marketplaces.accounts import sellers
from sluice.platform import aws
from sluice.platform.http import routing
from tests.support.ebay_seller import SKU, EbaySeller, open_ebay_seller
from tests.support.ebay_wanted import SHOES, record, size
from tests.support.http import Answer, call
from tests.support.store import store

BODY = {name: value for name, value in shown(record()).items() if name != "sku"}
PATH = f"/v1/ebay/listings/{SKU}"


@pytest.fixture
def seller(monkeypatch: pytest.MonkeyPatch) -> Iterator[EbaySeller]:
    """`acme` and `globex` are connected to the eBay account `acme`."""
    monkeypatch.setenv("SCHEDULER_FUNCTION", "scheduler")
    monkeypatch.setenv("TOKEN_KEY", "key")
    with store(), open_ebay_seller() as seller:
        monkeypatch.setattr(routing, "clock", seller.clock)
        monkeypatch.setattr(aws, "invoke_later", lambda function, event: None)
        for tenant in ("acme", "globex"):
            connect(seller, tenant, "acme")
        yield seller


def connect(seller: EbaySeller, tenant: str, account: str) -> None:
    made = seller.sandbox.accounts.connect(account)
    body = {name: getattr(made, name) for name in ("client_id", "client_secret", "refresh_token")}
    answer = call("PUT", "/v1/accounts/ebay", body=body, tenant=tenant, roles="admin")
    assert answer.status == 200, answer.text


def put(tenant: str, path: str = PATH, **changes: Any) -> Answer:
    return call("PUT", path, body={**BODY, **changes}, tenant=tenant)


def test_a_sku_of_another_tenant_of_the_same_seller_is_refused(seller: EbaySeller) -> None:
    assert put("acme").status == 202
    refused = put("globex")
    assert (refused.status, list(refused.fields)) == (409, ["sku"])
    assert "another tenant that is connected to the same eBay account" in refused.text
    assert "acme" not in refused.text
    assert call("GET", PATH, tenant="globex").status == 404
    assert put("globex", "/v1/ebay/listings/OTHER").status == 202
    many = call("PUT", "/v1/ebay/listings", body={"items": [{**BODY, "sku": SKU}]}, tenant="globex")
    assert (many.status, "same eBay account" in many.text) == (400, True)
    seller.settle()
    assert sorted(one.sku for one in seller.shop.offers.values()) == [SKU, "OTHER"]
    # Its own owner goes on.
    assert put("acme", quantity=2).status == 202


def test_a_sku_that_was_ended_is_free(seller: EbaySeller) -> None:
    put("acme")
    seller.settle()
    assert call("DELETE", PATH, tenant="acme").status == 202
    assert put("globex").status == 409, "its listing is for sale until the job has ended it"
    seller.settle()
    assert put("globex").status == 202
    assert put("acme").status == 409
    seller.settle()
    assert len(seller.live()) == 1


def test_of_two_that_begin_at_once_the_older_one_is_published(
    seller: EbaySeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sluice.listings.ebay.change.same_seller.first", lambda facts, sku: None)
        assert put("acme").status == 202
        seller.later(1)
        assert put("globex").status == 202
    seller.settle()
    assert len(seller.live()) == 1
    told = call("GET", PATH, tenant="globex").json
    assert (told["state"], told["error"]["code"]) == ("failed", "sku_taken")
    assert call("GET", PATH, tenant="acme").json["state"] == "live"
    assert seller.calls().count("POST offer") == 1


def test_a_size_of_a_group_is_one_record_too(seller: EbaySeller) -> None:
    put("acme", "/v1/ebay/listings/J1-9")
    group = {name: value for name, value in shown_group().items() if name != "key"}
    assert call("PUT", "/v1/ebay/groups/shoes", body=group, tenant="globex").status == 202
    body = {name: value for name, value in shown(size("9")).items() if name != "sku"}
    assert list(call("PUT", "/v1/ebay/listings/J1-9", body=body, tenant="globex").fields) == ["sku"]
    assert seller.calls() == []


def shown_group() -> dict[str, Any]:
    from sluice.listings.ebay.documents import group_document

    return group_document(SHOES)


@pytest.mark.parametrize("account", ["globex", None])
def test_who_is_connected_to_another_seller_has_skus_of_its_own(seller: EbaySeller, account: str | None) -> None:
    put("acme")
    if account:
        connect(seller, "globex", account)
        assert put("globex").status == 202
    else:
        assert call("DELETE", "/v1/accounts/ebay", tenant="acme", roles="admin").status == 200
        assert sellers.others("ebay:globex") == []
        assert put("globex").status == 202


def test_where_ebay_does_not_tell_who_the_seller_is_nothing_is_claimed(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(Forbidden(path="/commerce/identity/*"))
    connect(seller, "globex", "acme")
    assert put("acme").status == 202
    assert sellers.others("ebay:globex") == []
    assert put("globex").status == 202
