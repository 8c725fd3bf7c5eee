"""What enqueue answers, and what the job then is: every row of its table."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from operate.bring_back import When, bring_back
from sluice.jobs.model import keys
from sluice.jobs.model.job import MOST_ASKERS, VERSION, Job, Spec
from sluice.jobs.model.outcomes import BudgetClosed, Failure, LeaseOver, Waiting
from sluice.jobs.queue import cancel, claim, finish, lanes
from sluice.jobs.queue.creation import CLOCK_SKEW_MS, prepared
from sluice.jobs.queue.enqueue import Result, enqueue, enqueue_many
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def _anew() -> None:
    """What is made once for a process is made by each test, so that it is each test's to notice."""
    prepared.cache_clear()


STATES = ["nothing", "queued", "leased", "waiting", "succeeded", "dead", "cancelled"]


def stored() -> Job:
    return Job.get(spec().job_id, consistent_read=True)


def leased(clock: VirtualClock) -> Job:
    job = stored()
    [candidate], _ = claim.due(job.lane, clock.time, 10)
    claimed = claim.claim(candidate, clock.time, 5 * MINUTE)
    assert claimed
    return claimed


def bring(state: str, clock: VirtualClock, config: Config, priority: int = keys.HOT) -> None:
    """A job of `priority` in `state`."""
    if state == "nothing":
        return
    enqueue(spec(priority=priority), clock.time)
    match state:
        case "leased":
            leased(clock)
        case "waiting":
            finish.wait(leased(clock), Waiting(clock.time + HOUR, {"sku": "one"}), clock.time, config)
        case "succeeded":
            finish.complete(leased(clock), {}, clock.time, config)
        case "dead":
            finish.bury(leased(clock), Failure("no"), clock.time, config)
        case "cancelled":
            cancel.cancel(spec().job_id, "acme", clock.time, config)
    assert stored().state == state


def expected(state: str, asked: int) -> tuple[Result, str]:
    """The table of `enqueue`: the answer, and the state that the job is in then."""
    if state in ("nothing", "succeeded", "dead", "cancelled"):
        return Result.CREATED, "queued"
    if state == "queued":
        return (Result.RAISED if asked > keys.HOT else Result.MERGED), "queued"
    return Result.RERUN_REQUESTED, state


@pytest.mark.parametrize("asked", sorted(keys.PRIORITIES.values()))
@pytest.mark.parametrize("state", STATES)
def test_every_row_of_the_table(state: str, asked: int, clock: VirtualClock, config: Config) -> None:
    bring(state, clock, config)
    before = None if state == "nothing" else stored()
    answer = enqueue(spec(priority=asked), clock.time)
    job = stored()
    assert (answer.result, job.state) == expected(state, asked)
    assert (answer.job_id, answer.state, answer.moved) == (job.job_id, job.state, False)
    if answer.result is Result.CREATED:
        assert (job.priority, job.attempts) == (asked, 0)
        assert (job.created_at, job.updated_at) == (clock.time, clock.time)
        assert not any((job.result, job.error, job.history, job.rerun)), "nothing of an earlier run is left"
        assert before is None or job.lease == before.lease, "the lease lives on"
        assert job.expires_at is None
    if answer.result is Result.RAISED:
        assert (job.priority, job.lane) == (asked, job.home(1))
    if answer.result is Result.MERGED:
        assert (job.priority, job.lane) == (keys.HOT, job.home(1))
    if answer.result is Result.RERUN_REQUESTED:
        assert job.rerun == asked
        assert before
        assert (job.priority, job.lane, job.due_at) == (before.priority, before.lane, before.due_at)


@pytest.mark.parametrize("asked", [(100, 150), (150, 100), (200, 150)])
def test_of_several_requests_during_a_run_the_most_urgent_counts(
    asked: tuple[int, int], clock: VirtualClock, config: Config
) -> None:
    bring("leased", clock, config)
    for priority in asked:
        enqueue(spec(priority=priority), clock.time)
    assert stored().rerun == max(asked)


def test_a_raised_job_is_due_now_whatever_its_backoff(clock: VirtualClock, config: Config) -> None:
    bring("leased", clock, config, keys.BACKGROUND)
    finish.fail(stored(), Failure("503", retry_at=clock.time + HOUR), clock.time, config, chance=0)
    assert enqueue(spec(priority=keys.BACKGROUND), clock.time).result is Result.MERGED
    assert stored().due_at == clock.time + HOUR, "the same priority does not cut a backoff short"
    enqueue(spec(priority=keys.MANUAL), clock.time)
    assert stored().due_at <= clock.time


def test_what_waits_for_its_time_is_brought_forward_by_who_wants_it_now(clock: VirtualClock) -> None:
    enqueue(spec(due_at=clock.time + HOUR), clock.time)
    assert enqueue(spec(), clock.time).result is Result.MERGED
    assert stored().due_at <= clock.time


@pytest.mark.parametrize("priority", [keys.BACKGROUND, keys.MANUAL])
def test_nobody_puts_off_what_another_wants_now(priority: int, clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    due_at = stored().due_at
    enqueue(spec(tenant="zeta", priority=priority, due_at=clock.time + HOUR), clock.time)
    assert stored().due_at == due_at


def test_common_work_is_taken_over_from_an_account_that_cannot_run_it(clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    held = {"stockx:acme"}
    enqueue(spec(tenant="zeta"), clock.time, lambda job: job.account in held)
    job = stored()
    assert (job.account, job.budget, job.tenant, job.lane) == ("stockx:zeta", "stockx:zeta", "zeta", job.home(1))
    assert job.tenants == {"acme", "zeta"}


@pytest.mark.parametrize("priority", [keys.BACKGROUND, keys.MANUAL])
def test_common_work_never_moves_to_an_account_that_cannot_run_it(priority: int, clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    enqueue(spec(tenant="zeta", priority=priority), clock.time, lambda job: job.account == "stockx:zeta")
    job = stored()
    assert (job.account, job.priority, job.lane) == ("stockx:acme", keys.BACKGROUND, job.home(1))


def test_an_accounts_own_work_stays_with_it(clock: VirtualClock) -> None:
    enqueue(spec(shared=False), clock.time)
    enqueue(spec(tenant="zeta", shared=False, priority=keys.MANUAL), clock.time, lambda _: False)
    assert (stored().account, stored().priority) == ("stockx:acme", keys.BACKGROUND)


def test_common_work_goes_over_to_who_asks_more_urgently_and_can_run_it(clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    assert enqueue(spec(tenant="zeta", priority=keys.MANUAL), clock.time).moved
    assert (stored().account, stored().tenant) == ("stockx:zeta", "zeta")
    assert not enqueue(spec(tenant="bolt", priority=keys.MANUAL), clock.time).moved, "as urgent is not more urgent"


def test_to_ask_once_more_for_what_waits_writes_nothing(store: Store, clock: VirtualClock) -> None:
    """A price that a hundred pages ask for at once costs a refused write each, and no other."""
    enqueue(spec(), clock.time)
    before, writes = store.item("jobs", job_id=spec().job_id), list[str]()

    def around(request: Request, send: Send) -> Answer:
        writes.append(request.operation)
        return send()

    store.around = around
    assert enqueue(spec(), clock.time + MINUTE // 2).result is Result.MERGED
    assert writes == ["UpdateItem"], "the one that finds the job there"
    assert store.item("jobs", job_id=spec().job_id) == before


def test_the_lane_of_what_a_second_asks_for_more_urgently_says_that_it_is_shared(clock: VirtualClock) -> None:
    """Else nobody looks there for work that another asker's account could run."""
    enqueue(spec(), clock.time)
    enqueue(spec(tenant="zeta", priority=keys.MANUAL), clock.time, lambda job: "zeta" in job.account)
    [manual] = [lane for lane in lanes.active() if lane.lane == stored().lane]
    assert (manual.shared_at, stored().account) == (clock.time, "stockx:acme")


def test_a_job_says_by_which_version_it_was_written(store: Store, clock: VirtualClock) -> None:
    """A job of a newer version stays with who can read it."""
    for _ in range(2):
        enqueue(spec(), clock.time)
        [item] = store.items("jobs")
        assert item["version"] == {"N": str(VERSION)}
        finish.complete(leased(clock), {}, clock.time, Config())


def test_a_later_request_says_what_to_do_instead(clock: VirtualClock, config: Config) -> None:
    def ask(price: int) -> Result:
        return enqueue(replace(spec(), payload={"price": price}, replace=True), clock.time).result

    assert [ask(1), ask(2)] == [Result.CREATED, Result.MERGED]
    assert stored().payload == {"price": 2}
    running = leased(clock)
    assert [ask(3), ask(4)] == [Result.RERUN_REQUESTED] * 2
    assert stored().payload == {"price": 2}, "what runs is finished as it was asked for"
    finish.complete(running, {}, clock.time, config)
    assert (stored().state, stored().payload, stored().rerun_payload) == ("queued", {"price": 4}, None)


def test_the_latest_request_wins_over_one_that_waits_for_the_next_run(clock: VirtualClock, config: Config) -> None:
    """3 came during a run that failed; then 5 came while the job waited for its next attempt."""

    def ask(price: int) -> None:
        enqueue(replace(spec(), payload={"price": price}, replace=True), clock.time)

    ask(1)
    running = leased(clock)
    ask(3)
    finish.fail(running, Failure("503"), clock.time, config, chance=0)
    ask(5)
    clock.time += HOUR
    ran = []
    while stored().state != "succeeded":
        running = leased(clock)
        ran.append(running.payload["price"])
        finish.complete(running, {}, clock.time, config)
    assert ran[-1] == 5
    assert 3 not in ran


@pytest.mark.parametrize("latest", [5, 1])
def test_the_latest_request_wins_over_one_that_came_back_from_a_backup(
    latest: int, store: Store, clock: VirtualClock, config: Config
) -> None:
    """3 came while 1 ran, and then a backup was made; in the restored stack another came before the job ran again."""

    def ask(price: int) -> None:
        enqueue(replace(spec(), payload={"price": price}, replace=True), clock.time)

    ask(1)
    leased(clock)
    ask(3)
    [saved] = store.items("jobs")
    back = bring_back("jobs", saved, When(clock.time + HOUR, clock.time, config))
    assert back
    store.put("jobs", back)
    clock.time += HOUR
    ask(latest)
    ran = []
    while stored().state != "succeeded":
        running = leased(clock)
        ran.append(running.payload["price"])
        finish.complete(running, {}, clock.time, config)
    assert set(ran) == {latest}


@pytest.mark.parametrize("begun", [False, True])
def test_who_asked_while_it_ran_is_served_after_a_restore_though_the_first_asker_cancels(
    begun: bool, store: Store, clock: VirtualClock, config: Config
) -> None:
    """What has begun is finished first, and cannot be cancelled; what has not is theirs too, and as urgent."""
    enqueue(spec(), clock.time)
    running = leased(clock)
    if begun:
        finish.begin(running, {"sku": "one"}, clock.time)
    enqueue(spec(tenant="zeta", priority=keys.MANUAL), clock.time)
    [saved] = store.items("jobs")
    back = bring_back("jobs", saved, When(clock.time + HOUR, clock.time, config))
    assert back
    store.put("jobs", back)
    clock.time += HOUR
    done = cancel.cancel(spec().job_id, "acme", clock.time, config)
    assert done is (cancel.Cancelled.RUNNING if begun else cancel.Cancelled.WITHDRAWN)
    ran = []
    while stored().state != "succeeded":
        running = leased(clock)
        ran.append((running.tenant, running.priority, running.asked_by()))
        finish.complete(running, {}, clock.time, config)
    first = [("acme", keys.BACKGROUND, {"acme"})] if begun else []
    assert ran == [*first, ("zeta", keys.MANUAL, {"zeta"})]


def test_a_restored_job_remembers_only_so_many_askers(store: Store, clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)
    leased(clock)
    for number in range(MOST_ASKERS):
        enqueue(spec(tenant=f"tenant-{number:02}"), clock.time)
    [saved] = store.items("jobs")
    back = bring_back("jobs", saved, When(clock.time + HOUR, clock.time, config))
    assert back
    assert len(back["for"]["SS"]) == MOST_ASKERS
    assert "acme" in back["for"]["SS"]


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_asked_for_instead_joins_a_job_that_waits_unless_it_has_begun(
    begun: bool, clock: VirtualClock, config: Config
) -> None:
    def ask(price: int) -> Result:
        return enqueue(replace(spec(), payload={"price": price}, replace=True), clock.time).result

    ask(1)
    running = leased(clock)
    if begun:
        running = finish.begin(running, {"price": 1}, clock.time)
    finish.fail(running, Failure("503"), clock.time, config, chance=0)
    assert ask(2) is (Result.RERUN_REQUESTED if begun else Result.MERGED)
    job = stored()
    assert (job.payload, job.rerun_payload) == (({"price": 1}, {"price": 2}) if begun else ({"price": 2}, None))


def test_work_that_is_not_said_to_be_common_stays_with_the_account_that_asked_for_it_first(clock: VirtualClock) -> None:
    for tenant in ("acme", "zeta"):
        account = f"stockx:{tenant}"
        own = Spec(spec().job_id, spec().kind, tenant, account, account, keys.BACKGROUND, {"sku": "one"})
        enqueue(own, clock.time, held=lambda job: job.account == "stockx:acme")
    assert (stored().tenant, stored().account) == ("acme", "stockx:acme")


def test_who_takes_over_what_was_put_off_has_it_done_now_and_who_only_asks_for_it_has_not(
    clock: VirtualClock, config: Config
) -> None:
    """What has been put off without a failure is not cut short by who neither raises it nor takes it over."""
    enqueue(spec(), clock.time)
    put_off = finish.fail(leased(clock), BudgetClosed("429", retry_at=clock.time + HOUR), clock.time, config, chance=0)
    enqueue(spec(tenant="zeta"), clock.time)
    assert (stored().tenant, stored().due_at) == ("acme", put_off.due_at)
    enqueue(spec(tenant="zeta"), clock.time, held=lambda job: job.account == "stockx:acme")
    assert (stored().tenant, (stored().due_at or 0) <= clock.time) == ("zeta", True)


def test_who_asks_anew_for_the_same_in_place_of_what_waits_writes_nothing(store: Store, clock: VirtualClock) -> None:
    ask = replace(spec(), payload={"price": 1}, replace=True)
    enqueue(ask, clock.time)
    before = store.item("jobs", job_id=spec().job_id)
    assert enqueue(ask, clock.time + MINUTE).result is Result.MERGED
    assert store.item("jobs", job_id=spec().job_id) == before


def test_what_a_later_request_keeps_of_an_earlier_one_is_that_of_the_last(store: Store, clock: VirtualClock) -> None:
    """Two ask at once: one for a price, one for a quantity, each with what it does not name as it was."""

    def ask(**payload: int) -> None:
        enqueue(replace(spec(), payload=payload, replace=True, kept=frozenset({"price", "quantity"})), clock.time)

    ask(price=1, quantity=1)
    writes = list[Request]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem":
            writes.append(request)
        if len(writes) == 2:  # the first is the attempt to create it anew, which fails; the second is to join it
            store.around = None
            ask(quantity=2)
        return send()

    store.around = around
    ask(price=2)
    assert len(writes) == 2
    assert stored().payload == {"price": 2, "quantity": 2}


def test_who_is_among_many_askers_of_an_earlier_run_is_added_to_them_and_another_begins_anew(
    clock: VirtualClock, config: Config
) -> None:
    for number in range(MOST_ASKERS):
        enqueue(spec(tenant=f"tenant-{number}"), clock.time)
    finish.complete(leased(clock), {}, clock.time, config)
    enqueue(spec(tenant="tenant-7"), clock.time)
    assert len(stored().tenants) == MOST_ASKERS, "those who asked before may still look at it"


def test_who_asks_for_what_nobody_may_look_at_any_more_may(clock: VirtualClock) -> None:
    """Those who might have withdrawn, and it goes on for one whom it had no room to remember."""
    enqueue(spec(), clock.time)
    Job(spec().job_id).update(actions=[Job.tenants.remove()])
    enqueue(spec(tenant="zeta"), clock.time)
    assert stored().tenants == {"zeta"}


def test_force_reaches_a_job_that_waits(clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    enqueue(spec(force=True), clock.time)
    assert stored().payload == {"sku": "one", "force": True}
    before = stored().updated_at
    enqueue(spec(force=True), clock.time + 1)
    enqueue(replace(spec(), payload={"sku": "two"}), clock.time + 1)
    assert (stored().payload, stored().updated_at) == ({"sku": "one", "force": True}, before), "nothing else does"


@pytest.mark.parametrize("running", [False, True])
def test_what_a_later_request_says_nothing_of_is_kept_only_where_it_says_so(running: bool, clock: VirtualClock) -> None:
    """Of the request before it, whether that waits or is for the run that follows."""

    def ask(**payload: Any) -> None:
        enqueue(replace(spec(), payload=payload, replace=True, kept=frozenset({"price", "quantity"})), clock.time)

    ask(price=1, quantity=1, note="first")
    if running:
        leased(clock)
    ask(price=2, note="second")
    ask(quantity=2)
    job = stored()
    assert (job.rerun_payload if running else job.payload) == {"price": 2, "quantity": 2}


def test_a_job_of_another_marketplace_is_refused_in_words(clock: VirtualClock) -> None:
    elsewhere = replace(spec(), account="ebay:acme", budget="ebay:acme")
    with pytest.raises(
        ValueError, match=r"^jobs of kind 'test.work' run on stockx, not on 'ebay:acme' with 'ebay:acme'$"
    ):
        enqueue(elsewhere, clock.time)


def test_a_shared_job_remembers_only_so_many_askers(clock: VirtualClock, config: Config) -> None:
    for number in range(MOST_ASKERS + 5):
        enqueue(spec(tenant=f"tenant-{number}"), clock.time)
    assert len(stored().tenants) == MOST_ASKERS
    finish.complete(leased(clock), {}, clock.time, config)
    enqueue(spec(tenant="new"), clock.time)
    assert stored().tenants == {"new"}


def test_one_that_fails_stops_no_other(store: Store, clock: VirtualClock) -> None:
    broken = spec("broken").job_id

    def around(request: Request, send: Send) -> Answer:
        if request.parameters.get("Key", {}).get("job_id") == {"S": broken}:
            raise RuntimeError("no answer")
        return send()

    store.around = around
    specs = [spec("a"), spec("broken"), replace(spec("b"), kind="no.such"), spec("c")]
    answers = enqueue_many(specs, clock.time)
    assert [type(answer).__name__ for answer in answers] == ["Enqueued", "RuntimeError", "UnknownKind", "Enqueued"]


@pytest.mark.parametrize("end", ["succeed", "bury", "claim", "cancel"])
def test_a_request_that_acts_on_what_has_changed_looks_again(
    end: str, store: Store, clock: VirtualClock, config: Config
) -> None:
    """The job goes on to another state after this request has read it, and before it writes."""
    bring("queued" if end in ("claim", "cancel") else "leased", clock, config)
    running = stored()
    changes: dict[str, Callable[[], object]] = {
        "succeed": lambda: finish.complete(running, {}, clock.time, config),
        "bury": lambda: finish.bury(running, Failure("no"), clock.time, config),
        "claim": lambda: leased(clock),
        "cancel": lambda: cancel.cancel(running.job_id, "acme", clock.time, config),
    }
    writes: list[str] = []

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and "job_id" in request.parameters["Key"]:
            writes.append(request.operation)
            if len(writes) == 2:
                store.around = None
                changes[end]()
                store.around = around
        return send()

    store.around = around
    answer = enqueue(spec(priority=keys.MANUAL), clock.time)
    expected_now = Result.RERUN_REQUESTED if end == "claim" else Result.CREATED
    assert answer.result is expected_now
    assert (stored().state, stored().rerun) == (("leased", keys.MANUAL) if end == "claim" else ("queued", None))


def meanwhile(store: Store, write: int, do: Callable[[], object]) -> None:
    """`do` is done just before that write of the job. The first is the attempt to create it anew."""
    number = 0

    def around(request: Request, send: Send) -> Answer:
        nonlocal number
        if request.operation == "UpdateItem" and "job_id" in request.parameters["Key"]:
            number += 1
            if number == write:
                store.around = None
                do()
                store.around = around
        return send()

    store.around = around


def test_who_asked_for_a_run_that_ends_just_then_may_still_look_at_the_job(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    bring("leased", clock, config)
    running = stored()
    meanwhile(store, 2, lambda: finish.complete(running, {}, clock.time, config))
    assert enqueue(spec(tenant="zeta"), clock.time).result is Result.CREATED
    assert stored().tenants == {"acme", "zeta"}


def test_of_two_who_ask_at_once_for_the_run_that_follows_the_more_urgent_counts(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    bring("leased", clock, config)
    meanwhile(store, 2, lambda: enqueue(spec(tenant="zeta", priority=keys.MANUAL), clock.time))
    enqueue(spec(tenant="globex"), clock.time)
    assert (stored().rerun, stored().rerun_payer, stored().rerun_askers) == (keys.MANUAL, "zeta", {"globex", "zeta"})


def test_who_asks_for_the_same_as_what_has_begun_and_waits_is_served_by_it(clock: VirtualClock, config: Config) -> None:
    bring("leased", clock, config)
    begun = finish.begin(stored(), {"sku": "one"}, clock.time)
    finish.fail(begun, Failure("503"), clock.time, config, chance=0)
    assert enqueue(spec(), clock.time).result is Result.MERGED
    assert stored().rerun is None
    assert stored().begun


def test_the_lane_is_marked_before_the_job_is_there(store: Store, clock: VirtualClock) -> None:
    order: list[str] = []

    def around(request: Request, send: Send) -> Answer:
        order.append(str(request.parameters["TableName"]).rsplit("-", 1)[1])
        return send()

    store.around = around
    enqueue(spec(), clock.time)
    assert order == ["lanes", "jobs"]


def test_a_rescue_does_not_take_a_job_whose_worker_has_just_said_that_it_lives(
    clock: VirtualClock, config: Config
) -> None:
    bring("leased", clock, config)
    seen = stored()
    clock.time += 5 * MINUTE
    finish.heartbeat(seen, clock.time, 5 * MINUTE)
    with pytest.raises(LeaseOver):
        finish.rescue(seen, clock.time, config)
    assert stored().state == "leased"


def test_of_many_those_about_the_same_are_due_together_and_the_others_one_after_another(clock: VirtualClock) -> None:
    """Who reads some of a long lane finds them together, so that one call can answer them."""
    specs = [replace(spec(), job_id=keys.job_id(KIND.name, "stockx", shoe, size)) for shoe in "abc" for size in "12"]
    enqueue_many(specs, clock.time)
    due = {job.job_id: job.due_at for job in Job.scan()}
    assert [due[one.job_id] for one in specs] == [clock.time - CLOCK_SKEW_MS + place for place in (0, 0, 1, 1, 2, 2)]


def test_however_many_are_asked_for_all_are_due_now_by_every_clock(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock may lag behind by half of what is allowed for."""
    due = list[int]()
    monkeypatch.setattr("sluice.jobs.queue.enqueue.enqueue", lambda spec, *_: due.append(spec.due_at))
    enqueue_many([spec(f"{number}") for number in range(CLOCK_SKEW_MS)], clock.time)
    assert max(due) == clock.time - CLOCK_SKEW_MS // 2


def test_of_many_none_is_due_before_it_is_to_be(clock: VirtualClock) -> None:
    enqueue_many([spec("a", due_at=clock.time + HOUR), spec("b")], clock.time)
    assert {job.due_at for job in Job.scan()} == {clock.time + HOUR, clock.time - CLOCK_SKEW_MS + 1}
