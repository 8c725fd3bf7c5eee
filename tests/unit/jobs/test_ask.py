"""The door for work: budget and lanes come from the account, the kind and the limits; a request is remembered once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sluice import capabilities
from sluice.jobs import ask
from sluice.jobs.ask import Wish
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import Job
from sluice.jobs.model.kinds import JobKind
from sluice.jobs.model.requests import AskRecord
from sluice.jobs.queue import enqueue
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.platform import tables, usage
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.http.errors import TooMany
from sluice.platform.refused import UNAVAILABLE, Refused
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")
CONFIG = Config()


@pytest.fixture(autouse=True)
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When the scheduler was nudged."""
    times: list[int] = []
    monkeypatch.setattr(ask, "nudge", times.append)
    return times


def wish(name: str = "one", priority: int = keys.BACKGROUND, tenant: str = "acme") -> Wish:
    job_id = keys.job_id(KIND.name, "stockx", name)
    return Wish(KIND, job_id, tenant, keys.account("stockx", tenant), {"sku": name}, priority=priority)


def records(tenant: str = "acme") -> list[AskRecord]:
    return list(AskRecord.query(tenant))


def declared() -> Iterator[tuple[JobKind, str]]:
    """Every kind of job that there is, at each marketplace that can do it."""
    names = [one.name for one in capabilities.CAPABILITIES]
    kinds.serve(capabilities.kinds(*names))
    for name in capabilities.kinds(*names):
        kind = kinds.get(name)
        yield from ((kind, marketplace) for marketplace in sorted(kind.marketplaces))


@pytest.mark.parametrize(("kind", "marketplace"), list(declared()), ids=lambda one: getattr(one, "name", one))
def test_a_wish_of_every_kind_is_charged_where_its_marketplace_counts_it(kind: JobKind, marketplace: str) -> None:
    account = keys.account(marketplace, "acme")
    spec = Wish(kind, keys.job_id(kind.name, "x"), "acme", account, {}).spec(CONFIG)
    service = kind.service or marketplace
    assert keys.service_of(spec.budget) == service
    own = CONFIG.limits[service].by_account
    assert spec.budget == (account if own and not kind.service else service)
    assert spec.lane_shards == CONFIG.limits[service].shards
    assert enqueue.enqueue(spec, NOON).result is Result.CREATED


def test_a_request_is_remembered_once_however_many_it_asks_for(nudged: list[int]) -> None:
    wishes = [wish(str(number)) for number in range(3)]
    answers = ask.ask_many(wishes, NOON, CONFIG)
    assert [one.result for one in answers if isinstance(one, Enqueued)] == [Result.CREATED] * 3
    [record] = records()
    assert record.job_ids == [one.job_id for one in wishes]
    assert not nudged


def test_the_scheduler_is_nudged_for_manual_work_that_is_new_or_raised_and_not_for_more(nudged: list[int]) -> None:
    ask.ask(wish(), NOON, CONFIG)
    assert not nudged
    assert ask.ask(wish(priority=keys.MANUAL), NOON, CONFIG).result is Result.RAISED
    assert ask.ask(wish("two", keys.MANUAL), NOON, CONFIG).result is Result.CREATED
    assert nudged == [NOON, NOON]
    assert ask.ask(wish("two", keys.MANUAL), NOON + 1, CONFIG).result is Result.MERGED
    assert nudged == [NOON, NOON]


def test_work_that_nobody_asked_for_by_name_is_not_a_request_of_anybody(nudged: list[int]) -> None:
    ask.want(wish(priority=keys.MANUAL), NOON, CONFIG)
    assert Job.get(wish().job_id).tenant == "acme"
    assert (records(), nudged) == ([], [])


def test_what_could_not_be_stored_is_refused_and_stops_nothing_else(
    monkeypatch: pytest.MonkeyPatch, nudged: list[int]
) -> None:
    real = enqueue.enqueue

    def fail_on_two(spec: object, *rest: object) -> Enqueued:
        if getattr(spec, "payload", {}) == {"sku": "two"}:
            raise tables.Contention("the secret reason")
        return real(spec, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(enqueue, "enqueue", fail_on_two)
    one, two, three = ask.ask_many([wish(name, keys.MANUAL) for name in ("one", "two", "three")], NOON, CONFIG)
    assert isinstance(one, Enqueued)
    assert isinstance(three, Enqueued)
    assert isinstance(two, Refused)
    assert (two.field, two.code) == ("item", UNAVAILABLE)
    assert "secret" not in two.message
    assert isinstance(two.__cause__, tables.Contention), "whoever looks into it learns why"
    [record] = records()
    assert record.job_ids == [one.job_id, three.job_id]
    assert nudged == [NOON]


def test_nothing_that_was_stored_is_no_request(monkeypatch: pytest.MonkeyPatch, nudged: list[int]) -> None:
    monkeypatch.setattr(ask, "enqueue_many", lambda specs, *_: [RuntimeError() for _ in specs])
    ask.ask_many([wish(priority=keys.MANUAL)], NOON, CONFIG)
    assert (records(), nudged) == ([], [])


def test_a_tenant_that_has_no_room_is_refused_and_counted_anew() -> None:
    most = CONFIG.tenants.allowances.unfinished_jobs
    usage.put("acme", "jobs", {f"n:{KIND.name}:unfinished": most - 1})
    ask.require_room("acme", 1, NOON, CONFIG)
    with pytest.raises(TooMany) as refused:
        ask.require_room("acme", 2, NOON, CONFIG)
    assert refused.value.headers == {"Retry-After": str(ask.WAIT_SECONDS)}
    assert usage.counters("#recount", "acme") == {"asked_at": NOON}


def test_of_some_kinds_a_tenant_may_have_fewer() -> None:
    most = CONFIG.tenants.allowances.promotions
    usage.put("acme", "jobs", {f"n:{KIND.name}:unfinished": most - 1, "n:other:unfinished": 7})
    ask.require_room("acme", 1, NOON, CONFIG, KIND.name)
    with pytest.raises(TooMany, match="promotions"):
        ask.require_room("acme", 2, NOON, CONFIG, KIND.name)
    ask.require_room("acme", 2, NOON, CONFIG)


def test_of_these_it_may_have_no_more_than_of_all_either_and_both_are_told_by_one_read(store: Store) -> None:
    read, most = list[str](), CONFIG.tenants.allowances.unfinished_jobs
    usage.put("acme", "jobs", {"n:other:unfinished": most - 1})

    def around(request: Request, send: Send) -> Answer:
        read.append(request.operation)
        return send()

    store.around = around
    ask.require_room("acme", 1, NOON, CONFIG, KIND.name)
    assert read == ["GetItem"]
    with pytest.raises(TooMany, match="unfinished_jobs"):
        ask.require_room("acme", 2, NOON, CONFIG, KIND.name)


def test_a_wish_that_says_no_more_is_for_one_call_at_once_on_its_own_account() -> None:
    plain = wish()
    spec = plain.spec(CONFIG)
    assert (spec.calls, spec.due_at, spec.priority) == (1, 0, keys.BACKGROUND)
    assert [spec.shared, spec.replace, bool(spec.kept), spec.origin] == [False, False, False, None]
    assert "sku" not in repr(plain), "what a request holds is in no log"


def test_what_a_service_counts_apart_is_charged_by_its_limits() -> None:
    config = Config(limits={"stockx": Limits(by_clock(9)), "ads": Limits(by_clock(9), by_account=True, shards=3)})
    spec = replace(wish(), kind=KIND._replace(service="ads")).spec(config)
    assert (spec.budget, spec.lane_shards) == ("ads:acme", 3)


def test_who_asks_for_nothing_is_answered_with_nothing() -> None:
    assert ask.ask_many([], NOON, CONFIG) == []


def test_a_single_wish_of_many_is_a_request_too() -> None:
    ask.ask_many([wish()], NOON, CONFIG)
    [record] = records()
    assert (record.job_ids, record.kind) == ([wish().job_id], KIND.name)


def test_a_request_for_several_kinds_is_remembered_by_kind() -> None:
    done = [Enqueued(f"{kind}:stockx:{name}", Result.CREATED, "queued") for kind in ("a", "b") for name in "xy"]
    ask.remember("acme", [(keys.job_parts(one.job_id)[0], keys.HOT, one) for one in done], NOON, CONFIG)
    assert sorted((one.kind, one.job_ids) for one in records()) == [
        (kind, [f"{kind}:stockx:x", f"{kind}:stockx:y"]) for kind in ("a", "b")
    ]


@pytest.mark.parametrize(
    ("priority", "result", "moved", "at_once", "told"),
    [
        (keys.MANUAL, Result.CREATED, False, False, True),
        (keys.MANUAL, Result.RAISED, False, False, True),
        (keys.MANUAL, Result.MERGED, False, False, False),
        (keys.MANUAL, Result.RERUN_REQUESTED, False, False, False),
        (keys.MANUAL, Result.MERGED, True, False, True),
        (keys.HOT, Result.CREATED, False, False, False),
        (keys.HOT, Result.MERGED, True, False, False),
        (keys.HOT, Result.CREATED, False, True, True),
        (keys.MANUAL, Result.MERGED, False, True, True),
    ],
)
def test_the_scheduler_is_told_of_what_somebody_waits_for_unless_it_knows(
    priority: int, result: Result, moved: bool, at_once: bool, told: bool, nudged: list[int]
) -> None:
    """moved: the job went over to the asker's account, which may run it now."""
    done = Enqueued(wish().job_id, result, "queued", moved)
    ask.remember("acme", [(KIND.name, priority, done)], NOON, CONFIG, at_once=at_once)
    assert nudged == [NOON] * told


@pytest.mark.parametrize(("at_once", "nudges"), [(0, 1), (1, 0), (4, 0)])
def test_what_goes_by_a_worker_of_its_own_at_its_second_needs_no_scheduler(
    at_once: int, nudges: int, nudged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken = list[tuple[int, int]]()
    monkeypatch.setattr(ask, "wake", lambda at, now: woken.append((at, now)))
    monkeypatch.setitem(kinds._KINDS, KIND.name, KIND._replace(service="ads"))
    config = Config(limits={"ads": Limits(by_clock(100), at_once=at_once)})
    done = Enqueued(wish().job_id, Result.CREATED, "queued")
    ask.remember("acme", [(KIND.name, keys.MANUAL, done)], NOON, config, due=(NOON + 2, NOON + 1, NOON + 2))
    assert len(nudged) == nudges
    assert woken == [(NOON + 1, NOON), (NOON + 2, NOON)], "whoever comes for it then is asked once for each second"
