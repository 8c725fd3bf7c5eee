"""One `market.refresh` job: find the variant, fetch its price, store it if it is newer."""

from contextlib import suppress
from typing import Any

from sluice.jobs import keys
from sluice.jobs.outcomes import Outcome, Refused
from sluice.jobs.runner import Run
from sluice.market import images, prices
from sluice.market.prices import Price
from sluice.marketplaces import catalog, products, registry
from sluice.marketplaces.catalog import Product, Variant
from sluice.marketplaces.products import Adapter, MarketData
from sluice.marketplaces.sizes import ONE_SIZE, listed, normal_size
from sluice.platform.clock import iso


def run(run: Run) -> Outcome:
    """Refresh the price of the job's SKU, size and currency.

    The result is `{"price", "ask", "bid", "observed_at"}`; with `"skipped": "fresh"` when the stored price was young
    enough to make no call, and `"skipped": "older"` when a newer one had been stored meanwhile.

    Raises:
        Refused: the marketplace has no such product or size.
        Failure: what the marketplace answered.
    """
    marketplace, sku = keys.marketplace_of(run.job.account), run.payload["sku"]
    product_id, variant = _known(run, marketplace)
    if variant and not run.payload.get("force"):
        stored = prices.load(sku, _price_key(run, marketplace, variant))
        if stored and run.clock.now() - stored.observed_at < run.config.freshness_ms:
            return _result(stored, skipped="fresh")
    adapter = registry.get(marketplace).load().open(run.job.account, run.calls, run.clock)
    if variant is None:
        product = _look_up(adapter, run, marketplace)
        product_id, variant = product.product_id, _variant(product, run)
    data = adapter.market_data(product_id, variant.variant_id, run.payload["currency"])
    price = _price(run, marketplace, variant, data)
    return _result(price, skipped=None if prices.store(price) else "older")


def _known(run: Run, marketplace: str) -> tuple[str, Variant | None]:
    """The variant as enqueue, or another job since, has found it."""
    payload = run.payload
    if "variant_id" in payload:
        size, system = payload["size"], payload["size_system"]
        return payload["product_id"], Variant(payload["variant_id"], size, system, payload["sizes"])
    product = catalog.load(marketplace, payload["sku"])
    if product is None:
        return "", None
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


def _price(run: Run, marketplace: str, variant: Variant, data: MarketData) -> Price:
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
        observed_at=run.clock.now(),
    )


def _text(amount: object) -> str | None:
    return None if amount is None else str(amount)


def _result(price: Price, skipped: str | None) -> dict[str, Any]:
    result = {"price": price.price, "ask": price.ask, "bid": price.bid, "observed_at": iso(price.observed_at)}
    return {**result, "skipped": skipped} if skipped else result
