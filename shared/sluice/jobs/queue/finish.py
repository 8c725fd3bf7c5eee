"""How a run ends. Each write is conditional on the lease number: a late worker cannot finish somebody else's run.

The functions take the job as the claim returned it, and return it as it is afterwards.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import history, keys, kinds
from sluice.jobs.model.dead_letters import DeadLetter, dead_letters_of
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, LeaseOver, Then, Waiting
from sluice.jobs.model.states import LEASED, TRANSITIONS
from sluice.jobs.queue import lanes, rerun, urgency
from sluice.jobs.queue.rerun import lane_at, moved
from sluice.jobs.queue.urgency import Asked
from sluice.platform import tables
from sluice.platform.clock import ttl
from sluice.platform.config.document import Config

# What an error's message may take on the item; the whole of it is in the log.
MESSAGE_CHARACTERS = 200


def heartbeat(job: Job, now: int, lease_ms: int) -> Job:
    """Keep the job for another `lease_ms`.

    Raises:
        LeaseOver: it belongs to somebody else, or nobody, by now. Like every function here.
    """
    return _write(job, [Job.due_at.set(now + lease_ms), Job.updated_at.set(now)])


def begin(job: Job, payload: dict[str, Any], now: int) -> Job:
    """Keep `payload` before the marketplace is asked for something that must not be done twice.

    From here on the job cannot be cancelled: whoever runs it next finds out first what became of it.
    """
    return _write(job, [Job.payload.set(payload), Job.begun.set(True), Job.updated_at.set(now)])


def complete(job: Job, result: dict[str, Any], now: int, config: Config) -> Job:
    """The work is done. If it was asked for again while it ran, it is queued once more."""

    def writes(asked: Job | None) -> list[Update]:
        done = [Job.result.set(result), Job.error.remove()]
        if asked is None:
            return [*_leave("complete", now, config), *done]
        return [*_again(job, asked, now, config), *done, Job.history.set(_events(job, "rerun", now))]

    return _end(job, writes)


def _again(job: Job, asked: Job, now: int, config: Config) -> list[Update]:
    """The writes of a rerun: from the start, as it was last asked for, for those who asked and at their charge.

    asked: the job with the request for it.
    """
    wanted = urgency.asked_again(asked)
    payer = urgency.pays_again(asked)
    return [
        *_queue_at(payer, wanted[payer], job, "rerun", now, now, config, shared=len(wanted) > 1),
        rerun.askers(set(wanted), payer),
        *urgency.writes(wanted, payer),
        Job.attempts.set(0),
        Job.created_at.set(now),
        Job.payload.set(Job.rerun_payload | Job.payload),
        *(attribute.remove() for attribute in (*rerun.REQUEST, Job.begun)),
    ]


def fail(job: Job, failure: Failure, now: int, config: Config, chance: float) -> Job:
    """The run did not succeed: retry, snooze or bury, as `failure.action` and the attempts left say.

    chance: of the jitter, in [0, 1).
    """
    kind = kinds.get(job.kind)
    if failure.action is Then.SNOOZE:
        return snooze(job, failure, max(now, failure.retry_at or now), now, config)
    if failure.action is Then.RETRY and job.attempts < kinds.most_attempts(job.kind, config):
        if times := kinds.timetable(job.kind, config):
            # From when this attempt was begun: the time that it took must not put off all that follow.
            at = max(job.updated_at + times.delay(job.attempts), now)
        else:
            at = now + kind.backoff.delay(job.attempts, chance)
        return _requeue(job, "retry", failure, max(at, failure.retry_at or at), now, config)
    return bury(job, failure, now, config)


def snooze(job: Job, failure: Failure, until: int, now: int, config: Config, condition: Condition | None = None) -> Job:
    """The job was not really tried: it comes back at `until` with the attempt it had."""
    return _requeue(job, "snooze", failure, until, now, config, _unused_attempt(job), condition=condition)


def rescue(job: Job, now: int, config: Config, *, started: bool = True) -> Job:
    """The lease ran out: its worker is gone. Queue the job again, or bury it when it has killed too many workers.

    started: its batch was started, so that it may have been tried. If not, it comes back with the attempt it had.
    """
    over = Job.due_at <= now
    if not started:
        unstarted = Failure("no worker took this job before its lease ran out", code="not_started")
        return snooze(job, unstarted, now, now, config, over)
    lost = Failure("the worker that ran this job stopped without a word; its lease ran out", code="lease_expired")
    if job.attempts >= kinds.most_attempts(job.kind, config):
        return bury(job, lost, now, config, over)
    return _requeue(job, "rescue", lost, now, now, config, condition=over)


def wait(job: Job, waiting: Waiting, now: int, config: Config) -> Job:
    """The marketplace works on it: it is checked again at `waiting.due_at`. No attempt is used up by waiting."""
    lane = keys.poll_lane(job.budget, job.account, job.job_id, _shards(job, config))
    lanes.mark(lane, now)
    actions = [
        Job.state.set(TRANSITIONS["wait"].target),
        Job.lane.set(lane),
        Job.due_at.set(waiting.due_at),
        Job.begun.set(True),
        _unused_attempt(job),
        Job.updated_at.set(now),
        *_released(),
    ]
    if waiting.payload is not None:
        actions.append(Job.payload.set(waiting.payload))
    return _write(job, actions)


def bury(job: Job, failure: Failure, now: int, config: Config, condition: Condition | None = None) -> Job:
    """The run is given up for good. The job and a dead letter for each who asked are written together, or none is.

    If the work was asked for again meanwhile, the job is queued for that; the letters of this run stay.
    """
    error = _error(failure, now)
    events = _events(job, "bury", now, failure)
    dead = dead_letters_of(job, error, events, now, config.engine.dead_letter_retention_ms)

    def writes(asked: Job | None) -> list[Update]:
        ended = _leave("bury", now, config) if asked is None else _again(job, asked, now, config)
        return [*ended, Job.error.set(error), Job.history.set(events)]

    return _end(job, writes, condition, dead)


def _requeue(
    job: Job,
    name: str,
    failure: Failure,
    at: int,
    now: int,
    config: Config,
    *more: Update,
    condition: Condition | None = None,
) -> Job:
    error, events = _error(failure, now), _events(job, name, now, failure)

    def writes(asked: Job | None) -> list[Update]:
        names = rerun.joined(job, asked)
        # What has not begun is still to be done from the start: whoever asked meanwhile is served by that same run.
        joined = failure.undone or (asked and not asked.begun)
        wanted = urgency.asked_in_all(job, asked, names if joined else set())
        long = now - job.created_at > config.engine.hand_over_ms
        payer = _payer(job, asked if joined else None, wanted, of_account=failure.of_account, long=long)
        due_at = now if failure.of_account and payer != job.tenant else at
        queued = _queue_at(payer, wanted[payer], job, name, due_at, now, config, shared=len(names) > 1)
        joins = _joined(job, asked, payer) if joined else []
        return [*queued, *joins, *urgency.writes(wanted, payer), Job.error.set(error), Job.history.set(events), *more]

    return _end(job, writes, condition)


def _payer(job: Job, asked: Job | None, wanted: Asked, *, of_account: bool, long: bool) -> str:
    """Who pays for the next attempt: the same as before, but for these.

    1. Who asked more urgently while it ran, and could run it then: not to wait in the lane of those who did not.
    2. Where the account of the payer cannot run it just now (`of_account`): who asked as urgently while it ran, or,
       where a person waits for it, another for whom one does.
    3. Where it has waited `long` besides: who wants it less urgently. Else an account with one 429 after the other
       might keep for ever what it has taken over.

    Not who wanted it more urgently before: it did not take it over since its account could not run it, and nothing
    here knows whether it can by now. It takes it over when it asks again; where the payer's account stays closed, a
    tick hands it over (`transfers`).
    """
    own, later = wanted[job.tenant], urgency.pays_again(asked) if asked and not asked.rerun_held else None
    if later and later in wanted and (wanted[later] > own or (of_account and wanted[later] == own)):
        return later
    if not of_account or job.begun:
        return str(job.tenant)
    others = urgency.most_urgent({one: wanted[one] for one in job.asked_by() - {job.tenant}})
    heirs = (one for one in others if wanted[one] == own == keys.MANUAL or (long and wanted[one] < own))
    return next(heirs, str(job.tenant))


def _joined(job: Job, asked: Job | None, payer: str) -> list[Update]:
    """The job as if it had not begun, as it was last asked for, and for those too who asked while it ran.

    So a request for a rerun stands only on a job that runs or has begun, where nobody can cancel or abandon it.
    """
    return [
        Job.payload.set(Job.rerun_payload | Job.payload),
        rerun.askers(rerun.joined(job, asked), payer),
        *(attribute.remove() for attribute in (*rerun.REQUEST, Job.begun)),
    ]


def _queue_at(
    payer: str, priority: int, job: Job, name: str, at: int, now: int, config: Config, *, shared: bool
) -> list[Update]:
    """Into the lane of the account of `payer`, who pays from now on, which is marked before.

    at: when it is due. shared: several have asked for it.
    """
    lane = lane_at(job, payer, priority, config)
    lanes.mark(lane, now, shared=shared)
    return [
        Job.state.set(TRANSITIONS[name].target),
        Job.lane.set(lane),
        Job.due_at.set(at),
        Job.updated_at.set(now),
        *_released(),
        *(moved(job, payer) if payer != job.tenant else []),
    ]


def _leave(name: str, now: int, config: Config) -> list[Update]:
    """Out of the index, for good."""
    return [
        Job.state.set(TRANSITIONS[name].target),
        Job.lane.remove(),
        Job.due_at.remove(),
        Job.priorities.remove(),
        Job.updated_at.set(now),
        Job.expires_at.set(ttl(now + config.engine.retention_ms)),
        *_released(),
    ]


def _unused_attempt(job: Job) -> Update:
    """The attempt is the job's once more that its claim has counted."""
    return Job.attempts.set(job.attempts - 1)


def _released() -> list[Update]:
    """The job belongs to no batch any more."""
    return [Job.claim_token.remove(), Job.reserved.remove()]


def _shards(job: Job, config: Config) -> int:
    return config.limits[keys.service_of(job.budget)].shards


def _own(job: Job, condition: Condition | None = None) -> Condition:
    """The fence: the job still runs, and under this lease."""
    own: Condition = (Job.state == LEASED) & (Job.lease == job.lease)
    return own if condition is None else own & condition


def _write(job: Job, actions: Sequence[Update]) -> Job:
    """A write in the middle of a run."""
    try:
        return tables.update(Job, (job.job_id,), actions, _own(job), token=Job.end_token)
    except tables.ConditionFailed as lost:
        raise _lease_over(job) from lost


def _end(
    job: Job,
    writes: Callable[[Job | None], list[Update]],
    condition: Condition | None = None,
    dead: Sequence[DeadLetter] = (),
) -> Job:
    """Write the end of a run, and its dead letters if there are any.

    `writes` is given the job with the request that came while it ran, if one did. That nobody has asked since is part
    of the condition, so no request is lost between looking and writing, nor who made it.
    """
    asked: Job | None = None
    while True:
        as_asked = rerun.as_asked(asked)
        own = _own(job, as_asked if condition is None else as_asked & condition)
        try:
            if not dead:
                return tables.update(Job, (job.job_id,), writes(asked), own, token=Job.end_token)
            _write_all(job, writes(asked), own, dead)
            return Job.get(job.job_id, consistent_read=True)
        except tables.ConditionFailed as lost:
            current = Job.from_raw_data(lost.item) if lost.item else _current(job)
            ours = current and (current.lease, current.state) == (job.lease, LEASED)
            if not ours or rerun.request(current) == rerun.request(asked):
                raise _lease_over(job) from lost
            asked = current


def _current(job: Job) -> Job | None:
    try:
        return Job.get(job.job_id, consistent_read=True)
    except Job.DoesNotExist:
        return None


def _write_all(job: Job, actions: list[Update], own: Condition, dead: Sequence[DeadLetter]) -> None:
    def write(transaction: TransactWrite) -> None:
        transaction.update(Job(job.job_id), actions, own)
        for one in dead:
            transaction.save(one)

    tables.transact(write)


def _lease_over(job: Job) -> LeaseOver:
    return LeaseOver(f"job {job.job_id} is no longer held under lease {job.lease}; this run's end is not written")


def _error(failure: Failure, now: int) -> dict[str, Any]:
    return {"code": failure.code, "message": _short(failure.message), "at": now}


def _short(message: str) -> str:
    """What the item keeps of a message; a longer one ends with a sign that it was cut."""
    return message if len(message) <= MESSAGE_CHARACTERS else f"{message[: MESSAGE_CHARACTERS - 1]}…"


def _events(job: Job, name: str, now: int, failure: Failure | None = None) -> list[history.Entry]:
    entry: history.Entry = {"at": now, "event": name, "attempt": job.attempts}
    if failure:
        entry |= {"code": failure.code, "message": _short(failure.message)}
    return history.add(job.history or [], entry)
