"""A price over time: the last of each day, for 30 days, on the price's own item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.clock import DAY, HOUR
from sluice.prices import past
from sluice.prices import table as prices
from sluice.prices.past import DAYS, PastPrice
from sluice.prices.table import Price
from tests.unit.jobs.test_item_size import KILOBYTE, size
from tests.unit.market.test_freshness import price
from tests.unit.market.world import World

NOON = 20_000 * DAY + 12 * HOUR
AMOUNTS = st.none() | st.decimals(0, 99_999, places=2).map(str)
Seen = tuple[int, str | None, str | None]


@given(st.lists(st.tuples(st.integers(0, 70 * DAY), AMOUNTS, AMOUNTS), max_size=60))
def test_of_each_day_the_last_is_kept_for_thirty_days(seen: list[Seen]) -> None:
    in_order = sorted(seen, key=lambda one: one[0])
    places = dict(past.entry(NOON + after, ask, bid) for after, ask, bid in in_order)
    now = NOON + 70 * DAY
    last = {(NOON + after) // DAY: (ask, bid) for after, ask, bid in in_order}
    kept = {day: told for day, told in last.items() if day > now // DAY - DAYS}
    found = past.read(places, now)
    assert [(one.ask, one.bid) for one in found] == [kept[day] for day in sorted(kept)]
    assert [one.day for one in found] == sorted({one.day for one in found}), "oldest first, each day once"


def stored() -> Price:
    found = prices.load("DD1391-100", "stockx:us-10:USD")
    assert found
    return found


def test_each_newer_price_is_entered_and_an_older_one_leaves_its_day_alone(world: World) -> None:
    now = world.clock.now()
    today = now // DAY * DAY
    for at, ask in ((today - DAY, "100"), (today - DAY + HOUR, "101"), (today, "102"), (today - HOUR, "99")):
        prices.store(price(at, ask))
    assert [(one.day, one.ask) for one in stored().past(now)] == [
        (past.read(dict([past.entry(today - DAY, None, None)]), now)[0].day, "101"),
        (past.read(dict([past.entry(today, None, None)]), now)[0].day, "102"),
    ]


@pytest.mark.parametrize("newer", ["", ":CP-9654"])
def test_a_price_that_is_kept_for_all_spellings_and_for_one_has_the_days_of_both(world: World, newer: str) -> None:
    now, shared = world.clock.now(), "ebay:us-10:USD"
    older = ":CP-9654" if not newer else ""
    seen = [(-40, older, "1"), (-3, older, "97"), (-2, newer, "98"), (-1, older, "0"), (-1, newer, "99")]
    for after, suffix, ask in seen:
        one = price(now + after * DAY + (suffix == newer), ask)
        one.sku, one.price, one.marketplace = "CP9654", f"{shared}{suffix}", "ebay"
        assert prices.store(one)
    found = prices.load_many([("CP-9654", shared), ("CP9654", shared)])
    assert [one.ask for one in found["CP-9654", shared].past(now)] == ["97", "98", "99"]
    # What is kept for one spelling is no other's.
    alone = ["97", "0"] if newer else ["98", "99"]
    assert [one.ask for one in found["CP9654", shared].past(now)] == alone


def test_what_is_gone_of_a_price_is_gone_from_the_item_too(world: World) -> None:
    now = world.clock.now()
    with_bid = price(now - DAY, "100")
    with_bid.bid = "90"
    prices.store(with_bid)
    none = price(now, "100")
    none.ask = None
    prices.store(none)
    assert stored().ask is None
    assert stored().bid is None
    assert [one.ask for one in stored().past(now)] == ["100", None]
    assert [one.bid for one in stored().past(now)] == ["90", None]


def test_a_price_that_was_stored_already_is_stored(world: World) -> None:
    """Its answer was lost, so that it is sent again; meanwhile nobody has stored a newer one."""
    now = world.clock.now()
    assert prices.store(price(now, "100"))
    assert prices.store(price(now, "100"))
    assert not prices.store(price(now, "101"))


def test_a_month_of_a_price_stays_below_the_kilobyte_of_one_write_unit() -> None:
    whole = Price(
        "DD1391100", "stockx:us-10.5:USD", style="DD1391-100", marketplace="stockx", size="10.5", size_system="us",
        sizes={"us": "10.5", "uk": "9.5", "eu": "44.5", "cm": "28.5", "kr": "285"}, currency="USD", ask="1299",
        bid="1150", more={"sell_faster": "1190", "earn_more": "1285", "flex_lowest_ask": "1310"}, observed_at=NOON,
    )  # fmt: skip
    month = dict(past.entry(NOON + day * DAY, "1299", "1150") for day in range(DAYS))
    assert len(month) == DAYS
    item = whole.serialize() | {name: {"S": told} for name, told in month.items()}
    assert size(item) <= KILOBYTE


def test_entries_tell_their_own_day() -> None:
    place, told = past.entry(NOON, "180", None)
    assert (place, told) == ("d20", "20000 180 -")
    assert past.read({place: told}, NOON) == [PastPrice("2024-10-04", "180", None)]
    assert past.read({place: told}, NOON + DAYS * DAY) == []
