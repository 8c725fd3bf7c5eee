"""What the worker function does with a delivery of SQS messages: each is one batch, and each stands alone."""

from collections.abc import Mapping
from itertools import count as count_from

from sluice.jobs.budgets import handed_out
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.queue.nudge import nudge, wake
from sluice.jobs.run import records
from sluice.jobs.run.messages import Batch, decode
from sluice.jobs.run.runner import Observe, Report, run_batch
from sluice.platform import sqs
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context
from sluice.platform.observe import count, logger
from sluice.platform.sqs import CorruptMessage

# Jobs of a batch that run at once: as many as keep every slot in use while answers take this long. More would share the
# same slots, and each would be finished later.
ANSWER_MS = 1_000
MOST_THREADS = 16

# How a run may end (`runner.Report.ends`), and the metric that counts it. JobsFailed: attempts that are tried again.
METRICS = {
    "completed": "JobsSucceeded",
    "queued": "JobsRerun",
    "waiting": "JobsWaiting",
    "retried": "JobsFailed",
    "snoozed": "JobsSnoozed",
    "dead": "JobsDead",
    "late": "JobsLate",
    "unwritten": "JobsUnwritten",
}


def work(messages: Mapping[str, str], context: Context, deadline: int) -> list[str]:
    """Run the batches in `messages` (body by message id) until `deadline` (epoch ms).

    Returns the ids of the messages that SQS must deliver again: those that failed for a reason outside the jobs.
    Delivering a batch twice is harmless: only the first delivery can start it.
    """
    started, total = context.now(), Report()
    reports, failed = sqs.consume(messages, lambda body: _one(body, context, deadline))
    for report in reports:
        total.add(report)
    counters = {**total.ends, "calls": total.calls}
    now = context.now()
    records.record(
        "worker", {"messages": len(messages), "ms": now - started, **counters}, counters, now, context.config
    )
    for end, number in total.ends.items():
        count(METRICS[end], number)
    if total.waited_for:
        nudge(now)
    for at in sorted(total.put_off):
        wake(at, now)
    return failed


def _one(body: str, context: Context, deadline: int) -> Report:
    batch = decode(body)
    limits = _limits(batch.budget, context.config)
    report = run_batch(batch, limits, context, deadline, _observing(batch, context), threads(limits))
    if batch.more:
        # What it has not needed is others' now; then there is room for certain.
        handed_out.retract(batch.budget, batch.calls - report.calls, batch.more)
        nudge(context.now())
    for job in report.newer:
        sqs.set_aside(body, f"job {job.job_id} is of version {job.version}, which this worker cannot read")
    return report


def _limits(budget: str, config: Config) -> Limits:
    service = keys.service_of(budget)
    try:
        return config.limits[service]
    except KeyError:
        raise CorruptMessage(f"unknown marketplace or service {service!r} in budget {budget!r}") from None


def threads(limits: Limits) -> int:
    """How many jobs of a batch run at once under `limits`."""
    return min(MOST_THREADS, ANSWER_MS // limits.pace + 1) if limits.pace else MOST_THREADS


def _observing(batch: Batch, context: Context) -> Observe:
    """Tells of each job that has ended. Half way it asks for what waits behind the batch, so that the slots go on."""
    ended, half = count_from(1), len(batch.jobs) // 2

    def observe(job: Job, failure: Failure | None) -> None:
        _observe(job, failure)
        if batch.more and next(ended) == half:
            nudge(context.now())

    return observe


def _observe(job: Job, failure: Failure | None) -> None:
    about = {"job_id": job.job_id, "account": job.account, "lease": job.lease, "attempt": job.attempts}
    if failure is None:
        logger.info("job done", extra={**about, "state": job.state})
    else:
        about |= {"state": job.state, "action": failure.action, "code": failure.code, "reason": failure.message}
        logger.warning(
            "job not done",
            extra=about,
            exc_info=failure.__cause__ if failure.code in ("handler_error", "unwritten") else None,
        )
