"""Marketplace calls for the prices of 1,000 SKU and size pairs, over the smallest number that the APIs allow.

A hundred products in ten sizes each are asked for as background work, within the default limits, with a scheduler run
each virtual minute: once with an empty catalog, and again when those prices are no longer fresh. Token calls, which no
marketplace counts, are left out.

The smallest number: to find a product and its sizes takes the calls of `lookup_calls` (StockX a search and the list of
sizes, Alias a search that brings them, eBay none), once. A price takes one call for each product where the marketplace
answers all sizes together, and one for each size where it does not. No API answers several products.
"""

from dataclasses import dataclass
from threading import Event
from typing import cast

from bench.engine import Engine, engine, items
from bench.one import isolated
from bench.row import Row
from bench.virtual import VirtualClock
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import SUCCEEDED
from sluice.jobs.queue.enqueue import Enqueued
from sluice.marketplaces import registry
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.prices.ask import refresh

TENANT = "calls"
PRODUCTS, SIZES = 100, 10
PAIRS = PRODUCTS * SIZES
MARKETPLACES = ("stockx", "alias", "ebay")
# What may come on top: where a window's calls end in the middle of a product, two scheduler runs admit its sizes, and
# each asks. Once prices are stored the first call renews all of them, so that happens with an empty catalog only.
MOST_FIRST, MOST_AGAIN = 1.15, 1.05
# More hours than the slowest needs, so that a fault ends the benchmark.
MOST_MINUTES = 24 * 60


@dataclass(frozen=True)
class Spent:
    """Calls for all pairs with an empty catalog, and later with a known one."""

    first: int
    again: int


def run() -> list[Row]:
    rows: list[Row] = []
    for name in MARKETPLACES:
        marketplace, (spent, place) = registry.get(name), isolated(_measure, name)
        each = PRODUCTS if marketplace.sizes_together else PAIRS
        lookups = PRODUCTS * marketplace.lookup_calls
        for when, calls, least, most in (
            ("an empty catalog", spent.first, lookups + each, MOST_FIRST),
            ("a known catalog", spent.again, each, MOST_AGAIN),
        ):
            conditions = (
                f"{name}, {when}: {calls:,} calls, {least:,} at least; {PRODUCTS} products in {SIZES} sizes, "
                f"background, default limits, {place}"
            )
            rows.append(Row("calls for 1,000 prices over the least", conditions, calls / least, most=most))
    return rows


def _measure(marketplace: str) -> tuple[Spent, str]:
    with engine(Config()) as sluice:
        sluice.connect(TENANT, marketplace)
        first = _prices(sluice, marketplace)
        _sleep(sluice, HOUR)
        return Spent(first, _prices(sluice, marketplace)), sluice.place.name


def _prices(sluice: Engine, marketplace: str) -> int:
    """Have all pairs priced; the calls that it took."""
    before = _calls(sluice)
    asked = items(range(1, PRODUCTS + 1), SIZES, marketplace=marketplace)
    answers = refresh(asked, TENANT, sluice.clock.now(), sluice.config)
    wanted = [answer.job_id for answer in answers if isinstance(answer, Enqueued)]
    for _ in range(MOST_MINUTES):
        admitted = sluice.tick()
        sluice.work()
        if all(job.state == SUCCEEDED for job in Job.batch_get(list(wanted))):
            return _calls(sluice) - before
        # With nothing left to spend, the next scheduler runs would do nothing either.
        pause = MINUTE if admitted else HOUR
        _sleep(sluice, pause - sluice.clock.now() % pause)
    raise RuntimeError(f"{marketplace}: not all of {PAIRS} prices within {MOST_MINUTES} virtual minutes")


def _calls(sluice: Engine) -> int:
    return sum(entry.counted for entry in sluice.sandbox.requests())


def _sleep(sluice: Engine, ms: int) -> None:
    cast(VirtualClock, sluice.clock).wait_until(sluice.clock.now() + ms, Event())
