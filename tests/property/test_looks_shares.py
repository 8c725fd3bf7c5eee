"""The share of eBay's quota with which listings are looked at: kept whatever happens, used whole, and shared fairly."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.listings.ebay import sellers, shares
from sluice.listings.ebay.sellers import SellerPart
from sluice.platform.clock import DAY, MINUTE

NOON = 1_795_348_800_000
RATES = st.integers(1, 2_000_000)
LISTINGS = st.none() | st.integers(0, 100_000)


def look(name: str = "ebay:a", listings: int | None = None, at: int = NOON) -> SellerPart:
    return SellerPart(sellers.LOOKS, name, looked_at=at, listings=listings)


@given(st.integers(0, 100_000))
def test_so_many_calls_look_at_the_most_listings_that_they_can(calls: int) -> None:
    most = shares.listings_for(calls)
    assert shares.calls_for(most) <= calls < shares.calls_for(most + 1)


@given(RATES, st.lists(st.tuples(st.integers(0, 3 * 60), st.integers(0, 600)), max_size=60))
def test_never_more_calls_than_time_has_brought(rate: int, steps: list[tuple[int, int]]) -> None:
    """steps: minutes that pass, and calls that a run would like."""
    one, now, taken = look(), NOON, 0
    for minutes, wanted in steps:
        now += minutes * MINUTE
        calls = min(wanted, shares.room(one, rate, now))
        one.paid_until = shares.paid(one, rate, calls, now)
        taken += calls
        assert taken <= (now - NOON) * rate / DAY


@given(st.integers(2_000, 1_000_000))
def test_the_calls_of_a_day_are_used_whole(rate: int) -> None:
    one, now, taken = look(listings=10_000_000), NOON, 0
    for _ in range(24 * 60):
        now += MINUTE
        if shares.is_due(one, rate, now):
            calls = min(shares.MOST_CALLS, shares.room(one, rate, now))
            one.paid_until = shares.paid(one, rate, calls, now)
            taken += calls
    most = min(rate, shares.MOST_CALLS * 24 * 60)
    # Each run may lose a millisecond, and the last may be still to come.
    assert most * 0.9999 - 2 * shares.SLICE_CALLS <= taken <= most


@given(st.lists(LISTINGS, min_size=1, max_size=30), RATES)
def test_an_applications_accounts_share_its_calls(listings: list[int | None], per_day: int) -> None:
    watched = [look(f"ebay:{number}", one) for number, one in enumerate(listings)]
    found = shares.rates(watched, {one.part: "app" for one in watched}, per_day)
    assert found.keys() == {one.part for one in watched}
    assert sum(found.values()) <= per_day
    useful = {one.part: shares._useful(one) for one in watched}
    # Nobody has more than it can use, nothing is left over that somebody could use, and who wants has as much as any.
    assert all(found[name] <= useful[name] for name in found)
    wanting = [found[name] for name in found if found[name] < useful[name]]
    assert not wanting or per_day - sum(found.values()) <= len(found)
    assert not wanting or min(wanting) >= max(found.values()) - len(found)


def test_each_application_has_a_share_of_its_own() -> None:
    watched = [look("ebay:a"), look("ebay:b"), look("ebay:c")]
    found = shares.rates(watched, dict.fromkeys(("ebay:a", "ebay:b"), "x") | {"ebay:c": "y"}, 1_000)
    assert found == {"ebay:a": 500, "ebay:b": 500, "ebay:c": 1_000}
    assert shares.rates(watched, {}, 0) == dict.fromkeys(("ebay:a", "ebay:b", "ebay:c"), 0)
    assert shares.room(watched[0], 0, NOON + DAY) == 0


@given(LISTINGS, st.integers(0, 100_000))
def test_room_that_nobody_uses_does_not_grow_for_ever(listings: int | None, rate: int) -> None:
    one = look(listings=listings)
    most = max(shares.SLICE_CALLS, rate * shares.SAVED_MS // DAY + 1)
    assert shares.room(one, rate, NOON + 30 * DAY) <= most
