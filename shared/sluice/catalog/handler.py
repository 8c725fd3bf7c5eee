"""One `catalog.enrich` job: look a product up again, for its name, its picture and the sizes that have come since."""

from sluice.catalog import lookup
from sluice.catalog import table as catalog
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.marketplaces import registry, skus


def run(run: Run) -> HandlerResult:
    """Look the job's SKU up at its marketplace.

    The payload is `{"sku", "product", "since", "asked"}`. product: the key of the row that lacks something. since: a
    product that was looked up then (epoch ms) or later costs no call. asked: see `lookup.look_up`.

    The result is `{"product", "found"}` with `"added"`, how many sizes are new, or with `"skipped": "checked"`.
    That a marketplace has no such product is a result too: it is asked for its picture.

    Raises:
        Failure: what the marketplace answered.
    """
    marketplace, sku = registry.get(keys.marketplace_of(run.job.account)), run.payload["sku"]
    key = catalog.key(marketplace.name, sku)
    about = run.payload.get("product", key)
    if about.partition(":")[2] != skus.key(sku):
        lookup.retire(about, run.clock.now())
    known = catalog.load(marketplace.name, sku, consistent=True)
    if known and known.updated_at >= run.payload["since"]:
        return {"product": key, "found": True, "skipped": "checked"}
    if known is None or known.style is None:
        sku = catalog.spelling(about) or sku
    adapter = marketplace.load().open(run.job.account, run.calls, run.clock)
    found = lookup.look_up(adapter, marketplace, sku, run.clock.now(), known, asked=run.payload["asked"])
    if found is None:
        if known:
            lookup.settle(known, run.clock.now())
        return {"product": key, "found": False}
    had = {variant.variant_id for variant in known.chart()} if known and known.is_charted else set()
    return {"product": key, "found": True, "added": sum(one.variant_id not in had for one in found.chart())}
