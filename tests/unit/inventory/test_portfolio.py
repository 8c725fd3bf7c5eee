"""The portfolio: each item with each marketplace's price, its age and a picture; and what a look at it asks for."""

from typing import Any

import pytest

from sluice.inventory import messages
from sluice.inventory import table as item
from sluice.inventory.table import Item
from sluice.jobs.model.job import Job
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, MINUTE, iso
from sluice.platform.config.document import Config
from sluice.platform.config.prices import Prices
from tests.support.http import call
from tests.unit.api.document import conforms
from tests.unit.inventory.conftest import Seller

ALL = ("stockx", "alias", "ebay")
STALE_MS = Config().prices.stale_ms


def empty_lanes(seller: Seller) -> None:
    """As if every job had run."""
    for job in Job.scan():
        job.delete()


def test_each_marketplace_has_its_price_with_its_age(seller: Seller) -> None:
    seller.own("DD1391-100", size="44", sizeSystem="eu", cost="110")
    seller.know("stockx", "DD1391-100", image="https://images.example.com/dunk.jpg", category="sneakers")
    seller.know("alias", "DD1391-100", image="/v1/images/sneakers.svg")
    seller.price("stockx", "DD1391-100", age_ms=90_500)
    seller.price("alias", "DD1391-100", age_ms=STALE_MS, ask=None)
    [shown] = seller.portfolio()["items"]
    assert (shown["name"], shown["image"], shown["category"]) == (
        "Shoe DD1391-100",
        "https://images.example.com/dunk.jpg",
        "sneakers",
    )
    stockx, alias, ebay = shown["prices"]
    assert stockx == {
        "marketplace": "stockx",
        "currency": "USD",
        "ask": "150",
        "bid": "120.50",
        "observedAt": iso(seller.clock.time - 90_500),
        "ageSeconds": 90,
        "stale": False,
    }
    assert (alias["ask"], alias["bid"], alias["stale"]) == (None, "120.50", True)
    assert (ebay["marketplace"], ebay["ask"], ebay["ageSeconds"], ebay["stale"]) == ("ebay", None, None, True)


def test_prices_are_in_the_currency_of_the_cost_where_a_marketplace_gives_them_in_it(seller: Seller) -> None:
    seller.own("DD1391-100", cost="110", currency="EUR")
    for name in ALL:
        seller.know(name, "DD1391-100")
        seller.price(name, "DD1391-100", currency="USD", ask="100")
        seller.price(name, "DD1391-100", currency="EUR", ask="90")
    [shown] = seller.portfolio()["items"]
    assert [(one["currency"], one["ask"]) for one in shown["prices"]] == [("EUR", "90"), ("USD", "100"), ("EUR", "90")]


def test_each_marketplace_has_the_last_price_of_each_day(seller: Seller) -> None:
    """In the currency in which the item is priced there; what was never priced has no days, and other items none."""
    item_id = seller.own("DD1391-100", currency="EUR", cost="100")
    seller.know("stockx", "DD1391-100")
    seller.know("alias", "DD1391-100")
    for ago, ask in ((40, "90"), (2, "100"), (1, "110"), (0, "120")):
        for currency in ("EUR", "USD"):
            price = ask if currency == "EUR" else "1"
            seller.observe(
                "stockx", "DD1391-100", seller.clock.time - ago * DAY, currency=currency, ask=price, bid=None
            )
    answer = call("GET", f"/v1/inventory/{item_id}/prices")
    conforms("GET /v1/inventory/{item_id}/prices", answer)
    of_stockx, of_alias, of_ebay = answer.json["prices"]
    assert (of_stockx["currency"], of_alias["days"], of_ebay["days"]) == ("EUR", [], [])
    days = [iso(seller.clock.time - ago * DAY)[:10] for ago in (2, 1, 0)]
    told = zip(days, ("100", "110", "120"), strict=True)
    assert of_stockx["days"] == [{"day": day, "ask": ask, "bid": None} for day, ask in told]
    assert call("GET", f"/v1/inventory/{item_id}/prices", tenant="globex").status == 404


def test_a_marketplace_that_only_a_newer_version_knows_keeps_nobody_from_their_items(seller: Seller) -> None:
    item_id = seller.own("A", marketplaces=["ebay"])
    seller.own("B", marketplaces=["ebay"])
    stored = Item.get("acme", "A:us-10")
    stored.update(actions=[Item.marketplaces.set(["ebay", "newer"])])
    assert [[one["marketplace"] for one in shown["prices"]] for shown in seller.portfolio()["items"]] == [["ebay"]] * 2
    assert call("POST", "/v1/inventory/refresh", body={}).json["accepted"] == 2
    assert call("PATCH", f"/v1/inventory/{item_id}", body={"cost": "5"}).status == 200
    stored.refresh()
    assert stored.marketplaces == ["ebay", "newer"]


@pytest.mark.parametrize(
    ("category", "picture"),
    [("sneakers", "sneakers"), ("Trading Cards", "trading-cards"), ("garden gnomes", "default"), (None, "default")],
)
def test_where_no_picture_is_known_one_stands_for_the_category(
    seller: Seller, category: str | None, picture: str
) -> None:
    item_id = seller.own("X-1", **({"category": category} if category else {}))
    shown = call("GET", f"/v1/inventory/{item_id}").json
    assert shown["image"] == f"/v1/images/{picture}.svg"
    assert call("GET", shown["image"], tenant=None).status == 200


def test_a_page_costs_as_many_requests_however_many_items_it_has(seller: Seller, requests: list[str]) -> None:
    counts = []
    for number in (1, 33):
        for index in range(number):
            sku = f"S-{number}-{index}"
            seller.own(sku)
            for name in ALL:
                seller.know(name, sku)
                seller.price(name, sku)
        requests.clear()
        shown = seller.portfolio(limit=100)["items"]
        assert all(price["ask"] == "150" for one in shown for price in one["prices"])
        counts.append(sorted(requests))
    # DynamoDB reads 100 keys at once: 34 items are 68 products and 102 prices.
    assert counts[0] == ["BatchGetItem", "BatchGetItem", "Query", "UpdateItem"]  # the last counts the request
    assert counts[1] == ["BatchGetItem", "BatchGetItem", "BatchGetItem", "Query", "UpdateItem"]


def test_pages_show_every_item_once_by_sku(seller: Seller) -> None:
    for start in range(0, 120, 60):
        seller.add(*({"sku": f"S-{number % 40:02}", "size": str(number // 40)} for number in range(start, start + 60)))
    shown: list[Any] = []
    query: dict[str, Any] = {"limit": 50}
    while True:
        page = seller.portfolio(**query)
        shown += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len({one["itemId"] for one in shown}) == len(shown) == 120
    assert [one["sku"] for one in shown] == sorted(one["sku"] for one in shown)


@pytest.mark.parametrize("query", [{"cursor": "!"}, {"cursor": "bm9uZQ"}, {"limit": 0}, {"limit": 101}, {"limit": "x"}])
def test_a_bad_query_names_its_field(seller: Seller, query: dict[str, Any]) -> None:
    answer = call("GET", "/v1/inventory", query=query)
    assert (answer.status, list(answer.fields)) == (400, list(query))


def test_a_look_asks_for_old_prices_once_however_often_it_is_repeated(seller: Seller) -> None:
    seller.own("DD1391-100", marketplaces=["stockx", "ebay"])
    seller.know("stockx", "DD1391-100")
    empty_lanes(seller)
    seller.clock.time += 2 * HOUR
    seller.price("stockx", "DD1391-100", age_ms=STALE_MS)
    seller.price("ebay", "DD1391-100", age_ms=STALE_MS - 1)
    for _ in range(3):
        seller.portfolio()  # before the worker comes to the first message
    assert len(seller.cloud.queued) == 3
    assert seller.deliver() == []
    assert seller.jobs() == {"stockx:DD1391-100:us-10:USD": 100}
    empty_lanes(seller)
    seller.portfolio()
    assert seller.cloud.queued == []
    seller.clock.time += STALE_MS - 1
    seller.portfolio()  # the other price has become old since
    seller.deliver()
    assert seller.jobs().keys() == {"ebay:DD1391-100:us-10:USD"}
    empty_lanes(seller)
    seller.clock.time += 1
    seller.portfolio()  # and the first was asked for in vain
    seller.deliver()
    assert seller.jobs().keys() == {"stockx:DD1391-100:us-10:USD"}


def test_a_price_that_grows_old_after_it_was_asked_for_is_asked_for_at_once(seller: Seller) -> None:
    seller.price("ebay", "DD1391-100", age_ms=STALE_MS - 1)
    seller.own("DD1391-100", marketplaces=["ebay"])
    empty_lanes(seller)
    seller.portfolio()
    assert seller.cloud.queued == []
    seller.clock.time += 1
    seller.portfolio()
    seller.deliver()
    assert seller.jobs() == {"ebay:DD1391-100:us-10:USD": 100}


def test_what_was_just_added_or_is_fresh_is_not_asked_for(seller: Seller) -> None:
    seller.own("NEW-1")
    seller.portfolio()
    seller.clock.time += 2 * HOUR
    seller.know("stockx", "NEW-1")
    seller.know("alias", "NEW-1")
    for name in ALL:
        seller.price(name, "NEW-1", age_ms=STALE_MS - 1)
    seller.portfolio()
    assert seller.cloud.queued == []


def test_one_item_asks_too_and_a_message_late_or_strange_does_no_harm(seller: Seller) -> None:
    item_id = seller.own("DD1391-100", marketplaces=["ebay"])
    empty_lanes(seller)
    seller.clock.time += 2 * HOUR
    call("GET", f"/v1/inventory/{item_id}")
    [message] = seller.cloud.queued
    call("DELETE", f"/v1/inventory/{item_id}")
    assert seller.deliver() == []
    assert (seller.jobs(), seller.items()) == ({}, [])
    strange = ["{", "[]", '{"version": 2}', '{"version": 1, "rows": [[1]]}', message.replace('"at"', '"when"')]
    assert seller.deliver(strange) == []
    assert seller.cloud.sent == strange


def test_a_worker_that_dies_before_it_remembers_asks_again_and_nothing_is_asked_for_twice(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller.own("DD1391-100", marketplaces=["ebay"])
    empty_lanes(seller)
    seller.clock.time += 2 * HOUR
    seller.portfolio()
    with monkeypatch.context() as broken:
        broken.setattr(item, "mark_asked", lambda *_: 1 / 0)
        again = seller.deliver()
    assert len(again) == 1
    assert seller.deliver(again) == []
    assert seller.jobs() == {"ebay:DD1391-100:us-10:USD": 100}


def test_a_queue_that_fails_does_not_keep_anybody_from_looking(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    seller.own("DD1391-100")
    seller.clock.time += 2 * HOUR

    def fail(*_: object) -> None:
        raise ConnectionError("no queue")

    monkeypatch.setattr(aws, "send_messages", fail)
    assert len(seller.portfolio()["items"]) == 1


def test_how_old_a_price_may_be_is_configuration(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    seller.own("DD1391-100", marketplaces=["ebay"])
    seller.clock.time += 3 * MINUTE
    seller.price("ebay", "DD1391-100", age_ms=2 * MINUTE)
    looked = messages.Looked("acme", ["DD1391-100:us-10"], seller.clock.time)
    empty_lanes(seller)
    assert seller.deliver([messages.encode(looked)]) == []
    assert seller.jobs() == {}
    assert seller.deliver([messages.encode(looked)], Config(prices=Prices(stale_ms=MINUTE))) == []
    assert len(seller.jobs()) == 1
