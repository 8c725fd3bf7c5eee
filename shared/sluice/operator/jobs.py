"""One job for the one who asked for it: what it is, and why it waits."""

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch.explain import MISSING, Gate, Position, Wait, explain, held
from sluice.jobs.dispatch.fair_order import standing
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.queue import cancel
from sluice.jobs.queue.cancel import Cancelled
from sluice.marketplaces.accounts import table as accounts
from sluice.operator import views
from sluice.platform.config.document import Config


def show(text: str, tenant: str, now: int, config: Config) -> views.JobDetail | None:
    """The job, if `tenant` asked for it."""
    job = cancel.find_by_path(text, tenant)
    return views.detail(job, why(job, now, config), tenant, config) if job else None


def withdraw(text: str, tenant: str, now: int, config: Config) -> tuple[str, Cancelled]:
    """Take back `tenant`'s request for the job; the job's id, and what that did."""
    job = cancel.find_by_path(text, tenant)
    return (job.job_id, cancel.cancel(job.job_id, tenant, now, config)) if job else (text, Cancelled.UNKNOWN)


def why(job: Job, now: int, config: Config) -> Wait:
    """Why `job` is where it is: two reads, of its account and its budget."""
    budget = accounts.budget_of(job.account, job.budget)
    usage = ledger.read(budget, now)
    status = accounts.statuses({job.account}, keys.service_of(job.budget)).get(job.account, MISSING)
    gate = Gate(job.account, status, budget, usage)
    rank = standing(Candidate.of(job), now, config.engine.age_limit_ms)
    position = Position(job.state, job.due_at, rank, job.tenant)
    return explain(position, held(gate, job.kind, config, now), gate, config, now)
