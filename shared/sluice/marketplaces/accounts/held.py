"""Whether an account can run work now: what decides that a shared job goes to another asker's account."""

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch.explain import MISSING, held
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue.enqueue import Held
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.config.document import Config


def account_held(now: int, config: Config) -> Held:
    """Whether the account that is to run a shared job cannot: then the next asker's takes it over."""

    def check(job: Job) -> bool:
        status = accounts.statuses({job.account}, keys.service_of(job.budget)).get(job.account, MISSING)
        budget = accounts.budget_of(job.account, job.budget)
        return held(job.account, status, budget, job.kind, ledger.read(budget, now), config, now) is not None

    return check
