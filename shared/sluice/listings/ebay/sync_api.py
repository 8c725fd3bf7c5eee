"""The routes of what happens between records and eBay: the sync log, open cases, policies, the account's standing."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, ClassVar, Final
from urllib.parse import unquote

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.listings.ebay import answers, asking, cases, change, locations, policies, sellers, standing, sync_log
from sluice.listings.ebay import table as records
from sluice.listings.ebay.api import one, refusals_told
from sluice.listings.ebay.kinds import MARKETPLACE
from sluice.listings.ebay.plan import Step
from sluice.listings.ebay.standing import SyncStanding
from sluice.listings.ebay.sync_log import RESULTS, SyncEntry, WantedAttempts
from sluice.marketplaces.ebay.sites import EBAY_SITES
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Invalid, NotFound
from sluice.platform.http.models import Body, Example, Moment, OneOf, PageQuery, Query
from sluice.platform.http.moments import between
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time

SITES: Final = tuple(EBAY_SITES)
# The range keys of the sync log, as a cursor may name one.
ENTRY: Final = r"[0-9T:.Z-]{24}#[0-9a-f]{8}"


class SyncQuery(PageQuery):
    """Which attempts to show. All filters must match."""

    sku: str | None = Field(None, min_length=1, max_length=50)
    group: str | None = Field(None, min_length=1, max_length=50, description="a group's key: its attempts as a whole")
    result: Annotated[str, OneOf(RESULTS)] | None = None
    error_id: str | None = Field(None, min_length=1, max_length=10, description="eBay's own number")
    since: Moment | None = Field(None, alias="from", description="made then or later")
    until: Moment | None = Field(None, alias="to", description="made before then")


class PublishCall(TypedDict):
    """One call: its step, the sku that it was about, what became of it, and the status of a refusal.

    sku: null where it was about a group as a whole.
    """

    step: Annotated[str, Among(Step)]
    sku: str | None
    result: str
    status: str | None


class Words(TypedDict):
    """What eBay, or Sluice, said."""

    code: str
    message: str


class PublishAttempt(TypedDict):
    """One attempt to make eBay equal to a record.

    sku: of a group's attempt, the group's key. group: that key; null where it is a sku's. planned: the steps; those of
    a group's sizes have the sku behind them (`item J1-9`). result: `done`, `nothing` (there was nothing to do),
    `retry`, `snooze` (it comes back, with no attempt used) or `failed`. errorId: eBay's own number.
    """

    sku: str
    group: str | None
    version: int
    attempt: int
    planned: list[str]
    calls: list[PublishCall]
    result: Annotated[str, Among(RESULTS)]
    errorId: str | None
    said: list[Words]
    jobId: str
    at: Time


class SyncLog(TypedDict):
    """Attempts, newest first. next: the next page's cursor; null at the end. A page may be short, and not the last."""

    attempts: list[PublishAttempt]
    next: str | None


class AnswerBody(Body):
    """What becomes of an open difference."""

    example: ClassVar[Example] = {"answer": "ours"}

    answer: Annotated[str, OneOf(cases.ANSWERS)] = Field(
        description="`ours`: eBay is made as the record says. `theirs`: the record becomes as eBay shows it. "
        "`ignore`: what eBay shows is no difference from now on"
    )


class CaseAnswer(TypedDict):
    """The case is closed. jobId: the job that makes eBay so; null where nothing is sent."""

    case: str
    answer: Annotated[str, Among(cases.ANSWERS)]
    jobId: str | None


class PoliciesQuery(Query):
    """Which site's policies to show."""

    marketplace: Annotated[str, OneOf(SITES)] = "EBAY_US"


class SitePolicy(TypedDict):
    """A business policy."""

    id: str
    name: str


class SiteLocation(TypedDict):
    """A place that goods are sent from. enabled: listings may name it."""

    key: str
    name: str
    enabled: bool


class PoliciesView(TypedDict):
    """A seller's business policies on one site, and its locations, as they were read; null where they never were."""

    marketplace: Annotated[str, Among(SITES)]
    fulfillment: list[SitePolicy]
    payment: list[SitePolicy]
    returns: list[SitePolicy]
    readAt: Time | None
    locations: list[SiteLocation]
    locationsReadAt: Time | None


class ReadPolicies(Body):
    """Which site's policies to read anew."""

    example: ClassVar[Example] = {"marketplace": "EBAY_US"}

    marketplace: Annotated[str, OneOf(SITES)] = "EBAY_US"


class PoliciesAsked(TypedDict):
    """The job that does it."""

    jobId: str


def show_sync_log(request: HttpRequest[None, SyncQuery]) -> SyncLog:
    """The attempts to make eBay equal to your records."""
    query = request.query
    if query.sku is not None and query.group is not None:
        raise Invalid.field("group", "give sku or group, not both")
    start = paging.start(query.cursor, request.tenant, ENTRY)
    times = between(query.since, query.until)
    wanted = WantedAttempts(query.sku, query.group, query.result, query.error_id, *times)
    page = sync_log.page(request.tenant, wanted, query.limit, start)
    if query.sku is not None and not page.items:
        _unless_group(request.tenant, query.sku)
    return {"attempts": [_attempt(one) for one in page], "next": page.cursor(request.tenant)}


def _unless_group(tenant: str, sku: str) -> None:
    """Refuse a group's key that is asked for as a sku."""
    if records.find(tenant, sku) is None and records.find_group(tenant, sku):
        raise Invalid.field("sku", f"is a group's key: ask with group={sku}")


def answer_case(request: HttpRequest[AnswerBody, None]) -> CaseAnswer:
    """Say what becomes of an open difference."""
    case = unquote(request.path["case"])
    with refusals_told():
        for _ in range(asking.TRIES):
            try:
                return {"case": case, "answer": request.body.answer, "jobId": _answered(request, case)}
            except (answers.AnsweredMeanwhile, asking.WrongVersion):
                continue
            except answers.NoCase:
                raise NotFound.of("case", "case") from None
            except answers.NotTheirs as why:
                raise Conflict(str(why)) from None
    raise Conflict("the record is changed all the time by others; send it again")


def _answered(request: HttpRequest[AnswerBody, None], case: str) -> str | None:
    """Do what the answer says, for the record as it is now; the job's id, where there is one."""
    config, (record, row) = live.current(), answers.find(request.tenant, case)
    if request.body.answer == cases.OURS:
        return answers.ours(record, row, request.subject, request.now, config)
    if request.body.answer == cases.IGNORE:
        answers.ignore(record, row)
        return None
    asker = change.Asker(request.tenant, request.subject, request.now, "theirs", config)
    done = asking.put(asker, answers.theirs(record, row), record.version)
    with suppress(answers.NoCase):  # its publish has closed it by now
        answers.close(*answers.find(request.tenant, case))
    return done.enqueued.job_id if done.enqueued else None


def show_policies(request: HttpRequest[None, PoliciesQuery]) -> PoliciesView:
    """Your business policies on a site."""
    site = request.query.marketplace
    account = keys.account(MARKETPLACE, request.tenant)
    known, places = sellers.known(account, site), sellers.places(account)
    found_places = places.rows if places else []
    found = known.policies if known else {}
    rows = {kind: [SitePolicy(id=one["id"], name=one["name"]) for one in some] for kind, some in found.items()}
    return {
        "marketplace": site,
        "fulfillment": rows.get("fulfillment", []),
        "payment": rows.get("payment", []),
        "returns": rows.get("return", []),
        "readAt": iso(known.read_at) if known else None,
        "locations": [SiteLocation(key=one["key"], name=one["name"], enabled=one["enabled"]) for one in found_places],
        "locationsReadAt": iso(places.read_at) if places else None,
    }


def refresh_policies(request: HttpRequest[ReadPolicies, None]) -> PoliciesAsked:
    """Read your business policies of a site anew, and the locations that you send goods from."""
    site = request.body.marketplace
    with refusals_told():
        asking.require_account(request.tenant)
    config = live.current()
    locations.read_anew(request.tenant, request.now, config, keys.MANUAL)
    return {"jobId": policies.read_anew(request.tenant, site, request.now, config, keys.MANUAL)}


def show_standing(request: HttpRequest[None, None]) -> SyncStanding:
    """Whether your account publishes, and how old what is known of its listings is."""
    return standing.of(keys.account(MARKETPLACE, request.tenant), request.now)


def resume_publishing(request: HttpRequest[None, None]) -> SyncStanding:
    """Publish again before the pause is over: eBay has raised the limit, or listings were ended."""
    sellers.resume(keys.account(MARKETPLACE, request.tenant))
    return show_standing(request)


def _attempt(entry: SyncEntry) -> PublishAttempt:
    return {
        "sku": entry.sku,
        "group": entry.sku if entry.is_group else None,
        "version": entry.version,
        "attempt": entry.attempt,
        "planned": list(entry.planned),
        "calls": [_call(entry, one) for one in entry.calls],
        "result": entry.result,
        "errorId": entry.error_id,
        "said": [{"code": one["code"], "message": one["message"]} for one in entry.said],
        "jobId": entry.job_id,
        "at": iso(entry.at),
    }


def _call(entry: SyncEntry, one: Mapping[str, str]) -> PublishCall:
    sku = one.get("sku") if entry.is_group else entry.sku
    return {"step": one["step"], "sku": sku, "result": one["result"], "status": one.get("status")}


READ, WRITE = Permission.LISTINGS_READ, Permission.LISTINGS_WRITE
POLICIES: Final = "/v1/ebay/policies"
ACCOUNT: Final = "/v1/ebay/account"

ROUTES = (
    Route("GET", "/v1/ebay/sync-log", "Show attempts to publish", show_sync_log, SyncLog, READ, query=SyncQuery),
    Route(
        "POST",
        "/v1/ebay/cases/{case}",
        "Decide about an open difference",
        answer_case,
        CaseAnswer,
        WRITE,
        body=AnswerBody,
        errors=(Conflict,),
        asks=one,
    ),
    Route("GET", POLICIES, "Show your business policies", show_policies, PoliciesView, READ, query=PoliciesQuery),
    Route(
        "POST",
        POLICIES,
        "Read your business policies anew",
        refresh_policies,
        PoliciesAsked,
        WRITE,
        body=ReadPolicies,
        status=202,
        asks=one,
    ),
    Route("GET", ACCOUNT, "Show how your eBay account fares", show_standing, SyncStanding, READ),
    Route("DELETE", f"{ACCOUNT}/pause", "Publish again before a pause is over", resume_publishing, SyncStanding, WRITE),
)
