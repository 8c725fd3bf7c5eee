"""The routes that have listings checked now: one, several by name, or those that a filter finds."""

from typing import Annotated, ClassVar, Final

from pydantic import Field
from pynamodb.expressions.condition import Condition
from typing_extensions import TypedDict

from sluice.jobs import ask
from sluice.jobs.queue.enqueue import Enqueued
from sluice.listings.ebay import asking, rules, wishes
from sluice.listings.ebay import table as records
from sluice.listings.ebay.api import LISTING, WRITE, find, one, refusals_told
from sluice.listings.ebay.bodies import SITES, STATUSES
from sluice.listings.ebay.shares import SLICE
from sluice.listings.ebay.table import Record
from sluice.platform import usage
from sluice.platform.config import live
from sluice.platform.http.errors import Conflict, FieldError, Invalid, Unavailable
from sluice.platform.http.items import MOST_ITEMS
from sluice.platform.http.models import Body, Example, OneOf
from sluice.platform.http.routing import HttpRequest, Route

# Listings that one request may have checked.
MOST: Final = 10_000


class ListingChecksBody(Body):
    """Which listings to check: those of these skus, or those that match every filter that is given."""

    example: ClassVar[Example] = {"skus": ["SHELF-4-BOX-2"]}

    skus: Annotated[list[str], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    marketplace: Annotated[str, OneOf(SITES)] | None = None
    status: Annotated[str, OneOf(STATUSES)] | None = None
    group: str | None = Field(None, min_length=1, max_length=50)


class Checks(TypedDict):
    """Listings that are compared with what eBay took, as soon as its quota lets them. What is found stands on them.

    listings: how many. Those of which nothing was published yet are none of them.
    """

    listings: int
    jobIds: list[str]


def check_ebay_listing(request: HttpRequest[None, None]) -> Checks:
    """Have one listing checked now."""
    found = find(request, archived=True)
    if found.published is None:
        raise Conflict("nothing of this listing was published yet")
    return _asked(request.tenant, [found.sku], request.now)


def check_ebay_listings(request: HttpRequest[ListingChecksBody, None]) -> Checks:
    """Have several listings checked now."""
    body, tenant = request.body, request.tenant
    filters = {"status": body.status, "marketplace": body.marketplace, "group": body.group}
    if body.skus is not None:
        if any(filters.values()):
            raise Invalid.field("skus", "cannot be given together with a filter")
        wrong = [rules.sku_problem(sku, f"skus[{place}]") for place, sku in enumerate(body.skus)]
        if told := [problem for problem in wrong if problem]:
            raise Invalid("the request is not valid", fields=told)
        there = records.find_many(tenant, body.skus)
        if lost := [place for place, sku in enumerate(body.skus) if sku not in there]:
            raise Invalid("the request is not valid", fields=[FieldError(f"skus[{one}]", "not found") for one in lost])
        skus = sorted(sku for sku, record in there.items() if record.published)
    else:
        if not any(filters.values()):
            raise Invalid.field("body", "must name skus, or a filter: marketplace, status or group")
        skus = _published(tenant, records.matching(**filters), MOST)
    if len(skus) > MOST:
        raise Invalid.field("body", f"matches more than {MOST} listings: name another filter")
    usage.charge(tenant, len(skus), request.now, live.current().tenants.allowed(tenant), requests=0)
    return _asked(tenant, skus, request.now)


def _asked(tenant: str, skus: list[str], now: int) -> Checks:
    config = live.current()
    wanted = [wishes.check(tenant, skus[start : start + SLICE]) for start in range(0, len(skus), SLICE)]
    with refusals_told():
        asking.require_account(tenant)
    ask.require_room(tenant, len(wanted), now, config)
    answers = ask.ask_many(wanted, now, config) if wanted else []
    jobs = [one.job_id for one in answers if isinstance(one, Enqueued)]
    if len(jobs) < len(wanted):
        raise Unavailable("not all checks could be asked for just now; send it again")
    return {"listings": len(skus), "jobIds": jobs}


def _published(tenant: str, condition: Condition | None, most: int) -> list[str]:
    """The skus of the tenant's records that match, and of which something was published; at most one above `most`."""
    there: Condition = Record.published.exists()
    wanted = there if condition is None else there & condition
    rows = Record.query(tenant, filter_condition=wanted, attributes_to_get=["sku"], limit=most + 1)
    return [one.sku for one in rows]


ROUTES = (
    Route(
        "POST",
        "/v1/ebay/listings/check",
        "Have several listings checked now",
        check_ebay_listings,
        Checks,
        WRITE,
        body=ListingChecksBody,
        status=202,
        errors=(Unavailable,),
    ),
    Route(
        "POST",
        f"{LISTING}/check",
        "Have a listing checked now",
        check_ebay_listing,
        Checks,
        WRITE,
        status=202,
        errors=(Conflict, Unavailable),
        asks=one,
    ),
)
