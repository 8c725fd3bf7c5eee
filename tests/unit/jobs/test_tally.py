"""Jobs are counted by the stream of their table: each once, and what cancels out costs nothing."""

from typing import Any

import pytest

from sluice.jobs.model.job import Job
from sluice.jobs.queue import cancel, tally, unreadable
from sluice.jobs.queue.enqueue import enqueue
from sluice.operator import counts, depth
from sluice.platform import counted, usage
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.usage import TenantUsage
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.stream import changes
from tests.support.work import KIND, spec
from tests.unit.jobs.conftest import sent_twice

CONFIG = Config()


@pytest.fixture
def written(store: Store) -> list[str]:
    """The operations on counters from now on."""
    operations = list[str]()

    def around(request: Request, send: Send) -> Answer:
        if request.parameters["TableName"].endswith("usage"):
            operations.append(request.operation)
        return send()

    store.around = around
    return operations


def test_a_job_is_counted_as_unfinished_and_then_by_its_end(clock: VirtualClock, written: list[str]) -> None:
    changes("jobs")
    for name in "ab":
        enqueue(spec(name), clock.time)
    tally.follow(changes("jobs"))
    assert tally.counts("acme") == {(KIND.name, "unfinished"): 2}
    cancel.cancel(spec("a").job_id, "acme", clock.time, CONFIG)
    tally.follow(changes("jobs"))
    assert tally.counts("acme") == {(KIND.name, "unfinished"): 1, (KIND.name, "cancelled"): 1}
    before = len(written)
    enqueue(spec("b", tenant="zeta"), clock.time)
    tally.follow(changes("jobs"))
    assert len(written) == before, "it is as unfinished as it was, and the first who asked has it counted"


def test_a_batch_of_records_that_comes_twice_is_counted_once(clock: VirtualClock, store: Store) -> None:
    changes("jobs")
    enqueue(spec(), clock.time)
    records = changes("jobs")
    for _ in range(2):
        tally.follow(records)
    assert tally.counts("acme") == {(KIND.name, "unfinished"): 1}
    assert store.items("usage")


@pytest.mark.usefixtures("store")
def test_only_so_many_batches_are_remembered_and_none_of_them_is_counted_twice(clock: VirtualClock) -> None:
    changes("jobs")
    many, last = counted.MOST_SEEN + 3, list[dict[str, Any]]()
    for number in range(many):
        enqueue(spec(f"{number}"), clock.time)
        last = changes("jobs")
        tally.follow(last)
    tally.follow(last)
    assert tally.counts("acme") == {(KIND.name, "unfinished"): many}
    seen = TenantUsage.get("acme", tally.PERIOD).seen
    assert 1 <= len(seen or ()) <= counted.MOST_SEEN


def test_a_write_that_is_sent_again_after_a_lost_answer_has_counted_and_is_no_failure(
    clock: VirtualClock, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the one that forgets the batches before it, because there are too many."""
    uncounted = list[str]()
    monkeypatch.setattr(tally, "count_metric", lambda name, _: uncounted.append(name))
    changes("jobs")
    for number in range(counted.MOST_SEEN + 1):
        enqueue(spec(f"{number}"), clock.time)
        records = changes("jobs")
        store.around = sent_twice
        tally.follow(records)
        depth.follow(records)
        store.around = None
    assert (tally.counts("acme"), uncounted) == ({(KIND.name, "unfinished"): counted.MOST_SEEN + 1}, [])
    assert set(counts.now("acme").values()) == {counted.MOST_SEEN + 1}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("since", "asked"), [(None, True), (0, False), (10 * MINUTE - 1, False), (10 * MINUTE, True)])
def test_a_tenant_that_is_refused_is_counted_anew_unless_it_was_a_moment_ago(
    since: int | None, asked: bool, clock: VirtualClock
) -> None:
    counters = {} if since is None else {tally.RECOUNTED: clock.time - since}
    tally.want_recount("acme", counters, clock.time)
    assert [one.period for one in TenantUsage.query(tally.RECOUNT)] == (["acme"] if asked else [])


@pytest.mark.usefixtures("store")
def test_unfinished_jobs_are_told_of_one_kind_or_of_all_and_never_below_none() -> None:
    usage.add(
        "acme", tally.PERIOD, {"n:a.b:unfinished": 3, "n:c.d:unfinished": -1, "n:a.b:dead": 9, "n:e.f:unfinished": 4}
    )
    counters = usage.counters("acme", tally.PERIOD)
    assert tally.unfinished(counters) == 7
    assert [tally.unfinished(counters, kind) for kind in ("a.b", "c.d", "e.f", "g.h")] == [3, 0, 4, 0]


@pytest.mark.usefixtures("store")
def test_counts_are_told_by_kind_and_state_and_never_below_none() -> None:
    usage.add("acme", tally.PERIOD, {"n:a.b:dead": -1, "n:a.b:unfinished": 3, tally.RECOUNTED: 7})
    assert tally.counts("acme") == {("a.b", "dead"): 0, ("a.b", "unfinished"): 3}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("missing", ["tenant", "kind", "state"])
def test_what_is_no_job_is_not_counted_and_what_went_over_counts_where_it_began(missing: str) -> None:
    image = {"tenant": {"S": "acme"}, "kind": {"S": "a.b"}, "state": {"S": "dead"}}
    broken = {name: value for name, value in image.items() if name != missing}
    tally.follow([{"eventID": "one", "dynamodb": {"NewImage": broken}}])
    assert tally.counts("acme") == {}
    tally.follow([{"eventID": "two", "dynamodb": {"NewImage": {**image, "counted": {"S": "zeta"}}}}])
    assert (tally.counts("acme"), tally.counts("zeta")) == ({}, {("a.b", "dead"): 1})


def test_what_stands_in_no_lane_or_is_gone_is_not_set_aside(store: Store, clock: VirtualClock) -> None:
    """The index may be behind: what it shows may have ended, or been forgotten, by now."""
    enqueue(spec(), clock.time)
    assert unreadable.discard(spec("gone").job_id, clock.time, CONFIG) is None
    assert unreadable.discard(spec().job_id, clock.time, CONFIG) is None, "it can be read"
    item = store.item("jobs", job_id=spec().job_id)
    assert item
    left = {name: value for name, value in item.items() if name not in ("lane", "kind")}
    store.put("jobs", left)
    assert unreadable.discard(spec().job_id, clock.time, CONFIG) is None
    assert store.item("jobs", job_id=spec().job_id) == left
    store.put("jobs", left | {"lane": item["lane"]})
    assert unreadable.discard(spec().job_id, clock.time, CONFIG)
    assert Job.get(spec().job_id).state == "dead"
