"""Whether Sluice works, from what its parts have noted: two reads of a few items, nothing about any tenant."""

from collections.abc import Mapping
from typing import Annotated, Any

from typing_extensions import TypedDict

from sluice.jobs.run import records
from sluice.operator import counts
from sluice.operator.depth import Depth, depth
from sluice.platform.clock import MINUTE, SECOND, iso
from sluice.platform.config import live
from sluice.platform.http.errors import Unavailable
from sluice.platform.http.shapes import Among, Time

# The scheduler runs each minute. The alarms of template.yaml use the same two limits.
SILENT_AFTER_MS = 5 * MINUTE
LATE_AFTER_SECONDS = 30 * 60
# An application that has less of its day left than this is near depletion.
DEPLETED_PERCENT = 10


class EbayHealth(TypedDict):
    """How eBay listings are kept equal. Ages are seconds; null where nothing was noted yet.

    queueDepth: publishes that are not over. deadLetters: those that died and were not asked for again.
    lastErrorCode: of the last publish that failed.
    remainingCalls: of the application with the fewest, today. nearDepletion: a tenth or less.
    """

    queueDepth: int
    deadLetters: int
    lastSuccessAgeSeconds: int | None
    lastErrorAgeSeconds: int | None
    lastErrorCode: str | None
    reconcilerAgeSeconds: int | None
    auditAgeSeconds: int | None
    reportAgeSeconds: int | None
    remainingCalls: int | None
    nearDepletion: bool


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
    ebay: EbayHealth


def health(now: int) -> Health:
    """What the last snapshot says.

    Raises:
        Unavailable: there is none, or it is old: the scheduler does not run.
    """
    notes = records.notes()
    snapshot = notes.get(records.HEALTH[1])
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
        "ebay": ebay(notes, depth(counts.now(counts.ALL)), now),
    }


def ebay(notes: Mapping[str, Mapping[str, Any]], publishes: Depth, now: int) -> EbayHealth:
    """What is known of eBay listings. notes: see `records.notes`. Pure."""
    look = notes.get("ebay.reconcile", {})
    remaining, limit = look.get("remaining"), look.get("limit")
    near = remaining is not None and limit is not None and remaining * 100 <= limit * DEPLETED_PERCENT
    return {
        "queueDepth": publishes.pending,
        "deadLetters": publishes.dead,
        "lastSuccessAgeSeconds": _age(notes.get("ebay.publish_success", {}), now),
        "lastErrorAgeSeconds": _age(notes.get("ebay.publish_error", {}), now),
        "lastErrorCode": notes.get("ebay.publish_error", {}).get("code"),
        "reconcilerAgeSeconds": _age(look, now),
        "auditAgeSeconds": _age(notes.get("ebay.audit", {}), now),
        "reportAgeSeconds": _age(notes.get("ebay.report", {}), now),
        "remainingCalls": remaining,
        "nearDepletion": near,
    }


def _age(note: Mapping[str, Any], now: int) -> int | None:
    return max(0, now - note["at"]) // SECOND if "at" in note else None
