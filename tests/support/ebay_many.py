"""A seller with thousands of live listings, and others who change them: the reconciler's day, minute by minute.

Listings are written as the publisher leaves them. Everything else is real: the reconciler, the engine, the adapter and
the sandbox's eBay, on a clock of the simulation's own.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from local.sandbox.ebay.inventory import echo as shown
from local.sandbox.ebay.inventory.book import Item
from local.sandbox.ebay.inventory.offers import offer_shown
from sluice.listings.ebay import documents, hashes, projection, reconciler, sellers, shares
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift
from sluice.listings.ebay.table import LIVE, Record
from sluice.marketplaces.ebay.inventory import _offer
from sluice.marketplaces.http.fields import Value
from sluice.platform import aws
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.context import Context
from sluice.platform.packing import pack
from tests.support.ebay_seller import ACCOUNT, TENANT, EbaySeller
from tests.support.ebay_wanted import IDS, record

# What others do, and how many of a hundred changes each is. Assumed: buyers buy, other programs of the seller reprice
# and end; eBay puts few listings on hold.
DEEDS = {"sell": 50, "price": 20, "end": 18, "title": 10, "hold": 2}


@dataclass
class Found:
    """What a simulation came to.

    ages: of each change that was found, minutes; by_deed: the same by what was done. told_age: the mean age that Sluice
    told at the end, minutes; items_age, report_age: of what sweeps and reports show, 0 without them.
    missed: never found. twice: told again. minutes: played.
    """

    ages: list[float] = field(default_factory=list)
    by_deed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    told_age: float = 0.0
    items_age: float = 0.0
    report_age: float = 0.0
    missed: int = 0
    twice: int = 0
    calls_a_day: float = 0.0
    minutes: int = 0

    @property
    def mean_age(self) -> float:
        """Minutes."""
        return fmean(self.ages)


def list_many(seller: EbaySeller, number: int) -> list[str]:
    """So many live listings, with no publish; their skus."""
    skus = [f"S-{one:05}" for one in range(number)]
    with Record.batch_write() as batch:
        for sku in skus:
            batch.save(_listed(seller, _wanted(sku)))
    sellers.watch(ACCOUNT, seller.clock.time)
    return skus


def watch(
    seller: EbaySeller,
    skus: list[str],
    *,
    percent: int,
    changes: int,
    least: int = 1,
    within: int = 0,
    deeds: Mapping[str, int] = DEEDS,
    seed: int = 7,
) -> Found:
    """Rounds of the reconciler, with `changes` at random times of the first of them, until all are found.

    percent: of the quota, for looks. least: so many minutes are played in any case. within: the changes are in the
    first minutes alone, so many. deeds: what is done, and how often each.
    """
    chance, found = random.Random(seed), Found()
    seller.configure(ebay=replace(seller.config.ebay, look_percent=percent))
    round_ms = shares.calls_for(len(skus)) * DAY // reconciler.per_day(seller.config)
    began, told, done = seller.clock.time, dict[str, int](), dict[str, str]()

    def heard(events: list[tuple[str, Mapping[str, Any]]]) -> None:
        for _, detail in events:
            found.twice += detail["sku"] in told
            told.setdefault(str(detail["sku"]), seller.clock.time)

    chosen = chance.sample(skus, changes)
    due = sorted((began + chance.randrange(within * MINUTE or max(round_ms, MINUTE)), sku) for sku in chosen)
    made = dict[str, int]()
    before, put_events = len(seller.calls(reads=True)), aws.put_events
    aws.put_events = heard  # type: ignore[assignment]
    try:
        while found.minutes < least or (len(told) < changes and found.minutes < 3 * round_ms / MINUTE + 30):
            while due and due[0][0] <= seller.clock.time:
                at, sku = due.pop(0)
                [done[sku]] = chance.choices(list(deeds), list(deeds.values()))
                _change(seller, sku, done[sku])
                made[sku] = at
            reconciler.run(Context(seller.clock, seller.config))
            seller.tick()
            found.minutes += 1
            seller.clock.time = max(seller.clock.time, began + found.minutes * MINUTE)
    finally:
        aws.put_events = put_events
    spent = len(seller.calls(reads=True)) - before
    found.calls_a_day = spent * DAY / (seller.clock.time - began)
    found.ages = [(told[sku] - at) / MINUTE for sku, at in made.items() if sku in told]
    for sku in told.keys() & made.keys():
        found.by_deed[done[sku]].append((told[sku] - made[sku]) / MINUTE)
    found.missed = changes - len(told)
    look = sellers.progress_of(ACCOUNT)
    found.told_age = ((look and shares.mean_age_ms(look)) or 0) / MINUTE
    found.items_age = ((look and shares.items_age_ms(look)) or 0) / MINUTE
    found.report_age = (shares.report_age_ms(sellers.report_of(ACCOUNT)) or 0) / MINUTE
    return found


def _wanted(sku: str) -> Desired:
    """A difference is left as it is: what is measured is finding it."""
    return record(sku, quantity=5, on_drift=dict.fromkeys(FieldGroup, OnDrift.IGNORE))


def _listed(seller: EbaySeller, want: Desired) -> Record:
    shop, now = seller.shop, seller.clock.time
    item, body = projection.item_body(want), projection.offer_body(want, IDS)
    shop.items[want.sku] = Item(want.sku, item, want.language)
    offer = seller.sandbox.ebay.new_offer(TENANT, want.sku, want.marketplace, body)
    seller.sandbox.ebay.publish(TENANT, [offer], now)
    seen = shown.item(want.sku, item, want.language, seller.sandbox.seed, [])
    echo = echoes.seen(want, IDS, seen, _offer(Value(offer_shown(offer), "$")))
    packed, stored = pack(documents.document(want)), pack(echo.stored())
    return Record(
        tenant=TENANT,
        sku=want.sku,
        version=1,
        desired=packed,
        record_hash=hashes.of_record(want),
        marketplace=want.marketplace,
        status=str(want.status),
        title=want.title,
        created_at=now,
        changed_at=now,
        changed_by="ann",
        published=packed,
        published_version=1,
        published_hash=hashes.of_record(want),
        published_at=now,
        hashes=hashes.of(want, IDS).stored(),
        policy_ids=IDS._asdict(),
        echo=stored,
        observed=stored,
        observed_at=now,
        offer_id=offer.offer_id,
        listing_id=echo.listing_id,
        standing=LIVE,
    )


def _change(seller: EbaySeller, sku: str, deed: str) -> None:
    ebay = seller.sandbox.ebay
    match deed:
        case "sell":
            ebay.sell(TENANT, sku)
        case "price":
            ebay.edit_offer(TENANT, sku, price="199.00")
        case "title":
            ebay.edit_item(TENANT, sku, title="Changed elsewhere")
        case "end":
            ebay.end_by_hand(TENANT, sku)
        case _:
            ebay.hold(TENANT, sku)
