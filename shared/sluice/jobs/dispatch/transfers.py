"""Work that waits for an account that cannot run it: it goes to another who asked for it, or ends after a week.

```
 each tick   lanes of accounts that are not ACTIVE ─► the next few jobs of each, in turn
               another asker's account works ───────► the job waits in the lane of the most urgent, at its charge
               the lane has been held for a week ───► the job ends: a dead letter for each who asked, and the event
               neither ─────────────────────────────► it waits: connect the account again, then it runs
             lanes with shared jobs whose calls are closed, or used up, for a while yet
               another asker's account works, and has calls ─► the job waits in the lane of the most urgent, at its
                                                               charge; of one less urgent than its payer, after
                                                               `hand_over_ms`
               nobody's does ───────────────────────► it waits until there are calls again
```
A job is handed on at most once in each closing: only from an account that is closed for longer than `hand_over_ms` to
one that is open. Where the walk through a lane is, and since when it is held, stands on the lane's mark. Only jobs that
wait and have not begun are touched: what a marketplace may have been asked for already must be checked with the account
that asked.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.dispatch.explain import MISSING
from sluice.jobs.dispatch.openings import Budgets
from sluice.jobs.dispatch.snapshot import Snapshot, Statuses, Working
from sluice.jobs.model import history, keys
from sluice.jobs.model.dead_letters import dead_letters_of
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import QUEUED, TRANSITIONS
from sluice.jobs.queue import claim, lanes, urgency
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.rerun import backs_off, lane_at, moved
from sluice.platform import tables
from sluice.platform.attributes import still
from sluice.platform.clock import DAY, ttl
from sluice.platform.config.document import Config
from sluice.platform.observe import logger

# Jobs of a lane that one tick reads.
MOST = 25
# Later than any job is due: those that back off are read too.
EVER = 10**15
CODE = "account_not_working"
CLOSED = "budget_closed"


@dataclass
class Moved:
    """What one tick did: jobs that went over to another asker, and jobs that ended."""

    transferred: int = 0
    abandoned: int = 0


def sweep(snapshot: Snapshot, marked: Iterable[Lane]) -> Moved:
    """Move on some jobs of each of the `marked` lanes whose account cannot run them."""
    done, budgets_ = Moved(), Budgets(snapshot)
    waiting = [lane for lane in marked if not keys.is_poll_lane(lane.lane)]
    status = _status(waiting, snapshot.accounts.statuses)
    for lane in waiting:
        try:
            if status[lane.lane] != "ACTIVE":
                _sweep(lane, snapshot, budgets_, done)
            elif lane.shared_at is not None and budgets_.closed_long(lane):
                _hand_over(lane, snapshot, budgets_, done)
            elif lane.held_since is not None or lane.swept is not None:
                lanes.note(lane, None, None)
        except Exception:  # noqa: BLE001 - the other lanes have their turn, and this one with the next tick
            logger.exception("work of an account that cannot run it could not be moved", extra={"lane": lane.lane})
    return done


def _status(marked: Iterable[Lane], statuses: Statuses) -> dict[str, str]:
    """The status of the account of each of these lanes, for the calls of its service."""
    by_service: dict[str, list[str]] = defaultdict(list)
    for lane in marked:
        by_service[keys.service_of(keys.lane_budget(lane.lane))].append(lane.lane)
    found: dict[str, str] = {}
    for service, names in by_service.items():
        known = statuses({keys.lane_account(name) for name in names}, service)
        found |= {name: known.get(keys.lane_account(name), MISSING) for name in names}
    return found


def _sweep(lane: Lane, snapshot: Snapshot, budgets_: Budgets, done: Moved) -> None:
    """Move on jobs of an account that does not work, and end those for which it has not for a week."""
    now, config = snapshot.now, snapshot.config
    held_since = lane.held_since if lane.held_since is not None else now
    here, rest = _next_jobs(lane)
    heirs = _heirs(here, snapshot.accounts.working)
    for job in here:
        able = heirs.get(job.job_id, [])
        # One whose calls are used up too is better than an account that does not work: it will have some again.
        if heir := next((one for one in able if budgets_.is_open(job, one)), next(iter(able), None)):
            why = "the account that was to run it does not work; another that asked for it runs it"
            done.transferred += _transfer(job, heir, snapshot, CODE, why)
        elif now - max(held_since, job.created_at) >= config.engine.broken_ms:
            done.abandoned += _abandon(job, now, config)
    if held_since != lane.held_since or rest != lane.swept:
        lanes.note(lane, held_since, rest)


def _hand_over(lane: Lane, snapshot: Snapshot, budgets_: Budgets, done: Moved) -> None:
    """Move on jobs of an account that works, and whose calls are closed or used up for a while yet."""
    here, rest = _next_jobs(lane)
    heirs, closed_long = _heirs(here, snapshot.accounts.working), budgets_.closed_long(lane, as_urgent=False)
    for job in here:
        wanted = urgency.asked(job)
        # Who wants it less urgently waits for a while: a person waits there, and would then wait in its background.
        long = closed_long or snapshot.now - job.created_at > snapshot.config.engine.hand_over_ms
        able = [one for one in heirs.get(job.job_id, []) if long or wanted[one] >= job.priority]
        if heir := next((one for one in able if budgets_.is_open(job, one)), None):
            why = "the account that was to run it has no calls for a while; another that asked for it runs it"
            if _transfer(job, heir, snapshot, CLOSED, why):
                done.transferred += 1
                budgets_.take(job, heir)
    if lane.held_since is not None or rest != lane.swept:
        lanes.note(lane, None, rest)


def _next_jobs(lane: Lane) -> tuple[list[Job], dict[str, Any] | None]:
    """The next jobs of the lane that wait there and have not begun, and where those behind them begin."""
    page = claim.page(lane.lane, EVER, MOST, lane.swept)
    jobs = list(Job.batch_get([one.job_id for one in page.found], consistent_read=True)) if page.found else []
    return [job for job in jobs if job.state == QUEUED and job.lane == lane.lane and not job.begun], page.rest


def _heirs(jobs: Iterable[Job], working: Working) -> dict[str, list[str]]:
    """For each of `jobs` of one lane the other askers whose accounts work, the most urgent first."""
    others = {job.job_id: [one for one in urgency.most_urgent(urgency.asked(job)) if one != job.tenant] for job in jobs}
    some = next(iter(jobs), None)
    if some is None or not any(others.values()):
        return {}
    marketplace, service = keys.marketplace_of(some.account), keys.service_of(some.budget)
    able = working({keys.account(marketplace, one) for askers in others.values() for one in askers}, service)
    return {
        job_id: [one for one in askers if keys.account(marketplace, one) in able] for job_id, askers in others.items()
    }


def _transfer(job: Job, heir: str, snapshot: Snapshot, code: str, why: str) -> int:
    """Let the account of `heir` run the job, as urgently as it asked. 0 when somebody has changed it meanwhile.

    code, why: for the job's timeline, which all see who asked for it: it names none of them.
    """
    now, config = snapshot.now, snapshot.config
    wanted = urgency.asked(job)
    lane = lane_at(job, heir, wanted[heir], config)
    lanes.mark(lane, now, shared=True)
    entry: history.Entry = {"at": now, "event": "transfer", "attempt": job.attempts, "code": code, "message": why}
    actions = [
        *moved(job, heir),
        *urgency.writes(wanted, heir),
        Job.lane.set(lane),
        Job.due_at.set(_due_at(job, now)),
        Job.history.set(history.add(job.history or [], entry)),
        Job.updated_at.set(now),
    ]
    try:
        tables.update(Job, (job.job_id,), actions, _as_read(job), token=Job.ask_token)
    except tables.ConditionFailed:
        return 0
    return 1


def _due_at(job: Job, now: int) -> int:
    """When the job is tried on its new account: at once, unless it failed and backs off."""
    return job.due_at or now if backs_off(job) else min(job.due_at or now, now)


def _abandon(job: Job, now: int, config: Config) -> int:
    """End the job; 0 when somebody has changed it meanwhile."""
    days = config.engine.broken_ms / DAY
    message = f"its account has not worked for {days:g} days; connect the account again, then ask for this anew"
    error = {"code": CODE, "message": message, "at": now}
    entry: history.Entry = {"at": now, "event": "abandon", "attempt": job.attempts, "code": CODE, "message": message}
    events = history.add(job.history or [], entry)
    actions: list[Update] = [
        Job.state.set(TRANSITIONS["abandon"].target),
        Job.lane.remove(),
        Job.due_at.remove(),
        Job.priorities.remove(),
        Job.error.set(error),
        Job.history.set(events),
        Job.updated_at.set(now),
        Job.expires_at.set(ttl(now + config.engine.retention_ms)),
    ]

    def write(transaction: TransactWrite) -> None:
        transaction.update(Job(job.job_id), actions, _as_read(job))
        for one in dead_letters_of(job, error, events, now, config.engine.dead_letter_retention_ms):
            transaction.save(one)

    try:
        tables.transact(write)
    except tables.ConditionFailed:
        return 0
    return 1


def _as_read(job: Job) -> Condition:
    # Its lane says whose account is to run it.
    unchanged: Condition = (
        (Job.state == QUEUED)
        & (Job.lease == job.lease)
        & (Job.lane == job.lane)
        & still(Job.askers, job.askers)
        & still(Job.priorities, job.priorities)
        & Job.begun.does_not_exist()
    )
    return unchanged
