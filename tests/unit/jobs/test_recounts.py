"""Counts of unfinished jobs are put right: at once for who was refused, and of all in turn where it is found twice."""

from collections import Counter

import pytest

from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes, recounts, tally, unfinished
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform import usage
from sluice.platform.config.document import Config
from sluice.platform.config.tenants import Allowances, Tenants
from sluice.platform.usage import TenantUsage
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec

CONFIG = Config()
COUNTER = f"n:{KIND.name}:unfinished"
TENANTS = ("acme", "bolt", "crow")
# Within so many minutes each of them has had its turn, and its second count.
MINUTES = 9


def jobs(clock: VirtualClock, **many: int) -> None:
    """So many jobs of each tenant, which its counter says it has, too."""
    for tenant, number in many.items():
        for each in range(number):
            enqueue(spec(f"{tenant}-{each}", tenant=tenant), clock.time)
        usage.add(tenant, tally.PERIOD, {COUNTER: number})


def counted(tenant: str) -> int:
    return usage.counters(tenant, tally.PERIOD).get(COUNTER, 0)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("off", [-3, 5])
def test_a_tenant_that_was_refused_is_counted_by_the_minutes_run_and_once(off: int, clock: VirtualClock) -> None:
    jobs(clock, acme=4, bolt=2)
    for tenant in ("acme", "bolt"):
        usage.add(tenant, tally.PERIOD, {COUNTER: off, "n:test.work:dead": 7})
    tally.want_recount("acme", {}, clock.time)
    assert recounts.wanted(CONFIG, clock.time) == 1
    assert (counted("acme"), counted("bolt")) == (4, 2 + off), "nobody else's is counted"
    counters = usage.counters("acme", tally.PERIOD)
    assert (counters[tally.RECOUNTED], counters["n:test.work:dead"]) == (clock.time, 7)
    assert recounts.wanted(CONFIG, clock.time) == 0


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("allowed", "found"), [(8, 20), (20, 15), (200, 20)])
def test_who_may_have_many_is_counted_up_to_that_unless_it_would_take_too_long(
    allowed: int, found: int, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its counter is five too high. Who has fewer jobs than it may have is counted whole, and no longer refused."""
    monkeypatch.setattr(unfinished, "MOST_SAVED", 10)
    monkeypatch.setattr(unfinished, "MOST_AT_ONCE", 22 if allowed <= 20 else 12)
    jobs(clock, acme=15)
    usage.add("acme", tally.PERIOD, {COUNTER: 5})
    tally.want_recount("acme", {}, clock.time)
    config = Config(tenants=Tenants(overrides={"acme": Allowances(unfinished_jobs=allowed)}))
    assert recounts.wanted(config, clock.time) == 1
    assert counted("acme") == found


def test_all_that_a_tenant_may_have_is_read_and_never_more_than_a_tick_has_time_for() -> None:
    most = unfinished.most_read
    assert [most(0), most(20_000), most(100_000), most(10**9)] == [25_000, 25_000, 112_500, 250_000]


@pytest.mark.usefixtures("store")
def test_so_many_of_those_who_were_refused_are_counted_by_a_tick_and_the_others_by_the_next(
    clock: VirtualClock,
) -> None:
    for number in range(recounts.MOST_RECOUNTS + 2):
        tally.want_recount(f"tenant-{number:02}", {}, clock.time)
    assert [recounts.wanted(CONFIG, clock.time) for _ in range(3)] == [recounts.MOST_RECOUNTS, 2, 0]


@pytest.mark.usefixtures("store")
def test_a_count_sees_of_each_job_what_counters_are_named_by(clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    seen = list[tuple[str, str | None, str, str]]()

    def counter(job: Job) -> None:
        seen.append((job.job_id, job.kind, job.state, job.account))

    assert unfinished.count("acme", lanes.active(), 9, counter) == (Counter(), True, 1)
    assert seen == [(spec("a").job_id, KIND.name, "queued", "stockx:acme")]


def test_what_is_right_costs_no_write(store: Store, clock: VirtualClock) -> None:
    jobs(clock, acme=4)
    tally.want_recount("acme", {}, clock.time)
    before = dict(store.item("usage", tenant="acme", period=tally.PERIOD) or {})
    recounts.wanted(CONFIG, clock.time)
    after = dict(store.item("usage", tenant="acme", period=tally.PERIOD) or {})
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {tally.RECOUNTED}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("off", [-2, 3])
def test_each_tenant_has_its_turn_and_what_is_found_twice_is_put_right(off: int, clock: VirtualClock) -> None:
    jobs(clock, **dict.fromkeys(TENANTS, 3))
    for tenant in TENANTS:
        usage.add(tenant, tally.PERIOD, {COUNTER: off})
    seen = list[tuple[int, ...]]()
    for _ in range(MINUTES):
        recounts.sweep()
        seen.append(tuple(map(counted, TENANTS)))
    assert seen[0] == (3 + off,) * 3, "what is found once is not believed"
    assert seen[-1] == (3, 3, 3)
    assert seen == sorted(seen, key=lambda one: sum(abs(number - 3) for number in one), reverse=True)


@pytest.mark.usefixtures("store")
def test_when_all_have_had_their_turn_the_first_has_it_again(clock: VirtualClock) -> None:
    jobs(clock, **dict.fromkeys(TENANTS, 3))
    for _ in range(MINUTES):
        recounts.sweep()
    usage.add("acme", tally.PERIOD, {COUNTER: 2})
    for _ in range(MINUTES):
        recounts.sweep()
    assert counted("acme") == 3


def test_by_how_much_counts_were_off_is_told(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    told = list[tuple[str, int]]()
    monkeypatch.setattr(recounts, "count_metric", lambda name, number: told.append((name, number)))
    jobs(clock, acme=3)
    usage.add("acme", tally.PERIOD, {COUNTER: -2, "n:gone:unfinished": 4})
    tally.want_recount("acme", {}, clock.time)
    recounts.wanted(CONFIG, clock.time)
    assert told == [("JobsRecounted", 6)]

    def around(request: Request, send: Send) -> Answer:
        assert not request.parameters["TableName"].endswith("lanes"), "where nobody was refused no lane is read"
        return send()

    store.around = around
    assert recounts.wanted(CONFIG, clock.time) == 0
    assert len(told) == 1


@pytest.mark.usefixtures("store")
def test_what_the_stream_tells_meanwhile_moves_nothing(clock: VirtualClock) -> None:
    """A job that was there before its record came is found once."""
    jobs(clock, acme=3)
    usage.add("acme", tally.PERIOD, {COUNTER: -1})
    recounts.sweep()
    usage.add("acme", tally.PERIOD, {COUNTER: 1})
    for _ in range(MINUTES):
        recounts.sweep()
    assert counted("acme") == 3


def test_of_two_runs_at_once_one_moves_the_counters(store: Store, clock: VirtualClock) -> None:
    jobs(clock, acme=3)
    usage.add("acme", tally.PERIOD, {COUNTER: -2})
    recounts.sweep()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and "#sweep" in str(request.parameters["Key"]):
            store.around = None
            recounts.sweep()
        return send()

    store.around = around
    recounts.sweep()
    assert store.around is None
    assert counted("acme") == 3


def test_a_sweep_that_fails_stops_no_tick(store: Store, clock: VirtualClock) -> None:
    jobs(clock, acme=1)

    def around(request: Request, send: Send) -> Answer:
        raise ConnectionError

    store.around = around
    recounts.sweep()


@pytest.mark.usefixtures("store")
def test_where_nobody_has_jobs_there_is_nothing_to_count() -> None:
    recounts.sweep()
    assert TenantUsage.count() == 0


@pytest.mark.usefixtures("store")
def test_who_has_more_than_is_saved_waits_until_it_will_do(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "EARNED", 4)
    jobs(clock, acme=8)
    usage.add("acme", tally.PERIOD, {COUNTER: 2})
    minutes = 0
    while counted("acme") != 8:
        recounts.sweep()
        minutes += 1
        assert minutes < 20
    assert minutes > 4, "two counts of eight, at four a minute"
