"""The reconciler's days in virtual time: each change of others is found, once, as soon as Sluice says.

The suite plays 400 listings with as many calls for each as 10,000 listings have; `python -m bench reconciling` plays
10,000.
"""

from dataclasses import replace
from statistics import fmean

import pytest

from sluice.listings.ebay import sellers, shares
from sluice.listings.ebay.sellers import SellerPart
from sluice.platform.config.services import EBAY_INVENTORY
from tests.support.ebay_many import list_many, watch
from tests.support.ebay_seller import ACCOUNT, EbaySeller
from tests.support.store import Store

LISTINGS, CHANGES = 400, 120
# What pages of items and reports show.
SHOWN = {"sell": 40, "title": 20, "price": 20, "end": 20}
QUOTA = 2_000_000 * LISTINGS // 10_000


def test_ten_thousand_listings_are_seen_within_the_promised_age(seller: EbaySeller, tables: Store) -> None:
    """A quarter of the quota: 16 minutes. What Sluice tells of the age is what the changes' ages come to."""
    allow(seller, QUOTA)
    found = watch(seller, list_many(seller, LISTINGS), percent=25, changes=CHANGES, least=95)
    assert (found.missed, found.twice, len(found.ages)) == (0, 0, CHANGES)
    assert found.mean_age <= 16
    assert found.told_age == pytest.approx(found.mean_age, rel=0.15)


def test_with_few_calls_a_report_and_pages_of_items_find_what_they_show(seller: EbaySeller, tables: Store) -> None:
    """A round of looks takes five hours: what is told of pages and of reports is what their changes' ages come to."""
    allow(seller, 6_000)
    skus = list_many(seller, 120)
    sellers.note_progress(ACCOUNT, [SellerPart.listings.set(len(skus))])  # as after a first round
    found = watch(seller, skus, percent=10, changes=16, within=150, deeds=SHOWN, least=190)
    assert (found.missed, found.twice) == (0, 0)
    by_pages = [*found.by_deed["sell"], *found.by_deed["title"]]
    by_reports = [*found.by_deed["price"], *found.by_deed["end"]]
    assert 0 < found.items_age < found.report_age < 40
    # A suspect waits until half of what time brings suffices for it.
    assert fmean(by_pages) <= found.items_age + 20
    assert fmean(by_reports) <= found.report_age + 20


@pytest.mark.parametrize("percent", [3, 10])
def test_whatever_the_share_it_is_used_whole_and_never_exceeded(
    seller: EbaySeller, tables: Store, percent: int
) -> None:
    allow(seller, 50_003)
    found = watch(seller, list_many(seller, 150), percent=percent, changes=0, least=300)
    given = 50_003 * percent / 100
    # At the end, a slice may be still to come, and what two minutes bring.
    late = shares.SLICE_CALLS * 1_440 / found.minutes + 2 * given / found.minutes
    assert given - late <= found.calls_a_day <= given


def allow(seller: EbaySeller, calls: int) -> None:
    """eBay gives the application so many calls a day."""
    limits = {
        **seller.config.limits,
        EBAY_INVENTORY: seller.config.limits[EBAY_INVENTORY].override(windows=[{"calls": calls, "per": "day"}]),
    }
    seller.config = replace(seller.config, limits=limits)


def test_nothing_is_written_for_a_listing_that_is_as_it_was(seller: EbaySeller, tables: Store) -> None:
    skus = list_many(seller, 200)
    before = {one["sku"]["S"]: one for one in tables.items("ebay_listings")}
    found = watch(seller, skus, percent=25, changes=0, least=5)
    assert len(seller.calls(reads=True)) >= 2 * len(skus)
    assert (found.ages, found.twice) == ([], 0)
    assert {one["sku"]["S"]: one for one in tables.items("ebay_listings")} == before
