"""Taking back what lost workers had: jobs whose lease is over, and items that are no jobs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch.snapshot import Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import LeaseOver
from sluice.jobs.queue import claim, finish, starts, unreadable
from sluice.platform.config.document import Config
from sluice.platform.observe import logger

THREADS = 16
MOST_RESCUES = 1_000


@dataclass
class TakenBack:
    """How many jobs were rescued, how many of these and of others were buried, and how many could not be taken back."""

    rescued: int = 0
    buried: int = 0
    errors: int = 0


def take_back(snapshot: Snapshot) -> TakenBack:
    """Rescue every job whose lease is over."""
    done = TakenBack()

    def one(job_id: str) -> TakenBack:
        try:
            job = _rescued(Job.get(job_id, consistent_read=True), snapshot)
            return TakenBack(rescued=1, buried=int(job.lane is None))
        except (LeaseOver, Job.DoesNotExist):
            return TakenBack()  # its worker came back, or another tick rescued it
        except Exception:  # noqa: BLE001
            if buried := discard(job_id, snapshot.now, snapshot.config):
                return TakenBack(buried=buried)
            logger.exception("a job could not be rescued", extra={"job_id": job_id})
            return TakenBack(errors=1)

    with ThreadPoolExecutor(THREADS) as pool:
        for part in pool.map(one, _over(snapshot.now)):
            done.rescued += part.rescued
            done.buried += part.buried
            done.errors += part.errors
    return done


def _over(now: int) -> Iterator[str]:
    """The keys of jobs whose lease is over, and of what else stands among them."""
    for lane in keys.leased_lanes():
        found, broken = claim.due(lane, now, MOST_RESCUES)
        yield from (candidate.job_id for candidate in found)
        yield from broken


def _rescued(job: Job, snapshot: Snapshot) -> Job:
    """Queue the job whose lease is over again. What was reserved for a batch that nobody started goes back."""
    now, config = snapshot.now, snapshot.config
    if (job.due_at or 0) > now or not starts.withdraw(job, now):
        return finish.rescue(job, now, config)
    # When it was claimed. It may have been asked for since, and the configuration may have changed.
    claimed_at = min(job.updated_at, (job.due_at or 0) - config.engine.lease_ms)
    after = finish.rescue(job, now, config, started=False)
    known = snapshot.accounts.applications({job.account}) if keys.is_shared(job.budget) else {}
    budget = keys.charged_to(job.budget, known.get(job.account))
    limits = config.limits[keys.service_of(budget)]
    ledger.give_back(budget, limits, Window.of(budget, claimed_at), job.reserved or 0)
    return after


def discard(job_id: str, now: int, config: Config) -> int:
    """How many jobs were buried: 1 when the item cannot be read, else 0."""
    reason = unreadable.discard(job_id, now, config)
    if reason:
        logger.error("an item that is not a job became a dead letter", extra={"job_id": job_id, "reason": reason})
    return int(reason is not None)
