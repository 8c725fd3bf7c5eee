"""What a shop says of a product is bounded, whatever it says: what is known of it, and told, fits into the tables."""

import json
from collections.abc import Iterator
from random import Random
from time import thread_time
from typing import Any

import pytest

from sluice.pages import facts, told
from sluice.pages.facts import PageFacts
from sluice.pages.reading import (
    MOST_BYTES,
    MOST_VARIANTS,
    Availability,
    Money,
    Reading,
    ReadOutcome,
    ReadVariant,
    product,
    variant_bytes,
)
from sluice.platform import aws
from tests.support.pages import ld, read
from tests.support.shop import NOON, URL, Desk
from tests.support.store import Store

# DynamoDB takes no item that is larger.
MOST_OF_AN_ITEM = 400 * 1024
MINUTE = 60_000
SIGNS = [chr(0x1F300 + number) for number in range(500)]


def offers(number: int, name: str, options: int = 30, seed: int = 1, stock: str = "InStock") -> str:
    """A page with so many variants, each with options of incompressible emoji."""
    chance = Random(seed)

    def words(length: int) -> str:
        return "".join(chance.choices(SIGNS, k=length))

    def one(place: int) -> dict[str, Any]:
        more = [{"name": words(40), "value": words(60)} for _ in range(options)]
        offer = {"@type": "Offer", "price": "100.00", "priceCurrency": "EUR", "availability": stock}
        return {"@type": "Product", "sku": f"{name}{place}", "offers": offer, "additionalProperty": more}

    group = {"@type": "ProductGroup", "name": "Boot", "hasVariant": [one(place) for place in range(number)]}
    return ld(json.dumps(group, ensure_ascii=False))


def sizes(tables: Store) -> Iterator[int]:
    for table in ("pages", "trackers"):
        yield from (_bytes(item) for item in tables.items(table))


def _bytes(item: dict[str, Any]) -> int:
    """As DynamoDB counts: names, and values in UTF-8 or as they are."""

    def of(value: Any) -> int:
        return len(value) if isinstance(value, bytes) else len(str(value).encode())

    return sum(len(name) + of(next(iter(value.values()))) for name, value in item.items())


def test_variants_that_say_much_are_known_as_far_as_they_fit(desk: Desk, tables: Store) -> None:
    own = desk.track()
    desk.shops.replies[URL] = offers(200, "A")
    desk.confirmed()
    shown = desk.show(own)
    assert 5 < len(shown["variants"]) < 200
    assert all(one["price"]["confirmed"] for one in shown["variants"])
    assert max(sizes(tables)) < MOST_OF_AN_ITEM


@pytest.mark.parametrize("comma", ["", ","])
def test_a_shop_that_cuts_its_texts_in_the_middle_of_an_emoji_is_read(desk: Desk, comma: str) -> None:
    """JSON can spell half of a surrogate pair, and no table takes it: the page was never checked."""
    own = desk.track()
    offer = '{"@type": "Offer", "price": "100.00", "priceCurrency": "EUR", "availability": "InStock"}'
    desk.shops.replies[URL] = ld(r'{"@type": "Product", "name": "Boot \ud83d", "offers": ' + offer + comma + "}")
    desk.confirmed()
    assert desk.statuses(own) == ["product", "product"]
    assert desk.show(own)["title"] == "Boot \ufffd"


def test_a_shop_that_has_other_variants_at_every_check_fills_no_item(desk: Desk, tables: Store) -> None:
    own = desk.track()
    for number in range(12):
        desk.shops.replies[URL] = offers(60, f"V{number}-", options=3, seed=number)
        desk.confirmed()
    assert max(sizes(tables)) < MOST_OF_AN_ITEM
    assert desk.statuses(own).count("product") == 24


def test_alerts_of_many_variants_that_nobody_takes_fill_no_item(
    desk: Desk, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bus refuses them all along, and all variants are sold out and back again all the time."""
    own = desk.track()

    def refused(events: Any) -> None:
        raise RuntimeError("the event bus refused 1 events: InternalFailure")

    monkeypatch.setattr(aws, "put_events", refused)
    for number in range(14):
        desk.shops.replies[URL] = offers(60, "A", options=3, stock="InStock" if number % 2 else "OutOfStock")
        desk.confirmed()
    assert max(sizes(tables)) < MOST_OF_AN_ITEM
    assert desk.statuses(own).count("product") == 28
    shown = desk.show(own)["lastAlerts"]
    assert 1 < len(shown) < 7
    assert [one["kind"] for one in shown] == ["back_in_stock"] * len(shown)
    assert [one["at"] for one in shown] == sorted((one["at"] for one in shown), reverse=True)


def variant(name: str, *, text: str = "", options: int = 0) -> ReadVariant:
    plain = {f"o{number}": "x" for number in range(options)}
    return ReadVariant(name, plain, Money(1, "EUR"), Availability.IN, text=text)  # type: ignore[arg-type]


def test_an_ordinary_shop_is_known_whole() -> None:
    many = [variant(f"{number:014}", text="price 129.00 EUR, availability InStock", options=3) for number in range(500)]
    found = product("json-ld", "Boot", many, "seen", complete=True)
    assert (len(found.variants), found.complete) == (MOST_VARIANTS, True)


def test_what_is_left_out_for_its_length_is_not_taken_for_gone() -> None:
    many = [variant(str(number), text="x" * 200) for number in range(500)]
    found = product("json-ld", "Boot", many, "seen", complete=True)
    assert not found.complete
    assert MOST_BYTES - 500 < sum(map(variant_bytes, found.variants)) <= MOST_BYTES


def test_of_variants_that_were_missed_those_seen_last_are_remembered() -> None:
    known = PageFacts()
    for number in range(5):
        read = tuple(variant(f"{number}-{place}") for place in range(300))
        known, _ = facts.read(known, Reading(read_outcome(), "json-ld", variants=read), NOON + number * MINUTE)
    rounds = {one.partition("-")[0] for one in known.variants}
    assert rounds == {"4", "3", "2"}
    assert len(known.variants) == 300 + facts.MOST_MISSED


def read_outcome() -> Any:
    return product("json-ld", "Boot", [variant("1")], "seen").outcome


def test_an_alert_names_as_many_variants_as_fit() -> None:
    entries = [{"id": str(number), "text": "x" * 9_000} for number in range(20)]
    assert [one["id"] for one in told._newest(entries)] == ["0", "1", "2", "3", "4"]


OFFER = {"@type": "Offer", "price": "100.00", "priceCurrency": "EUR", "availability": "InStock"}
BOOT = {"@type": "Product", "name": "Boot", "sku": "B1", "offers": OFFER}


def _nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {**BOOT, "name": "x" * 1_500_000}
    for number in range(depth):
        found = {**BOOT, "sku": str(number), "mainEntity": found}
    return found


@pytest.mark.parametrize(
    "said",
    [
        [BOOT, [[]] * 400_000],
        {**BOOT, "url": "?" * 400_000 + "\nx"},
        [{**BOOT, "sku": "B2"}, {**BOOT, "url": "?" * 400_000 + "\nx"}],
        _nested(800),
        {
            **BOOT,
            "offers": [{**OFFER, "price": str(number)} for number in range(20_000)],
            "additionalProperty": [{"name": f"n{number}", "value": "x"} for number in range(20_000)],
        },
    ],
    ids=["lists", "address", "addresses", "nested", "offers"],
)
def test_a_page_that_says_very_much_is_read_in_a_moment(said: Any) -> None:
    """Each of these took a minute to hours: others' pages wait for the worker that reads it."""
    page = ld(json.dumps(said))
    before = thread_time()
    read(page)
    assert thread_time() - before < 15


def test_of_offers_that_cannot_be_told_apart_all_are_read_or_nothing_is_known() -> None:
    offers = [dict(OFFER) for _ in range(MOST_VARIANTS)]
    assert read(ld(json.dumps({**BOOT, "offers": offers}))).variants[0].price
    more = [*offers, {**OFFER, "price": "90.00"}]
    assert read(ld(json.dumps({**BOOT, "offers": more}))).outcome is ReadOutcome.UNCLEAR


@pytest.mark.parametrize("there", [2, MOST_VARIANTS, 3 * MOST_VARIANTS])
def test_of_offers_that_cannot_be_told_apart_is_said_how_many_there_are(there: int) -> None:
    [variant] = read(ld(json.dumps({**BOOT, "offers": [OFFER] * there}))).variants
    assert variant.text == f"{there} offers without ids"
