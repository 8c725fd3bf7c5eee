"""The route that says what publishing a record would do, and does nothing."""

from typing import Any

from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.listings.ebay import dry_run, known, sellers, taking, views
from sluice.listings.ebay import table as records
from sluice.listings.ebay.api import LISTING, MOST_BYTES, WRITE, one, refusals_told, sku_of
from sluice.listings.ebay.bodies import DryRunBody
from sluice.listings.ebay.desired import Desired, Policies, PolicyIds
from sluice.listings.ebay.dry_run import PlannedCall
from sluice.listings.ebay.facts import Facts
from sluice.listings.ebay.plan import Known, Step, ended_words
from sluice.listings.ebay.table import Record
from sluice.listings.ebay.views import Revisions
from sluice.marketplaces.publishing import POLICY_KINDS
from sluice.platform.http.errors import Conflict, NotFound
from sluice.platform.http.routing import HttpRequest, Route


class CallView(TypedDict):
    """A call to eBay. `{offerId}` stands for what eBay tells only then."""

    step: str
    method: str
    path: str
    body: dict[str, Any]


class DryRunView(TypedDict):
    """What publishing would do now.

    calls: in their order; none where eBay has it already. costs: revisions of the listing. waits: the field groups for
    which the listing has no revisions left today. lookedUpThen: the policies whose names are looked up when it is
    published; in the calls stands the name.
    """

    sku: str
    calls: list[CallView]
    costs: int
    revisions: Revisions | None
    waits: list[str]
    lookedUpThen: list[str]


def dry_run_ebay_listing(request: HttpRequest[DryRunBody, None]) -> DryRunView:
    """Say what publishing a record would do."""
    sku = sku_of(request)
    record = records.find(request.tenant, sku)
    want = _wanted(request, sku, record)
    if want.group is not None:
        raise Conflict(f"it is published with its group: ask for POST /v1/ebay/groups/{want.group}/dry-run")
    read = sellers.known(keys.account("ebay", request.tenant), want.marketplace)
    policies, unknown = policies_of(read, want)
    there = known.of_record(record, request.now) if record else Known()
    made = dry_run.run(want, policies, there)
    if Step.PUBLISH in made.plan.steps and there.ended_by_others:
        raise Conflict(ended_words(sku))
    return {
        "sku": sku,
        "calls": [call_view(call) for call in made.calls],
        "costs": made.plan.revisions if there.live else 0,
        "revisions": views.revisions(record, request.now) if record else None,
        "waits": sorted(made.plan.waits),
        "lookedUpThen": unknown,
    }


def call_view(call: PlannedCall) -> CallView:
    """A call as the API shows it."""
    return {"step": str(call.step), "method": call.method, "path": call.path, "body": call.body}


def _wanted(request: HttpRequest[DryRunBody, None], sku: str, record: Record | None) -> Desired:
    said = request.body.record
    if said is None:
        if record is None or record.archived_at:
            raise NotFound.of("listing", "sku")
        return record.wanted
    with refusals_told():
        want = taking.record(said.document(sku))
        Facts(keys.account("ebay", request.tenant)).check(want)
    return want


def policies_of(read: sellers.KnownPolicies | None, want: Desired) -> tuple[PolicyIds, list[str]]:
    """The ids of the policies; and the places of those of which only the name is known. read: the site's policies."""
    found = read.ids(want.policies) if read else None
    if isinstance(found, PolicyIds):
        return found, []
    named: Policies = want.policies
    unknown = [f"policies.{kind}" for kind, ref in zip(POLICY_KINDS, named, strict=True) if ref.id is None]
    return PolicyIds(*(str(ref.id or ref.name) for ref in named)), unknown


ROUTES = (
    Route(
        "POST",
        f"{LISTING}/dry-run",
        "Say what publishing a record would do, and do nothing",
        dry_run_ebay_listing,
        DryRunView,
        WRITE,
        body=DryRunBody,
        errors=(Conflict,),
        asks=one,
        most_bytes=MOST_BYTES,
    ),
)
