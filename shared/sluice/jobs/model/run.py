"""What the handler of a job kind is given: the job, the calls it may make, and the time."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sluice.jobs.model.job import Job
from sluice.platform.clock import Clock
from sluice.platform.config.document import Config
from sluice.platform.context import Context


class Calls(Protocol):
    """What the HTTP seam asks before and tells after each call."""

    def take(self) -> None:
        """Return when the call may start, having charged it.

        Raises:
            BudgetClosed, BudgetEmpty, OutOfTime: it may not.
        """

    def close(self, until: int, reason: str) -> None:
        """The marketplace takes no calls until `until`: nobody calls before then. reason: shown to all who wait."""

    def refused(self, until: int, reason: str, *, named: bool) -> int:
        """The marketplace has refused a call: nobody calls for a pause, and calls are slower afterwards.

        until: when the pause ends. named: the marketplace has said so; else it grows with each refusal that follows
        without an answered call between them. Returns when the pause ends in the end.
        """

    def answered(self) -> None:
        """A call was answered, and not refused."""

    def remaining(self, calls: int) -> None:
        """The marketplace says how many calls of this hour are left."""


@dataclass(frozen=True)
class Run:
    """What a handler is given: the job, the calls it may make, and the time.

    batch: the jobs that run with it. turns: what they take turns with, by name. left: what one of them has found out,
    and left for the others, by name.
    """

    job: Job
    calls: Calls
    context: Context
    batch: Sequence[Job] = ()
    turns: dict[str, threading.Lock] = field(default_factory=dict)
    left: dict[tuple[str, ...], Any] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.context.clock

    @property
    def config(self) -> Config:
        """What is configured."""
        return self.context.config

    def turn(self, name: str) -> threading.Lock:
        """What the jobs of the batch hold that would ask the same: one asks, the others wait for what it finds."""
        return self.turns.setdefault(name, threading.Lock())

    @property
    def payload(self) -> dict[str, Any]:
        """What the job is to do."""
        payload: dict[str, Any] = self.job.payload
        return payload
