"""One tick, and everything that must not stop it."""

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from unittest.mock import ANY

import pytest

from sluice.jobs.budgets import ledger, slots
from sluice.jobs.budgets.slots import Asked
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.hand_on import hand_on
from sluice.jobs.dispatch.rounds import Done, Round
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import Job
from sluice.jobs.queue import claim, finish, lanes, starts
from sluice.jobs.queue.creation import lane_of
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from sluice.platform.config.pauses import Pause, Pauses
from tests.simulation.promises import number, text
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Item, Request, Send, Store
from tests.support.work import spec

LEASED_MS = Config().engine.lease_ms


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is logged here is the trouble that was made."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def tick(clock: VirtualClock, config: Config, sent: list[Batch] | None = None) -> Done:
    return scheduler.tick(Snapshot(clock.time, config, Accounts(active)), (sent if sent is not None else []).append)


def damage(store: Store, name: str, **changes: Item | dict[str, str] | None) -> str:
    """Put something else in the place of some attributes of a job; None takes one away."""
    job_id = spec(name).job_id
    item = store.item("jobs", job_id=job_id)
    assert item
    item |= {key: value for key, value in changes.items() if value is not None}
    store.put("jobs", {key: value for key, value in item.items() if key not in changes or changes[key] is not None})
    return job_id


DAMAGES: dict[str, dict[str, dict[str, str] | None]] = {
    "a text where a number is": {"calls": {"S": "two"}},
    "no kind": {"kind": None},
    "no state": {"state": None},
    "no time of creation": {"created_at": None},
}
# The index does not show these: the item looks whole until it is claimed.
HIDDEN: dict[str, dict[str, dict[str, str] | None]] = {
    "a payload that is no JSON": {"payload": {"S": "{"}},
    "tenants that are no set": {"tenants": {"S": "acme"}},
    "a history that is no JSON": {"history": {"N": "1"}},
}


@pytest.mark.parametrize("changes", DAMAGES.values(), ids=DAMAGES)
def test_an_item_that_is_no_job_stops_nobody_and_becomes_a_dead_letter(
    changes: dict[str, Item | dict[str, str] | None], store: Store, clock: VirtualClock, config: Config
) -> None:
    for name in "abc":
        enqueue(spec(name), clock.time)
    job_id = damage(store, "a", **changes)
    sent: list[Batch] = []
    done = tick(clock, config, sent)
    assert (done.admitted, done.buried, done.errors) == (2, 1, 0)
    assert [job.job_id for job in sent[0].jobs] == [spec("b").job_id, spec("c").job_id]

    [letter] = store.items("dead_letters")
    assert text(letter, "job_id") == job_id
    assert "unreadable" in text(letter, "error")
    assert "sku" in text(letter, "payload"), "the letter holds all of the item"
    assert text(letter, "account") == text(letter, "budget") == "stockx:acme"
    assert json.loads(text(letter, "history")) == [
        {"at": clock.time, "event": "discard", "attempt": 0, "code": "unreadable", "message": ANY}
    ]
    dead = Job.get(job_id)
    assert dead.state == "dead"
    assert dead.expires_at == (clock.time + config.engine.retention_ms) // 1_000
    assert not dead.lane
    # Its key is free, and its leases go on from where they were.
    assert enqueue(spec("a"), clock.time).result == "created"
    assert tick(clock, config).admitted == 1


@pytest.mark.parametrize("changes", HIDDEN.values(), ids=HIDDEN)
def test_damage_that_the_index_hides_is_found_by_the_rescue(
    changes: dict[str, Item | dict[str, str] | None], store: Store, clock: VirtualClock, config: Config
) -> None:
    for name in "abc":
        enqueue(spec(name), clock.time)
    job_id = damage(store, "a", **changes)
    sent: list[Batch] = []
    done = tick(clock, config, sent)
    assert done.admitted == 2
    assert sorted(job.job_id for job in sent[0].jobs) == [spec("b").job_id, spec("c").job_id]
    assert ledger.read("stockx:acme", clock.time).hour == 2, "what was reserved for it is given back"
    for job in sent[0].jobs:
        finish.complete(job, {}, clock.time, config)

    clock.time += LEASED_MS
    assert tick(clock, config).buried == 1
    assert [text(letter, "job_id") for letter in store.items("dead_letters")] == [job_id]
    assert enqueue(spec("a"), clock.time).result == "created"


def test_a_job_whose_kind_is_gone_is_rescued_all_the_same(
    store: Store, clock: VirtualClock, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever rescues need not know what runs it; the worker says what is wrong."""
    for name in "ab":
        enqueue(spec(name), clock.time)
    assert tick(clock, config).admitted == 2
    monkeypatch.delitem(kinds._KINDS, spec().kind)
    clock.time += LEASED_MS
    done = tick(clock, config)
    assert (done.rescued, done.buried, done.errors) == (2, 0, 0)


def test_a_budget_in_trouble_holds_up_no_other(store: Store, clock: VirtualClock, config: Config) -> None:
    for tenant in ("acme", "zeta"):
        enqueue(spec(tenant, tenant=tenant), clock.time)
    lanes.mark("gone:acme#100#0", clock.time)

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["Key"].get("budget") == {"S": "stockx:acme"}:
            raise RuntimeError("no answer")
        return send()

    store.around = around
    sent: list[Batch] = []
    done = tick(clock, config, sent)
    assert (done.admitted, done.errors) == (1, 2)
    assert [batch.account for batch in sent] == ["stockx:zeta"]


@pytest.mark.parametrize("arrived", [False, True])
def test_a_batch_that_could_not_be_sent_goes_back_unless_it_has_been_started(
    arrived: bool, store: Store, clock: VirtualClock, config: Config
) -> None:
    for name in "ab":
        enqueue(spec(name, calls=2), clock.time)

    def send(batch: Batch) -> None:
        if arrived:
            assert starts.start(batch.jobs[0], clock.time), "a worker has it already"
        raise TimeoutError

    done = scheduler.tick(Snapshot(clock.time, config, Accounts(active)), send)
    assert (done.admitted, done.errors) == (0, 1)
    states = {text(item, "state") for item in store.items("jobs")}
    assert states == ({"leased"} if arrived else {"queued"})
    assert ledger.read("stockx:acme", clock.time).hour == (4 if arrived else 0)
    if not arrived:
        assert {number(item, "attempts") for item in store.items("jobs")} == {0}
        assert tick(clock, config).admitted == 2


@pytest.mark.usefixtures("store")
def test_background_work_leaves_the_reserve_to_the_others(clock: VirtualClock) -> None:
    config = Config(limits={"stockx": Limits(by_clock(10), by_account=True)}, engine=Engine(reserve_percent=20))
    for number_ in range(20):
        enqueue(spec(str(number_)), clock.time)
    assert tick(clock, config).admitted == 8
    enqueue(spec("urgent", priority=keys.MANUAL), clock.time)
    enqueue(spec("hot", priority=keys.HOT), clock.time)
    sent: list[Batch] = []
    assert tick(clock, config, sent).admitted == 2
    assert [job.priority for batch in sent for job in batch.jobs] == [keys.MANUAL, keys.HOT]


@pytest.mark.usefixtures("store")
def test_a_job_that_expects_more_calls_than_a_window_has_is_admitted(clock: VirtualClock) -> None:
    config = Config(limits={"stockx": Limits(by_clock(2), by_account=True)})
    enqueue(spec(calls=3, priority=keys.HOT), clock.time)
    sent: list[Batch] = []
    assert tick(clock, config, sent).admitted == 1
    assert sent[0].calls == 2


@pytest.mark.usefixtures("store")
def test_work_with_slow_slots_is_admitted_one_after_the_other(clock: VirtualClock) -> None:
    """A pace that is longer than the horizon still lets work begin."""
    config = Config(limits={"stockx": Limits(interval_ms=10 * MINUTE, by_account=True)})
    for name in "ab":
        enqueue(spec(name, calls=2), clock.time)
    assert tick(clock, config).admitted == 1
    assert tick(clock, config).admitted == 0
    clock.time += 20 * MINUTE
    assert tick(clock, config).admitted == 1


@pytest.mark.usefixtures("store")
def test_what_a_lease_would_not_let_begin_is_not_handed_out(clock: VirtualClock) -> None:
    """It would be claimed and taken back, tick after tick, and the slots that it was given go by unused."""
    limits, engine = Limits(interval_ms=1_000, by_account=True), Engine(lease_ms=30_000, batch=5)
    assert engine.horizon_ms > engine.lease_ms
    for each in range(40):
        enqueue(spec(f"{each:02}"), clock.time)
    sent: list[Batch] = []
    for _ in range(3):
        tick(clock, Config(limits={"stockx": limits}, engine=engine), sent)
    assert 1 <= sum(len(batch.jobs) for batch in sent) <= 6
    assert all(batch.after_ms + len(batch.jobs) * limits.pace <= 30_000 - CALL_MS + limits.pace for batch in sent)


@pytest.mark.usefixtures("store")
def test_no_more_is_handed_out_than_a_rolling_window_lets_start(clock: VirtualClock) -> None:
    """Though none of it has started yet: the next tick knows what this one has handed out."""
    for each in range(12):
        enqueue(spec(f"{each:02}"), clock.time)
    limits = Limits((CallWindow(5, seconds=3_600),), by_account=True)
    config = Config(limits={"stockx": limits}, engine=Engine(reserve_percent=0))
    assert [tick(clock, config).admitted for _ in range(3)] == [5, 0, 0]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("manual", "more", "asks"), [(True, True, True), (True, False, False), (False, None, False)])
def test_a_manual_batch_behind_which_others_wait_has_its_worker_ask_for_them(
    manual: bool, more: bool | None, asks: bool, clock: VirtualClock
) -> None:
    """By how much each of its calls has moved the clock of manual work."""
    limits = Limits(by_clock(100), interval_ms=200, tolerance_ms=0, by_account=True)
    config, sent = Config(limits={"stockx": limits}), list[Batch]()
    enqueue(spec("a", priority=keys.MANUAL if manual else keys.HOT), clock.time)
    ready = Round(Snapshot(clock.time, config, Accounts(active))).find(lanes.active(), MINUTE)["stockx:acme"]
    hand_on(ready, ready.candidates, clock.time, config, sent.append, Done(), manual=manual, more=more)
    assert [batch.more for batch in sent] == [limits.pace if asks else 0]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("manual", [True, False])
def test_a_batch_whose_slots_are_far_asks_for_what_waits_behind_it_if_it_is_manual(
    manual: bool, clock: VirtualClock
) -> None:
    limits = Limits(by_clock(100), interval_ms=200, tolerance_ms=0, by_account=True)
    config, sent = Config(limits={"stockx": limits}), list[Batch]()
    slots.reserve_slots("stockx:acme", limits, 50, clock.time, asked=Asked(manual=True))
    asked = spec("a", priority=keys.MANUAL if manual else keys.HOT)
    enqueue(asked, clock.time)
    ready = Round(Snapshot(clock.time, config, Accounts(active))).find(lanes.active(), MINUTE)["stockx:acme"]
    found, _ = claim.due(lane_of(asked), clock.time, 9)
    hand_on(ready, found, clock.time, config, sent.append, Done(), manual=manual)
    assert [batch.more for batch in sent] == [limits.pace if manual else 0]


def test_an_item_among_those_that_run_that_is_no_job_is_set_aside(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    """Else it would stand there for ever, and nobody could ask for its work anew."""
    enqueue(spec("a"), clock.time)
    assert tick(clock, config).admitted == 1
    damage(store, "a", calls={"S": "two"})
    clock.time += LEASED_MS
    done = tick(clock, config)
    assert (done.rescued, done.buried, done.errors) == (0, 1, 0)
    assert text(store.item("jobs", job_id=spec("a").job_id) or {}, "state") == "dead"


@pytest.mark.usefixtures("store")
def test_held_work_waits_and_says_why(clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)

    def held(status: str = "ACTIVE", **changes: object) -> Mapping[str, str]:
        changed = Config(**{**vars(config), **changes})
        done = scheduler.tick(
            Snapshot(clock.time, changed, Accounts(lambda asked, _: dict.fromkeys(asked, status))), list[Batch]().append
        )
        assert done.admitted == 0
        return done.held

    assert held("BROKEN") == {"stockx:acme": "account"}
    assert held(pauses=Pauses.of([Pause("stockx")])) == {"stockx:acme": "paused"}
    ledger.close("stockx:acme", clock.time + MINUTE, "429")
    assert held() == {"stockx:acme": "closed"}
    clock.time += MINUTE
    assert ledger.reserve_calls("stockx:acme", config.limits["stockx"], Window.at(clock.time), 100)
    assert held() == {"stockx:acme": "no_budget"}
    clock.time += HOUR
    assert tick(clock, config).admitted == 1


def test_a_tick_counts_what_its_threads_did(store: Store, clock: VirtualClock, config: Config) -> None:
    tenants = [f"tenant-{number_}" for number_ in range(24)]
    for tenant in tenants:
        enqueue(spec(tenant, tenant=tenant), clock.time)
    sent: list[Batch] = []
    done = tick(clock, config, sent)
    assert (done.lanes, done.admitted, len(sent)) == (24, 24, 24)
    clock.time += LEASED_MS
    assert tick(clock, config).rescued == 24


def test_an_old_empty_lane_leaves_the_list(store: Store, clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)
    sent: list[Batch] = []
    tick(clock, config, sent)
    finish.complete(sent[0].jobs[0], {}, clock.time, config)
    clock.time += lanes.REMOVE_AFTER_MS - 1
    tick(clock, config)
    assert len(lanes.active()) == 1
    clock.time += 1
    tick(clock, config)
    assert lanes.active() == []


@pytest.mark.usefixtures("store")
def test_a_broken_account_on_a_shared_budget_holds_up_no_other(clock: VirtualClock) -> None:
    """However much of its work is due, and for however long: the others are found behind it."""
    config = Config(limits={"stockx": Limits(by_clock(10))})
    for number_ in range(30):
        enqueue(replace(spec(f"broken-{number_}", tenant="acme"), budget="stockx"), clock.time)
    clock.time += MINUTE
    enqueue(replace(spec("good", tenant="zeta"), budget="stockx"), clock.time)
    statuses = {"stockx:acme": "BROKEN", "stockx:zeta": "ACTIVE"}
    sent: list[Batch] = []
    done = scheduler.tick(Snapshot(clock.time, config, Accounts(lambda *_: statuses)), sent.append)
    assert (done.admitted, done.held) == (1, {"stockx": "account"})
    assert [batch.account for batch in sent] == ["stockx:zeta"]


def test_a_round_tells_of_each_queue_since_when_its_oldest_waits() -> None:
    whole = Done(oldest={"a": 5, "b": 3})
    whole.add(Done(oldest={"a": 4, "b": 9, "c": 7}))
    assert whole.oldest == {"a": 4, "b": 3, "c": 7}


def test_a_round_tells_for_how_many_seconds_the_oldest_that_could_run_has_waited() -> None:
    assert Done().oldest_due_age(MINUTE) == 0
    assert Done(oldest_due_at=HOUR).oldest_due_age(HOUR + MINUTE + 999) == 60
