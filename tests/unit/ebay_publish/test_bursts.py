"""A burst trace: a repricer and a person edit several listings again and again; publishes are a fifth of the edits."""

import random

import pytest

from tests.support.ebay_seller import EbaySeller
from tests.support.ebay_wanted import record

SKUS = [f"S-{number}" for number in range(4)]
BURSTS = 16
# Edits of a burst come within the coalescing window of its kind, in seconds: prices, and everything else.
PRICES, DETAILS = 4.0, 28.0


@pytest.mark.parametrize("seed", range(3))
def test_publishes_are_a_fifth_of_the_edits_and_ebay_shows_the_last(seller: EbaySeller, seed: int) -> None:
    chance = random.Random(seed)
    want = {sku: record(sku, quantity=3) for sku in SKUS}
    for one in want.values():
        seller.put(one)
    seller.settle()
    before, edits = len(seller.log()), 0
    for _ in range(BURSTS):
        sku, prices = chance.choice(SKUS), chance.random() < 0.7
        number = chance.randint(6, 12)
        for _ in range(number):
            edits += 1
            amount = str(chance.randint(150, 260))
            title = want[sku].title if prices else f"Air Jordan 1, offer {edits}"
            want[sku] = record(sku, amount, quantity=chance.randint(1, 5), title=title)
            seller.put(want[sku], quick=prices)
            # The scheduler may run at any moment of it.
            seller.later((PRICES if prices else DETAILS) / number)
            seller.tick()
        seller.later(chance.uniform(5, 120))
        seller.tick()
    seller.settle()
    publishes = len([one for one in seller.log()[before:] if one.result == "done"])
    assert publishes <= 0.2 * edits, f"{publishes} publishes for {edits} edits"
    assert publishes >= BURSTS // 2
    for sku, last in want.items():
        [offer] = seller.shop.offers_of(sku)
        assert offer.body["pricingSummary"]["price"]["value"] == last.price.at_ebay["value"]
        assert seller.shop.quantity(offer) == last.quantity
        assert seller.shop.items[sku].body["product"]["title"] == last.title
        assert seller.record(sku).is_published
