"""An ad that was placed after the backup is found, and not placed again."""

from pathlib import Path

import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import DAY, SECOND
from tests.support import backup
from tests.support.ads import LISTING, TENANT, Seller
from tests.support.store import Store


@pytest.mark.parametrize("since", [True, False])
def test_an_ad_is_placed_once(seller: Seller, tables: Store, tmp_path: Path, since: bool) -> None:
    seller.market.known_at[LISTING] = 0
    seller.ask(LISTING)
    items, at = backup.take(tables), seller.clock.time
    if since:
        seller.minutes(3)
        assert len(seller.market.made) == 1
    else:
        seller.later(180)
    backup.restore(tables, items, tmp_path, at, seller.clock.time, seller.config)
    seller.minutes(70)
    assert len(seller.market.made) == 1
    assert seller.job().state == "succeeded"


def test_no_ad_is_asked_for_on_a_day_whose_limit_may_be_used_up(seller: Seller, tables: Store, tmp_path: Path) -> None:
    seller.market.known_at[LISTING] = 0
    seller.ask(LISTING)
    budget = accounts.budget_of(f"ebay:{TENANT}", "ebay-marketing")
    busy = {"budget": {"S": budget}, "window": {"S": "2026-11-20@America/Los_Angeles"}, "day": {"N": "6000"}}
    items = {**backup.take(tables), "budgets": [busy]}
    backup.restore(tables, items, tmp_path, seller.clock.time, seller.clock.time, seller.config)
    seller.minutes(120)
    assert seller.market.made == []
    seller.later(DAY / SECOND)
    seller.minutes(3)
    assert len(seller.market.made) == 1
