"""The routes of what differs at eBay, for whoever operates Sluice: how much of each class, and the open cases.

How much is counted by the looks themselves, a slice at a time: a look at any number of listings costs one read.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.listings.ebay import rules, sellers, shares, table
from sluice.listings.ebay.kinds import MARKETPLACE
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.table import Record
from sluice.platform.clock import iso_or_none
from sluice.platform.http import paging, table_pages
from sluice.platform.http.auth import PLATFORM, TENANT, Permission
from sluice.platform.http.errors import Forbidden, Invalid
from sluice.platform.http.models import PageQuery, TenantName
from sluice.platform.http.paging import Page
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time


class DriftQuery(PageQuery):
    """Whose listings. Left out: the caller's own tenant's; for the role `platform`, all tenants'."""

    tenant: TenantName | None = Field(None, description="for the role `platform`: one tenant")


class AccountDrift(TypedDict):
    """How one account's listings fare.

    listings, open: of the last complete round of looks: how many, and how many differences were open in each class.
    Null before the first. meanAgeMs: how old what is known of a listing is, on average.
    allowedAgeMs: how old it would be if nothing held the looks up, with the calls that they are given.
    """

    tenant: str
    listings: int | None
    open: dict[str, int] | None
    roundMs: int | None
    meanAgeMs: int | None
    allowedAgeMs: int | None
    lookedAt: Time | None


class Drifts(TypedDict):
    """A page of accounts, by tenant. open: of those of this page together."""

    accounts: list[AccountDrift]
    open: dict[str, int]
    next: str | None


# An open difference of a record, as it stands there: `class` is no name that a class can give a field.
CaseView = TypedDict(
    "CaseView", {"tenant": str, "sku": str, "case": str, "class": str, "groups": list[str], "at": Time}
)


class Cases(TypedDict):
    """A page of one tenant's open differences, by sku. It may be short and not the last."""

    cases: list[CaseView]
    next: str | None


def list_drift(request: HttpRequest[None, DriftQuery]) -> Drifts:
    """How much differs at eBay, by account and class."""
    query, tenant = request.query, _whose(request)
    start = paging.start(query.cursor, request.tenant, rf"{MARKETPLACE}:{TENANT}")
    if tenant is not None:
        look = sellers.progress_of(keys.account(MARKETPLACE, tenant))
        page = Page([look] if look else [])
    else:
        page = table_pages.read(SellerPart, sellers.LOOKS, query.limit, start)
    together: dict[str, int] = {}
    for look in page:
        for name, number in (look.open or {}).items():
            together[name] = together.get(name, 0) + number
    return {"accounts": [_account(one) for one in page], "open": together, "next": page.cursor(request.tenant)}


def list_cases(request: HttpRequest[None, DriftQuery]) -> Cases:
    """The open differences of one tenant's listings."""
    tenant = _whose(request)
    if tenant is None:
        raise Invalid.field("tenant", "is needed: cases are shown of one tenant at a time")
    start = paging.start(request.query.cursor, tenant, rules.NAME)
    page = table.page(tenant, request.query.limit, start, Record.drift.exists())
    rows = [_case(tenant, record.sku, row) for record in page for row in record.drift or []]
    return {"cases": rows, "next": page.cursor(tenant)}


def _whose(request: HttpRequest[None, DriftQuery]) -> str | None:
    """The tenant that is asked for; None for all.

    Raises:
        Forbidden: it is another's, and the caller does not run the deployment.
    """
    tenant = request.query.tenant
    if request.caller is not None and PLATFORM in request.caller.roles:
        return tenant
    if tenant not in (None, request.tenant):
        raise Forbidden("only the role platform sees the work of other tenants; leave `tenant` out to see your own")
    return request.tenant


def _account(look: SellerPart) -> AccountDrift:
    return {
        "tenant": keys.tenant_of(look.part),
        "listings": look.listings,
        "open": look.open,
        "roundMs": look.round_ms,
        "meanAgeMs": shares.mean_age_ms(look),
        "allowedAgeMs": shares.allowed_age_ms(look),
        "lookedAt": iso_or_none(look.looked_at),
    }


def _case(tenant: str, sku: str, row: Mapping[str, Any]) -> CaseView:
    shown = {"class": row["class"], "groups": list(row["groups"]), "at": row["at"], "case": row["case"]}
    return {"tenant": tenant, "sku": sku, **shown}  # type: ignore[typeddict-item]


_BASE, _READ = "/v1/operator/drift", Permission.OPERATE_READ
ROUTES: tuple[Route[Any, Any], ...] = (
    Route("GET", _BASE, "Show how much differs at eBay", list_drift, Drifts, _READ, query=DriftQuery),
    Route("GET", f"{_BASE}/cases", "List open differences at eBay", list_cases, Cases, _READ, query=DriftQuery),
)
