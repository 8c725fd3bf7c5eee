"""Asking for a scheduler run now, instead of at the next minute. Many requests at once start one run."""

from sluice.jobs.queue import lanes
from sluice.platform import aws
from sluice.platform.settings import settings


def nudge(now: int) -> None:
    """Start the scheduler, unless a run that will see everything written so far is already on its way."""
    if lanes.nudge(now):
        aws.invoke_later(settings().require("scheduler_function"), {"source": "nudge"})
