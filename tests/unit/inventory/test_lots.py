"""Several units of one SKU and size: all are kept, each with its cost, whatever is said of them later."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.inventory import lots, rules
from sluice.inventory.lots import MOST_LOTS, MOST_QUANTITY, Lot
from sluice.inventory.rules import Draft, Raw
from sluice.platform import aws
from sluice.platform.imports import chunks
from sluice.platform.imports.chunks import CHUNK_ROWS
from sluice.platform.refused import Refused
from tests.support.http import call
from tests.unit.inventory.conftest import Seller

SHOE = {"sku": "DD1391-100", "size": "10", "sizeSystem": "us", "marketplaces": ["ebay"]}
THREE = """sku,size,sizeSystem,cost,currency
DD1391-100,10,us,110,USD
dd1391 100,10.0,us,95.50,EUR
DD1391-100,10,us,110,USD
"""
LOTS = [{"quantity": 2, "cost": "110", "currency": "USD"}, {"quantity": 1, "cost": "95.50", "currency": "EUR"}]


def stored(seller: Seller) -> Any:
    [one] = seller.portfolio()["items"]
    return one


def units(seller: Seller) -> tuple[int, str | None, Any]:
    one = stored(seller)
    return one["quantity"], one["cost"], one["lots"]


def imported(seller: Seller, file: str) -> Any:
    seller.clock.time += 1
    told = seller.upload(file).json
    seller.deliver()
    return seller.progress(told["importId"])


def test_three_rows_of_one_size_are_three_units_each_at_its_cost(seller: Seller) -> None:
    told = seller.upload(THREE).json
    assert (told["rows"], told["accepted"], told["refused"]) == (3, 3, [])
    queued = list(seller.cloud.queued)
    seller.deliver()
    assert seller.progress(told["importId"])["created"] == 1
    assert units(seller) == (3, None, LOTS)
    seller.deliver(queued)
    assert imported(seller, THREE)["existing"] == 1
    assert units(seller) == (3, None, LOTS)


def test_units_that_cost_the_same_are_one_lot_with_one_cost(seller: Seller) -> None:
    imported(seller, "sku;size;quantity;cost\nA;10;2;110\nA;10;;110.00\n")
    assert units(seller) == (3, "110", [{"quantity": 3, "cost": "110", "currency": "USD"}])


def test_an_item_has_one_unit_unless_somebody_says_otherwise(seller: Seller) -> None:
    seller.add(SHOE)
    assert units(seller) == (1, None, [{"quantity": 1, "cost": None, "currency": None}])
    seller.add({**SHOE, "quantity": 4})
    seller.add({**SHOE, "cost": "110"})
    seller.add({**SHOE, "category": "sneakers"})
    assert units(seller) == (4, "110", [{"quantity": 4, "cost": "110", "currency": "USD"}])


def test_several_entries_of_a_request_are_one_item_with_the_units_of_all(seller: Seller) -> None:
    dear, bad = {**SHOE, "cost": "110", "quantity": 2}, {**SHOE, "category": "=1"}
    answer = seller.add(dear, bad, {**SHOE, "cost": "95.5", "currency": "EUR"}).json
    assert [one["outcome"] for one in answer["items"]] == ["created", "refused", "created"]
    assert answer["items"][0]["itemId"] == answer["items"][2]["itemId"]
    assert (answer["counts"]["refreshes"], answer["items"][2]["refreshes"]) == (1, [])
    assert units(seller) == (3, None, LOTS)


def test_entries_that_contradict_each_other_are_refused_and_the_first_holds(seller: Seller) -> None:
    first, second = {**SHOE, "category": "sneakers"}, {**SHOE, "category": "boots", "cost": "1"}
    answer = seller.add(first, second).json
    assert [one["outcome"] for one in answer["items"]] == ["created", "refused"]
    assert answer["items"][1]["error"]["fields"][0]["field"] == "items[1].category"
    assert stored(seller)["quantity"] == 1


@pytest.mark.parametrize(("said", "field"), [({"cost": "99"}, "cost"), ({"quantity": 2}, "quantity")])
def test_where_costs_differ_half_a_word_is_refused_and_nothing_is_lost(
    seller: Seller, said: dict[str, Any], field: str
) -> None:
    imported(seller, THREE)
    path = f"/v1/inventory/{stored(seller)['itemId']}"
    before = seller.items()
    changed = call("PATCH", path, body=said)
    assert (changed.status, list(changed.fields)) == (400, [field])
    assert "say cost and quantity together, or change its lots" in changed.fields[field]
    seller.clock.time += 1
    added = seller.add({**SHOE, **said})
    assert (added.status, list(added.fields)) == (400, [f"items[0].{field}"])
    names = ",".join(said)
    told = imported(seller, f"sku,size,{names}\nDD1391-100,10,{said[field]}\nOTHER,10,\n")
    assert (told["created"], told["kept"], told["status"]) == (1, 1, "done")
    assert [why for why in told["problems"] if why.startswith("DD1391-100 in us 10: its units have different costs")]
    assert [one for one in seller.items() if one["sku"]["S"] == "DD1391-100"] == before


@pytest.mark.parametrize("how", ["change", "add", "import"])
def test_who_says_cost_and_quantity_says_what_there_is(seller: Seller, how: str) -> None:
    imported(seller, THREE)
    seller.clock.time += 1
    if how == "change":
        body = {"cost": "99", "quantity": 2}
        answer = call("PATCH", f"/v1/inventory/{stored(seller)['itemId']}", body=body)
        assert (answer.status, answer.json["item"]["quantity"]) == (200, 2)
    elif how == "add":
        seller.add({**SHOE, "cost": "99", "quantity": 2})
    else:
        imported(seller, "sku,size,sizeSystem,cost,quantity\nDD1391-100,10,us,99,2\n")
    assert units(seller) == (2, "99", [{"quantity": 2, "cost": "99", "currency": "USD"}])


def test_what_is_not_about_units_leaves_them_as_they_are(seller: Seller) -> None:
    imported(seller, THREE)
    path = f"/v1/inventory/{stored(seller)['itemId']}"
    assert call("PATCH", path, body={"category": "boots", "marketplaces": ["stockx"]}).status == 200
    seller.clock.time += 1
    seller.add({**SHOE, "category": "sneakers"})
    imported(seller, "sku,size,sizeSystem,category\nDD1391-100,10,us,shoes\n")
    assert units(seller) == (3, None, LOTS)
    assert stored(seller)["category"] == "shoes"


def test_lots_are_changed_as_a_whole(seller: Seller) -> None:
    imported(seller, THREE)
    path = f"/v1/inventory/{stored(seller)['itemId']}"
    sold_one = [{**LOTS[0], "quantity": 1}, LOTS[1]]
    assert call("PATCH", path, body={"lots": sold_one}).json["item"]["lots"] == sold_one
    bought = call("PATCH", path, body={"lots": [*sold_one, {"cost": "80"}]}).json["item"]
    assert (bought["quantity"], bought["lots"][2]) == (3, {"quantity": 1, "cost": "80", "currency": "USD"})
    one_cost = call("PATCH", path, body={"lots": [LOTS[1], LOTS[1]]}).json["item"]
    assert (one_cost["quantity"], one_cost["cost"], one_cost["currency"]) == (2, "95.50", "EUR")
    assert call("GET", path).json == one_cost
    unknown = call("PATCH", path, body={"lots": [{"quantity": 3}]}).json["item"]
    assert (unknown["quantity"], unknown["cost"]) == (3, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lots": []}, "lots"),
        ({"lots": [{}] * (MOST_LOTS + 1)}, "lots"),
        ({"lots": [{}], "cost": "1"}, "lots"),
        ({"lots": [{}], "quantity": 1}, "lots"),
        ({"lots": [{"quantity": 0}]}, "lots[0].quantity"),
        ({"lots": [{"cost": "1"}, {"cost": "-1"}]}, "lots[1].cost"),
        ({"lots": [{"cost": "1", "currency": "XXX"}]}, "lots[0].currency"),
        ({"lots": [{"quantity": MOST_QUANTITY}, {"cost": "1"}]}, "lots"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.0}, "quantity"),
        ({"quantity": "2"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": MOST_QUANTITY + 1}, "quantity"),
    ],
)
def test_units_that_cannot_be_are_refused(seller: Seller, body: dict[str, Any], field: str) -> None:
    path = f"/v1/inventory/{seller.own('DD1391-100', cost='110')}"
    before = seller.cloud.content()
    answer = call("PATCH", path, body=body)
    assert answer.status == 400, answer.text
    assert next(iter(answer.fields)).startswith(field)
    assert seller.cloud.content() == before


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "2,0", "x", "100001", "9" * 30, "1e3", "\u0662"])
def test_a_quantity_that_is_none_costs_its_row(seller: Seller, text: str) -> None:
    told = seller.upload(f"sku;size;quantity\nA;10;{text}\nB;10;3\n").json
    assert [[one["field"] for one in row["fields"]] for row in told["refused"]] == [["quantity"]]
    assert told["accepted"] == 1


def test_a_file_about_one_item_is_no_larger_message_than_any_other(seller: Seller) -> None:
    rows = "".join(f"SKU-{number // MOST_LOTS},10,{number}.50\n" for number in range(10_000))
    told = seller.upload("sku,size,cost\n" + rows).json
    assert len(seller.cloud.queued) == 10_000 // CHUNK_ROWS
    assert max(map(len, seller.cloud.queued)) < aws.MOST_MESSAGE_BYTES
    seller.deliver()
    assert (told["accepted"], seller.progress(told["importId"])["created"]) == (10_000, 100)
    assert {one["quantity"] for one in seller.portfolio(limit=100)["items"]} == {MOST_LOTS}


def test_an_item_of_more_costs_than_it_can_have_refuses_the_rows_beyond(seller: Seller) -> None:
    rows = "".join(f"A,10,{number}\n" for number in range(MOST_LOTS + 2))
    told = seller.upload("sku,size,cost\n" + rows).json
    assert [row["line"] for row in told["refused"]] == [MOST_LOTS + 2, MOST_LOTS + 3]
    assert told["refused"][0]["fields"][0]["field"] == "quantity"


def test_an_item_of_before_has_one_unit(seller: Seller) -> None:
    seller.own("DD1391-100", cost="110", marketplaces=["ebay"])
    [item] = seller.items()
    seller.store.put("inventory", {name: value for name, value in item.items() if name not in ("quantity", "lots")})
    assert units(seller) == (1, "110", [{"quantity": 1, "cost": "110", "currency": "USD"}])


def test_a_message_of_before_is_still_read(seller: Seller) -> None:
    seller.upload("sku,size,cost\nA,10,110\n")
    [message] = seller.cloud.queued
    content = json.loads(message)
    rows = chunks.decoded({name: value for name, value in content.items() if name != "version"}).rows
    content["rows"] = [row[:7] for row in rows]
    assert seller.deliver([json.dumps(content)]) == []
    assert units(seller)[:2] == (1, "110")


COSTS = st.sampled_from([None, "1", "2", "3"])
ENTRIES = st.lists(st.tuples(COSTS, st.integers(1, 5)), min_size=1, max_size=12)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_no_unit_and_no_cost_is_lost_in_whatever_order_entries_come(entries: Any, random: Any) -> None:
    def joined(said: Any) -> Draft:
        drafts = [rules.draft(Raw("A", "10", cost=cost, quantity=count)) for cost, count in said]
        whole = drafts[0]
        for draft in drafts[1:]:
            whole = rules.join(whole, draft)
        return whole

    whole = joined(entries)
    assert whole.quantity == sum(count for _, count in entries)
    found = {lot.cost: lot.quantity for lot in whole.lots or (Lot(whole.quantity or 1, whole.cost),)}
    assert found == {cost: sum(n for other, n in entries if other == cost) for cost, _ in entries}
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert set(joined(shuffled).lots or ()) == set(whole.lots or ())


@given(st.one_of(st.integers(), st.text(max_size=8), st.booleans(), st.floats()))
def test_a_quantity_is_a_whole_number_within_its_bounds_or_refused(value: object) -> None:
    try:
        assert 1 <= lots.quantity(value) <= MOST_QUANTITY
    except ValueError as refused:
        assert "must be" in str(refused)  # noqa: PT017 - both are right


def test_what_is_too_much_together_is_refused() -> None:
    draft = rules.draft(Raw("A", "10", quantity=MOST_QUANTITY))
    with pytest.raises(Refused, match=f"at most {MOST_QUANTITY} units"):
        rules.join(draft, rules.draft(Raw("A", "10", cost="1")))
