"""One `market.refresh` job: find the variant, fetch its price, store it if it is newer."""

from contextlib import suppress
from threading import Lock
from typing import Any

from sluice.jobs import keys
from sluice.jobs.grant import Calls
from sluice.jobs.outcomes import Outcome, Refused
from sluice.jobs.runner import Run
from sluice.market import images, prices
from sluice.market.prices import Price
from sluice.marketplaces import catalog, products, registry
from sluice.marketplaces.catalog import Product, Variant
from sluice.marketplaces.products import Adapter, MarketData
from sluice.marketplaces.sizes import ONE_SIZE, listed, normal_size
from sluice.platform.clock import Clock, iso

# One job of a worker looks a product up; the others, for its other sizes, wait for what it finds.
_LOOK_UPS = [Lock() for _ in range(32)]


def run(run: Run) -> Outcome:
    """Refresh the price of the job's SKU, size and currency.

    The result is `{"price", "ask", "bid", "observed_at"}`; with `"skipped": "fresh"` when the stored price was young
    enough to make no call, and `"skipped": "older"` when a newer one had been stored meanwhile.

    Raises:
        Refused: the marketplace has no such product or size.
        Failure: what the marketplace answered.
    """
    marketplace, calls = keys.marketplace_of(run.job.account), _Noted(run.calls, run.clock)
    adapter = registry.get(marketplace).load().open(run.job.account, calls, run.clock)
    product_id, variant = _find(adapter, run, marketplace)
    stored = prices.load(run.payload["sku"], _price_key(run, marketplace, variant))
    if stored and _good_enough(stored, run):
        return _result(stored, skipped="fresh")
    data = adapter.market_data(product_id, variant.variant_id, run.payload["currency"])
    price = _price(run, marketplace, variant, data, calls.started_at)
    return _result(price, skipped=None if prices.store(price) else "older")


class _Noted:
    """The job's calls, and when the last one started: what an answer says is true of then, however late it comes."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls, self._clock = calls, clock
        self.started_at = clock.now()
        self.close, self.remaining = calls.close, calls.remaining

    def take(self) -> None:
        self._calls.take()
        self.started_at = self._clock.now()


def _good_enough(stored: Price, run: Run) -> bool:
    """Whether the stored price is fresh, and was observed after the request that forces a new one, if one does."""
    if iso(stored.observed_at) <= run.payload.get("force", ""):
        return False
    return run.clock.now() - stored.observed_at < run.config.freshness_ms


def _find(adapter: Adapter, run: Run, marketplace: str) -> tuple[str, Variant]:
    """The product's id and the variant: as enqueue or another job has found them, else as the marketplace says."""
    payload = run.payload
    if "variant_id" in payload:
        size, system = payload["size"], payload["size_system"]
        return payload["product_id"], Variant(payload["variant_id"], size, system, payload["sizes"])
    sku = payload["sku"]
    with _LOOK_UPS[keys.shard(sku, len(_LOOK_UPS))]:
        product = catalog.load(marketplace, sku) or _look_up(adapter, run, marketplace)
    return product.product_id, _variant(product, run)


def _look_up(adapter: Adapter, run: Run, marketplace: str) -> Product:
    """Ask the marketplace for the product and its sizes, and keep them for every later job."""
    sku = run.payload["sku"]
    found = adapter.search(sku)
    if found is None:
        raise Refused(f"{marketplace} has no product with style {sku}", code="product_unknown")
    variants = [[one.variant_id, one.size_system, _sizes(one)] for one in adapter.variants(found.product_id)]
    product = Product(
        product=catalog.key(marketplace, sku),
        product_id=found.product_id,
        name=found.title,
        brand=found.brand,
        category=found.product_type,
        url_key=found.url_key,
        image=images.fallback(found.product_type),
        variants=variants,
        updated_at=run.clock.now(),
    )
    product.save()
    return product


def _sizes(variant: products.Variant) -> dict[str, str]:
    """The variant's sizes in Sluice's spelling. What has no size at all, such as a card, is called `ONE SIZE`."""
    sizes = {}
    for system, size in (variant.sizes or {variant.size_system: variant.value or ONE_SIZE}).items():
        with suppress(ValueError):  # a label that is no size: the variant is found by its sizes in other systems
            sizes[system] = normal_size(size)
    return sizes


def _variant(product: Product, run: Run) -> Variant:
    size, system = run.payload["size"], run.payload["size_system"]
    variant = product.variant(size, system)
    if variant is None:
        known = listed(one.sizes[system] for one in product.chart() if system in one.sizes) or "none"
        raise Refused(f"{run.payload['sku']} has no size {size} in {system}; it has {known}", code="size_unknown")
    return variant


def _price_key(run: Run, marketplace: str, variant: Variant) -> str:
    return prices.key(marketplace, variant.size, variant.size_system, run.payload["currency"])


def _price(run: Run, marketplace: str, variant: Variant, data: MarketData, observed_at: int) -> Price:
    return Price(
        sku=run.payload["sku"],
        price=_price_key(run, marketplace, variant),
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
            )
            if amount is not None
        },
        observed_at=observed_at,
    )


def _text(amount: object) -> str | None:
    return None if amount is None else str(amount)


def _result(price: Price, skipped: str | None) -> dict[str, Any]:
    result = {"price": price.price, "ask": price.ask, "bid": price.bid, "observed_at": iso(price.observed_at)}
    return {**result, "skipped": skipped} if skipped else result
