"""The reconciler's days in virtual time: each change of others is found, once, within half a round on the average.

The suite plays 600 listings; `python -m bench reconciling` plays 10,000 at 25 % and at 1 % of the quota.
"""

import pytest

from sluice.listings.ebay import reconciler
from tests.support.ebay_many import list_many, watch
from tests.support.ebay_seller import EbaySeller
from tests.support.store import Store


@pytest.mark.parametrize("percent", [25, 1])
def test_every_change_is_found_once_within_a_round(seller: EbaySeller, tables: Store, percent: int) -> None:
    skus = list_many(seller, 600)
    found = watch(seller, skus, percent=percent, changes=60)
    assert (found.missed, found.twice, len(found.ages)) == (0, 0, 60)
    assert found.calls_a_day <= 2_000_000 * percent // 100 * 1.02
    per_minute = reconciler.per_minute(seller.config)
    round_minutes = max(1.0, 6 * reconciler.SLICE_CALLS / per_minute)
    # A change waits half a round, and up to a slice's turn besides.
    assert found.mean_age <= 0.75 * round_minutes + reconciler.SLICE_CALLS / per_minute + 1
    assert max(found.ages) <= 1.5 * round_minutes + reconciler.SLICE_CALLS / per_minute + 2


def test_nothing_is_written_for_a_listing_that_is_as_it_was(seller: EbaySeller, tables: Store) -> None:
    skus = list_many(seller, 200)
    before = {one["sku"]["S"]: one for one in tables.items("ebay_listings")}
    found = watch(seller, skus, percent=25, changes=0, least=5)
    assert len(seller.calls(reads=True)) >= 2 * len(skus)
    assert (found.ages, found.twice) == ([], 0)
    assert {one["sku"]["S"]: one for one in tables.items("ebay_listings")} == before
