"""What the scheduler hands to a worker: a batch of claimed jobs of one account, as one SQS message."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.job import VERSION, Job, read
from sluice.jobs.model.keys import MANUAL
from sluice.platform.clock import HOUR
from sluice.platform.sqs import CorruptMessage

MESSAGE_VERSION = 1


class Batch(NamedTuple):
    """Claimed jobs of one account and the calls reserved for them in `window` of `budget`, which is charged.

    after_ms: how long nobody needs to see the message, because the slots are others' until then. It is no part of it.
    more: manual work waits behind this batch, or would if it came now: whoever runs it asks the scheduler for it. It is
        by how much each of its calls has moved the clock of manual work, in ms; 0 where none waits.
    """

    account: str
    budget: str
    window: Window
    calls: int
    jobs: tuple[Job, ...]
    after_ms: int = 0
    more: int = 0

    @classmethod
    def of(cls, jobs: Sequence[Job], window: Window, calls: int, budget: str | None = None) -> "Batch":
        """The batch of `jobs`, all of one account. budget: what is charged, if not what the jobs are stored with."""
        return cls(jobs[0].account, budget or jobs[0].budget, window, calls, tuple(jobs))

    @property
    def manual(self) -> bool:
        """Whether a person waits for its jobs, or for one of them."""
        return any(job.priority == MANUAL for job in self.jobs)

    def encode(self) -> str:
        """The message body."""
        body = {
            "version": MESSAGE_VERSION,
            "account": self.account,
            "budget": self.budget,
            "window": self.window.hour_start,
            "calls": self.calls,
            "more": self.more,
            "jobs": [job.to_dynamodb_dict() for job in self.jobs],
        }
        return json.dumps(body, separators=(",", ":"))


def decode(body: str) -> Batch:
    """The batch that `body` holds.

    Raises:
        CorruptMessage: it cannot be read. Nothing of it is run.
    """
    try:
        data = json.loads(body)
        if data["version"] != MESSAGE_VERSION:
            raise CorruptMessage(f"message version {data['version']!r}; this worker reads {MESSAGE_VERSION}")
        jobs = tuple(read(item) for item in data["jobs"])
        budget, hour = str(data["budget"]), int(data["window"])
        if hour % HOUR:
            raise CorruptMessage("not a batch of jobs: its window is not an hour")
        more = int(data.get("more", 0))
        batch = Batch(str(data["account"]), budget, Window.of(budget, hour), int(data["calls"]), jobs, more=more)
    except CorruptMessage:
        raise
    except Exception as error:
        raise CorruptMessage(f"not a batch of jobs: {type(error).__name__}: {error}") from error
    if not jobs or batch.calls < 0:
        raise CorruptMessage("not a batch of jobs: no jobs, or calls below 0")
    return batch


def newer(job: Job) -> bool:
    """Whether `job` was written by a version of Sluice that this one cannot read."""
    return job.version > VERSION
