"""Which variant a listing offers: the letter of a size names its system, and what is no size of the shoe is refused."""

from typing import Any

import pytest

from sluice.catalog.table import SPELLING, Product
from sluice.platform.http import routing
from tests.support.desk import Desk
from tests.support.http import Answer, call

LISTINGS = "/v1/stockx/listings"
WOMEN, MEN, YOUTH = "DD1503-101", "DD1391-100", "CW1590-100"


@pytest.fixture(autouse=True)
def _known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)
    men, women, youth = desk.variants[13], desk.variants[14], desk.variants[15]
    charts = {
        WOMEN: [[women, "us-w", {"us-w": "8", "us": "6.5"}], [men, "us-w", {"us-w": "9.5", "us": "8"}]],
        MEN: [[men, "us", {"us": "10", "us-w": "11.5", "eu": "44"}], [women, "us", {"us": "10.5", "eu": "44.5"}]],
        YOUTH: [[youth, "us", {"us": "5", "us-y": "5"}], [men, "us", {"us": "5.5", "us-y": "5.5"}]],
    }
    row: dict[str, Any] = {"marketplace": "stockx", "product_id": "p", "name": "Dunk", "updated_at": 1, "checked_at": 1}
    for sku, variants in charts.items():
        Product(f"stockx:{sku}", variants=variants, spelling=SPELLING, **row).save()


def offer(sku: str, size: str, system: str | None = None) -> Answer:
    body = {"sku": sku, "size": size, "amount": "150"} | ({} if system is None else {"sizeSystem": system})
    return call("POST", LISTINGS, body=body)


@pytest.mark.parametrize(
    ("sku", "size", "system", "taken", "variant"),
    [
        (WOMEN, "8W", None, ("8", "us-w"), 14),
        (WOMEN, "8", None, ("8", "us-w"), 14),
        (WOMEN, "8", "us", ("9.5", "us-w"), 13),
        (MEN, "11.5W", None, ("10", "us"), 13),
        (MEN, "10,50", None, ("10.5", "us"), 14),
        (MEN, "EU 44", None, ("10", "us"), 13),
        (YOUTH, "5Y", None, ("5", "us"), 15),
        (YOUTH, "5", None, ("5", "us"), 15),
    ],
)
def test_the_variant_is_the_shoe_that_was_asked_for(
    desk: Desk, sku: str, size: str, system: str | None, taken: tuple[str, str], variant: int
) -> None:
    answer = offer(sku, size, system)
    assert answer.status == 202, answer.text
    assert (answer.json["size"], answer.json["sizeSystem"]) == taken
    item = {"sku": sku, "size": size, "amount": "150"} | ({} if system is None else {"sizeSystem": system})
    [other, named] = call(
        "POST",
        f"{LISTINGS}/bulk",
        body={"action": "create", "items": [item, {"variantId": desk.variants[0], "amount": "150"}]},
    ).json["items"]
    assert (other["size"], other["sizeSystem"]) == taken
    assert "size" not in named
    shown = call("GET", f"{LISTINGS}/{answer.json['listingId']}").json
    assert (shown["size"], shown["sizeSystem"]) == taken
    assert shown["variantId"] == desk.variants[variant]


@pytest.mark.parametrize(
    ("sku", "size", "system", "field", "why"),
    [
        (MEN, "9C", None, "size", "has no sizes in us-c; there are 10, 10.5 in us"),
        (MEN, "9K", None, "size", "has no sizes in us-c; there are 10, 10.5 in us"),
        (YOUTH, "5W", None, "size", "has no sizes in us-w; there are 5, 5.5 in us"),
        (MEN, "8", None, "size", "it has 10, 10.5"),
        (WOMEN, "8W", "uk", "size", "names the size system us-w, and sizeSystem is uk"),
        (MEN, "10. Mai", None, "size", "a spreadsheet has changed this cell"),
        ("1.23E+12", "10", None, "sku", "a spreadsheet has changed this cell"),
        ("D\u0410391", "10", None, "sku", "CYRILLIC CAPITAL LETTER A"),
        ("UNKNOWN-1", "10", None, "sku", "is not in the catalog"),
    ],
)
def test_what_is_none_of_its_sizes_is_refused_and_nothing_is_listed(
    desk: Desk, sku: str, size: str, system: str | None, field: str, why: str
) -> None:
    answer = offer(sku, size, system)
    assert answer.status == 400
    assert why in answer.fields[field]
    assert not any(desk.items().values())
