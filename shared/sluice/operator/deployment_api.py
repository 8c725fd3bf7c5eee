"""The routes of the deployment as a whole: tenants with their allowances, runs of functions, calls to marketplaces."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.queue import tally
from sluice.jobs.run import records
from sluice.operator import queues, tenants
from sluice.operator.measures import quantile
from sluice.operator.overview_api import HoursQuery
from sluice.platform import call_counts, usage
from sluice.platform.clock import HOUR, iso
from sluice.platform.config import live
from sluice.platform.config.document import Config
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http import paging
from sluice.platform.http.auth import TENANT, Permission
from sluice.platform.http.models import OneOf, PageQuery, Spelled
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time

FUNCTIONS = ("operation-poller", "page-scheduler", "page-worker", "promotion-worker", "scheduler", "worker")
# Those that call marketplaces.
CALLERS = ("operation-poller", "promotion-worker", "worker")


class RunsQuery(PageQuery):
    """Which runs to list."""

    function: Annotated[str, OneOf(FUNCTIONS)] = "scheduler"
    day: Annotated[str, Spelled(r"^\d{4}-\d\d-\d\d$", "must be a day, such as `2026-11-22`")] | None = Field(
        None, description="of UTC; today by default"
    )


class TenantView(TypedDict):
    """One tenant: what it may ask for and keep, what it has, and its jobs by state."""

    tenant: str
    allowances: dict[str, int]
    used: dict[str, int]
    jobs: dict[str, int]


class TenantList(TypedDict):
    """A page of tenants that have made a request or have jobs, by name."""

    tenants: list[TenantView]
    next: str | None


class RunView(TypedDict):
    """One run of a function: when, and what it did."""

    at: Time
    stats: dict[str, Any]


class Runs(TypedDict):
    """A page of runs, newest first."""

    function: str
    runs: list[RunView]
    next: str | None


class CallsView(TypedDict):
    """Calls to one marketplace. outcomes: `ok`, `429`, `4xx`, `5xx` and `none`. latency: calls by the bound in ms that
    they did not exceed; `more` took longer than all."""

    marketplace: str
    calls: int
    successRate: float | None
    outcomes: dict[str, int]
    p50Ms: int | None
    p95Ms: int | None
    latency: dict[str, int]
    refusedByHour: dict[str, int]


class CallTotals(TypedDict):
    """Calls to marketplaces since `since`."""

    since: Time
    marketplaces: list[CallsView]


def list_tenants(request: HttpRequest[None, PageQuery]) -> TenantList:
    """Tenants with what they may and what they have."""
    query, config, hour = request.query, live.current(), iso(request.now)[:13]
    start = paging.start(query.cursor, request.tenant, TENANT)
    found = tenants.found(start.key if start else "", query.limit)
    page = Page(list(found), Place(list(found)[-1]) if len(found) == query.limit else None)
    shown = [_tenant(name, found[name], config, hour) for name in page]
    return {"tenants": shown, "next": page.cursor(request.tenant)}


def list_runs(request: HttpRequest[None, RunsQuery]) -> Runs:
    """What each run of a function did."""
    query, start = request.query, paging.start(request.query.cursor, request.tenant, records.KEY)
    found = records.page(query.function, query.day or iso(request.now)[:10], query.limit, start)
    runs: list[RunView] = [{"at": one.at.partition("#")[0], "stats": one.stats or {}} for one in found]
    return {"function": query.function, "runs": runs, "next": found.cursor(request.tenant)}


def list_calls(request: HttpRequest[None, HoursQuery]) -> CallTotals:
    """Calls to marketplaces: how many, how they were answered and how fast."""
    last = request.now - request.now % HOUR
    starts = [last - back * HOUR for back in range(request.query.hours)]
    found = records.hours(CALLERS, [iso(start)[:13] for start in starts])
    together = Counter[str]()
    refused: dict[str, Counter[str]] = {name: Counter() for name in MARKETPLACES}
    for (_, hour), counters in found.items():
        together.update(counters)
        for name in MARKETPLACES:
            if number := counters.get(f"c:{name}:{call_counts.TOO_MANY}", 0):
                refused[name][f"{hour}:00:00.000Z"] += number
    shown = [_calls(name, together, refused[name]) for name in MARKETPLACES]
    return {"since": iso(starts[-1]), "marketplaces": shown}


def _tenant(name: str, jobs: Mapping[str, int], config: Config, hour: str) -> TenantView:
    this_hour, kept = usage.counters(name, hour), usage.counters(name, usage.KEPT)
    states: Counter[str] = Counter()
    for of_queue in queues.by_queue(jobs).values():
        states.update(of_queue)
    unfinished = sum(number for (_, state), number in tally.counts(name).items() if state == tally.UNFINISHED)
    used = {f"{counter}_per_hour": this_hour.get(counter, 0) for counter in ("items", "mails", "connections")}
    used["unfinished_jobs"] = unfinished
    allowances = asdict(config.tenants.allowed(name))
    # What is kept has also when it was last counted anew.
    used |= {counter: max(0, number) for counter, number in kept.items() if counter in allowances}
    return {"tenant": name, "allowances": allowances, "used": used, "jobs": dict(states)}


def _calls(name: str, counters: Mapping[str, int], refused: Mapping[str, int]) -> CallsView:
    outcomes = {word: counters.get(f"c:{name}:{word}", 0) for word in call_counts.OUTCOMES}
    found = queues.buckets(counters, f"l:{name}:")
    total, bounds = sum(outcomes.values()), call_counts.BOUNDS
    labels = [*map(str, bounds), "more"]
    return {
        "marketplace": name,
        "calls": total,
        "successRate": round(100 * outcomes[call_counts.OK] / total, 1) if total else None,
        "outcomes": outcomes,
        "p50Ms": quantile(found, 50, bounds),
        "p95Ms": quantile(found, 95, bounds),
        "latency": {label: found.get(number, 0) for number, label in enumerate(labels)},
        "refusedByHour": dict(sorted(refused.items())),
    }


_BASE, _ALL = "/v1/operator", Permission.DEPLOYMENT_READ
ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", f"{_BASE}/tenants", "List tenants with their allowances", list_tenants, TenantList, _ALL, query=PageQuery
    ),
    Route("GET", f"{_BASE}/runs", "List runs of a function", list_runs, Runs, _ALL, query=RunsQuery),
    Route("GET", f"{_BASE}/calls", "Show how marketplaces answered", list_calls, CallTotals, _ALL, query=HoursQuery),
)
