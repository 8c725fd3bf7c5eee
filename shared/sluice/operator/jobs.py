"""One job for the one who asked for it: what it is, and why it waits."""

from urllib.parse import quote, unquote

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch.explain import MISSING, Wait, explain, held
from sluice.jobs.dispatch.fair_order import standing
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.queue import cancel
from sluice.jobs.queue.cancel import Cancelled
from sluice.marketplaces.accounts import table as accounts
from sluice.operator import views
from sluice.platform.config.document import Config


def spellings(text: str) -> list[str]:
    """The job ids that `text`, from a URL's path, can mean; the likeliest first.

    An id has percent-quoted parts. On its way to us it may have been escaped as a whole (as it should be), or not, and
    unescaped by the gateway, or not. So it arrives as it is, escaped once more, or with its parts unquoted.
    """
    parts = ":".join(quote(part, safe="") for part in text.split(":"))
    return [one for one in dict.fromkeys((text, unquote(text), parts)) if keys.is_job_id(one)]


def show(text: str, tenant: str, now: int, config: Config) -> views.JobDetail | None:
    """The job, if `tenant` asked for it."""
    job = next((job for one in spellings(text) if (job := cancel.find(one, tenant))), None)
    return views.detail(job, why(job, now, config), tenant, config) if job else None


def withdraw(text: str, tenant: str, now: int, config: Config) -> tuple[str, Cancelled]:
    """Take back `tenant`'s request for the job; the job's id, and what that did."""
    for job_id in spellings(text):
        done = cancel.cancel(job_id, tenant, now, config)
        if done is not Cancelled.UNKNOWN:
            return job_id, done
    return text, Cancelled.UNKNOWN


def why(job: Job, now: int, config: Config) -> Wait:
    """Why `job` is where it is: two reads, of its account and its budget."""
    budget = accounts.budget_of(job.account, job.budget)
    usage = ledger.read(budget, now)
    status = accounts.statuses({job.account}, keys.service_of(job.budget)).get(job.account, MISSING)
    hold = held(job.account, status, budget, job.kind, usage, config, now)
    rank = standing(Candidate.of(job), now, config.age_limit_ms)
    return explain(job.state, job.due_at, rank, hold, usage, budget, config, now, job.tenant)
