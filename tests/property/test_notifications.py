"""The rules of what time alone brings: the rate of failures, the hour of a summary, the prices that changed most."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.notifications import hours, rates
from sluice.notifications.changes import PriceKey, changed_most
from sluice.notifications.rates import JobEnds, RateStanding, Threshold
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND

COUNTS = st.builds(JobEnds, st.integers(0, 300), st.integers(0, 300))
THRESHOLDS = st.builds(Threshold, st.integers(1, 99), st.integers(1, 50))
# From 2020 to 2035.
TIMES = st.integers(1_577_836_800_000, 2_051_222_400_000)
# Each side of the world, half and quarter hours, and clocks that are changed at midnight, at two, and by half an hour.
ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
        *("Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Santiago", "Africa/Cairo", "America/St_Johns"),
    ]
)
HOURS = st.integers(0, 23)


def above(ended: JobEnds, wanted: Threshold) -> bool | None:
    """Whether it is above; None where that is not judged."""
    total = ended.succeeded + ended.dead
    return None if total < wanted.jobs else Decimal(100 * ended.dead) / total > wanted.percent


@given(st.lists(COUNTS, max_size=40), THRESHOLDS)
def test_a_rate_is_told_once_for_each_time_that_it_goes_above(looks: list[JobEnds], wanted: Threshold) -> None:
    failing, told, judged = False, 0, [False]
    for ended in looks:
        standing = rates.step(failing, ended, wanted)
        assert not standing.tell or above(ended, wanted)
        told, failing = told + standing.tell, standing.failing
        known = above(ended, wanted)
        if known is not None or not any(ended):
            judged.append(bool(known))
    assert told == sum(now and not before for before, now in pairwise(judged))
    assert failing == judged[-1]


@given(THRESHOLDS)
def test_a_rate_at_its_threshold_is_not_above_it(wanted: Threshold) -> None:
    ended = JobEnds(100 - wanted.percent, wanted.percent)
    assert rates.step(False, ended, wanted._replace(jobs=1)) == RateStanding(False, False)
    assert rates.step(False, ended._replace(dead=wanted.percent + 1), wanted._replace(jobs=1)).tell


@given(THRESHOLDS, st.booleans())
def test_of_too_few_jobs_nothing_is_said(wanted: Threshold, failing: bool) -> None:
    few = JobEnds(0, wanted.jobs - 1)
    assert rates.step(failing, few, wanted) == RateStanding(failing and wanted.jobs > 1, False)


def test_a_rate_counts_what_ended_and_nothing_else() -> None:
    counters = {
        "e:market.refresh:stockx:succeeded": 7,
        "e:market.refresh:stockx:dead": 3,
        "e:market.refresh:stockx:cancelled": 50,
        "e:listing.publish:ebay:dead": 1,
        "f:market.refresh:stockx": 90,
        "n:market.refresh:stockx:dead": 90,
    }
    found = rates.by_queue(counters)
    assert found == {("market.refresh", "stockx"): JobEnds(7, 3), ("listing.publish", "ebay"): JobEnds(0, 1)}
    assert (rates.total(found), rates.total(found).percent) == (JobEnds(7, 4), 36.4)


@given(HOURS, ZONES, TIMES)
@example(2, "Europe/Berlin", 1_774_746_000_000)  # 2026-03-29, on which no clock shows two
@example(2, "Europe/Berlin", 1_792_890_000_000)  # 2026-10-25, on which it shows two twice
def test_the_last_summary_is_due_and_the_next_is_not(hour: int, zone: str, now: int) -> None:
    last, following = hours.last(hour, zone, now), hours.following(hour, zone, now)
    assert last.at <= now < following.at
    assert following.day == last.day + timedelta(days=1)
    # A clock that is changed makes a day an hour shorter or longer; one that lacks the hour puts it off by as much.
    assert abs(following.at - last.at - DAY) <= 2 * HOUR
    local = datetime.fromtimestamp(last.at / SECOND, UTC).astimezone(ZoneInfo(zone))
    assert (local.date(), local.hour - hour) in [(last.day, 0), (last.day, 1)]


@given(HOURS, ZONES, TIMES, st.lists(st.integers(MINUTE, 9 * HOUR), min_size=1, max_size=60))
def test_each_day_has_one_summary_whenever_somebody_looks(hour: int, zone: str, start: int, steps: list[int]) -> None:
    """As often as each minute or as seldom as each few hours: no day is told twice, and none is left out."""
    told, now, last = list[str](), start, hours.last(hour, zone, start).day.isoformat()
    first = last
    for step in steps:
        now += step
        due = hours.last(hour, zone, now)
        if due.day.isoformat() > last:
            last = due.day.isoformat()
            told.append(last)
    day, expected = hours.following(hour, zone, start), list[str]()
    while day.at <= now:
        expected.append(day.day.isoformat())
        day = hours.following(hour, zone, day.at)
    assert told == expected
    assert first not in told


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_a_zone_is_known(name: str) -> None:
    assert hours.is_zone(name)


@pytest.mark.parametrize(
    "name", ["", "Berlin", "../etc/passwd", "/etc/localtime", "Europe", "Europe/", "UTC\x00", "é", "+01:00", "a" * 300]
)
def test_what_is_no_zone_is_known_to_be_none(name: str) -> None:
    assert not hours.is_zone(name)


PRICES = st.dictionaries(
    st.builds(PriceKey, st.sampled_from("ABC"), st.sampled_from(("9", "10")), st.just("stockx"), st.just("USD")),
    st.decimals(min_value=0, max_value=10_000, places=2).map(str),
)


@given(PRICES, PRICES, st.integers(0, 5))
def test_the_prices_that_changed_most_come_first(
    before: dict[PriceKey, str], after: dict[PriceKey, str], most: int
) -> None:
    told = changed_most(before, after, 99)
    assert {one.key for one in told} == {
        key
        for key in before.keys() & after.keys()
        if Decimal(before[key]) and Decimal(before[key]) != Decimal(after[key])
    }
    shares = [abs(one.after - one.before) / one.before for one in told]
    assert shares == sorted(shares, reverse=True)
    assert changed_most(before, after, most) == told[:most]
    for one in told:
        assert (one.before, one.after) == (Decimal(before[one.key]), Decimal(after[one.key]))
        assert one.percent == 0 or (one.percent > 0) == (one.after > one.before)
