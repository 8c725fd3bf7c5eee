"""A marketplace's days are those of its own clock: compared with the system's time zone database."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.jobs.budgets.windows import Usage, Window
from sluice.platform.clock import DAY, HOUR, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.config.services import LIMITS, zone_of
from sluice.platform.days import PACIFIC, WORLD, ZONES, Day

# From 2008 on the law is what it is now; 2037 is the last year that every time zone database spells out.
MOMENTS = st.integers(1_200_000_000_000, 2_140_000_000_000)
SPRING = 1_772_964_000_000  # 2026-03-08T10:00:00Z, 02:00 PST becomes 03:00 PDT
AUTUMN = 1_793_523_600_000  # 2026-11-01T09:00:00Z, 02:00 PDT becomes 01:00 PST


def midnights(now: int, zone: str) -> tuple[int, int]:
    date = datetime.fromtimestamp(now // SECOND, ZoneInfo(zone)).date()
    ends = (datetime.combine(day, time(), ZoneInfo(zone)).timestamp() for day in (date, date + timedelta(days=1)))
    start, end = (round(end) * SECOND for end in ends)
    return start, end


@given(MOMENTS, st.sampled_from(ZONES))
@example(SPRING - 1, PACIFIC)
@example(SPRING, PACIFIC)
@example(AUTUMN - 1, PACIFIC)
@example(AUTUMN, PACIFIC)
def test_a_day_is_the_zones_own(now: int, zone: str) -> None:
    day = Day.at(now, zone)
    assert (day.start, day.end) == midnights(now, zone)
    assert day.name[:10] == f"{datetime.fromtimestamp(now // SECOND, ZoneInfo(zone)):%Y-%m-%d}"
    assert Day.at(day.end, zone).start == day.end, "the next one follows without a gap"


@pytest.mark.parametrize(("moment", "hours"), [(SPRING, 23), (AUTUMN, 25), (SPRING + 2 * DAY, 24)])
def test_the_days_on_which_the_clocks_are_changed(moment: int, hours: int) -> None:
    day = Day.at(moment, PACIFIC)
    assert (day.end - day.start) // HOUR == hours
    windows = [Window.at(at, PACIFIC) for at in range(day.start, day.end, HOUR)]
    assert [window.hour for window in windows] == [f"h{number:02d}" for number in range(hours)]
    assert {window.day for window in windows} == {day.name}
    assert {window.day_end for window in windows} == {day.end}


@given(MOMENTS, MOMENTS)
def test_no_two_days_share_a_counter_and_no_two_hours_either(one: int, other: int) -> None:
    windows = [Window.at(moment, zone) for moment in (one, other, one + HOUR, one + DAY) for zone in ZONES]
    days = {(window.day, window.zone, window.day_end) for window in windows}
    assert len(days) == len({name for name, _, _ in days})
    hours = {(window.day, window.hour) for window in windows}
    assert len(hours) == len({(window.hour_start, window.zone) for window in windows})


@given(MOMENTS)
def test_what_is_used_up_opens_with_the_marketplaces_day(now: int) -> None:
    limits, used = Limits(by_clock(day=5)), Usage(day=5)
    for budget, zone in (("ebay:app.3f9c", PACIFIC), ("ebay-marketing", PACIFIC), ("stockx:acme", WORLD)):
        window = Window.of(budget, now)
        assert window == Window.at(now, zone)
        assert used.empty_until(limits, window) == midnights(now, zone)[1]


def test_every_service_has_the_day_of_its_documents() -> None:
    assert {name: zone_of(name) for name in LIMITS} == {
        "stockx": WORLD,
        "alias": WORLD,
        "ebay": PACIFIC,
        "ebay-marketing": PACIFIC,
        "ebay-inventory": PACIFIC,
        "ebay-account": PACIFIC,
        "ebay-taxonomy": PACIFIC,
        "ebay-feed": PACIFIC,
        "pages": WORLD,  # shops count no days; what Sluice counts of its own looks, it counts by UTC
        "operator": WORLD,  # it calls nobody
    }


def test_the_defaults_are_those_of_the_documents() -> None:
    config = Config()
    shown = {name: (one.interval_ms, one.per_hour, one.per_day) for name, one in config.limits.items()}
    assert shown == {
        "stockx": (1_000, 100, 25_000),
        "alias": (1_000, 200, 0),
        "ebay": (250, 150, 5_000),
        "ebay-marketing": (250, 0, 10_000),
        "ebay-inventory": (100, 0, 2_000_000),
        "ebay-account": (250, 0, 25_000),
        "ebay-taxonomy": (250, 0, 5_000),
        "ebay-feed": (250, 0, 100_000),
        "pages": (2_000, 0, 0),  # no shop says how many looks it bears: a pace for each, and robots.txt
        "operator": (0, 0, 0),  # what operators do calls nobody
    }
    assert config.limits["stockx"].override(interval_ms=600).interval_ms == 600
