"""How urgently each of those who ask for a job wants it. Pure.

A job has the priority with which its payer has asked for it: what another wants sooner is sooner on that one's own
account, never on the payer's, whose own urgent work would wait behind it.

```
 asked for by                     payer    priority     priorities
 acme, as background              acme     background
 globex too, as manual, and its account
     can run it: it takes over    globex   manual       acme: background
     cannot                       acme     background   globex: manual
 globex no longer wants it        acme     background
```
"""

from collections.abc import Mapping, Set

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model.job import Job

# The priority with which each tenant has asked.
Asked = Mapping[str, int]


def asked(job: Job) -> dict[str, int]:
    """The priority of each who asked for the present run."""
    return {tenant: job.priority_for(tenant) for tenant in job.asked_by() | {job.tenant}}


def asked_again(job: Job) -> dict[str, int]:
    """The priority of each who asked, while the job ran, for the run that follows; empty where nobody did."""
    if job.rerun is None:
        return {}
    tenants = {*(job.rerun_askers or ()), pays_again(job)}
    return {tenant: (job.rerun_priorities or {}).get(tenant, job.rerun) for tenant in tenants}


def pays_again(job: Job) -> str:
    """Who pays for the run that follows."""
    # Sluice 0.1.0 did not note who asks: whoever paid so far goes on.
    return str(job.rerun_payer or job.tenant)


def asked_in_all(job: Job, again: Job | None, joining: Set[str]) -> dict[str, int]:
    """The priority of each who asked for the present run, and of those `joining` it, who asked while it ran.

    again: the job with the request that came while it ran, if one did.
    """
    present, later = asked(job), asked_again(again) if again else {}
    return with_more(present, {one: later[one] for one in later if one in present or one in joining})


def with_more(before: Asked, after: Asked) -> dict[str, int]:
    """Both together: who has asked twice is served as urgently as it ever asked."""
    return {tenant: max(before.get(tenant, 0), after.get(tenant, 0)) for tenant in before.keys() | after.keys()}


def most_urgent(wanted: Asked) -> list[str]:
    """Those who ask, the most urgent first, and equals by name."""
    return sorted(wanted, key=lambda tenant: (-wanted[tenant], tenant))


def others(wanted: Asked, payer: str) -> dict[str, int] | None:
    """What is stored of the askers of a job whose payer is `payer`: the priorities that are not the job's."""
    return {tenant: one for tenant, one in sorted(wanted.items()) if one != wanted[payer]} or None


def writes(wanted: Asked, payer: str) -> list[Update]:
    """The writes by which a job has the priority of its payer, and knows those of the others."""
    kept = others(wanted, payer)
    return [Job.priority.set(wanted[payer]), Job.priorities.set(kept) if kept else Job.priorities.remove()]
