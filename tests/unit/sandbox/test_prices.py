"""Prices: a function of seed, variant and minute."""

from itertools import pairwise

from local.sandbox.catalog.golden import GOLDEN
from local.sandbox.catalog.prices import MINUTE_MS, quote
from tests.unit.sandbox.client import NOON

PANDA_10 = next(variant for variant in GOLDEN[0].variants if variant.size.value == "10")
PANDA_SMALLEST = GOLDEN[0].variants[0]
HOURS = [NOON + hour * 60 * MINUTE_MS for hour in range(200)]


def test_a_price_holds_for_a_minute_and_moves_with_time_and_seed() -> None:
    assert quote(7, PANDA_10, NOON) == quote(7, PANDA_10, NOON + MINUTE_MS - 1)
    assert len({quote(7, PANDA_10, at).lowest_ask for at in HOURS}) > 10
    assert quote(7, PANDA_10, NOON) != quote(8, PANDA_10, NOON)


def test_a_price_moves_little_from_one_minute_to_the_next() -> None:
    asks = [quote(7, PANDA_10, NOON + minute * MINUTE_MS).lowest_ask or 0 for minute in range(600)]
    assert all(abs(later - earlier) <= 0.05 * earlier for earlier, later in pairwise(asks))


def test_a_bid_is_never_above_the_ask() -> None:
    for at in HOURS:
        for variant in GOLDEN[0].variants:
            now = quote(7, variant, at)
            assert now.lowest_ask is None or now.highest_bid is None or now.highest_bid <= now.lowest_ask


def test_the_ends_of_the_chart_are_sometimes_without_ask_or_bid_and_the_middle_never() -> None:
    ends = [quote(7, PANDA_SMALLEST, at) for at in HOURS]
    assert {now.lowest_ask is None for now in ends} == {True, False}
    assert {now.highest_bid is None for now in ends} == {True, False}
    middle = [quote(7, PANDA_10, at) for at in HOURS]
    assert all(now.lowest_ask and now.highest_bid for now in middle)


def test_a_currency_has_its_own_amounts() -> None:
    dollars, yen = quote(7, PANDA_10, NOON).lowest_ask, quote(7, PANDA_10, NOON, "JPY").lowest_ask
    assert dollars is not None
    assert yen is not None
    assert 140 < yen / dollars < 160
