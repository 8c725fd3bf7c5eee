"""The routes of the operator's first page: how every queue stands, how many jobs there are, how kinds of work fare.

None of them reads jobs that wait: each costs a few reads, whatever the number of jobs.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from sluice.capabilities import KINDS
from sluice.jobs.model.states import ALL as STATES
from sluice.jobs.model.states import DEAD, LEASED, QUEUED, WAITING
from sluice.jobs.run import records
from sluice.operator import counts, measures, queues, scope
from sluice.operator.queues import Queue
from sluice.operator.standing import QueueHealth
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http.auth import Permission
from sluice.platform.http.models import OneOf, Query, TenantName, Text
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time

MOST_HOURS = 72


class OfTenant(Query):
    """Whose work. Left out: the caller's own tenant; for the role `platform`, all tenants together."""

    tenant: TenantName | None = Field(None, description="for the role `platform`: one tenant")


class CountsQuery(OfTenant):
    """Which jobs to count. All filters must match."""

    state: Annotated[str, OneOf(tuple(sorted(STATES)))] | None = None
    kind: Annotated[str, OneOf(KINDS)] | None = None
    marketplace: Annotated[str, OneOf((*MARKETPLACES, "pages"))] | None = None
    code: Text | None = Field(None, description="the error's code, for example `unavailable`")


class HoursQuery(OfTenant):
    """Of which time."""

    hours: int = Field(24, ge=1, le=MOST_HOURS, description="so many hours back, this one included")


class Delay(TypedDict):
    """How long work waited after it was due. p50Ms, p95Ms: what half of it, and 95 % of it, did not exceed.

    They are bounds of buckets; null where no job began. jobs: so many began.
    """

    p50Ms: int | None
    p95Ms: int | None
    jobs: int


class QueueView(TypedDict):
    """The jobs of one kind at one marketplace.

    health: `paused`, `failing`, `at_its_limit`, `backlogged`, `active` or `idle`. states: how many jobs are in each.
    completed, failed, postponed: tries in this hour and the one before. oldestDueAt: since when the job waits that has
    waited longest, of those that stand first in their lanes. delay, manualDelay: of this hour and the one before.
    """

    queue: str
    kind: str
    marketplace: str
    health: Annotated[str, Among(QueueHealth)]
    states: dict[str, int]
    completed: int
    failed: int
    postponed: int
    oldestDueAt: Time | None
    delay: Delay
    manualDelay: Delay


class TickView(TypedDict):
    """What the scheduler's last run saw. held: budgets that it passed over, by service and reason."""

    checkedAt: Time
    oldestDueAgeSeconds: int
    lanes: int
    held: dict[str, int]


class Overview(TypedDict):
    """queued, running, waiting, dead: jobs of all queues; `waiting` for an operation of the marketplace.

    problems: the queues that are paused, failing, at their limit or backlogged. scheduler: for the role `platform`.
    """

    at: Time
    queued: int
    running: int
    waiting: int
    dead: int
    oldestDueAt: Time | None
    delay: Delay
    problems: list[str]
    queues: list[QueueView]
    scheduler: TickView | None


class JobCounts(TypedDict):
    """How many jobs match, and how they divide. byCode: those that have an error, by its code."""

    jobs: int
    byState: dict[str, int]
    byKind: dict[str, int]
    byMarketplace: dict[str, int]
    byCode: dict[str, int]


def get_overview(request: HttpRequest[None, OfTenant]) -> Overview:
    """How every queue stands."""
    owner, config, now = scope.owner(request, request.query.tenant), live.current(), request.now
    left = records.health() if owner == counts.ALL else None
    found = queues.of_all(now, config, left) if owner == counts.ALL else queues.of_tenant(owner, now, config)
    states, delay = queues.totals(found), Counter[int]()
    for one in found:
        delay.update(one.delay)
    oldest = min((one.oldest_due_at for one in found if one.oldest_due_at), default=None)
    return {
        "at": iso(now),
        "queued": states.get(QUEUED, 0),
        "running": states.get(LEASED, 0),
        "waiting": states.get(WAITING, 0),
        "dead": states.get(DEAD, 0),
        "oldestDueAt": iso(oldest) if oldest else None,
        "delay": _delay(delay),
        "problems": [f"{one.kind}:{one.marketplace}" for one in found if one.health not in ("active", "idle")],
        "queues": [queue_view(one) for one in found],
        "scheduler": _scheduler(left) if left else None,
    }


def count_jobs(request: HttpRequest[None, CountsQuery]) -> JobCounts:
    """How many jobs match, without a look at any of them."""
    query = request.query
    now_counters = counts.now(scope.owner(request, query.tenant))
    letter = "x" if query.code else "n"
    by: dict[str, Counter[str]] = {name: Counter() for name in ("kind", "marketplace", "state", "code")}
    wanted = {"kind": query.kind, "marketplace": query.marketplace, "state": query.state, "code": query.code}
    for name, number in now_counters.items():
        counted, *parts = name.split(":")
        place = dict(zip(("kind", "marketplace", "state", "code"), parts, strict=False))
        if number and all(value in (None, place.get(field)) for field, value in wanted.items() if field in place):
            fields = {"code"} if counted == "x" else set()
            for field in fields | ({"kind", "marketplace", "state"} if counted == letter else set()):
                by[field][place[field]] += number
    return {
        "jobs": by["state"].total(),
        "byState": _sorted(by["state"]),
        "byKind": _sorted(by["kind"]),
        "byMarketplace": _sorted(by["marketplace"]),
        "byCode": _sorted(by["code"]),
    }


def queue_view(one: Queue) -> QueueView:
    """A queue as the API shows it."""
    return {
        "queue": f"{one.kind}:{one.marketplace}",
        "kind": one.kind,
        "marketplace": one.marketplace,
        "health": one.health,
        "states": dict(one.states),
        "completed": one.completed,
        "failed": one.failed,
        "postponed": one.postponed,
        "oldestDueAt": iso(one.oldest_due_at) if one.oldest_due_at else None,
        "delay": _delay(one.delay),
        "manualDelay": _delay(one.manual_delay),
    }


def _delay(found: Mapping[int, int]) -> Delay:
    return {
        "p50Ms": measures.quantile(found, 50),
        "p95Ms": measures.quantile(found, 95),
        "jobs": sum(found.values()),
    }


def _scheduler(snapshot: Mapping[str, Any]) -> TickView:
    return {
        "checkedAt": iso(snapshot["at"]),
        "oldestDueAgeSeconds": snapshot["oldest_due_age"],
        "lanes": snapshot["lanes"],
        "held": snapshot.get("held_by", {}),
    }


def _sorted(found: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(found.items()))


_BASE, _READ = "/v1/operator", Permission.OPERATE_READ
ROUTES = (
    Route("GET", f"{_BASE}/overview", "Show how every queue stands", get_overview, Overview, _READ, query=OfTenant),
    Route(
        "GET",
        f"{_BASE}/jobs/counts",
        "Count jobs by state, kind, marketplace and error",
        count_jobs,
        JobCounts,
        _READ,
        query=CountsQuery,
    ),
)
