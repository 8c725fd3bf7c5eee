"""Adding, changing and deleting items, and having their prices fetched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.inventory import api, rules
from sluice.inventory import table as item
from sluice.inventory.rules import Raw
from sluice.marketplaces import registry, skus
from sluice.platform import aws, tables
from sluice.platform.refused import Refused
from tests.support.http import call
from tests.support.store import Request, Send, Store
from tests.unit.inventory.conftest import Seller

SHOE = {"sku": "DD1391-100", "size": "10", "sizeSystem": "us"}


def test_an_item_is_stored_and_its_prices_are_asked_for_as_hot(seller: Seller) -> None:
    answer = seller.add({**SHOE, "sku": "dd1391 100", "size": "10.0", "cost": "110.5", "category": "sneakers"})
    assert answer.status == 202
    assert answer.json["counts"] == {"created": 1, "exists": 0, "refused": 0, "refreshes": 3}
    [one] = answer.json["items"]
    assert [(row["marketplace"], row["outcome"]) for row in one["refreshes"]] == [
        ("stockx", "created"),
        ("alias", "created"),
        ("ebay", "created"),
    ]
    assert seller.jobs() == {f"{name}:DD1391-100:us-10:USD": 150 for name in ("stockx", "alias", "ebay")}
    shown = call("GET", f"/v1/inventory/{one['itemId']}").json
    assert (shown["sku"], shown["size"], shown["cost"], shown["currency"]) == ("DD1391-100", "10", "110.50", "USD")


def test_the_same_item_again_is_no_second_one_and_takes_what_is_said_of_it(seller: Seller) -> None:
    first = seller.own("DD1391-100", cost="110", category="sneakers", marketplaces=["stockx"])
    seller.clock.time += 1
    [again] = seller.add({**SHOE, "cost": "99", "currency": "EUR"}).json["items"]
    assert (again["itemId"], again["outcome"]) == (first, "exists")
    [stored] = seller.portfolio()["items"]
    assert (stored["cost"], stored["currency"], stored["category"]) == ("99", "EUR", "sneakers")
    assert [price["marketplace"] for price in stored["prices"]] == ["stockx"]
    assert len(seller.items()) == 1


def test_one_bad_item_stops_no_other_and_names_its_fields(seller: Seller) -> None:
    bad = {"sku": "!", "size": "", "cost": "-1", "currency": "XXX", "category": "=1+1"}
    answer = seller.add(SHOE, bad, {"sku": "X"}, {**SHOE, "size": "10.00"})
    assert answer.status == 202
    assert [one["outcome"] for one in answer.json["items"]] == ["created", "refused", "refused", "created"]
    fields = [[one["field"] for one in row["error"]["fields"]] for row in answer.json["items"][1:3]]
    assert fields == [
        [f"items[1].{name}" for name in ("sku", "size", "currency", "cost", "category")],
        ["items[2].size"],
    ]
    assert len(seller.items()) == 1


@pytest.mark.parametrize(
    ("said", "field", "why"),
    [
        ({"cost": "-0.01"}, "cost", "must not be negative"),
        ({"cost": "1.001"}, "cost", "at most 2 decimals"),
        ({"cost": "1.5", "currency": "JPY"}, "cost", "no decimals in JPY"),
        ({"cost": "1e3"}, "cost", "must be a decimal"),
        ({"cost": True}, "cost", "must be a"),
        ({"currency": "eu"}, "currency", "ISO 4217"),
        ({"cost": "1.000"}, "cost", "at most 2 decimals in USD"),
        ({"cost": "25.000", "currency": "JPY"}, "cost", "no decimals in JPY"),
        ({"cost": "1", "currency": "us$"}, "currency", "ISO 4217"),
        ({"sizeSystem": "mondopoint"}, "sizeSystem", "us"),
        ({"sizeSystem": "kr", "marketplaces": ["stockx", "alias"]}, "marketplaces", "alias knows no sizes in kr"),
        ({"marketplaces": []}, "marketplaces", "at least 1"),
        ({"marketplaces": ["goat"]}, "marketplaces[0]", "stockx"),
        ({"category": "@SUM(A1)"}, "category", "formula"),
        ({"category": "\tx"}, "category", ""),
        ({"category": " "}, "category", "must not be empty"),
        ({"colour": "red"}, "colour", "is not known here"),
        ({"size": 10}, "size", "must be a string"),
    ],
)
def test_a_bad_item_is_refused_with_its_reason_and_changes_nothing(
    seller: Seller, said: dict[str, Any], field: str, why: str
) -> None:
    before = seller.cloud.content()
    answer = seller.add({**SHOE, **said})
    assert answer.status == 400
    [(path, message), *_] = answer.fields.items()
    assert path.startswith(f"items[0].{field}")
    assert why in message
    assert seller.cloud.content() == before


def test_a_currency_without_a_cost_is_no_mistake_and_never_moves_a_cost_into_another_currency(seller: Seller) -> None:
    seller.own("DD1391-100", currency="EUR")
    seller.own("DZ5485-612", cost="110", currency="USD")
    seller.own("DZ5485-612", currency="JPY")
    told = [(one["sku"], one["cost"], one["currency"]) for one in seller.portfolio()["items"]]
    assert told == [("DD1391-100", None, "EUR"), ("DZ5485-612", "110", "USD")]


def test_a_marketplace_that_is_not_connected_refuses_the_price_and_not_the_item(seller: Seller) -> None:
    seller.connect("globex", "stockx")
    answer = seller.add(SHOE, tenant="globex")
    [one] = answer.json["items"]
    assert one["outcome"] == "created"
    assert [row["outcome"] for row in one["refreshes"]] == ["created", "refused", "refused"]
    assert "PUT /v1/accounts/alias" in one["refreshes"][1]["error"]["message"]


def test_an_item_that_cannot_be_stored_may_be_sent_again(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    put = item.put

    def fail(tenant: str, draft: Any, now: int, **more: Any) -> Any:
        if draft.sku == "SECOND":
            raise RuntimeError("the secret reason")
        return put(tenant, draft, now, **more)

    monkeypatch.setattr(item, "put", fail)
    answer = seller.add({**SHOE, "sku": "FIRST"}, {**SHOE, "sku": "SECOND"})
    assert [one["outcome"] for one in answer.json["items"]] == ["created", "refused"]
    assert answer.json["items"][1]["error"]["code"] == "unavailable"
    assert "secret" not in answer.text
    assert seller.add({**SHOE, "sku": "SECOND"}).status == 503


def test_a_change_changes_what_it_names(seller: Seller) -> None:
    path = f"/v1/inventory/{seller.own('DD1391-100', cost='110', currency='EUR', marketplaces=['stockx'])}"
    before = seller.jobs()
    changed = call("PATCH", path, body={"cost": "99.9", "marketplaces": ["ebay", "stockx"]}).json
    assert (changed["item"]["cost"], changed["item"]["currency"]) == ("99.90", "EUR")
    assert [(row["marketplace"], row["outcome"]) for row in changed["refreshes"]] == [("ebay", "created")]
    assert seller.jobs().keys() - before.keys() == {"ebay:DD1391-100:us-10:EUR"}
    assert call("GET", path).json == changed["item"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"cost": "-1"}, "cost"),
        ({"currency": "EUR"}, "cost"),
        ({"marketplaces": []}, "marketplaces"),
        ({"sku": "OTHER"}, "sku"),
        ({"category": "+1"}, "category"),
    ],
)
def test_a_bad_change_is_refused(seller: Seller, body: dict[str, Any], field: str) -> None:
    path = f"/v1/inventory/{seller.own('DD1391-100')}"
    before = seller.cloud.content()
    answer = call("PATCH", path, body=body)
    assert (answer.status, next(iter(answer.fields))) == (400, field)
    assert seller.cloud.content() == before


def test_a_change_that_meets_another_is_refused_and_loses_nothing(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/inventory/{seller.own('DD1391-100', cost='110')}"
    edit = api._edit

    def meanwhile(body: Any, found: Any) -> Any:
        asked = edit(body, found)
        item.change(found, rules.Edit(None, "50", "USD", None), seller.clock.time + 1)
        return asked

    monkeypatch.setattr(api, "_edit", meanwhile)
    assert call("PATCH", path, body={"cost": "99"}).status == 409
    assert call("GET", path).json["cost"] == "50"


def test_a_deleted_item_is_gone(seller: Seller) -> None:
    item_id = seller.own("DD1391-100")
    assert call("DELETE", f"/v1/inventory/{item_id}").json == {"itemId": item_id}
    for method, request in (("GET", {}), ("DELETE", {}), ("PATCH", {"body": {"cost": "1"}})):
        assert call(method, f"/v1/inventory/{item_id}", **request).status == 404
    assert seller.portfolio() == {"items": [], "next": None}


def test_the_button_fetches_fresh_prices_too_and_starts_the_scheduler(seller: Seller) -> None:
    item_id = seller.own("DD1391-100", marketplaces=["stockx"])
    seller.price("stockx", "DD1391-100")
    answer = call("POST", "/v1/inventory/refresh", body={"items": [item_id, "bm9uZQ"]})
    assert answer.status == 202
    assert (answer.json["refreshes"], answer.json["next"]) == (1, None)
    [done, unknown] = answer.json["items"]
    assert (done["itemId"], done["refreshes"][0]["outcome"]) == (item_id, "raised")
    assert unknown["error"]["code"] == "not_found"
    assert seller.jobs() == {"stockx:DD1391-100:us-10:USD": 200}
    assert seller.cloud.invoked == [("scheduler", {"source": "nudge"})]


def many(seller: Seller, number: int) -> None:
    for start in range(0, number, 60):
        seller.add(
            *({"sku": f"S-{place:03}", "size": "10", "marketplaces": ["ebay"]} for place in range(start, start + 60))
        )


def test_the_button_for_all_is_answered_at_once_and_done_behind(seller: Seller, requests: list[str]) -> None:
    many(seller, 120)
    requests.clear()
    answer = call("POST", "/v1/inventory/refresh", body={})
    assert (answer.status, answer.json) == (202, {"items": [], "refreshes": 0, "accepted": 120, "next": None})
    assert len(requests) <= 3  # whatever there is
    assert set(seller.jobs().values()) == {150}
    for _ in range(2):  # a hundred by each message
        assert seller.deliver() == []
    assert seller.cloud.queued == []
    assert list(seller.jobs().values()) == [200] * 120
    assert ("scheduler", {"source": "nudge"}) in seller.cloud.invoked


def test_a_worker_that_dies_behind_the_button_is_followed_by_another(seller: Seller, tables: Store) -> None:
    many(seller, 120)
    call("POST", "/v1/inventory/refresh", body={})
    around = tables.around
    left = [40]

    def dies(request: Request, send: Send) -> Any:
        if request.operation == "UpdateItem":
            left[0] -= 1
            if left[0] < 0:
                raise RuntimeError("killed")
        return around(request, send) if around else send()

    tables.around = dies
    back = seller.deliver()
    tables.around = around
    assert len(back) == 1
    assert seller.deliver(back) == []
    assert seller.deliver() == []
    assert list(seller.jobs().values()) == [200] * 120


def test_a_queue_that_takes_nothing_is_told(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "send_messages", lambda *_: 1 / 0)
    assert call("POST", "/v1/inventory/refresh", body={}).status == 503


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": ["x"] * 101}, "items"),
        ({"items": ["bm9uZQ"]}, "items[0]"),
        ({"cursor": "bm9uZQ"}, "cursor"),
        ({"cursor": "REQxMzkxLTEwMDp1cy0xMA", "items": ["bm9uZQ"]}, "cursor"),
        ({"force": True}, "force"),
    ],
)
def test_a_bad_wish_to_refresh_is_refused(seller: Seller, body: dict[str, Any], field: str) -> None:
    answer = call("POST", "/v1/inventory/refresh", body=body)
    assert (answer.status, next(iter(answer.fields))) == (400, field)
    assert seller.jobs() == {}


SKUS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+/&'#:()-", min_size=1, max_size=64)
SIZES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./+-", min_size=1, max_size=16)


@given(SKUS, SIZES, st.sampled_from((None, *rules.SIZE_SYSTEMS)))
def test_every_item_has_an_id_of_its_own_that_stands_in_a_url(sku: str, size: str, system: str | None) -> None:
    try:
        draft = rules.draft(Raw(sku, size, system))
    except Refused:
        return
    key = item.key(draft.sku, draft.named)
    public = item.public_id(key)
    assert public.replace("-", "").replace("_", "").isalnum()
    assert item.from_public(public) == key
    assert key.rpartition(":") == (skus.key(draft.sku), ":", f"{draft.size_system}-{draft.size}")


@given(st.text(max_size=60))
def test_what_is_no_id_stands_for_none(text: str) -> None:
    found = item.from_public(text)
    assert found is None or item.public_id(found) == text


def test_a_change_of_what_is_not_there_is_no_new_item(seller: Seller) -> None:
    gone = item.Item("acme", "X:us-1", updated_at=1, asked={})
    with pytest.raises(tables.ConditionFailed):
        item.change(gone, rules.Edit(None, "1", "USD", None), 2)
    item.mark_asked(gone, ["ebay"], 3)
    assert seller.items() == []


def test_every_marketplace_gives_prices_in_the_currency_that_stands_for_the_others() -> None:
    assert all(rules.CURRENCY in one.currencies for one in registry.MARKETPLACES.values())
