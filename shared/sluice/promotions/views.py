"""Promotions as the API shows them. Pure."""

from typing import Annotated, Any, Final

from typing_extensions import TypedDict

from sluice.jobs.model import kinds
from sluice.jobs.model.job import Job
from sluice.jobs.model.redaction import redact
from sluice.jobs.model.states import CANCELLED, DEAD, QUEUED, SUCCEEDED
from sluice.platform.clock import iso
from sluice.platform.config.document import Config
from sluice.platform.http.shapes import Among, Time
from sluice.promotions import wanted

PENDING: Final = "pending"
READY: Final = "ready"
FAILED: Final = "failed"
STATUSES: Final = (PENDING, READY, SUCCEEDED, FAILED, CANCELLED)
_FINAL = {SUCCEEDED: SUCCEEDED, DEAD: FAILED, CANCELLED: CANCELLED}


class PromotionError(TypedDict):
    """What went wrong last: the marketplace's code where it gave one, and what it says."""

    code: str
    message: str
    at: Time


class PromotionView(TypedDict):
    """A promotion.

    status: `pending` until its next try is due, `ready` when it is due or under way, then `succeeded`, `failed` or
    `cancelled`. userId: who asked for it last. adRate: in percent. attempts: tries so far, the present one included.
    nextRetryAt: null when it will not be tried again, or is being tried. campaignId: where the ad stands, or is to
    stand; null until it is known. adId: eBay's, once the ad is there.
    """

    id: str
    userId: str
    listingId: str
    adRate: float
    campaignId: str | None
    adId: str | None
    attempts: int
    maxAttempts: int
    nextRetryAt: Time | None
    createdAt: Time
    lastError: PromotionError | None
    status: Annotated[str, Among(STATUSES)]


class PromotionCounts(TypedDict):
    """How many promotions have each status; `total` is their sum. Those that were cancelled are not counted."""

    total: int
    ready: int
    pending: int
    succeeded: int
    failed: int


def status(job: Job, now: int) -> str:
    """How far the promotion is."""
    if job.state == QUEUED:
        return PENDING if (job.due_at or 0) > now else READY
    return _FINAL.get(job.state, READY)


def promotion(job: Job, tenant: str, now: int, config: Config) -> PromotionView:
    """`job` as its tenant sees it."""
    asked, result, error = wanted.of(job.payload), job.result or {}, job.error
    return {
        "id": job.job_id,
        "userId": job.payload["asked_by"],
        "listingId": asked.listing_id,
        # One decimal place: the JSON number has the very digits.
        "adRate": float(asked.rate),
        "campaignId": result.get("campaign_id") or asked.campaign_id,
        "adId": result.get("ad_id"),
        "attempts": job.attempts,
        "maxAttempts": kinds.most_attempts(job.kind, config),
        "nextRetryAt": iso(job.due_at) if job.state == QUEUED and job.due_at else None,
        "createdAt": iso(job.created_at),
        "lastError": _error(error, tenant) if error else None,
        "status": status(job, now),
    }


def _error(error: dict[str, Any], tenant: str) -> PromotionError:
    return {"code": error["code"], "message": redact(error["message"], tenant), "at": iso(error["at"])}
