"""What a handler's run came to, as values.

```
Failure                    the run did not succeed; `action` says what the engine does next
├── BudgetClosed           snooze, with the rest of the batch: the marketplace refuses calls until a time
├── BudgetEmpty            snooze, with the rest of the batch: the window has no calls left
├── OutOfTime              snooze, with the rest of the batch: the worker cannot start another call in its time
├── LeaseOver              the job belongs to somebody else by now; nothing is written
└── marketplaces.errors.*  what a marketplace answered
```
A handler that returns a dict succeeded, and the dict is the job's result. One that returns `Waiting` has started an
operation that must be checked again.
"""

from enum import StrEnum
from typing import Any, NamedTuple


class Then(StrEnum):
    """What the engine does with a failed run."""

    RETRY = "retry"  # try again after a backoff; uses up an attempt
    SNOOZE = "snooze"  # was not really tried; comes back at a time and uses up no attempt
    BUSINESS = "business"  # the marketplace refused this work for good
    FATAL = "fatal"  # trying again cannot help: our request, our data or our code is wrong


class Failure(Exception):  # noqa: N818 - the base of a tree whose leaves say what happened
    """A run that did not succeed.

    code: a stable word for machines (the marketplace's own code where it gave one). message: for a person; no secrets.
    retry_at: when to come back, epoch ms; None lets the engine choose. whole_batch: true where no other job of the same
    batch could fare better, so all of them go back at once. of_account: the account, or its budget, is the reason, so
    that another's may fare better. undone: what the run has begun has certainly not happened,
    so that the job may be cancelled, or asked for otherwise, until it is tried again.
    """

    action = Then.RETRY
    code = "failed"
    whole_batch = False
    of_account = False
    undone = False

    def __init__(self, message: str, *, code: str | None = None, retry_at: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.retry_at = retry_at


class CannotSucceed(Failure):
    """The work can never succeed as it was asked for."""

    action = Then.FATAL
    code = "refused"


class BudgetClosed(Failure):
    """The marketplace said to stop until `retry_at`."""

    action = Then.SNOOZE
    code = "budget_closed"
    whole_batch = True
    of_account = True


class BudgetEmpty(Failure):
    """The window has no calls left until `retry_at`."""

    action = Then.SNOOZE
    code = "budget_empty"
    whole_batch = True
    of_account = True


class OutOfTime(Failure):
    """The worker's own time ends before the next call could start."""

    action = Then.SNOOZE
    code = "out_of_time"
    whole_batch = True


class LeaseOver(Failure):
    """The job's lease ran out or was taken by another worker."""

    code = "lease_over"


class Waiting(NamedTuple):
    """The marketplace works on it: check again at `due_at` (epoch ms), with `payload` as what is known so far.

    payload: None where nothing new is known.
    """

    due_at: int
    payload: dict[str, Any] | None = None


HandlerResult = dict[str, Any] | Waiting
