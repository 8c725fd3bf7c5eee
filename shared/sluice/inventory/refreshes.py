"""Asking for fresh prices of items, in one request for all of them."""

from collections.abc import Callable, Sequence
from typing import Final

from sluice.inventory.rules import price_currency
from sluice.inventory.table import Item
from sluice.jobs.ask import require_room
from sluice.jobs.queue.enqueue import Enqueued
from sluice.platform.config.document import Config
from sluice.platform.http.errors import TooMany
from sluice.platform.imports.takers import NotStored
from sluice.platform.refused import UNAVAILABLE, Refused
from sluice.prices import ask as enqueue
from sluice.prices.ask import RefreshItem

# What is bulk work, or nobody's wish, stands behind what a person has just added or asked for.
BEHIND: Final = "background"

# What became of the price at each marketplace.
Asked = dict[str, Enqueued | Refused]
Wants = Callable[[Item, str], bool]


def _every(_: Item, __: str) -> bool:
    return True


def ask(
    items: Sequence[Item], now: int, config: Config, priority: str, *, force: bool = False, wants: Wants = _every
) -> list[Asked]:
    """Ask for the prices of `items`, which are one tenant's, at each of their marketplaces that `wants` names.

    The answers are in the order of the items. Asking is free of harm: a price that is waited for already is not asked
    for twice.
    """
    wanted = [(number, name) for number, one in enumerate(items) for name in one.priced_at if wants(one, name)]
    asked: list[Asked] = [{} for _ in items]
    if wanted:
        refreshes = [_refresh(items[number], name, priority, force) for number, name in wanted]
        done = enqueue.refresh(refreshes, items[0].tenant, now, config)
        for (number, name), answer in zip(wanted, done, strict=True):
            asked[number][name] = answer
    return asked


def ask_behind(
    items: Sequence[Item],
    now: int,
    config: Config,
    wants: Wants = _every,
    priority: str = BEHIND,
    *,
    force: bool = False,
) -> list[Asked]:
    """As `ask`, behind an answer that was given: what the tenant has no room for is refused, and asked for when
    somebody looks at it.

    Raises:
        NotStored: some could not be asked for, for a reason of ours.
    """
    try:
        if items:
            require_room(items[0].tenant, len(items), now, config)
    except TooMany as full:
        return [{name: Refused("allowance", str(full)) for name in one.priced_at if wants(one, name)} for one in items]
    asked = ask(items, now, config, priority, force=force, wants=wants)
    if any(isinstance(one, Refused) and one.code == UNAVAILABLE for answers in asked for one in answers.values()):
        raise NotStored("some refreshes could not be stored")
    return asked


def _refresh(item: Item, marketplace: str, priority: str, force: bool) -> RefreshItem:
    return RefreshItem(
        sku=item.sku,
        size=item.named.text,
        marketplace=marketplace,
        size_system=item.named.given_system,
        currency=price_currency(marketplace, item.currency),
        priority=priority,
        force=force,
    )
