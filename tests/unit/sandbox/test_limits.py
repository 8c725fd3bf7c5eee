"""The quota from the marketplace's side, in virtual time, and the numbers of the report."""

from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.limits import DAY_MS, HOUR_MS, Limits, Over, Quotas
from local.sandbox.log import Entry
from local.sandbox.report import report
from tests.unit.sandbox.client import NOON


def _charge(limits: Limits, arrivals: list[int], account: str = "a") -> list[Over | None]:
    quotas = Quotas()
    quotas.set("stockx", limits)
    return [quotas.charge("stockx", account, at) for at in arrivals]


def test_a_call_that_comes_too_early_is_over_and_told_how_long_to_wait() -> None:
    taken = _charge(Limits(interval_ms=600), [NOON, NOON + 599, NOON + 600, NOON + 1200])
    assert taken == [None, Over("interval", 1), None, None]


def test_tolerance_forgives_a_little_but_not_the_average() -> None:
    limits = Limits(interval_ms=600, tolerance_ms=100)
    assert _charge(limits, [NOON, NOON + 500, NOON + 1000]) == [None, None, Over("interval", 100)]


def test_a_burst_may_come_at_once() -> None:
    taken = _charge(Limits(interval_ms=600, burst=3), [NOON] * 4)
    assert taken == [None, None, None, Over("interval", 600)]


def test_clock_windows_open_again_at_the_full_hour_and_at_midnight() -> None:
    hour = _charge(Limits(per_hour=2), [NOON + 1, NOON + 2, NOON + 3, NOON + HOUR_MS])
    assert hour == [None, None, Over("hour", HOUR_MS - 3), None]
    day = _charge(Limits(per_day=1), [NOON, NOON + 1, NOON + DAY_MS // 2])
    assert day == [None, Over("day", DAY_MS // 2 - 1), None]


def test_rolling_windows_open_when_the_first_call_is_an_hour_old() -> None:
    limits = Limits(per_hour=2, windows="rolling")
    taken = _charge(limits, [NOON + 1, NOON + 2, NOON + HOUR_MS, NOON + HOUR_MS + 1])
    assert taken == [None, None, Over("hour", 1), None]


def test_accounts_and_marketplaces_are_counted_apart() -> None:
    quotas = Quotas()
    for marketplace in ("stockx", "alias"):
        quotas.set(marketplace, Limits(per_hour=1))
    for marketplace, account in (("stockx", "a"), ("stockx", "b"), ("alias", "a")):
        assert quotas.charge(marketplace, account, NOON) is None
        assert quotas.charge(marketplace, account, NOON) is not None


@given(st.lists(st.integers(0, 5_000), max_size=60), st.integers(1, 900), st.integers(1, 4), st.integers(0, 100))
def test_no_span_takes_more_than_the_interval_allows(
    gaps: list[int], interval: int, burst: int, tolerance: int
) -> None:
    arrivals = [NOON + sum(gaps[: place + 1]) for place in range(len(gaps))]
    limits = Limits(interval_ms=interval, burst=burst, tolerance_ms=tolerance)
    taken = [at for at, over in zip(arrivals, _charge(limits, arrivals), strict=True) if over is None]
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            calls = last - first + 1
            assert (calls - burst) * interval <= taken[last] - start + tolerance


@given(st.lists(st.integers(0, HOUR_MS // 3), max_size=40), st.integers(1, 6))
def test_no_rolling_hour_takes_more_than_its_limit(gaps: list[int], most: int) -> None:
    arrivals = [NOON + sum(gaps[: place + 1]) for place in range(len(gaps))]
    charged = _charge(Limits(per_hour=most, windows="rolling"), arrivals)
    taken = [at for at, over in zip(arrivals, charged, strict=True) if over is None]
    assert all(sum(start <= at < start + HOUR_MS for at in taken) <= most for start in taken)


def _entry(ordinal: int, at_ms: int, path: str = "/v2/x", status: int | None = 200, **more: object) -> Entry:
    known = {"marketplace": "stockx", "account": "a", "method": "GET", "query": {}, "route": path}
    return Entry(ordinal=ordinal, at_ms=at_ms, path=path, status=status, **{**known, **more})  # type: ignore[arg-type]


def test_the_report_counts_the_fullest_hour_by_the_clock_and_by_any_hour() -> None:
    arrivals = [NOON - 2, NOON - 1, NOON, NOON + 5, NOON + HOUR_MS - 1]
    usage = report([_entry(place, at) for place, at in enumerate(arrivals, 1)]).usage["stockx/a"]
    assert (usage.calls, usage.max_in_clock_hour, usage.max_in_rolling_hour) == (5, 3, 4)
    assert (usage.max_in_utc_day, usage.max_in_rolling_day, usage.smallest_gap_ms) == (5, 5, 1)


def test_the_report_counts_by_route_and_status_and_what_was_over() -> None:
    entries = [
        _entry(1, NOON),
        _entry(2, NOON, status=429, over="hour"),
        _entry(3, NOON, status=None, faults=("hang",)),
    ]
    counted = report(entries)
    assert counted.by_route == {"GET /v2/x": {"200": 1, "429": 1, "unanswered": 1}}
    assert (counted.over, counted.by_fault) == (1, {"hang": 1})
    assert counted.usage["stockx/a"].over == {"hour": 1}


def test_a_duplicate_repeats_what_was_answered_a_short_time_ago() -> None:
    entries = [
        _entry(1, NOON, status=500),
        _entry(2, NOON + 1),
        _entry(3, NOON + 2),
        _entry(4, NOON + 3, query={"currencyCode": "EUR"}),
        _entry(5, NOON + 4, account="b"),
        _entry(6, NOON + 2 + 1000),
    ]
    assert report(entries, duplicates_within_ms=1000).duplicates == 1


def test_an_empty_log_has_an_empty_report() -> None:
    assert report([]).as_dict()["usage"] == {}
