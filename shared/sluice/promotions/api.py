"""The routes of promotions. A request is answered at once with its jobs."""

from collections.abc import Sequence
from typing import NotRequired

from typing_extensions import TypedDict

from sluice.jobs.ask import require_room
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import asked, cancel
from sluice.jobs.queue.cancel import Cancelled
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from sluice.platform.http.routing import HttpRequest, Route
from sluice.promotions import campaigns, listing, views
from sluice.promotions.bodies import NewPromotions, PromotionsQuery
from sluice.promotions.kinds import CREATE, MARKETPLACE
from sluice.promotions.request import CannotPromote, promote
from sluice.promotions.wanted import WantedAd

MESSAGES = {
    Result.CREATED: "the ad will be placed as soon as eBay knows the listing",
    Result.MERGED: "a promotion of this listing waits already; it has this rate now",
    Result.RAISED: "a promotion of this listing waits already; it has this rate now",
    Result.RERUN_REQUESTED: "the ad of this listing is being placed; it gets this rate afterwards",
}

# What is not found where there is none.
PROMOTION = ("promotion", "promotionId")


class AcceptedPromotions(TypedDict):
    """`jobId` for one promotion; `jobIds` and `count` for a batch, in its order."""

    success: bool
    message: str
    jobId: NotRequired[str]
    jobIds: NotRequired[list[str]]
    count: NotRequired[int]


class Shown(TypedDict):
    """A promotion."""

    job: views.PromotionView


class PromotionList(TypedDict):
    """`stats` counts all promotions, `promotions` is a page of those that match. `next`: null on the last page."""

    stats: views.PromotionCounts
    promotions: list[views.PromotionView]
    next: str | None


class Withdrawn(TypedDict):
    """The promotion will not be tried again."""

    success: bool
    jobId: str
    message: str


def create_promotions(request: HttpRequest[NewPromotions, None]) -> AcceptedPromotions:
    """Ask for an ad, or for many."""
    body = request.body
    wanted = body.wanted()
    require_room(request.tenant, len(wanted), request.now, live.current(), CREATE.name)
    _check_campaigns(body, wanted, request.tenant)
    try:
        answers = promote(wanted, request.tenant, request.subject, request.now, live.current())
    except CannotPromote as why:
        raise Invalid("no ads can be placed", fields=[FieldError("account", str(why))]) from None
    done = _stored(body, answers)
    if body.batch is None:
        return {"success": True, "jobId": done[0].job_id, "message": MESSAGES[done[0].result]}
    new = sum(1 for one in done if one.result is Result.CREATED)
    message = f"{new} promotions are new; {len(done) - new} were there already and get the rate of this request"
    return {"success": True, "jobIds": [one.job_id for one in done], "count": len(done), "message": message}


def list_promotions(request: HttpRequest[None, PromotionsQuery]) -> PromotionList:
    """The caller's promotions, newest first, and how many there are of each status."""
    query, tenant, now = request.query, request.tenant, request.now
    start = asked.start(query.cursor, tenant)
    config, wanted = live.current(), listing.Filter(query.status, query.listing_id)
    page = listing.page(tenant, wanted, now, query.limit, start, config)
    shown = [views.promotion(job, tenant, now, config) for job in page]
    return {"stats": listing.stats(tenant, now, config), "promotions": shown, "next": page.cursor(tenant)}


def get_promotion(request: HttpRequest[None, None]) -> Shown:
    """One of the caller's promotions."""
    return {"job": views.promotion(_find(request), request.tenant, request.now, live.current())}


def cancel_promotion(request: HttpRequest[None, None]) -> Withdrawn:
    """Take back a promotion that waits."""
    job = _find(request)
    match cancel.cancel(job.job_id, request.tenant, request.now, live.current()):
        case Cancelled.UNKNOWN:
            raise NotFound.of(*PROMOTION)
        case Cancelled.RUNNING:
            raise Conflict("the ad is being placed, or may have been; what has begun is finished", code="running")
        case Cancelled.FINAL:
            raise Conflict("the promotion is over already; an ad that was placed stays", code="final")
    return {"success": True, "jobId": job.job_id, "message": "no ad will be placed"}


def _check_campaigns(body: NewPromotions, wanted: Sequence[WantedAd], tenant: str) -> None:
    """Do nothing if each campaign that is named is one of the seller's that takes ads, as far as can be told now.

    Raises:
        Invalid: names each row whose campaign is none.
    """
    named = dict.fromkeys(one.campaign_id for one in wanted if one.campaign_id)
    if not named:
        return
    refused = campaigns.refusals(named, keys.account(MARKETPLACE, tenant), Context(routing.clock, live.current()))
    problems = [
        FieldError(body.place(row, "campaignId"), refused[one.campaign_id])
        for row, one in enumerate(wanted)
        if one.campaign_id in refused
    ]
    if problems:
        raise Invalid.of(problems)


def _stored(body: NewPromotions, answers: Sequence[Enqueued | Exception]) -> list[Enqueued]:
    """All answers, if none of them is an error.

    Raises:
        Unavailable: names the rows that were not stored; the others are, and asking for all again harms none.
    """
    done = [answer for answer in answers if isinstance(answer, Enqueued)]
    if len(done) == len(answers):
        return done
    lost = [row for row, answer in enumerate(answers) if isinstance(answer, Exception)]
    fields = [FieldError(body.place(row), "could not be stored just now; ask for it again") for row in lost]
    raise Unavailable(
        f"{len(lost)} of {len(answers)} promotions could not be stored; the others are",
        fields=fields,
        more={"jobIds": [one.job_id for one in done]},
    )


def _find(request: HttpRequest[None, None]) -> Job:
    job = cancel.find_by_path(request.path["promotion_id"], request.tenant)
    if job is None or job.kind != CREATE.name:
        raise NotFound.of(*PROMOTION)
    return job


ROUTES = (
    Route(
        "POST",
        "/v1/promotions",
        "Promote listings",
        create_promotions,
        AcceptedPromotions,
        Permission.PROMOTIONS_WRITE,
        body=NewPromotions,
        status=202,
        asks=lambda request: len(request.body.batch or [None]),
        errors=(Unavailable,),
    ),
    Route(
        "GET",
        "/v1/promotions",
        "List your promotions",
        list_promotions,
        PromotionList,
        Permission.PROMOTIONS_READ,
        query=PromotionsQuery,
    ),
    Route("GET", "/v1/promotions/{promotion_id}", "Show a promotion", get_promotion, Shown, Permission.PROMOTIONS_READ),
    Route(
        "DELETE",
        "/v1/promotions/{promotion_id}",
        "Cancel a promotion that waits",
        cancel_promotion,
        Withdrawn,
        Permission.PROMOTIONS_WRITE,
        errors=(Conflict,),
    ),
)
