"""Alerts on their way to trackers: stored with the tracker first, then put on the bus as events.

```
 one write      arms moved, alert in `alerts` and `outbox`          told once, whatever happens after
 then           event on the bus, `outbox` emptied                  a crash between: the next check sends it again
```
"""

import json
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

from sluice.pages import alerts, table, views, wanted
from sluice.pages.alerts import Alert
from sluice.pages.facts import FactChange
from sluice.pages.reading import fitting
from sluice.pages.table import Product, Tracker
from sluice.platform import aws, races, tables
from sluice.platform.clock import iso
from sluice.platform.observe import count, logger

VERSION = 1
# What a tracker keeps of what it was told, and of what it has not been told yet: so many, and so many bytes of each.
# With what stands for each variant they must fit into one item of 400 KB.
MOST_ALERTS, MOST_BYTES = 20, 50_000
# Variants that one alert names, and their bytes; of more the page itself tells.
MOST_TOLD, MOST_TOLD_BYTES = 50, 25_000


def tell(product: Product, changes: Sequence[FactChange], unreadable: str, now: int, *, known: Collection[str]) -> int:
    """Tell every tracker of `product` what it wants to know of `changes`; returns how many alerts there were.

    known: the variants that something is known of now, by id.
    unreadable: why the page could not be read for a day; empty where it can, or for less.
    """
    told = 0
    for tracker in table.trackers_of(product.product):
        if not changes and not tracker.outbox and bool(unreadable) == bool(tracker.unreadable):
            continue
        after = _step(tracker.tenant, product, changes, unreadable, now, known)
        if after and after.outbox:
            told += len(after.outbox)
            send(after)
    return told


def send(tracker: Tracker) -> None:
    """Put what waits in the outbox of `tracker` on the bus. What the bus does not take waits for the next check."""
    waiting = list(tracker.outbox or ())
    try:
        aws.put_events(
            [(f"page.{one['kind']}", {**one, "version": VERSION, "tenant": tracker.tenant}) for one in waiting]
        )
    except Exception:  # noqa: BLE001 - it stays in the outbox, and is seen in the API either way
        logger.exception("alerts were not published", extra={"product": tracker.product})
        return
    for one in waiting:
        count("PageAlerts")
        logger.info("alert", extra={"product": tracker.product, "kind": one["kind"], "alert": one["id"]})
    try:
        own = Tracker.version == tracker.version
        tables.update(Tracker, (tracker.tenant, tracker.product), [Tracker.outbox.remove()], own)
    except tables.ConditionFailed:
        return  # changed meanwhile: sent once more with the next check, under the same id


def _step(
    tenant: str,
    product: Product,
    changes: Sequence[FactChange],
    unreadable: str,
    now: int,
    known: Collection[str],
) -> Tracker | None:
    """The tracker after what it is told, written; None when it is gone."""
    race = races.Race(f"the tracker of {product.product} changed while it was written")
    while True:
        tracker = table.find_tracker(tenant, product.product)
        if tracker is None:
            return None
        arms, found = alerts.step(wanted.watch(tracker.wants), alerts.arms_from_json(tracker.arms), changes)
        new = [_shown(alert, product, tracker, now) for alert in found]
        if unreadable and not tracker.unreadable and alerts.UNREADABLE in tracker.wants["alerts"]:
            new.append(_entry(alerts.UNREADABLE, product, tracker, now, {"variants": [], "reason": unreadable}))
        actions = [
            Tracker.arms.set(alerts.arms_to_json({key: arm for key, arm in arms.items() if key in known})),
            Tracker.alerts.set(_newest([*new, *(tracker.alerts or ())])),
            Tracker.outbox.set(_newest([*(tracker.outbox or ()), *new][::-1])[::-1]),
            Tracker.unreadable.set(bool(unreadable)),
            Tracker.version.set(tracker.version + 1),
        ]
        key, as_read = (tenant, product.product), Tracker.version == tracker.version
        try:
            return tables.update(Tracker, key, actions, as_read, token=Tracker.step_token)
        except tables.ConditionFailed:
            race.lost()


def _newest(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many alerts, from the first, as a tracker keeps."""
    return fitting(entries[:MOST_ALERTS], _size, MOST_BYTES)


def _size(told: Mapping[str, Any]) -> int:
    return len(json.dumps(told))  # as it is stored


def _shown(alert: Alert, product: Product, tracker: Tracker, now: int) -> dict[str, Any]:
    variants = fitting([views.told(one) for one in alert.told[:MOST_TOLD]], _size, MOST_TOLD_BYTES)
    return _entry(alert.kind, product, tracker, now, {"variants": variants, "reason": None})


def _entry(kind: str, product: Product, tracker: Tracker, now: int, more: dict[str, Any]) -> dict[str, Any]:
    """An alert as it is kept, and as the event says it. The same alert has the same id, also when it is made again."""
    identity = f"{tracker.tenant}#{product.product}#{kind}#{now}"
    return {
        "id": sha256(identity.encode()).hexdigest()[:32],
        "kind": kind,
        "pageId": product.product,
        "url": product.url,
        "label": tracker.label,
        "title": product.facts.title,
        **more,
        "at": iso(now),
    }
