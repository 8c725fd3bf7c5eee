"""What the handler of a job kind is given: the job, the calls it may make, and the time."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sluice.jobs.model.job import Job
from sluice.platform.clock import Clock
from sluice.platform.config.document import Config


class Calls(Protocol):
    """What the HTTP seam asks before and tells after each call."""

    def take(self) -> None:
        """Return when the call may start, having charged it.

        Raises:
            BudgetClosed, BudgetEmpty, OutOfTime: it may not.
        """

    def close(self, until: int, reason: str, longest_ms: int = 0) -> None:
        """The marketplace refuses calls until `until`: nobody calls before then.

        longest_ms: where it refuses again soon after the last time, double the last closing, up to this. 0: never.
        """

    def remaining(self, calls: int) -> None:
        """The marketplace says how many calls of this hour are left."""


@dataclass(frozen=True)
class Run:
    """What a handler is given: the job, the calls it may make, and the time.

    batch: the jobs that run with it. turns: what they take turns with, by name.
    """

    job: Job
    calls: Calls
    clock: Clock
    config: Config
    batch: Sequence[Job] = ()
    turns: dict[str, threading.Lock] = field(default_factory=dict)

    def turn(self, name: str) -> threading.Lock:
        """What the jobs of the batch hold that would ask the same: one asks, the others wait for what it finds."""
        return self.turns.setdefault(name, threading.Lock())

    @property
    def payload(self) -> dict[str, Any]:
        """What the job is to do."""
        payload: dict[str, Any] = self.job.payload
        return payload
