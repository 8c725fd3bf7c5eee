"""Shared work goes from an account whose calls are closed for a while to another asker's that has some."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.expressions.update import Action as Update

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch import scheduler, transfers
from sluice.jobs.dispatch.rounds import Done
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.dispatch.transfers import Moved
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import BudgetClosed, Failure
from sluice.jobs.queue import claim, finish, lanes, recounts
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.run.messages import Batch
from sluice.platform.clock import DAY, HOUR, MINUTE, ttl
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.config.pauses import Pause, Pauses
from sluice.platform.context import Context
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.store import store as make_store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON, sent_twice

pytestmark = pytest.mark.usefixtures("store")
LIMITS = Limits(by_clock(10, 100), by_account=True)
CONFIG = Config(limits={"stockx": LIMITS})
HAND_OVER_MS = CONFIG.engine.hand_over_ms
ALL = ("acme", "globex", "initech")


def snapshot(now: int = NOON, working: tuple[str, ...] = ALL, config: Config = CONFIG) -> Snapshot:
    able = {keys.account("stockx", tenant) for tenant in working}
    status = {keys.account("stockx", tenant): "ACTIVE" for tenant in ALL}
    return Snapshot(now, config, Accounts(lambda asked, _: status, working=lambda asked, _: able & set(asked)))


def sweep(now: int = NOON, working: tuple[str, ...] = ALL, config: Config = CONFIG) -> int:
    done = transfers.sweep(snapshot(now, working, config), lanes.active())
    assert not done.abandoned
    return done.transferred


def ask(*tenants: str, name: str = "one", priority: int = keys.BACKGROUND, now: int = NOON) -> None:
    for tenant in tenants:
        enqueue(spec(name, tenant=tenant, priority=priority), now)


def stored(name: str = "one") -> Job:
    return Job.get(spec(name).job_id, consistent_read=True)


def close(tenant: str, for_ms: int = DAY, now: int = NOON) -> None:
    ledger.close(keys.account("stockx", tenant), now + for_ms, "429")


def use_up(tenant: str, calls: int, now: int = NOON) -> None:
    assert ledger.reserve_calls(keys.account("stockx", tenant), LIMITS, Window.at(now), calls)


def payer(name: str = "one") -> str:
    job = stored(name)
    assert job.account == job.budget == keys.account("stockx", job.tenant)
    assert job.lane == job.home(1)
    return job.tenant


def test_a_closing_until_tomorrow_moves_the_work_at_the_new_accounts_charge_and_the_job_tells_so() -> None:
    ask("acme", "globex")
    close("acme")
    assert sweep() == 1
    job = stored()
    assert (payer(), job.counted, job.asked_by()) == ("globex", "acme", {"acme", "globex"})
    [told] = job.history or []
    assert (told["event"], told["code"]) == ("transfer", "budget_closed")
    assert "no calls for a while" in told["message"]
    assert not {name for name in ALL if name in told["message"]}, "who pays is nobody else's business"
    sent: list[Batch] = []
    scheduler.tick(snapshot(), sent.append)
    assert [batch.budget for batch in sent] == ["stockx:globex"]
    assert ledger.read("stockx:globex", NOON).hour == 1
    assert ledger.read("stockx:acme", NOON).hour == 0


def test_the_scheduler_does_it_by_itself() -> None:
    ask("acme", "globex")
    close("acme")
    now = snapshot()
    assert scheduler.tick(now, lambda _: None).transferred == 1
    assert payer() == "globex"


@pytest.mark.parametrize(("at", "moves"), [(0, True), (HOUR - HAND_OVER_MS, False)])
def test_a_used_up_hour_moves_it_unless_the_next_one_is_near(at: int, moves: bool) -> None:
    ask("acme", "globex")
    use_up("acme", LIMITS.per_hour, NOON + at)
    assert sweep(NOON + at) == moves


def test_a_used_up_day_moves_it() -> None:
    day = replace(LIMITS, windows=by_clock(day=10))
    ask("acme", "globex")
    assert ledger.reserve_calls("stockx:acme", day, Window.at(NOON), 10)
    assert sweep(config=replace(CONFIG, limits={"stockx": day})) == 1


@pytest.mark.parametrize(("for_ms", "moves"), [(HAND_OVER_MS, False), (HAND_OVER_MS + 1, True)])
def test_a_short_closing_moves_nothing(for_ms: int, moves: bool) -> None:
    ask("acme", "globex")
    close("acme", for_ms)
    assert sweep() == moves


def test_how_long_is_too_short_is_configured() -> None:
    ask("acme", "globex")
    close("acme", 5 * MINUTE)
    assert sweep(config=replace(CONFIG, engine=Engine(hand_over_ms=4 * MINUTE))) == 1


def test_it_goes_to_the_first_whose_account_works_and_has_calls() -> None:
    ask("acme", "globex", "initech")
    close("acme")
    use_up("globex", LIMITS.per_hour)
    assert sweep(working=("globex",)) == 0
    assert sweep() == 1
    assert payer() == "initech"


def test_it_stays_where_nobody_else_has_calls() -> None:
    ask("acme", "globex")
    ask("acme", name="alone")
    close("acme")
    close("globex", MINUTE)
    assert sweep() == 0
    assert sweep(NOON + 2 * MINUTE) == 1
    assert (payer(), payer("alone")) == ("globex", "acme")


def test_background_work_does_not_go_where_what_is_left_is_kept_for_others() -> None:
    ask("acme", "globex")
    ask("acme", "globex", name="hot", priority=keys.HOT)
    close("acme")
    use_up("globex", 8)
    assert sweep() == 1
    assert (payer(), payer("hot")) == ("acme", "globex")


@pytest.mark.parametrize(("used", "moved"), [(9, 1), (10, 0)])
def test_what_a_person_waits_for_goes_where_a_single_call_is_left(used: int, moved: int) -> None:
    ask("acme", "globex", priority=keys.MANUAL)
    close("acme")
    use_up("globex", used)
    assert sweep() == moved


def test_it_goes_to_the_most_urgent_first_and_is_as_urgent_there_as_that_one_asked() -> None:
    """`acme` used up its calls on what others wanted in the background: their calls for persons are not for that."""
    for tenant, priority in (("acme", keys.MANUAL), ("globex", keys.BACKGROUND), ("initech", keys.HOT)):
        ask(tenant, priority=priority)
    close("acme")
    assert sweep() == 1
    assert (payer(), stored().priority) == ("initech", keys.HOT)
    assert stored().priorities == {"acme": keys.MANUAL, "globex": keys.BACKGROUND}
    close("initech")
    assert sweep() == 1
    assert (payer(), stored().priority) == ("globex", keys.BACKGROUND)


def test_background_work_for_which_another_waits_does_not_go_where_what_is_left_is_kept_for_others() -> None:
    ask("acme", priority=keys.MANUAL)
    ask("globex")
    close("acme")
    use_up("globex", 8)
    assert sweep() == 0


@pytest.mark.parametrize(("for_ms", "moves"), [(HAND_OVER_MS, False), (HAND_OVER_MS + 1, True)])
def test_what_a_person_waits_for_does_not_go_to_the_background_for_a_short_closing(for_ms: int, moves: bool) -> None:
    ask("acme", priority=keys.MANUAL)
    ask("globex")
    close("acme", for_ms)
    assert sweep() == moves


@pytest.mark.parametrize(("since", "moves"), [(HAND_OVER_MS, False), (HAND_OVER_MS + 1, True)])
def test_after_a_while_it_goes_to_the_background_for_a_short_closing_too(since: int, moves: bool) -> None:
    """Short closings may come one after the other."""
    ask("acme", priority=keys.MANUAL)
    ask("globex")
    close("acme", MINUTE, NOON + since)
    assert sweep(NOON + since) == moves


def test_where_nothing_counts_calls_an_account_that_is_open_has_some() -> None:
    paced = replace(CONFIG, limits={"stockx": Limits(interval_ms=100, by_account=True)})
    ask("acme", "globex")
    close("acme")
    assert sweep(config=paced) == 1


def test_no_more_goes_over_than_there_are_calls() -> None:
    for number in range(12):
        ask("acme", "globex", name=f"{number:02}")
    close("acme")
    use_up("globex", 4)
    assert sweep() == 4  # of ten calls an hour four are used, and two are kept


def test_what_an_operator_has_paused_is_to_wait() -> None:
    ask("acme", "globex")
    close("acme")
    paused = replace(CONFIG, pauses=Pauses.of([Pause("stockx")]))
    assert sweep(config=paused) == 0
    paused = replace(CONFIG, pauses=Pauses.of([Pause("test.work")]))
    assert sweep(config=paused) == 0


@pytest.mark.parametrize("name", ["stockx:acme", "tenant:acme"])
def test_what_a_tenants_own_pause_holds_goes_to_another_who_asked_for_it(name: str) -> None:
    ask("acme", "globex")
    ask("acme", name="alone")

    def paused(until: int | None) -> Config:
        return replace(CONFIG, pauses=Pauses.of([Pause(name, until=until, deployment=False)]))

    assert sweep(config=paused(NOON + HAND_OVER_MS)) == 0
    assert sweep(config=paused(None)) == 1
    assert (payer(), payer("alone")) == ("globex", "acme")


def test_the_scheduler_moves_what_a_tenants_own_pause_holds() -> None:
    ask("acme", "globex")
    config = replace(CONFIG, pauses=Pauses.of([Pause("tenant:acme")]))
    scheduler.run(snapshot(config=config).accounts, Context(VirtualClock(NOON), config))
    assert payer() == "globex"


def test_a_job_that_runs_or_has_begun_stays_with_the_account_that_has_asked() -> None:
    ask("acme", "globex")
    running = claim.claim(Candidate.of(stored()), NOON, MINUTE)
    assert running
    close("acme")
    assert sweep() == 0
    begun = finish.begin(running, {"sku": "one"}, NOON)
    finish.fail(begun, BudgetClosed("429", retry_at=NOON + DAY), NOON, CONFIG, chance=0)
    assert sweep() == 0
    assert stored().account == "stockx:acme"


CHANGES = {
    "it runs": Job.state.set("leased"),
    "it ran": Job.lease.set(7),
    "it is more urgent": Job.lane.set("stockx:acme#200#0"),
    "it has begun": Job.begun.set(True),
    "somebody joined": Job.askers.add({"initech"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_somebody_has_changed_meanwhile_is_neither_handed_over_nor_ended(change: Update, store: Store) -> None:
    ask("acme", "globex")
    job = stored()
    Job(job.job_id).update([change])
    before = store.items("jobs")
    assert transfers._transfer(job, "globex", snapshot(), "code", "why") == 0
    assert transfers._abandon(job, NOON, CONFIG) == 0
    assert store.items("jobs") == before
    assert not store.items("dead_letters")


def test_a_job_that_was_handed_over_says_when_and_stands_in_the_other_lane_though_the_answer_is_lost(
    store: Store,
) -> None:
    ask("acme", "globex")
    store.around = sent_twice
    assert transfers._transfer(stored(), "globex", snapshot(NOON + MINUTE), "code", "why") == 1
    store.around = None
    job, moment = stored(), NOON + MINUTE
    assert (payer(), job.updated_at, job.lane) == ("globex", moment, "stockx:globex#100#0")
    assert job.history == [{"at": moment, "event": "transfer", "attempt": 0, "code": "code", "message": "why"}]
    [mark] = [lane for lane in lanes.active() if lane.lane == job.lane]
    assert (mark.seen_at, mark.shared_at) == (moment, moment), "and that lane is looked into, for it is shared"


def test_a_job_that_is_ended_for_its_account_is_final_and_kept_for_its_time(store: Store) -> None:
    ask("acme", "globex")
    assert transfers._abandon(stored(), NOON + MINUTE, CONFIG) == 1
    job = stored()
    assert (job.state, job.updated_at) == ("dead", NOON + MINUTE)
    assert not job.lane
    assert not job.due_at
    assert job.expires_at == ttl(NOON + MINUTE + CONFIG.engine.retention_ms)
    assert (job.error["code"], job.error["at"]) == ("account_not_working", NOON + MINUTE)
    [told] = job.history or []
    assert (told["event"], told["code"], told["at"]) == ("abandon", "account_not_working", NOON + MINUTE)
    letters = store.items("dead_letters")
    assert sorted(letter["tenant"]["S"] for letter in letters) == ["acme", "globex"]


def noted(
    monkeypatch: pytest.MonkeyPatch, lane: Lane, status: str, jobs: Collection[Job] = (), rest: object = None
) -> tuple[Moved, list[tuple[int | None, object]]]:
    """What a tick did with a lane whose account has this status, and what it noted on its mark."""
    notes = list[tuple[int | None, object]]()
    monkeypatch.setattr(lanes, "note", lambda _, since, rest: notes.append((since, rest)))
    monkeypatch.setattr(transfers, "_next_jobs", lambda _: (list(jobs), rest))
    accounts = Accounts(lambda asked, _: dict.fromkeys(asked, status), working=lambda asked, _: set())
    return transfers.sweep(Snapshot(NOON, CONFIG, accounts), [lane]), notes


BROKEN_MS = CONFIG.engine.broken_ms


@pytest.mark.parametrize(
    ("held_ms", "asked_ms", "ended"),
    [
        (BROKEN_MS, BROKEN_MS, 1),
        (2 * BROKEN_MS, 2 * BROKEN_MS, 1),
        (BROKEN_MS - 1, 2 * BROKEN_MS, 0),
        (2 * BROKEN_MS, BROKEN_MS - 1, 0),
        (None, 2 * BROKEN_MS, 0),  # it has only now been found out
    ],
)
def test_a_job_ends_after_a_week_of_its_own_for_which_its_account_has_not_worked(
    held_ms: int | None, asked_ms: int, ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask("acme", now=NOON - asked_ms)
    held_since = None if held_ms is None else NOON - held_ms
    lane = Lane("lanes", "stockx:acme#100#0", seen_at=NOON, held_since=held_since)
    done, notes = noted(monkeypatch, lane, "BROKEN", [stored()])
    assert (done.abandoned, done.transferred) == (ended, 0)
    assert notes == ([] if held_ms else [(NOON, None)])
    assert (stored().state == "dead") == ended


@pytest.mark.parametrize(
    ("status", "held_since", "swept", "rest", "notes"),
    [
        ("BROKEN", None, None, None, [(NOON, None)]),
        ("BROKEN", 5, None, None, []),
        ("BROKEN", 5, None, {"at": 1}, [(5, {"at": 1})]),
        ("BROKEN", 5, {"at": 1}, {"at": 1}, []),
        ("BROKEN", 5, {"at": 1}, None, [(5, None)]),
        ("ACTIVE", None, None, None, []),
        ("ACTIVE", 5, None, None, [(None, None)]),
        ("ACTIVE", None, {"at": 1}, None, [(None, None)]),
    ],
)
def test_where_a_walk_through_a_lane_is_and_since_when_it_is_held_is_noted_when_it_changes(
    status: str,
    held_since: int | None,
    swept: object,
    rest: object,
    notes: list[tuple[int | None, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lane = Lane("lanes", "stockx:acme#100#0", seen_at=NOON, held_since=held_since, swept=swept)
    assert noted(monkeypatch, lane, status, rest=rest)[1] == notes
    operations = Lane("lanes", "stockx:acme#poll#0", seen_at=NOON, held_since=held_since, swept=swept)
    assert noted(monkeypatch, operations, status, rest=rest)[1] == [], "checks are not moved"


def test_what_cannot_be_moved_costs_no_write(store: Store) -> None:
    """Each minute its lane is read, for as long as the account is closed: what runs, or has begun, is only read."""
    ask("acme", "globex", name="running")
    ask("acme", "globex", name="begun")
    claimed = [claim.claim(Candidate.of(stored(name)), NOON, MINUTE) for name in ("running", "begun")]
    assert claimed[1]
    begun = finish.begin(claimed[1], {"sku": "begun"}, NOON)
    finish.fail(begun, BudgetClosed("429", retry_at=NOON + DAY), NOON, CONFIG, chance=0)
    close("acme")
    [lane] = [one for one in lanes.active() if one.lane == stored("begun").lane]
    page, writes = claim.page, list[str]()

    def behind(*_: object) -> claim.DuePage:
        """The index is behind: it shows the job that runs among those that wait."""
        found = page(lane.lane, 10**15, 9).found
        return claim.DuePage([*found, Candidate.of(stored("running"))], [], 0, None)

    def around(request: Request, send: Send) -> Answer:
        if request.operation in ("UpdateItem", "TransactWriteItems"):
            writes.append(request.parameters.get("TableName", "several"))
        return send()

    store.around = around
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim, "page", behind)
        assert transfers.sweep(snapshot(), [lane]).transferred == 0
    assert writes == []


def test_what_goes_over_keeps_its_place_among_what_is_due() -> None:
    ask("acme", "globex")
    close("acme")
    due_at = stored().due_at
    assert sweep(NOON + MINUTE) == 1
    assert stored().due_at == due_at


def test_where_applications_have_the_calls_work_goes_from_one_to_another_that_is_open() -> None:
    """Which application an account has is asked once in a tick, however many jobs wait."""
    shared, asked = replace(CONFIG, limits={"stockx": replace(LIMITS, by_account=False)}), list[str]()
    known = {"stockx:acme": "one", "stockx:globex": "two", "stockx:initech": "one"}

    def applications(accounts: Collection[str]) -> dict[str, str]:
        asked.extend(accounts)
        return {account: known[account] for account in accounts}

    for name in ("a", "b"):
        for tenant in ("acme", "initech", "globex") if name == "a" else ("acme", "initech"):
            enqueue(replace(spec(name, tenant=tenant), budget="stockx"), NOON)
    ledger.close("stockx:app.one", NOON + DAY, "429")
    now = snapshot(config=shared)
    now = now._replace(accounts=now.accounts._replace(applications=applications))
    assert transfers.sweep(now, lanes.active()).transferred == 1
    assert (stored("a").tenant, stored("a").budget, stored("b").tenant) == ("globex", "stockx", "acme")
    assert sorted(asked) == sorted(known)


def test_which_application_has_the_calls_is_only_asked_where_accounts_share_them() -> None:
    ask("acme", "globex")

    def applications(accounts: Collection[str]) -> dict[str, str]:
        pytest.fail(f"a read for {accounts}, for nothing")

    now = snapshot()
    now = now._replace(accounts=now.accounts._replace(applications=applications))
    assert scheduler.tick(now, lambda _: None).admitted == 1


def test_where_nothing_is_held_no_account_is_asked_after() -> None:
    ask("acme", "globex")

    def statuses(*_: object) -> dict[str, str]:
        pytest.fail("it costs reads each minute, for nothing")

    assert scheduler._move_on(Done(), Snapshot(NOON, CONFIG, Accounts(statuses)), lanes.active()) == transfers.Moved()


def test_a_lane_whose_account_works_again_is_no_longer_thought_of_as_held() -> None:
    """Though nothing is held any more: else its next breakdown would count from the first one on."""
    ask("acme")
    broken = {"stockx:acme": "BROKEN"}
    transfers.sweep(Snapshot(NOON, CONFIG, Accounts(lambda *_: broken)), lanes.active())
    [lane] = lanes.active()
    assert lane.held_since == NOON
    scheduler._move_on(Done(), snapshot(NOON + MINUTE), lanes.active())
    [lane] = lanes.active()
    assert lane.held_since is None


def test_a_run_that_ticks_again_for_what_went_over_compares_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    swept = list[bool]()
    monkeypatch.setattr(recounts, "sweep", lambda: swept.append(True))
    ask("acme", "globex")
    close("acme")
    scheduler.run(snapshot().accounts, Context(VirtualClock(NOON), CONFIG))
    assert payer() == "globex"
    assert swept == [True]


def test_what_a_run_has_moved_and_ended_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counter[str]()
    monkeypatch.setattr(scheduler, "count", lambda name, value: counted.update({name: value}))
    ask("acme", "globex")
    close("acme")
    scheduler._tick(snapshot().accounts, Context(VirtualClock(NOON), CONFIG), minutely=False)
    assert (counted["JobsTransferred"], counted["JobsAbandoned"], counted["SchedulerRun"]) == (1, 0, 1)


def test_what_was_snoozed_by_the_closing_runs_at_once_and_what_failed_backs_off() -> None:
    for name, failure in (("one", BudgetClosed("429", retry_at=NOON + DAY)), ("two", Failure("503"))):
        ask("acme", "globex", name=name)
        running = claim.claim(Candidate.of(stored(name)), NOON, MINUTE)
        assert running
        finish.fail(running, failure, NOON, CONFIG, chance=1.0)
    backs_off = stored("two").due_at
    close("acme")
    assert sweep() == 2
    assert stored().due_at == NOON
    assert stored("two").due_at == backs_off
    assert backs_off
    assert backs_off > NOON


def test_who_asked_while_it_ran_can_take_it_over_too() -> None:
    ask("acme")
    running = claim.claim(Candidate.of(stored()), NOON, MINUTE)
    assert running
    ask("globex")
    finish.fail(running, BudgetClosed("429", retry_at=NOON + DAY), NOON, CONFIG, chance=0)
    assert stored().tenant == "globex", "it was theirs at once"
    close("globex")
    lanes.forget()
    assert sweep() == 1
    assert stored().tenant == "acme"


def test_work_of_a_broken_account_goes_to_one_with_calls_before_one_without() -> None:
    ask("acme", "globex", "initech")
    close("globex")
    broken = {"stockx:acme": "BROKEN", "stockx:globex": "ACTIVE", "stockx:initech": "ACTIVE"}
    able = snapshot().accounts.working
    transfers.sweep(Snapshot(NOON, CONFIG, Accounts(lambda *_: broken, working=able)), lanes.active())
    assert payer() == "initech"


def test_lanes_in_which_nobody_shares_anything_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ask("acme", name="alone")
    close("acme")
    monkeypatch.setattr(claim, "page", lambda *_: pytest.fail("it costs reads each minute, for nothing"))
    assert sweep() == 0


def test_every_job_of_a_long_lane_has_its_turn() -> None:
    for number in range(2 * transfers.MOST):
        ask("acme", name=f"alone{number:02}")
    ask("acme", "globex", name="shared", now=NOON + 1)
    close("acme")
    assert [sweep(NOON + minute * MINUTE) for minute in range(4)] == [0, 0, 1, 0]


events = st.lists(
    st.tuples(
        st.sampled_from(["close", "use up", "ask", "tick", "tick", "tick"]),
        st.sampled_from(ALL),
        st.sampled_from([MINUTE, HAND_OVER_MS, HAND_OVER_MS + MINUTE, HOUR, DAY]),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def played() -> Iterator[None]:
    """Each example has a store of its own."""
    with work.kind():
        yield


@settings(deadline=None, max_examples=60)
@given(events)
def test_it_never_waits_for_a_closed_account_while_anothers_is_open_and_never_goes_to_and_fro(
    played: None, happened: list[tuple[str, str, int]]
) -> None:
    with make_store():
        lanes.forget()
        now, moves = NOON, list[int]()
        ask(*ALL)
        for event, tenant, ms in happened:
            match event:
                case "close":
                    close(tenant, ms, now)
                case "use up":
                    left = ledger.read(f"stockx:{tenant}", now).left(LIMITS) or 0
                    use_up(tenant, left, now)
                case "ask":
                    ask(tenant, now=now)
                case "tick":
                    before = stored().tenant
                    moves += [now] * sweep(now)
                    assert stored().tenant == before or closed_for(before, now) > HAND_OVER_MS
                    closed = closed_for(stored().tenant, now) > HAND_OVER_MS
                    assert not closed or not any(is_open(one, now) for one in ALL)
                    assert stored().tenant == before or is_open(stored().tenant, now)
                    now += min(ms, HOUR)
        assert len(moves) == sum(entry["event"] == "transfer" for entry in stored().history or [])
        assert stored().asked_by() == set(ALL)


def closed_for(tenant: str, now: int) -> int:
    usage, window = ledger.read(f"stockx:{tenant}", now), Window.at(now)
    return max(usage.closed_until, usage.empty_until(LIMITS, window) or 0) - now


def is_open(tenant: str, now: int) -> bool:
    usage = ledger.read(f"stockx:{tenant}", now)
    return usage.closed_until <= now and bool(usage.left(LIMITS, CONFIG.engine.reserve_percent))
