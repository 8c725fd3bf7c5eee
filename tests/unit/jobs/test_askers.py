"""Who asked for a run pays for it, hears of it, and has its dead letter; nobody else."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch import transfers
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import MOST_ASKERS, Job
from sluice.jobs.model.outcomes import BudgetClosed, BudgetEmpty, CannotSucceed, Failure, Then
from sluice.jobs.queue import cancel, claim, finish, lanes, replay, rerun
from sluice.jobs.queue.enqueue import Enqueued, Result, enqueue
from sluice.marketplaces.http.errors import AccountBroken
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")
CONFIG = Config()
BROKEN = {"stockx:acme": "BROKEN", "stockx:globex": "ACTIVE", "stockx:initech": "ACTIVE"}


def stored() -> Job:
    return Job.get(spec().job_id, consistent_read=True)


def take(now: int = NOON) -> Job:
    job = claim.claim(Candidate.of(stored()), now, MINUTE)
    assert job
    return job


def payer(job: Job) -> tuple[str, str, str]:
    return job.tenant, job.account, job.budget


def of(tenant: str) -> tuple[str, str, str]:
    return tenant, f"stockx:{tenant}", f"stockx:{tenant}"


def letters(tenant: str) -> list[DeadLetter]:
    return list(DeadLetter.query(tenant))


def ask(tenant: str, priority: int = keys.BACKGROUND, now: int = NOON) -> Result:
    return enqueue(spec(tenant=tenant, priority=priority), now).result


def _completed(running: Job) -> Job:
    return finish.complete(running, {}, NOON, CONFIG)


def _buried(running: Job) -> Job:
    return finish.bury(running, CannotSucceed("no such size"), NOON, CONFIG)


def test_a_rerun_is_charged_to_who_asked_for_it() -> None:
    ask("acme")
    running = take()
    assert ask("globex") is Result.RERUN_REQUESTED
    again = finish.complete(running, {}, NOON, CONFIG)
    assert (again.state, payer(again), again.asked_by()) == ("queued", of("globex"), {"globex"})
    assert (again.lane, again.counted) == ("stockx:globex#100#0", "acme")
    assert not any((again.rerun, again.rerun_askers, again.rerun_payer))
    assert "stockx:globex#100#0" in [lane.lane for lane in lanes.active()]


def test_a_rerun_that_the_payer_asks_for_stays_with_it() -> None:
    ask("acme")
    running = take()
    ask("acme")
    again = finish.complete(running, {}, NOON, CONFIG)
    assert payer(again) == of("acme")
    assert not again.askers
    assert not again.counted


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("end", [_completed, _buried])
def test_a_request_that_sluice_0_1_0_has_noted_is_run_for_who_has_paid_so_far(
    end: Callable[[Job], Job], joined: bool
) -> None:
    """That version wrote that the job was asked for again, and not by whom."""
    ask("acme")
    running = take()
    stored().update(actions=[Job.rerun.set(keys.HOT)])
    if joined:
        assert ask("globex") is Result.RERUN_REQUESTED
    again = end(running)
    assert (again.state, again.priority, payer(again)) == ("queued", keys.HOT, of("acme"))
    assert again.asked_by() == ({"acme", "globex"} if joined else {"acme"})
    assert again.rerun is None


def test_of_several_who_ask_again_the_first_pays_unless_one_asks_more_urgently() -> None:
    ask("acme")
    running = take()
    for tenant, priority in (("globex", keys.BACKGROUND), ("initech", keys.BACKGROUND), ("hooli", keys.MANUAL)):
        ask(tenant, priority)
    again = finish.complete(running, {}, NOON, CONFIG)
    assert (payer(again), again.priority, again.lane) == (of("hooli"), keys.MANUAL, "stockx:hooli#200#0")
    assert again.asked_by() == {"globex", "initech", "hooli"}


def test_a_job_that_goes_over_again_is_counted_where_it_began() -> None:
    ask("acme")
    for tenant, held in (("globex", "acme"), ("initech", "globex")):
        assert enqueue(spec(tenant=tenant), NOON, lambda job, held=held: held in job.account).moved  # type: ignore[misc]
    assert (payer(stored()), stored().counted) == (of("initech"), "acme")
    assert enqueue(spec(tenant="acme"), NOON, lambda job: "initech" in job.account).moved
    assert payer(stored()) == of("acme")
    assert not stored().counted


def test_the_first_who_asks_for_the_next_run_pays_unless_another_may_run_it_and_is_more_urgent() -> None:
    ask("acme")
    running = take()
    ask("globex")
    ask("initech")
    assert stored().rerun_payer == "globex", "as urgent is not more urgent"
    enqueue(spec(tenant="hooli", priority=keys.MANUAL, shared=False), NOON)
    again = finish.complete(running, {}, NOON, CONFIG)
    assert (payer(again), again.priority) == (of("globex"), keys.BACKGROUND), "it is not common work to hooli"


def test_the_next_run_remembers_only_so_many_who_ask_for_it() -> None:
    ask("acme")
    take()
    for number in range(MOST_ASKERS + 2):
        ask(f"t{number:02}")
    assert stored().rerun_askers == {f"t{number:02}" for number in range(MOST_ASKERS)}


def test_the_lane_of_what_its_only_asker_raises_is_not_said_to_hold_what_several_want() -> None:
    ask("acme")
    ask("acme", keys.MANUAL)
    assert [lane.shared_at for lane in lanes.active()] == [None, None]


def test_who_asks_more_urgently_without_a_working_account_does_not_pay() -> None:
    ask("acme")
    running = take()
    ask("globex")
    enqueue(spec(tenant="madeup", priority=keys.MANUAL), NOON, lambda job: job.account == "stockx:madeup")
    again = finish.complete(running, {}, NOON, CONFIG)
    assert (payer(again), again.priority) == (of("globex"), keys.BACKGROUND), "nor is it urgent at globex's cost"


@pytest.mark.parametrize("late", [["initech"], ["", "initech"], ["globex", "initech"]])
def test_who_asks_while_the_end_is_written_is_not_forgotten(late: list[str], store: Store) -> None:
    """The request comes between a look at the job and the write of its end. late: who asks before each of its tries."""
    ask("acme")
    running = take()
    ask("globex")
    coming = list(late)

    def around(request: Request, send: Send) -> Answer:
        if coming and request.operation == "UpdateItem" and request.parameters["TableName"].endswith("jobs"):
            tenant, store.around = coming.pop(0), None
            if tenant:
                ask(tenant)
            store.around = around
        return send()

    store.around = around
    again = finish.complete(running, {}, NOON, CONFIG)
    store.around = None
    assert again.asked_by() == {"globex", "initech"}


def test_who_asks_more_urgently_while_the_end_is_written_is_served_as_urgently(store: Store) -> None:
    ask("acme")
    running = take()
    ask("globex")

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["TableName"].endswith("jobs"):
            store.around = None
            enqueue(spec(tenant="globex", priority=keys.MANUAL, shared=False), NOON)
        return send()

    store.around = around
    again = finish.complete(running, {}, NOON, CONFIG)
    assert (again.state, again.priority, again.asked_by()) == ("queued", keys.MANUAL, {"globex"})


def test_each_asker_has_its_own_letter_and_replays_at_its_own_charge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice.jobs.ask.nudge", lambda _: None)
    ask("acme")
    ask("globex", keys.MANUAL)
    finish.fail(take(), CannotSucceed("no such product", code="product_unknown"), NOON, CONFIG, chance=0)
    for tenant in ("acme", "globex"):
        [letter] = letters(tenant)
        assert (letter.tenant, letter.account, letter.budget) == of(tenant)
        assert letter.error["code"] == "product_unknown"
    [answer] = replay.replay(letters("acme"), "ann", NOON + 1, CONFIG)
    assert isinstance(answer, Enqueued)
    assert (answer.result, payer(stored())) == (Result.CREATED, of("acme"))
    [joined] = replay.replay(letters("globex"), "bob", NOON + 2, CONFIG)
    assert isinstance(joined, Enqueued)
    assert (joined.result, stored().asked_by()) == (Result.MERGED, {"acme", "globex"})


def test_a_run_that_dies_is_told_to_those_who_asked_for_that_run_alone() -> None:
    ask("acme")
    finish.complete(take(), {}, NOON, CONFIG)
    ask("globex", now=NOON + HOUR)
    running = take(NOON + HOUR)
    ask("initech", now=NOON + HOUR)
    finish.bury(running, CannotSucceed("no"), NOON + HOUR, CONFIG)
    assert (len(letters("acme")), len(letters("globex")), len(letters("initech"))) == (0, 1, 0)
    assert cancel.find(spec().job_id, "acme")  # it may still look at the job that it once asked for


def test_there_are_letters_for_as_many_as_a_job_remembers() -> None:
    for number in range(MOST_ASKERS + 5):
        ask(f"t{number:02}")
    finish.bury(take(), CannotSucceed("no"), NOON, CONFIG)
    assert [len(letters(f"t{number:02}")) for number in range(MOST_ASKERS + 5)] == [1] * MOST_ASKERS + [0] * 5


def test_a_job_with_more_askers_than_there_is_room_for_today_is_joined_by_nobody() -> None:
    running = Job(tenant="acme", askers={f"t{number:02}" for number in range(MOST_ASKERS + 1)})
    later = Job(rerun_askers={"globex", "initech"})
    assert rerun.joined(running, later) == running.askers


def test_who_no_longer_wants_what_others_want_no_longer_pays() -> None:
    ask("acme")
    ask("globex")
    assert cancel.cancel(spec().job_id, "acme", NOON, CONFIG) is cancel.Cancelled.WITHDRAWN
    job = stored()
    assert (payer(job), job.asked_by(), job.lane) == (of("globex"), {"globex"}, "stockx:globex#100#0")
    assert cancel.cancel(spec().job_id, "globex", NOON, CONFIG) is cancel.Cancelled.CANCELLED


def test_an_earlier_asker_does_not_keep_a_job_alive() -> None:
    ask("acme")
    finish.complete(take(), {}, NOON, CONFIG)
    ask("globex", now=NOON + 1)
    assert cancel.cancel(spec().job_id, "globex", NOON + 2, CONFIG) is cancel.Cancelled.CANCELLED


# ── accounts that do not work ──


def sweep(now: int = NOON, *working: str, broken: bool = True) -> transfers.Moved:
    statuses = BROKEN if broken else dict.fromkeys(BROKEN, "ACTIVE")

    def able(accounts, service):  # type: ignore[no-untyped-def]
        assert service == "stockx"
        return set(accounts) & {keys.account("stockx", tenant) for tenant in working}

    def status(accounts, service):  # type: ignore[no-untyped-def]
        return {account: statuses[account] for account in accounts if account in statuses}

    return transfers.sweep(Snapshot(now, CONFIG, Accounts(status, working=able)), lanes.active())


def test_work_of_a_broken_account_goes_to_another_asker_whose_account_works() -> None:
    ask("acme")
    ask("globex")
    ask("initech")
    assert sweep(NOON, "initech") == transfers.Moved(transferred=1)
    job = stored()
    assert (payer(job), job.lane, job.counted) == (of("initech"), "stockx:initech#100#0", "acme")
    assert job.asked_by() == {"acme", "globex", "initech"}
    assert [entry["event"] for entry in job.history or []] == ["transfer"]
    assert finish.complete(take(), {}, NOON, CONFIG).state == "succeeded"


def test_it_waits_while_nobody_elses_account_works() -> None:
    ask("acme")
    ask("globex")
    assert sweep(NOON) == transfers.Moved()
    assert payer(stored()) == of("acme")
    assert sweep(NOON + MINUTE, "globex") == transfers.Moved(transferred=1)


def test_a_job_that_runs_or_has_begun_is_left_alone() -> None:
    ask("acme")
    ask("globex")
    running = take()
    assert sweep(NOON, "globex") == transfers.Moved()
    begun = finish.begin(running, {"sku": "one"}, NOON)
    finish.fail(begun, Failure("again"), NOON, CONFIG, chance=0.0)
    assert sweep(NOON, "globex") == transfers.Moved()
    assert payer(stored()) == of("acme")


def test_every_job_of_a_long_lane_has_its_turn() -> None:
    for number in range(60):
        enqueue(spec(f"alone{number:02}"), NOON)
    shared = spec("shared")
    for tenant in ("acme", "globex"):
        enqueue(replace(shared, tenant=tenant, account=f"stockx:{tenant}", budget=f"stockx:{tenant}"), NOON + 1)
    moved = [sweep(NOON + tick * MINUTE, "globex").transferred for tick in range(4)]
    assert sum(moved) == 1
    assert moved[0] == 0  # it stands behind more than one tick looks at


def test_after_a_week_it_ends_with_that_reason_for_each_who_asked() -> None:
    ask("acme")
    ask("globex")
    sweep(NOON)
    assert sweep(NOON + 7 * DAY - 1) == transfers.Moved()
    assert sweep(NOON + 7 * DAY) == transfers.Moved(abandoned=1)
    job = stored()
    assert (job.state, job.error["code"] if job.error else None) == ("dead", "account_not_working")
    assert not job.lane
    assert job.expires_at == (NOON + 7 * DAY + CONFIG.engine.retention_ms) // SECOND
    for tenant in ("acme", "globex"):
        [letter] = letters(tenant)
        assert letter.error["code"] == "account_not_working"
    assert ask("acme", now=NOON + 8 * DAY) is Result.CREATED


def test_an_account_that_worked_meanwhile_begins_its_week_anew() -> None:
    ask("acme")
    sweep(NOON)
    sweep(NOON + 6 * DAY, broken=False)
    sweep(NOON + 6 * DAY + MINUTE)
    assert sweep(NOON + 8 * DAY) == transfers.Moved()
    assert sweep(NOON + 13 * DAY + MINUTE) == transfers.Moved(abandoned=1)


def test_a_job_that_came_late_has_a_week_of_its_own() -> None:
    ask("acme")
    sweep(NOON)
    enqueue(spec("late"), NOON + 6 * DAY)
    assert sweep(NOON + 7 * DAY) == transfers.Moved(abandoned=1)
    assert Job.get(spec("late").job_id).state == "queued"


def test_one_of_many_ticks_moves_it(store: Store) -> None:
    ask("acme")
    ask("globex")
    marked = lanes.active()
    job = stored()
    snapshot = Snapshot(NOON, CONFIG, Accounts(lambda *_: BROKEN))
    assert transfers._transfer(job, "globex", snapshot, "code", "why") == 1
    assert transfers._transfer(job, "globex", snapshot, "code", "why") == 0
    assert transfers._abandon(job, NOON, CONFIG) == 0
    assert marked


def test_an_account_that_is_gone_holds_its_work_as_a_broken_one_does(clock: VirtualClock) -> None:
    ask("gone")
    ask("globex")
    assert sweep(NOON, "globex") == transfers.Moved(transferred=1)


def hand_over(now: int = NOON) -> int:
    """A sweep while everybody's account works; how many jobs went over."""
    accounts = Accounts(lambda found, _: dict.fromkeys(found, "ACTIVE"), working=lambda found, _: frozenset(found))
    return transfers.sweep(Snapshot(now, CONFIG, accounts), lanes.active()).transferred


@pytest.mark.parametrize(("priority", "moved"), [(keys.MANUAL, 1), (keys.HOT, 0)])
def test_what_a_person_waits_for_does_not_wait_for_a_short_closing(priority: int, moved: int) -> None:
    """A tenant that has 429 on each of its calls keeps nobody waiting who asked for the same."""
    ask("acme", priority)
    ask("globex", priority)
    ledger.close("stockx:acme", NOON + 5 * SECOND, "429")
    assert hand_over() == moved
    assert payer(stored()) == of("globex" if moved else "acme")
    assert hand_over() == 0


@pytest.mark.parametrize(
    "failure",
    [BudgetClosed("429", retry_at=NOON + HOUR), BudgetEmpty("no", retry_at=NOON + HOUR), AccountBroken("no")],
)
def test_who_asked_while_it_ran_does_not_wait_for_an_account_that_cannot_run_it(failure: Failure) -> None:
    ask("acme", keys.MANUAL)
    running = take()
    assert ask("globex", keys.MANUAL) is Result.RERUN_REQUESTED
    again = finish.fail(running, failure, NOON, CONFIG, chance=0)
    assert (again.state, payer(again), again.asked_by()) == ("queued", of("globex"), {"acme", "globex"})
    assert (again.lane, again.due_at, again.attempts) == ("stockx:globex#200#0", NOON, 0)
    assert not any((again.rerun, again.rerun_askers, again.rerun_payer))


@pytest.mark.parametrize(
    ("failure", "due_at"),
    [
        (BudgetClosed("429", retry_at=NOON + HOUR), NOON),
        (AccountBroken("no"), NOON),
        (Failure("500", retry_at=NOON + HOUR), NOON + HOUR),
    ],
)
def test_who_takes_over_does_not_wait_for_what_held_the_other_account_alone(failure: Failure, due_at: int) -> None:
    """It was put off until the other's calls are open. A job that has failed backs off on every account."""
    ask("mallory", keys.MANUAL)
    finish.fail(take(), failure, NOON, CONFIG, chance=0)
    wish = spec(tenant="acme", priority=keys.MANUAL, shared=True)
    done = enqueue(wish, NOON + SECOND, held=lambda job: job.account == "stockx:mallory")
    assert (done.moved, payer(stored())) == (True, of("acme"))
    assert stored().due_at == due_at


def test_what_a_person_waits_for_goes_on_to_another_asker_when_its_account_cannot_run_it() -> None:
    """It may stand in a long lane of that account's, where a tick finds it late."""
    ask("acme", keys.MANUAL)
    ask("globex", keys.MANUAL)
    again = finish.fail(take(), BudgetClosed("429", retry_at=NOON + HOUR), NOON, CONFIG, chance=0)
    assert (payer(again), again.lane, again.due_at) == (of("globex"), "stockx:globex#200#0", NOON)
    assert again.asked_by() == {"acme", "globex"}


@pytest.mark.parametrize("first", [keys.BACKGROUND, keys.MANUAL])
def test_what_no_other_person_waits_for_stays_with_its_account_for_a_429(first: int) -> None:
    """If that lasts, a tick hands it over. In another's background a person might wait longer."""
    ask("acme", first)
    ask("globex")
    again = finish.fail(take(), BudgetClosed("429", retry_at=NOON + HOUR), NOON, CONFIG, chance=0)
    assert (payer(again), again.priority, again.due_at) == (of("acme"), first, NOON + HOUR)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("priority", [keys.HOT, keys.MANUAL])
@pytest.mark.parametrize("since", [CONFIG.engine.hand_over_ms, CONFIG.engine.hand_over_ms + 1])
def test_an_account_with_one_429_after_the_other_does_not_keep_what_it_took_over(
    since: int, priority: int, begun: bool
) -> None:
    """`mallory` could take over what others wait for in the background, and never run it."""
    ask("acme")
    ask("zeta")
    ask("mallory", priority)
    now = NOON + since
    running = take(now)
    if begun:
        running = finish.begin(running, {"sku": "one"}, now)
    again = finish.fail(running, BudgetClosed("429", retry_at=now + SECOND), now, CONFIG, chance=0)
    stays = begun or since <= CONFIG.engine.hand_over_ms
    pays, stands, due = ("mallory", priority, now + SECOND) if stays else ("acme", keys.BACKGROUND, now)
    assert (payer(again), again.priority, again.due_at) == (of(pays), stands, due)


@pytest.mark.parametrize("priority", [keys.BACKGROUND, keys.HOT, keys.MANUAL])
def test_what_has_waited_long_goes_for_a_429_to_nobody_who_could_have_taken_it_over(priority: int) -> None:
    """Nor to and fro between those who are in no hurry."""
    ask("acme")
    enqueue(spec(tenant="mallory", priority=priority), NOON, lambda job: job.account == "stockx:mallory")
    again = finish.fail(take(NOON + HOUR), BudgetClosed("429", retry_at=0), NOON + HOUR, CONFIG, chance=0)
    assert (payer(again), again.priority) == (of("acme"), keys.BACKGROUND)


def test_what_has_begun_stays_with_the_account_that_asked_though_a_person_waits_for_it() -> None:
    """Only that account can find out what became of it."""
    ask("acme", keys.MANUAL)
    ask("globex", keys.MANUAL)
    running = take()
    begun = finish.begin(running, {"sku": "one"}, NOON)
    again = finish.fail(begun, BudgetClosed("429", retry_at=NOON + HOUR), NOON, CONFIG, chance=0)
    assert (payer(again), again.due_at) == (of("acme"), NOON + HOUR)


def ended_untried(end: str, running: Job) -> Job:
    """The run ends, and what it was to do is still to be done."""
    if end == "rescue":
        return finish.rescue(running, NOON + MINUTE, CONFIG)
    if end == "not_started":
        return finish.rescue(running, NOON + MINUTE, CONFIG, started=False)
    failure = Failure("no", code="no")
    failure.action = Then(end)
    return finish.fail(running, failure, NOON, CONFIG, chance=0)


UNTRIED = pytest.mark.parametrize("end", ["retry", "snooze", "rescue", "not_started"])


@UNTRIED
@pytest.mark.parametrize(("priority", "pays"), [(keys.BACKGROUND, "acme"), (keys.MANUAL, "globex")])
def test_who_asked_while_it_ran_keeps_the_job_when_the_first_asker_cancels_it(
    end: str, priority: int, pays: str
) -> None:
    ask("acme")
    running = take()
    assert ask("globex", priority) is Result.RERUN_REQUESTED
    again = ended_untried(end, running)
    assert (again.state, payer(again), again.asked_by()) == ("queued", of(pays), {"acme", "globex"})
    assert again.priority == priority
    assert not any((again.rerun, again.rerun_askers, again.rerun_payer))
    assert cancel.cancel(again.job_id, "acme", NOON, CONFIG) is cancel.Cancelled.WITHDRAWN
    assert (stored().state, payer(stored()), stored().asked_by()) == ("queued", of("globex"), {"globex"})


@UNTRIED
def test_who_asked_while_it_ran_takes_over_when_the_first_askers_account_breaks(end: str) -> None:
    ask("acme")
    running = take()
    ask("globex")
    ended_untried(end, running)
    moved = transfers.sweep(
        Snapshot(
            NOON, CONFIG, Accounts(lambda asked, _: BROKEN, working=lambda asked, _: {"stockx:globex"} & set(asked))
        ),
        lanes.active(),
    )
    assert (moved.transferred, payer(stored())) == (1, of("globex"))


@UNTRIED
def test_what_has_begun_is_finished_before_who_asked_meanwhile_is_served(end: str) -> None:
    ask("acme")
    running = take()
    finish.begin(running, running.payload, NOON)
    ask("globex")
    again = ended_untried(end, running)
    assert (again.begun, again.asked_by(), again.rerun_askers) == (True, {"acme"}, {"globex"})
    assert cancel.cancel(again.job_id, "acme", NOON, CONFIG) is cancel.Cancelled.RUNNING


def test_who_asks_meanwhile_joins_as_far_as_there_is_room() -> None:
    ask("acme")
    running = take()
    for number in range(MOST_ASKERS):
        ask(f"tenant{number:02}")
    again = finish.rescue(running, NOON + MINUTE, CONFIG)
    assert "acme" in again.asked_by()
    assert len(again.asked_by()) == MOST_ASKERS


@pytest.mark.parametrize("asker", ["acme", "globex"])
def test_one_who_asks_more_urgently_while_it_cancels_is_among_the_askers(asker: str, store: Store) -> None:
    """Its cancellation comes between the look at the job and the write of its new request."""
    ask("acme")
    ask("globex")
    meanwhile(store, lambda: cancel.cancel(stored().job_id, asker, NOON, CONFIG))
    assert ask(asker, keys.MANUAL) is Result.RAISED
    assert stored().asked_by() == {"acme", "globex"}


@pytest.mark.parametrize("asker", ["acme", "globex"])
def test_a_job_that_moves_while_one_cancels_or_asks_is_charged_to_an_asker_in_its_own_lane(
    asker: str, store: Store
) -> None:
    def transfer() -> None:
        transfers.sweep(
            Snapshot(NOON, CONFIG, Accounts(lambda asked, _: BROKEN, working=lambda asked, _: set(asked))),
            lanes.active(),
        )

    ask("acme")
    ask("globex")
    ask("initech")
    meanwhile(store, transfer, writes_before=0)
    assert cancel.cancel(stored().job_id, asker, NOON, CONFIG) is cancel.Cancelled.WITHDRAWN
    assert stored().tenant in stored().asked_by()
    assert stored().lane == stored().home(1)
    meanwhile(store, transfer)
    enqueue(replace(spec(tenant="initech", priority=keys.MANUAL), shared=False), NOON)
    assert stored().lane == stored().home(1)


def meanwhile(store: Store, change: Callable[[], object], writes_before: int = 1) -> None:
    """Do `change` just before the next write to the job but `writes_before`."""
    left = iter(range(writes_before + 1))

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and "job_id" in request.parameters["Key"] and next(left) == writes_before:
            store.around = None
            change()
        return send()

    store.around = around
