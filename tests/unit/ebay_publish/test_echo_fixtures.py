"""Answers in eBay's own words: what differs in them without anybody's doing is no drift, and what somebody did is."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay import hints
from sluice.listings.ebay.desired import Desired, FieldGroup
from sluice.listings.ebay.drift import Drift, DriftClass, classify
from sluice.listings.ebay.echo import Echo
from sluice.marketplaces.ebay.inventory import _offer
from sluice.marketplaces.http.fields import Value
from tests.support.ebay_wanted import IDS, record

FIXTURES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "fixtures" / "ebay_echo").glob("*.json"))
}
WANTED = ("hosted_pictures", "mirrored_brand_and_ids", "reordered_aspects", "added_defaults", "mapped_aspect_values")


def want() -> Desired:
    return record(aspects={"Color": ("Black", "Red"), "Department": ("Men",), "US Shoe Size": ("10",)})


def look(shown: dict[str, Any]) -> Echo:
    return echoes.seen(want(), IDS, shown["item"], _offer(Value(shown["offer"], "$")))


def test_each_way_of_ebays_has_a_fixture() -> None:
    assert set(WANTED) <= set(FIXTURES)


@pytest.mark.parametrize("name", FIXTURES)
def test_what_ebay_shows_its_own_way_is_no_drift(name: str) -> None:
    first, later = look(FIXTURES[name]["first"]), look(FIXTURES[name]["later"])
    assert not echoes.is_behind(first, want(), IDS), "the first look is the measure"
    stored = Echo.of(first.stored())
    assert stored == first
    assert classify(stored or Echo(), later) == []


@pytest.mark.parametrize("name", FIXTURES)
def test_nor_is_it_worth_a_read(name: str) -> None:
    """A page of items shows such a listing, and an echo of before has the values of its aspects as they came."""
    first, later = FIXTURES[name]["first"], FIXTURES[name]["later"]
    came = deepcopy(look(first))
    aspects = came.groups[FieldGroup.DETAILS]["item"]["product"]["aspects"]
    aspects.update({one: values[::-1] for one, values in aspects.items()})
    assert hints.of_item(came, want(), IDS, later["item"]) is None


EDITS: dict[FieldGroup, Any] = {
    FieldGroup.PRICE: lambda item, offer: offer["pricingSummary"]["price"].update(value="244.99"),
    FieldGroup.QUANTITY: lambda item, offer: offer.update(availableQuantity=2),
    FieldGroup.DETAILS: lambda item, offer: item["product"]["aspects"].update({"US Shoe Size": ["11"]}),
    FieldGroup.IMAGES: lambda item, offer: item["product"]["imageUrls"].pop(),
    FieldGroup.POLICIES: lambda item, offer: offer["listingPolicies"].update(returnPolicyId="1"),
}


@pytest.mark.parametrize("group", FieldGroup)
@pytest.mark.parametrize("name", FIXTURES)
def test_what_somebody_did_is_found_among_it(name: str, group: FieldGroup) -> None:
    first, later = look(FIXTURES[name]["first"]), deepcopy(FIXTURES[name]["later"])
    EDITS[group](later["item"], later["offer"])
    assert classify(first, look(later)) == [Drift(DriftClass.EXTERNAL_ONLY, frozenset({group}))]
