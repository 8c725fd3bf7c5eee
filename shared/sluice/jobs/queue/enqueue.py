"""Enqueue: one conditional write, "no unfinished job has this key"; the answer says what happened.

```
 found            asked with                     outcome           the job then
 nothing, final   anything                       created           queued, due when asked
 queued           a higher priority, and the     raised            queued in the higher lane, due now
                  asker pays (it did already,
                  or takes the job over)
 queued           anything else                  merged            as it was, for one more asker; or on its account
 leased, waiting  anything                       rerun_requested   runs once more when this run is done
```
"""

from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import FORCE, MOST_ASKERS, Job, Spec
from sluice.jobs.model.states import FINAL, QUEUED
from sluice.jobs.queue import lanes, urgency
from sluice.jobs.queue.creation import CLOCK_SKEW_MS, creation, due_at_of, lane_of, of_earlier_runs, prepared, values_of
from sluice.jobs.queue.rerun import as_asked, backs_off, moved
from sluice.jobs.queue.urgency import Asked
from sluice.platform import races, tables
from sluice.platform.attributes import still

THREADS = 16


class Result(StrEnum):
    """What enqueue did."""

    CREATED = "created"
    MERGED = "merged"
    RAISED = "raised"
    RERUN_REQUESTED = "rerun_requested"


class Enqueued(NamedTuple):
    """The job that does the work, and what this request changed. moved: it went over to the asker's account."""

    job_id: str
    result: Result
    state: str
    moved: bool = False


# Whether a job's account or budget keeps it from running now, or other work that stands before it for a while: then
# another asker's account should take a shared job over.
Held = Callable[[Job], bool]


# Writes a job if the condition holds, or raises `ConditionFailed` with the job as it is.
Write = Callable[[str, list[Update], Condition], object]


def never_held(_: Job) -> bool:
    """No account is known to be kept from running."""
    return False


def _write(job_id: str, actions: list[Update], condition: Condition) -> None:
    tables.update(Job, (job_id,), actions, condition, token=Job.ask_token)


def enqueue(spec: Spec, now: int, held: Held = never_held, write: Write = _write) -> Enqueued:
    """Make sure that the work of `spec` is done at least once from now on.

    write: how the one write is made, where something else must be written with it (see `together`). It is made then
        also where the job stays as it is.

    Raises:
        UnknownKind: nobody has registered the kind.
        ValueError: a part of the key is missing or not one that there is; such a job would share another's lane or
            budget, or wait where nobody looks.
        Contention: others have changed the job again and again meanwhile. Ask again.
    """
    kind = kinds.get(spec.kind)
    for part in ("job_id", "tenant", "account", "budget"):
        if not getattr(spec, part):
            raise ValueError(f"a job needs {part}, and this one of kind {spec.kind!r} has none")
    if spec.priority not in keys.PRIORITIES.values():
        raise ValueError(f"unknown priority {spec.priority!r}; known are {sorted(keys.PRIORITIES.values())}")
    marketplace = keys.marketplace_of(spec.account)
    if marketplace not in kind.marketplaces or keys.service_of(spec.budget) != (kind.service or marketplace):
        known = ", ".join(sorted(kind.marketplaces)) or "none"
        known += f" and are charged to {kind.service}" if kind.service else ""
        raise ValueError(f"jobs of kind {spec.kind!r} run on {known}, not on {spec.account!r} with {spec.budget!r}")
    lanes.mark(lane_of(spec), now)
    try:
        return _create(spec, now, write)
    except tables.ConditionFailed as failed:
        found = failed
    race = races.Race(f"job {spec.job_id} changed hands while it was asked for")
    while True:
        job = Job.from_raw_data(found.item) if found.item else None
        try:
            if job is None or job.state in FINAL:
                return _create(spec, now, write, keep_askers=job is None or len(job.tenants or ()) < MOST_ASKERS)
            return _join(spec, job, now, held, write)
        except tables.ConditionFailed as failed:
            found = failed
            race.lost()


def enqueue_many(specs: Sequence[Spec], now: int, held: Held = never_held) -> list[Enqueued | Exception]:
    """`enqueue` for each of `specs`, in order. One that fails is answered with its error and stops no other.

    Those that are about the same are due at the same moment, a millisecond before the next: who reads some of a long
    lane finds them together, so that one call can answer them.
    """
    subjects = {
        subject: place for place, subject in enumerate(dict.fromkeys(keys.subject(one.job_id) for one in specs))
    }

    def one(spec: Spec) -> Enqueued | Exception:
        place = min(subjects[keys.subject(spec.job_id)], CLOCK_SKEW_MS // 2)
        try:
            return enqueue(replace(spec, due_at=max(spec.due_at, now - CLOCK_SKEW_MS + place)), now, held)
        except Exception as error:  # noqa: BLE001 - answered for this item; the others go on
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, specs))


def _create(spec: Spec, now: int, write: Write, *, keep_askers: bool = True) -> Enqueued:
    """Queue the job anew. Who asked for an earlier run may still look at it, as long as they are few."""
    values = values_of(spec, now)
    if write is _write and not spec.origin:
        tables.update_prepared(prepared(keep_askers), spec.job_id, values, token=Job.ask_token)
    else:
        actions, condition = creation(values, keep_askers=keep_askers)
        write(spec.job_id, [*actions, *of_earlier_runs(spec, now)], condition)
    return Enqueued(spec.job_id, Result.CREATED, QUEUED)


class _Joined(NamedTuple):
    """How a request is added to an unfinished job, beside what it asks to be done.

    payer: who pays for the run that it asks for. as_read: what must not have changed since the job was read.
    """

    result: Result
    payer: str
    actions: list[Update]
    as_read: Condition
    moved: bool = False


def _join(spec: Spec, job: Job, now: int, held: Held, write: Write) -> Enqueued:
    """Add this request to the unfinished `job`, which must still be as it was read."""
    # What has begun is finished as it was asked for; what comes after it is done in the run that follows.
    later = job.state != QUEUED or bool(job.begun)
    said = Job.rerun_payload if later else Job.payload
    asked = job.rerun_payload if later else job.payload
    before = {name: value for name, value in (asked or job.payload).items() if name in spec.kept}
    payload = {**before, **spec.payload}
    replaced = spec.replace and payload != asked
    again = job.state != QUEUED or (replaced and later)
    joined = _join_next(spec, job, held) if again else _join_waiting(spec, job, now, held)
    actions = list(joined.actions)
    if spec.tenant not in (job.tenants or ()) and len(job.tenants or ()) < MOST_ASKERS:
        actions.append(Job.tenants.add({spec.tenant}))
    if replaced:
        actions.append(said.set(payload))
    elif spec.origin:
        actions.append(Job.letter.set(spec.origin.letter))  # what is asked for now is newer than what the letter asks
    elif spec.payload != job.payload and spec.payload.get("force") and joined.payer == spec.tenant:
        forced = {name: spec.payload[name] for name in FORCE if name in spec.payload}
        actions.append(Job.payload.set({**job.payload, **forced}))
    if actions or write is not _write:
        as_read = (Job.state == job.state) & (Job.lease == job.lease) & (Job.priority == job.priority) & joined.as_read
        if replaced:
            as_read &= still(said, asked)
        write(spec.job_id, [*actions, Job.updated_at.set(now)], as_read)
    return Enqueued(spec.job_id, joined.result, job.state, joined.moved)


def _join_next(spec: Spec, job: Job, held: Held) -> _Joined:
    """`job` runs: ask for the run that follows."""
    wanted = urgency.with_more(urgency.asked_again(job), {spec.tenant: spec.priority})
    payer, able = _pays_next(spec, job, wanted, held)
    charged = _charged(spec, job, wanted, payer, able=able)
    return _Joined(Result.RERUN_REQUESTED, payer, charged, as_asked(None if job.rerun is None else job))


def _join_waiting(spec: Spec, job: Job, now: int, held: Held) -> _Joined:
    """`job` waits: join it as it is, raise it, or take it over."""
    if spec.tenant not in job.asked_by():
        lanes.mark(job.lane, now, shared=True)
    wanted = urgency.with_more(urgency.asked(job), {spec.tenant: spec.priority})
    takes_over = _takes_over(spec, job, wanted, held)
    payer = spec.tenant if takes_over else str(job.tenant)
    placed = _placed(spec, job, now, wanted, payer)
    # Who joins meanwhile wants it as urgently as the job was: where that changes, all of them must be known.
    as_asked_by = still(Job.askers, job.askers) if placed else _still_asked_by(spec, job)
    as_read = (Job.tenant == job.tenant) & still(Job.priorities, job.priorities) & as_asked_by
    result = Result.RAISED if wanted[payer] > job.priority else Result.MERGED
    return _Joined(result, payer, [*placed, *_asked(spec, job)], as_read, takes_over)


def _asked(spec: Spec, job: Job) -> list[Update]:
    """Note the asker of the run that waits, so that it hears what becomes of it."""
    askers = job.asked_by()
    if spec.tenant in askers or len(askers) >= MOST_ASKERS:
        return []
    return [Job.askers.add({job.tenant, spec.tenant} if job.askers is None else {spec.tenant})]


def _still_asked_by(spec: Spec, job: Job) -> Condition:
    """Those who asked for the run that waits have not all left it since `job` was read; nor has the asker."""
    if spec.tenant not in job.asked_by():
        unchanged: Condition = Job.job_id.exists() if job.askers is None else Job.askers.exists()
        return unchanged
    listed: Condition = Job.askers.contains(spec.tenant)
    return listed | Job.askers.does_not_exist() if spec.tenant == job.tenant else listed


def _pays_next(spec: Spec, job: Job, wanted: Asked, held: Held) -> tuple[str, bool]:
    """Who pays for the run that follows the present one, and whether that one's account can run it.

    The first who asked, unless somebody can run it who asks more urgently, or after one who cannot.
    wanted: by all who ask for that run, this request among them.
    """
    payer = spec.tenant if job.rerun is None else urgency.pays_again(job)
    able = job.rerun is not None and not job.rerun_held
    if able and (not spec.shared or wanted[spec.tenant] <= wanted[payer]):
        return payer, True
    return (payer, able) if spec.shared and held(_run_by(spec)) else (spec.tenant, True)


def _charged(spec: Spec, job: Job, wanted: Asked, payer: str, *, able: bool) -> list[Update]:
    """Note who asked for the run that follows the present one, how urgently, and that `payer` pays for it."""
    askers = job.rerun_askers or set()
    others = urgency.others(_remembered(spec, askers, wanted, payer), payer)
    return [
        Job.rerun.set(wanted[payer]),
        Job.rerun_priorities.set(others) if others else Job.rerun_priorities.remove(),
        *([Job.rerun_askers.add({spec.tenant})] if spec.tenant in askers or len(askers) < MOST_ASKERS else []),
        Job.rerun_payer.set(payer),
        Job.rerun_held.remove() if able else Job.rerun_held.set(True),
    ]


def _remembered(spec: Spec, askers: Set[str], wanted: Asked, payer: str) -> Asked:
    """`wanted` without this request, where `askers` are so many that only who pays is added to them."""
    if spec.tenant in {*askers, payer} or len(askers) < MOST_ASKERS:
        return wanted
    return {tenant: priority for tenant, priority in wanted.items() if tenant != spec.tenant}


def _run_by(spec: Spec) -> Job:
    return Job(job_id=spec.job_id, kind=spec.kind, account=spec.account, budget=spec.budget, lane=lane_of(spec))


def _takes_over(spec: Spec, job: Job, wanted: Asked, held: Held) -> bool:
    """Whether the queued `job` goes over to the asker's account: where that gains something, and it can run it.

    Who wants it less urgently takes nothing from an account that will run it soon: it would take the urgency from it.
    """
    if not spec.shared or spec.account == job.account or wanted[spec.tenant] < job.priority:
        return False
    gains = wanted[spec.tenant] > job.priority or held(job)
    return gains and not held(_run_by(spec))


def _placed(spec: Spec, job: Job, now: int, wanted: Asked, payer: str) -> list[Update]:
    """Where and when the queued `job` waits, now that `spec` is asked for too: nothing where that changes nothing."""
    takes_over, raised = payer != job.tenant, wanted[payer] > job.priority
    known = _remembered(spec, job.asked_by(), wanted, payer)
    actions: list[Update] = []
    if raised or takes_over:
        runner = spec if takes_over else job
        lane = keys.lane(runner.budget, runner.account, wanted[payer], spec.job_id, spec.lane_shards)
        lanes.mark(lane, now, shared=len(job.asked_by() | {spec.tenant}) > 1)
        actions.append(Job.lane.set(lane))
    if raised or takes_over or urgency.others(known, payer) != job.priorities:
        actions += urgency.writes(known, payer)
    if takes_over:
        actions += moved(job, spec.tenant)
    due_at = due_at_of(spec.due_at, now)
    # A background request does not cut a backoff short. It does bring forward what nobody has tried yet, and what has
    # only waited for the account, or the budget, that it leaves.
    waited_in_vain = takes_over and not backs_off(job)
    if due_at < job.due_at and (raised or waited_in_vain or job.error is None):
        actions.append(Job.due_at.set(due_at))
    return actions
