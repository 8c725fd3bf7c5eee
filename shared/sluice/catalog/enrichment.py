"""Enrichment: find the products that are old or lack a name or a picture, and have them looked up again.

```
 POST ─► the window's jobs are over? ── no ─► report
                  │ yes
                  ▼
         next products of the index `checked` ─► one background job for each look-up ─► store the step
         └─ counted ahead of that, some with each step: how many wait
```
Only one window of jobs waits at a time, so that other background work of the same accounts is not held up for days. A
step that is killed before it is stored is made again: its jobs merge with those that wait, and a product that was
looked up since the enrichment began is not looked up twice.
"""

from collections import Counter
from collections.abc import Collection, Iterator

from sluice.catalog import enrichment_table as table
from sluice.catalog.enrichment_table import Enrichment
from sluice.catalog.kinds import ENRICH
from sluice.catalog.lookup import has_name, has_picture
from sluice.catalog.table import CheckedIndex, Product
from sluice.jobs.ask import Wish, ask_many, take_room
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL, SUCCEEDED
from sluice.marketplaces import registry, skus
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.held import account_held
from sluice.marketplaces.accounts.table import Status
from sluice.platform import races, tables, usage
from sluice.platform.config.document import Config
from sluice.platform.refused import Refused

# Products of one window. On StockX's hundred calls an hour they take about one hour.
WINDOW = 40
# Pages that one request reads at most, where nobody can be asked for what they hold.
PAGES = 20
# Products that one step counts at most, for the progress bar: more than it can walk through.
COUNTED = 1_000


def advance(tenant: str, now: int, config: Config) -> Enrichment:
    """Begin an enrichment, or go on with the one that is not finished; returns how far it is.

    Raises:
        Contention: others made each step first. Ask again.
        TooMany: the tenant's allowances have no room for the next look-ups; nothing was asked for.
    """
    race = races.Race(f"the enrichment of {tenant} was moved on by others")
    while True:
        last = table.load(tenant)
        enrichment = _begun(tenant, now, config, last) if last is None or last.finished_at else last
        states = states_of(enrichment)
        if not states.keys() <= FINAL:
            return enrichment
        enrichment.failed += sum(count for state, count in states.items() if state != SUCCEEDED)
        _count_on(enrichment)
        _next_window(enrichment, now, config)
        try:
            table.store(enrichment)
        except tables.ConditionFailed:
            race.lost()
        else:
            return enrichment


def states_of(enrichment: Enrichment) -> Counter[str]:
    """How many jobs of the window are in each state. One whose item has expired has long been over."""
    found = Job.batch_get(list(enrichment.window), consistent_read=True) if enrichment.window else ()
    return Counter(job.state for job in found)


def _begun(tenant: str, now: int, config: Config, last: Enrichment | None) -> Enrichment:
    before = now - config.prices.catalog_age_ms
    first = registry.with_catalog()[0].name
    number = last.number if last else 0
    return Enrichment(
        tenant,
        number=number,
        started_at=now,
        before=before,
        marketplace=first,
        counting=first,
        window=[],
        no_account={},
    )


def _count_on(enrichment: Enrichment) -> None:
    """Count the next of those that wait, and no more than that: the count goes on ahead of the walk, step by step."""
    left = COUNTED
    while enrichment.counting and left > 0:
        rows = Product.checked.query(
            enrichment.counting,
            CheckedIndex.checked_at <= enrichment.before,
            limit=left,
            page_size=left,
            last_evaluated_key=enrichment.counted_to,
            attributes_to_get=["product", "marketplace", "checked_at"],
        )
        found = sum(1 for _ in rows)
        enrichment.total += found
        left -= found
        enrichment.counted_to = rows.last_evaluated_key
        if enrichment.counted_to is None:
            enrichment.counting = _behind(enrichment.counting)


def _behind(marketplace: str) -> str | None:
    """The marketplace whose products are walked through after those of `marketplace`."""
    names = [one.name for one in registry.with_catalog()]
    return next(iter(names[names.index(marketplace) + 1 :]), None)


def _next_window(enrichment: Enrichment, now: int, config: Config) -> None:
    """Enqueue the look-ups of the next products, and put the walk behind them."""
    wanted = {keys.account(one.name, enrichment.tenant) for one in registry.with_catalog()}
    statuses = accounts.statuses(wanted)
    able = {keys.marketplace_of(account) for account, status in statuses.items() if status == Status.ACTIVE}
    enrichment.window, enrichment.in_window = [], 0
    for _ in range(PAGES):
        if enrichment.marketplace is None:
            enrichment.finished_at = now
            return
        marketplace, page = enrichment.marketplace, _page(enrichment)
        wishes = {wish.job_id: wish for product in page for wish in _wishes(product, enrichment, able)}
        if wishes:
            # Nothing of this step is stored yet: who has no room makes the same step later.
            take_room(enrichment.tenant, len(wishes), now, config)
            # Their own marketplace last: a product is not found again once that was asked, so by then all must be.
            own = {job_id for job_id in wishes if keys.job_parts(job_id)[1] == marketplace}
            for part in (wishes.keys() - own, own):
                _ask([wishes[job_id] for job_id in sorted(part)], now, config)
            enrichment.window, enrichment.in_window = list(wishes), len(page)
            return
        if page:
            # Nobody can be asked for it: to look through it is all that it costs, and that again and again.
            usage.charge(enrichment.tenant, 1, now, config.tenants.allowed(enrichment.tenant), requests=0)


def _ask(wishes: list[Wish], now: int, config: Config) -> None:
    """Ask for all of `wishes`, or fail: those that are asked for by then merge when the step is made again."""
    for answer in ask_many(wishes, now, config, account_held(now, config)):
        if isinstance(answer, Refused):
            raise answer.__cause__ or answer


def _page(enrichment: Enrichment) -> list[Product]:
    """The next products of the walk, which moves behind them."""
    rows = Product.checked.query(
        enrichment.marketplace,
        CheckedIndex.checked_at <= enrichment.before,
        limit=WINDOW,
        page_size=WINDOW,
        last_evaluated_key=enrichment.after,
    )
    page = list(rows)
    enrichment.after = rows.last_evaluated_key
    if enrichment.after is None and enrichment.marketplace:
        enrichment.marketplace = _behind(enrichment.marketplace)
    enrichment.seen += len(page)
    return page


def _wishes(product: Product, enrichment: Enrichment, able: Collection[str]) -> Iterator[Wish]:
    """A job for each marketplace that is to be asked for `product`, as far as the tenant has an account there."""
    targets = marketplaces_to_ask(product, enrichment.before)
    for name in sorted(targets - set(able)):
        enrichment.no_account[name] = enrichment.no_account.get(name, 0) + 1
    for name in sorted(targets & set(able)):
        yield Wish(
            ENRICH,
            keys.job_id(ENRICH.name, name, skus.key(product.sku)),
            enrichment.tenant,
            keys.account(name, enrichment.tenant),
            {
                "sku": product.sku,
                "product": product.product,
                "since": enrichment.started_at,
                "asked": targets <= set(able),
            },
            calls=registry.get(name).lookup_calls,
            shared=True,
        )


def marketplaces_to_ask(product: Product, before: int) -> set[str]:
    """Whom to ask for what `product` lacks: its own marketplace, or one that has pictures."""
    own = registry.get(product.marketplace)
    asked = set[str]()
    if not has_picture(product):
        asked = {own.name} if own.pictures else {one.name for one in registry.with_catalog() if one.pictures}
    if not asked or product.updated_at <= before or not has_name(product):
        asked.add(own.name)
    return asked
