"""Backoff, history and keys: small pure rules, with every input that could come."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sluice.jobs.model import history, keys
from sluice.jobs.model.backoff import Backoff, Timetable
from sluice.platform.clock import from_iso, iso

backoffs = st.builds(
    Backoff, base_ms=st.integers(1, 60_000), cap_ms=st.integers(1, 3_600_000), floor_ms=st.integers(0, 5_000)
)
chances = st.floats(0, 1, exclude_max=True)
# Every text that can be encoded; a lone surrogate cannot, and is refused where requests come in.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(backoffs, st.integers(-5, 10_000), chances)
def test_a_backoff_lies_between_its_floor_and_its_ceiling(backoff: Backoff, attempt: int, chance: float) -> None:
    delay = backoff.delay(attempt, chance)
    ceiling = min(backoff.cap_ms, backoff.base_ms * 2 ** min(max(attempt, 1) - 1, 32))
    assert backoff.floor_ms <= delay <= max(backoff.floor_ms, ceiling)


@given(backoffs, st.integers(1, 60), chances)
def test_a_later_attempt_never_waits_less(backoff: Backoff, attempt: int, chance: float) -> None:
    assert backoff.delay(attempt, chance) <= backoff.delay(attempt + 1, chance)


def test_full_jitter_uses_the_whole_range() -> None:
    backoff = Backoff(base_ms=10_000, cap_ms=900_000, floor_ms=0)
    assert [backoff.delay(3, chance) for chance in (0, 0.25, 0.5, 0.75)] == [0, 10_000, 20_000, 30_000]


@given(st.lists(st.integers(0, 3_600_000), min_size=1, max_size=20), st.integers(0, 30))
def test_a_timetable_says_each_wait_to_the_millisecond(waits: list[int], attempt: int) -> None:
    times = Timetable(tuple(waits))
    assert times.attempts == len(waits)
    assert times.delay(attempt) == waits[min(attempt, len(waits) - 1)]


entries = st.builds(
    lambda event, code: {"event": event, "attempt": 1, "code": code},
    st.sampled_from(["retry", "snooze", "rescue", "rerun"]),
    st.sampled_from(["budget_closed", "budget_empty", "http_500"]),
)


@given(st.lists(entries, max_size=120))
def test_a_timeline_stays_short_and_loses_no_attempt_to_snoozes(added: list[dict[str, Any]]) -> None:
    timeline: list[history.Entry] = []
    for at, entry in enumerate(added):
        timeline = history.add(timeline, {**entry, "at": at})
        last = timeline[-1]
        assert (last["event"], last["code"], last.get("last", last["at"])) == (entry["event"], entry["code"], at)
    assert len(timeline) <= history.MOST_ENTRIES
    assert [entry["at"] for entry in timeline] == sorted(entry["at"] for entry in timeline)
    attempts = [at for at, entry in enumerate(added) if entry["event"] != "snooze"]
    kept = [entry["at"] for entry in timeline if entry["event"] != "snooze"]
    # One place may be the newest snooze's own; every other belongs to the newest attempts before any snooze.
    assert kept[-(history.MOST_ENTRIES - 1) :] == attempts[-(history.MOST_ENTRIES - 1) :]


@given(st.lists(st.just({"event": "snooze", "attempt": 1, "code": "budget_empty"}), min_size=1, max_size=200))
def test_the_same_snooze_again_and_again_is_one_entry(snoozes: list[dict[str, Any]]) -> None:
    timeline: list[history.Entry] = []
    for at, entry in enumerate(snoozes):
        timeline = history.add(timeline, {**entry, "at": at})
    [only] = timeline
    assert (only["at"], only.get("times", 1), only.get("last", 0)) == (0, len(snoozes), len(snoozes) - 1)


@given(st.lists(texts, max_size=6))
def test_a_job_id_gives_its_parts_back(parts: list[str]) -> None:
    assert keys.job_parts(keys.job_id("market.refresh", *parts)) == ["market.refresh", *parts]


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_two_pieces_of_work_share_a_job_id_only_if_they_are_the_same(one: list[str], other: list[str]) -> None:
    assert (keys.job_id("k", *one) == keys.job_id("k", *other)) == (one == other)


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_job_id_stands_in_a_url_path(parts: list[str]) -> None:
    job_id = keys.job_id("market.refresh", *parts)
    assert job_id.isascii()
    assert not set(job_id) & set("/?# \t\n")


@given(
    texts.filter(bool),
    st.from_regex(r"[a-z]{1,8}:[a-z0-9-]{1,64}", fullmatch=True),
    st.sampled_from(sorted(keys.PRIORITIES.values())),
    texts,
    st.integers(1, 64),
)
def test_a_lane_names_its_budget_and_is_never_one_of_running_jobs(
    budget: str, account: str, priority: int, job: str, shards: int
) -> None:
    queued, polled = keys.lane(budget, account, priority, job, shards), keys.poll_lane(budget, account, job, shards)
    assert keys.lane_budget(queued) == keys.lane_budget(polled) == budget
    assert (keys.is_poll_lane(queued), keys.is_poll_lane(polled)) == (False, True)
    assert not {queued, polled} & set(keys.leased_lanes())
    assert keys.leased_lane(job) in keys.leased_lanes()


@given(texts, st.integers(1, 64))
def test_a_shard_is_one_of_the_shards_and_always_the_same(key: str, shards: int) -> None:
    assert 0 <= keys.shard(key, shards) < shards
    assert keys.shard(key, shards) == keys.shard(key, shards)


@given(texts.filter(lambda text: text and ":" not in text), texts)
def test_an_account_names_its_marketplace(marketplace: str, tenant: str) -> None:
    assert keys.marketplace_of(keys.account(marketplace, tenant)) == marketplace


TIMES = st.one_of(
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=-23, minutes=-59)))).map(datetime.isoformat),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=23, minutes=59)))).map(datetime.isoformat),
    st.text(st.sampled_from("0123456789-+:.TZW"), max_size=32),
)


@given(TIMES)
@example("9999-12-31T23:59:59-23:59")
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59.999999Z")
@example("0001-01-01T00:00:00Z")
@example("2026-11-22T12:00:00")
def test_whatever_a_time_is_it_can_be_shown_again_or_is_refused(text: str) -> None:
    with suppress(ValueError):
        at = from_iso(text)
        assert from_iso(iso(at)) == at
        assert at == (datetime.fromisoformat(text) - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
