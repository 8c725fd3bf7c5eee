"""Running a batch: each job through its kind's handler, then its end written under its lease.

When one job learns that no other of the batch can fare better (a 429, a broken account, no calls left), the rest goes
back at once without a call.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import VERSION, Job
from sluice.jobs.model.outcomes import CannotSucceed, Failure, HandlerResult, LeaseOver, OutOfTime, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.model.states import LEASED, QUEUED, SUCCEEDED
from sluice.jobs.queue import finish, starts
from sluice.jobs.run.messages import Batch, newer
from sluice.platform.clock import SECOND
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context

# A call takes up to this long, so a job is not begun, nor a call started, closer to the end of the worker's time or of
# the job's lease.
CALL_MS = 25 * SECOND


@dataclass
class Report:
    """What became of a batch. `ends` counts jobs by their transition; `calls` were made.

    waited_for: manual jobs that are due again at once, for somebody who asked while they ran.
    put_off: when manual jobs are due that could not be done now, epoch ms.
    newer: jobs that this worker cannot read.
    """

    ends: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    waited_for: int = 0
    put_off: set[int] = field(default_factory=set)
    newer: list[Job] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Count what became of another batch too."""
        self.ends.update(other.ends)
        self.calls += other.calls
        self.waited_for += other.waited_for
        self.put_off |= other.put_off
        self.newer += other.newer


class EndUnwritten(Failure):
    """The run has ended, and the table did not take its end."""

    code = "unwritten"


# Told of each job whose run has ended, with the failure if it failed. For logs, metrics and events.
Observe = Callable[[Job, Failure | None], None]


def run_batch(
    batch: Batch,
    limits: Limits,
    context: Context,
    deadline: int,
    observe: Observe,
    threads: int,
    *,
    polling: bool = False,
    refusals: Refusals | None = None,
) -> Report:
    """Run the jobs of `batch`, `threads` at a time, until `deadline` (epoch ms, the end of the worker's own time).

    A batch that was delivered before is not run again: its jobs are `late`. polling: the jobs were waiting for an
    operation, and go on waiting where they could not be checked. refusals: what the process knows of them, where
    it runs several batches at once: none of them calls on a budget that has just refused another's call.
    """
    if not starts.start(batch.jobs[0], context.now()):
        return Report(ends=Counter(late=len(batch.jobs)))
    lease_end = min(job.due_at for job in batch.jobs)
    last_start = min(deadline, lease_end) - CALL_MS
    grant = Grant(
        batch.budget,
        limits,
        batch.window,
        batch.calls,
        context.clock,
        last_start,
        manual=batch.manual,
        refusals=refusals,
    )
    report, lock, turns, left = Report(), threading.Lock(), dict[str, threading.Lock](), dict[tuple[str, ...], object]()
    runs = [Run(job, grant, context, batch.jobs, turns, left) for job in batch.jobs]
    together = dict[str, HandlerResult | Exception]()

    def work(run: Run) -> HandlerResult:
        if run.job.job_id in together:
            return _told(together[run.job.job_id])
        if why_not := _hindrance(run, grant, last_start):
            raise why_not
        return kinds.get(run.job.kind).load()(run)

    def one(run: Run) -> None:
        job = run.job
        try:
            ended, failure = _run_one(run, work, grant, context.chance(), polling=polling)
        except Exception as error:  # noqa: BLE001 - its lease ends and it is rescued; the others go on
            ended, failure = None, EndUnwritten(f"{type(error).__name__} when the end of the run was written")
            failure.__cause__ = error
        with lock:
            report.ends[_transition(ended, failure)] += 1
            if ended and ended.state == QUEUED and ended.priority == keys.MANUAL:
                if ended.due_at <= context.now():
                    report.waited_for += 1
                else:
                    report.put_off.add(ended.due_at)
            if newer(job):
                report.newer.append(job)
        observe(ended or job, failure)

    try:
        together |= _run_together(runs, grant, last_start)
        if threads == 1:
            for run in runs:
                one(run)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(one, runs))
    finally:
        report.calls = grant.made
        grant.give_back()
    return report


def _hindrance(run: Run, grant: Grant, last_start: int) -> Failure | None:
    """Why the job may not be begun now; None if it may."""
    if newer(run.job):
        return CannotSucceed(f"job version {run.job.version}; this worker reads {VERSION}", code="newer_version")
    if stopped := grant.stopped:
        return stopped
    if run.clock.now() > last_start:
        return OutOfTime("this worker's time ends before the job could be done")
    return None


def _run_together(runs: Sequence[Run], grant: Grant, last_start: int) -> dict[str, HandlerResult | Exception]:
    """What became of those jobs whose kind takes all of a batch at once, by job id. Their ends are not written yet."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if kinds.runs_together(run.job.kind) and not _hindrance(run, grant, last_start):
            groups[run.job.kind].append(run)
    told: dict[str, HandlerResult | Exception] = {}
    for kind, group in groups.items():
        try:
            ends = kinds.get(kind).load_together()(group)
            told |= {run.job.job_id: end for run, end in zip(group, ends, strict=True)}
        except Exception as error:  # noqa: BLE001 - a fault in one handler must not take the batch with it
            told |= {run.job.job_id: error for run in group}
    return told


def _told(end: HandlerResult | Exception) -> HandlerResult:
    if isinstance(end, Exception):
        raise end
    return end


def _run_one(
    run: Run, work: Callable[[Run], HandlerResult], grant: Grant, chance: float, *, polling: bool
) -> tuple[Job | None, Failure | None]:
    """Run one job and write its end. (None, LeaseOver) when it was no longer ours to write."""
    job, clock, config = run.job, run.clock, run.config
    failure: Failure
    try:
        outcome = work(run)
        now = clock.now()
        if isinstance(outcome, Waiting):
            return finish.wait(job, outcome, now, config), None
        return finish.complete(job, outcome, now, config), None
    except Failure as known:
        failure = known
    except kinds.UnknownKind as unknown:
        failure = CannotSucceed(str(unknown), code="unknown_kind")
    except Exception as error:  # noqa: BLE001 - a fault in one handler must not take the batch with it
        failure = Failure(f"{type(error).__name__} in the handler of {job.kind}", code="handler_error")
        failure.__cause__ = error
    if isinstance(failure, LeaseOver):
        return None, failure
    if failure.whole_batch:
        grant.halt(failure)
    try:
        now = clock.now()
        if polling and failure.action is Then.SNOOZE:
            return finish.wait(job, Waiting(max(now, failure.retry_at or now)), now, config), failure
        return finish.fail(job, failure, now, config, chance), failure
    except LeaseOver as late:
        return None, late
    except kinds.UnknownKind:
        return finish.bury(job, failure, clock.now(), config), failure


def _transition(ended: Job | None, failure: Failure | None) -> str:
    if ended is None:
        return "unwritten" if isinstance(failure, EndUnwritten) else "late"
    if failure is None:
        # Where the answer was lost, the job may run again by the time we know that its end was written.
        return {SUCCEEDED: "completed", LEASED: "queued"}.get(ended.state, ended.state)
    if failure.action is Then.SNOOZE:
        return "snoozed"
    return "dead" if ended.lane is None else "retried"
