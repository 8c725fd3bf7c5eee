"""The routes about jobs and about the service itself."""

from functools import cache
from importlib import import_module
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field
from typing_extensions import TypedDict

from sluice import capabilities
from sluice.jobs.model.states import ALL
from sluice.jobs.queue import asked
from sluice.jobs.queue.cancel import Cancelled
from sluice.operator import health, jobs, listing, views
from sluice.platform.config import live
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, NotFound, Unavailable
from sluice.platform.http.models import Moment, OneOf, PageQuery, Text
from sluice.platform.http.moments import between
from sluice.platform.http.routing import JSON, Answer, HttpRequest, Route
from sluice.platform.http.shapes import Among

DESCRIPTION = "Keeps market prices fresh within what the marketplaces allow. Every time is RFC 3339 in UTC."

# What the routes are about, by the word that follows `/v1/` in their paths.
TAGS = {
    "market": ("Prices", "Ask for market prices, and read them"),
    "images": ("Prices", "Ask for market prices, and read them"),
    "jobs": ("Jobs", "What was asked for: how far it is, and why it waits"),
    "events": ("Events", "What has happened, newest first"),
    "dead-letters": ("Dead letters", "What was given up, with its whole history"),
    "inventory": ("Inventory", "What you own, with its prices"),
    "catalog": ("Catalog", "What is known of products"),
    "stockx": ("StockX listings", "Create, change, switch off and delete listings, and follow what becomes of it"),
    "operations": ("StockX listings", "Create, change, switch off and delete listings, and follow what becomes of it"),
    "ebay": ("eBay listings", "Say how listings are to be, and see how they are"),
    "promotions": ("Promotions", "Ads for eBay listings"),
    "pages": ("Product pages", "Pages of web shops that are watched"),
    "webhooks": ("Webhooks", "Where events are sent, and what arrived"),
    "notifications": ("Notifications", "What is told by mail, and what was mailed"),
    "accounts": ("Accounts", "Connections to marketplaces"),
    "operator": ("Operator", "How the work goes, and what can be done about it"),
    "health": ("Service", "The service itself"),
    "openapi.json": ("Service", "The service itself"),
}


class JobsQuery(PageQuery):
    """Which jobs to list. All filters must match."""

    state: Annotated[str, OneOf(tuple(sorted(ALL)))] | None = None
    kind: Annotated[str, OneOf(capabilities.KINDS)] | None = None
    marketplace: Annotated[str, OneOf(tuple(MARKETPLACES))] | None = None
    sku: Text | None = Field(None, description="how the SKU begins, in any case")
    since: Moment | None = Field(None, alias="from", description="asked for then or later")
    until: Moment | None = Field(None, alias="to", description="asked for before then")


class JobList(TypedDict):
    """A page of jobs. `next` leads to the next page; null on the last. A page may be short and not the last."""

    jobs: list[views.JobSummary]
    next: str | None


class Cancellation(TypedDict):
    """outcome: `cancelled`, or `withdrawn` when others still want the job and it runs for them."""

    jobId: str
    outcome: Annotated[str, Among((Cancelled.CANCELLED, Cancelled.WITHDRAWN))]


def list_jobs(request: HttpRequest[None, JobsQuery]) -> JobList:
    """The caller's jobs, newest request first."""
    query, tenant = request.query, request.tenant
    wanted = listing.Filter(query.state, query.kind, query.marketplace, query.sku.upper() if query.sku else None)
    period = asked.Period(*between(query.since, query.until))
    page = listing.page(tenant, wanted, query.limit, asked.start(query.cursor, tenant), period)
    config = live.current()
    return {"jobs": [views.summary(job, tenant, config) for job in page], "next": page.cursor(tenant)}


def get_job(request: HttpRequest[None, None]) -> views.JobDetail:
    """One of the caller's jobs."""
    job = jobs.show(request.path["job_id"], request.tenant, request.now, live.current())
    if job is None:
        raise NotFound.of("job", "jobId")
    return job


def cancel_job(request: HttpRequest[None, None]) -> Cancellation:
    """Take back the caller's request for a job."""
    job_id, done = jobs.withdraw(request.path["job_id"], request.tenant, request.now, live.current())
    if done is Cancelled.UNKNOWN:
        raise NotFound.of("job", "jobId")
    if done is Cancelled.RUNNING:
        raise Conflict("the job runs already; what has begun is finished", code="running")
    if done is Cancelled.FINAL:
        raise Conflict("the job is over already", code="final")
    return {"jobId": job_id, "outcome": done}


def get_health(request: HttpRequest[None, None]) -> health.Health:
    """Whether the service works."""
    return health.health(request.now)


def get_openapi(_: HttpRequest[None, None]) -> Answer:
    """This API as an OpenAPI 3.1 document."""
    return Response(200, JSON, document(), {"Cache-Control": "public, max-age=300"})


@cache
def document() -> dict[str, Any]:
    """The document of every route there is."""
    from sluice.platform.http import openapi

    routes = [route for module in capabilities.ROUTE_MODULES for route in import_module(module).ROUTES]
    return openapi.document("Sluice", "1", DESCRIPTION, routes, TAGS)


ROUTES = (
    Route("GET", "/v1/jobs", "List your jobs", list_jobs, JobList, Permission.JOBS_READ, query=JobsQuery),
    Route(
        "GET",
        "/v1/jobs/{job_id}",
        "Show a job: its state, its attempts and why it waits",
        get_job,
        views.JobDetail,
        Permission.JOBS_READ,
    ),
    Route(
        "DELETE",
        "/v1/jobs/{job_id}",
        "Cancel a job that has not begun",
        cancel_job,
        Cancellation,
        Permission.JOBS_CANCEL,
        errors=(Conflict,),
    ),
    Route("GET", "/health", "Tell whether the service works", get_health, health.Health, None, errors=(Unavailable,)),
    Route("GET", "/v1/openapi.json", "Get this document", get_openapi, dict, None),
)
