"""How the lanes of one priority are read: about as much of each, until there is as much as there is room for."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pytest

from sluice.jobs.dispatch import find_ready
from sluice.jobs.dispatch.admission import Room
from sluice.jobs.dispatch.find_ready import Ready, _Search, _urgency
from sluice.jobs.dispatch.reach import Reach
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL, POLL
from sluice.jobs.queue import claim, lanes
from sluice.jobs.queue.claim import DuePage
from sluice.jobs.queue.lanes import REMOVE_AFTER_MS, Lane
from sluice.platform.clock import HOUR
from sluice.platform.config.limits import Limits
from tests.unit.jobs.conftest import NOON

AGE_LIMIT = HOUR
UNREADABLE, PASSED = "unreadable", "passed"


class Lanes:
    """Lanes by name with what stands in each, and what was asked of them."""

    def __init__(self, standing: dict[str, list[str]], waited: int = 0) -> None:
        """standing: by the account, for each item its kind."""
        self.standing, self.waited = standing, waited
        self.asked = list[tuple[str, int]]()

    def page(
        self, lane: str, now: int, limit: int, after: dict[str, Any] | None = None, without: Collection[str] = ()
    ) -> DuePage:
        assert now == NOON
        self.asked.append((lane, limit))
        begin = after["at"] if after else 0
        end = begin + limit
        some = self.standing[lane][begin:end]
        found = [
            Candidate(f"{lane}{number}", lane, kind, "queued", NOON, BACKGROUND, 1, lane, lane, NOON - self.waited)
            for number, kind in enumerate(some, begin)
            if kind not in (UNREADABLE, *without)
        ]
        bad = [f"{lane}{number}" for number, kind in enumerate(some, begin) if kind == UNREADABLE]
        rest = {"at": end} if end <= len(self.standing[lane]) else None  # as DynamoDB: there may be more
        return DuePage(found, bad, sum(kind in without for kind in some), rest)


def search(
    monkeypatch: pytest.MonkeyPatch,
    standing: Lanes,
    far: Reach,
    *,
    shards: int = 1,
    broken: str = "",
    without: Collection[str] = (),
    seen_at: int = NOON,
) -> Ready:
    ready = Ready("stockx:acme", Limits(shards=shards), Room(None, None, None))

    def runnable(found: Sequence[Candidate]) -> Iterable[Candidate]:
        return [one for one in found if one.account not in broken]

    monkeypatch.setattr(claim, "page", standing.page)
    marked = [Lane("lanes", name, seen_at=seen_at) for name in standing.standing]
    _Search(ready, runnable, NOON, NOON, AGE_LIMIT, far, frozenset(without)).search(marked)
    return ready


def of(**count: int) -> dict[str, list[str]]:
    return {name: ["work"] * many for name, many in count.items()}


@pytest.mark.parametrize(
    ("count", "most", "asked", "found"),
    [
        ({"a": 10}, 3, [3], 3),
        ({"a": 2}, 3, [3], 2),
        ({"a": 3}, 3, [3], 3),
        ({"a": 4, "b": 4}, 5, [3, 3], 6),
        ({"a": 4, "b": 4}, 1, [1], 1),
        ({"a": 1, "b": 10}, 6, [3, 3, 2], 6),
        ({"a": 1, "b": 1, "c": 10}, 9, [3, 3, 3, 4], 9),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, 2, [1, 1], 2),
        # There is no room: one is looked at, for its age may raise it.
        ({"a": 10}, 0, [1], 1),
        # Nothing limits it, but what one look reads for each key of the lanes.
        ({"a": 50}, None, [10], 10),
        ({"a": 50}, 45, [10], 10),
    ],
)
def test_each_lane_is_read_for_its_part_of_what_is_missing(
    count: dict[str, int], most: int | None, asked: list[int], found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_ready, "MOST", 10)
    standing = Lanes(of(**count))
    assert len(search(monkeypatch, standing, Reach(most)).candidates) == found
    assert sorted(limit for _, limit in standing.asked) == sorted(asked)


def test_lanes_that_are_spread_over_several_keys_are_read_for_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_ready, "MOST", 10)
    standing = Lanes(of(a=50))
    assert len(search(monkeypatch, standing, Reach(None), shards=2).candidates) == 20
    assert standing.asked == [("a", 10)] * 2


def test_which_lanes_are_read_first_is_drawn_by_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    names = "abcdefgh"
    standing = Lanes(of(**dict.fromkeys(names, 1)))
    search(monkeypatch, standing, Reach(8))
    assert "".join(name for name, _ in standing.asked) != names


def test_a_lane_whose_account_cannot_run_is_not_read_on_and_leaves_its_part_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing = Lanes(of(a=10, b=10))
    ready = search(monkeypatch, standing, Reach(4), broken="a")
    assert [one.account for one in ready.candidates] == ["b"] * 4
    assert sorted(standing.asked) == [("a", 2), ("b", 2), ("b", 2)]


def test_nobody_comes_back_to_a_lane_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages have items that are no jobs; the next round goes on with what is set aside until then."""
    standing = Lanes({"a": [UNREADABLE] * 20})
    ready = search(monkeypatch, standing, Reach(2))
    assert standing.asked == [("a", 2)] * 4
    assert ready.unreadable == [f"a{number}" for number in range(8)]


@pytest.mark.parametrize(("behind", "found"), [(0, True), (49, True), (50, False)])
def test_work_behind_a_kind_that_is_paused_is_looked_for_further(
    behind: int, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whole pages."""
    monkeypatch.setattr(find_ready, "MOST", 2)
    standing = Lanes({"a": [PASSED] * 2 * behind + ["work"]})
    ready = search(monkeypatch, standing, Reach(1), without=[PASSED])
    assert ([one.job_id for one in ready.candidates] == [f"a{2 * behind}"]) is found
    assert {limit for _, limit in standing.asked} == {2}
    assert ready.held == ("paused" if behind else None)


@pytest.mark.parametrize(("waited", "found"), [(HOUR - 1, 1), (HOUR, 5)])
def test_where_there_is_room_for_what_age_has_raised_alone_the_first_of_a_lane_tells_whether_there_is_any(
    waited: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = Lanes(of(a=10), waited)
    assert len(search(monkeypatch, standing, Reach(5, HOT)).candidates) == found
    assert standing.asked[0] == ("a", 1)


@pytest.mark.parametrize(
    ("standing", "age", "stands", "removed"),
    [
        ([], REMOVE_AFTER_MS, False, True),
        ([], REMOVE_AFTER_MS - 1, False, False),
        ([], REMOVE_AFTER_MS, True, False),  # what is not due yet
        (["work"], REMOVE_AFTER_MS, False, False),
        ([UNREADABLE], REMOVE_AFTER_MS, False, False),
        ([PASSED], REMOVE_AFTER_MS, False, False),
    ],
)
def test_a_lane_that_was_marked_long_ago_and_is_empty_leaves_the_list(
    standing: list[str], age: int, stands: bool, removed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, looked = list[str](), list[str]()

    def is_empty(lane: str) -> bool:
        looked.append(lane)
        return not stands

    monkeypatch.setattr(claim, "is_empty", is_empty)
    monkeypatch.setattr(lanes, "remove", lambda lane, now: gone.append(lane.lane))
    search(monkeypatch, Lanes({"a": standing}), Reach(3), without=[PASSED], seen_at=NOON - age)
    assert gone == (["a"] if removed else [])
    assert len(looked) <= (age >= REMOVE_AFTER_MS), "it costs a request"


def test_a_lane_that_was_read_to_its_end_is_not_thought_of_as_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "is_empty", lambda lane: pytest.fail("there was something"))
    standing = Lanes({"a": [UNREADABLE] * 2})
    search(monkeypatch, standing, Reach(2), seen_at=NOON - REMOVE_AFTER_MS)
    assert standing.asked == [("a", 2)] * 2


def test_the_most_urgent_lanes_are_read_first_and_checks_after_all_work() -> None:
    order = sorted([POLL, *map(str, (BACKGROUND, MANUAL, HOT))], key=_urgency)
    assert order == [*map(str, (MANUAL, HOT, BACKGROUND)), POLL]
