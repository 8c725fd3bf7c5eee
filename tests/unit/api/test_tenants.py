"""A tenant sees its own data and nobody else's, on every route."""

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from sluice.inventory import table as item
from sluice.jobs.model.job import Job
from sluice.listings.ebay import snapshots
from sluice.listings.ebay.table import Record, find_group
from sluice.listings.stockx.table import new_id
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Status
from sluice.notifications import api as notifications
from sluice.operator.actions import Action
from sluice.operator.dead_letters import public_id
from sluice.pages import urls
from sluice.pages.table import SavedPage, pack_text
from sluice.platform.clock import iso
from sluice.platform.http.auth import ROLES
from tests.support.ebay_records import accept, document
from tests.support.http import Answer, call, event, route_functions, send
from tests.support.letters import DIED_AT, write
from tests.unit.api.conftest import CREDENTIALS, MAIL, WEBHOOK, Cloud

OWN = "market.refresh:stockx:ACME-ONLY:us-10:USD"
# The dead letter of ACME-ONLY that `write` stores.
LETTER = public_id(f"{iso(DIED_AT)}#{OWN}#1")
# The listing that acme offers as ACME-ONLY.
LISTING = new_id("acme", "stockx", "ACME-ONLY")
VARIANT = "729dc9e9-c6d9-5706-9f57-000000010005"
# The job that creates it, which is an operation of a listing.
OPERATION = f"listing.create:stockx:acme:{LISTING}"
IDS = {"job_id": OWN, "marketplace": "stockx", "letter_id": LETTER, "listing_id": LISTING}
PROMOTION = {"listingId": "110551234567", "adRate": 5.5}
IDS |= {"promotion_id": "promotion.create:ebay:acme:110551234567"}
# What acme owns, and has imported.
ITEM = item.public_id("ACMEONLY:us-10")
FILE = {"body": "sku,size\nACME-ONLY,11\n", "content_type": "text/csv"}
IMPORT = hashlib.sha256(f"inventory\nacme\nline\n{FILE['body']}".encode()).hexdigest()[:32]
IDS |= {"item_id": ITEM, "import_id": IMPORT}
# The page that acme tracks.
PAGE = "https://shop.example/products/ACME-ONLY"
IDS |= {"page_id": urls.product_id(PAGE)}
IDS |= {"budget": "stockx:acme", "action_id": f"{iso(DIED_AT)}#5f3c21aa07b4"}
IDS |= {"pause": "stockx:acme", "version": "1"}
IDS |= {"webhook_id": "of-a", "delivery_id": f"{DIED_AT}-e1"}
# The record of a listing of acme's, and what was published of it.
SKU = "ACME-ONLY-10"
RECORD = {name: value for name, value in document().items() if name != "sku"}
RECORDS = {"body": json.dumps({"items": [{**RECORD, "sku": "ACME-ONLY-11"}]}), "content_type": "application/json"}
RECORDS_IMPORT = hashlib.sha256(f"ebay\nacme\nindex\n{RECORDS['body']}".encode()).hexdigest()[:32]
GROUP = {
    "marketplace": "EBAY_US", "language": "en-US", "title": "ACME-ONLY", "description": "<p>ACME-ONLY</p>",
    "images": ["https://img.example.com/1.jpg"], "variesBy": ["US Shoe Size"],
}  # fmt: skip
IDS |= {"key": "ACME-ONLY-GROUP"}
IDS |= {"sku": SKU, "number": "1", "case": f"{SKU}.1f3a9c204b5d"}
# What an answer to somebody else must not hold.
OF_ACME = ("acme", "ACME-ONLY", "ACMEONLY", "ACME-SHARED", "ACMESHARED")

# How the other tenant tries to reach what is acme's, on each route that has a caller, and what it gets.
ATTEMPTS: dict[str, tuple[dict[str, Any], int]] = {
    "GET /v1/jobs": ({}, 200),
    "GET /v1/jobs/{job_id}": ({}, 404),
    "DELETE /v1/jobs/{job_id}": ({}, 404),
    "GET /v1/dead-letters": ({}, 200),
    "GET /v1/dead-letters/{letter_id}": ({}, 404),
    "POST /v1/dead-letters/{letter_id}/replay": ({}, 404),
    "POST /v1/dead-letters/{letter_id}/acknowledge": ({}, 404),
    "POST /v1/dead-letters/replay": ({"body": {"dryRun": False}}, 200),
    "GET /v1/stockx/listings": ({}, 200),
    "POST /v1/stockx/listings": ({"body": {"variantId": VARIANT, "amount": "150"}}, 400),
    "POST /v1/stockx/listings/bulk": ({"body": {"action": "delete", "items": [{"listingId": LISTING}]}}, 400),
    "GET /v1/stockx/listings/{listing_id}": ({}, 404),
    "PATCH /v1/stockx/listings/{listing_id}": ({"body": {"amount": "150"}}, 404),
    "DELETE /v1/stockx/listings/{listing_id}": ({}, 404),
    "POST /v1/stockx/listings/{listing_id}/activate": ({"body": {}}, 404),
    "POST /v1/stockx/listings/{listing_id}/deactivate": ({}, 404),
    "GET /v1/stockx/listings/{listing_id}/history": ({}, 404),
    "GET /v1/operations/{job_id}": ({}, 404),
    "GET /v1/ebay/listings": ({}, 200),
    "PUT /v1/ebay/listings": ({"body": {"items": [document(sku="b", quantity=-1)]}}, 400),
    "POST /v1/ebay/listings/import": ({"body": "sku,title\nACME,=", "content_type": "text/csv"}, 400),
    "GET /v1/ebay/imports/{import_id}": ({}, 404),
    "POST /v1/ebay/listings/draft": ({"body": {"itemId": ITEM}}, 404),
    "GET /v1/ebay/listings/{sku}": ({}, 404),
    "PUT /v1/ebay/listings/{sku}": ({"body": RECORD}, 400),
    "PATCH /v1/ebay/listings/{sku}": ({"body": {"quantity": 1}}, 404),
    "DELETE /v1/ebay/listings/{sku}": ({}, 404),
    "GET /v1/ebay/listings/{sku}/history": ({}, 404),
    "GET /v1/ebay/listings/{sku}/snapshots": ({}, 404),
    "POST /v1/ebay/listings/{sku}/snapshots": ({}, 404),
    "POST /v1/ebay/listings/{sku}/dry-run": ({"body": {}}, 404),
    "POST /v1/ebay/listings/{sku}/check": ({}, 404),
    "POST /v1/ebay/listings/check": ({"body": {"skus": [SKU]}}, 400),
    "GET /v1/ebay/listings/{sku}/snapshots/diff": ({"query": {"before": 1, "after": 1}}, 404),
    "GET /v1/ebay/listings/{sku}/snapshots/{number}": ({}, 404),
    "GET /v1/ebay/groups": ({}, 200),
    "GET /v1/ebay/groups/{key}": ({}, 404),
    "PUT /v1/ebay/groups/{key}": ({"body": GROUP}, 400),
    "PATCH /v1/ebay/groups/{key}": ({"body": {"title": "mine"}}, 404),
    "DELETE /v1/ebay/groups/{key}": ({}, 404),
    "POST /v1/ebay/groups/{key}/dry-run": ({"body": {}}, 404),
    "GET /v1/ebay/groups/{key}/history": ({}, 404),
    "GET /v1/ebay/groups/{key}/snapshots": ({}, 404),
    "POST /v1/ebay/groups/{key}/snapshots": ({}, 404),
    "GET /v1/ebay/groups/{key}/snapshots/diff": ({"query": {"before": 1, "after": 1}}, 404),
    "GET /v1/ebay/groups/{key}/snapshots/{number}": ({}, 404),
    "GET /v1/ebay/sync-log": ({}, 200),
    "POST /v1/ebay/cases/{case}": ({"body": {"answer": "ours"}}, 404),
    "GET /v1/ebay/policies": ({}, 200),
    "POST /v1/ebay/policies": ({"body": {}}, 400),
    "GET /v1/ebay/account": ({}, 200),
    "DELETE /v1/ebay/account/pause": ({}, 200),
    "POST /v1/promotions": ({"body": PROMOTION}, 400),
    "GET /v1/promotions": ({}, 200),
    "GET /v1/promotions/{promotion_id}": ({}, 404),
    "DELETE /v1/promotions/{promotion_id}": ({}, 404),
    "GET /v1/inventory": ({}, 200),
    "POST /v1/inventory": ({"body": {"items": [{"sku": "ACME", "size": "="}]}}, 400),
    "POST /v1/inventory/refresh": ({"body": {"items": [ITEM]}}, 400),
    "POST /v1/inventory/import": ({"body": "sku,size\nACME,=", "content_type": "text/csv"}, 400),
    "GET /v1/inventory/imports/{import_id}": ({}, 404),
    "GET /v1/inventory/{item_id}": ({}, 404),
    "GET /v1/inventory/{item_id}/prices": ({}, 404),
    "PATCH /v1/inventory/{item_id}": ({"body": {"cost": "1"}}, 404),
    "DELETE /v1/inventory/{item_id}": ({}, 404),
    "POST /v1/pages": ({"body": {"url": "ftp://shop.example/"}}, 400),
    "GET /v1/pages": ({}, 200),
    "GET /v1/pages/{page_id}": ({}, 404),
    "PATCH /v1/pages/{page_id}": ({"body": {"label": "mine"}}, 404),
    "DELETE /v1/pages/{page_id}": ({}, 404),
    "GET /v1/pages/{page_id}/prices": ({}, 404),
    "GET /v1/pages/{page_id}/saved": ({}, 404),
    "GET /v1/operator/checks/recent": ({}, 200),
    "GET /v1/operator/checks/stats": ({}, 200),
    "GET /v1/operator/checks/slow": ({}, 200),
    "POST /v1/operator/checks/run-now": ({}, 200),
    "GET /v1/operator/overview": ({}, 200),
    "GET /v1/operator/jobs/counts": ({}, 200),
    "GET /v1/operator/work": ({}, 200),
    "GET /v1/operator/operations": ({}, 200),
    "GET /v1/operator/promotions": ({}, 200),
    "GET /v1/operator/jobs": ({}, 200),
    "GET /v1/operator/jobs/{job_id}": ({}, 404),
    "GET /v1/operator/dead-letters": ({}, 200),
    "GET /v1/operator/accounts": ({}, 200),
    "GET /v1/operator/budgets": ({}, 200),
    "GET /v1/operator/budgets/{budget}/history": ({}, 404),
    "GET /v1/operator/lanes": ({}, 200),
    "POST /v1/operator/actions": ({"body": {"action": "cancel", "jobIds": [OWN]}}, 200),
    "GET /v1/operator/actions": ({}, 200),
    "GET /v1/operator/actions/{action_id}": ({}, 404),
    "POST /v1/operator/actions/{action_id}/stop": ({}, 404),
    "GET /v1/operator/pauses": ({}, 200),
    "POST /v1/operator/pauses": ({"body": {"name": "stockx:acme", "reason": "mine"}}, 403),
    "DELETE /v1/operator/pauses/{pause}": ({}, 404),
    "GET /v1/operator/configuration": ({}, 403),
    "PUT /v1/operator/configuration": ({"body": {"version": 1, "document": {}}}, 403),
    "POST /v1/operator/configuration/check": ({"body": {"document": {}}}, 403),
    "POST /v1/operator/configuration/revert": ({"body": {"version": 1, "to": 1}}, 403),
    "POST /v1/operator/configuration/what-if": (
        {"body": {"budget": "stockx:acme", "limits": {"interval_ms": 600}}},
        403,
    ),
    "GET /v1/operator/configuration/versions": ({}, 403),
    "GET /v1/operator/configuration/versions/{version}": ({}, 403),
    "GET /v1/operator/drift": ({}, 200),
    "GET /v1/operator/drift/cases": ({}, 200),
    "GET /v1/operator/metrics": ({}, 200),
    "GET /v1/operator/metrics.txt": ({}, 200),
    "POST /v1/operator/run": ({"body": {"function": "scheduler"}}, 403),
    "GET /v1/operator/tenants": ({}, 403),
    "GET /v1/operator/runs": ({}, 403),
    "GET /v1/operator/calls": ({}, 403),
    "GET /v1/events": ({}, 200),
    "GET /v1/notifications": ({}, 200),
    "PUT /v1/notifications": ({"body": {"mail": {"address": "a@b.example", "eventTypes": ["job.dead"]}}}, 200),
    "POST /v1/notifications/test": ({}, 409),
    "GET /v1/notifications/mails": ({}, 200),
    "GET /v1/webhooks": ({}, 200),
    "GET /v1/webhooks/{webhook_id}": ({}, 404),
    "PUT /v1/webhooks/{webhook_id}": ({"body": WEBHOOK}, 200),
    "DELETE /v1/webhooks/{webhook_id}": ({}, 404),
    "POST /v1/webhooks/{webhook_id}/secret": ({}, 404),
    "GET /v1/webhooks/{webhook_id}/deliveries": ({}, 404),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/resend": ({}, 404),
    "POST /v1/webhooks/{webhook_id}/test": ({}, 404),
    "GET /v1/accounts": ({}, 200),
    "GET /v1/accounts/{marketplace}": ({}, 404),
    "PUT /v1/accounts/{marketplace}": ({"body": CREDENTIALS}, 200),
    "DELETE /v1/accounts/{marketplace}": ({}, 404),
    "POST /v1/market/refresh": ({"body": {"items": [{"sku": "OTHER", "size": "10"}]}}, 400),
    "POST /v1/catalog/enrichment": ({}, 200),
    "GET /v1/catalog/enrichment": ({}, 404),
    "GET /v1/market/prices": ({"query": {"sku": "OTHER"}}, 200),
}
PUBLIC = {"GET /health", "GET /v1/openapi.json", "GET /v1/images/{name}"}
# What only operators and admins may do.
OPERATORS = {
    "POST /v1/catalog/enrichment",
    "GET /v1/catalog/enrichment",
    "PUT /v1/accounts/{marketplace}",
    "DELETE /v1/accounts/{marketplace}",
    "POST /v1/dead-letters/{letter_id}/replay",
    "POST /v1/dead-letters/{letter_id}/acknowledge",
    "POST /v1/dead-letters/replay",
    "PUT /v1/notifications",
    "POST /v1/notifications/test",
    "PUT /v1/webhooks/{webhook_id}",
    "DELETE /v1/webhooks/{webhook_id}",
    "POST /v1/webhooks/{webhook_id}/secret",
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/resend",
    "POST /v1/webhooks/{webhook_id}/test",
    "GET /v1/operator/checks/recent",
    "GET /v1/operator/checks/stats",
    "GET /v1/operator/checks/slow",
    "POST /v1/operator/checks/run-now",
    "GET /v1/operator/overview",
    "GET /v1/operator/jobs/counts",
    "GET /v1/operator/work",
    "GET /v1/operator/operations",
    "GET /v1/operator/promotions",
    "GET /v1/operator/jobs",
    "GET /v1/operator/jobs/{job_id}",
    "GET /v1/operator/dead-letters",
    "GET /v1/operator/accounts",
    "GET /v1/operator/budgets",
    "GET /v1/operator/budgets/{budget}/history",
    "GET /v1/operator/lanes",
    "GET /v1/operator/pauses",
    "POST /v1/operator/pauses",
    "DELETE /v1/operator/pauses/{pause}",
    "GET /v1/operator/drift",
    "GET /v1/operator/drift/cases",
    "GET /v1/operator/metrics",
    "GET /v1/operator/metrics.txt",
    "POST /v1/operator/actions",
    "GET /v1/operator/actions",
    "GET /v1/operator/actions/{action_id}",
    "POST /v1/operator/actions/{action_id}/stop",
}
# What only whoever runs the whole deployment may do.
DEPLOYMENT = {
    "GET /v1/operator/configuration/versions/{version}",
    "GET /v1/operator/configuration/versions",
    "POST /v1/operator/configuration/what-if",
    "POST /v1/operator/configuration/revert",
    "POST /v1/operator/configuration/check",
    "PUT /v1/operator/configuration",
    "GET /v1/operator/configuration",
    "POST /v1/operator/run",
    "GET /v1/operator/tenants",
    "GET /v1/operator/runs",
    "GET /v1/operator/calls",
}
# What the role `platform` may do: it opens nothing that a tenant owns.
PLATFORM = DEPLOYMENT | {key for key in OPERATORS if " /v1/operator/" in key}
# What only people may do, and no service.
PEOPLE = {
    "DELETE /v1/jobs/{job_id}",
    "GET /v1/dead-letters",
    "GET /v1/dead-letters/{letter_id}",
    "GET /v1/notifications",
    "GET /v1/notifications/mails",
    "GET /v1/webhooks",
    "GET /v1/webhooks/{webhook_id}",
    "GET /v1/webhooks/{webhook_id}/deliveries",
    "GET /v1/accounts",
    "GET /v1/accounts/{marketplace}",
}
# What every role may do.
EVERYBODY = {
    "GET /v1/events",
    "GET /v1/jobs",
    "GET /v1/jobs/{job_id}",
    "GET /v1/stockx/listings",
    "POST /v1/stockx/listings",
    "POST /v1/stockx/listings/bulk",
    "GET /v1/stockx/listings/{listing_id}",
    "PATCH /v1/stockx/listings/{listing_id}",
    "DELETE /v1/stockx/listings/{listing_id}",
    "POST /v1/stockx/listings/{listing_id}/activate",
    "POST /v1/stockx/listings/{listing_id}/deactivate",
    "GET /v1/stockx/listings/{listing_id}/history",
    "GET /v1/operations/{job_id}",
    "GET /v1/ebay/sync-log",
    "POST /v1/ebay/cases/{case}",
    "GET /v1/ebay/policies",
    "POST /v1/ebay/policies",
    "GET /v1/ebay/account",
    "DELETE /v1/ebay/account/pause",
    "GET /v1/ebay/listings",
    "PUT /v1/ebay/listings",
    "POST /v1/ebay/listings/import",
    "GET /v1/ebay/imports/{import_id}",
    "POST /v1/ebay/listings/draft",
    "GET /v1/ebay/listings/{sku}",
    "PUT /v1/ebay/listings/{sku}",
    "PATCH /v1/ebay/listings/{sku}",
    "DELETE /v1/ebay/listings/{sku}",
    "GET /v1/ebay/listings/{sku}/history",
    "GET /v1/ebay/listings/{sku}/snapshots",
    "POST /v1/ebay/listings/{sku}/snapshots",
    "POST /v1/ebay/listings/{sku}/dry-run",
    "POST /v1/ebay/listings/{sku}/check",
    "POST /v1/ebay/listings/check",
    "GET /v1/ebay/listings/{sku}/snapshots/diff",
    "GET /v1/ebay/listings/{sku}/snapshots/{number}",
    "GET /v1/ebay/groups",
    "GET /v1/ebay/groups/{key}",
    "PUT /v1/ebay/groups/{key}",
    "PATCH /v1/ebay/groups/{key}",
    "DELETE /v1/ebay/groups/{key}",
    "POST /v1/ebay/groups/{key}/dry-run",
    "GET /v1/ebay/groups/{key}/history",
    "GET /v1/ebay/groups/{key}/snapshots",
    "POST /v1/ebay/groups/{key}/snapshots",
    "GET /v1/ebay/groups/{key}/snapshots/diff",
    "GET /v1/ebay/groups/{key}/snapshots/{number}",
    "POST /v1/promotions",
    "GET /v1/promotions",
    "GET /v1/promotions/{promotion_id}",
    "DELETE /v1/promotions/{promotion_id}",
    "GET /v1/inventory",
    "POST /v1/inventory",
    "POST /v1/inventory/refresh",
    "POST /v1/inventory/import",
    "GET /v1/inventory/imports/{import_id}",
    "GET /v1/inventory/{item_id}",
    "GET /v1/inventory/{item_id}/prices",
    "PATCH /v1/inventory/{item_id}",
    "DELETE /v1/inventory/{item_id}",
    "POST /v1/pages",
    "GET /v1/pages",
    "GET /v1/pages/{page_id}",
    "PATCH /v1/pages/{page_id}",
    "DELETE /v1/pages/{page_id}",
    "GET /v1/pages/{page_id}/prices",
    "GET /v1/pages/{page_id}/saved",
    "POST /v1/market/refresh",
    "GET /v1/market/prices",
}
PROTECTED = sorted(set(route_functions()) - PUBLIC)


def path_of(key: str) -> str:
    """The path of this route with the ids of what acme has."""
    _, _, path = key.partition(" ")
    ids = IDS | ({"job_id": OPERATION} if path.startswith("/v1/operations/") else {})
    ids |= {"import_id": RECORDS_IMPORT} if path.startswith("/v1/ebay/") else {}
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def attempt(key: str, **caller: Any) -> Answer:
    request, _ = ATTEMPTS[key]
    return call(key.partition(" ")[0], path_of(key), **request, **caller)


def own(acme: Cloud) -> None:
    """Give acme one of everything, and nothing besides."""
    acme.filled("one of everything", lambda: _own(acme))


def _own(acme: Cloud) -> None:
    acme.enqueue("acme", "ACME-ONLY")
    offered = {"variantId": VARIANT, "amount": "150", "reference": "ACME-ONLY"}
    assert call("POST", "/v1/stockx/listings", body=offered, tenant="acme").json["listingId"] == LISTING
    acme.connect_seller("acme")
    assert call("POST", "/v1/promotions", body=PROMOTION, tenant="acme").json["jobId"] == IDS["promotion_id"]
    assert call("PUT", f"/v1/ebay/listings/{SKU}", body=RECORD, tenant="acme").status == 202
    accept("acme", SKU, acme.now)
    assert call("PUT", f"/v1/ebay/groups/{IDS['key']}", body=GROUP, tenant="acme").status == 202
    of_group = find_group("acme", IDS["key"])
    assert of_group
    snapshots.new(of_group, of_group.document, "publish", acme.now).snapshot.save()
    of_group.update(actions=[Record.published.set(of_group.desired)])
    ended = {"class": "ended", "groups": [], "at": iso(DIED_AT), "case": IDS["case"]}
    Record("acme", SKU).update(actions=[Record.drift.set([ended])])
    write(sku="ACME-ONLY")
    Action("acme", IDS["action_id"], action="cancel", state="running", whose="acme", target={"ids": [OWN]}).save()
    acme.webhook("of-a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notifications, "STANDING_MS", 0)  # it is confirmed long after it was put
        assert call("PUT", "/v1/notifications", body=MAIL, tenant="acme").status == 200
        acme.mailbox.confirm(MAIL["mail"]["address"])
        assert call("POST", "/v1/notifications/test", tenant="acme").status == 202
    mine = {"name": "stockx:acme", "reason": "ACME-ONLY"}
    assert call("POST", "/v1/operator/pauses", body=mine, tenant="acme").status == 200
    owned = {"sku": "ACME-ONLY", "size": "10", "sizeSystem": "us", "marketplaces": ["stockx"]}
    assert call("POST", "/v1/inventory", body={"items": [owned]}, tenant="acme").json["items"][0]["itemId"] == ITEM
    assert call("POST", "/v1/inventory/import", **FILE, tenant="acme").json["importId"] == IMPORT
    assert call("POST", "/v1/ebay/listings/import", **RECORDS, tenant="acme").json["importId"] == RECORDS_IMPORT
    assert call("POST", "/v1/catalog/enrichment", tenant="acme").status == 200
    assert call("POST", "/v1/pages", body={"url": PAGE}, tenant="acme").json["page"]["pageId"] == IDS["page_id"]
    page, whole = pack_text("<html>", 1_000)
    SavedPage(IDS["page_id"], saved_at=1, page=page, whole=whole, outcome="unclear", expires_at=1).save()


def of_acme(cloud: Cloud) -> list[Any]:
    return [item for items in cloud.content().values() for item in items if "acme" in str(item)]


def test_every_route_is_tried() -> None:
    assert sorted(ATTEMPTS) == PROTECTED


@pytest.mark.parametrize("key", PROTECTED)
def test_another_tenant_neither_sees_nor_changes_anything(acme: Cloud, key: str) -> None:
    own(acme)
    before = of_acme(acme)
    answer = attempt(key, tenant="globex")
    assert answer.status == ATTEMPTS[key][1], answer.text
    assert not [word for word in OF_ACME if word in answer.text]
    assert of_acme(acme) == before
    assert call("GET", f"/v1/jobs/{OWN}", tenant="acme").status == 200


@pytest.mark.parametrize("key", PROTECTED)
@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"tenant": "", "roles": "admin", "subject": "x"},
        {"tenant": "ACME", "roles": "admin", "subject": "x"},
        {"tenant": "acme globex", "roles": "admin", "subject": "x"},
        {"tenant": ["acme"], "roles": "admin", "subject": "x"},
        {"tenant": "acme", "roles": "", "subject": "x"},
        {"tenant": "acme", "roles": "owner", "subject": "x"},
        {"tenant": "acme", "roles": ["admin"], "subject": "x"},
        {"tenant": "acme", "roles": "admin", "subject": ""},
        {"tenant": "acme", "roles": "admin"},
        {"roles": "admin", "subject": "x"},
    ],
)
def test_a_request_without_a_whole_caller_is_nobodys(acme: Cloud, key: str, context: dict[str, Any] | None) -> None:
    request = event(key.partition(" ")[0], path_of(key), tenant=None)
    if context is not None:
        request["requestContext"]["authorizer"] = {"lambda": context}
    before = acme.content()
    answer = send(request)
    assert (answer.status, answer.json["error"]["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert acme.content() == before


@pytest.mark.parametrize(
    ("roles", "forbidden"),
    [
        ("user", OPERATORS | DEPLOYMENT),
        ("service", OPERATORS | PEOPLE | DEPLOYMENT),
        ("operator", DEPLOYMENT),
        ("admin", DEPLOYMENT),
        ("service user", OPERATORS | DEPLOYMENT),
        ("platform", (OPERATORS | PEOPLE | EVERYBODY) - PLATFORM),
        ("operator platform", set()),
    ],
)
def test_roles_decide_what_a_caller_may_do(acme: Cloud, roles: str, forbidden: set[str]) -> None:
    acme.enqueue("acme", "ACME-ONLY")
    refused = {key for key in PROTECTED if attempt(key, tenant="acme", roles=roles).status == 403}
    assert refused == forbidden


def test_each_route_says_which_roles_have_it() -> None:
    assert sorted([*OPERATORS, *PEOPLE, *EVERYBODY, *DEPLOYMENT]) == PROTECTED
    assert ROLES.keys() == {"user", "operator", "admin", "service", "platform"}  # those that are tried above


def test_each_id_in_a_path_is_one_of_acmes() -> None:
    assert {name for key in PROTECTED for name in re.findall(r"\{(\w+)\}", key)} == IDS.keys()


@pytest.mark.parametrize("key", [key for key, (_, status) in ATTEMPTS.items() if status == 404])
def test_what_another_tenant_does_not_find_is_there_for_its_owner(acme: Cloud, key: str) -> None:
    own(acme)
    assert attempt(key, tenant="acme").status != 404


def test_a_job_that_two_asked_for_is_shown_to_both_and_names_neither(acme: Cloud) -> None:
    acme.connect("globex")
    [job_id] = acme.enqueue("acme", "ACME-SHARED")
    acme.enqueue("globex", "ACME-SHARED")
    job = Job.get(job_id)
    job.history = [{"at": 1, "event": "snooze", "attempt": 1, "code": "x", "message": "account stockx:acme is BROKEN"}]
    job.error = {"code": "x", "message": "stockx:acme takes no calls", "at": 1}
    job.save()
    answer = call("GET", f"/v1/jobs/{job_id}", tenant="globex")
    assert answer.status == 200
    assert "acme" not in answer.text
    assert "stockx:acme" in call("GET", f"/v1/jobs/{job_id}", tenant="acme").text


def test_who_waits_for_anothers_broken_account_is_told_what_to_do_and_not_whose_it_is(acme: Cloud) -> None:
    acme.connect("globex")
    [job_id] = acme.enqueue("acme", "ACME-SHARED")
    acme.enqueue("globex", "ACME-SHARED")
    accounts.mark("stockx:acme", Status.BROKEN, "the marketplace refuses it", acme.now, token_version=1)
    mine = call("GET", f"/v1/jobs/{job_id}", tenant="acme").json["wait"]
    theirs = call("GET", f"/v1/jobs/{job_id}", tenant="globex").json["wait"]
    assert mine["reason"] == theirs["reason"] == "account"
    assert "stockx:acme" in mine["message"]
    assert "acme" not in theirs["message"]
    assert "ask for the job again" in theirs["message"]


def test_cancelling_a_shared_job_leaves_it_to_the_others(acme: Cloud) -> None:
    acme.connect("globex")
    [job_id] = acme.enqueue("acme", "ACME-SHARED")
    acme.enqueue("globex", "ACME-SHARED")
    assert call("DELETE", f"/v1/jobs/{job_id}", tenant="globex").json["outcome"] == "withdrawn"
    assert call("GET", f"/v1/jobs/{job_id}", tenant="globex").status == 404
    assert call("GET", "/v1/jobs", tenant="globex").json["jobs"] == []
    assert call("GET", f"/v1/jobs/{job_id}", tenant="acme").json["state"] == "queued"


def test_a_cursor_of_another_tenant_opens_nothing(acme: Cloud) -> None:
    acme.enqueue("acme", "ACME-ONLY", "ACME-SHARED")
    page = call("GET", "/v1/jobs", query={"limit": 1}, tenant="acme").json
    answer = call("GET", "/v1/jobs", query={"cursor": page["next"]}, tenant="globex")
    assert (answer.status, list(answer.fields)) == (400, ["cursor"])
