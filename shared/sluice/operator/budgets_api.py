"""The routes of what bounds and carries the work: budgets with their forecast, and lanes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import QUEUED
from sluice.jobs.queue import lanes as lane_marks
from sluice.operator import budgets, counts, forecast, queues, scope, search, tenants
from sluice.operator.budgets import Budget
from sluice.operator.jobs_api import PageOfTenants
from sluice.operator.overview_api import OfTenant
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.config.services import LIMITS
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import NotFound
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time

MOST_DAYS = 35


class DaysQuery(OfTenant):
    """Of which time."""

    days: int = Field(7, ge=1, le=MOST_DAYS, description="so many days back, this one included")


class WindowView(TypedDict):
    """One window of a limit.

    window: `hour` or `day` of the marketplace's clock, or the length of one that rolls: `10 s`.
    used: calls reserved and not given back; of a window that rolls, those that are in it.
    opensAt: when it begins anew; of a window that rolls, when the next call may start.
    """

    window: str
    limit: int
    used: int
    opensAt: Time


class ClosedView(TypedDict):
    """The marketplace takes no calls."""

    since: Time | None
    until: Time
    reason: str


class HoldView(TypedDict):
    """Why work waits, and until when, if that can be known."""

    reason: str
    until: Time | None
    message: str


class BudgetView(TypedDict):
    """One budget.

    setBy: who set each limit: `default`, `configuration`, or `marketplace`, whose refusals have made it slower.
    paceMs: between two calls. queued: the tenant's jobs that wait for it. endsAt: when those will be done at this
    rate, if nothing comes in between; null if none wait, or if that is not within 30 days.
    """

    budget: str
    tenant: str
    service: str
    account: str
    status: str
    windows: list[WindowView]
    paceMs: int
    setBy: dict[str, str]
    closed: ClosedView | None
    hold: HoldView | None
    queued: int
    endsAt: Time | None


class BudgetList(TypedDict):
    """A page of budgets, by tenant."""

    budgets: list[BudgetView]
    next: str | None


class DayView(TypedDict):
    """Calls of one day of the marketplace. hours: from its first hour on."""

    day: str
    calls: int
    hours: dict[str, int]


class BudgetHistory(TypedDict):
    """Calls of a budget, by day and hour."""

    budget: str
    days: list[DayView]


class LaneView(TypedDict):
    """Where jobs wait together. oldestDueAt: of the first job in it; null where it is empty."""

    lane: str
    service: str
    account: str
    priority: str
    oldestDueAt: Time | None


class Lanes(TypedDict):
    """Lanes."""

    lanes: list[LaneView]


def list_budgets(request: HttpRequest[None, PageOfTenants]) -> BudgetList:
    """Every budget: its windows, what holds it, who set its limits, and when its work will be done."""
    config, now = live.current(), request.now

    def read(tenant: str, _: int, __: Place | None) -> Page[BudgetView]:
        queued, found = _queued(counts.now(tenant)), budgets.of_tenant(tenant, now, config)
        return Page([_budget(one, tenant, queued[one.service], now) for one in found])

    owner = scope.owner(request, request.query.tenant)
    walked = search.walk(owner, request.query.limit, request.query.cursor, read, tenants=tenants.names)
    return {"budgets": [view for _, view in walked.rows], "next": walked.next}


def get_budget_history(request: HttpRequest[None, DaysQuery]) -> BudgetHistory:
    """Calls of a budget, by day and hour."""
    name, owner = request.path["budget"], scope.owner(request, request.query.tenant)
    if owner != counts.ALL and name not in {one.id for one in budgets.of_tenant(owner, request.now, live.current())}:
        raise NotFound.of("budget", "budget")
    if keys.service_of(name) not in LIMITS:
        raise NotFound.of("budget", "budget")
    found = budgets.history(name, request.query.days, request.now)
    days: list[DayView] = [
        {"day": day.partition("@")[0], "calls": hours.get("day", 0), "hours": _hours_alone(hours)}
        for day, hours in found.items()
    ]
    return {"budget": name, "days": days}


def list_lanes(request: HttpRequest[None, OfTenant]) -> Lanes:
    """The lanes of a tenant; for the role `platform`, of one that it names, or the first 100 that have work."""
    owner, config = scope.owner(request, request.query.tenant), live.current()
    if owner == counts.ALL:
        names = sorted(lane.lane for lane in lane_marks.some(100))
    else:
        names = queues.lanes_of(budgets.of_tenant(owner, request.now, config))
    return {"lanes": [_lane(name, first) for name, first in zip(names, queues.firsts(names), strict=True)]}


def _budget(one: Budget, tenant: str, queued: int, now: int) -> BudgetView:
    limits, used = one.limits, one.usage
    ends = forecast.ends_at(queued, limits, used, one.id, now) if queued else None
    hold = one.hold
    return {
        "budget": one.id,
        "tenant": tenant,
        "service": one.service,
        "account": one.account,
        "status": one.status,
        "windows": _windows(one, now),
        "paceMs": used.slowed.of(limits.pace),
        "setBy": budgets.sources(one.service, limits, used),
        "closed": budgets.closed(used, now),  # type: ignore[typeddict-item]
        "hold": {"reason": hold.reason, "until": iso(hold.until) if hold.until else None, "message": hold.message}
        if hold
        else None,
        "queued": queued,
        "endsAt": iso(ends) if ends is not None else None,
    }


def _windows(one: Budget, now: int) -> list[WindowView]:
    return [
        {"window": window.name, "limit": window.limit, "used": window.used, "opensAt": iso(window.opens_at)}
        for window in budgets.windows(one, now)
    ]


def _queued(now_counters: Mapping[str, int]) -> Counter[str]:
    """Jobs that wait to be run, by the service that is charged for them."""
    found = Counter[str]()
    for queue, states in queues.by_queue(now_counters).items():
        kind, _, marketplace = queue.partition(":")
        found[queues.service(kind, marketplace)] += states[QUEUED]
    return found


def _hours_alone(hours: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in hours.items() if name != "day"}


def _lane(name: str, first: Job | None) -> LaneView:
    names = {str(number): word for word, number in keys.PRIORITIES.items()}
    priority = keys.lane_priority(name)
    return {
        "lane": name,
        "service": keys.service_of(keys.lane_budget(name)),
        "account": keys.lane_account(name),
        "priority": names.get(priority, priority),
        "oldestDueAt": iso(queues.waits_since(first)) if first else None,
    }


_BASE, _READ = "/v1/operator", Permission.OPERATE_READ
ROUTES: tuple[Route[Any, Any], ...] = (
    Route("GET", f"{_BASE}/budgets", "List budgets", list_budgets, BudgetList, _READ, query=PageOfTenants),
    Route(
        "GET",
        f"{_BASE}/budgets/{{budget}}/history",
        "Show the calls of a budget by day and hour",
        get_budget_history,
        BudgetHistory,
        _READ,
        query=DaysQuery,
    ),
    Route("GET", f"{_BASE}/lanes", "List lanes", list_lanes, Lanes, _READ, query=OfTenant),
)
