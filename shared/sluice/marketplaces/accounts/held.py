"""Whether an account can run others' work now: what decides that a shared job goes to another asker's account."""

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch.explain import Gate, held
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue.enqueue import Held
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.item import Status
from sluice.platform.config.document import Config


def account_held(now: int, config: Config) -> Held:
    """Whether the account that is to run a shared job cannot, or not soon: then the next asker's takes it over."""

    def check(job: Job) -> bool:
        service = keys.service_of(job.budget)
        if job.account not in accounts.working({job.account}, service):
            return True
        budget = accounts.budget_of(job.account, job.budget)
        usage = ledger.read(budget, now)
        if held(Gate(job.account, Status.ACTIVE, budget, usage), job.kind, config, now):
            return True
        manual = job.lane is not None and keys.lane_priority(job.lane) == str(keys.MANUAL)
        return manual and usage.crowded(config.limits[service], now)

    return check
