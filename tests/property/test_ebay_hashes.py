"""The same record has one hash, however it is written; another has another."""

import json
import random
import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sluice.listings.ebay import hashes
from sluice.listings.ebay.desired import FieldGroup, PolicyIds
from sluice.listings.ebay.documents import document, of_document
from tests.support.ebay_records import document as said

POLICIES = PolicyIds("1", "2", "3")
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
AMOUNTS = st.integers(1, 9_999_999).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
DOCUMENTS = st.builds(
    said,
    title=TEXT,
    description=st.none() | TEXT,
    aspects=st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=3), max_size=4),
    price=st.builds(lambda amount: {"amount": amount, "currency": "USD"}, AMOUNTS),
    quantity=st.integers(0, 1000),
    product=st.fixed_dictionaries({"ean": st.lists(TEXT, max_size=3)}),
    adRate=st.none() | st.integers(20, 1000).map(lambda tenths: f"{tenths / 10:.1f}"),
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same document with its names in another order, and its texts taken apart (NFD)."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {unicodedata.normalize("NFD", name): shuffled(value[name], chance) for name in names}
    if isinstance(value, list):
        return [shuffled(one, chance) for one in value]
    return unicodedata.normalize("NFD", value) if isinstance(value, str) else value


def respelled(doc: dict[str, Any]) -> dict[str, Any]:
    """The same document with its numbers written otherwise: `150.50` as `150.5`, `150.00` as `150`."""
    amount = doc["price"]["amount"]
    short = amount.rstrip("0").rstrip(".") if "." in amount else amount
    doc = {**doc, "price": {**doc["price"], "amount": short}}
    return {**doc, "adRate": float(doc["adRate"])} if doc.get("adRate") else doc


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_one_record_has_one_hash_however_it_is_written(doc: dict[str, Any], chance: random.Random) -> None:
    one, other = of_document(doc), of_document(respelled(shuffled(doc, chance)))
    assert hashes.of_record(one) == hashes.of_record(other)
    assert hashes.of(one, POLICIES) == hashes.of(other, POLICIES)
    again = of_document(json.loads(json.dumps(document(one))))
    assert again == one


@given(DOCUMENTS, DOCUMENTS)
def test_two_records_have_two_hashes(first: dict[str, Any], second: dict[str, Any]) -> None:
    one, other = of_document(first), of_document(second)
    assert (hashes.of_record(one) == hashes.of_record(other)) == (document(one) == document(other))


def test_a_setting_is_no_work_and_a_promotion_is() -> None:
    plain = of_document(said())
    assert hashes.of_record(plain) == hashes.of_record(of_document(said(onDrift={"price": "ask"})))
    promoted = of_document(said(autoPromote=True, adRate="5.0"))
    assert hashes.of_record(plain) != hashes.of_record(promoted)
    assert hashes.of(plain, POLICIES).differ(hashes.of(promoted, POLICIES)) == frozenset()
    assert hashes.of(plain, POLICIES).whole != hashes.of(promoted, POLICIES).whole


def test_a_price_changes_the_hash_of_prices_alone() -> None:
    before = hashes.of(of_document(said()), POLICIES)
    after = hashes.of(of_document(said(price={"amount": "246", "currency": "USD"})), POLICIES)
    assert after.differ(before) == {FieldGroup.PRICE}
    assert after.differ(None) == set(FieldGroup)
    assert hashes.of_stored(after.stored()) == after
    assert hashes.of_stored(None) is None
