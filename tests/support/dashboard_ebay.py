"""A listing at eBay with something of everything that its pages show: for `dashboard_shop`."""

from sluice.jobs.model import keys, states
from sluice.jobs.model.job import Job
from sluice.listings.ebay import cases, sellers
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.kinds import MARKETPLACE
from sluice.listings.ebay.sellers import KnownPolicies
from sluice.listings.ebay.table import Record, group_owner
from sluice.platform import tables
from sluice.platform.clock import DAY, HOUR, iso
from sluice.platform.packing import pack
from tests.support.ebay_records import GROUP, POLICIES, accept, accept_group, document
from tests.support.http import call
from tests.unit.api.conftest import Cloud

SKU = "AJ1-CHICAGO-10"
GROUP_KEY, MEMBER = "SPRING", "SPRING-10"
NAMES = ("Std", "Card", "30 days")


def listed(cloud: Cloud, tenant: str, text: str) -> str:
    """It was published twice; then somebody lowered its price at eBay, and a policy is gone. Its sku.

    Besides, there is a group with one member, and it is known what differed on the last days.

    text: what people outside have written.
    """
    for amount in ("240", "245"):
        body = document(sku=None, price={"amount": amount, "currency": "USD"})
        answer = call("PUT", f"/v1/ebay/listings/{SKU}", body=body, tenant=tenant)
        assert answer.status == 202, answer.text
        accept(tenant, SKU, cloud.now)
    _grouped(cloud, tenant, text)
    for days, open_ in ((3, {}), (2, {"external_only": 2}), (1, {"external_only": 3, "ended": 1}), (0, {"ended": 1})):
        sellers.note_open(keys.account(MARKETPLACE, tenant), open_, cloud.now - days * DAY)
    for job in Job.scan(Job.kind.startswith("listing.")):
        done = [Job.state.set(states.SUCCEEDED), Job.lane.remove(), Job.due_at.remove()]
        tables.update(Job, (job.job_id,), done)
    rows = {
        kind: [{"id": own, "name": name, "digest": "-"}]
        for kind, own, name in zip(("fulfillment", "payment", "return"), POLICIES, NAMES, strict=True)
    }
    sellers.remember(keys.account(MARKETPLACE, tenant), "EBAY_US", KnownPolicies(rows, cloud.now))
    at = iso(cloud.now - HOUR)
    known = [
        Record.title.set(text),
        Record.observed.set(pack(_shown(text).stored())),
        Record.observed_at.set(cloud.now - HOUR),
        Record.error.set({"code": "25003", "message": text, "version": 1, "at": at, "final": True}),
        Record.warnings.set([{"code": "25401", "message": text}]),
        Record.drift.set(
            [
                cases.row("external_only", ["price"], at, sku=SKU),
                cases.row("policy_gone", [], at, text, sku=SKU),
            ]
        ),
    ]
    tables.update(Record, (tenant, SKU), known)
    return SKU


def _grouped(cloud: Cloud, tenant: str, text: str) -> None:
    """A group that was published, with one member, which was not."""
    assert call("PUT", f"/v1/ebay/groups/{GROUP_KEY}", body=GROUP, tenant=tenant).status == 202
    member = document(sku=None, group=GROUP_KEY)
    assert call("PUT", f"/v1/ebay/listings/{MEMBER}", body=member, tenant=tenant).status == 202
    accept_group(tenant, GROUP_KEY, cloud.now)
    tables.update(Record, (group_owner(tenant), GROUP_KEY), [Record.title.set(text)])


def _shown(text: str) -> Echo:
    """What eBay shows of it."""
    item = {"condition": "NEW", "product": {"title": text}}
    groups = {
        "price": {"price": {"value": "1.00", "currency": "USD"}},
        "quantity": {"item": {"shipToLocationAvailability": {"quantity": 3}}, "offer": 3},
        "details": {"item": item, "offer": {"categoryId": "15709"}},
        "images": ["https://img.example.com/1.jpg"],
        "policies": {"listingPolicies": {"fulfillmentPolicyId": POLICIES.fulfillment}, "merchantLocationKey": "wh-1"},
    }
    found = Echo.of({"groups": groups, "listing": "110", "standing": "live", "hold": False, "sold": 0})
    assert found
    return found
