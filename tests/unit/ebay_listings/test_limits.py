"""Each limit of eBay's, just within and just beyond: what is beyond is refused by the name of our field."""

import random
import string
from typing import Any

import pytest

from sluice.listings.ebay import rules, taking
from sluice.listings.ebay.documents import document as shown
from sluice.platform.refused import Refused
from tests.support.ebay_records import document

IMAGE = "https://img.example.com/{}.jpg"


def images(count: int) -> list[str]:
    return [IMAGE.format(number) for number in range(count)]


def policies(**changes: Any) -> dict[str, Any]:
    return {**document()["policies"], **changes}


def price(amount: Any, currency: str = "USD") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


WITHIN: list[dict[str, Any]] = [
    {"sku": "a" * 50},
    {"title": "t" * 80},
    {"title": "e\u0301" * 80},  # 80 characters as they are sent
    {"title": "\u0958" * 40},  # in composed form, two characters each
    {"title": "a\u200db"},
    {"subtitle": "s" * 55},
    {"description": "<p>" + "d" * (500_000 - 7) + "</p>"},
    {"description": "&" * 100_000},  # `&amp;`, as it is sent
    {"description": "<img src='https://img.example.com/1.jpg'>"},
    {"condition": "USED_GOOD", "conditionDescription": "c" * 1_000},
    {"condition": "NEW", "conditionDescription": None},
    {"aspects": {"n" * 40: ["v" * 50]}},
    {"product": {"brand": "b" * 65, "mpn": "m" * 65, "ean": ["Does not apply"], "epid": "123"}},
    {"images": images(1)},
    {"images": images(24)},
    {"images": ["https://img.example.com/a%20b.jpg"]},
    {"images": ["https://i.ebayimg.com/1.jpg", "https://i.ebayimg.com/2.jpg"]},
    {"images": ["https://img.notebayimg.com/1.jpg", "https://img.example.com:8443/2.jpg"]},
    {"images": ["https://img.example.com/" + "a" * (500 - len("https://img.example.com/"))]},
    {"group": "g" * 50, "images": images(12)},
    {"group": "g", "description": None},
    {"price": price("0.01")},
    {"price": price("99999999.99")},
    {"price": price(150)},
    {"marketplace": "EBAY_DE", "language": "de-DE", "price": price("1", "EUR")},
    {"marketplace": "EBAY_CA", "language": "fr-CA", "price": price("1", "CAD")},
    {"quantity": 0},
    {"quantity": 1_000_000},
    {"location": "l" * 36},
    {"policies": policies(payment={"name": "p" * 64})},
    {"bestOffer": {"accept": "244.99", "decline": "200"}},
    {"bestOffer": {}},
    {"autoPromote": True, "adRate": "2.0"},
    {"autoPromote": True, "adRate": "100"},
    {"status": "paused"},
]


@pytest.mark.parametrize("changes", WITHIN, ids=lambda changes: "-".join(changes))
def test_what_is_just_within_a_limit_is_taken(changes: dict[str, Any]) -> None:
    said = document(**changes)
    assert rules.problems(said) == []
    taken = shown(taking.record(said))
    assert taking.merged(taken, {}) == taken


BEYOND: list[tuple[dict[str, Any], str, str]] = [
    ({"sku": "a" * 51}, "sku", "50"),
    ({"sku": "a b"}, "sku", "A-Z"),
    ({"sku": ""}, "sku", "50"),
    ({"sku": ".."}, "sku", "begin"),
    ({"title": "t" * 81}, "title", "80 characters; it has 81"),
    ({"title": " "}, "title", "empty"),
    ({"title": "a\x00b"}, "title", "control"),
    ({"title": "a\nb"}, "title", "control"),
    ({"title": "a\u2028b"}, "title", "control"),
    ({"title": "a\u202eb"}, "title", "control"),
    ({"title": "a\ufffeb"}, "title", "control"),
    ({"title": "\u200b\u200b"}, "title", "empty"),
    ({"title": "\u3164"}, "title", "empty"),
    ({"title": "\u0958" * 41}, "title", "82"),
    ({"subtitle": "s" * 56}, "subtitle", "55"),
    ({"description": "d" * 500_001}, "description", "500000"),
    ({"description": "<p>a<script>b</script></p>"}, "description", "<script>"),
    ({"description": "<p onclick=a>b</p>"}, "description", "onclick"),
    ({"description": "<form></form>"}, "description", "<form>"),
    ({"description": " "}, "description", "empty"),
    ({"description": "a\x00"}, "description", "control"),
    ({"description": "a\u202eb"}, "description", "control"),
    ({"description": "\u200b"}, "description", "empty"),
    ({"description": "<p>&nbsp;<br></p>"}, "description", "neither words nor a picture"),
    ({"description": "&" * 100_001}, "description", "as it is sent it has 500005"),
    ({"description": None}, "description", "required"),
    ({"condition": "USED_GOOD", "conditionDescription": "c" * 1_001}, "conditionDescription", "1000"),
    ({"condition": "MINT"}, "condition", "PRE_OWNED_FAIR"),
    ({"conditionDescription": "as new"}, "conditionDescription", "NEW"),
    ({"aspects": {"n" * 41: ["v"]}}, "aspects." + "n" * 40, "40"),
    ({"aspects": {"Color": ["v" * 51]}}, "aspects.Color[0]", "50"),
    ({"aspects": {"Color": []}}, "aspects.Color", "value"),
    ({"aspects": {"Color": ["\u200b"]}}, "aspects.Color[0]", "empty"),
    ({"aspects": {"Caf\u00e9": ["a"], "Cafe\u0301": ["b"]}}, "aspects.Cafe\u0301", "given twice"),
    ({"product": {"brand": "b" * 66}}, "product.brand", "65"),
    ({"product": {"mpn": "m" * 66}}, "product.mpn", "65"),
    ({"product": {"ean": ["e" * 66]}}, "product.ean[0]", "65"),
    ({"product": {"epid": "x"}}, "product.epid", "digits"),
    ({"category": "shoes"}, "category", "digits"),
    ({"images": []}, "images", "1 to 24"),
    ({"images": images(25)}, "images", "there are 25"),
    ({"images": images(13), "group": "g"}, "images", "1 to 12"),
    ({"images": ["http://img.example.com/1.jpg"]}, "images[0]", "https"),
    ({"images": ["https://img.example.com/a b.jpg"]}, "images[0]", "%20"),
    ({"images": ["https://img.example.com/a;b.jpg"]}, "images[0]", "semicolons"),
    ({"images": ["https://"]}, "images[0]", "https"),
    ({"images": ["https://[x/1.jpg"]}, "images[0]", "https"),
    ({"images": ["https://user" + ":word@img.example.com/1.jpg"]}, "images[0]", "https"),
    ({"images": ["https://img.example.com:99999/1.jpg"]}, "images[0]", "https"),
    ({"images": ["https://img..example.com/1.jpg"]}, "images[0]", "https"),
    ({"images": [IMAGE.format(1), IMAGE.format(1)]}, "images[1]", "images[0]"),
    ({"images": [IMAGE.format(1), "https://i.ebayimg.com/1.jpg"]}, "images", "mixture"),
    ({"images": ["https://img.example.com/" + "a" * 500]}, "images[0]", "500"),
    ({"price": price("0")}, "price.amount", "above zero"),
    ({"price": price("1.005")}, "price.amount", "2 decimals"),
    ({"price": price("1.000")}, "price.amount", "2 decimals"),
    ({"price": price("100000000")}, "price.amount", "below"),
    ({"price": price("1,50")}, "price.amount", "decimal"),
    ({"price": price("1", "EUR")}, "price.currency", "USD at EBAY_US"),
    ({"marketplace": "EBAY_XX"}, "marketplace", "EBAY_US"),
    ({"language": "de-DE"}, "language", "en-US"),
    ({"quantity": -1}, "quantity", "0 to"),
    ({"quantity": 1_000_001}, "quantity", "0 to"),
    ({"location": "l" * 37}, "location", "36"),
    ({"policies": policies(payment={"name": "p" * 65})}, "policies.payment.name", "64"),
    ({"policies": policies(payment={"id": "abc"})}, "policies.payment.id", "digits"),
    ({"policies": policies(payment={})}, "policies.payment", "one of the two"),
    ({"policies": policies(payment={"id": "1", "name": "a"})}, "policies.payment", "one of the two"),
    ({"bestOffer": {"accept": "245"}}, "bestOffer.accept", "below price"),
    ({"bestOffer": {"accept": "200", "decline": "200"}}, "bestOffer.decline", "below bestOffer.accept"),
    ({"bestOffer": {"decline": "245"}}, "bestOffer.decline", "below price"),
    ({"bestOffer": {"accept": "0"}}, "bestOffer.accept", "above zero"),
    ({"bestOffer": {}, "group": "g"}, "bestOffer", "group"),
    ({"autoPromote": True}, "adRate", "required"),
    ({"autoPromote": True, "adRate": "1.9"}, "adRate", "2.0"),
    ({"autoPromote": True, "adRate": "5.55"}, "adRate", "one decimal"),
    ({"group": "g" * 51}, "group", "50"),
]
NO_AMOUNTS: tuple[Any, ...] = ([], {}, True, None, "\uff11")
# What is no record at all.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    *(({"price": price(amount)}, "price.amount", "decimal") for amount in NO_AMOUNTS),
    ({"bestOffer": {"accept": []}}, "bestOffer.accept", "decimal"),
    ({"adRate": {}}, "adRate", "decimal"),
    ({"quantity": "1"}, "quantity", "integer"),
    ({"quantity": 1.5}, "quantity", "integer"),
    ({"quantity": True}, "quantity", "integer"),
    ({"title": 5}, "title", "string"),
    ({"aspects": {"Color": "Red"}}, "aspects.Color", "list"),
    ({"images": "https://img.example.com/1.jpg"}, "images", "list"),
    ({"autoPromote": "true"}, "autoPromote", "true or false"),
    ({"status": "Active"}, "status", "active"),
    ({"onDrift": {"color": "heal"}}, "onDrift.color", "not known"),
    ({"colour": "Red"}, "colour", "not known"),
]


@pytest.mark.parametrize(("changes", "field", "why"), BEYOND)
def test_what_is_just_beyond_a_limit_is_refused_by_its_field(changes: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        taking.record(document(**changes))
    assert [(one.field, why in one.message) for one in refused.value.fields] == [(field, True)]


def noise(length: int, texts: int = 1) -> list[str]:
    """Texts that no packing makes shorter."""
    chance = random.Random(7)
    return ["".join(chance.choices(string.ascii_letters + string.digits, k=length)) for _ in range(texts)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"description": noise(200_000)[0]}, "description"),
        ({"description": "d" * 400_000, "aspects": {"Color": noise(50, 3_000)}}, "aspects"),
        ({"description": noise(9_000)[0], "product": {"brand": "Nike", "ean": noise(50, 3_000)}}, "product.ean"),
    ],
)
def test_a_record_that_does_not_pack_is_refused_by_what_is_most_of_it(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused, match="packs to") as refused:
        taking.record(document(**changes))
    assert [one.field for one in refused.value.fields] == [field]


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = rules.problems(document(title="", quantity=-1, images=[], price=price("0")))
    assert {one.field for one in found} == {"title", "quantity", "images", "price.amount"}


def test_what_a_category_asks_for_is_told() -> None:
    said = document(aspects={"Brand": ["Nike", "Jordan"]})
    assert rules.category_problems(said, {"Brand"}, {"NEW"}) == []
    found = rules.category_problems(said, {"Brand", "US Shoe Size"}, {"USED_GOOD"}, {"Brand"})
    assert [one.field for one in found] == ["aspects.US Shoe Size", "condition", "aspects.Brand"]
    assert rules.category_problems(said, set(), set()) == []


GROUP: dict[str, Any] = {
    "key": "g", "marketplace": "EBAY_US", "language": "en-US", "title": "t", "description": "<p>d</p>",
    "images": images(2), "variesBy": ["US Shoe Size"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, None),
        ({"variesBy": ["a", "b", "c", "d", "e"], "imagesVaryBy": ["a"]}, None),
        ({"key": "g" * 51}, "key"),
        ({"title": "t" * 81}, "title"),
        ({"description": None}, "description"),
        ({"images": images(25)}, "images"),
        ({"variesBy": []}, "variesBy"),
        ({"variesBy": list("abcdef")}, "variesBy"),
        ({"variesBy": ["a", "a"]}, "variesBy"),
        ({"variesBy": ["Caf\u00e9", "Cafe\u0301"]}, "variesBy"),
        ({"variesBy": ["Caf\u00e9"], "imagesVaryBy": ["Cafe\u0301"]}, None),
        ({"variesBy": ["Caf\u00e9"], "aspects": {"Cafe\u0301": ["a"]}}, "aspects.Caf\u00e9"),
        ({"imagesVaryBy": ["Color"]}, "imagesVaryBy[0]"),
        ({"language": "de-DE"}, "language"),
    ],
)
def test_a_group_has_limits_too(changes: dict[str, Any], field: str | None) -> None:
    assert [one.field for one in rules.group_problems({**GROUP, **changes})] == ([field] if field else [])


def test_a_description_is_stored_as_it_is_sent() -> None:
    assert taking.record(document(description="<P>a<br/>b</P>")).description == "<p>a<br>b</p>"


def test_a_patch_changes_what_it_names() -> None:
    stored = shown(taking.record(document(subtitle="s")))
    changed = taking.edited(stored, {"price": {"amount": "250"}, "subtitle": None, "aspects": {"Color": None}})
    after = shown(changed)
    assert after["price"] == {"amount": "250", "currency": "USD"}
    assert "subtitle" not in after
    assert after["aspects"] == {"Brand": ["Nike"], "US Shoe Size": ["10"]}
    assert after["title"] == stored["title"]
