"""A run of the scheduler: who gets a place, how often it looks, and what it leaves behind."""

from collections.abc import Sequence
from typing import Any

import pytest

from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.rounds import Done
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.dispatch.transfers import Moved
from sluice.jobs.queue import nudge, recounts
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.nudge import RunPlace, Wakeup
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context
from tests.support.clock import VirtualClock
from tests.unit.jobs.conftest import NOON

PLACE = RunPlace(0, NOON + 60_000)


class Around:
    """What stands around a run: the places it finds, who has asked meanwhile, and what its ticks do."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        places: Sequence[bool] = (True,),
        left: Sequence[bool] = (True,),
        transferred: Sequence[int] = (0, 0, 0),
        took_ms: int = 0,
        *,
        asked: bool = False,
    ) -> None:
        self.clock, self.told = VirtualClock(NOON), list[str]()
        places_, left_, over = iter(places), iter(left), iter(transferred)

        def begin(_: int) -> RunPlace | None:
            self.told.append("begin")
            return PLACE if next(places_) else None

        def ask(_: int) -> bool:
            self.told.append("ask")
            return asked

        def leave(_: RunPlace) -> bool:
            self.told.append("leave")
            return next(left_)

        def tick(*_: object, minutely: bool) -> dict[str, Any]:
            self.told.append("TICK" if minutely else "tick")
            self.clock.time += took_ms
            many = next(over)
            if many < 0:
                raise ConnectionError
            return {"transferred": many}

        monkeypatch.setattr(nudge, "begin", begin)
        monkeypatch.setattr(nudge, "ask", ask)
        monkeypatch.setattr(nudge, "leave", leave)
        monkeypatch.setattr(nudge, "give_up", lambda _: self.told.append("give up"))
        monkeypatch.setattr(recounts, "sweep", lambda: self.told.append("sweep"))
        monkeypatch.setattr(scheduler, "_tick", tick)

    def run(self, asked: Wakeup) -> dict[str, Any]:
        return scheduler.run(Accounts(lambda *_: {}), Context(self.clock, Config()), asked)


SCHEDULED, NUDGED, AT = nudge.BY_SCHEDULE, Wakeup(nudged=True), Wakeup(nudged=True, at=NOON)


@pytest.mark.parametrize(
    ("asked", "around", "told"),
    [
        (SCHEDULED, {}, "begin TICK sweep leave"),
        (SCHEDULED, {"left": [False, False, True]}, "begin TICK sweep leave tick leave tick leave"),
        # What is done once a minute is left to the run that comes once a minute.
        (NUDGED, {}, "begin tick leave"),
        # Enough others run: they answer who asks. The minute's run does its own all the same, once.
        (NUDGED, {"places": [False]}, "begin"),
        (SCHEDULED, {"places": [False]}, "begin TICK sweep"),
        (SCHEDULED, {"places": [False], "transferred": [2, 0]}, "begin TICK sweep tick"),
        # They may have read before this was due: one of them is asked to read again, or there is a place by now.
        (AT, {"places": [False]}, "begin ask"),
        (AT, {"places": [False, True], "asked": True}, "begin ask begin tick leave"),
        (AT, {}, "begin tick leave"),
        # What has gone over to another account is due now, also when nobody asks.
        (NUDGED, {"transferred": [1, 3, 0]}, "begin tick tick tick leave"),
        # No tick begins later than forty seconds after the first, and its place is free then.
        (NUDGED, {"took_ms": 40 * SECOND, "left": [False, True]}, "begin tick leave tick give up"),
        (NUDGED, {"took_ms": 40 * SECOND + 1, "transferred": [1]}, "begin tick give up"),
    ],
)
def test_a_run_looks_as_long_as_somebody_asks_and_gives_its_place_back(
    asked: Wakeup, around: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Around(monkeypatch, **around)
    answer = world.run(asked)
    assert " ".join(world.told) == told
    assert (answer == {"skipped": "others run"}) is ("tick" not in told.lower())


def test_a_run_that_fails_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Around(monkeypatch, transferred=[-1])
    with pytest.raises(ConnectionError):
        world.run(NUDGED)
    assert world.told == ["begin", "tick", "give up"]


@pytest.mark.parametrize(("at", "began"), [(0, 0), (-5_000, 0), (400, 400), (1_000, 1_000), (5_000, 1_000)])
def test_a_message_that_comes_a_moment_early_is_waited_for_a_second_at_most(
    at: int, began: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Around(monkeypatch)
    world.run(Wakeup(nudged=True, at=NOON + at))
    assert world.clock.time == NOON + began


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lanes that are looked into for work that its account cannot run."""
    names = list[str]()

    def sweep(_: Snapshot, lanes_: Sequence[Lane]) -> Moved:
        names.extend(lane.lane for lane in lanes_)
        return Moved()

    monkeypatch.setattr(scheduler, "sweep", sweep)
    return names


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        ("", "held"),
        ("account", "plain held shared"),
        ("closed", "held shared"),
        ("no_budget", "held shared"),
        ("paused", "held shared"),
    ],
)
def test_work_is_moved_on_where_a_tick_has_found_some_that_its_account_cannot_run(
    reason: str, found: str, swept: list[str]
) -> None:
    marked = [
        Lane("lanes", "plain", seen_at=NOON),
        Lane("lanes", "held", seen_at=NOON, held_since=NOON),
        Lane("lanes", "shared", seen_at=NOON, shared_at=NOON),
    ]
    done = Done(held={"a": reason} if reason else {})
    scheduler._move_on(done, Snapshot(NOON, Config(), Accounts(lambda *_: {})), marked)
    assert " ".join(swept) == found


def test_a_lane_that_others_serve_is_looked_into_though_a_tick_finds_nothing_of_it(swept: list[str]) -> None:
    plain, others = Lane("lanes", "plain", seen_at=NOON), Lane("lanes", "others", seen_at=NOON)
    scheduler._move_on(Done(), Snapshot(NOON, Config(), Accounts(lambda *_: {})), [plain, others], [others])
    assert swept == ["others"]


@pytest.mark.parametrize(
    ("limits", "own"),
    [
        ({}, False),
        ({"stockx": Limits()}, False),
        ({"stockx": Limits(at_once=1)}, True),
        ({"ebay": Limits(at_once=1)}, False),
    ],
)
def test_a_service_that_limits_what_runs_at_once_has_a_worker_of_its_own(limits: dict[str, Limits], own: bool) -> None:
    lane = Lane("lanes", "stockx:acme#100#0", seen_at=NOON)
    assert scheduler.has_own_worker(lane, Config(limits=limits)) is own
