"""An application's hour is shared: something is kept for who comes later, and nothing is wasted."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.shares import KEPT_PART, RELEASED_MS, Shares
from sluice.jobs.dispatch.admission import Room, pick
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import MANUAL
from sluice.platform.clock import HOUR

NOW = 1_795_348_800_000
LIMIT = st.integers(1, 500)
TENANTS = "abc"


def jobs(tenant: str, count: int) -> list[Candidate]:
    return [
        Candidate(
            job_id=f"{tenant}{number:04d}",
            lane="ebay#200#0",
            kind="test",
            state="queued",
            due_at=NOW,
            priority=MANUAL,
            calls=1,
            tenant=tenant,
            account=f"ebay:{tenant}",
            created_at=NOW,
        )
        for number in range(count)
    ]


def picked(waiting: dict[str, int], limit: int, elapsed: int, had: dict[str, int]) -> Counter[str]:
    left = max(0, limit - sum(had.values()))
    room = Room(left, left, None, Shares(limit, sum(had.values()), elapsed, had))
    candidates = [job for tenant, count in waiting.items() for job in jobs(tenant, count)]
    return Counter(job.tenant for job in pick(candidates, room, NOW, HOUR))


@given(LIMIT, st.integers(0, HOUR), st.dictionaries(st.sampled_from(TENANTS), st.integers(0, 200)))
def test_what_is_kept_shrinks_with_time_and_with_what_others_have_had(
    limit: int, elapsed: int, had: dict[str, int]
) -> None:
    kept = Shares(limit, 0, elapsed, had).kept_from("a", {})
    assert 0 <= kept <= limit // KEPT_PART
    assert Shares(limit, 0, elapsed + 1, had).kept_from("a", {}) <= kept
    assert Shares(limit, 0, elapsed, had).kept_from("a", {"b": 1}) == max(0, kept - 1)
    assert Shares(limit, 0, elapsed, had).kept_from("a", {"a": 50}) == kept
    assert Shares(limit, 0, max(elapsed, RELEASED_MS), had).kept_from("a", {}) == 0


@given(LIMIT)
def test_a_long_queue_of_one_leaves_a_part_to_the_next_and_gets_it_when_nobody_comes(limit: int) -> None:
    first = picked({"a": limit + 50}, limit, 0, {})
    assert first == {"a": limit - limit // KEPT_PART}
    later = picked({"b": limit // KEPT_PART}, limit, HOUR // 60, dict(first))
    assert later["b"] == limit // KEPT_PART
    alone = picked({"a": limit}, limit, RELEASED_MS, dict(first))
    assert alone["a"] == limit // KEPT_PART, "nothing of the hour is wasted"


@given(st.integers(20, 400), st.integers(0, HOUR - 1))
def test_those_who_wait_together_share_all_that_is_left(limit: int, elapsed: int) -> None:
    got = picked({"a": limit, "b": limit}, limit, elapsed, {})
    assert sum(got.values()) == limit
    assert abs(got["a"] - got["b"]) <= 1


@given(st.integers(40, 400), st.integers(0, HOUR - 1), st.data())
def test_who_has_had_less_of_the_hour_goes_first(limit: int, elapsed: int, data: st.DataObject) -> None:
    had = data.draw(st.integers(1, limit // 2))
    got = picked({"a": limit, "b": limit}, limit, elapsed, {"a": had})
    assert sum(got.values()) == limit - had
    assert got["b"] - (got["a"] + had) in (-1, 0, 1)
