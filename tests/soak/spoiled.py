"""A town in which one thing is as it must not be, for each thing that is looked at in the end.

Each stands here with who must see it (`Engine`, or one of the trades) and with words of what they say then.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar

from local.sandbox.ebay.inventory.book import Listing as EbayListing
from local.sandbox.ebay.inventory.book import Offer, Shop
from local.sandbox.stockx.listings import Change, Listing
from sluice.catalog.table import Product
from sluice.jobs.model.states import SUCCEEDED
from sluice.listings.ebay.desired import Status
from sluice.listings.ebay.table import group_owner
from sluice.operator import actions
from tests.crash.plant import Message
from tests.soak.ebay import Ebay, Wanted
from tests.soak.files import Files
from tests.soak.goods import Goods
from tests.soak.groups import Groups
from tests.soak.groups import Wanted as WantedGroup
from tests.soak.pages import Pages
from tests.soak.stockx import OURS, Mine, StockX
from tests.soak.town import TENANTS, Told, Town, Trade
from tests.support.ebay_wanted import SHOES, record
from tests.support.store import Item

T = TypeVar("T", bound=Trade)
Spoil = Callable[[Town], Any]


class Spoiled(NamedTuple):
    """who: must see it. said: of it. how: does it, and finds what it needs before it touches anything.

    What it did to the tables is undone; all else it undoes itself.
    """

    who: str
    said: str
    how: Callable[[Town], Iterator[None]]


class NothingToSpoil(LookupError):  # noqa: N818 - what it is
    """In this town there is no such thing."""


SPOILED: Final[list[Spoiled]] = []


def sees(who: str, said: str) -> Callable[[Callable[[Town], Iterator[None]]], Callable[[Town], Iterator[None]]]:
    """The function spoils a town, and yields while it is spoiled: then `who` says this."""

    def keep(how: Callable[[Town], Iterator[None]]) -> Callable[[Town], Iterator[None]]:
        SPOILED.append(Spoiled(who, said, how))
        return how

    return keep


@contextmanager
def spoiled(town: Town, one: Spoiled) -> Iterator[None]:
    """Within it the town is spoiled."""
    before, spoiling = town.store.value(), one.how(town)
    try:
        next(spoiling)
    except RuntimeError as stopped:  # what is looked for with `next` is not there
        raise NothingToSpoil from stopped
    try:
        yield
    finally:
        next(spoiling, None)
        town.store.become(before)


# ── the engine ──


@sees("Engine", "over its limit,")
def over_a_limit(town: Town) -> Iterator[None]:
    entry = town.sandbox.log.entries(marketplace="stockx")[0]
    entry.over = "hour"
    yield
    entry.over = None


@sees("Engine", ", and heard of its end at ")
@sees("Pages", " and heard of none")
def nobody_heard(town: Town) -> Iterator[None]:
    item, kept = _item(town, "trackers"), dict(town.mailroom.by_tenant)
    town.mailroom.by_tenant.update({tenant: {} for tenant in TENANTS})
    town.store.put("trackers", {**item, "alerts": {"S": json.dumps([{"id": "1"}])}})
    yield
    town.mailroom.by_tenant.update(kept)


@sees("Engine", " is dead, and has no dead letter")
def a_death_without_a_letter(town: Town) -> Iterator[None]:
    got = town.mailroom.by_tenant[TENANTS[0]]
    data = {"jobId": "market.refresh:gone", "state": "dead"}
    got["spoiled"] = {"type": "job.dead", "timestamp": "2026-11-22T12:00:00.000Z", "data": data}
    yield
    del got["spoiled"]


@sees("Engine", "a handler failed ")
def a_fault_of_a_handler(town: Town) -> Iterator[None]:
    entry = {"at": 1, "event": "failed", "attempt": 1, "code": "handler_error", "message": "KeyError 'x'"}
    town.store.put("jobs", {**_job(town), "history": {"S": json.dumps([entry])}})
    yield


@sees("Engine", " are counted, and ")
def a_job_that_is_not_counted(town: Town) -> Iterator[None]:
    town.store.put("jobs", {**_job(town), "state": {"S": "queued"}})
    yield


@sees("Engine", "the seat ")
def a_seat_that_is_taken(town: Town) -> Iterator[None]:
    later = str(town.clock.time + 3_600_000)
    town.store.put("budgets", {"budget": {"S": "x"}, "window": {"S": "seats"}, "s1": {"N": later}})
    yield


@sees("Engine", "a message of ")
def a_message_that_failed(town: Town) -> Iterator[None]:
    town.set_aside.append(("work", Message(0, "x")))
    yield
    town.set_aside.pop()


@sees("Engine", "a message was set aside: ")
def a_message_set_aside(town: Town) -> Iterator[None]:
    town.queues["dead"].append(Message(0, "x"))
    yield
    town.queues["dead"].pop()


# ── accounts, mails, webhooks, configuration, operators ──


@sees("Accounts", "account ")
def a_broken_account(town: Town) -> Iterator[None]:
    item = _item(town, "accounts", lambda one: "status" in one)
    town.store.put("accounts", {**item, "status": {"S": "BROKEN"}})
    yield


@sees("Mails", " waits for a mail: ")
def a_line_that_waits(town: Town) -> Iterator[None]:
    town.store.put("notifications", {"tenant": {"S": TENANTS[0]}, "entry": {"S": "waits#1"}})
    yield


@sees("Mails", "no mail tells ")
@sees("Readers", "it is not told of ")
def an_event_that_nobody_took_in(town: Town) -> Iterator[None]:
    town.told.append(Told(TENANTS[:1], "lost", "job.dead", "2026-11-22T12:00:00.000Z", {}))
    yield
    town.told.pop()


@sees("Mails", " are told as sent, and ")
def a_mail_that_was_not_sent(town: Town) -> Iterator[None]:
    texts = {name: {"S": "x"} for name in ("subject", "text")}
    numbers = {name: {"N": "1"} for name in ("at", "lines")}
    for number in range(town.posted[TENANTS[0]] + 1):
        key = {"tenant": {"S": TENANTS[0]}, "entry": {"S": f"mail#{number:013d}-spoiled"}}
        town.store.put("notifications", {**key, **texts, **numbers, "state": {"S": "SENT"}})
    yield


@sees("Hooks", " is on its way to ")
def a_delivery_that_does_not_arrive(town: Town) -> Iterator[None]:
    town.store.put("deliveries", {**_item(town, "deliveries", lambda one: "state" in one), "state": {"S": "pending"}})
    yield


@sees("Settings", ", and is told as ")
@sees("Settings", "the configuration was put back, and is ")
def another_configuration(town: Town) -> Iterator[None]:
    kept = list(town.parameter.versions)
    town.parameter.write('{"engine": {"batch": 0}}', town.clock.time)
    yield
    town.parameter.versions = kept


@sees("Operators", "the action ")
def an_action_that_runs_on(town: Town) -> Iterator[None]:
    made = _item(town, "actions", lambda one: one["owner"]["S"] in TENANTS and "action" in one)
    at = {"updated_at": {"N": str(town.clock.time)}, "job_id": {"S": "spoiled"}}
    town.store.put("actions", {**made, **at, "state": {"S": actions.RUNNING}})
    yield


# ── the feed, enrichment ──


@sees("Readers", " is told ")
def an_event_told_twice(town: Town) -> Iterator[None]:
    item = _item(town, "events", lambda one: not one["event"]["S"].startswith("~"))
    at, _, rest = item["event"]["S"].partition("#")
    town.store.put("events", {**item, "event": {"S": f"{int(at) + 1}#{rest}"}})
    yield


@sees("Readers", "it is told of what did not happen to it: ")
def an_event_of_somebody_else(town: Town) -> Iterator[None]:
    kept = list(town.told)
    shown = next(one for one in kept if one.tenants[0] in TENANTS and one.kind.startswith("listing."))
    town.told[:] = [one._replace(tenants=("nobody",)) if one.event_id == shown.event_id else one for one in kept]
    yield
    town.told[:] = kept


@sees("Enrichers", " was looked up ")
def an_old_product(town: Town) -> Iterator[None]:
    product = next(iter(Product.scan()))
    stored = town.store.item("catalog", product=product.product)
    assert stored
    town.store.put("catalog", {**stored, "updated_at": {"N": "1"}})
    yield


@sees("Enrichers", " is not over: ")
def an_enrichment_that_is_not_finished(town: Town) -> Iterator[None]:
    item = _item(town, "enrichments", lambda one: "finished_at" in one)
    del item["finished_at"]
    town.store.put("enrichments", item)
    yield


# ── goods, pages ──


@sees("Goods", " was deleted, and is there")
def an_item_that_is_there_still(town: Town) -> Iterator[None]:
    with _changed(_trade(town, Goods)._costs, lambda cost: cost is not None, None):
        yield


@sees("Goods", " is to cost ")
def an_item_that_costs_something_else(town: Town) -> Iterator[None]:
    with _changed(_trade(town, Goods)._costs, lambda cost: cost is not None, "1.00"):
        yield


@sees("Goods", "the import ")
def an_import_that_is_lost(town: Town) -> Iterator[None]:
    files = _trade(town, Goods)._files
    files.append((TENANTS[0], "0" * 32))
    yield
    files.pop()


@sees("Pages", ", and Sluice has confirmed ")
def another_price_of_a_shop(town: Town) -> Iterator[None]:
    pages = _trade(town, Pages)
    url = next(iter(pages._tracked))[1]
    kept, pages._prices[url] = pages._prices[url], "1.00"
    yield
    pages._prices[url] = kept


@sees("Pages", " was not told all of ")
def an_alert_in_the_outbox(town: Town) -> Iterator[None]:
    town.store.put("trackers", {**_item(town, "trackers"), "outbox": {"S": json.dumps([{"id": "1"}])}})
    yield


# ── StockX ──


@sees("StockX", " listings for one request, of ")
def a_second_listing(town: Town) -> Iterator[None]:
    book, (tenant, listing) = town.sandbox.stockx._book, _listing(town)
    amount = listing.operations[0].change.amount
    made = book.list_by_hand(tenant, listing.variant, Change(amount=amount), town.clock.time, OURS)
    yield
    del book._accounts[tenant].listings[made]


@sees("StockX", " was sent behind ")
def an_older_amount_behind_a_newer_one(town: Town) -> Iterator[None]:
    tenant, listing = _listing(town)
    change, now = Change(amount="1", currency="USD"), town.clock.time
    town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, OURS)
    yield
    listing.operations.pop()
    listing.amount = next(one.change.amount or "" for one in reversed(listing.operations) if one.change.amount)


@sees("StockX", " times, and Sluice says ")
def an_update_sent_again_without_a_word(town: Town) -> Iterator[None]:
    """Of the amount that it has: Sluice knows of one sending at most, for no answer was lost."""
    tenant, listing = _listing(town)
    change, now = Change(amount=listing.amount), town.clock.time
    for _ in range(4):
        town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, OURS)
    yield
    del listing.operations[-4:]


@sees("StockX", " was taken and is not there")
def a_listing_that_is_not_stored(town: Town) -> Iterator[None]:
    mine = _trade(town, StockX)._mine
    mine["lost"] = Mine(TENANTS[0], "lost", "1")
    yield
    del mine["lost"]


@sees("StockX", "changes are open still: ")
def a_change_that_is_open(town: Town) -> Iterator[None]:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "changes": {"M": {"1": {"S": "x"}}}})
    yield


@sees("StockX", " was asked for last, and the history ends with ")
def an_amount_that_was_forgotten(town: Town) -> Iterator[None]:
    mine, _, _ = _mine(town)
    kept, mine.amount = mine.amount, "999999"
    yield
    mine.amount = kept


@sees("StockX", " here, and StockX has none")
def a_listing_that_stockx_lacks(town: Town) -> Iterator[None]:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "marketplace_id": {"S": "none"}})
    yield


@sees("StockX", "it is FAILED here, and ")
def a_failure_that_was_none(town: Town) -> Iterator[None]:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "status": {"S": "FAILED"}})
    yield


@sees("StockX", " at StockX")
def another_status(town: Town) -> Iterator[None]:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "status": {"S": "INACTIVE"}})
    yield


@sees("StockX", " at StockX, and ")
def another_amount(town: Town) -> Iterator[None]:
    _, _, there = _mine(town)
    kept, there.amount = there.amount, "999999"
    yield
    there.amount = kept


# ── eBay ──


@sees("Ebay", "it was taken and is not there")
def a_record_that_is_not_stored(town: Town) -> Iterator[None]:
    wanted = _trade(town, Ebay)._wanted
    wanted[TENANTS[0], "LOST"] = Wanted(TENANTS[0], record("LOST"))
    yield
    del wanted[TENANTS[0], "LOST"]


@sees("Ebay", " live listings")
@sees("Ebay", " offers")
def a_second_offer(town: Town) -> Iterator[None]:
    known, offer, shop = _for_sale(town)
    shop.offers["spoiled"] = Offer("spoiled", known.want.sku, offer.site, dict(offer.body), offer.listing)
    yield
    del shop.offers["spoiled"]


@sees("Ebay", "what is wanted is not published: ")
def a_record_that_is_not_published(town: Town) -> Iterator[None]:
    known, _, _ = _for_sale(town)
    stored = town.store.item("ebay_listings", tenant=known.tenant, sku=known.want.sku)
    assert stored
    town.store.put("ebay_listings", {**stored, "record_hash": {"S": "another"}})
    yield


@sees("Ebay", "it is to be ended and ")
def a_listing_that_is_live_still(town: Town) -> Iterator[None]:
    known, _, _ = _for_sale(town)
    kept, known.want = known.want, replace(known.want, status=Status.ENDED)
    yield
    known.want = kept


@sees("Ebay", "it is to be for sale, and is not")
def a_listing_that_has_ended(town: Town) -> Iterator[None]:
    _, offer, _ = _for_sale(town)
    yield from _ended(offer)


@sees("Ebay", "its offer is ")
@sees("Ebay", "what eBay shows is not what Sluice knows of it")
def another_price_at_ebay(town: Town) -> Iterator[None]:
    known, offer, _ = _for_sale(town)
    kept = dict(offer.body)
    town.sandbox.ebay.edit_offer(known.tenant, offer.sku, price="1.00")
    yield
    offer.body = kept


@sees("Ebay", "its item is ")
def another_title_at_ebay(town: Town) -> Iterator[None]:
    known, _, shop = _for_sale(town)
    yield from _another_title(shop, known.want.sku)


@sees("Ebay", " are for sale, and ")
def another_quantity_at_ebay(town: Town) -> Iterator[None]:
    known, _, shop = _for_sale(town)
    yield from _another_quantity(shop, known.want.sku)


@sees("Ebay", " listings, of which ")
def a_listing_too_many(town: Town) -> Iterator[None]:
    shop = town.sandbox.ebay.shop(TENANTS[0])
    kept = list(shop.listings)
    shop.listings += [EbayListing(str(number), TENANTS[0], "EBAY_US", "ENDED") for number in range(99)]
    yield
    shop.listings = kept


@sees("Ebay", " times though it was there")
def an_ad_asked_for_twice(town: Town) -> Iterator[None]:
    town.sandbox.ads.repeated["110"] += 1
    yield
    town.sandbox.ads.repeated.clear()


@sees("Ebay", " ads")
def a_second_ad(town: Town) -> Iterator[None]:
    ads = town.sandbox.ads._ads
    (_, listing_id), ad = next(iter(ads.items()))
    ads["spoiled", listing_id] = ad
    yield
    del ads["spoiled", listing_id]


@sees("Ebay", " has an ad at ")
def another_rate(town: Town) -> Iterator[None]:
    rates, ends = _trade(town, Ebay)._rates, town.ends
    place = next(
        (tenant, listing_id)
        for tenant, listing_id in rates
        if (end := ends.get((tenant, f"promotion.create:ebay:{tenant}:{listing_id}"))) and end.state == SUCCEEDED
    )
    kept, rates[place] = rates[place], "1.0"
    yield
    rates[place] = kept


# ── files of records ──


@sees("Files", "the import ")
def an_import_of_records_that_is_lost(town: Town) -> Iterator[None]:
    files = _trade(town, Files)._files
    files.append((TENANTS[0], "0" * 32))
    yield
    files.pop()


@sees("Files", " was in a file, and is not published")
@sees("Files", " is for sale at ")
def a_record_of_a_file_that_is_not_there(town: Town) -> Iterator[None]:
    wanted = _trade(town, Files)._wanted
    wanted[TENANTS[0], "LOST"] = record("LOST")
    yield
    del wanted[TENANTS[0], "LOST"]


# ── groups at eBay ──


@sees("Groups", "it was taken and is not there")
def a_group_that_is_not_stored(town: Town) -> Iterator[None]:
    wanted = _trade(town, Groups)._wanted
    wanted["nobody"] = WantedGroup(SHOES, {})
    yield
    del wanted["nobody"]


@sees("Groups", " live listings: ")
def two_listings_of_a_group(town: Town) -> Iterator[None]:
    tenant, known, shop = _group(town)
    sku = next(iter(known.members))
    listing = EbayListing("spoiled", tenant, "EBAY_US")
    shop.offers["spoiled"] = Offer("spoiled", sku, "EBAY_US", {}, listing)
    yield
    del shop.offers["spoiled"]


@sees("Groups", "what is wanted is not published: ")
def a_group_that_is_not_published(town: Town) -> Iterator[None]:
    tenant, known, _ = _group(town)
    stored = town.store.item("ebay_listings", tenant=group_owner(tenant), sku=known.group.key)
    assert stored
    town.store.put("ebay_listings", {**stored, "record_hash": {"S": "another"}})
    yield


@sees("Groups", "it is to be ended, and ")
def a_group_that_is_live_still(town: Town) -> Iterator[None]:
    _, known, _ = _group(town)
    kept, known.group = known.group, replace(known.group, status=Status.ENDED)
    yield
    known.group = kept


@sees("Groups", "it is to be for sale, and is not")
def a_group_that_has_ended(town: Town) -> Iterator[None]:
    _, known, shop = _group(town)
    yield from _ended(shop.offers_of(_size(known, shop))[0])


@sees("Groups", "it is to be for sale in it, and is not")
def a_size_that_is_not_in_the_listing(town: Town) -> Iterator[None]:
    _, known, shop = _group(town)
    offers = [one for sku in known.members for one in shop.offers_of(sku) if one.status == "PUBLISHED"]
    wanted = [one for one in offers if known.members[one.sku].shown_quantity]
    if len(offers) < 2 or not wanted:
        raise NothingToSpoil
    kept, wanted[0].listing = wanted[0].listing, None
    yield
    wanted[0].listing = kept


@sees("Groups", "as eBay shows it, it is ")
def another_title_of_a_group(town: Town) -> Iterator[None]:
    _, known, shop = _group(town)
    body = shop.groups[known.group.key]
    kept, body["title"] = body["title"], "spoiled"
    yield
    body["title"] = kept


@sees("Groups", " has ")
def a_second_offer_of_a_size(town: Town) -> Iterator[None]:
    _, known, shop = _group(town)
    offer = shop.offers_of(next(iter(known.members)))[0]
    shop.offers["spoiled"] = Offer("spoiled", offer.sku, offer.site, {}, None)
    yield
    del shop.offers["spoiled"]


@sees("Groups", " are for sale, and ")
def another_quantity_of_a_size(town: Town) -> Iterator[None]:
    _, known, shop = _group(town)
    yield from _another_quantity(shop, _size(known, shop))


@sees("Groups", "it costs ")
def a_size_that_costs_something_else(town: Town) -> Iterator[None]:
    tenant, known, shop = _group(town)
    [offer] = shop.offers_of(_size(known, shop))
    kept = dict(offer.body)
    town.sandbox.ebay.edit_offer(tenant, offer.sku, price="1.00")
    yield
    offer.body = kept


@sees("Groups", "its item is ")
def another_title_of_a_size(town: Town) -> Iterator[None]:
    _, known, shop = _group(town)
    yield from _another_title(shop, _size(known, shop))


# ── where to find one ──


def _item(town: Town, table: str, fits: Callable[[Item], bool] = lambda _: True) -> Item:
    return next(one for one in town.store.items(table) if fits(one))


def _job(town: Town) -> Item:
    """A job of a tenant that is over."""
    return _item(town, "jobs", lambda one: "kind" in one and one["tenant"]["S"] in TENANTS)


def _trade(town: Town, kind: type[T]) -> T:
    return next(trade for trade in town.trades if isinstance(trade, kind))


@contextmanager
def _changed(known: dict[tuple[str, str], Any], fits: Callable[[Any], bool], value: Any) -> Iterator[None]:
    """One of what is known has another value."""
    place = next(place for place, stands in known.items() if fits(stands))
    kept, known[place] = known[place], value
    yield
    known[place] = kept


def _listing(town: Town) -> tuple[str, Listing]:
    """A listing that is for sale at StockX, with its tenant."""
    found = [(tenant, one) for tenant in TENANTS for one in town.sandbox.stockx._book.listings(tenant, town.clock.time)]
    return next((tenant, one) for tenant, one in found if one.status == "ACTIVE")


def _mine(town: Town) -> tuple[Mine, Item, Listing]:
    """A listing that is for sale and that nobody else has touched: as its owner, Sluice and StockX know it."""
    trade = _trade(town, StockX)
    for mine in trade._mine.values():
        there = trade._listing_of(mine)
        stored = town.store.item("listings", tenant=mine.tenant, listing_id=mine.listing_id)
        if there and stored and there.status == "ACTIVE" and not mine.touched:
            return mine, stored, town.sandbox.stockx._book.find(mine.tenant, there.listing_id, town.clock.time)
    raise NothingToSpoil


def _for_sale(town: Town) -> tuple[Wanted, Offer, Shop]:
    """A record at eBay that is for sale as it should be, its offer, and the shop."""
    for known in _trade(town, Ebay)._wanted.values():
        shop = town.sandbox.ebay.shop(known.tenant)
        offers = [one for one in shop.offers_of(known.want.sku) if one.listing and one.listing.status == "ACTIVE"]
        if offers and not known.ended and not known.sold:
            return known, offers[0], shop
    raise NothingToSpoil


def _group(town: Town) -> tuple[str, WantedGroup, Shop]:
    """A group with a size that is for sale."""
    for tenant, known in _trade(town, Groups)._wanted.items():
        shop = town.sandbox.ebay.shop(tenant)
        if known.is_for_sale and not known.ended and any(shop.live_of(sku) for sku in known.members):
            return tenant, known, shop
    raise NothingToSpoil


def _size(known: WantedGroup, shop: Shop) -> str:
    """A size of the group that is for sale."""
    return next(sku for sku in known.members if list(shop.live_of(sku)) and known.members[sku].shown_quantity)


def _ended(offer: Offer) -> Iterator[None]:
    assert offer.listing
    kept, offer.listing.status = offer.listing.status, "ENDED"
    yield
    offer.listing.status = kept


def _another_title(shop: Shop, sku: str) -> Iterator[None]:
    body = shop.items[sku].body
    kept, body["product"] = body["product"], {**body["product"], "title": "spoiled"}
    yield
    body["product"] = kept


def _another_quantity(shop: Shop, sku: str) -> Iterator[None]:
    [offer] = shop.offers_of(sku)
    kept = deepcopy((shop.items[sku].body, offer.body))
    shop.set_quantity(offer, 99)
    yield
    shop.items[sku].body, offer.body = kept
