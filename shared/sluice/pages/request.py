"""Tracking a page, and no longer: the tracker and the count on its product are written together."""

from collections.abc import Callable
from contextlib import suppress

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.pages import alerts, table, urls, wanted
from sluice.pages.alerts import Watch
from sluice.pages.table import Product, Tracker
from sluice.platform import races, tables
from sluice.platform.clock import DAY, ttl
from sluice.platform.kept import Kept

# What each tenant tracks. Nobody can know when it gives a page up.
TRACKED = Kept("pages", Tracker.count, wait_seconds=3_600)
# How long what is known of a page is kept that nobody tracks any more.
KEPT_MS = 7 * DAY


class TrackedAlready(Exception):  # noqa: N818 - an answer to the caller
    """This tenant tracks this page."""


def begun_by(seed: str | None, url: str, tenant: str) -> Tracker | None:
    """What this very request has begun, when it was sent before and died on the way to its answer."""
    found = table.find_tracker(tenant, urls.product_id(url)) if seed else None
    return found if found and found.seed == seed else None


def track(url: str, label: str | None, watch: Watch, tenant: str, now: int, seed: str | None = None) -> Tracker:
    """Track the page at `url` (in normal form) for `tenant`. seed: see `begun_by`.

    Raises:
        TrackedAlready: nothing was written.
    """
    product = urls.product_id(url)
    if table.find_tracker(tenant, product):
        raise TrackedAlready
    found = table.find(product)
    tracker = Tracker(
        tenant,
        product,
        label=label,
        url=url,
        canonical=found.canonical if found else None,
        wants=wanted.stored(watch),
        arms=alerts.arms_to_json(alerts.begin(watch, found.facts) if found else {}),
        seed=seed,
        created_at=now,
        updated_at=now,
    )
    actions: list[Update] = [
        Product.url.set(url),
        Product.host.set(urls.host(url)),
        Product.trackers.add(1),
        Product.watch.set(table.watch_key(product)),
        Product.check_at.set(Product.check_at | now),
        Product.version.set(Product.version | 0),
        Product.created_at.set(Product.created_at | now),
        Product.expires_at.remove(),
    ]
    if found is None or len(found.tenants or ()) < table.MOST_TENANTS:
        actions.append(Product.tenants.add({tenant}))

    def write(transaction: TransactWrite) -> None:
        transaction.save(tracker, Tracker.tenant.does_not_exist())
        transaction.update(Product(product), actions)

    TRACKED.take(tenant, 1)
    try:
        tables.transact(write)
    except tables.ConditionFailed:
        TRACKED.give_back(tenant, 1)
        raise TrackedAlready from None
    return tracker


def untrack(tenant: str, product: str, now: int) -> bool:
    """Track the page no longer; False when `tenant` does not track it. What is known goes when nobody tracks it."""
    if table.find_tracker(tenant, product) is None:
        return False

    def write(transaction: TransactWrite) -> None:
        transaction.delete(Tracker(tenant, product), Tracker.tenant.exists())
        transaction.update(Product(product), [Product.trackers.add(-1), Product.tenants.delete({tenant})])

    try:
        tables.transact(write)
    except tables.ConditionFailed:
        return False
    TRACKED.give_back(tenant, 1)
    rest = [Product.watch.remove(), Product.expires_at.set(ttl(now + KEPT_MS))]
    with suppress(tables.ConditionFailed):  # others track it
        tables.update(Product, (product,), rest, Product.trackers <= 0)
    return True


def change(
    tenant: str, product: str, relabel: Callable[[str | None], str | None], watch: Callable[[Watch], Watch], now: int
) -> Tracker | None:
    """Change what `tenant` wants; None when it does not track the page.

    What is known now is where new wishes start from: it is never told.
    """
    race = races.Race(f"the tracker of {product} changed while it was written")
    while True:
        tracker = table.find_tracker(tenant, product)
        if tracker is None:
            return None
        before = wanted.watch(tracker.wants)
        after = watch(before)
        arms = alerts.arms_from_json(tracker.arms)
        if (after.target, after.percent) != (before.target, before.percent):
            known = table.find(product)
            begun = alerts.begin(after, known.facts) if known else {}
            arms = {key: _priced(arms.get(key, arm), arm) for key, arm in begun.items()}
        actions = [
            Tracker.wants.set(wanted.stored(after)),
            Tracker.arms.set(alerts.arms_to_json(arms)),
            Tracker.version.set(tracker.version + 1),
            Tracker.updated_at.set(now),
        ]
        label = relabel(tracker.label)
        actions.append(Tracker.label.set(label) if label else Tracker.label.remove())
        key, as_read = (tenant, product), Tracker.version == tracker.version
        try:
            return tables.update(Tracker, key, actions, as_read, token=Tracker.change_token)
        except tables.ConditionFailed:
            race.lost()


def _priced(before: alerts.Arm, begun: alerts.Arm) -> alerts.Arm:
    """Where the alert stands with what it counts prices from begun anew; the rest as it was."""
    return alerts.Arm(begun.price, begun.base, None, before.stock, before.gone)
