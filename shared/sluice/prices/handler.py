"""One `market.refresh` job: find the variant, fetch its price, store it if it is newer.

Where a marketplace answers all sizes of a product in one call, those that somebody wants are stored too, so that their
jobs find a fresh price and make no call of their own.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from decimal import Decimal
from typing import Any

from sluice.catalog import charts
from sluice.catalog import table as catalog
from sluice.catalog.charts import ChartVariant, NoVariant
from sluice.catalog.table import Product
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Calls, Run
from sluice.marketplaces import registry, skus
from sluice.marketplaces.http.errors import NotFound
from sluice.marketplaces.products import Adapter, MarketData
from sluice.marketplaces.registry import Marketplace
from sluice.marketplaces.sizes import Size
from sluice.platform.clock import Clock, iso
from sluice.prices import table as prices
from sluice.prices.finder import AskedAt, Finder, Remembered, size_of
from sluice.prices.table import Price


def run(run: Run) -> HandlerResult:
    """Refresh the price of the job's SKU, size and currency.

    The result is `{"price", "ask", "bid", "observed_at"}`; with `"skipped": "fresh"` when the stored price was young
    enough to make no call, and `"skipped": "older"` when a newer one had been stored meanwhile. Where another job has
    found out meanwhile that there is nothing to price, it is `{"price": null, "skipped", "reason"}`, with a word for
    machines and one for people: one job tells of it as a failure, not each.

    Raises:
        Refused: the marketplace has no such product or size.
        Failure: what the marketplace answered.
    """
    marketplace, calls = registry.get(keys.marketplace_of(run.job.account)), _Noted(run.calls, run.clock)
    adapter = marketplace.load().open(run.job.account, calls, run.clock)
    finder = Finder(run, marketplace, adapter)
    sku, together = run.payload["sku"], marketplace.sizes_together
    try:
        place = finder.find()
        with run.turn(skus.key(sku)) if together else nullcontext():
            stored = _stored(run, _price_key(run, marketplace.name, place))
            if stored and _good_enough(stored, run):
                return _result(stored, skipped="fresh")
            place, quotes = _quotes(adapter, finder, place, run.payload["currency"])
            own = next(data for data in quotes if data.variant_id == place.variant.variant_id)
            price = _price(run, marketplace.name, place, own, calls.started_at)
            newer = _store(run, price)
            if together:
                others = [data for data in quotes if data is not own]
                _store_others(run, marketplace, place, others, calls.started_at)
    except Remembered as told:
        return {"price": None, "skipped": told.code, "reason": told.message}
    return _result(price, skipped=None if newer else "older")


def _quotes(adapter: Adapter, finder: Finder, place: AskedAt, currency: str) -> tuple[AskedAt, list[MarketData]]:
    """The market of the product. One that is no longer where it was found before is looked up anew, once."""
    try:
        return place, adapter.quotes(place.product_id, place.variant.variant_id, currency)
    except NotFound:
        if place.just_found:
            raise
        there = finder.find_again(place)
        return there, adapter.quotes(there.product_id, there.variant.variant_id, currency)


def _store_others(
    run: Run, marketplace: Marketplace, place: AskedAt, quotes: Iterable[MarketData], observed_at: int
) -> None:
    """Keep what the same call has said of other sizes, as far as the size chart knows them."""
    product = catalog.load(marketplace.name, run.payload["sku"], consistent=True)  # it may have come a moment ago
    if product is None:
        return
    wanted = None if marketplace.sizes_kept else _wanted(run, marketplace.name, product)
    chart = {variant.variant_id: variant for variant in product.chart()}
    for data in quotes:
        variant = chart.get(data.variant_id)
        if variant and (wanted is None or data.variant_id in wanted):
            _store(run, _price(run, marketplace.name, place._replace(variant=variant), data, observed_at))


def _store(run: Run, price: Price) -> bool:
    """Store `price` if it is newer, and leave it to the other jobs of the batch, which need not read it then."""
    newer = prices.store(price)
    if newer:
        run.left[price.sku, price.price] = price
    return newer


def _stored(run: Run, key: str) -> Price | None:
    """The price that is known: of a moment ago, where a job of this batch has fetched it."""
    sku = run.payload["sku"]
    return run.left.get((skus.key(sku), key)) or prices.load(sku, key)


def _wanted(run: Run, marketplace: str, product: Product) -> set[str]:
    """The sizes, by variant, that somebody has asked for: another job of the batch, or one whose price grew old."""
    sku, currency = run.payload["sku"], run.payload["currency"]
    jobs = (job.payload for job in run.batch if job.kind == run.job.kind)
    asked = [size_of(job) for job in jobs if (skus.key(job["sku"]), job["currency"]) == (skus.key(sku), currency)]
    stored = prices.find(sku, marketplace, currency)
    asked += [Size(price.size, price.size_system) for price in stored if not _is_fresh(price, run)]
    chart = product.chart()
    return {variant.variant_id for size in set(asked) if (variant := _named(chart, size))}


def _named(chart: Sequence[ChartVariant], size: Size) -> ChartVariant | None:
    with suppress(NoVariant):
        return charts.find(chart, size)
    return None


class _Noted:
    """The job's calls, and when the last one started: what an answer says is true of then, however late it comes."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock
        self.started_at = clock.now()
        self.close, self.remaining = calls.close, calls.remaining
        self.refused, self.answered = calls.refused, calls.answered

    def take(self) -> None:
        self._calls.take()
        self.started_at = self._clock.now()


def _good_enough(stored: Price, run: Run) -> bool:
    """Whether the stored price is fresh, and was observed after the request that forces a new one, if one does."""
    if _is_forced(run) and iso(stored.observed_at) <= run.payload["force"]:
        return False
    return _is_fresh(stored, run)


def _is_forced(run: Run) -> bool:
    """Whether the one who pays for the run has forced it: it is not forced on the calls of another who asked."""
    # Only a manual request may force one. As less, it runs for somebody else, who has not asked for that.
    if run.job.priority != keys.MANUAL or "force" not in run.payload:
        return False
    # What an earlier version has queued does not say who forced it.
    return bool(run.payload.get("forced_by", run.job.tenant) == run.job.tenant)


def _is_fresh(stored: Price, run: Run) -> bool:
    return bool(run.clock.now() - stored.observed_at < run.config.prices.freshness_ms)


def _price_key(run: Run, marketplace: str, place: AskedAt) -> str:
    variant = place.variant
    return prices.key(marketplace, variant.size, variant.size_system, run.payload["currency"], place.apart)


def _price(run: Run, marketplace: str, place: AskedAt, data: MarketData, observed_at: int) -> Price:
    variant = place.variant
    return Price(
        sku=skus.key(run.payload["sku"]),
        style=place.style,
        price=_price_key(run, marketplace, place),
        marketplace=marketplace,
        size=variant.size,
        size_system=variant.size_system,
        sizes=variant.sizes,
        currency=run.payload["currency"],
        ask=_text(data.lowest_ask),
        bid=_text(data.highest_bid),
        more={
            name: _text(amount)
            for name, amount in (
                ("sell_faster", data.sell_faster),
                ("earn_more", data.earn_more),
                ("flex_lowest_ask", data.flex_lowest_ask),
                ("last_sale", data.last_sale),
                ("global_indicator", data.global_indicator),
                ("median_ask", data.median_ask),
                ("asks", data.asks),
                ("left_out", data.left_out),
            )
            if amount is not None
        },
        observed_at=observed_at,
    )


def _text(amount: Decimal | int | None) -> str | None:
    return None if amount is None else str(amount)


def _result(price: Price, skipped: str | None) -> dict[str, Any]:
    result = {"price": price.price, "ask": price.ask, "bid": price.bid, "observed_at": iso(price.observed_at)}
    return {**result, "skipped": skipped} if skipped else result
