"""What the look at the end of a history is worth: each thing that could be wrong there is seen when it is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from io import StringIO

import pytest

from local.sandbox.stockx.listings import Change, Listing
from sluice.catalog.table import Product
from tests.soak.groups import Groups
from tests.soak.play import lived, wrong
from tests.soak.stockx import OURS
from tests.soak.town import TENANTS, Told, Town
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
    made = book.list_by_hand(tenant, listing.variant, Change(amount=amount), town.clock.time, OURS)
    yield "2 listings for one request"
    del book._accounts[tenant].listings[made]


@contextmanager
def an_older_amount_behind_a_newer_one(town: Town) -> Iterator[str]:
    tenant, listing = _listing(town)
    change, now = Change(amount="1", currency="USD"), town.clock.time
    town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, OURS)
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


@contextmanager
def an_update_sent_again_without_a_word(town: Town) -> Iterator[str]:
    """Of the amount that it has: Sluice knows of one sending at most, for no answer was lost."""
    tenant, listing = _listing(town)
    change, now = Change(amount=listing.amount), town.clock.time
    for _ in range(2):
        town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, OURS)
    yield "times, and Sluice says"
    del listing.operations[-2:]


@contextmanager
def an_event_that_the_feed_lacks(town: Town) -> Iterator[str]:
    town.told.append(Told(TENANTS[:1], "lost", "job.dead", "2026-11-22T12:00:00.000Z", {}))
    yield "is not told of job.dead lost"
    town.told.pop()


@contextmanager
def an_event_of_somebody_else(town: Town) -> Iterator[str]:
    place = next(at for at, one in enumerate(town.told) if one.kind == "job.dead" or one.kind.startswith("listing."))
    kept = town.told[place]
    town.told[place] = kept._replace(tenants=("nobody",))
    yield "it is told of what did not happen to it"
    town.told[place] = kept


@contextmanager
def a_size_that_costs_something_else(town: Town) -> Iterator[str]:
    [wanted] = [trade._wanted for trade in town.trades if isinstance(trade, Groups)]
    tenant, offer = next(
        (tenant, offer)
        for tenant in wanted
        for offer in town.sandbox.ebay.shop(tenant).offers.values()
        if offer.sku.startswith("J1-") and offer.status == "PUBLISHED"
    )
    kept = dict(offer.body)
    town.sandbox.ebay.edit_offer(tenant, offer.sku, price="1.00")
    yield f"{offer.sku}: it costs"
    offer.body = kept


@contextmanager
def an_old_product(town: Town) -> Iterator[str]:
    product = next(iter(Product.scan()))
    stored = town.store.item("catalog", product=product.product)
    assert stored
    town.store.put("catalog", {**stored, "updated_at": {"N": "1"}})
    yield f"{product.product} was looked up"
    town.store.put("catalog", stored)


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
        an_update_sent_again_without_a_word,
        an_event_that_the_feed_lacks,
        an_event_of_somebody_else,
        a_size_that_costs_something_else,
        an_old_product,
    ],
)
def test_what_is_wrong_is_seen(spoiled: Callable[[Town], AbstractContextManager[str]], town: Town) -> None:
    with spoiled(town) as said:
        assert [what for what in wrong(town) if said in what] != []
