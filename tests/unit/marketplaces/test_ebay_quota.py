"""What a 429 of eBay does: the budget is closed until the quota begins anew, which another API says."""

from typing import Any

import httpx
import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.http.errors import RateLimited
from sluice.platform.clock import HOUR, MINUTE, SECOND
from tests.unit.marketplaces.ebay_answers import (
    ACCOUNT,
    SKU,
    api,
    connect,
    error,
    limits,
    network_of,
    open_ebay,
    rate,
    used_up,
)
from tests.unit.marketplaces.fakes import NOON, BudgetLog, answer

RESET = NOON + 20 * HOUR  # 2026-11-23T08:00:00Z
MORNING = NOON + 21 * HOUR
AT_NINE = "2026-11-23T09:00:00.000Z"


@pytest.fixture(autouse=True)
def _connected(cloud: None) -> None:
    connect()


def _refused(*answers: Any) -> tuple[RateLimited, BudgetLog, list[httpx.Request]]:
    """What a refresh comes to that gets `answers`."""
    calls, network = BudgetLog(), network_of(*answers)
    with pytest.raises(RateLimited) as caught:
        open_ebay(network, calls).quotes(SKU, "us:10", "USD")
    return caught.value, calls, network.sent


def test_the_budget_is_closed_until_ebays_reset_and_only_the_search_is_charged() -> None:
    refused, calls, sent = _refused(used_up(), limits(api("buy", "browse", rate(AT_NINE))))
    assert (refused.retry_at, calls.closed[-1], calls.taken) == (MORNING, MORNING, 1)
    assert "the quota begins anew at 2026-11-23T09:00:00.000Z" in refused.message
    assert str(sent[1].url) == "http://ebay.test/developer/analytics/v1_beta/rate_limit/"
    assert sent[1].headers["authorization"] == "Bearer token-1-0123456789"


LATER = "2026-11-23T10:00:00.000Z"


@pytest.mark.parametrize(
    "apis",
    [
        # Others stand beside it, and the names' case varies.
        [api("sell", "inventory", rate(LATER)), api("Buy", "Browse", rate(AT_NINE)), api("tradingapi", "TradingAPI")],
        # What is used up counts, and the last of it.
        [api("buy", "browse", rate(LATER, 17), rate(AT_NINE, 0))],
        [api("buy", "browse", rate("2026-11-23T08:30:00.000Z", 0), rate(AT_NINE, "0"))],
        # With an offset, and beside what cannot be read.
        [
            api(
                "buy",
                "browse",
                rate("2026-11-23T01:00:00-08:00"),
                rate("soon"),
                rate(None),
                rate("2026-11-23T23:00:00"),
            )
        ],
    ],
)
def test_the_reset_is_found_among_all_that_ebay_says(apis: list[Any]) -> None:
    _, calls, _ = _refused(used_up(), limits(*apis))
    assert calls.closed[-1] == MORNING


@pytest.mark.parametrize(
    "said",
    [
        httpx.Response(204),
        limits(),
        limits(api("sell", "inventory", rate(AT_NINE))),
        limits(api("buy", "browse")),
        limits(api("buy", "browse", rate(AT_NINE, 3))),
        limits(api("buy", "browse", rate(AT_NINE, None))),
        limits(api(None, 7, "rate")),
        answer(200, {"rateLimits": "none"}),
        answer(200, [1]),
        error(401, 1001),
        error(403, 1100),
        error(500, 105000),
        used_up(),
        httpx.ReadTimeout("late"),
        httpx.Response(200, text="<html>"),
    ],
)
def test_a_pause_and_a_slower_pace_unless_ebay_says_that_none_remain(said: Any) -> None:
    refused, calls, sent = _refused(used_up(), said)
    pause = NOON + MINUTE
    assert (refused.retry_at, calls.closed, calls.named, len(sent)) == (pause, [pause, pause], [False], 2)
    assert accounts.statuses([ACCOUNT]) == {ACCOUNT: "ACTIVE"}


@pytest.mark.parametrize("reset", ["2026-11-22T08:00:00.000Z", "soon", None])
def test_midnight_in_california_when_none_remain_and_the_reset_is_not_to_come(reset: str | None) -> None:
    refused, calls, _ = _refused(used_up(), limits(api("buy", "browse", rate(reset))))
    assert (refused.retry_at, calls.closed[-1], calls.named) == (RESET, RESET, [])


def test_a_refusal_of_another_kind_closes_for_a_minute() -> None:
    _, calls, sent = _refused(httpx.Response(429, text="slow down"))
    assert (calls.closed, len(sent)) == ([NOON + MINUTE], 1)
    _, calls, _ = _refused(error(429, 9999, retry_after="30"))
    assert calls.closed == [NOON + 30 * SECOND]
