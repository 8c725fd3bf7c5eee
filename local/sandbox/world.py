"""Everything the sandbox knows, without the server: the marketplaces, the switches and the log, around one clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from local.sandbox.accounts import Accounts
from local.sandbox.alias.api import Alias
from local.sandbox.catalog.catalog import Catalog
from local.sandbox.ebay.api import EBay
from local.sandbox.ebay.feed.api import Feed
from local.sandbox.ebay.inventory.account import Account
from local.sandbox.ebay.inventory.api import Inventory
from local.sandbox.ebay.inventory.book import Listings
from local.sandbox.ebay.inventory.taxonomy import Taxonomy
from local.sandbox.ebay.marketing.api import Marketing
from local.sandbox.ebay.marketing.book import Book
from local.sandbox.faults import Faults, Latency
from local.sandbox.front import Front
from local.sandbox.limits import Limits, Quotas
from local.sandbox.log import Log
from local.sandbox.report import TEN_MINUTES_MS, Report, report
from local.sandbox.shops.shops import Shelves
from local.sandbox.stockx.api import StockX

Clock = Callable[[], int]


def wall_clock() -> int:
    """Now, in epoch ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class World:
    """One sandbox. `front` answers calls; the rest is what the control plane and the tests reach for."""

    seed: int
    clock: Clock
    accounts: Accounts
    faults: Faults
    quotas: Quotas
    log: Log
    stockx: StockX
    ads: Book
    ebay: Listings
    front: Front
    shelves: Shelves
    catalog: Catalog

    def report(self, duplicates_within_ms: int = TEN_MINUTES_MS) -> Report:
        """What the marketplaces saw, and what they were told to create."""
        return report(self.log.entries(), duplicates_within_ms, self.stockx.creates(self.clock()))


def build(
    seed: int,
    *,
    clock: Clock = wall_clock,
    products: int = 0,
    token_seconds: int = 43_200,
    limits: Limits | None = None,
    latency: Latency | None = None,
) -> World:
    """`products` is the number of synthetic ones; `limits` take the place of each marketplace's own."""
    accounts, faults, quotas, log = Accounts(seed, token_seconds), Faults(seed), Quotas(), Log()
    catalog = Catalog(products)
    stockx = StockX(seed, catalog, accounts, faults)
    marketing = Marketing(seed, accounts, faults)
    listings = Listings(seed, marketing.book)
    marketplaces = (
        stockx,
        Alias(seed, catalog, accounts),
        EBay(seed, catalog, accounts, quotas),
        marketing,
        Inventory(accounts, listings, faults),
        Account(accounts, listings),
        Taxonomy(accounts),
        Feed(seed, accounts, listings, faults),
    )
    for marketplace in marketplaces:
        quotas.set(marketplace.name, limits or marketplace.limits)
    front = Front(seed, clock, marketplaces, faults, quotas, log, latency or Latency())
    return World(
        seed, clock, accounts, faults, quotas, log, stockx, marketing.book, listings, front, Shelves(seed), catalog
    )
