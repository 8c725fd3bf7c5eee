"""The route of the sync log: every attempt to make eBay equal to a record."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from sluice.listings.ebay import sync_log
from sluice.listings.ebay import table as records
from sluice.listings.ebay.plan import Step
from sluice.listings.ebay.sync_log import RESULTS, SyncEntry, WantedAttempts
from sluice.platform.clock import iso
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Invalid
from sluice.platform.http.models import Moment, OneOf, PageQuery
from sluice.platform.http.moments import between
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time

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


ROUTES = (
    Route(
        "GET",
        "/v1/ebay/sync-log",
        "Show attempts to publish",
        show_sync_log,
        SyncLog,
        Permission.LISTINGS_READ,
        query=SyncQuery,
    ),
)
