"""What the look at the end of a history is worth: each thing that could be wrong there is seen when it is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from io import StringIO

import pytest

from local.sandbox.stockx.listings import Change, Listing
from tests.soak.play import lived, wrong
from tests.soak.town import TENANTS, Town
from tests.support.store import store


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A short history, in which nothing is wrong."""
    with redirect_stdout(StringIO()), store() as tables, lived(tables, 1, 3_000) as made:
        assert wrong(made) == []
        yield made


@contextmanager
def over_a_limit(town: Town) -> Iterator[str]:
    entry = town.sandbox.log.entries(marketplace="stockx")[0]
    entry.over = "hour"
    yield "over its limit, hour"
    entry.over = None


@contextmanager
def nobody_heard(town: Town) -> Iterator[str]:
    kept = dict(town.mailroom.by_tenant)
    town.mailroom.by_tenant.update({tenant: {} for tenant in TENANTS})
    yield "heard of its end at no time"
    town.mailroom.by_tenant.update(kept)


@contextmanager
def a_second_listing(town: Town) -> Iterator[str]:
    book = town.sandbox.stockx._book
    tenant, listing = _listing(town)
    amount = listing.operations[0].change.amount
    made = book.list_by_hand(tenant, listing.variant, Change(amount=amount), town.clock.time, "PUBLIC-API")
    yield "2 listings for one request"
    del book._accounts[tenant].listings[made]


@contextmanager
def an_older_amount_behind_a_newer_one(town: Town) -> Iterator[str]:
    tenant, listing = _listing(town)
    change, now = Change(amount="1", currency="USD"), town.clock.time
    town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, "PUBLIC-API")
    yield "was sent behind"
    listing.operations.pop()
    listing.amount = next(one.change.amount or "" for one in reversed(listing.operations) if one.change.amount)


@contextmanager
def another_price_at_ebay(town: Town) -> Iterator[str]:
    tenant = next(one for one in TENANTS if town.sandbox.ebay.shop(one).live())
    offer = next(one for one in town.sandbox.ebay.shop(tenant).offers.values() if one.status == "PUBLISHED")
    kept = dict(offer.body)
    town.sandbox.ebay.edit_offer(tenant, offer.sku, price="1.00")
    yield "its offer is"
    offer.body = kept


@contextmanager
def an_ad_asked_for_twice(town: Town) -> Iterator[str]:
    town.sandbox.ads.repeated["110"] += 1
    yield "though it was there"
    town.sandbox.ads.repeated.clear()


def _listing(town: Town) -> tuple[str, Listing]:
    """A listing that is for sale at StockX, with its tenant."""
    found = [(tenant, one) for tenant in TENANTS for one in town.sandbox.stockx._book.listings(tenant, town.clock.time)]
    return next((tenant, one) for tenant, one in found if one.status == "ACTIVE")


@pytest.mark.parametrize(
    "spoiled",
    [
        over_a_limit,
        nobody_heard,
        a_second_listing,
        an_older_amount_behind_a_newer_one,
        another_price_at_ebay,
        an_ad_asked_for_twice,
    ],
)
def test_what_is_wrong_is_seen(spoiled: Callable[[Town], AbstractContextManager[str]], town: Town) -> None:
    with spoiled(town) as said:
        assert [what for what in wrong(town) if said in what] != []
