"""Which lanes have work: a mark is there whenever a job is, and the nudge is never lost."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from local.cloud import template as templates
from local.cloud.template import resources
from sluice.jobs.queue import lanes
from sluice.jobs.queue.lanes import REMEMBER_MS, REMOVE_AFTER_MS
from sluice.platform.clock import MINUTE, SECOND
from tests.support.store import Answer, Request, Send, Store

NOON = 1_795_348_800_000
LANE = "stockx:acme#100#0"


def seen_at() -> int:
    [lane] = lanes.active()
    return int(lane.seen_at)


def test_a_process_marks_a_lane_at_most_once_a_minute(store: Store) -> None:
    writes: list[str] = []

    def around(request: Request, send: Send) -> Answer:
        writes.append(request.operation)
        return send()

    store.around = around
    for later in range(0, 3 * MINUTE, SECOND):
        lanes.mark(LANE, NOON + later)
    assert writes == ["UpdateItem"] * 3
    assert seen_at() == NOON + 2 * MINUTE, "as soon as a minute is over"


@pytest.mark.usefixtures("store")
def test_a_lane_is_not_said_to_hold_what_several_want_unless_it_is() -> None:
    lanes.mark(LANE, NOON)
    assert [lane.shared_at for lane in lanes.active()] == [None]
    lanes.mark(LANE, NOON + SECOND, shared=True)
    assert [lane.shared_at for lane in lanes.active()] == [NOON + SECOND]


def test_what_a_tick_has_seen_stays_on_the_mark_until_it_is_over(store: Store) -> None:
    lanes.mark(LANE, NOON)
    [lane] = lanes.active()
    lanes.note(lane, NOON, {"job_id": "a"})
    [lane] = lanes.active()
    assert (lane.held_since, lane.swept, lane.seen_at) == (NOON, {"job_id": "a"}, NOON)
    lanes.note(lane, None, None)
    [item] = store.items("lanes")
    assert not {"held_since", "swept"} & item.keys()


@pytest.mark.usefixtures("store")
def test_a_mark_only_moves_forward() -> None:
    """A process whose clock is behind does not make a lane look older than others know it."""
    lanes.mark(LANE, NOON)
    lanes.forget()
    lanes.mark(LANE, NOON - 11 * MINUTE)
    assert seen_at() == NOON


@pytest.mark.usefixtures("store")
def test_a_mark_that_somebody_may_rely_on_is_not_removed() -> None:
    lanes.mark(LANE, NOON)
    [lane] = lanes.active()
    assert not lanes.remove(lane, NOON + REMOVE_AFTER_MS - 1)
    assert lanes.remove(lane, NOON + REMOVE_AFTER_MS)
    assert lanes.active() == []


@pytest.mark.usefixtures("store")
def test_a_mark_that_was_renewed_meanwhile_is_not_removed() -> None:
    lanes.mark(LANE, NOON)
    [seen] = lanes.active()
    lanes.forget()
    lanes.mark(LANE, NOON + REMOVE_AFTER_MS)
    assert not lanes.remove(seen, NOON + REMOVE_AFTER_MS)
    assert seen_at() == NOON + REMOVE_AFTER_MS


def test_no_function_runs_as_long_as_an_old_mark_is_kept() -> None:
    """A process writes its job within its own time after it relied on its mark, so the mark is still there."""
    timeouts = {
        name: function["Timeout"] * SECOND
        for name, function in resources(templates.load(), "AWS::Serverless::Function")
        if "Timeout" in function
    }
    assert timeouts
    assert all(timeout + REMEMBER_MS < REMOVE_AFTER_MS for timeout in timeouts.values()), timeouts


def test_those_who_mark_a_lane_at_once_write_it_once(store: Store) -> None:
    """A request of a hundred items is enqueued by several threads, all of which find the lane unmarked."""
    writes, all_there = list[str](), Barrier(8)

    def around(request: Request, send: Send) -> Answer:
        writes.append(request.operation)
        return send()

    def mark(_: int) -> None:
        all_there.wait()
        lanes.mark(LANE, NOON)

    store.around = around
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(mark, range(8)))
    assert writes == ["UpdateItem"]


@pytest.mark.usefixtures("store")
def test_what_a_tick_notes_on_a_mark_that_is_gone_makes_no_new_one() -> None:
    lanes.mark(LANE, NOON)
    [seen] = lanes.active()
    assert lanes.remove(seen, NOON + REMOVE_AFTER_MS)
    lanes.note(seen, NOON, None)
    assert lanes.active() == []


@pytest.mark.parametrize("most", [0, 1, 3, 9])
def test_of_the_lanes_with_work_no_more_are_read_than_are_wanted(most: int, store: Store) -> None:
    for number in range(6):
        lanes.mark(f"stockx:acme#100#{number}", NOON)
    read = list[int]()

    def around(request: Request, send: Send) -> Answer:
        answer = send()
        read.append(len(answer["Items"]))
        return answer

    store.around = around
    found = lanes.some(most)
    store.around = None
    assert len({lane.lane for lane in found}) == len(found) == sum(read) == min(most, 6)
