"""A due job as the index shows it. Pure."""

from typing import TYPE_CHECKING, NamedTuple

from sluice.jobs.model.keys import MANUAL

if TYPE_CHECKING:
    from sluice.jobs.model.job import Job


class Candidate(NamedTuple):
    """A due job as the index shows it: enough to decide whether to admit it."""

    job_id: str
    lane: str
    kind: str
    state: str
    due_at: int
    priority: int
    calls: int
    tenant: str
    account: str
    created_at: int

    @classmethod
    def of(cls, job: "Job") -> "Candidate":
        """What the index shows of `job`."""
        return cls(
            job_id=job.job_id,
            lane=job.lane or "",
            kind=job.kind,
            state=job.state,
            due_at=job.due_at or 0,
            priority=job.priority,
            calls=job.calls,
            tenant=job.tenant,
            account=job.account,
            created_at=job.created_at,
        )

    @property
    def manual(self) -> bool:
        """Whether a person waits for it. Age makes no job manual, only as high."""
        return self.priority == MANUAL
