"""What a look reads of a budget's lanes: as much as there is room for, and from each about as much."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from sluice.jobs.budgets import handed_out, ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch import find_ready as reading
from sluice.jobs.dispatch.find_ready import Ready, find
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys, kinds
from sluice.jobs.queue import lanes
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.config.pauses import Pause, Pauses
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec

PER_HOUR = 50
CONFIG = Config(limits={"stockx": Limits(by_clock(PER_HOUR))})


def waiting(clock: VirtualClock, tenant: str, count: int, priority: int = keys.BACKGROUND) -> None:
    for number in range(count):
        enqueue(replace(spec(f"{tenant}-{number}", tenant=tenant, priority=priority), budget="stockx"), clock.time)


def used(clock: VirtualClock, calls: int) -> None:
    assert ledger.reserve_calls("stockx", CONFIG.limits["stockx"], Window.at(clock.time), calls)


def look(
    store: Store,
    clock: VirtualClock,
    broken: Collection[str] = (),
    config: Config = CONFIG,
    horizon_ms: int = HOUR,
) -> tuple[Ready, list[int]]:
    """What is ready, and how many items each query of a lane asked for."""
    marked, queries = lanes.active(), list[int]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "Query":
            queries.append(request.parameters["Limit"])
        return send()

    def statuses(accounts: Collection[str], _: str) -> Mapping[str, str]:
        return {account: "BROKEN" if account in broken else "ACTIVE" for account in accounts}

    store.around = around
    try:
        return find(Snapshot(clock.time, config, Accounts(statuses)), "stockx", marked, horizon_ms, clock.time), queries
    finally:
        store.around = None


def test_no_lane_is_read_without_a_call_left(store: Store, clock: VirtualClock) -> None:
    waiting(clock, "acme", 5)
    used(clock, PER_HOUR)
    ready, queries = look(store, clock)
    assert (ready.candidates, ready.held, queries) == ([], "no_budget", [])


def test_what_is_left_for_others_is_not_read_for(store: Store, clock: VirtualClock) -> None:
    """One job of a background lane, until age has raised it: then it may have what is left."""
    waiting(clock, "acme", 30)
    used(clock, PER_HOUR - 10)
    assert look(store, clock)[1] == [1]
    waiting(clock, "acme", 3, keys.HOT)
    assert sorted(look(store, clock)[1]) == [1, 10]
    clock.time += 2 * HOUR
    used(clock, PER_HOUR - 10)
    assert sorted(look(store, clock)[1]) == [1, 9, 10]


def test_of_more_lanes_than_there_is_room_for_some_are_read_and_not_always_the_same(
    store: Store, clock: VirtualClock
) -> None:
    for number in range(40):
        waiting(clock, f"tenant-{number}", 2)
    used(clock, PER_HOUR - 16)
    seen = set()
    for _ in range(12):
        ready, queries = look(store, clock)
        assert queries == [1] * 16
        assert len({candidate.tenant for candidate in ready.candidates}) == 16
        seen |= {candidate.tenant for candidate in ready.candidates}
        clock.time += MINUTE
    assert len(seen) > 30


def test_lanes_with_less_than_their_part_leave_it_to_the_others(store: Store, clock: VirtualClock) -> None:
    for tenant, count in (("one", 1), ("two", 2), ("many", 100), ("more", 100)):
        waiting(clock, tenant, count)
    ready, queries = look(store, clock)
    found = [candidate.tenant for candidate in ready.candidates]
    assert (found.count("one"), found.count("two")) == (1, 2)
    assert found.count("many") >= 23 <= found.count("more")
    assert len(found) == len(set(ready.candidates)) >= PER_HOUR
    assert sum(queries) <= PER_HOUR + 2 * 13


def test_work_is_found_behind_lanes_that_have_none_to_give(store: Store, clock: VirtualClock) -> None:
    """Lanes of broken accounts and empty ones are passed; whoever can run has all the room."""
    for number in range(30):
        waiting(clock, f"broken-{number}", 3)
        lanes.mark(keys.lane("stockx", f"stockx:empty-{number}", keys.BACKGROUND, "", 1), clock.time)
    waiting(clock, "good", 40)
    ready, queries = look(store, clock, {f"stockx:broken-{number}" for number in range(30)})
    assert {candidate.tenant for candidate in ready.candidates} == {"good"}
    assert len(ready.candidates) >= 30
    assert ready.held == "account"
    assert sum(queries) <= 200


@pytest.mark.parametrize("count", [0, 1, 120])
def test_a_lane_alone_is_read_once(count: int, store: Store, clock: VirtualClock) -> None:
    lanes.mark(keys.lane("stockx", "stockx:acme", keys.BACKGROUND, "", 1), clock.time)
    waiting(clock, "acme", count)
    ready, queries = look(store, clock)
    assert (len(ready.candidates), queries) == (min(count, PER_HOUR), [PER_HOUR])


PACED = Config(limits={"stockx": Limits(by_clock(1_000), interval_ms=1_000, tolerance_ms=0)}, engine=Engine(batch=5))


def paced(store: Store, clock: VirtualClock) -> list[int]:
    """How many items each query of a lane asks for, manual lanes first, of a budget with a horizon of 20 calls."""
    return look(store, clock, config=PACED, horizon_ms=20 * SECOND)[1]


def test_what_the_slots_cannot_start_is_not_read(store: Store, clock: VirtualClock) -> None:
    waiting(clock, "acme", 200)
    assert paced(store, clock) == [20]
    handed_out.admit("stockx", PACED.limits["stockx"], 5, clock.time)
    assert paced(store, clock) == [15]
    waiting(clock, "acme", 200, keys.HOT)
    assert paced(store, clock) == [15, 1], "hot work fills it: of background work only what age has raised"
    handed_out.admit("stockx", PACED.limits["stockx"], 14, clock.time)
    assert paced(store, clock) == [1, 1], "there is no room for a batch: neither is read on without age"


def test_of_manual_work_a_batch_is_read_or_what_the_slots_can_start(store: Store, clock: VirtualClock) -> None:
    """Six slots lie in the six seconds that manual work is handed out ahead, and one more tells that more waits."""
    waiting(clock, "acme", 200)
    waiting(clock, "acme", 8, keys.MANUAL)
    assert paced(store, clock) == [20, 12]
    handed_out.admit("stockx", PACED.limits["stockx"], 20, clock.time)
    assert paced(store, clock) == [7, 1]
    waiting(clock, "globex", 30, keys.MANUAL)
    assert sum(paced(store, clock)) <= 2 * 7


def test_what_age_has_raised_is_found_behind_slots_that_are_spoken_for(store: Store, clock: VirtualClock) -> None:
    waiting(clock, "acme", 12)
    clock.time += 2 * HOUR
    handed_out.admit("stockx", PACED.limits["stockx"], 20, clock.time)
    waiting(clock, "acme", 4, keys.MANUAL)
    assert paced(store, clock) == [7, 1, 6]


@pytest.mark.parametrize("paused", ["test.work", "test.work:stockx"])
def test_work_is_found_behind_a_kind_that_is_paused(
    paused: str, store: Store, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of the paused kind waits in the same lane; at another marketplace it is not paused."""
    monkeypatch.setitem(kinds._KINDS, "test.other", KIND._replace(name="test.other"))
    monkeypatch.setattr(reading, "MOST", 10)
    waiting(clock, "acme", 110)
    clock.time += MINUTE
    enqueue(replace(spec("other", tenant="acme"), kind="test.other", budget="stockx"), clock.time)
    ready, _ = look(store, clock, config=replace(CONFIG, pauses=Pauses.of([Pause(paused)])))
    assert [candidate.kind for candidate in ready.candidates] == ["test.other"]
    assert ready.held == "paused"
    elsewhere = replace(CONFIG, pauses=Pauses.of([Pause("test.work:ebay")]))
    assert len(look(store, clock, config=elsewhere)[0].candidates) == 10
