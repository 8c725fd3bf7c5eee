"""Whether Sluice works, from the snapshot that the scheduler leaves at each run: one read, nothing about any tenant."""

from typing import Annotated

from typing_extensions import TypedDict

from sluice.jobs.run import records
from sluice.platform.clock import MINUTE, SECOND, iso
from sluice.platform.config import live
from sluice.platform.http.errors import Unavailable
from sluice.platform.http.shapes import Among, Time

# The scheduler runs each minute. The alarms of template.yaml use the same two limits.
SILENT_AFTER_MS = 5 * MINUTE
LATE_AFTER_SECONDS = 30 * 60


class Health(TypedDict):
    """status: `ok`, or `degraded` when due work has waited for more than half an hour. Ages are seconds.

    lanes: that have work. heldBudgets: paused, closed, used up or without a working account. configuration: `ok`, or
    `refused` when the newest is not valid and the last valid one is in force.
    """

    status: Annotated[str, Among(("ok", "degraded"))]
    ageSeconds: int
    checkedAt: Time
    oldestDueAgeSeconds: int
    lanes: int
    heldBudgets: int
    configuration: Annotated[str, Among(("ok", "refused"))]


def health(now: int) -> Health:
    """What the last snapshot says.

    Raises:
        Unavailable: there is none, or it is old: the scheduler does not run.
    """
    snapshot = records.health()
    if snapshot is None:
        raise Unavailable("the scheduler has never run", code="scheduler_silent")
    age = max(0, now - snapshot["at"])
    if age > SILENT_AFTER_MS:
        raise Unavailable(f"the scheduler has been silent for {age // SECOND} seconds", code="scheduler_silent")
    late = snapshot["oldest_due_age"] > LATE_AFTER_SECONDS
    return {
        "status": "degraded" if late else "ok",
        "ageSeconds": age // SECOND,
        "checkedAt": iso(snapshot["at"]),
        "oldestDueAgeSeconds": snapshot["oldest_due_age"],
        "lanes": snapshot["lanes"],
        "heldBudgets": snapshot["held"],
        "configuration": "refused" if live.in_force().refused else "ok",
    }
