"""A town in which one thing is as it must not be, for each thing that is looked at in the end.

Each stands here with who must see it (`Engine`, or one of the trades) and with words of what they say then.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

import pytest

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
Spoil = Callable[[Town, pytest.MonkeyPatch], None]


class Spoiled(NamedTuple):
    """who: must see it. said: of it. how: does it, with a patch for all that is not in tables: both are undone."""

    who: str
    said: str
    how: Spoil


class NothingToSpoil(LookupError):  # noqa: N818 - what it is
    """In this town there is no such thing."""


SPOILED: Final[list[Spoiled]] = []


def sees(who: str, said: str) -> Callable[[Spoil], Spoil]:
    """The function spoils a town: then `who` says this."""

    def keep(how: Spoil) -> Spoil:
        SPOILED.append(Spoiled(who, said, how))
        return how

    return keep


@contextmanager
def spoiled(town: Town, one: Spoiled) -> Iterator[None]:
    """Within it the town is spoiled."""
    before = town.store.value()
    with pytest.MonkeyPatch.context() as patch:
        try:
            try:
                one.how(town, patch)
            except StopIteration as missing:  # what is looked for with `next` is not there
                raise NothingToSpoil from missing
            yield
        finally:
            town.store.become(before)


# ── the engine ──


@sees("Engine", "over its limit,")
def over_a_limit(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(town.sandbox.log.entries(marketplace="stockx")[0], "over", "hour")


@sees("Engine", ", and heard of its end at ")
@sees("Pages", " and heard of none")
def nobody_heard(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(town.mailroom, "by_tenant", {tenant: {} for tenant in TENANTS})
    town.store.put("trackers", {**_item(town, "trackers"), "alerts": {"S": json.dumps([{"id": "1"}])}})


@sees("Engine", " is dead, and has no dead letter")
def a_death_without_a_letter(town: Town, patch: pytest.MonkeyPatch) -> None:
    data = {"jobId": "market.refresh:gone", "state": "dead"}
    got = {"type": "job.dead", "timestamp": "2026-11-22T12:00:00.000Z", "data": data}
    patch.setitem(town.mailroom.by_tenant[TENANTS[0]], "spoiled", got)


@sees("Engine", "a handler failed ")
def a_fault_of_a_handler(town: Town, patch: pytest.MonkeyPatch) -> None:
    entry = {"at": 1, "event": "failed", "attempt": 1, "code": "handler_error", "message": "KeyError 'x'"}
    town.store.put("jobs", {**_job(town), "history": {"S": json.dumps([entry])}})


@sees("Engine", " are counted, and ")
def a_job_that_is_not_counted(town: Town, patch: pytest.MonkeyPatch) -> None:
    town.store.put("jobs", {**_job(town), "state": {"S": "queued"}})


@sees("Engine", "the seat ")
def a_seat_that_is_taken(town: Town, patch: pytest.MonkeyPatch) -> None:
    later = str(town.clock.time + 3_600_000)
    town.store.put("budgets", {"budget": {"S": "x"}, "window": {"S": "seats"}, "s1": {"N": later}})


@sees("Engine", "a message of ")
def a_message_that_failed(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(town, "set_aside", [*town.set_aside, ("work", Message(0, "x"))])


@sees("Engine", "a message was set aside: ")
def a_message_set_aside(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(town.queues, "dead", [*town.queues["dead"], Message(0, "x")])


# ── accounts, mails, webhooks, configuration, operators ──


@sees("Accounts", "account ")
def a_broken_account(town: Town, patch: pytest.MonkeyPatch) -> None:
    item = _item(town, "accounts", lambda one: "status" in one)
    town.store.put("accounts", {**item, "status": {"S": "BROKEN"}})


@sees("Mails", " waits for a mail: ")
def a_line_that_waits(town: Town, patch: pytest.MonkeyPatch) -> None:
    town.store.put("notifications", {"tenant": {"S": TENANTS[0]}, "entry": {"S": "waits#1"}})


@sees("Mails", "no mail tells ")
@sees("Readers", "it is not told of ")
def an_event_that_nobody_took_in(town: Town, patch: pytest.MonkeyPatch) -> None:
    lost = Told(TENANTS[:1], "lost", "job.dead", "2026-11-22T12:00:00.000Z", {})
    patch.setattr(town, "told", [*town.told, lost])


@sees("Mails", " are told as sent, and ")
def a_mail_that_was_not_sent(town: Town, patch: pytest.MonkeyPatch) -> None:
    texts = {name: {"S": "x"} for name in ("subject", "text")}
    numbers = {name: {"N": "1"} for name in ("at", "lines")}
    for number in range(town.posted[TENANTS[0]] + 1):
        key = {"tenant": {"S": TENANTS[0]}, "entry": {"S": f"mail#{number:013d}-spoiled"}}
        town.store.put("notifications", {**key, **texts, **numbers, "state": {"S": "SENT"}})


@sees("Hooks", " is on its way to ")
def a_delivery_that_does_not_arrive(town: Town, patch: pytest.MonkeyPatch) -> None:
    town.store.put("deliveries", {**_item(town, "deliveries", lambda one: "state" in one), "state": {"S": "pending"}})


@sees("Settings", ", and is told as ")
@sees("Settings", "the configuration was put back, and is ")
def another_configuration(town: Town, patch: pytest.MonkeyPatch) -> None:
    _keep(patch, town.parameter, "versions")
    town.parameter.put('{"engine": {"batch": 0}}')


@sees("Operators", "the action ")
def an_action_that_runs_on(town: Town, patch: pytest.MonkeyPatch) -> None:
    made = _item(town, "actions", lambda one: one["owner"]["S"] in TENANTS and "action" in one)
    at = {"updated_at": {"N": str(town.clock.time)}, "job_id": {"S": "spoiled"}}
    town.store.put("actions", {**made, **at, "state": {"S": actions.RUNNING}})


# ── the feed, enrichment ──


@sees("Readers", " is told ")
def an_event_told_twice(town: Town, patch: pytest.MonkeyPatch) -> None:
    item = _item(town, "events", lambda one: not one["event"]["S"].startswith("~"))
    at, _, rest = item["event"]["S"].partition("#")
    town.store.put("events", {**item, "event": {"S": f"{int(at) + 1}#{rest}"}})


@sees("Readers", "it is told of what did not happen to it: ")
def an_event_of_somebody_else(town: Town, patch: pytest.MonkeyPatch) -> None:
    shown = next(one for one in town.told if one.tenants[0] in TENANTS and one.kind.startswith("listing."))
    told = [one._replace(tenants=("nobody",)) if one.event_id == shown.event_id else one for one in town.told]
    patch.setattr(town, "told", told)


@sees("Enrichers", " was looked up ")
def an_old_product(town: Town, patch: pytest.MonkeyPatch) -> None:
    product = next(iter(Product.scan()))
    stored = town.store.item("catalog", product=product.product)
    assert stored
    town.store.put("catalog", {**stored, "updated_at": {"N": "1"}})


@sees("Enrichers", " is not over: ")
def an_enrichment_that_is_not_finished(town: Town, patch: pytest.MonkeyPatch) -> None:
    item = _item(town, "enrichments", lambda one: "finished_at" in one)
    del item["finished_at"]
    town.store.put("enrichments", item)


# ── goods, pages ──


@sees("Goods", " was deleted, and is there")
def an_item_that_is_there_still(town: Town, patch: pytest.MonkeyPatch) -> None:
    _costs_now(town, patch, None)


@sees("Goods", " is to cost ")
def an_item_that_costs_something_else(town: Town, patch: pytest.MonkeyPatch) -> None:
    _costs_now(town, patch, "1.00")


@sees("Goods", "the import ")
def an_import_that_is_lost(town: Town, patch: pytest.MonkeyPatch) -> None:
    trade = _trade(town, Goods)
    patch.setattr(trade, "_files", [*trade._files, (TENANTS[0], "0" * 32)])


@sees("Pages", ", and Sluice has confirmed ")
def another_price_of_a_shop(town: Town, patch: pytest.MonkeyPatch) -> None:
    pages = _trade(town, Pages)
    patch.setitem(pages._prices, next(iter(pages._tracked))[1], "1.00")


@sees("Pages", " was not told all of ")
def an_alert_in_the_outbox(town: Town, patch: pytest.MonkeyPatch) -> None:
    town.store.put("trackers", {**_item(town, "trackers"), "outbox": {"S": json.dumps([{"id": "1"}])}})


# ── StockX ──


@sees("StockX", " listings for one request, of ")
def a_second_listing(town: Town, patch: pytest.MonkeyPatch) -> None:
    book, (tenant, listing) = town.sandbox.stockx._book, _listing(town)
    amount = listing.operations[0].change.amount
    _keep(patch, book._accounts[tenant], "listings")
    book.list_by_hand(tenant, listing.variant, Change(amount=amount), town.clock.time, OURS)


@sees("StockX", " was sent behind ")
def an_older_amount_behind_a_newer_one(town: Town, patch: pytest.MonkeyPatch) -> None:
    tenant, listing = _listing(town)
    change, now = Change(amount="1", currency="USD"), town.clock.time
    _keep(patch, listing, "operations", "amount")
    town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, OURS)


@sees("StockX", " times, and Sluice says ")
def an_update_sent_again_without_a_word(town: Town, patch: pytest.MonkeyPatch) -> None:
    """Of the amount that it has: Sluice knows of one sending at most, for no answer was lost."""
    tenant, listing = _listing(town)
    change, now = Change(amount=listing.amount), town.clock.time
    _keep(patch, listing, "operations")
    for _ in range(4):
        town.sandbox.stockx._book.by_hand(tenant, listing.listing_id, "UPDATE", change, now, OURS)


@sees("StockX", " was taken and is not there")
def a_listing_that_is_not_stored(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(_trade(town, StockX)._mine, "lost", Mine(TENANTS[0], "lost", "1"))


@sees("StockX", "changes are open still: ")
def a_change_that_is_open(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "changes": {"M": {"1": {"S": "x"}}}})


@sees("StockX", " was asked for last, and the history ends with ")
def an_amount_that_was_forgotten(town: Town, patch: pytest.MonkeyPatch) -> None:
    mine, _, _ = _mine(town)
    patch.setattr(mine, "amount", "999999")


@sees("StockX", " here, and StockX has none")
def a_listing_that_stockx_lacks(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "marketplace_id": {"S": "none"}})


@sees("StockX", "it is FAILED here, and ")
def a_failure_that_was_none(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "status": {"S": "FAILED"}})


@sees("StockX", " at StockX")
def another_status(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, stored, _ = _mine(town)
    town.store.put("listings", {**stored, "status": {"S": "INACTIVE"}})


@sees("StockX", " at StockX, and ")
def another_amount(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, _, there = _mine(town)
    patch.setattr(there, "amount", "999999")


# ── eBay ──


@sees("Ebay", "it was taken and is not there")
def a_record_that_is_not_stored(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(_trade(town, Ebay)._wanted, (TENANTS[0], "LOST"), Wanted(TENANTS[0], record("LOST")))


@sees("Ebay", " live listings")
@sees("Ebay", " offers")
def a_second_offer(town: Town, patch: pytest.MonkeyPatch) -> None:
    known, offer, shop = _for_sale(town)
    second = Offer("spoiled", known.want.sku, offer.site, dict(offer.body), offer.listing)
    patch.setitem(shop.offers, "spoiled", second)


@sees("Ebay", "what is wanted is not published: ")
def a_record_that_is_not_published(town: Town, patch: pytest.MonkeyPatch) -> None:
    known, _, _ = _for_sale(town)
    _unpublish(town, known.tenant, known.want.sku)


@sees("Ebay", "it is to be ended and ")
def a_listing_that_is_live_still(town: Town, patch: pytest.MonkeyPatch) -> None:
    known, _, _ = _for_sale(town)
    patch.setattr(known, "want", replace(known.want, status=Status.ENDED))


@sees("Ebay", "it is to be for sale, and is not")
def a_listing_that_has_ended(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, offer, _ = _for_sale(town)
    _end(patch, offer)


@sees("Ebay", "its offer is ")
@sees("Ebay", "what eBay shows is not what Sluice knows of it")
def another_price_at_ebay(town: Town, patch: pytest.MonkeyPatch) -> None:
    known, offer, _ = _for_sale(town)
    _keep(patch, offer, "body")
    town.sandbox.ebay.edit_offer(known.tenant, offer.sku, price="1.00")


@sees("Ebay", "its item is ")
def another_title_at_ebay(town: Town, patch: pytest.MonkeyPatch) -> None:
    known, _, shop = _for_sale(town)
    _another_title(patch, shop, known.want.sku)


@sees("Ebay", " are for sale, and ")
def another_quantity_at_ebay(town: Town, patch: pytest.MonkeyPatch) -> None:
    known, _, shop = _for_sale(town)
    _another_quantity(patch, shop, known.want.sku)


@sees("Ebay", " listings, of which ")
def a_listing_too_many(town: Town, patch: pytest.MonkeyPatch) -> None:
    shop = town.sandbox.ebay.shop(TENANTS[0])
    more = [EbayListing(str(number), TENANTS[0], "EBAY_US", "ENDED") for number in range(99)]
    patch.setattr(shop, "listings", [*shop.listings, *more])


@sees("Ebay", " times though it was there")
def an_ad_asked_for_twice(town: Town, patch: pytest.MonkeyPatch) -> None:
    repeated = town.sandbox.ads.repeated
    patch.setitem(repeated, "110", repeated["110"] + 1)


@sees("Ebay", " ads")
def a_second_ad(town: Town, patch: pytest.MonkeyPatch) -> None:
    ads = town.sandbox.ads._ads
    (_, listing_id), ad = next(iter(ads.items()))
    patch.setitem(ads, ("spoiled", listing_id), ad)


@sees("Ebay", " has an ad at ")
def another_rate(town: Town, patch: pytest.MonkeyPatch) -> None:
    rates, ends = _trade(town, Ebay)._rates, town.ends
    place = next(
        (tenant, listing_id)
        for tenant, listing_id in rates
        if (end := ends.get((tenant, f"promotion.create:ebay:{tenant}:{listing_id}"))) and end.state == SUCCEEDED
    )
    patch.setitem(rates, place, "1.0")


# ── files of records ──


@sees("Files", "the import ")
def an_import_of_records_that_is_lost(town: Town, patch: pytest.MonkeyPatch) -> None:
    trade = _trade(town, Files)
    patch.setattr(trade, "_files", [*trade._files, (TENANTS[0], "0" * 32)])


@sees("Files", " was in a file, and is not published")
@sees("Files", " is for sale at ")
def a_record_of_a_file_that_is_not_there(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(_trade(town, Files)._wanted, (TENANTS[0], "LOST"), record("LOST"))


# ── groups at eBay ──


@sees("Groups", "it was taken and is not there")
def a_group_that_is_not_stored(town: Town, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(_trade(town, Groups)._wanted, "nobody", WantedGroup(SHOES, {}))


@sees("Groups", " live listings: ")
def two_listings_of_a_group(town: Town, patch: pytest.MonkeyPatch) -> None:
    tenant, known, shop = _group(town)
    sku = next(iter(known.members))
    listing = EbayListing("spoiled", tenant, "EBAY_US")
    patch.setitem(shop.offers, "spoiled", Offer("spoiled", sku, "EBAY_US", {}, listing))


@sees("Groups", "what is wanted is not published: ")
def a_group_that_is_not_published(town: Town, patch: pytest.MonkeyPatch) -> None:
    tenant, known, _ = _group(town)
    _unpublish(town, group_owner(tenant), known.group.key)


@sees("Groups", "it is to be ended, and ")
def a_group_that_is_live_still(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, _ = _group(town)
    patch.setattr(known, "group", replace(known.group, status=Status.ENDED))


@sees("Groups", "it is to be for sale, and is not")
def a_group_that_has_ended(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, shop = _group(town)
    _end(patch, shop.offers_of(_size(known, shop))[0])


@sees("Groups", "it is to be for sale in it, and is not")
def a_size_that_is_not_in_the_listing(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, shop = _group(town)
    offers = [one for sku in known.members for one in shop.offers_of(sku) if one.status == "PUBLISHED"]
    wanted = [one for one in offers if known.members[one.sku].shown_quantity]
    if len(offers) < 2 or not wanted:
        raise NothingToSpoil
    patch.setattr(wanted[0], "listing", None)


@sees("Groups", "as eBay shows it, it is ")
def another_title_of_a_group(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, shop = _group(town)
    patch.setitem(shop.groups[known.group.key], "title", "spoiled")


@sees("Groups", " has ")
def a_second_offer_of_a_size(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, shop = _group(town)
    offer = next(offer for sku in known.members for offer in shop.offers_of(sku))
    patch.setitem(shop.offers, "spoiled", Offer("spoiled", offer.sku, offer.site, {}, None))


@sees("Groups", " are for sale, and ")
def another_quantity_of_a_size(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, shop = _group(town)
    _another_quantity(patch, shop, _size(known, shop))


@sees("Groups", "it costs ")
def a_size_that_costs_something_else(town: Town, patch: pytest.MonkeyPatch) -> None:
    tenant, known, shop = _group(town)
    [offer] = shop.offers_of(_size(known, shop))
    _keep(patch, offer, "body")
    town.sandbox.ebay.edit_offer(tenant, offer.sku, price="1.00")


@sees("Groups", "its item is ")
def another_title_of_a_size(town: Town, patch: pytest.MonkeyPatch) -> None:
    _, known, shop = _group(town)
    _another_title(patch, shop, _size(known, shop))


# ── where to find one ──


def _item(town: Town, table: str, fits: Callable[[Item], bool] = lambda _: True) -> Item:
    return next(one for one in town.store.items(table) if fits(one))


def _job(town: Town) -> Item:
    """A job of a tenant that is over."""
    return _item(town, "jobs", lambda one: "kind" in one and one["tenant"]["S"] in TENANTS)


def _trade(town: Town, kind: type[T]) -> T:
    return next(trade for trade in town.trades if isinstance(trade, kind))


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


# ── how it is spoiled ──


def _keep(patch: pytest.MonkeyPatch, thing: object, *names: str) -> None:
    """What is done from here on to these attributes of the thing, lists and dicts among them, is undone."""
    for name in names:
        patch.setattr(thing, name, copy(getattr(thing, name)))


def _costs_now(town: Town, patch: pytest.MonkeyPatch, cost: str | None) -> None:
    """An item that has a cost is to have another one, or none."""
    costs = _trade(town, Goods)._costs
    patch.setitem(costs, next(place for place, known in costs.items() if known is not None), cost)


def _unpublish(town: Town, owner: str, sku: str) -> None:
    stored = town.store.item("ebay_listings", tenant=owner, sku=sku)
    assert stored
    town.store.put("ebay_listings", {**stored, "record_hash": {"S": "another"}})


def _end(patch: pytest.MonkeyPatch, offer: Offer) -> None:
    assert offer.listing
    patch.setattr(offer.listing, "status", "ENDED")


def _another_title(patch: pytest.MonkeyPatch, shop: Shop, sku: str) -> None:
    body = shop.items[sku].body
    patch.setitem(body, "product", {**body["product"], "title": "spoiled"})


def _another_quantity(patch: pytest.MonkeyPatch, shop: Shop, sku: str) -> None:
    [offer], item = shop.offers_of(sku), shop.items[sku]
    _keep(patch, offer, "body")
    patch.setattr(item, "body", deepcopy(item.body))
    shop.set_quantity(offer, 99)
