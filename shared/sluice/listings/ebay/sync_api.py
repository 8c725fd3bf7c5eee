"""The routes of what happens between records and eBay: the sync log, open cases, policies, the account's standing."""

from contextlib import suppress
from typing import Annotated, ClassVar, Final
from urllib.parse import unquote

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.listings.ebay import answers, asking, cases, change, locations, policies, sellers, standing
from sluice.listings.ebay.api import one, refusals_told
from sluice.listings.ebay.bodies import SITES
from sluice.listings.ebay.kinds import MARKETPLACE
from sluice.listings.ebay.standing import SyncStanding
from sluice.platform import races
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, NotFound
from sluice.platform.http.models import Body, Example, OneOf, Query
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time


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


def answer_case(request: HttpRequest[AnswerBody, None]) -> CaseAnswer:
    """Say what becomes of an open difference."""
    case = unquote(request.path["case"])
    race = races.Race(f"the record of case {case} was changed while that was answered")
    with refusals_told():
        while True:
            try:
                return {"case": case, "answer": request.body.answer, "jobId": _answered(request, case)}
            except (answers.AnsweredMeanwhile, asking.WrongVersion):
                race.lost()
            except answers.NoCase:
                raise NotFound.of("case", "case") from None
            except answers.NotTheirs as why:
                raise Conflict(str(why)) from None


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


READ, WRITE = Permission.LISTINGS_READ, Permission.LISTINGS_WRITE
POLICIES: Final = "/v1/ebay/policies"
ACCOUNT: Final = "/v1/ebay/account"

ROUTES = (
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
