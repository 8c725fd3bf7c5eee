"""Asking for a job in one transaction with what it is about: both are written, or neither is.

```
 caller's writes   their conditions hold? ─┐ one transaction
 job               created, joined, raised ─┴─ another was first at the job: looked at anew, and tried again
```
So nothing is lost between the two: whoever claims the job afterwards finds what was written with it, and who had
claimed it before runs it once more.
"""

from collections.abc import Callable
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model.job import Job, Spec
from sluice.jobs.queue.enqueue import Enqueued, enqueue
from sluice.platform import tables


class NotWritten(Exception):  # noqa: N818 - an answer: somebody else was first
    """A condition of the caller's own writes did not hold; nothing was written, and nothing asked for.

    items: for each of the caller's writes, in the order of `tables.reasons`, what was there, raw; None for one that
        could be done, and for one that found nothing.
    """

    def __init__(self, items: list[dict[str, Any] | None]) -> None:
        super().__init__("what was to be written with the job could not be")
        self.items = items


def enqueue_with(spec: Spec, now: int, others: Callable[[TransactWrite], None]) -> Enqueued:
    """`enqueue`, in one transaction with the writes that `others` adds. `others` may be called several times.

    Raises:
        NotWritten: a condition of `others` did not hold.
        Contention, UnknownKind, ValueError: as `enqueue`.
    """

    def write(job_id: str, actions: list[Update], condition: Condition) -> None:
        place = 0

        def fill(transaction: TransactWrite) -> None:
            nonlocal place
            transaction.update(Job(job_id), actions, condition, return_values="ALL_OLD")
            others(transaction)
            place = tables.place_of_updates(transaction)

        try:
            tables.transact(fill)
        except tables.ConditionFailed as failed:
            rest = tables.reasons(failed)
            job = rest.pop(place) if rest else None
            if any(one and one.code == "ConditionalCheckFailed" for one in rest):
                raise NotWritten([one.raw_item if one else None for one in rest]) from failed
            raise tables.ConditionFailed(job.raw_item if job else None) from failed

    return enqueue(spec, now, write=write)
