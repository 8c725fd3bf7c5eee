"""Requests that come while a job runs: who asked, and who pays for the run that follows; and who pays in general."""

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.jobs.model.job import MOST_ASKERS, Job
from sluice.platform.attributes import still
from sluice.platform.config.document import Config

# What a job knows of a request that came while it ran.
REQUEST = (Job.rerun, Job.rerun_payload, Job.rerun_askers, Job.rerun_payer, Job.rerun_priorities, Job.rerun_held)


def askers(names: set[str], payer: str) -> Update:
    """Who asks for the run."""
    return Job.askers.remove() if names == {payer} else Job.askers.set(names)


def joined(job: Job, asked: Job | None) -> set[str]:
    """Who asks for the run with those who, as `asked` knows, asked while it ran: as many as there is room for."""
    present = job.asked_by()
    later = sorted(((asked.rerun_askers if asked else None) or set()) - present)
    return present | set(later[: max(0, MOST_ASKERS - len(present))])


def request(job: Job | None) -> list[object]:
    """The request that came while the job ran, to be compared with another."""
    names = ("rerun", "rerun_askers", "rerun_payer", "rerun_priorities", "rerun_held")
    return [getattr(job, name) if job else None for name in names]


def as_asked(job: Job | None) -> Condition:
    """The request that came while the job ran is the one that `job` knows; with None, there is none."""
    if job is None:
        return Job.rerun.does_not_exist()
    same: Condition = Job.rerun == job.rerun
    for attribute in (Job.rerun_askers, Job.rerun_payer, Job.rerun_priorities, Job.rerun_held):
        same &= still(attribute, getattr(job, attribute.attr_name))
    return same


def moved(job: Job, tenant: str) -> list[Update]:
    """The writes by which `tenant` pays for the work of `job` from now on. It is counted where it began."""
    account, budget = account_of(job, tenant)
    counted = job.counted or job.tenant
    return [
        Job.tenant.set(tenant),
        Job.account.set(account),
        Job.budget.set(budget),
        Job.counted.remove() if counted == tenant else Job.counted.set(counted),
    ]


def account_of(job: Job, tenant: str) -> tuple[str, str]:
    """The account and the budget of `tenant` that can do the work of `job`."""
    if tenant == job.tenant:
        return job.account, job.budget
    return keys.account(keys.marketplace_of(job.account), tenant), keys.budget_of_another(job.budget, tenant)


def lane_at(job: Job, tenant: str, priority: int, config: Config) -> str:
    """The lane in which `job` waits while `tenant` pays for it, who wants it with `priority`."""
    account, budget = account_of(job, tenant)
    there = Job(job.job_id, account=account, budget=budget, priority=priority)
    return there.home(config.limits[keys.service_of(budget)].shards)


def backs_off(job: Job) -> bool:
    """Whether the job that waits has failed, whatever account it ran on: another account does not cut that short."""
    return bool(job.history) and job.history[-1]["event"] == "retry"
